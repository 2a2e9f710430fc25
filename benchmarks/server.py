"""The real server as a process of its own, and what it has cost until now."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from signal import SIGTERM
from threading import Condition, Thread
from time import monotonic
from types import TracebackType
from typing import IO, Self

from attrs import field, frozen

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parents[1]

#: One listener of each sort, in the order of L{Ports}.
LISTENERS = (
    "web:tcp:0:interface=127.0.0.1",
    "web:tcp:0:interface=127.0.0.1:tls",
    "mqtt:tcp:0:interface=127.0.0.1",
    "mqtt:tcp:0:interface=127.0.0.1:tls",
    "xmpp:tcp:0:interface=127.0.0.1",
)
#: All our clients come from one address.
CROWD = (
    "identity.new_robots_per_hour=10000",
    "front.seconds=300",
    "front.undecided=10000",
    "front.undecided_per_peer=10000",
    "web.connections_per_peer=10000",
    "mqtt.connections_per_peer=10000",
    "mqtt.strangers=10000",
    "mqtt.strangers_per_peer=10000",
)

ACCEPTING = re.compile(r"accepting connections at \S+:(\d+)")

#: Seconds the server may take to start (the first time it makes keys), and to stop.
START_SECONDS, STOP_SECONDS = 60.0, 10.0

#: Which of its lines are kept, for whoever has to find out why a start failed.
LAST_LINES = 40


class ServerFailed(Exception):
    """The server did not start, or did not stop as it should."""


@frozen
class Ports:
    """Where the listeners are."""

    web: int
    web_tls: int
    mqtt: int
    mqtt_tls: int
    xmpp: int


@frozen
class Cpu:
    """Seconds of CPU: in the program, and in the kernel for it."""

    user: float
    system: float

    @property
    def total(self) -> float:
        """Both."""
        return self.user + self.system

    def __sub__(self, earlier: "Cpu") -> "Cpu":
        return Cpu(self.user - earlier.user, self.system - earlier.system)


@frozen
class Memory:
    """
    Resident memory, in MB of 1,000,000 bytes.

    @ivar own: what nobody else has.
    @ivar files: programs and libraries, which processes share and the kernel may drop.
    @ivar share: C{Pss}: what is its own, and its part of what it shares.
    """

    own: float
    files: float
    share: float

    @property
    def total(self) -> float:
        """Both: C{VmRSS}, but for shared memory, of which we have none."""
        return self.own + self.files


@frozen
class Launch:
    """
    How servers are started.

    @ivar python: its interpreter; the packages it needs are found as ours are.
    @ivar folder: where it runs and keeps data and certificates.
    @ivar settings: values for C{--set}.
    @ivar flags: for the interpreter.
    @ivar bytecode: where compiled modules are kept, as an installation would have them next to
        the modules; L{None} for what the interpreter does by itself.
    @ivar variables: of the environment, with their values.
    """

    python: str
    folder: Path
    settings: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    bytecode: Path | None = None
    variables: Mapping[str, str] = field(factory=dict)

    def argv(self) -> list[str]:
        """The command line."""
        settings = (*CROWD, *self.settings)
        options = [option for value in settings for option in ("--set", value)]
        return [
            *(
                self.python,
                *self.flags,
                "-m",
                "bumper_tw.app.cli",
                "--listen",
                ",".join(LISTENERS),
            ),
            *("--data", "data", "--certs", "certs", "--announce", HOST),
            *options,
        ]

    def environment(self) -> dict[str, str]:
        """Our own variables without settings of a server; the repository comes first."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith("BUMPER_")}
        paths = [str(ROOT), *filter(None, [kept.get("PYTHONPATH")])]
        if self.bytecode is not None:
            kept.pop("PYTHONDONTWRITEBYTECODE", None)
            kept["PYTHONPYCACHEPREFIX"] = str(self.bytecode)
        path = os.pathsep.join(paths)
        return {**kept, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **self.variables}


