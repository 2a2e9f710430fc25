"""Answers that are data: where they come from, and which goes before which."""

import json
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from bumper_tw.errors import BadRequest, StartError
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.engine.answers import SHIPPED, Answers
from bumper_tw.web.engine.entries import Entry, Kind
from bumper_tw.web.routes import GET, Route, private
from bumper_tw.web.site import WebSite, build_site
from tests.web.browser import Browser
from tests.web.world import WorldCase, plain

SEVEN = "us/EN/d1/global_e/3.15.0/google_play/1"


def code(_: Call) -> Answer:
    """What the program says."""
    return json_answer("code")


ROUTES = (
    Route("/code", GET, code, plain),
    Route("/user.do", GET, code, plain),
    Route(private("v1", "/user/login"), GET, code, plain),
)


class AnswersCase(WorldCase):
    """Two folders and a site."""

    def setUp(self) -> None:
        super().setUp()
        self.shipped, self.own = Path(self.mktemp()), Path(self.mktemp())
        self.shipped.mkdir()
        self.clock = Clock()
        self.write(self.shipped, "a", {"path": "/a", "envelope": "raw", "body": "shipped"})

    def write(self, folder: Path, name: str, *entries: dict[str, Any]) -> Path:
        """A file with these entries."""
        folder.mkdir(exist_ok=True)
        path = folder / f"{name}.json"
        path.write_text(json.dumps(entries), "utf-8")
        return path

    def mine(self, *entries: dict[str, Any], name: str = "mine") -> Path:
        """A file of the owner's."""
        return self.write(self.own, name, *entries)

    def site(self, **deeds: Any) -> WebSite:
        """What starts with these files."""
        kinds = {Kind(name): deed for name, deed in deeds.items()}
        self.answers = Answers(self.clock, self.own, kinds, shipped=self.shipped)
        self.answers.load()
        site = build_site(ROUTES, self.clock, None, self.answers)
        self.browser = Browser(site, self.clock)
        return site

    def at(self, path: str) -> Any:
        """The answer there."""
        return self.browser.get(path).json


class LinkTests(AnswersCase):
    """What is called as the one who asks calls it."""

    def test_not_kept(self) -> None:
        """An answer in which links are is for nobody else; others may be kept as ever."""
        for name in ("host", "base_url", "lang"):
            entry = {"path": f"/{name}", "envelope": "raw", "body": f"{{{name}}}/x"}
            self.write(self.shipped, name, entry)
        self.site()
        told = {
            name: self.browser.get(f"/{name}").headers for name in ("host", "base_url", "lang")
        }
        kept = {name: headers.get("cache-control") for name, headers in told.items()}
        self.assertEqual(kept, {"host": "no-store", "base_url": "no-store", "lang": None})


class LayerTests(AnswersCase):
    """The owner's, the program's, and what comes with it."""

    def test_no_folder(self) -> None:
        """The owner need not have any."""
        self.site()
        self.assertEqual((self.at("/a"), self.at("/code")), ("shipped", "code"))

    def test_owner_first(self) -> None:
        """His go before those that come with the program, method by method."""
        self.mine({"path": "/a", "envelope": "raw", "body": "mine", "methods": ["GET"]})
        self.site()
        self.assertEqual(self.at("/a"), "mine")
        self.assertEqual(self.browser.post("/a", {}).json, "shipped")

    def test_new_path(self) -> None:
        """To add an endpoint takes an entry."""
        self.mine({"path": "/v1/private/{P}/x", "envelope": "private", "body": {"a": "{lang}"}})
        self.site()
        page = self.at(f"/v2/private/{SEVEN}/x")
        self.assertEqual((page["code"], page["data"]), ("0000", {"a": "en"}))

    def test_code_before_shipped(self) -> None:
        """What comes with the program does not stand in the way of the program."""
        self.write(self.shipped, "b", {"path": "/code", "envelope": "raw", "body": "data"})
        self.site()
        self.assertEqual(self.at("/code"), "code")
        self.assertEqual(self.browser.post("/code", {}).json, "data")

    def test_owner_against_code(self) -> None:
        """What the program answers he has to want to replace."""
        entry = {"path": "/code", "envelope": "raw", "body": "mine"}
        self.mine(entry)
        with self.assertRaisesRegex(StartError, 'mine.json: entry 1: /code .*"instead": true'):
            self.site()
        self.mine({**entry, "instead": True})
        self.site()
        self.assertEqual(self.at("/code"), "mine")

    def test_kept(self) -> None:
        """Who somebody is is not answered by data, however it is spelt; nor our own API."""
        for path in (
            "/user.do",
            "/discover",
            "/v1/private/{P}/user/login",
            "/v3/private/{P}//user/login",
            "/api/robots",
            "/api/robots/{did}/status",
            "/api/login",
        ):
            self.mine({"path": path, "envelope": "raw", "instead": True})
            with self.assertRaisesRegex(StartError, "mine.json: entry 1: /", msg=path):
                self.site()
            self.mine({"path": path, "envelope": "raw"})
            self.assertRaises(StartError, self.site)

    def test_twice(self) -> None:
        """Two files of one folder do not answer the same."""
        for name in ("one", "two"):
            self.mine({"path": "/b", "envelope": "raw"}, name=name)
        with self.assertRaisesRegex(StartError, "two.json: entry 1: /b is in .*one.json: entry 1"):
            self.site()

    def test_file_beside(self) -> None:
        """A file in the same folder can be an answer; one that is not there is a mistake."""
        self.mine({"path": "/logo.png", "envelope": "file", "file": "logo.png"})
        with self.assertRaisesRegex(StartError, "logo.png: No such file"):
            self.site()
        (self.own / "logo.png").write_bytes(b"\x89PNG")
        self.site()
        page = self.browser.get("/logo.png")
        self.assertEqual((page.headers["content-type"], page.body), ("image/png", b"\x89PNG"))

    def test_foreign_hosts(self) -> None:
        """The owner is told when one of his answers leads away from this box."""
        self.mine({"path": "/b", "envelope": "raw", "body": {"x": "https://cdn.example.com/a"}})
        self.site()
        [line] = self.ear.lines()
        self.assertIn("mine.json: entry 1 names cdn.example.com", line)
        self.assertEqual(self.at("/b"), {"x": "https://cdn.example.com/a"})

    def test_unreadable(self) -> None:
        """What cannot be read is named."""
        self.mine().write_text("[", "utf-8")
        with self.assertRaisesRegex(StartError, "mine.json: Expecting"):
            self.site()
        self.mine().unlink()
        (self.own / "mine.json").mkdir()
        with self.assertRaisesRegex(StartError, "mine.json: "):
            self.site()
        self.own = self.own / "mine.json" / "x.json"
        self.own.write_text("x", "utf-8")
        with self.assertRaisesRegex(StartError, "x.json: Not a directory"):
            self.site()

    def test_too_much(self) -> None:
        """Files and folders have an end."""
        self.mine().write_bytes(b" " * ((1 << 20) + 1))
        with self.assertRaisesRegex(StartError, "mine.json: longer than"):
            self.site()
        for number in range(101):
            self.mine(name=str(number))
        with self.assertRaisesRegex(StartError, "more than 100 files"):
            self.site()

    def test_shipped(self) -> None:
        """Those that come with the program are in order."""
        answers = Answers(self.clock)
        answers.load()
        self.assertGreater(len(answers.entries), 90)
        self.assertTrue((SHIPPED / "private.json").exists())


