"""Commands to robots over the vendor's API."""

from attrs import evolve

from bumper_tw.values import DeviceId, PayloadKind
from tests.web.browser import Page, request
from tests.web.world import DUSTY, OLDIE, WorldCase

BATTERY = b'{"header":{"fwVer":"1.8.2"},"body":{"code":0,"data":{"value":77}}}'
CONTROL = "/api/iot/endpoint/control?ct=q&eid=did1&et=yna5xi&er=res1&apn=getBattery&fmt=j"
SUPPORTED = "requested bot is not supported"


class ControlTests(WorldCase):
    """C{devmanager.do}, of both services."""

    def ask(self, name: str = "getBattery", service: str = "iot", **more: object) -> Page:
        """The answer to a command for did1."""
        body = {"cmdName": name, "payload": {}, "td": "q", "toId": "did1", **more}
        return self.browser.post(f"/api/{service}/devmanager.do?td=q", body)

    def test_answered(self) -> None:
        """The robot's answer comes back as it was, under the id it was asked by."""
        robot = self.world.robot(getBattery=BATTERY)
        for service in ("iot", "dim"):
            page = self.ask(service=service)
            self.assertEqual(page.headers["content-type"], "application/json; charset=utf-8")
            self.assertEqual(page.json["resp"]["body"]["data"], {"value": 77})
            self.assertEqual((page.json["ret"], page.json["payloadType"]), ("ok", "j"))
            self.assertRegex(page.json["id"], r"\A[A-Za-z]{4}\Z")
        self.assertEqual([command.device for command in robot.heard], [DUSTY.id, DUSTY.id])

    def test_address(self) -> None:
        """Class and resource are what we know, whatever an old list in an app says."""
        robot = self.world.robot(getBattery=BATTERY)
        self.assertEqual(self.ask(toType="a/#", toRes="old").json["ret"], "ok")
        self.assertEqual(robot.heard[0].device, DUSTY.id)

    def test_xml(self) -> None:
        """XML goes and comes as text."""
        robot = self.world.robot(GetLifeSpan=b"<ctl ret='ok' left='4142'/>")
        page = self.ask("GetLifeSpan", payload='<ctl type="Brush"/>', payloadType="x")
        self.assertEqual(page.json["resp"], "<ctl ret='ok' left='4142'/>")
        self.assertEqual(robot.heard[0].body, b'<ctl type="Brush"/>')
        self.assertEqual(robot.heard[0].kind, PayloadKind.XML)

    def test_form(self) -> None:
        """Older apps send forms."""
        self.world.robot(getBattery=BATTERY)
        form = b"cmdName=getBattery&payload=%7B%7D&toId=did1"
        kind = ("Content-Type", "application/x-www-form-urlencoded")
        page = self.browser.ask("POST", "/api/dim/devmanager.do", form, [kind])
        self.assertEqual(page.json["ret"], "ok")

    def test_offline(self) -> None:
        """A robot without a connection: Home Assistant marks it unavailable at once."""
        self.world.robot()
        self.world.registry._links.clear()
        page = self.ask()
        self.assertEqual((page.status, page.json["errno"]), (200, 4200))
        self.assertEqual(page.json["debug"], "endpoint offline")
        self.assertEqual(len(self.ear.lines()), 2)

    def test_unknown(self) -> None:
        """A robot that nobody has seen."""
        page = self.ask()
        self.assertEqual((page.json["errno"], page.json["debug"]), (500, SUPPORTED))

    def test_silent(self) -> None:
        """A robot that does not answer."""
        self.world.robot()
        connection = self.browser.connect()
        body = b'{"cmdName":"charge","payload":{},"toId":"did1"}'
        connection.send(request("POST", "/api/iot/devmanager.do", body))
        self.assertEqual(connection.received(), [])
        self.world.clock.advance(10)
        [page] = connection.received()
        self.assertEqual(
            (page.json["errno"], page.json["debug"]), (500, "wait for response timed out")
        )

    def test_hang_up(self) -> None:
        """When the app leaves, nobody waits for the robot any more."""
        self.world.robot()
        connection = self.browser.connect()
        body = b'{"cmdName":"charge","payload":{},"toId":"did1"}'
        connection.send(request("POST", "/api/iot/devmanager.do", body))
        connection.hang_up()
        self.assertEqual(self.world.commands.counts["dropped"], 1)

    def test_garbled(self) -> None:
        """An answer that is no JSON is a failure, and a line in the log."""
        self.world.robot(getBattery=b'{"a":1},"x":{')
        self.assertEqual(self.ask().json["errno"], 500)
        self.assertIn("no JSON", self.ear.lines()[-1])

    def test_refused(self) -> None:
        """A refusal is an answer: C{ret} is about us, and clients look into C{resp} for it."""
        self.world.robot(getBattery=b'{"body":{"code":5,"msg":"fail"}}')
        answer = self.ask().json
        self.assertEqual((answer["ret"], answer["resp"]["body"]["code"]), ("ok", 5))

    def test_functions(self) -> None:
        """Without a robot it is we who are asked."""
        for td, answer in (
            ("PollSCResult", {"ret": "ok"}),
            ("PreWifiConfig", {"ret": "ok"}),
            ("HasUnreadMsg", {"ret": "ok", "unRead": False}),
        ):
            for service in ("iot", "dim"):
                page = self.browser.post(f"/api/{service}/devmanager.do", {"td": td})
                self.assertEqual(page.json, answer)

    def test_mowers(self) -> None:
        """Lawn mowers do not know C{clean_V2}; vacuums mean it (http-devices.md 3.5)."""
        mower = evolve(DUSTY, id=DeviceId("did9", "xmp9ds", "r"))
        for device, name in ((DUSTY, "clean_V2"), (mower, "clean")):
            robot = self.world.robot(device, **{name: b"{}"})
            self.assertEqual(self.ask("clean_V2", toId=device.id.did).json["ret"], "ok")
            self.assertEqual(robot.heard[0].name, name)

    def test_mower_of_newer_apps(self) -> None:
        """What the newer apps say is brought as it is (http-devices.md 3.3)."""
        mower = evolve(DUSTY, id=DeviceId("did9", "xmp9ds", "r"))
        robot = self.world.robot(mower, clean_V2=b"{}")
        query = "apn=clean_V2&eid=did9&er=r&et=xmp9ds&fmt=j"
        self.browser.post(f"/api/iot/endpoint/control?{query}", {"body": {}})
        self.assertEqual(robot.heard[0].name, "clean_V2")

    def test_closed(self) -> None:
        """Who has no token that opens the portal hears so in E7."""
        self.world.closed = True
        page = self.ask()
        self.assertEqual(
            page.json, {"ret": "fail", "errno": 3, "error": "the token opens nothing"}
        )


