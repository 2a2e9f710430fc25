"""What holds for every endpoint that clients of the vendor ask for."""

import json
import re
from collections.abc import Iterable
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.settings import IdentitySettings, Settings
from bumper_tw.web.engine.answers import Answers, said
from bumper_tw.web.engine.hosts import strangers
from bumper_tw.web.engine.wrapping import family
from bumper_tw.web.openapi import PAGES
from bumper_tw.web.routes import Layer, Route
from tests.flows.house import House
from tests.rows import (
    EXPECTED_MISSING,
    JSON,
    NEVER,
    PREFIX,
    Ask,
    Row,
    Walk,
    answering,
    figures,
    of_shape,
    rows,
)
from tests.samples import DUSTY
from tests.web.browser import Page

#: What looks like a host and is none.  A robot that is being paired is told the zone of its
#: cloud, which our DNS answers for (http-discovery.md 2); settings have names with dots.
NO_HOSTS = {"DI02": {"ecouser.net"}, "DI04": {"PUBLIC.KEY.CONFIG", "USER.DATA.COLLECTION"}}
#: What no document names, but clients are likely to ask for.
LIKELY = {
    "/api/rapp/sds/user/data/*",
    "/api/rapp/sds/user/data/*/*",
    "/data_collect/upload/*",
}
#: The status of what is not there, on purpose.
STATUS = {"OT05": 404}
#: What is refused on purpose, as its shape shows: there is nothing to watch, there are no
#: devices to verify, and nobody of that name to share with.
REFUSED = {"AC07", "XX06", "XX07", "XX04", "OT04", "DV01.ShareDevice"}
#: Names under which clients find this box.
HOSTS = ("box.lan:8007", "192.168.7.2", "portal-eu.ecouser.net", "[fd00::2]:8007")
#: Our own routes are below these, and belong to no family of the vendor's.
OWN = re.compile(r"/(?:api/[a-z.-]+|discover|healthz|metrics|readyz)(?:/.*)?")


def there() -> list[Row]:
    """The rows that have an answer."""
    return [row for row in rows() if row.id not in NEVER | EXPECTED_MISSING]


def named(page: Page) -> Iterable[str]:
    """The hosts and addresses in an answer and its headers."""
    for name, value in page.headers.items():
        if name != "date":
            yield from strangers(value)
    if page.headers["content-type"].startswith(("application/json", "text/", "image/svg")):
        yield from strangers(page.body.decode("utf-8"))


class RowTests(SynchronousTestCase):
    """One house, all rows."""

    def setUp(self) -> None:
        self.walk = Walk()

    def tell(self, ask: Ask, page: Page) -> str:
        """What a test says about a request that went wrong."""
        kind = dict(ask.headers).get("Content-Type", "")
        asked = f"{ask.row.id}: {ask.method} {ask.target} {kind} {ask.body[:99]!r}"
        return f"{asked}: {page.body[:300]!r}"

    def test_right(self) -> None:
        """Each of them, by every method and in every form, answers what is documented."""
        for row in there():
            for ask in self.walk.right(row):
                page = self.walk.answer(ask)
                text = self.tell(ask, page)
                self.assertEqual(page.status, STATUS.get(row.id, 200), text)
                self.assertEqual(of_shape(row, page), "", text)
                if row.id not in REFUSED and page.headers["content-type"].startswith(JSON[1]):
                    self.assertFalse(failed(page.json), text)
        self.assertEqual(self.walk.house.site.counts["broken"], 0)
        self.assertEqual(self.walk.house.site.counts["unknown"], 0)

    def test_wrong(self) -> None:
        """Nothing that could be sent ends in a 500, or in something that is no JSON."""
        for row in there():
            for ask in self.walk.wrong(row):
                page = self.walk.answer(ask)
                self.assertIn(
                    page.status, {200, 400, 405, STATUS.get(row.id)}, self.tell(ask, page)
                )
                if page.headers["content-type"].startswith(JSON[1]) and page.body:
                    json.loads(page.body)
                    named_here = {"box.lan", HOSTS[0]} | announced(row, page)
                    allowed = named_here | NO_HOSTS.get(row.id, set())
                    self.assertLessEqual(set(named(page)), allowed, self.tell(ask, page))
        self.assertEqual(self.walk.house.site.counts["broken"], 0)

    def test_no_token(self) -> None:
        """The same requests from somebody who says nothing about himself."""
        for row in there():
            for ask in self.walk.right(row):
                page = self.walk.ask(ask.method, ask.target, b"{}" if ask.body else b"", (JSON,))
                self.assertNotEqual(page.status, 500, self.tell(ask, page))
        self.assertEqual(self.walk.house.site.counts["broken"], 0)

    def test_strict(self) -> None:
        """Where a token has to prove who asks, nobody is told of robots without one."""
        strict = IdentitySettings(policy="strict", robots_of="owners")
        house = House(Settings(identity=strict))
        self.walk.house = house
        house.robot()
        for row in there():
            for method in row.methods:
                page = self.walk.ask(method, row.example, b"{}" if method == "POST" else b"")
                self.assertNotEqual(page.status, 500, row.path)
                self.assertNotIn(DUSTY.did.encode(), page.body, row.path)
        self.assertEqual(house.site.counts["broken"], 0)

    def test_only_this_box(self) -> None:
        """No answer names a host or an address but the one it was asked by."""
        for host in HOSTS:
            self.walk.host = host
            allowed = {host, host.rpartition(":")[0].strip("[]"), host.partition(":")[0]}
            for row in there():
                for ask in self.walk.right(row):
                    page = self.walk.answer(ask)
                    found = set(named(page)) - allowed - NO_HOSTS.get(row.id, set())
                    self.assertLessEqual(found, announced(row, page), (host, self.tell(ask, page)))

    def test_spellings(self) -> None:
        """The private API: any of the three versions, and a slash too many, are the same."""
        for row in there():
            if "/private/{P}/" not in row.path:
                continue
            for version in ("/v1/", "/v2/", "/v3/"):
                for slash in ("/", "//"):
                    path = row.example.replace(row.example[:4], version, 1)
                    path = path.replace(f"{PREFIX}/", f"{PREFIX}{slash}", 1)
                    page = self.walk.ask("GET", f"{path}?{self.walk.fill(row.query)}")
                    self.assertEqual(page.status, 200, path)
                    self.assertIn("success", page.json, path)

    def test_family_failure(self) -> None:
        """The wrong method is a failure as the family of the path has it."""
        for row in there():
            page = self.walk.ask("DELETE", row.example)
            self.assertEqual(page.status, 405, row.path)
            if "/private/" in row.path:
                self.assertEqual((page.json["success"], page.json["data"]), (False, None))


