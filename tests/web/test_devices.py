"""Device lists, nicknames and properties."""

import json
from typing import Any

from attrs import evolve

from bumper_tw.dialect import models
from bumper_tw.readings import Battery, Charge, Position, Report
from bumper_tw.values import Company, Device, DeviceId, PayloadKind
from bumper_tw.web.devices import MAX_NICK, MAX_WAYS, Entries, Way, tidy
from tests.web.browser import Page
from tests.web.world import NOW, OLDIE, ScriptedRobot, WorldCase


class DeviceCase(WorldCase):
    """One robot connected, one of an unknown class away."""

    def setUp(self) -> None:
        super().setUp()
        self.world.robot()
        self.strange = evolve(OLDIE, id=DeviceId("did3", "zzzzzz", "res3"))
        self.world.robot(self.strange)
        del self.world.registry._links["did3"]

    def user(self, todo: str, **more: object) -> Page:
        """The answer of C{user.do}."""
        return self.browser.post("/user.do", {"todo": todo, **more})

    def app(self, todo: str, **more: object) -> Page:
        """The answer of C{app.do}."""
        return self.browser.post("/api/appsvr/app.do", {"todo": todo, **more})

    def listed(self, **options: Any) -> list[dict[str, Any]]:
        """The robots in the global list."""
        body = {"todo": "GetGlobalDeviceList"}
        page = self.browser.post("/api/appsvr/app.do", body, **options)
        devices: list[dict[str, Any]] = page.json["devices"]
        return devices


class ListTests(DeviceCase):
    """What is in a list."""

    def test_known_class(self) -> None:
        """Every field that some client reads, of the right kind."""
        [dusty, _] = self.listed()
        bound = dusty.pop("bindTs")
        self.assertEqual((type(bound), bound), (int, int(NOW * 1000)))
        self.assertEqual(
            dusty,
            {
                "class": "yna5xi",
                "company": "eco-ng",
                "did": "did1",
                "name": "E0001234567890",
                "nick": "",
                "resource": "res1",
                "pid": "5c19a91ca1e6ee000178224a",
                "materialNo": "110-1820-0101",
                "deviceName": "DEEBOT OZMO 950 Series",
                "model": "DX9G",
                "UILogicId": "DX_9G",
                "ota": True,
                "icon": "http://box.lan:8007/api/pim/file/get/606278df4a84d700082b39f1",
                "product_category": "DEEBOT",
                "scode": {
                    "battery": True,
                    "tmallstand": True,
                    "video": True,
                    "clean": True,
                    "charge": True,
                    "chargestate": True,
                },
                "status": 1,
                "otaUpgrade": {},
                "updateInfo": {"changeLog": "", "needUpdate": False},
                "shareable": True,
                "sharedDevice": False,
                "homeId": "first home",
                "homeSort": 1,
                "offmap": True,
                "service": {"jmq": "box.lan", "mqs": "box.lan"},
            },
        )

    def test_unknown_class(self) -> None:
        """It is listed, too, with what every client needs."""
        [_, strange] = self.listed()
        self.assertEqual((strange["deviceName"], strange["UILogicId"]), ("zzzzzz", ""))
        self.assertEqual((strange["status"], strange["shareable"]), (0, False))

    def test_envelopes(self) -> None:
        """The same robots in both lists, each in its own wrapping."""
        app, user = self.app("GetGlobalDeviceList").json, self.user("GetDeviceList").json
        self.assertEqual(app.pop("devices"), user.pop("devices"))
        self.assertEqual(app, {"todo": "result", "ret": "ok", "code": 0})
        self.assertEqual(user, {"result": "ok", "todo": "result"})

    def test_follows_changes(self) -> None:
        """What is kept between two lists never outlives a change."""
        self.assertEqual([robot["status"] for robot in self.listed()], [1, 0])
        self.world.robot(self.strange)
        self.user("SetDeviceNick", did="did1", nick="Dusty")
        self.assertEqual([robot["status"] for robot in self.listed()], [1, 1])
        self.assertEqual(self.listed()[0]["nick"], "Dusty")
        self.user("DeleteOneDevice", did="did1")
        self.assertEqual([robot["did"] for robot in self.listed()], ["did3"])

    def test_made_once(self) -> None:
        """An entry is serialised again only when its robot has changed."""
        entries, way = Entries(self.world.fleet), Way("anna", ("home",), "box", "http://box")
        entries.list(way)
        before = dict(entries._made[way])
        self.world.robot(self.strange)
        entries.list(way)
        after = entries._made[way]
        self.assertIs(after["did1"], before["did1"])
        self.assertIsNot(after["did3"], before["did3"])

    def test_homes(self) -> None:
        """A robot is in the first home of whoever asks, unless he has put it into another."""
        self.world.registry.update(evolve(self.world.registry.device("did1"), home="attic"))
        for homes, places in (
            (("mine", "attic"), ["attic", "mine"]),
            (("other",), ["other", "other"]),
            ((), ["", ""]),
        ):
            way = Way("anna", homes, "box", "http://box")
            listed = json.loads(Entries(self.world.fleet).list(way))
            self.assertEqual([robot["homeId"] for robot in listed], places)

    def test_shared(self) -> None:
        """Who uses somebody else's robot is told so, as long as he does."""
        ownership, entries = self.world.fleet.ownership, Entries(self.world.fleet)
        way = Way("ben", (), "box", "http://box")
        for happens, shared in (
            (lambda: ownership.give("did1", "anna"), False),
            (lambda: ownership.invite("did1", "anna", "ben"), False),
            (lambda: ownership.accept("did1", "ben"), True),
            (lambda: ownership.end("did1", "ben"), False),
        ):
            happens()
            self.assertIs(json.loads(entries.list(way))[0]["sharedDevice"], shared)

    def test_names_of_this_box(self) -> None:
        """Each client hears the name that it used; odd ones do not fill the memory."""
        for number in range(MAX_WAYS * 3):
            [dusty, _] = self.listed(host=f"box{number}.lan")
            self.assertEqual(dusty["service"]["jmq"], f"box{number}.lan")

    def test_closed(self) -> None:
        """Without a token that opens the portal there is no list."""
        self.world.closed = True
        self.assertEqual(self.app("GetGlobalDeviceList").json["ret"], "fail")


