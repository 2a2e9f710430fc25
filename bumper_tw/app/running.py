"""Whether a server runs with the same data, for commands that cannot work beside one."""

import fcntl
import os

from bumper_tw.app.control import control_path, is_served
from bumper_tw.app.settings import Settings
from bumper_tw.errors import BadRequest
from bumper_tw.storage.migrations import DATABASE

#: Where SQLite locks a database that is open, and how many bytes of it (its "shared" lock).
SHARED_AT, SHARED_BYTES = 0x40000002, 510


def must_not_run(settings: Settings, what: str) -> None:
    """
    A server that runs would go on with what it has in memory, and write it.

    @param what: what its owner wants to do, such as C{"restore"}.
    @raise BadRequest: there is one.
    """
    if is_running(settings):
        raise BadRequest(
            f"a server is running with the data folder {settings.storage.directory.absolute()}; "
            f'stop it first, for example with "systemctl stop bumper", then {what}'
        )


def is_running(settings: Settings) -> bool:
    """Whether somebody takes questions there, or has the database open without doing so."""
    return is_served(control_path(settings)) or _in_use(settings)


def _in_use(settings: Settings) -> bool:
    try:
        handle = os.open(settings.storage.directory / DATABASE, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, SHARED_BYTES, SHARED_AT)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False
