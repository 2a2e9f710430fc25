"""The vendor's app "Home" in its first version, which sends forms (http-auth.md 4.6)."""

from typing import Any

from tests.flows.clients import BATTERY, MAIL, MD5, ClientCase, auth, entry
from tests.samples import DUSTY

DEVICE = "c0ffee00" * 4
RESOURCE = "ECOGLOBLEac5ae987"
PREFIX = f"us/EN/{DEVICE}/global_e/1.6.3/google_play/1"


def path(name: str, version: str = "v1") -> str:
    """A path of the private API."""
    return f"/{version}/private/{PREFIX}/{name}"


class AppCase(ClientCase):
    """The steps of the app."""

    def sign_in(self) -> Any:
        """Step 2, with the account in clear text."""
        data = self.private(self.get(path("user/login"), account=MAIL, password=MD5))
        self.texts(data, "accessToken", "uid")
        return data

    def log_in(self) -> dict[str, str]:
        """Steps 2 to 4: no user id in the last one, and all of it as a form."""
        data = self.sign_in()
        who = {"uid": data["uid"], "accessToken": data["accessToken"], "deviceId": DEVICE}
        ticket = self.private(self.get("/v1/global/auth/getAuthCode", **who, bizType=""))
        answer = self.form(
            "/api/users/user.do",
            todo="loginByItToken",
            token=ticket["authCode"],
            resource=RESOURCE,
            country="US",
            edition="ECOGLOBLE",
            org="ECOWW",
            last="",
        )
        self.assertEqual((answer["result"], answer["userId"]), ("ok", data["uid"]))
        self.texts(answer, "token")
        return auth(answer["userId"], answer["token"], RESOURCE)


class BeforeLoginTests(AppCase):
    """Step 1."""

    def test_update(self) -> None:
        """There is no newer app."""
        for name in ("common/checkVersion", "common/checkAPPVersion"):
            data = self.private(self.get(path(name)))
            self.assertEqual((data["r"], data["ut"], data["v"]), (0, 0, None))

    def test_areas(self) -> None:
        """The picker of regions has all of them, Great Britain under its own name."""
        data = self.private(self.get(path("common/getAreas")))
        self.assertIs(type(data["currentVersion"]), int)
        keys = [area["areaKey"] for area in data["areaList"]]
        self.assertEqual((len(keys), len(set(keys))), (229, 229))
        self.assertIn("UK", keys)
        for area in data["areaList"]:
            self.texts(area, "areaKey", "chsName", "enName", "pyFirst")

    def test_configuration(self) -> None:
        """One entry for each key, in order, each a text; the app also asks for unknown ones."""
        keys = ["EMAIL.REGISTER.CONFIG", "USER.DATA.COLLECTION", "SOMETHING.NEW"]
        data = self.private(self.get(path("common/getConfig"), keys=",".join(keys)))
        self.assertEqual([found["key"] for found in data], keys)
        values = [found["value"] for found in data]
        self.assertEqual(values, ['{"needVerify":"N"}', "N", "Y"])

    def test_screens(self) -> None:
        """No advertisement, and agreements that have addresses."""
        self.assertIsNone(self.private(self.get(path("ad/getBootScreen"))))
        data = self.private(self.get(path("common/getAgreementURLBatch")))
        self.assertEqual(sorted(found["type"] for found in data), ["PRIVACY", "USER"])
        for found in data:
            self.texts(found, "id", "url", "version")

    def test_time(self) -> None:
        """The time is now, each time."""
        for _ in range(2):
            answer = self.get(path("common/getTimestamp"))
            self.assertEqual(self.private(answer)["timestamp"], answer["time"])
            self.house.clock.advance(61)