class FirstGenerationTests(WorldCase):
    """Robots that speak XMPP, as the list describes them (xmpp.md 2)."""

    def listed(self, class_id: str, online: bool = True) -> dict[str, Any]:
        """The entry of the one robot there is, of this class."""
        who = DeviceId("E0009876500123450001", class_id, "atom")
        device = Device(who, who.did, models.company(class_id), models.payload_kind(class_id))
        detach = self.world.registry.attach(device, ScriptedRobot(self.world.commands, {}))
        if not online:
            detach()
        page = self.browser.post("/user.do", {"todo": "GetDeviceList"})
        [found] = page.json["devices"]
        return dict(found)

    def test_known_class(self) -> None:
        """Every field; the serial number is its address and its name."""
        found = self.listed("126")
        self.assertEqual((type(found["bindTs"]), found.pop("bindTs")), (int, int(NOW * 1000)))
        self.assertEqual(
            found,
            {
                "class": "126",
                "company": "eco-legacy",
                "did": "E0009876500123450001",
                "name": "E0009876500123450001",
                "nick": "",
                "resource": "atom",
                "pid": "5ca32ab212851900016858c7",
                "materialNo": "702-0000-0136",
                "deviceName": "DEEBOT N79",
                "model": "N79",
                "UILogicId": "ECO_INTL_126",
                "ota": True,
                "icon": "http://box.lan:8007/api/pim/file/get/5ca32ab2e9e9270001354b3d",
                "product_category": "DEEBOT",
                "scode": {
                    "battery": True,
                    "tmallstand": False,
                    "video": False,
                    "clean": True,
                    "charge": True,
                    "chargestate": True,
                },
                "status": 1,
                "otaUpgrade": {},
                "updateInfo": {"changeLog": "", "needUpdate": False},
                "shareable": False,
                "sharedDevice": False,
                "homeId": "first home",
                "homeSort": 1,
                "offmap": True,
                "service": {"jmq": "box.lan", "mqs": "box.lan"},
            },
        )

    def test_every_class(self) -> None:
        """The catalogue has a name, a picture and screens for each class that clients know."""
        known = [each for each in models.all_models() if each.company is Company.XMPP]
        ids = {each.class_id for each in known}
        self.assertLessEqual({"115", "123", "126", "130", "155", "159", "165"}, ids)
        for each in known:
            self.assertIs(each.kind, PayloadKind.XML, each)
            found = self.listed(each.class_id)
            self.assertEqual(found["company"], "eco-legacy", each)
            for name in ("deviceName", "icon", "UILogicId", "model", "materialNo", "pid"):
                self.assertNotEqual(found[name], "", (each, name))
            path = found["icon"].removeprefix("http://box.lan:8007")
            self.assertEqual(self.browser.get(path).status, 200)

    def test_unknown_class(self) -> None:
        """Three digits say which protocol it is; the list has what every client needs."""
        found = self.listed("101")
        self.assertEqual((found["company"], found["resource"]), ("eco-legacy", "atom"))
        self.assertEqual((found["deviceName"], found["UILogicId"]), ("101", ""))

    def test_away(self) -> None:
        """Without a connection it is listed as away."""
        self.assertEqual(self.listed("159", online=False)["status"], 0)


