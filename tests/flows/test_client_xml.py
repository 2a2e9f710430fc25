"""XML robots between HTTP and MQTT: what is said passes byte for byte (mqtt.md 13)."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.flows.clients import ClientCase, Ear, TextRobot, rusty, switch_on
from tests.samples import RUSTY

BATTERY = b"<ctl ret='ok'><battery power='087'/></ctl>"
#: Requests and answers that a parser in between would change.
ODDITIES = (
    "<ctl/>",
    "<ctl ></ctl >",
    '<ctl td="GetVersion" name="FW"/>',
    "<ctl type='Brush'/>\n",
    "  <ctl/>",
    "<ctl><clean type='auto' speed='standard' act='s'/></ctl>",
    "<ctl a='1'  b=\"2\"/>",
    "<ctl n='K&#252;che &amp; Flur'/>",
    "<ctl n='Küche 廚房'/>",
    "<?xml version='1.0'?><ctl/>",
    "<ctl",
    "not XML at all",
    "",
)


class XmlCase(ClientCase):
    """Rusty answers as the test wants, and remembers what it was asked."""

    def answering(self, name: str, answer: bytes) -> TextRobot:
        """Rusty, with one answer."""
        self.ear = Ear(answer)
        return rusty(self.house, **{name: self.ear})

    def command(self, name: str, payload: object) -> Any:
        """A command to Rusty."""
        body = {
            "cmdName": name,
            "payload": payload,
            "payloadType": "x",
            "td": "q",
            "toId": RUSTY.did,
            "toRes": RUSTY.resource,
            "toType": RUSTY.model,
        }
        return self.post("/api/iot/devmanager.do", body)


class RoundTripTests(XmlCase):
    """There and back."""

    def test_topics(self) -> None:
        """The robot is asked in its own format, and answers in it."""
        robot = self.answering("GetBatteryInfo", BATTERY)
        answer = self.command("GetBatteryInfo", "<ctl/>")
        address = f"GetBatteryInfo/helperbot/bumper/helperbot/{RUSTY}"
        self.assertRegex(robot.topics()[0], f"^iot/p2p/{address}/q/[A-Za-z]{{4}}/x$")
        self.assertEqual(answer["id"], robot.topics()[0].split("/")[-2])
        expected = {"id": answer["id"], "ret": "ok", "resp": BATTERY.decode(), "payloadType": "x"}
        self.assertEqual(answer, expected)

    def test_requests(self) -> None:
        """What the client wrote is what the robot hears."""
        self.answering("GetVersion", BATTERY)
        for text in ODDITIES:
            self.assertEqual(self.command("GetVersion", text)["ret"], "ok", text)
        self.assertEqual(self.ear.heard, [text.encode() for text in ODDITIES])

    def test_answers(self) -> None:
        """What the robot said is what the client reads."""
        robot = self.answering("GetVersion", b"")
        for text in ODDITIES:
            robot.texts = {"GetVersion": Ear(text.encode())}
            self.assertEqual(self.command("GetVersion", "<ctl/>")["resp"], text)

    def test_both_services(self) -> None:
        """The other path is the same."""
        self.answering("GetBatteryInfo", BATTERY)
        body = {
            "cmdName": "GetBatteryInfo",
            "payload": "<ctl/>",
            "payloadType": "x",
            "toId": RUSTY.did,
            "toRes": RUSTY.resource,
            "toType": RUSTY.model,
        }
        answer = self.post("/api/dim/devmanager.do", body)
        self.assertEqual(answer["resp"], BATTERY.decode())
        answer = self.form("/api/dim/devmanager.do", **body)
        self.assertEqual(answer["resp"], BATTERY.decode())
        self.assertEqual(self.ear.heard, [b"<ctl/>"] * 2)

    def test_endpoint(self) -> None:
        """On the newest path both are JSON strings."""
        self.answering("GetBatteryInfo", BATTERY)
        path = f"/api/iot/endpoint/control?apn=GetBatteryInfo&eid={RUSTY.did}&fmt=x"
        page = self.ask("POST", path, b'"<ctl/>"')
        self.assertEqual((page.status, page.json), (200, BATTERY.decode()))
        self.assertEqual(self.ear.heard, [b"<ctl/>"])

    def test_piece_by_piece(self) -> None:
        """The same when its bytes come one at a time."""
        robot = TextRobot(
            self.house.mqtt, piece=1, device=RUSTY, texts={"GetBatteryInfo": lambda _: BATTERY}
        )
        switch_on(self.house, robot)
        answer = self.command("GetBatteryInfo", "<ctl/>")
        self.assertEqual(answer["resp"], BATTERY.decode())

    def test_failure_is_an_answer(self) -> None:
        """What the robot refuses is still a success of the transport."""
        self.answering("Charge", b"<ctl ret='fail' errno='8'/>")
        answer = self.command("Charge", "<ctl><charge type='go'/></ctl>")
        self.assertEqual((answer["ret"], answer["resp"]), ("ok", "<ctl ret='fail' errno='8'/>"))

    def test_no_text(self) -> None:
        """XML that is no text is refused, and the robot hears nothing of it."""
        robot = self.answering("GetBatteryInfo", BATTERY)
        for wrong in ({"ctl": 1}, ["<ctl/>"], 7, None):
            answer = self.command("GetBatteryInfo", wrong)
            self.assertEqual((answer["ret"], answer["errno"]), ("fail", 1), wrong)
        self.assertEqual(robot.topics(), [])

    def test_offline(self) -> None:
        """As with any robot."""
        self.answering("GetBatteryInfo", BATTERY).vanish()
        answer = self.command("GetBatteryInfo", "<ctl/>")
        self.assertEqual((answer["errno"], answer["error"]), (4200, "endpoint offline"))


class AnyTextTests(ClientCase):
    """Whatever anybody writes."""

    def test_any_text(self) -> None:
        """Any text arrives as its UTF-8, both ways, and is answered with itself."""
        rusty(self.house, Echo=lambda payload: payload)

        @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
        def check(text: str) -> None:
            body = {"cmdName": "Echo", "payload": text, "payloadType": "x", "toId": RUSTY.did}
            self.assertEqual(self.post("/api/iot/devmanager.do", body)["resp"], text)

        check()


class StateTests(XmlCase):
    """What XML robots say also becomes state."""

    def test_reported(self) -> None:
        """A report of the battery is one, whatever its number looks like."""
        robot = self.answering("GetBatteryInfo", BATTERY)
        said = b"<ctl ts='1' td='BatteryInfo'><battery power='042'/></ctl>"
        robot.publish(f"iot/atr/BatteryInfo/{RUSTY}/x", said)
        kinds = {r.kind: r.reading for r in self.house.facts.telemetry.latest(RUSTY.did)}
        self.assertEqual(getattr(kinds["battery"], "percent", None), 42)

    def test_answered(self) -> None:
        """So is an answer."""
        self.answering("GetBatteryInfo", BATTERY)
        self.command("GetBatteryInfo", "<ctl/>")
        kinds = {r.kind: r.reading for r in self.house.facts.telemetry.latest(RUSTY.did)}
        self.assertEqual(getattr(kinds["battery"], "percent", None), 87)

    def test_logs_as_a_command(self) -> None:
        """Home Assistant asks XML robots themselves for their logs (http-auth.md 4.1)."""
        said = b"<ctl ret='ok'><CleanSt s='1767225600' a='14' l='1260' t='a' f='s'/></ctl>"
        self.answering("GetCleanLogs", said)
        answer = self.command("GetCleanLogs", "<ctl count='20'/>")
        self.assertEqual(answer["resp"], said.decode())
