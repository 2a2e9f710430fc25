"""A box that has an owner, or gets one, and a browser that keeps cookies."""

import json
import re
from collections.abc import Iterable
from html import unescape
from typing import Any
from urllib.parse import urlencode

from attrs import define, field
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from bumper_tw.errors import LoginRefused
from bumper_tw.interfaces import IFeed
from bumper_tw.values import Principal, Role
from bumper_tw.web.api import failure
from bumper_tw.web.call import FORM, Answer, Call, json_answer
from bumper_tw.web.dashboard.access import AccessPages, admission
from bumper_tw.web.dashboard.access_api import AccessRoutes
from bumper_tw.web.dashboard.access_log import AccessLog
from bumper_tw.web.dashboard.frame import page_failure
from bumper_tw.web.doorman import Doorman
from bumper_tw.web.own_names import OwnNames
from bumper_tw.web.plain import plain_failure
from bumper_tw.web.request import Limits
from bumper_tw.web.routes import GET, Route
from bumper_tw.web.site import build_site
from tests.core.owners import WORD, Box
from tests.web.browser import LOCAL, PEER, Connection, Page, request

ACCOUNT = ("Authorization", "Bearer account token")
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PEERS = IPv4Address("TCP", "192.168.7.44", 40000)
STRANGER = IPv4Address("TCP", "203.0.113.9", 40000)


@implementer(IFeed)
class Silence:
    """Nothing ever changes."""

    position = "7.0"

    def put(self, key: str, kind: str, value: Any) -> None:
        """Nobody hears."""

    def drop(self, key: str) -> None:
        """Nobody hears."""


@implementer(ISSLTransport)
class SecureTransport(StringTransportWithDisconnection):
    """TLS, as far as a site needs to know."""

    def setTcpNoDelay(self, enabled: bool) -> None:
        """There is no packet."""

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """There is no packet."""

    def getTcpNoDelay(self) -> bool:
        return True

    def getTcpKeepAlive(self) -> bool:
        return True

    def getPeerCertificate(self) -> object:
        return None

    def loseWriteConnection(self) -> None:
        """TLS has no half."""


@define(eq=False)
class Surfer:
    """
    A browser with cookies.

    @ivar host: what it calls the box.
    """

    site: Any
    host: str = "box.lan:8007"
    peer: IPv4Address = PEER
    secure: bool = False
    cookies: dict[str, str] = field(factory=dict)

    def _connect(self) -> Connection:
        kind = SecureTransport if self.secure else StringTransportWithDisconnection
        transport = kind(LOCAL, self.peer)
        protocol = self.site.buildProtocol(self.peer)
        transport.protocol = protocol
        protocol.makeConnection(transport)
        return Connection(protocol, transport)

    @property
    def origin(self) -> str:
        """Of the pages of the box, as it calls it."""
        return f"{'https' if self.secure else 'http'}://{self.host}"

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Iterable[tuple[str, str]] = ()
    ) -> Page:
        """The answer to one request; what it says about cookies is kept."""
        sent = [("User-Agent", AGENT), *headers]
        if self.cookies:
            pairs = (f"{name}={value}" for name, value in self.cookies.items())
            sent.append(("Cookie", "; ".join(pairs)))
        connection = self._connect()
        connection.send(request(method, path, body, sent, self.host))
        head = connection.transport.value().partition(b"\r\n\r\n")[0].decode()
        [page] = connection.received(method == "HEAD")
        connection.hang_up()
        for said in re.findall(r"^Set-Cookie: (.*)$", head, re.MULTILINE):
            self._keep(said)
        return page

    def _keep(self, said: str) -> None:
        name, _, rest = said.partition("=")
        value = rest.partition(";")[0]
        if value:
            self.cookies[name] = value
        elif name:
            self.cookies.pop(name, None)

    def get(self, path: str, *headers: tuple[str, str]) -> Page:
        """Look at something."""
        return self.ask("GET", path, headers=headers)

    def form(self, path: str, *headers: tuple[str, str], **fields: str) -> Page:
        """Send a form."""
        body = urlencode(fields).encode()
        return self.ask("POST", path, body, [("Content-Type", FORM), *headers])

    def json(self, method: str, path: str, value: Any, *headers: tuple[str, str]) -> Page:
        """Send JSON."""
        kind = ("Content-Type", "application/json")
        return self.ask(method, path, json.dumps(value).encode(), [kind, *headers])

    def fields(self, path: str) -> dict[str, str]:
        """What stands in the form of a page without being seen."""
        text = self.get(path).body.decode()
        found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text)
        return {name: unescape(value) for name, value in found}

    def log_in(self, word: str = WORD, **more: str) -> Page:
        """Open the page for it, and type the password."""
        return self.form("/login", **{**self.fields("/login"), "password": word, **more})


