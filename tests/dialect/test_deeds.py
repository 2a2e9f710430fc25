"""Tests for L{bumper_tw.dialect.deeds}."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect.deeds import deed
from bumper_tw.values import Command, DeviceId, PayloadKind

ROBOT = DeviceId("d1", "yna5xi", "x")


def told(name: str, data: Any) -> Command:
    """A command in JSON."""
    return Command(ROBOT, name, json.dumps({"body": {"data": data}}).encode())


def told_in_xml(name: str, body: bytes) -> Command:
    """A command in XML."""
    return Command(ROBOT, name, body, PayloadKind.XML)


class DeedTests(SynchronousTestCase):
    """Words for commands."""

    def test_json(self) -> None:
        """Both spellings of a job, settings, and orders; questions have none."""
        for name, data, words in (
            ("clean", {"act": "start", "type": "auto"}, "Clean"),
            ("clean_V2", {"act": "start", "content": {"type": "spotArea"}}, "Clean rooms"),
            ("clean", {"act": "start", "type": "customArea"}, "Clean a zone"),
            ("clean", {"act": "pause", "type": "auto"}, "Pause"),
            ("clean_V2", {"act": "resume", "content": {}}, "Go on"),
            ("clean", {"act": "stop"}, "Stop"),
            ("clean", {"act": 7}, ""),
            ("charge", {"act": "go"}, "Send home"),
            ("setSpeed", {"speed": 2}, "Suction: Strongest"),
            ("setWaterInfo", {"amount": 3}, "Water: High"),
            ("setVolume", {"volume": 7}, "Volume: 7"),
            ("getBattery", None, ""),
        ):
            self.assertEqual(deed(told(name, data)), words, (name, data))

    def test_xml(self) -> None:
        """The same of the other generation."""
        for name, body, words in (
            ("Clean", b"<ctl><clean type='auto' act='s'/></ctl>", "Clean"),
            ("Clean", b"<ctl><clean type='SpotArea' act='s' mid='1'/></ctl>", "Clean rooms"),
            ("Clean", b"<ctl><clean type='SpotArea' act='s' p='1,2,3,4'/></ctl>", "Clean a zone"),
            ("Clean", b"<ctl><clean type='auto' act='p'/></ctl>", "Pause"),
            ("Clean", b"<ctl><clean type='stop' act='p'/></ctl>", "Stop"),
            ("Charge", b"<ctl><charge type='go'/></ctl>", "Send home"),
            ("SetCleanSpeed", b"<ctl speed='strong'/>", "Suction: Strong"),
            ("SetWaterPermeability", b"<ctl v='1'/>", "Water: Low"),
            ("GetBatteryInfo", b"<ctl/>", ""),
        ):
            self.assertEqual(deed(told_in_xml(name, body)), words, body)

    @given(st.sampled_from(["clean", "Clean", "setSpeed", "SetCleanSpeed"]), st.binary())
    def test_garbage(self, name: str, body: bytes) -> None:
        """Whatever it is, there are few words for it."""
        for kind in (PayloadKind.JSON, PayloadKind.XML):
            self.assertLess(len(deed(Command(ROBOT, name, body, kind))), 100)
