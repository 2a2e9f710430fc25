"""Two hundred thousand broken packets, and a server that does not mind."""

import os
from pathlib import Path
from random import Random

from tests.interop.case import CHOICE, InteropCase, add_account
from tests.interop.mutants import conversation, talk
from tests.interop.raw_mqtt import (
    Kind,
    Login,
    Wire,
    answer,
    connected,
    packet,
    publish,
    subscribe,
)
from tests.interop.raw_wire import Closed

ACCOUNT, PASSWORD = "dash", "correct horse"

#: Another number, other packets.
SEED = "BUMPER_FUZZ_SEED"

#: How many packets are broken: where all is required, where other people's clients are tested,
#: and elsewhere.
MANY, SOME, FEW = 200_000, 50_000, 5_000

#: So many go to one connection.  One in five is reason enough to close it, so that the server
#: reads between four and five of them on average.
PER_CONNECTION = 12

#: Connections at the same time.
ABREAST = 5

#: One in so many connections does not wait for its CONNACK; nor do those with a broken login,
#: which may promise more, and then nobody answers.
HASTY = 8

#: Rounds between two looks at whether all is well.
LOOK = 20

#: So much of the test is over when the memory is measured that must not grow any more.
WARM = 0.2

#: By so many KiB at the most.
GROWTH = 30 * 1024

#: What is kept for clients is bounded; the bounds are reached soon.
BOUNDS = {
    "mqtt.sessions": "20",
    "mqtt.session_bytes": "1000000",
    "mqtt.retained": "200",
    "mqtt.retained_bytes": "1000000",
    "identity.robots": "50",
}

#: What the log must not have.
ALARMS = ("Traceback", "Unhandled", "MemoryError", "RecursionError")


def resident(pid: int) -> int:
    """The memory of a process in KiB; 0 where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line)


class FuzzTests(InteropCase):
    """A server, somebody who breaks packets, and two clients that must not notice."""

    def setUp(self) -> None:
        super().setUp()
        options = [word for each in BOUNDS.items() for word in ("--set", "=".join(each))]
        self.server = self.serve(*options, anonymous=True)
        self.target = self.server.anonymous()
        add_account(self.server, ACCOUNT, PASSWORD)
        self.pair = [self.decent("hearer"), self.decent("speaker")]
        self.pair[0].say(subscribe(1, ("decent/talk", 1)))
        self.assertEqual(self.pair[0].hear(Kind.SUBACK).body, b"\0\1\1")
        self.looks = 0

    def decent(self, name: str) -> Wire:
        """A client that does everything right."""
        login = Login(name, ACCOUNT, PASSWORD, keep_alive=600)
        wire, _ = connected(self.server.ports().mqtt, login)
        self.addCleanup(wire.close)
        return wire

    def test_broken_packets(self) -> None:
        """Everything is answered or closed, nobody else notices, and nothing is left behind."""
        wanted = {"require": MANY, "run": SOME}.get(os.environ.get(CHOICE, ""), FEW)
        seed = int(os.environ.get(SEED, "1"))
        rounds = wanted // (PER_CONNECTION * ABREAST)
        warm = 0
        for number in range(rounds):
            self.attack([f"{seed}/{number}/{each}" for each in range(ABREAST)])
            if number % LOOK == 0:
                self.look(f"{seed}/{number}")
            if number == int(rounds * WARM):
                warm = resident(self.server.child.pid)
        self.look(f"{seed}/end")
        grown = resident(self.server.child.pid) - warm
        self.assertLess(grown, GROWTH, f"KiB grown, seed {seed}")
        said = "\n".join([*self.server.child.out, *self.server.child.err])
        self.assertEqual([alarm for alarm in ALARMS if alarm in said], [], said[-5000:])

    def test_proper_packets(self) -> None:
        """What nobody has broken is answered to its end, so that the rest means something."""
        wire, _ = connected(self.target, Login("proper"))
        self.addCleanup(wire.close)
        wire.say(*talk(Random(0)), packet(Kind.PINGREQ))
        while wire.hear().first != Kind.PINGRESP:
            pass

    def attack(self, seeds: list[str]) -> None:
        """Some connections; the server ends each, or we do when it has read everything."""
        randoms = [Random(seed) for seed in seeds]
        talks = [conversation(random, PER_CONNECTION) for random in randoms]
        wires = [Wire(self.target) for _ in seeds]
        try:
            for wire, (login, _, _) in zip(wires, talks, strict=True):
                wire.say(login)
            for wire, (_, rest, proper), random in zip(wires, talks, randoms, strict=True):
                self.go_on(wire, rest, proper and bool(random.randrange(HASTY)))
            for wire in wires:
                for _ in wire.rest():
                    pass
        except TimeoutError:
            self.fail(f"the server neither answers nor closes, seeds {seeds}")
        finally:
            for wire in wires:
                wire.close()

    def go_on(self, wire: Wire, rest: bytes, patient: bool) -> None:
        """Say the rest, if there is still somebody there."""
        try:
            if patient:
                wire.hear()
            wire.say(rest)
        except Closed:
            return
        wire.finished()

    def look(self, seed: str) -> None:
        """Two decent clients talk as if nothing had happened."""
        self.looks += 1
        hearer, speaker = self.pair
        said, number = b"%d" % self.looks, self.looks % 60_000 + 1
        speaker.say(publish("decent/talk", said, 1, number), packet(Kind.PINGREQ))
        # Somebody who is away may want it kept, and then PUBACK is the later one.
        answers = sorted((speaker.hear(), speaker.hear()), key=lambda heard: heard.first)
        self.assertEqual([each.first for each in answers], [Kind.PUBACK, Kind.PINGRESP], seed)
        self.assertEqual(answers[0].packet_id, number, seed)
        heard = hearer.hear(Kind.PUBLISH).message()
        self.assertEqual((heard.topic, heard.payload, heard.qos), ("decent/talk", said, 1), seed)
        hearer.say(answer(Kind.PUBACK, heard.packet_id))
