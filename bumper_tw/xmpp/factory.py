"""All XMPP connections: how many there may be, and how all of them end."""

from collections import Counter
from collections.abc import Callable

from attrs import field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory
from twisted.logger import Logger

from bumper_tw.core.repeats import Repeats
from bumper_tw.front.crowd import Crowd, Unwelcome
from bumper_tw.front.outbox import Wave
from bumper_tw.front.tls import Chooser, TlsLayer
from bumper_tw.interfaces import IAuthenticator, IRobotPresence
from bumper_tw.values import Principal
from bumper_tw.wire.xmpp_stanzas import StanzaLimits
from bumper_tw.xmpp.doorstep import Doorstep
from bumper_tw.xmpp.stream import XmppStream
from bumper_tw.xmpp_interfaces import IXmppRouter

#: Robots tell who they are; this makes them reachable, and is told when they listen and go.
RobotConnected = Callable[[Principal], IRobotPresence]

#: As many lines about refused logins from one address within a minute, of those there are.
REFUSALS = 20


@frozen
class StreamLimits:
    """
    What one connection, and one address, can cost us.

    @ivar stanza: what one stanza may cost after login.
    @ivar login: seconds until a client has to be logged in, and again until it has an address.
    @ivar ping: seconds between our pings.
    @ivar silence: the longest silence allowed, in seconds.
    @ivar connections: at one time, in all.
    @ivar per_peer: at one time, from one address.
    @ivar strangers: of the connections, not logged in yet.
    @ivar strangers_per_peer: of those, from one address.
    @ivar tls_users: whether users log in over TLS only.
    @ivar tls_robots: the same for robots.
    """

    stanza: StanzaLimits = field(factory=StanzaLimits)
    login: float = 30.0
    ping: float = 30.0
    silence: float = 75.0
    connections: int = 1000
    per_peer: int = 100
    strangers: int = 200
    strangers_per_peer: int = 50
    tls_users: bool = True
    tls_robots: bool = False


class XmppDoor(Factory):
    """What one listener hands its connections to; all share the L{XmppFactory}."""

    noisy = False

    def __init__(self, inside: "XmppFactory", chooser: Chooser, clear: bool) -> None:
        """
        @param chooser: has the certificates.
        @param clear: whether a connection may begin in clear text.
        """
        self._inside, self._clear = inside, clear
        # Twisted's usual TLS holds back a stanza for a turn of the reactor, in the hope of more.
        self._tls = TlsLayer(inside.clock, chooser, direct=True)

    def buildProtocol(self, addr: "IAddress | None") -> Doorstep | Unwelcome:
        return self._inside.build(addr, self._tls, self._clear)


class XmppFactory:
    """
    What the doors of all listeners share.

    @ivar counts: what happened to connections, by name.
    @ivar seconds: the time.
    @ivar crowd: the connections there are.
    @ivar wave: what is written while received bytes are dealt with.
    @ivar strange: what strangers did, by address, so that it does not fill the log.
    @ivar refused: refused logins, by name.
    @ivar visits: who has connected, by name: two that take each other's place do so for ever.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        authenticator: IAuthenticator,
        router: IXmppRouter,
        robot_connected: RobotConnected,
        limits: StreamLimits,
        random_hex: Callable[[int], str],
    ) -> None:
        """
        @param random_hex: makes so many random bytes, in hexadecimal.
        """
        self.clock, self.authenticator, self.router = clock, authenticator, router
        self.robot_connected, self.limits, self.random_hex = robot_connected, limits, random_hex
        self.seconds = clock.seconds
        self.counts: Counter[str] = Counter()
        self.wave = Wave()
        self.strange, self.visits = Repeats(clock), Repeats(clock)
        self.refused = Repeats(clock, share=REFUSALS)
        self.crowd: Crowd[Doorstep] = Crowd(clock, limits, self.counts, self._log)

    def door(self, chooser: Chooser, clear: bool = True) -> XmppDoor:
        """What to listen with; see L{XmppDoor}."""
        return XmppDoor(self, chooser, clear)

    def build(self, addr: "IAddress | None", tls: TlsLayer, clear: bool) -> Doorstep | Unwelcome:
        """Take a connection, or refuse it."""
        return self.crowd.admit(addr, lambda host: Doorstep(self, host, tls, clear))

    def stream(self, doorstep: Doorstep, secure: bool, domain: str = "") -> XmppStream:
        """What is behind the door."""
        return XmppStream(self, doorstep, secure, domain)

    def dismiss(self, gone: Callable[[Principal], bool]) -> None:
        """End the streams of those who would not be let in any more, bound or not yet."""
        for doorstep in self.crowd:
            doorstep.dismiss(gone)

    def farewell(self) -> Deferred[None]:
        """End every connection; fires when the last one is gone."""
        gone = self.crowd.empty()
        for doorstep in self.crowd:
            doorstep.farewell()
        return gone
