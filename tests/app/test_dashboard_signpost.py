"""Tests for L{bumper_tw.app.dashboard_signpost}: the line of the log that leads to the pages."""

from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.dashboard_signpost import Signpost
from bumper_tw.app.lifecycle import Doors, Listener
from bumper_tw.app.settings import Listen


class SignpostTests(SynchronousTestCase):
    """A start."""

    def setUp(self) -> None:
        self.clock = Clock()

    def said(self, *listen: Listen, announced: str = "192.168.7.2", owner: bool = False) -> str:
        """What the log says of the pages."""
        reactor = MemoryReactorClock()
        doors: Doors = [(at, Listener(reactor, at.serve, at.at, Factory())) for at in listen]
        post = Signpost(self.clock, lambda: doors, lambda: announced, lambda: owner)
        with capturedLogs() as events:
            post.startService()
            self.clock.advance(0)
            post.stopService()
        return "\n".join(formatEvent(each) for each in events)

    def test_places(self) -> None:
        """Every address that a browser can open, what needs no certificate first."""
        listen = Listen("all", "tcp:443", tls=True), Listen("web", "tcp:8007:interface=127.0.0.1")
        self.assertEqual(
            self.said(*listen, Listen("mqtt", "tcp:1883"), owner=True),
            "the owner's pages are at http://127.0.0.1:8007/ and https://192.168.7.2/",
        )

    def test_new(self) -> None:
        """As long as nobody owns the box, it says how to; without any address, this one is."""
        said = self.said(Listen("web", "tcp:80"), announced="")
        self.assertIn("are at http://127.0.0.1/; the first visit", said)
        self.assertIn("bumper owner code", said)

    def test_nowhere(self) -> None:
        """Where nothing is shown, nothing is said; and who stops early, does so in silence."""
        self.assertEqual(self.said(Listen("mqtt", "tcp:1883")), "")
        post = Signpost(self.clock, lambda: (), lambda: "", lambda: False)
        post.startService()
        post.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])
