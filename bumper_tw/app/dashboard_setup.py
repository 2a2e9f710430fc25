"""The set-up of the house: what the page tells of this box, and who watches the connections."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any

from attrs import define, field

from bumper_tw import __version__
from bumper_tw.app.addresses import (
    Announcer,
    InterfaceAddress,
    Lately,
    announceable,
    default_source,
    host_names,
    own_addresses,
    plain,
)
from bumper_tw.app.dns_snippets import SNIPPETS
from bumper_tw.app.dns_told import Told
from bumper_tw.app.doctor.evidence import Evidence
from bumper_tw.app.doctor.gathering import listeners
from bumper_tw.app.doctor.robots import home_assistant
from bumper_tw.app.doctor.snapshot import Snapshot
from bumper_tw.app.lifecycle import Doors
from bumper_tw.app.settings import Settings
from bumper_tw.front.kinds import page
from bumper_tw.web.dashboard.setup import Snippet

Own = Callable[[], Sequence[InterfaceAddress]]
Source = Callable[[], str | None]

#: Between the name of a field and what belongs there, in what the doctor prints.
COLUMNS = re.compile(r" {2,}|\t")

#: How large the network of a bridge is taken to be.
BRIDGED = {4: 16, 6: 64}


def wall(at: float) -> datetime:
    """The time on the wall here."""
    return datetime.fromtimestamp(at).astimezone()


@define
class ThisBox:
    """
    See L{Box<bumper_tw.web.dashboard.setup.Box>}.

    @ivar doors: where connections are accepted, once that is known.
    @ivar http_port: where HTTP is spoken in clear text; C{None} if that is nowhere.
    @ivar own: the addresses of this box, see L{own_addresses}.
    @ivar source: where its default route leaves, see L{default_source}.
    """

    clock: Any
    settings: Settings
    doors: Callable[[], Doors]
    http_port: Callable[[], int | None]
    own: Own = own_addresses
    source: Source = default_source
    host_names: Callable[[], Sequence[str]] = host_names
    _lately: Lately = field(init=False)
    _announcer: Announcer = field(init=False)
    _told: Told = field(init=False)

    def __attrs_post_init__(self) -> None:
        server = self.settings.server
        self._lately = Lately(self.own, self.source, self.clock)
        self._announcer = Announcer(server.announce, self.own, self.source, self.clock)
        self._told = Told(self.settings, self.own, self.source, self.clock)

    def addresses(self) -> Sequence[str]:
        reading = self._lately.read()
        mine = dict.fromkeys((reading.best or "", *(each.address for each in reading.own)))
        return [each for each in mine if announceable(each) and each not in reading.bridged]

    def names(self) -> Sequence[str]:
        return list(dict.fromkeys((*self.settings.server.name, *self.host_names())))

    def announced(self, local: str) -> str:
        return self._announcer.for_connection(local) or ""

    def trust_page(self, local: str) -> str:
        return page(self.announced(local) or local, self.http_port() or 0)

    def answers_dns(self) -> bool:
        return self.settings.dns.serve

    def snippets(self, local: str) -> Sequence[Snippet]:
        addresses = [each for each in self._told(local) if announceable(each)]
        if not addresses:
            return []
        return [
            Snippet(system, each.title, "\n".join(each.lines(addresses)))
            for system, each in sorted(SNIPPETS.items())
        ]

    def home_assistant(self, local: str) -> Sequence[tuple[str, str]]:
        announced = self.announced(local)
        snapshot = Snapshot(
            __version__, 0.0, announce=announced, listeners=listeners(self.doors())
        )
        found = Evidence(self.settings, self.clock.seconds(), snapshot=snapshot)
        columns = (COLUMNS.split(line, 1) for line in home_assistant(found).lines)
        return [(parts[0], parts[-1]) for parts in columns]

    def is_ours(self, host: str) -> bool:
        """Whether an address is one of this box, or of a container in it."""
        reading = self._lately.read()
        here = plain(host)
        if any(here == each.address for each in reading.own):
            return True
        return any(shares_network(here, bridge) for bridge in reading.bridged)


def shares_network(host: str, bridge: str) -> bool:
    """Whether an address is on the same bridge, as far as one can tell without its mask."""
    try:
        address, other = ip_address(host), ip_address(bridge)
    except ValueError:
        return False
    if address.version != other.version or other.is_link_local:
        return False
    return address in ip_network((other, BRIDGED[other.version]), strict=False)
