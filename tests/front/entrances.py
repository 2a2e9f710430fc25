"""An entrance in memory, whoever is behind it, and clients that come with TLS or without."""

import contextlib
from collections.abc import Mapping
from typing import Any

from attrs import define, field
from OpenSSL import SSL
from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.front.contact import Contact, Speech
from bumper_tw.front.entrance import Entrance, EntranceLimits, Reception
from bumper_tw.front.journal import Journal
from bumper_tw.front.tls import Choice, TlsLayer
from tests.front.fixed import Fixed, fixed
from tests.lines import Line

NOW = 1_795_000_000.0
CONNECT = bytes.fromhex("101000044d51545404020078000464657631")
GET = b"GET /discover HTTP/1.1\r\n\r\n"
HEADER = b"<stream:stream to='ecouser.net'>"
FIRST = {Speech.HTTP: GET, Speech.MQTT: CONNECT, Speech.XMPP: HEADER}


class Speaker(Protocol):
    """Whoever is behind the entrance: remembers what it hears, and says it back in capitals."""

    def __init__(self, speech: Speech) -> None:
        self.speech, self.heard = speech, b""
        self.gone = False

    def dataReceived(self, data: bytes) -> None:
        self.heard += data
        assert self.transport is not None
        self.transport.write(data.upper())

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.gone = True


class Speakers(Factory):
    """
    All of one kind.

    @ivar made: those that there were.
    """

    def __init__(self, speech: Speech) -> None:
        self._speech = speech
        self.made: list[Speaker] = []

    def buildProtocol(self, addr: Any) -> Any:
        self.made.append(Speaker(self._speech))
        return self.made[-1]


@define
class Asked:
    """Certificates that remember who asked for which."""

    fixed: Fixed = field(factory=fixed)
    names: list[tuple[str, str]] = field(factory=list)

    def choose(self, server_name: str, host: str) -> Choice:
        """The same for everybody."""
        self.names.append((server_name, host))
        return self.fixed


class EntranceCase(SynchronousTestCase):
    """A reception, and entrances to it."""

    limits = EntranceLimits(patience=10.0, undecided=5, per_peer=3)

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.journal = Journal(self.clock, 100)
        self.reception = Reception(self.clock, self.journal, self.limits)
        self.asked = Asked()
        self.speakers = {speech: Speakers(speech) for speech in FIRST}
        self.lines: list[Line] = []
        self.log: list[str] = []

    def entrance(self, serves: str = "all", tls: bool = True) -> Entrance:
        """One listener."""
        one = {"web": Speech.HTTP, "mqtt": Speech.MQTT, "xmpp": Speech.XMPP}.get(serves)
        inside: Mapping[Speech, Any] = self.speakers if one is None else {one: self.speakers[one]}
        layer = None if serves == "xmpp" else TlsLayer(self.clock, self.asked, direct=False)
        return Entrance(self.reception, serves, tls, layer, inside)

    def connect(self, entrance: Entrance, host: str = "192.0.2.7") -> Line:
        """Somebody comes."""
        built: Any = entrance.buildProtocol(IPv4Address("TCP", host, 50_000))
        line = Line(self.clock, host, built)
        self.lines.append(line)
        return line

    def settle(self) -> None:
        """Let happen what is due now."""
        while any(call.getTime() <= self.clock.seconds() for call in self.clock.getDelayedCalls()):
            self.clock.advance(0)

    def contact(self) -> Contact:
        """The one contact there was."""
        [contact] = self.journal.contacts()
        return contact

    def speaker(self, speech: Speech) -> Speaker:
        """The one behind the entrance who speaks that."""
        [speaker] = self.speakers[speech].made
        return speaker

    def drop(self, line: Line) -> None:
        """The other side goes."""
        line.drop()
        self.settle()


class TlsPeer:
    """A client with TLS, by default one that believes everything."""

    def __init__(
        self,
        line: Line,
        case: EntranceCase,
        server_name: str = "portal-eu.ecouser.net",
        verify: bool = False,
        highest: int = SSL.TLS1_3_VERSION,
        lowest: int = SSL.TLS1_VERSION,
        alpn: tuple[bytes, ...] = (),
        piece: int = 0,
    ) -> None:
        self.line, self._case, self._piece = line, case, piece
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(lowest)
        context.set_max_proto_version(highest)
        context.set_cipher_list(b"DEFAULT:@SECLEVEL=0")
        if verify:
            context.set_verify(SSL.VERIFY_PEER, lambda *_: False)
        if alpn:
            context.set_alpn_protos(list(alpn))
        self.tls = SSL.Connection(context, None)
        if server_name:
            self.tls.set_tlsext_host_name(server_name.encode())
        self.tls.set_connect_state()
        self._read, self.plain = 0, b""
        self.failed: SSL.Error | None = None

    def shake(self) -> None:
        """The handshake, as far as it gets."""
        for _ in range(4):
            try:
                self.tls.do_handshake()
            except SSL.WantReadError:
                pass
            except SSL.Error as failed:
                self.failed = failed
            self.flush()
            self.take()

    def send(self, data: bytes) -> None:
        """Something inside of TLS."""
        step = self._piece or len(data)
        for start in range(0, len(data), step):
            self.tls.send(data[start : start + step])
            self.flush()
        self.take()

    def flush(self) -> None:
        """Let the server have what is encrypted."""
        with contextlib.suppress(SSL.WantReadError):
            raw = self.tls.bio_read(1 << 20)
            step = self._piece or len(raw)
            for start in range(0, len(raw), step):
                if not self.line.lost:
                    self.line.receive(raw[start : start + step])
        self._case.settle()

    def take(self) -> None:
        """Hear what the server says."""
        raw = bytes(self.line.sent[self._read :])
        self._read += len(raw)
        if raw:
            self.tls.bio_write(raw)
        with contextlib.suppress(SSL.WantReadError, SSL.ZeroReturnError, SSL.Error):
            while True:
                self.plain += self.tls.recv(1 << 16)
