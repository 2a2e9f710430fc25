"""A server with all kinds of doors, and how to see what is spoken behind them."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.interop.case import InteropCase, ask, log_in
from tests.interop.children import until
from tests.interop.raw_mqtt import Login
from tests.interop.raw_tls import Beat, Post, Visit, at_once
from tests.interop.raw_xmpp import header
from tests.interop.server import ACCEPTING, Server

#: One port for everything, with TLS; another one that also takes clear text; the dedicated ones.
DOORS = {
    "all_tls": "all:tcp:0:interface=127.0.0.1:tls",
    "all": "all:tcp:0:interface=127.0.0.1",
    "web": "web:tcp:0:interface=127.0.0.1",
    "web_tls": "web:tcp:0:interface=127.0.0.1:tls",
    "mqtt": "mqtt:tcp:0:interface=127.0.0.1",
    "mqtt_tls": "mqtt:tcp:0:interface=127.0.0.1:tls",
    "xmpp": "xmpp:tcp:0:interface=127.0.0.1",
}

#: What newer robots ask for on 443, what none of ours is called, and not to ask at all.
RIGHT = "jmq-ngiot-eu.dc.robotww.ecouser.net"
NAMES = RIGHT, "www.example.com", ""

#: As the robots of the OZMO 920 write it: MQTT 3.1.1, a clean session, name and password.
CONNECT = Login(
    "E0000000000000009200@vi829v/atom", "E0000000000000009200", "9f2c1be0", True, 120
).written()
CONNACK = b"\x20\x02\x00\x00"

#: What decides comes with these.
FIRST = 14

GET = b"GET /api/appsvr/service/list?area=de HTTP/1.1\r\nHost: portal-eu.ecouser.net\r\n"
ONCE = GET + b"Connection: close\r\n\r\n"
OK = b"HTTP/1.1 200 "

STREAM = b"<?xml version='1.0'?>" + header("ecouser.net")
FEATURES = b"<stream:stream"

#: Seconds that the owner lets a silent one have; and how late that may be noticed.
PATIENCE, LATE = 1, 10


class OnePortCase(InteropCase):
    """
    A server with all kinds of doors.

    @cvar settings: what is set otherwise than usual.
    """

    settings: tuple[str, ...] = ()

    def setUp(self) -> None:
        super().setUp()
        self.server, self.doors = opened(self, *self.settings)
        self.token = log_in(self.doors["web"])

    def visit(self, door: str, post: Post = at_once) -> Visit:
        """A connection that has said nothing."""
        made = Visit(self.doors[door], post)
        self.addCleanup(made.close)
        return made

    def beat(self) -> Beat:
        """For those who speak in crumbs."""
        made = Beat(self.doors["web"])
        self.addCleanup(made.close)
        return made

    def told(self, visit: Visit, **expected: object) -> dict[str, Any]:
        """What the journal says of a connection, once it says this."""
        found: dict[str, Any] = {}

        def tells() -> bool:
            found.update(self.entry(visit))
            return {name: found.get(name) for name in expected} == expected

        try:
            until(tells, f"the journal tells {expected}", LATE)
        except AssertionError as late:
            raise AssertionError(f"{late}: {found}") from None
        return found

    def entry(self, visit: Visit) -> dict[str, Any]:
        """The same now; empty when it says nothing."""
        said = ask(self.doors["web"], "GET", "/api/journal?limit=300", token=self.token)
        assert said.status == 200, said
        mine = [each for each in said.json["entries"] if each.get("port") == visit.port]
        return dict(mine[-1]) if mine else {}

    def check_mqtt(self, visit: Visit) -> None:
        """The broker answers, and not before it has heard who comes."""
        visit.say(CONNECT[:FIRST])
        visit.say(CONNECT[FIRST:])
        self.assertEqual(visit.hear(len(CONNACK)), CONNACK)

    def check_web(self, visit: Visit) -> None:
        """The web answers."""
        visit.say(ONCE)
        heard = visit.rest()
        self.assertEqual(heard[: len(OK)], OK, heard)
        self.assertIn(b'"jmq"', heard)

    def check_xmpp(self, visit: Visit) -> None:
        """The stream is opened from the other side."""
        visit.say(STREAM)
        self.assertEqual(visit.hear(len(FEATURES)), FEATURES)

    def spoken(self) -> Mapping[str, Callable[[Visit], None]]:
        """How to see that each protocol is spoken."""
        return {"HTTP": self.check_web, "MQTT": self.check_mqtt, "XMPP": self.check_xmpp}


def opened(case: InteropCase, *settings: str) -> tuple[Server, dict[str, int]]:
    """A server, and the ports of its doors by name."""
    options = [word for setting in settings for word in ("--set", setting)]
    server = case.serve("--listen", ",".join(DOORS.values()), *options)
    bound = server.child.wait_for(ACCEPTING, len(DOORS))
    return server, {name: int(match[1]) for name, match in zip(DOORS, bound, strict=True)}
