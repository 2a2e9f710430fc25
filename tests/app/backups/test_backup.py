"""Tests for C{bumper backup}: what goes in, and where it goes."""

import os
import sqlite3
import sys
import tarfile
from contextlib import closing
from getpass import getpass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from bumper_tw.app import cli_backup, cli_parts
from bumper_tw.app.backups import archive
from bumper_tw.app.backups.copying import examined
from bumper_tw.app.backups.manifest import parsed
from bumper_tw.app.backups.output import new_file
from bumper_tw.app.backups.sources import Source
from bumper_tw.errors import BumperError, StorageError
from bumper_tw.pki.vault import FILES
from bumper_tw.storage import snapshots
from bumper_tw.storage.migrations import DATABASE, known, migrate
from tests.app.backups.boxes import PICTURE, BoxCase, furnish, write


class ContentTests(BoxCase):
    """What is in a backup."""

    def names(self) -> list[str]:
        """The files in it."""
        with tarfile.open(self.file) as found:
            return found.getnames()

    def test_all(self) -> None:
        """Everything that cannot be made again, and nothing else."""
        said = self.well(self.here, "backup", str(self.file))
        self.assertIn("1 robot and 0 accounts", said)
        self.assertIn("keep it to yourself", said)
        have = [name for name in FILES if (self.here / "certs" / name).exists()]
        self.assertIn("ca.key", have)
        self.assertEqual(
            sorted(self.names()),
            sorted([
                "manifest.json",
                "manifest.json.sha256",
                "config/bumper.toml",
                "config/mqtt.passwords",
                *(f"certs/{name}" for name in have),
                "data/answers/own.json",
                f"data/answers/{'deep' * 40}/{chr(0xE4) * 30}",
                "data/firmware/yna5xi/latest.json",
                f"data/{PICTURE}",
                f"data/{DATABASE}",
            ]),
        )  # fmt: skip
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o600)
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["here", "out.tar"])

    def test_manifest(self) -> None:
        """The list of contents comes first, and says what it is about."""
        self.backup()
        with tarfile.open(self.file) as found:
            stream = found.extractfile("manifest.json")
            assert stream is not None
            manifest = parsed(stream.read())
        self.assertEqual(self.names()[0], "manifest.json")
        self.assertEqual(manifest.schema, known()[-1].version)
        self.assertTrue(manifest.left)

    def test_without_files(self) -> None:
        """What robots have left may stay out."""
        self.backup("--without-files")
        self.assertNotIn(f"data/{PICTURE}", self.names())

    def test_database(self) -> None:
        """It is one file, with what is only in the log so far, while somebody is writing."""
        with closing(sqlite3.connect(self.here / "data" / DATABASE)) as writer:
            writer.execute("INSERT INTO homes VALUES (9, 'h', 'u', 'Attic', 0)")
            writer.commit()
            writer.execute("INSERT INTO homes VALUES (10, 'i', 'u', 'Cellar', 0)")
            self.backup()
        place = self.folder / "copy"
        with tarfile.open(self.file) as found:
            stream = found.extractfile(f"data/{DATABASE}")
            assert stream is not None
            write(place, stream.read())
        with closing(sqlite3.connect(f"{place.as_uri()}?mode=ro&immutable=1", uri=True)) as copy:
            self.assertEqual(copy.execute("SELECT name FROM homes").fetchall(), [("Attic",)])

    def test_links(self) -> None:
        """Links in the folders of the server are passed over, and named."""
        self.link(Path("/etc/passwd"), self.here / "data" / "answers" / "stolen")
        self.link(Path("/etc"), self.here / "data" / "firmware" / "all")
        key = self.here / "certs" / "bumper.key"
        key.rename(self.folder / "elsewhere.key")
        self.link(self.folder / "elsewhere.key", key)
        self.link(Path("/etc/passwd"), self.here / "data" / "agreements.json")
        (self.here / "data" / "files").rename(self.folder / "files")
        self.link(self.folder / "files", self.here / "data" / "files")
        said = self.well(self.here, "backup", str(self.file))
        for name in ("answers/stolen", "firmware/all", "bumper.key", "agreements.json", "files"):
            self.assertIn(f"{name}, which is no plain file", said)
            self.assertFalse([each for each in self.names() if each.endswith(name)], name)
        self.assertNotIn(f"data/{PICTURE}", self.names())

    def test_links_on_the_way(self) -> None:
        """Neither is a file read whose folder is a link, nor one that the settings name there."""
        text = '[storage]\ndirectory = "data"\n[tls]\ndirectory = "data/certs"\n'
        write(self.here / "bumper.toml", f'{text}[mqtt]\npasswords = "data/words"\n')
        (self.here / "certs").rename(self.here / "data" / "certs")
        self.link(Path("/etc/passwd"), self.here / "data" / "words")
        self.assertIn("data/words, which is", self.well(self.here, "backup", str(self.file)))
        self.assertNotIn("config/mqtt.passwords", self.names())
        (self.here / "data" / "certs").rename(self.folder / "elsewhere")
        self.link(self.folder / "elsewhere", self.here / "data" / "certs")
        said = self.badly(self.here, "backup", str(self.file), "--force")
        self.assertIn("certs is a link", said)

    def test_swapped_on_the_way(self) -> None:
        """A folder that becomes a link while we read is not followed either."""
        folder = self.folder / "files"
        write(folder / "one", "harmless")
        source = Source("data/answers/one", folder / "one")
        with archive.opened(source) as stream:
            self.assertEqual(stream.read(), b"harmless")
        folder.rename(self.folder / "victim")
        self.link(self.folder / "victim", folder)
        said = self.assertRaises(StorageError, archive.opened, source)
        self.assertIn("a link", str(said))

    def test_pipe(self) -> None:
        """Something odd in the place of a file does not keep us waiting."""
        os.mkfifo(self.here / "data" / "answers" / "pipe")
        (self.here / "passwords").unlink()
        os.mkfifo(self.here / "passwords")
        self.assertIn("is not a file", self.badly_quick())

    def badly_quick(self) -> str:
        """What is said of something that cannot be read to compare it."""
        status, _, err = self.on(self.here, "backup", str(self.file))
        self.assertEqual((status, self.file.exists()), (1, False))
        return err


