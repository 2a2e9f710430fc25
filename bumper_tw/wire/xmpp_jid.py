"""Addresses of XMPP (RFC 7622, in the simplified form of xmpp.md 2)."""

from functools import lru_cache

from attrs import frozen

#: The longest part there can be, in bytes (RFC 7622, 3.2 to 3.4); ours are counted in characters.
MAX_PART = 1023

#: What no local part contains (RFC 7622, 3.3.1), and nothing of an address should.
UNFIT = frozenset("\"&'/:<>@ ")

#: Characters of an address that is worth remembering; nobody needs more.
USUAL = 200

#: Two addresses with the same key belong to the same party: local part and domain, folded.
Key = tuple[str, str]


@frozen
class Jid:
    """
    One address; compared as it is spelt.

    @ivar local: empty for a server.
    @ivar resource: empty in a bare address.
    """

    local: str
    domain: str
    resource: str = ""

    @property
    def key(self) -> Key:
        """Whose address it is: case does not matter (xmpp.md 2)."""
        return self.local.casefold(), self.domain.casefold()

    @property
    def bare(self) -> "Jid":
        """Without the resource."""
        return Jid(self.local, self.domain) if self.resource else self

    def __str__(self) -> str:
        address = f"{self.local}@{self.domain}" if self.local else self.domain
        return f"{address}/{self.resource}" if self.resource else address


def parse_jid(text: str) -> Jid:
    """
    Read an address.

    @raise ValueError: it is none.
    """
    return _known(text) if len(text) <= USUAL else _parse(text)


def _parse(text: str) -> Jid:
    address, slash, resource = text.partition("/")
    local, at, domain = address.rpartition("@")
    if (at and not local) or (slash and not resource) or not domain:
        raise ValueError("an address has an empty part")
    if not (_fits(local) and _fits(domain) and _is_resource(resource)):
        raise ValueError("an address has a part that is unfit")
    return Jid(local, domain, resource)


#: The same addresses come again and again.
_known = lru_cache(maxsize=4096)(_parse)


def _fits(part: str) -> bool:
    return len(part) <= MAX_PART and part.isprintable() and not UNFIT & set(part)


def _is_resource(part: str) -> bool:
    return len(part) <= MAX_PART and (part.isprintable() or not part)
