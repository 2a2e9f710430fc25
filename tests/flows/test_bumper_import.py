"""A house that another Bumper has run before: what was known there is known here."""

from pathlib import Path
from typing import Any

from attrs import evolve

from bumper_tw.app.bumper_import.work import wishes_of, written
from bumper_tw.app.remembering import remember
from bumper_tw.app.settings import IdentitySettings, Settings
from bumper_tw.core.policies import uid_of
from bumper_tw.dialect.bumper_db import read
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.migrations import DATABASE
from tests.flows.clients import BATTERY, VETERAN, ClientCase, auth, entry
from tests.flows.house import NOW, House
from tests.flows.test_client_app import path
from tests.front.fixed import fixed
from tests.robots import JsonRobot
from tests.samples import DUSTY
from tests.xmpp_peers import robot as xmpp_robot

SAVED = Path(__file__).parents[1] / "data"
APP, HOMES = "/api/appsvr/app.do", "/api/homed/home/list"


class ImportedCase(ClientCase):
    """A house after an import and a start."""

    saved = "bumper_mv/bumper.db"
    settings = Settings()
    account = ""

    def setUp(self) -> None:
        file = Path(self.mktemp())
        file.mkdir()
        self.path = file / DATABASE
        theirs = read((SAVED / self.saved).read_bytes())
        wishes = wishes_of(self.settings, self.account, NOW, lambda size: "0" * (2 * size))
        written(self.path, theirs, wishes)
        self.start()

    def start(self) -> None:
        """A start, and Dusty."""
        self.house = House(self.settings, database=InlineDatabase(self.path))
        self.addCleanup(self.house.database.close)
        remember(self.house.facts, self.house.brokerage.router, self.path)
        self.robot = self.house.robot(getBattery=lambda _: BATTERY)

    def listed(self, uid: str, token: str) -> Any:
        """What an app with a login lists."""
        body = {"userid": uid, "todo": "GetGlobalDeviceList", "auth": auth(uid, token, "x")}
        return self.post(APP, body)

    def goes_on(self, uid: str, token: str) -> None:
        """An app that was logged in there is logged in here, as whom it was."""
        answer = self.get(path("user/checkLogin"), uid=uid, accessToken=token)
        data = self.private(answer)
        self.assertEqual((data["uid"], data["accessToken"]), (uid, token))
        self.assertEqual(self.house.facts.accounts.user_of(token), uid)


class NewestTests(ImportedCase):
    """After the newest generation."""

    uid, token = "faf9838ac653b1fe66cd", "10" * 16
    ticket = "GLOBAL_APP_ECOVACS_IOT_" + "30" * 16

    def test_app(self) -> None:
        """Its login is good, and it finds robots, names and homes."""
        self.goes_on(self.uid, self.token)
        listed = self.listed(self.uid, self.token)
        self.assertEqual(len(listed["devices"]), 3)
        dusty, oldie = entry(listed), entry(listed, VETERAN.did)
        self.assertEqual((dusty["nick"], dusty["name"], dusty["status"]), ("Dusty", "E0001", 1))
        self.assertEqual((oldie["nick"], oldie["company"]), ("Oldie", "eco-legacy"))
        self.assertEqual((oldie["resource"], oldie["status"]), ("atom", 0))
        headers = ("Authorization", f"Bearer {self.token}"), ("userid", self.uid)
        [home] = self.get(HOMES, *headers, userid=self.uid)["data"]
        self.assertEqual(home["homeId"], "781a0733923f2240cf304757")

    def test_account(self) -> None:
        """Whoever logs in with his account is whom he was there."""
        login = self.private(self.get(path("user/login"), account="bumper", password="x" * 32))
        self.assertEqual(login["uid"], self.uid)

    def test_broker(self) -> None:
        """Home Assistant goes on with the text that it has from the second step."""
        peer = self.mqtt(
            f"{self.uid}@ecouser/HA-home", self.uid, self.ticket, f"iot/atr/+/{DUSTY}/j"
        )
        self.assertEqual(self.house.facts.accounts.user_of(self.ticket), self.uid)
        self.robot.report("onBattery", {"value": 55, "isLow": 0})
        self.house.settle()
        self.assertEqual(peer.topics(), [f"iot/atr/onBattery/{DUSTY}/j"])

    def test_robot(self) -> None:
        """The robot connects as before, keeps its name, and answers."""
        [answer] = self.house.ask("getBattery").answers
        self.assertEqual(answer["resp"], BATTERY)
        known = self.house.facts.registry.device(DUSTY.did)
        self.assertEqual((known.nick, known.bound_at), ("Dusty", NOW))

    def test_robot_moved(self) -> None:
        """A robot whose address has changed meanwhile is the same one."""
        moved = evolve(DUSTY, resource="other")
        robot = JsonRobot(self.house.mqtt, device=moved)
        self.house.peers.append(robot)
        robot.boot()
        known = self.house.facts.registry.device(DUSTY.did)
        self.assertEqual((known.id, known.nick), (moved, "Dusty"))

    def test_jobs(self) -> None:
        """The cleaning log goes back to the years before."""
        asked = {"td": "GetCleanLogs", "did": DUSTY.did, "resource": DUSTY.resource}
        body = {**asked, "auth": auth(self.uid, self.token, "x")}
        logs = self.post("/api/lg/log.do", body)["logs"]
        self.assertEqual(
            [(log["ts"], log["last"]) for log in logs], [(1699399999, 1800), (1699299999, 1900)]
        )
        self.assertEqual((logs[1]["stopReason"], logs[0]["stopReason"]), (1, -2))
        self.assertEqual((logs[0]["aitypes"], logs[0]["avoidCount"]), ([1, 2], 5))

    def test_restart(self) -> None:
        """And so after the next start."""
        self.listed(self.uid, self.token)
        self.house.database.close()
        self.start()
        self.goes_on(self.uid, self.token)


