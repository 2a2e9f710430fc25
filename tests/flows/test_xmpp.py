"""Flow (d): a robot of the first generation, asked like any other, from all sides."""

import json
from base64 import b64encode
from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.settings import Settings, XmppSettings
from bumper_tw.simulator.identity import xmpp_identities
from bumper_tw.simulator.xmpp_profile import Permission, Search, XmppProfile
from bumper_tw.simulator.xmpp_robot import XmppRobot
from bumper_tw.values import Message, Principal, Role
from tests.flows.house import House
from tests.front.fixed import fixed
from tests.web.browser import Connection, request
from tests.xmpp_peers import NS_BIND, NS_SASL, NS_SESSION, Way, XmppPeer, user
from tests.xmpp_peers import robot as scripted

STEP = 0.0625
JSON = ("Content-Type", "application/json")


class XmppCase(SynchronousTestCase):
    """A house with a simulated robot that speaks XMPP."""

    profile: ClassVar[XmppProfile] = XmppProfile()
    model: ClassVar[str] = "126"

    def setUp(self) -> None:
        self.house = House(Settings(xmpp=XmppSettings(require_tls_users=False)))
        self.door = self.house.xmpp.door(fixed())
        self.way = Way(self.house.clock, self.door.buildProtocol)
        self.token = (
            self.house.browser()
            .post("/api/login", {"account": "me", "password": "any"})
            .json["token"]
        )
        [who] = xmpp_identities(1, cls=self.model)
        search = Search("bumper.test", 5223)
        self.robot = XmppRobot(
            self.house.clock, self.way.dial, search, who, self.profile, speed=12.0
        )
        self.did = who.sn
        ready = self.robot.start()
        self.run_for(3)
        self.successResultOf(ready)
        self.addCleanup(self.switch_off)

    def switch_off(self) -> None:
        """Nothing of it stays behind."""
        stopped = self.robot.stop()
        self.run_for(3)
        self.successResultOf(stopped)

    def run_for(self, seconds: float) -> None:
        """Let time pass."""
        self.house.clock.pump([STEP] * round(seconds / STEP))

    def send(self, path: str, value: object = None) -> Connection:
        """A question by HTTP that may take its time."""
        connection = self.house.browser().connect()
        bearer = ("Authorization", f"Bearer {self.token}")
        method, body = ("GET", b"") if value is None else ("POST", json.dumps(value).encode())
        connection.send(request(method, path, body, (JSON, bearer)))
        return connection

    def http(self, path: str, value: object = None, seconds: float = 1) -> Any:
        """The same, and what has come back after a while."""
        connection = self.send(path, value)
        self.run_for(seconds)
        [page] = connection.received()
        return page.json

    def command(self, name: str, data: object = None, **more: object) -> Any:
        """A command over our own API."""
        asked = {"did": self.did, "name": name} | ({} if data is None else {"data": data})
        return self.http("/api/command", asked | more)

    def told(self, name: str, data: object = None) -> Any:
        """The body that a command was answered with."""
        return self.command(name, data)["reply"]["body"]

    def status(self) -> Any:
        """What the robot last said of each thing."""
        return self.http(f"/api/robots/{self.did}/status")

    def doing(self) -> Any:
        """What it was last heard to do."""
        return self.status()["status"]["clean"]["activity"]

    def app(self, resource: str = "GLB1") -> XmppPeer:
        """An app that is logged in over XMPP."""
        made = user(self.house.clock, self.door.buildProtocol, "fuid_me", resource, "a token")
        made.log_in()
        made.take()
        return made


