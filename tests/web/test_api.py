"""Our own API."""

import json
from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.translation import TranslatingCorrelator
from bumper_tw.errors import BadRequest
from bumper_tw.readings import Battery, LifeSpan, Part, Report
from bumper_tw.values import PayloadKind
from bumper_tw.web.api import ApiRoutes, attribute, number, own_payload, own_xml, timeout
from bumper_tw.web.request import Limits
from bumper_tw.web.site import build_site
from tests.web.browser import Browser, Page, request
from tests.web.world import DUSTY, NOW, OLDIE, TOKEN, WorldCase

BEARER = ("Authorization", f"Bearer {TOKEN}")


class ApiCase(WorldCase):
    """Somebody with a token."""

    def get(self, path: str) -> Page:
        """The answer to a question."""
        return self.browser.get(path, headers=[BEARER])

    def command(self, **body: object) -> Page:
        """The answer to a command."""
        raw = json.dumps({"did": "did1", "name": "getBattery", **body}).encode()
        return self.browser.ask("POST", "/api/command", raw, [BEARER])

    def failed(self, page: Page, status: int, reason: str) -> None:
        """A failure has a status, a sentence and a code."""
        self.assertEqual((page.status, page.json["reason"]), (status, reason))
        self.assertTrue(page.json["error"])


class GuardTests(ApiCase):
    """Who may ask."""

    def test_open(self) -> None:
        """Anybody may find out what this box is."""
        self.assertEqual(self.browser.get("/discover").json["name"], "bumper_tw")

    def test_closed(self) -> None:
        """Everything else needs a token, and says so before it looks at anything."""
        for method, path in (
            ("POST", "/api/command"),
            ("GET", "/api/robots"),
            ("GET", "/api/robots/did1/status"),
            ("GET", "/api/robots/did1/history"),
        ):
            page = self.browser.ask(method, path, b"nonsense" if method == "POST" else b"")
            self.failed(page, 401, "unauthorized")
            self.assertEqual(page.headers["www-authenticate"], "Bearer")


