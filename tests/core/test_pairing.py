"""Which robot is the one that somebody has just paired."""

from base64 import b64encode
from collections.abc import Sequence

from attrs import evolve
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.identity import Identity
from bumper_tw.core.pairing import MOST_TOLD, MOST_WAITING, PATIENCE, PairingDesk
from bumper_tw.dialect.logins import MqttCredentials, XmppCredentials
from bumper_tw.errors import BadRequest, LoginRefused
from bumper_tw.interfaces import IRobotLink
from bumper_tw.people_interfaces import IPermits, Undo
from bumper_tw.storage.memory import MemoryDeviceStore
from bumper_tw.values import Command, Device, DeviceId, RequestId
from tests.core.lodging import Lodging

ANNA, BEN = "anna", "ben"
KEY, OTHER_KEY = "8f3a61c2", "00ff00ff"
NOW = 1_795_000_000.0


@implementer(IRobotLink)
class Link:
    """A connection that nobody uses."""

    def deliver(self, command: Command, request: RequestId) -> None:
        raise AssertionError("nobody asks a robot here")

    def withdraw(self, request: RequestId) -> None:
        raise AssertionError("nobody asks a robot here")


@implementer(IPermits)
class Owners:
    """Whose robots are, heeded."""

    def __init__(self) -> None:
        self.owners: dict[str, str] = {}
        self.broken = False

    def owner(self, did: str) -> str:
        return self.owners.get(did, "")

    def give(self, did: str, uid: str) -> Deferred[None]:
        if self.broken:
            return fail(BadRequest("no"))
        self.owners[did] = uid
        return succeed(None)

    def may_use(self, uid: str, did: str) -> bool:
        return self.owner(did) == uid

    def may_keep(self, uid: str, did: str) -> bool:
        return self.owner(did) == uid

    def listen(self, changed: object) -> Undo:
        return lambda: None


class DeskCase(SynchronousTestCase):
    """A desk, and robots that come to it."""

    def setUp(self) -> None:
        self.clock, self.owners = Clock(), Owners()
        self.clock.advance(NOW)
        self.registry = DeviceRegistry(self.clock, MemoryDeviceStore())
        self.desk = PairingDesk(self.clock, self.registry, self.owners, self.owners, b"salt")

    def come(self, did: str, *keys: str, model: str = "yna5xi") -> Undo:
        """A robot logs in with some keys, and gets its place; the undo is its leaving."""
        self.desk.told(did, keys)
        detach = self.registry.attach(Device(DeviceId(did, model, "res")), Link())
        return lambda: self.assertTrue(detach())

    def polled(self, uid: str = ANNA, key: str = KEY) -> str:
        """The robot that somebody is told."""
        device = self.desk.poll(uid, key)
        return device.id.did if device else ""


