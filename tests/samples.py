"""Robots, people and fakes that many tests share."""

from attrs import define, field
from zope.interface import implementer

from bumper_tw.broker_interfaces import IMqttOutlet
from bumper_tw.interfaces import IRobotLink
from bumper_tw.values import Command, Device, DeviceId, PayloadKind, Principal, RequestId, Role

#: A JSON robot and an XML robot.
DUSTY = DeviceId("7c1f0a52-93be-4d0e-8a44-1b6de2f09c35", "yna5xi", "qX7d")
RUSTY = DeviceId("0b7e1c44-5a0d-4f5b-9a55-0c2f6f0b9d01", "ls1ok3", "aB3c")

DUSTY_ITSELF = Principal(Role.ROBOT, DUSTY.did, DUSTY.model, DUSTY.resource, "E0001")
RUSTY_ITSELF = Principal(Role.ROBOT, RUSTY.did, RUSTY.model, RUSTY.resource, "E0002")
ALICE = Principal(Role.USER, "fuid_alice", "ecouser", "GLBa91f03c2d")
DASHBOARD = Principal(Role.SERVICE, "dashboard")

DUSTY_DEVICE = Device(DUSTY, name="E0001")
RUSTY_DEVICE = Device(RUSTY, name="E0002", kind=PayloadKind.XML)

GET_BATTERY = Command(DUSTY, "getBattery", b"{}")


@implementer(IRobotLink)
@define(eq=False)
class RecordingLink:
    """A link that remembers what it was given."""

    delivered: list[tuple[Command, RequestId]] = field(factory=list)
    withdrawn: list[RequestId] = field(factory=list)

    def deliver(self, command: Command, request: RequestId) -> None:
        self.delivered.append((command, request))

    def withdraw(self, request: RequestId) -> None:
        self.withdrawn.append(request)

    @property
    def requests(self) -> list[RequestId]:
        """The request ids so far."""
        return [request for _, request in self.delivered]


@implementer(IMqttOutlet)
@define(eq=False)
class RecordingOutlet:
    """A connection that remembers what was written."""

    written: list[bytes] = field(factory=list)
    waiting: int = 0
    closed: list[str] = field(factory=list)

    def write(self, packet: bytes) -> None:
        self.written.append(packet)

    def backlog(self) -> int:
        return self.waiting

    def close(self, reason: str) -> None:
        self.closed.append(reason)
