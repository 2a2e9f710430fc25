"""Our side as a client: what connects to amqtt's broker, which knows nothing of ours."""

import socket
from pathlib import Path

from bumper_tw.wire.mqtt_client import ClientConnection
from bumper_tw.wire.mqtt_codec import encode
from bumper_tw.wire.mqtt_packets import (
    ConnAck,
    Connect,
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
    UnsubAck,
)
from tests.interop.case import ANSWER_SECONDS, InteropCase
from tests.interop.installs import mqtt_python
from tests.interop.mqtt_checks import PAHO, heard_of, own
from tests.interop.mqtt_talk import Client, Login, Session, Where
from tests.interop.server import HOST, environment

BROKER = Path(__file__).with_name("amqtt_broker.py")
HELPER = "helperbot/bumper/helperbot"


class Talker:
    """Our bytes on a socket."""

    def __init__(self, port: int) -> None:
        self.wire = ClientConnection(65536)
        self._socket = socket.create_connection((HOST, port), ANSWER_SECONDS)
        self._heard: list[Packet] = []

    def say(self, written: bytes) -> None:
        """Send a packet."""
        self._socket.sendall(written)

    def hear(self, kind: type[Packet]) -> Packet:
        """
        The next packet of a kind; those before it are kept.

        @raise AssertionError: the connection ended before.
        """
        while not (found := [packet for packet in self._heard if isinstance(packet, kind)]):
            more = self._socket.recv(65536)
            if not more:
                raise AssertionError(f"no {kind.__name__}, only {self._heard}")
            self._heard.extend(self.wire.receive(more))
        self._heard.remove(found[0])
        return found[0]

    def close(self) -> None:
        """Drop the connection."""
        self._socket.close()


class BrokerTests(InteropCase):
    """Clients of ours, and a broker and an observer that are not."""

    def setUp(self) -> None:
        super().setUp()
        self.python = mqtt_python()
        broker = self.session([str(self.python), "-P", str(BROKER)], environment())
        [found] = broker.wait_for(r"listening on (\d+)")
        self.port = int(found[1])

    def observer(self) -> Client:
        """A client made with paho-mqtt."""
        child = self.session([str(self.python), "-P", str(PAHO)], environment())
        login = Login("observer", "observer", "secret")
        return Session(child, Where(self.port, None)).client("observer", login)

    def talker(self) -> Talker:
        """Our client, let in."""
        ours = Talker(self.port)
        self.addCleanup(ours.close)
        login = Connect(keep_alive=60, client_id="ours", username="ours", password=b"secret")
        ours.say(ours.wire.connect(login))
        ours.hear(ConnAck)
        self.assertTrue(ours.wire.accepted)
        return ours

    def test_robots(self) -> None:
        """Simulated robots subscribe, answer and report at another broker as they do at ours."""
        robots = self.robots(self.port)
        observer = self.observer()
        replies = f"iot/p2p/+/+/+/+/{HELPER}/p/+/+"
        self.assertEqual(observer.subscribe(replies, "iot/atr/+/+/+/+/+"), [0, 0])
        self.ask(observer, own(robots.json[0]), "getBattery", {})
        said = heard_of(observer, f"iot/p2p/getBattery/{own(robots.json[0])}/{HELPER}/p/abcd/j")
        self.assertEqual(said["body"]["data"], {"value": 87, "isLow": 0})
        self.ask(observer, own(robots.json[0]), "setVolume", {"body": {"data": {"volume": 3}}})
        said = heard_of(observer, f"iot/atr/onVolume/{own(robots.json[0])}/j")
        self.assertEqual(said["body"]["data"]["volume"], 3)

    def ask(self, observer: Client, robot: str, name: str, payload: object) -> None:
        """Ask a robot in the server's name."""
        observer.publish(f"iot/p2p/{name}/{HELPER}/{robot}/q/abcd/j", payload)

    def test_subscriptions(self) -> None:
        """Our client is granted what it asks for, hears it, and hears no more afterwards."""
        ours, observer = self.talker(), self.observer()
        ours.say(ours.wire.subscribe([("a/+", 0), ("b/#", 1)])[1])
        self.assertEqual(ours.hear(SubAck), SubAck(1, (0, 1)))
        observer.publish("a/x", {"n": 1})
        observer.publish("b/x/y", {"n": 2}, qos=1)
        first, second = ours.hear(Publish), ours.hear(Publish)
        assert isinstance(first, Publish)
        assert isinstance(second, Publish)
        self.assertEqual((first.topic, first.payload, first.qos), ("a/x", b'{"n": 1}', 0))
        self.assertEqual((second.topic, second.payload, second.qos), ("b/x/y", b'{"n": 2}', 1))
        assert second.packet_id is not None
        ours.say(encode(PubAck(second.packet_id)))
        ours.say(ours.wire.unsubscribe(["a/+"])[1])
        self.assertEqual(ours.hear(UnsubAck), UnsubAck(2))
        self.assertEqual(ours.wire.pending, 0)

    def test_publications(self) -> None:
        """What our client publishes goes all the way, with every QoS, and it may ping."""
        ours, observer = self.talker(), self.observer()
        self.assertEqual(observer.subscribe("a/+"), [0])
        ours.say(ours.wire.publish("a/0", b'"none"')[1])
        ours.say(ours.wire.publish("a/1", b'"once"', qos=1)[1])
        self.assertEqual(ours.hear(PubAck), PubAck(1))
        ours.say(ours.wire.publish("a/2", b'"twice"', qos=2)[1])
        self.assertEqual(ours.hear(PubRec), PubRec(2))
        ours.say(encode(PubRel(2)))
        self.assertEqual(ours.hear(PubComp), PubComp(2))
        # That broker promises no order between them, and delivers with a QoS of its own.
        heard = {each.topic: each.json for each in (observer.receive() for _ in range(3))}
        self.assertEqual(heard, {"a/0": "none", "a/1": "once", "a/2": "twice"})
        ours.say(encode(PingReq()))
        self.assertEqual(ours.hear(PingResp), PingResp())
        self.assertEqual(ours.wire.pending, 0)
        ours.say(encode(Disconnect()))
