"""Tests for L{bumper_tw.app.website}."""

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.config import WebSettings
from bumper_tw.app.website import limits
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
