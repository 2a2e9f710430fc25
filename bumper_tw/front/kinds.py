"""What can happen to a contact: how it is told, and the words to say it with."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from attrs import frozen

from bumper_tw.front.acquaintances import PATIENCE, Acquaintance
from bumper_tw.front.alerts import Trouble, trouble
from bumper_tw.front.contact import Contact, Outcome, Speech
from bumper_tw.front.tls_names import CIPHERS, VERSIONS, called
from bumper_tw.front.whom import (
    SCANNERS,
    Party,
    Whom,
    asks_as_robot,
    clean,
    is_on_this_box,
    is_vendors,
    server_name,
)

#: As many of our ports within so many seconds are more than anybody needs who wants something.
PORTS, SECONDS = 3, 60.0

#: How many seconds around a connection others of the same client are taken to be well.
NEARBY = 600.0

#: How a version of MQTT is refused.
LEVEL = re.compile(r"speaks .* level \d+|protocol level|MQTT 5", re.IGNORECASE)

#: As many suites stand in a sentence.
SUITES = 4

#: What is spoken, by what the settings call it.
SPOKEN = {"web": "HTTP", "mqtt": "MQTT", "xmpp": "XMPP", "all": "HTTP, MQTT and XMPP"}

#: How addresses begin where the same is spoken within TLS.
WITH_TLS = {Speech.HTTP: "https://", Speech.MQTT: "mqtts://"}


@frozen
class Case:
    """
    A contact with all that is known around it.

    @ivar now: seconds since 1970.
    @ivar http_port: where HTTP is spoken in clear text; 0 when nobody knows.
    """

    contact: Contact
    known: Acquaintance
    whom: Whom
    now: float
    http_port: int = 80


@frozen
class Kind:
    """
    Something that can happen.

    @ivar fits: whether it is that.
    @ivar sentence: what to say then, with L{words} in it; so is C{remedy}.
    """

    name: str
    fits: Callable[[Case], bool]
    sentence: str
    remedy: str = ""
    sound: bool = False


def words(case: Case) -> Mapping[str, str]:
    """What sentences are filled with; nothing of it steers a terminal."""
    contact = case.contact
    found = {
        "who": case.whom.label,
        "Who": case.whom.label[:1].upper() + case.whom.label[1:],
        "host": contact.host,
        "port": str(contact.local_port),
        "page": page(contact.local, case.http_port),
        "serves": SPOKEN.get(contact.serves, contact.serves),
        "speech": contact.speech.value or "the protocol",
        "clear": contact.speech.value if contact.speech in WITH_TLS else "something",
        "tls_scheme": WITH_TLS.get(contact.speech, "or begin with it"),
        "verdict": contact.verdict.rstrip(".") or "no reason was given",
        "alert": contact.alert or "without a word",
        "in_words": f" ({contact.alert})" if contact.alert else "",
        "in_reason": f" ({contact.reason})" if contact.reason else "",
        "first": contact.first or "nothing",
        "told": contact.told,
        "versions": versions(contact),
        "suites": suites(contact),
        "now": datetime.fromtimestamp(case.now).strftime("%Y-%m-%d %H:%M"),
        "served": "answered" if contact.speech is Speech.HTTP else "let in",
    }
    return {name: clean(text, 500) for name, text in found.items()}


def page(local: str, port: int) -> str:
    """Where the certificate of our authority is, for whoever reached us at that address."""
    host = (f"[{local}]" if ":" in local else local) or "<address of this box>"
    return f"http://{host}/ca" if port in {0, 80} else f"http://{host}:{port}/ca"


def versions(contact: Contact) -> str:
    """The versions of TLS that a client offers."""
    hello = contact.hello
    return ", ".join(called(hello.versions, VERSIONS) if hello else ()) or "none that is known"


def suites(contact: Contact) -> str:
    """The first cipher suites that a client offers."""
    found = called(contact.hello.ciphers, CIPHERS) if contact.hello else []
    more = f" and {len(found) - SUITES} more" if len(found) > SUITES else ""
    return (", ".join(found[:SUITES]) or "none that is known") + more


def _trouble(case: Case) -> Trouble | None:
    """Why TLS failed, if it did."""
    contact = case.contact
    return trouble(contact.alert) if contact.outcome is Outcome.TLS_FAILED else None


def _is_robots(case: Case) -> bool:
    return case.whom.party is Party.ROBOT


def _is_here(case: Case) -> bool:
    return is_on_this_box(case.contact.host, case.contact.local)


def _rejected(case: Case) -> bool:
    """Whether our certificate was looked at, and not liked."""
    return _trouble(case) in {Trouble.UNTRUSTED, Trouble.DISLIKED}


def _left_at_once(case: Case) -> bool:
    """Whether the handshake was all there was."""
    contact = case.contact
    return contact.outcome is Outcome.SECURED and not contact.lasts and not contact.by_us


def _proved(case: Case) -> bool:
    return 0 < case.known.trusted_since <= case.contact.began


def crowded(case: Case) -> bool:
    """There were too many."""
    return case.contact.outcome is Outcome.CROWDED


def not_spoken(case: Case) -> bool:
    """A version of the protocol that we do not speak."""
    contact = case.contact
    unhappy = contact.outcome in {Outcome.REFUSED, Outcome.VIOLATION}
    said = f"{contact.verdict} {contact.reason}"
    return unhappy and contact.speech is Speech.MQTT and LEVEL.search(said) is not None


def refused(case: Case) -> bool:
    """It was not let in."""
    return case.contact.outcome is Outcome.REFUSED


def violation(case: Case) -> bool:
    """It broke the rules."""
    return case.contact.outcome is Outcome.VIOLATION


def clear_on_tls(case: Case) -> bool:
    """Clear text where TLS was expected."""
    wrong = case.contact.outcome is Outcome.WRONG_LAYER and case.contact.wants_tls
    return wrong or _trouble(case) is Trouble.CLEAR


def old_tls(case: Case) -> bool:
    """No version of TLS in common."""
    return _trouble(case) is Trouble.VERSION


def no_cipher(case: Case) -> bool:
    """No cipher suite in common."""
    return _trouble(case) is Trouble.CIPHER


def clock(case: Case) -> bool:
    """It says that it is the wrong time for our certificate."""
    return _trouble(case) is Trouble.CLOCK


def robot_pins(case: Case) -> bool:
    """A robot looked at our certificate and did not like it."""
    if not _is_robots(case):
        return False
    as_robot = asks_as_robot(server_name(case.contact))
    return _rejected(case) or (_left_at_once(case) and as_robot and not unused(case))


def app_pins(case: Case) -> bool:
    """It does not like our certificate, and something beside it does."""
    return _rejected(case) and _proved(case) and not _is_here(case)


def app_left(case: Case) -> bool:
    """An app shook hands and left."""
    name = server_name(case.contact)
    return _left_at_once(case) and is_vendors(name) and not unused(case)


def disliked(case: Case) -> bool:
    """It does not like our certificate, for one of several reasons."""
    return _trouble(case) is Trouble.DISLIKED


def program_rejected(case: Case) -> bool:
    """A program, that nobody can open a page on, does not trust us."""
    return untrusted(case) and case.whom.party is Party.PROGRAM


def untrusted(case: Case) -> bool:
    """It does not know who vouches for us."""
    return _trouble(case) is Trouble.UNTRUSTED


def cut(case: Case) -> bool:
    """The handshake was ended without a reason."""
    contact = case.contact
    ended = contact.outcome is Outcome.HANDSHAKE and not contact.lasts and not contact.by_us
    return (ended and not scanner(case)) or _trouble(case) is Trouble.GIVEN_UP


def tls_failed(case: Case) -> bool:
    """TLS failed for any other reason."""
    return case.contact.outcome is Outcome.TLS_FAILED


def tls_on_clear(case: Case) -> bool:
    """TLS where clear text was expected."""
    contact = case.contact
    strange = contact.outcome in {Outcome.NO_PROTOCOL, Outcome.WRONG_PROTOCOL}
    return contact.outcome is Outcome.WRONG_LAYER or (
        strange and not contact.tls and contact.first.startswith("16 03")
    )


def mqtt_on_web(case: Case) -> bool:
    """MQTT where HTTP is answered only."""
    return wrong_protocol(case) and (case.contact.speech, case.contact.serves) == (
        Speech.MQTT,
        "web",
    )


def wrong_protocol(case: Case) -> bool:
    """A protocol that is not for this port."""
    return case.contact.outcome is Outcome.WRONG_PROTOCOL


def scanner(case: Case) -> bool:
    """Somebody unknown who tries one port after the other, or says what he is."""
    contact = case.contact
    if any(SCANNERS.search(claim) for claim in contact.claims):
        return True
    vague = contact.outcome in {Outcome.SILENT, Outcome.NO_PROTOCOL, Outcome.HANDSHAKE}
    if not vague or contact.lasts or case.known.is_anybody():
        return False
    return case.known.ports_around(contact.began, SECONDS) >= PORTS


def no_protocol(case: Case) -> bool:
    """It spoke nothing that we know."""
    return case.contact.outcome is Outcome.NO_PROTOCOL


def too_slow(case: Case) -> bool:
    """It took too long."""
    return case.contact.outcome is Outcome.TOO_SLOW


def unused(case: Case) -> bool:
    """
    It shook hands to no purpose: it spoke on another connection, before or after, or wants
    nothing of the vendor's, or tries out on this box whether TLS works.
    """
    contact, known = case.contact, case.known
    well = bool(known.content_at) and abs(known.content_at - contact.began) <= NEARBY
    nothing = _is_here(case) or not is_vendors(server_name(contact))
    return _left_at_once(case) and (well or nothing)


def own_look(case: Case) -> bool:
    """Somebody on this box looked whether a port is open."""
    return silent(case) and _is_here(case)


def silent(case: Case) -> bool:
    """It came and did not say anything."""
    contact = case.contact
    return contact.outcome is Outcome.SILENT and not contact.lasts and not contact.received


def sent_away(case: Case) -> bool:
    """It was told where to go, and did not come."""
    contact, known = case.contact, case.known
    if contact.outcome is not Outcome.ACCEPTED or not contact.told:
        return False
    waits = known.sent is not None and case.now - known.sent_since >= PATIENCE
    return waits and not known.came_since(contact.began)


def unfinished(case: Case) -> bool:
    """It was not let in, and nobody knows why it left."""
    contact = case.contact
    return not contact.lasts and not contact.by_us and contact.outcome is not Outcome.ACCEPTED


def cut_off(case: Case) -> bool:
    """We ended it before anybody knew."""
    contact = case.contact
    return not contact.lasts and contact.by_us and contact.outcome is not Outcome.ACCEPTED


def undecided(case: Case) -> bool:
    """It is there, and nobody knows yet."""
    return case.contact.outcome is not Outcome.ACCEPTED
