"""
Who may publish, subscribe and hear what (mqtt.md 5.1).  What is not allowed is denied.

    - A robot speaks and hears under its own address.
    - A user, which is an app or Home Assistant, hears every robot of the household, one by
      one, and says nothing: commands come by HTTP.
    - A local service hears what all robots report and answers, and commands them by their
      short names.  What is not a robot's is the household's: topics that a service reads,
      writes and retains freely, unless the owner's file names it
      (L{bumper_tw.core.mqtt_access}).
    - Somebody without an account has the topics of the household and nothing of robots,
      unless the owner's file says something else.

Where robots are their owners' (L{bumper_tw.core.ownership}), users and local services have to do
with those robots only that they may use: a service, with those of the account it logs in to.

Nobody reads or writes C{$} topics, but for what the owner's file says.
"""

from collections.abc import Iterable
from typing import Protocol

from attrs import frozen

from bumper_tw.core.mqtt_access import ROBOTS, AccessList, first_level
from bumper_tw.core.permits import Everybody, robot_of
from bumper_tw.core.policies import uid_of
from bumper_tw.dialect import plain, topics
from bumper_tw.errors import BadRequest, DeviceUnknown
from bumper_tw.interfaces import IDeviceRegistry
from bumper_tw.people_interfaces import IPermits
from bumper_tw.values import Device, DeviceId, Principal, Role
from bumper_tw.wire.mqtt_topics import covers, overlaps

#: What a local service hears of robots, and says to them by their short names.
SERVICE_HEARS = (topics.REPORTS, plain.REPORTS, plain.REPLIES)
SERVICE_SAYS = (plain.COMMANDS,)

#: How many parties' rights are remembered.
REMEMBERED = 4096


class Rights(Protocol):
    """What one party may do."""

    def may_publish(self, topic: str) -> bool:
        """Whether it may say something on a topic."""

    def may_retain(self, topic: str) -> bool:
        """Whether what it says there may be kept for those who come later."""

    def may_subscribe(self, topic_filter: str) -> bool:
        """Whether it may ask for a filter."""

    def may_hear(self, topic: str) -> bool:
        """Whether it may be told what is said on a topic."""


@frozen
class RobotRights:
    """
    A robot has two short lists of filters.

    @ivar says: of the topics it may publish to.  Its answers need a question besides
        (L{bumper_tw.core.mqtt_questions}).
    @ivar hears: of the filters it may subscribe to.
    """

    says: tuple[str, ...] = ()
    hears: tuple[str, ...] = ()

    @classmethod
    def of(cls, robot: Principal) -> "RobotRights":
        """The rights of one robot; none if its address cannot be part of a topic."""
        device, did = robot.device, robot.name
        try:
            return cls(
                topics.robot_may_publish(device) + plain.robot_may_publish(did),
                topics.robot_may_subscribe(device) + plain.robot_may_subscribe(did),
            )
        except (BadRequest, ValueError):
            return cls()

    def may_publish(self, topic: str) -> bool:
        return _one_covers(self.says, topic)

    def may_retain(self, topic: str) -> bool:  # noqa: ARG002
        return False

    def may_subscribe(self, topic_filter: str) -> bool:
        return _one_covers(self.hears, topic_filter)

    def may_hear(self, topic: str) -> bool:
        return _one_covers(self.hears, topic)


@frozen
class UserRights:
    """
    A user hears those of the robots that there are now which he may use, and answers to itself.

    @ivar answers: the filters of the latter.
    """

    registry: IDeviceRegistry
    permits: IPermits
    uid: str
    answers: tuple[str, ...] = ()

    @classmethod
    def of(cls, registry: IDeviceRegistry, permits: IPermits, user: Principal) -> "UserRights":
        """The rights of one user."""
        try:
            return cls(registry, permits, user.name, topics.user_may_hear(user))
        except ValueError:
            return cls(registry, permits, user.name)

    def may_publish(self, topic: str) -> bool:  # noqa: ARG002
        return False

    def may_retain(self, topic: str) -> bool:  # noqa: ARG002
        return False

    def may_subscribe(self, topic_filter: str) -> bool:
        return _one_covers(self._of_robot(topic_filter), topic_filter) or _one_covers(
            self.answers, topic_filter
        )

    def may_hear(self, topic: str) -> bool:
        # A topic is a filter without wildcards, and says whose answer it is.
        return self.may_subscribe(topic) and self.permits.may_use(self.uid, named_robot(topic))

    def _of_robot(self, asked: str) -> tuple[str, ...]:
        """What a user may hear of the robot that a filter names, if it names one."""
        try:
            did = named_robot(asked)
            device = robot_of(self.registry, self.permits, self.uid, did).id
            return topics.user_may_subscribe(device) + plain.user_may_subscribe(device.did)
        except (DeviceUnknown, BadRequest, ValueError):
            # The last two: an address that cannot be part of a filter, so nobody hears it.
            return ()


def named_robot(asked: str) -> str:
    """The did in a topic, or in a filter that is about one robot; empty if there is none."""
    match asked.split("/"):
        case ["iot", "atr", _, did, *_]:
            return did
        case ["iot", "p2p", _, _, _, _, did, _, _, "q", *_]:
            return did
        case ["iot", "p2p", _, did, _, _, _, _, _, "p", *_]:
            return did
        case ["p2p" | "rsp" | "attr", did]:
            return did
    return ""


