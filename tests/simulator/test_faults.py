"""Misbehaving robots, and servers that are caught misbehaving (robots.md 8, 9)."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.simulator.faults import Garbage
from bumper_tw.simulator.identity import Kind, Profile, identities
from bumper_tw.simulator.mqtt import packet, text
from bumper_tw.simulator.record import MOST_BYTES, MOST_VIOLATIONS, Frame, Transcript, Violations
from tests.simulator.rig import HELPER, Rig, data_of, published, said


class FaultTests(SynchronousTestCase):
    """The knobs."""

    def setUp(self) -> None:
        self.rig = Rig().greeted()
        self.faults = self.rig.robot.faults

    def replies(self, *commands: str) -> list[tuple[str, bytes]]:
        """Send requests and take everything published."""
        for number, command in enumerate(commands):
            self.rig.request(command, request_id=f"Req{'ABCDEF'[number]}")
        return published(said(self.rig.transport))

    def test_mute(self) -> None:
        """A muted command meets silence as often as asked, others do not."""
        self.faults.mute("getBattery", 2)
        replies = self.replies("getBattery", "getSpeed", "getBattery", "getBattery")
        self.assertEqual([topic.split("/")[10] for topic, _ in replies], ["ReqB", "ReqD"])

    def test_delay(self) -> None:
        """A delayed reply comes late, not earlier."""
        self.faults.delay("getBattery", 30)
        self.assertEqual(self.replies("getBattery"), [])
        self.rig.clock.advance(29.9)
        self.assertEqual([t for t, _ in published(said(self.rig.transport)) if "p2p" in t], [])
        self.rig.clock.advance(0.1)
        self.assertEqual(len(published(said(self.rig.transport))), 1)

    def test_reorder(self) -> None:
        """Replies come in pairs, the second first."""
        self.faults.reorder = True
        replies = self.replies("getBattery", "getSpeed", "getSleep")
        self.assertEqual([topic.split("/")[10] for topic, _ in replies], ["ReqB", "ReqA"])

    def test_forged_topics(self) -> None:
        """Each knob spoils its own segment and leaves the others."""
        [(right, _)] = self.replies("getBattery")
        for knob, places in (
            ("wrong_id", {10}),
            ("wrong_sender", {3}),
            ("wrong_command", {2}),
        ):
            rig = Rig().greeted()
            setattr(rig.robot.faults, knob, True)
            rig.request("getBattery", request_id="ReqA")
            [(forged, _)] = published(said(rig.transport))
            pairs = zip(right.split("/"), forged.split("/"), strict=True)
            self.assertEqual({n for n, (a, b) in enumerate(pairs) if a != b}, places)

    def test_topic_lengths(self) -> None:
        """Short topics have 6 segments, long ones 13."""
        self.faults.short_topic = True
        [(short, _)] = self.replies("getBattery")
        self.faults.short_topic, self.faults.long_topic = False, True
        [(long, _)] = self.replies("getBattery")
        self.assertEqual((short.count("/"), long.count("/")), (5, 12))

    def test_duplicate(self) -> None:
        """Every reply comes twice."""
        self.faults.duplicate = True
        first, second = self.replies("getBattery")
        self.assertEqual(first, second)

    def test_garbage(self) -> None:
        """The payload is what the knob says, up to 300 KiB."""
        for garbage in Garbage:
            self.faults.garbage = garbage
            [(_, payload)] = self.replies("getBattery")
            self.assertEqual(payload, garbage.value)
        self.assertEqual(len(Garbage.LARGE.value), 300 * 1024)

    def test_numeric_strings(self) -> None:
        """Numbers of statistics become text, others stay."""
        self.faults.numeric_strings = True
        stats, battery = self.replies("getStats", "getBattery")
        self.assertEqual(data_of(stats[1])["area"], "0")
        self.assertEqual(data_of(battery[1])["value"], 87)
        self.rig.robot.report("onStats")
        [(_, event)] = self.rig.events()
        self.assertEqual(data_of(event)["time"], "0")

    def test_unescaped(self) -> None:
        """A name with markup goes out as it is."""
        rig = Rig(Kind.XML).greeted()
        rig.robot.faults.unescaped = True
        self.assertEqual(rig.robot.faults.payload("GetNetInfo", b"a&amp;b&lt;c"), b"a&b<c")

    def test_spoof(self) -> None:
        """An event and a reply carry another robot's identity."""
        victim = identities(2, Kind.JSON)[1]
        self.rig.robot.spoof(victim)
        event, reply = published(said(self.rig.transport))
        theirs = f"{victim.did}/{victim.cls}/{victim.resource}"
        self.assertEqual(event[0], f"iot/atr/onBattery/{theirs}/j")
        self.assertEqual(reply[0], f"iot/p2p/onBattery/{theirs}/{HELPER}/p/Forg/j")

    def test_spy(self) -> None:
        """A granted forbidden filter is a violation, a refused one is not."""
        self.rig.robot.spy(identities(2, Kind.JSON)[1])
        subscriptions = [body for first, body in said(self.rig.transport) if first == 0x82]
        self.assertEqual(subscriptions[0][2:], b"\0\1#\0")
        for body in subscriptions[:-1]:
            self.rig.hear(b"\x90\x03" + body[:2] + b"\x80")
        self.assertEqual(list(self.rig.robot.violations), [])
        self.rig.hear(b"\x90\x03" + subscriptions[-1][:2] + b"\0")
        [violation] = self.rig.robot.violations
        self.assertIn("granted iot/dtgcfg/", violation)

    def test_flood(self) -> None:
        """Events come at the given rate until it is zero."""
        self.rig.robot.flood(20)
        self.rig.clock.pump([0.0625] * 32)
        names = [name for name, _ in self.rig.events()]
        self.assertIn(names.count("onBattery"), range(38, 42))
        self.rig.robot.flood(0)
        self.rig.clock.advance(1)
        self.assertEqual(self.rig.events(), [])


