"""Families of paths, and whether a text names somebody else."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.web.engine.hosts import strangers
from bumper_tw.web.engine.wrapping import FAMILIES, family, is_own
from tests.rows import rows

NOW = 1_795_000_000_000


def yes(path: str) -> Any:
    """How the family of a path says that something is done."""
    found = family(path)
    assert found is not None, path
    return json.loads(found.ok(NOW).body)


class FamilyTests(SynchronousTestCase):
    """Which family a path belongs to."""

    def test_success(self) -> None:
        """Each says that it is done as its clients want to hear it."""
        ok = {"code": 0, "message": "success"}
        done = {"code": "0000", "data": None, "msg": "success", "success": True, "time": NOW}
        for path, value in {
            "/v3/private/de/en/d/a/1/c/k/none": done,
            "/api/nobody/knows": {**ok, "ret": "ok"},
            "/api/pim/none": {**ok, "ret": "ok"},
            "/api/ecms/none": {**ok, "success": True},
            "/api/homed/none": ok,
            "/api/neng/none": ok,
            "/api/neng/v3/none": {**ok, "ret": "ok"},
            "/api/iot/none": {"ret": "ok"},
            "/app/none": {**ok, "ret": "ok", "data": []},
            "/v0.1/none": {},
            "/none.do": {"todo": "result", "result": "ok", "ret": "ok", "code": 0},
            "/api/none/x.do": {"todo": "result", "result": "ok", "ret": "ok", "code": 0},
            "/Global_APP_BuryPoint/x": {"header": {"result_code": "000000"}, "body": {}},
        }.items():
            self.assertEqual(yes(path), value, path)

    def test_pages_and_pictures(self) -> None:
        """By their end, wherever they are."""
        for path, kind in {
            "/api/pim/none.html": "text/html; charset=utf-8",
            "/none.HTML": "text/html; charset=utf-8",
            "/upload/global/none": "image/png",
            "/api/x/none.jpg": "image/png",
        }.items():
            found = family(path)
            assert found is not None
            answer = found.ok(NOW)
            self.assertEqual(answer.content_type, kind)
            self.assertEqual(answer.body.startswith(b"\x89PNG\r\n"), kind == "image/png")

    def test_nobodys(self) -> None:
        """Paths of our own, and those that nobody of the vendor's would ask for, have none."""
        for path in (
            "/", "", "*", "/none", "/api", "/robots", "/discover", "/api/robots", "/api/command",
            "/api/robots/x/status", "/api/login", "/api/me", "/api/unknown", "/api/openapi.json",
            "/wp-admin/setup.php",
        ):  # fmt: skip
            self.assertIsNone(family(path), path)
        self.assertFalse(is_own("/api/robotsx"))

    def test_long_path(self) -> None:
        """However long a path is, only its beginning is looked at."""
        looks: list[object] = []

        class Watched(str):
            """Tells how often it is looked into."""

            __slots__ = ()

            def __getitem__(self, place: Any) -> str:
                looks.append(place)
                return super().__getitem__(place)

            def rfind(self, *where: Any) -> int:
                looks.append(where)
                return super().rfind(*where)

        for path in ("/api" + "/" * 15000, "/a" * 8000, "/api/neng/v3/" + "a/" * 8000):
            family(Watched(path))
        self.assertLess(len(looks), 10)
        self.assertIs(family("/api/neng/v3/" + "a/" * 8000), FAMILIES["/api/neng/v3/"])
        self.assertIs(family("/api" + "/" * 15000), FAMILIES["/api/"])
        self.assertIsNone(family("/a" * 8000))

    def test_failure(self) -> None:
        """Each family has a failure that no client takes for a success."""
        for found in FAMILIES.values():
            value = json.loads(found.failed("why", NOW).body)
            self.assertNotIn(value.get("ret", "fail"), {"ok"})
            self.assertNotIn(value.get("code", 1), {0, "0000"})

    def test_rows(self) -> None:
        """Every known path of the vendor's that is no page of an operator has a family."""
        roots = ("/", "/ca-certificates.tar.gz", "/favicon.ico", "/{CC}")
        for row in rows():
            if not row.id.startswith("UI") and not row.path.startswith(roots[1:]):
                self.assertIsNotNone(family(row.example), row.path)


class StrangerTests(SynchronousTestCase):
    """Whether a text names a host or an address."""

    def test_found(self) -> None:
        """However it is written."""
        for text, host in {
            '{"u":"https://portal.ecouser.net/x"}': "portal.ecouser.net",
            "wss://a:8007/x": "a:8007",
            "see cdn.example.com.": "cdn.example.com",
            '"msg-eu.example.io:443"': "msg-eu.example.io",
            "at 10.1.2.3!": "10.1.2.3",
            "at [fd00::12]": "fd00::12",
            "CDN.EXAMPLE.COM": "CDN.EXAMPLE.COM",
        }.items():
            self.assertIn(host, list(strangers(text)), text)

    def test_not_found(self) -> None:
        """Files, versions, addresses of mail and placeholders are none."""
        for text in (
            "{base_url}/api/pim/find.html?x={query.name}",
            "robot_off.png, Android.conf, answers.json",
            "1.10, 3.15.0, v1.2.3-4",
            "somebody@example.org, bumper@home.local",
            "at 12:30:45, 2022-01-01T00:00:00Z",
            "This is one. That is another.",
        ):
            self.assertEqual(list(strangers(text)), [], text)

    @given(st.text(max_size=200))
    def test_any_text(self, text: str) -> None:
        """Whatever it is, it is soon looked through."""
        for host in strangers(text):
            self.assertTrue(host or "://" in text)
