"""Tests for L{bumper_tw.core.mqtt_questions}."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.mqtt_questions import Questions
from tests.samples import ALICE, DUSTY, RUSTY

HELPER = "helperbot/bumper/helperbot"
PHONE = f"{ALICE.name}/{ALICE.realm}/{ALICE.resource}"


def question(request: str = "abcd", name: str = "getBattery", asker: str = HELPER) -> str:
    """The topic of a question to one robot."""
    return f"iot/p2p/{name}/{asker}/{DUSTY}/q/{request}/j"


def answer(
    request: str = "abcd", name: str = "getBattery", asker: str = HELPER, kind: str = "j"
) -> str:
    """The topic of its answer."""
    return f"iot/p2p/{name}/{DUSTY}/{asker}/p/{request}/{kind}"


class QuestionsTests(SynchronousTestCase):
    """A robot answers what it was asked, and nothing else (mqtt.md 5.3)."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.questions = Questions(self.clock, seconds=120, most=4)

    def test_answered(self) -> None:
        """An answer to a question is welcome, also twice and in another format."""
        self.questions.asked(question())
        for topic in answer(), answer(), answer(kind="x"):
            self.assertTrue(self.questions.may_answer(topic), topic)

    def test_unasked(self) -> None:
        """Command, asker and request must be those of one question."""
        self.questions.asked(question())
        self.questions.asked(question("wxyz", "clean", PHONE))
        for topic in (
            answer("dcba"),
            answer("ABCD"),
            answer(name="getCharge"),
            answer(name="clean"),
            answer(asker=PHONE),
            answer("wxyz"),
        ):
            self.assertFalse(self.questions.may_answer(topic), topic)

    def test_elsewhere(self) -> None:
        """What is no answer within the grammar answers nothing, whatever was asked."""
        self.questions.asked(question())
        for topic in (
            "",
            "/" * 11,
            question(),
            answer() + "/j",
            answer(kind="q"),
            answer().removesuffix("/j"),
            f"iot/atr/onBattery/{DUSTY}/j",
            f"rsp/{DUSTY.did}",
            answer(asker="a/b"),
            answer(name="+"),
        ):
            self.assertFalse(self.questions.may_answer(topic), topic)

    def test_no_question(self) -> None:
        """What asks for no answer is not remembered."""
        for topic in (
            "",
            answer(),
            question().replace("/q/", "/m/"),
            question() + "/j",
            f"iot/cfg/{DUSTY}/j/setting2",
            f"p2p/{DUSTY.did}",
            f"iot/atr/onBattery/{RUSTY}/j",
        ):
            self.questions.asked(topic)
        self.assertEqual(len(self.questions), 0)

    def test_too_late(self) -> None:
        """A question is open for two minutes."""
        self.questions.asked(question())
        self.clock.advance(120)
        self.assertTrue(self.questions.may_answer(answer()))
        self.clock.advance(0.5)
        self.assertFalse(self.questions.may_answer(answer()))

    def test_closed_are_forgotten(self) -> None:
        """Closed questions take no room when the next one is asked."""
        for request in "a", "b", "c":
            self.questions.asked(question(request))
        self.clock.advance(121)
        self.questions.asked(question("d"))
        self.assertEqual(len(self.questions), 1)

    def test_asked_again(self) -> None:
        """The same question again is one question, open from then on."""
        self.questions.asked(question())
        self.clock.advance(100)
        self.questions.asked(question())
        self.clock.advance(100)
        self.assertTrue(self.questions.may_answer(answer()))
        self.assertEqual(len(self.questions), 1)

    def test_bounded(self) -> None:
        """The oldest question makes room, and one asked again is not the oldest."""
        for request in "a", "b", "c", "d", "a", "e":
            self.questions.asked(question(request))
        held = [r for r in ("a", "b", "c", "d", "e") if self.questions.may_answer(answer(r))]
        self.assertEqual(held, ["a", "c", "d", "e"])

    def test_none_remembered(self) -> None:
        """Where nothing may be remembered, nothing may be answered."""
        questions = Questions(self.clock, most=0)
        questions.asked(question())
        self.assertFalse(questions.may_answer(answer()))

    @given(st.text(max_size=40))
    def test_garbage(self, topic: str) -> None:
        """Any text is a topic that asks and answers nothing."""
        questions = Questions(self.clock)
        questions.asked(topic)
        self.assertFalse(questions.may_answer(topic))
        self.assertEqual(len(questions), 0)
