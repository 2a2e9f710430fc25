"""Tests for updates and unknown paths, over the whole server."""

import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from attrs import evolve
from twisted.logger import capturedLogs, formatEvent

from bumper_tw.core.updates import Updates
from bumper_tw.storage.records import RecordStore
from tests.samples import DUSTY
from tests.web.houses import ELSEWHERE, FRONT, WUKONG, HouseCase


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

    def test_named_by_others(self) -> None:
        """Who names a robot from elsewhere is noted by his address, and takes nothing of it."""
        folder = self.data / "firmware" / DUSTY.model
        folder.mkdir(parents=True)
        (folder / "latest.json").write_text('{"version":"2","fw0":{"url":null}}')
        updates = self.house.facts.belongings.updates
        updates.allow(DUSTY.did)
        answer = self.elsewhere().get(f"{WUKONG}?ver=9&did={DUSTY.did}")
        self.assertEqual(answer.status, 404)
        found = self.firmware()
        self.assertEqual((found["allowed"], found["attempts"]), (True, []))
        [attempt] = updates.attempts()
        self.assertEqual((attempt.did, attempt.model, attempt.peer), ("", DUSTY.model, ELSEWHERE))

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
        self.successResultOf(self.house.facts.belongings.load(store))
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

    def test_names(self) -> None:
        """However they are spelt, accounts, nicknames and homes are nobody's business."""
        uid = self.house.facts.accounts.user_of(self.token)
        people, accounts = self.house.facts.belongings.people, self.house.facts.accounts
        self.successResultOf(people.change(uid, nickname="Brummi"))
        [home] = accounts.homes(uid)
        self.successResultOf(accounts.household.rename_home(uid, home.id, "Villa"))
        for name in ("brummi", "BRUMMI", "villa", "Owner"):
            body = json.dumps({name: 1}).encode()
            self.send(f"/api/neng/{name}?{name}=1", body, content_type="application/json")
        [entry] = self.get("/api/unknown").json["paths"]
        self.assertEqual((entry["path"], entry["count"]), ("/api/neng/*", 4))
        self.assertEqual([each["query"] for each in entry["shapes"]], [["*"]])
        self.assertEqual([each["body"] for each in entry["shapes"]], [{"*": "number"}])

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
