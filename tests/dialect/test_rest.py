"""Three spellings of a command and of its answer."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect import rest
from bumper_tw.errors import (
    AnswerGarbled,
    BadRequest,
    CommandFailed,
    CommandTimedOut,
    DeviceOffline,
    DeviceUnknown,
    RobotBusy,
)
from bumper_tw.values import Command, DeviceId, PayloadKind, Reply, RequestId

DEVICE = DeviceId("did1", "yna5xi", "res1")
V1 = {
    "cmdName": "getBattery",
    "payload": {"header": {"pri": "1"}},
    "payloadType": "j",
    "td": "q",
    "toId": "did1",
    "toType": "yna5xi",
    "toRes": "res1",
}
V2 = {"eid": "did1", "et": "yna5xi", "er": "res1", "apn": "getBattery", "fmt": "j"}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def tile(cmd: str, **data: Any) -> dict[str, Any]:
    """A request of the home screen."""
    asked = {"cmd": cmd, "did": "did1", "mid": "yna5xi", "res": "res1", "data": data}
    return {"todo": "RobotControl", "data": {"ctl": {"Any": asked}}}


def reply(body: bytes, name: str = "getBattery", kind: PayloadKind = PayloadKind.JSON) -> Reply:
    """What a robot said."""
    return Reply(Command(DEVICE, name, b"", kind), RequestId("AbCd"), body)


class FirstSpellingTests(SynchronousTestCase):
    """C{devmanager.do}."""

    def test_json(self) -> None:
        """The payload goes out compact, and otherwise as it came."""
        self.assertEqual(
            rest.command_v1(V1), Command(DEVICE, "getBattery", b'{"header":{"pri":"1"}}')
        )

    def test_xml(self) -> None:
        """XML is passed through as it is."""
        text = '<ctl type="Brush"/>'
        command = rest.command_v1({**V1, "payloadType": "x", "payload": text})
        assert command is not None
        self.assertEqual((command.kind, command.body), (PayloadKind.XML, text.encode()))

    def test_only_did(self) -> None:
        """Class, resource and kind may be missing."""
        command = rest.command_v1({"toId": "did1", "cmdName": "charge", "payload": {}})
        self.assertEqual(command, Command(DeviceId("did1", "", ""), "charge", b"{}"))

    def test_form(self) -> None:
        """A form can carry an object as text only."""
        command = rest.command_v1({**V1, "payload": '{"a": 1}'})
        assert command is not None
        self.assertEqual(command.body, b'{"a": 1}')

    def test_no_robot(self) -> None:
        """Without a robot it is none."""
        for did in (None, ""):
            self.assertIsNone(rest.command_v1({**V1, "toId": did}))

    def test_refused(self) -> None:
        """What no robot could be asked: above all, names that would be levels of a topic."""
        wrongs: tuple[dict[str, Any], ...] = (
            {"cmdName": "a/b"},
            {"cmdName": "+"},
            {"cmdName": ""},
            {"cmdName": 7},
            {"cmdName": "x" * 65},
            {"cmdName": "get\n"},
            {"payload": None},
            {"payload": "no json"},
            {"payloadType": "x"},
            {"payloadType": "b"},
            {"payloadType": []},
            {"toId": 7},
            {"toType": {}},
        )
        for wrong in wrongs:
            self.assertRaises(BadRequest, rest.command_v1, {**V1, **wrong})

    @given(st.dictionaries(st.sampled_from(sorted(V1)), values))
    def test_anything(self, body: dict[str, Any]) -> None:
        """Whatever is in the body, it is a command, or none, or a bad request."""
        try:
            command = rest.command_v1({**V1, **body})
        except BadRequest:
            return
        self.assertIsInstance(command, Command | None)


class SecondSpellingTests(SynchronousTestCase):
    """C{endpoint/control}."""

    def test_json(self) -> None:
        """The body is the payload, untouched."""
        raw = b'{ "body": {} }'
        self.assertEqual(rest.command_v2(V2, raw), Command(DEVICE, "getBattery", raw))

    def test_xml(self) -> None:
        """XML comes as a JSON string."""
        command = rest.command_v2({**V2, "fmt": "x"}, b'"<ctl/>"')
        self.assertEqual((command.body, command.kind), (b"<ctl/>", PayloadKind.XML))

    def test_refused(self) -> None:
        """No robot, no JSON, no text for XML, no name."""
        for wrong, raw in (
            ({"eid": ""}, b"{}"),
            ({}, b"{"),
            ({}, b""),
            ({"fmt": "x"}, b"{}"),
            ({"fmt": "q"}, b"{}"),
            ({"apn": "a#"}, b"{}"),
        ):
            self.assertRaises(BadRequest, rest.command_v2, {**V2, **wrong}, raw)


class TileTests(SynchronousTestCase):
    """C{RobotControl}."""

    def test_names(self) -> None:
        """The app's names become the robot's."""
        for label, name in (
            ("GetChargeState", "getChargeState"),
            ("GetBatteryInfo", "getBattery"),
            ("getBattery", "getBattery"),
            ("charge", "charge"),
        ):
            found = rest.command_p2p(tile(label))
            self.assertEqual((found.label, found.command.name), (label, name))

    def test_acts(self) -> None:
        """The steps of a job are spelt out."""
        for short, act in (
            ("s", "start"),
            ("p", "pause"),
            ("r", "resume"),
            ("t", "stop"),
            ("x", "x"),
        ):
            command = rest.command_p2p(tile("clean", act=short, type="auto")).command
            self.assertEqual(
                json.loads(command.body), {"body": {"data": {"act": act, "type": "auto"}}}
            )

    def test_refused(self) -> None:
        """What is nested wrongly is a bad request."""
        bodies: tuple[dict[str, Any], ...] = (
            {},
            {"data": []},
            {"data": {"ctl": []}},
            {"data": {"ctl": {}}},
            {"data": {"ctl": {"A": 7}}},
            {"data": {"ctl": {"A": {"cmd": "a/b"}}}},
        )
        for body in bodies:
            self.assertRaises(BadRequest, rest.command_p2p, body)

    def test_answers(self) -> None:
        """What a tile shows."""
        for label, said, shown in (
            (
                "GetBatteryInfo",
                {"body": {"data": {"value": 77}}},
                {"GetBatteryInfo": {"did": "did1", "ret": "ok", "power": 77}},
            ),
            (
                "GetChargeState",
                {"body": {"data": {"isCharging": 1}}},
                {"GetChargeState": {"did": "did1", "ret": "ok", "type": "SlotCharging"}},
            ),
            (
                "GetChargeState",
                {"body": {"data": 5}},
                {"GetChargeState": {"did": "did1", "ret": "ok", "type": "SlotIdle"}},
            ),
            ("charge", {"body": {"msg": "ok"}}, {"clean": {"did": "did1", "ret": "ok"}}),
            ("clean", {}, {"clean": {"did": "did1", "ret": "error"}}),
            ("GetFoo", {"body": []}, {"GetFoo": {"did": "did1", "ret": "ok"}}),
        ):
            found = rest.command_p2p(tile(label))
            self.assertEqual(rest.success_p2p(found, reply(json.dumps(said).encode())), shown)

    def test_garbled(self) -> None:
        """An answer that is no object shows nothing."""
        found = rest.command_p2p(tile("charge"))
        for said in (b"[]", b"nonsense"):
            self.assertRaises(AnswerGarbled, rest.success_p2p, found, reply(said))


class AnswerTests(SynchronousTestCase):
    """What goes back to whoever asked."""

    def test_object(self) -> None:
        """A JSON answer is embedded byte for byte."""
        said = b'{ "body":{"data": {"value": 77} } }'
        self.assertEqual(
            rest.success_v1(reply(said)),
            b'{"id":"AbCd","ret":"ok","resp":%b,"payloadType":"j"}' % said,
        )

    def test_no_object(self) -> None:
        """JSON that is no object becomes a text."""
        self.assertEqual(json.loads(rest.success_v1(reply(b"[1]")))["resp"], "[1]")

    def test_xml(self) -> None:
        """XML is a text, with broken UTF-8 mended."""
        answer = json.loads(rest.success_v1(reply(b"<ctl a='\xff'/>", kind=PayloadKind.XML)))
        self.assertEqual((answer["resp"], answer["payloadType"]), ("<ctl a='\ufffd'/>", "x"))

    def test_garbled(self) -> None:
        """What is no JSON would break the answer around it, and is refused."""
        for said in (
            b"",
            b"{",
            b'{"a":1}}',
            b'{"a":NaN}',
            b"\xff",
            b'{"a":1},"x":{',
            b"[" * 90000,
        ):
            self.assertRaises(AnswerGarbled, rest.success_v1, reply(said))

    @given(st.binary(max_size=40) | values.map(lambda value: json.dumps(value).encode()))
    def test_always_json(self, said: bytes) -> None:
        """Whatever a robot says, the answer is valid JSON with four fields, or a failure."""
        try:
            answer = rest.success_v1(reply(said))
        except AnswerGarbled:
            return
        self.assertEqual(list(json.loads(answer)), ["id", "ret", "resp", "payloadType"])

    def test_failures(self) -> None:
        """Home Assistant reads C{errno}, other clients the text."""
        cases: list[tuple[CommandFailed, int, str]] = [
            (DeviceOffline("gone"), 4200, "endpoint offline"),
            (DeviceUnknown("who"), 500, "requested bot is not supported"),
            (CommandTimedOut("10 s"), 500, "wait for response timed out"),
            (RobotBusy("too much"), 500, "too much"),
        ]
        for why, errno, text in cases:
            self.assertEqual(
                rest.failure("AbCd", why),
                {"id": "AbCd", "ret": "fail", "errno": errno, "error": text, "debug": text},
            )
