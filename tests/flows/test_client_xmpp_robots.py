"""Clients that find a robot of the first generation in their list (http-auth.md 4, xmpp.md 2)."""

from collections.abc import Mapping
from typing import Any

from tests.flows.clients import VETERAN, ClientCase, Ear, auth, entry, veteran
from tests.flows.test_client_deebot import DeebotCase
from tests.flows.test_client_java import ASK_VERSION, JavaCase
from tests.flows.test_client_js import JsCase
from tests.samples import DUSTY

USER, APP = "/api/users/user.do", "/api/appsvr/app.do"
VERSION = b"<ctl ret='ok'><ver name='FW'>0.16.1</ver></ctl>"
LOGS = (
    b"<ctl ret='ok'>"
    b"<CleanSt s='1767225600' a='14' l='1260' t='a' f='s'/>"
    b"<CleanSt s='1767312000' a='3' l='200' t='a' f='b'/>"
    b"</ctl>"
)
#: What robots are called in XMPP.
ADDRESS = "E0009876500123450001@126.ecorobot.net/atom"


def address(found: Mapping[str, Any]) -> str:
    """What clients make of an entry."""
    return f"{found['did']}@{found['class']}.ecorobot.net/{found['resource']}"


class ListCase(ClientCase):
    """A house with Dusty, and with the oldest robot there is."""

    def setUp(self) -> None:
        super().setUp()
        self.veteran = veteran(self.house, GetVersion=lambda _: VERSION, GetLogs=lambda _: LOGS)

    def merged(self, who: Mapping[str, str]) -> dict[str, Any]:
        """Both lists by C{did}, of which the second wins."""
        robots: dict[str, Any] = {}
        for path, todo in ((USER, "GetDeviceList"), (APP, "GetGlobalDeviceList")):
            body = {"userid": who["userid"], "todo": todo, "auth": who}
            robots |= {each["did"]: each for each in self.post(path, body)["devices"]}
        return robots


class DeebotTests(ListCase, DeebotCase):
    """deebot-client, which hands the robots that it cannot drive to another library."""

    def test_sorted(self) -> None:
        """It sorts robots by company; nothing is left over that it does not know."""
        kinds: dict[str, list[str]] = {"eco-ng": [], "eco-legacy": []}
        for did, found in self.merged(self.log_in()).items():
            kinds[found["company"]].append(did)
        self.assertEqual(kinds, {"eco-ng": [DUSTY.did], "eco-legacy": [VETERAN.did]})

    def test_driver(self) -> None:
        """What the other library is given: user, resource and token of the same login."""
        who = self.log_in()
        found = self.merged(who)[VETERAN.did]
        self.assertEqual((found["did"], found["class"]), (VETERAN.did, VETERAN.model))
        self.texts(found, "name", "deviceName")
        self.assertIsInstance(found["nick"], str)
        self.assertTrue(self.opens_xmpp(who | {"resource": who["resource"][:8]}))


class JsTests(ListCase, JsCase):
    """ecovacs-deebot.js, which has XMPP itself."""

    def test_protocol(self) -> None:
        """Whatever is not of the one company is reached by XMPP."""
        robots = self.merged(self.log_in())
        legacy = [did for did, found in robots.items() if found["company"] != "eco-ng"]
        self.assertEqual(legacy, [VETERAN.did])
        self.assertEqual(address(robots[VETERAN.did]), ADDRESS)
        self.texts(robots[VETERAN.did], "deviceName", "icon")

    def test_order(self) -> None:
        """Its numbers for robots stay what they are when one comes back."""
        first = list(self.merged(self.log_in()))
        self.veteran.leave()
        veteran(self.house)
        self.assertEqual(list(self.merged(self.log_in())), first)

    def test_login(self) -> None:
        """The token of the portal is the one for XMPP."""
        who = self.log_in()
        self.assertTrue(self.opens_xmpp(who, f"{who['userid']}@ecouser.net"))
        self.assertFalse(self.opens_xmpp(who | {"userid": "somebody"}))

    def test_away(self) -> None:
        """A robot that was switched off is still in the list."""
        self.veteran.leave()
        self.assertEqual(self.merged(self.log_in())[VETERAN.did]["status"], 0)


