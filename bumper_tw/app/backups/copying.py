"""What is in a copy of the database."""

from pathlib import Path

from attrs import frozen

from bumper_tw.app.cli_parts import counted
from bumper_tw.errors import BumperError, StorageError
from bumper_tw.storage import snapshots
from bumper_tw.storage.migrations import OURS, known


@frozen
class Figures:
    """
    What is in a database.

    @ivar schema: the version of its tables.
    """

    schema: int
    robots: int
    users: int

    def told(self) -> str:
        """For people."""
        return f"{counted(self.robots, 'robot')} and {counted(self.users, 'account')}"


def examined(path: Path, shown: str) -> Figures:
    """
    Look through a copy that nobody else uses.

    @param shown: what it is called for people.
    @raise BumperError: it is damaged, of another program, or newer than this one.
    """
    try:
        schema = _checked(snapshots.state(path, settled=True), shown)
        found = snapshots.counts(path, ("devices", "users"), settled=True)
    except StorageError as error:
        raise StorageError(f"{shown} is damaged ({error.__cause__})") from error
    return Figures(schema, found["devices"], found["users"])


def _checked(state: snapshots.State, shown: str) -> int:
    newest = known()[-1].version
    if state.owner != OURS:
        raise BumperError(f"{shown} is not a database of this program")
    if not 0 < state.schema <= newest:
        raise BumperError(
            f"{shown} was written by a newer bumper_tw (version {state.schema}, this one knows "
            f"{newest}); install that one first"
        )
    if state.damage:
        raise BumperError(f"{shown} is damaged ({state.damage})")
    return state.schema
