"""Where MQTT and our own nouns meet: messages become replies and reports, commands messages."""

from collections import Counter
from collections.abc import Callable, Iterable

from attrs import evolve
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from bumper_tw.broker_interfaces import IMqttRouter
from bumper_tw.dialect import models, reports, topics
from bumper_tw.errors import DeviceUnknown
from bumper_tw.interfaces import (
    ICommandCorrelator,
    IDeviceRegistry,
    IRobotLink,
    IRobotPresence,
    ITelemetry,
)
from bumper_tw.readings import Firmware, Reading, Report
from bumper_tw.values import (
    Command,
    Company,
    Device,
    DeviceId,
    Message,
    PayloadKind,
    Principal,
    RequestId,
)

#: How many commands wait for a robot to subscribe, and for how many seconds: a robot that
#: subscribes much later must not start to clean because somebody wanted it to an hour ago.
EARLY, STALE = 64, 10.0


#: How often a robot may say something new about itself on one connection.
MOST_CHANGES = 10


@implementer(IRobotLink)
class MqttLink:
    """
    One robot behind the broker.

    A command that comes before the robot has subscribed waits for that: at QoS 0 it would
    be lost, and the robot is about to subscribe.
    """

    def __init__(self, router: IMqttRouter) -> None:
        self._router = router
        self._early: dict[RequestId, Message] | None = {}

    def deliver(self, command: Command, request: RequestId) -> None:
        message = Message(topics.request_topic(command, request), command.body)
        if self._early is None:
            self._router.publish(message)
        else:
            self._early[request] = message

    def withdraw(self, request: RequestId) -> None:
        if self._early is not None:
            self._early.pop(request, None)

    def listening(self) -> None:
        """The robot has subscribed."""
        early, self._early = self._early or {}, None
        for message in early.values():
            self._router.publish(message)


@implementer(IRobotPresence)
class MqttPresence:
    """A robot that is connected to the broker."""

    def __init__(
        self,
        device: DeviceId,
        link: MqttLink,
        detach: Callable[[], bool],
        commands: ICommandCorrelator,
    ) -> None:
        self._device, self._link, self._detach, self._commands = device, link, detach, commands

    def listening(self) -> None:
        self._link.listening()

    def gone(self) -> None:
        # A robot reconnects before its old connection is found dead; then the link was not
        # ours any more, and what the new one is asked must live on.
        if self._detach():
            self._commands.detached(self._device)


class MqttGateway:
    """
    Hears every reply and report, and attaches robots that connect.

    Only robots publish on these topics, each under its own address: the broker's rules see
    to that, so the address in a topic can be believed.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        router: IMqttRouter,
        registry: IDeviceRegistry,
        commands: ICommandCorrelator,
        telemetry: ITelemetry,
    ) -> None:
        self._clock, self._router, self._registry = clock, router, registry
        self._commands, self._telemetry = commands, telemetry
        self._changes: Counter[str] = Counter()
        router.subscribe(topics.ALL_REPLIES, self._on_reply)
        router.subscribe(topics.REPORTS, self._on_report)

    def robot_connected(self, who: Principal) -> MqttPresence:
        """Register a robot and make it reachable."""
        model = who.realm
        device = Device(
            who.device,
            name=who.label,
            company=Company.MQTT,
            kind=models.payload_kind(model),
            firmware=who.firmware,
            bound_at=self._clock.seconds(),
        )
        link = MqttLink(self._router)
        self._changes.pop(device.id.did, None)
        return MqttPresence(device.id, link, self._registry.attach(device, link), self._commands)

    def _on_reply(self, message: Message) -> None:
        try:
            topic = topics.ReplyTopic.parse(message.topic)
        except ValueError:
            return
        if topic.asker == topics.HELPER:
            self._commands.replied(topic.device, topic.name, topic.request, message.payload)
        self._report(topic.device, topic.name, message.payload, topic.kind)

    def _on_report(self, message: Message) -> None:
        try:
            topic = topics.ReportTopic.parse(message.topic)
        except ValueError:
            return
        self._learn_kind(topic.device.did, topic.kind)
        self._report(topic.device, topic.name, message.payload, topic.kind)

    def _known(self, did: str) -> Device | None:
        """A robot that was removed while connected still talks."""
        try:
            return self._registry.device(did)
        except DeviceUnknown:
            return None

    def _learn_kind(self, did: str, kind: PayloadKind) -> None:
        """What a robot really writes beats what its class suggests."""
        known = self._known(did)
        if known and kind is not known.kind and kind is not PayloadKind.BINARY:
            self._change(evolve(known, kind=kind))

    def _change(self, device: Device) -> bool:
        """
        Remember something new about a robot, unless it changes its mind all the time: each
        change is written to disk.
        """
        did = device.id.did
        self._changes[did] += 1
        if self._changes[did] > MOST_CHANGES:
            return False
        self._registry.update(device)
        return True

    def _report(self, device: DeviceId, name: str, body: bytes, kind: PayloadKind) -> None:
        now = self._clock.seconds()
        try:
            readings = reports.decode(name, body, kind, now)
        except ValueError as why:
            self._log.debug("{did} sent a {name} that cannot be read: {why}",
                            did=device.did, name=name, why=why)  # fmt: skip
            return
        self._record(device.did, readings, now)

    def _record(self, did: str, readings: Iterable[Reading], now: float) -> None:
        known = self._known(did)
        for reading in readings if known else ():
            if not isinstance(reading, Firmware) or self._is_news(did, reading.version):
                self._telemetry.record(Report(did, reading, now))

    def _is_news(self, did: str, version: str) -> bool:
        """Every message repeats the firmware version; only a new one is worth a report."""
        known = self._known(did)
        if known is None or known.firmware == version:
            return False
        changed = self._change(evolve(known, firmware=version))
        if changed:
            self._log.info("{did} runs firmware {version}", did=did, version=version)
        return changed
