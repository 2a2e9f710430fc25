"""A broker whose disk outlives it, and can be slow or full."""

from collections.abc import Sequence

from attrs import define, field
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from bumper_tw.broker_interfaces import IMqttStore
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.mqtt_clients import ClientLimits
from bumper_tw.core.mqtt_retained import RetainedLimits
from bumper_tw.core.mqtt_router import BrokerLimits
from bumper_tw.core.mqtt_session import SessionLimits
from bumper_tw.errors import StorageError
from bumper_tw.kept import Change, Kept
from bumper_tw.storage.memory import MemoryDeviceStore, MemoryMqttStore
from bumper_tw.values import Message, Principal, Role
from tests.core.brokers import Party, make_broker
from tests.samples import DUSTY_DEVICE, RecordingLink

HUB = Principal(Role.SERVICE, "hub", resource="hub1")
LAMP = Principal(Role.SERVICE, "lamp", resource="lamp1")
LIMITS = BrokerLimits(
    SessionLimits(subscriptions=8, inflight=2, queued=3, backlog=4000, unreleased=3),
    ClientLimits(sessions=8, seconds=100.0, owed=8000),
    RetainedLimits(messages=200, seconds=1000.0),
)


@implementer(IMqttStore)
@define(eq=False)
class Disk:
    """
    A disk that can be slow, or full.

    @ivar writing: what waits while it is slow.
    """

    inner: MemoryMqttStore = field(factory=MemoryMqttStore)
    slow: bool = False
    full: bool = False
    writing: list[tuple[Sequence[Change], Deferred[None]]] = field(factory=list)

    def load(self) -> Deferred[Kept]:
        return self.inner.load()

    def apply(self, changes: Sequence[Change]) -> Deferred[None]:
        if self.full:
            return fail(StorageError("no space"))
        if not self.slow:
            return self.inner.apply(changes)
        done: Deferred[None] = Deferred()
        self.writing.append((changes, done))
        return done

    def catch_up(self) -> None:
        """What waits is written."""
        self.slow = False
        while self.writing:
            changes, done = self.writing.pop(0)
            self.inner.apply(changes).chainDeferred(done)


class KeepingCase(SynchronousTestCase):
    """A broker whose disk outlives it."""

    def setUp(self) -> None:
        self.clock, self.disk = Clock(), Disk()
        self.clock.advance(1_767_225_600)
        self.registry = DeviceRegistry(self.clock, MemoryDeviceStore())
        self.registry.attach(DUSTY_DEVICE, RecordingLink())
        self.broker = make_broker(self.clock, self.registry, LIMITS, self.disk)

    def restart(self) -> None:
        """The server is killed, and starts again."""
        self.clock.advance(1)
        self.broker = make_broker(self.clock, self.registry, LIMITS, self.disk)
        self.broker.restore(self.successResultOf(self.disk.load()))

    def hub(self, clean: bool = False, will: Message | None = None) -> Party:
        """The household's hub connects."""
        return Party(self.broker, HUB, "hub1", clean, will)

    def lamp(self, clean: bool = True, will: Message | None = None) -> Party:
        """A lamp connects."""
        return Party(self.broker, LAMP, "lamp1", clean, will)

    def dropped(self) -> int:
        """How many messages were given up."""
        return self.broker.counts["dropped for slow readers"]
