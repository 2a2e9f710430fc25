"""Tests for the robots of the demo."""

from attrs import evolve
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.config import Listen, Settings
from bumper_tw.app.demo import Demo, row, xmpp_robots

MQTT = Listen("mqtt", "tcp:8883:interface=127.0.0.1", tls=True)
XMPP = Listen("xmpp", "tcp:15223:interface=127.0.0.1")


class DemoTests(SynchronousTestCase):
    """One robot of each kind, at the listeners that there are."""

    def settings(self, *listen: Listen) -> Settings:
        """Settings with some listeners."""
        return evolve(Settings(), listen=listen)

    def test_all_kinds(self) -> None:
        """With XMPP there are three, and all of them turn to this machine."""
        reactor = MemoryReactorClock()
        demo = Demo(reactor, self.settings(MQTT, XMPP))
        self.assertEqual(
            [row(robot).split()[1] for robot in demo._robots], ["JSON", "XML", "XMPP"]
        )
        demo.startService()
        self.addCleanup(demo.stopService)
        places = {client[:2] for client in reactor.tcpClients}
        self.assertEqual(places, {("127.0.0.1", 8883), ("127.0.0.1", 15223)})

    def test_without_xmpp(self) -> None:
        """Where XMPP is not served, no robot asks for it."""
        settings = self.settings(MQTT)
        self.assertEqual(list(xmpp_robots(MemoryReactorClock(), settings)), [])
        self.assertEqual(len(Demo(MemoryReactorClock(), settings)._robots), 2)
