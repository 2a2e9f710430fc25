"""What was acknowledged is not lost: not by a power failure, nor by a restart."""

from random import Random
from signal import SIGKILL, SIGTERM, Signals
from typing import ClassVar

from tests.interop.case import InteropCase, add_account
from tests.interop.lasting import Numbered, Publisher, Subscriber, firsts
from tests.interop.raw_mqtt import Kind, Login, Wire, connected, publish, subscribe, unsubscribe
from tests.interop.server import Ports, Server

ACCOUNT, PASSWORD = "dash", "correct horse"

#: How many messages are said in one test.
MESSAGES = 400

#: The last one.
MARK = MESSAGES + 1

#: Topics of retained messages; each is said many times.
RETAINED = 7

SUBACK_QOS_2 = 2


class RestartCase(InteropCase):
    """A server that ends again and again, and what is left of it each time."""

    how: ClassVar[Signals] = SIGKILL

    def setUp(self) -> None:
        super().setUp()
        self.server = Server(self.folder)
        self.addCleanup(self.gone)
        self.places: Ports = self.server.ports()
        add_account(self.server, ACCOUNT, PASSWORD)

    def gone(self) -> None:
        """Nothing is left running."""
        if self.server.child.running:
            self.server.child.kill()
        self.server.child.finish()

    def end(self) -> None:
        """End the server."""
        if self.how == SIGTERM:
            self.assertEqual(self.server.stop(), 0, self.server.child.story())
        else:
            self.gone()

    def start(self) -> None:
        """Start it again with what it has left."""
        self.server = Server(self.folder, ports=self.places.again())
        self.server.ports()

    def connect(self, name: str, clean: bool = False) -> tuple[Wire, bool]:
        """A client, and whether its session goes on."""
        wire, present = connected(self.places.mqtt, Login(name, ACCOUNT, PASSWORD, clean))
        self.addCleanup(wire.close)
        return wire, present

    def subscribed(self, name: str, *filters: str) -> None:
        """Somebody wants everything, and goes away."""
        wire, _ = self.connect(name)
        wire.say(subscribe(1, *((each, 2) for each in filters)))
        codes = wire.hear(Kind.SUBACK).body[2:]
        self.assertEqual(codes, bytes([SUBACK_QOS_2] * len(filters)))
        wire.close()

    def retained(self) -> dict[str, int]:
        """The last word on each topic."""
        wire, _ = self.connect("late", clean=True)
        wire.say(subscribe(1, ("kept/#", 0), ("mark", 0)))
        wire.hear(Kind.SUBACK)
        # It is answered after what SUBSCRIBE has brought.
        wire.say(publish("mark", b"0"))
        found = {}
        while (message := wire.hear(Kind.PUBLISH).message()).topic != "mark":
            self.assertTrue(message.retain)
            found[message.topic] = int(message.payload)
        wire.close()
        return found


def planned(random: Random) -> list[Numbered]:
    """Messages with QoS 1 and 2, some of them retained."""
    made = []
    for number in range(1, MESSAGES + 1):
        if random.random() < 0.3:
            # A topic has one QoS: only within it are repetitions in the order of the first time.
            which = random.randrange(RETAINED)
            made.append(Numbered(number, f"kept/{which}", 1 + which % 2, retain=True))
        else:
            made.append(Numbered(number, "told/door", random.choice((1, 2))))
    return made


