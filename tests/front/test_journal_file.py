"""Tests for L{bumper_tw.front.journal_file}: the journal on disk."""

import errno
import json
import os
from pathlib import Path
from typing import Any

from twisted.logger import capturedLogs, formatEvent
from twisted.python.logfile import LogFile

from bumper_tw.front import journal_file
from bumper_tw.front.contact import Contact, Speech
from bumper_tw.front.diagnosis import Diagnosis
from bumper_tw.front.journal import Entry
from bumper_tw.front.journal_file import AT_ONCE, KEPT, NAME, SIZE, JournalFile
from bumper_tw.front.thrift import BYTES, LOOKS, MINUTE
from tests.front.chronicles import ROBOT, ChronicleCase


class FullDisk(LogFile):
    """A file on a disk that takes half a line."""

    def write(self, data: str) -> None:
        super().write(data[:9])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class FileTests(ChronicleCase):
    """A journal with a file."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.file = JournalFile(self.clock, self.chronicle, self.folder)
        self.addCleanup(self.file.stop)

    def lines(self) -> list[dict[str, Any]]:
        """What is in the file."""
        text = (self.folder / NAME).read_text()
        return [json.loads(line) for line in text.split("\n") if line]

    def test_ended(self) -> None:
        """A line for each contact that ended, once, soon after; and for remarks."""
        contact = self.robot()
        self.clock.advance(5)
        self.assertFalse((self.folder / NAME).exists())
        self.end(contact)
        self.journal.note("names", False, "wrong", "do it")
        self.clock.advance(1)
        contact_line, remark = self.lines()
        self.assertEqual(contact_line, json.loads(json.dumps(self.chronicle.entry(contact))))
        self.assertEqual(remark["diagnosis"]["name"], "names")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_failed(self) -> None:
        """Who fails and ends in one moment is one line, with the end in it."""
        contact = self.come()
        contact.speaks(Speech.MQTT)
        contact.refused("no")
        self.end(contact)
        self.clock.advance(1)
        [line] = self.lines()
        self.assertEqual((line["lasts"], line["diagnosis"]["name"]), (False, "refused"))

    def test_secret(self) -> None:
        """Nobody else may read it."""
        self.end(self.come())
        self.clock.advance(1)
        self.assertEqual((self.folder / NAME).stat().st_mode & 0o777, 0o600)

    def test_stop(self) -> None:
        """What waits is written at the end, and nothing comes after."""
        self.end(self.come())
        self.file.stop()
        self.end(self.come())
        self.clock.advance(5)
        self.assertEqual(len(self.lines()), 1)

    def test_goes_on(self) -> None:
        """The next server writes behind what this one wrote."""
        self.end(self.come())
        self.file.stop()
        file = JournalFile(self.clock, self.chronicle, self.folder)
        self.end(self.come())
        file.stop()
        self.assertEqual([line["number"] for line in self.lines()], [1, 2])

    def test_rotated(self) -> None:
        """A few files of some size, whatever comes."""
        self.patch(journal_file, "SIZE", 3000)
        for number in range(40):
            self.end(self.come(f"192.168.7.{number}"))
            self.clock.advance(1)
        files = sorted(self.folder.iterdir())
        self.assertEqual(len(files), KEPT + 1)
        for file in files:
            self.assertLess(file.stat().st_size, 6000)
            self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.lines()[-1]["number"], 40)
        self.assertEqual(SIZE, 1_000_000)

    def test_flood(self) -> None:
        """Of a thousand things in a moment the last ones are written."""
        self.patch(journal_file, "WAITING", 10)
        for number in range(30):
            self.end(self.come(f"192.168.7.{number}"))
        self.clock.advance(1)
        self.assertEqual([line["number"] for line in self.lines()], list(range(21, 31)))
        self.clock.advance(MINUTE)
        self.assertIn("20 connections were not written down", self.lines()[-1]["story"])

    def test_repeated(self) -> None:
        """What one address does again within a minute is one line at its end, with a count."""
        for _ in range(3 * LOOKS):
            self.end(self.come())
            self.rejected(host=ROBOT)
        self.clock.advance(1)
        self.clock.advance(1)
        self.assertEqual([line["number"] for line in self.lines()], [1, 2])
        self.clock.advance(MINUTE)
        for line, number in zip(self.lines()[2:], (6 * LOOKS - 1, 6 * LOOKS), strict=True):
            self.assertEqual((line["number"], line["count"]), (number, 3 * LOOKS - 1))
            self.assertIn(f"the last of {3 * LOOKS - 1} more", line["story"])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.end(self.come())
        self.clock.advance(1)
        self.assertNotIn("count", self.lines()[-1])

    def test_few_looks(self) -> None:
        """Whoever does the same a hundred times costs a few looks, and hides nobody else."""
        looks: list[Contact] = []
        found = self.chronicle.diagnosis

        def counted(contact: Contact) -> Diagnosis:
            looks.append(contact)
            return found(contact)

        self.patch(self.chronicle, "diagnosis", counted)
        for _ in range(100):
            self.end(self.come())
        self.end(self.robot())
        self.drain()
        self.assertEqual(len(looks), LOOKS + 1)
        self.assertEqual([line["number"] for line in self.lines()], [1, 101])

    def test_robots_apart(self) -> None:
        """Robots behind one address are told apart."""
        for did in ("one", "two", "two"):
            contact = self.come()
            contact.let_in(f"robot {did}", did)
            self.end(contact)
        self.drain()
        self.assertEqual([line["robot"] for line in self.lines()], ["one", "two"])

    def test_end(self) -> None:
        """Who failed and stayed is written again when that is over, although it is the same."""
        contact = self.come()
        contact.refused("no")
        self.clock.advance(1)
        contact.refused("no")
        self.clock.advance(1)
        self.assertEqual([line["lasts"] for line in self.lines()], [True])
        self.end(contact)
        self.clock.advance(1)
        self.assertEqual([line["lasts"] for line in self.lines()], [True, False])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_budget(self) -> None:
        """A minute has so many bytes, wherever it comes from; then it says what is lost."""
        for number in range(400):
            self.end(self.come(f"192.168.{number % 250}.{number}"))
        self.drain()
        written = (self.folder / NAME).stat().st_size
        self.assertGreater(written, BYTES * 0.9)
        self.assertLessEqual(written, BYTES)
        fit = len(self.lines())
        self.end(self.come())
        self.drain()
        self.assertEqual((self.folder / NAME).stat().st_size, written)
        self.clock.advance(MINUTE)
        self.assertIn(f"{401 - fit} connections were not", self.lines()[-1]["story"])
        self.end(self.come())
        self.drain()
        self.assertEqual(self.lines()[-1]["number"], 401 + 1)

    def test_turns(self) -> None:
        """Others get their turn between some entries and some more."""
        turns: list[int] = []
        write = self.file._write

        def counted(entries: list[Entry]) -> None:
            turns.append(len(entries))
            write(entries)

        self.patch(self.file, "_write", counted)
        for number in range(AT_ONCE + 1):
            self.end(self.come(f"192.168.7.{number}"))
        self.clock.advance(1)
        self.assertEqual(turns, [AT_ONCE, 1])
        self.assertEqual(len(self.lines()), AT_ONCE + 1)

    def drain(self) -> None:
        """Until nothing waits."""
        self.clock.advance(1)
        for _ in range(100):
            self.clock.advance(0)

    def test_broken_disk(self) -> None:
        """The log says once that it cannot be written; it goes on when it can be again."""
        obstacle = self.folder / NAME
        obstacle.mkdir()
        with capturedLogs() as said:
            for _ in range(3):
                self.end(self.come())
                self.clock.advance(1)
        [line] = [str(formatEvent(event)) for event in said]
        self.assertIn(f"{NAME}: Is a directory; it goes on in memory", line)
        obstacle.rmdir()
        self.end(self.come())
        self.clock.advance(1)
        self.assertEqual([line["number"] for line in self.lines()], [4])

    def test_full_disk(self) -> None:
        """A full disk is a line in the log, and half a line spoils no other."""
        with capturedLogs() as said:
            self.patch(journal_file, "LogFile", FullDisk)
            for _ in range(3):
                self.end(self.come())
                self.clock.advance(1)
        self.assertEqual([event["why"] for event in said], ["No space left on device"])
        self.patch(journal_file, "LogFile", LogFile)
        self.end(self.come())
        self.clock.advance(1)
        *halves, last, _ = (self.folder / NAME).read_text().split("\n")
        self.assertEqual(json.loads(last)["number"], 4)
        self.assertTrue(all(len(half) < 10 for half in halves))
