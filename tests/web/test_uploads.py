"""Tests for uploads, telemetry sinks, updates and unknown paths, over the whole server."""

import gzip
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from attrs import evolve
from twisted.internet.defer import Deferred, fail
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.config import Settings
from bumper_tw.core.updates import Updates
from bumper_tw.errors import StorageError
from bumper_tw.storage.records import RecordStore
from tests.flows.house import House
from tests.samples import DUSTY
from tests.web.browser import Page, request

DATA = "/data_collect/upload"
GENERAL = f"{DATA}/generalData"
WUKONG = f"/api/ota/products/wukong/class/{DUSTY.model}/firmware/latest.json"
FRONT = "/v1/private/de/en/0f1e2d3c4b5a69788796a5b4c3d2e1f0/global_e/3.1.0/c_googleplay/1"


class HouseCase(SynchronousTestCase):
    """A server with a data directory and a robot."""

    def setUp(self) -> None:
        self.data = Path(self.mktemp())
        self.data.mkdir()
        self.house = self.start()
        self.house.robot()
        self.token = self.log_in()

    def start(self, **web: Any) -> House:
        """A server over that directory."""
        settings = Settings()
        storage = evolve(settings.storage, directory=self.data)
        return House(evolve(settings, storage=storage, web=evolve(settings.web, **web)))

    def log_in(self) -> str:
        """A token of our own API."""
        told = {"account": "owner@example.org", "password": "hunter2"}
        token: str = self.house.browser().post("/api/login", told).json["token"]
        return token

    def get(self, path: str, token: str | None = None) -> Page:
        """The answer to a GET with a token."""
        bearer = ("Authorization", f"Bearer {self.token if token is None else token}")
        return self.house.browser().get(path, headers=[bearer])

    def send(self, path: str, body: bytes, **headers: str) -> Page:
        """The answer to a POST."""
        found = [(name.replace("_", "-"), text) for name, text in headers.items()]
        return self.house.browser().ask("POST", path, body, found)


class UploadTests(HouseCase):
    """Files that robots send."""

    def test_kept(self) -> None:
        """A robot's file is kept under the robot, listed, and handed out to be saved only."""
        body = b"<script>alert(1)</script>"
        answer = self.send(f"{DATA}/photo?auth.did={DUSTY.did}", body, Content_Type="text/html")
        self.assertEqual((answer.status, answer.json), (200, None))
        [file] = self.get(f"/api/robots/{DUSTY.did}/files").json["files"]
        self.assertEqual((file["what"], file["size"]), ("photo", len(body)))
        page = self.get(f"/api/robots/{DUSTY.did}/files/{file['key']}")
        self.assertEqual((page.status, page.body), (200, body))
        self.assertEqual(page.headers["content-type"], "application/octet-stream")
        self.assertTrue(page.headers["content-disposition"].startswith("attachment;"))
        self.assertEqual(page.headers["x-content-type-options"], "nosniff")
        [path] = self.data.glob("files/*/*")
        self.assertEqual(path.read_bytes(), body)

    def test_token(self) -> None:
        """Nobody reads them without one, and no other robot has them."""
        self.send(f"{DATA}/photo?auth.did={DUSTY.did}", b"x")
        [file] = self.get(f"/api/robots/{DUSTY.did}/files").json["files"]
        for path in ("", f"/{file['key']}"):
            self.assertEqual(self.get(f"/api/robots/{DUSTY.did}/files{path}", "no").status, 401)
        for path in (
            f"/api/robots/other/files/{file['key']}",
            "/api/robots/other/files",
            f"/api/robots/{DUSTY.did}/files/other",
            f"/api/robots/{DUSTY.did}/files/..%2F..%2Fbumper.db",
        ):
            self.assertEqual(self.get(path).status, 404, path)

    def test_stranger(self) -> None:
        """What nobody knows the robot of is kept as well, where no robot's files are."""
        self.send(f"{DATA}/log?auth.did=somebody", b"x")
        self.assertEqual(self.get(f"/api/robots/{DUSTY.did}/files").json["files"], [])
        [path] = self.data.glob("files/*/*")
        self.assertEqual(path.parent.name, "strangers")

    def test_quota(self) -> None:
        """However much a robot sends, there is only so much of it."""
        self.house = self.start(uploads_robot_bytes=1000, upload_bytes=400)
        self.house.robot()
        for number in range(10):
            self.house.clock.advance(1)
            self.send(f"{DATA}/log?auth.did={DUSTY.did}", b"%d" % number * 300)
        kept = sorted(path.read_bytes()[:1] for path in self.data.glob("files/*/*"))
        self.assertEqual(kept, [b"7", b"8", b"9"])
        refused = self.send(f"{DATA}/log?auth.did={DUSTY.did}", b"x" * 401)
        self.assertIn("at most 400 bytes", refused.body.decode())

    def test_more_than_elsewhere(self) -> None:
        """An upload may be larger than any other request, and has its own end."""
        size = self.house.settings.web.max_body + 1
        self.assertEqual(self.send(f"{DATA}/map?auth.did={DUSTY.did}", b"x" * size).status, 200)
        self.assertEqual(self.send("/api/robots", b"x" * size).status, 413)
        head = f"POST {DATA}/map HTTP/1.1\r\nHost: box.lan\r\nContent-Length: {9 << 20}\r\n\r\n"
        connection = self.house.browser().connect()
        connection.send(head.encode())
        [answer] = connection.received()
        self.assertEqual(answer.status, 413)

    def test_at_once(self) -> None:
        """Only so many large bodies are on their way at a time; small ones always have room."""
        head = request("POST", f"{DATA}/map", b"").replace(b"\r\n\r\n", b"\r\n")
        large = head + b"Content-Length: 4194304\r\n\r\n"
        waiting = [self.house.browser().connect() for _ in range(4)]
        for connection in waiting:
            connection.send(large)
            self.assertEqual(connection.received(), [])
        fifth = self.house.browser().connect()
        fifth.send(large)
        [answer] = fifth.received()
        self.assertEqual(answer.status, 413)
        self.assertEqual(self.send(f"{DATA}/map", b"small").status, 200)
        waiting.pop().hang_up()
        sixth = self.house.browser().connect()
        sixth.send(large)
        self.assertEqual(sixth.received(), [])

    def test_disk_full(self) -> None:
        """The robot hears what it always hears, the owner hears of the disk."""

        def full(*_: object) -> Deferred[str]:
            return fail(StorageError("no space left"))

        self.house.facts.belongings.files.keep = full  # type: ignore[method-assign, assignment]  # a full disk
        with capturedLogs() as said:
            answer = self.send(f"{DATA}/log?auth.did={DUSTY.did}", b"x")
        self.assertEqual((answer.status, answer.json), (200, None))
        lines = [formatEvent(event) for event in said]
        self.assertIn("an upload is lost: no space left", lines)


