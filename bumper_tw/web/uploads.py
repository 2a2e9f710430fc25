"""
Files that robots and apps send: kept within limits, and looked into by nobody here.

Neither are they decoded: what is compressed stays so, however much would come out of it.
"""

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

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


class Uploads:
    """
    What happens to an upload.

    @ivar kept: how many files were kept.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, files: IFiles, askers: Askers) -> None:
        self._files, self._askers, self.kept = files, askers, 0
        self._said = Repeats(clock)

    def keep(self, _: Entry, call: Call) -> Deferred[Answer | None] | None:
        """
        Keep the body of a request, if there is any.

        @return: fails with L{BadRequest<bumper_tw.errors.BadRequest>} when there is no room.
            That the disk refuses is for the owner to know; the answer is as usual.
        """
        if not call.raw:
            return None
        robot = self._askers.robot(call, inside=False)
        owner = STRANGERS if robot is None else robot.id.did
        kept: Deferred[str] = self._files.keep(owner, what(call), call.raw)
        return kept.addCallbacks(self._count, self._refused)

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
