"""Tests for L{bumper_tw.core.messages}: messages from what happens, and who has read them."""

from itertools import count
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core import messages as module
from bumper_tw.core.messages import (
    AGAIN,
    CLEANED,
    DAY,
    MOST_AT_ONCE,
    MOST_OF_ONE,
    OLDEST,
    WORN,
    HouseMessage,
    Messages,
)
from bumper_tw.core.permits import Everybody
from bumper_tw.errors import StorageError
from bumper_tw.readings import Battery, Errors, LifeSpan, Notice, Part, Reading, Report, Stats
from bumper_tw.storage.memory_records import MemoryRecordStore

DUSTY, RUSTY = "did-dusty", "did-rusty"
ANNA, BEN = "uid-anna", "uid-ben"


class OnlyDusty(Everybody):
    """Ben has nothing to do with Rusty."""

    def may_use(self, uid: str, did: str) -> bool:
        return uid != BEN or did == DUSTY


@frozen
class Offer:
    """Somebody shares a robot."""

    id: str
    did: str
    uid: str


class MessagesCase(SynchronousTestCase):
    """Two robots, and two people."""

    def setUp(self) -> None:
        self.clock, self.store, self.numbers = Clock(), MemoryRecordStore(), count(1)
        self.clock.advance(1_000_000.0)
        self.messages = self.again()

    def again(self, **options: Any) -> Messages:
        """The same messages after a start."""
        messages = Messages(
            self.clock, self.store, OnlyDusty(), lambda _: f"m{next(self.numbers)}", **options
        )
        self.successResultOf(messages.load(self.store))
        return messages

    def hear(self, reading: Reading, did: str = DUSTY, later: float = 1.0) -> None:
        """A robot says something, a second after the last time."""
        self.clock.advance(later)
        self.messages.heard(Report(did, reading, self.clock.seconds()))

    def about(self, uid: str = ANNA, **options: Any) -> list[str]:
        """What the messages are about, the newest first."""
        return [each.about for each in self.messages.about(uid, [DUSTY, RUSTY], **options)]


class ErrorTests(MessagesCase):
    """Errors of robots."""

    def test_new(self) -> None:
        """A new error is a message; going on with it, or ending it, is none."""
        for codes in ((), (110,), (110,), (), (104, 105), (104,)):
            self.hear(Errors(codes))
        self.assertEqual(self.about(), ["105", "110"])
        newest = self.messages.about(ANNA, [DUSTY])[0]
        self.assertEqual((newest.did, newest.kind), (DUSTY, "error"))
        self.assertEqual(newest.at, 1_000_005.0)

    def test_again(self) -> None:
        """The same error again is news after a while only."""
        for _ in range(3):
            self.hear(Errors((110,)))
            self.hear(Errors(()))
        self.assertEqual(self.about(), ["110"])
        self.hear(Errors((110,)), later=AGAIN)
        self.assertEqual(self.about(), ["110", "110"])

    def test_start(self) -> None:
        """An error that goes on when the server starts is not told again, a new one is."""
        self.hear(Errors((110,)))
        self.clock.advance(AGAIN * 2)
        self.messages = self.again()
        self.hear(Errors((110,)))
        self.assertEqual(self.about(), ["110"])
        self.messages = self.again()
        self.hear(Errors((105,)))
        self.assertEqual(self.about(), ["105", "110"])

    def test_inventions(self) -> None:
        """A robot that invents errors is not heard for a while; others are."""
        for code in range(1000, 1000 + MOST_AT_ONCE + 5):
            self.hear(Errors((code,)))
        self.assertEqual(len(self.about()), MOST_AT_ONCE)
        self.hear(Errors((110,)), RUSTY)
        self.hear(Errors((111,)), later=AGAIN)
        self.assertEqual(self.about()[:2], ["111", "110"])


class PartlyReadable(MemoryRecordStore):
    """A store of which the disk gives the messages, and not the marks."""

    def load(self, shelf: str) -> Deferred[dict[str, Any]]:
        return super().load(shelf) if shelf == "messages" else fail(StorageError("no"))


class ReloadTests(MessagesCase):
    """What the owner has removed by a command, while the server runs."""

    def test_half(self) -> None:
        """Also when the rest cannot be read, what is gone is gone, and news is heard."""
        for code in range(module.MOST_OF_ONE):
            self.hear(Errors((200 + code,)), later=60.0)
        store = PartlyReadable(shelves={"messages": {}})
        self.failureResultOf(self.messages.load(store))
        self.assertEqual(self.about(), [])
        self.hear(Errors((110,)), later=DAY)
        self.assertEqual(self.about(), ["110"])


