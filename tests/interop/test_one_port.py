"""All that is spoken, on one port: with TLS, without, in crumbs, and by those who err."""

import ssl
from collections.abc import Sequence
from http.client import HTTPException
from time import monotonic

from tests.interop.case import ask, log_in
from tests.interop.children import until
from tests.interop.one_port_case import (
    CONNACK,
    CONNECT,
    FIRST,
    LATE,
    NAMES,
    ONCE,
    PATIENCE,
    RIGHT,
    STREAM,
    OnePortCase,
    opened,
)
from tests.interop.raw_tls import Ended, Visit
from tests.interop.raw_xmpp import Party, Robot
from tests.interop.server import HOST
from tests.interop.test_deebot import FRESH, XML, DeebotCase


class SpokenTests(OnePortCase):
    """Everybody who comes to the one port gets what he came for."""

    def test_names(self) -> None:
        """Whatever name is asked for, and without one, the first bytes decide."""
        for name in NAMES:
            for speech, check in self.spoken().items():
                visit = self.visit("all_tls").secure(name)
                check(visit)
                found = self.told(visit, speech=speech)
                self.assertEqual(found["hello"]["server_name"], name)
                visit.close()

    def test_let_in(self) -> None:
        """The journal says who that was: a robot over MQTT, and one over XMPP."""
        visit = self.visit("all_tls").secure(RIGHT)
        self.check_mqtt(visit)
        self.told(visit, outcome="accepted", robot="E0000000000000009200")
        party = Party(self.doors["all_tls"], tls=True)
        self.addCleanup(party.close)
        party.enter(Robot())
        entries = ask(self.doors["web"], "GET", "/api/journal", token=self.token).json["entries"]
        self.assertIn(
            ("XMPP", "accepted", Robot().sn),
            [(each.get("speech"), each.get("outcome"), each.get("robot")) for each in entries],
        )

    def test_verified(self) -> None:
        """The certificate is one for the name that was asked for."""
        for name in RIGHT, "portal-ww.ecouser.net", HOST:
            visit = self.visit("all_tls").secure(name, ca=str(self.server.ca))
            self.check_web(visit)
            self.told(visit, outcome="accepted")

    def test_all_at_once(self) -> None:
        """Connections that begin before others have said anything do not get in their way."""
        secured = [
            (check, self.visit("all_tls").secure(name), name)
            for name in NAMES
            for check in self.spoken().values()
            for _ in range(3)
        ]
        for check, visit, _ in reversed(secured):
            # The same robot comes again and again: each takes the place of the one before.
            check(visit)

    def test_dedicated(self) -> None:
        """The ports for one thing, clear and with TLS, go on as they were."""
        for door in ("web", "mqtt", "xmpp", "all"):
            for speech, check in self.spoken().items():
                if door in {speech.lower().replace("http", "web"), "all"}:
                    check(self.visit(door))
        for door, check in ("web_tls", self.check_web), ("mqtt_tls", self.check_mqtt):
            check(self.visit(door).secure(RIGHT))

    def test_tls_on_plain(self) -> None:
        """A port without TLS knows it by the first byte, and speaks it as well."""
        for speech, check in self.spoken().items():
            visit = self.visit("all").secure(RIGHT)
            check(visit)
            self.assertTrue(self.told(visit, speech=speech)["tls"])
        for door, check in ("web", self.check_web), ("mqtt", self.check_mqtt):
            check(self.visit(door).secure(RIGHT))


class CrumbTests(OnePortCase):
    """Bytes that come one by one, each after the server has read the one before."""

    def test_tls(self) -> None:
        """With TLS, from the first byte of the hello on."""
        for check in self.spoken().values():
            check(self.visit("all_tls", self.beat()).secure(RIGHT))

    def test_clear(self) -> None:
        """In clear text."""
        for check in self.spoken().values():
            check(self.visit("all", self.beat()))

    def test_records(self) -> None:
        """The hello in as many records as a client may make of it."""
        for size in 1, 7, 100:
            visit = self.visit("all_tls").begin(RIGHT)
            hello = visit.hello[5:]
            for at in range(0, len(hello), size):
                piece = hello[at : at + size]
                visit.say_raw(b"\x16\x03\x01" + len(piece).to_bytes(2, "big") + piece)
            self.check_web(visit.finish())
            self.assertEqual(self.entry(visit)["hello"]["server_name"], RIGHT)

    def test_pause(self) -> None:
        """The first byte alone decides; what it says is heard when the rest has come."""
        beat, visit = self.beat(), self.visit("all_tls").secure("")
        visit.say(CONNECT[:1])
        beat.pause()
        self.told(visit, speech="MQTT", outcome="chosen")
        visit.say(CONNECT[1:FIRST])
        beat.pause()
        visit.say(CONNECT[FIRST:])
        self.assertEqual(visit.hear(len(CONNACK)), CONNACK)


