"""Tests for L{bumper_tw.xmpp.gateway}: commands out, answers and reports in."""

import re
from itertools import islice

from attrs import evolve
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import LogLevel, capturedLogs
from zope.interface.verify import verifyObject

from bumper_tw.core.commands import CommandCorrelator, request_ids
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.telemetry import Telemetry
from bumper_tw.core.xmpp_adoption import Adoption
from bumper_tw.errors import (
    BadRequest,
    CommandTimedOut,
    DeviceOffline,
    LoginRefused,
    RobotBusy,
)
from bumper_tw.interfaces import IRobotLink, IRobotPresence
from bumper_tw.readings import (
    Alert,
    Battery,
    Charge,
    Clean,
    DeviceInfo,
    Errors,
    Firmware,
    LifeSpan,
    Part,
    Reading,
    Report,
    Stats,
)
from bumper_tw.storage.memory import MemoryDeviceStore
from bumper_tw.values import (
    Command,
    Company,
    Device,
    DeviceId,
    PayloadKind,
    Principal,
    Reply,
    Role,
)
from bumper_tw.xmpp.dialogue import MOST, PATIENCE, Asked, Dialogue, numbers
from bumper_tw.xmpp.gateway import XmppGateway
from tests.core.xmpp_parties import ANN, BATTERY, DEEBOT, OZMO, ROBOT, UID, RouterCase, robot_party
from tests.samples import RecordingLink

HELPER = "helperbot@ecouser.net/bumper"
ADMINISTRATOR = "n5q8w2e7r4t1y6u3@ecouser.net"
DENIED = f"ret='fail' errno='103' error='permission denied, please contact {ADMINISTRATOR}'"
ITSELF = Principal(Role.ROBOT, DEEBOT.did, DEEBOT.model, "atom", DEEBOT.did)

#: What goes out to the robot for a question of ours.
QUESTION = re.compile(
    rf"<iq type='set' id='(\d{{8}})' from='{HELPER}' to='{ROBOT}'>"
    r"<query xmlns='com:ctl'>(<ctl td='\w+' id='\1'.*)</query></iq>"
)


class GatewayCase(RouterCase):
    """A robot that is attached, and what our side hears."""

    def setUp(self) -> None:
        super().setUp()
        self.registry = DeviceRegistry(self.clock, MemoryDeviceStore())
        self.commands = CommandCorrelator(self.clock, self.registry, request_ids(7))
        self.telemetry = Telemetry()
        self.reports: list[Report] = []
        self.overheard: list[tuple[str, str, bytes]] = []
        self.telemetry.listen(self.reports.append)
        adoption = Adoption(self.clock, self.router.tell_as, lambda uid, did: True)
        self.gateway = XmppGateway(
            self.clock,
            self.router,
            self.registry,
            self.commands,
            self.telemetry,
            adoption.heard,
            overhear=lambda did, name, written: self.overheard.append((did, name, written())),
        )
        self.presence = self.gateway.robot_connected(ITSELF)
        self.presence.listening()

    def readings(self) -> list[Reading]:
        """What was reported since the last look."""
        said, self.reports[:] = [report.reading for report in self.reports], []
        return said

    def ask(
        self, name: str = "GetBatteryInfo", body: str = "<ctl/>", device: DeviceId = DEEBOT
    ) -> Deferred[Reply]:
        """Ask the robot something in XML."""
        return self.commands.send(Command(device, name, body.encode(), PayloadKind.XML))

    def question(self) -> tuple[str, str]:
        """The one question that the robot has heard since the last look: its number and C{ctl}."""
        [question] = self.questions()
        return question

    def questions(self) -> list[tuple[str, str]]:
        """All of them."""
        heard = self.robot.heard()
        found = [each for each in map(QUESTION.fullmatch, heard) if each]
        self.assertEqual(len(found), len(heard), heard)
        return [(each[1], each[2]) for each in found]

    def say(self, ctl: str, to: str | None = HELPER, kind: str = "set", number: str = "2") -> None:
        """The robot says something in a C{ctl}."""
        target = "" if to is None else f" to='{to}'"
        inner = f"<query xmlns='com:ctl'>{ctl}</query>"
        self.robot.say(f"<iq{target} type='{kind}' id='{number}'>{inner}</iq>")


