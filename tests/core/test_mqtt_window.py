"""Tests for L{bumper_tw.core.mqtt_window}."""

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.mqtt_window import HIGHEST, Owed, Window, weight_of
from bumper_tw.kept import KeptMessage
from bumper_tw.values import Message


def message(qos: int = 1, payload: bytes = b"x") -> Message:
    """Something to be owed."""
    return Message("t", payload, qos)


class WindowTests(SynchronousTestCase):
    """Identifiers, order, and how many are under way."""

    def setUp(self) -> None:
        self.window = Window(2)

    def owe(self, number: int, qos: int = 1) -> Owed:
        """One more message that may go out."""
        owed = self.window.owe(number, message(qos))
        self.window.line_up(owed)
        return owed

    def sent(self) -> list[int]:
        """The numbers of what goes out now."""
        numbers = []
        while (owed := self.window.next()) is not None:
            numbers.append(owed.number)
        return numbers

    def test_size(self) -> None:
        """As many are under way as the window holds; each settled one lets the next out."""
        for number in (1, 2, 3, 4):
            self.owe(number)
        self.assertEqual(self.sent(), [1, 2])
        self.window.settle(2, 1)
        self.assertEqual(self.sent(), [3])
        self.assertEqual(len(self.window), 3)

    def test_withdrawn(self) -> None:
        """What is not to go out after all frees its place, and nothing is heard of it."""
        for number, qos in ((1, 2), (2, 2), (3, 1), (4, 1)):
            self.owe(number, qos)
        self.assertEqual(self.sent(), [1, 2])
        self.window.release(1)
        gone = self.window.withdraw(lambda message: message.qos == 1, again=False)
        self.assertEqual([owed.number for owed in gone], [3, 4])
        self.owe(5)
        gone = self.window.withdraw(lambda message: message.qos == 2, again=True)
        self.assertEqual([owed.number for owed in gone], [2])
        self.assertEqual(self.sent(), [5])
        self.assertEqual((len(self.window), self.window.weight), (2, 2 * weight_of(message(1))))
        self.window.settle(1, 2)
        self.window.settle(5, 1)
        self.assertEqual((len(self.window), self.window.weight), (0, 0))
        self.assertEqual(self.window.withdraw(lambda _: True, again=True), [])

    def test_settled_once(self) -> None:
        """An acknowledgement counts once, and only for what it can be about."""
        self.owe(1)
        self.owe(2, qos=2)
        self.owe(3)
        self.assertEqual(self.sent(), [1, 2])
        self.assertIsNone(self.window.settle(1, 2), "PUBCOMP of QoS 1")
        self.assertIsNone(self.window.settle(2, 1), "PUBACK of QoS 2")
        self.assertIsNone(self.window.settle(2, 2), "PUBCOMP without PUBREC")
        self.assertIsNone(self.window.settle(3, 1), "not sent yet")
        self.assertIsNone(self.window.settle(9, 1), "never used")
        self.assertIsNotNone(self.window.settle(1, 1))
        self.assertIsNone(self.window.settle(1, 1), "again")

    def test_release(self) -> None:
        """PUBREC is news once, for a QoS 2 message that was sent; it stays under way."""
        self.owe(1, qos=2)
        self.owe(2)
        self.owe(3, qos=2)
        self.sent()
        self.assertEqual([self.window.release(each) for each in (1, 1, 2, 3, 9)],
                         [True, False, False, False, False])  # fmt: skip
        self.assertEqual(self.sent(), [])
        self.assertIsNotNone(self.window.settle(1, 2))
        self.assertEqual(self.sent(), [3])

    def test_identifiers(self) -> None:
        """All 65,535 identifiers can be in use at once; a free one is found around the corner."""
        for number in range(1, HIGHEST + 1):
            self.owe(number)
        self.assertEqual(len(self.window), HIGHEST)
        self.assertEqual(self.sent(), [1, 2])
        self.window.settle(2, 1)
        self.assertEqual(self.owe(HIGHEST + 1).packet_id, 2)

    def test_weight(self) -> None:
        """Bytes are counted until they are settled or dropped."""
        window = Window(1)
        first, second = window.owe(1, message(payload=b"abc")), window.owe(2, message())
        self.assertEqual(window.weight, weight_of(first.message) + weight_of(second.message))
        self.assertEqual([window.drop(second), window.drop(second)], [True, False])
        window.line_up(first)
        window.next()
        window.settle(first.packet_id, 1)
        self.assertEqual((window.weight, len(window)), (0, 0))

    def test_reserved(self) -> None:
        """What was not lined up yet does not go out, and keeps its place by when it is."""
        early, late = self.window.owe(1, message()), self.window.owe(2, message())
        self.assertEqual(self.sent(), [])
        self.window.line_up(early)
        self.window.line_up(late)
        self.assertEqual(self.sent(), [1, 2])
        self.assertEqual(self.window.sent, 2)

    def test_again(self) -> None:
        """What is under way is told in order, and what waits is not part of it."""
        for number in (1, 2, 3):
            self.owe(number)
        self.sent()
        self.assertEqual([owed.number for owed in self.window.under_way()], [1, 2])


class RestoreTests(SynchronousTestCase):
    """What an earlier run owed."""

    kept = tuple(KeptMessage(number, 10 + number, message(2)) for number in (1, 2, 3, 4))

    def numbers(self, window: Window) -> list[int]:
        """What goes out again."""
        return [owed.number for owed in window.under_way()]

    def test_known(self) -> None:
        """What went out before goes out again, the rest for the first time."""
        window = Window(3)
        window.restore(self.kept, 2)
        self.assertEqual(self.numbers(window), [1, 2])
        third = window.next()
        assert third is not None
        self.assertEqual((third.number, third.packet_id), (3, 13))
        self.assertIsNone(window.next())

    def test_unknown(self) -> None:
        """After a crash, as many as fit into the window are taken to have gone out."""
        window = Window(3)
        window.restore(self.kept, None)
        self.assertEqual(self.numbers(window), [1, 2, 3])
        self.assertEqual(window.weight, 4 * weight_of(message(2)))

    def test_released(self) -> None:
        """What the client has already waits for its PUBCOMP."""
        window = Window(3)
        window.restore([KeptMessage(1, 7, message(2), released=True)], 0)
        [owed] = window.under_way()
        self.assertTrue(owed.released)
        self.assertIsNotNone(window.settle(7, 2))

    def test_identifiers(self) -> None:
        """New messages get identifiers that the old ones do not use."""
        window = Window(3)
        window.restore(self.kept, None)
        self.assertNotIn(window.owe(5, message()).packet_id, {11, 12, 13, 14})
