"""
The database of another Bumper, written by what all of them write it with: TinyDB.

No Bumper itself is a package that can be installed: what has its name there is another program.
"""

import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect.bumper_db import read
from tests.interop.case import clients_wanted
from tests.interop.installs import environment, own

SAVED = Path(__file__).parents[1] / "data"

#: The first that the original was made with, and today's.
RELEASES = ("tinydb>=3.15,<4", "tinydb>=4.8,<5")

#: Puts documents into a new database, one after the other, and takes one away again.
WRITER = """
import json, sys
from tinydb import TinyDB, Query
tables = json.load(open(sys.argv[1]))
with TinyDB(sys.argv[2]) as database:
    for name, rows in tables.items():
        table = database.table(name)
        for row in rows.values():
            if isinstance(row, dict):
                table.insert(row)
    bots = database.table("bots")
    number = bots.insert({"did": "gone"})
    bots.remove(doc_ids=[number])
    bots.update({"nick": "Staubi"}, Query().did == sys.argv[3])
"""


class TinyTests(SynchronousTestCase):
    """What we read is what they write."""

    def test_releases(self) -> None:
        """All that our samples have is there, in each release."""
        clients_wanted()
        for number, release in enumerate(RELEASES):
            python = environment(f"tinydb-{number}", lambda: Path(sys.executable), release)
            for name in ("bumper_bm", "bumper_ed", "bumper_mv"):
                self.check(python, SAVED / name / "bumper.db")

    def check(self, python: Path, sample: Path) -> None:
        """Write a sample anew, and compare."""
        made, dusty = Path(self.mktemp()), read(sample.read_bytes()).robots[0].id.did
        argv = [str(python), "-c", WRITER, str(sample), str(made), dusty]
        subprocess.run(argv, check=True, env=own(), timeout=60)
        theirs, ours = read(made.read_bytes()), read(sample.read_bytes())
        self.assertEqual(theirs.robots[0].nick, "Staubi")
        self.assertEqual(theirs.robots[1:], ours.robots[1:])
        for name in ("generation", "version", "users", "tokens", "jobs"):
            self.assertEqual(getattr(theirs, name), getattr(ours, name))
