"""A broker in memory with everything behind it, and scripted clients that speak real bytes."""

from collections.abc import Iterable
from itertools import count
from typing import Any, ClassVar

from attrs import define, field
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from bumper_tw.broker_interfaces import IMqttStore
from bumper_tw.core.commands import CommandCorrelator, request_ids
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.mqtt_clients import ClientLimits
from bumper_tw.core.mqtt_journal import Journal
from bumper_tw.core.mqtt_router import BrokerLimits, MqttBroker
from bumper_tw.core.mqtt_rules import MqttRules
from bumper_tw.core.mqtt_session import SessionLimits
from bumper_tw.core.telemetry import Telemetry
from bumper_tw.dialect import topics
from bumper_tw.dialect.logins import MqttCredentials
from bumper_tw.interfaces import IAuthenticator
from bumper_tw.mqtt.factory import ConnectionLimits, MqttFactory
from bumper_tw.mqtt.gateway import MqttGateway
from bumper_tw.mqtt.plain import PlainGateway
from bumper_tw.storage.memory import MemoryDeviceStore, MemoryMqttStore
from bumper_tw.values import DeviceId, Principal, Role
from bumper_tw.wire.mqtt_client import ClientConnection
from bumper_tw.wire.mqtt_codec import PacketBuffer, encode
from bumper_tw.wire.mqtt_packets import ConnAck, Connect, Packet, PubAck, Publish, SubAck
from tests.lines import Line
from tests.samples import ALICE, DASHBOARD, DUSTY_ITSELF, RUSTY_ITSELF

LARGEST = 2**21


@implementer(IAuthenticator)
@define(eq=False)
class Doorkeeper:
    """
    Lets in at once whom it knows; of others, whoever writes the test decides later.

    @ivar asked: the credentials so far.
    @ivar undecided: the verdicts that are still open, by client id.
    @ivar cancelled: how many of them nobody waited for.
    @ivar stubborn: what such a one fires with all the same; C{None} for a normal end.
    """

    known: dict[str, Principal] = field(factory=dict)
    asked: list[MqttCredentials] = field(factory=list)
    undecided: dict[str, Deferred[Principal]] = field(factory=dict)
    cancelled: int = 0
    stubborn: Principal | Failure | None = None

    def login(self, credentials: object) -> Deferred[Principal]:
        assert isinstance(credentials, MqttCredentials)
        self.asked.append(credentials)
        known = self.known.get(credentials.client_id)
        if known is not None:
            return succeed(known)
        verdict: Deferred[Principal] = Deferred(self._give_up)
        self.undecided[credentials.client_id] = verdict
        return verdict

    def _give_up(self, verdict: Deferred[Principal]) -> None:
        self.cancelled += 1
        if self.stubborn is not None:
            verdict.callback(self.stubborn)


def client_id(who: Principal) -> str:
    """The client id somebody comes with (mqtt.md 2.1)."""
    return who.name if who.role is Role.SERVICE else f"{who.name}@{who.realm}/{who.resource}"


class World:
    """The broker with its gateways and the real things behind them."""

    def __init__(
        self,
        *people: Principal,
        session: SessionLimits | None = None,
        connection: ConnectionLimits | None = None,
        takeovers_per_minute: int = 3,
        plain: bool = False,
        store: "IMqttStore | None" = None,
    ) -> None:
        self.clock = Clock()
        self.clock.advance(1_767_225_600)
        self.registry = DeviceRegistry(self.clock, MemoryDeviceStore())
        self.commands = CommandCorrelator(self.clock, self.registry, request_ids(1))
        self.telemetry = Telemetry()
        limits = BrokerLimits(session or SessionLimits(), ClientLimits(takeovers_per_minute))
        journal = Journal(self.clock, store or MemoryMqttStore())
        self.broker = MqttBroker(self.clock, MqttRules(self.registry), journal, limits)
        self.gateway = MqttGateway(
            self.clock, self.broker, self.registry, self.commands, self.telemetry
        )
        if plain:
            PlainGateway(self.clock, self.broker, self.registry, self.commands)
        numbers = count(1)
        self.door = Doorkeeper({client_id(who): who for who in people})
        self.factory = MqttFactory(
            self.clock,
            self.door,
            self.broker,
            self.gateway.robot_connected,
            connection or ConnectionLimits(),
            lambda size: f"{next(numbers):0{2 * size}x}",
        )

    def settle(self) -> None:
        """Let happen what is due now."""
        while any(call.getTime() <= self.clock.seconds() for call in self.clock.getDelayedCalls()):
            self.clock.advance(0)

    def build(self, host: str) -> Protocol:
        """What a listener makes for a connection, where nobody anonymous may come in."""
        return self.factory.door(False).buildProtocol(IPv4Address("TCP", host, 50_000))

    def dial(self, who: Principal | str, host: str = "192.0.2.7") -> "Client":
        """Open a connection, and say nothing yet."""
        return Client(self, who if isinstance(who, str) else client_id(who), host)

    def connect(self, who: Principal | str, keep_alive: int = 60) -> "Client":
        """Open a connection and log in."""
        client = self.dial(who)
        client.connect(keep_alive)
        self.settle()
        return client

    def robot(self, who: Principal) -> "Client":
        """A robot that is connected and hears its commands."""
        client = self.connect(who)
        client.subscribe(*topics.robot_filters(who.device)[:1])
        client.take()
        return client


