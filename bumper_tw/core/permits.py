"""Who may do what with a robot."""

from collections.abc import Callable

from zope.interface import implementer

from bumper_tw.errors import DeviceUnknown
from bumper_tw.interfaces import IDeviceRegistry
from bumper_tw.people_interfaces import IPermits, Undo
from bumper_tw.values import Device


@implementer(IPermits)
class Everybody:
    """A household: every robot is everybody's."""

    def may_use(self, uid: str, did: str) -> bool:  # noqa: ARG002 - whoever it is
        return True

    def may_keep(self, uid: str, did: str) -> bool:  # noqa: ARG002 - whoever it is
        return True

    def listen(self, changed: Callable[[str], None]) -> Undo:  # noqa: ARG002 - it never does
        return lambda: None


def robot_of(registry: IDeviceRegistry, permits: IPermits, uid: str, did: str) -> Device:
    """
    A robot, for somebody who uses it.

    @raise DeviceUnknown: there is none of that name, or it is none of his: to whoever asks,
        that is the same.
    """
    device = registry.device(did)
    if not permits.may_use(uid, device.id.did):
        raise stranger_to(did)
    return device


def stranger_to(did: str) -> DeviceUnknown:
    """What the registry says of a robot that nobody knows; a stranger hears no other words."""
    return DeviceUnknown(f"no robot {did} is known here")
