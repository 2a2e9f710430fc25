"""Tests for L{bumper_tw.core.translation}."""

import json
from typing import Any

from attrs import evolve
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from bumper_tw.core.commands import CommandCorrelator, request_ids
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.telemetry import Telemetry
from bumper_tw.core.translation import TranslatingCorrelator
from bumper_tw.dialect import rest
from bumper_tw.errors import (
    AnswerGarbled,
    BadRequest,
    CommandTimedOut,
    DeviceOffline,
    DeviceUnknown,
)
from bumper_tw.interfaces import ICommandCorrelator
from bumper_tw.readings import FanSpeed, Report, Water
from bumper_tw.storage.memory import MemoryDeviceStore
from bumper_tw.values import Command, Company, Device, DeviceId, PayloadKind, Reply
from tests.samples import DUSTY_DEVICE, RUSTY, RUSTY_DEVICE, RecordingLink

OLDIE = DeviceId("E0009876500123450001", "126", "atom")
OLDIE_DEVICE = Device(OLDIE, company=Company.XMPP, kind=PayloadKind.XML, firmware="0.16.1")
OZMO = DeviceId("E0009876500123450002", "115", "atom")
OZMO_DEVICE = Device(OZMO, company=Company.XMPP, kind=PayloadKind.XML)
#: A robot in its dock.
CHARGING = "<ctl ret='ok'><charge type='SlotCharging' g='0'/></ctl>"
NOW = 1_795_000_000.25


