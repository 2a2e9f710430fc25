"""Houses in which robots are their owners': the setting, the start, and what owners type."""

from contextlib import closing
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.config import load
from bumper_tw.app.expelling import reload_accounts
from bumper_tw.app.leftovers import drop_strays
from bumper_tw.app.settings import IdentitySettings, Settings
from bumper_tw.core.ownership import ACCEPTED, Ownership
from bumper_tw.core.policies import uid_of
from bumper_tw.errors import StartError
from bumper_tw.storage.accounts import AccountStore
from bumper_tw.storage.cleaning import CleaningLogStore
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.devices import DeviceStore
from bumper_tw.storage.memory_records import MemoryRecordStore
from bumper_tw.storage.migrations import DATABASE, migrate
from bumper_tw.storage.records import RecordStore
from bumper_tw.values import CleaningLog, Device, DeviceId, User
from tests.app.test_cli import Case
from tests.core.fleets import ownership_of
from tests.flows.house import House
from tests.samples import DUSTY_DEVICE, RUSTY_DEVICE, RecordingLink

ANNA, BEN = "anna", "ben"
JOB = CleaningLog(DUSTY_DEVICE.id, "c1", 1000)
OWNERS = {"identity.policy": "strict", "identity.robots_of": "owners"}


class SettingTests(SynchronousTestCase):
    """C{identity.robots_of}."""

    def test_default(self) -> None:
        """Every robot is everybody's until the owner of the box says otherwise."""
        self.assertEqual(load(None, {}, {}).identity.robots_of, "household")

    def test_owners(self) -> None:
        """With accounts that have passwords, robots can have owners."""
        self.assertEqual(load(None, {}, OWNERS).identity.robots_of, "owners")

    def test_home(self) -> None:
        """Where everybody is believed, they cannot; the start says so."""
        del_policy = {"identity.robots_of": "owners"}
        wrong = self.assertRaises(StartError, load, None, {}, del_policy)
        self.assertIn('needs identity.policy = "strict"', str(wrong))


class StartTests(SynchronousTestCase):
    """What happens in a running house."""

    def house(self, robots_of: str = "owners") -> House:
        """A house with two robots."""
        house = House(Settings(identity=IdentitySettings("strict", robots_of)))
        for device in (DUSTY_DEVICE, RUSTY_DEVICE):
            house.facts.registry.attach(device, RecordingLink())
        return house

    def warnings(self, house: House) -> list[str]:
        """What the owner of the box reads at the start."""
        with capturedLogs() as logged:
            dids = [device.id.did for device in house.facts.registry.devices()]
            house.facts.belongings.warn_of_orphans(dids)
        warned = [event for event in logged if event["log_level"] is LogLevel.warn]
        return [event["log_format"].format(**event) for event in warned]

    def test_orphans(self) -> None:
        """Robots that nobody sees are worth a line, which tells what to type."""
        house = self.house()
        [line] = self.warnings(house)
        self.assertIn("nobody sees 2 of the robots", line)
        self.assertIn("bumper robot give --all ACCOUNT", line)
        for device in (DUSTY_DEVICE, RUSTY_DEVICE):
            house.facts.belongings.ownership.give(device.id.did, "anna")
        self.assertEqual(self.warnings(house), [])

    def test_household(self) -> None:
        """Where nobody needs an owner, there is no such line."""
        self.assertEqual(self.warnings(self.house("household")), [])

    def test_loaded(self) -> None:
        """Owners and shares of earlier runs count from the start."""
        house = self.house()
        store: Any = RecordStore(house.database)
        before = ownership_of(house.clock, store)
        self.successResultOf(before.give(DUSTY_DEVICE.id.did, "anna"))
        belongings = house.facts.belongings
        self.successResultOf(belongings.load(store))
        self.assertTrue(belongings.permits.may_keep("anna", DUSTY_DEVICE.id.did))

    def test_forgotten(self) -> None:
        """A robot that is forgotten is nobody's any more."""
        house, did = self.house(), DUSTY_DEVICE.id.did
        house.facts.belongings.ownership.give(did, "anna")
        house.facts.registry.forget(did)
        self.assertEqual(house.facts.belongings.ownership.owner(did), "")

    def test_handed_on(self) -> None:
        """The next owner does not learn what a robot did at the last one's; a household does."""
        for robots_of, left in (("owners", []), ("household", [JOB])):
            house = self.house(robots_of)
            ownership = house.facts.belongings.ownership
            self.successResultOf(ownership.give(JOB.device.did, ANNA))
            self.successResultOf(house.facts.logs.record(JOB))
            self.successResultOf(ownership.give(JOB.device.did, BEN))
            self.assertEqual(self.logs(house), left)
            self.successResultOf(house.facts.registry.forget(JOB.device.did))
            self.assertEqual(self.logs(house), [])

    def logs(self, house: House) -> list[CleaningLog]:
        """What the robot has cleaned."""
        return self.successResultOf(house.facts.logs.logs(JOB.device.did, 9))

    def test_user_gone(self) -> None:
        """Whose account is removed has nothing left, when it is made again."""
        house, did = self.house(), DUSTY_DEVICE.id.did
        database: Any = house.database
        store, uid = AccountStore(database), uid_of(ANNA)
        self.successResultOf(store.set_password(User(uid, ANNA), "hash"))
        self.successResultOf(house.facts.accounts.load(store))
        house.facts.belongings.ownership.give(did, uid)
        self.successResultOf(store.remove_user(uid))
        self.successResultOf(reload_accounts(house.facts, (), store))
        self.assertEqual(house.facts.belongings.ownership.owner(did), "")


