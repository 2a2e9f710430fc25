"""Tests for L{bumper_tw.mqtt.gateway}: commands out, replies and reports in."""

from attrs import evolve
from twisted.internet.defer import CancelledError
from twisted.logger import LogLevel, capturedLogs
from zope.interface.verify import verifyObject

from bumper_tw.core.robot_reports import MOST_CHANGES
from bumper_tw.dialect import topics
from bumper_tw.errors import CommandTimedOut, DeviceOffline
from bumper_tw.interfaces import IRobotLink, IRobotPresence
from bumper_tw.readings import Battery, Firmware, Reading, Report
from bumper_tw.values import Company, Device, Message, PayloadKind, Principal
from tests.mqtt.clients import WorldCase, report_topic, topics_of
from tests.samples import (
    ALICE,
    DUSTY,
    DUSTY_ITSELF,
    GET_BATTERY,
    RUSTY,
    RUSTY_DEVICE,
    RUSTY_ITSELF,
)

HELPER = "helperbot/bumper/helperbot"
CALLS, CONFIGURATION = topics.robot_filters(DUSTY)[:2]
BATTERY = b'{"header":{"fwVer":"1.8.2"},"body":{"data":{"value":87,"isLow":0}}}'


class GatewayCase(WorldCase):
    """A household, and what its telemetry hears."""

    def setUp(self) -> None:
        super().setUp()
        self.reports: list[Report] = []
        self.world.telemetry.listen(self.reports.append)

    def readings(self) -> list[Reading]:
        """What was reported so far."""
        return [report.reading for report in self.reports]

    def device(self) -> Device:
        """What we know of Dusty."""
        return self.world.registry.device(DUSTY.did)


