"""Tests for L{bumper_tw.core.command_log}, and for what the correlator tells it."""

from typing import Any

from attrs import evolve
from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from bumper_tw.core.command_log import MOST, ROBOTS, CommandLog
from bumper_tw.core.commands import CommandCorrelator, Ending, request_ids
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.errors import CommandTimedOut, DeviceOffline, DeviceUnknown
from bumper_tw.interfaces import IFeed
from bumper_tw.storage.memory import MemoryDeviceStore
from bumper_tw.values import Command, DeviceId, PayloadKind, RequestId
from tests.samples import DUSTY, DUSTY_DEVICE, GET_BATTERY, RUSTY, RecordingLink

OK = b'{"header":{},"body":{"code":0,"msg":"ok"}}'
REFUSED = b'{"body":{"code":3,"msg":"fail"}}'


@implementer(IFeed)
class Notes:
    """A feed that remembers."""

    position = "0"

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def put(self, key: str, kind: str, value: Any) -> None:
        """Something is like this now."""
        self.kept[key] = {"kind": kind, **value}

    def drop(self, key: str) -> None:
        """It is no more."""
        self.kept.pop(key, None)


def ending(number: int = 1, did: str = DUSTY.did, **values: Any) -> Ending:
    """A command that has ended."""
    asked = Command(DeviceId(did, "yna5xi", "x"), values.pop("name", "clean"), b"{}")
    told: dict[str, Any] = {
        "by": "page",
        "outcome": "answered",
        "seconds": 0.25,
        "body": OK,
    } | values
    return Ending(asked, request=RequestId(f"r{number}"), **told)


class LogTests(SynchronousTestCase):
    """What is kept, and how it is told."""

    def setUp(self) -> None:
        self.clock, self.feed = Clock(), Notes()
        self.clock.advance(1000)
        self.log = CommandLog(self.clock, self.feed, lambda did: did != "nobody")

    def outcome(self, **values: Any) -> tuple[str, str]:
        """How one command is told."""
        self.log.ended(ending(**values))
        entry = self.log.of(DUSTY.did)[0]
        return entry.outcome, entry.words

    def test_entry(self) -> None:
        """All that a page shows goes to the feed as well."""
        self.log.ended(ending())
        [entry] = self.log.of(DUSTY.did)
        told = {
            "number": 1,
            "did": DUSTY.did,
            "name": "clean",
            "at": 999.75,
            "seconds": 0.25,
            "outcome": "answered",
            "words": "answered",
            "by": "page",
            "size": len(OK),
            "what": "",
        }
        self.assertEqual(entry.values(), told)
        self.assertEqual(self.feed.kept, {"command 1": {"kind": "command", **told}})

    def test_refused(self) -> None:
        """A robot that refuses has answered, and not done it."""
        words = "refused: something is wrong with it (code 3)"
        self.assertEqual(self.outcome(body=REFUSED), ("refused", words))

    def test_refused_xml(self) -> None:
        """In XML, too."""
        asked = evolve(ending().command, kind=PayloadKind.XML)
        end = evolve(ending(body=b"<ctl ret='fail' errno='3'/>"), command=asked)
        self.log.ended(end)
        self.assertEqual(self.log.of(DUSTY.did)[0].words, "refused: fail (errno 3)")

    def test_what(self) -> None:
        """Commands of one name are told apart."""
        for act, what in (("start", "Clean"), ("pause", "Pause"), ("stop", "Stop")):
            body = b'{"body":{"data":{"act":"%b"}}}' % act.encode()
            end = ending()
            self.log.ended(evolve(end, command=evolve(end.command, body=body)))
            self.assertEqual(self.log.of(DUSTY.did)[0].what, what)

    def test_home_already(self) -> None:
        """A robot that is in its dock is where it was sent."""
        body = b'{"body":{"code":30007,"msg":"fail"}}'
        told = self.outcome(name="charge", body=body)
        self.assertEqual(told, ("answered", "it was in its dock already"))

    def test_failures(self) -> None:
        """Every end has words, also one that nobody has thought of."""
        table = {
            "CommandTimedOut": ("timeout", "no answer in 10 s"),
            "DeviceOffline": ("offline", "not connected"),
            "RobotBusy": ("busy", "too many commands at once"),
            "ShuttingDown": ("stopping", "the server was stopping"),
            "dropped": ("dropped", "nobody waited for the answer"),
            "BadRequest": ("unsendable", "no words for that"),
            "Strange": ("failed", "no words for that"),
        }
        for outcome, told in table.items():
            values = {"seconds": 10.0, "body": None, "words": "no words for that"}
            self.assertEqual(self.outcome(outcome=outcome, **values), told)

    def test_hostile(self) -> None:
        """An answer of nonsense is an answer, and a long refusal is cut."""
        self.assertEqual(self.outcome(body=b"\xff{")[0], "answered")
        long = b'{"body":{"code":3,"msg":"' + b"x" * 1500 + b'"}}'
        self.assertLess(len(self.outcome(body=long)[1]), 250)

    def test_bounds(self) -> None:
        """So many of a robot, in the log and in the feed; the oldest go."""
        for number in range(MOST + 20):
            self.log.ended(ending(number))
        entries = self.log.of(DUSTY.did)
        self.assertEqual((len(entries), len(self.feed.kept)), (MOST, MOST))
        self.assertEqual(entries[0].number, MOST + 20)
        self.assertIn(f"command {entries[-1].number}", self.feed.kept)

    def test_questions(self) -> None:
        """What programs ask all day long does not drive out what people ordered."""
        self.log.ended(ending())
        for number in range(MOST * 3):
            self.log.ended(ending(number, name="getBattery"))
        entries = self.log.of(DUSTY.did)
        self.assertEqual((len(entries), len(self.feed.kept)), (MOST, MOST))
        self.assertEqual((entries[-1].name, entries[-1].number), ("clean", 1))

    def test_robots(self) -> None:
        """So many robots; who was told something longest ago makes room."""
        for number in range(ROBOTS + 3):
            self.log.ended(ending(did=f"robot{number}"))
            self.log.ended(ending(did="robot0"))
        self.assertEqual(len(self.log.of("robot0")), MOST)
        self.assertEqual(self.log.of("robot1"), ())
        self.assertEqual(len(self.feed.kept), ROBOTS - 1 + MOST)

    def test_stranger(self) -> None:
        """What is meant for no robot of ours is not kept, nor what this box asks for itself."""
        self.log.ended(ending(did="nobody"))
        self.log.ended(ending(by=""))
        self.assertEqual((self.log.of("nobody"), self.feed.kept), ((), {}))

    def test_forgotten(self) -> None:
        """A robot that is gone leaves nothing."""
        self.log.ended(ending())
        self.log.forget(DUSTY.did)
        self.assertEqual((self.log.of(DUSTY.did), self.feed.kept), ((), {}))


