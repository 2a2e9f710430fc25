"""Days and weeks as an owner counts them: by the clock on his wall."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from attrs import frozen

from bumper_tw.values import CleaningLog

#: The time on the wall here, for seconds since the epoch.
Wall = Callable[[float], datetime]

DAY = 86_400.0

#: What a robot cannot have done in one job: a day, and more than any house has.
MOST_SECONDS, MOST_AREA = 86_400, 10_000

#: Times that a calendar has: 1970 to 2100.
EARLIEST, LATEST = 0.0, 4_102_444_800.0


def readable(at: float) -> bool:
    """Whether a time can be told at all; robots say what they like."""
    return EARLIEST <= at < LATEST


def midnight(day: date, wall: Wall) -> float:
    """When a day begins, in seconds since the epoch; of a day on which clocks change, too."""
    plain = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
    # The difference to UTC just then is that of a guess which is off by hours at most.
    return plain - ahead(plain - ahead(plain, wall), wall)


def ahead(at: float, wall: Wall) -> float:
    """By how many seconds the wall is before UTC."""
    here, there = wall(at), datetime.fromtimestamp(at, UTC)
    return (here.replace(tzinfo=None) - there.replace(tzinfo=None)).total_seconds()


def monday(day: date) -> date:
    """The first day of that week."""
    return day - timedelta(days=day.weekday())


@frozen
class Work:
    """
    What was done in some time.

    @ivar area: square metres.
    """

    jobs: int = 0
    seconds: int = 0
    area: int = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(self.jobs + other.jobs, self.seconds + other.seconds, self.area + other.area)

    @property
    def minutes(self) -> int:
        """Full ones, as people count them."""
        return round(self.seconds / 60)


NOTHING = Work()


def work_of(log: CleaningLog) -> Work:
    """One job, as far as it can be true."""
    return Work(1, within(log.duration, MOST_SECONDS), within(log.area, MOST_AREA))


def within(number: int | None, most: int) -> int:
    """A number that is neither missing nor absurd."""
    return 0 if number is None else max(0, min(number, most))


def by_day(logs: Iterable[CleaningLog], wall: Wall) -> dict[date, Work]:
    """What was done on each day; a job counts for the day on which it began."""
    found: dict[date, Work] = {}
    for log in logs:
        if readable(log.started_at):
            day = wall(log.started_at).date()
            found[day] = found.get(day, NOTHING) + work_of(log)
    return found


def weeks(last: date, count: int) -> Iterator[date]:
    """The Mondays of as many weeks, the one of C{last} at the end."""
    newest = monday(last)
    return (newest - timedelta(weeks=back) for back in reversed(range(count)))


def of_week(first: date, days: Mapping[date, Work]) -> Work:
    """What was done in the week that begins then."""
    return sum((days.get(first + timedelta(days=n), NOTHING) for n in range(7)), NOTHING)


def of_month(first: date, days: Mapping[date, Work]) -> Work:
    """What was done in the month that begins then."""
    same = (first.year, first.month)
    return sum((work for day, work in days.items() if (day.year, day.month) == same), NOTHING)


def months(last: date, count: int) -> Iterator[date]:
    """The first days of as many months, the one of C{last} at the end."""
    newest = last.year * 12 + last.month - 1
    return (date(m // 12, m % 12 + 1, 1) for m in range(newest - count + 1, newest + 1))
