"""Tests for L{bumper_tw.core.acting} and L{bumper_tw.core.robot_ways}."""

import json
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.acting import SHORT, Acting, Done
from bumper_tw.core.commands import CommandCorrelator, Ending, request_ids
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.robot_ways import MOST, RobotWays
from bumper_tw.dialect.actions import Order
from bumper_tw.errors import AnswerGarbled, CommandTimedOut, DeviceOffline
from bumper_tw.readings import Battery, Notice, Report
from bumper_tw.storage.memory import MemoryDeviceStore
from bumper_tw.values import Command, DeviceId
from tests.samples import DUSTY, DUSTY_DEVICE, RecordingLink

OLD, NEW = Order("clean", {"act": "pause"}), Order("clean_V2", {"act": "pause", "content": {}})
OK = {"body": {"code": 0, "msg": "ok"}}


def failed(number: int) -> dict[str, Any]:
    """A refusal."""
    return {"body": {"code": number, "msg": "fail"}}


class ActingTests(SynchronousTestCase):
    """A robot is told in the spelling that it understands."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.registry = DeviceRegistry(self.clock, MemoryDeviceStore())
        self.link = RecordingLink()
        self.leave = self.registry.attach(DUSTY_DEVICE, self.link)
        commands = CommandCorrelator(self.clock, self.registry, request_ids(1))
        self.commands, self.ways = commands, RobotWays()
        self.acting = Acting(self.clock, commands, self.ways)
        self.ended: list[Ending] = []
        commands.watch(self.ended.append)

    def act(self, *orders: Order) -> Deferred[Done]:
        """Have one of these done."""
        return self.acting.act(DUSTY_DEVICE, orders, "page")

    def told(self) -> list[str]:
        """What the robot has been told."""
        return [command.name for command, _ in self.link.delivered]

    def answer(self, said: object) -> None:
        """The robot answers what it was told last."""
        command, request = self.link.delivered[-1]
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.commands.replied(DUSTY, command.name, request, body)

    def test_first(self) -> None:
        """The most likely spelling comes first, and is remembered if it is understood."""
        done = self.act(NEW, OLD)
        self.clock.advance(0.5)
        self.answer(OK)
        found = self.successResultOf(done)
        self.assertEqual((found.reply, found.refusal, found.seconds), (OK, "", 0.5))
        self.act(NEW, OLD)
        self.clock.advance(SHORT + 1)
        self.assertEqual(self.told(), ["clean_V2", "clean_V2"])

    def test_silence(self) -> None:
        """A robot that says nothing is told in the other spelling, and then always."""
        done = self.act(NEW, OLD)
        self.clock.advance(SHORT)
        self.answer(OK)
        self.assertEqual(self.successResultOf(done).seconds, SHORT)
        self.act(NEW, OLD)
        self.assertEqual(self.told(), ["clean_V2", "clean", "clean"])

    def test_unknown(self) -> None:
        """So is a robot that says that it does not know that."""
        done = self.act(NEW, OLD)
        self.answer(failed(20003))
        self.answer(OK)
        self.assertEqual(self.successResultOf(done).refusal, "")
        self.assertEqual(self.told(), ["clean_V2", "clean"])

    def test_refused(self) -> None:
        """A robot that understands and refuses is not asked twice."""
        done = self.act(NEW, OLD)
        self.answer(failed(3))
        self.assertEqual(self.successResultOf(done).refusal, "something is wrong with it (code 3)")
        self.assertEqual(self.told(), ["clean_V2"])

    def test_home_already(self) -> None:
        """Sent home, and there: that is done."""
        done = self.act(Order("charge", {"act": "go"}))
        self.answer(failed(30007))
        self.assertEqual(self.successResultOf(done).refusal, "")

    def test_changed_mind(self) -> None:
        """What is not understood any more is not held on to."""
        self.ways.learn(DUSTY, "clean_V2")
        for expected in ([NEW], [OLD, NEW]):
            done = self.act(NEW, OLD)
            self.clock.advance(10)
            self.failureResultOf(done, CommandTimedOut)
            self.assertEqual(self.ways.of(DUSTY, (NEW, OLD)), expected)

    def test_all_silent(self) -> None:
        """It fails when no spelling is answered."""
        done = self.act(NEW, OLD)
        self.clock.advance(SHORT)
        self.clock.advance(10)
        self.failureResultOf(done, CommandTimedOut)

    def test_offline(self) -> None:
        """A robot that is away is not waited for."""
        self.leave()
        self.failureResultOf(self.act(NEW, OLD), DeviceOffline)

    def test_garbled(self) -> None:
        """An answer that makes no sense is a failure."""
        done = self.act(OLD)
        self.answer(b"\xff{")
        self.failureResultOf(done, AnswerGarbled)

    def test_together(self) -> None:
        """Of several questions one answer is enough, and one is news; without any it fails."""
        both = (Order("getBattery"), Order("getSpeed"))
        done = self.acting.act(DUSTY_DEVICE, both, "page", together=True)
        self.answer(OK)
        self.clock.advance(6)
        self.assertEqual(self.successResultOf(done).reply, {"asked": 2, "answered": 1})
        self.assertEqual([end.by for end in self.ended], ["", "page"])
        done = self.acting.act(DUSTY_DEVICE, both, "page", together=True)
        self.clock.advance(6)
        self.failureResultOf(done, CommandTimedOut)


class WaysTests(SynchronousTestCase):
    """What is learnt from what others ask, and from reports."""

    def setUp(self) -> None:
        self.ways = RobotWays()

    def heard(self, name: str, body: bytes | None) -> None:
        """Somebody has told a robot something."""
        self.ways.heard(Ending(Command(DUSTY, name, b"{}"), "app", "answered", 0.1, None, body))

    def test_overheard(self) -> None:
        """An order of an app shows what a robot understands."""
        self.heard("clean_V2", b'{"header":{},"body":{"code": 0,"msg":"ok"}}')
        self.assertEqual(self.ways.of(DUSTY, (NEW, OLD)), [NEW])

    def test_odd(self) -> None:
        """One that understands another spelling, or none, is no trouble for those of its class."""
        odd, new = DeviceId("odd", DUSTY.model, "x"), DeviceId("new", DUSTY.model, "x")
        self.ways.learn(DUSTY, "clean_V2")
        self.ways.unlearn(odd, "clean_V2")
        self.assertEqual(self.ways.of(odd, (NEW, OLD)), [OLD, NEW])
        self.ways.learn(odd, "clean")
        for one, way in ((odd, OLD), (DUSTY, NEW), (new, NEW)):
            self.assertEqual(self.ways.of(one, (NEW, OLD)), [way])
        self.ways.forget("odd")
        self.assertEqual(self.ways.of(odd, (NEW, OLD)), [NEW])

    def test_not_understood(self) -> None:
        """A refusal, silence, and other commands show nothing."""
        self.heard("clean_V2", b'{"body":{"code":20003}}')
        self.heard("clean_V2", None)
        self.heard("getCleanInfo_V2", b'{"body":{"code":0}}')
        self.assertEqual(self.ways.of(DUSTY, (NEW, OLD)), [NEW, OLD])

    def test_station(self) -> None:
        """A robot that reports about a station has one, until it is removed."""
        self.ways.reported(Report(DUSTY.did, Battery(50), 1.0))
        self.assertFalse(self.ways.has_station(DUSTY.did))
        self.ways.reported(Report(DUSTY.did, Notice("onStationState", {}), 1.0))
        self.assertTrue(self.ways.has_station(DUSTY.did))
        self.ways.forget(DUSTY.did)
        self.assertFalse(self.ways.has_station(DUSTY.did))

    def test_bounds(self) -> None:
        """However many classes and robots there are, so many are remembered."""
        for number in range(MOST + 5):
            self.ways.learn(DeviceId(f"robot{number}", f"class{number}", "x"), "clean")
            self.ways.reported(Report(f"robot{number}", Notice("onAutoEmpty", {}), 1.0))
        for number, known in ((0, [NEW, OLD]), (9, [OLD])):
            other = DeviceId("another", f"class{number}", "x")
            self.assertEqual(self.ways.of(other, (NEW, OLD)), known)
        self.assertFalse(self.ways.has_station("robot0"))