class NickTests(DeviceCase):
    """Naming and forgetting robots."""

    def test_named(self) -> None:
        """Both todos name a robot, and the name is kept."""
        for todo, nick in (("SetDeviceNick", "Dusty"), ("AddOneDevice", "Rusty")):
            page = self.user(todo, did="did1", nick=nick)
            self.assertEqual(
                page.json, {"todo": "result", "result": "ok", "data": None, "code": 0}
            )
            self.assertEqual(self.world.registry.device("did1").nick, nick)

    def test_unknown(self) -> None:
        """An unknown robot is not made up (http.md 5, trap 14)."""
        self.assertEqual(self.user("SetDeviceNick", did="ghost", nick="x").json["result"], "ok")
        self.assertEqual(self.user("DeleteOneDevice", did="ghost").json["result"], "ok")
        self.assertEqual(len(self.world.registry.devices()), 2)

    def test_bad(self) -> None:
        """A missing or strange did or nick is an error."""
        for more in ({}, {"did": 7}, {"did": "did1", "nick": []}):
            self.assertIn("fail", self.user("SetDeviceNick", **more).body.decode())

    def test_tidy(self) -> None:
        """A nickname can be shown in one line."""
        self.assertEqual(tidy(" Dusty\r\n\x1b[31m "), "Dusty[31m")
        self.assertEqual(len(tidy("ü" * 1000)), MAX_NICK)


class AppTests(DeviceCase):
    """The other things that C{app.do} does."""

    def test_codepush(self) -> None:
        """No screens."""
        self.assertEqual(self.app("GetCodepush").json["data"]["url"], "")

    def test_videos(self) -> None:
        """No film is known; C{keys} must be a list."""
        self.assertEqual(self.app("GetAppVideoUrl", keys=["a"]).json["data"], {})
        self.assertEqual(self.app("GetAppVideoUrl", keys="a").json["errno"], 2004)

    def test_protocols(self) -> None:
        """The linked pages are there."""
        data = self.app("GetDeviceProtocolV2").json["data"]
        for agreement in data.values():
            self.assertFalse(agreement["hasNewProtocol"])
            path = agreement["protocolUrl"].removeprefix("http://box.lan:8007")
            self.assertEqual(self.browser.get(path).status, 200)

    def test_unknown(self) -> None:
        """Anything else is E5."""
        for todo in ("GetShareDeviceList", "DecodeQrCode", "", "__class__"):
            self.assertEqual(
                self.app(todo).json,
                {"todo": "result", "ret": "fail", "err": 2004, "errno": 2004, "code": 2004},
            )

    def test_blacklist(self) -> None:
        """Nobody is banned."""
        self.assertEqual(self.browser.get("/api/appsvr/device/blacklist/check").json["data"], [])


class PropertyTests(DeviceCase):
    """What a robot said last, in its own words."""

    def test_reported(self) -> None:
        """Known properties under the names they were asked by; the others are left out."""
        for reading in (Battery(100), Charge(True, "slot"), Position()):
            self.world.telemetry.record(Report("did1", reading, NOW - 5))
        page = self.browser.get(
            "/api/appsvr/device/prop/list?did=did1&props=OfflineReason,onBattery,getChargeState"
        )
        data = page.json["data"]
        self.assertEqual((data["did"], data["ts"]), ("did1", int(NOW * 1000)))
        self.assertEqual([prop["key"] for prop in data["props"]], ["onBattery", "getChargeState"])
        battery = data["props"][0]
        self.assertEqual(
            json.loads(battery["value"]), {"body": {"data": {"value": 100, "isLow": 0}}}
        )
        self.assertEqual(battery["ts"], "2026-11-18T11:06:35.250Z")

    def test_nothing(self) -> None:
        """A robot that said nothing, or nobody asked about, has no properties."""
        for query in ("did=did1&props=onBattery", "did=ghost&props=onBattery", ""):
            page = self.browser.get(f"/api/appsvr/device/prop/list?{query}")
            self.assertEqual(page.json["data"]["props"], [])
