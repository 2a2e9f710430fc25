"""
All templates, scripts and styles of the pages, whoever wrote them: what the policy forbids is
not in them, what they point to is there, and what they say can be read.
"""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.web.dashboard import frame
from bumper_tw.web.dashboard.assets import KINDS, PAGE
from bumper_tw.web.dashboard.frame import TEMPLATES

RENDER = "{http://twistedmatrix.com/ns/twisted.web.template/0.1}"

#: Where elements are made in Python.
MODULES = sorted(Path(frame.__file__).parent.glob("*.py"))
SCRIPTS = sorted(PAGE.glob("*.js"))
DRAWN = sorted(TEMPLATES.glob("*.xml"))

#: As long as one script may be, and the style sheet, in bytes.
SCRIPT, STYLE = 12_000, 24_576

#: Ways in which a script makes elements, or a program, out of text.
UNSAFE = (
    *("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("),
    *("setHTML", "createContextualFragment", "srcdoc", "javascript:", "import("),
    *(".style", "setTimeout(`", 'setTimeout("', "localStorage", "document.cookie"),
)

#: Attributes by which one element points to another.
POINTERS = ("for", "aria-labelledby", "aria-describedby", "aria-controls", "list")

#: Text and ground, each pair at least 4.5 : 1 (WCAG 2.2, 1.4.3).
READ = (
    *product(("ink", "quiet", "accent"), ("ground", "sheet", "sunken")),
    *(("on-accent", "accent"), ("soft-ink", "soft"), ("note-ink", "note"), ("good-ink", "good")),
    *(("bad-ink", "bad"), ("ink", "code"), ("ink", "plate")),
)
#: What has to be seen, at least 3 : 1 (1.4.11).
SEEN = (
    *product(("full", "fair", "low"), ("plate", "sheet")),
    *product(("edge", "focus"), ("sheet", "ground")),
)


def tag_of(element: ElementTree.Element) -> str:
    """The name of an element, also of those that only templates have."""
    return element.tag.removeprefix(RENDER)


def fixed(file: Path, name: str) -> Iterator[str]:
    """The values of an attribute in a template that are written there."""
    for element in ElementTree.parse(file).iter():
        if name in element.attrib:
            yield element.attrib[name]


