"""Tests for L{bumper_tw.core.mqtt_rules}: the table of mqtt.md 5.1, row by row."""

from collections.abc import Iterator

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.mqtt_access import AccessList
from bumper_tw.core.mqtt_rules import REMEMBERED, MqttRules, named_robot
from bumper_tw.storage.memory import MemoryDeviceStore
from bumper_tw.values import Device, DeviceId, Principal, Role
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

NOBODY = Principal(Role.ANONYMOUS, "", resource="mqttjs_1")

D, R = str(DUSTY), str(RUSTY)
SWAPPED = f"{DUSTY.model}/{DUSTY.did}/{DUSTY.resource}"
HELPER = "helperbot/bumper/helperbot"
SELF = f"{ALICE.name}/{ALICE.realm}/{ALICE.resource}"
OTHER = f"fuid_bob/{ALICE.realm}/{ALICE.resource}"

#: A deed, what it is done to, and whether it is allowed.
Row = tuple[str, str, bool]

PUBLISH, RETAIN, SUBSCRIBE, HEAR = "publish", "retain", "subscribe", "hear"


def may(deed: str, *topics: str) -> Iterator[Row]:
    """Rows of what is allowed."""
    return ((deed, topic, True) for topic in topics)


def may_not(deed: str, *topics: str) -> Iterator[Row]:
    """Rows of what is not."""
    return ((deed, topic, False) for topic in topics)


ROBOT = (
    *may(
        PUBLISH,
        f"iot/atr/onBattery/{D}/j",
        f"iot/atr/BatteryInfo/{D}/x",
        f"iot/p2p/getBattery/{D}/{HELPER}/p/abcd/j",
        f"iot/p2p/getBattery/{D}/HelperMQClientId-1/ecosys/1234/p/WXYZ/j",
        f"rsp/{DUSTY.did}",
        f"attr/{DUSTY.did}",
    ),
    *may_not(
        PUBLISH,
        # For another, or as another.
        f"iot/atr/onBattery/{R}/j",
        f"iot/p2p/getBattery/{R}/{HELPER}/p/abcd/j",
        f"rsp/{RUSTY.did}",
        f"attr/{RUSTY.did}",
        f"iot/atr/onBattery/{DUSTY.did}/{DUSTY.model}/other/j",
        # Commands.
        f"iot/p2p/getBattery/{HELPER}/{R}/q/abcd/j",
        f"iot/p2p/getBattery/{D}/{R}/q/abcd/j",
        f"p2p/{DUSTY.did}",
        f"iot/cfg/{D}/j/setting2",
        # What is nobody's topic.
        f"iot/atr/onBattery/{D}/more/j",
        f"iot/atr/+/{D}/+",
        f"iot/atr/#/{D}/j",
        "home/lamp",
        "$SYS/broker",
        "",
    ),
    *may_not(RETAIN, f"iot/atr/onBattery/{D}/j", f"attr/{DUSTY.did}", "home/lamp"),
    *may(
        SUBSCRIBE,
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
    ),
    *may_not(
        SUBSCRIBE,
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
        "home/#",
        "$SYS/#",
        "",
    ),
    *may(
        HEAR,
        f"iot/p2p/getBattery/{HELPER}/{D}/q/abcd/j",
        f"iot/p2p/token/cloud/ecosys/1/{D}/m/abcd/j",
        f"iot/cfg/{D}/j/setting2",
        f"p2p/{DUSTY.did}",
    ),
    *may_not(
        HEAR,
        f"iot/p2p/getBattery/{HELPER}/{R}/q/abcd/j",
        f"iot/p2p/getBattery/{R}/{HELPER}/p/abcd/j",
        f"iot/atr/onBattery/{R}/j",
        f"iot/atr/onBattery/{D}/j",
        f"p2p/{RUSTY.did}",
        "home/lamp",
        "$SYS/broker/uptime",
    ),
)

