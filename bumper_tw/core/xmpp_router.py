"""The XMPP router: a stanza reaches the one it is for, by exact address (xmpp.md 8)."""

from collections import Counter
from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from bumper_tw.core.xmpp_binding import Binding
from bumper_tw.core.xmpp_parties import RobotBinding, UserBinding
from bumper_tw.core.xmpp_switchboard import Permits, RouterLimits, Switchboard
from bumper_tw.dialect.domains import robot_jid
from bumper_tw.errors import DeviceOffline, LoginRefused, RobotBusy
from bumper_tw.interfaces import Undo
from bumper_tw.values import DeviceId, Principal, Role
from bumper_tw.wire.xmpp_jid import Jid
from bumper_tw.xmpp_interfaces import IXmppOutlet, IXmppRouter, RobotSaid


def everybody(_user: Principal, _did: str) -> bool:
    """Everybody in the household may command every robot (xmpp.md 8.4)."""
    return True


#: The time in which an address may change hands so often, in seconds.
A_MINUTE = 60.0


@implementer(IXmppRouter)
class XmppRouter:
    """
    Who is bound here, and how to reach them.

    @ivar counts: what happened to stanzas, by name.
    """

    def __init__(
        self,
        clock: IReactorTime,
        limits: RouterLimits | None = None,
        permits: Permits = everybody,
        counts: Counter[str] | None = None,
    ) -> None:
        """
        @param permits: whether a user and a robot have to do with one another.
        """
        self.counts: Counter[str] = Counter() if counts is None else counts
        self._board = Switchboard(clock, limits or RouterLimits(), permits, self.counts)

    def bind(self, who: Principal, jid: Jid, outlet: object) -> Binding:
        kind = RobotBinding if who.role is Role.ROBOT else UserBinding
        binding = kind(self._board, who, jid, IXmppOutlet(outlet))
        rival = binding.rival()
        if rival is not None:
            binding.takeovers = self._takeovers(rival)
        return binding

    def _takeovers(self, rival: Binding) -> list[float]:
        """
        When an address changed hands in the last minute, now included.

        @raise LoginRefused: that is too often: two parties throw each other out for ever.
        """
        now = self._board.clock.seconds()
        recent = [then for then in rival.takeovers if now - then < A_MINUTE]
        if len(recent) >= self._board.limits.takeovers:
            raise LoginRefused(f"{rival.address} changes hands too often")
        return [*recent, now]

    def listen(self, said: RobotSaid) -> Undo:
        board = self._board
        board.listeners = (*board.listeners, said)

        def undo() -> None:
            board.listeners = tuple(each for each in board.listeners if each is not said)

        return undo

    def when_present(self, present: Callable[[DeviceId], None]) -> Undo:
        """Hear of each robot that says that it is there, once in a stream (xmpp.md 5.3)."""
        board = self._board
        board.expecting = (*board.expecting, present)

        def undo() -> None:
            board.expecting = tuple(each for each in board.expecting if each is not present)

        return undo

    def tell(self, device: DeviceId, stanza: bytes) -> None:
        """
        @raise RobotBusy: it does not read what waits for it already.
        """
        self._tell(self._robot(device), stanza)

    def tell_as(self, administrator: Jid, device: DeviceId, stanza: bytes) -> None:
        """
        The same in the name of somebody who is not here, and will not hear the answers to
        what xmpp.md 12 asks.

        @raise CommandFailed: as for L{tell}.
        """
        robot = self._robot(device)
        robot.spoken_for(administrator.key)
        self._tell(robot, stanza)

    def _robot(self, device: DeviceId) -> RobotBinding:
        robot = self._board.robots.get(robot_jid(device).key)
        if robot is None:
            raise DeviceOffline(f"{device.did} is not connected")
        return robot

    def _tell(self, robot: RobotBinding, stanza: bytes) -> None:
        if not robot.hear(stanza):
            raise RobotBusy(f"{robot.device.did} does not read")

    def online(self, device: DeviceId) -> bool:
        """Whether a robot is bound here."""
        return robot_jid(device).key in self._board.robots

    @property
    def robots(self) -> int:
        """How many are bound."""
        return len(self._board.robots)

    @property
    def sessions(self) -> int:
        """How many sessions of users are bound."""
        return sum(map(len, self._board.users.values()))

    def stop(self) -> None:
        """The server ends; nobody is told of pings without answer any more."""
        self._board.watch.stop()
