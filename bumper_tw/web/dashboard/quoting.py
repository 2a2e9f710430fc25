"""Texts of others inside of what people paste: JSON without templates, and YAML."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

#: What begins something in a template of Home Assistant; JSON can do without.
TEMPLATE = str.maketrans({letter: f"\\u{ord(letter):04x}" for letter in "{}%#"})


def inert(value: object) -> str:
    """
    JSON of ASCII in which no text begins a template.

    Braces of objects never stand in pairs at an opening: a key comes between.
    """
    pieces = re.split(r'("(?:[^"\\]|\\.)*")', json.dumps(value))
    return "".join(each.translate(TEMPLATE) if each[:1] == '"' else each for each in pieces)


def yaml_data(data: Mapping[str, Any], indent: str) -> Iterator[str]:
    """The arguments of an action."""
    if data:
        yield f"{indent}data:"
        yield from yaml_lines(data, indent + "  ")


def yaml_lines(values: Mapping[str, Any], indent: str) -> Iterator[str]:
    """A mapping of texts, numbers and mappings."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield f"{indent}{name}:"
            yield from yaml_lines(value, indent + "  ")
        else:
            yield f"{indent}{name}: {value if isinstance(value, int) else yaml_text(value)}"


def yaml_text(text: str) -> str:
    """A text between double quotes (YAML 1.2, 7.3.1): whatever is in it, it ends where it ends."""
    return f'"{"".join(map(yaml_letter, text))}"'


def yaml_letter(letter: str) -> str:
    """One character; what cannot be seen, or turns others around, is written as its number."""
    if letter in '"\\':
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    number = ord(letter)
    return f"\\u{number:04X}" if number < 0x10000 else f"\\U{number:08X}"
