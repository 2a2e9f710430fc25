"""
Every endpoint that clients of the vendor ask for, and the walk over all of them.

C{tests/data/endpoints.csv} has a line for each: how it is called in the tables of the protocol,
its methods and path, what a client sends to it, and what the answer looks like.  Names with a
dollar sign stand for what a client has got from earlier answers.

C{python -m tests.rows} prints how many there are, and what each costs.
"""

import csv
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote, urlencode

from attrs import define, field, frozen

import bumper_tw.web
from bumper_tw.web.routes import Layer, Route
from tests.flows.house import House
from tests.samples import DUSTY
from tests.web.browser import Page

FILE = Path(__file__).parent / "data" / "endpoints.csv"
PREFIX = "de/en/0a1b2c3d4e5f60718293a4b5c6d7e8f9/global_e/3.15.0/google_play/1"
FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")
MAIL, MD5 = "owner@example.org", "5f4dcc3b5aa765d61d8327deb882cf99"

#: Pages of another server for its operator; ours come under other names, and nothing is ever
#: changed by following a link.
NEVER = frozenset({"UI12", "UI14"})
#: What is not there yet.
EXPECTED_MISSING: frozenset[str] = frozenset()

#: What a shape says instead of JSON, and the content type.
TYPES = {
    "page": "text/html; charset=utf-8",
    "picture": "image/",
    "text": "text/plain; charset=utf-8",
    "archive": "application/gzip",
}


@frozen
class Row:
    """
    One line of the table.

    @ivar path: as the tables of the protocol spell it.
    @ivar query: what clients put there; the values may be templates.
    @ivar body: the same for a JSON body.
    @ivar shape: the answer to that with any values of the right kind, or one of L{TYPES}.
    """

    id: str
    methods: tuple[str, ...]
    path: str
    query: str
    body: str
    shape: str

    @classmethod
    def read(cls, line: Mapping[str, str]) -> "Row":
        """A line of the file."""
        methods = ("GET", "POST") if line["method"] == "ANY" else (line["method"],)
        return cls(line["id"], methods, line["path"], line["query"], line["body"], line["shape"])

    @property
    def example(self) -> str:
        """A path of this pattern."""
        path = self.path.replace("{P}", PREFIX).replace("{class}", DUSTY.model)
        return re.sub(r"\{\w+\}", "x1", path)


def rows() -> list[Row]:
    """All of them."""
    with FILE.open(encoding="utf-8", newline="") as lines:
        return [Row.read(line) for line in csv.DictReader(lines)]


@frozen
class Ask:
    """One request of the walk."""

    row: Row
    method: str
    target: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@define(eq=False)
