"""The pairing wizard of the app, in front of the whole server, with robots out of their boxes."""

import json
from typing import Any

from attrs import evolve
from twisted.internet.interfaces import IReactorTime
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.settings import IdentitySettings, Settings
from bumper_tw.core.owner import Owner
from bumper_tw.core.pairing import PATIENCE
from bumper_tw.core.passwords import Passwords
from bumper_tw.core.policies import uid_of
from bumper_tw.core.turns import Turns
from bumper_tw.simulator.access_point import AccessPoint
from bumper_tw.simulator.any_robot import AT_ONCE
from bumper_tw.simulator.identity import Identity, Kind, Profile, UserName, identities
from bumper_tw.simulator.robot import SimulatedRobot
from bumper_tw.storage.accounts import AccountStore
from tests.core.lodging import at_once, countings
from tests.flows.clients import FORM
from tests.flows.house import House
from tests.web.browser import request
from tests.xmpp_peers import Way

IOT, DIM, APP = "/api/iot/devmanager.do", "/api/dim/devmanager.do", "/api/appsvr/app.do"
WAITING = {"ret": "ok"}
KEY, OTHER_KEY = "8f3a61c2d4", "00ff00ff00"

#: How robots log in that show their key, and how those do that have no room for it.
SHOWS, HIDES = Profile(user_name=UserName.META), Profile(user_name=UserName.PLAIN)

KINDS = {
    Kind.JSON: identities(2, Kind.JSON),
    Kind.XML: identities(1, Kind.XML),
}
DUSTY, BUSTY = KINDS[Kind.JSON]
[RUSTY] = KINDS[Kind.XML]


class PairingCase(SynchronousTestCase):
    """A house, people with the app, and robots that were never in a network."""

    settings = Settings()

    def setUp(self) -> None:
        self.house = House(self.settings)
        self.anna = self.log_in("anna")

    def log_in(self, account: str) -> dict[str, str]:
        """Somebody who uses the app."""
        said = self.post("/api/login", {"account": account, "password": "secret"})
        return {"userid": said["uid"], "token": said["token"]}

    def post(self, path: str, value: object) -> Any:
        """The answer to a question by HTTP."""
        [answer] = self.house.post(path, value).answers
        return answer

    def prepare(self, who: dict[str, str]) -> None:
        """The app is about to talk to a robot."""
        self.assertEqual(self.post(IOT, {"td": "PreWifiConfig", "auth": who}), WAITING)

    def poll(self, who: dict[str, str], key: str = KEY, path: str = IOT) -> Any:
        """The app asks for its robot."""
        return self.post(path, {"td": "PollSCResult", "sck": key, "auth": who})

    def pair(self, who: Identity, profile: Profile, key: str = KEY) -> None:
        """The app talks to a robot on its own network; then that comes here."""
        told = {"td": "SetApConfig", "s": "home", "p": "pw", "u": "u", "sc": key, "lb": "box.lan"}
        point = AccessPoint(who, lambda robot, server: self.connect(robot, profile, server))
        answer = json.loads(point.asked(json.dumps(told).encode()))
        self.assertEqual(answer, {"ret": "ok", "did": who.did, "mid": who.cls})

    def connect(self, who: Identity, profile: Profile, server: str = "box.lan") -> None:
        """A robot goes where it was sent."""
        self.assertEqual(server, "box.lan")
        kind = Kind.XML if who.did == RUSTY.did else Kind.JSON
        clock: IReactorTime = self.house.clock
        way = Way(self.house.clock, self.house.mqtt.door(False).buildProtocol)
        robot = SimulatedRobot(clock, way, who, kind, profile, latency=AT_ONCE)
        ready = robot.start()
        self.house.clock.pump([0.1] * 20)
        self.successResultOf(ready)
        self.addCleanup(robot.stop)

    def found(self, who: Identity) -> dict[str, str]:
        """What the app hears once a robot is there."""
        place = {"did": who.did, "type": who.cls, "resource": who.resource}
        return {"ret": "ok", **place, "name": who.sn}

    def owner(self, who: Identity) -> str:
        """Whose a robot is."""
        return self.house.facts.belongings.ownership.owner(who.did)


