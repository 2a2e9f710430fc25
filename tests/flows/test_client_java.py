"""EcovacsDeebotJava, the most exact reader of them all (http-auth.md 4.4)."""

import json
from typing import Any

from tests.flows.clients import (
    MAIL,
    MD5,
    ClientCase,
    Ear,
    TextRobot,
    auth,
    entry,
    switch_on,
)
from tests.samples import DUSTY

DEVICE = "1a2b3c4d" * 4
RESOURCE = DEVICE[:8]
#: The seven values of the path, which it repeats in the query.
SEVEN = {
    "country": "DE",
    "lang": "EN",
    "deviceId": DEVICE,
    "appCode": "global_e",
    "appVersion": "1.6.3",
    "channel": "google_play",
    "deviceType": "1",
}
VERSION = b"<ctl ret='ok'><ver name='FW'>1.8.2</ver></ctl>"
#: What it sends to every robot, whatever that speaks.
ASK_VERSION = '<ctl name="FW" td="GetVersion"/>'


class JavaCase(ClientCase):
    """The steps of the client, each with what it reads."""

    def sign_in(self) -> Any:
        """Step 1: C{success} must literally be true."""
        path = f"/v1/private/{'/'.join(SEVEN.values())}/user/login"
        answer = self.get(path, account=MAIL, password=MD5, requestId="0f" * 16, **SEVEN)
        data = self.private(answer)
        self.texts(data, "uid", "accessToken")
        self.assertIn(data["isNew"], (None, True, False))
        for name in ("email", "mobile", "loginName", "ucUid"):
            self.assertIsInstance(data[name], str | None)
        return data

    def log_in(self) -> dict[str, str]:
        """Steps 1 to 3; the third spells C{userid} its own way."""
        data = self.sign_in()
        who = {"uid": data["uid"], "accessToken": data["accessToken"], "openId": "global"}
        path = "/v1/global/auth/getAuthCode"
        ticket = self.private(self.get(path, **who, bizType="ECOVACS_IOT", deviceId=DEVICE))
        self.texts(ticket, "authCode", "ecovacsUid")
        body = {
            "todo": "loginByItToken",
            "country": "DE",
            "last": "",
            "org": "ECOWW",
            "resource": RESOURCE,
            "realm": "ecouser.net",
            "token": ticket["authCode"],
            "userid": data["uid"],
            "edition": "ECOGLOBLE",
        }
        answer = self.post("/api/users/user.do", body)
        self.assertEqual((answer["result"], answer["resource"]), ("ok", RESOURCE))
        self.texts(answer, "userId", "token")
        self.assertEqual(answer["userId"], data["uid"])
        return auth(answer["userId"], answer["token"], RESOURCE)


class ListingTests(JavaCase):
    """Steps 3 to 6: one failure ends the listing."""

    def ask_version(self) -> Any:
        """Step 6: the XML question that also JSON robots are asked."""
        body = {
            "cmdName": "GetVersion",
            "payload": ASK_VERSION,
            "payloadType": "x",
            "td": "q",
            "toId": DUSTY.did,
            "toRes": DUSTY.resource,
            "toType": DUSTY.model,
            "auth": self.log_in(),
        }
        return self.post("/api/iot/devmanager.do", body)

    def test_devices(self) -> None:
        """Every field has the type that it is read as."""
        body = {"todo": "GetDeviceList", "auth": self.log_in()}
        found = entry(self.post("/api/users/user.do", body))
        self.texts(found, "did", "name", "class", "resource", "company")
        self.assertIsInstance(found["nick"], str)
        self.assertIs(type(found["bindTs"]), int)
        self.texts(found["service"], "jmq", "mqs")

    def test_bound_once(self) -> None:
        """The time of binding does not move."""
        body = {"todo": "GetDeviceList", "auth": self.log_in()}
        first = entry(self.post("/api/users/user.do", body))["bindTs"]
        self.house.clock.advance(5)
        self.assertEqual(entry(self.post("/api/users/user.do", body))["bindTs"], first)

    def test_catalogue(self) -> None:
        """Step 5: flags are flags; one that is a text would end it all."""
        body = {"todo": "", "channel": "", "auth": self.log_in()}
        answer = self.post("/api/pim/product/getProductIotMap", body)
        self.assertEqual(int(answer["code"]), 0)
        self.assertGreater(len(answer["data"]), 100)
        for found in answer["data"]:
            product = found["product"]
            self.texts(found, "classid")
            self.texts(product, "_id", "name", "icon", "iconUrl")
            for name in ("materialNo", "model", "UILogicId"):
                self.assertIsInstance(product[name], str)
            self.assertIs(type(product["ota"]), bool)
            flags = product["supportType"]
            self.assertLessEqual(set(flags), {"share", "tmjl", "assistant", "alexa"})
            self.assertEqual({type(flag) for flag in flags.values()} - {bool}, set())

    def test_version(self) -> None:
        """A JSON robot that answers XML is heard, byte for byte."""
        self.robot.vanish()
        ear = Ear(VERSION)
        robot = TextRobot(self.house.mqtt, device=DUSTY, texts={"GetVersion": ear})
        switch_on(self.house, robot)
        answer = self.ask_version()
        self.assertEqual((answer["ret"], answer["payloadType"]), ("ok", "x"))
        self.assertEqual(answer["resp"], VERSION.decode())
        self.assertEqual(ear.heard, [ASK_VERSION.encode()])
        self.assertTrue(robot.topics()[0].endswith("/x"))

    def test_logs(self) -> None:
        """C{imageUrl} is null where there is no picture: any other value is fetched."""
        self.clean()
        body = {"td": "GetCleanLogs", "did": DUSTY.did, "resource": DUSTY.resource}
        answer = self.post("/api/lg/log.do", {"auth": self.log_in()} | body)
        self.assertEqual(answer["ret"], "ok")
        [log] = answer["logs"]
        self.assertIsNone(log["imageUrl"])
        for name in ("ts", "last", "area"):
            self.assertIs(type(log[name]), int)
        self.texts(log, "id", "type")

    def test_failure(self) -> None:
        """It shows C{debug}."""
        self.robot.vanish()
        answer = self.ask_version()
        self.assertEqual(answer["ret"], "fail")
        self.texts(answer, "debug")


class LoginTests(JavaCase):
    """What else it wants of a login."""

    def test_refused(self) -> None:
        """A failure of the private API has C{success}, which is false, C{code} and C{msg}."""
        uid = self.sign_in()["uid"]
        answer = self.get("/v1/global/auth/getAuthCode", uid=uid, accessToken="0" * 32)
        self.refused(answer, "0004")

    def test_mqtt(self) -> None:
        """It subscribes with a plus for the format."""
        who = self.log_in()
        name = f"{who['userid']}@ecouser"
        peer = self.mqtt(f"{name}/{RESOURCE}", name, who["token"], f"iot/atr/+/{DUSTY}/+")
        self.robot.report("onBattery", {"value": 5, "isLow": 1})
        self.house.settle()
        [message] = peer.messages()
        self.assertEqual(json.loads(message.payload)["body"]["data"]["value"], 5)
