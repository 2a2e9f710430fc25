"""Where everything meets, once: built bottom-up, read top-down."""

from collections.abc import Iterator
from pathlib import Path
from random import SystemRandom
from secrets import token_hex
from typing import Any

from attrs import frozen
from twisted.application.service import IService
from twisted.internet.defer import Deferred, gatherResults

from bumper_tw.app.belongings import Belongings, belongings
from bumper_tw.app.brokerage import (
    A_DAY,
    AN_HOUR,
    Brokerage,
    brokerage,
    chores,
    file_accounts,
    in_thread,
    password_file,
    reload_access,
    robot_secrets,
)
from bumper_tw.app.certificates import open_contexts, open_vault, renew
from bumper_tw.app.doors import doors, reception
from bumper_tw.app.exchange import Exchange, exchange
from bumper_tw.app.expelling import Parties, dismiss, reload_accounts, reload_passwords
from bumper_tw.app.extras import Served, demo_robots, dns_answers, figures, pages
from bumper_tw.app.levels import LevelRoutes
from bumper_tw.app.lifecycle import Repeated, Step
from bumper_tw.app.logs import log_path
from bumper_tw.app.observing import Observation
from bumper_tw.app.owner_side import OwnerSide, owner_side
from bumper_tw.app.present import Present
from bumper_tw.app.reach import Reach
from bumper_tw.app.remembering import remember
from bumper_tw.app.root import Root, Start, hand_over
from bumper_tw.app.settings import Settings
from bumper_tw.app.website import website
from bumper_tw.core.accounts import Accounts
from bumper_tw.core.cleaning import CleaningLogs
from bumper_tw.core.commands import SPACE, CommandCorrelator, request_ids
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.identity import Identity
from bumper_tw.core.password_file import PasswordFile
from bumper_tw.core.passwords import Passwords
from bumper_tw.core.policies import HomePolicy, IPolicy, KnownAccounts, StrictPolicy
from bumper_tw.core.robot_secrets import RobotSecrets
from bumper_tw.core.telemetry import Telemetry
from bumper_tw.core.throttle import Throttle
from bumper_tw.core.tokens import Signer
from bumper_tw.core.translation import TranslatingCorrelator
from bumper_tw.core.turns import Turns
from bumper_tw.front.gate import Gate
from bumper_tw.front.journal import Journal
from bumper_tw.front.journal_file import KEPT, NAME
from bumper_tw.interfaces import IDatabase
from bumper_tw.pki.vault import Vault
from bumper_tw.storage.accounts import AccountStore
from bumper_tw.storage.cleaning import CleaningLogStore
from bumper_tw.storage.connection import opener
from bumper_tw.storage.database import Database
from bumper_tw.storage.devices import DeviceStore
from bumper_tw.storage.migrations import DATABASE, migrate
from bumper_tw.storage.records import RecordStore
from bumper_tw.storage.robot_secrets import RobotSecretStore
from bumper_tw.storage.telemetry import ReportWriter, TelemetryStore
from bumper_tw.web.owner_control import OwnerControl

#: Services that can be started anew by themselves.
GATED = ("mqtt", "xmpp", "web")


@frozen
class Facts:
    """
    What the edges share: everything we know, and who may know it.

    @ivar commands: asks robots in their own words.
    @ivar translated: the same for who may not know what words these are.
    @ivar journal: of connections.
    """

    registry: DeviceRegistry
    telemetry: Telemetry
    commands: CommandCorrelator
    translated: TranslatingCorrelator
    accounts: Accounts
    known: KnownAccounts
    identity: Identity
    secrets: RobotSecrets
    passwords: PasswordFile | None
    reports: TelemetryStore
    logs: CleaningLogStore
    writer: ReportWriter
    belongings: Belongings
    journal: Journal
    owner: OwnerSide


