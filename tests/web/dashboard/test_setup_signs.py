"""Tests for L{bumper_tw.web.dashboard.setup_signs}: what shows that a step is done."""

from hypothesis import given
from hypothesis import strategies as st

from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.feed import Feed
from bumper_tw.core.setup import ADDRESS, DNS, HOME_ASSISTANT, ROBOT, STEPS, TRUST, SetUp
from bumper_tw.front.contact import Contact, Outcome, Speech
from bumper_tw.storage.memory import MemoryDeviceStore
from bumper_tw.storage.memory_records import MemoryRecordStore
from bumper_tw.values import Device
from bumper_tw.web.dashboard.setup_signs import MOST, TOGETHER, Signs
from tests.front.chronicles import BOX, BROKER, PHONE, ChronicleCase
from tests.front.chronicles import ROBOT as AT_ROBOT
from tests.samples import DUSTY, DUSTY_DEVICE, RecordingLink

CONTAINER = "172.17.0.5"
HOSTILE = "<script>alert(1)</script>\u202e\x00" + "x" * 10_000


class SignsCase(ChronicleCase):
    """A set-up that watches a journal and robots."""

    def setUp(self) -> None:
        super().setUp()
        self.registry = DeviceRegistry(self.clock, MemoryDeviceStore())
        self.feed = Feed("run")
        self.setup = SetUp(self.clock, MemoryRecordStore(), self.feed)
        self.signs = Signs(
            self.clock, self.setup, self.chronicle, self.registry, lambda host: host == CONTAINER
        )
        self.addCleanup(self.signs.stop)

    def done(self) -> set[str]:
        """The steps that were seen to work."""
        return {step for step in STEPS if self.setup.progress(step).done}

    def logs_in(self, client: str, name: str, host: str = PHONE) -> Contact:
        """Somebody who is no robot, over MQTT."""
        contact = self.come(host, 8883, "mqtt")
        contact.secured("TLSv1.3 TLS_AES_256_GCM_SHA384")
        contact.speaks(Speech.MQTT)
        contact.claims_to_be(f"client id {client}, user {name}")
        contact.let_in(f"user {name}")
        return contact

    def arrivals(self) -> list[dict[str, object]]:
        """What the page says of those who come as robots do."""
        self.clock.advance(TOGETHER)
        found: list[dict[str, object]] = self.setup.entry()["arrivals"]
        return found