USER = (
    # Users command by HTTP, and cannot forge what a robot would say.
    *may_not(
        PUBLISH,
        f"iot/p2p/clean/{SELF}/{D}/q/abcd/j",
        f"iot/atr/onBattery/{D}/j",
        f"iot/p2p/getBattery/{D}/{HELPER}/p/abcd/j",
        f"p2p/{DUSTY.did}",
        f"rsp/{DUSTY.did}",
        f"attr/{DUSTY.did}",
        "home/lamp",
        "$SYS/broker",
    ),
    *may_not(RETAIN, f"iot/atr/onBattery/{D}/j", "home/lamp"),
    *may(
        SUBSCRIBE,
        f"iot/atr/+/{D}/+",
        f"iot/atr/+/{D}/j",
        f"iot/p2p/+/+/+/+/{D}/q/+/j",
        f"iot/p2p/+/{D}/+/+/+/p/+/j",
        f"iot/atr/+/{R}/x",
        f"iot/p2p/+/+/+/+/{SELF}/p/+/+",
        f"p2p/{DUSTY.did}",
        f"rsp/{DUSTY.did}",
        f"attr/{RUSTY.did}",
    ),
    *may_not(
        SUBSCRIBE,
        "#",
        "iot/#",
        "iot/atr/#",
        "iot/atr/+/+/+/+/+",
        f"iot/atr/+/{DUSTY.did}/+/+/+",
        f"iot/atr/+/{DUSTY.did}/#",
        f"iot/atr/#/{D}",
        f"iot/p2p/+/+/+/+/{D}/+/+/+",
        f"iot/p2p/+/+/+/+/{D}/p/+/+",
        "iot/atr/+/nobody/yna5xi/qX7d/j",
        f"iot/p2p/+/+/+/+/{OTHER}/p/+/+",
        f"iot/cfg/{D}/+/+",
        "attr/+",
        "attr/nobody",
        "home/#",
        "$SYS/#",
        "",
    ),
    *may(
        HEAR,
        f"iot/atr/onBattery/{D}/j",
        f"iot/atr/BatteryInfo/{R}/x",
        f"iot/p2p/clean/{HELPER}/{D}/q/abcd/j",
        f"iot/p2p/clean/{OTHER}/{D}/q/abcd/j",
        f"iot/p2p/clean/{D}/{HELPER}/p/abcd/j",
        f"iot/p2p/clean/gone/x/y/{SELF}/p/abcd/j",
        f"attr/{DUSTY.did}",
    ),
    *may_not(
        HEAR,
        "iot/atr/onBattery/gone/yna5xi/qX7d/j",
        f"iot/p2p/clean/gone/x/y/{OTHER}/p/abcd/j",
        f"iot/p2p/token/cloud/ecosys/1/{D}/m/abcd/j",
        f"iot/cfg/{D}/j/setting2",
        "attr/gone",
        "home/lamp",
        "$SYS/broker/uptime",
        "",
    ),
)

SERVICE = (
    *may(PUBLISH, "home/lamp", "homeassistant/x/config", "/", "ioty/x", f"p2p/{DUSTY.did}"),
    *may_not(
        PUBLISH,
        f"iot/atr/onBattery/{D}/j",
        f"iot/p2p/getBattery/{HELPER}/{D}/q/abcd/j",
        f"iot/p2p/getBattery/{D}/{HELPER}/p/abcd/j",
        "iot",
        "iot/",
        f"rsp/{DUSTY.did}",
        f"attr/{DUSTY.did}",
        f"p2p/{DUSTY.did}/x",
        "$SYS/broker",
        "$share/x",
        "home/+",
        "#",
    ),
    *may(RETAIN, "home/lamp", "homeassistant/x/config"),
    *may_not(RETAIN, f"p2p/{DUSTY.did}", f"iot/atr/onBattery/{D}/j", "$SYS/x", "home/#"),
    *may(
        SUBSCRIBE,
        "#",
        "+",
        "+/+",
        "home/#",
        "iot/#",
        "iot/atr/#",
        "iot/atr/+/+/+/+/+",
        f"iot/atr/+/{D}/j",
        "+/atr/#",
        "attr/+",
        f"attr/{DUSTY.did}",
        "rsp/+",
        f"rsp/{DUSTY.did}",
        "rsp/#",
    ),
    *may_not(
        SUBSCRIBE,
        "iot/p2p/#",
        "iot/p2p/+/+/+/+/+/+/+/p/+/+",
        f"iot/cfg/{D}/+/+",
        "p2p/+",
        "$SYS/#",
        "$share/all/home/#",
    ),
    *may(HEAR, "home/lamp", f"iot/atr/onBattery/{D}/j", f"attr/{RUSTY.did}", f"rsp/{RUSTY.did}"),
    *may_not(
        HEAR,
        f"iot/p2p/clean/{HELPER}/{D}/q/abcd/j",
        f"iot/p2p/clean/{D}/{HELPER}/p/abcd/j",
        f"iot/cfg/{D}/j/setting2",
        f"p2p/{DUSTY.did}",
        "$SYS/broker/uptime",
    ),
)

