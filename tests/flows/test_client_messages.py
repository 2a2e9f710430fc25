"""The message centre of the app: what happened, and what was read (http-endpoints.md 7.1)."""

from typing import Any

from attrs import evolve

from tests.flows.clients import ClientCase, query, rusty
from tests.flows.owners import OwnersCase, Person
from tests.robots import JsonRobot
from tests.samples import DUSTY, DUSTY_DEVICE, RUSTY
from tests.web.browser import Page

NENG = "/api/neng/"
LOGIN = "/v1/private/de/EN/{device}/global_e/3.15.0/google_play/1/user/login"
#: The keys of a message about a robot, with the kinds of their values.
SHAPE = {
    "id": str,
    "ts": int,
    "did": str,
    "cid": str,
    "name": str,
    "icon": str,
    "eventTypeId": str,
    "title": str,
    "body": str,
    "read": bool,
    "UILogicId": str,
    "type": str,
    "url": str,
}


class MessageCase(ClientCase):
    """Anna and Ben, and Dusty who has things to tell."""

    def setUp(self) -> None:
        super().setUp()
        self.anna, self.ben = self.sign_in("anna"), self.sign_in("ben")

    def sign_in(self, name: str) -> dict[str, str]:
        """Somebody logs in; what goes with his requests."""
        path = LOGIN.format(device=f"phone-of-{name}")
        data = self.get(path, account=f"{name}@example.org", password="x")["data"]
        return {"userid": data["uid"], "token": data["accessToken"]}

    def fault(self, code: int, robot: JsonRobot | None = None) -> None:
        """Dusty is in trouble, and then not any more."""
        for codes in ([code], [0]):
            self.house.clock.advance(1)
            (robot or self.robot).report("onError", {"code": codes})
            self.house.settle()

    def neng(self, path: str, who: dict[str, str] | None = None, **fields: Any) -> Any:
        """The answer of the message centre."""
        return self.post(NENG + path, {"auth": who or self.anna, **fields})

    def messages(self, **fields: Any) -> list[Any]:
        """The data of the newer list."""
        answer = self.neng("v3/message/list", **fields)
        self.assertEqual((answer["code"], answer["message"], answer["ret"]), (0, "success", "ok"))
        found: list[Any] = answer["data"]
        return found

    def codes(self, **fields: Any) -> list[str]:
        """What its messages are about."""
        return [each["eventTypeId"] for each in self.messages(**fields)]


