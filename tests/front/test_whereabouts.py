"""Tests for L{bumper_tw.front.whereabouts}: from where robots are connected."""

from bumper_tw.front.whereabouts import Whereabouts
from tests.flows.owners import OLDIE, OwnersCase
from tests.samples import DUSTY
from tests.xmpp_peers import robot as xmpp_robot

HERE, ELSEWHERE = "192.168.7.33", "192.168.7.66"


class WhereaboutsTests(OwnersCase):
    """Robots of both protocols, and people."""

    @property
    def whereabouts(self) -> Whereabouts:
        """What the server knows."""
        return self.house.facts.belongings.whereabouts

    def test_connected(self) -> None:
        """A robot is where its connection is from, and nowhere else."""
        for did in (DUSTY.did, OLDIE):
            self.assertTrue(self.whereabouts.is_at(did, HERE), did)
            self.assertFalse(self.whereabouts.is_at(did, ELSEWHERE), did)
        self.assertFalse(self.whereabouts.is_at("another", HERE))

    def test_gone(self) -> None:
        """When the connection ends it is nowhere."""
        self.dusty.vanish()
        self.oldie.leave()
        for did in (DUSTY.did, OLDIE):
            self.assertFalse(self.whereabouts.is_at(did, HERE), did)

    def test_disguise(self) -> None:
        """An IPv4 address is the same one on a socket for IPv6."""
        self.oldie.leave()
        moved = xmpp_robot(self.house.clock, self.door.buildProtocol, OLDIE)
        moved.host = f"::ffff:{ELSEWHERE}"
        moved.log_in()
        self.assertTrue(self.whereabouts.is_at(OLDIE, ELSEWHERE))

    def test_people(self) -> None:
        """Whoever is no robot does not count, under no name, and neither does a stranger."""
        self.app(self.anna)
        self.house.mqtt.door(False).buildProtocol(None)
        for name in (self.anna.uid, ""):
            self.assertFalse(self.whereabouts.is_at(name, HERE))
            self.assertFalse(self.whereabouts.is_at(name, ""))
