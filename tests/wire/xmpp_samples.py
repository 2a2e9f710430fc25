"""What peers say over XMPP, word for word (xmpp.md 6), and a way to read it in pieces."""

from collections.abc import Iterable, Iterator

from bumper_tw.wire.xmpp_reader import StanzaReader
from bumper_tw.wire.xmpp_stanzas import End, Header, Stanza, StanzaLimits, StreamViolation

Result = Header | Stanza | End

SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
TLS = "urn:ietf:params:xml:ns:xmpp-tls"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"
SESSION = "urn:ietf:params:xml:ns:xmpp-session"
PING = "urn:xmpp:ping"

ROBOT_JID = "E0009876500123450001@126.ecorobot.net/atom"
USER_JID = "fuid_a1b2c3@ecouser.net/GLBa91f03c2d"

ROBOT_HEADER = (
    b"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client' "
    b"to='126.ecorobot.net' version='1.0'>"
)
USER_HEADER = (
    b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    b"version='1.0' to='ecouser.net'>"
)
CLOSE = b"</stream:stream>"

ROBOT_AUTH = (
    f"<auth xmlns='{SASL}' mechanism='PLAIN'>AEUwMDA5ODc2NTAwMTIzNDUwMDAxAGs3UXAyeFo5</auth>"
).encode()
BATTERY = (
    b"<iq to='fuid_a1b2c3@ecouser.net/GLBa91f03c2d' type='set' id='2700'><query xmlns='com:ctl'>"
    b"<ctl td='BatteryInfo'><battery power='087'/></ctl></query></iq>"
)
ROBOT_BOUND = (
    f"<iq type='set' id='2521'><bind xmlns='{BIND}'><resource>atom</resource></bind></iq>"
    f"<iq type='set' id='2522'><session xmlns='{SESSION}'/></iq>"
    f"<presence><status>hello world</status></presence>"
    f"<iq type='result' from='{ROBOT_JID}' to='ecouser.net' id='s2c1'/>"
    f"<iq to='126.ecorobot.net' from='{ROBOT_JID}' type='get' id='2542'>"
    f"<ping xmlns='{PING}'/></iq>"
).encode() + BATTERY

APP_BOUND = (
    f'<iq type="set" id="5A3E7C10"><bind xmlns="{BIND}"><resource>IOSF0A1B2C3</resource></bind>'
    f'</iq><iq type="set" id="FA20"><session xmlns="{SESSION}"/></iq><presence type="available"/>'
    '<iq id="EE0XQ-2" type="get"><query xmlns="jabber:iq:roster" ></query></iq>'
    '<iq id="x" type="set" to="rl.ecorobot.net"><query xmlns="com:sf">...</query></iq>'
    f'<iq id="104934615" to="{ROBOT_JID}" type="get"><ping xmlns="{PING}"/></iq>'
    f'<iq id="7" to="{ROBOT_JID}" type="set"><query xmlns="com:ctl">'
    '<ctl id="72107787" td="GetCleanState"/></query></iq>'
).encode()

SUCKS = (
    b"<stream:stream to='ecouser.net' xmlns:stream='http://etherx.jabber.org/streams' "
    b"xmlns='jabber:client' xml:lang='en' version='1.0'>"
) + (
    f'<starttls xmlns="{TLS}"><required /></starttls>'
    f'<auth xmlns="{SASL}" mechanism="PLAIN">ZnVpZF9h</auth>'
    f'<iq id="u-1" type="set"><bind xmlns="{BIND}" /></iq>'
    f'<iq id="u-2" type="set"><session xmlns="{SESSION}" /></iq> '
    f'<iq id="u-3" type="get" to="{ROBOT_JID.lower()}" from="fuid_a1b2c3@ecouser.net/sk7d1f02">'
    f'<ping xmlns="{PING}" /></iq>'
    f'<iq id="u-4" type="set" to="{ROBOT_JID.lower()}" from="fuid_a1b2c3@ecouser.net/sk7d1f02">'
    '<query xmlns="com:ctl"><ctl td="GetBatteryInfo" /></query></iq></stream:stream>'
).encode()