class ListTests(MessageCase):
    """The lists."""

    def test_shape(self) -> None:
        """A message has the fields that apps read, and leads to this box."""
        self.fault(110)
        [message] = self.messages()
        self.assertEqual({name: type(value) for name, value in message.items()}, SHAPE)
        self.assertEqual(message["title"], "No dust bin")
        self.assertEqual((message["did"], message["cid"]), (DUSTY.did, DUSTY.model))
        self.assertEqual(message["ts"], int((self.house.clock.seconds() - 1) * 1000))
        self.assertTrue(message["url"].startswith("http://box.lan:8007/"))
        self.assertEqual((message["type"], message["read"]), ("web", False))

    def test_cleaned(self) -> None:
        """A finished job is a message that says how it went."""
        self.clean()
        self.house.settle()
        [message] = self.messages()
        self.assertEqual(message["title"], "Cleaning finished")
        self.assertIn("12 m² 12 min", message["body"].replace(".", ""))

    def test_name(self) -> None:
        """A robot is called as its owner calls it; an unknown error has a text, too."""
        self.post(
            "/api/users/user.do",
            {"todo": "SetDeviceNick", "did": DUSTY.did, "nick": "Dusty", "auth": self.anna},
        )
        self.fault(987)
        [message] = self.messages()
        self.assertEqual((message["name"], message["eventTypeId"]), ("Dusty", "987"))
        self.assertIn("987", message["title"])

    def test_tabs(self) -> None:
        """The two tabs of the app, and everything."""
        self.fault(110)
        self.clean()
        self.house.settle()
        self.house.clock.advance(1)
        self.robot.report("onEvt", {"code": 1026})
        self.house.settle()
        self.assertEqual(self.codes(code="error"), ["110"])
        self.assertEqual(self.codes(tab="evt"), ["1026", "cleaned"])
        self.assertEqual(self.codes(), ["1026", "cleaned", "110"])

    def test_pages(self) -> None:
        """The older list goes page by page, in several ways."""
        for code in (101, 102, 103):
            self.fault(code)
        answer = self.neng("message/getlist", size=2)
        self.assertEqual((answer["code"], answer["data"]["hasNext"]), (0, True))
        first = answer["data"]["msgs"]
        self.assertEqual([each["eventTypeId"] for each in first], ["103", "102"])
        last = first[-1]
        for way in ({"lastId": last["id"]}, {"before": str(last["ts"])}, {"page": 2}):
            data = self.neng("message/getlist", size=2, **way)["data"]
            self.assertEqual([each["eventTypeId"] for each in data["msgs"]], ["101"], way)
            self.assertIs(data["hasNext"], False)

    def test_latest(self) -> None:
        """The newest of each robot, or of one."""
        rusty(self.house)
        self.fault(101)
        self.fault(102)
        latest = self.neng("v3/message/latest_by_did")["data"]
        self.assertEqual([each["eventTypeId"] for each in latest], ["102"])
        self.assertEqual(self.neng("v3/message/latest_by_did", did=RUSTY.did)["data"], [])
        self.assertEqual(self.codes(did=f"{DUSTY.did},{RUSTY.did}"), ["102", "101"])

    def test_page(self) -> None:
        """The link of a message leads to a page with what it says; other ids lead to nothing."""
        self.clean()
        self.house.settle()
        [message] = self.messages()
        page = self.ask("GET", message["url"].removeprefix("http://box.lan:8007"))
        self.assertEqual(page.headers["content-type"], "text/html; charset=utf-8")
        self.assertIn(message["body"], page.body.decode())
        for wrong in ("", "x", "<b>"):
            page = self.ask("POST", query("/api/pim/eventdetail.html", id=wrong))
            self.assertEqual(page.status, 200)
            self.assertNotIn(b"<b>", page.body)

    def test_page_of_a_stranger(self) -> None:
        """Whoever has the address is not told what the robot is called by its owner."""
        registry = self.house.facts.registry
        self.clean()
        self.successResultOf(registry.update(evolve(registry.device(DUSTY.did), nick="Sparkling")))
        [message] = self.messages()
        self.assertEqual(message["name"], "Sparkling")
        page = self.ask("GET", message["url"].removeprefix("http://box.lan:8007"))
        self.assertNotIn(b"Sparkling", page.body)
        self.assertIn(message["title"].encode(), page.body)

    def test_markup(self) -> None:
        """What a robot says of itself is no markup."""
        spans = [{"type": "<script>", "left": 1, "total": 100}]
        self.robot.report("onLifeSpan", spans)
        self.house.settle()
        [message] = self.messages()
        page = self.ask("GET", message["url"].removeprefix("http://box.lan:8007"))
        self.assertNotIn(b"<script>", page.body)
        self.assertIn(b"&lt;script&gt;", page.body)

    def test_gone(self) -> None:
        """With a robot go its messages."""
        self.fault(110)
        body = {"todo": "DeleteOneDevice", "did": DUSTY.did, "auth": self.anna}
        self.post("/api/users/user.do", body)
        self.assertEqual(self.messages(), [])

    def test_empty(self) -> None:
        """Nothing happened: empty lists of the same shapes."""
        self.assertEqual(self.messages(), [])
        empty = {"code": 0, "data": {"hasNext": False, "msgs": []}}
        for path in ("message/getlist", "message/getShareMsgs"):
            self.assertEqual(self.neng(path), empty)


