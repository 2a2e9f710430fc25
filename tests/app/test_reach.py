"""Tests for L{bumper_tw.app.reach}: who is told at the start that robots will not get here."""

from attrs import evolve
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.reach import Reach, cautions
from bumper_tw.app.settings import LISTEN, Listen, Settings

MQTT = Listen("mqtt", "tcp:8883", tls=True)
XMPP = Listen("xmpp", "tcp:5223")

#: Ways to say that only this box gets there.
INWARD = (
    "tcp:5223:interface=127.0.0.1",
    "tcp:interface=127.0.0.2:port=5223",
    "tcp:5223:127.0.0.1",
    "tcp6:5223:interface=\\:\\:1",
    "tcp6:5223:interface=\\:\\:ffff\\:127.0.0.1",
    "tcp:5223:interface=localhost",
)

#: Ways to say that others do, or that it is not for us to tell.
OPEN = (
    "tcp:5223",
    "tcp:5223:interface=0.0.0.0",
    "tcp6:5223:interface=\\:\\:",
    "tcp:5223:interface=192.168.1.10",
    "tcp:5223:192.168.1.10:50",
    "unix:/run/xmpp.socket",
    "systemd:domain=INET:index=0",
)


def told(*listen: Listen, announce: str = "") -> list[str]:
    """The lines that such settings cause."""
    base = Settings()
    server = evolve(base.server, announce=announce)
    return list(cautions(evolve(base, listen=listen, server=server)))


class CautionTests(SynchronousTestCase):
    """Lines about listeners."""

    def test_defaults(self) -> None:
        """Without settings everybody gets here."""
        self.assertEqual(told(*LISTEN), [])

    def test_no_xmpp(self) -> None:
        """Tables from before there was XMPP leave it out; the line says what to add."""
        [line] = told(*(each for each in LISTEN if each.serve != "xmpp"))
        self.assertIn("nothing listens for XMPP", line)
        self.assertIn('serve = "xmpp" and at = "tcp:5223"', line)

    def test_no_mqtt(self) -> None:
        """The same for MQTT, where a listener without TLS is of no use to robots."""
        for listen in ((XMPP,), (XMPP, Listen("mqtt", "tcp:1883"))):
            [line] = told(*listen)
            self.assertIn("nothing listens for MQTT with TLS", line)
            self.assertIn('at = "tcp:8883" and tls = true', line)

    def test_inward(self) -> None:
        """A listener that only this box reaches is of no use to robots elsewhere."""
        for at in INWARD:
            [xmpp] = told(MQTT, Listen("xmpp", at), announce="192.168.1.10")
            self.assertIn("XMPP is bound to ", xmpp, at)
            self.assertIn("robots connect to 192.168.1.10; leave interface= out", xmpp)
            self.assertIn('serve = "xmpp"', xmpp)
            [mqtt] = told(Listen("mqtt", at, tls=True), XMPP)
            self.assertIn("connect to the address of this box in the network; leave", mqtt)
            self.assertIn('serve = "mqtt"', mqtt)
            self.assertNotIn("\n", xmpp + mqtt)

    def test_open(self) -> None:
        """What others reach needs no word, nor does what something else decides about."""
        for at in OPEN:
            self.assertEqual(told(MQTT, Listen("xmpp", at)), [], at)

    def test_one_of_them(self) -> None:
        """One listener that others reach is enough."""
        inward = Listen("xmpp", INWARD[0])
        self.assertEqual(told(MQTT, inward, XMPP), [])

    def test_inward_on_purpose(self) -> None:
        """Who tells robots to come to this very box has simulated ones, as in the demo."""
        listen = (Listen("mqtt", INWARD[0], tls=True), Listen("xmpp", INWARD[0]))
        for announce in ("127.0.0.1", "::1"):
            self.assertEqual(told(*listen, announce=announce), [])


class ReachTests(SynchronousTestCase):
    """L{Reach}."""

    def test_start(self) -> None:
        """Each line is one warning in the log, at the start."""
        reach = Reach(evolve(Settings(), listen=(Listen("web", "tcp:8007"),)))
        with capturedLogs() as events:
            reach.startService()
            self.addCleanup(reach.stopService)
        self.assertEqual([event["log_level"] for event in events], [LogLevel.warn] * 2)
        lines = [formatEvent(event).partition(",")[0] for event in events]
        self.assertEqual(lines, ["nothing listens for MQTT with TLS", "nothing listens for XMPP"])
