"""Asks XML robots for the jobs they remember: more than they report (http-devices.md 5.2)."""

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from bumper_tw.dialect import job_lists
from bumper_tw.errors import CommandFailed, DeviceUnknown
from bumper_tw.interfaces import ICommandCorrelator, IDeviceRegistry
from bumper_tw.values import CleaningLog, Company, PayloadKind, Reply


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
        if not self._keeps_list(did):
            return succeed([])
        question = job_lists.question(self._registry.device(did).id)
        return self._commands.send(question).addCallbacks(remembered, nothing)

    def _keeps_list(self, did: str) -> bool:
        try:
            device = self._registry.device(did)
        except DeviceUnknown:
            return False
        speaks = device.company is Company.MQTT and device.kind is PayloadKind.XML
        return speaks and self._registry.online(did)


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
