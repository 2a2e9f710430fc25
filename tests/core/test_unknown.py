"""Tests for L{bumper_tw.core.unknown}: what is asked for, and what of it is kept."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.tallies import COMMON, HOUR, SHARE
from bumper_tw.core.unknown import (
    NAMES,
    PATHS,
    SHAPES,
    Bare,
    Seen,
    UnknownPaths,
    is_plain,
    redacted,
)
from bumper_tw.storage.memory_records import MemoryRecordStore

NOW = 1_795_000_000.0
OWN = ("did1", "yna5xi", "fuid_alice")
FRONT = "/v1/private/de/en/0f1e2d3c4b5a69788796a5b4c3d2e1f0/global_e/3.1.0/c_googleplay/1"


def is_own(text: str) -> bool:
    """A household with one robot and one user."""
    return text in OWN


BARE = Bare(is_own)


class RedactedTests(SynchronousTestCase):
    """Paths without what is somebody's."""

    def test_kept(self) -> None:
        """What belongs to the interface stays as it is."""
        for path in (
            "/",
            "/api/appsvr/app.do",
            "/api//twice/",
            "/v0.1/public/codepush/update_check",
            "/app/dln/api/log/clean_result/list",
            "/api/neng/v3/product/msg/tabs",
            "/Global_APP_BuryPoint/api",
            "/api/getQRCode/isOn/faqProblem.html",
        ):
            self.assertEqual(redacted(path, BARE), path)

    def test_private(self) -> None:
        """Of the private API's seven segments only the name stays; double slashes go."""
        for rest in ("/common/newThing", "//common/newThing"):
            self.assertEqual(redacted(FRONT + rest, BARE), "/v1/private/{P}/common/newThing")

    def test_secrets(self) -> None:
        """Robots, users, serial numbers, addresses, tokens, e-mails and times become stars."""
        for secret in (
            *OWN,
            "E0001234567890123456",
            "0f1e2d3c",
            "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
            "aa.bb.cc.dd.ee.ff",
            "AA:BB:CC:DD:EE:FF",
            "alice@example.org",
            "alice%40example.org",
            "192.168.7.33",
            "1795000000123",
            "20241",
            "eyJhbGciOiJIUzI1NiJ9.e30.abc123def456",
            "xK4v9Zq7Lw2m",
            "x" * 41,
            "Küche",
            "a b",
            "a\nb",
            "hunter2",
            "Passw0rd",
            "S3cretPw!",
            "john.doe",
            "0123",
            "192.168.1.20",
            "Annas-Robot",
            "E0001",
            "BLAP_AB12",
            "robot-aabbccddeeff",
            "aBcDeFgH",
            "kXwQzTrLpM",
            "xkcdqwrtz",
            "deadbeef",
            "JBSWYEDPEHPKAXPI",
            "abcdefghijklmnopqrst",
            "\x1b[31m",
        ):
            self.assertEqual(redacted(f"/api/{secret}/x", BARE), "/api/*/x", secret)

    def test_almost_private(self) -> None:
        """Whatever begins like the private API has somebody's names in it, too."""
        for path in (
            "/v1/private/us/en/annasphone/secretuser",
            "/v1/private/",
            "/v12/private/us/en/annasphone/x/1/2/3/foo",
        ):
            version = path.split("/")[1]
            self.assertEqual(redacted(path, BARE), f"/{version}/private/{{P}}")

    def test_known(self) -> None:
        """Words of our own endpoints stay, even if somebody is called so."""
        bare = Bare(is_own, {"osmall2", "did1", "get-my-coupon"})
        path = "/osmall2/did1/get-my-coupon/yna5xi"
        self.assertEqual(redacted(path, bare), "/osmall2/did1/get-my-coupon/*")
        self.assertEqual(redacted(path, BARE), "/*/*/*/*")

    @given(st.text("abcdefghijABCDEFGHIJ0123456789_-", min_size=20, max_size=60))
    def test_digits(self, token: str) -> None:
        """Nothing long with a digit in it is a word."""
        self.assertFalse(is_plain(token + "7"))

    def test_long(self) -> None:
        """A path has an end."""
        path = redacted("/" + "a/" * 5000, BARE)
        self.assertTrue(path.endswith("/..."))
        self.assertLess(len(path), 1000)

    @given(st.text())
    def test_anything(self, path: str) -> None:
        """Whatever is asked for, one short printable line comes of it."""
        found = redacted("/" + path, BARE)
        self.assertTrue(found.isascii() and found.isprintable())
        self.assertLess(len(found), 900)


