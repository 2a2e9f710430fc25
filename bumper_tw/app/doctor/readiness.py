"""Whether this server does what it is there for, asked often and answered cheaply."""

from collections.abc import Awaitable, Callable

from attrs import define, evolve, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from bumper_tw.app.doctor.evidence import Evidence
from bumper_tw.app.doctor.finding import Verdict
from bumper_tw.app.doctor.keeping import ENOUGH_DAYS
from bumper_tw.app.doctor.names import names
from bumper_tw.app.doctor.snapshot import ListenerSeen
from bumper_tw.errors import StorageError
from bumper_tw.interfaces import IRecordStore
from bumper_tw.web.health import Health

#: Seconds between looks at DNS.
DNS_SECONDS = 60.0

#: A robot's first question, where newer ones are sent, and what apps ask.
ASKED_FOR = ("lbo.ecovacs.net", "mq-ww.ecouser.net", "portal-ww.ecouser.net")

#: The shelf with the record that shows that the disk takes something.
SHELF = "health"

FINE = Health(True)


@define
class Readiness:
    """
    Looks at what has to be right.

    @ivar days: how long the server certificate holds.
    @ivar evidence: what is there to judge names by.
    """

    clock: IReactorTime
    listeners: Callable[[], tuple[ListenerSeen, ...]]
    records: IRecordStore
    days: Callable[[], float]
    evidence: Callable[[], Evidence]
    needed: bool
    _dns: Health | None = field(default=None, init=False)
    _asked: float = field(default=0.0, init=False)
    _asking: bool = field(default=False, init=False)

    def look(self) -> Deferred[dict[str, Health]]:
        """Each thing, by name."""
        return Deferred.fromCoroutine(self._look())

    async def _look(self) -> dict[str, Health]:
        looks: dict[str, Awaitable[Health]] = {
            "listeners": self._listening(),
            "database": self.database(),
            "certificate": self._certificate(),
            "dns": self._names(),
        }
        return {name: await found for name, found in looks.items()}

    async def _listening(self) -> Health:
        closed = [e.at for e in self.listeners() if not (e.bound or e.optional)]
        return Health(False, f"{closed[0]} is not open") if closed else FINE

    async def database(self) -> Health:
        """Something is really written."""
        try:
            await self.records.save(SHELF, {"written": int(self.clock.seconds())})
        except StorageError:
            # Its text names files, which are nobody's business here; it is in the log.
            return Health(False, "the database cannot be written")
        return FINE

    async def _certificate(self) -> Health:
        days = self.days()
        if days > ENOUGH_DAYS:
            return FINE
        return Health(False, f"the certificate is good for {max(0, int(days))} days only")

    async def _names(self) -> Health:
        """The last answer; who asks first waits for it, later ones have it looked up again."""
        if not self.needed:
            return Health(True, "not needed")
        due = self._dns is None or self.clock.seconds() - self._asked >= DNS_SECONDS
        if due and not self._asking:
            looking = Deferred.fromCoroutine(self._ask())
            if self._dns is None:
                await looking
        return self._dns or Health(True, "names are being looked up")

    async def _ask(self) -> None:
        self._asking, self._asked = True, self.clock.seconds()
        try:
            found = await names(evolve(self.evidence(), hosts=ASKED_FOR))
        finally:
            self._asking = False
        self._dns = judged([Verdict(each.sound, each.sentence) for each in found])


def judged(verdicts: list[Verdict]) -> Health:
    """The first that is wrong counts."""
    for verdict in verdicts:
        if verdict.sound is False:
            return Health(False, verdict.sentence)
    return Health(True, "" if verdicts[0].sound else verdicts[0].sentence)
