"""The robots, as far as each user has to do with them."""

from collections.abc import Sequence

from attrs import evolve, frozen
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime

from bumper_tw.core.ownership import Ownership
from bumper_tw.core.pairing import PATIENCE
from bumper_tw.core.permits import robot_of
from bumper_tw.errors import DeviceUnknown
from bumper_tw.interfaces import IDeviceRegistry
from bumper_tw.people_interfaces import IPermits
from bumper_tw.values import Device, Home


@frozen
class Fleet:
    """
    Every robot, and what is whose.

    Towards a stranger a robot does not exist: what he does with it has no effect, and he is told
    what he would be told of one that nobody knows.
    """

    registry: IDeviceRegistry
    permits: IPermits
    ownership: Ownership
    clock: IReactorTime

    def seen_by(self, uid: str) -> Sequence[Device]:
        """The robots that somebody uses, the first known first."""
        every = self.registry.devices()
        return [device for device in every if self.permits.may_use(uid, device.id.did)]

    def robot(self, uid: str, did: str) -> Device:
        """
        A robot that somebody uses.

        @raise DeviceUnknown: it is none, or none of his.
        """
        return robot_of(self.registry, self.permits, uid, did)

    def kept(self, uid: str, did: str) -> Device | None:
        """A robot whose owner somebody is; C{None} if it is none, or none of his."""
        try:
            device = self.registry.device(did)
        except DeviceUnknown:
            return None
        return device if self.permits.may_keep(uid, device.id.did) else None

    def may_take(self, uid: str, did: str) -> bool:
        """
        Whether somebody may say that a robot is his: nobody's is, and it has just come.

        One that was here before it was anybody's could be taken by whoever is the first to
        know its name; that one is given away by the owner of the box, or paired again.
        """
        try:
            device = self.registry.device(did)
        except DeviceUnknown:
            return False
        if not uid or self.ownership.owner(device.id.did):
            return False
        came = device.bound_at > self.clock.seconds() - PATIENCE
        return came or self.permits.may_keep(uid, device.id.did)

    def bind(self, uid: str, did: str) -> Deferred[None]:
        """A robot that somebody may take becomes his; with any other nothing happens."""
        return self.ownership.give(did, uid) if self.may_take(uid, did) else succeed(None)

    def name(self, uid: str, did: str, nick: str) -> Deferred[None]:
        """Call a robot something."""
        device = self.kept(uid, did)
        if device is None:
            return succeed(None)
        return self.registry.update(evolve(device, nick=nick))

    def meant(self, uid: str, name: str) -> str:
        """The did of a robot; who is offered one knows it by the id of the share only."""
        shares = self.ownership.shares_with(uid)
        return next((share.did for share in shares if share.id == name), name)

    def remove(self, uid: str, name: str) -> Deferred[None]:
        """The owner forgets it, until it connects again; anybody else leaves it."""
        did = self.meant(uid, name)
        if self.ownership.share(did, uid) is not None:
            return self.ownership.end(did, uid)
        return succeed(None) if self.kept(uid, did) is None else self.registry.forget(did)

    def place(self, uid: str, did: str, home: Home) -> Deferred[None]:
        """Put a robot into one of somebody's homes."""
        device = self.kept(uid, did)
        if device is None:
            return succeed(None)
        return self.registry.update(evolve(device, home=home.id))


def placed(device: Device, homes: Sequence[str]) -> str:
    """
    The home a robot is in, among those of one user: the first, unless somebody has put it into
    another; empty if he has none.
    """
    return device.home if device.home in homes else next(iter(homes), "")
