"""Two users, three robots: what a stranger can find out and do, by every way there is."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

from bumper_tw.core.ownership import ACCEPTED
from bumper_tw.readings import Battery, Errors, Report
from bumper_tw.values import CleaningLog
from bumper_tw.web.openapi import PAGES
from bumper_tw.web.routes import Layer, Route
from tests.flows.clients import JSON
from tests.flows.owners import OLDIE, ROBOTS, OwnersCase, Person
from tests.robots import MqttPeer
from tests.samples import DUSTY, RUSTY
from tests.web.browser import request
from tests.xmpp_peers import event

#: A name that stands for whatever belongs to somebody else.
SECRET = "Annas own"
#: A robot that is none.
NONE = "ffffffff-93be-4d0e-8a44-1b6de2f09c35"

#: Whatever clients may call a robot by, wherever they do.
NAMES = (
    "did", "dids", "id", "ids", "eid", "toId", "deviceId", "device", "devices", "sn", "mid",
    "msgId", "shareId", "key", "resource", "res", "er", "mac", "userId", "target",
)  # fmt: skip

#: What routes that do several things can be asked to do.
TODOS = {
    "app.do": (
        "GetGlobalDeviceList", "RobotControl", "GetShareDeviceList", "ShareDevice",
        "ShareUnRegisterDevice", "UnShareDevice", "DecodeQrCode", "GetDeviceProtocolV2",
    ),
    "user.do": ("GetDeviceList", "SetDeviceNick", "AddOneDevice", "DeleteOneDevice"),
    "devmanager.do": (
        "q", "PollSCResult", "PreWifiConfig", "HasUnreadMsg", "ReceiveShareDevice",
    ),
    "log.do": ("GetCleanLogs",),
}  # fmt: skip

#: What Ben himself has made during one walk is there in the next.
OWN = re.compile(r"/user/data/|/home/list|/member/list")

#: Where a session ends; the walk needs its own to the last.
ENDS = re.compile(r"logout|/api/login\b", re.IGNORECASE)


class TwoUsersCase(OwnersCase):
    """Anna's robots have said and done things; Ben is curious."""

    def setUp(self) -> None:
        super().setUp()
        self.carl = self.person("carl@example.org")
        for did in ROBOTS:
            self.user_do(self.anna, "SetDeviceNick", did=did, nick=SECRET)
            self.report(did)
        registry, logs = self.house.facts.registry, self.house.facts.logs
        self.logs = [
            CleaningLog(registry.device(did).id, "7331", 1_790_000_000, "auto", 7331, 7331)
            for did in ROBOTS
        ]
        for log in self.logs:
            self.successResultOf(logs.record(log))
        self.house.facts.writer.flush()

    def report(self, did: str) -> None:
        """A robot says something of itself, and that something is wrong."""
        now = self.house.clock.seconds()
        for number, reading in enumerate((Battery(73), Errors((104,)))):
            self.house.facts.telemetry.record(Report(did, reading, now, number))

    def requests(self, route: Route, did: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """All ways to ask a route about a robot: method, path and fields."""
        path = re.sub(r"<(\w+)>", lambda m: quote(self.segment(m[1], did)), route.path)
        what = next((todos for end, todos in TODOS.items() if path.endswith(end)), ("",))
        for method in route.methods:
            for todo in what:
                yield method, path, self.fields(did, todo)

    def segment(self, name: str, did: str) -> str:
        """A part of a path."""
        known = {"version": "v1", "country": "de", "lang": "EN", "app": "global_e"}
        return known.get(name, self.anna.account if name == "account" else did)

    def fields(self, did: str, todo: str) -> dict[str, Any]:
        """A robot under every name, and what there is to be done with it."""
        log = f"{did}@1790000000@x"
        return dict.fromkeys(NAMES, did) | {
            "todo": todo,
            "td": todo,
            "logType": "clean",
            "logIds": [log, *(each.id for each in self.logs if each.device.did == did)],
            "name": "getBattery",
            "cmdName": "getBattery",
            "apn": "getBattery",
            "payload": {},
            "props": "onBattery,onStats",
            "fmt": "j",
            "nick": "Mine",
            "account": self.carl.account,
            "username": self.carl.account,
            "userid": self.ben.uid,
            "data": {"did": did},
        }

    def body_of(self, who: Person, method: str, path: str, fields: dict[str, Any]) -> str:
        """The answer to one request, as text."""
        body = json.dumps({"auth": who.auth, **fields}).encode() if method != "GET" else b""
        asked = urlencode({k: v for k, v in fields.items() if isinstance(v, str)})
        asked += "&" + urlencode({"auth": json.dumps(who.auth), "accessToken": who.token})
        connection = self.house.browser().connect()
        connection.send(request(method, f"{path}?{asked}", body, (JSON, *who.headers)))
        for _ in range(3):
            self.house.settle()
            received = connection.received(method == "HEAD")
            if received:
                connection.hang_up()
                return f"{received[0].status} {received[0].body.decode('utf-8', 'replace')}"
            self.house.clock.advance(20)
        raise AssertionError(f"no answer to {method} {path}")

    def walk(self, who: Person, did: str) -> Iterator[tuple[str, str]]:
        """Every request about a robot, with what it is answered."""
        for route in self.house.site.routes:
            if PAGES.fullmatch(route.path) or route.here is not None:
                # Of the authority alone, whose fingerprint may have any number in it; and pages of
                # the owner, who is no user.
                continue
            if route.path == "/api/events":
                # It has no end; what it tells whom is tested where it is made.
                continue
            # What is data knows nothing of robots; to see that once is enough.
            again = route.layer is not Layer.CODE and did in {RUSTY.did, OLDIE}
            if again or ENDS.search(route.path):
                continue
            for method, path, fields in self.requests(route, did):
                if who.token and not self.house.facts.accounts.belongs(who.uid, who.token):
                    self.log_in(who)
                said = self.body_of(who, method, path, fields)
                yield f"{method} {path} {fields['todo']}".strip(), said

    def state(self) -> Any:
        """All that a stranger must not change."""
        facts = self.house.facts
        return (
            {device.id.did: device for device in facts.registry.devices()},
            {did: (self.ownership.owner(did), self.ownership.shares(did)) for did in ROBOTS},
            {did: facts.telemetry.latest(did) for did in ROBOTS},
            {did: self.successResultOf(facts.logs.logs(did, 99)) for did in ROBOTS},
            {did: len(self.successResultOf(facts.reports.history(did, "", 0, 99)))
             for did in ROBOTS},
            facts.accounts.homes(self.anna.uid),
        )  # fmt: skip

    def heard(self) -> tuple[int, int, int]:
        """How much the robots were told so far."""
        mqtt = [len(robot.messages()) for robot in (self.dusty, self.rusty)]
        self.oldie.take()
        return mqtt[0], mqtt[1], len(self.oldie.heard)


#: What tells something of Anna's robots: their name, serial numbers, figures, and her account.
TELLTALE = re.compile(r"Annas own|E0001\b|E0002\b|73\.125|\b73\b|7331|anna@example", re.IGNORECASE)


class HttpTests(TwoUsersCase):
    """Every route, with the robot in every parameter."""

    def test_stranger(self) -> None:
        """Ben's token tells nothing of a robot, changes nothing, and is heard by none."""
        before, heard = self.state(), self.heard()
        for did in ROBOTS:
            known = {
                what: said
                for what, said in self.walk(self.ben, did)
                if TELLTALE.search(told(said, self.anna))
            }
            self.assertEqual(known, {})
        self.assertEqual(self.state(), before)
        self.assertEqual(self.heard(), heard)

    def test_nobody(self) -> None:
        """The same without any token."""
        before, heard = self.state(), self.heard()
        for did in ROBOTS:
            for what, said in self.walk(Person(self.anna.account), did):
                self.assertIsNone(TELLTALE.search(told(said, self.anna)), f"{what}: {said}")
        self.assertEqual((self.state(), self.heard()), (before, heard))

    def test_no_difference(self) -> None:
        """What Ben hears of a robot of Anna's is what he hears of one that is none."""
        about = dict(self.walk(self.ben, DUSTY.did))
        nothing = dict(self.walk(self.ben, NONE))
        different = {}
        for what, said in about.items():
            other = nothing[what.replace(DUSTY.did, NONE)]
            if not OWN.search(what) and neutral(said, DUSTY.did) != neutral(other, NONE):
                different[what] = (said, other)
        self.assertEqual(different, {})

    def test_owner(self) -> None:
        """The same walk tells Anna a lot, so it asks the right questions."""
        telling = set()
        for what, said in self.walk(self.anna, DUSTY.did):
            if TELLTALE.search(said):
                telling.add(re.sub(r"^\w+ ", "", what).replace(DUSTY.did, "DID"))
            if DUSTY.did not in self.state()[0] or what.startswith("PUT"):
                self.dusty.boot()
                self.successResultOf(self.ownership.give(DUSTY.did, self.anna.uid))
                self.user_do(self.anna, "SetDeviceNick", did=DUSTY.did, nick=SECRET)
                self.report(DUSTY.did)
                self.successResultOf(self.house.facts.logs.record(self.logs[0]))
        for what in (
            "/api/appsvr/app.do GetGlobalDeviceList",
            "/api/users/user.do GetDeviceList",
            "/api/iot/devmanager.do q",
            "/api/dim/devmanager.do q",
            "/api/iot/endpoint/control",
            "/api/lg/log.do GetCleanLogs",
            "/app/dln/api/log/clean_result/list",
            "/api/appsvr/device/prop/list",
            "/api/neng/message/getlist",
            "/api/neng/v3/message/list",
            "/api/robots",
            "/api/robots/DID/status",
            "/api/robots/DID/history",
            "/api/robots/DID/owner",
            "/api/command",
        ):
            self.assertIn(what, telling)

    def test_profile(self) -> None:
        """Whoever knows the device id of Anna's telephone does not get her profile by that."""
        path = "/v1/private/de/EN/annasphone/global_e/1.6.3/c_googleplay/1/user/"
        login = {"account": self.anna.account, "password": "c62d929e7b7e7b6165923a5dfc60cb56"}
        self.ask("GET", f"{path}login?{urlencode(login)}", None)
        for token in ("", "nothing"):
            page = self.ask("GET", f"{path}getUserAccountInfo?accessToken={token}", None)
            self.assertEqual((page.json["code"], page.json["data"]), ("0004", None))
        own = self.ask("GET", f"{path}getUserAccountInfo?accessToken={self.ben.token}", None)
        self.assertEqual(own.json["data"]["uid"], self.ben.uid)


def told(said: str, asked: Person) -> str:
    """An answer without the account that the path of the question names, which some repeat."""
    return said.replace(quote(asked.account), "")


def neutral(said: str, did: str) -> str:
    """An answer without what differs each time."""
    return re.sub(r'"id":"[A-Za-z]{4}"', '"id":"ABCD"', said.replace(did, "DID"))


class BrokerTests(TwoUsersCase):
    """MQTT and XMPP."""

    def listener(self, person: Person) -> MqttPeer:
        """Somebody's app over MQTT, who asks for everything."""
        peer = MqttPeer(self.house.mqtt)
        self.house.peers.append(peer)
        peer.connect(f"{person.uid}@ecouser/GLB1", person.uid, person.token.encode())
        for device in (DUSTY, RUSTY):
            peer.subscribe(
                f"iot/atr/+/{device}/+", f"iot/p2p/+/+/+/+/{device}/q/+/+",
                f"attr/{device.did}", f"rsp/{device.did}",
            )  # fmt: skip
        peer.subscribe("#", "iot/#", "attr/+", "iot/atr/+/+/+/+/+")
        return peer

    def script(self, person: Person) -> MqttPeer:
        """The same with his account and password, as local services come in."""
        peer = MqttPeer(self.house.mqtt)
        self.house.peers.append(peer)
        peer.connect(f"script-{person.uid}", person.account, b"correct horse")
        peer.subscribe("#", "iot/#", "attr/+", "rsp/+")
        return peer

    def test_mqtt(self) -> None:
        """A stranger hears nothing, tells nothing, and a guest hears what he was let in for."""
        ben, anna = self.listener(self.ben), self.listener(self.anna)
        bens, annas = self.script(self.ben), self.script(self.anna)
        before = self.heard()
        self.speak()
        for stranger in (ben, bens):
            self.assertEqual(stranger.topics(), [])
            for robot in (DUSTY, RUSTY):
                stranger.publish(f"p2p/{robot.did}", b'{"id":"a1","cmd":"getBattery"}')
        self.house.settle()
        self.assertEqual(self.heard(), before)
        for owner in (anna, annas):
            self.assertEqual({self.robot_in(topic) for topic in owner.topics()}, {DUSTY, RUSTY})
        self.ownership.invite(DUSTY.did, self.anna.uid, self.ben.uid, ACCEPTED)
        guests = self.listener(self.ben), self.script(self.ben)
        self.speak()
        for guest in guests:
            self.assertEqual({self.robot_in(topic) for topic in guest.topics()}, {DUSTY})
        self.ownership.end(DUSTY.did, self.ben.uid)
        heard = [guest.topics() for guest in guests]
        self.speak()
        self.assertEqual([guest.topics() for guest in guests], heard)

    def speak(self) -> None:
        """The robots report something."""
        self.dusty.publish(f"iot/atr/onBattery/{DUSTY}/j", b'{"body":{"data":{"value":9}}}')
        self.rusty.publish(f"iot/atr/BatteryInfo/{RUSTY}/x", b"<ctl><battery power='9'/></ctl>")
        self.house.settle()

    def robot_in(self, topic: str) -> Any:
        """Which robot a topic is about."""
        return next(robot for robot in (DUSTY, RUSTY) if robot.did in topic)

    def test_xmpp(self) -> None:
        """A stranger is refused, hears nothing, and cannot tell whether there is a robot."""
        ben, anna = self.app(self.ben), self.app(self.anna)
        before = self.heard()
        said = []
        for robot in (OLDIE, "E0009876500123459999"):
            to = f"{robot}@126.ecorobot.net/atom"
            ben.say(
                f"<iq type='set' to='{to}' id='7'><query xmlns='com:ctl'>"
                "<ctl td='GetBatteryInfo' id='1'/></query></iq>"
            )
            said.append(" ".join(ben.take()).replace(robot, "it"))
        self.assertIn("forbidden", said[0])
        self.assertEqual(said[0], said[1])
        self.assertEqual(self.heard(), before)
        for to in (
            "de.ecorobot.net",
            f"{self.ben.uid}@ecouser.net",
            f"{self.anna.uid}@ecouser.net",
        ):
            self.oldie.say(event(to, "<ctl td='BatteryInfo'><battery power='9'/></ctl>"))
        self.assertEqual(ben.take(), [])
        self.assertNotEqual(anna.take(), [])
        self.ownership.invite(OLDIE, self.anna.uid, self.ben.uid, ACCEPTED)
        self.oldie.say(event(f"{self.ben.uid}@ecouser.net", "<ctl td='BatteryInfo'/>"))
        self.assertNotEqual(ben.take(), [])


class HouseholdTests(TwoUsersCase):
    """Without owners, everything is everybody's, whoever has paired it."""

    robots_of = "household"

    def test_everything(self) -> None:
        """Ben lists, asks, names and hears all robots."""
        self.assertEqual(set(self.listed(self.ben)), set(ROBOTS))
        self.assertEqual(len(self.api(self.ben, "GET", "/api/robots")["robots"]), 3)
        asked = {"did": DUSTY.did, "name": "getBattery"}
        self.assertIs(self.api(self.ben, "POST", "/api/command", asked)["ok"], True)
        for did in ROBOTS:
            self.user_do(self.ben, "SetDeviceNick", did=did, nick="Ours")
            history = self.api(self.ben, "GET", f"/api/robots/{did}/history")
            self.assertNotEqual(history["reports"], [])
            logs = self.portal(self.ben, "/api/lg/log.do", {"td": "GetCleanLogs", "did": did})
            self.assertEqual([log["last"] for log in logs["logs"]], [7331])
        self.assertEqual({d["nick"] for d in self.listed(self.anna).values()}, {"Ours"})

    def test_brokers(self) -> None:
        """And over both brokers."""
        ben = MqttPeer(self.house.mqtt)
        self.house.peers.append(ben)
        ben.connect(f"{self.ben.uid}@ecouser/GLB1", self.ben.uid, self.ben.token.encode())
        ben.subscribe(f"iot/atr/+/{DUSTY}/+")
        self.dusty.publish(f"iot/atr/onBattery/{DUSTY}/j", b'{"body":{"data":{"value":9}}}')
        self.house.settle()
        self.assertEqual(len(ben.topics()), 1)
        app = self.app(self.ben)
        self.oldie.say(event(f"{self.ben.uid}@ecouser.net", "<ctl td='BatteryInfo'/>"))
        self.assertNotEqual(app.take(), [])
