"""The XMPP side in memory, and clients that speak literal bytes, in clear text and in TLS."""

import contextlib
from base64 import b64encode
from itertools import count
from typing import Any

from attrs import define, field
from OpenSSL import SSL
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from bumper_tw.core.xmpp_router import XmppRouter
from bumper_tw.core.xmpp_switchboard import RouterLimits
from bumper_tw.dialect.domains import ATOM, robot_class
from bumper_tw.dialect.logins import XmppCredentials
from bumper_tw.errors import LoginRefused
from bumper_tw.interfaces import IAuthenticator, IRobotPresence
from bumper_tw.values import Principal, Role
from bumper_tw.xmpp.factory import StreamLimits, XmppFactory
from tests.front.fixed import fixed, without
from tests.lines import Line

SN, CLS = "E0009876500123450001", "126"
ROBOT = f"{SN}@{CLS}.ecorobot.net/atom"
UID, TOKEN = "fuid_a1b2c3", "us_0f1e2d3c"
USER = f"{UID}@ecouser.net"

NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
NS_BIND = "urn:ietf:params:xml:ns:xmpp-bind"
NS_SESSION = "urn:ietf:params:xml:ns:xmpp-session"
NS_TLS = "urn:ietf:params:xml:ns:xmpp-tls"

START_TLS = f"<starttls xmlns='{NS_TLS}'/>"
PROCEED = f"<proceed xmlns='{NS_TLS}'/>"
SUCCESS = f"<success xmlns='{NS_SASL}'/>"


def header(to: str) -> str:
    """How a client begins a stream."""
    return (
        "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client' "
        f"to='{to}' version='1.0'>"
    )


def greeting(number: int) -> str:
    """How the server does; its ids are counted here."""
    return (
        "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client' "
        f"version='1.0' id='{number:032x}' from='ecouser.net'>"
    )


FEATURES_CLEAR = (
    f"<stream:features><starttls xmlns='{NS_TLS}'><required/></starttls>"
    f"<mechanisms xmlns='{NS_SASL}'><mechanism>PLAIN</mechanism></mechanisms></stream:features>"
)
FEATURES_TLS_ONLY = (
    f"<stream:features><starttls xmlns='{NS_TLS}'><required/></starttls></stream:features>"
)
FEATURES_SECURE = (
    f"<stream:features><mechanisms xmlns='{NS_SASL}'><mechanism>PLAIN</mechanism></mechanisms>"
    "</stream:features>"
)
FEATURES_KNOWN = (
    f"<stream:features><bind xmlns='{NS_BIND}'/><session xmlns='{NS_SESSION}'/></stream:features>"
)


def plain(message: str, mechanism: str = "PLAIN") -> str:
    """SASL PLAIN."""
    encoded = b64encode(message.encode()).decode()
    return f"<auth xmlns='{NS_SASL}' mechanism='{mechanism}'>{encoded}</auth>"


def refused(condition: str) -> str:
    """SASL says no."""
    return f"<failure xmlns='{NS_SASL}'><{condition}/></failure>"


def bind(stanza_id: str, resource: str = "") -> str:
    """Ask for an address."""
    inner = f"<resource>{resource}</resource>" if resource else ""
    return f"<iq type='set' id='{stanza_id}'><bind xmlns='{NS_BIND}'>{inner}</bind></iq>"


def bound(stanza_id: str, jid: str) -> str:
    """Be given one."""
    address = f"<bind xmlns='{NS_BIND}'><jid>{jid}</jid></bind>"
    return f"<iq type='result' id='{stanza_id}'>{address}</iq>"


def session(stanza_id: str) -> str:
    """Ask for a session."""
    return f"<iq type='set' id='{stanza_id}'><session xmlns='{NS_SESSION}'/></iq>"


def result(stanza_id: str) -> str:
    """Be given one."""
    return f"<iq type='result' id='{stanza_id}'/>"


def server_ping(number: int, to: str) -> str:
    """What the server asks everybody now and then."""
    return (
        f"<iq from='ecouser.net' to='{to}' id='s2c{number}' type='get'>"
        "<ping xmlns='urn:xmpp:ping'/></iq>"
    )


def stream_error(condition: str) -> str:
    """The end."""
    reason = f"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
    return f"<stream:error>{reason}</stream:error></stream:stream>"


CLOSE = "</stream:stream>"


@implementer(IAuthenticator)
@define(eq=False)
class Doorkeeper:
    """
    Knows everybody, unless a test says otherwise.

    @ivar asked: the credentials so far.
    @ivar refuses: why it lets nobody in.
    @ivar decides_later: verdicts that a test gives when it wants to.
    @ivar open: those that are open.
    """

    asked: list[XmppCredentials] = field(factory=list)
    refuses: Exception | None = None
    decides_later: bool = False
    open: list[Deferred[Principal]] = field(factory=list)
    cancelled: int = 0

    def login(self, credentials: object) -> Deferred[Principal]:
        assert isinstance(credentials, XmppCredentials)
        self.asked.append(credentials)
        if self.refuses is not None:
            return fail(self.refuses)
        if self.decides_later:
            verdict: Deferred[Principal] = Deferred(self._give_up)
            self.open.append(verdict)
            return verdict
        return succeed(principal(credentials))

    def _give_up(self, _: Deferred[Principal]) -> None:
        self.cancelled += 1


