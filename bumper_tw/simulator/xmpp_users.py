"""The list of users an XMPP robot keeps, and what each of them may do (robots.md 7.2)."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field

from bumper_tw.simulator.xml_context import OK, Reply, fail, inside
from bumper_tw.simulator.xml_text import Node, write
from bumper_tw.simulator.xmpp_profile import Permission

_USERMAN = "AddUser DelUser SetAC GetUserInfo GetAccessControl SetAccessControl"
_CLEAN = "Clean Charge Move GetCleanState GetChargeState GetBatteryInfo GetLog PlaySound"
_SETTING = "SetTime AddSched ModSched DelSched EmptyLog SetOnOff"
GROUPS: dict[str, frozenset[str]] = {
    "userman": frozenset(_USERMAN.split()),
    "clean": frozenset(_CLEAN.split()),
    "setting": frozenset(_SETTING.split()),
}
"""Commands by the group that may give them; the others take no group at all."""

EVERYTHING = frozenset(GROUPS)
MOST_USERS = 64
PERMISSION_DENIED = 103
NO_SUCH_USER = 1


@define
class User:
    """
    One user of the list.

    @ivar bare: the address as it was written first
    @ivar place: where the last command came from, with resource
    """

    bare: str
    groups: frozenset[str] = frozenset()
    place: str = ""


@define
class UserList:
    """Everybody the robot knows; with L{Permission.OPEN} it gets to know whoever asks."""

    owner: str
    permission: Permission
    _users: dict[str, User] = field(factory=dict, init=False)
    _last: str = field(default="", init=False)

    def __attrs_post_init__(self) -> None:
        self._users[_key(self.owner)] = User(self.owner, EVERYTHING)

    @property
    def groups(self) -> dict[str, frozenset[str]]:
        """The groups of each user, by bare address."""
        return {user.bare: user.groups for user in self._users.values()}

    @property
    def newest(self) -> str:
        """Bare address of the user who commanded last, the owner's before that."""
        return self._last or self.owner

    def allows(self, sender: str, command: str) -> bool:
        """Tell whether a user may give a command, and note where he sits."""
        if self.permission is Permission.OPEN:
            self._add(sender.partition("/")[0], EVERYTHING)
        user = self._users.get(_key(sender))
        if user is None:
            return self.permission is Permission.OPEN
        needed = next((group for group, names in GROUPS.items() if command in names), None)
        if needed is not None and needed not in user.groups:
            return False
        user.place = sender if "/" in sender else user.place
        self._last = user.bare
        return True

    def denial(self) -> Reply:
        """Say no, in the words of the profile."""
        if self.permission is Permission.ADMIN:
            return fail(PERMISSION_DENIED, admin=self.owner)
        return fail(PERMISSION_DENIED, error=f"permission denied, please contact {self.owner}")

    def addressees(self) -> list[str]:
        """Name everybody who gets events, with resource where it is known."""
        return [user.place or user.bare for user in self._users.values()]

    def add(self, ctl: Node) -> Reply:
        """Obey C{AddUser}."""
        return self._add(ctl.get("jid"), frozenset())

    def drop(self, ctl: Node) -> Reply:
        """Obey C{DelUser}; the owner stays."""
        key = _key(ctl.get("jid"))
        if key == _key(self.owner) or self._users.pop(key, None) is None:
            return fail(NO_SUCH_USER)
        return Reply()

    def allow(self, ctl: Node) -> Reply:
        """Obey C{SetAC}: set all groups of one user."""
        user = self._users.get(_key(ctl.get("jid")))
        listed = ctl.child("acs")
        if user is None or listed is None:
            return fail(NO_SUCH_USER)
        allowed = {ac.get("name") for ac in listed.children if ac.get("allow") == "1"}
        user.groups = EVERYTHING & allowed
        return Reply()

    def tell(self, _ctl: Node) -> Reply:
        """Obey C{GetUserInfo}."""
        rows = [
            write("UserInfo", {"jid": user.bare, "acs": ",".join(sorted(user.groups))})
            for user in self._users.values()
        ]
        return inside(write("UserInfos", {}, *rows))

    def _add(self, bare: str, groups: frozenset[str]) -> Reply:
        if "@" not in bare or (len(self._users) >= MOST_USERS and _key(bare) not in self._users):
            return fail(NO_SUCH_USER)
        self._users.setdefault(_key(bare), User(bare, groups))
        return Reply(dict(OK))


def _key(address: str) -> str:
    return address.partition("/")[0].lower()


USER_COMMANDS: dict[str, Callable[[UserList, Node], Reply]] = {
    "AddUser": UserList.add,
    "DelUser": UserList.drop,
    "SetAC": UserList.allow,
    "GetUserInfo": UserList.tell,
    "GetAccessControl": UserList.tell,
    "SetAccessControl": lambda _users, _ctl: Reply(),
}
