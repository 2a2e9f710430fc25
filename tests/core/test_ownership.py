"""Tests for L{bumper_tw.core.ownership} and L{bumper_tw.core.fleet}: whose robots are."""

from collections.abc import Iterable, Mapping

from attrs import evolve
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.fleet import placed
from bumper_tw.core.ownership import ACCEPTED, INVITED, MAX_SHARES, Ownership, OwnersOnly, Share
from bumper_tw.core.pairing import PATIENCE
from bumper_tw.core.permits import Everybody, robot_of
from bumper_tw.errors import BadRequest, DeviceUnknown, StorageError
from bumper_tw.people_interfaces import IPermits
from bumper_tw.storage.memory import MemoryDeviceStore
from bumper_tw.storage.memory_records import MemoryRecordStore
from bumper_tw.values import Home
from tests.core.fleets import fleet_of, ownership_of
from tests.core.test_shelf import MoodyStore
from tests.samples import DUSTY, DUSTY_DEVICE, RUSTY, RUSTY_DEVICE, RecordingLink

ANNA, BEN, CARL = "anna", "ben", "carl"
DID = DUSTY.did


class OwnershipCase(SynchronousTestCase):
    """Owners and shares of nothing yet."""

    def setUp(self) -> None:
        self.clock, self.store = Clock(), MemoryRecordStore()
        self.ownership = ownership_of(self.clock, self.store)
        self.permits = OwnersOnly(self.ownership)
        self.changed: list[str] = []
        self.permits.listen(self.changed.append)

    def again(self) -> Ownership:
        """What the next start finds."""
        found = ownership_of(self.clock, self.store)
        self.successResultOf(found.load(self.store))
        return found

    def give(self, uid: str = ANNA, did: str = DID) -> None:
        """A robot is given to somebody."""
        self.successResultOf(self.ownership.give(did, uid))

    def share(self, uid: str = BEN, by: str = ANNA) -> Share:
        """A robot is offered to somebody, who takes it."""
        share = self.successResultOf(self.ownership.invite(DID, by, uid))
        self.successResultOf(self.ownership.accept(DID, uid))
        return share

    def may(self, uid: str, did: str = DID) -> tuple[bool, bool]:
        """Whether somebody uses a robot, and whether he keeps it."""
        return self.permits.may_use(uid, did), self.permits.may_keep(uid, did)


