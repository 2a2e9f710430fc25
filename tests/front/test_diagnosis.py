"""Tests for L{bumper_tw.front.diagnosis}: each way to fail has its name, and its way out."""

import re

from bumper_tw.front.contact import Contact, Outcome, Speech
from bumper_tw.front.diagnosis import KINDS
from tests.front.chronicles import (
    BOX,
    BROKER,
    NICK,
    PHONE,
    PORTAL,
    ROBOT,
    ChronicleCase,
)

APP = "okhttp/3.12.1"

#: From where programs on this box come.
HERE = (BOX, "127.0.0.1", "127.0.1.1", "::1", "::ffff:127.0.0.1", "")


class TrustTests(ChronicleCase):
    """Whoever does not like our certificate."""

    def test_app(self) -> None:
        """An app that asked before is named, and sent to the page of the authority."""
        self.asks(APP)
        contact = self.rejected()
        self.assertKind(contact, "untrusted-ca", f"The app {APP}", f"http://{BOX}/ca")

    def test_version(self) -> None:
        """What the path says of an app is better than what it says itself."""
        self.asks(APP).claims_to_be("app global_e 3.1.0")
        self.assertKind(self.rejected(), "untrusted-ca", "The app global_e 3.1.0 does")

    def test_by_name(self) -> None:
        """Of somebody unknown the name that he asked for tells what he is."""
        self.assertKind(self.rejected(), "untrusted-ca", f"An app that asked for {PORTAL}")
        self.assertKind(self.rejected("box.lan"), "untrusted-ca", "Somebody does")

    def test_browser(self) -> None:
        """A browser on a phone is not what asks for the vendor's names there."""
        self.asks("Mozilla/5.0 (Linux)")
        self.assertKind(self.rejected(), "untrusted-ca", "An app")
        self.assertKind(self.rejected("box.lan"), "untrusted-ca", "A browser")

    def test_program(self) -> None:
        """Nobody can open a page on what is no phone."""
        self.asks("python-requests/2.31")
        found = self.assertKind(self.rejected("box.lan"), "untrusted-ca", "mqtt://")
        self.assertNotIn("open http", found.remedy)

    def test_disliked(self) -> None:
        """An alert that says less leads to the clock of the device, too."""
        alert = "sslv3 alert bad certificate"
        self.assertKind(self.rejected(alert=alert), "untrusted-ca", "clock", alert)

    def test_app_pins(self) -> None:
        """Where the proof was asked for, an app does not accept any but the vendor's."""
        before = self.rejected()
        self.clock.advance(5)
        browser = self.secured("box.lan")
        browser.speaks(Speech.HTTP)
        browser.requested("/ca/proof")
        browser.proved()
        self.clock.advance(5)
        self.assertKind(self.rejected(), "app-pins", "2.4.1")
        # What was before may have been mended since.
        self.assertKind(before, "untrusted-ca")
        self.assertKind(self.rejected(host="192.168.7.34"), "untrusted-ca")

    def test_app_left(self) -> None:
        """A handshake, and not a word: that is how others check."""
        self.assertKind(self.end(self.secured()), "app-pins", "without a word", "/ca")

    def test_unused(self) -> None:
        """Unless it speaks on another connection, or asked for a name of ours."""
        contact = self.end(self.secured())
        spoken = self.secured()
        spoken.speaks(Speech.HTTP)
        spoken.requested("/discover")
        self.assertTrue(self.assertKind(contact, "unused").sound)
        self.assertKind(self.end(self.secured("box.lan", ROBOT)), "unused")

    def test_robot_pins(self) -> None:
        """Robots are told by the name they ask for, or by having been there."""
        self.assertKind(
            self.rejected(BROKER), "robot-pins", "A robot", BROKER, "ca-certificates.tar.gz"
        )
        self.assertKind(self.rejected("mq-eu.ecouser.net"), "robot-pins")
        self.end(self.robot())
        self.assertKind(self.rejected(PORTAL, ROBOT), "robot-pins", f"The robot {NICK}")
        self.assertKind(self.rejected("", ROBOT), "robot-pins", f"The robot {NICK}")

    def test_robots_agent(self) -> None:
        """What a robot says over HTTP makes no app of it, and neither does a script."""
        for agent in ("Wget/1.19", "python-requests/2.31"):
            self.asks(agent)
            self.assertKind(self.rejected(BROKER), "robot-pins", "A robot")
        self.asks(APP)
        self.assertKind(self.rejected(BROKER), "untrusted-ca", APP)

    def test_robot_left(self) -> None:
        """A robot that leaves after the handshake checks, too."""
        self.assertKind(self.end(self.secured(BROKER, ROBOT)), "robot-pins")

    def test_clock(self) -> None:
        """It says that our certificate has run out."""
        alert = "sslv3 alert certificate expired"
        self.assertKind(self.rejected(alert=alert), "clock", "bumper certs list")

    def test_cut(self) -> None:
        """The connection is closed in the handshake, or an alert says nothing."""
        self.assertKind(self.end(self.shake()), "handshake-cut", "did not say why")
        alert = "tlsv1 alert internal error"
        self.assertKind(self.rejected(alert=alert), "handshake-cut", alert)
        self.assertKind(self.rejected(alert="bad signature"), "tls-failed", "bad signature")


