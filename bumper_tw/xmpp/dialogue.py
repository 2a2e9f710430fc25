"""Our own questions to one robot: under which numbers they are open, and which to ask again."""

from collections.abc import Callable, Iterator
from itertools import count

from attrs import define
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from bumper_tw.dialect import controls, stanzas
from bumper_tw.dialect.domains import robot_jid, user_jid
from bumper_tw.dialect.topics import HELPER
from bumper_tw.errors import BadRequest, CommandFailed
from bumper_tw.interfaces import IRobotLink
from bumper_tw.values import Command, DeviceId, PayloadKind, RequestId

#: Who asks; robots answer to it, and nobody from the network is called so.
OURSELVES = user_jid(HELPER[0], HELPER[1])

#: As many questions to one robot are remembered; the correlator has far fewer open.
MOST = 64

#: Seconds after which a robot that was told to obey us is asked again, if it does not say that
#: it will.
PATIENCE = 3.0

#: What the names of commands begin with that only ask for something.
QUESTION = "Get"

#: The smallest number of eight digits, and how many there are.
FIRST, SPACE = 10_000_000, 90_000_000


def numbers(start: int) -> Iterator[str]:
    """
    Numbers for questions, of eight digits as apps use (xmpp.md 6.2).

    @param start: where to begin; a random number, so that answers to questions from before a
        restart find nobody.
    """
    return (str(FIRST + (start + step) % SPACE) for step in count())


@define(eq=False)
class Asked:
    """
    One question of ours.

    @ivar again: whether it was refused once already.
    """

    command: Command
    request: RequestId
    again: bool = False

    @property
    def is_harmless(self) -> bool:
        """Whether it changes nothing, so that it may be asked twice."""
        return self.command.name.startswith(QUESTION)


class Dialogue:
    """
    What we have asked one robot; it goes on when the robot comes back on a new stream.

    What comes before the robot is ready waits for that: some drop what comes before their
    session is established.

    @ivar device: the robot's address.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        tell: Callable[[DeviceId, bytes], None],
        device: DeviceId,
        fresh: Iterator[str],
    ) -> None:
        """
        @param tell: fails with L{CommandFailed} when the robot cannot be reached.
        @param fresh: numbers for questions.
        """
        self._clock, self._tell, self.device, self._fresh = clock, tell, device, fresh
        self._open: dict[str, Asked] = {}
        self._early: list[Asked] = []
        self._refused: list[Asked] = []
        self._ready = False
        self._timer: IDelayedCall | None = None

    def wait(self) -> None:
        """The robot has a new stream, and is not ready there yet."""
        self._ready = False

    def listening(self) -> None:
        """
        The robot is ready.

        What it was asked before may be lost with its old stream, and is asked again; but no
        order is given twice.
        """
        if self._ready:
            return
        self._ready = True
        early, self._early = self._early, []
        lost = [each for each in dict.fromkeys(self._open.values()) if each.is_harmless]
        for asked in (*lost, *early):
            self.try_to_put(asked)

    def put(self, asked: Asked) -> None:
        """
        Ask the robot as soon as it is ready.

        @raise CommandFailed: it cannot be reached.
        @raise BadRequest: that is no question.
        """
        if self._ready:
            self.ask(asked)
        else:
            # What cannot be said has to fail now; later nobody could be told.
            controls.request(asked.command.name, asked.command.body, "")
            self._early.append(asked)

    def ask(self, asked: Asked) -> None:
        """
        Ask the robot now, under a number that is both that of the stanza and that of the
        C{ctl}: some robots repeat the one, some the other (xmpp.md 13.1).

        @raise CommandFailed: it cannot be reached.
        """
        number = next(self._fresh)
        ctl = controls.request(asked.command.name, asked.command.body, number)
        self._open[number] = asked
        if len(self._open) > MOST:
            del self._open[next(iter(self._open))]
        stanza = stanzas.control(number, robot_jid(self.device), OURSELVES, ctl)
        try:
            self._tell(self.device, stanza)
        except CommandFailed:
            self._open.pop(number, None)
            raise

    def answered(self, *under: str) -> Asked | None:
        """The question that has an answer, by the first of these numbers that is one of ours."""
        asked = next((self._open[each] for each in under if each in self._open), None)
        if asked is not None:
            # It may be open under more than one number.
            self._open = {n: each for n, each in self._open.items() if each is not asked}
        return asked

    def withdraw(self, request: RequestId) -> None:
        """Nobody waits for this any more."""
        self._early = [each for each in self._early if each.request != request]
        self._refused = [each for each in self._refused if each.request != request]
        self._open = {n: each for n, each in self._open.items() if each.request != request}

    @property
    def in_repair(self) -> bool:
        """Whether the robot was told just now to obey us."""
        return self._timer is not None

    def hold(self, refused: Asked) -> None:
        """The robot is being told to obey us; this is asked again after that."""
        refused.again = True
        self._refused.append(refused)
        if self._timer is None:
            self._timer = self._clock.callLater(PATIENCE, self._ask_again)

    def repaired(self) -> None:
        """The robot says that it obeys us."""
        if self._timer is not None:
            self._timer.cancel()
            self._ask_again()

    def _ask_again(self) -> None:
        self._timer = None
        refused, self._refused = self._refused, []
        for each in refused:
            self.try_to_put(each)

    def try_to_put(self, asked: Asked) -> None:
        """The same as L{put}, where nobody hears of a failure; whoever asked will time out."""
        try:
            self.put(asked)
        except CommandFailed as why:
            name, did = asked.command.name, self.device.did
            self._log.info("{did} cannot be asked {name}: {why}", did=did, name=name, why=why)

    def end(self) -> None:
        """The robot has gone."""
        self._open, self._early, self._refused = {}, [], []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


@implementer(IRobotLink)
class XmppLink:
    """
    One robot behind the XMPP router, on one stream.

    @ivar dialogue: outlives the stream.
    """

    def __init__(self, dialogue: Dialogue) -> None:
        self.dialogue = dialogue

    def deliver(self, command: Command, request: RequestId) -> None:
        if command.kind is not PayloadKind.XML:
            raise BadRequest(f"{command.device.did} speaks XML, and {command.name} is not")
        self.dialogue.put(Asked(command, request))

    def withdraw(self, request: RequestId) -> None:
        self.dialogue.withdraw(request)