class OwnerTests(OwnershipCase):
    """Owners."""

    def test_interface(self) -> None:
        """Both ways keep the promise."""
        verifyObject(IPermits, self.permits)
        verifyObject(IPermits, Everybody())

    def test_nobody(self) -> None:
        """What is nobody's is not for anybody, least of all for nobody in particular."""
        for uid in (ANNA, ""):
            self.assertEqual(self.may(uid), (False, False))
            self.assertEqual(self.may(uid, ""), (False, False))
        self.assertEqual(self.ownership.orphans([DID, "other"]), [DID, "other"])

    def test_give(self) -> None:
        """A robot is its owner's at once, and after a start."""
        self.clock.advance(7)
        self.give()
        for ownership in (self.ownership, self.again()):
            self.assertEqual(ownership.owner(DID), ANNA)
            self.assertEqual(ownership.orphans([DID, "other"]), ["other"])
        self.assertEqual((self.may(ANNA), self.may(BEN)), ((True, True), (False, False)))
        self.assertEqual(self.changed, [DID])

    def test_give_away(self) -> None:
        """With the next owner, what the last one had shared ends; the same one changes nothing."""
        self.give()
        self.share()
        self.give()
        self.assertTrue(self.permits.may_use(BEN, DID))
        self.give(CARL)
        self.assertEqual([self.may(uid)[0] for uid in (ANNA, BEN, CARL)], [False, False, True])

    def test_give_to_guest(self) -> None:
        """Who gets a robot that was nobody's is no guest any more; others stay."""
        self.share(BEN, by="")
        self.share(CARL, by="")
        self.give(BEN)
        self.assertEqual([each.uid for each in self.ownership.shares(DID)], [CARL])

    def test_give_nothing(self) -> None:
        """Neither no robot, nor to nobody."""
        for did, uid in (("", ANNA), (DID, "")):
            self.failureResultOf(self.ownership.give(did, uid), BadRequest)

    def test_forgotten(self) -> None:
        """A robot that is removed leaves nothing."""
        self.give()
        self.share()
        self.give(CARL, "other")
        del self.changed[:]
        self.ownership.forgotten(DID)
        self.ownership.forgotten("unheard of")
        for ownership in (self.ownership, self.again()):
            self.assertEqual((ownership.owner(DID), list(ownership.shares(DID))), ("", []))
            self.assertEqual(ownership.owner("other"), CARL)
        self.assertEqual(self.changed, [DID])

    def test_departed(self) -> None:
        """A user who is gone leaves nothing to whoever is called so next."""
        self.give()
        self.share()
        self.give(BEN, "other")
        self.successResultOf(self.ownership.departed({BEN}))
        for ownership in (self.ownership, self.again()):
            self.assertEqual((ownership.owner(DID), ownership.owner("other")), (ANNA, ""))
            self.assertEqual(list(ownership.shares_with(BEN)), [])

    def test_reload(self) -> None:
        """What the owner of the box has changed on disk counts when it is read again."""
        self.give()
        beside = self.again()
        self.successResultOf(beside.give(DID, BEN))
        self.assertTrue(self.permits.may_keep(ANNA, DID))
        del self.changed[:]
        self.successResultOf(self.ownership.load(self.store))
        self.assertEqual((self.may(ANNA), self.may(BEN)), ((False, False), (True, True)))
        self.assertEqual(self.changed, [DID])

    def test_reload_meanwhile(self) -> None:
        """What changes while the disk is read is not lost."""
        slow = SlowStore(self.store)
        ready = self.ownership.load(slow)
        self.give()
        for _ in range(3):
            slow.go_on()
            self.assertNoResult(ready)
        slow.go_on()
        self.successResultOf(ready)
        self.assertEqual(self.ownership.owner(DID), ANNA)

    def test_disk_refuses(self) -> None:
        """Whoever gives a robot away hears that it may not last; a forgotten one is logged."""
        ownership = ownership_of(self.clock, FullStore())
        self.failureResultOf(ownership.give(DID, ANNA), StorageError)
        ownership.forgotten(DID)
        self.assertEqual(len(self.flushLoggedErrors(StorageError)), 1)
        self.assertEqual(ownership.owner(DID), "")

    def test_disk_refuses_once(self) -> None:
        """Who takes a share back again, because that failed, is not told "done" before it is."""
        store = MoodyStore()
        ownership = ownership_of(self.clock, store)
        self.successResultOf(ownership.give(DID, ANNA))
        self.successResultOf(ownership.invite(DID, ANNA, BEN, ACCEPTED))
        store.full = True
        for change in (
            lambda: ownership.end(DID, BEN),
            lambda: ownership.invite(DID, ANNA, CARL),
            lambda: ownership.give("other", BEN),
        ):
            for _ in range(2):
                self.failureResultOf(change(), StorageError)
        store.full = False
        self.successResultOf(ownership.flush())
        found = ownership_of(self.clock, store)
        self.successResultOf(found.load(store))
        self.assertEqual([share.uid for share in found.shares(DID)], [CARL])
        self.assertEqual(found.owner("other"), BEN)

    def test_left(self) -> None:
        """It is told which robots change hands, even if the box's owner did that on disk."""
        left: list[str] = []
        self.ownership.when_left(left.append)
        self.give()
        self.give()
        self.assertEqual(left, [])
        self.give(BEN)
        self.successResultOf(self.again().give(DID, CARL))
        self.successResultOf(self.ownership.load(self.store))
        self.successResultOf(self.ownership.departed({CARL}))
        self.assertEqual(left, [DID] * 3)

    def test_undo(self) -> None:
        """Nobody hears of changes who has taken that back."""
        undo = self.ownership.listen(self.changed.append)
        undo()
        self.give()
        self.assertEqual(self.changed, [DID])


class FullStore(MemoryRecordStore):
    """A disk that takes nothing."""

    def save(self, shelf: str, records: Mapping[str, object]) -> Deferred[None]:
        """It is full."""
        return fail(StorageError("full"))

    def remove(self, shelf: str, keys: Iterable[str]) -> Deferred[None]:
        """Even for that."""
        return fail(StorageError("full"))