class Lines:
    """What a stream says, read all the time so that nobody has to wait for us."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream, self._changed, self._over = stream, Condition(), False
        self.all: list[str] = []
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._stream:
            with self._changed:
                self.all.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def found(self, pattern: re.Pattern[str], count: int, seconds: float) -> list[str]:
        """The first groups of matching lines, as soon as there are so many, or at the end."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._over or len(self._matches(pattern)) >= count, seconds
            )
            return self._matches(pattern)

    def _matches(self, pattern: re.Pattern[str]) -> list[str]:
        return [match[1] for line in self.all if (match := pattern.search(line))]

    def close(self) -> None:
        """Wait for the last line."""
        self._reader.join(STOP_SECONDS)
        self._stream.close()


class Running:
    """
    A process that runs until the end of a block.

    @ivar _process: it, from the beginning.
    """

    _process: "subprocess.Popen[str] | subprocess.Popen[bytes]"

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def cpu(self) -> Cpu:
        """What it has used, all threads; in steps of 10 ms."""
        stat = Path(f"/proc/{self.pid}/stat").read_text("ascii", "replace")
        # The name of the program, in parentheses, may contain anything.
        fields, tick = stat.rpartition(")")[2].split(), os.sysconf("SC_CLK_TCK")
        return Cpu(int(fields[11]) / tick, int(fields[12]) / tick)

    def stop(self) -> None:
        """
        End it.

        @raise ServerFailed: it does not end as it should.
        """
        raise NotImplementedError

    def _finished(self) -> int | None:
        """Ask it to end, and wait for that; its exit status, if it had not to be killed."""
        self._process.send_signal(SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._kill()
            return None

    def _kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.stop()
        else:
            self._kill()


class Server(Running):
    """
    A running server.

    @ivar started: when it was started, in seconds of C{time.monotonic}.
    @ivar ports: where it accepts connections.
    """

    def __init__(self, launch: Launch) -> None:
        """
        Start it and wait for its ports.

        @raise ServerFailed: it does not open them.
        """
        launch.folder.mkdir(parents=True, exist_ok=True)
        self.started = monotonic()
        self._process = subprocess.Popen(
            launch.argv(),
            cwd=launch.folder,
            env=launch.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._out, self._err = Lines(self._process.stdout), Lines(self._process.stderr)
        self.ports = self._bound()

    def _bound(self) -> Ports:
        bound = self._out.found(ACCEPTING, len(LISTENERS), START_SECONDS)
        if len(bound) < len(LISTENERS):
            self._process.kill()
            raise ServerFailed(self.story())
        return Ports(*map(int, bound))

    def story(self) -> str:
        """The last lines it wrote."""
        return "\n".join([*self._out.all[-LAST_LINES:], *self._err.all[-LAST_LINES:]])

    @property
    def errors(self) -> list[str]:
        """Its standard error, all of it once L{stop} has returned."""
        return self._err.all

    def memory(self) -> Memory:
        """What it has in memory."""
        names = ("status", "smaps_rollup")
        texts = [Path(f"/proc/{self.pid}/{name}").read_text("ascii", "replace") for name in names]
        lines = dict(line.partition(":")[::2] for text in texts for line in text.splitlines())
        kinds = ("RssAnon", "RssFile", "Pss")
        return Memory(*(int(lines[kind].split()[0]) * 1024 / 1e6 for kind in kinds))

    def stop(self) -> None:
        """
        End it as its owner would.

        @raise ServerFailed: it goes on, or complains.
        """
        status = self._finished()
        self._out.close()
        self._err.close()
        if status is None:
            raise ServerFailed(f"it went on for {STOP_SECONDS:g} s\n{self.story()}")
        if status:
            raise ServerFailed(f"exit status {status}\n{self.story()}")


def default_python() -> str:
    """The interpreter that runs us."""
    return sys.executable
