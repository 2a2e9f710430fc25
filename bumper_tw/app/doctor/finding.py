"""What one check of the doctor has to say."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from attrs import asdict, evolve, frozen


@frozen
class Finding:
    """
    How one thing is, under the name of its check.

    @ivar check: stable, for scripts.
    @ivar sound: C{None} when it could not be looked at, or is only told.
    @ivar sentence: what was found, for the owner.
    @ivar remedy: what to do; empty unless something is wrong.
    @ivar hosts: the addresses that it is about, the newest first.
    @ivar lines: what belongs below the sentence.
    @ivar about: what it is about, when the sentence may change without any news.
    """

    check: str
    sound: bool | None
    sentence: str
    remedy: str = ""
    hosts: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    about: str = ""

    @property
    def failed(self) -> bool:
        """Whether something has to be done."""
        return self.sound is False

    @property
    def topic(self) -> str:
        """The same for as long as there is no news."""
        return self.about or self.sentence


#: All of an examination, those of one check together.
Findings = tuple[Finding, ...]


@frozen
class Verdict:
    """
    The same before it has its name; see L{Finding}.

    @ivar more: what else the check has found.
    """

    sound: bool | None
    sentence: str
    remedy: str = ""
    hosts: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    about: str = ""
    more: "tuple[Verdict, ...]" = ()


def fine(sentence: str) -> Verdict:
    """All is well."""
    return Verdict(True, sentence)


def told(sentence: str, *lines: str) -> Verdict:
    """Neither well nor wrong."""
    return Verdict(None, sentence, lines=lines)


def wrong(sentence: str, remedy: str) -> Verdict:
    """Something has to be done."""
    return Verdict(False, sentence, remedy)


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """
    Several of one check.

    @param verdicts: one at least.
    """
    first, *more = verdicts
    return evolve(first, more=(*first.more, *more))


def named(check: str, verdict: Verdict) -> Iterator[Finding]:
    """The findings of one check."""
    yield Finding(
        check,
        verdict.sound,
        verdict.sentence,
        verdict.remedy,
        verdict.hosts,
        verdict.lines,
        verdict.about,
    )
    for each in verdict.more:
        yield from named(check, each)


def failures(findings: Findings) -> int:
    """How many have failed."""
    return sum(finding.failed for finding in findings)


def report(findings: Findings, running: bool) -> dict[str, Any]:
    """
    All of it for programs.

    @param running: whether a server was looked at, too.
    """
    return {
        "findings": [_plain(each) for each in findings],
        "failures": failures(findings),
        "running": running,
    }


def _plain(finding: Finding) -> dict[str, Any]:
    found = asdict(finding)
    del found["about"]
    return {**found, "hosts": [*finding.hosts], "lines": [*finding.lines]}


def listed(words: "list[str] | tuple[str, ...]", most: int = 3) -> str:
    """The first few of something, and how many more there are."""
    shown = ", ".join(words[:most])
    return shown if len(words) <= most else f"{shown} and {len(words) - most} more"


def moment(when: float, now: float) -> str:
    """
    A time as people say it, with the date if that is another day.

    @param when: seconds since 1970, as is C{now}.
    """
    then, today = datetime.fromtimestamp(when), datetime.fromtimestamp(now)
    return then.strftime("%H:%M" if then.date() == today.date() else "%Y-%m-%d %H:%M")
