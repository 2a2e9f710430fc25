"""
The owner's file of topic rules for local services.

Its syntax is that of mosquitto's C{acl_file}, which many households have already::

    # What clients without an account may do (on listeners that let them in).
    topic read weather/#

    user dashboard
    topic home/#
    topic read iot/atr/#
    topic deny home/alarm/code

    # For every account: %u is its name, %c the client id.
    pattern write devices/%c/state

C{read}, C{write}, C{readwrite} or C{deny} may stand before a filter; without any of them it
is C{readwrite}.  What is denied is denied, wherever in the file the line stands.  C{%u} and
C{%c} are levels of their own; clients choose their ids, so what one account must keep from
another belongs under C{%u}.  The file says nothing about robots and their apps, which have
rules of their own.

Whoever the file names may do exactly what it says: an account with a C{user} line, every
account when there is a C{pattern} line, and those without an account when there is a
C{pattern} line or a C{topic} line above the first C{user}.  Whoever it does not name keeps
the defaults of L{bumper_tw.core.mqtt_rules}; so an empty file changes nothing, and opens
nothing (mosquitto's CVE-2018-12550).

Two things no wildcard gives.  To write C{iot/...}, C{rsp/...} or C{attr/...}, which is to
speak for a robot, a rule must begin with exactly that level; C{topic #} does not reach it.
And C{$SYS/...} takes a rule that begins with C{$SYS}, as for any wildcard of MQTT.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from attrs import evolve, field, frozen

from bumper_tw.errors import StartError
from bumper_tw.values import Principal, Role
from bumper_tw.wire.mqtt_topics import FilterSet, check_filter

#: The first levels of robots' topics, and those of them under which robots speak.
ROBOTS = frozenset({"iot", "p2p", "rsp", "attr"})
ROBOTS_SPEAK = ROBOTS - {"p2p"}

FILE_LIMIT = 1 << 20
MOST_RULES = 10_000

#: Of the rules, those with C{%u} or C{%c}: of these each client has its own.
MOST_PERSONAL = 100

#: How far is searched for something to hear under a filter, in levels of rules.
MOST_SEARCHED = 200

#: How many bad lines are reported at once.
MOST_REPORTED = 5

DEEDS = frozenset({"read", "write", "readwrite", "deny"})
NAMES = frozenset({"%u", "%c"})

BLANKS = re.compile("[ \t]+")


def first_level(text: str) -> str:
    """The first level of a topic or a filter."""
    return text.partition("/")[0]


@frozen
class Rule:
    """One line of the file: what may be done under a filter."""

    deed: str
    topic_filter: str

    @property
    def personal(self) -> bool:
        """Whether it has a level that is another for each client."""
        return not NAMES.isdisjoint(self.topic_filter.split("/"))


@frozen
class Section:
    """
    Some lines of the file, sorted so that a question costs the same however many there are.

    @ivar speaks: those of C{writes} that give robots' words.
    """

    reads: FilterSet
    writes: FilterSet
    denied: FilterSet
    speaks: FilterSet

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> "Section":
        """Sort rules by what they are about."""
        found: dict[str, list[str]] = {deed: [] for deed in DEEDS}
        for rule in rules:
            found[rule.deed].append(rule.topic_filter)
        both = found["readwrite"]
        reads, writes = (*both, *found["read"]), (*both, *found["write"])
        speaks = (each for each in writes if first_level(each) in ROBOTS_SPEAK)
        return cls(*map(FilterSet, (reads, writes, found["deny"], speaks)))

    def __bool__(self) -> bool:
        return bool(self.reads or self.writes or self.denied)

    def lets_write(self, topic: str) -> bool:
        """Whether one of the lines allows to write there."""
        return (self.speaks if first_level(topic) in ROBOTS_SPEAK else self.writes).matches(topic)


@frozen
class WrittenRights:
    """
    What the file says about one party, in sections of which it shares most with others.

    What one of them denies is denied, whichever allows it.
    """

    sections: tuple[Section, ...]

    def may_publish(self, topic: str) -> bool:
        """Whether a rule lets them write."""
        return any(s.lets_write(topic) for s in self.sections) and not self._denied(topic)

    def may_retain(self, topic: str) -> bool:
        """As writing, but nobody leaves words in a robot's mouth (mqtt.md 3.6)."""
        return first_level(topic) not in ROBOTS and self.may_publish(topic)

    def may_subscribe(self, topic_filter: str) -> bool:
        """
        Whether there can be anything to hear; each topic is asked for when it comes.

        So it is no harm to grant a filter for which one would have to search for too long.
        """
        return any(s.reads.overlaps(topic_filter, MOST_SEARCHED) for s in self.sections) and (
            not any(s.denied.covers(topic_filter) for s in self.sections)
        )

    def may_hear(self, topic: str) -> bool:
        """Whether a rule lets them read."""
        return any(s.reads.matches(topic) for s in self.sections) and not self._denied(topic)

    def _denied(self, topic: str) -> bool:
        return any(s.denied.matches(topic) for s in self.sections)


