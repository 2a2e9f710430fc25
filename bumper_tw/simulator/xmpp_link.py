"""Keeps an XMPP robot connected: lookup, login, own pings and back-off (robots.md 7.1)."""

# ruff: noqa: N805 the methods of a zope interface have no self

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, evolve, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.interfaces import IProtocolFactory
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from bumper_tw.simulator import xmpp_words as words
from bumper_tw.simulator.attachment import GIVE_UP, UNREACHABLE, Attachment, IAttached
from bumper_tw.simulator.endpoints import Credulous
from bumper_tw.simulator.xmpp_client import ClientFactory, Habits, IXmppUser, XmppClient
from bumper_tw.simulator.xmpp_lookup import Dial, Lookup, NotFound
from bumper_tw.simulator.xmpp_profile import Wire
from bumper_tw.simulator.xmpp_xml import Element, Opened

BACK_OFF = (5, 10, 30, 60)
"""Seconds before the next attempt; the last one repeats (robots.md 7.1, 8)."""

LOOK_AGAIN = (10, 20, 30, 40, 50, 60)
"""The same after a lookup that failed (robots.md 3.1)."""

FIRST_ID = 2521
PING_EVERY = 60
PONG_WITHIN = 30
PINGS_LOST = 3


class LoginRefused(Exception):
    """The server does not let the robot in; the text is the condition it gives."""


class IXmppLinkUser(IAttached):
    """Whoever lives on an XMPP link."""

    def link_opened(header: Opened) -> None:
        """The server opened a stream; there are two or three on the way to a session."""

    def link_up(jid: str) -> None:
        """The session stands."""

    def link_heard(stanza: Element) -> None:
        """A stanza arrived that is no answer to a ping of the link."""


@implementer(IXmppUser)
@define(eq=False)
class XmppLink(Attachment[XmppClient, IXmppLinkUser]):
    """
    Keeps one robot connected over XMPP.

    Its start succeeds when the session stands, and fails with L{LoginRefused}, after which the
    link goes on trying.

    @ivar farewell: the server closed its stream before the last connection ended
    """

    _dial: Dial
    _lookup: Lookup
    _habits: Habits
    farewell: bool = field(default=False, init=False)
    _names: words.Names = field(init=False)
    _next_id: int = field(default=FIRST_ID, init=False)
    _asked: str = field(default="", init=False)
    _unanswered: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        Attachment.__attrs_post_init__(self)
        self._names = words.Names.of(self._habits.who)

    def send(self, raw: bytes) -> None:
        """Write stanzas, or drop them while there is no session."""
        if self._client is not None and self._up:
            self._client.send(raw)

    def number(self) -> int:
        """Give the next stanza id."""
        number, self._next_id = self._next_id, self._next_id + 1
        return number

    def opened(self, client: XmppClient, header: Opened) -> None:
        if client is self._client:
            self._user.link_opened(header)

    def established(self, client: XmppClient, jid: str) -> None:
        if client is not self._client:
            return
        self._timers.drop("login")
        self._up, self._unanswered = True, 0
        self._timers.every(PING_EVERY, self._ping, "ping")
        self._user.link_up(jid)
        self._settle()

    def heard(self, client: XmppClient, stanza: Element) -> None:
        if client is not self._client:
            return
        answered = stanza.get("type") in ("result", "error")
        if answered and self._asked and stanza.get("id") == self._asked:
            self._answered(stanza)
            return
        if answered and "@" not in stanza.get("from"):
            self._judge(stanza)
        self._user.link_heard(stanza)

    def refused(self, client: XmppClient, condition: str) -> None:
        self.violations.add(f"login refused: {condition}")
        if client is self._client:
            self._end_start(LoginRefused(condition))

    def lost(self, client: XmppClient, farewell: bool) -> None:
        if self._is_present(client):
            self.farewell = farewell
            self._after_loss(BACK_OFF)

    def _connect(self) -> None:
        attempt = self._attempt = Deferred.fromCoroutine(self._reach())
        if attempt.called:
            self._attempt = None

    async def _reach(self) -> None:
        waits: Sequence[int] = LOOK_AGAIN if self._lookup.asks else BACK_OFF
        try:
            host, port = await self._lookup.find()
            waits = BACK_OFF
            await self._dial(host, port).connect(self._factory(host))
        except (*UNREACHABLE, NotFound, TookTooLong, CancelledError):
            if self._running:
                self._retry(waits)
        finally:
            self._attempt = None

    def _factory(self, host: str) -> IProtocolFactory:
        factory = ClientFactory(lambda: self._build(host))
        faults = self._habits.faults
        if self._habits.profile.wire is not Wire.TLS or faults.no_tls or faults.bad_tls:
            return factory
        creator = Credulous(host if self._habits.profile.sni else "")
        return TLSMemoryBIOFactory(creator, True, factory, self._clock)

    def _build(self, host: str) -> XmppClient:
        habits = evolve(self._habits, server_name=host)
        client = self._client = XmppClient(self._clock, habits, self)
        self._timers.after(GIVE_UP, client.abort, "login")
        return client

    def _ping(self) -> None:
        number = self.number()
        self._asked = str(number)
        self._timers.after(PONG_WITHIN, self._missed, "pong")
        self.send(words.ping(self._names, number))

    def _answered(self, stanza: Element) -> None:
        self._timers.drop("pong")
        self._asked, self._unanswered = "", 0
        if (stanza.get("type"), stanza.get("from")) != ("result", self._names.domain):
            self.violations.add(f"ping answered by {stanza.get('type')} of {stanza.get('from')}")

    def _judge(self, answer: Element) -> None:
        number = answer.get("id")
        asked = number.isdigit() and FIRST_ID <= int(number) < self._next_id
        if not asked or answer.get("type") == "error":
            self.violations.add(f"{answer.get('type')} {number} nobody asked for")

    def _missed(self) -> None:
        self.violations.add(f"no answer to the ping within {PONG_WITHIN} s")
        self._asked = ""
        self._unanswered += 1
        if self._unanswered >= PINGS_LOST and self._client is not None:
            self._client.abort()

    def _forget(self) -> None:
        for name in ("login", "ping", "pong"):
            self._timers.drop(name)
        self._asked = ""
