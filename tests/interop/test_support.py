"""C{bumper support-bundle} beside a real server that knows a lot, and without it."""

import os
import pwd
import shutil
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from json import loads
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic
from typing import Any
from urllib.parse import quote

from attrs import evolve

from bumper_tw.simulator.identity import Identity, Kind, Profile, identities, login
from bumper_tw.simulator.mqtt import connect
from bumper_tw.storage.migrations import DATABASE
from tests.app.support.plants import PLANTS, found_in, unpacked
from tests.app.support.test_bundle import fill
from tests.interop.case import InteropCase
from tests.interop.children import until
from tests.interop.server import HOST, Server, own_environment

#: Seconds that a bundle may take, most of them for the doctor.
SECONDS = 60.0

P = PLANTS


class BundleTests(InteropCase):
    """A bundle."""

    def setUp(self) -> None:
        super().setUp()
        # A socket wants a short path.
        self.folder = Path(mkdtemp(prefix=P["folder"][:8]))
        self.addCleanup(shutil.rmtree, self.folder)
        data = self.folder / "data"
        data.mkdir(mode=0o700)
        fill(data / DATABASE)
        with closing(sqlite3.connect(data / DATABASE)) as connection, connection:
            # The robot is believed when it comes.
            connection.execute("DELETE FROM robot_secrets")

    def started(self) -> tuple[Server, int, int]:
        """A server whose log goes to a file, and where it speaks HTTP and MQTT."""
        options = ("--set", f"server.name={P['box']}.{P['domain']}")
        log = self.folder / "bumper.log"
        server = self.serve(
            *options, "--set", "front.journal_file=true", daemon=("--logfile", str(log))
        )
        accepting = "accepting connections at"
        until(lambda: log.exists() and log.read_text().count(accepting) == 5, "five listeners")
        lines = [line for line in log.read_text().splitlines() if accepting in line]
        ports = [int(line.rpartition(":")[2]) for line in lines]
        return server, ports[0], ports[2]

    def visit(self, port: int, path: str) -> None:
        """An app asks for something; it says a lot about its owner."""
        connection = HTTPConnection(HOST, port, timeout=20)
        headers = {
            "User-Agent": f"EcovacsHome/2.1.0 ({P['phone']}; {P['mac']})",
            "Authorization": f"Bearer {P['jwt']}",
        }
        connection.request("POST", path, b'{"ssid": "x"', headers)
        connection.getresponse().read()
        connection.close()

    def log_in(self, port: int, who: Identity) -> None:
        """A robot, or somebody who says that he is one, over MQTT."""
        with socket.create_connection((HOST, port), 20) as wire:
            wire.sendall(connect(login(who, Profile())))
            wire.recv(64)

    def make(self) -> dict[str, bytes]:
        """The files of a bundle."""
        file = self.folder / "bundle.tar.gz"
        file.unlink(missing_ok=True)
        argv = [sys.executable, "-m", "bumper_tw.app.cli", "support-bundle", str(file)]
        words = ["--data", str(self.folder / "data"), "--log", str(self.folder / "bumper.log")]
        began = monotonic()
        done = subprocess.run(
            [*argv, *words],
            cwd=self.folder,
            env=own_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLess(monotonic() - began, SECONDS)
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        return unpacked(file)

    def assert_clean(self, files: dict[str, bytes], *more: str) -> None:
        """Nothing of what was planted is in there, and nothing of this box."""
        own = [socket.gethostname(), pwd.getpwuid(os.geteuid()).pw_name]
        private = [name for name in own if len(name) > 4 and name not in {"localhost"}]
        for name, text in files.items():
            self.assertEqual(found_in(text, [*P.values(), *private, *more]), [], name)

    def test_beside_a_server(self) -> None:
        """What the server knows is there, and nothing of who it knows it of."""
        _, web, mqtt = self.started()
        [stranger] = identities(1, Kind.JSON)
        planted = evolve(
            stranger, did=P["did"], sn=P["serial"], cls="yna5xi", resource=P["resource"]
        )
        for who in (stranger, planted):
            self.log_in(mqtt, who)
        self.visit(web, f"/newThing/{P['uid']}?did={P['did']}&ssid={quote(P['ssid'])}")
        self.visit(web, f"/{quote(P['home'])}/{P['jwt']}")
        self.visit(web, "/api/login")
        files = self.make()
        self.assert_clean(files, stranger.did, stranger.sn, stranger.secret)
        doctor: Any = loads(files["doctor.json"])
        self.assertTrue(doctor["running"])
        self.assertGreater(len(doctor["findings"]), 5)
        server: Any = loads(files["server.json"])
        self.assertEqual(len(server["listeners"]), 5)
        self.assertIn("robot-1-name", files["server.json"].decode())
        entries: list[Any] = loads(files["journal.json"])
        self.assertIn("EcovacsHome/2.1.0", str(entries))
        self.assertIn("robot-1", {entry.get("robot") for entry in entries})
        self.assertIn(b"robot robot-1 connected from 127.0.0.1", files["log.txt"])
        self.assertEqual(loads(files["database.json"])["schema"], 4)
        self.assertTrue(loads(files["certificates.json"]))
        self.assertIn("packages", loads(files["versions.json"]))

    def test_levels(self) -> None:
        """The levels of its log are there, too, and can be changed."""
        self.started()
        argv = [sys.executable, "-m", "bumper_tw.app.cli", "log", "mqtt=debug"]
        done = subprocess.run(
            [*argv, "--data", str(self.folder / "data")],
            cwd=self.folder,
            env=own_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"mqtt +debug +info")
        levels: Any = loads(self.make()["log levels.json"])
        self.assertEqual(levels["levels"], {"mqtt": "debug"})
        line = "log levels: info, mqtt=debug, until the next start or reload"
        self.assertIn(line, (self.folder / "bumper.log").read_text())

    def test_without_a_server(self) -> None:
        """What it has left behind is there; the doctor looks by himself."""
        server, web, _ = self.started()
        self.visit(web, "/newThing")
        self.assertEqual(server.stop(), 0)
        files = self.make()
        self.assert_clean(files)
        doctor: Any = loads(files["doctor.json"])
        self.assertFalse(doctor["running"])
        self.assertIn("looked at without it", doctor["asked"])
        self.assertIn(b"newThing", files["unknown paths.json"])
        self.assertTrue(loads(files["journal.json"]))
        self.assertIn(b"server.json: ", files["README.txt"])
