"""Tests for L{bumper_tw.mqtt.plain}: plain robots and scripts, and everybody else."""

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from twisted.logger import LogEvent, capturedLogs, formatEvent

from bumper_tw.dialect import topics
from bumper_tw.errors import CommandTimedOut
from bumper_tw.readings import Battery, Reading, Report
from bumper_tw.values import Command, PayloadKind
from bumper_tw.wire.mqtt_packets import Publish
from tests.mqtt.clients import Client, WorldCase, report_topic, topics_of
from tests.samples import ALICE, DASHBOARD, DUSTY, DUSTY_ITSELF, GET_BATTERY, RUSTY, RUSTY_ITSELF

BATTERY = {"body": {"data": {"value": 87, "isLow": 0}}}


def said(message: Publish) -> Any:
    """The JSON in a message."""
    return json.loads(message.payload)


class PlainCase(WorldCase):
    """A household in which short names are understood."""

    options: ClassVar[dict[str, Any]] = {"plain": True}

    def setUp(self) -> None:
        super().setUp()
        self.reports: list[Report] = []
        self.world.telemetry.listen(self.reports.append)

    def readings(self) -> list[Reading]:
        """What telemetry has heard."""
        return [report.reading for report in self.reports]

    def plain_robot(self) -> Client:
        """A robot that knows short names only."""
        robot = self.world.connect(DUSTY_ITSELF)
        robot.subscribe(f"p2p/{DUSTY.did}")
        robot.take()
        return robot

    def observer(self) -> Client:
        """Home Assistant, which knows long names only (mqtt.md 4.3)."""
        alice = self.world.connect(ALICE)
        alice.subscribe(
            f"iot/atr/+/{DUSTY}/j",
            f"iot/p2p/+/+/+/+/{DUSTY}/q/+/j",
            f"iot/p2p/+/{DUSTY}/+/+/+/p/+/j",
        )
        self.assertEqual(alice.codes(), (0, 0, 0))
        return alice

    def script(self) -> Client:
        """A service that hears what robots say in short."""
        script = self.world.connect(DASHBOARD)
        script.subscribe("rsp/+", "attr/+")
        self.assertEqual(script.codes(), (0, 0))
        return script

    def lines(self, events: Sequence[LogEvent]) -> list[str]:
        """What was said for the owner about short topics."""
        ours = (e for e in events if e["log_namespace"].endswith("PlainGateway"))
        return [formatEvent(e) for e in ours]

    def speak(self, who: Client, topic: str, **values: Any) -> None:
        """Say something in short."""
        who.publish(topic, json.dumps(values).encode())