class OlderTests(ImportedCase):
    """After the generations before."""

    saved = "bumper_bm/bumper.db"

    def test_app(self) -> None:
        """The app goes on under the id that it was told."""
        self.goes_on("fuid_tmpuser", "a0" * 16)
        listed = self.listed("fuid_tmpuser", "a0" * 16)
        self.assertEqual(entry(listed)["nick"], "Dusty")

    def test_expired(self) -> None:
        """A login that had expired is none; at home the app gets a new one."""
        answer = self.get(path("user/checkLogin"), uid="fuid_tmpuser", accessToken="a1" * 16)
        self.assertNotEqual(self.private(answer)["accessToken"], "a1" * 16)


class ForkTests(OlderTests):
    """After the fork between."""

    saved = "bumper_ed/bumper.db"

    def test_app(self) -> None:
        """The newer apps go on with what they have from C{oauth_callback}."""
        self.goes_on("fuid_tmpuser", "c0" * 16)
        self.assertEqual(self.house.facts.accounts.user_of("e0" * 16), "fuid_tmpuser")
        self.assertEqual(entry(self.listed("fuid_tmpuser", "e0" * 16))["nick"], "Dusty")

    def test_veteran(self) -> None:
        """The oldest robot comes back under its name."""
        door = self.house.xmpp.door(fixed())
        made = xmpp_robot(self.house.clock, door.buildProtocol, VETERAN.did)
        made.log_in()
        made.say("<presence><status>hello</status></presence>")
        made.take()
        found = entry(self.listed("fuid_tmpuser", "c0" * 16), VETERAN.did)
        self.assertEqual((found["nick"], found["status"]), ("Oldie", 1))


class StrictTests(ImportedCase):
    """Where everybody has a password, and robots have owners."""

    saved = "bumper_mv/bumper.db"
    settings = Settings(identity=IdentitySettings(policy="strict", robots_of="owners"))
    account = "bumper"

    def test_old_login(self) -> None:
        """Whoever got in there without a password does not get in here."""
        answer = self.get(path("user/checkLogin"), uid=uid_of("bumper"), accessToken="10" * 16)
        self.assertFalse(answer["success"])

    def test_owner(self) -> None:
        """The robots are those of whoever was named."""
        owner = self.house.facts.belongings.ownership.owner
        self.assertEqual({owner(DUSTY.did), owner(VETERAN.did)}, {uid_of("bumper")})
