"""Who is let in over XMPP, and as whom."""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from bumper_tw.core.identity import NOT_AUTHORIZED, NotThatRobot, Refused, claimed_robot
from bumper_tw.core.passwords import md5_hex
from bumper_tw.dialect.logins import MqttCredentials, PasswordCredentials, XmppCredentials
from bumper_tw.dialect.sasl import SaslFailure
from bumper_tw.errors import DeviceOffline
from bumper_tw.interfaces import IRobotLink
from bumper_tw.values import (
    Command,
    Company,
    Device,
    DeviceId,
    PayloadKind,
    Principal,
    RequestId,
    Role,
)
from tests.core.lodging import ANNA, ANNAS_UID, Lodging
from tests.core.test_identity import DID, SN, Broken, BrokenRobots, FullDisk
from tests.core.test_robot_secrets import SlowStore

#: Where a robot of class 126 logs in.
ROBOTS = "126.ecorobot.net"


@implementer(IRobotLink)
class NoLink:
    """A robot that is asked nothing."""

    def deliver(self, command: Command, request: RequestId) -> None:
        raise DeviceOffline("nobody is there")

    def withdraw(self, request: RequestId) -> None:
        raise DeviceOffline("nobody is there")


class Case(SynchronousTestCase):
    """Logs in, or not."""

    strict = False

    def setUp(self) -> None:
        self.home = Lodging(self.strict)
        self.successResultOf(self.home.owner.set_password(ANNA, "secret"))

    def token(self, account: str = ANNA) -> str:
        """A live token."""
        credentials = PasswordCredentials(account, md5_hex("secret"))
        return self.successResultOf(self.home.accounts.login(credentials, "d1")).text

    def credentials(self, domain: str, name: str, password: str) -> XmppCredentials:
        """As they were read."""
        return XmppCredentials(domain, name, password, "sk7d1f02", "192.0.2.7")

    def bound(self, domain: str, name: str, password: str = "") -> Principal:
        """Is let in."""
        done = self.home.identity.login(self.credentials(domain, name, password))
        return self.successResultOf(done)

    def condition(self, domain: str, name: str, password: str = "") -> str:
        """Is refused; what the failure is called."""
        return self.refusal(domain, name, password).condition

    def refusal(self, domain: str, name: str, password: str = "") -> SaslFailure:
        """Is refused, and why."""
        done = self.home.identity.login(self.credentials(domain, name, password))
        wrong = self.failureResultOf(done, SaslFailure).value
        assert isinstance(wrong, SaslFailure)
        if password:
            self.assertNotIn(password, str(wrong))
        return wrong

    def know(
        self, did: str, model: str = "126", company: Company = Company.XMPP
    ) -> Callable[[], bool]:
        """A robot was attached before."""
        device = Device(DeviceId(did, model, "atom"), SN, company, PayloadKind.XML)
        return self.home.registry.attach(device, NoLink())


class HomeTests(Case):
    """Users and anybody at home."""

    def test_user(self) -> None:
        """Any user id is let in, under the one realm there is; a dead token does not matter."""
        user = Principal(Role.USER, ANNAS_UID, "ecouser.net", "sk7d1f02")
        for domain in ("ecouser.net", "EcoUser.net", ""):
            self.assertEqual(self.bound(domain, ANNAS_UID, "gone"), user)
        self.assertEqual(self.bound("", ANNAS_UID, self.token()), user)

    def test_somebody_elses_token(self) -> None:
        """A live token of another user is a lie."""
        self.assertEqual(self.condition("", ANNAS_UID, self.token("other")), "not-authorized")

    def test_capitals(self) -> None:
        """Nobody is another user by capital letters, whatever he brings."""
        for uid in (ANNAS_UID.upper(), ANNAS_UID.capitalize(), "Fuid_a1b2c3"):
            for token in ("gone", self.token()):
                self.assertEqual(self.condition("", uid, token), "not-authorized", uid)

    def test_our_own_names(self) -> None:
        """Nobody comes under a name of our own side, as a user or as a robot."""
        for name in ("helperbot", "HelperBot", "helper1", "HelperMQClientId-x", "proxyhelper"):
            for domain in ("ecouser.net", "", ROBOTS):
                self.assertEqual(self.condition(domain, name, "x"), "not-authorized", name)
        self.assertEqual(len(self.home.robots), 0)

    def test_other_domains(self) -> None:
        """Nobody belongs to a domain that is not for logging in."""
        for domain in (
            "rl.ecorobot.net",
            "de.ecorobot.net",
            "ecorobot.net",
            "example.org",
            "bumper",
        ):
            self.assertEqual(self.condition(domain, ANNAS_UID, "x"), "not-authorized", domain)


