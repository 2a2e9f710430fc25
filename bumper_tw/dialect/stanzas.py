"""
Everything the server itself says over XMPP, as bytes.

Robots were built against XML in single quotes, and some clients read the first child node
whatever it is: so there are no blanks between tags, and the order of attributes is the one
that is known to work (xmpp.md 6.4 and 8.5).
"""

import re
from collections.abc import Mapping

from bumper_tw.dialect.domains import USERS
from bumper_tw.wire.xmpp_jid import Jid

#: An address; as it was spelt where somebody compares it.
Address = Jid | str

#: The namespaces of what streams are made of (xmpp.md 0).
NS_STREAM, NS_CLIENT = "http://etherx.jabber.org/streams", "jabber:client"
NS_TLS, NS_SASL = "urn:ietf:params:xml:ns:xmpp-tls", "urn:ietf:params:xml:ns:xmpp-sasl"
NS_BIND, NS_SESSION = "urn:ietf:params:xml:ns:xmpp-bind", "urn:ietf:params:xml:ns:xmpp-session"
NS_STANZAS, NS_STREAMS = (
    "urn:ietf:params:xml:ns:xmpp-stanzas",
    "urn:ietf:params:xml:ns:xmpp-streams",
)
NS_PING = "urn:xmpp:ping"

#: The vendor's own two: control of robots, and what goes to its services.
NS_CTL, NS_SF = "com:ctl", "com:sf"

#: What L{features} can offer (xmpp.md 3.1).
STARTTLS = f"<starttls xmlns='{NS_TLS}'><required/></starttls>".encode()
PLAIN = f"<mechanisms xmlns='{NS_SASL}'><mechanism>PLAIN</mechanism></mechanisms>".encode()
BIND, SESSION = f"<bind xmlns='{NS_BIND}'/>".encode(), f"<session xmlns='{NS_SESSION}'/>".encode()

#: The end of a stream, whoever ends it.
CLOSE = b"</stream:stream>"

#: TLS begins behind this; or it does not, and the stream ends (xmpp.md 3.2).
PROCEED = f"<proceed xmlns='{NS_TLS}'/>".encode()
TLS_FAILURE = f"<failure xmlns='{NS_TLS}'/>".encode() + CLOSE

#: Somebody is in; or has named a mechanism, and has yet to say who he is (xmpp.md 4).
SUCCESS = f"<success xmlns='{NS_SASL}'/>".encode()
CHALLENGE = f"<challenge xmlns='{NS_SASL}'/>".encode()

#: The id of the question that a robot's presence is answered with (xmpp.md 5.3).
DEVICE_INFO = "14"

#: The C{ctl} ids of the three requests that repair permissions (xmpp.md 12), in their order.
ADOPTION = ("0000", "1111", "4444")

#: What somebody may do who has been adopted.
CAPABILITIES = ("userman", "setting", "clean")

#: What cannot stand in XML at all (XML 1.0, 2.2), and what has to be written differently;
#: white space other than blanks would be read as a blank in an attribute.
UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
SPECIAL = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        "'": "&apos;",
        "\t": "&#9;",
        "\n": "&#10;",
        "\r": "&#13;",
    }
)


def header(stream_id: str) -> bytes:
    """The beginning of a stream; to everybody we are the domain of users (xmpp.md 3.1)."""
    attributes = {"xmlns:stream": NS_STREAM, "xmlns": NS_CLIENT, "version": "1.0"}
    return f"<stream:stream{_written(attributes | {'id': stream_id, 'from': USERS})}>".encode()


def features(*offers: bytes) -> bytes:
    """
    What a stream can do next (the table of xmpp.md 3.1).

    @param offers: L{STARTTLS} and L{PLAIN} in clear text, or the former alone for who has to
        use it; L{PLAIN} behind TLS; L{BIND} and L{SESSION} for somebody who is in.
    """
    return b"<stream:features>" + b"".join(offers) + b"</stream:features>"


def sasl_failure(condition: str) -> bytes:
    """
    Somebody is not let in, and may try again.

    @param condition: one of RFC 6120, 6.5.
    """
    return f"<failure xmlns='{NS_SASL}'><{condition}/></failure>".encode()


def stream_error(condition: str) -> bytes:
    """
    A stream ends for a reason; the end tag is behind it already.

    @param condition: one of RFC 6120, 4.9.3.
    """
    reason = f"<{condition} xmlns='{NS_STREAMS}'/>"
    return f"<stream:error>{reason}</stream:error>".encode() + CLOSE


def bound(stanza_id: str | None, jid: Jid) -> bytes:
    """Somebody has an address now (xmpp.md 5.1)."""
    address = f"<bind xmlns='{NS_BIND}'><jid>{_escaped(str(jid))}</jid></bind>"
    return _iq({"type": "result", "id": stanza_id}, address)


def result(
    stanza_id: str | None, sender: Address | None = None, to: Address | None = None
) -> bytes:
    """
    It is done, and there is nothing more to say: for a session, a ping, a report of a robot
    to the relation service.

    @param sender: the domain that was addressed; none when none was.
    """
    return _iq({"type": "result", "id": stanza_id, "from": sender, "to": to})


def relation_result(stanza_id: str | None, sender: Address, to: Address) -> bytes:
    """The same for what an app sends to the relation service (xmpp.md 11)."""
    return _iq({"id": stanza_id, "to": to, "from": sender, "type": "result"})


def ping(stanza_id: str, to: Address) -> bytes:
    """Ask somebody whether he is alive (xmpp.md 7)."""
    attributes = {"from": USERS, "to": to, "id": stanza_id, "type": "get"}
    return _iq(attributes, f"<ping xmlns='{NS_PING}'/>")


