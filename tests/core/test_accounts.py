"""Logging in, step by step, with both policies."""

import base64
from collections.abc import Sequence

from attrs import define
from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.accounts import Session
from bumper_tw.core.household import MAX_USERS, Household
from bumper_tw.core.passwords import md5_hex
from bumper_tw.core.policies import uid_of
from bumper_tw.core.sessions import PER_CLIENT, PER_USER
from bumper_tw.core.tickets import LIFE
from bumper_tw.core.tokens import digest
from bumper_tw.dialect.logins import PasswordCredentials
from bumper_tw.errors import BadRequest, LoginRefused, StorageError, UnknownAccount
from bumper_tw.storage.memory import MemoryAccountStore
from bumper_tw.values import Token, User
from tests.core.lodging import ANNA, ANNAS_UID, DAY, NOW, Lodging, countings, encrypt

PASSWORD = "correct horse"
BUMPER_UID = "faf9838ac653b1fe66cd"


def anna(password: str = PASSWORD, peer: str = "") -> PasswordCredentials:
    """What Anna's client sends."""
    return PasswordCredentials(ANNA, md5_hex(password), peer=peer)


@define
class CountingStore(MemoryAccountStore):
    """A store that counts, and can be told to wait or to break."""

    writes: int = 0
    broken: bool = False
    waiting: Deferred[None] | None = None

    def save_token(self, token: Token, surplus: Sequence[str] = ()) -> Deferred[None]:
        self.writes += 1
        return self.waiting or super().save_token(token, surplus)

    def save_user(self, user: User) -> Deferred[None]:
        self.writes += 1
        return fail(StorageError("the disk is full")) if self.broken else super().save_user(user)


class Case(SynchronousTestCase):
    """Walks through the steps of a login."""

    strict = False

    def setUp(self) -> None:
        self.store = CountingStore()
        self.home = Lodging(self.strict, store=self.store)
        self.accounts = self.home.accounts

    def login(self, credentials: PasswordCredentials | None = None, client: str = "d1") -> Session:
        """Step one."""
        return self.successResultOf(self.accounts.login(credentials or anna(), client))

    def ticket(self, login: Session) -> str:
        """Step two."""
        done = self.accounts.ticket(login.user.uid, login.text, "d1")
        return self.successResultOf(done).text

    def portal(self, login: Session, resource: str = "d1") -> Session:
        """Steps two and three."""
        ticket = self.ticket(login)
        return self.successResultOf(self.accounts.exchange(ticket, login.user.uid, resource))

    def dead(self, text: str) -> None:
        """A token opens nothing."""
        self.assertRaises(LoginRefused, self.accounts.user_of, text)


