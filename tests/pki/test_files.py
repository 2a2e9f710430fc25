"""The files of the certs directory."""

import os
import stat
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from bumper_tw.errors import StartError
from bumper_tw.pki import files


def mode(path: Path) -> int:
    """The permission bits of what is there."""
    return stat.S_IMODE(path.stat().st_mode)


class FileTests(SynchronousTestCase):
    """Whole or not at all, and private where it must be."""

    def setUp(self) -> None:
        self.directory = Path(self.mktemp())
        self.path = self.directory / "ca.key"

    def test_private(self) -> None:
        """A private file and the directory made for it are the owner's alone."""
        files.write(self.path, b"secret", files.PRIVATE)
        self.assertEqual(files.read(self.path), b"secret")
        self.assertEqual((mode(self.path), mode(self.directory)), (0o600, 0o700))

    def test_umask(self) -> None:
        """What is for everybody is that, however careful whoever types is."""
        self.addCleanup(os.umask, os.umask(0o077))
        for wanted in (files.PUBLIC, files.PRIVATE):
            files.write(self.path, b"x", wanted)
            self.assertEqual(mode(self.path), wanted)

    def test_existing_directory_keeps_its_mode(self) -> None:
        """A directory that its owner made stays as it is."""
        self.directory.mkdir()
        self.directory.chmod(0o750)
        files.write(self.path, b"secret", files.PRIVATE)
        self.assertEqual(mode(self.directory), 0o750)

    def test_replaces_and_leaves_nothing(self) -> None:
        """The new content takes the place of the old, whoever could read that one."""
        self.directory.mkdir()
        self.path.write_bytes(b"old")
        self.path.chmod(0o666)
        (self.directory / ".ca.key.new").write_bytes(b"left over by a crash")
        files.write(self.path, b"new", files.PRIVATE)
        self.assertEqual([entry.name for entry in self.directory.iterdir()], ["ca.key"])
        self.assertEqual((files.read(self.path), mode(self.path)), (b"new", 0o600))

    def test_missing(self) -> None:
        """What is not there is None, directory included."""
        self.assertIsNone(files.read(self.path))

    def test_too_big(self) -> None:
        """Nobody's disk image is read into memory."""
        self.directory.mkdir()
        self.path.write_bytes(b"x" * (files.MAX_BYTES + 1))
        error = self.assertRaises(StartError, files.read, self.path)
        self.assertIn(str(self.path), str(error))

    def test_unreadable(self) -> None:
        """A directory in the place of a file is named, with the reason."""
        self.path.mkdir(parents=True)
        error = self.assertRaises(StartError, files.read, self.path)
        self.assertEqual(str(error), f"{self.path} cannot be read: Is a directory.")

    def test_unwritable_leaves_nothing(self) -> None:
        """A failed write is named and leaves no draft."""
        self.path.mkdir(parents=True)
        error = self.assertRaises(StartError, files.write, self.path, b"x", files.PRIVATE)
        self.assertIn(f"{self.path} cannot be written", str(error))
        self.assertEqual([entry.name for entry in self.directory.iterdir()], ["ca.key"])

    def test_read_only_directory(self) -> None:
        """A directory we may not write to stops the start with its name."""
        if os.geteuid() == 0:
            raise SkipTest("root may write anywhere")
        self.directory.mkdir(mode=0o500)
        error = self.assertRaises(StartError, files.write, self.path, b"x", files.PRIVATE)
        self.assertIn(str(self.path), str(error))
