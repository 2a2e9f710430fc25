"""Answers that depend on nobody: those that are data, the catalogue, certificates."""

from bumper_tw.web.engine.template import LATER_MS
from tests.web.world import NOW, WorldCase

FRONT = "/v1/private/de/EN/client/global_e/1.6.3/google_play/1"


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

    def test_every_way(self) -> None:
        """Pages and sinks take whatever method clients use for them."""
        for path in ("/api/pim/protocol.html", "/app_adv/pim/viewWiFi.html", "/web/page"):
            for page in (self.browser.get(path), self.browser.post(path, {})):
                self.assertEqual(page.status, 200)
                self.assertTrue(page.body.startswith(b"<!DOCTYPE html>"))
        for page in (
            self.browser.get("/data_collect/upload/generalData?rn=x"),
            self.browser.post("/data_collect/upload/generalData", {}),
            self.browser.ask("POST", "/sa?project=production", b"gzip=1&data_list=H4sI"),
        ):
            self.assertEqual((page.status, page.body), (200, b"null"))
        self.assertEqual(self.world.answers.counts, {"TL01": 2, "TL02": 1})

    def test_landing(self) -> None:
        """Whoever opens the box in a browser learns what it is, and nothing else."""
        page = self.browser.get("/")
        self.assertEqual(page.status, 200)
        self.assertIn(b"/api/openapi.json", page.body)
        icon = self.browser.get("/favicon.ico")
        self.assertEqual(icon.headers["content-type"], "image/png")
        self.assertTrue(icon.body.startswith(b"\x89PNG"))

    def test_echo(self) -> None:
        """What is repeated in a link cannot become another one."""
        query = "?did=a%26b&lang=%22%3E&show_remark=1&x=no"
        content = self.browser.get(f"/api/appsvr/improve{query}").json["data"]["content"]
        self.assertTrue(content.startswith("http://box.lan:8007/pim/productImprovePlan_ww.html?"))
        self.assertIn("&did=a%26b&mid=&", content)
        self.assertIn("&lang=%22%3E&", content)

    def test_nobody(self) -> None:
        """Where nobody can say who asks, it is nobody in particular."""
        member = self.browser.get(f"{FRONT}/user/getMemberInfo").json["data"]
        self.assertEqual((member["userName"], member["memberNo"]), ("bumper", "1337.bumper"))

    def test_first_sequence(self) -> None:
        """What the first generation of the app asks before and after its login."""
        for path in (
            "common/checkAPPVersion",
            "common/getAreas",
            "common/getConfig?keys=A",
            "ad/getBootScreen",
        ):
            page = self.browser.get(f"{FRONT}/{path}")
            self.assertEqual((page.json["code"], page.json["success"]), ("0000", True), path)
        self.assertEqual(self.browser.post("/notify_engine.do", {}).status, 200)

    def test_authorities(self) -> None:
        """The archive as it is."""
        page = self.browser.get("/ca-certificates.tar.gz")
        self.assertEqual(page.headers["content-type"], "application/gzip")
        self.assertIn("ca-certificates.tar.gz", page.headers["content-disposition"])
        self.assertEqual(page.body, b"\x1f\x8b an archive")

    def test_no_firmware(self) -> None:
        """Robots hear that there is nothing newer."""
        page = self.browser.get(
            "/api/ota/products/wukong/class/yna5xi/firmware/latest.json?ver=1.2.3&module=fw0"
        )
        self.assertEqual((page.status, page.body), (404, b"Not Found"))
        self.assertEqual(self.world.site.counts["unknown"], 0)

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
