"""What a robot checks on every request the server delivers (robots.md 4.2 and 9)."""

from __future__ import annotations

import re

from attrs import define, field

from bumper_tw.simulator.identity import Kind, Profile
from bumper_tw.simulator.record import Violations
from bumper_tw.simulator.topics import Request

REQUEST_ID = re.compile(r"[A-Za-z]{4}")
EITHER_FORMAT = frozenset(
    ["GetWKVer", "getWKVer", "SetTime", "IDToken", "GetVersion", "GetNetInfo"]
)
"""Commands that cross the dialects (robots.md 4.2)."""

TIME_SYNC = ("setTimeZone", "SetTime")


@define
class Checks:
    """Judges the requests of one connection after the other."""

    kind: Kind
    profile: Profile
    violations: Violations
    _open: set[str] = field(factory=set, init=False)
    _subscribed: bool = field(default=False, init=False)
    _synced: dict[str, int] = field(factory=dict, init=False)

    def connected(self) -> None:
        """Begin a new connection."""
        self._open.clear()
        self._synced.clear()
        self._subscribed = False

    def subscribed(self) -> None:
        """Note that requests may come now."""
        self._subscribed = True

    def ended(self) -> None:
        """Judge what only the end of a connection shows."""
        if self.profile.time_sync and self._subscribed and not self._synced:
            self.violations.add("no time synchronisation")

    def opened(self, request: Request) -> None:
        """Judge a request that arrived."""
        self._judge_topic(request)
        if not self._subscribed:
            self.violations.add(f"{request.command} before the subscription was granted")
        if request.command in TIME_SYNC:
            self._judge_sync(request.command)
        self._open.add(request.request_id)

    def closed(self, request: Request) -> None:
        """Forget a request that was obeyed or ignored."""
        self._open.discard(request.request_id)

    def _judge_topic(self, request: Request) -> None:
        complain = self.violations.add
        if request.sender not in self.profile.permitted:
            complain(f"sender {request.sender}")
        if not REQUEST_ID.fullmatch(request.request_id):
            complain(f"request id {request.request_id}")
        if request.request_id in self._open:
            complain(f"request id {request.request_id} is in use")
        if request.letter != self.kind.value and request.command not in EITHER_FORMAT:
            complain(f"format {request.letter} for {request.command}")

    def _judge_sync(self, command: str) -> None:
        count = self._synced[command] = self._synced.get(command, 0) + 1
        if self.profile.time_sync and count > 1:
            self.violations.add(f"{command} sent {count} times")
