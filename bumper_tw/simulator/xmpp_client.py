"""One XMPP connection of a robot, from the TCP handshake to the last tag (robots.md 7.1)."""

# ruff: noqa: N805 the methods of a zope interface have no self

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import ClassVar, cast

from attrs import define, field, frozen
from twisted.internet.interfaces import (
    IAddress,
    IPushProducer,
    IReactorTime,
    ITCPTransport,
    ITLSTransport,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import Interface

from bumper_tw.simulator import xmpp_words as words
from bumper_tw.simulator.endpoints import Credulous, hurry
from bumper_tw.simulator.identity import Identity
from bumper_tw.simulator.timers import Timers
from bumper_tw.simulator.xmpp_profile import Parser, Wire, XmppFaults, XmppProfile
from bumper_tw.simulator.xmpp_spout import Spout
from bumper_tw.simulator.xmpp_xml import (
    SASL,
    BadStream,
    Closed,
    Element,
    NaiveReader,
    Opened,
    Part,
    Reader,
    StrictReader,
)
from bumper_tw.simulator.xmpp_xml import TLS as TLS_SPACE

READERS: dict[Parser, Callable[[], Reader]] = {
    Parser.STRICT: StrictReader,
    Parser.NAIVE: NaiveReader,
}


class IXmppUser(Interface):
    """Whoever owns a connection and hears what happens on it."""

    def framed(outgoing: bool, raw: bytes) -> None:
        """
        Raw bytes passed, one read or all that was said at once, before TLS and before
        L{Spout} cut or joined it.
        """

    def number() -> int:
        """Give the next stanza id."""

    def opened(client: XmppClient, header: Opened) -> None:
        """The server opened a stream."""

    def established(client: XmppClient, jid: str) -> None:
        """The session stands; C{jid} is what the server bound."""

    def heard(client: XmppClient, stanza: Element) -> None:
        """A stanza arrived behind the bind."""

    def refused(client: XmppClient, condition: str) -> None:
        """The server does not let the robot in; the connection is being closed."""

    def offended(reason: str) -> None:
        """The server broke a rule."""

    def lost(client: XmppClient, farewell: bool) -> None:
        """
        The connection is gone.  Called once, and the last call.

        @param farewell: the server closed its stream before
        """


class Stage(Enum):
    """What a robot waits for."""

    OFFER = auto()
    PROCEED = auto()
    VERDICT = auto()
    WELCOME = auto()
    BOUND = auto()
    SESSION = auto()
    READY = auto()


@frozen
class Habits:
    """
    What a connection must know of its robot.

    @ivar server_name: what to call the server in the TLS handshake
    """

    who: Identity
    profile: XmppProfile
    faults: XmppFaults
    server_name: str = ""


class XmppClient(Protocol):
    """Opens the stream, logs in, and passes stanzas to its user."""

    def __init__(self, clock: IReactorTime, habits: Habits, user: IXmppUser) -> None:
        self._habits, self._user = habits, user
        self._names = words.Names.of(habits.who)
        self._spout = Spout(Timers(clock), habits.faults, self._write)
        self._reader = READERS[habits.profile.parser]()
        self._stage = Stage.OFFER
        self._secure = habits.profile.wire is Wire.TLS and not habits.faults.no_tls
        self._jid = self._bind_id = self._session_id = ""
        self._frozen = self._closing = self._farewell = False

    def connectionMade(self) -> None:
        hurry(self.transport)
        if self._secure and self._habits.faults.bad_tls:
            self.send(words.NO_TLS)
        else:
            self._begin(Stage.OFFER)

    def dataReceived(self, data: bytes) -> None:
        if self._frozen:
            return
        self._user.framed(False, data)
        try:
            self._read(data)
        except BadStream as error:
            self._user.offended(f"bad stream: {error}")
            self.abort()

    def connectionLost(self, _reason: Failure = connectionDone) -> None:
        self._frozen = True
        self._spout.flush()
        self._user.lost(self, self._farewell)

    def send(self, raw: bytes) -> None:
        """Write stanzas; a frozen or closing connection writes nothing."""
        if not self._frozen and not self._closing:
            self._user.framed(True, raw)
            self._spout.send(raw)

    def close(self) -> None:
        """Close the stream; the connection ends when the server has closed its own."""
        self.send(words.CLOSE)
        self._closing = True
        if not self._frozen:
            self._spout.flush()

    def abort(self) -> None:
        """Close without a word; works on a frozen connection too."""
        if self.transport is not None:
            cast(ITCPTransport, self.transport).abortConnection()

    def freeze(self) -> None:
        """Read and write nothing more, keep the TCP connection (robots.md 8, half_open)."""
        self._frozen = True
        self._spout.flush()
        if self.transport is not None:
            cast(IPushProducer, self.transport).pauseProducing()

    def _write(self, raw: bytes) -> None:
        if not self._frozen and self.transport is not None:
            self.transport.write(raw)

    def _read(self, data: bytes) -> None:
        reader = self._reader
        for part in reader.feed(data):
            if self._reader is not reader:
                # xmpp.md 3.1: nothing comes before the robot opens the next stream.
                raise BadStream("bytes of the old stream behind its end")
            self._take(part)

    def _take(self, part: Part) -> None:
        if isinstance(part, Opened):
            self._user.opened(self, part)
        elif isinstance(part, Closed):
            self._ended()
        elif part.name == "error":
            condition = part.first.name if part.first is not None else "none"
            self._user.offended(f"stream error {condition}")
        elif self._stage is Stage.READY:
            self._user.heard(self, part)
        else:
            self._negotiate(part)

    def _ended(self) -> None:
        self._farewell = True
        if not self._closing:
            self.close()
        if self.transport is not None:
            self.transport.loseConnection()

    def _negotiate(self, part: Element) -> None:
        step = self._STEPS.get((self._stage, part.name))
        if step is not None:
            step(self, part)
        elif self._stage is Stage.SESSION:
            # Bound parties may be reached already (xmpp.md 5.2).
            self._user.heard(self, part)
        else:
            self._user.offended(f"{part.name} while waiting for {self._stage.name.lower()}")

    def _begin(self, stage: Stage) -> None:
        self._stage = stage
        self._reader = READERS[self._habits.profile.parser]()
        self.send(words.header(self._names.domain))

    def _offered(self, features: Element) -> None:
        wants = self._habits.profile.wire is Wire.STARTTLS and not self._habits.faults.no_tls
        plain = "PLAIN" in _texts(features, "mechanism")
        if wants and not self._secure and features.child("starttls") is not None:
            self._stage = Stage.PROCEED
            self.send(words.STARTTLS)
        elif plain:
            self._stage = Stage.VERDICT
            self.send(words.auth(self._habits.who))
        elif features.child("starttls") is not None:
            self._refuse("encryption-required")
        else:
            self._refuse("no mechanism")

    def _proceed(self, answer: Element) -> None:
        if answer.namespace != TLS_SPACE:
            self._user.offended(f"proceed in {answer.namespace}")
        if self._habits.faults.bad_tls:
            self.send(words.NO_TLS)
            return
        name = self._habits.server_name if self._habits.profile.sni else ""
        cast(ITLSTransport, self.transport).startTLS(Credulous(name))
        self._secure = True
        self._begin(Stage.OFFER)

    def _welcomed(self, answer: Element) -> None:
        if answer.namespace != SASL:
            self._user.offended(f"success in {answer.namespace}")
        self._begin(Stage.WELCOME)

    def _failed(self, failure: Element) -> None:
        self._refuse(failure.first.name if failure.first is not None else "failure")

    def _refuse(self, condition: str) -> None:
        self._user.refused(self, condition)
        self.close()
        if self.transport is not None:
            self.transport.loseConnection()

    def _bind(self, features: Element) -> None:
        if features.child("bind") is None:
            self._user.offended("no bind in the features")
        number = self._user.number()
        self._stage, self._bind_id = Stage.BOUND, str(number)
        self.send(words.bind(number))

    def _bound(self, answer: Element) -> None:
        if not self._is_answer(answer, self._bind_id):
            return
        self._jid = "".join(_texts(answer, "jid"))
        number = self._user.number()
        self._stage, self._session_id = Stage.SESSION, str(number)
        self.send(words.session(number))

    def _started(self, answer: Element) -> None:
        if answer.get("id") != self._session_id and answer.get("type") in ("get", "set"):
            self._user.heard(self, answer)
        elif self._is_answer(answer, self._session_id):
            self._stage = Stage.READY
            self._user.established(self, self._jid)

    def _is_answer(self, answer: Element, stanza_id: str) -> bool:
        if (answer.get("type"), answer.get("id")) == ("result", stanza_id):
            return True
        self._user.offended(
            f"iq {answer.get('type')} {answer.get('id')}, not a result {stanza_id}"
        )
        if answer.get("type") == "error":
            self._refuse("bind")
        return False

    _STEPS: ClassVar[dict[tuple[Stage, str], Callable[[XmppClient, Element], None]]] = {
        (Stage.OFFER, "features"): _offered,
        (Stage.PROCEED, "proceed"): _proceed,
        (Stage.PROCEED, "failure"): _failed,
        (Stage.VERDICT, "success"): _welcomed,
        (Stage.VERDICT, "failure"): _failed,
        (Stage.WELCOME, "features"): _bind,
        (Stage.BOUND, "iq"): _bound,
        (Stage.SESSION, "iq"): _started,
    }


def _texts(element: Element, name: str) -> list[str]:
    """Collect the texts of all elements of a name below one."""
    found = []
    for child in element.children:
        found += [child.text] if child.name == name else []
        found += _texts(cast(Element, child), name)
    return found


@define(eq=False)
class ClientFactory(Factory):
    """Builds the one protocol an endpoint asks for."""

    build: Callable[[], XmppClient] = field()
    noisy = False

    def buildProtocol(self, _addr: IAddress | None) -> XmppClient:
        return self.build()
