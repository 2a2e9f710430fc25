"""A whole house with simulated robots, and maps of them."""

from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.settings import DashboardSettings, Settings
from bumper_tw.core.cartography import Cartography
from bumper_tw.core.fleet import Fleet
from bumper_tw.core.permits import Everybody
from bumper_tw.errors import LoginRefused
from bumper_tw.simulator.any_robot import AT_ONCE
from bumper_tw.simulator.floorplan import Floorplan
from bumper_tw.simulator.identity import Generation, Identity, Kind, Profile, identities
from bumper_tw.simulator.robot import SimulatedRobot
from bumper_tw.storage.memory_records import MemoryRecordStore
from bumper_tw.values import Principal, Role
from bumper_tw.web.call import Call
from bumper_tw.web.dashboard.map_easels import Drawings
from bumper_tw.web.dashboard.map_routes import MapRoutes
from bumper_tw.web.dashboard.map_sight import MapSight
from bumper_tw.web.request import Limits
from bumper_tw.web.site import build_site
from tests.core.atlas import MemoryFolder, NotedFeed, at_once
from tests.flows.house import House
from tests.web.browser import Browser, Page
from tests.xmpp_peers import Way

#: The three kinds of robots that have maps.
NEW, OLD = Profile(generation=Generation.NEW), Profile(generation=Generation.OLD)
KINDS = {"new": (Kind.JSON, NEW), "old": (Kind.JSON, OLD), "xml": (Kind.XML, OLD)}

#: The pages of the house would ask the robots as well.
BARE = Settings(dashboard=DashboardSettings(serve=False))

BEARER = ("Authorization", "Bearer open sesame")


class MapCase(SynchronousTestCase):
    """Somebody who looks at maps."""

    def setUp(self) -> None:
        self.house, self.feed, self.folder = House(BARE), NotedFeed(), MemoryFolder()
        self.records = MemoryRecordStore()
        self.open()

    def open(self) -> None:
        """The server starts; what it kept is still there."""
        facts, clock = self.house.facts, self.house.clock
        self.maps = Cartography(
            clock,
            facts.registry,
            facts.translated,
            self.feed,
            self.records,
            self.folder,
            at_once,
        )
        self.successResultOf(self.maps.load(self.records))
        self.stop_hearing = facts.telemetry.listen(self.maps.heard)
        drawings = Drawings(clock, at_once)
        self.sight = MapSight(self.maps, facts.registry, facts.telemetry, drawings)
        fleet = Fleet(facts.registry, Everybody(), facts.belongings.ownership, clock)
        routes = MapRoutes(fleet, self.sight, guard).routes()
        self.browser = Browser(build_site(routes, clock, Limits()), clock)

    def close(self) -> None:
        """The server stops."""
        self.stop_hearing()
        self.successResultOf(self.maps.stop())

    def robot(self, kind: str = "new") -> tuple[SimulatedRobot, Identity]:
        """A robot comes."""
        speaks, profile = KINDS[kind]
        [who] = identities(1, speaks)
        clock: IReactorTime = self.house.clock
        way = Way(self.house.clock, self.house.mqtt.door(False).buildProtocol)
        robot = SimulatedRobot(clock, way, who, speaks, profile, latency=AT_ONCE)
        ready = robot.start()
        self.run_for(2)
        self.successResultOf(ready)
        self.addCleanup(robot.stop)
        return robot, who

    def run_for(self, seconds: float) -> None:
        """Time passes."""
        self.house.clock.pump([0.1] * round(seconds * 10))

    def survey(self, who: Identity) -> bool:
        """A robot is asked for its map."""
        asked = self.maps.survey(who.did)
        self.run_for(12)
        return self.successResultOf(asked)

    def get(self, path: str, **options: Any) -> Page:
        """An answer of the API."""
        headers = [BEARER, *options.pop("headers", ())]
        return self.browser.get(f"/api/robots/{path}", headers=headers, **options)


def guard(call: Call) -> Principal:
    """Lets in whoever knows the word."""
    if call.bearer() != "open sesame":
        raise LoginRefused("a token is needed")
    return Principal(Role.OWNER, ":owner")


def seen_cells(plan: Floorplan) -> dict[tuple[int, int], int]:
    """What a robot has seen, by the place of the cell."""
    return {(x, y): plan.cell(x, y) for x in range(800) for y in range(800) if plan.cell(x, y)}
