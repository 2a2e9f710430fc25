"""What the app wants its users to agree to (http-endpoints-app.md 3)."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from attrs import evolve, field, frozen
from attrs.validators import deep_iterable, in_, instance_of, matches_re
from twisted.internet.defer import Deferred

from bumper_tw.core.people import People
from bumper_tw.dialect.envelopes import parse_json
from bumper_tw.errors import StartError
from bumper_tw.web.call import Answer, Call
from bumper_tw.web.engine.answers import contents
from bumper_tw.web.engine.template import NO_STORE
from bumper_tw.web.persons import Person, Persons
from bumper_tw.web.profile import Wrapping, everywhere
from bumper_tw.web.routes import POST, Route
from bumper_tw.web.told import told_ids

#: The file, as we ship it and as the owner may have his own.
FILE = "agreements.json"

#: What the field of requests may be called; no document says how it is.
IDS = ("ids", "id", "agreementIds", "agreementList", "agreementId")

#: What the C{appCode} of apps from version 1 on has in it; to others there are no agreements.
GLOBAL = "global_"


@frozen
class Agreement:
    """
    The newest version of one agreement.

    @ivar path: of its text, on this box.
    """

    id: str = field(validator=matches_re(r"[A-Za-z0-9_.-]{1,64}"))
    type: str = field(validator=in_(("USER", "PRIVACY")))
    version: str = field(validator=matches_re(r"[0-9.]{1,16}"))
    path: str = field(default="/content/agreement", validator=matches_re(r"/(?!/)[!-~]{0,200}"))


@frozen
class Agreements:
    """
    What there is to agree to.

    @ivar required: whether somebody really has to; else everybody always has.
    """

    required: bool = field(validator=instance_of(bool))
    newest: tuple[Agreement, ...] = field(
        validator=deep_iterable(instance_of(Agreement), instance_of(tuple))
    )


def load(shipped: Path, own: Path) -> Agreements:
    """
    Read the file of the owner, if he has one, or else ours.

    @param shipped: the folder of our file, and C{own} that of his.
    @raise StartError: his says something else.
    """
    path = own / FILE if (own / FILE).is_file() else shipped / FILE
    try:
        said = parse_json(contents(path))
        return Agreements(
            said.get("required", False),
            tuple(Agreement(**each) for each in said["agreements"]),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as wrong:
        raise StartError(f"{path}: not a list of agreements: {wrong}") from wrong


class AgreementRoutes:
    """
    One list of agreements for everybody, and who has accepted them when.

    The app does not go on before its user has accepted the newest ones.  So everybody has, from
    his first day, unless the owner says that he wants to be asked.
    """

    def __init__(
        self, agreements: Agreements, people: People, persons: Persons, wrapping: Wrapping
    ) -> None:
        self._agreements, self._people = agreements, people
        self._persons, self._wrapping = persons, wrapping

    def routes(self) -> Iterator[Route]:
        """AG01 to AG07."""
        for name, answer in (
            ("common/getAgreementURLBatch", self.newest),
            ("agreement/getUserAcceptInfo", self.both_lists),
            ("user/checkAgreement", self.check),
            ("user/checkAgreementBatch", self.check_batch),
            ("user/acceptAgreementBatch", self.accept),
        ):
            yield from everywhere(f"/{name}", answer, self._wrapping.failed)
        yield Route("/api/content/agreement", POST, self.accept, self._wrapping.failed)

    def newest(self, call: Call) -> Answer:
        """AG01, before anybody is logged in."""
        return self._linked([self._entry(call, each) for each in self._agreements.newest])

    def both_lists(self, call: Call) -> Answer:
        """AG02: what is in both lists needs no consent."""
        accepted = self._accepted(self._persons.person(call))
        newest = self._agreements.newest
        data = {
            "acceptList": [
                self._entry(call, each, accepted[each.id])
                for each in newest
                if each.id in accepted
            ],
            "newestList": [self._entry(call, each, force="N") for each in newest],
        }
        return self._linked(data)

    def check(self, call: Call) -> Answer:
        """AG03, for the oldest apps."""
        if GLOBAL not in call.segments.get("app", ""):
            return self._wrapping.ok([])
        entries = self._checked(call)
        for entry in entries:
            del entry["updateDesc"]
        return self._linked(entries)

    def check_batch(self, call: Call) -> Answer:
        """AG04 and AG05."""
        return self._linked(self._checked(call))

    def _linked(self, entries: object) -> Answer:
        return evolve(self._wrapping.ok(entries), headers=NO_STORE)

    def _checked(self, call: Call) -> list[dict[str, Any]]:
        accepted = self._accepted(self._persons.person(call))
        return [
            self._entry(call, each, accepted.get(each.id), "N") for each in self._agreements.newest
        ]

    def accept(self, call: Call) -> Deferred[Answer]:
        """AG06 and AG07: those that are named, or all."""
        uid, ids = self._persons.named(call), told_ids(call, *IDS)
        newest = [each.id for each in self._agreements.newest]
        named = newest if ids is None else [each for each in newest if each in ids]
        return self._people.accept(uid, named).addCallback(lambda _: self._wrapping.ok(None))

    def _accepted(self, person: Person) -> Mapping[str, int]:
        """When somebody has accepted what, in milliseconds."""
        said = self._people.accepted(person.uid)
        own = {each: int(at * 1000) for each, at in said.items()}
        if self._agreements.required:
            return own
        # Nobody has been here before he had an account.
        since = int(person.created_at * 1000) or self._wrapping.now_ms
        return {**{each.id: since for each in self._agreements.newest}, **own}

    def _entry(
        self, call: Call, agreement: Agreement, at_ms: int | None = None, force: str | None = None
    ) -> dict[str, Any]:
        language = call.segments.get("lang", "EN").upper()
        query = urlencode({"id": agreement.id, "language": language}, quote_via=quote)
        return {
            "acceptTime": at_ms,
            "force": force,
            "id": agreement.id,
            "type": agreement.type,
            "url": f"{call.base_url}{agreement.path}?{query}",
            "version": agreement.version,
            "updateDesc": None,
        }
