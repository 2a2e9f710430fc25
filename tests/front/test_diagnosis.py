"""Tests for L{bumper_tw.front.diagnosis}: each way to fail has its name, and its way out."""

import re

from bumper_tw.front.contact import TOO_MANY, Contact, Outcome, Speech
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
        crowded = self.spoken(Speech.HTTP, Outcome.CROWDED, "there are too many connections")
        self.assertKind(crowded, "crowded", "connections_per_peer in [web]")
        crowded = self.spoken(Speech.NOTHING, Outcome.CROWDED, TOO_MANY)
        self.assertKind(crowded, "crowded", "front.undecided_per_peer")
        self.assertKind(self.spoken(Speech.OTHER, Outcome.TOO_SLOW), "too-slow", "front.seconds")

    def test_slow_inside(self) -> None:
        """TLS was fast, and then nothing came."""
        contact = self.secured()
        contact.failed(Outcome.TOO_SLOW, "")
        self.assertKind(self.end(contact), "too-slow", "a secure connection, then said nothing.")

    def refused(self, claim: str, why: str, speech: Speech = Speech.MQTT) -> Contact:
        """Somebody says who he is, and is not let in."""
        contact = self.come(ROBOT)
        contact.speaks(speech)
        contact.claims_to_be(claim)
        contact.refused(why)
        return self.end(contact)

    def test_wrong_secret(self) -> None:
        """A robot is told by what it says, and there is one thing to do."""
        why = "'{}' refused: came with another secret than before"
        client = "E0001234@ls1ok3/Ab12"
        for claim, speech in (
            (f"client id {client}, user x", Speech.MQTT),
            ("E0001234 at 126.ecorobot.net", Speech.XMPP),
        ):
            found = self.assertKind(self.refused(claim, why.format(client), speech), "refused")
            self.assertEqual(
                found.sentence,
                "Somebody that calls itself the robot E0001234 was not let in: it came with "
                "another secret than before.",
            )
            self.assertIn("run bumper robot trust E0001234,", found.remedy)
            self.assertNotIn("bumper user", found.remedy)

    def test_other_refusals(self) -> None:
        """No such advice for whoever is no robot, or is one of ours with another's token."""
        for claim, came in (
            ("client id x, user anna", "another secret than before"),
            ("client id a@ls1ok3/b", "the token of another robot"),
            ("client id a;reboot@ls1ok3/b", "another secret than before"),
            ("a;reboot at 126.ecorobot.net", "another secret than before"),
        ):
            for speech in (Speech.MQTT, Speech.XMPP):
                found = self.assertKind(
                    self.refused(claim, f"came with {came}", speech), "refused"
                )
                self.assertIn("bumper user list", found.remedy)
                self.assertNotIn("reboot", found.remedy)

    def test_own_words_first(self) -> None:
        """What somebody says himself counts more than who was at his address later."""
        contacts = [
            self.refused(claim, "no")
            for claim in ("client id other@ls1ok3/b", "client id , user anna", "client id probe")
        ]
        mute = self.refused("client id ", "no")
        self.end(self.robot())
        whom = [self.chronicle.case(contact).whom.label for contact in (*contacts, mute)]
        self.assertEqual(whom, [
            "somebody that calls itself the robot other",
            "somebody called 'anna'",
            "somebody called 'probe'",
            f"the robot {NICK}",
        ])  # fmt: skip

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
