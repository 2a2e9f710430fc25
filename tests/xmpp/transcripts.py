"""
How conversations are written down, so that they read as in the reference (xmpp.md 6).

Each line is one segment: who speaks, C{>} for what he says, C{<} for what he hears, and the
text; C{|} continues it as it stands.  C{tls} is a handshake, and C{closed} the end of the
connection.  What is in brackets stands for a longer text, C{..name} for a namespace, as in
the reference.  Numbers that only we choose are masked with C{#}.

Every party opens its stream with the same seven lines, STARTTLS among them; L{Way} says
which of them are left.
"""

import re
from enum import Enum
from functools import lru_cache

from attrs import define, evolve, field, frozen

NAMESPACES = {
    f"..{name}": f"urn:ietf:params:xml:ns:xmpp-{name}"
    for name in ("tls", "sasl", "bind", "session", "stanzas", "streams")
}

#: xmpp.md 3.1, 6.1 to 6.5.
PHRASES = {
    "[greeting]": "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'"
    " xmlns='jabber:client' version='1.0' id='#' from='ecouser.net'>",
    "[clear]": "<stream:features><starttls xmlns='..tls'><required/></starttls>"
    "<mechanisms xmlns='..sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>",
    "[secure]": "<stream:features><mechanisms xmlns='..sasl'><mechanism>PLAIN</mechanism>"
    "</mechanisms></stream:features>",
    "[known]": "<stream:features><bind xmlns='..bind'/><session xmlns='..session'/>"
    "</stream:features>",
    "[proceed]": "<proceed xmlns='..tls'/>",
    "[success]": "<success xmlns='..sasl'/>",
    "[blank]": " ",
    "[close]": "</stream:stream>",
    "[robot header]": "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'"
    " xmlns='jabber:client' to='126.ecorobot.net' version='1.0'>",
    "[app header]": "<stream:stream xmlns='jabber:client'"
    " xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='ecouser.net'>",
    "[sucks header]": "<stream:stream to='ecouser.net'"
    " xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client' xml:lang='en'"
    " version='1.0'>",
    "[js header]": '<stream:stream xmlns="jabber:client"'
    ' xmlns:stream="http://etherx.jabber.org/streams" version="1.0" to="ecouser.net">',
    "[java header]": "<?xml version='1.0'?><stream:stream xmlns='jabber:client'"
    " to='ecouser.net' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'"
    " xml:lang='en'>",
    "[not implemented]": "<error type='cancel' code='501'><feature-not-implemented"
    " xmlns='..stanzas'/></error>",
    "[unavailable]": "<error type='wait' code='404'><recipient-unavailable"
    " xmlns='..stanzas'/></error>",
    "[ROBOT]": "E0009876500123450001@126.ecorobot.net/atom",
    "[robot]": "e0009876500123450001@126.ecorobot.net/atom",
    "[ANDROID]": "fuid_a1b2c3@ecouser.net/GLBa91f03c2d",
    "[IOS]": "fuid_a1b2c3@ecouser.net/IOSF0A1B2C3",
    "[SUCKS]": "fuid_a1b2c3@ecouser.net/sk7d1f02",
    "[JS]": "fuid_a1b2c3@ecouser.net/ej44aa01",
    "[JAVA]": "fuid_a1b2c3@ecouser.net/jv19c0de",
}

PING = re.compile(r"\[ping ([A-Z]+)\]")
PINGED = (
    r"<iq from='ecouser.net' to='[\1]' id='s2c#' type='get'><ping xmlns='urn:xmpp:ping'/></iq>"
)

#: What the server makes up: its part of a stream's name, of a ping's, and of an adoption's.
OURS = re.compile(
    r"(?<=version='1\.0' id=')[0-9a-f]{16,}(?=')|(?<=id='s2c)\d+(?=')"
    r"|(?<=<iq type='set' id=')[^']+(?=' from='n5q8w2e7r4t1y6u3@)"
)

OPENING = 7


class Way(Enum):
    """
    How a stream becomes what it is.

    The value says which lines of the opening are left.
    """

    CLEAR = slice(0, 2)
    STARTTLS = slice(0, OPENING)
    DIRECT = slice(4, OPENING)


@frozen
class Step:
    """
    One line of a conversation.

    @ivar mark: what happens; see the top of this module.
    """

    party: str
    mark: str
    text: str = ""


@define
class Turn:
    """
    One party speaks, or shakes hands; all that is heard then.

    @ivar heard: by party.
    @ivar closed: whose connection is over then.
    """

    party: str
    tls: bool = False
    said: bytes = b""
    heard: dict[str, str] = field(factory=dict)
    closed: set[str] = field(factory=set)


def masked(text: str) -> str:
    """What the server says, without the numbers it makes up."""
    return OURS.sub("#", text)


def expanded(text: str) -> str:
    """A line in full."""
    text = PING.sub(PINGED, text)
    for short, long in (PHRASES | NAMESPACES).items():
        text = text.replace(short, long)
    return text


@lru_cache
def steps(conversation: str) -> tuple[Step, ...]:
    """The lines of a conversation."""
    found: list[Step] = []
    for line in conversation.split("\n"):
        if (stripped := line.strip()).startswith("|"):
            found[-1] = evolve(found[-1], text=found[-1].text + stripped[1:])
        elif stripped:
            party, mark, *rest = stripped.split(" ", 2)
            found.append(Step(party, mark, "".join(rest)))
    return tuple(evolve(step, text=expanded(step.text)) for step in found)


def opened(conversation: str, way: Way) -> list[Step]:
    """The same with its streams opened in some way."""
    places: dict[str, int] = {}
    left = []
    for step in steps(conversation):
        place = places[step.party] = places.get(step.party, -1) + 1
        if place >= OPENING or place in range(*way.value.indices(OPENING)):
            left.append(step)
    return left


def turns(conversation: str, way: Way) -> list[Turn]:
    """Who speaks when."""
    found: list[Turn] = []
    for step in opened(conversation, way):
        match step.mark:
            case ">":
                found.append(Turn(step.party, said=step.text.encode()))
            case "tls":
                found.append(Turn(step.party, tls=True))
            case "<":
                heard = found[-1].heard
                heard[step.party] = heard.get(step.party, "") + step.text
            case "closed":
                found[-1].closed.add(step.party)
            case _:
                raise ValueError(f"a line of a conversation reads {step}")
    return found


def joined(separate: list[Turn]) -> list[Turn]:
    """The same, where nobody waits for an answer before he goes on."""
    found: list[Turn] = []
    for turn in separate:
        last = found[-1] if found else None
        if last is None or last.party != turn.party or turn.tls or last.tls:
            found.append(turn)
        else:
            last.said += turn.said
            last.closed |= turn.closed
            for party, text in turn.heard.items():
                last.heard[party] = last.heard.get(party, "") + text
    return found


def opening(party: str, header: str, starttls: str) -> str:
    """The first seven lines of a party."""
    return f"""
        {party} > [{header} header]
        {party} < [greeting][clear]
        {party} > {starttls}
        {party} < [proceed]
        {party} tls
        {party} > [{header} header]
        {party} < [greeting][secure]
    """
