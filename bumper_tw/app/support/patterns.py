"""What looks like a secret or a name, whoever's it is."""

import re
from collections.abc import Callable
from ipaddress import ip_address

from bumper_tw.app.support.pseudonyms import Pseudonyms, is_common
from bumper_tw.core.unknown import is_plain
from bumper_tw.dialect.domains import is_ours
from bumper_tw.pki.zones import in_zone

#: What stands for something that nobody needs in order to help.
HIDDEN = "<hidden>"

#: Names of fields whose values are nobody else's business, wherever they stand.
PRIVATE = (
    "ssid", "bssid", "essid", "wifi", "password", "passwd", "passphrase", "pwd", "psk", "pin",
    "secret", "token", "accesstoken", "access_token", "refresh_token", "authcode", "auth_code",
    "authorization", "cookie", "bearer", "sign", "signature", "authsign", "apikey", "api_key",
    "key", "sst", "credential", "verifycode", "itoken",
)  # fmt: skip

#: Names of fields that tell who or which, and what that is called then.
NAMING = {
    "sn": "serial", "serial": "serial", "serialno": "serial", "did": "robot", "deviceid": "device",
    "device_id": "device", "mac": "mac", "uid": "user", "userid": "user", "user_id": "user",
    "username": "user", "account": "user", "accountname": "user", "loginname": "user",
    "email": "user", "mail": "user", "phone": "user", "mobile": "user", "nick": "name",
    "nickname": "name", "devicename": "name", "homename": "home", "homeid": "home", "imei": "id",
    "client_id": "client", "clientid": "client", "hostname": "name", "realname": "name",
}  # fmt: skip

_FIELDS = "|".join(sorted({*PRIVATE, *NAMING}, key=len, reverse=True))
_EQUALS = r"(?:\\{0,4}[\"']|%22|%27|&quot;)?\s{0,3}(?:=|:|%3A|%3D)\s{0,3}"
_VALUE = (
    r"(?:\\{0,4}\"(?P<q>[^\"\\]{0,500})|\\{0,4}'(?P<a>[^'\\]{0,500})"
    r"|(?P<w>[^\s\"',;&<>(){}\[\]\\]{1,500}))"
)

#: A private or naming field with its value, as JSON, a query, or C{name = value} has it.
FIELD = re.compile(
    rf"(?i)(?:(?<![a-z0-9])|(?<=%[0-9a-f][0-9a-f]))(?P<field>{_FIELDS})"
    rf"(?P<equals>{_EQUALS}){_VALUE}"
)
#: The names of networks have spaces in them.
NETWORK = re.compile(
    rf"(?i)(?:(?<![a-z0-9])|(?<=%[0-9a-f][0-9a-f]))(?P<field>[be]?ssid)(?P<equals>{_EQUALS})"
    r"(?P<w>[^\s\"',;&<>(){}\[\]\\][^\"',;&<>(){}\[\]\\\n]{0,100})"
)
#: The scheme of a header, and what it carries.
AUTHORIZATION = re.compile(r"(?i)\b(bearer|basic|digest)\s{1,3}[A-Za-z0-9+/=._~-]{6,}")
JWT = re.compile(r"eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]{0,5000}){0,4}")
URL_USER = re.compile(r"(?<=://)[^\s/@:]{1,200}:[^\s/@]{1,200}@")
MAIL = re.compile(
    r"(?<![\w.+%-])(?P<who>[\w.+%-]{1,100})(?P<at>@|%40)(?P<where>[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})"
)
UUID = re.compile(
    r"(?i)(?<![0-9a-z])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-z])"
)
MAC = re.compile(
    r"(?i)(?<![0-9a-f:])[0-9a-f]{2}(?:(?::|-|%3A)[0-9a-f]{2}){5}(?![0-9a-f:])"
    r"|(?<![0-9a-f.])[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}(?![0-9a-f.])"
)
#: What robots log in with (robots.md 2.1); old ones have no letter in front.
SERIAL = re.compile(r"(?i)(?<![0-9a-z])(?:E[0-9A-Z]{19}|E[0-9]{11,18})(?![0-9a-z])")
IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d]|\.\d)")
IPV6 = re.compile(
    r"(?i)(?<![\w:.])[0-9a-f:]{2,39}(?:%(?!3A)\w{1,15})?(?![\w:]|%3A)"
    r"|(?<![\w:.%])(?:[0-9a-f]{1,4})?(?:%3A[0-9a-f]{0,4}){2,7}(?![\w%])"
)
#: Whoever has a folder of his own.
HOME = re.compile(
    r"(?i)(?P<before>(?:/home|/users|\\users)(?:/|\\{1,2}|%2F))(?P<who>[^\s/\\\"'%]+)"
)
#: What a program tells of the machine it runs on: its model, and who knows what else.
AGENT = re.compile(r"(?P<program>[A-Za-z][\w.-]{0,60}/\d[\w.]{0,30}) \([^()]{1,300}\)")
#: Who says who he is, in our own words.
CLAIM = re.compile(
    r"(?P<before>\bclient id |, user |\bcalled |\bcalls itself (?:the robot )?)"
    r"(?P<who>'[^']{1,300}'|[^\s,.;:'\"]{1,300})"
)
SAID = frozenset({"id", "by", "anonymous", "itself", "the"})
WHO = re.compile(
    r"(?P<before>\b(?P<role>robot|user|service|account) )(?P<who>\S{1,300})"
    r"(?P<after> (?:connected|disconnected|did not|is not|has |can |may |sends|does not))"
)
REFUSED = re.compile(r"(?P<quote>['\"])(?P<who>.{1,200}?)(?P=quote) (?=refused|is not let in)")
#: Letters and digits in one piece.
LONG = re.compile(r"[A-Za-z0-9+/_=-]{12,}")
PIECES = re.compile(r"[/_=+-]")
#: From so many on a piece without meaning is a token.
TOKEN, DIGITS = 10, 12
WORD_AND_NUMBER = re.compile(r"[A-Za-z]{2,}\d{1,4}|\d{1,4}[A-Za-z]{2,}")
#: Milliseconds since 1970, until 2033.
MILLISECONDS = re.compile(r"1\d{12}")
OTHER_NAME = re.compile(
    r"(?:robot|user|home|client|serial|name|device|mac|id|lan|public|link-local|this-box|box|"
    r"phone|resource|host|account)-(?:\d+|more)(?:-[a-z]+)*"
)
#: Numbers that are no names: the fraction of one, a date, a time.
DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2})?")