class SlowStore(MemoryRecordStore):
    """What was on a disk when it was asked for, and comes later."""

    def __init__(self, store: MemoryRecordStore) -> None:
        super().__init__(store.shelves)
        self._waiting: list[Deferred[None]] = []

    def load(self, shelf: str) -> Deferred[dict[str, object]]:
        """As it is now."""
        found: list[dict[str, object]] = []
        super().load(shelf).addCallback(found.append)
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        return waiting.addCallback(lambda _: found[0])

    def go_on(self) -> None:
        """What was asked for comes."""
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None)


class ShareTests(OwnershipCase):
    """Shares."""

    def setUp(self) -> None:
        super().setUp()
        self.give()
        self.heard: list[Share] = []
        self.undo = self.ownership.when_invited(self.heard.append)

    def test_life(self) -> None:
        """An offer changes nothing until it is taken, and everything until it ends."""
        self.clock.advance(9)
        share = self.successResultOf(self.ownership.invite(DID, ANNA, BEN))
        self.assertEqual((share.uid, share.by, share.at, share.state), (BEN, ANNA, 9, INVITED))
        self.assertEqual(self.may(BEN), (False, False))
        self.successResultOf(self.ownership.accept(DID, BEN))
        for ownership in (self.ownership, self.again()):
            self.assertEqual(ownership.share(DID, BEN), evolve(share, state=ACCEPTED))
            self.assertEqual(ownership.shares(DID), ownership.shares_with(BEN))
            self.assertEqual(ownership.every_share(), {DID: ownership.shares(DID)})
        self.assertEqual(self.may(BEN), (True, False))
        self.assertEqual(self.may(BEN, RUSTY.did), (False, False))
        self.successResultOf(self.ownership.end(DID, BEN))
        for ownership in (self.ownership, self.again()):
            self.assertIsNone(ownership.share(DID, BEN))
        self.assertEqual(self.may(BEN), (False, False))
        self.assertEqual(set(self.changed), {DID})
        self.assertEqual(self.heard, [share])

    def test_nothing_to_take(self) -> None:
        """Who was not asked cannot accept, and may leave as often as he likes."""
        self.successResultOf(self.ownership.accept(DID, BEN))
        self.successResultOf(self.ownership.end(DID, BEN))
        self.assertEqual(self.may(BEN), (False, False))

    def test_twice(self) -> None:
        """A second offer is the first one, and nobody is told again."""
        first = self.share()
        second = self.successResultOf(self.ownership.invite(DID, ANNA, BEN))
        self.assertEqual((second.id, second.state), (first.id, ACCEPTED))
        self.assertEqual(len(self.heard), 1)

    def test_at_once(self) -> None:
        """The owner of the box asks nobody, whether there is an offer or not."""
        self.successResultOf(self.ownership.invite(DID, ANNA, BEN))
        for uid in (BEN, CARL):
            self.successResultOf(self.ownership.invite(DID, ANNA, uid, ACCEPTED))
            self.assertTrue(self.permits.may_use(uid, DID))
        self.assertEqual([share.uid for share in self.heard], [BEN])

    def test_own(self) -> None:
        """Nobody shares with himself, with the owner, or with nobody."""
        for by, uid in ((ANNA, ANNA), (BEN, ANNA), (BEN, BEN), (ANNA, "")):
            self.failureResultOf(self.ownership.invite(DID, by, uid), BadRequest)

    def test_too_many(self) -> None:
        """One robot has so many guests, and not one more."""
        for number in range(MAX_SHARES):
            self.share(f"guest{number}")
        self.failureResultOf(self.ownership.invite(DID, ANNA, BEN), BadRequest)

    def test_odd_names(self) -> None:
        """What could be taken for the names of two is nobody's name."""
        self.failureResultOf(self.ownership.invite("a\nb", ANNA, BEN), BadRequest)
        self.assertIsNone(self.ownership.share("a\nb", BEN))

    def test_ids(self) -> None:
        """Each share has its own."""
        self.assertNotEqual(self.share(BEN).id, self.share(CARL).id)

    def test_undo(self) -> None:
        """Nobody hears of offers who has taken that back."""
        self.undo()
        self.share()
        self.assertEqual(self.heard, [])


