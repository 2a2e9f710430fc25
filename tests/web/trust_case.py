"""What tests of the page at C{/ca} share: a site with nothing else, and an outline of a page."""

from collections.abc import Iterable
from html.parser import HTMLParser

from attrs import define
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import directlyProvides

from bumper_tw.front.contact import contact_of
from bumper_tw.pki import pem
from bumper_tw.web.site import build_site
from bumper_tw.web.trust import Places, TrustRoutes
from tests.pki.samples import new_authority
from tests.web.browser import Browser, Connection, Page, request

#: Elements that have no end tag.
VOID = {"meta", "link", "br", "img"}


class Outline(HTMLParser):
    """What a page consists of; fails when its tags do not match."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._open: list[str] = []
        self.feed(body.decode())
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            last = self._open.pop()
            assert last == tag, (last, tag)

    def all(self, *kinds: str) -> list[dict[str, str]]:
        """The attributes of all elements of these kinds, or of every one."""
        return [attributes for tag, attributes in self.tags if not kinds or tag in kinds]

    def opened(self) -> set[str]:
        """The sections that are not folded."""
        return {each["id"] for each in self.all("details") if "open" in each}


@define
class Keys:
    """An authority that can be exchanged."""

    text: bytes

    def ca_pem(self) -> bytes:
        return self.text


class TrustCase(SynchronousTestCase):
    """A site with nothing but the page."""

    def setUp(self) -> None:
        self.ca = new_authority().certificate
        self.keys = Keys(pem.text(self.ca))
        self.https: int | None = 443
        self.http: int | None = None
        self.announced: str | None = "192.168.7.2"
        places = Places(lambda: self.https, lambda: self.http, lambda _: self.announced)
        self.clock = Clock()
        self.routes = TrustRoutes(self.keys, places, self.clock.seconds)
        self.site = build_site(self.routes.routes(), self.clock)
        self.browser = Browser(self.site)

    def over_tls(
        self, path: str, host: str = "box.lan", headers: Iterable[tuple[str, str]] = ()
    ) -> Page:
        """The answer to a GET that comes encrypted; C{contact} is told what is to be told."""
        connection: Connection = self.browser.connect()
        directlyProvides(connection.transport, ISSLTransport)
        connection.send(request("GET", path, headers=headers, host=host))
        [page] = connection.received()
        self.contact = contact_of(connection.protocol)
        connection.hang_up()
        return page

    def outline(self, path: str = "/ca", **options: object) -> Outline:
        """What the page consists of."""
        page = self.browser.get(path, **options)
        self.assertEqual(page.status, 200)
        return Outline(page.body)
