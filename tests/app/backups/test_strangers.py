"""Tests for a backup of somebody else, and for a server that somebody has taken over."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

from bumper_tw.app import cli_backup
from bumper_tw.app.backups import incoming, passphrases
from bumper_tw.app.backups.ways import inside
from bumper_tw.errors import StartError
from bumper_tw.storage.migrations import RESTORING
from tests.app.backups.boxes import BoxCase, furnish, restorable, state, write

REAL_OPEN = os.open

PLACES = '[storage]\ndirectory = "data"\n[tls]\ndirectory = "certs"\n'


class ForeignSettingsTests(BoxCase):
    """Settings in a backup do not say where on this box anything goes."""

    def foreign(self, more: str, places: str = PLACES) -> None:
        """A backup with other settings."""
        write(self.here / "bumper.toml", places + more)
        where = ("--data", str(self.here / "data"), "--certs", str(self.here / "certs"))
        self.well(self.here, "backup", str(self.file), "--force", *where)

    def refused(self, *words: str) -> str:
        """What is said of it on a box that has nothing yet."""
        self.there.mkdir(exist_ok=True)
        return self.badly(self.there, "restore", str(self.file), *words)

    def test_files(self) -> None:
        """A file goes beside the settings or into the data folder, and nowhere else."""
        elsewhere = self.folder / "cron.d" / "zz"
        write(elsewhere, "* * * * * root id\n")
        for key in ("[metrics]\ntoken_file", "[mqtt]\npasswords", "[mqtt]\naccess"):
            self.foreign(f'{key} = "{elsewhere}"\n')
            elsewhere.unlink()
            self.assertIn(f"at {elsewhere}, which is not beside", self.refused())
            self.assertIn("not beside", self.refused("--dry-run"))
            write(elsewhere, "* * * * * root id\n")
            self.assertIn(f"at {elsewhere}", self.refused("--config-too"))
        self.assertIn("not restored", self.restore_here())

    def restore_here(self) -> str:
        """The same, where there are settings, which count."""
        furnish(self.there, "sandy")
        return self.restore("--force")

    def test_folders(self) -> None:
        """Folders away from the settings have to be typed."""
        data, certs = self.folder / "etc" / "data", self.folder / "etc" / "certs"
        self.foreign("", f'[storage]\ndirectory = "{data}"\n[tls]\ndirectory = "{certs}"\n')
        said = self.refused()
        self.assertIn(f"--data {data} --certs {certs}", said)
        self.assertIn(f"say so: --certs {certs}", self.refused("--data", str(data)))
        self.restore("--data", str(data), "--certs", str(certs))
        self.assertTrue((certs / "ca.key").exists())

    def test_upwards(self) -> None:
        """Names that lead upwards lead away, too."""
        self.foreign("", '[storage]\ndirectory = "../x"\n[tls]\ndirectory = "certs"\n')
        self.assertIn("say so: --data", self.refused())

    def test_one_place(self) -> None:
        """Two files do not have one place: the first would be lost."""
        write(self.here / "data" / "agreements.json", "{}")
        self.foreign('[mqtt]\npasswords = "data/agreements.json"\n')
        self.assertIn("one place for two files", self.refused())

    def test_somebody_else_s(self) -> None:
        """Who may not change the settings is told how root does it, before anything is touched."""
        self.foreign('[mqtt]\npasswords = "passwords"\n')
        furnish(self.there, "sandy")
        (self.there / "passwords").unlink()
        self.patch(os, "access", lambda *_: False)
        said = self.badly(self.there, "restore", str(self.file), "--force", "--config-too")
        self.assertIn("--show config/bumper.toml > bumper.toml) && install -m 640 -g ", said)
        said = self.restore("--force")
        self.assertIn("not restored: mqtt.passwords, because only somebody else", said)


class LinkTests(BoxCase):
    """Links in the folders of the server lead nobody anywhere."""

    def setUp(self) -> None:
        super().setUp()
        self.backup()
        furnish(self.there, "sandy")
        inside_data = PLACES.replace('"certs"', '"data/certs"')
        write(self.there / "bumper.toml", inside_data)
        self.victim = self.folder / "profile.d"
        write(self.victim / "own", "precious")

    def test_folder(self) -> None:
        """The folder of certificates, in the data folder, has become one."""
        self.link(self.victim, self.there / "data" / "certs")
        said = self.badly(self.there, "restore", str(self.file), "--force")
        self.assertIn("data/certs is a link", said)

    def test_meanwhile(self) -> None:
        """A folder that becomes one is not gone through, nor are folders made behind it."""
        self.link(self.victim, self.there / "data" / "certs")
        for make in (False, True):
            for below in ("certs", "certs/new"):
                error = self.assertRaises(OSError, self.walk, below, make)
                self.assertIn("data/certs", str(error))
        self.assertEqual(sorted(each.name for each in self.victim.iterdir()), ["own"])

    def walk(self, below: str, make: bool) -> None:
        """Go there."""
        with inside(self.there / "data" / below, make):
            pass

    def test_plans(self) -> None:
        """A plan moves only what a restore moves, and only where these settings have something."""
        marker, folder = self.there / "data" / RESTORING, str(self.there / "data")
        write(self.there / "data" / "evil", "id\n")
        before = state(self.folder)
        for place, entry, draft in (
            (folder, "evil", "../../../profile.d/own"),
            (folder, "evil", "data/../../own"),
            (folder, "evil", "data/other"),
            (folder, "..", "data/.."),
            (folder, "a/b", "data/a/b"),
            (str(self.victim), "own", "data/own"),
            (f"{folder}/../../profile.d", "own", "data/own"),
        ):
            move = f'{{"folder": "{place}", "entry": "{entry}", "draft": "{draft}", "had": true}}'
            write(marker, f'{{"stamp": "1", "moves": [{move}]}}')
            self.badly(self.there, "restore", "--put-back")
            self.badly(self.there, "restore", str(self.file), "--force")
            marker.unlink()
        self.assertEqual(state(self.folder), before)


class Shell:
    """A standard input as a shell opens it."""

    def __init__(self, handle: int) -> None:
        self.buffer = os.fdopen(handle, "rb")

    def isatty(self) -> bool:
        """It is no terminal."""
        return False


class SentTests(BoxCase):
    """A backup that the shell opens, because we may not."""

    def setUp(self) -> None:
        super().setUp()
        self.backup()
        self.there.mkdir()

    @contextmanager
    def input(self, handle: int) -> Iterator[None]:
        """The standard input for a while."""
        shell = Shell(handle)
        self.patch(sys, "stdin", shell)
        yield
        shell.buffer.close()

    def sent(self, handle: int, *words: str) -> int:
        """Restore what comes there."""
        with self.input(handle):
            return cli_backup.restore(("-", "--config", str(self.there / "bumper.toml"), *words))

    def piped(self, held: bytes, *words: str) -> int:
        """Restore what comes through a pipe."""
        out, into = os.pipe()
        if not os.fork():
            os.close(out)
            os.write(into, held)
            os._exit(0)
        os.close(into)
        status = self.sent(out, *words)
        os.wait()
        return status

    def test_file(self) -> None:
        """A file is read as if it was named."""
        self.assertEqual(self.sent(os.open(self.file, os.O_RDONLY)), 0, self.err.getvalue())
        self.assertEqual(
            restorable(self.there)["certs/ca.key"], restorable(self.here)["certs/ca.key"]
        )

    def test_pipe(self) -> None:
        """A pipe is kept meanwhile, and no more of it than fits."""
        self.assertEqual(self.piped(self.file.read_bytes()), 0, self.err.getvalue())
        self.assertTrue((self.there / "certs" / "ca.key").exists())
        self.patch(incoming, "MOST", 5000)
        self.assertEqual(self.piped(bytes(5001), "--force"), 1)
        self.assertIn("too large", self.err.getvalue())

    def test_nothing(self) -> None:
        """Rubbish, nothing, and a database alone."""
        for held in (b"", b"x" * 3000, b"SQLite format 3\0" + bytes(2000)):
            self.assertEqual(self.piped(held), 1)
        self.assertIn("not sent, but named", self.err.getvalue())
        self.assertEqual([*self.there.iterdir()], [])

    def test_sealed(self) -> None:
        """The passphrase cannot come the same way."""
        word = self.folder / "word"
        word.write_text("correct horse\n")
        self.backup("--force", "--passphrase-file", str(word))
        handle = os.open(self.file, os.O_RDONLY)
        self.assertEqual(self.sent(handle, "--passphrase-file", str(word)), 0)
        self.patch(passphrases, "is_there_a_terminal", lambda _: False)
        handle = os.open(self.file, os.O_RDONLY)
        self.assertEqual(self.sent(handle, "--force"), 1)
        self.assertIn("it needs --passphrase-file", self.err.getvalue())


class ShownTests(BoxCase):
    """One file of a backup."""

    def setUp(self) -> None:
        super().setUp()
        self.backup()

    def shown(self, name: str) -> bytes:
        """What is written of it."""
        self.patch(sys, "stdout", TextIOWrapper(BytesIO()))
        self.status = cli_backup.restore((str(self.file), "--show", name))
        held = sys.stdout.buffer
        assert isinstance(held, BytesIO)
        return held.getvalue()

    def test_whole(self) -> None:
        """It is written as it is, from a sealed one, too."""
        for words in ((), ("--passphrase-file", str(self.folder / "word"))):
            (self.folder / "word").write_text("correct horse\n")
            self.backup("--force", *words)
            self.patch(sys, "stdin", StringIO("correct horse\n"))
            self.patch(passphrases, "is_there_a_terminal", lambda _: True)
            held = self.shown("config/bumper.toml")
            self.assertEqual(held, (self.here / "bumper.toml").read_bytes(), self.err.getvalue())
            self.assertEqual(self.status, 0)

    def test_damaged(self) -> None:
        """Nothing of a backup that is damaged anywhere, and of what is not in it."""
        self.assertEqual((self.shown("config/none"), self.status), (b"", 1))
        self.assertIn("no 'config/none' in it", self.err.getvalue())
        held = self.file.read_bytes()
        self.file.write_bytes(held[:-2000] + b"x" + held[-1999:])
        self.assertEqual((self.shown("config/bumper.toml"), self.status), (b"", 1))

    def test_open_to_others(self) -> None:
        """What has keys does not go where others may read it, if it can be helped."""
        target = self.folder / "shown"
        for owned, mode, status in ((True, 0o644, 0), (False, 0o600, 0), (False, 0o644, 1)):
            write(target, "", mode)
            if not owned:
                self.patch(os, "fchmod", self.not_ours)
            with target.open("w") as stream:
                self.patch(sys, "stdout", stream)
                self.assertEqual(
                    cli_backup.restore((str(self.file), "--show", "certs/ca.key")), status
                )
            self.assertEqual(target.stat().st_mode & 0o077 != 0, status == 1)
            self.assertEqual(target.read_bytes() == b"", status == 1)
        self.assertIn("umask 077", self.err.getvalue())

    def not_ours(self, *_: object) -> None:
        """As for a file that root's shell has opened."""
        raise PermissionError(1, "Operation not permitted")


class FarTests(BoxCase):
    """What only somebody else may open is one sentence, and says what to type."""

    def setUp(self) -> None:
        super().setUp()
        self.backup()
        self.patch(os, "open", self.opened)

    def opened(self, path: Any, flags: int, mode: int = 0o777, **at: int) -> int:
        """Everything may be opened but what a name in this folder ends in C{.tar}."""
        if ".tar" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return REAL_OPEN(path, flags, mode, **at)

    def test_files(self) -> None:
        """Files for reading and for writing."""
        new = self.folder / "new.tar"
        for words, hint in (
            (("restore", str(self.file)), f"bumper restore - < {self.file}"),
            (("backup", str(new)), f"(umask 077; bumper backup - > {new})"),
        ):
            self.assertIn(hint, self.badly(self.here, *words))

    def test_passphrase(self) -> None:
        """The file with the passphrase."""

        def forbidden(path: Path, *_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied", str(path))

        word = self.folder / "word"
        self.patch(Path, "open", forbidden)
        error = self.assertRaises(StartError, passphrases.first_line, word)
        self.assertIn(f"--passphrase < {word}", str(error))
