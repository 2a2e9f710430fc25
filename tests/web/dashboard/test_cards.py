"""Tests for L{bumper_tw.web.dashboard.cards}: what a robot says, as its owner reads it."""

import json
from math import inf, nan
from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from bumper_tw.dialect import reports_json, reports_xml
from bumper_tw.dialect.markup import parse
from bumper_tw.errors import DeviceUnknown
from bumper_tw.readings import (
    Activity,
    Alert,
    Battery,
    Charge,
    Clean,
    Errors,
    FanSpeed,
    Firmware,
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
from bumper_tw.values import Company, Device, DeviceId
from bumper_tw.web.dashboard.cards import Cards
from bumper_tw.web.dashboard.robot_traits import name_of
from bumper_tw.web.dashboard.states import ALARMED, said, state_of
from bumper_tw.web.openapi import described
from tests.samples import DUSTY, DUSTY_DEVICE, RecordingLink
from tests.web.dashboard.fleet_world import NOW, FleetCase

#: What people, robots and strangers may write.
HOSTILE = (
    "<script>alert(1)</script>",
    "\"';--><img src=x onerror=1>",
    "\u202egnp.exe\u202c",
    "a\x00b\x1b[31m\r\nSet-Cookie: x",
    "x" * 10_000,
    "\u200b" * 500,
    "{about} {0} %s {{",
)


class IdentityTests(FleetCase):
    """What a robot is."""

    def test_shape(self) -> None:
        """A card has the fields it is described with, whatever is known of the robot."""
        schema = described()["schemas"]["Card"]
        self.assertEqual(set(self.card()), set(schema["required"]))
        self.assertEqual(set(schema["required"]), set(schema["properties"]))

    def test_model(self) -> None:
        """The catalogue knows what it is called and what it looks like."""
        card = self.card()
        self.assertEqual((card["did"], card["protocol"]), (DUSTY.did, "mqtt"))
        self.assertEqual(card["category"], "DEEBOT")
        self.assertEqual(card["image"], "/page/robot-vacuum.svg")
        self.assertTrue(card["model"].startswith("DEEBOT"))
        self.assertEqual(card["name"], card["model"])
        self.assertEqual(card["model_text"], "")
        self.rename("Dusty")
        self.assertEqual(self.card()["model_text"], card["model"])

    def test_alike(self) -> None:
        """Robots that would be called alike have the end of their numbers in their names."""
        alone = self.card()["name"]
        other = Device(DeviceId("did-9", DUSTY.model, "r"), name="E0009999777755554321")
        self.registry.attach(other, RecordingLink())
        self.assertEqual(self.card("did-9")["name"], f"{alone} 4321")
        self.assertEqual(self.card()["name"], f"{alone} {DUSTY_DEVICE.name[-4:]}")
        self.assertEqual(self.card()["model_text"], "")
        self.assertEqual(name_of(other, self.registry.devices()), f"{alone} 4321")
        self.rename("Dusty")
        names = [self.card(did)["name"] for did in (DUSTY.did, "did-9")]
        self.assertEqual(names, ["Dusty", alone])

    def test_unknown_model(self) -> None:
        """One that is in no catalogue has a number and some drawing."""
        device = Device(DeviceId("did-9", "zzz999", "r"), name="E77", company=Company.XMPP)
        self.registry.attach(device, RecordingLink())
        card = self.card("did-9")
        self.assertEqual((card["model"], card["category"]), ("zzz999", "UNKNOWN"))
        self.assertEqual(card["image"], "/page/robot-robot.svg")
        self.assertEqual((card["name"], card["protocol"]), ("Robot E77", "xmpp"))

    def test_unknown_robot(self) -> None:
        """Of what is none there is no card."""
        self.assertRaises(DeviceUnknown, self.card, "nobody")

    def test_named(self) -> None:
        """What its owner calls it is its name."""
        self.rename("  Dusty\tthe  first ")
        self.assertEqual(self.card()["name"], "Dusty the first")

    def test_firmware(self) -> None:
        """The version from its login, or from its messages."""
        self.say(Firmware("1.2.3"))
        self.assertEqual(self.card()["firmware"], "1.2.3")

    def test_hostile_names(self) -> None:
        """A name is one short line of text that is seen; never empty."""
        for name in HOSTILE:
            self.rename(name)
            shown = self.card()["name"]
            self.assertTrue(shown, repr(name))
            self.assertLessEqual(len(shown), 80)
            self.assertTrue(shown.isprintable(), repr(shown))
        self.rename("\u202eSusi")
        self.assertEqual(self.card()["name"], "Susi")

    def test_blocked(self) -> None:
        """Updates it was refused are counted, each attempt; and one may be let through."""
        self.assertEqual((self.card()["blocked"], self.card()["blocked_text"]), (0, ""))
        for _ in range(3):
            self.updates.note("firmware", "192.168.7.33", DUSTY.did, DUSTY.model, "fw0", "1.0")
        self.updates.note("app", "192.168.7.9")
        self.assertEqual(self.card()["blocked"], 3)
        self.assertEqual(self.card()["blocked_text"], "3 updates refused")
        self.successResultOf(self.updates.allow(DUSTY.did))
        self.assertEqual(self.card()["blocked_text"], "The next update is let through")
        self.assertTrue(self.card()["update_allowed"])


class StateTests(FleetCase):
    """What a robot does (mqtt.md 11)."""

    def state(self, *readings: Reading) -> tuple[str, str]:
        """What it does after having said this."""
        self.say(*readings)
        card = self.card()
        return card["state"], card["state_text"]

    def test_nothing_known(self) -> None:
        """It is there, and that is all."""
        self.assertEqual(self.state(), ("unknown", "Connected"))
        self.assertEqual(self.card()["battery_text"], "")
        self.assertIsNone(self.card()["seen_at"])

    def test_activities(self) -> None:
        """Each has its words."""
        for doing, expected in (
            (Activity.CLEANING, ("cleaning", "Cleaning")),
            (Activity.PAUSED, ("paused", "Paused")),
            (Activity.RETURNING, ("returning", "On its way home")),
            (Activity.WASHING, ("washing", "Washing its mop")),
            (Activity.DOCKED, ("docked", "At the dock")),
            (Activity.IDLE, ("idle", "Standing still")),
            (Activity.ERROR, ("error", "Needs your help")),
        ):
            self.assertEqual(self.state(Clean(doing, "x")), expected)

    def test_unknown_word(self) -> None:
        """What we have no word for is shown as the robot says it; as text."""
        self.assertEqual(
            self.state(Clean(None, "dan\u202ecing<b>")),
            ("unknown", "Connected; it says “dancing<b>”"),
        )

    def test_offline(self) -> None:
        """Who is not connected does nothing, whatever was the last we heard."""
        self.say(Clean(Activity.CLEANING), Errors((105,)), Charge(True), Battery(40))
        self.detach()
        card = self.card()
        self.assertEqual((card["state"], card["online"]), ("offline", False))
        self.assertEqual(card["state_text"], "Not connected for now")
        self.assertEqual(card["battery_text"], "40 % when last seen")
        self.assertFalse(card["charging"])
        self.assertEqual(card["seen_at"], NOW)

    def test_charging(self) -> None:
        """At the dock it charges, until it is full."""
        self.assertEqual(self.state(Charge(True)), ("charging", "At the dock, charging"))
        full = ("docked", "At the dock, fully charged")
        self.assertEqual(self.state(Battery(100)), full)
        self.assertEqual(self.state(Clean(Activity.IDLE)), full)
        self.assertTrue(self.card()["charging"])

    def test_comes_home(self) -> None:
        """Of what it does and whether it charges, the newer counts."""
        self.say(Charge(True), Clean(Activity.CLEANING))
        self.assertEqual(self.state()[0], "cleaning")
        self.assertEqual(self.state(Charge(False))[0], "cleaning")
        self.assertEqual(self.state(Clean(Activity.RETURNING))[0], "returning")
        self.assertEqual(self.state(Charge(True))[0], "charging")

    def test_washing_in_the_dock(self) -> None:
        """While its mop is washed it charges, too, which is not the news."""
        self.assertEqual(self.state(Clean(Activity.WASHING), Charge(True))[0], "washing")

    def test_not_charging(self) -> None:
        """That it does not charge says nothing of what it does."""
        self.assertEqual(self.state(Charge(False)), ("idle", "Standing still"))
        self.assertEqual(self.state(Sleep(True)), ("idle", "Asleep"))

    def test_errors(self) -> None:
        """An error comes before what it does; with several, the current one first."""
        self.say(Clean(Activity.CLEANING), Errors((111, 105)))
        card = self.card()
        self.assertEqual((card["state"], card["error"]), ("error", True))
        self.assertTrue(card["error_text"].startswith("Stuck. The robot cannot get away"))
        self.assertIn(" Bumper. ", card["error_text"])
        self.say(Errors(()))
        self.assertEqual((self.card()["state"], self.card()["error_text"]), ("cleaning", ""))

    def test_unknown_errors(self) -> None:
        """One without a text has its number; of very many the newest are told."""
        self.say(Errors((*range(5000, 9000), 4711, 4711)))
        text = self.card()["error_text"]
        self.assertTrue(text.startswith("Malfunction 4711. "), text)
        self.assertEqual(text.count("number"), 3)

    def test_alert(self) -> None:
        """An XMPP robot calls for help in its own words, until it does something again."""
        self.say(Clean(Activity.PAUSED, "p"), Alert("DeviceAlert", "DorpError"))
        self.assertEqual(self.card()["state"], "error")
        self.assertEqual(self.card()["error_text"], "It calls for help: DorpError.")
        self.say(Clean(Activity.CLEANING, "s"))
        self.assertEqual(self.card()["state"], "cleaning")
        self.say(Alert("DeviceAlert"))
        self.assertEqual(self.card()["error_text"], "It calls for help: DeviceAlert.")
        self.say(Charge(True))
        self.assertEqual(self.card()["state"], "charging")

    def test_old_alert(self) -> None:
        """No robot says that its alarm is over; after a day it is."""
        self.say(Alert("DeviceAlert", "DorpError"))
        self.clock.advance(ALARMED + 1)
        self.say(Battery(50))
        self.assertEqual(self.card()["state"], "unknown")

    def test_as_robots_say_it(self) -> None:
        """The same from the wire: JSON, and XML."""
        run = {"trigger": "app", "state": "clean", "cleanState": {"motionState": "working"}}
        payload = {"body": {"data": run}}
        self.say(*reports_json.readings("onCleanInfo", payload))
        self.assertEqual(self.card()["state"], "cleaning")
        self.say(*reports_json.readings("onChargeState", {"body": {"data": {"isCharging": 1}}}))
        self.assertEqual(self.card()["state"], "charging")
        xml = (
            b"<ctl td='CleanReport'><clean type='auto' speed='strong' st='p' t='60' a='7'/></ctl>"
        )
        self.say(*reports_xml.readings("CleanReport", parse(xml)))
        card = self.card()
        self.assertEqual((card["state"], card["suction_text"]), ("paused", "Strong"))

    @given(st.lists(st.sampled_from([
        Clean(None, "x"), *(Clean(doing) for doing in Activity), Charge(True), Charge(False),
        Battery(100), Battery(5, True), Errors((105,)), Errors(()), Sleep(True), Alert("a"),
    ]), max_size=12), st.booleans())  # fmt: skip
    def test_any_order(self, readings: list[Reading], online: bool) -> None:
        """Whatever it says and when, its state is one that pages know; precedence holds."""
        known = said([Report("d", r, NOW + n, n + 1) for n, r in enumerate(readings)])
        state = state_of(known, online, False)
        self.assertIn(state, described()["schemas"]["Card"]["properties"]["state"]["enum"])
        self.assertEqual(state == "offline", not online)
        if online:
            self.assertEqual(state_of(known, online, True), "error")


class WordTests(FleetCase):
    """Everything else that it says."""

    def test_battery(self) -> None:
        """Charge, and whether that is little."""
        for battery, expected in (
            (Battery(87), "87 %"),
            (Battery(9, True), "9 %, low"),
            (Battery(250), "100 %"),
        ):
            self.say(battery)
            self.assertEqual(self.card()["battery_text"], expected)
        self.say(Battery(9, True), Charge(True))
        self.assertEqual(self.card()["battery_text"], "9 %, charging")

    def test_suction(self) -> None:
        """Of both kinds of robots, and of kinds that are still to come (mqtt.md 7.3, 9)."""
        for speed, text in (
            ("1000", "Quiet"),
            ("0", "Standard"),
            ("1", "Strong"),
            ("2", "Strongest"),
            ("standard", "Standard"),
            ("7", "7"),
        ):
            self.say(FanSpeed(speed))
            self.assertEqual((self.card()["suction"], self.card()["suction_text"]), (speed, text))

    def test_water(self) -> None:
        """Four levels; and whether there is a mop (mqtt.md 7.3, 10)."""
        self.say(Water(2, True))
        card = self.card()
        self.assertEqual((card["water"], card["water_text"], card["mop"]), (2, "Medium", True))
        self.say(Water(77, False))
        card = self.card()
        self.assertEqual((card["water"], card["water_text"]), (None, "no mop mounted"))

    def test_job(self) -> None:
        """The one in hand, as long as it lasts."""
        job = Stats("122", 1_767_225_600, 14, 1260)
        self.say(job, Clean(Activity.CLEANING, job="122"))
        self.assertEqual(self.card()["job"], {"area": 14, "seconds": 1260})
        self.assertEqual(self.card()["job_text"], "14 m² in 21 min")
        self.say(Clean(Activity.CLEANING, job="123"))
        self.assertIsNone(self.card()["job"])
        self.say(Clean(Activity.CLEANING, job="122"), evolve(job, stopped=True))
        self.assertIsNone(self.card()["job"])
        self.say(job, Clean(Activity.IDLE))
        self.assertEqual((self.card()["job"], self.card()["job_text"]), (None, ""))

    def test_parts(self) -> None:
        """What wears off, in percent where the robot says of how much; little is marked."""
        self.say(
            LifeSpan(
                (
                    Part("brush", 9000, 18000),
                    Part("SideBrush", 10, 100),
                    Part("roundMop", 630),
                    Part("<i>flux</i>", 5, 100),
                )
            )
        )
        shown = [(p["name"], p["percent"], p["text"], p["low"]) for p in self.card()["parts"]]
        self.assertEqual(
            shown,
            [
                ("Main brush", 50, "50 % left", False),
                ("Side brush", 10, "10 % left", True),
                ("Mop", None, "about 10 h left", False),
                ("<i>flux</i>", 5, "5 % left", True),
            ],
        )

    def test_rest(self) -> None:
        """Network, loudness, and what it has done in its life."""
        self.say(Network("192.0.2.31", "home", -58), Volume(4, 10), Totals(3120, 210_000, 188))
        card = self.card()
        self.assertEqual(card["network_text"], "Wi-Fi “home”, strong signal (-58 dBm), 192.0.2.31")
        self.assertEqual(card["volume"], 4)
        self.assertEqual(card["totals_text"], "188 jobs, 3,120 m², 58 h 20 min")
        self.say(Network("", "", 75))
        self.assertEqual(self.card()["network_text"], "weak signal (-75 dBm)")


NUMBERS: Any = st.one_of(
    st.integers(-(2**70), 2**70), st.sampled_from([nan, inf, -inf, 1e300, 0, -1])
)


class HostileTests(FleetCase):
    """No robot makes a card that is not JSON for everybody, or larger than it may be."""

    @given(st.text(max_size=300), NUMBERS, NUMBERS)
    def test_anything(self, text: str, some: Any, other: Any) -> None:
        """Whatever texts and numbers are in its reports."""
        text = text.encode("utf-8", "replace").decode()
        readings = (
            Battery(some),
            Stats(text, 1, some, other),
            Totals(some, other, some),
            Errors((some, other)),
            FanSpeed(text),
            Water(some, True),
            Volume(some),
            Network(text, text, other),
            Clean(Activity.CLEANING, text, text, text),
            Firmware(text),
        )
        self.say(*readings)
        card = self.card()
        written = json.dumps(card, allow_nan=False)
        self.assertLess(len(written), 10_000)
        for name in ("suction", "suction_text", "network_text", "firmware", "error_text"):
            self.assertTrue(card[name] is None or card[name].isprintable(), name)

    def test_long_texts(self) -> None:
        """Nothing on a card is as long as a robot would have it."""
        for text in HOSTILE:
            self.say(FanSpeed(text), Network(text, text), Firmware(text), Alert(text, text))
            self.say(LifeSpan(tuple(Part(text + str(n), 1) for n in range(64))))
            self.assertLess(len(json.dumps(self.card(), ensure_ascii=False)), 20_000)

    def test_everything(self) -> None:
        """All cards together are those of all robots."""
        self.assertIsInstance(self.cards, Cards)
        self.assertEqual([self.cards.of(d) for d in self.registry.devices()], [self.card()])
