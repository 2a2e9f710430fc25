"""Commands, permissions, events and faults of an XMPP robot (robots.md 7.2, 7.3 and 8)."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.simulator.faults import Garbage
from bumper_tw.simulator.xmpp_profile import Permission, Wire, XmppProfile
from tests.simulator.xmpp_rig import PROCEED, STARTTLS, USER, XmppRig, ctl_of, stanzas

PLAIN = XmppProfile(wire=Wire.PLAIN)
BATTERY = b"<ctl td='GetBatteryInfo' id='18273645'/>"
CLEAN = b"<ctl td='Clean' id='5'><clean type='auto' speed='standard'/></ctl>"
ACK = b"<iq type='result' to='%s' id='7'/>" % USER


def strict_owner(permission: Permission, **habits: int) -> XmppRig:
    """Greet a robot that obeys its owner alone."""
    return XmppRig(XmppProfile(wire=Wire.PLAIN, permission=permission, **habits)).greeted()  # type: ignore[arg-type] # a number of its own


class CommandTests(SynchronousTestCase):
    """The table of robots.md 7.3."""

    def test_pattern(self) -> None:
        """Acknowledged first, answered in a stanza of its own."""
        rig = XmppRig(PLAIN).greeted()
        answer = (
            b"<iq to='%s' type='set' id='2523'><query xmlns='com:ctl'>"
            b"<ctl id='18273645' ret='ok'><battery power='087'/></ctl></query></iq>"
        )
        self.assertEqual(rig.ask(BATTERY), [ACK, answer % USER])

    def test_answers(self) -> None:
        """With an id it is echoed; without, queries are answered like events."""
        rig = XmppRig(PLAIN).greeted()
        for ctl, expected in (
            (b"<ctl td='GetBatteryInfo'/>", b"<ctl td='BatteryInfo'><battery power='087'/></ctl>"),
            (b"<ctl td='GetError' id='1'/>", b"<ctl id='1' ret='ok' errs='100'/>"),
            (b"<ctl td='GetError'/>", b"<ctl td='error' errs='100'/>"),
            (
                b"<ctl td='GetVersion' name='FW' id='2'/>",
                b"<ctl id='2' ret='ok'><ver name='FW'>0.16.1</ver></ctl>",
            ),
            (
                b"<ctl td='GetLifeSpan' type='Brush'/>",
                b"<ctl td='LifeSpan' type='Brush' val='73' total='100'/>",
            ),
            (b"<ctl td='GetSched' id='3'/>", b"<ctl id='3' ret='ok'/>"),
            (b"<ctl td='GetLog' id='3'/>", b"<ctl id='3' ret='ok'/>"),
            (b"<ctl td='PlaySound' sid='0' id='3'/>", b"<ctl id='3' ret='ok'/>"),
            (
                b"<ctl td='Move' id='3'><move action='forward'/></ctl>",
                b"<ctl id='3' ret='ok'/>",
            ),
            (
                b"<ctl td='Charge' id='3'><charge type='go'/></ctl>",
                b"<ctl id='3' ret='fail' errno='8'/>",
            ),
        ):
            ack, answer = rig.ask(ctl)
            self.assertEqual((ack, ctl_of(answer)), (ACK, expected))

    def test_busy(self) -> None:
        """Another job is refused without a number: 5 would mean that the robot is wedged."""
        rig = XmppRig(PLAIN).greeted()
        rig.ask(CLEAN)
        refused = b"<ctl id='5' ret='fail' error='busy with another job'/>"
        self.assertEqual(ctl_of(rig.ask(CLEAN.replace(b"auto", b"border"))[1]), refused)

    def test_clean_state(self) -> None:
        """Asked, the robot says what it reports: C{stop} is a type."""
        rig = XmppRig(PLAIN).greeted()
        state = b"<ctl td='GetCleanState' id='1'/>"
        stopped = b"<ctl id='1' ret='ok'><clean type='stop' speed='standard' st='h' t='0' a='0'/>"
        self.assertEqual(ctl_of(rig.ask(state)[1]), stopped + b"</ctl>")
        rig.ask(CLEAN)
        running = stopped.replace(b"stop", b"auto").replace(b"st='h'", b"st='s'")
        self.assertEqual(ctl_of(rig.ask(state)[1]), running + b"</ctl>")
        rig.ask(CLEAN.replace(b"auto", b"stop"))
        self.assertEqual(ctl_of(rig.ask(state)[1]), stopped + b"</ctl>")

    def test_execute_without_id(self) -> None:
        """What is only to be done is acknowledged, and nothing more."""
        rig = XmppRig(PLAIN).greeted()
        self.assertEqual(rig.ask(b"<ctl td='PlaySound' sid='0'/>"), [ACK])

    def test_unknown(self) -> None:
        """Silence, for what the robot has never heard of."""
        rig = XmppRig(PLAIN).greeted()
        self.assertEqual(rig.ask(b"<ctl td='MakeCoffee' id='1'/>"), [])

    def test_set_time(self) -> None:
        """A wrong clock is right once it is set."""
        rig = XmppRig(PLAIN).greeted()
        rig.robot.state.skew = -999.0
        rig.ask(b"<ctl td='SetTime' id='1'><time t='1767225700' tz='+1'/></ctl>")
        self.assertEqual(int(rig.robot.machine.now()), 1767225700)

    def test_latency(self) -> None:
        """Acknowledged at once, answered 50 to 200 ms later and in order."""
        rig = XmppRig(PLAIN, latency=(0.05, 0.2)).greeted()
        rig.command(BATTERY)
        rig.command(b"<ctl td='GetError' id='2'/>", stanza_id=b"8")
        self.assertEqual(len(stanzas(rig.line.value())), 2)
        rig.clock.pump([0.01] * 40)
        answers = [ctl_of(stanza) for stanza in stanzas(rig.said())[2:]]
        self.assertEqual([ctl[:13] for ctl in answers], [b"<ctl id='1827", b"<ctl id='2' r"])

    def test_silence(self) -> None:
        """Every third command is not even acknowledged."""
        rig = XmppRig(evolve(PLAIN, silence=3)).greeted()
        self.assertEqual([len(rig.ask(BATTERY)) for _ in range(6)], [2, 2, 0, 2, 2, 0])


class PermissionTests(SynchronousTestCase):
    """Whom the robot obeys (robots.md 7.2)."""

    def refused(self, permission: Permission) -> tuple[list[bytes], bytes]:
        """Have a stranger refused; give the stanzas, and the owner."""
        rig = strict_owner(permission)
        return rig.ask(BATTERY), rig.identity.owner.encode()

    def test_error(self) -> None:
        """The refusal names the owner in a sentence."""
        (ack, answer), owner = self.refused(Permission.ERROR)
        self.assertEqual(ack, ACK)
        self.assertEqual(
            answer,
            b"<iq to='%s' type='set' id='2523'><query xmlns='com:ctl'>"
            b"<ctl id='18273645' ret='fail' errno='103'"
            b" error='permission denied, please contact %s'/></query></iq>" % (USER, owner),
        )

    def test_admin(self) -> None:
        """The refusal names the owner in an attribute."""
        (_, answer), owner = self.refused(Permission.ADMIN)
        expected = b"<ctl id='18273645' ret='fail' errno='103' admin='%s'/>"
        self.assertEqual(ctl_of(answer), expected % owner)

    def test_result(self) -> None:
        """The refusal travels inside of the only result."""
        [answer], owner = self.refused(Permission.RESULT)
        self.assertTrue(answer.startswith(b"<iq type='result' to='%s' id='7'><query " % USER))
        self.assertIn(b"errno='103' error='permission denied, please contact " + owner, answer)

    def test_adoption(self) -> None:
        """The owner adds a user and allows him everything; then he may command."""
        rig = strict_owner(Permission.ERROR)
        owner, new = rig.identity.owner.encode(), b"jid='fuid_a1b2c3@ecouser.net'"
        ack, answer = rig.ask(b"<ctl td='AddUser' id='0000' %s/>" % new, owner)
        self.assertEqual(ack, b"<iq type='result' to='%s' id='7'/>" % owner)
        self.assertIn(b"<iq to='%s'" % owner, answer)
        self.assertEqual(ctl_of(answer), b"<ctl id='0000' ret='ok'/>")
        self.assertIn(b"errno='103'", rig.ask(BATTERY)[1])
        self.assertIn(b"ret='ok'", rig.ask(b"<ctl td='GetError' id='1'/>")[1])
        rights = b"<acs><ac name='setting' allow='0'/><ac name='clean' allow='1'/></acs>"
        rig.ask(b"<ctl td='SetAC' id='1111' %s>%s</ctl>" % (new, rights), owner)
        self.assertIn(b"power='087'", rig.ask(BATTERY)[1])
        self.assertIn(b"errno='103'", rig.ask(b"<ctl td='SetOnOff' t='b' on='1' id='1'/>")[1])
        listed = rig.ask(b"<ctl td='GetUserInfo' id='4444'/><UserInfos/>", owner)[1]
        self.assertIn(b"<UserInfo jid='fuid_a1b2c3@ecouser.net' acs='clean'/>", listed)
        self.assertEqual(rig.complaints, [])

    def test_users_may_not_adopt(self) -> None:
        """Managing users takes a right of its own."""
        rig = strict_owner(Permission.ERROR)
        add = b"<ctl td='AddUser' id='1' jid='fuid_a1b2c3@ecouser.net'/>"
        self.assertIn(b"errno='103'", rig.ask(add)[1])
        self.assertEqual(list(rig.robot.users.groups), [rig.identity.owner])

    def test_drop(self) -> None:
        """A user who is taken off the list is a stranger again; the owner stays."""
        rig = strict_owner(Permission.ERROR)
        owner = rig.identity.owner.encode()
        rig.ask(b"<ctl td='AddUser' id='1' jid='a@ecouser.net'/>", owner)
        self.assertIn(
            b"ret='ok'", rig.ask(b"<ctl td='DelUser' id='1' jid='A@ecouser.net'/>", owner)[1]
        )
        mine = b"<ctl td='DelUser' id='1' jid='%s'/>" % owner
        self.assertIn(b"ret='fail'", rig.ask(mine, owner)[1])


class EventTests(SynchronousTestCase):
    """What the robot says by itself."""

    def test_a_job(self) -> None:
        """Clean, stop and return, told to the owner and to the session that commanded."""
        rig = XmppRig(PLAIN, speed=1.0).greeted()
        rig.ask(CLEAN)
        rig.run(2)
        told = stanzas(rig.said())
        report = (
            b"<ctl td='CleanReport'><clean type='auto' speed='standard' st='s' t='0' a='0'/></ctl>"
        )
        self.assertEqual([ctl_of(stanza) for stanza in told[:2]], [report, report])
        owner = rig.identity.owner.encode()
        self.assertIn(b"<iq to='%s' type='set'" % owner, told[0])
        self.assertIn(b"<iq to='%s' type='set'" % USER, told[1])
        idle = b"<ctl td='ChargeState'><charge type='Idle' h='0' r='a'/></ctl>"
        self.assertEqual(ctl_of(told[2]), idle)
        answers = rig.ask(b"<ctl td='Charge' id='6'><charge type='go'/></ctl>")
        self.assertEqual(ctl_of(answers[1]), b"<ctl id='6' ret='ok'/>")
        self.assertIn(b"<clean type='stop' speed='standard' st='h' t='2' a='0'/>", answers[2])
        rig.run(22)
        kinds = [ctl_of(stanza) for stanza in stanzas(rig.said())]
        going = b"<ctl td='ChargeState'><charge type='Going' h='0' r='a'/></ctl>"
        docked = going.replace(b"Going", b"SlotCharging")
        self.assertEqual(kinds[::2], [going, docked])

    def test_fault(self) -> None:
        """An error is told to everybody and to the log service, and soon taken back."""
        rig = XmppRig(PLAIN).greeted()
        rig.robot.machine.fault(102)
        error, alert = stanzas(rig.said())
        self.assertEqual(ctl_of(error), b"<ctl td='error' errs='102'/>")
        name, owner = rig.identity.sn.encode(), rig.identity.owner.encode()
        self.assertEqual(
            alert,
            b"<iq to='rl.ecorobot.net' type='set' id='2524'><query xmlns='com:sf'>"
            b"<sf td='pub' t='log' ts='%d' tp='p' k='DeviceAlert' v='DorpError'"
            b" f='%s@126.ecorobot.net' g='%s'/></query></iq>"
            % (int((rig.clock.seconds() - 0.0625) * 1000), name, owner),
        )
        rig.hear(b"<iq type='result' id='2524' from='rl.ecorobot.net' to='%s'/>" % rig.jid)
        rig.run(2)
        self.assertIn(b"errs='100'", rig.said())
        self.assertEqual(rig.complaints, [])

    def test_battery(self) -> None:
        """The charge is told on change, and every five minutes while it is not full."""
        rig = XmppRig(evolve(PLAIN, server_ping=0), speed=1.0).greeted()
        rig.run(80)
        rig.said()
        rig.run(10)
        self.assertIn(b"<battery power='088'/>", rig.said())

    def test_only_with_a_session(self) -> None:
        """Nothing is said without a session."""
        rig = XmppRig(PLAIN).start()
        rig.said()
        rig.robot.report("BatteryInfo")
        self.assertEqual(rig.said(), b"")


class FaultTests(SynchronousTestCase):
    """Misbehaviour (robots.md 8)."""

    def greeted(self) -> XmppRig:
        """Give a robot in good order."""
        return XmppRig(PLAIN).greeted()

    def test_mute(self) -> None:
        """Two queries are not heard."""
        rig = self.greeted()
        rig.robot.faults.mute("GetBatteryInfo", 2)
        self.assertEqual([len(rig.ask(BATTERY)) for _ in range(3)], [0, 0, 2])

    def test_delay(self) -> None:
        """Acknowledged, but answered too late."""
        rig = self.greeted()
        rig.robot.faults.delay("GetBatteryInfo", 12)
        self.assertEqual(rig.ask(BATTERY), [ACK])
        rig.clock.advance(12)
        self.assertIn(b"power='087'", rig.said())

    def test_duplicate(self) -> None:
        """The answer comes twice, as two stanzas."""
        rig = self.greeted()
        rig.robot.faults.duplicate = True
        _, one, two = rig.ask(BATTERY)
        self.assertEqual(ctl_of(one), ctl_of(two))
        self.assertNotEqual(one, two)

    def test_garbage(self) -> None:
        """Whatever it is, it takes the place of the answer."""
        for garbage in Garbage:
            rig = self.greeted()
            rig.robot.faults.garbage = garbage
            rig.said()
            rig.command(BATTERY)
            self.assertIn(b"<query xmlns='com:ctl'>" + garbage.value + b"</query>", rig.said())

    def test_wedge(self) -> None:
        """Nothing works until somebody presses the button."""
        rig = self.greeted()
        rig.robot.faults.wedge = True
        self.assertEqual(ctl_of(rig.ask(CLEAN)[1]), b"<ctl id='5' ret='fail' errno='5'/>")

    def test_wheel(self) -> None:
        """The wheel's number is that of a refusal."""
        rig = self.greeted()
        rig.robot.wheel()
        event = b"<ctl td='error' error='WheelAbnormal' errno='103'/>"
        self.assertEqual(ctl_of(rig.said()), event)

    def test_unescaped(self) -> None:
        """The name of the network goes out as its owner wrote it."""
        rig = self.greeted()
        rig.robot._dialect._context.identity = evolve(rig.identity, ssid="a&b<c")
        rig.robot.faults.unescaped = True
        self.assertIn(b"s='a&b<c'", rig.ask(b"<ctl td='GetNetInfo' id='1'/>")[1])

    def test_flood(self) -> None:
        """Events at a rate, until it is zero."""
        rig = self.greeted()
        rig.robot.flood(20)
        rig.clock.pump([0.0625] * 16)
        rig.robot.flood(0)
        rig.clock.advance(1)
        self.assertEqual(len(stanzas(rig.said())), 20)

    def test_no_tls(self) -> None:
        """A robot that should encrypt does not."""
        rig = XmppRig()
        rig.robot.faults.no_tls = True
        rig.start()
        rig.said()
        rig.open(STARTTLS, b"<mechanisms><mechanism>PLAIN</mechanism></mechanisms>")
        self.assertTrue(rig.said().startswith(b"<auth "))

    def test_bad_tls(self) -> None:
        """Where a handshake should begin comes nonsense."""
        rig = XmppRig()
        rig.robot.faults.bad_tls = True
        rig.start()
        rig.said()
        rig.open(STARTTLS)
        rig.said()
        rig.hear(PROCEED)
        self.assertEqual((rig.said()[:2], rig.line.secure), (b"\x16\x03", False))

    def test_no_sni(self) -> None:
        """A robot may be too old to name the server."""
        for sni in (True, False):
            profile = XmppProfile(wire=Wire.TLS, sni=sni)
            rig = XmppRig(profile)
            rig.search = rig.robot._link._lookup._search = evolve(rig.search, host="bumper.test")
            rig.start()
            self.assertEqual(b"bumper.test" in rig.said(), sni)
            rig.stop()