Rule = tuple[re.Pattern[str], Callable[[re.Match[str], Pseudonyms], str]]


def is_other(text: str) -> bool:
    """Whether that is another name already."""
    return text in {HIDDEN, "<token>"} or OTHER_NAME.fullmatch(text) is not None


def _field(found: re.Match[str], names: Pseudonyms) -> str:
    kind = next(kind for kind in "qaw" if found[kind] is not None)
    value, name = found[kind], found["field"].lower()
    if not value or is_other(value) or value.startswith("<"):
        return found[0]
    other = HIDDEN if name in PRIVATE else names.name(NAMING[name], value)
    return found[0][: found.start(kind) - found.start()] + other


def _mail(found: re.Match[str], names: Pseudonyms) -> str:
    who, where = found["who"], found["where"]
    if not is_ours(where):
        return names.name("user", found[0].replace("%40", "@"))
    other = who if is_other(who) else names.name("account", who)
    return f"{other}{found['at']}{where}"


def _quoted(found: re.Match[str], names: Pseudonyms) -> str:
    who = found["who"]
    return f"{found['quote']}{other_of('client', who, names)}{found['quote']} "


def _claim(found: re.Match[str], names: Pseudonyms) -> str:
    who = found["who"]
    quote = "'" if who.startswith("'") else ""
    bare = who.strip("'")
    kept = bare in SAID
    return found["before"] + (who if kept else f"{quote}{other_of('client', bare, names)}{quote}")


def _who(found: re.Match[str], names: Pseudonyms) -> str:
    kind = {"robot": "robot", "service": "user", "account": "user"}.get(found["role"], "user")
    return found["before"] + other_of(kind, found["who"], names) + found["after"]


def other_of(kind: str, who: str, names: Pseudonyms) -> str:
    """Another name for somebody, unless he has one already."""
    return who if is_other(re.split("[@/ ]", who)[0]) else names.name(kind, who)


def _six(found: re.Match[str], names: Pseudonyms) -> str:
    text = found[0].replace("%3A", ":").replace("%3a", ":")
    # Times of the day have colons, too.
    other = names.address(text) if text.count(":") >= 2 else text
    return found[0] if other == text else other


def _home(found: re.Match[str], names: Pseudonyms) -> str:
    return found["before"] + other_of("user", found["who"], names)


def _random(found: re.Match[str], names: Pseudonyms) -> str:
    text = found[0]
    if (
        OTHER_NAME.fullmatch(text)
        or DATE.fullmatch(text)
        or found.string[: found.start()][-1:] == "."
    ):
        return text if not _is_hex(text) else names.name("id", text)
    return names.name("id", text) if is_random(text) else text


def _is_hex(text: str) -> bool:
    return not text.isdecimal() and re.fullmatch(r"(?i)[0-9a-f]{12,}", text) is not None


def is_random(text: str) -> bool:
    """Whether a long piece of letters and digits has no meaning that anybody could see."""
    return any(map(_is_token, PIECES.split(text)))


def _is_token(piece: str) -> bool:
    if piece.isdecimal():
        return len(piece) >= DIGITS and not MILLISECONDS.fullmatch(piece)
    if len(piece) < TOKEN or is_plain(piece):
        return False
    return not (piece.isalpha() and piece.islower()) or len(piece) > 20


RULES: tuple[Rule, ...] = (
    (AGENT, lambda found, _: f"{found['program']} (...)"),
    (JWT, lambda _, __: "<token>"),
    (AUTHORIZATION, lambda found, _: f"{found[1]} {HIDDEN}"),
    (URL_USER, lambda _, __: f"{HIDDEN}@"),
    (REFUSED, _quoted),
    (CLAIM, _claim),
    (WHO, _who),
    (NETWORK, lambda found, _: f"{found['field']}{found['equals']}{HIDDEN}"),
    (FIELD, _field),
    (UUID, lambda found, names: names.name("id", found[0])),
    (SERIAL, lambda found, names: names.name("serial", found[0])),
    (MAC, lambda found, names: names.name("mac", found[0].replace("-", ":"))),
    (MAIL, _mail),
    (IPV4, lambda found, names: names.address(found[0])),
    (IPV6, _six),
    (HOME, _home),
    (LONG, _random),
)


def without_patterns(text: str, names: Pseudonyms) -> str:
    """A text without what looks like a secret or a name."""
    for pattern, other in RULES:
        text = pattern.sub(lambda found, other=other: other(found, names), text)  # type: ignore[misc]
    return text


def is_foreign_host(name: str) -> bool:
    """Whether a host name is neither the vendor's nor an address that everybody has."""
    try:
        return not is_common(ip_address(name))
    except ValueError:
        return bool(name) and name != "localhost" and not in_zone(name)
