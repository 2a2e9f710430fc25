"""When jobs began of robots that do not say so."""

from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect.job_dates import LONGEST, dated
from bumper_tw.dialect.markup import parse
from bumper_tw.dialect.reports_xml import readings
from bumper_tw.readings import Stats

NOW = 1_767_225_600
#: A job that began eight minutes ago.
KNOWN = Stats("", NOW - 480, area=7, duration=470, type="auto")


def stats(ctl: str, known: Stats | None = None, now: float = NOW) -> Stats | None:
    """What a robot has said of a job."""
    found = readings("", dated(parse(ctl.encode()), known, now))
    return next((each for each in found if isinstance(each, Stats)), None)


def report(**attributes: Any) -> str:
    """A C{CleanReport} over XMPP."""
    written = "".join(f" {name}='{value}'" for name, value in attributes.items())
    return f"<ctl td='CleanReport'><clean{written}/></ctl>"


class BeginningTests(SynchronousTestCase):
    """A job that nobody has heard of before."""

    def test_start(self) -> None:
        """It begins with its first report."""
        self.assertEqual(
            stats(report(type="auto", st="s", t="0", a="0")), Stats("", NOW, 0, 0, "auto")
        )

    def test_midway(self) -> None:
        """Of one that goes on already, the robot has counted the seconds."""
        self.assertEqual(
            stats(report(type="auto", st="s", t="480", a="7")),
            Stats("", NOW - 480, 7, 480, "auto"),
        )

    def test_oldest(self) -> None:
        """The oldest robots tell nothing but the type."""
        self.assertEqual(stats(report(type="spot")), Stats("", NOW, type="spot"))

    def test_own(self) -> None:
        """A robot that tells the moment is believed."""
        found = stats(report(type="auto", st="s", t="480", s=str(NOW - 900)))
        self.assertEqual(found, Stats("", NOW - 900, None, 480, "auto"))

    def test_none(self) -> None:
        """Whoever does nothing has no job, whatever it remembers of the last one."""
        for said in (
            report(type="auto", st="h", t="480", a="7"),
            report(type="stop"),
            report(type="auto", st="?"),
            "<ctl td='BatteryInfo'><battery power='087'/></ctl>",
            "<ctl td='CleanSt' a='7' s='' l='480'/>",
        ):
            self.assertIsNone(stats(said), said)


class KnownTests(SynchronousTestCase):
    """A job that goes on, or ends."""

    def test_same(self) -> None:
        """It keeps its beginning, paused or not, and whatever the robot's clock says."""
        for said in (
            report(type="auto", st="p", t="475", a="7"),
            report(type="auto", st="s", t="475", a="7", s=str(NOW - 9000)),
            f"<ctl td='CleanSt' a='7' s='{NOW - 9000}' l='475' t='a' type='auto'/>",
        ):
            found = stats(said, KNOWN)
            self.assertEqual(found, Stats("", NOW - 480, 7, 475, "auto"), said)

    def test_end(self) -> None:
        """Its end is told with area and time."""
        found = stats(report(type="auto", st="h", t="500", a="8"), KNOWN)
        self.assertEqual(found, Stats("", NOW - 480, 8, 500, "auto", stopped=True))

    def test_end_without_time(self) -> None:
        """Where the robot does not count, the clock does; for the event alone."""
        found = stats(report(type="stop"), KNOWN)
        self.assertEqual(found, Stats("", NOW - 480, None, 480, stopped=True))
        answer = "<ctl id='1' ret='ok'><clean type='auto' st='h' t=''/></ctl>"
        self.assertEqual(stats(answer, KNOWN), Stats("", NOW - 480, type="auto", stopped=True))

    def test_over(self) -> None:
        """Behind its end comes another one."""
        over = evolve(KNOWN, stopped=True)
        self.assertIsNone(stats(report(type="auto", st="h", t="480", a="7"), over))
        found = stats(report(type="auto", st="s", t="0"), over)
        self.assertEqual(found, Stats("", NOW, None, 0, "auto"))

    def test_another(self) -> None:
        """A count that begins anew, or after half a day, belongs to another job."""
        self.assertEqual(
            stats(report(type="auto", st="s", t="3"), KNOWN), Stats("", NOW - 3, None, 3, "auto")
        )
        later = NOW + LONGEST
        self.assertEqual(
            stats(report(type="auto", st="s", t="500"), KNOWN, later),
            Stats("", later - 500, None, 500, "auto"),
        )

    @given(st.lists(st.integers(0, 9999)))
    def test_one_job(self, counts: list[int]) -> None:
        """However often a robot tells how far it is, that is one job."""
        known: Stats | None = None
        begun = set()
        for second in sorted(counts):
            known = stats(report(type="auto", st="s", t=second), known, NOW + second * 1.5)
            assert known is not None
            begun.add(known.started_at)
        self.assertLessEqual(len(begun), 1)
