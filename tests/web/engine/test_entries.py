"""The entries of data files."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.web.engine.entries import MAX_ENTRIES, MAX_FILE, Entry, Kind, parse
from bumper_tw.web.engine.envelopes import ENVELOPES

GOOD: dict[str, Any] = {"path": "/a", "envelope": "raw", "body": {}}

#: What files are made of.
words = st.sampled_from([
    "path", "also", "methods", "envelope", "body", "by", "bodies", "file", "kind", "status",
    "type", "room", "instead", "/a", "/{x}", "/v1/private/{P}/a", "GET", "raw", "html", "file",
    "title", "text", "{uid}", "{now_ms}", "{x}",
])  # fmt: skip
values = st.none() | st.booleans() | st.integers() | st.floats(0, 1) | words


def beside(name: str) -> bytes:
    """A file of this name, whatever it is."""
    return name.encode()


def read(*entries: object) -> tuple[Entry, ...]:
    """What a file with these entries says."""
    return parse(json.dumps(entries).encode(), "a.json", beside)


class EntryTests(SynchronousTestCase):
    """From text to records."""

    def test_good(self) -> None:
        """An entry with everything."""
        [entry] = read(
            {**GOOD, "id": "X1", "also": ["/b/{id}"], "methods": ["POST"], "kind": "sink",
             "status": 404, "type": "text/plain", "room": 7, "instead": True, "about": "it"}
        )  # fmt: skip
        self.assertEqual((entry.paths, entry.methods), (("/a", "/b/{id}"), ("POST",)))
        self.assertEqual((entry.kind, entry.status, entry.room), (Kind.SINK, 404, 7))
        self.assertEqual((entry.content_type, entry.origin), ("text/plain", "a.json: entry 1"))
        self.assertTrue(entry.instead)

    def test_least(self) -> None:
        """An entry with as little as possible."""
        [entry] = read({"path": "/a", "envelope": "app"})
        self.assertEqual((entry.methods, entry.kind), (("GET", "POST"), Kind.ANSWER))
        self.assertEqual(entry.values, ({"code": 0, "message": "success", "ret": "ok"},))

    def test_envelopes(self) -> None:
        """Each of them with a body, with null, and without any."""
        ok = {"code": 0, "message": "success"}
        for name, whole in {
            "todo": {"todo": "result", "ret": "ok", "data": [], "code": 0},
            "app": {**ok, "ret": "ok", "data": []},
            "bare": {"code": 0, "data": []},
            "plain": {**ok, "data": []},
            "flag": {**ok, "success": True, "data": []},
            "msg": {"code": 0, "msg": "success", "ret": "ok", "data": []},
            "voices": {**ok, "ret": "ok", "voices": []},
        }.items():
            self.assertEqual(ENVELOPES[name]([]), whole, name)
            [with_null], [without] = (
                read({"path": "/a", "envelope": name, **body})[0].values
                for body in ({"body": None}, {})
            )
            key = "voices" if name == "voices" else "data"
            self.assertEqual(with_null, {**whole, key: None})
            del whole[key]
            self.assertEqual(without, whole, name)

    def test_private(self) -> None:
        """The private API has null where there is nothing, and the time as a number."""
        [entry] = read({"path": "/v1/private/{P}/a", "envelope": "private"})
        self.assertEqual(entry.values[0]["data"], None)
        self.assertEqual(entry.values[0]["time"], "{now_ms}")

    def test_texts(self) -> None:
        """Pages, texts, files, and nothing at all."""
        title = {"title": "A", "text": ["b", "c"]}
        for said, body, kind in (
            ({"envelope": "html", "body": "<p>"}, b"<p>", "text/html; charset=utf-8"),
            ({"envelope": "html", "body": title}, None, "text/html; charset=utf-8"),
            ({"envelope": "text", "body": "No"}, b"No", "text/plain; charset=utf-8"),
            ({"envelope": "empty"}, b"", "text/plain; charset=utf-8"),
            ({"envelope": "file", "file": "a.png"}, b"a.png", "image/png"),
            ({"envelope": "file", "file": "a.bin"}, b"a.bin", "application/octet-stream"),
        ):
            [entry] = read({"path": "/a", **said})
            self.assertEqual(entry.content_type, kind)
            if body is not None:
                self.assertEqual(entry.default.whole, body)
        [entry] = read({"path": "/a", "envelope": "html", "body": title})
        self.assertIn(b"<h1>A</h1><p>b</p><p>c</p>", entry.default.whole or b"")

    def test_mistakes(self) -> None:
        """Each mistake is told with the number of the entry."""
        wrongs: tuple[dict[str, Any], ...] = (
            {"envelope": "x"},
            {"envelope": 7},
            {"methods": ["DELETE"]},
            {"methods": [[]]},
            {"methods": []},
            {"methods": ["GET", "GET"]},
            {"methods": "GET"},
            {"surprise": 1},
            {"body": "{nobody}"},
            {"body": {"{now_ms}": 1}},
            {"body": "{query.}x{query.a}{now_ms.x}"},
            {"envelope": "html"},
            {"envelope": "html", "body": {"title": "x", "text": [1]}},
            {"envelope": "text"},
            {"envelope": "empty", "body": 1},
            {"envelope": "file"},
            {"envelope": "file", "file": "../x"},
            {"envelope": "file", "file": ".x"},
            {"file": "a.png"},
            {"by": 1},
            {"by": "code"},
            {"bodies": {}},
            {"kind": "dance"},
            {"status": 100},
            {"status": "200"},
            {"status": True},
            {"type": "text/plain\r\nX: y"},
            {"room": -1},
            {"room": 1 << 40},
            {"instead": 1},
            {"path": "a"},
            {"path": ""},
            {"path": "/a b"},
            {"path": "/{P}/x"},
            {"path": "/v1/private/{P}"},
            {"path": "/v9/private/{P}/x"},
            {"also": [7]},
            {"also": ["/a"]},
            {"also": ["/b", "/b"]},
            {"body": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]},
        )
        for wrong in wrongs:
            with self.assertRaisesRegex(ValueError, "a.json: entry 2: ", msg=str(wrong)):
                read({**GOOD, "path": "/other"}, {**GOOD, **wrong})

    def test_missing_words(self) -> None:
        """Path and envelope must be there; an entry must be an object, a file a list."""
        for name in ("path", "envelope"):
            entry = {key: value for key, value in GOOD.items() if key != name}
            self.assertRaises(ValueError, read, entry)
        self.assertRaises(ValueError, read, 7)
        for text in (b"", b"{}", b"7", b"[", b"\xff", b"[NaN]", b"[" * 100_000):
            with self.assertRaisesRegex(ValueError, "a.json: "):
                parse(text, "a.json", beside)

    def test_bounds(self) -> None:
        """There is an end to files and entries."""
        for text in (b" " * (MAX_FILE + 1), json.dumps([GOOD] * (MAX_ENTRIES + 1)).encode()):
            with self.assertRaisesRegex(ValueError, "a.json: (more|not)"):
                parse(text, "a.json", beside)

    @given(st.recursive(values, lambda inner: st.lists(inner) | st.dictionaries(words, inner)))
    def test_anything(self, said: Any) -> None:
        """Whatever a file says, it is an entry or a mistake, and an entry can be rendered."""
        for entries in ([said], [{**GOOD, **said}] if isinstance(said, dict) else [said]):
            try:
                found = read(*entries)
            except ValueError as wrong:
                self.assertIn("a.json: entry 1: ", str(wrong))
            else:
                for entry in found:
                    entry.default.sample()

    def test_twice(self) -> None:
        """One path and method, one answer; other methods are others."""
        with self.assertRaisesRegex(ValueError, "entry 2: /a is there twice"):
            read(GOOD, GOOD)
        self.assertEqual(len(read({**GOOD, "methods": ["GET"]}, {**GOOD, "methods": ["POST"]})), 2)