class TranslationCase(SynchronousTestCase):
    """Some robots, and a correlator in front of the real one."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.registry = DeviceRegistry(self.clock, MemoryDeviceStore())
        self.inner = CommandCorrelator(self.clock, self.registry, request_ids(7))
        self.telemetry = Telemetry()
        self.commands = TranslatingCorrelator(
            self.clock, self.inner, self.registry, self.telemetry
        )
        self.link = RecordingLink()
        for device in (DUSTY_DEVICE, RUSTY_DEVICE, OLDIE_DEVICE, OZMO_DEVICE):
            self.registry.attach(device, self.link)

    def send(self, name: str, data: object = None, device: DeviceId = RUSTY) -> Deferred[Reply]:
        """Ask in JSON."""
        value = {"header": {"pri": "1"}} | ({} if data is None else {"body": {"data": data}})
        return self.commands.send(Command(device, name, json.dumps(value).encode()))

    def asked(self) -> list[tuple[str, bytes, PayloadKind]]:
        """What robots were asked so far."""
        return [(each.name, each.body, each.kind) for each, _ in self.link.delivered]

    def raw(self, device: DeviceId, name: str, body: bytes) -> Deferred[Reply]:
        """Ask in XML."""
        return self.commands.send(Command(device, name, body, PayloadKind.XML))

    def answered(self, asked: Deferred[Reply], body: str) -> Deferred[Reply]:
        """A question whose answer has come."""
        self.answer(body)
        return asked

    def answer(self, *bodies: str) -> None:
        """The robot answers what it was asked, in this order."""
        for (command, request), body in zip(self.link.delivered, bodies, strict=True):
            self.commands.replied(command.device, command.name, request, body.encode())

    def body(self, reply: Deferred[Reply]) -> Any:
        """The body of an answer in JSON."""
        return json.loads(self.successResultOf(reply).body)["body"]


class TranslatedTests(TranslationCase):
    """JSON names for XML robots."""

    def test_round_trip(self) -> None:
        """The robot is asked in XML, and answers in JSON."""
        for device, firmware in ((RUSTY, {}), (OLDIE, {"fwVer": "0.16.1"})):
            self.link.delivered.clear()
            reply = self.send("getBattery", device=device)
            self.assertEqual(self.asked(), [("GetBatteryInfo", b"<ctl/>", PayloadKind.XML)])
            self.answer("<ctl ret='ok'><battery power='087'/></ctl>")
            found = self.successResultOf(reply)
            expected = {
                "header": {"pri": 1, "ts": "1795000000250", "ver": "0.0.1", **firmware},
                "body": {"code": 0, "msg": "ok", "data": {"value": 87, "isLow": 0}},
            }
            self.assertEqual(json.loads(found.body), expected)
            self.assertEqual(found.command.name, "getBattery")
            self.assertIs(found.command.kind, PayloadKind.JSON)
            self.assertEqual(found.request, self.link.requests[0])

    def test_tiles(self) -> None:
        """The tiles of the app's home screen show either generation alike."""
        for label, data, said, expected in (
            ("GetBatteryInfo", None, "<ctl><battery power='087'/></ctl>", {"power": 87}),
            ("GetChargeState", None, CHARGING, {"type": "SlotCharging"}),
            ("clean", {"act": "s", "type": "auto"}, "<ctl ret='ok'/>", {"ret": "ok"}),
            ("charge", {"act": "go"}, "<ctl ret='fail' errno='8'/>", {"ret": "fail"}),
        ):
            self.link.delivered.clear()
            asked = {"cmd": label, "did": RUSTY.did, "data": data}
            tile = rest.command_p2p({"data": {"ctl": {"x": asked}}})
            reply = self.commands.send(evolve(tile.command, device=RUSTY))
            self.answer(said)
            [shown] = rest.success_p2p(tile, self.successResultOf(reply)).values()
            self.assertEqual(shown, {"did": RUSTY.did, "ret": "ok", **expected})

    def test_several_questions(self) -> None:
        """One command may need several; the answer waits for all of them."""
        reply = self.send("getLifeSpan", ["brush", "heap"])
        self.assertEqual(
            [body for _, body, _ in self.asked()],
            [b"<ctl type='Brush'/>", b"<ctl type='DustCaseHeap'/>"],
        )
        (brush, one), (heap, two) = self.link.delivered
        self.commands.replied(
            heap.device, heap.name, two, b"<ctl ret='ok' type='DustCaseHeap' left='1' total='2'/>"
        )
        self.assertNoResult(reply)
        self.commands.replied(
            brush.device, brush.name, one, b"<ctl ret='ok' type='Brush' left='3' total='4'/>"
        )
        self.assertEqual(
            self.body(reply)["data"],
            [
                {"type": "brush", "left": 3, "total": 4},
                {"type": "heap", "left": 1, "total": 2},
            ],
        )

    def test_some_silent(self) -> None:
        """What is answered is told, also when the robot is silent on the rest."""
        reply = self.send("getPos", ["deebotPos", "chargePos"])
        [(command, request), _] = self.link.delivered
        self.commands.replied(
            command.device, command.name, request, b"<ctl ret='ok' p='1,2' a='3' valid='1'/>"
        )
        self.clock.advance(10)
        place = {"x": 1, "y": 2, "a": 3, "invalid": 0}
        self.assertEqual(self.body(reply)["data"], {"deebotPos": place})

    def test_needed(self) -> None:
        """Without the answer that is needed there is none."""
        reply = self.send("getCleanInfo")
        [_, (command, request)] = self.link.delivered
        self.commands.replied(
            command.device, command.name, request, b"<ctl ret='ok'><charge type='Idle'/></ctl>"
        )
        self.clock.advance(10)
        self.failureResultOf(reply, CommandTimedOut)

    def test_all_silent(self) -> None:
        """A robot that answers nothing times out once, after the time that was given."""
        command = Command(RUSTY, "getPos", b"{}")
        reply = self.commands.send(command, timeout=3)
        self.clock.advance(3)
        self.failureResultOf(reply, CommandTimedOut)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_refused(self) -> None:
        """A refusal is an answer, with the code of a JSON robot."""
        reply = self.send("charge", {"act": "go"})
        self.answer("<ctl ret='fail' errno='8'/>")
        self.assertEqual(self.body(reply), {"code": 30007, "msg": "fail"})

    def test_garbled(self) -> None:
        """An answer that makes no sense."""
        for said in ("nonsense", "<ctl ret='ok'/>", "<battery/>"):
            self.link.delivered.clear()
            reply = self.send("getBattery")
            self.answer(said)
            self.failureResultOf(reply, AnswerGarbled)

    def test_suction(self) -> None:
        """A job is started with the suction the robot was last heard with."""
        reply = self.send("clean", {"act": "start"})
        self.telemetry.record(Report(RUSTY.did, FanSpeed("strong"), NOW))
        self.send("clean", {"act": "start"}).addErrback(lambda _: None)
        first, second = (body for _, body, _ in self.asked())
        self.assertIn(b"speed='standard'", first)
        self.assertIn(b"speed='strong'", second)
        reply.addErrback(lambda _: None)

    def test_suction_set(self) -> None:
        """So is one behind a change of the suction, which robots do not report."""
        for device, send in (
            (RUSTY, lambda: self.send("setSpeed", {"speed": 2})),
            (OLDIE, lambda: self.raw(OLDIE, "SetCleanSpeed", b"<ctl speed='strong'/>")),
        ):
            for answer, speed in (
                ("<ctl ret='fail'/>", "standard"),
                ("<ctl ret='ok'/>", "strong"),
            ):
                self.link.delivered.clear()
                self.successResultOf(self.answered(send(), answer))
                self.link.delivered.clear()
                self.send("clean", {"act": "start"}, device).addErrback(lambda _: None)
                [(_, body, _)] = self.asked()
                self.assertIn(f"speed='{speed}'".encode(), body)

    def test_water_set(self) -> None:
        """How wet it mops is known as soon as the robot has agreed; and whether it can, stays."""
        self.telemetry.record(Report(RUSTY.did, Water(4, True), NOW))
        for answer, amount in (("<ctl ret='fail'/>", 4), ("<ctl ret='ok'/>", 2)):
            self.link.delivered.clear()
            self.successResultOf(self.answered(self.send("setWaterInfo", {"amount": 2}), answer))
            [report] = self.telemetry.latest(RUSTY.did)
            self.assertEqual(report.reading, Water(amount, True))

    def test_refused_in_words(self) -> None:
        """What a robot says of its reasons gets through."""
        for said, told in (
            ("<ctl ret='fail' error='busy with another job'/>", (20003, "busy with another job")),
            ("<ctl ret='fail' errno='5'/>", (5, "it waits for somebody to press its button")),
            ("<ctl ret='fail' errno='17'/>", (17, "fail")),
        ):
            self.link.delivered.clear()
            body = self.body(self.answered(self.send("charge", {"act": "go"}), said))
            self.assertEqual((body["code"], body["msg"]), told)

    def test_pause(self) -> None:
        """A robot that goes by the type of a job is halted, and does not begin another one."""
        for device, kind in ((RUSTY, b"auto"), (OLDIE, b"stop"), (OZMO, b"auto")):
            self.link.delivered.clear()
            self.send("clean", {"act": "pause"}, device).addErrback(lambda _: None)
            [(_, body, _)] = self.asked()
            self.assertIn(b"type='%b' act='p'" % kind, body)

    def test_find(self) -> None:
        """Where a robot is, it says under another number in each generation."""
        for device, sid, number in ((RUSTY, 30, b"30"), (OLDIE, 30, b"0"), (OLDIE, 17, b"17")):
            self.link.delivered.clear()
            self.send("playSound", {"sid": sid}, device).addErrback(lambda _: None)
            [(_, body, _)] = self.asked()
            self.assertEqual(body, b"<ctl sid='%b'/>" % number)

    def test_no_equivalent(self) -> None:
        """What cannot be said in XML fails at once, and names robot and command."""
        failure = self.failureResultOf(self.send("getVolume"), BadRequest)
        self.assertIn(RUSTY.did, str(failure.value))
        self.assertIn("getVolume", str(failure.value))
        self.failureResultOf(
            self.commands.send(Command(RUSTY, "getBattery", b"nonsense")), BadRequest
        )
        self.assertEqual(self.asked(), [])

    def test_hung_up(self) -> None:
        """Whoever asked has gone: all of the questions are dropped."""
        reply = self.send("getPos")
        reply.cancel()
        self.failureResultOf(reply, CancelledError)
        self.assertEqual(self.inner.waiting, 0)

    def test_robot_goes(self) -> None:
        """When the robot goes, so do the questions."""
        reply = self.send("getPos")
        self.commands.detached(RUSTY)
        self.failureResultOf(reply, DeviceOffline)

    def test_forgotten(self) -> None:
        """A robot that is removed while it is asked."""
        reply = self.send("getBattery")
        self.registry.forget(RUSTY.did)
        self.answer("<ctl ret='ok'><battery power='087'/></ctl>")
        self.failureResultOf(reply, DeviceUnknown)


