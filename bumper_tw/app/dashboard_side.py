"""
The owner's pages, put together.

To be loaded only where they are wanted, as there is a good deal of them.
"""

from collections.abc import Iterable, Iterator
from secrets import token_hex
from time import time
from typing import Any, Protocol

from twisted.application.service import IService
from twisted.internet.defer import Deferred

from bumper_tw.app.brokerage import in_thread
from bumper_tw.app.dashboard_backup import BackupDesk, BundleDesk
from bumper_tw.app.dashboard_house import HealthFeed, Names, Notices, Wellness
from bumper_tw.app.dashboard_people import PeopleDesk, Ways
from bumper_tw.app.dashboard_robots import Facts as RobotFacts
from bumper_tw.app.dashboard_robots import RobotPages
from bumper_tw.app.dashboard_services import Gates, Services
from bumper_tw.app.dashboard_settings import PageSettings
from bumper_tw.app.dashboard_setup import ThisBox, wall
from bumper_tw.app.dashboard_signpost import Signpost
from bumper_tw.app.dashboard_support import bundle
from bumper_tw.app.extras import Served
from bumper_tw.app.lifecycle import Step
from bumper_tw.app.observing import Observation
from bumper_tw.core.feed import Feed
from bumper_tw.core.owner import Owner
from bumper_tw.core.passwords import Passwords
from bumper_tw.core.policies import KnownAccounts
from bumper_tw.core.sessions import settled
from bumper_tw.core.setup import SetUp
from bumper_tw.front.journal import Journal
from bumper_tw.interfaces import IRecordStore
from bumper_tw.storage.accounts import AccountStore
from bumper_tw.storage.records import RecordStore
from bumper_tw.web.dashboard.access import AccessPages, admission
from bumper_tw.web.dashboard.access_api import AccessRoutes
from bumper_tw.web.dashboard.access_log import AccessLog
from bumper_tw.web.dashboard.assets import asset_routes
from bumper_tw.web.dashboard.house import HouseRoutes
from bumper_tw.web.dashboard.house_access import AccessPage
from bumper_tw.web.dashboard.house_backup import BackupRoutes
from bumper_tw.web.dashboard.house_journal import JournalPage
from bumper_tw.web.dashboard.house_people import PeopleRoutes
from bumper_tw.web.dashboard.house_services import ServiceRoutes
from bumper_tw.web.dashboard.house_settings import SettingRoutes
from bumper_tw.web.dashboard.house_unknown import UnknownPage
from bumper_tw.web.dashboard.journal_feed import JournalFeed
from bumper_tw.web.dashboard.setup import SetUpRoutes
from bumper_tw.web.dashboard.setup_signs import Signs
from bumper_tw.web.routes import Route


class Facts(RobotFacts, Protocol):
    """What is needed of the middle of the server."""

    @property
    def known(self) -> KnownAccounts: ...
    @property
    def journal(self) -> Journal: ...


