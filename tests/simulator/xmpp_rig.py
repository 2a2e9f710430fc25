"""An XMPP robot on a string transport, with the server's side played by the test."""

from __future__ import annotations

import re

from attrs import define, field
from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from zope.interface import implementer

from bumper_tw.simulator.any_robot import AT_ONCE
from bumper_tw.simulator.identity import Identity, xmpp_identities
from bumper_tw.simulator.xmpp_profile import Search, XmppProfile
from bumper_tw.simulator.xmpp_robot import XmppRobot

OPENING = (
    b"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client'"
    b" version='1.0' id='%s' from='ecouser.net'>"
)
MECHANISMS = (
    b"<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
    b"<mechanism>PLAIN</mechanism></mechanisms>"
)
STARTTLS = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
BIND = (
    b"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
    b"<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>"
)
PROCEED = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
SUCCESS = b"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
BOUND = (
    b"<iq type='result' id='%s'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
    b"<jid>%s</jid></bind></iq>"
)
DONE = b"<iq type='result' id='%s'/>"
PING = b"<iq from='ecouser.net' to='%s' id='s2c%d' type='get'><ping xmlns='urn:xmpp:ping'/></iq>"
DUMMY = b"<presence to='%s'> dummy </presence>"
DEVICE_INFO = (
    b"<iq type='set' id='14' to='%s' from='ecouser.net'>"
    b"<query xmlns='com:ctl'><ctl td='GetDeviceInfo'/></query></iq>"
)
USER = b"fuid_a1b2c3@ecouser.net/GLBa91f03c2d"


def features(*offers: bytes) -> bytes:
    """Offer something."""
    return b"<stream:features>" + b"".join(offers) + b"</stream:features>"


class Line(StringTransportWithDisconnection):
    """A transport that notes the size of each write, and only that TLS begins."""

    secure = False

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def write(self, data: bytes) -> None:
        self.sizes.append(len(data))
        super().write(data)

    def startTLS(self, context: object) -> None:
        """The handshake is not played."""
        self.secure = True


@implementer(IStreamClientEndpoint)
@define(eq=False)
class Exchange:
    """Connects to string transports; the next C{refusals} attempts fail."""

    lines: list[Line] = field(factory=list)
    dialled: list[tuple[str, int]] = field(factory=list)
    refusals: int = 0

    def dial(self, host: str, port: int) -> Exchange:
        """Note where the robot turns to."""
        self.dialled.append((host, port))
        return self

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        if self.refusals > 0:
            self.refusals -= 1
            return fail(ConnectError())
        protocol = factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 5223))
        assert protocol is not None
        line = Line()
        line.protocol = protocol
        self.lines.append(line)
        protocol.makeConnection(line)
        return succeed(protocol)


@define(eq=False)
class XmppRig:
    """
    One robot and its server.

    @ivar ready: what C{start} returned
    @ivar piece: bytes in a segment of the server; 0 for whole ones
    """

    profile: XmppProfile = field(factory=XmppProfile)
    search: Search = field(factory=lambda: Search("192.0.2.10", 5223))
    speed: float = 1.0
    latency: tuple[float, float] = AT_ONCE
    clock: Clock = field(factory=Clock)
    exchange: Exchange = field(factory=Exchange)
    seed: int = 0
    streams: int = 0
    piece: int = 0
    identity: Identity = field(init=False)
    robot: XmppRobot = field(init=False)
    ready: Deferred[None] = field(init=False)

    def __attrs_post_init__(self) -> None:
        [self.identity] = xmpp_identities(1)
        self.clock.advance(1767225600)
        self.robot = XmppRobot(
            self.clock,
            self.exchange.dial,
            self.search,
            self.identity,
            self.profile,
            self.speed,
            self.seed,
            self.latency,
        )

    @property
    def jid(self) -> bytes:
        """Where the robot is."""
        return f"{self.identity.sn}@126.ecorobot.net/atom".encode()

    @property
    def line(self) -> Line:
        """The newest connection."""
        return self.exchange.lines[-1]

    @property
    def complaints(self) -> list[str]:
        """What the robot says against the server."""
        return list(self.robot.violations)

    def start(self) -> XmppRig:
        """Switch on and connect."""
        self.ready = self.robot.start()
        self.ready.addErrback(lambda failure: failure)
        return self

    def stop(self) -> None:
        """Switch off, on the way too, and leave nothing behind."""
        stopped = self.robot.stop()
        self.ready.addErrback(lambda failure: failure.trap(CancelledError))
        self.clock.advance(2)
        assert stopped.called

    def hear(self, *data: bytes) -> None:
        """Give the robot bytes, as one segment each."""
        for segment in data:
            size = self.piece or len(segment)
            for start in range(0, len(segment), size):
                assert self.line.protocol is not None
                self.line.protocol.dataReceived(segment[start : start + size])

    def said(self) -> bytes:
        """Take what the robot has said since the last call."""
        self.clock.advance(0.0625)
        said: bytes = self.line.value()
        self.line.clear()
        return said

    def open(self, *offers: bytes) -> None:
        """Open the next stream of the server."""
        self.streams += 1
        self.hear(OPENING % b"%d" % self.streams, features(*offers))

    def log_in(self) -> XmppRig:
        """Do the walk-through of xmpp.md 6.1 up to the session."""
        self.said()
        if self.profile.wire.value == "starttls":
            self.open(STARTTLS, MECHANISMS)
            self.said()
            self.hear(PROCEED)
            self.said()
        self.open(MECHANISMS)
        self.said()
        self.hear(SUCCESS)
        self.said()
        self.open(BIND)
        self.hear(BOUND % (self.number(), self.jid))
        self.hear(DONE % self.number())
        return self

    def number(self) -> bytes:
        """Take the id of what the robot has just said."""
        said = self.said()
        found = re.search(rb" id='([0-9]+)'", said)
        assert found is not None, said
        return bytes(found[1])

    def greeted(self) -> XmppRig:
        """Come up and let the greetings pass."""
        self.start().log_in()
        self.hear(PING % (self.jid, 1))
        self.said()
        self.hear(DUMMY % self.jid, DEVICE_INFO % self.jid)
        self.said()
        return self

    def command(self, ctl: bytes, sender: bytes = USER, stanza_id: bytes = b"7") -> None:
        """Deliver a command."""
        self.hear(
            b"<iq id='%s' to='%s' type='set' from='%s'>" % (stanza_id, self.jid, sender)
            + b"<query xmlns='com:ctl'>"
            + ctl
            + b"</query></iq>"
        )

    def ask(self, ctl: bytes, sender: bytes = USER) -> list[bytes]:
        """Deliver a command, and take the stanzas that come back."""
        self.said()
        self.command(ctl, sender)
        return stanzas(self.said())

    def run(self, seconds: float, pings: bool = True) -> None:
        """Let the robot's seconds pass, while the server pings as it should."""
        step = 0.125 / self.speed
        for number in range(round(seconds / 0.125)):
            self.clock.advance(step)
            if pings and number % round(30 / step) == round(29 / step):
                self.hear(PING % (self.jid, number))


STANZA = re.compile(rb"<(iq|presence)\b(?:[^>]*/>|.*?</\1>)")


def stanzas(said: bytes) -> list[bytes]:
    """Cut at the stanzas' ends."""
    return [match[0] for match in STANZA.finditer(said)]


def ctl_of(stanza: bytes) -> bytes:
    """Take what is inside of C{query}."""
    return stanza.partition(b"<query xmlns='com:ctl'>")[2].partition(b"</query>")[0]
