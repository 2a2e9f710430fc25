"""The list of jobs that an XML robot keeps itself (mqtt.md 8.3, xmpp.md 13.2)."""

from collections.abc import Iterator

from bumper_tw.dialect.first_generation import is_n79
from bumper_tw.dialect.lenient import natural, seconds, text
from bumper_tw.dialect.markup import Element, parse
from bumper_tw.values import CleaningLog, Command, DeviceId, PayloadKind

#: What apps have always asked for (http-devices.md 5.2).
QUESTION = b'<ctl count="30"/>'

#: What it is called; the N79 line knows it by another name.
NAME, NAME_OF_N79 = "GetCleanLogs", "GetLogs"

#: Entries read of one list.
MAX_JOBS = 100

#: How a job ended, by its letter, as L{CleaningLog.stop_reason} has it.
ENDS = {"s": 1, "a": 2, "i": 2, "b": 2, "w": 3}

#: What started a job; some robots write the type of the job in the same place.
TRIGGERS = {"", "a", "i", "b", "s", "p", "q", "bp", "dnd", "e"}


def question(device: DeviceId) -> Command:
    """What to ask a robot for its jobs."""
    name = NAME_OF_N79 if is_n79(device.model) else NAME
    return Command(device, name, QUESTION, PayloadKind.XML)


def jobs(device: DeviceId, body: bytes) -> list[CleaningLog]:
    """
    The jobs in a robot's answer, in its order.

    @raise ValueError: it is no XML.
    """
    return list(entries(device, parse(body)))


def entries(device: DeviceId, ctl: Element) -> Iterator[CleaningLog]:
    """Each job of the list; what has no start belongs to none (mqtt.md 11)."""
    for each in ctl.children[:MAX_JOBS]:
        start = seconds(each.get("s"))
        if each.name == "CleanSt" and start is not None:
            yield job(device, start, each)


def job(device: DeviceId, start: int, each: Element) -> CleaningLog:
    """One job: C{a} area, C{l} seconds, C{f} the letter of its end."""
    trigger = text(each.get("t"))
    return CleaningLog(
        device,
        job="",
        started_at=start,
        type=text(each.get("type")) or (None if trigger in TRIGGERS else trigger),
        duration=natural(each.get("l")),
        area=natural(each.get("a")),
        stop_reason=ENDS.get(each.get("f")),
    )
