"""
One connection as the owner is told of it: who came, what was said, and how it ended.

Whoever deals with a connection adds what he knows: L{contact_of} finds the record from any
transport, through TLS.  Nothing secret is put here: no password, no token, no query, no body.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any

from attrs import define, field

from bumper_tw.wire.client_hello import ClientHello

#: The longest text that is kept of what the other side says.
LONGEST = 200

#: How many different things one connection may claim to be, or ask; more are counted only.
CLAIMS = 8


#: Why a connection ends that whoever is inside has ended without a word.
OURS = "this box closed it"

#: Why one is not let in, or is ended, of which nobody knows what it wants.
TOO_MANY = "there are too many connections that say nothing"


class Speech(Enum):
    """What is spoken on a connection, told by its first bytes."""

    NOTHING = ""
    HTTP = "HTTP"
    MQTT = "MQTT"
    XMPP = "XMPP"
    OTHER = "unknown"


class Outcome(Enum):
    """What became of a connection, as far as it has got."""

    #: TCP only; not a byte came.
    SILENT = "silent"
    #: It is in the TLS handshake.
    HANDSHAKE = "handshake"
    #: TLS is there, or is not wanted; nothing was said yet.
    SECURED = "secured"
    #: The first bytes tell the protocol; whoever it is has not been let in.
    CHOSEN = "chosen"
    #: MQTT or XMPP: it is logged in.  HTTP: it was answered.
    ACCEPTED = "accepted"
    #: The other side did not accept our certificate, or TLS failed for another reason: C{alert}.
    TLS_FAILED = "tls failed"
    #: It spoke clear text where only TLS is spoken, or TLS where only clear text is.
    WRONG_LAYER = "wrong layer"
    #: A protocol that is not spoken on this port.
    WRONG_PROTOCOL = "wrong protocol"
    #: No protocol that we know.
    NO_PROTOCOL = "no protocol"
    #: The deadline passed before a protocol was chosen.
    TOO_SLOW = "too slow"
    #: It broke the rules of the protocol, or a limit.
    VIOLATION = "violation"
    #: It was not let in: C{verdict} says why.
    REFUSED = "refused"
    #: There were too many connections.
    CROWDED = "crowded"


def clean(text: str, longest: int = 300) -> str:
    """A piece of text that a terminal can bear, whoever made it."""
    short = text[:longest]
    if short.isprintable():
        return short
    return "".join(letter if letter.isprintable() else "?" for letter in short)


def _short(text: str) -> str:
    return clean(text, LONGEST)


@define(eq=False)
class Contact:
    """
    One connection.

    @ivar number: they are numbered from 1 on, for as long as the server runs.
    @ivar revision: the number of the last change to any contact when this one changed.
    @ivar began: seconds since 1970.
    @ivar host: the address of the other side; empty for a local socket.
    @ivar port: its port.
    @ivar local: our address, and
    @ivar local_port: our port, where it arrived.
    @ivar serves: what is spoken there: C{all}, C{web}, C{mqtt} or C{xmpp}; with
    @ivar wants_tls: whether that is within TLS.
    @ivar hello: what it offered for TLS; C{None} without TLS.
    @ivar tls: the version and the cipher suite that were agreed upon; empty before.
    @ivar shown: the name of the certificate it was shown; empty for none.
    @ivar alert: why TLS failed, in OpenSSL's words; empty when it did not.
    @ivar first: the first bytes in hexadecimal, when they are of no protocol.
    @ivar speech: the protocol.
    @ivar claims: what it says it is, each once: a client id, a user agent.
    @ivar name: who it is, once it is let in: as L{Principal<bumper_tw.values.Principal>} has it.
    @ivar robot: the did, when that is a robot.
    @ivar asked: the last path over HTTP, without what is somebody's.
    @ivar called: the vendor's name by which it called this box over HTTP; empty for none.
    @ivar requests: how many there were over HTTP.
    @ivar told: the address that it was told to go to, when it asked for one.
    @ivar trusts: whether it has shown that it trusts our authority, by asking for the proof.
    @ivar verdict: why it was refused or what rule it broke.
    @ivar received: bytes, as they came in.
    @ivar sent: bytes, as they went out.
    @ivar ended: seconds since 1970; 0 while it lasts.
    @ivar reason: why it ended, or is about to.
    @ivar by_us: whether that was for us to decide.
    """

    number: int
    began: float
    host: str
    port: int
    local: str
    local_port: int
    serves: str
    wants_tls: bool
    changed: "Callable[[Contact], None]" = field(repr=False)
    revision: int = 0
    hello: ClientHello | None = None
    tls: str = ""
    shown: str = ""
    alert: str = ""
    first: str = ""
    speech: Speech = Speech.NOTHING
    outcome: Outcome = Outcome.SILENT
    claims: tuple[str, ...] = ()
    name: str = ""
    robot: str = ""
    asked: str = ""
    called: str = ""
    requests: int = 0
    told: str = ""
    trusts: bool = False
    verdict: str = ""
    received: int = 0
    sent: int = 0
    ended: float = 0.0
    reason: str = ""
    by_us: bool = False

    @property
    def lasts(self) -> bool:
        """Whether the connection is still there."""
        return not self.ended

    def greeted(self, hello: ClientHello) -> None:
        """It wants TLS."""
        self.hello, self.outcome = hello, Outcome.HANDSHAKE
        self.changed(self)

    def shows(self, certificate: str) -> None:
        """Which certificate it is about to see."""
        self.shown = _short(certificate)

    def secured(self, agreed: str) -> None:
        """
        The handshake is over.

        @param agreed: the version and the cipher suite.
        """
        self.tls, self.outcome = agreed, Outcome.SECURED
        self.changed(self)

    def failed(self, outcome: Outcome, why: str) -> None:
        """
        It comes to nothing, before anybody was asked who that is.

        @param why: C{alert} for TLS, the verdict otherwise.
        """
        self.outcome = outcome
        if outcome is Outcome.TLS_FAILED:
            self.alert = _short(why)
        else:
            self.verdict = _short(why)
        self.changed(self)

    def speaks(self, speech: Speech, first: bytes = b"") -> None:
        """
        What is spoken is known.

        @param first: how it begins, when nobody knows that.
        """
        self.speech, self.first, self.outcome = speech, first[:16].hex(" "), Outcome.CHOSEN
        self.changed(self)

    def claims_to_be(self, who: str) -> None:
        """It says who or what it is, before anybody has looked whether that is so."""
        short = _short(who)
        if short and short not in self.claims and len(self.claims) < CLAIMS:
            self.claims = (*self.claims, short)
            self.changed(self)

    def let_in(self, name: str, robot: str = "") -> None:
        """
        It is logged in.

        @param robot: its did, if it is a robot.
        """
        self.outcome, self.name, self.robot = Outcome.ACCEPTED, _short(name), _short(robot)
        self.changed(self)

    def calls_us(self, name: str) -> None:
        """It came by a name of the vendor's, as its first request says."""
        self.called = self.called or _short(name)

    def requested(self, path: str) -> None:
        """
        It is answered over HTTP; that is not told to those who watch, unless it is the first time,
        or the first after a refusal.

        @param path: without what is somebody's.
        """
        self.requests += 1
        self.asked = path
        if self.requests == 1 or self.outcome is Outcome.REFUSED:
            self.outcome = Outcome.ACCEPTED
            self.changed(self)

    def refused(self, why: str) -> None:
        """It is not let in, or was not given what it asked for."""
        self.outcome, self.verdict = Outcome.REFUSED, _short(why)
        self.changed(self)

    def broke(self, rule: str) -> None:
        """It did what it may not."""
        self.outcome, self.verdict = Outcome.VIOLATION, _short(rule)
        self.changed(self)

    def sent_to(self, address: str) -> None:
        """It asked where to go, and was told."""
        self.told = address
        self.changed(self)

    def proved(self) -> None:
        """It has asked for what only those get who trust our authority."""
        self.trusts = True
        self.changed(self)

    def closing(self, why: str) -> None:
        """We are about to end it; the first reason counts."""
        if not self.reason:
            self.reason, self.by_us = _short(why), True

    def closed(self, when: float, why: str) -> None:
        """It has ended; what we said before about the reason counts."""
        self.ended = when
        self.reason = self.reason or _short(why)
        self.changed(self)


def plain_address(address: object) -> str:
    """
    The IP address of one end of a connection, an IPv4 one without the IPv6 disguise that it has
    at a socket for both; empty for a local socket.
    """
    return str(getattr(address, "host", "")).removeprefix("::ffff:")


def unheard(_: Contact) -> None:
    """Nobody watches."""


def nobody() -> Contact:
    """A contact that is in no journal, for connections that nobody reports."""
    return Contact(0, 0.0, "", 0, "", 0, "", False, unheard)


def contact_of(transport: Any) -> Contact:
    """
    The record of a connection.

    @param transport: what a protocol was given: the connection itself, or TLS on it, which passes
        on what is asked of it.
    """
    found = getattr(transport, "contact", None)
    return found if isinstance(found, Contact) else nobody()
