"""Messages as the codec of Twisted makes and reads them, and servers that say what they shall."""

import struct
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Any

from twisted.internet.defer import Deferred
from twisted.names import dns

from bumper_tw.dns.packets import Question, read_question
from bumper_tw.dns.wires import NoAnswer, Server

#: What a question and its answer have in common.
NUMBER = 4711


def opt(room: int = 1232, version: int = 0, signed: bool = False) -> bytes:
    """EDNS."""
    return b"\0" + struct.pack("!HHBBHH", 41, room, 0, version, 0x8000 if signed else 0, 0)


def query(
    name: str = "portal-eu.ecouser.net",
    kind: int = dns.A,
    number: int = NUMBER,
    edns: bytes = b"",
    category: int = dns.IN,
) -> bytes:
    """A question."""
    message = dns.Message(number, recDes=1)
    message.addQuery(name.encode(), kind, category)
    data = bytes(message.toStr())
    return data[:11] + b"\1" + data[12:] + edns if edns else data


def asked(name: str = "example.org", kind: int = dns.A, number: int = NUMBER) -> Question:
    """The same, read."""
    return read_question(query(name, kind, number))


def answer(
    question: Question,
    *records: dns.RRHeader,
    number: int = NUMBER,
    code: int = dns.OK,
    authority: Sequence[dns.RRHeader] = (),
    cut: bool = False,
) -> bytes:
    """What another server says to a question."""
    message = dns.Message(number, answer=1, recDes=1, recAv=1, rCode=code, trunc=cut, maxSize=0)
    message.addQuery(question.name.encode(), question.kind, question.category)
    message.answers, message.authority = list(records), list(authority)
    return bytes(message.toStr())


def a(name: str, address: str = "192.0.2.80", life: int = 300) -> dns.RRHeader:
    """An address record."""
    return dns.RRHeader(name.encode(), dns.A, ttl=life, payload=dns.Record_A(address, life))


def txt(name: str, size: int, life: int = 300) -> dns.RRHeader:
    """A long record."""
    payload = dns.Record_TXT(*([b"x" * 200] * (size // 200)), ttl=life)
    return dns.RRHeader(name.encode(), dns.TXT, ttl=life, payload=payload)


def soa(zone: str, life: int, minimum: int) -> dns.RRHeader:
    """What says for how long "nothing" holds."""
    payload = dns.Record_SOA(zone.encode(), b"root.example", 1, 2, 3, 4, minimum, ttl=life)
    return dns.RRHeader(zone.encode(), dns.SOA, ttl=life, payload=payload)


def read(data: bytes) -> Any:
    """A message, read by somebody else's codec."""
    message = dns.Message()
    message.fromStr(data)
    return message


def addresses(data: bytes) -> list[str]:
    """The addresses in an answer."""
    found = [r.payload for r in read(data).answers if r.type in {dns.A, dns.AAAA}]
    return [str(ip_address(payload.address)) for payload in found]


class FakeWires:
    """
    Other servers.

    @ivar says: what each one does with a question; one that is missing stays silent.
    @ivar asked: who was asked what, and how.
    @ivar waiting: questions without an answer.
    """

    def __init__(self) -> None:
        self.says: dict[str, Callable[[Question, bool], bytes | NoAnswer]] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.waiting: list[tuple[str, Question, Deferred[bytes]]] = []

    def over_udp(self, server: Server, question: Question, seconds: float) -> Deferred[bytes]:
        return self._ask(server, question, False)

    def over_tcp(self, server: Server, question: Question, seconds: float) -> Deferred[bytes]:
        return self._ask(server, question, True)

    def _ask(self, server: Server, question: Question, whole: bool) -> Deferred[bytes]:
        host = server[0]
        self.asked.append((host, question.name, "tcp" if whole else "udp"))
        answer: Deferred[bytes] = Deferred()
        if host not in self.says:
            self.waiting.append((host, question, answer))
            return answer
        said = self.says[host](question, whole)
        if isinstance(said, bytes):
            answer.callback(said)
        else:
            answer.errback(said)
        return answer

    def hosts(self) -> list[str]:
        """Who was asked, in order."""
        return [host for host, _, _ in self.asked]
