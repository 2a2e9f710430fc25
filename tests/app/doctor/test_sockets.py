"""Tests for L{bumper_tw.app.doctor.sockets}."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.doctor.sockets import is_held
from tests.app.test_ports import HEAD, socket_line


def holds(proc: Path, *lines: str, table: str = "tcp") -> None:
    """Let the kernel know these sockets."""
    (proc / "net").mkdir(parents=True, exist_ok=True)
    (proc / "net" / table).write_text(HEAD + "".join(lines))


class SocketTests(SynchronousTestCase):
    """L{is_held}."""

    def setUp(self) -> None:
        self.proc = Path(self.mktemp())

    def test_addresses(self) -> None:
        """Who listens on another address is in nobody's way but his who wants all of them."""
        holds(self.proc, socket_line("10.0.0.1", 443, 71), socket_line("0.0.0.0", 80, 72))
        for host, port, held in (
            ("", 443, True),
            ("::", 443, True),
            ("10.0.0.1", 443, True),
            ("10.0.0.2", 443, False),
            ("10.0.0.2", 80, True),
            ("", 8883, False),
        ):
            self.assertIs(is_held(self.proc, host, port), held, (host, port))

    def test_six(self) -> None:
        """The other table, where addresses of IPv4 may stand as well."""
        mapped, all_ = socket_line("::ffff:10.0.0.3", 443, 73), socket_line("::", 80, 74)
        holds(self.proc, mapped, all_, table="tcp6")
        self.assertTrue(is_held(self.proc, "10.0.0.3", 443))
        self.assertFalse(is_held(self.proc, "10.0.0.4", 443))
        self.assertTrue(is_held(self.proc, "10.0.0.4", 80))

    def test_connections(self) -> None:
        """A connection is no listener, and a line that is none is nothing."""
        holds(self.proc, "garbage\n", socket_line("0.0.0.0", 443, 71, state="01"))
        self.assertFalse(is_held(self.proc, "", 443))

    def test_not_told(self) -> None:
        """Where the kernel shows nothing, nobody is accused."""
        self.assertFalse(is_held(self.proc, "", 443))
