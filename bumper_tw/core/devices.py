"""Which robots exist, which can be reached, and by what."""

from collections.abc import Callable, Sequence

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from bumper_tw.core.repeats import Repeats, again
from bumper_tw.errors import DeviceOffline, DeviceUnknown, LoginRefused
from bumper_tw.interfaces import IDeviceRegistry, IDeviceStore, IRobotLink, Undo
from bumper_tw.values import Device

Listener = Callable[[Device, bool], None]

#: Says of a robot, by did, whether it is a real one.
Real = Callable[[str], bool]


@implementer(IDeviceRegistry)
class DeviceRegistry:
    """Every robot in memory, with its link while it has one; changes go to the store."""

    _log = Logger()

    def __init__(self, clock: IReactorTime, store: IDeviceStore, most: int = 500) -> None:
        """
        @param most: how many robots are remembered at the most.
        """
        self._clock, self._store, self._most = clock, store, most
        self._devices: dict[str, Device] = {}
        self._links: dict[str, IRobotLink] = {}
        self._listeners: list[Listener] = []
        self._forgotten: list[Callable[[str], object]] = []
        self._real: list[Real] = []
        self._said = Repeats(clock)

    def load(self, store: IDeviceStore) -> Deferred[None]:
        """Remember the robots of earlier runs."""
        return store.load().addCallback(self._remember)

    def _remember(self, devices: Sequence[Device]) -> None:
        self._devices = {device.id.did: device for device in devices}

    def reload(self, store: IDeviceStore) -> Deferred[None]:
        """Drop what the owner has removed on disk while we were running."""
        # Only what is here before we ask: a robot may come in meanwhile.
        return store.load().addCallback(self._drop_removed, list(self._devices))

    def _drop_removed(self, on_disk: Sequence[Device], before: Sequence[str]) -> None:
        for did in set(before) - {device.id.did for device in on_disk}:
            self.forget(did)

    def attach(self, device: Device, link: IRobotLink) -> Callable[[], bool]:
        did = device.id.did
        if did not in self._devices and len(self._devices) >= self._most:
            self._make_room()
        self._keep(self._refreshed(device))
        self._links[did] = link
        self._tell(did)

        def detach() -> bool:
            mine = self._links.get(did) is link
            if mine:
                del self._links[did]
                self._tell(did)
            return mine

        return detach

    def _make_room(self) -> None:
        """
        Anybody on the network can invent robots; those that never said a word go first.

        @raise LoginRefused: all of them are real.
        """
        invented = (did for did, device in self._devices.items() if self._is_invented(device))
        did = next(invented, None)
        if did is None:
            raise LoginRefused(
                f"there are {self._most} robots already. If some are not yours: "
                '"bumper robot remove", then send the server SIGHUP; or raise identity.robots'
            )
        self._log_room(did)
        self.forget(did)

    def _is_invented(self, device: Device) -> bool:
        """Whether nothing says that a robot, which is away, is a real one."""
        did = device.id.did
        if did in self._links or device.nick or device.firmware:
            return False
        return not any(is_real(did) for is_real in self._real)

    def _log_room(self, did: str) -> None:
        more = self._said.say("room")
        if more is not None:
            self._log.info(
                "robot {did} never said anything, and makes room{more}", did=did, more=again(more)
            )

    def _refreshed(self, seen: Device) -> Device:
        """What a robot says of itself now, with what we knew and it does not say."""
        known = self._devices.get(seen.id.did)
        if known is None:
            return evolve(seen, bound_at=self._clock.seconds())
        firmware, name = seen.firmware or known.firmware, seen.name or known.name
        kind = known.kind if known.id.model == seen.id.model else seen.kind
        return evolve(
            known, id=seen.id, company=seen.company, firmware=firmware, name=name, kind=kind
        )

    def _keep(self, device: Device) -> Deferred[None] | None:
        """Remember a robot; the store is asked only when something changed."""
        did = device.id.did
        if self._devices.get(did) == device:
            return None
        if did not in self._devices:
            self._log_new(device)
        self._devices[did] = device
        saved = self._store.save(device)
        return saved.addErrback(
            lambda failure: self._log.failure("robot {did} not saved", failure, did=did)
        )

    def _log_new(self, device: Device) -> None:
        more = self._said.say(f"new {device.id.did}")
        if more is not None:
            self._log.info(
                "new robot {did}, class {model}, serial number {name}{more}",
                did=device.id.did,
                model=device.id.model,
                name=device.name,
                more=again(more),
            )

    def link(self, did: str) -> IRobotLink:
        try:
            return self._links[did]
        except KeyError:
            device = self.device(did)
            raise DeviceOffline(f"{device.nick or did} is not connected") from None

    def device(self, did: str) -> Device:
        try:
            return self._devices[did]
        except KeyError:
            raise DeviceUnknown(f"no robot {did} is known here") from None

    def devices(self) -> Sequence[Device]:
        return list(self._devices.values())

    def online(self, did: str) -> bool:
        return did in self._links

    def update(self, device: Device) -> Deferred[None]:
        self.device(device.id.did)
        saved = self._keep(device)
        self._tell(device.id.did)
        return _done() if saved is None else saved

    def forget(self, did: str) -> Deferred[None]:
        self._devices.pop(did, None)
        for listener in self._forgotten:
            listener(did)
        return self._store.remove(did)

    def when_forgotten(self, listener: Callable[[str], object]) -> None:
        """Call C{listener} with the did of each robot that is dropped."""
        self._forgotten.append(listener)

    def spare(self, is_real: Real) -> None:
        """Ask C{is_real} before a robot has to make room for a new one; who is real stays."""
        self._real.append(is_real)

    def watch(self, listener: Listener) -> Undo:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self, did: str) -> None:
        """Fan out one change; a listener that breaks must not keep it from the others."""
        device = self._devices.get(did)
        if device is None:
            return
        for listener in list(self._listeners):
            try:
                listener(device, did in self._links)
            except Exception:  # noqa: BLE001 - a bulkhead of the architecture
                self._log.failure("a listener failed on robot {did}", did=did)


def _done() -> Deferred[None]:
    """Nothing to wait for."""
    nothing: Deferred[None] = Deferred()
    nothing.callback(None)
    return nothing