class CommandTests(GatewayCase):
    """Commands reach robots where these listen, and the right answers come back."""

    def test_round_trip(self) -> None:
        """A command goes out on the documented topic, and its answer is the result."""
        robot = self.world.robot(DUSTY_ITSELF)
        asked = self.world.commands.send(GET_BATTERY)
        [question] = robot.heard()
        request = question.topic.split("/")[10]
        self.assertEqual(question.topic, f"iot/p2p/getBattery/{HELPER}/{DUSTY}/q/{request}/j")
        self.assertRegex(request, r"\A[A-Za-z]{4}\Z")
        self.assertEqual((question.payload, question.qos, question.retain), (b"{}", 0, False))
        robot.answer(question, BATTERY)
        self.assertEqual(self.successResultOf(asked).body, BATTERY)
        self.assertEqual(self.readings(), [Battery(87), Firmware("1.8.2")])

    def test_resumed(self) -> None:
        """A robot whose session lives on need not subscribe again to get commands."""
        for subscribes in (True, False):
            robot = self.world.dial(DUSTY_ITSELF)
            robot.connect(clean=False)
            self.world.settle()
            if subscribes:
                robot.subscribe(*topics.robot_filters(DUSTY)[:1])
            robot.take()
            self.world.commands.send(GET_BATTERY).addErrback(lambda _: None)
            self.assertEqual(len(robot.heard()), 1)
            robot.line.drop()

    def test_observer(self) -> None:
        """Who watches a robot sees question and answer, in this order (mqtt.md 13, 6)."""
        robot, alice = self.world.robot(DUSTY_ITSELF), self.world.connect(ALICE)
        alice.subscribe(
            f"iot/atr/+/{DUSTY}/j",
            f"iot/p2p/+/+/+/+/{DUSTY}/q/+/j",
            f"iot/p2p/+/{DUSTY}/+/+/+/p/+/j",
        )
        self.assertEqual(alice.codes(), (0, 0, 0))
        asked = self.world.commands.send(GET_BATTERY)
        robot.answer(robot.heard()[0], BATTERY)
        self.successResultOf(asked)
        self.assertEqual([t.split("/")[9] for t in topics_of(alice.heard())], ["q", "p"])

    def test_held(self) -> None:
        """A command that comes before the robot listens waits for its request filter."""
        robot = self.world.connect(DUSTY_ITSELF)
        robot.take()
        asked = self.world.commands.send(GET_BATTERY)
        robot.subscribe(CONFIGURATION)
        self.assertEqual(robot.heard(), [])
        robot.subscribe("iot/#")
        self.assertEqual(robot.heard(), [])
        robot.subscribe(CALLS)
        [question] = robot.heard()
        robot.answer(question, b"{}")
        self.successResultOf(asked)
        robot.subscribe(CALLS)
        self.assertEqual(robot.heard(), [])

    def test_nobody_waits_any_more(self) -> None:
        """What nobody wants any more when the robot begins to listen is not done."""
        robot = self.world.connect(DUSTY_ITSELF, keep_alive=0)
        robot.take()
        timed_out = self.world.commands.send(GET_BATTERY, timeout=5)
        hung_up, wanted = (self.world.commands.send(GET_BATTERY) for _ in range(2))
        self.clock.advance(5)
        self.failureResultOf(timed_out, CommandTimedOut)
        hung_up.cancel()
        self.failureResultOf(hung_up, CancelledError)
        robot.subscribe(CALLS)
        [question] = robot.heard()
        robot.answer(question, b"{}")
        self.successResultOf(wanted)

    def test_others_answers(self) -> None:
        """An answer to the vendor's helper or to a user is a report, and no answer to us."""
        robot = self.world.robot(DUSTY_ITSELF)
        asked = self.world.commands.send(GET_BATTERY)
        request = robot.heard()[0].topic.split("/")[10]
        for asker in ("HelperMQClientId-eu-1/ecosys/1234", "fuid_alice/ecouser/GLB1"):
            question = f"iot/p2p/getBattery/{asker}/{DUSTY}/q/{request}/j"
            self.world.broker.publish(Message(question, b"{}"))
            robot.publish(f"iot/p2p/getBattery/{DUSTY}/{asker}/p/{request}/j", BATTERY)
        self.assertNoResult(asked)
        self.assertEqual(self.readings().count(Battery(87)), 2)
        asked.addErrback(lambda _: None)

    def test_wrong_answers(self) -> None:
        """Another robot, id or command name is no answer (mqtt.md 13, 7)."""
        robot, other = self.world.robot(DUSTY_ITSELF), self.world.robot(RUSTY_ITSELF)
        asked = self.world.commands.send(GET_BATTERY)
        request = robot.heard()[0].topic.split("/")[10]
        for sender, answer in (
            (other, f"iot/p2p/getBattery/{RUSTY}/{HELPER}/p/{request}/j"),
            (other, f"iot/p2p/getBattery/{DUSTY}/{HELPER}/p/{request}/j"),
            (robot, f"iot/p2p/getBattery/{DUSTY}/{HELPER}/p/zzzz/j"),
            (robot, f"iot/p2p/getStats/{DUSTY}/{HELPER}/p/{request}/j"),
            (robot, f"iot/p2p/getBattery/{DUSTY}/{HELPER}/p/{request}/q"),
        ):
            sender.publish(answer, b"{}")
        self.assertNoResult(asked)
        self.clock.advance(10)
        self.failureResultOf(asked, CommandTimedOut)

    def test_robot_goes(self) -> None:
        """When the robot goes, what it still owed fails at once."""
        robot = self.world.robot(DUSTY_ITSELF)
        asked = self.world.commands.send(GET_BATTERY)
        robot.line.drop()
        self.failureResultOf(asked, DeviceOffline)
        self.failureResultOf(self.world.commands.send(GET_BATTERY), DeviceOffline)

    def test_two_connections(self) -> None:
        """A robot with a new resource is reached there; the end of its old connection is none."""
        old = self.world.robot(DUSTY_ITSELF)
        moved = evolve(DUSTY_ITSELF, resource="new1")
        self.world.door.known[f"{moved.name}@{moved.realm}/new1"] = moved
        new = self.world.robot(moved)
        asked = self.world.commands.send(evolve(GET_BATTERY, device=moved.device))
        old.line.drop()
        self.assertNoResult(asked)
        new.answer(new.heard()[0], b"{}")
        self.successResultOf(asked)
        self.assertEqual((old.heard(), self.device().id), ([], moved.device))

    def test_xml(self) -> None:
        """XML goes both ways byte for byte (mqtt.md 13, 10)."""
        robot = self.world.robot(RUSTY_ITSELF)
        body, reply = (
            b"<ctl type='Brush'/>",
            b"<ctl ret='ok' type='Brush' left='220' total='300'/>",
        )
        command = evolve(
            GET_BATTERY, device=RUSTY, name="GetLifeSpan", body=body, kind=PayloadKind.XML
        )
        asked = self.world.commands.send(command)
        [question] = robot.heard()
        self.assertEqual((question.payload, question.topic[-2:]), (body, "/x"))
        robot.answer(question, reply)
        self.assertEqual(self.successResultOf(asked).body, reply)


