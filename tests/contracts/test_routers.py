"""What every L{IMqttRouter<bumper_tw.broker_interfaces.IMqttRouter>} does for our own code."""

from typing import TYPE_CHECKING

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from bumper_tw.broker_interfaces import IMqttRouter
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.mqtt_router import MqttBroker
from bumper_tw.storage.memory import MemoryDeviceStore
from bumper_tw.values import Message
from tests.core.brokers import Party, make_broker
from tests.samples import DASHBOARD

if TYPE_CHECKING:
    Contract = SynchronousTestCase
else:
    Contract = object


class RouterContract(Contract):
    """Mixed into one case per provider, which makes the router and lets a client subscribe."""

    router: IMqttRouter

    def client_hears(self, topic_filter: str) -> None:
        """A client subscribes."""
        raise NotImplementedError

    def listen(self, topic_filter: str) -> list[str]:
        """What one listener of ours hears from now on."""
        heard: list[str] = []
        self.router.subscribe(topic_filter, lambda message: heard.append(message.topic))
        return heard

    def say(self, *said: str) -> None:
        """Publish under some topics."""
        for topic in said:
            self.router.publish(Message(topic, b""))

    def test_interface(self) -> None:
        """It provides what it promises."""
        self.assertTrue(verifyObject(IMqttRouter, self.router))

    def test_message(self) -> None:
        """A listener gets the message as it was published, before C{publish} returns."""
        heard: list[Message] = []
        self.router.subscribe("a/b", heard.append)
        message = Message("a/b", b"\0\xff", 1)
        self.router.publish(message)
        self.assertEqual(heard, [message])

    def test_matching(self) -> None:
        """Wildcards mean what MQTT says: one level, or the rest with its parent."""
        said = ("a", "a/b", "a/b/c", "a//c", "/a", "$SYS/x", "b")
        expected = {
            "a/+": ["a/b"],
            "a/#": ["a", "a/b", "a/b/c", "a//c"],
            "a/+/c": ["a/b/c", "a//c"],
            "+": ["a", "b"],
            "+/a": ["/a"],
            "#": ["a", "a/b", "a/b/c", "a//c", "/a", "b"],
            "$SYS/#": ["$SYS/x"],
        }
        heard = {each: self.listen(each) for each in expected}
        self.say(*said)
        self.assertEqual(heard, expected)

    def test_undo(self) -> None:
        """The undo takes back exactly one listener; again it does nothing."""
        heard: list[Message] = []
        undo = self.router.subscribe("a", heard.append)
        self.router.subscribe("a", heard.append)
        self.say("a")
        undo()
        undo()
        self.say("a")
        self.assertEqual(len(heard), 3)

    def test_order(self) -> None:
        """Everybody hears publications in the same order, also those made while hearing."""
        first = self.listen("#")

        def answer(message: Message) -> None:
            if message.topic.startswith("q"):
                self.say(message.topic.replace("q", "p"), "x")

        self.router.subscribe("+", answer)
        last = self.listen("#")
        self.say("q1", "q2")
        self.assertEqual(first, ["q1", "p1", "x", "q2", "p2", "x"])
        self.assertEqual(last, first)

    def test_broken_listener(self) -> None:
        """A listener that breaks is logged; others hear, and later messages come too."""

        def broken(_: Message) -> None:
            raise ZeroDivisionError

        before = self.listen("a")
        self.router.subscribe("a", broken)
        after = self.listen("a")
        self.say("a", "a")
        self.assertEqual((before, after), (["a", "a"], ["a", "a"]))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_nobody(self) -> None:
        """What nobody hears is no failure."""
        self.say("a")
        self.assertFalse(self.router.wanted("a"))

    def test_wanted(self) -> None:
        """Clients make a topic wanted, our own listeners do not."""
        self.listen("#")
        self.assertFalse(self.router.wanted("attr/d1"))
        self.client_hears("attr/+")
        self.assertTrue(self.router.wanted("attr/d1"))
        self.assertFalse(self.router.wanted("rsp/d1"))


class EmbeddedBrokerTests(RouterContract, SynchronousTestCase):
    """The broker in this process."""

    def setUp(self) -> None:
        clock = Clock()
        self.router: MqttBroker = make_broker(clock, DeviceRegistry(clock, MemoryDeviceStore()))

    def client_hears(self, topic_filter: str) -> None:
        self.assertEqual(Party(self.router, DASHBOARD, "d").subscribe((topic_filter, 0)), [0])
