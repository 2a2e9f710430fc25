"""Tests for L{bumper_tw.web.journal}: asking what happened, and waiting for it."""

from typing import Any

from bumper_tw.errors import LoginRefused
from bumper_tw.front.chronicle import LISTED
from bumper_tw.front.contact import Speech
from bumper_tw.front.journal import Entry, Journal
from bumper_tw.web.call import Call
from bumper_tw.web.journal import LONGEST, MOST, TOGETHER, JournalRoutes, anybody
from bumper_tw.web.journal_entries import AT_ONCE, FRESH, KEPT
from bumper_tw.web.site import build_site
from tests.front.chronicles import NOW, PHONE, ROBOT, ChronicleCase
from tests.web.browser import Browser, Connection, request


class JournalCase(ChronicleCase):
    """A site with the journal on it."""

    def setUp(self) -> None:
        super().setUp()
        self.made = JournalRoutes(self.clock, self.chronicle, self.guard, most=3)
        self.browser = Browser(build_site(self.made.routes(), self.clock), self.clock)
        self.idle = len(self.clock.getDelayedCalls())

    def guard(self, call: Call) -> None:
        """Only with a token."""
        if call.bearer() != "sesame":
            raise LoginRefused("a token is needed")

    def get(self, query: str = "") -> Any:
        """An answer that is there at once."""
        token = ("Authorization", "Bearer sesame")
        return self.browser.get(f"/api/journal{query}", headers=[token]).json

    def poll(self, query: str) -> Connection:
        """Somebody who may have to wait."""
        connection = self.browser.connect()
        token = ("Authorization", "Bearer sesame")
        connection.send(request("GET", f"/api/journal{query}", headers=[token]))
        return connection


class AskTests(JournalCase):
    """What there is."""

    def test_guarded(self) -> None:
        """Nobody gets anything without a token; on the control socket nobody needs one."""
        self.assertEqual(self.browser.get("/api/journal").status, 401)
        made = JournalRoutes(self.clock, self.chronicle, anybody)
        browser = Browser(build_site(made.routes(), self.clock), self.clock)
        self.assertEqual(browser.get("/api/journal").status, 200)

    def test_everything(self) -> None:
        """Entries in the order of their last change, with the revision to go on from."""
        first, _ = self.come(), self.come(ROBOT)
        first.speaks(Speech.HTTP)
        self.journal.note("names", True, "well")
        said = self.get()
        self.assertEqual((said["revision"], said["started"]), (4, NOW))
        found = [(each["kind"], each["revision"]) for each in said["entries"]]
        self.assertEqual(found, [("contact", 2), ("contact", 3), ("remark", 4)])
        self.assertEqual(said["entries"][0], self.chronicle.entry(next(iter(self.journal))))

    def test_after(self) -> None:
        """Only what has changed since."""
        first, _ = self.come(), self.come(ROBOT)
        first.speaks(Speech.HTTP)
        self.assertEqual([each["number"] for each in self.get("?after=2")["entries"]], [1])
        self.assertEqual(self.get("?after=3")["entries"], [])

    def test_restarted(self) -> None:
        """Whoever knows revisions that are yet to come gets everything."""
        self.come()
        self.assertEqual(len(self.get("?after=1000")["entries"]), 1)
        self.assertEqual(len(self.get("?after=1000&wait=50")["entries"]), 1)

    def test_host(self) -> None:
        """Those of one address, without what is about the box."""
        self.come(), self.come(ROBOT)
        self.journal.note("names", True, "well")
        for query in (f"?host={ROBOT}", f"?host=::ffff:{ROBOT}"):
            self.assertEqual([each["number"] for each in self.get(query)["entries"]], [2])

    def test_limit(self) -> None:
        """The last ones to begin with, then one after the other without a gap."""
        for _ in range(10):
            self.come()
        said = self.get("?limit=3")
        self.assertEqual([each["number"] for each in said["entries"]], [8, 9, 10])
        self.assertEqual(said["revision"], 10)
        seen, after = [], 2
        while after < 10:
            said = self.get(f"?after={after}&limit=3")
            seen += [each["number"] for each in said["entries"]]
            after = said["revision"]
        self.assertEqual(seen, list(range(3, 11)))
        self.assertEqual(len(self.get(f"?limit={10 * MOST}")["entries"]), 10)

    def test_before(self) -> None:
        """Page by page back to the beginning."""
        for _ in range(10):
            self.come()
        seen: list[int] = []
        said = self.get("?limit=4")
        while said["entries"]:
            seen[:0] = [each["number"] for each in said["entries"]]
            said = self.get(f"?limit=4&before={said['entries'][0]['revision']}")
        self.assertEqual(seen, list(range(1, 11)))

    def test_hello(self) -> None:
        """Long lists are cut, and say so, unless all is asked for."""
        self.shake(ciphers=tuple(range(0x5000, 0x5000 + LISTED + 7)), alpn=("h2",))
        [entry] = self.get()["entries"]
        self.assertEqual((len(entry["hello"]["ciphers"]), entry["hello"]["more"]), (LISTED, 7))
        [entry] = self.get("?full=1")["entries"]
        self.assertEqual((len(entry["hello"]["ciphers"]), entry["hello"]["more"]), (LISTED + 7, 0))

    def test_nonsense(self) -> None:
        """Questions that are none."""
        token = [("Authorization", "Bearer sesame")]
        for query in (
            "after=x",
            "limit=-1",
            "wait=nan",
            "wait=inf",
            "after=1e400",
            "before=x",
            "host=dusty",
        ):
            page = self.browser.get(f"/api/journal?{query}", headers=token)
            self.assertEqual(page.status, 400, query)


