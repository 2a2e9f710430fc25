"""Where MQTT and our own nouns meet: messages become replies and reports, commands messages."""

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from bumper_tw.broker_interfaces import IMqttRouter
from bumper_tw.core.presence import RobotPresence
from bumper_tw.core.robot_reports import RobotReports
from bumper_tw.dialect import models, reports, topics
from bumper_tw.interfaces import ICommandCorrelator, IDeviceRegistry, IRobotLink, ITelemetry
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
        self._clock, self._router = clock, router
        self._registry, self._commands = registry, commands
        self._reports = RobotReports(clock, registry, telemetry)
        router.subscribe(topics.ALL_REPLIES, self._on_reply)
        router.subscribe(topics.REPORTS, self._on_report)

    def robot_connected(self, who: Principal) -> RobotPresence:
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
        self._reports.connected(device.id.did)
        detach = self._registry.attach(device, link)
        return RobotPresence(device.id, link.listening, detach, self._commands)

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
        self._reports.learn_kind(topic.device.did, topic.kind)
        self._report(topic.device, topic.name, message.payload, topic.kind)

    def _report(self, device: DeviceId, name: str, body: bytes, kind: PayloadKind) -> None:
        now = self._clock.seconds()
        try:
            readings = reports.decode(name, body, kind, now)
        except ValueError as why:
            self._log.debug("{did} sent a {name} that cannot be read: {why}",
                            did=device.did, name=name, why=why)  # fmt: skip
            return
        self._reports.record(device.did, readings)
