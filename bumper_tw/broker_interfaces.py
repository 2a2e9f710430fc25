"""
The seams around the MQTT broker: its connections above, its disk below, our own code beside.

As everywhere, what returns a L{Deferred} never raises, and the rest never blocks.
"""

from collections.abc import Callable, Sequence

from attrs import frozen
from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from bumper_tw.kept import Change, Kept
from bumper_tw.values import Message, Principal


@frozen
class Granted:
    """
    What became of a SUBSCRIBE.

    @ivar requests: the filters, with the QoS asked for.
    @ivar codes: for each the granted QoS, or 0x80 for a refusal (MQTT 3.1.1, 3.9.3).
    @ivar kept: when SUBACK may be written; C{None} for at once.
    """

    requests: Sequence[tuple[str, int]]
    codes: Sequence[int]
    kept: Deferred[None] | None = None


class IMqttOutlet(Interface):
    """Where a session of the broker writes to: one connection."""

    def write(packet: bytes) -> None:
        """Send one encoded packet; never blocks, a slow reader's packets wait."""

    def backlog() -> int:
        """How many bytes wait in front of a slow reader."""

    def close(reason: str) -> None:
        """End the connection: another took its place, or the server stops."""


class IMqttLane(Interface):
    """Where publications on one topic go as they are."""

    def pass_on(packets: bytes, count: int) -> None:
        """Send so many QoS 0 packets, one behind the other, to everybody."""


class IMqttSession(Interface):
    """
    What one client of the broker may do, once it is known who it is.

    What returns a L{Deferred} or C{None} gives C{None} when it may be acknowledged at once;
    otherwise it may be acknowledged when that fires, and never if it fails, with a
    L{StorageError<bumper_tw.errors.StorageError>}.
    """

    who = Attribute("The L{Principal} whose session it is.")
    present = Attribute("Whether it goes on where an earlier connection left it (3.2.2.2).")

    ready = Attribute("A L{Deferred} that fires when CONNACK may be written; C{None} for at once.")
    filters = Attribute("The filters that are subscribed to.")

    def turn_away(outlet: IMqttOutlet) -> None:
        """The client is not let in after all; as if it had never come."""

    def resume() -> None:
        """CONNACK is written: send what waited; nothing is written before (MQTT-3.2.0-1)."""

    def subscribe(requests: Sequence[tuple[str, int]]) -> "Granted":
        """Add subscriptions."""

    def remind(granted: "Granted") -> None:
        """SUBACK is written: send the retained messages of what was granted."""

    def unsubscribe(filters: Sequence[str]) -> Deferred[None] | None:
        """Take subscriptions back."""

    def publish(message: Message, packet_id: int | None = None) -> Deferred[None] | None:
        """
        Publish, if the rules allow; otherwise it is dropped and counted.

        @param message: its C{origin} is the client.
        @param packet_id: of QoS 2; one that was not released yet makes it a repetition, which
            is not published again (MQTT-4.3.3-2).
        @raise ProtocolViolation: too many QoS 2 publications wait for their PUBREL.
        """

    def current_lanes() -> "dict[bytes, IMqttLane | None]":
        """What L{lane} said, by topic, as far as it still holds; the caller adds to it."""

    def lane(topic: bytes) -> "IMqttLane | None":
        """
        Where QoS 0 publications of the client may be passed on as packets.

        @param topic: as on the wire.
        @return: C{None} where there is more to do: they are for L{publish}.
        """

    def released(packet_id: int) -> Deferred[None] | None:
        """PUBREL: the client has forgotten its QoS 2 publication."""

    def acknowledged(packet_id: int) -> None:
        """PUBACK: the client has a QoS 1 publication."""

    def received(packet_id: int) -> Deferred[None] | None:
        """PUBREC: the client has a QoS 2 publication, or says that it has some."""

    def completed(packet_id: int) -> None:
        """PUBCOMP: the client has released a QoS 2 publication."""

    def drained() -> None:
        """The client reads again: nothing waits at the outlet any more."""

    def last_words() -> None:
        """The server stops: publish the will while everybody is here to hear it."""

    def close(outlet: IMqttOutlet, farewell: bool) -> None:
        """
        A connection is gone; harmless when repeated, or when another one took its place.

        @param farewell: whether the client said DISCONNECT, so that its will is forgotten.
        """


class IMqttRouter(Interface):
    """A broker as our own code sees it: embedded, external, or in memory."""

    def publish(message: Message) -> None:
        """Deliver to every match before returning, in the order of calls."""

    def subscribe(topic_filter: str, deliver: Callable[[Message], None]) -> Callable[[], None]:
        """Hear whatever matches; the result takes it back."""

    def wanted(topic: str) -> bool:
        """Whether any client would hear a publication on C{topic}."""


class IMqttBroker(IMqttRouter):
    """The embedded broker, as its connections see it."""

    def open(
        who: Principal,
        client_id: str,
        outlet: IMqttOutlet,
        clean: bool = True,
        will: Message | None = None,
    ) -> IMqttSession:
        """
        A client is welcome; another connection with its client id is closed first.

        @param clean: forget what an earlier connection left, and leave nothing.
        @param will: published when the connection ends without DISCONNECT, if the rules allow.
        @raise LoginRefused: the id is in use by somebody else, or changes hands too often.
        """


class IMqttStore(Interface):
    """What the broker keeps, on disk."""

    def load() -> Deferred[Kept]:
        """Everything."""

    def apply(changes: Sequence[Change]) -> Deferred[None]:
        """
        Make changes, in order, all or none; fires when they are safe from a power cut.

        Changes of what is not there (any more) do nothing.
        """
