"""What robots say about themselves, on its way to telemetry: the same for every wire."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TypeVar

from attrs import evolve
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from bumper_tw.errors import DeviceUnknown
from bumper_tw.interfaces import IDeviceRegistry, ITelemetry
from bumper_tw.readings import Activity, Charge, Clean, Firmware, Reading, Report, Stats
from bumper_tw.values import Device, PayloadKind

R = TypeVar("R", bound=Reading)

#: How XML robots say that they are on their way home: not in the state of the job, but in that
#: of the charge (mqtt.md 11).
HOMEWARD = "Going"

#: How often a robot may say something new about itself on one connection.
MOST_CHANGES = 10


class RobotReports:
    """Records readings, and remembers what they tell of the robot itself."""

    _log = Logger()

    def __init__(
        self, clock: IReactorTime, registry: IDeviceRegistry, telemetry: ITelemetry
    ) -> None:
        self._clock, self._registry, self._telemetry = clock, registry, telemetry
        self._changes: Counter[str] = Counter()

    def connected(self, did: str) -> None:
        """A robot has come anew, and may say what it is."""
        self._changes.pop(did, None)

    def record(self, did: str, readings: Iterable[Reading]) -> None:
        """A robot has said something."""
        known, now = self._known(did), self._clock.seconds()
        for reading in readings if known else ():
            if not isinstance(reading, Firmware) or self._is_news(did, reading.version):
                self._telemetry.record(Report(did, reading, now))
                for other in self._consequences(did, reading):
                    self._telemetry.record(Report(did, other, now))

    def job(self, did: str) -> Stats | None:
        """The job that a robot was last heard of."""
        return self._latest(did, Stats)

    def _consequences(self, did: str, reading: Reading) -> Iterator[Reading]:
        """What the state of the charge has said of the way home, it also takes back."""
        if isinstance(reading, Charge) and reading.mode != HOMEWARD:
            doing = self._latest(did, Clean)
            if doing is not None and doing.raw == HOMEWARD:
                end = Activity.DOCKED if reading.charging else Activity.IDLE
                yield Clean(end, reading.mode)

    def _latest(self, did: str, kind: type[R]) -> R | None:
        readings = (report.reading for report in self._telemetry.latest(did))
        return next((each for each in readings if isinstance(each, kind)), None)

    def learn_kind(self, did: str, kind: PayloadKind) -> None:
        """What a robot really writes beats what its class suggests."""
        known = self._known(did)
        if known and kind is not known.kind and kind is not PayloadKind.BINARY:
            self._change(evolve(known, kind=kind))

    def _known(self, did: str) -> Device | None:
        """A robot that was removed while connected still talks."""
        try:
            return self._registry.device(did)
        except DeviceUnknown:
            return None

    def _change(self, device: Device) -> bool:
        """
        Remember something new about a robot, unless it changes its mind all the time: each
        change is written to disk.
        """
        did = device.id.did
        self._changes[did] += 1
        if self._changes[did] > MOST_CHANGES:
            return False
        self._registry.update(device)
        return True

    def _is_news(self, did: str, version: str) -> bool:
        """Every message repeats the firmware version; only a new one is worth a report."""
        known = self._known(did)
        if known is None or known.firmware == version:
            return False
        changed = self._change(evolve(known, firmware=version))
        if changed:
            self._log.info("{did} runs firmware {version}", did=did, version=version)
        return changed
