"""
The nouns of MQTT 3.1.1: one record per control packet.

Records say what was on the wire and nothing more; L{bumper_tw.wire.mqtt_codec} makes
sure that only legal ones come out of a stream.
"""

from enum import IntEnum
from typing import Final

from attrs import define, field, frozen

#: What SUBACK says, at the filter's position, when a subscription is refused (MQTT 3.1.1,
#: 3.9.3).  Clients of MQTT 3.1 do not know it and get it all the same (mqtt.md 5.2).
SUBSCRIPTION_REFUSED: Final = 0x80

#: The level that each protocol name announces when we can speak it (mqtt.md 1.5).
SPOKEN: Final = {"MQTT": 4, "MQIsdp": 3}


class ConnectCode(IntEnum):
    """The verdicts a CONNACK can carry (MQTT 3.1.1, 3.2.2.3; when: mqtt.md 3.4)."""

    ACCEPTED = 0
    UNACCEPTABLE_LEVEL = 1
    IDENTIFIER_REJECTED = 2
    SERVER_UNAVAILABLE = 3
    BAD_CREDENTIALS = 4
    NOT_AUTHORIZED = 5


@frozen
class Will:
    """What the server says for a client that vanishes without DISCONNECT."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


@frozen
class Connect:
    """
    The first packet: who a client claims to be.

    Of a CONNECT in a version we do not speak only name and level are known; all the rest
    has its default then.

    @ivar level: the protocol level: 4 for MQTT 3.1.1, 3 for MQTT 3.1, 5 for MQTT 5.
    @ivar keep_alive: seconds; 0 asks for no limit.
    @ivar client_id: may be empty; what that means is for the caller to say.
    @ivar password: a secret, and so not part of the C{repr}.
    """

    protocol_name: str = "MQTT"
    level: int = 4
    clean: bool = True
    keep_alive: int = 0
    client_id: str = ""
    username: str | None = None
    password: bytes | None = field(default=None, repr=False)
    will: Will | None = None

    @property
    def spoken(self) -> bool:
        """Whether name and level together announce a version that we speak."""
        return SPOKEN.get(self.protocol_name) == self.level


@frozen
class ConnAck:
    """The verdict on a CONNECT."""

    code: ConnectCode
    session_present: bool = False


@define
class Publish:
    """
    A message, in either direction.

    Not frozen, as one is made for every message: freezing would take most of the time of
    reading it.  Nobody changes one.

    @ivar packet_id: C{None} with QoS 0, 1 to 65535 with QoS 1 and 2.
    """

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    dup: bool = False
    packet_id: int | None = None


@frozen
class PubAck:
    """The end of a QoS 1 delivery."""

    packet_id: int


@frozen
class PubRec:
    """QoS 2, second step: the receiver has the message."""

    packet_id: int


@frozen
class PubRel:
    """QoS 2, third step: the sender has forgotten the message."""

    packet_id: int


@frozen
class PubComp:
    """QoS 2, last step: the receiver has forgotten the packet id."""

    packet_id: int


@frozen
class Subscribe:
    """
    A wish to hear messages.

    @ivar requests: filters, each with the highest QoS wanted; never empty.  Their wildcards
        are not checked yet: one bad filter is refused in the SUBACK, not by closing.
    """

    packet_id: int
    requests: tuple[tuple[str, int], ...]


@frozen
class SubAck:
    """
    The verdicts on a SUBSCRIBE, in its order.

    @ivar codes: for each filter the QoS granted, or L{SUBSCRIPTION_REFUSED}.
    """

    packet_id: int
    codes: tuple[int, ...]


@frozen
class Unsubscribe:
    """A wish to hear no more; C{filters} is never empty."""

    packet_id: int
    filters: tuple[str, ...]


@frozen
class UnsubAck:
    """The end of an UNSUBSCRIBE."""

    packet_id: int


@frozen
class PingReq:
    """A client's sign of life."""


@frozen
class PingResp:
    """The answer to it."""


@frozen
class Disconnect:
    """A client's farewell: its will is forgotten, and nothing may follow."""


Packet = (
    Connect
    | ConnAck
    | Publish
    | PubAck
    | PubRec
    | PubRel
    | PubComp
    | Subscribe
    | SubAck
    | Unsubscribe
    | UnsubAck
    | PingReq
    | PingResp
    | Disconnect
)

#: What answers a message first, by its QoS, whoever sent it (MQTT 3.1.1, 4.3).
FIRST_REPLY: Final[dict[int, type[PubAck | PubRec]]] = {1: PubAck, 2: PubRec}


def reply_to(packet: Packet) -> PubAck | PubRec | PubRel | PubComp | None:
    """
    The next step of a QoS 1 or 2 delivery, at either end, once C{packet} was dealt with.

    @return: C{None} if the packet asks for no such step.
    """
    match packet:
        case Publish(qos=qos, packet_id=int(packet_id)):
            return FIRST_REPLY[qos](packet_id)
        case PubRec(packet_id=packet_id):
            return PubRel(packet_id)
        case PubRel(packet_id=packet_id):
            return PubComp(packet_id)
    return None
