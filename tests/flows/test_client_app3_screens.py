"""The screens of the vendor's app from version 2 on (http-auth.md 4.7, steps 7, 8 and 10)."""

import json
from typing import Any

from tests.flows.clients import Ear, auth, entry
from tests.flows.test_client_app3 import PREFIX, RESOURCE, AppCase
from tests.robots import ok
from tests.samples import DUSTY


class TileTests(AppCase):
    """Quick tiles on the home screen (http-devices.md 3.4)."""

    def tile(self, name: str, **data: object) -> Any:
        """What a tile is answered with."""
        ctl = {"cmd": name, "did": DUSTY.did, "mid": DUSTY.model, "res": DUSTY.resource}
        body = {"todo": "RobotControl", "data": {"ctl": {"Whatever": ctl | {"data": data}}}}
        answer = self.post("/api/appsvr/app.do", body)
        self.assertEqual((answer["todo"], answer["ret"], answer["code"]), ("result", "ok", 0))
        return answer["data"]

    def test_battery(self) -> None:
        """The number is a number, under the name that was asked."""
        for name in ("GetBatteryInfo", "getBattery"):
            data = self.tile(name)
            self.assertEqual(data, {name: {"ret": "ok", "did": DUSTY.did, "power": 77}})

    def test_charging(self) -> None:
        """In the dock or not."""
        for charging, expected in ((1, "SlotCharging"), (0, "SlotIdle")):
            self.robot.script["getChargeState"] = Ear(ok({"isCharging": charging}))
            data = self.tile("GetChargeState")["GetChargeState"]
            self.assertEqual(data, {"ret": "ok", "did": DUSTY.did, "type": expected})

    def test_clean(self) -> None:
        """Letters become words; the answer is under one name for both actions."""
        ear = self.robot.script["clean"] = self.robot.script["charge"] = Ear(ok())
        for letter in "sprt":
            data = self.tile("clean", act=letter, type="auto")
            self.assertEqual(data, {"clean": {"did": DUSTY.did, "ret": "ok"}})
        acts = [asked["body"]["data"]["act"] for asked in ear.heard]
        self.assertEqual(acts, ["start", "pause", "resume", "stop"])
        data = self.tile("charge", act="go")
        self.assertEqual(data, {"clean": {"did": DUSTY.did, "ret": "ok"}})

    def test_other(self) -> None:
        """Any other question is answered under the name that was asked."""
        self.robot.script["getError"] = lambda _: ok({"code": [0]})
        self.assertEqual(self.tile("GetError"), {"GetError": {"ret": "ok", "did": DUSTY.did}})

    def test_nonsense(self) -> None:
        """E5 of http.md 2.2."""
        wrong: tuple[object, ...] = (None, 7, {}, {"ctl": []})
        for data in wrong:
            answer = self.post("/api/appsvr/app.do", {"todo": "RobotControl", "data": data})
            codes = [answer[name] for name in ("err", "errno", "code")]
            self.assertEqual((answer["ret"], codes), ("fail", [2004, 2004, 2004]))


