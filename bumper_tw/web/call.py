"""One HTTP request as the routes see it, and what they answer."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import parse_qs, parse_qsl, unquote_to_bytes

from attrs import frozen
from twisted.web.iweb import IRequest

from bumper_tw.dialect.envelopes import parse_json, to_json
from bumper_tw.errors import BadRequest
from bumper_tw.front.contact import Contact, plain_address

T = TypeVar("T")

#: The cookie in which a browser keeps a token.
COOKIE = "bumper_token"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json; charset=utf-8"
#: As many parameters as a query or a form may have.
MAX_FIELDS = 200

#: A host name as DNS allows it, with the underscore that some networks use.
NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
                  r"(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?")  # fmt: skip
#: Host or Host:port, or the same with an IPv6 address in brackets (RFC 9110, 7.2).
AUTHORITY = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[^\[\]:@/]*))(?::(?P<port>\d{1,5}))?"
)

#: How the kinds of a JSON value are called towards whoever sent the wrong one.
KINDS = {
    str: "a text",
    int: "a number",
    dict: "an object",
    list: "an array",
    bool: "true or false",
}


@frozen
class Answer:
    """What goes back."""

    body: bytes
    status: int = 200
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


def json_answer(value: object, status: int = 200) -> Answer:
    """An answer of compact JSON."""
    return Answer(to_json(value), status)


def parse_form(raw: bytes) -> dict[str, Any]:
    """
    The flat fields of a form (http.md 1.4); of a repeated one the first counts.

    @raise ValueError: there are too many.
    """
    pairs = parse_qsl(raw.decode("utf-8", "replace"), True, max_num_fields=MAX_FIELDS)
    return dict(reversed(pairs))


def is_pairs(text: bytes) -> bool:
    """Whether a body of which nobody says what it is looks like a form."""
    return b"=" in text and text[:1] not in {b"{", b"[", b'"'}


def parse_authority(text: str) -> tuple[str, str] | None:
    """
    The host and the port of a Host header.

    @return: C{None} when it is neither a name nor an address: it would end up in links.
    """
    found = AUTHORITY.fullmatch(text)
    if found is None:
        return None
    six, name, port = found["six"], found["name"], found["port"] or ""
    if six is not None:
        return (six, port) if is_address(six) else None
    return (name.rstrip("."), port) if NAME.fullmatch(name) else None


def is_address(text: str) -> bool:
    """Whether C{text} is an IPv4 or IPv6 address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def in_brackets(host: str) -> str:
    """A host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


class Call:
    """
    One request.  Everything is parsed when it is asked for, and once.

    @ivar segments: the named parts of the path.
    @ivar peer: the address of the client.
    @ivar local: the address the connection arrived on.
    """

    def __init__(self, request: IRequest, segments: Mapping[str, str]) -> None:
        self._request = request
        self.segments = segments
        self._query: dict[str, list[str]] | None = None
        self._body: dict[str, Any] | None = None
        self._raw: bytes | None = None
        self._authority: tuple[str, str] | None = None

    @property
    def method(self) -> str:
        """The method, as it was sent."""
        return str(self._request.method, "latin-1")

    @property
    def path(self) -> str:
        """The path, decoded."""
        return unquote_to_bytes(self._request.path).decode("utf-8", "replace")

    @property
    def secure(self) -> bool:
        """Whether it came over TLS."""
        return bool(self._request.isSecure())

    @property
    def peer(self) -> str:
        """The address of the client; empty on a UNIX socket."""
        return plain_address(self._request.getClientAddress())

    @property
    def local(self) -> str:
        """The address the connection arrived on; empty on a UNIX socket."""
        return plain_address(self._request.getHost())

    @property
    def contact(self) -> Contact:
        """The record of the connection, for what the owner should know of it."""
        request: Any = self._request
        contact: Contact = request.channel.contact
        return contact

    @property
    def raw(self) -> bytes:
        """The body as it came."""
        if self._raw is None:
            self._request.content.seek(0)
            self._raw = self._request.content.read()
        return self._raw

    def query(self, name: str, default: str = "") -> str:
        """
        The first value of a query parameter.

        @raise BadRequest: there are more parameters than anybody sends.
        """
        if self._query is None:
            self._query = self._parse_query()
        return self._query.get(name, [default])[0]

    def query_names(self) -> list[str]:
        """
        The names of all query parameters.

        @raise BadRequest: there are more than anybody sends.
        """
        self.query("")
        return list(self._query or ())

    def _parse_query(self) -> dict[str, list[str]]:
        text = self._request.uri.partition(b"?")[2].decode("utf-8", "replace")
        try:
            return parse_qs(text, True, max_num_fields=MAX_FIELDS) if text else {}
        except ValueError as many:
            raise BadRequest("too many query parameters") from many

    def body(self) -> dict[str, Any]:
        """
        The fields of the body: a form if its type says so, JSON whatever else it says
        (http.md 1.4).

        @raise BadRequest: it is neither, or not an object.
        """
        if self._body is None:
            self._body = self._parse_body()
        return self._body

    def _parse_body(self) -> dict[str, Any]:
        try:
            value = parse_form(self.raw) if self._is_form() else parse_json(self.raw)
        except ValueError as wrong:
            raise BadRequest("the body is neither JSON nor a form") from wrong
        if not isinstance(value, dict):
            raise BadRequest("the body is not an object")
        return value

    def _is_form(self) -> bool:
        # curl says "form" whatever it sends, and old robots do not say anything; no form begins
        # like JSON.
        kind = self.header("content-type").partition(";")[0].strip().lower()
        text = self.raw.lstrip()
        return not text.startswith(b"{") if kind == FORM else not kind and is_pairs(text)

    def field(self, name: str, kind: type[T] = str) -> T:  # type: ignore[assignment]  # PEP 696 is for 3.13
        """
        A field of the body that must be there.

        @raise BadRequest: it is not, or of another kind.
        """
        return field(self.body(), name, kind)

    def optional(self, name: str, default: T) -> T:
        """
        A field of the body that may be left out or null, of the kind of its default.

        @raise BadRequest: it is of another kind.
        """
        value = self.body().get(name)
        return default if value is None else checked(value, name, type(default))

    def header(self, name: str) -> str:
        """A request header; empty when it was not sent."""
        value = self._request.getHeader(name.encode("ascii"))
        return "" if value is None else value.decode("utf-8", "replace")

    def cookie(self, name: str) -> str:
        """A cookie; empty when it was not sent."""
        return next(iter(self.cookies(name)), "")

    def cookies(self, name: str) -> list[str]:
        """
        The cookies of that name: a browser may have one of this box, and one of a neighbour whose
        name ends like ours (RFC 6265, 4.2.2).
        """
        pairs = (part.strip().partition("=") for part in self.header("cookie").split(";"))
        return [value for key, _, value in pairs if key == name]

    def bearer(self) -> str:
        """The token it came with, by RFC 6750 or as a browser's cookie; or nothing."""
        scheme, _, token = self.header("authorization").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else self.cookie(COOKIE)

    @property
    def host(self) -> str:
        """
        This box as the client called it: the Host header without its port.  What is no
        name and no address is not repeated; then it is the address it reached us at.
        """
        return self._where()[0]

    @property
    def base_url(self) -> str:
        """Where the client found us, up to the path."""
        host, port = self._where()
        scheme = "https" if self.secure else "http"
        return f"{scheme}://{in_brackets(host)}" + (f":{port}" if port else "")

    def _where(self) -> tuple[str, str]:
        if self._authority is None:
            said = parse_authority(self.header("host"))
            self._authority = said or (self.local, self._local_port())
        return self._authority

    def _local_port(self) -> str:
        port = getattr(self._request.getHost(), "port", None)
        return "" if port in {None, 443 if self.secure else 80} else str(port)


def field(values: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """
    A field that must be there.

    @raise BadRequest: it is not, or of another kind.
    """
    if name not in values:
        raise BadRequest(f"{name} is missing")
    return checked(values[name], name, kind)


def checked(value: object, name: str, kind: type[T]) -> T:
    """
    C{value}, when it is of a kind of JSON value; true and false are not numbers.

    @raise BadRequest: it is another one.
    """
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise BadRequest(f"{name} is not {KINDS.get(kind, kind.__name__)}")
    return value
