"""Where things are."""

from typing import Any

from bumper_tw.web.lookup import HOSTS, MAX_KEYS
from tests.web.browser import Page
from tests.web.world import NOW, WorldCase

COMMON = "/v1/private/us/EN/client/global_e/1.6.3/google_play/1/common"
NOW_MS = int(NOW * 1000)


class FirstQuestionTests(WorldCase):
    """A robot's C{lookup.do}."""

    def ask(self, **body: object) -> Page:
        """The answer to a robot."""
        return self.browser.post("/lookup.do", body)

    def test_byte_for_byte(self) -> None:
        """Robots were seen to reject a blank, so every byte counts."""
        page = self.ask(todo="FindBest", service="EcoMsgNew", more=[1])
        self.assertEqual(page.body, b'{"ip":"192.168.7.2","port":5223,"result":"ok"}')
        self.assertEqual(page.headers["content-type"], "application/json; charset=utf-8")

    def test_update(self) -> None:
        """The update server is this box, too."""
        page = self.ask(todo="FindBest", service="EcoUpdate")
        self.assertEqual(page.json, {"ip": "192.168.7.2", "port": 8005, "result": "ok"})

    def test_form(self) -> None:
        """Older robots send forms."""
        kind = ("Content-Type", "application/x-www-form-urlencoded")
        form = b"todo=FindBest&service=EcoMsgNew"
        page = self.browser.ask("POST", "/lookup.do", form, [kind])
        self.assertEqual(page.json["port"], 5223)

    def test_nothing_found(self) -> None:
        """Other services, other questions, and garbage find nothing."""
        for body in ({}, {"todo": "FindBest"}, {"todo": "Find", "service": "EcoMsgNew"}):
            self.assertEqual(self.ask(**body).body, b"{}")
        self.assertEqual(self.ask(todo=[]).body, b"{}")
        self.assertEqual(self.browser.ask("POST", "/lookup.do", b"\x00").body, b"{}")

    def test_no_address(self) -> None:
        """Without an address to announce there is nothing to say, except in the log."""
        self.world.announced = None
        self.assertEqual(self.ask(todo="FindBest", service="EcoMsgNew").body, b"{}")
        self.assertEqual(len(self.ear.lines()), 1)

    def test_user_do(self) -> None:
        """The same question elsewhere; there E6 means no."""
        ask = {"todo": "FindBest", "service": "EcoMsgNew"}
        self.assertEqual(self.browser.post("/user.do", ask).json["port"], 5223)
        page = self.browser.post("/user.do", {**ask, "service": "x"})
        self.assertEqual((page.json["errno"], page.json["debug"]), (1, "FindBest"))


class HostTests(WorldCase):
    """The host list of the newer apps."""

    def hosts(self, query: str = "", **options: Any) -> dict[str, Any]:
        """The data of the list."""
        page = self.browser.get(f"/api/appsvr/service/list{query}", **options)
        data: dict[str, Any] = page.json["data"]
        return data

    def test_all_here(self) -> None:
        """Every host is the name that the app itself used."""
        data = self.hosts("?area=DE")
        self.assertEqual({data[name] for name in HOSTS}, {"box.lan"})
        self.assertEqual((data["msgcloud"], data["dc"]), ("box.lan:5223", "eu"))
        self.assertEqual(data["setApConfig"], {"a": "de", "r": "ecouser.net", "v": "ww"})

    def test_address(self) -> None:
        """An IPv6 address needs brackets where a port follows."""
        data = self.hosts(host="[fd00::7]:8007")
        self.assertEqual((data["jmq"], data["msgcloud"]), ("fd00::7", "[fd00::7]:5223"))

    def test_unknown_area(self) -> None:
        """It is echoed, and belongs to America."""
        data = self.hosts("?area=xx")
        self.assertEqual((data["dc"], data["setApConfig"]["a"]), ("na", "xx"))

    def test_data_centre(self) -> None:
        """Known areas have one, unknown ones E10 with the known ones."""
        page = self.browser.get("/api/basis/dc/get-by-area?area=de")
        self.assertEqual(page.json, {"code": 0, "data": {"dc": "eu"}})
        page = self.browser.get("/api/basis/dc/get-by-area?area=xx")
        self.assertEqual(page.json["code"], 4000)
        self.assertIn('"cn"', page.json["msg"])


class ConfigTests(WorldCase):
    """C{common/...}."""

    def test_keys(self) -> None:
        """The keys in their order; every value is a text, whatever is in it."""
        page = self.browser.get(
            f"{COMMON}/getConfig?keys=X,PUBLIC.KEY.CONFIG,USER.DATA.COLLECTION"
        )
        self.assertEqual(
            page.json,
            {
                "code": "0000",
                "data": [
                    {"key": "X", "value": "Y"},
                    {"key": "PUBLIC.KEY.CONFIG", "value": '{"publicKey":"KEY+/="}'},
                    {"key": "USER.DATA.COLLECTION", "value": "N"},
                ],
                "msg": "success",
                "success": True,
                "time": NOW_MS,
            },
        )

    def test_no_keys(self) -> None:
        """E9."""
        page = self.browser.get(f"{COMMON}/getConfig")
        self.assertEqual((page.json["code"], page.json["success"]), ("0001", False))

    def test_many_keys(self) -> None:
        """There is an end to it."""
        page = self.browser.get(f"{COMMON}/getConfig?keys={','.join('a' * 1000)}")
        self.assertEqual(len(page.json["data"]), MAX_KEYS)

    def test_areas(self) -> None:
        """The region picker, in the vendor's order."""
        data = self.browser.get(f"{COMMON}/getAreas").json["data"]
        self.assertEqual((data["currentVersion"], len(data["areaList"])), (231, 229))
        self.assertEqual(
            data["areaList"][0],
            {"areaKey": "JP", "chsName": "日本", "enName": "Japan", "pyFirst": "R"},
        )

    def test_time(self) -> None:
        """One moment, in both places."""
        page = self.browser.get(f"{COMMON}/getTimestamp")
        self.assertEqual((page.json["data"]["timestamp"], page.json["time"]), (NOW_MS, NOW_MS))
