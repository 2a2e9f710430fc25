"""Tests for L{bumper_tw.app.log_formats} and L{bumper_tw.app.journald}."""

import errno
import json
import os
from io import StringIO
from typing import Any

from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent, Logger, LogLevel, capturedLogs
from twisted.python import log
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.journald import JournalObserver, datagram
from bumper_tw.app.log_formats import (
    HARMLESS,
    MESSAGE,
    TRACEBACK,
    journal_fields,
    json_line,
    prefixed,
    text_of,
)
from bumper_tw.app.logs import Threshold, log_path, observer
from bumper_tw.app.settings import LogSettings
from tests.samples import ALICE, DUSTY, DUSTY_ITSELF

WHEN = 1_795_000_000.25


def event(text: str = "hello", level: Any = LogLevel.info, **more: Any) -> LogEvent:
    """Something that somebody of the MQTT side says."""
    return {
        "log_level": level,
        "log_namespace": "bumper_tw.mqtt.protocol.MqttProtocol",
        "log_format": text,
        "log_time": WHEN,
        **more,
    }


def failed(text: str = "it broke") -> Failure:
    """A failure with a traceback."""
    try:
        raise ValueError(text)
    except ValueError:
        return Failure()


def said(happened: LogEvent) -> dict[str, Any]:
    """An event in JSON, read again; it is one line."""
    line = json_line(happened)
    assert line is not None
    assert (line.count("\n"), line[-1]) == (1, "\n"), line
    found: dict[str, Any] = json.loads(line)
    return found


def legacy(*text: object, **more: Any) -> LogEvent:
    """What L{twisted.python.log} makes of something."""
    with capturedLogs() as events:
        log.msg(*text, **more)
    return events[-1]


class JsonTests(SynchronousTestCase):
    """One object on a line."""

    def test_fields(self) -> None:
        """Time with an offset, level, part, message, and the fields that the message names."""
        found = said(event("{who} connected from {peer}", who=DUSTY_ITSELF, peer="192.168.1.5"))
        self.assertRegex(found.pop("time"), r"^2026-11-18T\d\d:\d\d:40\.250[+-]\d\d:\d\d$")
        self.assertEqual(
            found,
            {
                "level": "info",
                "part": "mqtt",
                "message": f"robot {DUSTY.did} connected from 192.168.1.5",
                "who": f"robot {DUSTY.did}",
                "peer": "192.168.1.5",
            },
        )

    def test_nothing_more_than_said(self) -> None:
        """What the message does not name stays where it is, and so does what is no plain value."""
        found = said(event("{peer} {thing}", peer="x", thing=object(), password="hunter2"))
        self.assertNotIn("hunter2", json.dumps(found))
        self.assertNotIn("thing", found)

    def test_own_names(self) -> None:
        """A field cannot pose as one of ours."""
        forged = {"level": "emergency", "message": "forged"}
        found = said({**event("{level} {message}"), **forged})
        self.assertEqual((found["level"], found["message"]), ("info", "emergency forged"))

    def test_traceback(self) -> None:
        """A failure tells where it happened, on the same line; the end counts."""
        found = said(event("oh", LogLevel.critical, log_failure=failed("x" * 100_000 + "end")))
        self.assertIn("end", found["traceback"][-20:])
        self.assertLessEqual(len(found["traceback"]), TRACEBACK)
        self.assertEqual((found["message"], found["level"]), ("oh", "critical"))

    def test_bounded(self) -> None:
        """A long message is cut off, and so is a long field."""
        found = said(event("{why}", why="x" * 1_000_000))
        self.assertEqual((len(found["message"]), len(found["why"])), (MESSAGE, 1000))

    def test_unhandled(self) -> None:
        """An error in a Deferred that nobody handles has its traceback."""
        broken: Deferred[None] = Deferred()
        broken.errback(failed("nobody cares"))
        with capturedLogs() as events:
            del broken
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        first, second = map(said, events)
        self.assertEqual(first["message"], "Unhandled error in Deferred:")
        self.assertIn("ValueError: nobody cares", second["traceback"])
        self.assertEqual(second["message"], "builtins.ValueError: nobody cares")

    def test_legacy(self) -> None:
        """What is said in the old way comes through, too, and an error of that kind just once."""
        self.assertEqual(said(legacy("old", "words"))["message"], "old words")
        found = said(legacy(failure=failed("old news"), why="because", isError=True))
        self.flushLoggedErrors(ValueError)
        self.assertEqual((found["message"], found["part"]), ("because", "other"))
        self.assertIn("old news", found["traceback"])

    def test_nothing(self) -> None:
        """Who says nothing leaves no line."""
        self.assertIsNone(json_line(event("")))
        self.assertIsNone(prefixed(event("")))
        self.assertEqual(journal_fields(event("")), {})

    @given(st.text(), st.text(max_size=50), st.sampled_from(list(LogLevel.iterconstants())))
    def test_anything(self, text: str, name: str, level: Any) -> None:
        """Whatever is said is one line of plain letters, and can be read again."""
        happened = event("{why}", level, why=text, **{f"x{name}": text})
        line = json_line(happened)
        if line is not None:
            self.assertTrue(line[:-1].isascii() and line[:-1].isprintable(), line)
            self.assertEqual(json.loads(line)["message"], text[: MESSAGE - 3] or text)

    @given(st.text(max_size=60))
    def test_any_format(self, text: str) -> None:
        """A format that is none of ours does no harm."""
        happened = event(text)
        said = text_of(happened)
        self.assertEqual(said, said.translate(HARMLESS))
        for form in (json_line, prefixed, journal_fields):
            self.assertEqual(bool(form(happened)), bool(said), form)

    def test_half_a_character(self) -> None:
        """It is none that every reader of JSON takes, wherever it stands."""
        line = json_line(event("half {why}", why="a \ud83d letter"))
        assert line is not None
        found = json.loads(line)
        self.assertEqual((found["message"], found["why"]), ("half a ? letter", "a ? letter"))
        found["message"].encode()


