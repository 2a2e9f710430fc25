"""
When jobs began, where robots do not say so.

Over XMPP a report tells how far a job is, C{<clean type='auto' st='s' t='480' a='7'/>}, and not
when it began (xmpp.md 13.2); without that it belongs to no cleaning log (mqtt.md 11).
"""

from bumper_tw.dialect.lenient import natural, seconds
from bumper_tw.dialect.markup import Element
from bumper_tw.dialect.reports_xml import STEPS, TYPES
from bumper_tw.readings import Activity, Stats

#: Seconds after which what goes on is another job, if the robot does not count them itself.
LONGEST = 12 * 3600

#: The event that is a job as a whole, and not one in a C{clean} element (mqtt.md 8.2).
PROGRESS = "CleanSt"


def dated(ctl: Element, known: Stats | None, now: float) -> Element:
    """
    What a robot said of its job, with the time when that began.

    A job that is known keeps its beginning: the robot's own clock may tell another one.  Of
    robots that do not count the seconds, the event that ends a job tells how long it was.

    @param known: the job that the robot was last heard of.
    @param now: seconds since the epoch.
    """
    job = ctl if ctl.get("td") == PROGRESS else ctl.child("clean")
    if job is None:
        return ctl
    last = natural(job.get("l") if job is ctl else job.get("l", "t"))
    begun = beginning(job, last, known, now)
    if begun is None:
        return ctl
    has_ended = activity(job) is Activity.IDLE and bool(ctl.get("td"))
    length = {"l": str(int(now - begun))} if has_ended and last is None else {}
    complete = replaced(job, {"s": str(begun), "sts": "", **length})
    if job is ctl:
        return complete
    return Element(ctl.name, ctl.attributes, [complete if c is job else c for c in ctl.children])


def beginning(job: Element, last: int | None, known: Stats | None, now: float) -> int | None:
    """
    When a job began, in seconds since the epoch; C{None} of what is no job.

    @param last: how many seconds it goes on by the robot's own count.
    """
    if known is not None and is_same(last, known, now):
        return known.started_at
    own = seconds(job.get("sts", "s"))
    if own is not None or activity(job) not in {Activity.CLEANING, Activity.PAUSED}:
        return own
    return int(now) - (last or 0)


def is_same(last: int | None, known: Stats, now: float) -> bool:
    """Whether a job is the one that was last heard of: that has no end yet, and counts on."""
    if known.stopped or now - known.started_at > LONGEST:
        return False
    return last is None or last >= (known.duration or 0)


def activity(job: Element) -> Activity | None:
    """What a robot does about its job; of C{CleanSt} that is not said."""
    step = job.get("st")
    return STEPS.get(step) if step else TYPES.get(job.get("type").lower())


def replaced(element: Element, attributes: dict[str, str]) -> Element:
    """An element with some attributes changed."""
    return Element(element.name, element.attributes | attributes, element.children, element.text)
