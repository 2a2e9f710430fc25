"""Why a port cannot be opened: who holds it, and what the owner can do."""

import errno
import os
import struct
from ipaddress import ip_address
from pathlib import Path

from twisted.internet.error import CannotListenError
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.ports import (
    MOVE,
    Ports,
    Program,
    explain_bind_failure,
    host_of,
    is_endpoint,
    port_of,
)

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  inode\n"


def socket_line(address: str, port: int, inode: int, state: str = "0A") -> str:
    """A line of C{/proc/net/tcp} as this machine's kernel would print it."""
    packed = ip_address(address).packed
    words = "".join(f"{word:08X}" for (word,) in struct.iter_unpack("=I", packed))
    return (
        f"   0: {words}:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000"
        f"   108        0 {inode} 1 0000000048b3b596 100 0 0 10 0\n"
    )


def failure(code: int, port: int | str = 8883, host: str = "") -> CannotListenError:
    """What a listening endpoint fails with."""
    return CannotListenError(host, port, OSError(code, os.strerror(code)))


class PortsCase(SynchronousTestCase):
    """Looks at processes that are files of our own."""

    def setUp(self) -> None:
        """Start with a machine on which nothing runs."""
        self.proc = Path(self.mktemp())
        (self.proc / "net").mkdir(parents=True)
        self.ports = Ports(self.proc, own_pid=4000)

    def listens(self, *lines: str, table: str = "tcp") -> None:
        """Let the kernel know these sockets."""
        (self.proc / "net" / table).write_text(HEAD + "".join(lines))

    def runs(self, pid: int, name: str, *inodes: int) -> None:
        """Let a process run that holds these sockets."""
        folder = self.proc / str(pid) / "fd"
        folder.mkdir(parents=True)
        (folder.parent / "comm").write_text(f"{name}\n")
        (folder / "0").symlink_to("/dev/null")
        for number, inode in enumerate(inodes, 3):
            (folder / str(number)).symlink_to(f"socket:[{inode}]")


class HolderTests(PortsCase):
    """Who holds a port."""

    def test_named(self) -> None:
        """The holder is named with its process number, and the way out follows."""
        self.listens(socket_line("127.0.0.1", 25, 70), socket_line("0.0.0.0", 8883, 71))
        self.runs(500, "exim4", 70)
        self.runs(812, "mosquitto", 71)
        self.assertEqual(
            self.ports.explain(failure(errno.EADDRINUSE), "tcp:8883"),
            f"tcp port 8883 is held by mosquitto (pid 812); stop it, or {MOVE}",
        )

    def test_over_ipv6(self) -> None:
        """A socket for both families is found in the other table."""
        self.listens(socket_line("::", 443, 71), table="tcp6")
        self.runs(90, "nginx", 71)
        self.assertEqual(self.ports.listening("", 443), Program("nginx", 90))

    def test_parent_first(self) -> None:
        """Of several processes that share the socket the oldest is named."""
        self.listens(socket_line("0.0.0.0", 443, 71))
        for pid in (1002, 90, 101):
            self.runs(pid, "nginx", 71)
        self.assertEqual(self.ports.listening("", 443), Program("nginx", 90))

    def test_address_matters(self) -> None:
        """Of several holders on different addresses the one in our way is named."""
        self.listens(socket_line("10.0.0.1", 1883, 71), socket_line("127.0.0.1", 1883, 72))
        self.listens(socket_line("::ffff:10.0.0.3", 1883, 73), table="tcp6")
        for pid, name in ((71, "wrong"), (72, "right"), (73, "mapped")):
            self.runs(pid, name, pid)
        self.assertEqual(self.ports.listening("127.0.0.1", 1883), Program("right", 72))
        self.assertEqual(self.ports.listening("10.0.0.3", 1883), Program("mapped", 73))
        self.assertEqual(self.ports.listening("0.0.0.0", 1883), Program("wrong", 71))
        self.assertIsNone(self.ports.listening("10.0.0.2", 1883))

    def test_connections_hold_nothing(self) -> None:
        """A connection that uses the port is not a listener."""
        self.listens(socket_line("0.0.0.0", 8883, 71, state="01"))
        self.runs(812, "mosquitto", 71)
        self.assertIsNone(self.ports.listening("", 8883))

    def test_invisible(self) -> None:
        """A process that may not be looked at is another program."""
        self.listens(socket_line("0.0.0.0", 8883, 71))
        (self.proc / "812").mkdir()
        said = self.ports.explain(failure(errno.EADDRINUSE), "tcp:8883")
        self.assertTrue(said.startswith("tcp port 8883 is held by another program; "), said)

    def test_no_proc(self) -> None:
        """On a system without /proc it is another program as well."""
        ports = Ports(Path(self.mktemp()), own_pid=1)
        self.assertIn("another program", ports.explain(failure(errno.EADDRINUSE), "tcp:8883"))

    def test_ourselves(self) -> None:
        """Two listeners of ours on one port are called that."""
        self.listens(socket_line("0.0.0.0", 8883, 71))
        self.runs(4000, "twistd", 71)
        said = self.ports.explain(failure(errno.EADDRINUSE), "tcp:8883")
        self.assertIn("held by this server itself, twistd (pid 4000)", said)

    def test_systemd(self) -> None:
        """What systemd holds it holds for a service; it is not to be stopped itself."""
        self.listens(socket_line("::", 443, 71), table="tcp6")
        self.runs(1, "systemd", 71)
        self.runs(812, "bumper", 71)
        said = self.ports.explain(failure(errno.EADDRINUSE, 443), "tcp:443")
        self.assertIn("held by systemd (pid 1); that is for a service: systemctl", said)
        self.assertNotIn("stop it", said)

    def test_hostile_name(self) -> None:
        """A process that names itself with control characters stays on one line."""
        self.listens(socket_line("0.0.0.0", 8883, 71))
        self.runs(812, "a\n\x1b[31mb", 71)
        self.assertEqual(self.ports.listening("", 8883), Program("a??[31mb", 812))

    def test_odd_lines(self) -> None:
        """Lines that are not sockets are skipped."""
        self.listens("\n", "garbage\n", socket_line("0.0.0.0", 8883, 71))
        self.runs(812, "mosquitto", 71)
        self.assertEqual(self.ports.listening("", 8883), Program("mosquitto", 812))


