"""Answers that are files."""

import json
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.errors import StartError
from bumper_tw.web.catalogue import DATA, PICTURES
from bumper_tw.web.constants import LATER_MS, load
from tests.web.world import NOW, WorldCase

FRONT = "/v1/private/de/EN/client/global_e/1.6.3/google_play/1"
GOOD: dict[str, Any] = {"path": "/a", "envelope": "raw", "body": {}}


class FileTests(SynchronousTestCase):
    """The file of constant answers."""

    def load(self, entries: object) -> Any:
        """What a file with these entries says."""
        path = Path(self.mktemp())
        path.write_text(json.dumps(entries), "utf-8")
        return load(path)

    def test_ours(self) -> None:
        """The file that comes with the package is in order."""
        self.assertGreater(len(load(DATA / "answers.json")), 100)

    def test_good(self) -> None:
        """An entry as it should be."""
        [constant] = self.load([{**GOOD, "methods": ["POST"]}])
        self.assertEqual((constant.path, constant.methods), ("/a", ("POST",)))

    def test_mistakes(self) -> None:
        """Each mistake ends the start with the number of the entry."""
        wrongs: tuple[dict[str, Any], ...] = (
            {"envelope": "x"},
            {"envelope": 7},
            {"methods": ["PUT"]},
            {"methods": [[]]},
            {"methods": "GET"},
            {"surprise": 1},
            {"body": "{nobody}"},
            {"envelope": "html"},
            {"by": 1},
            {"bodies": []},
        )
        for wrong in wrongs:
            with self.assertRaisesRegex(StartError, "entry 2: "):
                self.load([{**GOOD, "path": "/b"}, {**GOOD, **wrong}])

    def test_missing_words(self) -> None:
        """Path, envelope and body must be there; an entry must be an object."""
        for name in GOOD:
            entry = {key: value for key, value in GOOD.items() if key != name}
            self.assertRaises(StartError, self.load, [entry])
        self.assertRaises(StartError, self.load, [7])

    def test_twice(self) -> None:
        """One path, one answer."""
        self.assertRaises(StartError, self.load, [GOOD, GOOD])

    def test_no_file(self) -> None:
        """A file that is missing or no JSON is named."""
        with self.assertRaisesRegex(StartError, "missing.json"):
            load(Path("missing.json"))
        path = Path(self.mktemp())
        path.write_text("[", "utf-8")
        self.assertRaises(StartError, load, path)


class AnswerTests(WorldCase):
    """What clients see of it."""

    def test_now(self) -> None:
        """Times are numbers, and the present ones."""
        page = self.browser.get(f"{FRONT}/campaign/homePageAlert").json
        self.assertEqual(page["time"], int(NOW * 1000))
        self.assertEqual(page["data"]["serverTime"], int(NOW * 1000))
        self.assertEqual(page["data"]["nextAlertTime"], int(NOW * 1000) + LATER_MS)

    def test_country(self) -> None:
        """The country of the path is echoed, and cannot break out of its quotes."""
        path = "/osmall/getCountryConfig"
        self.assertEqual(self.browser.get(FRONT + path).json["data"]["defaultLang"], "DE")
        front = FRONT.replace("/de/", "/%22%7b/")
        self.assertEqual(self.browser.get(front + path).json["data"]["defaultLang"], '"{')

    def test_chosen(self) -> None:
        """A parameter chooses among several bodies."""
        path = "/api/appsvr/app/config"
        [config] = self.browser.get(f"{path}?code=yiko_support_lang").json["data"]
        self.assertEqual(config["content"], {"lang": ["en"]})
        for query in ("", "?code=x"):
            self.assertEqual(self.browser.get(path + query).json["data"], [])

    def test_page(self) -> None:
        """Pages are HTML."""
        page = self.browser.get("/content/agreement")
        self.assertEqual(page.headers["content-type"], "text/html; charset=utf-8")
        self.assertTrue(page.body.startswith(b"<!DOCTYPE html>"))

    def test_first_sequence(self) -> None:
        """What the first generation of the app asks before and after its login."""
        for path in (
            "common/checkAPPVersion",
            "common/getAreas",
            "common/getConfig?keys=A",
            "ad/getBootScreen",
            "common/getAgreementURLBatch",
        ):
            page = self.browser.get(f"{FRONT}/{path}")
            self.assertEqual((page.json["code"], page.json["success"]), ("0000", True), path)
        self.assertFalse(
            self.browser.post("/api/neng/message/hasUnreadMsg", {}).json["data"]["hasUnRead"]
        )
        self.assertEqual(self.browser.post("/notify_engine.do", {}).status, 200)

    def test_authorities(self) -> None:
        """The archive as it is."""
        page = self.browser.get("/ca-certificates.tar.gz")
        self.assertEqual(page.headers["content-type"], "application/gzip")
        self.assertIn("ca-certificates.tar.gz", page.headers["content-disposition"])
        self.assertEqual(page.body, b"\x1f\x8b an archive")

    def test_no_bundle(self) -> None:
        """No newer screens; the question is echoed as the app expects it."""
        query = "?deployment_key=k&label=v1&package_hash=h"
        info = self.browser.get(f"/v0.1/public/codepush/update_check{query}").json["update_info"]
        self.assertFalse(info["is_available"])
        self.assertEqual(
            (info["deployment_key"], info["label"], info["target_binary_range"]),
            ("k", "v1", "1.0.0"),
        )
        page = self.browser.get(f"/api/appsvr/codepush/checkupdate{query}")
        self.assertEqual(page.json["data"]["update_info"], info)

    def test_no_firmware(self) -> None:
        """Robots hear that there is nothing newer."""
        page = self.browser.get(
            "/api/ota/products/wukong/class/yna5xi/firmware/latest.json?ver=1.2.3&module=fw0"
        )
        self.assertEqual((page.status, page.body), (404, b"Not Found"))
        self.assertEqual(self.world.site.counts["unknown"], 0)

    def test_pictures(self) -> None:
        """One picture for all."""
        for path in PICTURES:
            page = self.browser.get(path.replace("<", "").replace(">", ""))
            self.assertEqual((page.headers["content-type"], page.body), ("image/png", b"\x89PNG"))
        self.assertTrue((DATA / "robot.png").read_bytes().startswith(b"\x89PNG"))

    def test_products(self) -> None:
        """The catalogue; one client needs real booleans."""
        page = self.browser.post("/api/pim/product/getProductIotMap", {"auth": {}}).json
        self.assertEqual(page["code"], 0)
        found = {entry["classid"]: entry["product"] for entry in page["data"]}
        product = found["yna5xi"]
        self.assertEqual((product["_id"], product["ota"]), ("5c19a91ca1e6ee000178224a", True))
        self.assertTrue(product["iconUrl"].startswith("http://box.lan:8007/api/pim/file/get/"))
        self.assertEqual(
            self.browser.post("/api/pim/product/getConfigProducts", {}).json["data"], page["data"]
        )