class DoorCase(SynchronousTestCase):
    """A box, still without an owner."""

    everywhere = False
    household = True

    def setUp(self) -> None:
        self.box = Box()
        self.access = self.box.access
        self.doorman = Doorman(
            self.access,
            OwnNames("box", ["robots.example.org", "portal.ecouser.net"]),
            self._account,
            lambda: self.household,
            lambda: self.everywhere,
            lambda uid: f"{uid}@example.org",
        )
        self.log = AccessLog(self.box.clock, self.doorman.who)
        self.changes = 0
        pages = AccessPages(self.access, self.doorman, self.box.random_hex, self._changed)
        api = AccessRoutes(self.access, self.doorman, self.log, self.doorman.house, self._changed)
        self.admit = admission(self.doorman, Silence())
        routes = [*pages.routes(), *api.routes(), *self._samples()]
        self.site = build_site(
            [*self.log.watched(routes), *self._vendors()], self.box.clock, Limits()
        )
        self.surfer = Surfer(self.site)

    def _changed(self) -> None:
        self.changes += 1

    def _account(self, call: Call) -> Principal:
        if call.header("authorization") != ACCOUNT[1]:
            raise LoginRefused("a token is needed")
        return Principal(Role.USER, "anna")

    def _samples(self) -> Iterable[Route]:
        def seen(call: Call) -> Answer:
            knows = self.doorman.knows(call)
            return json_answer(str(self.doorman.owner(call) if knows else self._account(call)))

        def page(call: Call) -> Answer:
            return json_answer(self.admit(call).csrf)

        def house(call: Call) -> Answer:
            return json_answer(str(self.doorman.house(call)))

        def saved(call: Call) -> Answer:
            self.doorman.house(call)
            return Answer(b"all", headers=(("Content-Disposition", "attachment"),))

        yield Route("/", GET, page, page_failure, here=self.doorman.here)
        yield Route("/robots/<did>", GET, page, page_failure, here=self.doorman.here)
        yield Route("/api/robots", GET, seen, failure)
        yield Route("/api/robots/<did>/clean", ("POST",), seen, failure)
        yield Route("/api/house", GET, house, failure)
        yield Route("/api/house", ("PUT",), house, failure)
        yield Route("/api/backup", GET, saved, failure)

    def _vendors(self) -> Iterable[Route]:
        def vendors(_: Call) -> Answer:
            return Answer(b"vendor")

        def plain(_: Call, why: Exception) -> Answer:
            return plain_failure(400, str(why))

        yield Route("/", GET, vendors, plain)

    def claim(self) -> str:
        """
        The box gets an owner, in this browser.

        @return: what its changes have to come with.
        """
        code = self.access.code.current()
        page = self.surfer.json("POST", "/api/owner", {"code": code, "password": WORD})
        self.assertEqual(page.status, 200, page.body)
        csrf: str = page.json["csrf"]
        return csrf

    def token(self, *scopes: str) -> tuple[str, str]:
        """The header of a script."""
        made = self.successResultOf(self.access.tokens.make("hub", scopes))
        return "Authorization", f"Bearer {made.text}"

    def refused(self, page: Page, status: int, word: str = "") -> None:
        """Somebody is not let in, and told why."""
        self.assertEqual(page.status, status, page.body)
        self.assertIn(word, page.json["error"])
