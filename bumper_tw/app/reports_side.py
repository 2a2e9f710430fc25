"""What the web does besides answering: files, updates and unknown paths, put together."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from attrs import frozen

from bumper_tw.app.belongings import Belongings
from bumper_tw.app.owner_side import OwnerSide
from bumper_tw.app.settings import Settings
from bumper_tw.core.accounts import Accounts
from bumper_tw.interfaces import IDeviceRegistry
from bumper_tw.storage.files import OwnFirmware
from bumper_tw.web.askers import Askers
from bumper_tw.web.call import Call
from bumper_tw.web.engine.answers import Deed
from bumper_tw.web.engine.entries import Kind
from bumper_tw.web.reports import ReportRoutes
from bumper_tw.web.routes import Route
from bumper_tw.web.unknown import House, UnknownAnswers
from bumper_tw.web.updates import UpdateRoutes
from bumper_tw.web.uploads import Uploads


class Facts(Protocol):
    """What is needed of the middle of the server."""

    @property
    def registry(self) -> IDeviceRegistry: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def belongings(self) -> Belongings: ...
    @property
    def owner(self) -> OwnerSide: ...


@frozen
class ReportsSide:
    """
    Everything of that kind.

    @ivar deeds: what happens to requests whose answer is data, by kind.
    @ivar unknown: answers what there is no route for.
    @ivar looked_up: is told of requests for the address of updates.
    @ivar parts: all that has routes.
    """

    deeds: Mapping[Kind, Deed]
    unknown: UnknownAnswers
    looked_up: Callable[[Call], None]
    parts: tuple[Any, ...]

    def routes(self) -> Iterator[Route]:
        """All routes."""
        for part in self.parts:
            yield from part.routes()


def reports_side(reactor: Any, settings: Settings, facts: Facts) -> ReportsSide:
    """Put it together."""
    own, guard = facts.belongings, facts.owner.guard
    askers = Askers(facts.registry, own.whereabouts.is_at)
    firmware = OwnFirmware(settings.storage.directory.absolute())
    updates = UpdateRoutes(own.updates, askers, firmware.latest)
    uploads = Uploads(reactor, own.files, askers)
    reports = ReportRoutes(
        facts.registry,
        own.permits,
        guard,
        own.unknown,
        own.updates,
        own.files,
        facts.owner.doorman.house,
    )
    house = House(facts.registry, facts.accounts, own.people)
    harmless = settings.web.unknown == "harmless"
    return ReportsSide(
        {Kind.UPLOAD: uploads.keep, Kind.UPDATE: updates.noted},
        UnknownAnswers(reactor, own.unknown, house, harmless),
        updates.looked_up,
        (updates, reports),
    )