class ReasonTests(PortsCase):
    """The other reasons."""

    def test_privileges(self) -> None:
        """A privileged port comes with the three ways out."""
        for code in (errno.EACCES, errno.EPERM):
            said = self.ports.explain(failure(code, 443), "tcp:443")
            self.assertTrue(said.startswith("tcp port 443 needs privileges: "), said)
            for way in ("--uid", "CAP_NET_BIND_SERVICE", "AmbientCapabilities", "[[listen]]"):
                self.assertIn(way, said)

    def test_foreign_address(self) -> None:
        """An address this box does not have is named."""
        error = failure(errno.EADDRNOTAVAIL, host="192.168.9.9")
        self.assertEqual(
            self.ports.explain(error, "tcp:8883:interface=192.168.9.9"),
            "tcp port 8883: 192.168.9.9 is no address of this box; "
            "correct tcp:8883:interface=192.168.9.9 in [[listen]]",
        )

    def test_anything_else(self) -> None:
        """Other reasons are given in the system's words, whatever was to be opened."""
        self.assertEqual(
            self.ports.explain(failure(errno.EMFILE), "tcp:8883"),
            "tcp port 8883 cannot be opened: Too many open files",
        )
        self.assertEqual(
            self.ports.explain(failure(errno.EADDRINUSE, "/run/b.sock"), "unix:/run/b.sock"),
            "unix:/run/b.sock cannot be opened: Address already in use",
        )
        odd = CannotListenError("", 1, ValueError("odd"))
        self.assertEqual(self.ports.explain(odd, "tcp:1"), "tcp port 1 cannot be opened: odd")

    def test_this_machine(self) -> None:
        """The shorthand looks at the machine it runs on."""
        said = explain_bind_failure(failure(errno.EACCES, 443), "tcp:443")
        self.assertEqual(said, self.ports.explain(failure(errno.EACCES, 443), "tcp:443"))


class EndpointTests(SynchronousTestCase):
    """What may stand in at =."""

    def test_sound(self) -> None:
        """Every plain endpoint that Twisted knows may be used."""
        for at in (
            "tcp:443",
            "tcp:port=443:interface=10.0.0.1",
            "tcp:interface=127.0.0.1:port=1883",
            "tcp6:8883:interface=\\:\\:1",
            "unix:/run/bumper.sock",
            "systemd:domain=INET:index=0",
            "systemd:domain=INET6:name=https",
            "haproxy:tcp:8080",
        ):
            self.assertTrue(is_endpoint(at), at)

    def test_unsound(self) -> None:
        """No port, no kind, a port too high, TLS of its own, or control characters: refused."""
        for at in ("", "443", "tcp", "tcp:", "tcp:https", "tcp:65536", "ssl:443", "tcp:44\n3"):
            self.assertFalse(is_endpoint(at), at)

    def test_of_systemd(self) -> None:
        """The description of a socket from systemd tells neither where it is nor at which port."""
        for at in ("systemd:domain=INET:index=0", "systemd:domain=INET6:name=443"):
            self.assertEqual((host_of(at), port_of(at)), (None, None), at)
