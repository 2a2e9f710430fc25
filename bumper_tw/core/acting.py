"""Has a robot do something, in the spelling it understands."""

from collections.abc import Sequence
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from bumper_tw.core.robot_ways import RobotWays
from bumper_tw.dialect import lenient
from bumper_tw.dialect.actions import THERE_ALREADY, UNKNOWN_TASK, Order
from bumper_tw.dialect.envelopes import to_json
from bumper_tw.dialect.refusals import in_json
from bumper_tw.errors import AnswerGarbled, BumperError, CommandFailed, CommandTimedOut
from bumper_tw.interfaces import ICommandCorrelator
from bumper_tw.values import Command, Device, PayloadKind, Reply

#: Seconds for a spelling that a robot may not understand, and says nothing to.
SHORT = 3.0
#: Seconds for each of many questions.
FOR_QUESTIONS = 6.0


@frozen
class Done:
    """
    What became of it.

    @ivar reply: what the robot answered, parsed.
    @ivar refusal: why it did not, in its words; empty when it did.
    """

    reply: Any
    refusal: str
    seconds: float


class Acting:
    """
    Gives orders.

    @param commands: takes JSON names for robots of both generations.
    """

    def __init__(self, clock: IReactorTime, commands: ICommandCorrelator, ways: RobotWays) -> None:
        self._clock, self._commands, self._ways = clock, commands, ways

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock.seconds()

    def preferred(self, device: Device, orders: Sequence[Order]) -> Sequence[Order]:
        """The spellings that would be tried, the first in front."""
        return self._ways.of(device.id, orders)

    def act(
        self, device: Device, orders: Sequence[Order], by: str, together: bool = False
    ) -> Deferred[Done]:
        """
        Have it done.

        @param orders: spellings of one thing, the most likely first; or all that is to be asked,
            if C{together}.
        @param by: who wants it, as in L{ICommandCorrelator.send}; of several questions the first
            stands for all.
        @return: fails with L{CommandFailed}, or with
            L{BadRequest<bumper_tw.errors.BadRequest>} when the robot's language has no words
            for it.
        """
        way = self._ask_all if together else self._try
        return Deferred.fromCoroutine(way(device, orders, by))

    async def _try(self, device: Device, orders: Sequence[Order], by: str) -> Done:
        begun, tried = self._clock.seconds(), self._ways.of(device.id, orders)
        for order in tried[:-1]:
            try:
                done = await self._attempt(device, order, by, begun, SHORT)
            except CommandTimedOut:
                continue
            if code(done.reply) != UNKNOWN_TASK:
                return done
        return await self._attempt(device, tried[-1], by, begun, None)

    async def _attempt(
        self, device: Device, order: Order, by: str, begun: float, timeout: float | None
    ) -> Done:
        """One spelling; whether the robot understands it, is remembered."""
        try:
            reply = await self._send(device, order, by, timeout)
        except CommandTimedOut:
            self._ways.unlearn(device.id, order.name)
            raise
        done = self._judged(reply, begun)
        if code(done.reply) == UNKNOWN_TASK:
            self._ways.unlearn(device.id, order.name)
        else:
            self._ways.learn(device.id, order.name)
        return done

    def _send(
        self, device: Device, order: Order, by: str, timeout: float | None
    ) -> Deferred[Reply]:
        body = payload(order.data, self._clock.seconds())
        command = Command(device.id, order.name, body, PayloadKind.JSON)
        return self._commands.send(command, timeout, by)

    def _judged(self, reply: Reply, begun: float) -> Done:
        said = parsed(reply.body)
        refusal = "" if code(said) == THERE_ALREADY else in_json(said)
        return Done(said, refusal, max(0.0, self._clock.seconds() - begun))

    async def _ask_all(self, device: Device, orders: Sequence[Order], by: str) -> Done:
        begun = self._clock.seconds()
        asked: list[Deferred[Any]] = [
            self._send(device, order, by if number == 0 else "", FOR_QUESTIONS)
            for number, order in enumerate(orders)
        ]
        ends: list[tuple[bool, Any]] = await DeferredList(asked, consumeErrors=True)
        answered = sum(succeeded for succeeded, _ in ends)
        if not answered:
            raise failure_of(ends)
        reply = {"asked": len(orders), "answered": answered}
        return Done(reply, "", max(0.0, self._clock.seconds() - begun))


def failure_of(ends: Sequence[tuple[bool, Any]]) -> BaseException:
    """Why none of several questions was answered."""
    found = (end.value for _, end in ends if isinstance(end, Failure))
    named = (why for why in found if isinstance(why, BumperError))
    return next(named, CommandFailed("nothing was asked"))


def payload(data: object, now: float) -> bytes:
    """A command as JSON robots read it (mqtt.md 7.1); C{now} in seconds since the epoch."""
    header = {"pri": "1", "ts": int(now * 1000), "tzm": 480, "ver": "0.0.50"}
    return to_json({"header": header} | ({} if data is None else {"body": {"data": data}}))


def parsed(body: bytes) -> Any:
    """
    An answer.

    @raise AnswerGarbled: it cannot be read.
    """
    try:
        return lenient.load(body)
    except ValueError as wrong:
        raise AnswerGarbled("the robot answered with no sense") from wrong


def code(said: object) -> int | None:
    """The number in an answer."""
    return lenient.number(lenient.fields(lenient.fields(said).get("body")).get("code"))
