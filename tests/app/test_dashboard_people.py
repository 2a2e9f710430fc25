"""Tests for L{bumper_tw.app.dashboard_people}: accounts of a server that runs."""

from secrets import token_hex
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.cli import at_once
from bumper_tw.app.dashboard_people import PeopleDesk, Ways
from bumper_tw.app.expelling import reload_accounts
from bumper_tw.app.settings import Settings
from bumper_tw.core.owner import Owner
from bumper_tw.core.passwords import Passwords
from bumper_tw.core.policies import uid_of
from bumper_tw.core.turns import Turns
from bumper_tw.errors import BadRequest, DeviceUnknown, StorageError
from bumper_tw.storage.accounts import AccountStore
from tests.flows.house import House
from tests.robots import MqttPeer

ALICE, WORD = "alice@example.org", "correct horse"


class PeopleCase(SynchronousTestCase):
    """A strict house, and its owner at his page."""

    def setUp(self) -> None:
        settings = Settings()
        strict = evolve(settings.identity, policy="strict")
        self.house = House(evolve(settings, identity=strict))
        database: Any = self.house.database
        self.store = AccountStore(database)
        passwords = Passwords(at_once, token_hex, Turns())
        self.ways = Ways(
            self.store.passwords, self.robots, self.house.facts.belongings.departed, self.reload
        )
        owner = Owner(self.house.clock, self.store, passwords)
        self.desk = PeopleDesk(owner, self.ways)

    def robots(self, uid: str) -> list[str]:
        """Alice has one."""
        return ["did-of-dusty"] if uid == uid_of(ALICE) else []

    def reload(self) -> Deferred[None]:
        """What SIGHUP does."""
        parties = (self.house.brokerage.router.clients, self.house.xmpp)
        return reload_accounts(self.house.facts, parties, self.store)

    def add(self, account: str = ALICE, password: str = WORD) -> None:
        """One more account."""
        self.successResultOf(self.desk.set_password(account, password, new=True))

    def listening(self) -> MqttPeer:
        """A script of Alice's, at the broker."""
        peer = MqttPeer(self.house.mqtt)
        peer.connect("script", ALICE, WORD.encode())
        return peer


class PeopleTests(PeopleCase):
    """What is done with accounts."""

    def test_added(self) -> None:
        """Somebody who is added is in the list, without a trace of his password."""
        self.add()
        [told] = self.successResultOf(self.desk.users())
        self.assertEqual(told["account"], ALICE)
        self.assertEqual((told["password"], told["robots"]), (True, ["did-of-dusty"]))
        self.assertNotIn(WORD, repr(told))

    def test_comes_in(self) -> None:
        """He can log in at once; with another password whoever is in is cut, and comes anew."""
        self.add()
        peer = self.listening()
        self.assertTrue(peer.wire.connected)
        self.successResultOf(self.desk.set_password(ALICE, "battery staple", new=False))
        self.assertFalse(peer.wire.connected)
        again = self.listening()
        self.assertFalse(again.wire.connected)

    def test_removed(self) -> None:
        """Somebody who is removed is logged out at once, and leaves nothing."""
        self.add()
        peer = self.listening()
        self.successResultOf(self.desk.remove(ALICE))
        self.assertFalse(peer.wire.connected)
        self.assertEqual(self.successResultOf(self.desk.users()), [])
        self.assertEqual(self.successResultOf(self.store.passwords()), {})

    def test_refused(self) -> None:
        """Accounts that are there, are not, or could not be, and passwords that are too short."""
        self.add()
        cases: list[tuple[str, str, bool, type[Exception]]] = [
            (ALICE, WORD, True, BadRequest),
            ("bob", WORD, False, DeviceUnknown),
            ("bob", "short", True, BadRequest),
            ("bob", "x" * 201, True, BadRequest),
            ("", WORD, True, BadRequest),
            ("a\nb", WORD, True, BadRequest),
            ("x" * 255, WORD, True, BadRequest),
        ]
        for account, password, new, expected in cases:
            self.failureResultOf(self.desk.set_password(account, password, new), expected)
        self.failureResultOf(self.desk.remove("bob"), DeviceUnknown)
        self.assertEqual(len(self.successResultOf(self.desk.users())), 1)

    def test_two_browsers(self) -> None:
        """Of two that add the same account one is told that it is there."""
        first = self.desk.set_password(ALICE, WORD, new=True)
        second = self.desk.set_password(ALICE, "battery staple", new=True)
        self.successResultOf(first)
        self.failureResultOf(second, BadRequest)

    def test_disk_refuses(self) -> None:
        """What the disk does not let go stays, and the next try is not in its way."""
        self.add()
        refusing = evolve(self.ways, departed=lambda _: fail(StorageError("the disk is full")))
        owner = self.desk._owner
        desk = PeopleDesk(owner, refusing)
        self.failureResultOf(desk.remove(ALICE), StorageError)
        self.assertEqual(len(self.successResultOf(self.desk.users())), 1)
        self.failureResultOf(desk.remove(ALICE), StorageError)
        self.successResultOf(self.desk.remove(ALICE))