class TargetTests(BoxCase):
    """Where a backup goes."""

    def test_there_already(self) -> None:
        """Nothing is written over without being asked for, not even a link."""
        self.file.write_text("precious")
        self.assertIn("--force", self.badly(self.here, "backup", str(self.file)))
        self.backup("--force")
        self.assertNotEqual(self.file.read_bytes(), b"precious")
        victim = self.folder / "victim"
        victim.write_text("precious")
        self.file.unlink()
        self.link(victim, self.file)
        self.assertIn("--force", self.badly(self.here, "backup", str(self.file)))
        self.backup("--force")
        self.assertEqual(victim.read_text(), "precious")
        self.assertFalse(self.file.is_symlink())

    def test_impossible(self) -> None:
        """A place that cannot be is one sentence."""
        for place in (self.folder, self.folder / "none" / "out.tar"):
            self.badly(self.here, "backup", str(place))

    def test_wrong_folder(self) -> None:
        """Whoever names the wrong folders is told, and gets no empty backup."""
        other = self.folder / "other"
        write(other / "bumper.toml", "")
        said = self.badly(other, "backup", str(self.file))
        self.assertIn("--data", said)
        migrate(other / "data" / DATABASE)
        self.assertIn("--certs", self.badly(other, "backup", str(self.file)))

    def test_damaged(self) -> None:
        """A database that is damaged already is not backed up as if it was none."""
        path = self.here / "data" / DATABASE
        held = bytearray(path.read_bytes())
        held[4096:] = b"\xa5" * len(held[4096:])
        path.write_bytes(held)
        self.assertIn("damaged", self.badly(self.here, "backup", str(self.file)))

    def test_standard_output(self) -> None:
        """It may be sent elsewhere at once; what is said goes to where errors go."""
        self.patch(sys, "stdout", TextIOWrapper(BytesIO()))
        out = sys.stdout.buffer
        options = ("-", "--config", str(self.here / "bumper.toml"))
        self.assertEqual(cli_backup.backup(options), 0)
        assert isinstance(out, BytesIO)
        with tarfile.open(fileobj=BytesIO(out.getvalue())) as found:
            self.assertIn(f"data/{DATABASE}", found.getnames())
        self.assertIn("1 robot", self.err.getvalue())
        self.assertEqual([*(self.here / "data").glob(".bumper*")], [])

    def test_disk_full(self) -> None:
        """A disk that is full is one sentence, and nothing is left there."""
        if not Path("/dev/full").exists():
            raise SkipTest("there is no disk that is always full")

        class Full:
            """As when the disk of the output has no room, however small."""

            buffer = open("/dev/full", "wb", buffering=0)  # noqa: SIM115

            def isatty(self) -> bool:
                return False

        self.addCleanup(Full.buffer.close)
        self.patch(sys, "stdout", Full())
        options = ("-", "--config", str(self.here / "bumper.toml"))
        self.assertEqual(cli_backup.backup(options), 1)
        self.assertIn("No space left", self.err.getvalue())
        self.assertEqual(self.err.getvalue().count("\n"), 1)

    def test_nothing_left(self) -> None:
        """A file that cannot be finished leaves nothing, and not its draft either."""

        def unlucky() -> None:
            with new_file(self.file, False) as stream:
                stream.write(b"half")
                raise OSError(28, "No space left on device")

        self.assertRaises(StorageError, unlucky)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["here"])


