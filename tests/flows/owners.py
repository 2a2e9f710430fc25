"""A house with two people in it, and three robots that are hers."""

import json
from collections.abc import Mapping
from functools import cache
from secrets import token_hex
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.settings import IdentitySettings, Settings, XmppSettings
from bumper_tw.core.passwords import Passwords, md5_hex
from bumper_tw.core.policies import uid_of
from bumper_tw.core.turns import Turns
from bumper_tw.storage.accounts import AccountStore
from bumper_tw.values import User
from tests.flows.clients import JSON, TextRobot, auth, switch_on
from tests.flows.house import NOW, House
from tests.front.fixed import fixed
from tests.samples import DUSTY, RUSTY
from tests.web.browser import Page, request
from tests.xmpp_peers import ScriptedRobot, XmppPeer, user
from tests.xmpp_peers import robot as xmpp_robot

ANNA, BEN = "anna@example.org", "ben@example.org"
PASSWORD = "correct horse"
#: The robot that speaks XMPP.
OLDIE = "E0009876500123450001"
ROBOTS = (DUSTY.did, RUSTY.did, OLDIE)

#: What Dusty says of its battery: no other number in an answer looks like it.
BATTERY = {"header": {"pri": 1}, "body": {"code": 0, "msg": "ok", "data": {"value": 73.125}}}


@define
class Person:
    """
    Somebody who is logged in.

    @ivar token: for our own API, for the portal, and for the brokers.
    """

    account: str
    token: str = field(default="")

    @property
    def uid(self) -> str:
        """What he is called in topics and addresses."""
        return uid_of(self.account)

    @property
    def auth(self) -> dict[str, str]:
        """What goes with every request to the portal."""
        return auth(self.uid, self.token, "GLB1")

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What goes with every request, whoever answers it."""
        return (("Authorization", f"Bearer {self.token}"), ("userid", self.uid))


class OwnersCase(SynchronousTestCase):
    """Two accounts, three robots, and whoever owns them."""

    robots_of = "owners"

    def setUp(self) -> None:
        self.house = House(
            Settings(
                identity=IdentitySettings(policy="strict", robots_of=self.robots_of),
                xmpp=XmppSettings(require_tls_users=False),
            )
        )
        self.door = self.house.xmpp.door(fixed())
        self.anna, self.ben = self.person(ANNA), self.person(BEN)
        self.dusty = self.house.robot(getBattery=lambda _: BATTERY)
        self.rusty = switch_on(self.house, TextRobot(self.house.mqtt, device=RUSTY))
        self.oldie = self.veteran()
        self.ownership = self.house.facts.belongings.ownership
        for did in ROBOTS:
            self.successResultOf(self.ownership.give(did, self.anna.uid))

    def person(self, account: str) -> Person:
        """An account is made, and somebody logs in to it."""
        store, person = AccountStore(self.house.database), Person(account)
        self.successResultOf(store.set_password(User(person.uid, account, NOW), hashed()))
        self.log_in(person)
        return person

    def log_in(self, person: Person) -> None:
        """He gets a token."""
        body = {"account": person.account, "password": PASSWORD}
        person.token = self.house.browser().post("/api/login", body).json["token"]

    def veteran(self) -> ScriptedRobot:
        """The oldest robot, which is there."""
        made = xmpp_robot(self.house.clock, self.door.buildProtocol, OLDIE)
        made.log_in()
        made.say("<presence><status>hello</status></presence>")
        made.take()
        return made

    def app(self, person: Person) -> XmppPeer:
        """Somebody's app over XMPP."""
        made = user(self.house.clock, self.door.buildProtocol, person.uid, "GLB1", person.token)
        made.log_in()
        made.take()
        return made

    def ask(
        self, method: str, path: str, value: object, headers: tuple[tuple[str, str], ...] = ()
    ) -> Page:
        """The answer to a request; robots hear of it meanwhile, and nobody waits for ever."""
        connection = self.house.browser().connect()
        body = b"" if value is None else json.dumps(value).encode()
        connection.send(request(method, path, body, (JSON, *headers)))
        for _ in range(3):
            self.house.settle()
            received = connection.received()
            if received:
                connection.hang_up()
                return received[0]
            self.house.clock.advance(20)
        raise AssertionError(f"no answer to {method} {path}")

    def api(
        self, person: Person, method: str, path: str, value: object = None, status: int = 200
    ) -> Any:
        """What our own API answers somebody."""
        page = self.ask(method, path, value, person.headers)
        self.assertEqual(page.status, status, page.body)
        return page.json

    def portal(self, person: Person, path: str, body: Mapping[str, Any]) -> Any:
        """What the portal answers somebody."""
        page = self.ask("POST", path, {"auth": person.auth, **body})
        self.assertEqual(page.status, 200)
        return page.json

    def todo(self, person: Person, todo: str, **more: object) -> Any:
        """The same for C{app.do}."""
        return self.portal(person, "/api/appsvr/app.do", {"todo": todo, **more})

    def user_do(self, person: Person, todo: str, **more: object) -> Any:
        """The same for C{user.do}."""
        return self.portal(person, "/api/users/user.do", {"todo": todo, **more})

    def listed(self, person: Person) -> dict[str, Any]:
        """The robots that somebody's app shows, by did."""
        devices = self.todo(person, "GetGlobalDeviceList")["devices"]
        return {device["did"]: device for device in devices}


@cache
def hashed() -> str:
    """The password of everybody here as it is stored; that takes time, so it is done once."""
    done: list[str] = []
    Passwords(at_once, token_hex, Turns()).hashed(md5_hex(PASSWORD)).addCallback(done.append)
    return done[0]


def at_once(work: Any) -> Deferred[Any]:
    """Nobody else waits here while a password is hashed."""
    return maybeDeferred(work)
