"""The nouns of the project: small, immutable, compared by value."""

from enum import Enum
from typing import NewType

from attrs import field, frozen

#: Names one question to one robot; unique among the questions that are open (mqtt.md 6.2).
RequestId = NewType("RequestId", str)


#: Stands for the owner of the box among user ids.  No account has it: these are hashes, or what
#: clients bring along, which has no colon.
OWNER = ":owner"


class PayloadKind(Enum):
    """How a robot writes its payloads: the last level of its topics (mqtt.md 4.1)."""

    JSON = "j"
    XML = "x"
    BINARY = "b"


class Company(Enum):
    """What clients read to choose a protocol (http-devices.md 1)."""

    MQTT = "eco-ng"
    XMPP = "eco-legacy"


class Role(Enum):
    """What kind of party a principal is (mqtt.md 2.1)."""

    ROBOT = "robot"
    USER = "user"
    SERVICE = "service"
    OWNER = "owner"
    ANONYMOUS = "anonymous"


@frozen
class DeviceId:
    """The three names that address a robot on every wire (mqtt.md 2.1)."""

    did: str
    model: str
    resource: str

    def __str__(self) -> str:
        return f"{self.did}/{self.model}/{self.resource}"


@frozen
class Device:
    """
    One robot as we remember it.

    @ivar name: the serial number it logs in with; empty when it never told.
    @ivar nick: what its owner calls it; empty until named.
    @ivar bound_at: first contact, in seconds since the epoch.
    @ivar home: the home it is in; empty for its owner's first home.
    """

    id: DeviceId
    name: str = ""
    company: Company = Company.MQTT
    kind: PayloadKind = PayloadKind.JSON
    nick: str = ""
    firmware: str = ""
    bound_at: float = 0.0
    home: str = ""


@frozen
class Principal:
    """
    Somebody whose credentials were checked.

    @ivar name: a robot's did, a user's uid, or the account name of a local service; empty for
        somebody anonymous.
    @ivar realm: a robot's class, or the realm as the client spelt it (mqtt.md 2.2).
    @ivar label: what it calls itself besides: a robot's serial number.
    @ivar firmware: the version a robot told at login; empty when it did not.
    """

    role: Role
    name: str
    realm: str = ""
    resource: str = ""
    label: str = ""
    firmware: str = ""

    @property
    def device(self) -> DeviceId:
        """The address of a robot."""
        return DeviceId(self.name, self.realm, self.resource)

    def __str__(self) -> str:
        return f"{self.role.value} {self.name}".rstrip()


@frozen
class Command:
    """One thing a person or a program wants one robot to do."""

    device: DeviceId
    name: str
    body: bytes
    kind: PayloadKind = PayloadKind.JSON


@frozen
class Reply:
    """What the robot answered to a command, as it was on the wire."""

    command: Command
    request: RequestId
    body: bytes


@frozen
class Message:
    """
    One publication on its way through the broker.

    @ivar origin: who published it; C{None} when we did.
    """

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    origin: Principal | None = None


@frozen
class User:
    """An account of the household."""

    uid: str
    account: str
    created_at: float = 0.0


@frozen
class Token:
    """
    A ticket that opens something until it expires.

    Only the digest of its text is kept, so a stolen database opens nothing.

    @ivar digest: SHA-256 of the text, in hexadecimal.
    @ivar purpose: C{"access"} for the private API, C{"user"} for portal and MQTT.
    @ivar client: the device id of the client it was given to.
    @ivar expires_at: seconds since the epoch.
    """

    digest: str
    uid: str
    purpose: str
    expires_at: float
    client: str = ""


@frozen
class Home:
    """A named group of robots of one user (http-endpoints.md 6)."""

    id: str
    uid: str
    name: str
    created_at: float = 0.0


@frozen
class CleaningLog:
    """
    One cleaning job (mqtt.md 11).  C{None} means the robot has not said.

    @ivar started_at: seconds since the epoch.
    @ivar duration: seconds.
    @ivar area: square metres.
    @ivar stop_reason: 1 finished, 2 stopped by the user, 3 stopped with a warning.
    @ivar image_url: what the picture of it is called, where it is stored; where it is shown, its
        address.
    @ivar extras: further fields under the names clients read (http-devices.md 5.1).
    """

    device: DeviceId
    job: str
    started_at: int
    type: str | None = None
    duration: int | None = None
    area: int | None = None
    stop_reason: int | None = None
    image_url: str | None = None
    extras: dict[str, object] = field(factory=dict)

    @property
    def id(self) -> str:
        """The key that reports about the same job share."""
        return f"{self.device.did}@{self.started_at}@{self.device.resource}"