class KeyTests(DeskCase):
    """Robots that show the key they were given."""

    def test_shown(self) -> None:
        """It is known by its key, whoever else comes; and then it is whoever's asked."""
        self.assertEqual(self.polled(), "")
        self.come("dusty")
        self.come("rusty", "something", KEY)
        self.assertEqual(self.polled(), "rusty")
        self.assertEqual(self.owners.owners, {"rusty": ANNA})

    def test_before(self) -> None:
        """It may be faster than whoever asks for it."""
        self.come("rusty", KEY)
        self.come("dusty", "another")
        self.clock.advance(60)
        self.assertEqual(self.polled(), "rusty")

    def test_two_people(self) -> None:
        """Two who wait at the same time each get their own."""
        self.polled(ANNA, KEY)
        self.polled(BEN, OTHER_KEY)
        self.come("rusty", OTHER_KEY)
        self.come("dusty", KEY)
        self.assertEqual((self.polled(ANNA, KEY), self.polled(BEN, OTHER_KEY)), ("dusty", "rusty"))
        self.assertEqual(self.owners.owners, {"dusty": ANNA, "rusty": BEN})

    def test_same_key(self) -> None:
        """Two robots with one key are neither."""
        self.polled()
        self.come("rusty", KEY)
        self.come("dusty", KEY)
        self.assertEqual(self.polled(), "")

    def test_long_ago(self) -> None:
        """What a robot logged in with long ago counts no more."""
        self.come("rusty", KEY)
        self.clock.advance(PATIENCE + 1)
        self.assertEqual(self.polled(), "")

    def test_somebody_elses(self) -> None:
        """Whoever guesses the key of another's robot has nothing of it."""
        self.owners.owners["rusty"] = BEN
        self.desk.prepare(ANNA)
        self.come("rusty", KEY)
        self.assertEqual(self.polled(), "")
        self.assertEqual(self.owners.owners, {"rusty": BEN})

    def test_gone_again(self) -> None:
        """A robot that has left in the meantime is not there; when it is back, it is."""
        leave = self.come("rusty", KEY)
        leave()
        self.assertEqual(self.polled(), "")
        self.come("rusty", KEY)
        self.assertEqual(self.polled(), "rusty")

    def test_new_login(self) -> None:
        """The newest login of a robot counts."""
        self.come("rusty", KEY)
        self.come("rusty", OTHER_KEY)
        self.come("dusty")
        self.assertEqual(self.polled(key=KEY), "")
        self.assertEqual(self.polled(key=OTHER_KEY), "rusty")

    def test_short(self) -> None:
        """What anybody could guess is no key."""
        self.come("rusty", "ab", "")
        self.assertEqual((self.polled(key="ab"), self.polled(key="")), ("", ""))

    def test_no_login(self) -> None:
        """A login that leads to no place is no robot."""
        self.desk.told("rusty", (KEY,))
        self.assertEqual(self.polled(), "")

    def test_bounded(self) -> None:
        """Of so many robots only is it known what they brought along."""
        self.come("rusty", KEY)
        for number in range(MOST_TOLD):
            self.desk.told(f"robot{number}", ("something",))
        self.assertEqual(self.polled(), "")


