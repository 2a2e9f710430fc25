"""
Three connections that are held open, one for each protocol: a program of its own.

    python -m tests.interop.held_open HOST HTTP-PORT MQTT-PORT XMPP-PORT

It says C{opened} when there was an answer on each, and C{answered} for each line of its input,
when there was one more on each: on the same connection, or it ends with an error.
"""

import socket
import sys
from collections.abc import Iterator

from bumper_tw.simulator.identity import Kind, Profile, identities, login
from bumper_tw.simulator.mqtt import connect
from tests.interop.raw_xmpp import STARTTLS, header

#: Seconds for one answer.
PATIENCE = 15.0

REQUEST = b"GET /discover HTTP/1.1\r\nHost: localhost\r\n\r\n"
PING, PONG = b"\xc0\x00", b"\xd0\x00"


class Talk:
    """
    One connection.

    @ivar questions: what is said on it, and what the answer to that has to hold; the last one is
        asked again and again.
    """

    def __init__(self, host: str, port: int, *questions: tuple[bytes, bytes]) -> None:
        self._socket = socket.create_connection((host, port), PATIENCE)
        self._questions = list(questions)

    def ask(self) -> None:
        """
        Say the next thing, and wait for its answer.

        @raise ConnectionError: the connection has ended.
        """
        said, wanted = self._questions[0]
        del self._questions[: len(self._questions) > 1]
        self._socket.sendall(said)
        heard = b""
        while wanted not in heard:
            more = self._socket.recv(65536)
            if not more:
                raise ConnectionError(f"ended after {heard!r}, not {wanted!r}")
            heard += more


def talks(host: str, http: int, mqtt: int, xmpp: int) -> Iterator[Talk]:
    """All three."""
    [who] = identities(1, Kind.JSON)
    yield Talk(host, http, (REQUEST, b"bumper_tw"))
    yield Talk(host, mqtt, (connect(login(who, Profile())), b"\x20\x02\x00\x00"), (PING, PONG))
    # A stream goes on for as long as this: what is said in it only counts when it is whole.
    features = (header("126.ecorobot.net"), b"features>")
    yield Talk(host, xmpp, features, (STARTTLS, b"<proceed"))


def main(host: str, *ports: str) -> None:
    """Begin, and go on for as long as somebody asks for it."""
    held = list(talks(host, *map(int, ports)))
    for talk in held:
        talk.ask()
    sys.stdout.write("opened\n")
    for _ in sys.stdin:
        for talk in held:
            talk.ask()
        sys.stdout.write("answered\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
