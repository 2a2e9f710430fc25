"""Other processes whose lines can be waited for."""

import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Condition, Event, Thread
from time import monotonic
from typing import IO

#: Seconds that anything we wait for may take, on a machine that has other work to do.
PATIENCE = 60.0

#: Seconds between two looks at something that cannot tell us.
GLANCE = 0.05


class Child:
    """
    A process; what it prints is read all the time, so that it never waits for us.

    @ivar out: the lines of its standard output until now.
    @ivar err: the same for its standard error.
    """

    def __init__(
        self, argv: Sequence[str], cwd: Path, environ: Mapping[str, str] | None = None
    ) -> None:
        self._process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        self._name = Path(argv[0]).name
        self._changed = Condition()
        self._open = 2
        self.out: list[str] = []
        self.err: list[str] = []
        self._readers = [
            self._reader(self._process.stdout, self.out),
            self._reader(self._process.stderr, self.err),
        ]

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def wait_for(
        self, pattern: str, count: int = 1, seconds: float = PATIENCE
    ) -> list[re.Match[str]]:
        """
        Wait until lines of the standard output match.

        @return: the matches of all lines until now.
        @raise AssertionError: there were too few of them in time, or before the process ended.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: len(self._found(pattern)) >= count or not self._open, seconds
            )
            found = self._found(pattern)
        if len(found) < count:
            raise AssertionError(f"{self._name} did not say {pattern!r}:\n{self.story()}")
        return found

    def say(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def kill(self) -> None:
        """End it as a power failure does."""
        self._process.kill()

    def finish(self, seconds: float = PATIENCE) -> int:
        """
        Wait until it has ended and everything it said is read.

        @return: its exit status.
        @raise AssertionError: it goes on; then it is killed.
        """
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(
                f"{self._name} went on for {seconds} s:\n{self.story()}"
            ) from None
        finally:
            self._close()
        return status

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def story(self) -> str:
        """The last things it said, for whoever has to find out why a test failed."""
        return "\n".join([*self.out[-60:], "-- standard error:", *self.err[-60:]])

    def _found(self, pattern: str) -> list[re.Match[str]]:
        return [match for line in self.out if (match := re.search(pattern, line))]

    def _reader(self, stream: IO[str] | None, lines: list[str]) -> Thread:
        assert stream is not None
        reader = Thread(target=self._read, args=(stream, lines), daemon=True)
        reader.start()
        return reader

    def _read(self, stream: IO[str], lines: list[str]) -> None:
        for line in stream:
            with self._changed:
                lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def _close(self) -> None:
        for reader in self._readers:
            reader.join(GLANCE * 100)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()


def until(
    condition: Callable[[], bool], what: str, seconds: float = PATIENCE, glance: float = GLANCE
) -> None:
    """
    Wait for something that has to be looked at.

    @param glance: seconds between two looks.
    @raise AssertionError: it did not come true in time.
    """
    deadline, never = monotonic() + seconds, Event()
    while not condition():
        if monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        never.wait(glance)
