"""
Short topics: what plain robots and scripts say becomes what everybody else hears, and back.

Long and short names carry the same traffic.  What comes in short reaches nobody but us; it
goes out long, so that Home Assistant and the correlator hear it.  What comes in long goes
out short when somebody listens there.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.broker_interfaces import IMqttRouter
from bumper_tw.core.repeats import Repeats, again
from bumper_tw.dialect import plain, topics
from bumper_tw.dialect.envelopes import to_json
from bumper_tw.dialect.plain import PlainMessage, Shape
from bumper_tw.dialect.translation import is_json
from bumper_tw.errors import BadRequest, BumperError, CommandFailed, DeviceUnknown
from bumper_tw.interfaces import ICommandCorrelator, IDeviceRegistry
from bumper_tw.values import Command, DeviceId, Message, PayloadKind, Reply, RequestId

T = TypeVar("T")

#: Questions to all robots.
ALL_REQUESTS = "iot/p2p/+/+/+/+/+/+/+/q/+/+"

#: What a command without arguments has for a payload; in XML it is another (mqtt.md 8.3).
NO_ARGUMENTS = b"{}"

#: Who asks, in the owner's list of commands.
BY = "MQTT"

#: How many questions we remember whose answer may come in short.
REMEMBERED = 10_000

#: As many lines about one client within a minute, of those there are.
LINES = 10


class PlainGateway:
    """Translates between long and short names, both ways."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        router: IMqttRouter,
        registry: IDeviceRegistry,
        commands: ICommandCorrelator,
    ) -> None:
        self._router, self._registry, self._commands = router, registry, commands
        self._strange = Repeats(clock, share=LINES)
        self._answered: tuple[str, RequestId] | None = None
        self._asked: OrderedDict[tuple[str, str], topics.RequestTopic] = OrderedDict()
        incoming: dict[str, Callable[[PlainMessage], None]] = {
            plain.REPORTS: self._report,
            plain.REPLIES: self._answer,
            plain.COMMANDS: self._command,
        }
        for topic_filter, act in incoming.items():
            router.subscribe(topic_filter, self._reader(act))
        router.subscribe(ALL_REQUESTS, self._mirror_request)
        router.subscribe(topics.ALL_REPLIES, self._mirror_reply)
        router.subscribe(topics.REPORTS, self._mirror_report)

    def _reader(self, act: Callable[[PlainMessage], None]) -> Callable[[Message], None]:
        def read(message: Message) -> None:
            if message.origin is None:
                return  # our own mirror
            try:
                act(plain.decode(message.topic, message.payload))
            except (BadRequest, DeviceUnknown) as why:
                self._log_strange(str(message.origin), message.topic, why)

        return read

    def _log_strange(self, who: str, topic: str, why: BumperError) -> None:
        more = self._strange.say(f"{who} {topic[:80]}", who)
        if more is not None:
            self._log.info("{topic}: {why}{more}", topic=topic, why=why, more=again(more))

    def overhear(self, did: str, name: str, written: Callable[[], bytes]) -> None:
        """
        A robot that does not speak MQTT has reported something.

        @param written: gives the C{<ctl/>} element.
        """
        if self._router.wanted(f"{Shape.REPORT.value}/{did}"):
            xml = PayloadKind.XML
            self._say(PlainMessage(Shape.REPORT, did, name, RequestId(""), written(), xml))

    # Short to long

    def _report(self, said: PlainMessage) -> None:
        """A plain robot reports."""
        own = self._device(said.did)
        self._publish(f"iot/atr/{said.name}/{own}/{said.kind.value}", said)

    def _answer(self, said: PlainMessage) -> None:
        """A plain robot answers; it does not repeat who asked, so we remember that."""
        asked = self._asked.pop((said.did, said.request), None)
        if asked is None:
            self._log_unasked(said.did)
            return
        asker, own = "/".join(asked.sender), self._device(said.did)
        topic = f"iot/p2p/{asked.name}/{own}/{asker}/p/{asked.request}/{said.kind.value}"
        self._publish(topic, said)

    def _log_unasked(self, did: str) -> None:
        more = self._strange.say(f"unasked {did}", f"robot {did}")
        if more is not None:
            self._log.info("{did} answers what nobody asked{more}", did=did, more=again(more))

    def _command(self, said: PlainMessage) -> None:
        """A script asks; its answer goes out under the id it chose, also when it is a failure."""
        try:
            known = self._registry.device(said.did)
        except DeviceUnknown as why:
            self._say_failure(why, said)
            return
        body, kind = said.body, said.kind
        # What has a name in JSON is translated further down, with its arguments.
        if known.kind is PayloadKind.XML and body == NO_ARGUMENTS and not is_json(said.name):
            body, kind = b"<ctl/>", known.kind
        asked = self._commands.send(Command(known.id, said.name, body, kind), by=BY)
        asked.addCallback(self._replied, said).addErrback(self._failed, said)

    def _replied(self, reply: Reply, said: PlainMessage) -> None:
        kind = reply.command.kind
        self._answered = said.did, reply.request
        self._say(PlainMessage(Shape.REPLY, said.did, said.name, said.request, reply.body, kind))

    def _failed(self, failure: Failure, said: PlainMessage) -> None:
        failure.trap(CommandFailed, BadRequest)
        self._say_failure(failure.value, said)

    def _say_failure(self, why: BaseException | None, said: PlainMessage) -> None:
        body = to_json({"ret": "fail", "error": str(why)})
        self._say(PlainMessage(Shape.REPLY, said.did, said.name, said.request, body))

    def _device(self, did: str) -> DeviceId:
        return self._registry.device(did).id

    def _publish(self, topic: str, said: PlainMessage) -> None:
        self._router.publish(Message(topic, said.body))

    # Long to short

    def _mirror_request(self, message: Message) -> None:
        asked = self._parsed(Shape.COMMAND, 6, message, topics.RequestTopic.parse)
        if asked is not None:
            self._remember(asked)
            self._mirror(Shape.COMMAND, asked, asked.request, message)

    def _remember(self, asked: topics.RequestTopic) -> None:
        self._asked[asked.device.did, asked.request] = asked
        while len(self._asked) > REMEMBERED:
            self._asked.popitem(last=False)

    def _mirror_reply(self, message: Message) -> None:
        said = self._parsed(Shape.REPLY, 3, message, topics.ReplyTopic.parse)
        # The correlator hears an answer before us; a script that asked has it already, under
        # the id it chose.
        if said is not None and (said.device.did, said.request) != self._answered:
            self._mirror(Shape.REPLY, said, said.request, message)

    def _mirror_report(self, message: Message) -> None:
        said = self._parsed(Shape.REPORT, 3, message, topics.ReportTopic.parse)
        if said is not None:
            self._mirror(Shape.REPORT, said, RequestId(""), message)

    def _parsed(
        self, shape: Shape, level: int, message: Message, parse: Callable[[str], T]
    ) -> T | None:
        """A long topic, if anybody listens to the short one; C{level} is where the did is."""
        did = message.topic.split("/", level + 1)[level]
        if not self._router.wanted(f"{shape.value}/{did}"):
            return None
        try:
            return parse(message.topic)
        except ValueError:
            return None

    def _mirror(
        self,
        shape: Shape,
        topic: topics.RequestTopic | topics.ReplyTopic | topics.ReportTopic,
        request: RequestId,
        message: Message,
    ) -> None:
        did = topic.device.did
        self._say(PlainMessage(shape, did, topic.name, request, message.payload, topic.kind))

    def _say(self, said: PlainMessage) -> None:
        try:
            topic, body = plain.encode(said)
        except BadRequest as why:
            self._log.debug("{did} cannot be mirrored: {why}", did=said.did, why=why)
            return
        self._router.publish(Message(topic, body))
