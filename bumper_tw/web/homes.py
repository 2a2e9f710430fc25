"""The homes of a user and who lives there (http-endpoints.md 6)."""

from collections.abc import Iterator
from typing import Any

from bumper_tw.core.accounts import Accounts
from bumper_tw.dialect.envelopes import app_ok
from bumper_tw.errors import LoginRefused
from bumper_tw.values import Home
from bumper_tw.web.account_bodies import home_entry, member_entry
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.failures import session_failure
from bumper_tw.web.guard import Guard
from bumper_tw.web.routes import ANY, Route


class HomeRoutes:
    """Every user has one home, made at the first login; there are no guests."""

    def __init__(self, accounts: Accounts, guard: Guard) -> None:
        self._accounts, self._guard = accounts, guard

    def routes(self) -> Iterator[Route]:
        """HM01 and HM06."""
        yield Route("/api/homed/home/list", ANY, self.homes, session_failure)
        yield Route("/api/homed/member/list", ANY, self.members, session_failure)

    def homes(self, call: Call) -> Answer:
        """The homes of the user who asks."""
        owner = self._accounts.user(self._asked(call))
        homes = self._accounts.homes(owner.uid) if owner else []
        return json_answer(app_ok([home_entry(home, owner) for home in homes]))

    def members(self, call: Call) -> Answer:
        """Who belongs to a home: its owner."""
        return json_answer(app_ok(self._members(self._home(call))))

    def _members(self, home: Home | None) -> list[dict[str, Any]]:
        owner = self._accounts.user(home.uid) if home else None
        return [member_entry(home, owner)] if home and owner else []

    def _home(self, call: Call) -> Home | None:
        """The home that is asked for; without one, the first of whoever asks."""
        uid = self._asked(call)
        home = self._accounts.home(call.query("homeId"))
        if home is None:
            return next(iter(self._accounts.homes(uid)), None)
        return home if self._accounts.policy.takes_words() or home.uid == uid else None

    def _asked(self, call: Call) -> str:
        """
        The user that is asked about.

        @raise LoginRefused: it is not the one who asks.
        """
        who, asked = self._guard.portal(call), call.query("userid")
        if not self._accounts.policy.takes_words() and asked not in {"", who}:
            raise LoginRefused("these are somebody else's homes")
        return asked or who
