"""The homes of a user, the robots in them, and who lives there (http-endpoints.md 6)."""

from collections.abc import Iterator
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred

from bumper_tw.core.accounts import Accounts
from bumper_tw.core.fleet import Fleet, placed
from bumper_tw.core.ownership import ACCEPTED
from bumper_tw.core.sessions import settled
from bumper_tw.dialect.envelopes import FAILED, app_ok
from bumper_tw.errors import BadRequest, LoginRefused
from bumper_tw.values import Home, User
from bumper_tw.web.account_bodies import home_entry, member_entry, result_failed
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.failures import session_failure
from bumper_tw.web.guard import Guard
from bumper_tw.web.routes import ANY, POST, Route
from bumper_tw.web.told import told


class HomeRoutes:
    """
    Every user has a home, made at the first login, and may have more.  Those who live there are
    its owner, and with whom he shares robots that are in it.
    """

    def __init__(self, accounts: Accounts, guard: Guard, fleet: Fleet) -> None:
        self._accounts, self._guard, self._fleet = accounts, guard, fleet

    def routes(self) -> Iterator[Route]:
        """HM01 to HM06."""
        homed = "/api/homed/"
        yield Route(homed + "home/list", ANY, self.homes, session_failure)
        yield Route(homed + "home/create", POST, self.create, creation_failure)
        yield Route(homed + "home/update", ANY, self.rename, session_failure)
        yield Route(homed + "home/delete", POST, self.remove, session_failure)
        yield Route(homed + "device/move", POST, self.move, session_failure)
        yield Route(homed + "member/list", ANY, self.members, session_failure)

    def homes(self, call: Call) -> Answer:
        """The homes of the user who asks."""
        owner = self._accounts.user(self._asked(call))
        homes = self._accounts.homes(owner.uid) if owner else []
        return json_answer(app_ok([home_entry(home, owner) for home in homes]))

    def create(self, call: Call) -> Answer | Deferred[Answer]:
        """
        One more home.

        @raise LoginRefused: nobody says whose it shall be.
        """
        uid = self._creator(call)
        if self._accounts.user(uid) is None:
            return done()
        return self._accounts.household.add_home(uid, told(call, "name")).addCallback(done)

    def _creator(self, call: Call) -> str:
        """Who asks: with a token.  At home a foreign one, if it looks like one, is nobody's."""
        uid, (_, token) = self._guard.portal(call), self._guard.claim(call)
        token = token or call.bearer()
        if not token or not (uid or token.count(".") == 2):
            raise LoginRefused("nobody is logged in who could have a home")
        return uid

    def rename(self, call: Call) -> Deferred[Answer]:
        """Call a home something else."""
        uid, home_id = self._guard.portal(call), told(call, "homeId")
        renamed = self._accounts.household.rename_home(uid, home_id, told(call, "name"))
        return renamed.addCallback(done)

    def remove(self, call: Call) -> Deferred[Answer]:
        """Give a home up: its robots go to the first one."""
        uid, home_id = self._guard.portal(call), told(call, "homeId")
        removed = self._accounts.household.remove_home(uid, home_id)
        return removed.addCallback(self._return_robots, home_id).addCallback(done)

    def _return_robots(self, _: None, home_id: str) -> Deferred[None]:
        registry = self._fleet.registry
        there = [device for device in registry.devices() if device.home == home_id]
        moved = [registry.update(evolve(device, home="")) for device in there]
        return settled(moved)

    def move(self, call: Call) -> Deferred[Answer]:
        """
        Put a robot into a home.

        @raise BadRequest: it is none of the asker's homes, or no robot is named.
        """
        uid, did = self._guard.portal(call), told(call, "did")
        if not did:
            raise BadRequest("did is missing")
        home = self._accounts.household.own_home(uid, told(call, "to", "homeId"))
        return self._fleet.place(uid, did, home).addCallback(done)

    def members(self, call: Call) -> Answer:
        """Who belongs to a home."""
        home = self._home(call)
        owner = self._accounts.user(home.uid) if home else None
        entries = list(self._members(home, owner)) if home and owner else []
        return json_answer(app_ok(entries))

    def _members(self, home: Home, owner: User) -> Iterator[dict[str, Any]]:
        yield member_entry(home, owner)
        for uid, since in self._guests(home).items():
            guest = self._accounts.user(uid)
            if guest is not None and uid != owner.uid:
                yield guest_entry(guest, since)

    def _guests(self, home: Home) -> dict[str, float]:
        """Who uses robots in a home that are not his, and since when."""
        fleet, homes = self._fleet, self._guard.homes(home.uid)
        every = fleet.ownership.every_share()
        since: dict[str, float] = {}
        for device in fleet.registry.devices():
            did = device.id.did
            if fleet.permits.may_keep(home.uid, did) and placed(device, homes) == home.id:
                for share in every.get(did, ()):
                    if share.state == ACCEPTED:
                        since[share.uid] = min(share.at, since.get(share.uid, share.at))
        return since

    def _home(self, call: Call) -> Home | None:
        """The home that is asked for; without one, the first of whoever asks."""
        uid = self._asked(call)
        home = self._accounts.home(told(call, "homeId"))
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


def guest_entry(guest: User, since: float) -> dict[str, Any]:
    """Somebody who was let in by sharing; what C{isAdmin} is then no document says."""
    return {
        "createTime": int(since * 1000),
        "id": guest.uid,
        "isAdmin": 0,
        "name": guest.account,
        "roleId": "guest",
        "roleName": "Guest",
        "status": 1,
        "uid": guest.uid,
    }


def done(_: object = None) -> Answer:
    """What was to be done is done."""
    return json_answer({"code": 0, "message": "success"})


def creation_failure(call: Call, why: Exception) -> Answer:
    """E2 for somebody without a token."""
    if isinstance(why, LoginRefused):
        return json_answer(result_failed(FAILED, str(why)))
    return session_failure(call, why)