class OtherNewsTests(MessagesCase):
    """Whatever else happens."""

    def test_cleaned(self) -> None:
        """The end of a job is a message, once."""
        job = Stats("7", 900, area=14, duration=1260)
        self.hear(job)
        self.assertEqual(self.about(), [])
        end = Stats("7", 900, 14, 1260, "auto", True, 1)
        self.hear(end)
        self.hear(end, later=DAY)
        [message] = self.messages.about(ANNA, [DUSTY])
        self.assertEqual((message.about, message.kind), (CLEANED, "evt"))
        self.assertEqual(
            message.facts, {"job": "7@900", "area": 14, "duration": 1260, "reason": 1}
        )
        self.hear(Stats("7", 90_000, stopped=True))
        self.assertEqual(self.about(), [CLEANED, CLEANED])

    def test_worn(self) -> None:
        """A consumable at its end is a message, and again after a week."""
        parts = (Part("brush", 900, 18_000), Part("heap", 6, 100), Part("dust", 1))
        for _ in range(2):
            self.hear(LifeSpan(parts))
        [message] = self.messages.about(ANNA, [DUSTY])
        self.assertEqual(message.about, WORN)
        self.assertEqual(message.facts, {"part": "brush", "percent": 5})
        self.hear(LifeSpan(parts), later=module.WORN_AGAIN)
        self.assertEqual(self.about(), [WORN, WORN])

    def test_events(self) -> None:
        """Of the other events those that somebody should know of."""
        codes: tuple[Any, ...] = (1026, 1007, "1026", [])
        data: Any
        for data in [*({"code": code} for code in codes), [], None]:
            self.hear(Notice("onEvt", data))
        self.hear(Notice("onOther", {"code": 1026}))
        self.hear(Battery(1, True))
        self.assertEqual(self.about(), ["1026"])

    def test_kinds(self) -> None:
        """Each kind can be read for itself."""
        self.hear(Errors((110,)))
        self.hear(Notice("onEvt", {"code": 1026}))
        self.assertEqual(self.about(kinds={"error"}), ["110"])
        self.assertEqual(self.about(kinds={"evt"}), ["1026"])

    def test_invitation(self) -> None:
        """An invitation is to one user only; a second one replaces it."""
        self.messages.invited(Offer("s1", RUSTY, BEN))
        self.messages.invited(Offer("s2", RUSTY, BEN))
        self.messages.invited(Offer("s3", DUSTY, BEN))
        for messages in (self.messages, self.again()):
            self.assertEqual([each.id for each in messages.to(BEN)], ["s3", "s2"])
            self.assertEqual((messages.to(ANNA), messages.to("")), ([], []))
            self.assertEqual(messages.about(BEN, [DUSTY, RUSTY]), [])


class KeepingTests(MessagesCase):
    """How much is kept, and for how long."""

    def fill(self, number: int, did: str = DUSTY) -> None:
        """So many different errors, far enough apart."""
        for code in range(number):
            self.hear(Errors((code + 1,)), did, AGAIN)

    def test_start(self) -> None:
        """They are there after a start."""
        self.fill(2)
        self.messages = self.again()
        self.assertEqual(self.about(), ["2", "1"])

    def test_most(self) -> None:
        """The oldest of a robot goes, in memory and on disk."""
        self.fill(1, RUSTY)
        self.fill(MOST_OF_ONE + 2)
        for messages in (self.messages, self.again()):
            self.messages = messages
            self.assertEqual(len(self.about()), MOST_OF_ONE + 1)
            self.assertEqual(self.about()[-1], "1")

    def test_full(self) -> None:
        """When there is no room the one that talks most loses its oldest, and nobody else."""
        self.fill(2)
        self.messages = self.again(most=5)
        self.fill(10, RUSTY)
        self.messages.invited(Offer("s1", DUSTY, BEN))
        for messages in (self.messages, self.again()):
            self.messages = messages
            self.assertEqual(self.about(), ["10", "9", "2", "1"])
            self.assertEqual(len(messages.to(BEN)), 1)

    def test_full_of_ones(self) -> None:
        """With one message each, the first that spoke gives way."""
        self.messages = self.again(most=1)
        self.fill(1)
        self.fill(1, RUSTY)
        self.assertEqual([each.did for each in self.messages.about(ANNA, [DUSTY, RUSTY])], [RUSTY])

    def test_nobodys(self) -> None:
        """Where robots have owners, nobody would read what happens to nobody's."""
        self.messages = self.again(owner={DUSTY: ANNA}.get)
        self.fill(1)
        self.fill(1, RUSTY)
        self.assertEqual(len(self.store.shelves["messages"]), 1)

    def test_old(self) -> None:
        """What is too old is not shown, and then not kept."""
        self.fill(1)
        self.clock.advance(OLDEST)
        self.assertEqual(self.about(), [])
        self.messages.purge()
        self.assertEqual(self.store.shelves["messages"], {})

    def test_forget(self) -> None:
        """With a robot goes what there is about it, invitations too."""
        self.fill(1)
        self.fill(1, RUSTY)
        self.messages.invited(Offer("s1", DUSTY, BEN))
        self.messages.forget(DUSTY)
        for messages in (self.messages, self.again()):
            self.messages = messages
            self.assertEqual((len(self.about()), messages.to(BEN)), (1, []))
        self.hear(Errors((1,)))
        self.assertEqual(len(self.about()), 2)


