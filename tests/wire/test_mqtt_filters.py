"""Filters that are asked what they match: the tree against trying each of them."""

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.wire.mqtt_topics import FilterSet, covers, matches, overlaps
from tests.wire.test_mqtt_topics import filters, topics


class FilterSetTests(SynchronousTestCase):
    """Filters that are asked what they match."""

    def test_malformed(self) -> None:
        """A malformed filter is refused."""
        self.assertRaises(ValueError, FilterSet, ["a", "a/#/b"])

    def test_empty(self) -> None:
        """Where there is no filter, nothing matches."""
        none = FilterSet()
        for asked in "#", "+", "a", "$a", "$a/#", "":
            answers = none.matches(asked), none.covers(asked), none.overlaps(asked, 9)
            self.assertEqual(answers, (False, False, False), asked)

    def test_search_given_up(self) -> None:
        """A search that takes too long ends with a yes, one that is done in time with a no."""
        many = FilterSet(f"{number}/a" for number in range(100))
        self.assertFalse(many.overlaps("+/b", 101))
        self.assertTrue(many.overlaps("+/b", 99))
        self.assertFalse(many.overlaps("7/b", 2))
        self.assertTrue(many.overlaps("+/a", 100))

    @given(st.lists(filters(), max_size=12), topics)
    def test_matches(self, held: list[str], topic: str) -> None:
        """It matches what one of them matches."""
        self.assertIs(FilterSet(held).matches(topic), any(matches(f, topic) for f in held))

    @given(st.lists(filters(), max_size=12), filters())
    @example(["a/+"], "a/#")
    @example(["a/#"], "a")
    @example(["#"], "$a/#")
    def test_covers(self, held: list[str], wanted: str) -> None:
        """It covers what one of them covers."""
        self.assertIs(FilterSet(held).covers(wanted), any(covers(f, wanted) for f in held))

    @given(st.lists(filters(), max_size=12), filters())
    @example(["a"], "a/#")
    @example(["a/#"], "a")
    @example(["$a/b"], "#")
    @example(["$a/b"], "+/b")
    @example(["+/b"], "$a/b")
    @example(["a/+/b"], "#")
    def test_overlaps(self, held: list[str], wanted: str) -> None:
        """It overlaps what one of them overlaps."""
        expected = any(overlaps(f, wanted) for f in held)
        self.assertIs(FilterSet(held).overlaps(wanted, 1000), expected)