ANONYMOUS = (
    *may(PUBLISH, "home/lamp"),
    *may_not(
        PUBLISH,
        f"p2p/{DUSTY.did}",
        f"attr/{DUSTY.did}",
        f"rsp/{DUSTY.did}",
        f"iot/atr/onBattery/{D}/j",
        "$SYS/x",
    ),
    *may(RETAIN, "home/lamp"),
    *may_not(RETAIN, f"attr/{DUSTY.did}", "$SYS/x"),
    *may(SUBSCRIBE, "#", "+/#", "home/#"),
    *may_not(SUBSCRIBE, "iot/#", "iot/atr/#", "attr/+", "rsp/+", "p2p/+", "$SYS/#"),
    *may(HEAR, "home/lamp"),
    *may_not(HEAR, f"iot/atr/onBattery/{D}/j", f"attr/{DUSTY.did}", "$SYS/broker/uptime"),
)

#: A service that the owner's file names, and what the file says of it.
KITCHEN = Principal(Role.SERVICE, "kitchen", resource="panel-1")
FILE = """
topic read weather/#

user kitchen
topic kitchen/#
topic read iot/atr/#
topic read $SYS/#
topic write p2p/+
topic deny kitchen/secret
"""
NAMED = (
    *may(PUBLISH, "kitchen/lamp", f"p2p/{DUSTY.did}"),
    *may_not(PUBLISH, "home/lamp", "kitchen/secret", f"iot/atr/onBattery/{D}/j", "$SYS/x"),
    *may(RETAIN, "kitchen/lamp"),
    *may_not(RETAIN, "kitchen/secret", f"p2p/{DUSTY.did}", "home/lamp"),
    *may(SUBSCRIBE, "#", "+/lamp", "kitchen/+", "iot/#", "$SYS/#"),
    *may_not(SUBSCRIBE, "home/#", "weather/#", "kitchen/secret", "attr/+", "iot/p2p/#"),
    *may(HEAR, "kitchen/lamp", f"iot/atr/onBattery/{D}/j", "$SYS/broker/uptime"),
    *may_not(HEAR, "home/lamp", "weather/now", "kitchen/secret", f"attr/{DUSTY.did}"),
)
GENERAL = (
    *may(SUBSCRIBE, "#", "weather/now"),
    *may_not(SUBSCRIBE, "home/#", "kitchen/#", "iot/#", "$SYS/#"),
    *may(HEAR, "weather/now"),
    *may_not(HEAR, "home/lamp", "kitchen/lamp", f"iot/atr/onBattery/{D}/j", "$SYS/x"),
    *may_not(PUBLISH, "weather/now", "home/lamp"),
    *may_not(RETAIN, "weather/now", "home/lamp"),
)

any_topic = st.lists(
    st.sampled_from(["iot", "atr", "p2p", "attr", "q", "p", "", "$SYS", "home", "x"])
    | st.sampled_from([*D.split("/"), *SELF.split("/"), *HELPER.split("/")])
    | st.text(max_size=3),
    max_size=13,
).map("/".join)


class CountingRegistry(DeviceRegistry):
    """Counts how often it is asked for a robot."""

    looked = 0

    def device(self, did: str) -> Device:
        self.looked += 1
        return super().device(did)


