"""The checklist of xmpp.md 15, item by item, each number in the name of its test."""

import tracemalloc
from base64 import b64decode

from bumper_tw.errors import LoginRefused
from tests.xmpp import conversations
from tests.xmpp.household import (
    ANSWER,
    BATTERY,
    FOLDED,
    PING,
    QUESTION,
    HouseholdCase,
    gone,
    iq,
    lenient_world,
    unknown,
)
from tests.xmpp.replay import ReplayCase, bytewise, whole
from tests.xmpp.streams import (
    CLOSE,
    FEATURES_SECURE,
    PROCEED,
    ROBOT,
    SN,
    START_TLS,
    SUCCESS,
    UID,
    USER,
    Client,
    TlsClient,
    bind,
    header,
    plain,
    refused,
    session,
    stream_error,
)
from tests.xmpp.transcripts import Way, joined, turns

ROBOTS, USERS = header("126.ecorobot.net"), header("ecouser.net")

#: xmpp.md 4: what is sent, who it is, with which secret, and under which resource.
VECTORS = (
    (ROBOTS, "AEUwMDA5ODc2NTAwMTIzNDUwMDAxAGs3UXAyeFo5", SN, "k7Qp2xZ9", "atom"),
    (
        USERS,
        "AGZ1aWRfYTFiMmMzADAvR0xCYTkxZjAzYzJkL3VzXzBmMWUyZDNjNGI1YTY5Nzg4Nzk2YTViNGMzZDJlMWYw",
        UID,
        "us_0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "GLBa91f03c2d",
    ),
    (
        USERS,
        "ZnVpZF9hMWIyYzMAZnVpZF9hMWIyYzMAMC9zazdkMWYwMi85YWI4YzdkNg==",
        UID,
        "9ab8c7d6",
        "sk7d1f02",
    ),
    (
        USERS,
        "ZnVpZF9hMWIyYzNAZWNvdXNlci5uZXQAZnVpZF9hMWIyYzMAMC9lajQ0YWEwMS85YWI4YzdkNg==",
        UID,
        "9ab8c7d6",
        "ej44aa01",
    ),
)


class StreamsTests(ReplayCase):
    """Items about whole conversations; L{tests.xmpp.test_conversations} cuts them further."""

    def assert_same(self, conversation: str) -> None:
        """It runs the same however its streams are opened, and its bytes cut."""
        for way in Way:
            for cut in (whole, bytewise):
                for spoken in (turns(conversation, way), joined(turns(conversation, way))):
                    self.replay(lenient_world(), spoken, cut, way is not Way.CLEAR)

    def test_01_robot(self) -> None:
        """A robot with and without TLS, and inside of it from the start."""
        self.assert_same(conversations.ROBOT_ALONE)

    def test_02_programs(self) -> None:
        """Apps and programs; who asks for no resource has the one of his password."""
        for conversation in (
            conversations.APPS,
            conversations.SUCKS,
            conversations.JS,
            conversations.JAVA,
        ):
            self.assert_same(conversation)


