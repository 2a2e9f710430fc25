"""What robots report, typed: one record per kind of report, and the L{Report} that carries it."""

from enum import Enum
from typing import Any, ClassVar

from attrs import asdict, fields_dict, frozen


class Activity(Enum):
    """What a robot is doing (mqtt.md 11, C{clean_state})."""

    IDLE = "idle"
    CLEANING = "cleaning"
    PAUSED = "paused"
    RETURNING = "returning"
    DOCKED = "docked"
    WASHING = "washing"
    ERROR = "error"


@frozen
class Reading:
    """
    One thing a robot said about itself.

    @cvar kind: its name in the API and in the database.
    @cvar kept: whether it goes to disk; what is bulky or fleeting stays in memory.
    """

    kind: ClassVar[str] = ""
    kept: ClassVar[bool] = True

    def merged(self, older: "Reading | None") -> "Reading":  # noqa: ARG002 - for subclasses
        """This reading with what only the older one of the same kind knew."""
        return self


@frozen
class Battery(Reading):
    """Charge in percent."""

    kind = "battery"
    percent: int
    low: bool = False


@frozen
class Charge(Reading):
    """Is it charging, and how: C{slot}, C{SlotCharging}, C{Going}, C{Idle} (free text)."""

    kind = "charge"
    charging: bool
    mode: str = ""


@frozen
class Clean(Reading):
    """
    The job in hand.

    @ivar activity: C{None} when the robot used a word we do not know; C{raw} has it.
    """

    kind = "clean"
    activity: Activity | None
    raw: str = ""
    type: str = ""
    job: str = ""
    trigger: str = ""


@frozen
class Point:
    """A place in the map frame: millimetres, and degrees from -180 to 180."""

    x: int
    y: int
    angle: int = 0
    valid: bool = True


@frozen
class Position(Reading):
    """Where the robot and its docks are."""

    kind = "position"
    kept = False
    robot: Point | None = None
    docks: tuple[Point, ...] = ()

    def merged(self, older: Reading | None) -> Reading:
        """Robots send one half at a time."""
        if not isinstance(older, Position):
            return self
        return Position(self.robot or older.robot, self.docks or older.docks)


@frozen
class Part:
    """One consumable: minutes left and minutes in all, or percent when C{total} is 100."""

    type: str
    left: int
    total: int | None = None


#: More consumables no robot has; one that invents names must not fill the memory.
MOST_PARTS = 64


@frozen
class LifeSpan(Reading):
    """The consumables."""

    kind = "life_span"
    parts: tuple[Part, ...]

    def merged(self, older: Reading | None) -> Reading:
        """XML robots report one part at a time."""
        if not isinstance(older, LifeSpan):
            return self
        news = {part.type for part in self.parts}
        kept = tuple(part for part in older.parts if part.type not in news)
        return LifeSpan((*kept, *self.parts)[-MOST_PARTS:])


@frozen
class Stats(Reading):
    """
    A job so far, or a job that ended.

    @ivar started_at: seconds since the epoch.
    @ivar stopped: whether this is the report of its end.
    @ivar extras: fields that only the cleaning log keeps (http-devices.md 5.1).
    """

    kind = "stats"
    job: str
    started_at: int
    area: int | None = None
    duration: int | None = None
    type: str | None = None
    stopped: bool = False
    stop_reason: int | None = None
    extras: tuple[tuple[str, Any], ...] = ()


@frozen
class Totals(Reading):
    """Square metres, seconds and jobs since the robot was made."""

    kind = "totals"
    area: int
    duration: int
    count: int


@frozen
class Errors(Reading):
    """Error numbers, the current one last; empty when all is well."""

    kind = "errors"
    codes: tuple[int, ...]


@frozen
class FanSpeed(Reading):
    """Suction, as the robot names it: a number, or C{standard} or C{strong}."""

    kind = "fan_speed"
    speed: str


@frozen
class Water(Reading):
    """Water flow from 1 to 4, and whether the mop is mounted; C{None}: not said."""

    kind = "water"
    amount: int | None = None
    mounted: bool | None = None

    def merged(self, older: Reading | None) -> Reading:
        """XML robots report flow and tank apart."""
        if not isinstance(older, Water):
            return self
        amount = older.amount if self.amount is None else self.amount
        return Water(amount, older.mounted if self.mounted is None else self.mounted)