class PlainRobotTests(PlainCase):
    """A robot that knows short names is a robot like any other."""

    def test_command(self) -> None:
        """It hears a command once, answers in short, and whoever asked gets the payload."""
        robot, alice = self.plain_robot(), self.observer()
        asked = self.world.commands.send(GET_BATTERY)
        [question] = robot.heard()
        heard = said(question)
        self.assertEqual((question.topic, heard["cmd"]), (f"p2p/{DUSTY.did}", "getBattery"))
        self.speak(robot, f"rsp/{DUSTY.did}", id=heard["id"], payload=BATTERY)
        self.assertEqual(json.loads(self.successResultOf(asked).body), BATTERY)
        seen = topics_of(alice.heard())
        self.assertEqual([topic.split("/")[9] for topic in seen], ["q", "p"])
        self.assertEqual(seen[1].split("/")[6:9], list(topics.HELPER))
        self.assertEqual((robot.heard(), self.readings()), ([], [Battery(87)]))

    def test_held(self) -> None:
        """A command that comes before it listens waits for its short filter."""
        robot = self.world.connect(DUSTY_ITSELF)
        self.world.commands.send(GET_BATTERY).addErrback(lambda _: None)
        robot.take()
        robot.subscribe(f"p2p/{DUSTY.did}")
        self.assertEqual([said(each)["cmd"] for each in robot.heard()], ["getBattery"])

    def test_report(self) -> None:
        """What it reports in short is heard in long and by telemetry, once."""
        robot, alice, script = self.plain_robot(), self.observer(), self.script()
        self.speak(robot, f"attr/{DUSTY.did}", event="onBattery", payload=BATTERY)
        [long], [short] = alice.heard(), script.heard()
        self.assertEqual((long.topic, said(long)), (report_topic(DUSTY), BATTERY))
        self.assertEqual((short.topic, said(short)["event"]), (f"attr/{DUSTY.did}", "onBattery"))
        self.assertEqual((robot.heard(), self.readings()), ([], [Battery(87)]))

    def test_xml(self) -> None:
        """A string in the payload is XML, in both directions."""
        robot = self.plain_robot()
        asked = self.world.commands.send(Command(DUSTY, "Clean", b"<ctl/>", PayloadKind.XML))
        heard = said(robot.heard()[0])
        self.assertEqual(heard["payload"], "<ctl/>")
        self.speak(robot, f"rsp/{DUSTY.did}", id=heard["id"], payload="<ctl ret='ok'/>")
        self.assertEqual(self.successResultOf(asked).body, b"<ctl ret='ok'/>")

    def test_one_answer(self) -> None:
        """A second answer, or one that nobody asked for, goes nowhere."""
        robot, alice = self.plain_robot(), self.observer()
        asked = self.world.commands.send(GET_BATTERY)
        request = said(robot.heard()[0])["id"]
        for each in ("zzzz", request, request):
            self.speak(robot, f"rsp/{DUSTY.did}", id=each, payload={"ret": "ok"})
        self.successResultOf(asked)
        self.assertEqual(len(alice.heard()), 2)

    def test_another_robot(self) -> None:
        """A robot cannot answer or report for another, even if it knows the id."""
        robot, other = self.plain_robot(), self.world.robot(RUSTY_ITSELF)
        asked = self.world.commands.send(GET_BATTERY)
        request = said(robot.heard()[0])["id"]
        for did in (DUSTY.did, RUSTY.did):
            self.speak(other, f"rsp/{did}", id=request, payload=BATTERY)
        self.speak(other, f"attr/{DUSTY.did}", event="onBattery", payload=BATTERY)
        self.assertNoResult(asked)
        self.assertEqual(self.reports, [])
        self.clock.advance(10)
        self.failureResultOf(asked, CommandTimedOut)

    def test_garbage(self) -> None:
        """What has no proper shape is logged with its topic, once a minute, and harmless."""
        robot, alice = self.plain_robot(), self.observer()
        bodies = (b"", b"\xff", b"[]", b"{}", b"[" * 9000, b'{"event":"a/b","payload":{}}')
        with capturedLogs() as events:
            for body in bodies * 2:
                robot.publish(f"attr/{DUSTY.did}", body)
                robot.publish(f"rsp/{DUSTY.did}", body)
            self.clock.advance(59)
            robot.publish(f"attr/{DUSTY.did}", b"")
            self.clock.advance(1)
            robot.publish(f"attr/{DUSTY.did}", b"")
        lines = self.lines(events)
        self.assertEqual(
            [line.partition(":")[0] for line in lines],
            [f"attr/{DUSTY.did}", f"rsp/{DUSTY.did}", f"attr/{DUSTY.did}"],
        )
        self.assertTrue(lines[-1].endswith(" (12 more since the last line about it)"), lines[-1])
        self.assertEqual((alice.heard(), self.reports, robot.line.over), ([], [], False))

    def test_unasked(self) -> None:
        """A robot that answers what nobody asked is told of once a minute, and counted."""
        robot = self.plain_robot()
        with capturedLogs() as events:
            for number in range(5):
                self.speak(robot, f"rsp/{DUSTY.did}", id=f"a{number}", payload={})
            self.clock.advance(60)
            self.speak(robot, f"rsp/{DUSTY.did}", id="b", payload={})
        line = f"{DUSTY.did} answers what nobody asked"
        self.assertEqual(
            self.lines(events), [line, f"{line} (4 more since the last line about it)"]
        )

    def test_removed_robot(self) -> None:
        """A plain robot that was removed while connected is not heard."""
        robot = self.plain_robot()
        self.successResultOf(self.world.registry.forget(DUSTY.did))
        self.speak(robot, f"attr/{DUSTY.did}", event="onBattery", payload=BATTERY)
        self.assertEqual(self.reports, [])


