"""Robots shared between accounts, as the vendor's app asks for it (http-endpoints.md 3.7)."""

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from bumper_tw.core.accounts import Accounts
from bumper_tw.core.fleet import Fleet
from bumper_tw.core.ownership import ACCEPTED, Share
from bumper_tw.core.sessions import settled
from bumper_tw.dialect import models
from bumper_tw.dialect.envelopes import todo_ok
from bumper_tw.errors import BadRequest
from bumper_tw.values import Device, User
from bumper_tw.web.account_bodies import email
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.commands import Function
from bumper_tw.web.devices import Todo, product, tidy
from bumper_tw.web.guard import Guard
from bumper_tw.web.told import told, told_ids

#: C{code} when nobody has the account that a robot should be shared with (http.md 2.3).
NO_SUCH_USER = -3

#: What the app may call the opposite of sharing; no document tells.
WITHDRAWALS = (
    "UnShareDevice",
    "CancelShareDevice",
    "DeleteShareDevice",
    "RemoveShareDevice",
    "StopShareDevice",
)

#: What stands behind an account without a domain, where an address is expected.
AT_HOME = "@home.local"

#: How the app calls the states of a share; it is known of the first only.
STATES = {ACCEPTED: "shared"}
OFFERED = "sharing"

#: How many characters of a user id are shown, in front and at the end.
SHOWN = 4, 2


def found_user(accounts: Accounts, account: str) -> User | None:
    """The user of an account, as another person writes it; the app adds a domain to some."""
    household = accounts.household
    return household.find(account) or household.find(account.strip().removesuffix(AT_HOME))


