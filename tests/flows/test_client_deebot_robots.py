"""deebot-client and its robots, after the login (http-auth.md 4.1, from step 4 on)."""

from typing import Any

from tests.flows.clients import BATTERY, entry, query, rusty
from tests.flows.test_client_deebot import STATS, DeebotCase
from tests.samples import DUSTY, RUSTY


class DeviceTests(DeebotCase):
    """The lists, the logs and the commands."""

    def test_lists(self) -> None:
        """Both lists have every key that HA reads; the names of the protocol are exact."""
        rusty(self.house)
        who = self.log_in()
        body = {"userid": who["userid"], "auth": who}
        own = self.post("/api/users/user.do", body | {"todo": "GetDeviceList"})
        shared = self.post("/api/appsvr/app.do", body | {"todo": "GetGlobalDeviceList"})
        for answer, did in ((own, DUSTY), (shared, DUSTY), (own, RUSTY), (shared, RUSTY)):
            found = entry(answer, did.did)
            self.assertEqual((found["class"], found["resource"]), (did.model, did.resource))
            self.assertEqual(found["company"], "eco-ng")
            self.texts(found, "name", "deviceName")
            self.assertIsInstance(found["nick"], str)
        self.assertEqual(own["result"], "ok")
        self.assertEqual((shared["ret"], shared["code"]), ("ok", 0))

    def test_unknown_class(self) -> None:
        """A robot that no catalogue knows is listed as well."""
        stranger = type(DUSTY)("e5b5ea52-0000-4d0e-8a44-1b6de2f09c35", "zz9zz9", "a1B2")
        self.mqtt(f"{stranger.did}@{stranger.model}/{stranger.resource}", "E0009", "secret12")
        answer = self.post("/api/users/user.do", {"todo": "GetDeviceList", "auth": self.log_in()})
        self.texts(entry(answer, stranger.did), "class", "company", "resource", "name")

    def test_answer(self) -> None:
        """A command's answer is an object, with what the library parses."""
        answer = self.command("getBattery", {"header": {"pri": "1", "tzm": 480, "ver": "0.0.50"}})
        self.assertEqual((answer["ret"], answer["resp"]), ("ok", BATTERY))

    def test_offline(self) -> None:
        """C{errno} is an integer, and the one that means unavailable."""
        self.robot.vanish()
        answer = self.command("getBattery", {})
        self.assertEqual((answer["ret"], answer["errno"]), ("fail", 4200))
        self.assertIs(type(answer["errno"]), int)

    def test_removed(self) -> None:
        """A robot that nobody knows is an error the library has a word for."""
        answer = self.command("getBattery", {}, toId="removed-long-ago")
        self.assertEqual((answer["ret"], answer["errno"]), ("fail", 500))
        self.texts(answer, "debug")

    def test_logs(self) -> None:
        """Each entry has the five keys without which it is dropped, and a known reason."""
        self.clean()
        path = query("/api/lg/log.do", td="GetCleanLogs", **STATS)
        asked = {"td": "GetCleanLogs", "did": DUSTY.did, "resource": DUSTY.resource}
        answer = self.post(path, asked | {"auth": self.log_in()})
        self.assertEqual(answer["ret"], "ok")
        [log] = answer["logs"]
        self.assertEqual((log["ts"], log["area"], log["last"]), (1767225600, 12, 720))
        self.assertEqual((log["type"], log["stopReason"]), ("auto", 1))
        self.assertIn("imageUrl", log)

    def test_catalogue(self) -> None:
        """C{code} is one of two values, and each product has its class."""
        answer = self.post("/api/pim/product/getProductIotMap", {"auth": self.log_in()})
        self.assertIn(answer["code"], (0, "0000"))
        for found in answer["data"]:
            self.texts(found, "classid")
            self.texts(found["product"], "name")


class MqttTests(DeebotCase):
    """Steps 5, 6 and 9."""

    def connect(self) -> Any:
        """A session as HA opens it, with its three filters for Dusty."""
        who = self.log_in()
        filters = (
            f"iot/atr/+/{DUSTY}/j",
            f"iot/p2p/+/+/+/+/{DUSTY}/q/+/j",
            f"iot/p2p/+/{DUSTY}/+/+/+/p/+/j",
        )
        name = f"{who['userid']}@ecouser/{self.home.device}"
        return self.mqtt(name, who["userid"], who["token"], *filters)

    def test_events(self) -> None:
        """Reports come as the robot sent them."""
        home_assistant = self.connect()
        self.robot.report("onBattery", {"value": 42, "isLow": 0})
        self.house.settle()
        [message] = home_assistant.messages()
        self.assertEqual(message.topic, f"iot/atr/onBattery/{DUSTY}/j")

    def test_observed(self) -> None:
        """A command by HTTP is seen as question, then answer."""
        home_assistant = self.connect()
        self.command("getBattery", {})
        self.assertEqual([topic.split("/")[-3] for topic in home_assistant.topics()], ["q", "p"])

    def test_refresh(self) -> None:
        """Just before its time is over HA logs in again; the robots are still there."""
        first = self.connect()
        self.house.clock.advance(self.house.settings.identity.token_days * 86_400 * 0.98)
        # Three weeks of silence are too long for any connection: Dusty comes back as well.
        self.robot.boot()
        again = self.connect()
        self.assertFalse(first.wire.connected)
        self.robot.report("onBattery", {"value": 42, "isLow": 0})
        self.house.settle()
        self.assertEqual(len(again.messages()), 1)
