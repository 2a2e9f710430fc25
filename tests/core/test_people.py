"""Tests for L{bumper_tw.core.people}: profiles, settings, agreements, and what apps keep."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.people import (
    MAX_ACCEPTED,
    MAX_KEPT,
    MAX_KEPT_BYTES,
    MAX_SETTINGS,
    Kept,
    People,
    Profile,
)
from bumper_tw.errors import BadRequest, StorageError
from bumper_tw.storage.memory_records import MemoryRecordStore
from tests.core.test_shelf import MoodyStore

ANNA, BEN, NOBODY = "uid-anna", "uid-ben", ""


class PeopleCase(SynchronousTestCase):
    """Two people, and nobody in particular."""

    def setUp(self) -> None:
        self.clock, self.store = Clock(), MemoryRecordStore()
        self.clock.advance(1000.0)
        self.people = self.again()

    def again(self) -> People:
        """The same people after a start."""
        people = People(self.clock, self.store)
        self.successResultOf(people.load(self.store))
        return people


class ProfileTests(PeopleCase):
    """What somebody says of himself."""

    def test_change(self) -> None:
        """What is said is kept, what is not said stays, and an empty text takes it back."""
        done = self.people.change(ANNA, nickname="Änni\n", country="de")
        self.assertEqual(self.successResultOf(done), Profile("Änni", "DE"))
        self.successResultOf(self.people.change(ANNA, language="de", country=""))
        for people in (self.people, self.again()):
            self.assertEqual(people.profile(ANNA), Profile("Änni", "", "de"))
            self.assertEqual(people.profile(BEN), Profile())

    def test_wrong(self) -> None:
        """What is no country or no language is refused, and changes nothing."""
        for wrong in ({"country": "xx"}, {"country": "Germany"}, {"language": "<b>"}):
            self.failureResultOf(self.people.change(ANNA, nickname="A", **wrong), BadRequest)
        self.assertEqual(self.people.profile(ANNA), Profile())

    def test_islands(self) -> None:
        """The vendor's own code for Great Britain is one."""
        self.assertEqual(
            self.successResultOf(self.people.change(ANNA, country="uk")).country, "UK"
        )

    def test_came_from(self) -> None:
        """Where an app is counts until something else is known; nonsense never does."""
        self.people.came_from(ANNA, "xx", "no language")
        self.assertEqual(self.people.profile(ANNA), Profile())
        self.people.came_from(ANNA, "de", "EN")
        self.people.came_from(ANNA, "us", "fr")
        self.assertEqual(self.people.profile(ANNA), Profile("", "DE", "EN"))

    def test_forget(self) -> None:
        """Whoever is gone leaves nothing to the next of that name."""
        self.people.change(ANNA, nickname="A")
        self.people.choose(ANNA, "x", "Y")
        self.people.accept(ANNA, ["one"])
        self.people.keep(ANNA, "map", "1")
        self.people.keep(BEN, "map", "2")
        self.successResultOf(self.people.forget([ANNA]))
        for people in (self.people, self.again()):
            self.assertEqual(people.profile(ANNA), Profile())
            self.assertEqual(people.setting(ANNA, "x"), "")
            self.assertEqual((people.accepted(ANNA), people.kept(ANNA)), ({}, []))
            self.assertEqual(len(people.kept(BEN)), 1)


class ChoiceTests(PeopleCase):
    """Settings."""

    def test_choose(self) -> None:
        """What is set is read back, by the one who has set it; otherwise the default."""
        self.successResultOf(self.people.choose(ANNA, "ACTIVITY", "Y"))
        self.successResultOf(self.people.choose(NOBODY, "ACTIVITY", "N"))
        for people in (self.people, self.again()):
            self.assertEqual(people.setting(ANNA, "ACTIVITY", "N"), "Y")
            self.assertEqual(people.setting(NOBODY, "ACTIVITY", "Y"), "N")
            self.assertEqual(people.setting(BEN, "ACTIVITY", "-"), "-")

    def test_bounds(self) -> None:
        """There is an end to how many settings there are, and how long they are."""
        for number in range(MAX_SETTINGS):
            self.successResultOf(self.people.choose(ANNA, str(number), "Y"))
        for name, value in (("more", "Y"), ("", "Y"), ("x" * 65, "Y"), ("0", "Y" * 201)):
            self.failureResultOf(self.people.choose(ANNA, name, value), BadRequest)
        self.successResultOf(self.people.choose(ANNA, "0", "N"))
        self.assertEqual(self.people.setting(ANNA, "0"), "N")


