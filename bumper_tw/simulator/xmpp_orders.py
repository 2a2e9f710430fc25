"""Commands on their way through an XMPP robot (robots.md 7.2, 7.3 and 8)."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from functools import partial

from attrs import define, field, frozen

from bumper_tw.simulator import xmpp_words as words
from bumper_tw.simulator.any_robot import MOST_WAITING
from bumper_tw.simulator.record import Violations
from bumper_tw.simulator.timers import Timers
from bumper_tw.simulator.xml_context import fail
from bumper_tw.simulator.xml_text import Node
from bumper_tw.simulator.xmpp_dialect import WEDGED, XmppDialect, answer
from bumper_tw.simulator.xmpp_link import XmppLink
from bumper_tw.simulator.xmpp_profile import Permission, XmppFaults, XmppProfile
from bumper_tw.simulator.xmpp_users import UserList


@frozen
class Delays:
    """Seconds between an acknowledgement and its answer, from C{shortest} to C{longest}."""

    rng: random.Random
    shortest: float
    longest: float

    def next(self) -> float:
        """Draw one."""
        return self.rng.uniform(self.shortest, self.longest)


@frozen
class Order:
    """A command on its way through the robot."""

    sender: str
    stanza_id: str
    command: str
    ctl: Node
    allowed: bool


@define(eq=False)
class Orders:
    """
    Acknowledges commands and carries them out, one after the other.

    What is sent through L{hold} while a command is being obeyed follows its answer.
    """

    _dialect: XmppDialect
    _users: UserList
    _profile: XmppProfile
    _faults: XmppFaults
    _violations: Violations
    _timers: Timers
    _network: Timers
    _delays: Delays
    _link: XmppLink
    _waiting: deque[Order] = field(factory=deque, init=False)
    _held: list[Callable[[], None]] | None = field(default=None, init=False)
    _count: int = field(default=0, init=False)

    def take(self, sender: str, stanza_id: str, ctl: Node) -> None:
        """Accept a command, or be silent about it."""
        command = ctl.get("td")
        if not self._heeds(command):
            return
        allowed = self._users.allows(sender, command)
        order = Order(sender, stanza_id, command, ctl, allowed)
        if len(self._waiting) >= MOST_WAITING:
            self._violations.add("too many commands at once")
            return
        if not self._answers_inside(order):
            self._link.send(words.result(order.sender, order.stanza_id))
        self._line_up(order)

    def hold(self, action: Callable[[], None]) -> bool:
        """Put something off until the answer is out; tell whether there is one to wait for."""
        if self._held is None:
            return False
        self._held.append(action)
        return True

    def forget(self) -> None:
        """Drop what is not answered."""
        self._timers.drop("work")
        self._network.drop("answer")
        self._waiting.clear()

    def _heeds(self, command: str) -> bool:
        # Silence is total, not even an acknowledgement comes (robots.md 7.3).
        if not self._dialect.knows(command):
            return False
        self._count += 1
        dropped = self._profile.silence and self._count % self._profile.silence == 0
        return not dropped and not self._faults.swallows(command)

    def _answers_inside(self, order: Order) -> bool:
        return not order.allowed and self._profile.permission is Permission.RESULT

    def _line_up(self, order: Order) -> None:
        if self._delays.longest <= 0:
            self._carry_out(order)
            return
        self._waiting.append(order)
        if len(self._waiting) == 1:
            self._work_later()

    def _work_later(self) -> None:
        self._timers.after(self._delays.next(), self._work, "work")

    def _work(self) -> None:
        self._carry_out(self._waiting.popleft())
        if self._waiting:
            self._work_later()

    def _carry_out(self, order: Order) -> None:
        held = self._held = []
        try:
            ctl = self._answer(order)
        finally:
            self._held = None
        if ctl is not None:
            self._reply(order, self._spoilt(order.command, ctl))
        for action in held:
            action()

    def _answer(self, order: Order) -> bytes | None:
        if not order.allowed:
            reply = self._users.denial()
        elif self._faults.wedge:
            reply = fail(WEDGED)
        else:
            reply = self._dialect.obey(order.command, order.ctl)
        return answer(order.command, order.ctl.get("id"), reply)

    def _spoilt(self, command: str, ctl: bytes) -> bytes:
        garbage = self._faults.garbage
        return self._faults.payload(command, ctl) if garbage is None else garbage.value

    def _reply(self, order: Order, ctl: bytes) -> None:
        send = partial(self._send, order, ctl)
        delay = self._faults.delays.get(order.command, 0.0)
        for _ in range(2 if self._faults.duplicate else 1):
            if delay > 0:
                self._network.after(delay, send, "answer")
            else:
                send()

    def _send(self, order: Order, ctl: bytes) -> None:
        if self._answers_inside(order):
            self._link.send(words.result(order.sender, order.stanza_id, words.query(ctl)))
        else:
            self._link.send(words.control(order.sender, self._link.number(), ctl))