@frozen
class AccessList:
    """
    The rules of one file; the default is that of an empty one.

    @ivar general: for those without an account.
    @ivar users: by the name of the account; a named account may have none.
    @ivar patterns: for both.
    """

    general: tuple[Rule, ...] = ()
    users: Mapping[str, tuple[Rule, ...]] = field(factory=dict)
    patterns: tuple[Rule, ...] = ()
    _common: tuple[Rule, ...] = field(init=False, eq=False, repr=False)
    _personal: tuple[Rule, ...] = field(init=False, eq=False, repr=False)
    _sorted: dict[str, Section] = field(factory=dict, init=False, eq=False, repr=False)

    @_common.default
    def _find_common(self) -> tuple[Rule, ...]:
        return tuple(pattern for pattern in self.patterns if not pattern.personal)

    @_personal.default
    def _find_personal(self) -> tuple[Rule, ...]:
        return tuple(pattern for pattern in self.patterns if pattern.personal)

    @classmethod
    def load(cls, path: Path) -> "AccessList":
        """
        Read a file.

        @raise StartError: it cannot be read, or one of its lines cannot.  Nothing of such a
            file counts, because the rule that is missing might be one that denies.
        """
        try:
            with path.open("rb") as file:
                held = file.read(FILE_LIMIT + 1)
        except OSError as error:
            raise StartError(f"{path}: cannot be read: {error.strerror}") from error
        if len(held) > FILE_LIMIT:
            raise StartError(f"{path}: is larger than {FILE_LIMIT} bytes")
        try:
            return cls.parse(held.decode("utf-8-sig"), str(path))
        except UnicodeDecodeError as error:
            raise StartError(f"{path}: is not text in UTF-8") from error

    @classmethod
    def parse(cls, text: str, origin: str) -> "AccessList":
        """
        Read what is in a file.

        @param origin: named in errors.
        @raise StartError: as in L{load}.
        """
        reading, wrong = _Reading(), []
        for number, line in enumerate(text.split("\n"), 1):
            try:
                reading.take(line.strip(" \t\r"))
            except ValueError as error:
                wrong.append(f"line {number}: {error}")
            if len(wrong) == MOST_REPORTED or reading.count > MOST_RULES:
                break
        wrong += reading.excess()
        if wrong:
            raise StartError(f"{origin}: {'; '.join(wrong)}")
        return reading.result()

    def rights(self, who: Principal) -> WrittenRights | None:
        """What the file says about somebody; C{None} when it does not name them."""
        if who.role is Role.SERVICE:
            key, own = f"user {who.name}", self.users.get(who.name)
        elif who.role is Role.ANONYMOUS:
            key, own = "topic", self.general or None
        else:
            return None
        if own is None and not self.patterns:
            return None
        sections = [self._once("pattern", self._common), Section.of(self._meant(who))]
        if own:
            sections.append(self._once(key, own))
        return WrittenRights(tuple(section for section in sections if section))

    def _once(self, key: str, rules: tuple[Rule, ...]) -> Section:
        """Sort what is the same for several parties, only once."""
        if key not in self._sorted:
            self._sorted[key] = Section.of(rules)
        return self._sorted[key]

    def _meant(self, who: Principal) -> Iterator[Rule]:
        """The patterns that have names in them, with somebody's instead."""
        names = {"%u": who.name, "%c": who.resource}
        for pattern in self._personal:
            rule = substituted(pattern, names)
            if rule is not None:
                yield rule


