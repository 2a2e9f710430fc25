"""For how long answers are told again."""

from twisted.internet.task import Clock
from twisted.names import dns
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dns.cache import LONGEST, LONGEST_NOTHING, Cache, read_answer
from bumper_tw.dns.packets import Unreadable, read_question
from tests.dns.samples import a, answer, asked, opt, query, read, soa, txt

NAME = "example.org"


class CacheTests(SynchronousTestCase):
    """Answers of others."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.cache = Cache(self.clock, 3)

    def keep(self, name: str = NAME, life: int = 300) -> None:
        question = asked(name)
        self.cache.keep(question, read_answer(answer(question, a(name, life=life)), question))

    def test_told_again(self) -> None:
        """The next one gets it with his number, his spelling and what is left of its time."""
        self.keep()
        self.clock.advance(100.5)
        data = self.cache.find(read_question(query("EXAMPLE.org", number=5)))
        assert data is not None
        message = read(data)
        self.assertEqual((message.id, message.queries[0].name.name), (5, b"EXAMPLE.org"))
        self.assertEqual(message.answers[0].ttl, 200)

    def test_ends(self) -> None:
        """When its time is over it is gone."""
        self.keep()
        self.clock.advance(300)
        self.assertIsNone(self.cache.find(asked(NAME)))
        self.assertEqual(len(self.cache), 0)

    def test_clock_set_back(self) -> None:
        """An answer of the future is none."""
        self.clock.advance(1000)
        self.keep()
        self.clock.rightNow = 0.0
        self.assertIsNone(self.cache.find(asked(NAME)))

    def test_topics(self) -> None:
        """Another type, and a question with EDNS, are other topics."""
        self.keep()
        self.assertIsNone(self.cache.find(asked(NAME, dns.AAAA)))
        self.assertIsNone(self.cache.find(read_question(query(NAME, edns=opt()))))
        self.assertIsNotNone(self.cache.find(asked(NAME)))

    def test_bounded(self) -> None:
        """The one that nobody asked for goes first."""
        for name in ("a.org", "b.org", "c.org"):
            self.keep(name)
        self.cache.find(asked("a.org"))
        self.keep("d.org")
        self.assertEqual(len(self.cache), 3)
        self.assertIsNone(self.cache.find(asked("b.org")))
        self.assertIsNotNone(self.cache.find(asked("a.org")))

    def test_none(self) -> None:
        """An owner may want none."""
        self.cache = Cache(self.clock, 0)
        self.keep()
        self.assertEqual(len(self.cache), 0)


class HoldsTests(SynchronousTestCase):
    """For how many seconds an answer holds."""

    def holds(self, *records: dns.RRHeader, **more: object) -> int:
        question = asked(NAME)
        return read_answer(answer(question, *records, **more), question).holds  # type: ignore[arg-type]  # any of the keywords

    def test_the_shortest(self) -> None:
        """The shortest time of all records counts, up to a bound."""
        self.assertEqual(self.holds(a(NAME, life=60), a(NAME, life=30)), 30)
        self.assertEqual(self.holds(a(NAME, life=86_400)), LONGEST)
        self.assertEqual(self.holds(a(NAME, life=0)), 0)
        self.assertEqual(self.holds(a(NAME, life=(1 << 32) - 1)), 0)

    def test_nothing(self) -> None:
        """That there is nothing holds as long as the SOA record says (RFC 2308, 5)."""
        self.assertEqual(self.holds(authority=[soa("org", 900, 60)]), 60)
        self.assertEqual(self.holds(authority=[soa("org", 50, 60)], code=dns.ENAME), 50)
        self.assertEqual(self.holds(authority=[soa("org", 9000, 9000)]), LONGEST_NOTHING)
        self.assertEqual(self.holds(), 0)

    def test_failures(self) -> None:
        """A failure, and half an answer, are not remembered."""
        self.assertEqual(self.holds(a(NAME), code=dns.ESERVER), 0)
        self.assertEqual(self.holds(a(NAME), cut=True), 0)

    def test_long(self) -> None:
        """What is very long is asked for again."""
        self.assertEqual(self.holds(txt(NAME, 3000)), 300)
        self.assertEqual(self.holds(txt(NAME, 6000)), 0)

    def test_broken(self) -> None:
        """An answer that breaks off is none."""
        question = asked(NAME)
        data = answer(question, a(NAME))
        for length in range(12 + len(question.wire), len(data)):
            self.assertRaises(Unreadable, read_answer, data[:length], question)

    def test_long_times_are_told_short(self) -> None:
        """Nobody is told more than the bound, either."""
        question = asked(NAME)
        found = read_answer(answer(question, a(NAME, life=86_400)), question)
        self.assertEqual(read(found.told(question, 10)).answers[0].ttl, LONGEST - 10)
