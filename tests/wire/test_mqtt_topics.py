"""The grammar of filters, and the subscription tree."""

from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.wire.mqtt_topics import (
    SubscriptionTree,
    check_filter,
    check_topic,
    covers,
    depth,
    matches,
    overlaps,
)

ROBOT = "did/cls/res"

# A small alphabet, so that levels meet; empty levels and system topics included.
levels = st.sampled_from(["", "a", "b", "$a"])
topics = st.lists(levels, min_size=1, max_size=5).map("/".join).filter(bool)


@st.composite
def filters(draw: st.DrawFn) -> str:
    """Legal filters over the same alphabet."""
    parts = draw(st.lists(levels | st.just("+"), max_size=5))
    if draw(st.booleans()) or not any(parts):
        parts.append("#")
    return "/".join(parts)


class GrammarTests(SynchronousTestCase):
    """What may be a topic, and what a filter."""

    def test_filters(self) -> None:
        """Wildcards stand alone in a level, and C{#} in the last."""
        for legal in "a", "/", "+", "#", "a//b", "+/+", "/#", "+/a/#", "$SYS/#", " ":
            check_filter(legal)
        for illegal in "", "a\0", "a+", "+a", "a/b#", "#/a", "a/#/b", "##", "++", "#/":
            self.assertRaises(ValueError, check_filter, illegal)

    def test_topics(self) -> None:
        """A topic has no wildcards."""
        for legal in "a", "/", "a//b", "$SYS/x", " ":
            check_topic(legal)
        for illegal in "", "a\0", "a+", "+", "#", "a/#":
            self.assertRaises(ValueError, check_topic, illegal)


class MatchesTests(SynchronousTestCase):
    """One filter and one topic."""

    def test_table(self) -> None:
        """The examples of MQTT 3.1.1, 4.7, and the corners around them."""
        for topic_filter, topic, expected in (
            ("a/b", "a/b", True),
            ("a/b", "a/B", False),
            ("a", "a/", False),
            ("a/+", "a", False),
            ("a/+", "a/", True),
            ("a/+", "a/b/c", False),
            ("+", "a", True),
            ("+", "/a", False),
            ("+/+", "/a", True),
            ("/+", "/a", True),
            ("#", "a/b", True),
            ("#", "/", True),
            ("a/#", "a", True),
            ("a/#", "a/", True),
            ("a/#", "a/b/c", True),
            ("a/#", "ab", False),
            ("#", "$SYS/a", False),
            ("+/a", "$SYS/a", False),
            ("$SYS/#", "$SYS/a", True),
            ("$SYS/+", "$SYS/a", True),
            ("a/+", "a/$b", True),
        ):
            self.assertIs(matches(topic_filter, topic), expected, (topic_filter, topic))


class CoversTests(SynchronousTestCase):
    """Which filters a permission covers."""

    def test_table(self) -> None:
        """The table of mqtt.md 5.2, line by line."""
        for allowed, requested, expected in (
            ("a/b", "a/b", True),
            ("a/b", "a/c", False),
            ("a/b", "a/+", False),
            ("a/b", "a/#", False),
            ("a/+", "a/b", True),
            ("a/+", "a/+", True),
            ("a/+", "a/#", False),
            ("a/#", "a/b/+/#", True),
            ("a/#", "a/#", True),
            ("a/#", "a", True),
            ("a/#", "b", False),
            ("a/b", "a/b/c", False),
            ("a/b/c", "a/b", False),
            ("a/+", "a", False),
            ("a", "a/#", False),
            ("#", "#", True),
            ("#", "+/a", True),
            ("+/#", "#", False),
        ):
            self.assertIs(covers(allowed, requested), expected, (allowed, requested))

    def test_system_topics(self) -> None:
        """A leading wildcard does not open the system topics."""
        for allowed in "#", "+/#", "+/a", "+/+":
            self.assertFalse(covers(allowed, "$SYS/a"), allowed)
        self.assertTrue(covers("$SYS/#", "$SYS/+"))

    def test_robots(self) -> None:
        """A robot's own filters are covered, and nobody else's."""
        allowed = f"iot/p2p/+/+/+/+/{ROBOT}/+/+/+"
        self.assertTrue(covers(allowed, f"iot/p2p/+/+/+/+/{ROBOT}/q/+/+"))
        self.assertFalse(covers(allowed, "iot/p2p/+/+/+/+/+/+/+/q/+/+"))
        self.assertFalse(covers(allowed, "iot/p2p/+/+/+/+/other/cls/res/q/+/+"))
        self.assertFalse(covers(allowed, "iot/#"))

    @given(filters(), filters(), topics)
    def test_sound(self, allowed: str, requested: str, topic: str) -> None:
        """No topic gets through a covered filter that the permission does not match."""
        if covers(allowed, requested) and matches(requested, topic):
            self.assertTrue(matches(allowed, topic))

    @given(filters())
    def test_itself(self, topic_filter: str) -> None:
        """Every filter covers itself."""
        self.assertTrue(covers(topic_filter, topic_filter))


