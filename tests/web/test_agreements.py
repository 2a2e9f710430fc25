"""Tests for L{bumper_tw.web.agreements}: the owner's own list, and real consent."""

import json
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.people_side import DATA
from bumper_tw.core.people import People
from bumper_tw.dialect.logins import PasswordCredentials
from bumper_tw.errors import StartError
from bumper_tw.storage.memory_records import MemoryRecordStore
from bumper_tw.web.agreements import FILE, Agreement, AgreementRoutes, Agreements, load
from bumper_tw.web.engine.entries import MAX_FILE
from bumper_tw.web.guard import Guard
from bumper_tw.web.persons import Persons
from bumper_tw.web.profile import Wrapping
from bumper_tw.web.site import build_site
from tests.core.lodging import ANNA, NOW, Lodging
from tests.web.browser import Browser

PATH = "/v1/private/us/EN/phone/global_e/3.14.0/google_play/1/"
HOUSE_RULES = {"id": "rules.1", "type": "USER", "version": "1.0", "path": "/content/rules?a=1"}


class FileTests(SynchronousTestCase):
    """The files."""

    def setUp(self) -> None:
        self.own = Path(self.mktemp())
        self.own.mkdir()

    def write(self, value: object) -> None:
        """The owner writes a file."""
        (self.own / FILE).write_text(json.dumps(value))

    def test_shipped(self) -> None:
        """Ours has one agreement of each type, and nobody is asked."""
        found = load(DATA, self.own)
        self.assertEqual([each.type for each in found.newest], ["USER", "PRIVACY"])
        self.assertIs(found.required, False)

    def test_own(self) -> None:
        """The owner's replaces ours."""
        self.write({"required": True, "agreements": [HOUSE_RULES]})
        self.assertEqual(load(DATA, self.own), Agreements(True, (Agreement(**HOUSE_RULES),)))

    def test_wrong(self) -> None:
        """What is no such list stops the start, and the sentence names the file."""
        good = {"agreements": [HOUSE_RULES]}
        for wrong in (
            [],
            {},
            {"agreements": [[]]},
            {"agreements": 7},
            {**good, "required": "yes"},
            *({"agreements": [{**HOUSE_RULES, **bad}]} for bad in BAD),
        ):
            self.write(wrong)
            failure = self.assertRaises(StartError, load, DATA, self.own)
            self.assertIn(str(self.own / FILE), str(failure))

    def test_too_long(self) -> None:
        """What no list is as long as is not read to its end."""
        with (self.own / FILE).open("wb") as file:
            file.truncate(MAX_FILE + 1)
        failure = self.assertRaises(StartError, load, DATA, self.own)
        self.assertIn("longer than", str(failure))


BAD: tuple[dict[str, Any], ...] = (
    {"id": "a b"},
    {"id": 7},
    {"type": "OTHER"},
    {"version": "x"},
    {"path": "https://example.com/"},
    {"path": "//example.com/"},
    {"extra": 1},
)


class ConsentTests(SynchronousTestCase):
    """A house where somebody really has to agree."""

    def setUp(self) -> None:
        home = Lodging()
        guard = Guard(home.accounts)
        people = People(home.clock, MemoryRecordStore())
        persons = Persons(home.accounts, people, guard)
        rules = Agreements(True, (Agreement(**HOUSE_RULES),))
        routes = AgreementRoutes(rules, people, persons, Wrapping(home.clock)).routes()
        self.browser = Browser(build_site(routes, home.clock), home.clock)
        typed = PasswordCredentials(account=ANNA, password="x", peer="")
        self.token = self.successResultOf(home.accounts.login(typed, "phone")).text

    def ask(self, name: str) -> Any:
        """The data of an answer to Anna."""
        return self.browser.get(f"{PATH}{name}?accessToken={self.token}").json["data"]

    def test_links(self) -> None:
        """The links begin with what the one who asks calls this box: they are for nobody else."""
        for name in (
            "common/getAgreementURLBatch",
            "agreement/getUserAcceptInfo",
            "user/checkAgreement",
            "user/checkAgreementBatch",
        ):
            page = self.browser.get(f"{PATH}{name}?accessToken={self.token}")
            self.assertEqual(page.headers["cache-control"], "no-store", name)

    def test_consent(self) -> None:
        """Nobody has agreed before he has."""
        self.assertEqual(self.ask("agreement/getUserAcceptInfo")["acceptList"], [])
        [entry] = self.ask("user/checkAgreementBatch")
        self.assertIsNone(entry["acceptTime"])
        self.ask("user/acceptAgreementBatch")
        [entry] = self.ask("user/checkAgreementBatch")
        self.assertEqual(entry["acceptTime"], int(NOW * 1000))
        [accepted] = self.ask("agreement/getUserAcceptInfo")["acceptList"]
        self.assertEqual(accepted["id"], "rules.1")
