"""The same other name for the same thing, wherever it stands: what is related stays so."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from unicodedata import normalize
from urllib.parse import quote, quote_plus

from attrs import define, field

from bumper_tw.front.contact import clean

#: What stands for something that nobody needs in order to help.
HIDDEN = "<hidden>"

OTHER_NAME = re.compile(
    r"(?:robot|user|home|client|serial|name|device|mac|id|lan|public|link-local|this-box|box|"
    r"phone|resource|host|account)-(?:\d+|more)(?:-[a-z]+)*"
)

#: Names of so few characters are found as whole words only, and shorter ones not at all.
SHORT, SHORTEST = 4, 3

#: Codes of fewer letters are found in anything.
SHORTEST_CODE = 6

#: Where the journal and its stories cut names off.
CUT, CUT_SHORT = 200, 60

#: What stands between the digits of a MAC address.
MARKS = re.compile("%3a|[:.-]")

#: As many things have a name of their own; all others of a kind share one.
MOST = 5000

#: Characters of a name that is looked for.
LONGEST = 500


def is_other(text: str) -> bool:
    """Whether that is another name already."""
    return text in {HIDDEN, "<token>"} or OTHER_NAME.fullmatch(text) is not None


def other_of(kind: str, who: str, names: "Pseudonyms") -> str:
    """Another name for somebody, unless he has one already."""
    return who if is_other(re.split("[@/ ]", who)[0]) else names.name(kind, who)


@define(eq=False)
class Pseudonyms:
    """
    Gives other names.

    @ivar others: by kind, the other names by what is behind them.
    @ivar own: those of the addresses of this box.
    """

    others: dict[str, dict[str, str]] = field(factory=dict)
    own: dict[str, str] = field(factory=dict)

    def name(self, kind: str, real: str) -> str:
        """
        The other name of something.

        @param kind: what it begins with.
        """
        known = self.others.setdefault(kind, {})
        key = MARKS.sub("", fold(real)) if kind == "mac" else fold(real)
        if key not in known:
            if len(known) >= MOST:
                return f"{kind}-more"
            known[key] = f"{kind}-{len(known) + 1}"
        return known[key]

    def address(self, text: str) -> str:
        """The other name of an address; itself when it is none, or everybody has it."""
        try:
            found = ip_address(text.partition("%")[0])
        except ValueError:
            return text
        if is_common(found):
            return text
        return self.own.get(str(found)) or self.name(reach(found), str(found))

    def is_own(self, address: str) -> None:
        """An address is one of this box."""
        if not is_common(ip_address(address)):
            self.own.setdefault(address, f"this-box-{len(self.own) + 1}")


def is_common(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is nobody's own."""
    return address.is_loopback or address.is_unspecified or address.is_multicast


def reach(address: IPv4Address | IPv6Address) -> str:
    """How far an address is known: that often is what is wrong with it."""
    if address.is_link_local:
        return "link-local"
    return "lan" if address.is_private else "public"


def fold(text: str) -> str:
    """A text in small letters, each where it was."""
    small = text.lower()
    if len(small) == len(text):
        return small
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)


def spellings(real: str) -> Iterator[str]:
    """
    The ways in which a name may be written: as it is, cut off, in URLs, in JSON, for a terminal,
    as base64, in hex.
    """
    # On some systems what is above a letter is a letter of its own.
    forms = dict.fromkeys((real, *(normalize(form, real) for form in ("NFC", "NFD"))))
    cut = (each[:end].strip() for each in forms for end in (CUT, CUT_SHORT))
    for text in dict.fromkeys((*forms, *cut, *(clean(each, LONGEST) for each in forms))):
        yield text
        yield quote(text, safe="", errors="replace")
        yield quote(text, errors="replace")
        yield quote_plus(text, errors="replace")
        yield json.dumps(text)[1:-1]
        yield json.dumps(text, ensure_ascii=False)[1:-1]
        yield repr(text)[1:-1]
        yield from (code for code in codes(text) if len(code) >= SHORTEST_CODE)


def codes(text: str) -> Iterator[str]:
    """In hex, and as base64 wherever it begins: without letters that others share."""
    data = text.encode("utf-8", "replace")
    yield data.hex()
    for head, skipped in ((0, 0), (1, 2), (2, 3)):
        whole = base64.b64encode(bytes(head) + data).decode().rstrip("=")
        inner = whole[skipped : len(whole) - ((head + len(data)) % 3 > 0)]
        yield inner
        yield inner.replace("+", "-").replace("/", "_")


class Known:
    """
    Finds names that are known in a text of any length, in one pass.

    @ivar common: words that name nobody, because everybody's texts have them.
    """

    def __init__(self, common: Iterable[str] = ()) -> None:
        self.common = frozenset(map(fold, common))
        self._others: dict[str, str] = {}
        # How long they are, by their first letters.
        self._lengths: dict[str, set[int]] = {}

    def __len__(self) -> int:
        return len(self._others)

    def add(self, real: str, other: str) -> None:
        """C{real} is to be called C{other} from now on."""
        real = real.strip()[:LONGEST]
        if len(real) < SHORTEST or fold(real) in self.common:
            return
        for text in spellings(real):
            folded = fold(text)
            if len(folded) >= SHORTEST and folded not in self._others:
                self._others[folded] = other
                self._lengths.setdefault(folded[:SHORTEST], set()).add(len(folded))

    def replaced(self, text: str) -> str:
        """The text with other names."""
        folded, parts, done, at = fold(text), [], 0, 0
        last = len(folded) - SHORTEST if self._others else -1
        lengths = self._lengths
        while at <= last:
            near = lengths.get(folded[at : at + SHORTEST])
            size = self._longest(near, folded, at) if near else 0
            if size:
                parts += [text[done:at], self._others[folded[at : at + size]]]
                done = at + size
            at += size or 1
        return "".join([*parts, text[done:]])

    def _longest(self, lengths: set[int], folded: str, at: int) -> int:
        """How long the longest name is that stands there; 0 for none."""
        for size in sorted(lengths, reverse=True):
            if folded[at : at + size] in self._others and (
                size > SHORT or _is_word(folded, at, at + size)
            ):
                return size
        return 0


def _is_word(folded: str, begin: int, end: int) -> bool:
    """Whether what stands there stands by itself; or behind an escape, as in C{%22Bob}."""
    if end < len(folded) and folded[end].isalnum():
        return False
    if not begin or not folded[begin - 1].isalnum():
        return True
    return folded[begin - 2 : begin - 1] == "\\" or folded[max(0, begin - 3) : begin - 2] == "%"