class ReadTests(MessageCase):
    """Badges, and what puts them out."""

    def unread(self, who: dict[str, str]) -> tuple[bool, bool]:
        """The badges of both families."""
        new = self.neng("message/hasUnreadMsg", who)
        self.assertEqual(set(new["data"]), {"hasUnRead", "shareMsgUnRead"})
        old = self.post("/api/dim/devmanager.do", {"td": "HasUnreadMsg", "auth": who})
        self.assertEqual(old["ret"], "ok")
        return new["data"]["hasUnRead"], old["unRead"]

    def test_read(self) -> None:
        """What one has read, another has not."""
        self.assertEqual(self.unread(self.anna), (False, False))
        self.fault(110)
        self.fault(105)
        self.assertEqual(self.unread(self.anna), (True, True))
        for message in self.messages():
            answer = self.neng("message/read", msgId=message["id"])
            self.assertEqual(answer, {"code": 0, "message": "success"})
        self.assertEqual(self.unread(self.anna), (False, False))
        self.assertEqual({each["read"] for each in self.messages()}, {True})
        self.assertEqual(self.unread(self.ben), (True, True))

    def test_ways(self) -> None:
        """Nobody knows how the app says which; it may say it in any way."""
        self.fault(110)
        [id_] = [each["id"] for each in self.messages()]
        ways: list[dict[str, Any]] = [
            {"ids": [id_]},
            {"ids": f"x,{id_}"},
            {"msgIds": f'["{id_}"]'},
            {"ids": [{"id": id_}]},
            {"did": DUSTY.did},
            {},
        ]
        for number, way in enumerate(ways):
            who = self.sign_in(f"reader{number}")
            self.neng("message/read", who, **way)
            self.assertEqual(self.unread(who), (False, False), way)

    def test_query(self) -> None:
        """A GET says it in the query."""
        self.fault(110)
        [id_] = [each["id"] for each in self.messages()]
        path = query(NENG + "message/read", id=id_)
        page: Page = self.ask("GET", path, headers=tuple(self.anna.items()))
        self.assertEqual(page.json["code"], 0)
        self.assertEqual(self.unread(self.anna), (False, False))

    def test_nonsense(self) -> None:
        """What is no id marks nothing, and breaks nothing."""
        self.fault(110)
        nonsense: tuple[Any, ...] = (["none"], [[]], {"a": 1}, "[", 7, ["x"] * 501)
        for wrong in nonsense:
            self.neng("message/read", ids=wrong)
        self.assertEqual(self.unread(self.anna), (True, True))

    def test_old_centre(self) -> None:
        """The oldest list, of which nobody knows the entries, is empty; so is its badge."""
        self.fault(110)
        path = LOGIN.format(device="phone-of-anna").replace("user/login", "message/")
        self.assertEqual(self.get(path + "hasUnreadMsg")["data"], "N")
        data = self.get(path + "getMsgList")["data"]
        self.assertEqual(data, {"hasNextPage": 0, "items": []})


class SwitchTests(MessageCase):
    """What somebody wants to be told of."""

    def switches(self, who: dict[str, str]) -> Any:
        """The switches of a user."""
        answer = self.neng("v3/message/pushStatus", who)
        self.assertEqual((answer["code"], answer["message"]), (0, "success"))
        self.assertNotIn("ret", answer)
        return answer["data"]

    def test_robot(self) -> None:
        """A robot is switched off for one user."""
        answer = self.neng("v2/message/push", did=DUSTY.did, push=False)
        self.assertEqual(answer, {"code": 0, "message": "", "ret": "ok", "data": "success"})
        robot = {"did": DUSTY.did, "msgPushStatus": False, "nickName": DUSTY_DEVICE.nick}
        self.assertEqual(self.switches(self.anna)["devices"], [robot])
        self.assertTrue(self.switches(self.ben)["devices"][0]["msgPushStatus"])
        self.neng("v2/message/push", did=DUSTY.did, status="Y")
        self.assertTrue(self.switches(self.anna)["devices"][0]["msgPushStatus"])

    def test_groups(self) -> None:
        """Groups are switched one by one or together."""
        self.neng("v2/message/push", type="SHARE", enable=0)
        groups = self.switches(self.anna)["msgPushStatus"]
        self.assertEqual(groups, {"DEVICE": True, "SHARE": False})
        self.neng("v2/message/push", msgPushStatus={"DEVICE": False, "SHARE": True})
        groups = self.switches(self.anna)["msgPushStatus"]
        self.assertEqual(groups, {"DEVICE": False, "SHARE": True})

    def test_nonsense(self) -> None:
        """Whatever is no switch switches nothing."""
        nonsense: tuple[dict[str, Any], ...] = (
            {"did": "nobody", "push": "N"},
            {"did": DUSTY.did},
            {"push": "perhaps"},
        )
        for wrong in nonsense:
            self.assertEqual(self.neng("v2/message/push", **wrong)["ret"], "ok")
        self.assertEqual(self.switches(self.anna), self.switches(self.anna))
        self.assertTrue(self.switches(self.anna)["devices"][0]["msgPushStatus"])


