"""XMPP clients in memory: scripted ones with literal stanzas, and a way for simulated robots."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from bumper_tw.simulator.xmpp_xml import CONTROL, PING, Element, StrictReader
from tests.lines import Line

#: Makes the server's end of a connection; C{buildProtocol} of whatever listens.
Build = Callable[[IPv4Address], Any]

NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
NS_BIND = "urn:ietf:params:xml:ns:xmpp-bind"
NS_SESSION = "urn:ietf:params:xml:ns:xmpp-session"
CLOSE = "</stream:stream>"


class Wire(Line):
    """
    A connection that says when something has come.

    @ivar arrived: called in a later turn of the clock.
    """

    def __init__(self, clock: Clock, host: str, build: Build, arrived: Callable[[], None]) -> None:
        self.arrived = arrived
        self.taken = 0
        super().__init__(clock, host, build(IPv4Address("TCP", host, 50_000)))

    def write(self, data: bytes) -> None:
        super().write(data)
        self.clock.callLater(0, self.arrived)

    def take(self) -> bytes:
        """What the server has sent since the last call."""
        fresh = bytes(self.sent[self.taken :])
        self.taken = len(self.sent)
        return fresh


@define(eq=False)
class XmppPeer:
    """
    One scripted client, in clear text.

    @ivar domain: whom its streams are for.
    @ivar plain: what it says with SASL PLAIN.
    @ivar resource: what it asks to be called; empty to leave that to the server.
    @ivar heard: every stanza behind the session, in order.
    @ivar piece: how many bytes it sends at a time; 0 for all at once.
    @ivar jid: its address, once it is logged in.
    """

    clock: Clock
    build: Build
    domain: str = field(kw_only=True)
    plain: str = field(kw_only=True)
    resource: str = field(default="", kw_only=True)
    host: str = field(default="192.168.7.33", kw_only=True)
    piece: int = field(default=0, kw_only=True)
    heard: list[Element] = field(factory=list, init=False)
    jid: str = field(default="", init=False)
    wire: Wire = field(init=False)
    _reader: StrictReader = field(factory=StrictReader, init=False)
    _fresh: int = field(default=0, init=False)

    def connect(self) -> None:
        """Open a connection; nothing is said yet."""
        self.wire = Wire(self.clock, self.host, self.build, self.read)

    def log_in(self) -> None:
        """From the first byte to the session (xmpp.md 6.1)."""
        self.connect()
        self.open()
        auth = b64encode(self.plain.encode()).decode()
        self.say(f"<auth xmlns='{NS_SASL}' mechanism='PLAIN'>{auth}</auth>")
        self.open()
        resource = f"<resource>{self.resource}</resource>" if self.resource else ""
        self.say(f"<iq type='set' id='b'><bind xmlns='{NS_BIND}'>{resource}</bind></iq>")
        bound = self.heard[-1].first
        assert bound is not None, self.heard
        self.jid = bound.children[0].text
        self.heard.clear()
        self._fresh = 0
        self.say(f"<iq type='set' id='s'><session xmlns='{NS_SESSION}'/></iq>")

    def open(self) -> None:
        """Begin a stream, or begin it anew."""
        self._reader = StrictReader()
        self.say(
            "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'"
            f" xmlns='jabber:client' to='{self.domain}' version='1.0'>"
        )

    def say(self, text: str) -> None:
        """Literal text to the server; then whatever it says to that is read."""
        data = text.encode()
        size = self.piece or max(len(data), 1)
        for start in range(0, len(data), size):
            self.wire.receive(data[start : start + size])
        self.clock.advance(0)
        self.read()

    def read(self) -> None:
        """Take what the server has written."""
        for part in self._reader.feed(self.wire.take()):
            if isinstance(part, Element):
                self.heard.append(part)
                self.on_stanza(part)

    def on_stanza(self, stanza: Element) -> None:
        """One stanza from the server; its pings are answered."""
        first = stanza.first
        if stanza.get("type") == "get" and first is not None and first.namespace == PING:
            to = stanza.get("from")
            self.later(f"<iq type='result' to='{to}' id='{stanza.get('id')}'/>")

    def later(self, text: str) -> None:
        """Say something in a later turn of the clock."""
        self.clock.callLater(0, self.wire.receive, text.encode())

    def take(self) -> list[str]:
        """What came since the last call, server pings aside."""
        self.clock.advance(0)
        self.read()
        fresh, self._fresh = self.heard[self._fresh :], len(self.heard)
        return [stanza.raw.decode() for stanza in fresh if not stanza.get("id").startswith("s2c")]

    def leave(self) -> None:
        """Close the stream."""
        self.say(CLOSE)

    def vanish(self) -> None:
        """The connection breaks."""
        self.wire.drop()


def user(clock: Clock, build: Build, uid: str, resource: str, token: str) -> XmppPeer:
    """An app, which is not logged in yet."""
    plain = f"\0{uid}\0" + f"0/{resource}/{token}"
    return XmppPeer(clock, build, domain="ecouser.net", plain=plain, resource=resource)


@define(eq=False)
class ScriptedRobot(XmppPeer):
    """
    A robot that answers commands from a table.

    @ivar script: attributes and children of the answering C{ctl} element by the name of the
        command, as in C{" ret='ok'><battery power='087'/></ctl>"}; it is silent on others.
    """

    script: dict[str, str] = field(factory=dict, kw_only=True)

    def on_stanza(self, stanza: Element) -> None:
        super().on_stanza(stanza)
        query = stanza.first
        ctl = None if query is None or query.namespace != CONTROL else query.first
        if stanza.get("type") == "set" and ctl is not None and ctl.get("td") in self.script:
            to = stanza.get("from")
            answer = f"<ctl id='{ctl.get('id')}'{self.script[ctl.get('td')]}"
            self.later(
                f"<iq type='result' to='{to}' id='{stanza.get('id')}'/>" + event(to, answer)
            )


def robot(clock: Clock, build: Build, sn: str, model: str = "126") -> ScriptedRobot:
    """A robot, which is not logged in yet."""
    domain = f"{model}.ecorobot.net"
    return ScriptedRobot(clock, build, domain=domain, plain=f"\0{sn}\0k7Qp2xZ9", resource="atom")


def event(to: str, ctl: str, stanza_id: str = "2700") -> str:
    """What a robot says about itself."""
    return f"<iq to='{to}' type='set' id='{stanza_id}'><query xmlns='com:ctl'>{ctl}</query></iq>"


class RobotEnd:
    """The transport of a simulated robot: bytes go over in a later turn, and TLS is real."""

    disconnecting = False

    def __init__(self, clock: Clock, build: Build, protocol: Any) -> None:
        self._clock, self._protocol = clock, protocol
        self._tls: TLSMemoryBIOProtocol | None = None
        self._over = False
        self.wire = Wire(clock, "192.168.7.44", build, self._arrived)
        protocol.makeConnection(self)

    def write(self, data: bytes) -> None:
        """To the server, inside of TLS once there is any."""
        if self._tls is None:
            self.send(data)
        else:
            self._tls.write(data)

    def writeSequence(self, pieces: list[bytes]) -> None:
        """The same."""
        self.write(b"".join(pieces))

    def send(self, data: bytes) -> None:
        """To the server as it is."""
        self._clock.callLater(0, self._deliver, data)

    def startTLS(self, creator: Any) -> None:
        """Encrypt from now on."""
        nothing: Any = None
        factory = TLSMemoryBIOFactory(creator, True, nothing, self._clock)
        self._tls = TLSMemoryBIOProtocol(factory, self._protocol, _connectWrapped=False)
        self._tls.makeConnection(_Below(self))

    def getPeer(self) -> IPv4Address:
        """The server."""
        return IPv4Address("TCP", "192.168.7.2", 5223)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Nobody is slow here."""

    def unregisterProducer(self) -> None:
        """Nobody is slow here."""

    def pauseProducing(self) -> None:
        """A frozen robot reads nothing any more, and its protocol sees to that."""

    def loseConnection(self) -> None:
        """End it when all is said."""
        self._clock.callLater(0, self.abortConnection)

    def abortConnection(self) -> None:
        """End it."""
        if not self._over:
            self._over = True
            self.wire.drop()
            (self._tls or self._protocol).connectionLost(Failure(ConnectionDone()))

    def _deliver(self, data: bytes) -> None:
        if not self._over:
            self.wire.receive(data)

    def _arrived(self) -> None:
        data = self.wire.take()
        if data and not self._over:
            (self._tls or self._protocol).dataReceived(data)
        if self.wire.over and not self._over:
            self._clock.callLater(0, self.abortConnection)


class _Below:
    """What TLS finds under itself."""

    disconnecting = False

    def __init__(self, end: RobotEnd) -> None:
        self._end = end
        self.write = end.send
        self.loseConnection, self.abortConnection = end.loseConnection, end.abortConnection
        self.getPeer = end.getPeer

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Nobody is slow here."""

    def unregisterProducer(self) -> None:
        """Nobody is slow here."""


@implementer(IStreamClientEndpoint)
@define(eq=False)
class Way:
    """How a simulated robot gets to a server in memory; give it L{dial}."""

    clock: Clock
    build: Build
    ends: list[RobotEnd] = field(factory=list, init=False)

    def dial(self, _host: str, _port: int) -> "Way":
        """There is one server."""
        return self

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        protocol: Any = factory.buildProtocol(IPv4Address("TCP", "192.168.7.2", 5223))
        self.ends.append(RobotEnd(self.clock, self.build, protocol))
        return succeed(protocol)
