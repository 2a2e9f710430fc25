"""What the tests with raw XMPP have in common: a server, and a pair that must not notice."""

from contextlib import suppress
from typing import Any

from tests.interop.case import InteropCase, ask
from tests.interop.raw_wire import Closed
from tests.interop.raw_xmpp import (
    CLIENT,
    CTL,
    STREAMS,
    Party,
    Robot,
    User,
    Wire,
    condition,
    iq,
    query,
    robot,
    shown,
    user,
)

#: What nobody reads to its end.
HUGE = 5 << 20

#: KiB the server may grow by while it hears that.
GROWTH = 30_000

#: Entities within entities; each level is ten times the one before.
LAUGHS = (
    "<!DOCTYPE lolz [<!ENTITY lol0 'lol'>"
    + "".join(f"<!ENTITY lol{n} '{f'&lol{n - 1};' * 10}'>" for n in range(1, 10))
    + "]>"
).encode()

#: What no stream may have in it, of which a document has some only at its beginning.
DOCUMENT_TYPES = LAUGHS, b"<!DOCTYPE x SYSTEM 'file:///etc/passwd'>"
FORBIDDEN = b"<!-- nothing -->", b"<?php echo 1?>"


def bomb(inner: str) -> bytes:
    """A question with something in it."""
    return iq("set", "1", query(inner), Robot().jid)


class XmppCase(InteropCase):
    """
    A server with a user and his robot.

    @cvar settings: what is set otherwise than usual.
    """

    settings: tuple[str, ...] = ()

    def setUp(self) -> None:
        super().setUp()
        options = [word for setting in self.settings for word in ("--set", setting)]
        self.server = self.serve(*options)
        ports = self.server.ports()
        self.port, self.web = ports.xmpp, ports.web
        self.owner = self.account()
        self.robot = self.enter(Robot())
        self.app = self.enter(self.owner)
        self.asked = 0

    def account(self, name: str = "owner@example.org", resource: str = "GLBa91f03c2d") -> User:
        """Somebody who has logged in over HTTP."""
        said = {"account": name, "password": "hunter2"}
        given: dict[str, Any] = ask(self.web, "POST", "/api/login", said).json
        return User(given["uid"], resource, given["token"])

    def enter(self, who: Robot | User, tls: bool = False) -> Party:
        """Somebody who is let in."""
        let_in = (
            robot(self.port, who, tls) if isinstance(who, Robot) else user(self.port, who, tls)
        )
        self.addCleanup(let_in.close)
        return let_in

    def wire(self, tls: bool = False) -> Wire:
        """A connection on which nothing was said."""
        made = Wire(self.port, tls)
        self.addCleanup(made.close)
        return made

    def opened(self, to: str = "126.ecorobot.net", tls: bool = False) -> Wire:
        """A connection with the features of somebody unknown."""
        made = self.wire(tls)
        made.open(to)
        return made

    def ended(self, why: str, wire: Wire, *said: bytes) -> None:
        """What is said ends the stream with an error; everybody else is still served."""
        read = True
        try:
            wire.say(*said)
        except Closed:
            read = False  # Then what was said about it may be lost.
        heard = list(wire.rest())
        errors = [condition(each) for each in heard if each.tag == f"{{{STREAMS}}}error"]
        if read or errors:
            self.assertEqual(errors, [why], [*map(shown, heard)])
        wire.gone()
        self.well()

    def closed(self, wire: Wire, *said: bytes) -> None:
        """What is said ends the connection, in whatever words; everybody else is still served."""
        with suppress(Closed):
            wire.say(*said)
        wire.gone()
        self.well()

    def refused(self, why: str, wire: Wire, said: bytes) -> None:
        """A login that is not accepted."""
        wire.say(said)
        heard = wire.hear()
        self.assertTrue(heard.tag.endswith("}failure"), shown(heard))
        self.assertEqual(condition(heard), why)

    def well(self) -> None:
        """The user asks his robot something, and hears the answer."""
        self.asked += 1
        number = f"{70_000_000 + self.asked}"
        asked = query(f"<ctl id='{number}' td='GetBatteryInfo'/>")
        self.app.say(iq("set", f"w{number}", asked, self.robot.who.jid))
        heard = self.robot.hear()
        self.assertEqual(heard.get("from"), self.app.who.jid)
        self.assertEqual(heard.get("id"), f"w{number}")
        told = query(f"<ctl id='{number}' ret='ok'><battery power='087'/></ctl>")
        self.robot.say(iq("set", f"a{number}", told, self.app.who.jid))
        back = self.app.hear()
        self.assertEqual(back.get("from"), self.robot.who.jid)
        ctl = back.find(f"{{{CTL}}}query/{{{CTL}}}ctl")
        assert ctl is not None, shown(back)
        self.assertEqual(ctl.get("id"), number)

    def said_no(self, why: str, party: Wire, said: bytes) -> None:
        """A stanza that is answered with an error."""
        party.say(said)
        heard = party.hear()
        self.assertEqual(
            (heard.tag, heard.get("type")), (f"{{{CLIENT}}}iq", "error"), shown(heard)
        )
        self.assertEqual(condition(heard), why)
