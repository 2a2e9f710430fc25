"""Who may say what when, at the server's end."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.errors import ProtocolViolation
from bumper_tw.wire.mqtt_codec import encode
from bumper_tw.wire.mqtt_connection import LEGAL, MAX_CONNECT, MqttConnection, State
from bumper_tw.wire.mqtt_packets import (
    ConnAck,
    Connect,
    ConnectCode,
    Disconnect,
    Packet,
    PingReq,
    PingResp,
    PubAck,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    SubAck,
    Subscribe,
    UnsubAck,
    Unsubscribe,
)
from tests.wire.strategies import cut, cuts, publishes

HELLO = Connect(client_id="robot")
WISH = Subscribe(1, (("a", 0),))

#: One of each.
PACKETS: tuple[Packet, ...] = (
    HELLO,
    ConnAck(ConnectCode.ACCEPTED),
    Publish("t", b""),
    PubAck(1),
    PubRec(1),
    PubRel(1),
    PubComp(1),
    WISH,
    SubAck(1, (0,)),
    Unsubscribe(1, ("a",)),
    UnsubAck(1),
    PingReq(),
    PingResp(),
    Disconnect(),
)


def pending() -> MqttConnection:
    """A connection whose client waits for the verdict."""
    connection = MqttConnection()
    list(connection.receive(encode(HELLO)))
    return connection


def opened() -> MqttConnection:
    """A connection whose client is in."""
    connection = pending()
    list(connection.accept())
    return connection


class LegalTests(SynchronousTestCase):
    """The table of what a client may say."""

    def check(self, make: Callable[[], MqttConnection], state: State) -> None:
        for packet in PACKETS:
            connection = make()
            stream = connection.receive(encode(packet))
            if type(packet) in LEGAL[state]:
                self.assertEqual(list(stream), [packet])
            else:
                self.assertRaises(ProtocolViolation, list, stream)
                self.assertIs(connection.state, State.CLOSED)

    def test_first(self) -> None:
        """The first packet is a CONNECT."""
        self.check(MqttConnection, State.NEW)

    def test_open(self) -> None:
        """Later a second CONNECT is illegal, and so is what only servers say."""
        self.check(opened, State.OPEN)

    def test_at_first_byte(self) -> None:
        """A connection that does not start with CONNECT ends at its first byte."""
        self.assertRaises(ProtocolViolation, list, MqttConnection().receive(b"\x30"))

    def test_states(self) -> None:
        """The states in their order."""
        connection = MqttConnection()
        seen = [connection.state]
        for step in (
            lambda: connection.receive(encode(HELLO)),
            connection.accept,
            lambda: connection.receive(encode(Disconnect())),
        ):
            list(step())
            seen.append(connection.state)
        self.assertEqual(seen, [State.NEW, State.PENDING, State.OPEN, State.CLOSED])


class VerdictTests(SynchronousTestCase):
    """What a client says before it is let in waits."""

    def test_held(self) -> None:
        """What follows a CONNECT comes out of C{accept}, in its order."""
        connection = MqttConnection()
        heard = list(connection.receive(encode(HELLO) + encode(WISH)))
        heard_later = list(connection.receive(encode(PingReq())))
        self.assertEqual((heard, heard_later), ([HELLO], []))
        self.assertEqual(list(connection.accept()), [WISH, PingReq()])

    def test_accepted_while_listening(self) -> None:
        """A verdict in the middle of an iteration loses nothing and repeats nothing."""
        connection = MqttConnection()
        heard: list[Packet] = []
        for packet in connection.receive(encode(HELLO) + encode(WISH)):
            heard.append(packet)
            if packet == HELLO:
                heard.extend(connection.accept())
        self.assertEqual(heard, [HELLO, WISH])

    def test_refused(self) -> None:
        """What a refused client had said is forgotten."""
        connection = MqttConnection()
        stream = connection.receive(encode(HELLO) + encode(WISH))
        self.assertEqual(next(stream), HELLO)
        connection.close()
        self.assertEqual(list(stream), [])
        self.assertRaises(RuntimeError, connection.accept)

    def test_bounded(self) -> None:
        """A client that says too much before the verdict is cut off."""
        connection = MqttConnection(max_held=10)
        list(connection.receive(encode(HELLO) + bytes(10)))
        self.assertRaises(ProtocolViolation, list, connection.receive(b"x"))
        self.assertIs(connection.state, State.CLOSED)

    def test_bounded_in_one_piece(self) -> None:
        """Even when all of it comes at once."""
        stream = MqttConnection(max_held=10).receive(encode(HELLO) + bytes(11))
        self.assertRaises(ProtocolViolation, list, stream)

    def test_held_violation(self) -> None:
        """What was held is judged when it comes out, not before."""
        connection = MqttConnection()
        self.assertEqual(list(connection.receive(encode(HELLO) * 2)), [HELLO])
        self.assertRaises(ProtocolViolation, list, connection.accept())
        self.assertIs(connection.state, State.CLOSED)

    def test_sizes(self) -> None:
        """Packets may be large after the login, also those held for it; not before."""
        large = Publish("map", bytes(MAX_CONNECT + 1))
        connection = MqttConnection()
        list(connection.receive(encode(HELLO) + encode(large)))
        self.assertEqual(list(connection.accept()), [large])
        self.assertRaises(ProtocolViolation, list, MqttConnection().receive(b"\x10\xff\xff\x3f"))

    def test_nobody_waits(self) -> None:
        """Only somebody who waits can be accepted, and once."""
        self.assertRaises(RuntimeError, MqttConnection().accept)
        self.assertRaises(RuntimeError, opened().accept)


class WaitingTests(SynchronousTestCase):
    """What is not handed out yet."""

    def test_waiting(self) -> None:
        """What is held, and the start of a packet, waits; whole packets and the end do not."""
        connection = MqttConnection()
        seen = []
        for step in (
            lambda: connection.receive(encode(HELLO) + encode(PingReq())),
            connection.accept,
            lambda: connection.receive(encode(PingReq()) + b"\x30"),
            lambda: connection.receive(b"\x03\0\x01t"),
            lambda: connection.receive(b"\x30"),
            lambda: connection.receive(encode(Disconnect())[:0]),
        ):
            list(step())
            seen.append(connection.waiting)
        connection.close()
        self.assertEqual([*seen, connection.waiting], [2, 0, 1, 0, 1, 1, 0])


class ClosedTests(SynchronousTestCase):
    """The end."""

    def test_after_disconnect(self) -> None:
        """Nothing is heard after DISCONNECT, in the same piece or later."""
        connection = opened()
        heard = list(connection.receive(encode(Disconnect()) + encode(PingReq())))
        self.assertEqual(heard, [Disconnect()])
        self.assertEqual(list(connection.receive(encode(PingReq()))), [])

    def test_after_violation(self) -> None:
        """Nothing is heard after a violation, and it is reported once."""
        connection = opened()
        self.assertRaises(ProtocolViolation, list, connection.receive(b"\xff"))
        self.assertEqual(list(connection.receive(encode(PingReq()))), [])

    def test_closed_while_listening(self) -> None:
        """Whoever closes in the middle of an iteration hears no more of it."""
        connection = opened()
        heard = []
        for packet in connection.receive(encode(PingReq()) * 2):
            heard.append(packet)
            connection.close()
        self.assertEqual(heard, [PingReq()])


class FragmentTests(SynchronousTestCase):
    """Pieces do not matter."""

    @given(st.lists(publishes, max_size=5), cuts, st.integers(0, 20))
    def test_any_fragmentation(self, said: list[Publish], places: list[int], late: int) -> None:
        """However a stream is cut, and whenever the verdict comes, the same is heard."""
        connection = MqttConnection()
        heard: list[Packet] = []
        pieces = cut(encode(HELLO) + b"".join(map(encode, said)), places)
        for number, piece in enumerate(pieces):
            if number >= late and connection.state is State.PENDING:
                heard.extend(connection.accept())
            heard.extend(connection.receive(piece))
        if connection.state is State.PENDING:
            heard.extend(connection.accept())
        self.assertEqual(heard, [HELLO, *said])