class PassphraseTests(BoxCase):
    """Where the passphrase comes from."""

    def setUp(self) -> None:
        super().setUp()
        self.word = self.folder / "word"
        self.word.write_text("correct horse\nbattery\n")

    def typing(self, *words: str) -> None:
        """Somebody sits there and types."""
        left = list(words)

        def ask(_: str) -> str:
            return left.pop(0)

        self.patch(cli_parts, "getpass", ask)
        self.patch(sys, "stdin", Terminal())

    def test_file(self) -> None:
        """The first line of a file, with or without its end."""
        held = self.backup("--passphrase-file", str(self.word))
        self.assertNotIn(b"ca.key", held)
        self.word.write_text("correct horse")
        self.assertIn("1 robot", self.restore("--passphrase-file", str(self.word)))

    def test_pipe(self) -> None:
        """A line from a pipe."""
        said = self.well(
            self.here, "backup", str(self.file), "--passphrase", answer="correct horse\n"
        )
        self.assertIn("keep that, too", said)
        self.assertIn("1 robot", self.restore("--passphrase-file", str(self.word)))

    def test_wrong(self) -> None:
        """Another passphrase, or none, is one sentence."""
        self.backup("--passphrase-file", str(self.word))
        self.there.mkdir()
        given = ("restore", str(self.file))
        said = self.badly(self.there, *given, "--passphrase", answer="battery\n")
        self.assertIn("not its passphrase", said)
        self.assertIn("--passphrase-file", self.badly(self.there, *given))
        said = self.badly(self.there, *given, "--passphrase-file", str(self.folder / "none"))
        self.assertIn("cannot be read", said)

    def test_empty(self) -> None:
        """An empty one protects nothing, and a whole file is none."""
        given = ("backup", str(self.file))
        self.assertIn("empty", self.badly(self.here, *given, "--passphrase", answer="\n"))
        self.assertIn("empty", self.badly(self.here, *given, "--passphrase", answer=""))
        # 1200 bytes in 600 letters.
        for text in ("x" * 2000, "\u00e4" * 600):
            self.word.write_text(text)
            said = self.badly(self.here, *given, "--passphrase-file", str(self.word))
            self.assertIn("longer", said)
            self.assertIn("longer", self.badly(self.here, *given, "--passphrase", answer=text))

    def test_typed(self) -> None:
        """On a terminal it is typed twice, and asked for without an echo."""
        self.assertIs(vars(cli_parts)["getpass"], getpass)
        options = (str(self.file), "--passphrase", "--config", str(self.here / "bumper.toml"))
        self.typing("correct horse", "correct hrose")
        self.assertEqual(cli_backup.backup(options), 1)
        self.assertIn("not the same", self.err.getvalue())
        self.typing("correct horse", "correct horse")
        self.assertEqual(cli_backup.backup(options), 0)
        self.there.mkdir()
        self.typing("correct horse")
        given = (str(self.file), "--config", str(self.there / "bumper.toml"))
        self.assertEqual(cli_backup.restore(given), 0)


class Terminal:
    """A standard input with somebody in front of it."""

    def isatty(self) -> bool:
        """It is one."""
        return True


class CopyTests(SynchronousTestCase):
    """Copies of databases."""

    def setUp(self) -> None:
        self.box = Path(self.mktemp()).absolute()
        self.path, self.copy = self.box / DATABASE, self.box / "copy"
        migrate(self.path)

    def test_held(self) -> None:
        """Who keeps the whole file for himself is not waited for without end."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as other:
            other.execute("PRAGMA journal_mode = DELETE")
            other.execute("BEGIN EXCLUSIVE")
            times: Any = iter(range(0, 1000, 10))
            said = self.assertRaises(
                StorageError, snapshots.copy, self.path, self.copy, lambda: next(times), 15
            )
        self.assertIn("in use by another program", str(said))

    def test_foreign(self) -> None:
        """What is not ours, too new, or without its tables is said to be so."""
        for change, why in (
            ("PRAGMA application_id = 1", "not a database of this program"),
            ("PRAGMA user_version = 99", "newer"),
            ("DROP TABLE devices", "damaged"),
        ):
            self.copy.unlink(missing_ok=True)
            snapshots.copy(self.path, self.copy)
            with closing(sqlite3.connect(self.copy)) as connection:
                connection.execute(change)
                connection.commit()
            error = self.assertRaises(BumperError, examined, self.copy, "it")
            self.assertIn(why, str(error))

    def test_not_replaced(self) -> None:
        """A copy does not go where there is something."""
        self.copy.write_text("precious")
        self.assertRaises(FileExistsError, snapshots.copy, self.path, self.copy)


class FurnishTests(SynchronousTestCase):
    """The box of these tests."""

    def test_differs(self) -> None:
        """Two boxes have nothing in common that a restore would have to change."""
        one, two = Path(self.mktemp()), Path(self.mktemp())
        furnish(one, "dusty")
        furnish(two, "sandy")
        same = {"bumper.toml", "latest.json", "x.part", "config.key"}
        for path in filter(Path.is_file, one.rglob("*")):
            other = two / path.relative_to(one)
            if path.name not in same:
                self.assertNotEqual(path.read_bytes(), other.read_bytes(), path)
