"""Homes: made, named, given up, with robots and people in them (http-endpoints.md 6)."""

from typing import Any

from bumper_tw.core.household import HOME_NAME, MAX_HOME_NAME, MAX_HOMES
from bumper_tw.core.ownership import ACCEPTED
from bumper_tw.core.policies import uid_of
from tests.flows.clients import ClientCase, auth
from tests.flows.owners import ANNA, BEN, OwnersCase, Person
from tests.samples import DUSTY, RUSTY

FINE = {"code": 0, "message": "success"}


class HomesCase(OwnersCase):
    """Anna and Ben, each with a home."""

    def homes(self, person: Person) -> list[dict[str, Any]]:
        """What somebody's app lists."""
        path = f"/api/homed/home/list?userid={person.uid}"
        answer = self.ask("GET", path, None, person.headers).json
        self.assertEqual((answer["code"], answer["ret"]), (0, "ok"))
        data: list[dict[str, Any]] = answer["data"]
        return data

    def names(self, person: Person) -> list[str]:
        """How somebody's homes are called."""
        return [home["name"] for home in self.homes(person)]

    def homed(self, person: Person, what: str, **body: object) -> Any:
        """One of the other requests."""
        return self.ask("POST", f"/api/homed/{what}", body, person.headers).json

    def create(self, name: str, person: Person | None = None) -> str:
        """One more home; its id."""
        person = person or self.anna
        self.assertEqual(self.homed(person, "home/create", name=name), FINE)
        return str(self.homes(person)[-1]["homeId"])

    def place(self, person: Person, did: str = DUSTY.did) -> str:
        """Where somebody sees a robot."""
        return str(self.listed(person)[did]["homeId"])


class HomeTests(HomesCase):
    """The homes themselves."""

    def test_life(self) -> None:
        """Created, renamed and deleted; the other user sees nothing of it."""
        self.assertEqual(self.names(self.anna), [HOME_NAME])
        attic = self.create("Attic")
        self.assertRegex(attic, r"\A[0-9a-f]{24}\Z")
        self.assertEqual(self.names(self.anna), [HOME_NAME, "Attic"])
        renamed = self.homed(self.anna, "home/update", homeId=attic, name="Loft\x07 ")
        self.assertEqual((renamed, self.names(self.anna)), (FINE, [HOME_NAME, "Loft"]))
        self.assertEqual(self.homed(self.anna, "home/delete", homeId=attic), FINE)
        self.assertEqual(self.names(self.anna), [HOME_NAME])
        self.assertEqual(self.names(self.ben), [HOME_NAME])

    def test_entry(self) -> None:
        """Every field an app reads, of the right kind."""
        [found] = self.homes(self.anna)
        self.assertIs(type(found["createTime"]), int)
        self.assertEqual(found["createUser"], self.anna.uid)
        self.assertEqual((found["type"], found["firstCreate"]), ("own", False))

    def test_kept(self) -> None:
        """The next start finds them."""
        attic = self.create("Attic")
        accounts = self.house.facts.accounts
        store: Any = accounts.household._store
        _, _, homes = self.successResultOf(store.load())
        self.assertIn((attic, "Attic"), [(home.id, home.name) for home in homes])
        self.homed(self.anna, "home/delete", homeId=attic)
        _, _, homes = self.successResultOf(store.load())
        self.assertNotIn(attic, [home.id for home in homes])

    def test_others(self) -> None:
        """Nobody changes somebody else's home, nor hears who lives there."""
        attic = self.create("Attic")
        before = self.homes(self.anna)
        for what, more in (
            ("home/update", {"name": "Mine"}),
            ("home/delete", {}),
            ("device/move", {"did": DUSTY.did, "to": attic}),
        ):
            answer = self.homed(self.ben, what, homeId=attic, **more)
            self.assertEqual((answer["code"], answer["ret"]), (1, "fail"))
        path = f"/api/homed/member/list?homeId={attic}"
        self.assertEqual(self.ask("GET", path, None, self.ben.headers).json["data"], [])
        self.assertEqual(self.homes(self.anna), before)

    def test_limits(self) -> None:
        """There is always one, there are never too many, and each has a name."""
        [first] = self.homes(self.anna)
        self.assertEqual(self.homed(self.anna, "home/delete", homeId=first["homeId"])["code"], 1)
        for name in ("", " \n", None, ["x"]):
            self.assertEqual(self.homed(self.anna, "home/create", name=name)["code"], 1)
        long = self.create("x" * 1000)
        self.assertEqual(len(self.names(self.anna)[-1]), MAX_HOME_NAME)
        self.assertEqual(self.homed(self.anna, "home/update", homeId=long)["code"], 1)
        for number in range(MAX_HOMES - 2):
            self.create(f"Home {number}")
        self.assertEqual(self.homed(self.anna, "home/create", name="Another")["code"], 1)
        self.assertEqual(len(self.homes(self.anna)), MAX_HOMES)

    def test_no_token(self) -> None:
        """Whoever does not say who it is gets no home, and is told so in the vendor's words."""
        for headers in ((), (("Authorization", "Bearer nothing"),), (("userid", "x"),)):
            answer = self.ask("POST", "/api/homed/home/create", {"name": "Attic"}, headers).json
            self.assertEqual((answer["errno"], answer["result"]), ("0001", "fail"))
        for what in ("home/update", "home/delete", "device/move"):
            answer = self.ask("POST", f"/api/homed/{what}", {"homeId": "x"}).json
            self.assertEqual(answer["code"], 1004)