class ApiTests(XmppCase):
    """Our own API."""

    def test_listed(self) -> None:
        """It is in the list, with what it speaks."""
        [found] = self.http("/api/robots")["robots"]
        self.assertEqual(
            (found["did"], found["class"], found["resource"]), (self.did, "126", "atom")
        )
        self.assertEqual(
            (found["protocol"], found["payload"], found["online"]), ("xmpp", "x", True)
        )

    def test_job(self) -> None:
        """A job from its start to the dock, in the words of newer robots."""
        self.assertEqual(self.told("clean", {"act": "start", "type": "auto"})["code"], 0)
        self.assertEqual(self.told("getCleanInfo")["data"]["state"], "clean")
        self.assertEqual(self.doing(), "cleaning")
        self.told("charge", {"act": "go"})
        self.assertEqual(self.doing(), "returning")
        self.run_for(30)
        self.assertTrue(self.status()["status"]["charge"]["charging"])
        self.assertEqual(self.doing(), "docked")
        self.assertEqual(self.told("charge", {"act": "go"})["code"], 30007)
        self.assertEqual(list(self.robot.violations), [])

    def test_refusal(self) -> None:
        """A robot that stands on its dock refuses to go there, in JSON and in its own words."""
        docked = self.command("charge", {"act": "go"})
        self.assertEqual((docked["ok"], docked["reason"]), (False, "refused"))
        self.assertEqual(docked["error"], "it is in its dock already (code 30007)")
        own = self.command("Charge", "<ctl><charge type='go'/></ctl>")
        self.assertEqual((own["ok"], own["error"]), (False, "fail (errno 8)"))
        self.assertTrue(self.command("getBattery")["ok"])

    def test_pause(self) -> None:
        """This line has no pause: it stops, and a resumption is a job of its own."""
        self.told("clean", {"act": "start", "type": "auto"})
        self.told("clean", {"act": "pause"})
        self.assertEqual(self.doing(), "idle")
        self.told("clean", {"act": "start", "type": "auto"})
        self.assertEqual(self.doing(), "cleaning")

    def test_suction(self) -> None:
        """A job does not undo what the robot was set to before."""
        self.told("getSpeed")
        self.told("setSpeed", {"speed": 2})
        self.told("clean", {"act": "start", "type": "auto"})
        self.assertEqual(self.told("getSpeed")["data"], {"speed": 1})

    def test_cleaning_log(self) -> None:
        """A job that is over is in the cleaning log, though nobody asked the robot for it."""
        begun = self.house.clock.seconds()
        self.told("clean", {"act": "start", "type": "auto"})
        self.run_for(80)
        self.robot.faults.mute("GetLogs")
        asked = {"td": "GetCleanLogs", "did": self.did, "resource": "atom"}
        [log] = self.http("/api/lg/log.do", asked, seconds=5)["logs"]
        self.assertAlmostEqual(log["ts"], begun, delta=2)
        self.assertEqual((log["type"], log["area"], log["last"]), ("auto", 12, 720))

    def test_remembered(self) -> None:
        """What the robot remembers of a job is no second job."""
        self.told("clean", {"act": "start", "type": "auto"})
        for _ in range(20):
            self.told("getStats")
            self.run_for(3)
        asked = {"td": "GetCleanLogs", "did": self.did, "resource": "atom"}
        [log] = self.http("/api/lg/log.do", asked)["logs"]
        self.assertEqual((log["area"], log["last"]), (12, 720))

    def test_gone(self) -> None:
        """One that was switched off is offline, and whoever asks hears so at once."""
        self.switch_off()
        self.assertFalse(self.status()["online"])
        page = self.send("/api/command", {"did": self.did, "name": "getBattery"}).received()
        self.assertEqual([(each.status, each.json["reason"]) for each in page], [(503, "offline")])

    def test_vanished(self) -> None:
        """One that fell silent is offline in under 90 seconds."""
        other = scripted(self.house.clock, self.door.buildProtocol, "E0009876500123450001")
        other.log_in()
        self.assertTrue(self.house.facts.registry.online("E0009876500123450001"))
        other.wire.arrived = lambda: None  # it does not answer any more
        self.run_for(89)
        self.assertFalse(self.house.facts.registry.online("E0009876500123450001"))

    def test_nickname(self) -> None:
        """A name given to it stays when it comes back."""
        named = {"todo": "SetDeviceNick", "did": self.did, "nick": "Grandpa"}
        self.http("/api/users/user.do", named)
        self.robot.half_open()
        self.run_for(5)
        [found] = self.http("/api/robots")["robots"]
        self.assertEqual((found["nick"], found["online"]), ("Grandpa", True))
        self.assertEqual(self.told("getBattery")["code"], 0)

    def test_wheel(self) -> None:
        """A stuck wheel is an error of the robot, and nobody's permission."""
        self.robot.wheel()
        self.run_for(1)
        self.assertEqual(self.status()["status"]["errors"]["codes"], [103])
        self.assertEqual(list(self.robot.users.groups), [self.robot.identity.owner])


class PauseTests(XmppCase):
    """A robot that can pause."""

    model = "115"

    def test_pause(self) -> None:
        """It goes on where it was."""
        self.told("clean", {"act": "start", "type": "auto"})
        for act, doing in (("pause", "paused"), ("resume", "cleaning"), ("stop", "idle")):
            self.assertEqual(self.told("clean", {"act": act})["code"], 0)
            self.assertEqual(self.doing(), doing)


