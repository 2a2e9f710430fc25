"""Violations, and what cannot be done for now (MQTT 3.1.1, 4.8)."""

from collections.abc import Sequence

from attrs import define, field
from twisted.internet.defer import Deferred, fail
from zope.interface import implementer

from bumper_tw.broker_interfaces import IMqttStore
from bumper_tw.errors import StorageError
from bumper_tw.kept import Change, Kept
from bumper_tw.storage.memory import MemoryMqttStore
from bumper_tw.wire.mqtt_codec import encode
from bumper_tw.wire.mqtt_packets import Packet, PubAck, PubComp, Publish, PubRec, PubRel
from tests.mqtt.clients import World
from tests.mqtt.conformance.case import ConformanceCase, packet


class ViolationTests(ConformanceCase):
    """What ends a connection, and no other."""

    def test_flags_of_every_packet(self) -> None:
        """[MQTT-2.2.2-1] [MQTT-2.2.2-2] [MQTT-3.6.1-1] Reserved flags have one value each."""
        bodies = {
            0x40: b"\x00\x01",
            0x50: b"\x00\x01",
            0x62: b"\x00\x01",
            0x70: b"\x00\x01",
            0x82: b"\x00\x01\x00\x01a\x00",
            0xA2: b"\x00\x01\x00\x01a",
            0xC0: b"",
            0xE0: b"",
        }
        for right, body in bodies.items():
            for flags in set(range(16)) - {right & 15}:
                first = right & 0xF0 | flags
                self.refused(self.join(f"c{first}"), packet(first, body))

    def test_packets_of_servers(self) -> None:
        """[MQTT-4.8.0-1] What only servers say, and reserved types, are violations."""
        for data in (
            b"\x20\x02\x00\x00",
            b"\x90\x03\x00\x01\x00",
            b"\xb0\x02\x00\x01",
            b"\xd0\x00",
            b"\x00\x00",
            b"\xf0\x00",
        ):
            self.refused(self.join(f"c{data[0]}"), data)

    def test_sizes(self) -> None:
        """[MQTT-4.8.0-1] A packet that is longer or shorter than its fields is a violation."""
        for number, data in enumerate(
            (
                b"\x40\x01\x00",
                b"\x40\x03\x00\x01\x00",
                b"\x50\x03\x00\x01\x00",
                b"\x62\x03\x00\x01\x00",
                b"\x70\x03\x00\x01\x00",
                b"\xc0\x01\x00",
                b"\xe0\x01\x00",
                b"\x40\x02\x00\x00",
                b"\x62\x02\x00\x00",
                b"\x30\xff\xff\xff\xff\x01",
                b"\x30\x80\x80\x80\x80\x00",
            )
        ):
            self.refused(self.join(f"c{number}"), data)

    def test_what_came_before(self) -> None:
        """[MQTT-4.8.0-1] What was said before a violation counts, and nothing behind it."""
        hearer = self.hearer("home/a")
        peer = self.join("c1")
        peer.send(b"\x30\x0b\x00\x06home/aone", b"\xf0\x00", b"\x30\x0b\x00\x06home/atwo")
        self.assertTrue(peer.closed)
        self.assertEqual(hearer.messages(), [Publish("home/a", b"one")])

    def test_nobody_else_suffers(self) -> None:
        """[MQTT-4.8.0-1] Other connections go on."""
        others = [self.join(f"c{n}") for n in range(3)]
        self.refused(self.join("c9"), b"\xf0\x00")
        for other in others:
            self.alive(other)

    def test_cut_anywhere(self) -> None:
        """[MQTT-7.1.1-1] Packets come out of the stream however its bytes arrive."""
        said: list[Packet] = [
            Publish("home/a", b"1"),
            Publish("home/a", b"2" * 200, 1, packet_id=1),
            Publish("home/a", b"3"),
            Publish("home/a", b"", retain=True),
            Publish("home/a", b"5", 2, packet_id=2),
            PubRel(2),
            Publish("home/a", b"6"),
        ]
        stream = b"".join(map(encode, said))
        for size in (1, 2, 3, 7, 100, len(stream)):
            hearer = self.hearer("home/a", name=f"h{size}")
            peer = self.join(f"c{size}")
            for at in range(0, len(stream), size):
                peer.send(stream[at : at + size])
            payloads = [each.payload for each in said if isinstance(each, Publish)]
            self.assertEqual(hearer.payloads(), payloads)
            self.assertEqual(peer.hear(), [PubAck(1), PubRec(2), PubComp(2)])
            hearer.leave()

    def test_a_kept_session_survives(self) -> None:
        """[MQTT-4.8.0-1] [MQTT-3.1.2-4] A violation ends the connection, not the session."""
        peer = self.hearer("home/a", qos=1, name="c1", clean=False)
        self.refused(peer, b"\xf0\x00")
        self.announce("home/a", b"x", 1)
        again = self.join("c1", clean=False)
        self.assertEqual((again.present, again.payloads()), (True, [b"x"]))


