"""The first half of a stream: from its header to the answer who that is (xmpp.md 3, 4)."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.core.repeats import again
from bumper_tw.dialect import stanzas
from bumper_tw.dialect.domains import USERS, robot_class
from bumper_tw.dialect.sasl import SaslFailure, plain_credentials
from bumper_tw.errors import LoginRefused, ProtocolViolation, StorageError
from bumper_tw.values import Principal
from bumper_tw.wire.xmpp_reader import REPAIRS, StanzaReader
from bumper_tw.wire.xmpp_stanzas import End, Header, Stanza, StanzaLimits, StreamViolation
from bumper_tw.xmpp.lifetime import Lifetime
from bumper_tw.xmpp.requests import text_of

if TYPE_CHECKING:
    from bumper_tw.xmpp.doorstep import Doorstep
    from bumper_tw.xmpp.factory import XmppFactory

#: What somebody who is not logged in may send at a time (xmpp.md 3, 9).
BEFORE_LOGIN = StanzaLimits(size=8192)

#: What he may send in all; three tries with the longest token there can be have half of it.
EARLY = 32_768

#: How often somebody may try to log in on one connection (xmpp.md 4).
TRIES = 3

#: How many stanzas of a robot that nobody can read are dropped in a minute before it is given
#: up (xmpp.md 3, 12).  As much as a reader puts right at once it may also put right in a minute.
DROPS, A_MINUTE = 3, 60.0

Result = Header | Stanza | End


class Login(Lifetime):
    """
    The half of a stream that finds out who is there.

    While that is being decided, nothing more of what a client says is looked at.
    """

    __slots__ = (
        "_act", "_domain", "_drops", "_early", "_reader", "_repaired", "_robot", "_secure",
        "_tries", "_verdict", "_who",
    )  # fmt: skip

    _log = Logger()

    def __init__(
        self, factory: "XmppFactory", doorstep: "Doorstep", secure: bool, domain: str
    ) -> None:
        """
        @param secure: whether it is inside of TLS.
        @param domain: whom the client talked to in clear text; empty if it did not.
        """
        super().__init__(factory, doorstep)
        self._secure, self._domain, self._robot = secure, domain, False
        # Only the header tells whether somebody has to be read with patience.
        self._reader = StanzaReader(BEFORE_LOGIN, lenient=True)
        self._act: Callable[[Stanza], None] = self._log_in
        self._tries = 0
        self._drops: tuple[int, float] = (0, self._heard)
        self._repaired = self._heard
        self._who: Principal | None = None
        self._verdict: Deferred[Principal] | None = None
        self._early = 0

    @property
    def undecided(self) -> bool:
        return self._verdict is not None

    def enter(self) -> None:
        """Somebody is in, and wants an address."""
        raise NotImplementedError

    # Reading

    def dataReceived(self, data: bytes) -> None:
        now = self._heard = self.factory.seconds()
        if now - self._repaired >= A_MINUTE:
            self._repaired, self._reader.repairs = now, REPAIRS
        wave = self.factory.wave
        wave.rise()
        try:
            self._read(data)
        finally:
            wave.fall()

    def _read(self, data: bytes) -> None:
        results = self._reader.feed(data)
        if self._verdict is None:
            self._act_on(results)
        # Otherwise it waits in the reader.
        if self._who is None:
            self._early += len(data)
            if self._early > EARLY:
                self.fail("policy-violation", "said too much before it was let in")

    def _act_on(self, results: Iterator[Result]) -> None:
        try:
            for result in results:
                if result.__class__ is Stanza:
                    self._act(result)
                else:
                    ACTIONS[result.__class__](self, result)
                if self._verdict is not None:
                    self.transport.pauseProducing()
                    return
        except StreamViolation as wrong:
            self.fail(wrong.condition, str(wrong))
        except ProtocolViolation as wrong:
            self.fail("policy-violation", str(wrong))
        if self._reader.dropped:
            self._count_drops()

    def _go_on(self) -> None:
        """It is decided who that is: on with what waits."""
        if self._flowing:
            self.transport.resumeProducing()
        self._act_on(self._reader.feed(b""))

    def _count_drops(self) -> None:
        """A robot has sent what nobody can read, even with patience."""
        dropped, self._reader.dropped = self._reader.dropped, 0
        count, since = self._drops
        now = self.factory.seconds()
        if now - since > A_MINUTE:
            count, since = 0, now
        self._drops = count + dropped, since
        self.factory.counts["unreadable"] += dropped
        more = self.factory.strange.say(f"{self.doorstep.host} unreadable", self.doorstep.host)
        if more is not None:
            self._log.info(
                "{peer} sent a stanza that cannot be read{more}",
                peer=self.doorstep.peer,
                more=again(more),
            )
        if count + dropped >= DROPS:
            self.fail("not-well-formed", f"sent {DROPS} stanzas that cannot be read")

    # The stream

    def begin(self, header: Header) -> None:
        """A stream begins, or begins anew after login."""
        self._open()
        domain = (header.attributes.get("to") or USERS).lower()
        self._robot = robot_class(domain) is not None
        self._reader.lenient = self._robot
        if not self._robot and domain != USERS:
            self.fail("host-unknown", f"asks for {domain[:80]!r}, which is not here")
        elif self._domain not in {"", domain}:
            self.fail("host-unknown", f"asks for {domain[:80]!r}, and began otherwise")
        elif not self._robot and header.namespace != stanzas.NS_CLIENT:
            self.fail("invalid-namespace", f"speaks {header.namespace[:80]!r}")
        else:
            self._domain = domain
            self.answer(stanzas.features(*self._offers()))

    def _offers(self) -> tuple[bytes, ...]:
        if self._who is not None:
            return stanzas.BIND, stanzas.SESSION
        if self._secure:
            return (stanzas.PLAIN,)
        # Formally odd, but what robots have been connecting to for years (xmpp.md 3.1).
        return (stanzas.STARTTLS,) if self._needs_tls() else (stanzas.STARTTLS, stanzas.PLAIN)

    def _needs_tls(self) -> bool:
        limits = self.factory.limits
        return not self._secure and (limits.tls_robots if self._robot else limits.tls_users)

    def over(self, _: End) -> None:
        """The client is done."""
        self._hang_up(stanzas.CLOSE)

    # Logging in

    def _log_in(self, stanza: Stanza) -> None:
        step = LOGIN.get((stanza.namespace, stanza.name))
        if step is not None:
            step(self, stanza)
        elif not self._robot:
            self.fail("not-authorized", f"sends {stanza.name[:40]!r} before it is logged in")

    def start_tls(self, _: Stanza) -> None:
        """Everything begins anew, encrypted; what is here already must not be heard there."""
        if self._secure or self._who is not None:
            self.doorstep.log_end("wants TLS when it is too late")
            self._hang_up(stanzas.TLS_FAILURE)
        else:
            self.write(stanzas.PROCEED)
            self.doorstep.encrypt(self._domain)

    def authenticate(self, stanza: Stanza) -> None:
        """Somebody says who he is, or that he is about to."""
        if self._needs_tls():
            self._deny("encryption-required", "logs in without TLS")
        elif stanza.attributes.get("mechanism") != "PLAIN":
            self._deny("invalid-mechanism", "logs in by another mechanism than PLAIN")
        elif text_of(stanza):
            self.respond(stanza)
        else:
            self.answer(stanzas.CHALLENGE)

    def respond(self, stanza: Stanza) -> None:
        """Ask who that is; until we know, nothing else it says is looked at."""
        if self._needs_tls():
            self._deny("encryption-required", "logs in without TLS")
            return
        try:
            credentials = plain_credentials(text_of(stanza), self._domain, self.doorstep.host)
        except SaslFailure as wrong:
            self._deny(wrong.condition, str(wrong))
            return
        self.doorstep.contact.claims_to_be(f"{credentials.name} at {self._domain}")
        verdict = self._verdict = self.factory.authenticator.login(credentials)
        verdict.addCallback(self._welcome)
        verdict.addErrback(self._refuse, credentials.name)
        verdict.addErrback(_expect_cancelled)
        verdict.addErrback(self._broke)

    def abort(self, _: Stanza) -> None:
        """Somebody would rather not log in."""
        self._deny("aborted", "gave up logging in")

    def _welcome(self, who: Principal) -> None:
        self._verdict = None
        if self._over:
            return
        self._who, self._opened = who, False
        self.doorstep.known()
        self.answer(stanzas.SUCCESS)
        self._reader.limits = self.factory.limits.stanza
        self._reader.restart()
        self.enter()
        self._go_on()

    def _refuse(self, failure: Failure, name: str) -> None:
        full = failure.trap(LoginRefused, StorageError) is StorageError
        self._verdict = None
        other = "temporary-auth-failure" if full else "not-authorized"
        condition = getattr(failure.value, "condition", other)
        self._deny(condition, f"{name[:80]!r} refused: {failure.value}")
        self._go_on()

    def _broke(self, failure: Failure) -> None:
        """While deciding something broke, so the answer is no."""
        self._verdict = None
        self._log.failure("login from {peer} broke", failure, peer=self.doorstep.peer)
        self._deny("temporary-auth-failure", "login broke")
        self._go_on()

    def _deny(self, condition: str, why: str) -> None:
        """Say no; somebody may try again, but not for ever."""
        if self._over:
            return
        self.factory.counts["logins refused"] += 1
        self.doorstep.contact.refused(why)
        more = self.factory.refused.say(f"{self.doorstep.host} {why}", self.doorstep.host)
        if more is not None:
            self._log.info(
                "{peer} is not let in: {why}{more}",
                peer=self.doorstep.peer,
                why=why,
                more=again(more),
            )
        self._tries += 1
        self.answer(stanzas.sasl_failure(condition))
        if self._tries >= TRIES:
            self._hang_up(stanzas.CLOSE)

    def end(self) -> None:
        super().end()
        self._reader.close()
        verdict, self._verdict = self._verdict, None
        if verdict is not None:
            verdict.cancel()

    def leave(self) -> None:
        super().leave()
        self.forget()

    def forget(self) -> None:
        """
        The connection is lost: let go of oneself, or the memory is free only when the garbage
        collector comes.
        """
        self._act = _nothing


def _nothing(_: Stanza) -> None:
    """Nobody is there any more."""


def _expect_cancelled(failure: Failure) -> None:
    failure.trap(CancelledError)


#: What to do about what is not a stanza.
ACTIONS: dict[type, Callable[[Login, Any], None]] = {
    Header: Login.begin,
    End: Login.over,
}

#: The steps of logging in.
LOGIN: dict[tuple[str, str], Callable[[Login, Stanza], None]] = {
    (stanzas.NS_TLS, "starttls"): Login.start_tls,
    (stanzas.NS_SASL, "auth"): Login.authenticate,
    (stanzas.NS_SASL, "response"): Login.respond,
    (stanzas.NS_SASL, "abort"): Login.abort,
}
