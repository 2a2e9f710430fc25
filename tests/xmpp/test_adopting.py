"""Item 14 of xmpp.md 15: robots that obey somebody else (xmpp.md 12)."""

from bumper_tw.xmpp.factory import StreamLimits
from tests.xmpp.household import HouseholdCase, iq
from tests.xmpp.replay import AdoptingWorld
from tests.xmpp.streams import UID, USER, Client, World

ADMINISTRATOR = "n5q8w2e7r4t1y6u3@ecouser.net"
DENIED = f"error='permission denied, please contact {ADMINISTRATOR}'"
TEN_MINUTES = 600


def refusal(more: str, to: str = f"{USER}/GLB1") -> str:
    """A robot says no."""
    ctl = f"<ctl id='72107787' ret='fail' errno='103' {more}/>"
    return iq("set", "2811", f"<query xmlns='com:ctl'>{ctl}</query>", to=to)


class AdoptionTests(HouseholdCase):
    """A robot and somebody whom it does not know yet."""

    def setUp(self) -> None:
        super().setUp()
        self.deebot, self.app = self.robot(), self.user(UID)

    def lenient_world(self) -> World:
        return AdoptingWorld(StreamLimits(tls_users=False))

    def requests(self, said: str, robot: Client | None = None) -> list[str]:
        """What a robot is asked when it says something; the person always hears it."""
        robot = robot or self.deebot
        heard = robot.ask(said)
        self.assertIn(said.split("<query")[1], self.app.heard())
        return [each for each in heard.split("<iq ") if each]

    def wait(self, seconds: int) -> None:
        """Time goes by, and everybody lives."""
        for _ in range(seconds // 30):
            self.world.clock.advance(30)
            self.deebot.say(" ")
            self.app.say(" ")
        self.deebot.heard()
        self.app.heard()

    def test_14_permission(self) -> None:
        """A refusal has three requests in the name of the administrator."""
        requests = self.requests(refusal(DENIED))
        self.assertEqual(
            [
                name
                for each in requests
                for name in ("AddUser", "SetAC", "GetUserInfo")
                if name in each
            ],
            ["AddUser", "SetAC", "GetUserInfo"],
        )
        for each in requests:
            self.assertIn(f" from='{ADMINISTRATOR}'", each)
        for each in requests[:2]:
            self.assertIn(f" jid='{USER}'", each)

    def test_14_ids(self) -> None:
        """Each has an id of its own, never used before."""
        requests = self.requests(refusal(DENIED))
        self.wait(TEN_MINUTES + 30)
        requests += self.requests(refusal(DENIED))
        ids = [each.split(" id='")[1].split("'")[0] for each in requests]
        self.assertEqual(len(set(ids)), 6, ids)

    def test_14_attribute(self) -> None:
        """Some robots say in another place whom they obey."""
        for more in (
            f"admin='{ADMINISTRATOR}'",
            f"error='permission denied, please contact ' admin='{ADMINISTRATOR}'",
            f"error='permission denied, please contact  {ADMINISTRATOR.replace('@', ' @ ')} '",
        ):
            self.setUp()
            self.assertEqual(len(self.requests(refusal(more))), 3, more)

    def test_14_wheel(self) -> None:
        """An error of a wheel has the same number."""
        for ctl in (
            "<ctl td='error' error='WheelAbnormal' errno='103'/>",
            f"<ctl td='error' {DENIED} errno='103'/>",
            "<ctl td='error' errs='103'/>",
            "<ctl ret='ok' errs='103'/>",
            "<ctl id='1' ret='fail' errno='103' error='WheelAbnormal'/>",
            "<ctl id='1' ret='fail' errno='103'/>",
            f"<ctl id='1' ret='fail' errno='5' {DENIED}/>",
            f"<ctl id='1' ret='fail' errno='1103' {DENIED}/>",
            f"<ctl id='1' ret='ok'><x errno='103' {DENIED}/></ctl>",
        ):
            said = iq("set", "1", f"<query xmlns='com:ctl'>{ctl}</query>", to=f"{USER}/GLB1")
            self.assertEqual(self.requests(said), [], ctl)

    def test_14_no_administrator(self) -> None:
        """Whom it obeys has to be somebody, and nobody of a server like ours."""
        for name in (
            "fuid_x@ecouser.net",
            "fusername_x@ecouser.net",
            "FUID_x@ecouser.net",
            "nobody",
            "@ecouser.net",
            "x@",
            "a@b/c",
            "a@b@c",
            "",
        ):
            for more in (f"error='permission denied, please contact {name}'", f"admin='{name}'"):
                self.assertEqual(self.requests(refusal(more)), [], more)

    def test_14_once(self) -> None:
        """If it still refuses, it is asked again after ten minutes."""
        self.assertEqual(len(self.requests(refusal(DENIED))), 3)
        self.assertEqual(self.requests(refusal(DENIED)), [])
        self.wait(TEN_MINUTES - 30)
        self.assertEqual(self.requests(refusal(DENIED)), [])
        self.wait(60)
        self.assertEqual(len(self.requests(refusal(DENIED))), 3)

    def test_14_spelling(self) -> None:
        """Somebody in other letters is the same one."""
        self.assertEqual(len(self.requests(refusal(DENIED))), 3)
        folded = f"{USER.upper()}/GLB1"
        self.assertEqual(self.requests(refusal(DENIED, folded)), [])

    def test_14_inside_of_result(self) -> None:
        """A refusal in the result itself is passed on, too: a program waits for it."""
        said = refusal(DENIED).replace("type='set'", "type='result'")
        self.assertEqual(len(self.requests(said)), 3)

    def test_14_answers(self) -> None:
        """What the robot answers is for nobody here, and not answered."""
        self.requests(refusal(DENIED))
        for number in ("0000", "1111", "4444"):
            ctl = f"<query xmlns='com:ctl'><ctl id='{number}' ret='ok'/></query>"
            self.assertEqual(self.deebot.ask(iq("set", number, ctl, to=ADMINISTRATOR)), "")
            self.assertEqual(self.deebot.ask(iq("result", number, to=ADMINISTRATOR)), "")
        self.assertEqual(self.app.heard(), "")

    def test_14_another_robot(self) -> None:
        """Each robot is adopted for itself."""
        self.assertEqual(len(self.requests(refusal(DENIED))), 3)
        other = self.robot("E0009876500123450002", "155")
        self.assertEqual(len(self.requests(refusal(DENIED), other)), 3)

    def test_14_by_a_user(self) -> None:
        """A person who says the words of a robot adopts nothing."""
        self.assertEqual(self.app.ask(refusal(DENIED, f"{USER}/GLB1")).count("AddUser"), 0)
        self.assertNotIn("AddUser", self.deebot.heard())

    def test_14_switched_off(self) -> None:
        """An owner may not want it."""
        self.world = AdoptingWorld(StreamLimits(tls_users=False), enabled=False)
        self.deebot, self.app = self.robot(), self.user(UID)
        self.assertEqual(self.requests(refusal(DENIED)), [])
