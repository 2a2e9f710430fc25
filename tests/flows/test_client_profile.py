"""What the app shows and keeps of its user: profile, settings, agreements, small things."""

import json
from pathlib import Path
from typing import Any

from bumper_tw.app.settings import IdentitySettings, Settings, StorageSettings
from tests.flows.clients import ClientCase
from tests.flows.house import House
from tests.samples import DUSTY

PREFIX = "/v{version}/private/de/EN/{device}/global_e/3.15.0/google_play/1"
DATA = "/api/rapp/sds/user/data/"


class ProfileCase(ClientCase):
    """Anna and Ben, each with a phone."""

    def setUp(self) -> None:
        super().setUp()
        self.anna, self.ben = self.sign_in("anna"), self.sign_in("ben")

    def sign_in(self, name: str) -> dict[str, str]:
        """Somebody logs in; what goes with his requests."""
        data = self.app(name, "user/login", account=f"{name}@example.org", password="x")
        return {"userid": data["uid"], "token": data["accessToken"]}

    def app(self, name: str, rest: str, version: int = 1, **fields: object) -> Any:
        """The data of a question to the private API, from the phone of somebody."""
        path = PREFIX.format(version=version, device=f"phone-of-{name}")
        return self.private(self.get(f"{path}/{rest}", **fields))


class ProfileTests(ProfileCase):
    """What users say of themselves."""

    def bearer(self, name: str) -> tuple[str, str]:
        """A token for our own API."""
        body = {"account": f"{name}@example.org", "password": "x"}
        return "Authorization", f"Bearer {self.post('/api/login', body)['token']}"

    def me(self, bearer: tuple[str, str], **said: object) -> Any:
        """What our API says after a change."""
        if not said:
            return self.get("/api/me", bearer)
        return self.json(self.ask("PUT", "/api/me", json.dumps(said).encode(), [bearer]))

    def test_change(self) -> None:
        """Our API changes what the app shows; nobody else's."""
        anna = self.bearer("anna")
        shown = self.me(anna)
        self.assertEqual(
            shown,
            {
                "uid": self.anna["userid"],
                "account": "anna@example.org",
                "email": "anna@example.org",
                "nickname": "",
                "country": "DE",
                "language": "EN",
            },
        )
        changed = self.me(anna, nickname="Änni", country="at", language="de")
        self.assertEqual(changed, {**shown, "nickname": "Änni", "country": "AT", "language": "de"})
        self.assertEqual(self.me(anna), changed)
        self.assertEqual(self.me(self.bearer("ben"))["nickname"], "")
        for name, nickname in (("anna", "Änni"), ("ben", "")):
            data = self.app(name, "user/getUserAccountInfo")
            self.assertEqual(data["nickname"], nickname)
            self.assertEqual(self.app(name, "user/getMemberInfo")["nickName"], nickname)
        shop = self.app("anna", "common/getUserConfig")["saTraceConfig"]
        self.assertEqual(shop["saUserId"], self.anna["userid"])

    def test_refused(self) -> None:
        """Without a token, and with nonsense."""
        self.assertEqual(self.ask("GET", "/api/me").status, 401)
        for wrong in (b"[]", b"{", b'{"country":"xx"}', b'{"nickname":7}'):
            page = self.ask("PUT", "/api/me", wrong, [self.bearer("anna")])
            self.assertEqual(page.status, 400, wrong)

    def test_area(self) -> None:
        """Moving to another country; nobody has to log in again."""
        moved = {"isNeedReLogin": "N"}
        self.assertEqual(self.app("anna", "user/queryChangeArea", area="fr"), moved)
        self.assertEqual(self.app("anna", "user/changeArea", countryCode="fr"), moved)
        self.assertEqual(self.app("anna", "user/changeArea", area="nowhere"), moved)
        self.assertEqual(self.me(self.bearer("anna"))["country"], "FR")
        self.assertEqual(self.me(self.bearer("ben"))["country"], "DE")


