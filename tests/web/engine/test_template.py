"""Texts with holes in them, as clients get them."""

import json
from typing import Any

from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect.envelopes import to_json
from bumper_tw.web.call import Answer, Call
from bumper_tw.web.engine.template import ECHO, LATER_MS, Filling, Template
from bumper_tw.web.routes import Route, private
from bumper_tw.web.site import build_site
from tests.web.browser import Browser
from tests.web.world import plain

NOW = 1_795_000_000_250


@frozen
class Ben:
    """Somebody with a difficult name."""

    uid: str = "fuid_ben"
    account: str = 'ben"\\'
    email: str = "ben@home.local"
    nickname: str = "{now_ms}"


class TemplateTests(SynchronousTestCase):
    """One template, one request."""

    def fill(self, body: object, path: str = "/x", **options: Any) -> Any:
        """What a client gets who asks for this path."""
        template = Template.parse(to_json(body).decode())

        def answer(call: Call) -> Answer:
            return Answer(template.fill(Filling(call, NOW, lambda _: Ben())))

        paths = ("/x", private("v1", "/x"))
        site = build_site([Route(each, ("GET",), answer, plain) for each in paths], Clock())
        return Browser(site).get(path, **options).json

    def test_plain(self) -> None:
        """Without holes it is made once; objects and lone braces are no holes."""
        template = Template.parse('{"a":{},"b":"{","c":"{x y}","d":"{}"}')
        self.assertIsNotNone(template.whole)

    def test_times(self) -> None:
        """A text that is a time alone becomes a number; within a text it stays one."""
        filled = self.fill(["{now_ms}", "{later_ms}", "at {now_ms}"])
        self.assertEqual(filled, [NOW, NOW + LATER_MS, f"at {NOW}"])

    def test_box(self) -> None:
        """This box as the client called it."""
        filled = self.fill(["{host}", "{base_url}/x"], host="magic.example:8443")
        self.assertEqual(filled, ["magic.example", "http://magic.example:8443/x"])

    def test_country(self) -> None:
        """From the path of the private API, from the query, or the default."""
        holes = ["{country}", "{COUNTRY}", "{lang}"]
        path = "/v1/private/De/FR/d/a/1/c/k/x"
        for asked, told in (
            (path, ["de", "DE", "fr"]),
            ("/x?country=fr&lang=IT", ["fr", "FR", "it"]),
            ("/x?area=it&defaultLang=ja", ["it", "IT", "ja"]),
            ("/x", ["us", "US", "en"]),
            (path.replace("De", "%22%7b"), ['"{', '"{', "fr"]),
        ):
            self.assertEqual(self.fill(holes, asked), told)

    def test_person(self) -> None:
        """Whoever asks; what he is called is not looked into for holes again."""
        filled = self.fill(["{uid}", "{account}", "{email}", "{nickname}"])
        self.assertEqual(filled, ["fuid_ben", 'ben"\\', "ben@home.local", "{now_ms}"])

    def test_query(self) -> None:
        """A parameter, up to a point; in links with percents."""
        filled = self.fill(["{query.a}", "?a={quoted.a}", "{query.b}"], "/x?a=%22%26%3c%0a/")
        self.assertEqual(filled, ['"&<\n/', "?a=%22%26%3C%0A%2F", ""])
        [long] = self.fill(["{query.a}"], "/x?a=" + "y" * 999)
        self.assertEqual(len(long), ECHO)

    def test_unknown(self) -> None:
        """A hole that nobody fills is told at once."""
        for hole in ("{nobody}", "{query}", "{now_ms.x}", "{uid.x}", "{Host}"):
            self.assertRaises(ValueError, Template.parse, json.dumps(hole))

    @given(st.text(st.characters(codec="utf-8"), max_size=30))
    def test_any_query(self, text: str) -> None:
        """Whatever somebody sends, it stays within its quotes."""
        sent = "".join(f"%{byte:02x}" for byte in text.encode())
        holes = ["{query.a}", "{quoted.a}", "{country}"]
        first, _, third = self.fill(holes, f"/x?a={sent}&country={sent}")
        self.assertEqual((first, third), (text, text.lower() or "us"))
