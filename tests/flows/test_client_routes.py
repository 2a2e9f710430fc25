"""What holds for the routes that clients cannot do without, whoever asks (http.md)."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.flows.clients import JSON, JSON_ANSWER, MAIL, MD5, ClientCase, auth
from tests.samples import DUSTY
from tests.web.browser import Page

DEVICE = "5eed" * 8
PREFIX = f"us/EN/{DEVICE}/global_e/3.15.0/google_play/1"
#: What looks like somebody else's host.
FOREIGN = re.compile(
    rb"(?i)[a-z0-9.-]*(?:ecovacs|ecouser|aliyun|amazonaws|zendesk)[a-z0-9.-]*\.[a-z]+"
)
#: The zone in the answer that is handed to robots while they are paired.
PAIRING = b"ecouser.net"
COMMAND = {
    "cmdName": "getBattery",
    "payload": {},
    "payloadType": "j",
    "toId": DUSTY.did,
    "toType": DUSTY.model,
    "toRes": DUSTY.resource,
}
CONTROL = f"eid={DUSTY.did}&et={DUSTY.model}&er={DUSTY.resource}&apn=getBattery&fmt=j&ct=q"
SST = {"acl": [{"policy": [], "svc": "dim"}], "exp": 600, "sub": "somebody"}

#: Private routes without which no client gets far: version and name.
PRIVATE = (
    ("v1", "user/login"),
    ("v2", "user/login"),
    ("v1", "user/loginCheckMobile"),
    ("v1", "user/checkLogin"),
    ("v2", "user/checkLogin"),
    ("v1", "user/logout"),
    ("v1", "common/getConfig?keys=PUBLIC.KEY.CONFIG"),
    ("v1", "common/getAreas"),
    ("v1", "common/getTimestamp"),
    ("v1", "common/checkVersion"),
    ("v1", "common/checkAPPVersion"),
    ("v1", "common/getAgreementURLBatch"),
    ("v1", "common/getUserConfig"),
    ("v1", "common/uploadDeviceInfo"),
    ("v1", "common/getSystemReminder"),
    ("v1", "common/getBottomNavigateInfoList"),
    ("v2", "common/getBottomNavigateInfoList"),
    ("v3", "common/getBottomNavigateInfoList"),
    ("v1", "ad/getBootScreen"),
    ("v1", "ad/getAdByPositionType"),
    ("v1", "campaign/homePageAlert"),
    ("v1", "user/getUserAccountInfo"),
    ("v1", "user/getUserMenuInfo"),
    ("v1", "user/getMyUserMenuInfo"),
    ("v1", "/user/getMyUserMenuInfo"),
    ("v1", "user/checkAgreement"),
    ("v1", "user/checkAgreementBatch"),
    ("v2", "user/checkAgreementBatch"),
    ("v1", "user/acceptAgreementBatch"),
    ("v1", "agreement/getUserAcceptInfo"),
    ("v1", "message/hasUnreadMsg"),
    ("v2", "message/hasMoreUnReadMsg"),
    ("v1", "userSetting/getSuggestionSetting"),
    ("v2", "userSetting/getMsgReceiveSetting"),
    ("v1", "shop/getCnWapShopConfig"),
    ("v1", "osmall/getCountryConfig"),
    ("v1", "help/getHelpIndex"),
)

#: The others: path, body to post (none for a GET), and what stands in the envelope.
PORTAL: tuple[tuple[str, object, dict[str, object]], ...] = (
    ("/api/users/user.do", {"todo": "GetDeviceList"}, {"result": "ok", "todo": "result"}),
    ("/user.do", {"todo": "GetDeviceList"}, {"result": "ok", "todo": "result"}),
    ("/api/appsvr/app.do", {"todo": "GetGlobalDeviceList"}, {"ret": "ok", "code": 0}),
    ("/lookup.do", {"todo": "FindBest", "service": "EcoMsgNew"}, {"result": "ok", "port": 5223}),
    ("/api/appsvr/service/list?area=us", None, {"todo": "result", "ret": "ok", "code": 0}),
    ("/api/basis/dc/get-by-area?area=us", None, {"code": 0}),
    ("/api/iot/devmanager.do", COMMAND, {"ret": "ok", "payloadType": "j"}),
    ("/api/dim/devmanager.do", COMMAND, {"ret": "ok", "payloadType": "j"}),
    ("/api/lg/log.do", {"td": "GetCleanLogs", "did": DUSTY.did}, {"ret": "ok", "logs": []}),
    ("/api/pim/product/getProductIotMap", {}, {"code": 0}),
    ("/api/new-perm/token/sst/issue", SST, {"code": 0}),
    ("/api/neng/message/hasUnreadMsg", {}, {"code": 0}),
    ("/api/homed/home/list", None, {"code": 0, "ret": "ok", "message": "success"}),
    ("/api/homed/member/list", None, {"code": 0, "ret": "ok", "message": "success"}),
    (f"/api/appsvr/device/prop/list?did={DUSTY.did}&props=", None, {"code": 0, "ret": "ok"}),
    ("/api/appsvr/app/config?code=yiko_support_lang", None, {"code": 0, "ret": "ok"}),
    ("/api/appsvr/codepush/checkupdate", None, {"code": 0, "ret": "ok"}),
    ("/app/dln/api/log/clean_result/list", None, {"code": 0, "ret": "ok", "data": []}),
)
#: Those of them that are answered to a POST only (endpoints.csv).
POSTS = (
    "/api/users/user.do",
    "/user.do",
    "/api/appsvr/app.do",
    "/newauth.do",
    "/lookup.do",
    "/api/iot/devmanager.do",
    "/api/dim/devmanager.do",
    "/api/iot/endpoint/control",
    "/api/lg/log.do",
    "/api/new-perm/token/sst/issue",
)


class RouteCase(ClientCase):
    """Somebody has logged in from the device in the paths."""

    def setUp(self) -> None:
        super().setUp()
        path = f"/v1/private/{PREFIX}/user/login"
        data = self.private(self.get(path, account=MAIL, password=MD5))
        self.uid, self.access = data["uid"], data["accessToken"]

    def private_pages(self, **options: Any) -> Iterator[tuple[str, Page]]:
        """The answer of each private route."""
        for version, name in PRIVATE:
            path = f"/{version}/private/{PREFIX}/{name}"
            yield path, self.ask("GET", path, **options)
        path = f"/v1/global/auth/getAuthCode?uid={self.uid}&accessToken={self.fresh()}"
        yield path, self.ask("GET", path, **options)

    def fresh(self) -> str:
        """A token that nobody has given back."""
        path = f"/v1/private/{PREFIX}/user/checkLogin"
        return str(self.get(path, uid=self.uid)["data"]["accessToken"])

    def portal_pages(self, **options: Any) -> Iterator[tuple[str, dict[str, object], Page]]:
        """The answer of each other route, with what should be in it."""
        for path, body, expected in PORTAL:
            method = "GET" if body is None else "POST"
            sent = b"" if body is None else json.dumps(body).encode()
            yield path, expected, self.ask(method, path, sent, [JSON], **options)


class EnvelopeTests(RouteCase):
    """Every route of the sequences is there."""

    def test_private(self) -> None:
        """Each in S1, complete, with the time as it is."""
        for path, page in self.private_pages():
            self.assertEqual(page.status, 200, path)
            self.private(self.json(page))

    def test_time(self) -> None:
        """The time goes on, and a constant answer is no exception."""
        seen = []
        for _ in range(3):
            pages = dict(self.private_pages())
            seen.append({page.json["time"] for page in pages.values()})
            self.house.clock.advance(7)
        start = int(seen[0].pop())
        self.assertEqual(seen, [set(), {start + 7000}, {start + 14_000}])

    def test_portal(self) -> None:
        """Each in its own envelope, as JSON."""
        for path, expected, page in self.portal_pages():
            self.assertEqual((page.status, page.headers["content-type"]), (200, JSON_ANSWER), path)
            found = {name: page.json.get(name) for name in expected}
            self.assertEqual(found, expected, path)

    def test_control(self) -> None:
        """The one that answers with bytes."""
        page = self.ask("POST", f"/api/iot/endpoint/control?{CONTROL}", b"{}")
        self.assertEqual((page.status, page.headers["x-ngiot-ret"]), (200, "ok"))

    def test_hosts(self) -> None:
        """Whatever name a client uses, no answer sends it to anybody else."""
        for host in ("box.lan:8007", "192.168.7.2", "magic.example"):
            pages = [(path, page) for path, page in self.private_pages(host=host)]
            pages += [(path, page) for path, _, page in self.portal_pages(host=host)]
            for path, page in pages:
                allowed = {PAIRING} if "service/list" in path else set()
                self.assertEqual(set(FOREIGN.findall(page.body)), allowed, path)
                for found in re.findall(rb"https?://([^/\"]+)", page.body):
                    self.assertEqual(found, host.encode(), path)

    def test_vendor_host(self) -> None:
        """Who asks by the vendor's name is sent on to that very name."""
        host = "api-app.dc-eu.ww.ecouser.net"
        for path, _, page in self.portal_pages(host=host):
            found = set(FOREIGN.findall(page.body))
            self.assertLessEqual(found, {host.encode(), PAIRING}, path)

    def test_robots_lookup(self) -> None:
        """To the byte: robots do not read it otherwise (http-discovery.md 1)."""
        body = b'{"todo":"FindBest","service":"EcoMsgNew"}'
        page = self.ask("POST", "/lookup.do", body, host="lbo.ecovacs.net:8007")
        self.assertEqual(page.body, b'{"ip":"192.168.7.2","port":5223,"result":"ok"}')
        self.assertEqual(page.headers["content-type"], JSON_ANSWER)

    def test_anything_else_is_looked_up_in_vain(self) -> None:
        """An unknown service is an empty object."""
        for body in (b'{"todo":"FindBest","service":"x"}', b'{"todo":"x"}', b"{}"):
            self.assertEqual(self.json(self.ask("POST", "/lookup.do", body)), {})