class MoveTests(HomesCase):
    """Robots in homes."""

    def test_move(self) -> None:
        """A robot is where its owner has put it; a guest has it in his own first home."""
        attic = self.create("Attic")
        first = str(self.homes(self.anna)[0]["homeId"])
        self.assertEqual(self.place(self.anna), first)
        moved = self.homed(self.anna, "device/move", did=DUSTY.did, mid="x", to=attic)
        self.assertEqual((moved, self.place(self.anna)), (FINE, attic))
        self.assertEqual(self.place(self.anna, RUSTY.did), first)
        self.ownership.invite(DUSTY.did, self.anna.uid, self.ben.uid, ACCEPTED)
        bens = str(self.homes(self.ben)[0]["homeId"])
        self.assertEqual(self.place(self.ben), bens)
        self.homed(self.anna, "home/delete", homeId=attic)
        self.assertEqual((self.place(self.anna), self.place(self.ben)), (first, bens))
        self.assertEqual(self.house.facts.registry.device(DUSTY.did).home, "")

    def test_not_mine(self) -> None:
        """Neither a guest nor a stranger moves a robot, and nobody moves one that is none."""
        bens = self.create("Bens", self.ben)
        for did in (DUSTY.did, RUSTY.did, "none"):
            self.assertEqual(self.homed(self.ben, "device/move", did=did, to=bens), FINE)
            self.ownership.invite(RUSTY.did, self.anna.uid, self.ben.uid, ACCEPTED)
        for did in (DUSTY.did, RUSTY.did):
            self.assertEqual(self.house.facts.registry.device(did).home, "")
        self.assertEqual(self.homed(self.anna, "device/move", to=bens)["code"], 1)


class MemberTests(HomesCase):
    """Who lives in a home."""

    def members(self, home_id: str = "") -> list[tuple[str, int, int]]:
        """Names, what they may, and whether they are there."""
        path = f"/api/homed/member/list?homeId={home_id}"
        data = self.ask("GET", path, None, self.anna.headers).json["data"]
        return [(each["name"], each["isAdmin"], each["status"]) for each in data]

    def test_members(self) -> None:
        """The owner; and whoever uses a robot that is there, as soon as he accepts."""
        attic = self.create("Attic")
        self.homed(self.anna, "device/move", did=DUSTY.did, to=attic)
        self.ownership.invite(DUSTY.did, self.anna.uid, self.ben.uid)
        self.assertEqual(self.members(attic), [(ANNA, 2, 1)])
        self.ownership.accept(DUSTY.did, self.ben.uid)
        self.assertEqual(self.members(attic), [(ANNA, 2, 1), (BEN, 0, 1)])
        self.assertEqual(self.members(), [(ANNA, 2, 1)])
        self.ownership.end(DUSTY.did, self.ben.uid)
        self.assertEqual(self.members(attic), [(ANNA, 2, 1)])


class HouseholdTests(HomesCase):
    """Where every robot is everybody's, homes are each user's own all the same."""

    robots_of = "household"

    def test_places(self) -> None:
        """A robot that one has moved is still in the first home of the other."""
        attic = self.create("Attic")
        self.homed(self.anna, "device/move", did=DUSTY.did, to=attic)
        self.assertEqual(self.place(self.anna), attic)
        self.assertEqual(self.place(self.ben), self.homes(self.ben)[0]["homeId"])


class NoPasswordTests(ClientCase):
    """A house in which everybody is believed who he is."""

    def home(self, what: str, *headers: tuple[str, str], **body: object) -> Any:
        """One of the requests."""
        return self.post(f"/api/homed/{what}", body, *headers)

    def test_create(self) -> None:
        """A token is needed; one from elsewhere makes no home, and that is no failure."""
        answer = self.home("home/create", name="Attic")
        self.assertEqual((answer["errno"], answer["result"]), ("0001", "fail"))
        foreign = ("Authorization", "Bearer e30.eyJhYyI6ImEifQ.c2ln")
        self.assertEqual(self.home("home/create", foreign, name="Attic"), FINE)
        token = self.post("/api/login", {"account": "me", "password": "any"})["token"]
        mine = ("Authorization", f"Bearer {token}")
        self.assertEqual(self.home("home/create", mine, name="Attic"), FINE)
        homes = self.json(self.ask("GET", "/api/homed/home/list", headers=[mine]))["data"]
        self.assertEqual([home["name"] for home in homes], [HOME_NAME, "Attic"])

    def test_share(self) -> None:
        """Accounts need no domain here; the app writes one all the same."""
        for account in ("me", "you"):
            self.post("/api/login", {"account": account, "password": "any"})
        body = {"todo": "ShareDevice", "did": DUSTY.did, "username": "you@home.local"}
        answer = self.post("/api/appsvr/app.do", body | {"auth": auth(uid_of("me"), "x", "r")})
        self.assertEqual(answer["ret"], "ok")
        [share] = self.house.facts.belongings.ownership.shares(DUSTY.did)
        self.assertEqual((share.by, share.uid), (uid_of("me"), uid_of("you")))

    def test_stranger_adds(self) -> None:
        """Somebody of whom nobody knows names a robot, but does not own it."""
        body = {"todo": "AddOneDevice", "did": DUSTY.did, "nick": "Dusty"}
        self.post("/api/users/user.do", body | {"auth": auth("x" * 500, "x", "r")})
        self.assertEqual(self.house.facts.registry.device(DUSTY.did).nick, "Dusty")
        self.assertEqual(self.house.facts.belongings.ownership.owner(DUSTY.did), "")
