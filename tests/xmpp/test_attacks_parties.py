"""Who may be whom, and how long be nobody: cases 22 to 24 of our list, by number."""

from tests.xmpp.household import BATTERY, PING, QUESTION, HouseholdCase, iq
from tests.xmpp.streams import (
    ROBOT,
    START_TLS,
    SUCCESS,
    UID,
    USER,
    Client,
    TlsClient,
    bind,
    bound,
    header,
    plain,
    stream_error,
)

ROBOTS, USERS = header("126.ecorobot.net"), header("ecouser.net")


class LookAlikeTests(HouseholdCase):
    """Names that resemble others."""

    def test_22_robots(self) -> None:
        """A robot hears what is for it, and nothing for one whose number is longer or shorter."""
        names = (("abc", "126"), ("abcd", "126"), ("ab", "126"), ("abc", "1266"), ("abc", "12a"))
        robots = {f"{name}@{model}.ecorobot.net": self.robot(name, model) for name, model in names}
        user = self.user(UID)
        for address, robot in robots.items():
            for to in (f"{address}/atom", address, address.upper().replace("ATOM", "atom")):
                self.assertEqual(user.ask(iq("set", "1", QUESTION, to=to)), "", to)
                self.assertIn("GetCleanState", robot.heard(), to)
                self.assert_silent(robots.values())

    def test_22_nobody(self) -> None:
        """What is for nobody reaches nobody."""
        robot, user = self.robot("abc", "126"), self.user(UID)
        for to in (
            "bc@126.ecorobot.net/atom",
            "*@126.ecorobot.net/atom",
            "abc@126.ecorobot.net/atom2",
            "abc@126.ecorobot.net/",
            "abc@26.ecorobot.net/atom",
            "abc@126.ecorobot.net.evil/atom",
            "abc@x.126.ecorobot.net/atom",
            "abc@ecouser.net/atom",
            "abc@126.ecorobot.net@ecouser.net",
            "x/abc@126.ecorobot.net/atom",
            " abc@126.ecorobot.net/atom",
            "@126.ecorobot.net/atom",
            "126.ecorobot.net/abc",
        ):
            heard = user.ask(iq("get", "1", PING, to=to))
            self.assertNotEqual(heard, "", to)
            self.assertEqual(robot.heard(), "", to)
        self.assertFalse(user.line.over)

    def test_22_letters(self) -> None:
        """Letters that only look alike are different ones."""
        robot, user = self.robot("abk", "126"), self.user(UID)
        for name in ("\u0430bk", "abK", "ab\uff4b", "abk\u0301", "abk\u200b"):
            user.say(iq("get", "1", PING, to=f"{name}@126.ecorobot.net/atom"))
            heard = robot.heard()
            self.assertEqual(bool(heard), name == "abK", name)

    def test_22_users(self) -> None:
        """Neither do people hear what is for one another."""
        robot = self.robot()
        users = {name: self.user(name) for name in ("ann", "joann", "ann1", "n")}
        for name, user in users.items():
            robot.say(iq("set", "1", BATTERY, to=f"{name}@ecouser.net"))
            self.assertIn(BATTERY, user.heard())
            self.assert_silent(users.values())


