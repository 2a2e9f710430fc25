"""The profile for small boxes: other defaults, and nothing that the owner cannot change."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.config import describe, load
from bumper_tw.app.profiles import SMALL_DEFAULTS
from bumper_tw.app.settings import Settings

SMALL = {"server.profile": "small"}


def value(settings: Settings, key: str) -> object:
    """What a setting is."""
    section, _, name = key.partition(".")
    return getattr(getattr(settings, section), name)


class TableTests(SynchronousTestCase):
    """The table itself."""

    def setUp(self) -> None:
        self.schema = {setting.key: setting for setting in describe()}

    def test_keys(self) -> None:
        """Every key is that of a setting."""
        self.assertEqual(SMALL_DEFAULTS.keys() - self.schema.keys(), set())

    def test_values(self) -> None:
        """Every value is one that the owner could have given."""
        for key, small in SMALL_DEFAULTS.items():
            self.assertEqual(self.schema[key].take(small), small, key)

    def test_less(self) -> None:
        """Every value is less than the usual one: nothing gets larger on a small box."""
        for key, small in SMALL_DEFAULTS.items():
            usual = self.schema[key].default
            assert isinstance(usual, int)
            self.assertLess(small, usual, key)

    def test_parts(self) -> None:
        """What is a part of something else is no more than that."""
        for part, whole in (
            ("tls.contexts", "tls.leaves"),
            ("front.undecided_per_peer", "front.undecided"),
            ("mqtt.backlog_bytes", "mqtt.session_bytes"),
            ("mqtt.connections_per_peer", "mqtt.connections"),
            ("mqtt.max_packet", "mqtt.backlog_bytes"),
            ("mqtt.strangers", "mqtt.connections"),
            ("mqtt.strangers_per_peer", "mqtt.strangers"),
            ("web.connections_per_peer", "web.connections"),
            ("web.upload_bytes", "web.uploads_robot_bytes"),
            ("web.uploads_robot_bytes", "web.uploads_bytes"),
            ("xmpp.connections_per_peer", "xmpp.connections"),
            ("xmpp.strangers", "xmpp.connections"),
            ("xmpp.strangers_per_peer", "xmpp.strangers"),
        ):
            self.assertLessEqual(SMALL_DEFAULTS[part], SMALL_DEFAULTS[whole], part)
        stanza = self.schema["xmpp.max_stanza"].default
        assert isinstance(stanza, int)
        self.assertGreater(SMALL_DEFAULTS["xmpp.backlog_bytes"], stanza)


class ChosenTests(SynchronousTestCase):
    """Where the table counts."""

    def test_small(self) -> None:
        """All of it, wherever the profile was chosen; and nothing else changes."""
        path = Path(self.mktemp())
        path.write_text('[server]\nprofile = "small"\n')
        for chosen in (
            load(None, {}, SMALL),
            load(None, {"BUMPER_SERVER_PROFILE": "small"}, {}),
            load(path, {}, {}),
        ):
            for setting in describe():
                key = setting.key
                if key in SMALL_DEFAULTS:
                    self.assertEqual(value(chosen, key), SMALL_DEFAULTS[key], key)
                elif "." in key and setting.env and not isinstance(setting.default, Path):
                    usual = "small" if key == "server.profile" else setting.default
                    self.assertEqual(value(chosen, key), usual, key)

    def test_normal(self) -> None:
        """Nothing of it, when another profile is chosen, or taken back further down."""
        usual = load(None, {}, {})
        self.assertEqual(load(None, {}, {"server.profile": "normal"}), usual)
        variables = {"BUMPER_SERVER_PROFILE": "small"}
        self.assertEqual(load(None, variables, {"server.profile": "normal"}), usual)

    def test_said(self) -> None:
        """What the owner says himself wins, in whatever way he says it."""
        path = Path(self.mktemp())
        path.write_text("[front]\njournal = 5000\n[metrics]\nserve = true\n")
        chosen = load(path, {"BUMPER_DNS_CACHE": "2000"}, {**SMALL, "mqtt.queued": "1000"})
        self.assertEqual(chosen.front.journal, 5000)
        self.assertTrue(chosen.metrics.serve)
        self.assertEqual(chosen.dns.cache, 2000)
        self.assertEqual(chosen.mqtt.queued, 1000)
        self.assertEqual(chosen.mqtt.inflight, SMALL_DEFAULTS["mqtt.inflight"])
