"""ecovacs-deebot.js (http-auth.md 4.3)."""

import json
from typing import Any
from urllib.parse import quote

from tests.flows.clients import BATTERY, MAIL, MD5, ClientCase, auth, entry, query, rusty
from tests.samples import DUSTY, RUSTY

DEVICE = "9d4c3b2a" * 4
RESOURCE = DEVICE[:8]
#: Every entry of a log needs these.
LOG = ("id", "ts", "area", "last", "imageUrl", "type", "stopReason")
#: What newer portal calls carry (http-auth.md 1.1).
HEADERS = (("appid", "ecovacs"), ("plat", "android"), ("v", "2.2.3"), ("sign", "ab" * 32))


class JsCase(ClientCase):
    """The steps of the client, each with what it reads."""

    country, app, login, org = "DE", "global_e/2.2.3/google_play/1", "login", "ECOWW"

    def path(self, name: str) -> str:
        """A path of the private API: its countries are in capitals."""
        return f"/v1/private/{self.country}/EN/{DEVICE}/{self.app}/{name}"

    def log_in(self) -> dict[str, str]:
        """Steps 1 to 3."""
        typed = {"account": MAIL, "password": MD5, "authTimeZone": "GMT-8"}
        data = self.private(self.get(self.path(f"user/{self.login}"), **typed))
        self.texts(data, "uid", "accessToken")
        self.assertEqual(data["country"], self.country)
        who = {"uid": data["uid"], "accessToken": data["accessToken"], "openId": "global"}
        path = "/v1/global/auth/getAuthCode"
        ticket = self.private(self.get(path, **who, bizType="", deviceId=DEVICE))
        body = {
            "todo": "loginByItToken",
            "edition": "ECOGLOBLE",
            "userId": data["uid"],
            "token": ticket["authCode"],
            "realm": "ecouser.net",
            "resource": RESOURCE,
            "org": self.org,
            "last": "",
            "country": self.country,
        }
        answer = self.post("/api/users/user.do", body)
        self.assertEqual((answer["result"], answer["resource"]), ("ok", RESOURCE))
        self.texts(answer, "token", "userId")
        return auth(answer["userId"], answer["token"], RESOURCE)


class LoginTests(JsCase):
    """From the account to MQTT."""

    def test_lists(self) -> None:
        """Both lists are there, one after the other, with the same robots."""
        who = self.log_in()
        body = {"userid": who["userid"], "auth": who}
        for path, todo in (("users/user", "GetDeviceList"), ("appsvr/app", "GetGlobalDeviceList")):
            found = entry(self.post(f"/api/{path}.do", body | {"todo": todo}))
            self.assertEqual((found["class"], found["resource"]), (DUSTY.model, DUSTY.resource))
            self.assertEqual((found["company"], found["nick"]), ("eco-ng", ""))
            self.texts(found, "deviceName", "icon")

    def test_mqtt(self) -> None:
        """Its MQTT user name has the realm in it; events come."""
        who = self.log_in()
        name = f"{who['userid']}@ecouser"
        peer = self.mqtt(f"{name}/{RESOURCE}", name, who["token"], f"iot/atr/+/{DUSTY}/j")
        self.robot.report("onBattery", {"value": 5, "isLow": 1})
        self.house.settle()
        self.assertEqual(peer.topics(), [f"iot/atr/onBattery/{DUSTY}/j"])

    def test_products(self) -> None:
        """The product list that it can be asked for has C{data}."""
        body = {"todo": "GetConfigProducts", "auth": self.log_in()}
        answer = self.post("/api/pim/product/getConfigProducts", body)
        self.assertEqual(answer["code"], 0)
        self.assertIsInstance(answer["data"], list)

    def test_failure(self) -> None:
        """A portal call that fails has C{errno} and C{error}."""
        body = {"todo": "loginByItToken", "userId": "x", "token": "y", "resource": RESOURCE}
        answer = self.post("/api/users/user.do", body)
        self.assertNotIn("ok", (answer.get("result"), answer.get("ret")))
        self.assertNotEqual(answer.get("msg"), "success")
        self.assertIs(type(answer["errno"]), int)
        self.texts(answer, "error")


class ChinaTests(LoginTests):
    """China, where the login has another name."""

    country, login, org = "CN", "loginCheckMobile", "ECOCN"