class SettingTests(ProfileCase):
    """Switches."""

    def suggestions(self, name: str) -> dict[str, str]:
        """What may be suggested to somebody."""
        data = self.app(name, "userSetting/getSuggestionSetting")
        self.assertEqual(set(data), {"acceptSuggestion", "itemList", "userPersonalization"})
        items = [*data["itemList"], data["userPersonalization"]]
        return {each["settingKey"]: each["val"] for each in items}

    def received(self, name: str, version: int = 1) -> dict[str, str]:
        """What somebody is told of."""
        data = self.app(name, "userSetting/getMsgReceiveSetting", version)
        return {each["settingType"]: each["openOrClose"] for each in data["list"]}

    def test_defaults(self) -> None:
        """Nothing is suggested, and everything is received (http-endpoints-app.md 2.6)."""
        names = [
            "ACTIVITY",
            "APP_RECOMMEND",
            "MARKETING",
            "QUESTIONNAIRE",
            "INTRODUCTION",
            "EMAIL",
        ]
        found = self.suggestions("anna")
        self.assertEqual(list(found), [*names, "PERSONALIZATIONIZATION_ADVERTISING"])
        self.assertEqual(set(found.values()), {"N"})
        for version in (1, 2):
            self.assertEqual(set(self.received("anna", version).values()), {"Y"})

    def test_save(self) -> None:
        """Both lists are changed in one way, for one user."""
        save = "userSetting/saveUserSetting"
        self.assertIsNone(self.app("anna", save, settingKey="ACTIVITY", val="Y"))
        self.app("anna", save, settingKey="PERSONALIZATIONIZATION_ADVERTISING", value="true")
        self.app("anna", save, settingType="CUSTOMER_SERVICE", openOrClose="N")
        self.assertEqual(self.suggestions("anna")["ACTIVITY"], "Y")
        self.assertEqual(self.suggestions("anna")["PERSONALIZATIONIZATION_ADVERTISING"], "Y")
        expected = {"ACTIVITY": "Y", "SERVICE_NOTIFICATION": "Y", "CUSTOMER_SERVICE": "N"}
        self.assertEqual(self.received("anna", 2), expected)
        self.assertEqual(self.suggestions("ben")["ACTIVITY"], "N")
        self.assertEqual(self.received("ben")["CUSTOMER_SERVICE"], "Y")

    def test_too_much(self) -> None:
        """Other settings are kept, up to an end."""
        path = PREFIX.format(version=1, device="phone-of-anna") + "/userSetting/saveUserSetting"
        answers = [self.get(path, settingKey=f"S{n}", val="1")["code"] for n in range(60)]
        self.assertEqual(set(answers), {"0000", "0001"})


class AgreementTests(ProfileCase):
    """Consent."""

    def test_accepted(self) -> None:
        """Everybody has accepted the newest ones from the first day."""
        lists = self.app("anna", "agreement/getUserAcceptInfo")
        ids = [each["id"] for each in lists["newestList"]]
        self.assertEqual([each["id"] for each in lists["acceptList"]], ids)
        self.assertEqual(len(ids), 2)
        for version in (1, 2):
            batch = self.app("anna", "user/checkAgreementBatch", version)
            self.assertEqual([each["id"] for each in batch], ids)
            for each in batch:
                self.assertEqual((each["force"], type(each["acceptTime"])), ("N", int))
                self.assertTrue(each["url"].startswith("http://box.lan:8007/content/agreement?"))
        newest = self.app("anna", "common/getAgreementURLBatch")
        self.assertEqual([each["id"] for each in newest], ids)
        self.assertEqual({(each["acceptTime"], each["force"]) for each in newest}, {(None, None)})

    def test_nobody(self) -> None:
        """So has whoever has not logged in yet."""
        batch = self.app("nobody", "user/checkAgreementBatch")
        self.assertEqual({type(each["acceptTime"]) for each in batch}, {int})

    def test_old(self) -> None:
        """The oldest apps get a shorter list, or none."""
        old = self.app("anna", "user/checkAgreement")
        self.assertEqual(len(old), 2)
        self.assertNotIn("updateDesc", old[0])
        path = PREFIX.format(version=1, device="x").replace("global_e", "i_eco_e")
        self.assertEqual(self.private(self.get(path + "/user/checkAgreement")), [])

    def test_accept(self) -> None:
        """When somebody accepts himself, that is remembered."""
        first, second = self.app("anna", "user/checkAgreementBatch")
        self.house.clock.advance(60)
        now = int(self.house.clock.seconds() * 1000)
        self.assertIsNone(self.app("anna", "user/acceptAgreementBatch", ids=second["id"]))
        times = [each["acceptTime"] for each in self.app("anna", "user/checkAgreementBatch")]
        self.assertEqual(times, [first["acceptTime"], now])
        answer = self.post("/api/content/agreement", {"auth": self.anna})
        self.assertIsNone(self.private(answer))
        times = [each["acceptTime"] for each in self.app("anna", "user/checkAgreementBatch")]
        self.assertEqual(times, [now, now])
        times = [each["acceptTime"] for each in self.app("ben", "user/checkAgreementBatch")]
        self.assertNotIn(now, times)