class ManyTests(JournalCase):
    """Very much to tell."""

    def setUp(self) -> None:
        super().setUp()
        self.journal = self.chronicle.journal = Journal(self.clock, 2000)
        self.made = JournalRoutes(self.clock, self.chronicle, anybody)
        self.browser = Browser(build_site(self.made.routes(), self.clock), self.clock)
        self.rendered: list[int] = []
        entry = self.chronicle.entry

        def counted(each: Entry, full: bool = False) -> dict[str, Any]:
            self.rendered.append(each.revision)
            return entry(each, full)

        self.patch(self.chronicle, "entry", counted)
        for _ in range(2 * MOST):
            self.come()

    def test_many(self) -> None:
        """Very many are told in several goes, unless nobody waits for them any more."""
        waits, leaves = self.poll("?limit=1000"), self.poll("?limit=1000")
        self.assertLess(len(self.rendered), AT_ONCE + 1)
        leaves.hang_up()
        self.assertEqual(len(waits.received()), 0)
        self.clock.advance(0)
        [page] = waits.received()
        self.assertEqual(
            [each["number"] for each in page.json["entries"]], list(range(MOST + 1, 2 * MOST + 1))
        )
        self.assertEqual(len(leaves.received()), 0)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_one_by_one(self) -> None:
        """Of many who ask for everything, one is served at a time, and the work is done once."""
        asking = [self.poll("?limit=300") for _ in range(5)]
        self.assertLess(len(self.rendered), AT_ONCE + 1)
        gone = self.poll("?limit=300")
        gone.hang_up()
        self.clock.advance(0)
        self.assertEqual([len(each.received()) for each in asking], [1] * 5)
        self.assertEqual(len(self.rendered), MOST)
        self.assertEqual(len(self.poll("?limit=300").received()), 1)
        self.assertEqual(len(self.rendered), MOST)
        self.assertEqual(len(self.poll(f"?after={2 * MOST - 3}").received()), 1)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_bounded(self) -> None:
        """Few texts are kept, whoever wants what."""
        for query in ("?limit=300", "?limit=300&full=1", "?limit=300&before=250"):
            waits = self.poll(query)
            self.clock.advance(0)
            self.assertEqual(len(waits.received()), 1)
        self.assertEqual(len(self.made._entries._texts), KEPT)
        self.clock.advance(FRESH)
        self.poll("?limit=1")
        self.assertEqual(len(self.made._entries._texts), 1)

    def test_anew(self) -> None:
        """A text holds for a while, if nothing happens to its entry."""
        self.poll("?limit=1")
        self.poll("?limit=1")
        self.assertEqual(len(self.rendered), 1)
        self.clock.advance(FRESH)
        self.poll("?limit=1")
        self.assertEqual(len(self.rendered), 2)
        next(self.journal.contacts()).speaks(Speech.MQTT)
        [page] = self.poll("?limit=1").received()
        self.assertEqual(page.json["entries"][0]["speech"], "MQTT")


