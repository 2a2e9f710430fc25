"""deebot-client, the library inside Home Assistant (http-auth.md 4.1 and 4.2)."""

import json
from typing import Any

from attrs import define

from tests.flows.clients import JSON, MAIL, MD5, ClientCase, auth, query
from tests.samples import DUSTY

AGENT = ("User-Agent", "Dalvik/2.1.0 (Linux; U; Android 5.1.1; A5010 Build/LMY48Z)")
#: What goes along with signed requests; nobody verifies it (http-auth.md 1.1).
SIGNED = {
    "requestId": "0f" * 16,
    "authTimespan": 1795000000000,
    "authTimeZone": "GMT-8",
    "authSign": "ab" * 16,
    "authAppkey": "1520391301804",
}
TICKET = {"bizType": "ECOVACS_IOT", "authTimespan": 1795000000000, "authSign": "cd" * 16}
STATS = {"u": "x", "cv": "1.67.3", "t": "a", "av": "1.3.1"}


@define
class Home:
    """One installation: what differs between versions, modes and countries."""

    device: str = "HA-home"
    country: str = "uk"
    version: str = "3.14.0"
    login: str = "login"
    org: str = "ECOWW"
    named: str = "UK"
    host: str = "192.168.1.100:8007"

    def path(self, name: str) -> str:
        """A path of the private API."""
        start = f"/v1/private/{self.country}/EN/{self.device}"
        return f"{start}/global_e/{self.version}/google_play/1/{name}"


SELF_HOSTED = Home()
CLOUD = Home("A1B2C3D4", host="gl-uk-api.ecovacs.com")
OLDER = Home(version="1.6.3")
CHINA = Home("A1B2C3D4", "cn", login="loginCheckMobile", org="ECOCN", named="Chinese")


class DeebotCase(ClientCase):
    """The steps of the library, each with what it reads."""

    home = SELF_HOSTED

    def sign_in(self) -> Any:
        """Step 1: what C{account credentials} are stored from."""
        typed = {"account": MAIL, "password": MD5}
        path = self.home.path(f"user/{self.home.login}")
        data = self.private(self.get(path, **typed, **SIGNED))
        self.texts(data, "accessToken", "uid")
        return data

    def ticket(self, uid: str, access: str) -> Any:
        """Step 2, whatever the answer is."""
        who = {"uid": uid, "accessToken": access, "deviceId": self.home.device}
        return self.get("/v1/global/auth/getAuthCode", **who, **TICKET)

    def portal_login(self, uid: str, code: str) -> Any:
        """Step 3, whatever the answer is."""
        body = {
            "edition": "ECOGLOBLE",
            "userId": uid,
            "token": code,
            "realm": "ecouser.net",
            "resource": self.home.device,
            "org": self.home.org,
            "last": "",
            "country": self.home.named,
            "todo": "loginByItToken",
        }
        return self.post("/api/users/user.do", body)

    def resume(self, uid: str, access: str) -> dict[str, str]:
        """Steps 2 and 3: the object that later requests carry."""
        data = self.private(self.ticket(uid, access))
        self.texts(data, "authCode")
        answer = self.portal_login(uid, data["authCode"])
        self.assertEqual((answer["todo"], answer["result"]), ("result", "ok"))
        self.texts(answer, "userId", "token", "resource")
        self.assertEqual(answer["userId"], uid)
        return auth(answer["userId"], answer["token"], self.home.device)

    def log_in(self) -> dict[str, str]:
        """Steps 1 to 3."""
        data = self.sign_in()
        return self.resume(data["uid"], data["accessToken"])

    def command(self, name: str, payload: object, **address: str) -> Any:
        """Step 7: a command to Dusty, or to another address."""
        body = {
            "cmdName": name,
            "payload": payload,
            "payloadType": "j",
            "td": "q",
            "toId": DUSTY.did,
            "toRes": DUSTY.resource,
            "toType": DUSTY.model,
            "auth": self.log_in(),
        }
        path = query("/api/iot/devmanager.do", mid=DUSTY.model, did=DUSTY.did, td="q", **STATS)
        return self.post(path, body | address, AGENT)


