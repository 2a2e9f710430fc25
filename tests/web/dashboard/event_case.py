"""Browsers that listen to the stream of what changes, in memory."""

import json
from collections.abc import Callable
from typing import Any

from attrs import define, field, frozen
from twisted.internet.address import IPv4Address
from zope.interface import implementer

from bumper_tw.core.fleet import Fleet
from bumper_tw.errors import LoginRefused
from bumper_tw.interfaces import Undo
from bumper_tw.people_interfaces import IPermits
from bumper_tw.values import OWNER, Device, DeviceId, Principal, Role
from bumper_tw.web.call import Call
from bumper_tw.web.dashboard.events import EventRoutes
from bumper_tw.web.request import Limits
from bumper_tw.web.site import build_site
from tests.samples import DUSTY
from tests.web.browser import LOCAL, Browser, Page, request
from tests.web.dashboard.fleet_world import FleetCase
from tests.web.test_streams import Slow

#: A neighbour's robot, which Bob may not use.
OTHERS = Device(DeviceId("did-others", "yna5xi", "r"))
LATER = 0.2


@frozen
class Heard:
    """One event."""

    kind: str
    id: str
    value: Any


@define
class Source:
    """A browser's end of a stream, as the HTML standard has it (9.2.6)."""

    protocol: Any
    transport: Slow
    text: str = ""
    last_id: str = ""
    retry: int = 0
    beats: int = 0
    events: list[Heard] = field(factory=list)

    def send(self, path: str, **headers: str) -> None:
        """Ask."""
        named = [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.protocol.dataReceived(request("GET", path, headers=named))

    def take(self) -> list[Heard]:
        """Read what is there; the events that are new."""
        self.text += self.transport.take().decode()
        if self.text.startswith("HTTP/"):
            self.text = self.text.partition("\r\n\r\n")[2]
        blocks = self.text.split("\n\n")
        self.text = blocks.pop()
        before = len(self.events)
        for block in blocks:
            self._block(block)
        return self.events[before:]

    def _block(self, block: str) -> None:
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        self.retry = int(fields.get("retry", self.retry))
        self.last_id = fields.get("id", self.last_id)
        self.beats += "" in fields
        if "data" in fields:
            self.events.append(Heard(fields["event"], self.last_id, json.loads(fields["data"])))


class EventCase(FleetCase):
    """A site with a stream, and browsers."""

    def setUp(self) -> None:
        super().setUp()
        self.clock.advance(LATER)
        self.uid, self.is_house, self.out = OWNER, True, False
        self.permits = Some()
        fleet = Fleet(self.registry, self.permits, self.fleet.ownership, self.clock)
        self.looked: list[str] = []
        self.events = EventRoutes(
            self.clock,
            self.feed,
            self.cards,
            fleet,
            self.guard,
            self.house,
            self.looked.append,
        )
        self.site = build_site(self.events.routes(), self.clock, Limits(idle=60.0))
        self.browser = Browser(self.site, self.clock)

    def guard(self, _: Call) -> Principal:
        if self.out:
            raise LoginRefused("log in first")
        role = Role.OWNER if self.uid == OWNER else Role.USER
        return Principal(role, self.uid)

    def house(self, call: Call) -> Principal:
        if not self.is_house:
            raise LoginRefused("this is for the owner")
        return self.guard(call)

    def open(self, after: str = "", host: str = "192.168.7.33", **headers: str) -> Source:
        """A browser that asks for the stream."""
        peer = IPv4Address("TCP", host, 50123)
        protocol = self.site.buildProtocol(peer)
        transport = Slow(LOCAL, peer)
        transport.protocol = protocol
        protocol.makeConnection(transport)
        source = Source(protocol, transport)
        source.send(f"/api/events?after={after}", **headers)
        return source

    def refusal(self, source: Source) -> Page:
        """What came instead of a stream."""
        head, _, body = source.transport.value().partition(b"\r\n\r\n")
        return Page(int(head.split(b" ")[1]), {}, body)


@implementer(IPermits)
class Some:
    """Bob may use Dusty only; the owner everything."""

    bob: frozenset[str] = frozenset({DUSTY.did})

    def may_use(self, uid: str, did: str) -> bool:
        return uid == OWNER or did in self.bob

    def may_keep(self, uid: str, did: str) -> bool:
        return self.may_use(uid, did)

    def listen(self, changed: Callable[[str], None]) -> Undo:
        return lambda: None
