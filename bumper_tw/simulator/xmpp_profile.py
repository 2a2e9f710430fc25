"""The habits and the misbehaviour of XMPP robots (robots.md 7 and 8)."""

from __future__ import annotations

from enum import Enum

from attrs import define, frozen

from bumper_tw.simulator.faults import Faults
from bumper_tw.simulator.identity import LifeShape


class Wire(Enum):
    """What a robot does about encryption (robots.md 7.1, 2)."""

    PLAIN = "plain"
    STARTTLS = "starttls"
    TLS = "tls"


class Parser(Enum):
    """How a robot reads what the server sends (robots.md 7.1, 3)."""

    STRICT = "strict"
    NAIVE = "naive"


class Permission(Enum):
    """Whom a robot obeys, and how it says no to the others (robots.md 7.2)."""

    OPEN = "open"
    ERROR = "error"
    ADMIN = "admin"
    RESULT = "result"


@frozen
class Search:
    """
    Where a robot turns to when it wants its server.

    @ivar lookup: C{host} and C{port} are those of the HTTP lookup (robots.md 3.1), not of
        the XMPP server itself
    """

    host: str
    port: int
    lookup: bool = False


@frozen
class XmppProfile:
    """
    Firmware habits.

    @ivar silence: each n-th command is dropped; 0 for none
    @ivar server_ping: seconds between the pings of the server, 0 to leave them unjudged
    @ivar sni: name the server in the TLS handshake
    """

    wire: Wire = Wire.STARTTLS
    parser: Parser = Parser.STRICT
    permission: Permission = Permission.OPEN
    life_shape: LifeShape = LifeShape.VAL_TOTAL
    silence: int = 0
    server_ping: float = 30.0
    sni: bool = True


@define
class XmppFaults(Faults):
    """
    The knobs of one XMPP robot, those of L{Faults} about topics and JSON aside.

    @ivar split: bytes per segment; 0 for whole ones
    @ivar glue: put stanzas that follow each other closely into one segment
    @ivar wedge: answer each command with C{errno='5'}
    @ivar no_tls: keep to clear text, whatever the profile says
    @ivar bad_tls: send something that is no TLS where a handshake should begin
    """

    split: int = 0
    glue: bool = False
    wedge: bool = False
    no_tls: bool = False
    bad_tls: bool = False