class CommandTests(GatewayCase):
    """Questions of ours, and their answers."""

    def test_round_trip(self) -> None:
        """A question goes out as apps ask; the answer comes as robots behind MQTT write it."""
        asked = self.ask("GetLifeSpan", '<?xml version="1.0"?><ctl type="Brush"/>')
        number, ctl = self.question()
        self.assertEqual(ctl, f"<ctl td='GetLifeSpan' id='{number}' type='Brush'/>")
        self.robot.say(f"<iq type='result' to='{HELPER}' id='{number}'/>")
        self.assertNoResult(asked)
        self.say(f"<ctl id='{number}' ret='ok' type='Brush' left='1' total='9'/>")
        reply = self.successResultOf(asked)
        self.assertEqual(reply.body, b"<ctl ret='ok' type='Brush' left='1' total='9'/>")
        self.assertEqual(self.readings(), [LifeSpan((Part("Brush", 1, 9),))])
        self.assertEqual(self.ann.take(), [])

    def test_inside_the_result(self) -> None:
        """Some robots answer there, with our number or without (xmpp.md 13.1)."""
        for mark in ("", " id='%s'", " td='BatteryInfo'"):
            asked = self.ask()
            number, _ = self.question()
            ctl = f"<ctl{mark.replace('%s', number)}><battery power='087'/></ctl>"
            self.say(ctl, kind="result", number=number)
            body = self.successResultOf(asked).body
            self.assertEqual(body, b"<ctl ret='ok'><battery power='087'/></ctl>")
            self.assertEqual(self.readings(), [Battery(87)])

    def test_addresses(self) -> None:
        """Answers come to us however our address is spelt, or with none at all."""
        for to in (HELPER, "helperbot@ecouser.net", "HelperBot@ECOUSER.NET/x", None):
            asked = self.ask()
            number, _ = self.question()
            self.say(f"<ctl id='{number}' ret='ok'/>", to=to)
            self.successResultOf(asked)

    def test_no_answer(self) -> None:
        """Another number, another's answer and another robot are no answer to us."""
        asked = self.ask()
        number, _ = self.question()
        other = robot_party(self.router, OZMO)
        ctl = f"<ctl id='{number}' ret='ok'/>"
        self.say("<ctl id='12345678' ret='ok'/>")
        self.say("<ctl ret='ok'/>")
        self.say(ctl, to=ANN)
        self.say("<ctl ret='ok'/>", number=number)
        other.say(f"<iq to='{HELPER}' type='set' id='1'><query xmlns='com:ctl'>{ctl}</query></iq>")
        self.assertNoResult(asked)
        self.clock.advance(10)
        self.failureResultOf(asked, CommandTimedOut)
        self.say(ctl)

    def test_failure(self) -> None:
        """What the robot does not do is an answer, too."""
        asked = self.ask("Charge", "<ctl><charge type='go'/></ctl>")
        number, _ = self.question()
        self.say(f"<ctl id='{number}' ret='fail' errno='8'/>")
        self.assertEqual(self.successResultOf(asked).body, b"<ctl ret='fail' errno='8'/>")

    def test_several(self) -> None:
        """Each answer goes to its question, in whatever order they come."""
        battery, charge = self.ask(), self.ask("GetChargeState")
        (first, _), (second, _) = self.questions()
        self.say(f"<ctl id='{second}' ret='ok'><charge type='Idle'/></ctl>")
        self.assertNoResult(battery)
        self.say(f"<ctl id='{first}' ret='ok'><battery power='5'/></ctl>")
        self.assertIn(b"battery", self.successResultOf(battery).body)
        self.assertIn(b"charge", self.successResultOf(charge).body)
        self.assertEqual(self.readings(), [Charge(False, "Idle"), Battery(5)])

    def test_twice(self) -> None:
        """Only the first answer counts."""
        asked = self.ask()
        number, _ = self.question()
        for power in ("5", "6"):
            self.say(f"<ctl id='{number}' ret='ok'><battery power='{power}'/></ctl>")
        self.assertIn(b"'5'", self.successResultOf(asked).body)
        self.assertEqual(self.readings(), [Battery(5), Battery(6)])

    def test_refused(self) -> None:
        """What cannot be said to this robot fails at once, ready or not."""
        for _ in range(2):
            for body, kind in ((b"{}", PayloadKind.JSON), (b"<a/>", PayloadKind.XML)):
                asked = self.commands.send(Command(DEEBOT, "Clean", body, kind))
                self.failureResultOf(asked, BadRequest)
            self.presence = self.gateway.robot_connected(ITSELF)
        self.assertEqual(self.robot.heard(), [])

    def test_held(self) -> None:
        """What comes before the robot is ready waits; what nobody wants any more is dropped."""
        presence = self.gateway.robot_connected(ITSELF)
        timed_out = self.commands.send(
            Command(DEEBOT, "Clean", b"<ctl/>", PayloadKind.XML), timeout=3
        )
        hung_up, wanted = self.ask("Charge"), self.ask()
        hung_up.cancel()
        self.failureResultOf(hung_up, CancelledError)
        self.clock.advance(3)
        self.failureResultOf(timed_out, CommandTimedOut)
        self.assertEqual(self.robot.heard(), [])
        presence.listening()
        number, _ = self.question()
        self.say(f"<ctl id='{number}' ret='ok'/>")
        self.successResultOf(wanted)
        presence.listening()
        self.assertEqual(self.robot.heard(), [])

    def test_gone_before_ready(self) -> None:
        """A robot whose stream has ended meanwhile costs nobody anything."""
        presence = self.gateway.robot_connected(ITSELF)
        asked = self.ask()
        self.robot.binding.close()
        presence.listening()
        presence.gone()
        self.failureResultOf(asked, DeviceOffline)

    def test_robot_goes(self) -> None:
        """When the robot goes, what it still owed fails at once."""
        asked = self.ask()
        self.presence.gone()
        self.failureResultOf(asked, DeviceOffline)
        self.failureResultOf(self.ask(), DeviceOffline)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_two_streams(self) -> None:
        """The end of an old stream takes nothing away; the new one may answer old questions."""
        before = self.ask()
        number, _ = self.question()
        old, self.presence = self.presence, self.gateway.robot_connected(ITSELF)
        self.presence.listening()
        self.question()
        after = self.ask()
        old.gone()
        self.assertNoResult(after)
        self.say(f"<ctl id='{number}' ret='ok'/>")
        self.successResultOf(before)
        number, _ = self.question()
        self.say(f"<ctl id='{number}' ret='ok'/>")
        self.successResultOf(after)

    def test_another_class(self) -> None:
        """A robot that comes back as another has no old questions."""
        asked = self.ask()
        number, _ = self.question()
        self.registry.forget(DEEBOT.did)
        self.gateway.robot_connected(evolve(ITSELF, realm="155"))
        self.say(f"<ctl id='{number}' ret='ok'/>")
        self.assertNoResult(asked)
        asked.addErrback(lambda _: None)

    def test_unbound(self) -> None:
        """A robot that is attached, and not bound, cannot be asked."""
        self.robot.binding.close()
        self.failureResultOf(self.ask(), DeviceOffline)

    def test_slow(self) -> None:
        """A robot that does not read is not asked any more."""
        self.robot.outlet.waiting = 1 << 30
        self.failureResultOf(self.ask(), RobotBusy)


