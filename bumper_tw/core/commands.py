"""The correlator: one Deferred per question to a robot, and the answer to exactly that."""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from itertools import count
from string import ascii_letters

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from bumper_tw.errors import (
    BadRequest,
    BumperError,
    CommandFailed,
    CommandTimedOut,
    DeviceOffline,
    RobotBusy,
    ShuttingDown,
)
from bumper_tw.interfaces import ICommandCorrelator, IDeviceRegistry, Undo
from bumper_tw.values import Command, DeviceId, Reply, RequestId

#: How many request ids of four letters there are.
SPACE = len(ascii_letters) ** 4


#: Odd and no multiple of 13, so that steps of it visit every id before any comes again.
STRIDE = 1_664_525


def request_ids(start: int) -> Iterator[RequestId]:
    """
    Request ids of four letters, each of the 7,311,616 once before one repeats.

    Random ids collide, and a collision hands one robot's answer to another's question
    (mqtt.md 6.2).  Nothing has to be secret about them: a reply also has to come from the
    robot that was asked.

    @param start: where to begin; a random number, so that answers to questions from before
        a restart find nobody.
    """
    for step in count():
        yield _letters((start + step * STRIDE) % SPACE)


def _letters(number: int) -> RequestId:
    number, fourth = divmod(number, 52)
    number, third = divmod(number, 52)
    first, second = divmod(number, 52)
    letters = ascii_letters
    return RequestId(letters[first] + letters[second] + letters[third] + letters[fourth])


@frozen(eq=False)
class Ending:
    """
    How a command has ended.

    @ivar by: who asked, as in L{ICommandCorrelator.send}.
    @ivar outcome: C{answered}, C{dropped}, or the name of the failure.
    @ivar seconds: since it was asked.
    @ivar request: C{None} for one that never went out.
    @ivar body: what the robot said; C{None} when that was nothing.
    @ivar words: why there is no answer, in a sentence; empty when there is one.
    """

    command: Command
    by: str
    outcome: str
    seconds: float
    request: RequestId | None = None
    body: bytes | None = None
    words: str = ""


#: Is told how a command has ended.
Ended = Callable[[Ending], object]


@define(eq=False)
class Question:
    """One command on its way; its request id is drawn when it goes out."""

    command: Command
    by: str
    asked_at: float
    answer: Deferred[Reply]
    timer: "IDelayedCall | None" = None
    request: RequestId | None = None


@define(eq=False)
class Conversation:
    """What one robot has been asked, and what it will be asked next."""

    open: dict[RequestId, Question] = field(factory=dict)
    queue: deque[Question] = field(factory=deque)