class ScriptTests(XmppCase):
    """Scripts at the broker, which know a robot by its name alone."""

    def say(self, words: str) -> None:
        """A script asks the robot something."""
        script = Principal(Role.SERVICE, "script")
        message = Message(f"p2p/{self.did}", words.encode(), origin=script)
        self.house.brokerage.router.publish(message)
        self.run_for(1)

    def test_asked(self) -> None:
        """It answers under the id that the script chose, in JSON."""
        script = self.house.home_assistant(f"rsp/{self.did}")
        self.say('{"id":"a1","cmd":"getBattery"}')
        script.read()
        [answer] = [json.loads(message.payload) for message in script.messages()]
        self.assertEqual((answer["id"], answer["cmd"]), ("a1", "getBattery"))
        self.assertEqual(answer["payload"]["body"]["data"], {"value": 87, "isLow": 0})

    def test_data(self) -> None:
        """The arguments of a command may be called as over HTTP; the name here comes first."""
        for words in (
            '"data":{"act":"start","type":"auto"}',
            '"payload":{"act":"start","type":"auto"},"data":{"act":"stop"}',
        ):
            self.say(f'{{"id":"a1","cmd":"clean",{words}}}')
            self.assertEqual(self.doing(), "cleaning")
            self.say('{"id":"a2","cmd":"clean","data":{"body":{"data":{"act":"stop"}}}}')
            self.assertEqual(self.doing(), "idle")

    def test_data_in_xml(self) -> None:
        """The same for an element as text."""
        self.say('{"id":"a1","cmd":"Clean","data":"<ctl><clean type=\'auto\'/></ctl>"}')
        self.assertEqual(self.doing(), "cleaning")

    def test_failures(self) -> None:
        """What has no equivalent, and a robot that is not there, are answered as well."""
        script = self.house.home_assistant(f"rsp/{self.did}")
        self.say('{"id":"a1","cmd":"getVolume"}')
        self.switch_off()
        self.say('{"id":"a2","cmd":"getBattery"}')
        script.read()
        answers = [json.loads(message.payload) for message in script.messages()]
        self.assertEqual([each["id"] for each in answers], ["a1", "a2"])
        self.assertIn("no equivalent", answers[0]["payload"]["error"])
        self.assertIn("not connected", answers[1]["payload"]["error"])

    def test_reports(self) -> None:
        """Its reports are heard once, however many users it tells them."""
        script = self.house.home_assistant(f"attr/{self.did}")
        for resource in ("GLB1", "GLB2"):
            self.app(resource)
        self.told("getBattery")
        self.assertGreater(len(self.robot.users.addressees()), 1)
        self.robot.report("BatteryInfo")
        self.run_for(1)
        script.read()
        [message] = script.messages()
        self.assertEqual(
            json.loads(message.payload),
            {
                "event": "BatteryInfo",
                "payload": "<ctl td='BatteryInfo'><battery power='087'/></ctl>",
            },
        )

    def test_repeated(self) -> None:
        """What it says again later is heard again."""
        script = self.house.home_assistant(f"attr/{self.did}")
        for _ in range(2):
            self.robot.report("BatteryInfo")
            self.run_for(2)
        script.read()
        self.assertEqual(len(script.messages()), 2)


class DeniedTests(XmppCase):
    """A robot that obeys its owner at the vendor alone, and says no in one of three ways."""

    profile = XmppProfile(permission=Permission.ERROR)

    def test_adopted(self) -> None:
        """The first command of ours succeeds, as the robot is told to obey us in between."""
        self.assertEqual(self.command("getBattery")["reply"]["body"]["data"]["value"], 87)
        self.assertIn("helperbot@ecouser.net", self.robot.users.groups)
        self.assertEqual(self.told("clean", {"act": "start", "type": "auto"})["code"], 0)
        self.assertEqual(list(self.robot.violations), [])

    def test_together(self) -> None:
        """So do all that are sent at once."""
        self.assertEqual(
            [
                each["code"]
                for each in self.told("getInfo", ["getBattery", "getChargeState"])["data"].values()
            ],
            [0, 0],
        )

    def test_app(self) -> None:
        """An app hears the refusal; when it asks again, the robot obeys."""
        app = self.app()
        to = f"{self.did}@126.ecorobot.net/atom"
        heard = []
        for number in ("7", "8"):
            app.say(
                f"<iq id='{number}' to='{to}' type='set'><query xmlns='com:ctl'>"
                f"<ctl td='GetBatteryInfo' id='7210778{number}'/></query></iq>"
            )
            self.run_for(1)
            heard.append(" ".join(app.take()))
        self.assertIn("errno='103'", heard[0])
        self.assertIn("<battery power='087'/>", heard[1])
        self.assertNotIn("errno", heard[1])