class RulesCase(SynchronousTestCase):
    """Rules over two robots."""

    def setUp(self) -> None:
        self.registry = DeviceRegistry(Clock(), MemoryDeviceStore())
        for device in (DUSTY_DEVICE, RUSTY_DEVICE):
            self.registry.attach(device, RecordingLink())
        self.rules = MqttRules(self.registry)
        self.registry.when_forgotten(self.rules.forgotten)

    def asked(self, who: Principal, deed: str, topic: str) -> bool:
        """Whether somebody may do something."""
        deeds = {
            PUBLISH: self.rules.may_publish,
            RETAIN: self.rules.may_retain,
            SUBSCRIBE: self.rules.may_subscribe,
            HEAR: self.rules.may_hear,
        }
        return deeds[deed](who, topic)

    def check(self, who: Principal, table: tuple[Row, ...]) -> None:
        """Ask for every row of a table."""
        wrong = [row for row in table if self.asked(who, *row[:2]) is not row[2]]
        self.assertEqual(wrong, [])

    def hears(self, who: Principal, *filters: str) -> list[str]:
        """Those of some filters that somebody may subscribe to."""
        return [wanted for wanted in filters if self.rules.may_subscribe(who, wanted)]


class TableTests(RulesCase):
    """L{MqttRules} is the table, and denies what is not in it."""

    def test_robot(self) -> None:
        """A robot speaks and hears under its own address, in all orders of levels seen."""
        self.check(DUSTY_ITSELF, ROBOT)

    def test_user(self) -> None:
        """A user hears every robot of the household and answers to itself, and says nothing."""
        self.check(ALICE, USER)

    def test_service(self) -> None:
        """A service has the household's topics, hears telemetry, and commands in short."""
        self.check(DASHBOARD, SERVICE)

    def test_anonymous(self) -> None:
        """Who has no account has the household's topics, and nothing of robots."""
        self.check(NOBODY, ANONYMOUS)

    def test_named(self) -> None:
        """Whom the owner's file names may do exactly what it says; nobody else is touched."""
        self.rules.use(AccessList.parse(FILE, "acl"))
        self.check(KITCHEN, NAMED)
        self.check(NOBODY, GENERAL)
        self.check(DASHBOARD, SERVICE)
        self.check(DUSTY_ITSELF, ROBOT)
        self.check(ALICE, USER)

    def test_file_at_start(self) -> None:
        """The file counts from the start."""
        self.rules = MqttRules(self.registry, AccessList.parse(FILE, "acl"))
        self.check(KITCHEN, NAMED)

    def test_empty_file(self) -> None:
        """A file without rules changes nothing (CVE-2018-12550)."""
        self.rules.use(AccessList.parse("# nothing yet\n", "acl"))
        self.check(DASHBOARD, SERVICE)
        self.check(NOBODY, ANONYMOUS)

    @given(any_topic)
    def test_hears_what_it_subscribed_to(self, topic: str) -> None:
        """A topic that a robot or a user may subscribe to is one that it hears, and vice versa."""
        for who in DUSTY_ITSELF, ALICE:
            self.assertIs(
                self.rules.may_subscribe(who, topic), self.rules.may_hear(who, topic), topic
            )

    @given(any_topic)
    def test_nobody_hears_what_it_could_not_ask_for(self, topic: str) -> None:
        """Whoever hears a topic may subscribe to just that."""
        for who in DASHBOARD, NOBODY, KITCHEN:
            if self.rules.may_hear(who, topic):
                self.assertTrue(self.rules.may_subscribe(who, topic), topic)

    @given(any_topic)
    def test_only_robots_speak_for_robots(self, topic: str) -> None:
        """Under C{iot/} nobody says anything but a robot, and that in its own name."""
        spoken = topic if topic.startswith("iot/") else f"iot/{topic}"
        for who in ALICE, DASHBOARD, NOBODY:
            self.assertFalse(self.rules.may_publish(who, spoken), spoken)
        if self.rules.may_publish(DUSTY_ITSELF, spoken):
            self.assertIn(D, spoken)

    @given(st.lists(st.sampled_from(["+", "#", "iot", "p2p", "atr", D, "q", "p", "", "attr"])))
    def test_covered_only(self, levels: list[str]) -> None:
        """Whatever a user asks for, it names a robot or the user."""
        wanted = "/".join(levels) or "+"
        if self.rules.may_subscribe(ALICE, wanted):
            self.assertIn(DUSTY.did, wanted)


