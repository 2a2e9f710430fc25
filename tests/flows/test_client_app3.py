"""The vendor's app from version 2 on (http-auth.md 4.7)."""

import json
from base64 import b64encode, urlsafe_b64decode
from typing import Any

from tests.flows.clients import BATTERY, MAIL, MD5, ClientCase, Ear, query
from tests.robots import ok
from tests.samples import DUSTY
from tests.web.browser import Page

DEVICE = "d00dfeed" * 4
RESOURCE = "IOSF53D07BA"
PREFIX = f"de/EN/{DEVICE}/global_e/3.15.0/google_play/1"
FEATURES = b64encode(b'{"fv":"1.0.0","wv":"v2.1.0"}').decode()
KIND = b64encode(b'{"app":"user","st":10}').decode()


class AppCase(ClientCase):
    """The steps of the app."""

    def sign_in(self) -> Any:
        """Step 3, with what our key does not open: everybody is the one default user."""
        typed = {"encryptAccount": "aGVsbG8=" * 20, "encryptPwd": "d29ybGQ=" * 20}
        return self.private(self.get(f"/v2/private/{PREFIX}/user/login", **typed))

    def ticket(self) -> str:
        """Step 4."""
        data = self.sign_in()
        who = {"uid": data["uid"], "accessToken": data["accessToken"], "deviceId": DEVICE}
        path = "/v1/global/auth/getAuthCode"
        answer = self.private(self.get(path, **who, bizType="ECOVACS_IOT"))
        self.texts(answer, "authCode")
        return str(answer["authCode"])

    def tokens(self) -> Any:
        """Steps 5 and 6."""
        body = {"todo": "OLoginByITToken", "itToken": self.ticket()}
        answer = self.post("/newauth.do", body)
        self.assertEqual((answer["todo"], answer["result"]), ("result", "ok"))
        self.assertNotIn("code", answer)
        self.texts(answer, "authCode")
        return self.pair(code=answer["authCode"])

    def pair(self, path: str = "oauth_callback", **parameters: str) -> Any:
        """A pair of tokens, for a code or for an older pair."""
        answer = self.get(f"/api/appsvr/{path}", **parameters)
        self.assertEqual((answer["code"], answer["message"], answer["ret"]), (0, "success", "ok"))
        data = answer["data"]
        self.texts(data, "userId", "access_token", "refresh_token")
        now = self.house.clock.seconds()
        self.assertIs(type(data["expire_at"]), int)
        # Seconds, not milliseconds, and not yet over (http-auth.md 2.7).
        self.assertTrue(now < data["expire_at"] < now + 3700 * 86_400)
        return data


class DiscoveryTests(AppCase):
    """Steps 1 and 2."""

    def test_data_centre(self) -> None:
        """Each area has a data centre; one that is none is an error of its own."""
        for area in ("de", "DE", "us", "jp", "00"):
            answer = self.get("/api/basis/dc/get-by-area", area=area)
            self.assertEqual(answer["code"], 0)
            self.texts(answer["data"], "dc")
        answer = self.get("/api/basis/dc/get-by-area", area="nowhere")
        self.assertEqual(answer["code"], 4000)
        self.assertIn("msg", answer)

    def test_hosts(self) -> None:
        """All the services are named."""
        answer = self.get("/api/appsvr/service/list", area="DE")
        self.assertEqual((answer["todo"], answer["ret"], answer["code"]), ("result", "ok", 0))
        services = "account adv dc jmq lb magw msgcloud ngiot ngiotLb nlp rop bigdata base eis"
        self.texts(answer["data"], *services.split(), "codepush")
        self.assertEqual(answer["data"]["setApConfig"]["a"], "de")

    def test_configuration(self) -> None:
        """The key to encrypt with, and what else it asks for in one go."""
        keys = "PUBLIC.KEY.CONFIG,EMAIL.REGISTER.CONFIG,OPEN.APP.CERTIFICATE.CONFIG"
        data = self.private(self.get(f"/v1/private/{PREFIX}/common/getConfig", keys=keys))
        self.assertEqual([found["key"] for found in data], keys.split(","))
        self.assertIn("publicKey", json.loads(data[0]["value"]))


