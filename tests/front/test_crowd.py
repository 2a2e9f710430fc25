"""Tests for L{bumper_tw.front.crowd}: who may come in, and when the last has left."""

from collections import Counter

from attrs import define, frozen
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.logger import Logger, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.front.crowd import Crowd, Unwelcome


@frozen
class Room:
    """How many there is room for."""

    connections: int = 4
    per_peer: int = 3
    strangers: int = 2
    strangers_per_peer: int = 1


@define(eq=False)
class Guest:
    """One connection."""

    host: str
    stranger: bool = True


class CrowdTests(SynchronousTestCase):
    """A crowd with little room."""

    def setUp(self) -> None:
        self.counts: Counter[str] = Counter()
        self.crowd: Crowd[Guest] = Crowd(Clock(), Room(), self.counts, Logger())

    def come(self, host: str) -> Guest | Unwelcome:
        """Somebody from there wants to come in."""
        return self.crowd.admit(IPv4Address("TCP", host, 1), Guest)

    def let_in(self, host: str) -> Guest:
        """He is, and logs in."""
        guest = self.come(host)
        assert isinstance(guest, Guest)
        self.crowd.known(guest)
        guest.stranger = False
        return guest

    def test_strangers(self) -> None:
        """Who has logged in makes room for strangers, from his address and in all."""
        self.come("192.0.2.1")
        self.assertIsInstance(self.come("192.0.2.1"), Unwelcome)
        self.let_in("192.0.2.2")
        self.come("192.0.2.2")
        self.assertIsInstance(self.come("192.0.2.3"), Unwelcome)
        self.assertEqual(self.counts, {"connections": 3, "connections refused": 2, "logins": 1})

    def test_in_all(self) -> None:
        """There are places for so many, and for so many from one address."""
        for _ in range(3):
            last = self.let_in("192.0.2.1")
        self.assertIsInstance(self.come("192.0.2.1"), Unwelcome)
        self.let_in("192.0.2.2")
        self.assertIsInstance(self.come("192.0.2.3"), Unwelcome)
        self.crowd.lost(last)
        self.assertIsInstance(self.come("192.0.2.3"), Guest)

    def test_said_once(self) -> None:
        """The owner hears once of an address that comes again and again."""
        self.come("192.0.2.1")
        with capturedLogs() as said:
            for _ in range(5):
                self.come("192.0.2.1")
        self.assertEqual([each["peer"] for each in said], ["192.0.2.1"])

    def test_empty(self) -> None:
        """All who wait hear when the last one has left, and nothing of anybody is kept."""
        self.let_in("192.0.2.1")
        self.come("192.0.2.2")
        waiting = [self.crowd.empty(), self.crowd.empty()]
        for gone, guest in zip((False, True), self.crowd, strict=True):
            self.crowd.lost(guest)
            self.assertEqual([each.called for each in waiting], [gone, gone])
        self.assertEqual((len(self.crowd.everybody), len(self.crowd.strangers)), (0, 0))
        self.successResultOf(self.crowd.empty())
