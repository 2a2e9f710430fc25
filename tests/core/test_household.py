"""Tests for L{bumper_tw.core.household}: who is found by what somebody types, and homes."""

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.household import MAX_HOME_NAME, MAX_HOMES, Household, home_name
from bumper_tw.errors import BadRequest, StorageError
from bumper_tw.storage.memory import MemoryAccountStore
from bumper_tw.values import Home
from tests.core.lodging import countings


class MoodyAccounts(MemoryAccountStore):
    """Accounts on a disk that is full now and then."""

    refuses = False
    asked = 0

    def save_home(self, home: Home) -> Deferred[None]:
        """It may have room for a home."""
        self.asked += 1
        return fail(StorageError("full")) if self.refuses else super().save_home(home)


class HouseholdCase(SynchronousTestCase):
    """Anna and Ben live here."""

    def setUp(self) -> None:
        self.store = MoodyAccounts()
        self.household = Household(Clock(), self.store, countings())
        for uid, account in (("a", "Anna@example.org"), ("b", "ben")):
            _, joined = self.household.join(uid, account)
            self.successResultOf(joined)

    def stored(self) -> list[Home]:
        """The homes on disk."""
        return self.successResultOf(self.store.load())[2]


class FindTests(HouseholdCase):
    """Users by account."""

    def found(self, account: str) -> str:
        """The uid of whoever is found."""
        user = self.household.find(account)
        return user.uid if user else ""

    def test_find(self) -> None:
        """Case and blanks around it do not matter; nobody is made up."""
        for account in ("Anna@example.org", "anna@EXAMPLE.org", " anna@example.org\n"):
            self.assertEqual(self.found(account), "a")
        for account in ("", "anna", "carl"):
            self.assertEqual(self.found(account), "")

    def test_alike(self) -> None:
        """Of two that differ in case alone, one has to be exact."""
        self.household.join("c", "BEN")
        self.assertEqual(
            [self.found(account) for account in ("ben", "BEN", "Ben")], ["b", "c", ""]
        )


class HomeTests(HouseholdCase):
    """The homes of a user."""

    def test_life(self) -> None:
        """What is made, named and given up is so on disk."""
        home = self.successResultOf(self.household.add_home("a", " Attic\x00 "))
        self.assertEqual((home.name, home.uid), ("Attic", "a"))
        self.assertIn(home, self.stored())
        named = self.successResultOf(self.household.rename_home("a", home.id, "Loft"))
        self.assertEqual(self.household.own_home("a", home.id), named)
        self.assertIn(named, self.stored())
        self.successResultOf(self.household.remove_home("a", home.id))
        self.assertIsNone(self.household.home(home.id))
        self.assertEqual(len(self.stored()), 2)

    def test_same_name(self) -> None:
        """What a home is called already is not written again, unless that failed."""
        [home] = self.household.homes("a")
        self.store.refuses = True
        self.failureResultOf(self.household.rename_home("a", home.id, "Loft"), StorageError)
        self.store.refuses, self.store.asked = False, 0
        for _ in range(2):
            self.successResultOf(self.household.rename_home("a", home.id, "Loft"))
        self.assertEqual(self.store.asked, 1)
        self.assertIn("Loft", [each.name for each in self.stored()])

    def test_others(self) -> None:
        """Nobody has to do with somebody else's home, or with none."""
        [home] = self.household.homes("a")
        for home_id in (home.id, "none"):
            for done in (
                self.household.rename_home("b", home_id, "Mine"),
                self.household.remove_home("b", home_id),
            ):
                self.failureResultOf(done, BadRequest)
        self.assertEqual(self.household.homes("a"), [home])

    def test_limits(self) -> None:
        """Everybody has one home at least, and so many at the most; nobody has none."""
        [home] = self.household.homes("a")
        self.failureResultOf(self.household.remove_home("a", home.id), BadRequest)
        for number in range(MAX_HOMES - 1):
            self.successResultOf(self.household.add_home("a", str(number)))
        self.failureResultOf(self.household.add_home("a", "one more"), BadRequest)
        self.failureResultOf(self.household.add_home("c", "nobody's"), BadRequest)

    def test_name(self) -> None:
        """A name is short, and there is one."""
        self.assertEqual(len(home_name("x" * 1000)), MAX_HOME_NAME)
        for text in ("", " ", "\n\x00"):
            self.assertRaises(BadRequest, home_name, text)

    def test_disk_refuses(self) -> None:
        """Whoever asked hears that it may not last."""
        household = Household(Clock(), FullStore(), countings())
        household.load(*self.successResultOf(self.store.load())[::2])
        self.failureResultOf(household.add_home("a", "Attic"), StorageError)


class FullStore(MemoryAccountStore):
    """A disk that takes no more homes."""

    def save_home(self, home: Home) -> Deferred[None]:
        """It is full."""
        return fail(StorageError("full"))