class AdoptionTests(GatewayCase):
    """Robots that do not know us (xmpp.md 12)."""

    def refuse(self, mark: str) -> str:
        """The robot refuses what it has heard; the number of that."""
        number, _ = self.question()
        self.say(f"<ctl id='{number}' {mark}/>")
        return number

    def adopted(self) -> None:
        """The robot has heard three requests of its administrator."""
        heard = self.robot.heard()
        self.assertEqual(len(heard), 3)
        for each in heard:
            self.assertIn(f"from='{ADMINISTRATOR}'", each)
        self.assertIn("jid='helperbot@ecouser.net'", heard[0])

    def test_asked_again(self) -> None:
        """A refused question is asked again when the robot has learned whom to obey."""
        asked = self.ask()
        self.refuse(DENIED)
        self.adopted()
        self.say("<ctl id='4444' ret='ok'/>", to=ADMINISTRATOR)
        number, ctl = self.question()
        self.assertIn("GetBatteryInfo", ctl)
        self.assertNoResult(asked)
        self.say(f"<ctl id='{number}' ret='ok'><battery power='50'/></ctl>")
        self.assertIn(b"50", self.successResultOf(asked).body)
        self.clock.advance(PATIENCE)
        self.assertEqual(self.robot.heard(), [])

    def test_asked_again_later(self) -> None:
        """Some robots do not say that they have learned it."""
        asked = self.ask()
        self.refuse(DENIED)
        self.adopted()
        self.clock.advance(PATIENCE)
        number, _ = self.question()
        self.say(f"<ctl id='{number}' ret='ok'/>")
        self.successResultOf(asked)

    def test_inside_the_result(self) -> None:
        """The refusal of some robots comes there."""
        asked = self.ask()
        number, _ = self.question()
        self.say(f"<ctl {DENIED}/>", kind="result", number=number)
        self.adopted()
        self.clock.advance(PATIENCE)
        self.question()
        asked.addErrback(lambda _: None)

    def test_second_refusal(self) -> None:
        """Whoever asked hears of the second one."""
        asked = self.ask()
        self.refuse(DENIED)
        self.adopted()
        self.clock.advance(PATIENCE)
        self.refuse(DENIED)
        self.assertIn(b"errno='103'", self.successResultOf(asked).body)
        self.assertEqual(self.robot.heard(), [])

    def test_several_at_once(self) -> None:
        """All that is refused meanwhile is asked again; what nobody wants any more is not."""
        battery, charge, dropped = self.ask(), self.ask("GetChargeState"), self.ask("Clean")
        for number, _ in self.questions():
            self.say(f"<ctl id='{number}' {DENIED}/>")
        self.adopted()
        dropped.cancel()
        self.failureResultOf(dropped, CancelledError)
        self.clock.advance(PATIENCE)
        names = [ctl.split("'")[1] for _, ctl in self.questions()]
        self.assertEqual(names, ["GetBatteryInfo", "GetChargeState"])
        for unanswered in (battery, charge):
            unanswered.addErrback(lambda _: None)

    def test_no_repair(self) -> None:
        """A refusal that nobody can mend, and a wheel, go to whoever asked."""
        for mark in (
            "ret='fail' errno='103'",
            "ret='fail' errno='103' admin='fuid_x@ecouser.net'",
        ):
            asked = self.ask()
            self.refuse(mark)
            self.assertIn(b"errno='103'", self.successResultOf(asked).body)
        self.say("<ctl td='error' error='WheelAbnormal' errno='103'/>", to=ANN)
        self.assertEqual(self.robot.heard(), [])
        self.assertEqual(self.readings(), [Errors((103,))])

    def test_others(self) -> None:
        """What a robot refuses to somebody else it hears from him again, not from us."""
        self.say(f"<ctl id='72107787' {DENIED}/>", to=ANN)
        heard = self.robot.heard()
        self.assertEqual(
            [f"jid='{UID}@ecouser.net'" in each for each in heard], [True, True, False]
        )
        self.clock.advance(PATIENCE)
        self.assertEqual(self.robot.heard(), [])
        self.assertEqual(len(self.ann.heard()), 1)

    def test_robot_goes(self) -> None:
        """A robot that goes is not asked again."""
        asked = self.ask()
        self.refuse(DENIED)
        self.presence.gone()
        self.failureResultOf(asked, DeviceOffline)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_robot_goes_unseen(self) -> None:
        """Neither is one that has no stream any more; whoever asked times out."""
        asked = self.ask()
        self.refuse(DENIED)
        self.robot.binding.close()
        self.clock.advance(PATIENCE)
        self.assertNoResult(asked)
        self.clock.advance(10)
        self.failureResultOf(asked, CommandTimedOut)


