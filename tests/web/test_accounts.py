"""Logging in over HTTP, the way each real client does it (http-auth.md 4)."""

import base64
import json
from typing import Any
from urllib.parse import quote, urlencode

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.fleet import Fleet
from bumper_tw.core.ownership import Ownership
from bumper_tw.core.passwords import md5_hex
from bumper_tw.core.people import People
from bumper_tw.core.permits import Everybody
from bumper_tw.dialect.envelopes import todo_ok
from bumper_tw.storage.memory_records import MemoryRecordStore
from bumper_tw.web.accounts import account_routes
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.guard import Guard
from bumper_tw.web.homes import HomeRoutes
from bumper_tw.web.routes import GET, Route
from bumper_tw.web.site import build_site
from tests.core.lodging import ANNA, ANNAS_UID, DAY, NOW, Lodging, encrypt
from tests.web.browser import Browser, Page

PRIVATE = "/v1/private/us/EN/HA-home/global_e/3.14.0/google_play/1"
V2 = PRIVATE.replace("v1", "v2")
LAST = 30 * 86_400_000
MD5 = md5_hex("secret")
FORM = (("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"),)


def devices(_call: Call, _body: dict[str, Any]) -> Answer:
    """What another part of the site does."""
    return json_answer(todo_ok([], "devices", "result"))


class Case(SynchronousTestCase):
    """Asks a site with all routes about accounts."""

    strict = False

    def setUp(self) -> None:
        self.home = Lodging(self.strict)
        if self.strict:
            self.successResultOf(self.home.owner.set_password(ANNA, "secret"))
        self.guard, records = Guard(self.home.accounts), MemoryRecordStore()
        self.people = People(self.home.clock, records)
        routes = account_routes(
            self.home.accounts,
            self.home.clock,
            {"GetDeviceList": devices, "FindBest": devices},
            self.people,
            self.guard,
        )
        ownership = Ownership(self.home.clock, records, self.home.random_hex)
        fleet = Fleet(self.home.registry, Everybody(), ownership, self.home.clock)
        homes = HomeRoutes(self.home.accounts, self.guard, fleet).routes()
        probe = Route("/probe", GET, self.probe, lambda _, wrong: json_answer(str(wrong), 401))
        self.routes = [*routes, *homes, probe]
        self.site = build_site(self.routes, self.home.clock)
        self.browser = Browser(self.site, self.home.clock)

    def probe(self, call: Call) -> Answer:
        """Who is asking?"""
        return json_answer(self.guard(call).name)

    def get(self, path: str, **query: str) -> Any:
        """The JSON answer to a GET."""
        page = self.browser.get(f"{path}?{urlencode(query)}")
        self.assertEqual(page.status, 200, page.body)
        return page.json

    def post(self, path: str, **fields: Any) -> Any:
        """The JSON answer to a POST of JSON."""
        page = self.browser.post(path, fields)
        self.assertEqual(page.status, 200, page.body)
        return page.json

    def form(self, path: str, **fields: str) -> Any:
        """The JSON answer to a POST of a form."""
        return self.browser.ask("POST", path, urlencode(fields).encode(), FORM).json

    def login(self, **query: str) -> dict[str, Any]:
        """The data of a login."""
        query = query or {"account": ANNA, "password": MD5}
        answer = self.get(f"{PRIVATE}/user/login", **query)
        self.assertEqual((answer["code"], answer["success"]), ("0000", True))
        data: dict[str, Any] = answer["data"]
        return data

    def ticket(self) -> str:
        """The ticket of a login."""
        data = self.login()
        answer = self.get(
            "/v1/global/auth/getAuthCode", uid=data["uid"], accessToken=data["accessToken"]
        )
        return str(answer["data"]["authCode"])

    def portal(self) -> dict[str, Any]:
        """The whole way to the portal."""
        answer = self.post(
            "/api/users/user.do",
            todo="loginByItToken",
            userId=ANNAS_UID,
            token=self.ticket(),
            resource="HA-home",
        )
        self.assertEqual(answer["result"], "ok")
        return dict(answer)

    def auth(self) -> dict[str, str]:
        """What portal requests carry."""
        return {"userid": ANNAS_UID, "token": self.portal()["token"], "realm": "ecouser.net"}


