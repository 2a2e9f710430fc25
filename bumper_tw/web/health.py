"""
Whether this box is well: for whatever watches over programs, and for its owner.

C{/healthz} and C{/readyz} are for anybody and tell nothing that he may not know; what the doctor
finds is for those only who have an account.
"""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import asdict, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from bumper_tw.core.sharing import Shared
from bumper_tw.values import Principal
from bumper_tw.web.api import failure
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.routes import GET, Route, guarded

#: Seconds for which one look is good enough for everybody.
KEPT = 5.0

#: An answer that has to be asked for again.
NOT_KEPT = (("Cache-Control", "no-store"),)


@frozen
class Health:
    """
    How one thing is.

    @ivar why: why not, or why nobody has looked.
    """

    ok: bool
    why: str = ""


#: Looks at everything, by name.
Look = Callable[[], "Deferred[dict[str, Health]]"]

#: What the doctor finds, as JSON has it.
Report = Callable[[], "Deferred[Mapping[str, Any]]"]


class HealthRoutes:
    """The routes for whatever watches over us; one look at a time, however many ask."""

    def __init__(self, clock: IReactorTime, look: Look) -> None:
        self._health = Shared(clock, look, KEPT)

    def routes(self) -> tuple[Route, ...]:
        """C{/healthz} and C{/readyz}."""
        return (
            Route("/healthz", GET, self.alive, failure),
            Route("/readyz", GET, self.ready, failure),
        )

    def alive(self, _: Call) -> Answer:
        """Who answers, lives."""
        return Answer(b"ok\n", content_type="text/plain; charset=utf-8", headers=NOT_KEPT)

    def ready(self, _: Call) -> Deferred[Answer]:
        """Whether everything is right, and what is not."""
        return self._health.get().addCallback(rendered)


def rendered(found: Mapping[str, Health]) -> Answer:
    """What was seen, with the status that says it all."""
    ready = all(health.ok for health in found.values())
    checks = {name: asdict(health) for name, health in found.items()}
    plain = json_answer({"ready": ready, "checks": checks}, 200 if ready else 503)
    return Answer(plain.body, plain.status, plain.content_type, NOT_KEPT)


class DoctorRoutes:
    """
    The doctor, for those who have an account.

    @param guard: raises L{LoginRefused<bumper_tw.errors.LoginRefused>} for anybody else.
    """

    def __init__(self, guard: Callable[[Call], Principal], report: Report) -> None:
        self._guard, self._report = guard, report

    def routes(self) -> tuple[Route, ...]:
        """C{/api/doctor}."""
        return (Route("/api/doctor", GET, guarded(self._guard, self.findings), failure),)

    def findings(self, _: Call) -> Deferred[Answer]:
        """Every check, with what it found."""
        return self._report().addCallback(lambda found: json_answer(dict(found)))


def snapshot_routes(snapshot: Report, report: Report) -> tuple[Route, ...]:
    """
    What the owner's commands ask, where nobody else can.

    @param snapshot: what the server knows of itself.
    """

    def answer(asked: Report) -> Callable[[Call], Deferred[Answer]]:
        return lambda _: asked().addCallback(lambda found: json_answer(dict(found)))

    return (
        Route("/api/doctor/snapshot", GET, answer(snapshot), failure),
        Route("/api/doctor", GET, answer(report), failure),
    )
