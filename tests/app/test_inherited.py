"""Tests for L{bumper_tw.app.inherited}."""

import contextlib
import os
import socket
from typing import Any

from attrs import evolve
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.python.systemd import ListenFDs
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.inherited import (
    endpoint,
    is_inherited,
    left_over,
    name_of,
    port_passed,
    require,
)
from bumper_tw.app.lifecycle import Listener
from bumper_tw.app.settings import Listen
from bumper_tw.errors import StartError
from twisted.plugins import twisted_core

WEB = "systemd:domain=INET:name=web"


class Case(SynchronousTestCase):
    """A process that got sockets."""

    def setUp(self) -> None:
        self.web = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.web.close)
        self.give(web=self.web)

    def give(self, **sockets: socket.socket) -> None:
        """systemd passes these, under these names."""
        handles = [os.dup(each.fileno()) for each in sockets.values()]
        for handle in handles:
            self.addCleanup(close, handle)
        parser: Any = twisted_core.systemdEndpointParser
        self.patch(parser, "_sddaemon", ListenFDs(handles, list(sockets)))

    @property
    def port(self) -> int:
        """Where the socket is."""
        return int(self.web.getsockname()[1])

    def refused(self, at: str) -> str:
        """Why an endpoint cannot be had."""
        return str(self.assertRaises(StartError, endpoint, None, at))


def close(handle: int) -> None:
    """Close what may have been closed already."""
    with contextlib.suppress(OSError):
        os.close(handle)


class EndpointTests(Case):
    """L{endpoint}."""

    def test_adopted(self) -> None:
        """The reactor gets the socket that was passed, with its own family."""
        for domain in ("INET", "INET6"):
            made: Any = endpoint("reactor", f"systemd:domain={domain}:name=web")
            self.assertEqual(made.addressFamily, socket.AF_INET)
            self.assertTrue(os.path.sameopenfile(made.fileno, self.web.fileno()))

    def test_by_number(self) -> None:
        """Sockets can be counted, too."""
        made: Any = endpoint("reactor", "systemd:domain=INET:index=0")
        self.assertTrue(os.path.sameopenfile(made.fileno, self.web.fileno()))

    def test_absent(self) -> None:
        """One that was not passed: one line that says where to look, and the way out."""
        for said in (
            self.refused("systemd:domain=INET6:name=https"),
            self.refused("systemd:domain=INET6:index=1"),
        ):
            self.assertNotIn("\n", said)
            self.assertIn("systemctl start bumper", said)
            self.assertIn('at = "tcp:443"', said)
        self.assertIn("bumper-https.socket", self.refused("systemd:domain=INET6:name=https"))

    def test_not_by_systemd(self) -> None:
        """The same when there are none at all."""
        self.give()
        self.assertIn("bumper-web.socket", self.refused(WEB))

    def test_wrong(self) -> None:
        """What is no endpoint is said to be none, with one that is."""
        for at in (
            "systemd:name=web",
            "systemd:domain=INET",
            "systemd:domain=MARS:name=web",
            "systemd:domain=INET:index=two",
            "systemd:domain=INET:name=web:index=0",
            "systemd:domain=INET:name=web:color=red",
        ):
            self.assertIn("expected such as", self.refused(at), at)
        self.assertIn("is no endpoint that Twisted knows", self.refused("carrier:pigeon"))

    def test_deaf(self) -> None:
        """A socket at which nobody can connect is of no use."""
        with socket.socket() as silent, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            self.give(silent=silent, datagrams=datagrams)
            for name in ("silent", "datagrams"):
                self.assertIn("ListenStream", self.refused(f"systemd:domain=INET:name={name}"))

    def test_closed(self) -> None:
        """Nor is one that another listener has taken already."""
        made: Any = endpoint("reactor", WEB)
        os.close(made.fileno)
        self.assertIn("no two", self.refused(WEB))

    def test_others(self) -> None:
        """Other endpoints are what they were."""
        reactor = MemoryReactorClock()
        self.successResultOf(endpoint(reactor, "tcp:443").listen(Factory()))
        self.assertEqual(reactor.tcpServers[0][0], 443)


class PortTests(Case):
    """L{port_passed}."""

    def test_port(self) -> None:
        """It is the real one, however often it is asked for."""
        self.assertEqual([port_passed(WEB), port_passed(WEB)], [self.port] * 2)

    def test_six(self) -> None:
        """The same for both families."""
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as six:
            self.give(six=six)
            port = port_passed("systemd:domain=INET6:name=six")
            self.assertEqual(port, six.getsockname()[1])

    def test_file(self) -> None:
        """A socket that is a file has none."""
        with socket.socket(socket.AF_UNIX) as unix:
            unix.bind("")
            unix.listen()
            self.give(local=unix)
            self.assertIsNone(port_passed("systemd:domain=UNIX:name=local"))

    def test_none(self) -> None:
        """Neither has one that is not there, or another endpoint."""
        self.assertIsNone(port_passed("systemd:domain=INET:name=xmpp"))
        self.assertIsNone(port_passed("tcp:443"))


class RequireTests(Case):
    """L{require} and L{left_over}."""

    def test_there(self) -> None:
        """All there, or not needed, or none of systemd's: fine, until one of them is needed."""
        absent = Listen("web", "systemd:domain=INET:name=http", optional=True)
        listen = [Listen("web", WEB), absent, Listen("web", "tcp:80")]
        require(listen)
        self.assertRaises(StartError, require, [*listen, evolve(absent, optional=False)])

    def test_missing(self) -> None:
        """One is missing: the start ends."""
        listen = [Listen("web", WEB), Listen("xmpp", "systemd:domain=INET:name=xmpp")]
        self.assertIn("xmpp", str(self.assertRaises(StartError, require, listen)))

    def test_optional_listener(self) -> None:
        """A listener that the owner can do without goes without its socket, and says why."""
        listener = Listener(
            MemoryReactorClock(), "web", "systemd:domain=INET:name=http", Factory(), True
        )
        listener.startService()
        self.assertIn("bumper-http.socket", listener.why)
        self.assertIsNone(listener.port)

    def test_left_over(self) -> None:
        """What nobody asked for is named, and the names are not left for others."""
        environ = {"LISTEN_FDNAMES": "web:http:web:xmpp"}
        self.assertEqual(list(left_over(environ, [Listen("web", WEB)])), ["http", "xmpp"])
        self.assertEqual(environ, {})

    def test_not_ours(self) -> None:
        """Sockets for another process are none of our business."""
        environ = {"LISTEN_FDNAMES": "web", "LISTEN_PID": "1"}
        self.assertEqual(list(left_over(environ, [])), [])

    def test_none(self) -> None:
        """There may be none."""
        self.assertEqual(list(left_over({}, [Listen("web", WEB)])), [])

    def test_counted(self) -> None:
        """Who counts sockets does not name them; nothing is said then."""
        environ = {"LISTEN_FDNAMES": "web"}
        listen = [Listen("web", "systemd:domain=INET:index=0")]
        self.assertEqual(list(left_over(environ, listen)), [])

    def test_names(self) -> None:
        """Where the name is in an endpoint."""
        self.assertEqual((name_of(WEB), name_of("systemd:domain=INET:index=0")), ("web", ""))
        self.assertEqual([is_inherited(WEB), is_inherited("tcp:443")], [True, False])
