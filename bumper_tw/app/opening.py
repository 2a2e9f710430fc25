"""Opening files that somebody else may have put there: what they are called is not enough."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

#: A link points to what only we may read, and a pipe has no end.
CAREFULLY = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def open_plain(path: Path) -> BinaryIO:
    """
    Open a plain file, which nobody knows by another name, to read it.

    @raise OSError: it is none, or cannot be opened.
    """
    handle = os.open(path, CAREFULLY)
    found = os.fstat(handle)
    if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
        return os.fdopen(handle, "rb")
    os.close(handle)
    raise OSError(0, "it is no plain file", str(path))
