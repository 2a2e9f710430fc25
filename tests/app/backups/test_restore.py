"""Tests for C{bumper restore}: all of it or nothing, and what was there stays."""

import os
import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random
from shutil import rmtree
from tempfile import mkdtemp

from twisted.trial.unittest import SkipTest

from bumper_tw.app.control import NAME
from bumper_tw.storage.migrations import DATABASE, known, migrate, version
from tests.app.backups.boxes import (
    JOURNAL,
    LEAVES,
    PICTURE,
    BoxCase,
    furnish,
    restorable,
    state,
    write,
)
from tests.storage.test_upgrade import old_database


class RestoreTests(BoxCase):
    """Restoring on another box."""

    def kept(self, where: str) -> dict[str, bytes]:
        """What was put aside in a folder, if only once."""
        (aside,) = (self.there / where).glob("before-restore-*")
        return {
            path.relative_to(aside).as_posix(): path.read_bytes()
            for path in aside.rglob("*")
            if path.is_file()
        }

    def test_empty_box(self) -> None:
        """A box with nothing has everything afterwards, settings and all."""
        self.backup()
        said = self.restore()
        for words in ("1 robot and 0 accounts", str(self.there / "certs"), "bumper.toml"):
            self.assertIn(words, said)
        found = restorable(self.here)
        self.assert_same_database(found)
        after = state(self.there)
        self.assertEqual(after, found | {f"data/{DATABASE}": after[f"data/{DATABASE}"]})
        modes = {path.name: path.stat().st_mode & 0o777 for path in self.there.rglob("*")}
        for name, mode in (
            (DATABASE, 0o600),
            ("ca.key", 0o600),
            ("ca.crt", 0o644),
            ("token.key", 0o600),
            ("bumper.toml", 0o640),
            ("data", 0o700),
            ("answers", 0o700),
        ):
            self.assertEqual(modes[name], mode, name)
        migrate(self.there / "data" / DATABASE)

    def assert_same_database(self, _: dict[str, bytes]) -> None:
        """The robots of the first box are on the second one."""
        self.assertEqual(self.robots(self.there), self.robots(self.here))

    def robots(self, box: Path) -> list[tuple[str]]:
        """Who is known there."""
        with closing(sqlite3.connect(box / "data" / DATABASE)) as connection:
            return connection.execute("SELECT did FROM devices").fetchall()

    def test_used_box(self) -> None:
        """What was there stays aside, with the log of its database; what is not ours stays."""
        self.backup()
        furnish(self.there, "sandy")
        for log in ("-wal", "-shm"):
            write(self.there / "data" / f"{DATABASE}{log}", f"log {log}")
        before = state(self.there)
        said = self.badly(self.there, "restore", str(self.file))
        self.assertIn("--force", said)
        self.assertIn("what was there is in", self.restore("--force"))
        self.assertEqual(self.robots(self.there), [("dusty",)])
        after = state(self.there)
        for name in restorable(self.here):
            if name.startswith(("certs/", "data/a", "data/f")):
                self.assertEqual(after[name], state(self.here)[name], name)
        self.assertNotIn(LEAVES, after)
        self.assertEqual(after[JOURNAL], b"of sandy")
        self.assertEqual(after["bumper.toml"], before["bumper.toml"])
        kept = self.kept("data")
        for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", PICTURE, "answers/own.json"):
            self.assertEqual(kept[name], before[f"data/{name}"], name)
        self.assertEqual(self.kept("certs")["ca.key"], before["certs/ca.key"])

    def test_twice(self) -> None:
        """Nothing that was put aside is ever written over, even within a second."""
        self.backup()
        furnish(self.there, "sandy")
        for _ in range(3):
            self.restore("--force")
        asides = sorted((self.there / "data").glob("before-restore-*"))
        self.assertEqual(len(asides), 3)
        with closing(sqlite3.connect(asides[0] / DATABASE)) as connection:
            self.assertEqual(
                connection.execute("SELECT did FROM devices").fetchall(), [("sandy",)]
            )

    def test_without_files(self) -> None:
        """What robots have left stays if the backup is not about it."""
        self.backup("--without-files")
        furnish(self.there, "sandy")
        self.restore("--force")
        self.assertEqual((self.there / "data" / PICTURE).read_text(), "picture of sandy")

    def test_config_too(self) -> None:
        """The settings, and what they name, are replaced only if that is wanted."""
        self.backup()
        furnish(self.there, "sandy")
        (self.there / "passwords").unlink()
        self.assertIn("not restored: bumper.toml", self.restore("--force"))
        self.assertEqual((self.there / "passwords").read_text(), "dusty:hash\n")
        self.restore("--force", "--config-too")
        self.assertIn("# dusty", (self.there / "bumper.toml").read_text())
        (aside,) = self.there.glob("before-restore-*")
        self.assertIn("# sandy", (aside / "bumper.toml").read_text())

    def test_other_folders(self) -> None:
        """Settings that lead elsewhere do not replace those that lead to what is there."""
        self.backup()
        furnish(self.there, "sandy")
        write(
            self.there / "bumper.toml", '[storage]\ndirectory = "data"\n[tls]\ndirectory = "c"\n'
        )
        said = self.badly(self.there, "restore", str(self.file), "--force", "--config-too")
        self.assertIn("--certs", said)
        given = ("--force", "--config-too", "--certs", str(self.there / "certs"))
        said = self.badly(self.there, "restore", str(self.file), *given)
        self.assertIn("your settings do not name", said)
        (self.there / "passwords").unlink()
        self.restore(*given)

    def test_no_settings(self) -> None:
        """Without any settings file the folders count that were typed."""
        self.backup()
        data, certs = self.there / "d", self.there / "c"
        places = ("--data", str(data), "--certs", str(certs))
        status, out, _ = self.typed("restore", str(self.file), *places)
        self.assertEqual(status, 0)
        self.assertIn("not restored: bumper.toml, for which", out)
        self.assertTrue((data / DATABASE).exists() and (certs / "ca.key").exists())
        status, _, err = self.typed("restore", str(self.file), "--config-too", *places)
        self.assertEqual(status, 1)
        self.assertIn("--config", err)

    def test_dry_run(self) -> None:
        """A trial says what would come, and does nothing."""
        self.backup()
        furnish(self.there, "sandy")
        before = state(self.folder)
        said = self.restore("--dry-run")
        self.assertIn(f"would replace {self.there / 'data' / DATABASE}", said)
        self.assertIn("nothing was changed", said)
        self.assertEqual(state(self.folder), before)

    def test_older(self) -> None:
        """A backup of any older version is restored, and the next start brings it up to date."""
        for schema in range(1, len(known()) + 1):
            (self.here / "data" / DATABASE).unlink()
            old_database(self.here / "data" / DATABASE, schema)
            self.backup("--force")
            self.assertIn("3 robots and 2 accounts", self.restore("--force"))
            place = self.there / "data" / DATABASE
            with closing(sqlite3.connect(place)) as connection:
                self.assertEqual(version(connection), schema)
            migrate(place)
            with closing(sqlite3.connect(place)) as connection:
                self.assertEqual(version(connection), len(known()))

    def test_way_back(self) -> None:
        """The copy that a migration leaves is restored alone; all else stays."""
        furnish(self.there, "sandy")
        place = self.there / "data" / DATABASE
        place.unlink()
        old_database(place, 1)
        migrate(place)
        before = state(self.there)
        copy = place.with_name(f"{DATABASE}.v1.bak")
        said = self.well(self.there, "restore", "--force", str(copy))
        self.assertIn("3 robots", said)
        self.assertNotIn("authority", said)
        after = state(self.there)
        self.assertEqual(after[f"data/{DATABASE}"], before[f"data/{copy.name}"])
        changed = {name for name in before if after.get(name) != before[name]}
        self.assertLessEqual(changed, {f"data/{DATABASE}{end}" for end in ("", "-wal", "-shm")})
        write(copy, before[f"data/{copy.name}"][:5000])
        self.assertIn("damaged", self.badly(self.there, "restore", "--force", str(copy)))

    def test_owner(self) -> None:
        """What root restores belongs to whoever has the folder."""
        if os.geteuid() != 0:
            raise SkipTest("only root can give files away")
        self.backup()
        for name in ("data", "certs"):
            (self.there / name).mkdir(parents=True)
            os.chown(self.there / name, 4711, 4712)
        self.restore()
        for name in ("data", "certs"):
            for path in (self.there / name).rglob("*"):
                self.assertEqual((path.stat().st_uid, path.stat().st_gid), (4711, 4712), path)

    def test_links(self) -> None:
        """Links that stand in the way are put aside, and never followed."""
        self.backup()
        furnish(self.there, "sandy")
        victim = self.folder / "victim"
        write(victim / "own.json", "precious")
        (self.there / "certs" / "ca.key").unlink()
        self.link(victim / "own.json", self.there / "certs" / "ca.key")
        self.link(victim, self.there / "data" / ".restore-new")
        (self.there / "data" / "answers").rename(self.folder / "old answers")
        self.link(victim, self.there / "data" / "answers")
        before = state(victim)
        self.restore("--force")
        self.assertEqual(state(victim), before)
        self.assertFalse((self.there / "data" / "answers").is_symlink())
        (aside,) = (self.there / "data").glob("before-restore-*")
        self.assertTrue((aside / "answers").is_symlink())


