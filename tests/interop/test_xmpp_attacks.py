"""What somebody does over XMPP who means no good, against a started server."""

import contextlib  # What is called suppress in a module with tests is read by trial.

from tests.interop.raw_wire import Closed
from tests.interop.raw_xmpp import (
    END,
    SASL,
    STARTTLS,
    STREAMS,
    TLS,
    Party,
    Robot,
    User,
    Wire,
    auth,
    condition,
    header,
    iq,
    plain,
    shown,
)
from tests.interop.test_fuzz import resident
from tests.interop.xmpp_case import (
    DOCUMENT_TYPES,
    FORBIDDEN,
    GROWTH,
    HUGE,
    LAUGHS,
    XmppCase,
    bomb,
)

#: No stanza is larger before the login.
SMALL = 8192

#: Seconds a stranger has to log in, where the tests wait for that.
STRANGER_SECONDS = 1


class StrangerTests(XmppCase):
    """Before anybody is let in."""

    def test_forbidden(self) -> None:
        """Comments and processing instructions end the stream at once."""
        for said in FORBIDDEN:
            self.ended("restricted-xml", self.opened(), said)
            self.ended("restricted-xml", self.opened("ecouser.net"), said)

    def test_document_types(self) -> None:
        """So do document types, wherever they are; nothing is expanded, nor looked up."""
        for said in DOCUMENT_TYPES:
            self.ended("restricted-xml", self.opened(), said)
            self.ended("restricted-xml", self.opened("ecouser.net"), said)

    def test_document_type_first(self) -> None:
        """The same in front of the header; nothing is expanded."""
        to = header("126.ecorobot.net")
        self.ended("restricted-xml", self.wire(), b"<?xml version='1.0'?>", LAUGHS, to)

    def test_no_xml(self) -> None:
        """What is no XMPP is closed."""
        for said in (b"GET / HTTP/1.1\r\n\r\n", b"\x10\x10\x00\x04MQTT", b"\0", b"\xff\xfe<\0"):
            self.closed(self.wire(), said)
        for said in (b"<html>", b"<a xmlns='jabber:client'>", header("example.org")):
            self.closed(self.wire(), said)

    def test_long(self) -> None:
        """Nothing is larger than 8 KiB before the login, whatever it is."""
        for said in (b"<a>" + b"x" * SMALL, b"<a b='" + b"x" * SMALL, b"<" + b"x" * SMALL):
            self.ended("policy-violation", self.opened(), said)
        self.ended("bad-format", self.opened("ecouser.net"), b"x" * SMALL)
        self.closed(self.wire(), header("126.ecorobot.net")[:-1] + b" a='" + b"x" * SMALL * 2)

    def test_huge(self) -> None:
        """What has no end is not kept: neither one tag, nor a stanza, nor white space."""
        before = resident(self.server.child.pid)
        for said in (b"<" + b"a" * HUGE, b"<a>" + b"b" * HUGE, b"<a>" + b"<b/>" * (HUGE // 4)):
            for _ in range(5):
                self.ended("policy-violation", self.opened(), said)
        self.assertLess(resident(self.server.child.pid) - before, GROWTH)

    def test_deep(self) -> None:
        """Nor is what is deep, or has more attributes than anybody needs."""
        attributes = " ".join(f"a{n}=''" for n in range(65))
        for said in (b"<a>" * 17, f"<a {attributes}>".encode()):
            self.ended("policy-violation", self.opened(), said)

    def test_stanzas(self) -> None:
        """Nothing but a login is listened to, and nobody is told that a robot is there."""
        said = bomb("<ctl td='Clean'/>")
        self.closed(self.opened("ecouser.net"), said)
        robot = self.opened("125.ecorobot.net")
        robot.say(said, END)
        self.assertNotIn(
            b"recipient-unavailable",
            robot.raw + b"".join(shown(each).encode() for each in robot.rest()),
        )
        self.assertEqual(self.robot.meanwhile(), [])
        self.well()

    def test_clear_text(self) -> None:
        """A user who does not encrypt what he says is not let in."""
        wire = self.wire()
        features = wire.open("ecouser.net")
        self.assertIsNone(features.find(f"{{{SASL}}}mechanisms"))
        wire.say(self.owner.login())
        heard = wire.hear()
        self.assertIn(condition(heard), ("encryption-required", "policy-violation"), shown(heard))
        self.well()

    def test_injection(self) -> None:
        """What follows a request for TLS in clear text is not said inside it."""
        wire = self.wire()
        wire.open("ecouser.net")
        wire.say(STARTTLS + header("ecouser.net") + self.owner.login())
        try:
            wire.expect(TLS, "proceed")
            wire.secure()
            features = wire.open("ecouser.net")
        except Closed:
            self.well()
            return
        self.assertIsNotNone(features.find(f"{{{SASL}}}mechanisms"), shown(features))
        self.assertEqual(wire.raw.count(b"<success"), 0)
        self.well()

    def test_twice(self) -> None:
        """TLS within TLS is refused."""
        wire = self.opened("ecouser.net", tls=True)
        wire.say(STARTTLS)
        wire.expect(TLS, "failure")
        wire.gone()
        self.well()

    def test_no_handshake(self) -> None:
        """Who asks for TLS, or begins with it, and then talks otherwise is closed."""
        for said in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 70_000):
            wire = self.opened("ecouser.net")
            wire.say(STARTTLS)
            wire.expect(TLS, "proceed")
            # What comes is no XML, if it comes at all: an alert.
            wire.stream.feed = lambda data: None  # type: ignore[method-assign] # nothing to read
            self.closed(wire, said)
        wire = self.wire()
        wire.stream.feed = lambda data: None  # type: ignore[method-assign] # as above
        self.closed(wire, b"\x16\x03\x01\x00\x05hello")


class LoginTests(XmppCase):
    """Names, passwords, and what is meant to look like them."""

    def test_syntax(self) -> None:
        """What is no PLAIN gets the name of what is wrong with it."""
        wire = self.opened("126.ecorobot.net")
        self.refused("incorrect-encoding", wire, auth("%%%"))
        self.refused("invalid-mechanism", wire, auth("", "DIGEST-MD5"))
        self.refused("malformed-request", wire, auth("YWJj"))
        wire.gone()
        self.well()

    def test_three_times(self) -> None:
        """Who is wrong three times is closed."""
        wire = self.opened("126.ecorobot.net")
        for _ in range(3):
            self.refused("not-authorized", wire, plain(Robot().sn, "guessed"))
        wire.gone()
        self.well()

    def test_another_robot(self) -> None:
        """A robot is nobody else: not of another class, nor with another secret."""
        for who in (Robot(model="155"), Robot(secret="guessed"), Robot(sn=Robot().sn.lower())):
            wire = self.opened(who.domain)
            wire.say(who.login())
            heard = wire.hear()
            if heard.tag == f"{{{SASL}}}success":
                # Spelled otherwise it is the same robot, with the right secret.
                self.assertEqual(who.secret, Robot().secret)
                self.assertEqual(who.model, Robot().model)
                return
            self.assertEqual(condition(heard), "not-authorized", who)
        self.well()

    def test_our_own_names(self) -> None:
        """Nobody is called as the server's own users are, at home where a word is enough."""
        for name in ("helperbot", "HelperBot", "helperbot@ecouser.net"):
            wire = self.opened("ecouser.net", tls=True)
            wire.say(User(name).login())
            self.assertEqual(wire.hear().tag, f"{{{SASL}}}failure", name)
        wire = self.opened("126.ecorobot.net")
        wire.say(Robot(sn="helperbot").login())
        self.assertEqual(wire.hear().tag, f"{{{SASL}}}failure")
        self.well()

    def test_somebody_else(self) -> None:
        """Another's token is of no use, and the address in front of it has to be the same."""
        other = self.account("other@example.org")
        wire = self.opened("ecouser.net", tls=True)
        self.refused("not-authorized", wire, User(self.owner.uid, token=other.token).login())
        said = plain(other.uid, f"0/{other.resource}/{other.token}", self.owner.uid)
        self.refused("invalid-authzid", wire, said)
        self.well()

    def test_services(self) -> None:
        """No robot belongs to a service, nor to a domain that only looks like a robot's."""
        for domain in ("rl.ecorobot.net", "126.ecorobot.net.example.org", "ecorobot.net", "."):
            self.closed(self.wire(), header(domain), Robot().login())
        for domain in ("x126.ecorobot.net", "126.ecorobot.net"):
            wire = self.opened(domain)
            # Another class is another robot; it must not pass for the one that is there.
            wire.say(plain(Robot().sn, "guessed"))
            self.assertEqual(wire.hear().tag, f"{{{SASL}}}failure", domain)
        self.well()

    def test_other_header(self) -> None:
        """Who logs in as a robot of one class does not become another with his next header."""
        wire = self.opened("125.ecorobot.net")
        wire.say(plain("E0009876500123450099", "k7Qp2xZ9"))
        wire.expect(SASL, "success")
        self.closed(wire, header("126.ecorobot.net"))

    def test_resource(self) -> None:
        """A robot that asks for another name of its session does not get it."""
        who = Robot(sn="E0009876500123450002")
        wire = self.opened(who.domain)
        wire.say(who.login())
        wire.expect(SASL, "success")
        wire.open(who.domain)
        asked = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>x</resource></bind>"
        wire.say(iq("set", "1", asked))
        self.assertIn(who.jid, shown(wire.hear()))
        self.well()


class ImpatientTests(XmppCase):
    """A server that does not wait for long."""

    settings = (f"xmpp.login_seconds={STRANGER_SECONDS}",)

    def test_idle(self) -> None:
        """Who says nothing, or stops in between, is closed, and was never pinged."""
        idle = [self.wire(), self.opened(), self.opened("ecouser.net"), self.wire(tls=True)]
        for wire in idle:
            heard = list(wire.rest())
            self.assertNotIn("urn:xmpp:ping", "".join(map(shown, heard)))
            wire.gone()
        self.well()

    def test_not_bound(self) -> None:
        """Nor does it wait for those who log in, and take no address."""
        wire = self.opened()
        wire.say(Robot(sn="E0009876500123450003").login())
        wire.expect(SASL, "success")
        wire.open("126.ecorobot.net")
        heard = list(wire.rest())
        self.assertNotIn("urn:xmpp:ping", "".join(map(shown, heard)))
        self.well()

    def test_slow(self) -> None:
        """A header that comes byte by byte has no more time than another."""
        said = b" " * 100 + header("126.ecorobot.net")
        self.assertFalse(self.wire().drip(said, 0.1), "it was let finish")
        self.well()


class CrowdTests(XmppCase):
    """Many at once."""

    settings = (
        "xmpp.strangers_per_peer=20",
        "xmpp.connections_per_peer=40",
        "identity.new_robots_per_hour=1000",
    )

    def test_strangers(self) -> None:
        """More strangers than fit are closed; when they are gone there is room again."""
        wires: list[Wire] = []
        for _ in range(30):
            with contextlib.suppress(Closed):
                wires.append(self.wire())
                # Who says nothing at all is counted elsewhere.
                wires[-1].say(b"<")
        inside = [wire for wire in wires if not wire.wait(1)]
        self.assertEqual(len(inside), 20)
        self.well()
        for wire in inside:
            wire.say(header("126.ecorobot.net")[1:], END)
            wire.gone()
        self.enter(Robot(sn="E0009876500123450004"))
        self.well()

    def test_robots(self) -> None:
        """The same for those who have logged in."""
        names = [f"E00098765001234501{n:02d}" for n in range(50)]
        inside: list[Party] = []
        with contextlib.suppress(Closed):
            for name in names:
                inside.append(self.enter(Robot(sn=name)))
        self.assertEqual(len(inside), 38)
        self.well()
        inside[0].say(END)
        inside[0].gone()
        self.enter(Robot(sn=names[-1]))
        self.well()

    def test_take_overs(self) -> None:
        """One that takes its own place again and again neither leaves anything nor harms."""
        for _ in range(5):
            older = self.enter(Robot(sn="E0009876500123450005"))
            newer = self.enter(Robot(sn="E0009876500123450005"))
            heard = list(older.rest())
            self.assertEqual([condition(each) for each in heard], ["conflict"])
            self.assertEqual(heard[0].tag, f"{{{STREAMS}}}error")
            self.assertEqual(newer.meanwhile(), [])
        self.well()
