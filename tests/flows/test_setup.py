"""The set-up over the whole server: what really comes makes steps green, and nothing else."""

import json
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.feed import Feed
from bumper_tw.core.setup import ADDRESS, HOME_ASSISTANT, ROBOT, STEPS, SetUp
from bumper_tw.front.contact import Speech
from bumper_tw.front.entrance import Entrance, EntranceLimits, Reception
from bumper_tw.storage.records import RecordStore
from bumper_tw.web.dashboard.setup_signs import Signs
from bumper_tw.wire.mqtt_client import ClientConnection
from bumper_tw.wire.mqtt_packets import Connect
from tests.flows.house import House
from tests.samples import DUSTY
from tests.web.browser import request

BOX = IPv4Address("TCP", "192.168.7.2", 8007)
LIMITS = EntranceLimits(patience=10.0, undecided=50, per_peer=50)
PRIVATE = "/v1/private/uk/EN/HA-home/global_e/3.14.0/google_play/1/user/login"


class SetUpFlow(SynchronousTestCase):
    """A house with an entrance, and a set-up that watches."""

    def setUp(self) -> None:
        self.house = House()
        self.setup, self.signs = self.watching()
        reception = Reception(self.house.clock, self.house.facts.journal, LIMITS)
        inside: Any = {Speech.HTTP: self.house.site, Speech.MQTT: self.house.mqtt.door(False)}
        self.door = Entrance(reception, "all", False, None, inside)

    def watching(self) -> tuple[SetUp, Signs]:
        """A set-up over the disk of the house."""
        house: Any = self.house
        setup = SetUp(house.clock, RecordStore(house.database), Feed("run"))
        chronicle, registry = house.seen.chronicle, house.facts.registry
        signs = Signs(house.clock, setup, chronicle, registry, lambda _: False)
        self.addCleanup(signs.stop)
        return setup, signs

    def done(self, setup: SetUp | None = None) -> list[str]:
        """The steps that were seen to work."""
        known = setup or self.setup
        return [step for step in STEPS if known.progress(step).done]

    def send(self, data: bytes, host: str) -> StringTransportWithDisconnection:
        """Somebody connects, says something, and stays."""
        peer = IPv4Address("TCP", host, 50_123)
        protocol: Any = self.door.buildProtocol(peer)
        transport = StringTransportWithDisconnection(BOX, peer)
        transport.protocol = protocol
        transport.setTcpNoDelay = lambda _: None  # type: ignore[attr-defined]  # a socket has it
        protocol.makeConnection(transport)
        protocol.dataReceived(data)
        self.house.clock.advance(0)
        return transport

    def logs_in(self, client_id: str, host: str, token: str = "a token") -> None:
        """Somebody logs in over MQTT."""
        name = client_id.partition("@")[0]
        login = Connect(client_id=client_id, username=name, password=token.encode(), keep_alive=60)
        self.send(ClientConnection(1 << 20).connect(login), host)

    def test_nothing(self) -> None:
        """A fresh house has seen nothing, and time alone changes nothing."""
        self.house.clock.advance(7200)
        self.assertEqual(self.done(), [])

    def test_own_page(self) -> None:
        """Somebody who sits at the box shows nothing of the network around it."""
        for host in ("127.0.0.1", "192.168.7.2"):
            self.send(request("GET", "/ca", headers=[("User-Agent", "Mozilla/5.0")]), host)
        self.assertEqual(self.done(), [])

    def test_others_page(self) -> None:
        """Somebody elsewhere does."""
        self.send(request("GET", "/ca", headers=[("User-Agent", "Mozilla/5.0")]), "192.168.7.50")
        self.assertEqual(self.done(), [ADDRESS])
        self.assertEqual(self.setup.progress(ADDRESS).by, "a browser")

    def test_robot(self) -> None:
        """A robot that is switched on is seen."""
        self.house.robot()
        self.assertEqual(self.done(), [ROBOT])
        self.assertEqual(self.setup.progress(ROBOT).by, "the robot DEEBOT OZMO 950 Series")

    def test_restart(self) -> None:
        """What was seen is known after a restart."""
        self.house.robot()
        setup, _ = self.watching()
        self.assertEqual(self.done(setup), [])
        self.successResultOf(setup.load(RecordStore(self.house.database)))
        self.assertEqual(self.done(setup), [ROBOT])

    def test_robot_at_the_door(self) -> None:
        """A robot that came through the entrance shows that this box is found, too."""
        self.logs_in(f"{DUSTY.did}@{DUSTY.model}/{DUSTY.resource}", "192.168.7.40")
        self.assertEqual(self.done(), [ADDRESS, ROBOT])

    def test_home_assistant(self) -> None:
        """The library inside Home Assistant logs in as it does."""
        self.logs_in("fuid_alice@ecouser/HA-home", "192.168.7.60")
        self.assertEqual(self.done(), [ADDRESS, HOME_ASSISTANT])
        self.assertEqual(self.setup.progress(HOME_ASSISTANT).by, "Home Assistant")

    def test_home_assistant_here(self) -> None:
        """It may be on this very box; that shows nothing of the network."""
        agent = [("User-Agent", "HomeAssistant/2026.11.0 aiohttp/3.13.0 Python/3.13")]
        self.send(request("GET", f"{PRIVATE}?account=a&password=b", headers=agent), "127.0.0.1")
        self.assertEqual(self.done(), [HOME_ASSISTANT])

    def test_entry(self) -> None:
        """All that is told is what JSON can write."""
        self.house.robot()
        self.logs_in("fuid_alice@ecouser/HA-home", "192.168.7.60")
        entry = self.setup.entry()
        self.assertEqual(json.loads(json.dumps(entry)), entry)
