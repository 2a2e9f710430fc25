"""Tests for L{bumper_tw.app.bumper_import.plan}: what comes, where something is here already."""

from itertools import count
from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.bumper_import.ours import Ours
from bumper_tw.app.bumper_import.plan import Plan, Wishes, plan
from bumper_tw.core.household import HOME_NAME
from bumper_tw.core.policies import uid_of
from bumper_tw.core.tokens import digest
from bumper_tw.dialect.bumper_db import Generation, Theirs
from bumper_tw.dialect.bumper_records import Purpose, TheirToken, TheirUser
from bumper_tw.errors import BadRequest
from bumper_tw.values import CleaningLog, Device, DeviceId, Home, Token, User
from tests.samples import DUSTY, RUSTY

NOW = 1_795_000_000.0
DAY = 86_400.0
ANNA = "anna@example.org"
ANNAS = TheirUser(uid_of(ANNA), "bumper", ("home",), (DUSTY.did, RUSTY.did))
BENS = TheirUser("ben", "bumper", ("home", "attic"), (DUSTY.did,))
NAMED = Device(DUSTY, "E0001", nick="Dusty")
PLAIN = Device(RUSTY)
TEXT = "0123456789abcdef"
LOGIN = TheirToken(TEXT, ANNAS.uid, Purpose.ACCESS, NOW + DAY)
JOB = CleaningLog(DeviceId(DUSTY.did, "", ""), "1", 1_700_000_000, "auto", 60, 2)


def here(**known: Any) -> Ours:
    """What we know."""
    nothing: dict[str, Any] = {
        name: {} for name in ("devices", "users", "tokens", "homes", "owners", "jobs")
    }
    return Ours(**{"guarded": frozenset(), **nothing, **known})


class PlanCase(SynchronousTestCase):
    """Two users, two robots."""

    theirs = Theirs(
        Generation.NEWEST,
        "0.3.0",
        (NAMED, PLAIN),
        (ANNAS, BENS),
        (LOGIN,),
        (JOB,),
    )

    def wishes(self, **chosen: Any) -> Wishes:
        """What the owner wants."""
        made = count(1)
        return Wishes(
            **{"account": "", "now": NOW, **chosen}, random_hex=lambda _: f"r{next(made)}"
        )

    def plan(self, ours: Ours | None = None, **chosen: Any) -> Plan:
        """What comes."""
        return plan(self.theirs, ours or here(), self.wishes(**chosen))

    def reasons(self, made: Plan) -> dict[str, str]:
        """Why something does not come, by its name."""
        return {each.first: each.why for each in made.skipped}


class RobotTests(PlanCase):
    """Robots."""

    def test_new(self) -> None:
        """They come as they are; from now on they are known."""
        made = self.plan()
        self.assertEqual(made.robots, (evolve(NAMED, bound_at=NOW), evolve(PLAIN, bound_at=NOW)))

    def test_known(self) -> None:
        """What we know stays; what we do not is filled in."""
        ours = Device(DeviceId(DUSTY.did, "p95mgv", "new"), "", nick="", firmware="1", bound_at=5)
        made = self.plan(here(devices={DUSTY.did: ours, RUSTY.did: PLAIN}))
        self.assertEqual(made.robots, (evolve(ours, name="E0001", nick="Dusty"),))
        self.assertEqual(made.known["robots"], 1)

    def test_nick_stays(self) -> None:
        """Nobody's own name for a robot is lost."""
        ours = evolve(NAMED, nick="Staubi")
        made = self.plan(here(devices={DUSTY.did: ours}))
        self.assertEqual([device.id for device in made.robots], [RUSTY])

    def test_too_many(self) -> None:
        """There are no more than there may be; those that are here do not count twice."""
        made = self.plan(here(devices={DUSTY.did: NAMED}), robots=1)
        self.assertEqual(made.robots, ())
        self.assertIn("identity.robots", self.reasons(made)[RUSTY.did])


