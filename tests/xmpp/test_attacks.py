"""What the XMPP side withstands: cases 18, 19 and 21 of our list, as the tests' names say."""

import tracemalloc

from tests.xmpp.household import HouseholdCase, iq
from tests.xmpp.streams import (
    CLOSE,
    PROCEED,
    ROBOT,
    START_TLS,
    UID,
    USER,
    Client,
    TlsClient,
    bind,
    header,
    plain,
    stream_error,
)

ROBOTS, USERS = header("126.ecorobot.net"), header("ecouser.net")
RESTRICTED, TOO_MUCH = stream_error("restricted-xml"), stream_error("policy-violation")

LAUGHS = "<!DOCTYPE lolz [<!ENTITY lol0 'lol'>" + "".join(
    f"<!ENTITY lol{n} '{f'&lol{n - 1};' * 10}'>" for n in range(1, 10)
)

#: A map piece as big as they come.
PIECE = "A" * 14_336


def nested(levels: int) -> str:
    """A request that is as deep as that, itself counted."""
    inner = levels - 1
    return iq("set", "1", "<a xmlns='com:ctl'>" + "<a>" * (inner - 1) + "</a>" * inner, to=ROBOT)


def attributed(number: int) -> str:
    """A request whose C{ctl} has as many attributes."""
    attributes = "".join(f" a{n}='{n}'" for n in range(number))
    return iq("set", "1", f"<query xmlns='com:ctl'><ctl{attributes}/></query>", to=ROBOT)


def sized(size: int) -> str:
    """A request of as many bytes."""
    empty = iq("set", "1", "<query xmlns='com:ctl'><ctl n=''/></query>", to=ROBOT)
    return empty.replace("n=''", f"n='{'A' * (size - len(empty))}'")