class HereTests(ChronicleCase):
    """Programs on this box, where others were before: robots, and what tries the ports out."""

    def setUp(self) -> None:
        super().setUp()
        for host in HERE:
            self.end(self.robot(host))

    def test_no_robot(self) -> None:
        """A robot was here, but only its own connection is one of a robot."""
        for host in HERE:
            found = self.assertKind(self.rejected("", host), "untrusted-ca")
            self.assertTrue(found.sentence.startswith("A program on this box does not"), found)
            self.assertKind(self.robot(host), "ok", f"The robot {NICK} was let in")
        self.end(self.robot())
        self.assertKind(self.rejected("", ROBOT), "robot-pins", f"The robot {NICK}")

    def test_no_pins(self) -> None:
        """Whatever name is asked for here, nothing is said of anybody's firmware or app."""
        for name in (BROKER, PORTAL):
            found = self.assertKind(self.rejected(name, BOX), "untrusted-ca")
            self.assertIn(f"A program on this box that asked for {name} does", found.sentence)
            self.assertTrue(self.assertKind(self.end(self.secured(name, BOX)), "unused").sound)

    def test_proved(self) -> None:
        """A browser here trusts us, and something else here does not: that is no app."""
        browser = self.secured("localhost", BOX)
        browser.speaks(Speech.HTTP)
        browser.requested("/ca/proof")
        browser.proved()
        self.assertKind(self.rejected("", BOX), "untrusted-ca", "A program on this box")

    def test_agents(self) -> None:
        """Over HTTP programs say themselves what they are."""
        for agent, words in (
            ("curl/7.88.1", "A program on this box that calls itself curl/7.88.1 was answered"),
            ("Wget/1.19", "A program on this box that calls itself Wget/1.19 was answered"),
            ("Mozilla/5.0 (X11)", "A browser on this box was answered"),
            ("", "A program on this box was answered"),
        ):
            self.assertKind(self.asks(agent, "127.0.0.1"), "ok", words)
        self.assertKind(self.rejected("", "127.0.0.1"), "untrusted-ca", "A program on this box do")

    def test_account(self) -> None:
        """Whoever has logged in is who he has shown to be."""
        contact = self.come("127.0.0.1")
        contact.speaks(Speech.MQTT)
        contact.let_in("user anna")
        self.assertKind(contact, "ok", "The user anna was let in")

    def test_looks(self) -> None:
        """Knocking at a port of this box is nobody's fault, over whatever address."""
        for host in HERE:
            self.assertTrue(self.assertKind(self.end(self.come(host)), "own-look").sound)