class HomeLoginTests(Case):
    """Whoever is at home is somebody."""

    def test_login(self) -> None:
        """Any account gets a token, for the user id our ancestors gave it, and a home."""
        session = self.login()
        self.assertEqual(session.user, User(ANNAS_UID, ANNA, NOW))
        self.assertEqual(session.expires_at, NOW + 30 * DAY)
        self.assertEqual(self.accounts.user_of(session.text), ANNAS_UID)
        [home] = self.accounts.homes(ANNAS_UID)
        self.assertEqual((len(home.id), home.uid), (24, ANNAS_UID))

    def test_second_login(self) -> None:
        """The second login finds the same user and home, and costs one write."""
        first = self.login()
        self.assertEqual(self.store.writes, 2)
        second = self.login()
        self.assertEqual(self.store.writes, 3)
        self.assertEqual(first.user, second.user)
        self.assertEqual(len(self.accounts.homes(ANNAS_UID)), 1)
        self.assertEqual(self.accounts.user_of(first.text), ANNAS_UID)

    def test_default_user(self) -> None:
        """Whoever cannot be told apart is the default user, at every login."""
        block = base64.b64encode(b"\x01" * 128).decode()
        for credentials in (
            PasswordCredentials(),
            PasswordCredentials(block),
            PasswordCredentials("x" * 255),
            PasswordCredentials("a\nb"),
            PasswordCredentials(encrypted_account="made for another key"),
        ):
            self.assertEqual(self.login(credentials).user.uid, BUMPER_UID)

    def test_encrypted_account(self) -> None:
        """An account that was encrypted for our key is the one it says."""
        session = self.login(PasswordCredentials(encrypted_account=encrypt(ANNA)))
        self.assertEqual(session.user.account, ANNA)

    def test_only_digests_are_stored(self) -> None:
        """The text of a token is not on disk."""
        session = self.login()
        self.assertEqual(set(self.store.tokens), {digest(session.text)})
        self.assertNotIn(session.text, repr(self.store))

    def test_on_disk_first(self) -> None:
        """The answer waits for the disk."""
        self.store.waiting = Deferred()
        done = self.accounts.login(anna(), "d1")
        self.assertNoResult(done)
        self.store.waiting.callback(None)
        self.assertEqual(self.successResultOf(done).user.uid, ANNAS_UID)

    def test_hang_up(self) -> None:
        """A client that hangs up while the disk works leaves everything in order."""
        self.store.waiting = Deferred()
        done = self.accounts.login(anna(), "d1")
        done.addErrback(lambda _: None)
        done.cancel()
        self.store.waiting.callback(None)
        self.store.waiting = None
        self.assertEqual(self.login().user.uid, ANNAS_UID)
        self.assertEqual(len(self.accounts.homes(ANNAS_UID)), 1)

    def test_disk_full(self) -> None:
        """Who is not on disk does not exist; the next login tries again."""
        self.store.broken = True
        self.failureResultOf(self.accounts.login(anna(), "d1"), StorageError)
        self.assertIsNone(self.accounts.user(ANNAS_UID))
        self.store.broken = False
        self.login()
        self.assertEqual(len(self.accounts.homes(ANNAS_UID)), 1)

    def test_restart(self) -> None:
        """After a restart tokens and homes are what they were."""
        session, homes = self.login(), self.accounts.homes(ANNAS_UID)
        again = self.home.again().accounts
        self.successResultOf(again.load(self.store))
        self.assertEqual(again.user_of(session.text), ANNAS_UID)
        self.assertEqual(again.homes(ANNAS_UID), homes)

    def test_too_many_users(self) -> None:
        """Somebody who floods us with accounts fills no disk."""
        household = Household(self.home.clock, self.store, countings())
        household.load([User(str(number), "") for number in range(MAX_USERS)], [])
        self.assertRaises(LoginRefused, household.join, ANNAS_UID, ANNA)
        self.assertEqual(household.join("7", "")[0].uid, "7")


class TokenLifeTests(Case):
    """How long tokens are good, and how many there are."""

    def test_expiry(self) -> None:
        """A token ends when it says so."""
        session = self.login()
        self.home.clock.advance(30 * DAY - 1)
        self.assertEqual(self.accounts.user_of(session.text), ANNAS_UID)
        self.home.clock.advance(1)
        self.dead(session.text)

    def test_purge(self) -> None:
        """What has expired leaves memory and disk."""
        self.login()
        self.home.clock.advance(30 * DAY)
        self.successResultOf(self.accounts.purge())
        self.assertEqual(self.store.tokens, {})

    def test_expired_go_with_the_next_login(self) -> None:
        """What has expired goes at the next login at the latest."""
        self.login()
        self.home.clock.advance(30 * DAY)
        session = self.login()
        self.assertEqual(set(self.store.tokens), {digest(session.text)})

    def test_use_keeps_alive(self) -> None:
        """Home Assistant starts with a stored token for years (http-auth.md 2.10)."""
        session = self.login()
        for _ in range(12):
            self.home.clock.advance(20 * DAY)
            self.ticket(session)
        again = self.home.again().accounts
        self.successResultOf(again.load(self.store))
        self.assertEqual(again.user_of(session.text), ANNAS_UID)

    def test_use_seldom_writes(self) -> None:
        """A token is renewed once half of its life is over, not at each use."""
        session = self.login()
        before = self.store.writes
        self.home.clock.advance(14 * DAY)
        self.ticket(session)
        self.assertEqual(self.store.writes, before)

    def test_per_client(self) -> None:
        """A client that logs in in a loop pushes out its own tokens only."""
        other = self.login(client="d2")
        first = self.login()
        for _ in range(PER_CLIENT):
            last = self.login()
        self.dead(first.text)
        self.assertEqual(self.accounts.user_of(last.text), ANNAS_UID)
        self.assertEqual(self.accounts.user_of(other.text), ANNAS_UID)
        self.assertEqual(len(self.store.tokens), PER_CLIENT + 1)

    def test_per_user(self) -> None:
        """A user has a bounded number of tokens; the oldest goes."""
        sessions = [self.login(client=f"d{number}") for number in range(PER_USER + 1)]
        self.dead(sessions[0].text)
        self.assertEqual(len(self.store.tokens), PER_USER)


