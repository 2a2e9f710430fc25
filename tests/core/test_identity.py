"""Who is let in over MQTT, and as whom."""

from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from bumper_tw.core.identity import Refused
from bumper_tw.core.passwords import md5_hex
from bumper_tw.dialect.logins import MqttCredentials, PasswordCredentials, TokenCredentials
from bumper_tw.errors import LoginRefused, StorageError
from bumper_tw.interfaces import IAuthenticator
from bumper_tw.storage.memory import MemoryAccountStore
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
        """A robot is let in with whatever it brings; its serial number is its label."""
        robot = Principal(Role.ROBOT, DID, "yna5xi", "qX7d", SN)
        self.assertEqual(self.let_in(f"{DID}@yna5xi/qX7d", SN, b"a1b2c3d4"), robot)
        self.assertEqual(self.let_in(f"{DID}@yna5xi/qX7d", f"{SN}`!`!", b"\xff"), robot)

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
        self.assertEqual(self.code("x@bumper/x", ANNA, b"secret"), 2)
        self.assertEqual(self.code("helperbot@bumper/helperbot", ANNA, b"secret"), 5)

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
