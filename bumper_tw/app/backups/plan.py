"""
What a restore moves, written down before it begins: so whatever ends it in between, what was
there before can be put back.

Every folder has its own draft, C{.restore-new}, with what is to come, and afterwards
C{before-restore-<time>} with what was there.  Both are in the folder itself, which may be a
file system of its own, or a place where we may not write beside it.
"""

import json
import os
from collections.abc import Collection, Iterable
from pathlib import Path

from attrs import Attribute, asdict, field, frozen
from attrs.validators import deep_iterable, instance_of, matches_re

from bumper_tw.app.backups.manifest import CERTS, CONFIG, DATA, ENTRIES
from bumper_tw.errors import StorageError

#: What is to come, in each folder.
DRAFT = ".restore-new"

#: Nobody writes a longer one.
LARGEST = 1 << 20

ONE_NAME = matches_re(r"(?!\.\.?\Z)[^/\x00]+")


@frozen
class Move:
    """
    One file or folder that is replaced.

    @ivar folder: where it is.
    @ivar entry: what it is called there.
    @ivar draft: what the new one is called in the draft; nothing if none comes.
    @ivar had: whether there was one.
    """

    folder: str = field(validator=matches_re(r"/[^\x00]*"))
    entry: str = field(validator=ONE_NAME)
    draft: str = field()
    had: bool = field(validator=instance_of(bool))

    @draft.validator
    def _is_of_our_form(self, _: "Attribute[str]", draft: object) -> None:
        ours = {f"{part}/{self.entry}" for part in (DATA, CERTS)}
        if draft not in {"", *ours, *(f"{CONFIG}/{name}" for name in ENTRIES[CONFIG])}:
            raise ValueError(f"no draft of ours is called {draft!r}")

    @property
    def place(self) -> Path:
        """Where it belongs."""
        return Path(self.folder, self.entry)

    @property
    def fresh(self) -> Path:
        """Where the new one waits."""
        return Path(self.folder, DRAFT, self.draft)


@frozen
class Plan:
    """
    Everything that is moved.

    @ivar stamp: when that was, for names.
    """

    stamp: str = field(validator=matches_re(r"[0-9-]{1,32}"))
    moves: tuple[Move, ...] = field(validator=deep_iterable(instance_of(Move), instance_of(tuple)))

    @property
    def aside_name(self) -> str:
        """The folder in each folder where everything goes that was there."""
        return f"before-restore-{self.stamp}"

    def aside(self, move: Move) -> Path:
        """Where one of these goes."""
        return Path(move.folder, self.aside_name, move.entry)

    def folders(self) -> list[Path]:
        """All folders where something is moved."""
        return [Path(folder) for folder in sorted({move.folder for move in self.moves})]

    def kept(self) -> list[Path]:
        """The folders with what was there."""
        return [
            Path(folder, self.aside_name)
            for folder in sorted({move.folder for move in self.moves if move.had})
        ]

    def text(self) -> bytes:
        """As it is written down."""
        return (json.dumps(asdict(self), indent=1) + "\n").encode()


def read(path: Path, folders: Collection[Path] | None) -> Plan | None:
    """
    What was written down.

    @param folders: those that it may be about; C{None} for any.
    @return: C{None} if nothing was.
    @raise StorageError: it cannot be read, is somebody else's, or is about another folder.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(
            f"{path} cannot be read ({error.strerror}); be the user who began that restore"
        ) from error
    with os.fdopen(handle, "rb") as stream:
        # Whoever may write there must not tell root what to move.
        if os.fstat(handle).st_uid != os.geteuid():
            raise StorageError(f"{path} is of another user, who has to finish what it is about")
        text = stream.read(LARGEST)
    plan = parsed(path, text)
    for folder in plan.folders():
        if folders is not None and folder not in folders:
            raise StorageError(
                f"{path} is about {folder}, which these settings do not name; name the settings "
                "of that restore with --config, or the folders with --data and --certs"
            )
    return plan


def parsed(path: Path, text: bytes) -> Plan:
    """@raise StorageError: this is none."""
    try:
        value = json.loads(text)
        return Plan(value["stamp"], tuple(Move(**each) for each in value["moves"]))
    except (ValueError, TypeError, KeyError, RecursionError) as wrong:
        raise StorageError(
            f"{path} cannot be understood; what was there before is in folders called "
            "before-restore-..., move it back by hand and remove that file"
        ) from wrong


def moved(folder: Path, entries: Iterable[tuple[str, str]]) -> list[Move]:
    """
    What has to be done for all of these.

    @param entries: what each is called there, and in the draft if something comes.
    @return: nothing about what neither is there nor comes.
    """
    return [
        Move(str(folder), entry, draft, had)
        for entry, draft in entries
        for had in [os.path.lexists(folder / entry)]
        if had or draft
    ]
