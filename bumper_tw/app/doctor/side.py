"""The doctor in a running server, built from its parts."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from attrs import frozen
from twisted.application.service import IService
from twisted.internet.defer import Deferred

from bumper_tw.app.doctor.arrivals import Arrivals
from bumper_tw.app.doctor.checks import examine
from bumper_tw.app.doctor.evidence import Evidence
from bumper_tw.app.doctor.finding import Findings, report
from bumper_tw.app.doctor.gathering import (
    Comings,
    Diagnosis,
    Household,
    evidence,
    in_thread,
    listeners,
)
from bumper_tw.app.doctor.readiness import Readiness
from bumper_tw.app.doctor.rounds import Changes, Rounds
from bumper_tw.app.doctor.snapshot import Snapshot, to_json
from bumper_tw.app.lifecycle import Doors
from bumper_tw.app.settings import Settings
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.sharing import Shared
from bumper_tw.front.contact import Contact
from bumper_tw.front.journal import Journal
from bumper_tw.interfaces import IRecordStore, ITelemetry
from bumper_tw.values import Principal
from bumper_tw.web.call import Call
from bumper_tw.web.health import DoctorRoutes, HealthRoutes, snapshot_routes
from bumper_tw.web.routes import Route

#: Seconds for which findings are good.
KEPT = 10.0


@frozen
class Parts:
    """
    What the doctor looks at.

    @ivar diagnose: says what a contact means.
    @ivar records: is written to, to see whether that works.
    @ivar expires: when the server certificate ceases to hold.
    @ivar doors: gives the listeners, once they are there.
    """

    journal: Journal
    diagnose: Callable[[Contact], Diagnosis]
    registry: DeviceRegistry
    telemetry: ITelemetry
    records: IRecordStore
    expires: Callable[[], datetime]
    doors: Callable[[], Doors]


class DoctorSide:
    """Routes and services of the doctor; to be made while the server is put together."""

    def __init__(self, reactor: Any, settings: Settings, parts: Parts) -> None:
        self._reactor, self._settings = reactor, settings
        self._household = household(reactor, settings, parts)
        self._changes = Changes(parts.journal)
        self.findings = Shared(reactor, self._examine, KEPT)
        self.readiness = Readiness(
            reactor,
            lambda: listeners(parts.doors()),
            parts.records,
            lambda: shutil.disk_usage(self._household.data).free,
            self._household.certificate_days,
            lambda: self._evidence(self._household.snapshot()),
            settings.dns.needed,
        )

    def _evidence(self, snapshot: Snapshot) -> Evidence:
        return evidence(self._reactor, self._settings, snapshot)

    def _examine(self) -> Deferred[Findings]:
        return Deferred.fromCoroutine(self._examination())

    async def _examination(self) -> Findings:
        found = self._evidence(await self._moment())
        findings = await examine(found, in_thread(self._reactor))
        self._changes.heard(findings)
        return findings

    def report(self) -> Deferred[Mapping[str, Any]]:
        """What the doctor finds."""
        return self.findings.get().addCallback(lambda found: report(found, running=True))

    def snapshot(self) -> Deferred[Mapping[str, Any]]:
        """What the server knows of itself."""
        return Deferred.fromCoroutine(self._snapshot())

    async def _snapshot(self) -> Mapping[str, Any]:
        return to_json(await self._moment())

    async def _moment(self) -> Snapshot:
        written = await self.readiness.database()
        return self._household.snapshot(await self._household.contacts(), written.ok)

    def routes(self, guard: Callable[[Call], Principal]) -> tuple[Route, ...]:
        """For the site."""
        health = HealthRoutes(self._reactor, self.readiness.look)
        return (*health.routes(), *DoctorRoutes(guard, self.report).routes())

    def control_routes(self) -> tuple[Route, ...]:
        """For the control socket only: nobody has to say who he is."""
        return snapshot_routes(self.snapshot, self.report)

    def services(self) -> Iterator[IService]:
        """What goes on by itself."""
        yield Rounds(self._reactor, self.findings.get)


def household(reactor: Any, settings: Settings, parts: Parts) -> Household:
    """What a running server is judged by."""
    comings = Comings(reactor, parts.registry)
    parts.registry.when_forgotten(comings.forget)
    return Household(
        clock=reactor,
        settings=settings,
        certs=settings.tls.directory.absolute(),
        data=settings.storage.directory.absolute(),
        started=reactor.seconds(),
        doors=parts.doors,
        registry=parts.registry,
        telemetry=parts.telemetry,
        journal=parts.journal,
        comings=comings,
        arrivals=Arrivals(parts.journal),
        diagnose=parts.diagnose,
        expires=parts.expires,
    )
