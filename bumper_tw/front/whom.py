"""Who somebody is, in words: as far as he has proved it, or else by what he says and asks for."""

import re
from enum import Enum

from attrs import frozen

from bumper_tw.dialect.domains import robot_class
from bumper_tw.dialect.logins import IDENTITY, IdKind, parse_client_id
from bumper_tw.front.acquaintances import Acquaintance, server_name
from bumper_tw.front.contact import Contact, Speech, clean
from bumper_tw.pki.zones import in_zone

#: Names that robots ask for, and apps hardly do: their own world, brokers, and where they look
#: for a server (http.md 1.2, mqtt.md 1.1, xmpp.md 1).
ROBOTS = re.compile(r"(?:.*\.)?robot(?:ww|cn)\..*|(?:mq|jmq|lbo|msg)(?:[-.].*)?")

#: Programs that look what is open, as their own user agents say.
SCANNERS = re.compile(r"nmap|masscan|zgrab|nikto|censys|shodan|nuclei|sqlmap", re.IGNORECASE)

#: How libraries begin that scripts and home automation use, and apps do not.
PROGRAMS = re.compile(
    r"(?:curl|python|aiohttp|HomeAssistant|node|axios|got|undici)", re.IGNORECASE
)

#: How browsers begin, and what an app shows pages with.
BROWSERS = "Mozilla/"

#: What robots call themselves (robots.md 7): it says nothing of who it is.
ROBOTS_OWN = re.compile(r"wget", re.IGNORECASE)

#: Somebody of whom no more is known than where he is.
HERE = "a program on this box"

#: The longest name that stands in a sentence.
LONGEST = 60


class Party(Enum):
    """What kind of somebody it is, most likely."""

    ROBOT = "robot"
    APP = "app"
    PROGRAM = "program"
    NOBODY = "nobody"


@frozen
class Whom:
    """
    Somebody.

    @ivar label: a noun with its article, as it stands within a sentence.
    """

    party: Party
    label: str


NOBODY = Whom(Party.NOBODY, "somebody")


def asks_as_robot(name: str) -> bool:
    """Whether a host name is one that hardly anybody but robots asks for."""
    return in_zone(name) and ROBOTS.match(name) is not None


def is_apps(agent: str) -> bool:
    """Whether a user agent is one of an app: of no browser and no script."""
    others = agent.startswith(BROWSERS) or PROGRAMS.match(agent)
    return bool(agent) and not others


def is_on_this_box(host: str, local: str) -> bool:
    """
    Whether the other side of a connection is a program on this box.

    Everything here shares those addresses: simulated robots, what tries the ports out, and
    whatever passes connections on.  So nothing that came from them before tells who comes now.

    @param host: its address; empty for a local socket.
    @param local: our own.
    """
    return host in {"", "::1", local} or host.removeprefix("::ffff:").startswith("127.")


def claimed(contact: Contact) -> tuple[str, str]:
    """What somebody calls himself who logs in over MQTT, by the claim: a client id, a user."""
    last = contact.claims[-1] if contact.claims else ""
    client, _, user = last.removeprefix("client id ").partition(", user ")
    return client, user


def claimed_robot(contact: Contact) -> str:
    """The id of the robot that somebody says he is who is not let in yet; empty for none."""
    if contact.speech is Speech.MQTT:
        found = parse_client_id(claimed(contact)[0])
        return found.identity if found.kind is IdKind.ROBOT else ""
    if contact.speech is Speech.XMPP and contact.claims:
        name, _, domain = contact.claims[-1].rpartition(" at ")
        return name if robot_class(domain) and IDENTITY.fullmatch(name) else ""
    return ""


def whom(contact: Contact, known: Acquaintance, named: str = "") -> Whom:
    """
    Who has come.

    @param known: what else is known of his address.
    @param named: what the owner calls the robot, if it is one.
    """
    if contact.robot:
        return robot(contact.robot, named)
    if contact.name:
        return _logged_in(contact.name)
    said = claimed_robot(contact)
    if said:
        return Whom(Party.ROBOT, _so_called(said, named if said == known.robot else ""))
    agent = contact.claims[-1] if contact.speech is Speech.HTTP and contact.claims else ""
    if is_on_this_box(contact.host, contact.local):
        return _on_this_box(agent, server_name(contact))
    return _by_words(contact, agent) or _by_address(contact, known, named)


def _by_words(contact: Contact, agent: str) -> Whom | None:
    """Whoever says who he is; that counts more than who else was at his address."""
    if agent:
        return None if ROBOTS_OWN.match(agent) else _program(agent)
    return _by_claim(contact) if contact.claims else None


def robot(did: str, named: str) -> Whom:
    """A robot."""
    return Whom(Party.ROBOT, f"the robot {clean(named or did, LONGEST)}")


def _so_called(did: str, named: str) -> str:
    """A robot that has not proved that it is that one."""
    return f"somebody that calls itself the robot {clean(named or did, LONGEST)}"


def _by_claim(contact: Contact) -> Whom | None:
    """Somebody who has told a name, if it is one."""
    client, user = claimed(contact)
    name = clean(user or client, LONGEST).strip()
    return Whom(Party.NOBODY, f"somebody called {name!r}") if name else None


def _on_this_box(agent: str, name: str) -> Whom:
    """Somebody who is here himself, by what this connection says."""
    if agent.startswith(BROWSERS):
        return Whom(Party.APP, "a browser on this box")
    if agent:
        return Whom(Party.PROGRAM, f"{HERE} that calls itself {clean(agent, LONGEST).strip()}")
    asked = f" that asked for {clean(name, LONGEST)}" if in_zone(name) else ""
    return Whom(Party.PROGRAM, f"{HERE}{asked}")


def _by_address(contact: Contact, known: Acquaintance, named: str) -> Whom:
    """Nothing was said: by what was at this address before, and by the name that is asked for."""
    name = server_name(contact)
    agent = "" if ROBOTS_OWN.match(known.agent) else known.agent
    as_robot, is_app = asks_as_robot(name), known.user or is_apps(agent)
    if known.robot and (as_robot or not is_app):
        return robot(known.robot, named)
    if as_robot and not is_app:
        return Whom(Party.ROBOT, f"a robot that asked for {clean(name, LONGEST)}")
    if agent and (is_apps(agent) or not in_zone(name)):
        return _program(agent)
    if in_zone(name):
        return Whom(Party.APP, f"an app that asked for {clean(name, LONGEST)}")
    return _logged_in(known.user) if known.user else NOBODY


def _logged_in(name: str) -> Whom:
    """Somebody who is no robot."""
    known = name != "anonymous"
    label = f"the {clean(name, LONGEST)}" if known else "somebody without an account"
    return Whom(Party.PROGRAM, label)


def _program(agent: str) -> Whom:
    """Whoever has a user agent."""
    short = clean(agent, LONGEST).strip()
    if agent.startswith(BROWSERS):
        return Whom(Party.APP, "a browser")
    if PROGRAMS.match(agent):
        return Whom(Party.PROGRAM, f"the program {short}")
    return Whom(Party.APP, f"the app {short.removeprefix('app ')}")
