"""Tests for L{bumper_tw.core.setup}: steps are done when they were seen to work, only then."""

from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.feed import Feed
from bumper_tw.core.setup import ADDRESS, AGAIN, DNS, NAME, ROBOT, STEPS, SetUp
from bumper_tw.errors import BadRequest, StorageError
from bumper_tw.storage.memory_records import MemoryRecordStore

NOW = 1_795_000_000.0


class FullStore(MemoryRecordStore):
    """A disk without room."""

    def save(self, shelf: str, records: Any) -> Deferred[None]:
        return fail(StorageError("the disk is full"))


class SetUpTests(SynchronousTestCase):
    """The steps."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.store, self.feed = MemoryRecordStore(), Feed("run")
        self.setup = SetUp(self.clock, self.store, self.feed)

    def states(self, setup: SetUp | None = None) -> dict[str, str]:
        """How each step is."""
        entry = (setup or self.setup).entry()
        return {each["step"]: each["state"] for each in entry["steps"]}

    def told(self) -> list[Any]:
        """What pages have been told last."""
        return [change.value for change in self.feed.since("run-0") or ()]

    def test_fresh(self) -> None:
        """Nothing is done at first, and nobody is named."""
        self.assertEqual(self.states(), dict.fromkeys(STEPS, "waiting"))
        for step in self.setup.entry()["steps"]:
            self.assertEqual((step["done"], step["at"], step["seen_text"]), (False, None, ""))

    def test_observed(self) -> None:
        """What was seen to work is done, with the time and the witness; pages hear of it."""
        self.setup.observed(DNS, 1, "the robot Dusty", "192.168.7.40")
        self.assertEqual(self.states()[DNS], "done")
        [value] = self.told()
        [step] = [each for each in value["steps"] if each["step"] == DNS]
        self.assertEqual((step["at"], step["last"]), (NOW, NOW))
        self.assertEqual(step["seen_text"], "Shown by the robot Dusty, at 192.168.7.40")
        self.assertEqual(value, self.setup.entry())

    def test_remembered(self) -> None:
        """It is after a restart, too, and so is what is passed over."""
        self.setup.observed(ROBOT, "did1", "the robot Dusty")
        self.successResultOf(self.setup.skip(DNS, True))
        again = SetUp(self.clock, self.store, Feed("next"))
        self.successResultOf(again.load(self.store))
        self.assertEqual(again.entry(), self.setup.entry())
        self.assertEqual(self.states(again)[ROBOT], "done")

    def test_witness(self) -> None:
        """More may be learnt of a witness; another one's word counts only after a while."""
        self.setup.observed(ADDRESS, 1, "somebody", "192.168.7.33")
        self.setup.observed(ADDRESS, 1, "a browser", "192.168.7.33")
        self.assertEqual(self.setup.progress(ADDRESS).by, "a browser")
        self.assertFalse(self.setup.wants(ADDRESS, 2))
        self.setup.observed(ADDRESS, 2, "another", "192.168.7.34")
        self.assertEqual(self.setup.progress(ADDRESS).by, "a browser")
        self.clock.advance(AGAIN)
        self.assertTrue(self.setup.wants(ADDRESS, 2))
        self.setup.observed(ADDRESS, 2, "another", "192.168.7.34")
        known = self.setup.progress(ADDRESS)
        self.assertEqual((known.at, known.last, known.by), (NOW, NOW + AGAIN, "another"))

    def test_quiet(self) -> None:
        """The same once more is no news: nothing is told, and nothing written."""
        self.setup.observed(ADDRESS, 1, "a browser", "192.168.7.33")
        position = self.feed.position
        for _ in range(100):
            self.setup.observed(ADDRESS, 1, "a browser", "192.168.7.33")
            self.setup.observed(ADDRESS, 2, "another", "192.168.7.34")
        self.assertEqual(self.feed.position, position)

    def test_clock_set_back(self) -> None:
        """A time that is yet to come, from before the clock was right, does not stay for ever."""
        self.setup.observed(DNS, 1, "the robot Dusty")
        behind = Clock()
        behind.advance(NOW - 10 * AGAIN)
        again = SetUp(behind, self.store, Feed("next"))
        self.successResultOf(again.load(self.store))
        again.observed(DNS, 2, "the robot Rusty")
        self.assertEqual(again.progress(DNS).last, NOW - 10 * AGAIN)

    def test_skipped(self) -> None:
        """Who passes over a step does not make it done, and may take it up again."""
        self.successResultOf(self.setup.skip(DNS, True))
        self.assertEqual(self.states()[DNS], "skipped")
        self.assertFalse(self.setup.progress(DNS).done)
        self.successResultOf(self.setup.skip(DNS, False))
        self.assertEqual(self.states()[DNS], "waiting")

    def test_seen_counts_more(self) -> None:
        """A step that was passed over, and then is seen to work, is done."""
        self.successResultOf(self.setup.skip(DNS, True))
        self.setup.observed(DNS, 1, "the robot Dusty")
        self.assertEqual(self.states()[DNS], "done")

    def test_no_such_step(self) -> None:
        """There are no others, however long their names."""
        for name in ("", "setup", "<script>" * 1000, "DNS"):
            self.assertRaises(BadRequest, self.setup.skip, name, True)
        self.assertEqual(self.told(), [])

    def test_full_disk(self) -> None:
        """What was seen holds although the disk is full; who skips is told that it is."""
        setup = SetUp(self.clock, FullStore(), self.feed)
        setup.observed(DNS, 1, "the robot Dusty")
        self.assertEqual(self.states(setup)[DNS], "done")
        self.failureResultOf(setup.skip(ADDRESS, True), StorageError)

    def test_arrivals(self) -> None:
        """Who comes is told to pages once."""
        arrivals = [{"sentence": "somebody came"}]
        self.setup.arrived(arrivals)
        position = self.feed.position
        self.setup.arrived(list(arrivals))
        self.assertEqual(self.feed.position, position)
        self.assertEqual(self.told()[-1]["arrivals"], arrivals)
        self.assertEqual([each.key for each in self.feed.since("run-0") or ()], [NAME])
