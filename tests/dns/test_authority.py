"""What we say about the vendor's names."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.names import dns
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect.hosts import known_hosts
from bumper_tw.dns.authority import LIFE, MOST, Authority
from bumper_tw.dns.packets import read_question
from bumper_tw.pki.zones import ZONES
from tests.dns.samples import addresses, asked, query, read

HERE = "192.168.1.5"
SIX = "fd00::5"


class AuthorityTests(SynchronousTestCase):
    """Our zones, and nothing else."""

    def setUp(self) -> None:
        self.told: tuple[str, ...] = (HERE, SIX)
        self.locals: list[str] = []
        self.authority = Authority(ZONES, self.tell)

    def tell(self, local: str) -> tuple[str, ...]:
        self.locals.append(local)
        return self.told

    def say(self, name: str, kind: int = dns.A) -> bytes:
        data = self.authority.answer(asked(name, kind), HERE)
        assert data is not None, name
        return data

    def test_known_names(self) -> None:
        """Every name that is known has our address of each kind."""
        for name in known_hosts():
            self.assertEqual(addresses(self.say(name)), [HERE], name)
            self.assertEqual(addresses(self.say(name, dns.AAAA)), [SIX], name)

    def test_zones_and_all_below(self) -> None:
        """A zone itself is ours, and names any number of levels below it."""
        for zone in ZONES:
            for name in (zone, f"x.{zone}", f"a.b.c.d.e.{zone}"):
                self.assertEqual(addresses(self.say(name)), [HERE], name)

    def test_look_alikes(self) -> None:
        """A name that only ends with the same letters is not ours."""
        for name in ("notecouser.net", "ecouser.net.example.org", "net", "ecouser.org", "example"):
            self.assertIsNone(self.authority.answer(asked(name), HERE), name)

    def test_root(self) -> None:
        """The root is not ours either."""
        self.assertIsNone(self.authority.answer(read_question(query("", dns.NS)), HERE))

    def test_spelling(self) -> None:
        """The name is found in any spelling, and repeated in the asker's."""
        data = self.say("PorTal-EU.eCouser.NET")
        message = read(data)
        self.assertEqual(message.queries[0].name.name, b"PorTal-EU.eCouser.NET")
        self.assertEqual(message.answers[0].name.name, b"PorTal-EU.eCouser.NET")

    def test_header(self) -> None:
        """The answer is ours, final, and bears the number of the question."""
        message = read(self.say("ecovacs.com"))
        seen = (message.id, message.answer, message.auth, message.trunc, message.rCode)
        self.assertEqual(seen, (4711, 1, 1, 0, dns.OK))
        self.assertEqual((message.recDes, message.recAv), (1, 1))
        self.assertEqual(message.answers[0].ttl, LIFE)

    def test_no_six(self) -> None:
        """Without an IPv6 address of ours there is none: the vendor's does not leak through."""
        self.told = (HERE,)
        data = self.say("portal-eu.ecouser.net", dns.AAAA)
        self.assert_nothing(data, b"ecouser.net")

    def test_no_four(self) -> None:
        """The same the other way round."""
        self.told = (SIX,)
        self.assert_nothing(self.say("ecovacs.cn", dns.A), b"ecovacs.cn")

    def test_other_types(self) -> None:
        """Nothing but addresses is there, such as mail, or services elsewhere."""
        for kind in (dns.MX, dns.TXT, dns.NS, dns.SRV, dns.SOA, 64, 65, 255):
            self.assert_nothing(self.say("x.ecovacs.com", kind), b"ecovacs.com")
        self.assertEqual(self.locals, [])

    def assert_nothing(self, data: bytes, zone: bytes) -> None:
        message = read(data)
        self.assertEqual((message.rCode, message.answers, message.auth), (dns.OK, [], 1))
        [start] = message.authority
        self.assertEqual((start.type, start.name.name, start.ttl), (dns.SOA, zone, LIFE))
        self.assertEqual(start.payload.minimum, LIFE)
        self.assertEqual(start.payload.mname.name, b"ns." + zone)

    def test_several_addresses(self) -> None:
        """An owner may tell several, up to a bound."""
        self.told = tuple(f"192.168.1.{n}" for n in range(1, 10))
        self.assertEqual(addresses(self.say("ecovacs.com")), list(self.told[:MOST]))

    @given(st.lists(st.binary(min_size=1, max_size=20), max_size=5), st.sampled_from(ZONES))
    def test_any_labels(self, labels: list[bytes], zone: str) -> None:
        """Labels of any bytes, dots among them, are repeated as they came."""
        spelled = b"".join(bytes([len(label)]) + label for label in labels)
        whole = query(zone)
        question = read_question(whole[:12] + spelled + whole[12:])
        data = self.authority.answer(question, HERE)
        assert data is not None
        self.assertEqual(data[12 : 12 + len(question.wire)], spelled + whole[12:])
        self.assertTrue(data.endswith(bytes([192, 168, 1, 5])))
