"""A robot on a string transport, with the server's side played by the test."""

from __future__ import annotations

import json
from typing import Any

from attrs import define, field
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from zope.interface import implementer

from bumper_tw.simulator.any_robot import AT_ONCE
from bumper_tw.simulator.identity import Identity, Kind, Profile, identities
from bumper_tw.simulator.mqtt import Splitter, packet, text
from bumper_tw.simulator.robot import SimulatedRobot

HELPER = "helperbot/bumper/helperbot"


@implementer(IStreamClientEndpoint)
@define(eq=False)
class StringEndpoint:
    """Connects to string transports; the next C{refusals} attempts fail."""

    transports: list[StringTransportWithDisconnection] = field(factory=list)
    protocols: list[Any] = field(factory=list)
    refusals: int = 0
    attempts: int = 0

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        self.attempts += 1
        if self.refusals > 0:
            self.refusals -= 1
            return fail(ConnectError())
        protocol: Any = factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 8883))
        transport = StringTransportWithDisconnection()
        transport.protocol = protocol
        self.transports.append(transport)
        self.protocols.append(protocol)
        protocol.makeConnection(transport)
        return succeed(protocol)


def said(transport: StringTransportWithDisconnection) -> list[tuple[int, bytes]]:
    """Take the packets written since the last call: first byte and body."""
    packets = list(Splitter().feed(transport.value()))
    transport.clear()
    return packets


def published(packets: list[tuple[int, bytes]]) -> list[tuple[str, bytes]]:
    """Pick topic and payload of every PUBLISH."""
    bodies = [body for first, body in packets if first == 0x30]
    sizes = [2 + int.from_bytes(body[:2], "big") for body in bodies]
    return [(body[2:size].decode(), body[size:]) for body, size in zip(bodies, sizes, strict=True)]


def data_of(payload: bytes) -> Any:
    """Take C{body.data} out of a JSON message."""
    return json.loads(payload)["body"]["data"]


@define(eq=False)
class Rig:
    """
    One robot and its server.

    @ivar ready: what C{start} returned
    """

    kind: Kind = Kind.JSON
    profile: Profile = field(factory=Profile)
    speed: float = 1.0
    latency: tuple[float, float] = AT_ONCE
    clock: Clock = field(factory=Clock)
    endpoint: StringEndpoint = field(factory=StringEndpoint)
    identity: Identity = field(init=False)
    robot: SimulatedRobot = field(init=False)
    ready: Deferred[None] = field(init=False)

    def __attrs_post_init__(self) -> None:
        [self.identity] = identities(1, self.kind)
        self.clock.advance(1767225600)
        self.robot = SimulatedRobot(
            self.clock,
            self.endpoint,
            self.identity,
            self.kind,
            self.profile,
            self.speed,
            latency=self.latency,
        )

    @property
    def own(self) -> str:
        """The robot's three topic levels."""
        return f"{self.identity.did}/{self.identity.cls}/{self.identity.resource}"

    @property
    def transport(self) -> StringTransportWithDisconnection:
        """The newest connection."""
        return self.endpoint.transports[-1]

    def start(self) -> Rig:
        """Switch on and connect."""
        self.ready = self.robot.start()
        self.ready.addErrback(lambda failure: failure)
        return self

    def hear(self, data: bytes) -> None:
        """Give the robot bytes."""
        self.endpoint.protocols[-1].dataReceived(data)

    def accept(self) -> Rig:
        """Accept the login, grant every filter, and forget what was said until then."""
        self.hear(b"\x20\x02\x00\x00")
        for first, body in said(self.transport):
            if first == 0x82:
                self.hear(b"\x90\x03" + body[:2] + b"\0")
        return self

    def greeted(self) -> Rig:
        """Come up and let the greetings pass."""
        self.start().accept()
        self.clock.pump([0.2 / self.speed] * 8)
        said(self.transport)
        return self

    def events(self) -> list[tuple[str, bytes]]:
        """Take name and payload of the events since the last call."""
        return [
            (topic.split("/")[2], payload)
            for topic, payload in published(said(self.transport))
            if topic.startswith("iot/atr/")
        ]

    def request(
        self,
        command: str,
        payload: bytes = b"{}",
        request_id: str = "AbCd",
        letter: str = "",
        direction: str = "q",
        sender: str = HELPER,
    ) -> None:
        """Deliver a request."""
        letter = letter or self.kind.value
        topic = f"iot/p2p/{command}/{sender}/{self.own}/{direction}/{request_id}/{letter}"
        self.hear(packet(0x30, text(topic) + payload))

    def ask(self, command: str, data: object = None, request_id: str = "AbCd") -> Any:
        """
        Deliver a JSON request and take the reply.

        @return: the body of the reply, L{None} for silence
        """
        said(self.transport)
        body = {} if data is None else {"body": {"data": data}}
        payload = json.dumps({"header": {"pri": "1"}, **body}).encode()
        self.request(command, payload, request_id)
        sent = published(said(self.transport))
        replies = [payload for topic, payload in sent if topic.startswith("iot/p2p/")]
        return json.loads(replies[0])["body"] if replies else None

    def ask_xml(self, command: str, payload: bytes = b"<ctl/>") -> str | None:
        """Deliver an XML request and take the text of the reply."""
        said(self.transport)
        self.request(command, payload)
        sent = published(said(self.transport))
        replies = [payload for topic, payload in sent if topic.startswith("iot/p2p/")]
        return replies[0].decode() if replies else None

    def run(self, seconds: float, step: float = 0.125) -> None:
        """Let the robot's seconds pass in small steps, exact ones for speeds like 16."""
        self.clock.pump([step / self.speed] * round(seconds / step))
