"""Tests for the robots of the demo."""

from typing import Any

from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.demo import DATA, Demo, hints, mqtt_robots, row, xmpp_robots
from bumper_tw.app.lifecycle import Doors, Listener
from bumper_tw.app.places import Place, places
from bumper_tw.app.settings import Listen
from bumper_tw.app.tap import Options, read_settings

WEB = Listen("web", "tcp:18007:interface=127.0.0.1")
MQTT = Listen("mqtt", "tcp:8883:interface=127.0.0.1", tls=True)
XMPP = Listen("xmpp", "tcp:15223:interface=127.0.0.1")

#: What the hints said wherever the server listened.
USUAL = {":8007", ":1883", ":8443", ":8883"}


def doors(reactor: object, *listen: Listen) -> Doors:
    """Listeners that nobody has started."""
    return [(at, Listener(reactor, at.serve, at.at, Factory())) for at in listen]


class DemoTests(SynchronousTestCase):
    """One robot of each kind, at the listeners that there are."""

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()

    def demo(self, *listen: Listen) -> Demo:
        """A demo that runs."""
        demo = Demo(self.reactor, doors(self.reactor, *listen))
        demo.startService()
        self.addCleanup(demo.stopService)
        return demo

    def test_all_kinds(self) -> None:
        """With XMPP there are three, and all of them turn to this machine."""
        demo = self.demo(MQTT, XMPP)
        self.assertEqual(
            [row(robot).split()[1] for robot in demo._robots], ["JSON", "XML", "XMPP"]
        )
        dialled = {client[:2] for client in self.reactor.tcpClients}
        self.assertEqual(dialled, {("127.0.0.1", 8883), ("127.0.0.1", 15223)})

    def test_without_xmpp(self) -> None:
        """Where XMPP is not served, no robot asks for it."""
        self.assertEqual(len(self.demo(MQTT)._robots), 2)

    def test_without_robots(self) -> None:
        """Where robots cannot come in, there are none; that is no reason to fail."""
        unfit = (Listen("mqtt", "tcp:1883"), Listen("xmpp", "tcp:5223", tls=True), WEB)
        self.assertEqual(self.demo(*unfit)._robots, [])


class PlaceTests(SynchronousTestCase):
    """Where the server is reached."""

    def test_bound(self) -> None:
        """A port that the kernel chose is known once it is bound."""
        reactor = MemoryReactorClock()
        chosen = doors(reactor, Listen("xmpp", "tcp:0"))
        self.assertEqual(list(places(chosen)), [])
        for _, listener in chosen:
            listener.startService()
            bound: Any = listener.port
            bound.getHost().port = 40_000
        expected = Place(Listen("xmpp", "tcp:0"), "127.0.0.1", 40_000)
        self.assertEqual(list(places(chosen)), [expected])

    def test_described(self) -> None:
        """Endpoints in each spelling; what has no port cannot be dialled."""
        for at, host, port in (
            ("tcp:port=81:interface=0.0.0.0", "127.0.0.1", 81),
            ("tcp:interface=192.168.1.10:port=82", "192.168.1.10", 82),
            ("tcp6:83:interface=\\:\\:1", "::1", 83),
        ):
            [place] = places(doors(None, Listen("web", at)))
            self.assertEqual((place.host, place.port), (host, port))
        self.assertEqual(list(places(doors(None, Listen("web", "unix:/run/web")))), [])


class HintTests(SynchronousTestCase):
    """What the owner may try."""

    def hints(self, *listen: Listen) -> str:
        """What is said for these listeners."""
        reactor = MemoryReactorClock()
        found = list(places(doors(reactor, *listen)))
        return hints([*mqtt_robots(reactor, found), *xmpp_robots(reactor, found)], found)

    def test_defaults(self) -> None:
        """Of the demo as it is."""
        options = Options()
        options.parseOptions(["--demo"])
        said = self.hints(*read_settings(options, {}).listen)
        self.assertIn("curl -s http://127.0.0.1:8007/discover\n", said)
        self.assertIn("REST http://127.0.0.1:8007, MQTT\nmqtt://127.0.0.1:1883, any", said)
        self.assertIn("Open http://127.0.0.1:8007/ in a browser", said)
        self.assertIn("    bumper owner code --data demo/data\n", said)
        self.assertEqual(DATA, Options.DEMO["storage.directory"])
        self.assertIn('"data":{"act":"start","type":"auto"}}\'\n', said)

    def test_other_ports(self) -> None:
        """With ports of the owner's choice, these are the ones that stand there."""
        said = self.hints(WEB, Listen("mqtt", "tcp:18883", tls=True), Listen("mqtt", "tcp:11883"))
        self.assertIn("http://127.0.0.1:18007/api/login", said)
        self.assertIn("mqtt://127.0.0.1:11883,", said)
        self.assertEqual([port for port in USUAL if port in said], [])

    def test_only_tls(self) -> None:
        """Where all is encrypted, URLs say so, and curl does not look at the certificate."""
        said = self.hints(Listen("web", "tcp6:9443:interface=\\:\\:1", tls=True), MQTT)
        self.assertIn("curl -sk https://[::1]:9443/discover\n", said)
        self.assertIn("mqtts://127.0.0.1:8883,", said)

    def test_nothing_to_try(self) -> None:
        """Without a place for commands the robots are listed, and that is all."""
        said = self.hints(MQTT, XMPP)
        self.assertEqual((said.count("curl"), said.count("XMPP")), (0, 1))
        self.assertNotIn("curl", self.hints(WEB))
        self.assertTrue(said.endswith("\nCtrl-C ends the demo.\n"))
