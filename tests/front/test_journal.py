"""Tests for L{bumper_tw.front.journal} and who is known from it."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from bumper_tw.front.acquaintances import KNOCKS, Acquaintances
from bumper_tw.front.contact import Contact, Outcome, Speech
from bumper_tw.front.failures import HOSTS, KINDS
from bumper_tw.front.journal import Entry, Journal, Remark
from tests.front.chronicles import DUSTY, NOW, PHONE, ROBOT, ChronicleCase

#: What may happen to a contact.
STEPS: tuple[Callable[[Contact], None], ...] = (
    lambda contact: contact.closed(NOW, ""),
    lambda contact: contact.let_in("robot"),
    lambda contact: contact.refused("no"),
    lambda contact: contact.requested("/"),
    lambda contact: contact.failed(Outcome.TLS_FAILED, ""),
    lambda contact: contact.failed(Outcome.TOO_SLOW, ""),
)


class JournalTests(ChronicleCase):
    """The ring."""

    def test_revisions(self) -> None:
        """Every change has a number of its own, by which everything is in order."""
        first, second = self.come(), self.come(ROBOT)
        self.assertEqual((first.revision, second.revision), (1, 2))
        first.speaks(Speech.HTTP)
        self.journal.note("names", False, "wrong", "do it")
        [*entries] = self.journal
        self.assertEqual([entry.revision for entry in entries], [2, 3, 4])
        self.assertEqual(entries[:2], [second, first])
        self.assertEqual(self.journal.revision, 4)

    def test_bounded(self) -> None:
        """The oldest contacts make room, remarks have room of their own; numbers go on."""
        journal = Journal(self.clock, 3)
        journal.note("names", True, "well")
        made = [journal.begin(PHONE, n, "", 443, "all", True) for n in range(10)]
        self.assertEqual(list(journal.contacts()), made[:-4:-1])
        self.assertEqual([type(entry) for entry in journal], [Remark, Contact, Contact, Contact])
        self.assertEqual(made[-1].number, 10)
        for _ in range(10):
            journal.note("names", True, "well")
        self.assertEqual(len(list(journal)), 6)

    def test_lasting(self) -> None:
        """Whoever is still there is not crowded out; his end is news for those who ask."""
        robot = self.robot()
        for _ in range(200):
            self.end(self.asks("curl/8"))
        self.assertIn(robot, list(self.journal))
        known = self.journal.revision
        self.end(robot)
        self.assertEqual([each for each in self.journal if each.revision > known], [robot])

    def test_strangers(self) -> None:
        """Many who are there and have not logged in crowd out neither robots nor what was."""
        robot, past = self.robot(), self.end(self.robot("192.168.7.41"))
        for _ in range(200):
            self.come("192.168.7.99")
        self.assertIn(robot, list(self.journal.contacts()))
        self.assertIn(past, list(self.journal.contacts()))
        self.assertEqual(len(list(self.journal)), 50 + 1)

    def test_dull(self) -> None:
        """Checks make room before what is of interest, but not all of it."""
        past = [self.end(self.robot()) for _ in range(30)]
        for _ in range(200):
            self.end(self.asks("curl/8"))
        self.assertEqual([each for each in self.journal if each in past], past)
        past += [self.end(self.robot()) for _ in range(30)]
        check = self.end(self.asks("curl/8"))
        self.assertIn(check, list(self.journal))
        self.assertEqual(len(list(self.journal)), 50)

    def test_failure_kept(self) -> None:
        """The last failure of each kind outlasts whatever comes after it."""
        first, last = self.rejected(), self.rejected()
        other = self.rejected("other.lan")
        for _ in range(200):
            self.end(self.asks("curl/8"))
            self.end(self.robot())
        for journal in (self.journal, self.journal.contacts(), self.journal.failures()):
            found = list(journal)
            self.assertIn(last, found)
            self.assertIn(other, found)
            self.assertNotIn(first, found)
        self.assertEqual(list(self.journal.failures()), [other, last])

    def test_failures_bounded(self) -> None:
        """Whoever fails in ever new ways forgets his own failures; few addresses are kept."""
        explains = self.rejected()
        for number in range(500):
            self.rejected(f"n{number}.lan", "192.168.7.99")
        self.assertIn(explains, list(self.journal))
        self.assertEqual(len(list(self.journal.failures())), KINDS + 1)
        for number in range(500):
            self.rejected(host=f"fd00::{number:x}")
        self.assertEqual(len(list(self.journal.failures())), HOSTS)
        self.assertLessEqual(len(list(self.journal)), 50 + HOSTS * KINDS)

    def test_no_failure_any_more(self) -> None:
        """Who was refused and then let in has not failed; who leaves undecided has."""
        contact = self.come()
        contact.refused("no")
        self.assertEqual(list(self.journal.failures()), [contact])
        contact.requested("/")
        self.assertEqual(list(self.journal.failures()), [])
        cut = self.shake()
        self.assertEqual(list(self.journal.failures()), [])
        self.end(cut)
        self.assertEqual(list(self.journal.failures()), [cut])
        cut.failed(Outcome.TLS_FAILED, "unknown ca")
        self.assertEqual(list(self.journal.failures()), [cut])

    @given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 5)), max_size=120))
    def test_any_order(self, steps: list[tuple[int, int]]) -> None:
        """Whatever happens to whom: both orders hold the same, and no more than there is room."""
        journal = Journal(self.clock, 4)
        made = [journal.begin(f"192.168.7.{n % 3}", n, "", 443, "all", True) for n in range(20)]
        for which, what in steps:
            contact = made[which]
            contact.changed(contact)
            if contact.lasts:
                STEPS[what](contact)
            found = list(journal)
            self.assertEqual({*map(id, found)}, {*map(id, journal.contacts())})
            revisions = [each.revision for each in found]
            self.assertEqual(revisions, sorted(revisions))
            self.assertLessEqual(len([each for each in made if each in found]), 8 + 3 * KINDS)
            self.assertLessEqual({*journal.failures()}, {*found})

    def test_watch(self) -> None:
        """Whoever watches hears of every change, until he does not any more."""
        heard: list[Entry] = []
        end = self.journal.watch(heard.append)
        contact = self.come()
        contact.speaks(Speech.HTTP)
        self.journal.note("names", True, "well")
        end()
        end()
        contact.refused("no")
        self.assertEqual(heard[:2], [contact, contact])
        self.assertEqual(len(heard), 3)

    def test_forgets_itself(self) -> None:
        """Somebody may end his watch while he is told."""
        heard: list[Entry] = []
        end = self.journal.watch(lambda _: end())
        self.journal.watch(heard.append)
        self.come()
        self.come()
        self.assertEqual(len(heard), 2)


class AcquaintanceTests(ChronicleCase):
    """Who is at which address."""

    def test_learns(self) -> None:
        """Robots, users and agents are remembered beyond the ring."""
        self.robot()
        self.asks("okhttp/3", ROBOT)
        user = self.come()
        user.speaks(Speech.MQTT)
        user.let_in("user anna")
        for _ in range(60):
            self.come("192.168.7.99")
        known = self.acquaintances.at(ROBOT)
        self.assertEqual((known.robot, known.agent), (DUSTY, "okhttp/3"))
        self.assertTrue(known.is_anybody())
        self.assertEqual(self.acquaintances.at(PHONE).user, "user anna")
        self.assertFalse(self.acquaintances.at("192.168.7.99").is_anybody())
        self.assertFalse(self.acquaintances.at("192.168.7.98").is_anybody())

    def test_bounded(self) -> None:
        """Who was seen longest ago is forgotten."""
        few = Acquaintances(self.clock, self.journal, most=2)
        self.addCleanup(few.stop)
        self.robot()
        self.asks("okhttp/3")
        self.asks("curl/8", ROBOT)
        self.asks("curl/8", "192.168.7.99")
        self.assertEqual(few.at(PHONE).agent, "")
        self.assertEqual((few.at(ROBOT).robot, few.at(ROBOT).agent), (DUSTY, "curl/8"))

    def test_knocks(self) -> None:
        """A few knocks of each address are kept, of whatever many."""
        for port in range(100):
            self.come(port=port)
        self.assertEqual(len(self.acquaintances.at(PHONE).knocks), KNOCKS)

    def test_present(self) -> None:
        """A robot that is there for hours has come, whatever short visits it makes besides."""
        self.robot()
        self.clock.advance(3600)
        self.end(self.come(ROBOT, 8883, "mqtt"))
        self.assertTrue(self.acquaintances.at(ROBOT).came_since(self.clock.seconds()))

    def test_stop(self) -> None:
        """Nothing goes on when it has stopped."""
        self.asks("", ROBOT).sent_to("192.0.2.1")
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.acquaintances.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.robot()
        self.assertEqual(self.acquaintances.at(ROBOT).robot, "")