def substituted(pattern: Rule, names: Mapping[str, str]) -> Rule | None:
    """
    Put somebody's names into a pattern.

    Clients choose their ids.  A name that would be a wildcard or further levels allows
    nothing (mosquitto's CVE-2017-7650), nor does one that would begin robots' topics or
    C{$SYS}; and it does not slip past what is denied: that denies everything in its place.

    @return: C{None} when there is nothing left.
    """
    levels = pattern.topic_filter.split("/")
    denies = pattern.deed == "deny"
    for place, level in enumerate(levels):
        if level not in names:
            continue
        levels[place] = name = names[level]
        if not name or not {"+", "#", "/", "\0"}.isdisjoint(name):
            return Rule("deny", "/".join([*levels[:place], "#"])) if denies else None
        if place == 0 and not denies and (name in ROBOTS or name.startswith("$")):
            return None
    return evolve(pattern, topic_filter="/".join(levels))


class _Reading:
    """A file that is being read, line by line."""

    def __init__(self) -> None:
        self.general: list[Rule] = []
        self.users: defaultdict[str, list[Rule]] = defaultdict(list)
        self.patterns: list[Rule] = []
        self.count = 0
        self._section = self.general

    def take(self, line: str) -> None:
        """
        Read one line without the blanks around it.

        @raise ValueError: it cannot be read.
        """
        if not line or line.startswith("#"):
            return
        word, rest = _word(line)
        if word not in {"user", "topic", "pattern"}:
            raise ValueError(f"{word[:40]!r} is none of user, topic and pattern")
        if not rest:
            raise ValueError(f"there is nothing behind {word!r}")
        if word == "user":
            self._section = self.users[rest]
            return
        self.count += 1
        rule = _rule(rest)
        _check_names(word, rule.topic_filter)
        (self.patterns if word == "pattern" else self._section).append(rule)

    def excess(self) -> Iterator[str]:
        """What there is too much of."""
        if self.count > MOST_RULES:
            yield f"there are more than {MOST_RULES} rules"
        if sum(pattern.personal for pattern in self.patterns) > MOST_PERSONAL:
            yield f"there are more than {MOST_PERSONAL} patterns with %u or %c"

    def result(self) -> AccessList:
        """The rules in it."""
        users = {name: tuple(rules) for name, rules in self.users.items()}
        return AccessList(tuple(self.general), users, tuple(self.patterns))


def _word(text: str) -> tuple[str, str]:
    """The first word, and what is behind it."""
    word, *rest = BLANKS.split(text, maxsplit=1)
    return word, rest[0] if rest else ""


def _rule(text: str) -> Rule:
    """What stands behind C{topic} or C{pattern}."""
    deed, topic_filter = _word(text)
    if not topic_filter:
        if deed in DEEDS:
            raise ValueError(f"there is no filter behind {deed!r}")
        deed, topic_filter = "readwrite", text
    elif deed not in DEEDS:
        # A filter may contain blanks, but only behind one of these.
        raise ValueError(f"{deed[:40]!r} is none of read, write, readwrite and deny")
    check_filter(topic_filter)
    return Rule(deed, topic_filter)


def _check_names(word: str, topic_filter: str) -> None:
    """C{%u} and C{%c} are levels of patterns, and nothing else."""
    levels = topic_filter.split("/")
    if word == "topic" and not NAMES.isdisjoint(levels):
        raise ValueError("%u and %c stand for nothing but in a pattern")
    if word == "pattern" and any(n in level and n != level for level in levels for n in NAMES):
        raise ValueError("%u or %c shares its level with something else")
