"""Finding what belongs to a path."""

import re
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.web.engine.paths import SEGMENTS, Paths
from bumper_tw.web.routes import private

GET = ("GET",)
SEVEN = "us/EN/d1/global_e/3.15.0/google_play/1"

#: Segments that a request may have.
names = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=8)
literals = st.sampled_from(["a", "b", "api", "v1", "private", "x.html"])
patterns = st.lists(literals | st.sampled_from(["{one}", "<two>"]), min_size=1, max_size=5)


def table(*paths: str) -> Paths[str]:
    """One in which each path leads to itself."""
    found: Paths[str] = Paths()
    for path in paths:
        found.add(path, GET, path)
    return found


def at(paths: Paths[str], path: str) -> str | None:
    """What is there for GET."""
    found = paths.find(path.encode())
    return found.methods[b"GET"] if found is not None else None


class PathsTests(SynchronousTestCase):
    """The table."""

    def test_literal(self) -> None:
        """The path itself, however much of it is encoded; a slash at the end counts."""
        paths = table("/a", "/a/b/")
        for path in ("/a", "/%61"):
            self.assertEqual(at(paths, path), "/a")
        self.assertEqual(at(paths, "/a/b/"), "/a/b/")
        for path in ("/a/", "/a/b", "//a", "a", "", "*", "/", "/A"):
            self.assertIsNone(at(paths, path), path)

    def test_variable(self) -> None:
        """Any segment but an empty one; what it is stands in the answer, decoded."""
        paths = table("/up/{year}/<id>")
        found = paths.find("/up/20%2F21/ä".encode())
        assert found is not None
        self.assertEqual(found.segments, {"year": "20/21", "id": "ä"})
        for path in ("/up/1", "/up//1", "/up/1/", "/up/1/2/3"):
            self.assertIsNone(at(paths, path), path)

    def test_name_before_any(self) -> None:
        """A name that fits goes before any name, unless nothing follows it."""
        paths = table("/a/{x}/c", "/a/b/d", "/{x}/b")
        self.assertEqual(at(paths, "/a/b/c"), "/a/{x}/c")
        self.assertEqual(at(paths, "/a/b/d"), "/a/b/d")
        self.assertEqual(at(paths, "/a/b"), "/{x}/b")

    def test_not_text(self) -> None:
        """A variable part that is not UTF-8 is nothing that anybody could be told."""
        paths = table("/up/{id}", "/v1/private/{P}/a")
        self.assertRaises(ValueError, paths.find, b"/up/%ff")
        self.assertRaises(ValueError, paths.find, f"/v1/private/%ff{SEVEN}/a".encode())

    def test_private(self) -> None:
        """The seven segments have names; slashes too many do not matter behind them."""
        paths = table("/v1/private/{P}/user/login")
        for slash in ("/", "//"):
            found = paths.find(f"/v1/private/{SEVEN}{slash}user/login".encode())
            assert found is not None
            self.assertEqual(found.segments, dict(zip(SEGMENTS, SEVEN.split("/"), strict=True)))
        for path in (f"/v1/private/{SEVEN}/user/login/", f"/v1/private/{SEVEN}", "/v1/private/"):
            self.assertIsNone(at(paths, path), path)
        self.assertIsNone(at(paths, f"/v1/private//{SEVEN}/user/login"))

    def test_private_spellings(self) -> None:
        """Routes spell the segments out; an endpoint may have variables of its own."""
        paths = table(private("v2", "//a"), "/v1/private/{P}/b/{id}")
        self.assertEqual(at(paths, f"/v2/private/{SEVEN}/a"), private("v2", "//a"))
        found = paths.find(f"/v3/private/{SEVEN}/b/7".encode())
        assert found is not None
        self.assertEqual((found.segments["id"], found.segments["kind"]), ("7", "1"))

    def test_versions(self) -> None:
        """Its own, else the next lower one, else the lowest."""
        two, three = "/v2/private/{P}/a", "/v3/private/{P}/b"
        paths = table("/v1/private/{P}/a", two, three)
        for version, name, there in (
            ("v1", "a", "/v1/private/{P}/a"),
            ("v3", "a", two),
            ("v1", "b", three),
        ):
            self.assertEqual(at(paths, f"/{version}/private/{SEVEN}/{name}"), there)
        self.assertIsNone(at(paths, f"/v4/private/{SEVEN}/a"))

    def test_methods(self) -> None:
        """Each method has its own; HEAD goes with GET."""
        paths: Paths[int] = Paths()
        paths.add("/a", ("POST",), 1)
        paths.add("/a", ("GET",), 2)
        found = paths.find(b"/a")
        assert found is not None
        self.assertEqual(found.methods, {b"POST": 1, b"GET": 2, b"HEAD": 2})

    def test_taken(self) -> None:
        """Nothing is replaced: that is an error, or the other yields."""
        paths = table("/a", "/b/{x}")
        for path in ("/a", "/b/<y>"):
            self.assertRaises(ValueError, paths.add, path, GET, "other")
            paths.add(path, ("GET", "POST"), "other", yielding=True)
            found = paths.find(path.encode())
            assert found is not None
            self.assertEqual(found.methods[b"POST"], "other")
            self.assertNotEqual(found.methods[b"GET"], "other")

    @given(st.lists(patterns, max_size=8), st.lists(names | literals, max_size=6))
    def test_like_an_expression(self, chosen: list[list[str]], asked: list[str]) -> None:
        """A path is found if, and only if, one of the patterns fits as a regular expression."""
        paths: Paths[str] = Paths()
        fits = set()
        path = "/" + "/".join(asked)
        for parts in chosen:
            pattern = "/" + "/".join(parts)
            paths.add(pattern, GET, pattern, yielding=True)
            holes = ("[^/]+" if part[0] in "{<" else re.escape(part) for part in parts)
            if re.fullmatch("/" + "/".join(holes), path):
                fits.add(re.sub(r"[{<]\w+[}>]", "*", pattern))
        sent = quote(path)
        if sent.startswith(("/v1/private/", "/v2/private/")):
            return
        found = at(paths, sent)
        self.assertEqual(found is not None, bool(fits))
        if found is not None:
            self.assertIn(re.sub(r"[{<]\w+[}>]", "*", found), fits)

    @given(st.binary(max_size=60))
    def test_anything(self, path: bytes) -> None:
        """Whatever is asked for, nothing breaks."""
        paths = table("/a", "/v1/private/{P}/a", "/{x}/{y}")
        for front in (b"", b"/", b"/v1/private/"):
            try:
                paths.find(front + path)
            except ValueError as wrong:
                self.assertIsInstance(wrong, UnicodeDecodeError)

    def test_many_segments(self) -> None:
        """A path of thousands of segments is soon done with."""
        paths = table("/" + "/".join("{x}" for _ in range(30)))
        self.assertIsNone(at(paths, "/a" * 5000))