class WatchTests(SynchronousTestCase):
    """What the correlator tells of each command that ends."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.registry = DeviceRegistry(self.clock, MemoryDeviceStore())
        self.link = RecordingLink()
        self.registry.attach(DUSTY_DEVICE, self.link)
        ids = request_ids(1)
        self.commands = CommandCorrelator(self.clock, self.registry, ids, outstanding=1)
        self.ended: list[Ending] = []
        self.unwatch = self.commands.watch(self.ended.append)

    def test_answered(self) -> None:
        """Which command it was, who asked, how long it took, and what the robot said."""
        asked = self.commands.send(GET_BATTERY, by="app")
        [(_, request)] = self.link.delivered
        self.clock.advance(0.5)
        self.commands.replied(DUSTY, "getBattery", request, b"87")
        self.successResultOf(asked)
        [end] = self.ended
        self.assertEqual((end.command, end.by, end.outcome), (GET_BATTERY, "app", "answered"))
        self.assertEqual((end.request, end.seconds, end.body), (request, 0.5, b"87"))

    def test_failures(self) -> None:
        """A command that fails, that nobody waits for, or that cannot be tried, has ended."""
        silent = self.commands.send(GET_BATTERY, timeout=3)
        waiting = self.commands.send(GET_BATTERY)
        waiting.cancel()
        self.clock.advance(3)
        self.failureResultOf(waiting, CancelledError)
        self.failureResultOf(silent, CommandTimedOut)
        nobody = self.commands.send(Command(RUSTY, "Clean", b""), by="MQTT")
        self.failureResultOf(nobody, DeviceUnknown)
        told = [(end.outcome, end.by, end.request is None) for end in self.ended]
        expected = [
            ("dropped", "", True),
            ("CommandTimedOut", "", False),
            ("DeviceUnknown", "MQTT", True),
        ]
        self.assertEqual(told, expected)
        self.assertIn("did not answer within 3 s", self.ended[1].words)

    def test_gone(self) -> None:
        """What a robot owed when it went has ended, too; once."""
        asked = self.commands.send(GET_BATTERY)
        self.commands.detached(DUSTY)
        self.failureResultOf(asked, DeviceOffline)
        self.clock.advance(60)
        self.assertEqual([end.outcome for end in self.ended], ["DeviceOffline"])

    def test_unwatched(self) -> None:
        """Whoever has heard enough hears no more, and it is counted as before."""
        self.unwatch()
        asked = self.commands.send(GET_BATTERY, timeout=1)
        self.clock.advance(1)
        self.failureResultOf(asked, CommandTimedOut)
        self.assertEqual(self.ended, [])
        self.assertEqual(self.commands.counts["CommandTimedOut"], 1)
