"""What routes see of a request."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import directlyProvides

from bumper_tw.errors import BadRequest
from bumper_tw.front.contact import plain_address
from bumper_tw.web.call import (
    Answer,
    Call,
    checked,
    field,
    in_brackets,
    json_answer,
    parse_authority,
    parse_form,
)
from bumper_tw.web.routes import POST, Route
from bumper_tw.web.site import build_site
from tests.web.browser import LOCAL, Browser, request
from tests.web.world import plain


class AuthorityTests(SynchronousTestCase):
    """The Host header is believed when it can stand in a URL."""

    def test_what_is_believed(self) -> None:
        """Names and addresses, with and without a port."""
        for said, host, port in (
            ("box.lan", "box.lan", ""),
            ("box.lan:8007", "box.lan", "8007"),
            ("192.168.1.7:443", "192.168.1.7", "443"),
            ("[fd00::7]:8007", "fd00::7", "8007"),
            ("my_box", "my_box", ""),
            ("box.lan.", "box.lan", ""),
        ):
            self.assertEqual(parse_authority(said), (host, port), said)

    def test_what_is_not(self) -> None:
        """Anything that would break out of a link or a list of hosts."""
        for said in (
            "", ":80", "a b", "a..b", 'x"y', "<script>", "user@host", "a/b", "[::1", "[zz]",
            "box:port", "box:123456", "x" * 64 + ".lan", "a\x1b[31m", "-", "box.lan\r\nX: y",
        ):  # fmt: skip
            self.assertIsNone(parse_authority(said), said)

    @given(st.text(max_size=40))
    def test_never_breaks_out(self, said: str) -> None:
        """Whatever is believed consists of letters that mean nothing to JSON, HTML or URLs."""
        found = parse_authority(said)
        if found is not None:
            self.assertRegex("".join(found), r"\A[A-Za-z0-9_.:-]+\Z")

    def test_addresses_in_urls(self) -> None:
        """Only IPv6 addresses need brackets."""
        self.assertEqual(in_brackets("fd00::7"), "[fd00::7]")
        self.assertEqual(in_brackets("box.lan"), "box.lan")

    def test_plain_addresses(self) -> None:
        """A dual-stack socket shows IPv4 clients in disguise; a UNIX socket shows none."""
        disguised = type("Address", (), {"host": "::ffff:10.0.0.7"})()
        self.assertEqual(plain_address(disguised), "10.0.0.7")
        self.assertEqual(plain_address(LOCAL), "192.168.7.2")
        self.assertEqual(plain_address(object()), "")


class FieldTests(SynchronousTestCase):
    """Fields of the right kind, or a sentence that names the wrong one."""

    def test_missing(self) -> None:
        """What must be there is missed."""
        with self.assertRaisesRegex(BadRequest, "did is missing"):
            field({}, "did", str)

    def test_wrong_kind(self) -> None:
        """The name and the kind are in the sentence; true is not 1."""
        with self.assertRaisesRegex(BadRequest, "did is not a text"):
            checked(7, "did", str)
        with self.assertRaisesRegex(BadRequest, "n is not a number"):
            checked(True, "n", int)

    def test_right_kind(self) -> None:
        """The value comes back."""
        self.assertEqual(field({"a": [1]}, "a", list), [1])
        self.assertIs(checked(False, "b", bool), False)

    def test_forms_are_flat(self) -> None:
        """Of a repeated field the first counts; blank ones stay."""
        self.assertEqual(parse_form(b"a=1&a=2&b=&c=x%20y"), {"a": "1", "b": "", "c": "x y"})

    def test_too_many_fields(self) -> None:
        """A form of thousands of fields is refused before it is stored."""
        with self.assertRaises(ValueError):
            parse_form(b"&".join(b"a=1" for _ in range(1000)))

    def test_half_a_surrogate(self) -> None:
        """A text that UTF-8 cannot carry does not keep an answer from going out."""
        self.assertEqual(json_answer({"a": "\ud800"}).body, b'{"a":"?"}')


class CallTests(SynchronousTestCase):
    """A request over the wire, as a route sees it."""

    def setUp(self) -> None:
        self.calls: list[Call] = []
        route = Route("/ask", POST, self.hear, plain)
        self.browser = Browser(build_site([route], Clock()))

    def hear(self, call: Call) -> Answer:
        """The only route here."""
        self.calls.append(call)
        self.found = (call.secure, call.base_url)
        return json_answer(call.body())

    def call(self, body: bytes = b"{}", path: str = "/ask", **options: object) -> Call:
        """The call that one POST becomes."""
        self.browser.ask("POST", path, body, **options)  # type: ignore[arg-type]  # passed on
        return self.calls[-1]

    def test_ends(self) -> None:
        """Who asks, where it arrived, and how."""
        call = self.call()
        self.assertEqual(
            (call.peer, call.local, call.secure), ("192.168.7.33", "192.168.7.2", False)
        )
        self.assertEqual((call.method, call.path), ("POST", "/ask"))

    def test_host(self) -> None:
        """Links lead to where the client found us."""
        call = self.call(host="dusty.lan:8007")
        self.assertEqual((call.host, call.base_url), ("dusty.lan", "http://dusty.lan:8007"))

    def test_host_that_is_none(self) -> None:
        """An unbelievable Host header is replaced by the address it reached."""
        call = self.call(host='"><script>')
        self.assertEqual((call.host, call.base_url), ("192.168.7.2", "http://192.168.7.2:8007"))

    def test_secure(self) -> None:
        """Over TLS, links are https, and 443 needs no mention."""
        for host, base_url in (("box.lan", "https://box.lan"), ("!", "https://192.168.7.2:8007")):
            connection = self.browser.connect()
            directlyProvides(connection.transport, ISSLTransport)
            connection.send(request("POST", "/ask", b"{}", host=host))
            self.assertEqual(self.found, (True, base_url))

    def test_query(self) -> None:
        """The first value counts, broken UTF-8 is replaced, what is missing has a default."""
        call = self.call(path="/ask?a=1&a=2&b=%ff&c=")
        self.assertEqual(
            [call.query("a"), call.query("b"), call.query("c", "x"), call.query("d", "x")],
            ["1", "\ufffd", "", "x"],
        )

    def test_too_many_parameters(self) -> None:
        """Thousands of parameters are refused."""
        call = self.call(path="/ask?" + "&".join(["a=1"] * 500))
        self.assertRaises(BadRequest, call.query, "a")

    def test_form(self) -> None:
        """A form by its type, whatever else the type says."""
        kind = ("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
        self.assertEqual(self.call(b"todo=x&y=1", headers=[kind]).body(), {"todo": "x", "y": "1"})

    def test_form_without_type(self) -> None:
        """What nobody says the type of is a form if it looks like one."""
        for body, seen in (
            (b"todo=FindBest&service=EcoMsgNew", {"todo": "FindBest", "service": "EcoMsgNew"}),
            (b' {"todo":"a=b"}', {"todo": "a=b"}),
        ):
            self.assertEqual(self.call(body).body(), seen)
        for body in (b'["a=b"]', b'"a=b"', b"todo", b""):
            self.browser.ask("POST", "/ask", body)
            self.assertRaises(BadRequest, self.calls[-1].body)

    def test_json_called_a_form(self) -> None:
        """curl sends everything as a form, unless told otherwise."""
        kind = ("Content-Type", "application/x-www-form-urlencoded")
        self.assertEqual(self.call(b' {"did":"x"}', headers=[kind]).body(), {"did": "x"})

    def test_json_whatever_the_type(self) -> None:
        """Robots send JSON under odd types and none."""
        for kind in ("text/plain", "application/octet-stream", ""):
            self.assertEqual(
                self.call(b'{"a":1}', headers=[("Content-Type", kind)]).body(), {"a": 1}
            )

    def test_bodies_that_are_no_object(self) -> None:
        """Nothing, garbage, arrays, NaN, and nesting without an end are bad requests."""
        for body in (b"", b"[]", b"null", b"{", b'{"a":NaN}', b"\xff", b"[" * 60000):
            self.browser.ask("POST", "/ask", body)
            self.assertRaises(BadRequest, self.calls[-1].body)

    def test_optional(self) -> None:
        """A field may be missing or null; otherwise it is of the kind of its default."""
        call = self.call(b'{"a":null,"b":"x","c":1}')
        self.assertEqual([call.optional(name, "-") for name in "abz"], ["-", "x", "-"])
        self.assertRaises(BadRequest, call.optional, "c", "-")

    def test_bearer(self) -> None:
        """A token comes in a header or in a cookie; other schemes are none."""
        for header, token in (
            (("Authorization", "Bearer abc"), "abc"),
            (("authorization", "bearer  abc "), "abc"),
            (("Cookie", "a=b; bumper_token=abc; c=d"), "abc"),
            (("Authorization", "Basic abc"), ""),
            (("X-Other", "abc"), ""),
        ):
            self.assertEqual(self.call(headers=[header]).bearer(), token, header)

    def test_request_helper(self) -> None:
        """The browser of these tests writes what a client writes."""
        self.assertIn(b"Content-Length: 2\r\n\r\n{}", request("POST", "/", b"{}"))
