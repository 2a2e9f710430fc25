"""Tests for L{bumper_tw.core.mqtt_rules}: the table of mqtt.md 5.1, row by row."""

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.mqtt_rules import MqttRules
from bumper_tw.storage.memory import MemoryDeviceStore
from bumper_tw.values import Device, DeviceId, Principal
from bumper_tw.wire.mqtt_topics import matches
from tests.samples import (
    ALICE,
    DASHBOARD,
    DUSTY,
    DUSTY_DEVICE,
    DUSTY_ITSELF,
    RUSTY,
    RUSTY_DEVICE,
    RecordingLink,
)

D, R = str(DUSTY), str(RUSTY)
SWAPPED = f"{DUSTY.model}/{DUSTY.did}/{DUSTY.resource}"
HELPER = "helperbot/bumper/helperbot"
SELF = f"{ALICE.name}/{ALICE.realm}/{ALICE.resource}"

ROBOT_HEARS = (
    f"iot/p2p/+/+/+/+/{D}/q/+/+",
    f"iot/p2p/+/+/+/+/{D}/+/+/+",
    f"iot/p2p/getBattery/{HELPER}/{D}/q/abcd/j",
    f"iot/cfg/{D}/+/+",
    f"iot/cfg/{SWAPPED}/+/+",
    f"iot/dtgcfg/{SWAPPED}/+/+",
    f"iot/dtgcfg/{D}/+/+",
    f"iot/dtcfg/{DUSTY.model}/222/+/+",
    f"iot/dtcfg/{SWAPPED}/+/+",
    f"iot/dtcfg/{D}/+/+",
    f"p2p/{DUSTY.did}",
)
ROBOT_HEARS_NOT = (
    "#",
    "+/#",
    "iot/#",
    f"iot/p2p/+/+/+/+/{R}/q/+/+",
    "iot/p2p/+/+/+/+/+/+/+/q/+/+",
    f"iot/p2p/+/{D}/+/+/+/p/+/+",
    f"iot/atr/+/{D}/+",
    f"iot/atr/+/{R}/+",
    f"iot/cfg/{R}/+/+",
    f"iot/dtcfg/{RUSTY.model}/222/+/+",
    f"iot/p2p/+/+/+/+/{D}/#",
    f"p2p/{RUSTY.did}",
    f"rsp/{DUSTY.did}",
    f"attr/{DUSTY.did}",
    "p2p/+",
    "$SYS/#",
)
ROBOT_SAYS = (
    f"iot/atr/onBattery/{D}/j",
    f"iot/atr/BatteryInfo/{D}/x",
    f"iot/p2p/getBattery/{D}/{HELPER}/p/abcd/j",
    f"iot/p2p/getBattery/{D}/HelperMQClientId-1/ecosys/1234/p/WXYZ/j",
    f"rsp/{DUSTY.did}",
    f"attr/{DUSTY.did}",
)
ROBOT_SAYS_NOT = (
    f"iot/atr/onBattery/{R}/j",
    f"iot/p2p/getBattery/{R}/{HELPER}/p/abcd/j",
    f"iot/p2p/getBattery/{HELPER}/{R}/q/abcd/j",
    f"iot/p2p/getBattery/{D}/{R}/q/abcd/j",
    f"iot/atr/onBattery/{D}/more/j",
    f"iot/cfg/{D}/j/setting2",
    f"iot/atr/onBattery/{DUSTY.did}/{DUSTY.model}/other/j",
    f"p2p/{DUSTY.did}",
    f"rsp/{RUSTY.did}",
    f"attr/{RUSTY.did}",
    "$SYS/broker",
)
USER_HEARS = (
    f"iot/atr/+/{D}/+",
    f"iot/atr/+/{D}/j",
    f"iot/p2p/+/+/+/+/{D}/q/+/j",
    f"iot/p2p/+/{D}/+/+/+/p/+/j",
    f"iot/atr/+/{R}/x",
    f"iot/p2p/+/+/+/+/{SELF}/p/+/+",
    f"p2p/{DUSTY.did}",
    f"rsp/{DUSTY.did}",
    f"attr/{RUSTY.did}",
)
USER_HEARS_NOT = (
    "#",
    "iot/#",
    "iot/atr/#",
    "iot/atr/+/+/+/+/+",
    f"iot/atr/+/{DUSTY.did}/+/+/+",
    f"iot/atr/#/{D}",
    f"iot/p2p/+/+/+/+/{D}/+/+/+",
    f"iot/p2p/+/+/+/+/{D}/p/+/+",
    "iot/atr/+/nobody/yna5xi/qX7d/j",
    f"iot/p2p/+/+/+/+/fuid_bob/{ALICE.realm}/{ALICE.resource}/p/+/+",
    f"iot/cfg/{D}/+/+",
    "attr/+",
    "attr/nobody",
    "$SYS/#",
)
SERVICE_HEARS = (
    "iot/atr/+/+/+/+/+",
    f"iot/atr/+/{D}/j",
    "attr/+",
    f"attr/{DUSTY.did}",
    "rsp/+",
    f"rsp/{DUSTY.did}",
)
SERVICE_HEARS_NOT = ("#", "iot/#", "iot/p2p/+/+/+/+/+/+/+/p/+/+", "p2p/+", "$SYS/#", "rsp/#")


