"""Topics are read by their grammar, and written so that they can be read."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect import topics
from bumper_tw.dialect.topics import ReplyTopic, ReportTopic, RequestTopic
from bumper_tw.errors import BadRequest
from bumper_tw.values import Command, DeviceId, PayloadKind, Principal, RequestId, Role

DUSTY = DeviceId("7c1f0a52-93be-4d0e-8a44-1b6de2f09c35", "yna5xi", "qX7d")
OWN = str(DUSTY)
USER = Principal(Role.USER, "fuid_a1b2c3", "ecouser", "GLBa91f03c2d")
REPLY = f"iot/p2p/getBattery/{OWN}/helperbot/bumper/helperbot/p/aBcD/j"
REQUEST = f"iot/p2p/getBattery/fuid_a1b2c3/ecouser/GLBa91f03c2d/{OWN}/q/aBcD/x"
REPORT = f"iot/atr/onFwBuryPoint-bd_sysinfo/{OWN}/j"

PARSERS = (ReplyTopic.parse, RequestTopic.parse, ReportTopic.parse)

names = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
levels = st.text(st.characters(exclude_characters="/+#\0", codec="utf-8"), min_size=1, max_size=40)
requests = st.from_regex(r"[A-Za-z0-9]{1,32}", fullmatch=True).map(RequestId)
devices = st.builds(DeviceId, levels, levels, levels)
kinds = st.sampled_from(PayloadKind)


def matches(pattern: str, topic: str) -> bool:
    """Does a filter without C{#} match a topic?"""
    pairs = list(zip(pattern.split("/"), topic.split("/"), strict=False))
    same = pattern.count("/") == topic.count("/")
    return same and all(level in {"+", other} for level, other in pairs)


class ParseTests(SynchronousTestCase):
    """The three kinds of topics our side listens to."""

    def test_reply(self) -> None:
        """A reply names the robot, the question and whoever asked."""
        expected = ReplyTopic("getBattery", DUSTY, RequestId("aBcD"), PayloadKind.JSON)
        self.assertEqual(ReplyTopic.parse(REPLY), expected)
        self.assertEqual(expected.asker, topics.HELPER)

    def test_request(self) -> None:
        """A request names the sender, the robot, the question and the direction."""
        read = RequestTopic.parse(REQUEST)
        self.assertEqual(read.sender, ("fuid_a1b2c3", "ecouser", "GLBa91f03c2d"))
        self.assertEqual((read.device, read.request, read.direction), (DUSTY, "aBcD", "q"))
        self.assertEqual((read.name, read.kind), ("getBattery", PayloadKind.XML))

    def test_one_way(self) -> None:
        """A message that wants no answer is a request of direction m."""
        self.assertEqual(RequestTopic.parse(REQUEST.replace("/q/", "/m/")).direction, "m")

    def test_report(self) -> None:
        """A report names the event and the robot."""
        expected = ReportTopic("onFwBuryPoint-bd_sysinfo", DUSTY, PayloadKind.JSON)
        self.assertEqual(ReportTopic.parse(REPORT), expected)

    def test_one_kind_each(self) -> None:
        """No topic is of two kinds."""
        for topic in (REPLY, REQUEST, REPORT):
            self.assertEqual(sum(fits(parse, topic) for parse in PARSERS), 1, topic)

    def test_misfits(self) -> None:
        """What is not in the grammar is a ValueError: count, letters, wildcards, empty levels."""
        wrong = [
            "",
            "iot/atr",
            f"{REPORT}/j",
            f"iot/atr/onBattery/{OWN}/aBcD/j",
            REPLY[:-1] + "q",
            REPLY + "\n",
            REPLY.replace("aBcD", "a-b"),
            REPLY.replace("aBcD", "a" * 33),
            REPLY.replace("qX7d", ""),
            REPLY.replace("qX7d", "+"),
            REPLY.replace("qX7d", "#"),
            REPLY.replace("qX7d", "q\0"),
            REPLY.replace("qX7d", "q" * 129),
            REPLY.replace("getBattery", "get battery"),
            REPLY.replace("getBattery", "g" * 65),
            REPLY.replace("getBattery", "gétBattery"),
            REPORT.replace("iot", "IOT"),
        ]
        for topic in wrong:
            for parse in PARSERS:
                self.assertRaises(ValueError, parse, topic)

    @given(st.text(max_size=200))
    def test_garbage(self, topic: str) -> None:
        """Any other text is a ValueError and nothing else."""
        for parse in PARSERS:
            self.assertFalse(fits(parse, topic))

    @given(names, devices, requests, kinds)
    def test_round_trip(
        self, name: str, device: DeviceId, request: RequestId, kind: PayloadKind
    ) -> None:
        """What we ask is read back, and so is the answer to it."""
        topic = topics.request_topic(Command(device, name, b"", kind), request)
        asked = RequestTopic(name, topics.HELPER, device, request, kind)
        self.assertEqual(RequestTopic.parse(topic), asked)
        reply = f"iot/p2p/{name}/{device}/{'/'.join(topics.HELPER)}/p/{request}/{kind.value}"
        self.assertEqual(ReplyTopic.parse(reply), ReplyTopic(name, device, request, kind))
        self.assertTrue(matches(topics.REPLIES, reply))


def fits(parse: object, topic: str) -> bool:
    """Does a parser take this topic?"""
    assert callable(parse)
    try:
        parse(topic)
    except ValueError:
        return False
    return True


class RequestTopicTests(SynchronousTestCase):
    """Where our side puts its questions."""

    def test_literal(self) -> None:
        """The sender is the name that robots of the community know (mqtt.md 4.4)."""
        topic = topics.request_topic(Command(DUSTY, "getBattery", b"{}"), RequestId("aBcD"))
        sender = "helperbot/bumper/helperbot"
        self.assertEqual(topic, f"iot/p2p/getBattery/{sender}/{OWN}/q/aBcD/j")

    def test_bad_names(self) -> None:
        """A name that would make another topic is refused, and so is an address."""
        for name in ("", "a/b", "+", "#", "a b", "n" * 65, "ä", "a\n"):
            command = Command(DUSTY, name, b"")
            self.assertRaises(BadRequest, topics.request_topic, command, RequestId("a"))
        for device in (DeviceId("", "c", "r"), DeviceId("d", "+", "r"), DeviceId("d/d", "c", "r")):
            command = Command(device, "getBattery", b"")
            self.assertRaises(BadRequest, topics.request_topic, command, RequestId("a"))


class FilterTests(SynchronousTestCase):
    """What the parties may hear and say (mqtt.md 5.1)."""

    def test_our_side(self) -> None:
        """Our own filters catch replies and reports, and no requests."""
        self.assertTrue(matches(topics.REPLIES, REPLY))
        self.assertTrue(matches(topics.ALL_REPLIES, REPLY))
        self.assertFalse(matches(topics.REPLIES, REPLY.replace("helperbot/bumper", "u/ecouser")))
        self.assertFalse(matches(topics.ALL_REPLIES, REQUEST))
        self.assertTrue(matches(topics.REPORTS, REPORT))

    def test_robot(self) -> None:
        """A robot hears its requests, answers, and reports."""
        hears, speaks = topics.robot_filters(DUSTY), topics.robot_may_publish(DUSTY)
        self.assertTrue(any(matches(pattern, REQUEST) for pattern in hears))
        for topic in (REPLY, REPORT):
            self.assertTrue(any(matches(pattern, topic) for pattern in speaks))
            self.assertFalse(any(matches(pattern, topic) for pattern in hears))

    def test_robot_settings(self) -> None:
        """Both orders of one's own address are fine in the settings family (mqtt.md 4.1)."""
        allowed = topics.robot_may_subscribe(DUSTY)
        self.assertIn(f"iot/cfg/{OWN}/+/+", allowed)
        self.assertIn("iot/dtcfg/yna5xi/222/+/+", allowed)
        self.assertIn(f"iot/dtgcfg/yna5xi/{DUSTY.did}/qX7d/+/+", allowed)
        self.assertTrue(set(topics.robot_filters(DUSTY)[1:]) <= set(allowed))

    def test_user(self) -> None:
        """A user follows a robot: its reports, the questions to it and its answers."""
        allowed = topics.user_may_subscribe(DUSTY)
        for topic in (REPLY, REQUEST, REPORT):
            self.assertTrue(any(matches(pattern, topic) for pattern in allowed))
            other = topic.replace("yna5xi", "uv242z")
            self.assertFalse(any(matches(pattern, other) for pattern in allowed))

    def test_user_alone(self) -> None:
        """A user hears the answers to oneself, and may be allowed to ask."""
        reply = f"iot/p2p/getBattery/{OWN}/{USER.device}/p/aBcD/x"
        self.assertTrue(any(matches(p, reply) for p in topics.user_may_hear(USER)))
        self.assertTrue(any(matches(p, REQUEST) for p in topics.user_may_command(USER, DUSTY)))

    def test_no_wider_than_asked(self) -> None:
        """An address with a wildcard in it makes no filter."""
        for level in ("+", "#", "", "a/b"):
            wide = DeviceId("d", level, "r")
            for make in (topics.robot_may_publish, topics.user_may_subscribe):
                self.assertRaises(ValueError, make, wide)
