"""Tests for L{bumper_tw.core.xmpp_router}: who reaches whom (xmpp.md 8.2)."""

from attrs import evolve
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from bumper_tw.core.xmpp_router import XmppRouter
from bumper_tw.dialect.domains import robot_jid, user_jid
from bumper_tw.errors import DeviceOffline, ProtocolViolation, RobotBusy
from bumper_tw.values import DeviceId
from bumper_tw.xmpp_interfaces import IXmppBinding, IXmppRouter
from tests.core.xmpp_parties import (
    ANN,
    BATTERY,
    COMMAND,
    DEEBOT,
    DONE,
    OTHER,
    OZMO,
    PING,
    ROBOT,
    SN,
    UID,
    ListOutlet,
    Party,
    RouterCase,
    error,
    robot_party,
    stanza,
    user_party,
)


class CommandTests(RouterCase):
    """Rows 8 and 13: what users say to robots."""

    def test_interfaces(self) -> None:
        """Router and bindings are what streams expect."""
        self.assertTrue(verifyObject(IXmppRouter, self.router))
        self.assertTrue(verifyObject(IXmppBinding, self.ann.binding))
        self.assertTrue(verifyObject(IXmppBinding, self.robot.binding))

    def test_command(self) -> None:
        """A command reaches the robot with its sender stamped, and all else as it was."""
        self.ann.say(COMMAND)
        stamped = COMMAND.replace("type='set'>", f"type='set' from='{ANN}'>")
        self.assertEqual(self.robot.heard(), [stamped])
        self.assertSilent(self.ann)

    def test_spellings(self) -> None:
        """Smack folds addresses, others leave out the resource; C{to} stays as it was written."""
        for to in (ROBOT.lower(), ROBOT.partition("/")[0], f"{SN}@126.EcoRobot.net/atom"):
            self.ann.say(COMMAND.replace(ROBOT, to))
            [heard] = self.robot.heard()
            self.assertEqual(stanza(heard).attributes["to"], to)

    def test_offline(self) -> None:
        """A robot that is not here is answered for at once, as the asker spells it."""
        for to in (OTHER, OTHER.lower(), f"{SN}@127.ecorobot.net/atom", f"{ROBOT[:-4]}ATOM"):
            for inner, kind in ((PING, "get"), (BATTERY, "set")):
                self.ann.say(f"<iq id='x&lt;1' to='{to}' type='{kind}'>{inner}</iq>")
                says = f"<iq type='error' to='{ANN}' from='{to}' id='x&lt;1'>"
                says += error("wait", "recipient-unavailable", 404)
                self.assertEqual(self.ann.take(), [says])
        self.assertSilent(self.robot)

    def test_no_answer_to_an_answer(self) -> None:
        """Results and errors for nobody vanish, wherever they are for."""
        places = (OTHER, "x@ecouser.net/r", "ecouser.net", "a@b.c", "@", "rl.ecorobot.net")
        for kind in ("result", "error"):
            for to in places:
                self.ann.say(f"<iq id='1' to='{to}' type='{kind}'/>")
                self.tell(to, kind)
        self.assertSilent(self.ann, self.robot)

    def test_answer_to_a_robot(self) -> None:
        """What a user answers a robot reaches it."""
        self.ann.say(f"<iq id='2' to='{ROBOT}' type='error'/>")
        expected = f"<iq id='2' to='{ROBOT}' type='error' from='{ANN}'/>"
        self.assertEqual(self.robot.heard(), [expected])

    def test_look_alike_robots(self) -> None:
        """A robot does not hear what is for another one whose name contains its own."""
        longer = robot_party(self.router, evolve(DEEBOT, did=f"{SN}1"))
        self.ann.say(COMMAND)
        self.assertSilent(longer)
        self.ann.say(COMMAND.replace(SN, f"{SN}1"))
        self.assertEqual(len(self.robot.heard()), 1)
        self.assertEqual(len(longer.heard()), 1)

    def test_forbidden(self) -> None:
        """Whoever has nothing to do with a robot cannot reach it, however he spells it."""
        self.denied.add((UID, SN))
        for to in (ROBOT, ROBOT.lower()):
            self.ann.say(COMMAND.replace(ROBOT, to))
            says = f"<iq type='error' to='{ANN}' from='{to}' id='7'>"
            self.assertEqual(self.ann.take(), [says + error("auth", "forbidden", 403)])
        self.ann.say(f"<iq id='2' to='{ROBOT}' type='result'/>")
        self.assertSilent(self.robot, self.ann)

    def test_spoofed(self) -> None:
        """Whatever somebody calls himself, his own name goes out; one line tells of it."""
        with capturedLogs() as lines:
            for claimed in ("admin@ecouser.net", "admin@ecouser.net/x", "", "@", ROBOT):
                self.ann.say(COMMAND.replace("<iq", f'<iq from="{claimed}"'))
                [heard] = self.robot.heard()
                self.assertEqual(stanza(heard).attributes["from"], ANN)
        self.assertEqual([line["address"] for line in lines], [ANN])
        self.assertEqual(self.router.counts["senders corrected"], 4)

    def test_other_resource(self) -> None:
        """JS names a resource of its own, sucks folds: that is corrected without a word."""
        for claimed in (ANN, f"{UID.upper()}@ecouser.net/ej44aa01", f"{UID}@ecouser.net"):
            self.ann.say(COMMAND.replace("<iq", f"<iq from='{claimed}'"))
            self.assertEqual(stanza(self.robot.heard()[0]).attributes["from"], ANN)
        self.assertEqual(self.router.counts["senders corrected"], 0)

    def test_ping(self) -> None:
        """A ping is relayed whatever its element is called; so is the answer (xmpp.md 6.4)."""
        inner = '<query xmlns="urn:xmpp:ping"/>'
        self.ann.say(f"<iq id='1' to='{ROBOT}' type='get'>{inner}</iq>")
        [heard] = self.robot.heard()
        self.assertIn(inner, heard)
        self.tell(ANN, "result", "", 1)
        self.assertReaches(self.ann)

    def test_bytes(self) -> None:
        """Nothing between the tags changes: quotes, prefixes, blanks, namespaces, letters."""
        for inner in (
            """<query xmlns="com:ctl"><ctl td="RenameM" name='roster "é" &amp;'/></query>""",
            "<v:query xmlns:v='com:ctl'> <v:ctl td='Clean'/> </v:query>",
            "<query xmlns='com:sf'><sf td='pub'/></query>",
        ):
            self.ann.say(f"<iq id='1' to='{ROBOT}' type='set'>{inner}</iq>")
            [heard] = self.robot.heard()
            self.assertTrue(heard.endswith(f">{inner}</iq>"))

    def test_prefix_of_the_stream(self) -> None:
        """A prefix that only the sender's stream declares goes along (xmpp.md 8.5)."""
        inner = "<v:query><v:ctl td='Clean'/></v:query>"
        self.ann.say(f"<iq id='1' to='{ROBOT}' type='set'>{inner}</iq>")
        self.assertIn("xmlns:v='com:ctl'", self.robot.heard()[0])