class CommandTests(ApiCase):
    """C{POST /api/command}."""

    def test_json(self) -> None:
        """The robot is asked in JSON, and its answer comes back as an object."""
        robot = self.world.robot(getBattery=b'{"body":{"data":{"value":77}}}')
        self.assertEqual(
            self.command(data={"x": 1}).json,
            {
                "did": "did1",
                "name": "getBattery",
                "ok": True,
                "reply": {"body": {"data": {"value": 77}}},
                "seconds": 0.0,
            },
        )
        header = {"pri": "1", "ts": int(NOW * 1000), "tzm": 480, "ver": "0.0.50"}
        self.assertEqual(
            json.loads(robot.heard[0].body), {"header": header, "body": {"data": {"x": 1}}}
        )

    def test_xml(self) -> None:
        """An XML robot is asked in XML, and its answer is a text."""
        robot = self.world.robot(OLDIE, GetLifeSpan=b"<ctl ret='ok'/>")
        page = self.command(did="did2", name="GetLifeSpan", data={"type": "Brush"})
        self.assertEqual(page.json["reply"], "<ctl ret='ok'/>")
        self.assertEqual(robot.heard[0].body, b'<ctl type="Brush"/>')

    def test_refused(self) -> None:
        """A robot that was reached and refuses: status 200, its answer, and why, in its words."""
        answer = {"body": {"code": 20003, "msg": "not supported"}}
        self.world.robot(getBattery=json.dumps(answer).encode())
        page = self.command()
        self.assertEqual(
            (page.status, page.json),
            (
                200,
                {
                    "did": "did1",
                    "name": "getBattery",
                    "ok": False,
                    "reply": answer,
                    "seconds": 0.0,
                    "error": "not supported (code 20003)",
                    "reason": "refused",
                },
            ),
        )

    def test_refused_in_xml(self) -> None:
        """The same where the robot was asked in XML."""
        said = b"<ctl ret='fail' errno='103' error='permission denied'/>"
        self.world.robot(OLDIE, Clean=said, Charge=b"<ctl ret='ok'/>")
        page = self.command(did="did2", name="Clean", data="<ctl><clean type='auto'/></ctl>")
        self.assertEqual((page.status, page.json["reply"]), (200, said.decode()))
        self.assertEqual(
            (page.json["ok"], page.json["error"], page.json["reason"]),
            (False, "permission denied (errno 103)", "refused"),
        )
        done = self.command(did="did2", name="Charge").json
        self.assertTrue(done["ok"])
        self.assertNotIn("error", done)

    def test_data_by_another_name(self) -> None:
        """What short topics call the payload is taken for the data, also when it is whole."""
        robot = self.world.robot(clean=b"{}")
        data = {"act": "start"}
        spellings: tuple[dict[str, object], ...] = (
            {"payload": data},
            {"payload": {"body": {"data": data}}},
            {"payload": {"header": {"pri": 1}, "body": {"data": data}}},
            {"payload": {"act": "stop"}, "data": data},
        )
        for asked in spellings:
            self.assertTrue(self.command(name="clean", **asked).json["ok"])
            self.assertEqual(json.loads(robot.heard[-1].body)["body"], {"data": data})
        empty: tuple[object, ...] = ({"header": {}}, {"body": 7}, None)
        for nothing in empty:
            self.command(name="clean", payload=nothing)
            self.assertNotIn("body", json.loads(robot.heard[-1].body))

    def test_xml_by_another_name(self) -> None:
        """The same for arguments in XML."""
        robot = self.world.robot(OLDIE, GetLifeSpan=b"<ctl ret='ok'/>")
        for payload in ({"type": "Brush"}, '<ctl type="Brush"/>'):
            self.command(did="did2", name="GetLifeSpan", payload=payload)
            self.assertEqual(robot.heard[-1].body, b'<ctl type="Brush"/>')

    def test_names_in_json(self) -> None:
        """A name in JSON is asked in JSON whatever the robot speaks; others translate."""
        answer = b'{"body":{"code":0,"msg":"ok","data":{"value":77}}}'
        robot = self.world.robot(OLDIE, getBattery=answer)
        page = self.command(did="did2", data={"x": 1})
        self.assertEqual(page.json["reply"], json.loads(answer))
        self.assertIs(robot.heard[0].kind, PayloadKind.JSON)
        self.assertEqual(json.loads(robot.heard[0].body)["body"], {"data": {"x": 1}})

    def test_either_generation(self) -> None:
        """Behind the translation, robots of both generations answer alike."""
        api, clock = self.api(), self.world.clock
        said = b"<ctl ret='ok'><battery power='077'/></ctl>"
        robot = self.world.robot(OLDIE, GetBatteryInfo=said, Charge=b"<ctl ret='fail' errno='8'/>")
        self.world.robot(
            getBattery=b'{"body":{"code":0,"msg":"ok","data":{"value":77,"isLow":0}}}'
        )
        old, new = (self.ask(api, did=did, name="getBattery") for did in ("did2", "did1"))
        self.assertEqual(old.json["reply"]["body"], new.json["reply"]["body"])
        self.assertEqual((old.json["name"], old.json["ok"]), ("getBattery", True))
        self.assertEqual(robot.heard[0].body, b"<ctl/>")
        docked = self.ask(api, did="did2", name="charge", data={"act": "go"})
        self.assertEqual(docked.json["reply"]["body"], {"code": 30007, "msg": "fail"})
        self.assertEqual(
            (docked.json["ok"], docked.json["error"]),
            (False, "it is in its dock already (code 30007)"),
        )
        raw = self.ask(api, did="did2", name="GetBatteryInfo")
        self.assertEqual(raw.json["reply"], said.decode())
        self.failed(self.ask(api, did="did2", name="getVolume"), 400, "bad_request")
        self.assertEqual(clock.getDelayedCalls(), [])

    def api(self) -> Browser:
        """The API with a translation behind it."""
        world = self.world
        commands = TranslatingCorrelator(
            world.clock, world.commands, world.registry, world.telemetry
        )
        routes = ApiRoutes(
            world.clock,
            world.fleet,
            commands,
            world.telemetry,
            world.history,
            world.api_guard,
            dict,
        )
        return Browser(build_site(routes.routes(), world.clock, Limits()), world.clock)

    def ask(self, api: Browser, **body: object) -> Page:
        """The answer to a command."""
        return api.ask("POST", "/api/command", json.dumps(body).encode(), [BEARER])

    def test_unknown_and_offline(self) -> None:
        """A robot that nobody knows, and one that is away."""
        self.failed(self.command(), 404, "unknown_robot")
        self.world.robot()
        self.world.registry._links.clear()
        self.failed(self.command(), 503, "offline")

    def test_timed_out(self) -> None:
        """A robot that does not answer in the time given."""
        self.world.robot()
        connection = self.browser.connect()
        body = b'{"did":"did1","name":"charge","timeout":2.5}'
        connection.send(request("POST", "/api/command", body, [BEARER]))
        self.world.clock.advance(2.5)
        [page] = connection.received()
        self.failed(page, 504, "timeout")

    def test_garbled(self) -> None:
        """A robot that answers nonsense."""
        self.world.robot(getBattery=b"nonsense")
        self.failed(self.command(), 502, "garbled")

    def test_busy(self) -> None:
        """A robot with too many questions already."""
        self.world.robot()
        body = request("POST", "/api/command", b'{"did":"did1","name":"x"}', [BEARER])
        connections = [self.browser.connect() for _ in range(100)]
        for connection in connections:
            connection.send(body)
        [page] = connections[-1].received()
        self.failed(page, 429, "busy")
        self.world.clock.advance(60)

    def test_bad(self) -> None:
        """What cannot be asked."""
        self.world.robot()
        for wrong in (
            {"did": 7},
            {"name": ""},
            {"name": "a/b"},
            {"timeout": 0},
            {"timeout": 1000},
            {"timeout": "5"},
            {"timeout": True},
        ):
            self.failed(self.command(**wrong), 400, "bad_request")
        page = self.browser.ask("POST", "/api/command", b"[1]", [BEARER])
        self.failed(page, 400, "bad_request")