class RefusalTests(BoxCase):
    """What is not restored changes nothing."""

    def setUp(self) -> None:
        super().setUp()
        self.held = self.backup()
        furnish(self.there, "sandy")

    def test_running(self) -> None:
        """A server that runs there is not pulled away from under its robots."""
        # The path of a socket is short.
        near = Path(mkdtemp(prefix="bumper"))
        self.addCleanup(rmtree, near)
        furnish(near, "sandy")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(near / "data" / NAME))
            server.listen()
            status, _, err = self.on(near, "restore", str(self.file), "--force")
        self.assertEqual(status, 1)
        self.assertIn("a server is running", err)

    def test_open(self) -> None:
        """Nor is any other program that has the database open."""
        before = restorable(self.there)
        ready, go = os.pipe()
        done, end = os.pipe()
        child = os.fork()
        if not child:
            with closing(sqlite3.connect(self.there / "data" / DATABASE)) as connection:
                connection.execute("SELECT count(*) FROM devices").fetchall()
                os.write(go, b"x")
                os.close(end)
                os.read(done, 1)
            os._exit(0)
        os.close(done)
        os.read(ready, 1)
        status, _, err = self.on(self.there, "restore", str(self.file), "--force")
        os.close(end)
        os.waitpid(child, 0)
        self.assertEqual(status, 1)
        self.assertIn("a server is running", err)
        found = restorable(self.there)
        self.assertEqual({name: found[name] for name in before}, before)

    def test_damaged(self) -> None:
        """Whatever is damaged, cut or no backup at all."""
        random = Random(2)
        for _ in range(60):
            at = random.randrange(len(self.held))
            wrong = bytearray(self.held)
            wrong[at] ^= random.randrange(1, 256)
            for held in (bytes(wrong), self.held[:at]):
                self.file.write_bytes(held)
                self.badly(self.there, "restore", "--force", str(self.file))
        for held in (b"", b"x" * 5000, b"SQLite format 3\0" + bytes(9000)):
            self.file.write_bytes(held)
            self.badly(self.there, "restore", "--force", str(self.file))

    def test_not_there(self) -> None:
        """A file that is none."""
        self.file.unlink()
        self.assertIn("cannot be read", self.badly(self.there, "restore", str(self.file)))
        self.assertIn("not a file", self.badly(self.there, "restore", str(self.here)))
        self.assertEqual(self.on(self.there, "restore")[0], 2)

    def test_newer(self) -> None:
        """A database of a newer program, in a backup that is right otherwise."""
        path = self.here / "data" / DATABASE
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA user_version = 99")
        self.assertIn("newer", self.badly(self.here, "backup", str(self.file), "--force"))

    def test_keys(self) -> None:
        """Certificates and keys that do not belong together, or are none."""
        certs = self.here / "certs"
        key, theirs = (
            (certs / "ca.key").read_bytes(),
            (self.there / "certs" / "ca.key").read_bytes(),
        )
        for name, wrong, why in (
            ("ca.key", theirs, "do not belong together"),
            ("ca.key", b"rubbish", "readable private key"),
            ("ca.crt", (certs / "bumper.crt").read_bytes(), "together"),
            ("token.key", b"short", "too short"),
            ("config.key", key, "wrong kind"),
            ("bumper.key", b"x" * 300_000, "too large"),
        ):
            right = (certs / name).read_bytes()
            (certs / name).write_bytes(wrong)
            self.backup("--force")
            (certs / name).write_bytes(right)
            self.assertIn(why, self.badly(self.there, "restore", "--force", str(self.file)))

    def test_settings(self) -> None:
        """Settings that cannot be read are named as those in the backup."""
        write(self.here / "bumper.toml", "[storage]\nhistory_days = 0\n")
        options = ("--data", str(self.here / "data"), "--certs", str(self.here / "certs"))
        self.assertEqual(self.on(self.here, "backup", str(self.file), "--force", *options)[0], 1)
        write(self.here / "bumper.toml", "[storage]\nhistory_days = 1\n[front]\njournal = 10\n")
        self.backup_of_folders(*options)
        self.backup_then_break()

    def backup_of_folders(self, *options: str) -> None:
        """A backup with settings of its own."""
        self.well(self.here, "backup", str(self.file), "--force", *options)

    def backup_then_break(self) -> None:
        """A variable here contradicts what is in the backup."""
        self.patch(os, "environ", {**os.environ, "BUMPER_IDENTITY_ROBOTS_OF": "owners"})
        said = self.badly(self.there, "restore", "--force", "--config-too", str(self.file))
        self.assertIn("strict", said)

    def test_no_room(self) -> None:
        """An entry that cannot be moved puts everything back."""
        if os.geteuid() != 0:
            raise SkipTest("only root can make what root cannot move")
        certs = self.there / "certs"
        place = certs / "token.key"
        before = restorable(self.there)
        if os.system(f"chattr +i {place} 2>/dev/null"):
            raise SkipTest("this file system has no files that cannot be moved")
        try:
            status, _, err = self.on(self.there, "restore", "--force", str(self.file))
        finally:
            os.system(f"chattr -i {place}")
        self.assertEqual(status, 1)
        self.assertIn("nothing is restored", err)
        self.assertEqual(restorable(self.there), before)
        self.assertEqual([*self.there.rglob("before-restore-*")], [])
