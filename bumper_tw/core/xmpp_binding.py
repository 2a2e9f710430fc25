"""One party that is bound over XMPP: what robots and sessions of users have in common."""

from collections.abc import Iterable, Sequence

from zope.interface import implementer

from bumper_tw.core.xmpp_services import (
    SERVED,
    Kind,
    Place,
    answer,
    of_the_stream,
    place,
)
from bumper_tw.core.xmpp_switchboard import Switchboard
from bumper_tw.dialect import stanzas
from bumper_tw.values import Principal
from bumper_tw.wire.xmpp_jid import Jid
from bumper_tw.wire.xmpp_stanzas import Stanza
from bumper_tw.xmpp_interfaces import IXmppBinding, IXmppOutlet

#: What must be answered, and what answers.
REQUESTS, RESPONSES = frozenset({"get", "set"}), frozenset({"result", "error"})

#: What the ids of our pings begin with (xmpp.md 7).
PING = "s2c"


@implementer(IXmppBinding)
class Binding:
    """
    Somebody who is here, under one address.

    @ivar address: its full address, as text.
    @ivar bound: whether anything is still delivered.
    @ivar takeovers: when the address changed hands lately, in seconds of the clock.
    """

    __slots__ = (
        "_board", "_pings", "address", "bound", "jid", "key", "outlet", "takeovers", "who",
    )  # fmt: skip

    def __init__(self, board: Switchboard, who: Principal, jid: Jid, outlet: IXmppOutlet) -> None:
        self._board, self.who, self.jid, self.outlet = board, who, jid, outlet
        self.key, self.address = jid.key, str(jid)
        self.bound, self._pings = True, 0
        self.takeovers: Sequence[float] = ()

    def hear(self, stanza: bytes) -> bool:
        """Bring it something from somebody else; whether it is taken."""
        unread, waiting = self._board.unread, self.outlet.backlog()
        if waiting:
            most = self._board.limits.backlog
            if waiting > most or not unread.has_room(self, waiting):
                self._board.overrun(self.address)
                return False
        elif unread:
            unread.forget(self)
        self.outlet.write(stanza)
        return True

    def ping(self) -> None:
        self._pings += 1
        self.hear(stanzas.ping(f"{PING}{self._pings}", self.address))

    def _answers_us(self, stanza: Stanza, to: Place) -> bool:
        """Whether it is for the server, which nobody waits for: it came, and that will do."""
        if to.kind in SERVED:
            return True
        if to.key != self.key:
            return False
        # Some clients put their own address there; the number may be late.
        prefix, _, number = stanza.attributes.get("id", "").partition(PING)
        ours = not prefix and number.isdecimal() and len(number) < 10
        return ours and int(number) <= self._pings

    def route(self, stanza: Stanza) -> None:
        if not self.bound:
            return
        self._board.counts["received"] += 1
        claimed = stanza.attributes.get("from")
        if claimed and claimed != self.address and place(claimed).key != self.key:
            self._board.spoofed(self.address, claimed)
        to = place(stanza.attributes.get("to"))
        if stanza.namespace != stanzas.NS_CLIENT:
            self._board.counts["not understood"] += 1
        elif stanza.name == "iq":
            self._query(stanza, to)
        elif stanza.name == "presence":
            self._presence(stanza, to)

    def _query(self, stanza: Stanza, to: Place) -> None:
        kind = stanza.attributes.get("type")
        if kind in REQUESTS:
            own = of_the_stream(stanza)
            if own is None:
                self.request(stanza, to)
            else:
                self.outlet.answer(own)
        elif kind in RESPONSES:
            self.answered(stanza)
            if not self._answers_us(stanza, to):
                self.response(stanza, to)
        else:
            self._board.counts["not understood"] += 1

    def request(self, stanza: Stanza, to: Place) -> None:
        """It asks somebody something, and waits for an answer."""
        raise NotImplementedError

    def answered(self, stanza: Stanza) -> None:
        """It answers somebody, perhaps us."""

    def response(self, stanza: Stanza, to: Place) -> None:
        """It answers somebody else; that is never answered in turn."""
        raise NotImplementedError

    def _presence(self, stanza: Stanza, to: Place) -> None:
        # Some apps say type='available', which is none (xmpp.md 5.3).
        here = stanza.attributes.get("type", "available") == "available"
        if here and to.kind in {Kind.NOWHERE, Kind.SERVER}:
            self.outlet.answer(stanzas.dummy_presence(self.address))
            self.arrived()

    def arrived(self) -> None:
        """It has said that it is there."""

    def refuse(self, stanza: Stanza, to: Place) -> None:
        """The server answers a request by itself."""
        self.outlet.answer(answer(stanza, to, self.address))

    def close(self) -> None:
        if self.bound:
            self.bound = False
            self._board.unread.forget(self)
            self.leave()

    def rival(self) -> "Binding | None":
        """Who has its address now."""
        raise NotImplementedError

    def take_place(self) -> Iterable["Binding"]:
        """
        Be found from now on.

        @return: those who have to leave for that.
        """
        raise NotImplementedError

    def enter(self) -> None:
        for before in self.take_place():
            # Its place is taken already, so its end takes nothing away.
            before.close()
            before.outlet.conflict()

    def leave(self) -> None:
        """Be found by nobody any more."""
        raise NotImplementedError