class StatusTests(ApiCase):
    """C{GET /api/robots...}."""

    def setUp(self) -> None:
        super().setUp()
        self.world.robot()
        for number_, reading in enumerate((Battery(80), Battery(77), LifeSpan((Part("a", 1),)))):
            report = Report("did1", reading, NOW - 10 + number_)
            self.world.telemetry.record(report)
            self.successResultOf(self.world.history.append([report]))

    def test_robots(self) -> None:
        """Every robot with what scripts need."""
        [robot] = self.get("/api/robots").json["robots"]
        self.assertEqual((robot["did"], robot["online"], robot["payload"]), ("did1", True, "j"))
        self.assertEqual(robot["protocol"], "mqtt")

    def test_status(self) -> None:
        """The newest of each kind with its age, and no question to the robot."""
        page = self.get("/api/robots/did1/status").json
        self.assertEqual(page["status"]["battery"], {"age": 9.0, "percent": 77, "low": False})
        self.assertEqual(page["status"]["life_span"]["parts"][0]["type"], "a")
        self.assertEqual(page["class"], DUSTY.id.model)

    def test_history(self) -> None:
        """The newest first, of one kind, since some time, and not too many."""
        path = "/api/robots/did1/history"
        reports = self.get(f"{path}?kind=battery").json["reports"]
        self.assertEqual([report["percent"] for report in reports], [77, 80])
        self.assertEqual(len(self.get(f"{path}?since={NOW - 9}").json["reports"]), 2)
        self.assertEqual(len(self.get(f"{path}?limit=1").json["reports"]), 1)
        self.assertEqual(len(self.get(f"{path}?limit=0").json["reports"]), 1)

    def test_bad(self) -> None:
        """Unknown robots, kinds and numbers."""
        self.failed(self.get("/api/robots/ghost/status"), 404, "unknown_robot")
        self.failed(self.get("/api/robots/ghost/history"), 404, "unknown_robot")
        for query in ("kind=x", "since=x", "since=-1", "since=nan", "limit=inf", "limit=1e99"):
            self.failed(self.get(f"/api/robots/did1/history?{query}"), 400, "bad_request")


class PayloadTests(SynchronousTestCase):
    """Payloads in a robot's own way of writing."""

    def test_no_arguments(self) -> None:
        """Without data there is no body."""
        value = json.loads(own_payload(PayloadKind.JSON, None, 1.5))
        self.assertEqual(value, {"header": {"pri": "1", "ts": 1500, "tzm": 480, "ver": "0.0.50"}})
        self.assertEqual(own_payload(PayloadKind.XML, None, 0.0), b"<ctl/>")

    def test_xml_as_it_is(self) -> None:
        """A finished element is passed through."""
        self.assertEqual(own_xml("<ctl a='1'><b/></ctl>"), b"<ctl a='1'><b/></ctl>")

    def test_refused(self) -> None:
        """What is no element and no set of attributes."""
        wrong: tuple[object, ...] = ("text", [], 7, {"a b": "c"}, {"a": {}}, {"a": True}, {"": ""})
        for data in wrong:
            self.assertRaises(BadRequest, own_xml, data)

    @given(st.dictionaries(st.sampled_from(["a", "type", "b_1"]), st.text() | st.integers()))
    def test_escaping(self, data: dict[str, Any]) -> None:
        """Whatever an attribute is, one element with just these attributes comes out."""
        try:
            text = own_xml(data).decode("utf-8")
            element = ET.fromstring(text)  # our own text
        except ET.ParseError:
            # XML cannot carry some code points at all; nothing was broken out of, though.
            self.assertTrue(any(not str(value).isprintable() for value in data.values()))
            return
        self.assertEqual((element.tag, list(element.attrib)), ("ctl", list(data)))

    def test_attribute(self) -> None:
        """Both sorts of quotes, and what XML reserves."""
        self.assertEqual(attribute("a", "<&>"), 'a="&lt;&amp;&gt;"')
        self.assertEqual(attribute("a", '"'), "a='\"'")
        self.assertEqual(attribute("a", 7), 'a="7"')

    def test_numbers(self) -> None:
        """Numbers of a query, and times to wait."""
        self.assertEqual(number("1.5", "since"), 1.5)
        self.assertIsNone(timeout(None))
        self.assertEqual(timeout(3), 3.0)
