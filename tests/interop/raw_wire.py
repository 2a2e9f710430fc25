"""What raw connections have in common, whatever is said on them."""

import socket
import ssl
from collections.abc import Iterator
from typing import Generic, TypeVar

from tests.interop.server import HOST

#: Seconds for one answer.
ANSWER_SECONDS = 30.0

#: How a connection ends that the other side does not end in good order.
CUT = (BrokenPipeError, ConnectionResetError, ssl.SSLError)

T = TypeVar("T")


class Closed(Exception):
    """The server has ended the connection, or the server has ended."""


class RawWire(Generic[T]):
    """
    One connection, on which C{T} is heard; making it raises L{Closed} where there is no room.
    """

    def __init__(self, port: int) -> None:
        try:
            self._socket = socket.create_connection((HOST, port), ANSWER_SECONDS)
        except ConnectionResetError:
            raise Closed from None
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def say(self, *written: bytes) -> None:
        """
        Send bytes.

        @raise Closed: nobody takes them.
        """
        try:
            self._socket.sendall(b"".join(written))
        except CUT:
            raise Closed from None

    def crumble(self, said: bytes) -> None:
        """
        Say something in the smallest pieces.

        @raise Closed: nobody takes them.
        """
        for byte in said:
            self.say(bytes([byte]))

    def drip(self, said: bytes, seconds: float) -> bool:
        """
        The same slowly.

        @param seconds: between two bytes.
        @return: whether it could be said to its end.
        """
        for byte in said:
            try:
                self.say(bytes([byte]))
            except Closed:
                return False
            if self.wait(seconds):
                return False
        return True

    def hear(self) -> T:
        """
        The next that comes.

        @raise Closed: there is nothing.
        """
        raise NotImplementedError

    def rest(self) -> Iterator[T]:
        """All that comes until the connection ends."""
        try:
            while True:
                yield self.hear()
        except Closed:
            return

    def wait(self, seconds: float) -> bool:
        """Whether the connection has ended; otherwise wait a little for that."""
        self._socket.settimeout(seconds)
        try:
            self._more()
        except TimeoutError:
            return False
        except Closed:
            return True
        finally:
            self._socket.settimeout(ANSWER_SECONDS)
        return False

    def close(self) -> None:
        """Drop the connection."""
        self._socket.close()

    def _more(self) -> None:
        try:
            data = self._socket.recv(65536)
        except CUT:
            raise Closed from None
        if not data:
            raise Closed
        self._take(data)

    def _take(self, data: bytes) -> None:
        """Bytes have come."""
        raise NotImplementedError