class MethodTests(RouteCase):
    """What is asked the wrong way."""

    def test_post_only(self) -> None:
        """405, and which method would have been right."""
        for path in POSTS:
            for method in ("GET", "HEAD", "PUT"):
                page = self.ask(method, path)
                self.assertEqual((page.status, page.headers["allow"]), (405, "POST"), path)

    def test_head(self) -> None:
        """HEAD is GET without the body: its headers are the same."""
        for name in ("common/checkVersion", "common/getAreas", "user/getUserMenuInfo"):
            path = f"/v1/private/{PREFIX}/{name}"
            whole, head = self.ask("GET", path), self.ask("HEAD", path)
            self.assertEqual((head.status, head.body), (200, b""))
            self.assertEqual(head.headers["content-length"], str(len(whole.body)))
            self.assertEqual(head.headers, whole.headers)

    def test_private_by_post(self) -> None:
        """The private API takes GET and POST alike, with all in the query."""
        path = f"/v1/private/{PREFIX}/user/login?account={MAIL}&password={MD5}"
        page = self.ask("POST", path, b"", [JSON])
        self.assertEqual(self.private(self.json(page))["uid"], self.uid)

    def test_unknown(self) -> None:
        """A path that nobody serves is a success of its family, and 404 where there is none."""
        for path in ("/api/nothing", f"/v1/private/{PREFIX}/nothing", "/api/users/user.do/"):
            page = self.ask("GET", path)
            self.assertEqual((page.status, self.json(page).get("data")), (200, None), path)
        for path in ("/nothing", "/api/robots/did1/nothing", "/api/me/"):
            self.assertEqual(self.ask("GET", path).status, 404, path)

    def test_body_of_robots(self) -> None:
        """JSON is JSON whatever its type says (http.md 1.4)."""
        body = json.dumps({"todo": "GetDeviceList"}).encode()
        for kind in ("text/plain", "application/octet-stream", "application/json", ""):
            headers = [("Content-Type", kind)] if kind else []
            page = self.ask("POST", "/api/users/user.do", body, headers)
            self.assertEqual(self.json(page)["result"], "ok", kind)


class AtHomeTests(RouteCase):
    """Compatible mode: what comes along as proof is not looked at (http-auth.md 3)."""

    def test_old_token(self) -> None:
        """A client that never logs in again goes on for ever."""
        self.house.clock.advance(400 * 86_400)
        self.robot.boot()
        self.assertEqual(self.devices(auth(self.uid, "a token of last year", "x")), 1)

    def test_nobody(self) -> None:
        """So does one whose user this server has never heard of."""
        self.assertEqual(self.devices(auth("0123456789abcdef0123", "?", "x")), 1)
        self.assertEqual(self.devices({}), 1)

    def devices(self, proof: object) -> int:
        """How many robots somebody sees, and can ask."""
        answer = self.post("/api/iot/devmanager.do", {**COMMAND, "auth": proof})
        self.assertEqual(answer["ret"], "ok")
        answer = self.post("/api/users/user.do", {"todo": "GetDeviceList", "auth": proof})
        return len(answer["devices"])
