"""The vendor's names that are asked for."""

from string import Formatter

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.addresses import is_host_name
from bumper_tw.dialect.hosts import PATTERNS, PLACES, known_hosts
from bumper_tw.pki.zones import ZONES

#: One of each kind that broke something for somebody.
NOTABLE = {
    "ca.robotww.ecouser.net",
    "ecovacs.com",
    "gl-cn-api.ecovacs.cn",
    "gl-de-api.ecovacs.com",
    "jmq-ngiot-au.area.ww.ecouser.net",
    "jmq-ngiot-eu.dc.robotww.ecouser.net",
    "jmq-ngiot-na.dc.robotww.ecouser.net",
    "lbo.ecouser.net",
    "lbo.ecovacs.net",
    "mq-ww.ecouser.net",
    "msg-eu.ecouser.net",
    "portal-eu.ecouser.net",
    "portal-ww.ecouser.net",
    "users-base.dc-eu.ww.ecouser.net",
}


class KnownHostsTests(SynchronousTestCase):
    """What has to lead here."""

    def test_each_is_a_name_in_our_zones(self) -> None:
        """Each name is well formed and lies in a zone that DNS and certificates serve."""
        for host in known_hosts():
            self.assertTrue(is_host_name(host), host)
            inside = any(host == zone or host.endswith(f".{zone}") for zone in ZONES)
            self.assertTrue(inside, host)

    def test_each_once_and_sorted(self) -> None:
        """The order is the same each time, and no name comes twice."""
        self.assertEqual(list(known_hosts()), sorted(set(known_hosts())))

    def test_notable_names(self) -> None:
        """Names of all generations are among them."""
        self.assertEqual(NOTABLE - set(known_hosts()), set())

    def test_most_zones_have_names(self) -> None:
        """C{.cn} and the zone of the first robots are not forgotten."""
        zones = {".".join(host.split(".")[-2:]) for host in known_hosts()}
        self.assertEqual(zones, {"ecouser.net", "ecovacs.com", "ecovacs.net", "ecovacs.cn"})

    def test_every_place_is_used(self) -> None:
        """No pattern names a place that is not listed, and no list is left over."""
        used = {kind for p in PATTERNS for _, kind, _, _ in Formatter().parse(p) if kind}
        self.assertEqual(used, set(PLACES))
