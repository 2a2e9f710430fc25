"""Flow (c): what robots report, to disk, to listeners and into cleaning logs."""

import json

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.assembly import Facts
from tests.flows.house import House
from tests.samples import DUSTY


class TelemetryTests(SynchronousTestCase):
    """A robot reports."""

    def setUp(self) -> None:
        self.house = House()
        self.facts: Facts = self.house.facts

    def test_pushed(self) -> None:
        """Whoever subscribed hears the report as the robot sent it."""
        listener = self.house.home_assistant()
        robot = self.house.robot()
        listener.subscribe(f"iot/atr/+/{DUSTY}/j")
        robot.report("onBattery", {"value": 42, "isLow": 0})
        listener.read()
        [message] = listener.messages()
        self.assertEqual(message.topic, f"iot/atr/onBattery/{DUSTY}/j")
        self.assertEqual(json.loads(message.payload)["body"]["data"]["value"], 42)

    def test_latest(self) -> None:
        """The newest report is in memory, and the firmware version with the robot."""
        self.house.robot().report("onBattery", {"value": 42, "isLow": 0})
        kinds = [report.kind for report in self.facts.telemetry.latest(DUSTY.did)]
        self.assertEqual(sorted(kinds), ["battery", "firmware"])
        self.assertEqual(self.facts.registry.device(DUSTY.did).firmware, "1.8.2")

    def test_to_disk(self) -> None:
        """Within a second reports are on disk, in one transaction."""
        robot = self.house.robot()
        for value in (42, 41, 40):
            robot.report("onBattery", {"value": value, "isLow": 0})
        self.house.clock.advance(1)
        history = self.successResultOf(self.facts.reports.history(DUSTY.did, "battery", 0, 10))
        self.assertEqual([getattr(r.reading, "percent", None) for r in history], [40, 41, 42])

    def test_cleaning_log(self) -> None:
        """Start and end of a job become one log, which clients can read."""
        robot = self.house.robot()
        start = {"cid": "122", "stop": 0, "type": "auto", "start": "1767225600"}
        robot.report("reportStats", start)
        end = start | {"stop": 1, "stopReason": 1, "area": 12, "time": 720}
        robot.report("reportStats", end)
        asked = {"td": "GetCleanLogs", "did": DUSTY.did, "resource": DUSTY.resource}
        answer = self.house.browser().post("/api/lg/log.do", asked).json
        [log] = answer["logs"]
        self.assertEqual(
            (answer["ret"], log["ts"], log["last"], log["area"], log["stopReason"]),
            ("ok", 1767225600, 720, 12, 1),
        )

    def test_placeholder(self) -> None:
        """The report of no job makes no log (mqtt.md 11)."""
        self.house.robot().report(
            "onStats", {"area": 0, "time": 0, "cid": "111", "start": "0", "type": "auto"}
        )
        self.assertEqual(self.successResultOf(self.facts.logs.logs(DUSTY.did, 10)), [])

    def test_forged(self) -> None:
        """A robot cannot report for another one."""
        other = self.house.robot()
        other.publish(f"iot/atr/onBattery/another-did/{DUSTY.model}/r/j", b'{"body":{"data":{}}}')
        self.assertEqual(self.facts.telemetry.latest("another-did"), [])

    def test_next_run(self) -> None:
        """A server that starts on the same database knows robots and states again."""
        robot = self.house.robot()
        robot.report("onBattery", {"value": 42, "isLow": 0})
        self.house.clock.advance(1)
        again = House(database=self.house.database)
        self.successResultOf(again.facts.registry.load(again.facts.registry._store))
        self.successResultOf(again.facts.reports.latest().addCallback(again.facts.telemetry.warm))
        [device] = again.facts.registry.devices()
        self.assertEqual(device.id, DUSTY)
        kinds = {report.kind for report in again.facts.telemetry.latest(DUSTY.did)}
        self.assertIn("battery", kinds)
