"""Tests for L{bumper_tw.front.journal_file}: the journal on disk."""

import errno
import json
import os
from pathlib import Path
from typing import Any

from twisted.logger import capturedLogs, formatEvent
from twisted.python.logfile import LogFile

from bumper_tw.front import journal_file
from bumper_tw.front.contact import Speech
from bumper_tw.front.journal_file import KEPT, NAME, SIZE, JournalFile
from tests.front.chronicles import ChronicleCase


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
        for _ in range(40):
            self.end(self.come())
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
        for _ in range(30):
            self.end(self.come())
        self.clock.advance(1)
        self.assertEqual([line["number"] for line in self.lines()], list(range(21, 31)))

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
