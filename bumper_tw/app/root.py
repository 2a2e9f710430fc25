"""The service twistd holds: log levels, SIGHUP, and files for whoever will run the server."""

import os
import pwd
import signal
import stat
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from attrs import field, frozen
from twisted.application.service import IServiceCollection
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.error import ReactorNotRunning
from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized
from twisted.python.failure import Failure

from bumper_tw.app.config import Layers, layers
from bumper_tw.app.lifecycle import OrderedService
from bumper_tw.app.logs import Threshold, observer
from bumper_tw.app.notify import Tidings, Watcher
from bumper_tw.app.settings import Settings
from bumper_tw.errors import StartError, StorageError


@frozen
class Start:
    """
    How the server was started.

    @ivar options: of twistd itself; empty outside of it.
    @ivar read_settings: reads the settings again.
    @ivar demo: whether simulated robots come along.
    @ivar watcher: who wants to know what becomes of the server.
    @ivar read_layers: reads them, too, before they are put together.
    """

    options: Mapping[str, Any]
    read_settings: Callable[[], Settings]
    demo: bool = False
    watcher: Watcher = field(factory=Watcher)
    read_layers: Callable[[], Layers] = lambda: layers(None, {}, {})


class Root(OrderedService):
    """
    Everything, in order.

    @ivar follows: settings that hold at once when SIGHUP has them read again, and what takes them
        up; all others wait for the next start.
    @ivar reloads: what SIGHUP has read again besides, by the name that the log has for it.
    @ivar threshold: the log levels.
    @ivar tidings: for systemd.
    """

    _log = Logger()

    def __init__(self, reactor: Any, settings: Settings, start: Start) -> None:
        super().__init__(reactor)
        self._reactor, self._start = reactor, start
        self.threshold = Threshold(settings.log)
        self.follows: dict[str, Callable[[Settings], object]] = {
            "log levels": lambda now: self.threshold.use(now.log)
        }
        self.reloads: dict[str, Callable[[], object]] = {}
        self.tidings = Tidings(reactor, start.watcher)

    def setServiceParent(self, parent: IServiceCollection) -> None:
        """twistd makes us part of an application, and takes the log observer from there."""
        written = self.threshold.settings.format
        mine = observer(self.threshold, self._start.options, written)
        if mine is not None and isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, mine)
        super().setServiceParent(parent)

    def privilegedStartService(self) -> None:
        # Somebody may want it to stop before the reactor runs, and installs its own handlers; or
        # to read something again, as soon as ports are open.
        self._take_over_sigterm()
        self._take_over_sighup()
        super().privilegedStartService()

    def startService(self) -> None:
        self._take_over_sighup()
        self._reactor.callWhenRunning(self._take_over_sigterm)
        super().startService()
        self._reactor.callWhenRunning(self._ready)

    def _ready(self) -> None:
        """The reactor runs, and the listeners have been open since they were started."""
        if self.running:
            self.tidings.ready()

    def stopService(self) -> Deferred[None]:
        # A signal between the reactor's own handler and ours: twistd is to end as with ours.
        if getattr(self._reactor, "_exitSignal", None) == signal.SIGTERM:
            self._reactor._exitSignal = None  # noqa: SLF001 - there is no other way to say so
        self.tidings.stopping()
        return super().stopService().addBoth(lambda _: self.tidings.stopped())

    def _take_over_sighup(self) -> None:
        signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self.reload))

    def _take_over_sigterm(self) -> None:
        # The reactor's own way makes twistd kill itself by the same signal in the end; to
        # whoever watches us, a stop that was asked for should be a success: exit status 0.
        signal.signal(signal.SIGTERM, lambda *_: self._reactor.callFromThread(self._end))

    def _end(self) -> None:
        try:
            self._reactor.stop()
        except ReactorNotRunning:
            self._log.info("stopping already")

    def reload(self) -> Deferred[None]:
        """
        Take up what the owner has changed; connections go on.

        @return: fires when all of it is done, or has failed and is as it was.
        """
        self._log.info("reloading {what}", what=", ".join([*self.reloads, *self.follows]))
        self.tidings.reloading()
        done = self._each([self._follow, *self.reloads.values()])
        return done.addCallback(lambda _: self.tidings.reloaded())

    def _follow(self) -> Deferred[Any]:
        now = self._start.read_settings()
        return self._each([partial(follow, now) for follow in self.follows.values()])

    def _each(self, jobs: Iterable[Callable[[], object]]) -> Deferred[Any]:
        """Do all of them; each that fails is told of, and leaves things as they were."""
        return DeferredList([maybeDeferred(job).addErrback(self._not_reloaded) for job in jobs])

    def _not_reloaded(self, failure: Failure) -> None:
        if failure.check(StartError, StorageError):
            self._log.error("kept as it was: {why}", why=failure.getErrorMessage())
        else:
            self._log.failure("kept as it was", failure)


def hand_over(paths: Iterable[Path], options: Mapping[str, Any]) -> None:
    """
    Give what the start has made to the user the server will run as.

    twistd's C{--uid} takes effect after the files were made.

    @param paths: our own folders and files; those that are not there are passed over.
    """
    uid, gid = options.get("uid"), options.get("gid")
    if uid is None or os.getuid() != 0:
        return
    group = pwd.getpwuid(uid).pw_gid if gid is None else gid
    for path in paths:
        give(path, uid, group)


def give(path: Path, uid: int, gid: int) -> None:
    """
    Make somebody the owner of a folder or a file, and of nothing else.

    That user may have put something in its place while the server ran: a link would give
    away what it points to.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return
    try:
        kind = os.fstat(handle)
        if stat.S_ISDIR(kind.st_mode) or (stat.S_ISREG(kind.st_mode) and kind.st_nlink == 1):
            os.fchown(handle, uid, gid)
    finally:
        os.close(handle)