class NeighbourTests(RouterCase):
    """Rows 10, 11 and 14: who has nothing to say to whom."""

    def refused(self, party: Party, to: str, inner: str = BATTERY, kind: str = "set") -> str:
        """How a request is refused."""
        party.say(f"<iq id='1' to='{to}' type='{kind}'>{inner}</iq>")
        self.assertEqual(party.heard(), [])
        [answer] = party.answers()
        return answer

    def test_others(self) -> None:
        """Users do not reach one another, nor do robots."""
        user_party(self.router, "bob", "r")
        robot_party(self.router, OZMO)
        for inner, kind in ((BATTERY, "set"), (PING, "get")):
            answer = self.refused(self.ann, "bob@ecouser.net/r", inner, kind)
            says = f"<iq type='error' to='{ANN}' from='bob@ecouser.net/r' id='1'>"
            self.assertEqual(answer, says + error("cancel", "service-unavailable", 503))
            answer = self.refused(self.robot, OTHER, inner, kind)
            self.assertIn("service-unavailable", answer)

    def test_oneself(self) -> None:
        """Sessions of one user may ping each other, and do nothing else."""
        phone = user_party(self.router, resource="sk7d1f02")
        self.ann.say(f"<iq id='1' to='{phone.address}' type='get'>{PING}</iq>")
        self.assertIn(f"from='{ANN}'", phone.heard()[0])
        phone.say(f"<iq id='1' to='{ANN}' type='result'/>")
        self.assertIn(f"from='{phone.address}'", self.ann.heard()[0])
        for to, inner in ((phone.address, BATTERY), (f"{UID}@ecouser.net/gone", PING)):
            self.assertIn("service-unavailable", self.refused(self.ann, to, inner))
        self.assertSilent(phone)

    def test_ourselves(self) -> None:
        """Nobody reaches our own questions, or asks there."""
        self.assertIn("service-unavailable", self.refused(self.ann, "helperbot@ecouser.net"))
        self.tell("helperbot@ecouser.net/bumper", inner=DONE)
        self.tell("HelperBot@ecouser.net", "result")
        self.tell("helperbot@ecouser.net", "get", PING)
        self.assertSilent(self.ann, self.robot)

    def test_foreign(self) -> None:
        """There is nothing beyond our own domains."""
        for to in (
            "x@example.org",
            "ecouser.net.example.org",
            "x@ecouser.net.cn/r",
            "ecorobot.net",
        ):
            for party in (self.ann, self.robot):
                says = f"<iq type='error' to='{party.address}' from='{to}' id='1'>"
                says += error("cancel", "remote-server-not-found", 404)
                self.assertEqual(self.refused(party, to), says)

    def test_malformed(self) -> None:
        """What is no address is said to be none."""
        for to in ("@ecouser.net", "x@", "a@b@ecouser.net", f"{'x' * 5000}@ecouser.net", ""):
            self.assertIn("<jid-malformed", self.refused(self.ann, to))

    def test_dropped(self) -> None:
        """Messages, and what is no stanza, vanish."""
        for text in (
            f"<message to='{ROBOT}'><body>hello</body></message>",
            f"<iq id='1' to='{ROBOT}'/>",
            f"<iq id='1' to='{ROBOT}' type='push'/>",
            f"<iq xmlns='urn:other' id='1' to='{ROBOT}' type='set'/>",
            f"<bogus to='{ROBOT}'/>",
        ):
            self.ann.say(text)
            self.robot.say(text.replace(ROBOT, ANN))
        self.assertSilent(self.ann, self.robot)