@implementer(IMqttStore)
@define(eq=False)
class Disk:
    """
    A disk that is as slow, or as full, as a test wants it.

    @ivar full: whether it refuses.
    @ivar slow: whether it waits until it is told to go on.
    @ivar waiting: what it has not done yet.
    """

    kept: MemoryMqttStore = field(factory=MemoryMqttStore)
    full: bool = False
    slow: bool = False
    waiting: list[tuple[Sequence[Change], Deferred[None]]] = field(factory=list)

    def load(self) -> Deferred[Kept]:
        return self.kept.load()

    def apply(self, changes: Sequence[Change]) -> Deferred[None]:
        if self.full:
            return fail(StorageError("disk full"))
        if not self.slow:
            return self.kept.apply(changes)
        waits: Deferred[None] = Deferred()
        self.waiting.append((changes, waits))
        return waits

    def go_on(self) -> None:
        """Do what waits, and what comes because of it."""
        self.slow = False
        while self.waiting:
            changes, waits = self.waiting.pop(0)
            self.kept.apply(changes).chainDeferred(waits)


class DiskTests(ConformanceCase):
    """A message that was acknowledged is safe; and answers keep their order meanwhile."""

    def setUp(self) -> None:
        self.disk = Disk()
        super().setUp()
        self.hearer("home/a", qos=2, name="away", clean=False).leave()
        self.peer = self.join("c1")

    def server(self) -> World:
        return World(store=self.disk)

    def test_full(self) -> None:
        """[MQTT-4.8.0-2] What cannot be kept is not acknowledged: the connection ends."""
        for number, qos in enumerate((1, 2)):
            peer = self.join(f"p{number}")
            other = self.join(f"o{number}")
            self.disk.full = True
            peer.say(Publish("home/a", b"x", qos, packet_id=7))
            self.clock.advance(5)
            self.world.settle()
            self.assertEqual(peer.hear(), [])
            self.assertTrue(peer.closed)
            self.alive(other)
            self.disk.full = False
            self.clock.advance(60)

    def test_full_and_repeated(self) -> None:
        """[MQTT-4.8.0-2] [MQTT-4.5.0-1] The client says it again, and then it is kept."""
        self.disk.full = True
        self.peer.say(Publish("home/a", b"x", 1, packet_id=7))
        self.clock.advance(60)
        self.world.settle()
        self.disk.full = False
        again = self.join("c1")
        again.say(Publish("home/a", b"x", 1, dup=True, packet_id=7))
        self.clock.advance(60)
        self.assertEqual(again.hear(), [PubAck(7)])
        self.assertIn(b"x", self.join("away", clean=False).payloads())

    def test_full_and_repeated_with_qos_2(self) -> None:
        """[MQTT-4.8.0-2] [MQTT-4.3.3-2] What was not acknowledged is no repetition."""
        peer = self.join("p1", clean=False)
        self.disk.full = True
        peer.say(Publish("home/a", b"x", 2, packet_id=7))
        self.clock.advance(60)
        self.assertTrue(peer.closed)
        self.disk.full = False
        self.clock.advance(60)
        again = self.join("p1", clean=False)
        again.say(Publish("home/a", b"x", 2, dup=True, packet_id=7), PubRel(7))
        self.assertEqual(again.hear(), [PubRec(7), PubComp(7)])
        self.assertEqual(self.join("away", clean=False).payloads(), [b"x"])

    def test_full_at_pubrec(self) -> None:
        """[MQTT-4.8.0-2] [MQTT-4.3.3-1] PUBREC is answered with PUBREL, or the end."""
        peer = self.hearer("home/b", qos=2, name="c2", clean=False)
        self.announce("home/b", b"x", 2)
        [message] = peer.messages()
        released = PubRel(message.packet_id or 0)
        self.disk.full = True
        peer.say(PubRec(released.packet_id))
        self.clock.advance(5)
        self.world.settle()
        self.assertTrue(peer.closed or peer.hear() == [released])
        self.disk.full = False
        self.clock.advance(60)
        self.assertEqual(self.join("c2", clean=False).hear(), [released])

    def test_slow(self) -> None:
        """[MQTT-4.6.0-2] [MQTT-4.6.0-3] An answer that need not wait waits for those before it."""
        self.disk.slow = True
        self.peer.say(
            Publish("home/a", b"1", 1, packet_id=1),
            Publish("home/b", b"2", 1, packet_id=2),
            Publish("home/a", b"3", 2, packet_id=3),
            Publish("home/b", b"4", 2, packet_id=4),
        )
        self.world.settle()
        self.assertNotIn(PubAck(1), self.peer.hear())
        self.disk.go_on()
        answers = self.peer.hear()
        self.assertEqual([a for a in answers if isinstance(a, PubAck)], [PubAck(1), PubAck(2)])
        self.assertEqual([a for a in answers if isinstance(a, PubRec)], [PubRec(3), PubRec(4)])

    def test_slow_with_qos_2(self) -> None:
        """[MQTT-4.3.3-2] A repetition while the disk is at work is not delivered twice."""
        self.disk.slow = True
        self.peer.say(Publish("home/a", b"x", 2, packet_id=7))
        self.peer.say(Publish("home/a", b"x", 2, dup=True, packet_id=7))
        self.disk.go_on()
        self.assertEqual(self.peer.hear(), [PubRec(7)] * 2)
        self.peer.say(PubRel(7))
        self.assertEqual(self.peer.hear(), [PubComp(7)])
        self.assertEqual(self.join("away", clean=False).payloads(), [b"x"])
