"""Tests for L{bumper_tw.app.dashboard_backup} and the page in front of it."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.backups import archive
from bumper_tw.app.backups.output import new_file
from bumper_tw.app.backups.sealing import is_sealed
from bumper_tw.app.cli import at_once
from bumper_tw.app.dashboard_backup import DRAFT, BackupDesk, BundleDesk, Handed
from bumper_tw.app.dashboard_support import bundle
from bumper_tw.app.settings import Settings
from bumper_tw.errors import BadRequest, RobotBusy, StorageError
from bumper_tw.pki.directory import CA
from bumper_tw.storage.migrations import DATABASE, migrate
from bumper_tw.web.dashboard.house_backup import BackupRoutes
from tests.web.dashboard.house_case import (
    CHANGE,
    NOW,
    OWNER,
    HousePageCase,
    admit,
    member,
    owner,
    words,
)

FORM = (*OWNER, ("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "text/html"))


class BoxCase(SynchronousTestCase):
    """The folders of a server."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.data, certs = self.folder / "data", self.folder / "certs"
        self.data.mkdir(parents=True)
        certs.mkdir()
        (certs / CA).write_text("a certificate")
        migrate(self.data / DATABASE)
        self.settings = Settings()
        self.settings = evolve(
            self.settings,
            storage=evolve(self.settings.storage, directory=self.data),
            tls=evolve(self.settings.tls, directory=certs),
        )
        self.clock = Clock()
        self.clock.advance(NOW)

    def desk(self, in_thread: Any = at_once) -> BackupDesk:
        """Makes backups."""
        return BackupDesk(self.clock, self.settings, None, in_thread)

    def left(self) -> list[str]:
        """What is left of backups."""
        return [path.name for path in self.data.iterdir() if path.name.startswith(".")]


