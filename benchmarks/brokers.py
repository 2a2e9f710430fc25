"""Three MQTT brokers as processes of their own: ours, mosquitto and amqtt."""

import os
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import IO

from attrs import frozen

from benchmarks.server import HOST, ROOT, START_SECONDS, Launch, Running, ServerFailed
from bumper_tw.pki.vault import Vault

OURS, MOSQUITTO, AMQTT = "bumper_tw", "mosquitto", "amqtt"

#: With C{set_tcp_nodelay}: it is quicker where messages are few, and slower where they are many.
NODELAY = "mosquitto nodelay"

#: Debian keeps servers where a user's path may not lead.
SERVER_FOLDERS = "/usr/local/sbin:/usr/sbin"

#: What is installed when nobody names an interpreter that has it.
AMQTT_PACKAGE = "amqtt>=0.11.4"
AMQTT_FOLDER = ROOT / "build" / "bench-amqtt"

#: Its own program, without the lines it would write about every connection.
AMQTT_PROGRAM = """
import logging
from amqtt.scripts.broker_script import main
logging.disable(logging.WARNING)
main()
"""

#: All clients come from one address, and no limit of ours is to be measured.
OUR_CONFIG = """
[log]
level = "warn"

[server]
announce = "{host}"

[tls]
directory = "{certificates}"

[identity]
new_robots_per_hour = 100000

[front]
seconds = 300
undecided = 100000
undecided_per_peer = 100000

[mqtt]
connections = 100000
connections_per_peer = 100000
strangers = 100000
strangers_per_peer = 100000
subscriptions = 10000
backlog_bytes = 1073741824
login_seconds = 300
figures_seconds = 0

[[listen]]
serve = "mqtt"
at = "tcp:{plain}:interface={host}"
anonymous = true

[[listen]]
serve = "mqtt"
at = "tcp:{tls}:interface={host}"
tls = true
anonymous = true
"""

#: It keeps its rights, which it needs to read the key in a folder of whoever started us.
MOSQUITTO_CONFIG = """
per_listener_settings true
user root
log_dest stderr
log_type error
sys_interval 0
persistence false
max_queued_messages 0
set_tcp_nodelay {nodelay}

listener {plain} {host}
allow_anonymous true

listener {tls} {host}
allow_anonymous true
certfile {certificates}/bumper.crt
keyfile {certificates}/bumper.key
"""

#: Its own defaults but for the plug-ins that write logs and figures.
AMQTT_CONFIG = """
listeners:
  default:
    type: tcp
    bind: {host}:{plain}
    max_connections: 100000
  encrypted:
    type: tcp
    bind: {host}:{tls}
    max_connections: 100000
    ssl: true
    certfile: {certificates}/bumper.crt
    keyfile: {certificates}/bumper.key
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: true
"""


class Absent(Exception):
    """A broker is not installed here, nor can it be."""


@frozen
class Place:
    """
    Where a broker lives.

    @ivar folder: its own, with its settings and its log.
    @ivar certificates: the folder of the certificate that all of them show.
    """

    folder: Path
    certificates: Path
    plain: int
    tls: int

    def settle(self, name: str, text: str, **more: str) -> Path:
        """Write its settings, with ports and folders filled in."""
        path = self.folder / name
        places = {"host": HOST, "plain": self.plain, "tls": self.tls}
        path.write_text(text.format(certificates=self.certificates, **places, **more))
        return path


#: How a broker is started: its command line, once its settings are written.
Start = Callable[[Place], list[str]]


@frozen
class Kit:
    """
    What is needed to start brokers.

    @ivar python: the interpreter of ours.
    @ivar starts: how each is started, by name, in the order of the tables.
    @ivar folder: of all of them; each start gets a folder of its own in it.
    @ivar certificates: see L{Place.certificates}.
    """

    python: str
    starts: dict[str, Start]
    folder: Path
    certificates: Path

    @contextmanager
    def running(self, names: Sequence[str]) -> Iterator[dict[str, "Broker"]]:
        """
        Brokers side by side, until the end of the block.

        @raise ServerFailed: one does not start, or does not stop as it should.
        """
        with ExitStack() as stack:
            yield {name: stack.enter_context(Broker(self, name)) for name in names}


