"""The vendor's zones, as we answer for them."""

import struct
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, ip_address

from twisted.names import dns

from bumper_tw.dns.packets import AUTHORITATIVE, HEADER, POINTER, Question, record, reply

#: Seconds for which our answers hold: also those that there is nothing.  After an owner has
#: given the box another address, robots have to find it soon.
LIFE = 60

#: As many addresses of one kind are told at the most.
MOST = 4

#: Serial, refresh, retry, expiry, and for how long "nothing" holds (RFC 2308, 4).  There is no
#: second server that would look at the first four.
TIMES = struct.pack("!IIIII", 1, 3600, 600, 86_400, LIFE)

Labels = tuple[bytes, ...]


class Authority:
    """Knows which names are ours, and which addresses they have."""

    def __init__(self, zones: Iterable[str], told: Callable[[str], Sequence[str]]) -> None:
        """
        @param zones: in lower case.
        @param told: the addresses to tell somebody who asked at an address of ours.
        """
        self._zones = frozenset(tuple(zone.encode("ascii").split(b".")) for zone in zones)
        self._lengths = sorted({len(zone) for zone in self._zones})
        self._told = told

    def zone_of(self, labels: Labels) -> Labels | None:
        """The zone of ours in which a name lies, if it does."""
        ends = (labels[-length:] for length in self._lengths)
        return next((end for end in ends if end in self._zones), None)

    def answer(self, question: Question, local: str) -> bytes | None:
        """
        What we say to a question.

        A name of the vendor has our addresses and nothing else: whatever else it asked for,
        such as mail, or services that may be had elsewhere (RFC 9460), is not there.

        @param local: at which address of ours it came in.
        @return: C{None} when the name is not ours.
        """
        zone = self.zone_of(question.labels)
        if zone is None:
            return None
        bodies = self._bodies(question.kind, local)
        records = tuple(record(HEADER.size, question.kind, LIFE, body) for body in bodies)
        nothing = () if records else (_start_of(question.labels, zone),)
        return reply(question, AUTHORITATIVE, records, nothing)

    def _bodies(self, kind: int, local: str) -> list[bytes]:
        if kind not in {dns.A, dns.AAAA}:
            return []
        ours = [ip_address(address) for address in self._told(local)]
        fit = [a.packed for a in ours if isinstance(a, IPv4Address) == (kind == dns.A)]
        return fit[:MOST]


def _start_of(labels: Labels, zone: Labels) -> bytes:
    """The SOA record of a zone, its names pointing into the question (RFC 1035, 4.1.4)."""
    before = labels[: len(labels) - len(zone)]
    at = HEADER.size + sum(1 + len(label) for label in before)
    here = struct.pack("!H", POINTER << 8 | at)
    return record(at, dns.SOA, LIFE, b"\x02ns" + here + b"\x0ahostmaster" + here + TIMES)
