"""Tests for L{bumper_tw.app.doctor.gathering} and C{side}: evidence from a real server's parts."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network
from itertools import pairwise
from pathlib import Path

from attrs import evolve
from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.addresses import networks
from bumper_tw.app.doctor.arrivals import MOST
from bumper_tw.app.doctor.gathering import AT_ONCE, MOST_CONTACTS, PAUSE, asked
from bumper_tw.app.doctor.side import Parts, household
from bumper_tw.app.doctor.snapshot import ContactSeen, ListenerSeen, Snapshot
from bumper_tw.app.lifecycle import Listener
from bumper_tw.app.settings import DnsSettings, Listen, Settings
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.telemetry import Telemetry
from bumper_tw.front.contact import Contact, Outcome, Speech
from bumper_tw.front.diagnosis import Diagnosis
from bumper_tw.front.journal import Journal
from bumper_tw.readings import Battery, Report
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.devices import DeviceStore
from bumper_tw.storage.records import RecordStore
from bumper_tw.values import Device
from bumper_tw.wire.client_hello import ClientHello
from tests.app.doctor.cases import BOX, NOW, PHONE, ROBOT
from tests.samples import DUSTY, RecordingLink

ROUTES = """\
Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
eth0 00000000 0107A8C0 0003 0 0 0 00000000 0 0 0
eth0 0007A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0
"""


class HouseholdTests(SynchronousTestCase):
    """A snapshot says what the parts of the server know."""

    def setUp(self) -> None:
        self.clock, self.judged = Clock(), 0
        self.clock.advance(NOW)
        database = InlineDatabase()
        self.registry = DeviceRegistry(self.clock, DeviceStore(database))
        self.telemetry, self.journal = Telemetry(), Journal(self.clock, 1000)
        chosen = Listen("web", "tcp:80", optional=True)
        closed = Listener(self.clock, "web", "tcp:80", Clock(), optional=True)  # type: ignore[arg-type]  # never bound
        closed.why = "tcp port 80 is held by somebody"
        self.parts = Parts(
            self.journal,
            self.diagnose,
            self.registry,
            self.telemetry,
            RecordStore(database),
            lambda: datetime.fromtimestamp(NOW, UTC) + timedelta(days=100),
            lambda: [(chosen, closed)],
        )
        self.household = household(self.clock, Settings(), self.parts)

    def diagnose(self, contact: Contact) -> Diagnosis:
        """Every contact is the same to this one; it counts them."""
        self.judged += 1
        return Diagnosis("silent", False, f"{contact.host} is silent", "wait")

    def snapshot(self) -> Snapshot:
        """This moment."""
        return self.household.snapshot()

    def contacts(self) -> tuple[ContactSeen, ...]:
        """The contacts, when all turns that they take are over."""
        found = self.household.contacts()
        while not found.called:
            self.clock.advance(PAUSE)
        return self.successResultOf(found)

    def test_box(self) -> None:
        """Where everything is, wherever the process goes later."""
        found = self.snapshot()
        self.assertEqual(found.certs, str(Path("certs").absolute()))
        self.assertEqual(found.data, str(Path("data").absolute()))
        self.assertEqual(found.certificate_days, 100.0)
        self.assertEqual(found.contacts, ())
        self.assertIs(self.household.snapshot(database=False).database, False)

    def test_listeners(self) -> None:
        """One that is not there says why."""
        why = "tcp port 80 is held by somebody"
        expected = ListenerSeen("web", "tcp:80", False, 0, bound=False, why=why, optional=True)
        self.assertEqual(self.snapshot().listeners, (expected,))

    def test_robots(self) -> None:
        """Since when a robot is here, and when it was heard last; and since when it is not."""
        robot = Device(DUSTY, nick="Dusty", firmware="1.2.3")
        detach = self.registry.attach(robot, RecordingLink())
        self.clock.advance(5)
        self.telemetry.record(Report(DUSTY.did, Battery(80), self.clock.seconds()))
        [seen] = self.snapshot().robots
        self.assertEqual((seen.did, seen.model), (DUSTY.did, DUSTY.model))
        self.assertEqual((seen.online, seen.since, seen.heard), (True, NOW, NOW + 5))
        detach()
        [gone] = self.snapshot().robots
        self.assertEqual((gone.online, gone.since), (False, NOW + 5))
        self.registry.forget(DUSTY.did)
        self.assertEqual(self.household.comings.since(DUSTY.did), 0.0)

    def test_renamed(self) -> None:
        """A change that is neither coming nor going leaves the time alone."""
        self.registry.attach(Device(DUSTY), RecordingLink())
        self.clock.advance(5)
        self.registry.update(evolve(self.registry.device(DUSTY.did), nick="Dusty"))
        self.assertEqual(self.snapshot().robots[0].since, NOW)

    def test_contacts(self) -> None:
        """The newest ones, in order, with what they mean."""
        for port in range(MOST_CONTACTS + 10):
            self.journal.begin(f"::ffff:{ROBOT}", port, BOX, 443, "all", True)
        newest = next(self.journal.contacts())
        newest.greeted(ClientHello("lbo.ecovacs.net"))
        newest.speaks(Speech.MQTT)
        newest.let_in("dusty", DUSTY.did)
        found = self.contacts()
        self.assertEqual(self.household.snapshot(found).contacts, found)
        self.assertEqual(len(found), MOST_CONTACTS)
        self.assertEqual([each.number for each in found], list(range(11, MOST_CONTACTS + 11)))
        last = found[-1]
        self.assertEqual((last.host, last.server_name), (ROBOT, "lbo.ecovacs.net"))
        self.assertEqual((last.outcome, last.speech, last.robot), ("accepted", "MQTT", DUSTY.did))
        self.assertEqual((last.diagnosis, last.remedy), ("silent", "wait"))

    def test_out_of_sight(self) -> None:
        """A failure that explains much, and what made up for it, are not lost among new ones."""
        for port in range(2):
            failed = self.journal.begin(PHONE, port, BOX, 443, "all", True)
            failed.greeted(ClientHello("portal-ww.ecouser.net"))
            failed.failed(Outcome.TLS_FAILED, "unknown ca")
        failed.closed(self.clock.seconds(), "")
        came = self.journal.begin(PHONE, 9, BOX, 443, "all", True)
        came.speaks(Speech.HTTP)
        came.claims_to_be("App/1")
        came.requested("/")
        for port in range(3000):
            self.journal.begin(ROBOT, port, BOX, 443, "all", True).closed(NOW, "")
        first, second, *_ = self.contacts()
        self.assertEqual((first.number, first.outcome), (failed.number, "tls failed"))
        self.assertEqual((second.number, second.outcome), (came.number, "accepted"))
        self.assertEqual((second.agent, second.claim), ("App/1", ""))

    def test_few_arrivals(self) -> None:
        """As many as there is room for, and the newest of each kind."""
        for port in range(MOST + 10):
            came = self.journal.begin(ROBOT, 1, BOX, 443, "all", True)
            came.speaks(Speech.MQTT)
            came.let_in(f"client {port}")
        again = self.journal.begin(ROBOT, 2, BOX, 443, "all", True)
        again.speaks(Speech.MQTT)
        again.let_in("client 10")
        found = list(self.household.arrivals)
        self.assertEqual((len(found), found[-1]), (MOST, again))
        self.assertEqual(sum(each.name == "client 10" for each in found), 1)

    def test_old_contacts(self) -> None:
        """What was more than a day ago is of no interest."""
        self.journal.begin(ROBOT, 1, BOX, 443, "all", True)
        self.clock.advance(90_000)
        self.assertEqual(self.contacts(), ())

    def test_many_contacts(self) -> None:
        """Few are judged at a time, so that the server goes on meanwhile."""
        for port in range(MOST_CONTACTS):
            self.journal.begin(ROBOT, port, BOX, 443, "all", True)
        found, turns = self.household.contacts(), [0]
        while not found.called:
            self.clock.advance(PAUSE)
            turns.append(self.judged)
        self.assertEqual(turns[-1], MOST_CONTACTS)
        steps = [after - before for before, after in pairwise(turns)]
        self.assertLessEqual(max(steps), AT_ONCE)
        self.assertEqual(len(self.successResultOf(found)), MOST_CONTACTS)

    def test_hang_up(self) -> None:
        """Nothing is left to do when nobody waits any more."""
        self.journal.begin(ROBOT, 1, BOX, 443, "all", True)
        found = self.household.contacts()
        found.cancel()
        self.failureResultOf(found, CancelledError)
        self.assertEqual((self.clock.getDelayedCalls(), self.judged), ([], 0))


class SurroundingTests(SynchronousTestCase):
    """What the box is in."""

    def test_asked(self) -> None:
        """Whom the owner names, or ourselves if we answer, or the system."""
        self.assertEqual(asked(DnsSettings(), BOX), ())
        self.assertEqual(asked(DnsSettings(check=("192.168.7.1",)), BOX), (("192.168.7.1", 53),))
        self.assertEqual(asked(DnsSettings(serve=True, port=5353), BOX), ((BOX, 5353),))
        inner = DnsSettings(serve=True, interface="127.0.0.1")
        self.assertEqual(asked(inner, BOX), (("127.0.0.1", 53),))
        self.assertEqual(asked(DnsSettings(serve=True), None), ())

    def test_networks(self) -> None:
        """Those without a gateway; none where the kernel does not say."""
        proc = Path(self.mktemp())
        self.assertEqual(networks(proc), ())
        (proc / "net").mkdir(parents=True)
        (proc / "net/route").write_text(ROUTES)
        self.assertEqual(networks(proc), (IPv4Network("192.168.7.0/24"),))
