"""ecovacs-deebot, the library behind the ioBroker adapter, against the server."""

import json
from pathlib import Path
from typing import Any

from tests.interop.case import InteropCase, ask, log_in, steps
from tests.interop.children import Child, until
from tests.interop.installs import node_modules
from tests.interop.server import Server, environment

HERE = Path(__file__).parent

#: What any simulated robot says, in the library's own words.
COMMON: dict[str, Any] = {
    "battery": 87,
    "charge state": "charging",
    "clean speed": 2,
    "clean sum": {"totalSquareMeters": 3120, "totalSeconds": 210_000, "totalNumber": 188},
    "water level": 2,
    "set clean speed": 3,
    "set water level": 3,
    "cleaning": "auto",
    "paused": "pause",
    "resumed": "auto",
    "returning": "returning",
    "back": "charging",
}

WORN = {"filter": 44.44, "side_brush": 59, "main_brush": 73.56}

#: What those say that speak JSON.
JSON: dict[str, Any] = {
    **COMMON,
    "clean state": "idle",
    "sleep": 0,
    "volume": 4,
    "error": {"error": "NoError: Robot is operational", "code": "0"},
    "stopped": "idle",
}

#: And those that speak XML.
XML: dict[str, Any] = {**COMMON, "clean state": "stop", "sleep": "0", "stopped": "stop"}


#: What those say that have XMPP.
XMPP: dict[str, Any] = {
    "protocol": "XMPP",
    "ready": "XMPP client connected",
    "battery": 87,
    "charge state": "charging",
    "clean state": "stop",
    "clean speed": 2,
    "cleaning": "auto",
    "undocked": "idle",
    "stopped": "stop",
    "edge": "edge",
    "stopped again": "stop",
    "returning": "returning",
    "back": "charging",
    "gone": {"error": "Recipient unavailable", "code": "404"},
}


def online(port: int, token: str) -> bool:
    """Whether the server thinks that there is any robot."""
    listed = ask(port, "GET", "/api/robots", token=token).json["robots"]
    return any(robot["online"] for robot in listed)


class EcovacsTests(InteropCase):
    """
    The client asks for the vendor's names, and verifies our certificate under them.

    What is in between is one preloaded file that stands for the DNS of the home.
    """

    def setUp(self) -> None:
        super().setUp()
        self.modules = node_modules()

    def client(self, server: Server, ca: Path | None = None, **options: str) -> Child:
        """
        Start a session.

        @param ca: the certificate to trust, if it is not the server's.
        """
        ports = server.ports()
        environ = environment(
            NODE_PATH=str(self.modules),
            NODE_EXTRA_CA_CERTS=str(ca or server.ca),
            BUMPER_WEB_TLS=str(ports.web_tls),
            BUMPER_MQTT_TLS=str(ports.mqtt_tls),
            BUMPER_XMPP=str(ports.xmpp),
        )
        said = {"account": "owner@example.org", "password": "hunter2", **options}
        argv = ["node", "--require", str(HERE / "ecovacs_redirect.js")]
        return self.session([*argv, str(HERE / "ecovacs_session.js"), json.dumps(said)], environ)

    def finished(self, session: Child) -> dict[str, Any]:
        """What a session saw, once it has come to its end."""
        saw = super().finished(session)
        self.assertIn("done", saw, session.story())
        return saw

    def check(self, saw: dict[str, Any], expected: dict[str, Any]) -> None:
        """Compare what has to be equal, and then what is only known roughly."""
        self.assertEqual({step: saw.get(step) for step in expected}, expected)
        self.assertEqual({part: saw["life span"][part] for part in WORN}, WORN)
        self.assertNotEqual(saw["pushed position"]["x"], 0)
        self.assertEqual(len(saw["clean log"]), 1)

    def test_json(self) -> None:
        """A robot that speaks JSON: values, settings, and a job reported while it goes on."""
        server = self.serve()
        [robot] = self.robots(server.ports().mqtt_tls, xml=0, tls=True).json
        saw = self.finished(self.client(server, did=robot.did))
        self.check(saw, JSON)
        self.assertEqual(saw["devices"], [robot.did])
        network = {"ip": robot.ip, "mac": robot.mac, "wifiSSID": robot.ssid, "wifiSignal": "-58"}
        self.assertEqual(saw["network"], network)

    def test_xml(self) -> None:
        """The same for one that speaks XML."""
        server = self.serve()
        [robot] = self.robots(server.ports().mqtt, json=0).xml
        saw = self.finished(self.client(server, did=robot.did))
        self.check(saw, XML)
        network = {"ip": robot.ip, "mac": None, "wifiSSID": robot.ssid, "wifiSignal": None}
        self.assertEqual(saw["network"], network)

    def test_xmpp(self) -> None:
        """One of the first generation: commands, answers and events over XMPP, until it goes."""
        server = self.serve()
        fleet = self.robots(server.ports().xmpp, json=0, xml=0, xmpp=1)
        [robot] = fleet.xmpp
        session = self.client(server, did=robot.did)
        session.wait_for('"step": ?"leave"')
        fleet.stop()
        web = server.ports().web
        token = log_in(web)
        until(lambda: not online(web, token), "the robot is offline")
        session.say("it is gone")
        saw = self.finished(session)
        self.assertEqual({step: saw.get(step) for step in XMPP}, XMPP)
        self.assertEqual(saw["devices"], [robot.did])
        self.assertEqual(saw["network"]["wifiSSID"], robot.ssid)

    def test_stranger(self) -> None:
        """Where accounts are needed, the client says that the account or password is wrong."""
        server = self.serve("--set", "identity.policy=strict")
        session = self.client(server, only="login")
        self.assertEqual(session.finish(), 0, session.story())
        self.assertEqual(steps(session), {"refused": "Incorrect account id or password"})

    def test_verification(self) -> None:
        """Without our authority the client does not talk to us: verification is real."""
        empty = self.folder / "empty.crt"
        empty.touch()
        session = self.client(self.serve(), empty, only="login")
        self.assertEqual(session.finish(), 0, session.story())
        self.assertIn("certificate", steps(session)["refused"])