class TokenTests(AppCase):
    """Steps 3 to 7."""

    def test_pair(self) -> None:
        """The access token is a JWT with the claims that the app reads."""
        data = self.tokens()
        header, claims, _ = data["access_token"].split(".")
        self.assertEqual(decoded(header)["typ"], "JWT")
        found = decoded(claims)
        self.assertEqual((found["t"], found["u"]), ("a", data["userId"]))
        # The app uses this claim as the resource of its requests (http-auth.md 2.7).
        self.texts(found, "r")
        self.assertGreater(found["exp"], found["iat"])
        self.assertEqual(decoded(data["refresh_token"].split(".")[1])["t"], "r")

    def test_other_way(self) -> None:
        """The code also comes from the portal, under another name."""
        uid = self.sign_in()["uid"]
        body = {"todo": "GetAuthCode", "auth": {"userid": uid, "token": "x"}}
        answer = self.post("/api/users/user.do", body)
        self.assertEqual((answer["todo"], answer["result"]), ("result", "ok"))
        self.assertEqual(self.pair(code=answer["code"])["userId"], uid)

    def test_renewal(self) -> None:
        """A pair can be renewed on both paths."""
        data = self.tokens()
        for path in ("oauth_callback", "oauth/token"):
            again = self.pair(path, refresh_token=data["refresh_token"])
            self.assertEqual(again["userId"], data["userId"])

    def test_refused(self) -> None:
        """The text of an OAuth error is in C{errno} (http.md 2.2, E4)."""
        for wrong in ({"code": "none"}, {"refresh_token": "a.b.c"}, {}):
            answer = self.get("/api/appsvr/oauth_callback", **wrong)
            self.assertEqual((answer["todo"], answer["ret"]), ("result", "fail"))
            self.texts(answer, "errno")

    def test_ticket_refused(self) -> None:
        """E2 of http.md 2.2: a text for C{errno}."""
        for code, body in (
            ("0004", {"todo": "OLoginByITToken", "itToken": "none"}),
            ("1202", {"todo": "Dance", "itToken": self.ticket()}),
        ):
            answer = self.post("/newauth.do", body)
            self.assertEqual((answer["todo"], answer["result"]), ("result", "fail"))
            self.assertEqual(answer["errno"], code)
            self.texts(answer, "error")

    def test_mqtt(self) -> None:
        """The user name has three parts, the realm is C{USER} and the password the JWT."""
        data = self.tokens()
        name = f"{data['userId']}@USER/{RESOURCE}"
        username = f"{data['userId']}`{FEATURES}`{KIND}"
        topic = f"iot/atr/+/{DUSTY}/+"
        peer = self.mqtt(name, username, data["access_token"], topic)
        self.robot.report("onBattery", {"value": 5})
        self.house.settle()
        self.assertEqual(len(peer.messages()), 1)


class ControlTests(AppCase):
    """Step 10."""

    def control(self, **changed: str) -> Page:
        """A ticket, and a command with it."""
        data = self.tokens()
        proof = ("Authorization", f"Bearer {data['access_token']}")
        policy = {"obj": [f"Endpoint:{DUSTY.model}:{DUSTY.did}"], "perms": ["Control"]}
        acl = [{"policy": [policy], "svc": "dim"}]
        wanted = {"acl": acl, "exp": 600, "sub": data["userId"]}
        answer = self.post("/api/new-perm/token/sst/issue", wanted, proof)
        self.assertEqual(answer["code"], 0)
        ticket = answer["data"]["data"]["token"]
        self.assertTrue(ticket.startswith("SST."))
        address = {"eid": DUSTY.did, "et": DUSTY.model, "er": DUSTY.resource}
        told = {"si": "0f" * 8, "ct": "q", "apn": "getBattery", "fmt": "j"}
        path = query("/api/iot/endpoint/control", **(told | address | changed))
        headers = (
            ("Authorization", f"Bearer {ticket}"),
            ("x-eco-request-id", "0f" * 8),
            ("Content-Type", "application/octet-stream"),
            ("User-Agent", "okhttp/4.9.1"),
        )
        body = {"body": {"data": {}}, "header": {"channel": "Android", "m": "request", "pri": 2}}
        return self.ask("POST", path, json.dumps(body).encode(), headers)

    def test_answer(self) -> None:
        """The robot's answer without an envelope, with its two headers."""
        page = self.control()
        self.assertEqual(page.status, 200)
        self.assertEqual(page.headers["content-type"], "application/octet-stream; charset=utf-8")
        said = (page.headers["x-ngiot-fmt"], page.headers["x-ngiot-ret"])
        self.assertEqual(said, ("b", "ok"))
        self.assertEqual(page.json, BATTERY)

    def test_question(self) -> None:
        """The robot gets what the app sent."""
        ear = self.robot.script["getStats"] = Ear(ok())
        self.control(apn="getStats")
        self.assertEqual(ear.heard[0]["header"]["channel"], "Android")

    def test_failure(self) -> None:
        """JSON, without the two headers."""
        page = self.control(eid="nobody")
        self.assertEqual((self.json(page)["ret"], page.json["errno"]), ("fail", 500))
        self.assertNotIn("x-ngiot-ret", page.headers)


class SameAccountTests(AppCase):
    """The app and Home Assistant in one household."""

    def test_readable_account(self) -> None:
        """Who types a readable account on both is one user on both."""
        typed = {"account": MAIL, "password": MD5}
        uids = {
            self.private(self.get(f"/{version}/private/{PREFIX}/user/login", **typed))["uid"]
            for version in ("v1", "v2")
        }
        self.assertEqual(len(uids), 1)


def decoded(part: str) -> Any:
    """One part of a JWT."""
    return json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
