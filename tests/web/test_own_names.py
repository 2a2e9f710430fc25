"""Tests for L{bumper_tw.web.own_names}: by which names this box is called as itself."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect.hosts import known_hosts
from bumper_tw.web.call import json_answer
from bumper_tw.web.own_names import OwnNames
from bumper_tw.web.routes import Route
from bumper_tw.web.site import build_site
from tests.web.browser import Browser
from tests.web.world import plain

NAMES = OwnNames("Attic.example.org", ["Robots.example.net.", "*.vacuum.example.net"])


class OwnNamesTests(SynchronousTestCase):
    """A box called C{attic}."""

    def test_own(self) -> None:
        """Addresses, this box on this box, its host name in a network at home, what is set."""
        for host in (
            *("192.168.7.2", "fd00::2", "203.0.113.5", "127.0.0.1", "::1"),
            *("localhost", "LOCALHOST.", "box.localhost"),
            *("attic", "attic.example.org", "ATTIC.local", "attic.lan", "attic.home.arpa"),
            *("attic.internal", "attic.localdomain", "robots.example.net", "x.vacuum.example.net"),
        ):
            self.assertTrue(NAMES.is_own(host), host)

    def test_others(self) -> None:
        """Whatever anybody can have on the internet is not, if it is not set."""
        for host in (
            *("", "evil.example", "attic.evil.example", "other.local", "attic.fritz.box"),
            *("attic.com", "vacuum.example.net", "evilvacuum.example.net", "localhost.evil"),
            *("192.168.7.2.evil.example", "1", "attic.example.org.evil.example"),
        ):
            self.assertFalse(NAMES.is_own(host), host)

    def test_believed(self) -> None:
        """Whatever nobody can be called on the internet; also no name at all, but not two."""
        route = Route("/", ("GET",), lambda call: json_answer(NAMES.believed(call)), plain)
        browser = Browser(build_site([route], Clock()))
        for host, good in (
            *((host, True) for host in ("", "bumper", "other.lan", "192.168.7.2", "[fd00::2]:80")),
            *((host, True) for host in ("portal-eu.ecouser.net", "robots.example.net:8007")),
            *((host, False) for host in ("evil.example", "lan.evil", "a.b.evil.example:80")),
            *((host, False) for host in ("evil.lan@evil.example", "<script>")),
        ):
            self.assertEqual(browser.get("/", host=host).json, good, host)

    def test_vendors(self) -> None:
        """The vendor's names are never ours, even where somebody has set them."""
        hosts = (*known_hosts(), "yna5xi.ecorobot.net", "ecorobot.net")
        names = OwnNames("portal.ecouser.net", hosts)
        wild = OwnNames("box", ["*.ecouser.net", "*.net", "*.com", "*.ww.ecouser.net"])
        for host in hosts:
            self.assertFalse(names.is_own(host) or wild.is_own(host), host)

    def test_no_name(self) -> None:
        """A box without a name is called by its addresses."""
        self.assertTrue(OwnNames("").is_own("10.0.0.1"))
        self.assertFalse(OwnNames("").is_own("") or OwnNames("").is_own("local"))

    @given(st.text(max_size=300))
    def test_anything(self, host: str) -> None:
        """Whatever somebody says, it is judged."""
        self.assertIn(NAMES.is_own(host), {True, False})