class ReaderTests(MessagesCase):
    """Who sees and reads what."""

    def setUp(self) -> None:
        super().setUp()
        self.hear(Errors((110,)), DUSTY)
        self.hear(Errors((110,)), RUSTY)
        self.hear(Errors((105,)), DUSTY)

    def unread(self, uid: str) -> int:
        """How many messages somebody has not read."""
        return self.messages.unread(uid, self.messages.about(uid, [DUSTY, RUSTY]))

    def test_permits(self) -> None:
        """Nobody reads about robots that are none of his business."""
        self.assertEqual([self.unread(uid) for uid in (ANNA, BEN, "")], [3, 2, 3])

    def test_one(self) -> None:
        """One message is read by one user, also after a start."""
        newest = self.messages.about(ANNA, [DUSTY])[0]
        self.successResultOf(self.messages.read(ANNA, [newest.id, newest.id, "none"]))
        for messages in (self.messages, self.again()):
            self.messages = messages
            self.assertTrue(messages.is_read(ANNA, newest))
            self.assertFalse(messages.is_read(BEN, newest))
            self.assertEqual([self.unread(uid) for uid in (ANNA, BEN)], [2, 2])

    def test_strangers(self) -> None:
        """One cannot mark what one cannot read."""
        [rusty] = self.messages.about(ANNA, [RUSTY])
        self.messages.invited(Offer("s1", DUSTY, BEN))
        self.messages.read(BEN, [rusty.id])
        self.messages.read(ANNA, ["s1"])
        self.assertEqual(list(self.store.shelves.get("message_marks", ())), [])

    def test_all(self) -> None:
        """Everything is read; what comes later is not."""
        self.successResultOf(self.messages.read_all(ANNA))
        self.assertEqual([self.unread(uid) for uid in (ANNA, BEN)], [0, 2])
        self.hear(Errors((101,)))
        self.assertEqual(self.unread(ANNA), 1)

    def test_nothing_new(self) -> None:
        """Nothing is written when there was nothing to read."""
        self.successResultOf(self.messages.read_all(BEN))
        before = dict(self.store.shelves["message_marks"])
        self.hear(Errors((101,)), RUSTY)
        [rusty, *_] = self.messages.about(ANNA, [DUSTY])
        self.messages.read_all(BEN)
        self.messages.read(BEN, [rusty.id])
        self.assertEqual(self.store.shelves["message_marks"], before)
        self.hear(Errors((102,)))
        self.messages.read_all(BEN)
        self.assertNotEqual(self.store.shelves["message_marks"], before)
        self.assertEqual(self.unread(BEN), 0)

    def test_marks(self) -> None:
        """Marks of messages that are gone go, too."""
        ids = [each.id for each in self.messages.about(ANNA, [DUSTY, RUSTY])]
        self.messages.read(ANNA, ids)
        self.messages.forget(RUSTY)
        self.hear(Errors((101,)))
        newest = self.messages.about(ANNA, [DUSTY])[0]
        self.messages.read(ANNA, [newest.id])
        self.assertEqual(self.store.shelves["message_marks"][ANNA].count('"m'), 3)

    def test_switches(self) -> None:
        """Everybody is told of everything, until he does not want it any more."""
        self.assertTrue(self.messages.wants(ANNA, DUSTY))
        self.successResultOf(self.messages.switch(ANNA, DUSTY, False))
        self.successResultOf(self.messages.switch(ANNA, "SHARE", False))
        self.successResultOf(self.messages.switch(ANNA, "SHARE", True))
        for messages in (self.messages, self.again()):
            wanted = [messages.wants(ANNA, name) for name in (DUSTY, "SHARE", RUSTY)]
            self.assertEqual(wanted, [False, True, True])
            self.assertTrue(messages.wants(BEN, DUSTY))

    def test_departed(self) -> None:
        """Somebody who is gone leaves nothing to the next of that name."""
        self.messages.read_all(ANNA)
        self.messages.switch(ANNA, DUSTY, False)
        self.messages.invited(Offer("s1", DUSTY, ANNA))
        self.messages.departed([ANNA])
        for messages in (self.messages, self.again()):
            self.messages = messages
            self.assertEqual((self.unread(ANNA), messages.to(ANNA)), (3, []))
            self.assertTrue(messages.wants(ANNA, DUSTY))

    def test_record(self) -> None:
        """Messages come back from the disk as they were."""
        before = self.messages.about(ANNA, [DUSTY])
        self.assertEqual(self.again().about(ANNA, [DUSTY]), before)
        self.assertIsInstance(before[0], HouseMessage)