class CheckLoginTests(Case):
    """Coming back with a stored token (http-auth.md 2.2)."""

    def check(self, uid: str, text: str) -> Session:
        """Comes back."""
        return self.successResultOf(self.accounts.check_login(uid, text, "d1"))

    def test_live(self) -> None:
        """A live token stays the same."""
        session = self.login()
        self.assertEqual(self.check(ANNAS_UID, session.text).text, session.text)
        self.assertEqual(self.check("", session.text).user.uid, ANNAS_UID)

    def test_dead(self) -> None:
        """At home a dead token is replaced."""
        self.login()
        session = self.check(ANNAS_UID, "gone")
        self.assertEqual(session.user.account, ANNA)
        self.assertEqual(self.accounts.user_of(session.text), ANNAS_UID)

    def test_stranger(self) -> None:
        """An id from elsewhere becomes a user of that id, unless it is none."""
        self.assertEqual(
            self.check("2017102559f0ee63c588d", "x").user.uid, "2017102559f0ee63c588d"
        )
        for odd in ("", "a/b", "+", "x" * 65):
            self.assertEqual(self.check(odd, "x").user.uid, BUMPER_UID)

    def test_stranger_tells_the_account(self) -> None:
        """Who came with an id and logs in with the account is one user."""
        self.check(ANNAS_UID, "x")
        self.assertEqual(self.login().user.account, ANNA)
        self.assertEqual(self.store.users[ANNAS_UID].account, ANNA)
        self.assertEqual(len(self.accounts.homes(ANNAS_UID)), 1)

    def test_somebody_elses(self) -> None:
        """With somebody else's token there is a new one."""
        session = self.login()
        other = self.check("other", session.text)
        self.assertNotEqual(other.text, session.text)
        self.assertEqual(self.accounts.user_of(other.text), "other")


