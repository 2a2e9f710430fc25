"""Who may do what with a robot."""

from collections.abc import Callable

from zope.interface import implementer

from bumper_tw.people_interfaces import IPermits, Undo


@implementer(IPermits)
class Everybody:
    """A household: every robot is everybody's."""

    def may_use(self, uid: str, did: str) -> bool:  # noqa: ARG002 - whoever it is
        return True

    def may_keep(self, uid: str, did: str) -> bool:  # noqa: ARG002 - whoever it is
        return True

    def listen(self, changed: Callable[[str], None]) -> Undo:  # noqa: ARG002 - it never does
        return lambda: None
