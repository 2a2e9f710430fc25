"""What other servers get wrong, and is observable (xmpp.md 14)."""

import re
from secrets import token_hex
from xml.etree.ElementTree import fromstring

from bumper_tw.xmpp.factory import StreamLimits, XmppFactory
from tests.xmpp.household import ANSWER, BATTERY, PING, QUESTION, HouseholdCase, gone, iq, unknown
from tests.xmpp.streams import (
    CLOSE,
    FEATURES_CLEAR,
    FEATURES_TLS_ONLY,
    ROBOT,
    SUCCESS,
    UID,
    USER,
    Client,
    World,
    bind,
    bound,
    header,
    plain,
    refused,
    session,
    stream_error,
)

ROBOTS, USERS = header("126.ecorobot.net"), header("ecouser.net")


def failed(kind: str, code: int, condition: str) -> str:
    """The end of an error as we write it."""
    return (
        f"<error type='{kind}' code='{code}'><{condition} "
        "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )


class LeakTests(HouseholdCase):
    """Nobody hears what is not for him."""

    def setUp(self) -> None:
        super().setUp()
        self.deebot, self.app = self.robot(), self.user(UID)
        self.stranger, self.known = Client(self.world), Client(self.world)
        self.stranger.ask(USERS)
        self.known.say(USERS, plain("\0joann\x000/r/t"), USERS)
        self.known.heard()

    def test_without_address(self) -> None:
        """Answers without an address, or to a server, reach nobody."""
        for kind in ("result", "error"):
            for addresses in ({}, {"to": "ecouser.net"}, {"to": "126.ecorobot.net"}):
                self.assertEqual(self.deebot.ask(iq(kind, "9", **addresses)), "")
                self.assert_silent([self.app, self.stranger, self.known])

    def test_state_for_the_server(self) -> None:
        """What a robot tells the server is not passed on."""
        for to in ("ecouser.net", "126.ecorobot.net"):
            self.deebot.say(iq("set", "9", BATTERY, to=to))
            self.assert_silent([self.app, self.stranger, self.known])

    def test_ping_of_robot(self) -> None:
        """The server is asked, and it answers."""
        heard = self.deebot.ask(iq("get", "2542", PING, to="126.ecorobot.net"))
        self.assertEqual(heard, "<iq type='result' id='2542' from='126.ecorobot.net'/>")
        self.assert_silent([self.app, self.stranger, self.known])

    def test_events(self) -> None:
        """Events for everybody are for those who have an address."""
        for addresses in ({"to": "de.ecorobot.net"}, {}):
            self.deebot.say(iq("set", "9", BATTERY, **addresses))
            self.assertIn(BATTERY, self.app.heard())
            self.assert_silent([self.stranger, self.known])

    def test_event_for_everybody(self) -> None:
        """Each copy says for whom it is."""
        other = self.user("joann", "x")
        self.deebot.say(iq("set", "9", BATTERY, to="de.ecorobot.net"))
        self.assertIn(f" to='{USER}/GLB1'", self.app.heard())
        self.assertIn(" to='joann@ecouser.net/x'", other.heard())

    def test_same_numbers(self) -> None:
        """Two programs that count from one do not hear each other's answers."""
        other = self.user(UID, "B")
        for client in (self.app, other):
            client.say(iq("set", "1", QUESTION, to=ROBOT))
        self.deebot.say(iq("result", "1", to=f"{USER}/B"))
        self.assertEqual(other.heard(), iq("result", "1", to=f"{USER}/B", sender=ROBOT))
        self.assert_silent([self.app])

    def test_bare_result(self) -> None:
        """An answer without a resource is for the one who asked."""
        other = self.user(UID, "B")
        other.say(iq("set", "77", QUESTION, to=ROBOT))
        self.deebot.say(iq("result", "77", to=USER))
        self.assertIn("id='77'", other.heard())
        self.assert_silent([self.app])
        self.deebot.say(iq("result", "78", to=USER))
        self.assert_silent([self.app, other])

    def test_answer_to_nobody(self) -> None:
        """An answer for a session that is gone goes to another of the same user, or nobody."""
        other = self.user(UID, "B")
        other.line.drop()
        self.deebot.say(iq("set", "1", ANSWER, to=f"{USER}/B"))
        self.assertIn(ANSWER, self.app.heard())
        self.app.line.drop()
        self.assertEqual(self.deebot.ask(iq("set", "1", ANSWER, to=f"{USER}/B")), "")
        self.assert_silent([self.stranger, self.known])

    def test_people_among_themselves(self) -> None:
        """People do not command one another, nor robots robots."""
        other, robot = self.user("joann"), self.robot("E2", "155")
        no = failed("cancel", 503, "service-unavailable")
        self.assertTrue(
            self.app.ask(iq("set", "1", QUESTION, to="joann@ecouser.net")).endswith(no)
        )
        self.assertTrue(self.deebot.ask(iq("set", "1", QUESTION, to="E2@155.ecorobot.net/atom")))
        self.app.say("<message to='joann@ecouser.net'><body>x</body></message>")
        self.app.say("<presence to='joann@ecouser.net'/>")
        self.app.say("<presence to='joann@ecouser.net' type='subscribe'/>")
        self.assert_silent([other, robot, self.app])

    def test_foreign_host(self) -> None:
        """We talk to no other server."""
        no = failed("cancel", 404, "remote-server-not-found")
        for to in ("x@jabber.org/y", "x@ecouser.net.evil", "x@126.ecorobot.net.evil/atom"):
            self.assertTrue(self.app.ask(iq("get", "1", PING, to=to)).endswith(no), to)


class IdentityTests(HouseholdCase):
    """Nobody is somebody else."""

    def test_robot_by_mention(self) -> None:
        """Only the address in the header says who is a robot."""
        for header_text in (
            USERS.replace("version", "x='126.ecorobot.net' version"),
            USERS.replace(" to=", " x=\" to='126.ecorobot.net'\" to="),
            USERS.replace(" to=", " from='E1@126.ecorobot.net/atom' to="),
            "<?xml version='1.0'?>" + USERS.replace("'", '"'),
        ):
            self.world = World()
            heard = Client(self.world).ask(header_text)
            self.assertTrue(heard.endswith(FEATURES_TLS_ONLY), header_text)
        for header_text in (
            ROBOTS.replace(" to=", " id='ecouser.net' to="),
            ROBOTS.replace("126.ecorobot.net", "126.ECOROBOT.net"),
        ):
            self.assertTrue(Client(self.world).ask(header_text).endswith(FEATURES_CLEAR))

    def test_before_address(self) -> None:
        """Nothing is passed on for somebody who is not bound, nor by him done."""
        robot = self.robot()
        for so_far in ((USERS,), (USERS, plain(f"\0{UID}\0x")), (USERS, plain("\0a\0x"), USERS)):
            client = Client(self.world)
            client.say(*so_far)
            client.heard()
            self.assertEqual(
                client.ask(iq("set", "1", QUESTION, to=ROBOT)).replace("<iq", "")[-len(CLOSE) :],
                CLOSE,
            )
            self.assert_silent([robot])

    def test_robot_before_address(self) -> None:
        """A robot that talks too early is not heard, and may go on."""
        user, robot = self.user(UID), Client(self.world)
        event = iq("set", "1", BATTERY, to=f"{USER}/GLB1")
        robot.ask(ROBOTS)
        self.assertEqual(robot.ask(event, plain("\0E1\0s")), SUCCESS)
        robot.ask(ROBOTS)
        answer = robot.ask(event, "<presence/>", bind("1"))
        self.assertEqual(answer, bound("1", "E1@126.ecorobot.net/atom"))
        self.assert_silent([user])

    def test_stamp(self) -> None:
        """Everything that is passed on says from whom it is, once and truly."""
        robot, user = self.robot(), self.user(UID)
        lie = "from='E9@126.ecorobot.net/atom'"
        for inner in (BATTERY, ANSWER):
            for first in (
                f"{lie} to='{USER}/GLB1'",
                f"to='{USER}/GLB1' {lie.replace(chr(39), chr(34))}",
            ):
                robot.say(f"<iq {first} type='set' id='5'>{inner}</iq>")
                heard = user.heard()
                self.assertIn(f" from='{ROBOT}'", heard)
                self.assertEqual(heard.count("from="), 1)

    def test_second_address(self) -> None:
        """One stream has one."""
        user = self.user(UID)
        heard = user.ask(bind("b2", "other"))
        self.assertTrue(
            heard.endswith(failed("cancel", 405, "not-allowed").split(">", 1)[1]), heard
        )
        self.assertIn("type='cancel'", heard)

    def test_look_alikes(self) -> None:
        """What looks like a stanza inside of one is none."""
        robot, user = self.robot(), self.user(UID)
        inner = (
            "<query xmlns='com:ctl'><presence xmlns='jabber:client' type='unavailable'/>"
            "<iq xmlns='jabber:client' type='set' id='1'>"
            "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
            "<ping xmlns='urn:xmpp:ping'/><query xmlns='jabber:iq:roster'/></query>"
        )
        self.assertEqual(user.ask(iq("set", "1", inner, to=ROBOT)), "")
        self.assertIn(inner, robot.heard())
        self.assertFalse(user.line.over)

    def test_old_end(self) -> None:
        """The end of a connection that was replaced takes nothing away, in whatever order."""
        user, first, second, third = self.user(UID), self.robot(), self.robot(), self.robot()
        second.line.drop()
        first.line.drop()
        user.say(iq("set", "1", QUESTION, to=ROBOT))
        self.assertIn("GetCleanState", third.heard())
        third.line.drop()
        self.assertEqual(
            user.ask(iq("set", "2", QUESTION, to=ROBOT)), gone(f"{USER}/GLB1", ROBOT, "2")
        )

    def test_session_replaced(self) -> None:
        """The newest session of a name wins, too; resources differ by case."""
        first, other = self.user(UID, "r"), self.user(UID, "R")
        second = self.user(UID, "r")
        self.assertEqual(first.heard(), stream_error("conflict"))
        robot = self.robot()
        robot.say(iq("result", "1", to=f"{USER}/r"))
        self.assertNotEqual(second.heard(), "")
        self.assert_silent([first, other])


class WireTests(HouseholdCase):
    """What our part looks like."""

    def test_tls_enforced(self) -> None:
        """A password in clear text is refused before anybody looks at it."""
        self.world = World()
        client = Client(self.world)
        client.ask(USERS)
        self.assertEqual(client.ask(plain(f"\0{UID}\0x")), refused("encryption-required"))
        self.assertEqual(self.world.door.asked, [])

    def test_no_resource(self) -> None:
        """Who names none has one of his own."""
        jids = set()
        for _ in range(3):
            client = Client(self.world)
            client.say(USERS, plain(f"\0{UID}\0token"), USERS)
            client.heard()
            jids.add(client.ask(bind("b")).split("<jid>")[1].split("</jid>")[0])
        self.assertEqual(len(jids), 3)
        for jid in jids:
            self.assertRegex(jid, rf"^{USER}/[0-9a-f]{{16}}$")

    def test_ids(self) -> None:
        """No two streams are called the same, nor can anybody guess how."""
        factory = self.world.factory
        self.world.factory = XmppFactory(
            factory.clock,
            self.world.door,
            self.world.router,
            self.world.appear,
            StreamLimits(tls_users=False),
            token_hex,
        )
        ids = set()
        for _ in range(8):
            client = Client(self.world)
            heard = client.ask(USERS, plain(f"\0{UID}\0x"), USERS)
            ids |= set(re.findall(r"version='1.0' id='([0-9a-f]{16,})'", heard))
        self.assertEqual(len(ids), 16)

    def test_ping_ids(self) -> None:
        """Each of our pings has an id of its own in its stream."""
        robot = self.robot()
        robot.say(bind("x"))
        ids = []
        for _ in range(5):
            self.world.clock.advance(30)
            ids += re.findall(r"id='(s2c\d+)'", robot.heard())
            robot.say(" ")
        self.assertEqual(len(set(ids)), 5)

    def test_ping_answers(self) -> None:
        """Answers to our pings go to nobody, whether they are results or errors."""
        robot, user = self.robot(), self.user(UID)
        for kind in ("result", "error"):
            self.world.clock.advance(30)
            [number] = re.findall(r"id='(s2c\d+)'", robot.heard())
            user.heard()
            self.assertEqual(robot.ask(iq(kind, number, to="ecouser.net")), "")
            user.say(" ")
            self.assert_silent([user])

    def test_quotes(self) -> None:
        """Values keep their quotation marks."""
        robot, user = self.robot(), self.user(UID)
        values = "n='say \"hi\"' m=\"it's\" o='&quot;&apos;&#x27;'"
        inner = f'<query xmlns="com:ctl"><ctl {values}/></query>'
        user.say(iq("set", "1", inner, to=ROBOT))
        self.assertIn(inner, robot.heard())

    def test_addresses_with_quotes(self) -> None:
        """Those of a start tag are written anew, and stay what they were."""
        robot, user = self.robot(), self.user(UID)
        user.say(f'<iq type="set" id="it\'s &quot;1&quot; &lt;" to="{ROBOT}">{QUESTION}</iq>')
        heard = robot.heard()
        self.assertIn(QUESTION, heard)
        self.assertIn("it&apos;s", heard)
        self.assertNotIn('"', heard.split(">", maxsplit=1)[0])

    def test_prefix_of_header(self) -> None:
        """A prefix that only the sender's header declares goes along."""
        robot, user = self.robot(), Client(self.world)
        opening = USERS.replace(" to=", " xmlns:v='com:ctl' to=")
        user.say(opening, plain(f"\0{UID}\x000/GLB1/x"), opening, bind("b"), session("s"))
        user.heard()
        self.assertEqual(
            user.ask(iq("set", "1", "<v:query><v:ctl td='Clean'/></v:query>", to=ROBOT)), ""
        )
        heard = robot.heard()
        self.assertRegex(heard, r"^<iq [^>]*xmlns:v='com:ctl'[^>]*><v:query>")

    def test_by_namespace(self) -> None:
        """Requests are recognised by the namespace of what is in them."""
        user = self.user(UID)
        for namespace in (
            "jabber:iq:roster",
            "http://jabber.org/protocol/disco#items",
            "http://jabber.org/protocol/disco#info",
            "vcard-temp",
            "jabber:iq:private",
            "urn:anything",
        ):
            self.assertEqual(user.ask(iq("get", "1", f"<x xmlns='{namespace}'/>")), unknown("1"))

    def test_silent_robot(self) -> None:
        """A ping that a robot does not answer fails after ten seconds; a late answer is lost."""
        robot, user = self.robot(), self.user(UID)
        user.say(iq("get", "1", PING, to=ROBOT))
        self.world.clock.advance(9.9)
        self.assertEqual(user.heard(), "")
        self.world.clock.advance(0.2)
        heard = user.heard()
        self.assertTrue(heard.endswith(failed("wait", 504, "remote-server-timeout")), heard)
        self.assertIn(f" from='{ROBOT}'", heard)
        robot.say(iq("result", "1", to=f"{USER}/GLB1"))
        self.assertEqual(user.heard(), "")

    def test_never_closed_wrongly(self) -> None:
        """However a stream ends, what we have sent is well-formed as a whole."""
        for end in (
            CLOSE,
            "<presence type='unavailable'/>",
            "<a",
            "<!-- x -->",
            "<x></y>",
            "\x00",
        ):
            client = self.user(UID)
            client.say(end, b">" * 2, CLOSE)
            whole = bytes(client.line.sent).decode()
            last = whole[whole.rindex("<stream:stream ") :]
            self.assertEqual(fromstring(last).attrib["from"], "ecouser.net")
            self.assertNotIn("</stream>", whole)
