"""Asks XML robots for the jobs they remember: more than they report (http-devices.md 5.2)."""

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from bumper_tw.dialect import job_lists
from bumper_tw.errors import CommandFailed, DeviceUnknown
from bumper_tw.interfaces import ICommandCorrelator, IDeviceRegistry
from bumper_tw.values import CleaningLog, Company, PayloadKind, Reply

#: Seconds to wait for a robot of the first generation.  Some of them keep no list, and say
#: nothing to questions they do not know; what is stored can be shown without them.
PATIENCE = 3.0


class RobotLogs:
    """What robots know of their own past."""

    def __init__(self, registry: IDeviceRegistry, commands: ICommandCorrelator) -> None:
        self._registry, self._commands = registry, commands

    def ask(self, did: str) -> Deferred[list[CleaningLog]]:
        """
        The jobs that a robot remembers.

        @return: none of a robot that keeps no such list, is not there or does not answer;
            it never fails.  Cancelling it drops the question.
        """
        try:
            device = self._registry.device(did)
        except DeviceUnknown:
            return succeed([])
        if device.kind is not PayloadKind.XML or not self._registry.online(did):
            return succeed([])
        patience = PATIENCE if device.company is Company.XMPP else None
        question = job_lists.question(device.id)
        return self._commands.send(question, patience).addCallbacks(remembered, nothing)


def remembered(reply: Reply) -> list[CleaningLog]:
    """The jobs in an answer; a garbled one has none."""
    try:
        return job_lists.jobs(reply.command.device, reply.body)
    except ValueError:
        return []


def nothing(failure: Failure) -> list[CleaningLog]:
    """The robot has not answered; what we have stored is better than an error."""
    failure.trap(CommandFailed)
    return []