class BindingTests(RouterCase):
    """Coming, going, and taking an address over."""

    def test_newest_wins(self) -> None:
        """A robot that comes back is reached; its old stream ends, and takes nothing away."""
        again = robot_party(self.router)
        self.assertEqual(self.robot.outlet.conflicts, 1)
        self.robot.binding.close()
        self.ann.say(COMMAND)
        self.assertEqual(len(again.heard()), 1)
        self.assertSilent(self.robot)
        self.assertEqual((self.router.robots, again.outlet.conflicts), (1, 0))

    def test_old_stream_is_deaf_and_mute(self) -> None:
        """What the old stream still says is not heard."""
        robot_party(self.router)
        self.tell(ANN)
        self.assertSilent(self.ann, self.robot)

    def test_sessions(self) -> None:
        """A session takes over one of the same resource, in whatever case the user is spelt."""
        phone = user_party(self.router, resource="sk7d1f02")
        again = user_party(self.router, UID.upper())
        self.assertEqual((self.ann.outlet.conflicts, phone.outlet.conflicts), (1, 0))
        self.tell(f"{UID}@ecouser.net")
        self.assertReaches(again, phone)
        self.assertEqual(self.router.sessions, 2)

    def test_close(self) -> None:
        """Who has gone is not there, and saying it twice is fine."""
        self.robot.binding.close()
        self.robot.binding.close()
        self.ann.say(COMMAND)
        self.assertIn("recipient-unavailable", self.ann.take()[0])
        self.ann.binding.close()
        self.assertEqual((self.router.robots, self.router.sessions), (0, 0))

    def test_atom(self) -> None:
        """A robot is under one resource, whatever it has bound."""
        jid = evolve(robot_jid(OZMO), resource="other")
        who = evolve(self.robot.who, name=OZMO.did, realm=OZMO.model, resource="other")
        binding = self.router.bind(who, jid, ListOutlet())
        self.assertEqual(str(binding.jid), OTHER)
        self.assertFalse(self.router.online(OZMO))
        binding.enter()
        self.assertTrue(self.router.online(OZMO))

    def test_tell(self) -> None:
        """We reach robots that are here, and hear of those that are not."""
        self.router.tell(DEEBOT, b"<iq/>")
        self.assertEqual(self.robot.heard(), ["<iq/>"])
        self.assertRaises(DeviceOffline, self.router.tell, OZMO, b"<iq/>")
        self.assertRaises(DeviceOffline, self.router.tell, evolve(DEEBOT, model="127"), b"")
        self.robot.outlet.waiting = 2**20
        self.assertRaises(RobotBusy, self.router.tell, DEEBOT, b"<iq/>")

    def test_one_outlet(self) -> None:
        """Among a thousand sessions a relay looks at one."""
        crowd = [user_party(self.router, f"user{n}") for n in range(1000)]
        robots = [robot_party(self.router, DeviceId(f"SN{n}", "126", "atom")) for n in range(50)]
        self.ann.say(COMMAND)
        self.tell(ANN, inner=DONE)
        self.tell(ANN)
        self.assertEqual(sum(party.outlet.asked for party in crowd + robots), 0)
        self.assertEqual((self.robot.outlet.asked, self.ann.outlet.asked), (1, 2))


