"""Tests for L{bumper_tw.app.dashboard_setup}: what the page of the set-up tells of this box."""

from typing import Any

from attrs import define, evolve
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.addresses import InterfaceAddress
from bumper_tw.app.dashboard_setup import ThisBox, shares_network
from bumper_tw.app.dns_snippets import SNIPPETS
from bumper_tw.app.settings import LISTEN, Settings

OWN = (
    InterfaceAddress("lo", "127.0.0.1"),
    InterfaceAddress("docker0", "172.17.0.1"),
    InterfaceAddress("eth0", "192.168.7.2"),
    InterfaceAddress("eth0", "fe80::1"),
    InterfaceAddress("eth0", "fd00::2"),
)


@define
class Bound:
    """A listener, as far as it is looked at."""

    tcp_port: int
    port: Any = True
    why: str = ""


class ThisBoxTests(SynchronousTestCase):
    """A box with one network, and containers."""

    def setUp(self) -> None:
        self.own: tuple[InterfaceAddress, ...] = OWN
        self.box = self.made(Settings())

    def made(self, settings: Settings) -> ThisBox:
        """A box with these settings."""
        doors: Any = [(each, Bound(port)) for each, port in zip(LISTEN, PORTS, strict=True)]
        return ThisBox(
            Clock(),
            settings,
            lambda: doors,
            lambda: 80,
            lambda: self.own,
            lambda: "192.168.7.2",
            lambda: ("box", "box.local"),
        )

    def test_addresses(self) -> None:
        """Those that others reach: no loopback, none of containers, no link-local ones."""
        self.assertEqual(self.box.addresses(), ["192.168.7.2", "fd00::2"])
        self.assertEqual(self.box.names(), ["box", "box.local"])

    def test_named(self) -> None:
        """What the owner calls it comes first, once."""
        settings = Settings()
        named = evolve(settings, server=evolve(settings.server, name=("robots.lan", "box")))
        self.assertEqual(self.made(named).names(), ["robots.lan", "box", "box.local"])

    def test_announced(self) -> None:
        """What robots are told, wherever the page was asked for."""
        for local in ("192.168.7.2", "127.0.0.1", "172.17.0.1", ""):
            self.assertEqual(self.box.announced(local), "192.168.7.2")
            self.assertEqual(self.box.trust_page(local), "http://192.168.7.2/ca")

    def test_nowhere(self) -> None:
        """A box without a network has nothing to tell."""
        self.own = OWN[:1]
        box = self.made(Settings())
        box = evolve(box, source=lambda: None)
        self.assertEqual((box.addresses(), box.announced("127.0.0.1")), ([], ""))
        self.assertEqual(box.snippets("127.0.0.1"), [])

    def test_snippets(self) -> None:
        """For each program there is one, with the address of this box."""
        found = self.box.snippets("192.168.7.2")
        self.assertEqual({each.system for each in found}, set(SNIPPETS))
        for each in found:
            self.assertIn("192.168.7.2", each.text)
            self.assertIn("ecouser.net", each.text)

    def test_home_assistant(self) -> None:
        """The fields that the doctor tells, each with what belongs there."""
        found = dict(self.box.home_assistant("192.168.7.2"))
        self.assertEqual(found["REST URL"], "http://192.168.7.2:8007")
        self.assertEqual(found["MQTT URL"], "mqtts://192.168.7.2:8883")
        self.assertEqual(found["mode"], "self-hosted")

    def test_no_door(self) -> None:
        """Before anything listens, there is nothing to type."""
        box = evolve(self.box, doors=lambda: ())
        self.assertEqual(box.home_assistant("192.168.7.2"), [])

    def test_ours(self) -> None:
        """This box and its containers are not somebody else."""
        for host in ("192.168.7.2", "::ffff:192.168.7.2", "172.17.0.5", "fd00::2", "fe80::1"):
            self.assertTrue(self.box.is_ours(host), host)
        for host in ("192.168.7.33", "fd00::3", "", "x"):
            self.assertFalse(self.box.is_ours(host), host)

    def test_network(self) -> None:
        """What is no address shares nothing."""
        for one, other in (("x", "172.17.0.1"), ("172.17.0.5", "x"), ("fd00::1", "172.17.0.1")):
            self.assertFalse(shares_network(one, other))


PORTS = (443, 80, 8007, 8883, 1883, 5223)
