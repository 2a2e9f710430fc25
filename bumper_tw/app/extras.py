"""What not every start needs, and only those load that do."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from attrs import frozen
from twisted.application.service import IService

from bumper_tw.app.brokerage import Brokerage
from bumper_tw.app.exchange import Exchange
from bumper_tw.app.lifecycle import Doors
from bumper_tw.app.observing import Observation
from bumper_tw.app.settings import Settings
from bumper_tw.pki.vault import Vault
from bumper_tw.storage.database import Books
from bumper_tw.web.routes import Route

if TYPE_CHECKING:
    from bumper_tw.app.metrics_side import Facts
    from bumper_tw.integrations.metrics_traffic import Website


@frozen
class Extra:
    """
    What a part adds to the server; a part that is not wanted adds nothing.

    @ivar routes: for the site.
    @ivar control: for the control socket.
    @ivar services: what runs for it.
    @ivar follows: see L{Root<bumper_tw.app.root.Root>}.
    """

    routes: tuple[Route, ...] = ()
    control: tuple[Route, ...] = ()
    services: tuple[IService, ...] = ()
    follows: Mapping[str, Callable[[Settings], object]] = MappingProxyType({})


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


def dns_answers(reactor: Any, settings: Settings) -> Iterator[IService]:
    """What answers DNS questions, if it shall: most houses have a server for that."""
    if settings.dns.serve:
        from bumper_tw.app.dns_side import dns_services

        yield from dns_services(reactor, settings)


def demo_robots(reactor: Any, doors: Doors) -> Iterator[IService]:
    """Simulated robots, for a start with C{--demo}."""
    from bumper_tw.app.demo import Demo

    yield Demo(reactor, doors)
