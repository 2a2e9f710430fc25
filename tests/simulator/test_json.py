"""A JSON robot as the server sees it (robots.md 5)."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.simulator.floorplan import unpack
from bumper_tw.simulator.identity import Generation, Profile
from tests.simulator.rig import Rig, data_of, published, said

NEW = Profile(generation=Generation.NEW)


class GreetingTests(SynchronousTestCase):
    """What a robot says first."""

    def greetings(self, profile: Profile) -> list[tuple[str, bytes]]:
        """Come up and collect the events."""
        rig = Rig(profile=profile).start().accept()
        rig.run(2)
        return rig.events()

    def test_order(self) -> None:
        """Seven events in the documented order."""
        names = [name for name, _ in self.greetings(Profile())]
        self.assertEqual(
            names,
            [
                "onFwBuryPoint-bd_basicinfo-evt",
                "onBattery",
                "onChargeState",
                "onCleanInfo",
                "onSleep",
                "onError",
                "onStats",
            ],
        )

    def test_new_generation(self) -> None:
        """The new generation reports the second version of its state and its module."""
        greetings = dict(self.greetings(NEW))
        self.assertIn("onCleanInfo_V2", greetings)
        self.assertEqual(json.loads(greetings["onBattery"])["header"]["wkVer"], "0.1.60")

    def test_values(self) -> None:
        """Header, battery and placeholder statistics are as documented."""
        greetings = dict(self.greetings(Profile()))
        battery = json.loads(greetings["onBattery"])
        self.assertEqual(battery["body"], {"data": {"value": 87, "isLow": 0}})
        ts = battery["header"].pop("ts")
        self.assertIn(int(ts) - 1767225600000, range(400, 601))
        self.assertEqual(
            battery["header"],
            {"pri": 1, "tzm": 480, "ver": "0.0.1", "fwVer": "1.14.3", "hwVer": "0.1.1"},
        )
        placeholder = {"area": 0, "time": 0, "cid": "111", "start": "0", "type": "auto"}
        self.assertEqual(data_of(greetings["onStats"]), placeholder)
        self.assertEqual(data_of(greetings["onError"]), {"code": [0]})


class JobTests(SynchronousTestCase):
    """One complete job as seen on atr (robots.md 5.3)."""

    def run_job(self, profile: Profile) -> list[tuple[str, Any]]:
        """Start a job by command, run it at 16 times the speed, collect its events."""
        rig = Rig(profile=profile, speed=16.0).greeted()
        command = "clean" if profile.generation is Generation.OLD else "clean_V2"
        data = {"act": "start", "type": "auto", "content": {"type": "auto"}}
        self.assertEqual(rig.ask(command, data), {"code": 0, "msg": "ok"})
        rig.run(742)
        skipped = ("onPos", "onMapTrace", "onMinorMap", "onBattery")
        return [(name, data_of(payload)) for name, payload in rig.events() if name not in skipped]

    def test_order(self) -> None:
        """Every event of a job comes in the documented order."""
        names = [name for name, _ in self.run_job(Profile())]
        expected = ["onCleanInfo", "reportStats", "onChargeState", *["onStats"] * 12]
        expected += ["reportStats", "onCleanInfo", "onLifeSpan", "onChargeState", "onCleanInfo"]
        self.assertEqual(names, expected)

    def test_values(self) -> None:
        """The events carry the documented values."""
        events = self.run_job(Profile())
        infos = [data for name, data in events if name == "onCleanInfo"]
        self.assertEqual([i["trigger"] for i in infos], ["app", "workComplete", "none"])
        self.assertEqual([i["state"] for i in infos], ["clean", "goCharging", "idle"])
        self.assertEqual(infos[0]["cleanState"]["motionState"], "working")
        stats = [data for name, data in events if name == "onStats"]
        self.assertEqual([s["area"] for s in stats], list(range(1, 13)))
        self.assertEqual([s["time"] for s in stats], list(range(60, 721, 60)))
        charging = [data["isCharging"] for name, data in events if name == "onChargeState"]
        self.assertEqual(charging, [0, 1])

    def test_reports(self) -> None:
        """The start report has neither area nor time, the end report has both."""
        begin, end = [data for name, data in self.run_job(NEW) if name == "reportStats"]
        self.assertEqual(begin.keys(), {"cid", "start", "type", "mapCount", "stop"})
        self.assertEqual((begin["stop"], end["stop"], end["stopReason"]), (0, 1, 1))
        self.assertEqual((end["area"], end["time"], end["content"]), (12, 720, ""))
        self.assertEqual((begin["cid"], begin["start"]), (end["cid"], end["start"]))

    def test_moving(self) -> None:
        """Positions, traces and pieces come while the robot moves."""
        rig = Rig(speed=128.0).greeted()
        rig.ask("clean", {"act": "start", "type": "auto"})
        rig.run(60)
        names = [name for name, _ in rig.events()]
        self.assertEqual(names.count("onPos"), 58)
        self.assertEqual(names.count("onMapTrace"), 20)
        self.assertEqual(names.count("onMinorMap"), 6)

    def test_pause_and_resume(self) -> None:
        """Pause and resume report at once, after their reply."""
        rig = Rig().greeted()
        rig.ask("clean", {"act": "start", "type": "auto"})
        rig.run(5)
        said(rig.transport)
        motions = []
        for act in ("pause", "resume"):
            rig.request("clean", json.dumps({"body": {"data": {"act": act}}}).encode())
            reply, event = published(said(rig.transport))
            self.assertIn("iot/p2p/clean/", reply[0])
            motions.append(data_of(event[1])["cleanState"]["motionState"])
        self.assertEqual(motions, ["pause", "working"])


class CommandTests(SynchronousTestCase):
    """Replies to commands (robots.md 5.4)."""

    def setUp(self) -> None:
        self.rig = Rig().greeted()

    def data(self, command: str, data: object = None) -> Any:
        """Ask, and take the data of a successful reply."""
        body = self.rig.ask(command, data)
        self.assertEqual((body["code"], body["msg"]), (0, "ok"))
        return body.get("data")

    def code(self, command: str, data: object = None) -> int:
        """Ask, and take the code of a failure."""
        body = self.rig.ask(command, data)
        self.assertNotIn("data", body)
        return int(body["code"])

    def test_reply_topic(self) -> None:
        """The parties are swapped; command, id and format stay."""
        self.rig.request("getBattery", request_id="QzXy")
        [(topic, _)] = published(said(self.rig.transport))
        expected = f"iot/p2p/getBattery/{self.rig.own}/helperbot/bumper/helperbot/p/QzXy/j"
        self.assertEqual(topic, expected)

    def test_simple_queries(self) -> None:
        """Queries answer with the initial values."""
        expected = {
            "getBattery": {"value": 87, "isLow": 0},
            "getChargeState": {"isCharging": 1, "mode": "slot"},
            "getCleanInfo": {"trigger": "none", "state": "idle"},
            "getTotalStats": {"area": 3120, "time": 210000, "count": 188},
            "getSpeed": {"speed": 0},
            "getWaterInfo": {"enable": 0, "amount": 2, "type": 1, "sweepType": 1},
            "getVolume": {"volume": 4, "total": 10},
            "getError": {"code": [0]},
            "getSleep": {"enable": 0},
            "getTimeZone": {"tzm": 480},
            "getMapState": {"state": "built"},
            "getBlock": {"enable": 0, "start": "22:00", "end": "8:00"},
            "getSched_V2": [],
            "getChildLock": {"on": 0},
        }
        self.assertEqual({name: self.data(name) for name in expected}, expected)

    def test_life_span(self) -> None:
        """Only requested and known parts are listed; no argument lists all."""
        brush = {"type": "brush", "left": 13240, "total": 18000}
        self.assertEqual(self.data("getLifeSpan", ["brush", "unitCare"]), [brush])
        self.assertEqual(len(self.data("getLifeSpan")), 3)
        self.assertIsNone(self.data("resetLifeSpan", {"type": "brush"}))
        self.assertEqual(self.data("getLifeSpan", ["brush"])[0]["left"], 18000)
        self.assertEqual(self.code("resetLifeSpan", {"type": "unitCare"}), 20003)

    def test_settings(self) -> None:
        """A setting is stored, reported after the reply, and read back."""
        settings: dict[str, dict[str, object]] = {
            "Speed": {"speed": 2},
            "WaterInfo": {"amount": 4},
            "Volume": {"volume": 9},
            "TrueDetect": {"enable": 1},
            "CleanCount": {"count": 2},
            "Block": {"enable": 1, "start": "21:30", "end": "7:00"},
        }
        for name, data in settings.items():
            self.rig.request(f"set{name}", json.dumps({"body": {"data": data}}).encode())
            reply, event = published(said(self.rig.transport))
            self.assertEqual(json.loads(reply[1])["body"], {"code": 0, "msg": "ok"})
            self.assertIn(f"iot/atr/on{name}/", event[0])
            self.assertEqual({**data_of(event[1]), **data}, data_of(event[1]))
            self.assertEqual(self.data(f"get{name}"), data_of(event[1]))

    def test_settings_out_of_range(self) -> None:
        """Values out of range are refused with 20003 and change nothing."""
        bad: list[tuple[str, object]] = [
            ("setSpeed", {"speed": 7}),
            ("setSpeed", {"speed": True}),
            ("setWaterInfo", {"amount": 5}),
            ("setWaterInfo", {}),
            ("setVolume", {"volume": 11}),
            ("setTimeZone", {}),
            ("setTimeZone", [60]),
            ("setBlock", {"enable": "yes"}),
            ("setBreakPoint", {"other": 1}),
            ("move", {"act": "jump"}),
            ("clean", {"act": "dance"}),
            ("clean", {"act": "start", "type": "waltz"}),
        ]
        self.assertEqual([self.code(*each) for each in bad], [20003] * len(bad))

    def test_clean_codes(self) -> None:
        """Docked, busy and broken robots answer 30007, 5 and 3."""
        start = {"act": "start", "type": "auto"}
        self.assertEqual(self.code("charge", {"act": "go"}), 30007)
        self.data("clean", start)
        spot = {"act": "start", "type": "spotArea", "content": "3"}
        self.assertEqual(self.code("clean", spot), 5)
        self.rig.robot.machine.fault(103)
        self.assertEqual(self.data("getError"), {"code": [103]})
        self.assertEqual(self.code("clean", start), 3)

    def test_generations(self) -> None:
        """Each generation is silent on the clean command of the other."""
        self.assertIsNone(self.rig.ask("clean_V2", {"act": "start", "content": {"type": "auto"}}))
        new = Rig(profile=NEW).greeted()
        self.assertIsNone(new.ask("clean", {"act": "start", "type": "auto"}))

    def test_unknown_command(self) -> None:
        """Unknown commands meet silence, or a failure where the profile says so."""
        self.assertIsNone(self.rig.ask("getNonsense"))
        loud = Rig(profile=Profile(unknown_fails=True)).greeted()
        self.assertEqual(loud.ask("getNonsense"), {"code": 20003, "msg": "fail"})

    def test_bundle(self) -> None:
        """C{getInfo} holds one reply per known name."""
        info = self.data("getInfo", ["getBattery", "getSleep", "getNonsense"])
        self.assertEqual(info.keys(), {"getBattery", "getSleep"})
        self.assertEqual(info["getBattery"]["data"], {"value": 87, "isLow": 0})

    def test_position(self) -> None:
        """Only requested parts are given; a lifted robot does not know where it is."""
        self.assertNotIn("chargePos", self.data("getPos", ["deebotPos"]))
        self.rig.robot.machine.lift()
        self.assertEqual(self.data("getPos", ["deebotPos"])["deebotPos"]["invalid"], 1)
        self.rig.clock.advance(10)
        both = self.data("getPos", ["chargePos", "deebotPos"])
        self.assertEqual((both["deebotPos"]["invalid"], len(both["chargePos"])), (0, 1))

    def test_time_zone(self) -> None:
        """The time zone enters the headers that follow."""
        self.data("setTimeZone", {"tzm": 60, "bdTaskID": "1"})
        self.rig.request("getBattery")
        [(_, payload)] = published(said(self.rig.transport))
        self.assertEqual(json.loads(payload)["header"]["tzm"], 60)

    def test_relocation(self) -> None:
        """Relocation starts at once and is done after five seconds."""
        self.data("setRelocationState", {"mode": "manu"})
        self.assertEqual(self.data("getRelocationState")["state"], "start")
        said(self.rig.transport)
        self.rig.clock.advance(5)
        [(name, payload)] = self.rig.events()
        self.assertEqual((name, data_of(payload)["state"]), ("onRelocationState", "ok"))

    def test_station(self) -> None:
        """A station empties for 15 seconds; a robot without one is silent."""
        self.assertIsNone(self.rig.ask("stationAction", {"act": 1, "type": 1}))
        rig = Rig(profile=Profile(station=True)).greeted()
        self.assertEqual(rig.ask("stationAction", {"act": 1, "type": 1})["code"], 0)
        self.assertEqual(rig.ask("getStationState")["data"]["state"], 1)
        said(rig.transport)
        rig.clock.advance(15)
        [(name, payload)] = rig.events()
        self.assertEqual((name, data_of(payload)["state"]), ("onStationState", 0))

    def test_emptying(self) -> None:
        """A station also empties when the app says so through C{setAutoEmpty}."""
        rig = Rig(profile=Profile(station=True)).greeted()
        self.assertEqual(rig.ask("setAutoEmpty", {"act": "start"})["code"], 0)
        self.assertEqual(rig.ask("getStationState")["data"]["content"]["type"], 1)
        self.assertEqual(self.code("setAutoEmpty", {"act": "start"}), 20003)

    def test_impossible_clock(self) -> None:
        """Times no clock can show are refused and change nothing."""
        for seconds in ("1", "true", "-1", "1" + "0" * 400, '"x"'):
            self.rig.request("SetTime", f'{{"tsInSec":{seconds}}}'.encode(), request_id="AbCd")
        replies = published(said(self.rig.transport))
        results = [json.loads(payload)["ret"] for _, payload in replies]
        self.assertEqual(results, ["ok", "fail", "fail", "fail", "fail"])
        self.assertEqual(int(self.rig.robot.machine.now()), 1)

    def test_schedules(self) -> None:
        """Schedules are added, changed and removed by their number."""
        entry = {"act": "add", "sid": "17672256001234", "enable": 1, "hour": 9, "minute": 30}
        self.data("setSched_V2", entry)
        self.data("setSched_V2", {**entry, "act": "mod", "hour": 10})
        [schedule] = self.data("getSched_V2")
        self.assertEqual((schedule["sid"], schedule["hour"]), ("17672256001234", 10))
        self.data("setSched_V2", {"act": "del", "sid": "17672256001234"})
        self.assertEqual(self.data("getSched_V2"), [])

    def test_platform(self) -> None:
        """Platform commands have no envelope; C{SetTime} sets the clock."""
        self.rig.robot.state.skew = 5000
        self.rig.request("SetTime", b'{"ts":1767225600123,"tsInSec":1767225600}')
        self.rig.request("GetWKVer")
        self.rig.request("GetNetInfo")
        replies = [json.loads(payload) for _, payload in published(said(self.rig.transport))]
        self.assertEqual(replies[0], {"ret": "ok"})
        self.assertEqual(replies[1], {"ret": "ok", "ver": "0.13.5"})
        self.assertEqual(replies[2]["wi"], self.rig.identity.ip)
        self.assertAlmostEqual(self.rig.robot.machine.now(), 1767225600, delta=2)

    def test_xml_requests(self) -> None:
        """In XML only the version is told, and network data in JSON."""
        self.rig.request("GetVersion", b"<ctl name='FW'/>", letter="x")
        self.rig.request("GetNetInfo", b"<ctl/>", letter="x")
        self.rig.request("GetBatteryInfo", b"<ctl/>", letter="x")
        first, second = published(said(self.rig.transport))
        self.assertTrue(first[0].endswith("/x"))
        self.assertEqual(first[1], b"<ctl ret='ok'><ver name='FW'>1.14.3</ver></ctl>")
        self.assertEqual(json.loads(second[1])["ret"], "ok")

    def test_one_way(self) -> None:
        """Direction C{m} is never answered."""
        self.rig.request("IDToken", b'{"token":"x"}', direction="m")
        self.assertEqual((said(self.rig.transport), list(self.rig.robot.violations)), ([], []))

    def test_request_header_variants(self) -> None:
        """Numbers and texts in the header, and extra members, make no difference."""
        for header in ({"pri": 2, "ts": "1"}, {"pri": "1", "ts": 1.5}, {}):
            body = {"data": {"id": "12345678", "bdTaskID": "1"}}
            self.rig.request("getBattery", json.dumps({"header": header, "body": body}).encode())
        self.assertEqual(len(published(said(self.rig.transport))), 3)

    @given(
        st.sampled_from(
            ["setVolume", "clean", "getMapTrace", "setSched_V2", "getPos", "setBlock"]
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["act", "volume", "sid", "enable"]), inner)
            ),
            max_leaves=6,
        ),
    )
    def test_any_arguments(self, command: str, data: object) -> None:
        """Whatever the arguments, there is exactly one reply with a code."""
        self.assertIsInstance(self.rig.ask(command, data)["code"], int)


class MapTests(SynchronousTestCase):
    """Map commands."""

    def setUp(self) -> None:
        self.rig = Rig().greeted()

    def data(self, command: str, data: object = None) -> Any:
        return self.rig.ask(command, data)["data"]

    def test_major_map(self) -> None:
        """64 checksums, those of unseen pieces being the famous constant."""
        major = self.data("getMajorMap")
        sums = major["value"].split(",")
        self.assertEqual((len(sums), sums[0]), (64, "1295764014"))
        self.assertEqual((major["pieceWidth"], major["cellWidth"], major["pixel"]), (100, 8, 50))

    def test_minor_map(self) -> None:
        """A piece decodes to 10 000 cells; index 64 and another map are refused."""
        mid = self.data("getMajorMap")["mid"]
        piece = self.data("getMinorMap", {"mid": mid, "type": "ol", "pieceIndex": 27})
        self.assertEqual(len(unpack(piece["pieceValue"])), 10_000)
        self.assertEqual(self.rig.ask("getMinorMap", {"pieceIndex": 64})["code"], 20003)
        other = {"mid": "1", "pieceIndex": 1}
        self.assertEqual(self.rig.ask("getMinorMap", other)["code"], 20011)

    def test_trace(self) -> None:
        """Points of the path; none at all and beyond the end are refused with their texts."""
        ask = {"pointCount": 10, "traceStart": 0}
        none = {"code": 20011, "msg": "get traceinfo error"}
        self.assertEqual(self.rig.ask("getMapTrace", ask), none)
        self.rig.ask("clean", {"act": "start", "type": "auto"})
        self.rig.run(30)
        trace = self.data("getMapTrace", ask)
        self.assertEqual((trace["pointCount"], trace["totalCount"]), (10, 28))
        self.assertEqual(len(unpack(trace["traceValue"])), 50)
        beyond = {"code": 20012, "msg": "get pointCount outof range"}
        self.assertEqual(self.rig.ask("getMapTrace", {**ask, "traceStart": 28}), beyond)

    def test_rooms(self) -> None:
        """Rooms are listed, and each has an outline."""
        rooms = self.data("getMapSet", {"mid": "1204518810", "type": "ar"})
        self.assertEqual([room["mssid"] for room in rooms["subsets"]], ["3", "5", "7"])
        room = self.data("getMapSubSet", {"msid": "8", "type": "ar", "mssid": "3"})
        self.assertEqual((room["name"], room["value"].count(";")), ("Kitchen", 3))
        wall = self.data("getMapSubSet", {"type": "vw", "mssid": "0"})
        self.assertEqual(wall["value"], "[-2500,-500,-1200,-500]")
        self.assertEqual(self.rig.ask("getMapSubSet", {"mssid": "99"})["code"], 20011)

    def test_new_rooms(self) -> None:
        """The new generation packs its room list and outline."""
        rig = Rig(profile=NEW).greeted()
        packed = rig.ask("getMapSet_V2", {"mid": "1204518810", "type": "ar"})["data"]
        rooms = json.loads(unpack(packed["subsets"]))
        self.assertEqual([room[1] for room in rooms], ["Kitchen", "Living room", "Bedroom"])
        info = rig.ask("getMapInfo_V2", {"mid": "1204518810", "type": "0"})["data"]
        self.assertEqual(len(unpack(info["info"])), info["infoSize"])

    def test_cached_maps(self) -> None:
        """One map is active, one slot is empty."""
        info = self.data("getCachedMapInfo")["info"]
        self.assertEqual([entry["mid"] for entry in info], ["1204518810", "0"])

    def test_edits(self) -> None:
        """Edits change the map and say so."""
        edit = {"act": "add", "type": "vw", "value": "[0,0,1,1]"}
        self.rig.request("setMapSubSet", json.dumps({"body": {"data": edit}}).encode())
        names = [name for name, _ in self.rig.events()]
        self.assertEqual(names, ["onMapSet", "onMajorMap"])
        walls = self.data("getMapSet", {"type": "vw"})
        self.assertEqual(walls["count"], 2)
        self.rig.ask("setMapSubSet", {"act": "mod", "mssid": "3", "name": "Pantry"})
        self.assertEqual(self.data("getMapSubSet", {"mssid": "3"})["name"], "Pantry")
        self.rig.ask("setMapSet", {"act": "merge", "mssid": "3,5"})
        self.assertEqual(self.data("getMapSet", {"type": "ar"})["count"], 2)
        self.rig.ask("clearMap", {"type": "all"})
        self.assertEqual(self.data("getMapSet", {"type": "ar"})["count"], 0)


class LatencyTests(SynchronousTestCase):
    """When replies leave."""

    def test_default(self) -> None:
        """A reply takes 80 to 300 ms, and two requests are worked on one after the other."""
        rig = Rig(latency=(0.08, 0.3)).greeted()
        rig.request("getBattery", request_id="AaAa")
        rig.request("getSpeed", request_id="BbBb")
        rig.clock.advance(0.079)
        self.assertEqual(said(rig.transport), [])
        rig.run(0.6, 0.02)
        names = [topic.split("/")[2] for topic, _ in published(said(rig.transport))]
        self.assertEqual(names, ["getBattery", "getSpeed"])

    def test_disconnection_drops_work(self) -> None:
        """Requests of a lost connection are not answered on the next one."""
        rig = Rig(latency=(0.5, 0.6)).greeted()
        rig.request("getBattery")
        rig.transport.loseConnection()
        rig.clock.advance(1)
        rig.accept()
        rig.run(3)
        topics = [topic for topic, _ in published(said(rig.transport))]
        self.assertEqual([topic for topic in topics if "p2p" in topic], [])
