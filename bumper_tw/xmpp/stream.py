"""One XMPP stream: a client gets its address, and what it says goes to the router."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import evolve
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from bumper_tw.core.repeats import again
from bumper_tw.dialect import stanzas
from bumper_tw.dialect.domains import ATOM, robot_jid, user_jid
from bumper_tw.errors import LoginRefused
from bumper_tw.interfaces import IRobotPresence
from bumper_tw.values import Principal, Role
from bumper_tw.wire.xmpp_jid import Jid
from bumper_tw.wire.xmpp_stanzas import Stanza
from bumper_tw.xmpp.login import Login
from bumper_tw.xmpp.requests import bind_request
from bumper_tw.xmpp_interfaces import IXmppBinding, IXmppOutlet

if TYPE_CHECKING:
    from bumper_tw.xmpp.doorstep import Doorstep
    from bumper_tw.xmpp.factory import XmppFactory

#: Seconds after which a client is pinged that never asks for a session (xmpp.md 5.2).
SESSIONLESS = 5.0

#: Seconds in which a ping is answered, and after which somebody is taken for quiet.
ANSWERED, QUIET = 5.0, 1.0

SESSION = (stanzas.NS_SESSION, "session")
BIND = (stanzas.NS_BIND, "bind")


@implementer(IXmppOutlet)
class XmppStream(Login):
    """The half of a stream that is known: it has an address, and is watched over."""

    __slots__ = ("_binding", "_due", "_presence", "_session")

    _log = Logger()
    _binding: "IXmppBinding | None"
    _presence: "IRobotPresence | None"

    def __init__(
        self, factory: "XmppFactory", doorstep: "Doorstep", secure: bool, domain: str
    ) -> None:
        super().__init__(factory, doorstep, secure, domain)
        self._binding = self._presence = None
        self._session, self._due = False, 0.0

    # Being given an address

    def enter(self) -> None:
        self._act = self._bind
        self._wake(self.factory.limits.login, self._too_late)

    def _too_late(self) -> None:
        self._timer = None
        self.close("asked for no address")

    def _bind(self, stanza: Stanza) -> None:
        if stanza.child == BIND and stanza.attributes.get("type") == "set":
            self._be_bound(self._known, stanza)
        elif stanza.namespace == stanzas.NS_TLS:
            self.start_tls(stanza)
        elif not self._robot:
            self.fail("not-authorized", f"sends {stanza.name[:40]!r} before it has an address")

    @property
    def _known(self) -> Principal:
        """Who that is; nothing gets this far without."""
        assert self._who is not None  # noqa: S101 - see above
        return self._who

    def _be_bound(self, who: Principal, stanza: Stanza) -> None:
        stanza_id = stanza.attributes.get("id")
        try:
            wanted = ATOM if self._robot else bind_request(stanza)
        except ValueError as wrong:
            self._log.debug(
                "{peer} asks for no address: {why}", peer=self.doorstep.peer, why=wrong
            )
            self.answer(stanzas.bad_request(stanza_id))
            return
        resource = wanted or who.resource or self.factory.random_hex(8)
        who = self._who = evolve(who, resource=resource)
        jid = robot_jid(who.device) if self._robot else user_jid(who.name, resource)
        try:
            self._take_place(who, jid)
        except LoginRefused as why:
            self._turn_away(why)
        else:
            self._act = self._relay
            self._log_visit(who)
            self.answer(stanzas.bound(stanza_id, jid))
            self._wake(SESSIONLESS, self._tick)

    def _take_place(self, who: Principal, jid: Jid) -> None:
        """
        Be found under an address, and as a robot be reachable.

        @raise LoginRefused: the address changes hands too often, there are too many robots, or
            it has become another's name.
        """
        self._binding = binding = self.factory.router.bind(who, jid, self)
        # Before whoever had the address hears of it: what that one was asked goes on here.
        if who.role is Role.ROBOT:
            self._presence = self.factory.robot_connected(who)
        binding.enter()

    def _log_visit(self, who: Principal) -> None:
        did = who.name if who.role is Role.ROBOT else ""
        self.doorstep.contact.let_in(str(who), did)
        more = self.factory.visits.say(str(who), self.doorstep.host)
        self.doorstep.quiet = more is None
        if more is not None:
            self._log.info(
                "{who} connected from {peer}{more}",
                who=who,
                peer=self.doorstep.peer,
                more=again(more),
            )

    def _turn_away(self, why: LoginRefused) -> None:
        """Two that take each other's place come for ever."""
        more = self.factory.refused.say(f"{self.doorstep.host} {why}", self.doorstep.host)
        self.doorstep.quiet = more is None
        self.fail("resource-constraint", f"{why}{'' if more is None else again(more)}")
        self.doorstep.contact.refused(str(why))

    # Relaying

    def _relay(self, stanza: Stanza) -> None:
        if not self._session and _begins(stanza):
            self._establish(stanza)
        elif stanza.name == "presence" and _leaves(stanza):
            self._hang_up(stanzas.CLOSE)
        elif stanza.namespace == stanzas.NS_TLS:
            self.start_tls(stanza)
        elif self._binding is not None:
            self._binding.route(stanza)

    def _establish(self, stanza: Stanza) -> None:
        """A session means nothing any more (RFC 6121), but from now on a client listens."""
        self.answer(stanzas.result(stanza.attributes.get("id")))
        self._sleep()
        self._tick()

    def _listen(self) -> None:
        """From now on a robot can be asked."""
        if self._presence is not None and not self._session:
            self._presence.listening()
        self._session = True

    def _tick(self) -> None:
        """See whether anybody is there; if so, ask again."""
        self._timer = None
        limits = self.factory.limits
        quiet = self.factory.seconds() - self._heard
        if quiet >= limits.silence:
            self.close(f"silent for {quiet:.0f} s")
        elif self._binding is not None:
            self._listen()
            self._binding.ping()
            rest = min(limits.ping, limits.silence - quiet)
            self._due = self.factory.seconds() + rest
            self._wake(min(ANSWERED, rest), self._doze)

    def _doze(self) -> None:
        """The ping is answered; most say nothing more until the next one."""
        self._timer, now = None, self.factory.seconds()
        if now - self._heard >= QUIET:
            self._reader.rest()
        self._wake(max(0.0, self._due - now), self._tick)

    @property
    def robot(self) -> str:
        """The did of the robot that has its address; empty when there is none."""
        return self._known.name if self._presence is not None and not self._over else ""

    # Ending

    def conflict(self) -> None:
        self._end_with("conflict", "another connection took its place")

    def dismiss(self, gone: Callable[[Principal], bool]) -> None:
        if self._who is not None and gone(self._who):
            self._end_with("not-authorized", "would not be let in any more")

    def farewell(self) -> None:
        """The server stops; robots are only told that it is over (xmpp.md 6.6)."""
        if self._robot:
            self._hang_up(stanzas.CLOSE)
        else:
            self._hang_up(stanzas.stream_error("system-shutdown"))

    def end(self) -> None:
        super().end()
        if self._binding is not None:
            self._binding.close()
        if self._presence is not None:
            self._presence.gone()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002
        if not self._over:
            self.end()
        self._sleep()
        if self._binding is not None and not self.doorstep.quiet:
            self._log.info("{who} disconnected", who=self._who)
        self.forget()


def _begins(stanza: Stanza) -> bool:
    return stanza.child == SESSION and stanza.attributes.get("type") == "set"


def _leaves(stanza: Stanza) -> bool:
    attributes = stanza.attributes
    return attributes.get("type") == "unavailable" and "to" not in attributes