class PassedTests(TranslationCase):
    """What goes as it is."""

    def test_interface(self) -> None:
        """It stands in for any other correlator."""
        self.assertTrue(verifyObject(ICommandCorrelator, self.commands))

    def test_json_robots(self) -> None:
        """A JSON robot hears what was said, byte for byte."""
        for name in ("getBattery", "GetNetInfo"):
            command = Command(DUSTY_DEVICE.id, name, b'{"a":  1}')
            self.commands.send(command).addErrback(lambda _: None)
            self.assertEqual(self.link.delivered[-1][0], command)

    def test_xml_commands(self) -> None:
        """XML passes to whomever it is for, and so does its answer."""
        for device in (RUSTY, OLDIE, DUSTY_DEVICE.id):
            self.link.delivered.clear()
            command = Command(device, "GetLifeSpan", b"<ctl type='Brush'/>", PayloadKind.XML)
            reply = self.commands.send(command)
            self.assertEqual(self.link.delivered[0][0], command)
            self.answer("<ctl ret='ok' val='1'/>")
            self.assertEqual(self.successResultOf(reply).body, b"<ctl ret='ok' val='1'/>")

    def test_platform(self) -> None:
        """Robots behind MQTT know platform commands in JSON (mqtt.md 7.5)."""
        for name in ("GetWKVer", "getWKVer", "SetTime"):
            command = Command(RUSTY, name, b'{"ts":1}')
            self.commands.send(command).addErrback(lambda _: None)
            self.assertEqual(self.link.delivered[-1][0], command)

    def test_platform_over_xmpp(self) -> None:
        """Others are asked in XML; the answer is an object without an envelope."""
        reply = self.send("GetNetInfo", device=OLDIE)
        self.assertEqual(self.asked(), [("GetNetInfo", b"<ctl/>", PayloadKind.XML)])
        self.answer("<ctl ret='ok' wi='192.0.2.31' s='home'/>")
        found = self.successResultOf(reply)
        self.assertEqual(json.loads(found.body), {"ret": "ok", "wi": "192.0.2.31", "s": "home"})
        self.assertIs(found.command.kind, PayloadKind.JSON)

    def test_arguments_over_xmpp(self) -> None:
        """Arguments in JSON for a name in XML cannot be said."""
        failure = self.failureResultOf(self.send("SetTime", {"ts": 1}, OLDIE), BadRequest)
        self.assertIn("SetTime", str(failure.value))

    def test_unknown_robot(self) -> None:
        """Nobody has seen it; or it is away."""
        ghost = evolve(RUSTY, did="ghost")
        self.failureResultOf(self.send("getBattery", device=ghost), DeviceUnknown)
        self.registry._links.clear()
        self.failureResultOf(self.send("getBattery"), DeviceOffline)
