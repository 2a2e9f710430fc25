"""The connection of an XMPP robot: login, greetings, pings, back-off and its judgement."""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.simulator.xmpp_link import BACK_OFF, LoginRefused
from bumper_tw.simulator.xmpp_profile import Parser, Wire, XmppProfile
from tests.simulator.xmpp_rig import (
    BIND,
    BOUND,
    DEVICE_INFO,
    DONE,
    MECHANISMS,
    PING,
    PROCEED,
    STARTTLS,
    SUCCESS,
    XmppRig,
    features,
)

HEADER = (
    b"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client'"
    b" to='126.ecorobot.net' version='1.0'>"
)
START = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
PRESENCE = b"<presence><status>hello world</status></presence>"
PLAIN = XmppProfile(wire=Wire.PLAIN)


class LoginTests(SynchronousTestCase):
    """From the first byte to the session (xmpp.md 6.1)."""

    def test_without_tls(self) -> None:
        """A robot that knows no STARTTLS takes PLAIN at once, and says the recorded bytes."""
        rig = XmppRig(PLAIN).start()
        self.assertEqual(rig.said(), HEADER)
        rig.open(STARTTLS, MECHANISMS)
        said = rig.said()
        self.assertTrue(
            said.startswith(b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>")
        )
        rig.hear(SUCCESS)
        self.assertEqual(rig.said(), HEADER)
        rig.open(BIND)
        self.assertEqual(
            rig.said(),
            b"<iq type='set' id='2521'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
            b"<resource>atom</resource></bind></iq>",
        )
        rig.hear(BOUND % (b"2521", rig.jid))
        self.assertEqual(
            rig.said(),
            b"<iq type='set' id='2522'>"
            b"<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>",
        )
        self.assertNoResult(rig.ready)
        rig.hear(DONE % b"2522")
        self.successResultOf(rig.ready)
        self.assertEqual((rig.robot.connected, rig.complaints), (True, []))
        self.assertFalse(rig.line.secure)

    def test_starttls(self) -> None:
        """It turns to TLS when that is offered, and begins anew."""
        rig = XmppRig().start()
        rig.said()
        rig.open(STARTTLS, MECHANISMS)
        self.assertEqual(rig.said(), START)
        rig.hear(PROCEED)
        self.assertEqual((rig.line.secure, rig.said()), (True, HEADER))

    def test_starttls_that_is_not_offered(self) -> None:
        """A robot that would do STARTTLS does without where there is none."""
        rig = XmppRig().start()
        rig.said()
        rig.open(MECHANISMS)
        self.assertTrue(rig.said().startswith(b"<auth "))

    def test_direct_tls(self) -> None:
        """With C{tls} the first bytes are a ClientHello."""
        rig = XmppRig(XmppProfile(wire=Wire.TLS)).start()
        self.assertEqual(rig.said()[:2], b"\x16\x03")
        rig.stop()

    def test_every_cut(self) -> None:
        """Both parsers come up when the server's bytes arrive one by one."""
        for parser in Parser:
            rig = XmppRig(XmppProfile(wire=Wire.PLAIN, parser=parser), piece=1).greeted()
            self.assertEqual((rig.robot.connected, rig.complaints), (True, []))

    def test_double_quotes(self) -> None:
        """A naive robot understands no double quotes; a strict one complains."""
        spoilt = features(BIND).replace(b"'", b'"')
        answer = (BOUND % (b"2521", b"someone")).replace(b"'", b'"')
        for parser, up in ((Parser.STRICT, True), (Parser.NAIVE, False)):
            rig = XmppRig(XmppProfile(wire=Wire.PLAIN, parser=parser)).start()
            rig.said()
            rig.open(MECHANISMS)
            rig.hear(SUCCESS)
            rig.open()
            rig.hear(spoilt)
            rig.said()
            rig.hear(answer)
            self.assertEqual(b"xmpp-session" in rig.said(), up)

    def test_refused(self) -> None:
        """A failure ends the start with its condition, and the robot goes on trying."""
        rig = XmppRig(PLAIN)
        ready = rig.robot.start()
        rig.open(MECHANISMS)
        rig.hear(b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>")
        self.assertEqual(str(self.failureResultOf(ready, LoginRefused).value), "not-authorized")
        rig.clock.advance(BACK_OFF[0])
        self.assertEqual(len(rig.exchange.lines), 2)

    def test_encryption_required(self) -> None:
        """A robot without TLS gives up where nothing but STARTTLS is offered."""
        rig = XmppRig(PLAIN)
        ready = rig.robot.start()
        rig.open(STARTTLS)
        failure = self.failureResultOf(ready, LoginRefused)
        self.assertEqual(str(failure.value), "encryption-required")
        self.assertFalse(rig.robot.connected)

    def test_stopped_before(self) -> None:
        """A robot that is switched off on the way never says that it is ready."""
        rig = XmppRig()
        ready = rig.robot.start()
        stopped = rig.robot.stop()
        rig.clock.advance(2)
        self.successResultOf(stopped)
        self.failureResultOf(ready, CancelledError)
        self.assertEqual(rig.clock.getDelayedCalls(), [])

    def test_no_login_in_time(self) -> None:
        """A server that falls silent is left after half a minute."""
        rig = XmppRig().start()
        rig.clock.advance(30)
        rig.clock.advance(BACK_OFF[0])
        self.assertEqual(len(rig.exchange.lines), 2)


class GreetingTests(SynchronousTestCase):
    """What follows the session (robots.md 7.1, 4 to 7)."""

    def test_glued_to_the_first_pong(self) -> None:
        """Presence waits for the first ping, and goes out with its answer in one segment."""
        rig = XmppRig(PLAIN).start().log_in()
        self.assertEqual(rig.said(), b"")
        rig.hear(PING % (rig.jid, 1))
        pong = b"<iq type='result' from='%s' to='ecouser.net' id='s2c1'/>" % rig.jid
        self.assertEqual(list(rig.robot.transcript)[-1].raw, PRESENCE + pong)
        rig.said()
        rig.hear(PING % (rig.jid, 2))
        self.assertEqual(rig.said(), pong.replace(b"s2c1", b"s2c2"))

    def test_within_a_second(self) -> None:
        """Without a ping the presence comes by itself."""
        rig = XmppRig(PLAIN).start().log_in()
        rig.said()
        rig.clock.advance(1)
        self.assertEqual(rig.said(), PRESENCE)

    def test_device_info(self) -> None:
        """The request for device info is acknowledged, and that is all."""
        rig = XmppRig(PLAIN).greeted()
        rig.hear(DEVICE_INFO % rig.jid)
        self.assertEqual(rig.said(), b"<iq type='result' to='ecouser.net' id='14'/>")
        self.assertEqual(rig.complaints, ["GetDeviceInfo again"])

    def test_no_greetings(self) -> None:
        """Dummy presence and device info are due when the presence is out."""
        rig = XmppRig(PLAIN).start().log_in()
        rig.run(7)
        self.assertEqual(rig.complaints, ["no dummy presence", "no GetDeviceInfo"])

    def test_pings_of_others(self) -> None:
        """A client's ping is answered to him, whatever its element is called."""
        rig = XmppRig(PLAIN).greeted()
        for name in (b"ping", b"query"):
            rig.hear(
                b"<iq id='1' from='ann@ecouser.net/x' to='%s' type='get'>"
                b"<%s xmlns='urn:xmpp:ping'/></iq>" % (rig.jid, name)
            )
            self.assertEqual(rig.said(), b"<iq type='result' to='ann@ecouser.net/x' id='1'/>")
        self.assertEqual(rig.complaints, [])


class OwnPingTests(SynchronousTestCase):
    """The robot's own pings (robots.md 7.1, 6)."""

    def test_answered(self) -> None:
        """Once a minute it asks the domain of its class."""
        rig = XmppRig(XmppProfile(wire=Wire.PLAIN, server_ping=0)).greeted()
        rig.clock.advance(60)
        number = rig.number()
        rig.hear(b"<iq type='result' id='%s' from='126.ecorobot.net'/>" % number)
        rig.clock.advance(59)
        self.assertEqual((rig.complaints, number), ([], b"2523"))

    def test_bytes(self) -> None:
        """The ping looks as recorded."""
        rig = XmppRig(XmppProfile(wire=Wire.PLAIN, server_ping=0)).greeted()
        rig.clock.advance(60)
        self.assertEqual(
            rig.said(),
            b"<iq to='126.ecorobot.net' from='%s' type='get' id='2523'>"
            b"<ping xmlns='urn:xmpp:ping'/></iq>" % rig.jid,
        )

    def test_three_lost(self) -> None:
        """Three without an answer, and it looks for another connection."""
        rig = XmppRig(XmppProfile(wire=Wire.PLAIN, server_ping=0)).greeted()
        rig.clock.pump([1] * (3 * 60 + 29))
        self.assertTrue(rig.robot.connected)
        rig.clock.advance(1)
        self.assertFalse(rig.robot.connected)
        rig.clock.advance(BACK_OFF[0])
        self.assertEqual(len(rig.exchange.lines), 2)


class ReturnTests(SynchronousTestCase):
    """Connections that end (robots.md 7.1, 8; 8; 9, 10)."""

    def test_back_off(self) -> None:
        """It waits longer each time, and begins anew after a session."""
        rig = XmppRig(PLAIN)
        rig.exchange.refusals = 5
        rig.start()
        for wait in (5, 10, 30, 60, 60):
            before = len(rig.exchange.dialled)
            rig.clock.advance(wait - 1)
            self.assertEqual(len(rig.exchange.dialled), before)
            rig.clock.advance(1)
            self.assertEqual(len(rig.exchange.dialled), before + 1)
        rig.log_in()
        rig.line.loseConnection()
        rig.clock.advance(5)
        self.assertEqual(len(rig.exchange.lines), 2)

    def test_stop(self) -> None:
        """It closes its stream, waits for the server's end, and nothing stays scheduled."""
        rig = XmppRig(PLAIN).greeted()
        stopped = rig.robot.stop()
        self.assertEqual(rig.line.value(), b"</stream:stream>")
        self.assertNoResult(stopped)
        rig.hear(b"</stream:stream>")
        self.successResultOf(stopped)
        self.assertTrue(rig.robot.farewell)
        self.assertEqual(rig.clock.getDelayedCalls(), [])

    def test_stop_with_a_deaf_server(self) -> None:
        """Two seconds are enough."""
        rig = XmppRig(PLAIN).greeted()
        stopped = rig.robot.stop()
        rig.clock.advance(2)
        self.successResultOf(stopped)
        self.assertEqual(rig.clock.getDelayedCalls(), [])

    def test_conflict(self) -> None:
        """A stream error is a complaint; the end tag is answered, and the robot comes back."""
        rig = XmppRig(PLAIN).greeted()
        rig.hear(
            b"<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
            b"</stream:error></stream:stream>"
        )
        self.assertEqual(rig.line.value(), b"</stream:stream>")
        self.assertEqual(rig.complaints, ["stream error conflict"])
        rig.clock.advance(5)
        self.assertEqual(len(rig.exchange.lines), 2)

    def test_half_open(self) -> None:
        """The frozen connection stays open and mute, while the robot lives on the next one."""
        rig = XmppRig(PLAIN).greeted()
        frozen = rig.line
        rig.robot.half_open()
        self.assertIsNot(rig.line, frozen)
        rig.log_in()
        frozen.protocol.dataReceived(PING % (rig.jid, 9))
        self.assertEqual((frozen.value(), frozen.connected), (b"", True))
        self.assertEqual((rig.robot.connected, rig.complaints), (True, []))
