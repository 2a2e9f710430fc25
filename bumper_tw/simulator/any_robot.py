"""What all simulated robots have in common, whatever they speak."""

from __future__ import annotations

import random
from functools import partial
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from bumper_tw.simulator.attachment import Attachment
from bumper_tw.simulator.floorplan import known_floor
from bumper_tw.simulator.happenings import Happening
from bumper_tw.simulator.identity import Identity
from bumper_tw.simulator.machine import Machine
from bumper_tw.simulator.record import Transcript, Violations
from bumper_tw.simulator.state import RobotState
from bumper_tw.simulator.timers import Timers

AT_ONCE = (0.0, 0.0)
MOST_WAITING = 256

L = TypeVar("L", bound=Attachment[Any, Any])


class AnyRobot(Generic[L]):
    """
    A robot on the wire; subclasses give it words and a connection, C{_link}.

    @ivar machine: its working life; tests call C{fault}, C{lift} and the like on it
    @ivar transcript: the newest frames
    @ivar violations: what the server did wrong
    """

    _link: L

    def __init__(
        self,
        reactor: IReactorTime,
        identity: Identity,
        speed: float,
        seed: int,
        flood_event: str,
        undock_after: float,
        position_every: int = 1,
    ) -> None:
        """
        @param speed: how fast its time goes; the connection keeps real time
        @param flood_event: what L{flood} sends, by its name on the wire
        @param undock_after: see L{Machine}, like C{position_every}
        """
        self.identity = identity
        # A simulator wants reproducible numbers, not secret ones.
        self._rng = random.Random(f"{seed}/{identity.did}")  # noqa: S311 reproducible numbers
        self.violations, self.transcript = Violations(), Transcript()
        self._timers, self._network = Timers(reactor, speed), Timers(reactor)
        self._flood_event = flood_event
        self.machine = Machine(
            RobotState(),
            known_floor(),
            Timers(reactor, speed),
            reactor.seconds,
            self._rng,
            undock_after,
            position_every,
        )
        self.machine.listen(self._happened)

    @property
    def state(self) -> RobotState:
        """The variables of the robot."""
        return self.machine.state

    @property
    def connected(self) -> bool:
        """Whether the server accepted the login of the present connection."""
        return self._link.up

    def start(self) -> Deferred[None]:
        """
        Switch on.

        @return: like that of its link's C{start}
        """
        self.machine.boot()
        return self._link.start()

    def stop(self) -> Deferred[None]:
        """
        Switch off; nothing stays scheduled.

        @return: fires when the connection is gone
        """
        self.machine.halt()
        self._network.drop_all()
        self._forget_work()
        return self._link.stop()

    def half_open(self) -> None:
        """Stop reading and writing, keep TCP, and come back on a second connection."""
        self._link.leave_half_open()

    def flood(self, rate: float) -> None:
        """
        Send events without end.

        @param rate: events per real second; 0 ends it
        """
        self._network.drop("flood")
        if rate > 0:
            self._network.every(1 / rate, partial(self.report, self._flood_event), "flood")

    def report(self, name: str) -> None:
        """Send one event by its name on the wire, with the present value."""
        raise NotImplementedError

    def _forget_work(self) -> None:
        """Drop what is not answered, and what would be said later."""
        raise NotImplementedError

    def _happened(self, happening: Happening) -> None:
        """Say what the machine tells."""
        raise NotImplementedError