class LoginTests(HouseholdCase):
    """Items about the login."""

    def ask(self, opening: str, auth: str) -> tuple[Client, str]:
        """A new stream, and what it hears."""
        client = Client(self.world)
        client.ask(opening)
        return client, client.ask(auth)

    def test_03_vectors(self) -> None:
        """Every recorded login says the same to us."""
        for opening, encoded, name, password, resource in VECTORS:
            _, heard = self.ask(opening, plain(b64decode(encoded).decode()))
            self.assertEqual(heard, SUCCESS)
            asked = self.world.door.asked[-1]
            self.assertEqual(asked.domain or "ecouser.net", opening.split("to='")[1].split("'")[0])
            self.assertEqual(
                (asked.name, asked.password, asked.resource or "atom"), (name, password, resource)
            )

    def test_03_slashes(self) -> None:
        """What is behind the second slash is the token, whatever there is in it."""
        self.ask(USERS, plain(f"\0{UID}\0" + "0/GLB1/us/0f//1e/"))
        asked = self.world.door.asked[-1]
        self.assertEqual((asked.resource, asked.password), ("GLB1", "us/0f//1e/"))

    def test_03_robot_secret(self) -> None:
        """A secret of a robot is not taken apart."""
        self.ask(ROBOTS, plain(f"\0{SN}\0" + "0/GLB1/us"))
        self.assertEqual(self.world.door.asked[-1].password, "0/GLB1/us")

    def test_03_parts(self) -> None:
        """There are three parts, no more and no fewer."""
        for message in (f"{UID}\0x", f"\0{UID}\0x\0", f"\0{UID}\0x\0y", "", UID):
            _, heard = self.ask(USERS, plain(message))
            expected = refused("malformed-request")
            if not message:
                expected = "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
            self.assertEqual(heard, expected, message)
        self.assertEqual(self.world.door.asked, [])

    def test_03_authorization(self) -> None:
        """Somebody may say twice who he is, but not that he is somebody else."""
        for authzid in ("", UID, UID.upper(), USER, "FUID_A1B2C3@EcoUser.Net"):
            self.assertEqual(self.ask(USERS, plain(f"{authzid}\0{UID}\0x"))[1], SUCCESS, authzid)
        for authzid in ("joann", f"{UID}@jabber.org", f"{USER}/x", "a"):
            heard = self.ask(USERS, plain(f"{authzid}\0{UID}\0x"))[1]
            self.assertEqual(heard, refused("invalid-authzid"), authzid)

    def test_03_wrong_token(self) -> None:
        """A wrong token is one, and the third ends the stream."""
        self.world.door.refuses = LoginRefused("no such token")
        client = Client(self.world)
        client.ask(USERS)
        heard = [client.ask(plain(f"\0{UID}\0x")) for _ in range(3)]
        self.assertEqual(
            heard, [refused("not-authorized")] * 2 + [refused("not-authorized") + CLOSE]
        )
        self.assertTrue(client.line.over)

    def test_13_injection(self) -> None:
        """What comes in clear text behind C{starttls} is never done."""
        smuggled = plain(f"\0{UID}\0x") + USERS + bind("1", "x")
        for cut in (0, 1):
            client = TlsClient(self.world)
            client.pieces = cut
            client.ask(USERS)
            client.line.receive((START_TLS + smuggled).encode())
            self.world.settle()
            self.assertEqual(client.heard(), PROCEED)
            client.shake()
            heard = client.ask(USERS)
            self.assertTrue(heard.endswith(FEATURES_SECURE), heard)
        self.assertEqual(self.world.door.asked, [])


