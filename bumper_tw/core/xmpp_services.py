"""Where a stanza can be for, and what the server answers by itself (xmpp.md 8.2, 10 and 11)."""

import re
from enum import Enum
from functools import lru_cache

from attrs import field, frozen

from bumper_tw.dialect import controls, stanzas
from bumper_tw.dialect.domains import (
    EVENTS,
    RELATIONS,
    is_ours,
    robot_class,
)
from bumper_tw.dialect.markup import Element
from bumper_tw.dialect.topics import HELPER
from bumper_tw.wire.xmpp_jid import Jid, Key, parse_jid
from bumper_tw.wire.xmpp_stanzas import Stanza

#: Addresses that are longer are read anew each time: whoever invents some fills no memory.
REMEMBERED = 256

#: The first C{ctl}, and the id that it may have.  There is one way only to read each.
CTL = re.compile(
    rb"<(?:[\w.-]++:)?ctl(?=[\s/>])(?:\s++(?!id\s*+=)[\w:.-]++\s*+=\s*+(?:'[^']*+'|\"[^\"]*+\"))*"
    rb"(?:\s++id\s*+=\s*+(?:'([^']*+)'|\"([^\"]*+)\"))?"
)

#: What robots call what they are asked when they have come (xmpp.md 5.3).
DEVICE_INFO = {"DeviceInfo", "GetDeviceInfo"}


class Kind(Enum):
    """What kind of place an address leads to."""

    NOWHERE = "no address"
    USER = "user"
    ROBOT = "robot"
    SERVER = "server"
    RELATIONS = "relation service"
    EVENTS = "event service"
    OURSELVES = "our own questions"
    FOREIGN = "foreign"
    MALFORMED = "malformed"


#: Those where the server itself is.
SERVED = frozenset({Kind.NOWHERE, Kind.SERVER, Kind.RELATIONS, Kind.EVENTS})


@frozen
class Place:
    """
    Where an address leads to.

    @ivar text: as it was spelt; C{None} for a stanza that has none.
    @ivar key: whose address it is.
    """

    kind: Kind
    text: str | None = None
    local: str = ""
    resource: str = ""
    key: Key = field(default=("", ""))


NOWHERE = Place(Kind.NOWHERE)


def place(text: str | None) -> Place:
    """Find out where an address leads to; any text leads somewhere."""
    if text is None:
        return NOWHERE
    try:
        return _known(text) if len(text) <= REMEMBERED else _place(text)
    except ValueError:
        return Place(Kind.MALFORMED)


def _place(text: str) -> Place:
    jid = parse_jid(text)
    return Place(_kind(jid), text, jid.local, jid.resource, jid.key)


_known = lru_cache(maxsize=4096)(_place)


def _kind(jid: Jid) -> Kind:
    domain = jid.domain.lower()
    if domain in {RELATIONS, EVENTS}:
        return Kind.RELATIONS if domain == RELATIONS else Kind.EVENTS
    if not is_ours(domain):
        return Kind.FOREIGN
    if not jid.local:
        return Kind.SERVER
    if robot_class(domain) is not None:
        return Kind.ROBOT
    return Kind.OURSELVES if jid.local.casefold() == HELPER[0] else Kind.USER


def namespace(stanza: Stanza) -> str:
    """What a stanza is about; empty when it does not say."""
    return "" if stanza.child is None else stanza.child[0]


def is_control(stanza: Stanza) -> bool:
    """Whether it is about commands and events; some re-serialiser loses the name (xmpp.md 3)."""
    if stanza.child is None:
        return False
    about, name = stanza.child
    unnamed = about == stanzas.NS_CLIENT and name == "query" and b"<ctl" in stanza.raw
    return about == stanzas.NS_CTL or unnamed


def ctl_number(raw: bytes) -> tuple[int, int] | None:
    """Where in a stanza the id is of the command that it is about; C{None} for an event."""
    found = CTL.search(raw)
    return found.span(found.lastindex) if found is not None and found.lastindex else None


def ctl_id(raw: bytes) -> bytes | None:
    """The id of the command that a stanza is about or answers; C{None} for an event."""
    place = ctl_number(raw)
    return None if place is None else raw[place[0] : place[1]]


def answer(stanza: Stanza, to: Place, asker: str) -> bytes:
    """
    What the server says to a request that is not to be brought to anybody (rows 3, 4, 10, 11
    and 12 of xmpp.md 8.2).

    @param asker: the full address of whoever asks.
    """
    stanza_id = stanza.attributes.get("id")
    if to.kind is Kind.FOREIGN:
        return stanzas.remote_server_not_found(stanza_id, to.text or "", asker)
    if to.kind is Kind.MALFORMED:
        return stanzas.error(stanza_id, "modify", "jid-malformed", 400, None, asker)
    if to.kind not in SERVED:
        return stanzas.service_unavailable(stanza_id, to.text or "", asker)
    if namespace(stanza) == stanzas.NS_PING:
        # Known by its namespace: some client calls the element query (xmpp.md 6.4).
        return stanzas.result(stanza_id, to.text)
    return stanzas.not_implemented(stanza_id, to.text)


def of_the_stream(stanza: Stanza) -> bytes | None:
    """
    What is said to a party that asks for an address again, or for a session (row 2).

    @return: C{None} when it asks for something else.
    """
    about = namespace(stanza)
    if about == stanzas.NS_SESSION:
        return stanzas.result(stanza.attributes.get("id"))
    return stanzas.not_allowed(stanza.attributes.get("id")) if about == stanzas.NS_BIND else None


def alerted(stanza: Stanza) -> Place:
    """Whom a robot wants to hear of an alert (xmpp.md 11)."""
    return place(_inner(stanza, "sf").get("g") or None)


def tells_device_info(stanza: Stanza) -> bool:
    """Whether it is what a robot was asked when it came, which is for nobody else."""
    return _inner(stanza, "ctl").get("td") in DEVICE_INFO


def _inner(stanza: Stanza, name: str) -> Element:
    """What is asked or told in a stanza; an empty element when that cannot be read."""
    try:
        return controls.within(stanza.raw, name)
    except ValueError:
        return Element(name)
