"""What no part counts by itself: it is watched, and kept as a few numbers."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from bumper_tw.core.commands import Ending
from bumper_tw.front.alerts import Trouble, trouble
from bumper_tw.front.contact import Contact, Outcome, Speech
from bumper_tw.front.journal import Entry, Journal, Remark
from bumper_tw.integrations.metrics_shapes import Buckets
from bumper_tw.interfaces import Undo
from bumper_tw.values import Device

#: The alerts of TLS (RFC 8446, 6; RFC 5246, 7.2) that a client may end a handshake with, as
#: OpenSSL spells them, with underscores.
ALERTS = frozenset({
    "unexpected_message", "bad_record_mac", "record_overflow", "handshake_failure",
    "no_certificate",
    "bad_certificate", "unsupported_certificate", "certificate_revoked", "certificate_expired",
    "certificate_unknown", "illegal_parameter", "unknown_ca", "access_denied", "decode_error",
    "decrypt_error", "protocol_version", "insufficient_security", "internal_error",
    "inappropriate_fallback", "user_cancelled", "missing_extension", "unsupported_extension",
    "unrecognized_name", "unknown_psk_identity", "certificate_required",
    "no_application_protocol",
})  # fmt: skip

#: For what is no alert: it was our own end that gave up; and for alerts that nobody knows.
NO_ALERT, OTHER = "none", "other"

ALERT = re.compile(r"alert ([a-z ]+)")

#: How commands end, by what those who count them call it.
OUTCOMES = {
    "answered": "answered",
    "CommandTimedOut": "timeout",
    "DeviceOffline": "offline",
    "RobotBusy": "busy",
    "DeviceUnknown": "unknown_robot",
    "AnswerGarbled": "garbled",
    "BadRequest": "unsendable",
    "ShuttingDown": "stopping",
    "dropped": "given_up",
}

#: Seconds: commands are answered within a fraction of one, or not for ten.
COMMAND_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

#: Seconds of a transaction: from a few pages in memory to a slow card.
COMMIT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

#: Seconds that the reactor is late.
LAG_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

#: Seconds between two looks at how late it is.
LOOK = 1.0


def alert_of(words: str) -> str:
    """
    Which alert a handshake has ended with.

    @param words: as OpenSSL spells it.
    """
    plain = words.lower().replace("_", " ")
    found = ALERT.search(plain)
    if found is None:
        return NO_ALERT
    name = found[1].strip().replace(" ", "_")
    return name if name in ALERTS else OTHER


class Contacts:
    """
    Watches the journal.

    @ivar ended: connections that are over, by what was spoken and what became of them.
    @ivar troubles: handshakes that failed, by what is behind that.
    @ivar alerts: the same by the alert that the client sent.
    @ivar failing: whether something was wrong when the doctor looked last, by check.
    @ivar open: how many connections there are.
    """

    def __init__(self, journal: Journal, checks: Iterable[str]) -> None:
        """
        @param checks: the names of all checks of the doctor.
        """
        self.ended: Counter[tuple[Speech, Outcome]] = Counter()
        self.troubles: Counter[Trouble] = Counter()
        self.alerts: Counter[str] = Counter()
        self.failing = dict.fromkeys(checks, False)
        self._lasting: set[int] = set()
        self.stop = journal.watch(self._heard)

    @property
    def open(self) -> int:
        return len(self._lasting)

    def _heard(self, entry: Entry) -> None:
        if isinstance(entry, Remark):
            if entry.check in self.failing:
                self.failing[entry.check] = not entry.sound
        elif entry.lasts:
            self._lasting.add(entry.number)
        elif entry.number in self._lasting:
            # What is found out about it later does not end it again.
            self._lasting.discard(entry.number)
            self._over(entry)

    def _over(self, contact: Contact) -> None:
        self.ended[contact.speech, contact.outcome] += 1
        if contact.outcome is Outcome.TLS_FAILED:
            self.troubles[trouble(contact.alert)] += 1
            self.alerts[alert_of(contact.alert)] += 1


class Registry(Protocol):
    """Which robots there are."""

    def watch(self, listener: Callable[[Device, bool], None]) -> Undo:
        """Be told of changes."""

    def when_forgotten(self, listener: Callable[[str], object]) -> None:
        """Be told of those that are dropped."""

    def online(self, did: str) -> bool:
        """Whether one is connected."""


class Roll:
    """Which robots have been here since the start: one that has not come back is missing."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._came: set[str] = set()
        registry.watch(self._heard)
        registry.when_forgotten(self._came.discard)

    def _heard(self, device: Device, online: bool) -> None:
        if online:
            self._came.add(device.id.did)

    @property
    def missing(self) -> int:
        """How many are not here now."""
        return sum(not self._registry.online(did) for did in self._came)


class Latencies:
    """How long commands take, by outcome."""

    def __init__(self) -> None:
        names = (*OUTCOMES.values(), OTHER)
        self.by_outcome = {name: Buckets(COMMAND_SECONDS) for name in names}

    def heard(self, ending: Ending) -> None:
        """A command has ended."""
        self.by_outcome[OUTCOMES.get(ending.outcome, OTHER)].observe(ending.seconds)


class Lag(Service):
    """
    How late the reactor does what it was told to do at a time.

    @ivar buckets: what was found.
    """

    def __init__(self, clock: IReactorTime, timer: Callable[[], float]) -> None:
        """
        @param timer: seconds that nobody sets.
        """
        self.setName("reactor lag")
        self._clock, self._timer = clock, timer
        self._call: IDelayedCall | None = None
        self._due = 0.0
        self.buckets = Buckets(LAG_SECONDS)

    def startService(self) -> None:
        super().startService()
        self._wait()

    def _wait(self) -> None:
        self._due = self._timer() + LOOK
        self._call = self._clock.callLater(LOOK, self._look)

    def _look(self) -> None:
        self.buckets.observe(max(0.0, self._timer() - self._due))
        self._wait()

    def stopService(self) -> None:
        super().stopService()
        call, self._call = self._call, None
        if call is not None:
            call.cancel()
