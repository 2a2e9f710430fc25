"""sucks, the first client of the first robots, against the server."""

import json
from pathlib import Path
from typing import Any

from tests.interop.case import InteropCase
from tests.interop.children import Child
from tests.interop.installs import sucks_python
from tests.interop.server import Server, environment

SCRIPT = Path(__file__).with_name("sucks_session.py")

#: What a simulated robot says, in the library's own words.
EXPECTED: dict[str, Any] = {
    "ping soon": True,
    "battery": 0.87,
    "charging": "charging",
    "cleaning": "auto",
    "is cleaning": [True, "normal"],
    "undocked": True,
    "stopped": "stop",
    "fast": "spot",
    "fan speed": "high",
    "stopped again": "stop",
    "returning": "returning",
    "back": "charging",
    "clean state": "stop",
    "absent": ["recipient-unavailable", "wait", "404"],
    "absent status": "offline",
    "absent soon": True,
    "status again": None,
}

PARTS = {"main_brush", "side_brush", "filter"}


class SucksTests(InteropCase):
    """
    Python 3.9 at the newest, requests, and XMPP over STARTTLS.

    Its HTTP goes to the vendor's names, and verifies our certificate under them.
    """

    def setUp(self) -> None:
        super().setUp()
        self.python = sucks_python()

    def client(self, server: Server, ca: Path | None = None, **options: str) -> Child:
        """
        Start a session.

        @param ca: the certificate to trust, if it is not the server's.
        """
        ports = server.ports()
        said = {"account": "owner@example.org", "password": "hunter2", **options}
        where = {"web": ports.web_tls, "xmpp": ports.xmpp}
        environ = environment(REQUESTS_CA_BUNDLE=str(ca or server.ca))
        # -I: our neighbours in this folder are not for its imports.
        argv = [str(self.python), "-I", str(SCRIPT), json.dumps({**said, **where})]
        return self.session(argv, environ)

    def test_session(self) -> None:
        """Login, list, commands, events, and a robot that is away."""
        server = self.serve()
        [robot] = self.robots(server.ports().xmpp, json=0, xml=0, xmpp=1).xmpp
        saw = self.finished(self.client(server, robot=robot.did, absent="E0009876500000000000"))
        self.assertEqual({step: saw.get(step) for step in EXPECTED}, EXPECTED)
        listed = {"class": robot.cls, "resource": "atom", "company": "eco-legacy"}
        self.assertEqual(saw["device"], {**listed, "name": robot.sn})
        self.assertEqual(saw["ready"], f"{saw['login']}@ecouser.net/ab12cd34")
        self.assertEqual(set(saw["lives"]), PARTS)
        self.assertTrue(all(0 <= left <= 1 for left in saw["lives"].values()), saw["lives"])
        self.assertIn("done", saw)

    def test_stranger(self) -> None:
        """Where accounts are needed, what only the vendor can decipher is no account."""
        server = self.serve("--set", "identity.policy=strict")
        saw = self.finished(self.client(server, only="login"))
        self.assertEqual([*saw], ["refused"])

    def test_verification(self) -> None:
        """Without our authority the client does not talk to us: verification is real."""
        session = self.client(self.serve(), self.other_authority(), only="login")
        self.assertNotEqual(session.finish(), 0)
        self.assertIn("CERTIFICATE_VERIFY_FAILED", "\n".join(session.err))
