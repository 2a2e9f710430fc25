"""
What can be set: the attrs classes below are the schema.

Every field carries its meaning and its L{Kind}; reading, checking and describing all walk the
fields (L{bumper_tw.app.config}).
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from attrs import NOTHING, Attribute, field, fields, frozen

from bumper_tw.app.kinds import (
    ADDRESS,
    ADDRESSES,
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

#: What a listener may speak; "all" leaves it to the first bytes of each connection.
SPOKEN = ("all", "web", "mqtt", "xmpp")

#: A file that is not there: C{Path("")}, which has no name.
NO_FILE = Path()


def _about(kind: Kind, doc: str) -> dict[str, object]:
    return {"kind": kind, "doc": doc}


def _setting(default: T, kind: Kind, doc: str) -> T:
    return field(default=default, metadata=_about(kind, doc))


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
            wrong = f"{spelled or self.key} = {shown(value)}"
            raise StartError(f"{wrong}, expected {self.kind.expected}") from None


def described(section: str, of: "Attribute[Any]") -> Setting:
    """A field of a record as something that can be set."""
    key = f"{section}.{of.name}" if section else of.name
    env = "" if section == "listen" else "BUMPER_" + key.replace(".", "_").upper()
    default = None if of.default is NOTHING else of.default
    return Setting(key, env, of.metadata["kind"], default, of.metadata["doc"])


def shown(value: object) -> str:
    """A wrong value, short enough for a sentence."""
    if isinstance(value, str | float) or (isinstance(value, int) and value.bit_length() < 64):
        return repr(value)[:60]
    return "a table" if isinstance(value, dict) else f"a {type(value).__name__}"


@frozen
class Listen:
    """One place where connections are accepted."""

    serve: str = field(metadata=_about(choice(*SPOKEN), "what is spoken there"))
    at: str = field(metadata=_about(ENDPOINT, "Twisted endpoint description"))
    tls: bool = _setting(False, FLAG, "encrypt with the certificate of this server")
    legacy_tls: bool = _setting(False, FLAG, "also allow TLS 1.0 and 1.1, for old robots")
    anonymous: bool = _setting(False, FLAG, "MQTT without an account, outside robots' topics")
    optional: bool = _setting(False, FLAG, "start without it when the port cannot be had")

    def speaks(self, what: str) -> bool:
        """Whether it is C{web}, C{mqtt} or C{xmpp} that is spoken, or all of them."""
        return self.serve in {what, "all"}


def _listener(text: str) -> dict[str, object]:
    """C{serve:endpoint}, optionally with C{:tls} or C{:legacy_tls} behind it."""
    serve, _, at = text.partition(":")
    bare, _, last = at.rpartition(":")
    if last not in {"tls", "legacy_tls"}:
        return {"serve": serve, "at": at}
    return {"serve": serve, "at": bare, "tls": True, "legacy_tls": last == "legacy_tls"}


def _listen(table: dict[str, object]) -> Listen:
    schema = {f"listen.{a.name}": described("listen", a) for a in fields(Listen)}
    if not {"serve", "at"} <= table.keys():
        raise StartError("listen.serve and listen.at are needed in every [[listen]]")
    given = {n: schema[known(f"listen.{n}", schema)].take(value) for n, value in table.items()}
    listen = Listen(**given)
    # XMPP turns to TLS by itself, when the other side asks for it.
    if listen.legacy_tls and not (listen.tls or listen.speaks("xmpp")):
        raise StartError("listen.legacy_tls = true needs tls = true beside it")
    if listen.anonymous and not listen.speaks("mqtt"):
        raise StartError('listen.anonymous = true needs serve = "mqtt" or "all" beside it')
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
    Listen("all", "tcp:443", tls=True),
    Listen("web", "tcp:80", optional=True),
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
    profile: str = _setting(
        "normal", choice("normal", "small"), "small: for routers; less is loaded, and kept"
    )
    threads: int = _setting(10, whole(1, 100), "for passwords, and other slow work")


@frozen
class TlsSettings:
    """Where certificates live."""

    directory: Path = field(default=Path("certs"), metadata=_about(FOLDER, "certificates, keys"))
    leaves: int = _setting(300, whole(0, 10_000), "single names with a certificate; 0: none")
    contexts: int = _setting(
        64, whole(1, 10_000), "TLS contexts of single names kept in memory; each takes 35 kB"
    )
    new_leaves_per_minute: int = _setting(30, whole(1, 10_000), "made at the most")
    constrain: bool = _setting(False, FLAG, "a new CA vouches for known names only")


@frozen
class FrontSettings:
    """Connections of which nobody knows yet what they speak, and what is remembered of all."""

    seconds: int = _setting(10, whole(1, 300, "seconds"), "patience before a protocol is chosen")
    undecided: int = _setting(400, whole(1, 100_000), "connections at once before that")
    undecided_per_peer: int = _setting(100, whole(1, 100_000), "of these, from one address")
    journal: int = _setting(1000, whole(10, 100_000), "contacts remembered")
    journal_file: bool = _setting(False, FLAG, "write them to journal.jsonl, too")


@frozen
class DnsSettings:
    """The names of the vendor: whether we answer for them, and who else does."""

    serve: bool = _setting(False, FLAG, "answer DNS questions on this box")
    port: int = _setting(53, whole(1, 65_535), "of UDP and TCP")
    interface: str = _setting("", ADDRESS, "where questions arrive; empty: every own address")
    answer: tuple[str, ...] = _setting(
        (), ADDRESSES, "told for the vendor's names; empty: where the question arrived"
    )
    upstream: tuple[str, ...] = _setting(
        (), ADDRESSES, "asked for all other names; empty: those of /etc/resolv.conf"
    )
    cache: int = _setting(2000, whole(0, 1_000_000), "answers of others remembered")
    check: tuple[str, ...] = _setting(
        (), ADDRESSES, "servers that robots ask, for the doctor; empty: the system's"
    )
    needed: bool = _setting(True, FLAG, "not ready as long as the vendor's names lead elsewhere")


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
    # What SQLite takes by itself.
    cache_bytes: int = _setting(
        2_048_000, whole(65_536, 1 << 30, "bytes"), "of the database in memory"
    )


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
class DashboardSettings:
    """The pages from which the owner sees and runs everything."""

    serve: bool = _setting(True, FLAG, "have pages for the owner, under names of this box only")
    everywhere: bool = _setting(False, FLAG, "let in browsers and scripts from public addresses")
    session_hours: int = _setting(
        168, whole(1, 8760, "hours"), "a browser that did nothing so long has to log in again"
    )


@frozen
class LogSettings:
    """How much is written to the log, and how."""

    format: str = _setting(
        "text", choice("text", "json", "journald"), "of a line; journald: with fields of its own"
    )
    level: str = _setting("info", LEVEL, "least important level written")
    levels: Mapping[str, str] = _setting(MappingProxyType({}), PART_LEVELS, "the same by part")


@frozen
class MetricsSettings:
    """Figures for programs that draw curves."""

    serve: bool = _setting(True, FLAG, "answer /metrics, in the format of Prometheus")
    token_file: Path = field(
        default=NO_FILE,
        metadata=_about(FILE, "holds a token that reads /metrics and nothing else"),
    )


@frozen
class Settings:
    """Everything the owner can choose, one record per part."""

    server: ServerSettings = ServerSettings()
    listen: tuple[Listen, ...] = _setting(LISTEN, LISTENERS, "where connections are accepted")
    tls: TlsSettings = TlsSettings()
    front: FrontSettings = FrontSettings()
    dns: DnsSettings = DnsSettings()
    identity: IdentitySettings = IdentitySettings()
    commands: CommandSettings = CommandSettings()
    storage: StorageSettings = StorageSettings()
    mqtt: MqttSettings = MqttSettings()
    xmpp: XmppSettings = XmppSettings()
    web: WebSettings = WebSettings()
    dashboard: DashboardSettings = DashboardSettings()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
