"""What has to hold for every MQTT client, whoever wrote it, with TLS and without."""

import json
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from typing import Any

from bumper_tw.simulator.identity import Identity, Kind, identities
from tests.interop.case import ANSWER_SECONDS, InteropCase, ask, log_in
from tests.interop.children import until
from tests.interop.installs import mqtt_python
from tests.interop.mqtt_talk import Client, Login, Session, Where
from tests.interop.server import HOST, environment
from tests.interop.shared import ACCOUNT, PASSWORD, shared

#: What runs with each of the libraries.
PAHO = Path(__file__).with_name("paho_session.py")
AMQTT = Path(__file__).with_name("amqtt_session.py")

#: CONNACK codes (MQTT 3.1.1, 3.2.2.3).
LEVEL, CREDENTIALS, NOT_AUTHORIZED = 1, 4, 5

#: A SUBACK code.
REFUSED = 0x80

#: Seconds of a keep-alive that is short enough to be waited for.
SHORT = 3

#: Each test has a robot that is new, and all come from one address.
MANY_ROBOTS = "--set", "identity.new_robots_per_hour=1000"

#: As many messages are looked at until the right one has to be there.
MANY = 100

#: How the short topics' messages look whose payload is a JSON robot's.
VOLUME = {"header": {"pri": "1", "ver": "0.0.50"}, "body": {"data": {"volume": 7}}}


def own(who: Identity) -> str:
    """The address of a robot, as it is in topics."""
    return f"{who.did}/{who.cls}/{who.resource}"


def robot_login(who: Identity, keep_alive: int = 60, level: int = 4) -> Login:
    """What a robot connects with."""
    name = f"{who.did}@{who.cls}/{who.resource}"
    return Login(name, who.sn, who.secret, keep_alive, level)


def body(**data: object) -> dict[str, Any]:
    """What a robot that speaks JSON writes."""
    header = {"pri": 1, "tzm": 60, "ts": "1767225600123", "ver": "0.0.1", "fwVer": "1.14.3"}
    return {"header": header, "body": {"code": 0, "msg": "ok", "data": data}}


class ClientCase(InteropCase):
    """
    A server that other tests have, too, and a process with clients.

    @ivar robot: one that only this test knows.
    @cvar script: what runs in that process.
    @cvar tls: whether its clients use the listener with TLS.
    """

    script: Path
    tls: bool

    def setUp(self) -> None:
        super().setUp()
        python = mqtt_python()
        common = shared(*MANY_ROBOTS)
        self.addCleanup(common.check)
        self.server = common.server
        self.begun = len(self.server.child.out)
        self.web = self.server.ports().web
        # -P: our neighbours in this folder are not for its imports.
        self.child = self.session([str(python), "-P", str(self.script)], environment())
        self.talk = Session(self.child, Where.of(self.server, self.tls))
        self.robot = identities(common.number(), Kind.JSON)[-1]

    def filters(self) -> str:
        """What the robot listens to."""
        return f"iot/p2p/+/+/+/+/{own(self.robot)}/q/+/+"

    def report(self, client: Client, value: int, qos: int = 0) -> str:
        """Have the robot report its battery; the topic it did that under."""
        topic = f"iot/atr/onBattery/{own(self.robot)}/j"
        client.publish(topic, body(value=value, isLow=0), qos)
        return topic

    def online(self, token: str) -> bool:
        """Whether the server thinks that the robot is connected."""
        listed = ask(self.web, "GET", "/api/robots", token=token).json["robots"]
        return [row["online"] for row in listed if row["did"] == self.robot.did] == [True]

    def user(self, who: str = "user") -> tuple[Client, str]:
        """Somebody with an account, and the token that was the password."""
        account = {"account": "owner@example.org", "password": "hunter2"}
        given = ask(self.web, "POST", "/api/login", account).json
        login = Login(f"{given['uid']}@ecouser/{who}1", given["uid"], given["token"])
        return self.talk.client(who, login), given["token"]


