"""
The names by which this box is called as itself, and not in the vendor's place.

A page on the internet can have its name lead here (DNS rebinding): then a browser takes us for
that page, and lets its scripts ask us.  What the browser says then is that name, so nothing of the
owner's is answered under a name that is not ours.
"""

from collections.abc import Iterable, Iterator

from bumper_tw.dialect.domains import ROBOTS
from bumper_tw.pki.zones import in_zone
from bumper_tw.web.call import Call, is_address, parse_authority

#: Where networks at home have their names; nobody can have one of these on the internet: RFC 6762,
#: RFC 8375, ICANN's "internal", and what routers use that is not given to anybody.  Names in
#: C{fritz.box} are not among them: C{box} is given to anybody.
HOME = (
    "local",
    "lan",
    "home",
    "home.arpa",
    "internal",
    "intranet",
    "private",
    "localdomain",
)

AT_HOME = tuple(f".{zone}" for zone in HOME)

#: This box, on this box (RFC 6761, 6.3).
LOCALHOST = "localhost"


def folded(name: str) -> str:
    """A name in its one spelling."""
    return name.strip().lower().rstrip(".")


def is_vendors(name: str) -> bool:
    """Whether it is one of those in whose place we answer."""
    return in_zone(name) or name == ROBOTS or name.endswith(f".{ROBOTS}")


def spelled_out(hostname: str) -> Iterator[str]:
    """A host name as it is, alone, and in every network at home."""
    name = folded(hostname)
    first = name.partition(".")[0]
    yield name
    if first:
        yield first
        yield from (f"{first}.{zone}" for zone in HOME)


class OwnNames:
    """Knows them."""

    def __init__(self, hostname: str, names: Iterable[str] = ()) -> None:
        """
        @param hostname: as the system has it.
        @param names: what the owner says it is called besides; C{*.} may stand before one.
        """
        chosen = {folded(name) for name in names}
        every = {*chosen, *spelled_out(hostname)} - {""}
        # Whatever the settings say: the app must not get pages, nor a page the app's tokens.
        self._names = frozenset(name for name in every if not is_vendors(name))
        self._below = tuple(name[1:] for name in self._names if name.startswith("*."))

    def is_own(self, host: str) -> bool:
        """
        Whether that is this box.

        An address always is: a page that has its name lead here is not called by an address, and
        nobody else can be at ours.
        """
        name = folded(host)
        if is_address(name):
            return True
        if is_vendors(name):
            return False
        own = name in self._names or name == LOCALHOST or name.endswith(f".{LOCALHOST}")
        return own or (bool(self._below) and name.endswith(self._below))

    def believed(self, call: Call) -> bool:
        """
        Whether somebody calls this box as no page on the internet can be called: by a name of its
        own or of the vendor's, by one without a dot, or of a network at home.  What is not a
        browser may leave it out.
        """
        text = call.header("host")
        said = parse_authority(text)
        if said is None:
            return not text
        name = folded(said[0])
        return "." not in name or name.endswith(AT_HOME) or is_vendors(name) or self.is_own(name)

    def called(self, call: Call) -> bool:
        """Whether somebody calls this box so; the port is not looked at."""
        # Not what the call makes of a header that is no name: that is an address.
        said = parse_authority(call.header("host"))
        return said is not None and self.is_own(said[0])