class OnlyTests(DeskCase):
    """Robots that show no key, and whoever has announced that he pairs one."""

    def setUp(self) -> None:
        super().setUp()
        self.desk.prepare(ANNA)

    def test_new(self) -> None:
        """The only robot that nobody has seen before is the one."""
        self.assertEqual(self.polled(), "")
        self.come("rusty")
        self.assertEqual(self.polled(), "rusty")
        self.assertEqual(self.owners.owners, {"rusty": ANNA})

    def test_again(self) -> None:
        """Whoever asks again is told the same."""
        self.polled()
        self.come("rusty")
        self.assertEqual(self.polled(), "rusty")
        self.come("dusty")
        self.assertEqual((self.polled(), self.owners.owners), ("rusty", {"rusty": ANNA}))

    def test_nobody_came(self) -> None:
        """Robots that were there before are not the one; nor are their reports a coming."""
        self.come("rusty")
        self.clock.advance(1)
        self.desk.prepare(ANNA)
        self.polled()
        self.registry.update(evolve(self.registry.device("rusty"), nick="Rusty"))
        self.assertEqual(self.polled(), "")

    def test_ambiguous(self) -> None:
        """Of two nobody knows which; it does not help to ask longer, but to begin anew."""
        self.polled()
        self.come("rusty")
        self.come("dusty")
        self.assertEqual(self.polled(), "")
        self.clock.advance(1)
        self.desk.prepare(ANNA)
        self.come("dusty")
        self.assertEqual(self.polled(), "dusty")

    def test_known(self) -> None:
        """One that is nobody's is meant when it was first seen lately, and not long ago."""
        leave = self.come("rusty")
        leave()
        self.clock.advance(PATIENCE - 1)
        self.desk.prepare(ANNA)
        self.come("rusty")
        self.assertEqual(self.polled(), "rusty")
        self.owners.owners.clear()
        self.clock.advance(2)
        self.desk.prepare(ANNA)
        self.come("rusty")
        self.assertEqual(self.polled(key=OTHER_KEY), "")

    def test_only_asked(self) -> None:
        """To ask for a key is not enough, as often as one may, and is in nobody's way."""
        self.polled(BEN, OTHER_KEY)
        self.polled(ANNA)
        self.come("rusty")
        self.assertEqual(self.polled(BEN, OTHER_KEY), "")
        self.assertEqual(self.polled(ANNA), "rusty")

    def test_unpolled(self) -> None:
        """What may be another's is not given to whoever is the first to ask."""
        self.desk.prepare(BEN)
        self.come("rusty")
        self.assertEqual(self.polled(BEN, OTHER_KEY), "")

    def test_rank(self) -> None:
        """Who has shown more of his robot comes first."""
        self.desk.looked_up(BEN, "yna5xi")
        self.come("rusty")
        self.assertEqual((self.polled(BEN, OTHER_KEY), self.polled(ANNA)), ("", "rusty"))
        self.desk.prepare(ANNA)
        self.desk.looked_up(BEN, "yna5xi")
        self.desk.prepare(BEN)
        self.come("dusty")
        polled = self.polled(ANNA, "another"), self.polled(BEN, OTHER_KEY)
        self.assertEqual(polled, ("", "dusty"))

    def test_other_class(self) -> None:
        """Who waits for something else is in nobody's way."""
        self.desk.looked_up(BEN, "5xu9h3")
        self.desk.prepare(BEN)
        self.come("rusty")
        self.assertEqual((self.polled(BEN, OTHER_KEY), self.polled(ANNA)), ("", "rusty"))

    def test_class_only(self) -> None:
        """The code of a new robot is enough; of one that was here before it is not."""
        self.come("old", model="5xu9h3")
        self.clock.advance(PATIENCE + 1)
        self.desk.looked_up(BEN, "5xu9h3")
        self.polled(BEN)
        self.come("old", model="5xu9h3")
        self.assertEqual(self.polled(BEN), "")
        self.come("goat", model="5xu9h3")
        self.assertEqual(self.polled(BEN), "goat")

    def test_over(self) -> None:
        """Whoever has waited long enough for a key does not begin anew by asking on."""
        self.polled()
        self.clock.advance(PATIENCE + 1)
        self.come("rusty", KEY)
        self.assertEqual(self.polled(), "")
        self.desk.prepare(ANNA)
        self.assertEqual(self.polled(), "rusty")

    def test_half_open(self) -> None:
        """A robot comes again before its old connection is found dead."""
        self.come("rusty")
        self.clock.advance(1)
        self.desk.prepare(ANNA)
        self.come("rusty")
        self.assertEqual(self.polled(), "rusty")

    def test_too_late(self) -> None:
        """Nobody waits for ever."""
        self.polled()
        self.come("rusty")
        self.clock.advance(PATIENCE + 1)
        self.assertEqual(self.polled(), "")

    def test_class(self) -> None:
        """When the code of a robot was read, one of another class is not the one."""
        self.desk.looked_up(ANNA, "5xu9h3")
        self.desk.prepare(ANNA)
        self.come("dusty")
        self.assertEqual(self.polled(), "")
        self.come("goat", model="5xu9h3")
        self.assertEqual(self.polled(), "goat")

    def test_class_of_the_last(self) -> None:
        """The code of the robot before says nothing about the next one."""
        self.desk.looked_up(ANNA, "5xu9h3")
        self.desk.looked_up(ANNA, "")
        self.polled()
        self.come("goat", model="5xu9h3")
        self.assertEqual(self.polled(), "goat")
        self.desk.prepare(ANNA)
        self.come("dusty")
        self.assertEqual(self.polled(key=OTHER_KEY), "dusty")

    def test_next(self) -> None:
        """Another key is another robot."""
        self.polled()
        self.come("rusty")
        self.assertEqual(self.polled(), "rusty")
        self.clock.advance(1)
        self.assertEqual(self.polled(key=OTHER_KEY), "")
        self.desk.prepare(ANNA)
        self.come("dusty")
        self.assertEqual(self.polled(key=OTHER_KEY), "dusty")

    def test_somebody_elses(self) -> None:
        """Another's robot that comes is not meant, and does not make it ambiguous."""
        self.owners.owners["bens"] = BEN
        self.desk.prepare(ANNA)
        self.come("bens")
        self.assertEqual(self.polled(), "")
        self.come("rusty")
        self.assertEqual(self.polled(), "rusty")

    def test_ones_own(self) -> None:
        """One's own robot may get another network, however long it has been here."""
        self.owners.owners["rusty"] = ANNA
        self.come("rusty")
        self.clock.advance(PATIENCE + 1)
        self.desk.prepare(ANNA)
        self.come("rusty")
        self.assertEqual(self.polled(), "rusty")

    def test_two_people(self) -> None:
        """While two wait, a robot without a key is given to neither."""
        self.desk.prepare(BEN)
        self.polled(ANNA)
        self.polled(BEN, OTHER_KEY)
        self.come("rusty")
        self.assertEqual((self.polled(ANNA), self.polled(BEN, OTHER_KEY)), ("", ""))

    def test_one_after_the_other(self) -> None:
        """Whoever has his robot is in nobody's way, and his robot is not the next one's."""
        self.polled(ANNA)
        self.come("rusty")
        self.assertEqual(self.polled(ANNA), "rusty")
        self.desk.prepare(BEN)
        self.come("dusty")
        self.assertEqual(self.polled(BEN, OTHER_KEY), "dusty")

    def test_nobody_in_particular(self) -> None:
        """At home it need not be said who asks; the robot stays nobody's."""
        self.clock.advance(PATIENCE + 1)
        self.desk.prepare("")
        self.come("rusty")
        self.assertEqual((self.polled(""), self.owners.owners), ("rusty", {}))

    def test_given_away(self) -> None:
        """Who has given the robot to somebody else hears nothing of it any more."""
        self.polled()
        self.come("rusty")
        self.assertEqual(self.polled(), "rusty")
        self.owners.owners["rusty"] = BEN
        self.assertEqual(self.polled(), "")

    def test_not_given(self) -> None:
        """When that cannot be written down it is logged; the robot is there all the same."""
        self.owners.broken = True
        self.polled()
        self.come("rusty")
        self.assertEqual(self.polled(), "rusty")
        self.assertEqual(len(self.flushLoggedErrors(BadRequest)), 1)

    def test_bounded(self) -> None:
        """So many people wait at a time; whoever came first is forgotten first."""
        self.polled(ANNA)
        for number in range(MOST_WAITING):
            self.desk.looked_up(f"user{number}", "5xu9h3")
        self.come("dusty")
        self.assertEqual(self.polled(ANNA), "")


