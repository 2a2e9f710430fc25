"""The pages about robots, put together."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from twisted.application.service import IService

from bumper_tw.app.belongings import Belongings
from bumper_tw.app.brokerage import in_thread
from bumper_tw.app.lifecycle import Step
from bumper_tw.app.owner_side import OwnerSide
from bumper_tw.app.people_side import DATA
from bumper_tw.app.settings import Settings
from bumper_tw.core.acting import Acting
from bumper_tw.core.cartography import Cartography
from bumper_tw.core.command_log import CommandLog
from bumper_tw.core.commands import CommandCorrelator
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.feed import Feed
from bumper_tw.core.fleet import Fleet
from bumper_tw.core.inquiries import Inquiries
from bumper_tw.core.robot_secrets import RobotSecrets
from bumper_tw.core.robot_ways import RobotWays
from bumper_tw.core.telemetry import Telemetry
from bumper_tw.core.translation import TranslatingCorrelator
from bumper_tw.errors import DeviceUnknown
from bumper_tw.interfaces import ICleaningLogStore, IRecordStore, ITelemetryStore
from bumper_tw.storage.files import OwnFirmware
from bumper_tw.storage.maps import MapFiles
from bumper_tw.web import message_texts
from bumper_tw.web.dashboard.actions import ActionRoutes
from bumper_tw.web.dashboard.card_feed import CardFeed
from bumper_tw.web.dashboard.cards import Cards, Refusals
from bumper_tw.web.dashboard.events import EventRoutes
from bumper_tw.web.dashboard.frame import Admit
from bumper_tw.web.dashboard.history import HistoryRoutes
from bumper_tw.web.dashboard.home import HomePage
from bumper_tw.web.dashboard.map_drawing import covered_area
from bumper_tw.web.dashboard.map_easels import Drawings
from bumper_tw.web.dashboard.map_panel import MapPanels
from bumper_tw.web.dashboard.map_routes import MapRoutes
from bumper_tw.web.dashboard.map_sight import MapSight
from bumper_tw.web.dashboard.panels import RobotPanels
from bumper_tw.web.dashboard.robot import RobotPage
from bumper_tw.web.dashboard.robot_traits import RobotTraits
from bumper_tw.web.dashboard.robots_api import RobotsApi
from bumper_tw.web.log_pictures import LogPictures
from bumper_tw.web.routes import Route


class Facts(Protocol):
    """What is needed of the middle of the server."""

    @property
    def registry(self) -> DeviceRegistry: ...
    @property
    def telemetry(self) -> Telemetry: ...
    @property
    def commands(self) -> CommandCorrelator: ...
    @property
    def translated(self) -> TranslatingCorrelator: ...
    @property
    def secrets(self) -> RobotSecrets: ...
    @property
    def reports(self) -> ITelemetryStore: ...
    @property
    def logs(self) -> ICleaningLogStore: ...
    @property
    def belongings(self) -> Belongings: ...
    @property
    def owner(self) -> OwnerSide: ...


class RobotPages:
    """
    Everything of that kind.

    @ivar maps: of all robots.
    @ivar parts: all that has routes.
    """

    def __init__(
        self,
        reactor: Any,
        settings: Settings,
        facts: Facts,
        feed: Feed,
        store: IRecordStore,
        admit: Admit,
        findings: Callable[[], list[str]],
    ) -> None:
        """
        @param findings: what is wrong with this box, in sentences.
        """
        own, guard = facts.belongings, facts.owner.guard
        here, house = facts.owner.doorman.here, facts.owner.doorman.house
        registry, telemetry = facts.registry, facts.telemetry
        fleet = Fleet(registry, own.permits, own.ownership, reactor)
        errors = message_texts.load(DATA / "error_texts.json").languages["en"]["error"]
        cards = Cards(registry, telemetry, errors, Refusals(own.updates), own.updates.allowed)
        thread = in_thread(reactor)
        files = MapFiles(thread, settings.storage.directory.absolute())
        self.maps = Cartography(reactor, registry, facts.translated, feed, store, files, thread)
        ways, log = RobotWays(), CommandLog(reactor, feed, is_known(registry))
        traits = RobotTraits(telemetry, ways, self.maps.rooms)
        actions = ActionRoutes(fleet, traits, Acting(reactor, facts.translated, ways), log, guard)
        panels = RobotPanels(reactor, telemetry, own.updates, log, actions)
        sight = MapSight(self.maps, registry, telemetry, Drawings(reactor, thread))
        firmware = OwnFirmware(settings.storage.directory.absolute())
        self._cards = CardFeed(reactor, feed, cards, registry, telemetry)
        self._inquiries = Inquiries(reactor, registry, facts.translated, telemetry)
        wanted = self._inquiries.want
        self._events = EventRoutes(reactor, feed, cards, fleet, guard, house, wanted)
        self.parts = (
            HomePage(admit, here, lambda: map(cards.of, registry.devices()), findings),
            RobotPage(
                admit,
                here,
                registry.device,
                cards.of,
                [MapPanels(sight).panel, panels.actions, panels.commands, panels.told],
                [panels.firmware, panels.naming],
                ["map.js", "robot.js"],
            ),
            MapRoutes(fleet, sight, guard),
            actions,
            self._events,
            RobotsApi(fleet, facts.secrets, own.updates, firmware.has, guard, house),
            HistoryRoutes(
                reactor,
                fleet,
                facts.logs,
                facts.reports,
                telemetry,
                guard,
                admit,
                here,
                LogPictures(own.files).path,
                covered_area(self.maps.coverage, self.maps.drawn_rooms),
                self.maps.coverage.jobs,
            ),
        )
        self._registry = registry
        self._hear(facts, ways, log)

    def _hear(self, facts: Facts, ways: RobotWays, log: CommandLog) -> None:
        for ended in (log.ended, ways.heard):
            facts.commands.watch(ended)
        for heard in (self.maps.heard, ways.reported):
            facts.telemetry.listen(heard)
        for forget in (log.forget, ways.forget, self.maps.forget, self._inquiries.forget):
            facts.registry.when_forgotten(forget)

    def routes(self) -> Iterator[Route]:
        """All routes."""
        for part in self.parts:
            yield from part.routes()

    def _wake(self) -> None:
        """The rooms of robots are to be known before somebody asks for them."""
        self.maps.wake(device.id.did for device in self._registry.devices())

    def look_again(self) -> None:
        """Others than before are let in: also with streams that are open."""
        self._events.look_again()

    def services(self) -> Iterator[IService]:
        """What runs for it."""
        yield Step("maps", self._wake, self.maps.stop)
        yield Step("inquiries", stop=self._inquiries.stop)
        yield Step("cards", self._cards.start, self._cards.stop)
        yield Step("open pages", stop=self._events.stop)


def is_known(registry: DeviceRegistry) -> Callable[[str], bool]:
    """Whether there is a robot of that did."""

    def known(did: str) -> bool:
        try:
            registry.device(did)
        except DeviceUnknown:
            return False
        return True

    return known
