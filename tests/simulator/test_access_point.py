"""A robot out of its box."""

import base64
import json
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.simulator.__main__ import out_of_its_box, parser
from bumper_tw.simulator.access_point import LONGEST, AccessPoint, site
from bumper_tw.simulator.identity import Identity, Kind, Profile, UserName, identities, login
from bumper_tw.simulator.robot import SimulatedRobot

ASKED = {"td": "SetApConfig", "s": "wlan", "p": "pw", "u": "u1", "sc": "8f3a", "lb": "box.lan"}


class AccessPointTests(SynchronousTestCase):
    """What it makes of what the app says."""

    def setUp(self) -> None:
        [self.who] = identities(1, Kind.JSON)
        self.left: list[tuple[Identity, str]] = []
        self.point = AccessPoint(self.who, lambda who, server: self.left.append((who, server)))

    def asked(self, value: object) -> Any:
        """What it answers."""
        return json.loads(self.point.asked(json.dumps(value).encode()))

    def test_told(self) -> None:
        """It says who it is, and goes where it is sent, with its key."""
        answer = self.asked(ASKED)
        self.assertEqual(answer, {"ret": "ok", "did": self.who.did, "mid": self.who.cls})
        [(who, server)] = self.left
        self.assertEqual((server, who.key, who.ssid), ("box.lan", "8f3a", "wlan"))
        self.assertEqual((who.did, who.secret), (self.who.did, self.who.secret))
        self.assertEqual(self.point.identity, who)

    def test_once(self) -> None:
        """Its own network is gone then."""
        self.asked(ASKED)
        self.assertEqual(self.asked(ASKED)["ret"], "fail")
        self.assertEqual(len(self.left), 1)

    def test_key_is_shown(self) -> None:
        """The key stands in the second block of the user name, if there is one."""
        self.asked(ASKED)
        profile = Profile(user_name=UserName.META)
        for who, key in ((self.point.identity, {"sc": "8f3a"}), (self.who, {})):
            block = login(who, profile).username.split("`")[2]
            said = json.loads(base64.b64decode(block))
            self.assertEqual(said, {"app": "user", "st": 10, **key})
        self.assertNotIn("8f3a", login(self.point.identity, Profile()).username)

    def test_unfit(self) -> None:
        """What is no use to it is refused, and it stays where it is."""
        missing: list[object] = [
            {name: value for name, value in ASKED.items() if name != left_out}
            for left_out in ("td", "s", "sc", "lb")
        ]
        for value in (*missing, {**ASKED, "sc": ""}, {**ASKED, "lb": 7}, [], None, "x"):
            self.assertEqual(self.asked(value)["ret"], "fail", value)
        for raw in (b"", b"{", b"[" * LONGEST, b" " * LONGEST + json.dumps(ASKED).encode()):
            self.assertEqual(json.loads(self.point.asked(raw))["ret"], "fail")
        self.assertEqual(self.left, [])

    def test_secrets_are_not_shown(self) -> None:
        """The key is not in what is printed of a robot."""
        self.asked(ASKED)
        self.assertNotIn("8f3a", repr(self.point.identity))

    def test_command_line(self) -> None:
        """The robot of the command line connects to the server that it is told of."""
        reactor, begun = MemoryReactorClock(), list[SimulatedRobot]()
        options = parser().parse_args(["--access-point", "8888", "--port", "1", "--plain"])
        point = out_of_its_box(reactor, options, None, begun.append)
        self.assertNotIn(point.identity, identities(options.json, Kind.JSON))
        point.asked(json.dumps(ASKED).encode())
        [robot] = begun
        self.assertEqual((robot.identity.did, robot.identity.key), (point.identity.did, "8f3a"))

    def test_http(self) -> None:
        """The app asks by HTTP."""
        protocol: Any = site(self.point).buildProtocol(IPv4Address("TCP", "192.0.2.7", 50123))
        transport = StringTransport()
        protocol.makeConnection(transport)
        body = json.dumps(ASKED).encode()
        head = b"POST /rcp.do HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body)
        protocol.dataReceived(head + body)
        answer = transport.value().partition(b"\r\n\r\n")[2]
        self.assertEqual(json.loads(answer)["did"], self.who.did)
        self.assertEqual(len(self.left), 1)