class HouseholdTests(PairingCase):
    """Where every robot is everybody's."""

    def test_wizard(self) -> None:
        """From the first page to the robot in the list."""
        self.prepare(self.anna)
        self.assertEqual(self.poll(self.anna), WAITING)
        self.pair(DUSTY, SHOWS)
        self.assertEqual(self.poll(self.anna), self.found(DUSTY))
        self.assertEqual(self.poll(self.anna, path=DIM), self.found(DUSTY))
        self.assertEqual(self.owner(DUSTY), uid_of("anna"))
        listed = self.post(APP, {"todo": "GetGlobalDeviceList", "auth": self.anna})
        self.assertEqual([each["did"] for each in listed["devices"]], [DUSTY.did])

    def test_query(self) -> None:
        """The key may be in the query as well."""
        self.pair(DUSTY, SHOWS)
        path = f"{IOT}?sck={KEY}"
        answer = self.post(path, {"td": "PollSCResult", "auth": self.anna})
        self.assertEqual(answer, self.found(DUSTY))

    def test_form(self) -> None:
        """An app that sends a form is understood as well."""
        self.pair(DUSTY, SHOWS)
        body = f"td=PollSCResult&sck={KEY}&userid={self.anna['userid']}&token={self.anna['token']}"
        connection = self.house.browser().connect()
        connection.send(request("POST", IOT, body.encode(), [FORM]))
        [page] = connection.received()
        self.assertEqual(page.json, self.found(DUSTY))

    def test_two_shown(self) -> None:
        """Two people and two robots at a time: the keys say whose is whose."""
        ben = self.log_in("ben")
        for who in (self.anna, ben):
            self.prepare(who)
        self.pair(RUSTY, SHOWS, OTHER_KEY)
        self.pair(DUSTY, SHOWS, KEY)
        self.assertEqual(self.poll(ben, OTHER_KEY), self.found(RUSTY))
        self.assertEqual(self.poll(self.anna, KEY), self.found(DUSTY))
        self.assertEqual((self.owner(RUSTY), self.owner(DUSTY)), (uid_of("ben"), uid_of("anna")))

    def test_hidden(self) -> None:
        """A robot that shows no key is known by being the only one."""
        self.prepare(self.anna)
        self.assertEqual(self.poll(self.anna), WAITING)
        self.pair(RUSTY, HIDES)
        self.assertEqual(self.poll(self.anna), self.found(RUSTY))

    def test_ambiguous(self) -> None:
        """Of two that show none it cannot be said which; the app goes on asking."""
        self.prepare(self.anna)
        self.pair(DUSTY, HIDES)
        self.pair(RUSTY, HIDES)
        self.assertEqual(self.poll(self.anna), WAITING)
        self.assertEqual((self.owner(DUSTY), self.owner(RUSTY)), ("", ""))

    def test_class(self) -> None:
        """The code that was read on the robot helps."""
        self.decode(RUSTY)
        self.prepare(self.anna)
        self.pair(DUSTY, HIDES)
        self.assertEqual(self.poll(self.anna), WAITING)
        self.pair(RUSTY, HIDES)
        self.assertEqual(self.poll(self.anna), self.found(RUSTY))

    def decode(self, who: Identity) -> Any:
        """The app reads the code on a robot."""
        code = f"https://qr.invalid/?sn={who.sn}&mid={who.cls}"
        return self.post(APP, {"todo": "DecodeQrCode", "qrcode": code, "auth": self.anna})

    def test_too_late(self) -> None:
        """A robot that comes when nobody waits any more is not the one."""
        self.prepare(self.anna)
        self.pair(DUSTY, HIDES)
        self.house.clock.advance(PATIENCE + 1)
        self.assertEqual(self.poll(self.anna), WAITING)

    def test_nobody_in_particular(self) -> None:
        """At home the app need not say who it is."""
        self.prepare({})
        self.pair(DUSTY, HIDES)
        self.assertEqual(self.poll({}), self.found(DUSTY))
        self.assertEqual(self.owner(DUSTY), "")

    def test_somebody_made_up(self) -> None:
        """A robot is not given to somebody who never logged in."""
        self.pair(DUSTY, SHOWS)
        self.assertEqual(self.poll({"userid": "made up", "token": "x"}), self.found(DUSTY))
        self.assertEqual(self.owner(DUSTY), "")

    def test_strange_keys(self) -> None:
        """Whatever is no key is waited for in vain."""
        self.pair(DUSTY, SHOWS)
        for key in ("", "x", 7, None, [KEY], {"a": KEY}, "x" * 1000):
            body = {"td": "PollSCResult", "sck": key, "auth": self.anna}
            self.assertEqual(self.post(IOT, body), WAITING)


