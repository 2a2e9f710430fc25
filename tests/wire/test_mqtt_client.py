"""Our end of a connection to somebody else's server."""

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.errors import ProtocolViolation
from bumper_tw.wire.mqtt_client import ClientConnection, WindowFull
from bumper_tw.wire.mqtt_codec import encode
from bumper_tw.wire.mqtt_connection import MqttConnection
from bumper_tw.wire.mqtt_packets import (
    ConnAck,
    Connect,
    ConnectCode,
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
    reply_to,
)

MAX_SIZE = 1024
WELCOME = ConnAck(ConnectCode.ACCEPTED)


def connected(max_pending: int = 10) -> ClientConnection:
    """A connection that the server has accepted."""
    connection = ClientConnection(MAX_SIZE, max_pending=max_pending)
    list(connection.receive(encode(WELCOME)))
    return connection


class LoginTests(SynchronousTestCase):
    """Until the server has spoken its verdict."""

    def test_accepted(self) -> None:
        """The verdict comes first, and messages may follow it at once."""
        connection = ClientConnection(MAX_SIZE)
        self.assertFalse(connection.accepted)
        heard = list(connection.receive(encode(WELCOME) + encode(Publish("t", b"!"))))
        self.assertEqual(heard, [WELCOME, Publish("t", b"!")])
        self.assertTrue(connection.accepted)

    def test_refused(self) -> None:
        """After a refusal nothing more may come."""
        connection = ClientConnection(MAX_SIZE)
        refusal = ConnAck(ConnectCode.NOT_AUTHORIZED)
        self.assertEqual(list(connection.receive(encode(refusal))), [refusal])
        self.assertFalse(connection.accepted)
        self.assertRaises(ProtocolViolation, list, connection.receive(encode(PingResp())))

    def test_out_of_turn(self) -> None:
        """A server says nothing before its verdict, and nothing that is a client's to say."""
        early = ClientConnection(MAX_SIZE).receive(encode(PingResp()))
        self.assertRaises(ProtocolViolation, list, early)
        for packet in (WELCOME, Connect(), PingReq(), Subscribe(1, (("a", 0),))):
            self.assertRaises(ProtocolViolation, list, connected().receive(encode(packet)))


