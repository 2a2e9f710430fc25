"""Who a simulated robot is and which firmware habits it has (robots.md 2.1, 4.1)."""

from __future__ import annotations

import base64
import json
import random
import string
import uuid
from collections.abc import Callable
from enum import Enum

from attrs import evolve, field, frozen

from bumper_tw.simulator.mqtt import Login

ALPHANUMERIC = string.ascii_letters + string.digits


class Kind(Enum):
    """The two MQTT dialects; the value is the format letter of the topics."""

    JSON = "j"
    XML = "x"


class Generation(Enum):
    """Which clean commands the firmware knows (robots.md 5.4)."""

    OLD = "old"
    NEW = "new"


class UserName(Enum):
    """How a robot writes the CONNECT user name (robots.md 4.1)."""

    PLAIN = "plain"
    META = "meta"
    AT = "at"


class LifeShape(Enum):
    """Which attributes an XML robot gives in C{GetLifeSpan} (robots.md 6.3)."""

    LEFT_TOTAL = "left+total"
    LEFT = "left"
    VAL_TOTAL = "val+total"
    BLANK = "blank"


@frozen
class Identity:
    """
    Names and secrets of one robot; C{cls} is the class and C{fw} the firmware version.

    @ivar owner: address of the user an XMPP robot was sold to, empty for other robots
    @ivar key: what the app gave it to be recognised by when it was paired, C{sc}
    """

    did: str
    sn: str
    cls: str
    resource: str
    secret: str = field(repr=False)
    mac: str
    ip: str
    ssid: str
    fw: str
    owner: str = ""
    key: str = field(default="", repr=False)


@frozen
class Profile:
    """
    Firmware habits.

    @ivar wide: subscribe with C{+} in place of C{q}
    @ivar unknown_fails: answer unknown commands with a failure instead of silence
    @ivar station: an emptying station is attached
    @ivar position_every: seconds between two positions while moving
    @ivar permitted: senders whose requests are no violation
    @ivar time_sync: expect exactly one time synchronisation per connection
    """

    generation: Generation = Generation.OLD
    user_name: UserName = UserName.PLAIN
    life_shape: LifeShape = LifeShape.LEFT_TOTAL
    wide: bool = False
    unknown_fails: bool = False
    station: bool = False
    position_every: int = 1
    permitted: frozenset[str] = frozenset({"helperbot/bumper/helperbot"})
    time_sync: bool = False


CLASSES = {Kind.JSON: "yna5xi", Kind.XML: "ls1ok3"}
FIRMWARE = {Kind.JSON: "1.14.3", Kind.XML: "1.4.2"}


def identities(count: int, kind: Kind, seed: int = 0) -> list[Identity]:
    """
    Make robots that are the same for the same arguments.

    @param count: how many; a longer list starts with the shorter one
    """
    rng = random.Random(f"{seed}/{kind.value}")  # noqa: S311 a simulator wants reproducible numbers
    return [_identity(rng, kind, number) for number in range(count)]


def _identity(rng: random.Random, kind: Kind, number: int) -> Identity:
    tail = f"{number // 250 % 250}.{number % 250 + 2}"
    return Identity(
        did=str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        sn="E" + "".join(rng.choices(string.digits, k=19)),
        cls=CLASSES[kind],
        resource="".join(rng.choices(ALPHANUMERIC, k=4)),
        secret="".join(rng.choices(ALPHANUMERIC, k=8)),
        mac="02:" + ":".join(f"{rng.randrange(256):02x}" for _ in range(5)),
        ip=f"198.18.{tail}",
        ssid="home",
        fw=FIRMWARE[kind],
    )


def xmpp_identities(count: int, seed: int = 0, cls: str = "126") -> list[Identity]:
    """
    Make XMPP robots that are the same for the same arguments (robots.md 2.1).

    @param cls: the number of their class
    """
    rng = random.Random(f"{seed}/xmpp")  # noqa: S311 a simulator wants reproducible numbers
    made = (_identity(rng, Kind.XML, number) for number in range(count))
    return [_first_generation(robot, rng, cls) for robot in made]


def _first_generation(robot: Identity, rng: random.Random, cls: str) -> Identity:
    owner = "".join(rng.choices(string.ascii_lowercase + string.digits, k=16)) + "@ecouser.net"
    return evolve(robot, did=robot.sn, cls=cls, resource="atom", fw="0.16.1", owner=owner)


def login(identity: Identity, profile: Profile) -> Login:
    """Build the CONNECT texts of one robot."""
    client_id = f"{identity.did}@{identity.cls}/{identity.resource}"
    username = USER_NAMES[profile.user_name](identity)
    return Login(client_id, username, identity.secret)


def _meta(identity: Identity) -> str:
    version = _broken_base64(f'{{"fv":"{identity.fw}","wv":"v2.3.0"}}')
    # Where robots show their key is written nowhere; here it would fit.
    key = {"sc": identity.key} if identity.key else {}
    session = _broken_base64(json.dumps({"app": "user", "st": 10, **key}, separators=(",", ":")))
    return f"{identity.sn}`{version}`{session}"


def _broken_base64(plain: str) -> str:
    # Robots break their base64 with a line feed after 20 characters (robots.md 4.1).
    encoded = base64.b64encode(plain.encode()).decode()
    return f"{encoded[:20]}\n{encoded[20:]}"


USER_NAMES: dict[UserName, Callable[[Identity], str]] = {
    UserName.PLAIN: lambda identity: identity.sn,
    UserName.META: _meta,
    UserName.AT: lambda identity: f"{identity.sn}@{identity.cls}",
}
