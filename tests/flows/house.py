"""The whole server in memory: the real assembly on a clock, without ports, files and threads."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from attrs import define, field
from twisted.internet.defer import succeed
from twisted.internet.task import Clock

from bumper_tw.app.assembly import GATED, Facts, broker, gather, stanzas
from bumper_tw.app.brokerage import Brokerage
from bumper_tw.app.config import layers
from bumper_tw.app.extras import Served, figures, pages
from bumper_tw.app.observing import Observation
from bumper_tw.app.present import Present
from bumper_tw.app.settings import Settings
from bumper_tw.app.website import website
from bumper_tw.front.gate import Gate
from bumper_tw.mqtt.factory import MqttFactory
from bumper_tw.pki import pem
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.records import RecordStore
from bumper_tw.web.site import WebSite
from bumper_tw.xmpp.factory import XmppFactory
from tests.pki.samples import new_authority
from tests.robots import JsonRobot, MqttPeer
from tests.samples import DUSTY
from tests.web.browser import Browser, Connection, request

NOW = 1_795_000_000.0


@cache
def authority_text() -> bytes:
    """An authority, as it is handed out."""
    return pem.text(new_authority().certificate)


class ClearText:
    """A key that encrypts nothing."""

    def public(self) -> str:
        """What apps would encrypt with."""
        return "a public key"

    def decrypt(self, text: str) -> str | None:
        """What somebody encrypted."""
        return text


class MemoryVault:
    """Keys that need no disk and no time."""

    def config_key(self) -> ClearText:
        """What apps encrypt passwords with."""
        return ClearText()

    def signing_secret(self) -> bytes:
        """What tokens are signed with."""
        return b"s" * 32

    def ca_bundle(self) -> bytes:
        """What robots fetch."""
        return b"an archive"

    def ca_pem(self) -> bytes:
        """What phones are to trust."""
        return authority_text()

    def expires(self) -> datetime:
        """When the certificate ceases to hold."""
        return datetime.fromtimestamp(NOW + 86_400 * 800, UTC)

    def singles_expire(self) -> datetime | None:
        """There is none for a single name."""
        return None


class NoThreads:
    """A thread pool that does everything at once."""

    def callInThreadWithCallback(
        self, heard: Callable[[bool, Any], None], work: Callable[..., Any], *arguments: Any
    ) -> None:
        """Do something, and tell how it went."""
        heard(True, work(*arguments))


class HouseClock(Clock):
    """A clock that also is the reactor, as far as the server needs one."""

    def getThreadPool(self) -> NoThreads:
        """Threads are for hashes."""
        return NoThreads()

    def callFromThread(self, call: Callable[..., object], *arguments: Any) -> None:
        """Nobody is in another thread."""
        call(*arguments)


@define(eq=False)
class House:
    """A server, and whoever talks to it."""

    settings: Settings = field(factory=Settings)
    clock: HouseClock = field(factory=HouseClock)
    database: InlineDatabase = field(factory=InlineDatabase)
    facts: Facts = field(init=False)
    brokerage: Brokerage = field(init=False)
    mqtt: MqttFactory = field(init=False)
    xmpp: XmppFactory = field(init=False)
    site: WebSite = field(init=False)
    seen: Observation = field(init=False)
    peers: list[MqttPeer] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.clock.advance(NOW)
        vault: Any = MemoryVault()
        database: Any = self.database
        self.facts = gather(self.clock, self.settings, vault, database)
        self.brokerage = broker(self.clock, self.settings, self.facts, database)
        self.mqtt = self.brokerage.factory
        xmpp = stanzas(self.clock, self.settings, self.facts, self.brokerage)
        self.xmpp = xmpp.factory
        self.seen = Observation(
            self.clock, self.settings, self.facts, vault, RecordStore(database)
        )
        measured = figures(
            self.seen, self.facts, self.brokerage, xmpp, database, vault, lambda: self.site
        )
        self.seen.control += measured.control
        present = Present(self.settings)
        served = Served(
            database,
            lambda: layers(None, {}, {}),
            lambda: succeed(None),
            present.takes,
            {name: Gate() for name in GATED},
            (lambda: self.site, self.mqtt, self.xmpp),
        )
        shown = pages(self.seen, self.facts, served)
        shown.load(RecordStore(database))
        for service in shown.services:
            service.startService()
        routes = [*self.seen.routes(), *measured.routes, *shown.routes]
        self.site = website(self.clock, self.settings, vault, self.facts, routes)
        present.follow(self.facts, self.site.unknown)

    def robot(self, **script: Any) -> JsonRobot:
        """Dusty, switched on; C{script} says what it answers."""
        robot = JsonRobot(self.mqtt, device=DUSTY, script=script)
        self.peers.append(robot)
        robot.boot()
        return robot

    def settle(self) -> None:
        """Let everybody read what there is, until nobody has anything more to say."""
        while any(peer.wire.value() for peer in self.peers):
            for peer in self.peers:
                peer.read()

    def home_assistant(self, *filters: str) -> MqttPeer:
        """An API client that listens."""
        peer = MqttPeer(self.mqtt)
        self.peers.append(peer)
        peer.connect("fuid_alice@ecouser/0d4c77aa", "fuid_alice", b"a token")
        peer.subscribe(*filters)
        return peer

    def browser(self) -> Browser:
        """Something that speaks HTTP."""
        return Browser(self.site)

    def ask(self, name: str, data: object = None) -> "Question":
        """A command by the way of C{devmanager.do}; its answer may still be on its way."""
        payload = {"header": {"pri": "1"}} | ({} if data is None else {"body": {"data": data}})
        body = {
            "cmdName": name,
            "payload": payload,
            "payloadType": "j",
            "td": "q",
            "toId": DUSTY.did,
            "toType": DUSTY.model,
            "toRes": DUSTY.resource,
        }
        return self.post("/api/iot/devmanager.do?td=q", body)

    def post(self, path: str, value: object, *headers: tuple[str, str]) -> "Question":
        """A question by HTTP; robots hear of it, and answer if they will."""
        connection = self.browser().connect()
        connection.send(request("POST", path, json.dumps(value).encode(), headers))
        self.settle()
        return Question(connection)


@define(eq=False)
class Question:
    """An HTTP request that waits for its answer."""

    connection: Connection
    _answers: list[Any] = field(factory=list)

    @property
    def answers(self) -> list[Any]:
        """What has been answered: nothing yet, or one value."""
        self._answers += [page.json for page in self.connection.received()]
        return self._answers

    def hang_up(self) -> None:
        """Nobody wants to know any more."""
        self.connection.hang_up()
