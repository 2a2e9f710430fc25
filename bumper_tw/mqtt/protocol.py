"""One MQTT connection: bytes in, questions to the broker, bytes out."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from bumper_tw.broker_interfaces import Granted, IMqttOutlet, IMqttSession
from bumper_tw.core.repeats import again
from bumper_tw.dialect.logins import MqttCredentials
from bumper_tw.errors import LoginRefused, ProtocolViolation, StorageError
from bumper_tw.interfaces import IRobotPresence
from bumper_tw.mqtt.answers import Owed
from bumper_tw.mqtt.fastlane import pass_on
from bumper_tw.mqtt.lifetime import Lifetime
from bumper_tw.values import Message, Principal, Role
from bumper_tw.wire.mqtt_codec import (
    PUBACK,
    PUBCOMP,
    PUBREC,
    PUBREL,
    UNSUBACK,
    encode,
    refuse_level,
    reply_bytes,
)
from bumper_tw.wire.mqtt_connection import MqttConnection, State
from bumper_tw.wire.mqtt_packets import (
    SUBSCRIPTION_REFUSED,
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
    Unsubscribe,
    Will,
)
from bumper_tw.wire.mqtt_runs import PLAIN

if TYPE_CHECKING:
    from bumper_tw.mqtt.factory import MqttFactory

#: How the filters begin under which a robot hears commands; the rules see to the rest.
CALLED = ("iot/p2p/", "p2p/")

#: The level of MQTT 3.1, whose CONNACK cannot say that a session is present.
MQTT_31 = 3

PONG = encode(PingResp())


@implementer(IMqttOutlet)
class MqttProtocol(Lifetime):
    """
    A thin skin on the transport.

    It pauses its transport between CONNECT and CONNACK: a client may speak before it is
    let in, and what it says must neither take effect nor pile up (MQTT 3.1.1, 3.1.4).  It
    does the same while too much of what the client said is on its way to the disk.
    """

    __slots__ = (
        "_anonymous",
        "_connection",
        "_presence",
        "_session",
        "_verdict",
    )

    _log = Logger()

    def __init__(self, factory: "MqttFactory", host: str, anonymous: bool) -> None:
        super().__init__(factory, host)
        self._anonymous = anonymous
        limits = factory.limits
        self._connection = MqttConnection(limits.max_packet, max_topic=limits.max_topic)
        self._session: IMqttSession | None = None
        self._presence: IRobotPresence | None = None
        self._verdict: Deferred[Principal] | None = None

    @property
    def stranger(self) -> bool:
        return self._session is None

    @property
    def robot(self) -> str:
        """The did of the robot that is logged in; empty when it is none."""
        there = self._presence is not None and not self._over
        return self._open_session.who.name if there else ""

    def dataReceived(self, data: bytes) -> None:
        wave = self.factory.wave
        wave.rise()
        try:
            self._hear(data)
        finally:
            wave.fall()

    def _hear(self, data: bytes) -> None:
        connection, fresh = self._connection, data
        may_pass = data[0] == PLAIN or connection.waiting
        if may_pass and self._session is not None and connection.state is State.OPEN:
            pass_on(data, connection, self._session)
            fresh = b""
        self._act_on(connection.receive(fresh))
        # Only whole packets are a sign of life: less than this waits when one has ended in it.
        if connection.waiting < len(data):
            self.heard()

    def _act_on(self, packets: Iterator[Packet]) -> None:
        try:
            for packet in packets:
                ACTIONS[packet.__class__](self, packet)
        except ProtocolViolation as wrong:
            self.violated(wrong)

    def violated(self, wrong: ProtocolViolation) -> None:
        self.factory.counts["violations"] += 1
        rule = self.factory.limits.explain(wrong, self.stranger)
        self.contact.broke(rule)
        self.close(rule)

    # Logging in

    def connect(self, packet: Connect) -> None:
        """Ask who that is; until we know, nothing else it says is looked at."""
        if not packet.spoken:
            self.transport.write(refuse_level(packet.level))
            speaks = f"speaks {packet.protocol_name} level {packet.level}"
            self.contact.refused(speaks)
            self.close(speaks)
            return
        if packet.will is not None:
            self.factory.limits.check_depth(packet.will.topic)
        client_id = packet.client_id
        self.contact.claims_to_be(claim(packet))
        if not client_id:
            if not packet.clean:
                # What it left could never be found again (MQTT-3.1.3-8).
                self._deny(ConnectCode.IDENTIFIER_REJECTED, "has no client id, and no clean start")
                return
            client_id = self.factory.new_client_id()
        self.transport.pauseProducing()
        self._ask(client_id, packet)

    def _ask(self, client_id: str, packet: Connect) -> None:
        credentials = MqttCredentials(
            client_id, packet.username, packet.password, self.peer, self._anonymous
        )
        verdict = self._verdict = self.factory.authenticator.login(credentials)
        verdict.addCallback(self._open, client_id, packet).addCallback(
            self._welcome, client_id, packet
        )
        verdict.addErrback(self._refuse, client_id)
        verdict.addErrback(_expect_cancelled)
        verdict.addErrback(self._broke)

    def _open(self, who: Principal, client_id: str, packet: Connect) -> Deferred[None]:
        """Give the client its session; fires when CONNACK may tell of that."""
        if self._over:
            raise CancelledError
        will = _message(packet.will, who)
        session = self.factory.broker.open(who, client_id, self, packet.clean, will)
        self._session = session
        self.factory.crowd.known(self)
        if who.role is Role.ROBOT:
            self._presence = self.factory.robot_connected(who)
        ready: Deferred[None] = succeed(None) if session.ready is None else session.ready
        return ready

    def _welcome(self, _: None, client_id: str, packet: Connect) -> None:
        self._verdict = None
        session = self._open_session
        self.live_on(packet.keep_alive)
        present = session.present and packet.level > MQTT_31
        self.answer(encode(ConnAck(ConnectCode.ACCEPTED, present)))
        held = self._connection.accept()
        self._log_visit(session.who, client_id)
        self.transport.resumeProducing()
        session.resume()
        self._listens_to(session.filters)
        if not self._over:
            self._act_on(held)

    def _log_visit(self, who: Principal, client_id: str) -> None:
        did = who.name if who.role is Role.ROBOT else ""
        self.contact.let_in(str(who), did)
        # Many may share an account.
        more = self.factory.visits.say(f"{who} {client_id}", self.host)
        self.quiet = more is None
        if more is not None:
            self._log.info(
                "{who} connected from {peer}{more}", who=who, peer=self.peer, more=again(more)
            )

    def _refuse(self, failure: Failure, client_id: str) -> None:
        # What the client left has to be forgotten on disk, and that refuses.
        full = failure.trap(LoginRefused, StorageError) is StorageError
        self.factory.counts["logins refused"] += 1
        other = ConnectCode.SERVER_UNAVAILABLE if full else ConnectCode.NOT_AUTHORIZED
        code = getattr(failure.value, "code", other)
        name = client_id[:80]
        more = self.factory.refused.say(name, self.host)
        self._deny(code, f"{name!r} refused: {failure.value}", more)

    def _broke(self, failure: Failure) -> None:
        """While deciding something broke, so the answer is no."""
        self._log.failure("login from {peer} broke", failure, peer=self.peer)
        self._deny(ConnectCode.SERVER_UNAVAILABLE, "login broke")

    def _deny(self, code: ConnectCode, why: str, more: int | None = 0) -> None:
        """Say no, unless it was yes already: there is one CONNACK."""
        if self._over:
            return
        if self._connection.state is State.PENDING:
            self.answer(encode(ConnAck(code)))
        self.contact.refused(why)
        self._log_end(why, more)
        self._hang_up(farewell=False)

    # Logged in

    def publish(self, packet: Publish) -> None:
        """A publication: take it, then acknowledge it."""
        topic, packet_id, session = packet.topic, packet.packet_id, self._open_session
        self.factory.limits.check_depth(topic)
        message = Message(topic, packet.payload, packet.qos, packet.retain, session.who)
        if packet_id is None:
            kept, answer = session.publish(message), b""
        elif packet.qos == 1:
            kept, answer = session.publish(message), reply_bytes(PUBACK, packet_id)
        else:
            kept, answer = session.publish(message, packet_id), reply_bytes(PUBREC, packet_id)
        if kept is not None or (answer and self._queue is not None):
            self.owe(kept, Owed(answer, len(topic) + len(packet.payload)))
        elif answer:
            self.answer(answer)

    @property
    def _open_session(self) -> IMqttSession:
        """The session; the connection lets nothing through before there is one."""
        assert self._session is not None  # noqa: S101 - see above
        return self._session

    def released(self, packet: PubRel) -> None:
        """QoS 2 ends: its packet id may mean something new from now on."""
        packet_id = packet.packet_id
        self.owe(self._open_session.released(packet_id), Owed(reply_bytes(PUBCOMP, packet_id)))

    def acknowledged(self, packet: PubAck) -> None:
        """The client has something we sent."""
        self._open_session.acknowledged(packet.packet_id)

    def received(self, packet: PubRec) -> None:
        """The client has something we sent with QoS 2."""
        packet_id = packet.packet_id
        self.owe(self._open_session.received(packet_id), Owed(reply_bytes(PUBREL, packet_id)))

    def completed(self, packet: PubComp) -> None:
        """The client has released it."""
        self._open_session.completed(packet.packet_id)

    def subscribe(self, packet: Subscribe) -> None:
        """Grant what the rules allow; a robot that can hear its commands is told about."""
        granted = self._open_session.subscribe(packet.requests)
        answer = encode(SubAck(packet.packet_id, tuple(granted.codes)))
        self.owe(granted.kept, Owed(answer, then=lambda: self._subscribed(granted)))

    def _subscribed(self, granted: Granted) -> None:
        self._open_session.remind(granted)
        asked = zip(granted.requests, granted.codes, strict=True)
        self._listens_to(wanted for (wanted, _), code in asked if code < SUBSCRIPTION_REFUSED)

    def _listens_to(self, filters: Iterable[str]) -> None:
        """A robot that hears its commands can be given some."""
        if self._presence is not None and any(each.startswith(CALLED) for each in filters):
            self._presence.listening()

    def unsubscribe(self, packet: Unsubscribe) -> None:
        """Take subscriptions back."""
        kept = self._open_session.unsubscribe(packet.filters)
        self.owe(kept, Owed(reply_bytes(UNSUBACK, packet.packet_id)))

    def ping(self, _: PingReq) -> None:
        """A sign of life."""
        self.answer(PONG)

    def goodbye(self, _: Disconnect) -> None:
        """The client leaves in good order."""
        self._hang_up(farewell=True)

    def drained(self) -> None:
        if self._session is not None and not self._over:
            self._session.drained()

    # Ending

    def last_words(self) -> None:
        """The server stops."""
        if self._session is not None and not self._over:
            self._session.last_words()

    def end(self, farewell: bool) -> None:
        """From now on nothing is heard, said or decided here."""
        self._over = True
        self._connection.close()
        verdict, self._verdict = self._verdict, None
        if verdict is None:
            if self._session is not None:
                self._session.close(self, farewell)
            return
        # Death during login: a ghost must not be let in, and has nothing to say.
        if self._session is not None:
            self._session.turn_away(self)
        verdict.cancel()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002
        self._clear_deadline()
        if not self._over:
            self.end(farewell=False)
        if self._session is not None and not self.quiet:
            self._log.info("{who} disconnected", who=self._session.who)
        if self._presence is not None:
            self._presence.gone()
        self.factory.crowd.lost(self)


def claim(packet: Connect) -> str:
    """Who somebody says that he is, for the owner."""
    name = f"client id {packet.client_id}" if packet.client_id else "no client id"
    return f"{name}, user {packet.username}" if packet.username else name


def _message(will: Will | None, who: Principal) -> Message | None:
    if will is None:
        return None
    return Message(will.topic, will.payload, will.qos, will.retain, who)


def _expect_cancelled(failure: Failure) -> None:
    failure.trap(CancelledError)


#: What to do about each packet; the connection lets only legal ones through.
ACTIONS: dict[type, Callable[[MqttProtocol, Any], None]] = {
    Connect: MqttProtocol.connect,
    Publish: MqttProtocol.publish,
    PubAck: MqttProtocol.acknowledged,
    PubRel: MqttProtocol.released,
    PubRec: MqttProtocol.received,
    PubComp: MqttProtocol.completed,
    Subscribe: MqttProtocol.subscribe,
    Unsubscribe: MqttProtocol.unsubscribe,
    PingReq: MqttProtocol.ping,
    Disconnect: MqttProtocol.goodbye,
}
