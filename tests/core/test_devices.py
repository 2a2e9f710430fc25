"""Tests for L{bumper_tw.core.devices}."""

from attrs import evolve
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.errors import DeviceOffline, DeviceUnknown, LoginRefused
from bumper_tw.interfaces import IDeviceRegistry
from bumper_tw.storage.memory import MemoryDeviceStore
from bumper_tw.values import Device, DeviceId
from tests.samples import DUSTY, DUSTY_DEVICE, RUSTY, RUSTY_DEVICE, RecordingLink


class RegistryTests(SynchronousTestCase):
    """L{DeviceRegistry} knows who exists and who can be reached."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000)
        self.store = MemoryDeviceStore()
        self.registry = DeviceRegistry(self.clock, self.store)
        self.heard: list[tuple[str, bool]] = []
        self.registry.watch(lambda device, online: self.heard.append((device.id.did, online)))

    def stored(self) -> list[Device]:
        """What the store has."""
        return self.successResultOf(self.store.load())

    def test_interface(self) -> None:
        """It is what everybody expects."""
        self.assertTrue(verifyObject(IDeviceRegistry, self.registry))

    def test_unknown(self) -> None:
        """Nobody has seen it: neither a device nor a link."""
        self.assertRaises(DeviceUnknown, self.registry.device, "nobody")
        self.assertRaises(DeviceUnknown, self.registry.link, "nobody")

    def test_first_contact(self) -> None:
        """A robot that connects is registered, stored, listed and reachable."""
        link = RecordingLink()
        self.registry.attach(DUSTY_DEVICE, link)
        expected = evolve(DUSTY_DEVICE, bound_at=1000)
        self.assertEqual(self.registry.devices(), [expected])
        self.assertEqual(self.stored(), [expected])
        self.assertIs(self.registry.link(DUSTY.did), link)
        self.assertEqual(self.heard, [(DUSTY.did, True)])

    def test_unknown_class(self) -> None:
        """A class that no catalogue knows is no reason to leave a robot out."""
        strange = Device(DeviceId("d1", "zzzzzz", "r"))
        self.registry.attach(strange, RecordingLink())
        self.assertEqual([device.id for device in self.registry.devices()], [strange.id])

    def test_gone(self) -> None:
        """A robot that has gone is still known, and offline."""
        detach = self.registry.attach(DUSTY_DEVICE, RecordingLink())
        self.assertTrue(detach())
        self.assertRaises(DeviceOffline, self.registry.link, DUSTY.did)
        self.assertFalse(self.registry.online(DUSTY.did))
        self.assertEqual(self.heard, [(DUSTY.did, True), (DUSTY.did, False)])

    def test_takeover(self) -> None:
        """The new connection's link replaces the old one, whose undo then does nothing."""
        old, new = RecordingLink(), RecordingLink()
        detach_old = self.registry.attach(DUSTY_DEVICE, old)
        detach_new = self.registry.attach(DUSTY_DEVICE, new)
        self.assertFalse(detach_old())
        self.assertIs(self.registry.link(DUSTY.did), new)
        self.assertTrue(detach_new())

    def test_refreshed(self) -> None:
        """A new resource and serial number are taken over; the nick name stays."""
        self.registry.attach(DUSTY_DEVICE, RecordingLink())
        self.registry.update(evolve(self.registry.device(DUSTY.did), nick="Dusty"))
        moved = Device(evolve(DUSTY, resource="new1"), name="E0009")
        self.registry.attach(moved, RecordingLink())
        device = self.registry.device(DUSTY.did)
        self.assertEqual(
            (device.id.resource, device.name, device.nick), ("new1", "E0009", "Dusty")
        )
        self.assertEqual(device.bound_at, 1000)

    def test_silence_keeps_what_was_known(self) -> None:
        """A login that tells no serial number or firmware does not wipe them."""
        self.registry.attach(evolve(DUSTY_DEVICE, firmware="1.8.2"), RecordingLink())
        self.registry.attach(Device(DUSTY), RecordingLink())
        device = self.registry.device(DUSTY.did)
        self.assertEqual((device.name, device.firmware), ("E0001", "1.8.2"))

    def test_unchanged_is_not_stored(self) -> None:
        """A reconnect that changes nothing costs no write."""
        self.registry.attach(DUSTY_DEVICE, RecordingLink())
        self.successResultOf(self.store.remove(DUSTY.did))
        self.registry.attach(DUSTY_DEVICE, RecordingLink())
        self.assertEqual(self.stored(), [])

    def test_survives_restart(self) -> None:
        """The next run knows the robots, and that they are away."""
        self.registry.attach(DUSTY_DEVICE, RecordingLink())
        again = DeviceRegistry(self.clock, self.store)
        self.successResultOf(again.load(self.store))
        self.assertEqual(again.devices(), self.registry.devices())
        self.assertRaises(DeviceOffline, again.link, DUSTY.did)

    def test_forget(self) -> None:
        """A removed robot is unknown, and off the disk."""
        self.registry.attach(DUSTY_DEVICE, RecordingLink())()
        self.successResultOf(self.registry.forget(DUSTY.did))
        self.assertRaises(DeviceUnknown, self.registry.device, DUSTY.did)
        self.assertEqual(self.stored(), [])

    def test_removed_on_disk(self) -> None:
        """What the owner has removed on disk is gone here, too; who came since stays."""
        self.registry.attach(DUSTY_DEVICE, RecordingLink())
        self.successResultOf(self.store.remove(DUSTY.did))
        self.registry.attach(RUSTY_DEVICE, RecordingLink())
        self.successResultOf(self.registry.reload(self.store))
        self.assertEqual([device.id for device in self.registry.devices()], [RUSTY])

    def test_too_many(self) -> None:
        """Invented robots make room for new ones; those with a name or a word do not."""
        few = DeviceRegistry(self.clock, self.store, most=3)
        few.attach(evolve(DUSTY_DEVICE, firmware="1.8.2"), RecordingLink())()
        few.attach(Device(DeviceId("online", "yna5xi", "r")), RecordingLink())
        few.attach(Device(DeviceId("ghost", "yna5xi", "r")), RecordingLink())()
        few.attach(Device(DeviceId("new", "yna5xi", "r")), RecordingLink())
        self.assertEqual([d.id.did for d in few.devices()], [DUSTY.did, "online", "new"])
        one_more = Device(DeviceId("more", "yna5xi", "r"))
        self.assertRaises(LoginRefused, few.attach, one_more, RecordingLink())
        few.attach(Device(DeviceId("online", "yna5xi", "r")), RecordingLink())

    def test_spared(self) -> None:
        """Who is said to be real makes no room, though it told neither a name nor a version."""
        few = DeviceRegistry(self.clock, self.store, most=3)
        few.spare({"talker"}.__contains__)
        few.spare({"proven"}.__contains__)
        for did in ("talker", "proven", "ghost"):
            few.attach(Device(DeviceId(did, "126", "atom")), RecordingLink())()
        few.attach(Device(DeviceId("new", "126", "atom")), RecordingLink())
        self.assertEqual([d.id.did for d in few.devices()], ["talker", "proven", "new"])
        one_more = Device(DeviceId("more", "126", "atom"))
        full = self.assertRaises(LoginRefused, few.attach, one_more, RecordingLink())
        self.assertIn("bumper robot remove", str(full))
        self.assertEqual(len(few.devices()), 3)

    def test_few_lines(self) -> None:
        """However many come and make room, the log stays readable, and counts."""
        few = DeviceRegistry(self.clock, self.store, most=3)
        with capturedLogs() as events:
            for number in range(1000):
                few.attach(Device(DeviceId(f"x{number}", "126", "atom")), RecordingLink())()
            self.clock.advance(60)
            few.attach(Device(DeviceId("y", "126", "atom")), RecordingLink())
        lines = [formatEvent(event) for event in events]
        self.assertLess(len(lines), 70)
        self.assertIn("(996 more since the last line about it", lines[-2])
        self.assertTrue(lines[-1].startswith("new robot y, class 126"), lines[-1])

    def test_told_of_forgotten(self) -> None:
        """Whoever keeps something about robots hears when one is dropped."""
        gone: list[str] = []
        self.registry.when_forgotten(gone.append)
        self.registry.attach(DUSTY_DEVICE, RecordingLink())
        self.successResultOf(self.registry.forget(DUSTY.did))
        self.assertEqual(gone, [DUSTY.did])

    def test_broken_listener(self) -> None:
        """A listener that fails is logged, and the others hear the news all the same."""
        self.registry.watch(lambda *_: 1 / 0)  # type: ignore[arg-type]  # it breaks
        late: list[str] = []
        self.registry.watch(lambda device, _: late.append(device.id.did))
        self.registry.attach(DUSTY_DEVICE, RecordingLink())
        self.assertEqual(late, [DUSTY.did])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_unwatch(self) -> None:
        """Whoever stops listening hears nothing more."""
        heard: list[str] = []
        self.registry.watch(lambda device, _: heard.append(device.id.did))()
        self.registry.attach(DUSTY_DEVICE, RecordingLink())
        self.assertEqual(heard, [])
