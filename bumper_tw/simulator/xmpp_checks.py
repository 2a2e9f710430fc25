"""What an XMPP robot checks on everything the server sends (robots.md 9, 8 and 9)."""

from __future__ import annotations

import re

from attrs import define, field

from bumper_tw.simulator.record import Violations
from bumper_tw.simulator.timers import Timers
from bumper_tw.simulator.xmpp_words import SERVER, Names
from bumper_tw.simulator.xmpp_xml import TAG, Element, Opened

HELPER = "helperbot@ecouser.net"
GREETED_WITHIN = 5.0
PING_TOLERANCE = 3.0
FULL = re.compile(r"[^@/\s]+@[^@/\s]+/\S+")
BETWEEN = re.compile(rb">\s+<")
DUMMY = " dummy "


def same(one: str, other: str) -> bool:
    """Compare addresses without resource (xmpp.md 2)."""
    return one.partition("/")[0].lower() == other.partition("/")[0].lower()


@define
class XmppChecks:
    """Judges one connection after the other."""

    names: Names
    owner: str
    server_ping: float
    violations: Violations
    _timers: Timers
    _stream_id: str = field(default="", init=False)
    _pinged: float | None = field(default=None, init=False)
    _greeted: bool = field(default=False, init=False)
    _asked: bool = field(default=False, init=False)

    def opened(self, header: Opened) -> None:
        """Judge a stream header."""
        given = header.attributes
        if given.get("from") != SERVER:
            self.violations.add(f"stream from {given.get('from')}")
        if given.get("version") != "1.0":
            self.violations.add(f"stream version {given.get('version')}")
        if given.get("id") in (None, "", self._stream_id):
            self.violations.add(f"stream id {given.get('id')}")
        self._stream_id = given.get("id", "")
        self._judge_quotes(header.raw)

    def bound(self, jid: str) -> None:
        """Begin a session."""
        self._pinged, self._greeted, self._asked = None, False, False
        if jid != self.names.full:
            self.violations.add(f"bound to {jid}")
        self._await_ping()

    def present(self) -> None:
        """Note that the robot sent its presence: the greetings are due."""
        self._timers.after(GREETED_WITHIN, self._judge_greetings, "greetings")

    def ended(self) -> None:
        """End a connection."""
        self._timers.drop_all()

    def stanza(self, stanza: Element) -> None:
        """Judge a stanza: our server's own to the last byte, of others the start tag."""
        head = TAG.match(stanza.raw)
        self._judge_quotes(head[0] if head is not None and not self._ours(stanza) else stanza.raw)
        if self._ours(stanza) and stanza.name == "iq" and BETWEEN.search(stanza.raw):
            self.violations.add("white space inside of an iq")
        if stanza.get("to") and not same(stanza.get("to"), self.names.bare):
            self.violations.add(f"delivered for {stanza.get('to')}")

    def sender(self, sender: str) -> None:
        """Judge who a command is from."""
        if not FULL.fullmatch(sender) and not same(sender, self.owner) and sender != SERVER:
            self.violations.add(f"command from {sender or 'nobody'}")

    def presence(self, presence: Element) -> None:
        """Judge a presence, which can only be the dummy."""
        self._greeted = True
        if presence.text != DUMMY or presence.get("to") != self.names.full:
            self.violations.add("presence that is not the dummy")

    def device_info(self) -> None:
        """Count C{GetDeviceInfo}."""
        if self._asked:
            self.violations.add("GetDeviceInfo again")
        self._asked = True

    def pinged(self, now: float) -> None:
        """Judge the time of a server ping."""
        last, self._pinged = self._pinged, now
        if last is not None and self.server_ping > 0:
            early = self.server_ping - PING_TOLERANCE - (now - last)
            if early > 0:
                self.violations.add(f"server ping after {now - last:.1f} s")
        self._await_ping()

    def _await_ping(self) -> None:
        self._timers.drop("ping")
        if self.server_ping > 0:
            self._timers.after(self.server_ping + PING_TOLERANCE, self._unpinged, "ping")

    def _unpinged(self) -> None:
        self.violations.add("no server ping in time")

    def _judge_greetings(self) -> None:
        if not self._greeted:
            self.violations.add("no dummy presence")
        if not self._asked:
            self.violations.add("no GetDeviceInfo")

    def _judge_quotes(self, raw: bytes) -> None:
        # A double quote as data is fine; robots were built against single-quoted attributes.
        if b'="' in raw:
            self.violations.add(f"double quotes: {raw[:80].decode('utf-8', 'replace')}")

    def _ours(self, stanza: Element) -> bool:
        sender = stanza.get("from")
        return "@" not in sender or same(sender, HELPER)
