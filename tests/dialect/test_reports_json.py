"""JSON reports become readings."""

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect import reports
from bumper_tw.readings import (
    Activity,
    Battery,
    Charge,
    Clean,
    Errors,
    FanSpeed,
    Firmware,
    LifeSpan,
    MapData,
    Network,
    Notice,
    Part,
    Point,
    Position,
    Reading,
    Sleep,
    Stats,
    Totals,
    Volume,
    Water,
)
from bumper_tw.values import PayloadKind

MAPS = {"mid": "77", "pieceIndex": 27, "pieceValue": "XQAABAAQ"}
JOB = {"area": 7, "time": 480, "cid": "122", "start": "1767225600", "type": "auto"}

#: Name, data, and what it says (mqtt.md 7.3 and 7.4).
SAID: list[tuple[str, Any, list[Reading]]] = [
    ("onBattery", {"value": 64, "isLow": 0}, [Battery(64)]),
    ("getBattery", {"value": "9", "isLow": "1"}, [Battery(9, low=True)]),
    ("onBattery", {"value": 64.0}, [Battery(64)]),
    ("onBattery", {"value": 101}, []),
    ("onBattery", {"value": "much"}, []),
    ("onChargeState", {"isCharging": 1, "mode": "slot"}, [Charge(charging=True, mode="slot")]),
    ("offChargeState", {"isCharging": False}, [Charge(charging=False)]),
    ("getChargeState", {"mode": "slot"}, []),
    ("onStats", JOB, [Stats("122", 1767225600, 7, 480, "auto")]),
    ("getStats", {"cid": 122, "start": 1767225600123}, [Stats("122", 1767225600)]),
    ("onStats", {**JOB, "cid": "111"}, []),
    ("onStats", {**JOB, "cid": None}, []),
    ("onStats", {**JOB, "start": ""}, []),
    ("getTotalStats", {"area": 31, "time": "2100", "count": 8}, [Totals(31, 2100, 8)]),
    ("onTotalStats", {"area": 31}, []),
    ("onError", {"code": [0]}, [Errors(())]),
    ("onError", {"code": []}, [Errors(())]),
    ("onError", {"code": ["110", 0, 104]}, [Errors((110, 104))]),
    ("getError", {"code": 102}, [Errors((102,))]),
    ("onError", {"code": ["broken"]}, []),
    ("onError", {}, []),
    ("onSpeed", {"speed": 1000}, [FanSpeed("1000")]),
    ("getSpeed", {"speed": "max"}, [FanSpeed("max")]),
    ("onWaterInfo", {"enable": 1, "amount": 2, "type": 1}, [Water(2, mounted=True)]),
    ("onWaterInfo", {"enable": 0}, [Water(None, mounted=False)]),
    ("onWaterInfo", {"type": 1}, []),
    ("onSleep", {"enable": 1}, [Sleep(asleep=True)]),
    ("onVolume", {"volume": 6, "total": 10}, [Volume(6, 10)]),
    (
        "onNetInfo",
        {"ip": "192.0.2.9", "ssid": "den", "rssi": "-58", "mac": "02:00:5e:10:00:09"},
        [Network("192.0.2.9", "den", -58, "02:00:5e:10:00:09")],
    ),
    ("onNetInfo", {}, []),
    (
        "onLifeSpan",
        [{"type": "brush", "left": 90, "total": 18000}, {"type": "heap", "left": "7", "total": 0}],
        [LifeSpan((Part("brush", 90, 18000), Part("heap", 7)))],
    ),
    ("getLifeSpan", [{"type": "brush"}, 5], []),
    (
        "onPos",
        {"deebotPos": {"x": 12, "y": -6, "a": 90, "invalid": 0}, "chargePos": [{"x": 0, "y": 1}]},
        [Position(Point(12, -6, 90), (Point(0, 1),))],
    ),
    ("getPos", {"deebotPos": [{"x": 1, "y": 2, "invalid": 1}]}, [Position(Point(1, 2, 0, False))]),
    ("onPos", {"chargePos": {"x": "3", "y": "4", "a": "5"}}, [Position(None, (Point(3, 4, 5),))]),
    ("onPos", {"deebotPos": {"x": 1}}, []),
    ("onMinorMap", MAPS, [MapData("onMinorMap", MAPS)]),
    ("onMapInfo_V2", MAPS, [MapData("onMapInfo_V2", MAPS)]),
    ("getMapSubSet", MAPS, [MapData("getMapSubSet", MAPS)]),
    ("onMapTrace", {}, []),
    ("onEvt", {"code": 1007}, [Notice("onEvt", {"code": 1007})]),
    ("onSomethingNew", {}, [Notice("onSomethingNew", {})]),
    ("getBlock", {"enable": 1}, [Notice("getBlock", {"enable": 1})]),
    ("getSched_V2", [], []),
    ("setSpeed", {}, []),
]