class PrefixedTests(SynchronousTestCase):
    """Lines with a priority."""

    def test_levels(self) -> None:
        """Each level has the priority of syslog."""
        found = [prefixed(event(level=level)) for level in LogLevel.iterconstants()]
        marks = ["<7>", "<6>", "<4>", "<3>", "<2>"]
        self.assertEqual(found, [f"{mark}[mqtt] hello\n" for mark in marks])

    def test_several_lines(self) -> None:
        """Each line has it; nothing from outside begins one."""
        text = prefixed(event("{why}", why="a\n<2>[app] forged\x1b[2J"))
        self.assertEqual(text, "<6>[mqtt] a\n<6>\t<2>[app] forged?[2J\n")


@define
class FakeSocket:
    """Takes datagrams, or does not."""

    trouble: list[int] = field(factory=list)
    taken: list[bytes] = field(factory=list)
    longest: int = 1 << 30

    def sendto(self, data: bytes, path: str) -> int:
        """See L{socket.socket.sendto}."""
        if self.trouble:
            code = self.trouble.pop(0)
            raise OSError(code, os.strerror(code))
        if len(data) > self.longest:
            raise OSError(errno.EMSGSIZE, "too long")
        self.taken.append(data)
        return len(data)


class JournalTests(SynchronousTestCase):
    """What the journal of systemd gets."""

    def setUp(self) -> None:
        self.file, self.socket = StringIO(), FakeSocket()
        opener: Any = lambda: self.socket  # noqa: E731 - it stands for a socket
        self.journal = JournalObserver(self.file, opener=opener)

    def test_fields(self) -> None:
        """Message, priority, identifier, part, and who it is about."""
        self.journal(event("{who} connected from {peer}", who=DUSTY_ITSELF, peer="192.168.1.5"))
        lines = self.socket.taken[0].decode().splitlines()
        self.assertEqual(
            lines,
            [
                f"MESSAGE=robot {DUSTY.did} connected from 192.168.1.5",
                "PRIORITY=6",
                "SYSLOG_IDENTIFIER=bumper",
                "BUMPER_PART=mqtt",
                f"ROBOT={DUSTY.did}",
                "PEER=192.168.1.5",
            ],
        )

    def test_whose(self) -> None:
        """Robots are named in several ways, users are none, and neither is who is not said."""
        for text, fields, robot in (
            ("{did} is stuck", {"did": DUSTY.did}, DUSTY.did),
            ("{device}", {"device": DUSTY}, DUSTY.did),
            ("{who}", {"who": ALICE}, ""),
            ("{address} floods", {"address": "E0003@126.ecorobot.net/atom"}, "E0003"),
            ("{address} floods", {"address": "alice@ecouser.net/x"}, ""),
            ("DNS at {address}", {"address": "192.168.1.2"}, ""),
            ("nobody", {"did": DUSTY.did}, ""),
        ):
            found = journal_fields(event(text, **fields))
            self.assertEqual(found.get("ROBOT", ""), robot, (text, fields))

    def test_several_lines(self) -> None:
        """A value of several lines has its length in front, so that it cannot make fields."""
        self.journal(event("{why}", why="a\nPRIORITY=0"))
        head = b"MESSAGE\n" + (12).to_bytes(8, "little") + b"a\nPRIORITY=0\n"
        self.assertTrue(self.socket.taken[0].startswith(head), self.socket.taken)

    def test_traceback(self) -> None:
        """It is part of the message."""
        self.journal(event("oh", LogLevel.critical, log_failure=failed()))
        self.assertIn(b"ValueError: it broke", self.socket.taken[0])
        self.assertIn(b"PRIORITY=2", self.socket.taken[0])

    def test_nobody(self) -> None:
        """Without a journal the lines go to the file, with their priority."""
        self.socket.trouble = [errno.ENOENT, errno.ECONNREFUSED]
        self.journal(event("one"))
        self.journal(event("two", LogLevel.error))
        self.journal(event("three"))
        self.assertEqual(self.file.getvalue(), "<6>[mqtt] one\n<3>[mqtt] two\n")
        self.assertEqual(len(self.socket.taken), 1)

    def test_full(self) -> None:
        """A journal that has no room costs lines; one line says how many, once there is room."""
        self.socket.trouble = [errno.EAGAIN, errno.ENOBUFS, errno.ENOBUFS]
        self.journal(event("one"))
        self.journal(event("two"))
        self.assertEqual(self.journal.dropped, 2)
        self.journal(event("three"))
        self.assertEqual(self.journal.dropped, 0)
        first, second = self.socket.taken
        self.assertIn(b"2 lines of the log are missing", first)
        self.assertIn(b"MESSAGE=three", second)
        self.assertEqual(self.file.getvalue(), "")

    def test_full_for_long(self) -> None:
        """All that is lost is counted, and what says so is not."""
        self.socket.trouble = [errno.EAGAIN] * 19
        for _ in range(10):
            self.journal(event())
        self.assertEqual(self.journal.dropped, 10)

    def test_too_long(self) -> None:
        """What does not fit into a datagram is shortened."""
        self.socket.longest = 3000
        self.journal(event("{why}", why="x" * 20_000))
        self.assertIn(b"MESSAGE=xxx", self.socket.taken[0])
        self.assertIn(b"PRIORITY=6", self.socket.taken[0])

    @given(st.dictionaries(st.from_regex(r"[A-Z]{1,9}", fullmatch=True), st.text()))
    def test_datagram(self, fields: dict[str, str]) -> None:
        """Whatever the values are, the same fields come out on the other side."""
        whole = dict.fromkeys(range(0xD800, 0xE000), "?")
        plain = {name: value.translate(whole) for name, value in fields.items()}
        self.assertEqual(parsed(datagram(plain)), plain)


