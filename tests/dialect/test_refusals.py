"""What a robot says that does not do what it was told."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect.refusals import in_json, in_xml

values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "body": st.fixed_dictionaries({}, optional={"code": values, "msg": values}),
        "ret": values,
        "errno": values,
        "error": values,
    },
)


class RefusalTests(SynchronousTestCase):
    """Answers in JSON and in XML."""

    def test_json(self) -> None:
        """C{code} may be a number or its spelling; zero, or none at all, is no refusal."""
        for answer, why in (
            ({"body": {"code": 0, "msg": "ok"}}, ""),
            ({"body": {"code": "0", "msg": "ok"}}, ""),
            ({"body": {"data": {"code": 5}}}, ""),
            ({"body": {"code": 30007, "msg": "fail"}}, "it is in its dock already (code 30007)"),
            ({"body": {"code": "20003"}}, "it does not know that, or not like this (code 20003)"),
            ({"body": {"code": 5, "msg": "fail"}}, "busy with another job (code 5)"),
            ({"body": {"code": 4, "msg": "fail"}}, "fail (code 4)"),
            ({"body": {"code": 3, "msg": "dust bin is out"}}, "dust bin is out (code 3)"),
            ({"body": {"code": "E5", "msg": "no"}}, "no (code E5)"),
            ({"body": {"code": -1, "msg": 7}}, "7 (code -1)"),
            ({}, ""),
            ([], ""),
            ("fail", ""),
        ):
            self.assertEqual(in_json(answer), why, answer)

    def test_platform(self) -> None:
        """Answers without a body have C{ret}."""
        for answer, why in (
            ({"ret": "ok", "ver": "0.13.5"}, ""),
            ({"ret": "fail"}, "fail"),
            ({"ret": "fail", "errno": 3, "error": "no such thing"}, "no such thing (errno 3)"),
        ):
            self.assertEqual(in_json(answer), why)

    def test_xml(self) -> None:
        """An C{errno} alone is an answer, such as that to C{GetError}."""
        for answer, why in (
            (b"<ctl ret='ok'/>", ""),
            (b"<ctl errs='102' errno='102'/>", ""),
            (b"<ctl ret='fail'/>", "fail"),
            (b"<ctl ret='fail' errno='8'/>", "fail (errno 8)"),
            (b"<ctl ret='fail' errno='5' error='a &lt; b'/>", "a < b (errno 5)"),
            (b"nonsense", ""),
            (b"", ""),
        ):
            self.assertEqual(in_xml(answer), why, answer)

    def test_bounded(self) -> None:
        """However much a robot has to say, it is a sentence."""
        long = "x" * 100_000
        said = in_json({"body": {"code": long, "msg": long}})
        xml = in_xml(f"<ctl ret='fail' errno='{long[:50_000]}' error='{long[:9_000]}'/>".encode())
        self.assertLess(max(len(said), len(xml)), 10_000)

    @given(bodies)
    def test_anything(self, answer: dict[str, Any]) -> None:
        """Whatever an answer has in these places, it is judged, and the words can be written."""
        json.dumps(in_json(answer))

    @given(st.binary())
    def test_any_bytes(self, answer: bytes) -> None:
        """The same for XML."""
        json.dumps(in_xml(answer))