class SinkTests(HouseCase):
    """Telemetry of apps and robots."""

    def test_dropped(self) -> None:
        """It is answered, counted, and not kept, whichever way it comes."""
        bomb = gzip.compress(b"0" * (64 << 20))
        self.assertLess(len(bomb), 1 << 17)
        for path in ("/sa?project=production", GENERAL, "/Global_APP_BuryPoint/api", "/log"):
            for headers in ({}, {"Content_Encoding": "gzip"}):
                self.assertEqual(self.send(path, bomb, **headers).status, 200, path)
        self.assertEqual(self.house.browser().get(GENERAL).json, None)
        self.assertEqual(list(self.data.glob("files/*/*")), [])

    def test_too_large(self) -> None:
        """What is longer than any request may be is refused before it is there."""
        head = "POST /sa HTTP/1.1\r\nHost: box.lan\r\nContent-Length: 99999999\r\n\r\n"
        connection = self.house.browser().connect()
        connection.send(head.encode())
        [answer] = connection.received()
        self.assertEqual(answer.status, 413)


class FirmwareTests(HouseCase):
    """Requests for newer software."""

    def firmware(self) -> Mapping[str, Any]:
        """What the API tells of Dusty."""
        found: Mapping[str, Any] = self.get(f"/api/robots/{DUSTY.did}/firmware").json
        return found

    def test_stays(self) -> None:
        """Every way to an update says there is none, and is noted with module and version."""
        browser = self.house.browser()
        answer = browser.get(f"{WUKONG}?ver=1.2.3&module=AIConfig&did={DUSTY.did}")
        self.assertEqual((answer.status, answer.body), (404, b"Not Found"))
        answer = browser.get(f"/api/appsvr/ota/firmware?did={DUSTY.did}&ver=9")
        self.assertEqual(answer.json["code"], -1)
        found = self.firmware()
        self.assertEqual(found["allowed"], False)
        self.assertEqual(
            [(each["kind"], each["module"], each["version"]) for each in found["attempts"]],
            [("firmware", "AIConfig", "1.2.3"), ("firmware", "fw0", "9")],
        )
        self.assertEqual(found["attempts"][0]["first"], self.house.clock.seconds())

    def test_serial_number(self) -> None:
        """A robot is known by its serial number as well."""
        [device] = self.house.facts.registry.devices()
        self.house.facts.registry.update(evolve(device, name="E0001234567890"))
        self.house.browser().get(f"{WUKONG}?ver=1.2.3&sn=E0001234567890")
        [attempt] = self.firmware()["attempts"]
        self.assertEqual((attempt["module"], attempt["version"]), ("fw0", "1.2.3"))

    def test_others(self) -> None:
        """Apps, bundles of screens and lookups are noted with the address they came from."""
        browser = self.house.browser()
        update = browser.get("/v0.1/public/codepush/update_check?deployment_key=k&app_version=1.0")
        self.assertEqual(update.json["update_info"]["is_available"], False)
        self.assertIsNone(browser.get(f"{FRONT}/common/checkVersion").json["data"]["v"])
        self.send("/lookup.do", b'{"todo":"FindBest","service":"EcoUpdate"}')
        self.send("/lookup.do", b'{"todo":"FindBest","service":"EcoMsgNew"}')
        attempts = self.house.facts.belongings.updates.attempts()
        self.assertEqual(
            [(each.kind, each.peer, each.module, each.version) for each in attempts],
            [
                ("bundle", "192.168.7.33", "k", "1.0"),
                ("app", "192.168.7.33", "global_e", "3.1.0"),
                ("address", "192.168.7.33", "", ""),
            ],
        )

    def test_allowed_once(self) -> None:
        """What the owner has put there goes through once, to the robot he named."""
        folder = self.data / "firmware" / DUSTY.model
        folder.mkdir(parents=True)
        (folder / "latest.json").write_text('{"version":"2","fw0":{"url":null}}')
        self.house.facts.belongings.updates.allow(DUSTY.did)
        self.assertTrue(self.firmware()["allowed"])
        ask = f"{WUKONG}?ver=1&did={DUSTY.did}"
        browser = self.house.browser()
        self.assertEqual(browser.get(f"{WUKONG}?ver=1").status, 404)
        self.assertEqual(browser.get(f"{ask}&module=AIConfig").status, 404)
        self.assertEqual(browser.ask("HEAD", ask).status, 404)
        other = WUKONG.replace(DUSTY.model, "ls1ok3")
        self.assertEqual(browser.get(f"{other}?did={DUSTY.did}").status, 404)
        answer = browser.get(ask)
        self.assertEqual((answer.status, answer.json["version"]), (200, "2"))
        self.assertEqual(browser.get(ask).status, 404)
        self.assertFalse(self.firmware()["allowed"])

    def test_allowed_meanwhile(self) -> None:
        """What a command of the owner allows counts once the server reads it, on SIGHUP."""
        store = RecordStore(self.house.database)
        self.successResultOf(Updates(self.house.clock, store).allow(DUSTY.did))
        self.assertFalse(self.firmware()["allowed"])
        self.successResultOf(self.house.facts.belongings.reload(store))
        self.assertTrue(self.firmware()["allowed"])

    def test_token(self) -> None:
        """That is for those who may know."""
        self.assertEqual(self.get(f"/api/robots/{DUSTY.did}/firmware", "no").status, 401)
        self.assertEqual(self.get("/api/robots/other/firmware").status, 404)