def failed(value: Any) -> bool:
    """Whether an answer says that something went wrong."""
    if not isinstance(value, dict):
        return False
    verdicts = (value.get("ret"), value.get("result"), value.get("success"))
    return "fail" in verdicts or False in verdicts


def announced(row: Row, page: Page) -> set[str]:
    """The address that robots are sent to, as they resolve no names."""
    if row.id in {"DI01", "AU08.FindBest"}:
        return {str(page.json.get("ip", ""))}
    return set()


class TableTests(SynchronousTestCase):
    """The table and the routes, one against the other."""

    def setUp(self) -> None:
        self.house = House()

    def test_all_answered(self) -> None:
        """Every row has a route, but those that are named as missing; and these have none."""
        missing = {row.id for row in rows() if answering(self.house, row) is None}
        self.assertEqual(missing, set(NEVER | EXPECTED_MISSING))

    def test_nothing_else(self) -> None:
        """Every route is a row, one of our own API, or a page of ours."""
        known = {skeleton(row.path) for row in rows()}
        for route in self.house.site.routes:
            if route.here is None and skeleton(route.path) not in known | LIKELY:
                self.assertTrue(is_ours(route), route.path)

    def test_ids(self) -> None:
        """Every entry that comes with the program is for a row of the table, and for its path."""
        paths: dict[str, set[str]] = {}
        for row in rows():
            paths.setdefault(row.id, set()).add(skeleton(row.path))
        answers = Answers(Clock())
        answers.load()
        for entry in answers.entries:
            if entry.id:
                self.assertIn(skeleton(entry.paths[0]), paths.get(entry.id, ()), entry.origin)
            self.assertTrue(entry.id or entry.about, entry.origin)

    def test_no_dead_data(self) -> None:
        """No entry that comes with the program is for what the program does itself."""
        code = {
            (skeleton(route.path), method)
            for route in self.house.site.routes
            if route.layer is Layer.CODE
            for method in route.methods
        }
        for route in self.house.site.routes:
            if route.layer is Layer.SHIPPED:
                mine = {(skeleton(route.path), method) for method in route.methods}
                self.assertFalse(mine <= code, f"{route.origin}: {route.path}")

    def test_no_hosts_in_data(self) -> None:
        """
        No entry names any host, whichever query it is for: links begin with a placeholder.
        """
        answers = Answers(Clock())
        answers.load()
        for entry in answers.entries:
            texts = [said(value) for value in entry.values]
            if entry.default.whole is not None and entry.envelope != "file":
                texts.append(entry.default.whole.decode("utf-8"))
            for text in texts:
                self.assertEqual(list(strangers(text)), [], entry.origin)

    def test_figures(self) -> None:
        """What an endpoint costs is known, and constant ones cost no Python of their own."""
        found = figures()
        self.assertEqual(found["answered"], found["rows"] - len(NEVER | EXPECTED_MISSING))
        self.assertGreater(found["by data"], 90)
        self.assertLess(found["lines per row that is data"], 12)


def skeleton(path: str) -> str:
    """A path without the names of its variables, in the first version of the private API."""
    plain = re.sub(r"(?<=/private/)(?:\{P\}|(?:<\w+>/){6}<\w+>)/+", "P/", path)
    return re.sub(r"[<{]\w+[>}]", "*", re.sub("^/v[23]/", "/v1/", plain))


def is_ours(route: Route) -> bool:
    """Whether a route is of our own API, or a page of ours."""
    if PAGES.fullmatch(route.path):
        return True
    return family(route.path) is None and OWN.fullmatch(route.path) is not None
