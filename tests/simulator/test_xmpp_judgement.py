"""What an XMPP robot holds against a server (robots.md 9)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.simulator.xmpp_profile import Wire, XmppProfile
from tests.simulator.xmpp_rig import (
    BIND,
    BOUND,
    DONE,
    DUMMY,
    MECHANISMS,
    PING,
    SUCCESS,
    XmppRig,
    features,
    stanzas,
)

PLAIN = XmppProfile(wire=Wire.PLAIN)


class JudgementTests(SynchronousTestCase):
    """What the robot holds against a server (robots.md 9, 8 and 9)."""

    def complaints(self, *data: bytes) -> list[str]:
        """Greet a robot, send it something, and take what it complains about."""
        rig = XmppRig(PLAIN).greeted()
        rig.hear(*(piece.replace(b"ME", rig.jid) for piece in data))
        return rig.complaints

    def test_quotes(self) -> None:
        """The server's stanzas are single-quoted; what users wrote is theirs."""
        ping = b"<iq from='ecouser.net' to='ME' id=\"s2c2\" type='get'/>"
        self.assertEqual(len(self.complaints(ping)), 1)
        inside = b"<iq from='a@ecouser.net/b' to='ME' type='set' id='1'>%s</iq>"
        query = b'<query xmlns="com:ctl"><ctl id="1" td="GetBatteryInfo"/></query>'
        self.assertEqual(self.complaints(inside % query), [])

    def test_white_space(self) -> None:
        """No blank in a ping: a client once fell over it."""
        ping = (
            b"<iq from='ecouser.net' to='ME' id='1' type='set'>"
            b" <query xmlns='com:ctl'><ctl td='GetDeviceInfo'/></query></iq>"
        )
        self.assertEqual(
            self.complaints(ping), ["white space inside of an iq", "GetDeviceInfo again"]
        )

    def test_senders(self) -> None:
        """Commands come from a full address, and for this robot."""
        query = b"<query xmlns='com:ctl'><ctl id='1' td='GetBatteryInfo'/></query></iq>"
        bare = b"<iq from='a@ecouser.net' to='ME' type='set' id='1'>" + query
        self.assertEqual(self.complaints(bare), ["command from a@ecouser.net"])
        other = b"<iq from='a@ecouser.net/b' to='E1@126.ecorobot.net/atom' type='set' id='1'>"
        self.assertEqual(
            self.complaints(other + query), ["delivered for E1@126.ecorobot.net/atom"]
        )

    def test_folded(self) -> None:
        """Programs on Smack write the robot's address in lower case."""
        rig = XmppRig(PLAIN).greeted()
        rig.hear(
            b"<iq from='a@ecouser.net/b' to='%s' type='set' id='1'>"
            b"<query xmlns='com:ctl'><ctl id='1' td='GetBatteryInfo'/></query></iq>"
            % rig.jid.lower()
        )
        self.assertIn(b"power='087'", rig.said())
        self.assertEqual(rig.complaints, [])

    def test_answers(self) -> None:
        """The server answers what was asked, and never an event."""
        self.assertEqual(
            self.complaints(b"<iq type='result' id='2599'/>"), ["result 2599 nobody asked for"]
        )
        self.assertEqual(
            self.complaints(b"<iq type='error' id='2521'/>"), ["error 2521 nobody asked for"]
        )

    def test_time_of_pings(self) -> None:
        """Every 30 s, give or take three."""
        rig = XmppRig(PLAIN).greeted()
        rig.clock.advance(20)
        rig.hear(PING % (rig.jid, 2))
        rig.clock.advance(30)
        rig.hear(PING % (rig.jid, 3))
        self.assertEqual(rig.complaints, ["server ping after 20.1 s"])
        rig.clock.advance(34)
        self.assertEqual(rig.complaints[1:], ["no server ping in time"])

    def test_before_the_bind(self) -> None:
        """Nothing but negotiation comes before the bind."""
        rig = XmppRig(PLAIN).start()
        rig.open(MECHANISMS)
        rig.hear(PING % (rig.jid, 1), DUMMY % rig.jid)
        self.assertEqual(
            rig.complaints, ["iq while waiting for verdict", "presence while waiting for verdict"]
        )

    def test_behind_success(self) -> None:
        """The server waits for the robot's header."""
        rig = XmppRig(PLAIN).start()
        rig.open(MECHANISMS)
        rig.hear(SUCCESS + features(BIND))
        self.assertEqual(rig.complaints, ["bad stream: bytes of the old stream behind its end"])

    def test_wrong_jid(self) -> None:
        """The robot wants its own full address, to the letter."""
        rig = XmppRig(PLAIN).start()
        rig.open(MECHANISMS)
        rig.hear(SUCCESS)
        rig.open(BIND)
        rig.hear(BOUND % (b"2521", b"e1@126.ecorobot.net"), DONE % b"2522")
        self.assertEqual(rig.complaints, ["bound to e1@126.ecorobot.net"])

    def test_headers(self) -> None:
        """Each stream has an id of its own, and comes from the users' domain."""
        rig = XmppRig(PLAIN).start()
        rig.open(MECHANISMS)
        rig.hear(SUCCESS)
        rig.hear(
            b"<stream:stream xmlns:stream='http://etherx.jabber.org/streams'"
            b" xmlns='jabber:client' version='1.0' id='1' from='126.ecorobot.net'>"
        )
        self.assertEqual(rig.complaints, ["stream from 126.ecorobot.net", "stream id 1"])

    def test_no_xml(self) -> None:
        """Broken XML ends the connection of a strict robot."""
        rig = XmppRig(PLAIN).greeted()
        rig.hear(b"<iq type='set'><query></iq>")
        self.assertFalse(rig.robot.connected)
        self.assertEqual(len(rig.complaints), 1)

    def test_others_get_errors(self) -> None:
        """Errors of users' programs are none of the server's business."""
        error = b"<iq from='a@ecouser.net/b' to='ME' type='error' id='9'><error/></iq>"
        self.assertEqual(self.complaints(error), [])
        self.assertEqual(stanzas(error), [error])