class ScriptTests(PlainCase):
    """A script that knows short names commands any robot."""

    def answers(self, script: Client) -> dict[str, Any]:
        """What came under C{rsp}, by its id; each id once."""
        heard = [said(message) for message in script.heard()]
        found = {each["id"]: each for each in heard}
        self.assertEqual(len(found), len(heard))
        return found

    def test_long_robot(self) -> None:
        """A command in short reaches a robot in long; the answer has the script's own id."""
        robot, script, alice = self.world.robot(DUSTY_ITSELF), self.script(), self.observer()
        self.speak(script, f"p2p/{DUSTY.did}", id="mine-1", cmd="getBattery")
        [question] = robot.heard()
        self.assertEqual(
            (question.topic[:22], question.payload), ("iot/p2p/getBattery/hel", b"{}")
        )
        robot.answer(question, json.dumps(BATTERY).encode())
        answer = self.answers(script)["mine-1"]
        self.assertEqual(answer, {"id": "mine-1", "cmd": "getBattery", "payload": BATTERY})
        self.assertEqual([t.split("/")[9] for t in topics_of(alice.heard())], ["q", "p"])
        self.assertEqual(self.readings(), [Battery(87)])

    def test_plain_robot(self) -> None:
        """Script and robot both speak short; the robot hears the command once."""
        robot, script = self.plain_robot(), self.script()
        self.speak(script, f"p2p/{DUSTY.did}", id="1", cmd="clean", payload={"act": "start"})
        [question] = robot.heard()
        heard = said(question)
        self.assertEqual((heard["cmd"], heard["payload"]), ("clean", {"act": "start"}))
        self.assertNotEqual(heard["id"], "1")
        self.speak(robot, f"rsp/{DUSTY.did}", id=heard["id"], payload={"ret": "ok"})
        self.assertEqual(self.answers(script)["1"]["payload"], {"ret": "ok"})
        self.assertEqual(robot.heard(), [])

    def test_xml_robot(self) -> None:
        """An XML robot gets XML, also when the command has no arguments."""
        robot, script = self.world.robot(RUSTY_ITSELF), self.script()
        self.speak(script, f"p2p/{RUSTY.did}", id="1", cmd="GetBatteryInfo")
        self.speak(script, f"p2p/{RUSTY.did}", id="2", cmd="SetTime", payload={"ts": 1})
        xml, platform = robot.heard()
        self.assertEqual((xml.topic[-2:], xml.payload), ("/x", b"<ctl/>"))
        self.assertEqual((platform.topic[-2:], platform.payload), ("/j", b'{"ts":1}'))
        robot.answer(xml, b"<ctl ret='ok'><battery power='087'/></ctl>")
        answer = self.answers(script)["1"]
        self.assertEqual(answer["payload"], "<ctl ret='ok'><battery power='087'/></ctl>")

    def test_one_answer(self) -> None:
        """A script hears its answer once, under the id it chose."""
        robot, script = self.world.robot(DUSTY_ITSELF), self.script()
        self.speak(script, f"p2p/{DUSTY.did}", id="mine-1", cmd="getBattery")
        robot.answer(robot.heard()[0], json.dumps(BATTERY).encode())
        self.assertEqual([said(each)["id"] for each in script.heard()], ["mine-1"])

    def test_failure(self) -> None:
        """A robot that is away or silent is told to the script, under its own id."""
        robot, script = self.world.robot(DUSTY_ITSELF), self.script()
        self.speak(script, f"p2p/{DUSTY.did}", id="1", cmd="getBattery")
        self.clock.advance(10)
        robot.line.drop()
        self.speak(script, f"p2p/{DUSTY.did}", id="2", cmd="getBattery")
        answers = self.answers(script)
        self.assertEqual([answers[each]["payload"]["ret"] for each in "12"], ["fail", "fail"])

    def test_garbage(self) -> None:
        """Garbage is harmless, and a command to a robot nobody knows is told to fail."""
        script = self.script()
        for topic, body in (
            (f"p2p/{DUSTY.did}", b'{"id":"1","cmd":"getBattery"}'),
            ("p2p/", b'{"id":"1","cmd":"getBattery"}'),
            (f"p2p/{DUSTY.did}", b'{"id":"1","cmd":"a/b"}'),
            (f"p2p/{DUSTY.did}", b"getBattery"),
        ):
            script.publish(topic, body)
        [answer] = script.heard()
        self.assertEqual((said(answer)["id"], said(answer)["payload"]["ret"]), ("1", "fail"))
        self.assertFalse(script.line.over)
        self.assertEqual(self.world.commands.waiting, 0)

    def test_invented_topics(self) -> None:
        """A script that talks nonsense under ever new topics gets a few lines."""
        script = self.script()
        with capturedLogs() as events:
            for number in range(100):
                script.publish(f"p2p/{number}", b"nonsense")
        self.assertEqual(len(self.lines(events)), 10)

    def test_long_report(self) -> None:
        """What a robot reports in long is heard in short, in its own shape."""
        robot, script = self.world.robot(DUSTY_ITSELF), self.script()
        robot.publish(report_topic(DUSTY), json.dumps(BATTERY).encode())
        robot.publish(report_topic(DUSTY, "BatteryInfo", "x"), b"<ctl td='BatteryInfo'/>")
        robot.publish(report_topic(DUSTY, "map", "b"), b"\xff\0")
        json_report, xml_report = (said(each) for each in script.heard())
        self.assertEqual(json_report, {"event": "onBattery", "payload": BATTERY})
        self.assertEqual(xml_report["payload"], "<ctl td='BatteryInfo'/>")

    def test_user_does_not_command(self) -> None:
        """A user may hear short names, and not command by them."""
        robot, alice = self.plain_robot(), self.world.connect(ALICE)
        self.speak(alice, f"p2p/{DUSTY.did}", id="1", cmd="clean")
        self.assertEqual(robot.heard(), [])
