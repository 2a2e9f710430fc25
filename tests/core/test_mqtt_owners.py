"""Who hears robots over MQTT where they are their owners'."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.mqtt_access import AccessList
from bumper_tw.core.mqtt_rules import MqttRules
from bumper_tw.core.ownership import ACCEPTED
from bumper_tw.core.policies import uid_of
from bumper_tw.storage.memory import MemoryDeviceStore
from bumper_tw.values import Principal, Role
from tests.core.fleets import fleet_of
from tests.samples import DUSTY, DUSTY_DEVICE, RUSTY, RUSTY_DEVICE, RecordingLink

#: A user with an app, and a script that logs in with his account.
ANNA = Principal(Role.USER, uid_of("anna"), "ecouser", "GLB1")
ANNAS_SCRIPT = Principal(Role.SERVICE, "anna")

D, R = str(DUSTY), str(RUSTY)
SELF = f"{ANNA.name}/{ANNA.realm}/{ANNA.resource}"


def reports(address: str) -> str:
    """What a robot says by itself."""
    return f"iot/atr/onBattery/{address}/j"


class OwnerTests(SynchronousTestCase):
    """Dusty is Anna's, Rusty is Ben's."""

    def setUp(self) -> None:
        registry = DeviceRegistry(Clock(), MemoryDeviceStore())
        for device in (DUSTY_DEVICE, RUSTY_DEVICE):
            registry.attach(device, RecordingLink())
        fleet = fleet_of(registry, Clock(), owners=True)
        self.ownership = fleet.ownership
        self.rules = MqttRules(registry, None, fleet.permits)
        self.ownership.give(DUSTY.did, ANNA.name)
        self.ownership.give(RUSTY.did, "ben")

    def test_user(self) -> None:
        """A user hears his own robots only, under long names and short ones."""
        for robot, did, mine in ((D, DUSTY.did, True), (R, RUSTY.did, False)):
            for topic in (
                reports(robot),
                f"iot/p2p/getBattery/{robot}/helperbot/bumper/helperbot/p/abcd/j",
                f"iot/p2p/getBattery/helperbot/bumper/helperbot/{robot}/q/abcd/j",
                f"p2p/{did}",
                f"rsp/{did}",
                f"attr/{did}",
            ):
                self.assertIs(self.rules.may_subscribe(ANNA, topic), mine, topic)
                self.assertIs(self.rules.may_hear(ANNA, topic), mine, topic)
            self.assertIs(self.rules.may_subscribe(ANNA, f"iot/atr/+/{robot}/+"), mine)

    def test_answers(self) -> None:
        """What robots answer oneself may be asked for, and comes from one's own robots."""
        self.assertTrue(self.rules.may_subscribe(ANNA, f"iot/p2p/+/+/+/+/{SELF}/p/+/+"))
        self.assertTrue(self.rules.may_hear(ANNA, f"iot/p2p/getX/{D}/{SELF}/p/abcd/j"))
        self.assertFalse(self.rules.may_hear(ANNA, f"iot/p2p/getX/{R}/{SELF}/p/abcd/j"))

    def test_script(self) -> None:
        """A local service has to do with the robots of the account it comes with."""
        rules, who = self.rules, ANNAS_SCRIPT
        for name in ("iot/atr/#", "attr/+", "rsp/+", "home/#"):
            self.assertTrue(rules.may_subscribe(who, name), name)
        for robot, did, mine in ((D, DUSTY.did, True), (R, RUSTY.did, False)):
            for topic in (reports(robot), f"attr/{did}", f"rsp/{did}"):
                self.assertIs(rules.may_hear(who, topic), mine, topic)
            self.assertIs(rules.may_publish(who, f"p2p/{did}"), mine)
            self.assertFalse(rules.may_retain(who, f"p2p/{did}"))
        self.assertTrue(rules.may_hear(who, "home/lamp"))
        self.assertTrue(rules.may_publish(who, "home/lamp"))
        self.assertTrue(rules.may_retain(who, "home/lamp"))

    def test_file(self) -> None:
        """What the file of the box's owner says of a service counts before that."""
        self.rules.use(AccessList.parse("user anna\ntopic read attr/#\n", "acl"))
        self.assertTrue(self.rules.may_hear(ANNAS_SCRIPT, f"attr/{RUSTY.did}"))

    def test_changes(self) -> None:
        """A share counts as soon as it is accepted, and no longer than it lasts."""
        for happens, heard in (
            (lambda: self.ownership.invite(RUSTY.did, "ben", ANNA.name), False),
            (lambda: self.ownership.accept(RUSTY.did, ANNA.name), True),
            (lambda: self.ownership.end(RUSTY.did, ANNA.name), False),
            (lambda: self.ownership.invite(RUSTY.did, "", ANNA.name, ACCEPTED), True),
            (lambda: self.ownership.give(RUSTY.did, "carl"), False),
        ):
            before = self.rules.revision
            happens()
            self.assertGreater(self.rules.revision, before)
            for who in (ANNA, ANNAS_SCRIPT):
                self.assertIs(self.rules.may_hear(who, reports(R)), heard)