class OfferTests(OnePortCase):
    """What is offered for TLS is a hint at most."""

    def test_protocols(self) -> None:
        """Whatever a client says it would like to speak, it may say what it likes."""
        offers = ("h2", "http/1.1"), ("h2",), ("mqtt",), ("x-no-such-thing", "\x1b[2J"), ()
        for alpn in offers:
            for check in self.spoken().values():
                visit = self.visit("all_tls").secure(RIGHT, alpn)
                # HTTP/2 is not spoken here, so nobody may be told that it is.
                self.assertNotEqual(visit.protocol, "h2")
                check(visit)
                found = self.entry(visit)["hello"]["alpn"]
                self.assertEqual(len(found), len(alpn))
                self.assertTrue(all(each.isprintable() for each in found))

    def test_old(self) -> None:
        """A version that is not spoken here is told of, with what would have been needed."""
        visit = self.visit("all_tls")
        with self.assertRaises((ssl.SSLError, Ended)):
            visit.secure(RIGHT, old=True)
        visit.close()
        found = self.told(visit, outcome="tls failed")
        self.assertIn("unsupported protocol", found["alert"])
        self.assertEqual(found["hello"]["versions"], ["TLS 1.1"])
        self.assertEqual(found["diagnosis"]["name"], "old-tls")

    def test_distrust(self) -> None:
        """Who does not trust us is told of with the alert that he has sent."""
        visit = self.visit("all_tls")
        with self.assertRaises(ssl.SSLCertVerificationError):
            visit.secure(RIGHT, ca=str(self.other_authority()))
        visit.close()
        found = self.told(visit, outcome="tls failed")
        self.assertIn("unknown ca", found["alert"])
        self.assertEqual(found["hello"]["server_name"], RIGHT)
        self.assertFalse(found["diagnosis"]["sound"])


class ErringTests(OnePortCase):
    """Those who come to the wrong door are told so, and so is the owner."""

    def test_clear_on_tls(self) -> None:
        """HTTP without TLS gets a sentence; MQTT a refusal; all of them an end."""
        for said, answer, speech in (
            (ONCE, b"HTTP/1.1 400 ", "HTTP"),
            (CONNECT, b"\x20\x02\x00\x03", "MQTT"),
            (STREAM, b"<?xml", "XMPP"),
        ):
            for door in ("all_tls", "web_tls", "mqtt_tls"):
                visit = self.visit(door)
                visit.say(said)
                heard = visit.rest()
                self.assertTrue(heard.startswith(answer), (door, heard))
                found = self.told(visit, outcome="wrong layer", speech=speech)
                self.assertFalse(found["diagnosis"]["sound"])
                self.assertTrue(found["ended"])

    def test_https_hint(self) -> None:
        """The sentence says what to write instead."""
        visit = self.visit("all_tls")
        visit.say(ONCE)
        self.assertIn(b"https://", visit.rest())

    def test_wrong_protocol(self) -> None:
        """MQTT on a port for the web, the web on one for MQTT."""
        for door, said, answer, speech in (
            ("web_tls", CONNECT, b"\x20\x02\x00\x03", "MQTT"),
            ("mqtt_tls", ONCE, b"HTTP/1.1 400 ", "HTTP"),
            ("web_tls", STREAM, b"<?xml", "XMPP"),
        ):
            visit = self.visit(door).secure(RIGHT)
            visit.say(said)
            heard = visit.rest()
            self.assertTrue(heard.startswith(answer), (door, heard))
            found = self.told(visit, outcome="wrong protocol", speech=speech)
            self.assertFalse(found["diagnosis"]["sound"])

    def test_no_protocol(self) -> None:
        """What nobody knows is closed, and its first bytes are kept for the owner."""
        for door in ("all_tls", "all"):
            visit = self.visit(door)
            if door == "all_tls":
                visit.secure("")
            visit.say(b"\x00\x01\x02 what is this")
            self.assertEqual(visit.rest(), b"")
            found = self.told(visit, outcome="no protocol")
            self.assertEqual(found["first"][:8], "00 01 02")

    def test_broken_hello(self) -> None:
        """A hello with a length that lies ends there; the next one is served."""
        visit = self.visit("all_tls").begin(RIGHT)
        hello = bytearray(visit.hello)
        hello[9:11] = b"\x09\x09"
        hello[5:9] = b"\x01\x00\xff\xff"
        visit.say_raw(bytes(hello) + bytes(70_000))
        self.assertNotIn(b"\x20\x02", visit.rest())
        self.told(visit, outcome="tls failed")
        self.check_web(self.visit("all_tls").secure(RIGHT))


