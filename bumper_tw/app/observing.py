"""What tells the owner why something does not connect: the journal, the doctor, their routes."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from attrs import define, field
from twisted.application.service import IService

from bumper_tw.app.addresses import Announcer, default_source, own_addresses
from bumper_tw.app.control import control_service
from bumper_tw.app.doctor.side import DoctorSide, Parts
from bumper_tw.app.lifecycle import Doors, Step
from bumper_tw.app.owner_side import OwnerSide
from bumper_tw.app.ports import port_of
from bumper_tw.app.settings import Settings
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.errors import DeviceUnknown
from bumper_tw.front.acquaintances import Acquaintances
from bumper_tw.front.chronicle import Chronicle
from bumper_tw.front.journal import Journal
from bumper_tw.front.journal_file import JournalFile
from bumper_tw.interfaces import IRecordStore, ITelemetry
from bumper_tw.values import Principal
from bumper_tw.web.call import Call
from bumper_tw.web.journal import JournalRoutes, anybody
from bumper_tw.web.routes import Route
from bumper_tw.web.trust import Places, TrustRoutes


class Certificates(Protocol):
    """What is looked at, and handed out, of our keys."""

    def ca_pem(self) -> bytes:
        """The authority that phones are to trust."""

    def expires(self) -> datetime:
        """When the server certificate ceases to hold."""


class Facts(Protocol):
    """What is looked at of the middle of the server."""

    @property
    def journal(self) -> Journal: ...
    @property
    def registry(self) -> DeviceRegistry: ...
    @property
    def telemetry(self) -> ITelemetry: ...
    @property
    def owner(self) -> OwnerSide: ...


@define(eq=False)
class Observation:
    """
    The journal with all that reads it, and the doctor.

    @ivar doors: where connections are accepted, once that is known.
    @ivar control: what else whoever owns the data folder may ask for.
    @ivar chronicle: says what entries of the journal mean.
    """

    reactor: Any
    settings: Settings
    facts: Facts
    certificates: Certificates
    records: IRecordStore
    doors: Doors = ()
    control: list[Route] = field(factory=list)
    chronicle: Chronicle = field(init=False)
    doctor: DoctorSide = field(init=False)
    _polled: list[JournalRoutes] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        facts, journal = self.facts, self.facts.journal
        known = Acquaintances(self.reactor, journal, self._named)
        self.chronicle = Chronicle(self.reactor, journal, known, self.clear_port)
        parts = Parts(
            journal,
            self.chronicle.diagnosis,
            facts.registry,
            facts.telemetry,
            self.records,
            self.certificates.expires,
            lambda: self.doors,
        )
        self.doctor = DoctorSide(self.reactor, self.settings, parts)

    def _named(self, did: str) -> str:
        try:
            device = self.facts.registry.device(did)
        except DeviceUnknown:
            return ""
        return device.nick or device.name

    def routes(self) -> Iterator[Route]:
        """For the site."""
        yield from self._journal(self.guarded)
        yield from self.doctor.routes(self.guarded)
        yield from TrustRoutes(self.certificates, self._places()).routes()

    def guarded(self, call: Call) -> Principal:
        """
        Who may see all of the house.

        @raise LoginRefused: somebody else, or nobody, when robots are not everybody's.
        """
        return self.facts.owner.doorman.house(call)

    def _journal(self, guard: Callable[[Call], object]) -> Sequence[Route]:
        made = JournalRoutes(self.reactor, self.chronicle, guard)
        self._polled.append(made)
        return made.routes()

    def _places(self) -> Places:
        announcer = Announcer(
            self.settings.server.announce, own_addresses, default_source, self.reactor
        )
        encrypted = partial(self._port, tls=True)
        return Places(encrypted, self.clear_port, announcer.for_connection)

    def wrong(self) -> list[str]:
        """What the doctor found wrong when he looked last, in sentences."""
        found = self.doctor.findings.last or ()
        return [each.sentence for each in found if each.failed]

    def clear_port(self) -> int | None:
        """Where HTTP is spoken in clear text; C{None} when that is nowhere."""
        return self._port(tls=False)

    def _port(self, tls: bool) -> int | None:
        """Where HTTP is spoken; C{None} when that is nowhere."""
        for at, listener in self.doors:
            if at.speaks("web") and at.tls is tls and not listener.why:
                found = listener.tcp_port or port_of(at.at)
                if found:
                    return found
        return None

    def services(self) -> Iterator[IService]:
        """What runs for it; it is to be stopped while the disk can still be written to."""
        yield from self.doctor.services()
        if self.settings.front.journal_file:
            folder = self.settings.storage.directory
            file = JournalFile(self.reactor, self.chronicle, folder)
            yield Step("journal file", stop=file.stop)
        owners = [*self._journal(anybody), *self.doctor.control_routes(), *self.control]
        yield control_service(self.reactor, self.settings, owners)
        # Those who wait for news are answered before their connections have to end.
        yield Step("journal", stop=self._stop)

    def _stop(self) -> None:
        self.chronicle.acquaintances.stop()
        for made in self._polled:
            made.stop()