class StrictTests(Case):
    """Where only known accounts are let in."""

    strict = True

    def test_user(self) -> None:
        """A user needs a live token of that very user."""
        token = self.token()
        self.assertEqual(self.bound("ecouser.net", ANNAS_UID, token).name, ANNAS_UID)
        for password in ("", "gone", token[:-1], f"{token}x", f"0/r/{token}"):
            self.assertEqual(self.condition("", ANNAS_UID, password), "not-authorized")
        for uid in ("other", ANNAS_UID[:-1], ANNAS_UID.upper()):
            self.assertEqual(self.condition("", uid, token), "not-authorized", uid)

    def test_robot(self) -> None:
        """Robots have no account, and are let in all the same."""
        self.assertEqual(self.bound(ROBOTS, SN, "k7Qp2xZ9").role, Role.ROBOT)


class RobotTests(Case):
    """Robots, by serial number and class."""

    def test_robot(self) -> None:
        """A robot is let in with whatever it brings first; it is the resource all of them are."""
        robot = Principal(Role.ROBOT, SN, "126", "atom", SN)
        for domain in (ROBOTS, "126.EcoRobot.NET"):
            self.assertEqual(self.bound(domain, SN, "k7Qp2xZ9"), robot)
        self.assertEqual(robot.device, DeviceId(SN, "126", "atom"))

    def test_without_secret(self) -> None:
        """One that brings nothing is let in until it brings something."""
        self.bound(ROBOTS, SN)
        self.bound(ROBOTS, SN, "k7Qp2xZ9")
        self.assertEqual(self.condition(ROBOTS, SN), "not-authorized")

    def test_another_secret(self) -> None:
        """One that brings something else later is refused, under any class."""
        self.bound(ROBOTS, SN, "k7Qp2xZ9")
        for domain in (ROBOTS, "155.ecorobot.net"):
            for secret in ("x1y2z3", "", "K7QP2XZ9"):
                self.assertEqual(self.condition(domain, SN, secret), "not-authorized")

    def test_letters_of_the_world(self) -> None:
        """A secret is its bytes, as over MQTT."""
        self.bound(ROBOTS, SN, "\u00fc")
        self.successResultOf(self.home.robots.admit(SN, b"\xc3\xbc", "192.0.2.7"))

    def test_closed_house(self) -> None:
        """A new robot is not permitted."""
        self.home.robots.closed = True
        self.assertEqual(self.condition(ROBOTS, SN, "k7Qp2xZ9"), "not-authorized")
        self.know(SN)
        self.assertEqual(self.bound(ROBOTS, SN, "k7Qp2xZ9").name, SN)

    def test_too_many(self) -> None:
        """Whoever guesses is told to come back later, even with the right secret."""
        self.bound(ROBOTS, SN, "k7Qp2xZ9")
        for guess in range(10):
            self.assertEqual(self.condition(ROBOTS, SN, f"guess{guess}"), "not-authorized")
        self.assertEqual(self.condition(ROBOTS, SN, "guess10"), "temporary-auth-failure")

    def test_disk(self) -> None:
        """A robot whose secret cannot be remembered may come back later."""
        self.home = Lodging(secrets=FullDisk())
        self.assertEqual(self.condition(ROBOTS, SN, "k7Qp2xZ9"), "temporary-auth-failure")

    def test_bug(self) -> None:
        """What breaks lets nobody in."""
        home = Lodging(secrets=BrokenRobots())
        self.failureResultOf(home.identity.login(self.credentials(ROBOTS, SN, "x")), Broken)