class UserTests(PlanCase):
    """Users, homes and logins."""

    def test_names(self) -> None:
        """A user keeps his id, and is called by his account where that can be told."""
        self.assertEqual([u.account for u in self.plan().users], [ANNAS.uid, "ben"])
        made = self.plan(account=ANNA)
        self.assertEqual(made.users[0], User(ANNAS.uid, ANNA, NOW))

    def test_homes(self) -> None:
        """A home is one user's, and everybody has one."""
        made = self.plan()
        self.assertEqual(
            [(home.id, home.uid, home.name) for home in made.homes],
            [("home", ANNAS.uid, HOME_NAME), ("attic", "ben", HOME_NAME)],
        )
        self.assertIn("somebody else", self.reasons(made)["home"])
        alone = plan(
            evolve(self.theirs, users=(ANNAS, evolve(BENS, homes=("home",)))),
            here(),
            self.wishes(),
        )
        self.assertEqual([home.id for home in alone.homes], ["home", "r1"])

    def test_homes_known(self) -> None:
        """One that is here already stays whose it is."""
        kept = Home("home", "zoe", "Zoe's", 1)
        made = self.plan(here(homes={"home": kept}, users={"zoe": User("zoe", "zoe")}))
        self.assertEqual(
            [(h.id, h.uid) for h in made.homes], [("r1", ANNAS.uid), ("attic", "ben")]
        )

    def test_second_home(self) -> None:
        """The homes of one user can be told apart."""
        two = evolve(self.theirs, users=(evolve(ANNAS, homes=("a", "b")),))
        made = plan(two, here(), self.wishes())
        self.assertEqual([home.name for home in made.homes], [HOME_NAME, f"{HOME_NAME} 2"])

    def test_login(self) -> None:
        """Only its digest is kept, and it lives no longer than one of ours."""
        [token] = self.plan().tokens
        self.assertEqual(token, Token(digest(TEXT), ANNAS.uid, "access", NOW + DAY))
        [short] = self.plan(seconds=60.0).tokens
        self.assertEqual(short.expires_at, NOW + 60)

    def test_password_here(self) -> None:
        """Whoever has a password here shows it: a login from elsewhere does not stand for it."""
        ours = here(users={ANNAS.uid: User(ANNAS.uid, ANNA)}, guarded=frozenset({ANNAS.uid}))
        made = self.plan(ours)
        self.assertEqual(made.tokens, ())
        self.assertIn("password", self.reasons(made)[ANNAS.uid])

    def test_dead_logins(self) -> None:
        """Those that are over, nobody's, or not enough here, do not count."""
        self.assertIn("expired", self.reasons(self.plan(now=NOW + DAY))[ANNAS.uid])
        self.assertIn("password", self.reasons(self.plan(strict=True))[ANNAS.uid])
        stray = evolve(self.theirs, tokens=(evolve(LOGIN, uid="x"),))
        made = plan(stray, here(), self.wishes())
        self.assertEqual((made.tokens, self.reasons(made)["x"]), ((), "there is no such user"))

    def test_many_logins(self) -> None:
        """A user has so many at the most, the youngest."""
        many = tuple(
            evolve(LOGIN, text=f"{TEXT}{number}", expires_at=NOW + 1 + number)
            for number in range(60)
        )
        made = plan(evolve(self.theirs, tokens=many), here(), self.wishes())
        self.assertEqual(len(made.tokens), 50)
        self.assertEqual(made.tokens[0].expires_at, NOW + 60)


class JobTests(PlanCase):
    """Cleaning jobs."""

    def test_address(self) -> None:
        """A job gets the address of its robot."""
        [job] = self.plan().jobs
        self.assertEqual(job, evolve(JOB, device=DUSTY))

    def test_known(self) -> None:
        """What we know of it stays, and what we do not is filled in."""
        ours = evolve(JOB, device=DUSTY, type="spotArea", area=None)
        made = self.plan(here(jobs={ours.id: ours}))
        self.assertEqual(made.jobs, (evolve(ours, area=2),))
        again = self.plan(here(jobs={ours.id: made.jobs[0]}))
        self.assertEqual((again.jobs, again.known["cleaning logs"]), ((), 1))

    def test_newest(self) -> None:
        """No more come than are kept, the newest."""
        many = tuple(evolve(JOB, started_at=JOB.started_at + n) for n in range(5))
        made = plan(evolve(self.theirs, jobs=many), here(), self.wishes(jobs=2))
        self.assertEqual([job.started_at - JOB.started_at for job in made.jobs], [4, 3])
        self.assertEqual(made.skipped[-1].count, 3)

    def test_no_robot(self) -> None:
        """A job of a robot that there is not is nobody's."""
        made = plan(evolve(self.theirs, robots=(PLAIN,)), here(), self.wishes())
        self.assertEqual(
            (made.jobs, self.reasons(made)[DUSTY.did]), ((), "there is no such robot")
        )


class OwnerTests(PlanCase):
    """Whose robots are, where they are somebody's."""

    def test_household(self) -> None:
        """In a household they are everybody's, and nothing is said of it."""
        made = self.plan(account=ANNA)
        self.assertEqual((made.owners, [s.what for s in made.skipped]), ((), ["homes of users"]))

    def test_lists(self) -> None:
        """Who alone has a robot in his list owns it; between several nobody decides for them."""
        made = self.plan(owners=True)
        self.assertEqual([(o.did, o.uid) for o in made.owners], [(RUSTY.did, ANNAS.uid)])
        self.assertIn("several users", self.reasons(made)[DUSTY.did])

    def test_account(self) -> None:
        """All are given to one, here or there."""
        for ours in (here(), here(users={"zoe": User("zoe", "Zoe")})):
            name, uid = ("zoe", "zoe") if ours.users else (ANNA, ANNAS.uid)
            made = self.plan(ours, owners=True, account=name)
            self.assertEqual([o.uid for o in made.owners], [uid, uid])

    def test_known(self) -> None:
        """What is somebody's stays his."""
        made = self.plan(here(owners={DUSTY.did: "zoe"}), owners=True)
        self.assertEqual([o.did for o in made.owners], [RUSTY.did])

    def test_no_account(self) -> None:
        """A slip of the pen."""
        wrong = self.assertRaises(BadRequest, self.plan, account="zoe")
        self.assertIn("no account zoe", str(wrong))