DEEBOT_JS = (
    b'<stream:stream xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams" '
    b'version="1.0" to="ecouser.net">'
) + (
    f'<starttls xmlns="{TLS}"/><auth xmlns="{SASL}" mechanism="PLAIN">ZnVpZF9h</auth>'
    f'<iq type="set" id="bind"><bind xmlns="{BIND}"/></iq>'
    f'<iq type="set" to="ecouser.net" id="sess"><session xmlns="{SESSION}"/></iq><presence/>'
    f'<iq id="1" from="fuid_a1b2c3@ecouser.net/ej44aa01" to="{ROBOT_JID}" type="get">'
    f'<query xmlns="{PING}"/></iq>'
    f'<iq id="2" from="fuid_a1b2c3@ecouser.net/ej44aa01" to="{ROBOT_JID}" type="set">'
    '<query xmlns="com:ctl"><ctl td="GetCleanState" id="18273645"/></query></iq>'
    '<presence type="unavailable"><status>Logged out</status></presence></stream:stream>'
).encode()

SERVER = (
    b"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client' "
    b"version='1.0' id='5f0c9a71d2e84b36' from='ecouser.net'>"
) + (
    f"<stream:features><starttls xmlns='{TLS}'><required/></starttls><mechanisms xmlns='{SASL}'>"
    f"<mechanism>PLAIN</mechanism></mechanisms></stream:features><success xmlns='{SASL}'/>"
    f"<iq type='result' id='2521'><bind xmlns='{BIND}'><jid>{ROBOT_JID}</jid></bind></iq>"
    f"<iq type='result' id='2522'/><presence to='{ROBOT_JID}'> dummy </presence>"
    "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
    "</stream:stream>"
).encode()

ROOM = (
    f"<iq to='{USER_JID}' type='set' id='9'><query xmlns='com:ctl'><ctl td='RenameM' "
    f"n='Küche \N{BROOM}'>ä&amp;<![CDATA[<x>]]>&#252;</ctl></query></iq>"
).encode()

#: Whole streams; a restart is due wherever a header stands behind C{auth}.
CONVERSATIONS: dict[str, bytes] = {
    "robot": b"<?xml version='1.0'?>" + ROBOT_HEADER + ROBOT_AUTH + ROBOT_HEADER + ROBOT_BOUND,
    "robot, declared twice": (
        b'<?xml version="1.0" encoding="UTF-8"?>\n' + ROBOT_HEADER + ROBOT_AUTH
        + b"\n<?xml version='1.0'?>" + ROBOT_HEADER + ROBOT_BOUND + ROOM
    ),
    "app": USER_HEADER + APP_BOUND,
    "sucks": SUCKS,
    "ecovacs-deebot.js": DEEBOT_JS,
    "server": SERVER,
}  # fmt: skip


def read(
    pieces: Iterable[bytes], lenient: bool = False, limits: StanzaLimits | None = None
) -> list[Result | str]:
    """All that comes out, with a restart behind robots' C{auth}; a violation is its condition."""
    return read_on(StanzaReader(limits or StanzaLimits(), lenient), pieces)


def read_on(reader: StanzaReader, pieces: Iterable[bytes]) -> list[Result | str]:
    """The same for a reader that has been used before."""
    heard: list[Result | str] = []
    try:
        for result in _results(reader, pieces):
            heard.append(result)
            if isinstance(result, Stanza) and result.raw == ROBOT_AUTH:
                reader.restart()
    except StreamViolation as violation:
        heard.append(violation.condition)
    return heard


def _results(reader: StanzaReader, pieces: Iterable[bytes]) -> Iterator[Result]:
    for piece in pieces:
        yield from reader.feed(piece)


def crumbs(data: bytes) -> list[bytes]:
    """Byte by byte."""
    return [data[i : i + 1] for i in range(len(data))]


def stanzas(data: bytes, header: bytes = USER_HEADER, lenient: bool = False) -> list[Stanza]:
    """The stanzas of a stream that is all right."""
    return [r for r in read([header + data], lenient) if isinstance(r, Stanza)]


def stanza(raw: bytes, header: bytes = USER_HEADER) -> Stanza:
    """The only one."""
    [only] = stanzas(raw, header)
    return only