class PrivateTests(Case):
    """The private API."""

    def test_login(self) -> None:
        """The answer has all fields that any client reads (http-auth.md 2.1)."""
        answer = self.get(f"{PRIVATE}/user/login", account=ANNA, password=MD5)
        token = answer["data"].pop("accessToken")
        self.assertRegex(token, r"\A[0-9a-f]{32}\Z")
        data = {
            "email": ANNA,
            "isNew": None,
            "loginName": ANNA,
            "mobile": None,
            "ucUid": ANNAS_UID,
            "uid": ANNAS_UID,
            "username": ANNA,
            "userName": ANNA,
            "country": "us",
            "verifyDevice": "N",
        }
        expected = {"code": "0000", "data": data, "success": True, "time": int(NOW * 1000)}
        self.assertEqual({**answer, "msg": ""}, {**expected, "msg": ""})

    def test_everywhere(self) -> None:
        """Old and new apps, the Chinese route, any country and language, GET and POST."""
        for path in (
            f"{V2}/user/login",
            f"{PRIVATE}/user/loginCheckMobile",
            "/v1/private/DE/xx/d/i_eco_e/1.3.5/c_googleplay/1/user/login",
        ):
            for method in ("GET", "POST"):
                page = self.browser.ask(method, f"{path}?account={quote(ANNA)}")
                self.assertEqual(page.json["data"]["uid"], ANNAS_UID)

    def test_country_and_app(self) -> None:
        """The country comes back as it was spelt; apps of another family read the uid."""
        path = "/v1/private/DE/xx/d/i_eco_e/1.3.5/c_googleplay/1/user/login"
        data = self.get(path, account=ANNA)["data"]
        self.assertEqual((data["country"], data["loginName"]), ("DE", ANNAS_UID))

    def test_default_user(self) -> None:
        """What v1 apps encrypt for the vendor is the same user every time."""
        uids = set()
        for number in range(3):
            block = base64.b64encode(bytes([200 + number]) * 128).decode()
            uids.add(self.login(account=block, password=block)["uid"])
        self.assertEqual(uids, {"faf9838ac653b1fe66cd"})

    def test_encrypted(self) -> None:
        """What v3 apps encrypt for us is read."""
        data = self.login(encryptAccount=encrypt(ANNA), encryptPwd=encrypt(MD5))
        self.assertEqual(data["uid"], ANNAS_UID)

    def test_check_login(self) -> None:
        """A live token comes back the same, a dead one is replaced."""
        token = self.login()["accessToken"]
        for version in (PRIVATE, V2):
            path = f"{version}/user/checkLogin"
            live = self.get(path, uid=ANNAS_UID, accessToken=token)["data"]
            dead = self.get(path, uid=ANNAS_UID, accessToken="gone")["data"]
            self.assertEqual((live["accessToken"], live["uid"]), (token, ANNAS_UID))
            self.assertNotEqual(dead["accessToken"], token)
            self.assertEqual(dead["uid"], ANNAS_UID)

    def test_ticket(self) -> None:
        """Both routes give a ticket to whoever has the access token."""
        token = self.login()["accessToken"]
        for path in (f"{PRIVATE}/user/getAuthCode", "/v1/global/auth/getAuthCode"):
            answer = self.get(path, uid=ANNAS_UID, accessToken=token, bizType="", openId="x")
            self.assertEqual(answer["data"]["ecovacsUid"], ANNAS_UID)
            self.assertTrue(answer["data"]["authCode"].startswith("GLOBAL_APP_ECOVACS_IOT_"))

    def test_ticket_by_device(self) -> None:
        """Without a user id the device is enough, in path or query."""
        token = self.login()["accessToken"]
        path = f"{PRIVATE}/user/getAuthCode"
        self.assertEqual(self.get(path, accessToken=token)["code"], "0000")
        path = "/v1/global/auth/getAuthCode"
        answer = self.get(path, accessToken=token, deviceId="HA-home")
        self.assertEqual(answer["code"], "0000")

    def test_no_ticket(self) -> None:
        """A dead token is answered such that clients log in again (E9)."""
        self.login()
        answer = self.get("/v1/global/auth/getAuthCode", uid=ANNAS_UID, accessToken="gone")
        expected = {"code": "0004", "time": int(NOW * 1000), "data": None, "success": False}
        self.assertEqual({**answer, "msg": ""}, {**expected, "msg": ""})
        self.assertTrue(answer["msg"])

    def test_logout(self) -> None:
        """Logging out ends the token; the answer is always the same."""
        token = self.login()["accessToken"]
        for _ in range(2):
            answer = self.get(f"{PRIVATE}/user/logout", accessToken=token)
            self.assertEqual((answer["code"], answer["data"]), ("0000", None))
        answer = self.get("/v1/global/auth/getAuthCode", uid=ANNAS_UID, accessToken=token)
        self.assertEqual(answer["code"], "0004")

    def test_profile(self) -> None:
        """The profile of whoever logged in on this device."""
        path = f"{PRIVATE}/user/getUserAccountInfo"
        self.assertEqual(self.get(path)["code"], "0004")
        self.login()
        data = self.get(path)["data"]
        self.assertEqual((data["uid"], data["email"], data["hasMobile"]), (ANNAS_UID, ANNA, "N"))
        self.assertIn("http://box.lan:8007", data["intlMemberInfo"]["intlMemberMallUrl"])
        self.assertEqual((data["nickname"], data["userShowName"]), ("", ANNA))
        self.successResultOf(self.people.change(ANNAS_UID, nickname="Anna"))
        data = self.get(path)["data"]
        self.assertEqual((data["nickname"], data["userShowName"]), ("Anna", "Anna"))

    def test_where_from(self) -> None:
        """Country and language of the path are those of the user."""
        self.login()
        profile = self.people.profile(ANNAS_UID)
        self.assertEqual((profile.country, profile.language), ("US", "EN"))

    def test_time_moves(self) -> None:
        """The time of an answer is the time (http.md 1.5)."""
        self.home.clock.advance(5)
        answer = self.get(f"{PRIVATE}/user/login", account=ANNA)
        self.assertEqual(answer["time"], int((NOW + 5) * 1000))


