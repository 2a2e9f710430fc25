"""Who asks, where answers are about the one who does."""

from attrs import frozen

from bumper_tw.core.accounts import Accounts
from bumper_tw.core.people import People
from bumper_tw.errors import LoginRefused
from bumper_tw.values import User
from bumper_tw.web.account_bodies import email
from bumper_tw.web.call import Call
from bumper_tw.web.guard import Guard


@frozen
class Person:
    """
    Somebody, as answers show him; the defaults are nobody in particular.

    @ivar created_at: seconds since the epoch; 0 when that is not known.
    """

    uid: str = ""
    account: str = "bumper"
    email: str = "bumper@home.local"
    nickname: str = ""
    country: str = ""
    language: str = ""
    created_at: float = 0.0

    @property
    def shown(self) -> str:
        """What he is called."""
        return self.nickname or self.account


#: Nobody in particular.
NOBODY = Person()


class Persons:
    """From requests to those who make them."""

    def __init__(self, accounts: Accounts, people: People, guard: Guard) -> None:
        self._accounts, self._people, self._guard = accounts, people, guard

    def user(self, call: Call) -> User | None:
        """
        Who uses the private API: whose token comes along; without one, at home only, who logged
        in last on the device that the path names.
        """
        try:
            return self._accounts.user(self._accounts.user_of(self._token(call)))
        except LoginRefused:
            if not self._accounts.policy.takes_words():
                return None
            return self._accounts.user_of_client(call.segments.get("device", ""))

    def _token(self, call: Call) -> str:
        return call.query("accessToken") or self._guard.claim(call)[1]

    def person(self, call: Call) -> Person:
        """The same, as answers show him; L{NOBODY} if that cannot be said."""
        user = self.user(call)
        return NOBODY if user is None else self.known(user)

    def known(self, user: User) -> Person:
        """A user, as answers show him."""
        profile = self._people.profile(user.uid)
        return Person(
            user.uid,
            user.account,
            email(user),
            profile.nickname,
            profile.country,
            profile.language,
            user.created_at,
        )

    def named(self, call: Call) -> str:
        """
        The same for what changes something.

        @return: the user id; empty for nobody in particular, at home only.
        @raise LoginRefused: nobody says who it is.
        """
        user = self.user(call)
        if user is None and not self._accounts.policy.takes_words():
            raise LoginRefused("nobody is logged in here")
        return user.uid if user else ""

    def portal(self, call: Call) -> str:
        """
        Who uses the portal.

        @return: the user id; empty for somebody who says at home that he is whom nobody knows.
        @raise LoginRefused: see L{Guard.portal}.
        """
        uid = self._guard.portal(call)
        return uid if self._accounts.user(uid) else ""

    def language(self, uid: str) -> str:
        """What a user speaks; empty if he has not said."""
        return self._people.profile(uid).language