@implementer(ICommandCorrelator)
class CommandCorrelator:
    """
    Asks robots, at most C{outstanding} questions each at a time; C{queued} more may wait.

    @ivar counts: commands by outcome.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        registry: IDeviceRegistry,
        requests: Iterator[RequestId],
        timeout: float = 10.0,
        outstanding: int = 8,
        queued: int = 64,
    ) -> None:
        self._clock, self._registry, self._requests = clock, registry, requests
        self.timeout, self._outstanding, self._queued = timeout, outstanding, queued
        self._robots: dict[str, Conversation] = {}
        self._stopping = False
        self._watchers: tuple[Ended, ...] = ()
        self.counts: Counter[str] = Counter()

    def watch(self, ended: Ended) -> Undo:
        """
        Be told of each command that ends.

        @param ended: costs little, and does not fail.
        """
        self._watchers = (*self._watchers, ended)

        def unwatch() -> None:
            self._watchers = tuple(each for each in self._watchers if each is not ended)

        return unwatch

    def _tell(self, ending: Ending) -> None:
        for ended in self._watchers:
            ended(ending)

    def send(
        self, command: Command, timeout: float | None = None, by: str = ""
    ) -> Deferred[Reply]:
        refusal = self._refusal(command)
        if refusal is not None:
            return self._refuse(command, by, refusal)
        question = self._question(command, self.timeout if timeout is None else timeout, by)
        robot = self._robots.setdefault(command.device.did, Conversation())
        robot.queue.append(question)
        self._ask(robot)
        return question.answer

    def _refuse(self, command: Command, by: str, why: CommandFailed) -> Deferred[Reply]:
        outcome = type(why).__name__
        self.counts[outcome] += 1
        if self._watchers:
            self._tell(Ending(command, by, outcome, 0.0, words=str(why)))
        return fail(why)

    def _refusal(self, command: Command) -> CommandFailed | None:
        """Why a command cannot even be tried."""
        if self._stopping:
            return ShuttingDown("the server is stopping")
        try:
            self._registry.link(command.device.did)
        except CommandFailed as why:
            return why
        robot = self._robots.get(command.device.did)
        if robot is not None and len(robot.queue) >= self._queued:
            return RobotBusy(f"{self._queued} commands wait for {command.device.did} already")
        return None

    def _question(self, command: Command, timeout: float, by: str) -> Question:
        answer: Deferred[Reply] = Deferred(lambda _: self._drop(question))
        question = Question(command, by, self._clock.seconds(), answer)
        question.timer = self._clock.callLater(timeout, self._expire, question, timeout)
        return question

    def _ask(self, robot: Conversation) -> None:
        """Put on the wire what may go out."""
        while robot.queue and len(robot.open) < self._outstanding:
            question = robot.queue.popleft()
            request = question.request = next(self._requests)
            robot.open[request] = question
            self._deliver(question, request)

    def _deliver(self, question: Question, request: RequestId) -> None:
        try:
            self._registry.link(question.command.device.did).deliver(question.command, request)
        except (CommandFailed, BadRequest) as why:
            self._end(question, why)

    def replied(self, device: DeviceId, name: str, request: RequestId, body: bytes) -> None:
        question = self._asked(device, name, request)
        if question is not None:
            self._end(question, Reply(question.command, request, body))

    def failed(self, device: DeviceId, name: str, request: RequestId, why: CommandFailed) -> None:
        question = self._asked(device, name, request)
        if question is not None:
            self._end(question, why)

    def _asked(self, device: DeviceId, name: str, request: RequestId) -> Question | None:
        """What a robot was asked under that id; nothing but the answer to it counts."""
        robot = self._robots.get(device.did)
        question = robot.open.get(request) if robot else None
        if question is None:
            self.counts["late"] += 1
            self._log.info(
                "late reply {request} to {name} from {did}",
                request=request,
                name=name,
                did=device.did,
            )
        elif question.command.name != name or question.command.device != device:
            self.counts["foreign"] += 1
            self._log.warn(
                "reply {request} from {did} does not fit its question",
                request=request,
                did=device.did,
            )
            question = None
        return question

    def detached(self, device: DeviceId) -> None:
        robot = self._robots.pop(device.did, None)
        if robot:
            self._fail_all(robot, lambda: DeviceOffline(f"{device.did} has gone"))

    def _fail_all(self, robot: Conversation, why: Callable[[], CommandFailed]) -> None:
        for question in [*robot.open.values(), *robot.queue]:
            self._end(question, why())

    def _expire(self, question: Question, timeout: float) -> None:
        question.timer = None
        self._withdraw(question)
        did = question.command.device.did
        self._end(question, CommandTimedOut(f"{did} did not answer within {timeout:g} s"))

    def _drop(self, question: Question) -> None:
        """Whoever asked has gone; Twisted fails the Deferred with CancelledError."""
        self._count(question, "dropped")
        self._withdraw(question)
        robot = self._forget(question)
        if robot is not None:
            self._ask(robot)

    def _count(
        self, question: Question, outcome: str, body: bytes | None = None, words: str = ""
    ) -> None:
        self.counts[outcome] += 1
        if self._watchers:
            took = max(0.0, self._clock.seconds() - question.asked_at)
            asked = question.command, question.by
            self._tell(Ending(*asked, outcome, took, question.request, body, words))

    def _withdraw(self, question: Question) -> None:
        """What has not reached the robot yet need not do so any more."""
        if question.request is not None:
            try:
                link = self._registry.link(question.command.device.did)
            except CommandFailed:
                return
            link.withdraw(question.request)

    def _end(self, question: Question, result: Reply | BumperError) -> None:
        """Each question ends here or in L{_drop}, once."""
        if isinstance(result, Reply):
            self._count(question, "answered", result.body)
        else:
            self._count(question, type(result).__name__, words=str(result))
        robot = self._forget(question)
        if isinstance(result, Reply):
            question.answer.callback(result)
        else:
            question.answer.errback(result)
        if robot is not None:
            self._ask(robot)

    def _forget(self, question: Question) -> Conversation | None:
        """Take a question out of the books; its robot, if there is more to ask it."""
        if question.timer is not None:
            question.timer.cancel()
            question.timer = None
        did = question.command.device.did
        robot = self._robots.get(did)
        if robot is None:
            return None
        if question.request is None:
            if question in robot.queue:
                robot.queue.remove(question)
        else:
            robot.open.pop(question.request, None)
        if not robot.open and not robot.queue:
            del self._robots[did]
            return None
        return robot

    def stop(self) -> None:
        """Open questions fail with L{ShuttingDown}; no new ones are taken."""
        self._stopping = True
        while self._robots:
            _, robot = self._robots.popitem()
            self._fail_all(robot, lambda: ShuttingDown("the server is stopping"))

    @property
    def waiting(self) -> int:
        """How many questions are open now."""
        return sum(len(robot.open) + len(robot.queue) for robot in self._robots.values())
