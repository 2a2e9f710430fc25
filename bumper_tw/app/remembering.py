"""What earlier runs have left, taken up before anybody can ask for it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from bumper_tw.app.belongings import Belongings
from bumper_tw.app.leftovers import drop_strays, robots_with_files
from bumper_tw.app.owner_side import OwnerSide
from bumper_tw.core.accounts import Accounts
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.mqtt_router import MqttBroker
from bumper_tw.core.policies import KnownAccounts
from bumper_tw.core.robot_secrets import RobotSecrets
from bumper_tw.core.telemetry import Telemetry
from bumper_tw.interfaces import IDatabase, IRecordStore
from bumper_tw.storage.accounts import AccountStore
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.devices import DeviceStore
from bumper_tw.storage.mqtt import SqlMqttStore
from bumper_tw.storage.records import RecordStore
from bumper_tw.storage.robot_secrets import RobotSecretStore
from bumper_tw.storage.telemetry import TelemetryStore

#: Reads records of a kind.
Load = Callable[[IRecordStore], Deferred[None]]


class Remembering(Protocol):
    """Whoever takes something up."""

    @property
    def registry(self) -> DeviceRegistry: ...
    @property
    def telemetry(self) -> Telemetry: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def known(self) -> KnownAccounts: ...
    @property
    def secrets(self) -> RobotSecrets: ...
    @property
    def belongings(self) -> Belongings: ...
    @property
    def owner(self) -> OwnerSide: ...


def remember(
    facts: Remembering, router: MqttBroker, path: Path, more: Load = lambda _: succeed(None)
) -> None:
    """
    Take all of it up, but what is left of users and robots that are gone.

    @param path: of the database, which is in the data directory.
    @param more: takes up what else there is.
    @raise StorageError: the database cannot be read.
    """
    failures: list[Failure] = []
    with closing(InlineDatabase(path)) as database:
        every = chain(_loading(facts, router, database), (more(RecordStore(database)),))
        for loaded in every:
            loaded.addErrback(failures.append)
            # Nobody is unknown just because the list of those who are known cannot be read.
            for failure in failures:
                failure.raiseException()
    has_owner = facts.belongings.ownership.owner
    unowned = [did for did in robots_with_files(path.parent) if not has_owner(did)]
    facts.belongings.drop_files(unowned, _dids(facts))


def _loading(
    facts: Remembering, router: MqttBroker, database: IDatabase
) -> Iterator[Deferred[Any]]:
    """One thing after the other; the next is not begun before this one is done."""
    records, accounts = RecordStore(database), AccountStore(database)
    yield facts.registry.load(DeviceStore(database))
    yield facts.accounts.load(accounts)
    yield facts.known.load(accounts)
    yield facts.secrets.load(RobotSecretStore(database))
    # Whose owner is known is known, too: it may be the disk that has lost the robot.
    uids, dids = facts.accounts.household.uids(), _dids(facts)
    owners = records.load("owners")
    yield owners.addCallback(lambda owned: drop_strays(records, uids, dids | owned.keys()))
    yield facts.belongings.load(records)
    yield facts.owner.access.load(records)
    yield SqlMqttStore(database).load().addCallback(router.restore)
    yield TelemetryStore(database).latest().addCallback(facts.telemetry.warm)


def _dids(facts: Remembering) -> frozenset[str]:
    return frozenset(device.id.did for device in facts.registry.devices())
