"""The simulated XMPP robot and our XMPP side, which share no code, in one conversation."""

from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.simulator.identity import xmpp_identities
from bumper_tw.simulator.xmpp_profile import Parser, Search, XmppProfile
from bumper_tw.simulator.xmpp_profile import Wire as Habit
from bumper_tw.simulator.xmpp_robot import XmppRobot
from bumper_tw.xmpp.factory import StreamLimits
from tests.front.fixed import fixed
from tests.xmpp.streams import World
from tests.xmpp_peers import Way, XmppPeer, event, robot, user

STEP = 0.0625
LONG = 400


class SimulatedCase(SynchronousTestCase):
    """A server, and robots at it."""

    def setUp(self) -> None:
        self.world = World(StreamLimits(tls_users=False))
        self.door = self.world.factory.door(fixed())
        self.way = Way(self.world.clock, self.door.buildProtocol)

    def run_for(self, seconds: float) -> None:
        """Let time pass."""
        self.world.clock.pump([STEP] * round(seconds / STEP))

    def robot(
        self, profile: XmppProfile, spoil: Callable[[XmppRobot], Any] | None = None
    ) -> XmppRobot:
        """A robot that is switched on, and off at the end."""
        search = Search("bumper.test", 5223)
        [who] = xmpp_identities(1)
        made = XmppRobot(self.world.clock, self.way.dial, search, who, profile)
        if spoil is not None:
            spoil(made)
        ready = made.start()
        self.run_for(3)
        self.successResultOf(ready)
        self.addCleanup(self.switch_off, made)
        return made

    def switch_off(self, made: XmppRobot) -> None:
        """Nothing of it stays behind."""
        stopped = made.stop()
        self.run_for(3)
        self.successResultOf(stopped)

    def user(self, resource: str = "GLB1", uid: str = "fuid_a1b2c3") -> XmppPeer:
        """An app that is logged in."""
        app = user(self.world.clock, self.door.buildProtocol, uid, resource, "us_0f1e2d3c")
        app.log_in()
        app.take()
        return app


class ConversationTests(SimulatedCase):
    """What the robot holds against us: nothing."""

    def test_every_habit(self) -> None:
        """However it encrypts and reads, it has nothing to complain about for minutes."""
        for habit in Habit:
            for parser in Parser:
                made = self.robot(XmppProfile(wire=habit, parser=parser))
                self.run_for(LONG)
                self.assertTrue(made.connected)
                self.assertEqual(list(made.violations), [], f"{habit} {parser}")
                self.switch_off(made)
                self.assertTrue(made.farewell)

    def test_crumbs(self) -> None:
        """Neither crumbs nor glued stanzas change what is said."""
        said = []
        for split, glue in ((0, False), (1, False), (0, True), (1, True)):

            def spoil(made: XmppRobot, split: int = split, glue: bool = glue) -> None:
                made.faults.split, made.faults.glue = split, glue

            made = self.robot(XmppProfile(), spoil)
            self.run_for(40)
            said.append(made.transcript.sent())
            self.assertEqual(list(made.violations), [])
            self.switch_off(made)
        self.assertEqual(said, said[:1] * 4)

    def test_command(self) -> None:
        """A user commands it, and hears of what it does."""
        made, app = self.robot(XmppProfile()), self.user()
        to = f"{made.identity.sn}@126.ecorobot.net/atom"
        app.say(
            f"<iq id='7' to='{to}' type='set'><query xmlns='com:ctl'>"
            "<ctl td='Clean' id='72107787'><clean type='auto' speed='standard'/></ctl>"
            "</query></iq>"
        )
        self.run_for(3)
        acknowledged, answer, report, undocked = app.take()
        self.assertEqual(acknowledged, f"<iq type='result' to='{app.jid}' id='7' from='{to}'/>")
        self.assertIn("<ctl id='72107787' ret='ok'/>", answer)
        self.assertIn("<ctl td='CleanReport'><clean type='auto'", report)
        self.assertIn("<ctl td='ChargeState'><charge type='Idle'", undocked)
        self.assertEqual(list(made.violations), [])

    def test_half_open(self) -> None:
        """A robot that comes back while its old connection still looks alive is reached."""
        made, app = self.robot(XmppProfile()), self.user()
        made.half_open()
        self.run_for(3)
        self.assertTrue(made.connected)
        to = f"{made.identity.sn}@126.ecorobot.net/atom"
        app.say(f"<iq id='8' to='{to}' type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
        self.run_for(1)
        self.assertEqual(app.take(), [f"<iq type='result' to='{app.jid}' id='8' from='{to}'/>"])
        self.assertEqual(list(made.violations), [])


class ScriptedTests(SimulatedCase):
    """The scripted clients do what they are written for."""

    def test_script(self) -> None:
        """A scripted robot answers what it has an answer for, and tells what it is told to."""
        dusty = robot(self.world.clock, self.door.buildProtocol, "E0009876500123450001")
        dusty.script["GetBatteryInfo"] = " ret='ok'><battery power='087'/></ctl>"
        dusty.log_in()
        app = self.user()
        for command in ("GetBatteryInfo", "GetError"):
            app.say(
                f"<iq id='7' to='{dusty.jid}' type='set'><query xmlns='com:ctl'>"
                f"<ctl td='{command}' id='1'/></query></iq>"
            )
        _, answer = app.take()
        self.assertIn("<ctl id='1' ret='ok'><battery power='087'/></ctl>", answer)
        dusty.say(event(app.jid, "<ctl td='error' errs='102'/>"))
        [told] = app.take()
        self.assertIn("errs='102'", told)

    def test_leave(self) -> None:
        """Who leaves is answered in kind."""
        app = self.user()
        app.leave()
        self.assertTrue(app.wire.over)
        other = self.user("GLB2")
        other.vanish()
        self.assertTrue(other.wire.lost)
