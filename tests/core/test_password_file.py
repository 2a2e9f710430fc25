"""The owner's password file."""

from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.password_file import (
    MAX_BYTES,
    MAX_LINES,
    MAX_REPORTS,
    PasswordFile,
    parsed,
)
from bumper_tw.errors import StartError
from tests.core.test_password_hashes import (
    MKPASSWD,
    MOSQUITTO_6,
    MOSQUITTO_7,
    SCRYPT,
)


class FileCase(SynchronousTestCase):
    """Has a password file."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.file = PasswordFile(self.path)

    def written(self, held: bytes | str) -> None:
        """Put something into the file."""
        self.path.write_bytes(held if isinstance(held, bytes) else held.encode())
        self.path.chmod(0o600)

    def told(self, act: Callable[[], object]) -> list[str]:
        """What the log says while something is done."""
        with capturedLogs() as events:
            act()
        return [formatEvent(event) for event in events]

    def loaded(self, held: bytes | str) -> list[str]:
        """Load a file of that content; what is told of it, without its name."""
        self.written(held)
        return [line.removeprefix(str(self.path)) for line in self.told(self.file.load)]


class ReadingTests(FileCase):
    """What stands in the file."""

    def test_lines(self) -> None:
        """Comments and blank lines say nothing; every other line is an account."""
        told = self.loaded(
            "# our dashboards\n\n"
            f"dashboard:{MKPASSWD}\n"
            "   \t\n  # not yet\n"
            f"my panel:{MOSQUITTO_7}\r\n"
            f" zigbee@home : {SCRYPT} \n"
            f"größe:{MOSQUITTO_6}"
        )
        self.assertEqual(told, [])
        self.assertEqual(len(self.file), 4)
        for user, text in (
            ("dashboard", MKPASSWD),
            ("my panel", MOSQUITTO_7),
            ("zigbee@home", SCRYPT),
            ("größe", MOSQUITTO_6),
        ):
            self.assertTrue(self.file.knows(user))
            self.assertEqual(self.file.hash_of(user), text)

    def test_nobody_else(self) -> None:
        """Names are as they are spelt; nobody else is known."""
        self.loaded(f"dashboard:{MKPASSWD}\n#ben:{MKPASSWD}\n")
        for user in ("Dashboard", "dash", "", "ben", "#ben", "dashboard "):
            self.assertFalse(self.file.knows(user), user)
            self.assertIsNone(self.file.hash_of(user))

    def test_byte_order_mark(self) -> None:
        """What some editors put at the beginning is no part of the first name."""
        self.assertEqual(self.loaded(b"\xef\xbb\xbf" + f"ben:{MKPASSWD}\n".encode()), [])
        self.assertTrue(self.file.knows("ben"))

    def test_bad_lines(self) -> None:
        """A bad line is told with its number, shows nothing secret, and locks nobody out."""
        told = self.loaded(
            b"justaname\n:" + MKPASSWD.encode() + b"\n"
            b"caf\xe9:x\n"
            b"bell\a:x\n" + b"x" * 255 + b":x\n"
            b"anna:plain-text\n"
            b"cleo:\n"
            b"dora:" + MKPASSWD.encode() + b":extra\n"
            b"ben:" + MKPASSWD.encode() + b"\n"
        )
        unknown = "that is no password hash of a kind we know"
        unfit = "a user has up to 254 printable characters; skipped"
        self.assertEqual(
            told,
            [
                ", line 1: expected user:hash; skipped",
                ", line 2: expected user:hash; skipped",
                ", line 3: that is not UTF-8; skipped",
                f", line 4: {unfit}",
                f", line 5: {unfit}",
                f", line 6: {unknown}; anna cannot log in",
                f", line 7: {unknown}; cleo cannot log in",
                ", line 8: salt or hash of SHA-512-crypt is not one; dora cannot log in",
            ],
        )
        self.assertEqual(self.file.hash_of("ben"), MKPASSWD)

    def test_bad_hash_is_nobody_elses(self) -> None:
        """Whose hash cannot be used is still the file's to decide about, and gets no hash."""
        self.loaded("anna:plain-text\n")
        self.assertTrue(self.file.knows("anna"))
        self.assertIsNone(self.file.hash_of("anna"))

    def test_twice(self) -> None:
        """Of two lines for one user the last counts, even if it is bad, and that is told."""
        told = self.loaded(
            f"anna:{MKPASSWD}\nben:{MKPASSWD}\nanna:{MOSQUITTO_7}\nben:a typing mistake\n"
        )
        self.assertEqual(told[0], ", line 3: anna was there already; this line counts")
        self.assertEqual(told[1], ", line 4: ben was there already; this line counts")
        self.assertEqual(self.file.hash_of("anna"), MOSQUITTO_7)
        self.assertIsNone(self.file.hash_of("ben"))

    def test_some_other_file(self) -> None:
        """A file that is something else is not told line by line to the end."""
        told = self.loaded("nonsense\n" * (MAX_REPORTS + 7))
        self.assertEqual(len(told), MAX_REPORTS + 1)
        self.assertEqual(told[-1], ": 7 more lines are wrong")

    def test_permissions(self) -> None:
        """A file that everybody on the box can read is told of."""
        self.written(f"ben:{MKPASSWD}\n")
        self.path.chmod(0o644)
        self.assertEqual(
            self.told(self.file.load), [f"{self.path} can be read by everybody: chmod o-r"]
        )
        self.path.chmod(0o640)
        self.assertEqual(self.told(self.file.load), [])

    @given(st.binary(max_size=200), st.binary(max_size=60))
    def test_garbage(self, garbage: bytes, tail: bytes) -> None:
        """Whatever stands there: nobody gets in by it, and the line after it counts."""
        entries, _ = parsed(b"%b\nx:%b\nben:%b" % (garbage, tail, MKPASSWD.encode()))
        self.assertEqual([u for u, entry in entries.items() if entry.hashed], ["ben"])


