"""C{twistd bumper}: options become settings, settings become a service."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import fill
from types import TracebackType
from typing import Any

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorThreads
from twisted.logger import Logger
from twisted.python.usage import Options as UsageOptions
from twisted.python.usage import UsageError

from bumper_tw import __version__
from bumper_tw.app import config
from bumper_tw.app.inherited import left_over, require
from bumper_tw.app.notify import watcher
from bumper_tw.app.profiles import SMALL_DEFAULTS
from bumper_tw.app.root import Start
from bumper_tw.app.settings import NO_FILE, Settings
from bumper_tw.errors import StartError

#: What systemd shows until the server is ready.
BEGINNING = "STATUS=starting: reading the database, making keys if there are none"

#: Said of a socket that systemd listens at for nobody.
IDLE = (
    'systemd has opened the socket "{name}", and no [[listen]] takes it: whoever connects there '
    'waits in vain; add at = "systemd:domain=INET6:name={name}" to one, or close it with '
    "systemctl disable --now bumper-{name}.socket"
)

#: systemd believes nobody but the process that it has started.
FORKED = (
    "whoever started this server waits to hear of it, and will not believe what the daemon says: "
    "start it in the foreground, with bumper or twistd --nodaemon"
)


class Options(UsageOptions):
    """What can be said on the command line."""

    longdesc = (
        "Without options, and without a settings file, a working server starts.  Every "
        "setting can stand in the file, in a BUMPER_* variable, or behind --set; what stands "
        "later in this list wins.  "
        "Other commands, each with --help of its own: bumper user (accounts with a password), "
        "robot (robots, their secrets and owners), certs (certificates), dns (what to tell the "
        "DNS server of the house), doctor (what is wrong), journal (who connected), unknown "
        "(what nobody answers), firmware (who asked for updates), backup (a copy of everything), "
        "restore (what a copy holds), import (what another Bumper knows), support-bundle (what to "
        "send to whoever helps), log (what is written there), metrics (figures), owner (the "
        "password of the pages)."
    )
    optParameters = [
        ["config", "c", None, "Settings file (TOML).", Path],
        ["listen", "l", None, 'Where to accept connections: "web:tcp:443:tls,mqtt:tcp:1883".'],
        ["announce", "a", None, "Address of this box, told to robots and apps."],
        ["data", "d", None, "Folder of the database."],
        ["certs", None, None, "Folder of certificates and keys."],
    ]
    optFlags = [["demo", None, "Unprivileged ports on this machine only, and simulated robots."]]

    #: Options that are short for a setting.
    SHORT = {
        "listen": "listen",
        "announce": "server.announce",
        "data": "storage.directory",
        "certs": "tls.directory",
    }

    def __init__(self) -> None:
        super().__init__()
        self["set"] = {}

    def getSynopsis(self) -> str:
        return "Usage: bumper [options], or twistd [twistd's options] bumper [options]"

    def opt_set(self, pair: str) -> None:
        """Any setting, as section.key=value; may be given several times."""
        key, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"--set {pair}: expected section.key=value")
        self["set"][key.strip()] = value.strip()

    def opt_settings(self) -> None:
        """List every setting with its variable, default and meaning, and exit."""
        sys.stdout.write("\n".join(settings_help()) + "\n")
        raise SystemExit(0)

    def opt_version(self) -> None:
        """Show the version, and exit."""
        sys.stdout.write(f"bumper_tw {__version__}\n")
        raise SystemExit(0)

    #: What C{--demo} sets, unless another option does.
    DEMO = {
        "server.announce": "127.0.0.1",
        "listen": ",".join(
            f"{serve}:interface=127.0.0.1{tls}"
            for serve, tls in (
                ("all:tcp:8443", ":tls"),
                ("web:tcp:8007", ""),
                ("mqtt:tcp:8883", ":tls"),
                ("mqtt:tcp:1883", ""),
                ("xmpp:tcp:5223", ""),
            )
        ),
        "storage.directory": "demo/data",
        "tls.directory": "demo/certs",
    }

    def overrides(self) -> dict[str, str]:
        """The settings given on the command line, as text by key."""
        short = {key: self[name] for name, key in self.SHORT.items() if self[name] is not None}
        return {**(self.DEMO if self["demo"] else {}), **short, **self["set"]}


def settings_help() -> list[str]:
    """One paragraph for each setting."""
    return [
        fill(
            f"{setting.key} ({setting.env or 'only in the file'}): {setting.doc}; "
            f"{setting.kind.expected}; default: {shown(setting.default)}{in_small(setting.key)}",
            96,
            subsequent_indent="    ",
        )
        for setting in config.describe()
    ]


def in_small(key: str) -> str:
    """What a default is in the profile for small boxes, if that differs."""
    return f", small: {shown(SMALL_DEFAULTS[key])}" if key in SMALL_DEFAULTS else ""


def shown(default: object) -> str:
    """A default as the owner would write it."""
    if isinstance(default, tuple):
        return ", ".join(str(getattr(item, "at", item)) for item in default) or "none"
    if default == NO_FILE:
        return '""'
    return str(default) if default or default == 0 else "none"


def read_settings(options: Options, environ: Mapping[str, str]) -> Settings:
    """
    The settings of one start.

    @raise StartError: one of them is wrong.
    """
    return read_layers(options, environ).built()


def read_layers(options: Options, environ: Mapping[str, str]) -> config.Layers:
    """
    The same before it is put together, with where each was said.

    @raise StartError: one of them is wrong.
    """
    return config.layers(options["config"], environ, options.overrides())


def makeService(options: Options) -> IService:
    """
    Build the server.  Nothing is opened here that would not survive twistd's fork.

    A L{StartError} ends the process with its one sentence and exit status 1.
    """
    started_by: Mapping[str, Any] = getattr(options, "parent", None) or {}
    seen = started_by.get("nodaemon") and not started_by.get("logfile")
    sys.excepthook = complain if seen else complain_in_log
    from twisted.internet import reactor

    from bumper_tw.app.assembly import assemble

    settings = read_settings(options, os.environ)
    IReactorThreads(reactor).suggestThreadPoolSize(settings.server.threads)
    watched_by = watcher(os.environ, os.getpid())
    require(settings.listen)
    for name in left_over(os.environ, settings.listen):
        Logger().warn(IDLE, name=name)
    if watched_by.there and not started_by.get("nodaemon"):
        Logger().warn(FORKED)
    watched_by.send(BEGINNING)
    start = Start(
        started_by,
        lambda: read_settings(options, os.environ),
        bool(options["demo"]),
        watched_by,
        lambda: read_layers(options, os.environ),
    )
    return assemble(reactor, settings, start)


def complain(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """
    Tell why the server cannot start: one line on the terminal's own standard error.

    twistd lets exceptions end the process with a traceback, which is right for bugs and
    unkind for a port that is taken.
    """
    if issubclass(kind, StartError) and sys.__stderr__ is not None:
        sys.__stderr__.write(f"bumper: {error}\n")
    else:
        sys.__excepthook__(kind, error, traceback)


def complain_in_log(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """The same where nobody sees the terminal: a daemon's log file."""
    if issubclass(kind, StartError):
        Logger().critical("{error}", error=error)
    complain(kind, error, traceback)