class RoutingTests(HouseholdCase):
    """Items about who hears what."""

    def test_04_folded(self) -> None:
        """A robot is found in lower case, and its absence told in the same letters."""
        robot, user = self.robot(), self.user(UID)
        user.say(iq("set", "1", QUESTION, to=FOLDED))
        self.assertIn("GetCleanState", robot.heard())
        robot.line.drop()
        self.assertEqual(
            user.ask(iq("set", "2", QUESTION, to=FOLDED)), gone(f"{USER}/GLB1", FOLDED, "2")
        )

    def test_05_likeness(self) -> None:
        """Nobody hears what is for somebody whose name his own is part of, or the reverse."""
        robot = self.robot()
        names = ("ann", "joann", "joanna", "a", "an", "ann.")
        users = {name: self.user(name) for name in names}
        for stanza in (
            iq("set", "1", BATTERY, to="joann@ecouser.net"),
            iq("set", "2", BATTERY, to="joann@ecouser.net/GLB1"),
            iq("set", "3", ANSWER, to="joann@ecouser.net/GLB1"),
            iq("result", "4", to="joann@ecouser.net/GLB1"),
        ):
            robot.say(stanza)
            self.assertNotEqual(users["joann"].heard(), "", stanza)
            self.assert_silent(users.values())
        robot.say(iq("set", "5", BATTERY, to="nobody@ecouser.net/ann"))
        self.assert_silent(users.values())

    def test_05_empty(self) -> None:
        """Neither does a session without a resource of its own hear everything."""
        robot, nameless = self.robot(), Client(self.world)
        nameless.say(USERS, plain("\0a\0token"), USERS, bind("b"), session("s"))
        nameless.heard()
        for to in ("ann@ecouser.net", "ann@ecouser.net/x", "@ecouser.net", "@ecouser.net/x", ""):
            robot.say(iq("set", "1", BATTERY, to=to))
            self.assertEqual(nameless.heard(), "", to)
        self.assertFalse(robot.line.over)

    def test_06_impostor(self) -> None:
        """A robot sees who really speaks."""
        robot, user = self.robot(), self.user(UID)
        for sender in (
            "joann@ecouser.net/x",
            "n5q8w2e7r4t1y6u3@ecouser.net",
            "ecouser.net",
            ROBOT,
        ):
            user.say(iq("set", "1", QUESTION, to=ROBOT, sender=sender))
            heard = robot.heard()
            self.assertIn(f" from='{USER}/GLB1'", heard)
            self.assertEqual(heard.count("from="), 1)
            self.assertNotIn(f"from='{sender}'", heard)

    def test_07_ping_of_another_name(self) -> None:
        """A ping is one by its namespace; it arrives as it is, and so does its answer."""
        robot, user = self.robot(), self.user(UID, "ej44aa01")
        jid, ping = f"{USER}/ej44aa01", '<query xmlns="urn:xmpp:ping"/>'
        user.say(f'<iq id="1" from="{jid}" to="{ROBOT}" type="get">{ping}</iq>')
        self.assertEqual(
            robot.heard(), f"<iq id='1' from='{jid}' to='{ROBOT}' type='get'>{ping}</iq>"
        )
        robot.say(iq("result", "1", to=jid))
        self.assertEqual(user.heard(), f"<iq to='{jid}' type='result' id='1' from='{ROBOT}'/>")

    def test_08_offline(self) -> None:
        """A robot that is not there is answered for at once, known or not."""
        user = self.user(UID)
        self.robot().line.drop()
        stranger = "7c1f0a52-93be-4d0e-8a44-1b6de2f09c35@yna5xi.ecorobot.net/atom"
        for to in (ROBOT, ROBOT.removesuffix("/atom"), FOLDED, stranger):
            for kind, inner in (("set", QUESTION), ("get", PING)):
                heard = user.ask(iq(kind, "é'".replace("'", "&apos;"), inner, to=to))
                self.assertEqual(heard, gone(f"{USER}/GLB1", to, "é&apos;"))

    def test_09_answer_and_event(self) -> None:
        """An answer is for the one who asked, an event for all of his sessions."""
        robot = self.robot()
        first, second, other = self.user(UID, "A"), self.user(UID, "B"), self.user("joann", "A")
        for stanza in (iq("result", "1", to=f"{USER}/A"), iq("set", "2", ANSWER, to=f"{USER}/A")):
            robot.say(stanza)
            self.assertNotEqual(first.heard(), "")
            self.assert_silent([second, other])
        robot.say(iq("set", "3", BATTERY, to=f"{USER}/A"))
        for client, resource in ((first, "A"), (second, "B")):
            self.assertEqual(
                client.heard(), iq("set", "3", BATTERY, to=f"{USER}/{resource}", sender=ROBOT)
            )
        self.assert_silent([other])

    def test_10_reconnect(self) -> None:
        """A robot that comes back takes the place of its old connection, whenever that ends."""
        user, old = self.user(UID), self.robot()
        new = self.robot()
        self.assertEqual(old.heard(), stream_error("conflict"))
        old.line.drop()
        self.assertEqual(user.ask(iq("set", "1", QUESTION, to=ROBOT)), "")
        self.assertIn("GetCleanState", new.heard())
        self.assertEqual(
            self.world.happened.count("connected") - self.world.happened.count("gone"), 1
        )

    def test_11_alert(self) -> None:
        """An alert keeps its namespace; the request of an app has one answer."""
        robot, user, other = self.robot(), self.user(UID), self.user("joann")
        bare = ROBOT.removesuffix("/atom")
        alert = (
            "<query xmlns='com:sf'><sf td='pub' t='log' ts='1767225600000' tp='p' "
            f"k='DeviceAlert' v='DorpError' f='{bare}' g='{USER}'/></query>"
        )
        answer = f"<iq type='result' id='1234' from='rl.ecorobot.net' to='{ROBOT}'/>"
        self.assertEqual(robot.ask(iq("set", "1234", alert, to="rl.ecorobot.net")), answer)
        heard = user.heard()
        self.assertIn(alert, heard)
        self.assertNotIn("com:ctl", heard)
        asked = user.ask(iq("set", "9", "<query xmlns='com:sf'/>", to="rl.ecorobot.net"))
        expected = f"<iq id='9' to='{USER}/GLB1' from='rl.ecorobot.net' type='result'/>"
        self.assertEqual(asked, expected)
        self.assert_silent([robot, other])

    def test_12_roster(self) -> None:
        """There is no roster; but a room may be called one."""
        robot, user = self.robot(), self.user(UID)
        roster = "<query xmlns='jabber:iq:roster'/>"
        self.assertEqual(user.ask(iq("get", "1", roster)), unknown("1"))
        for name in (
            "roster",
            "jabber:iq:roster",
            "disco#info",
            "rl.ecorobot.net",
            "urn:xmpp:ping",
        ):
            rename = (
                f"<query xmlns='com:ctl'><ctl td='RenameM'><m mid='3' n='{name}'/></ctl></query>"
            )
            self.assertEqual(user.ask(iq("set", "2", rename, to=ROBOT)), "", name)
            self.assertIn(rename, robot.heard())

    def test_15_leaving_twice(self) -> None:
        """Both ways of leaving in one segment are one end."""
        robot, user = self.robot(), self.user(UID)
        for client in (robot, user):
            self.assertEqual(client.ask("<presence type='unavailable'/></stream:stream>"), CLOSE)
            self.assertTrue(client.line.over)
        self.assertEqual(self.world.happened.count("gone"), 1)

    def test_18_letters(self) -> None:
        """A name is passed on byte by byte the same, wherever it was cut."""
        robot, user = self.robot(), self.user(UID)
        rename = "<query xmlns='com:ctl'><ctl td='RenameM' n=\"Küche's 厨房 🤖\"/></query>"
        said = iq("set", "1", rename, to=ROBOT).encode()
        expected = iq("set", "1", rename, to=ROBOT, sender=f"{USER}/GLB1")
        for place in range(1, len(said)):
            user.send(said[:place])
            user.send(said[place:])
            self.assertEqual(robot.heard(), expected)


