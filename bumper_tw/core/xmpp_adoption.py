"""Making robots obey people whom their old server did not know (xmpp.md 12)."""

from collections.abc import Callable
from itertools import count

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from bumper_tw.core.repeats import Repeats, again
from bumper_tw.dialect import stanzas
from bumper_tw.dialect.domains import USERS, robot_jid
from bumper_tw.dialect.topics import HELPER
from bumper_tw.errors import CommandFailed
from bumper_tw.values import DeviceId
from bumper_tw.wire.xmpp_jid import Jid, Key, parse_jid

#: How a robot begins when it refuses a user, and what stands in front of its administrator.
DENIED, CONTACT = "permission denied", "contact"

#: Accounts that other replacement servers made up; no robot obeys one as administrator.
MADE_UP = ("fuid_", "fusername_")

#: Seconds until a robot that still refuses the same user is talked to again.
PAUSE = 600.0

#: As many robots are remembered, and as many users of each: more does no robot refuse, unless it
#: makes them up.
MOST, MOST_USERS = 500, 64

#: Says something to a robot in the name of its administrator.
TellAs = Callable[[Jid, DeviceId, bytes], None]


class Adoption:
    """Asks robots in the name of their administrator to permit somebody else."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        tell_as: TellAs,
        permitted: Callable[[str, str], bool],
        enabled: bool = True,
    ) -> None:
        """
        @param tell_as: fails with L{CommandFailed} when the robot cannot be reached.
        @param permitted: whether a user, by uid, may command a robot, by did.
        """
        self._clock, self._tell_as = clock, tell_as
        self._permitted, self._enabled = permitted, enabled
        self._begun: dict[DeviceId, dict[Key, float]] = {}
        self._numbers, self._failed = count(1), Repeats(clock)

    def heard(self, device: DeviceId, td: str, error: str, admin: str, to: Jid) -> bool:
        """
        A robot has answered with C{errno} 103.

        @param td: what the C{ctl} is called: an error of that name is about a wheel.
        @param error: its attribute of that name, and so on; empty when it has none.
        @param to: whom the robot refuses.
        @return: whether a repair was begun; what was refused may be asked again soon.
        """
        if not self._enabled or td.lower() == "error":
            return False
        administrator, user = administrator_in(error, admin), to.bare
        if administrator is None or administrator.key == user.key:
            return False
        if not self._may_be_permitted(device, user) or not self._is_time(device, user):
            return False
        return self._adopt(device, administrator, user)

    def _may_be_permitted(self, device: DeviceId, user: Jid) -> bool:
        if not user.local or user.domain.lower() != USERS:
            return False
        # Our own questions are for everybody here.
        return user.local.casefold() == HELPER[0] or self._permitted(user.local, device.did)

    def _is_time(self, device: DeviceId, user: Jid) -> bool:
        earliest = self._clock.seconds() - PAUSE
        begun = self._begun.get(device, {})
        for other in [key for key, at in begun.items() if at <= earliest]:
            del begun[other]
        return user.key not in begun and len(begun) < MOST_USERS

    def _remember(self, device: DeviceId, user: Jid) -> None:
        if device not in self._begun and len(self._begun) >= MOST:
            del self._begun[next(iter(self._begun))]
        self._begun.setdefault(device, {})[user.key] = self._clock.seconds()

    def _adopt(self, device: DeviceId, administrator: Jid, user: Jid) -> bool:
        first, second, third = (f"adopt{next(self._numbers)}" for _ in range(3))
        robot = robot_jid(device)
        try:
            for each in stanzas.adoption((first, second, third), robot, administrator, user):
                self._tell_as(administrator, device, each)
        except CommandFailed as failure:
            self._complain(device.did, failure)
            return False
        self._remember(device, user)
        self._log.warn(
            "{did} refuses {user}; told it in the name of {administrator} to permit that user",
            did=device.did,
            user=str(user),
            administrator=str(administrator),
        )
        return True

    def _complain(self, did: str, why: CommandFailed) -> None:
        more = self._failed.say(did)
        if more is not None:
            self._log.info(
                "{did} cannot be adopted: {why}{more}", did=did, why=why, more=again(more)
            )


def administrator_in(error: str, admin: str) -> Jid | None:
    """Whom a robot says it obeys; C{None} when it does not say, or nobody can speak for him."""
    told = error.partition(CONTACT)[2] if error.startswith(DENIED) else ""
    return _administrator(told) or _administrator(admin)


def _administrator(text: str) -> Jid | None:
    try:
        jid = parse_jid("".join(text.split()))
    except ValueError:
        return None
    if not jid.local or jid.resource or jid.local.casefold().startswith(MADE_UP):
        return None
    return jid