class RobotChecks(ClientCase):
    """Clients as robots."""

    def test_status(self) -> None:
        """A robot's report is in our API, and the robot is known by its serial number."""
        robot = self.talk.client("robot", robot_login(self.robot))
        self.assertEqual(robot.subscribe(self.filters()), [0])
        self.report(robot, 61)
        token, path = log_in(self.web), f"/api/robots/{self.robot.did}/status"

        def battery() -> int | None:
            status = ask(self.web, "GET", path, token=token).json["status"]
            return status["battery"]["percent"] if "battery" in status else None

        until(lambda: battery() == 61, "the report has arrived")
        row = ask(self.web, "GET", path, token=token).json
        self.assertEqual((row["name"], row["class"]), (self.robot.sn, self.robot.cls))
        self.assertTrue(row["online"])

    def test_command(self) -> None:
        """A command of our API reaches the robot, and its answer whoever asked."""
        robot = self.talk.client("robot", robot_login(self.robot))
        robot.subscribe(self.filters())
        self.answered(robot, 42)

    def answered(self, robot: Client, value: int) -> None:
        """Ask for the battery, and answer as the robot."""
        asking = HTTPConnection(HOST, self.web, timeout=ANSWER_SECONDS)
        self.addCleanup(asking.close)
        asked = json.dumps({"did": self.robot.did, "name": "getBattery"})
        headers = {"Authorization": f"Bearer {log_in(self.web)}"}
        asking.request("POST", "/api/command", asked, headers)
        heard = robot.receive()
        levels = heard.topic.split("/")
        helper = "helperbot/bumper/helperbot"
        request = f"iot/p2p/getBattery/{helper}/{own(self.robot)}/q/{levels[10]}/j"
        self.assertEqual((heard.topic, heard.qos, heard.retain), (request, 0, False))
        reply = f"iot/p2p/getBattery/{own(self.robot)}/{helper}/p/{levels[10]}/j"
        robot.publish(reply, body(value=value))
        answer = asking.getresponse()
        self.assertEqual(answer.status, 200)
        self.assertEqual(json.loads(answer.read())["reply"], body(value=value))

    def test_take_over(self) -> None:
        """The same client id again ends the older connection; the robot stays online."""
        older = self.talk.client("older", robot_login(self.robot))
        older.subscribe(self.filters())
        newer = self.talk.client("newer", robot_login(self.robot))
        older.ended()
        newer.subscribe(self.filters())
        self.answered(newer, 43)
        self.assertTrue(self.online(log_in(self.web)))

    def test_goodbye(self) -> None:
        """A robot that leaves in good order is offline, and nobody complains."""
        token = log_in(self.web)
        robot = self.talk.client("robot", robot_login(self.robot))
        until(lambda: self.online(token), "the robot is online")
        robot.disconnect()
        self.server.child.wait_for(f"{self.robot.did}.* disconnected")
        until(lambda: not self.online(token), "the robot is offline")
        self.assertNotIn("closing", "\n".join(self.server.child.out[self.begun :]))

    def test_pings(self) -> None:
        """Pings alone keep a connection, beyond the silence that its keep-alive allows."""
        robot = self.talk.client("robot", robot_login(self.robot, SHORT))
        packets = robot.packets("PINGRESP", 2)
        self.assertEqual(packets[:2], ["CONNECT", "CONNACK"])
        self.assertEqual(set(packets[2:]), {"PINGREQ", "PINGRESP"})
        robot.subscribe(self.filters())
        self.answered(robot, 44)

    def test_own_name_refused(self) -> None:
        """Nobody is let in under the server's own name."""
        helper = Login("helperbot@bumper/helperbot", "helperbot", "secret")
        self.assertEqual(self.talk.refused("helper", helper), NOT_AUTHORIZED)


class UserChecks(ClientCase):
    """Clients as users of the API."""

    def test_subscriptions(self) -> None:
        """A user hears a robot, not everybody, and after unsubscribing nothing."""
        robot = self.talk.client("robot", robot_login(self.robot))
        user, _ = self.user()
        wanted = f"iot/atr/+/{own(self.robot)}/j"
        other = f"iot/p2p/+/{own(self.robot)}/+/+/+/p/+/j"
        self.assertEqual(user.subscribe("#", wanted, "iot/atr/#", other), [REFUSED, 0, REFUSED, 0])
        topic = self.report(robot, 55)
        heard = user.receive()
        self.assertEqual((heard.topic, heard.json), (topic, body(value=55, isLow=0)))
        user.unsubscribe(wanted)
        # Acknowledged, so that it cannot arrive after the next subscription.
        self.report(robot, 54, qos=1)
        user.subscribe(wanted)
        self.report(robot, 53)
        self.assertEqual(user.receive().json, body(value=53, isLow=0))

    def test_at_least_once(self) -> None:
        """With QoS 1 on both sides each leg is acknowledged."""
        robot = self.talk.client("robot", robot_login(self.robot))
        user, _ = self.user()
        self.assertEqual(user.subscribe(f"iot/atr/+/{own(self.robot)}/+", qos=1), [1])
        for value in (50, 49):
            topic = self.report(robot, value, qos=1)
            heard = user.receive()
            self.assertEqual((heard.topic, heard.qos), (topic, 1))
            self.assertEqual(heard.json, body(value=value, isLow=0))
        self.assertEqual(robot.packets("PUBACK", 2).count("PUBLISH"), 2)
        self.assertEqual(user.packets("PUBACK", 2).count("PUBLISH"), 2)

    def test_exactly_once(self) -> None:
        """With QoS 2 on both sides each leg goes all the way, and it arrives once."""
        robot = self.talk.client("robot", robot_login(self.robot))
        user, _ = self.user()
        self.assertEqual(user.subscribe(f"iot/atr/+/{own(self.robot)}/+", qos=2), [2])
        for value in (48, 47):
            self.report(robot, value, qos=2)
            heard = user.receive()
            self.assertEqual((heard.qos, heard.json), (2, body(value=value, isLow=0)))
        both = ["PUBLISH", "PUBREC", "PUBREL", "PUBCOMP"] * 2
        self.assertEqual(robot.packets("PUBCOMP", 2), ["CONNECT", "CONNACK", *both])
        said = ["CONNECT", "CONNACK", "SUBSCRIBE", "SUBACK", *both]
        self.assertEqual(user.packets("PUBCOMP", 2), said)

    def test_no_forgery(self) -> None:
        """What a user says in a robot's name is acknowledged, and nobody hears it."""
        robot = self.talk.client("robot", robot_login(self.robot))
        user, _ = self.user()
        user.subscribe(f"iot/atr/+/{own(self.robot)}/+")
        self.report(user, 1, qos=1)
        self.report(robot, 46)
        self.assertEqual(user.receive().json, body(value=46, isLow=0))


