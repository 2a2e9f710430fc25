"""Tests for L{bumper_tw.dialect.bumper_db}: what other Bumpers have written."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect import bumper_db
from bumper_tw.dialect.bumper_db import Generation, Theirs, read
from bumper_tw.dialect.bumper_records import Purpose
from bumper_tw.dialect.logins import IDENTITY, RESOURCE, ROBOT_CLASS
from bumper_tw.errors import BadRequest
from bumper_tw.values import Company, PayloadKind
from tests.samples import DUSTY, RUSTY

SAVED = Path(__file__).parents[1] / "data"
OLDIE = "E0009876500123450001"
NOON = datetime(2999, 1, 1, 12, 0, 0, 123456, UTC).timestamp()

#: Whoever logs in to the newest one without an account, and somebody with one.
EVERYBODY, SOMEBODY = "faf9838ac653b1fe66cd", "d648b243a3e817eaa330"
HOME = "781a0733923f2240cf304757"


def saved(name: str) -> bytes:
    """A database as one of them has left it."""
    return (SAVED / name).read_bytes()


def table(*rows: object) -> dict[str, object]:
    """Records under their numbers."""
    return {str(number): row for number, row in enumerate(rows, 1)}


def written(**tables: object) -> bytes:
    """A database with these tables."""
    return json.dumps(tables).encode()


def why(theirs: Theirs) -> dict[tuple[str, str], int]:
    """What was left out, and how much of it."""
    return {(each.what, each.why): each.count for each in theirs.skipped}


class GenerationTests(SynchronousTestCase):
    """Each generation, as it writes."""

    def test_original(self) -> None:
        """Robots of both kinds, users as clients call them, and logins."""
        theirs = read(saved("bumper_bm/bumper.db"), UTC)
        self.assertIs(theirs.generation, Generation.OLDER)
        dusty, oldie, rusty = theirs.robots
        self.assertEqual((dusty.id, dusty.nick, dusty.name), (DUSTY, "Dusty", "E0001"))
        self.assertEqual((dusty.company, dusty.kind), (Company.MQTT, PayloadKind.JSON))
        self.assertEqual(str(oldie.id), f"{OLDIE}/126/atom")
        self.assertEqual((oldie.company, oldie.kind), (Company.XMPP, PayloadKind.XML))
        self.assertEqual((rusty.id, rusty.kind), (RUSTY, PayloadKind.XML))
        first, second = theirs.users
        self.assertEqual((first.uid, second.uid), ("fuid_tmpuser", "fuid_second"))
        self.assertEqual(first.robots, (DUSTY.did, OLDIE, RUSTY.did))
        live = {token.text: token for token in theirs.tokens if token.expires_at == NOON}
        self.assertEqual(
            {text: (token.uid, token.purpose) for text, token in live.items()},
            {
                "a0" * 16: ("fuid_tmpuser", Purpose.ACCESS),
                "us_" + "b0" * 16: ("fuid_tmpuser", Purpose.USER),
                "a3" * 16: ("fuid_nobody", Purpose.ACCESS),
            },
        )

    def test_original_odd(self) -> None:
        """What is no proper record is counted with the reason, and nothing half is taken."""
        self.assertEqual(
            why(read(saved("bumper_bm/bumper.db"))),
            {
                ("bots", "it has no proper did"): 2,
                ("bots", "it has no proper class"): 1,
                ("bots", "it is no record"): 1,
                ("bots", "it is there already"): 1,
                ("users", "it has no proper user id"): 1,
                ("tokens", "it does not say until when it is good"): 1,
                ("tokens", "it has no proper token"): 1,
            },
        )

    def test_fork(self) -> None:
        """Logins of the newer apps, whose time is that of Greenwich, are tokens of the portal."""
        east = timezone(timedelta(hours=5))
        theirs = read(saved("bumper_ed/bumper.db"), east)
        self.assertIs(theirs.generation, Generation.OLDER)
        [oauth] = [token for token in theirs.tokens if token.text == "e0" * 16]
        self.assertEqual((oauth.uid, oauth.purpose), ("fuid_tmpuser", Purpose.USER))
        self.assertEqual(oauth.expires_at, NOON)
        [token] = [token for token in theirs.tokens if token.text == "c0" * 16]
        self.assertEqual(token.expires_at, NOON - 5 * 3600)
        self.assertEqual(why(theirs), {("oauth", "it has no proper user id"): 1})

    def test_newest(self) -> None:
        """Users are called what they are called, and have homes; jobs are records."""
        theirs = read(saved("bumper_mv/bumper.db"))
        self.assertEqual((theirs.generation, theirs.version), (Generation.NEWEST, "0.3.0"))
        everybody, somebody, odd = theirs.users
        self.assertEqual((everybody.uid, everybody.homes), (EVERYBODY, (HOME,)))
        self.assertEqual(somebody.homes, (HOME, "5f0c2b7e9d1a4c3e8b6f7a90"))
        self.assertEqual((odd.uid, odd.homes, odd.robots), ("odd-lists", (), ()))
        ticket = "GLOBAL_APP_ECOVACS_IOT_" + "30" * 16
        purposes = {token.text: token.purpose for token in theirs.tokens}
        self.assertEqual(purposes[ticket], Purpose.USER)
        self.assertNotIn("20" * 16, purposes)

    def test_newest_jobs(self) -> None:
        """A job has what clients read of it, and no picture of another server."""
        jobs = read(saved("bumper_mv/bumper.db")).jobs
        self.assertEqual(
            Counter(job.device.did for job in jobs), {DUSTY.did: 3, "gone": 1, OLDIE: 1}
        )
        first, spot, bare = jobs[:3]
        self.assertEqual(first.id, f"{DUSTY.did}@1699299999@{DUSTY.resource}")
        self.assertEqual((first.type, first.duration, first.area), ("auto", 1800, 25))
        self.assertEqual((first.stop_reason, first.job, first.image_url), (1, "1234567", None))
        self.assertEqual(first.extras["avoidCount"], 5)
        self.assertEqual((spot.id, spot.type), (first.id, "spotArea"))
        self.assertEqual((bare.stop_reason, bare.extras["aitypes"]), (None, [1, 2]))
        oldie = jobs[-1]
        self.assertEqual((oldie.started_at, oldie.area, oldie.duration), (1699199999, 12, 600))

    def test_lists(self) -> None:
        """Before 0.2.3, jobs are in a list for each robot."""
        theirs = read(saved("bumper_mv/bumper-0.2.2.db"))
        self.assertIs(theirs.generation, Generation.LISTS)
        self.assertEqual([user.uid for user in theirs.users], [SOMEBODY])
        self.assertEqual([job.started_at for job in theirs.jobs], [1699299999, 1699399999])
        self.assertEqual({job.device.did for job in theirs.jobs}, {DUSTY.did})
        self.assertEqual(
            why(theirs),
            {("clean_logs", "it has no time"): 2, ("clean_logs", "its list of jobs is none"): 1},
        )


class RecordTests(SynchronousTestCase):
    """Single records."""

    def test_tables_as_lists(self) -> None:
        """The oldest releases of what they use kept lists instead of numbers."""
        bot = {"did": "x", "class": "126", "company": "eco-legacy"}
        [found] = read(written(bots=[bot, 3])).robots
        self.assertEqual(str(found.id), "x/126/atom")

    def test_nick(self) -> None:
        """A nickname can be shown; a serial number that could not is none."""
        bot = {"did": "x", "class": "yna5xi", "resource": "r", "company": 7}
        nick = "\x1b[2J\ud800 D\u00e4umling" + "x" * 300
        [found] = read(written(bots=table({**bot, "nick": nick, "name": "a b"}))).robots
        self.assertEqual((found.nick[:12], len(found.nick)), ("[2J D\u00e4umling", 100))
        self.assertEqual((found.name, found.company), ("", Company.MQTT))

    def test_firmware(self) -> None:
        """If it is there, it is taken; whatever else is there is not."""
        bot = {"did": "x", "class": "yna5xi", "resource": "r"}
        rows = table({**bot, "fwVer": "1.8.2"}, {**bot, "did": "y", "fwVer": ["1"]})
        self.assertEqual([d.firmware for d in read(written(bots=rows)).robots], ["1.8.2", ""])

    def test_no_reason(self) -> None:
        """What they say of a job that has no end yet is nothing."""
        row = {"clean_log_id": "x@17@r", "did": "x"}
        rows = table({**row, "stop_reason": -2}, {**row, "stop_reason": "3"}, row)
        jobs = read(written(clean_logs=rows)).jobs
        self.assertEqual([job.stop_reason for job in jobs], [None, 3, None])

    def test_same_twice(self) -> None:
        """The first record of a user counts, with the lists of the others."""
        rows = table({"userid": "u", "bots": ["a"]}, {"userid": "u", "bots": ["a", "b"]})
        [user] = read(written(users=rows)).users
        self.assertEqual(user.robots, ("a", "b"))

    def test_secret_not_shown(self) -> None:
        """A token is in no text about it."""
        theirs = read(saved("bumper_bm/bumper.db"))
        self.assertNotIn("a0a0", repr(theirs))


class DamageTests(SynchronousTestCase):
    """What is none of their databases."""

    def refusal(self, held: bytes) -> str:
        """Why it is not read."""
        return str(self.assertRaises(BadRequest, read, held))

    def test_cut_short(self) -> None:
        """The place is told."""
        held = b'{"bots": {"1": {"did":\n "x'
        self.assertIn("damaged at line 2, column 2", self.refusal(held))

    def test_every_cut(self) -> None:
        """Wherever a power cut has ended it, it is one sentence."""
        whole = saved("bumper_ed/bumper.db")
        for at in range(len(whole)):
            self.assertRegex(self.refusal(whole[:at]), r"^is (empty|damaged at [^\n]+)$")

    def test_no_text(self) -> None:
        """Bytes that are no text."""
        self.assertIn("byte 2", self.refusal(b'{"\xff": 1}'))

    def test_other_things(self) -> None:
        """Other databases, other documents, nothing."""
        self.assertIn("database of this program", self.refusal(b"SQLite format 3\0..."))
        self.assertIn("not the database of a Bumper", self.refusal(b"[1, 2]"))
        for nothing in (b"", b" \n", b"\0" * 4096):
            self.assertEqual(self.refusal(nothing), "is empty")

    def test_bombs(self) -> None:
        """What is too deep, too long or too much is refused before it costs anything."""
        for held in (b"[" * 100_000, b'{"a":' * 100_000, b'{"a": 1' + b"0" * 5000 + b"}"):
            self.assertIn("no Bumper has written", self.refusal(held))
        self.assertIn("values", self.refusal(b"[" + b"0," * bumper_db.MAX_PARTS + b"0]"))
        self.assertIn("MB", self.refusal(b" " * (bumper_db.MAX_BYTES + 1)))

    def test_long_lists(self) -> None:
        """A user has so many robots, and no more."""
        bots = [f"r{number}" for number in range(5000)]
        theirs = read(written(users=table({"userid": "u", "bots": bots})))
        self.assertEqual(len(theirs.users[0].robots), bumper_db.MAX_LIST)
        self.assertEqual(theirs.skipped[0].count, 5000 - bumper_db.MAX_LIST)

    def test_not_a_number(self) -> None:
        """What Python writes and JSON does not know is nothing."""
        held = b'{"clean_logs": {"1": {"clean_log_id": "x@17@r", "ts": NaN, "area": Infinity}}}'
        [job] = read(held).jobs
        self.assertEqual((job.started_at, job.area), (17, None))


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["x", "yna5xi", "126", "2999-01-01 12:00:00", "0001-01-01T00:00:00+14:00"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)

FIELDS = st.sampled_from(
    [
        "did", "class", "company", "name", "nick", "resource", "userid", "userId", "username",
        "homeids", "devices", "bots", "token", "expiration", "authcode", "it_token", "fwVer",
        "access_token", "expire_at", "clean_log_id", "logs", "ts", "last", "aitypes", "key",
    ]
)  # fmt: skip

TABLES = st.dictionaries(
    st.sampled_from(["bots", "users", "tokens", "oauth", "clean_logs", "_meta", "_default"]),
    st.dictionaries(
        st.text(max_size=3), VALUES | st.dictionaries(FIELDS, VALUES, max_size=8), max_size=5
    )
    | VALUES,
)


class AnyTests(SynchronousTestCase):
    """Whatever is in it."""

    @given(st.binary(max_size=200))
    def test_bytes(self, held: bytes) -> None:
        """Anything at all is read, or refused by name."""
        try:
            read(held)
        except BadRequest as refused:
            self.assertNotIn("\n", str(refused))

    @given(TABLES)
    def test_tables(self, tables: dict[str, Any]) -> None:
        """What is taken could have logged in; what is not has a reason."""
        theirs = read(json.dumps(tables).encode())
        for device in theirs.robots:
            self.assertTrue(IDENTITY.fullmatch(device.id.did))
            self.assertTrue(ROBOT_CLASS.fullmatch(device.id.model))
            self.assertTrue(RESOURCE.fullmatch(device.id.resource))
            self.assertTrue(device.nick.isprintable())
        for job in theirs.jobs:
            json.dumps(job.extras).encode()
            self.assertGreater(job.started_at, 0)
        for each in theirs.skipped:
            self.assertTrue(each.why and each.count > 0 and each.first.isprintable())