class JavaTests(ListCase, JavaCase):
    """EcovacsDeebotJava asks each robot in its list by HTTP: one that fails ends the listing."""

    def test_types(self) -> None:
        """Every field has the type that it is read as."""
        body = {"todo": "GetDeviceList", "auth": self.log_in()}
        found = entry(self.post(USER, body), VETERAN.did)
        self.texts(found, "did", "name", "class", "resource", "company")
        self.assertIsInstance(found["nick"], str)
        self.assertIs(type(found["bindTs"]), int)
        self.texts(found["service"], "jmq", "mqs")

    def test_version(self) -> None:
        """Its XML question is one that this robot understands."""
        body = {
            "cmdName": "GetVersion",
            "payload": ASK_VERSION,
            "payloadType": "x",
            "td": "q",
            "toId": VETERAN.did,
            "toRes": VETERAN.resource,
            "toType": VETERAN.model,
            "auth": self.log_in(),
        }
        answer = self.post("/api/iot/devmanager.do", body)
        self.assertEqual((answer["ret"], answer["payloadType"]), ("ok", "x"))
        self.assertEqual(answer["resp"], VERSION.decode())

    def test_logs(self) -> None:
        """The jobs are those that the robot remembers."""
        body = {"td": "GetCleanLogs", "did": VETERAN.did, "resource": VETERAN.resource}
        answer = self.post("/api/lg/log.do", {"auth": self.log_in()} | body)
        self.assertEqual(answer["ret"], "ok")
        self.assertEqual([log["ts"] for log in answer["logs"]], [1767312000, 1767225600])
        for log in answer["logs"]:
            self.assertIsNone(log["imageUrl"])
            for name in ("ts", "last", "area"):
                self.assertIs(type(log[name]), int)


class LogTests(ListCase):
    """Jobs of a robot of the first generation."""

    def jobs(self) -> Any:
        """What C{log.do} says, if it says something at once."""
        who = auth("somebody", "some token", "atom")
        body = {"td": "GetCleanLogs", "did": VETERAN.did, "resource": "atom", "auth": who}
        return self.house.post("/api/lg/log.do", body)

    def test_question(self) -> None:
        """It is asked by the name that its line of robots knows."""
        self.veteran.texts = {"GetLogs": (ear := Ear(LOGS))}
        [answer] = self.jobs().answers
        self.assertEqual(len(answer["logs"]), 2)
        self.assertEqual(ear.heard, [b'<ctl count="30"/>'])

    def test_newer_path(self) -> None:
        """The path of newer apps has the same."""
        path = "/app/dln/api/log/clean_result/list"
        data = self.get(path, did=VETERAN.did, logType="clean")["data"]
        self.assertEqual([log["id"] for log in data][1], f"{VETERAN.did}@1767225600@atom")

    def test_refused(self) -> None:
        """A robot that does not let us ask has no jobs to show."""
        fail = b"<ctl ret='fail' errno='103' error='permission denied'/>"
        self.veteran.texts = {"GetLogs": lambda _: fail}
        self.assertEqual(self.jobs().answers, [{"ret": "ok", "logs": []}])

    def test_silent(self) -> None:
        """One that keeps no list says nothing; nobody has to wait for long."""
        self.veteran.texts = {}
        question = self.jobs()
        self.assertEqual(question.answers, [])
        self.house.clock.advance(3)
        self.assertEqual(question.answers, [{"ret": "ok", "logs": []}])

    def test_away(self) -> None:
        """One that is not there is not asked."""
        self.veteran.leave()
        self.assertEqual(self.jobs().answers, [{"ret": "ok", "logs": []}])
