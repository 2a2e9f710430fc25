"""SIGHUP: what the owner has changed ends the connections that came in before."""

from pathlib import Path

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.expelling import reload_accounts, reload_passwords
from bumper_tw.app.present import follow_closed
from bumper_tw.app.settings import Settings
from bumper_tw.core.owner import Owner
from bumper_tw.core.passwords import Passwords, md5_hex
from bumper_tw.core.policies import uid_of
from bumper_tw.core.turns import Turns
from bumper_tw.dialect.logins import PasswordCredentials
from bumper_tw.errors import LoginRefused
from bumper_tw.storage.accounts import AccountStore
from bumper_tw.wire.mqtt_packets import ConnAck, ConnectCode
from tests.core.lodging import at_once, countings
from tests.core.test_password_hashes import HORSE, MOSQUITTO_7
from tests.flows.house import House
from tests.robots import MqttPeer

#: What is behind the hash in the file.
PASSWORD = HORSE.encode()

ANNA = "anna"
ANNAS_UID = uid_of(ANNA)


class Case(SynchronousTestCase):
    """A server, its owner, and clients."""

    settings = Settings()

    def setUp(self) -> None:
        self.house = House(self.settings)
        self.store = AccountStore(self.house.database)
        passwords = Passwords(at_once, countings(), Turns())
        self.owner = Owner(self.house.clock, self.store, passwords)

    def password(self, account: str, password: str) -> None:
        """The owner adds an account, or changes its password."""
        self.successResultOf(self.owner.set_password(account, password))

    def client(self, client_id: str, name: str, password: bytes) -> MqttPeer:
        """Somebody connects."""
        peer = MqttPeer(self.house.mqtt)
        peer.connect(client_id, name, password)
        return peer

    def service(self, name: str = ANNA, password: bytes = b"one") -> MqttPeer:
        """A program with an account connects."""
        return self.client(f"program of {name}", name, password)

    def here(self, peer: MqttPeer) -> bool:
        """Whether somebody was let in, and still is."""
        return peer.heard[:1] == [ConnAck(ConnectCode.ACCEPTED)] and peer.wire.connected

    def reload(self) -> None:
        """SIGHUP."""
        facts, router = self.house.facts, self.house.brokerage.router
        reload_passwords(facts, router)
        self.successResultOf(reload_accounts(facts, [router.clients], self.store))


class ServiceTests(Case):
    """Programs with an account of ours."""

    def setUp(self) -> None:
        super().setUp()
        self.password(ANNA, "one")
        self.password("ben", "one")
        self.successResultOf(self.house.facts.known.load(self.store))
        self.peer, self.other = self.service(), self.service("ben")

    def test_nothing_changed(self) -> None:
        """Connections go on."""
        self.reload()
        self.assertTrue(self.here(self.peer))

    def test_changed(self) -> None:
        """Whoever came in with the old password is thrown out, and nobody else."""
        self.password(ANNA, "two")
        self.assertTrue(self.here(self.peer))
        self.reload()
        self.assertFalse(self.here(self.peer))
        self.assertTrue(self.here(self.other))
        self.assertFalse(self.here(self.service()))
        back = self.service(password=b"two")
        self.reload()
        self.assertTrue(self.here(back))

    def test_added_and_changed(self) -> None:
        """So is one whose account was added while the server ran, and changed."""
        self.password("cleo", "one")
        peer = self.service("cleo")
        self.password("cleo", "two")
        newer = self.client("another", "cleo", b"two")
        self.assertTrue(self.here(newer))
        self.reload()
        self.assertFalse(self.here(peer))

    def test_added(self) -> None:
        """One whose account was added, and nothing else, stays."""
        self.password("cleo", "one")
        peer = self.service("cleo")
        self.reload()
        self.assertTrue(self.here(peer))

    def test_removed(self) -> None:
        """So is one whose account is gone, also when somebody adds it again."""
        self.successResultOf(self.owner.remove(ANNA))
        self.password(ANNA, "one")
        self.reload()
        self.assertFalse(self.here(self.peer))
        again = self.service()
        self.successResultOf(self.owner.remove(ANNA))
        self.reload()
        self.assertFalse(self.here(again))
        self.assertTrue(self.here(self.other))


