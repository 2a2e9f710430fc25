"""Tests for L{bumper_tw.web.dashboard.house_journal} and L{journal_feed}."""

import json
import re
from typing import Any

from bumper_tw.core.feed import Change, Feed
from bumper_tw.front.contact import Outcome, Speech
from bumper_tw.web.dashboard.house_journal import MOST, JournalPage, called
from bumper_tw.web.dashboard.journal_feed import AT_ONCE, KEPT, PAUSE, WAITING, JournalFeed
from tests.front.chronicles import PHONE, ROBOT, ChronicleCase
from tests.web.dashboard.house_case import (
    ESCAPED,
    HOSTILE,
    OWNER,
    HousePageCase,
    admit,
    words,
)


class JournalPageTests(ChronicleCase, HousePageCase):
    """The page."""

    def setUp(self) -> None:
        ChronicleCase.setUp(self)
        made = JournalPage(self.clock, self.chronicle, admit, self.here)
        self.browser = self.serve(made.routes())

    def shown(self, query: str = "") -> str:
        """The page, however long it takes to be made."""
        connection = self.browser.connect()
        head = "".join(f"{name}: {value}\r\n" for name, value in OWNER)
        asked = f"GET /house/journal{query} HTTP/1.1\r\nHost: box.lan\r\n{head}\r\n"
        connection.send(asked.encode())
        for _ in range(1000):
            if connection.transport.value():
                break
            self.clock.advance(0)
        [page] = connection.received()
        self.assertEqual(page.status, 200)
        return page.body.decode()

    def test_closed(self) -> None:
        """Only the owner sees it."""
        self.assert_closed(self.browser, "/house/journal")

    def test_empty(self) -> None:
        """Where nobody came, that is said."""
        self.assertIn("nothing to show yet", words(self.shown()))

    def test_entry(self) -> None:
        """Who came, what that comes to, what to do, and the whole story."""
        self.rejected()
        page = self.shown()
        self.assertIn("Look here", page)
        self.assertIn(f'href="/house/journal?host={PHONE}"', page)
        self.assertIn("<summary>What happened</summary>", page)
        self.assertIn('data-key="c1"', page)

    def test_remark(self) -> None:
        """What the doctor noted is there, too."""
        self.journal.note("dns", False, "Names lead elsewhere.", "Ask the router.")
        text = words(self.shown())
        self.assertIn("This box Names lead elsewhere. Ask the router.", text)

    def test_filters(self) -> None:
        """One address, and only what is wrong; both work without scripts."""
        self.rejected(host=PHONE)
        self.journal.note("disk", True, "There is room.")
        self.come(ROBOT)
        self.assertEqual(self.shown().count('data-key="'), 4)
        mine = self.shown(f"?host={PHONE}")
        self.assertEqual(mine.count('data-key="c'), 1)
        self.assertIn(f'value="{PHONE}"', mine)
        wrong = self.shown("?wrong=1")
        self.assertNotIn("There is room.", wrong)
        self.assertIn('checked="checked"', wrong)
        self.assertIn("Everything", words(wrong))

    def test_order(self) -> None:
        """Who came last is first, whatever changes of the others."""
        early = self.come(ROBOT)
        self.clock.advance(60)
        self.rejected(host=PHONE)
        self.clock.advance(60)
        early.closed(self.clock.seconds(), "it broke")
        self.journal.note("disk", True, "There is room.")
        keys = re.findall(r'data-key="([cr]?\d*)"', self.shown())
        self.assertEqual([key for key in keys if key], [keys[0], "c2", "c1"])
        self.assertEqual(keys[0][0], "r")

    def test_visits(self) -> None:
        """Browsers on our pages are left out, unless somebody wants them or something is wrong."""
        visit = self.come(PHONE)
        visit.speaks(Speech.HTTP)
        visit.requested("/house/journal")
        visit.claims_to_be("Mozilla/5.0 (X11; Linux x86_64)")
        self.assertNotIn('data-key="c1"', self.shown())
        self.assertIn('data-key="c1"', self.shown("?visits=1"))
        visit.requested("/v1/private/eu/en")
        self.clock.advance(10)
        self.assertIn('data-key="c1"', self.shown())

    def test_named(self) -> None:
        """Robots are called as they are on all pages."""
        entry = {
            "kind": "contact",
            "robot": "did1",
            "robot_name": "",
            "name": "E1",
            "diagnosis": {"sentence": "E1 is here as did1, not E11"},
        }
        found = called(entry, lambda _: "Dusty")
        self.assertEqual(found["robot_name"], "Dusty")
        self.assertEqual(found["diagnosis"]["sentence"], "Dusty is here as Dusty, not E11")
        self.assertEqual(called(entry, str), entry)

    def test_no_address(self) -> None:
        """What is no address is refused in a sentence, and does not come back as markup."""
        page = self.browser.get("/house/journal?host=%3Cscript%3E", headers=OWNER)
        self.assertEqual(page.status, 400)
        self.assertNotIn(b"<script>alert", page.body)

    def test_many(self) -> None:
        """A house with a long history still has a short page."""
        for number in range(MOST + 50):
            self.journal.note(f"check{number}", True, "All is well.")
            self.rejected(host=f"10.0.0.{number}")
        self.assertLessEqual(self.shown().count('data-key="'), MOST + 1)

    def test_hostile(self) -> None:
        """What somebody says of himself stays text."""
        contact = self.come()
        contact.claims_to_be(HOSTILE)
        contact.failed(Outcome.VIOLATION, HOSTILE)
        self.journal.note("dns", False, HOSTILE, HOSTILE)
        page = self.shown()
        self.assertIn(ESCAPED, page)
        self.assertNotIn("<script>alert", page)
        self.assertNotIn("\u202e", page)
        self.assertLess(len(page), 30_000)


