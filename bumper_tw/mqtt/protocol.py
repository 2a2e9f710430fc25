"""One MQTT connection: bytes in, questions to the broker, bytes out."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, cast

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from bumper_tw.dialect.logins import MqttCredentials
from bumper_tw.errors import LoginRefused, ProtocolViolation
from bumper_tw.interfaces import (
    IAuthenticator,
    IMqttBroker,
    IMqttOutlet,
    IMqttSession,
    IRobotPresence,
)
from bumper_tw.mqtt.outbox import Outbox
from bumper_tw.values import Message, Principal, Role
from bumper_tw.wire.mqtt_codec import encode, refuse_level
from bumper_tw.wire.mqtt_connection import MqttConnection, State
from bumper_tw.wire.mqtt_packets import (
    ConnAck,
    Connect,
    ConnectCode,
    Disconnect,
    Packet,
    PingReq,
    PingResp,
    PubAck,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    SubAck,
    Subscribe,
    UnsubAck,
    Unsubscribe,
)

#: Robots tell who they are; this makes them reachable, and is told when they listen and go.
RobotConnected = Callable[[Principal], IRobotPresence]

#: How many QoS 2 publications one client may leave unreleased.
UNRELEASED = 1000

#: How many seconds a connection may take to close.
HANG_UP = 1.0

#: How the filters begin under which a robot hears commands; the rules see to the rest.
CALLED = ("iot/p2p/", "p2p/")


@frozen
class ConnectionLimits:
    """
    What one connection, and one address, can cost us.

    @ivar login: seconds until a connection has to be logged in.
    @ivar keep_alive: the longest silence allowed, in seconds, whatever the client asks for.
    @ivar max_packet: bytes.
    @ivar max_topic: bytes.
    @ivar connections: at one time, in all.
    @ivar per_peer: at one time, from one address.
    """

    login: float = 10.0
    keep_alive: float = 3600.0
    max_packet: int = 1_048_576
    max_topic: int = 512
    connections: int = 1000
    per_peer: int = 100


@implementer(IMqttOutlet)
class MqttProtocol(Protocol):
    """
    A thin skin on the transport.

    It pauses its transport between CONNECT and CONNACK: a client may speak before it is
    let in, and what it says must neither take effect nor pile up (MQTT 3.1.1, 3.1.4).
    """

    _log = Logger()
    #: TCP or TLS on it, a consumer and a producer besides: no one interface says all that.
    transport: Any
    factory: "MqttFactory"

    def __init__(self, factory: "MqttFactory") -> None:
        self.factory = factory
        limits = factory.limits
        self._connection = MqttConnection(limits.max_packet, max_topic=limits.max_topic)
        self._session: IMqttSession | None = None
        self._presence: IRobotPresence | None = None
        self._verdict: Deferred[Principal] | None = None
        self._deadline: IDelayedCall | None = None
        self._patience = limits.login
        self._unreleased: set[int] = set()
        self._outbox: Outbox
        self._over = False

    @property
    def peer(self) -> str:
        """The address of the other side."""
        return str(getattr(self.transport.getPeer(), "host", "a local socket"))

    def connectionMade(self) -> None:
        self._outbox = Outbox(self.transport)
        self._set_deadline(self._patience, self._expired)

    def _expired(self) -> None:
        self.close(f"silent for {self._patience:g} s")

    def dataReceived(self, data: bytes) -> None:
        # Before login the deadline is for all of it, and after the end it is for closing: a
        # byte now and then buys no time.
        if self._deadline is not None and self._session is not None and not self._over:
            self._deadline.reset(self._patience)
        self._act_on(self._connection.receive(data))

    def _act_on(self, packets: Iterator[Packet]) -> None:
        try:
            for packet in packets:
                ACTIONS[packet.__class__](self, packet)
        except ProtocolViolation as wrong:
            self.factory.counts["violations"] += 1
            self.close(str(wrong))

    # Logging in

    def connect(self, packet: Connect) -> None:
        """Ask who that is; until we know, nothing else it says is looked at."""
        if not packet.spoken:
            self.transport.write(refuse_level(packet.level))
            self.close(f"speaks {packet.protocol_name} level {packet.level}")
            return
        self.transport.pauseProducing()
        credentials = MqttCredentials(
            packet.client_id, packet.username, packet.password, self.peer
        )
        verdict = self._verdict = self.factory.authenticator.login(credentials)
        verdict.addCallback(self._welcome, packet)
        verdict.addErrback(self._refuse, packet)
        verdict.addErrback(lambda failure: failure.trap(CancelledError))
        verdict.addErrback(self._broke)

    def _welcome(self, who: Principal, packet: Connect) -> None:
        if self._over:
            return
        self._session = self.factory.broker.open(who, packet.client_id, self)
        if who.role is Role.ROBOT:
            self._presence = self.factory.robot_connected(who)
        self._patience = self._silence(packet.keep_alive)
        self._set_deadline(self._patience, self._expired)
        self._write_packet(ConnAck(ConnectCode.ACCEPTED))
        self._log.info("{who} connected from {peer}", who=who, peer=self.peer)
        self.transport.resumeProducing()
        self._act_on(self._connection.accept())

    def _silence(self, keep_alive: int) -> float:
        """How long a client may be silent: one and a half keep-alives (MQTT-3.1.2-24)."""
        longest = self.factory.limits.keep_alive
        return min(keep_alive * 1.5, longest) if keep_alive else longest

    def _refuse(self, failure: Failure, packet: Connect) -> None:
        failure.trap(LoginRefused)
        self.factory.counts["logins refused"] += 1
        code = getattr(failure.value, "code", ConnectCode.NOT_AUTHORIZED)
        self._deny(code, f"{packet.client_id[:80]!r} refused: {failure.value}")

    def _broke(self, failure: Failure) -> None:
        """While deciding something broke, so the answer is no."""
        self._log.failure("login from {peer} broke", failure, peer=self.peer)
        self._deny(ConnectCode.SERVER_UNAVAILABLE, "login broke")

    def _deny(self, code: ConnectCode, why: str) -> None:
        """Say no, unless it was yes already: there is one CONNACK."""
        if self._connection.state is State.PENDING:
            self._write_packet(ConnAck(code))
        self.close(why)

    # Logged in

    def publish(self, packet: Publish) -> None:
        """A publication: take it, then acknowledge it."""
        if packet.qos < 2:
            self._accept(packet)
            if packet.qos:
                self._write_packet(PubAck(cast(int, packet.packet_id)))
            return
        packet_id = cast(int, packet.packet_id)
        if packet_id not in self._unreleased:
            if len(self._unreleased) >= UNRELEASED:
                raise ProtocolViolation(f"{UNRELEASED} publications wait for their PUBREL")
            self._unreleased.add(packet_id)
            self._accept(packet)
        self._write_packet(PubRec(packet_id))

    def _accept(self, packet: Publish) -> None:
        session = self._open_session
        # Nothing of a robot or a user is retained (mqtt.md 3.6).
        session.publish(Message(packet.topic, packet.payload, packet.qos, False, session.who))

    @property
    def _open_session(self) -> IMqttSession:
        """The session; the connection lets nothing through before there is one."""
        assert self._session is not None  # noqa: S101 - see above
        return self._session

    def released(self, packet: PubRel) -> None:
        """QoS 2 ends: its packet id may mean something new from now on."""
        self._unreleased.discard(packet.packet_id)
        self._write_packet(PubComp(packet.packet_id))

    def acknowledged(self, packet: PubAck) -> None:
        """The client has something we sent."""
        self._open_session.acknowledged(packet.packet_id)

    def subscribe(self, packet: Subscribe) -> None:
        """Grant what the rules allow; a robot that can hear its commands is told about."""
        codes = self._open_session.subscribe(packet.requests)
        self._write_packet(SubAck(packet.packet_id, tuple(codes)))
        granted = (
            wanted for (wanted, _), code in zip(packet.requests, codes, strict=True) if code < 0x80
        )
        if self._presence is not None and any(wanted.startswith(CALLED) for wanted in granted):
            self._presence.listening()

    def unsubscribe(self, packet: Unsubscribe) -> None:
        """Take subscriptions back."""
        self._open_session.unsubscribe(packet.filters)
        self._write_packet(UnsubAck(packet.packet_id))

    def ping(self, _: PingReq) -> None:
        """A sign of life."""
        self._write_packet(PingResp())

    def goodbye(self, _: Disconnect) -> None:
        """The client leaves in good order."""
        self._hang_up()

    def ignored(self, _: Packet) -> None:
        """An acknowledgement of what we never send: QoS 2."""

    # Writing

    def _write_packet(self, packet: Packet) -> None:
        self._outbox.answer(encode(packet))

    def write(self, packet: bytes) -> None:
        self._outbox.write(packet)

    def backlog(self) -> int:
        return len(self._outbox)

    # Ending

    def close(self, reason: str) -> None:
        """End the connection, with one line for the owner; once."""
        if not self._over:
            self._log.info("closing {peer}: {reason}", peer=self.peer, reason=reason)
            self._hang_up()

    def _hang_up(self) -> None:
        """Let what is written go out, then end; a peer that is dead already gets no say."""
        self._outbox.finish()
        self._end()
        # Over TLS the other side answers the farewell, which has to be read.
        self.transport.resumeProducing()
        self._set_deadline(HANG_UP, self.transport.abortConnection)
        self.transport.loseConnection()

    def _end(self) -> None:
        """From now on nothing is heard, said or decided here."""
        self._over = True
        self._connection.close()
        if self._verdict is not None:
            # Death during login: a ghost must not be let in.
            self._verdict.cancel()
        if self._session is not None:
            self._session.close()

    def _set_deadline(self, seconds: float, then: Callable[[], None]) -> None:
        self._clear_deadline()
        self._deadline = self.factory.clock.callLater(seconds, self._reached, then)

    def _reached(self, then: Callable[[], None]) -> None:
        self._deadline = None
        then()

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002
        self._clear_deadline()
        self._end()
        if self._session is not None:
            self._log.info("{who} disconnected", who=self._session.who)
        if self._presence is not None:
            self._presence.gone()
        self.factory.lost(self)


#: What to do about each packet; the connection lets only legal ones through.
ACTIONS: dict[type, Callable[[MqttProtocol, Any], None]] = {
    Connect: MqttProtocol.connect,
    Publish: MqttProtocol.publish,
    PubAck: MqttProtocol.acknowledged,
    PubRel: MqttProtocol.released,
    PubRec: MqttProtocol.ignored,
    PubComp: MqttProtocol.ignored,
    Subscribe: MqttProtocol.subscribe,
    Unsubscribe: MqttProtocol.unsubscribe,
    PingReq: MqttProtocol.ping,
    Disconnect: MqttProtocol.goodbye,
}


class Unwelcome(Protocol):
    """
    One connection too many.

    Not building a protocol at all would leave it open: what puts TLS on a factory does not
    expect that.
    """

    transport: Any

    def connectionMade(self) -> None:
        self.transport.abortConnection()


class MqttFactory(Factory):
    """
    One for all listeners: the state is in the broker.

    @ivar counts: what happened to connections, by name.
    """

    noisy = False

    def __init__(
        self,
        clock: IReactorTime,
        authenticator: IAuthenticator,
        broker: IMqttBroker,
        robot_connected: RobotConnected,
        limits: ConnectionLimits,
    ) -> None:
        self.clock, self.authenticator, self.broker = clock, authenticator, broker
        self.robot_connected, self.limits = robot_connected, limits
        self.counts: Counter[str] = Counter()
        self._protocols: dict[MqttProtocol, str] = {}
        self._peers: Counter[str] = Counter()
        self._empty: list[Deferred[None]] = []

    def buildProtocol(self, addr: IAddress | None) -> MqttProtocol | Unwelcome:  # type: ignore[override]  # narrower
        host = str(getattr(addr, "host", ""))
        if self._full(host):
            self.counts["connections refused"] += 1
            return Unwelcome()
        protocol = MqttProtocol(self)
        self._protocols[protocol] = host
        self._peers[host] += 1
        self.counts["connections"] += 1
        return protocol

    def _full(self, host: str) -> bool:
        limits = self.limits
        return len(self._protocols) >= limits.connections or self._peers[host] >= limits.per_peer

    def lost(self, protocol: MqttProtocol) -> None:
        """A connection has ended."""
        host = self._protocols.pop(protocol)
        self._peers[host] -= 1
        if not self._peers[host]:
            del self._peers[host]
        if not self._protocols:
            waiting, self._empty = self._empty, []
            for farewell in waiting:
                farewell.callback(None)

    def farewell(self) -> Deferred[None]:
        """End every connection; fires when the last one is gone."""
        if not self._protocols:
            return succeed(None)
        gone: Deferred[None] = Deferred()
        self._empty.append(gone)
        for protocol in list(self._protocols):
            protocol.close("the server stops")
        return gone
