"""A broker for tests, and clients without a protocol."""

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from bumper_tw.broker_interfaces import IMqttStore
from bumper_tw.core.mqtt_journal import Journal
from bumper_tw.core.mqtt_router import BrokerLimits, MqttBroker
from bumper_tw.core.mqtt_rules import MqttRules
from bumper_tw.core.mqtt_session import MqttSession
from bumper_tw.interfaces import IDeviceRegistry
from bumper_tw.storage.memory import MemoryMqttStore
from bumper_tw.values import Message, Principal
from bumper_tw.wire.mqtt_codec import PacketBuffer, encode
from bumper_tw.wire.mqtt_packets import Packet, Publish, PubRel
from tests.samples import RecordingOutlet

#: The largest packet that is looked at.
LARGEST = 2**21


def make_broker(
    clock: IReactorTime,
    registry: IDeviceRegistry,
    limits: BrokerLimits | None = None,
    store: "IMqttStore | None" = None,
) -> MqttBroker:
    """A broker that keeps things in memory, or where it is told to."""
    journal = Journal(clock, store or MemoryMqttStore())
    return MqttBroker(clock, MqttRules(registry), journal, limits)


class Party:
    """
    A client that is connected to the broker.

    @ivar session: what it does things with.
    @ivar outlet: what was written to it.
    """

    def __init__(
        self,
        broker: MqttBroker,
        who: Principal,
        name: str,
        clean: bool = True,
        will: Message | None = None,
    ) -> None:
        self.who, self.outlet = who, RecordingOutlet()
        session = broker.open(who, name, self.outlet, clean, will)
        assert isinstance(session, MqttSession)
        self.session = session
        session.resume()

    def subscribe(self, *requests: tuple[str, int]) -> list[int]:
        """Ask for messages; the codes."""
        granted = self.session.subscribe(requests)
        self.session.remind(granted)
        return list(granted.codes)

    def say(
        self,
        topic: str,
        payload: bytes = b"x",
        qos: int = 0,
        *,
        retain: bool = False,
        packet_id: int = 0,
    ) -> Deferred[None] | None:
        """Publish; what tells when it may be acknowledged."""
        message = Message(topic, payload, qos, retain, self.who)
        return self.session.publish(message, packet_id or None)

    def drop(self, farewell: bool = False) -> None:
        """The connection ends."""
        self.session.close(self.outlet, farewell)

    def take(self) -> list[Packet]:
        """What went out since the last look."""
        data = b"".join(self.outlet.written)
        self.outlet.written.clear()
        return list(PacketBuffer(LARGEST).feed(data))

    def heard(self) -> list[Publish]:
        """The messages among that."""
        return [packet for packet in self.take() if isinstance(packet, Publish)]

    def bodies(self) -> list[bytes]:
        """The payloads of those."""
        return [message.payload for message in self.heard()]

    def acknowledge(self, *packets: Packet) -> None:
        """Go one step on with each: PUBACK, PUBREC or PUBCOMP."""
        for packet in packets:
            if isinstance(packet, PubRel):
                self.session.completed(packet.packet_id)
            elif isinstance(packet, Publish) and packet.packet_id is not None:
                step = self.session.acknowledged if packet.qos == 1 else self._receive
                step(packet.packet_id)

    def _receive(self, packet_id: int) -> None:
        """PUBREC, which is answered as a connection does."""
        released, answer = self.session.received(packet_id), encode(PubRel(packet_id))
        if released is None:
            self.outlet.write(answer)
        else:
            released.addCallback(lambda _: self.outlet.write(answer))
