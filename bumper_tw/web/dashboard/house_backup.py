"""Backups and what helps whoever is to help, to be saved by a browser."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, BinaryIO, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.web.iweb import IRequest
from twisted.web.template import Element, Flattenable, Tag, renderer

from bumper_tw.errors import BadRequest
from bumper_tw.web.api import failure
from bumper_tw.web.call import Answer, Call, checked
from bumper_tw.web.dashboard.frame import Admit, shown, template
from bumper_tw.web.dashboard.frame import page_failure as failed_page
from bumper_tw.web.dashboard.house_parts import POST, Here, House, api, kept, owners_only, page
from bumper_tw.web.routes import Route
from bumper_tw.web.streams import Streamed

#: Nothing on the way keeps a copy.
NOT_KEPT = ("Cache-Control", "no-store")

TAR, SEALED, GZIP = "application/x-tar", "application/octet-stream", "application/gzip"


class Handed(Protocol):
    """A backup; see L{bumper_tw.app.dashboard_backup.Handed}."""

    @property
    def file(self) -> Any: ...

    @property
    def size(self) -> int: ...

    @property
    def sealed(self) -> bool: ...


class Backups(Protocol):
    """Makes backups; see L{bumper_tw.app.dashboard_backup.BackupDesk}."""

    def make(self, passphrase: str, files: bool = True) -> Deferred[Any]: ...


class Bundles(Protocol):
    """Makes support bundles; see L{bumper_tw.app.dashboard_backup.BundleDesk}."""

    def make(self) -> Deferred[tuple[str, bytes]]: ...


class BackupRoutes:
    """The page and the API."""

    def __init__(
        self,
        clock: IReactorTime,
        backups: Backups,
        bundles: Bundles,
        admit: Admit,
        house: House,
        here: Here,
    ) -> None:
        """
        @param house: see L{House<bumper_tw.web.dashboard.house_parts>}; the keys of the house are
            in a backup, so nobody but the owner gets one.
        """
        self._clock, self._backups, self._bundles = clock, backups, bundles
        self._admit, self._house, self._here = admit, owners_only(house), here

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        return (
            page("/house/backup", self.page, self._here),
            api("/api/backup", POST, self.backup, excuse),
            api("/api/support-bundle", POST, self.bundle, excuse),
        )

    def page(self, call: Call) -> Deferred[Answer]:
        """What can be saved."""
        visit = self._admit(call)
        return shown(visit, "Backup", BackupPage(visit.csrf, call.secure))

    def backup(self, call: Call) -> Deferred[Answer]:
        """A backup, sent as it is read; a browser saves it."""
        self._house(call)
        passphrase, files = wanted_of(fields(call))
        return self._backups.make(passphrase, files).addCallback(self._sent)

    def _sent(self, made: Handed) -> Answer:
        day = datetime.fromtimestamp(self._clock.seconds())
        name = f"bumper-{day:%Y-%m-%d}.{'sealed' if made.sealed else 'tar'}"
        handle: BinaryIO = made.file
        return Streamed.file(
            handle, made.size, SEALED if made.sealed else TAR, (saved_as(name), NOT_KEPT)
        )

    def bundle(self, call: Call) -> Deferred[Answer]:
        """What to send to whoever helps."""
        self._house(call)
        return self._bundles.make().addCallback(lambda made: bundled(*made))


def bundled(name: str, data: bytes) -> Answer:
    """A support bundle on its way out."""
    return Answer(data, content_type=GZIP, headers=(saved_as(name), NOT_KEPT))


def saved_as(name: str) -> tuple[str, str]:
    """Browsers save it, under that name."""
    return ("Content-Disposition", f'attachment; filename="{name}"')


def fields(call: Call) -> Mapping[str, Any]:
    """
    What was asked for; it may be nothing.

    @raise BadRequest: it cannot be read.
    """
    return call.body() if call.raw else {}


def wanted_of(said: Mapping[str, Any]) -> tuple[str, bool]:
    """
    The passphrase, and whether to take what robots have left.

    @raise BadRequest: it is not the same passphrase twice, or none at all.
    """
    passphrase = checked(said.get("passphrase") or "", "passphrase", str)
    if checked(said.get("again", passphrase), "again", str) != passphrase:
        raise BadRequest("the two passphrases are not the same")
    files = said.get("files", True)
    return passphrase, files not in {False, "no"}


def excuse(call: Call, why: Exception) -> Answer:
    """A form is answered with a page, a script as ever."""
    browser = "text/html" in call.header("accept")
    return failed_page(call, why) if browser else failure(call, why)


class BackupPage(Element):
    """What is on the page."""

    def __init__(self, csrf: str, secure: bool) -> None:
        super().__init__(template("house_backup"))
        self._csrf, self._secure = csrf, secure

    @renderer
    def token(self, _: "IRequest | None", tag: Tag) -> Tag:
        """What a change has to come with."""
        return tag.fillSlots(csrf=self._csrf)

    @renderer
    def in_clear(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only where others in the network could read along."""
        return kept(tag, not self._secure)