@frozen
class Volume(Reading):
    """Loudness, and its maximum."""

    kind = "volume"
    volume: int
    maximum: int | None = None


@frozen
class Sleep(Reading):
    """Whether the robot is in standby."""

    kind = "sleep"
    asleep: bool


@frozen
class Network(Reading):
    """How the robot is connected; C{rssi} in dBm."""

    kind = "network"
    address: str = ""
    ssid: str = ""
    rssi: int | None = None
    mac: str = ""


@frozen
class Firmware(Reading):
    """The firmware version from a message header or a login."""

    kind = "firmware"
    version: str


@frozen
class MapData(Reading):
    """A piece of map or trace, passed through as the robot sent it."""

    kind = "map"
    kept = False
    name: str
    data: Any


@frozen
class Alert(Reading):
    """
    What a robot has told its vendor about, in its own words; a fault has no number there.

    @ivar user: for whom it was, as the robot writes his address; empty if it does not say.
    @ivar raised_at: seconds since the epoch by the robot's own clock, if it says so.
    """

    kind = "alert"
    name: str
    value: str = ""
    user: str = ""
    raised_at: int | None = None


@frozen
class DeviceInfo(Reading):
    """
    What a robot says of itself when it has come, as it says it.

    It stays in memory, as the robot is asked again whenever it comes.
    """

    kind = "device_info"
    kept = False
    data: Any


@frozen
class Notice(Reading):
    """Any other report, by the robot's own name for it."""

    kind = "notice"
    kept = False
    name: str
    data: Any


#: Every kind of reading by its name.
KINDS: dict[str, type[Reading]] = {
    cls.kind: cls
    for cls in (
        Battery,
        Charge,
        Clean,
        Position,
        LifeSpan,
        Stats,
        Totals,
        Errors,
        FanSpeed,
        Water,
        Volume,
        Sleep,
        Network,
        Firmware,
        MapData,
        Alert,
        DeviceInfo,
        Notice,
    )
}


def to_values(reading: Reading) -> dict[str, Any]:
    """A reading as plain JSON values, as the API shows and the database keeps it."""
    return asdict(reading, value_serializer=lambda _, __, value: plain(value))


def plain(value: object) -> object:
    """Enumerations by their value; everything else as it is."""
    return value.value if isinstance(value, Enum) else value


def from_values(kind: str, values: dict[str, Any]) -> Reading:
    """
    A reading from what L{to_values} made of it.

    @raise ValueError: C{kind} is unknown or the values do not fit, as when another version
        of this program wrote them.
    """
    try:
        cls = KINDS[kind]
        shape = fields_dict(cls)
        return cls(**{name: RESTORE.get((kind, name), same)(values[name]) for name in shape})
    except (KeyError, TypeError) as wrong:
        raise ValueError(f"not a {kind} reading: {wrong}") from wrong


def same(value: Any) -> Any:
    """Most values are themselves."""
    return value


def activity(value: Any) -> Activity | None:
    """An activity by its name."""
    return None if value is None else Activity(value)


def point(value: Any) -> Point | None:
    """A point from its values."""
    return None if value is None else Point(**value)


#: How the nested values of a reading are made again.
RESTORE = {
    ("clean", "activity"): activity,
    ("position", "robot"): point,
    ("position", "docks"): lambda docks: tuple(Point(**dock) for dock in docks),
    ("life_span", "parts"): lambda parts: tuple(Part(**part) for part in parts),
    ("errors", "codes"): tuple,
    ("stats", "extras"): lambda pairs: tuple((key, value) for key, value in pairs),
}


@frozen
class Report:
    """
    A reading, whose it is, and when it came.

    @ivar at: seconds since the epoch.
    @ivar number: its place in the order of all reports; 0 until it is recorded.
    """

    did: str
    reading: Reading
    at: float
    number: int = 0

    @property
    def kind(self) -> str:
        """The kind of its reading."""
        return self.reading.kind
