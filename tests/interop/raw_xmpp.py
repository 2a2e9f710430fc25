"""
XMPP as bytes on a socket, written without a look at our own reader.

What it writes may be as wrong as a test wants it.
"""

import base64
import ssl
from collections import deque
from xml.etree.ElementTree import Element
from xml.parsers import expat

from attrs import frozen

from tests.interop.raw_wire import Closed, RawWire

USERS = "ecouser.net"
STREAMS = "http://etherx.jabber.org/streams"
CLIENT = "jabber:client"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
TLS = "urn:ietf:params:xml:ns:xmpp-tls"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"
SESSION = "urn:ietf:params:xml:ns:xmpp-session"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
CONDITIONS = "urn:ietf:params:xml:ns:xmpp-streams"
CTL = "com:ctl"

PING = "<ping xmlns='urn:xmpp:ping'/>"
STARTTLS = f"<starttls xmlns='{TLS}'/>".encode()
END = b"</stream:stream>"


def header(to: str) -> bytes:
    """The beginning of a stream, as robots write it."""
    return (
        f"<stream:stream xmlns:stream='{STREAMS}' xmlns='{CLIENT}' to='{to}' version='1.0'>"
    ).encode()


def plain(name: str, password: str, authzid: str = "") -> bytes:
    """SASL PLAIN."""
    said = base64.b64encode(f"{authzid}\0{name}\0{password}".encode()).decode()
    return auth(said)


def auth(said: str, mechanism: str = "PLAIN") -> bytes:
    """Any login."""
    return f"<auth xmlns='{SASL}' mechanism='{mechanism}'>{said}</auth>".encode()


def iq(kind: str, stanza_id: str, inner: str, to: str = "", sender: str = "") -> bytes:
    """An C{iq}, with the attributes in the order robots write them."""
    to, sender = to and f"to='{to}' ", sender and f"from='{sender}' "
    return f"<iq {sender}{to}type='{kind}' id='{stanza_id}'>{inner}</iq>".encode()


def query(inner: str) -> str:
    """The child of an C{iq} that goes to a robot, or comes from one."""
    return f"<query xmlns='{CTL}'>{inner}</query>"


@frozen
class Robot:
    """Who a robot says it is."""

    sn: str = "E0009876500123450001"
    model: str = "126"
    secret: str = "k7Qp2xZ9"

    @property
    def domain(self) -> str:
        """Where it belongs."""
        return f"{self.model}.ecorobot.net"

    @property
    def jid(self) -> str:
        """Its full address."""
        return f"{self.sn}@{self.domain}/atom"

    def login(self) -> bytes:
        """What it is known by."""
        return plain(self.sn, self.secret)


@frozen
class User:
    """Who an app says it is."""

    uid: str
    resource: str = "GLBa91f03c2d"
    token: str = "a word"
    domain: str = USERS

    @property
    def jid(self) -> str:
        """Its full address."""
        return f"{self.uid}@{self.domain}/{self.resource}"

    def login(self) -> bytes:
        """What it is known by."""
        return plain(self.uid, f"0/{self.resource}/{self.token}")


class Stream:
    """
    What the server says, from one header to the next.

    @ivar header: the attributes of its header, once that has come.
    @ivar children: whole elements that were not looked at yet.
    @ivar ended: whether the closing tag has come.
    """

    def __init__(self) -> None:
        self.header: dict[str, str] | None = None
        self.children: deque[Element] = deque()
        self.ended = False
        self._open: list[Element] = []
        self._parser = expat.ParserCreate("UTF-8", "}")
        # Newer parsers put off what looks unfinished.
        self._unfinished = b""
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text

    def feed(self, data: bytes) -> None:
        """Read on."""
        said, mark, self._unfinished = (self._unfinished + data).rpartition(b">")
        self._parser.Parse(said + mark, False)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self.header is None:
            assert name == f"{STREAMS}}}stream", name
            self.header = attributes
            return
        made = Element(f"{{{name}" if "}" in name else name, attributes)
        if self._open:
            self._open[-1].append(made)
        self._open.append(made)

    def _end(self, _name: str) -> None:
        if not self._open:
            self.ended = True
            return
        done = self._open.pop()
        if not self._open:
            self.children.append(done)

    def _text(self, said: str) -> None:
        if not self._open:
            return
        parent = self._open[-1]
        if len(parent):
            parent[-1].tail = (parent[-1].tail or "") + said
        else:
            parent.text = (parent.text or "") + said