@frozen
class HouseholdRights:
    """
    Whoever the owner's file does not name has the topics of the household.

    @ivar hears: besides, of robots.
    @ivar says: besides, to robots.
    """

    hears: tuple[str, ...] = ()
    says: tuple[str, ...] = ()

    def may_publish(self, topic: str) -> bool:
        return is_household(topic) or _one_covers(self.says, topic)

    def may_retain(self, topic: str) -> bool:
        return is_household(topic)

    def may_subscribe(self, topic_filter: str) -> bool:
        # A wildcard in front includes some topics of the household, and is heard as such.
        return is_household(topic_filter) or any(overlaps(h, topic_filter) for h in self.hears)

    def may_hear(self, topic: str) -> bool:
        return is_household(topic) or _one_covers(self.hears, topic)


@frozen
class AccountRights:
    """
    The same, where robots are their owners': of robots, those that an account may use.

    @ivar uid: of that account.
    """

    permits: IPermits
    uid: str
    whole: HouseholdRights

    def may_publish(self, topic: str) -> bool:
        return self._may_use(topic) and self.whole.may_publish(topic)

    def may_retain(self, topic: str) -> bool:
        return self.whole.may_retain(topic)

    def may_subscribe(self, topic_filter: str) -> bool:
        # What it hears by a wildcard is decided topic by topic.
        return self.whole.may_subscribe(topic_filter)

    def may_hear(self, topic: str) -> bool:
        return self._may_use(topic) and self.whole.may_hear(topic)

    def _may_use(self, topic: str) -> bool:
        return is_household(topic) or self.permits.may_use(self.uid, named_robot(topic))


def is_household(topic: str) -> bool:
    """Whether a topic is neither a robot's nor the server's."""
    return not topic.startswith("$") and first_level(topic) not in ROBOTS


def _one_covers(filters: Iterable[str], asked: str) -> bool:
    return any(covers(each, asked) for each in filters)


SERVICE = HouseholdRights(SERVICE_HEARS, SERVICE_SAYS)
ANONYMOUS = HouseholdRights()


class MqttRules:
    """
    The access table.

    The registry says which robots there are.

    @ivar revision: rises whenever an answer may have changed; until then all may be remembered.
    """

    def __init__(
        self,
        registry: IDeviceRegistry,
        access: AccessList | None = None,
        permits: "IPermits | None" = None,
    ) -> None:
        """
        @param access: the owner's file; C{None} if there is none.
        @param permits: who may use which robot; C{None} when that is the same for everybody.
        """
        self._registry, self._access = registry, access or AccessList()
        self._permits = Everybody() if permits is None else permits
        self._rights: dict[Principal, Rights] = {}
        self._known: dict[str, DeviceId] = {d.id.did: d.id for d in registry.devices()}
        self.revision = 0
        registry.watch(self._seen)
        self._permits.listen(self._permitted)

    def _permitted(self, did: str) -> None:  # noqa: ARG002 - all answers are worked out anew
        self.revision += 1

    def use(self, access: AccessList) -> None:
        """Go by another version of the owner's file from now on."""
        self._access = access
        self._rights.clear()
        self.revision += 1

    def _seen(self, device: Device, online: bool) -> None:  # noqa: ARG002
        did = device.id.did
        if self._known.get(did) != device.id:
            self._known[did] = device.id
            self.revision += 1

    def forgotten(self, did: str) -> None:
        """A robot was dropped, so nobody may hear it any more."""
        self._known.pop(did, None)
        self.revision += 1

    def may_publish(self, who: Principal, topic: str) -> bool:
        """Whether somebody may publish to a topic; also as a will."""
        return _is_plain(topic) and self._of(who).may_publish(topic)

    def may_retain(self, who: Principal, topic: str) -> bool:
        """Whether what somebody publishes to a topic may be retained."""
        return _is_plain(topic) and self._of(who).may_retain(topic)

    def may_subscribe(self, who: Principal, topic_filter: str) -> bool:
        """
        Whether somebody may ask for a filter.

        Of robots and users the filter must stay within what they may hear (mqtt.md 5.2); of
        others it may be wider, and L{may_hear} decides.
        """
        return self._of(who).may_subscribe(topic_filter)

    def may_hear(self, who: Principal, topic: str) -> bool:
        """
        Whether somebody may be sent what was published to a topic.  Asked at delivery, so that
        no subscription outlives a right (mosquitto's CVE-2021-34434).
        """
        return self._of(who).may_hear(topic)

    def _of(self, who: Principal) -> Rights:
        rights = self._rights.get(who)
        if rights is None:
            if len(self._rights) >= REMEMBERED:
                self._rights.clear()
            rights = self._rights[who] = self._worked_out(who)
        return rights

    def _worked_out(self, who: Principal) -> Rights:
        if who.role is Role.ROBOT:
            return RobotRights.of(who)
        if who.role is Role.USER:
            return UserRights.of(self._registry, self._permits, who)
        default = self._service(who) if who.role is Role.SERVICE else ANONYMOUS
        return self._access.rights(who) or default

    def _service(self, who: Principal) -> Rights:
        if isinstance(self._permits, Everybody):
            return SERVICE
        return AccountRights(self._permits, uid_of(who.name), SERVICE)


def _is_plain(topic: str) -> bool:
    """Whether a topic is none that a wildcard of a rule would be compared with as a name."""
    return "+" not in topic and "#" not in topic