class Dashboard:
    """All pages, their API, and what runs for them."""

    def __init__(self, facts: Facts, seen: Observation, served: Served) -> None:
        self._reactor, self._settings = seen.reactor, seen.settings
        self._facts, self._seen, self._served = facts, seen, served
        self._door = facts.owner.doorman
        self._store = RecordStore(served.database)
        self._feed = Feed(token_hex(8))
        self._admit = admission(self._door, self._feed)
        self._log = AccessLog(self._reactor, self._door.who)
        self._robots = RobotPages(
            self._reactor,
            self._settings,
            facts,
            self._feed,
            self._store,
            self._admit,
            Notices(self._seen.doctor.findings, facts.registry),
        )
        self._setup = SetUp(self._reactor, self._store, self._feed)
        self._wellness, self._names = self._well(), Names(facts.registry)
        self._backups = self._backup_desk()
        self._signs: list[Signs] = []

    def load(self, store: IRecordStore) -> Deferred[None]:
        """Take up what earlier runs left."""
        return settled([part.load(store) for part in (self._setup, self._robots.maps)])

    def _well(self) -> Wellness:
        doctor, facts = self._seen.doctor, self._facts
        return Wellness(
            self._reactor,
            doctor.report,
            doctor.readiness.look,
            facts.registry,
            self._seen.certificates.expires,
            lambda: self._seen.doors,
            time(),
        )

    def _backup_desk(self) -> BackupDesk:
        file, thread = self._served.read_layers().path, in_thread(self._reactor)
        return BackupDesk(self._reactor, self._settings, file, thread)

    def routes(self) -> Iterator[Route]:
        """All routes."""
        yield from asset_routes(self._door.here)
        for part in self._parts():
            yield from part.routes()

    def watched(self, routes: Iterable[Route]) -> Iterator[Route]:
        """The same routes, with those who use them being written down."""
        return self._log.watched(self._door.named_right(routes))

    def _parts(self) -> Iterator[Any]:
        facts, admit, here, house = self._facts, self._admit, self._door.here, self._door.house
        yield AccessPages(facts.owner.access, self._door, token_hex, self._robots.look_again)
        yield AccessRoutes(
            facts.owner.access, self._door, self._log, house, self._robots.look_again
        )
        yield self._robots
        yield SetUpRoutes(self._setup, self._box(), house, admit, here, wall)
        yield HouseRoutes(self._wellness.look, admit, house, here)
        yield JournalPage(self._reactor, self._seen.chronicle, admit, here, self._names)
        yield UnknownPage(facts.belongings.unknown, admit, here)
        yield AccessPage(self._log, admit, here, self._names)
        yield self._people()
        yield SettingRoutes(self._page_settings(), admit, house, here)
        yield ServiceRoutes(self._services(), admit, house, here)
        yield self._backup()

    def _page_settings(self) -> PageSettings:
        served = self._served
        return PageSettings(served.read_layers, served.takes, in_thread(self._reactor))

    def _services(self) -> Services:
        parts = Gates(self._served.gates).parts(*self._served.edges)
        return Services(self._reactor, parts, lambda: self._seen.doors, self._feed)

    def _box(self) -> ThisBox:
        return ThisBox(
            self._reactor, self._settings, lambda: self._seen.doors, self._seen.clear_port
        )

    def _people(self) -> PeopleRoutes:
        store, own = AccountStore(self._served.database), self._facts.belongings
        passwords = Passwords(in_thread(self._reactor), token_hex, self._facts.owner.turns)
        robots = self._facts.registry.devices

        def robots_of(uid: str) -> list[str]:
            return [did for each in robots() if own.ownership.owner(did := each.id.did) == uid]

        ways = Ways(store.passwords, robots_of, own.departed, self._served.reload_accounts)
        return PeopleRoutes(
            PeopleDesk(Owner(self._reactor, store, passwords), ways),
            self._facts.owner.access,
            self._admit,
            self._door.house,
            self._door.here,
            self._settings.identity.policy == "home",
            lambda call: self._door.visitor(call).session.id,
        )

    def _backup(self) -> BackupRoutes:
        bundles = BundleDesk(lambda: bundle(self._settings), in_thread(self._reactor))
        return BackupRoutes(
            self._reactor, self._backups, bundles, self._admit, self._door.house, self._door.here
        )

    def services(self) -> Iterator[IService]:
        """What runs for it, from the start on."""
        yield Step("set-up", self._watch, self._setup.flush)
        yield Step("signs of the set-up", stop=self._unwatch)
        yield Step("left backups", self._backups.tidy)
        yield from self._robots.services()
        yield JournalFeed(self._reactor, self._seen.chronicle, self._feed, self._names)
        yield HealthFeed(self._reactor, self._facts.journal, self._wellness, self._feed)
        yield self._signpost()

    def _signpost(self) -> Signpost:
        box, access = self._box(), self._facts.owner.access
        return Signpost(
            self._reactor,
            lambda: self._seen.doors,
            lambda: box.announced(""),
            lambda: access.is_set,
        )

    def _watch(self) -> None:
        box, registry = self._box(), self._facts.registry
        chronicle = self._seen.chronicle
        self._signs.append(Signs(self._reactor, self._setup, chronicle, registry, box.is_ours))

    def asked_dns(self, host: str, local: str) -> None:
        """Somebody has asked the DNS server of this box for a name of the vendor's."""
        for each in self._signs:
            each.asked_dns(host, local)

    def _unwatch(self) -> None:
        while self._signs:
            self._signs.pop().stop()