class ReloadTests(AnswersCase):
    """The same, while the server runs."""

    def test_reload(self) -> None:
        """New answers are there at once, for connections that are open, too."""
        site = self.site()
        connection = self.browser.connect()
        self.mine({"path": "/a", "envelope": "raw", "body": "mine"})
        self.assertEqual(self.at("/a"), "shipped")
        site.reload()
        self.assertEqual(self.at("/a"), "mine")
        connection.send(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        [page] = connection.received()
        self.assertEqual(page.json, "mine")
        (self.own / "mine.json").unlink()
        site.reload()
        self.assertEqual(self.at("/a"), "shipped")

    def test_mistake(self) -> None:
        """When something is wrong with the new ones, the old ones stay, all of them."""
        self.mine({"path": "/a", "envelope": "raw", "body": "first"})
        site = self.site()
        for wrong in ({"path": "/a"}, {"path": "/code", "envelope": "raw"}):
            self.mine({"path": "/a", "envelope": "raw", "body": "second"}, wrong)
            self.assertRaises(StartError, site.reload)
            self.assertEqual(self.at("/a"), "first")
            self.assertEqual(self.answers.entries[0].values, ("first",))

    def test_without(self) -> None:
        """A site without data has nothing to reload."""
        build_site(ROUTES, self.clock).reload()


class DeedTests(AnswersCase):
    """What happens besides an answer."""

    def setUp(self) -> None:
        super().setUp()
        self.done: list[tuple[str, bytes]] = []
        kinds = ("sink", "upload", "update")
        entries = [{"path": f"/{kind}", "envelope": "raw", "kind": kind} for kind in kinds]
        self.write(
            self.shipped, "kinds", *({**each, "id": "X"} for each in entries[:1]), *entries[1:]
        )

    def note(self, entry: Entry, call: Call) -> None:
        """A deed that leaves the answer alone."""
        self.done.append((entry.paths[0], call.raw))

    def test_counted(self) -> None:
        """Without anything to do they are counted, by id or path; plain answers are not."""
        self.site()
        for path in ("/sink", "/sink", "/upload", "/a"):
            self.assertEqual(self.browser.post(path, {}).status, 200)
        self.assertEqual(self.answers.counts, {"X": 2, "/upload": 1})

    def test_done(self) -> None:
        """What there is to do is told the entry and the request."""
        self.site(sink=self.note)
        self.assertEqual(self.browser.ask("POST", "/sink", b"\x1f\x8b").body, b"null")
        self.browser.post("/upload", {})
        self.assertEqual(self.done, [("/sink", b"\x1f\x8b")])

    def test_other_answer(self) -> None:
        """It may answer itself, at once or later."""
        later: Deferred[Answer | None] = Deferred()
        self.site(update=lambda *_: json_answer("mine"), upload=lambda *_: later)
        self.assertEqual(self.at("/update"), "mine")
        connection = self.browser.connect()
        connection.send(b"POST /upload HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual(connection.received(), [])
        later.callback(None)
        [page] = connection.received()
        self.assertEqual(page.body, b"null")

    def test_refused(self) -> None:
        """It may refuse, and the client hears of it as its family has it."""

        def refuse(_entry: Entry, _call: Call) -> None:
            raise BadRequest("no room")

        private_path = "/v1/private/{P}/x"
        self.mine({"path": private_path, "envelope": "private", "kind": "upload"})
        self.site(upload=refuse)
        page = self.at(private_path.replace("{P}", SEVEN))
        self.assertEqual((page["code"], page["msg"], page["success"]), ("0001", "no room", False))
        self.assertEqual(self.at("/upload")["ret"], "fail")

    def test_room(self) -> None:
        """An entry may let more in than others do."""
        self.mine({"path": "/large", "envelope": "raw", "kind": "upload", "room": 2 << 20})
        self.site()
        self.assertEqual(self.browser.ask("POST", "/large", b"x" * (2 << 20)).status, 200)
        self.assertEqual(self.browser.ask("POST", "/sink", b"x" * (2 << 20)).status, 413)
