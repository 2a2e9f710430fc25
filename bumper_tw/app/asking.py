"""Asking the running server, for commands: they may wait, and need no reactor."""

import json
import socket
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from bumper_tw.app.control import control_path
from bumper_tw.app.settings import Settings
from bumper_tw.errors import BumperError

#: More than any answer is long.
MOST_BYTES = 64 << 20

#: With what is told.
HEADERS = {"Content-Type": "application/json"}

#: See L{ask}.
Asker = Callable[[Settings, str, float], Any]

#: Method, path and body.
Asked = tuple[str, str, bytes | None]


class NotRunning(BumperError):
    """No server runs with these settings, or none that can be asked."""


class NotAsked(BumperError):
    """There is a server, and it may not be asked, or says something that nobody understands."""


class _Control(HTTPConnection):
    """HTTP over a UNIX socket."""

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(settings: Settings, path: str, seconds: float) -> Any:
    """
    Ask the server that runs with these settings; this blocks.

    @param path: with the query.
    @param seconds: patience with each part of the answer.
    @return: the answer, which is JSON.
    @raise NotRunning: there is none.
    @raise NotAsked: there is one, and it does not answer that.
    """
    return _exchanged(settings, ("GET", path, None), seconds)


def tell(settings: Settings, path: str, document: Mapping[str, Any], seconds: float) -> Any:
    """
    Tell the server that runs with these settings to change something; this blocks.

    @param document: what to change; see L{LIMITS<bumper_tw.app.control.LIMITS>}.
    @param seconds: patience with each part of the answer.
    @return: the answer, which is JSON.
    @raise NotRunning: there is none.
    @raise NotAsked: there is one, and it does not do that.
    """
    return _exchanged(settings, ("POST", path, json.dumps(document).encode()), seconds)


def _exchanged(settings: Settings, asked: Asked, seconds: float) -> Any:
    where = control_path(settings)
    try:
        return _answered(where, asked, seconds)
    except (FileNotFoundError, ConnectionRefusedError) as none:
        raise NotRunning(f"no server is running with the data folder {where.parent}") from none
    except PermissionError as forbidden:
        raise NotAsked(
            f"{where} may not be opened by you; be the user that the server runs as, or root"
        ) from forbidden
    except TimeoutError as late:
        raise NotAsked(f"the server does not answer at {where} within {seconds:g} s") from late
    except (OSError, HTTPException, ValueError) as broken:
        raise NotRunning(f"no server answers at {where}: {broken}") from broken


def _answered(where: Path, asked: Asked, seconds: float) -> Any:
    method, path, body_sent = asked
    connection = _Control(where, seconds)
    try:
        connection.request(method, path, body_sent, HEADERS if body_sent else {})
        answer = connection.getresponse()
        body = answer.read(MOST_BYTES)
    finally:
        connection.close()
    if answer.status != 200:
        raise NotAsked(f"the server refuses {path}: {_reason(body) or answer.reason}")
    return json.loads(body)


def _reason(body: bytes) -> str:
    try:
        said = json.loads(body)
    except ValueError:
        return ""
    return str(said.get("error") or said.get("msg", "")) if isinstance(said, dict) else ""
