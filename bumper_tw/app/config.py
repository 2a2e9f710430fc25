"""
One TOML file, then C{BUMPER_*} variables, then options, become frozen settings.

The attrs classes below are the schema: every field carries its meaning and its L{Kind}, and
reading, checking and describing all walk the fields.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from attrs import NOTHING, Attribute, field, fields, frozen, has

from bumper_tw.app.kinds import (
    ADDRESS,
    ENDPOINT,
    FILE,
    FLAG,
    FOLDER,
    LEVEL,
    NAMES,
    PART_LEVELS,
    Kind,
    choice,
    known,
    number,
    split,
    whole,
)
from bumper_tw.errors import StartError

T = TypeVar("T")
Schema = Mapping[str, "Setting"]
Found = Iterator[tuple[str, Any]]

#: A file that is not there: C{Path("")}, which has no name.
NO_FILE = Path()

FILE_LIMIT = 1 << 20  # Settings are a page or two; what is larger is some other file.

#: Container platforms describe a service called "bumper" to its neighbours, and to itself, in
#: variables of this shape (BUMPER_SERVICE_HOST, BUMPER_PORT_443_TCP_ADDR); they are not ours.
SERVICE_LINK = re.compile(r"BUMPER_(SERVICE_(HOST|PORT\w*)|PORT(_[0-9]+_(TCP|UDP)\w*)?)")


def _about(kind: Kind, doc: str) -> dict[str, object]:
    return {"kind": kind, "doc": doc}


def _setting(default: T, kind: Kind, doc: str) -> T:
    return field(default=default, metadata=_about(kind, doc))


@frozen
class Listen:
    """One place where connections are accepted."""

    serve: str = field(metadata=_about(choice("web", "mqtt", "xmpp"), "what is spoken there"))
    at: str = field(metadata=_about(ENDPOINT, "Twisted endpoint description"))
    tls: bool = _setting(False, FLAG, "encrypt with the certificate of this server")
    legacy_tls: bool = _setting(False, FLAG, "also allow TLS 1.0 and 1.1, for old robots")
    anonymous: bool = _setting(False, FLAG, "MQTT without an account, outside robots' topics")


def _listener(text: str) -> dict[str, object]:
    """C{serve:endpoint}, optionally with C{:tls} or C{:legacy_tls} behind it."""
    serve, _, at = text.partition(":")
    bare, _, last = at.rpartition(":")
    if last not in {"tls", "legacy_tls"}:
        return {"serve": serve, "at": at}
    return {"serve": serve, "at": bare, "tls": True, "legacy_tls": last == "legacy_tls"}


def _listen(table: dict[str, object]) -> Listen:
    schema = {f"listen.{a.name}": _described("listen", a) for a in fields(Listen)}
    if not {"serve", "at"} <= table.keys():
        raise StartError("listen.serve and listen.at are needed in every [[listen]]")
    given = {n: schema[known(f"listen.{n}", schema)].take(value) for n, value in table.items()}
    listen = Listen(**given)
    # XMPP turns to TLS by itself, when the other side asks for it.
    if listen.legacy_tls and not listen.tls and listen.serve != "xmpp":
        raise StartError("listen.legacy_tls = true needs tls = true beside it")
    if listen.anonymous and listen.serve != "mqtt":
        raise StartError('listen.anonymous = true needs serve = "mqtt" beside it')
    return listen


TABLE = Kind("a table", (dict,), make=_listen)
LISTENERS = Kind(
    'tables [[listen]], or text such as "web:tcp:443:tls,mqtt:tcp:1883"',
    (list,),
    fit=lambda tables: 0 < len(tables) <= 64,
    make=lambda tables: tuple(TABLE.check(table) for table in tables),
    read=lambda text: [_listener(part) for part in split(text)],
)

LISTEN = (
    Listen("web", "tcp:443", tls=True),
    Listen("web", "tcp:8007"),
    Listen("mqtt", "tcp:8883", tls=True),
    Listen("mqtt", "tcp:1883:interface=127.0.0.1"),
    Listen("xmpp", "tcp:5223"),
)


@frozen
class ServerSettings:
    """How robots and apps find this server."""

    announce: str = _setting("", ADDRESS, "told to robots; empty: where their question arrived")
    name: tuple[str, ...] = _setting((), NAMES, "further host names of this box")


@frozen
class TlsSettings:
    """Where certificates live."""

    directory: Path = field(default=Path("certs"), metadata=_about(FOLDER, "certificates, keys"))


@frozen
class IdentitySettings:
    """Who may come in."""

    policy: str = _setting("home", choice("home", "strict"), "strict: only known accounts")
    robots_of: str = _setting(
        "household", choice("household", "owners"), "household: every robot is everybody's"
    )
    robots: int = _setting(500, whole(1, 100_000), "robots remembered at the most")
    new_robots_per_hour: int = _setting(30, whole(1, 100_000), "let in from one address")
    closed: bool = _setting(False, FLAG, "let in only robots that are known already")
    token_days: int = _setting(30, whole(1, 3650, "days"), "life of an app's login")
    takeovers_per_minute: int = _setting(10, whole(1, 1000), "reconnects over a live connection")


@frozen
class CommandSettings:
    """Questions to robots."""

    # Apps give up after a minute, so a later answer would reach nobody.
    timeout: float = _setting(10.0, number(0.1, 55, "seconds"), "patience with a silent robot")
    outstanding: int = _setting(8, whole(1, 64), "unanswered commands per robot")
    queued: int = _setting(64, whole(0, 1024), "commands waiting behind those")


@frozen
class StorageSettings:
    """What is remembered, and for how long."""

    directory: Path = field(default=Path("data"), metadata=_about(FOLDER, "of the database"))
    history_days: int = _setting(30, whole(1, 3650, "days"), "life of a report")
    history_reports: int = _setting(200_000, whole(1000, 10**8), "reports kept of all robots")
    cleaning_logs: int = _setting(1000, whole(1, 10**5), "cleaning logs kept per robot")


@frozen
class MqttSettings:
    """What one MQTT client, and all of them, may use."""

    passwords: Path = field(default=NO_FILE, metadata=_about(FILE, "accounts, as user:hash lines"))
    access: Path = field(default=NO_FILE, metadata=_about(FILE, "rules, as mosquitto's acl_file"))
    # MQTT 3.1.1, 2.2.3: four length bytes reach no further.
    max_packet: int = _setting(1 << 20, whole(1024, 268_435_455, "bytes"), "largest packet")
    max_topic: int = _setting(512, whole(64, 65_535, "bytes"), "longest topic")
    max_levels: int = _setting(32, whole(12, 1000), "levels in a topic")
    all_levels: int = _setting(500_000, whole(1000, 10**8), "levels in everybody's subscriptions")
    subscriptions: int = _setting(5000, whole(1, 100_000), "subscriptions per client")
    inflight: int = _setting(32, whole(1, 65_535), "unacknowledged messages per client")
    queued: int = _setting(1000, whole(0, 65_000), "messages waiting behind those")
    backlog_bytes: int = _setting(1 << 20, whole(4096, 1 << 30, "bytes"), "unsent, per client")
    sessions: int = _setting(1000, whole(0, 100_000), "persistent sessions kept")
    session_days: int = _setting(7, whole(1, 3650, "days"), "life of one whose client is away")
    session_bytes: int = _setting(64 << 20, whole(4096, 1 << 40, "bytes"), "unsent, of all these")
    retained: int = _setting(10_000, whole(0, 10**6), "retained messages")
    retained_bytes: int = _setting(32 << 20, whole(0, 1 << 40, "bytes"), "in all of those")
    retained_days: int = _setting(0, whole(0, 3650, "days"), "life of one; 0: for ever")
    login_seconds: int = _setting(10, whole(1, 300, "seconds"), "patience before CONNECT")
    keep_alive_max: int = _setting(3600, whole(10, 65_535, "seconds"), "longest silence allowed")
    connections: int = _setting(1000, whole(1, 100_000), "connections at once")
    connections_per_peer: int = _setting(100, whole(1, 100_000), "of these, from one address")
    strangers: int = _setting(200, whole(1, 100_000), "of these, not logged in yet")
    strangers_per_peer: int = _setting(50, whole(1, 100_000), "of those, from one address")
    figures_seconds: int = _setting(10, whole(0, 3600, "seconds"), "between $SYS; 0: never")


@frozen
class XmppSettings:
    """What one XMPP stream, and all of them, may use, and how it is treated."""

    require_tls_users: bool = _setting(True, FLAG, "apps log in over TLS only")
    require_tls_robots: bool = _setting(False, FLAG, "the same for robots; the oldest cannot")
    adopt_robots: bool = _setting(True, FLAG, "make robots that refuse a new user accept him")
    fanout_events: bool = _setting(True, FLAG, "a robot's events reach all sessions of a user")
    max_stanza: int = _setting(65_536, whole(1024, 1 << 24, "bytes"), "largest stanza accepted")
    max_depth: int = _setting(16, whole(4, 256), "elements within one another in a stanza")
    max_attributes: int = _setting(64, whole(8, 4096), "attributes of one element")
    max_elements: int = _setting(1000, whole(8, 100_000), "elements in one stanza")
    backlog_bytes: int = _setting(262_144, whole(4096, 1 << 30, "bytes"), "unsent, per stream")
    login_seconds: int = _setting(30, whole(1, 300, "seconds"), "patience before login is done")
    ping_seconds: int = _setting(30, whole(5, 300, "seconds"), "between our pings")
    silence_seconds: int = _setting(75, whole(10, 3600, "seconds"), "longest silence allowed")
    sessions_per_user: int = _setting(32, whole(1, 10_000), "logged in at once; the oldest ends")
    connections: int = _setting(1000, whole(1, 100_000), "connections at once")
    connections_per_peer: int = _setting(100, whole(1, 100_000), "of these, from one address")
    strangers: int = _setting(200, whole(1, 100_000), "of these, not logged in yet")
    strangers_per_peer: int = _setting(50, whole(1, 100_000), "of those, from one address")


@frozen
class WebSettings:
    """What one HTTP client, and all of them, may use."""

    unknown: str = _setting(
        "harmless", choice("harmless", "not_found"), "answer to paths nobody knows"
    )
    max_body: int = _setting(1 << 20, whole(1024, 1 << 30, "bytes"), "largest request body")
    upload_bytes: int = _setting(8 << 20, whole(0, 1 << 30, "bytes"), "largest file left here")
    uploads_robot_bytes: int = _setting(50 << 20, whole(0, 1 << 40, "bytes"), "of one robot")
    uploads_bytes: int = _setting(500 << 20, whole(0, 1 << 40, "bytes"), "all files left here")
    idle_seconds: int = _setting(60, whole(1, 3600, "seconds"), "patience between requests")
    request_seconds: int = _setting(30, whole(1, 3600, "seconds"), "patience for a whole request")
    connections: int = _setting(1000, whole(1, 100_000), "connections at once")
    connections_per_peer: int = _setting(100, whole(1, 100_000), "of these, from one address")


@frozen
class LogSettings:
    """How much is written to the log."""

    level: str = _setting("info", LEVEL, "least important level written")
    levels: Mapping[str, str] = _setting(MappingProxyType({}), PART_LEVELS, "the same by part")


@frozen
class Settings:
    """Everything the owner can choose, one record per part."""

    server: ServerSettings = ServerSettings()
    listen: tuple[Listen, ...] = _setting(LISTEN, LISTENERS, "where connections are accepted")
    tls: TlsSettings = TlsSettings()
    identity: IdentitySettings = IdentitySettings()
    commands: CommandSettings = CommandSettings()
    storage: StorageSettings = StorageSettings()
    mqtt: MqttSettings = MqttSettings()
    xmpp: XmppSettings = XmppSettings()
    web: WebSettings = WebSettings()
    log: LogSettings = LogSettings()


@frozen
class Setting:
    """
    One thing that can be set.

    @ivar key: its name in options, and with C{[section]} in the file.
    @ivar env: its name in the environment, C{""} inside C{[[listen]]}.
    @ivar default: C{None} when the owner has to say.
    """

    key: str
    env: str
    kind: Kind
    default: object
    doc: str

    def take(self, value: Any, spelled: str = "") -> Any:
        """Check C{value}: of TOML, or text that came under the name C{spelled}."""
        try:
            return self.kind.check(self.kind.read(value) if spelled else value)
        except ValueError:
            wrong = f"{spelled or self.key} = {_shown(value)}"
            raise StartError(f"{wrong}, expected {self.kind.expected}") from None


def describe() -> Iterator[Setting]:
    """Every setting with its type, default and meaning, for C{--help} and the manual."""
    for part in fields(Settings):
        if not _inside(part):
            yield _described("", part)
        yield from (_described(part.name, a) for a in _inside(part) or fields(Listen))


def load(path: Path | None, environ: Mapping[str, str], options: Mapping[str, str]) -> Settings:
    """
    Read the settings; what comes later wins: defaults, file, environment, options.  Relative
    paths start at the folder of the file, without a file at the working directory.

    @param path: the TOML file; C{None} for the one C{BUMPER_CONFIG} names, if any.
    @param environ: an empty variable counts as not set.
    @param options: text by key, such as C{{"commands.timeout": "5"}}.
    @raise StartError: naming where it stands, the key, and what was expected or is nearest.
    """
    named = environ.get("BUMPER_CONFIG", "")
    path = Path(named) if path is None and named else path
    schema = {s.key: s for s in describe() if s.env}
    values: dict[str, Any] = {key: setting.default for key, setting in schema.items()}
    if path is not None:
        with _blaming(str(path)):
            values.update(_from_file(path, schema))
    with _blaming("environment"):
        values.update(_from_environ(environ, {s.env: s for s in schema.values()}))
    with _blaming("options"):
        values.update({k: schema[known(k, schema)].take(text, k) for k, text in options.items()})
    return _built(values, Path.cwd() if path is None else path.absolute().parent)


def _from_file(path: Path, schema: Schema) -> Found:
    for section, value in _parsed(path).items():
        if known(section, [a.name for a in fields(Settings)]) in schema:
            yield section, schema[section].take(value)
        elif not isinstance(value, dict):
            raise StartError(f"{section} = {_shown(value)}, expected a table [{section}]")
        else:
            for key in value:
                setting = schema[known(f"{section}.{key}", schema)]
                yield setting.key, setting.take(value[key])


def _parsed(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise StartError(f"cannot be read: {error.strerror}") from error
    if len(text) > FILE_LIMIT:
        raise StartError(f"is larger than {FILE_LIMIT} bytes, expected a settings file")
    try:
        return tomllib.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise StartError(f"is not TOML: {error}") from error


def _from_environ(environ: Mapping[str, str], schema: Schema) -> Found:
    for name, text in environ.items():
        foreign = not name.startswith("BUMPER_") or SERVICE_LINK.fullmatch(name)
        if not foreign and name != "BUMPER_CONFIG" and known(name, schema) and text:
            yield schema[name].key, schema[name].take(text, name)


def _built(values: Mapping[str, Any], base: Path) -> Settings:
    settled = {k: base / v if isinstance(v, Path) and v.name else v for k, v in values.items()}
    parts: dict[str, Any] = {}
    for part in fields(Settings):
        kind: Any = type(part.default)
        given = {a.name: settled[f"{part.name}.{a.name}"] for a in _inside(part)}
        parts[part.name] = kind(**given) if given else settled[part.name]
    return _possible(Settings(**parts))


def _possible(settings: Settings) -> Settings:
    """
    The same settings, of which each is right.

    @raise StartError: two of them do not fit together.
    """
    identity = settings.identity
    if identity.robots_of == "owners" and identity.policy != "strict":
        raise StartError(
            'identity.robots_of = "owners" needs identity.policy = "strict" beside it: where '
            "everybody is believed who he is, everybody is the owner"
        )
    return settings


def _inside(part: "Attribute[Any]") -> "Iterable[Attribute[Any]]":
    """What a section is made of; nothing when C{part} is itself a setting."""
    kind: Any = type(part.default)
    return fields(kind) if has(kind) else ()


def _described(section: str, of: "Attribute[Any]") -> Setting:
    key = f"{section}.{of.name}" if section else of.name
    env = "" if section == "listen" else "BUMPER_" + key.replace(".", "_").upper()
    default = None if of.default is NOTHING else of.default
    return Setting(key, env, of.metadata["kind"], default, of.metadata["doc"])


def _shown(value: object) -> str:
    """A wrong value, short enough for a sentence."""
    if isinstance(value, str | float) or (isinstance(value, int) and value.bit_length() < 64):
        return repr(value)[:60]
    return "a table" if isinstance(value, dict) else f"a {type(value).__name__}"


@contextmanager
def _blaming(origin: str) -> Iterator[None]:
    try:
        yield
    except StartError as error:
        raise StartError(f"{origin}: {error}") from None