class ChangeTests(RulesCase):
    """Rights that come and go, and how one learns that."""

    def test_new_robot(self) -> None:
        """A robot that comes later may be heard from then on; one that went, no more."""
        sandy = DeviceId("sandy", "p95mgv", "x")
        wanted, spoken = (f"iot/atr/+/{sandy}/+", "attr/sandy"), f"iot/atr/onBattery/{sandy}/j"
        self.assertEqual(self.hears(ALICE, *wanted), [])
        self.registry.attach(Device(sandy), RecordingLink())
        self.assertEqual(self.hears(ALICE, *wanted), list(wanted))
        self.assertTrue(self.rules.may_hear(ALICE, spoken))
        self.successResultOf(self.registry.forget("sandy"))
        self.assertEqual(self.hears(ALICE, *wanted), [])
        self.assertFalse(self.rules.may_hear(ALICE, spoken))

    def test_moved_robot(self) -> None:
        """A robot with a new resource is heard under the new address only."""
        moved = evolve(DUSTY, resource="new1")
        self.registry.attach(Device(moved), RecordingLink())
        wanted = (f"iot/atr/+/{D}/+", f"iot/atr/+/{moved}/+")
        self.assertEqual(self.hears(ALICE, *wanted), [f"iot/atr/+/{moved}/+"])

    def test_revision(self) -> None:
        """It rises when a robot is learnt, moves or goes, and with another file."""
        sandy, seen = Device(DeviceId("sandy", "p95mgv", "x")), [self.rules.revision]

        def rose() -> bool:
            seen.append(self.rules.revision)
            return seen[-1] > seen[-2]

        detach = self.registry.attach(sandy, RecordingLink())
        self.assertTrue(rose())
        self.registry.attach(evolve(sandy, id=evolve(sandy.id, resource="y")), RecordingLink())
        self.assertTrue(rose())
        self.registry.forget("sandy")
        self.assertTrue(rose())
        detach()
        self.registry.attach(sandy, RecordingLink())
        self.assertTrue(rose())
        self.rules.use(AccessList())
        self.assertTrue(rose())

    def test_revision_stays(self) -> None:
        """It stays when a known robot comes and goes or is named: that changes no right."""
        before = self.rules.revision
        detach = self.registry.attach(DUSTY_DEVICE, RecordingLink())
        detach()
        self.registry.update(evolve(DUSTY_DEVICE, nick="Dusty"))
        self.assertEqual(self.rules.revision, before)

    def test_right_revoked(self) -> None:
        """A right that the file takes back is gone at once (CVE-2021-34434, CVE-2018-12546)."""
        self.rules.use(AccessList.parse(FILE, "acl"))
        self.assertTrue(self.rules.may_hear(KITCHEN, "kitchen/lamp"))
        self.rules.use(AccessList.parse("user kitchen\n", "acl"))
        for deed in PUBLISH, RETAIN, SUBSCRIBE, HEAR:
            self.assertFalse(self.asked(KITCHEN, deed, "kitchen/lamp"), deed)

    def test_many_parties(self) -> None:
        """Whoever comes with thousands of names does not fill the memory."""
        for number in range(2 * REMEMBERED):
            self.rules.may_hear(evolve(NOBODY, resource=str(number)), "home/lamp")
        self.assertLessEqual(len(self.rules._rights), REMEMBERED)
        self.check(DASHBOARD, SERVICE)


