"""Who is let in over MQTT, and as whom."""

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from bumper_tw.core.identity import Refused
from bumper_tw.core.passwords import md5_hex
from bumper_tw.dialect.logins import MqttCredentials, PasswordCredentials, TokenCredentials
from bumper_tw.errors import LoginRefused, StorageError, UnknownAccount
from bumper_tw.interfaces import IAuthenticator
from bumper_tw.storage.memory import MemoryAccountStore
from bumper_tw.storage.memory_secrets import MemoryRobotSecretStore
from bumper_tw.values import Principal, Role
from tests.core.lodging import ANNA, ANNAS_UID, Lodging

DID = "7c1f0a52-93be-4d0e-8a44-1b6de2f09c35"
SN = "E0009876500123450001"


class BrokenStore(MemoryAccountStore):
    """A disk that gave up."""

    def password(self, uid: str) -> Deferred[str | None]:
        return fail(StorageError("the database is gone"))


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

    def let_in(
        self, client_id: str, username: str | None = None, password: bytes | None = None
    ) -> Principal:
        """Is let in."""
        done = self.home.identity.login(MqttCredentials(client_id, username, password))
        return self.successResultOf(done)

    def code(
        self, client_id: str, username: str | None = None, password: bytes | None = None
    ) -> int:
        """Is refused; the code of the CONNACK."""
        done = self.home.identity.login(MqttCredentials(client_id, username, password))
        wrong = self.failureResultOf(done, Refused).value
        assert isinstance(wrong, Refused)
        return wrong.code


