"""Readings in the words of a robot."""

import json

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.readings import (
    KINDS,
    Activity,
    Battery,
    Clean,
    Errors,
    FanSpeed,
    LifeSpan,
    Network,
    Part,
    Reading,
    Report,
    Sleep,
    Stats,
    Totals,
    Volume,
    Water,
)
from bumper_tw.web.properties import SHAPES, bare_name, iso, prop_list


def shown(reading: Reading, name: str) -> object:
    """The data of a property."""
    [prop] = prop_list([name], [Report("did1", reading, 0.0)])
    return json.loads(prop["value"])["body"]["data"]


class ShapeTests(SynchronousTestCase):
    """Each kind as the app expects it (mqtt.md 7.3)."""

    def test_shapes(self) -> None:
        """One line per kind."""
        job = {"motionState": "working", "cid": "c", "type": "auto"}
        cases: tuple[tuple[Reading, str, object], ...] = (
            (Battery(7, True), "onBattery", {"value": 7, "isLow": 1}),
            (Errors(()), "getError", {"code": [0]}),
            (Errors((104,)), "onError", {"code": [104]}),
            (FanSpeed("2"), "onSpeed", {"speed": 2}),
            (FanSpeed("strong"), "onSpeed", {"speed": "strong"}),
            (Sleep(True), "getSleep", {"enable": 1}),
            (Volume(3, 10), "onVolume", {"volume": 3, "total": 10}),
            (Water(2), "onWaterInfo", {"amount": 2, "enable": 0}),
            (Totals(1, 2, 3), "getTotalStats", {"area": 1, "time": 2, "count": 3}),
            (
                Network("10.0.0.9", "home", -50, "aa"),
                "getNetInfo",
                {"ip": "10.0.0.9", "ssid": "home", "rssi": -50, "mac": "aa"},
            ),
            (
                LifeSpan((Part("brush", 5, 10),)),
                "getLifeSpan",
                [{"type": "brush", "left": 5, "total": 10}],
            ),
            (
                Stats("c", 5, 1, 2, "auto"),
                "onStats",
                {"area": 1, "time": 2, "cid": "c", "start": "5", "type": "auto"},
            ),
            (Clean(Activity.DOCKED), "onCleanInfo", {"trigger": "app", "state": "idle"}),
            (
                Clean(Activity.CLEANING, "clean", "auto", "c", "sched"),
                "getCleanInfo_V2",
                {"trigger": "sched", "state": "clean", "cleanState": job},
            ),
            (
                Clean(Activity.RETURNING),
                "onCleanInfo",
                {"trigger": "app", "state": "goCharging"},
            ),
        )
        for reading, name, data in cases:
            self.assertEqual(shown(reading, name), data, name)

    def test_kinds(self) -> None:
        """Every shape is of a known kind, and no two have one name."""
        self.assertLessEqual(set(SHAPES), set(KINDS.values()))
        self.assertEqual(len({name for name, _ in SHAPES.values()}), len(SHAPES))

    def test_names(self) -> None:
        """The many spellings of one thing."""
        for name in ("onBattery", "getBattery", "GetBatteryInfo", "getBattery_V2", "Battery"):
            self.assertEqual(bare_name(name), "Battery")

    def test_time(self) -> None:
        """UTC, with milliseconds and a Z."""
        self.assertEqual(iso(0.0), "1970-01-01T00:00:00.000Z")
