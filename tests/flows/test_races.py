"""The races that the architecture decides: login, death, takeover, late answers."""

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from bumper_tw.errors import LoginRefused
from bumper_tw.interfaces import IAuthenticator
from bumper_tw.values import Principal
from bumper_tw.wire.mqtt_packets import ConnAck, SubAck
from tests.flows.house import House
from tests.flows.test_command import battery
from tests.robots import JsonRobot
from tests.samples import DUSTY, DUSTY_ITSELF


@implementer(IAuthenticator)
class Undecided:
    """Somebody who thinks about every login until the test decides."""

    def __init__(self) -> None:
        self.verdicts: list[Deferred[Principal]] = []

    def login(self, credentials: object) -> Deferred[Principal]:
        verdict: Deferred[Principal] = Deferred()
        self.verdicts.append(verdict)
        return verdict


class LoginRaceTests(SynchronousTestCase):
    """What is said, and what happens, before a login is decided."""

    def setUp(self) -> None:
        self.house = House()
        self.house.mqtt.authenticator = self.undecided = Undecided()
        self.robot = JsonRobot(self.house.mqtt, device=DUSTY, script={"getBattery": battery})
        self.robot.boot()

    def test_speech_before_login(self) -> None:
        """A SUBSCRIBE right behind CONNECT takes effect with the login, not before."""
        self.house.peers.append(self.robot)
        self.assertEqual((self.robot.heard, self.house.facts.registry.devices()), ([], []))
        self.undecided.verdicts[0].callback(DUSTY_ITSELF)
        self.house.settle()
        self.assertEqual([type(p) for p in self.robot.heard], [ConnAck, SubAck])
        self.assertEqual(self.house.ask("getBattery").answers[0]["ret"], "ok")

    def test_refused_speech(self) -> None:
        """What an impostor said before it was refused never takes effect."""
        self.robot.report("onBattery", {"value": 1})
        self.undecided.verdicts[0].errback(LoginRefused("no"))
        self.assertEqual(self.house.facts.telemetry.latest(DUSTY.did), [])
        self.assertEqual(self.house.facts.registry.devices(), [])

    def test_death_during_login(self) -> None:
        """A connection that dies while its login is decided leaves no ghost."""
        self.robot.vanish()
        self.assertTrue(self.undecided.verdicts[0].called)
        self.assertEqual(self.house.facts.registry.devices(), [])


class StuckProtocol(Protocol):
    """The end of a connection that nobody has found dead yet."""


class TakeoverTests(SynchronousTestCase):
    """A robot reconnects before its old connection is found dead."""

    def setUp(self) -> None:
        self.house = House()

    def test_new_connection_lives(self) -> None:
        """The old connection is closed; the robot stays online and answers on the new one."""
        old = self.house.robot()
        self.house.robot(getBattery=battery)
        self.assertFalse(old.wire.connected)
        self.assertTrue(self.house.facts.registry.online(DUSTY.did))
        self.assertEqual(self.house.ask("getBattery").answers[0]["ret"], "ok")

    def test_questions_on_the_new_connection_live(self) -> None:
        """What was asked of the new connection survives the end of the old one."""
        old = self.house.robot()
        # The old connection hears that it is closed only later.
        old.wire.protocol = StuckProtocol()
        new = self.house.robot()
        question = self.house.ask("getBattery")
        old.protocol.connectionLost()
        self.assertEqual(question.answers, [])
        self.answer(new)
        self.assertEqual(question.answers[0]["ret"], "ok")

    def test_another_resource(self) -> None:
        """A robot is in one place: who comes with its did ends the connection it had."""
        old = self.house.robot()
        moved = JsonRobot(self.house.mqtt, device=evolve(DUSTY, resource="new1"))
        moved.boot()
        self.assertFalse(old.wire.connected)
        self.assertTrue(self.house.facts.registry.online(DUSTY.did))
        again = self.house.robot(getBattery=battery)
        self.assertFalse(moved.wire.connected)
        self.assertTrue(again.wire.connected)
        self.assertEqual(self.house.ask("getBattery").answers[0]["ret"], "ok")

    def answer(self, robot: JsonRobot) -> None:
        """The robot answers the one question it heard."""
        request = robot.topics()[0].split("/")[10]
        topic = f"iot/p2p/getBattery/{DUSTY}/helperbot/bumper/helperbot/p/{request}/j"
        robot.publish(topic, b'{"body":{"code":0}}')

    def test_late_reply(self) -> None:
        """An answer after the time-out changes nothing."""
        robot = self.house.robot()
        question = self.house.ask("getBattery")
        self.house.clock.advance(10)
        self.assertEqual(question.answers[0]["errno"], 500)
        self.answer(robot)
        self.assertEqual(self.house.facts.commands.counts["late"], 1)


class StopTests(SynchronousTestCase):
    """Flow (d): stopping with questions open and clients connected."""

    def test_order(self) -> None:
        """Open questions are answered over HTTP, then MQTT connections end, then it is flushed."""
        house = House()
        robot = house.robot()
        robot.report("onBattery", {"value": 42})
        question = house.ask("getBattery")
        house.facts.commands.stop()
        self.assertEqual(question.answers[0]["ret"], "fail")
        gone = house.mqtt.farewell()
        self.assertFalse(robot.wire.connected)
        self.successResultOf(gone)
        self.successResultOf(house.facts.writer.flush())
        history = self.successResultOf(house.facts.reports.history(DUSTY.did, "battery", 0, 5))
        self.assertEqual(len(history), 1)
