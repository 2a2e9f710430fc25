"""Who is connected to the broker, and who is expected back."""

from collections import Counter
from collections.abc import Callable, Sequence

from attrs import evolve, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.core.mqtt_journal import Journal
from bumper_tw.core.mqtt_session import MqttSession, key_of, robot_key
from bumper_tw.errors import LoginRefused, StorageError
from bumper_tw.kept import Ended, KeptSession, Opened
from bumper_tw.values import Principal, Role
from bumper_tw.wire.mqtt_topics import check_filter


@frozen
class ClientLimits:
    """
    What all clients together can cost us.

    @ivar takeovers: of one client id within a minute.
    @ivar sessions: persistent ones.
    @ivar seconds: life of a persistent session whose client is away.
    @ivar owed: about the bytes that all persistent sessions are owed.
    @ivar levels: in all filters that anybody has subscribed to.
    """

    takeovers: int = 10
    sessions: int = 1000
    seconds: float = 7 * 86_400.0
    owed: int = 64 << 20
    levels: int = 500_000


#: No account has more than this part of the persistent sessions, and of what they are owed:
#: whoever makes up client ids takes room from itself.  All who are anonymous are one account.
SHARE = 4


def place_of(who: Principal, client_id: str) -> str:
    """What can be in use only once (MQTT-3.1.3-2); a robot is one whatever its resource."""
    return f"robot {who.name}" if who.role is Role.ROBOT else f"client {client_id}"


class Clients:
    """
    Connections by client id, and persistent sessions by key.

    @ivar owed: about the bytes that all persistent sessions are owed.
    @ivar levels: in all filters that anybody has subscribed to.
    @ivar taken_over: connections that another one replaced.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, journal: Journal, limits: ClientLimits) -> None:
        self._clock, self._journal, self._limits = clock, journal, limits
        self._connected: dict[str, MqttSession] = {}
        self._kept: dict[str, MqttSession] = {}
        self._ending: set[str] = set()
        self._owed_to: Counter[str] = Counter()
        self.owed = self.levels = self.taken_over = 0

    @property
    def connected(self) -> int:
        """How many clients are here."""
        return len(self._connected)

    @property
    def away(self) -> int:
        """How many persistent sessions wait for their client."""
        return sum(session.outlet is None for session in self._kept.values())

    def charge(self, who: Principal, weight: int) -> None:
        """Persistent sessions of somebody are owed so many bytes more, or less."""
        account = str(who)
        self.owed += weight
        self._owed_to[account] += weight
        if not self._owed_to[account]:
            del self._owed_to[account]

    def has_room(self, who: Principal, weight: int) -> bool:
        """Whether somebody's persistent sessions may be owed so many bytes more."""
        most, own = self._limits.owed, self._owed_to.get(str(who), 0)
        return self.owed + weight <= most and own + weight <= most // SHARE

    def may_subscribe(self, levels: int) -> bool:
        """Whether there is room for a filter with so many levels."""
        return self.levels + levels <= self._limits.levels

    def make_room(self, who: Principal) -> bool:
        """Whether there is room for one more persistent session; its account gives way."""
        own = [each for each in self._kept.values() if str(each.who) == str(who)]
        if len(own) >= max(1, self._limits.sessions // SHARE):
            away = [each for each in own if each.outlet is None]
            if not away:
                return False
            self.discard(min(away, key=lambda each: each.left_at))
        return len(self._kept) < self._limits.sessions

    def earlier(self, who: Principal, client_id: str) -> MqttSession | None:
        """What an earlier connection left."""
        return self._kept.get(key_of(who, client_id))

    def discard(self, session: MqttSession) -> None:
        """End a persistent session."""
        del self._kept[session.key]
        session.end()
        self._ending.add(session.key)
        # When that fails it is tried again, and whoever needs it waits for it.
        self.ended(session.key, Ended(session.key)).addErrback(_tried_again)

    def is_ending(self, who: Principal, client_id: str) -> bool:
        """Whether a session that is over could still come back after a crash."""
        return key_of(who, client_id) in self._ending

    def ended(self, key: str, *changes: Ended) -> Deferred[None]:
        """Fires when a session that is over cannot come back any more."""
        return self._journal.write(*changes).addCallback(lambda _: self._ending.discard(key))

    def release(self, session: MqttSession) -> None:
        """A session whose client is here ends with the connection from now on."""
        if session.kept:
            del self._kept[session.key]
            session.keep_no_more()
            self._journal.note(Ended(session.key))

    def restore(self, session: MqttSession, kept: KeptSession) -> None:
        """Take up a session that an earlier run left."""
        good = [(each, qos) for each, qos in kept.subscriptions if _is_filter(each)]
        self._kept[session.key] = session
        session.restore(evolve(kept, subscriptions=good))
        session.left_at = self._clock.seconds() if kept.left_at is None else kept.left_at

    def enter(self, session: MqttSession) -> None:
        """A client is here."""
        self._connected[place_of(session.who, session.client_id)] = session
        if session.kept:
            self._kept[session.key] = session
            self._journal.note(Opened(session.key, session.who, session.client_id))

    def leave(self, session: MqttSession) -> None:
        """A client is gone."""
        place = place_of(session.who, session.client_id)
        if self._connected.get(place) is session:
            del self._connected[place]

    def make_way(self, who: Principal, client_id: str) -> Sequence[float]:
        """
        The newcomer wins, if it is the same party (MQTT-3.1.4-2, mqtt.md 3.6).

        @return: when the client id changed hands in the last minute, in seconds of the clock.
        @raise LoginRefused: it is not, or that happens too often.
        """
        older = self._connected.get(place_of(who, client_id))
        if older is None or older.outlet is None:
            return ()
        if (older.who.role, older.who.name) != (who.role, who.name):
            raise LoginRefused(f"client id {client_id} is in use by {older.who}")
        now = self._clock.seconds()
        recent = [then for then in older.takeovers if now - then < 60]
        if len(recent) >= self._limits.takeovers:
            # In open mode two parties with one id would throw each other out for ever.
            raise LoginRefused(f"client id {client_id} changes hands too often")
        self.taken_over += 1
        outlet = older.outlet
        outlet.close("another connection took its place")
        older.close(outlet, farewell=False)
        return [*recent, now]

    def dismiss(self, gone: Callable[[Principal], bool]) -> None:
        """End connections and sessions of those who would not be let in any more."""
        for session in [*self._connected.values()]:
            outlet = session.outlet
            if gone(session.who) and outlet is not None:
                # It may say nothing more, not even that it is gone.
                session.forget_will()
                outlet.close("its account is gone, or has another password")
                session.close(outlet, farewell=True)
        for session in list(self._kept.values()):
            if session.outlet is None and gone(session.who):
                self.discard(session)

    def forget_robot(self, did: str) -> None:
        """What was left for a robot is not for whoever comes under its name next."""
        kept = self._kept.get(robot_key(did))
        if kept is None:
            return
        if kept.outlet is None:
            self.discard(kept)
        else:
            self.release(kept)

    def sweep(self) -> None:
        """Drop the sessions of clients that did not come back in time."""
        latest = self._clock.seconds() - self._limits.seconds
        for session in list(self._kept.values()):
            if session.outlet is None and session.left_at < latest:
                self._log.info("{who} did not come back in time", who=session.who)
                self.discard(session)


def _is_filter(text: str) -> bool:
    try:
        check_filter(text)
    except ValueError:
        return False
    return True


def _tried_again(failure: Failure) -> None:
    failure.trap(StorageError)
