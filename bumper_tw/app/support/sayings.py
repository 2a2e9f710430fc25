"""What we say in our own words of somebody, with what he has said in it."""

import re
from collections.abc import Callable

from bumper_tw.app.support.pseudonyms import HIDDEN, Pseudonyms, is_other, other_of
from bumper_tw.app.support.words import COMMANDS, PROGRAMS, PROSE, is_ours
from bumper_tw.pki.zones import in_zone

Rule = tuple[re.Pattern[str], Callable[[re.Match[str], Pseudonyms], str]]

#: What a program tells of the machine it runs on: its model, and who knows what else.
AGENT = re.compile(r"(?P<program>[A-Za-z][\w.-]{0,60}/\d[\w.]{0,30}) \([^()]{1,300}\)")
COMMENT = re.compile(r"\([^()]{0,500}\)?")
PRODUCT = re.compile(
    r"(?i)(?P<name>[a-z][a-z_.-]{0,31})/(?P<version>\d{1,6}[a-z]?\d{0,6}(?:\.\d{1,6}){0,5})"
)
NUMBER = re.compile(r"\d{1,4}(?:\.\d{1,4}){0,4}")
#: A program that we speak of, up to what it does.
SPOKEN_OF = re.compile(
    r"(?P<before>\b(?:[Tt]he (?:app|program)|call(?:s|ed) itself(?! the robot| client id)) )"
    r"(?P<who>[^\s'\"][^\n'\";,]{0,80}?)"
    r"(?=[\n'\";,)]|[.:](?:\s|\Z)|\Z| (?:=>|->|came|was|wants|broke|spoke|speaks|knows|says"
    r"|does|did|ended|has|is|sent|asked|asks|on|at|the|and|that|trusts|to|offers|although|from)\b)"
)
HEADER = re.compile(
    r"(?i)(?P<before>\buser-agent[\"']?\s{0,3}[:=]\s{0,3}[\"']?)(?P<who>[^\n\"']{1,400})"
)
#: Who says who he is, in our own words.
CLAIM = re.compile(
    r"(?P<before>\bclient id |, user |\bcalled |\bcalls itself the robot )"
    r"(?P<who>'[^']{1,300}'|[^\s,.;:'\"]{1,300})"
)
SAID = frozenset({"id", "by", "anonymous", "itself", "the"})
WHO = re.compile(
    r"(?P<before>\b(?P<role>robot|user|service|account) )(?P<who>\S{1,300})"
    r"(?P<after> (?:connected|disconnected|did not|is not|has |can |may |sends|does not))"
)
#: The same in any sentence, when there is a digit in it.
NUMBERED = re.compile(
    r"(?P<before>\b(?P<role>robot|user|account|serial number|serial|sn|did) )"
    r"(?P<who>(?=[a-z@_-]{0,60}\d)[\w@-]{3,100})",
    re.IGNORECASE,
)
REFUSED = re.compile(
    r"(?<![\\\w])(?P<quote>['\"])(?P<who>(?:[^'\"\\\n]|\\.|(?!(?P=quote))['\"]){1,200})(?P=quote) "
    r"(?=refused|is not let in)"
)
#: A robot's topic, which has more names in it than one.
TOPIC = re.compile(r"(?<![\w/])(?P<head>iot/\w{1,10})/(?P<rest>[^\s'\",;)]{1,500})")
#: Somebody else's.
OTHER_TOPIC = re.compile(
    r"(?P<before>\b(?:topic|failed on|message about) (?!iot/))"
    r"(?P<who>[^\s'\",;:]{0,60}/[^\s'\",;:]{0,300})"
)
#: Where a robot's network is: XML, and JSON without a body (mqtt.md 9).
CTL = re.compile(r"<ctl\b[^<>\n]{1,800}")
OF_NETWORK = re.compile(r"(?i)\btd=\\{0,4}[\"'][^\"']{0,30}net|\bwi=")
ATTRIBUTE = re.compile(r"\b(?P<name>\w{1,20})=(?P<quote>\\{0,4}[\"'])(?P<value>[^\"'\\]{1,200})")
ANSWER = frozenset({"td", "ret", "id", "ts", "errno", "ver"})
NET_JSON = re.compile(
    r"(?P<before>[\"']wi\\{0,4}[\"']\s?:\s?\\{0,4}[\"'][^\"'\n]{0,60}[\"']\s?,\s?"
    r"\\{0,4}[\"']s\\{0,4}[\"']\s?:\s?\\{0,4}[\"'])[^\"'\\\n]{1,200}"
)
#: A secret in a sentence.
PASSWORD = re.compile(
    r"(?i)(?P<before>\b(?:password|passwd|passphrase|pwd|psk)(?: is| was)? )"
    r"(?P<who>[^\s\"',;:=&<>(){}\[\]\\]{3,200})"
)
SSID = re.compile(
    r"(?i)(?P<before>\b[be]?ssid (?:is |was )?)(?P<who>[^\n\"',;:=&<>(){}\[\]\\]{1,100})"
)
PLACE = re.compile(
    r"(?i)(?P<before>\b(?:lat|lon|lng|latitude|longitude)[\s:=]{1,3})-?\d{1,3}\.\d{1,15}"
)
#: Whom a certificate is for.
SUBJECT = re.compile(
    r"(?P<before>\b(?:CN|OU|commonName|emailAddress)\s?=\s?)(?P<who>[^,/\n\"'+<>]{1,200})"
)
#: In our sentences names stand between these.
QUOTED = re.compile(r"(?<!\w)(?P<quote>b?')(?P<who>[^'\n]{1,300})'(?!\w)")
TWICE = re.compile(r"(?<=[A-Za-z] )(?P<quote>\\{0,4}\")(?P<who>[^\"\n\\]{1,300})(?=\\{0,4}\")")
OF_CODE = re.compile(r"(?:attribute|argument|name|method|module|function) \Z")


