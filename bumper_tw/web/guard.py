"""From a request to whoever makes it."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from bumper_tw.core.accounts import Accounts
from bumper_tw.core.tokens import SST_PREFIX
from bumper_tw.dialect.envelopes import parse_json
from bumper_tw.errors import BadRequest, Forbidden, LoginRefused
from bumper_tw.values import Principal, Role
from bumper_tw.web.call import Call
from bumper_tw.web.origins import is_from_page

NOT_OURS = "this box is not called like that; use its address, or add the name to server.name"


def text_of(values: Mapping[str, Any], *names: str) -> str:
    """
    The first of several spellings of a field that is there; empty when there is none.

    @raise BadRequest: it is no text.
    """
    value = next((values[name] for name in names if values.get(name) is not None), "")
    if not isinstance(value, str):
        raise BadRequest(f"{names[0]} is not a text")
    return value


def auth_of(call: Call) -> Mapping[str, Any]:
    """
    What a portal request says about who makes it: the object C{auth} of its body or, as
    JSON, of its query; or, in a form, the fields of the body themselves.

    @raise BadRequest: there are more query parameters than anybody sends.
    """
    body = fields_of(call)
    auth = body.get("auth") or call.query("auth")
    if isinstance(auth, str):
        auth = _parsed(auth)
    return auth if isinstance(auth, dict) else body


def fields_of(call: Call) -> Mapping[str, Any]:
    """The fields of the body; none when it has none that can be read."""
    # What C{endpoint/control} passes on to an XML robot is a text (http-devices.md 3.3).
    # Routes that need fields say themselves what is wrong with a body.
    try:
        return call.body() if call.raw else {}
    except BadRequest:
        return {}


def _parsed(text: str) -> object:
    try:
        return parse_json(text.encode("utf-8", "replace"))
    except ValueError:
        return None


class OwnersDoor(Protocol):
    """Lets in the owner of the box, who has no account."""

    def knows(self, call: Call) -> bool:
        """Whether somebody brings along what is the owner's, good or not."""

    def owner(self, call: Call) -> Principal:
        """The owner; raises L{LoginRefused} for somebody else."""


class Guard:
    """
    Checks the tokens that come with requests (http-auth.md 3).

    That no page of another site changes anything is for the site to see to
    (L{bumper_tw.web.site}).  Here is what concerns pages that have their name lead here
    (L{bumper_tw.web.own_names}).
    """

    def __init__(
        self,
        accounts: Accounts,
        door: OwnersDoor | None = None,
        believed: Callable[[Call], bool] = lambda _: True,
    ) -> None:
        """
        @param door: where the owner of the box goes in, if there is one.
        @param believed: whether no page on the internet can be called as this box was called.
        """
        self._accounts, self._door, self._believed = accounts, door, believed

    def check_name(self, call: Call) -> None:
        """
        Whether it is this box that somebody wants.

        @raise Forbidden: perhaps it is a page whose name leads here.
        """
        if not self._believed(call):
            raise Forbidden(NOT_OURS)

    def __call__(self, call: Call) -> Principal:
        """
        Who calls our own API.

        @raise LoginRefused: nobody we know.
        """
        self.check_name(call)
        if self._door is not None and self._door.knows(call):
            return self._door.owner(call)
        token = call.bearer()
        if not token:
            raise LoginRefused("a token is needed; POST /api/login gives one")
        return Principal(Role.USER, self._accounts.user_of(token))

    def member(self, call: Call) -> Principal:
        """
        Who calls, where it is about his account.

        @raise LoginRefused: nobody we know, or the owner of the box, who has none.
        """
        who = self(call)
        if who.role is Role.OWNER:
            raise Forbidden("this is about an account, and the owner of the box has none")
        return who

    def portal(self, call: Call) -> str:
        """
        Who uses the vendor's portal: clients put their token into the body, into headers,
        or both.

        @return: the user id; empty when, at home, it is not said.
        @raise LoginRefused: the token does not prove who it is.
        @raise BadRequest: what there is cannot be read.
        """
        # Robots and apps may call this box as they like.
        if is_from_page(call):
            self.check_name(call)
        bearer = call.bearer()
        if bearer.startswith(SST_PREFIX):
            return self._accounts.oauth.subject(bearer)
        uid, token = self.claim(call)
        if uid:
            return self._vouched(uid, token)
        try:
            return self._accounts.user_of(token)
        except LoginRefused:
            if self._accounts.policy.takes_words():
                return ""
            raise

    def claim(self, call: Call) -> tuple[str, str]:
        """The user id and the token that a portal request brings along; both may be empty."""
        auth = auth_of(call)
        uid = text_of(auth, "userid", "userId") or call.header("userid")
        return uid, text_of(auth, "token") or call.header("token") or call.bearer()

    def homes(self, uid: str) -> tuple[str, ...]:
        """The ids of the homes of a user, the oldest first; none for somebody unknown."""
        return tuple(home.id for home in self._accounts.homes(uid))

    def _vouched(self, uid: str, token: str) -> str:
        if not self._accounts.vouches(uid, token):
            raise LoginRefused("the token is not this user's")
        return uid