class ClaimTests(Case):
    """Serial numbers that belong to somebody already."""

    def test_known(self) -> None:
        """A robot that comes back is the same."""
        self.know(SN)
        self.assertEqual(self.bound(ROBOTS, SN, "x").device, DeviceId(SN, "126", "atom"))

    def test_another_class(self) -> None:
        """One of another class is refused before it leaves a secret; the owner is told why."""
        self.know(SN)
        wrong = self.refusal("155.ecorobot.net", SN, "x1y2z3")
        self.assertEqual(wrong.condition, "not-authorized")
        for told in (SN, "class 155", "class 126", f"bumper robot remove {SN}", "SIGHUP"):
            self.assertIn(told, str(wrong))
        self.assertEqual(len(self.home.robots), 0)

    def test_after_removal(self) -> None:
        """What the owner is told to do helps."""
        self.know(SN)
        self.home.registry.forget(SN)
        self.assertEqual(self.bound("155.ecorobot.net", SN, "x").realm, "155")

    def test_mqtt_robot(self) -> None:
        """The did of a robot that speaks MQTT is not for others, of its class or not."""
        self.know(DID, "yna5xi", Company.MQTT)
        for model in ("yna5xi", "126"):
            wrong = self.refusal(f"{model}.ecorobot.net", DID, "x1y2z3")
            self.assertEqual(wrong.condition, "not-authorized")
            self.assertIn(f"bumper robot remove {DID}", str(wrong))
        self.assertEqual(len(self.home.robots), 0)

    def test_mqtt_look_alike(self) -> None:
        """Over MQTT case matters, so who is spelt otherwise there keeps nobody out."""
        self.know(SN.lower(), "126", Company.MQTT)
        self.assertEqual(self.bound(ROBOTS, SN, "k7Qp2xZ9").name, SN)
        self.know(SN)
        self.assertEqual(self.bound(ROBOTS, SN, "k7Qp2xZ9").name, SN)
        self.assertEqual(self.bound(ROBOTS, SN.capitalize(), "k7Qp2xZ9").name, SN)

    def over_mqtt(self, did: str, secret: bytes = b"x1y2z3") -> Deferred[Principal]:
        """Somebody comes as a robot over the other wire."""
        credentials = MqttCredentials(f"{did}@126/abcd", SN, secret)
        return self.home.identity.login(credentials)

    def refused_over_mqtt(self, did: str) -> str:
        """The same, and is refused; the reason."""
        wrong = self.failureResultOf(self.over_mqtt(did), Refused).value
        assert isinstance(wrong, Refused)
        self.assertEqual(wrong.code, NOT_AUTHORIZED)
        return str(wrong)

    def test_not_over_mqtt(self) -> None:
        """Nobody takes the name of an XMPP robot over MQTT, with its secret or without."""
        self.bound(ROBOTS, SN, "x1y2z3")
        self.know(SN)
        for did in (SN, SN.lower()):
            self.assertIn(f'"bumper robot remove {SN}"', self.refused_over_mqtt(did))
        self.assertEqual(self.home.registry.device(SN).company, Company.XMPP)
        self.assertEqual(len(self.home.robots), 1)
        self.home.registry.forget(SN)
        self.assertEqual(self.successResultOf(self.over_mqtt(SN)).name, SN)

    def test_mqtt_robot_stays(self) -> None:
        """Nobody keeps a known MQTT robot out by its name in other letters over XMPP."""
        self.know(DID, "126", Company.MQTT)
        self.bound(ROBOTS, DID.upper())
        self.know(DID.upper())
        self.assertEqual(self.successResultOf(self.over_mqtt(DID)).name, DID)

    def test_meanwhile(self) -> None:
        """A robot that comes over XMPP while the other one waits for the disk keeps its place."""
        slow = SlowStore()
        self.home = Lodging(secrets=slow)
        waiting = self.over_mqtt(SN)
        self.assertNoResult(waiting)
        self.know(SN)
        slow.finish()
        self.failureResultOf(waiting, Refused)

    def test_case(self) -> None:
        """Spelt otherwise it is the same robot, and has to have the same secret."""
        self.bound(ROBOTS, SN, "k7Qp2xZ9")
        self.know(SN)
        self.assertEqual(self.bound(ROBOTS, SN.lower(), "k7Qp2xZ9").name, SN)
        self.assertEqual(self.condition(ROBOTS, SN.lower(), "x1y2z3"), "not-authorized")
        self.assertEqual(self.condition("155.ecorobot.net", SN.lower()), "not-authorized")
        self.assertEqual(len(self.home.robots), 1)

    def test_first_spelling(self) -> None:
        """Should there ever be two, each is itself; the first has all the other spellings."""
        self.know(SN)
        self.know(SN.lower())
        for spelt, name in ((SN, SN), (SN.lower(), SN.lower()), (SN.capitalize(), SN)):
            self.assertEqual(self.bound(ROBOTS, spelt, "k7Qp2xZ9").name, name)

    def test_look_alikes(self) -> None:
        """A serial number that begins or ends the same is another robot."""
        self.know(SN)
        for other in (SN[:-1], f"{SN}0", f"0{SN}"):
            self.assertEqual(self.bound("155.ecorobot.net", other, "x").name, other)

    def test_at_the_same_time(self) -> None:
        """Of two that are new, the one attached second is found out by asking once more."""
        first = self.bound(ROBOTS, SN, "x").device
        second = self.bound(ROBOTS, SN.lower(), "y").device
        third = self.bound("155.ecorobot.net", SN, "x").device
        registry = self.home.registry
        self.assertEqual(claimed_robot(registry, first.did, first.model), first)
        self.know(SN)
        self.assertEqual(claimed_robot(registry, first.did, first.model), first)
        self.assertNotEqual(claimed_robot(registry, second.did, second.model), second)
        self.assertRaises(NotThatRobot, claimed_robot, registry, third.did, third.model)
