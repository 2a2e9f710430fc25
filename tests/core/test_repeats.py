"""How often the same thing is said."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.repeats import LINES, Repeats, Times, again


class RepeatsTests(SynchronousTestCase):
    """One line per key and minute."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.repeats = Repeats(self.clock, 60, most=3)

    def added(self, repeats: Repeats, key: str, peer: str = "") -> str:
        """What the next line, which is said, adds."""
        times = repeats.say(key, peer)
        assert times is not None
        return again(times)

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

    @given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from([0, 1, 59, 60, 61]))))
    def test_nothing_lost(self, happenings: list[tuple[str, int]]) -> None:
        """With little room every event is a line, or counted in one about it or about others."""
        clock = Clock()
        repeats, told = Repeats(clock, most=3, lines=2), 0
        for key, pause in (*happenings, *((key, 60) for key in "abcdez")):
            clock.advance(pause)
            times = repeats.say(key)
            told += 0 if times is None else 1 + times + times.others
        self.assertEqual(told, len(happenings) + 6)

    def test_lines(self) -> None:
        """Whoever invents keys gets few lines; places to remember them are no more lines."""
        repeats = Repeats(self.clock)
        minutes = []
        for minute in range(4):
            said = (repeats.say(f"{minute} {number}") for number in range(3000))
            minutes.append(sum(times is not None for times in said))
            self.clock.advance(60)
        self.assertEqual(minutes, [LINES] * 4)
        self.assertEqual(repeats.lost, 4 * (3000 - LINES))

    def test_known_keys(self) -> None:
        """A thousand keys that were said before get no more lines than new ones."""
        repeats, said = Repeats(self.clock), 0
        for number in range(600):
            repeats.say(str(number))
            self.clock.advance(1)
        self.clock.advance(60)
        self.assertEqual(len(repeats), 600)
        for number in range(600):
            said += repeats.say(str(number)) is not None
        self.assertEqual(said, LINES)

    def test_power_cut(self) -> None:
        """Thirty robots that come back at once, twice, are each seen."""
        repeats = Repeats(self.clock)
        said = [repeats.say(f"{what} {number}") for what in "ab" for number in range(30)]
        self.assertEqual(said, [0] * 60)

    def test_smooth(self) -> None:
        """Lines come back one by one, not all at the end of a minute."""
        repeats = Repeats(self.clock, lines=4)
        for number in range(4):
            repeats.say(str(number))
        self.clock.advance(14.9)
        self.assertIsNone(repeats.say("x"))
        self.clock.advance(0.1)
        self.assertEqual(repeats.say("x"), 0)
        self.assertIsNone(repeats.say("y"))

    def test_left_out(self) -> None:
        """How many were left out is told with the next line, once; a known key has its own."""
        repeats = Repeats(self.clock, lines=2)
        for key in "ab" + "cdef" * 5:
            repeats.say(key)
        self.clock.advance(60)
        self.assertEqual(self.added(repeats, "g"), " (20 about others left out)")
        self.assertEqual(self.added(repeats, "h"), "")
        self.assertIsNone(repeats.say("a"))
        self.clock.advance(60)
        self.assertEqual(self.added(repeats, "a"), " (1 more since the last line about it)")

    def test_share(self) -> None:
        """One peer cannot hide the others, whatever it is about."""
        repeats = Repeats(self.clock, share=20)
        said = [repeats.say(f"loud {number}", "loud") for number in range(1000)]
        self.assertEqual(said, [0] * 20 + [None] * 980)
        self.assertEqual(self.added(repeats, "new", "quiet"), " (980 about others left out)")
        self.assertEqual(self.added(repeats, "also new", "quiet"), "")

    def test_words(self) -> None:
        """What a line adds for what was kept back."""
        self.assertEqual(again(0), "")
        self.assertEqual(again(11), " (11 more since the last line about it)")
        self.assertEqual(again(Times(0, 3)), " (3 about others left out)")
        both = " (2 more since the last line about it, 3 about others left out)"
        self.assertEqual(again(Times(2, 3)), both)