class HomeTests(Case):
    """At home."""

    def test_interface(self) -> None:
        """It is what edges ask."""
        self.assertTrue(verifyObject(IAuthenticator, self.home.identity))

    def test_robot(self) -> None:
        """A robot is let in with whatever it brings first; its serial number is its label."""
        robot = Principal(Role.ROBOT, DID, "yna5xi", "qX7d", SN)
        self.assertEqual(self.let_in(f"{DID}@yna5xi/qX7d", SN, b"\xff"), robot)
        self.assertEqual(self.let_in(f"{DID}@yna5xi/qX7d", f"{SN}`!`!", b"\xff"), robot)

    def test_robot_with_another_secret(self) -> None:
        """A robot that brings something else later is refused, under any class."""
        self.let_in(f"{DID}@yna5xi/qX7d", SN, b"a1b2c3d4")
        for secret in (b"other", b"", None):
            self.assertEqual(self.code(f"{DID}@yna5xi/qX7d", SN, secret), 4)
            self.assertEqual(self.code(f"{DID}@p95mgv/x", SN, secret), 4)

    def test_new_robot_in_a_closed_house(self) -> None:
        """A new robot is not permitted."""
        self.home.robots.closed = True
        self.assertEqual(self.code(f"{DID}@yna5xi/qX7d", SN, b"a1b2c3d4"), 5)

    def test_robot_without_serial(self) -> None:
        """A robot that does not tell its serial number, or nonsense, has no label."""
        for username in (None, "", "a b"):
            self.assertEqual(self.let_in(f"{DID}@yna5xi/qX7d", username).label, "")

    def test_user(self) -> None:
        """Any user id is let in, under the realm it spells; a dead token does not matter."""
        for realm in ("ecouser", "ecouser.net", "USER"):
            user = self.let_in(f"{ANNAS_UID}@{realm}/HA-home", ANNAS_UID, b"gone")
            self.assertEqual(user, Principal(Role.USER, ANNAS_UID, realm, "HA-home"))

    def test_somebody_elses_token(self) -> None:
        """A live token of another user is a lie."""
        token = self.token("other").encode()
        self.assertEqual(self.code(f"{ANNAS_UID}@ecouser/x", None, token), 4)

    def test_service(self) -> None:
        """A program with an account of its own is a service."""
        service = Principal(Role.SERVICE, ANNA, resource="dashboard")
        self.assertEqual(self.let_in("dashboard", ANNA, b"secret"), service)

    def test_service_refused(self) -> None:
        """Even at home its password counts, and nobody goes without."""
        self.assertEqual(self.code("dashboard", ANNA, b"wrong"), 4)
        self.assertEqual(self.code("dashboard", "nobody", b"secret"), 4)
        for username, password in ((None, None), (ANNA, None), (ANNA, b""), (None, b"secret")):
            self.assertEqual(self.code("dashboard", username, password), 2)

    def test_names(self) -> None:
        """Empty, malformed and reserved client ids are refused as mqtt.md 3.4 says."""
        self.assertEqual(self.code(""), 2)
        self.assertEqual(self.code("did@yna5xi/#", SN, b"x"), 2)
        for realm in ("bumper", "ecosys", "BUMPER"):
            for rest in ("/x", "/", ""):
                self.assertEqual(self.code(f"x@{realm}{rest}", ANNA, b"secret"), 2)

    def test_our_own_names(self) -> None:
        """Nobody from the network comes under a name of our own side, however it is written."""
        for name in ("helperbot", "proxyhelper", "helper1", "HelperMQClientId-x"):
            for spelt in (name, name.upper(), f" {name}"):
                for rest in ("@bumper/helperbot", "@bumper/x", "@bumper", "", "_2", "@yna5xi/x"):
                    self.assertEqual(self.code(spelt + rest, ANNA, b"secret"), 5, spelt + rest)
                self.assertEqual(self.code("dashboard", spelt, b"secret"), 5)
        self.assertEqual(self.code("helperbot@ecouser/x", None, None), 5)
        self.assertEqual(self.let_in("helpful", ANNA, b"secret").role, Role.SERVICE)

    def test_unfit_names(self) -> None:
        """A name that would be something else in a filter, a rule or a log is refused."""
        for name in ("#", "+", "/", "$SYS", "$SYS/x", "a/+", "a#", "\x1b[2J", "a\x85", "\u202ea",
                     "-", " ", "a\nb", "x" * 257, "x" * 65535):  # fmt: skip
            self.assertEqual(self.code(name, ANNA, b"secret"), 2, name[:40])
            self.assertEqual(self.code(name), 2, name[:40])

    def test_names_of_real_tools(self) -> None:
        """What tools call themselves is fine."""
        for name in ("mosquitto_sub", "mosqsub|123-host", "mqttjs_a1b2c3d4", "HA", "a/b", "a@b",
                     "zigbee2mqtt", "auto-0123456789abcdef", "K\u00fcche 1"):  # fmt: skip
            self.assertEqual(self.let_in(name, ANNA, b"secret").resource, name)

    def test_guessing(self) -> None:
        """A service that guesses is told to come back later."""
        for _ in range(10):
            self.assertEqual(self.code("dashboard", ANNA, b"wrong"), 4)
        self.assertEqual(self.code("dashboard", ANNA, b"secret"), 3)
        self.home.clock.advance(60)
        self.assertEqual(self.let_in("dashboard", ANNA, b"secret").role, Role.SERVICE)

    def test_broken_store(self) -> None:
        """What cannot be decided is a no."""
        self.home = Lodging(store=BrokenStore())
        self.assertEqual(self.code("dashboard", ANNA, b"secret"), 3)

    def test_token(self) -> None:
        """A token tells whose it is, or nothing."""
        login = self.home.identity.login
        user = Principal(Role.USER, ANNAS_UID)
        self.assertEqual(self.successResultOf(login(TokenCredentials(self.token()))), user)
        self.failureResultOf(login(TokenCredentials("gone")), LoginRefused)

    def test_password(self) -> None:
        """An account tells who it is, by the rules of the house."""
        done = self.home.identity.login(PasswordCredentials(ANNA))
        self.assertEqual(self.successResultOf(done), Principal(Role.USER, ANNAS_UID))

    def test_unknown_credentials(self) -> None:
        """Credentials of a kind nobody knows open nothing."""
        for odd in (None, "x", object()):
            self.failureResultOf(self.home.identity.login(odd), LoginRefused)


