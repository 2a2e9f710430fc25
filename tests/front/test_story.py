"""Tests for L{bumper_tw.front.story} and the chronicle: a contact in plain words."""

import json

from hypothesis import given
from hypothesis import strategies as st

from bumper_tw.front.contact import Contact, Outcome, Speech, unheard
from bumper_tw.front.journal import Journal
from bumper_tw.front.story import INDENT, REMEDY, WRONG, duration, size, times
from bumper_tw.front.tls_names import CIPHERS, VERSIONS, called
from bumper_tw.wire.client_hello import ClientHello
from tests.front.chronicles import BOX, BROKER, DUSTY, PHONE, PORTAL, ROBOT, ChronicleCase

CLOSED = "the other side closed it"
texts = st.text(st.characters(), max_size=20)


class StoryTests(ChronicleCase):
    """Lines."""

    def story(self, contact: Contact) -> list[str]:
        """The lines of a contact, without the time and the indent."""
        lines = str(self.chronicle.entry(contact)["story"]).split("\n")
        self.assertRegex(lines[0], r"\A\d\d:\d\d:\d\d ")
        for line in lines[1:]:
            self.assertTrue(line.startswith(INDENT), line)
        return [line[len(INDENT) :] for line in lines]

    def test_robot(self) -> None:
        """A robot comes, is let in, and leaves."""
        contact = self.robot()
        contact.received, contact.sent = 1200, 34_000
        self.clock.advance(42)
        self.end(contact)
        self.assertEqual(
            self.story(contact),
            [
                f"{ROBOT} (the robot Dusty) came to port 443 (HTTP, MQTT and XMPP, TLS).",
                f"It wanted TLS, and asked for {BROKER}.",
                f"It was shown the certificate {BROKER}.",
                "They agreed on TLSv1.3 TLS_AES_256_GCM_SHA384.",
                "It spoke MQTT.",
                "It called itself client id dusty.",
                f"It was let in as robot {DUSTY}.",
                f"It ended after 42 s: {CLOSED}; 1200 bytes came in, 34 kB went out.",
            ],
        )

    def test_rejected(self) -> None:
        """What is wrong and what to do stands at the end."""
        contact = self.shake(versions=(0x0A0A, 0x0304, 0x0303), ciphers=(0x1301, 0xC02F, 0xABCD))
        contact.failed(Outcome.TLS_FAILED, "tlsv1 alert unknown ca")
        lines = self.story(self.end(contact))
        self.assertEqual(
            lines[1:4],
            [
                f"It wanted TLS, and asked for {PORTAL}.",
                f"It was shown the certificate {PORTAL}.",
                (
                    "It offered TLS 1.3, TLS 1.2 with TLS_AES_128_GCM_SHA256, "
                    "ECDHE-RSA-AES128-GCM-SHA256, 0xabcd."
                ),
            ],
        )
        self.assertIn("TLS failed: tlsv1 alert unknown ca.", lines)
        self.assertTrue(lines[-2].startswith(WRONG.strip() + " An app"), lines[-2])
        self.assertTrue(lines[-1].startswith(REMEDY.strip() + " open"), lines[-1])
        self.assertIn(f"http://{BOX}/ca", lines[-1])

    def test_shown(self) -> None:
        """No certificate is shown when there is nothing in common."""
        for alert, shown in (
            ("unsupported protocol", False),
            ("no shared cipher", False),
            ("no shared signature algorithms", False),
            ("tlsv1 alert protocol version", True),
            ("unexpected eof while reading", True),
        ):
            contact = self.shake()
            contact.failed(Outcome.TLS_FAILED, alert)
            lines = self.story(contact)
            self.assertIs(f"It was shown the certificate {PORTAL}." in lines, shown, alert)

    def test_turned_to_tls(self) -> None:
        """XMPP asks for TLS when it has begun; on a port for it alone, TLS may come first."""
        for serves, spoke in (("all", True), ("xmpp", False)):
            contact = self.come(serves=serves, tls=False)
            contact.speaks(Speech.XMPP)
            contact.greeted(ClientHello(PORTAL))
            contact.failed(Outcome.TLS_FAILED, "tlsv1 alert unknown ca")
            lines = self.story(contact)
            begun, failed = (
                "It spoke XMPP, and asked for TLS then.",
                lines.index("TLS failed: tlsv1 alert unknown ca."),
            )
            self.assertEqual(lines[1:failed].count(begun), int(spoke))
            self.assertFalse(any("XMPP" in line for line in lines[failed:-2]), lines)

    def test_wording(self) -> None:
        """No client id; one full stop; words for a path that is not told; no name twice."""
        contact = self.come()
        contact.speaks(Speech.MQTT)
        contact.claims_to_be("client id , user anna")
        contact.claims_to_be("client id ")
        contact.refused("'' refused: the password is wrong.")
        lines = self.story(self.end(contact, "it is over."))
        self.assertIn("It called itself no client id, user anna, no client id.", lines)
        self.assertIn("It was turned away: the password is wrong.", lines)
        self.assertTrue(any("s: it is over; " in line for line in lines), lines)
        lines = self.story(self.end(self.asks("x", path="a path that is not known here")))
        self.assertIn("(it asked for a path that is not known here), and ended", lines[-1])

    def test_http(self) -> None:
        """Requests are counted, with the last path."""
        contact = self.asks("okhttp/3.12.1")
        contact.sent_to("192.168.7.2")
        contact.proved()
        for _ in range(4):
            contact.requested("/api/users/user.do")
        lines = self.story(self.end(contact))
        self.assertIn("(the app okhttp/3.12.1) came to port 8007 (HTTP).", lines[0])
        self.assertIn("It asked where to go, and was told 192.168.7.2.", lines)
        self.assertIn("It has shown that it trusts this box.", lines)
        self.assertIn(
            "answered 5 times over HTTP (the last path was /api/users/user.do)", lines[-1]
        )

    def test_grows(self) -> None:
        """As it goes on, lines are added; but for the first, those that were told stay."""
        contact, told = self.come(), set[str]()
        steps = (
            lambda: contact.greeted(ClientHello(PORTAL)),
            lambda: contact.shows(PORTAL),
            lambda: contact.secured("TLSv1.2 AES128-SHA"),
            lambda: contact.speaks(Speech.MQTT),
            lambda: contact.claims_to_be("client id x"),
            lambda: contact.refused("no"),
            lambda: contact.closed(self.clock.seconds(), "gone"),
        )
        for step in steps:
            step()
            lines = set(self.story(contact)[1:])
            self.assertLess(told, lines)
            told = lines

    def test_other(self) -> None:
        """What is of no protocol is shown as bytes; a socket of this box has no address."""
        contact = self.come("", tls=False)
        contact.speaks(Speech.OTHER, b"\x00\x01")
        contact.failed(Outcome.NO_PROTOCOL, "")
        lines = self.story(contact)
        self.assertIn("A program on this box came to port 443", lines[0])
        self.assertIn("It began with 00 01, which is no known protocol.", lines)

    def test_here(self) -> None:
        """Several are at the addresses of this box; each connection says who that is."""
        for host, robot, other in (
            ("", "The robot Dusty came", "A program on this box that asked for"),
            ("127.0.0.1", "127.0.0.1 (the robot Dusty)", "127.0.0.1 (a program on this box that"),
        ):
            self.assertIn(robot, self.story(self.robot(host))[0])
            self.assertIn(other, self.story(self.shake(host=host))[0])

    def test_remark(self) -> None:
        """What the doctor noted is told in the same way."""
        self.journal.note("names", False, "mq.ecouser.net leads elsewhere", "run bumper dns")
        [remark] = self.journal
        entry = self.chronicle.entry(remark)
        self.assertEqual((entry["kind"], entry["diagnosis"]["name"]), ("remark", "names"))
        first, second = entry["story"].split("\n")
        self.assertIn("names is not well: mq.ecouser.net leads elsewhere", first)
        self.assertEqual(second, f"{REMEDY}run bumper dns")

    @given(texts, texts, texts, texts)
    def test_hostile(self, name: str, claim: str, path: str, verdict: str) -> None:
        """Nothing that anybody says gets to a terminal as anything but letters."""
        journal = Journal(self.clock, 5)
        contact = journal.begin(PHONE, 1, BOX, 443, "all", True)
        contact.greeted(ClientHello(name, alpn=(claim,)))
        contact.speaks(Speech.HTTP)
        contact.claims_to_be(claim)
        contact.requested(path)
        contact.sent_to(path)
        contact.refused(verdict)
        for told in (contact, self.end(contact)):
            entry = self.chronicle.entry(told)
            self.assertTrue(entry["story"].replace("\n", "").isprintable())
            self.assertTrue(entry["diagnosis"]["sentence"].isprintable())
            self.assertTrue(entry["who"].isprintable())
            self.assertEqual(json.loads(json.dumps(entry)), entry)