class ServiceChecks(ClientCase):
    """Clients as scripts of the owner, which know short topics only."""

    def test_password(self) -> None:
        """The owner's password is right, any other is wrong."""
        wrong = Login("dash1", ACCOUNT, "battery staple")
        self.assertEqual(self.talk.refused("wrong", wrong), CREDENTIALS)
        stranger = Login("dash1", "stranger", PASSWORD)
        self.assertEqual(self.talk.refused("stranger", stranger), CREDENTIALS)
        self.talk.client("right", Login("dash1", ACCOUNT, PASSWORD))

    def test_short_topics(self) -> None:
        """A command gets its answer under the id it chose, and reports are heard."""
        ports = self.server.ports()
        [who] = self.robots(ports.mqtt_tls if self.tls else ports.mqtt, xml=0, tls=self.tls).json
        dash = self.talk.client("dash", Login("dash1", ACCOUNT, PASSWORD))
        self.assertEqual(dash.subscribe(f"rsp/{who.did}", f"attr/{who.did}"), [0, 0])
        dash.publish(f"p2p/{who.did}", {"id": "a1", "cmd": "getBattery"})
        said = heard_of(dash, f"rsp/{who.did}", "id", "a1")
        self.assertEqual(said["payload"]["body"]["data"], {"value": 87, "isLow": 0})
        dash.publish(f"p2p/{who.did}", {"id": "a2", "cmd": "setVolume", "payload": VOLUME})
        said = heard_of(dash, f"attr/{who.did}", "event", "onVolume")
        self.assertEqual(said["payload"]["body"]["data"]["volume"], 7)

    def test_wildcard(self) -> None:
        """Telemetry of all robots may be heard, commands of others may not."""
        dash = self.talk.client("dash", Login("dash1", ACCOUNT, PASSWORD))
        wanted = ("attr/+", "rsp/+", "iot/atr/+/+/+/+/+", "p2p/+", "iot/p2p/#", "$SYS/#")
        self.assertEqual(dash.subscribe(*wanted), [0, 0, 0, REFUSED, REFUSED, REFUSED])

    def test_everything(self) -> None:
        """Who wants everything hears what it may: telemetry, and no command."""
        robot = self.talk.client("robot", robot_login(self.robot))
        self.assertEqual(robot.subscribe(self.filters()), [0])
        dash = self.talk.client("dash", Login("dash1", ACCOUNT, PASSWORD))
        self.assertEqual(dash.subscribe("#", "iot/#"), [0, 0])
        dash.publish(f"p2p/{self.robot.did}", {"id": "a1", "cmd": "getBattery"})
        self.assertIn("/q/", robot.receive().topic)
        topic = self.report(robot, 61)
        # Of a robot of the test before there may be a last word.
        heard = (dash.receive().topic for _ in range(MANY))
        of_this = set(islice((each for each in heard if self.robot.did in each), 2))
        self.assertEqual(of_this, {topic, f"attr/{self.robot.did}"})


def heard_of(client: Client, topic: str, key: str = "", value: str = "") -> Any:
    """
    The first message under a topic; others come besides.

    @param key: its message has to have C{value} there.
    @raise AssertionError: many others come.
    """
    for _ in range(MANY):
        heard = client.receive()
        if heard.topic == topic and (not key or heard.json.get(key) == value):
            return heard.json
    raise AssertionError(f"{MANY} messages, none under {topic} with {key} {value!r}")
