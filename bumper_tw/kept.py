"""
What the broker keeps on disk: each change on its own, and what all of them come to.

A session is named by a C{key} that no two parties share; what it owes its client is named
by the packet identifier, which is unique within the session until it is settled.
"""

from collections.abc import Sequence

from attrs import field, frozen

from bumper_tw.values import Message, Principal


@frozen
class Opened:
    """A client came with a persistent session, new or not: remember it as connected."""

    key: str
    who: Principal
    client_id: str


@frozen
class Left:
    """
    Its connection is gone, and the session waits.

    @ivar at: seconds since the epoch.
    @ivar sent: the number of the last message that went out to it; 0 for none.
    """

    key: str
    at: float
    sent: int


@frozen
class Ended:
    """The session is over, with everything in it."""

    key: str


@frozen
class Subscribed:
    """A filter was granted, or granted anew with another QoS."""

    key: str
    topic_filter: str
    qos: int


@frozen
class Unsubscribed:
    """A filter was taken back."""

    key: str
    topic_filter: str


@frozen
class Queued:
    """
    A message is owed to a client.

    @ivar number: of the publication, rising; the same for everybody who is owed it.
    @ivar message: C{qos} is what this client gets, 1 or 2, and C{retain} the flag it sees.
    """

    key: str
    number: int
    packet_id: int
    message: Message


@frozen
class Released:
    """The client has the message (PUBREC): from now on it is owed the PUBREL alone."""

    key: str
    packet_id: int


@frozen
class Settled:
    """Nothing is owed any more (PUBACK, PUBCOMP), or it was dropped."""

    key: str
    packet_id: int


@frozen
class Received:
    """A QoS 2 publication of the client was taken; the same identifier again repeats it."""

    key: str
    packet_id: int


@frozen
class Forgotten:
    """The client has released the identifier (PUBREL): it may mean something new."""

    key: str
    packet_id: int


@frozen
class Retained:
    """
    The last word on a topic; an empty payload takes the last word back.

    @ivar at: seconds since the epoch.
    """

    message: Message
    at: float


Change = (
    Opened
    | Left
    | Ended
    | Subscribed
    | Unsubscribed
    | Queued
    | Released
    | Settled
    | Received
    | Forgotten
    | Retained
)


@frozen
class KeptMessage:
    """A message that is owed; C{released} when only its PUBREL is."""

    number: int
    packet_id: int
    message: Message
    released: bool = False


@frozen
class KeptSession:
    """
    A session as it was left.

    @ivar left_at: seconds since the epoch; C{None} when the server ended before the
        connection did.
    @ivar sent: as in L{Left}; 0 when C{left_at} is C{None}.
    @ivar queue: in the order of their numbers.
    @ivar received: identifiers of QoS 2 publications that wait for their PUBREL.
    """

    key: str
    who: Principal
    client_id: str
    left_at: float | None = None
    sent: int = 0
    subscriptions: Sequence[tuple[str, int]] = ()
    queue: Sequence[KeptMessage] = ()
    received: frozenset[int] = frozenset()


@frozen
class Kept:
    """
    Everything, as the last run left it.

    @ivar retained: messages, each with the time it was published; C{origin} says by whom.
    @ivar number: the highest number of any message that is owed; 0 for none.
    """

    sessions: Sequence[KeptSession] = field(default=())
    retained: Sequence[tuple[Message, float]] = field(default=())
    number: int = 0