class SmallThingTests(ProfileCase):
    """Keys and values (http-endpoints.md 6.1)."""

    def data(self, rest: str, who: dict[str, str], **fields: object) -> Any:
        """The answer to something below that path."""
        answer = self.post(DATA + rest, {"auth": who, **fields})
        self.assertEqual((answer["code"], answer["message"]), (0, "success"))
        return answer.get("data")

    def test_home(self) -> None:
        """Where nothing is kept there is the name of the home."""
        expected = {"data": {"name": "My Home"}, "tag": None}
        self.assertEqual(self.data("map/get", self.anna), expected)
        self.assertEqual(self.data("list", self.anna), [])

    def test_keep(self) -> None:
        """What was written comes back, to the same user; what was deleted does not."""
        value = {"rooms": [{"name": "Küche"}, None, 1.5]}
        for verb in ("map/set", "save"):
            self.assertIsNone(self.data(verb, self.anna, key=verb, data=value))
            self.assertEqual(self.data("map/get", self.anna, key=verb)["data"], value)
        found = self.data("list", self.anna)
        now = int(self.house.clock.seconds() * 1000)
        self.assertEqual([each["key"] for each in found], ["map/set", "save"])
        expected = {"key": "save", "data": value, "createTime": now, "updateTime": now}
        self.assertEqual(found[1], expected)
        self.assertEqual(self.data("list", self.ben), [])
        self.data("del", self.anna, key="save")
        self.assertEqual(len(self.data("list", self.anna)), 1)

    def test_nonsense(self) -> None:
        """What is too much is refused; what is nothing does nothing."""
        self.data("map/set", self.anna, key="x")
        self.data("map/set", self.anna, data="x")
        self.data("del", self.anna)
        for wrong in ("x" * 5000, json.loads("[" * 40 + "]" * 40)):
            answer = self.post(DATA + "set", {"auth": self.anna, "key": "x", "data": wrong})
            self.assertEqual((answer["code"], answer["ret"]), (1, "fail"))
        self.assertEqual(self.data("list", self.anna), [])


