"""Tests for L{bumper_tw.app.website}."""

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.settings import LISTEN, Listen, WebSettings
from bumper_tw.app.website import VENDOR_XMPP, limits, xmpp_port
from bumper_tw.web.request import Limits


class LimitTests(SynchronousTestCase):
    """What a client of the web may cost."""

    def test_settings(self) -> None:
        """The owner chooses every limit; the defaults are those of the site."""
        chosen = WebSettings(
            max_body=1, idle_seconds=2, request_seconds=3, connections=4, connections_per_peer=5
        )
        self.assertEqual(limits(chosen), Limits(1, 2, 3, 4, 5))
        self.assertEqual(limits(WebSettings()), Limits())


class PortTests(SynchronousTestCase):
    """Where robots are sent to."""

    def test_spellings(self) -> None:
        """A port in each way in which endpoints are described."""
        for at, port in (
            ("tcp:15223", 15223),
            ("tcp:port=15223", 15223),
            ("tcp:15223:interface=192.168.7.2", 15223),
            ("tcp:interface=192.168.7.2:port=15223", 15223),
            ("tcp6:15223:interface=\\:\\:", 15223),
            ("tcp6:interface=\\:\\:1:port=15223:backlog=10", 15223),
        ):
            self.assertEqual(xmpp_port([Listen("xmpp", at)]), port, at)

    def test_first(self) -> None:
        """The first one that has a port, however many there are; others speak other things."""
        listen = (
            Listen("web", "tcp:80"),
            Listen("xmpp", "unix:/run/xmpp"),
            Listen("xmpp", "tcp:0"),
            Listen("xmpp", "tcp:15223"),
            Listen("xmpp", "tcp:15224"),
        )
        self.assertEqual(xmpp_port(listen), 15223)

    def test_encrypted(self) -> None:
        """Robots begin in clear text; where that is not heard, they have no choice."""
        encrypted, plain = Listen("xmpp", "tcp:5224", tls=True), Listen("xmpp", "tcp:15223")
        self.assertEqual(xmpp_port([encrypted, plain]), 15223)
        self.assertEqual(xmpp_port([encrypted]), 5224)

    def test_none(self) -> None:
        """Without any it is the vendor's, as it is by default."""
        for listen in ((), LISTEN, [Listen("web", "tcp:80"), Listen("xmpp", "systemd:xmpp")]):
            self.assertEqual(xmpp_port(listen), VENDOR_XMPP)
