"""No pattern uses what the regular expressions of a Python that we run on get wrong."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import bumper_tw

ROOT = Path(bumper_tw.__file__).parent

#: A group that is repeated and gives nothing back.  Up to Python 3.11.4, which is what Debian 12
#: has, it may end where its last try failed; with a single character it is right.
GREEDY_GROUP = re.compile(r"\)(?:[*+?]|\{[\d,]+\})\+")


def texts(path: Path) -> Iterator[str]:
    """All literal texts in a file."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            text = node.value
            yield text if isinstance(text, str) else text.decode("latin-1")


class PatternTests(SynchronousTestCase):
    """The patterns in the package."""

    def test_groups(self) -> None:
        """No group is possessive."""
        found = [
            f"{path.relative_to(ROOT)}: {text}"
            for path in sorted(ROOT.rglob("*.py"))
            for text in texts(path)
            if GREEDY_GROUP.search(text)
        ]
        self.assertEqual(found, [])

    def test_sees(self) -> None:
        """What must not be there would be seen."""
        for wrong in (r"(?:a|b)*+", r"(a)++c", r"(a)?+", r"(?:a){2,3}+"):
            self.assertTrue(GREEDY_GROUP.search(wrong), wrong)
        for right in (r"[a]*+", r"\d++", r"(a)*", "f() + 1"):
            self.assertFalse(GREEDY_GROUP.search(right), right)
