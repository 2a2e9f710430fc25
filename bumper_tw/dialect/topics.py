"""The topics that robots, clients and this server use (mqtt.md 4 and 5.1)."""

import re
from functools import lru_cache

from attrs import frozen

from bumper_tw.errors import BadRequest
from bumper_tw.values import Command, DeviceId, PayloadKind, Principal, RequestId

#: A party: identity, realm or class, resource (mqtt.md 2.1).
Party = tuple[str, str, str]

#: Under this name our side asks; robots only echo it (mqtt.md 4.4).
HELPER: Party = ("helperbot", "bumper", "helperbot")

ASKER = "/".join(HELPER)

#: Answers to our own questions.
REPLIES = f"iot/p2p/+/+/+/+/{ASKER}/p/+/+"

#: Answers of all robots to whomever asked.
ALL_REPLIES = "iot/p2p/+/+/+/+/+/+/+/p/+/+"

#: Every event of every robot.
REPORTS = "iot/atr/+/+/+/+/+"

KINDS = {kind.value: kind for kind in PayloadKind}

#: The same few robots speak all the time, and making a record costs as much as the match.
address = lru_cache(maxsize=4096)(DeviceId)

LEVEL = r"([^/+#\0]{1,128})"
NAME = r"([A-Za-z0-9_-]{1,64})"
REQUEST = r"([A-Za-z0-9]{1,32})"

#: One match does all the checks, which is what makes reading a topic cheap.
A_PARTY = f"{LEVEL}/{LEVEL}/{LEVEL}"
A_REPLY = re.compile(f"iot/p2p/{NAME}/{A_PARTY}/{A_PARTY}/p/{REQUEST}/([jxb])").fullmatch
A_REQUEST = re.compile(f"iot/p2p/{NAME}/{A_PARTY}/{A_PARTY}/([qm])/{REQUEST}/([jxb])").fullmatch
A_REPORT = re.compile(f"iot/atr/{NAME}/{A_PARTY}/([jxb])").fullmatch
A_NAME = re.compile(NAME).fullmatch
A_DEVICE = re.compile(A_PARTY).fullmatch


@frozen
class ReplyTopic:
    """
    A robot answers.

    @ivar asker: whom it answers.
    """

    name: str
    device: DeviceId
    request: RequestId
    kind: PayloadKind
    asker: Party = HELPER

    @classmethod
    def parse(cls, topic: str) -> "ReplyTopic":
        """
        Read the topic of an answer.

        @raise ValueError: it does not fit the grammar, or is not the topic of an answer.
        """
        found = A_REPLY(topic)
        if found is None:
            raise ValueError("not the topic of a reply")
        name, did, model, res, who, realm, place, request, kind = found.groups()
        device = address(did, model, res)
        return cls(name, device, RequestId(request), KINDS[kind], (who, realm, place))


@frozen
class RequestTopic:
    """
    Somebody asks a robot.

    @ivar direction: C{q} wants an answer, C{m} wants none (mqtt.md 4.1).
    """

    name: str
    sender: Party
    device: DeviceId
    request: RequestId
    kind: PayloadKind
    direction: str = "q"

    @classmethod
    def parse(cls, topic: str) -> "RequestTopic":
        """
        Read the topic of a question.

        @raise ValueError: it does not fit the grammar, or is not the topic of a question.
        """
        found = A_REQUEST(topic)
        if found is None:
            raise ValueError("not the topic of a request")
        name, who, realm, place, did, model, res, direction, request, kind = found.groups()
        device = address(did, model, res)
        sender = (who, realm, place)
        return cls(name, sender, device, RequestId(request), KINDS[kind], direction)


@frozen
class ReportTopic:
    """A robot tells something without being asked."""

    name: str
    device: DeviceId
    kind: PayloadKind

    @classmethod
    def parse(cls, topic: str) -> "ReportTopic":
        """
        Read the topic of an event.

        @raise ValueError: it does not fit the grammar, or is not the topic of an event.
        """
        found = A_REPORT(topic)
        if found is None:
            raise ValueError("not the topic of a report")
        name, did, model, res, kind = found.groups()
        return cls(name, address(did, model, res), KINDS[kind])


def request_topic(command: Command, request: RequestId) -> str:
    """
    Where our side puts a question.

    @raise BadRequest: the command has a name that no topic can carry, or an address that
        would be another topic's.
    """
    device, name = command.device, command.name
    own = f"{device.did}/{device.model}/{device.resource}"
    if not A_NAME(name):
        raise BadRequest("A command name has up to 64 letters, digits, dashes and underscores.")
    if not A_DEVICE(own):
        raise BadRequest("The address of the robot is not complete.")
    return f"iot/p2p/{name}/{ASKER}/{own}/q/{request}/{command.kind.value}"


def own_levels(device: DeviceId) -> str:
    """
    The three levels that name a robot, for use in a filter.

    @raise ValueError: one of them would widen the filter, or break it.
    """
    own = f"{device.did}/{device.model}/{device.resource}"
    if not A_DEVICE(own):
        raise ValueError("an address that cannot be part of a topic filter")
    return own


def robot_filters(device: DeviceId) -> tuple[str, ...]:
    """What a JSON robot subscribes to; older ones only to the first (mqtt.md 4.3)."""
    own = own_levels(device)
    return (
        f"iot/p2p/+/+/+/+/{own}/q/+/+",
        f"iot/cfg/{own}/+/+",
        f"iot/dtcfg/{device.model}/222/+/+",
        f"iot/dtgcfg/{device.model}/{device.did}/{device.resource}/+/+",
    )


def robot_may_publish(device: DeviceId) -> tuple[str, ...]:
    """
    Where a robot may speak (mqtt.md 5.1).

    An answer needs a question besides, which a filter cannot express (mqtt.md 5.3).
    """
    own = own_levels(device)
    return (f"iot/atr/+/{own}/+", f"iot/p2p/+/{own}/+/+/+/p/+/+")


def robot_may_subscribe(device: DeviceId) -> tuple[str, ...]:
    """What a robot may hear (mqtt.md 5.1); sources disagree about the order of levels."""
    own = own_levels(device)
    swapped = f"{device.model}/{device.did}/{device.resource}"
    return (
        f"iot/p2p/+/+/+/+/{own}/+/+/+",
        f"iot/cfg/{own}/+/+",
        f"iot/cfg/{swapped}/+/+",
        f"iot/dtgcfg/{swapped}/+/+",
        f"iot/dtgcfg/{own}/+/+",
        f"iot/dtcfg/{device.model}/222/+/+",
        f"iot/dtcfg/{swapped}/+/+",
        f"iot/dtcfg/{own}/+/+",
    )


def user_may_subscribe(device: DeviceId) -> tuple[str, ...]:
    """What a user may hear of one robot of the household (mqtt.md 5.1)."""
    own = own_levels(device)
    return (
        f"iot/atr/+/{own}/+",
        f"iot/p2p/+/+/+/+/{own}/q/+/+",
        f"iot/p2p/+/{own}/+/+/+/p/+/+",
    )


def user_may_hear(user: Principal) -> tuple[str, ...]:
    """What a user may hear whatever robots there are: answers to oneself (mqtt.md 5.1)."""
    return (f"iot/p2p/+/+/+/+/{own_levels(user.device)}/p/+/+",)


def user_may_command(user: Principal, device: DeviceId) -> tuple[str, ...]:
    """Where a user may speak to one robot, where the owner allows it (mqtt.md 5.1)."""
    return (f"iot/p2p/+/{own_levels(user.device)}/{own_levels(device)}/q/+/+",)