class OverlapsTests(SynchronousTestCase):
    """Which filters have a topic in common."""

    def test_table(self) -> None:
        """Wildcards on either side, ends, and the corners of C{#}."""
        for one, other, expected in (
            ("a/b", "a/b", True),
            ("a/b", "a/c", False),
            ("a/b", "a/b/c", False),
            ("a/+", "+/b", True),
            ("a/+", "+/b/c", False),
            ("a/+/c", "a/b/+", True),
            ("a/+/c", "+/b/d", False),
            ("a/#", "a", True),
            ("a/#", "+", True),
            ("a/#", "b/#", False),
            ("a/#", "+/b/#", True),
            ("a/b/#", "a", False),
            ("#", "a/b", True),
            ("#", "#", True),
            ("+", "/", False),
            ("a/", "a/+", True),
            ("a/$b", "a/+", True),
            ("a/$b", "a/#", True),
        ):
            self.assertIs(overlaps(one, other), expected, (one, other))
            self.assertIs(overlaps(other, one), expected, (other, one))

    def test_system_topics(self) -> None:
        """No wildcard in front meets a C{$} topic, whatever follows."""
        for wild in "#", "+", "+/#", "+/a", "+/+":
            for system in "$SYS", "$SYS/#", "$SYS/a", "$SYS/+":
                self.assertFalse(overlaps(wild, system), (wild, system))
                self.assertFalse(overlaps(system, wild), (system, wild))
        self.assertTrue(overlaps("$SYS/#", "$SYS/+/a"))
        self.assertFalse(overlaps("$SYS/#", "$share/#"))

    def test_empty(self) -> None:
        """An empty text, which is no filter, meets only itself and breaks nothing."""
        self.assertFalse(overlaps("", "a"))
        self.assertFalse(overlaps("$a", ""))

    @given(filters(), filters())
    @example("#", "$a/#")
    @example("a/#", "a")
    def test_like_trying(self, one: str, other: str) -> None:
        """
        It finds what trying all topics would find: filters have a topic in common only if
        they have one that is no longer than both, of their own levels and another one.
        """
        names = {*one.split("/"), *other.split("/"), "a"} - {"+", "#"}
        longest = max(depth(one), depth(other))
        tried = (
            "/".join(levels)
            for length in range(1, longest + 1)
            for levels in product(sorted(names), repeat=length)
        )
        common = any(matches(one, topic) and matches(other, topic) for topic in tried if topic)
        self.assertIs(overlaps(one, other), common)

    @given(filters(), filters())
    def test_covered(self, allowed: str, requested: str) -> None:
        """A filter that is covered overlaps."""
        if covers(allowed, requested):
            self.assertTrue(overlaps(allowed, requested))


class DepthTests(SynchronousTestCase):
    """How deep a topic is."""

    def test_depth(self) -> None:
        """Empty levels count."""
        self.assertEqual([depth(t) for t in ("a", "a/b", "/", "a//#")], [1, 2, 2, 3])


