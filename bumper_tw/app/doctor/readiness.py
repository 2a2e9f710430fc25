"""Whether this server does what it is there for, asked often and answered cheaply."""

from collections.abc import Callable

from attrs import define, evolve, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from bumper_tw.app.doctor.evidence import Evidence
from bumper_tw.app.doctor.finding import Verdict
from bumper_tw.app.doctor.keeping import ENOUGH_DAYS
from bumper_tw.app.doctor.names import names
from bumper_tw.app.doctor.snapshot import ListenerSeen
from bumper_tw.core.sharing import Shared
from bumper_tw.errors import StorageError
from bumper_tw.interfaces import IRecordStore
from bumper_tw.web.health import Health

#: Seconds between looks at DNS.
DNS_SECONDS = 60.0

#: Seconds for which it is good that something was written: whoever asks wears out the disk.
WRITTEN_SECONDS = 300.0

#: Bytes without which the database takes nothing.
LEAST_ROOM = 1 << 20

#: A robot's first question, where newer ones are sent, and what apps ask.
ASKED_FOR = ("lbo.ecovacs.net", "mq-ww.ecouser.net", "portal-ww.ecouser.net")

#: The shelf with the record that shows that the disk takes something.
SHELF = "health"

FINE = Health(True)


@define
class Readiness:
    """
    Looks at what has to be right.

    @ivar room: how many bytes are free where the database is.
    @ivar days: how long the server certificate holds.
    @ivar evidence: what is there to judge names by.
    """

    clock: IReactorTime
    listeners: Callable[[], tuple[ListenerSeen, ...]]
    records: IRecordStore
    room: Callable[[], int]
    days: Callable[[], float]
    evidence: Callable[[], Evidence]
    needed: bool
    _written: Shared[bool] = field(init=False)
    _dns: Shared[Health] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._written = Shared(self.clock, self._write, WRITTEN_SECONDS)
        self._dns = Shared(self.clock, lambda: Deferred.fromCoroutine(self._ask()), DNS_SECONDS)

    def look(self) -> Deferred[dict[str, Health]]:
        """Each thing, by name."""
        return Deferred.fromCoroutine(self._look())

    async def _look(self) -> dict[str, Health]:
        return {
            "listeners": self._listening(),
            "database": await self.database(),
            "certificate": self._certificate(),
            "dns": await self._names(),
        }

    def _listening(self) -> Health:
        closed = [e.at for e in self.listeners() if not (e.bound or e.optional)]
        return Health(False, f"{closed[0]} is not open") if closed else FINE

    async def database(self) -> Health:
        """
        Something is really written, or was some minutes ago.  After a failure it is tried again
        at once.
        """
        try:
            await self._written.get()
            return FINE if self.room() >= LEAST_ROOM else Health(False, "the disk is full")
        except (StorageError, OSError):
            # Their texts name files, which are nobody's business here; they are in the log.
            return Health(False, "the database cannot be written")

    def _write(self) -> Deferred[bool]:
        written = self.records.save(SHELF, {"written": int(self.clock.seconds())})
        return written.addCallback(lambda _: True)

    def _certificate(self) -> Health:
        days = self.days()
        if days > ENOUGH_DAYS:
            return FINE
        return Health(False, f"the certificate is good for {max(0, int(days))} days only")

    async def _names(self) -> Health:
        """The last answer; who asks first waits for it, later ones have it looked up again."""
        if not self.needed:
            return Health(True, "not needed")
        if self._dns.last is None:
            return await self._dns.get()
        self._dns.refresh()
        return self._dns.last

    async def _ask(self) -> Health:
        found = await names(evolve(self.evidence(), hosts=ASKED_FOR))
        return judged([Verdict(each.sound, each.sentence) for each in found])


def judged(verdicts: list[Verdict]) -> Health:
    """The first that is wrong counts."""
    for verdict in verdicts:
        if verdict.sound is False:
            return Health(False, verdict.sentence)
    return Health(True, "" if verdicts[0].sound else verdicts[0].sentence)
