"""From where robots are connected right now."""

from collections.abc import Iterable
from typing import Protocol


class Connection(Protocol):
    """One connection that may be a robot's."""

    @property
    def host(self) -> str:
        """The address of the other side; empty for a local socket."""

    @property
    def robot(self) -> str:
        """The did of the robot that is logged in; empty when it is none."""


class Whereabouts:
    """
    Tells whether a robot is connected from some address.

    That is the only thing that tells a robot over HTTP from whoever knows its name: requests
    there say who they are from and prove nothing.
    """

    def __init__(self) -> None:
        self._crowds: list[Iterable[Connection]] = []

    def watch(self, crowd: Iterable[Connection]) -> None:
        """From now on those count as well."""
        self._crowds.append(crowd)

    def is_at(self, did: str, host: str) -> bool:
        """Whether a robot has a connection from that address now."""
        return bool(did) and any(
            each.host.removeprefix("::ffff:") == host and each.robot == did
            for crowd in self._crowds
            for each in crowd
        )