class UnknownTests(SynchronousTestCase):
    """The report."""

    def setUp(self) -> None:
        self.clock, self.store = Clock(), MemoryRecordStore()
        self.clock.advance(NOW)
        self.unknown = UnknownPaths(self.clock, self.store)

    def note(self, path: str, **more: Any) -> bool:
        """Somebody asks."""
        return self.unknown.note(Seen("GET", path, **more), is_own)

    def fresh(self) -> UnknownPaths:
        """The report as the next start finds it."""
        unknown = UnknownPaths(self.clock, self.store)
        self.successResultOf(unknown.load(self.store))
        return unknown

    def test_counted(self) -> None:
        """One path is one entry, however often and by whom it is asked for, and one line."""
        with capturedLogs() as said:
            self.assertTrue(self.note("/api/robot/did1/x", family="api"))
            self.clock.advance(60)
            self.assertFalse(self.note("/api/robot/0123456789ab/x", family="api"))
        [entry] = self.unknown.report()
        self.assertEqual(
            (entry.method, entry.path, entry.family), ("GET", "/api/robot/*/x", "api")
        )
        self.assertEqual((entry.count, entry.first, entry.last), (2, NOW, NOW + 60))
        self.assertEqual(
            [formatEvent(event) for event in said],
            ["nobody answers GET /api/robot/*/x; bumper unknown tells more"],
        )

    def test_method(self) -> None:
        """Another method is another entry; what is no method is a star."""
        self.note("/api/x")
        for method in ("POST", "G\nT", "A" * 50):
            self.unknown.note(Seen(method, "/api/x"), is_own)
        methods = [entry.method for entry in self.unknown.report()]
        self.assertEqual(methods, ["GET", "POST", "*"])

    def test_shape(self) -> None:
        """Names and kinds are kept, to three levels, and never a value."""
        body = {
            "auth": {"token": "hunter2", "did1": 1, "a": {"b": {"c": 1}}},
            "on": True,
            "size": 1.5,
            "list": ["hunter2"],
            "none": None,
            "E0001234567890": "x",
        }
        self.note(
            "/api/x",
            query=("td", "0123456789abcdef"),
            body=body,
            content_type="application/json; boundary=hunter2",
            size=300,
            app="global_e/3.1.0",
        )
        [entry] = self.unknown.report()
        [shape] = entry.shapes
        self.assertEqual(
            shape,
            {
                "query": ["*", "td"],
                "body": {
                    "*": "text",
                    "auth": "object",
                    "auth.*": "number",
                    "auth.a": "object",
                    "auth.a.b": "object",
                    "auth.token": "text",
                    "list": "array",
                    "none": "null",
                    "on": "boolean",
                    "size": "number",
                },
                "type": "application/json",
                "size": "4 kB",
                "app": "global_e/3.1.0",
            },
        )
        self.assertNotIn("hunter2", json.dumps(self.store.shelves))

    def test_shapes(self) -> None:
        """Other ways of asking are kept beside it, each once, and not too many."""
        for number in range(20):
            for _ in range(2):
                self.note("/api/x", query=("abcdefghijklmnopqrst"[number],))
        [entry] = self.unknown.report()
        self.assertEqual((len(entry.shapes), entry.count), (SHAPES, 40))
        self.assertEqual(self.fresh().report()[0].shapes, entry.shapes)

    def test_large_body(self) -> None:
        """However many fields there are, few are looked at."""
        body = {
            f"{a}{b}": dict.fromkeys("abcdefghijkl", 1) for a in "ghijklmn" for b in "ghijklmn"
        }
        self.note("/api/x", body=body)
        [shape] = self.unknown.report()[0].shapes
        self.assertEqual(len(shape["body"]), NAMES)

    def name(self, number: int) -> str:
        """A word for each number."""
        return "".join("ghijklmnop"[int(digit)] for digit in str(number))

    def test_full(self) -> None:
        """
        There are so many paths and no more.  A new one then replaces the newest that was asked
        for once, of whoever has most of these; it is said once.
        """
        self.note("/api/first", peer="192.168.7.34")
        with capturedLogs() as said:
            for number in range(PATHS - 1):
                self.clock.advance(HOUR)
                self.note("/api/" + self.name(number), peer="192.168.7.33")
            self.note("/api/g", peer="192.168.7.33")
            for new in ("/api/newOne", "/api/newTwo"):
                self.assertTrue(self.note(new, peer="192.168.7.34"))
        paths = [entry.path for entry in self.unknown.report()]
        self.assertEqual((len(paths), self.unknown.unlisted), (PATHS, 2))
        self.assertEqual(paths[0], "/api/first")
        self.assertEqual(paths[-2:], ["/api/newOne", "/api/newTwo"])
        gone = {f"/api/{self.name(PATHS - 2)}", f"/api/{self.name(PATHS - 3)}"}
        self.assertFalse(gone & set(paths))
        lines = [formatEvent(event) for event in said]
        self.assertEqual(len([line for line in lines if "not listed" in str(line)]), 1)
        self.assertFalse(self.note("/api/first"))
        self.assertEqual(self.fresh().report()[-1].path, "/api/newTwo")

    def test_full_of_others(self) -> None:
        """What was asked for more than once makes no room."""
        for number in range(PATHS):
            self.clock.advance(HOUR)
            for _ in range(2):
                self.note("/api/" + self.name(number))
        self.assertFalse(self.note("/api/newOne"))
        self.assertEqual((len(self.unknown.report()), self.unknown.unlisted), (PATHS, 1))

    def test_app(self) -> None:
        """Whatever asks is named when that looks like a name."""
        for app, told in {
            "global_e/3.1.0": "global_e/3.1.0",
            "python-requests/2.31": "python-requests/2.31",
            "fuid_alice/1.0": "*/1.0",
            "xkcdqwrtz/1": "*/1",
        }.items():
            self.note(f"/api/x/{len(told)}", app=app)
            shapes = [shape for entry in self.unknown.report() for shape in entry.shapes]
            self.assertIn({"app": told}, shapes)

    def test_flood(self) -> None:
        """One address does not fill the report within an hour."""
        for number in range(PATHS):
            name = "".join("ghijklmnop"[int(digit)] for digit in str(number))
            self.note(f"/api/{name}", peer="192.168.7.33")
        self.assertEqual(len(self.unknown.report()), SHARE)
        self.assertLessEqual(SHARE, COMMON // 2)

    def test_kept(self) -> None:
        """It survives a restart: what is new at once, counts when they are written."""
        self.note("/api/x")
        self.note("/api/x")
        self.assertEqual([entry.count for entry in self.fresh().report()], [1])
        self.successResultOf(self.unknown.flush())
        self.assertEqual(self.fresh().report(), self.unknown.report())

    def test_forget(self) -> None:
        """It can begin anew; a running server takes that over, and does not write it back."""
        self.note("/api/x")
        self.note("/api/x")
        self.successResultOf(self.fresh().forget())
        self.successResultOf(self.unknown.load(self.store))
        self.successResultOf(self.unknown.flush())
        self.assertEqual((self.unknown.report(), self.fresh().report()), ([], []))
