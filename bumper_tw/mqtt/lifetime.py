"""How long a connection lives: until it is silent for too long, or somebody ends it."""

from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from bumper_tw.core.repeats import again
from bumper_tw.front.contact import Contact, contact_of
from bumper_tw.mqtt.answers import Answers

if TYPE_CHECKING:
    from bumper_tw.mqtt.factory import MqttFactory

#: How many seconds a connection may take to close.
HANG_UP = 1.0


class Lifetime(Answers):
    """
    The half of a connection that watches the time.

    One delayed call is enough: it is not reset with each packet, but looks when the last one
    came, and waits for the rest.

    @ivar host: the address of the other side; empty for a local socket.
    @ivar contact: the record of the connection.
    @ivar quiet: whether the same client was here just now, so that the owner need not hear of it.
    """

    __slots__ = ("_deadline", "_last", "_over", "_patience", "contact", "factory", "host", "quiet")

    _log = Logger()
    factory: "MqttFactory"
    contact: Contact

    def __init__(self, factory: "MqttFactory", host: str) -> None:
        super().__init__(factory.wave)
        self.factory, self.host = factory, host
        self._deadline: IDelayedCall | None = None
        self._patience, self._last = factory.limits.login, 0.0
        self._over = self.quiet = False

    @property
    def peer(self) -> str:
        """The other side, for the log."""
        return self.host or "a local socket"

    @property
    def stranger(self) -> bool:
        """Whether it has not logged in yet."""
        raise NotImplementedError

    def connectionMade(self) -> None:
        super().connectionMade()
        self.contact = contact_of(self.transport)
        self._set_deadline(self._patience)

    def heard(self) -> None:
        """The client has said something."""
        self._last = self.factory.seconds()

    def live_on(self, keep_alive: int) -> None:
        """The client is in: from now on it may be silent for so long, but not longer."""
        self._patience = self._silence(keep_alive)
        self.heard()
        self._set_deadline(self._patience)

    def _silence(self, keep_alive: int) -> float:
        """How long a client may be silent: one and a half keep-alives (MQTT-3.1.2-24)."""
        longest = self.factory.limits.keep_alive
        return min(keep_alive * 1.5, longest) if keep_alive else longest

    def close(self, reason: str) -> None:
        if not self._over:
            self.contact.closing(reason)
            known = None if self.quiet else 0
            self._log_end(reason, self.factory.strange.say(self.host) if self.stranger else known)
            self._hang_up(farewell=False)

    def _log_end(self, reason: str, more: int | None) -> None:
        """
        @param more: how often this was not worth a line; C{None} if it is not now.
        """
        if more is not None:
            self._log.info(
                "closing {peer}: {reason}{more}", peer=self.peer, reason=reason, more=again(more)
            )

    def _hang_up(self, farewell: bool) -> None:
        """Let what is written go out, then end; a peer that is dead already gets no say."""
        self.finish()
        self.end(farewell)
        # Over TLS the other side answers the farewell, which has to be read.
        self.transport.resumeProducing()
        self._set_deadline(HANG_UP)
        self.transport.loseConnection()

    def end(self, farewell: bool) -> None:
        """From now on nothing is heard, said or decided here."""
        raise NotImplementedError

    def _look(self) -> None:
        """
        See whether the client was silent for too long; once over, whether it is gone.

        Before login C{_patience} is for all of it: a byte now and then buys no time.
        """
        self._deadline = None
        if self._over:
            self.transport.abortConnection()
            return
        rest = self._last + self._patience - self.factory.seconds()
        if self.congested:
            rest = self._patience  # It is us who do not listen.
        if self.stranger or rest <= 0:
            self.close(f"silent for {self._patience:g} s")
        else:
            self._set_deadline(rest)

    def _set_deadline(self, seconds: float) -> None:
        self._clear_deadline()
        self._deadline = self.factory.clock.callLater(seconds, self._look)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
