"""What looks like a secret or a name, whoever's it is."""

import re
from ipaddress import ip_address

from bumper_tw.app.support.hosts import DOTTED, is_host, other_host
from bumper_tw.app.support.pseudonyms import HIDDEN, Pseudonyms, is_common, is_other
from bumper_tw.app.support.sayings import LAST, SAYINGS, Rule
from bumper_tw.core.unknown import is_plain
from bumper_tw.dialect.domains import is_ours

#: Names of fields whose values are nobody else's business, wherever they stand.
PRIVATE = (
    "ssid", "bssid", "essid", "wifi", "password", "passwd", "passphrase", "pwd", "psk", "pin",
    "secret", "token", "accesstoken", "access_token", "refresh_token", "authcode", "auth_code",
    "authorization", "cookie", "bearer", "sign", "signature", "authsign", "apikey", "api_key",
    "key", "sst", "credential", "verifycode", "itoken", "pass", "apname", "lat", "lng", "lon",
    "latitude", "longitude",
)  # fmt: skip

#: Whatever has this in its name is so, too, but for how many there are: C{wifi_name}.
IN_PRIVATE = re.compile(r"(?:ssid|wifi|passw(?:or)?d|passphrase|secret)(?!s\b)")

#: Names of fields that tell who or which, and what that is called then.
NAMING = {
    "sn": "serial", "serial": "serial", "serialno": "serial", "did": "robot", "deviceid": "device",
    "device_id": "device", "mac": "mac", "uid": "user", "userid": "user", "user_id": "user",
    "username": "user", "account": "user", "accountname": "user", "loginname": "user",
    "email": "user", "mail": "user", "phone": "user", "mobile": "user", "nick": "name",
    "nickname": "name", "devicename": "name", "homename": "home", "homeid": "home", "imei": "id",
    "client_id": "client", "clientid": "client", "hostname": "name", "realname": "name",
}  # fmt: skip

_EXACT = "|".join(sorted({*PRIVATE, *NAMING}, key=len, reverse=True))
_FIELDS = rf"[a-z_]{{0,20}}?{IN_PRIVATE.pattern}[a-z_]{{0,12}}|{_EXACT}"
_EQUALS = r"(?:\\{0,4}[\"']|%22|%27|&quot;)?\s{0,3}(?:=|:|%3A|%3D)\s{0,3}"
#: It ends with what it begins with; there may be more backslashes within, and fewer may not.
_VALUE = (
    r"(?:(?P<open>\\{0,7}[\"'])(?P<q>[^\n]{0,500}?)(?<!\\)(?P=open)"
    r"|\\{0,7}[\"'](?P<a>[^\"'\\\n]{0,500})|(?P<w>[^\s\"',;&<>(){}\[\]\\]{1,500}))"
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
    r"|(?<![0-9a-z])[0-9a-f]{6}[:-]?[0-9a-f]{6}(?![0-9a-z])"
)
FINGERPRINT = re.compile(r"(?i)(?<![0-9a-f:])(?:[0-9a-f]{2}:){15,63}[0-9a-f]{2}(?![0-9a-f:])")
#: What robots log in with (robots.md 2.1); old ones have no letter in front.
SERIAL = re.compile(r"(?i)(?<![0-9a-z])(?:E[0-9A-Z]{19}|E[0-9]{11,18})(?![0-9a-z])")
DASHED = re.compile(r"(?<![\w-])(?:ip-)?(?P<four>\d{1,3}(?:-\d{1,3}){3})(?![\w-])")
IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d]|\.\d)")
IPV6 = re.compile(
    r"(?i)(?<![\w:.])[0-9a-f:]{2,39}(?:%(?!3A)\w{1,15})?(?![\w:]|%3A)"
    r"|(?<![\w:.%])(?:[0-9a-f]{1,4})?(?:%3A[0-9a-f]{0,4}){2,7}(?![\w%])"
)
#: Whoever has a folder of his own, or a disk.
HOME = re.compile(
    r"(?i)(?P<before>(?:/home|/users|/volumes|/srv|/mnt|/media|\\users)(?:/|\\{1,2}|%2F))"
    r"(?P<who>[^\s/\\\"'%,;:<>]+)(?P<disk>/[^\s/\\\"'%,;:<>]+)?"
)
#: What a folder of programs is called.
FOLDERS = frozenset({"bumper", "data", "www", "docker", "http", "ftp", "git", "tftp", "mqtt"})
PHONE = re.compile(r"(?<![\w+])\+[1-9]\d[\d ()/-]{5,18}\d")
#: Letters and digits in one piece.
LONG = re.compile(r"[A-Za-z0-9+/_=-]{12,}")
PIECES = re.compile(r"[/_=+-]")
#: From so many on a piece without meaning is a token.
TOKEN, DIGITS = 10, 12
#: Milliseconds since 1970, until 2033.
MILLISECONDS = re.compile(r"1\d{12}")
#: Numbers that are no names: the fraction of one, a date, a time.
DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2})?")


