"""
What the first bytes of a connection tell (mqtt.md 1.3, xmpp.md 1), and what to answer to those
who have come to the wrong port.
"""

import re

from bumper_tw.front.contact import Outcome, Speech

#: With this byte a TLS record begins that opens a connection (RFC 8446, 5.1).
HANDSHAKE = 0x16

#: The fixed header of CONNECT, the only one that a client may start with (MQTT 3.1.1, 3.1).
CONNECT = 0x10

#: A request line begins with a method and a space (RFC 9112, 3.1); an empty line may come before
#: (2.2).  SSH begins with capitals, too.
METHOD = re.compile(rb"[A-Z]+")
LONGEST_METHOD = 20
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
    found = begun(bare)
    return own if found is Speech.OTHER and own is not Speech.NOTHING else found


def begun(bare: bytes | bytearray) -> Speech | None:
    """What begins without white space; C{None} when more has to come."""
    if bare[0] == CONNECT:
        return Speech.MQTT
    if bare[0] == MARKUP:
        return Speech.XMPP
    method = METHOD.match(bare)
    if method is None:
        return Speech.OTHER
    end = method.end()
    if end == len(bare) <= LONGEST_METHOD:
        return None
    return Speech.HTTP if bare[end : end + 1] == b" " else Speech.OTHER


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
