"""What clients of the vendor's cloud have in common, in front of the whole server."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from attrs import define, field
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from bumper_tw.dialect.sasl import plain_credentials
from bumper_tw.interfaces import IRobotLink
from bumper_tw.values import Command, Company, Device, DeviceId, PayloadKind, RequestId
from bumper_tw.wire.mqtt_packets import ConnAck, Packet, Publish, SubAck
from tests.flows.house import House
from tests.robots import MqttPeer
from tests.samples import DUSTY, RUSTY
from tests.web.browser import Page, request

#: What they type, and what they send instead of the password (http-auth.md 1).
MAIL, MD5 = "owner@example.org", "5f4dcc3b5aa765d61d8327deb882cf99"
FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")
JSON_ANSWER = "application/json; charset=utf-8"

#: What a robot answers to a request on some topic; C{None} for silence.
XmlScript = Mapping[str, Callable[[bytes], bytes]]


@define(eq=False)
class TextRobot(MqttPeer):
    """
    A robot that answers bytes with bytes, in the format it was asked in.

    @ivar texts: what it answers; it is silent on anything else.
    """

    device: DeviceId = field(kw_only=True)
    texts: XmlScript = field(factory=dict, kw_only=True)

    def boot(self) -> None:
        """Connect and subscribe (robots.md 4.1)."""
        who = self.device
        self.connect(f"{who.did}@{who.model}/{who.resource}", "E0002", b"secret12")
        self.subscribe(f"iot/p2p/+/+/+/+/{who}/q/+/+")

    def on_packet(self, packet: Packet) -> None:
        """Answer what there is an answer for, with the addresses swapped (mqtt.md 4.1)."""
        if isinstance(packet, Publish):
            levels = packet.topic.split("/")
            name, asker, end = levels[2], "/".join(levels[3:6]), "/".join(levels[10:])
            if name in self.texts:
                answer = self.texts[name](packet.payload)
                self.publish(f"iot/p2p/{name}/{self.device}/{asker}/p/{end}", answer)


#: A robot of the first generation: its serial number is its address (xmpp.md 2).
VETERAN = DeviceId("E0009876500123450001", "126", "atom")
VETERAN_DEVICE = Device(VETERAN, VETERAN.did, Company.XMPP, PayloadKind.XML)


@implementer(IRobotLink)
@define(eq=False)
class Veteran:
    """
    A robot that speaks XMPP, as far as clients that speak HTTP can tell.

    @ivar texts: what it answers; it is silent on anything else.
    """

    house: House
    texts: XmlScript
    leave: Callable[[], bool] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.leave = self.house.facts.registry.attach(VETERAN_DEVICE, self)

    def deliver(self, command: Command, request: RequestId) -> None:
        """Answer what there is an answer for."""
        if command.name in self.texts:
            answer = self.texts[command.name](command.body)
            self.house.facts.commands.replied(command.device, command.name, request, answer)

    def withdraw(self, request: RequestId) -> None:
        """It has been heard already."""


def veteran(house: House, **texts: Callable[[bytes], bytes]) -> Veteran:
    """The oldest robot, switched on in a house."""
    return Veteran(house, texts)


@define
class Ear:
    """Answers always the same, and remembers what it was asked."""

    answer: Any
    heard: list[Any] = field(factory=list)

    def __call__(self, asked: Any) -> Any:
        self.heard.append(asked)
        return self.answer


def rusty(house: House, **texts: Callable[[bytes], bytes]) -> TextRobot:
    """The XML robot, switched on in a house."""
    return switch_on(house, TextRobot(house.mqtt, device=RUSTY, texts=texts))


def switch_on(house: House, robot: TextRobot) -> TextRobot:
    """A robot begins to take part."""
    house.peers.append(robot)
    robot.boot()
    return robot


def query(path: str, **parameters: object) -> str:
    """A path with its query."""
    return f"{path}?{urlencode(parameters)}" if parameters else path


def entry(answer: Any, did: str = DUSTY.did) -> Any:
    """What a device list says about one robot."""
    [found] = [device for device in answer["devices"] if device["did"] == did]
    return found


class ClientCase(SynchronousTestCase):
    """A house with Dusty, who answers C{getBattery}, and somebody with a client."""

    def setUp(self) -> None:
        self.house = House()
        self.robot = self.house.robot(getBattery=lambda _: BATTERY)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Iterable[tuple[str, str]] = (),
        host: str = "box.lan:8007",
    ) -> Page:
        """The answer to one request; robots hear of it meanwhile, and the client leaves."""
        connection = self.house.browser().connect()
        connection.send(request(method, path, body, headers, host))
        self.house.settle()
        [page] = connection.received(method == "HEAD")
        connection.hang_up()
        return page

    def get(self, path: str, *headers: tuple[str, str], **parameters: object) -> Any:
        """The JSON that a GET is answered with."""
        return self.json(self.ask("GET", query(path, **parameters), headers=headers))

    def post(self, path: str, value: object, *headers: tuple[str, str]) -> Any:
        """The JSON that a POST of JSON is answered with."""
        return self.json(self.ask("POST", path, json.dumps(value).encode(), (JSON, *headers)))

    def form(self, path: str, **fields: object) -> Any:
        """The JSON that a POST of a form is answered with."""
        return self.json(self.ask("POST", path, urlencode(fields).encode(), [FORM]))

    def json(self, page: Page) -> Any:
        """Whatever is no success of the transport breaks clients (http.md 1.5)."""
        self.assertEqual((page.status, page.headers["content-type"]), (200, JSON_ANSWER))
        return page.json

    def private(self, answer: Any) -> Any:
        """The data of an envelope S1, complete and typed as the strictest client wants it."""
        self.assertEqual(set(answer), {"code", "data", "msg", "success", "time"})
        self.assertEqual(answer["code"], "0000")
        self.assertIs(answer["success"], True)
        self.assertIsInstance(answer["msg"], str)
        self.assertEqual(answer["time"], int(self.house.clock.seconds() * 1000))
        return answer["data"]

    def refused(self, answer: Any, code: str) -> None:
        """An envelope E9 (http.md 2.2)."""
        self.assertEqual((answer["code"], answer["data"]), (code, None))
        self.assertIs(answer["success"], False)
        self.assertIsInstance(answer["msg"], str)
        self.assertIsInstance(answer["time"], int)

    def texts(self, answer: Any, *names: str) -> None:
        """Each of these is a text with something in it."""
        for name in names:
            self.assertIsInstance(answer[name], str, name)
            self.assertNotEqual(answer[name], "", name)

    def mqtt(self, client_id: str, username: str, password: str, *filters: str) -> MqttPeer:
        """An MQTT session that was welcomed, with every subscription granted."""
        peer = MqttPeer(self.house.mqtt)
        self.house.peers.append(peer)
        peer.connect(client_id, username, password.encode())
        [welcome] = peer.heard
        assert isinstance(welcome, ConnAck)
        self.assertEqual(welcome.code, 0)
        peer.subscribe(*filters)
        granted = [packet.codes for packet in peer.heard if isinstance(packet, SubAck)]
        self.assertEqual(granted, [(0,)] * len(filters))
        return peer

    def opens_xmpp(self, who: Mapping[str, str], acts_for: str = "") -> bool:
        """
        Whether the message server, even a strict one, would let somebody in (xmpp.md 4).

        @param acts_for: what a client writes in front of its user id.
        """
        password = f"0/{who['resource']}/{who['token']}"
        message = "\0".join((acts_for, who["userid"], password)).encode()
        said = plain_credentials(b64encode(message).decode(), "ecouser.net", "192.168.7.33")
        self.assertEqual((said.name, said.resource), (who["userid"], who["resource"]))
        return self.house.facts.accounts.belongs(said.name, said.password)

    def clean(self) -> None:
        """Dusty does one job, so that there is a log."""
        start = {"cid": "122", "stop": 0, "type": "auto", "start": "1767225600"}
        self.robot.report("reportStats", start)
        end = {"stop": 1, "stopReason": 1, "area": 12, "time": 720}
        self.robot.report("reportStats", start | end)


def auth(userid: str, token: str, resource: str) -> dict[str, str]:
    """What goes with every portal request (http-auth.md 4)."""
    return {
        "with": "users",
        "userid": userid,
        "realm": "ecouser.net",
        "token": token,
        "resource": resource,
    }


#: What Dusty says of its battery.
BATTERY = {
    "header": {"pri": 1, "tzm": 480, "ver": "0.0.1", "fwVer": "1.8.2", "hwVer": "0.1.1"},
    "body": {"code": 0, "msg": "ok", "data": {"value": 77, "isLow": 0}},
}