class JournalFeedTests(ChronicleCase):
    """What pages hear that are open."""

    def setUp(self) -> None:
        super().setUp()
        self.feed = Feed("run")
        self.heard: list[Change] = []
        self.feed.listen(self.heard.append)
        self.made = JournalFeed(self.clock, self.chronicle, self.feed)
        self.made.startService()
        self.addCleanup(self.made.stopService)

    def pass_time(self, turns: int = 1) -> None:
        """Some turns."""
        for _ in range(turns):
            self.clock.advance(PAUSE)

    def test_entry(self) -> None:
        """A connection that comes and goes is told once, as the API tells it."""
        self.rejected()
        self.assertEqual(self.heard, [])
        self.pass_time()
        [change] = self.heard
        self.assertEqual((change.key, change.kind), ("journal c1", "journal"))
        self.assertFalse(change.value["diagnosis"]["sound"])
        json.dumps(change.value)

    def test_changes(self) -> None:
        """What goes on is told again, under the same key."""
        contact = self.come()
        self.pass_time()
        contact.closed(self.clock.seconds(), "it broke")
        self.pass_time()
        self.assertEqual([change.key for change in self.heard], ["journal c1"] * 2)
        self.assertGreater(self.heard[1].value["ended"], 0)

    def test_burst(self) -> None:
        """A burst costs so much in a turn, and of what is too much the newest is told."""
        for number in range(WAITING * 2):
            self.journal.note("dns", True, f"note {number}")
        self.pass_time()
        self.assertEqual(len(self.heard), AT_ONCE)
        self.pass_time(WAITING)
        told: list[Any] = [change.value["diagnosis"]["sentence"] for change in self.heard]
        self.assertEqual(told, [f"note {number}" for number in range(WAITING, WAITING * 2)])

    def test_bounded(self) -> None:
        """Old ones are dropped from the feed."""
        for number in range(KEPT + 20):
            self.journal.note("dns", True, f"note {number}")
            self.pass_time()
        self.assertEqual(len(self.feed), KEPT)

    def test_stop(self) -> None:
        """When the server stops, nothing is left to be done."""
        self.come()
        self.made.stopService()
        self.come()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.made.startService()