class UnknownTests(HouseCase):
    """Paths that nobody answers."""

    def test_harmless(self) -> None:
        """Each family hears its own success, and it is in the report."""
        browser = self.house.browser()
        answer = browser.post(f"{FRONT}/common/brandNew?x=1", {"token": "hunter2"})
        self.assertEqual((answer.status, answer.json["code"]), (200, "0000"))
        self.assertIsNone(answer.json["data"])
        self.assertEqual(browser.get("/api/neng/v9/brandNew").json["code"], 0)
        self.assertEqual(browser.get("/api/brand/new.do").json["ret"], "ok")
        self.assertIn("text/html", browser.get("/brand/new.html").headers["content-type"])
        found = self.get("/api/unknown").json
        self.assertEqual(found["unlisted"], 0)
        [first, *_] = found["paths"]
        self.assertEqual(
            (first["method"], first["path"]), ("POST", "/v1/private/{P}/common/brandNew")
        )
        [shape] = first["shapes"]
        self.assertEqual(
            (shape["query"], shape["body"], shape["app"]),
            (["x"], {"token": "text"}, "global_e/3.1.0"),
        )

    def test_redacted(self) -> None:
        """Whatever is planted in a request, none of it is in the report, the log or on disk."""
        uid = self.house.facts.accounts.user_of(self.token)
        secrets = (
            *(DUSTY.did, uid, self.token, "E0001234567890", "hunter2", "alice@example.org"),
            *("eyJhbGciOiJIUzI1NiJ9", "192.168.7.66", "Dusty the first"),
        )
        [device] = self.house.facts.registry.devices()
        named = evolve(device, name="E0001234567890", nick="Dusty the first")
        self.house.facts.registry.update(named)
        with capturedLogs() as said:
            for secret in secrets:
                # A word like any other is one in a path, too; there it is not looked for.
                word = "brand" if secret == "hunter2" else quote(secret)
                body = {"a": secret, "b": {unquote(word): [secret]}}
                headers = (("User-Agent", secret), ("Authorization", f"Bearer {secret}"))
                path = f"/api/x/{word}?{word}={quote(secret)}"
                self.house.browser().ask("POST", path, json.dumps(body).encode(), headers)
        lines = [str(formatEvent(event)) for event in said if "nobody" in str(formatEvent(event))]
        self.assertEqual(len(lines), 2)
        told = "\n".join([self.get("/api/unknown").body.decode(), *lines])
        for secret in secrets:
            self.assertNotIn(secret, told)

    def test_logged_once(self) -> None:
        """One path is one line, however often it is asked for."""
        with capturedLogs() as said:
            for _ in range(3):
                self.house.clock.advance(120)
                self.house.browser().get("/api/neng/brandNew")
        lines = [formatEvent(event) for event in said]
        self.assertEqual(len([line for line in lines if "brandNew" in str(line)]), 1)

    def test_nobodys(self) -> None:
        """What no family claims, what is our own, and what changes something is not found."""
        browser = self.house.browser()
        for method, path in (
            ("GET", "/favourite"),
            ("GET", "/api/robots/x/brandNew"),
            ("GET", "/api/unknown/brandNew"),
            ("DELETE", "/api/neng/brandNew"),
            ("PUT", "/api/neng/brandNew"),
        ):
            self.assertEqual(browser.ask(method, path).status, 404, path)
        paths = [each["path"] for each in self.get("/api/unknown").json["paths"]]
        self.assertEqual(paths, ["/favourite", "/api/neng/brandNew", "/api/neng/brandNew"])

    def test_not_found(self) -> None:
        """The owner may have them told the truth; the report is the same."""
        self.house = self.start(unknown="not_found")
        self.token = self.log_in()
        self.assertEqual(self.house.browser().get("/api/neng/brandNew").status, 404)
        self.assertEqual(len(self.get("/api/unknown").json["paths"]), 1)

    def test_token(self) -> None:
        """The report is for those who are known here."""
        self.assertEqual(self.get("/api/unknown", "no").status, 401)

    def test_large_body(self) -> None:
        """A long body is not looked into, and a broken one is none."""
        for body in (b"{" * 100_000, b"\xff\xfe", b"[1]", os.urandom(1000)):
            self.assertEqual(self.send("/api/neng/brandNew", body).status, 200)
        query = "&".join(f"a{number}=1" for number in range(500))
        self.assertEqual(self.house.browser().get(f"/api/neng/brandNew?{query}").status, 200)


