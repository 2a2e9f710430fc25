"""Tests for L{bumper_tw.app.cli_owner} and L{bumper_tw.web.owner_control}: C{bumper owner}."""

import json
from contextlib import closing
from typing import Any

from bumper_tw.app import cli_owner
from bumper_tw.app.asking import NotAsked, NotRunning
from bumper_tw.app.cli_parts import now
from bumper_tw.app.settings import Settings
from bumper_tw.core.owner_sessions import Arrival
from bumper_tw.errors import BadRequest
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.migrations import DATABASE, migrate
from bumper_tw.storage.records import RecordStore
from bumper_tw.web.owner_control import OwnerControl
from bumper_tw.web.site import build_site
from tests.app.test_cli import Case
from tests.core.owners import SOFA, WORD, Box
from tests.web.browser import Browser, Page


class OwnerCase(Case):
    """Types C{bumper owner}."""

    def typed(self, *words: str, answer: str = "") -> tuple[object, str, str]:
        """The exit status, and what is written."""
        for written in (self.out, self.err):
            written.truncate(0)
            written.seek(0)
        status = cli_owner.main(words)
        return status, self.out.getvalue(), self.err.getvalue()


class RunningTests(OwnerCase):
    """A server runs."""

    def setUp(self) -> None:
        super().setUp()
        self.box = Box()
        site = build_site(OwnerControl(self.box.access).routes(), self.box.clock)
        self.browser = Browser(site, self.box.clock)
        self.patch(cli_owner, "ask", self.ask)
        self.patch(cli_owner, "tell", self.tell)

    def ask(self, _: Settings, path: str, __: float) -> Any:
        """As over the control socket."""
        return self.answered(self.browser.get(path))

    def tell(self, _: Settings, path: str, document: Any, __: float) -> Any:
        """The same."""
        return self.answered(self.browser.post(path, document))

    def answered(self, page: Page) -> Any:
        if page.status != 200:
            raise NotAsked(f"the server refuses: {page.json['error']}")
        return json.loads(page.body)

    def claim(self) -> None:
        """The box gets an owner."""
        access = self.box.access
        self.successResultOf(access.claim(access.code.current(), WORD, SOFA))

    def test_code(self) -> None:
        """It tells a code that is good, each time another."""
        first, second = (self.said("code").splitlines()[0] for _ in range(2))
        self.assertNotEqual(first, second)
        self.failureResultOf(self.box.access.claim(first, WORD, SOFA))
        self.successResultOf(self.box.access.claim(second, WORD, Arrival("192.168.7.9")))

    def test_no_code(self) -> None:
        """With an owner there is none, but a way out."""
        self.claim()
        self.assertIn("bumper owner reset", self.complaint("code"))

    def test_reset(self) -> None:
        """Without a password, and tokens stay."""
        self.claim()
        self.successResultOf(self.box.access.tokens.make("hub", ["read"]))
        self.assertIn("1 token for scripts stay", self.said("reset"))
        self.assertFalse(self.box.access.is_set)
        self.assertIn("logged in: 0 browsers", self.said("status"))

    def test_status(self) -> None:
        """How it is, in words."""
        self.assertIn("no password yet", self.said("status"))
        self.claim()
        said = self.said("status")
        self.assertIn("the password was set 20", said)
        self.assertIn("logged in: 1 browser\n", said)

    def test_full_disk(self) -> None:
        """When it is not done, that is said."""
        self.claim()
        self.box.store.full = True
        self.assertIn("cannot be stored", self.complaint("reset"))
        self.assertTrue(self.box.access.is_set)


class StoppedTests(OwnerCase):
    """No server runs."""

    def setUp(self) -> None:
        super().setUp()
        self.folder.mkdir()
        migrate(self.folder / DATABASE)

    def claim(self) -> None:
        """An owner is stored."""
        with closing(InlineDatabase(self.folder / DATABASE)) as database:
            access = cli_owner.access_on(database, Settings())
            now(access.load(RecordStore(database)))
            now(access.claim(access.code.current(), WORD, SOFA))

    def test_code(self) -> None:
        """Only a server that runs has a code."""
        self.assertIn("no server is running", self.complaint("code"))

    def test_reset(self) -> None:
        """The password is removed where it is stored."""
        self.claim()
        self.assertIn("logged in: 1 browser", self.said("status"))
        self.assertIn("no password any more", self.said("reset"))
        self.assertIn("no password yet", self.said("status"))

    def test_beside(self) -> None:
        """Not beside a server that cannot be asked: it would write back what it has in memory."""
        self.claim()

        def gone(*_: object) -> None:
            raise NotRunning("there is none")

        self.patch(cli_owner, "tell", gone)

        def runs(_: Settings, what: str) -> None:
            raise BadRequest(f"a server is running; stop it first, then {what}")

        self.patch(cli_owner, "must_not_run", runs)
        self.assertIn("stop it first", self.complaint("reset"))
        self.assertIn("logged in: 1 browser", self.said("status"))