class Walk:
    """Somebody who has logged in, and asks for everything."""

    house: House = field(factory=House)
    host: str = "box.lan:8007"
    known: dict[str, str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.experience()
        self.known = {
            "did": DUSTY.did, "class": DUSTY.model, "res": DUSTY.resource, "md5": MD5,
            "mail": MAIL, "device": PREFIX.split("/")[2],
        }  # fmt: skip
        self.log_in()
        self.known["token"] = self.token()
        pair = self.get(f"/api/appsvr/oauth_callback?code={self.code()}")
        self.known["pair"] = pair["data"]["access_token"]
        self.known["home"] = self.homes()[0]

    def experience(self) -> None:
        """A robot, and what has happened to it."""
        robot = self.house.robot(getBattery=lambda _: {"value": 80})
        job = {"cid": "122", "type": "auto", "start": "1795000000"}
        robot.report("reportStats", {**job, "stop": 0})
        robot.report("onBattery", {"value": 80})
        robot.report("onLifeSpan", [{"type": "brush", "left": 9, "total": 18000}])
        robot.report("onError", {"code": [104]})
        robot.report("reportStats", {**job, "stop": 1, "area": 7, "time": 600, "stopReason": 1})
        self.house.settle()

    def token(self) -> str:
        """The token of the portal."""
        body = {"todo": "loginByItToken", "userId": self.known["uid"], "token": self.ticket()}
        raw = json.dumps({**body, "resource": "r1"}).encode()
        return str(self.ask("POST", "/api/users/user.do", raw, (JSON,)).json["token"])

    def ticket(self) -> str:
        """Something to exchange for a token."""
        said = self.fill("?uid=$uid&accessToken=$access")
        data = self.get(f"/v1/private/{PREFIX}/user/getAuthCode{said}")["data"]
        if data is None:
            # One of the requests has ended the session.
            self.log_in()
            return self.ticket()
        return str(data["authCode"])

    def log_in(self) -> None:
        """With name and password."""
        login = f"/v1/private/{PREFIX}/user/login?account={MAIL}&password={MD5}"
        data = self.get(login)["data"]
        self.known |= {"uid": data["uid"], "access": data["accessToken"]}

    def code(self) -> str:
        """Something to exchange for a token of the newer apps."""
        raw = json.dumps({"todo": "OLoginByITToken", "itToken": self.ticket()}).encode()
        return str(self.ask("POST", "/newauth.do", raw, (JSON,)).json["authCode"])

    def spare(self) -> str:
        """A home that nobody needs."""
        raw = json.dumps({"name": "Cabin"}).encode()
        self.ask("POST", "/api/homed/home/create", raw, (JSON, *self.bearer()))
        return self.homes()[-1]

    def homes(self) -> list[str]:
        """The homes there are."""
        found = self.get(f"/api/homed/home/list?userid={self.known['uid']}")["data"]
        return [str(each["homeId"]) for each in found]

    def fill(self, text: str) -> str:
        """A text with what is known in it."""
        known = self.known
        if "$ticket" in text:
            known = {**known, "ticket": self.ticket()}
        if "$code" in text:
            known = {**known, "code": self.code()}
        if "$other" in text:
            known = {**known, "other": self.token()}
        if "$spare" in text:
            known = {**known, "spare": self.spare()}
        return Template(text).safe_substitute(known)

    def get(self, target: str) -> Any:
        """The value of an answer."""
        return self.ask("GET", target).json

    def ask(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: Iterable[tuple[str, str]] = (),
    ) -> Page:
        """The answer to one request, also when a robot gives it."""
        connection = self.house.browser().connect()
        sent = [f"{method} {target} HTTP/1.1", f"Host: {self.host}"]
        sent += [f"{name}: {value}" for name, value in headers]
        sent += [f"Content-Length: {len(body)}"] if body else []
        connection.send("\r\n".join([*sent, "", ""]).encode() + body)
        self.house.settle()
        pages = connection.received()
        if not pages:
            self.house.clock.advance(30)
            pages = connection.received()
        connection.hang_up()
        [page] = pages
        return page

    def answer(self, ask: Ask) -> Page:
        """The answer to one of the walk."""
        return self.ask(ask.method, ask.target, ask.body, ask.headers)

    def right(self, row: Row) -> Iterator[Ask]:
        """What clients send: by query, as JSON, and as a form; with the token."""
        # Where the body says what is wanted, a request without one says nothing.
        methods = ("POST",) if row.body else row.methods
        if "GET" in methods:
            yield Ask(row, "GET", self.target(row), b"", self.bearer())
        if "POST" in methods:
            raw = json.dumps(self.fields(row)).encode()
            yield Ask(row, "POST", self.target(row), raw, (JSON, *self.bearer()))
            fields = self.fields(row)
            if all(isinstance(value, str) for name, value in fields.items() if name != "auth"):
                yield Ask(row, "POST", self.target(row), as_form(fields), (FORM, *self.bearer()))

    def target(self, row: Row) -> str:
        """Where the right request goes."""
        return row.example + (f"?{self.fill(row.query)}" if row.query else "")

    def fields(self, row: Row) -> dict[str, Any]:
        """What the right request says; at least who asks, as the portal wants to know it."""
        if row.body:
            said: dict[str, Any] = json.loads(self.fill(row.body))
            return said
        known = self.known
        auth = {"userid": known["uid"], "token": known["token"], "realm": "ecouser.net"}
        return {"auth": auth, "did": known["did"]}

    def bearer(self) -> tuple[tuple[str, str], ...]:
        """The same in headers."""
        known = self.known
        return (
            ("Authorization", f"Bearer {known['pair']}"),
            ("userid", known["uid"]),
            ("token", known["token"]),
        )

    def wrong(self, row: Row) -> Iterator[Ask]:
        """What nobody should send, or not without a token."""
        right = self.target(row)
        for method in ("GET", "POST", "PUT"):
            for target in (row.example, right, f"{row.example}?did=%00&code=%ff&size=-1&=&a"):
                yield Ask(row, method, target)
        for body in NONSENSE:
            yield Ask(row, "POST", right, body, (JSON,))
            yield Ask(row, "POST", row.example, body, (FORM, *self.bearer()))
        yield from self.spoiled(row)

    def spoiled(self, row: Row) -> Iterator[Ask]:
        """The right fields: each of them missing, each of another kind."""
        fields = self.fields(row)
        for name in fields:
            rest = {key: value for key, value in fields.items() if key != name}
            for value in (
                rest,
                {**rest, name: []},
                {**rest, name: {"x": None}},
                {**rest, name: 7},
            ):
                raw = json.dumps(value).encode()
                yield Ask(row, "POST", row.example, raw, (JSON, *self.bearer()))


NONSENSE = (b"{", b"[]", b"null", b'{"did":[],"auth":7,"todo":{}}', b"\xff=\x00&&", b'{"a":' * 400)


def as_form(fields: Mapping[str, Any]) -> bytes:
    """Fields as a form; what is no text goes as JSON."""
    texts = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in fields.items()
    }
    return urlencode(texts, quote_via=quote).encode()


