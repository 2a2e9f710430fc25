"""Everything an XMPP robot says, as bytes (xmpp.md 4-7 and 13)."""

from __future__ import annotations

import base64

from attrs import frozen

from bumper_tw.simulator.identity import Identity
from bumper_tw.simulator.xml_text import write
from bumper_tw.simulator.xmpp_xml import (
    BIND,
    CLIENT,
    CONTROL,
    PING,
    SASL,
    SERVICE,
    SESSION,
    STREAMS,
)
from bumper_tw.simulator.xmpp_xml import TLS as TLS_SPACE

SERVER = "ecouser.net"
LOGS = "rl.ecorobot.net"
CLOSE = b"</stream:stream>"
PRESENCE = b"<presence><status>hello world</status></presence>"
STARTTLS = f"<starttls xmlns='{TLS_SPACE}'/>".encode()
NO_TLS = b"\x16\x03\x01 this is no TLS\r\n"


@frozen
class Names:
    """The addresses of one robot."""

    bare: str
    full: str
    domain: str

    @classmethod
    def of(cls, who: Identity) -> Names:
        """Derive them (xmpp.md 2)."""
        domain = f"{who.cls}.ecorobot.net"
        bare = f"{who.sn}@{domain}"
        return cls(bare, f"{bare}/{who.resource}", domain)


def header(domain: str) -> bytes:
    """Open a stream."""
    return (
        f"<stream:stream xmlns:stream='{STREAMS}' xmlns='{CLIENT}' to='{domain}' version='1.0'>"
    ).encode()


def auth(who: Identity) -> bytes:
    """Log in with SASL PLAIN (xmpp.md 4)."""
    plain = base64.b64encode(f"\0{who.sn}\0{who.secret}".encode()).decode()
    return write("auth", {"xmlns": SASL, "mechanism": "PLAIN"}, plain).encode()


def bind(number: int) -> bytes:
    """Ask for the resource all robots have."""
    resource = write("resource", {}, "atom")
    return _set(number, write("bind", {"xmlns": BIND}, resource))


def session(number: int) -> bytes:
    """Ask for a session."""
    return _set(number, write("session", {"xmlns": SESSION}))


def ping(names: Names, number: int) -> bytes:
    """Ask the server whether it is alive (xmpp.md 7)."""
    asked = {"to": names.domain, "from": names.full, "type": "get", "id": number}
    return write("iq", asked, write("ping", {"xmlns": PING})).encode()


def pong(names: Names, stanza_id: str) -> bytes:
    """Answer the server's ping."""
    attributes = {"type": "result", "from": names.full, "to": SERVER, "id": stanza_id}
    return write("iq", dict(attributes)).encode()


def result(to: str, stanza_id: str, inside: bytes = b"") -> bytes:
    """
    Acknowledge a stanza.

    @param inside: what goes between the tags, written already
    """
    head = write("iq", {"type": "result", "to": to, "id": stanza_id}).encode()
    return head[:-2] + b">" + inside + b"</iq>" if inside else head


def control(to: str, number: int, ctl: bytes) -> bytes:
    """Send a C{ctl} element in a stanza of its own."""
    head = write("iq", {"to": to, "type": "set", "id": number}).encode()
    return head[:-2] + b">" + query(ctl) + b"</iq>"


def query(ctl: bytes) -> bytes:
    """Wrap a C{ctl} element."""
    return f"<query xmlns='{CONTROL}'>".encode() + ctl + b"</query>"


def alert(names: Names, number: int, user: str, stamp: int) -> bytes:
    """Tell the log service about a fault (xmpp.md 11); C{stamp} is in milliseconds."""
    attributes = {
        "td": "pub",
        "t": "log",
        "ts": stamp,
        "tp": "p",
        "k": "DeviceAlert",
        "v": "DorpError",
        "f": names.bare,
        "g": user,
    }
    inside = write("query", {"xmlns": SERVICE}, write("sf", attributes))
    return write("iq", {"to": LOGS, "type": "set", "id": number}, inside).encode()


def _set(number: int, inside: str) -> bytes:
    return write("iq", {"type": "set", "id": number}, inside).encode()
