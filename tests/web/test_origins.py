"""Tests for L{bumper_tw.web.origins}: from where a request comes."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.web.browsers import LONGEST, browser_name
from bumper_tw.web.origins import bare, near, normal_origin


class NearTests(SynchronousTestCase):
    """Which addresses are in the house."""

    def test_near(self) -> None:
        """Private ones, this box, the same cable, and shared ones."""
        for peer in (
            *("", "127.0.0.1", "::1", "10.1.2.3", "172.31.255.255", "192.168.7.33"),
            *("fd12::3", "fe80::1%eth0", "169.254.3.4", "100.64.0.9", "::ffff:192.168.7.3"),
        ):
            self.assertTrue(near(peer, "192.168.7.2"), peer)

    def test_far(self) -> None:
        """All others; what is no address is not near."""
        for peer in (
            *("203.0.113.9", "172.32.0.1", "100.128.0.1", "2001:db8::1", "::ffff:203.0.113.9"),
            *("8.8.8.8", "nonsense", "192.168.7", "64:ff9b::c0a8:701"),
        ):
            self.assertFalse(near(peer, "192.168.7.2"), peer)

    def test_same_cable(self) -> None:
        """Public addresses of IPv6 with the same front half; never of IPv4."""
        self.assertTrue(near("2001:db8:1:2::99", "2001:db8:1:2::1"))
        self.assertFalse(near("2001:db8:1:3::99", "2001:db8:1:2::1"))
        self.assertFalse(near("203.0.113.9", "203.0.113.8"))

    def test_bare(self) -> None:
        """Addresses as proxies write them."""
        for said, address in (
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1:80", "192.0.2.1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
        ):
            self.assertEqual(bare(said), address)

    @given(st.text(max_size=80), st.text(max_size=80))
    def test_anything(self, peer: str, local: str) -> None:
        """Whatever somebody says, it is judged."""
        self.assertIn(near(peer, local), {True, False})
        self.assertIsInstance(bare(peer), str)


class OriginTests(SynchronousTestCase):
    """Scheme, host and port."""

    def test_same(self) -> None:
        """Spellings of the same."""
        for said in ("http://box.lan", "http://BOX.lan:80", "HTTP://box.lan."):
            self.assertEqual(normal_origin(said), ("http", "box.lan", "80"))
        self.assertEqual(normal_origin("https://[FD00::1]"), ("https", "fd00::1", "443"))

    def test_none(self) -> None:
        """What is none."""
        for said in ("", "null", "box.lan", "file://", "ftp://box.lan", "http://a@b", "http://"):
            self.assertIsNone(normal_origin(said), said)

    @given(st.text(max_size=200))
    def test_anything(self, said: str) -> None:
        """Whatever somebody says: three texts or nothing."""
        self.assertIn(len(normal_origin(said) or ()), {0, 3})


class BrowserTests(SynchronousTestCase):
    """What browsers are called."""

    def test_known(self) -> None:
        """Name and system."""
        front = "Mozilla/5.0 "
        for said, name in (
            ("(X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            ("(Windows NT 10.0) Chrome/141.0 Safari/537.36 Edg/141.0", "Edge on Windows"),
            ("(Linux; Android 16) Chrome/141.0 Mobile Safari/537.36", "Chrome on Android"),
            ("(iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1", "Safari on iPhone"),
            ("(Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15", "Safari on Mac"),
        ):
            self.assertEqual(browser_name(front + said), name)

    def test_others(self) -> None:
        """Others are called what they say, or that they do not."""
        self.assertEqual(browser_name("lamp/8.0"), "lamp/8.0")
        self.assertIn("does not say", browser_name(""))

    @given(st.text())
    def test_anything(self, said: str) -> None:
        """It is short, and a terminal can bear it."""
        name = browser_name(said)
        self.assertTrue(0 < len(name) <= LONGEST and name.isprintable())