class ReportTests(GatewayCase):
    """What robots report reaches telemetry, and what we know of them grows."""

    def setUp(self) -> None:
        super().setUp()
        self.robot = self.world.robot(DUSTY_ITSELF)

    def test_attached(self) -> None:
        """A robot that connects is registered with what it told (mqtt.md 2.3)."""
        device = self.device()
        self.assertEqual((device.id, device.name, device.company), (DUSTY, "E0001", Company.MQTT))
        self.assertEqual(device.bound_at, self.clock.seconds())
        self.assertTrue(verifyObject(IRobotLink, self.world.registry.link(DUSTY.did)))
        presence = self.world.gateway.robot_connected(RUSTY_ITSELF)
        self.assertTrue(verifyObject(IRobotPresence, presence))

    def test_user_is_no_robot(self) -> None:
        """Users and services create no robot, however they spell their realm (mqtt.md 13, 2)."""
        user = Principal(ALICE.role, "fuid_a1b2c3", "ecouser.net", "x")
        self.world.door.known["fuid_a1b2c3@ecouser.net/x"] = user
        self.assertEqual(self.world.connect("fuid_a1b2c3@ecouser.net/x").verdict(), 0)
        self.assertEqual([each.id for each in self.world.registry.devices()], [DUSTY])

    def test_report(self) -> None:
        """A report is recorded for its robot, at the time it came."""
        self.robot.publish(report_topic(DUSTY), b'{"body":{"data":{"value":87,"isLow":0}}}')
        [report] = self.reports
        self.assertEqual((report.did, report.reading), (DUSTY.did, Battery(87)))
        self.assertEqual(report.at, self.clock.seconds())

    def test_firmware_once(self) -> None:
        """Every message repeats the firmware version; it is news once, and remembered."""
        for _ in range(3):
            self.robot.publish(report_topic(DUSTY), BATTERY)
        self.assertEqual(self.readings().count(Firmware("1.8.2")), 1)
        self.assertEqual(self.device().firmware, "1.8.2")
        self.robot.publish(report_topic(DUSTY), BATTERY.replace(b"1.8.2", b"1.9.0"))
        self.assertEqual(self.device().firmware, "1.9.0")

    def test_kind_learned(self) -> None:
        """What a robot writes beats what its class suggests; binary teaches nothing."""
        self.assertIs(self.device().kind, PayloadKind.JSON)
        xml = b"<ctl ts='1' td='BatteryInfo'><battery power='087'/></ctl>"
        self.robot.publish(report_topic(DUSTY, "BatteryInfo", "x"), xml)
        self.robot.publish(report_topic(DUSTY, "map", "b"), b"\0\1\2")
        self.assertIs(self.device().kind, PayloadKind.XML)
        self.assertEqual(self.readings(), [Battery(87)])

    def test_changing_its_mind(self) -> None:
        """A robot that is something new with every message is not written down every time."""
        for number in range(MOST_CHANGES * 2):
            version = b"%d" % number
            self.robot.publish(report_topic(DUSTY), BATTERY.replace(b"1.8.2", version))
        self.assertEqual(self.device().firmware, str(MOST_CHANGES - 1))
        self.world.robot(DUSTY_ITSELF).publish(report_topic(DUSTY), BATTERY)
        self.assertEqual(self.device().firmware, "1.8.2")

    def test_unreadable(self) -> None:
        """What cannot be read is ignored, and its robot named at debug."""
        with capturedLogs() as events:
            for body in (b"", b"\xff\xfe", b"[" * 50_000, b"[]", b"<ctl/>", b'{"body":'):
                self.robot.publish(report_topic(DUSTY), body)
            self.robot.publish(report_topic(DUSTY, kind="x"), b"<!DOCTYPE a><a/>")
        said = [event["log_level"] for event in events if event.get("did") == DUSTY.did]
        self.assertEqual(said, [LogLevel.debug] * 7)
        self.assertEqual((self.reports, self.robot.line.over), ([], False))

    def test_outside_the_grammar(self) -> None:
        """Topics that match and do not fit the grammar are routed, and mean nothing to us."""
        alice = self.world.connect(ALICE)
        alice.subscribe(f"iot/atr/+/{DUSTY}/+")
        alice.take()
        for topic in (f"iot/atr/a b/{DUSTY}/j", f"iot/atr/onBattery/{DUSTY}/z"):
            self.robot.publish(topic, BATTERY)
        self.robot.publish(f"iot/p2p//{DUSTY}/{HELPER}/p/abcd/j", BATTERY)
        self.assertEqual((len(alice.heard()), self.reports), (2, []))

    def test_removed_robot(self) -> None:
        """A robot that was removed while connected talks to nobody, and breaks nothing."""
        self.successResultOf(self.world.registry.forget(DUSTY.did))
        self.robot.publish(report_topic(DUSTY), BATTERY)
        self.robot.publish(f"iot/p2p/getBattery/{DUSTY}/{HELPER}/p/abcd/j", BATTERY)
        self.assertEqual((self.reports, self.world.registry.devices()), ([], []))
        self.robot.line.drop()
        self.world.robot(DUSTY_ITSELF)
        self.assertEqual(self.device().name, "E0001")

    def test_catalogue(self) -> None:
        """A new robot's kind is what the catalogue says of its class."""
        self.world.robot(RUSTY_ITSELF)
        known = self.world.registry.device(RUSTY.did)
        self.assertEqual((known.kind, known.name), (RUSTY_DEVICE.kind, RUSTY_DEVICE.name))