class PortalTests(Case):
    """The portal's user.do."""

    def test_login(self) -> None:
        """Home Assistant's login: the token is one of its own, with its real life."""
        answer = self.portal()
        token = answer.pop("token")
        expected = {
            "resource": "HA-home",
            "result": "ok",
            "todo": "result",
            "userId": ANNAS_UID,
            "last": LAST,
        }
        self.assertEqual(answer, expected)
        self.assertEqual(self.home.accounts.user_of(token), ANNAS_UID)

    def test_spellings(self) -> None:
        """With a user id, with the misspelt one, with none; as JSON, as a form."""
        ticket = self.ticket()
        for path in ("/api/users/user.do", "/user.do"):
            for extra in ({"userId": ANNAS_UID}, {"userid": ANNAS_UID}, {}):
                fields = {"todo": "loginByItToken", "token": ticket, "resource": "r", **extra}
                for answer in (self.post(path, **fields), self.form(path, **fields)):
                    self.assertEqual((answer["result"], answer["userId"]), ("ok", ANNAS_UID))

    def test_login_refused(self) -> None:
        """A wrong ticket is E6; clients need both errno and error."""
        for extra in ({"token": "x"}, {"token": self.ticket(), "userId": "other"}):
            answer = self.post("/api/users/user.do", todo="loginByItToken", resource="r", **extra)
            error = answer.pop("error")
            expected = {"todo": "result", "result": "fail", "errno": 1004}
            self.assertEqual(answer, {**expected, "debug": "loginByItToken"})
            # These words would make Home Assistant try the same again, three times.
            self.assertNotIn(error, {"", "set token error."})

    def test_bad_bodies(self) -> None:
        """Whatever comes, the answer is E6 and not an accident."""
        for body in (
            {},
            {"todo": None},
            {"todo": 7},
            {"todo": ["loginByItToken"]},
            {"todo": "Dance"},
            {"todo": "loginByItToken"},
            {"todo": "loginByItToken", "token": "x"},
            {"todo": "loginByItToken", "token": 7, "resource": "r"},
            {"todo": "loginByItToken", "token": "x", "resource": {}},
            {"todo": "loginByItToken", "token": "x", "resource": "r", "userId": 7},
            {"todo": "logout"},
            {"todo": "logout", "userId": []},
            {"todo": "logout", "userId": "x", "auth": {"token": 7}},
            {"todo": "GetDeviceList", "auth": {"userid": 7}},
        ):
            answer = self.browser.post("/api/users/user.do", body).json
            self.assertEqual((answer["todo"], answer["result"]), ("result", "fail"), body)
            self.assertIsInstance(answer["errno"], int)
            todo = body.get("todo")
            self.assertEqual(answer["debug"], todo if isinstance(todo, str) else "")
        self.assertEqual(self.site.counts["broken"], 0)

    def test_no_json(self) -> None:
        """A body that is no JSON object is E6, too."""
        for body in (b"", b"x", b"[]", b"null", b"\xff", b"[" * 5000, rb'{"todo":"\ud800"}'):
            answer = self.browser.ask("POST", "/api/users/user.do", body).json
            self.assertEqual((answer["result"], answer["debug"]), ("fail", ""))

    def test_code(self) -> None:
        """A session gives an authorisation code (http-auth.md 2.6), JSON or form."""
        auth = self.auth()
        answer = self.post("/api/users/user.do", todo="GetAuthCode", auth=auth)
        self.assertEqual(set(answer), {"todo", "result", "code"})
        answer = self.form("/api/users/user.do", todo="GetAuthCode", auth=json.dumps(auth))
        self.assertEqual(answer["result"], "ok")
        answer = self.form("/api/users/user.do", todo="GetAuthCode", **auth)
        self.assertEqual(answer["result"], "ok")

    def test_no_code(self) -> None:
        """Somebody unknown gets E2, where the number is a text."""
        odd: list[Any] = [{}, None, 7, [], {"userid": "x"}, {"userid": 7}, "{"]
        for auth in odd:
            answer = self.post("/api/users/user.do", todo="GetAuthCode", auth=auth)
            answer.pop("error")
            self.assertEqual(answer, {"errno": "1004", "result": "fail", "todo": "result"})

    def test_logout(self) -> None:
        """Logging out needs the token, and ends it."""
        auth = self.auth()
        for _ in range(2):
            answer = self.post("/api/users/user.do", todo="logout", userId=ANNAS_UID, auth=auth)
            self.assertEqual(answer, {"todo": "result", "result": "ok"})
        self.assertFalse(self.home.accounts.belongs(ANNAS_UID, auth["token"]))

    def test_devices(self) -> None:
        """What others do is done by others; at home nobody needs a token for it."""
        answer = self.post("/api/users/user.do", todo="GetDeviceList", userid="x", auth={})
        self.assertEqual(answer["devices"], [])

    def test_get(self) -> None:
        """There is nothing to GET."""
        self.assertEqual(self.browser.get("/api/users/user.do").status, 405)


