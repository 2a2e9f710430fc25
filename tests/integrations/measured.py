"""A house whose figures are told, and a reader of them."""

import re
from datetime import UTC, datetime
from typing import Any

from attrs import define, field, frozen
from prometheus_client.parser import text_string_to_metric_families

from bumper_tw.app.exchange import Exchange
from bumper_tw.app.metrics_side import MetricsSide, Sources
from bumper_tw.app.settings import Settings
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.web.guard import Guard
from bumper_tw.web.site import WebSite, build_site
from tests.flows.house import NOW, House, MemoryVault
from tests.web.browser import Browser, Page

#: The line of one series.
SERIES = re.compile(r"^[a-z_]+(?:\{.*\})? \S+$", re.MULTILINE)

#: When certificates end, in seconds since 1970.
SERVER_ENDS, SINGLE_ENDS = NOW + 86_400 * 800, NOW + 86_400 * 30


class Keys(MemoryVault):
    """Keys of which one is for a single name."""

    def singles_expire(self) -> datetime | None:
        """When that ends."""
        return datetime.fromtimestamp(SINGLE_ENDS, UTC)


@frozen
class Told:
    """What somebody was told who asked for figures."""

    text: str

    def value(self, name: str, **labels: str) -> float:
        """
        One series, by the name that it has in the text.

        @raise KeyError: there is none.
        """
        return self.values()[name, frozenset(labels.items())]

    def values(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """All series."""
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(self.text)
            for sample in family.samples
        }

    def labels(self) -> dict[str, set[str]]:
        """The names of the labels of each name."""
        found: dict[str, set[str]] = {}
        for name, labels in self.values():
            found.setdefault(name, set()).update(label for label, _ in labels)
        return found


@define(eq=False)
class Measured:
    """The house, with a site that has nothing but the figures."""

    settings: Settings = field(factory=Settings)
    database: InlineDatabase = field(factory=InlineDatabase)
    house: House = field(init=False)
    side: MetricsSide = field(init=False)
    site: WebSite = field(init=False)

    def __attrs_post_init__(self) -> None:
        house = self.house = House(self.settings, database=self.database)
        router: Any = house.xmpp.router
        sources = Sources(
            house.facts,
            house.brokerage,
            Exchange(house.xmpp, router),
            house.database,
            Keys(),
        )
        guard = Guard(house.facts.accounts)
        seconds = house.clock.seconds
        self.side = MetricsSide(
            house.clock, self.settings, sources, guard, lambda: house.site, seconds
        )
        self.site = build_site(self.side.routes(), house.clock)

    def told(self) -> Told:
        """The figures as they are now."""
        return Told(self.side.metrics.text().decode())

    def ask(self, token: str = "", **more: str) -> Page:
        """Ask as Prometheus does."""
        headers = [("Authorization", f"Bearer {token}")] if token else []
        return Browser(self.site).get("/metrics", headers=[*headers, *more.items()])
