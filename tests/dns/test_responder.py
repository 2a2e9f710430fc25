"""Who gets which answer."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.names import dns
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dns.authority import Authority
from bumper_tw.dns.cache import Cache
from bumper_tw.dns.forwarder import Forwarder
from bumper_tw.dns.packets import Question
from bumper_tw.dns.responder import Responder, at_home
from bumper_tw.dns.wires import Server
from bumper_tw.pki.zones import ZONES
from tests.dns.samples import FakeWires, a, addresses, answer, opt, query, read, txt

HERE, PEER, STRANGER = "192.168.1.5", "192.168.1.20", "203.0.113.9"

#: Four of each kind, which is the most that is told.
MANY = (*(f"192.168.1.{n}" for n in range(5, 9)), *(f"fd00::{n}" for n in range(5, 9)))


class Case(SynchronousTestCase):
    """A responder whose neighbour knows everything."""

    def setUp(self) -> None:
        self.told: tuple[str, ...] = (HERE,)
        self.upstream: list[Server] = [("192.0.2.1", 53)]
        self.wires = FakeWires()
        self.wires.says["192.0.2.1"] = self.other
        clock = Clock()
        forwarder = Forwarder(clock, self.wires, lambda: self.upstream, Cache(clock, 10))
        authority = Authority(ZONES, lambda _: self.told)
        self.responder = Responder(clock, authority, forwarder)

    def other(self, question: Question, whole: bool) -> bytes:
        if question.kind == dns.TXT:
            return answer(question, txt(question.name, 4000))
        return answer(question, a(question.name))

    def say(self, data: bytes, peer: str = PEER, whole: bool = False) -> bytes | None:
        said: list[bytes] = []
        self.responder.heard(data, peer, HERE, whole, said.append)
        self.assertLessEqual(len(said), 1)
        return said[0] if said else None

    def code(self, data: bytes, peer: str = PEER) -> int:
        said = self.say(data, peer)
        assert said is not None
        return int(read(said).rCode)


class ResponderTests(Case):
    """Who gets which answer."""

    def test_ours(self) -> None:
        """The vendor's names are ours, and nobody else is asked."""
        said = self.say(query("portal-eu.ecouser.net"))
        assert said is not None
        self.assertEqual(addresses(said), [HERE])
        self.assertEqual(self.wires.asked, [])

    def test_no_leak(self) -> None:
        """Nobody else is asked for another kind of record of such a name, either."""
        for kind in (dns.AAAA, dns.MX, 65, 255):
            self.say(query("portal-eu.ecouser.net", kind))
        self.assertEqual(self.wires.asked, [])

    def test_others(self) -> None:
        """All other names are somebody else's."""
        said = self.say(query("example.org"))
        assert said is not None
        self.assertEqual(addresses(said), ["192.0.2.80"])

    def test_strangers(self) -> None:
        """Who is in no private network gets nothing, not even our own names."""
        for name in ("portal-eu.ecouser.net", "example.org"):
            self.assertEqual(self.code(query(name), STRANGER), dns.EREFUSED)
        self.assertEqual(self.wires.asked, [])

    def test_this_box(self) -> None:
        """What comes from the address it goes to comes from this box."""
        said: list[bytes] = []
        self.responder.heard(query(), STRANGER, STRANGER, False, said.append)
        self.assertEqual(addresses(said[0]), [HERE])

    def test_nobody_to_ask(self) -> None:
        """Without other servers, other names are refused."""
        self.upstream = []
        self.assertEqual(self.code(query("example.org")), dns.EREFUSED)

    def test_no_answer(self) -> None:
        """When nobody answers, that is said."""
        self.wires.says["192.0.2.1"] = lambda q, _: answer(q, a(q.name))[:-2]
        self.assertEqual(self.code(query("example.org")), dns.ESERVER)

    def test_too_long(self) -> None:
        """Over UDP a long answer is not told, but that there is one; over TCP it is."""
        for edns, room in ((b"", 512), (opt(), 1232)):
            said = self.say(query("example.org", dns.TXT, edns=edns))
            assert said is not None
            self.assertEqual((read(said).trunc, read(said).answers), (1, []))
            self.assertLessEqual(len(said), room)
        said = self.say(query("example.org", dns.TXT), whole=True)
        assert said is not None
        self.assertEqual((read(said).trunc, len(read(said).answers)), (0, 1))

    def test_not_asked(self) -> None:
        """Other classes, whole zones and later versions of EDNS are turned down."""
        self.assertEqual(self.code(query("version.bind", 16, category=3)), dns.EREFUSED)
        self.assertEqual(self.code(query("example.org", 252)), dns.EREFUSED)
        said = self.say(query("example.org", edns=opt(version=1)))
        assert said is not None
        self.assertEqual((read(said).rCode, said[-6]), (0, 1))
        self.assertEqual(self.wires.asked, [])

    def test_other_operations(self) -> None:
        """Updates and notices are not for us."""
        data = bytearray(query())
        data[2] |= 5 << 3
        self.assertEqual(self.code(bytes(data)), dns.ENOTIMP)

    def test_answers_are_not_answered(self) -> None:
        """Neither an answer nor less than a header gets one."""
        for peer in (PEER, STRANGER):
            said = self.say(query(), peer)
            assert said is not None
            self.assertIsNone(self.say(said, peer))
        self.assertIsNone(self.say(b"x" * 11))

    def test_garbled(self) -> None:
        """A question that breaks off hears so, in twelve bytes."""
        said = self.say(query()[:-1])
        assert said is not None
        self.assertEqual((len(said), read(said).rCode), (12, dns.EFORMAT))


