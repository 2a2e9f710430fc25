"""
The records of other Bumpers, each taken as a whole or not at all (http-devices.md 6).

Whatever becomes an address here has to be what a robot or a client could log in with.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from enum import Enum
from typing import Any, TypeGuard

from attrs import field, frozen

from bumper_tw.dialect import lenient, models
from bumper_tw.dialect.domains import ATOM
from bumper_tw.dialect.logins import IDENTITY, RESOURCE, ROBOT_CLASS, VERSION, serial
from bumper_tw.values import CleaningLog, Company, Device, DeviceId, PayloadKind

#: What a user id, a home and a token are made of; a token that could be guessed is none.
UID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
HOME = re.compile(r"[A-Za-z0-9_-]{1,64}")
TOKEN = re.compile(r"[A-Za-z0-9_.-]{16,128}")

#: What the older ones put in front of a user's id when they tell it to a client.
MADE_UP = "fuid_"

#: Characters of a nickname, of the name of a record that is shown, and of the words of a job.
MAX_NICK, MAX_WHICH, MAX_WORD = 100, 64, 64

#: Kinds of things that an obstacle was taken for.
MAX_KINDS = 64

#: Further fields of a job: what they call them, and what clients read (http-devices.md 5.1).
JOB_NUMBERS: Mapping[str, str] = {
    "aiavoid": "aiavoid",
    "avoid_count": "avoidCount",
    "enable_power_mop": "enablePowerMop",
    "power_mop_type": "powerMopType",
    "ai_open": "aiopen",
}


class Purpose(Enum):
    """What a token of theirs opens: the private API and all behind it, or the latter alone."""

    ACCESS = "access"
    USER = "user"


@frozen
class TheirUser:
    """
    A user of theirs.

    @ivar uid: as clients know it.
    @ivar name: what they call him, which most often is what they call everybody.
    @ivar robots: the dids of those in his list.
    """

    uid: str
    name: str = ""
    homes: tuple[str, ...] = ()
    robots: tuple[str, ...] = ()


@frozen
class TheirToken:
    """
    A login that clients of theirs go on with.

    @ivar expires_at: seconds since the epoch.
    """

    text: str = field(repr=False)
    uid: str
    purpose: Purpose
    expires_at: float


class Unfit(Exception):
    """A record cannot be taken; the text is the reason."""


def robot(row: Mapping[str, Any]) -> Device:
    """
    A robot.

    @raise Unfit: it cannot be addressed.
    """
    did = one(IDENTITY, row.get("did"), "it has no proper did")
    model = one(ROBOT_CLASS, row.get("class"), "it has no proper class")
    company = _company(row.get("company"), model)
    told = row.get("resource") or (ATOM if company is Company.XMPP else None)
    resource = one(RESOURCE, told, "it has no proper resource")
    kind = PayloadKind.XML if company is Company.XMPP else models.payload_kind(model)
    label, nick = serial(lenient.text(row.get("name"))), tidy(row.get("nick"))
    version = row.get("fwVer")
    firmware = version if fits(version, VERSION) else ""
    return Device(DeviceId(did, model, resource), label, company, kind, nick, firmware)


def _company(value: object, model: str) -> Company:
    told = next((each for each in Company if each.value == value), None)
    return told or models.company(model)


def job(row: Mapping[str, Any], did: object) -> CleaningLog:
    """
    A cleaning job.

    @param did: the robot of the record that it is in.
    @raise Unfit: it has no robot or no time.
    """
    # <did>@<start>@<resource> (http-devices.md 5.1).
    named = lenient.text(row.get("clean_log_id"), 256).split("@")
    whose = one(IDENTITY, did or named[0], "its robot has no proper did")
    start = lenient.seconds(row.get("ts")) or (lenient.seconds(named[1]) if named[1:] else None)
    if start is None or start > lenient.MILLISECONDS:
        raise Unfit("it has no time")
    resource = named[2] if len(named) == 3 and RESOURCE.fullmatch(named[2]) else ""
    reason = lenient.number(row.get("stop_reason"))
    return CleaningLog(
        DeviceId(whose, "", resource),
        tidy(row.get("cid"), MAX_WORD),
        start,
        tidy(row.get("type"), MAX_WORD) or None,
        lenient.natural(row.get("last")),
        lenient.natural(row.get("area")),
        # -2 stands for nothing said.
        None if reason == -2 else reason,
        # Their pictures are not ours to show.
        extras=dict(_extras(row)),
    )


def _extras(row: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for theirs, ours in JOB_NUMBERS.items():
        number = lenient.number(row.get(theirs))
        if number is not None:
            yield ours, number
    kinds = row.get("aitypes")
    if isinstance(kinds, list) and kinds:
        numbers = [lenient.number(kind) for kind in kinds[:MAX_KINDS]]
        yield "aitypes", [number for number in numbers if number is not None]


def moment(value: object, zone: tzinfo | None) -> float:
    """
    A time as they write it, in seconds since the epoch.

    @param zone: what it is in if it does not say; C{None} for the zone of this box.
    @raise Unfit: it is none.
    """
    try:
        told = datetime.fromisoformat(value if isinstance(value, str) else "")
        return (told if told.tzinfo else told.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError, OSError) as odd:
        raise Unfit("it does not say until when it is good") from odd


def fits(value: object, form: re.Pattern[str]) -> TypeGuard[str]:
    """Whether a value is a text of some form."""
    return isinstance(value, str) and form.fullmatch(value) is not None


def one(form: re.Pattern[str], value: object, otherwise: str) -> str:
    """
    A text of some form.

    @raise Unfit: it is not, and C{otherwise} is the reason.
    """
    if fits(value, form):
        return value
    raise Unfit(otherwise)


def tidy(value: object, longest: int = MAX_NICK) -> str:
    """A text that can be shown and logged: printable, and not too long."""
    text = lenient.text(value, 4 * longest)
    return "".join(letter for letter in text if letter.isprintable())[:longest].strip()