def trusting() -> ssl.SSLContext:
    """The TLS of robots and old apps, which believe everybody."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Wire(RawWire[Element]):
    """
    One connection.

    @ivar stream: what comes on it.
    @ivar raw: the same as bytes, since the last (re)start.
    """

    def __init__(self, port: int, tls: bool = False) -> None:
        super().__init__(port)
        self.stream, self.raw = Stream(), bytearray()
        if tls:
            self.secure()

    def secure(self) -> None:
        """
        From here on TLS.

        @raise Closed: the server does not want to.
        """
        try:
            self._socket = trusting().wrap_socket(self._socket)
        except OSError:  # ssl.SSLError is one.
            raise Closed from None

    def open(self, to: str) -> Element:
        """
        Begin a stream, or begin it anew.

        @return: the features.
        """
        self.stream, self.raw = Stream(), bytearray()
        self.say(header(to))
        return self.expect(STREAMS, "features")

    def hear(self) -> Element:
        """
        The next element.

        @raise Closed: there is none.
        """
        while not self.stream.children:
            if self.stream.ended:
                raise Closed
            self._more()
        return self.stream.children.popleft()

    def expect(self, namespace: str, name: str) -> Element:
        """The next element, which has to be this one."""
        found = self.hear()
        assert found.tag == f"{{{namespace}}}{name}", shown(found)
        return found

    def gone(self) -> None:
        """Wait until the connection itself has ended."""
        try:
            while True:
                self._more()
        except Closed:
            return

    def patience(self, seconds: float) -> None:
        """Wait no longer than this, for answers and for being read: L{TimeoutError}."""
        self._socket.settimeout(seconds)

    def _take(self, data: bytes) -> None:
        self.raw += data
        self.stream.feed(data)


def shown(element: Element) -> str:
    """An element for the eyes of who has to find out why a test failed."""
    inside = "".join(map(shown, element))
    return f"<{element.tag} {element.attrib}>{element.text or ''}{inside}</>"


def condition(element: Element) -> str:
    """What was wrong, as a SASL failure, a stream error, or an C{iq} that is an error names it."""
    inner = element.find(f"{{{CLIENT}}}error")
    found = element if inner is None else inner
    return found[0].tag.partition("}")[2]


class Party(Wire):
    """
    Somebody who is let in; what the server wants to know of everybody is answered on the way.

    @ivar who: as whom.
    """

    who: Robot | User

    def enter(self, who: Robot | User, starttls: bool = False) -> "Party":
        """
        All there is to do before the first stanza.

        @raise Closed: we are not let in.
        """
        self.who = who
        if starttls:
            self.open(who.domain)
            self.say(STARTTLS)
            self.expect(TLS, "proceed")
            self.secure()
        self.open(who.domain)
        self.say(who.login())
        self.expect(SASL, "success")
        self.open(who.domain)
        self.bind()
        return self

    def bind(self) -> None:
        """Take the address, and begin the session."""
        resource = who.resource if isinstance(who := self.who, User) else "atom"
        asked = f"<bind xmlns='{BIND}'><resource>{resource}</resource></bind>"
        self.say(iq("set", "2521", asked))
        bound = self.hear().findtext(f"{{{BIND}}}bind/{{{BIND}}}jid")
        assert bound == who.jid, bound
        self.say(iq("set", "2522", f"<session xmlns='{SESSION}'/>"))
        begun = self.hear()
        assert (begun.get("type"), begun.get("id")) == ("result", "2522"), shown(begun)

    def hear(self) -> Element:
        """The next stanza that is not the server's own affair."""
        while own_affair(heard := super().hear()):
            if heard.get("type") == "get":
                self.say(f"<iq type='result' to='{USERS}' id='{heard.get('id')}'/>".encode())
        return heard

    def meanwhile(self) -> list[Element]:
        """All that comes until the server answers a ping: what was not sent to us is not in it."""
        self.say(iq("get", "meanwhile", PING, USERS))
        return list(iter(self._before_the_pong, None))

    def _before_the_pong(self) -> Element | None:
        heard = self.hear()
        return None if heard.get("id") == "meanwhile" else heard


def own_affair(heard: Element) -> bool:
    """Whether the server wants to know something for itself."""
    asked = heard.get("from") == USERS and heard.get("type") in {"get", "set"}
    return asked or heard.tag == f"{{{CLIENT}}}presence"


def robot(port: int, who: Robot | None = None, tls: bool = False) -> Party:
    """A robot that is let in."""
    return Party(port, tls).enter(who or Robot())


def user(port: int, who: User, tls: bool = False) -> Party:
    """A user who is let in, over STARTTLS, or over TLS at once."""
    return Party(port, tls).enter(who, starttls=not tls)