class SegmentTests(SynchronousTestCase):
    """How stanzas get into segments (robots.md 8 and 10, 12)."""

    def told(self, split: int = 0, glue: bool = False, seed: int = 0) -> XmppRig:
        """Run one conversation."""
        rig = XmppRig(PLAIN, seed=seed, latency=(0.05, 0.2))
        rig.robot.faults.split, rig.robot.faults.glue = split, glue
        rig.greeted()
        for ctl in (BATTERY, CLEAN, b"<ctl td='GetCleanState' id='9'/>"):
            rig.command(ctl)
            rig.run(3)
        return rig

    def test_identical(self) -> None:
        """The same bytes, whether whole, in crumbs or glued."""
        whole = self.told().robot.transcript.sent()
        self.assertEqual(self.told(split=1).robot.transcript.sent(), whole)
        self.assertEqual(self.told(split=7).robot.transcript.sent(), whole)
        self.assertEqual(self.told(glue=True).robot.transcript.sent(), whole)
        self.assertEqual(self.told(split=1, glue=True).robot.transcript.sent(), whole)

    def test_crumbs(self) -> None:
        """No segment is longer than it may be, and the last word gets out."""
        rig = XmppRig(PLAIN)
        rig.robot.faults.split = 3
        rig.start().log_in()
        self.assertEqual((max(rig.line.sizes), rig.robot.connected), (3, True))
        rig.said()
        rig.robot.stop()
        self.assertEqual(rig.line.value(), b"</stream:stream>")

    def test_glue(self) -> None:
        """What is said in quick succession shares a segment."""
        rig = XmppRig(PLAIN)
        rig.robot.faults.glue = True
        rig.greeted()
        rig.command(BATTERY)
        self.assertEqual(rig.line.value(), b"")
        self.assertEqual(len(stanzas(rig.said())), 2)

    def test_deterministic(self) -> None:
        """The same seed gives the same transcript, times included."""
        first, second = self.told(seed=4), self.told(seed=4)
        self.assertEqual(list(first.robot.transcript), list(second.robot.transcript))
        self.assertNotEqual(list(first.robot.transcript), list(self.told(seed=5).robot.transcript))