class PortalTests(Case):
    """From the access token to the token for portal and MQTT."""

    def test_ticket(self) -> None:
        """A ticket looks like the vendor's, and opens nothing by itself."""
        text = self.ticket(self.login())
        self.assertRegex(text, r"\AGLOBAL_APP_ECOVACS_IOT_[0-9a-f]{32}\Z")
        self.dead(text)

    def test_ticket_needs_the_token(self) -> None:
        """Unknown, expired, somebody else's, or of another kind: no ticket."""
        session = self.login()
        user = self.portal(session)
        for uid, text in (
            (ANNAS_UID, "gone"),
            (ANNAS_UID, ""),
            ("other", session.text),
            (ANNAS_UID, user.text),
        ):
            self.failureResultOf(self.accounts.ticket(uid, text, "d1"), LoginRefused)
        self.home.clock.advance(31 * DAY)
        self.failureResultOf(self.accounts.ticket(ANNAS_UID, session.text, "d1"), LoginRefused)

    def test_ticket_by_device(self) -> None:
        """Without a user id the device says who it is."""
        session = self.login()
        done = self.accounts.ticket("", session.text, "d1")
        self.assertEqual(self.successResultOf(done).user.uid, ANNAS_UID)
        self.failureResultOf(self.accounts.ticket("", session.text, "d2"), LoginRefused)

    def test_exchange(self) -> None:
        """The ticket gets a token of its own, with one write, user id or not."""
        session = self.login()
        ticket, before = self.ticket(session), self.store.writes
        for uid in ("", ANNAS_UID):
            user = self.successResultOf(self.accounts.exchange(ticket, uid, "d1"))
            self.assertEqual(user.expires_at, NOW + 30 * DAY)
            self.assertEqual(self.accounts.user_of(user.text), ANNAS_UID)
            self.assertNotIn(user.text, {ticket, session.text})
        self.assertEqual(self.store.writes, before + 2)

    def test_exchange_refused(self) -> None:
        """No other ticket, no other user, no old ticket."""
        ticket = self.ticket(self.login())
        for text, uid in (("x", ""), ("", ""), (ticket, "other"), (ticket.lower(), "")):
            self.failureResultOf(self.accounts.exchange(text, uid, "d1"), LoginRefused)
        self.home.clock.advance(LIFE)
        self.failureResultOf(self.accounts.exchange(ticket, "", "d1"), LoginRefused)

    def test_unprintable_resource(self) -> None:
        """What cannot be stored is not kept."""
        self.portal(self.login(), "\ud800")
        self.assertEqual({token.client for token in self.store.tokens.values()}, {"d1", ""})

    def test_logout(self) -> None:
        """Logging out ends the session, its ticket, and what its client got besides."""
        session, other = self.login(client="0123456789"), self.login(client="d2")
        user, ticket = self.portal(session, "01234567"), self.ticket(session)
        code = self.accounts.code(ticket)
        self.successResultOf(self.accounts.logout(session.text))
        for text in (session.text, user.text):
            self.dead(text)
        self.failureResultOf(self.accounts.exchange(ticket, "", "d1"), LoginRefused)
        self.failureResultOf(self.accounts.oauth.by_code(code), LoginRefused)
        self.assertEqual(self.accounts.user_of(other.text), ANNAS_UID)
        self.assertEqual(set(self.store.tokens), {digest(other.text)})

    def test_logout_of_nobody(self) -> None:
        """Logging out without being in does nothing."""
        self.assertIsNone(self.successResultOf(self.accounts.logout("x")))
        self.assertIsNone(self.successResultOf(self.accounts.logout("")))

    def test_leave(self) -> None:
        """Nobody can log out somebody else."""
        session, other = self.login(), self.login(PasswordCredentials("other"))
        self.successResultOf(self.accounts.leave(ANNAS_UID, "x"))
        self.failureResultOf(self.accounts.leave(ANNAS_UID, other.text), LoginRefused)
        self.assertEqual(self.accounts.user_of(session.text), ANNAS_UID)
        self.successResultOf(self.accounts.leave(ANNAS_UID, session.text))
        self.dead(session.text)

    def test_who_is_on_this_device(self) -> None:
        """The last one who logged in, as long as that login is good."""
        session = self.login()
        self.assertEqual(self.accounts.user_of_client("d1"), session.user)
        self.assertIsNone(self.accounts.user_of_client("d2"))
        self.assertIsNone(self.accounts.user_of_client(""))
        self.successResultOf(self.accounts.logout(session.text))
        self.assertIsNone(self.accounts.user_of_client("d1"))