class SilentTests(OnePortCase):
    """Those who say nothing, or stop in the middle."""

    settings = (f"front.seconds={PATIENCE}",)

    def test_deadline(self) -> None:
        """However far it has got, what has not said what it speaks is gone after a second."""
        began = monotonic()
        silent = [self.visit(door) for door in ("all_tls", "all", "web", "mqtt_tls", "xmpp")]
        half = self.visit("all_tls").begin(RIGHT)
        half.say_raw(half.hello[:40])
        secured = self.visit("all_tls").secure(RIGHT)
        blank = self.visit("all_tls").secure(RIGHT)
        blank.say(b"\r\n")
        for visit in (*silent, half, secured, blank):
            self.assertEqual(visit.rest(), b"")
            self.assertTrue(PATIENCE / 2 < monotonic() - began < LATE)
            found = self.told(visit, outcome="silent" if visit in silent else "too slow")
            self.assertTrue(found["by_us"], found)
            self.assertIn(f"within {PATIENCE} s", found["reason"])

    def test_dripping(self) -> None:
        """Bytes that come all the time do not put it off."""
        visit, beat = self.visit("all_tls").begin(RIGHT), self.beat()
        began, hello = monotonic(), visit.hello
        for at, byte in enumerate(hello[:-1]):
            try:
                visit.say_raw(bytes([byte]))
            except Ended:
                break
            # As many seconds for all of it.
            while monotonic() - began < LATE * at / len(hello):
                beat.pause()
        self.assertLess(monotonic() - began, LATE / 2)
        self.told(visit, outcome="too slow")

    def test_chosen(self) -> None:
        """Who has said what he speaks has the patience of that protocol."""
        visit, silent = self.visit("all_tls").secure(""), self.visit("all_tls")
        self.check_mqtt(visit)
        self.assertEqual(silent.rest(), b"")
        visit.say(b"\xc0\x00")
        self.assertEqual(visit.hear(2), b"\xd0\x00")


class CrowdTests(OnePortCase):
    """More than a few who say nothing."""

    settings = ("front.undecided_per_peer=5", "front.seconds=300")

    def test_room(self) -> None:
        """They keep nobody out who is inside, and everybody gets in again when they are gone."""
        inside, beat = self.visit("all_tls").secure(""), self.beat()
        self.check_mqtt(inside)
        beat.pause()
        silent = [self.visit(door) for door in ("all_tls", "all", "web", "mqtt", "xmpp")]
        # Until it has heard of them; their order is not that of the ports.
        beat.pause()
        self.assertEqual(self.visit("all").rest(), b"")
        inside.say(b"\xc0\x00")
        self.assertEqual(inside.hear(2), b"\xd0\x00")
        for visit in silent:
            visit.close()
        until(lambda: self.gone(silent), "the silent ones are gone", LATE)
        self.check_web(self.visit("all_tls").secure(""))

    def gone(self, visits: Sequence[Visit]) -> bool:
        """Whether the server has heard that they are, and lets us in to ask."""
        try:
            return all(self.entry(visit).get("ended") for visit in visits)
        except (OSError, HTTPException):
            return False


class LibraryTests(DeebotCase):
    """deebot-client with one address for everything, as at the vendor's."""

    def test_one_port(self) -> None:
        """Login, lists, commands and what robots report: all on the port of the robots."""
        server, doors = opened(self)
        port = doors["all_tls"]
        robots = self.robots(port, tls=True)
        session = self.deebot(
            server, True, rest=f"https://{HOST}:{port}", mqtt=f"mqtts://{HOST}:{port}"
        )
        session.wait_for('"step": "leave"')
        robots.stop()
        token = log_in(doors["web"])
        until(lambda: not self.online(doors["web"], token), "the robots are offline")
        session.say("they are gone")
        saw = self.finished(session)
        expected = {**FRESH, **XML}
        self.assertEqual({step: saw.get(step) for step in expected}, expected)
        self.assertEqual(saw["offline"], {"available": False})
        entries = ask(doors["web"], "GET", "/api/journal?limit=300", token=token).json["entries"]
        mine = [each for each in entries if each.get("local_port") == port]
        spoken = {each["speech"] for each in mine if each["outcome"] == "accepted"}
        self.assertEqual(spoken, {"HTTP", "MQTT"})
        named = {each["robot"] for each in mine} - {""}
        self.assertEqual(named, {robot.did for robot in (*robots.json, *robots.xml)})

    def online(self, port: int, token: str) -> list[str]:
        """Robots that the server believes to be there."""
        listed = ask(port, "GET", "/api/robots", token=token).json["robots"]
        return [robot["did"] for robot in listed if robot["online"]]
