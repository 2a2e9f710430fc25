"""A browser as people have it, told by the test what to open and what to press."""

import json
import os
import shutil
import signal
import subprocess
import sys
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from select import select
from time import monotonic
from typing import Any

from tests.interop.case import unavailable
from tests.interop.children import PATIENCE
from tests.interop.server import environment

#: What the browser is called, by whom it is packaged.
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")

#: Nothing of it goes anywhere but to us; it is not root's business to sandbox it further.
OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--password-store=basic", "--remote-debugging-pipe"),
)

#: Keys by their names: their numbers, and what they type.
KEYS = {"Tab": (9, ""), "Enter": (13, "\r")}

#: Gives it its ends of the pipes: by the DevTools protocol it reads from 3 and writes to 4.
BEGIN = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD_CLOEXEC, 10) for end in sys.argv[1:3]]
for end, number in zip(ends, (3, 4)):
    os.dup2(end, number)
os.execv(sys.argv[3], sys.argv[3:])
"""


def program() -> str:
    """
    The browser of this system.

    @raise SkipTest: it has none.
    """
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    return found or unavailable("the page for phones needs chromium: not found")


def installed(tool: str) -> str:
    """
    A program that the test needs besides.

    @raise SkipTest: this system has none.
    """
    return shutil.which(tool) or unavailable(f"the page for phones needs {tool}: not found")


class Chromium:
    """
    One browser with one tab, in a home of its own.

    @param home: holds its profile and the authorities that its user has added.
    """

    def __init__(self, home: Path) -> None:
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        argv = [program(), *OPTIONS, f"--user-data-dir={home / 'profile'}", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", BEGIN, str(to_read), str(to_write), *argv],
            env=environment(HOME=str(home)),
            pass_fds=(to_read, to_write),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(to_read)
        os.close(to_write)
        self._held, self._last, self._session = b"", 0, ""
        self.events: list[dict[str, Any]] = []
        self._session = self._attach()
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.tell(f"{domain}.enable")

    def _attach(self) -> str:
        targets = self.tell("Target.getTargets")["targetInfos"]
        [tab] = [target["targetId"] for target in targets if target["type"] == "page"]
        attached = self.tell("Target.attachToTarget", targetId=tab, flatten=True)
        return str(attached["sessionId"])

    def tell(self, method: str, **params: object) -> dict[str, Any]:
        """
        One command of the DevTools protocol.

        @raise AssertionError: it fails, or is not answered.
        """
        self._last += 1
        said: dict[str, object] = {"id": self._last, "method": method, "params": params}
        if self._session:
            said["sessionId"] = self._session
        os.write(self._write, json.dumps(said).encode() + b"\0")
        while (heard := self._hear()).get("id") != self._last:
            self.events.append(heard)
        assert "error" not in heard, (method, heard["error"])
        result: dict[str, Any] = heard["result"]
        return result

    def _hear(self) -> dict[str, Any]:
        end = monotonic() + PATIENCE
        while b"\0" not in self._held:
            ready, _, _ = select([self._read], [], [], max(0.0, end - monotonic()))
            piece = os.read(self._read, 1 << 16) if ready else b""
            assert piece, "the browser does not answer"
            self._held += piece
        line, _, self._held = self._held.partition(b"\0")
        heard: dict[str, Any] = json.loads(line)
        return heard

    def open(self, url: str) -> str:
        """
        Go there.

        @return: what went wrong, in the browser's words; empty for nothing.
        """
        self.events.clear()
        gone = self.tell("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._hear())
        return str(gone.get("errorText", ""))

    def look(self, expression: str) -> Any:
        """The value of an expression in the page; of a promise, what it comes to."""
        found = self.tell(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def screen(self, width: int, height: int, dark: bool, mobile: bool) -> None:
        """What it is shown on."""
        self.tell(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=mobile,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.tell("Emulation.setEmulatedMedia", features=[scheme])

    def scripts(self, allowed: bool) -> None:
        """Whether pages opened from now on may run theirs."""
        self.tell("Emulation.setScriptExecutionDisabled", value=not allowed)

    def calls_itself(self, agent: str) -> None:
        """Its name from now on."""
        self.tell("Emulation.setUserAgentOverride", userAgent=agent)

    def press(self, key: str) -> None:
        """Press a key of the keyboard, and let it go."""
        code, text = KEYS[key]
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if kind == "keyDown" and text else {}
            self.tell(
                "Input.dispatchKeyEvent",
                type=kind, key=key, code=key, windowsVirtualKeyCode=code, **more,
            )  # fmt: skip

    def picture(self, file: Path, clip: Mapping[str, float] | None = None) -> Path:
        """
        The whole page as PNG.

        @param clip: the part of it.
        """
        more = {"clip": {**clip, "scale": 1}} if clip else {}
        shot = self.tell("Page.captureScreenshot", captureBeyondViewport=True, **more)
        file.write_bytes(b64decode(shot["data"]))
        return file

    def complaints(self) -> list[str]:
        """What it has put into its console since the last page was opened."""
        self.tell("Runtime.evaluate", expression="0")
        heard = [event for event in self.events if event["method"] == "Log.entryAdded"]
        return [str(event["params"]["entry"]["text"]) for event in heard]

    def close(self) -> None:
        """End it, and whatever it has started."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(PATIENCE)
        os.close(self._read)
        os.close(self._write)
