"""Misbehaviour on demand, changeable while the robot runs (robots.md 8)."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import Enum

from attrs import define, evolve, field

from bumper_tw.simulator.topics import Request, RobotTopics

STATS = ("onStats", "reportStats", "getStats", "getTotalStats")
STRANGER = "00000000-0000-4000-8000-000000000000"


class Garbage(Enum):
    """Payloads no client can use."""

    JSON = b'{"header":{"pri":1'
    XML = b"<ctl ret='ok'"
    UTF8 = b"\xff\xfe\xfd"
    EMPTY = b""
    LARGE = b" " * (300 * 1024)


@define
class Faults:
    """
    The knobs of one robot.

    @ivar mutes: how many of the next requests get no reply, by command
    @ivar delays: seconds a reply is held back, by command; real ones, whatever the speed
    @ivar reorder: send replies in pairs, the second first
    @ivar garbage: what to say instead of a reply
    @ivar numeric_strings: numbers as text in statistics
    @ivar unescaped: write C{&} and C{<} as they are in XML
    """

    mutes: dict[str, int] = field(factory=dict)
    delays: dict[str, float] = field(factory=dict)
    reorder: bool = False
    wrong_id: bool = False
    wrong_sender: bool = False
    wrong_command: bool = False
    short_topic: bool = False
    long_topic: bool = False
    duplicate: bool = False
    garbage: Garbage | None = None
    numeric_strings: bool = False
    unescaped: bool = False

    def mute(self, command: str, count: int = 1) -> None:
        """Swallow the replies to the next requests of one command."""
        self.mutes[command] = count

    def delay(self, command: str, seconds: float) -> None:
        """Hold back every reply to one command; 0 ends it."""
        self.delays[command] = seconds

    def swallows(self, command: str) -> bool:
        """Tell whether this reply is one to swallow, and count it."""
        left = self.mutes.get(command, 0)
        if left > 0:
            self.mutes[command] = left - 1
        return left > 0

    def topic(self, request: Request, topics: RobotTopics) -> str:
        """Name the reply topic, forged when a knob says so."""
        if self.wrong_id:
            request = evolve(request, request_id=request.request_id[::-1] + "z")
        if self.wrong_command:
            request = evolve(request, command=request.command + "X")
        topic = topics.reply(request)
        if self.wrong_sender:
            topic = topic.replace(topics.did, STRANGER, 1)
        if self.short_topic:
            return "/".join(topic.split("/")[:6])
        return f"{topic}/x" if self.long_topic else topic

    def payload(self, name: str, payload: bytes) -> bytes:
        """Spoil the payload of an event, or of the reply to a command."""
        if self.numeric_strings and name in STATS:
            payload = stringly(payload)
        return raw_entities(payload) if self.unescaped else payload


def stringly(payload: bytes) -> bytes:
    """Turn the numbers in C{body.data} into text."""
    message = json.loads(payload)
    data = message.get("body", {}).get("data")
    if isinstance(data, dict):
        data.update({k: str(v) for k, v in data.items() if type(v) is int})
    return json.dumps(message, separators=(",", ":")).encode()


def raw_entities(payload: bytes) -> bytes:
    """Undo the escaping of XML."""
    return payload.replace(b"&lt;", b"<").replace(b"&amp;", b"&")


@define
class Reorder:
    """Holds every other message back until the next one is out."""

    _waiting: Callable[[], None] | None = field(default=None, init=False)

    def send(self, action: Callable[[], None]) -> None:
        """Send now, or as second of a pair."""
        if self._waiting is None:
            self._waiting = action
            return
        waiting, self._waiting = self._waiting, None
        action()
        waiting()
