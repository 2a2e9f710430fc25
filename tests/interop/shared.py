"""
Servers that the tests of a process have one after the other: to start one takes longer than most
of what is asked of it.

Who has such a server asks for nothing by a name that another test has had: L{Shared.number} is
for these names.  What a test leaves there otherwise, it has a server of its own for.
"""

import atexit
import os
import sys
from functools import cache
from itertools import count
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from tests.interop.case import add_account
from tests.interop.server import Server

#: Somebody who has an account at each of these.
ACCOUNT, PASSWORD = "dash", "correct horse"

#: How the words begin that are left of a bad end, where nobody looks at the status of a process.
BADLY = "a shared server ended badly"


class Shared:
    """
    A server that stays until the process with the tests ends, and has to end well then.

    @ivar server: with an account for L{ACCOUNT}.
    """

    def __init__(self, *options: str) -> None:
        # Sockets have short paths, and what trial calls its folder is gone with its tests.
        self._folder, self._numbers = Path(mkdtemp(prefix="bumper")), count(2)
        atexit.register(rmtree, self._folder)
        self.server = Server(self._folder, *options)
        atexit.register(self._end)
        self.server.ports()
        add_account(self.server, ACCOUNT, PASSWORD)

    def number(self) -> int:
        """Another one for each test; 1 is left to those who start what counts by itself."""
        return next(self._numbers)

    def check(self) -> None:
        """
        For the end of each test.

        @raise AssertionError: it is gone, or something has gone wrong in it.
        """
        assert self.server.child.running, self.server.child.story()
        assert self._quiet(), self.server.child.story()

    def _quiet(self) -> bool:
        child = self.server.child
        return "Traceback" not in "\n".join([*child.out, *child.err])

    def _end(self) -> None:
        if self._ended_well():
            return
        sys.stderr.write(f"{BADLY}:\n{self.server.child.story()}\n")
        sys.stderr.flush()
        sys.stdout.flush()
        rmtree(self._folder)
        # Nothing else makes those fail who wait for this process.
        os._exit(1)

    def _ended_well(self) -> bool:
        try:
            return self.server.stop() == 0 and self._quiet()
        except AssertionError:
            # It took too long.
            return False


@cache
def shared(*options: str) -> Shared:
    """The server with some options; it is started for the first test that wants it."""
    return Shared(*options)