def other_agent(agent: str, names: Pseudonyms) -> str:
    """
    What a program calls itself, without what tells of anybody: known names, and what has the
    shape of a name with a version.
    """
    kept = [
        "(...)" if word == "()" else word
        for word in COMMENT.sub(" () ", agent).split()
        if word in {"()", "(...)"} or is_program(word) or is_other(word)
    ]
    if not any(word != "(...)" for word in kept):
        return other_of("client", agent, names)
    return " ".join(kept)


def is_program(word: str) -> bool:
    """Whether a word is the name of a program, or its version."""
    if word.lower() in PROGRAMS or NUMBER.fullmatch(word):
        return True
    return PRODUCT.fullmatch(word) is not None


def _spoken_of(found: re.Match[str], names: Pseudonyms) -> str:
    who = found["who"]
    if who.split(" ", 1)[0].lower() in PROSE or is_other(who):
        return found[0]
    return f"{found['before']}{other_agent(who, names)}"


def _quoted_client(found: re.Match[str], names: Pseudonyms) -> str:
    who = found["who"]
    return f"{found['quote']}{other_of('client', who, names)}{found['quote']} "


def _claim(found: re.Match[str], names: Pseudonyms) -> str:
    who = found["who"]
    quote = "'" if who.startswith("'") else ""
    bare = who.strip("'")
    kept = bare in SAID
    return found["before"] + (who if kept else f"{quote}{other_of('client', bare, names)}{quote}")


def _who(found: re.Match[str], names: Pseudonyms) -> str:
    kind = "robot" if found["role"] == "robot" else "user"
    return found["before"] + other_of(kind, found["who"], names) + found["after"]


def _numbered(found: re.Match[str], names: Pseudonyms) -> str:
    who, role = found["who"], found["role"].lower()
    if is_other(who) or (who.isdecimal() and len(who) < 6):
        return found[0]
    kind = {"robot": "robot", "did": "robot", "user": "user", "account": "user"}.get(role)
    return found["before"] + names.name(kind or "serial", who)