class MessageChecks(RestartCase):
    """Messages on their way when the server ends."""

    def survive(self, seed: int) -> None:
        """Say many, in spite of three ends; hear all of them, in spite of two."""
        self.random = Random(seed)
        self.plan = planned(self.random)
        self.subscribed("away", "told/#", "kept/#")
        self.say_all()
        self.assertEqual(
            self.retained(), last_words(self.plan, {each.number for each in self.plan})
        )
        self.hear_all()

    def say_all(self) -> None:
        """Publish, with interruptions; retained messages are checked after each."""
        publisher = Publisher(list(self.plan))
        wire, _ = self.connect("publisher")
        for _ in range(3):
            goal = len(publisher.taken) + self.random.randrange(MESSAGES // 4)
            publisher.talk(wire, goal)
            self.end()
            publisher.drain(wire)
            self.start()
            self.check_retained(publisher.settled)
            wire, present = self.connect("publisher")
            self.assertTrue(present)
            publisher.resume(wire)
        publisher.talk(wire)
        mark = Publisher([Numbered(MARK, "told/mark", 2)])
        wire, _ = self.connect("marker", clean=True)
        mark.talk(wire)

    def check_retained(self, settled: set[int]) -> None:
        """A last word is the last that was acknowledged to the end, or a later one."""
        kept, least = self.retained(), last_words(self.plan, settled)
        for topic, number in least.items():
            self.assertGreaterEqual(kept.get(topic, 0), number, topic)
        for topic, number in kept.items():
            self.assertEqual(self.plan[number - 1].topic, topic)

    def hear_all(self) -> None:
        """Come back, with interruptions."""
        hearer = Subscriber()
        for _ in range(2):
            wire = self.back()
            goal = hearer.count() + self.random.randrange(MESSAGES // 3)
            hearer.listen(wire, goal)
            self.end()
            self.start()
        hearer.listen_for(self.back(), MARK)
        sent = {qos: [m.number for m in self.plan if m.qos == qos] for qos in (1, 2)}
        self.assertEqual(hearer.heard[2], [*sent[2], MARK])
        self.assertEqual(firsts(hearer.heard[1]), sent[1])

    def back(self) -> Wire:
        """The subscriber's next connection."""
        wire, present = self.connect("away")
        self.assertTrue(present)
        return wire


def last_words(plan: list[Numbered], said: set[int]) -> dict[str, int]:
    """What is retained when so much was said."""
    return {each.topic: each.number for each in plan if each.retain and each.number in said}


class KilledTests(MessageChecks):
    """The process is gone at once."""

    def test_first(self) -> None:
        """QoS 2 arrives exactly once, QoS 1 at least once, in order; last words are kept."""
        self.survive(1)

    def test_second(self) -> None:
        """The same at other moments."""
        self.survive(2)

    def test_third(self) -> None:
        """The same at other moments."""
        self.survive(3)


class StoppedTests(MessageChecks):
    """The process is asked to end."""

    how = SIGTERM

    def test_messages(self) -> None:
        """The same holds."""
        self.survive(4)


class SubscriptionTests(RestartCase):
    """Subscriptions, once they are acknowledged."""

    def test_kept(self) -> None:
        """They are there, with their QoS; those that were taken back are not."""
        wire, _ = self.connect("away")
        wanted = [(f"told/{number}", number % 3) for number in range(9)]
        for number, request in enumerate(wanted, 1):
            wire.say(subscribe(number, request))
            self.assertEqual(wire.hear(Kind.SUBACK).body, bytes([0, number, request[1]]))
        wire.say(subscribe(10, ("over", 2)), unsubscribe(11, "over"))
        self.assertEqual(wire.hear(Kind.SUBACK).body, bytes([0, 10, 2]))
        wire.hear(Kind.UNSUBACK)
        self.end()
        self.start()
        wire, present = self.connect("away")
        self.assertTrue(present)
        teller, _ = self.connect("teller", clean=True)
        plan = [Numbered(number, f"told/{number}", 2) for number in range(9)]
        Publisher([Numbered(99, "over", 2), *plan]).talk(teller)
        hearer = Subscriber()
        hearer.listen(wire, len(wanted))
        for qos in (0, 1, 2):
            self.assertEqual(hearer.heard[qos], [n for n in range(9) if n % 3 == qos])

    def test_ended(self) -> None:
        """A session that was ended by a clean one does not come back."""
        self.subscribed("away", "told/#")
        self.connect("away", clean=True)
        self.end()
        self.start()
        _, present = self.connect("away")
        self.assertFalse(present)


class SubscriptionStopTests(SubscriptionTests):
    """The same after a polite end."""

    how = SIGTERM
