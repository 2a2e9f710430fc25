"""What one check of the doctor has to say."""

from typing import Any

from attrs import asdict, frozen


@frozen
class Verdict:
    """
    How one thing is.

    @ivar sound: C{None} when it could not be looked at, or is only told.
    @ivar sentence: what was found, for the owner.
    @ivar remedy: what to do; empty unless something is wrong.
    """

    sound: bool | None
    sentence: str
    remedy: str = ""


@frozen
class Finding:
    """
    The same under the name of its check.

    @ivar check: stable, for scripts.
    """

    check: str
    sound: bool | None
    sentence: str
    remedy: str = ""

    @property
    def failed(self) -> bool:
        """Whether something has to be done."""
        return self.sound is False


def fine(sentence: str) -> Verdict:
    """All is well."""
    return Verdict(True, sentence)


def told(sentence: str) -> Verdict:
    """Neither well nor wrong."""
    return Verdict(None, sentence)


def wrong(sentence: str, remedy: str) -> Verdict:
    """Something has to be done."""
    return Verdict(False, sentence, remedy)


def named(check: str, verdict: Verdict) -> Finding:
    """The finding of one check."""
    return Finding(check, verdict.sound, verdict.sentence, verdict.remedy)


def failures(findings: "tuple[Finding, ...]") -> int:
    """How many have failed."""
    return sum(finding.failed for finding in findings)


def report(findings: tuple[Finding, ...], running: bool) -> dict[str, Any]:
    """
    All of it for programs.

    @param running: whether a server was looked at, too.
    """
    return {
        "findings": [asdict(finding) for finding in findings],
        "failures": failures(findings),
        "running": running,
    }


def listed(words: "list[str] | tuple[str, ...]", most: int = 3) -> str:
    """The first few of something, and how many more there are."""
    shown = ", ".join(words[:most])
    return shown if len(words) <= most else f"{shown} and {len(words) - most} more"