def assemble(reactor: Any, settings: Settings, start: Start) -> IService:
    """
    Build the server.  The disk is read and let go of again; nothing else is opened.

    @param reactor: the one reactor of the process.
    @raise StartError: a certificate, the database or a folder cannot be used.
    """
    path = settings.storage.directory / DATABASE
    migrate(path)
    vault = open_vault(settings)
    database = Database(reactor, path, opener=opener(settings.storage.cache_bytes))
    facts = gather(reactor, settings, vault, database)
    mqtt = broker(reactor, settings, facts, database)
    xmpp = stanzas(reactor, settings, facts, mqtt)
    parties = (mqtt.router.clients, xmpp.factory)
    seen = Observation(reactor, settings, facts, vault, RecordStore(database))
    present, gates = Present(settings), {name: Gate() for name in GATED}
    served = Served(
        database,
        start.read_layers,
        lambda: reload_accounts(facts, parties, AccountStore(database)),
        present.takes,
        gates,
        (lambda: site, mqtt.factory, xmpp.factory),
    )
    shown = pages(seen, facts, served)
    remember(facts, mqtt.router, path, shown.load)
    facts.belongings.warn_of_orphans(device.id.did for device in facts.registry.devices())
    measured = figures(seen, facts, mqtt, xmpp, database, vault, lambda: site)
    more = [*seen.routes(), *measured.routes, *shown.routes]
    site = website(reactor, settings, vault, facts, more, shown.watched)
    contexts = open_contexts(reactor, settings, vault)
    shared = reception(reactor, facts.journal, settings.front)
    places = seen.doors = tuple(
        doors(reactor, settings, shared, site, mqtt, xmpp, contexts, gates)
    )
    root = Root(reactor, settings, start)
    seen.control += [*measured.control, *levels(root, settings, start).routes()]
    seen.control += OwnerControl(facts.owner.access).routes()
    root.tidings.follow(facts.registry, lambda: logged_in(mqtt, xmpp))
    root.reloads |= {
        "certificates": lambda: renew(settings, vault, contexts),
        "robots": lambda: facts.registry.reload(DeviceStore(database)),
        "secrets of robots": lambda: facts.secrets.reload(RobotSecretStore(database)),
        "topic rules": lambda: reload_access(settings, mqtt),
        "answers": site.reload,
        "passwords": lambda: reload_passwords(facts, mqtt.router),
        "accounts": lambda: reload_accounts(facts, parties, AccountStore(database)),
        "owners": lambda: facts.belongings.load(RecordStore(database)),
    }
    present.follow(facts, site.unknown)
    root.follows |= {**present.takes, **measured.follows}
    present.follow_log(root.threshold)
    for child in (
        Step("database", database.start, database.close),
        Step("report writer", stop=facts.writer.flush),
        Step("counts", stop=facts.belongings.flush),
        Step("owner", stop=facts.owner.access.flush),
        Step("MQTT journal", stop=mqtt.journal.flush),
        Repeated("renewal", reactor, A_DAY, lambda: renew(settings, vault, contexts)),
        Repeated(
            "clean-up",
            reactor,
            AN_HOUR,
            lambda: prune(reactor, present.settings, facts, parties),
            True,
        ),
        Step("web farewell", stop=site.farewell),
        *measured.services,
        *shown.services,
        *seen.services(),
        *chores(reactor, settings, mqtt),
        Step("XMPP router", stop=xmpp.router.stop),
        Step("XMPP farewell", stop=xmpp.factory.farewell),
        Step("commands", stop=facts.commands.stop),
        *dns_answers(reactor, settings, shown.asked_dns),
        *(listener for _, listener in places),
        Reach(settings),
        *(demo_robots(reactor, places) if start.demo else ()),
    ):
        child.setServiceParent(root)
    hand_over([*ours(settings), *vault.files()], start.options)
    return root


def logged_in(mqtt: Brokerage, xmpp: Exchange) -> int:
    """How many connections there are of somebody we know."""
    streams = sum(not each.stranger for each in xmpp.factory.crowd)
    return mqtt.router.clients.connected + streams


def levels(root: Root, settings: Settings, start: Start) -> LevelRoutes:
    """What the owner asks, and changes, of the log."""
    file = log_path(start.options, settings.log.format)
    return LevelRoutes(root.threshold, lambda: start.read_settings().log, file)


def ours(settings: Settings) -> Iterator[Path]:
    """The folders and files that the server has to be able to write."""
    yield settings.storage.directory
    for end in ("", "-wal", "-shm"):
        yield settings.storage.directory / f"{DATABASE}{end}"
    for end in ("", *(f".{number + 1}" for number in range(KEPT))):
        yield settings.storage.directory / f"{NAME}{end}"


