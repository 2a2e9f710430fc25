"""A scripted robot that speaks real bytes, in memory."""

import json
from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet.address import IPv4Address
from twisted.internet.testing import StringTransportWithDisconnection

from bumper_tw.mqtt.factory import MqttFactory
from bumper_tw.mqtt.protocol import MqttProtocol
from bumper_tw.values import DeviceId
from bumper_tw.wire.mqtt_client import ClientConnection
from bumper_tw.wire.mqtt_codec import encode
from bumper_tw.wire.mqtt_packets import Connect, Disconnect, Packet, Publish

HERE = IPv4Address("TCP", "192.168.7.2", 8883)
THERE = IPv4Address("TCP", "192.168.7.33", 50123)

#: What a robot answers to a command of some name, given its body.
Script = dict[str, Callable[[Any], Any]]


class Wire(StringTransportWithDisconnection):
    """A connection that ends when it is told to."""

    def __init__(self) -> None:
        super().__init__(HERE, THERE)


@define(eq=False)
class MqttPeer:
    """
    One MQTT client in memory.

    @ivar heard: every packet from the server, in order.
    @ivar piece: how many bytes it sends at a time; 0 for all at once.
    """

    factory: MqttFactory
    piece: int = 0
    heard: list[Packet] = field(factory=list)
    client: ClientConnection = field(init=False)
    wire: Wire = field(init=False)
    protocol: MqttProtocol = field(init=False)

    def connect(self, client_id: str, username: str = "", password: bytes | None = None) -> None:
        """Open a connection and log in."""
        protocol = self.factory.door(False).buildProtocol(THERE)
        assert isinstance(protocol, MqttProtocol)
        self.client, self.wire, self.protocol = ClientConnection(1 << 20), Wire(), protocol
        self.wire.protocol = protocol
        protocol.makeConnection(self.wire)
        login = Connect(client_id=client_id, username=username, password=password, keep_alive=60)
        self.send(self.client.connect(login))

    def send(self, data: bytes) -> None:
        """Bytes to the server; then whatever it says to that is read."""
        size = self.piece or max(len(data), 1)
        for start in range(0, len(data), size):
            self.protocol.dataReceived(data[start : start + size])
        self.read()

    def read(self) -> None:
        """Take what the server has written."""
        written = self.wire.value()
        self.wire.clear()
        if written:
            for packet in self.client.receive(written):
                self.heard.append(packet)
                self.on_packet(packet)

    def on_packet(self, packet: Packet) -> None:
        """One packet from the server."""

    def subscribe(self, *filters: str) -> None:
        """Subscribe with QoS 0."""
        for topic_filter in filters:
            _, data = self.client.subscribe([(topic_filter, 0)])
            self.send(data)

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 0."""
        _, data = self.client.publish(topic, payload)
        self.send(data)

    def messages(self) -> list[Publish]:
        """The publications heard so far."""
        return [packet for packet in self.heard if isinstance(packet, Publish)]

    def topics(self) -> list[str]:
        """Their topics."""
        return [message.topic for message in self.messages()]

    def leave(self) -> None:
        """Say goodbye."""
        self.send(encode(Disconnect()))

    def vanish(self) -> None:
        """The connection breaks."""
        self.wire.loseConnection()


@define(eq=False)
class JsonRobot(MqttPeer):
    """
    A robot with JSON payloads.

    @ivar script: what it answers; it is silent on anything else.
    """

    device: DeviceId = field(kw_only=True)
    script: Script = field(factory=dict, kw_only=True)

    def boot(self) -> None:
        """Connect and subscribe, as real ones do (robots.md 4.1)."""
        who = self.device
        self.connect(f"{who.did}@{who.model}/{who.resource}", "E0001", b"secret12")
        self.subscribe(f"iot/p2p/+/+/+/+/{who}/q/+/+")

    def on_packet(self, packet: Packet) -> None:
        """Answer what the script has an answer for."""
        if isinstance(packet, Publish):
            self.answer(packet)

    def answer(self, asked: Publish) -> None:
        """Swap the addresses, keep name, id and format (mqtt.md 4.1)."""
        levels = asked.topic.split("/")
        name, asker, request = levels[2], "/".join(levels[3:6]), levels[10]
        if name in self.script:
            said = self.script[name](json.loads(asked.payload or b"{}"))
            topic = f"iot/p2p/{name}/{self.device}/{asker}/p/{request}/j"
            self.publish(topic, json.dumps(said).encode())

    def report(self, name: str, data: object) -> None:
        """Tell something unasked."""
        body = {"header": {"fwVer": "1.8.2"}, "body": {"data": data}}
        self.publish(f"iot/atr/{name}/{self.device}/j", json.dumps(body).encode())


def ok(data: object = None) -> dict[str, Any]:
    """What a robot answers when all is well (mqtt.md 7.1)."""
    body = {"code": 0, "msg": "ok"} | ({} if data is None else {"data": data})
    return {"header": {"pri": 1, "fwVer": "1.8.2"}, "body": body}