class ViolationTests(SynchronousTestCase):
    """What a robot notices about its server."""

    def setUp(self) -> None:
        self.rig = Rig().greeted()

    def violation(self) -> str:
        """The only violation."""
        [found] = self.rig.robot.violations
        return found

    def test_good_request(self) -> None:
        """A proper request is none."""
        self.rig.request("getBattery")
        self.assertEqual(list(self.rig.robot.violations), [])

    def test_sender(self) -> None:
        """A sender without permission is noticed; the profile permits more."""
        self.rig.request("getBattery", sender="fuid_x/ecouser/abcd")
        self.assertIn("sender fuid_x/ecouser/abcd", self.violation())
        other = Rig(profile=Profile(permitted=frozenset({"fuid_x/ecouser/abcd"}))).greeted()
        other.request("getBattery", sender="fuid_x/ecouser/abcd")
        self.assertEqual(list(other.robot.violations), [])

    def test_request_id(self) -> None:
        """An id is four letters."""
        self.rig.request("getBattery", request_id="abc1")
        self.assertIn("request id abc1", self.violation())

    def test_request_id_in_use(self) -> None:
        """An id is not used twice at the same time."""
        rig = Rig(latency=(0.1, 0.2)).greeted()
        rig.request("getBattery")
        rig.request("getSpeed")
        self.assertEqual(list(rig.robot.violations), ["request id AbCd is in use"])

    def test_format(self) -> None:
        """The format letter is the robot's own, except for platform commands."""
        self.rig.request("getBattery", b"<ctl/>", letter="x")
        self.assertIn("format x", self.violation())

    def test_payload(self) -> None:
        """A JSON robot wants an object."""
        for payload in (b"", b"[]", b"{", b"\xff", b"[" * 100_000):
            self.rig.request("getBattery", payload)
        self.assertEqual(len(self.rig.robot.violations), 5)
        self.assertEqual(said(self.rig.transport), [])

    def test_foreign_robot(self) -> None:
        """A request for another robot is noticed and not obeyed."""
        topic = f"iot/p2p/getBattery/{HELPER}/other/yna5xi/abcd/q/AbCd/j"
        self.rig.hear(packet(0x30, text(topic) + b"{}"))
        self.assertIn("for another robot", self.violation())

    def test_reply_delivered(self) -> None:
        """A reply delivered to a robot is noticed."""
        self.rig.request("getBattery", direction="p")
        self.assertIn("a reply was delivered", self.violation())

    def test_segments(self) -> None:
        """Topics of other lengths are noticed, settings are not."""
        self.rig.hear(packet(0x30, text("iot/p2p/x") + b"{}"))
        self.rig.hear(packet(0x30, text(f"iot/cfg/{self.rig.own}/j/setting2") + b"{}"))
        self.assertIn("not a request topic", self.violation())

    def test_retained(self) -> None:
        """A retained message is noticed."""
        topic = f"iot/p2p/getBattery/{HELPER}/{self.rig.own}/q/AbCd/j"
        self.rig.hear(packet(0x31, text(topic) + b"{}"))
        self.assertIn("retained", self.violation())

    def test_before_subscription(self) -> None:
        """A request before the grant is noticed."""
        rig = Rig().start()
        rig.hear(b"\x20\x02\x00\x00")
        rig.request("setTimeZone", json.dumps({"body": {"data": {"tzm": 0}}}).encode())
        self.assertIn("before the subscription", next(iter(rig.robot.violations)))

    def test_time_sync(self) -> None:
        """With synchronisation expected, none and two are violations, one is not."""
        body = json.dumps({"body": {"data": {"tzm": 0}}}).encode()
        for count, violations in ((0, 1), (1, 0), (2, 1)):
            rig = Rig(profile=Profile(time_sync=True)).greeted()
            for _ in range(count):
                rig.request("setTimeZone", body)
            self.successResultOf(rig.robot.stop())
            self.assertEqual(len(rig.robot.violations), violations)

    def test_bounded(self) -> None:
        """Violations and frames are bounded however long the run."""
        violations, transcript = Violations(), Transcript()
        for number in range(5000):
            violations.add(f"{number}" * 1000)
            transcript.add(Frame(number, True, b"x" * 1000))
        self.assertEqual(len(violations), MOST_VIOLATIONS)
        self.assertLessEqual(len(transcript.sent()), MOST_BYTES)

    def test_transcript(self) -> None:
        """Both directions are recorded with their time."""
        frames = list(self.rig.robot.transcript)
        self.assertTrue(frames[0].outgoing)
        self.assertEqual(frames[0].raw[:1], b"\x10")
        self.assertIn(b"\x20\x02\x00\x00", [frame.raw for frame in frames if not frame.outgoing])
        self.assertEqual(frames[0].time, 1767225600)