def principal(credentials: XmppCredentials) -> Principal:
    """Who somebody is who tells the truth."""
    model = robot_class(credentials.domain)
    if model is None:
        return Principal(Role.USER, credentials.name, "ecouser.net", credentials.resource)
    return Principal(Role.ROBOT, credentials.name, model, ATOM, label=credentials.name)


@implementer(IRobotPresence)
@define(eq=False)
class Presence:
    """What became of a robot."""

    who: Principal
    happened: list[str]

    def listening(self) -> None:
        self.happened.append("listening")

    def gone(self) -> None:
        self.happened.append("gone")


class World:
    """Everything but the wire."""

    def __init__(self, limits: StreamLimits | None = None, **router: Any) -> None:
        self.clock = Clock()
        self.clock.advance(1_767_225_600)
        self.door = Doorkeeper()
        self.router = XmppRouter(self.clock, RouterLimits(**router))
        self.presences: list[Presence] = []
        self.happened: list[str] = []
        self.full: LoginRefused | None = None
        numbers = count(1)
        self.factory = XmppFactory(
            self.clock,
            self.door,
            self.router,
            self.appear,
            limits or StreamLimits(),
            lambda size: f"{next(numbers):0{2 * size}x}",
        )

    def appear(self, who: Principal) -> Presence:
        """A robot is here."""
        if self.full is not None:
            raise self.full
        presence = Presence(who, self.happened)
        self.presences.append(presence)
        self.happened.append("connected")
        return presence

    def settle(self) -> None:
        """Let happen what is due now."""
        while any(call.getTime() <= self.clock.seconds() for call in self.clock.getDelayedCalls()):
            self.clock.advance(0)


class Client:
    """
    One client in clear text.

    @ivar pieces: of how many bytes what it sends comes; 0 for all at once.
    """

    def __init__(
        self, world: World, host: str = "192.0.2.7", clear: bool = True, tls: Any = None
    ) -> None:
        self.world, self.pieces = world, 0
        built: Any = world.factory.door(tls or without(), clear).buildProtocol(
            IPv4Address("TCP", host, 50_000)
        )
        self.line = Line(world.clock, host, built)
        self._read = 0

    def say(self, *texts: str | bytes) -> None:
        """Send everything in one segment, or in pieces."""
        data = b"".join(t.encode() if isinstance(t, str) else t for t in texts)
        step = self.pieces or len(data)
        for start in range(0, len(data), step):
            self.send(data[start : start + step])
        self.world.settle()

    def send(self, data: bytes) -> None:
        """One segment."""
        self.line.receive(data)

    def heard(self) -> str:
        """What has come since the last look."""
        fresh = bytes(self.line.sent[self._read :])
        self._read = len(self.line.sent)
        return fresh.decode()

    def ask(self, *texts: str | bytes) -> str:
        """Say something, and hear the answer."""
        self.say(*texts)
        return self.heard()

    def log_in_robot(self, name: str = SN, model: str = CLS) -> str:
        """Come as a robot does; what was heard since its session."""
        self.say(header(f"{model}.ecorobot.net"), plain(f"\0{name}\0secret"))
        self.say(header(f"{model}.ecorobot.net"), bind("2521", "atom"))
        self.heard()
        return self.ask(session("2522"))

    def log_in_user(self, uid: str = UID, resource: str = "GLB1") -> str:
        """Come as an app does."""
        self.say(header("ecouser.net"), plain(f"\0{uid}\0" + f"0/{resource}/{TOKEN}"))
        self.say(header("ecouser.net"), bind("b", resource))
        self.heard()
        return self.ask(session("s"))


class TlsClient(Client):
    """The same inside of TLS, which begins when L{shake} is called."""

    def __init__(self, world: World, **options: Any) -> None:
        super().__init__(world, tls=fixed(), **options)
        self._tls: SSL.Connection | None = None
        self._plain = b""

    def shake(self) -> None:
        """Begin TLS."""
        self._read_raw()
        self._tls = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
        self._tls.set_connect_state()
        for _ in range(4):
            with contextlib.suppress(SSL.WantReadError):
                self._tls.do_handshake()
            self._flush()
            self._take()

    def send(self, data: bytes) -> None:
        if self._tls is None:
            super().send(data)
        else:
            self._tls.send(data)
            self._flush()

    def heard(self) -> str:
        if self._tls is None:
            return super().heard()
        self._take()
        fresh, self._plain = self._plain, b""
        return fresh.decode()

    def _flush(self) -> None:
        with contextlib.suppress(SSL.WantReadError):
            super().send(self._connection.bio_read(1 << 20))
        self.world.settle()

    def _take(self) -> None:
        if raw := self._read_raw():
            self._connection.bio_write(raw)
        with contextlib.suppress(SSL.WantReadError, SSL.ZeroReturnError):
            while True:
                self._plain += self._connection.recv(1 << 16)

    @property
    def _connection(self) -> SSL.Connection:
        assert self._tls is not None, "TLS has not begun"
        return self._tls

    def _read_raw(self) -> bytes:
        fresh = bytes(self.line.sent[self._read :])
        self._read = len(self.line.sent)
        return fresh


class StreamCase(SynchronousTestCase):
    """A test with a server."""

    def world(self) -> World:
        """A server."""
        return World()
