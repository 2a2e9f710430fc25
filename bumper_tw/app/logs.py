"""Where log lines go, and which are worth writing."""

import sys
from collections.abc import Mapping
from typing import IO, Any

from twisted.logger import (
    FileLogObserver,
    FilteringLogObserver,
    ILogFilterPredicate,
    ILogObserver,
    LogEvent,
    LogLevel,
    PredicateResult,
    formatEventAsClassicLogText,
)
from twisted.python.logfile import LogFile
from zope.interface import implementer

from bumper_tw.app.settings import LogSettings

#: How many full log files, of one megabyte each, are kept.
ROTATED = 10

#: Control characters, which a terminal would obey, become question marks.
HARMLESS = {code: "?" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


@implementer(ILogFilterPredicate)
class Threshold:
    """Lets an event through when its part of the program, or the whole, asked for its level."""

    def __init__(self, settings: LogSettings) -> None:
        self.use(settings)

    def use(self, settings: LogSettings) -> None:
        """Change the levels, also while the server runs."""
        self._level = LogLevel.levelWithName(settings.level)
        self._parts = {
            f"bumper_tw.{part}": LogLevel.levelWithName(level)
            for part, level in settings.levels.items()
        }

    def __call__(self, event: LogEvent) -> Any:
        level = event.get("log_level", LogLevel.info)
        namespace = event.get("log_namespace") or ""
        part = ".".join(namespace.split(".", 2)[:2])
        wanted = self._parts.get(part, self._level)
        return PredicateResult.no if level < wanted else PredicateResult.maybe


def observer(threshold: Threshold, options: Mapping[str, Any]) -> "ILogObserver | None":
    """
    The observer for a start with these options of twistd.

    @return: C{None} where twistd has to make its own: for C{--syslog}.
    """
    if options.get("syslog"):
        return None
    return FilteringLogObserver(text_observer(log_file(options)), [threshold])


def text_observer(file: IO[Any]) -> ILogObserver:
    """An observer that writes lines."""
    return FileLogObserver(file, one_line)


def one_line(event: LogEvent) -> str | None:
    """
    An event as text.

    What a peer sent cannot start a line (line breaks are indented) or speak to a terminal.
    """
    text = formatEventAsClassicLogText(event)
    return None if text is None else text.translate(HARMLESS)


def log_file(options: Mapping[str, Any]) -> IO[Any]:
    """Standard output in the foreground, otherwise the file twistd would have used."""
    name = options.get("logfile")
    if name == "-" or (not name and options.get("nodaemon")):
        return sys.stdout
    rotated: IO[Any] = LogFile.fromFullPath(name or "twistd.log", maxRotatedFiles=ROTATED)
    return rotated