class StartTests(FileCase):
    """Files that are none, at the start and later."""

    def refused(self) -> str:
        """The sentence with which the file is refused."""
        return str(self.assertRaises(StartError, self.file.load))

    def test_missing(self) -> None:
        """A file that was named has to be there."""
        self.assertIn(f"{self.path} cannot be read", self.refused())
        self.assertIn("No such file", self.refused())

    def test_no_file(self) -> None:
        """A folder or a device, which may never end, is not opened."""
        self.path.mkdir()
        self.assertIn("is not a file", self.refused())
        self.file = PasswordFile(Path("/dev/zero"))
        self.assertIn("is not a file", self.refused())

    def test_size(self) -> None:
        """Files are bounded in bytes and in lines."""
        for held in (b"#" * (MAX_BYTES + 1), b"\n" * (MAX_LINES + 1)):
            self.written(held)
            self.assertIn("is too big", self.refused())
        for held in (b"#" * MAX_BYTES, b"\n" * MAX_LINES):
            self.assertEqual(self.loaded(held), [])

    def test_reload(self) -> None:
        """A new file replaces the old one, and says who has to log in again."""
        self.loaded(f"anna:{MKPASSWD}\nben:{MKPASSWD}\ncleo:{MKPASSWD}\n")
        self.written(f"anna:{MKPASSWD}\ncleo:{MOSQUITTO_7}\ndora:{MKPASSWD}\n")
        self.assertEqual(self.file.reload(), {"ben", "cleo", "dora"})
        self.assertFalse(self.file.knows("ben"))
        self.assertTrue(self.file.knows("dora"))

    def test_reload_unchanged(self) -> None:
        """Reading the same again changes nobody."""
        self.loaded(f"anna:{MKPASSWD}\nben:nonsense\n")
        self.assertEqual(self.file.reload(), frozenset())

    def test_reload_of_nothing(self) -> None:
        """While the server runs, a file that is gone or broken changes nothing, and is told."""
        self.loaded(f"anna:{MKPASSWD}\n")
        self.path.unlink()
        [told] = self.told(lambda: self.assertEqual(self.file.reload(), frozenset()))
        self.assertIn("the accounts read before stay", told)
        self.written(b"\n" * (MAX_LINES + 1))
        self.assertEqual(len(self.told(self.file.reload)), 1)
        self.assertTrue(self.file.knows("anna"))

    def test_emptied(self) -> None:
        """A file that was emptied is an empty file: nobody gets in any more."""
        self.loaded(f"anna:{MKPASSWD}\n")
        self.written("")
        self.assertEqual(self.file.reload(), {"anna"})
        self.assertEqual(len(self.file), 0)
