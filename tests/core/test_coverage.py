"""Where robots were in their jobs."""

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.coverage import EACH, MOST, Coverage
from bumper_tw.readings import Stats
from bumper_tw.storage.memory_records import MemoryRecordStore
from tests.core.atlas import snake


class CoverageTests(SynchronousTestCase):
    """Jobs that are over."""

    def setUp(self) -> None:
        self.store = MemoryRecordStore()
        self.coverage = Coverage(self.store)

    def end(self, start: int, points: int = 10, did: str = "did1", job: str = "") -> None:
        """A job is over."""
        self.coverage.ended(did, Stats(job or f"job{start}", start, stopped=True), snake(points))

    def test_path(self) -> None:
        """It is found by its name, and by when it began; after a restart, too."""
        self.end(500)
        again = Coverage(self.store)
        self.successResultOf(again.load(self.store))
        for coverage in (self.coverage, again):
            for job in ("500", "job500"):
                self.assertEqual(coverage.path("did1", job), snake(10))
            self.assertIsNone(coverage.path("did1", "501"))
            self.assertIsNone(coverage.path("did2", "500"))
            self.assertEqual(coverage.jobs("did1"), {500})

    def test_twice(self) -> None:
        """A robot that says so twice, and has forgotten where it was, takes nothing away."""
        self.end(500)
        self.end(500, points=2)
        self.end(500, points=0)
        self.assertEqual(self.coverage.path("did1", "500"), snake(10))

    def test_nowhere(self) -> None:
        """A robot that did not move has been nowhere; and no robot has a line end in its name."""
        self.end(500, points=1)
        self.end(600, did="a\nb")
        self.assertEqual((self.coverage.jobs("did1"), self.coverage.jobs("a\nb")), (set(), set()))

    def test_bounds(self) -> None:
        """Of each robot the last jobs are kept, and not too many of all."""
        for start in range(1, EACH + 11):
            self.end(start, points=3)
        self.assertEqual(self.coverage.jobs("did1"), set(range(11, EACH + 11)))
        for robot in range(50):
            for start in range(1, EACH + 1):
                self.end(start, points=3, did=f"r{robot}")
        self.assertEqual(len(self.store.shelves["cleaned"]), MOST)

    def test_long(self) -> None:
        """A path of 20,000 points is kept with a tenth of them."""
        self.end(500, points=20_000)
        found = self.coverage.path("did1", "500")
        assert found is not None
        self.assertLessEqual(len(found), 2000)

    def test_forget(self) -> None:
        """Nothing is left of a robot that is gone; of others everything."""
        self.end(500)
        self.end(500, did="did2")
        self.successResultOf(self.coverage.forget("did1"))
        self.assertEqual((self.coverage.jobs("did1"), self.coverage.jobs("did2")), (set(), {500}))

    def test_names(self) -> None:
        """Names are looked up as they are, whatever is in them."""
        self.end(500)
        for job in ("", "\n", "did1\n500", "<script>", "9" * 10_000):
            self.assertIsNone(self.coverage.path("did1", job))
