"""The parties that are bound over XMPP, and what becomes of what they send (xmpp.md 8)."""

from collections.abc import Iterable, Sequence

from attrs import evolve

from bumper_tw.core.allowance import Allowance
from bumper_tw.core.xmpp_binding import Binding
from bumper_tw.core.xmpp_questions import Ping, Questions
from bumper_tw.core.xmpp_services import (
    Kind,
    Place,
    alerted,
    ctl_id,
    is_control,
    namespace,
    tells_device_info,
)
from bumper_tw.core.xmpp_switchboard import Switchboard
from bumper_tw.dialect import stanzas
from bumper_tw.dialect.domains import ATOM
from bumper_tw.values import Principal
from bumper_tw.wire.xmpp_jid import Jid, Key
from bumper_tw.wire.xmpp_stanzas import Stanza
from bumper_tw.xmpp_interfaces import IXmppOutlet

#: As many copies of what one robot says go to others at once, and again within so many seconds.
#: A robot that draws its map makes ten a second for each session that looks on.
COPIES, A_WHILE = 1000, 2.0

#: For how long what a robot tells the administrator in whose name we spoke is for us.
SPOKEN_FOR = 60.0

#: As many administrators of one robot are remembered.
ADMINISTRATORS = 16

#: The ids of our requests in somebody else's name, as they are in the stanzas.
ADOPTION = frozenset(each.encode() for each in stanzas.ADOPTION)


class UserBinding(Binding):
    """
    One session of a user.

    @ivar questions: what it has asked robots.
    """

    __slots__ = ("questions",)

    def __init__(self, board: Switchboard, who: Principal, jid: Jid, outlet: IXmppOutlet) -> None:
        super().__init__(board, who, jid, outlet)
        self.questions = Questions(board.watch, board.limits.questions, self._unanswered)

    def rival(self) -> Binding | None:
        return self._board.users.get(self.key, {}).get(self.jid.resource)

    def take_place(self) -> Iterable[Binding]:
        sessions = self._board.users.setdefault(self.key, {})
        before = sessions.pop(self.jid.resource, None)
        sessions[self.jid.resource] = self
        if before is not None:
            return (before,)
        # Apps leave sessions behind; the oldest is the likeliest to be dead.
        return list(sessions.values())[: -self._board.limits.sessions]

    def leave(self) -> None:
        self.questions.forget()
        sessions = self._board.users.get(self.key, {})
        if sessions.get(self.jid.resource) is self:
            del sessions[self.jid.resource]
            if not sessions:
                del self._board.users[self.key]

    def request(self, stanza: Stanza, to: Place) -> None:
        if to.kind is Kind.ROBOT:
            self._command(stanza, to)
        elif to.kind is Kind.USER and to.key == self.key and namespace(stanza) == stanzas.NS_PING:
            self._ping_oneself(stanza, to)
        elif to.kind is Kind.RELATIONS and _is_relation(stanza):
            stanza_id = stanza.attributes.get("id")
            self.outlet.answer(stanzas.relation_result(stanza_id, to.text or "", self.address))
        else:
            self.refuse(stanza, to)

    def _command(self, stanza: Stanza, to: Place) -> None:
        board, stanza_id = self._board, stanza.attributes.get("id")
        robot, name = board.robot(to), to.text or ""
        if not board.permits(self.who, robot.who.name if robot else to.local):
            board.counts["requests denied"] += 1
            self.outlet.answer(stanzas.forbidden(stanza_id, name, self.address))
        elif robot is None:
            board.counts["robot not there"] += 1
            self.outlet.answer(stanzas.offline(stanza_id, name, self.address))
        elif robot.hear(stanza.addressed(self.address)):
            self._remember(stanza, robot.key, name)
        else:
            self.outlet.answer(stanzas.resource_constraint(stanza_id, name, self.address))

    def _remember(self, stanza: Stanza, robot: Key, name: str) -> None:
        self._board.counts["relayed"] += 1
        mark = (stanza.attributes.get("id", ""), robot)
        if namespace(stanza) == stanzas.NS_PING:
            self.questions.ping(mark, name)
        else:
            self.questions.ask(mark)

    def _unanswered(self, ping: Ping) -> None:
        """A robot that is here does not answer a ping."""
        self.hear(stanzas.remote_server_timeout(ping.mark[0], ping.to, self.address))

    def _ping_oneself(self, stanza: Stanza, to: Place) -> None:
        """Between sessions of one user; for all of them together the server answers."""
        session = self._board.users[self.key].get(to.resource)
        if session is not None:
            session.hear(stanza.addressed(self.address))
        elif to.resource:
            self.refuse(stanza, to)
        else:
            stanza_id = stanza.attributes.get("id")
            self.outlet.answer(stanzas.result(stanza_id, to.text, self.address))

    def response(self, stanza: Stanza, to: Place) -> None:
        receiver: Binding | None = None
        if to.kind is Kind.ROBOT:
            receiver = self._board.robot(to)
            if receiver and not self._board.permits(self.who, receiver.who.name):
                receiver = None
        elif to.kind is Kind.USER and to.key == self.key:
            receiver = self._board.users[self.key].get(to.resource)
        if receiver is not None:
            receiver.hear(stanza.addressed(self.address))