def _topic(found: re.Match[str], names: Pseudonyms) -> str:
    levels = found["rest"].split("/")
    # Behind the name of the command: who asks, and whom; or who tells.
    parties = (1, 4) if found["head"] == "iot/p2p" else (1,)
    for at in parties:
        for place, kind in ((at, "robot"), (at + 2, "resource")):
            if place < len(levels) and not is_ours(levels[place]) and not is_other(levels[place]):
                is_user = levels[at + 1 : at + 2] == ["ecouser"] and kind == "robot"
                levels[place] = names.name("user" if is_user else kind, levels[place])
    return "/".join((found["head"], *levels))


def _levels(text: str, names: Pseudonyms) -> str:
    """A topic of which only the words that everybody has are left."""
    return "/".join(
        level if is_ours(level) or is_other(level) else names.name("name", level)
        for level in text.split("/")
    )


def _ctl(found: re.Match[str], names: Pseudonyms) -> str:
    def other(each: re.Match[str]) -> str:
        value = each["value"]
        hidden = names.address(value)
        if each["name"] in ANSWER or is_other(hidden):
            return f"{each['name']}={each['quote']}{hidden}"
        return f"{each['name']}={each['quote']}{HIDDEN}"

    return ATTRIBUTE.sub(other, found[0]) if OF_NETWORK.search(found[0]) else found[0]


def _secret(found: re.Match[str], _: Pseudonyms) -> str:
    who = found["who"]
    kept = who.rstrip(".").lower() in PROSE or is_other(who)
    return found[0] if kept else found["before"] + HIDDEN


def _network(found: re.Match[str], _: Pseudonyms) -> str:
    kept = found["who"].split(" ", 1)[0].lower() in PROSE
    return found[0] if kept else found["before"] + HIDDEN


def _subject(found: re.Match[str], names: Pseudonyms) -> str:
    who = found["who"].rstrip()
    if in_zone(who.lower().removeprefix("*.")) or who.lower().startswith("bumper"):
        return found[0]
    return found["before"] + other_of("name", who, names) + found["who"][len(who) :]


def _quoted(found: re.Match[str], names: Pseudonyms) -> str:
    who, head = found["who"], found.string[max(0, found.start() - 12) : found.start()]
    kept = (
        is_ours(who)
        or is_other(re.split("[@/ ]", who)[0])
        or who.startswith(("/", "<"))
        or who.split(" ", 1)[0] in COMMANDS
        or in_zone(who.lower())
        or (OF_CODE.search(head) is not None and who.isidentifier())
    )
    if kept:
        return found[0]
    is_topic = "/" in who and " " not in who
    other = _levels(who, names) if is_topic else names.name("name", who)
    return found[0].replace(who, other, 1)


#: What is looked for before anything else.
SAYINGS: tuple[Rule, ...] = (
    (AGENT, lambda found, _: f"{found['program']} (...)"),
    (HEADER, lambda found, names: found["before"] + other_agent(found["who"], names)),
    (SPOKEN_OF, _spoken_of),
    (REFUSED, _quoted_client),
    (CLAIM, _claim),
    (WHO, _who),
    (CTL, _ctl),
    (NET_JSON, lambda found, _: found["before"] + HIDDEN),
    (TOPIC, _topic),
    (SSID, _network),
    (PASSWORD, _secret),
    (PLACE, lambda found, _: found["before"] + HIDDEN),
    (SUBJECT, _subject),
)

#: What is looked for when all else has its other name.
LAST: tuple[Rule, ...] = (
    (NUMBERED, _numbered),
    (OTHER_TOPIC, lambda found, names: found["before"] + _levels(found["who"], names)),
    (QUOTED, _quoted),
    (TWICE, _quoted),
)
