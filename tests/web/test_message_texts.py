"""Tests for L{bumper_tw.web.message_texts} and L{bumper_tw.web.told}."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.people_side import DATA
from bumper_tw.core.messages import EVENTS, HouseMessage
from bumper_tw.web.message_texts import MessageTexts, load
from bumper_tw.web.told import MAX_IDS, listed, natural, switch_in, text_in

#: Every number that a robot is known to report as an error (mqtt.md 8.4).
ERRORS = {*range(101, 121), 125, 126, 128, 129, 201, 202, 404, 500}

TEXTS = load(DATA / "error_texts.json")


def text(
    kind: str, about: str, facts: Mapping[str, Any] | None = None, texts: MessageTexts = TEXTS
) -> tuple[str, str]:
    """Title and body."""
    return texts.of(HouseMessage("m1", "did", 0.0, kind, about, facts or {}), "Dusty")


class TextTests(SynchronousTestCase):
    """What messages say."""

    def test_known(self) -> None:
        """Everything that is known to happen has words of its own."""
        for code in ERRORS:
            self.assertNotIn(str(code), "".join(text("error", str(code))))
        for code in EVENTS:
            self.assertNotIn(str(code), "".join(text("evt", str(code))))

    def test_unknown(self) -> None:
        """Everything else is named by its number."""
        self.assertIn("4711", text("error", "4711")[0])
        self.assertIn("4711", text("evt", "4711")[1])

    def test_cleaned(self) -> None:
        """How a job ended, and how much it was, as far as the robot has said."""
        self.assertEqual(
            text("evt", "cleaned", {"reason": 1, "area": 14, "duration": 61})[1],
            "The robot has finished a job. 14 m². 2 min.",
        )
        self.assertEqual(text("evt", "cleaned", {"reason": 2})[0], "Cleaning stopped")
        self.assertIn("warning", text("evt", "cleaned", {"reason": 3})[0])
        self.assertEqual(text("evt", "cleaned")[1], "The robot has finished a job.")

    def test_worn(self) -> None:
        """Parts have names, whatever the robot speaks; what it says itself is no template."""
        for part in ("SideBrush", "sideBrush"):
            self.assertEqual(text("evt", "worn", {"part": part, "percent": 3})[0],
                             "Side brush nearly worn")  # fmt: skip
        title, body = text("evt", "worn", {"part": "{about.x}", "percent": 3})
        self.assertEqual((title, body), ("{about.x} nearly worn", "3 % are left of: {about.x}."))

    def test_invitation(self) -> None:
        """It names the robot."""
        self.assertIn("Dusty", text("share", "invited")[1])

    def test_languages(self) -> None:
        """Where we have no words in a language, it is English."""
        other = MessageTexts(
            {**TEXTS.languages, "de": {**TEXTS.languages["en"], "error": {"": ["Fehler", ""]}}}
        )
        message = HouseMessage("m1", "did", 0.0, "error", "110")
        self.assertEqual(other.of(message, "Dusty", "de_AT")[0], "Fehler")
        for language in ("", "en", "FR", "?"):
            self.assertEqual(other.of(message, "Dusty", language)[0], "No dust bin")


class ToldTests(SynchronousTestCase):
    """What requests say in one of many ways."""

    def test_switches(self) -> None:
        """On, off, or nothing."""
        for on in (True, 1, "Y", "true", "ON", " open "):
            self.assertIs(switch_in(on), True, on)
        for off in (False, 0, "n", "False", "off", "close"):
            self.assertIs(switch_in(off), False, off)
        others: tuple[Any, ...] = (None, "", "perhaps", [], {}, 2)
        for nothing in others:
            self.assertIsNone(switch_in(nothing), nothing)

    def test_numbers(self) -> None:
        """A number from one to the most."""
        found = [natural(each, 20, 100) for each in ("5", "500", "0", "-1", "x", "", "9" * 50)]
        self.assertEqual(found, [5, 100, 20, 20, 20, 20, 20])

    def test_lists(self) -> None:
        """With commas, or as JSON."""
        self.assertEqual(listed("a, b"), ["a", "b"])
        self.assertEqual(listed('["a",1]'), ["a", 1])
        self.assertEqual(listed("[" * 2000), [])
        self.assertGreater(MAX_IDS, 0)

    @given(
        st.text() | st.integers() | st.booleans() | st.floats() | st.none() | st.lists(st.text())
    )
    def test_anything(self, value: Any) -> None:
        """Nothing breaks it."""
        self.assertIsInstance(text_in(value), str)
        self.assertIn(switch_in(value), (True, False, None))