def envelope(data: Any, **body: Any) -> bytes:
    """A payload as robots send it, without the firmware version."""
    return json.dumps({"header": {"pri": 1, "ts": "1"}, "body": {"data": data, **body}}).encode()


def decode(name: str, payload: bytes) -> list[Reading]:
    """Read a JSON payload."""
    return reports.decode(name, payload, PayloadKind.JSON, 1767225600.0)


class TableTests(SynchronousTestCase):
    """One sample per subject and per oddity."""

    def test_events(self) -> None:
        """Each event says what the table says."""
        for name, data, expected in SAID:
            self.assertEqual(decode(name, envelope(data)), expected, (name, data))

    def test_replies(self) -> None:
        """A reply with code 0 says the same as an event."""
        for name, data, expected in SAID:
            self.assertEqual(decode(name, envelope(data, code="0", msg="ok")), expected, name)

    def test_failures(self) -> None:
        """A reply with another code says nothing."""
        for name, data, _ in SAID:
            for code in (5, "20003", 1.5, None, "?"):
                self.assertEqual(decode(name, envelope(data, code=code)), [], name)


class StatsTests(SynchronousTestCase):
    """The reports that make the cleaning log (mqtt.md 11)."""

    def test_start(self) -> None:
        """The report of a start has no area yet."""
        data = {"cid": "9", "stop": 0, "type": "auto", "mapCount": 12, "start": "1767225600"}
        expected = Stats("9", 1767225600, type="auto", extras=(("mapCount", 12),))
        self.assertEqual(decode("reportStats", envelope(data)), [expected])

    def test_end(self) -> None:
        """The report of an end says why, and what was met on the way."""
        data = {
            **JOB,
            "stop": 1,
            "stopReason": "2",
            "content": "5",
            "aiavoid": 0,
            "aitypes": [1, "4", None, {}],
            "avoidCount": "2",
        }
        [stats] = decode("reportStats", envelope(data))
        assert isinstance(stats, Stats)
        self.assertEqual((stats.stopped, stats.stop_reason), (True, 2))
        extras = {"aiavoid": 0, "aitypes": [1, 4], "avoidCount": 2, "content": "5"}
        self.assertEqual(dict(stats.extras), extras)


