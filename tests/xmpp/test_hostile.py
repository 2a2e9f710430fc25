"""What nobody on the network can make streams pay, and who is told to go."""

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.values import Principal, Role
from bumper_tw.wire.xmpp_reader import REPAIRS
from bumper_tw.xmpp.factory import StreamLimits
from bumper_tw.xmpp.login import EARLY
from tests.xmpp.streams import (
    CLOSE,
    NS_SASL,
    SN,
    START_TLS,
    SUCCESS,
    UID,
    Client,
    TlsClient,
    World,
    bind,
    bound,
    header,
    plain,
    session,
    stream_error,
)

ROBOTS, USERS = header("126.ecorobot.net"), header("ecouser.net")
BROKEN = "<iq type='set' id='1'><a></b></iq>"
MENDED = "<iq type='set' id='1'>&</iq>"
NO_TLS = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + CLOSE


class StrangerTests(SynchronousTestCase):
    """Before anybody is let in."""

    def setUp(self) -> None:
        self.world = World(StreamLimits(tls_users=False))

    def test_all_in_all(self) -> None:
        """Each stanza may be small, and yet there are not many of them."""
        client = Client(self.world)
        client.ask(ROBOTS)
        stanza = "<iq type='set' id='1'><query/></iq>" * 100
        for _ in range(EARLY // len(stanza)):
            self.assertEqual(client.ask(stanza), "")
        self.assertEqual(client.ask(stanza), stream_error("policy-violation"))

    def test_challenges(self) -> None:
        """Nobody is asked for his name for ever."""
        client = Client(self.world)
        client.ask(USERS)
        for _ in range(EARLY // 8000 + 1):
            client.say(f"<auth xmlns='{NS_SASL}' mechanism='PLAIN'/>" * 115)
        self.assertTrue(client.line.over)

    def test_slow_verdict(self) -> None:
        """Neither does anything pile up while it is being decided who that is."""
        self.world.door.decides_later = True
        client = Client(self.world)
        client.ask(ROBOTS, plain(f"\0{SN}\0x"))
        for _ in range(EARLY // 1000 + 1):
            client.line.protocol.dataReceived(b"x" * 1000)
        self.assertEqual(client.heard(), stream_error("policy-violation"))
        self.assertEqual(self.world.door.cancelled, 1)

    def test_in_one_piece(self) -> None:
        """Who is let in at once may have said more in the same segment."""
        client = Client(self.world)
        said = ROBOTS + plain(f"\0{SN}\0x") + ROBOTS + bind("1") + session("2")
        client.say(said, "<presence/>" * 5000)
        self.assertFalse(client.line.over)
        self.assertIn(SUCCESS, client.heard())

    def test_log(self) -> None:
        """Nobody fills the log with what cannot be read."""
        with capturedLogs() as logs:
            for _ in range(50):
                client = Client(self.world)
                client.say(ROBOTS, BROKEN)
                client.say(BROKEN)
                client.say(BROKEN)
                self.assertTrue(client.line.over)
        self.assertLess(len(logs), 5)


class BrokenTests(SynchronousTestCase):
    """A robot that forgets to escape."""

    def setUp(self) -> None:
        self.world = World()
        self.robot = Client(self.world)
        self.robot.log_in_robot()

    def test_now_and_then(self) -> None:
        """It may do so for ever, and all at once."""
        for _ in range(5):
            self.robot.say(MENDED * REPAIRS)
            self.world.clock.advance(30)
            self.robot.say(" ")
            self.world.clock.advance(30)
        self.assertFalse(self.robot.line.over)

    def test_flood(self) -> None:
        """To put everything right that somebody makes up would take all our time."""
        for _ in range(REPAIRS):
            self.robot.say(MENDED)
            self.world.clock.advance(1)
        self.robot.heard()
        self.assertEqual(self.robot.ask(MENDED), stream_error("policy-violation"))


class LateTlsTests(SynchronousTestCase):
    """TLS is for those who are not in (xmpp.md 3.2)."""

    def test_everywhere(self) -> None:
        """Who asks for it later hears no, and has to go; robots as well as people."""
        for user in (False, True):
            for stage in range(3):
                client = self.come(user, stage)
                client.heard()
                self.assertEqual(client.ask(START_TLS), NO_TLS, (user, stage))
                self.assertTrue(client.line.over)

    def come(self, user: bool, stage: int) -> Client:
        """Somebody, who is in, has an address, has a session."""
        world = World(StreamLimits(tls_users=False))
        client, opening = Client(world), USERS if user else ROBOTS
        client.say(opening, plain(f"\0{UID if user else SN}\0x"), opening)
        for said in (bind("1"), session("2"))[:stage]:
            client.say(said)
        return client


class DismissalTests(SynchronousTestCase):
    """Those who would not be let in any more."""

    def setUp(self) -> None:
        self.world = World(StreamLimits(tls_users=False))
        self.user, self.robot = Client(self.world), Client(self.world)

    def dismiss(self, *names: str) -> None:
        """They are gone."""
        self.world.factory.dismiss(lambda who: who.name in names)
        self.world.settle()

    def test_bound(self) -> None:
        """They hear why, and go; the others stay, and find that out."""
        self.user.log_in_user()
        self.robot.log_in_robot()
        self.dismiss(UID)
        self.assertEqual(self.user.heard(), stream_error("not-authorized"))
        self.assertTrue(self.user.line.over)
        self.assertFalse(self.robot.line.over)
        self.assertEqual((self.world.router.sessions, self.world.router.robots), (0, 1))
        self.dismiss(SN)
        self.assertTrue(self.robot.line.over)
        self.assertEqual(self.world.happened[-1], "gone")

    def test_between(self) -> None:
        """So do those who were let in, and have not got an address yet."""
        self.user.say(USERS, plain(f"\0{UID}\0x"), USERS)
        self.robot.say(ROBOTS, plain(f"\0{SN}\0x"), ROBOTS)
        self.user.heard()
        self.dismiss(UID, SN)
        self.assertEqual(self.user.ask(bind("1")), stream_error("not-authorized"))
        self.assertNotIn("<jid>", self.robot.ask(bind("1")))
        self.assertEqual(self.world.presences, [])

    def test_strangers(self) -> None:
        """Nobody else is asked who he is."""
        silent, encrypted = Client(self.world), TlsClient(self.world)
        encrypted.ask(USERS, START_TLS)
        self.user.ask(USERS)
        asked: list[Principal] = []

        def gone(who: Principal) -> bool:
            asked.append(who)
            return True

        self.world.factory.dismiss(gone)
        self.assertEqual(asked, [])
        for client in (silent, encrypted, self.user):
            self.assertFalse(client.line.over)

    def test_everybody(self) -> None:
        """One of many."""
        self.user.log_in_user()
        for number in range(3):
            Client(self.world).log_in_user(resource=f"R{number}")
        self.world.factory.dismiss(lambda who: who.role is Role.USER)
        self.world.settle()
        self.assertEqual(self.world.router.sessions, 0)


class FlappingTests(SynchronousTestCase):
    """Two clients that take each other's place, for ever."""

    def test_log(self) -> None:
        """The owner hears of it once a minute, and how often it was."""
        world = World()
        with capturedLogs() as logs:
            for _ in range(100):
                Client(world).log_in_robot()
                world.clock.advance(0.5)
            world.clock.advance(30)
            Client(world).log_in_robot()
        texts = [formatEvent(event) for event in logs]
        self.assertLess(len(texts), 8)
        said = " ".join(map(str, texts))
        self.assertIn("changes hands too often", said)
        self.assertRegex(said, r"connected from \S+ \(\d\d more since the last line about it\)")

    def test_others(self) -> None:
        """Who comes once is seen to come and go."""
        world = World(StreamLimits(tls_users=False))
        with capturedLogs() as logs:
            for number in range(5):
                client = Client(world)
                client.log_in_user(f"u{number}")
                client.line.drop()
        self.assertEqual(len(logs), 10)


class CloseRaceTests(SynchronousTestCase):
    """Two ends at once are one."""

    def setUp(self) -> None:
        self.world = World(StreamLimits(tls_users=False))

    def ended(self, client: Client) -> None:
        """Nothing is left of it."""
        self.world.clock.advance(2)
        self.world.settle()
        self.assertTrue(client.line.lost)
        self.assertEqual(self.world.clock.getDelayedCalls(), [])
        crowd = self.world.factory.crowd
        self.assertEqual((len(crowd.everybody), len(crowd.strangers)), (0, 0))

    def test_handshake_cut(self) -> None:
        """A connection that is lost in the middle of TLS, and the server that stops."""
        for stop in (False, True):
            client = TlsClient(self.world)
            client.ask(USERS, START_TLS)
            client.line.receive(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
            if stop:
                self.world.factory.farewell()
            else:
                client.line.drop()
            self.ended(client)

    def test_alert(self) -> None:
        """The other side does not like our certificate, or speaks no TLS at all."""
        for said in (b"\x15\x03\x03\x00\x02\x02\x30", b"<stream:stream>", b"\0" * 100):
            client = TlsClient(self.world)
            client.ask(USERS, START_TLS)
            client.line.receive(said)
            # At once on a real connection; the one in memory waits for its producer.
            self.world.clock.advance(30)
            self.ended(client)

    def test_verdict(self) -> None:
        """The connection is lost, or too late, or the server stops, while it is decided."""
        self.world.door.decides_later = True
        for end in ("drop", "late", "stop"):
            client = Client(self.world)
            client.ask(ROBOTS, plain(f"\0{SN}\0x"))
            if end == "drop":
                client.line.drop()
            elif end == "late":
                self.world.clock.advance(30)
            else:
                self.world.factory.farewell()
            self.ended(client)
            self.world.door.open.pop()
        self.assertEqual(self.world.presences, [])

    def test_takeover_of_the_slow(self) -> None:
        """Whoever is taken over does not read, and is gone all the same."""
        old = Client(self.world)
        old.log_in_user()
        old.line.slow = True
        old.say("<iq type='get' id='1'/>" * 2000)
        new = Client(self.world)
        new.log_in_user()
        self.world.clock.advance(1)
        self.world.settle()
        self.assertTrue(old.line.lost)
        self.assertFalse(new.line.over)
        self.assertEqual(self.world.router.sessions, 1)
        new.line.drop()
        self.ended(new)

    def test_bound_again(self) -> None:
        """A robot that comes again and again is one robot, and leaves nothing behind."""
        clients = []
        for _ in range(11):
            clients.append(Client(self.world))
            clients[-1].log_in_robot()
        self.world.clock.advance(1)
        self.world.settle()
        self.assertEqual(self.world.router.robots, 1)
        self.assertEqual([c.line.lost for c in clients], [True] * 10 + [False])
        self.assertEqual(clients[-1].ask(bind("9")).count("not-allowed"), 1)
        self.assertNotIn(bound("9", ""), clients[-1].heard())
        clients[-1].line.drop()
        self.ended(clients[-1])
