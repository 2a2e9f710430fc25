"""All checks by name, in the order in which an owner should read them."""

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from bumper_tw.app.doctor import keeping, names, network, robots, seen
from bumper_tw.app.doctor.evidence import Evidence
from bumper_tw.app.doctor.finding import Finding, Verdict, named

#: A check that asks nobody else; it may block on the disk.
Check = Callable[[Evidence], Verdict]


class InThread(Protocol):
    """Calls something where it may block."""

    def __call__(self, work: Callable[..., Any], *arguments: Any) -> "Deferred[Any]": ...


def also(check: Check, sight: Check) -> Check:
    """Two that go under one name: the second counts when the first finds nothing wrong."""

    def both(evidence: Evidence) -> Verdict:
        first = check(evidence)
        if first.sound is False:
            return first
        second = sight(evidence)
        return second if second.sound is False else first

    return both


#: Before it is asked where names lead: what this box is.
BEFORE: dict[str, Check] = {
    "clock": also(keeping.clock, seen.OTHER_TIME),
    "ports": network.ports,
    "privileges": network.privileges,
    "bind": network.bind,
    "announce": network.announce,
}

#: After that: what it keeps, who came, and who did not.
AFTER: dict[str, Check] = {
    "certificate": keeping.certificate,
    "ca-key": keeping.ca_key,
    "disk": keeping.disk,
    "database": keeping.database,
    **seen.SIGHTS,
    "firmware": also(robots.firmware, seen.PINNED),
    "silent": robots.silent,
    "offline": robots.offline,
    "home-assistant": robots.home_assistant,
}

#: Every name that there is.
NAMES = (*BEFORE, "names", "names-ipv6", *AFTER)


async def examine(evidence: Evidence, in_thread: InThread) -> tuple[Finding, ...]:
    """Make all checks."""
    before = await in_thread(made, BEFORE, evidence)
    asked = await names.names(evidence)
    after = await in_thread(made, AFTER, evidence)
    return (*before, *asked, *after)


def made(checks: dict[str, Check], evidence: Evidence) -> tuple[Finding, ...]:
    """Make some checks, one after the other."""
    return tuple(f for name, check in checks.items() for f in named(name, check(evidence)))
