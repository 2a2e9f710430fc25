"""How a robot's stanzas get into segments (robots.md 8, split and glue)."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field

from bumper_tw.simulator.timers import Timers
from bumper_tw.simulator.xmpp_profile import XmppFaults

GLUED_FOR = 0.05
"""Seconds that stanzas wait for each other under C{glue}."""


@define(eq=False)
class Spout:
    """Writes whole stanzas, crumbs of them, or several at once (robots.md 8)."""

    _timers: Timers
    _faults: XmppFaults
    _write: Callable[[bytes], None]
    _held: bytes = field(default=b"", init=False)

    def send(self, raw: bytes) -> None:
        """Write, now or soon."""
        self._held += raw
        if self._timers.running("crumb"):
            return
        if not self._faults.glue:
            self._pour()
        elif not self._timers.running("glue"):
            self._timers.after(GLUED_FOR, self._pour, "glue")

    def flush(self) -> None:
        """Write the rest."""
        self._timers.drop_all()
        held, self._held = self._held, b""
        if held:
            self._write(held)

    def _pour(self) -> None:
        # One crumb in a turn of the reactor, as the transport would join them otherwise.
        size = self._faults.split or len(self._held)
        crumb, self._held = self._held[:size], self._held[size:]
        if crumb:
            self._write(crumb)
        if self._held:
            self._timers.after(0, self._pour, "crumb")
