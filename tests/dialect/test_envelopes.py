"""The vendor's success and error bodies, and JSON."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect import envelopes
from bumper_tw.dialect.envelopes import parse_json, to_json


class JsonTests(SynchronousTestCase):
    """JSON as everybody reads it."""

    def test_compact(self) -> None:
        """No blanks, and letters as they are."""
        self.assertEqual(to_json({"a": [1, None], "b": "ä"}), '{"a":[1,null],"b":"ä"}'.encode())

    def test_not_json(self) -> None:
        """Python's constants, other encodings, endless numbers and endless nesting are none."""
        for raw in (b"NaN", b"-Infinity", b"\xff", b"{}{}", b"9" * 5000, b"[" * 90000, b"[1e999]"):
            self.assertRaises(ValueError, parse_json, raw)

    @given(st.binary(max_size=30))
    def test_garbage(self, raw: bytes) -> None:
        """Any bytes are JSON, or a ValueError."""
        try:
            value = parse_json(raw)
        except ValueError:
            return
        self.assertEqual(parse_json(to_json(value)), value)


class EnvelopeTests(SynchronousTestCase):
    """Every shape as the reference has it (http.md 2)."""

    def test_shapes(self) -> None:
        """One line per shape."""
        for made, shape in (
            (
                envelopes.private_ok(None, 5),
                {"code": "0000", "data": None, "msg": "success", "success": True, "time": 5},
            ),
            (
                envelopes.private_failed("0004", "no", 5),
                {"code": "0004", "msg": "no", "time": 5, "data": None, "success": False},
            ),
            (envelopes.todo_ok(None), {"todo": "result", "ret": "ok", "data": None, "code": 0}),
            (
                envelopes.todo_ok([], "devices", "result"),
                {"todo": "result", "result": "ok", "devices": [], "code": 0},
            ),
            (envelopes.app_ok(1), {"code": 0, "message": "success", "ret": "ok", "data": 1}),
            (envelopes.bare(1), {"code": 0, "data": 1}),
            (
                envelopes.app_failed(),
                {"todo": "result", "ret": "fail", "err": 2004, "errno": 2004, "code": 2004},
            ),
            (
                envelopes.user_failed("no", "X"),
                {"todo": "result", "result": "fail", "errno": 1, "error": "no", "debug": "X"},
            ),
            (envelopes.iot_failed("no"), {"ret": "fail", "errno": 1, "error": "no"}),
            (envelopes.area_failed("no"), {"code": 4000, "msg": "no"}),
        ):
            self.assertEqual(made, shape)

    def test_find_has_no_blank(self) -> None:
        """Robots reject this answer when there is a blank in it (http-discovery.md 1)."""
        self.assertEqual(
            envelopes.find("192.168.1.100", 5223),
            b'{"ip":"192.168.1.100","port":5223,"result":"ok"}',
        )