class EndpointTests(WorldCase):
    """C{endpoint/control}."""

    def test_answered(self) -> None:
        """The robot's answer alone, with the headers that the app looks for."""
        robot = self.world.robot(getBattery=BATTERY)
        page = self.browser.ask("POST", CONTROL, b'{ "body":{} }')
        self.assertEqual(page.body, BATTERY)
        self.assertEqual((page.headers["x-ngiot-ret"], page.headers["x-ngiot-fmt"]), ("ok", "b"))
        self.assertEqual(page.headers["content-type"], "application/octet-stream; charset=utf-8")
        self.assertEqual(robot.heard[0].body, b'{ "body":{} }')

    def test_failures(self) -> None:
        """Failures are JSON, without those headers."""
        nameless = CONTROL.partition("?")[0]
        for path, body, errno in ((CONTROL, b"{}", 500), (CONTROL, b"{", 1), (nameless, b"{}", 1)):
            page = self.browser.ask("POST", path, body)
            self.assertEqual(page.json["errno"], errno)
            self.assertNotIn("x-ngiot-ret", page.headers)


class TileTests(WorldCase):
    """C{RobotControl}."""

    def ask(self, **asked: object) -> Page:
        """The answer to a tile."""
        ctl = {"ctl": {"Tile": {"did": "did1", "data": {}, **asked}}}
        return self.browser.post("/api/appsvr/app.do", {"todo": "RobotControl", "data": ctl})

    def test_battery(self) -> None:
        """The tile's own name comes back, around what it shows."""
        self.world.robot(getBattery=BATTERY)
        self.assertEqual(
            self.ask(cmd="GetBatteryInfo").json,
            {
                "todo": "result",
                "ret": "ok",
                "data": {"GetBatteryInfo": {"did": "did1", "ret": "ok", "power": 77}},
                "code": 0,
            },
        )

    def test_failures(self) -> None:
        """E8 for a robot, E5 for nonsense."""
        self.assertEqual(self.ask(cmd="charge").json["debug"], SUPPORTED)
        self.assertEqual(self.ask(cmd="a/b").json["errno"], 2004)
        self.world.robot(OLDIE, charge=b"<ctl/>")
        self.assertEqual(self.ask(cmd="charge", did="did2").json["errno"], 500)

    def test_refused(self) -> None:
        """A robot that refuses: each tile says so where the app looks, and shows nothing."""
        no = b'{"body":{"code":5,"msg":"fail"}}'
        self.world.robot(getBattery=no, getChargeState=no, clean=no, setX=no)
        for cmd, label in (
            ("GetBatteryInfo", "GetBatteryInfo"),
            ("GetChargeState", "GetChargeState"),
            ("clean", "clean"),
            ("setX", "setX"),
        ):
            shown = self.ask(cmd=cmd).json
            self.assertEqual(shown["data"], {label: {"did": "did1", "ret": "fail"}})
            self.assertEqual((shown["ret"], shown["code"]), ("ok", 0))