class CountedText(str):
    """A topic or filter that counts the comparisons of its levels."""

    comparisons: Counter[str] = Counter()

    def split(self, *args: Any) -> list[str]:
        return [CountedText(level) for level in super().split(*args)]

    def __eq__(self, other: object) -> bool:
        self.comparisons["=="] += 1
        return str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        self.comparisons["!="] += 1
        return str.__ne__(self, other)

    __hash__ = str.__hash__


class CostTests(SynchronousTestCase):
    """What hostile filters cost: each level is looked at once, however they are made."""

    def comparisons(self, length: int) -> int:
        """How many comparisons the worst pairs of filters of a length take."""
        CountedText.comparisons = Counter()
        wild, topic = "+/" * length + "#", "a/" * length + "a"
        for one, other in (wild, wild), (wild, topic), (topic, wild), (topic, topic + "b"):
            covers(CountedText(one), CountedText(other))
            overlaps(CountedText(one), CountedText(other))
        return CountedText.comparisons.total()

    def test_linear(self) -> None:
        """Twice as many levels take no more than twice as many comparisons."""
        short, long = self.comparisons(500), self.comparisons(1000)
        self.assertGreater(short, 500)
        self.assertLessEqual(long, 2 * short)


class CountingNames(dict[str, Any]):
    """The names below a node, counting the questions."""

    gets = 0

    def get(self, name: str, default: Any = None) -> Any:
        self.gets += 1
        return super().get(name, default)


def nodes(root: Any) -> Iterator[Any]:
    """Every node of a tree."""
    yield root
    for child in (*root.names.values(), root.plus):
        if child is not None:
            yield from nodes(child)


