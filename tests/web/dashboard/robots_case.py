"""Simulated robots of every generation at a server in memory, and the owner's API for them."""

import json
from typing import Any, TypeVar
from urllib.parse import quote

from attrs import define
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from bumper_tw.core.acting import Acting
from bumper_tw.core.command_log import CommandLog
from bumper_tw.core.fleet import Fleet
from bumper_tw.core.robot_ways import RobotWays
from bumper_tw.interfaces import IFeed
from bumper_tw.simulator.identity import (
    Generation,
    Kind,
    Profile,
    identities,
    xmpp_identities,
)
from bumper_tw.simulator.robot import SimulatedRobot
from bumper_tw.simulator.xmpp_profile import Search, XmppProfile
from bumper_tw.simulator.xmpp_robot import XmppRobot
from bumper_tw.values import OWNER, Principal, Role
from bumper_tw.web.dashboard.actions import ActionRoutes
from bumper_tw.web.dashboard.robot_traits import RobotTraits
from bumper_tw.web.dashboard.robots_api import RobotsApi
from bumper_tw.web.site import build_site
from tests.flows.house import House
from tests.front.fixed import fixed
from tests.web.browser import Browser, Page, request
from tests.xmpp_peers import Way

R = TypeVar("R", SimulatedRobot, XmppRobot)

STEP = 0.25
PEER = IPv4Address("TCP", "192.168.7.33", 50123)
BOSS = Principal(Role.OWNER, OWNER)
#: What the map of a test says; the one of the simulator has three.
ROOMS = {"3": "Kitchen", "5": "Hall", "7": '<script>"$(reboot)"</script>'}


@define(eq=False)
class Half(StringTransportWithDisconnection):
    """One end of a connection whose other end is a protocol in the same process."""

    clock: Clock
    other: Any = None
    over: bool = False

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    def write(self, data: bytes) -> None:
        """It arrives a moment later."""
        self.clock.callLater(0, self._arrive, data)

    def _arrive(self, data: bytes) -> None:
        if not self.over:
            self.other.dataReceived(data)

    def loseConnection(self) -> None:
        """Both ends hear of it."""
        if not self.over:
            self.over = True
            for each in (self.other, self.protocol):
                self.clock.callLater(0, each.connectionLost, Failure(ConnectionDone()))

    abortConnection = loseConnection


@implementer(IStreamClientEndpoint)
@define(eq=False)
class MqttWay:
    """How a simulated robot gets to the broker."""

    house: House

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """A robot comes."""
        robot: Any = factory.buildProtocol(PEER)
        server: Any = self.house.mqtt.door(False).buildProtocol(PEER)
        near, far = Half(self.house.clock), Half(self.house.clock)
        near.protocol, near.other, far.protocol, far.other = robot, server, server, robot
        server.makeConnection(far)
        robot.makeConnection(near)
        return succeed(robot)


@implementer(IFeed)
class Notes:
    """A feed that remembers."""

    position = "0"

    def __init__(self) -> None:
        self.kept: dict[str, tuple[str, Any]] = {}

    def put(self, key: str, kind: str, value: Any) -> None:
        """Something is like this now."""
        self.kept[key] = (kind, value)

    def drop(self, key: str) -> None:
        """It is no more."""
        self.kept.pop(key, None)


class Secrets:
    """Remembers whose secret is forgotten."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []

    def forget(self, did: str) -> Deferred[None]:
        """Trust what comes next."""
        self.forgotten.append(did)
        return succeed(None)


class RobotsCase(SynchronousTestCase):
    """A server, robots, and the routes of their pages."""

    def setUp(self) -> None:
        self.house = House()
        self.facts = self.house.facts
        self.firmware: set[str] = set()
        self.rooms: dict[str, str] | None = ROOMS
        self.wire_up()

    def wire_up(self) -> None:
        """As the application does."""
        facts, clock = self.facts, self.house.clock
        own, registry = facts.belongings, facts.registry
        self.fleet = Fleet(registry, own.permits, own.ownership, clock)
        self.ways, self.feed, self.secrets = RobotWays(), Notes(), Secrets()
        self.log = CommandLog(clock, self.feed, lambda did: did in self.known())
        facts.commands.watch(self.log.ended)
        facts.commands.watch(self.ways.heard)
        facts.telemetry.listen(self.ways.reported)
        registry.when_forgotten(self.log.forget)
        acting = Acting(clock, facts.translated, self.ways)
        traits = RobotTraits(facts.telemetry, self.ways, lambda _: self.rooms)
        self.actions = ActionRoutes(self.fleet, traits, acting, self.log, lambda _: BOSS)
        self.api = RobotsApi(
            self.fleet,
            self.secrets,
            own.updates,
            self.firmware.__contains__,
            lambda _: BOSS,
            lambda _: BOSS,
        )
        self.site = build_site([*self.actions.routes(), *self.api.routes()], clock)

    def known(self) -> set[str]:
        """The dids of all robots."""
        return {device.id.did for device in self.facts.registry.devices()}

    def run_for(self, seconds: float) -> None:
        """Let time pass."""
        self.house.clock.pump([STEP] * round(seconds / STEP))

    def mqtt_robot(self, kind: Kind = Kind.JSON, **habits: Any) -> SimulatedRobot:
        """A robot behind MQTT that is switched on."""
        [who] = identities(1, kind)
        way = MqttWay(self.house)
        made = SimulatedRobot(self.house.clock, way, who, kind, Profile(**habits))
        return self._started(made)

    def new_robot(self, **habits: Any) -> SimulatedRobot:
        """One of the newer generation."""
        return self.mqtt_robot(generation=Generation.NEW, **habits)

    def xmpp_robot(self) -> XmppRobot:
        """A robot of the first generation."""
        [who] = xmpp_identities(1)
        way = Way(self.house.clock, self.house.xmpp.door(fixed()).buildProtocol)
        profile = XmppProfile()
        made = XmppRobot(self.house.clock, way.dial, Search("b.test", 5223), who, profile)
        return self._started(made)

    def _started(self, made: R) -> R:
        ready = made.start()
        self.run_for(5)
        self.successResultOf(ready)
        self.addCleanup(self._switch_off, made)
        return made

    def _switch_off(self, made: Any) -> None:
        made.stop()
        self.run_for(3)

    @property
    def did(self) -> str:
        """The one robot there is."""
        [device] = self.facts.registry.devices()
        return device.id.did

    def path(self, rest: str = "", did: str | None = None) -> str:
        """A path below a robot."""
        return f"/api/robots/{quote(did or self.did, safe='')}{rest}"

    def ask(
        self, method: str, path: str, value: object = None, headers: Any = (), wait: float = 30
    ) -> Page:
        """Ask, and let time pass until there is an answer."""
        connection = Browser(self.site).connect()
        body = b"" if value is None else json.dumps(value).encode()
        connection.send(request(method, path, body, headers))
        found = connection.received()
        while not found and wait > 0:
            self.run_for(STEP)
            wait -= STEP
            found = connection.received()
        [page] = found
        return page

    def act(self, action: str, **arguments: Any) -> Page:
        """Have the robot do something."""
        given = {"arguments": arguments} if arguments else {}
        page = self.ask("POST", self.path(f"/actions/{action}"), given)
        self.run_for(3)
        return page
