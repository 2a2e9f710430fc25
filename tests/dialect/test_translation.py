"""Tests for L{bumper_tw.dialect.translation}: one way of asking for all robots."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect import translation
from bumper_tw.dialect.markup import Element
from bumper_tw.dialect.phrases import Phrase, Situation
from bumper_tw.errors import BadRequest
from tests.dialect.translated import ANSWERED, ASKED, IMPOSSIBLE

HERE = Situation("ls1ok3", 1_767_225_600.5, "strong")


def payload(data: object) -> bytes:
    """A command's payload."""
    value: dict[str, Any] = {"header": {"pri": "1"}}
    return json.dumps(value if data is None else value | {"body": {"data": data}}).encode()


def body(name: str, data: object, answers: Sequence[str | None]) -> Any:
    """The body of what a JSON robot would have answered."""
    asked = translation.translate(name, payload(data), HERE)
    said = [None if each is None else translation.element(each.encode()) for each in answers]
    return json.loads(translation.answer(asked, said, HERE.now, "1.4.2"))["body"]


class TableTests(SynchronousTestCase):
    """Every command there and back."""

    def test_asked(self) -> None:
        """A command becomes these questions."""
        for name, data, expected in ASKED:
            asked = translation.translate(name, payload(data), HERE)
            found = [(each.name, each.body.decode()) for each in asked.questions]
            self.assertEqual(found, expected, (name, data))

    def test_answered(self) -> None:
        """Their answers become this one."""
        for name, data, answers, expected in ANSWERED:
            fine: dict[str, Any] = {"code": 0, "msg": "ok"}
            wanted = fine if expected is None else {**fine, "data": expected}
            self.assertEqual(body(name, data, answers), wanted, (name, data))

    def test_all_have_a_row(self) -> None:
        """No command is in the table without a sample of it."""
        sampled = {name for name, _, _ in ASKED} | {name for name, _, _, _ in ANSWERED}
        self.assertEqual(set(translation.COMMANDS) - sampled, set())

    def test_impossible(self) -> None:
        """What has no equivalent is refused, and says so."""
        for name, data in IMPOSSIBLE:
            self.assertRaises(BadRequest, translation.translate, name, payload(data), HERE)


class RefusalTests(SynchronousTestCase):
    """What a robot does not do."""

    def test_refused(self) -> None:
        """The robot's own number, and a few that JSON robots call something else."""
        denied = "<ctl ret='fail' errno='103' error='permission denied'/>"
        wedged = "it waits for somebody to press its button"
        for name, said, expected, words in (
            ("charge", "<ctl ret='fail' errno='8'/>", 30007, "fail"),
            ("charge", "<ctl ret='fail' errno='5'/>", 5, wedged),
            ("getBattery", "<ctl ret='fail' errno='8'/>", 8, "fail"),
            ("getBattery", "<ctl ret='fail'/>", 20003, "fail"),
            ("getSpeed", denied, 103, "permission denied"),
        ):
            self.assertEqual(body(name, None, [said]), {"code": expected, "msg": words})

    def test_first(self) -> None:
        """What goes on is not known without the first answer."""
        answers = ["<ctl ret='fail' errno='7'/>", "<ctl ret='ok'><charge type='Going'/></ctl>"]
        self.assertEqual(body("getCleanInfo", None, answers), {"code": 7, "msg": "fail"})
        asked = translation.translate("getCleanInfo", b"{}", HERE)
        there = translation.element(b"<ctl ret='ok'/>")
        self.assertFalse(translation.is_answered(asked, [None, there]))
        self.assertTrue(translation.is_answered(asked, [there, None]))

    def test_all_refused(self) -> None:
        """Several questions fail when each of them does."""
        answers = ["<ctl ret='fail' errno='1'/>", "<ctl ret='fail' errno='2'/>"]
        self.assertEqual(body("getPos", None, answers), {"code": 1, "msg": "fail"})

    def test_garbled(self) -> None:
        """An answer without what was asked is none."""
        for name in ("getBattery", "getChargeState", "getSleep", "getOta", "getBlock", "getStats"):
            self.assertRaises(ValueError, body, name, None, ["<ctl ret='ok'/>"])
        self.assertRaises(ValueError, body, "getPos", ["deebotPos"], ["<ctl ret='ok' p='x'/>"])