def gather(reactor: Any, settings: Settings, vault: Vault, database: Database) -> Facts:
    """The middle of the server."""
    registry = DeviceRegistry(reactor, DeviceStore(database), settings.identity.robots)
    telemetry, reports = Telemetry(), TelemetryStore(database)
    registry.when_forgotten(telemetry.forget)
    registry.when_forgotten(reports.forget)
    registry.spare(lambda did: bool(telemetry.latest(did)))
    logs, writer = CleaningLogStore(database), ReportWriter(reactor, reports)
    registry.when_forgotten(writer.forget)
    telemetry.listen(writer.add)
    telemetry.listen(CleaningLogs(logs, lambda did: registry.device(did).id).heard)
    turns, throttle = Turns(), Throttle(reactor)
    known = known_accounts(reactor, database, turns, throttle)
    accounts = Accounts(
        reactor,
        AccountStore(database),
        Signer(vault.signing_secret(), reactor),
        policy(settings, vault, known),
        token_hex,
        settings.identity.token_days * A_DAY,
    )
    commands = correlator(reactor, settings, registry)
    translated = TranslatingCorrelator(reactor, commands, registry, telemetry)
    secrets = robot_secrets(reactor, settings, registry, database, turns)
    passwords = password_file(settings)
    registry.spare(secrets.is_proven)
    owned = belongings(reactor, settings, RecordStore(database), registry, logs)
    registry.spare(lambda did: bool(owned.ownership.owner(did)))
    registry.when_forgotten(owned.forget)
    telemetry.listen(owned.messages.heard)
    file = file_accounts(reactor, passwords, turns, throttle)
    identity = Identity(accounts, known, secrets, registry, file, owned.pairing.told)
    return Facts(
        registry,
        telemetry,
        commands,
        translated,
        accounts,
        known,
        identity,
        secrets,
        passwords,
        reports,
        logs,
        writer,
        owned,
        Journal(reactor, settings.front.journal),
        owner_side(reactor, settings, database, accounts, turns),
    )


def correlator(reactor: Any, settings: Settings, registry: DeviceRegistry) -> CommandCorrelator:
    """Whoever asks robots."""
    start, limits = SystemRandom().randrange(SPACE), settings.commands
    return CommandCorrelator(
        reactor, registry, request_ids(start), limits.timeout, limits.outstanding, limits.queued
    )


def known_accounts(
    reactor: Any, database: Database, turns: Turns, throttle: Throttle
) -> KnownAccounts:
    """The accounts that have a password."""
    passwords = Passwords(in_thread(reactor), token_hex, turns)
    return KnownAccounts(AccountStore(database), passwords, throttle)


def policy(settings: Settings, vault: Vault, known: KnownAccounts) -> IPolicy:
    """Who may have an account."""
    decrypt = vault.config_key().decrypt
    if settings.identity.policy == "strict":
        return StrictPolicy(decrypt, known)
    return HomePolicy(decrypt)


def broker(reactor: Any, settings: Settings, facts: Facts, database: IDatabase) -> Brokerage:
    """The MQTT side."""
    made = brokerage(
        reactor,
        settings,
        database,
        facts.identity,
        facts.registry,
        facts.translated,
        facts.telemetry,
        facts.belongings.permits,
    )
    facts.belongings.whereabouts.watch(made.factory.crowd)
    return made


def stanzas(reactor: Any, settings: Settings, facts: Facts, mqtt: Brokerage) -> Exchange:
    """The XMPP side; scripts at the broker hear what robots report there."""

    def permitted(uid: str, did: str) -> bool:
        member = settings.identity.policy == "home" or facts.accounts.user(uid) is not None
        return member and facts.belongings.permits.may_use(uid, did)

    made = exchange(
        reactor,
        settings,
        facts.identity,
        facts.registry,
        facts.commands,
        facts.telemetry,
        permitted,
        mqtt.plain.overhear,
    )
    facts.belongings.whereabouts.watch(made.factory.crowd)
    return made


def prune(reactor: Any, settings: Settings, facts: Facts, parties: Parties) -> Deferred[Any]:
    """Drop what has become too old or too much, and who has no right to be here any more."""
    dismiss(facts, parties, ())
    facts.belongings.messages.purge()
    storage = settings.storage
    before = reactor.seconds() - storage.history_days * A_DAY
    return gatherResults(
        [
            facts.reports.prune(before, storage.history_reports),
            facts.logs.prune(storage.cleaning_logs),
            facts.accounts.purge(),
            facts.belongings.flush(),
        ],
        consumeErrors=True,
    )
