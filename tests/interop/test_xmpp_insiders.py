"""What those do over XMPP who were let in and mean no good, against a started server."""

from tests.interop.raw_wire import Closed
from tests.interop.raw_xmpp import (
    CLIENT,
    CTL,
    PING,
    SASL,
    STREAMS,
    Robot,
    User,
    header,
    iq,
    query,
    shown,
)
from tests.interop.test_fuzz import resident
from tests.interop.xmpp_case import DOCUMENT_TYPES, FORBIDDEN, GROWTH, HUGE, XmppCase, bomb

#: A stanza is no larger.
LARGE = 65_536

#: Seconds after which nobody reads what we say.
BRIEF = 3


class InsiderTests(XmppCase):
    """Those who were let in."""

    def test_forbidden(self) -> None:
        """What ends the stream of a stranger ends that of a robot and of a user, too."""
        for said in FORBIDDEN:
            self.nowhere(said)

    def test_document_types(self) -> None:
        """Document types do, however willing to repair what robots say the server is."""
        for said in DOCUMENT_TYPES:
            self.nowhere(said)

    def nowhere(self, said: bytes) -> None:
        """Neither between stanzas nor within them, whoever says it."""
        for where in (said, bomb(said.decode())):
            self.ended("restricted-xml", self.enter(User("ann")), where)
            self.ended("restricted-xml", self.enter(Robot(sn="E0009876500123450006")), where)

    def test_sizes(self) -> None:
        """The largest stanza passes; one byte more, and what is deep or wide, does not."""
        edge = len(bomb("<ctl td=''/>"))
        self.app.say(bomb(f"<ctl td='{'x' * (LARGE - edge)}'/>"))
        heard = self.robot.hear()
        ctl = heard.find(f"{{{CTL}}}query/{{{CTL}}}ctl")
        assert ctl is not None
        self.assertEqual(len(ctl.get("td", "")), LARGE - edge)
        attributes = " ".join(f"a{n}=''" for n in range(65))
        for said in (
            bomb(f"<ctl td='{'x' * (LARGE - edge + 1)}'/>"),
            bomb("<a>" * 15 + "</a>" * 15),
            bomb(f"<ctl {attributes}/>"),
            bomb("<a/>" * 1000),
            b"<" + b"x" * HUGE,
        ):
            self.ended("policy-violation", self.enter(User("ann")), said)
            self.ended("policy-violation", self.enter(Robot(sn="E0009876500123450007")), said)
        self.assertEqual(self.robot.meanwhile(), [])

    def test_broken(self) -> None:
        """A user's XML has to be XML; a robot's is dropped three times."""
        said = bomb("<ctl td='a'></clt>")
        self.ended("not-well-formed", self.enter(User("ann")), said)
        stream = self.enter(Robot(sn="E0009876500123450008"))
        stream.say(said)
        self.assertEqual(stream.meanwhile(), [])
        self.closed(stream, said * 3)

    def test_unknown_prefix(self) -> None:
        """A prefix that nobody has declared ends the stream."""
        self.closed(self.enter(User("ann")), bomb("<a:ctl td='Clean'/>"))
        self.assertEqual(self.robot.meanwhile(), [])

    def test_bytes(self) -> None:
        """However its bytes are cut, a stanza arrives as it was said."""
        said = "<ctl id='70000000' td='RenameM'><m n='Küche 🧹 &quot;roster&quot; a&amp;b'/></ctl>"
        whole = bomb(said)
        self.app.crumble(whole)
        self.robot.hear()
        for at in range(len(whole)):
            self.app.say(whole[:at])
            self.app.say(whole[at:])
            self.robot.hear()
        self.app.say(b" \r\n".join([whole] * 50))
        for _ in range(50):
            self.robot.hear()
        self.assertEqual(self.robot.raw.count(said.encode()), 51 + len(whole))
        self.well()

    def test_login_bytes(self) -> None:
        """A whole login that comes byte by byte is a login."""
        wire = self.wire()
        wire.crumble(b"<?xml version='1.0'?>" + header("126.ecorobot.net"))
        wire.expect(STREAMS, "features")
        wire.crumble(Robot(sn="E0009876500123450009").login())
        wire.expect(SASL, "success")
        self.well()

    def test_look_alikes(self) -> None:
        """Nobody hears what is said to somebody whose name is a part of his, or the reverse."""
        names = ("ann", "joann", "annie", "nn")
        users = {name: self.enter(User(name, "r")) for name in names}
        robots = [self.enter(Robot(sn=Robot().sn + "0")), self.enter(Robot(sn=Robot().sn[:-1]))]
        robots.append(self.enter(Robot(sn="E0009876500123450010", model="1267")))
        self.robot.say(iq("set", "1", query("<ctl td='BatteryInfo'/>"), "ann@ecouser.net/r"))
        self.assertEqual(users["ann"].hear().get("from"), Robot().jid)
        for to in ("nobody@ecouser.net", "@ecouser.net", "n@ecouser.net", "ann", "a@ecouser.net/"):
            self.robot.say(iq("set", "2", query("<ctl td='BatteryInfo'/>"), to))
        # What is no address, or nobody's we know, is refused; a user who is away is not.
        self.assertEqual({each.get("type") for each in self.robot.meanwhile()}, {"error"})
        self.well()
        for party in (*users.values(), *robots, self.app):
            self.assertEqual(party.meanwhile(), [])

    def test_spoofed(self) -> None:
        """Who says that he is somebody else is not believed."""
        liar = self.enter(User("liar"))
        for sender in (self.owner.jid, "ecouser.net", "helperbot@ecouser.net/bumper", ""):
            said = f"from='{sender}' " if sender else ""
            liar.say(f"<iq {said}to='{Robot().jid}' type='get' id='p'>{PING}</iq>".encode())
            self.assertEqual(self.robot.hear().get("from"), User("liar").jid)
        fake = self.enter(Robot(sn="E0009876500123450011"))
        told = query("<ctl td='BatteryInfo'><battery power='001'/></ctl>")
        fake.say(iq("set", "9", told, self.owner.jid, Robot().jid))
        heard = self.app.hear()
        self.assertEqual(heard.get("from"), "E0009876500123450011@126.ecorobot.net/atom")

    def test_strange_stanzas(self) -> None:
        """What has no place here is refused or dropped, and never reaches a robot."""
        said_no, me = self.said_no, self.enter(User("ann"))
        said_no("remote-server-not-found", me, iq("get", "1", PING, "a@example.org/x"))
        said_no("recipient-unavailable", me, iq("get", "2", PING, "E1@126.ecorobot.net/atom"))
        said_no(
            "recipient-unavailable", me, iq("get", "3", PING, f"{Robot().sn}@1267.ecorobot.net")
        )
        said_no("service-unavailable", me, iq("get", "4", PING, self.owner.jid))
        said_no("feature-not-implemented", me, iq("get", "5", "<query xmlns='jabber:iq:roster'/>"))
        bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
        said_no("not-allowed", me, iq("set", "6", bind))
        clean = iq("set", "9", query("<ctl td='Clean'/>"), Robot().jid).decode()
        nested = f"<a xmlns='urn:x'>{clean.replace('<iq', f'<iq xmlns={CLIENT!r}')}</a>"
        for dropped in (
            f"<message to='{Robot().jid}'><body>x</body></message>",
            f"<iq type='result' id='7' to='{self.owner.jid}'/>",
            "<iq type='error' id='8' to='a@example.org'><error/></iq>",
            f"<presence to='{Robot().jid}' type='subscribe'/>",
            nested,
        ):
            me.say(dropped.encode())
        self.assertEqual([shown(each) for each in me.meanwhile()], [])
        self.assertEqual([shown(each) for each in self.robot.meanwhile()], [])
        self.well()

    def test_no_reader(self) -> None:
        """Who never reads what a robot floods him with costs bounded memory, and nobody else."""
        deaf = self.enter(User("deaf"))
        flooder = self.enter(Robot(sn="E0009876500123450012"))
        told = iq("set", "1", query(f"<ctl td='BatteryInfo' x='{'x' * 8000}'/>"), deaf.who.jid)
        before = resident(self.server.child.pid)
        for number in range(5000):
            flooder.say(told)
            if number % 500 == 0:
                self.well()
        self.assertEqual(flooder.meanwhile(), [])
        self.assertLess(resident(self.server.child.pid) - before, GROWTH)
        self.well()

    def test_endless_questions(self) -> None:
        """Who asks on and on, and does not read the answers, is not read any more, or closed."""
        deaf = self.enter(User("deaf"))
        asked = iq("get", "x" * 1000, PING, "ecouser.net") * 100
        before = resident(self.server.child.pid)
        deaf.patience(BRIEF)
        with self.assertRaises((Closed, TimeoutError)):
            for _ in range(10_000):
                deaf.say(asked)
        self.assertLess(resident(self.server.child.pid) - before, GROWTH)
        self.well()
