"""
The seams around what people own here: robots, shares, messages...

As everywhere, what returns a L{Deferred} never raises, and the rest never blocks.
"""

from collections.abc import Callable, Sequence

from attrs import frozen
from twisted.internet.defer import Deferred
from zope.interface import Interface

#: Takes back what was registered.
Undo = Callable[[], None]


class IPermits(Interface):
    """Which user may do what with which robot."""

    def may_use(uid: str, did: str) -> bool:
        """Whether a user sees a robot, hears it and commands it."""

    def may_keep(uid: str, did: str) -> bool:
        """Whether he also names, moves, shares and removes it: its owner does."""

    def listen(changed: Callable[[str], None]) -> Undo:
        """Call C{changed} with the did of each robot about which the answers have changed."""


@frozen
class KeptFile:
    """
    A file that somebody left here.

    @ivar key: names it among all files; safe in a URL.
    @ivar owner: the robot it is of, by did.
    @ivar what: in one word, as its sender called it.
    @ivar at: seconds since the epoch.
    """

    key: str
    owner: str
    what: str
    size: int
    at: float


class IFiles(Interface):
    """Files that robots and apps leave here, as many as there is room for."""

    def keep(owner: str, what: str, body: bytes) -> Deferred[str]:
        """
        Keep one; older ones make room for it.

        @return: its key.  Fails with L{BadRequest<bumper_tw.errors.BadRequest>} when it is too
            large, or too many come at a time, and with
            L{StorageError<bumper_tw.errors.StorageError>} when the disk refuses.
        """

    def of(owner: str) -> Sequence[KeptFile]:
        """The files of one robot, the oldest first."""

    def find(key: str) -> KeptFile | None:
        """What is known of a file, if it is here."""

    def read(key: str) -> Deferred[bytes]:
        """
        What is in it.

        @return: fails with L{BadRequest<bumper_tw.errors.BadRequest>} when it is not here.
        """

    def forget(owner: str) -> Deferred[None]:
        """Drop all files of one robot."""
