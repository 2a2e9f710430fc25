"""The MQTT side, put together: who is let in, who may what, and what is kept."""

from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_bytes, token_hex
from typing import Any

from attrs import frozen
from twisted.application.service import IService
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool

from bumper_tw import __version__
from bumper_tw.app.lifecycle import Repeated, Step
from bumper_tw.app.settings import Settings
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.mqtt_access import AccessList
from bumper_tw.core.mqtt_clients import ClientLimits
from bumper_tw.core.mqtt_figures import Figures
from bumper_tw.core.mqtt_journal import Journal
from bumper_tw.core.mqtt_retained import RetainedLimits
from bumper_tw.core.mqtt_router import BrokerLimits, MqttBroker
from bumper_tw.core.mqtt_rules import MqttRules
from bumper_tw.core.mqtt_session import SessionLimits
from bumper_tw.core.password_file import FileAccounts, PasswordFile
from bumper_tw.core.passwords import InThread
from bumper_tw.core.remembered import Remembered
from bumper_tw.core.robot_secrets import RobotSecrets
from bumper_tw.core.secret_hashes import SecretHashes
from bumper_tw.core.telemetry import Telemetry
from bumper_tw.core.throttle import Throttle
from bumper_tw.core.turns import Turns
from bumper_tw.interfaces import IAuthenticator, ICommandCorrelator, IDatabase
from bumper_tw.mqtt.factory import ConnectionLimits, MqttFactory
from bumper_tw.mqtt.gateway import MqttGateway
from bumper_tw.mqtt.plain import PlainGateway
from bumper_tw.people_interfaces import IPermits
from bumper_tw.storage.mqtt import SqlMqttStore
from bumper_tw.storage.robot_secrets import RobotSecretStore

#: Seconds between two looks at the certificates, and at what has become too old to keep.
A_DAY, AN_HOUR = 86_400.0, 3600.0


@frozen
class Brokerage:
    """
    The broker with everything around it.

    @ivar factory: what listens.
    @ivar router: the broker itself.
    @ivar plain: what speaks to scripts under short topics.
    """

    factory: MqttFactory
    router: MqttBroker
    rules: MqttRules
    journal: Journal
    figures: Figures
    plain: PlainGateway


def in_thread(reactor: Any) -> InThread:
    """Where slow work is done, so that it does not stop the reactor."""

    def run(work: Callable[[], Any]) -> Deferred[Any]:
        return deferToThreadPool(reactor, reactor.getThreadPool(), work)

    return run


def password_file(settings: Settings) -> PasswordFile | None:
    """
    The owner's file of accounts, read.

    @raise StartError: it cannot be read.
    """
    path = settings.mqtt.passwords
    if not path.name:
        return None
    file = PasswordFile(path)
    file.load()
    return file


def file_accounts(
    reactor: Any, file: PasswordFile | None, turns: Turns, throttle: Throttle
) -> FileAccounts | None:
    """Who gets in by that file."""
    if file is None:
        return None
    remembered = Remembered(token_bytes(32))
    return FileAccounts(file, in_thread(reactor), turns, throttle, remembered)


def robot_secrets(
    reactor: Any, settings: Settings, registry: DeviceRegistry, database: IDatabase, turns: Turns
) -> RobotSecrets:
    """Which robots are let in."""
    hashes = SecretHashes(in_thread(reactor), token_hex, turns)
    remembered = Remembered(token_bytes(32), settings.identity.robots)
    store, identity = RobotSecretStore(database), settings.identity
    secrets = RobotSecrets(
        reactor,
        store,
        registry,
        hashes,
        remembered,
        identity.robots,
        identity.closed,
        identity.new_robots_per_hour,
    )
    registry.when_forgotten(secrets.forget)
    return secrets


def access_list(path: Path) -> AccessList | None:
    """
    The owner's rules, if there are any.

    @raise StartError: they cannot be read, or one of them is malformed.
    """
    return AccessList.load(path) if path.name else None


def brokerage(
    reactor: Any,
    settings: Settings,
    database: IDatabase,
    identity: IAuthenticator,
    registry: DeviceRegistry,
    commands: ICommandCorrelator,
    telemetry: Telemetry,
    permits: IPermits,
) -> Brokerage:
    """
    The MQTT side, with our own ears at it.

    @param permits: who may use which robot.
    @raise StartError: the owner's rules cannot be used.
    """
    rules = MqttRules(registry, access_list(settings.mqtt.access), permits)
    registry.when_forgotten(rules.forgotten)
    journal = Journal(reactor, SqlMqttStore(database))
    router = MqttBroker(reactor, rules, journal, broker_limits(settings))
    registry.when_forgotten(router.clients.forget_robot)
    gateway = MqttGateway(reactor, router, registry, commands, telemetry)
    plain = PlainGateway(reactor, router, registry, commands)
    factory = MqttFactory(
        reactor, identity, router, gateway.robot_connected, connection_limits(settings), token_hex
    )
    figures = Figures(router, f"bumper_tw {__version__}", factory.counts)
    return Brokerage(factory, router, rules, journal, figures, plain)


def broker_limits(settings: Settings) -> BrokerLimits:
    """What the broker may cost."""
    mqtt, identity = settings.mqtt, settings.identity
    return BrokerLimits(
        SessionLimits(
            subscriptions=mqtt.subscriptions,
            levels=mqtt.max_levels,
            inflight=mqtt.inflight,
            queued=mqtt.queued,
            backlog=mqtt.backlog_bytes,
        ),
        ClientLimits(
            takeovers=identity.takeovers_per_minute,
            sessions=mqtt.sessions,
            seconds=mqtt.session_days * A_DAY,
            owed=mqtt.session_bytes,
            levels=mqtt.all_levels,
        ),
        RetainedLimits(mqtt.retained, mqtt.retained_bytes, mqtt.retained_days * A_DAY),
    )


def connection_limits(settings: Settings) -> ConnectionLimits:
    """What an MQTT connection may cost."""
    mqtt = settings.mqtt
    return ConnectionLimits(
        login=mqtt.login_seconds,
        keep_alive=mqtt.keep_alive_max,
        max_packet=mqtt.max_packet,
        max_topic=mqtt.max_topic,
        max_levels=mqtt.max_levels,
        connections=mqtt.connections,
        per_peer=mqtt.connections_per_peer,
        strangers=mqtt.strangers,
        strangers_per_peer=mqtt.strangers_per_peer,
    )


def chores(reactor: Any, settings: Settings, made: Brokerage) -> Iterator[IService]:
    """What is done now and then."""
    yield Repeated("MQTT clean-up", reactor, AN_HOUR, made.router.sweep)
    if settings.mqtt.figures_seconds:
        every = float(settings.mqtt.figures_seconds)
        yield Repeated("MQTT figures", reactor, every, made.figures.publish, True)
    yield Step("MQTT farewell", stop=made.factory.farewell)


def reload_access(settings: Settings, made: Brokerage) -> None:
    """
    Go by the owner's rules as they are now.

    @raise StartError: they cannot be used, and the old ones stay.
    """
    if settings.mqtt.access.name:
        made.rules.use(AccessList.load(settings.mqtt.access))
        made.router.sweep()