class FileTests(Case):
    """Programs with an account in the file of passwords."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.write("anna")
        self.settings = evolve(Settings(), mqtt=evolve(Settings().mqtt, passwords=self.path))
        super().setUp()

    def write(self, *names: str) -> None:
        """Everybody in the file has the same password."""
        self.path.write_text("".join(f"{name}:{MOSQUITTO_7}\n" for name in names))
        self.path.chmod(0o600)

    def test_ours_of_the_same_name(self) -> None:
        """What the file decides does not depend on our own accounts."""
        peer = self.service(password=PASSWORD)
        self.password(ANNA, "two")
        self.reload()
        self.successResultOf(self.owner.remove(ANNA))
        self.reload()
        self.assertTrue(self.here(peer))
        self.write()
        self.reload()
        self.assertFalse(self.here(peer))

    def test_named_later(self) -> None:
        """A name that comes into the file has the file's password from then on."""
        self.password("ben", "one")
        peer = self.service("ben")
        self.assertTrue(self.here(peer))
        self.write("anna", "ben")
        self.reload()
        self.assertFalse(self.here(peer))
        self.assertTrue(self.here(self.service("ben", PASSWORD)))


class StrictTests(Case):
    """Apps and integrations, which come with a token."""

    settings = evolve(Settings(), identity=evolve(Settings().identity, policy="strict"))

    def setUp(self) -> None:
        super().setUp()
        self.password(ANNA, "one")
        self.successResultOf(self.house.facts.known.load(self.store))
        self.token = self.login("one")
        self.peer = self.app(self.token)
        self.assertTrue(self.here(self.peer))

    def login(self, password: str) -> str:
        """A token, by HTTP."""
        credentials = PasswordCredentials(ANNA, md5_hex(password))
        return self.successResultOf(self.house.facts.accounts.login(credentials, "phone")).text

    def app(self, token: str) -> MqttPeer:
        """An app connects."""
        return self.client(f"{ANNAS_UID}@ecouser/{token[:8]}", ANNAS_UID, token.encode())

    def test_nothing_changed(self) -> None:
        """Connections and tokens are as good as before."""
        self.reload()
        self.assertTrue(self.here(self.peer))
        self.assertEqual(self.house.facts.accounts.user_of(self.token), ANNAS_UID)

    def test_changed(self) -> None:
        """A new password ends connections and tokens, those of a moment ago, too."""
        self.password(ANNA, "two")
        late = self.login("two")
        self.reload()
        self.assertFalse(self.here(self.peer))
        for token in (self.token, late):
            self.assertRaises(LoginRefused, self.house.facts.accounts.user_of, token)
        _, tokens, _ = self.successResultOf(self.store.load())
        self.assertEqual(tokens, [])
        self.assertTrue(self.here(self.app(self.login("two"))))

    def test_removed(self) -> None:
        """So does removing the user."""
        self.successResultOf(self.owner.remove(ANNA))
        self.reload()
        self.assertFalse(self.here(self.peer))
        self.assertFalse(self.here(self.app(self.token)))

    def test_logged_out(self) -> None:
        """
        The token is asked for at CONNECT (mqtt.md 3.3).  After a logout a connection goes on
        until the next look, or as long as the user is logged in elsewhere.
        """
        other = self.login("one")
        self.successResultOf(self.house.facts.accounts.logout(self.token))
        self.reload()
        self.assertTrue(self.here(self.peer))
        self.successResultOf(self.house.facts.accounts.logout(other))
        self.assertTrue(self.here(self.peer))
        self.reload()
        self.assertFalse(self.here(self.peer))


class HomeTests(Case):
    """The same at home, where a word is enough."""

    def test_unknown_user(self) -> None:
        """Who was let in without a token would be let in again, and stays."""
        peer = self.house.home_assistant()
        self.reload()
        self.assertTrue(self.here(peer))

    def test_removed(self) -> None:
        """A user whom the owner removes has to come anew."""
        login = self.house.facts.accounts.login(PasswordCredentials(ANNA), "phone")
        token = self.successResultOf(login).text
        peer = self.client(f"{ANNAS_UID}@ecouser/phone", ANNAS_UID, token.encode())
        self.successResultOf(self.owner.remove(ANNA))
        self.reload()
        self.assertFalse(self.here(peer))


class ClosedTests(Case):
    """C{identity.closed}."""

    def test_followed(self) -> None:
        """It is as the settings have it now."""
        shut = evolve(Settings(), identity=evolve(Settings().identity, closed=True))
        self.assertFalse(self.house.facts.secrets.closed)
        follow_closed(self.house.facts, shut)
        self.assertTrue(self.house.facts.secrets.closed)
        follow_closed(self.house.facts, Settings())
        self.assertFalse(self.house.facts.secrets.closed)