class OAuthTests(Case):
    """The newer apps."""

    def pair(self) -> dict[str, Any]:
        """A pair of tokens."""
        answer = self.post("/newauth.do", todo="OLoginByITToken", itToken=self.ticket())
        self.assertEqual(set(answer), {"todo", "result", "authCode"})
        answer = self.get("/api/appsvr/oauth_callback", code=answer["authCode"])
        self.assertEqual((answer["code"], answer["message"], answer["ret"]), (0, "success", "ok"))
        data: dict[str, Any] = answer["data"]
        return data

    def test_pair(self) -> None:
        """From the ticket to a pair, and on to the next (http-auth.md 2.5, 2.7)."""
        pair = self.pair()
        self.assertEqual((pair["userId"], pair["expire_at"]), (ANNAS_UID, int(NOW + 15 * DAY)))
        for path in ("/api/appsvr/oauth_callback", "/api/appsvr/oauth/token"):
            answer = self.get(path, refresh_token=pair["refresh_token"])
            self.assertEqual(answer["data"]["userId"], ANNAS_UID)
        headers = (("Authorization", f"Bearer {pair['access_token']}"),)
        self.assertEqual(self.browser.get("/probe", headers=headers).json, ANNAS_UID)

    def test_resource(self) -> None:
        """The claim that the app logs in with is never null."""
        payload = self.pair()["access_token"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
        self.assertEqual(claims["r"], "HA-home")

    def test_newauth_form(self) -> None:
        """The ticket may come in a form."""
        answer = self.form("/newauth.do", todo="OLoginByITToken", itToken=self.ticket())
        self.assertEqual(answer["result"], "ok")

    def test_newauth_refused(self) -> None:
        """E2 with the code that says why."""
        for fields, errno in (
            ({"todo": "OLoginByITToken", "itToken": "x"}, "0004"),
            ({"todo": "OLoginByITToken"}, "0004"),
            ({"todo": "Dance"}, "1202"),
            ({}, "1202"),
            ({"todo": "OLoginByITToken", "itToken": 7}, "0001"),
        ):
            answer = self.browser.post("/newauth.do", fields).json
            self.assertEqual((answer["errno"], answer["result"]), (errno, "fail"))
        self.assertEqual(self.browser.ask("POST", "/newauth.do", b"x").json["errno"], "0001")

    def test_oauth_refused(self) -> None:
        """E4, where the number is the text."""
        for query in ({}, {"code": "x"}, {"refresh_token": "x"}, {"refresh_token": "a.b.c"}):
            answer = self.get("/api/appsvr/oauth_callback", **query)
            self.assertEqual(
                {**answer, "errno": ""}, {"todo": "result", "ret": "fail", "errno": ""}
            )
            self.assertTrue(answer["errno"])

    def test_control(self) -> None:
        """A control ticket, with C{data} twice (http-auth.md 2.8)."""
        acl = [{"policy": [{"obj": ["Endpoint:yna5xi:did"], "perms": ["Control"]}], "svc": "dim"}]
        answer = self.post("/api/new-perm/token/sst/issue", acl=acl, exp=600, sub=ANNAS_UID)
        self.assertEqual((answer["code"], answer["msg"]), (0, "ok"))
        self.assertTrue(answer["data"]["data"]["token"].startswith("SST.ey"))

    def test_control_refused(self) -> None:
        """Missing or odd fields are refused in the same family."""
        good: dict[str, Any] = {"acl": [], "exp": 600, "sub": "u"}
        odd: list[Any] = [None, {}, True]
        for name in good:
            for value in odd:
                answer = self.post("/api/new-perm/token/sst/issue", **{**good, name: value})
                self.assertEqual((answer["code"], answer["ret"]), (1, "fail"))


class ApiTests(Case):
    """Our own login."""

    def login_page(self, **fields: Any) -> Page:
        """The answer to a login."""
        return self.browser.post("/api/login", fields)

    def test_login(self) -> None:
        """The token opens our API, as a bearer token and as a cookie."""
        page = self.login_page(account=ANNA, password="secret")
        self.assertEqual(page.json["uid"], ANNAS_UID)
        self.assertEqual(page.json["expires"], int(NOW + 30 * DAY))
        token = page.json["token"]
        cookie = f"bumper_token={token}; Path=/; Max-Age={30 * 86400}; HttpOnly; SameSite=Strict"
        self.assertEqual(page.headers["set-cookie"], cookie)
        for header in (
            ("Authorization", f"Bearer {token}"),
            ("Cookie", f"a=b; bumper_token={token}"),
        ):
            self.assertEqual(self.browser.get("/probe", headers=[header]).json, ANNAS_UID)

    def test_encrypted(self) -> None:
        """An app may send what it sends elsewhere; the vendor's key is not needed."""
        page = self.login_page(encryptAccount="for the vendor", encryptPwd="for the vendor")
        self.assertEqual(page.json["uid"], "faf9838ac653b1fe66cd")

    def test_bad_bodies(self) -> None:
        """What is no login is answered in words."""
        odd: list[dict[str, Any]] = [{"account": 7}, {"username": []}, {"password": {}}]
        for fields in odd:
            page = self.login_page(**fields)
            self.assertEqual((page.status, page.json["reason"]), (400, "request"))
        self.assertEqual(self.browser.ask("POST", "/api/login", b"x").status, 400)

    def test_guard(self) -> None:
        """Nobody without a token, or with a dead one."""
        self.assertEqual(self.browser.get("/probe").status, 401)
        for text in ("Bearer x", "Bearer ", "Basic x", "Bearer a.b.c"):
            page = self.browser.get("/probe", headers=[("Authorization", text)])
            self.assertEqual(page.status, 401)


class HomeListTests(Case):
    """Homes and members."""

    def test_homes(self) -> None:
        """A user has one home, with its own id (http-endpoints.md 6)."""
        self.login()
        answer = self.get("/api/homed/home/list", userid=ANNAS_UID)
        [home] = answer["data"]
        self.assertEqual((answer["code"], answer["ret"]), (0, "ok"))
        expected = {
            "createTime": int(NOW * 1000),
            "createUser": ANNAS_UID,
            "createUserName": ANNA,
            "firstCreate": False,
            "name": "My Home",
            "type": "own",
        }
        self.assertRegex(home.pop("homeId"), r"\A[0-9a-f]{24}\Z")
        self.assertEqual(home, expected)

    def test_nobody(self) -> None:
        """Somebody unknown has no homes, and an unknown home no members."""
        for query in ({}, {"userid": "x"}):
            self.assertEqual(self.get("/api/homed/home/list", **query)["data"], [])
            self.assertEqual(self.get("/api/homed/member/list", **query)["data"], [])

    def test_members(self) -> None:
        """The owner is the one member."""
        self.login()
        [home] = self.get("/api/homed/home/list", userid=ANNAS_UID)["data"]
        for query in ({"homeId": home["homeId"]}, {"userid": ANNAS_UID}):
            [member] = self.get("/api/homed/member/list", **query)["data"]
            self.assertEqual(
                (member["uid"], member["isAdmin"], member["status"]), (ANNAS_UID, 2, 1)
            )


class StrictTests(Case):
    """The same for accounts that the owner has added."""

    strict = True

    def test_wrong_password(self) -> None:
        """Clients ask for another password (http.md 2.3)."""
        answer = self.get(f"{PRIVATE}/user/login", account=ANNA, password=md5_hex("wrong"))
        self.assertEqual((answer["code"], answer["success"]), ("1005", False))

    def test_encrypted(self) -> None:
        """What is encrypted for us is checked, what is for the vendor is refused."""
        data = self.login(encryptAccount=encrypt(ANNA), encryptPwd=encrypt(MD5))
        self.assertEqual(data["uid"], ANNAS_UID)
        block = base64.b64encode(b"\xc8" * 128).decode()
        answer = self.get(f"{PRIVATE}/user/login", account=block, password=block)
        self.assertEqual(answer["code"], "1005")

    def test_profile(self) -> None:
        """The profile of whoever has the token; that of a device is nobody's."""
        token, path = self.login()["accessToken"], f"{PRIVATE}/user/getUserAccountInfo"
        self.assertEqual(self.get(path)["code"], "0004")
        self.assertEqual(self.get(path, accessToken="gone")["code"], "0004")
        self.assertEqual(self.get(path, accessToken=token)["data"]["uid"], ANNAS_UID)

    def test_check_login(self) -> None:
        """A dead token makes the app log out."""
        answer = self.get(f"{PRIVATE}/user/checkLogin", uid=ANNAS_UID, accessToken="gone")
        self.assertEqual(answer["code"], "0004")

    def test_devices(self) -> None:
        """The portal is for whoever has a live token, wherever it is put."""
        auth = self.auth()
        body = {"todo": "GetDeviceList", "userid": ANNAS_UID}
        bearer = [("Authorization", f"Bearer {auth['token']}")]
        plain = [("userid", ANNAS_UID), ("token", auth["token"])]
        raw = json.dumps(body).encode()
        self.assertEqual(self.post("/api/users/user.do", **body, auth=auth)["result"], "ok")
        for headers in (bearer, plain):
            page = self.browser.ask("POST", "/api/users/user.do", raw, headers)
            self.assertEqual(page.json["result"], "ok")
        for wrong in ({}, {**auth, "token": "gone"}, {**auth, "userid": "other"}):
            answer = self.post("/api/users/user.do", **body, auth=wrong)
            self.assertEqual((answer["result"], answer["errno"]), ("fail", 1004))

    def test_token_in_the_query(self) -> None:
        """The newer log routes put the same object into the query (http-auth.md 4.3)."""
        auth = json.dumps(self.auth())
        self.assertEqual(len(self.get("/api/homed/home/list", auth=auth)["data"]), 1)
        for wrong in ("", "{", "7", json.dumps({"userid": ANNAS_UID, "token": "gone"})):
            self.assertEqual(self.get("/api/homed/home/list", auth=wrong)["code"], 1004)

    def test_robots_have_no_token(self) -> None:
        """The question for the server is open to all."""
        self.assertEqual(self.post("/api/users/user.do", todo="FindBest")["result"], "ok")

    def test_control(self) -> None:
        """A control ticket needs a token, and is one for the portal."""
        fields: dict[str, Any] = {"acl": [], "exp": 600, "sub": ANNAS_UID}
        answer = self.post("/api/new-perm/token/sst/issue", **fields)
        self.assertEqual((answer["code"], answer["ret"]), (1004, "fail"))
        headers = [("Authorization", f"Bearer {self.portal()['token']}")]
        raw = json.dumps(fields).encode()
        page = self.browser.ask("POST", "/api/new-perm/token/sst/issue", raw, headers)
        ticket = page.json["data"]["data"]["token"]
        body = json.dumps({"todo": "GetDeviceList"}).encode()
        headers = [("Authorization", f"Bearer {ticket}")]
        page = self.browser.ask("POST", "/api/users/user.do", body, headers)
        self.assertEqual(page.json["result"], "ok")

    def test_homes(self) -> None:
        """Nobody sees somebody else's homes."""
        token = self.portal()["token"]
        self.assertEqual(self.get("/api/homed/home/list", userid=ANNAS_UID)["code"], 1004)
        headers = [("Authorization", f"Bearer {token}")]
        path = "/api/homed/home/list?userid="
        self.assertEqual(self.browser.get(path + "other", headers=headers).json["code"], 1004)
        page = self.browser.get(path + ANNAS_UID, headers=headers)
        self.assertEqual(len(page.json["data"]), 1)
        member = f"/api/homed/member/list?homeId={page.json['data'][0]['homeId']}"
        self.assertEqual(len(self.browser.get(member, headers=headers).json["data"]), 1)

    def test_api_login(self) -> None:
        """Our own API wants the password in clear text."""
        good = self.browser.post("/api/login", {"username": ANNA, "password": "secret"})
        self.assertEqual(good.json["uid"], ANNAS_UID)
        for password in ("wrong", MD5, ""):
            page = self.browser.post("/api/login", {"account": ANNA, "password": password})
            self.assertEqual((page.status, page.json["reason"]), (401, "login"))
            self.assertNotIn("set-cookie", page.headers)


class EveryRouteTests(Case):
    """Each route, with what nobody would send."""

    QUERIES = (
        "",
        "?uid=%00&accessToken=%FF&account=%ED%A0%80&code=&refresh_token=..",
        "?auth=%7B",
    )
    BODIES = (b"", b"{", b"[]", b"null", b'{"todo":{}}', b'{"auth":7,"todo":"x"}', b"\xff\xfe")

    def test_no_accident(self) -> None:
        """Nothing is a 500, and nothing but ours is answered."""
        for route in self.routes:
            path = route.path
            for name, value in (("version", "v1"), ("device", "%ff"), ("country", "%00")):
                path = path.replace(f"<{name}>", value)
            path = path.replace("<", "").replace(">", "")
            for method in route.methods:
                for query in self.QUERIES:
                    for body in self.BODIES if method == "POST" else (b"",):
                        page = self.browser.ask(method, path + query, body)
                        self.assertIn(page.status, {200, 400, 401, 404}, (path, body))
                        self.assertIsNotNone(page.json)
        self.assertEqual(self.site.counts["broken"], 0)
