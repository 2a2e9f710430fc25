"""What scripts and tools without a library of the vendor see."""

import shutil
import subprocess
from hashlib import md5

from tests.interop.case import InteropCase, ask, log_in, unavailable
from tests.interop.children import until
from tests.interop.server import HOST, Server

#: Names the vendor's clients ask for; each has to be in the certificate.
NAMES = (
    "mq-eu.ecouser.net",
    "portal-eu.ecouser.net",
    "api-app.dc-eu.ww.ecouser.net",
    "gl-de-api.ecovacs.com",
    "eco-de-api.ecovacs.com",
)


class TlsTests(InteropCase):
    """The certificates, as OpenSSL sees them."""

    def verify(self, server: Server, port: int, *more: str) -> subprocess.CompletedProcess[str]:
        """Connect and verify."""
        where = ["-connect", f"{HOST}:{port}", "-CAfile", str(server.ca)]
        return subprocess.run(
            ["openssl", "s_client", *where, "-verify_return_error", "-brief", *more],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def test_verified(self) -> None:
        """Each TLS listener proves to be the vendor's host, and this box, under our authority."""
        if shutil.which("openssl") is None:
            unavailable("certificates need the openssl program: not found")
        server = self.serve()
        ports = server.ports()
        for port in (ports.web_tls, ports.mqtt_tls):
            for name in NAMES:
                done = self.verify(server, port, "-servername", name, "-verify_hostname", name)
                self.assertEqual(done.returncode, 0, (name, done.stderr))
            done = self.verify(server, port, "-verify_ip", HOST)
            self.assertEqual(done.returncode, 0, done.stderr)
            refused = self.verify(server, port, "-verify_hostname", "example.org")
            self.assertNotEqual(refused.returncode, 0)


class ApiTests(InteropCase):
    """Our own API over plain HTTP."""

    def setUp(self) -> None:
        super().setUp()
        self.port = self.serve_with_robots()
        self.token = log_in(self.port)

    def serve_with_robots(self) -> int:
        """Start everything."""
        self.server = self.serve()
        ports = self.server.ports()
        self.fleet = self.robots(ports.mqtt)
        return ports.web

    def test_secrets(self) -> None:
        """The log has neither passwords nor tokens, whether they were right or not."""
        wrong = {"account": "owner@example.org", "password": ["hunter2"]}
        self.assertEqual(ask(self.port, "POST", "/api/login", wrong).status, 400)
        path = f"/api/robots?token={self.token}"
        self.assertEqual(ask(self.port, "GET", path, token="deadbeef" * 4).status, 401)
        self.assertEqual(self.server.stop(), 0)
        log = "\n".join(self.server.child.out)
        robots = [who.secret for who in (*self.fleet.json, *self.fleet.xml)]
        hashed = md5(b"hunter2").hexdigest()
        for secret in ("hunter2", hashed, self.token, "deadbeef", *robots):
            self.assertNotIn(secret, log)

    def test_discover(self) -> None:
        """Anybody may know what this box is."""
        answer = ask(self.port, "GET", "/discover")
        self.assertEqual(answer.status, 200)
        self.assertIn("version", answer.json)

    def test_token_needed(self) -> None:
        """Without a token nothing is told and nothing is done."""
        for method, path in (
            ("GET", "/api/robots"),
            ("POST", "/api/command"),
            ("GET", f"/api/robots/{self.fleet.json[0].did}/status"),
            ("GET", f"/api/robots/{self.fleet.json[0].did}/history"),
        ):
            for token in ("", "deadbeef"):
                answer = ask(self.port, method, path, {} if method == "POST" else None, token)
                self.assertEqual(answer.status, 401, path)
                self.assertIn("error", answer.json)

    def test_command(self) -> None:
        """A robot's answer comes back as it gave it, whatever it speaks."""
        [new], [old] = self.fleet.json, self.fleet.xml
        asked = {"did": new.did, "name": "getBattery"}
        answer = ask(self.port, "POST", "/api/command", asked, self.token)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.json["reply"]["body"]["data"], {"value": 87, "isLow": 0})
        asked = {"did": old.did, "name": "GetBatteryInfo", "data": "<ctl/>"}
        answer = ask(self.port, "POST", "/api/command", asked, self.token)
        self.assertEqual(answer.status, 200, answer)
        self.assertIn("<battery power='087'", answer.json["reply"])

    def test_unknown_robot(self) -> None:
        """A robot nobody knows is not there: no time-out."""
        asked = {"did": "nobody", "name": "getBattery"}
        answer = ask(self.port, "POST", "/api/command", asked, self.token)
        self.assertEqual((answer.status, answer.json["reason"]), (404, "unknown_robot"))

    def test_robots(self) -> None:
        """Both are listed as online, with their class and firmware."""
        listed = ask(self.port, "GET", "/api/robots", token=self.token).json["robots"]
        rows = {robot["did"]: (robot["class"], robot["online"]) for robot in listed}
        [new], [old] = self.fleet.json, self.fleet.xml
        self.assertEqual(rows, {new.did: ("yna5xi", True), old.did: ("ls1ok3", True)})

    def test_telemetry(self) -> None:
        """What robots report by themselves is kept: the latest, and the history."""
        path = f"/api/robots/{self.fleet.json[0].did}"

        def has_battery() -> bool:
            status = ask(self.port, "GET", f"{path}/status", token=self.token).json["status"]
            return "battery" in status

        until(has_battery, "the battery is known")
        latest = ask(self.port, "GET", f"{path}/status", token=self.token).json["status"]
        self.assertGreaterEqual(latest["battery"]["age"], 0)

        def has_history() -> bool:
            answer = ask(self.port, "GET", f"{path}/history?kind=battery", token=self.token)
            return bool(answer.json["reports"])

        until(has_history, "the history is written")