class SharingRoutes:
    """Offers robots to others, takes offers, and takes them back."""

    def __init__(self, accounts: Accounts, fleet: Fleet, guard: Guard) -> None:
        self._accounts, self._fleet, self._guard = accounts, fleet, guard

    def app_todos(self) -> dict[str, Todo]:
        """What C{app.do} does about shares."""
        return {
            "GetShareDeviceList": self.listed,
            "ShareDevice": self.offer,
            "ShareUnRegisterDevice": self.letter,
            **dict.fromkeys(WITHDRAWALS, self.withdraw),
        }

    def functions(self) -> dict[str, Function]:
        """What C{devmanager.do} does about them."""
        return {"ReceiveShareDevice": self.receive}

    def listed(self, call: Call, _: Mapping[str, Any]) -> Answer:
        """Every robot that the asker shares with others, or that is shared with him."""
        uid = self._guard.portal(call)
        devices = [
            self._entry(device, shares, uid, call.base_url) for device, shares in self._of(uid)
        ]
        return json_answer({"code": 0, "ret": "ok", "todo": "result", "devices": devices})

    def _of(self, uid: str) -> Iterator[tuple[Device, Sequence[Share]]]:
        """Robots with as much of their shares as somebody may see: of others' robots, his own."""
        every = self._fleet.ownership.every_share()
        for device in self._fleet.registry.devices():
            did = device.id.did
            shares = every.get(did, ())
            if not self._fleet.permits.may_keep(uid, did):
                shares = [share for share in shares if share.uid == uid]
            if shares:
                yield device, shares

    def _entry(
        self, device: Device, shares: Sequence[Share], uid: str, base_url: str
    ) -> dict[str, Any]:
        known = self._fleet.permits.may_use(uid, device.id.did)
        owner = self._fleet.ownership.owner(device.id.did) or shares[0].by
        described = product(device.id.model, base_url)
        return {
            "deviceName": described["deviceName"],
            # Until he accepts, the asker knows the share, and not the robot.
            "did": device.id.did if known else shares[0].id,
            "icon": described.get("icon", ""),
            "mid": device.id.model,
            "resource": device.id.resource if known else "",
            "share": True,
            "ownUsers": self._person(owner, uid),
            "shareUsers": [
                {**self._person(share.uid, uid), "status": STATES.get(share.state, OFFERED)}
                for share in shares
            ],
        }

    def _person(self, uid: str, asker: str) -> dict[str, Any]:
        user = self._accounts.user(uid)
        return {
            "isMe": uid == asker,
            "nickname": email(user) if user else "",
            "user": masked(uid),
        }

    def offer(self, call: Call, _: Mapping[str, Any]) -> Answer | Deferred[Answer]:
        """
        Offer a robot to the user of an account.

        @raise BadRequest: it is not the asker's.
        """
        uid, did = self._guard.portal(call), told(call, "did")
        self._check_own(uid, did)
        user = found_user(self._accounts, told(call, "username", "account"))
        if user is None:
            return nobody()
        by = uid if self._accounts.user(uid) else ""
        return self._fleet.ownership.invite(did, by, user.uid).addCallback(done)

    def _check_own(self, uid: str, did: str) -> Device:
        device = self._fleet.kept(uid, did)
        if device is None:
            raise BadRequest("there is no robot of yours of that name")
        return device

    def withdraw(self, call: Call, _: Mapping[str, Any]) -> Answer | Deferred[Answer]:
        """
        Take an offer back, from one or from everybody; or leave a robot.

        @raise BadRequest: it is not the asker's.
        """
        uid = self._guard.portal(call)
        did = self._fleet.meant(uid, told(call, "did"))
        ownership, name = self._fleet.ownership, told(call, "username", "account", "user", "uid")
        if ownership.share(did, uid) is not None and not self._fleet.permits.may_keep(uid, did):
            return ownership.end(did, uid).addCallback(done)
        self._check_own(uid, did)
        ended = [
            ownership.end(did, share.uid)
            for share in ownership.shares(did)
            if not name or self._is(share.uid, name)
        ]
        if name and not ended:
            return nobody()
        return settled(ended).addCallback(done)

    def _is(self, uid: str, name: str) -> bool:
        """Whether somebody is called so: by account, id, or what was shown of that."""
        user = found_user(self._accounts, name)
        return name in {uid, masked(uid)} or (user is not None and user.uid == uid)

    def letter(self, call: Call, _: Mapping[str, Any]) -> Answer:
        """
        What the asker may write to somebody who has no account here; nobody else sends it.

        @raise BadRequest: it is not the asker's robot.
        """
        device = self._check_own(self._guard.portal(call), told(call, "did"))
        name = tidy(device.nick) or robot_name(device)
        link = html.escape(f"{call.base_url}/")
        text = (
            f"<p>I would like to share my robot, {html.escape(name)}, with you.  For that you "
            "need an account on our own server at home; ask whoever runs it.</p>"
            f'<p><a href="{link}">{link}</a></p>'
        )
        title = f"A robot for you: {name}"
        return json_answer(todo_ok({"mailTitle": title, "mailContent": text}))

    def receive(self, call: Call, _: Mapping[str, Any]) -> Deferred[Answer]:
        """Take an offer, by robot or by its own id; without either, all that there are."""
        uid, ownership = self._guard.portal(call), self._fleet.ownership
        named = told_ids(call, "did", "id", "msgId", "shareId")
        taken = [
            ownership.accept(share.did, uid)
            for share in ownership.shares_with(uid)
            if named is None or {share.did, share.id} & set(named)
        ]
        return settled(taken).addCallback(received)


def robot_name(device: Device) -> str:
    """What a robot is sold as, as far as that is known."""
    model = models.model(device.id.model)
    return model.name if model else device.id.model


def masked(uid: str) -> str:
    """A user id that does not tell whose it is."""
    front, end = SHOWN
    return f"{uid[:front]}****{uid[-end:]}" if uid else ""


def done(_: object = None) -> Answer:
    """S2 with nothing to say."""
    return json_answer({"ret": "ok", "code": 0, "todo": "result"})


def received(_: object) -> Answer:
    """The same, for C{devmanager.do}."""
    return json_answer({"ret": "ok"})


def nobody() -> Answer:
    """Nobody here has that account; it is not made."""
    failed = {"code": NO_SUCH_USER, "errno": NO_SUCH_USER}
    return json_answer({"todo": "result", "ret": "fail", **failed})
