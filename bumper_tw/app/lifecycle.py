"""Starting in order, stopping in the reverse order, each step awaited."""

from collections.abc import Callable, Sequence
from typing import Any

from twisted.application.service import MultiService, Service
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.defer import TimeoutError as TimedOut
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.app.inherited import endpoint
from bumper_tw.app.ports import explain_bind_failure
from bumper_tw.app.settings import Listen
from bumper_tw.errors import StartError

#: How many seconds one part may take to stop, and all of them together.
GRACE, ALTOGETHER = 1.5, 4.0

#: What even the last one gets when the others have used up the time.
LEAST = 0.1


class OrderedService(MultiService):
    """
    Starts its children first to last, and stops them last to first, one after the other.

    A plain L{MultiService} asks all its children to stop at once, so the database would
    close under those who still write to it.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        super().__init__()
        self._clock = clock

    def stopService(self) -> Deferred[None]:
        Service.stopService(self)
        return Deferred.fromCoroutine(self._stop_children())

    async def _stop_children(self) -> None:
        end = self._clock.seconds() + ALTOGETHER
        for child in reversed(list(self)):
            stopping = maybeDeferred(child.stopService)
            grace = max(LEAST, min(GRACE, end - self._clock.seconds()))
            try:
                await stopping.addTimeout(grace, self._clock)
            except TimedOut:
                self._log.warn("{child} takes too long to stop", child=child.name or child)
            except Exception:  # noqa: BLE001 - the others have to stop all the same
                self._log.failure("{name} did not stop cleanly", name=child.name or child)


class Step(Service):
    """Something to do at the start, and something to do at the end."""

    def __init__(
        self,
        name: str,
        start: Callable[[], object] | None = None,
        stop: Callable[[], object] | None = None,
    ) -> None:
        self.setName(name)
        self._start, self._stop = start, stop

    def startService(self) -> None:
        super().startService()
        if self._start is not None:
            self._start()

    def stopService(self) -> object:
        super().stopService()
        return None if self._stop is None else self._stop()


class Repeated(Service):
    """
    A job that is done again and again, from the start or an interval later.

    @ivar interval: seconds.
    """

    _log = Logger()

    def __init__(
        self,
        name: str,
        clock: IReactorTime,
        interval: float,
        job: Callable[[], object],
        at_once: bool = False,
    ) -> None:
        self.setName(name)
        self.interval, self._job, self._at_once = interval, job, at_once
        self._loop = LoopingCall(self._run)
        self._loop.clock = clock

    def startService(self) -> None:
        super().startService()
        self._loop.start(self.interval, now=self._at_once)

    def _run(self) -> Deferred[object]:
        """A job that fails is logged, and tried again when its time comes."""
        return maybeDeferred(self._job).addErrback(self._failed)

    def _failed(self, failure: Failure) -> None:
        self._log.failure("{name} failed", failure, name=self.name)

    def stopService(self) -> None:
        super().stopService()
        if self._loop.running:
            self._loop.stop()


class Listener(Service):
    """
    One place where connections are accepted.

    It binds while the server still has its privileges, and at once; a port that cannot be bound
    ends the start, unless the owner can do without it.

    @ivar at: the endpoint description.
    @ivar title: what the log calls it.
    @ivar optional: whether the owner can do without it.
    @ivar why: why it is not bound; empty when it is.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: object,
        name: str,
        at: str,
        factory: IProtocolFactory,
        optional: bool = False,
    ) -> None:
        # No name in the sense of services: that must be unique, and several may want port 0.
        self.title = f"{name} on {at}"
        self.at, self._factory, self._reactor = at, factory, reactor
        self.port: IListeningPort | None = None
        self.optional, self.why = optional, ""

    def privilegedStartService(self) -> None:
        """
        Bind the port.

        @raise StartError: it cannot be bound; the text says why, and what to do.
        """
        failures: list[Failure] = []
        listening = maybeDeferred(self._listen)
        listening.addCallbacks(self._bound, failures.append)
        # Nobody waits for an endpoint that takes its time: whoever hears that the server is ready
        # has to be able to connect.
        listening.cancel()
        for failure in failures:
            self._not_bound(self._explained(failure.value))

    def _listen(self) -> Deferred[IListeningPort]:
        return endpoint(self._reactor, self.at).listen(self._factory)

    def _not_bound(self, why: Exception) -> None:
        if not (self.optional and isinstance(why, StartError)):
            raise why
        self.why = str(why)
        self._log.warn("going on without {name}: {why}", name=self.title, why=why)

    def _explained(self, why: BaseException | None) -> Exception:
        """What to tell the owner; a failure that is none of the port's is a bug."""
        if isinstance(why, CannotListenError):
            return StartError(explain_bind_failure(why, self.at))
        if isinstance(why, CancelledError):
            return StartError(f"{self.at} in [[listen]] is an endpoint that is not open at once")
        return why if isinstance(why, Exception) else RuntimeError(str(why))

    def _bound(self, port: IListeningPort) -> None:
        self.port = port
        self._log.info(
            "{name}: accepting connections at {where}",
            name=self.title,
            where=shown(port.getHost()),
        )

    @property
    def tcp_port(self) -> int | None:
        """The port that it is bound to; C{None} as long as it is not, or when it is not TCP."""
        host: Any = None if self.port is None else self.port.getHost()
        return getattr(host, "port", None)

    def __repr__(self) -> str:
        return self.title

    def startService(self) -> None:
        super().startService()
        if self.port is None and not self.why:
            self.privilegedStartService()

    def stopService(self) -> object:
        super().stopService()
        port, self.port = self.port, None
        return None if port is None else port.stopListening()


def shown(address: Any) -> str:
    """Where a port is bound, for the log."""
    if not hasattr(address, "port"):
        return str(address)
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{host}:{address.port}"


#: Every place where connections are accepted, as the owner described it, and what does that.
Doors = Sequence[tuple[Listen, Listener]]
