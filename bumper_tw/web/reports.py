"""
Our own API, as far as it tells what others asked for and left here.

Robots that somebody may not use do not exist for him.
"""

from collections.abc import Callable
from typing import Any

from attrs import asdict
from twisted.internet.defer import Deferred

from bumper_tw.core.unknown import Unknown, UnknownPaths
from bumper_tw.core.updates import Attempt, Updates
from bumper_tw.errors import DeviceUnknown
from bumper_tw.interfaces import IDeviceRegistry
from bumper_tw.people_interfaces import IFiles, IPermits, KeptFile
from bumper_tw.values import Device, Principal
from bumper_tw.web.api import failure
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.routes import GET, Route
from bumper_tw.web.uploads import STRANGERS

#: What no browser shows or runs: nobody knows what is in a file that was left here.
BYTES = "application/octet-stream"


class ReportRoutes:
    """
    The routes.

    @param guard: tells who asks, or raises L{LoginRefused<bumper_tw.errors.LoginRefused>}.
    """

    def __init__(
        self,
        registry: IDeviceRegistry,
        permits: IPermits,
        guard: Callable[[Call], Principal],
        unknown: UnknownPaths,
        updates: Updates,
        files: IFiles,
        house: Callable[[Call], Principal],
    ) -> None:
        """
        @param house: the same as C{guard}, for what is no single robot's.
        """
        self._registry, self._permits, self._guard = registry, permits, guard
        self._unknown, self._updates, self._files = unknown, updates, files
        self._house = house

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        robot = "/api/robots/<did>/"
        return (
            Route("/api/unknown", GET, self.unknown, failure),
            Route(robot + "firmware", GET, self.firmware, failure),
            Route(robot + "files", GET, self.files, failure),
            Route(robot + "files/<key>", GET, self.file, failure),
        )

    def unknown(self, call: Call) -> Answer:
        """What clients asked for that nobody answers."""
        self._house(call)
        paths = [unknown_entry(each) for each in self._unknown.report()]
        return json_answer({"paths": paths, "unlisted": self._unknown.unlisted})

    def firmware(self, call: Call) -> Answer:
        """What firmware a robot has, and when it asked for another."""
        device = self._robot(call)
        did = device.id.did
        attempts = [attempt_entry(each) for each in self._updates.of(did)]
        return json_answer({
            "did": did,
            "version": device.firmware,
            "allowed": self._updates.allowed(did),
            "attempts": attempts,
        })  # fmt: skip

    def files(self, call: Call) -> Answer:
        """What a robot left here, the oldest first."""
        did = self._robot(call).id.did
        # A robot may call itself as it likes; what strangers left is not its.
        found = self._files.of(did) if did != STRANGERS else ()
        return json_answer({"files": [file_entry(each) for each in found]})

    def file(self, call: Call) -> Deferred[Answer]:
        """One of these, to be saved and not to be shown."""
        did, key = self._robot(call).id.did, call.segments["key"]
        found = self._files.find(key)
        if found is None or found.owner != did:
            raise DeviceUnknown("there is no such file")
        return self._files.read(key).addCallback(render_file, key)

    def _robot(self, call: Call) -> Device:
        """
        The robot that the path names.

        @raise DeviceUnknown: there is none, or it is none of the user's.
        """
        who, did = self._guard(call), call.segments["did"]
        if not self._permits.may_use(who.name, did):
            raise DeviceUnknown(f"no robot {did} is known here")
        return self._registry.device(did)


def unknown_entry(unknown: Unknown) -> dict[str, Any]:
    """A path that nobody answers."""
    return asdict(unknown)


def attempt_entry(attempt: Attempt) -> dict[str, Any]:
    """One thing that a robot asked for; its robot is known to whoever asks."""
    names = ("kind", "module", "version", "first", "last", "count")
    return {name: getattr(attempt, name) for name in names}


def file_entry(file: KeptFile) -> dict[str, Any]:
    """One file."""
    return {"key": file.key, "what": file.what, "size": file.size, "at": file.at}


def render_file(body: bytes, key: str) -> Answer:
    """A file on its way out; C{nosniff} comes with every answer."""
    disposition = ("Content-Disposition", f'attachment; filename="{key}.bin"')
    return Answer(body, content_type=BYTES, headers=(disposition,))
