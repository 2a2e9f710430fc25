"""A tiny HTTP client in memory: bytes in, answers out."""

import json
from collections.abc import Iterable
from typing import Any

from attrs import field, frozen
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.python.failure import Failure
from twisted.web.server import Site

LOCAL = IPv4Address("TCP", "192.168.7.2", 8007)
PEER = IPv4Address("TCP", "192.168.7.33", 50123)


@frozen
class Page:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as the value it says."""
        return json.loads(self.body)


def request(
    method: str,
    path: str,
    body: bytes = b"",
    headers: Iterable[tuple[str, str]] = (),
    host: str = "box.lan:8007",
) -> bytes:
    """One HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def take(data: bytes, bodiless: bool) -> tuple[Page, bytes]:
    """The first answer in C{data}, and the rest."""
    head, _, rest = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    size = 0 if bodiless else int(headers.get("content-length", "0"))
    return Page(int(status.split(" ")[1]), headers, rest[:size]), rest[size:]


def pages(data: bytes, bodiless: bool = False) -> list[Page]:
    """Every answer in C{data}."""
    found = []
    while data:
        page, data = take(data, bodiless)
        found.append(page)
    return found


@frozen
class Connection:
    """One connection to a site, from either end."""

    protocol: IProtocol
    transport: StringTransportWithDisconnection

    def send(self, data: bytes, piece: int = 0) -> None:
        """Bytes from the client, whole or in pieces of a size."""
        size = piece or len(data) or 1
        for start in range(0, len(data), size):
            self.protocol.dataReceived(data[start : start + size])

    def received(self, bodiless: bool = False) -> list[Page]:
        """What the client has got since it asked last."""
        data = self.transport.value()
        self.transport.clear()
        return pages(data, bodiless)

    def hang_up(self) -> None:
        """The client goes away."""
        self.protocol.connectionLost(Failure(ConnectionDone()))


@frozen
class Browser:
    """Asks a site, one connection per question."""

    site: Site
    clock: Clock = field(factory=Clock)
    peer: IPv4Address = PEER

    def connect(self) -> Connection:
        """A new connection."""
        protocol = self.site.buildProtocol(self.peer)
        transport = StringTransportWithDisconnection(LOCAL, self.peer)
        transport.protocol = protocol
        protocol.makeConnection(transport)
        return Connection(protocol, transport)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Iterable[tuple[str, str]] = (),
        host: str = "box.lan:8007",
        piece: int = 0,
    ) -> Page:
        """The answer to one request; the connection is closed behind it."""
        connection = self.connect()
        connection.send(request(method, path, body, headers, host), piece)
        [page] = connection.received(method == "HEAD")
        connection.hang_up()
        return page

    def get(self, path: str, **options: Any) -> Page:
        """The answer to a GET."""
        return self.ask("GET", path, **options)

    def post(self, path: str, value: Any, **options: Any) -> Page:
        """The answer to a POST of JSON."""
        headers = (("Content-Type", "application/json"),)
        return self.ask("POST", path, json.dumps(value).encode(), headers, **options)
