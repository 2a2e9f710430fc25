"""Who gets which answer."""

from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv6Address, ip_address, ip_network

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.names import dns
from twisted.python.failure import Failure

from bumper_tw.core.repeats import Repeats, again
from bumper_tw.dns.authority import Authority
from bumper_tw.dns.forwarder import Forwarder, NobodyToAsk
from bumper_tw.dns.packets import (
    OPCODE,
    RESPONSE,
    TRUNCATED,
    Question,
    Unreadable,
    read_header,
    read_question,
    refusal,
    reply,
)
from bumper_tw.dns.wires import NoAnswer, code_of
from bumper_tw.pki.bounds import PRIVATE

#: Who may ask: this box and the networks at home.
HOME = tuple(map(ip_network, PRIVATE))

#: Whole zones, which nobody gets (RFC 5936, 1995).
TRANSFERS = {dns.IXFR, dns.AXFR}

#: Takes the answer, now or later, or never.
Tell = Callable[[bytes], None]

#: Is told of a question: who asks, and at which address of ours.
Asked = Callable[[str, str], None]


def unheard(_: str, __: str) -> None:
    """Nobody wants to know."""


def at_home(host: str) -> bool:
    """Whether an address belongs to a private network."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return any((mapped or address) in network for network in HOME)


class Responder:
    """
    Answers messages.

    Nothing that anybody sends makes it raise.  Answers of our own are at most five times as long
    as the question, those of others over UDP no longer than the asker has room for, and what a
    stranger gets is no longer than what he sent.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        authority: Authority,
        forwarder: Forwarder,
        asked: Asked = unheard,
    ) -> None:
        """
        @param asked: is told of each question for one of our names.
        """
        self._authority, self._forwarder, self._asked = authority, forwarder, asked
        self._said = Repeats(clock)

    def heard(self, data: bytes, peer: str, local: str, whole: bool, tell: Tell) -> None:
        """
        A message came.

        @param peer: the address it came from.
        @param local: the address of ours it came to.
        @param whole: whether there is room for any answer, as over TCP.
        @param tell: is called once, or not at all if there is nothing to say.
        """
        # What is no question gets no answer: it could be answered again, and so on for ever.
        with suppress(Unreadable):
            self._heard(data, peer, local, whole, tell)

    def _heard(self, data: bytes, peer: str, local: str, whole: bool, tell: Tell) -> None:
        _, flags = read_header(data)
        if flags & RESPONSE:
            return
        if flags & OPCODE:
            tell(refusal(data, dns.ENOTIMP))
            return
        try:
            question = read_question(data)
        except Unreadable:
            tell(refusal(data, dns.EFORMAT))
            return
        code = self._objection(question, peer, local)
        if code is not None:
            tell(reply(question, code=code))
            return
        ours = self._authority.answer(question, local)
        if ours is not None:
            self._asked(peer, local)
            tell(ours)
            return
        self._forward(question, peer, whole, tell)

    def _objection(self, question: Question, peer: str, local: str) -> int | None:
        """Why there is no answer to a question that can be read."""
        # What comes from our own address comes from this box, whatever address that is.
        if not at_home(peer) and peer != local:
            self._stranger(peer)
            return dns.EREFUSED
        if question.version:
            return dns.EBADVERSION
        if question.category != dns.IN or question.kind in TRANSFERS:
            return dns.EREFUSED
        return None

    def _stranger(self, peer: str) -> None:
        more = self._said.say(peer, peer)
        if more is not None:
            text = "DNS question of {peer} refused, which is in no private network{more}"
            self._log.warn(text, peer=peer, more=again(more))

    def _forward(self, question: Question, peer: str, whole: bool, tell: Tell) -> None:
        def answered(answer: bytes) -> None:
            fits = whole or len(answer) <= question.room
            tell(answer if fits else cut(question, answer))

        def failed(failure: Failure) -> None:
            failure.trap(NoAnswer)
            nobody = failure.check(NobodyToAsk) is not None
            tell(reply(question, code=dns.EREFUSED if nobody else dns.ESERVER))

        answer = self._forwarder.ask(question, peer).addCallbacks(answered, failed)
        answer.addErrback(lambda why: self._log.failure("a DNS answer broke", why))


def cut(question: Question, answer: bytes) -> bytes:
    """What is said instead of an answer that is too long for UDP: ask again over TCP."""
    return reply(question, TRUNCATED, code=code_of(answer))