class XmlTests(HouseholdCase):
    """Documents that are made to hurt."""

    def test_18_before_header(self) -> None:
        """Nobody declares anything before his stream."""
        for prolog in (
            LAUGHS + "]>",
            "<!DOCTYPE stream SYSTEM 'http://192.0.2.1/x.dtd'>",
            "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>",
            "<!DOCTYPE a [<!ENTITY % p SYSTEM 'file:///etc/passwd'> %p;]>",
            "<!-- x -->",
            "<?php x?>",
        ):
            for opening in (USERS, ROBOTS):
                for pieces in (0, 1):
                    client = Client(self.world)
                    client.pieces = pieces
                    heard = client.ask(prolog, opening, plain("\0a\0b"))
                    self.assertTrue(heard.endswith(RESTRICTED), (prolog, heard))
                    self.assertNotIn("mechanism", heard)
                    self.assertTrue(client.line.over)
        self.assertEqual(self.world.door.asked, [])

    def test_18_inside(self) -> None:
        """Nor inside of it; a robot is no exception."""
        for text in (
            "<!DOCTYPE a [<!ENTITY x 'y'>]>",
            "<!DOCTYPE a>",
            LAUGHS + "]>",
            "<iq type='set' id='1'><!DOCTYPE a><query xmlns='com:ctl'/></iq>",
            "<!-- x -->",
            "<?php x?>",
            "<iq type='set' id='1'><!-- x --></iq>",
            "<iq type='set' id='1'><?php x?></iq>",
        ):
            for client in (self.user(UID), self.robot()):
                self.assertEqual(client.ask(text), RESTRICTED, text)
                self.assertTrue(client.line.over)

    def test_18_entities(self) -> None:
        """There are five entities; another one never becomes anything."""
        robot, user = self.robot(), self.user(UID)
        five = "<query xmlns='com:ctl'><ctl n='&lt;&gt;&amp;&apos;&quot;&#252;&#x1F916;'/></query>"
        user.say(iq("set", "1", five, to=ROBOT))
        self.assertIn(five, robot.heard())
        user.say(iq("set", "1", "<query xmlns='com:ctl'><ctl n='&lol9;'/></query>", to=ROBOT))
        self.assertTrue(user.heard().endswith(CLOSE))
        self.assertTrue(user.line.over)
        self.assert_silent([robot])

    def test_18_laughs_cost_nothing(self) -> None:
        """A bomb does not go off."""
        tracemalloc.start()
        for _ in range(20):
            Client(self.world).say(LAUGHS, "]>", USERS.replace("<stream", "&lol9;<stream"))
        self.assertLess(tracemalloc.get_traced_memory()[1], 2 << 20)
        tracemalloc.stop()

    def test_19_depth(self) -> None:
        """Sixteen levels are enough."""
        robot, user = self.robot(), self.user(UID)
        user.say(nested(15))
        self.assertNotEqual(robot.heard(), "")
        self.assertEqual(user.ask(nested(18)), TOO_MUCH)
        self.assertEqual(robot.ask(nested(18)), TOO_MUCH)

    def test_19_attributes(self) -> None:
        """So are 64 attributes."""
        robot, user = self.robot(), self.user(UID)
        user.say(attributed(64))
        self.assertNotEqual(robot.heard(), "")
        self.assertEqual(user.ask(attributed(65)), TOO_MUCH)
        self.assertEqual(robot.ask(attributed(65)), TOO_MUCH)

    def test_19_size(self) -> None:
        """And 64 KiB, in however many pieces."""
        robot = self.robot()
        for pieces in (0, 1000):
            user = self.user(UID)
            user.pieces = pieces
            user.say(sized(65_536))
            self.assertIn("AAAA", robot.heard())
            self.assertEqual(user.ask(sized(65_537)), TOO_MUCH)
            self.assert_silent([robot])

    def test_19_map_piece(self) -> None:
        """The biggest things that robots say fit."""
        robot, user = self.robot(), self.user(UID)
        inner = f"<query xmlns='com:ctl'><ctl td='PullMP' p='{PIECE}'/></query>"
        robot.say(iq("set", "1", inner, to=f"{USER}/GLB1"))
        self.assertIn(PIECE, user.heard())

    def test_19_strangers(self) -> None:
        """Who is not logged in has 8 KiB for a stanza, and for his header."""
        for opening in (USERS, ROBOTS):
            client = Client(self.world)
            client.ask(opening)
            self.assertEqual(
                client.ask("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + "A" * 8192),
                TOO_MUCH,
            )
            client = Client(self.world)
            heard = client.ask(opening.replace(" to=", f" x='{'A' * 8192}' to="))
            self.assertTrue(heard.endswith(TOO_MUCH), heard)
            self.assertTrue(client.line.over)

    def test_19_many_elements(self) -> None:
        """A stanza of many small elements costs no more than one of a few big ones."""
        robot, user = self.robot(), self.user(UID)
        many = iq("set", "1", "<q xmlns='com:ctl'>" + "<a/>" * 16_000 + "</q>", to=ROBOT)
        tracemalloc.start()
        user.say(many)
        self.assertLess(tracemalloc.get_traced_memory()[1], 4 << 20)
        tracemalloc.stop()
        self.assertTrue(user.line.over or robot.heard())


class TlsTests(HouseholdCase):
    """Clear text before TLS."""

    def test_21_injection(self) -> None:
        """What is behind C{starttls} is lost, in the same segment or the next."""
        for cut in (False, True):
            client = TlsClient(self.world)
            client.ask(USERS)
            smuggled = (plain(f"\0{UID}\0x") + USERS + bind("1")).encode()
            parts = [START_TLS.encode(), smuggled] if cut else [START_TLS.encode() + smuggled]
            for part in parts:
                client.line.receive(part)
                self.world.settle()
            self.assertTrue(client.heard().startswith(PROCEED))
            self.assertEqual(self.world.door.asked, [])

    def test_21_half_a_stanza(self) -> None:
        """A stanza does not begin in clear text and end inside of TLS."""
        client = TlsClient(self.world)
        client.ask(USERS)
        client.line.receive((START_TLS + plain(f"\0{UID}\0x")[:-10]).encode())
        self.world.settle()
        client.heard()
        client.shake()
        heard = client.ask(plain(f"\0{UID}\0x")[-10:])
        self.assertNotIn("success", heard)
        self.assertEqual(self.world.door.asked, [])

    def test_21_late(self) -> None:
        """Who asks for TLS when he is logged in, or has it, hears no, and has to go."""
        failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + CLOSE
        known = Client(self.world)
        known.ask(USERS, plain(f"\0{UID}\0x"), USERS)
        encrypted = TlsClient(self.world)
        encrypted.shake()
        encrypted.ask(USERS)
        for client in (encrypted, known, self.user(UID), self.robot()):
            self.assertEqual(client.ask(START_TLS), failure)

    def test_21_forgotten(self) -> None:
        """What was learned in clear text is not believed inside of TLS."""
        client = TlsClient(self.world)
        client.ask(USERS)
        client.ask(plain(f"\0{UID}\0wrong", "DIGEST-MD5"))
        client.ask(START_TLS)
        client.shake()
        heard = client.ask(bind("1"), USERS)
        self.assertNotIn("<jid>", heard)
