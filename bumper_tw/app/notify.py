"""
What is told to whoever watches this process: systemd, or what does the same (sd_notify(3)).

It gives us the address of a socket in the environment.  Without one, nothing is said.
"""

import socket
import time
from collections.abc import Callable, MutableMapping
from typing import Any

from attrs import frozen
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from bumper_tw.app.cli_parts import counted
from bumper_tw.interfaces import IDeviceRegistry

#: Variables for this process alone; one that it starts must not speak for it.
VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")

#: Seconds between two reports on who is here, at the least.
PAUSE = 1.0

#: Seconds until what could not be told, and has to be, is told again.
AGAIN = 0.25

#: Seconds between two looks at what changes without telling us.
LOOK = 30.0

#: Takes lines C{NAME=value}; C{False} when there was no room for them just now.
Send = Callable[[str], bool]


def nobody(_: str) -> bool:
    """What takes the lines when nobody watches."""
    return True


class Datagrams:
    """
    Sends to a socket, and never waits for it.

    It is open all the time: when files run out, the signs of life must not end.
    """

    _log = Logger()

    def __init__(self, address: str) -> None:
        """
        @param address: a path, or behind a null character the name of what is in no folder.
        """
        self._address, self._broken = address, False
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def __call__(self, text: str) -> bool:
        try:
            self._socket.sendto(text.encode(), self._address)
        except BlockingIOError:
            return False
        except OSError as why:
            self._complain(str(why))
        return True

    def _complain(self, why: str) -> None:
        if not self._broken:
            self._log.warn("whoever started this server cannot be told of it: {why}", why=why)
        self._broken = True

    def close(self) -> None:
        """Nothing more is said."""
        self._socket.close()


@frozen
class Watcher:
    """
    Who watches us.

    @ivar send: tells them something.
    @ivar patience: seconds without a sign of life after which they end us; 0 for any.
    """

    send: Send = nobody
    patience: float = 0.0

    @property
    def there(self) -> bool:
        """Whether anybody does."""
        return self.send is not nobody


def watcher(environ: MutableMapping[str, str], pid: int) -> Watcher:
    """
    Who watches the process C{pid}; it is taken out of the environment.
    """
    name, usec, whose = (environ.pop(variable, "") for variable in VARIABLES)
    address = address_of(name)
    if not address:
        return Watcher()
    mine = whose in {"", str(pid)}
    return Watcher(Datagrams(address), seconds_of(usec) if mine else 0.0)


def address_of(name: str) -> str:
    """The address of a socket, empty for what is none of this machine's."""
    if name.startswith("@"):
        return "\0" + name[1:]
    return name if name.startswith("/") else ""


def seconds_of(usec: str) -> float:
    """What C{WATCHDOG_USEC} says; 0 for nothing, and for nonsense."""
    digits = usec.isascii() and usec.isdecimal() and len(usec) < 16
    return int(usec) / 1e6 if digits else 0.0


def household(registry: IDeviceRegistry, connected: Callable[[], int]) -> str:
    """
    Who is here, in a few words.

    @param connected: how many there are, robots among them.
    """
    robots = sum(registry.online(device.id.did) for device in registry.devices())
    others = max(0, connected() - robots)
    return f"{counted(robots, 'robot')} online, {counted(others, 'client')}"


class Tidings:
    """
    Tells who watches us what becomes of this server.

    Signs of life come out of the reactor, so that they end when it hangs.
    """

    def __init__(
        self,
        clock: IReactorTime,
        watched_by: Watcher,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        @param monotonic: seconds by the clock that systemd compares with.
        """
        self._clock, self._watcher, self._monotonic = clock, watched_by, monotonic
        self._words: Callable[[], str] = lambda: "running"
        self._ready, self._reloads, self._last, self._said = False, 0, -PAUSE, ""
        self._later: IDelayedCall | None = None
        self._beats = LoopingCall(self._beat)
        self._beats.clock = clock

    def follow(self, registry: IDeviceRegistry, connected: Callable[[], int]) -> None:
        """
        Tell from now on who is here.

        @param connected: see L{household}.
        """
        self._words = lambda: household(registry, connected)
        registry.watch(lambda *_: self.changed())

    def ready(self) -> None:
        """Everybody can connect."""
        if not self._watcher.there or self._ready:
            return
        if self._tell("READY=1"):
            self._ready = True
            self._beats.start((self._watcher.patience or LOOK) / 2)
        else:
            self._later = self._clock.callLater(AGAIN, self.ready)

    def reloading(self) -> None:
        """The settings are read again; L{reloaded} follows."""
        self._reloads += 1
        if self._ready:
            now = int(self._monotonic() * 1e6)
            self._watcher.send(f"RELOADING=1\nMONOTONIC_USEC={now}\nSTATUS=reloading")

    def reloaded(self) -> None:
        """They have been, if this was the last one who did."""
        self._reloads -= 1
        if not self._ready or self._reloads:
            return
        if not self._tell("READY=1"):
            self._reloads += 1
            self._later = self._clock.callLater(AGAIN, self.reloaded)

    def stopping(self) -> None:
        """The end has begun."""
        self._ready = False
        self._cancel()
        self._watcher.send("STOPPING=1\nSTATUS=stopping")

    def stopped(self) -> None:
        """It has come."""
        self._cancel()
        if self._beats.running:
            self._beats.stop()

    def changed(self) -> None:
        """Somebody came or went."""
        if self._ready and not self._reloads and self._later is None:
            wait = max(0.0, self._last + PAUSE - self._clock.seconds())
            self._later = self._clock.callLater(wait, self._report)

    def _report(self) -> None:
        self._later = None
        if not self._reloads and self._words() != self._said:
            self._tell()

    def _tell(self, *lines: str) -> bool:
        """Say something, and who is here."""
        self._cancel()
        self._last, words = self._clock.seconds(), self._words()
        told = self._watcher.send("\n".join([*lines, f"STATUS={words}"]))
        self._said = words if told else ""
        return told

    def _beat(self) -> None:
        if self._watcher.patience:
            self._watcher.send("WATCHDOG=1")
        self.changed()

    def _cancel(self) -> None:
        later: Any = self._later
        self._later = None
        if later is not None and later.active():
            later.cancel()
