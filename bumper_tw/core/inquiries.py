"""Asking robots how they are, for whoever looks at them: robots tell most things only if asked."""

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.dialect.maps import question
from bumper_tw.errors import AnswerGarbled, BadRequest, CommandFailed, DeviceUnknown
from bumper_tw.interfaces import ICommandCorrelator, IDeviceRegistry, ITelemetry, Undo
from bumper_tw.readings import Clean
from bumper_tw.values import Command, Device, PayloadKind

#: Seconds until one robot is asked again, and for an answer to one question.
PAUSE, PATIENCE = 600.0, 5.0
#: So many questions in a row without an answer, and a robot has no mind to talk.
ENOUGH = 3
#: Robots that are asked at the same time.
AT_ONCE = 5

#: Consumables that nearly every robot has (mqtt.md 7.4).
PARTS = ["brush", "sideBrush", "heap"]

#: What to ask, what matters most in front (mqtt.md 7.4): name and arguments.
QUESTIONS: Sequence[tuple[str, Any]] = (
    ("getCleanInfo", None),
    ("getChargeState", None),
    ("getBattery", None),
    ("getError", None),
    ("getSpeed", None),
    ("getWaterInfo", None),
    ("getLifeSpan", PARTS),
    ("getNetInfo", None),
    ("getTotalStats", None),
    # Robots that speak JSON say their version with everything else; the others only so.
    ("getOta", None),
    ("getVolume", None),
)
#: What newer robots want to be asked instead of the first (mqtt.md 7.4).
SECOND = ("getCleanInfo_V2", None)


class Inquiries:
    """
    Asks one question after the other; what comes back is telemetry like any other.

    Nobody is asked all the time, nor many robots at once, whoever looks at how many pages.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        registry: IDeviceRegistry,
        commands: ICommandCorrelator,
        telemetry: ITelemetry,
    ) -> None:
        """
        @param commands: takes the names of JSON for every robot.
        """
        self._clock, self._registry = clock, registry
        self._commands, self._telemetry = commands, telemetry
        self._asked: dict[str, float] = {}
        self._waiting: dict[str, None] = {}
        self._running: dict[str, Deferred[None]] = {}
        self._undo: Undo = registry.watch(self._changed)

    def want(self, did: str) -> None:
        """Somebody looks at a robot."""
        past = self._clock.seconds() - self._asked.get(did, float("-inf"))
        if 0 <= past < PAUSE or did in self._running or not self._registry.online(did):
            return
        self._waiting[did] = None
        self._go_on()

    def stop(self) -> None:
        """Nobody is asked any more."""
        self._undo()
        self._waiting.clear()
        for asking in list(self._running.values()):
            asking.cancel()

    def forget(self, did: str) -> None:
        """A robot is gone."""
        self._asked.pop(did, None)
        self._waiting.pop(did, None)

    def _changed(self, device: Device, online: bool) -> None:
        # Who comes back may have changed in between.
        if not online:
            self.forget(device.id.did)

    def _go_on(self) -> None:
        while self._waiting and len(self._running) < AT_ONCE:
            did = next(iter(self._waiting))
            del self._waiting[did]
            self._asked[did] = self._clock.seconds()
            self._ask(did)

    def _ask(self, did: str) -> None:
        asking = self._running[did] = Deferred.fromCoroutine(self._all(did))
        asking.addBoth(self._done, did)

    def _done(self, result: Failure | None, did: str) -> None:
        self._running.pop(did, None)
        if isinstance(result, Failure) and not result.check(DeviceUnknown, CancelledError):
            self._log.failure("{did} could not be asked how it is", result, did=did)
        self._go_on()

    async def _all(self, did: str) -> None:
        device, silent = self._registry.device(did), 0
        for name, data in (*QUESTIONS, SECOND):
            if (name, data) == SECOND and self._says_what_it_does(did):
                continue
            silent = 0 if await self._one(device, name, data) else silent + 1
            if silent >= ENOUGH or not self._registry.online(did):
                return

    def _says_what_it_does(self, did: str) -> bool:
        return any(report.kind == Clean.kind for report in self._telemetry.latest(did))

    async def _one(self, device: Device, name: str, data: Any) -> bool:
        """Ask one question; whether something came back."""
        body = question(data, self._clock.seconds())
        command = Command(device.id, name, body, PayloadKind.JSON)
        try:
            await self._commands.send(command, PATIENCE)
        except (AnswerGarbled, BadRequest):
            # It talks at least; or it is older, has no words for it, and was not asked.
            return True
        except CommandFailed:
            return False
        return True
