"""Messages to people, made from what really happened."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any, Protocol

from attrs import evolve, field, frozen
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.core.sessions import settled
from bumper_tw.core.shelf import Shelf
from bumper_tw.interfaces import IRecordStore
from bumper_tw.people_interfaces import IPermits
from bumper_tw.readings import Errors, LifeSpan, Notice, Part, Report, Stats

#: The kinds of messages: the first two are what apps call them, too (http-endpoints.md 7.1).
EVENT, ERROR, SHARE = "evt", "error", "share"
OF_ROBOTS = frozenset({EVENT, ERROR})

#: What messages can be about, besides numbers of errors and events.
CLEANED, WORN, INVITED = "cleaned", "worn", "invited"

#: Events that are worth a message: the dock, the mop, an obstacle, the place on the map
#: (mqtt.md 7.3).  The others tell of what somebody has just done himself.
EVENTS = frozenset({1026, 1052, 1053, 1062, 1068, 1088})

#: A consumable of which so much is left, in percent, is worn.
LAST_PERCENT = 5

MINUTE, DAY = 60.0, 86_400.0
#: The same again is no news for so long.
AGAIN = 10 * MINUTE
WORN_AGAIN = 7 * DAY
#: As many messages one robot may cause in that time: some invent numbers.
MOST_AT_ONCE = 20
#: Messages about one robot or to one user, messages in all, and how long they stay.
MOST_OF_ONE, MOST, OLDEST = 500, 10_000, 90 * DAY
#: Messages that one user has marked one by one.
MOST_MARKS = 1000
#: Robots whose messages one user does not want.
MOST_SWITCHES = 200


@frozen
class HouseMessage:
    """
    Something that happened.

    @ivar id: nobody can guess it.
    @ivar at: seconds since the epoch.
    @ivar about: what happened: the number of an error or event, or a word.
    @ivar facts: what else is known of it.
    @ivar to: the uid of the only one it is for; empty for everybody who may use the robot.
    """

    id: str
    did: str
    at: float
    kind: str
    about: str
    facts: Mapping[str, Any] = field(factory=dict)
    to: str = ""


@frozen
class Marks:
    """
    What a user has read.

    @ivar before: everything until then, in seconds since the epoch.
    @ivar ids: and these.
    """

    before: float = 0.0
    ids: tuple[str, ...] = ()

    def left_of(self, messages: Iterable[HouseMessage]) -> list[HouseMessage]:
        """Those that are not read."""
        ids = frozenset(self.ids)
        return [each for each in messages if each.at > self.before and each.id not in ids]


@frozen
class Switches:
    """The groups and robots (by did) whose messages a user has switched off."""

    off: tuple[str, ...] = ()


class Invitation(Protocol):
    """
    Somebody shares a robot with somebody.

    @ivar id: what it is called towards clients, and nobody can guess.
    @ivar uid: with whom.
    """

    @property
    def id(self) -> str: ...
    @property
    def did(self) -> str: ...
    @property
    def uid(self) -> str: ...


class Messages:
    """
    Makes messages, and remembers who has read them.

    Everybody sees the messages about the robots that he may use, and those to himself.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        store: IRecordStore,
        permits: IPermits,
        random_hex: Callable[[int], str],
        owner: Callable[[str], str] | None = None,
        most: int = MOST,
    ) -> None:
        """
        @param random_hex: so many unpredictable bytes in hexadecimal.
        @param owner: whose a robot is, where messages about nobody's would have no reader.
        """
        self._owner, self._most = owner, most
        self._clock, self._permits, self._random_hex = clock, permits, random_hex
        self._messages = Shelf(store, "messages", HouseMessage, most)
        self._marks = Shelf(store, "message_marks", Marks)
        self._switches = Shelf(store, "message_switches", Switches)
        #: The ids of messages by the robot they are about, or the user they are to.
        self._ids: dict[str, list[str]] = {}
        self._faults: dict[str, Collection[int]] = {}
        self._heard: dict[type, Callable[[str, Any], None]] = {
            Errors: self._errors,
            Stats: self._stats,
            LifeSpan: self._life_span,
            Notice: self._notice,
        }

    def load(self, store: IRecordStore) -> Deferred[None]:
        """Take up what earlier runs left."""
        # At once: what is heard in between has to find the index that fits.
        indexed = self._messages.load(store).addCallback(self._index)
        return settled([indexed, self._marks.load(store), self._switches.load(store)])

    def _index(self, _: object) -> None:
        self._ids = {}
        for each in self._messages:
            self._ids.setdefault(whose(each), []).append(each.id)

    def heard(self, report: Report) -> None:
        """Note what a report says; most reports are none of our business."""
        hear = self._heard.get(type(report.reading))
        if hear is not None:
            hear(report.did, report.reading)

    def _errors(self, did: str, errors: Errors) -> None:
        codes = errors.codes
        before = self._faults.get(did)
        if before is None:
            before = self._last_fault(did) if codes else ()
        self._faults[did] = codes[-MOST_AT_ONCE:]
        if codes and codes[-1] not in before:
            self._say(did, ERROR, str(codes[-1]))

    def _last_fault(self, did: str) -> Collection[int]:
        """What a robot was complaining of before we were started again."""
        last = next((each for each in self._newest(did) if each.kind == ERROR), None)
        recent = last is not None and last.at > self._clock.seconds() - DAY
        return (int(last.about),) if last is not None and recent else ()

    def _stats(self, did: str, stats: Stats) -> None:
        if stats.stopped:
            facts = {
                "job": f"{stats.job}@{stats.started_at}",
                "area": stats.area,
                "duration": stats.duration,
                "reason": stats.stop_reason,
            }
            self._say(did, EVENT, CLEANED, facts, OLDEST)

    def _life_span(self, did: str, life: LifeSpan) -> None:
        for part in life.parts:
            left = percent_left(part)
            if left is not None and left <= LAST_PERCENT:
                self._say(did, EVENT, WORN, {"part": part.type, "percent": left}, WORN_AGAIN)

    def _notice(self, did: str, notice: Notice) -> None:
        data = notice.data
        code = data.get("code") if notice.name == "onEvt" and isinstance(data, dict) else None
        if isinstance(code, int) and code in EVENTS:
            self._say(did, EVENT, str(code))

    def _say(
        self,
        did: str,
        kind: str,
        about: str,
        facts: Mapping[str, Any] | None = None,
        again: float = AGAIN,
    ) -> None:
        """A robot has something to tell, unless it has just told it, or tells too much."""
        if self._owner is not None and not self._owner(did):
            return
        now = self._clock.seconds()
        message = HouseMessage(self._random_hex(12), did, now, kind, about, facts or {})
        recent = 0
        for each in self._newest(did):
            recent += each.at > now - AGAIN
            if recent >= MOST_AT_ONCE or (each.at > now - again and same(each, message)):
                return
        self._add(message)

    def invited(self, share: Invitation) -> None:
        """Somebody is invited to use a robot; an older invitation to it goes."""
        self._drop([each for each in self._newest(share.uid) if each.did == share.did])
        now = self._clock.seconds()
        self._add(HouseMessage(share.id, share.did, now, SHARE, INVITED, {}, share.uid))

    def _add(self, message: HouseMessage) -> None:
        owner = whose(message)
        while len(self._ids.get(owner, ())) >= MOST_OF_ONE:
            self._drop_oldest(owner)
        while len(self._messages) >= self._most:
            # Of whoever has the most: nobody loses his own to others that talk.
            self._drop_oldest(max(self._ids, key=lambda each: len(self._ids[each])))
        self._ids.setdefault(owner, []).append(message.id)
        self._messages.put(message.id, message).addErrback(self._lost, message.about)

    def _drop_oldest(self, owner: str) -> None:
        oldest = self._ids[owner].pop(0)
        if not self._ids[owner]:
            del self._ids[owner]
        self._messages.drop(oldest).addErrback(self._lost, "what was dropped")

    def _drop(self, messages: Iterable[HouseMessage | None]) -> None:
        gone = [each for each in messages if each is not None]
        dropped = {each.id for each in gone}
        for owner in {whose(each) for each in gone}:
            left = [id_ for id_ in self._ids.get(owner, ()) if id_ not in dropped]
            self._ids[owner] = left
            if not left:
                del self._ids[owner]
        self._messages.drop(*dropped).addErrback(self._lost, "what was dropped")

    def _lost(self, failure: Failure, about: str) -> None:
        self._log.error(
            "a message about {about} is not on disk: {why}",
            about=about,
            why=failure.getErrorMessage(),
        )

    def forget(self, did: str) -> None:
        """A robot is no longer ours."""
        self._faults.pop(did, None)
        self._drop([each for each in self._messages if each.did == did])

    def departed(self, uids: Iterable[str]) -> None:
        """Users who are gone leave nothing to whoever has their name next."""
        for uid in uids:
            self._drop(list(self._newest(uid)))
            self._marks.drop(uid).addErrback(self._lost, "what was read")
            self._switches.drop(uid).addErrback(self._lost, "what was switched off")

    def purge(self) -> None:
        """Drop what has become too old."""
        before = self._clock.seconds() - OLDEST
        self._drop([each for each in self._messages if each.at <= before])

    def _newest(self, owner: str) -> Iterator[HouseMessage]:
        """What there is about a robot or to a user, the newest first."""
        for id_ in reversed(self._ids.get(owner, ())):
            message = self._messages.get(id_)
            if message is not None:
                yield message

    def about(
        self, uid: str, dids: Iterable[str], kinds: Collection[str] = OF_ROBOTS
    ) -> Sequence[HouseMessage]:
        """
        What a user can read about robots, the newest first.

        @param dids: the robots; those that are none of his business are left out.
        """
        oldest = self._clock.seconds() - OLDEST
        found = [
            message
            for did in dids
            if self._permits.may_use(uid, did)
            for message in self._newest(did)
            if message.kind in kinds and message.at > oldest
        ]
        return sorted(found, key=lambda message: message.at, reverse=True)

    def find(self, id_: str) -> HouseMessage | None:
        """A message about a robot; whoever knows its id has read it in a list of his."""
        message = self._messages.get(id_)
        return None if message is None or message.to else message

    def to(self, uid: str) -> Sequence[HouseMessage]:
        """What is to one user only: invitations, the newest first."""
        return list(self._newest(uid)) if uid else []

    def is_read(self, uid: str, message: HouseMessage) -> bool:
        """Whether a user has read a message."""
        return not self._read_by(uid).left_of([message])

    def unread(self, uid: str, messages: Iterable[HouseMessage]) -> int:
        """How many of them a user has not read."""
        return len(self._read_by(uid).left_of(messages))

    def _read_by(self, uid: str) -> Marks:
        return self._marks.get(uid) or Marks()

    def read_all(self, uid: str) -> Deferred[None]:
        """A user has read everything until now."""
        known = self._read_by(uid)
        later = takewhile(lambda each: each.at > known.before, reversed(list(self._messages)))
        if not any(self._is_for(uid, each.id) for each in known.left_of(later)):
            return succeed(None)
        return self._marks.put(uid, Marks(self._clock.seconds()))

    def read(self, uid: str, ids: Iterable[str]) -> Deferred[None]:
        """A user has read some; those that are none of his business do not count."""
        known = self._read_by(uid)
        theirs = {id_: self._messages.get(id_) for id_ in ids if self._is_for(uid, id_)}
        news = {each.id for each in known.left_of(filter(None, theirs.values()))}
        if not news:
            return succeed(None)
        still = [id_ for id_ in known.ids if id_ in self._messages]
        return self._marks.put(uid, evolve(known, ids=tuple([*still, *news][-MOST_MARKS:])))

    def _is_for(self, uid: str, id_: str) -> bool:
        message = self._messages.get(id_)
        if message is None:
            return False
        return message.to == uid if message.to else self._permits.may_use(uid, message.did)

    def wants(self, uid: str, name: str) -> bool:
        """Whether a user wants to be told of a group, or of a robot (by did)."""
        return name not in self._off(uid)

    def _off(self, uid: str) -> tuple[str, ...]:
        known = self._switches.get(uid)
        return known.off if known else ()

    def switch(self, uid: str, name: str, on: bool) -> Deferred[None]:
        """A user wants to be told of that, or does not any more."""
        others = tuple(each for each in self._off(uid) if each != name)
        off = others if on else (*others, name)[-MOST_SWITCHES:]
        return succeed(None) if off == self._off(uid) else self._switches.put(uid, Switches(off))


def whose(message: HouseMessage) -> str:
    """The robot a message is about, or the user it is to."""
    return message.to or message.did


def same(one: HouseMessage, other: HouseMessage) -> bool:
    """Whether two messages tell of the same thing."""

    def key(message: HouseMessage) -> tuple[object, ...]:
        facts = message.facts
        return message.kind, message.about, facts.get("job"), facts.get("part")

    return key(one) == key(other)


def percent_left(part: Part) -> int | None:
    """How much is left of a consumable; C{None} when the robot has not said of how much."""
    return None if not part.total else min(100, max(0, part.left) * 100 // part.total)
