"""
The one rule of the architecture: imports point down.

A module imports from lower floors and from its own package, never from a neighbour on
its floor and never upwards.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import bumper_tw

ROOT = Path(bumper_tw.__file__).parent

#: Every part of the package and the floor it lives on.
FLOORS = {
    "values": 0,
    "readings": 0,
    "kept": 0,
    "errors": 0,
    "wire": 0,
    "interfaces": 1,
    "broker_interfaces": 1,
    "xmpp_interfaces": 1,
    "people_interfaces": 1,
    "dialect": 1,
    "core": 2,
    "storage": 2,
    "pki": 2,
    "front": 3,
    "dns": 4,
    "integrations": 4,
    "mqtt": 4,
    "xmpp": 4,
    "web": 4,
    "app": 5,
    "simulator": 6,
}

#: On floor 0 the nouns may be shared; C{wire} keeps to itself.
NOUNS = {"values", "readings", "kept", "errors"}

#: What a part must stay away from, by prefix.
IMPURE = {
    "values": ("twisted", "time", "random", "os", "socket", "logging"),
    "readings": ("twisted", "time", "random", "os", "socket", "logging"),
    "kept": ("twisted", "time", "random", "os", "socket", "logging"),
    "errors": ("twisted", "time", "random", "os", "socket", "logging"),
    "wire": ("twisted", "time", "random", "os", "socket", "logging"),
    "dialect": ("twisted.internet", "time", "random", "socket", "sqlite3"),
    "core": ("twisted.web", "klein", "sqlite3", "socket", "os", "twisted.internet.reactor"),
    "storage": ("klein", "twisted.web", "twisted.internet.reactor"),
    "pki": ("klein", "twisted.web", "twisted.internet.reactor"),
    "front": ("klein", "sqlite3", "twisted.internet.reactor"),
    "dns": ("klein", "sqlite3", "twisted.internet.reactor"),
    "integrations": ("klein", "sqlite3", "twisted.internet.reactor"),
    "mqtt": ("klein", "sqlite3", "twisted.internet.reactor"),
    "xmpp": ("klein", "sqlite3", "twisted.internet.reactor"),
    "web": ("sqlite3", "twisted.internet.reactor"),
    "app": ("sqlite3",),
}

#: Where an import may hide in a function: the reactor must not be installed by an import,
#: and what only some starts need is loaded late.
LATE = {"app/tap.py", "app/cli.py", "app/cli_parts.py", "app/extras.py"}


def part(module: str) -> str | None:
    """The part of the package that C{module} belongs to, if it is ours."""
    names = module.split(".")
    return names[1] if names[0] == "bumper_tw" and len(names) > 1 else None


def imported(node: ast.stmt) -> Iterator[str]:
    """The dotted names that one statement imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "relative import"
        module = node.module or ""
        yield from (f"{module}.{alias.name}" for alias in node.names)


@cache
def sources() -> tuple[tuple[str, str, ast.Module], ...]:
    """Every module as its path, its part and its tree."""
    names = {path.relative_to(ROOT).as_posix(): path for path in sorted(ROOT.rglob("*.py"))}
    return tuple(
        (name, name.split("/")[0].removesuffix(".py"), ast.parse(path.read_text()))
        for name, path in names.items()
        if name != "__init__.py"
    )


class FloorTests(SynchronousTestCase):
    """Imports point down, and stay pure where they promise to."""

    def test_every_part_has_a_floor(self) -> None:
        """A new part says where it lives."""
        parts = {own for _, own, _ in sources()}
        self.assertEqual(parts - set(FLOORS), set())

    def test_imports_point_down(self) -> None:
        """No part imports a neighbour or anything above it."""
        wrong = [
            (name, target)
            for name, own, tree in sources()
            for node in ast.walk(tree)
            if isinstance(node, ast.stmt)
            for target in imported(node)
            if not self.allowed(own, part(target))
        ]
        self.assertEqual(wrong, [])

    def allowed(self, own: str, other: str | None) -> bool:
        """May part C{own} import part C{other}?"""
        if other is None or other in {own, "__version__"}:
            return True
        if own == "simulator":
            return False
        if FLOORS[own] == FLOORS[other] == 0:
            return other in NOUNS
        return FLOORS[other] < FLOORS[own] or (own == "app" and other == "simulator")

    def test_pure_parts_stay_pure(self) -> None:
        """The lower floors know nothing of transports, clocks and disks."""
        wrong = [
            (name, target)
            for name, own, tree in sources()
            for node in ast.walk(tree)
            if isinstance(node, ast.stmt)
            for target in imported(node)
            if any((target + ".").startswith(f"{bad}.") for bad in IMPURE.get(own, ()))
        ]
        self.assertEqual(wrong, [])

    def test_imports_stand_at_the_top(self) -> None:
        """An import hides in a function only where the start must be late or lean."""
        wrong = [
            name
            for name, _, tree in sources()
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom) and name not in LATE
        ]
        self.assertEqual(wrong, [])

    def test_packages_export_nothing(self) -> None:
        """There are no package-level re-exports."""
        full = [p.name for p in ROOT.glob("*/__init__.py") if p.read_text().strip()]
        self.assertEqual(full, [])
