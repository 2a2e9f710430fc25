"""Starting, stopping, and what is left when nobody could stop properly."""

import os
import pwd
import shutil
import socket
import ssl
import subprocess
from http.client import HTTPConnection
from json import dumps, loads
from pathlib import Path
from signal import SIGHUP
from typing import Any

from twisted.trial.unittest import SkipTest

from bumper_tw.simulator.identity import Identity, Kind, Profile, identities, login
from bumper_tw.simulator.mqtt import connect, subscribe
from bumper_tw.simulator.topics import RobotTopics
from tests.interop.case import ANSWER_SECONDS, InteropCase, ask, log_in, unavailable
from tests.interop.children import until
from tests.interop.server import ACCEPTING, HOST, LISTENERS, STOP_SECONDS, Server

#: Somebody without privileges, on every system.
NOBODY = "nobody"


class SilentRobot:
    """A robot that hears everything and answers nothing."""

    def __init__(self, port: int, who: Identity) -> None:
        self._socket = socket.create_connection((HOST, port), ANSWER_SECONDS)
        self._socket.sendall(connect(login(who, Profile())))
        self.heard = self._socket.recv(64)
        self._socket.sendall(subscribe(1, RobotTopics.of(who).requests()))
        self.hear(b"\x90")

    def hear(self, wanted: bytes) -> None:
        """
        Read until some bytes have come.

        @raise AssertionError: the connection ended before.
        """
        while wanted not in self.heard:
            more = self._socket.recv(65536)
            if not more:
                raise AssertionError(f"only heard {self.heard!r}")
            self.heard += more

    def close(self) -> None:
        """Leave without a word."""
        self._socket.close()


class ReloadTests(InteropCase):
    """SIGHUP."""

    def served(self, port: int) -> bytes:
        """The server certificate, as DER."""
        return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((HOST, port)))

    def replace_certificate(self, server: Server) -> bytes:
        """What the owner does who has a certificate of his own."""
        made, key = server.certs / "bumper.crt", server.certs / "bumper.key"
        how = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-subj", "/CN=own"]
        subprocess.run(
            ["openssl", *how, "-keyout", str(key), "-out", str(made)],
            check=True,
            capture_output=True,
        )
        return ssl.PEM_cert_to_DER_cert(made.read_text())

    def test_certificate(self) -> None:
        """A new certificate is shown from now on, and who is connected stays."""
        if shutil.which("openssl") is None:
            unavailable("openssl is not installed")
        server = self.serve()
        ports = server.ports()
        kept = HTTPConnection(HOST, ports.web, timeout=ANSWER_SECONDS)
        self.addCleanup(kept.close)
        kept.request("GET", "/discover")
        kept.getresponse().read()
        before, own = self.served(ports.web_tls), self.replace_certificate(server)
        os.kill(server.child.pid, SIGHUP)
        until(lambda: self.served(ports.web_tls) == own, "the new certificate", STOP_SECONDS)
        self.assertNotEqual(before, own)
        self.assertEqual(self.served(ports.mqtt_tls), own)
        kept.request("GET", "/discover")
        self.assertEqual(kept.getresponse().status, 200)


class StopTests(InteropCase):
    """SIGTERM."""

    def test_clients_connected(self) -> None:
        """It stops in time though robots and browsers hold their connections."""
        server = self.serve()
        ports = server.ports()
        self.robots(ports.mqtt, json=5, xml=5)
        kept = HTTPConnection(HOST, ports.web, timeout=ANSWER_SECONDS)
        self.addCleanup(kept.close)
        kept.request("GET", "/discover")
        self.assertEqual(kept.getresponse().status, 200)
        self.assertEqual(server.stop(), 0, server.child.story())

    def test_open_question(self) -> None:
        """Who waits for a robot gets an answer, not a broken connection."""
        server = self.serve()
        ports = server.ports()
        [who] = identities(1, Kind.JSON)
        robot = SilentRobot(ports.mqtt, who)
        self.addCleanup(robot.close)
        asking = HTTPConnection(HOST, ports.web, timeout=ANSWER_SECONDS)
        self.addCleanup(asking.close)
        body = dumps({"did": who.did, "name": "getBattery", "timeout": 50})
        asking.request(
            "POST", "/api/command", body, {"Authorization": f"Bearer {log_in(ports.web)}"}
        )
        robot.hear(b"getBattery")
        server.child.terminate()
        answer = asking.getresponse()
        self.assertEqual(answer.status, 503)
        self.assertEqual(loads(answer.read())["reason"], "stopping")
        self.assertEqual(server.child.finish(STOP_SECONDS), 0, server.child.story())

    def test_twice(self) -> None:
        """Asking twice does not change how it ends."""
        server = self.serve()
        server.ports()
        server.child.terminate()
        self.assertEqual(server.stop(), 0, server.child.story())


