"""
The table of what MQTT 3.1.1 asks for, and which test proves it.

C{python -m tests.mqtt.conformance.document} writes it anew.
"""

import ast
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from attrs import frozen

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[2] / "docs" / "mqtt-conformance.rst"

#: The numbers at the start of a test's docstring.
NUMBERS = re.compile(r"(?:\s*\[MQTT-[0-9.]+-[0-9]+\])+")
NUMBER = re.compile(r"\[MQTT-([0-9.]+-[0-9]+)\]")

#: Which tests prove a statement.
Proofs = Mapping[str, Sequence[str]]

HEAD = """\
MQTT 3.1.1, statement by statement
==================================

.. Written by ``python -m tests.mqtt.conformance.document``; change that, or the tests.

The specification numbers what it demands.  Here is each number, what it asks for in our words, on
whom the demand is, and the tests below ``tests/mqtt/conformance`` that prove it: with real bytes,
over the real protocol, against the real broker.  Where a demand is on clients, the test shows
what becomes of one that does not meet it, or that the server meets it too where it plays the
same part.

A test that fails, a number without a test or a reason, and a document that is not what the tests
say, all fail the test suite.

What is not meant by that
-------------------------

Level 5
    A client of MQTT 5 is refused with a CONNACK of MQTT 5 (reason 0x84), which it understands,
    and not with the return code 1 that statement 3.1.2-2 has for other levels.
MQTT 3.1
    ``MQIsdp``, level 3, is accepted, and treated the same.
Limits
    Sizes, numbers and times are limited, as the specification allows: by the settings in
    ``[mqtt]``.  What is over a limit is refused, or ends the connection.
Rights
    A subscription that is not allowed is refused with 0x80; a message that is not allowed is
    acknowledged and goes nowhere (statement 3.3.5-2).  Wills are messages like others.
Robots and apps
    What they may say and hear, and that nothing of theirs is retained, is a matter of rights.
"""


@frozen
class Statement:
    """
    One numbered demand.

    @ivar number: as in C{3.1.2-24}.
    @ivar who: on whom it is: C{server}, C{client} or C{both}.
    @ivar why: why no test can prove it; empty where one can.
    """

    number: str
    who: str
    asks: str
    why: str = ""


@frozen
class Chapter:
    """One chapter of the specification."""

    number: str
    title: str
    statements: Sequence[Statement]


def chapters() -> list[Chapter]:
    """Everything that is asked for."""
    data = tomllib.loads((HERE / "statements.toml").read_text(encoding="utf-8"))
    return [
        Chapter(
            number,
            chapter["title"],
            [Statement(key, **each) for key, each in chapter["statement"].items()],
        )
        for number, chapter in data["chapter"].items()
    ]


def proofs() -> Proofs:
    """The tests by what they prove, in the order of their files."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(HERE.glob("test_*.py")):
        for name, numbers in claims(ast.parse(path.read_text(encoding="utf-8"))):
            for number in numbers:
                found[number].append(f"{path.stem}.{name}")
    return found


def claims(module: ast.Module) -> Iterator[tuple[str, list[str]]]:
    """Each test of a module, as class and method, and what its docstring starts with."""
    for case in module.body:
        if isinstance(case, ast.ClassDef):
            for test in case.body:
                if isinstance(test, ast.FunctionDef) and test.name.startswith("test_"):
                    start = NUMBERS.match(ast.get_docstring(test) or "")
                    yield f"{case.name}.{test.name}", NUMBER.findall(start[0]) if start else []


def missing(proved: Proofs) -> list[str]:
    """Statements with neither a test nor a reason."""
    return [
        each.number
        for chapter in chapters()
        for each in chapter.statements
        if not each.why and not proved.get(each.number)
    ]


def document() -> str:
    """The whole of it, as reStructuredText."""
    proved = proofs()
    return HEAD + "".join(_table(chapter, proved) for chapter in chapters())


def _table(chapter: Chapter, proved: Proofs) -> str:
    title = f"Chapter {chapter.number}: {chapter.title}"
    rows = "".join(_row(each, proved.get(each.number, ())) for each in chapter.statements)
    return f"""
{title}
{"-" * len(title)}

.. list-table::
   :header-rows: 1
   :widths: 10 8 42 40

   * - Number
     - Whose
     - What it asks for
     - What proves it
{rows}"""


def _row(statement: Statement, tests: Sequence[str]) -> str:
    proof = statement.why or "\n       | ".join(f"``{test}``" for test in tests)
    return f"""\
   * - {statement.number}
     - {statement.who}
     - {statement.asks}
     - {"" if statement.why else "| "}{proof}
"""


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
    sys.exit(f"without a proof: {', '.join(lost)}" if (lost := missing(proofs())) else None)