def dummy_presence(to: Address) -> bytes:
    """What presence is answered with, for want of anything to say (xmpp.md 5.3)."""
    return f"<presence{_written({'to': to})}> dummy </presence>".encode()


def device_info_request(to: Address) -> bytes:
    """What a robot is asked when it has come (xmpp.md 5.3)."""
    attributes = {"type": "set", "id": DEVICE_INFO, "to": to, "from": USERS}
    return _iq(attributes, _query("<ctl td='GetDeviceInfo'/>"))


def control(stanza_id: str, to: Address, sender: Address, ctl: bytes) -> bytes:
    """
    Ask a robot something.

    @param ctl: the element, serialised the way robots read it.
    """
    attributes = {"type": "set", "id": stanza_id, "from": sender, "to": to}
    return _iq(attributes, _query(ctl.decode()))


def adoption(
    stanza_ids: tuple[str, str, str], robot: Address, administrator: Address, user: Address
) -> tuple[bytes, bytes, bytes]:
    """
    Make a robot permit another user, in the name of the one whom it obeys (xmpp.md 12).

    @param user: without a resource.
    """
    add, allow, ask = ADOPTION
    capabilities = "".join(f"<ac{_written({'name': n, 'allow': '1'})}/>" for n in CAPABILITIES)
    added = f"<ctl{_written({'td': 'AddUser', 'id': add, 'jid': user})}/>"
    access = _written({"td": "SetAC", "id": allow, "jid": user})
    allowed = f"<ctl{access}><acs>{capabilities}</acs></ctl>"
    asked = f"<ctl{_written({'td': 'GetUserInfo', 'id': ask})}/><UserInfos/>"
    first, second, third = stanza_ids
    return (
        control(first, robot, administrator, added.encode()),
        control(second, robot, administrator, allowed.encode()),
        control(third, robot, administrator, asked.encode()),
    )


def error(
    stanza_id: str | None,
    kind: str,
    condition: str,
    code: int,
    sender: Address | None = None,
    to: Address | None = None,
) -> bytes:
    """
    A request that cannot be granted.  The request is not repeated in it: clients read the
    first child (xmpp.md 9).

    @param kind: what to do about it: C{cancel}, C{auth}, C{modify} or C{wait}.
    @param condition: one of RFC 6120, 8.3.3, or the vendor's.
    @param code: what it was called before that; clients read it.
    @param sender: whoever was addressed, as the request spelt it; none when nobody was.
    """
    attributes = {"type": "error", "to": to, "from": sender, "id": stanza_id}
    why = f"<{condition} xmlns='{NS_STANZAS}'/>"
    return _iq(attributes, f"<error type='{kind}' code='{code}'>{why}</error>")


def offline(stanza_id: str | None, sender: Address, to: Address) -> bytes:
    """The robot is not here; the condition is of the vendor's own making (xmpp.md 9)."""
    return error(stanza_id, "wait", "recipient-unavailable", 404, sender, to)


def not_implemented(stanza_id: str | None, sender: Address | None = None) -> bytes:
    """
    The server does nothing of that kind (xmpp.md 10).

    @param sender: the domain that was addressed; none when none was.
    """
    return error(stanza_id, "cancel", "feature-not-implemented", 501, sender)


def forbidden(stanza_id: str | None, sender: Address, to: Address) -> bytes:
    """The robot is not his (xmpp.md 8.4)."""
    return error(stanza_id, "auth", "forbidden", 403, sender, to)


def service_unavailable(stanza_id: str | None, sender: Address, to: Address) -> bytes:
    """The two have nothing to say to each other (xmpp.md 8.2, 10)."""
    return error(stanza_id, "cancel", "service-unavailable", 503, sender, to)


def remote_server_not_found(stanza_id: str | None, sender: Address, to: Address) -> bytes:
    """The domain is none of ours (xmpp.md 8.2, 11)."""
    return error(stanza_id, "cancel", "remote-server-not-found", 404, sender, to)


def remote_server_timeout(stanza_id: str | None, sender: Address, to: Address) -> bytes:
    """The robot is here, and does not answer (xmpp.md 7)."""
    return error(stanza_id, "wait", "remote-server-timeout", 504, sender, to)


def resource_constraint(
    stanza_id: str | None, sender: Address | None = None, to: Address | None = None
) -> bytes:
    """There is no room for it just now: the other end does not read."""
    return error(stanza_id, "wait", "resource-constraint", 500, sender, to)


def not_allowed(stanza_id: str | None) -> bytes:
    """One stream has one address, and has it already (xmpp.md 5.1)."""
    return error(stanza_id, "cancel", "not-allowed", 405)


def bad_request(stanza_id: str | None) -> bytes:
    """Nobody can have the resource that was asked for (RFC 6120, 7.7.2.1)."""
    return error(stanza_id, "modify", "bad-request", 400)


def _query(inner: str) -> str:
    return f"<query xmlns='{NS_CTL}'>{inner}</query>"


def _iq(attributes: Mapping[str, Address | None], inner: str = "") -> bytes:
    tag = f"<iq{_written(attributes)}"
    return (f"{tag}>{inner}</iq>" if inner else f"{tag}/>").encode()


def _written(attributes: Mapping[str, Address | None]) -> str:
    """Attributes in their order, without those that have no value."""
    pairs = ((name, value) for name, value in attributes.items() if value is not None)
    return "".join(f" {name}='{_escaped(str(value))}'" for name, value in pairs)


def _escaped(text: str) -> str:
    return UNFIT.sub("\ufffd", text).translate(SPECIAL)
