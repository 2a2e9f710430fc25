"""What can happen to a contact: how it is told, and the words to say it with."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from attrs import frozen

from bumper_tw.front.acquaintances import PATIENCE, Acquaintance
from bumper_tw.front.contact import TOO_MANY, Contact, Outcome, Speech, clean
from bumper_tw.front.tls_names import lacking, suites, versions
from bumper_tw.front.whom import SCANNERS, Whom, claimed_robot, is_on_this_box

#: As many of our ports within so many seconds are more than anybody needs who wants something.
PORTS, SECONDS = 3, 60.0

#: How a version of MQTT is refused.
LEVEL = re.compile(r"speaks .* level \d+|protocol level|MQTT 5", re.IGNORECASE)

#: How a robot is refused that comes with another secret than before.
SECRET = re.compile(r"\bcame with (?!the token of another)")

#: What stands before the reason of a refusal, and is told anyway.
NAMED = re.compile(r"\A'[^']*' refused: ")

#: How reasons begin that are no sentence.
PREDICATE = re.compile(r"(?:came|is|speaks|logs|gave) ")

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
    lacks, offers = lacking(contact.hello, contact.alert)
    found = {
        "who": case.whom.label,
        "Who": case.whom.label[:1].upper() + case.whom.label[1:],
        "host": contact.host,
        "robot": claimed_robot(contact),
        "port": str(contact.local_port),
        "page": page(contact.local, case.http_port),
        "serves": SPOKEN.get(contact.serves, contact.serves),
        "speech": contact.speech.value or "the protocol",
        "clear": contact.speech.value if contact.speech in WITH_TLS else "something",
        "tls_scheme": WITH_TLS.get(contact.speech, "or begin with it"),
        "verdict": verdict(contact) or "no reason was given",
        "alert": contact.alert.rstrip(".") or "without a word",
        "in_words": f" ({contact.alert})" if contact.alert else "",
        "in_reason": f" ({contact.reason.rstrip('.')})" if contact.reason else "",
        "first": contact.first or "nothing",
        "told": contact.told,
        "versions": versions(contact.hello),
        "suites": suites(contact.hello),
        "lacks": lacks,
        "offers": offers,
        "phase": "a secure connection" if contact.tls else "the TLS handshake",
        "now": datetime.fromtimestamp(case.now).strftime("%Y-%m-%d %H:%M"),
        "served": "answered" if contact.speech is Speech.HTTP else "let in",
    }
    return {name: clean(text, 500) for name, text in found.items()}


def verdict(contact: Contact) -> str:
    """Why somebody was not let in, as the end of a sentence."""
    why = NAMED.sub("", contact.verdict).rstrip(".")
    return f"it {why}" if PREDICATE.match(why) else why


def page(local: str, port: int) -> str:
    """Where the certificate of our authority is, for whoever reached us at that address."""
    host = (f"[{local}]" if ":" in local else local) or "<address of this box>"
    return f"http://{host}/ca" if port in {0, 80} else f"http://{host}:{port}/ca"


def is_here(case: Case) -> bool:
    return is_on_this_box(case.contact.host, case.contact.local)


def crowded(case: Case) -> bool:
    """There were too many."""
    return case.contact.outcome is Outcome.CROWDED


def crowded_out(case: Case) -> bool:
    """There were too many who had not said what they want."""
    return crowded(case) and case.contact.verdict == TOO_MANY


def not_spoken(case: Case) -> bool:
    """A version of the protocol that we do not speak."""
    contact = case.contact
    unhappy = contact.outcome in {Outcome.REFUSED, Outcome.VIOLATION}
    said = f"{contact.verdict} {contact.reason}"
    return unhappy and contact.speech is Speech.MQTT and LEVEL.search(said) is not None


def wrong_secret(case: Case) -> bool:
    """A robot came with another secret than before."""
    contact = case.contact
    return refused(case) and bool(claimed_robot(contact) and SECRET.search(contact.verdict))


def refused(case: Case) -> bool:
    """It was not let in."""
    return case.contact.outcome is Outcome.REFUSED


def violation(case: Case) -> bool:
    """It broke the rules."""
    return case.contact.outcome is Outcome.VIOLATION


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


def slow_inside(case: Case) -> bool:
    """TLS was there in time."""
    contact = case.contact
    return too_slow(case) and bool(contact.tls) and contact.speech is Speech.NOTHING


def own_look(case: Case) -> bool:
    """Somebody on this box looked whether a port is open."""
    return silent(case) and is_here(case)


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