class SlowReaderTests(RouterCase):
    """Who does not read loses something, and nobody else does."""

    def test_robot(self) -> None:
        """Requests for a robot that does not read are refused for the time being."""
        self.robot.outlet.waiting = 300_000
        self.ann.say(COMMAND)
        says = f"<iq type='error' to='{ANN}' from='{ROBOT}' id='7'>"
        self.assertEqual(self.ann.take(), [says + error("wait", "resource-constraint", 500)])
        self.robot.outlet.waiting = 262_144
        self.ann.say(COMMAND)
        self.assertEqual(len(self.robot.heard()), 1)

    def test_user(self) -> None:
        """Events for a session that does not read are dropped and counted; others hear them."""
        phone = user_party(self.router, resource="sk7d1f02")
        self.ann.outlet.waiting = 300_000
        with capturedLogs() as lines:
            for _ in range(10):
                self.tell(ANN)
        self.assertEqual([line["address"] for line in lines], [ANN])
        self.assertSilent(self.ann)
        self.assertEqual(len(phone.heard()), 10)
        self.assertEqual(self.router.counts["dropped for slow readers"], 10)

    def test_asks_and_does_not_read(self) -> None:
        """What the server itself answers ends the stream of whoever asks and does not read."""
        self.ann.outlet.shut = True
        self.assertRaises(ProtocolViolation, self.ann.say, "<iq id='1' type='get'/>")
        self.robot.outlet.shut = True
        self.assertRaises(ProtocolViolation, self.robot.say, "<presence/>")


class AddressTests(SynchronousTestCase):
    """Somebody alone."""

    def test_empty_resource(self) -> None:
        """A session without a resource is nobody else's, and gets nobody else's."""
        router = XmppRouter(Clock())
        robot, ann = robot_party(router), user_party(router, "ann", "r")
        empty = user_party(router, "a", "")
        robot.say(f"<iq to='ann@ecouser.net/r' type='set' id='1'>{DONE}</iq>")
        self.assertEqual((len(ann.heard()), empty.heard()), (1, []))
        self.assertEqual(empty.binding.jid, user_jid("a"))
