"""What messages say, in our own words."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from bumper_tw.core.messages import CLEANED, WORN, HouseMessage
from bumper_tw.dialect.envelopes import parse_json

#: The language that has all texts.
FIRST = "en"

#: How XML robots call their consumables (mqtt.md 8).
XML_PARTS = {"Brush": "brush", "SideBrush": "sideBrush", "DustCaseHeap": "heap"}

#: Characters of what a robot has named itself.
MAX_WORD = 64


@frozen
class MessageTexts:
    """
    Titles and bodies, by language, kind of message and what it is about.

    @ivar languages: what the file says.
    """

    languages: Mapping[str, Mapping[str, Mapping[str, Any]]]

    def of(self, message: HouseMessage, robot: str, language: str = FIRST) -> tuple[str, str]:
        """
        Title and body of a message.

        @param robot: what the robot is called.
        @param language: as somebody spells it; where we do not speak it, it is English.
        """
        known = self._known(language)
        texts = known[message.kind]
        title, body = texts.get(key_of(message, texts)) or texts[""]
        words = {"about": message.about, "robot": robot, **self._words(message, known)}
        return title.format_map(words), body.format_map(words)

    def _known(self, language: str) -> Mapping[str, Mapping[str, Any]]:
        return self.languages.get(language[:2].lower()) or self.languages[FIRST]

    def _words(
        self, message: HouseMessage, known: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, str]:
        if message.about == CLEANED:
            return {"detail": detail(message.facts, known[message.kind])}
        if message.about == WORN:
            part = str(message.facts.get("part", ""))[:MAX_WORD]
            name = known["part"].get(part_type(part), part)
            return {"part": name, "percent": str(message.facts.get("percent", ""))}
        return {}


def load(path: Path) -> MessageTexts:
    """The texts of a file."""
    return MessageTexts(parse_json(path.read_bytes()))


def key_of(message: HouseMessage, texts: Mapping[str, Any]) -> str:
    """Under which key a message is: how a job ended makes a difference."""
    special = f"{message.about}_{message.facts.get('reason')}"
    return special if special in texts else message.about


def detail(facts: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    """How much was cleaned, as far as that is known."""
    area, duration = facts.get("area"), facts.get("duration")
    square = texts["area"].format(area=area) if area else ""
    return square + (texts["minutes"].format(minutes=-(-duration // 60)) if duration else "")


def part_type(name: str) -> str:
    """A consumable as apps call it."""
    return XML_PARTS.get(name, name)
