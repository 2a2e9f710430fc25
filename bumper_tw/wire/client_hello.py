"""What a client offers when it wants TLS (RFC 8446, 4.1.2), read before TLS begins."""

from attrs import frozen


@frozen
class ClientHello:
    """
    What a client offers, in its order.

    @ivar server_name: whom it wants to talk to (RFC 6066, 3), in lower case; empty when it does
        not say, or says what is no host name.
    @ivar versions: of TLS, as on the wire: C{0x0304} is TLS 1.3.
    @ivar ciphers: suites, by number.
    @ivar groups: for key exchange, by number.
    @ivar signatures: kinds of them that it can verify, by number.
    @ivar alpn: application protocols (RFC 7301).
    """

    server_name: str = ""
    versions: tuple[int, ...] = ()
    ciphers: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    signatures: tuple[int, ...] = ()
    alpn: tuple[str, ...] = ()
