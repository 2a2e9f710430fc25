"""Tests for L{bumper_tw.core.mqtt_retained}."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.mqtt_retained import WEIGHT, RetainedLimits, RetainedMessages
from bumper_tw.values import Message
from bumper_tw.wire.mqtt_topics import matches
from tests.samples import DASHBOARD

LEVELS = st.lists(st.sampled_from(["a", "b", "", "$c"]), min_size=1, max_size=4)
TOPICS = LEVELS.map("/".join).filter(bool)
FILTERS = st.builds(
    lambda levels, deep: "/".join(levels + deep),
    st.lists(st.sampled_from(["a", "b", "", "$c", "+"]), min_size=1, max_size=4),
    st.sampled_from([[], ["#"]]),
).filter(bool) | st.just("#")


def said(topic: str, payload: bytes = b"x") -> Message:
    """Something to be retained."""
    return Message(topic, payload, retain=True, origin=DASHBOARD)


class RetainedTests(SynchronousTestCase):
    """The last word on each topic."""

    def setUp(self) -> None:
        self.retained = RetainedMessages(RetainedLimits(messages=3, size=900, seconds=100.0))

    def test_set(self) -> None:
        """The last message counts, and an empty one clears (MQTT 3.1.1, 3.3.1.3)."""
        self.assertTrue(self.retained.set(said("a/b"), 0))
        self.assertTrue(self.retained.set(said("a/b", b"new"), 0))
        self.assertEqual(self.retained.get("a/b"), said("a/b", b"new"))
        self.assertEqual((len(self.retained), self.retained.size), (1, 6 + 2 * WEIGHT))
        self.assertTrue(self.retained.set(said("a/b", b""), 0))
        self.assertIsNone(self.retained.get("a/b"))
        self.assertEqual((len(self.retained), self.retained.size), (0, 0))

    def test_clear_nothing(self) -> None:
        """Clearing what is not there does nothing, also above and below what is."""
        self.retained.set(said("a/b"), 0)
        for topic in ("a", "a/b/c", "x"):
            self.assertTrue(self.retained.set(said(topic, b""), 0))
        self.assertEqual(list(self.retained.match("#")), ["a/b"])

    def test_count(self) -> None:
        """One topic too many is refused; a known one may still change."""
        results = [self.retained.set(said(topic), 0) for topic in ("a", "b", "c", "d", "a")]
        self.assertEqual(results, [True, True, True, False, True])

    def test_size(self) -> None:
        """
        Bytes too many are refused.  What was the last word is it no more, so it goes: nobody is
        told what is not true any more.
        """
        self.assertTrue(self.retained.set(said("a", bytes(300)), 0))
        self.assertFalse(self.retained.set(said("b", bytes(300)), 0))
        self.assertTrue(self.retained.set(said("b", bytes(90)), 0))
        self.assertFalse(self.retained.set(said("a", bytes(800)), 0))
        self.assertIsNone(self.retained.get("a"))
        self.assertEqual(list(self.retained.match("#")), ["b"])

    def test_deep(self) -> None:
        """Many levels cost as much as many bytes."""
        self.assertFalse(self.retained.set(said("a/b/c/d"), 0))

    def test_ours(self) -> None:
        """What we retain ourselves is not refused."""
        for topic in ("a", "b", "c", "d"):
            self.assertTrue(self.retained.set(Message(topic, bytes(900), retain=True), 0))

    def test_expired(self) -> None:
        """What is too old is told; a new message is young again."""
        self.retained.set(said("a"), 0)
        self.retained.set(said("b"), 0)
        self.retained.set(said("a"), 50)
        self.assertEqual(self.retained.expired(100), [])
        self.assertEqual(self.retained.expired(101), ["b"])
        self.assertEqual(RetainedMessages(RetainedLimits()).expired(1e12), [])

    def test_those(self) -> None:
        """Messages are found by what they are."""
        self.retained.set(said("a", b"1"), 0)
        self.retained.set(said("b", b"2"), 0)
        self.assertEqual(self.retained.those(lambda each: each.payload == b"2"), ["b"])

    @given(st.lists(TOPICS, max_size=8), FILTERS)
    def test_match(self, topics: list[str], topic_filter: str) -> None:
        """A filter finds the topics it stands for, each once."""
        retained = RetainedMessages(RetainedLimits())
        for topic in topics:
            retained.set(said(topic), 0)
        expected = sorted(topic for topic in set(topics) if matches(topic_filter, topic))
        self.assertEqual(sorted(retained.match(topic_filter)), expected)
