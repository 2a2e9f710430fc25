"""
C{uci}, as far as our scripts use it, on the folder $UCI_FOLDER.

There is no staging: every change is in the file at once, and C{commit} is only written down.
"""

# Neither pathlib nor re: this is called so often that what it imports counts.
import os
import sys

FOLDER = os.environ["UCI_FOLDER"]

Value = str | list[str]
Section = tuple[str, str, dict[str, Value]]


def lines(text: str) -> list[list[str]]:
    """The words of each line; quotes hold line ends, too."""
    found: list[list[str]] = []
    words: list[str] = []
    word: str | None = None
    place = 0
    while place < len(text):
        first = text[place]
        held, place = part(text, place)
        if held is not None:
            word = (word or "") + held
            continue
        words += [] if word is None else [word]
        word = None
        if first == "\n":
            found.append(words)
            words = []
    return found


def part(text: str, place: int) -> tuple[str | None, int]:
    """
    What comes next in a text that ends with a line.

    @return: what it adds to a word, C{None} for what ends one; and where the next begins.
    """
    match text[place]:
        case "'":
            end = closing(text, "'", place + 1)
            return text[place + 1 : end], end + 1
        case '"':
            return rich(text, place + 1)
        case "\\":
            return text[place + 1 : place + 2], place + 2
        case "#":
            return None, closing(text, "\n", place)
        case " " | "\t" | "\n":
            return None, place + 1
        case bare:
            return bare, place + 1


def closing(text: str, mark: str, place: int) -> int:
    """Where something ends."""
    end = text.find(mark, place)
    if end < 0:
        raise SystemExit("uci: Parse error")
    return end


def rich(text: str, place: int) -> tuple[str, int]:
    """What stands in double quotes, and what is behind them."""
    held = ""
    while (end := closing(text, '"', place)) > (slash := text.find("\\", place)) >= 0:
        held += text[place:slash] + text[slash + 1 : slash + 2]
        place = slash + 2
    return held + text[place:end], end + 1


def read(package: str) -> list[Section]:
    """Every section: its type, its name, its options."""
    path = os.path.join(FOLDER, package)
    if not os.path.exists(path):
        raise SystemExit("uci: Entry not found")
    with open(path, "rb") as file:
        said = file.read()
    sections: list[Section] = []
    for words in lines(said.decode("utf-8", "surrogateescape") + "\n"):
        match words:
            case []:
                pass
            case ["config", kind, *name]:
                sections.append((kind, "".join(name), {}))
            case ["option", name, value] if sections:
                sections[-1][2][name] = value
            case ["list", name, value] if sections:
                held = sections[-1][2].setdefault(name, [])
                sections[-1][2][name] = [*([held] if isinstance(held, str) else held), value]
            case _:
                raise SystemExit("uci: Parse error")
    return sections


def quoted(value: str) -> str:
    """A value as a shell takes it for one word."""
    return "'" + value.replace("'", "'\\''") + "'"


def text(package: str, sections: list[Section], named: bool) -> str:
    """What C{export} prints, and files hold."""
    out = [f"package {package}\n"] if named else []
    for number, (kind, name, options) in enumerate(sections):
        called = name or (f"cfg{number:02x}" if named else "")
        out.append(f"\nconfig {kind}{' ' + quoted(called) if called else ''}\n")
        for key, value in options.items():
            for item in [value] if isinstance(value, str) else value:
                word = "option" if isinstance(value, str) else "list"
                out.append(f"\t{word} {key} {quoted(item)}\n")
    return "".join(out)


def write(package: str, sections: list[Section]) -> None:
    """Replace a file."""
    with open(os.path.join(FOLDER, package), "wb") as file:
        file.write(text(package, sections, named=False).encode("utf-8", "surrogateescape"))


def found(sections: list[Section], name: str) -> dict[str, Value]:
    """The options of one section, by its name or as C{@type[0]}."""
    for kind, called, options in sections:
        if name in {called, f"@{kind}[0]"}:
            return options
    raise SystemExit("uci: Entry not found")


def main(words: list[str]) -> None:
    """One call."""
    verb, *rest = [word for word in words if word not in {"-q", "-n", "-S"}]
    path, _, value = "".join(rest).partition("=")
    package, *place = path.split(".", 2)
    if verb == "commit":
        with open(os.path.join(os.path.dirname(FOLDER), "commits"), "a") as log:
            log.write(f"{package}\n")
        return
    sections = read(package)
    if verb == "export":
        sys.stdout.buffer.write(
            text(package, sections, named=True).encode("utf-8", "surrogateescape")
        )
        return
    options, name = found(sections, place[0]), place[1]
    if verb == "get":
        if name not in options:
            raise SystemExit("uci: Entry not found")
        held = options[name]
        print(held if isinstance(held, str) else " ".join(held))  # noqa: T201
        return
    change(verb, options, name, value)
    write(package, sections)


def change(verb: str, options: dict[str, Value], name: str, value: str) -> None:
    """Of one section, one option."""
    held = options.get(name, [])
    items = [held] if isinstance(held, str) else held
    if verb == "set":
        options[name] = value
    elif verb == "delete" and name in options:
        del options[name]
    elif verb == "add_list":
        options[name] = [*items, value]
    elif verb == "del_list" and value in items:
        options[name] = [item for item in items if item != value]
        if not options[name]:
            del options[name]
    else:
        raise SystemExit("uci: Entry not found")


def run() -> None:
    """What was called."""
    try:
        main(sys.argv[1:])
    except SystemExit as error:
        raise SystemExit(1 if error.code and "-q" in sys.argv else error.code) from None