def is_private(field: str) -> bool:
    """Whether what a field holds is nobody else's business."""
    return field in PRIVATE or IN_PRIVATE.search(field) is not None


def _field(found: re.Match[str], names: Pseudonyms) -> str:
    kind = next(kind for kind in "qaw" if found[kind] is not None)
    value, name = found[kind], found["field"].lower()
    if not value or is_other(value) or value.startswith("<"):
        return found[0]
    other = HIDDEN if is_private(name) else names.name(NAMING[name], value)
    begin, end = (at - found.start() for at in found.span(kind))
    return found[0][:begin] + other + found[0][end:]


def _mail(found: re.Match[str], names: Pseudonyms) -> str:
    who, where = found["who"], found["where"]
    if not is_ours(where):
        return names.name("user", found[0].replace("%40", "@"))
    other = who if is_other(who) else names.name("account", who)
    return f"{other}{found['at']}{where}"


def _mac(found: re.Match[str], names: Pseudonyms) -> str:
    # A number of twelve digits is one.
    return found[0] if found[0].isdecimal() else names.name("mac", found[0])


def _dashed(found: re.Match[str], names: Pseudonyms) -> str:
    address = found["four"].replace("-", ".")
    other = names.address(address)
    return found[0] if other == address else other


def _six(found: re.Match[str], names: Pseudonyms) -> str:
    text = found[0].replace("%3A", ":").replace("%3a", ":")
    # Times of the day have colons, too.
    other = names.address(text) if text.count(":") >= 2 else text
    return found[0] if other == text else other


def _home(found: re.Match[str], names: Pseudonyms) -> str:
    before, who, disk = found["before"], found["who"], found["disk"] or ""
    if who.lower() in FOLDERS or is_other(who):
        return found[0]
    if disk and before.lower() == "/media/":
        disk = f"/{names.name('name', disk)}"
    return before + names.name("user", who) + disk


def _random(found: re.Match[str], names: Pseudonyms) -> str:
    text = found[0]
    if is_other(text) or DATE.fullmatch(text) or found.string[: found.start()][-1:] == ".":
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
    (FINGERPRINT, lambda found, names: names.name("id", found[0])),
    (JWT, lambda _, __: "<token>"),
    (AUTHORIZATION, lambda found, _: f"{found[1]} {HIDDEN}"),
    (URL_USER, lambda _, __: f"{HIDDEN}@"),
    *SAYINGS,
    (NETWORK, lambda found, _: f"{found['field']}{found['equals']}{HIDDEN}"),
    (FIELD, _field),
    (UUID, lambda found, names: names.name("id", found[0])),
    (SERIAL, lambda found, names: names.name("serial", found[0])),
    (MAC, _mac),
    (MAIL, _mail),
    (DOTTED, other_host),
    (DASHED, _dashed),
    (IPV4, lambda found, names: names.address(found[0])),
    (IPV6, _six),
    (HOME, _home),
    (PHONE, lambda found, names: names.name("phone", found[0])),
    *LAST,
    (LONG, _random),
)


def without_patterns(text: str, names: Pseudonyms) -> str:
    """A text without what looks like a secret or a name."""
    for pattern, other in RULES:
        text = pattern.sub(lambda found, other=other: other(found, names), text)  # type: ignore[misc]
    return text


def is_foreign_host(name: str) -> bool:
    """Whether what stands where hosts stand is neither the vendor's nor one that everybody has."""
    try:
        return not is_common(ip_address(name))
    except ValueError:
        return bool(name) and name != "localhost" and (is_host(name, True) or "." not in name)
