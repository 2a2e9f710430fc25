"""A robot that is connected, as its edge tells it."""

from collections.abc import Callable

from zope.interface import implementer

from bumper_tw.interfaces import ICommandCorrelator, IRobotPresence
from bumper_tw.values import DeviceId


@implementer(IRobotPresence)
class RobotPresence:
    """A robot that was attached, until it is gone."""

    def __init__(
        self,
        device: DeviceId,
        listening: Callable[[], None],
        detach: Callable[[], bool],
        commands: ICommandCorrelator,
    ) -> None:
        """
        @param listening: lets out what was held back until the robot can hear it.
        @param detach: what L{IDeviceRegistry.attach<bumper_tw.interfaces.IDeviceRegistry>} gave.
        """
        self._device, self._listening = device, listening
        self._detach, self._commands = detach, commands

    def listening(self) -> None:
        self._listening()

    def gone(self) -> None:
        # A robot reconnects before its old connection is found dead; then the link was not
        # ours any more, and what the new one is asked must live on.
        if self._detach():
            self._commands.detached(self._device)