def differs(shape: Any, value: Any, place: str = "") -> str:
    """
    Where a value is of another shape: other keys, or another kind; null goes for anything.

    @return: empty if nowhere.
    """
    if shape is None or value is None:
        return ""
    if kind_of(shape) != kind_of(value):
        return f"{place}: {kind_of(value)} instead of {kind_of(shape)}"
    if isinstance(shape, dict):
        return differ_in_keys(shape, value, place)
    if isinstance(shape, list) and shape:
        return next(filter(None, (differs(shape[0], each, f"{place}[]") for each in value)), "")
    return ""


def differ_in_keys(shape: Mapping[str, Any], value: Mapping[str, Any], place: str) -> str:
    """The same for objects; one whose shape is empty may have any keys."""
    if shape and set(shape) != set(value):
        return f"{place}: other keys {sorted(set(shape) ^ set(value))}"
    both = shape.keys() & value.keys()
    found = (differs(shape[key], value[key], f"{place}.{key}") for key in sorted(both))
    return next(filter(None, found), "")


def kind_of(value: object) -> str:
    """What JSON calls a value."""
    if isinstance(value, bool):
        return "boolean"
    kinds = {str: "text", int: "number", float: "number", dict: "object", list: "array"}
    return kinds[type(value)]


def of_shape(row: Row, page: Page) -> str:
    """
    Where an answer is other than documented.

    @return: empty if nowhere.
    """
    if row.shape in TYPES:
        kind = page.headers["content-type"]
        return "" if kind.startswith(TYPES[row.shape]) else f"it is {kind}"
    return differs(json.loads(row.shape), page.json) if row.shape else ""


def answering(house: House, row: Row) -> Route | None:
    """The route that answers a row, if there is one."""
    found = house.site.find(row.example.encode())
    return found.methods.get(row.methods[0].encode()) if found else None


def lines_of(folder: Path) -> int:
    """Lines of Python that are neither empty nor a comment."""
    lines = (line.strip() for file in folder.rglob("*.py") for line in file.open(encoding="utf-8"))
    return sum(1 for line in lines if line and not line.startswith("#"))


def figures() -> dict[str, float]:
    """How many rows there are, what answers them, and what one costs in Python."""
    house = House()
    found = [answering(house, row) for row in rows() if "." not in row.id]
    answered = [route for route in found if route is not None]
    data = sum(1 for route in answered if route.layer is not Layer.CODE)
    web = Path(bumper_tw.web.__file__).parent
    lines, engine = lines_of(web), lines_of(web / "engine")
    return {
        "rows": len(found),
        "answered": len(answered),
        "by data": data,
        "by code": len(answered) - data,
        "lines of Python in the web": lines,
        "of them the engine": engine,
        "lines per row": round(lines / len(answered), 1),
        "lines per row that is data": round(engine / data, 1),
    }


if __name__ == "__main__":
    for name, value in figures().items():
        sys.stdout.write(f"{name}: {value:g}\n")
