"""What the pairing wizard of the app, its help and its region picker show."""

from typing import Any

from tests.flows.clients import ClientCase

APP = "/api/appsvr/app.do"
FRONT = "/v1/private/de/EN/client/global_e/1.6.3/google_play/1"


class CatalogueTests(ClientCase):
    """What the wizard shows."""

    FAQ = {"wifiFAQUrl", "notFoundAPUrl", "configFailedUrl"}
    LINK = "http://box.lan:8007/api/pim/"
    STEP = {
        "guideImageType",
        "guideImageId",
        "title",
        "guideText",
        "retryText",
        "confirmText",
        "btnText",
        "mid",
        "guideImageUrl",
    }

    def listed(self, path: str) -> Any:
        """A list of robots, in its envelope."""
        answer = self.get(path)
        self.assertEqual(set(answer), {"code", "msg", "configFAQ", "data"})
        self.assertEqual((answer["code"], answer["msg"]), (0, "success"))
        self.assertEqual(set(answer["configFAQ"]), self.FAQ)
        for link in answer["configFAQ"].values():
            self.assertTrue(link.startswith(self.LINK), link)
        self.assertEqual(self.post(path, {}), answer)
        return answer["data"]

    def test_hosts(self) -> None:
        """Each client gets the name it has for this box; the answer is for nobody else."""
        for path in ("/api/pim/product/getConfigGroups", "/api/pim/product/getConfignetAll"):
            for host in ("box.lan:8007", "other.lan", "[fd00::12]:80"):
                page = self.house.browser().ask("GET", path, host=host)
                self.assertEqual(page.headers["cache-control"], "no-store")
                faq = page.json["configFAQ"]["wifiFAQUrl"]
                self.assertTrue(faq.startswith(f"http://{host}/api/"), faq)
                self.assertNotIn(b"{", page.body.replace(b'{"', b"").replace(b"{}", b""))

    def step(self, step: Any) -> None:
        """One page of the wizard, whose picture is here."""
        self.assertEqual(set(step), self.STEP)
        self.assertEqual(step["guideImageType"], "image")
        self.assertEqual(step["guideImageUrl"], f"{self.LINK}file/get/{step['guideImageId']}")

    def robot_of(self, robot: Any, *own: str) -> None:
        """A robot of either list: its keys, and their types (http-endpoints.md 5.2)."""
        texts = {"groupId", "groupName", "smartType", "materialNo", "mid", "icon"}
        numbers = {"sort", "failCount", "checkTips"}
        lists = {"belongApp", "smartTypes", "steps"}
        rest = {"isPopular", "supportVer", "qrpStep"}
        self.assertEqual(set(robot), {*texts, *numbers, *lists, *rest, *own})
        for names, kind in ((texts, str), (numbers, int), (lists, list), (rest, dict | bool)):
            for name in names:
                self.assertIsInstance(robot[name], kind, name)
        self.assertIs(type(robot["isPopular"]), bool)
        self.assertEqual(set(robot["supportVer"]), {"Android", "IOS", "Harmony"})
        for step in [*robot["steps"], *filter(None, [robot["qrpStep"]])]:
            self.step(step)

    def test_groups(self) -> None:
        """PC02 and PC03: 47 families, 172 robots of 20 keys."""
        families = self.listed("/api/pim/product/getConfigGroups")
        self.assertEqual(self.listed("/api/appsvr/product/getConfigGroups"), families)
        robots = [robot for family in families for robot in family["robots"]]
        self.assertEqual((len(families), len(robots)), (47, 172))
        own = ("seriesId", "category", "service", "products", "cusSteps")
        for family in families:
            self.assertEqual(set(family), {"id", "name", "sort", "robots"})
            for robot in family["robots"]:
                self.robot_of(robot, *own)
                self.assertEqual(robot["seriesId"], family["id"])
                self.assertEqual(robot["service"], {"jmq": "box.lan"})
                self.assertEqual((robot["products"], robot["cusSteps"]), ([], {}))
        self.assertEqual({len(robot) for robot in robots}, {20})

    def test_flat(self) -> None:
        """PC04: 205 robots of 17 keys."""
        robots = self.listed("/api/pim/product/getConfignetAll")
        self.assertEqual((len(robots), {len(robot) for robot in robots}), (205, {17}))
        for robot in robots:
            self.robot_of(robot, "ota", "customSteps")
            self.assertIs(type(robot["ota"]), bool)
            self.assertEqual(set(robot["customSteps"]), {"scanQRStep", "input_sn_img", "occupy"})
            for step in robot["customSteps"].values():
                self.step(step)

    def test_tree(self) -> None:
        """PC06: roots, families, models."""
        answer = self.get("/api/pim/product/entry/group")
        self.assertEqual((answer["code"], answer["ret"]), (0, "ok"))
        roots = answer["data"]
        self.assertEqual([root["name"] for root in roots], ["DEEBOT", "WINBOT", "GOAT", "MORE"])
        for root in roots:
            for family in root["child"]:
                for knot in (root, family, *family["child"]):
                    self.assertEqual(set(knot), {"id", "hidden", "name", "child"})
                    self.assertEqual((len(knot["id"]), knot["hidden"]), (24, 0))
                self.assertEqual({len(leaf["child"]) for leaf in family["child"]}, {0})

    def decoded(self, code: object) -> Any:
        """What a code says."""
        answer = self.post(APP, {"todo": "DecodeQrCode", "qrcode": code, "auth": {}})
        self.assertEqual((answer["todo"], answer["ret"], answer["code"]), ("result", "ok", 0))
        return answer["data"]

    def test_code(self) -> None:
        """The code of a robot leads to its page, as often as it is read (http.md 5, trap 13)."""
        for _ in range(2):
            data = self.decoded("https://qr.invalid/a?sn=E0001&mid=5xu9h3")
            guide = data.pop("configGuide")
            self.assertEqual(set(data.pop("configFAQ")), self.FAQ)
            self.assertEqual(
                data,
                {
                    "supportApp": "global",
                    "belongApp": ["ecoglobal", "yeedi"],
                    "supportRegion": "International",
                    "qrType": "config",
                    "productCategory": "GOATBOT",
                    "code_sn": "E0001",
                },
            )
            self.assertEqual(
                set(guide),
                {
                    *("seriesId", "category", "name", "isPopular", "belongApp", "smartType"),
                    *("failCount", "checkTips", "materialNo", "mid", "supportVer"),
                    *("steps", "qrpStep", "customSteps"),
                },
            )
            self.assertEqual((guide["name"], guide["mid"]), ("GOAT G1", "5xu9h3"))

    def test_unknown_code(self) -> None:
        """A robot that is in no list has no page; a code of something else says nothing."""
        data = self.decoded("https://qr.invalid/a?sn=E0001&mid=zzz")
        self.assertEqual((data["configGuide"], data["productCategory"]), (None, None))
        self.assertEqual(self.decoded("https://qr.invalid/?sn=E1")["code_sn"], "E1")
        codes: tuple[object, ...] = (None, 7, [], {}, "", "hello", "http://[", "x" * 5000)
        for code in codes:
            self.assertEqual(self.decoded(code), {}, code)

    def test_help(self) -> None:
        """HP01: there is help for the robots that are here."""
        data = self.private(self.get(f"{FRONT}/help/getHelpIndex"))
        self.assertEqual(data["moreHelpModuleList"], [])
        [product] = data["indexProductList"]
        icon = f"{self.LINK}api/pim/file/get/606278df4a84d700082b39f1"
        self.assertEqual(
            product,
            {
                "imgUrl": icon,
                "isConfNet": "Y",
                "marketName": "DEEBOT OZMO 950 Series",
                "materialNo": "110-1820-0101",
                "model": "DX9G",
                "productId": "5c19a91ca1e6ee000178224a",
            },
        )

    def test_areas(self) -> None:
        """The regions of the world, as texts (http-discovery.md 4)."""
        data = self.private(self.get(f"{FRONT}/common/getAreas"))
        self.assertEqual(
            (set(data), data["currentVersion"]), ({"currentVersion", "areaList"}, 231)
        )
        areas = data["areaList"]
        self.assertEqual(len(areas), 229)
        for area in areas:
            self.assertEqual(set(area), {"areaKey", "chsName", "enName", "pyFirst"})
            self.texts(area, "areaKey", "chsName", "enName", "pyFirst")
            self.assertRegex(area["areaKey"] + area["pyFirst"], r"\A[A-Z]{3}\Z")
        japan = {"areaKey": "JP", "chsName": "日本", "enName": "Japan", "pyFirst": "R"}
        self.assertEqual(areas[0], japan)
        self.assertEqual(len({area["areaKey"] for area in areas}), 229)
