"""What not every start needs, and only those load that do."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from attrs import frozen
from twisted.application.service import IService
from twisted.internet.defer import Deferred, succeed

from bumper_tw.app.brokerage import Brokerage
from bumper_tw.app.config import Layers
from bumper_tw.app.exchange import Exchange
from bumper_tw.app.lifecycle import Doors
from bumper_tw.app.observing import Observation
from bumper_tw.app.settings import Settings
from bumper_tw.front.gate import Gate
from bumper_tw.interfaces import IDatabase, IRecordStore
from bumper_tw.pki.vault import Vault
from bumper_tw.storage.database import Books
from bumper_tw.web.routes import Route

if TYPE_CHECKING:
    from bumper_tw.app.dashboard_side import Facts as PageFacts
    from bumper_tw.app.metrics_side import Facts
    from bumper_tw.integrations.metrics_traffic import Website


@frozen
class Served:
    """
    The server around the owner's pages.

    @ivar read_layers: reads its settings, with where each was said.
    @ivar reload_accounts: reads accounts from disk, and logs out who is gone.
    @ivar takes: what takes up a setting that holds at once, by its key.
    @ivar gates: stand before services that can be started anew, by their names.
    @ivar edges: gives the site, once it is there; the factories of the broker and of XMPP.
    """

    database: IDatabase
    read_layers: Callable[[], Layers]
    reload_accounts: Callable[[], Deferred[None]]
    takes: Mapping[str, Callable[[Settings], object]]
    gates: Mapping[str, Gate]
    edges: tuple[Callable[[], Any], Any, Any]


@frozen
class Extra:
    """
    What a part adds to the server; a part that is not wanted adds nothing.

    @ivar routes: for the site.
    @ivar control: for the control socket.
    @ivar services: what runs for it.
    @ivar follows: see L{Root<bumper_tw.app.root.Root>}.
    @ivar load: takes up what earlier runs left.
    @ivar watched: the same routes, with those who use them being written down.
    @ivar asked_dns: is told who asks for a name of the vendor's, and at which address of ours.
    """

    routes: tuple[Route, ...] = ()
    control: tuple[Route, ...] = ()
    services: tuple[IService, ...] = ()
    follows: Mapping[str, Callable[[Settings], object]] = MappingProxyType({})
    load: Callable[[IRecordStore], Deferred[None]] = lambda _: succeed(None)
    watched: Callable[[Iterable[Route]], Iterable[Route]] = lambda routes: routes
    asked_dns: Callable[[str, str], None] = lambda _host, _local: None


def figures(
    seen: Observation,
    facts: "Facts",
    mqtt: Brokerage,
    xmpp: Exchange,
    database: Books,
    vault: Vault,
    site: "Callable[[], Website]",
) -> Extra:
    """
    The figures; what makes them is loaded only if the owner wants any.

    @param site: gives the site, once it is there.
    @raise StartError: the token for them cannot be used.
    """
    if not seen.settings.metrics.serve:
        return Extra()
    from bumper_tw.app.metrics_side import MetricsSide, Sources

    sources = Sources(facts, mqtt, xmpp, database, vault)
    side = MetricsSide(seen.reactor, seen.settings, sources, seen.guarded, site)
    follows = {"metrics.token_file": side.follow}
    return Extra(side.routes(), side.control_routes(), side.services(), follows)


def pages(seen: Observation, facts: "PageFacts", served: Served) -> Extra:
    """
    The owner's pages, if he wants any.

    @param served: what they need of the server around them.
    """
    if not seen.settings.dashboard.serve:
        return Extra()
    from bumper_tw.app.dashboard_side import Dashboard

    made = Dashboard(facts, seen, served)
    return Extra(
        tuple(made.routes()),
        services=tuple(made.services()),
        load=made.load,
        watched=made.watched,
        asked_dns=made.asked_dns,
    )


def dns_answers(
    reactor: Any, settings: Settings, asked: Callable[[str, str], None]
) -> Iterator[IService]:
    """
    What answers DNS questions, if it shall: most houses have a server for that.

    @param asked: is told of each question for a name of the vendor's.
    """
    if settings.dns.serve:
        from bumper_tw.app.dns_side import dns_services

        yield from dns_services(reactor, settings, asked)


def demo_robots(reactor: Any, doors: Doors) -> Iterator[IService]:
    """Simulated robots, for a start with C{--demo}."""
    from bumper_tw.app.demo import Demo

    yield Demo(reactor, doors)
