"""sucks, and the first app of the vendor (http-auth.md 4.5)."""

from base64 import b64encode
from typing import Any

from tests.flows.clients import ClientCase, auth, entry
from tests.samples import DUSTY

DEVICE = "ab12cd34" * 4
RESOURCE = DEVICE[:8]
PATH = f"/v1/private/us/en/{DEVICE}/i_eco_e/1.3.5/c_googleplay/1/user"


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
        return self.post("/user.do", body)

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
        """The token fits between the slashes of an XMPP password."""
        self.assertNotIn("/", self.log_in()["token"])

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
