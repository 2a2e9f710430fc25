"""Tests for one stream: header, TLS, login, address, watch and end (xmpp.md 3 to 7)."""

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.errors import LoginRefused, StorageError
from bumper_tw.values import Principal, Role
from bumper_tw.xmpp.factory import StreamLimits
from tests.xmpp.streams import (
    CLOSE,
    FEATURES_CLEAR,
    FEATURES_KNOWN,
    FEATURES_SECURE,
    FEATURES_TLS_ONLY,
    PROCEED,
    ROBOT,
    SN,
    START_TLS,
    SUCCESS,
    TOKEN,
    UID,
    USER,
    Client,
    TlsClient,
    World,
    bind,
    bound,
    greeting,
    header,
    plain,
    refused,
    result,
    server_ping,
    session,
    stream_error,
)

ROBOTS, USERS = header("126.ecorobot.net"), header("ecouser.net")
SECRET = plain(f"\0{SN}\0k7Qp2xZ9")
LOGIN = plain(f"\0{UID}\0" + f"0/GLB1/{TOKEN}")
NOT_LOGGED_IN = 30.0


class HeaderTests(SynchronousTestCase):
    """How a stream begins."""

    def test_robot(self) -> None:
        """Our header comes right before the features; a robot may log in without TLS."""
        client = Client(World())
        self.assertEqual(client.ask(ROBOTS), greeting(1) + FEATURES_CLEAR)

    def test_user(self) -> None:
        """A user is offered nothing but TLS."""
        client = Client(World())
        self.assertEqual(client.ask(USERS), greeting(1) + FEATURES_TLS_ONLY)

    def test_user_in_clear_text(self) -> None:
        """Unless the owner wants it so."""
        client = Client(World(StreamLimits(tls_users=False)))
        self.assertEqual(client.ask(USERS), greeting(1) + FEATURES_CLEAR)

    def test_robot_with_tls_only(self) -> None:
        """Or robots have to use TLS, too."""
        client = Client(World(StreamLimits(tls_robots=True)))
        self.assertEqual(client.ask(ROBOTS), greeting(1) + FEATURES_TLS_ONLY)

    def test_nobody(self) -> None:
        """Without an address somebody is taken for a user."""
        client = Client(World(StreamLimits(tls_users=False)))
        opening = ROBOTS.replace(" to='126.ecorobot.net'", "")
        self.assertEqual(client.ask(opening), greeting(1) + FEATURES_CLEAR)

    def test_foreign_host(self) -> None:
        """We are nobody else."""
        for host in ("jabber.org", "rl.ecorobot.net", "126.ecorobot.net.evil", "x.y.ecorobot.net"):
            client = Client(World())
            self.assertEqual(
                client.ask(header(host)), greeting(1) + stream_error("host-unknown"), host
            )
            self.assertTrue(client.line.over)

    def test_another_host(self) -> None:
        """Nobody turns from a robot into a user on the way."""
        client = Client(World())
        client.ask(ROBOTS, SECRET)
        self.assertEqual(client.ask(USERS), greeting(2) + stream_error("host-unknown"))

    def test_namespace(self) -> None:
        """A user speaks C{jabber:client}; a robot is taken at its word."""
        odd = USERS.replace("jabber:client", "jabber:server")
        client = Client(World())
        self.assertEqual(client.ask(odd), greeting(1) + stream_error("invalid-namespace"))
        odd = ROBOTS.replace("jabber:client", "jabber:server")
        self.assertEqual(Client(World()).ask(odd), greeting(1) + FEATURES_CLEAR)

    def test_no_stream(self) -> None:
        """Something else in XML hears what is wrong, behind a header of ours."""
        heard = Client(World()).ask("<html>")
        self.assertTrue(heard.startswith(greeting(1) + "<stream:error>"), heard)

    def test_neither(self) -> None:
        """What is neither XML nor TLS hears nothing at all."""
        client = Client(World())
        self.assertEqual(client.ask("GET / HTTP/1.1\r\n\r\n"), "")
        self.assertTrue(client.line.aborted)

    def test_clear_text_where_tls_is(self) -> None:
        """A listener may be for TLS alone."""
        client = Client(World(), clear=False)
        self.assertEqual(client.ask(ROBOTS), "")
        self.assertTrue(client.line.aborted)


