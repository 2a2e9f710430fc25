"""TLS in memory, so that a test decides which bytes go out when, and sees how it ends."""

import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from http.client import HTTPConnection
from warnings import catch_warnings, simplefilter

from tests.interop.raw_wire import ANSWER_SECONDS, CUT
from tests.interop.server import HOST

#: Read at one time.
AT_ONCE = 65_536

#: How bytes go out.
Post = Callable[[socket.socket, bytes], None]


def at_once(out: socket.socket, said: bytes) -> None:
    """All of them."""
    out.sendall(said)


class Beat:
    """
    Says bytes one by one: the server has read each before the next one goes.

    Between two of them it answers a question on another connection, which it can only do after
    it has read what was there before.
    """

    def __init__(self, port: int) -> None:
        """@param port: where plain HTTP is spoken."""
        self._other = HTTPConnection(HOST, port, timeout=ANSWER_SECONDS)

    def __call__(self, out: socket.socket, said: bytes) -> None:
        for byte in said:
            out.sendall(bytes([byte]))
            self.pause()

    def pause(self) -> None:
        """Wait until the server has read all that was said."""
        self._other.request("GET", "/api/appsvr/service/list?area=de")
        answer = self._other.getresponse()
        assert answer.status == 200, answer.status
        answer.read()

    def close(self) -> None:
        """Drop the other connection."""
        self._other.close()


class Ended(Exception):
    """The connection is over."""


def make_old(context: ssl.SSLContext) -> None:
    """Let a client be one of ten years ago."""
    context.set_ciphers("ALL:@SECLEVEL=0")
    with catch_warnings():
        simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1


class Visit:
    """
    One connection, with or without TLS.

    @ivar port: our own port, by which the server knows us.
    """

    def __init__(self, port: int, post: Post = at_once) -> None:
        self._socket = socket.create_connection((HOST, port), ANSWER_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = int(self._socket.getsockname()[1])
        self._post = post
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        self._waiting = bytearray()

    def begin(
        self, name: str = "", alpn: Sequence[str] = (), ca: str = "", old: bool = False
    ) -> "Visit":
        """
        Begin TLS, without saying anything.

        @param ca: the file of whom we trust; everybody, when there is none.
        @param old: whether we know nothing newer than TLS 1.1.
        """
        context = ssl.create_default_context(cafile=ca or None)
        if not ca:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if alpn:
            context.set_alpn_protocols(alpn)
        if old:
            make_old(context)
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=name or None)
        with suppress(ssl.SSLWantReadError):
            self._tls.do_handshake()
        return self

    def secure(
        self, name: str = "", alpn: Sequence[str] = (), ca: str = "", old: bool = False
    ) -> "Visit":
        """
        TLS, until it is there.

        @raise Ended: the server does not want to.
        @raise ssl.SSLError: we do not want to, and have said so.
        """
        return self.begin(name, alpn, ca, old).finish()

    def finish(self) -> "Visit":
        """Go on with TLS, until it is there; see L{secure}."""
        assert self._tls is not None
        self.flush()
        while not self._done(self._tls.do_handshake):
            self._in.write(self._more())
        return self

    def _done(self, step: Callable[[], object]) -> bool:
        try:
            step()
        except ssl.SSLWantReadError:
            return False
        finally:
            self.flush()
        return True

    @property
    def hello(self) -> bytes:
        """What L{begin} has to say; nothing else says it then."""
        return self._out.read()

    @property
    def protocol(self) -> str | None:
        """What the server has chosen of what we offered."""
        return self._tls.selected_alpn_protocol() if self._tls else None

    def flush(self) -> None:
        """
        Say what TLS has to say.

        @raise Ended: nobody hears it.
        """
        self._say(self._out.read())

    def _say(self, said: bytes) -> None:
        try:
            self._post(self._socket, said)
        except CUT:
            raise Ended from None

    def say(self, said: bytes) -> None:
        """@raise Ended: nobody hears it."""
        if self._tls is None:
            self._say(said)
        else:
            self._tls.write(said)
            self.flush()

    def say_raw(self, said: bytes) -> None:
        """Past TLS, if there is any."""
        self._say(said)

    def hear(self, count: int) -> bytes:
        """
        So many bytes, or fewer at the end; what comes with them is for the next time.

        @raise AssertionError: nothing comes, and the connection does not end.
        """
        heard = self._waiting
        with suppress(Ended):
            while len(heard) < count:
                heard += self._heard()
        said = bytes(heard[:count])
        del heard[:count]
        return said

    def rest(self) -> bytes:
        """All that comes until the end."""
        return self.hear(1 << 24)

    def _heard(self) -> bytes:
        if self._tls is None:
            return self._more()
        try:
            said = self._tls.read(AT_ONCE)
        except ssl.SSLWantReadError:
            self._in.write(self._more())
            return b""
        except ssl.SSLError:
            raise Ended from None
        if not said:
            raise Ended
        return said

    def _more(self) -> bytes:
        try:
            heard = self._socket.recv(AT_ONCE)
        except TimeoutError:
            raise AssertionError("the server says nothing, and does not hang up") from None
        except CUT:
            raise Ended from None
        if not heard:
            raise Ended
        return heard

    def close(self) -> None:
        """Drop the connection."""
        self._socket.close()