class DeniedByAdminTests(DeniedTests):
    """The same, where it names its owner in an attribute."""

    profile = XmppProfile(permission=Permission.ADMIN)


class DeniedInResultTests(DeniedTests):
    """The same, where it says so in place of an acknowledgement."""

    profile = XmppProfile(permission=Permission.RESULT)


class TroubleTests(XmppCase):
    """What goes wrong with robots."""

    def test_fault(self) -> None:
        """An error is told, and taken back; the alarm to the service for relations stays."""
        self.robot.machine.fault(102)
        self.run_for(0.125)
        self.assertEqual(self.status()["status"]["errors"]["codes"], [102])
        self.assertEqual(self.told("getError")["data"], {"code": [102]})
        self.run_for(2)
        alert = self.status()["status"]["alert"]
        self.assertEqual((alert["name"], alert["value"]), ("DeviceAlert", "DorpError"))
        [kept] = self.http(f"/api/robots/{self.did}/history?kind=alert")["reports"]
        self.assertEqual((kept["kind"], kept["value"]), ("alert", "DorpError"))
        self.assertLess(abs(kept["at"] - kept["raised_at"]), 3)

    def test_wedged(self) -> None:
        """One that waits for its button says so with its number."""
        self.robot.faults.wedge = True
        self.assertEqual(self.told("clean", {"act": "start"})["code"], 5)

    def test_silent(self) -> None:
        """One that drops a command is waited for, and not for ever; then it answers again."""
        self.robot.faults.mute("GetBatteryInfo")
        silent = self.command("getBattery", timeout=0.5)
        self.assertEqual(silent["reason"], "timeout")
        self.assertEqual(self.told("getBattery")["code"], 0)

    def test_forgotten(self) -> None:
        """One that the owner removes is gone, until it comes again by itself."""
        self.http("/api/users/user.do", {"todo": "DeleteOneDevice", "did": self.did}, 0)
        self.assertEqual(self.http("/api/robots", seconds=0), {"robots": []})
        self.run_for(30)
        [found] = self.http("/api/robots")["robots"]
        self.assertEqual((found["did"], found["online"]), (self.did, True))

    def test_no_session_yet(self) -> None:
        """What is asked of a robot before it is ready waits for that."""
        sn = "E0009876500123450001"
        other = scripted(self.house.clock, self.door.buildProtocol, sn)
        other.script["GetBatteryInfo"] = " ret='ok'><battery power='042'/></ctl>"
        other.connect()
        other.open()
        auth = b64encode(other.plain.encode()).decode()
        other.say(f"<auth xmlns='{NS_SASL}' mechanism='PLAIN'>{auth}</auth>")
        other.open()
        other.say(f"<iq type='set' id='b'><bind xmlns='{NS_BIND}'/></iq>")
        asked = self.send("/api/command", {"did": sn, "name": "getBattery"})
        self.run_for(0.25)
        self.assertEqual(asked.received(), [])
        other.say(f"<iq type='set' id='s'><session xmlns='{NS_SESSION}'/></iq>")
        self.run_for(0.25)
        [page] = asked.received()
        self.assertEqual(page.json["reply"]["body"]["data"]["value"], 42)
        other.vanish()
        self.assertFalse(self.house.facts.registry.online(sn))

    def test_taken_over(self) -> None:
        """
        A question that got lost with an old stream is asked again on the new one, an order is
        not; and the end of the old one does not make the robot look offline.
        """
        asked = self.send("/api/command", {"did": self.did, "name": "getBattery"})
        lost = self.send("/api/command", {"did": self.did, "name": "playSound"})
        self.robot.half_open()
        self.run_for(3)
        [page] = asked.received()
        self.assertTrue(page.json["ok"])
        self.assertEqual(lost.received(), [])
        self.run_for(100)
        [page] = lost.received()
        self.assertEqual((page.status, page.json["reason"]), (504, "timeout"))
        self.assertTrue(self.status()["online"])
        self.assertEqual(list(self.robot.violations), [])
