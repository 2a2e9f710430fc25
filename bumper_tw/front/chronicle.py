"""The journal as others get it: each entry in words, and as JSON."""

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReactorTime

from bumper_tw.front.acquaintances import Acquaintances
from bumper_tw.front.contact import Contact, clean
from bumper_tw.front.diagnosis import Diagnosis, diagnose
from bumper_tw.front.journal import Entry, Journal, Remark
from bumper_tw.front.kinds import Case
from bumper_tw.front.story import tell, tell_remark
from bumper_tw.front.tls_names import CIPHERS, GROUPS, SIGNATURES, VERSIONS, called
from bumper_tw.front.whom import whom
from bumper_tw.wire.client_hello import ClientHello

#: As many names of one kind, which the client says, are told of a hello: more than programs that
#: people have ever send.
LISTED = 30

#: Fields of a contact that are told as they are.
PLAIN = (
    "revision", "number", "began", "ended", "lasts", "host", "port", "local", "local_port",
    "serves", "wants_tls", "tls", "shown", "alert", "first", "name", "robot", "asked",
    "requests", "called", "told", "trusts", "verdict", "received", "sent", "reason", "by_us",
)  # fmt: skip


class Chronicle:
    """
    Says what entries of the journal mean, in the light of the others.

    @ivar journal: the journal.
    @ivar acquaintances: who is at which address.
    """

    def __init__(
        self,
        clock: IReactorTime,
        journal: Journal,
        acquaintances: Acquaintances,
        http_port: Callable[[], int | None] = lambda: None,
    ) -> None:
        """
        @param http_port: where HTTP is spoken in clear text, if that is known.
        """
        self._http_port = http_port
        self._clock, self.journal, self.acquaintances = clock, journal, acquaintances

    def case(self, contact: Contact) -> Case:
        """A contact with all that is known around it."""
        known = self.acquaintances.at(contact.host)
        named = self.acquaintances.named(contact.robot or known.robot)
        who, port = whom(contact, known, named), self._http_port() or 0
        return Case(contact, known, who, self._clock.seconds(), port)

    def diagnosis(self, contact: Contact) -> Diagnosis:
        """What a contact comes to, as far as it is known now."""
        return diagnose(self.case(contact))

    def entry(self, entry: Entry, full: bool = False) -> dict[str, Any]:
        """
        An entry as JSON has it: C{kind} is C{contact} or C{remark}; every entry has
        C{revision}, C{diagnosis} and C{story}.

        @param full: leave nothing out of a hello.
        """
        return self._remark(entry) if isinstance(entry, Remark) else self._contact(entry, full)

    def _contact(self, contact: Contact, full: bool) -> dict[str, Any]:
        case = self.case(contact)
        found = diagnose(case)
        return {
            "kind": "contact",
            **{name: getattr(contact, name) for name in PLAIN},
            "speech": contact.speech.value,
            "outcome": contact.outcome.value,
            "claims": list(contact.claims),
            "hello": None if contact.hello is None else hello_entry(contact.hello, full),
            "who": case.whom.label,
            "robot_name": clean(self.acquaintances.named(contact.robot)) if contact.robot else "",
            "diagnosis": diagnosis_entry(found),
            "story": "\n".join(tell(contact, case.whom, found)),
        }

    @staticmethod
    def _remark(remark: Remark) -> dict[str, Any]:
        found = Diagnosis(remark.check, remark.sound, remark.sentence, remark.remedy)
        return {
            "kind": "remark",
            "revision": remark.revision,
            "when": remark.when,
            "check": remark.check,
            "diagnosis": diagnosis_entry(found),
            "story": "\n".join(tell_remark(remark)),
        }


def diagnosis_entry(found: Diagnosis) -> dict[str, Any]:
    """A diagnosis."""
    return {
        "name": found.name,
        "sound": found.sound,
        "sentence": found.sentence,
        "remedy": found.remedy,
    }


def hello_entry(hello: ClientHello, full: bool = False) -> dict[str, Any]:
    """
    What a client offers, by the names of the numbers; C{more} is how many names were left out.

    @param full: leave nothing out.
    """
    names = {
        "versions": called(hello.versions, VERSIONS),
        "ciphers": called(hello.ciphers, CIPHERS),
        "groups": called(hello.groups, GROUPS),
        "signatures": called(hello.signatures, SIGNATURES),
        "alpn": [clean(name, 60) for name in hello.alpn],
    }
    most = None if full else LISTED
    told = {kind: each[:most] for kind, each in names.items()}
    more = sum(len(names[kind]) - len(told[kind]) for kind in names)
    return {"server_name": clean(hello.server_name), **told, "more": more}