class DetailTests(SynchronousTestCase):
    """Around the table."""

    def test_header(self) -> None:
        """The answer has a header with the firmware, if that is known."""
        asked = translation.translate("playSound", b"{}", HERE)
        said = [translation.element(b"<ctl ret='ok'/>")]
        for firmware, more in (("1.4.2", {"fwVer": "1.4.2"}), ("", {})):
            header = json.loads(translation.answer(asked, said, 1.5, firmware))["header"]
            self.assertEqual(header, {"pri": 1, "ts": "1500", "ver": "0.0.1", **more})

    def test_percent(self) -> None:
        """The oldest line tells percent, and takes them (mqtt.md 8.3)."""
        old = Situation("126")
        asked = translation.translate("getLifeSpan", payload(["brush"]), old)
        said = [translation.element(b"<ctl ret='ok' type='Brush' val='095' total='365'/>")]
        data = json.loads(translation.answer(asked, said, 0, ""))["body"]["data"]
        self.assertEqual(data, [{"type": "brush", "left": 95, "total": 100}])
        reset = translation.translate("resetLifeSpan", payload({"type": "brush"}), old)
        [question] = reset.questions
        self.assertEqual(question.name, "SetLifeSpan")
        self.assertEqual(question.body, b"<ctl type='Brush' val='100'/>")

    def test_arguments(self) -> None:
        """With an envelope and without one; what is no object is refused."""
        for raw, expected in (
            (b"", None),
            (b"{}", None),
            (b'{"header":{}}', None),
            (b'{"body":{}}', None),
            (b'{"body":{"data":[1]}}', [1]),
            (b'{"act":"go"}', {"act": "go"}),
        ):
            self.assertEqual(translation.arguments(raw), expected)
        for raw in (b"[]", b"7", b"{", b"\xff"):
            self.assertRaises(BadRequest, translation.arguments, raw)
        self.assertTrue(translation.is_empty(b'{"body":{"data":{}}}'))

    def test_platform(self) -> None:
        """An answer without an envelope has the attributes of the XML."""
        said = translation.element(b"<ctl id='1' ret='ok' wi='192.0.2.31' s='home'/>")
        expected = {"ret": "ok", "wi": "192.0.2.31", "s": "home"}
        self.assertEqual(json.loads(translation.platform_answer(said)), expected)

    def test_names(self) -> None:
        """Names in JSON begin with a small letter."""
        self.assertTrue(translation.is_json("getBattery"))
        for name in ("GetBatteryInfo", "", "10001"):
            self.assertFalse(translation.is_json(name))

    def test_no_element(self) -> None:
        """What a robot answers has to be a C{ctl} element."""
        for raw in (b"", b"{}", b"<a/>", b"<ctl>"):
            self.assertRaises(ValueError, translation.element, raw)

    @given(
        st.sampled_from(sorted(translation.COMMANDS)),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["act", "type", "content", "value", "enable", "speed", "sid"]),
                    inner,
                )
            ),
            max_leaves=8,
        ),
    )
    def test_any_arguments(self, name: str, data: object) -> None:
        """Whatever the arguments are, XML comes out or a refusal."""
        try:
            asked = translation.COMMANDS[name](data, HERE)
        except BadRequest:
            return
        self.assertIsInstance(asked, Phrase)
        for question in asked.questions:
            self.assertEqual(translation.element(question.body).name, "ctl")

    @given(
        st.sampled_from(sorted(translation.COMMANDS)),
        st.dictionaries(st.sampled_from("stalmpiv"), st.text()),
        st.sampled_from(["", "clean", "battery", "charge", "s", "ver", "CleanSt"]),
    )
    def test_any_answer(self, name: str, attributes: dict[str, str], child: str) -> None:
        """Whatever the robot answers, JSON comes out or a L{ValueError}."""
        data = {"act": "stop", "enable": 1, "type": "ar", "msid": "1", "mssid": "1", "speed": 1}
        data |= {"amount": 1, "pieceIndex": 1, "tzm": 1}
        if name in {"charge", "resetLifeSpan"}:
            data = {"type": "heap"}
        inside = [Element(child, attributes)] if child else []
        said = Element("ctl", attributes, inside)
        asked = translation.translate(name, payload(data), HERE)
        try:
            answer = translation.answer(asked, [said] * len(asked.questions), 0, "")
        except ValueError:
            return
        self.assertEqual(json.loads(answer)["header"]["pri"], 1)
