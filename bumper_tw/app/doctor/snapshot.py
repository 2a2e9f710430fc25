"""What a running server knows of itself, as records that travel as JSON."""

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import Factory, asdict, fields, frozen

from bumper_tw.errors import BadRequest

T = TypeVar("T")


@frozen
class ListenerSeen:
    """
    One place where connections are accepted, or are not.

    @ivar at: the endpoint, as in the settings.
    @ivar port: the TCP port it has got; 0 for none.
    @ivar why: why it is not bound.
    """

    serve: str
    at: str
    tls: bool
    port: int = 0
    bound: bool = True
    why: str = ""
    optional: bool = False


@frozen
class RobotSeen:
    """
    One robot.

    @ivar name: what people call it.
    @ivar model: its class.
    @ivar protocol: C{mqtt} or C{xmpp}.
    @ivar since: seconds since 1970 when it came or went; 0 when that was before the start.
    @ivar heard: when it last reported something; 0 for never.
    """

    did: str
    name: str = ""
    model: str = ""
    firmware: str = ""
    protocol: str = ""
    online: bool = False
    since: float = 0.0
    heard: float = 0.0

    @property
    def called(self) -> str:
        """Its name and its did."""
        return f"{self.name} ({self.did})" if self.name else self.did


@frozen
class ContactSeen:
    """
    One connection, with what was made of it; see L{bumper_tw.front.contact.Contact}.

    @ivar agent: how it calls itself over HTTP.
    @ivar claim: the last that it said of who it is, otherwise.
    @ivar diagnosis: its name, C{ok} if all is well.
    """

    number: int
    began: float
    host: str
    local: str = ""
    local_port: int = 0
    server_name: str = ""
    outcome: str = ""
    speech: str = ""
    tls: str = ""
    robot: str = ""
    agent: str = ""
    claim: str = ""
    told: str = ""
    trusts: bool = False
    lasts: bool = False
    diagnosis: str = ""
    sentence: str = ""
    remedy: str = ""


@frozen
class Snapshot:
    """
    One moment of a server.

    @ivar started: seconds since 1970.
    @ivar uid: the user it runs as.
    @ivar pid: its process.
    @ivar announce: what robots are told, as the owner chose it; empty for none.
    @ivar certs: the folder of the certificates.
    @ivar data: the folder of the database.
    @ivar contacts: the newest ones, in the order in which they began.
    @ivar certificate_days: how long the server certificate holds.
    @ivar database: whether it can be written.
    """

    version: str
    started: float
    uid: int = 0
    pid: int = 0
    announce: str = ""
    certs: str = ""
    data: str = ""
    listeners: tuple[ListenerSeen, ...] = Factory(tuple)
    robots: tuple[RobotSeen, ...] = Factory(tuple)
    contacts: tuple[ContactSeen, ...] = Factory(tuple)
    certificate_days: float = 0.0
    database: bool = True


#: The fields that are lists of records.
NESTED: Mapping[str, type[Any]] = {
    "listeners": ListenerSeen,
    "robots": RobotSeen,
    "contacts": ContactSeen,
}


def to_json(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot as JSON has it."""
    return asdict(snapshot)


def parse(found: object) -> Snapshot:
    """
    The snapshot again.  What this version does not know is left out.

    @raise BadRequest: it is none.
    """
    given = record_fields(Snapshot, found)
    for name, kind in NESTED.items():
        given[name] = tuple(record(kind, each) for each in _items(given.get(name, [])))
    return _made(Snapshot, given)


def record(kind: type[T], found: object) -> T:
    """One flat record; see L{parse}."""
    return _made(kind, record_fields(kind, found))


def record_fields(kind: type[Any], found: object) -> dict[str, Any]:
    """What a record has fields for."""
    if not isinstance(found, dict):
        raise BadRequest("the server answers with something else than a snapshot")
    known = {each.name for each in fields(kind)}
    return {name: value for name, value in found.items() if name in known}


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _made(kind: type[T], given: dict[str, Any]) -> T:
    try:
        return kind(**given)
    except TypeError as error:
        raise BadRequest("the running server is of another version; restart it") from error
