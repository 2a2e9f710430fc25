"""Robots' XML is read with its mistakes, and without its dangers."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect import markup
from bumper_tw.dialect.markup import Element

words = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,8}", fullmatch=True)
values = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20)
texts = values.map(lambda text: text.strip(" \t\r\n\0\xa0\u3000").strip())
leaves = st.builds(Element, words, st.dictionaries(words, values, max_size=4), st.just([]), texts)
elements = st.recursive(
    leaves,
    lambda inner: st.builds(
        Element, words, st.dictionaries(words, values), st.lists(inner, max_size=3), texts
    ),
    max_leaves=8,
)


def escaped(text: str) -> str:
    """Text as a careful robot writes it."""
    for raw, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("'", "&#39;")):
        text = text.replace(raw, written)
    return text


def written(element: Element) -> str:
    """An element as a careful robot writes it."""
    attributes = "".join(f" {key}='{escaped(v)}'" for key, v in element.attributes.items())
    inside = escaped(element.text) + "".join(map(written, element.children))
    return f"<{element.name}{attributes}>{inside}</{element.name}>"


class ParseTests(SynchronousTestCase):
    """What robots write."""

    def test_quotes_and_declaration(self) -> None:
        """Both quotes, a declaration, blanks and a trailing NUL make no difference."""
        expected = Element("ctl", {"td": "Clean"}, [Element("clean", {"type": "auto"})])
        for text in (
            "<ctl td='Clean'><clean type='auto'/></ctl>",
            '<ctl td="Clean"><clean type="auto" /></ctl>',
            "<?xml version='1.0'?>\n<ctl td = 'Clean'> <clean type='auto'></clean>\n</ctl >\r\n\0",
            "<c:ctl c:td='Clean'><c:clean type='auto'/></c:ctl>",
        ):
            self.assertEqual(markup.parse(text.encode()), expected, text)

    def test_unescaped(self) -> None:
        """A network name may be written raw (robots.md 8), or half escaped."""
        for text, expected in (
            (b"<ctl s='a&b<c'/>", "a&b<c"),
            (b"<ctl s='a>b'/>", "a>b"),
            (b"<ctl s='a&amp;b&lt;c&#33;&#x21;'/>", "a&b<c!!"),
            (b"<ctl s='R&D &nbsp; &#0; &#xD800;'/>", "R&D &nbsp; &#0; &#xD800;"),
            (b'<ctl s="Bob\'s"/>', "Bob's"),
            (b"<ctl s='caf\xe9'/>", "caf\N{REPLACEMENT CHARACTER}"),
        ):
            self.assertEqual(markup.parse(text).get("s"), expected)

    def test_text(self) -> None:
        """An element may have text."""
        ctl = markup.parse(b"<ctl ret='ok'><ver name='FW'> 1.4.2 </ver></ctl>")
        version = ctl.child("ver")
        assert version is not None
        self.assertEqual((version.text, ctl.child("vers")), ("1.4.2", None))

    def test_plain(self) -> None:
        """An element can be shown as JSON values."""
        ctl = markup.parse(b"<ctl tp='sa'><m mid='3'/><m mid='5'>x</m></ctl>")
        rooms = [{"element": "m", "mid": "3"}, {"element": "m", "mid": "5", "text": "x"}]
        self.assertEqual(ctl.plain(), {"tp": "sa", "children": rooms})

    @given(elements)
    def test_round_trip(self, element: Element) -> None:
        """Whatever a careful robot writes is read."""
        self.assertEqual(markup.parse(written(element).encode()), element)


class RefusalTests(SynchronousTestCase):
    """What is not read."""

    def test_dangers(self) -> None:
        """Document types, entities, sections, comments and instructions are refused."""
        for text in (
            b"<!DOCTYPE ctl [<!ENTITY a 'aaaa'>]><ctl s='&a;'/>",
            b"<!DOCTYPE ctl SYSTEM 'file:///etc/passwd'><ctl/>",
            b"<ctl><!ENTITY a 'b'></ctl>",
            b"<ctl><![CDATA[x]]></ctl>",
            b"<ctl><!-- x --></ctl>",
            b"<ctl><?php x ?></ctl>",
        ):
            self.assertRaises(ValueError, markup.parse, text)

    def test_broken(self) -> None:
        """What is not one element is refused."""
        for text in (
            b"",
            b"text",
            b"<ctl",
            b"<ctl>",
            b"</ctl>",
            b"<ctl></clt>",
            b"<ctl/><ctl/>",
            b"<ctl/>text",
            b"<ctl/></ctl>",
            b"<ctl a=1/>",
            b"<ctl a='1/>",
            b"<?xml version='1.0'",
            b"{}",
        ):
            self.assertRaises(ValueError, markup.parse, text)

    def test_limits(self) -> None:
        """Depth, number and size are bounded."""
        self.assertRaises(ValueError, markup.parse, b"<a>" * 17 + b"</a>" * 17)
        self.assertEqual(markup.parse(b"<a>" * 16 + b"</a>" * 16).name, "a")
        self.assertRaises(ValueError, markup.parse, b"<a>" + b"<b/>" * 5000 + b"</a>")
        self.assertRaises(ValueError, markup.parse, b"<a b='" + b"x" * (1 << 20) + b"'/>")

    @given(st.text("<>/='\"&;#x ab!?[]-", max_size=60))
    def test_any_text(self, text: str) -> None:
        """Any text is an element or a ValueError."""
        try:
            self.assertTrue(markup.parse(text.encode()).name)
        except ValueError as refused:
            self.assertTrue(str(refused))
