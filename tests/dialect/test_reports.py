"""No payload does harm: it is read, or it is a ValueError."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect import lenient, reports, reports_json, reports_xml
from bumper_tw.readings import Reading, from_values, to_values
from bumper_tw.values import PayloadKind

#: Every key that any decoder asks for.
KEYS = """
    header body code msg data ret fwVer value isLow isCharging mode trigger state cleanState id cid
    type content motionState robotState stationState paused area time start stop stopReason aitypes
    mapCount count deebotPos chargePos x y a invalid left total speed amount enable volume ip ssid
    rssi mac wi s st wm getBattery getStats getInfo getError
"""

ATTRIBUTES = """
    td ret ts id power type st speed rsn tr cs act sts s l a c last area mapCount new errs errno p
    valid left total val v on wi wm name
"""

JSON_NAMES = [*reports_json.DECODERS, "onStats", "reportStats", "onCleanInfo_V2", "onEvt", "x", ""]
XML_NAMES = [*reports_xml.DECODERS, "GetBatteryInfo", "GetError", "DustCaseST", ""]

numbers = st.integers() | st.floats() | st.sampled_from([0, 1, 111, 1e300, 2**53, 1767225600000])
scalars = st.none() | st.booleans() | numbers | st.text(max_size=8) | numbers.map(str)
keys = st.sampled_from(KEYS.split()) | st.text(max_size=4)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6),
    max_leaves=20,
)
bodies = st.fixed_dictionaries({"body": st.fixed_dictionaries({"data": anything})})
words = st.sampled_from(["", "s", "h", "ok", "fail", "0", "1,2", "1e400", "nan", "-1", "&<>"])
attributes = st.dictionaries(
    st.sampled_from(ATTRIBUTES.split()),
    words | numbers.map(str) | st.text("az&<>,.0:; é", max_size=9),
)
children = st.sampled_from(["battery", "charge", "clean", "ver", "m"])


def element(name: str, values: dict[str, str], inside: str = "") -> str:
    """An element as a careless robot writes it."""
    written = "".join(f" {key}='{value}'" for key, value in values.items())
    return f"<{name}{written}>{inside}</{name}>"


class AnyPayloadTests(SynchronousTestCase):
    """Whatever comes in, readings that can be kept come out."""

    def check(self, found: list[Reading]) -> None:
        """Readings survive the way to the database and back, and to a page."""
        for reading in found:
            text = json.dumps(to_values(reading), ensure_ascii=False, allow_nan=False)
            text.encode()
            self.assertEqual(from_values(reading.kind, json.loads(text)), reading)

    def try_decode(self, name: str, body: bytes, kind: PayloadKind) -> None:
        """Readings or a ValueError with a reason."""
        try:
            found = reports.decode(name, body, kind, 0.0)
        except ValueError as refused:
            self.assertTrue(str(refused))
        else:
            self.check(found)

    @settings(max_examples=300)
    @given(st.sampled_from(JSON_NAMES), bodies)
    def test_any_data(self, name: str, payload: dict[str, Any]) -> None:
        """Any data in the place of what a decoder expects."""
        self.try_decode(name, json.dumps(payload).encode(), PayloadKind.JSON)

    @given(st.sampled_from(JSON_NAMES), anything)
    def test_any_json(self, name: str, payload: Any) -> None:
        """Any JSON in the place of the envelope."""
        self.try_decode(name, json.dumps(payload).encode(), PayloadKind.JSON)

    @settings(max_examples=300)
    @given(st.sampled_from(XML_NAMES), attributes, children, attributes)
    def test_any_attributes(
        self, name: str, outer: dict[str, str], child: str, inner: dict[str, str]
    ) -> None:
        """Any attributes in any place."""
        text = element("ctl", outer, element(child, inner, "1.2"))
        self.check(reports.decode(name, text.encode(), PayloadKind.XML, 0.0))

    @given(
        st.sampled_from(["onBattery", "BatteryInfo"]), st.binary(), st.sampled_from(PayloadKind)
    )
    def test_any_bytes(self, name: str, body: bytes, kind: PayloadKind) -> None:
        """Any bytes in the place of a payload."""
        self.try_decode(name, body, kind)

    def test_unreadable(self) -> None:
        """What cannot be read at all is a ValueError."""
        for body, kind in (
            (b"", PayloadKind.JSON),
            (b"{", PayloadKind.JSON),
            (b"[]", PayloadKind.JSON),
            (b"7", PayloadKind.JSON),
            (b'{"body":{"data":{"value":NaN}}}', PayloadKind.JSON),
            (b'{"body":{"data":{"value":1e999}}}', PayloadKind.JSON),
            (b'{"a":' * 100_000, PayloadKind.JSON),
            (b'{"a":' * 9_000, PayloadKind.JSON),
            (b'{"a":[' + b"[]," * 100_000 + b"1]}", PayloadKind.JSON),
            (b'{"a":' * 40 + b"1" + b"}" * 40, PayloadKind.JSON),
            (b'{"a":' + b"9" * 5000 + b"}", PayloadKind.JSON),
            (b'{"a":"' + b"x" * (1 << 20) + b'"}', PayloadKind.JSON),
            (b"", PayloadKind.XML),
            (b"{}", PayloadKind.XML),
            (b"<html/>", PayloadKind.XML),
            (b"{}", PayloadKind.BINARY),
        ):
            self.assertRaises(ValueError, reports.decode, "onBattery", body, kind, 0.0)


class LenientTests(SynchronousTestCase):
    """Numbers, flags and words in every spelling."""

    def test_numbers(self) -> None:
        """A number is a number however it is written, within what others can hold."""
        for value, expected in (
            (87, 87),
            ("087", 87),
            (" 87 ", 87),
            (87.9, 87),
            ("-58", -58),
            (True, 1),
            (None, None),
            ("", None),
            ("1" * 40, None),
            ("inf", None),
            (float("nan"), None),
            (2**60, None),
            ([], None),
        ):
            self.assertEqual(lenient.number(value), expected, value)

    def test_moments(self) -> None:
        """Milliseconds become seconds; zero is no moment (mqtt.md 11)."""
        for value, expected in (
            (1767225600, 1767225600),
            ("1767225600123", 1767225600),
            (0, None),
            (-5, None),
            ("", None),
        ):
            self.assertEqual(lenient.seconds(value), expected, value)

    def test_words(self) -> None:
        """A word is bounded; a number may stand for one."""
        for value, expected in (("auto", "auto"), (122, "122"), (1.0, "1"), (True, ""), ([], "")):
            self.assertEqual(lenient.text(value), expected, value)
        self.assertEqual(len(lenient.text("x" * 1000)), lenient.MAX_TEXT)

    def test_flags(self) -> None:
        """A switch is on, off or not said."""
        for value, expected in ((1, True), ("0", False), (False, False), ("on", None), ({}, None)):
            self.assertIs(lenient.flag(value), expected, value)

    def test_broken_characters(self) -> None:
        """Half a character is replaced, a whole one kept."""
        halves = lenient.load(rb'{"a":"\ud83d","b":"\ud83d\ude00"}')
        self.assertEqual(halves, {"a": "?", "b": "\N{GRINNING FACE}"})
