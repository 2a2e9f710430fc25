"""One contact in plain words: what happened, in its order, and what that comes to."""

import re
from collections.abc import Iterator
from datetime import datetime

from bumper_tw.front.alerts import came_before
from bumper_tw.front.contact import Contact, Outcome, Speech, clean
from bumper_tw.front.diagnosis import Diagnosis
from bumper_tw.front.journal import Remark
from bumper_tw.front.kinds import SPOKEN, verdict
from bumper_tw.front.tls_names import suites, versions
from bumper_tw.front.whom import NOBODY, Whom

#: How times are written.
SECONDS = "%H:%M:%S"

#: What stands in front of the lines behind the first one.
INDENT = " " * 9

#: Before what is wrong, and before what to do about it.
WRONG, REMEDY = f"{INDENT}=> ", f"{INDENT}-> "


#: How somebody calls himself who gives no client id, which MQTT allows.
NO_ID = re.compile(r"\Aclient id (?=,|\Z)")

#: How far TLS can get.
WITHIN_TLS = frozenset({Outcome.HANDSHAKE, Outcome.SECURED, Outcome.TLS_FAILED})


def tell(contact: Contact, whom: Whom, diagnosis: Diagnosis) -> tuple[str, ...]:
    """
    The lines of the story; nothing in them steers a terminal.

    As the contact goes on there are more of them, and hardly any that was there before changes.
    """
    happened = [f"{INDENT}{line}" for line in _happened(contact)]
    lines = [_arrival(contact, whom), *happened, *_moral(diagnosis)]
    return tuple(clean(line, 1000) for line in lines)


def tell_remark(remark: Remark) -> tuple[str, ...]:
    """What was noted of this box, in the same way."""
    verdict = "is well" if remark.sound else "is not well"
    first = f"{_time(remark.when)} {remark.check} {verdict}: {remark.sentence}"
    rest = [f"{REMEDY}{remark.remedy}"] if remark.remedy else []
    return tuple(clean(line, 1000) for line in (first, *rest))


def _time(when: float) -> str:
    return datetime.fromtimestamp(when).strftime(SECONDS)


def _arrival(contact: Contact, whom: Whom) -> str:
    host, who = contact.host, "" if whom == NOBODY else f" ({whom.label})"
    if not host:
        host, who = f"{whom.label[:1].upper()}{whom.label[1:]}", ""
    kind = ", TLS" if contact.wants_tls else ""
    spoken = SPOKEN.get(contact.serves, contact.serves)
    return (
        f"{_time(contact.began)} {host}{who} came to port {contact.local_port} ({spoken}{kind})."
    )


def _happened(contact: Contact) -> Iterator[str]:
    yield from _talk(contact)
    yield from _verdict(contact)
    if contact.told:
        yield f"It asked where to go, and was told {contact.told}."
    if contact.trusts:
        yield "It has shown that it trusts this box."
    if not contact.lasts:
        yield _end(contact)


def _talk(contact: Contact) -> Iterator[str]:
    """TLS, and what was said; XMPP may turn to TLS only after a while (RFC 6120, 5)."""
    if contact.speech is not Speech.XMPP or contact.outcome not in WITHIN_TLS:
        yield from _handshake(contact)
        yield from _spoken(contact)
    elif contact.serves == "xmpp":
        # What comes there is taken for XMPP, also when it begins with TLS.
        yield from _handshake(contact)
    else:
        yield "It spoke XMPP, and asked for TLS then."
        yield from _handshake(contact)


def _handshake(contact: Contact) -> Iterator[str]:
    hello = contact.hello
    if hello is not None:
        name = hello.server_name
        wanted = f"asked for {name}" if name else "did not say for which name it came"
        yield f"It wanted TLS, and {wanted}."
    if contact.shown and hello is not None and not came_before(contact.alert):
        yield f"It was shown the certificate {contact.shown}."
    if contact.tls:
        yield f"They agreed on {contact.tls}."
    if contact.alert:
        if hello is not None:
            yield f"It offered {versions(hello)} with {suites(hello)}."
        yield f"TLS failed: {contact.alert.rstrip('.')}."


def _spoken(contact: Contact) -> Iterator[str]:
    if contact.speech is Speech.OTHER:
        yield f"It began with {contact.first or 'nothing known'}, which is no known protocol."
    elif contact.speech is not Speech.NOTHING:
        yield f"It spoke {contact.speech.value}."
    if contact.claims:
        claims = (NO_ID.sub("no client id", claim) for claim in contact.claims)
        yield f"It called itself {', '.join(claims)}."


def _verdict(contact: Contact) -> Iterator[str]:
    if contact.outcome is Outcome.ACCEPTED and contact.speech is not Speech.HTTP:
        yield f"It was let in as {contact.name or 'somebody without a name'}."
    elif contact.verdict:
        yield f"It was turned away: {verdict(contact)}."
    if contact.requests and contact.lasts:
        yield "It asked over HTTP, and was answered."


def _end(contact: Contact) -> str:
    asked = f"It was answered {times(contact.requests)} over HTTP" if contact.requests else "It"
    last = f" ({_last(contact)}), and" if contact.requests else ""
    lasted = max(0.0, contact.ended - contact.began)
    return (
        f"{asked}{last} ended after {duration(lasted)}"
        f"{': ' + contact.reason.rstrip('.') if contact.reason else ''}; "
        f"{size(contact.received)} came in, {size(contact.sent)} went out."
    )


def _last(contact: Contact) -> str:
    """What was asked for; words stand for a path that is not to be told."""
    is_path = contact.asked.startswith("/")
    return f"the last path was {contact.asked}" if is_path else f"it asked for {contact.asked}"


def _moral(diagnosis: Diagnosis) -> Iterator[str]:
    if not diagnosis.sound:
        yield f"{WRONG}{diagnosis.sentence}"
        if diagnosis.remedy:
            yield f"{REMEDY}{diagnosis.remedy.rstrip('.')}."


def times(count: int) -> str:
    """How often."""
    return "once" if count == 1 else f"{count} times"


def duration(seconds: float) -> str:
    """A length of time, as exact as anybody wants to know it."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def size(count: int) -> str:
    """A number of bytes."""
    if count < 10_000:
        return f"{count} bytes"
    return f"{count / 1000:.0f} kB" if count < 10_000_000 else f"{count / 1_000_000:.0f} MB"
