"""
No annotation asks an interface for what it cannot do before zope.interface 7.

Debian 12 has 5.5.2, where C{IThing | None} is a mistake as soon as Python works it out: in
signatures, and in the bodies of classes and modules.  In quotes it is text.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parents[1]

#: What ours and Twisted's interfaces are called.
INTERFACE = re.compile(r"I[A-Z][A-Za-z]+")

#: Where this stands, no annotation is worked out.
LATER = "from __future__ import " + "annotations"


def worked_out(body: list[ast.stmt], local: bool = False) -> Iterator[ast.expr]:
    """
    Every annotation, and every alias, that Python works out.

    @param local: whether this is inside of a function, where annotations are not worked out.
    """
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            told = [each.annotation for each in ast.walk(node.args) if isinstance(each, ast.arg)]
            yield from filter(None, [*told, node.returns])
            yield from worked_out(node.body, True)
        elif isinstance(node, ast.ClassDef):
            yield from worked_out(node.body)
        elif isinstance(node, ast.AnnAssign) and not local:
            yield node.annotation
        elif isinstance(node, ast.Assign) and not local:
            yield node.value


def joins_interface(annotation: ast.expr) -> bool:
    """Whether an interface stands beside C{|}."""
    sides = (
        side
        for node in ast.walk(annotation)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr)
        for side in (node.left, node.right)
    )
    return any(INTERFACE.fullmatch(ast.unparse(side).rpartition(".")[2]) for side in sides)


def found(text: str) -> list[int]:
    """The lines of a program where an interface is asked."""
    if LATER in text:
        return []
    return [node.lineno for node in worked_out(ast.parse(text).body) if joins_interface(node)]


class AnnotationTests(SynchronousTestCase):
    """The program, and its tests."""

    def test_interfaces(self) -> None:
        """None of them stands beside C{|} where that is worked out."""
        wrong = [
            f"{path.relative_to(ROOT)}:{line}"
            for part in ("bumper_tw", "tests", "benchmarks")
            for path in sorted((ROOT / part).rglob("*.py"))
            for line in found(path.read_text("utf-8"))
        ]
        self.assertEqual(wrong, [])

    def test_sees(self) -> None:
        """What must not be there would be seen; what Python leaves alone is not."""
        wrong = (
            "def f(a: IThing | None): ...",
            "def f(*, a: dict[str, None | interfaces.IThing]): ...",
            "class A:\n    def f(self) -> IThing | int: ...",
            "class A:\n    a: IThing | None = None",
            "Maybe = IThing | None",
        )
        for text in wrong:
            self.assertEqual(len(found(text)), 1, text)
        for text in ('def f(a: "IThing | None"): ...', "def f():\n    a: IThing | None = 1"):
            self.assertEqual(found(text), [], text)
