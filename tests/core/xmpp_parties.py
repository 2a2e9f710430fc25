"""Robots and people at the XMPP router, without a stream between them and it."""

from attrs import define, field
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from bumper_tw.core.xmpp_binding import Binding
from bumper_tw.core.xmpp_router import XmppRouter
from bumper_tw.core.xmpp_switchboard import RouterLimits
from bumper_tw.dialect.domains import USERS, robot_jid, user_jid
from bumper_tw.errors import ProtocolViolation
from bumper_tw.values import DeviceId, Principal, Role
from bumper_tw.wire.xmpp_reader import StanzaReader
from bumper_tw.wire.xmpp_stanzas import Stanza, StanzaLimits
from bumper_tw.xmpp_interfaces import IXmppOutlet

#: The robot of xmpp.md, and another.
SN = "E0009876500123450001"
DEEBOT = DeviceId(SN, "126", "atom")
OZMO = DeviceId("E0009876500123450002", "155", "atom")

#: How people write to them, and the users of xmpp.md.
ROBOT, OTHER = f"{SN}@126.ecorobot.net/atom", f"{OZMO.did}@155.ecorobot.net/atom"
UID = "fuid_a1b2c3"
ANN = f"{UID}@ecouser.net/GLBa91f03c2d"

#: How a stream begins.
HEADER = (
    b"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client'"
    b" xmlns:v='com:ctl' to='ecouser.net' version='1.0'>"
)

#: What people and robots say most of the time.
COMMAND = (
    f"<iq id='7' to='{ROBOT}' type='set'><query xmlns='com:ctl'><ctl td='Clean'/></query></iq>"
)
BATTERY = "<query xmlns='com:ctl'><ctl td='BatteryInfo'><battery power='087'/></ctl></query>"
PING = "<ping xmlns='urn:xmpp:ping'/>"
DONE = "<query xmlns='com:ctl'><ctl id='72107787' ret='ok'/></query>"


def stanza(text: str) -> Stanza:
    """A stanza as a stream gives it out."""
    _, read = StanzaReader(StanzaLimits()).feed(HEADER + text.encode())
    assert isinstance(read, Stanza)
    return read


@implementer(IXmppOutlet)
@define(eq=False)
class ListOutlet:
    """
    A stream that remembers what is written to it.

    @ivar waiting: what it says that its backlog is.
    @ivar asked: how often it was asked.
    @ivar binding: is closed at a conflict, as a stream does that ends.
    """

    heard: list[bytes] = field(factory=list)
    answers: list[bytes] = field(factory=list)
    waiting: int = 0
    asked: int = 0
    conflicts: int = 0
    shut: bool = False
    binding: Binding | None = None

    def write(self, stanza: bytes) -> None:
        self.heard.append(stanza)

    def answer(self, stanza: bytes) -> None:
        if self.shut:
            raise ProtocolViolation("A client asks on and on without reading.")
        self.answers.append(stanza)

    def backlog(self) -> int:
        self.asked += 1
        return self.waiting

    def conflict(self) -> None:
        self.conflicts += 1
        if self.binding is not None:
            self.binding.close()


class Party:
    """
    Somebody who is bound.

    @ivar address: its full one.
    """

    def __init__(self, router: XmppRouter, who: Principal) -> None:
        self.outlet, self.who = ListOutlet(), who
        robot = who.role is Role.ROBOT
        jid = robot_jid(who.device) if robot else user_jid(who.name, who.resource)
        self.binding = router.bind(who, jid, self.outlet)
        self.outlet.binding, self.address = self.binding, self.binding.address
        self.binding.enter()

    def say(self, text: str) -> None:
        """Send one stanza."""
        self.binding.route(stanza(text))

    def heard(self) -> list[str]:
        """What others have sent it since the last look."""
        heard, self.outlet.heard = self.outlet.heard, []
        return [each.decode() for each in heard]

    def answers(self) -> list[str]:
        """What the server has answered since the last look."""
        answers, self.outlet.answers = self.outlet.answers, []
        return [each.decode() for each in answers]

    def take(self) -> list[str]:
        """All of it."""
        return self.answers() + self.heard()


def robot_party(router: XmppRouter, device: DeviceId = DEEBOT) -> Party:
    """A robot comes."""
    return Party(router, Principal(Role.ROBOT, device.did, device.model, "atom", device.did))


def user_party(router: XmppRouter, uid: str = UID, resource: str = "GLBa91f03c2d") -> Party:
    """A session of a user begins."""
    return Party(router, Principal(Role.USER, uid, USERS, resource))


def error(kind: str, condition: str, code: int) -> str:
    """What an error says behind its address."""
    why = f"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
    return f"<error type='{kind}' code='{code}'>{why}</error></iq>"


class RouterCase(SynchronousTestCase):
    """A router with one robot and one session of a user."""

    limits = RouterLimits()

    def setUp(self) -> None:
        self.clock = Clock()
        self.denied: set[tuple[str, str]] = set()
        self.router = XmppRouter(self.clock, self.limits, self.permits)
        self.robot, self.ann = robot_party(self.router), user_party(self.router)

    def permits(self, who: Principal, did: str) -> bool:
        """Everybody everything, but for C{denied}."""
        return (who.name, did) not in self.denied

    def tell(
        self, to: str | None, kind: str = "set", inner: str = BATTERY, number: int = 2
    ) -> None:
        """The robot says something."""
        target = "" if to is None else f" to='{to}'"
        self.robot.say(f"<iq{target} type='{kind}' id='{number}'>{inner}</iq>")

    def assertReaches(self, *parties: Party) -> None:
        """One stanza has come to each of these, under its own address."""
        for party in parties:
            [heard] = party.heard()
            self.assertEqual(stanza(heard).attributes["to"], party.address)
            self.assertEqual(stanza(heard).attributes["from"], self.robot.address)

    def assertSilent(self, *parties: Party) -> None:
        """Nothing has come to any of these."""
        for party in parties:
            self.assertEqual(party.take(), [])