class Broker(Running):
    """
    One running broker.

    @ivar plain: its port without TLS.
    @ivar tls: the one with TLS.
    """

    def __init__(self, kit: Kit, name: str) -> None:
        """
        Start it and wait until it lets clients in.

        @raise ServerFailed: it does not.
        """
        self.name = name
        self.plain, self.tls = free_ports(2)
        folder = kit.folder / f"{name}-{self.plain}"
        folder.mkdir()
        self._log, place = folder / "log", Place(folder, kit.certificates, self.plain, self.tls)
        with self._log.open("wb") as log:
            self._process = start(kit, place, kit.starts[name](place), log)
        self._wait()

    def _wait(self) -> None:
        patience = monotonic() + START_SECONDS
        for port in (self.plain, self.tls):
            while not accepts(port):
                if monotonic() > patience or self._process.poll() is not None:
                    self._kill()
                    raise ServerFailed(f"{self.name} does not start\n{self.story()}")
                sleep(0.05)

    def story(self) -> str:
        """The end of its log."""
        return self._log.read_text("utf-8", "replace")[-4000:]

    def memory(self) -> int:
        """Bytes that it has in memory, shared ones in parts (C{Pss})."""
        rollup = Path(f"/proc/{self.pid}/smaps_rollup").read_text("ascii", "replace")
        line = next(line for line in rollup.splitlines() if line.startswith("Pss:"))
        return int(line.split()[1]) * 1024

    def stop(self) -> None:
        """
        End it.

        @raise ServerFailed: it is ours, and goes on or complains.
        """
        status = self._finished()
        if status != 0 and self.name == OURS:
            raise ServerFailed(f"{self.name} ended with status {status}\n{self.story()}")


def start(
    kit: Kit, place: Place, argv: Sequence[str], log: IO[bytes]
) -> "subprocess.Popen[bytes]":
    """A process in its folder, whose words go to a log."""
    environment = Launch(kit.python, place.folder).environment()
    return subprocess.Popen(argv, cwd=place.folder, env=environment, stdout=log, stderr=log)


def accepts(port: int) -> bool:
    """Does somebody listen there?"""
    with socket.socket() as asked:
        return asked.connect_ex((HOST, port)) == 0


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses now; what takes them at once is unlucky."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind((HOST, 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def more_files() -> int:
    """
    As many open files as we may have, for us and for the brokers we start.

    @return: how many.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def certificates(folder: Path) -> Path:
    """The folder of a certificate for loopback, made as our server makes its own."""
    Vault(folder, [], [], lambda: datetime.now(UTC)).ensure()
    return folder


def our_own(python: str, settings: str) -> Start:
    """Our server, with these settings."""

    def starting(place: Place) -> list[str]:
        config = place.settle("bumper.toml", settings)
        return [python, "-m", "bumper_tw.app.cli", "--config", str(config)]

    return starting


def ours(python: str) -> Start:
    """Our server, with nothing but MQTT."""
    return our_own(python, OUR_CONFIG)


def installed(name: str) -> str:
    """
    The path of a server of the system.

    @raise Absent: it is not installed.
    """
    paths = os.pathsep.join([os.environ.get("PATH", ""), SERVER_FOLDERS])
    program = shutil.which(name, path=paths)
    if program is None:
        raise Absent(f"{name} is not installed (apt install {name})")
    return program


def mosquitto(nodelay: bool) -> Start:
    """
    The mosquitto of the system.

    @raise Absent: it is not installed.
    """
    program = installed("mosquitto")

    def starting(place: Place) -> list[str]:
        config = place.settle("conf", MOSQUITTO_CONFIG, nodelay=str(nodelay).lower())
        return [program, "-c", str(config)]

    return starting


def amqtt(python: str) -> Start:
    """
    An amqtt of this interpreter, or of an environment of its own.

    @param python: C{""} for the environment, which is made the first time.
    @raise Absent: there is none.
    """
    program = python or amqtt_environment()
    asked = subprocess.run(
        [program, "-c", "import amqtt.broker"], capture_output=True, check=False
    )
    if asked.returncode:
        raise Absent(f"{program} has no amqtt")

    def starting(place: Place) -> list[str]:
        config = place.settle("amqtt.yaml", AMQTT_CONFIG)
        return [program, "-c", AMQTT_PROGRAM, "-c", str(config)]

    return starting


def amqtt_environment() -> str:
    """
    The interpreter of an environment with amqtt; made if there is none.

    @raise Absent: it cannot be made.
    """
    python = AMQTT_FOLDER / "bin" / "python"
    done = AMQTT_FOLDER / "complete"
    if done.exists():
        return str(python)
    try:
        for step in (
            [sys.executable, "-m", "venv", "--clear", str(AMQTT_FOLDER)],
            [str(python), "-m", "pip", "install", "--quiet", AMQTT_PACKAGE],
        ):
            subprocess.run(step, capture_output=True, check=True)
    except subprocess.CalledProcessError as error:
        raise Absent(f"amqtt cannot be installed: {error.stderr[-200:]!r}") from error
    done.touch()
    return str(python)
