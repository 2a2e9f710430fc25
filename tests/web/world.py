"""A whole site over real core objects, with robots that answer by script."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from bumper_tw.core.commands import CommandCorrelator, request_ids
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.fleet import Fleet
from bumper_tw.core.ownership import Ownership
from bumper_tw.core.pairing import PairingDesk
from bumper_tw.core.permits import Everybody
from bumper_tw.core.telemetry import Telemetry
from bumper_tw.core.updates import Updates
from bumper_tw.dialect import models
from bumper_tw.errors import BadRequest, LoginRefused
from bumper_tw.interfaces import IRobotLink
from bumper_tw.storage.memory import (
    MemoryCleaningLogStore,
    MemoryDeviceStore,
    MemoryTelemetryStore,
)
from bumper_tw.storage.memory_records import MemoryRecordStore
from bumper_tw.values import (
    Command,
    Device,
    DeviceId,
    PayloadKind,
    Principal,
    Reply,
    RequestId,
    Role,
)
from bumper_tw.web.api import ApiRoutes
from bumper_tw.web.askers import Askers
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.catalogue import CatalogueRoutes
from bumper_tw.web.cleaning import CleaningRoutes
from bumper_tw.web.commands import CommandRoutes
from bumper_tw.web.devices import DeviceRoutes
from bumper_tw.web.engine.answers import Answers
from bumper_tw.web.failures import portal_failure
from bumper_tw.web.home_screen import HomeScreenRoutes
from bumper_tw.web.lookup import LookupRoutes
from bumper_tw.web.pairing import PairingRoutes
from bumper_tw.web.pictures import PictureRoutes
from bumper_tw.web.pictures import load as load_pictures
from bumper_tw.web.request import Limits
from bumper_tw.web.robot_logs import RobotLogs
from bumper_tw.web.routes import POST, Route
from bumper_tw.web.site import build_site
from bumper_tw.web.updates import UpdateRoutes
from tests.web.browser import Browser

DUSTY = Device(DeviceId("did1", "yna5xi", "res1"), name="E0001234567890")
OLDIE = Device(DeviceId("did2", "ls1ok3", "res2"), name="E2", kind=PayloadKind.XML)
TOKEN = "open sesame"
NOW = 1_795_000_000.25


@implementer(IRobotLink)
class ScriptedRobot:
    """A robot that answers each command with what the test has written down, or not."""

    def __init__(self, commands: CommandCorrelator, script: Mapping[str, bytes]) -> None:
        self._commands, self._script = commands, script
        self.heard: list[Command] = []

    def deliver(self, command: Command, request: RequestId) -> None:
        self.heard.append(command)
        if command.name in self._script:
            body = self._script[command.name]
            self._commands.replied(command.device, command.name, request, body)

    def withdraw(self, request: RequestId) -> None:
        """It has been heard already."""


class Nobodys:
    """Robots that are nobody's, and stay so."""

    def owner(self, _: str) -> str:
        return ""

    def give(self, _did: str, _uid: str) -> Deferred[None]:
        return succeed(None)


class Certificates:
    """Keys in name only."""

    def ca_bundle(self) -> bytes:
        return b"\x1f\x8b an archive"


