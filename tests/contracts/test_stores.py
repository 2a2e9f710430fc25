"""What every store of robots and accounts does, in dictionaries and in SQL alike."""

from typing import TYPE_CHECKING

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from bumper_tw.interfaces import IAccountStore, IDeviceStore
from bumper_tw.storage.accounts import AccountStore
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.devices import DeviceStore
from bumper_tw.storage.memory import MemoryAccountStore, MemoryDeviceStore
from bumper_tw.values import Company, Device, DeviceId, Home, PayloadKind, Token, User

if TYPE_CHECKING:
    Contract = SynchronousTestCase
else:
    Contract = object

DUSTY = Device(
    DeviceId("dusty", "yna5xi", "atom"),
    name="E000123",
    company=Company.XMPP,
    kind=PayloadKind.XML,
    nick="Däumling \N{BROOM}",
    firmware="1.8.2",
    bound_at=1700000000.25,
    home="h1",
)
SANDY = Device(DeviceId("sandy", "p95mgv", "x"))

ANN = User("u1", "ann@home", 1.5)
BOB = User("u2", "bob@home", 2.5)
TICKET = Token("d1", "u1", "access", 100.5, "phone")
HOUSE = Home("h1", "u1", "House", 3.5)


class DeviceStoreContract(Contract):
    """What any L{IDeviceStore} does."""

    def make(self) -> IDeviceStore:
        """A fresh provider."""
        raise NotImplementedError

    def setUp(self) -> None:
        self.store = self.make()

    def load(self) -> list[Device]:
        """What is in the store."""
        return self.successResultOf(self.store.load())

    def test_provides(self) -> None:
        """It keeps the signatures of the promise."""
        self.assertTrue(verifyObject(IDeviceStore, self.store))

    def test_empty(self) -> None:
        """A fresh store knows nobody."""
        self.assertEqual(self.load(), [])

    def test_whole(self) -> None:
        """Every field of a robot comes back, and the first known comes first."""
        self.successResultOf(self.store.save(DUSTY))
        self.successResultOf(self.store.save(SANDY))
        self.assertEqual(self.load(), [DUSTY, SANDY])

    def test_replaced(self) -> None:
        """A robot that is saved again changes and keeps its place."""
        self.store.save(DUSTY)
        self.store.save(SANDY)
        moved = evolve(DUSTY, id=DeviceId("dusty", "other", "new"), nick="", firmware="2")
        self.successResultOf(self.store.save(moved))
        self.assertEqual(self.load(), [moved, SANDY])

    def test_removed(self) -> None:
        """Dropping a robot leaves the others; when it is back, it is the last."""
        self.store.save(DUSTY)
        self.store.save(SANDY)
        self.successResultOf(self.store.remove("dusty"))
        self.assertEqual(self.load(), [SANDY])
        self.store.save(DUSTY)
        self.assertEqual(self.load(), [SANDY, DUSTY])

    def test_removed_unknown(self) -> None:
        """Dropping a robot that is not there is fine."""
        self.successResultOf(self.store.remove("dusty"))
        self.assertEqual(self.load(), [])


