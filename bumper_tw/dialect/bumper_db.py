"""
What other Bumpers remember, read into our nouns (http-devices.md 6).

They keep one JSON document: a table for each kind of record, in it the records by number.  Three
generations are about.  The original and the fork that came first keep the same tables; they call
a user C{tmpuser} to themselves and C{fuid_tmpuser} to clients.  The newest one says the same to
both, knows homes, and keeps cleaning jobs: up to 0.2.2 as a list for each robot, since then as
records of their own.

A record is taken as a whole or not at all.  What cannot be taken is counted, with the reason.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, tzinfo
from enum import Enum
from itertools import islice
from typing import Any, TypeVar

from attrs import Factory, define, evolve, frozen

from bumper_tw.dialect import lenient
from bumper_tw.dialect.bumper_records import (
    HOME,
    MADE_UP,
    MAX_WHICH,
    TOKEN,
    UID,
    Purpose,
    TheirToken,
    TheirUser,
    Unfit,
    fits,
    job,
    moment,
    one,
    robot,
    tidy,
)
from bumper_tw.dialect.logins import IDENTITY, VERSION
from bumper_tw.errors import BadRequest
from bumper_tw.values import CleaningLog, Device

T = TypeVar("T")

#: Ten robots leave about a megabyte a year.
MAX_BYTES = 16 << 20

#: Values in the whole document; that of ten robots has a hundred thousand after a year.
MAX_PARTS = 1_000_000

#: Entries of one list within a record.
MAX_LIST = 1000

#: How SQLite begins its files, which ours is one of.
SQLITE = b"SQLite format 3\0"


class Generation(Enum):
    """Which Bumper has written a document, in words."""

    OLDER = "of an original Bumper, or of the fork before the newest one"
    LISTS = "of the newest Bumper, up to 0.2.2"
    NEWEST = "of the newest Bumper"


@frozen
class Skipped:
    """
    Records that were not taken for one and the same reason.

    @ivar what: the table they are in.
    @ivar first: the name of one of them, fit to be shown.
    """

    what: str
    why: str
    count: int
    first: str


@define
class Tally:
    """Counts what is not taken, by the reason: however much it is, it takes no room."""

    _counts: Counter[tuple[str, str]] = Factory(Counter)
    _first: dict[tuple[str, str], str] = Factory(dict)

    def add(self, what: str, which: object, why: str, count: int = 1) -> None:
        """One more, or some more, that are left out."""
        if (what, why) not in self._first:
            self._first[what, why] = shown(which)
        self._counts[what, why] += count

    def all(self) -> tuple[Skipped, ...]:
        """All reasons, the first found first."""
        return tuple(
            Skipped(what, why, self._counts[what, why], first)
            for (what, why), first in self._first.items()
        )


@frozen
class Theirs:
    """
    A whole document.

    @ivar version: that of the newest generation; empty where the document does not say.
    @ivar robots: without the time of a first contact, which nobody has noted.
    @ivar jobs: the class of their robots is left empty.
    """

    generation: Generation
    version: str = ""
    robots: tuple[Device, ...] = ()
    users: tuple[TheirUser, ...] = ()
    tokens: tuple[TheirToken, ...] = ()
    jobs: tuple[CleaningLog, ...] = ()
    skipped: tuple[Skipped, ...] = ()


def read(held: bytes, zone: tzinfo | None = None) -> Theirs:
    """
    Read a document.

    @param zone: what times are in that do not say; C{None} for the zone of this box.
    @raise BadRequest: it is none; the text says where it ceases to be one.
    """
    tables = document(held)
    tally, generation = Tally(), _generation(tables)
    reading = Reading(tables, tally, generation is Generation.OLDER, zone)
    return Theirs(
        generation,
        _version(tables),
        tuple(reading.robots()),
        tuple(reading.users()),
        tuple(reading.tokens()),
        tuple(reading.jobs()),
        tally.all(),
    )


def document(held: bytes) -> Mapping[str, Any]:
    """
    The tables of a document.

    @raise BadRequest: it is none.
    """
    if held.startswith(SQLITE):
        raise BadRequest("is a database of this program, and not of another Bumper")
    if len(held) > MAX_BYTES:
        raise BadRequest(f"has more than {MAX_BYTES >> 20} MB, as no Bumper's database has")
    if sum(map(held.count, (b"{", b"[", b","))) > MAX_PARTS:
        raise BadRequest(f"has more than {MAX_PARTS} values, as no Bumper's database has")
    tables = _parsed(_text(held))
    if not isinstance(tables, dict):
        raise BadRequest("has no tables in it: it is not the database of a Bumper")
    return tables


def _text(held: bytes) -> str:
    try:
        return held.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise BadRequest(f"is damaged at byte {wrong.start}: that is no text") from wrong


def _parsed(text: str) -> Any:
    if not text.strip("\0 \t\r\n"):
        raise BadRequest("is empty")
    try:
        return DECODER.decode(text)
    except json.JSONDecodeError as wrong:
        place = f"line {wrong.lineno}, column {wrong.colno}"
        raise BadRequest(f"is damaged at {place}: {wrong.msg}") from wrong
    except (RecursionError, ValueError) as odd:
        # ValueError: a number of thousands of digits.
        raise BadRequest("holds values that no Bumper has written") from odd


#: What JSON does not know, and Python writes all the same, is nothing.
DECODER = json.JSONDecoder(parse_constant=lambda _: None, strict=False)


def rows(tables: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    """The records of a table with their numbers; the oldest of these programs kept a list."""
    table = tables.get(name)
    if isinstance(table, dict):
        yield from table.items()
    elif isinstance(table, list):
        yield from ((str(number), row) for number, row in enumerate(table, 1))


def _generation(tables: Mapping[str, Any]) -> Generation:
    users = [row for _, row in rows(tables, "users") if isinstance(row, dict)]
    jobs = [row for _, row in rows(tables, "clean_logs") if isinstance(row, dict)]
    if any("clean_log_id" in row for row in jobs) or "_meta" in tables:
        return Generation.NEWEST
    if "clean_logs" in tables or any("homeids" in user for user in users):
        return Generation.LISTS
    return Generation.OLDER


def _version(tables: Mapping[str, Any]) -> str:
    told = [lenient.fields(row) for _, row in rows(tables, "_meta")]
    found = [row.get("value") for row in told if row.get("key") == "db_version"]
    return next((text for text in found if fits(text, VERSION)), "")


@frozen
class Reading:
    """
    One document on its way.

    @ivar made_up: whether users are called C{fuid_} by clients alone.
    """

    tables: Mapping[str, Any]
    tally: Tally
    made_up: bool
    zone: tzinfo | None

    def robots(self) -> Iterator[Device]:
        """Each robot once."""
        found: dict[str, Device] = {}
        for device in self._each("bots", robot):
            known = found.setdefault(device.id.did, device)
            # One that is there twice has its nickname only once.
            if known is not device:
                self.tally.add("bots", device.id.did, "it is there already")
                found[device.id.did] = evolve(known, nick=known.nick or device.nick)
        yield from found.values()

    def users(self) -> Iterator[TheirUser]:
        """Each user once, with all that any record of his has."""
        found: dict[str, TheirUser] = {}
        homes: dict[str, dict[str, None]] = {}
        robots: dict[str, dict[str, None]] = {}
        for user in self._each("users", self._user):
            if found.setdefault(user.uid, user) is not user:
                self.tally.add("users", user.uid, "it is there already")
            homes.setdefault(user.uid, {}).update(dict.fromkeys(user.homes))
            robots.setdefault(user.uid, {}).update(dict.fromkeys(user.robots))
        for uid, user in found.items():
            yield evolve(user, homes=first(homes[uid]), robots=first(robots[uid]))

    def tokens(self) -> Iterator[TheirToken]:
        """Whatever somebody could go on with."""
        for several in self._each("tokens", self._tokens):
            yield from several
        yield from self._each("oauth", self._oauth)

    def jobs(self) -> Iterator[CleaningLog]:
        """Every job, whichever way it is kept."""
        for several in self._each("clean_logs", self._jobs):
            yield from several

    def _each(self, table: str, take: Callable[[Mapping[str, Any]], T]) -> Iterator[T]:
        for number, row in rows(self.tables, table):
            try:
                if not isinstance(row, dict):
                    raise Unfit("it is no record")
                yield take(row)
            except Unfit as why:
                self.tally.add(table, f"number {number}", str(why))

    def _uid(self, value: object) -> str:
        uid = one(UID, value, "it has no proper user id")
        return uid if not self.made_up or uid.startswith(MADE_UP) else MADE_UP + uid

    def _user(self, row: Mapping[str, Any]) -> TheirUser:
        uid = self._uid(row.get("userid"))
        if not fits(uid, UID):
            raise Unfit("it has no proper user id")
        homes = self._fitting("homes of users", HOME, row.get("homeids"))
        robots = self._fitting("robots of users", IDENTITY, row.get("bots"))
        return TheirUser(uid, tidy(row.get("username")), homes, robots)

    def _fitting(self, what: str, form: re.Pattern[str], value: object) -> tuple[str, ...]:
        """Those of a list that are names."""
        listed = value if isinstance(value, list) else []
        fitting = [each for each in listed[:MAX_LIST] if fits(each, form)]
        odd = len(listed) - len(fitting)
        if odd:
            self.tally.add(what, "", "it is no proper name, or one too many", odd)
        return tuple(dict.fromkeys(fitting))

    def _tokens(self, row: Mapping[str, Any]) -> list[TheirToken]:
        uid, until = self._uid(row.get("userid")), moment(row.get("expiration"), self.zone)
        text = one(TOKEN, row.get("token"), "it has no proper token")
        found = [TheirToken(text, uid, Purpose.ACCESS, until)]
        # Clients log in to the brokers with the text of the second step (http-auth.md 4.8).
        for name in ("it_token", "authcode"):
            ticket = row.get(name)
            if fits(ticket, TOKEN) and ticket != text:
                found.append(TheirToken(ticket, uid, Purpose.USER, until))
        return found

    def _oauth(self, row: Mapping[str, Any]) -> TheirToken:
        uid = self._uid(row.get("userId", row.get("userid")))
        text = one(TOKEN, row.get("access_token"), "it has no proper token")
        return TheirToken(text, uid, Purpose.USER, moment(row.get("expire_at"), UTC))

    def _jobs(self, row: Mapping[str, Any]) -> list[CleaningLog]:
        if "clean_log_id" in row:
            return [job(row, row.get("did"))]
        return list(self._listed(row))

    def _listed(self, row: Mapping[str, Any]) -> Iterator[CleaningLog]:
        listed = row.get("logs", [])
        if not isinstance(listed, list):
            raise Unfit("its list of jobs is none")
        for each in listed:
            try:
                yield job(lenient.fields(each), row.get("did"))
            except Unfit as why:
                self.tally.add("clean_logs", row.get("did"), str(why))


def first(names: Iterable[str]) -> tuple[str, ...]:
    """As many names as may be in a list."""
    return tuple(islice(names, MAX_LIST))


def shown(which: object) -> str:
    """The name of a record, whatever it is."""
    return tidy(which, MAX_WHICH)
