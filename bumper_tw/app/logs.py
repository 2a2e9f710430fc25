"""Where log lines go, and which are worth writing."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
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

from bumper_tw.app.journald import JournalObserver
from bumper_tw.app.log_formats import HARMLESS, json_line
from bumper_tw.app.settings import LogSettings

#: How many full log files, of one megabyte each, are kept.
ROTATED = 10

#: What twistd calls a log file when nobody says.
USUAL = "twistd.log"


@implementer(ILogFilterPredicate)
class Threshold:
    """
    Lets an event through when its part of the program, or the whole, asked for its level.

    @ivar settings: the levels, as they are now.
    """

    def __init__(self, settings: LogSettings) -> None:
        self.use(settings)

    def use(self, settings: LogSettings) -> None:
        """Change the levels, also while the server runs."""
        self.settings = settings
        self._level = LogLevel.levelWithName(settings.level)
        self._parts = {
            f"bumper_tw.{part}": LogLevel.levelWithName(level)
            for part, level in settings.levels.items()
        }

    def __call__(self, event: LogEvent) -> Any:
        level = event.get("log_level", LogLevel.info)
        hidden = self.hides(event.get("log_namespace") or "", level)
        return PredicateResult.no if hidden else PredicateResult.maybe

    def hides(self, namespace: str, level: Any) -> bool:
        """Whether a line of that level, from there, is not worth writing."""
        part = ".".join(namespace.split(".", 2)[:2])
        return bool(level < self._parts.get(part, self._level))


def observer(
    threshold: Threshold, options: Mapping[str, Any], form: str = "text"
) -> "ILogObserver | None":
    """
    The observer for a start with these options of twistd.

    @param form: of a line: text, json or journald.
    @return: C{None} where twistd has to make its own: for C{--syslog}.
    """
    if options.get("syslog"):
        return None
    return FilteringLogObserver(_writer(options, form), [threshold])


def _writer(options: Mapping[str, Any], form: str) -> ILogObserver:
    file = log_file(options)
    if form == "journald" and options.get("logfile") in {None, "", "-"}:
        return JournalObserver(file)
    return FileLogObserver(file, LINES[form])


def one_line(event: LogEvent) -> str | None:
    """
    An event as text.

    What a peer sent cannot start a line (line breaks are indented) or speak to a terminal.
    """
    text = formatEventAsClassicLogText(event)
    return None if text is None else text.translate(HARMLESS)


#: How the formats make lines of a file.  Whoever names one wants the lines there, and as text
#: where no program reads them.
LINES: Mapping[str, Callable[[LogEvent], str | None]] = MappingProxyType(
    {"text": one_line, "json": json_line, "journald": one_line}
)


def log_file(options: Mapping[str, Any]) -> IO[Any]:
    """Standard output in the foreground, otherwise the file twistd would have used."""
    name = _name(options)
    if not name:
        return sys.stdout
    rotated: IO[Any] = LogFile.fromFullPath(name, maxRotatedFiles=ROTATED)
    return rotated


def _name(options: Mapping[str, Any]) -> str:
    name = options.get("logfile")
    if name == "-" or (not name and options.get("nodaemon")):
        return ""
    return str(name or USUAL)


def log_path(options: Mapping[str, Any], form: str = "text") -> Path | None:
    """The file that lines go to; C{None} when it is none."""
    name = "" if options.get("syslog") else _name(options)
    to_journal = form == "journald" and not options.get("logfile")
    return Path(name).absolute() if name and not to_journal else None