class YeediTests(LoginTests):
    """The other brand."""

    app, org = "yd_global_e/1.3.0/google_play/1", "ECOYDWW"


class RobotTests(JsCase):
    """Commands and logs."""

    def command(self, name: str, payload: object, kind: str = "j", did: Any = DUSTY) -> Any:
        """A command; only those for JSON robots have a query."""
        who = self.log_in()
        body = {
            "cmdName": name,
            "payload": payload,
            "payloadType": kind,
            "auth": who,
            "td": "q",
            "toId": did.did,
            "toRes": did.resource,
            "toType": did.model,
        }
        told = {"cv": "1.94.78", "t": "a", "av": "2.2.4", "mid": did.model, "did": did.did}
        more = told | {"td": "q", "u": who["userid"]} if kind == "j" else {}
        return self.post(query("/api/iot/devmanager.do", **more), body)

    def test_json(self) -> None:
        """It reads code, message, data and versions out of the answer."""
        answer = self.command("getBattery", {"header": {"pri": "1"}, "body": {}})
        self.assertEqual((answer["ret"], answer["resp"]), ("ok", BATTERY))

    def test_xml(self) -> None:
        """It takes the first node of the text: there must be nothing in front (mqtt.md 6.2)."""
        rusty(self.house, GetBatteryInfo=lambda _: b"<ctl ret='ok'><battery power='087'/></ctl>")
        answer = self.command("GetBatteryInfo", "<ctl/>", "x", RUSTY)
        self.assertEqual(answer["ret"], "ok")
        self.assertTrue(answer["resp"].startswith("<ctl"), answer)

    def test_offline(self) -> None:
        """It maps C{errno} and prints C{error}."""
        self.robot.vanish()
        answer = self.command("getBattery", {})
        self.assertEqual((answer["errno"], answer["error"]), (4200, "endpoint offline"))

    def test_old_logs(self) -> None:
        """Old way: a POST, with the country in it."""
        self.clean()
        body = {"did": DUSTY.did, "country": "DE", "td": "GetCleanLogs", "auth": self.log_in()}
        path = query("/api/lg/log.do", cv="1.94.78", t="a", av="2.2.4")
        answer = self.post(path, body | {"resource": DUSTY.resource})
        self.assertEqual(answer["ret"], "ok")
        [log] = answer["logs"]
        self.assertLessEqual(set(LOG), set(log))

    def test_new_logs(self) -> None:
        """New way: a GET whose C{auth} is JSON in the query."""
        self.clean()
        who = self.log_in()
        told = {"auth": json.dumps(who), "channel": "google_play", "did": DUSTY.did}
        rest = {"et1": 1795000000000, "logType": "clean", "res": DUSTY.resource, "size": 20}
        path = query("/app/dln/api/log/clean_result/list", **told, **rest, version="v2")
        headers = (*HEADERS, ("token", who["token"]), ("userid", who["userid"]))
        answer = self.get(path, *headers)
        self.assertEqual((answer["code"], answer["ret"]), (0, "ok"))
        [log] = answer["data"]
        self.assertLessEqual({*LOG, "did"}, set(log))
        self.assertEqual(log["did"], DUSTY.did)

    def test_deleted_log(self) -> None:
        """A log that is deleted is gone both ways."""
        self.clean()
        listed = {"did": DUSTY.did, "logType": "clean"}
        [log] = self.get("/app/dln/api/log/clean_result/list", **listed)["data"]
        answer = self.post("/app/dln/api/log/clean_result/del", {"logIds": [log["id"]]})
        self.assertEqual((answer["code"], "data" in answer), (0, False))
        self.assertEqual(self.get("/app/dln/api/log/clean_result/list", **listed)["data"], [])
        body = {"td": "GetCleanLogs", "did": DUSTY.did}
        self.assertEqual(self.post("/api/lg/log.do", body)["logs"], [])

    def test_icon(self) -> None:
        """The icon is a picture on the host that the list came from."""
        answer = self.post("/api/users/user.do", {"todo": "GetDeviceList", "auth": self.log_in()})
        icon = entry(answer)["icon"]
        self.assertTrue(icon.startswith(("http://box.lan:8007/", "https://box.lan:8007/")), icon)
        page = self.ask("GET", quote("/" + icon.split("/", 3)[3]))
        self.assertEqual(page.status, 200)
        self.assertIn(page.headers["content-type"], ("image/png", "image/jpeg"))
