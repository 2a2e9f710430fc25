"""Why DNS cannot be answered at an address."""

import errno
from pathlib import Path

from twisted.internet.error import CannotListenError
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.dns_ports import question_ports

HEAD = "sl local_address rem_address st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode\n"


def line(local: str, state: str, inode: int) -> str:
    return (
        f"0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 0 0 {inode} 2\n"
    )


class QuestionPortTests(SynchronousTestCase):
    """Who holds a port, as C{/proc} says."""

    def setUp(self) -> None:
        self.proc = Path(self.mktemp())
        (self.proc / "net").mkdir(parents=True)

    def program(self, pid: int, name: str, inode: int) -> None:
        folder = self.proc / str(pid)
        (folder / "fd").mkdir(parents=True)
        (folder / "comm").write_text(f"{name}\n")
        (folder / "fd" / "5").symlink_to(f"socket:[{inode}]")

    def sockets(self, file: str, *lines: str) -> None:
        (self.proc / "net" / file).write_text(HEAD + "".join(lines))

    def explain(self, number: int, host: str = "127.0.0.1", transport: str = "udp") -> str:
        error = CannotListenError(host, 53, OSError(number, "says the kernel"))
        return question_ports(self.proc, 1, transport).explain(error)

    def test_udp(self) -> None:
        """A program that takes datagrams at all addresses is found."""
        self.sockets("udp", line("0100007F:0044", "07", 1), line("00000000:0035", "07", 77))
        self.program(812, "dnsmasq", 77)
        said = self.explain(errno.EADDRINUSE)
        self.assertIn("udp port 53 at 127.0.0.1 is held by dnsmasq (pid 812)", said)
        self.assertIn("bumper dns --for dnsmasq", said)

    def test_another_address(self) -> None:
        """One at another address is not the one."""
        self.sockets("udp", line("0101A8C0:0035", "07", 77))
        self.program(812, "dnsmasq", 77)
        self.assertIn("held by another program", self.explain(errno.EADDRINUSE))

    def test_six(self) -> None:
        """One that takes both families at all addresses is."""
        self.sockets("udp6", line("0" * 32 + ":0035", "07", 78))
        self.program(900, "named", 78)
        self.assertIn("bumper dns --for bind", self.explain(errno.EADDRINUSE, "192.168.1.5"))

    def test_tcp(self) -> None:
        """Over TCP, a connection is no listener."""
        self.sockets("tcp", line("0100007F:0035", "01", 79))
        self.program(901, "unbound", 79)
        self.assertIn("another program", self.explain(errno.EADDRINUSE, transport="tcp"))
        self.sockets("tcp", line("0100007F:0035", "0A", 79))
        self.assertIn("unbound (pid 901)", self.explain(errno.EADDRINUSE, transport="tcp"))

    def test_stub(self) -> None:
        """For systemd-resolved, whose name the kernel cuts, the setting is named."""
        self.sockets("udp", line("0100007F:0035", "07", 80))
        self.program(500, "systemd-resolve", 80)
        self.assertIn("DNSStubListener=no", self.explain(errno.EADDRINUSE))

    def test_ourselves(self) -> None:
        """This server itself is called that, whatever it is called."""
        self.sockets("udp", line("0100007F:0035", "07", 82))
        self.program(1, "dnsmasq", 82)
        said = self.explain(errno.EADDRINUSE)
        self.assertIn("held by this server itself, dnsmasq (pid 1); choose", said)

    def test_hostile_reason(self) -> None:
        """What the system says is one line."""
        error = CannotListenError("127.0.0.1", 53, OSError(errno.EMFILE, "a\nb"))
        said = question_ports(self.proc, 1, "udp").explain(error)
        self.assertEqual(said, "udp port 53 at 127.0.0.1 cannot be opened: a?b")

    def test_others(self) -> None:
        """Any other program has to be stopped."""
        self.sockets("udp", line("0100007F:0035", "07", 81))
        self.program(501, "mine", 81)
        self.assertIn("mine (pid 501); stop it, or choose", self.explain(errno.EADDRINUSE))

    def test_other_reasons(self) -> None:
        """Privileges, a wrong address, and whatever the kernel says."""
        self.assertIn("CAP_NET_BIND_SERVICE", self.explain(errno.EACCES))
        self.assertIn("no address of this box", self.explain(errno.EADDRNOTAVAIL))
        self.assertIn("says the kernel", self.explain(errno.EMFILE))
