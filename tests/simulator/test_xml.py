"""An XML robot as the server sees it (robots.md 6)."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.simulator.identity import Kind, LifeShape, Profile
from bumper_tw.simulator.xml_text import BadXml, Node, read, write
from tests.simulator.rig import Rig, published, said

START = b"<ctl><clean type='auto' speed='standard' act='s'/></ctl>"


class TextTests(SynchronousTestCase):
    """Reading and writing elements."""

    def test_forms(self) -> None:
        """An element is read with and without a declaration, C{td} and children."""
        plain = read(b"<ctl td='Clean'><clean act='s'/></ctl>")
        self.assertEqual(plain, Node("ctl", {"td": "Clean"}, [Node("clean", {"act": "s"})]))
        self.assertEqual(read(b"<?xml version='1.0'?><ctl/>"), Node("ctl"))

    def test_bad(self) -> None:
        """What is not one plain element is refused."""
        many = b"<a>" + b"<b/>" * 300 + b"</a>"
        doctype = b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"
        for payload in (b"", b"<a>", b"<a/><b/>", b"{}", b"\xff", doctype, many):
            with self.assertRaises(BadXml):
                read(payload)

    @given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20))
    def test_round_trip(self, value: str) -> None:
        """Any text survives as an attribute, in single quotes."""
        written = write("ctl", {"s": value})
        self.assertNotIn('="', written)
        self.assertEqual(read(written.encode()).attributes.get("s"), value)

    @given(st.binary(max_size=40))
    def test_garbage(self, payload: bytes) -> None:
        """Garbage is either an element or a named error."""
        try:
            self.assertIsInstance(read(payload), Node)
        except BadXml as error:
            self.assertNotEqual(str(error), "")


class EventTests(SynchronousTestCase):
    """What the robot reports."""

    def test_greetings(self) -> None:
        """Three events after the subscription."""
        rig = Rig(Kind.XML).start().accept()
        rig.run(2)
        events = rig.events()
        self.assertEqual(
            [name for name, _ in events], ["BatteryInfo", "ChargeState", "SleepStatus"]
        )
        battery = re.sub(rb"ts='\d+'", b"ts=''", events[0][1])
        self.assertEqual(battery, b"<ctl ts='' td='BatteryInfo'><battery power='087'/></ctl>")

    def test_job(self) -> None:
        """A whole job comes in the documented order with the documented values."""
        rig = Rig(Kind.XML, speed=16.0).greeted()
        self.assertEqual(rig.ask_xml("Clean", START), "<ctl ret='ok'/>")
        rig.run(742)
        events = rig.events()
        skipped = ("Pos", "MapP", "CleanSt", "BatteryInfo")
        names = [name for name, _ in events if name not in skipped]
        expected = ["CleanReport", "CleanReportServer", "ChargeState"]
        expected += ["CleanReport", "CleanReportServer", "BigDataCleanInfoReport"]
        self.assertEqual(names, [*expected, "ChargeState", "ChargeState", "SleepStatus"])
        nodes = [(name, read(payload)) for name, payload in events]
        ends = [node for name, node in nodes if name == "CleanReportServer"]
        self.assertEqual([end.get("act") for end in ends], ["s", "h"])
        self.assertEqual((ends[1].get("area"), ends[1].get("last")), ("12", "720"))
        self.assertEqual(ends[0].get("cs"), ends[1].get("cs"))
        charges = [node.children[0].get("type") for name, node in nodes if name == "ChargeState"]
        self.assertEqual(charges, ["Idle", "Going", "SlotCharging"])
        self.assertEqual([name for name, _ in nodes].count("CleanSt"), 72)

    def test_td_is_the_topic_name(self) -> None:
        """Every event names itself in C{td} and has a time stamp, single-quoted."""
        rig = Rig(Kind.XML, speed=16.0).greeted()
        rig.ask_xml("Clean", START)
        rig.ask_xml("GetTrM")
        rig.run(30)
        events = rig.events()
        self.assertIn("trace", [name for name, _ in events])
        for name, payload in events:
            node = read(payload)
            self.assertEqual((node.get("td"), b'"' in payload), (name, False))
            self.assertRegex(node.get("ts"), r"^\d{13}$")

    def test_fault(self) -> None:
        """Errors name the old and the new list; 100 is none."""
        rig = Rig(Kind.XML).greeted()
        rig.robot.machine.fault(105)
        rig.robot.machine.clear_fault()
        nodes = [read(payload) for name, payload in rig.events() if name == "errors"]
        pairs = [(node.get("old"), node.get("new")) for node in nodes]
        self.assertEqual(pairs, [("", "105"), ("105", "100")])

    def test_parts(self) -> None:
        """Dust bin and water tank report when they are moved."""
        rig = Rig(Kind.XML).greeted()
        rig.robot.machine.insert_bin(False)
        rig.robot.machine.mount_mop(True)
        moved = [(name, read(payload)) for name, payload in rig.events()]
        values = [(name, node.get("st") or node.get("on")) for name, node in moved]
        self.assertEqual(values, [("DustCaseST", "0"), ("WaterBoxInfo", "1")])


class CommandTests(SynchronousTestCase):
    """Replies to commands (mqtt.md 8.3)."""

    def setUp(self) -> None:
        self.rig = Rig(Kind.XML).greeted()

    def test_queries(self) -> None:
        """Queries answer with the initial values."""
        expected = {
            "GetBatteryInfo": "<ctl ret='ok'><battery power='087'/></ctl>",
            "GetChargeState": "<ctl ret='ok'><charge type='SlotCharging' g='0'/></ctl>",
            "GetCleanSpeed": "<ctl ret='ok' speed='standard'/>",
            "GetWaterPermeability": "<ctl ret='ok' v='2'/>",
            "GetWaterBoxInfo": "<ctl ret='ok' on='0'/>",
            "GetSleepStatus": "<ctl ret='ok' st='0'/>",
            "GetError": "<ctl ret='ok' errs=''/>",
            "GetCleanSum": "<ctl ret='ok' a='3120' l='210000' c='188'/>",
            "GetMapSt": "<ctl ret='ok' st='built' method='auto'/>",
            "GetChargerPos": "<ctl ret='ok' p='0,0' a='0'/>",
            "GetVersion": "<ctl ret='ok'><ver name='FW'>1.4.2</ver></ctl>",
        }
        self.assertEqual({name: self.rig.ask_xml(name) for name in expected}, expected)

    def test_clean_state(self) -> None:
        """An idle robot says C{h} with empty members, a working one its job."""
        idle = (
            "<ctl ret='ok'><clean type='auto' speed='standard' st='h' t='' a='' s='' tr=''/></ctl>"
        )
        self.assertEqual(self.rig.ask_xml("GetCleanState"), idle)
        rooms = b"<ctl><clean type='SpotArea' act='s' speed='strong' mid='3,5'/></ctl>"
        self.rig.ask_xml("Clean", rooms)
        state = read((self.rig.ask_xml("GetCleanState") or "").encode()).children[0]
        self.assertEqual((state.get("st"), state.get("mid")), ("s", "3,5"))
        self.assertEqual(state.get("speed"), "strong")

    def test_acts(self) -> None:
        """The letters pause, resume and halt."""
        states = []
        for act in ("s", "p", "r", "h"):
            self.rig.ask_xml("Clean", f"<ctl><clean type='auto' act='{act}'/></ctl>".encode())
            states.append(self.rig.robot.state.activity.value)
        self.assertEqual(states, ["cleaning", "paused", "cleaning", "idle"])

    def test_refusals(self) -> None:
        """Docked robots refuse with errno 8, broken ones with their error."""
        charge = b"<ctl><charge type='go'/></ctl>"
        self.assertEqual(self.rig.ask_xml("Charge", charge), "<ctl ret='fail' errno='8'/>")
        self.rig.robot.machine.fault(102)
        refused = read((self.rig.ask_xml("Clean", START) or "").encode())
        self.assertEqual((refused.get("ret"), refused.get("errno")), ("fail", "102"))

    def test_life_shapes(self) -> None:
        """Four shapes of the same part."""
        expected = {
            LifeShape.LEFT_TOTAL: "<ctl ret='ok' type='Brush' left='13240' total='18000'/>",
            LifeShape.LEFT: "<ctl ret='ok' type='Brush' left='13240'/>",
            LifeShape.VAL_TOTAL: "<ctl ret='ok' type='Brush' val='73' total='100'/>",
            LifeShape.BLANK: "<ctl ret='ok' type='Brush ' left='13240' total='18000'/>",
        }
        for shape, reply in expected.items():
            rig = Rig(Kind.XML, Profile(life_shape=shape)).greeted()
            self.assertEqual(rig.ask_xml("GetLifeSpan", b"<ctl type='Brush'/>"), reply)

    def test_settings(self) -> None:
        """Settings are stored; values out of range fail."""
        for command, payload in (
            ("SetCleanSpeed", b"<ctl speed='strong'/>"),
            ("SetWaterPermeability", b"<ctl v='4'/>"),
            ("SetOnOff", b"<ctl t='b' on='1'/>"),
            ("ResetLifeSpan", b"<ctl type='Brush'/>"),
            ("SetTime", b"<ctl><time t='1767225600' tz='+1'/></ctl>"),
            ("Move", b"<ctl><move action='SpinLeft'/></ctl>"),
        ):
            self.assertEqual(self.rig.ask_xml(command, payload), "<ctl ret='ok'/>")
        self.assertEqual(self.rig.ask_xml("GetCleanSpeed"), "<ctl ret='ok' speed='strong'/>")
        self.assertEqual(self.rig.ask_xml("GetOnOff", b"<ctl t='b'/>"), "<ctl ret='ok' on='1'/>")
        bad = self.rig.ask_xml("SetWaterPermeability", b"<ctl v='9'/>")
        self.assertEqual(bad, "<ctl ret='fail' errno='1'/>")

    def test_map(self) -> None:
        """Map, pieces, rooms and outlines."""
        whole = read((self.rig.ask_xml("GetMapM") or "").encode())
        self.assertEqual((len(whole.get("m").split(",")), whole.get("p")), (64, "50"))
        piece = read((self.rig.ask_xml("PullMP", b"<ctl pid='27'/>") or "").encode())
        self.assertTrue(piece.get("p").startswith("XQAABAAQJwAAA"))
        self.assertIn("fail", self.rig.ask_xml("PullMP", b"<ctl pid='64'/>") or "")
        rooms = read((self.rig.ask_xml("GetMapSet", b"<ctl tp='sa'/>") or "").encode())
        self.assertEqual([room.get("mid") for room in rooms.children], ["3", "5", "7"])
        one = self.rig.ask_xml("PullM", b"<ctl tp='sa' msid='8' mid='3' seq='0'/>") or ""
        self.assertEqual(read(one.encode()).get("m").count(";"), 3)

    def test_id_is_echoed(self) -> None:
        """An C{id} on the request returns on the reply; C{td} makes no difference."""
        reply = self.rig.ask_xml("GetError", b"<ctl id='42' td='GetError'/>")
        self.assertEqual(reply, "<ctl id='42' ret='ok' errs=''/>")

    def test_unknown(self) -> None:
        """Unknown commands meet silence."""
        self.assertIsNone(self.rig.ask_xml("GetNonsense"))

    def test_json_payload(self) -> None:
        """A JSON payload is not answered and is a violation."""
        self.assertIsNone(self.rig.ask_xml("GetError", b"{}"))
        [violation] = self.rig.robot.violations
        self.assertIn("not one XML element", violation)

    def test_platform(self) -> None:
        """Platform commands are JSON, for XML robots too."""
        self.rig.request("SetTime", b'{"ts":1767225600123,"tsInSec":1767225600}', letter="j")
        [(topic, payload)] = published(said(self.rig.transport))
        self.assertEqual((topic[-1], payload), ("j", b'{"ret":"ok"}'))
        self.assertEqual(list(self.rig.robot.violations), [])