class TreeTests(SynchronousTestCase):
    """Who subscribed to what."""

    def setUp(self) -> None:
        self.tree: SubscriptionTree[str, int] = SubscriptionTree()

    def test_value(self) -> None:
        """A match carries the value; subscribing again replaces it."""
        self.tree.add("a/+", "me", 0)
        self.tree.add("a/+", "me", 2)
        self.assertEqual(self.tree.match("a/b"), [("me", 2)])
        self.assertEqual(len(self.tree), 1)

    def test_several_filters(self) -> None:
        """Somebody with overlapping filters is found once for each."""
        for value, topic_filter in enumerate(("a/b", "a/+", "a/#", "#", "b")):
            self.tree.add(topic_filter, "me", value)
        found = sorted(self.tree.match("a/b"))
        self.assertEqual(found, [("me", 0), ("me", 1), ("me", 2), ("me", 3)])

    def test_remove(self) -> None:
        """Removing takes one subscription of one subscriber, and says whether it did."""
        for who in "me", "you":
            for topic_filter in "a", "a/#":
                self.tree.add(topic_filter, who, 0)
        self.assertTrue(self.tree.remove("a/#", "me"))
        self.assertFalse(self.tree.remove("a/#", "me"))
        self.assertEqual(sorted(self.tree.match("a")), [("me", 0), ("you", 0), ("you", 0)])
        self.assertEqual(len(self.tree), 3)

    def test_remove_nothing(self) -> None:
        """What is not there cannot be removed, also below and above what is."""
        self.tree.add("a/+/b", "me", 0)
        for topic_filter in "a", "a/+", "a/+/b/c", "a/x/b", "a/+/b/#", "#", "", "a/#/b":
            self.assertFalse(self.tree.remove(topic_filter, "me"), topic_filter)
        self.assertFalse(self.tree.remove("a/+/b", "you"))
        self.assertEqual(len(self.tree), 1)

    def test_malformed(self) -> None:
        """A malformed filter is refused and leaves no trace."""
        self.assertRaises(ValueError, self.tree.add, "a/#/b", "me", 0)
        self.assertFalse(self.tree._root)

    def test_pruned(self) -> None:
        """A branch lives exactly as long as somebody needs it."""
        self.tree.add("a/+/b", "me", 0)
        self.tree.add("a/+", "me", 0)
        self.tree.remove("a/+/b", "me")
        [branch] = self.tree._root.names.values()
        assert branch.plus is not None
        self.assertEqual(branch.plus.names, {})
        self.tree.remove("a/+", "me")
        self.assertFalse(self.tree._root)

    def test_change_while_listening(self) -> None:
        """A match is a list of its own: whoever is told may unsubscribe."""
        self.tree.add("a", "me", 0)
        self.tree.add("a", "you", 0)
        for who, _ in self.tree.match("a"):
            self.tree.remove("a", who)
        self.assertEqual(self.tree.match("a"), [])

    def test_odd_topics(self) -> None:
        """Topics that nobody should publish to do no harm."""
        self.tree.add("#", "me", 0)
        for topic in "", "/", "$", "$/", "///", "#":
            self.assertLessEqual(len(self.tree.match(topic)), 1, topic)

    def test_pathological(self) -> None:
        """
        Filters made of wildcards cost one node per level, and a match visits each once:
        a walk that tried each way by itself would not end here.
        """
        depth = 250
        for length in range(depth):
            self.tree.add("+/" * length + "#", "me", length)
        self.assertEqual(len(self.tree.match("/".join("a" * depth))), depth)
        self.assertTrue(matches("+/" * depth + "#", "a/" * depth + "a"))

    def test_visits(self) -> None:
        """A match looks once at each node on its way, also when every way is open."""
        depth = 8
        for levels in product("a+", repeat=depth):
            self.tree.add("/".join(levels), "me", 0)
            self.tree.add("/".join(levels) + "/#", "me", 0)
        visits = [self.counting(node) for node in nodes(self.tree._root)]
        self.assertEqual(len(visits), 2 ** (depth + 1) - 1)
        self.assertEqual(len(self.tree.match("/".join("a" * depth))), 2 * 2**depth)
        # The last nodes are asked who is there, and not for names.
        self.assertEqual(sorted(v.gets for v in visits), [0] * 2**depth + [1] * (2**depth - 1))

    def counting(self, node: Any) -> "CountingNames":
        """Let a node count how often it is asked for a name."""
        node.names = names = CountingNames(node.names)
        return names

    @given(st.lists(st.tuples(filters(), st.sampled_from("xyz")), max_size=20), topics)
    @example([("#", "x"), ("+/a", "x"), ("$a/#", "x")], "$a/a")
    @example([("a/#", "x"), ("a/+", "x"), ("a", "x")], "a")
    def test_like_matches(self, subscriptions: list[tuple[str, str]], topic: str) -> None:
        """The tree finds what trying every filter would find."""
        tree: SubscriptionTree[str, str] = SubscriptionTree()
        for topic_filter, who in subscriptions:
            tree.add(topic_filter, who, topic_filter)
        expected = [(who, f) for f, who in set(subscriptions) if matches(f, topic)]
        self.assertEqual(sorted(tree.match(topic)), sorted(expected))

    @given(st.lists(st.tuples(filters(), st.sampled_from("xyz")), max_size=20), st.data(), topics)
    def test_removed_is_never_there(
        self, subscriptions: list[tuple[str, str]], data: st.DataObject, topic: str
    ) -> None:
        """Removing leaves what adding the others alone would have made, and then nothing."""
        unique = list(dict.fromkeys(subscriptions))
        gone = data.draw(st.lists(st.sampled_from(unique), unique=True)) if unique else []
        tree: SubscriptionTree[str, str] = SubscriptionTree()
        for topic_filter, who in unique:
            tree.add(topic_filter, who, topic_filter)
        self.assertTrue(all(tree.remove(*subscription) for subscription in gone))
        kept = [subscription for subscription in unique if subscription not in gone]
        expected = sorted((who, f) for f, who in kept if matches(f, topic))
        self.assertEqual((sorted(tree.match(topic)), len(tree)), (expected, len(kept)))
        self.assertTrue(all(tree.remove(*subscription) for subscription in kept))
        self.assertFalse(tree._root)
