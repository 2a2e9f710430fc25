"""The journal of systemd, spoken to as it wants it, and never waited for."""

import errno
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from twisted.logger import ILogObserver, LogEvent, LogLevel
from zope.interface import implementer

from bumper_tw.app.log_formats import bounded, journal_fields, prefixed

#: Where it listens.
SOCKET = Path("/run/systemd/journal/socket")

#: Characters that are left of a message which is too long for one datagram.
SHORT = 2000

#: What says that nobody listens there; other errors say that there is no room right now.
NOBODY = frozenset(
    {
        errno.ENOENT,
        errno.ECONNREFUSED,
        errno.ENOTSOCK,
        errno.EACCES,
        errno.EPERM,
        errno.ENOTDIR,
        errno.EAFNOSUPPORT,
        errno.EPROTOTYPE,
    }
)


def datagram(fields: Mapping[str, str]) -> bytes:
    """
    One entry of the journal: C{NAME=value} and a line end, or for a value of several lines its
    name, a line end, its length as 64 bits with the lowest in front, itself, and a line end.
    """
    return b"".join(_field(name.encode(), value.encode()) for name, value in fields.items())


def _field(name: bytes, value: bytes) -> bytes:
    if b"\n" not in value:
        return b"%b=%b\n" % (name, value)
    return b"%b\n%b%b\n" % (name, len(value).to_bytes(8, "little"), value)


def open_socket() -> socket.socket:
    """A socket that never makes anybody wait."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    made.setblocking(False)
    return made


@implementer(ILogObserver)
class JournalObserver:
    """
    Gives events to the journal; to a file with priorities in front, where there is none.

    A journal that is full costs lines, which are counted, and not time.

    @ivar dropped: lines that were lost since the last one that said so.
    """

    def __init__(
        self,
        file: IO[Any],
        path: Path = SOCKET,
        opener: Callable[[], socket.socket] = open_socket,
    ) -> None:
        """
        @param file: for what the journal does not take.
        @param opener: makes a socket, when there is something to say.
        """
        self._file, self._path, self._opener = file, str(path), opener
        self._socket: socket.socket | None = None
        self.dropped = 0

    def __call__(self, event: LogEvent) -> None:
        fields = journal_fields(event)
        if not fields:
            return
        if self.dropped:
            self._tell_dropped(event["log_time"])
        self._deliver(event, fields)

    def _deliver(self, event: LogEvent, fields: Mapping[str, str]) -> None:
        try:
            self._send(fields)
        except OSError as why:
            if why.errno in NOBODY:
                self._file.write(prefixed(event) or "")
                self._file.flush()
            else:
                self.dropped += 1

    def _tell_dropped(self, when: float) -> None:
        """Say that lines are missing, as soon as somebody hears it."""
        count, self.dropped = self.dropped, 0
        told = {
            "log_level": LogLevel.warn,
            "log_namespace": "bumper_tw.app.journald",
            "log_format": "{count} lines of the log are missing here: the journal was full",
            "log_time": when,
            "count": count,
        }
        self._deliver(told, journal_fields(told))
        # That one does not count.
        self.dropped = count if self.dropped else 0

    def _send(self, fields: Mapping[str, str]) -> None:
        if self._socket is None:
            self._socket = self._opener()
        try:
            # By its name each time: a journal that was started anew is another one.
            self._socket.sendto(datagram(fields), self._path)
        except OSError as why:
            if why.errno != errno.EMSGSIZE:
                raise
            short = {name: bounded(value, SHORT) for name, value in fields.items()}
            self._socket.sendto(datagram(short), self._path)
