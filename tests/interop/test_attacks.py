"""What somebody does who means no good, against a started server."""

from http.client import HTTPConnection

from tests.interop.case import InteropCase, add_account
from tests.interop.raw_mqtt import (
    Kind,
    Login,
    Wire,
    answer,
    connected,
    packet,
    publish,
    subscribe,
    text,
)
from tests.interop.raw_wire import Closed
from tests.interop.server import HOST

ACCOUNT, PASSWORD = "dash", "correct horse"

#: CONNACK codes (MQTT 3.1.1, 3.2.2.3).
IDENTIFIER, NOT_AUTHORIZED = 2, 5

#: Seconds a stranger has for a CONNECT.
STRANGER_SECONDS = 1

#: Messages that are kept for a client that is away.
QUEUED = 50

#: More QoS 2 publications than anybody leaves unreleased.
UNRELEASED = 100_000


class AttackCase(InteropCase):
    """A server with little patience, and a client that must not notice."""

    def setUp(self) -> None:
        super().setUp()
        limits = (f"mqtt.login_seconds={STRANGER_SECONDS}", f"mqtt.queued={QUEUED}")
        options = [word for limit in limits for word in ("--set", limit)]
        self.server = self.serve(*options, "--set", "mqtt.inflight=10")
        self.port = self.server.ports().mqtt
        add_account(self.server, ACCOUNT, PASSWORD)
        self.decent = self.client("decent")
        self.decent.say(subscribe(1, ("home/#", 1)))
        self.decent.hear(Kind.SUBACK)

    def wire(self) -> Wire:
        """A connection on which nothing was said."""
        made = Wire(self.port)
        self.addCleanup(made.close)
        return made

    def client(self, name: str, clean: bool = True) -> Wire:
        """A service that is let in."""
        made, _ = connected(self.port, Login(name, ACCOUNT, PASSWORD, clean, 600))
        self.addCleanup(made.close)
        return made

    def verdict(self, login: Login) -> int:
        """What the CONNACK says; -1 when there is none."""
        wire = self.wire()
        try:
            wire.say(login.written())
            return wire.hear(Kind.CONNACK).body[1]
        except Closed:
            return -1

    def closed(self, *written: bytes, wire: Wire | None = None) -> None:
        """What is said ends the connection; everybody else is still served."""
        wire = wire or self.wire()
        try:
            wire.say(*written)
            heard = list(wire.rest())
        except Closed:
            heard = []
        self.assertEqual([each for each in heard if each.first != Kind.CONNACK], [])
        self.well()

    def well(self) -> None:
        """The decent client talks to itself."""
        self.decent.say(publish("home/well", b"", 1, 7))
        kinds = {self.decent.hear().first & 0xF0 for _ in range(2)}
        self.assertEqual(kinds, {Kind.PUBACK, Kind.PUBLISH})


class StrangerTests(AttackCase):
    """Before anybody is let in."""

    def test_first_packet(self) -> None:
        """What does not begin with CONNECT is closed, not answered."""
        for said in (packet(Kind.PINGREQ), publish("home/door", b"")):
            self.closed(said)

    def test_other_protocol(self) -> None:
        """A browser is told that it has come to the wrong port."""
        browser = HTTPConnection(HOST, self.port, timeout=5)
        self.addCleanup(browser.close)
        browser.request("GET", "/")
        answer = browser.getresponse()
        self.assertEqual((answer.status, answer.read()), (400, b"Here is no HTTP.\n"))
        self.well()

    def test_lengths(self) -> None:
        """A CONNECT of 256 MiB, or of a length that has no end, is not waited for."""
        for said in (
            b"\x10\xff\xff\xff\x7f",
            b"\x10\xff\xff\xff\xff\x01",
            b"\x10\x80\x80\x80\x80",
        ):
            self.closed(said)

    def test_slow(self) -> None:
        """A CONNECT that comes byte by byte has no more time than another."""
        login = Login("slow", ACCOUNT, "x" * 60_000).written()
        self.assertFalse(self.wire().drip(login, 0.1), "it was let finish")
        self.well()

    def test_names(self) -> None:
        """Names that are wildcards, endless, or the server's own are nobody's."""
        for name in ("#", "+", "a/#", "x" * 300, "\x01", "a\x7f"):
            self.assertEqual(self.verdict(Login(name, ACCOUNT, PASSWORD)), IDENTIFIER, name[:9])
        self.closed(Login("x" * 65_535, ACCOUNT, PASSWORD).written())
        for name in ("helperbot@bumper/helperbot", "HelperBot@bumper/x", "a@ecosys/1"):
            code = self.verdict(Login(name, ACCOUNT, PASSWORD))
            self.assertIn(code, (IDENTIFIER, NOT_AUTHORIZED), name)
        self.assertGreater(self.verdict(Login("helperbot", "helperbot", "")), 0)
        self.well()

    def test_no_account(self) -> None:
        """Who gives no password is not let in where nothing else was said."""
        self.assertIn(self.verdict(Login("nobody")), (IDENTIFIER, NOT_AUTHORIZED))
        self.assertIn(self.verdict(Login("")), (IDENTIFIER, NOT_AUTHORIZED))
        self.assertEqual(self.verdict(Login("", clean=False)), IDENTIFIER)

    def test_somebody_elses_name(self) -> None:
        """A connection is not taken away by who has another account."""
        add_account(self.server, "other", PASSWORD)
        verdict = self.verdict(Login("decent", "other", PASSWORD))
        # Either it is refused, or the two names have nothing to do with each other.
        self.assertIn(verdict, (0, NOT_AUTHORIZED))
        self.well()


