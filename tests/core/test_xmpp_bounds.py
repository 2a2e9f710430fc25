"""Tests for what one party over XMPP may make the others bear."""

from twisted.logger import capturedLogs

from bumper_tw.core.xmpp_parties import A_WHILE, COPIES
from bumper_tw.core.xmpp_switchboard import RouterLimits
from bumper_tw.errors import LoginRefused
from tests.core.xmpp_parties import ANN, BATTERY, UID, RouterCase, robot_party, user_party


class LoudRobotTests(RouterCase):
    """A robot that says more to everybody than there is time for."""

    def heard(self, number: int) -> int:
        """How much Ann hears of so many events for everybody."""
        for _ in range(number):
            self.tell(None)
        return len(self.ann.heard())

    def test_everybody(self) -> None:
        """It is cut short, for itself alone, and goes on at its pace; the owner hears of it."""
        with capturedLogs() as said:
            self.assertEqual(self.heard(1500), COPIES)
        self.assertEqual([each["address"] for each in said], [self.robot.address])
        other = robot_party(self.router, self.robot.who.device)
        other.say(f"<iq type='set' id='1'>{BATTERY}</iq>")
        self.assertEqual(len(self.ann.heard()), 1)
        self.assertEqual(self.router.counts["dropped for loud robots"], 1500 - COPIES)

    def test_pace(self) -> None:
        """After a while it may say as much again."""
        self.heard(1500)
        self.clock.advance(0.1)
        self.assertEqual(self.heard(200), int(COPIES / A_WHILE / 10))
        self.clock.advance(3600)
        self.assertEqual(self.heard(1500), COPIES)

    def test_all_count(self) -> None:
        """Each session that hears an event counts."""
        sessions = [self.ann, *(user_party(self.router, UID, f"R{n}") for n in range(9))]
        self.assertEqual(self.heard(150), COPIES // len(sessions))

    def test_answers(self) -> None:
        """What it says to one session does not count."""
        for number in range(1500):
            self.tell(ANN, number=number)
        self.assertEqual(len(self.ann.heard()), 1500)


class SessionTests(RouterCase):
    """A user with more sessions than anybody has telephones."""

    limits = RouterLimits(sessions=3)

    def test_oldest_ends(self) -> None:
        """The oldest session makes room; those of others stay."""
        other = user_party(self.router, "fuid_other")
        late = [user_party(self.router, UID, f"R{number}") for number in range(3)]
        self.assertEqual([each.outlet.conflicts for each in (self.ann, other, *late)],
                         [1, 0, 0, 0, 0])  # fmt: skip
        self.assertEqual(self.router.sessions, 4)
        self.tell(f"{UID}@ecouser.net")
        self.assertReaches(*late)

    def test_again(self) -> None:
        """Who takes the place of his own session pushes nobody else out."""
        kept = [user_party(self.router, UID, f"R{number}") for number in range(2)]
        user_party(self.router, UID, "R1")
        self.assertEqual([each.outlet.conflicts for each in (self.ann, *kept)], [0, 0, 1])


class TakeoverTests(RouterCase):
    """Two that take each other's place."""

    limits = RouterLimits(takeovers=3)

    def test_robots(self) -> None:
        """Some time they have to wait, and who is there stays."""
        last = [robot_party(self.router) for _ in range(3)][-1]
        self.assertRaises(LoginRefused, robot_party, self.router)
        self.assertEqual(last.outlet.conflicts, 0)
        self.clock.advance(60)
        robot_party(self.router)
        self.assertEqual(last.outlet.conflicts, 1)

    def test_sessions(self) -> None:
        """The same for an address of a user, and for no other one."""
        for _ in range(3):
            user_party(self.router)
        self.assertRaises(LoginRefused, user_party, self.router)
        user_party(self.router, resource="other")

    def test_in_turn(self) -> None:
        """Who comes when the one before has gone takes nobody's place."""
        for _ in range(9):
            self.robot.binding.close()
            self.robot = robot_party(self.router)


class UnreadTests(RouterCase):
    """Many that do not read."""

    limits = RouterLimits(backlog=1000, unread=2500)

    def test_all_together(self) -> None:
        """Together they have less room than each alone; who reads loses nothing."""
        slow = [user_party(self.router, UID, f"R{number}") for number in range(4)]
        for each in slow:
            each.outlet.waiting = 900
        self.tell(f"{UID}@ecouser.net")
        self.assertEqual([len(each.heard()) for each in (self.ann, *slow)], [1, 1, 1, 0, 0])

    def test_read_again(self) -> None:
        """There is room again when one has read what waited, or has gone."""
        slow = [user_party(self.router, UID, f"R{number}") for number in range(3)]
        for each in slow:
            each.outlet.waiting = 900
        self.tell(f"{UID}@ecouser.net")
        self.assertEqual([len(each.heard()) for each in slow], [1, 1, 0])
        slow[0].outlet.waiting = 0
        self.tell(f"{UID}@ecouser.net")
        self.assertEqual([len(each.heard()) for each in slow], [1, 1, 1])
        slow[0].outlet.waiting = 900
        slow[1].binding.close()
        self.tell(f"{UID}@ecouser.net")
        self.assertEqual([len(each.heard()) for each in slow], [1, 0, 1])


class AnswerTests(RouterCase):
    """What a robot says without saying to whom."""

    def test_answers(self) -> None:
        """An answer to a question of ours is for nobody else; an event is (8.2, row 7)."""
        for ctl in ("<ctl id='62095078' ret='ok' s='wifi'/>", "<ctl id='4444' ret='ok'/>"):
            self.tell(None, inner=f"<query xmlns='com:ctl'>{ctl}</query>")
        self.assertSilent(self.ann)
        self.tell(None)
        self.assertReaches(self.ann)