class WordsTests(ChronicleCase):
    """Numbers as people read them."""

    def test_sizes(self) -> None:
        """No more exact than anybody wants to know it."""
        self.assertEqual([size(n) for n in (0, 9999, 10_000, 12_345_678)],
                         ["0 bytes", "9999 bytes", "10 kB", "12 MB"])  # fmt: skip
        self.assertEqual([duration(n) for n in (0.04, 42, 300, 9000)],
                         ["0.0 s", "42 s", "5 min", "2.5 h"])  # fmt: skip
        self.assertEqual([times(1), times(2)], ["once", "2 times"])

    def test_names(self) -> None:
        """Grease is left out, what has no name is a number."""
        self.assertEqual(called((0x0303, 0x1A1A, 0x7F1C), VERSIONS), ["TLS 1.2", "0x7f1c"])
        self.assertEqual(len(set(CIPHERS.values())), len(CIPHERS))


class EntryTests(ChronicleCase):
    """JSON."""

    def test_fields(self) -> None:
        """Everything that is known of a contact, and what it comes to."""
        contact = self.shake(alpn=("h2",), versions=(0x0304,), groups=(29,), signatures=(0x0403,))
        entry = self.chronicle.entry(contact)
        own = {each.name for each in Contact.__attrs_attrs__} - {"changed"}
        self.assertEqual(own - entry.keys(), set())
        self.assertEqual(entry["outcome"], "handshake")
        self.assertEqual(entry["hello"]["server_name"], PORTAL)
        self.assertEqual(
            (entry["hello"]["groups"], entry["hello"]["signatures"], entry["hello"]["alpn"]),
            (["x25519"], ["ecdsa_secp256r1_sha256"], ["h2"]),
        )
        self.assertEqual(entry["diagnosis"]["name"], "open")
        self.assertEqual((entry["lasts"], entry["who"]), (True, f"an app that asked for {PORTAL}"))

    def test_robot(self) -> None:
        """A robot has a name, besides its id."""
        entry = self.chronicle.entry(self.robot())
        self.assertEqual((entry["robot"], entry["robot_name"]), (DUSTY, "Dusty"))

    def test_lonely(self) -> None:
        """A contact that is in no journal can be told, too."""
        contact = Contact(7, 0.0, "", 0, "", 0, "x", False, unheard)
        self.assertEqual(self.chronicle.entry(contact)["hello"], None)
