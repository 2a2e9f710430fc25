"""One language for commands: robots that speak XML are asked what was said in JSON names."""

from collections.abc import Sequence
from typing import Any

from attrs import evolve, frozen
from twisted.internet.defer import Deferred, DeferredList, fail
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from zope.interface import implementer

from bumper_tw.dialect import translation
from bumper_tw.dialect.markup import Element
from bumper_tw.dialect.phrases import Phrase, Situation
from bumper_tw.dialect.translation import Bundle
from bumper_tw.errors import AnswerGarbled, BadRequest, CommandFailed
from bumper_tw.interfaces import ICommandCorrelator, IDeviceRegistry, ITelemetry
from bumper_tw.readings import FanSpeed, Report
from bumper_tw.values import Command, Company, Device, DeviceId, PayloadKind, Reply, RequestId

XML = PayloadKind.XML

#: What robots behind MQTT know without an envelope, although it begins with a small letter.
PLATFORM = {"getWKVer"}

#: A command without arguments, in XML.
EMPTY = b"<ctl/>"

#: What robots are set to that never said so.
USUAL = Situation().speed

#: How each of several questions has ended.
Outcomes = list[tuple[bool, Reply | Failure]]


@implementer(ICommandCorrelator)
class TranslatingCorrelator:
    """
    Asks robots of both generations in the same words.

    What has a name in JSON goes to an XML robot as one or more commands in XML, and its
    answers come back as the one that a JSON robot would have given.  Everything else passes.
    """

    def __init__(
        self,
        clock: IReactorTime,
        commands: ICommandCorrelator,
        registry: IDeviceRegistry,
        telemetry: ITelemetry,
    ) -> None:
        self._clock, self._commands = clock, commands
        self._registry, self._telemetry = registry, telemetry

    def send(
        self, command: Command, timeout: float | None = None, by: str = ""
    ) -> Deferred[Reply]:
        try:
            device = self._registry.device(command.device.did)
            if command.kind is not PayloadKind.JSON or device.kind is not PayloadKind.XML:
                return self._ask(command, timeout, by)
            if translation.is_json(command.name):
                return self._translated(command, device, timeout, by)
            if device.company is Company.XMPP:
                return self._unwrapped(command, timeout, by)
        except CommandFailed as why:
            return fail(why)
        except BadRequest as why:
            return fail(BadRequest(f"{command.device.did} speaks XML: {why}"))
        # A platform command: robots behind MQTT know them in JSON (mqtt.md 7.5).
        return self._commands.send(command, timeout, by)

    def _translated(
        self, command: Command, device: Device, timeout: float | None, by: str
    ) -> Deferred[Reply]:
        if command.name in PLATFORM and device.company is Company.MQTT:
            return self._commands.send(command, timeout, by)
        asked = translation.translate(command.name, command.body, self._situation(device))
        questions: list[Deferred[Any]] = [
            self._ask(evolve(command, name=q.name, body=q.body, kind=XML), timeout, by)
            for q in asked.questions
        ]
        return self._together(Conversation(command, asked), questions)

    def _together(
        self, conversation: "Conversation", questions: Sequence[Deferred[Any]]
    ) -> Deferred[Reply]:
        all_of_them: Deferred[Outcomes] = DeferredList(questions, consumeErrors=True)
        return all_of_them.addCallback(self._answer, conversation)

    def _answer(self, outcomes: Outcomes, conversation: "Conversation") -> Reply | Failure:
        device = self._registry.device(conversation.command.device.did)
        return conversation.reply(outcomes, self._clock.seconds(), device.firmware)

    def _ask(self, command: Command, timeout: float | None, by: str) -> Deferred[Reply]:
        asked = self._commands.send(command, timeout, by)
        if command.name in translation.SETTINGS and command.kind is XML:
            asked.addCallback(self._note)
        return asked

    def _note(self, reply: Reply) -> Reply:
        """What a robot was set to holds from now on; itself, it does not say so."""
        command = reply.command
        reading = translation.setting(command.name, command.body, reply.body)
        if reading is not None:
            report = Report(command.device.did, reading, self._clock.seconds())
            self._telemetry.record(report)
        return reply

    def _situation(self, device: Device) -> Situation:
        model, now, speed = device.id.model, self._clock.seconds(), self._speed(device.id.did)
        return Situation(model, now, speed, device.company)

    def _speed(self, did: str) -> str:
        """What suction a robot was last heard with: it takes each job as a new setting."""
        readings = [report.reading for report in self._telemetry.latest(did)]
        heard = (each.speed for each in readings if isinstance(each, FanSpeed))
        return next(heard, USUAL)

    def _unwrapped(self, command: Command, timeout: float | None, by: str) -> Deferred[Reply]:
        """A command with a name in XML and no arguments; its answer gets no envelope either."""
        if not translation.is_empty(command.body):
            raise BadRequest(f"the arguments of {command.name} have to be XML")
        asked = self._commands.send(evolve(command, body=EMPTY, kind=XML), timeout, by)
        return asked.addCallback(unwrapped, command)

    def replied(self, device: DeviceId, name: str, request: RequestId, body: bytes) -> None:
        self._commands.replied(device, name, request, body)

    def failed(self, device: DeviceId, name: str, request: RequestId, why: CommandFailed) -> None:
        self._commands.failed(device, name, request, why)

    def detached(self, device: DeviceId) -> None:
        self._commands.detached(device)


@frozen
class Conversation:
    """One command in JSON, and what an XML robot is asked instead."""

    command: Command
    asked: Phrase | Bundle

    def reply(self, outcomes: Outcomes, now: float, firmware: str) -> Reply | Failure:
        """
        The robot's answers as one.

        @return: the first failure, when too little was answered.
        @raise AnswerGarbled: it is not what was asked for.
        """
        said = [self._said(outcome) for _, outcome in outcomes]
        if not translation.is_answered(self.asked, said):
            return next(end for _, end in outcomes if isinstance(end, Failure))
        request = next(end.request for _, end in outcomes if isinstance(end, Reply))
        try:
            body = translation.answer(self.asked, said, now, firmware)
        except ValueError as wrong:
            raise garbled(self.command) from wrong
        return Reply(self.command, request, body)

    def _said(self, outcome: Reply | Failure) -> Element | None:
        return None if isinstance(outcome, Failure) else element(outcome, self.command)


def unwrapped(reply: Reply, command: Command) -> Reply:
    """
    An answer in XML to a command in JSON.

    @raise AnswerGarbled: it is none.
    """
    return Reply(command, reply.request, translation.platform_answer(element(reply, command)))


def element(reply: Reply, command: Command) -> Element:
    """
    What a robot said.

    @raise AnswerGarbled: it is no XML.
    """
    try:
        return translation.element(reply.body)
    except ValueError as wrong:
        raise garbled(command) from wrong


def garbled(command: Command) -> AnswerGarbled:
    """The failure of an answer that makes no sense."""
    return AnswerGarbled(f"{command.device.did} answered {command.name} with no sense")