class CommandTests(Case):
    """C{bumper robot give}, C{share} and C{unshare}."""

    def setUp(self) -> None:
        super().setUp()
        migrate(self.folder / DATABASE)
        with closing(self.database()) as database:
            for did in ("dusty", "rusty", "sandy"):
                self.successResultOf(DeviceStore(database).save(Device(DeviceId(did, "x", "y"))))
            for account in (ANNA, BEN):
                user = User(uid_of(account), account)
                self.successResultOf(AccountStore(database).set_password(user, "hash"))

    def database(self) -> InlineDatabase:
        """What the commands work on."""
        return InlineDatabase(self.folder / DATABASE)

    def found(self) -> Ownership:
        """What a server would find."""
        with closing(self.database()) as database:
            store = RecordStore(database)
            found = ownership_of(Clock(), store)
            self.successResultOf(found.load(store))
        return found

    def owners(self) -> list[str]:
        """Whose the three robots are."""
        found, accounts = self.found(), {uid_of(account): account for account in (ANNA, BEN)}
        return [accounts.get(found.owner(did), "-") for did in ("dusty", "rusty", "sandy")]

    def test_give(self) -> None:
        """One robot is given, then all that are nobody's; the server has to be told."""
        said = self.said("robot", "give", "dusty", "Anna")
        self.assertIn("dusty now belongs to anna", said)
        self.assertIn("SIGHUP", said)
        self.assertEqual(self.owners(), ["anna", "-", "-"])
        self.assertIn(
            "rusty, sandy now belongs to ben", self.said("robot", "give", "--all", "ben")
        )
        self.assertEqual(self.owners(), ["anna", "ben", "ben"])
        self.assertIn("no robot", self.said("robot", "give", "--all", "ben"))
        self.said("robot", "give", "rusty", "anna")
        self.assertEqual(self.owners(), ["anna", "anna", "ben"])

    def test_list(self) -> None:
        """Once there are owners, they are in the list."""
        self.assertNotIn("OWNER", self.said("robot", "list"))
        self.said("robot", "give", "dusty", "anna")
        head, dusty, rusty, _ = self.said("robot", "list").splitlines()
        self.assertEqual(head.split()[-1], "OWNER")
        self.assertEqual((dusty.split()[-1], rusty.split()[-1]), ("anna", "-"))

    def test_share(self) -> None:
        """Somebody uses a robot without being asked, and then does not any more."""
        self.said("robot", "give", "dusty", "anna")
        self.assertIn("ben may use dusty", self.said("robot", "share", "dusty", "ben"))
        [share] = self.found().shares("dusty")
        self.assertEqual((share.uid, share.by), (uid_of(BEN), uid_of(ANNA)))
        self.assertEqual(share.state, ACCEPTED)
        said = self.said("robot", "unshare", "dusty", "ben")
        self.assertIn("ben may not use dusty any more", said)
        self.assertEqual(list(self.found().shares("dusty")), [])

    def test_removed(self) -> None:
        """A robot that is removed is nobody's, and a user who is removed has nothing."""
        for did in ("dusty", "rusty"):
            self.said("robot", "give", did, "anna")
        self.said("robot", "remove", "dusty")
        self.assertEqual(self.owners(), ["-", "anna", "-"])
        self.said("user", "remove", "anna")
        self.assertEqual(self.owners(), ["-", "-", "-"])

    def test_leftovers(self) -> None:
        """Whoever gets the name of a user or robot next finds nothing of the last one."""
        anna, file = uid_of(ANNA), self.folder / "files" / "dusty" / f"{1:013d}-map-{1:016x}"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"map")
        message = {"id": "m", "did": "dusty", "at": 1.0, "kind": "error", "about": "1"}
        kept: dict[str, dict[str, Any]] = {
            "messages": {"m": message, "n": {**message, "did": "rusty"}},
            "profiles": {anna: {"nickname": "A"}, uid_of(BEN): {}, "": {}},
            "user_data": {f"{anna}\nkey": {"key": "key", "text": "1"}},
            "updates allowed": {"dusty": {"did": "dusty", "at": 1.0}},
            "update attempts": {"x": {"did": "dusty"}, "y": {"did": ""}},
            "message_marks": {anna: {}},
        }
        with closing(self.database()) as database:
            for shelf, records in kept.items():
                self.successResultOf(RecordStore(database).save(shelf, records))
            log = CleaningLog(DeviceId("dusty", "x", "y"), "c1", 1000)
            self.successResultOf(CleaningLogStore(database).record(log))
        self.said("robot", "remove", "dusty")
        self.said("user", "remove", "anna")
        self.assertFalse(file.exists())
        left = {"messages": ["n"], "profiles": ["", uid_of(BEN)], "update attempts": ["y"]}
        with closing(self.database()) as database:
            for shelf in kept:
                found = self.successResultOf(RecordStore(database).load(shelf))
                self.assertEqual(sorted(found), left.get(shelf, []), shelf)
            logs = CleaningLogStore(database).logs("dusty", 9)
            self.assertEqual(self.successResultOf(logs), [])

    def test_strays(self) -> None:
        """What is about nobody who is known goes; what is nobody's in particular stays."""
        store = MemoryRecordStore()
        store.save("shares", {"a": {"did": "d", "uid": "u", "by": ""}, "b": {"did": "e"}})
        store.save("profiles", {"": {}, "u": {}, "v": {}})
        store.save("messages", {"a": "broken", "b": {"did": "d", "to": "v"}})
        self.successResultOf(drop_strays(store, {"u"}, {"d"}))
        shelves = ("shares", "profiles", "messages")
        self.assertEqual(
            [list(store.shelves[each]) for each in shelves], [["a"], ["", "u"], ["a"]]
        )

    def test_wrong(self) -> None:
        """What cannot be done is one line, and a status."""
        for words, why in (
            (("give", "dusty"), "expected"),
            (("give", "--all", "dusty", "anna"), "expected"),
            (("give", "dusty", "carl"), "there is no account carl"),
            (("give", "--all", "carl"), "there is no account carl"),
            (("give", "none", "anna"), "there is no robot none"),
            (("share", "none", "anna"), "there is no robot none"),
            (("share", "dusty", "carl"), "there is no account carl"),
            (("unshare", "dusty", "anna"), "dusty is not shared with anna"),
        ):
            self.assertIn(f"bumper: {why}", self.complaint("robot", *words))
        self.said("robot", "give", "dusty", "anna")
        self.assertIn("somebody else", self.complaint("robot", "share", "dusty", "anna"))