class TlsTests(ChronicleCase):
    """What comes before the certificate."""

    def fails(self, alert: str, **hello: object) -> Contact:
        """TLS fails."""
        contact = self.shake(**hello)  # type: ignore[arg-type]  # fields of ClientHello
        contact.failed(Outcome.TLS_FAILED, alert)
        return self.end(contact)

    def test_versions(self) -> None:
        """Too old: what it offers is told, and what to set."""
        contact = self.fails("unsupported protocol", versions=(0x0302, 0x0301))
        self.assertKind(contact, "old-tls", "TLS 1.1, TLS 1.0", "legacy_tls = true", "port 443")

    def test_ciphers(self) -> None:
        """Nothing in common: the first ones are told, the others counted."""
        contact = self.fails("no shared cipher", ciphers=(5, 0x0A0A, 4, 10, 9, 0xFE00))
        self.assertKind(
            contact, "no-cipher", "RC4-SHA, RC4-MD5, DES-CBC3-SHA, DES-CBC-SHA and 1 more"
        )

    def test_layers(self) -> None:
        """Clear text for TLS, and TLS for clear text."""
        contact = self.come()
        contact.speaks(Speech.MQTT, b"\x10\x12")
        contact.failed(Outcome.WRONG_LAYER, "")
        self.assertKind(self.end(contact), "clear-on-tls", "spoke MQTT without", "mqtts://")
        contact = self.come(port=5223, serves="xmpp", tls=False)
        contact.speaks(Speech.OTHER, b"\x16\x03\x01\x02")
        contact.failed(Outcome.NO_PROTOCOL, "")
        self.assertKind(self.end(contact), "tls-on-clear", "port 5223", "tls = true")


class ProtocolTests(ChronicleCase):
    """What is said on a connection that is there."""

    def spoken(self, speech: Speech, outcome: Outcome, why: str = "", **where: object) -> Contact:
        """It spoke that, and that came of it."""
        contact = self.come(**where)  # type: ignore[arg-type]  # as there
        contact.speaks(speech, b"\x01\x02")
        contact.failed(outcome, why)
        return self.end(contact)

    def test_wrong(self) -> None:
        """A protocol that is not for this port; a robot on the port of the web is common."""
        contact = self.spoken(Speech.MQTT, Outcome.WRONG_PROTOCOL, port=8443, serves="web")
        self.assertKind(contact, "mqtt-on-web", 'serve = "all"', "port 8443")
        contact = self.spoken(Speech.HTTP, Outcome.WRONG_PROTOCOL, port=8883, serves="mqtt")
        self.assertKind(contact, "wrong-protocol", "spoke HTTP", "only MQTT is answered")
        contact = self.spoken(Speech.OTHER, Outcome.NO_PROTOCOL, host=ROBOT)
        self.assertKind(contact, "no-protocol", "(01 02)")

    def test_login(self) -> None:
        """Refusals, broken rules, a version that is not spoken."""
        contact = self.spoken(Speech.MQTT, Outcome.REFUSED)
        contact.refused("the password is wrong.")
        self.assertKind(contact, "refused", "not let in: the password is wrong.", "bumper user")
        contact.refused("speaks MQTT level 5")
        self.assertKind(contact, "not-spoken", "MQTT 3.1.1")
        contact.broke("a packet is too long")
        self.assertKind(contact, "violation", "the rules of MQTT", "too long")
        self.assertKind(self.spoken(Speech.HTTP, Outcome.CROWDED), "crowded", "connections_per")
        self.assertKind(self.spoken(Speech.OTHER, Outcome.TOO_SLOW), "too-slow", "front.seconds")

    def test_well(self) -> None:
        """Nothing is to be done for those who are let in."""
        for contact, how in ((self.robot(), "let in"), (self.asks(APP), "answered")):
            found = self.assertKind(contact, "ok", how)
            self.assertEqual((found.sound, found.remedy), (True, ""))

    def test_on_the_way(self) -> None:
        """Nobody is found fault with as long as he may still do well."""
        for contact in (self.come(), self.shake(), self.secured()):
            self.assertTrue(self.assertKind(contact, "open").sound)

    def test_unfinished(self) -> None:
        """Gone before anything was clear, by himself or by us."""
        contact = self.secured()
        contact.speaks(Speech.MQTT)
        self.assertKind(self.end(contact, "it broke"), "unfinished", "(it broke)")
        contact = self.secured()
        contact.closing("the server stops")
        self.assertTrue(self.assertKind(self.end(contact), "cut-off").sound)