class WaitTests(JournalCase):
    """What is yet to come."""

    def test_news(self) -> None:
        """Whoever waits hears of a change; of several in a moment at once."""
        self.come()
        waits = self.poll("?after=1&wait=30")
        self.assertEqual(waits.received(), [])
        contact = self.come()
        self.clock.advance(TOGETHER * 0.7)
        contact.speaks(Speech.MQTT)
        self.assertEqual(waits.received(), [])
        self.clock.advance(TOGETHER * 0.7)
        [page] = waits.received()
        self.assertEqual([each["revision"] for each in page.json["entries"]], [3])
        self.assertEqual((page.json["revision"], page.json["entries"][0]["speech"]), (3, "MQTT"))

    def test_nothing(self) -> None:
        """In the end the answer is that there was nothing; nobody waits for ever."""
        patient = self.poll("?wait=100000")
        waits = self.poll("?wait=5")
        self.clock.advance(5)
        [page] = waits.received()
        self.assertEqual(page.json["entries"], [])
        self.clock.advance(LONGEST - 5)
        self.assertEqual([page.json["entries"] for page in patient.received()], [[]])

    def test_there(self) -> None:
        """Nobody waits for what is there."""
        self.come()
        self.assertEqual(len(self.poll("?wait=30").received()), 1)

    def test_other(self) -> None:
        """What is about somebody else wakes nobody."""
        waits = self.poll(f"?wait=30&host={ROBOT}")
        self.come(PHONE)
        self.journal.note("names", True, "well")
        self.clock.advance(2)
        self.assertEqual(waits.received(), [])
        self.come(ROBOT)
        self.clock.advance(TOGETHER)
        self.assertEqual([len(page.json["entries"]) for page in waits.received()], [1])

    def test_hang_up(self) -> None:
        """Whoever goes is forgotten, and nothing is watched for him."""
        waits = self.poll("?wait=30")
        self.assertEqual(len(self.made._pollers), 1)
        waits.hang_up()
        self.assertEqual(len(self.made._pollers), 0)
        self.assertIsNone(self.made._unwatch)
        self.assertEqual(len(self.clock.getDelayedCalls()), self.idle)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_crowd(self) -> None:
        """Who comes when many wait is answered at once."""
        waiting = [self.poll("?wait=30") for _ in range(3)]
        self.assertEqual(self.get("?wait=30")["entries"], [])
        self.come()
        self.clock.advance(TOGETHER)
        self.assertEqual([len(each.received()) for each in waiting], [1, 1, 1])
        self.assertEqual(self.poll(f"?after={self.journal.revision}&wait=30").received(), [])

    def test_stop(self) -> None:
        """Everybody is answered when the server stops."""
        waiting = [self.poll("?wait=30") for _ in range(3)]
        self.made.stop()
        self.assertEqual([len(each.received()) for each in waiting], [1, 1, 1])
        self.assertEqual(len(self.poll("?wait=30").received()), 1)

    def test_quiet(self) -> None:
        """Nothing is done for those who are not there."""
        self.assertIsNone(self.made._unwatch)
        waits = self.poll("?wait=1")
        self.assertIsNotNone(self.made._unwatch)
        self.clock.advance(1)
        self.assertEqual(len(waits.received()), 1)
        self.assertIsNone(self.made._unwatch)