class LoginTests(DeebotCase):
    """From the account to the portal."""

    def test_validity(self) -> None:
        """C{last} is an integer in milliseconds, and so long that HA need not hurry."""
        data = self.sign_in()
        code = self.private(self.ticket(data["uid"], data["accessToken"]))["authCode"]
        last = self.portal_login(data["uid"], code)["last"]
        self.assertIs(type(last), int)
        self.assertGreaterEqual(last, 7 * 86_400_000)

    def test_same_user(self) -> None:
        """An account is the same user at every login, another one is another."""
        first, again = self.sign_in(), self.sign_in()
        self.assertEqual(first["uid"], again["uid"])
        self.assertNotEqual(first["accessToken"], again["accessToken"])
        typed = {"account": "somebody@example.org", "password": MD5}
        path = self.home.path("user/login")
        other = self.private(self.get(path, **typed, **SIGNED))
        self.assertNotEqual(first["uid"], other["uid"])

    def test_no_account(self) -> None:
        """The library gets its C{code} even when it has not sent an account at all."""
        data = self.private(self.get(self.home.path("user/login"), **SIGNED))
        self.texts(data, "accessToken", "uid")

    def test_bad_ticket(self) -> None:
        """On failure it must find C{error}, and an C{errno} that is a number (http.md 2.2)."""
        uid = self.sign_in()["uid"]
        for code in ("", "GLOBAL_APP_ECOVACS_IOT_" + "0" * 32):
            answer = self.portal_login(uid, code)
            self.assertEqual((answer["todo"], answer["result"]), ("result", "fail"))
            self.assertEqual(answer["debug"], "loginByItToken")
            self.assertIs(type(answer["errno"]), int)
            self.texts(answer, "error")
            # This text would make the library try three times more.
            self.assertNotEqual(answer["error"], "set token error.")

    def test_verification_is_never_asked_for(self) -> None:
        """Code 1013 would start a flow by e-mail."""
        answer = self.get(self.home.path("user/login"), account=MAIL, password="wrong")
        self.assertNotEqual(answer["code"], "1013")

    def test_public_key(self) -> None:
        """V1: a list with the key, whose value is JSON inside a string."""
        path = self.home.path("common/getConfig")
        data = self.private(self.get(path, keys="PUBLIC.KEY.CONFIG", **SIGNED))
        [found] = data
        self.assertEqual(found["key"], "PUBLIC.KEY.CONFIG")
        self.texts(json.loads(found["value"]), "publicKey")


class StoredCredentialsTests(DeebotCase):
    """18.x with credentials in the configuration: it starts at step 2."""

    def test_restart(self) -> None:
        """They work weeks later, and as often as HA restarts."""
        data = self.sign_in()
        for _ in range(3):
            self.house.clock.advance(7 * 86_400)
            self.resume(data["uid"], data["accessToken"])

    def test_older_ticket(self) -> None:
        """A second HA on the same account does not break the first one's login half-way."""
        data = self.sign_in()
        first = self.private(self.ticket(data["uid"], data["accessToken"]))["authCode"]
        self.private(self.ticket(data["uid"], data["accessToken"]))
        self.assertEqual(self.portal_login(data["uid"], first)["result"], "ok")

    def test_foreign(self) -> None:
        """A token of somebody else is C{0004}: the library then uses the password."""
        mine = self.sign_in()
        typed = {"account": "somebody@example.org", "password": MD5}
        theirs = self.private(self.get(self.home.path("user/login"), **typed))
        self.refused(self.ticket(mine["uid"], theirs["accessToken"]), "0004")

    def test_unknown(self) -> None:
        """So is one that never was."""
        self.refused(self.ticket(self.sign_in()["uid"], "0" * 32), "0004")

    def test_unknown_user(self) -> None:
        """And any for a user that never was."""
        access = self.sign_in()["accessToken"]
        self.refused(self.ticket("no-such-user", access), "0004")

    def test_expired(self) -> None:
        """And one that is too old; then the password works again."""
        data = self.sign_in()
        self.house.clock.advance((self.house.settings.identity.token_days + 1) * 86_400)
        self.refused(self.ticket(data["uid"], data["accessToken"]), "0004")
        self.log_in()

    def test_logged_out(self) -> None:
        """And one that has been given back."""
        data = self.sign_in()
        self.private(self.get(self.home.path("user/logout"), accessToken=data["accessToken"]))
        self.refused(self.ticket(data["uid"], data["accessToken"]), "0004")


class CloudTests(LoginTests):
    """The same with the vendor's host names, and a random device id."""

    home = CLOUD

    def test_hosts(self) -> None:
        """The same path answers whatever name it is asked by (http.md 1.1)."""
        path = query(self.home.path("user/login"), account=MAIL, password=MD5)
        for host in ("gl-uk-api.ecovacs.com", "gl-cn-api.ecovacs.cn", "192.168.1.100"):
            self.private(self.json(self.ask("GET", path, host=host)))
        body = json.dumps({"todo": "GetDeviceList"}).encode()
        page = self.ask("POST", "/api/users/user.do", body, [JSON], "portal-eu.ecouser.net")
        self.assertEqual(self.json(page)["result"], "ok")


class OlderTests(LoginTests):
    """Version 17.1, which calls itself another app version."""

    home = OLDER


class ChinaTests(LoginTests):
    """The country where the login has another name."""

    home = CHINA
