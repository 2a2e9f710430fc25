"""Tests for L{bumper_tw.front.tls_kinds}: each way to fail in TLS has its name and its way out."""

from bumper_tw.front.contact import Contact, Outcome, Speech
from tests.front.chronicles import (
    BOX,
    BROKER,
    NICK,
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
        contact = self.again(lambda: self.end(self.secured()), 2)
        self.assertKind(contact, "unfinished", "once, that may mean nothing")
        contact = self.again(lambda: self.end(self.secured()), 1)
        self.assertKind(contact, "app-pins", "without a word, again and again", "/ca")

    def test_once(self) -> None:
        """Once is nothing yet; and neither are ten times within seconds, or over days."""
        for wait in (0.5, 86_400):
            for _ in range(10):
                for contact in (self.end(self.secured()), self.end(self.shake())):
                    found = self.assertKind(contact, "unfinished", "without a word")
                    self.assertNotIn("/ca", found.remedy)
                self.clock.advance(wait)

    def test_other_names(self) -> None:
        """Others at that address, who ask for other names, are counted for themselves."""
        self.again(lambda: self.end(self.secured("a.ecouser.net")))
        self.assertKind(self.end(self.secured("b.ecouser.net")), "unfinished")
        self.assertKind(self.end(self.secured("a.ecouser.net")), "app-pins")

    def test_forgiven(self) -> None:
        """Whoever speaks after all begins anew."""
        self.again(lambda: self.end(self.secured()))
        spoken = self.secured()
        spoken.speaks(Speech.HTTP)
        self.end(spoken)
        self.clock.advance(3000)
        self.assertKind(self.end(self.secured()), "unfinished")

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
        for leave in (self.secured, self.shake):
            contact = self.again(lambda leave=leave: self.end(leave(BROKER, ROBOT)))  # type: ignore[misc]  # mypy cannot infer a default
            found = self.assertKind(contact, "robot-pins", "most likely", "ca-certificates.tar.gz")
            self.assertNotIn("press its button", found.remedy)

    def test_known_robot_left(self) -> None:
        """So does one that was here, whatever name it asks for, or none."""
        self.end(self.robot())
        self.clock.advance(3600)
        for name in (PORTAL, ""):
            self.assertKind(self.end(self.secured(name, ROBOT)), "unfinished", NICK)
            contact = self.again(lambda name=name: self.end(self.secured(name, ROBOT)))  # type: ignore[misc]  # as above
            self.assertKind(contact, "robot-pins", NICK)

    def test_robots_clock(self) -> None:
        """A robot whose clock is behind says no more than one that pins: the clock goes first."""
        contact = self.rejected(BROKER, alert="sslv3 alert bad certificate")
        found = self.assertKind(contact, "untrusted-ca", "clock is behind", "NTP")
        self.assertNotIn("open http", found.remedy)
        self.assertLess(found.remedy.index("NTP"), found.remedy.index("firmware"))

    def test_robot_gave_up(self) -> None:
        """Nobody can open a page on a robot."""
        contact = self.rejected(BROKER, alert="tlsv1 alert internal error")
        found = self.assertKind(contact, "handshake-cut", "internal error", "switch it off")
        self.assertNotIn("that device", found.remedy)

    def test_clock(self) -> None:
        """It says that our certificate has run out."""
        alert = "sslv3 alert certificate expired"
        self.assertKind(self.rejected(alert=alert), "clock", "bumper certs list")

    def test_cut(self) -> None:
        """The connection is closed in the handshake, or an alert says nothing."""
        contact = self.again(lambda: self.end(self.shake()))
        self.assertKind(contact, "handshake-cut", "did not say why")
        contact = self.again(lambda: self.rejected(alert="unexpected eof while reading"))
        self.assertKind(contact, "handshake-cut", "unexpected eof")
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

    def test_cut(self) -> None:
        """To begin with TLS here and leave is to look, however often."""
        for host in HERE:
            for leave in (self.shake, self.secured):
                contact = self.again(lambda host=host, leave=leave: self.end(leave(PORTAL, host)))  # type: ignore[misc]  # mypy cannot infer a default
                self.assertTrue(self.diagnosis(contact).sound)

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

    def test_hopeless(self) -> None:
        """Of what is never spoken here no setting makes anything."""
        for cipher in (0x0033, 0x009E, 0xCCAA, 0x0005, 0xC012):
            found = self.assertKind(
                self.fails("no shared cipher", ciphers=(cipher,)), "no-cipher", "no setting"
            )
            self.assertNotIn("legacy_tls", found.remedy)
        for cipher in (0x002F, 0xC02B, 0x1301):
            self.assertKind(
                self.fails("no shared cipher", ciphers=(0x0033, cipher)), "no-cipher", "legacy_tls"
            )

    def test_lacking(self) -> None:
        """What else both need: what is offered of that is told."""
        hello = {"ciphers": (0x0033,), "groups": (0x001E,), "signatures": (0x0201, 0x0203)}
        for alert, offered in (
            (
                "no shared signature algorithms",
                ("kind of signature", "rsa_pkcs1_sha1, ecdsa_sha1."),
            ),
            ("no shared group", ("group for the exchange of keys", "it offers x448.")),
        ):
            self.assertKind(self.fails(alert, **hello), "no-cipher", *offered, "legacy_tls")

    def test_all_listeners(self) -> None:
        """Whoever writes one listener into the settings loses the others, and is told so."""
        for alert in ("unsupported protocol", "no shared cipher"):
            self.assertIn("write all listeners", self.diagnosis(self.fails(alert)).remedy)

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