class OAuthTests(Case):
    """What the newer apps do."""

    def test_pair(self) -> None:
        """A ticket becomes a code, and that a pair; the access token is a token."""
        code = self.accounts.code(self.ticket(self.login()))
        pair = self.successResultOf(self.accounts.oauth.by_code(code))
        self.assertEqual((pair.uid, pair.expires_at), (ANNAS_UID, int(NOW + 15 * DAY)))
        self.assertEqual(self.accounts.user_of(pair.access), ANNAS_UID)
        self.dead(pair.refresh)

    def test_refresh(self) -> None:
        """A refresh token gives a new pair for as long as it is used."""
        code = self.accounts.code(self.ticket(self.login()))
        pair = self.successResultOf(self.accounts.oauth.by_code(code))
        for _ in range(5):
            self.home.clock.advance(16 * DAY)
            self.dead(pair.access)
            pair = self.successResultOf(self.accounts.oauth.by_refresh(pair.refresh))
            self.assertEqual(self.accounts.user_of(pair.access), ANNAS_UID)
        self.home.clock.advance(30 * DAY)
        self.failureResultOf(self.accounts.oauth.by_refresh(pair.refresh), LoginRefused)

    def test_wrong_kind(self) -> None:
        """An access token does not refresh, and a ticket is no code."""
        ticket = self.ticket(self.login())
        pair = self.successResultOf(self.accounts.oauth.by_code(self.accounts.code(ticket)))
        for text in (pair.access, "", "x"):
            self.failureResultOf(self.accounts.oauth.by_refresh(text), LoginRefused)
        self.failureResultOf(self.accounts.oauth.by_code(ticket), LoginRefused)

    def test_logout_ends_pairs(self) -> None:
        """A signed token is good only as long as the login behind it."""
        session = self.login()
        pair = self.successResultOf(
            self.accounts.oauth.by_code(self.accounts.code(self.ticket(session)))
        )
        self.successResultOf(self.accounts.logout(session.text))
        self.dead(pair.access)
        self.failureResultOf(self.accounts.oauth.by_refresh(pair.refresh), LoginRefused)

    def test_restart(self) -> None:
        """A pair outlives a restart."""
        code = self.accounts.code(self.ticket(self.login()))
        pair = self.successResultOf(self.accounts.oauth.by_code(code))
        again = self.home.again().accounts
        self.successResultOf(again.load(self.store))
        self.assertEqual(again.user_of(pair.access), ANNAS_UID)

    def test_code_for(self) -> None:
        """A user gets a code with a token of any kind, at home with any session."""
        session = self.login()
        user = self.portal(session)
        for text in (session.text, user.text, "gone"):
            code = self.accounts.code_for(ANNAS_UID, text)
            self.assertEqual(
                self.successResultOf(self.accounts.oauth.by_code(code)).uid, ANNAS_UID
            )
        self.assertRaises(LoginRefused, self.accounts.code_for, "other", "gone")

    def test_control(self) -> None:
        """A control ticket says whose it is, and lives within a day."""
        ticket = self.accounts.control("", [], ANNAS_UID, 10**9)
        self.assertEqual(self.accounts.oauth.subject(ticket), ANNAS_UID)
        self.home.clock.advance(DAY)
        self.assertRaises(LoginRefused, self.accounts.oauth.subject, ticket)
        self.assertRaises(LoginRefused, self.accounts.oauth.subject, ticket[4:])

    def test_control_ends_with_its_login(self) -> None:
        """Who logs out cannot go on with a control ticket."""
        session = self.login()
        ticket = self.accounts.control(session.text, [], ANNAS_UID, 600)
        self.assertEqual(self.accounts.oauth.subject(ticket), ANNAS_UID)
        self.successResultOf(self.accounts.logout(session.text))
        self.assertRaises(LoginRefused, self.accounts.oauth.subject, ticket)

    def test_control_too_long(self) -> None:
        """Nobody gets a book signed."""
        self.assertRaises(BadRequest, self.accounts.control, "", ["x" * 9000], "u", 1)
        self.assertRaises(BadRequest, self.accounts.control, "", [], "u" * 200, 1)

    def test_api_login(self) -> None:
        """The token for our own API is a JWT that can be taken back."""
        session = self.successResultOf(self.accounts.api_login(anna()))
        self.assertEqual(session.text.count("."), 2)
        self.assertEqual(self.accounts.user_of(session.text), ANNAS_UID)
        self.successResultOf(self.accounts.logout(session.text))
        self.dead(session.text)


