"""Tests for L{bumper_tw.core.commands}."""

from itertools import islice
from math import gcd

from attrs import evolve
from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from bumper_tw.core.commands import SPACE, STRIDE, CommandCorrelator, request_ids
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.errors import (
    AnswerGarbled,
    BadRequest,
    CommandTimedOut,
    DeviceOffline,
    DeviceUnknown,
    RobotBusy,
    ShuttingDown,
)
from bumper_tw.interfaces import ICommandCorrelator
from bumper_tw.storage.memory import MemoryDeviceStore
from bumper_tw.values import Command, RequestId
from tests.samples import DUSTY, DUSTY_DEVICE, GET_BATTERY, RUSTY, RUSTY_DEVICE, RecordingLink


class RequestIdTests(SynchronousTestCase):
    """Request ids cannot collide."""

    def test_four_letters(self) -> None:
        """An id has the four letters that robots and tools know (mqtt.md 4.1)."""
        for request in islice(request_ids(7), 100):
            self.assertRegex(request, r"\A[A-Za-z]{4}\Z")

    def test_no_repetition(self) -> None:
        """A hundred thousand ids in a row are all different, over the end of the space too."""
        ids = list(islice(request_ids(SPACE - 5), 100_000))
        self.assertEqual(len(set(ids)), len(ids))

    def test_whole_space(self) -> None:
        """The stride shares no factor with the number of ids, so all of them come by."""
        self.assertEqual(gcd(STRIDE, SPACE), 1)


class Picky(RecordingLink):
    """A link that cannot spell what it is given."""

    def deliver(self, command: Command, request: RequestId) -> None:
        raise BadRequest("no topic can carry that name")


