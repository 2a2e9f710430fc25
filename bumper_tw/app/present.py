"""Settings that hold at once when they change, and what takes them up."""

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from attrs import define, field

from bumper_tw.app.logs import Threshold
from bumper_tw.app.settings import Settings
from bumper_tw.core.commands import CommandCorrelator
from bumper_tw.core.robot_secrets import RobotSecrets
from bumper_tw.web.unknown import UnknownAnswers

Take = Callable[[Settings], object]

#: What is looked up each time that something too old is dropped.
LOOKED_UP = ("storage.history_days", "storage.history_reports", "storage.cleaning_logs")


class Facts(Protocol):
    """What takes something up in the middle of the server."""

    @property
    def commands(self) -> CommandCorrelator: ...
    @property
    def secrets(self) -> RobotSecrets: ...


@define(eq=False)
class Present:
    """
    The settings as they are now.

    @ivar takes: what takes up a setting, by its key.
    """

    settings: Settings
    takes: dict[str, Take] = field(factory=dict)

    def use(self, now: Settings) -> None:
        """From now on it is like that."""
        self.settings = now

    def follow(self, facts: Facts, unknown: Callable[..., Any]) -> None:
        """
        Know what takes them up.

        @param unknown: what answers paths that nobody knows.
        """
        self.takes |= {
            "identity.closed": partial(follow_closed, facts),
            "commands.timeout": partial(follow_timeout, facts),
            "web.unknown": partial(follow_unknown, unknown),
            **dict.fromkeys(LOOKED_UP, self.use),
        }

    def follow_log(self, threshold: Threshold) -> None:
        """The same of the log, whose levels a command of the owner changes, too."""
        self.takes |= dict.fromkeys(
            ("log.level", "log.levels"), lambda now: threshold.use(now.log)
        )


def follow_closed(facts: Facts, settings: Settings) -> None:
    """Let new robots in, or do not any more."""
    facts.secrets.closed = settings.identity.closed


def follow_timeout(facts: Facts, settings: Settings) -> None:
    """Be so patient with robots, from the next command on."""
    facts.commands.timeout = settings.commands.timeout


def follow_unknown(unknown: Callable[..., Any], settings: Settings) -> None:
    """What apps hear that ask for something that is not known here."""
    if isinstance(unknown, UnknownAnswers):
        unknown.harmless = settings.web.unknown == "harmless"
