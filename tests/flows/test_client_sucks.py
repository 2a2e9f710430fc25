"""sucks, and the first app of the vendor (http-auth.md 4.5)."""

import json
from base64 import b64encode
from typing import Any

from bumper_tw.app.settings import IdentitySettings, Listen, Settings
from tests.flows.clients import JSON, VETERAN, ClientCase, auth, entry, veteran
from tests.flows.house import House
from tests.samples import DUSTY

DEVICE = "ab12cd34" * 4
RESOURCE = DEVICE[:8]
PATH = f"/v1/private/us/en/{DEVICE}/i_eco_e/1.3.5/c_googleplay/1/user"

#: The host that it calls the portal by, on a port of its own.
USERS = "users-na.ecouser.net:8000"


def encrypted(seed: int) -> str:
    """What RSA makes of the same text, each time something else: 128 bytes of noise."""
    return b64encode(bytes((seed * 31 + place * 7) % 256 for place in range(128))).decode()


class SucksCase(ClientCase):
    """The steps of the client, each with what it reads."""

    def sign_in(self, seed: int = 1) -> Any:
        """Step 1: account and password are encrypted with a key that only the vendor has."""
        typed = {"account": encrypted(seed), "password": encrypted(seed + 1)}
        data = self.private(self.get(f"{PATH}/login", **typed, authTimeZone="GMT-8"))
        self.texts(data, "uid", "accessToken")
        return data

    def ticket(self, data: Any) -> Any:
        """Step 2: the code has a path of the private API here."""
        who = {"uid": data["uid"], "accessToken": data["accessToken"]}
        answer = self.private(self.get(f"{PATH}/getAuthCode", **who, authTimeZone="GMT-8"))
        self.texts(answer, "authCode")
        return answer["authCode"]

    def portal(self, uid: str, code: str) -> Any:
        """Step 3: the portal, on the path that used to have a port of its own."""
        body = {
            "todo": "loginByItToken",
            "country": "US",
            "resource": RESOURCE,
            "realm": "ecouser.net",
            "userId": uid,
            "token": code,
        }
        page = self.ask("POST", "/user.do", json.dumps(body).encode(), [JSON], USERS)
        return self.json(page)

    def log_in(self) -> dict[str, str]:
        """Steps 1 to 3."""
        data = self.sign_in()
        answer = self.portal(data["uid"], self.ticket(data))
        self.assertEqual(answer["result"], "ok")
        self.texts(answer, "token", "userId")
        return auth(answer["userId"], answer["token"], RESOURCE)