class ToldTests(SynchronousTestCase):
    """What whoever lets robots in tells the desk."""

    def setUp(self) -> None:
        home = Lodging()
        self.told: list[tuple[str, Sequence[str]]] = []
        self.identity = Identity(
            *(home.accounts, home.known, home.robots, home.registry),
            told=lambda did, keys: self.told.append((did, keys)),
        )

    def test_mqtt(self) -> None:
        """A robot over MQTT: what is in its second block, and its password."""
        block = b64encode(b'{"app":"user","sc":"8f3a61c2"}').decode()
        robot = MqttCredentials("did1@yna5xi/res", f"E0001`e30=`{block}", b"secret12")
        self.successResultOf(self.identity.login(robot))
        self.assertEqual(self.told, [("did1", ("8f3a61c2", "secret12"))])

    def test_xmpp(self) -> None:
        """A robot over XMPP: its password."""
        robot = XmppCredentials("126.ecorobot.net", "E0009", "secret12")
        self.successResultOf(self.identity.login(robot))
        self.assertEqual(self.told, [("E0009", ("secret12",))])

    def test_refused(self) -> None:
        """Whoever is not let in has told nothing; nor has anybody who is no robot."""
        robot = MqttCredentials("did1@yna5xi/res", "E0001", b"secret12")
        self.successResultOf(self.identity.login(robot))
        self.told.clear()
        self.failureResultOf(self.identity.login(evolve(robot, password=b"wrong")), LoginRefused)
        app = MqttCredentials("somebody@ecouser/res", "somebody", b"8f3a61c2")
        self.successResultOf(self.identity.login(app))
        self.assertEqual(self.told, [])