class ScreenTests(AppCase):
    """Steps 7 and 8."""

    def bearer(self) -> tuple[str, str]:
        """The header of portal calls."""
        return ("Authorization", f"Bearer {self.tokens()['access_token']}")

    def test_devices(self) -> None:
        """The list as 3.15 asks for it, with its token in the header."""
        data = self.tokens()
        body = {
            "userid": data["userId"],
            "lang": "EN",
            "platform": "android",
            "appVer": "3.15.0",
            "channel": "google_play",
            "aliliving": True,
            "share": True,
            "software": "robotui_config",
            "auth": auth(data["userId"], data["access_token"], RESOURCE),
            "todo": "GetGlobalDeviceList",
        }
        proof = ("Authorization", f"Bearer {data['access_token']}")
        answer = self.post("/api/appsvr/app.do", body, proof)
        self.assertEqual(answer["ret"], "ok")
        found = entry(answer)
        self.texts(found, "did", "class", "resource", "homeId")
        self.texts(found["service"], "jmq", "mqs")
        homes = self.get("/api/homed/home/list", proof, userid=data["userId"])["data"]
        self.assertIn(found["homeId"], [home["homeId"] for home in homes])

    def test_homes(self) -> None:
        """There is a home, and somebody in it who may do everything."""
        proof, uid = self.bearer(), self.sign_in()["uid"]
        [home] = self.get("/api/homed/home/list", proof, userid=uid)["data"]
        self.texts(home, "homeId", "name", "createUser", "createUserName")
        self.assertEqual((home["type"], home["firstCreate"]), ("own", False))
        [member] = self.get("/api/homed/member/list", proof, homeId=home["homeId"])["data"]
        self.assertEqual((member["uid"], member["isAdmin"], member["status"]), (uid, 2, 1))

    def test_properties(self) -> None:
        """Each property is JSON inside a text, with a time in each of the two spellings."""
        told = {"did": DUSTY.did, "res": DUSTY.resource, "mid": DUSTY.model}
        self.robot.report("onBattery", {"value": 77, "isLow": 0})
        path = "/api/appsvr/device/prop/list"
        answer = self.get(path, self.bearer(), **told, props="OfflineReason,onBattery")
        self.assertEqual((answer["code"], answer["ret"]), (0, "ok"))
        data = answer["data"]
        self.assertEqual((data["did"], type(data["ts"])), (DUSTY.did, int))
        [found] = [prop for prop in data["props"] if prop["key"] == "onBattery"]
        value = json.loads(found["value"])
        self.assertEqual(value["body"]["data"]["value"], 77)
        self.assertRegex(found["ts"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

    def test_no_properties(self) -> None:
        """Who asks for nothing gets a list of nothing."""
        answer = self.get("/api/appsvr/device/prop/list", did=DUSTY.did, props="")
        self.assertEqual(answer["data"]["props"], [])

    def test_bundles(self) -> None:
        """There is no newer bundle for a screen."""
        told = {"deployment_key": "k", "label": "v1", "app_version": "3.15.0"}
        answer = self.get("/api/appsvr/codepush/checkupdate", **told)
        update = answer["data"]["update_info"]
        self.assertIs(update["is_available"], False)
        self.assertEqual((update["label"], update["target_binary_range"]), ("v1", "3.15.0"))
        bare = self.get("/v0.1/public/codepush/update_check", **told)
        self.assertIs(bare["update_info"]["is_available"], False)

    def test_settings(self) -> None:
        """Named settings are lists; an unknown one is an empty list."""
        [found] = self.get("/api/appsvr/app/config", code="time_zone_list")["data"]
        self.assertEqual((found["code"], len(found["content"])), ("time_zone_list", 19))
        self.assertEqual(self.get("/api/appsvr/app/config", code="nothing")["data"], [])

    def test_navigation(self) -> None:
        """The tab bar is an object from version 2 on."""
        for version in ("v2", "v3"):
            path = f"/{version}/private/{PREFIX}/common/getBottomNavigateInfoList"
            tabs = self.private(self.get(path))["navigateInfoResponseList"]
            self.assertIn("ROBOT", [tab["iconType"] for tab in tabs])

    def test_tiles_of_products(self) -> None:
        """One entry for each product that is asked for; C{code} is 200 here."""
        body = {"pids": ["5c19a91ca1e6ee000178224a", "zz"]}
        answer = self.post("/api/pim/product/software/config/batch", body)
        self.assertEqual((answer["code"], answer["ret"]), (200, "ok"))
        self.assertEqual([found["pid"] for found in answer["data"]], body["pids"])
        for found in answer["data"]:
            tiles = found["cfg"]["supported"]
            self.assertEqual({type(tile) for tile in tiles.values()}, {bool})
            self.assertIs(tiles["clean"], True)
        self.assertEqual(self.post("/api/pim/product/software/config/batch", {})["data"], [])

    def test_no_tiles(self) -> None:
        """What is no list of products is refused."""
        for wrong in ({"pids": "x"}, {"pids": [7]}, {"pids": ["x"] * 501}):
            answer = self.post("/api/pim/product/software/config/batch", wrong)
            self.assertEqual((answer["code"], answer["ret"]), (1, "fail"))

    def test_message_switches(self) -> None:
        """One switch for each robot, for the user in the header."""
        path = "/api/neng/v3/message/pushStatus"
        answer = self.get(path, ("userid", self.sign_in()["uid"]), self.bearer())
        data = answer["data"]
        self.assertEqual((answer["code"], data["uid"]), (0, self.sign_in()["uid"]))
        self.assertEqual(data["msgPushStatus"], {"DEVICE": True, "SHARE": True})
        switch = {"did": DUSTY.did, "msgPushStatus": True, "nickName": ""}
        self.assertEqual(data["devices"], [switch])

    def test_red_dots(self) -> None:
        """There is none, wherever one might be."""
        path = "/api/ecms/app/element/hint"
        answer = self.get(path, codes="shop,me")
        self.assertEqual((answer["code"], answer["success"]), (0, True))
        self.assertEqual(answer["data"], {"shop": False, "me": False})
        self.assertEqual(self.get(path)["data"], {"": False})
        self.assertEqual(self.get(path, codes="," * 600)["ret"], "fail")
