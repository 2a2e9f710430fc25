"""All MQTT connections: how many there may be, and how all of them end."""

from collections import Counter
from collections.abc import Callable

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory
from twisted.logger import Logger

from bumper_tw.broker_interfaces import IMqttBroker
from bumper_tw.core.repeats import Repeats
from bumper_tw.errors import ProtocolViolation
from bumper_tw.front.crowd import Crowd, Unwelcome
from bumper_tw.front.outbox import Wave
from bumper_tw.interfaces import IAuthenticator, IRobotPresence
from bumper_tw.mqtt.protocol import MqttProtocol
from bumper_tw.values import Principal
from bumper_tw.wire.mqtt_decode import LimitExceeded

#: Robots tell who they are; this makes them reachable, and is told when they listen and go.
RobotConnected = Callable[[Principal], IRobotPresence]

#: As many lines about refused logins from one address within a minute, of those there are.
REFUSALS = 20

#: The settings that are behind limits.
SETTINGS = {
    "max_size": "mqtt.max_packet",
    "max_topic": "mqtt.max_topic",
    "max_levels": "mqtt.max_levels",
}


@frozen
class ConnectionLimits:
    """
    What one connection, and one address, can cost us.

    @ivar login: seconds until a connection has to be logged in.
    @ivar keep_alive: the longest silence allowed, in seconds, whatever the client asks for.
    @ivar max_packet: bytes.
    @ivar max_topic: bytes.
    @ivar max_levels: in a topic that is published to.
    @ivar connections: at one time, in all.
    @ivar per_peer: at one time, from one address.
    @ivar strangers: of the connections, not logged in yet.
    @ivar strangers_per_peer: of those, from one address.
    """

    login: float = 10.0
    keep_alive: float = 3600.0
    max_packet: int = 1_048_576
    max_topic: int = 512
    max_levels: int = 32
    connections: int = 1000
    per_peer: int = 100
    strangers: int = 200
    strangers_per_peer: int = 50

    def check_depth(self, topic: str) -> None:
        """
        Check a topic that somebody wants to publish to.

        @raise LimitExceeded: it has too many levels.
        """
        if topic.count("/") >= self.max_levels:
            raise LimitExceeded("A topic has too many levels.", "max_levels")

    def explain(self, wrong: ProtocolViolation, stranger: bool) -> str:
        """
        What the log says of a violation: with the setting behind it, if there is one.

        @param stranger: whether it is that of somebody who is not logged in; how long a
            CONNECT may be is no setting.
        """
        limit = wrong.limit if isinstance(wrong, LimitExceeded) else None
        if limit is None or (stranger and limit == "max_size"):
            return str(wrong)
        return f"{wrong} The setting is {SETTINGS[limit]}."


class Door(Factory):
    """What one listener hands its connections to; all share the L{MqttFactory}."""

    noisy = False

    def __init__(self, inside: "MqttFactory", anonymous: bool) -> None:
        self._inside, self._anonymous = inside, anonymous

    def buildProtocol(self, addr: "IAddress | None") -> MqttProtocol | Unwelcome:  # type: ignore[override]  # narrower
        return self._inside.build(addr, self._anonymous)


class MqttFactory:
    """
    What the doors of all listeners share; who may do what is for the broker.

    @ivar counts: what happened to connections, by name.
    @ivar seconds: the time.
    @ivar crowd: the connections there are.
    @ivar wave: what is written while received bytes are dealt with.
    @ivar strange: what strangers did, by address, so that it does not fill the log.
    @ivar refused: refused logins, by client id; some clients try every five seconds for ever
        (mqtt.md 3.4).
    @ivar visits: who has connected, by name and client id: two that take each other's place
        do so for ever.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        authenticator: IAuthenticator,
        broker: IMqttBroker,
        robot_connected: RobotConnected,
        limits: ConnectionLimits,
        random_hex: Callable[[int], str],
    ) -> None:
        """
        @param random_hex: makes so many random bytes, in hexadecimal.
        """
        self.clock, self.authenticator, self.broker = clock, authenticator, broker
        self.robot_connected, self.limits = robot_connected, limits
        self.seconds = clock.seconds
        self.counts: Counter[str] = Counter()
        self.wave = Wave()
        self.strange, self.visits = Repeats(clock), Repeats(clock)
        self.refused = Repeats(clock, share=REFUSALS)
        self.crowd: Crowd[MqttProtocol] = Crowd(clock, limits, self.counts, self._log)
        self._random_hex = random_hex

    def new_client_id(self) -> str:
        """For a client that leaves the choice to us (MQTT 3.1.1, 3.1.3.1)."""
        return f"auto-{self._random_hex(8)}"

    def door(self, anonymous: bool) -> Door:
        """
        What to listen with.

        @param anonymous: whether somebody without user name and password may come in there.
        """
        return Door(self, anonymous)

    def build(self, addr: "IAddress | None", anonymous: bool) -> MqttProtocol | Unwelcome:
        """Take a connection, or refuse it."""
        return self.crowd.admit(addr, lambda host: MqttProtocol(self, host, anonymous))

    def farewell(self) -> Deferred[None]:
        """
        End every connection; fires when the last one is gone.

        Wills go out first, while everybody is here to hear them.
        """
        gone = self.crowd.empty()
        for protocol in self.crowd:
            protocol.last_words()
        for protocol in self.crowd:
            protocol.close("the server stops")
        return gone