class SucksTests(SucksCase):
    """The whole way."""

    def test_same_user(self) -> None:
        """What looks different at every login is the same user at every login."""
        uids = {self.sign_in(seed)["uid"] for seed in range(1, 20)}
        self.assertEqual(len(uids), 1)

    def test_devices(self) -> None:
        """The list is there with and without the prefix."""
        body = {"todo": "GetDeviceList", "auth": self.log_in()}
        for path in ("/user.do", "/api/users/user.do"):
            answer = self.post(path, body)
            self.assertEqual(answer["result"], "ok")
            self.assertEqual(entry(answer)["class"], DUSTY.model)

    def test_failure(self) -> None:
        """It prints C{error} and C{errno}, which must both be there."""
        answer = self.portal(self.sign_in()["uid"], "no such code")
        self.assertEqual(answer["result"], "fail")
        self.assertIn("errno", answer)
        self.texts(answer, "error")

    def test_password_of_the_message_server(self) -> None:
        """The token fits between the slashes of an XMPP password, and is good there."""
        who = self.log_in()
        self.assertNotIn("/", who["token"])
        self.assertTrue(self.opens_xmpp(who, who["userid"]))
        self.assertFalse(self.opens_xmpp(who | {"token": who["token"][::-1]}))
        self.assertFalse(self.opens_xmpp(who | {"userid": "somebody"}))

    def test_own_address(self) -> None:
        """It folds addresses that it compares: its user id has one spelling only."""
        uid = self.log_in()["userid"]
        self.assertRegex(uid, "^[a-z0-9_]+$")

    def test_robot(self) -> None:
        """What it makes a robot's address from."""
        veteran(self.house)
        body = {"todo": "GetDeviceList", "userid": "x", "auth": self.log_in()}
        found = entry(self.post("/user.do", body), VETERAN.did)
        address = f"{found['did']}@{found['class']}.ecorobot.net/atom"
        self.assertEqual(address, "E0009876500123450001@126.ecorobot.net/atom")
        self.assertEqual((found["resource"], found["company"]), ("atom", "eco-legacy"))
        self.assertEqual((found["name"], found["status"]), (VETERAN.did, 1))

    def test_spellings(self) -> None:
        """The path without a prefix takes all that the other one takes."""
        for name in ("userId", "userid"):
            for send in (self.post, lambda path, body: self.form(path, **body)):
                data = self.sign_in()
                body = {
                    "todo": "loginByItToken",
                    "resource": RESOURCE,
                    name: data["uid"],
                    "token": self.ticket(data),
                }
                self.assertEqual(send("/user.do", body)["userId"], data["uid"])

    def test_form_list(self) -> None:
        """A list that is asked for in a form, with C{auth} as text in it, or without."""
        who = self.log_in()
        for fields in ({"auth": json.dumps(who)}, who):
            answer = self.form("/user.do", todo="GetDeviceList", **fields)
            self.assertEqual(entry(answer)["did"], DUSTY.did)

    def test_wrong_method(self) -> None:
        """Everything there is a POST."""
        page = self.ask("GET", "/user.do?todo=GetDeviceList")
        self.assertEqual((page.status, page.json["result"]), (405, "fail"))

    def test_start_of_the_app(self) -> None:
        """What the app asks besides is answered."""
        data = self.private(self.get(f"{PATH[:-5]}/common/checkVersion"))
        self.assertEqual(data["r"], 0)
        page = self.ask("POST", "/notify_engine.do", b'{"todo":"registerApp"}')
        self.assertEqual(page.status, 200)

    def test_find_best(self) -> None:
        """The portal also says where the message server is."""
        answer = self.form("/user.do", todo="FindBest", service="EcoMsgNew")
        self.assertEqual((answer["port"], answer["result"]), (5223, "ok"))
        self.assertRegex(answer["ip"], r"^\d+\.\d+\.\d+\.\d+$")

    def test_names(self) -> None:
        """Later versions name, add and remove robots, as JSON or as a form."""
        who = self.log_in()
        body = {"todo": "SetDeviceNick", "did": DUSTY.did, "nick": "Dusty", "auth": who}
        done = {"todo": "result", "result": "ok", "data": None, "code": 0}
        self.assertEqual(self.post("/user.do", body), done)
        listed = {"todo": "GetDeviceList", "auth": who}
        self.assertEqual(entry(self.post("/user.do", listed))["nick"], "Dusty")
        added = self.form("/user.do", todo="AddOneDevice", did=DUSTY.did, nick="Rover")
        self.assertEqual(added, done)
        self.assertEqual(entry(self.post("/user.do", listed))["nick"], "Rover")
        self.assertEqual(
            self.post("/user.do", {"todo": "DeleteOneDevice", "did": DUSTY.did}), done
        )
        self.assertEqual(self.post("/user.do", listed)["devices"], [])

    def test_out(self) -> None:
        """Whoever logs out may log in again."""
        who = self.log_in()
        answer = self.post("/user.do", {"todo": "logout", "userId": who["userid"], "auth": who})
        self.assertEqual((answer["todo"], answer["result"]), ("result", "ok"))
        self.log_in()


class OtherPortTests(ClientCase):
    """Our XMPP is somewhere else than the vendor's."""

    def setUp(self) -> None:
        web = Listen("web", "tcp:8007"), Listen("mqtt", "tcp:8883", tls=True)
        self.house = House(Settings(listen=(*web, Listen("xmpp", "tcp:15223"))))

    def test_told(self) -> None:
        """Robots and apps hear of it, whichever way they ask."""
        for path in ("/lookup.do", "/user.do", "/api/users/user.do"):
            answer = self.form(path, todo="FindBest", service="EcoMsgNew")
            self.assertEqual(answer["port"], 15223, path)
        hosts = self.get("/api/appsvr/service/list", area="de")["data"]
        self.assertEqual(hosts["msgcloud"], "box.lan:15223")


class StrictTests(SucksCase):
    """A house that only lets in accounts that were added."""

    def setUp(self) -> None:
        self.house = House(Settings(identity=IdentitySettings(policy="strict")))

    def test_refused(self) -> None:
        """
        Nobody here can read what it sends, so it stays out; by this code it says that account
        or password are wrong, and stops.
        """
        typed = {"account": encrypted(1), "password": encrypted(2)}
        answer = self.get(f"{PATH}/login", **typed)
        self.refused(answer, "1005")
        self.assertIn("cannot be read", answer["msg"])

    def test_not_throttled(self) -> None:
        """Nothing was guessed: other clients at the same address may still try."""
        for seed in range(50):
            typed = {"account": encrypted(seed), "password": encrypted(seed + 1)}
            self.assertIn("cannot be read", self.get(f"{PATH}/login", **typed)["msg"])

    def test_nothing_else(self) -> None:
        """Without a token no list; only the question where the message server is stays open."""
        answer = self.post("/user.do", {"todo": "GetDeviceList", "userid": "x", "auth": {}})
        self.assertEqual(answer["result"], "fail")
        self.texts(answer, "error")
        self.assertEqual(self.form("/user.do", todo="FindBest", service="EcoMsgNew")["port"], 5223)