class FleetTests(SynchronousTestCase):
    """Two robots, as their owner, a guest and a stranger have them."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.registry = DeviceRegistry(self.clock, MemoryDeviceStore())
        for device in (DUSTY_DEVICE, RUSTY_DEVICE):
            self.registry.attach(device, RecordingLink())
        self.fleet = fleet_of(self.registry, self.clock, owners=True)
        self.registry.when_forgotten(self.fleet.ownership.forgotten)
        self.fleet.ownership.give(DID, ANNA)
        self.fleet.ownership.invite(DID, ANNA, BEN, ACCEPTED)

    def seen(self, uid: str) -> list[str]:
        """The robots of somebody."""
        return [device.id.did for device in self.fleet.seen_by(uid)]

    def test_seen(self) -> None:
        """Each sees what he may use."""
        self.assertEqual([self.seen(uid) for uid in (ANNA, BEN, CARL)], [[DID], [DID], []])
        self.assertEqual(self.fleet.robot(BEN, DID).id, DUSTY)

    def test_stranger(self) -> None:
        """A stranger hears of somebody else's robot what he hears of none."""
        said = []
        for did in (DID, "none"):
            wrong = self.assertRaises(DeviceUnknown, self.fleet.robot, CARL, did)
            said.append(str(wrong).replace(did, "it"))
            self.assertIsNone(self.fleet.kept(CARL, did))
        self.assertEqual(said[0], said[1])

    def test_household(self) -> None:
        """Where everything is everybody's, it is."""
        for uid in (CARL, ""):
            self.assertEqual(robot_of(self.registry, Everybody(), uid, DID).id, DUSTY)

    def test_name(self) -> None:
        """The owner names it, and nobody else."""
        for uid, nick in ((ANNA, "Dusty"), (BEN, "Ours"), (CARL, "Mine")):
            self.successResultOf(self.fleet.name(uid, DID, nick))
        self.successResultOf(self.fleet.name(ANNA, "none", "Ghost"))
        self.assertEqual(self.registry.device(DID).nick, "Dusty")

    def test_bind(self) -> None:
        """Whoever has paired a robot that is nobody's has it."""
        for uid in ("", ANNA, BEN):
            self.successResultOf(self.fleet.bind(uid, RUSTY.did))
            self.successResultOf(self.fleet.bind(uid, "none"))
        self.successResultOf(self.fleet.bind(CARL, DID))
        owner = self.fleet.ownership.owner
        self.assertEqual((owner(RUSTY.did), owner(DID), owner("none")), (ANNA, ANNA, ""))

    def test_bind_late(self) -> None:
        """One that was here long before is not for whoever knows its name."""
        self.clock.advance(PATIENCE)
        self.successResultOf(self.fleet.bind(BEN, RUSTY.did))
        self.assertEqual(self.fleet.ownership.owner(RUSTY.did), "")
        household = evolve(self.fleet, permits=Everybody())
        self.successResultOf(household.bind(BEN, RUSTY.did))
        self.assertEqual(self.fleet.ownership.owner(RUSTY.did), BEN)

    def test_remove(self) -> None:
        """A stranger removes nothing, a guest himself, the owner the robot."""
        self.successResultOf(self.fleet.remove(CARL, DID))
        self.assertEqual((self.seen(ANNA), self.seen(BEN)), ([DID], [DID]))
        self.successResultOf(self.fleet.remove(BEN, DID))
        self.assertEqual((self.seen(ANNA), self.seen(BEN)), ([DID], []))
        self.successResultOf(self.fleet.remove(ANNA, DID))
        self.assertEqual([device.id for device in self.registry.devices()], [RUSTY])
        self.assertEqual(self.fleet.ownership.owner(DID), "")

    def test_place(self) -> None:
        """The owner moves it, and nobody else; for others it is in their first home."""
        for uid in (ANNA, BEN, CARL):
            self.successResultOf(self.fleet.place(uid, DID, Home(f"{uid}s", uid, "Home")))
        device = self.registry.device(DID)
        self.assertEqual(placed(device, ("first", "annas")), "annas")
        self.assertEqual(placed(device, ("bens",)), "bens")
        self.assertEqual(placed(device, ()), "")