class QuestionTests(SynchronousTestCase):
    """Each answer belongs to a question."""

    def answered(self, connection: ClientConnection, answer: Packet) -> None:
        self.assertEqual(list(connection.receive(encode(answer))), [answer])

    def test_subscribe(self) -> None:
        """A SUBACK settles a SUBSCRIBE."""
        connection = connected()
        packet_id, written = connection.subscribe([("a", 1), ("b", 0)])
        self.assertEqual(written, encode(Subscribe(packet_id, (("a", 1), ("b", 0)))))
        self.assertEqual(connection.pending, 1)
        self.answered(connection, SubAck(packet_id, (1, 0x80)))
        self.assertEqual(connection.pending, 0)

    def test_unsubscribe(self) -> None:
        """An UNSUBACK settles an UNSUBSCRIBE."""
        connection = connected()
        packet_id, written = connection.unsubscribe(["a"])
        self.assertEqual(written, encode(Unsubscribe(packet_id, ("a",))))
        self.answered(connection, UnsubAck(packet_id))
        self.assertEqual(connection.pending, 0)

    def test_publish(self) -> None:
        """QoS 0 waits for nothing, QoS 1 for a PUBACK."""
        connection = connected()
        self.assertEqual(connection.publish("t", b""), (None, encode(Publish("t", b""))))
        self.assertEqual(connection.pending, 0)
        packet_id, written = connection.publish("t", b"", 1, retain=True)
        assert packet_id is not None
        self.assertEqual(written, encode(Publish("t", b"", 1, True, packet_id=packet_id)))
        self.answered(connection, PubAck(packet_id))
        self.assertEqual(connection.pending, 0)

    def test_publish_exactly_once(self) -> None:
        """QoS 2 keeps its packet identifier until the PUBCOMP."""
        connection = connected()
        packet_id, _ = connection.publish("t", b"", 2)
        assert packet_id is not None
        self.answered(connection, PubRec(packet_id))
        self.assertEqual(connection.pending, 1)
        self.answered(connection, PubComp(packet_id))
        self.assertEqual(connection.pending, 0)

    def test_wrong_answers(self) -> None:
        """An answer to nothing, of another kind or of another length is a violation."""
        for wrong in (
            SubAck(2, (0,)),
            SubAck(1, (0, 0)),
            PubAck(1),
            PubRec(1),
            PubComp(1),
            UnsubAck(1),
        ):
            connection = connected()
            packet_id, _ = connection.subscribe([("a", 0)])
            self.assertEqual(packet_id, 1)
            with self.assertRaises(ProtocolViolation, msg=str(wrong)):
                list(connection.receive(encode(wrong)))

    def test_window(self) -> None:
        """With too many questions open, another is refused until one is answered."""
        connection = connected(max_pending=2)
        first, _ = connection.subscribe([("a", 0)])
        connection.unsubscribe(["a"])
        self.assertRaises(WindowFull, connection.publish, "t", b"", 1)
        self.assertRaises(WindowFull, connection.subscribe, [("a", 0)])
        connection.publish("t", b"")
        self.answered(connection, SubAck(first, (0,)))
        connection.publish("t", b"", 1)
        self.assertEqual(connection.pending, 2)

    def test_unwritable(self) -> None:
        """A question that cannot be written is not waited for."""
        connection = connected()
        self.assertRaises(ValueError, connection.subscribe, [("\ud800", 0)])
        self.assertRaises(ValueError, connection.publish, "t", b"", 3)
        self.assertEqual(connection.pending, 0)

    def test_identifiers_go_round(self) -> None:
        """Packet identifiers start again at 1, and leave out those still in use."""
        connection = connected()
        kept, _ = connection.subscribe([("a", 0)])
        for _ in range(0xFFFF - 1):
            packet_id, _ = connection.unsubscribe(["a"])
            list(connection.receive(encode(UnsubAck(packet_id))))
        self.assertEqual((kept, packet_id), (1, 0xFFFF))
        self.assertEqual(connection.unsubscribe(["a"])[0], 2)


class ReplyTests(SynchronousTestCase):
    """The next step of a delivery."""

    def test_table(self) -> None:
        """Each packet that asks for a reply gets the one that its QoS wants."""
        for packet, reply in (
            (Publish("t", b"", 1, packet_id=7), PubAck(7)),
            (Publish("t", b"", 2, packet_id=7), PubRec(7)),
            (PubRec(7), PubRel(7)),
            (PubRel(7), PubComp(7)),
        ):
            self.assertEqual(reply_to(packet), reply)

    def test_no_reply(self) -> None:
        """All the others get none."""
        for packet in (Publish("t", b""), PubAck(1), PubComp(1), PingResp(), WELCOME):
            self.assertIsNone(reply_to(packet))


class BothEndsTests(SynchronousTestCase):
    """Our two ends understand each other."""

    def test_conversation(self) -> None:
        """A login, a question and its answer, byte by byte."""
        client, server = ClientConnection(MAX_SIZE), MqttConnection()
        hello = Connect(client_id="bridge", username="u", password=b"p")
        spoken = client.connect(hello)
        heard = [p for byte in spoken for p in server.receive(bytes((byte,)))]
        self.assertEqual(heard, [hello])
        self.assertEqual(list(server.accept()), [])
        self.assertEqual(list(client.receive(encode(WELCOME))), [WELCOME])
        packet_id, wish = client.subscribe([("iot/#", 0)])
        self.assertEqual(list(server.receive(wish)), [Subscribe(packet_id, (("iot/#", 0),))])
