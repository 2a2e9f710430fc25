"""Pages as a browser takes them in: elements with attributes and text, and what is wrong."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

from attrs import Factory, define
from twisted.internet.task import Clock

from bumper_tw.web.call import Call
from bumper_tw.web.dashboard.frame import Visit
from bumper_tw.web.routes import Route
from bumper_tw.web.site import build_site
from tests.web.browser import Browser

#: Elements that have no end tag.
VOID = {"meta", "link", "br", "img", "input", "hr"}

#: What robots, phones and people may call themselves.
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"' onmouseover=alert(1) x='",
    "</title></template><b>",
    "&lt;b&gt; &amp;#60;",
    "\u202eevil\u2066\u0000\u0007",
    "]]><!--",
    "javascript:alert(1)",
    "n" * 10_000,
    "../../etc?x=1#y z%2f",
)


@define(eq=False)
class Node:
    """One element."""

    tag: str
    attributes: dict[str, str]
    parent: "Node | None" = None
    children: "list[Node | str]" = Factory(list)

    def __getitem__(self, name: str) -> str:
        return self.attributes[name]

    def get(self, name: str) -> str:
        """An attribute; empty when it is not there."""
        return self.attributes.get(name, "")

    def walk(self) -> "Iterator[Node]":
        """This element and all within."""
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.walk()

    def all(self, *tags: str, **attributes: str) -> "list[Node]":
        """Those within of these kinds, or of any, with these attributes."""
        wanted = {name.rstrip("_").replace("_", "-"): text for name, text in attributes.items()}
        return [
            node
            for node in self.walk()
            if (not tags or node.tag in tags) and wanted.items() <= node.attributes.items()
        ]

    def one(self, *tags: str, **attributes: str) -> "Node":
        """The only one of its kind."""
        [found] = self.all(*tags, **attributes)
        return found

    @property
    def text(self) -> str:
        """What it says."""
        return "".join(
            child if isinstance(child, str) else child.text for child in self.children
        ).strip()

    @property
    def within(self) -> "Iterator[Node]":
        """The elements around it, the next first."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent


class Reading(HTMLParser):
    """Builds a tree; fails when tags do not match."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.root = self._node = Node("", {})
        self.feed(body.decode())
        self.close()
        assert self._node is self.root, self._node.tag

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs}, self._node)
        self._node.children.append(node)
        if tag not in VOID:
            self._node = node

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert tag == self._node.tag, (tag, self._node.tag)
        assert self._node.parent is not None
        self._node = self._node.parent

    def handle_data(self, data: str) -> None:
        self._node.children.append(data)


def read(body: bytes) -> Node:
    """The whole of a page."""
    return Reading(body).root


def faults(page: Node) -> list[str]:
    """What keeps somebody from using a page, or would run what it must not."""
    nodes = list(page.walk())
    return [fault for check in CHECKS for fault in check(nodes)]


def forbidden(nodes: Iterable[Node]) -> Iterator[str]:
    """What the policy of the pages forbids would not work, or run what somebody has sent."""
    for node in nodes:
        bad = [name for name in node.attributes if name == "style" or name.startswith("on")]
        yield from (f"{node.tag} has {name}" for name in bad)
        if node.tag == "style" or (node.tag == "script" and (node.text or not node.get("src"))):
            yield f"{node.tag} within the page"
        if node.get("href").lower().lstrip().startswith(("javascript:", "data:", "//")):
            yield f"a link to {node.get('href')}"


def broken(nodes: Iterable[Node]) -> Iterator[str]:
    """Ids are there once, and what is pointed to is there."""
    every = list(nodes)
    # What is in a template is not there yet.
    ids = [node["id"] for node in every if "id" in node.attributes]
    yield from (f"two times {name}" for name in set(ids) if ids.count(name) > 1)
    for node in every:
        pointers = ("for", "aria-labelledby", "aria-describedby", "aria-controls", "list")
        names = [name for pointer in pointers for name in node.get(pointer).split()]
        if node.tag == "a" and node.get("href").startswith("#"):
            names.append(node["href"][1:])
        yield from (f"nothing is called {name}" for name in names if name not in ids)


def nameless(nodes: Iterable[Node]) -> Iterator[str]:
    """Whatever can be used has a name."""
    every = list(nodes)
    labelled = {node["for"] for node in every if node.tag == "label" and node.get("for")}
    for node in every:
        if node.tag in CONTROLS and not is_named(node, labelled):
            yield f"{node.tag} {node.get('name') or node.get('class')} has no name"
        if node.tag == "img" and "alt" not in node.attributes:
            yield f"{node.get('src')} says nothing"


CONTROLS = ("input", "select", "textarea", "button", "meter", "progress", "a", "nav", "summary")


def is_named(node: Node, labelled: Iterable[str]) -> bool:
    """Whether a screen reader has words for an element."""
    if any(around.tag == "template" for around in node.within) or "hidden" in node.attributes:
        return True
    if node.get("type") == "hidden" or node.get("aria-label") or node.get("aria-labelledby"):
        return True
    if node.tag in {"button", "a", "summary"}:
        return bool(node.text) or any(image.get("alt") for image in node.all("img"))
    return node.get("id") in set(labelled) or any(each.tag == "label" for each in node.within)


def headed(nodes: Iterable[Node]) -> Iterator[str]:
    """There is one heading of the page, and no level is left out."""
    levels = [int(node.tag[1]) for node in nodes if node.tag in {"h1", "h2", "h3", "h4"}]
    if levels.count(1) > 1:
        yield "more than one h1"
    for before, after in pairwise(levels):
        if after > before + 1:
            yield f"h{after} follows h{before}"


CHECKS: tuple[Callable[[Iterable[Node]], Iterator[str]], ...] = (
    forbidden,
    broken,
    nameless,
    headed,
)


#: What may be said on a card, and need not.
TEXTS = ("error_text", "job_text", "network_text", "blocked_text", "totals_text")


def card(did: str = "d1", **changed: Any) -> Mapping[str, Any]:
    """A robot's card."""
    values: dict[str, Any] = dict.fromkeys(TEXTS, "")
    values |= {"did": did, "name": "Dusty", "model": "DEEBOT 900", "online": True}
    values |= {"image": "/page/robot-vacuum.svg", "online_text": "Connected"}
    values |= {"state": "cleaning", "state_text": "Cleaning", "battery": 76, "parts": []}
    values |= {"battery_text": "76 %", "seen_at": 1_700_000_000.5, "firmware": "1.8.2"}
    values |= {"suction_text": "Max", "water_text": "Medium"}
    return values | changed


def admitted(call: Call) -> Visit:
    """The visit of somebody who is logged in."""
    return Visit("a-token", "epoch-7", call.path)


def here(_: Call) -> bool:
    """Everybody calls the box by its name."""
    return True


def browser(*routes: Route) -> Browser:
    """Somebody who looks at pages."""
    clock = Clock()
    return Browser(build_site(routes, clock), clock)
