"""Our own API for whose robots are, and with whom they are shared."""

from collections.abc import Callable, Iterator
from typing import Any

from twisted.internet.defer import Deferred

from bumper_tw.core.accounts import Accounts
from bumper_tw.core.fleet import Fleet
from bumper_tw.core.ownership import Share
from bumper_tw.core.permits import stranger_to
from bumper_tw.errors import BadRequest
from bumper_tw.values import Principal, User
from bumper_tw.web.api import failure
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.routes import GET, Ask, Route
from bumper_tw.web.sharing import found_user

#: The state of a share that there is not, or not any more.
NONE = "none"


class OwningRoutes:
    """
    Owners and shares, by account.

    @param guard: tells who asks, or raises L{LoginRefused<bumper_tw.errors.LoginRefused>}.
    """

    def __init__(
        self, accounts: Accounts, fleet: Fleet, guard: Callable[[Call], Principal]
    ) -> None:
        self._accounts, self._fleet, self._guard = accounts, fleet, guard
        self._ownership = fleet.ownership

    def routes(self) -> Iterator[Route]:
        """C{/api/robots/<did>/owner}, and C{shares} beside it."""
        robot = "/api/robots/<did>/"
        share = robot + "shares/<account>"
        table: tuple[tuple[str, str, Ask], ...] = (
            (robot + "owner", "PUT", self.give),
            (share, "PUT", self.share),
            (share, "DELETE", self.end),
        )
        yield Route(robot + "owner", GET, self.owner, failure)
        yield Route(robot + "shares", GET, self.shares, failure)
        yield Route(share, GET, self.state, failure)
        for path, method, answer in table:
            yield Route(path, (method,), answer, failure)

    def owner(self, call: Call) -> Answer:
        """Whose a robot is; nobody's is C{null}."""
        did = self._fleet.robot(self._guard(call).name, call.segments["did"]).id.did
        return self._owner(did)

    def _owner(self, did: str) -> Answer:
        account = self._account(self._ownership.owner(did)) or None
        return json_answer({"did": did, "owner": account})

    def give(self, call: Call) -> Deferred[Answer]:
        """
        Make a robot somebody's: its owner does, and whoever takes one that is nobody's.

        @raise DeviceUnknown: it is somebody else's, or none.
        """
        uid, did = self._guard(call).name, call.segments["did"]
        device = self._fleet.registry.device(did)
        kept = self._fleet.permits.may_keep(uid, device.id.did)
        if not kept and not self._fleet.may_take(uid, did):
            raise stranger_to(did)
        user = self._user(call.field("account", str))
        if not kept and user.uid != uid:
            raise stranger_to(did)
        return self._ownership.give(did, user.uid).addCallback(lambda _: self._owner(did))

    def shares(self, call: Call) -> Answer:
        """With whom a robot is shared: its owner hears of everybody, a guest of himself."""
        uid, did = self._guard(call).name, call.segments["did"]
        kept = self._kept(uid, did)
        shares = [each for each in self._ownership.shares(did) if kept or each.uid == uid]
        return json_answer({"did": did, "shares": [self._shown(each) for each in shares]})

    def state(self, call: Call) -> Answer:
        """What has become of one share."""
        did, user = self._asked(call)
        return self._state(did, user)

    def share(self, call: Call) -> Deferred[Answer]:
        """Offer a robot to somebody; or, with one's own account, take the offer."""
        did, user = self._asked(call)
        uid = self._guard(call).name
        if user.uid == uid and self._ownership.share(did, uid) is not None:
            accepted = self._ownership.accept(did, uid)
            return accepted.addCallback(lambda _: self._state(did, user))
        offered = self._ownership.invite(did, uid, user.uid)
        return offered.addCallback(lambda _: self._state(did, user))

    def end(self, call: Call) -> Deferred[Answer]:
        """Take an offer back; or, with one's own account, refuse it, or leave the robot."""
        did, user = self._asked(call)
        ended = self._ownership.end(did, user.uid)
        return ended.addCallback(lambda _: self._state(did, user))

    def _asked(self, call: Call) -> tuple[str, User]:
        """
        The robot and the person that a share is about.

        @raise DeviceUnknown: the robot is not the asker's, nor offered to him; or the share is
            somebody else's.
        """
        uid, did = self._guard(call).name, call.segments["did"]
        kept = self._kept(uid, did)
        user = found_user(self._accounts, call.segments["account"])
        if not kept and (user is None or user.uid != uid):
            raise stranger_to(did)
        return did, self._user(call.segments["account"])

    def _kept(self, uid: str, did: str) -> bool:
        """
        Whether a robot is the asker's; if it is not, it is offered to him.

        @raise DeviceUnknown: neither.
        """
        kept = self._fleet.kept(uid, did) is not None
        if not kept and self._ownership.share(did, uid) is None:
            raise stranger_to(did)
        return kept

    def _user(self, account: str) -> User:
        user = found_user(self._accounts, account)
        if user is None:
            raise BadRequest("there is no such account")
        return user

    def _account(self, uid: str) -> str:
        user = self._accounts.user(uid)
        return user.account if user else ""

    def _state(self, did: str, user: User) -> Answer:
        share = self._ownership.share(did, user.uid)
        none = {"account": user.account, "state": NONE}
        return json_answer({"did": did, **(none if share is None else self._shown(share))})

    def _shown(self, share: Share) -> dict[str, Any]:
        account = self._account(share.uid)
        return {"account": account, "state": share.state, "at": share.at}
