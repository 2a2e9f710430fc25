"""Robots with maps, and somebody who asks them."""

import json
from collections.abc import Callable
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from bumper_tw.core.commands import CommandCorrelator, request_ids
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.maps import MapBook
from bumper_tw.core.surveying import Surveyor
from bumper_tw.interfaces import IRobotLink
from bumper_tw.simulator.floorplan import Floorplan
from bumper_tw.storage.memory import MemoryDeviceStore
from bumper_tw.values import Command, Device, DeviceId, PayloadKind, RequestId
from tests.core.atlas import NotedFeed

DUSTY = Device(DeviceId("did1", "yna5xi", "res1"))
OLDIE = Device(DeviceId("did2", "ls1ok3", "res2"), kind=PayloadKind.XML)
SUMS = ["1295764014"] * 64

#: What a robot says to a question, given its arguments; C{None} for a refusal.
Says = Callable[[Any], Any]


class Silent(Exception):
    """The robot says nothing."""


def silent(_: Any) -> Any:
    """Says nothing."""
    raise Silent


def always(said: Any) -> Says:
    """Says the same, whatever it is asked."""
    return lambda _: said


@implementer(IRobotLink)
class MappedRobot:
    """A robot with a map; it answers when it is told to, or at once."""

    def __init__(self, commands: CommandCorrelator) -> None:
        self._commands = commands
        self.says: dict[str, Says] = {}
        self.heard: list[Command] = []
        self.waiting: list[tuple[Command, RequestId]] = []
        self.is_slow = False
        self.most = 0

    def deliver(self, command: Command, request: RequestId) -> None:
        self.heard.append(command)
        self.waiting.append((command, request))
        self.most = max(self.most, len(self.waiting))
        if not self.is_slow:
            self.answer()

    def withdraw(self, request: RequestId) -> None:
        self.waiting = [each for each in self.waiting if each[1] != request]

    def answer(self) -> None:
        """Say something to the first question that waits."""
        command, request = self.waiting.pop(0)
        try:
            body = self.body(command)
        except Silent:
            self.waiting.append((command, request))
            return
        self._commands.replied(command.device, command.name, request, body)

    def body(self, command: Command) -> bytes:
        """What it says."""
        says = self.says.get(command.name)
        if command.kind is PayloadKind.XML:
            return b"<ctl ret='fail'/>" if says is None else bytes(says(None))
        asked = json.loads(command.body).get("body", {}).get("data")
        data = None if says is None else says(asked)
        body = {"code": 20003} if data is None else {"code": 0, "data": data}
        return json.dumps({"header": {}, "body": body}).encode()

    @property
    def names(self) -> list[str]:
        """What it was asked."""
        return [command.name for command in self.heard]


class SurveyCase(SynchronousTestCase):
    """A robot, and somebody who asks it."""

    device = DUSTY

    def setUp(self) -> None:
        self.clock, self.feed = Clock(), NotedFeed()
        self.clock.advance(1000)
        self.registry = DeviceRegistry(self.clock, MemoryDeviceStore())
        self.commands = CommandCorrelator(self.clock, self.registry, request_ids(7))
        self.book = MapBook(self.clock, self.feed)
        self.watched = True
        self.surveyor = Surveyor(
            self.clock, self.registry, self.commands, self.book, lambda _: self.watched
        )
        self.robot, self.plan = MappedRobot(self.commands), Floorplan()
        self.plan.seen.update(self.plan.inhabited())
        self.detach = self.registry.attach(self.device, self.robot)
        self.robot.says |= {"getMajorMap": self.major, "getMinorMap": self.minor}

    @property
    def did(self) -> str:
        """The robot."""
        return self.device.id.did

    def major(self, _: Any) -> Any:
        """The map as a whole."""
        return {"mid": "12", "value": ",".join(map(str, self.plan.checksums()))}

    def minor(self, data: Any) -> Any:
        """A piece."""
        index = data["pieceIndex"]
        return {"mid": "12", "pieceIndex": index, "pieceValue": self.plan.packed_piece(index)}

    def survey(self) -> bool:
        """Ask for everything."""
        return self.successResultOf(self.surveyor.survey(self.did))

    def count(self, name: str) -> int:
        """How often something was asked."""
        return self.robot.names.count(name)