class AcceptedTests(PeopleCase):
    """Agreements."""

    def test_accept(self) -> None:
        """The first time counts."""
        self.people.accept(ANNA, ["one"])
        self.clock.advance(5)
        self.people.accept(ANNA, ["one", "two"])
        for people in (self.people, self.again()):
            self.assertEqual(people.accepted(ANNA), {"one": 1000.0, "two": 1005.0})
            self.assertEqual(people.accepted(BEN), {})

    def test_bounds(self) -> None:
        """The newest ones stay."""
        self.people.accept(ANNA, map(str, range(MAX_ACCEPTED + 1)))
        self.assertEqual(len(self.people.accepted(ANNA)), MAX_ACCEPTED)
        self.assertNotIn("0", self.people.accepted(ANNA))


class KeptTests(PeopleCase):
    """What apps keep for their users."""

    def test_keep(self) -> None:
        """A value stays until it is replaced or dropped; when it was made is remembered."""
        self.successResultOf(self.people.keep(ANNA, "map", '{"a":1}'))
        self.clock.advance(5)
        self.successResultOf(self.people.keep(ANNA, "map", '{"a":2}'))
        self.successResultOf(self.people.keep(ANNA, "home", '"x"'))
        for people in (self.people, self.again()):
            self.assertEqual(people.kept_as(ANNA, "map"), Kept("map", '{"a":2}', 1000.0, 1005.0))
            self.assertEqual([each.key for each in people.kept(ANNA)], ["map", "home"])
            self.assertIsNone(people.kept_as(BEN, "map"))
        self.successResultOf(self.people.drop(ANNA, ["map", "nothing", "a\nb"]))
        self.assertIsNone(self.people.kept_as(ANNA, "map"))

    def test_apart(self) -> None:
        """One user's name may begin like another's."""
        self.people.keep("uid", "x", "1")
        self.people.keep("uid-anna", "x", "2")
        self.assertEqual([each.text for each in self.people.kept("uid")], ["1"])

    def test_bounds(self) -> None:
        """There is an end to how much that is."""
        for key, text in (("", "1"), ("x" * 201, "1"), ("a\nb", "1"), ("k", "x" * 4097)):
            self.failureResultOf(self.people.keep(ANNA, key, text), BadRequest)
        self.failureResultOf(self.people.keep(ANNA, "k", "ä" * MAX_KEPT_BYTES), BadRequest)
        for number in range(MAX_KEPT):
            self.successResultOf(self.people.keep(ANNA, str(number), "1"))
        self.failureResultOf(self.people.keep(ANNA, "more", "1"), BadRequest)
        self.successResultOf(self.people.keep(ANNA, "0", "2"))
        self.successResultOf(self.people.keep(BEN, "0", "2"))


class RefusedTests(SynchronousTestCase):
    """The same again costs nothing, unless the disk has not taken it yet."""

    def test_same(self) -> None:
        """It is written when it is new, tried again while it fails, and not written twice."""
        store = MoodyStore()
        people = People(Clock(), store)
        says: tuple[Callable[[], Deferred[Any]], ...] = (
            lambda: people.change(ANNA, nickname="Anni"),
            lambda: people.choose(ANNA, "EMAIL", "Y"),
            lambda: people.accept(ANNA, ["terms"]),
            lambda: people.keep(ANNA, "map", "1"),
        )
        for say in says:
            store.full = True
            for _ in range(2):
                self.failureResultOf(say(), StorageError)
            store.full, store.asked = False, 0
            for _ in range(2):
                self.successResultOf(say())
            self.assertEqual(store.asked, 1)

    def test_flush(self) -> None:
        """Whoever was to be forgotten is, once the disk can."""
        store = MoodyStore()
        people = People(Clock(), store)
        self.successResultOf(people.keep(ANNA, "map", "1"))
        store.full = True
        self.failureResultOf(people.forget([ANNA]), StorageError)
        store.full = False
        self.successResultOf(people.flush())
        self.assertEqual(self.successResultOf(store.load("user_data")), {})
