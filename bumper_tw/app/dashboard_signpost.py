"""Tells in the log where the owner's pages are: nothing else leads there."""

from collections.abc import Callable

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from bumper_tw.app.lifecycle import Doors
from bumper_tw.app.places import HERE, places

#: What helps as long as nobody owns the box.
NEW = "; the first visit needs a code: bumper owner code tells it"


class Signpost(Service):
    """Says it once, when all listeners are open."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        doors: Callable[[], Doors],
        announced: Callable[[], str],
        has_owner: Callable[[], bool],
    ) -> None:
        """
        @param doors: gives the listeners, once they are there.
        @param announced: the address of this box; empty if there is none.
        @param has_owner: whether there is an owner's password.
        """
        self.setName("way to the pages")
        self._clock, self._doors = clock, doors
        self._announced, self._has_owner = announced, has_owner
        self._timer: IDelayedCall | None = None

    def startService(self) -> None:
        super().startService()
        # Pages start before the listeners do.
        self._timer = self._clock.callLater(0, self._tell)

    def stopService(self) -> None:
        super().stopService()
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _tell(self) -> None:
        self._timer = None
        found = addresses(self._doors(), self._announced())
        if found:
            self._log.info(
                "the owner's pages are at {places}{new}",
                places=" and ".join(found),
                new="" if self._has_owner() else NEW,
            )


def addresses(doors: Doors, announced: str) -> list[str]:
    """
    Where browsers find the pages, what is not encrypted first: there they do not warn of our
    certificate.

    @param announced: see L{Signpost}.
    """
    webs = [each for each in places(doors, announced or HERE) if each.speaks("web")]
    return list(
        dict.fromkeys(f"{each.url('http')}/" for each in sorted(webs, key=lambda p: p.tls))
    )