class StrictTests(Case):
    """Only whom the owner has added."""

    strict = True

    def setUp(self) -> None:
        super().setUp()
        self.successResultOf(self.home.owner.set_password(ANNA, PASSWORD))

    def refused(self, credentials: PasswordCredentials) -> bool:
        """Is not let in; whether that is because of account or password."""
        failure = self.failureResultOf(self.accounts.login(credentials, "d1"), LoginRefused)
        return failure.check(UnknownAccount) is not None

    def test_right(self) -> None:
        """The right password opens, in the three ways clients send it."""
        md5 = md5_hex(PASSWORD)
        for credentials in (
            anna(),
            PasswordCredentials(ANNA, md5.upper()),
            PasswordCredentials("", "", encrypt(ANNA), encrypt(md5)),
            PasswordCredentials("", "", encrypt(ANNA), encrypt(PASSWORD)),
        ):
            self.assertEqual(self.login(credentials).user.uid, ANNAS_UID)

    def test_wrong(self) -> None:
        """A wrong password, a stranger, and what cannot be read are refused alike."""
        block = base64.b64encode(b"\x01" * 128).decode()
        for credentials in (
            anna("wrong"),
            PasswordCredentials("other", md5_hex(PASSWORD)),
            PasswordCredentials(ANNA, PASSWORD),
            PasswordCredentials(ANNA),
            PasswordCredentials(),
            PasswordCredentials(block, block),
            PasswordCredentials("", "", encrypt(ANNA), "x"),
        ):
            self.assertTrue(self.refused(credentials))
        self.assertEqual(self.store.tokens, {})

    def test_throttle(self) -> None:
        """Who is wrong too often is not even heard for a minute; others are."""
        for _ in range(10):
            self.refused(anna("wrong", peer="192.0.2.7"))
        self.assertFalse(self.refused(anna(peer="192.0.2.7")))
        self.login(anna(peer="192.0.2.8"))
        self.home.clock.advance(60)
        self.login(anna(peer="192.0.2.7"))

    def test_check_login(self) -> None:
        """Only a live token of that user comes back."""
        session = self.login()
        again = self.successResultOf(self.accounts.check_login(ANNAS_UID, session.text, "d1"))
        self.assertEqual(again.text, session.text)
        for uid, text in ((ANNAS_UID, "gone"), ("other", session.text), ("", "")):
            self.failureResultOf(self.accounts.check_login(uid, text, "d1"), LoginRefused)

    def test_words_are_not_enough(self) -> None:
        """Without a token of that user there is no code, no ticket, no logout."""
        self.login()
        self.assertRaises(LoginRefused, self.accounts.code_for, ANNAS_UID, "gone")
        self.assertRaises(LoginRefused, self.accounts.control, "gone", [], ANNAS_UID, 600)
        self.failureResultOf(self.accounts.leave(ANNAS_UID, "gone"), LoginRefused)

    def test_new_password(self) -> None:
        """With a new password, old tokens open nothing after the next start."""
        session = self.login()
        self.successResultOf(self.home.owner.set_password(ANNA, "new"))
        self.accounts = self.home.again().accounts
        self.successResultOf(self.accounts.load(self.store))
        self.dead(session.text)
        self.refused(anna())
        self.login(anna("new"))

    def test_new_password_while_running(self) -> None:
        """A running server takes the old tokens back when it is told to look at the disk."""
        session = self.login()
        self.successResultOf(self.home.owner.set_password(ANNA, "new"))
        self.successResultOf(self.accounts.reload(self.store))
        self.dead(session.text)
        self.login(anna("new"))

    def test_removed_while_running(self) -> None:
        """A user who was removed is gone with homes and tokens; others stay."""
        other = self.successResultOf(self.home.owner.set_password("other", "x"))
        session = self.login()
        self.successResultOf(self.home.owner.remove("other"))
        self.successResultOf(self.accounts.reload(self.store))
        self.assertIsNone(self.accounts.user(other.uid))
        self.assertEqual(self.accounts.user_of(session.text), ANNAS_UID)

    def test_from_open_to_strict(self) -> None:
        """Who came in while the house was open is out once it is not."""
        home = self.home.again(strict=False).accounts
        guest = self.successResultOf(home.login(PasswordCredentials("guest"), "d1"))
        session = self.login()
        self.accounts = self.home.again().accounts
        self.successResultOf(self.accounts.load(self.store))
        self.dead(guest.text)
        self.assertEqual(self.accounts.user_of(session.text), ANNAS_UID)

    def test_owner(self) -> None:
        """The owner lists, adds and removes accounts."""
        owner = self.home.owner
        self.successResultOf(owner.set_password("other", "x"))
        users = [user.account for user in self.successResultOf(owner.users())]
        self.assertEqual(users, [ANNA, "other"])
        self.assertTrue(self.successResultOf(owner.remove(ANNA)))
        self.assertFalse(self.successResultOf(owner.remove(ANNA)))
        self.refused(anna())

    def test_owner_mistypes(self) -> None:
        """An account that nobody could log in with is not added."""
        for account, password in (("", "x"), ("a\n", "x"), ("x" * 255, "x"), ("other", "")):
            done = self.home.owner.set_password(account, password)
            self.failureResultOf(done, BadRequest)

    def test_uid(self) -> None:
        """User ids are those of our ancestors (http-auth.md 1)."""
        self.assertEqual(uid_of("bumper"), BUMPER_UID)
