"""Whose files are: what root makes belongs to the user that the server runs as."""

import os
from collections.abc import Iterable
from pathlib import Path

from bumper_tw.app.root import give
from bumper_tw.errors import StartError


def hand_over(folder: Path, paths: Iterable[Path]) -> None:
    """Give what root has written to whoever the folder belongs to."""
    if os.getuid() == 0:
        owner = folder.stat()
        for path in paths:
            give(path, owner.st_uid, owner.st_gid)


def make_folder(folder: Path) -> None:
    """
    Make a folder that is missing, and those above it, each for the owner of the one above.

    @raise StartError: it cannot be made.
    """
    if folder.exists():
        return
    make_folder(folder.parent)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as why:
        raise StartError(f"{folder} cannot be made: {why.strerror}") from why
    hand_over(folder.parent, [folder])