class RulesTests(SynchronousTestCase):
    """L{MqttRules} is the table, and denies what is not in it."""

    def setUp(self) -> None:
        self.registry = DeviceRegistry(Clock(), MemoryDeviceStore())
        for device in (DUSTY_DEVICE, RUSTY_DEVICE):
            self.registry.attach(device, RecordingLink())
        self.rules = MqttRules(self.registry)

    def hears(self, who: Principal, filters: tuple[str, ...]) -> list[str]:
        """Those of some filters that somebody may subscribe to."""
        return [wanted for wanted in filters if self.rules.may_subscribe(who, wanted)]

    def says(self, who: Principal, topics: tuple[str, ...]) -> list[str]:
        """Those of some topics that somebody may publish to."""
        allowed = self.rules.says(who)
        return [topic for topic in topics if any(matches(each, topic) for each in allowed)]

    def test_robot_hears(self) -> None:
        """A robot hears what is addressed to it, in all orders of levels seen."""
        self.assertEqual(self.hears(DUSTY_ITSELF, ROBOT_HEARS), list(ROBOT_HEARS))

    def test_robot_hears_nothing_else(self) -> None:
        """A robot hears neither others nor itself, and no filter that could mean more."""
        self.assertEqual(self.hears(DUSTY_ITSELF, ROBOT_HEARS_NOT), [])

    def test_robot_says(self) -> None:
        """A robot reports and answers under its own address."""
        self.assertEqual(self.says(DUSTY_ITSELF, ROBOT_SAYS), list(ROBOT_SAYS))

    def test_robot_says_nothing_else(self) -> None:
        """A robot neither speaks for another nor commands one."""
        self.assertEqual(self.says(DUSTY_ITSELF, ROBOT_SAYS_NOT), [])

    def test_user_hears(self) -> None:
        """A user hears every robot of the household, and answers to oneself."""
        self.assertEqual(self.hears(ALICE, USER_HEARS), list(USER_HEARS))

    def test_user_hears_nothing_else(self) -> None:
        """No filter of a user reaches beyond one known robot, nor to other users."""
        self.assertEqual(self.hears(ALICE, USER_HEARS_NOT), [])

    def test_user_says_nothing(self) -> None:
        """Users command by HTTP, and cannot forge what a robot would say."""
        everything = (*ROBOT_SAYS, *ROBOT_SAYS_NOT, f"iot/p2p/clean/{SELF}/{D}/q/abcd/j")
        self.assertEqual(self.says(ALICE, everything), [])

    def test_service(self) -> None:
        """A service hears all telemetry, and commands robots by their short names alone."""
        self.assertEqual(self.hears(DASHBOARD, SERVICE_HEARS), list(SERVICE_HEARS))
        self.assertEqual(self.hears(DASHBOARD, SERVICE_HEARS_NOT), [])
        said = (*ROBOT_SAYS, *ROBOT_SAYS_NOT)
        self.assertEqual(self.says(DASHBOARD, said), [f"p2p/{DUSTY.did}"])

    def test_new_robot(self) -> None:
        """A robot that comes later may be heard from then on; one that went, no more."""
        sandy = DeviceId("sandy", "p95mgv", "x")
        wanted = (f"iot/atr/+/{sandy}/+", "attr/sandy")
        self.assertEqual(self.hears(ALICE, wanted), [])
        self.registry.attach(Device(sandy), RecordingLink())
        self.assertEqual(self.hears(ALICE, wanted), list(wanted))
        self.successResultOf(self.registry.forget("sandy"))
        self.assertEqual(self.hears(ALICE, wanted), [])

    def test_moved_robot(self) -> None:
        """A robot with a new resource is heard under the new address only."""
        moved = evolve(DUSTY, resource="new1")
        self.registry.attach(Device(moved), RecordingLink())
        self.assertEqual(
            self.hears(ALICE, (f"iot/atr/+/{D}/+", f"iot/atr/+/{moved}/+")),
            [f"iot/atr/+/{moved}/+"],
        )

    def test_odd_addresses(self) -> None:
        """Robots whose address cannot be in a topic are heard by nobody, and break nothing."""
        for odd in (DeviceId("bare", "155", ""), DeviceId("d~1", "155", "atom")):
            self.registry.attach(Device(odd), RecordingLink())
        wanted = ("attr/bare", "iot/atr/+/bare/155//+", "attr/d~1")
        self.assertEqual(self.hears(ALICE, wanted), [])

    @given(st.lists(st.sampled_from(["+", "iot", "p2p", "atr", D, "q", "p", "", "attr"])))
    def test_covered_only(self, levels: list[str]) -> None:
        """Whatever a user asks for, it names a robot or the user."""
        wanted = "/".join(levels) or "+"
        if self.rules.may_subscribe(ALICE, wanted):
            self.assertIn(DUSTY.did, wanted)
