"""Tests for L{bumper_tw.core.inquiries}: robots are asked how they are, and not too often."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.commands import CommandCorrelator, request_ids
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.inquiries import AT_ONCE, ENOUGH, PATIENCE, PAUSE, QUESTIONS, Inquiries
from bumper_tw.core.telemetry import Telemetry
from bumper_tw.core.translation import TranslatingCorrelator
from bumper_tw.readings import Activity, Clean, Report
from bumper_tw.storage.memory import MemoryDeviceStore
from bumper_tw.values import Device, DeviceId, PayloadKind
from tests.samples import DUSTY, DUSTY_DEVICE, RUSTY_DEVICE, RecordingLink


class InquiryCase(SynchronousTestCase):
    """Robots that answer when the test says so."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_795_000_000)
        self.registry = DeviceRegistry(self.clock, MemoryDeviceStore())
        self.telemetry = Telemetry()
        self.commands = CommandCorrelator(self.clock, self.registry, request_ids(1))
        translated = TranslatingCorrelator(
            self.clock, self.commands, self.registry, self.telemetry
        )
        self.inquiries = Inquiries(self.clock, self.registry, translated, self.telemetry)
        self.link = RecordingLink()
        self.detach = self.registry.attach(DUSTY_DEVICE, self.link)

    def asked(self, link: RecordingLink | None = None) -> list[str]:
        """What a robot was asked."""
        return [command.name for command, _ in (link or self.link).delivered]

    def answer(self, link: RecordingLink | None = None) -> None:
        """A robot answers what it was asked last."""
        command, request = (link or self.link).delivered[-1]
        body = b'{"header":{},"body":{"code":0,"msg":"ok","data":{}}}'
        if command.kind is PayloadKind.XML:
            body = b"<ctl ret='ok'/>"
        self.commands.replied(command.device, command.name, request, body)


class InquiryTests(InquiryCase):
    """L{Inquiries} asks one thing after the other."""

    def test_everything(self) -> None:
        """All there is to ask, each when the one before is answered; then once more, newly."""
        self.inquiries.want(DUSTY.did)
        for number in range(len(QUESTIONS) + 1):
            self.assertEqual(len(self.asked()), number + 1)
            self.answer()
        names = [name for name, _ in QUESTIONS]
        self.assertEqual(self.asked(), [*names, "getCleanInfo_V2"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one_way_is_enough(self) -> None:
        """Who has told what it does is not asked for that in another way."""
        self.telemetry.record(Report(DUSTY.did, Clean(Activity.IDLE), 1.0))
        self.inquiries.want(DUSTY.did)
        for _ in QUESTIONS:
            self.answer()
        self.assertNotIn("getCleanInfo_V2", self.asked())

    def test_not_all_the_time(self) -> None:
        """However many pages look at it, and for however long."""
        for _ in range(5):
            self.inquiries.want(DUSTY.did)
        self.assertEqual(len(self.asked()), 1)
        for _ in range(len(QUESTIONS) + 1):
            self.answer()
        self.clock.advance(PAUSE - 1)
        self.inquiries.want(DUSTY.did)
        self.assertEqual(len(self.asked()), len(QUESTIONS) + 1)
        self.clock.advance(1)
        self.inquiries.want(DUSTY.did)
        self.assertEqual(len(self.asked()), len(QUESTIONS) + 2)

    def test_silent(self) -> None:
        """Who does not answer is left alone after some questions."""
        self.inquiries.want(DUSTY.did)
        self.clock.pump([PATIENCE] * 20)
        self.assertEqual(len(self.asked()), ENOUGH)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_away(self) -> None:
        """Who is not connected is not asked; who has come back, at once."""
        self.inquiries.want("nobody")
        self.inquiries.want(DUSTY.did)
        self.detach()
        self.commands.detached(DUSTY)
        self.clock.advance(PATIENCE)
        self.inquiries.want(DUSTY.did)
        self.assertEqual(len(self.asked()), 1)
        again = RecordingLink()
        self.registry.attach(DUSTY_DEVICE, again)
        self.inquiries.want(DUSTY.did)
        self.assertEqual(self.asked(again), ["getCleanInfo"])

    def test_xml(self) -> None:
        """A robot that speaks XML is asked in its own words, as far as it has them."""
        link = RecordingLink()
        self.registry.attach(RUSTY_DEVICE, link)
        self.inquiries.want(RUSTY_DEVICE.id.did)
        for _ in range(40):
            for command, request in link.delivered:
                self.commands.replied(command.device, command.name, request, b"<ctl ret='ok'/>")
        asked = self.asked(link)
        for name in ("GetCleanState", "GetChargeState", "GetBatteryInfo", "GetError"):
            self.assertIn(name, asked)

    def test_many(self) -> None:
        """Only some robots are asked at a time; all of them in the end."""
        links: dict[str, RecordingLink] = {}
        for number in range(AT_ONCE * 2):
            links[f"did-{number}"] = RecordingLink()
            device = Device(DeviceId(f"did-{number}", "yna5xi", "r"))
            self.registry.attach(device, links[f"did-{number}"])
        for did in links:
            self.inquiries.want(did)
        busy = [did for did, link in links.items() if link.delivered]
        self.assertEqual(len(busy), AT_ONCE)
        self.clock.pump([PATIENCE] * ENOUGH * 2)
        self.assertTrue(all(link.delivered for link in links.values()))

    def test_stop(self) -> None:
        """After the end nobody is asked anything, and nothing is logged as broken."""
        self.inquiries.want(DUSTY.did)
        self.inquiries.stop()
        self.clock.pump([PATIENCE] * 5)
        self.assertEqual(len(self.asked()), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_removed(self) -> None:
        """A robot that is removed in the middle is forgotten."""
        self.inquiries.want(DUSTY.did)
        self.detach()
        self.successResultOf(self.registry.forget(DUSTY.did))
        self.inquiries.forget(DUSTY.did)
        self.commands.detached(DUSTY)
        self.clock.pump([PATIENCE] * 5)
        self.assertEqual(len(self.asked()), 1)