class InvitationTests(MessageCase):
    """Somebody wants to share a robot."""

    def test_invitation(self) -> None:
        """The one who is invited hears of it, and nobody else; until it is taken back."""
        ownership = self.house.facts.belongings.ownership
        ben, anna = self.ben["userid"], self.anna["userid"]
        share = self.successResultOf(ownership.invite(DUSTY.did, anna, ben))
        for who, count in ((self.ben, 1), (self.anna, 0)):
            badge = self.neng("v3/shareMsg/hasUnreadMsg", who)
            self.assertEqual(badge["data"], {"count": count, "unRead": count > 0})
            unread = self.neng("message/hasUnreadMsg", who)["data"]["shareMsgUnRead"]
            self.assertIs(unread, count > 0)
        [message] = self.neng("message/getShareMsgs", self.ben)["data"]["msgs"]
        self.assertEqual(message["id"], share.id)
        self.assertEqual((message["did"], message["mid"]), (DUSTY.did, DUSTY.model))
        self.assertEqual((message["action"], message["shareStatus"]), ("shareDevice", "sharing"))
        self.assertIs(message["isRead"], False)
        self.assertEqual(message["resource"], DUSTY.resource)
        self.neng("message/read", self.ben, id=share.id)
        [message] = self.neng("message/getShareMsgs", self.ben)["data"]["msgs"]
        self.assertIs(message["isRead"], True)
        self.successResultOf(ownership.end(DUSTY.did, ben))
        self.assertEqual(self.neng("message/getShareMsgs", self.ben)["data"]["msgs"], [])


class StrangerTests(OwnersCase):
    """In a house of owners."""

    def neng(self, path: str, who: Person, **fields: Any) -> Any:
        """The answer of the message centre."""
        return self.ask("POST", NENG + path, {"auth": who.auth, **fields}).json

    def test_stranger(self) -> None:
        """Whoever may not use a robot hears nothing of it; once he may, he does."""
        self.dusty.report("onError", {"code": [110]})
        self.dusty.report("onLifeSpan", [{"type": "brush", "left": 50, "total": 100}])
        self.house.settle()
        [message] = self.neng("v3/message/list", self.anna)["data"]
        for fields in ({}, {"did": DUSTY.did}, {"lastId": "x", "did": [DUSTY.did]}):
            for path in ("v3/message/list", "v3/message/latest_by_did"):
                self.assertEqual(self.neng(path, self.ben, **fields)["data"], [])
            self.assertEqual(self.neng("message/getlist", self.ben, **fields)["data"]["msgs"], [])
        badge = {"hasUnRead": False, "shareMsgUnRead": False}
        self.assertEqual(self.neng("message/hasUnreadMsg", self.ben)["data"], badge)
        self.neng("v2/message/push", self.ben, did=DUSTY.did, push="N")
        self.neng("message/read", self.ben, ids=[message["id"]])
        self.assertEqual(self.neng("v3/message/pushStatus", self.ben)["data"]["devices"], [])
        body = {"auth": self.ben.auth, "did": DUSTY.did}
        parts = self.ask("POST", "/api/pim/consumable/getPurchaseUrl", body).json["data"]
        self.assertEqual({part["hasLifeSpan"] for part in parts}, {0})
        self.successResultOf(self.ownership.invite(DUSTY.did, self.anna.uid, self.ben.uid))
        self.successResultOf(self.ownership.accept(DUSTY.did, self.ben.uid))
        [seen] = self.neng("v3/message/list", self.ben)["data"]
        self.assertEqual((seen["id"], seen["read"]), (message["id"], False))
        [switch] = self.neng("v3/message/pushStatus", self.ben)["data"]["devices"]
        self.assertIs(switch["msgPushStatus"], True)