class ActivityTests(SynchronousTestCase):
    """What a robot is doing (mqtt.md 7.3 and 11)."""

    def test_words(self) -> None:
        """Trigger, state and motion decide in this order."""
        for trigger, state, motion, expected in (
            ("app", "idle", "", Activity.IDLE),
            ("app", "clean", "working", Activity.CLEANING),
            ("app", "clean", "", Activity.CLEANING),
            ("app", "clean", "pause", Activity.PAUSED),
            ("app", "clean", "goCharging", Activity.RETURNING),
            ("app", "pause", "", Activity.PAUSED),
            ("none", "goCharging", "", Activity.RETURNING),
            ("none", "washing", "", Activity.WASHING),
            ("none", "drying", "", Activity.DOCKED),
            ("alert", "clean", "working", Activity.ERROR),
            ("app", "dancing", "", None),
            ("app", "clean", "dancing", None),
        ):
            data = {"trigger": trigger, "state": state, "cleanState": {"motionState": motion}}
            [clean] = decode("onCleanInfo", envelope(data))
            assert isinstance(clean, Clean)
            self.assertEqual(clean.activity, expected, (trigger, state, motion))
            self.assertEqual(clean.trigger, trigger)

    def test_unknown_word(self) -> None:
        """A word that we do not know is kept."""
        [clean] = decode("onCleanInfo", envelope({"state": "dancing"}))
        self.assertEqual(clean, Clean(None, "dancing"))

    def test_both_versions(self) -> None:
        """The second version has the job elsewhere and says the same."""
        old = {"id": "122", "type": "spotArea", "content": "3,5", "motionState": "working"}
        new = {
            "cid": "122",
            "content": {"type": "spotArea", "value": "3"},
            "motionState": "working",
        }
        expected = Clean(Activity.CLEANING, "working", "spotArea", "122", "app")
        for name, job in (("onCleanInfo", old), ("onCleanInfo_V2", new), ("getCleanInfo_V2", new)):
            data = {"trigger": "app", "state": "clean", "cleanState": job}
            self.assertEqual(decode(name, envelope(data)), [expected])

    def test_nothing(self) -> None:
        """A report without a state is none."""
        self.assertEqual(decode("onCleanInfo", envelope({"trigger": "app"})), [])

    def test_work_state(self) -> None:
        """The newest models tell robot and station apart (mqtt.md 7.3, 24)."""
        for robot, station, paused, expected in (
            ("cleaning", "idle", 0, Clean(Activity.CLEANING, "cleaning")),
            ("cleaning", "idle", 1, Clean(Activity.PAUSED, "cleaning")),
            ("idle", "idle", 1, Clean(Activity.IDLE, "idle")),
            ("idle", "washing", 0, Clean(Activity.WASHING, "washing")),
            ("dancing", "idle", 0, Clean(None, "dancing")),
        ):
            states = {"robotState": {"state": robot}, "stationState": {"state": station}}
            self.assertEqual(
                decode("onWorkState", envelope({**states, "paused": paused})), [expected]
            )


class EnvelopeTests(SynchronousTestCase):
    """What is around the data (mqtt.md 7.1 and 7.5)."""

    def test_firmware(self) -> None:
        """The header tells the version, even of a command that failed."""
        header = b'{"header":{"fwVer":"1.14.3"},"body":%s}'
        well = decode("getBattery", header % b'{"code":0,"data":{"value":87}}')
        self.assertEqual(well, [Battery(87), Firmware("1.14.3")])
        for body in (b'{"code":5}', b"null", b"7", b"{}"):
            self.assertEqual(decode("getBattery", header % body), [Firmware("1.14.3")])

    def test_platform_commands(self) -> None:
        """Platform commands have no envelope."""
        expected = [Notice("GetWKVer", {"ver": "0.13.5"})]
        self.assertEqual(decode("GetWKVer", b'{"ret":"ok","ver":"0.13.5"}'), expected)
        self.assertEqual(decode("SetTime", b'{"ret":"ok"}'), [])
        self.assertEqual(decode("GetWKVer", b'{"ret":"fail","ver":"0.13.5"}'), [])

    def test_old_network_reply(self) -> None:
        """Some answer with the short names of XML robots (mqtt.md 7.4)."""
        payload = b'{"ret":"ok","wi":"192.0.2.9","s":"den","st":"-58","wm":"02:00"}'
        expected = [Network("192.0.2.9", "den", -58, "02:00")]
        self.assertEqual(decode("GetNetInfo", payload), expected)

    def test_diagnostics(self) -> None:
        """Diagnostics have a list for a body (mqtt.md 7.3, 32)."""
        name = "onFwBuryPoint-bd_sysinfo"
        self.assertEqual(
            decode(name, b'{"header":{},"body":[{"a":1}]}'), [Notice(name, [{"a": 1}])]
        )

    def test_bundle(self) -> None:
        """A bundle is read part by part, and not into itself."""
        data = {
            "getBattery": {"code": 0, "msg": "ok", "data": {"value": 87}},
            "getSleep": {"code": 20003, "data": {"enable": 1}},
            "getVolume": {"data": {"volume": 3}},
            "getInfo": {"data": {"getBattery": {"data": {"value": 1}}}},
            "getError": [],
        }
        self.assertEqual(decode("getInfo", envelope(data)), [Battery(87), Volume(3)])