def luminance(colour: str) -> float:
    """How bright a colour is (WCAG 2.2, relative luminance)."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [(c / 12.92) if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """How much two colours differ, from 1 to 21."""
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


class TemplateTests(SynchronousTestCase):
    """The templates."""

    def test_policy(self) -> None:
        """No template has a style or a handler of its own; scripts are files only."""
        for file in DRAWN:
            for element in ElementTree.parse(file).iter():
                names = [n for n in element.attrib if n == "style" or n.lower().startswith("on")]
                self.assertEqual(names, [], file.name)
                self.assertNotIn(tag_of(element), {"style", "iframe", "object", "embed", "base"})
                if tag_of(element) == "script":
                    self.assertEqual((file.name, element.text), ("frame.xml", None))
        for file in DRAWN:
            for link in (*fixed(file, "href"), *fixed(file, "src"), *fixed(file, "action")):
                self.assertRegex(link, r"\A(/(?!/)|#)", file.name)

    def test_in_python(self) -> None:
        """Neither has what is made in Python, and nothing in it is taken for ready markup."""
        for file in MODULES:
            text = file.read_text("utf-8")
            for word in ("CDATA", "style=", '"style"', '"onclick"', "onclick=", "tags.script"):
                self.assertNotIn(word, text, file.name)

    def test_ids(self) -> None:
        """An id is in a template once, and what points to one in the same template finds it."""
        for file in DRAWN:
            ids = list(fixed(file, "id"))
            self.assertEqual(len(ids), len(set(ids)), file.name)
            inner = {link[1:] for link in fixed(file, "href") if link.startswith("#")}
            names = {
                name for each in POINTERS for text in fixed(file, each) for name in text.split()
            }
            self.assertEqual((names | inner) - set(ids), set(), file.name)

    def test_labels(self) -> None:
        """Every field has a label, and every picture has words, or is said to need none."""
        for file in DRAWN:
            root = ElementTree.parse(file).getroot()
            above = {child: parent for parent in root.iter() for child in parent}
            labelled = set(fixed(file, "for"))
            for element in root.iter():
                if tag_of(element) in {"input", "select", "textarea", "meter", "progress"}:
                    self.assertTrue(
                        self.is_labelled(element, above, labelled), (file, element.attrib)
                    )
                if tag_of(element) == "img":
                    computed = any(
                        tag_of(child) == "attr" and child.get("name") == "alt" for child in element
                    )
                    self.assertTrue("alt" in element.attrib or computed, file.name)

    @staticmethod
    def is_labelled(
        element: ElementTree.Element,
        above: dict[ElementTree.Element, ElementTree.Element],
        labelled: set[str],
    ) -> bool:
        """Whether a field has a label; where its name is filled in later, the page is tested."""
        if element.get("type") == "hidden" or "hidden" in element.attrib:
            return True
        if (
            element.get("aria-label")
            or element.get("aria-labelledby")
            or element.get("id") in labelled
        ):
            return True
        if f"{RENDER}render" in element.attrib or any(tag_of(e) == "attr" for e in element):
            return True
        while element in above:
            element = above[element]
            if tag_of(element) == "label":
                return True
        return False

    def test_tables(self) -> None:
        """The columns of every table have headings, and on a phone it is moved by itself."""
        for file in DRAWN:
            root = ElementTree.parse(file).getroot()
            above = {child: parent for parent in root.iter() for child in parent}
            for table in root.iter("table"):
                self.assertTrue(list(table.iter("th")), file.name)
                self.assertIn("table-wrap", above[table].get("class", ""), file.name)
            for heading in root.iter("th"):
                self.assertIn(heading.get("scope"), {"col", "row"}, file.name)

    def test_sentences(self) -> None:
        """No heading ends like a sentence, and the pages have only one of the first order."""
        for file in DRAWN:
            for element in ElementTree.parse(file).iter():
                if tag_of(element) in {"h2", "h3"}:
                    text = "".join(element.itertext()).strip()
                    self.assertFalse(text.endswith("."), (file.name, text))
                if tag_of(element) == "h1":
                    self.assertEqual(file.name, "frame.xml")


class ScriptTests(SynchronousTestCase):
    """The scripts."""

    def test_safe(self) -> None:
        """No script makes elements, or a program, out of text."""
        for file in SCRIPTS:
            text = file.read_text("utf-8")
            self.assertEqual([word for word in UNSAFE if word in text], [], file.name)

    def test_small(self) -> None:
        """Each is small."""
        sizes = {file.name: file.stat().st_size for file in SCRIPTS}
        self.assertEqual({name: size for name, size in sizes.items() if size > SCRIPT}, {})

    def test_imports(self) -> None:
        """What a script takes from another one is there, and from here."""
        given = {
            file.name: set(re.findall(r"^export (?:async )?(?:function|const) (\w+)", text, re.M))
            for file in SCRIPTS
            if (text := file.read_text("utf-8"))
        }
        for file in SCRIPTS:
            text = file.read_text("utf-8")
            taken = re.findall(r'^import \{([^}]*)\} from "(?:\.|/page)/([\w.-]+)";', text, re.M)
            self.assertEqual(len(taken), len(re.findall(r"^import\b", text, re.M)), file.name)
            for names, source in taken:
                wanted = {
                    name.split(" as ")[0].strip() for name in names.split(",") if name.strip()
                }
                self.assertEqual(wanted - given[source], set(), file.name)

    def test_ids(self) -> None:
        """What scripts look for by its id is in a template, or made by a program."""
        known = {name for file in DRAWN for name in fixed(file, "id")}
        made = "".join(file.read_text("utf-8") for file in MODULES)
        for file in SCRIPTS:
            text = file.read_text("utf-8")
            for name in re.findall(r'getElementById\("([\w-]+)"\)', text):
                self.assertTrue(name in known or f'"{name}"' in made, (file.name, name))

    def test_quoted(self) -> None:
        """What comes from somewhere else is quoted before it becomes part of an address."""
        for file in SCRIPTS:
            text = file.read_text("utf-8")
            for path in re.findall(r"`(/(?:api|robots|login)[^`]*)`", text):
                inner = re.findall(r"\$\{([^}]*)\}", path)
                raw = [each for each in inner if not self.is_quoted(each, text)]
                self.assertEqual(raw, [], (file.name, path))

    @staticmethod
    def is_quoted(expression: str, text: str) -> bool:
        """Whether an expression, or what it is the name of, is quoted or a word of ours."""
        if "encodeURIComponent" in expression or ".dataset." in expression:
            return True
        name = re.escape(expression)
        return bool(
            re.search(rf"\b{name} = [^;]*(encodeURIComponent|URLSearchParams|\.dataset)", text)
        )


class StyleTests(SynchronousTestCase):
    """The style sheet."""

    def setUp(self) -> None:
        self.text = (PAGE / "page.css").read_text("utf-8")

    def colours(self, dark: bool) -> dict[str, str]:
        """The palette by day or by night."""
        day, night = re.findall(r":root \{\s*(?:color-scheme[^;]*;)?(.*?)\}", self.text, re.S)[:2]
        palette = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", day))
        return palette | (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", night)) if dark else {})

    def test_contrast(self) -> None:
        """By day and by night, text can be read, and what matters can be seen."""
        for dark, (pairs, least) in product((False, True), ((READ, 4.5), (SEEN, 3.0))):
            palette = self.colours(dark)
            found = {pair: contrast(palette[pair[0]], palette[pair[1]]) for pair in pairs}
            poor = {pair: round(value, 2) for pair, value in found.items() if value < least}
            self.assertEqual(poor, {}, "dark" if dark else "light")

    def test_whole(self) -> None:
        """It is small, whole, and loads nothing; every colour that it uses it defines."""
        self.assertLess(len(self.text.encode()), STYLE)
        self.assertEqual(self.text.count("{"), self.text.count("}"))
        self.assertNotIn("url(", self.text)
        self.assertNotIn("@import", self.text)
        used, defined = (
            set(re.findall(pattern, self.text)) for pattern in (r"var\(--([\w-]+)", r"--([\w-]+):")
        )
        self.assertEqual(used - defined, set())

    def test_people(self) -> None:
        """Who wants no motion, more contrast or own colours gets that, and sees the focus."""
        for wish in ("prefers-reduced-motion", "prefers-contrast", "forced-colors"):
            self.assertIn(f"@media ({wish}", self.text)
        self.assertIn(":focus-visible { outline: 3px", self.text)

    def test_classes(self) -> None:
        """Every class of a template has a rule, or is known to a script."""
        text = self.text + "".join(file.read_text("utf-8") for file in SCRIPTS)
        for file in DRAWN:
            names = {name for each in fixed(file, "class") for name in each.split()}
            missing = {name for name in names if not re.search(rf"\b{name}\b", text)}
            self.assertEqual(missing, set(), file.name)


class FileTests(SynchronousTestCase):
    """What is served."""

    def test_kinds(self) -> None:
        """Every file is of a kind that is served, and no drawing has a script in it."""
        for file in PAGE.iterdir():
            self.assertIn(file.suffix, KINDS)
        for file in PAGE.glob("*.svg"):
            text = file.read_text("utf-8").lower()
            self.assertNotRegex(text, r"<script|\son\w+=|javascript:|<foreignobject|\shref=")
