"""
What the first bytes of a connection tell (mqtt.md 1.3, xmpp.md 1), and what to answer to those
who have come to the wrong port.
"""

from bumper_tw.front.contact import Outcome, Speech

#: With this byte a TLS record begins that opens a connection (RFC 8446, 5.1).
HANDSHAKE = 0x16

#: The fixed header of CONNECT, the only one that a client may start with (MQTT 3.1.1, 3.1).
CONNECT = 0x10

#: A request line begins with a method (RFC 9112, 3.1); an empty line may come before (2.2).
METHODS = range(ord("A"), ord("Z") + 1)
MARKUP = ord("<")
WHITE = b" \t\r\n"

#: As much white space is waited for behind.
PATIENCE = 64

CONNACK_UNAVAILABLE = b"\x20\x02\x00\x03"
STREAM_ERROR = (
    b"<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' "
    b"xmlns='jabber:client' version='1.0'><stream:error><policy-violation "
    b"xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
)


def speech(data: bytes | bytearray, own: Speech = Speech.NOTHING) -> Speech | None:
    """
    What is spoken.

    @param data: all bytes so far, at least one.
    @param own: what is spoken on the port, when it is but one thing; that is left to find out by
        itself what is wrong with bytes that are of no other protocol.
    @return: C{None} when more has to come.
    """
    bare = data.lstrip(WHITE)
    if not bare:
        if own is not Speech.NOTHING:
            return own
        return None if len(data) < PATIENCE else Speech.OTHER
    found = of_byte(bare[0])
    return own if found is Speech.OTHER and own is not Speech.NOTHING else found


def of_byte(first: int) -> Speech:
    """What begins with a byte that is no white space."""
    if first == CONNECT:
        return Speech.MQTT
    if first in METHODS:
        return Speech.HTTP
    return Speech.XMPP if first == MARKUP else Speech.OTHER


def goodbye(spoken: Speech, outcome: Outcome) -> bytes:
    """What somebody hears who has come to the wrong port, in his own language."""
    if spoken is Speech.HTTP:
        clear = outcome is Outcome.WRONG_LAYER
        return not_here("Here is TLS: begin with https://" if clear else "Here is no HTTP.")
    return {Speech.MQTT: CONNACK_UNAVAILABLE, Speech.XMPP: STREAM_ERROR}.get(spoken, b"")


def not_here(sentence: str) -> bytes:
    """An answer to a request of which nothing was read."""
    body = f"{sentence}\n".encode()
    return (
        b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )
