"""
MQTT topics: the grammar of filters, and the tree that finds who subscribed to what.

Filters and topics are lists of levels between slashes; any level may be empty.  C{+} is any
one level, C{#} at the end is the rest, its parent included.  Neither, as the first level,
is a level that starts with C{$} (MQTT 3.1.1, 4.7).
"""

from collections.abc import Iterable, Iterator
from itertools import islice, zip_longest
from typing import Generic, TypeVar

Subscriber = TypeVar("Subscriber")
Value = TypeVar("Value")


def check_topic(text: str) -> None:
    """
    Check the name of a topic, as published to.

    @raise ValueError: it is empty, or contains a wildcard or NUL.
    """
    if not text or "+" in text or "#" in text or "\0" in text:
        raise ValueError("A topic is empty or contains a wildcard or NUL.")


def check_filter(text: str) -> None:
    """
    Check a filter, as subscribed to.

    @raise ValueError: it is empty, contains NUL, or has a wildcard where none may be.
    """
    if not text or "\0" in text:
        raise ValueError("A filter is empty or contains NUL.")
    levels = text.split("/")
    if any(len(level) > 1 and ("+" in level or "#" in level) for level in levels):
        raise ValueError("A wildcard shares its level with something else.")
    if "#" in levels[:-1]:
        raise ValueError("The wildcard # is not the last level.")


def covers(allowed: str, requested: str) -> bool:
    """
    Whether C{allowed} matches every topic that C{requested} can match (mqtt.md 5.2).

    Both have passed L{check_filter}.
    """
    if allowed.startswith(("+", "#")) and requested.startswith("$"):
        return False
    for ours, theirs in zip_longest(allowed.split("/"), requested.split("/")):
        if ours == "#":
            return True
        if ours != theirs and (ours != "+" or theirs in {"#", None}):
            return False
    return True


def matches(topic_filter: str, topic: str) -> bool:
    """Whether a topic is one of those that C{topic_filter} stands for."""
    # A topic is a filter without wildcards.
    return covers(topic_filter, topic)


def overlaps(one: str, other: str) -> bool:
    """
    Whether there is a topic that both filters match.

    Both have passed L{check_filter}.
    """
    if one.startswith("$") and other.startswith(("+", "#")):
        return False
    if one.startswith(("+", "#")) and other.startswith("$"):
        return False
    for ours, theirs in zip_longest(one.split("/"), other.split("/")):
        # The rest of one, which may be nothing, is within the rest of the other.
        if ours == "#" or theirs == "#":
            return True
        if ours is None or theirs is None:
            return False
        if ours not in {theirs, "+"} and theirs != "+":
            return False
    return True


def depth(text: str) -> int:
    """How many levels a topic or a filter has."""
    return text.count("/") + 1


class _Node(Generic[Subscriber, Value]):
    """
    One level of the tree.

    @ivar plus: where the level C{+} leads.
    @ivar here: who subscribed to exactly this.
    @ivar deep: who subscribed to this and all below: the C{#} behind this level.
    """

    __slots__ = ("deep", "here", "names", "plus")

    def __init__(self) -> None:
        self.names: dict[str, _Node[Subscriber, Value]] = {}
        self.plus: _Node[Subscriber, Value] | None = None
        self.here: dict[Subscriber, Value] = {}
        self.deep: dict[Subscriber, Value] = {}

    def __bool__(self) -> bool:
        return bool(self.names or self.plus is not None or self.here or self.deep)

    def child(self, level: str) -> "_Node[Subscriber, Value] | None":
        return self.plus if level == "+" else self.names.get(level)

    def grow(self, level: str) -> "_Node[Subscriber, Value]":
        child = self.child(level)
        if child is None:
            child = _Node()
            if level == "+":
                self.plus = child
            else:
                self.names[level] = child
        return child

    def onward(self, level: str) -> "Iterator[_Node[Subscriber, Value]]":
        """Where a level of a filter leads, below the first."""
        if level == "+":
            yield from self.names.values()
        elif (child := self.names.get(level)) is not None:
            yield child
        if self.plus is not None:
            yield self.plus

    def prune(self, level: str) -> None:
        if level == "+":
            self.plus = None
        else:
            del self.names[level]


