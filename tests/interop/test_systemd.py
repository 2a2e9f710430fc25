"""
Started by systemd: sockets that were opened before, and somebody who wants to know how it goes.

The first half has systemd's own program for passing sockets, and listens itself; the second half
has systemd as the first process of a small machine (L{tests.interop.systemd_box}).
"""

import os
import shutil
import socket
import sys
from contextlib import ExitStack, closing
from signal import SIGHUP, SIGTERM
from time import monotonic

from tests.interop.case import ANSWER_SECONDS, InteropCase, ask, unavailable
from tests.interop.children import Child, until
from tests.interop.server import HOST, STOP_SECONDS, environment, own_environment, spare_keys
from tests.interop.systemd_box import OWNERS, UNITS, Box

#: Seconds for which systemd waits for a sign of life, in these tests.
WATCHDOG = 2.0

SETTINGS = """
[[listen]]
serve = "web"
at = "systemd:domain=INET6:name=web"
[[listen]]
serve = "mqtt"
at = "systemd:domain=INET6:name=mqtt"
[[listen]]
serve = "xmpp"
at = "systemd:domain=INET:name=xmpp"
[[listen]]
serve = "web"
at = "systemd:domain=INET6:name=http"
optional = true
"""

#: A CONNECT of which nothing is right.
BROKEN = b"\x10\x04\x00\x02XX"

#: A robot asks where its server is.
LOOKUP = {"todo": "FindBest", "service": "EcoMsgNew"}


def free_ports(count: int) -> list[int]:
    """Ports that nobody has, a moment ago."""
    with ExitStack() as stack:
        held = [
            stack.enter_context(closing(socket.create_server((HOST, 0)))) for _ in range(count)
        ]
        return [int(each.getsockname()[1]) for each in held]


