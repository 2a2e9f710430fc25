"""Tests for L{bumper_tw.core.mqtt_clients}: who stays, who goes, and what is left of them."""

from attrs import evolve

from bumper_tw.values import Message
from tests.core.brokers import Party
from tests.core.keeping import HUB, LAMP, KeepingCase
from tests.samples import DUSTY, DUSTY_ITSELF

COMMANDS = f"p2p/{DUSTY.did}"


class DismissTests(KeepingCase):
    """Those who would not be let in any more."""

    def test_gone(self) -> None:
        """Connections and what was left of an account end; others do not notice."""
        self.lamp(clean=False).drop()
        hub, lamp = self.hub(), Party(self.broker, LAMP, "second")
        self.broker.clients.dismiss(lambda who: who.name == LAMP.name)
        self.assertEqual((len(lamp.outlet.closed), len(hub.outlet.closed)), (1, 0))
        self.assertFalse(self.lamp(clean=False).session.present)

    def test_will(self) -> None:
        """They say nothing more."""
        hub = self.hub()
        hub.subscribe(("will", 0))
        lamp = self.lamp(will=Message("will", b"gone", origin=LAMP))
        self.broker.clients.dismiss(lambda who: who.name == LAMP.name)
        lamp.drop()
        self.assertEqual(hub.heard(), [])


class TurnedAwayTests(KeepingCase):
    """Somebody who is not let in after all."""

    def test_nothing_left(self) -> None:
        """Neither a session nor a will is left of somebody new."""
        hub = self.hub()
        hub.subscribe(("will", 0))
        lamp = self.lamp(clean=False, will=Message("will", b"gone", origin=LAMP))
        lamp.session.turn_away(lamp.outlet)
        self.assertEqual((hub.heard(), self.broker.clients.connected), ([], 1))
        self.assertFalse(self.lamp(clean=False).session.present)

    def test_earlier(self) -> None:
        """What an earlier connection left stays."""
        self.lamp(clean=False).drop()
        lamp = self.lamp(clean=False)
        lamp.session.turn_away(lamp.outlet)
        self.assertTrue(self.lamp(clean=False).session.present)


class ForgottenRobotTests(KeepingCase):
    """What was for a robot is not for whoever comes under its name later."""

    def robot(self) -> Party:
        """The robot connects, with a session that is kept."""
        return Party(self.broker, DUSTY_ITSELF, "d", clean=False)

    def forgotten(self, connected: bool) -> None:
        """A robot is forgotten, with something owed to it."""
        robot = self.robot()
        robot.subscribe((COMMANDS, 1))
        if not connected:
            robot.drop()
        self.broker.publish(Message(COMMANDS, b"{}", 1))
        self.broker.clients.forget_robot(DUSTY.did)
        if connected:
            robot.drop()
        again = self.robot()
        self.assertEqual((again.session.present, again.heard()), (False, []))
        self.assertEqual(self.broker.clients.owed, 0)
        again.drop()
        self.broker.clients.forget_robot(DUSTY.did)
        self.broker.clients.forget_robot("nobody")

    def test_away(self) -> None:
        """While it is away."""
        self.forgotten(connected=False)

    def test_connected(self) -> None:
        """While it is connected."""
        self.forgotten(connected=True)


class ResumeTests(KeepingCase):
    """A session goes on under the same name, not always with the same rights."""

    def test_other_resource(self) -> None:
        """A robot that comes with another resource hears nothing under the old one."""
        robot = Party(self.broker, DUSTY_ITSELF, "d", clean=False)
        topic = f"iot/cfg/{DUSTY}/j/setting2"
        robot.subscribe((topic, 0))
        self.broker.publish(Message(topic, b"1"))
        robot.drop()
        moved = Party(self.broker, evolve(DUSTY_ITSELF, resource="new1"), "d2", clean=False)
        self.broker.publish(Message(topic, b"2"))
        self.assertEqual((robot.bodies(), moved.bodies()), ([b"1"], []))


class LimitTests(KeepingCase):
    """What all clients together can cost."""

    def test_levels(self) -> None:
        """All filters together have so many levels; what is taken back makes room."""
        self.broker.clients.levels = 499_997
        hub = self.hub()
        self.assertEqual(hub.subscribe(("a/b", 0), ("c/d", 0), ("e", 0)), [0, 0x80, 0])
        self.assertEqual(hub.subscribe(("a/b", 1)), [1])
        hub.session.unsubscribe(["a/b"])
        self.assertEqual(hub.subscribe(("c/d", 0)), [0])
        hub.drop(farewell=True)
        self.broker.clients.dismiss(lambda who: who == HUB)
        self.assertEqual(self.broker.clients.levels, 499_997)

    def test_deep(self) -> None:
        """A filter that is too deep is refused."""
        self.assertEqual(self.hub().subscribe(("/" * 31, 0), ("/" * 32, 0)), [0, 0x80])
