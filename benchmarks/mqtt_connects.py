"""MQTT clients that come and go, as fast as a broker lets them."""

import ssl

from benchmarks.errands import Errand, Visitor, Visits
from benchmarks.mqtt_frames import CONNACK, hello
from benchmarks.mqtt_load import Refused
from benchmarks.server import HOST

#: Clients at once, so that the broker need not wait for one of them.
CALLERS = 8

DISCONNECT = b"\xe0\x00"


class Resuming(Visitor):
    """A client that brings its TLS session back."""

    def secured(self, connection: ssl.SSLSocket) -> None:
        """@raise Refused: the session of the last time is not continued."""
        if self.session is not None and not connection.session_reused:
            raise Refused("it resumes no TLS sessions")

    def answered(self, connection: ssl.SSLSocket) -> None:
        """With TLS 1.3 the session comes no earlier than this."""
        self.session = connection.session


class Calls(Visits):
    """Logins, one after the other."""

    def __init__(self, port: int, context: ssl.SSLContext | None, resumed: bool) -> None:
        """
        Begin.

        @param resumed: whether a TLS session is brought back.
        @raise Refused: the broker does not let us in.
        """
        hellos = [hello(f"caller{number}") for number in range(CALLERS)]
        self.kind = Resuming if resumed else Visitor
        super().__init__(port, Errand(hellos, CONNACK, DISCONNECT), context, HOST)
