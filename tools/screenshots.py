"""
C{python -m tools.screenshots}: makes the pictures of our pages in C{docs/screenshots}.

It starts the demo and Debian's Chromium, so that pictures show what everybody sees who tries it;
what it needs besides is installed where the tests keep their clients.
"""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from bumper_tw.simulator.identity import Kind, identities, xmpp_identities
from tests.interop.browser import Browser, Tab, browsing
from tests.interop.server import HOST, ROOT, Server

FOLDER = ROOT / "docs" / "screenshots"

#: No picture may be larger, in bytes: people have to load the page that it is on.
LARGEST = 100_000

CODE = r"the code for the first visit is (\S+);"

PASSWORD = "the demo is everybody's"  # noqa: S105 - of a server that ends with this program

#: What the robots of the demo are called in the pictures.
NAMES = {
    identities(1, Kind.JSON)[0].did: "Downstairs",
    identities(1, Kind.XML)[0].did: "Upstairs",
    xmpp_identities(1)[0].did: "Workshop",
}

#: The one that is shown more closely: it knows its map, and the names of its rooms.
ROBOT = next(iter(NAMES))

#: Seconds for which it works before it is looked at, and to get home; its time goes faster.
WORK, WAY_HOME = 20.0, 12.0

#: What the scripts of our pages do.
SEND = """
async ([method, path, body]) => (await import("/page/live.js")).send(method, path, body)
"""

#: Has other addresses in the pictures than those of whoever makes them, or of the demo.
ANYWHERE = """
document.querySelectorAll("#step-address > p:not(.note) > code").forEach((each) => {
  each.textContent = "192.168.1.10";
});
document.querySelector("#step-address > .note")?.remove();
document.querySelectorAll("#step-address li code").forEach((each, place) => {
  each.textContent = ["192.168.1.10", "bumper.local"][place];
  if (place > 1) each.closest("li").remove();
})
"""


@frozen
class View:
    """
    One picture.

    @ivar path: of the page.
    @ivar width: in pixels, like C{height}.
    """

    name: str
    path: str
    width: int = 1000
    height: int = 760
    scheme: str = "light"


VIEWS = (
    View("home", "/"),
    View("home-phone", "/", 390, 760, "dark"),
    View("robot", f"/robots/{ROBOT}#map", height=780),
    View("setup", "/setup"),
    View("health", "/house"),
)

#: The same, once it has been home.
LATER = (View("history", f"/robots/{ROBOT}/history", height=900),)


@contextmanager
def demo(folder: Path) -> Iterator[Server]:
    """A server with simulated robots, for a while."""
    server = Server(folder, "--demo")
    try:
        yield server
    finally:
        server.stop()


def claimed(browser: Browser, server: Server) -> Tab:
    """The first page, for the owner that the demo has from now on."""
    tab = browser.tab()
    url = f"http://{HOST}:{server.ports().web}"
    tab.open(url)
    tab.page.fill("input[name=code]", server.child.wait_for(CODE)[-1][1])
    for field in tab.page.query_selector_all("main input[type=password]"):
        field.fill(PASSWORD)
    with tab.page.expect_navigation():
        tab.page.click("main button[type=submit]")
    tab.open(url)
    return tab


def named(tab: Tab) -> None:
    """Wait for the robots, and call them something."""
    for did, name in NAMES.items():
        tab.until(f"document.querySelector(`[data-did='{did}'][data-online=true]`) !== null")
        tab.look(SEND, ["PUT", f"/api/robots/{did}/name", {"nick": name}])


def told(tab: Tab, action: str, seconds: float) -> None:
    """Have the robot do something, for a while."""
    tab.look(SEND, ["POST", f"/api/robots/{ROBOT}/actions/{action}", {}])
    tab.pause(seconds)


def taken(tab: Tab, view: View) -> int:
    """
    Make one picture.

    @return: its size, in bytes.
    """
    tab.page.set_viewport_size({"width": view.width, "height": view.height})
    tab.page.emulate_media(color_scheme=view.scheme)
    tab.open(re.sub(r"(//[^/]+)/.*", r"\1", tab.page.url) + view.path)
    tab.pause(1.0)
    tab.look(ANYWHERE)
    file = tab.picture(FOLDER / f"{view.name}.png", full_page=False)
    return file.stat().st_size


def sizes(tab: Tab) -> Iterator[tuple[str, int]]:
    """Make all pictures; tells how large each is."""
    named(tab)
    told(tab, "clean", WORK)
    for view in VIEWS:
        yield view.name, taken(tab, view)
    told(tab, "dock", WAY_HOME)
    for view in LATER:
        yield view.name, taken(tab, view)


def main() -> int:
    """Make all of them anew."""
    os.environ["BUMPER_INTEROP"] = "require"
    largest = 0
    with TemporaryDirectory() as made:
        folder = Path(made)
        with demo(folder) as server, browsing(folder) as browser:
            for name, size in sizes(claimed(browser, server)):
                largest = max(largest, size)
                sys.stdout.write(f"{name}: {size} bytes{' (too large)' * (size > LARGEST)}\n")
    return int(largest > LARGEST)


if __name__ == "__main__":
    sys.exit(main())
