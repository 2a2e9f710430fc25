"""Where connections come in: one entrance for each listener, and what they share."""

from collections.abc import Mapping
from ipaddress import IPv6Address

from attrs import frozen
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IAddress, IProtocolFactory, IReactorTime
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.core.repeats import Repeats, again
from bumper_tw.front.arrival import Arrival
from bumper_tw.front.contact import OURS, TOO_MANY, Contact, Outcome, Speech, plain_address
from bumper_tw.front.crowd import Unwelcome
from bumper_tw.front.journal import Journal
from bumper_tw.front.tls import TlsLayer

#: Bits of an IPv6 address that a network gives to its hosts.
HOSTS = 64

#: What is said of those who got no further than the entrance.
LINES = {
    Outcome.TLS_FAILED: "TLS failed: {contact.alert}",
    Outcome.HANDSHAKE: "it left in the middle of the TLS handshake",
    Outcome.WRONG_LAYER: "it did not begin with TLS",
    Outcome.WRONG_PROTOCOL: "it spoke {contact.speech.value}, which is not for this port",
    Outcome.NO_PROTOCOL: "it spoke no protocol that is known here",
    Outcome.TOO_SLOW: "it was too slow",
}


@frozen
class EntranceLimits:
    """
    What connections may cost of which nobody knows what they speak.

    @ivar patience: seconds until that has to be known.
    @ivar undecided: at one time, in all.
    @ivar per_peer: at one time, from one address.
    """

    patience: float = 10.0
    undecided: int = 400
    per_peer: int = 100


class Reception:
    """
    What all entrances share.

    @ivar strangers: connections of which nobody knows what they speak.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, journal: Journal, limits: EntranceLimits) -> None:
        self.clock, self.journal, self.patience = clock, journal, limits.patience
        self.strangers = Strangers(limits.undecided, limits.per_peer)
        self._said = Repeats(clock)

    def crowded(self, host: str) -> bool:
        """
        There are too many of them.

        @return: whether it is time to tell that again.
        """
        more = self._said.say(f"{host} crowded", host)
        if more is not None:
            self._log.warn(
                "too many connections that say nothing, refused one from {peer}{more}",
                peer=host or "a local socket",
                more=again(more),
            )
        return more is not None

    def over(self, contact: Contact, reason: Failure) -> None:
        """A connection has ended."""
        contact.closed(self.clock.seconds(), how(reason))
        line = LINES.get(contact.outcome)
        if line is None:
            return
        host = contact.host
        more = self._said.say(f"{host} {contact.outcome.value} {contact.local_port}", host)
        if more is not None:
            self._log.info(
                "{peer} came to port {port} and was not understood: {what}{more}; more: bumper "
                "journal {peer}",
                peer=host or "a local socket",
                port=contact.local_port,
                what=line.format(contact=contact),
                more=again(more),
            )


def how(reason: Failure) -> str:
    """Why a connection has ended, when nobody on our side has said it."""
    if reason.check(ConnectionDone):
        return "the other side closed it"
    return "cut by us" if reason.check(ConnectionAborted) else "it broke"


class Strangers:
    """
    Connections of which nobody knows what they speak.

    One address has a share of them, and when there are too many in all, whoever has the most
    makes room: a few that hold many connections do not shut the others out.
    """

    def __init__(self, most: int, most_per_peer: int) -> None:
        self._most, self._most_per_peer, self._all = most, most_per_peer, 0
        self._peers: dict[str, dict[Arrival, None]] = {}

    def __len__(self) -> int:
        return self._all

    def full(self, host: str) -> bool:
        """Whether an address has its share already."""
        return len(self._peers.get(network(host), ())) >= self._most_per_peer

    def enter(self, arrival: Arrival) -> None:
        """One more."""
        if self._all >= self._most:
            biggest = max(self._peers.values(), key=len)
            next(iter(biggest)).make_room()
        self._peers.setdefault(network(arrival.host), {})[arrival] = None
        self._all += 1

    def leave(self, arrival: Arrival) -> None:
        """It has said what it wants, or is gone."""
        peer = network(arrival.host)
        del self._peers[peer][arrival]
        self._all -= 1
        if not self._peers[peer]:
            del self._peers[peer]


def network(host: str) -> str:
    """What counts as one address: of IPv6 a whole network, in which a box may have them all."""
    if ":" not in host:
        return host
    return str(IPv6Address(int(IPv6Address(host.partition("%")[0])) >> HOSTS << HOSTS))


class Crowded(Unwelcome):
    """One connection too many, which the owner is told of."""

    def __init__(self, entrance: "Entrance", host: str) -> None:
        self._entrance, self._host = entrance, host

    def connectionMade(self) -> None:
        contact = self._entrance.begin(self._host, 0, self.transport.getHost())
        contact.failed(Outcome.CROWDED, TOO_MANY)
        contact.closing(OURS)
        super().connectionMade()
        contact.closed(self._entrance.clock.seconds(), OURS)


class Entrance(Factory):
    """
    What one listener hands its connections to.

    @ivar own: what is spoken there, when it is but one thing.
    @ivar tls: what connections turn to TLS with; C{None} when what is inside sees to that.
    """

    noisy = False

    def __init__(
        self,
        reception: Reception,
        serves: str,
        wants_tls: bool,
        tls: TlsLayer | None,
        inside: Mapping[Speech, IProtocolFactory],
    ) -> None:
        """
        @param serves: what the owner calls what is spoken there.
        @param wants_tls: whether nothing is spoken in clear text.
        @param inside: what takes the connections, by what they speak.
        """
        self._reception, self._serves, self._wants_tls = reception, serves, wants_tls
        self.tls, self._inside = tls, inside
        self.own = next(iter(inside)) if len(inside) == 1 else Speech.NOTHING
        self.clock, self.patience = reception.clock, reception.patience
        self.strangers, self.over = reception.strangers, reception.over

    def buildProtocol(self, addr: "IAddress | None") -> Arrival | Unwelcome:
        host = plain_address(addr)
        if self.strangers.full(host):
            return Crowded(self, host) if self._reception.crowded(host) else Unwelcome()
        arrival = Arrival(self, addr, host)
        self.strangers.enter(arrival)
        return arrival

    def begin(self, host: str, port: int, local: IAddress) -> Contact:
        """Somebody has come; see L{Contact}."""
        return self._reception.journal.begin(
            host,
            port,
            plain_address(local),
            getattr(local, "port", 0),
            self._serves,
            self._wants_tls,
        )

    def factory(self, speech: Speech) -> "IProtocolFactory | None":
        """What takes connections on which that is spoken; C{None} when nobody here does."""
        return self._inside.get(speech)