class LoginTests(SynchronousTestCase):
    """SASL."""

    def setUp(self) -> None:
        self.world = World(StreamLimits(tls_users=False))
        self.client = Client(self.world)

    def test_robot(self) -> None:
        """A robot says who it is, and begins anew."""
        self.client.ask(ROBOTS)
        self.assertEqual(self.client.ask(SECRET), SUCCESS)
        self.assertEqual(self.client.ask(ROBOTS), greeting(2) + FEATURES_KNOWN)
        [asked] = self.world.door.asked
        self.assertEqual((asked.domain, asked.name), ("126.ecorobot.net", SN))
        self.assertEqual((asked.password, asked.peer), ("k7Qp2xZ9", "192.0.2.7"))

    def test_user(self) -> None:
        """What an app packs into its password is taken apart."""
        self.client.ask(USERS, LOGIN)
        [asked] = self.world.door.asked
        self.assertEqual((asked.name, asked.resource, asked.password), (UID, "GLB1", TOKEN))

    def test_challenge(self) -> None:
        """Who comes without his name is asked for it."""
        self.client.ask(ROBOTS)
        sasl = "urn:ietf:params:xml:ns:xmpp-sasl"
        asked = self.client.ask(f"<auth xmlns='{sasl}' mechanism='PLAIN'/>")
        self.assertEqual(asked, f"<challenge xmlns='{sasl}'/>")
        told = SECRET.replace("<auth", "<response").replace("</auth", "</response")
        self.assertEqual(self.client.ask(told.replace(" mechanism='PLAIN'", "")), SUCCESS)

    def test_mechanism(self) -> None:
        """There is one mechanism."""
        self.client.ask(ROBOTS)
        said = self.client.ask(plain("\0a\0b", "DIGEST-MD5"))
        self.assertEqual(said, refused("invalid-mechanism"))

    def test_malformed(self) -> None:
        """What cannot be taken apart is said to be so."""
        self.client.ask(ROBOTS)
        self.assertEqual(self.client.ask(plain("\0a")), refused("malformed-request"))
        bad = SECRET.replace("AEU", "A*U")
        self.assertEqual(self.client.ask(bad), refused("incorrect-encoding"))

    def test_abort(self) -> None:
        """Somebody changes his mind."""
        self.client.ask(ROBOTS)
        said = self.client.ask("<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        self.assertEqual(said, refused("aborted"))

    def test_encryption_required(self) -> None:
        """A user without TLS is not even asked for."""
        world = World()
        client = Client(world)
        client.ask(USERS)
        self.assertEqual(client.ask(LOGIN), refused("encryption-required"))
        self.assertEqual(world.door.asked, [])

    def test_refused(self) -> None:
        """Somebody may try again, but not for ever."""
        self.world.door.refuses = LoginRefused("came with another secret")
        self.client.ask(ROBOTS)
        for _ in range(2):
            self.assertEqual(self.client.ask(SECRET), refused("not-authorized"))
            self.assertFalse(self.client.line.over)
        self.assertEqual(self.client.ask(SECRET), refused("not-authorized") + CLOSE)
        self.assertTrue(self.client.line.over)
        self.assertEqual(self.world.factory.counts["logins refused"], 3)

    def test_second_try(self) -> None:
        """The second attempt may be the right one."""
        self.world.door.refuses = LoginRefused("no")
        self.client.ask(ROBOTS, SECRET)
        self.world.door.refuses = None
        self.assertEqual(self.client.ask(SECRET), SUCCESS)

    def test_full_disk(self) -> None:
        """What we cannot decide now may be asked again later."""
        self.world.door.refuses = StorageError("full")
        self.client.ask(ROBOTS)
        self.assertEqual(self.client.ask(SECRET), refused("temporary-auth-failure"))

    def test_bug(self) -> None:
        """An exception in the decision is a no."""
        self.world.door.refuses = ZeroDivisionError()
        self.client.ask(ROBOTS)
        self.assertEqual(self.client.ask(SECRET), refused("temporary-auth-failure"))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_too_early(self) -> None:
        """Before login nothing else is done: a user is told so, a robot is not."""
        self.client.ask(USERS)
        self.assertEqual(self.client.ask("<presence/>"), stream_error("not-authorized"))
        robot = Client(self.world)
        robot.ask(ROBOTS)
        self.assertEqual(robot.ask("<presence/>", bind("1"), SECRET), SUCCESS)

    def test_large(self) -> None:
        """Somebody unknown may not say much."""
        self.client.ask(USERS)
        heard = self.client.ask("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + "A" * 9000)
        self.assertEqual(heard, stream_error("policy-violation"))


class UndecidedTests(SynchronousTestCase):
    """While it is being decided who somebody is."""

    def setUp(self) -> None:
        self.world = World(StreamLimits(tls_users=False))
        self.world.door.decides_later = True
        self.client = Client(self.world)
        self.client.ask(ROBOTS)

    def decide(self, name: str = SN) -> None:
        """Yes."""
        self.world.door.open.pop(0).callback(Principal(Role.ROBOT, name, "126", "atom"))
        self.world.settle()

    def test_speech_before_login(self) -> None:
        """What comes behind the login waits for the answer, and none of it is lost."""
        self.assertEqual(self.client.ask(SECRET, ROBOTS, bind("1", "atom")), "")
        self.client.line.receive(session("2").encode())
        self.decide()
        heard = self.client.heard()
        self.assertTrue(heard.startswith(SUCCESS + greeting(2) + FEATURES_KNOWN), heard)
        self.assertIn(bound("1", ROBOT) + result("2"), heard)

    def test_not_listened_to(self) -> None:
        """Nobody can pile up something meanwhile."""
        self.client.say(SECRET)
        self.assertFalse(self.client.line.reading)
        self.decide()
        self.assertTrue(self.client.line.reading)

    def test_death_during_login(self) -> None:
        """Who is gone is not let in."""
        self.client.say(SECRET)
        self.client.line.drop()
        self.assertEqual(self.world.door.cancelled, 1)
        self.assertEqual(self.world.presences, [])

    def test_too_late(self) -> None:
        """A decision does not take longer than a login may."""
        self.client.say(SECRET)
        self.world.clock.advance(NOT_LOGGED_IN)
        self.assertEqual(self.client.heard(), CLOSE)
        self.assertEqual(self.world.door.cancelled, 1)

    def test_no_then_yes(self) -> None:
        """What waits behind a refusal is looked at as well."""
        self.client.say(SECRET, SECRET)
        self.world.door.open.pop(0).errback(LoginRefused("no"))
        self.assertEqual(self.client.heard(), refused("not-authorized"))
        self.decide()
        self.assertEqual(self.client.heard(), SUCCESS)


class BindTests(SynchronousTestCase):
    """A client gets an address."""

    def setUp(self) -> None:
        self.world = World(StreamLimits(tls_users=False))
        self.client = Client(self.world)

    def known(self, opening: str, who: str) -> None:
        """Get as far as that."""
        self.client.ask(opening, who)
        self.client.ask(opening)

    def test_robot(self) -> None:
        """A robot is always C{atom}."""
        self.known(ROBOTS, SECRET)
        self.assertEqual(self.client.ask(bind("7", "other")), bound("7", ROBOT))
        self.assertEqual(self.world.presences[0].who.label, SN)

    def test_wanted(self) -> None:
        """An app says what it wants to be called."""
        self.known(USERS, LOGIN)
        self.assertEqual(self.client.ask(bind("b", "IOS1")), bound("b", f"{USER}/IOS1"))

    def test_of_password(self) -> None:
        """Otherwise it is what it has put into its password."""
        self.known(USERS, LOGIN)
        self.assertEqual(self.client.ask(bind("bind")), bound("bind", f"{USER}/GLB1"))

    def test_ours(self) -> None:
        """If there was nothing, the choice is ours."""
        self.known(USERS, plain(f"\0{UID}\0{TOKEN}"))
        self.assertEqual(self.client.ask(bind("b")), bound("b", f"{USER}/{3:016x}"))

    def test_unfit(self) -> None:
        """A name that would be trouble is refused, and another may be asked for."""
        self.known(USERS, LOGIN)
        self.assertIn("<bad-request", self.client.ask(bind("b", "x" * 300)))
        self.assertEqual(self.client.ask(bind("c", "x")), bound("c", f"{USER}/x"))

    def test_too_early(self) -> None:
        """Nothing is relayed for somebody without an address."""
        self.known(USERS, LOGIN)
        heard = self.client.ask(f"<iq type='get' id='1' to='{ROBOT}'><x xmlns='y'/></iq>")
        self.assertEqual(heard, stream_error("not-authorized"))

    def test_never(self) -> None:
        """Who never asks for one is sent away."""
        self.known(USERS, LOGIN)
        self.world.clock.advance(30)
        self.assertEqual(self.client.heard(), CLOSE)

    def test_too_many_robots(self) -> None:
        """The registry is full."""
        self.world.full = LoginRefused("there are 500 robots already")
        self.known(ROBOTS, SECRET)
        heard = self.client.ask(bind("1"))
        self.assertEqual(heard, stream_error("resource-constraint"))

    def test_takeover(self) -> None:
        """The newest wins; the end of the old one takes nothing away from it."""
        self.client.log_in_robot()
        again = Client(self.world)
        again.log_in_robot()
        self.assertEqual(self.client.heard(), stream_error("conflict"))
        self.assertTrue(self.client.line.over)
        user = Client(self.world)
        user.log_in_user()
        user.ask(f"<iq type='get' id='9' to='{ROBOT}'><ping xmlns='urn:xmpp:ping'/></iq>")
        self.assertIn("id='9'", again.heard())


class WatchTests(SynchronousTestCase):
    """Pings, and silence."""

    def setUp(self) -> None:
        self.world = World()
        self.robot = Client(self.world)
        self.first = self.robot.log_in_robot()

    def test_session(self) -> None:
        """The first ping comes right behind the session; from then on a robot can be asked."""
        self.assertEqual(self.first, result("2522") + server_ping(1, ROBOT))
        self.assertEqual(self.world.happened, ["connected", "listening"])

    def test_no_session(self) -> None:
        """Who needs none is asked a little later."""
        robot = Client(self.world)
        opening = header("127.ecorobot.net")
        robot.say(opening, plain("\0E2\0s"), opening)
        robot.ask(bind("1", "atom"))
        self.world.clock.advance(5)
        self.assertIn("<ping", robot.heard())
        self.assertEqual(self.world.happened[2:], ["connected", "listening"])

    def test_every_half_minute(self) -> None:
        """Each ping has a number of its own; nobody who answers is closed."""
        for number in range(2, 20):
            self.world.clock.advance(30)
            self.assertEqual(self.robot.heard(), server_ping(number, ROBOT))
            self.robot.say(f"<iq type='result' to='ecouser.net' id='s2c{number}'/>")
        self.assertFalse(self.robot.line.over)

    def test_white_space(self) -> None:
        """A blank is a sign of life."""
        for _ in range(10):
            self.world.clock.advance(30)
            self.robot.say(" ")
        self.assertFalse(self.robot.line.over)

    def test_dead_peer(self) -> None:
        """Who says nothing is noticed in less than ninety seconds."""
        self.world.clock.pump([1.0] * 74)
        self.assertFalse(self.robot.line.over)
        self.world.clock.advance(1)
        self.assertTrue(self.robot.line.over)
        self.assertEqual(self.world.happened, ["connected", "listening", "gone"])

    def test_unauthenticated(self) -> None:
        """Who is not logged in is never pinged, and closed after half a minute."""
        stranger = Client(self.world)
        stranger.ask(ROBOTS)
        silent = Client(self.world)
        self.world.clock.pump([1.0] * 29)
        self.assertEqual(stranger.heard(), "")
        self.assertFalse(stranger.line.over or silent.line.over)
        self.world.clock.advance(1)
        self.assertEqual(stranger.heard(), CLOSE)
        self.assertTrue(stranger.line.over and silent.line.over)

    def test_slow_login(self) -> None:
        """A byte now and then buys no time."""
        stranger = Client(self.world)
        for byte in ROBOTS[:30]:
            stranger.say(byte)
            self.world.clock.advance(1)
        self.assertTrue(stranger.line.over)

    def test_slow_reader(self) -> None:
        """Who does not read is not heard, either, and given up in the end."""
        self.robot.line.slow = True
        roster = "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>"
        for _ in range(1000):
            self.robot.line.receive(roster.encode())
        self.assertFalse(self.robot.line.reading)
        self.assertLess(len(self.robot.line.waiting), 70_000)
        self.robot.line.read_on()
        self.world.settle()
        self.assertTrue(self.robot.line.reading)


class EndTests(SynchronousTestCase):
    """How a stream ends."""

    def setUp(self) -> None:
        self.world = World(StreamLimits(tls_users=False))
        self.robot = Client(self.world)
        self.robot.log_in_robot()

    def test_in_good_order(self) -> None:
        """The end is answered."""
        self.assertEqual(self.robot.ask(CLOSE), CLOSE)
        self.assertTrue(self.robot.line.over)

    def test_unavailable(self) -> None:
        """Both ways of leaving in one segment are one end."""
        heard = self.robot.ask("<presence type='unavailable'/></stream:stream>")
        self.assertEqual(heard, CLOSE)
        self.assertEqual(self.world.happened[-1], "gone")

    def test_lost(self) -> None:
        """Robots just go."""
        self.robot.line.drop()
        self.assertEqual(self.world.happened, ["connected", "listening", "gone"])
        self.assertEqual(self.world.clock.getDelayedCalls(), [])

    def test_violation(self) -> None:
        """A document type ends it for everybody."""
        user = Client(self.world)
        user.log_in_user()
        self.assertEqual(user.ask("<!-- x -->"), stream_error("restricted-xml"))
        self.assertFalse(self.robot.line.over)

    def test_robot_not_well_formed(self) -> None:
        """A robot that cannot be read keeps its stream, if that is rare."""
        broken = "<iq type='set' id='1'><a></b></iq>"
        self.assertEqual(self.robot.ask(broken, broken), "")
        self.assertFalse(self.robot.line.over)
        self.assertEqual(self.robot.ask(broken), stream_error("not-well-formed"))

    def test_rarely_unreadable(self) -> None:
        """Two in a minute, for ever."""
        for _ in range(5):
            self.robot.say("<iq type='set' id='1'><a></b></iq>" * 2)
            self.world.clock.pump([30.0, 0.0, 31.0])
            self.robot.say(" ")
        self.assertFalse(self.robot.line.over)

    def test_farewell(self) -> None:
        """When the server stops, users are told why."""
        user, stranger = Client(self.world), Client(self.world)
        user.log_in_user()
        gone = self.world.factory.farewell()
        self.world.settle()
        self.assertEqual(self.robot.heard(), CLOSE)
        self.assertEqual(user.heard(), stream_error("system-shutdown"))
        self.assertTrue(stranger.line.aborted)
        self.assertIsNone(self.successResultOf(gone))

    def test_farewell_to_nobody(self) -> None:
        """There is nobody to wait for."""
        self.assertIsNone(self.successResultOf(World().factory.farewell()))

    def test_dead(self) -> None:
        """A peer that does not read does not hold up the end."""
        self.robot.line.slow = True
        self.robot.line.write(b"x" * 100_000)
        gone = self.world.factory.farewell()
        self.world.settle()
        self.assertNoResult(gone)
        self.world.clock.advance(1)
        self.world.settle()
        self.assertIsNone(self.successResultOf(gone))


class TlsTests(SynchronousTestCase):
    """Encryption, at once or later."""

    def test_direct(self) -> None:
        """What begins with a handshake is encrypted already."""
        client = TlsClient(World())
        client.shake()
        self.assertEqual(client.ask(USERS), greeting(1) + FEATURES_SECURE)
        self.assertEqual(client.ask(LOGIN), SUCCESS)

    def test_tls_alone(self) -> None:
        """Also where nothing else may be."""
        client = TlsClient(World(), clear=False)
        client.shake()
        self.assertEqual(client.ask(USERS), greeting(1) + FEATURES_SECURE)

    def test_starttls(self) -> None:
        """A client may ask for it, and begins anew."""
        client = TlsClient(World())
        client.ask(USERS)
        self.assertEqual(client.ask(START_TLS), PROCEED)
        client.shake()
        self.assertEqual(client.ask(USERS), greeting(2) + FEATURES_SECURE)
        self.assertEqual(client.ask(LOGIN), SUCCESS)

    def test_echoed(self) -> None:
        """Some repeat our own words."""
        client = TlsClient(World())
        client.ask(USERS)
        echo = START_TLS.replace("/>", "><required /></starttls>")
        self.assertEqual(client.ask(echo), PROCEED)

    def test_injection(self) -> None:
        """What comes in clear text behind it is not executed."""
        world = World(StreamLimits(tls_users=False))
        client = TlsClient(world)
        client.ask(USERS)
        client.send((START_TLS + LOGIN).encode())
        world.settle()
        self.assertEqual(world.door.asked, [])
        client.shake()
        self.assertEqual(client.ask(USERS), greeting(2) + FEATURES_SECURE)
        self.assertEqual(world.door.asked, [])

    def test_twice(self) -> None:
        """There is no TLS inside of TLS."""
        client = TlsClient(World())
        client.shake()
        client.ask(USERS)
        failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + CLOSE
        self.assertEqual(client.ask(START_TLS), failure)

    def test_another_host(self) -> None:
        """Nobody becomes somebody else on the way."""
        client = TlsClient(World())
        client.ask(USERS, START_TLS)
        client.shake()
        self.assertEqual(client.ask(ROBOTS), greeting(2) + stream_error("host-unknown"))

    def test_deadline(self) -> None:
        """TLS buys no time."""
        world = World()
        client = TlsClient(world)
        client.ask(USERS)
        world.clock.advance(20)
        client.ask(START_TLS)
        client.shake()
        client.ask(USERS)
        world.clock.advance(10)
        self.assertEqual(client.heard(), CLOSE)
        world.clock.advance(1)
        self.assertTrue(client.line.over)

    def test_after_login(self) -> None:
        """Who is in asks for TLS too late."""
        client = Client(World())
        client.log_in_robot()
        self.assertNotIn("proceed", client.ask(START_TLS))


class CrowdTests(SynchronousTestCase):
    """How many there may be."""

    def test_strangers(self) -> None:
        """Somebody who does not log in does not keep others out."""
        world = World(StreamLimits(strangers_per_peer=2))
        first, second, third = (Client(world) for _ in range(3))
        self.assertEqual([c.line.over for c in (first, second, third)], [False, False, True])
        first.log_in_robot()
        self.assertFalse(Client(world).line.over)

    def test_per_peer(self) -> None:
        """One address has its share."""
        world = World(StreamLimits(per_peer=1))
        Client(world).log_in_robot()
        self.assertTrue(Client(world).line.over)
        self.assertFalse(Client(world, "192.0.2.8").line.over)

    def test_leaving(self) -> None:
        """Whoever goes makes room."""
        world = World(StreamLimits(connections=1))
        Client(world).line.drop()
        robot = Client(world)
        robot.log_in_robot()
        robot.line.drop()
        self.assertFalse(Client(world).line.over)
        self.assertEqual(world.factory.counts["connections refused"], 0)