class HostileTests(RulesCase):
    """What somebody tries who means no good."""

    def test_odd_names(self) -> None:
        """Robots and users that are called like wildcards or paths have no rights at all."""
        for odd in "#", "+", "/", "", "a/b", "+/+", "\0", "x" * 65_536:
            for who in (
                Principal(Role.ROBOT, odd, "yna5xi", "qX7d"),
                Principal(Role.ROBOT, DUSTY.did, odd, "qX7d"),
                Principal(Role.USER, odd, "ecouser", "x"),
            ):
                for topic in f"iot/atr/onBattery/{D}/j", f"iot/p2p/x/{HELPER}/{R}/q/1/j", "x":
                    self.assertFalse(self.rules.may_publish(who, topic), who)
                self.assertEqual(self.hears(who, "#", "+/+", "iot/#", "p2p/+", "$SYS/#"), [])

    def test_odd_robots(self) -> None:
        """Robots whose address cannot be in a topic are heard by nobody, and break nothing."""
        for odd in (DeviceId("bare", "155", ""), DeviceId("d~1", "155", "atom")):
            self.registry.attach(Device(odd), RecordingLink())
        self.assertEqual(self.hears(ALICE, "attr/bare", "iot/atr/+/bare/155//+", "attr/d~1"), [])

    def test_helper(self) -> None:
        """Nobody speaks as the server's own name, whatever role it got in with (mqtt.md 4.4)."""
        asked, answered = f"iot/p2p/clean/{HELPER}/{D}/q/abcd/j", f"iot/p2p/+/+/+/+/{HELPER}/p/+/+"
        for who in (
            Principal(Role.ROBOT, "helperbot", "bumper", "helperbot"),
            Principal(Role.USER, "helperbot", "bumper", "helperbot"),
            Principal(Role.SERVICE, "helperbot", "bumper", "helperbot"),
            Principal(Role.ANONYMOUS, "helperbot", "bumper", "helperbot"),
        ):
            self.assertFalse(self.rules.may_publish(who, asked), who)
            # Robots and users hear what is for their own name; login keeps them from this one.
            if who.role in {Role.SERVICE, Role.ANONYMOUS}:
                self.assertFalse(self.rules.may_subscribe(who, answered), who)

    def test_everything_as_a_user(self) -> None:
        """A user that asks for everything gets nothing, and hears one's own robots one by one."""
        self.assertEqual(self.hears(ALICE, "#", "+/#", "iot/#", "iot/+/#", "iot/atr/#"), [])
        self.assertEqual(self.hears(ALICE, f"iot/atr/+/{D}/+"), [f"iot/atr/+/{D}/+"])

    def test_as_another_robot(self) -> None:
        """A robot that knows the names of another cannot use them, in either kind of topic."""
        for topic in (
            f"iot/atr/onBattery/{R}/j",
            f"iot/p2p/getBattery/{R}/{HELPER}/p/abcd/j",
            f"attr/{RUSTY.did}",
            f"rsp/{RUSTY.did}",
        ):
            self.assertFalse(self.rules.may_publish(DUSTY_ITSELF, topic), topic)

    def test_long_filters(self) -> None:
        """However many levels a filter has, one robot at the most is looked up."""
        registry = CountingRegistry(Clock(), MemoryDeviceStore())
        rules = MqttRules(registry)
        for topic_filter in "+/" * 10_000 + "#", f"iot/atr/{D}" * 10_000, "/" * 60_000:
            self.assertFalse(rules.may_subscribe(ALICE, topic_filter))
        self.assertLessEqual(registry.looked, 3)

    @given(any_topic | st.text())
    def test_garbage(self, topic: str) -> None:
        """Any text gets an answer, whoever asks."""
        self.rules.use(AccessList.parse(FILE, "acl"))
        for who in DUSTY_ITSELF, ALICE, DASHBOARD, NOBODY, KITCHEN:
            for deed in PUBLISH, RETAIN, SUBSCRIBE, HEAR:
                self.assertIsInstance(self.asked(who, deed, topic), bool)


class NamedRobotTests(SynchronousTestCase):
    """Which robot a topic or filter is about."""

    def test_table(self) -> None:
        """The did stands in one place of each kind of topic."""
        for asked, did in (
            (f"iot/atr/+/{D}/+", DUSTY.did),
            (f"iot/p2p/+/+/+/+/{D}/q/+/+", DUSTY.did),
            (f"iot/p2p/+/{D}/+/+/+/p/+/+", DUSTY.did),
            (f"iot/p2p/x/{D}/{R}/q/1/j", RUSTY.did),
            (f"iot/p2p/x/{D}/{R}/p/1/j", DUSTY.did),
            (f"iot/p2p/x/{D}/{R}/m/1/j", ""),
            (f"attr/{DUSTY.did}", DUSTY.did),
            (f"attr/{DUSTY.did}/x", ""),
            (f"iot/cfg/{D}/+/+", ""),
            ("iot/atr", ""),
            ("#", ""),
            ("", ""),
        ):
            self.assertEqual(named_robot(asked), did, asked)
