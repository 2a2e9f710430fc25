"""Small things that apps keep here for their users (http-endpoints.md 6.1)."""

from collections.abc import Callable, Iterator
from typing import Any

from twisted.internet.defer import Deferred, succeed

from bumper_tw.core.people import Kept, People
from bumper_tw.dialect.envelopes import parse_json, to_json
from bumper_tw.dialect.lenient import is_shallow
from bumper_tw.errors import BadRequest
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.failures import session_failure
from bumper_tw.web.routes import ANY, Route
from bumper_tw.web.told import told, told_ids, value_of

PREFIX = "/api/rapp/sds/user/data/"

#: What the fields of requests may be called; no document says how they are.
KEY, VALUE = ("key", "name", "k"), ("data", "value", "val")


class UserDataRoutes:
    """
    A store of keys and values.

    Nobody knows how apps write to it.  So whatever they ask for below this path, other than the
    three things that are known, is written when it brings a key and a value.

    @param who: the user of the portal who asks.
    @param home: what his first home is called.
    """

    def __init__(
        self, people: People, who: Callable[[Call], str], home: Callable[[str], str]
    ) -> None:
        self._people, self._who, self._home = people, who, home

    def routes(self) -> Iterator[Route]:
        """HM07 to HM09."""
        for rest, answer in (("map/get", self.get), ("list", self.list), ("del", self.drop)):
            yield Route(PREFIX + rest, ANY, answer, session_failure)
        for rest in ("<verb>", "<kind>/<verb>"):
            yield Route(PREFIX + rest, ANY, self.write, session_failure)

    def get(self, call: Call) -> Answer:
        """HM07: one value; the name of the home where there is none."""
        uid = self._who(call)
        kept = self._people.kept_as(uid, told(call, *KEY))
        value = {"name": self._home(uid)} if kept is None else value_in(kept)
        return done({"data": value, "tag": None})

    def list(self, call: Call) -> Answer:
        """HM08: all of them."""
        return done([entry(each) for each in self._people.kept(self._who(call))])

    def drop(self, call: Call) -> Deferred[Answer]:
        """HM09."""
        uid, keys = self._who(call), told_ids(call, "keys", *KEY)
        return self._people.drop(uid, keys or ()).addCallback(lambda _: done())

    def write(self, call: Call) -> Deferred[Answer]:
        """Anything else."""
        uid, key, value = self._who(call), told(call, *KEY), value_of(call, *VALUE)
        if not key or value is None:
            return succeed(done())
        if not is_shallow(value):
            raise BadRequest("the value is nested too deeply")
        text = to_json(value).decode("utf-8")
        return self._people.keep(uid, key, text).addCallback(lambda _: done())


def value_in(kept: Kept) -> Any:
    """What is kept; nothing, when it cannot be read any more."""
    try:
        return parse_json(kept.text.encode("utf-8", "replace"))
    except ValueError:
        return None


def entry(kept: Kept) -> dict[str, Any]:
    """One of the list; times in milliseconds."""
    return {
        "key": kept.key,
        "data": value_in(kept),
        "createTime": int(kept.created * 1000),
        "updateTime": int(kept.updated * 1000),
    }


def done(*data: object) -> Answer:
    """S3 without C{ret}, and without data if there is none."""
    wrapped: dict[str, Any] = {"code": 0, "message": "success"}
    if data:
        wrapped["data"] = data[0]
    return json_answer(wrapped)