class CorrelatorTests(SynchronousTestCase):
    """L{CommandCorrelator} brings each answer to exactly its question."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.registry = DeviceRegistry(self.clock, MemoryDeviceStore())
        self.link = RecordingLink()
        self.detach = self.registry.attach(DUSTY_DEVICE, self.link)
        self.commands = CommandCorrelator(
            self.clock, self.registry, request_ids(1), timeout=10, outstanding=2, queued=2
        )

    def reply(self, request: RequestId, body: bytes = b"ok") -> None:
        """Dusty answers to getBattery."""
        self.commands.replied(DUSTY, "getBattery", request, body)

    def test_interface(self) -> None:
        """It is what the gateways and the web expect."""
        self.assertTrue(verifyObject(ICommandCorrelator, self.commands))

    def test_answer(self) -> None:
        """A question gets the robot's answer, and nothing is left behind."""
        asked = self.commands.send(GET_BATTERY)
        [request] = self.link.requests
        self.reply(request, b'{"value":87}')
        reply = self.successResultOf(asked)
        self.assertEqual(
            (reply.command, reply.request, reply.body), (GET_BATTERY, request, b'{"value":87}')
        )
        self.assertEqual((self.clock.getDelayedCalls(), self.commands.waiting), ([], 0))

    def test_reverse_order(self) -> None:
        """Two equal commands get the right answers when these come in reverse order."""
        first, second = self.commands.send(GET_BATTERY), self.commands.send(GET_BATTERY)
        one, two = self.link.requests
        self.reply(two, b"two")
        self.reply(one, b"one")
        self.assertEqual(self.successResultOf(first).body, b"one")
        self.assertEqual(self.successResultOf(second).body, b"two")

    def test_silent_robot(self) -> None:
        """A command times out when the robot never answers."""
        asked = self.commands.send(GET_BATTERY, timeout=3)
        self.clock.advance(3)
        self.failureResultOf(asked, CommandTimedOut)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_late_reply(self) -> None:
        """A reply after the time-out changes nothing but a count."""
        asked = self.commands.send(GET_BATTERY)
        self.clock.advance(10)
        self.failureResultOf(asked, CommandTimedOut)
        self.reply(self.link.requests[0])
        self.assertEqual(self.commands.counts["late"], 1)

    def test_duplicate_reply(self) -> None:
        """The first answer counts; a second one is late."""
        asked = self.commands.send(GET_BATTERY)
        self.reply(self.link.requests[0], b"first")
        self.reply(self.link.requests[0], b"second")
        self.assertEqual(self.successResultOf(asked).body, b"first")
        self.assertEqual(self.commands.counts["late"], 1)

    def test_foreign_replies(self) -> None:
        """An answer from another robot, resource or to another command is not taken."""
        asked = self.commands.send(GET_BATTERY)
        [request] = self.link.requests
        self.commands.replied(RUSTY, "getBattery", request, b"forged")
        self.commands.replied(evolve(DUSTY, resource="zzzz"), "getBattery", request, b"forged")
        self.commands.replied(DUSTY, "getStats", request, b"forged")
        self.assertNoResult(asked)
        self.reply(request, b"true")
        self.assertEqual(self.successResultOf(asked).body, b"true")

    def test_failed(self) -> None:
        """A robot that answers that it will not answer ends its own question, and no other."""
        asked, next_one = self.commands.send(GET_BATTERY), self.commands.send(GET_BATTERY)
        waiting = self.commands.send(GET_BATTERY)
        first, second = self.link.requests
        why = AnswerGarbled("it has said no")
        self.commands.failed(RUSTY, "getBattery", first, why)
        self.commands.failed(evolve(DUSTY, resource="zzzz"), "getBattery", first, why)
        self.commands.failed(DUSTY, "getStats", first, why)
        self.assertNoResult(asked)
        self.commands.failed(DUSTY, "getBattery", first, why)
        self.assertIs(self.failureResultOf(asked, AnswerGarbled).value, why)
        self.assertEqual(len(self.link.delivered), 3)
        self.commands.failed(DUSTY, "getBattery", first, why)
        self.assertEqual((self.commands.counts["AnswerGarbled"], self.commands.waiting), (1, 2))
        self.reply(second)
        self.successResultOf(next_one)
        self.commands.failed(DUSTY, "getBattery", self.link.requests[2], why)
        self.failureResultOf(waiting, AnswerGarbled)
        self.assertEqual((self.clock.getDelayedCalls(), self.commands.waiting), ([], 0))

    def test_offline(self) -> None:
        """A robot that is known and away is an error at once, without a timer."""
        self.detach()
        self.failureResultOf(self.commands.send(GET_BATTERY), DeviceOffline)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_unknown(self) -> None:
        """A robot nobody has seen is another error."""
        self.failureResultOf(self.commands.send(Command(RUSTY, "Clean", b"")), DeviceUnknown)

    def test_unfit_name(self) -> None:
        """A name that cannot be sent fails its question, and nothing is left behind."""
        self.registry.attach(DUSTY_DEVICE, Picky())
        self.failureResultOf(self.commands.send(GET_BATTERY), BadRequest)
        self.assertEqual((self.clock.getDelayedCalls(), self.commands.waiting), ([], 0))

    def test_robot_leaves(self) -> None:
        """What a robot still owed, and what it was about to be asked, fails when it goes."""
        asked = [self.commands.send(GET_BATTERY) for _ in range(3)]
        self.detach()
        self.commands.detached(DUSTY)
        for question in asked:
            self.failureResultOf(question, DeviceOffline)
        self.assertEqual((self.clock.getDelayedCalls(), self.commands.waiting), ([], 0))

    def test_another_robot_leaves(self) -> None:
        """Other robots' questions live on."""
        asked = self.commands.send(GET_BATTERY)
        self.registry.attach(RUSTY_DEVICE, RecordingLink())
        self.commands.detached(RUSTY)
        self.assertNoResult(asked)
        self.reply(self.link.requests[0])
        self.successResultOf(asked)

    def test_hang_up(self) -> None:
        """Who asked may go away; the wait is dropped, and the answer is late."""
        asked = self.commands.send(GET_BATTERY)
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.assertEqual((self.clock.getDelayedCalls(), self.commands.waiting), ([], 0))
        self.reply(self.link.requests[0])
        self.assertEqual(self.commands.counts["dropped"], 1)

    def test_outstanding(self) -> None:
        """At most so many questions are open at a time; the next goes out with an answer."""
        asked = [self.commands.send(GET_BATTERY) for _ in range(3)]
        self.assertEqual(len(self.link.delivered), 2)
        self.reply(self.link.requests[0])
        self.assertEqual(len(self.link.delivered), 3)
        self.reply(self.link.requests[2])
        self.successResultOf(asked[0])
        self.assertNoResult(asked[1])
        self.successResultOf(asked[2])
        self.clock.advance(10)
        self.failureResultOf(asked[1], CommandTimedOut)

    def test_hang_up_makes_room(self) -> None:
        """What waits behind a question goes out when nobody wants its answer any more."""
        asked = [self.commands.send(GET_BATTERY) for _ in range(3)]
        asked[0].cancel()
        self.failureResultOf(asked[0], CancelledError)
        self.assertEqual(len(self.link.delivered), 3)
        self.commands.stop()
        for question in asked[1:]:
            self.failureResultOf(question, ShuttingDown)

    def test_withdrawn(self) -> None:
        """The link hears which answers nobody wants any more, and no others."""
        asked = [self.commands.send(GET_BATTERY, timeout=3 + n) for n in range(2)]
        gone, answered = self.link.requests
        self.clock.advance(3)
        self.failureResultOf(asked[0], CommandTimedOut)
        self.reply(answered)
        self.successResultOf(asked[1])
        self.assertEqual(self.link.withdrawn, [gone])

    def test_hang_up_in_the_queue(self) -> None:
        """A question that was dropped before its turn never goes out."""
        asked = [self.commands.send(GET_BATTERY) for _ in range(3)]
        asked[2].cancel()
        self.failureResultOf(asked[2], CancelledError)
        self.reply(self.link.requests[0])
        self.assertEqual(len(self.link.delivered), 2)
        self.commands.stop()
        self.failureResultOf(asked[1], ShuttingDown)

    def test_queue_is_bounded(self) -> None:
        """Beyond the queue the answer is that the robot is busy."""
        asked = [self.commands.send(GET_BATTERY) for _ in range(4)]
        self.failureResultOf(self.commands.send(GET_BATTERY), RobotBusy)
        self.commands.stop()
        for question in asked:
            self.failureResultOf(question, ShuttingDown)

    def test_waiting_in_the_queue_counts(self) -> None:
        """The time-out includes the time in the queue."""
        asked = [self.commands.send(GET_BATTERY, timeout=5) for _ in range(3)]
        self.clock.advance(5)
        for question in asked:
            self.failureResultOf(question, CommandTimedOut)
        self.assertEqual(self.commands.waiting, 0)

    def test_stopping(self) -> None:
        """When the server stops, open questions get that answer and new ones are not taken."""
        asked = self.commands.send(GET_BATTERY)
        self.commands.stop()
        self.failureResultOf(asked, ShuttingDown)
        self.failureResultOf(self.commands.send(GET_BATTERY), ShuttingDown)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_ten_thousand(self) -> None:
        """Ten thousand commands, answered out of order: none is mixed up, none is lost."""
        commands = CommandCorrelator(
            self.clock, self.registry, request_ids(1), outstanding=64, queued=64
        )
        for _ in range(100):
            asked = [commands.send(GET_BATTERY) for _ in range(100)]
            while commands.waiting:
                batch, self.link.delivered = self.link.delivered, []
                for _, request in reversed(batch):
                    commands.replied(DUSTY, "getBattery", request, request.encode())
            for question in asked:
                reply = self.successResultOf(question)
                self.assertEqual(reply.body, reply.request.encode())
        self.assertEqual(commands.counts, {"answered": 10_000})