class SignsTests(SignsCase):
    """One step after the other."""

    def test_nothing(self) -> None:
        """Nothing is done as long as nobody has come."""
        self.assertEqual(self.done(), set())

    def test_from_here(self) -> None:
        """What comes from this box, or from what runs inside it, shows nothing."""
        for host in ("127.0.0.1", "::1", "", BOX, CONTAINER):
            self.asks("Mozilla/5.0", host, "/setup")
            contact = self.secured(host=host)
            contact.proved()
            self.end(contact)
        self.assertEqual(self.done(), set())

    def test_browser(self) -> None:
        """A page that somebody else opens shows that this box is found; who that is, is told."""
        self.asks("Mozilla/5.0 (X11)", PHONE, "/setup")
        self.assertEqual(self.done(), {ADDRESS})
        known = self.setup.progress(ADDRESS)
        self.assertEqual((known.by, known.host), ("a browser", PHONE))

    def test_undecided(self) -> None:
        """Who has not got anywhere yet shows nothing; once he has gone, that he was here."""
        contact = self.come()
        self.assertEqual(self.done(), set())
        self.end(contact)
        self.assertEqual(self.done(), {ADDRESS})

    def test_dns(self) -> None:
        """Who asks for a name of the vendor's has it from a DNS server that leads here."""
        self.end(self.secured("box.lan"))
        self.assertNotIn(DNS, self.done())
        self.end(self.secured("mq-WW.ecouser.net"))
        self.assertIn(DNS, self.done())

    def test_dns_in_clear(self) -> None:
        """A robot of the first generation says by which name it came in its first request."""
        contact = self.come(AT_ROBOT, 8007, "web", False)
        contact.speaks(Speech.HTTP)
        contact.calls_us("lbo.ecovacs.net")
        contact.requested("/lookup.do")
        self.assertEqual(self.done(), {ADDRESS, DNS})

    def test_dns_without_trust(self) -> None:
        """So does who does not like our certificate."""
        self.rejected(BROKER, AT_ROBOT)
        self.assertEqual(self.done(), {ADDRESS, DNS})

    def test_asked_dns(self) -> None:
        """So does a question to our own DNS server, unless it comes from this box."""
        for host in (BOX, "127.0.0.1", CONTAINER):
            self.signs.asked_dns(host, BOX)
        self.assertEqual(self.done(), set())
        self.signs.asked_dns(AT_ROBOT, BOX)
        self.assertEqual(self.done(), {DNS})
        self.assertEqual(self.setup.progress(DNS).host, AT_ROBOT)

    def test_trust(self) -> None:
        """Only the proof shows trust; not that somebody accepts a certificate."""
        contact = self.secured("box.lan")
        contact.speaks(Speech.HTTP)
        contact.requested("/ca")
        self.assertNotIn(TRUST, self.done())
        contact.proved()
        self.assertIn(TRUST, self.done())

    def test_robot(self) -> None:
        """A robot that is connected is the sign of one; that it is known is not."""
        self.registry.attach(DUSTY_DEVICE, RecordingLink())()
        fresh = SetUp(self.clock, MemoryRecordStore(), self.feed)
        other = Signs(self.clock, fresh, self.chronicle, self.registry, lambda _: False)
        self.addCleanup(other.stop)
        self.successResultOf(self.registry.update(Device(DUSTY, nick="Dusty")))
        self.assertFalse(fresh.progress(ROBOT).done)
        self.registry.attach(DUSTY_DEVICE, RecordingLink())
        self.assertEqual(fresh.progress(ROBOT).by, "the robot Dusty")

    def test_home_assistant(self) -> None:
        """Home Assistant is known by the way in which it logs in over MQTT, also from here."""
        self.logs_in("fuid_alice@ecouser/HA-home", "fuid_alice", "127.0.0.1")
        self.assertEqual(self.done(), {HOME_ASSISTANT})
        self.assertEqual(self.setup.progress(HOME_ASSISTANT).by, "Home Assistant")

    def test_library(self) -> None:
        """So is its library elsewhere, by what it is called here."""
        self.logs_in("fuid_alice@ecouser/0d4c77aa", "fuid_alice")
        self.assertIn(HOME_ASSISTANT, self.done())
        self.assertEqual(self.setup.progress(HOME_ASSISTANT).by, "the user fuid_alice")

    def test_asks(self) -> None:
        """What Home Assistant asks over HTTP is a sign; that it shows a page of ours is not."""
        agent = "HomeAssistant/2026.11.0 aiohttp/3.13.0 Python/3.13"
        self.asks(agent, PHONE, "/api/robots")
        self.assertNotIn(HOME_ASSISTANT, self.done())
        self.asks(agent, PHONE, "/v1/private/<country>/<lang>/user/login")
        self.assertIn(HOME_ASSISTANT, self.done())

    def test_no_home_assistant(self) -> None:
        """Apps, browsers, robots and whoever has a client id of his own are something else."""
        self.logs_in("fuid_alice@ecouser/GLBa91f03c2d", "fuid_alice")
        self.logs_in("fuid_alice@ecouser/IOSF53D07BA", "fuid_alice")
        self.logs_in("mosquitto_sub-7", "alice")
        self.asks("Mozilla/5.0", PHONE, "/v1/private/x")
        self.asks("curl/8", PHONE, "/v1/private/x")
        self.robot()
        self.assertNotIn(HOME_ASSISTANT, self.done())

    def test_refused(self) -> None:
        """Who is not let in has not logged in."""
        contact = self.come(PHONE, 8883, "mqtt")
        contact.speaks(Speech.MQTT)
        contact.claims_to_be("client id fuid_alice@ecouser/HA-home, user fuid_alice")
        contact.refused("came with a wrong password")
        self.end(contact)
        self.assertNotIn(HOME_ASSISTANT, self.done())

    def test_stopped(self) -> None:
        """Nothing is learnt when it is over, and nothing waits."""
        self.rejected(BROKER, AT_ROBOT)
        self.signs.stop()
        self.asks("Mozilla/5.0", "192.168.7.99")
        self.registry.attach(DUSTY_DEVICE, RecordingLink())
        self.assertNotIn(ROBOT, self.done())
        self.clock.advance(3600)
        self.assertEqual(self.setup.entry()["arrivals"], [])

    @given(st.text(max_size=300), st.text(max_size=300), st.sampled_from(Outcome))
    def test_anything(self, claim: str, name: str, outcome: Outcome) -> None:
        """Whatever somebody says of himself, nobody who watches breaks."""
        contact = self.shake(name)
        contact.speaks(Speech.MQTT)
        contact.claims_to_be(claim)
        contact.let_in(f"user {name}")
        contact.outcome = outcome
        self.end(contact)
        self.clock.advance(TOGETHER)
        self.assertEqual(self.flushLoggedErrors(), [])