class ClaimTests(HouseholdCase):
    """Who says to be another one."""

    def test_23_class(self) -> None:
        """A robot has the class that it has logged in to."""
        client = Client(self.world)
        client.ask(ROBOTS, plain("\0E1\0s"))
        other = client.ask(header("155.ecorobot.net"))
        self.assertTrue(other.endswith(stream_error("host-unknown")), other)
        self.assertEqual(self.world.presences, [])

    def test_23_resource(self) -> None:
        """And no other resource."""
        for wanted in ("", "other", "ATOM", "atom2", "x" * 2000, "a/b", "'><iq/>"):
            client = Client(self.world)
            client.say(ROBOTS, plain("\0E1\0s"), ROBOTS)
            client.heard()
            escaped = wanted.replace("<", "&lt;").replace(">", "&gt;")
            self.assertEqual(
                client.ask(bind("1", escaped)), bound("1", "E1@126.ecorobot.net/atom")
            )

    def test_23_user_as_robot(self) -> None:
        """A person with the name of a robot is a person; the robot stays."""
        robot, user = self.robot("abc"), self.user(UID)
        impostor = self.user("abc", "atom")
        user.say(iq("set", "1", QUESTION, to="abc@126.ecorobot.net/atom"))
        self.assertIn("GetCleanState", robot.heard())
        self.assert_silent([impostor])
        impostor.say(
            iq("set", "1", BATTERY, to=f"{USER}/GLB1", sender="abc@126.ecorobot.net/atom")
        )
        self.assert_silent([user])

    def test_23_name_with_address(self) -> None:
        """Nobody puts a whole address into his name."""
        for opening in (ROBOTS, USERS):
            for name in (
                "abc@155.ecorobot.net",
                "abc/atom",
                "a b",
                "a'b",
                "a<b",
                "a\nb",
                "é" * 600,
                "a&b",
            ):
                client = Client(self.world)
                heard = client.ask(opening, plain(f"\0{name}\0x"))
                self.assertIn("<failure", heard, name)
        self.assertEqual(self.world.door.asked, [])

    def test_23_resource_of_user(self) -> None:
        """A resource cannot become more than one."""
        for wanted in ("a' from='b", "a&quot;b", "x&lt;/jid>", "&#10;", " ", "a/b"):
            client = Client(self.world)
            client.say(USERS, plain(f"\0{UID}\0" + "0/GLB1/x"), USERS)
            client.heard()
            heard = client.ask(bind("1", wanted))
            self.assertEqual(heard.count("<iq"), 1)
            self.assertNotIn(" from='b'", heard)
            self.assertFalse(client.line.over and not heard)

    def test_23_services(self) -> None:
        """Nobody is one of the services, or the server."""
        for host in ("rl.ecorobot.net", "de.ecorobot.net", "ecorobot.net", ".ecorobot.net"):
            client = Client(self.world)
            heard = client.ask(header(host))
            self.assertTrue(heard.endswith(stream_error("host-unknown")), host)


class IdleTests(HouseholdCase):
    """Those who only hold the line."""

    def assert_closed(self, client: Client, seconds: float = 30) -> None:
        """It is closed then, and was never asked anything."""
        client.heard()
        self.world.clock.pump([0.5] * int(2 * seconds - 1))
        self.assertFalse(client.line.over)
        self.world.clock.pump([0.5, 0, 1])
        self.assertTrue(client.line.over)
        self.assertNotIn("ping", client.heard())
        self.assertEqual(self.world.clock.getDelayedCalls(), [])

    def test_24_nothing(self) -> None:
        """Who says nothing at all."""
        self.assert_closed(Client(self.world))

    def test_24_blanks(self) -> None:
        """Who says nothing but blanks."""
        client = Client(self.world)
        for _ in range(58):
            client.say(" ")
            self.world.clock.advance(0.5)
        self.assertFalse(client.line.over)
        self.world.clock.pump([0.5, 0.5, 1])
        self.assertTrue(client.line.over)

    def test_24_header(self) -> None:
        """Who only begins."""
        for opening in (USERS, ROBOTS, "<", USERS[:-1]):
            client = Client(self.world)
            client.say(opening)
            self.assert_closed(client)

    def test_24_failures(self) -> None:
        """Who tries a name now and then."""
        client = Client(self.world)
        client.ask(ROBOTS)
        client.say(plain("\0a"))
        self.assert_closed(client)

    def test_24_handshake(self) -> None:
        """Who asks for TLS, and does not begin it."""
        client = Client(self.world)
        client.ask(USERS)
        client.ask(START_TLS)
        self.assert_closed(client)

    def test_24_half_a_handshake(self) -> None:
        """Who begins TLS at once, and goes no further."""
        client = TlsClient(self.world)
        client.line.receive(b"\x16\x03\x01")
        self.assert_closed(client)

    def test_24_without_address(self) -> None:
        """Who logs in, and asks for no address, has as long again."""
        for opening in (USERS, ROBOTS):
            client = Client(self.world)
            self.assertTrue(client.ask(opening, plain("\0a\0b"), opening).count(SUCCESS))
            self.assert_closed(client)

    def test_24_others(self) -> None:
        """Nobody else is troubled."""
        robot, user = self.robot(), self.user(UID)
        for _ in range(20):
            Client(self.world).say("<")
        user.say(iq("set", "1", QUESTION, to=ROBOT))
        self.assertIn("GetCleanState", robot.heard())