class HostileTests(Case):
    """Whatever is sent."""

    def bound(self, data: bytes, said: bytes | None, peer: str) -> None:
        if said is None:
            return
        factor = 1 if peer == STRANGER else 5
        self.assertLessEqual(len(said), factor * len(data))
        self.assertEqual(said[:2], data[:2])
        self.assertTrue(said[2] & 0x80)

    @given(st.binary(max_size=600), st.sampled_from((PEER, STRANGER)))
    def test_anything(self, data: bytes, peer: str) -> None:
        """Nothing raises, and nobody gets much more than he sent."""
        self.bound(data, self.say(data, peer), peer)

    @given(
        st.sampled_from(ZONES),
        st.sampled_from((dns.A, dns.AAAA, dns.SOA, 255)),
        st.booleans(),
        st.lists(st.tuples(st.integers(0, 80), st.integers(0, 255)), max_size=4),
        st.integers(0, 80),
        st.sampled_from((PEER, STRANGER)),
    )
    def test_mutants(
        self,
        zone: str,
        kind: int,
        edns: bool,
        changes: list[tuple[int, int]],
        cut: int,
        peer: str,
    ) -> None:
        """The same for questions with some bytes changed, and cut off."""
        self.told = MANY
        self.upstream = []
        data = bytearray(query(zone, kind, edns=opt() if edns else b""))
        for at, value in changes:
            data[at % len(data)] = value
        sent = bytes(data[: len(data) - cut] if cut < 20 else data)
        self.bound(sent, self.say(sent, peer), peer)

    def test_factor(self) -> None:
        """The most that our own answers amplify: five, with the four addresses that are told."""
        self.told = MANY
        worst = 0.0
        for zone in ZONES:
            for kind in (dns.A, dns.AAAA, dns.MX):
                sent = query(zone, kind)
                said = self.say(sent)
                assert said is not None
                worst = max(worst, len(said) / len(sent))
        self.assertEqual(worst, 5.0)


class HomeTests(SynchronousTestCase):
    """Which addresses are private."""

    def test_home(self) -> None:
        """Those of homes, of carriers' translation, and of this box."""
        for host in (
            "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "127.0.0.9",
            "169.254.1.1", "::1", "fd12::1", "fe80::1%eth0", "::ffff:10.0.0.1",
        ):  # fmt: skip
            self.assertTrue(at_home(host), host)

    def test_elsewhere(self) -> None:
        """All others, and what is no address."""
        for host in (
            "8.8.8.8", "172.32.0.1", "100.128.0.1", "192.169.0.1", "2001:db8::1", "::", "", "x",
            "::ffff:8.8.8.8", "0.0.0.0",
        ):  # fmt: skip
            self.assertFalse(at_home(host), host)