class AnonymousTests(Case):
    """A listener that lets in who has neither user name nor password."""

    def login(
        self, client_id: str, username: str | None = None, password: bytes | None = None
    ) -> Deferred[Principal]:
        """Come to such a listener."""
        return self.home.identity.login(
            MqttCredentials(client_id, username, password, anonymous=True)
        )

    def refusal(
        self, client_id: str, username: str | None = None, password: bytes | None = None
    ) -> int:
        """The code of the CONNACK."""
        wrong = self.failureResultOf(self.login(client_id, username, password), Refused).value
        assert isinstance(wrong, Refused)
        return wrong.code

    def test_nothing_at_all(self) -> None:
        """Without user name and password one is anonymous."""
        nobody = Principal(Role.ANONYMOUS, "", resource="sensor")
        self.assertEqual(self.successResultOf(self.login("sensor")), nobody)
        self.assertEqual(self.successResultOf(self.login("sensor", "", b"")), nobody)

    def test_elsewhere(self) -> None:
        """At another listener one is refused."""
        self.assertEqual(self.code("sensor"), 2)

    def test_wrong_password(self) -> None:
        """A wrong password, or half of an account, is refused all the same (mqtt.md 3.5)."""
        self.assertEqual(self.refusal("sensor", ANNA, b"wrong"), 4)
        self.assertEqual(self.refusal("sensor", "nobody", b"secret"), 4)
        self.assertEqual(self.refusal("sensor", ANNA), 2)
        self.assertEqual(self.refusal("sensor", None, b"secret"), 2)

    def test_right_password(self) -> None:
        """An account counts there, too."""
        service = Principal(Role.SERVICE, ANNA, resource="sensor")
        self.assertEqual(self.successResultOf(self.login("sensor", ANNA, b"secret")), service)

    def test_not_for_robots_and_users(self) -> None:
        """Robots and users are what they say, or refused; never anonymous."""
        self.successResultOf(self.login(f"{DID}@yna5xi/x", SN, b"a"))
        self.assertEqual(self.refusal(f"{DID}@yna5xi/x"), 4)
        self.assertEqual(self.successResultOf(self.login("u@ecouser/x")).role, Role.USER)

    def test_names(self) -> None:
        """Unfit names are refused there, too."""
        for name, code in (("", 2), ("#", 2), ("x@bumper/x", 2), ("HELPERBOT", 5)):
            self.assertEqual(self.refusal(name), code, name)


class Broken(Exception):
    """A bug."""


@define
class File:
    """A password file with one account, or with a bug."""

    user: str
    outcome: Exception | None = None
    asked: list[tuple[bytes, str]] = field(factory=list)

    def knows(self, user: str) -> bool:
        if self.user == "broken":
            raise Broken
        return user == self.user

    def verify(self, user: str, password: bytes, peer: str) -> Deferred[str]:
        self.asked.append((password, peer))
        return succeed(user) if self.outcome is None else fail(self.outcome)


class FileTests(Case):
    """Accounts in a password file."""

    def use(self, file: File) -> None:
        """Take a file into use."""
        self.home = Lodging(file=file)
        self.successResultOf(self.home.owner.set_password(ANNA, "secret"))

    def test_in_the_file(self) -> None:
        """The file gets the password as it came, and decides."""
        file = File("sensor")
        self.use(file)
        service = Principal(Role.SERVICE, "sensor", resource="x")
        credentials = MqttCredentials("x", "sensor", b"\xff", "192.0.2.7")
        self.assertEqual(self.successResultOf(self.home.identity.login(credentials)), service)
        self.assertEqual(file.asked, [(b"\xff", "192.0.2.7")])

    def test_file_alone(self) -> None:
        """Who is in the file cannot come in by an account of the same name."""
        self.use(File(ANNA, UnknownAccount("wrong")))
        self.assertEqual(self.code("x", ANNA, b"secret"), 4)

    def test_others(self) -> None:
        """Who is not in the file may have an account."""
        self.use(File("sensor"))
        self.assertEqual(self.let_in("x", ANNA, b"secret").name, ANNA)
        self.assertEqual(self.code("x", "nobody", b"secret"), 4)

    def test_busy(self) -> None:
        """Whoever is to come back later is told so."""
        for busy in (LoginRefused("busy"), StorageError("gone")):
            self.use(File("sensor", busy))
            self.assertEqual(self.code("x", "sensor", b"secret"), 3)