class LimitTests(HouseholdCase):
    """Items about what nobody may send."""

    def test_16_document_type(self) -> None:
        """A document type ends the stream of anybody, logged in or not."""
        doctype = "<!DOCTYPE a [<!ENTITY x 'y'>]>"
        for client in (self.robot(), self.user(UID)):
            self.assertEqual(client.ask(doctype), stream_error("restricted-xml"))
            self.assertTrue(client.line.over)
        for opening in (ROBOTS, USERS):
            client = Client(self.world)
            self.assertEqual(client.ask(doctype, opening)[-len(CLOSE) :], CLOSE)
            self.assertTrue(client.line.over)
            self.assertEqual(self.world.door.asked[2:], [])

    def test_17_endless(self) -> None:
        """Five mebibytes without an end are not read to the end, nor kept."""
        block = b"A" * 65_536
        for begun in ("<message>", "<message a='", "<", "<message ", "<iq><a>x</a>", "<!"):
            for client in (self.robot(), self.user(UID)):
                tracemalloc.start()
                client.send(begun.encode())
                for _ in range(80):
                    if not client.line.over:
                        client.send(block)
                self.assertLess(tracemalloc.get_traced_memory()[1], 1 << 20, begun)
                tracemalloc.stop()
                self.assertTrue(client.line.over, begun)
                self.assertTrue(client.heard().endswith(CLOSE), begun)
