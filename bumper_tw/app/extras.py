"""What not every start needs, and only those load that do."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from twisted.application.service import IService

from bumper_tw.app.brokerage import Brokerage
from bumper_tw.app.exchange import Exchange
from bumper_tw.app.lifecycle import Doors
from bumper_tw.app.observing import Observation
from bumper_tw.app.settings import Settings
from bumper_tw.pki.vault import Vault
from bumper_tw.storage.database import Books

if TYPE_CHECKING:
    from bumper_tw.app.metrics_side import Facts, MetricsSide


def figures(
    seen: Observation,
    facts: "Facts",
    mqtt: Brokerage,
    xmpp: Exchange,
    database: Books,
    vault: Vault,
) -> "Iterator[MetricsSide]":
    """
    The figures; what makes them is loaded only if the owner wants any.

    @raise StartError: the token for them cannot be used.
    """
    if seen.settings.metrics.serve:
        from bumper_tw.app.metrics_side import MetricsSide, Sources

        sources = Sources(facts, mqtt, xmpp, database, vault)
        side = MetricsSide(seen.reactor, seen.settings, sources, seen.guarded)
        seen.control += side.control_routes()
        yield side


def dns_answers(reactor: Any, settings: Settings) -> Iterator[IService]:
    """What answers DNS questions, if it shall: most houses have a server for that."""
    if settings.dns.serve:
        from bumper_tw.app.dns_side import dns_services

        yield from dns_services(reactor, settings)


def demo_robots(reactor: Any, doors: Doors) -> Iterator[IService]:
    """Simulated robots, for a start with C{--demo}."""
    from bumper_tw.app.demo import Demo

    yield Demo(reactor, doors)