class BrokenRobots(MemoryRobotSecretStore):
    """A store with a bug."""

    def save(self, did: str, secret: str) -> Deferred[None]:
        raise Broken


class FullDisk(MemoryRobotSecretStore):
    """A disk that takes nothing any more."""

    def save(self, did: str, secret: str) -> Deferred[None]:
        return fail(StorageError("the disk is full"))


class BrokenAccounts(MemoryAccountStore):
    """Another one."""

    def password(self, uid: str) -> Deferred[str | None]:
        raise Broken


class BrokenTests(Case):
    """Whatever breaks while deciding, nobody gets in by it."""

    def broken(
        self, home: Lodging, client_id: str, username: str | None, kind: type[Exception] = Broken
    ) -> None:
        """Is not let in, also where one may be anonymous."""
        for anonymous in (False, True):
            credentials = MqttCredentials(client_id, username, b"x", anonymous=anonymous)
            self.failureResultOf(home.identity.login(credentials), kind)

    def test_robots(self) -> None:
        """A robot whose secret cannot be remembered."""
        self.broken(Lodging(secrets=BrokenRobots()), f"{DID}@yna5xi/x", SN)

    def test_disk(self) -> None:
        """The same when it is the disk, which the robot is told."""
        self.home = Lodging(secrets=FullDisk())
        self.assertEqual(self.code(f"{DID}@yna5xi/x", SN, b"x"), 3)

    def test_accounts(self) -> None:
        """An account that cannot be looked up."""
        self.broken(Lodging(store=BrokenAccounts()), "x", ANNA)

    def test_file(self) -> None:
        """A file that cannot say whether it knows somebody, or whether the password is right."""
        self.broken(Lodging(file=File("broken")), "x", ANNA)
        self.broken(Lodging(file=File("sensor", KeyError("x"))), "x", "sensor", KeyError)


class StrictTests(Case):
    """Where only known accounts are let in."""

    strict = True

    def test_user(self) -> None:
        """A user needs a live token of that very user."""
        token = self.token().encode()
        self.assertEqual(self.let_in(f"{ANNAS_UID}@ecouser/x", None, token).name, ANNAS_UID)
        for password in (None, b"", b"gone", b"\xff\xfe"):
            self.assertEqual(self.code(f"{ANNAS_UID}@ecouser/x", None, password), 4)
        self.assertEqual(self.code("other@ecouser/x", None, token), 4)

    def test_access_jwt(self) -> None:
        """The access token of the newer apps is a password, too."""
        code = self.home.accounts.code_for(ANNAS_UID, self.token())
        pair = self.successResultOf(self.home.accounts.oauth.by_code(code))
        user = self.let_in(f"{ANNAS_UID}@USER/IOS1", "x`x`x", pair.access.encode())
        self.assertEqual(user.name, ANNAS_UID)
        self.assertEqual(self.code("other@USER/IOS1", None, pair.access.encode()), 4)

    def test_robot(self) -> None:
        """Robots have no account, and are let in all the same."""
        self.assertEqual(self.let_in(f"{DID}@yna5xi/qX7d", SN).role, Role.ROBOT)

    def test_password(self) -> None:
        """A wrong password opens nothing."""
        done = self.home.identity.login(PasswordCredentials(ANNA, md5_hex("wrong")))
        self.failureResultOf(done, LoginRefused)