class OwnersTests(PairingCase):
    """Where a robot is its owner's."""

    settings = Settings(identity=IdentitySettings(policy="strict", robots_of="owners"))

    def setUp(self) -> None:
        self.house = House(self.settings)
        store = AccountStore(self.house.database)
        owner = Owner(self.house.clock, store, Passwords(at_once, countings(), Turns()))
        for account in ("anna", "ben"):
            self.successResultOf(owner.set_password(account, "secret"))
        self.successResultOf(self.house.facts.known.load(store))
        self.anna, self.ben = self.log_in("anna"), self.log_in("ben")

    def listed(self, who: dict[str, str]) -> list[str]:
        """The robots in somebody's list."""
        answer = self.post(APP, {"todo": "GetGlobalDeviceList", "auth": who})
        return [each["did"] for each in answer["devices"]]

    def test_given(self) -> None:
        """Whoever paired it has it, and nobody else."""
        self.prepare(self.anna)
        self.pair(DUSTY, HIDES)
        self.assertEqual(self.poll(self.anna), self.found(DUSTY))
        self.assertEqual((self.listed(self.anna), self.listed(self.ben)), ([DUSTY.did], []))

    def test_not_taken(self) -> None:
        """It stays so, whatever another one does; its owner may give it another network."""
        self.prepare(self.anna)
        self.pair(DUSTY, SHOWS)
        self.poll(self.anna)
        self.prepare(self.ben)
        self.pair(evolve(DUSTY, resource="new"), SHOWS)
        self.assertEqual(self.poll(self.ben), WAITING)
        self.assertEqual(self.listed(self.ben), [])
        self.prepare(self.anna)
        self.pair(DUSTY, SHOWS, OTHER_KEY)
        self.assertEqual(self.poll(self.anna, OTHER_KEY), self.found(DUSTY))

    def test_removed(self) -> None:
        """What its owner has removed is anybody's who pairs it."""
        self.prepare(self.anna)
        self.pair(DUSTY, HIDES)
        self.poll(self.anna)
        self.post("/user.do", {"todo": "DeleteOneDevice", "did": DUSTY.did, "auth": self.anna})
        self.house.clock.advance(1)
        self.assertEqual(self.listed(self.anna), [])
        self.prepare(self.ben)
        self.assertEqual(self.poll(self.ben), WAITING)
        self.pair(DUSTY, HIDES)
        self.assertEqual(self.poll(self.ben), self.found(DUSTY))
        self.assertEqual((self.listed(self.anna), self.listed(self.ben)), ([], [DUSTY.did]))

    def test_no_token(self) -> None:
        """Nobody pairs anything without saying who he is."""
        self.pair(DUSTY, SHOWS)
        answer = self.poll({"userid": self.anna["userid"], "token": "guessed"})
        self.assertEqual((answer["ret"], answer["errno"]), ("fail", 3))
        self.assertEqual(self.owner(DUSTY), "")
