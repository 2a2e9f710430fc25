"""Asking a robot for its map: only for what is not here, and never all at once."""

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.core.allowance import Shares
from bumper_tw.core.maps import MapBook
from bumper_tw.core.surveys import Silence, Survey
from bumper_tw.errors import BadRequest, CommandFailed, DeviceUnknown
from bumper_tw.interfaces import ICommandCorrelator, IDeviceRegistry
from bumper_tw.readings import Report, Stats
from bumper_tw.values import Command, Reply

#: Seconds between two surveys of one robot, and for an answer to one question.
PAUSE, PATIENCE = 10.0, 5.0
#: Robots that are remembered to have been asked.
REMEMBERED = 1000
#: Jobs that may end within some seconds, of one robot and of all; of others the path is not kept.
ENDS, ALL_ENDS, WHILE = 5, 500, 60.0


class Surveyor:
    """
    Asks robots for their maps, one survey of a robot at a time.

    @ivar ended: is told of each job that is over, when its path has been asked for.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        registry: IDeviceRegistry,
        commands: ICommandCorrelator,
        book: MapBook,
        is_watched: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """
        @param commands: takes the names of JSON for every robot.
        @param is_watched: whether somebody looks at a robot, so that its map has to be new.
        """
        self._clock, self._registry, self._commands = clock, registry, commands
        self._book, self._is_watched = book, is_watched
        self._running: dict[str, list[Deferred[bool]]] = {}
        self._asked: dict[str, float] = {}
        self._ends = Shares(clock, ENDS, ALL_ENDS, WHILE)
        self.ended: Callable[[str, Stats], object] = lambda *_: None
        book.stale = self.stale

    def survey(self, did: str, pause: float = PAUSE) -> Deferred[bool]:
        """
        Ask a robot for all that is new; whoever asks while that is going on shares it.

        @param pause: seconds since the last time within which nothing is asked.
        @return: whether it was asked; fires when all of it is here that comes.
        """
        if did in self._running:
            waiting: Deferred[bool] = Deferred()
            self._running[did].append(waiting)
            return waiting
        recent = self._clock.seconds() - self._asked.get(did, -1e9) < pause
        if recent or not self._is_online(did):
            return succeed(False)
        self._running[did] = []
        self._note(did)
        return Deferred.fromCoroutine(self._survey(did)).addBoth(self._done, did)

    def was_asked(self, did: str) -> bool:
        """Whether a robot has had its time to tell of a map."""
        return did in self._asked and did not in self._running

    def _is_online(self, did: str) -> bool:
        try:
            self._registry.link(did)
        except CommandFailed:
            return False
        return True

    def _note(self, did: str) -> None:
        self._asked.pop(did, None)
        self._asked[did] = self._clock.seconds()
        while len(self._asked) > REMEMBERED:
            del self._asked[next(iter(self._asked))]

    def _done(self, result: bool | Failure, did: str) -> bool:
        if isinstance(result, Failure):
            self._lost(result, did)
        asked = result is True
        for waiting in self._running.pop(did, ()):
            if not waiting.called:
                waiting.callback(asked)
        return asked

    def stale(self, did: str) -> None:
        """A robot says that its map is another: whoever looks at it is to see that."""
        if self._is_watched(did):
            self.survey(did)

    def heard(self, report: Report) -> None:
        """A job that ends has a path; XML robots tell it only if they are asked when it begins."""
        job = report.reading
        if isinstance(job, Stats) and job.started_at > 0:
            if job.stopped:
                self._over(report.did, job)
            elif job.duration is None and not self._book.of(report.did).path.points:
                self._path(report.did, always=False)

    def _over(self, did: str, job: Stats) -> None:
        if self._ends.take(did):
            self._path(did, always=True).addCallback(self._told, did, job)

    def _told(self, _: object, did: str, job: Stats) -> None:
        self.ended(did, job)

    def _path(self, did: str, always: bool) -> Deferred[None]:
        """
        Ask for the path.

        @param always: also where it comes by itself.
        @return: never fails.
        """
        survey = self._new(did)
        if survey is None or not (always or survey.is_xml):
            return succeed(None)
        return Deferred.fromCoroutine(survey.path()).addErrback(self._lost, did)

    def _lost(self, failure: Failure, did: str) -> None:
        if failure.check(CommandFailed, BadRequest, Silence) is None:
            self._log.failure("the map of {did} could not be asked for", failure, did=did)

    async def _survey(self, did: str) -> bool:
        survey = self._new(did)
        if survey is not None:
            await survey.all()
        return survey is not None

    def _new(self, did: str) -> Survey | None:
        try:
            device = self._registry.device(did)
        except DeviceUnknown:
            return None
        return Survey(device, self._book, self._send, self._clock.seconds())

    def _send(self, command: Command) -> Deferred[Reply]:
        return self._commands.send(command, PATIENCE)
