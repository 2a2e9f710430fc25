"""The users and their homes: in memory, and on disk."""

from collections.abc import Callable, Iterable, Sequence

from attrs import evolve
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.core.sessions import settled
from bumper_tw.errors import BadRequest, LoginRefused
from bumper_tw.interfaces import IAccountStore
from bumper_tw.values import Home, User

#: As many users may make themselves; a household has fewer, somebody who floods us has not.
MAX_USERS = 10_000

#: What a home is called until its owner says otherwise.
HOME_NAME = "My Home"

#: As many homes has one user, and as many characters the name of one.
MAX_HOMES, MAX_HOME_NAME = 20, 100


class Household:
    """Who lives here."""

    _log = Logger()

    def __init__(
        self, clock: IReactorTime, store: IAccountStore, random_hex: Callable[[int], str]
    ) -> None:
        self._clock, self._store, self._random_hex = clock, store, random_hex
        self._users: dict[str, User] = {}
        self._homes: dict[str, Home] = {}
        #: Homes that may not be on disk as they are here.
        self._unsaved: dict[str, Home] = {}

    def load(self, users: Iterable[User], homes: Iterable[Home]) -> None:
        """Remember what earlier runs knew."""
        self._users = {user.uid: user for user in users}
        self._homes = {home.id: home for home in homes if home.uid in self._users}

    def uids(self) -> frozenset[str]:
        """Who is known now."""
        return frozenset(self._users)

    def forget(self, uids: Iterable[str]) -> None:
        """Users whom the owner has removed from the disk."""
        for uid in uids:
            self._users.pop(uid, None)
        self._homes = {i: home for i, home in self._homes.items() if home.uid in self._users}
        self._unsaved = {i: home for i, home in self._unsaved.items() if i in self._homes}

    def user(self, uid: str) -> User | None:
        """A user, if there is one of that id."""
        return self._users.get(uid)

    def homes(self, uid: str) -> Sequence[Home]:
        """The homes of a user, the oldest first; empty for somebody unknown."""
        return [home for home in self._homes.values() if home.uid == uid]

    def every_home(self) -> Sequence[Home]:
        """All homes of all users."""
        return list(self._homes.values())

    def home(self, home_id: str) -> Home | None:
        """A home, if there is one of that id."""
        return self._homes.get(home_id)

    def find(self, account: str) -> User | None:
        """
        The user of an account as another person would write it: case does not matter, unless
        two differ in nothing else.
        """
        folded = account.strip().casefold()
        alike = [user for user in self._users.values() if user.account.casefold() == folded]
        exact = [user for user in alike if user.account == account.strip()]
        found = exact or alike
        return found[0] if len(found) == 1 else None

    def add_home(self, uid: str, name: str) -> Deferred[Home]:
        """
        One more home for a user.

        @return: fails with L{BadRequest} when there is no such user, he has enough, or nothing
            can be called so.
        """
        return Deferred.fromCoroutine(self._add_home(uid, name))

    async def _add_home(self, uid: str, name: str) -> Home:
        if uid not in self._users:
            raise BadRequest("there is nobody who could have a home")
        if len(self.homes(uid)) >= MAX_HOMES:
            raise BadRequest(f"somebody has at most {MAX_HOMES} homes")
        home = Home(self._random_hex(12), uid, home_name(name), self._clock.seconds())
        return await self._save(home)

    def rename_home(self, uid: str, home_id: str, name: str) -> Deferred[Home]:
        """
        Call a home something else.

        @return: fails with L{BadRequest} when it is none of the user's, or nothing can be
            called so.
        """
        return Deferred.fromCoroutine(self._rename_home(uid, home_id, name))

    async def _rename_home(self, uid: str, home_id: str, name: str) -> Home:
        known = self.own_home(uid, home_id)
        home = evolve(known, name=home_name(name))
        return known if home == known and home_id not in self._unsaved else await self._save(home)

    async def _save(self, home: Home) -> Home:
        self._homes[home.id] = self._unsaved[home.id] = home
        await settled([self._store.save_home(home)])
        if self._unsaved.get(home.id) is home:
            del self._unsaved[home.id]
        return home

    def remove_home(self, uid: str, home_id: str) -> Deferred[None]:
        """
        Give a home up; who keeps robots there has to see where they are then.

        @return: fails with L{BadRequest} when it is none of the user's, or his last.
        """
        return Deferred.fromCoroutine(self._remove_home(uid, home_id))

    async def _remove_home(self, uid: str, home_id: str) -> None:
        home = self.own_home(uid, home_id)
        if len(self.homes(uid)) == 1:
            raise BadRequest("everybody has a home")
        del self._homes[home.id]
        self._unsaved.pop(home.id, None)
        await settled([self._store.remove_home(home.id)])

    def own_home(self, uid: str, home_id: str) -> Home:
        """
        A home of a user.

        @raise BadRequest: it is none of his.
        """
        home = self._homes.get(home_id)
        if home is None or home.uid != uid:
            raise BadRequest("there is no such home")
        return home

    def join(self, uid: str, account: str) -> tuple[User, Deferred[None]]:
        """
        The user of an account: made, with a home, if there was none.

        @return: the user, and when all of it is on disk.
        @raise LoginRefused: there are too many users already.
        """
        known = self._users.get(uid)
        if known is None:
            return self._newcomer(uid, account)
        if known.account == account:
            return known, succeed(None)
        user = self._users[uid] = evolve(known, account=account)
        return user, settled([self._store.save_user(user)])

    def _newcomer(self, uid: str, account: str) -> tuple[User, Deferred[None]]:
        if len(self._users) >= MAX_USERS:
            self._log.warn("there are {count} users already, no more are made", count=MAX_USERS)
            raise LoginRefused("there are too many users here already")
        now = self._clock.seconds()
        user = self._users[uid] = User(uid, account, now)
        # One of its own for each user: with a common one, robots and members of several
        # users could not be told apart (http-endpoints.md 6).
        home = Home(self._random_hex(12), uid, HOME_NAME, now)
        self._homes[home.id] = home
        saved = settled([self._store.save_user(user), self._store.save_home(home)])
        return user, saved.addErrback(self._undone, user, home)

    def _undone(self, failure: Failure, user: User, home: Home) -> Failure:
        """What is not on disk does not exist; the next login tries again."""
        if self._users.get(user.uid) is user:
            del self._users[user.uid]
        self._homes.pop(home.id, None)
        return failure


def home_name(text: str) -> str:
    """
    What a home can be called: something that can be shown and logged, and is not too long.

    @raise BadRequest: nothing is left of it.
    """
    name = "".join(letter for letter in text if letter.isprintable())[:MAX_HOME_NAME].strip()
    if not name:
        raise BadRequest("a home needs a name")
    return name