class AccountStoreContract(Contract):
    """What any L{IAccountStore} does."""

    def make(self) -> IAccountStore:
        """A fresh provider."""
        raise NotImplementedError

    def setUp(self) -> None:
        self.store = self.make()

    def load(self) -> tuple[list[User], list[Token], list[Home]]:
        """What is in the store."""
        return self.successResultOf(self.store.load())

    def test_provides(self) -> None:
        """It keeps the signatures of the promise."""
        self.assertTrue(verifyObject(IAccountStore, self.store))

    def test_empty(self) -> None:
        """A fresh store knows nobody."""
        self.assertEqual(self.load(), ([], [], []))

    def test_whole(self) -> None:
        """Every field of a user, a token and a home comes back."""
        self.successResultOf(self.store.save_user(ANN))
        self.successResultOf(self.store.save_token(TICKET))
        self.successResultOf(self.store.save_home(HOUSE))
        self.assertEqual(self.load(), ([ANN], [TICKET], [HOUSE]))

    def test_order(self) -> None:
        """Users and homes come in the order they became known, whatever they are called."""
        shed = Home("a", "u1", "Shed")
        for user in (BOB, ANN, evolve(BOB, account="bobby")):
            self.store.save_user(user)
        for home in (HOUSE, shed, evolve(HOUSE, name="Villa")):
            self.store.save_home(home)
        users, _, homes = self.load()
        self.assertEqual(users, [evolve(BOB, account="bobby"), ANN])
        self.assertEqual(homes, [evolve(HOUSE, name="Villa"), shed])

    def test_token_replaced(self) -> None:
        """A token that is saved again has the new end."""
        self.store.save_token(TICKET)
        later = evolve(TICKET, expires_at=200.0)
        self.store.save_token(later)
        self.assertEqual(self.load()[1], [later])

    def test_token_in_place_of_others(self) -> None:
        """A new token and the end of those it takes the place of are one change."""
        self.store.save_token(evolve(TICKET, digest="old"))
        self.successResultOf(self.store.save_token(TICKET, ["old", "nobody's"]))
        self.assertEqual(self.load()[1], [TICKET])

    def test_tokens_removed(self) -> None:
        """Tokens go one and all, unknown ones and none at all are fine."""
        other = evolve(TICKET, digest="d2")
        self.store.save_token(TICKET)
        self.store.save_token(other)
        self.successResultOf(self.store.remove_tokens([]))
        self.successResultOf(self.store.remove_tokens(["d1", "nobody's"]))
        self.assertEqual(self.load()[1], [other])

    def test_home_removed(self) -> None:
        """Homes go, unknown ones are fine."""
        self.store.save_home(HOUSE)
        self.successResultOf(self.store.remove_home("h1"))
        self.successResultOf(self.store.remove_home("h1"))
        self.assertEqual(self.load()[2], [])

    def test_no_password(self) -> None:
        """Nobody, and a user who was never given one, have no password."""
        self.store.save_user(ANN)
        self.assertIsNone(self.successResultOf(self.store.password("u1")))
        self.assertIsNone(self.successResultOf(self.store.password("u9")))

    def test_password_adds(self) -> None:
        """Setting a password makes the user known."""
        self.successResultOf(self.store.set_password(ANN, "hash"))
        self.assertEqual(self.load()[0], [ANN])
        self.assertEqual(self.successResultOf(self.store.password("u1")), "hash")

    def test_password_changes(self) -> None:
        """Setting it again changes the password, and nothing else about the user."""
        self.store.set_password(ANN, "old")
        self.store.set_password(evolve(ANN, created_at=99.0), "new")
        self.assertEqual(self.successResultOf(self.store.password("u1")), "new")
        self.assertEqual(self.load()[0], [ANN])

    def test_passwords(self) -> None:
        """All who have a password, with its hash."""
        self.store.save_user(ANN)
        self.assertEqual(self.successResultOf(self.store.passwords()), {})
        self.store.set_password(ANN, "hash")
        self.assertEqual(self.successResultOf(self.store.passwords()), {"u1": "hash"})
        self.store.remove_user("u1")
        self.assertEqual(self.successResultOf(self.store.passwords()), {})

    def test_password_stays(self) -> None:
        """Saving a user does not touch the password."""
        self.store.set_password(ANN, "hash")
        self.store.save_user(evolve(ANN, account="anne"))
        self.assertEqual(self.successResultOf(self.store.password("u1")), "hash")
        self.assertEqual(self.load()[0], [evolve(ANN, account="anne")])

    def test_user_removed(self) -> None:
        """With a user go tokens, homes and password; those of others stay."""
        for user, digest, home in ((ANN, "d1", "h1"), (BOB, "d2", "h2")):
            self.store.set_password(user, "hash")
            self.store.save_token(evolve(TICKET, digest=digest, uid=user.uid))
            self.store.save_home(evolve(HOUSE, id=home, uid=user.uid))
        self.successResultOf(self.store.remove_user("u1"))
        users, tokens, homes = self.load()
        self.assertEqual(
            (users, [t.digest for t in tokens], [h.id for h in homes]), ([BOB], ["d2"], ["h2"])
        )
        self.assertIsNone(self.successResultOf(self.store.password("u1")))


class MemoryDeviceStoreTests(DeviceStoreContract, SynchronousTestCase):
    """Robots in a dictionary."""

    def make(self) -> IDeviceStore:
        return MemoryDeviceStore()


class SqlDeviceStoreTests(DeviceStoreContract, SynchronousTestCase):
    """Robots in SQL."""

    def make(self) -> IDeviceStore:
        return DeviceStore(InlineDatabase())


class MemoryAccountStoreTests(AccountStoreContract, SynchronousTestCase):
    """Accounts in dictionaries."""

    def make(self) -> IAccountStore:
        return MemoryAccountStore()


class SqlAccountStoreTests(AccountStoreContract, SynchronousTestCase):
    """Accounts in SQL."""

    def make(self) -> IAccountStore:
        return AccountStore(InlineDatabase())
