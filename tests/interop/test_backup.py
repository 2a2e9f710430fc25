"""A backup of a server that has much to do, and a box that begins anew with it."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from bumper_tw.storage.migrations import DATABASE
from tests.interop.case import InteropCase, add_account, ask, log_in
from tests.interop.children import until
from tests.interop.server import Server, environment, own_environment

ACCOUNT, PASSWORD = "dash", "correct horse"

#: Robots, and how much faster than real ones they work: there is always something to write.
ROBOTS, SPEED = 8, 60


class BackupTests(InteropCase):
    """C{bumper backup} beside a server, C{bumper restore} for the next one."""

    def command(self, *words: str, answer: str = "") -> "subprocess.CompletedProcess[str]":
        """What the owner types."""
        return subprocess.run(
            [sys.executable, "-b", "-m", "bumper_tw.app.cli", *words],
            input=answer,
            cwd=self.folder,
            env=own_environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def places(self, server: Server) -> tuple[str, ...]:
        """Where that server has everything."""
        return "--data", str(server.data), "--certs", str(server.certs)

    def reports(self, server: Server) -> int:
        """How many reports are on the disk."""
        with closing(sqlite3.connect(server.data / DATABASE)) as connection:
            (count,) = connection.execute("SELECT count(*) FROM history").fetchone()
        return int(count)

    def secrets(self, server: Server) -> dict[str, str]:
        """What robots are known by."""
        with closing(sqlite3.connect(server.data / DATABASE)) as connection:
            return dict(connection.execute("SELECT did, secret FROM robot_secrets").fetchall())

    def gone(self, server: Server) -> None:
        """It is not running any more."""
        if server.child.running:
            server.child.kill()
        server.child.finish()

    def test_move(self) -> None:
        """
        A backup under load, the server killed, a new box: its robots come back with the secrets
        they had, its authority is the same, and who had a password logs in with it.
        """
        old = Server(self.folder)
        self.addCleanup(self.gone, old)
        ports = old.ports()
        add_account(old, ACCOUNT, PASSWORD)
        self.robots(ports.mqtt_tls, json=ROBOTS, xml=2, speed=SPEED, tls=True)
        until(lambda: self.reports(old) > 50, "robots report")
        word = self.folder / "word"
        word.write_text("battery staple\n")
        sealed = ("--passphrase-file", str(word))
        for number in range(3):
            file = self.folder / f"{number}.tar"
            done = self.command("backup", str(file), *sealed, *self.places(old))
            self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        refused = self.command("restore", str(file), "--force", *sealed, *self.places(old))
        self.assertEqual(refused.returncode, 1)
        self.assertIn("a server is running", refused.stderr)
        before, authority = self.secrets(old), old.ca.read_bytes()
        self.assertEqual(len(before), ROBOTS + 2)
        self.gone(old)

        place = self.folder / "new box"
        place.mkdir()
        where = ("--data", str(place / "data"), "--certs", str(place / "certs"))
        done = self.command("restore", str(file), *sealed, *where)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        new = Server(place, "--set", "identity.closed=true", ports=ports.again())
        self.addCleanup(self.gone, new)
        new.ports()
        self.assertEqual(new.ca.read_bytes(), authority)
        self.assertEqual(self.secrets(new), before)
        had = self.reports(new)
        self.assertGreater(had, 50)
        until(lambda: self.online(ports.web) == ROBOTS + 2, "robots come back")
        until(lambda: self.reports(new) > had, "robots report again")
        self.assertEqual(self.secrets(new), before)
        self.assertEqual(new.stop(), 0, new.child.story())
        self.assertNotIn("Traceback", new.child.story())

    def online(self, port: int) -> int:
        """How many robots are there."""
        answer = ask(port, "GET", "/api/robots", token=log_in(port, ACCOUNT, PASSWORD))
        return sum(bool(robot["online"]) for robot in answer.json["robots"])

    def test_pipe(self) -> None:
        """It goes through a pipe, and other programs can read it."""
        server = self.serve()
        server.ports()
        packed = self.folder / "out.tar"
        with packed.open("wb") as target:
            done = subprocess.run(
                [sys.executable, "-m", "bumper_tw.app.cli", "backup", "-", *self.places(server)],
                env=own_environment(),
                stdout=target,
                stderr=subprocess.PIPE,
                check=False,
            )
        self.assertEqual(done.returncode, 0, done.stderr)
        listed = subprocess.run(
            ["tar", "tf", str(packed)],
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertEqual(listed.stdout.splitlines()[0], "manifest.json")
        self.assertIn("certs/ca.key", listed.stdout)

    def test_small_disk(self) -> None:
        """A disk without room is one sentence, and nothing is left on it."""
        server = self.serve()
        server.ports()
        disk = self.folder / "disk"
        disk.mkdir()
        for size in (64, 160, 240):
            if subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={size}k", "bumper", str(disk)],
                capture_output=True,
                check=False,
            ).returncode:
                self.skipTest("NOT TESTED: no disk can be mounted here")
            try:
                done = self.command("backup", str(disk / "out.tar"), *self.places(server))
                left = [path.name for path in disk.iterdir()]
            finally:
                subprocess.run(["umount", str(disk)], check=True)
            self.assertEqual((done.returncode, left), (1, []), done.stderr)
            self.assertIn("disk", done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_small_target(self) -> None:
        """The same where a backup is to be restored: everything there is as it was."""
        server = self.serve()
        server.ports()
        file = self.folder / "out.tar"
        self.assertEqual(self.command("backup", str(file), *self.places(server)).returncode, 0)
        disk = self.folder / "disk"
        disk.mkdir()
        mounted = ["mount", "-t", "tmpfs", "-o", "size=140k", "bumper", str(disk)]
        if subprocess.run(mounted, capture_output=True, check=False).returncode:
            self.skipTest("NOT TESTED: no disk can be mounted here")
        try:
            where = ("--data", str(disk), "--certs", str(Path(disk, "certs")))
            done = self.command("restore", str(file), *where)
            left = [path for path in disk.rglob("*") if path.is_file()]
        finally:
            subprocess.run(["umount", str(disk)], check=True)
        self.assertEqual((done.returncode, left), (1, []), done.stderr)
        self.assertIn("too little room", done.stderr)