class ConsumableTests(ProfileCase):
    """What wears off (http-endpoints.md 9.4)."""

    def parts(self, **fields: object) -> dict[str, Any]:
        """The parts by their types."""
        answer = self.post("/api/pim/consumable/getPurchaseUrl", {"auth": self.anna, **fields})
        self.assertEqual((answer["code"], answer["msg"], answer["ret"]), (0, "success", "ok"))
        return {each["type"]: each for each in answer["data"]}

    def test_parts(self) -> None:
        """Seven kinds, each with what to do; nothing leads to a shop."""
        parts = self.parts()
        self.assertEqual(len(parts), 7)
        for part in parts.values():
            self.assertEqual((part["url"], part["hasLifeSpan"]), ("", 0))
            self.assertTrue(part["icon"].startswith("http://box.lan:8007/"))
            self.assertEqual(part["desc"]["images"], [part["icon"]])

    def test_left(self) -> None:
        """Of a robot that has said so, how much is left."""
        spans = [
            {"type": "brush", "left": 7200, "total": 18000},
            {"type": "heap", "left": 4, "total": 100},
        ]
        self.robot.report("onLifeSpan", spans)
        self.house.settle()
        parts = self.parts(did=DUSTY.did)
        self.assertEqual([part["hasLifeSpan"] for part in parts.values()], [0, 1, 1, 0, 0, 0, 0])
        self.assertTrue(parts["brush"]["desc"]["content"].startswith("40 % left."))
        self.assertEqual(self.parts(did="nobody"), self.parts())
        [message] = self.post("/api/neng/v3/message/list", {"auth": self.anna})["data"]
        self.assertEqual(message["title"], "Filter nearly worn")


class PictureTests(ProfileCase):
    """Pictures of jobs, in a house that has a data directory."""

    def setUp(self) -> None:
        super().setUp()
        data = Path(self.mktemp())
        data.mkdir()
        self.house = House(Settings(storage=StorageSettings(directory=data)))
        self.robot = self.house.robot()
        self.anna = self.sign_in("anna")

    def image(self, name: str) -> Any:
        """The address of the picture, after a job of that picture."""
        end = {"cid": "9", "stop": 1, "start": "1767225600", "type": "auto", "imageUrl": name}
        self.robot.report("reportStats", end)
        self.house.settle()
        body = {"td": "GetCleanLogs", "did": DUSTY.did, "auth": self.anna}
        [log] = self.post("/api/lg/log.do", body)["logs"]
        return log["imageUrl"]

    def test_picture(self) -> None:
        """A picture that the robot has sent is shown, to whoever gets the log."""
        body = b"\x89PNG\r\n\x1a\n picture"
        path = f"/data_collect/upload/m1.png?did={DUSTY.did}"
        self.assertEqual(self.ask("POST", path, body).status, 200)
        url = self.image("https://vendor.example/a/m1.png?sign=1")
        self.assertTrue(url.startswith("http://box.lan:8007/api/files/"), url)
        page = self.ask("GET", url.removeprefix("http://box.lan:8007"))
        self.assertEqual((page.headers["content-type"], page.body), ("image/png", body))

    def test_missing(self) -> None:
        """A picture that is not here is none; the vendor's address never goes out."""
        for name in ("https://vendor.example/a/b/c.png?x=1", "../../x", "", 7, None):
            self.assertIsNone(self.image(str(name)))


class StrictProfileTests(ClientCase):
    """In a house that knows its people, nobody is somebody by his word."""

    def setUp(self) -> None:
        super().setUp()
        self.house = House(Settings(identity=IdentitySettings(policy="strict")))
        self.robot = self.house.robot()

    def test_nobody(self) -> None:
        """Without a token what is set is refused, and what is read is nobody's."""
        path = PREFIX.format(version=1, device="x")
        for rest in ("user/changeArea", "userSetting/saveUserSetting", "user/getUserAccountInfo"):
            self.refused(self.get(f"{path}/{rest}"), "0004")
        self.refused(self.post("/api/content/agreement", {}), "0004")
        self.private(self.get(f"{path}/userSetting/getSuggestionSetting"))
        self.private(self.get(f"{path}/user/checkAgreementBatch"))

    def test_portal(self) -> None:
        """The message centre and the small things are for whoever is logged in."""
        for path in (DATA + "list", DATA + "map/set", "/api/neng/v3/message/list"):
            answer = self.post(
                path, {"auth": {"userid": "x", "token": "y"}, "key": "a", "data": 1}
            )
            self.assertEqual((answer["code"], answer["ret"]), (1004, "fail"))
