"""Tests for L{bumper_tw.app.running}: no command works on data that a server works on."""

import os
import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app import config
from bumper_tw.app.control import NAME
from bumper_tw.app.running import is_running, must_not_run
from bumper_tw.errors import BadRequest
from bumper_tw.storage.migrations import DATABASE, migrate


class RunningTests(SynchronousTestCase):
    """Who is there."""

    def setUp(self) -> None:
        # The path of a socket is short.
        near = Path(mkdtemp(prefix="bumper"))
        self.addCleanup(rmtree, near)
        self.folder = near / "data"
        self.settings = config.load(None, {}, {"storage.directory": str(self.folder)})

    def test_nobody(self) -> None:
        """No folder, an empty one, and a database that nobody has open."""
        self.assertFalse(is_running(self.settings))
        migrate(self.folder / DATABASE)
        must_not_run(self.settings, "import")
        self.assertFalse(is_running(self.settings))

    def test_asked(self) -> None:
        """Somebody takes questions; a socket that is left over is nobody."""
        self.folder.mkdir()
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(self.folder / NAME))
            server.listen()
            self.assertTrue(is_running(self.settings))
        self.assertFalse(is_running(self.settings))

    def test_open(self) -> None:
        """Somebody has the database open, and takes no questions."""
        migrate(self.folder / DATABASE)
        ready, go = os.pipe()
        done, end = os.pipe()
        child = os.fork()
        if not child:
            os.close(end)
            with closing(sqlite3.connect(self.folder / DATABASE)) as connection:
                connection.execute("SELECT count(*) FROM devices").fetchall()
                os.write(go, b"x")
                os.read(done, 1)
            os._exit(0)
        os.read(ready, 1)
        error = self.assertRaises(BadRequest, must_not_run, self.settings, "import")
        os.close(end)
        os.waitpid(child, 0)
        for handle in (ready, go, done):
            os.close(handle)
        self.assertIn("then import", str(error))
        self.assertIn(str(self.folder), str(error))