class Client:
    """
    One client, as its script makes it.

    @ivar pieces: whether it sends byte by byte.
    """

    def __init__(self, world: World, name: str, host: str) -> None:
        self.world, self.name, self.pieces = world, name, False
        self.speech = ClientConnection(LARGEST)
        self.line = Line(world.clock, host, world.build(host))
        self._read = 0

    def send(self, *written: bytes) -> None:
        """Send everything in one piece, or byte by byte."""
        data = b"".join(written)
        for piece in [data[i : i + 1] for i in range(len(data))] if self.pieces else [data]:
            self.line.receive(piece)
        self.world.settle()

    def connection(self, keep_alive: int = 60, clean: bool = True) -> bytes:
        """Its CONNECT."""
        packet = Connect(
            clean=clean,
            keep_alive=keep_alive,
            client_id=self.name,
            username="E0001",
            password=b"s",
        )
        return self.speech.connect(packet)

    def connect(self, keep_alive: int = 60, clean: bool = True) -> None:
        """Say who it is."""
        self.send(self.connection(keep_alive, clean))

    def subscribe(self, *filters: str, qos: int = 0) -> None:
        """Ask for messages."""
        self.send(self.speech.subscribe([(wanted, qos) for wanted in filters])[1])

    def publish(self, topic: str, payload: bytes, qos: int = 0) -> None:
        """Say something."""
        self.send(self.speech.publish(topic, payload, qos)[1])

    def answer(self, message: Publish, body: bytes) -> None:
        """Answer a command as robots do: parties swapped, the rest repeated (mqtt.md 4.1)."""
        _, _, name, *sender, did, model, res, _, request, kind = message.topic.split("/")
        own, asker = f"{did}/{model}/{res}", "/".join(sender)
        self.publish(f"iot/p2p/{name}/{own}/{asker}/p/{request}/{kind}", body)

    def take_raw(self) -> bytes:
        """The bytes it has read since the last look."""
        fresh = bytes(self.line.sent[self._read :])
        self._read = len(self.line.sent)
        return fresh

    def take(self) -> list[Packet]:
        """What it has heard since the last look, checked to answer what it asked."""
        return list(self.speech.receive(self.take_raw()))

    def heard(self) -> list[Publish]:
        """The messages among that."""
        return [packet for packet in self.take() if isinstance(packet, Publish)]

    def codes(self) -> tuple[int, ...]:
        """What the last SUBSCRIBE was granted."""
        [granted] = [packet for packet in self.take() if isinstance(packet, SubAck)]
        return granted.codes

    def verdict(self) -> int | None:
        """What CONNACK said, if there was one."""
        verdicts = [int(packet.code) for packet in self.take() if isinstance(packet, ConnAck)]
        assert len(verdicts) < 2, "two CONNACKs"
        return verdicts[0] if verdicts else None

    def acknowledge(self, *packet_ids: int | None) -> None:
        """Have QoS 1 messages."""
        self.send(*(encode(PubAck(each)) for each in packet_ids if each is not None))


class WorldCase(SynchronousTestCase):
    """
    A broker that knows two robots, a user and a service.

    @cvar options: what its L{World} is made with besides.
    """

    options: ClassVar[dict[str, Any]] = {}

    def setUp(self) -> None:
        self.world = World(DUSTY_ITSELF, RUSTY_ITSELF, ALICE, DASHBOARD, **self.options)
        self.clock = self.world.clock

    def ended(self, client: Client, within: float = 0) -> None:
        """The connection is over, and nothing of it is left."""
        self.clock.advance(within)
        self.world.settle()
        self.assertTrue(client.line.lost)
        self.assertEqual(self.clock.getDelayedCalls(), [])


def packets(data: bytes) -> list[Packet]:
    """What is in some bytes from the server, whoever asked."""
    return list(PacketBuffer(LARGEST).feed(data))


def report_topic(device: DeviceId, name: str = "onBattery", kind: str = "j") -> str:
    """Where a robot reports."""
    return f"iot/atr/{name}/{device}/{kind}"


def topics_of(messages: Iterable[Publish]) -> list[str]:
    """Where messages came from."""
    return [message.topic for message in messages]
