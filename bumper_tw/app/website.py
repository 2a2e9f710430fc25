"""The web side: every route on one site."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from random import SystemRandom
from typing import Any, Protocol

from bumper_tw import __version__
from bumper_tw.app.addresses import Announcer, default_source, own_addresses
from bumper_tw.app.belongings import Belongings
from bumper_tw.app.inherited import port_passed
from bumper_tw.app.owner_side import OwnerSide
from bumper_tw.app.people_side import people_side
from bumper_tw.app.ports import port_of
from bumper_tw.app.reports_side import reports_side
from bumper_tw.app.settings import Listen, Settings, WebSettings
from bumper_tw.core.accounts import Accounts
from bumper_tw.core.commands import SPACE, request_ids
from bumper_tw.core.fleet import Fleet
from bumper_tw.dialect import models
from bumper_tw.interfaces import (
    ICleaningLogStore,
    ICommandCorrelator,
    IDeviceRegistry,
    ITelemetry,
    ITelemetryStore,
)
from bumper_tw.pki.vault import Vault
from bumper_tw.web import pictures
from bumper_tw.web.accounts import account_routes
from bumper_tw.web.api import ApiRoutes
from bumper_tw.web.call import Call
from bumper_tw.web.catalogue import CatalogueRoutes
from bumper_tw.web.cleaning import CleaningRoutes
from bumper_tw.web.commands import CommandRoutes
from bumper_tw.web.devices import DeviceRoutes, Todo
from bumper_tw.web.engine.answers import Answers
from bumper_tw.web.engine.wrapping import is_own
from bumper_tw.web.guard import Guard
from bumper_tw.web.help import HelpRoutes
from bumper_tw.web.home_screen import HomeScreenRoutes
from bumper_tw.web.homes import HomeRoutes
from bumper_tw.web.lookup import LookupRoutes
from bumper_tw.web.openapi import Documented, OpenApiRoutes
from bumper_tw.web.owning import OwningRoutes
from bumper_tw.web.pairing import PairingRoutes
from bumper_tw.web.persons import Persons
from bumper_tw.web.pictures import PictureRoutes
from bumper_tw.web.request import Limits
from bumper_tw.web.robot_logs import RobotLogs
from bumper_tw.web.routes import Route
from bumper_tw.web.sharing import SharingRoutes
from bumper_tw.web.site import WebSite, build_site

#: Where the vendor listens for XMPP, and whoever stands in for it.
VENDOR_XMPP = 5223


class Facts(Protocol):
    """What the web needs of the middle of the server."""

    @property
    def registry(self) -> IDeviceRegistry: ...
    @property
    def translated(self) -> ICommandCorrelator: ...
    @property
    def telemetry(self) -> ITelemetry: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def reports(self) -> ITelemetryStore: ...
    @property
    def logs(self) -> ICleaningLogStore: ...
    @property
    def belongings(self) -> Belongings: ...
    @property
    def owner(self) -> OwnerSide: ...


def website(
    reactor: Any,
    settings: Settings,
    vault: Vault,
    facts: Facts,
    more: Iterable[Route] = (),
    watched: Callable[[Iterable[Route]], Iterable[Route]] = lambda routes: routes,
) -> WebSite:
    """
    The site, with all that it answers.

    @param more: routes that are not about robots and people.
    @param watched: the same routes of our own, with those who use them being written down.
    @raise StartError: an answer that is data is wrong.
    """
    side = reports_side(reactor, settings, facts)
    persons = Persons(facts.accounts, facts.belongings.people, facts.owner.guard)
    own = settings.storage.directory / "answers"
    answers = Answers(reactor, own, side.deeds, persons.person)
    answers.load()
    described = OpenApiRoutes(lambda: Documented(tuple(code), answers.entries))
    code = [
        *routes(reactor, settings, vault, facts, side.looked_up),
        *side.routes(),
        *more,
        *described.routes(),
    ]
    ours = [route for route in code if is_ours(route)]
    code = [*(route for route in code if not is_ours(route)), *watched(ours)]
    site = build_site(code, reactor, limits(settings.web), answers)
    side.unknown.pages = front_page(code)
    site.unknown = side.unknown
    return site


def front_page(routes: Iterable[Route]) -> Route | None:
    """The first of our own pages, if there are any."""
    fronts = (each for each in routes if each.here is not None and each.path == "/")
    return next(fronts, None)


def is_ours(route: Route) -> bool:
    """Whether it is one of our pages, or of our own API."""
    return route.here is not None or is_own(route.path)


def limits(chosen: WebSettings) -> Limits:
    """What clients may cost."""
    return Limits(
        max_body=chosen.max_body,
        idle=chosen.idle_seconds,
        request=chosen.request_seconds,
        connections=chosen.connections,
        per_peer=chosen.connections_per_peer,
    )


def routes(
    reactor: Any,
    settings: Settings,
    vault: Vault,
    facts: Facts,
    looked_up: Callable[[Call], None],
) -> Iterator[Route]:
    """
    Every route of ours and of the vendor's that is code.

    @param looked_up: is told of requests for the address of updates.
    """
    announcer = Announcer(settings.server.announce, own_addresses, default_source, reactor)
    guard = facts.owner.guard
    portal = guard.portal
    people = people_side(reactor, settings, facts, guard)
    public, port = vault.config_key().public, xmpp_port(settings.listen)
    lookup = LookupRoutes(reactor, announcer.for_connection, public, port, looked_up)
    paired = PairingRoutes(facts.belongings.pairing, people.persons.portal)
    owned = facts.belongings
    fleet = Fleet(facts.registry, owned.permits, owned.ownership, reactor)
    sharing = SharingRoutes(facts.accounts, fleet, guard)
    functions = {**paired.functions(), **people.messages.todos(), **sharing.functions()}
    commands = CommandRoutes(fleet, facts.translated, failure_ids(), category, portal, functions)
    tiles: dict[str, Todo] = {
        "RobotControl": commands.robot_control,
        **paired.app_todos(),
        **sharing.app_todos(),
    }
    devices = DeviceRoutes(
        reactor, fleet, facts.telemetry, guard.homes, tiles, commands.todo_failure, portal
    )
    todos = {**devices.user_todos(), "FindBest": lookup.find_best}
    yield from lookup.routes()
    yield from account_routes(facts.accounts, reactor, todos, facts.belongings.people, guard)
    yield from people.routes()
    yield from HomeRoutes(facts.accounts, guard, fleet).routes()
    yield from OwningRoutes(facts.accounts, fleet, guard).routes()
    yield from HomeScreenRoutes(portal).routes()
    yield from devices.routes()
    yield from commands.routes()
    robots = RobotLogs(facts.registry, facts.translated)
    yield from CleaningRoutes(
        facts.logs, robots.ask, owned.permits, portal, people.pictures.path
    ).routes()
    yield from CatalogueRoutes(vault).routes()
    yield from paired.routes()
    yield from PictureRoutes(pictures.load()).routes()
    yield from HelpRoutes(reactor, fleet, people.persons.named).routes()
    yield from api(reactor, settings, facts, guard, fleet)


def xmpp_port(listen: Iterable[Listen]) -> int:
    """
    Where robots and apps are sent: to the first of our listeners for XMPP that has a port.
    One that speaks TLS from the start is the last resort, as robots begin without; and one that
    speaks everything comes behind those for XMPP alone.

    @return: the vendor's port when there is none: something in front of us may have it.
    """
    able = (each for each in listen if each.speaks("xmpp"))
    places = sorted(able, key=lambda each: (each.tls, each.serve == "all"))
    ports = (port_passed(each.at) or port_of(each.at) for each in places)
    return next((port for port in ports if port), VENDOR_XMPP)


def api(
    reactor: Any, settings: Settings, facts: Facts, guard: Guard, fleet: Fleet
) -> Iterable[Route]:
    """Our own API."""
    # Now: of a socket that is adopted already, nobody knows the port any more.
    told = about(settings)
    return ApiRoutes(
        reactor,
        fleet,
        facts.translated,
        facts.telemetry,
        facts.reports,
        guard,
        lambda: told,
    ).routes()


def about(settings: Settings) -> Mapping[str, Any]:
    """What anybody may know of this box."""
    return {
        "name": "bumper_tw",
        "version": __version__,
        "listen": [
            {"serve": listen.serve, "at": bound(listen.at), "tls": listen.tls}
            for listen in settings.listen
        ],
    }


def bound(at: str) -> str:
    """Where connections arrive: behind a socket of systemd's there is a port."""
    port = port_passed(at)
    return f"tcp:{port}" if port else at


def failure_ids() -> Iterator[Any]:
    """What failed commands are known by; they never got as far as a robot."""
    return request_ids(SystemRandom().randrange(SPACE))


def category(class_id: str) -> str:
    """The product category of a class of robots; empty when nobody knows it."""
    model = models.model(class_id)
    return model.category if model else ""
