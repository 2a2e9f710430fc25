"""How often the same thing is said."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.repeats import Repeats, again


class RepeatsTests(SynchronousTestCase):
    """One line per key and minute."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.repeats = Repeats(self.clock, 60, most=3)

    def test_first(self) -> None:
        """What happens for the first time is said, for each key by itself."""
        self.assertEqual([self.repeats.say(key) for key in ("a", "b", "a")], [0, 0, None])

    def test_told_later(self) -> None:
        """What was kept back is told with the next line, once."""
        self.assertEqual(self.repeats.say("a"), 0)
        for _ in range(11):
            self.clock.advance(5)
            self.assertIsNone(self.repeats.say("a"))
        self.clock.advance(5)
        self.assertEqual(self.repeats.say("a"), 11)
        self.clock.advance(60)
        self.assertEqual(self.repeats.say("a"), 0)

    def test_told_much_later(self) -> None:
        """Also when nothing happened for a long time."""
        self.repeats.say("a")
        self.repeats.say("a")
        self.clock.advance(6000)
        self.assertEqual(self.repeats.say("a"), 1)

    def test_many_keys(self) -> None:
        """Whoever invents keys gets no more lines than there are places."""
        said = [self.repeats.say(f"key {number}") for number in range(100)]
        self.assertEqual(said, [0, 0, 0] + [None] * 97)
        self.assertEqual((len(self.repeats), self.repeats.lost), (3, 97))

    def test_room_again(self) -> None:
        """A key that was silent for long enough makes room; a busy one keeps its place."""
        for key in ("a", "b", "c"):
            self.repeats.say(key)
        self.clock.advance(60)
        self.assertEqual([self.repeats.say(key) for key in ("a", "d", "a")], [0, 0, None])
        self.assertEqual(len(self.repeats), 3)

    def test_clock_set_back(self) -> None:
        """A clock that was set back silences nobody."""
        self.clock.advance(1000)
        self.repeats.say("a")
        self.clock.rightNow = 10.0
        self.assertEqual(self.repeats.say("a"), 0)

    @given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from([0, 1, 59, 60, 61]))))
    def test_nothing_uncounted(self, happenings: list[tuple[str, int]]) -> None:
        """Of one key that stays, every event is a line or counted in a later one."""
        clock = Clock()
        repeats = Repeats(clock)
        told = dict.fromkeys("abcde", 0)
        for key, pause in happenings:
            clock.advance(pause)
            times = repeats.say(key)
            told[key] += 0 if times is None else 1 + times
        clock.advance(60)
        for key in told:
            told[key] += 1 + (repeats.say(key) or 0)
        happened = [key for key, _ in happenings] + list("abcde")
        self.assertEqual(told, {key: happened.count(key) for key in "abcde"})

    def test_words(self) -> None:
        """What a line adds for what was kept back."""
        self.assertEqual(again(0), "")
        self.assertEqual(again(11), " (11 more since the last line about it)")
