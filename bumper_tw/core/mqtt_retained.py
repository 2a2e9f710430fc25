"""The last word on each topic, for whoever subscribes later (MQTT 3.1.1, 3.3.1.3)."""

from collections.abc import Callable, Iterator

from attrs import frozen

from bumper_tw.values import Message

#: About the bytes that each level of a topic takes in the tree.
WEIGHT = 250


@frozen
class RetainedLimits:
    """
    How much is retained.

    @ivar messages: at one time.
    @ivar size: about the bytes that all of them take.
    @ivar seconds: how long each; 0 for ever.
    """

    messages: int = 10_000
    size: int = 32 << 20
    seconds: float = 0.0


class _Node:
    """One level of a topic, and what is retained exactly here."""

    __slots__ = ("children", "message")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.message: Message | None = None


class RetainedMessages:
    """
    A tree of topics: a filter walks it once, touching no node that cannot match.

    What we retain ourselves does not count towards the limits.

    @ivar size: about the bytes that all of it takes.
    """

    def __init__(self, limits: RetainedLimits) -> None:
        self._limits = limits
        self._root = _Node()
        self._since: dict[str, float] = {}
        self.size = 0

    def __len__(self) -> int:
        return len(self._since)

    def set(self, message: Message, at: float) -> bool:
        """
        Retain a message instead of the one before; an empty payload clears the topic.

        @param at: when it was published, in seconds since the epoch.
        @return: whether there was room; if not, nothing is retained on the topic any more.
        """
        if not message.payload:
            self._clear(message.topic)
            return True
        before = self.get(message.topic)
        grown = self.size + _size(message) - (_size(before) if before else 0)
        full = grown > self._limits.size or (not before and len(self) >= self._limits.messages)
        if full and message.origin is not None:
            # What is said now is the last word; the one before must not be taken for it.
            self._clear(message.topic)
            return False
        self._plant(message)
        self._since[message.topic] = at
        self.size = grown
        return True

    def get(self, topic: str) -> Message | None:
        """What is retained under a topic."""
        node: _Node | None = self._root
        for level in topic.split("/"):
            if node is None or (node := node.children.get(level)) is None:
                return None
        return node.message if node else None

    def match(self, topic_filter: str) -> Iterator[str]:
        """The topics with something retained that a filter stands for."""
        levels = topic_filter.split("/")
        deep = levels[-1] == "#"
        nodes = [self._root]
        for number, level in enumerate(levels[:-1] if deep else levels):
            nodes = [child for node in nodes for child in _below(node, level, not number)]
        if deep:
            nodes = [each for node in nodes for each in _all_below(node, node is self._root)]
        return (node.message.topic for node in nodes if node.message is not None)

    def expired(self, now: float) -> list[str]:
        """The topics whose message is older than it may become."""
        oldest = now - self._limits.seconds
        return [t for t, at in self._since.items() if at < oldest] if self._limits.seconds else []

    def those(self, unwanted: Callable[[Message], bool]) -> list[str]:
        """The topics whose message answers to something."""
        found = map(self.get, self._since)
        return [message.topic for message in found if message is not None and unwanted(message)]

    def _plant(self, message: Message) -> None:
        node = self._root
        for level in message.topic.split("/"):
            node = node.children.setdefault(level, _Node())
        node.message = message

    def _clear(self, topic: str) -> None:
        message = self.get(topic)
        if message is None:
            return
        self.size -= _size(message)
        del self._since[topic]
        path = [self._root]
        levels = topic.split("/")
        for level in levels:
            path.append(path[-1].children[level])
        path[-1].message = None
        for parent, node, level in zip(path[-2::-1], path[:0:-1], reversed(levels), strict=True):
            if node.children or node.message:
                return
            del parent.children[level]


def _size(message: Message) -> int:
    levels = message.topic.count("/") + 1
    return len(message.topic) + len(message.payload) + WEIGHT * levels


def _below(node: _Node, level: str, first: bool) -> Iterator[_Node]:
    if level != "+":
        if level in node.children:
            yield node.children[level]
        return
    for name, child in node.children.items():
        # No wildcard in front stands for a topic with a $ (MQTT-4.7.2-1).
        if not (first and name.startswith("$")):
            yield child


def _all_below(node: _Node, root: bool) -> Iterator[_Node]:
    """A node and everything under it, without recursion: topics may be deep."""
    waiting = [node] if not root else list(_below(node, "+", True))
    while waiting:
        each = waiting.pop()
        yield each
        waiting += each.children.values()
