"""
The seams around what people own here: robots, shares, messages...

As everywhere, what returns a L{Deferred} never raises, and the rest never blocks.
"""

from collections.abc import Callable

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