class ArrivalsTests(SignsCase):
    """Who comes as robots do, until one is here."""

    def test_told(self) -> None:
        """Why a robot does not get in is said, with what to do, and where from."""
        self.rejected(BROKER, AT_ROBOT)
        [arrival] = self.arrivals()
        self.assertEqual((arrival["host"], arrival["sound"]), (AT_ROBOT, False))
        self.assertIn("certificate", str(arrival["sentence"]))
        self.assertNotEqual(arrival["remedy"], "")

    def test_live(self) -> None:
        """Pages hear of it, and of what happens at once only once."""
        position = self.feed.position
        for _ in range(5):
            self.rejected(BROKER, AT_ROBOT)
        self.clock.advance(TOGETHER)
        changes = self.feed.since(position) or []
        self.assertEqual(len(changes), 1)
        self.assertEqual(len(changes[0].value["arrivals"]), 5)

    def test_others(self) -> None:
        """Browsers, apps and users are no robots; neither is what looks for open ports here."""
        self.asks("Mozilla/5.0")
        self.rejected("portal-eu.ecouser.net")
        self.logs_in("fuid_alice@ecouser/HA-home", "fuid_alice")
        self.end(self.come("127.0.0.1", 8883, "mqtt"))
        self.assertEqual(self.arrivals(), [])

    def test_found_out(self) -> None:
        """Who turns out to be somebody else goes from the list."""
        contact = self.come(PHONE, 8883, "mqtt")
        self.assertEqual(len(self.arrivals()), 1)
        contact.let_in("user fuid_alice")
        self.assertEqual(self.arrivals(), [])

    def test_bounded(self) -> None:
        """The last ones only, the newest first."""
        for number in range(3 * MOST):
            self.rejected(BROKER, f"192.168.8.{number}")
        hosts = [arrival["host"] for arrival in self.arrivals()]
        self.assertEqual(hosts, [f"192.168.8.{3 * MOST - 1 - n}" for n in range(MOST)])

    def test_here(self) -> None:
        """Once a robot is here nobody needs the list, and nothing is made for it any more."""
        self.rejected(BROKER, AT_ROBOT)
        self.assertEqual(len(self.arrivals()), 1)
        self.registry.attach(DUSTY_DEVICE, RecordingLink())
        self.rejected(BROKER, AT_ROBOT)
        self.assertEqual(self.arrivals(), [])
        before = len(self.clock.getDelayedCalls())
        self.rejected(BROKER, AT_ROBOT)
        self.assertEqual(len(self.clock.getDelayedCalls()), before)

    def test_hostile(self) -> None:
        """Names that steer something, or are endless, come out short and harmless."""
        contact = self.come(AT_ROBOT, 8883, "mqtt")
        contact.speaks(Speech.MQTT)
        contact.claims_to_be(f"client id {HOSTILE}")
        contact.refused(HOSTILE)
        self.end(contact)
        [arrival] = self.arrivals()
        for text in map(str, arrival.values()):
            self.assertTrue(text.isprintable())
            self.assertLess(len(text), 1000)

    def test_hostile_robot(self) -> None:
        """So does what a robot is called."""
        self.registry.attach(Device(DUSTY, name=HOSTILE), RecordingLink())
        known = self.setup.progress(ROBOT).by
        self.assertTrue(known.isprintable())
        self.assertLess(len(known), 100)