class World:
    """Every route of this package, and what is behind it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.registry = DeviceRegistry(self.clock, MemoryDeviceStore())
        ownership = Ownership(self.clock, MemoryRecordStore(), lambda size: "ab" * size)
        self.fleet = Fleet(self.registry, Everybody(), ownership, self.clock)
        self.commands = CommandCorrelator(self.clock, self.registry, request_ids(7))
        self.telemetry = Telemetry()
        self.history, self.logs = MemoryTelemetryStore(), MemoryCleaningLogStore()
        self.announced: str | None = "192.168.7.2"
        self.closed = False
        self.answers = Answers(self.clock)
        self.answers.load()
        code = list(self._routes())
        self.site = build_site(code, self.clock, Limits(max_body=1 << 16), self.answers)
        self.routes = self.site.routes
        self.browser = Browser(self.site, self.clock)

    def portal_guard(self, _: Call) -> None:
        if self.closed:
            raise LoginRefused("the token opens nothing")

    def portal_user(self, call: Call) -> str:
        self.portal_guard(call)
        return call.header("userid")

    def api_guard(self, call: Call) -> Principal:
        if call.bearer() != TOKEN:
            raise LoginRefused("a token is needed")
        return Principal(Role.USER, "bumper")

    def _routes(self) -> Iterable[Route]:
        guard = self.portal_user
        commands = CommandRoutes(self.fleet, self.commands, request_ids(1), category, guard)
        devices = DeviceRoutes(
            self.clock,
            self.fleet,
            self.telemetry,
            lambda uid: ("first home",),
            {"RobotControl": commands.robot_control},
            commands.todo_failure,
            guard,
        )
        lookup = LookupRoutes(self.clock, lambda _: self.announced, lambda: "KEY+/=", 5223)
        catalogue = CatalogueRoutes(Certificates())
        pictures = PictureRoutes(load_pictures())
        desk = PairingDesk(self.clock, self.registry, Everybody(), Nobodys(), b"salt")
        pairing = PairingRoutes(desk, self.portal_user)
        api = ApiRoutes(
            self.clock,
            self.fleet,
            self.commands,
            self.telemetry,
            self.history,
            self.api_guard,
            lambda: {"name": "bumper_tw", "version": "1"},
        )
        robots = RobotLogs(self.registry, self.commands)
        screen = HomeScreenRoutes(guard)
        cleaning = CleaningRoutes(self.logs, robots.ask, self.fleet.permits, guard)
        parts = (commands, devices, lookup, catalogue, api, cleaning, screen)
        updates = UpdateRoutes(
            Updates(self.clock, MemoryRecordStore()),
            Askers(self.registry, lambda *_: True),
            lambda *_: None,
        )
        for part in (*parts, pictures, pairing, updates):
            yield from part.routes()
        todos = {**devices.user_todos(), "FindBest": lookup.find_best}
        yield Route("/user.do", POST, user_do(todos), portal_failure)

    def robot(self, device: Device = DUSTY, **script: bytes) -> ScriptedRobot:
        """A robot connects."""
        robot = ScriptedRobot(self.commands, script)
        self.registry.attach(device, robot)
        return robot


def category(class_id: str) -> str:
    """The category of a class; none for an unknown one."""
    model = models.model(class_id)
    return model.category if model else ""


def user_do(todos: Mapping[str, Callable[[Call, dict[str, Any]], Any]]) -> Callable[[Call], Any]:
    """As much of C{user.do} as the todos of robots need."""

    def answer(call: Call) -> Any:
        todo = todos.get(call.field("todo", str))
        if todo is None:
            raise BadRequest("unknown todo")
        return todo(call, call.body())

    return answer


def reply(command: Command, body: bytes) -> Reply:
    """What a robot said."""
    return Reply(command, RequestId("AbCd"), body)


def plain(_: Call, why: Exception) -> Answer:
    """The failure of a route that exists for a test only."""
    return json_answer({"failed": str(why)})


@implementer(ILogObserver)
class Ear:
    """Hears what our own code logs."""

    def __init__(self) -> None:
        self.heard: list[LogEvent] = []

    def __call__(self, event: LogEvent) -> None:
        if str(event.get("log_namespace", "")).startswith("bumper_tw"):
            self.heard.append(event)

    def lines(self) -> list[str]:
        """Everything so far, as it stands in a log."""
        return [formatEvent(event) for event in self.heard]


class WorldCase(SynchronousTestCase):
    """A test with a world, that also hears what is logged."""

    def setUp(self) -> None:
        self.ear = Ear()
        globalLogPublisher.addObserver(self.ear)
        self.addCleanup(globalLogPublisher.removeObserver, self.ear)
        self.world = World()
        self.browser = self.world.browser
