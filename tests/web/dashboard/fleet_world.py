"""Robots that speak, and what pages make of it, in memory."""

from collections.abc import Iterator
from pathlib import Path

from attrs import evolve
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

import bumper_tw.web
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.feed import Change, Feed
from bumper_tw.core.fleet import Fleet
from bumper_tw.core.ownership import Ownership
from bumper_tw.core.permits import Everybody
from bumper_tw.core.telemetry import Telemetry
from bumper_tw.core.updates import Updates
from bumper_tw.readings import Reading, Report
from bumper_tw.storage.memory import MemoryDeviceStore
from bumper_tw.storage.memory_records import MemoryRecordStore
from bumper_tw.values import Device
from bumper_tw.web.dashboard.card_feed import CardFeed
from bumper_tw.web.dashboard.cards import Card, Cards, Refusals
from bumper_tw.web.message_texts import FIRST, load
from tests.samples import DUSTY, DUSTY_DEVICE, RecordingLink

TEXTS = load(Path(bumper_tw.web.__file__).parent / "data" / "error_texts.json")
ERRORS = TEXTS.languages[FIRST]["error"]
NOW = 1_795_000_000.0
EPOCH = "e0"


class FleetCase(SynchronousTestCase):
    """One robot, connected, of which a feed tells."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.registry = DeviceRegistry(self.clock, MemoryDeviceStore())
        self.telemetry = Telemetry()
        self.records = MemoryRecordStore()
        self.updates = Updates(self.clock, self.records)
        ownership = Ownership(self.clock, self.records, lambda size: "ab" * size)
        self.fleet = Fleet(self.registry, Everybody(), ownership, self.clock)
        refused, allowed = Refusals(self.updates), self.updates.allowed
        self.cards = Cards(self.registry, self.telemetry, ERRORS, refused, allowed)
        self.feed = Feed(EPOCH)
        self.card_feed = CardFeed(self.clock, self.feed, self.cards, self.registry, self.telemetry)
        self.card_feed.start()
        self.heard: list[Change] = []
        self.detach = self.registry.attach(DUSTY_DEVICE, RecordingLink())
        self.feed.listen(self.heard.append)

    def say(self, *readings: Reading, did: str = DUSTY.did) -> None:
        """A robot reports."""
        for reading in readings:
            self.telemetry.record(Report(did, reading, self.clock.seconds()))

    def card(self, did: str = DUSTY.did) -> Card:
        """Its card as it is now."""
        return self.cards.card(did)

    def rename(self, nick: str) -> Device:
        """Its owner calls it something."""
        device = evolve(self.registry.device(DUSTY.did), nick=nick)
        self.successResultOf(self.registry.update(device))
        return device

    def told(self, kind: str) -> Iterator[Change]:
        """What pages have heard of one kind."""
        return (change for change in self.heard if change.kind == kind)
