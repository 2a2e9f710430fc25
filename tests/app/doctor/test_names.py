"""Tests for L{bumper_tw.app.doctor.names}."""

from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.addresses import InterfaceAddress
from bumper_tw.app.doctor.evidence import Evidence, Server
from bumper_tw.app.doctor.finding import Finding
from bumper_tw.app.doctor.names import AT_ONCE, ENOUGH_FAILURES, names
from bumper_tw.app.doctor.snapshot import ListenerSeen
from bumper_tw.app.settings import DnsSettings
from bumper_tw.dns.wires import AnswerTimedOut, NoAnswer, Unreachable
from tests.app.doctor.cases import (
    BOX,
    HOSTS,
    LISTENERS,
    OTHER,
    OWN,
    Zone,
    announcing,
    everywhere,
    lookup,
    seen,
    well,
)

PIHOLE, ROUTER = ("192.168.7.1", 53), ("192.168.7.5", 5353)

#: Addresses of somebody else.
VENDOR, VENDOR_SIX = "203.0.113.9", "2001:db8::9"


class NameTests(SynchronousTestCase):
    """Names lead here, or it is said which do not, and who says so."""

    def setUp(self) -> None:
        self.house = well(Path(self.mktemp()))

    def found(self, house: Evidence) -> tuple[Finding, Finding]:
        """What the two checks say."""
        result: tuple[Any, ...] = self.successResultOf(Deferred.fromCoroutine(names(house)))
        four, six = result
        self.assertEqual((four.check, six.check), ("names", "names-ipv6"))
        return four, six

    def zone(self, zone: dict[tuple[str, str], Any]) -> Evidence:
        """The house, with a resolver of this box that answers so."""
        return evolve(self.house, lookup=lookup({None: zone}))

    def test_well(self) -> None:
        """All of them."""
        four, six = self.found(self.house)
        self.assertTrue(four.sound and six.sound)
        self.assertIn("all 3 names", four.sentence)

    def test_unset(self) -> None:
        """None of them: the vendor's addresses, no addresses, or no such names."""
        unknown = {(name, "A"): NoAnswer("no such name") for name in HOSTS}
        for zone in (everywhere(VENDOR), {}, unknown):
            four, _ = self.found(self.zone(zone))
            self.assertIs(four.sound, False)
            self.assertIn("none of the 3 names", four.sentence)
            self.assertIn("the resolver of this box", four.sentence)
            self.assertIn("bumper dns", four.remedy)
        four, _ = self.found(self.zone(everywhere(VENDOR)))
        self.assertIn(VENDOR, four.sentence)

    def test_half(self) -> None:
        """Some: it is said which do not."""
        zone = {**everywhere(BOX), (HOSTS[1], "A"): (VENDOR,)}
        four, _ = self.found(self.zone(zone))
        self.assertIs(four.sound, False)
        self.assertIn("1 of 3 names", four.sentence)
        self.assertIn(HOSTS[1], four.sentence)
        self.assertNotIn(HOSTS[0], four.sentence)

    def test_ours_and_theirs(self) -> None:
        """A second address that is not ours is as bad: robots may take that one."""
        zone = {**everywhere(BOX), (HOSTS[0], "A"): (BOX, VENDOR)}
        four, _ = self.found(self.zone(zone))
        self.assertIs(four.sound, False)

    def test_leak(self) -> None:
        """IPv4 leads here, IPv6 to the vendor."""
        zone = {**everywhere(BOX), (HOSTS[2], "AAAA"): (VENDOR_SIX,)}
        four, six = self.found(self.zone(zone))
        self.assertIs(four.sound, True)
        self.assertIs(six.sound, False)
        self.assertIn(HOSTS[2], six.sentence)
        self.assertIn(VENDOR_SIX, six.sentence)

    def test_loopback(self) -> None:
        """A loopback address is none that robots get to."""
        four, _ = self.found(self.zone(everywhere("127.0.0.1")))
        self.assertIs(four.sound, False)

    def test_chosen_addresses(self) -> None:
        """What the owner has robots told counts as ours, wherever that is."""
        house = evolve(
            announcing("192.168.9.9", self.zone(everywhere("192.168.9.9"))),
        )
        self.assertIs(self.found(house)[0].sound, True)
        settings = evolve(self.house.settings, dns=DnsSettings(answer=("192.168.9.8",)))
        house = evolve(self.zone(everywhere("192.168.9.8")), settings=settings)
        self.assertIs(self.found(house)[0].sound, True)

    def bound(self, zone: dict[tuple[str, str], Any], to: str = BOX) -> Evidence:
        """The house with another address, where port 443 is somebody else's."""
        listeners = (ListenerSeen("all", f"tcp:443:interface={to}", True, 443), *LISTENERS[1:])
        own = (*OWN, InterfaceAddress("eth0", OTHER))
        return evolve(seen(self.zone(zone), listeners=listeners), own=own)

    def test_own_but_not_there(self) -> None:
        """An address of this box is no good if nothing of ours listens there."""
        self.assertIs(self.found(self.bound(everywhere(BOX)))[0].sound, True)
        for house in (
            self.bound(everywhere(OTHER)),
            announcing(BOX, self.bound(everywhere(OTHER))),
        ):
            four, _ = self.found(house)
            self.assertIs(four.sound, False)
            self.assertIn(f"{OTHER} is where they lead, an address of this box", four.sentence)
            self.assertIn("port 443 is not ours", four.sentence)
            self.assertIn(f"have them lead to {BOX}", four.remedy)
        some = {**everywhere(BOX), (HOSTS[1], "A"): (BOX, OTHER)}
        self.assertIn("1 of 3 names", self.found(self.bound(some))[0].sentence)
        chosen = announcing(OTHER, self.bound(everywhere(OTHER)))
        self.assertIs(self.found(chosen)[0].sound, False)

    def test_all_addresses(self) -> None:
        """Where we listen at all addresses, each of them will do, whichever robots are told."""
        own = (*OWN, InterfaceAddress("eth0", OTHER))
        house = announcing(BOX, evolve(self.zone(everywhere(OTHER)), own=own))
        self.assertIs(self.found(house)[0].sound, True)

    def test_told_where_we_are(self) -> None:
        """Robots and Home Assistant are told the address where we listen, not the usual one."""
        house = self.bound(everywhere(OTHER), to=OTHER)
        self.assertEqual((house.source, house.address), (BOX, OTHER))
        self.assertIs(self.found(house)[0].sound, True)

    def test_not_bound(self) -> None:
        """A listener that is not there serves nobody; a loopback one nobody else."""
        house = self.bound(everywhere(BOX))
        assert house.snapshot is not None
        shut = [evolve(each, bound=each.port != 443) for each in house.listeners]
        inner = ListenerSeen("all", "tcp:443:interface=127.0.0.1", True, 443)
        house = seen(house, listeners=(*shut, inner))
        self.assertEqual((house.lacking(BOX), house.lacking(OTHER)), ((), ()))

    def test_servers(self) -> None:
        """Each of the given servers is asked, not the system; the wrong one is named."""
        zones: dict[Server | None, Zone] = {PIHOLE: everywhere(BOX), ROUTER: everywhere(VENDOR)}
        house = evolve(self.house, servers=(PIHOLE, ROUTER), lookup=lookup(zones))
        four, _ = self.found(house)
        self.assertIs(four.sound, False)
        self.assertIn("192.168.7.5 port 5353", four.sentence)

    def test_dead_server(self) -> None:
        """One that does not answer is given up soon."""
        asked: list[str] = []

        def look(name: str, *_: object) -> Deferred[tuple[str, ...]]:
            asked.append(name)
            return _failed(AnswerTimedOut("no answer"))

        hosts = tuple(f"h{number}.ecouser.net" for number in range(100))
        four, six = self.found(evolve(self.house, hosts=hosts, lookup=look))
        self.assertIs(four.sound, False)
        self.assertIn("does not answer", four.sentence)
        self.assertIsNone(six.sound)
        self.assertLessEqual(len(asked), AT_ONCE + ENOUGH_FAILURES)

    def test_no_server_there(self) -> None:
        """One that nobody is at all is not one that leads elsewhere."""
        refused = Unreachable(f"{BOX}: Connection refused")
        four, six = self.found(evolve(self.house, lookup=lambda *_: _failed(refused)))
        self.assertIn("does not answer: nothing answers DNS there", four.sentence)
        self.assertIsNone(six.sound)

    def test_not_started(self) -> None:
        """Nobody answers here as long as the server does not run that should."""
        dns = DnsSettings(serve=True)
        house = evolve(
            self.house,
            settings=evolve(self.house.settings, dns=dns),
            servers=((BOX, 53),),
            snapshot=None,
            lookup=lambda *_: _failed(AnswerTimedOut("no answer")),
        )
        four, _ = self.found(house)
        self.assertIsNone(four.sound)
        self.assertIn("this box answers DNS itself, and is not running", four.sentence)
        four, _ = self.found(evolve(house, servers=((BOX, 53), PIHOLE)))
        self.assertIs(four.sound, False)
        self.assertIn(PIHOLE[0], four.sentence)
        running = evolve(house, snapshot=self.house.snapshot)
        self.assertIs(self.found(running)[0].sound, False)
        self.assertIs(self.found(evolve(house, settings=self.house.settings))[0].sound, False)

    def test_few_at_a_time(self) -> None:
        """Not all names are asked for at the same time."""
        waiting: list[Deferred[tuple[str, ...]]] = []

        def look(*_: object) -> Deferred[tuple[str, ...]]:
            waiting.append(Deferred())
            return waiting[-1]

        hosts = tuple(f"h{number}.ecouser.net" for number in range(20))
        result = Deferred.fromCoroutine(names(evolve(self.house, hosts=hosts, lookup=look)))
        most = 0
        while waiting:
            most = max(most, len(waiting))
            waiting.pop(0).callback((BOX,))
        self.assertEqual(most, AT_ONCE)
        four, _ = self.successResultOf(result)
        self.assertIs(four.sound, True)

    def test_simulated(self) -> None:
        """When everything is on this box nobody is asked."""
        house = announcing("127.0.0.1", evolve(self.house, lookup=lookup({})))
        self.assertEqual([each.sound for each in self.found(house)], [None, None])


def _failed(error: Exception) -> Deferred[tuple[str, ...]]:
    failed: Deferred[tuple[str, ...]] = Deferred()
    failed.errback(error)
    return failed