class PowerFailureTests(InteropCase):
    """The process is gone at once, and started again."""

    def test_facts_survive(self) -> None:
        """Robots, tokens and the latest telemetry are there again."""
        server = Server(self.folder)
        self.addCleanup(self.killed, server)
        ports = server.ports()
        token = log_in(ports.web)
        fleet = self.robots(ports.mqtt)
        status = f"/api/robots/{fleet.json[0].did}/status"
        history = f"/api/robots/{fleet.json[0].did}/history?kind=battery"

        def written() -> bool:
            answer = ask(ports.web, "GET", history, token=token)
            return answer.status == 200 and bool(answer.json["reports"])

        until(written, "the battery is in the database")
        self.killed(server)
        fleet.stop()

        again = self.serve().ports().web
        listed = ask(again, "GET", "/api/robots", token=token).json["robots"]
        known = {robot["did"]: robot["online"] for robot in listed}
        self.assertEqual(known, {fleet.json[0].did: False, fleet.xml[0].did: False})
        kept = ask(again, "GET", status, token=token).json["status"]
        self.assertIn("battery", kept)

    def test_robots_return(self) -> None:
        """Robots that were connected come back by themselves, and can be asked."""
        server = Server(self.folder)
        self.addCleanup(self.killed, server)
        ports = server.ports()
        token = log_in(ports.web)
        fleet = self.robots(ports.mqtt)
        self.killed(server)
        self.serve(ports=ports.again()).ports()

        def all_online() -> bool:
            listed = ask(ports.web, "GET", "/api/robots", token=token).json["robots"]
            return len(listed) == 2 and all(robot["online"] for robot in listed)

        until(all_online, "the robots are back")
        asked = {"did": fleet.json[0].did, "name": "getBattery"}
        answer = ask(ports.web, "POST", "/api/command", asked, token)
        self.assertEqual(answer.status, 200, answer)

    def killed(self, server: Server) -> None:
        """End it as a power failure does, unless that has happened."""
        if server.child.running:
            server.child.kill()
            server.child.finish()


class StartTests(InteropCase):
    """What can go wrong, or be wanted, at the start."""

    def test_port_taken(self) -> None:
        """A port that is taken ends the start: one line that says so, and exit status 1."""
        with socket.create_server((HOST, 0)) as taken:
            port = taken.getsockname()[1]
            server = Server(self.folder, ports={"mqtt:tls": port})
            self.assertEqual(server.child.finish(), 1, server.child.story())
        [line] = server.child.err
        self.assertIn(str(port), line)
        self.assertIn(str(os.getpid()), line)
        self.assertNotIn("Traceback", server.child.story())

    def test_wrong_setting(self) -> None:
        """So does a setting that is none."""
        server = Server(self.folder, "--set", "mqtt.max_packet_size=1")
        self.assertEqual(server.child.finish(), 1, server.child.story())
        [line] = server.child.err
        self.assertIn("max_packet", line)

    def test_privileges_dropped(self) -> None:
        """With --uid the server runs as that user, and can still write what it has to."""
        if os.getuid() != 0:
            raise SkipTest("only root can become somebody else")
        self.open_way()
        server = self.serve(daemon=("--uid", NOBODY))
        ports = server.ports()
        user = pwd.getpwnam(NOBODY)
        until(lambda: user_of(server.child.pid) == {user.pw_uid}, "privileges are dropped")
        self.robots(ports.mqtt)
        token = log_in(ports.web)
        listed = ask(ports.web, "GET", "/api/robots", token=token)
        self.assertEqual(len(listed.json["robots"]), 2)

    def open_way(self) -> None:
        """Let others pass through our folders to the server's."""
        self.folder.parent.chmod(0o711)
        for folder in (self.folder, *self.folder.parents):
            if not folder.stat().st_mode & 0o001:
                raise SkipTest(f"{folder} is closed to others")

    def test_order(self) -> None:
        """Each listener says where it is, in the order they were asked for."""
        server = self.serve()
        lines = server.child.wait_for(ACCEPTING, len(LISTENERS))
        served = [match.string.partition("] ")[2].split(" ")[0] for match in lines]
        self.assertEqual(served, [name.partition(":")[0] for name in LISTENERS])


def user_of(pid: int) -> set[int]:
    """Every user id a process has: real, effective, saved, and for files."""
    status: dict[str, Any] = {}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        status[name] = value.split()
    return {int(uid) for uid in status["Uid"]}
