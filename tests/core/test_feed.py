"""Tests for L{bumper_tw.core.feed}: everybody knows the newest, whenever he looked."""

from typing import Any

from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from bumper_tw.core.feed import Change, Feed
from bumper_tw.interfaces import IFeed, Undo

EPOCH = "0a1b"
KEYS = st.sampled_from(["a", "b", "c", "d", "e", "f"])


@define
class Page:
    """
    Somebody who has rendered a page, and follows the feed from there.

    @ivar known: what he knows of each key, with the number it came by.
    @ivar heard: numbers, in the order in which he was told of them.
    """

    feed: Feed
    position: str = ""
    known: dict[str, Any] = field(factory=dict)
    heard: list[int] = field(factory=list)
    anew: int = 0
    undo: Undo | None = None

    def render(self, state: dict[str, Any]) -> None:
        """Take everything there is."""
        self.known, self.position = dict(state), self.feed.position

    def connect(self, state: dict[str, Any]) -> None:
        """Listen, and hear what was missed; or begin anew."""
        self.leave()
        self.undo = self.feed.listen(self.hear)
        missed = self.feed.since(self.position)
        if missed is None:
            self.anew += 1
            self.render(state)
        for change in missed or ():
            self.hear(change)

    def hear(self, change: Change) -> None:
        """One change."""
        self.known[change.key] = change.value
        self.heard.append(change.number)
        self.position = self.feed.place(change.number)

    def leave(self) -> None:
        """Listen no more."""
        if self.undo is not None:
            self.undo()
            self.undo = None


class FeedTests(SynchronousTestCase):
    """L{Feed} keeps the newest, in one order."""

    def setUp(self) -> None:
        self.feed = Feed(EPOCH, most=3)
        self.heard: list[Change] = []

    def test_interface(self) -> None:
        """It is what others put things into."""
        self.assertTrue(verifyObject(IFeed, self.feed))

    def test_position(self) -> None:
        """A place says of which run it is, and rises with each change."""
        self.assertEqual(self.feed.position, "0a1b-0")
        self.feed.put("a", "robot", 1)
        self.assertEqual(self.feed.position, "0a1b-1")

    def test_newest_of_each(self) -> None:
        """Of what changed twice the newer change is known, in its own place."""
        for key, value in (("a", 1), ("b", 2), ("a", 3)):
            self.feed.put(key, "robot", value)
        found = self.feed.since("0a1b-0")
        self.assertEqual(found, [Change(2, "b", "robot", 2), Change(3, "a", "robot", 3)])

    def test_since(self) -> None:
        """Only what is newer, and nothing if there is nothing."""
        self.feed.put("a", "robot", 1)
        self.feed.put("b", "robot", 2)
        self.assertEqual(self.feed.since("0a1b-1"), [Change(2, "b", "robot", 2)])
        self.assertEqual(self.feed.since("0a1b-2"), [])

    def test_unknown_positions(self) -> None:
        """Another run's, one that has not come yet, and what is none: begin anew."""
        for position in ("ffff-0", "0a1b-1", "0a1b--1", "", "0a1b", "0a1b-" + "9" * 5000, "٣-٣"):
            self.assertIsNone(self.feed.since(position), position)

    def test_bounded(self) -> None:
        """The oldest makes room; who has heard it goes on, who has not begins anew."""
        for key in "abcd":
            self.feed.put(key, "robot", key)
        self.assertEqual(len(self.feed), 3)
        self.assertIsNone(self.feed.since("0a1b-0"))
        self.assertEqual([c.key for c in self.feed.since("0a1b-1") or ()], ["b", "c", "d"])

    def test_drop(self) -> None:
        """Of what is no more nobody hears who comes back; that costs nobody a new beginning."""
        self.feed.put("a", "robot", 1)
        self.feed.put("b", "robot", 2)
        self.feed.drop("a")
        self.feed.drop("never")
        self.assertEqual([c.key for c in self.feed.since("0a1b-0") or ()], ["b"])

    def test_unlisten(self) -> None:
        """Who stops listening hears nothing more, even in the middle; twice is fine."""
        undo = self.feed.listen(self.heard.append)
        self.feed.put("a", "robot", 1)
        undo()
        undo()
        self.feed.put("b", "robot", 2)
        self.assertEqual([c.key for c in self.heard], ["a"])

    def test_broken_listener(self) -> None:
        """One that fails is logged, and the others hear it all the same."""
        self.feed.listen(lambda _: 1 / 0)  # type: ignore[arg-type]  # it breaks
        self.feed.listen(self.heard.append)
        self.feed.put("a", "robot", 1)
        self.assertEqual(len(self.heard), 1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_put_while_telling(self) -> None:
        """What a listener puts comes behind what it heard, for everybody."""

        def answer(change: Change) -> None:
            if change.kind == "question":
                self.feed.put("a", "answer", change.value + 1)

        self.feed.listen(answer)
        self.feed.listen(self.heard.append)
        self.feed.put("a", "question", 1)
        self.assertEqual([(c.number, c.value) for c in self.heard], [(1, 1), (2, 2)])

    def test_join_while_telling(self) -> None:
        """Who begins to listen in the middle hears nothing twice, and misses nothing."""
        page = Page(self.feed, self.feed.position)

        def join(change: Change) -> None:
            if change.kind == "first":
                self.feed.put("b", "second", 2)
                page.connect({})

        self.feed.listen(join)
        self.feed.put("a", "first", 1)
        self.feed.put("c", "third", 3)
        self.assertEqual(page.heard, [1, 2, 3])

    def test_leave_while_telling(self) -> None:
        """Who stops listening because of what another hears is not told of it."""
        leave: list[Undo] = []
        self.feed.listen(lambda _: leave.pop()())
        leave.append(self.feed.listen(self.heard.append))
        self.feed.put("a", "robot", 1)
        self.assertEqual(self.heard, [])


#: What may happen, in any order.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEYS),
        st.tuples(st.just("drop"), KEYS),
        st.tuples(st.sampled_from(["render", "connect", "leave"]), st.integers(0, 2)),
    ),
    max_size=60,
)