class ReportTests(GatewayCase):
    """What robots report reaches telemetry, and what we know of them grows."""

    def test_attached(self) -> None:
        """A robot that connects is registered as one that speaks XMPP."""
        expected = Device(
            DEEBOT, name=DEEBOT.did, company=Company.XMPP, kind=PayloadKind.XML, bound_at=0.0
        )
        self.assertEqual(self.registry.device(DEEBOT.did), expected)
        self.assertTrue(verifyObject(IRobotLink, self.registry.link(DEEBOT.did)))
        self.assertTrue(verifyObject(IRobotPresence, self.presence))

    def test_resource(self) -> None:
        """Whatever a robot calls its resource, it is C{atom}."""
        self.gateway.robot_connected(evolve(ITSELF, name=OZMO.did, realm="155", resource="x"))
        self.assertEqual(self.registry.device(OZMO.did).id, OZMO)

    def test_too_many(self) -> None:
        """A robot for which there is no room is refused, and nothing of it stays."""
        self.registry._most = 1
        with self.assertRaises(LoginRefused):
            self.gateway.robot_connected(evolve(ITSELF, name=OZMO.did))
        self.assertEqual(set(self.gateway._links), {DEEBOT.did})

    def test_events(self) -> None:
        """Events and answers count whoever they are for (xmpp.md 13.2)."""
        self.robot.say(f"<iq to='{ANN}' type='set' id='2'>{BATTERY}</iq>")
        self.say("<ctl id='72107787' ret='ok'><battery power='064'/></ctl>", to=ANN)
        self.say("<ctl td='BatteryInfo'><battery power='063'/></ctl>", to=None)
        self.say("<ctl td='BatteryInfo'><battery power='062'/></ctl>", to="126.ecorobot.net")
        self.say("<ctl td='BatteryInfo'><battery power='061'/></ctl>", to="nobody@ecouser.net")
        self.assertEqual(self.readings(), [Battery(each) for each in (87, 64, 63, 62, 61)])

    def test_jobs(self) -> None:
        """What it does, and what is wrong."""
        self.say("<ctl td='CleanReport'><clean type='spot' st='p'/></ctl>", to=ANN)
        self.say("<ctl td='error' errs='102'/>", to=ANN)
        self.say("<ctl td='error' errs='100'/>", to=ANN)
        [clean, wrong, well] = self.readings()
        self.assertIsInstance(clean, Clean)
        self.assertEqual((wrong, well), (Errors((102,)), Errors(())))

    def test_undated(self) -> None:
        """A job without a beginning begins when it is heard of, and has one end."""
        said = "<ctl td='CleanReport'><clean type='auto' st='{}' t='{}' a='{}'/></ctl>"
        began = int(self.clock.seconds())
        for step, time, area in (("s", 0, 0), ("p", 60, 1), ("r", 60, 1), ("h", 90, 2)):
            self.clock.advance(60)
            self.say(said.format(step, time, area), f"{UID}@ecouser.net")
            self.say(said.format(step, time, area), "fuid_other@ecouser.net")
        jobs = [each for each in self.readings() if isinstance(each, Stats)]
        self.assertEqual({job.started_at for job in jobs}, {began + 60})
        self.assertEqual(jobs[-1], Stats("", began + 60, 2, 90, "auto", stopped=True))
        self.assertEqual([job.stopped for job in jobs].count(True), 1)

    def test_overheard(self) -> None:
        """Others hear a report as robots behind MQTT write it; not an answer, and no copy."""
        report = "<ctl td=\"BatteryInfo\"><battery power='087'/></ctl>"
        written = b"<ctl td='BatteryInfo'><battery power='087'/></ctl>"
        self.say(report, f"{UID}@ecouser.net", number="2")
        self.say(report, "fuid_other@ecouser.net", number="3")
        self.say("<ctl td='error' errs='100'/>")
        self.say("<ctl id='1' td='BatteryInfo'><battery power='087'/></ctl>")
        self.say("<ctl ret='ok' errs='100'/>")
        battery = (DEEBOT.did, "BatteryInfo", written)
        self.assertEqual(
            self.overheard, [battery, (DEEBOT.did, "error", b"<ctl td='error' errs='100'/>")]
        )
        self.overheard.clear()
        for _ in range(2):
            self.clock.advance(1)
            self.say(report)
        self.assertEqual(self.overheard, [battery, battery])

    def test_repeated(self) -> None:
        """
        What a robot repeats to others is read once a second, under whatever number; what it
        says in between counts.
        """
        said = "<ctl id='{}' ret='ok'><battery power='{:03}'/></ctl>"
        for number in range(12):
            self.say(said.format(number, 87), ANN, number=str(number))
            self.clock.advance(0.1)
        self.assertEqual(self.readings(), [Battery(87), Battery(87)])
        for percent in (86, 86, 87):
            self.say(said.format(percent, percent), ANN)
        self.assertEqual(self.readings(), [Battery(86), Battery(87)])
        self.assertEqual(len(self.ann.take()), 15)

    def test_repeated_to_us(self) -> None:
        """The answer to a question of ours counts, though somebody else was told the same."""
        asked = self.ask()
        number, _ = self.question()
        self.say("<ctl id='1' ret='ok'><battery power='087'/></ctl>", ANN)
        self.say(f"<ctl id='{number}' ret='ok'><battery power='087'/></ctl>")
        self.assertEqual(
            self.successResultOf(asked).body, b"<ctl ret='ok'><battery power='087'/></ctl>"
        )

    def test_refused_again(self) -> None:
        """Everybody whom a robot refuses is heard of."""
        with capturedLogs() as events:
            for user in (ANN, "fuid_other@ecouser.net/A"):
                self.say(f"<ctl id='3' {DENIED}/>", user)
        refused = [event["user"] for event in events if "administrator" in event]
        self.assertEqual(refused, [f"{UID}@ecouser.net", "fuid_other@ecouser.net"])

    def test_firmware(self) -> None:
        """A version is news once, and remembered."""
        for _ in range(2):
            self.say("<ctl td='version'><ver name='FW'>0.16.1</ver></ctl>", to=ANN)
        self.assertEqual(self.readings(), [Firmware("0.16.1")])
        self.assertEqual(self.registry.device(DEEBOT.did).firmware, "0.16.1")

    def test_percent(self) -> None:
        """The line that tells percent is understood (mqtt.md 8.3)."""
        self.say("<ctl td='LifeSpan' type='Brush' val='095' total='365'/>", to=ANN)
        self.assertEqual(self.readings(), [LifeSpan((Part("Brush", 95, 100),))])

    def test_alert(self) -> None:
        """What a robot tells the relation service is a report (xmpp.md 11)."""
        self.robot.say(
            "<iq to='rl.ecorobot.net' type='set' id='1234'><query xmlns='com:sf'><sf td='pub' "
            "t='log' ts='1767225600000' tp='p' k='DeviceAlert' v='DorpError'/></query></iq>"
        )
        alert = Alert("DeviceAlert", "DorpError", raised_at=1767225600)
        self.assertEqual(self.readings(), [alert])

    def test_device_info(self) -> None:
        """What a robot tells of itself when it comes is for nobody else (xmpp.md 5.3)."""
        self.say("<ctl ret='ok' sn='E1'/>", to="ecouser.net", kind="result", number="14")
        self.assertEqual(self.readings(), [DeviceInfo({"sn": "E1"})])
        self.assertEqual(self.ann.take(), [])

    def test_unreadable(self) -> None:
        """What cannot be read is passed on, and means nothing to us."""
        with capturedLogs() as events:
            self.say("", to=ANN)
            self.say("<ctls/>", to=ANN)
            self.robot.say("<iq to='rl.ecorobot.net' type='set'><query xmlns='com:sf'/></iq>")
        said = [event["log_level"] for event in events if event.get("did") == DEEBOT.did]
        self.assertEqual((said, self.reports), ([LogLevel.debug] * 3, []))

    def test_wedged(self) -> None:
        """A robot that needs its button pressed is complained about, once in a while."""
        with capturedLogs() as events:
            for _ in range(3):
                self.say("<ctl id='72107787' ret='fail' errno='5'/>", to=ANN)
        self.assertEqual([event["log_level"] for event in events], [LogLevel.warn])

    def test_removed(self) -> None:
        """A robot that was removed while connected talks to nobody, and breaks nothing."""
        self.successResultOf(self.registry.forget(DEEBOT.did))
        self.robot.say(f"<iq to='{ANN}' type='set' id='2'>{BATTERY}</iq>")
        self.assertEqual(self.reports, [])
        self.presence.gone()


class DialogueTests(GatewayCase):
    """The books behind it."""

    def test_numbers(self) -> None:
        """Eight digits, each once before one repeats."""
        self.assertEqual(list(islice(numbers(0), 2)), ["10000000", "10000001"])
        self.assertEqual(list(islice(numbers(89_999_999), 2)), ["99999999", "10000000"])

    def test_bounded(self) -> None:
        """However many are asked, only so many are remembered, and none twice."""
        sent: list[bytes] = []
        dialogue = Dialogue(self.clock, lambda _, each: sent.append(each), DEEBOT, numbers(5))
        link = RecordingLink()
        for index in range(MOST + 9):
            command = Command(DEEBOT, "Clean", b"<ctl/>", PayloadKind.XML)
            link.deliver(command, next(request_ids(index)))
            dialogue.ask(Asked(command, link.requests[-1]))
        self.assertEqual((len(dialogue._open), len(set(sent))), (MOST, MOST + 9))
        self.assertIsNone(dialogue.answered("10000005"))
        self.assertIsNotNone(dialogue.answered("x", str(10_000_005 + MOST + 8)))
