"""A browser as people have it, told by the test what to open and what to press."""

import atexit
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from time import monotonic
from typing import Any

from tests.interop.case import clients_wanted, unavailable
from tests.interop.children import GLANCE, PATIENCE
from tests.interop.installs import COMPLETE, NPM_OPTIONS, alone, complete, environment, install
from tests.interop.installs import cache as kept
from tests.interop.server import environment as variables

#: Drives the browser; it brings none, and is not let download one.
PLAYWRIGHT = "playwright>=1.49"

#: Knows what people with other eyes, ears and hands need of a page.
AXE = "axe-core@4"

#: What the browser is called, by whom it is packaged.
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")

#: Root's browser has no sandbox; nothing of it goes anywhere but to us.
OPTIONS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--password-store=basic")

#: Runs before anything of a page does: remembers what its policy has kept from happening.
WATCH = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


def program() -> str:
    """
    The browser of this system.

    @raise SkipTest: it has none.
    """
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    return found or unavailable("our pages need chromium: not found")


def installed(tool: str) -> str:
    """
    A program that a test of a page needs besides.

    @raise SkipTest: this system has none.
    """
    return shutil.which(tool) or unavailable(f"our pages need {tool}: not found")


def playwright() -> Any:
    """
    Playwright's module for those who wait for each answer.

    It is made for the Python that runs the tests, and looked for last, so that it stands in
    nobody's way.

    @raise SkipTest: it cannot be had.
    """
    clients_wanted()
    version = ".".join(map(str, sys.version_info[:2]))
    python = environment(f"playwright-{version}", lambda: Path(sys.executable), PLAYWRIGHT)
    [packages] = map(str, python.parents[1].glob("lib/python*/site-packages"))
    if packages not in sys.path:
        sys.path.append(packages)
    return import_module("playwright.sync_api")


@cache
def driver() -> Any:
    """The process behind all browsers of this one: Playwright has one to a thread."""
    started = playwright().sync_playwright().start()
    atexit.register(started.stop)
    return started


@cache
def axe() -> str:
    """
    The script that finds what keeps people from using a page.

    @raise SkipTest: it cannot be had.
    """
    clients_wanted()
    npm = shutil.which("npm") or unavailable("axe-core needs npm: not found")
    folder = kept() / "axe-core"
    with alone(folder):
        if not complete(folder, AXE):
            install([npm, "install", "--prefix", str(folder), *NPM_OPTIONS, AXE])
            (folder / COMPLETE).write_text(AXE)
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text()


class Tab:
    """
    One page of a browser, and what became of it.

    @ivar page: the page, as Playwright has it.
    @ivar complaints: what the browser has said in its console, and errors of scripts.
    @ivar asked: boxes that scripts have opened; closed at once.
    @ivar loaded: bytes that have come over the wire, by the address.
    """

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.loaded: dict[str, int] = {}
        self._addresses: dict[str, str] = {}
        page.set_default_timeout(PATIENCE * 1000)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("dialog", self._dialog)
        self.wire = page.context.new_cdp_session(page)
        self.wire.send("Network.enable")
        self.wire.on("Network.responseReceived", self._received)
        self.wire.on("Network.loadingFinished", self._finished)

    def _console(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")

    def _dialog(self, dialog: Any) -> None:
        self.asked.append(dialog.message)
        dialog.dismiss()

    def _received(self, event: dict[str, Any]) -> None:
        self._addresses[event["requestId"]] = event["response"]["url"]

    def _finished(self, event: dict[str, Any]) -> None:
        address = self._addresses.get(event["requestId"], "")
        self.loaded[address] = self.loaded.get(address, 0) + event["encodedDataLength"]

    def open(self, url: str) -> int:
        """
        Go there.

        @return: the status of the answer.
        """
        answer = self.page.goto(url, wait_until="load")
        return int(answer.status) if answer else 0

    def refused(self, url: str) -> str:
        """
        Try to go there.

        @return: why that cannot be, in the browser's words; empty if it can.
        """
        try:
            self.open(url)
        except playwright().Error as why:
            found = re.search(r"net::\w+", str(why))
            return found[0] if found else str(why)
        return ""

    def look(self, expression: str, what: object = None) -> Any:
        """The value of an expression in the page; of a function, what it makes of C{what}."""
        return self.page.evaluate(expression, what)

    def until(self, expression: str, what: object = None, seconds: float = PATIENCE) -> None:
        """
        Wait until an expression, or a function of C{what}, is true.

        @raise AssertionError: it does not get so; with what the page says instead.
        """
        # Playwright's own way evaluates text in the page, which our policy forbids.
        end = monotonic() + seconds
        while not self._true(expression, what):
            if monotonic() > end:
                shown = self.page.inner_text("body")
                raise AssertionError(f"not within {seconds} s: {expression}\n{shown}")
            self.page.wait_for_timeout(GLANCE * 1000)

    def _true(self, expression: str, what: object) -> bool:
        """A page that goes elsewhere just now has not got so either."""
        try:
            return bool(self.look(expression, what))
        except playwright().Error as why:
            if "context was destroyed" in str(why):
                return False
            raise

    def pause(self, seconds: float) -> None:
        """Let the page go on, for what can only be seen not to happen."""
        self.page.wait_for_timeout(seconds * 1000)

    def faults(self) -> list[str]:
        """
        What would keep people with other eyes, ears or hands from using the page as it is.

        @return: only what axe-core takes for serious or worse; with the elements.
        """
        if not self.look("'axe' in window"):
            # Not as a script of the page's, which its policy forbids.
            self.look(axe())
        found = self.look("axe.run({resultTypes: ['violations']})")["violations"]
        return [
            f"{each['id']}: {node['html'][:160]}"
            for each in found
            if each["impact"] in {"serious", "critical"}
            for node in each["nodes"]
        ]

    def picture(self, file: Path, **more: object) -> Path:
        """The page as PNG, all of it unless C{more} says otherwise."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(file), **{"full_page": True, **more})
        return file

    def close(self) -> None:
        """Close it."""
        self.page.close()


class Browser:
    """
    Debian's Chromium, or what stands for it, in a home of its own.

    @param home: holds the authorities that its user has added.
    @param options: for the program.
    """

    def __init__(self, home: Path, *options: str) -> None:
        self._browser = driver().chromium.launch(
            executable_path=program(),
            args=[*OPTIONS, *options],
            env=variables(HOME=str(home)),
        )

    def person(self, **how: object) -> Any:
        """
        Somebody with cookies of their own.

        @param how: of Playwright's: C{viewport}, C{color_scheme}, C{java_script_enabled} and
            the like.
        """
        somebody = self._browser.new_context(**how)
        somebody.add_init_script(WATCH)
        return somebody

    def tab(self, **how: object) -> Tab:
        """A page of somebody new."""
        return Tab(self.person(**how).new_page())

    def close(self) -> None:
        """End it."""
        self._browser.close()


@contextmanager
def browsing(home: Path, *options: str) -> Iterator[Browser]:
    """A browser for a while."""
    browser = Browser(home, *options)
    try:
        yield browser
    finally:
        browser.close()