class SessionTests(AppCase):
    """Steps 2 to 5."""

    def test_device_list(self) -> None:
        """The list as a form: no object inside, and nothing is missing for the screens."""
        who = self.log_in()
        told = {"lang": "en", "defaultLang": "en", "platform": "android", "appVer": "1.1.6"}
        answer = self.form(
            "/api/appsvr/app.do",
            todo="GetGlobalDeviceList",
            userid=who["userid"],
            channel="google_play",
            aliliving="false",
            **told,
        )
        self.assertEqual((answer["todo"], answer["ret"], answer["code"]), ("result", "ok", 0))
        found = entry(answer)
        self.texts(found, "did", "class", "resource", "deviceName", "icon", "UILogicId", "pid")
        self.assertEqual((found["status"], found["product_category"]), (1, "DEEBOT"))

    def test_status(self) -> None:
        """A robot that has gone is offline in the list."""
        self.robot.vanish()
        answer = self.form("/api/appsvr/app.do", todo="GetGlobalDeviceList")
        self.assertEqual(entry(answer)["status"], 0)

    def test_resume(self) -> None:
        """A later start asks whether the session still holds, and keeps its token."""
        data = self.sign_in()
        who = {"uid": data["uid"], "accessToken": data["accessToken"]}
        for version in ("v1", "v2"):
            again = self.private(self.get(path("user/checkLogin", version), **who))
            self.assertEqual(again["uid"], data["uid"])
            self.assertEqual(again["accessToken"], data["accessToken"])

    def test_resume_without(self) -> None:
        """At home a session that is over is simply a new one."""
        data = self.sign_in()
        answer = self.get(path("user/checkLogin"), uid=data["uid"], accessToken="0" * 32)
        again = self.private(answer)
        self.assertEqual(again["uid"], data["uid"])
        self.assertNotEqual(again["accessToken"], "0" * 32)

    def test_profile(self) -> None:
        """The account is found by the device id in the path."""
        data = self.sign_in()
        profile = self.private(self.get(path("user/getUserAccountInfo")))
        self.assertEqual(profile["uid"], data["uid"])
        for name in ("email", "userName", "loginName"):
            self.assertIsInstance(profile[name], str)

    def test_no_profile(self) -> None:
        """A device that nobody has logged in from has none, which is no 500."""
        stranger = path("user/getUserAccountInfo").replace(DEVICE, "f" * 32)
        self.refused(self.get(stranger), "0004")

    def test_mqtt(self) -> None:
        """Its token opens MQTT."""
        who = self.log_in()
        name = f"{who['userid']}@ecouser"
        peer = self.mqtt(f"{name}/{RESOURCE}", name, who["token"], f"iot/atr/+/{DUSTY}/+")
        self.robot.report("onBattery", {"value": 5})
        self.house.settle()
        self.assertEqual(len(peer.messages()), 1)

    def test_screens(self) -> None:
        """What it needs to show its tabs and to ask for no consent."""
        tabs = self.private(self.get(path("common/getBottomNavigateInfoList")))
        self.assertIn("ROBOT", [tab["iconType"] for tab in tabs])
        menu = self.private(self.get(path("user/getUserMenuInfo")))
        self.assertIn(
            "config", [item["clickUri"] for group in menu for item in group["menuItems"]]
        )
        agreements = self.private(self.get(path("user/checkAgreementBatch")))
        self.assertEqual({found["force"] for found in agreements}, {"N"})
        self.assertEqual(self.private(self.get(path("message/hasUnreadMsg"))), "N")


class ServerFunctionTests(AppCase):
    """What C{devmanager.do} does without a robot (http-devices.md 3.6)."""

    def test_json(self) -> None:
        """Each way of asking gets the answer of its name."""
        expected: dict[str, object] = {
            "PollSCResult": {"ret": "ok"},
            "PreWifiConfig": {"ret": "ok"},
            "HasUnreadMsg": {"ret": "ok", "unRead": False},
            "ReceiveShareDevice": {"ret": "ok"},
        }
        for name, answer in expected.items():
            for service in ("iot", "dim"):
                body = {"td": name, "sck": "C0FFEE", "auth": self.log_in()}
                self.assertEqual(self.post(f"/api/{service}/devmanager.do", body), answer)

    def test_form(self) -> None:
        """Also as a form."""
        answer = self.form("/api/dim/devmanager.do", td="HasUnreadMsg")
        self.assertEqual(answer, {"ret": "ok", "unRead": False})

    def test_unknown(self) -> None:
        """Anything else is an error with a number."""
        for body in ({"td": "Nonsense"}, {}):
            answer = self.post("/api/dim/devmanager.do", body)
            self.assertEqual((answer["ret"], answer["errno"]), ("fail", 1))
            self.texts(answer, "error")

    def test_command(self) -> None:
        """A command goes the same way."""
        body = {
            "cmdName": "getBattery",
            "payload": {"header": {"pri": 1}},
            "payloadType": "j",
            "td": "q",
            "toId": DUSTY.did,
            "toRes": DUSTY.resource,
            "toType": DUSTY.model,
        }
        answer = self.post("/api/dim/devmanager.do", body)
        self.assertEqual((answer["ret"], answer["resp"]), ("ok", BATTERY))

    def test_messages(self) -> None:
        """Nothing is unread."""
        answer = self.post("/api/neng/message/hasUnreadMsg", {"auth": self.log_in()})
        self.assertEqual(
            answer, {"code": 0, "data": {"hasUnRead": False, "shareMsgUnRead": False}}
        )

    def test_logs(self) -> None:
        """Logs of a robot that is not there are none; a form asks as well as JSON does."""
        answer = self.form("/api/lg/log.do", td="GetCleanLogs", did="nobody", resource="x")
        self.assertEqual(answer, {"ret": "ok", "logs": []})