class SubscriptionTree(Generic[Subscriber, Value]):
    """
    Who subscribed to what, with one value (such as the QoS granted) for each subscription.

    A match walks the topic once and touches each node at most once, whatever the filters
    look like; a tree of C{n} filters with C{k} levels has at most C{n * k} nodes.
    """

    def __init__(self) -> None:
        self._root: _Node[Subscriber, Value] = _Node()
        self._size = 0

    def __len__(self) -> int:
        """How many subscriptions there are."""
        return self._size

    def add(self, topic_filter: str, subscriber: Subscriber, value: Value) -> None:
        """
        Subscribe; the same filter again replaces the value (MQTT 3.1.1, 3.8.4).

        @raise ValueError: the filter is malformed.
        """
        check_filter(topic_filter)
        node, deep, levels = self._root, *_split(topic_filter)
        for level in levels:
            node = node.grow(level)
        entries = node.deep if deep else node.here
        self._size += subscriber not in entries
        entries[subscriber] = value

    def remove(self, topic_filter: str, subscriber: Subscriber) -> bool:
        """
        Unsubscribe, and forget the branches that nobody needs any more.

        @return: whether there was such a subscription.
        """
        deep, levels = _split(topic_filter)
        path = self._path(levels)
        if path is None:
            return False
        entries = path[-1].deep if deep else path[-1].here
        if subscriber not in entries:
            return False
        del entries[subscriber]
        self._size -= 1
        _prune(path, levels)
        return True

    def match(self, topic: str) -> list[tuple[Subscriber, Value]]:
        """
        Find the subscriptions that a topic belongs to.

        @return: a new list, in no promised order; a subscriber appears once for each of
            its filters that match.
        """
        found: list[tuple[Subscriber, Value]] = []
        levels = topic.split("/")
        nodes = self._system(levels.pop(0)) if topic.startswith("$") else [self._root]
        for level in levels:
            following = []
            for node in nodes:
                if node.deep:
                    found += node.deep.items()
                if (child := node.names.get(level)) is not None:
                    following.append(child)
                if (child := node.plus) is not None:
                    following.append(child)
            nodes = following
        for node in nodes:
            found += node.here.items()
            found += node.deep.items()
        return found

    def _system(self, level: str) -> list[_Node[Subscriber, Value]]:
        """Where the first level of a C{$} topic leads: never through a wildcard."""
        child = self._root.names.get(level)
        return [] if child is None else [child]

    def _path(self, levels: list[str]) -> list[_Node[Subscriber, Value]] | None:
        """The nodes from the root down to a filter, if it is in the tree."""
        path = [self._root]
        for level in levels:
            child = path[-1].child(level)
            if child is None:
                return None
            path.append(child)
        return path


class FilterSet(SubscriptionTree[str, None]):
    """Filters that nobody subscribed to, to be asked what they match; a question costs a walk."""

    def __init__(self, filters: Iterable[str] = ()) -> None:
        """@raise ValueError: one of them is malformed."""
        super().__init__()
        for each in filters:
            self.add(each, each, None)

    def matches(self, topic: str) -> bool:
        """Whether a topic is one of those that one of the filters stands for."""
        return bool(self.match(topic))

    def covers(self, wanted: str) -> bool:
        """Whether one of the filters matches every topic that C{wanted} can match."""
        # Read as a topic, it is matched by all that cover it, and by some that do not.
        return any(covers(each, wanted) for each, _ in self.match(wanted))

    def overlaps(self, wanted: str, most: int) -> bool:
        """
        Whether there is a topic that both C{wanted} and one of the filters match.

        @param most: of the nodes, after which the answer is yes: with wildcards a filter may
            lead through the whole tree.
        """
        if self._root.deep and not wanted.startswith("$"):
            return True
        levels = wanted.split("/")
        # A node leads to too many others if there are more than can be looked at.
        ways = [(node, 1) for node in islice(self._first(levels[0]), most + 1)]
        for _ in range(most):
            if not ways:
                return False
            node, at = ways.pop()
            # At or below each node there is a filter, and # matches both.
            if node.deep or "#" in levels[at - 1 : at + 1]:
                return True
            if at < len(levels):
                ways += ((each, at + 1) for each in islice(node.onward(levels[at]), most))
            elif node.here:
                return True
        return bool(ways)

    def _first(self, level: str) -> Iterator[_Node[str, None]]:
        """Where the first level of a filter leads: from a wildcard never to a C{$} topic."""
        root = self._root
        if level.startswith("$"):
            yield from self._system(level)
        elif level not in {"+", "#"}:
            yield from root.onward(level)
        else:
            yield from (node for name, node in root.names.items() if not name.startswith("$"))
            if root.plus is not None:
                yield root.plus


def _split(topic_filter: str) -> tuple[bool, list[str]]:
    """Whether a filter ends in C{#}, and its levels without it."""
    levels = topic_filter.split("/")
    deep = levels[-1] == "#"
    return deep, levels[:-1] if deep else levels


def _prune(path: list[_Node[Subscriber, Value]], levels: list[str]) -> None:
    for parent, node, level in zip(path[-2::-1], path[:0:-1], reversed(levels), strict=True):
        if node:
            return
        parent.prune(level)