class ForgottenTests(HouseCase):
    """A robot that is removed."""

    def test_gone(self) -> None:
        """Its files and its attempts go with it."""
        self.send(f"{DATA}/photo?auth.did={DUSTY.did}", b"x")
        self.house.browser().get(f"{WUKONG}?ver=1&did={DUSTY.did}")
        own = self.house.facts.belongings
        self.assertEqual((len(own.files.of(DUSTY.did)), len(own.updates.of(DUSTY.did))), (1, 1))
        self.successResultOf(self.house.facts.registry.forget(DUSTY.did))
        self.assertEqual((own.files.of(DUSTY.did), own.updates.of(DUSTY.did)), ([], []))
        self.assertEqual(list(self.data.glob("files/*/*")), [])


class OwnersTests(HouseCase):
    """Where robots have owners."""

    def start(self, **web: Any) -> House:
        """Everybody sees only his own."""
        house = super().start(**web)
        settings = house.settings
        identity = evolve(settings.identity, robots_of="owners")
        return House(evolve(settings, identity=identity))

    def test_stranger(self) -> None:
        """To whoever may not use a robot it does not exist, nor anything of it."""
        self.send(f"{DATA}/photo?auth.did={DUSTY.did}", b"x")
        [file] = self.house.facts.belongings.files.of(DUSTY.did)
        for path in ("firmware", "files", f"files/{file.key}"):
            page = self.get(f"/api/robots/{DUSTY.did}/{path}")
            self.assertEqual((page.status, page.json["reason"]), (404, "unknown_robot"), path)
        uid = self.house.facts.accounts.user_of(self.token)
        self.house.facts.belongings.ownership.give(DUSTY.did, uid)
        for path in ("firmware", "files", f"files/{file.key}"):
            self.assertEqual(self.get(f"/api/robots/{DUSTY.did}/{path}").status, 200, path)
