"""Words that name nobody: ours, those of the protocols, and those of programs."""

import builtins
import re
from functools import cache

from bumper_tw.app.config import describe
from bumper_tw.app.kinds import PARTS
from bumper_tw.core.household import HOME_NAME

#: Words that tell nothing of anybody, although somebody may have called something so.
COMMON = frozenset(
    {
        *PARTS, "bumper", "bumper_tw", "twisted", "python", "python3", "linux", "debian",
        "openwrt", "localhost", "root", "nobody", "daemon", "robot", "robots", "user", "users",
        "home", "house", "app", "apps", "server", "client", "json", "xml", "tls", "tcp", "udp",
        "http", "https", "ssl", "info", "debug", "warn", "error", "true", "false", "null", "none",
        "anonymous", "household", "owners", "strict", "certificate", "certificates", "journal",
        "doctor", "settings", "version", "versions", "listener", "listeners", "connected",
        "connection", "disconnected", "atom", "ecouser", "ecovacs", "ecorobot",
        HOME_NAME,
    }
)  # fmt: skip

#: What stands behind "password", "the app" or "robot" in a sentence, and is none.
PROSE = frozenset(
    {
        "a", "about", "above", "accepts", "add", "adds", "again", "all", "already", "also",
        "an", "and", "another", "any", "are", "as", "asked", "asks", "at", "be", "because",
        "been", "before", "belongs", "below", "besides", "both", "broke", "but", "by",
        "called", "calls", "came", "can", "cannot", "changed", "check", "checks", "closed",
        "comes", "connected", "could", "did", "disconnected", "do", "does", "each", "else",
        "empty", "encrypts", "ended", "ends", "every", "except", "expects", "expired", "file",
        "files", "first", "for", "found", "from", "gave", "gets", "given", "gives", "had",
        "has", "have", "hash", "hashed", "hashes", "here", "holds", "how", "if", "in",
        "instead", "into", "is", "it", "its", "keeps", "knows", "last", "left", "less", "lets",
        "like", "line", "logs", "longer", "looks", "made", "make", "may", "mentioned", "might",
        "missing", "more", "most", "must", "named", "near", "need", "needed", "needs", "never",
        "new", "no", "nobody", "none", "not", "nothing", "noticed", "now", "of", "off",
        "offered", "offers", "on", "once", "one", "only", "or", "other", "others", "our",
        "out", "over", "own", "protected", "put", "reads", "refused", "required", "right",
        "said", "same", "saw", "says", "see", "sees", "seen", "send", "sends", "sent", "set",
        "shown", "shows", "so", "some", "somebody", "speaks", "spoke", "starts", "stays",
        "still", "stop", "such", "take", "takes", "than", "that", "the", "their", "them",
        "then", "there", "these", "they", "this", "those", "to", "too", "tried", "trusts",
        "under", "unless", "until", "up", "used", "users", "using", "wanted", "wants", "was",
        "way", "well", "were", "what", "when", "where", "whether", "which", "while", "who",
        "whose", "will", "with", "within", "without", "word", "would", "wrong", "wrote", "yet",
        "you", "your",
    }
)  # fmt: skip

#: What the protocols call things.
PROTOCOLS = frozenset(
    {
        "iot", "p2p", "atr", "cfg", "dtcfg", "dtgcfg", "dtl", "rsp", "attr", "q", "p", "m",
        "j", "x", "b", "iq", "message", "presence", "auth", "response", "stream", "features",
        "starttls", "bind", "session", "query", "ctl", "ping", "jabber", "urn", "ietf",
        "params", "ns", "etherx", "sasl", "roster", "register", "get", "put", "post", "head",
        "delete", "options", "patch", "plain", "anonymous", "mqtt", "mqisdp", "xmpp", "$sys",
        "broker", "homeassistant", "sensor", "vacuum", "state", "set", "status", "config",
        "availability", "zigbee2mqtt", "tasmota", "shellies", "helperbot", "nonetype",
        "sn", "did", "uid", "mac", "class", "model", "resource", "name", "id",
    }
)  # fmt: skip

#: Programs that call themselves so, whoever has them.
PROGRAMS = frozenset(
    {
        "aiohttp", "androiddownloadmanager", "app", "axios", "bumper", "cfnetwork", "chrome",
        "curl", "dalvik", "darwin", "edg", "ecovacshome", "firefox", "gecko", "global_e",
        "got", "homeassistant", "httpx", "java", "like", "mobile", "mozilla", "applewebkit",
        "node", "node-fetch", "okhttp", "python", "python-requests", "python-urllib",
        "requests", "safari", "simulator", "undici", "version", "wget",
    }
)  # fmt: skip

#: Commands begin so, of which our remedies have many.
COMMANDS = frozenset(
    {
        "apt", "bumper", "chmod", "chown", "cp", "dig", "docker", "journalctl", "kill",
        "logread", "mkcert", "mkdir", "nslookup", "openssl", "service", "ssh", "sudo",
        "sysctl", "systemctl", "timedatectl", "twistd", "uci", "unbound-control",
    }
)  # fmt: skip

PIECES = re.compile(r"[\s/.,:;=+#*|()<>_-]+")


@cache
def ours() -> frozenset[str]:
    """All of them, in small letters."""
    keys = (piece for each in describe() for piece in (each.key, *PIECES.split(each.key)))
    return COMMON | PROSE | PROTOCOLS | frozenset(map(str.lower, (*keys, *dir(builtins))))


def is_ours(text: str) -> bool:
    """Whether a text is made of nothing but such words and short numbers."""
    return all(
        piece.lower() in ours() or (piece.isdecimal() and len(piece) < 6)
        for piece in PIECES.split(text)
        if piece
    )
