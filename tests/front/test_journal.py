"""Tests for L{bumper_tw.front.journal} and who is known from it."""

from bumper_tw.front.acquaintances import KNOCKS, Acquaintances
from bumper_tw.front.contact import Contact, Speech
from bumper_tw.front.journal import Entry, Journal, Remark
from tests.front.chronicles import DUSTY, PHONE, ROBOT, ChronicleCase


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