class InsiderTests(AttackCase):
    """Those who were let in."""

    def test_second_connect(self) -> None:
        """A second CONNECT ends the connection (MQTT-3.1.0-2)."""
        self.closed(Login("twice", ACCOUNT, PASSWORD).written(), wire=self.client("twice"))

    def test_server_packets(self) -> None:
        """Packets that only servers send end the connection."""
        for said in (
            packet(Kind.CONNACK, b"\0\0"),
            packet(Kind.SUBACK, b"\0\1\0"),
            packet(Kind.UNSUBACK, b"\0\1"),
            packet(Kind.PINGRESP),
            packet(0x00),
            packet(0xF0),
        ):
            self.closed(said, wire=self.client("server"))

    def test_topics(self) -> None:
        """Topics that are none end the connection."""
        bad = (b"", b"home/#", b"+", b"a\0b", b"\xff", b"\xed\xa0\x80", b"x" * 60_000, b"/" * 512)
        for topic in bad:
            self.closed(publish(topic, b""), wire=self.client("topics"))

    def test_forbidden_topics(self) -> None:
        """What a service must not say is acknowledged, and heard by nobody."""
        wire = self.client("forger")
        for topic in ("$SYS/broker/uptime", "iot/atr/onBattery/a/b/c/j", "iot/p2p/x"):
            wire.say(publish(topic, b"forged", 1, 5, retain=True))
            wire.hear(Kind.PUBACK)
        wire.say(subscribe(1, ("#", 0), ("iot/atr/#", 0)), publish("home/door", b""))
        wire.hear(Kind.SUBACK)
        self.assertEqual(wire.hear(Kind.PUBLISH).message().topic, "home/door")

    def test_filters(self) -> None:
        """Filters that cost others time are refused or harmless, and many are."""
        wire = self.client("filters")
        deep = ["/".join(["+"] * depth) + end for depth in (10, 30, 200) for end in ("", "/#")]
        for number in range(50):
            wire.say(subscribe(number + 1, *((f"{number}{each}", 0) for each in deep)))
            wire.say(subscribe(1000 + number, *((each, 0) for each in deep)))
        for _ in range(100):
            wire.hear(Kind.SUBACK)
        wire.say(publish("/".join("a" * 31), b"", 1, 1))
        while wire.hear().first != Kind.PUBACK:
            pass
        self.well()

    def test_wrong_filters(self) -> None:
        """A filter that is none does not open what others would be refused."""
        wire = self.client("wrong")
        wire.say(subscribe(1, ("a/#/b", 0), ("a+", 0), ("#a", 0), ("home/door", 1)))
        self.assertEqual(wire.hear(Kind.SUBACK).body[2:], b"\x80\x80\x80\x01")
        self.closed(packet(Kind.SUBSCRIBE, b"\0\1"), wire=wire)
        self.closed(packet(Kind.SUBSCRIBE, b"\0\1", text("a"), b"\3"), wire=self.client("wrong"))

    def test_take_overs(self) -> None:
        """Two that take each other's place for ever are made to stop."""
        codes = [self.verdict(Login("ping", ACCOUNT, PASSWORD)) for _ in range(15)]
        self.assertEqual(codes[:10], [0] * 10)
        self.assertEqual(codes[-1], NOT_AUTHORIZED)
        self.well()

    def test_never_released(self) -> None:
        """Who begins a hundred thousand QoS 2 publications and ends none is closed."""
        wire = self.client("greedy")
        said = b"".join(publish("home2/x", b"", 2, 1 + n % 65_535) for n in range(UNRELEASED))
        try:
            wire.say(said)
            received = [each for each in wire.rest() if each.first == Kind.PUBREC]
            self.assertLess(len(received), UNRELEASED // 10)
        except Closed:
            pass
        self.well()

    def test_stray_answers(self) -> None:
        """Answers to nothing are harmless, or end the connection of who gives them."""
        for kind in (Kind.PUBACK, Kind.PUBREC, Kind.PUBREL, Kind.PUBCOMP):
            wire = self.client("stray")
            try:
                wire.say(*(answer(kind, number) for number in range(1, 2000)))
                wire.say(packet(Kind.PINGREQ))
                while wire.hear().first != Kind.PINGRESP:
                    pass
            except Closed:
                pass
        self.well()

    def test_queue(self) -> None:
        """What waits for a client that is away is bounded; what is heard is in order."""
        away = self.client("away", clean=False)
        away.say(subscribe(1, ("flood/#", 1)))
        away.hear(Kind.SUBACK)
        away.say(packet(Kind.DISCONNECT))
        self.assertEqual(list(away.rest()), [])
        teller = self.client("teller")
        for number in range(1, 1001):
            teller.say(publish("flood/x", b"%d" % number, 1, number))
            teller.hear(Kind.PUBACK)
        back, present = connected(self.port, Login("away", ACCOUNT, PASSWORD, clean=False))
        self.addCleanup(back.close)
        self.assertTrue(present)
        numbers = self.waited(back)
        self.assertEqual(numbers, sorted(numbers))
        self.assertTrue(QUEUED <= len(numbers) <= QUEUED + 10, len(numbers))
        self.well()

    def waited(self, wire: Wire) -> list[int]:
        """The messages that had waited, acknowledged, until nothing comes any more."""
        found: list[int] = []
        quiet = False
        while not quiet:
            wire.say(packet(Kind.PINGREQ))
            quiet = True
            while (heard := wire.hear()).first != Kind.PINGRESP:
                if heard.first & 0xF0 == Kind.PUBLISH:
                    message = heard.message()
                    found.append(int(message.payload))
                    wire.say(answer(Kind.PUBACK, message.packet_id))
                    quiet = False
        return found