class Watching:
    """
    What systemd does: hears what becomes of a process.

    @ivar name: for C{NOTIFY_SOCKET}.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("")
        self._socket.setblocking(False)
        self.name = "@" + self._socket.getsockname()[1:].decode()
        self.heard: list[dict[str, str]] = []

    def look(self) -> list[dict[str, str]]:
        """All that was heard until now."""
        while True:
            try:
                said = self._socket.recv(4096).decode()
            except BlockingIOError:
                return self.heard
            self.heard.append(dict(line.split("=", 1) for line in said.splitlines()))

    def count(self, name: str) -> int:
        """How often something was said."""
        return sum(name in each for each in self.look())

    def states(self) -> list[str]:
        """What was said of the server itself, in its order."""
        wanted = ("READY", "RELOADING", "STOPPING")
        return [name for each in self.look() for name in wanted if name in each]

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()


class PassedCase(InteropCase):
    """A server that gets its sockets from systemd-socket-activate."""

    def setUp(self) -> None:
        super().setUp()
        if shutil.which("systemd-socket-activate") is None:
            unavailable("systemd-socket-activate is not installed")
        self.watching = Watching()
        self.addCleanup(self.watching.close)
        self.web, self.mqtt, self.xmpp = free_ports(3)

    def serve_by(self, *names: str) -> Child:
        """Start what starts the server as soon as somebody connects."""
        (self.folder / "bumper.toml").write_text(SETTINGS)
        spare_keys(self.folder / "certs")
        environ = {
            "NOTIFY_SOCKET": self.watching.name,
            "WATCHDOG_USEC": str(int(WATCHDOG * 1e6)),
            **{name: own_environment()[name] for name in ("PYTHONPATH", "PYTHONUNBUFFERED")},
        }
        given = [f"--setenv={name}={value}" for name, value in environ.items()]
        places = (f"[::]:{self.web}", f"[::]:{self.mqtt}", f"{HOST}:{self.xmpp}")
        listen = [f"--listen={place}" for place in places[: len(names)]]
        child = Child(
            [
                "systemd-socket-activate",
                *(*listen, f"--fdname={':'.join(names)}", *given),
                *(sys.executable, "-m", "bumper_tw.app.cli", "--config", "bumper.toml"),
                *("--data", "data", "--certs", "certs", "--announce", HOST),
            ],
            self.folder,
            environment(),
        )
        self.addCleanup(self._ended, child)
        until(lambda: any("Listening on" in line for line in child.err), "there are sockets")
        return child

    def served(self) -> Child:
        """A server with all its sockets, that is ready."""
        server = self.serve_by("web", "mqtt", "xmpp")
        # This is what it is started by; it gets an answer as soon as there is a server.
        self.assertEqual(ask(self.web, "GET", "/discover").status, 200)
        until(lambda: self.watching.states() == ["READY"], "it is ready")
        return server


class PassedTests(PassedCase):
    """What a server does with its sockets, and says."""

    def test_life(self) -> None:
        """It is ready, reloads without cutting anybody off, lives, and stops."""
        server = self.served()
        bound = server.wait_for(r"accepting connections at (\S+):(\d+)", 3)
        self.assertEqual({int(each[2]) for each in bound}, {self.web, self.mqtt, self.xmpp})
        talks = self.talking()
        before = monotonic()
        os.kill(server.pid, SIGHUP)
        until(lambda: self.watching.states() == ["READY", "RELOADING", "READY"], "it has reloaded")
        told = next(each for each in self.watching.heard if "RELOADING" in each)
        self.assertTrue(before <= int(told["MONOTONIC_USEC"]) / 1e6 <= monotonic(), told)
        self.answered(talks)
        beats = self.watching.count("WATCHDOG")
        until(lambda: self.watching.count("WATCHDOG") >= beats + 3, "it lives")
        os.kill(server.pid, SIGTERM)
        self.assertEqual(server.finish(STOP_SECONDS), 0, server.story())
        self.assertEqual(self.watching.states()[3:], ["STOPPING"])

    def talking(self) -> Child:
        """Connections that are held open."""
        argv = [sys.executable, "-m", "tests.interop.held_open", HOST]
        ports = map(str, (self.web, self.mqtt, self.xmpp))
        talks = self.session([*argv, *ports], own_environment())
        talks.wait_for("opened")
        return talks

    def answered(self, talks: Child) -> None:
        """They are still there."""
        talks.say("again")
        talks.wait_for("answered")

    def test_status(self) -> None:
        """It tells how many are here."""
        self.served()
        robots = self.robots(self.mqtt, json=2, xml=1)
        wanted = "3 robots online, 0 clients"
        until(lambda: any(wanted == each.get("STATUS") for each in self.watching.look()), wanted)
        robots.stop()
        until(lambda: self.last_status().startswith("0 robots online"), "they have left")

    def last_status(self) -> str:
        """What systemctl would show now."""
        return next(each["STATUS"] for each in reversed(self.watching.look()) if "STATUS" in each)

    def test_hanging(self) -> None:
        """A process that hangs gives no sign of life."""
        server = self.served()
        os.kill(server.pid, 19)
        self.addCleanup(os.kill, server.pid, 18)
        self.watching.look()
        said = len(self.watching.heard)
        self.wait_without_news(said)

    def wait_without_news(self, said: int) -> None:
        """For twice as long as a sign of life may take, nothing is heard."""
        end = monotonic() + 2 * WATCHDOG
        until(lambda: monotonic() > end, "time passes")
        self.assertEqual(len(self.watching.look()), said)

    def test_robots_are_sent_to_the_socket(self) -> None:
        """What robots are told is the port that systemd has opened."""
        self.served()
        told = ask(self.web, "POST", "/lookup.do", LOOKUP).json
        self.assertEqual(told["port"], self.xmpp)

    def test_both_families(self) -> None:
        """Who comes over IPv4 to a socket for both is known by his IPv4 address."""
        server = self.served()
        with socket.create_connection((HOST, self.mqtt), ANSWER_SECONDS) as wrong:
            wrong.sendall(BROKEN)
            self.assertEqual(wrong.recv(99), b"")
        [said] = server.wait_for(r"closing (\S+): ")
        self.assertEqual(said[1], HOST)
        argv = [sys.executable, "-m", "bumper_tw.app.cli", "journal", "--data", "data"]
        journal = self.session(argv, own_environment())
        self.assertEqual(journal.finish(), 0, journal.story())
        told = "\n".join(journal.out)
        self.assertGreaterEqual(told.count(HOST), 2, told)
        self.assertNotIn("::ffff", "\n".join([told, *server.out]))

    def test_missing(self) -> None:
        """A socket that it has to have and did not get ends the start, in one sentence."""
        server = self.serve_by("web", "mqtt")
        with socket.create_connection((HOST, self.web)):
            self.assertEqual(server.finish(), 1, server.story())
        [said] = [line for line in server.err if line.startswith("bumper: ")]
        self.assertIn("bumper-xmpp.socket", said)
        self.assertNotIn("Traceback", server.story())
        self.assertNotIn("READY", self.watching.states())
        self.assertFalse((self.folder / "data").exists(), "work was begun without a port")

    def test_without_systemd(self) -> None:
        """By hand it does not start with such settings, and says how it does."""
        (self.folder / "bumper.toml").write_text(SETTINGS)
        argv = [sys.executable, "-m", "bumper_tw.app.cli", "--config", "bumper.toml"]
        server = self.session(argv, own_environment())
        self.assertEqual(server.finish(), 1, server.story())
        [said] = server.err
        self.assertIn("systemctl start bumper", said)
        self.assertIn("tcp:443", said)


def proposed(name: str) -> str:
    """
    What the comments in the unit tell the owner to write.

    @param name: a setting among it.
    """
    blocks = (UNITS / "bumper.service").read_text().split("#   [Service]\n")[1:]
    block = next(each for each in blocks if f"#   {name}=" in each)
    lines = [line[4:] for line in block.splitlines() if line.startswith("#   ")]
    return "\n".join(["[Service]", *lines, ""])


#: So that nobody has to wait a minute.
IMPATIENT = "[Service]\nWatchdogSec=2s\n"


class BoxTests(InteropCase):
    """The units, with systemd itself."""

    def box(self, more: str = "") -> Box:
        """
        A machine with a server that has just been started.

        @param more: further settings of the unit.
        """
        files = {
            "/etc/bumper/bumper.toml": OWNERS.read_text(),
            "/etc/systemd/system/bumper.service.d/test.conf": IMPATIENT + more,
        }
        box = Box(self.folder, files)
        self.addCleanup(box.close)
        said = box.run("systemctl", "enable", "--now", "bumper")
        self.assertEqual(
            box.show("bumper", "ActiveState"), ["active"], said + box.journal("bumper")
        )
        return box

    def python(self, box: Box, *argv: str) -> Child:
        """A program of ours inside."""
        path = "PYTHONPATH=/opt/bumper:/opt/packages"
        return box.start("env", path, "PYTHONUNBUFFERED=1", "python3", *argv)

    def test_started(self) -> None:
        """Every port of the units is ours, and we have no privilege at all."""
        box = self.box()
        self.assertEqual(box.show("bumper", "SubState", "Type"), ["running", "notify"])
        for unit in sorted(UNITS.glob("*.socket")):
            self.assertEqual(box.show(unit.name, "SubState"), ["running"], unit.name)
        status = box.run("cat", f"/proc/{self.pid(box)}/status")
        self.assertIn("NoNewPrivs:\t1", status)
        self.assertIn("Seccomp:\t2", status)
        for kind in ("CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertIn(f"{kind}:\t0000000000000000", status)
        self.assertNotIn("Uid:\t0", status)

    def pid(self, box: Box) -> str:
        """The number of our process."""
        return box.show("bumper", "MainPID")[0]

    def test_reload(self) -> None:
        """systemctl reload cuts nobody off, and robots are counted."""
        box = self.box()
        talks = self.python(box, "-m", "tests.interop.held_open", HOST, "8007", "1883", "5223")
        talks.wait_for("opened")
        until(
            lambda: box.show("bumper", "StatusText") == ["1 robot online, 0 clients"],
            "systemctl status tells of it",
        )
        pid = self.pid(box)
        box.run("systemctl", "reload", "bumper")
        until(lambda: "Reloaded bumper.service" in box.journal("bumper"), "it has reloaded")
        talks.say("again")
        talks.wait_for("answered")
        self.assertEqual(box.show("bumper", "MainPID", "SubState"), [pid, "running"])

    def test_robots_over_tls(self) -> None:
        """TLS works in the sandbox, with keys that were made in it."""
        box = self.box()
        robots = ("--host", HOST, "--port", "8883", "--tls", "--json", "2", "--xml", "1")
        simulated = self.python(box, "-m", "bumper_tw.simulator", *robots, "--xmpp", "0")
        simulated.wait_for("is ready", 3)

    def test_hanging(self) -> None:
        """A server that hangs is ended, its journal tells where it was, and it comes back."""
        box = self.box()
        pid = self.pid(box)
        box.run("kill", "-STOP", pid)
        until(lambda: box.show("bumper", "NRestarts") == ["1"], "systemd has noticed")
        until(lambda: box.show("bumper", "SubState") == ["running"], "it is back")
        self.assertNotEqual(self.pid(box), pid)
        until(lambda: "doPoll" in box.journal("bumper"), "the journal tells where it hung")
        self.assertIn("Watchdog timeout", box.journal("bumper"))

    def stop(self, box: Box) -> None:
        """Stop it; the jobs that close its ports end a moment later than its own."""
        box.run("systemctl", "stop", "bumper")
        until(lambda: not self.listening(box), "its ports are closed")

    def listening(self, box: Box) -> list[str]:
        """The units whose ports are open."""
        units = [unit.name for unit in sorted(UNITS.glob("*.socket"))]
        shut = (["inactive"], ["failed"])  # The latter where somebody else had the port.
        return [name for name in units if box.show(name, "ActiveState") not in shut]

    def test_stopped(self) -> None:
        """Stopped is stopped: nobody who connects starts it again."""
        box = self.box()
        self.stop(box)
        self.assertEqual(box.show("bumper", "ActiveState", "Result"), ["inactive", "success"])
        box.run("systemctl", "start", "bumper")
        self.assertEqual(box.show("bumper", "SubState"), ["running"])

    def test_dns(self) -> None:
        """With the lines that the unit proposes it answers DNS, too."""
        box = self.box(proposed("AmbientCapabilities") + "Environment=BUMPER_DNS_SERVE=yes\n")
        self.assertIn("DNS: answering at", box.journal("bumper"))
        asked = box.run("/usr/bin/python3", "-c", ASK_DNS)
        self.assertIn("answered", asked)

    def test_port_held(self) -> None:
        """Without the port for plain pages it starts; without another one it does not."""
        box = self.box()
        self.stop(box)
        holder = self.python(box, "-c", HOLD.format(port=80))
        holder.wait_for("held")
        box.run("systemctl", "start", "bumper")
        self.assertEqual(box.show("bumper", "SubState"), ["running"])
        self.stop(box)
        other = self.python(box, "-c", HOLD.format(port=8883))
        other.wait_for("held")
        box.run("systemctl", "start", "bumper")
        self.assertNotEqual(box.show("bumper", "SubState"), ["running"])
        self.assertIn("systemctl status bumper-mqtts.socket", box.journal("bumper"))
        other.say("enough")
        until(lambda: box.show("bumper", "SubState") == ["running"], "it tries again")


HOLD = "import socket; s = socket.create_server(('', {port})); print('held'); input()"

ASK_DNS = """
import socket
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asking.settimeout(5)
name = b"".join(bytes([len(part)]) + part for part in (b"portal-ww", b"ecouser", b"net", b""))
asking.sendto(bytes.fromhex("beef01000001000000000000") + name + bytes.fromhex("00010001"),
              ("127.0.0.1", 53))
assert asking.recv(512)[:2] == bytes.fromhex("beef")
print("answered")
"""