class RobotBinding(Binding):
    """
    A robot.

    @ivar device: its address for the rest of the program.
    """

    __slots__ = ("_allowance", "_arrived", "_spoken_for", "device")

    def __init__(self, board: Switchboard, who: Principal, jid: Jid, outlet: IXmppOutlet) -> None:
        # Whatever it asked for (xmpp.md 5.1).
        jid = evolve(jid, resource=ATOM)
        super().__init__(board, who, jid, outlet)
        self.device, self._arrived = evolve(who.device, resource=ATOM), False
        self._spoken_for: dict[Key, float] = {}
        self._allowance = Allowance(board.clock, COPIES, A_WHILE)

    def rival(self) -> Binding | None:
        return self._board.robots.get(self.key)

    def take_place(self) -> Iterable[Binding]:
        before = self.rival()
        self._board.robots[self.key] = self
        return () if before is None else (before,)

    def leave(self) -> None:
        if self._board.robots.get(self.key) is self:
            del self._board.robots[self.key]

    def arrived(self) -> None:
        if not self._arrived:
            self._arrived = True
            self.outlet.answer(stanzas.device_info_request(self.address))
            self._board.present(self.device)

    def spoken_for(self, administrator: Key) -> None:
        """We speak in the name of its administrator, who shall not hear the answers."""
        if len(self._spoken_for) >= ADMINISTRATORS:
            del self._spoken_for[next(iter(self._spoken_for))]
        self._spoken_for[administrator] = self._board.clock.seconds() + SPOKEN_FOR

    def _is_for_us(self, stanza: Stanza, to: Place) -> bool:
        until = self._spoken_for.get(to.key)
        if until is None or until < self._board.clock.seconds():
            return False
        return ctl_id(stanza.raw) in ADOPTION

    def request(self, stanza: Stanza, to: Place) -> None:
        if namespace(stanza) == stanzas.NS_SF or is_control(stanza):
            self._board.said(self.device, stanza)
        if self._spoken_for and self._is_for_us(stanza, to):
            return
        if to.kind is Kind.USER:
            self._tell(stanza, to)
        elif to.kind is not Kind.OURSELVES and not self._told_us(stanza, to):
            self.refuse(stanza, to)

    def _told_us(self, stanza: Stanza, to: Place) -> bool:
        """Whether it is something for one of the services (rows 5 to 7 of xmpp.md 8.2)."""
        if stanza.attributes["type"] != "set":
            return False
        if to.kind is Kind.RELATIONS and _is_relation(stanza):
            self._alert(stanza, to)
        elif to.kind is Kind.EVENTS:
            self._pass_on(stanza, self._board.everybody())
        elif to.kind is Kind.NOWHERE and is_control(stanza):
            # What answers the server is for nobody else.
            if ctl_id(stanza.raw) is None and not tells_device_info(stanza):
                self._pass_on(stanza, self._board.everybody())
        else:
            return to.kind is Kind.SERVER and is_control(stanza)
        return True

    def _alert(self, stanza: Stanza, to: Place) -> None:
        stanza_id = stanza.attributes.get("id")
        self.outlet.answer(stanzas.result(stanza_id, to.text, self.address))
        user = alerted(stanza)
        if user.kind is Kind.USER:
            self._pass_on(stanza, list(self._board.users.get(user.key, {}).values()))

    def _tell(self, stanza: Stanza, to: Place) -> None:
        """Something for a user (xmpp.md 8.3)."""
        sessions = self._board.users.get(to.key)
        if sessions is None:
            return
        session = sessions.get(to.resource)
        if session is not None:
            self._give(session, stanza.addressed(self.address))
        if stanza.attributes["type"] == "get":
            # One answer is enough.
            others = [] if to.resource else list(sessions.values())[-1:]
        elif session is None:
            others = list(sessions.values())
        else:
            others = self._others(stanza, session, sessions)
        self._pass_on(stanza, others)

    def _others(
        self, stanza: Stanza, session: UserBinding, sessions: dict[str, UserBinding]
    ) -> list[UserBinding]:
        """Who else hears what one session is told: an answer nobody."""
        if len(sessions) == 1 or not self._board.limits.fanout or ctl_id(stanza.raw) is not None:
            return []
        return [other for other in sessions.values() if other is not session]

    def answered(self, stanza: Stanza) -> None:
        if stanza.attributes["type"] == "error" or is_control(stanza):
            self._board.said(self.device, stanza)

    def response(self, stanza: Stanza, to: Place) -> None:
        sessions = self._board.users.get(to.key) if to.kind is Kind.USER else None
        if sessions is None:
            return
        mark = (stanza.attributes.get("id", ""), self.key)
        session = sessions.get(to.resource)
        if session is not None:
            if session.questions.answered(mark):
                self._give(session, stanza.addressed(self.address))
        else:
            self._to_asker(stanza, mark, sessions.values())

    def _to_asker(
        self, stanza: Stanza, mark: tuple[str, Key], sessions: Iterable[UserBinding]
    ) -> None:
        for session in sessions:
            if mark in session.questions:
                if session.questions.answered(mark):
                    self._give(session, stanza.addressed(self.address, session.address))
                return

    def _may_tell(self, number: int) -> bool:
        """Whether so many may hear it; the last copies may be more than there is left."""
        if number and self._allowance.left <= 0:
            self._board.flooded(self.address, number)
            return False
        self._allowance.take(number)
        return True

    def _pass_on(self, stanza: Stanza, sessions: Sequence[UserBinding]) -> None:
        if not self._may_tell(len(sessions)):
            return
        addresses = [session.address for session in sessions]
        copies = stanza.copies(self.address, addresses) if addresses else ()
        for session, copy in zip(sessions, copies, strict=True):
            self._give(session, copy)

    def _give(self, session: UserBinding, stanza: bytes) -> None:
        if self._board.permits(session.who, self.who.name) and session.hear(stanza):
            self._board.counts["relayed"] += 1


def _is_relation(stanza: Stanza) -> bool:
    return namespace(stanza) == stanzas.NS_SF and stanza.attributes["type"] == "set"