class DeskTests(BoxCase):
    """Making one."""

    def test_made(self) -> None:
        """All is in it, and it has no name any more while it is read."""
        made: Handed = self.successResultOf(self.desk().make(""))
        self.assertEqual(self.left(), [])
        data = made.file.read()
        made.file.close()
        self.assertEqual(len(data), made.size)
        with tarfile.open(fileobj=io.BytesIO(data)) as opened:
            self.assertIn(f"certs/{CA}", opened.getnames())
            self.assertIn(f"data/{DATABASE}", opened.getnames())

    def test_sealed(self) -> None:
        """With a passphrase nobody can read it."""
        made: Handed = self.successResultOf(self.desk().make("a long passphrase"))
        self.addCleanup(made.file.close)
        self.assertTrue(is_sealed(made.file.read(64)))

    def test_one(self) -> None:
        """There is one at a time, until it is fetched."""
        desk = self.desk()
        made: Handed = self.successResultOf(desk.make(""))
        self.failureResultOf(desk.make(""), RobotBusy)
        made.file.close()
        made.file.close()
        again: Handed = self.successResultOf(desk.make(""))
        again.file.close()

    def test_gone(self) -> None:
        """Whoever is gone when it is made does not stand in the way of the next."""
        work: list[Callable[[], None]] = []

        def slowly(job: Callable[[], Any]) -> Deferred[Any]:
            done: Deferred[Any] = Deferred()
            work.append(lambda: done.callback(job()))
            return done

        desk = self.desk(slowly)
        waiting = desk.make("")
        waiting.addErrback(lambda _: None)
        waiting.cancel()
        self.failureResultOf(desk.make(""), RobotBusy)
        work.pop()()
        self.assertEqual(self.left(), [])
        next_one = desk.make("")
        work.pop()()
        self.successResultOf(next_one).file.close()

    def test_disk_full(self) -> None:
        """What the disk refuses leaves nothing, and can be tried again."""

        def full(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        self.patch(archive, "write", full)
        desk = self.desk()
        for _ in range(2):
            self.failureResultOf(desk.make(""), StorageError)
        self.assertEqual(self.left(), [])

    def test_nothing_there(self) -> None:
        """A box without a database has no backup."""
        (self.data / DATABASE).unlink()
        self.failureResultOf(self.desk().make(""), BadRequest)

    def test_passphrase(self) -> None:
        """One that is too long is refused before anything is made."""
        self.failureResultOf(self.desk().make("x" * 2000), BadRequest)

    def test_tidy(self) -> None:
        """What a server left that was killed is dropped at the next start, and nothing else."""
        with new_file(self.data / f"{DRAFT}1.tar", replace=False):
            (unfinished,) = self.data.glob(f"*{DRAFT}*")
        unfinished.write_bytes(b"half of the secrets")
        (self.data / f"{DRAFT}1234.tar").write_bytes(b"secrets")
        self.desk().tidy()
        self.assertEqual(list(self.data.glob(f"*{DRAFT}*")), [])
        self.assertTrue((self.data / DATABASE).exists())


class BundleTests(BoxCase):
    """What to send to whoever helps."""

    def test_made(self) -> None:
        """It is an archive that begins with what is in it."""
        name, data = bundle(self.settings)
        self.assertRegex(name, r"\Abumper-support-\d{4}-\d\d-\d\d\.tar\.gz\Z")
        with tarfile.open(fileobj=io.BytesIO(data)) as opened:
            self.assertTrue(opened.getnames()[0].endswith("/README.txt"))

    def test_one(self) -> None:
        """There is one at a time, also when it fails."""
        waiting: list[Deferred[Any]] = []

        def slowly(_: Any) -> Deferred[Any]:
            waiting.append(Deferred())
            return waiting[-1]

        thread: Any = slowly
        desk = BundleDesk(lambda: ("name", b""), thread)
        first = desk.make()
        self.failureResultOf(desk.make(), RobotBusy)
        waiting.pop().errback(StorageError("no"))
        self.failureResultOf(first, StorageError)
        self.assertNoResult(desk.make())


class BackupPageTests(BoxCase, HousePageCase):
    """The page, and what a browser saves."""

    def setUp(self) -> None:
        BoxCase.setUp(self)
        self.wanted: list[tuple[str, bool]] = []
        self.result: Deferred[Any] | None = None
        bundles = BundleDesk(lambda: ("help.tar.gz", b"bytes"), at_once)
        self.made = BackupRoutes(self.clock, self, bundles, admit, owner, self.here)
        self.browser = self.serve(self.made.routes())

    def make(self, passphrase: str, files: bool = True) -> Deferred[Any]:
        """Makes a backup, or does what the test says."""
        self.wanted.append((passphrase, files))
        return self.result or self.desk().make(passphrase, files)

    def post(self, form: str) -> Any:
        """What the form of the page gets."""
        return self.browser.ask("POST", "/api/backup", form.encode(), FORM)

    def test_page(self) -> None:
        """The forms work without scripts, and say when others could read along."""
        self.assert_closed(self.browser, "/house/backup")
        page = self.page(self.browser, "/house/backup")
        self.assertEqual(page.count('name="csrf" value="sesame"'), 3)
        self.assertIn("This page is not encrypted", words(page))

    def test_saved(self) -> None:
        """A form is answered with a file to be saved, under its day."""
        answer = self.post("csrf=sesame&passphrase=&again=&files=no")
        self.assertEqual(self.wanted, [("", False)])
        self.assertEqual(answer.status, 200)
        self.assertRegex(
            answer.headers["content-disposition"],
            r'\Aattachment; filename="bumper-\d{4}-\d\d-\d\d\.tar"\Z',
        )
        self.assertEqual(len(answer.body), int(answer.headers["content-length"]))
        self.assertEqual(self.left(), [])

    def test_script(self) -> None:
        """A script gets the same, sealed."""
        answer = self.send(self.browser, "POST", "/api/backup", {"passphrase": "correct horse"})
        self.assertTrue(is_sealed(answer.body[:64]))
        self.assertIn(".sealed", answer.headers["content-disposition"])

    def test_no_body(self) -> None:
        """Nothing has to be said."""
        answer = self.browser.ask("POST", "/api/backup", b"", CHANGE)
        self.assertEqual((answer.status, self.wanted), (200, [("", True)]))

    def test_refused(self) -> None:
        """Without what our pages send, two different passphrases, and strangers."""
        self.assertEqual(self.post("passphrase=").status, 403)
        differ = self.post("csrf=sesame&passphrase=one&again=two")
        self.assertEqual(differ.status, 400)
        self.assertIn("not the same", differ.body.decode())
        wrong = self.send(self.browser, "POST", "/api/backup", {"passphrase": 5})
        self.assertEqual(wrong.json["reason"], "bad_request")
        self.assertEqual(self.browser.ask("POST", "/api/backup").status, 401)
        self.assertEqual(self.wanted, [])

    def test_member(self) -> None:
        """The keys of the house are for its owner, also as long as he has no password."""
        made = BackupRoutes(self.clock, self, self, admit, member, self.here)  # type: ignore[arg-type]  # nobody gets that far
        browser = self.serve(made.routes())
        for path in ("/api/backup", "/api/support-bundle"):
            self.assertEqual(browser.ask("POST", path).status, 403)

    def test_fails(self) -> None:
        """What cannot be made is told: to a browser as a page, to a script as JSON."""
        self.result = fail(RobotBusy("wait"))
        page = self.post("csrf=sesame")
        self.assertEqual(page.status, 429)
        self.assertNotIn("json", page.headers["content-type"])
        self.result = fail(StorageError("full"))
        self.assertEqual(self.send(self.browser, "POST", "/api/backup").status, 503)

    def test_bundle(self) -> None:
        """So is what helps whoever helps."""
        answer = self.send(self.browser, "POST", "/api/support-bundle")
        self.assertEqual((answer.status, answer.body), (200, b"bytes"))
        self.assertIn("help.tar.gz", answer.headers["content-disposition"])