class SilenceTests(ChronicleCase):
    """Those who do not say anything, and those who do not come."""

    def test_silent(self) -> None:
        """Not a byte: of somebody else, or of this box itself."""
        self.assertKind(self.end(self.come()), "silent", "port 443")
        self.assertKind(self.end(self.come(BOX)), "own-look")

    def test_scanner(self) -> None:
        """Three ports in a minute are looking around; a robot may be restless."""
        contacts = [self.end(self.come(port=port)) for port in (443, 8883, 5223)]
        for contact in contacts:
            self.assertTrue(self.assertKind(contact, "scanner").sound)
        self.end(self.robot())
        for port in (443, 8883, 5223):
            contact = self.end(self.come(ROBOT, port))
        self.assertKind(contact, "silent", NICK)

    def test_says_so(self) -> None:
        """Some say themselves what they are."""
        self.assertKind(self.asks("Mozilla/5.0 zgrab/0.x"), "scanner")

    def test_slow_scanner(self) -> None:
        """Those ports one after the other over a day mean nothing."""
        for port in (443, 8883, 5223):
            contact = self.end(self.come(port=port))
            self.clock.advance(3600)
        self.assertKind(contact, "silent")

    def sent(self, host: str = ROBOT) -> Contact:
        """It asks where to go."""
        contact = self.asks("", host, "/lookup.do")
        contact.sent_to("172.17.0.2")
        return self.end(contact)

    def test_sent_away(self) -> None:
        """Told where to go, and not come within a minute: that is news again then."""
        contact = self.sent()
        self.assertKind(contact, "ok")
        before = contact.revision
        self.clock.advance(59.5)
        self.assertEqual((self.diagnosis(contact).name, contact.revision), ("ok", before))
        self.clock.advance(1)
        self.assertKind(contact, "sent-away", "172.17.0.2", "server.announce", "VLAN")
        self.assertEqual((contact.revision, self.journal.revision), (before + 1, before + 1))

    def test_came(self) -> None:
        """It came, was there already, or tried to: nothing is wrong with the address."""
        contact = self.sent()
        self.clock.advance(10)
        self.robot()
        again = self.sent()
        tried = self.sent(PHONE)
        self.rejected(BROKER, PHONE)
        before = self.journal.revision
        self.clock.advance(120)
        for each in (contact, again, tried):
            self.assertKind(each, "ok")
        self.assertEqual(self.journal.revision, before)

    def test_asks_again(self) -> None:
        """Asking again and again does not put it off."""
        for _ in range(8):
            contact = self.sent()
            self.clock.advance(10)
        self.assertKind(contact, "sent-away")
        self.robot()
        self.assertKind(contact, "ok")

    def test_https(self) -> None:
        """To ask over TLS is not to come."""
        contact = self.secured(PORTAL, ROBOT)
        contact.speaks(Speech.HTTP)
        contact.requested("/lookup.do")
        contact.sent_to("172.17.0.2")
        self.end(contact)
        self.clock.advance(61)
        self.assertKind(contact, "sent-away")


class TableTests(ChronicleCase):
    """The table as a whole."""

    def test_every_outcome(self) -> None:
        """Whatever becomes of whatever speech, it has a sentence without holes."""
        for outcome in Outcome:
            for speech in Speech:
                for lasts in (True, False):
                    contact = self.come()
                    contact.speech, contact.outcome = speech, outcome
                    found = self.diagnosis(contact if lasts else self.end(contact))
                    self.assertRegex(found.sentence, r"\A[A-Z].*\.\Z")
                    self.assertIsNone(re.search(r"[{}]", found.sentence + found.remedy))
                    self.assertEqual(bool(found.remedy), not found.sound)

    def test_hostile(self) -> None:
        """What the other side says neither fills holes nor steers a terminal."""
        contact = self.asks("{port}\x1b[2J\u202e{0.__class__}")
        contact.refused("{who}\n\x1b]0;pwned\x07")
        found = self.diagnosis(contact)
        self.assertTrue((found.sentence + found.remedy).isprintable(), found)
        self.assertIn("{who}", found.sentence)

    def test_wrong_is_remedied(self) -> None:
        """What is wrong can be mended; what is well need not."""
        for kind in KINDS:
            self.assertEqual(bool(kind.remedy), not kind.sound, kind.name)

    def test_six(self) -> None:
        """An IPv6 address stands in brackets in a link."""
        contact = self.journal.begin("fd00::7", 1, "fd00::2", 443, "all", True)
        contact.greeted(self.rejected().hello or self.fail("no hello"))
        contact.failed(Outcome.TLS_FAILED, "tlsv1 alert unknown ca")
        self.assertKind(contact, "untrusted-ca", "http://[fd00::2]/ca")