def parsed(data: bytes) -> dict[str, str]:
    """The fields of a datagram, as the journal reads them."""
    found: dict[str, str] = {}
    while data:
        line, _, rest = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if equals:
            data = rest
        else:
            size = int.from_bytes(rest[:8], "little")
            value, data = rest[8 : 8 + size], rest[9 + size :]
        found[name.decode()] = value.decode()
    return found


class ObserverTests(SynchronousTestCase):
    """Which format goes where."""

    def setUp(self) -> None:
        self.name = self.mktemp()
        self.threshold = Threshold(LogSettings(level="info"))

    def written(self, form: str) -> str:
        """What one event leaves in a file."""
        made = observer(self.threshold, {"logfile": self.name}, form)
        assert made is not None
        Logger("bumper_tw.web.site", observer=made).info("hello {name}", name="you")
        with open(self.name, encoding="utf-8") as file:
            return file.read()

    def test_json(self) -> None:
        """JSON goes to the file."""
        self.assertEqual(json.loads(self.written("json"))["message"], "hello you")

    def test_file_wins(self) -> None:
        """Whoever names a file gets text there, and not in the journal."""
        self.assertIn("[bumper_tw.web.site#info] hello you", self.written("journald"))

    def test_path(self) -> None:
        """It is known which file has the log, if one has."""
        self.assertIsNone(log_path({"nodaemon": True}))
        self.assertIsNone(log_path({"syslog": True, "logfile": "x"}))
        self.assertIsNone(log_path({}, "journald"))
        for options, form in (({}, "text"), ({"logfile": "a.log"}, "journald")):
            path = log_path(options, form)
            assert path is not None
            self.assertTrue(path.is_absolute())
