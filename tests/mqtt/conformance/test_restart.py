"""What a server knows that was stopped, or fell, and started again (MQTT 3.1.1, 4.1)."""

from bumper_tw.storage.memory import MemoryMqttStore
from bumper_tw.wire.mqtt_packets import PubComp, Publish, PubRec, PubRel
from tests.mqtt.clients import World
from tests.mqtt.conformance.case import ConformanceCase, deliveries


class RestartTests(ConformanceCase):
    """A server whose disk outlives it."""

    def setUp(self) -> None:
        self.disk = MemoryMqttStore()
        super().setUp()

    def server(self) -> World:
        return World(store=self.disk)

    def fall(self) -> None:
        """The power fails, and comes back; what nobody waits for has a moment until then."""
        self.clock.advance(0.1)
        self.start()

    def stop(self) -> None:
        """The owner stops the server, and starts it again."""
        self.world.factory.farewell()
        self.world.settle()
        self.successResultOf(self.world.broker.journal.flush())
        self.start()

    def start(self) -> None:
        """A server that finds what another one left."""
        now = self.clock.seconds()
        self.world = self.server()
        self.clock = self.world.clock
        self.clock.advance(now + 60 - self.clock.seconds())
        self.world.broker.restore(self.successResultOf(self.disk.load()))

    def test_subscriptions(self) -> None:
        """[MQTT-4.1.0-1] [MQTT-3.1.2-4] Sessions and their subscriptions are still there."""
        for end in (self.fall, self.stop):
            self.hearer("home/a", qos=2, name="c1", clean=False)
            self.join("c2")
            end()
            peer = self.join("c1", clean=False)
            self.assertTrue(peer.present)
            self.assertFalse(self.join("c2", clean=False).present)
            self.announce("home/a", b"x", 2)
            [heard] = peer.messages()
            self.assertEqual((heard.payload, heard.qos), (b"x", 2))
            peer.acknowledge([heard])

    def test_before_the_client_is_back(self) -> None:
        """[MQTT-3.1.2-5] What is said before its client is back waits for it."""
        self.hearer("home/a", qos=1, name="c1", clean=False)
        self.fall()
        self.join("c2").publish("home/a", b"x", 1)
        self.fall()
        self.assertEqual(self.join("c1", clean=False).payloads(), [b"x"])

    def test_what_was_owed(self) -> None:
        """[MQTT-4.4.0-1] [MQTT-3.3.1-1] It is sent again as it was, with DUP."""
        for name, end in (("c1", self.fall), ("c2", self.stop)):
            peer = self.hearer("home/a", qos=2, name=name, clean=False)
            publisher = self.join("publisher")
            for count in range(6):
                publisher.publish("home/a", b"%d" % count, 1 + count % 2)
            sent = peer.messages()
            released = sent[1]
            peer.say(PubRec(released.packet_id or 0))
            end()
            peer = self.join(name, clean=False)
            heard = peer.hear()
            self.assertIn(PubRel(released.packet_id or 0), heard)
            again = [(m.payload, m.qos, m.dup, m.packet_id) for m in deliveries(heard)]
            expected = [(m.payload, m.qos, True, m.packet_id) for m in sent if m is not released]
            self.assertEqual(again, expected)
            self.join(name).leave()

    def test_what_was_settled(self) -> None:
        """[MQTT-4.3.2-1] [MQTT-4.3.3-1] What was acknowledged is not sent again."""
        for end in (self.fall, self.stop):
            peer = self.hearer("home/a", qos=2, name="c1", clean=False)
            self.announce("home/a", b"x", 1)
            self.announce("home/a", b"y", 2)
            peer.acknowledge(peer.messages())
            end()
            self.assertEqual(self.join("c1", clean=False).hear(), [])

    def test_what_waited(self) -> None:
        """[MQTT-3.3.1-3] After an orderly stop, what was never sent has no DUP."""
        self.hearer("home/a", qos=1, name="c1", clean=False).leave()
        self.join("publisher").publish("home/a", b"x", 1)
        self.stop()
        [heard] = self.join("c1", clean=False).messages()
        self.assertEqual((heard.payload, heard.dup), (b"x", False))

    def test_the_order_of_what_waited(self) -> None:
        """[MQTT-4.6.0-6] [MQTT-3.1.2-5] It comes in its order, however much there is."""
        expected = [b"%d" % count for count in range(100)]
        for end in (self.fall, self.stop):
            self.hearer("home/a", qos=2, name="c1", clean=False).leave()
            publisher = self.join("publisher")
            for count, payload in enumerate(expected):
                publisher.publish("home/a", payload, 1 + count % 2)
            end()
            peer = self.join("c1", clean=False)
            heard: list[bytes] = []
            while fresh := peer.messages():
                heard += [message.payload for message in fresh]
                peer.acknowledge(fresh)
            self.assertEqual(heard, expected)

    def test_identifiers(self) -> None:
        """[MQTT-2.3.1-4] New messages do not take identifiers that are owed from before."""
        peer = self.hearer("home/a", qos=1, name="c1", clean=False)
        for _ in range(5):
            self.announce("home/a", b"old", 1)
        peer.hear()
        self.fall()
        for _ in range(5):
            self.announce("home/a", b"new", 1)
        heard = self.join("c1", clean=False).messages()
        self.assertEqual([m.payload for m in heard], [b"old"] * 5 + [b"new"] * 5)
        self.assertEqual(len({m.packet_id for m in heard}), 10)

    def test_a_repetition(self) -> None:
        """[MQTT-4.3.3-2] A QoS 2 publication of before is known when it is repeated."""
        self.hearer("home/a", qos=2, name="away", clean=False).leave()
        for end in (self.fall, self.stop):
            peer = self.join("c1", clean=False)
            peer.say(Publish("home/a", b"x", 2, packet_id=7))
            self.assertEqual(peer.hear(), [PubRec(7)])
            end()
            peer = self.join("c1", clean=False)
            peer.say(Publish("home/a", b"x", 2, dup=True, packet_id=7), PubRel(7))
            self.assertEqual(peer.hear(), [PubRec(7), PubComp(7)])
        away = self.join("away", clean=False)
        self.assertEqual(away.payloads(), [b"x", b"x"])

    def test_retained(self) -> None:
        """[MQTT-3.3.1-5] [MQTT-3.1.2-7] [MQTT-3.3.1-11] What is retained is still there."""
        peer = self.join("c1")
        peer.publish("home/a", b"kept", 2, retain=True)
        peer.publish("home/b", b"cleared", 1, retain=True)
        peer.publish("home/b", b"", 1, retain=True)
        for end in (self.fall, self.stop):
            end()
            self.assertEqual(self.retained("home/#"), [(b"kept", 2)])

    def test_clean(self) -> None:
        """[MQTT-3.1.2-6] What a clean session dropped stays dropped."""
        for end in (self.fall, self.stop):
            self.hearer("home/a", qos=1, name="c1", clean=False).leave()
            self.join("publisher").publish("home/a", b"x", 1)
            self.join("c1")
            end()
            back = self.join("c1", clean=False)
            self.assertEqual((back.present, back.hear()), (False, []))
