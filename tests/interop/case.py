"""What all tests with started processes have in common."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, NoReturn

from attrs import frozen
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.interop.children import Child
from tests.interop.server import HOST, Fleet, Server, fleet, own_environment

#: C{run}: clients of other people are installed and tested; C{require}: what cannot be tested
#: is a failure; C{off}: nothing here is tested.  Unset: our own processes only.
CHOICE = "BUMPER_INTEROP"

#: Seconds for one answer; longer than the server gives a robot.
ANSWER_SECONDS = 30.0


def unavailable(what: str) -> NoReturn:
    """
    Say that a test cannot be made here.

    @raise SkipTest: saying what is missing.
    @raise AssertionError: the same, where it has to be there.
    """
    if os.environ.get(CHOICE) == "require":
        raise AssertionError(f"{what} ({CHOICE}=require)")
    raise SkipTest(f"NOT TESTED: {what}")


def clients_wanted() -> None:
    """
    Clients of other people are downloaded, which not every test run wants.

    @raise SkipTest: this one does not.
    """
    if os.environ.get(CHOICE) not in {"run", "require"}:
        raise SkipTest(f"NOT TESTED: other people's clients; {CHOICE}=run installs and tests them")


@frozen
class Answer:
    """What came back for one request."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which has to be JSON."""
        return json.loads(self.body)


def ask(port: int, method: str, path: str, body: object = None, token: str = "") -> Answer:
    """One request over plain HTTP, on a connection of its own."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection = HTTPConnection(HOST, port, timeout=ANSWER_SECONDS)
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()


def log_in(port: int, account: str = "owner@example.org", password: str = "hunter2") -> str:
    """A token of our own API."""
    answer = ask(port, "POST", "/api/login", {"account": account, "password": password})
    assert answer.status == 200, answer
    return str(answer.json["token"])


def add_account(server: Server, name: str, password: str) -> None:
    """What the owner does, while the server runs."""
    argv = [sys.executable, "-m", "bumper_tw.app.cli", "user", "add", name]
    done = subprocess.run(
        [*argv, "--data", str(server.data)],
        input=password + "\n",
        cwd=server.folder,
        env=own_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


class InteropCase(SynchronousTestCase):
    """Starts processes, and leaves none behind."""

    def setUp(self) -> None:
        if os.environ.get(CHOICE) == "off":
            raise SkipTest(f"{CHOICE}=off")
        # The path of a socket is short, and each data folder has one.
        self.folder = Path(mkdtemp(prefix="bumper"))
        self.addCleanup(rmtree, self.folder)
        self.folder.chmod(0o755)

    def serve(
        self,
        *options: str,
        ports: Mapping[str, int] | None = None,
        daemon: tuple[str, ...] = (),
        anonymous: bool = False,
    ) -> Server:
        """Start a server, which has to end well when the test has."""
        server = Server(self.folder, *options, ports=ports, daemon=daemon, anonymous=anonymous)
        self.addCleanup(self._stopped_well, server)
        return server

    def _stopped_well(self, server: Server) -> None:
        status = server.stop()
        self.assertEqual(status, 0, server.child.story())
        self.assertNotIn("Traceback", "\n".join([*server.child.out, *server.child.err]))

    def robots(
        self,
        port: int,
        json: int = 1,
        xml: int = 1,
        speed: float = 4,
        tls: bool = False,
        xmpp: int = 0,
    ) -> Fleet:
        """Start robots, and wait until they can be asked."""
        started = fleet(self.folder, port, json, xml, speed, tls, xmpp)
        self.addCleanup(started.stop)
        started.ready()
        return started

    def session(self, argv: list[str], environ: Mapping[str, str]) -> Child:
        """Start a client."""
        child = Child(argv, self.folder, environ)
        self.addCleanup(self._ended, child)
        return child

    def finished(self, session: Child) -> dict[str, Any]:
        """What a client saw, once it has ended without an exception."""
        self.assertEqual(session.finish(), 0, session.story())
        return steps(session)

    def other_authority(self) -> Path:
        """The certificate of a server that is not the one that was started."""
        folder = self.folder / "other"
        folder.mkdir()
        other = Server(folder)
        self.addCleanup(other.stop)
        other.ports()
        return other.ca

    def _ended(self, child: Child) -> None:
        if child.running:
            child.kill()
        child.finish()


def steps(child: Child) -> dict[str, Any]:
    """What a client has seen, by the step: one JSON object on each line of its output."""
    lines = [json.loads(line) for line in child.out if line.startswith("{")]
    return {line["step"]: line.get("saw") for line in lines}
