"""deebot-client, the library behind Home Assistant's Ecovacs integration, against the server."""

import json
import re
from pathlib import Path
from typing import Any

from tests.interop.case import InteropCase, add_account, ask, log_in
from tests.interop.children import Child, until
from tests.interop.installs import deebot_python
from tests.interop.server import HOST, Server, environment

SCRIPT = Path(__file__).with_name("deebot_session.py")

#: What aiomqtt writes when it was cancelled before its UNSUBACK came: the library disconnects
#: without waiting for what it has asked.  The numbers are one packet identifier.
CANCELLED = re.compile(
    r"""Unexpected message ID "(\d+)" in on_unsubscribe callback
Traceback \(most recent call last\):
(?: .*\n)+KeyError: \1$""",
    re.MULTILINE,
)

#: What a simulated robot says as long as nobody has touched it, in the library's own words.
FRESH: dict[str, Any] = {
    "battery": {"value": 87},
    "docked": {"state": "DOCKED"},
    "error": {"code": 0, "description": "NoError: Robot is operational"},
    "total stats": {"area": 3120, "time": 210_000, "cleanings": 188},
    "firmware": {"version": "1.14.3"},
    "available": {"available": True},
    "fan speed": {"speed": "NORMAL"},
    "volume": {"volume": 4, "maximum": 10},
    "water": {"value": "MEDIUM"},
    "life span BRUSH": {"type": "BRUSH", "percent": 73.56, "remaining": 13240},
    "life span FILTER": {"type": "FILTER", "percent": 44.44, "remaining": 3200},
    "life span SIDE_BRUSH": {"type": "SIDE_BRUSH", "percent": 59.0, "remaining": 5310},
}

#: What it says after it was told to.
CHANGED: dict[str, Any] = {
    "set fan speed": {"speed": "MAX"},
    "set volume": {"volume": 7, "maximum": 10},
    "set water": {"value": "HIGH"},
    "cleaning": {"state": "CLEANING"},
    "paused": {"state": "PAUSED"},
    "resumed": {"state": "CLEANING"},
    "stopped": {"state": "IDLE"},
    "returning": {"state": "RETURNING"},
    "back": {"state": "DOCKED"},
}

#: The same for a robot that speaks XML.
XML: dict[str, Any] = {
    "xml battery": {"value": 87},
    "xml docked": {"state": "DOCKED"},
    "xml total stats": {"area": 3120, "time": 210_000, "cleanings": 188},
    "xml cleaning": {"state": "CLEANING"},
    "xml stopped": {"state": "IDLE"},
}


class DeebotCase(InteropCase):
    """Runs sessions in the interpreter the library is installed in."""

    def setUp(self) -> None:
        super().setUp()
        self.python = deebot_python()

    def deebot(self, server: Server, tls: bool = False, **more: str) -> Child:
        """Start a session."""
        ports = server.ports()
        options = {
            "rest": f"https://{HOST}:{ports.web_tls}" if tls else f"http://{HOST}:{ports.web}",
            "mqtt": f"mqtts://{HOST}:{ports.mqtt_tls}" if tls else f"mqtt://{HOST}:{ports.mqtt}",
            "account": "owner@example.org",
            "password": "hunter2",
            **({"ca": str(server.ca)} if tls else {}),
            **more,
        }
        # -P: our neighbours in this folder are not for its imports.
        argv = [str(self.python), "-P", str(SCRIPT), json.dumps(options)]
        return self.session(argv, environment())

    def finished(self, session: Child) -> dict[str, Any]:
        """What a session saw, once it has ended without an exception or a warning."""
        saw = super().finished(session)
        self.assertEqual(CANCELLED.sub("", "\n".join(session.err)).strip(), "")
        return saw


class SessionTests(DeebotCase):
    """A home that serves itself."""

    def test_plain(self) -> None:
        """Over HTTP and MQTT everything works, and comes with the right values."""
        self.check_session(tls=False)

    def test_tls(self) -> None:
        """The same over TLS, with our certificate verified by the library's own context."""
        self.check_session(tls=True)

    def check_session(self, tls: bool) -> None:
        server = self.serve()
        ports = server.ports()
        robots = self.robots(ports.mqtt_tls if tls else ports.mqtt, tls=tls)
        session = self.deebot(server, tls)
        session.wait_for('"step": "leave"')
        robots.stop()
        token = log_in(ports.web)
        until(lambda: self.all_offline(ports.web, token), "the robots are offline")
        session.say("they are gone")
        saw = self.finished(session)

        [robot], [old] = robots.json, robots.xml
        network = {"ip": robot.ip, "ssid": robot.ssid, "rssi": -58, "mac": robot.mac}
        expected = {**FRESH, **CHANGED, **XML, "network": network}
        self.assertEqual({step: saw.get(step) for step in expected}, expected)
        self.assertEqual(sorted(saw["devices"]["mqtt"]), sorted([robot.did, old.did]))
        self.assertEqual(saw["devices"]["xmpp"] + saw["devices"]["not supported"], [])
        self.check_credentials(saw)
        self.check_job(saw)
        self.check_offline(saw)

    def all_offline(self, port: int, token: str) -> bool:
        """Whether the server has noticed that all robots are gone."""
        listed = ask(port, "GET", "/api/robots", token=token).json["robots"]
        return not any(robot["online"] for robot in listed)

    def check_credentials(self, saw: dict[str, Any]) -> None:
        """The login lasts about a month, of which the library uses 99 parts of 100."""
        self.assertApproximates(saw["days"], 30 * 0.99, 0.1)
        self.assertGreater(saw["products"], 100)

    def check_job(self, saw: dict[str, Any]) -> None:
        """The cleaning was reported while it went on, and is in the log afterwards."""
        self.assertGreaterEqual(saw["pushed positions"], 3)
        self.assertEqual(saw["play sound"]["ret"], "ok")
        newest = saw["clean logs"]["logs"][0]
        self.assertEqual((newest["type"], newest["stop_reason"]), ("auto", "MANUALLY_STOPPED"))
        self.assertEqual(saw["more total stats"]["cleanings"], 189)

    def check_offline(self, saw: dict[str, Any]) -> None:
        """A robot that is gone is unavailable at the first question, not after a time-out."""
        self.assertEqual(saw["offline"], {"available": False})
        self.assertLess(saw["seconds until offline"], 2.0)


class StrictTests(DeebotCase):
    """A home with accounts."""

    def test_passwords(self) -> None:
        """A wrong password is refused as such; the right one of an added account works."""
        server = self.serve("--set", "identity.policy=strict")
        server.ports()
        add_account(server, "owner@example.org", "correct horse")
        wrong = self.finished(self.deebot(server, only="login", password="battery staple"))
        self.assertEqual(wrong, {"refused": "InvalidAuthenticationError"})
        unknown = self.finished(self.deebot(server, only="login", account="stranger"))
        self.assertEqual(unknown, {"refused": "InvalidAuthenticationError"})
        right = self.finished(self.deebot(server, only="login", password="correct horse"))
        self.assertApproximates(right["days"], 30 * 0.99, 0.1)
