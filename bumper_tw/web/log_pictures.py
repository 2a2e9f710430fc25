"""The pictures of cleaning jobs, as far as robots have left them here."""

from collections.abc import Iterator

from twisted.internet.defer import Deferred

from bumper_tw.errors import BadRequest
from bumper_tw.people_interfaces import IFiles
from bumper_tw.values import CleaningLog
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.routes import GET, Route
from bumper_tw.web.uploads import STRANGERS

#: What pictures begin with, and what they are.
KINDS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
)

#: As much of a name is kept with a file.
MAX_WORD = 32


class LogPictures:
    """
    Finds the picture that a log names, and shows it.

    Apps fetch pictures without any token.  So whoever knows the key of a file may see it: it is
    in the logs of those only who may use the robot, and nobody can guess it.
    """

    def __init__(self, files: IFiles) -> None:
        self._files = files

    def routes(self) -> Iterator[Route]:
        """Where L{path} leads to."""
        yield Route("/api/files/<key>", GET, self.show, missing)

    def path(self, log: CleaningLog) -> str | None:
        """Where on this box the picture of a job is; C{None} if it is not here."""
        name, did = log.image_url or "", log.device.did
        own = self._files.of(did) if name and did != STRANGERS else ()
        keys = (file.key for file in reversed(own) if name == file.key or word(name) == file.what)
        found = next(keys, None)
        return None if found is None else f"/api/files/{found}"

    def show(self, call: Call) -> Deferred[Answer]:
        """
        A picture; of other files nobody learns here that they exist.

        @return: fails with L{BadRequest} when it is none.
        """
        return self._files.read(call.segments["key"]).addCallback(picture)


def word(name: str) -> str:
    """What a file of that name is called here (L{IFiles.keep})."""
    return "".join(c for c in name.lower() if c.isascii() and c.isalnum())[:MAX_WORD]


def picture(body: bytes) -> Answer:
    """
    A file as the picture that it is.

    @raise BadRequest: it is none.
    """
    kind = next((kind for start, kind in KINDS if body.startswith(start)), None)
    if kind is None:
        raise BadRequest("there is no such picture")
    return Answer(body, content_type=kind, headers=(("Cache-Control", "private, max-age=86400"),))


def missing(_: Call, why: Exception) -> Answer:
    """404 in our own words."""
    return json_answer({"error": str(why), "reason": "unknown"}, 404)
