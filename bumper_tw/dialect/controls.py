"""What robots say and hear over XMPP: C{com:ctl} and C{com:sf} (xmpp.md 11 and 13)."""

from collections.abc import Iterator, Mapping

from attrs import frozen

from bumper_tw.dialect import markup
from bumper_tw.dialect.first_generation import is_n79
from bumper_tw.dialect.lenient import seconds, text
from bumper_tw.dialect.markup import Element
from bumper_tw.dialect.stanzas import SPECIAL, UNFIT
from bumper_tw.errors import BadRequest
from bumper_tw.readings import Alert

#: C{errno} of a robot that does not know who asks; also that of a stuck wheel (xmpp.md 12).
DENIED = "103"

#: C{errno} of a robot that waits for somebody to press its button (xmpp.md 12).
WEDGED = "5"

#: What is said of an error that does not say what is wrong.
UNEXPLAINED = "no reason given"


@frozen
class Control:
    """
    One C{ctl} element of a robot: an event, or an answer.

    @ivar element: the whole of it.
    """

    element: Element

    @property
    def td(self) -> str:
        """What it is about; answers do not say."""
        return self.element.get("td")

    @property
    def id(self) -> str:
        """Under what number it was asked for; events have none."""
        return self.element.get("id")

    @property
    def ret(self) -> str:
        """C{ok} or C{fail}, in an answer."""
        return self.element.get("ret")

    @property
    def errno(self) -> str:
        """The number of what went wrong."""
        return self.element.get("errno")

    @property
    def error(self) -> str:
        """What went wrong, in words."""
        return self.element.get("error")

    @property
    def admin(self) -> str:
        """Whom a robot belongs to that refuses somebody else (xmpp.md 12)."""
        return self.element.get("admin")

    def written(self) -> bytes:
        """The element as robots behind MQTT write theirs (mqtt.md 8.1)."""
        return write(self.element, self.element.attributes)


def read(raw: bytes) -> Control:
    """
    The C{ctl} element in a stanza of a robot.

    @raise ValueError: there is none.
    """
    return Control(quick(raw) or within(raw, "ctl"))


def quick(raw: bytes) -> Element | None:
    """
    The same for the one shape that all robots use, at half the cost: every stanza of every
    robot is read.
    """
    start, end = raw.find(b"<ctl"), raw.rfind(b"</query>")
    try:
        found = markup.parse(raw[start:end]) if 0 <= start < end else None
    except ValueError:
        return None
    return found if found is not None and found.name == "ctl" else None


def within(raw: bytes, name: str) -> Element:
    """
    The element of that name in the C{query} of a stanza.

    @raise ValueError: there is none.
    """
    query = markup.parse(raw).child("query")
    found = query.child(name) if query else None
    if found is None:
        raise ValueError(f"no {name} in the stanza")
    return found


def read_as(model: str, element: Element) -> Element:
    """What a robot of a class means by an element: some write what does not count."""
    if not is_n79(model) or "val" not in element.attributes:
        return element
    attributes = {name: value for name, value in element.attributes.items() if name != "total"}
    return Element(element.name, attributes, element.children, element.text)


def alert(raw: bytes) -> Alert:
    """
    What a robot has told the service for relations: C{k} is what, C{v} how it is, C{g} for
    whom, C{ts} when.  Who it is its stream tells, whatever is in C{f} (xmpp.md 11).

    @raise ValueError: the stanza has no alert.
    """
    told = within(raw, "sf")
    name = text(told.get("k"))
    if not name:
        raise ValueError("the alert has no name")
    return Alert(name, text(told.get("v")), text(told.get("g")), seconds(told.get("ts")))


def condition(raw: bytes) -> str:
    """What a stanza of type C{error} says is wrong, in words (RFC 6120, 8.3)."""
    try:
        error = markup.parse(raw).child("error")
    except ValueError:
        error = None
    if error is None:
        return UNEXPLAINED
    names = (child.name for child in error.children if child.name != "text")
    named, told = next(names, "").replace("-", " "), error.child("text")
    code = text(error.get("code"))
    words = text(named) or text(told.text if told else "")
    return words or (f"code {code}" if code else UNEXPLAINED)


def request(name: str, body: bytes, ctl_id: str) -> bytes:
    """
    A command as it is written into a C{query}.

    @param body: the element without its name and id; it may have others of its own.
    @raise BadRequest: that is no C{ctl} element.
    """
    try:
        asked = markup.parse(body)
    except ValueError as wrong:
        raise BadRequest(f"{name} cannot be read as XML: {wrong}") from wrong
    if asked.name != "ctl":
        raise BadRequest(f"{name} is no <ctl/> element")
    return write(asked, {**asked.attributes, "td": name, "id": ctl_id}, first=("td", "id"))


def reply_body(control: Control) -> bytes:
    """
    An answer as robots behind MQTT write it (mqtt.md 8.1): without an id and a name, and
    always saying how it went.
    """
    said = control.element
    ret = control.ret or ("fail" if control.errno else "ok")
    rest = {name: value for name, value in said.attributes.items() if name not in {"td", "id"}}
    return write(said, {**rest, "ret": ret}, first=("ret",))


def write(element: Element, attributes: Mapping[str, str], first: tuple[str, ...] = ()) -> bytes:
    """An element with other attributes than its own, these in front."""
    ordered = {name: attributes[name] for name in first} | dict(attributes)
    copy = Element(element.name, ordered, element.children, element.text)
    return "".join(pieces(copy)).encode("utf-8", "replace")


def pieces(element: Element) -> Iterator[str]:
    """
    An element in single quotes and without white space: robots were built against that
    (xmpp.md 8.5).
    """
    yield f"<{element.name}"
    for name, value in element.attributes.items():
        # Namespaces are those of the stanza it gets into.
        if name != "xmlns":
            yield f" {name}='{escaped(value)}'"
    if not element.children and not element.text:
        yield "/>"
        return
    yield f">{escaped(element.text)}"
    for child in element.children:
        yield from pieces(child)
    yield f"</{element.name}>"


def escaped(words: str) -> str:
    """Text as it stands between single quotes; what XML cannot say is replaced."""
    return UNFIT.sub("\ufffd", words).translate(SPECIAL)
