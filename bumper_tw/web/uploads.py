"""
Files that robots and apps send: kept within limits, and looked into by nobody here.

Nobody has to log in for that.  So there is room for so much an hour only, per address and in all:
else somebody could write to the disk for ever, although little of it stays.

Neither are they decoded: what is compressed stays so, however much would come out of it.
"""

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.core.allowance import Shares
from bumper_tw.core.repeats import Repeats, again
from bumper_tw.errors import StorageError
from bumper_tw.people_interfaces import IFiles
from bumper_tw.web.askers import Askers
from bumper_tw.web.call import Answer, Call
from bumper_tw.web.engine.entries import Entry

#: The owner of files whose robot nobody knows.  All of these together get the room of one robot.
STRANGERS = "strangers"
#: The parameters that say what a file is, besides the segment of a path.
WHAT = ("what", "rn", "type", "fileType")

#: The time in which an allowance comes back, in seconds.
HOUR = 3600.0
KIB = 1 << 10


@frozen
class Rate:
    """
    As much is taken at once, and again within each hour.

    @ivar size: kibibytes from one address.
    @ivar size_all: the same from all.
    @ivar number: files from one address.
    @ivar number_all: the same from all.
    """

    size: int
    size_all: int
    number: int
    number_all: int


#: Of robots that are connected, and of everybody else.
ROBOTS = Rate(100 * KIB, 500 * KIB, 1000, 5000)
OTHERS = Rate(10 * KIB, 20 * KIB, 100, 300)


class Inflow:
    """Counts what comes."""

    def __init__(self, clock: IReactorTime, rate: Rate) -> None:
        self._sizes = Shares(clock, rate.size, rate.size_all, HOUR)
        self._numbers = Shares(clock, rate.number, rate.number_all, HOUR)

    def take(self, peer: str, size: int) -> bool:
        """
        Take one more file.

        @param size: in bytes.
        @return: whether there is room for it; if not, it does not count.
        """
        blocks = -(-size // KIB)
        if not self._sizes.has(peer, blocks) or not self._numbers.take(peer):
            return False
        return self._sizes.take(peer, blocks)


class Uploads:
    """
    What happens to an upload.

    @ivar kept: how many files were kept.
    @ivar dropped: how many were not, because too many came.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, files: IFiles, askers: Askers) -> None:
        self._files, self._askers = files, askers
        self.kept = self.dropped = 0
        self._said, self._said_hourly = Repeats(clock), Repeats(clock, HOUR)
        self._robots, self._others = Inflow(clock, ROBOTS), Inflow(clock, OTHERS)

    def keep(self, _: Entry, call: Call) -> Deferred[Answer | None] | None:
        """
        Keep the body of a request, if there is any.

        @return: fails with L{BadRequest<bumper_tw.errors.BadRequest>} when there is no room.
            That the disk refuses, or too much comes, is for the owner to know; the answer is
            as usual.
        """
        if not call.raw:
            return None
        robot = self._askers.robot(call, inside=False)
        inflow = self._others if robot is None else self._robots
        if not inflow.take(call.peer, len(call.raw)):
            self._drop(call.peer)
            return None
        owner = STRANGERS if robot is None else robot.id.did
        kept: Deferred[str] = self._files.keep(owner, what(call), call.raw)
        return kept.addCallbacks(self._count, self._refused)

    def _drop(self, peer: str) -> None:
        self.dropped += 1
        more = self._said_hourly.say("too much")
        if more is not None:
            self._log.warn(
                "too many uploads within an hour, one from {peer} is dropped{more}",
                peer=peer or "a local socket",
                more=again(more),
            )

    def _count(self, _: str) -> Answer | None:
        self.kept += 1
        return None

    def _refused(self, failure: Failure) -> Answer | None:
        failure.trap(StorageError)
        more = self._said.say("disk")
        if more is not None:
            why = failure.getErrorMessage()
            self._log.error("an upload is lost: {why}{more}", why=why, more=again(more))
        return None


def what(call: Call) -> str:
    """
    What a file is, as its sender calls it.

    @raise BadRequest: there are more query parameters than anybody sends.
    """
    names = (call.segments.get(name) or call.query(name) for name in WHAT)
    return next((name for name in names if name), "")
