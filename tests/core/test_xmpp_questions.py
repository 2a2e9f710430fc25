"""Tests for L{bumper_tw.core.xmpp_questions}: pings that robots do not answer (xmpp.md 7)."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.xmpp_questions import LONGEST, WATCHED, Ping, PingWatch, Questions
from tests.core.xmpp_parties import (
    ANN,
    COMMAND,
    PING,
    ROBOT,
    UID,
    RouterCase,
    error,
    robot_party,
    user_party,
)

ASK = f"<iq id='p1' to='{ROBOT.lower()}' type='get'>{PING}</iq>"
PONG = f"<iq id='p1' to='{ANN}' type='result'/>"
TIMEOUT = f"<iq type='error' to='{ANN}' from='{ROBOT.lower()}' id='p1'>" + error(
    "wait", "remote-server-timeout", 504
)

#: A robot, and a question to it.
ROBOT_KEY = ("sn", "126.ecorobot.net")
MARK = ("1", ROBOT_KEY)


class UnansweredPingTests(RouterCase):
    """Whoever pings a robot that is here but silent is told so."""

    def test_silent(self) -> None:
        """After ten seconds the asker hears of it, and not again when the answer comes."""
        self.ann.say(ASK)
        self.clock.advance(9.9)
        self.assertSilent(self.ann)
        self.clock.advance(0.1)
        self.assertEqual(self.ann.take(), [TIMEOUT])
        self.robot.say(PONG)
        self.assertSilent(self.ann)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_late_to_the_bare_address(self) -> None:
        """A late answer is dropped too when it has to be brought to whoever asked."""
        self.ann.say(ASK)
        self.clock.advance(10)
        self.assertEqual(self.ann.take(), [TIMEOUT])
        self.robot.say(PONG.replace(ANN, f"{UID}@ecouser.net"))
        self.assertSilent(self.ann)

    def test_answered(self) -> None:
        """Who has had an answer hears nothing more; errors are answers."""
        for pong in (PONG, PONG.replace("result", "error")):
            self.ann.say(ASK)
            self.clock.advance(5)
            self.robot.say(pong)
            self.assertReaches(self.ann)
            self.clock.advance(20)
            self.assertSilent(self.ann)

    def test_asked_again(self) -> None:
        """Who asks again under the same id waits anew."""
        self.ann.say(ASK)
        self.clock.advance(6)
        self.ann.say(ASK)
        self.clock.advance(6)
        self.assertSilent(self.ann)
        self.clock.advance(4)
        self.assertEqual(self.ann.take(), [TIMEOUT])

    def test_commands_wait(self) -> None:
        """Only pings are answered for; robots may take their time for a command."""
        self.ann.say(COMMAND)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one_timer(self) -> None:
        """There is one timer, however many pings there are."""
        phone = user_party(self.router, resource="b")
        for n in range(20):
            self.ann.say(ASK.replace("p1", f"a{n}"))
            phone.say(ASK.replace("p1", f"b{n}"))
            self.clock.advance(0.1)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.advance(9)
        self.assertEqual((len(self.ann.take()), len(phone.take())), (11, 11))
        self.clock.advance(1)
        self.assertEqual((len(self.ann.take()), len(phone.take())), (9, 9))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_everybody_for_himself(self) -> None:
        """Two sessions with the same id, or one with two robots, are not taken for another."""
        phone = user_party(self.router, resource="b")
        self.ann.say(ASK)
        phone.say(ASK)
        self.robot.say(PONG)
        self.clock.advance(10)
        self.assertEqual(len(self.ann.take()), 1)
        self.assertIn("remote-server-timeout", phone.take()[0])

    def test_gone(self) -> None:
        """Nobody is told anything who has gone; the robot may go and come."""
        self.ann.say(ASK)
        phone = user_party(self.router, resource="b")
        phone.say(ASK)
        self.ann.binding.close()
        robot_party(self.router)
        self.clock.advance(10)
        self.assertSilent(self.ann)
        self.assertIn("remote-server-timeout", phone.take()[0])

    def test_stop(self) -> None:
        """Nothing is left behind at the end, twice is fine."""
        self.ann.say(ASK)
        self.router.stop()
        self.router.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class QuestionsTests(SynchronousTestCase):
    """What is remembered of one session."""

    def setUp(self) -> None:
        self.clock, self.expired = Clock(), list[Ping]()
        self.watch = PingWatch(self.clock, 10)
        self.questions = Questions(self.watch, 3, self.expired.append)

    def test_the_last_ones(self) -> None:
        """Only so many are remembered, and one asked again counts as new."""
        for number in "12314":
            self.questions.ask((number, ROBOT_KEY))
        kept = [number for number in "1234" if (number, ROBOT_KEY) in self.questions]
        self.assertEqual((kept, len(self.questions)), (["1", "3", "4"], 3))

    def test_long_ids(self) -> None:
        """An id beyond all measure is not kept."""
        self.questions.ping(("x" * (LONGEST + 1), ROBOT_KEY), "")
        self.assertEqual((len(self.questions), self.clock.getDelayedCalls()), (0, []))

    def test_many_pings(self) -> None:
        """Only so many pings are watched, answered or not, and then others."""
        for _ in range(5 * WATCHED):
            self.questions.ping(MARK, "")
            self.assertTrue(self.questions.answered(MARK))
        self.assertEqual(self.questions.watched, WATCHED)
        self.clock.advance(10)
        self.assertEqual((self.questions.watched, self.expired), (0, []))
        self.questions.ping(MARK, "")
        self.clock.advance(10)
        self.assertEqual([ping.mark for ping in self.expired], [MARK])

    def test_unknown(self) -> None:
        """What was not asked, or is forgotten, may be passed on."""
        self.assertTrue(self.questions.answered(MARK))
        self.questions.ping(MARK, "")
        self.questions.forget()
        self.clock.advance(10)
        self.assertEqual(self.expired, [])
        self.assertTrue(self.questions.answered(MARK))
