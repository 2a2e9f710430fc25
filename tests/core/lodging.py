"""A household in memory, for the tests of whatever needs accounts."""

import base64
from collections.abc import Callable
from itertools import count
from typing import TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock

from bumper_tw.core.accounts import Accounts
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.identity import AccountFile, Identity
from bumper_tw.core.owner import Owner
from bumper_tw.core.passwords import Passwords
from bumper_tw.core.policies import HomePolicy, IPolicy, KnownAccounts, StrictPolicy
from bumper_tw.core.remembered import Remembered
from bumper_tw.core.robot_secrets import RobotSecrets
from bumper_tw.core.secret_hashes import SecretHashes
from bumper_tw.core.throttle import Throttle
from bumper_tw.core.tokens import Signer
from bumper_tw.core.turns import Turns
from bumper_tw.interfaces import IRobotSecretStore
from bumper_tw.storage.memory import MemoryAccountStore, MemoryDeviceStore
from bumper_tw.storage.memory_secrets import MemoryRobotSecretStore

T = TypeVar("T")

ANNA = "anna@example.org"
ANNAS_UID = "a3bf86238a1c59bd2f0a"
SECRET = b"s" * 32
NOW = 1_800_000_000.0
DAY = 86400.0


def at_once(work: Callable[[], T]) -> Deferred[T]:
    """A thread that is always done already."""
    return maybeDeferred(work)


def countings() -> Callable[[int], str]:
    """Random numbers that count."""
    numbers = count(1)
    return lambda size: f"{next(numbers):0{2 * size}x}"


def encrypt(text: str) -> str:
    """An encryption that L{decrypt} undoes."""
    return "enc:" + base64.b64encode(text.encode()).decode()


def decrypt(text: str) -> str | None:
    """What the key of a box does."""
    if not text.startswith("enc:"):
        return None
    return base64.b64decode(text.removeprefix("enc:")).decode()


@define
class Lodging:
    """Accounts and everything they need."""

    strict: bool = False
    clock: Clock = field(factory=Clock)
    store: MemoryAccountStore = field(factory=MemoryAccountStore)
    random_hex: Callable[[int], str] = field(factory=countings)
    days: int = 30
    file: AccountFile | None = None
    secrets: IRobotSecretStore = field(factory=MemoryRobotSecretStore)
    registry: DeviceRegistry = field(init=False)
    robots: RobotSecrets = field(init=False)
    passwords: Passwords = field(init=False)
    known: KnownAccounts = field(init=False)
    accounts: Accounts = field(init=False)
    identity: Identity = field(init=False)
    owner: Owner = field(init=False)

    def __attrs_post_init__(self) -> None:
        if not self.clock.seconds():
            self.clock.advance(NOW)
        turns = Turns()
        self.passwords = Passwords(at_once, self.random_hex, turns)
        self.known = KnownAccounts(self.store, self.passwords, Throttle(self.clock))
        self.accounts = Accounts(
            self.clock,
            self.store,
            Signer(SECRET, self.clock),
            self.policy(),
            self.random_hex,
            self.days * DAY,
        )
        self.registry = DeviceRegistry(self.clock, MemoryDeviceStore())
        self.robots = RobotSecrets(
            self.clock,
            self.secrets,
            self.registry,
            SecretHashes(at_once, self.random_hex, turns),
            Remembered(SECRET),
        )
        self.identity = Identity(self.accounts, self.known, self.robots, self.registry, self.file)
        self.owner = Owner(self.clock, self.store, self.passwords)

    def policy(self) -> IPolicy:
        """The one that was asked for."""
        return StrictPolicy(decrypt, self.known) if self.strict else HomePolicy(decrypt)

    def again(self, strict: bool | None = None) -> "Lodging":
        """The same household after a restart."""
        keep = self.strict if strict is None else strict
        return Lodging(keep, self.clock, self.store, self.random_hex, self.days)
