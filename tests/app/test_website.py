"""Tests for L{bumper_tw.app.website}."""

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.settings import LISTEN, Listen, WebSettings
from bumper_tw.app.website import VENDOR_XMPP, front_page, limits, xmpp_port
from bumper_tw.web.call import Answer
from bumper_tw.web.request import Limits
from bumper_tw.web.routes import GET, Route


class LimitTests(SynchronousTestCase):
    """What a client of the web may cost."""

    def test_settings(self) -> None:
        """The owner chooses every limit; the defaults are those of the site."""
        chosen = WebSettings(
            max_body=1, idle_seconds=2, request_seconds=3, connections=4, connections_per_peer=5
        )
        self.assertEqual(limits(chosen), Limits(1, 2, 3, 4, 5))
        self.assertEqual(limits(WebSettings()), Limits())


class FrontPageTests(SynchronousTestCase):
    """Which page says that there is none."""

    def test_front(self) -> None:
        """The first of the owner's pages: no picture of theirs, and nothing of the vendor's."""

        def route(path: str, ours: bool) -> Route:
            here = (lambda _: True) if ours else None
            return Route(path, GET, lambda _: Answer(b""), lambda *_: Answer(b""), here=here)

        vendors, asset, front = route("/", False), route("/page/<name>", True), route("/", True)
        self.assertEqual(front_page([vendors, asset, front]), front)
        self.assertIsNone(front_page([vendors, asset]))


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