@define
class World:
    """A feed, how things really are, and three pages."""

    feed: Feed
    state: dict[str, Any] = field(factory=dict)
    pages: list[Page] = field(factory=list)

    def put(self, key: str) -> None:
        """Something changes to what it has never been."""
        self.state[key] = self.feed.position
        self.feed.put(key, "robot", self.state[key])

    def drop(self, key: str) -> None:
        """Something is no more."""
        self.state.pop(key, None)
        self.feed.drop(key)

    def render(self, page: int) -> None:
        """A page is loaded."""
        self.leave(page)
        self.pages[page].render(self.state)

    def connect(self, page: int) -> None:
        """A page has its stream, for the first time or again."""
        self.pages[page].connect(self.state)

    def leave(self, page: int) -> None:
        """A page has lost it."""
        self.pages[page].leave()


class InterleavingTests(SynchronousTestCase):
    """Snapshot, then what came since, then what comes: that is how things are."""

    @given(STEPS, st.integers(1, 6))
    def test_no_gap_no_double(self, steps: list[tuple[str, Any]], most: int) -> None:
        """Whenever pages are made, connect, lose the connection and come back."""
        feed = Feed(EPOCH, most)
        world = World(feed, pages=[Page(feed, feed.position) for _ in range(3)])
        for what, which in steps:
            getattr(world, what)(which)
            self.assertLessEqual(len(feed), most)
            for page in world.pages:
                if page.undo is not None:
                    known = {key: page.known.get(key) for key in world.state}
                    self.assertEqual(known, world.state)
        for page in world.pages:
            self.assertEqual(page.heard, sorted(set(page.heard)))

    @given(st.lists(KEYS, max_size=40), st.integers(0, 40))
    def test_anew_only_if_needed(self, keys: list[str], seen: int) -> None:
        """Who lacks no more than the feed holds never has to begin anew."""
        feed = Feed(EPOCH, 3)
        for number, key in enumerate(keys):
            feed.put(key, "robot", number)
        missed = set(keys[seen:])
        if seen <= len(keys) and len(missed) <= 3 and len(set(keys)) <= 3:
            found = feed.since(f"{EPOCH}-{seen}")
            self.assertEqual({change.key for change in found or ()}, missed)
