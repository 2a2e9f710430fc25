"""
The control socket: what whoever owns the data folder may ask the running server.

It speaks HTTP over a UNIX socket, and wants no token: its folder says who gets there.
"""

import socket
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger

from bumper_tw.app.settings import Settings
from bumper_tw.web.request import Limits
from bumper_tw.web.routes import Route
from bumper_tw.web.site import WebSite, build_site

#: What the socket is called, in the data folder.
NAME = "control"

#: Nobody but the owner.
MODE = 0o600

#: The longest path that every system takes (C{sun_path}), in bytes.
LONGEST = 103

#: What those who ask may cost.
LIMITS = Limits(max_body=4096, connections=40, per_peer=40)

#: Seconds that a server on the other end has to take a connection.
PATIENCE = 1.0


def control_path(settings: Settings) -> Path:
    """Where the socket is."""
    return settings.storage.directory.absolute() / NAME


def control_service(reactor: Any, settings: Settings, routes: Iterable[Route]) -> IService:
    """
    The control socket, with these routes.

    @param routes: which ask nobody for a token.
    """
    return Control(reactor, control_path(settings), build_site(routes, reactor, LIMITS))


class Control(Service):
    """
    Listens on the control socket, if it can; without it the server is as good as with it.
    """

    _log = Logger()

    def __init__(self, reactor: Any, path: Path, site: WebSite) -> None:
        self.setName("control socket")
        site.noisy = False
        self._reactor, self._path, self._site = reactor, path, site
        self._port: IListeningPort | None = None

    def startService(self) -> None:
        """Begin to listen."""
        super().startService()
        why = self._obstacle()
        if not why:
            try:
                self._listen()
            except (CannotListenError, OSError) as error:
                why = str(error)
        if why:
            self._log.warn(
                "no control socket at {path}, so bumper journal and bumper doctor do not see this "
                "server: {why}",
                path=str(self._path),
                why=why,
            )

    def _obstacle(self) -> str:
        """Why there cannot be a socket; empty when there can."""
        if len(bytes(self._path)) > LONGEST:
            return f"the path is longer than {LONGEST} bytes"
        if not self._path.parent.is_dir():
            return "there is no such folder"
        if self._path.exists() and not self._path.is_socket():
            return "there is something else with this name"
        return "another server listens there" if is_served(self._path) else ""

    def _listen(self) -> None:
        with suppress(FileNotFoundError):
            # Of a server that was killed.
            self._path.unlink()
        self._port = self._reactor.listenUNIX(str(self._path), self._site, mode=MODE)

    async def _end(self, port: IListeningPort) -> None:
        await maybeDeferred(port.stopListening)
        await self._site.farewell()

    def stopService(self) -> object:
        """Listen no more; those who wait are let go."""
        super().stopService()
        port, self._port = self._port, None
        return None if port is None else Deferred.fromCoroutine(self._end(port))


def is_served(path: Path) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PATIENCE)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
