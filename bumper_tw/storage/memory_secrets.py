"""Robots' secrets in a dictionary: for tests, and to show what the other store must do."""

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from bumper_tw.interfaces import IRobotSecretStore


@implementer(IRobotSecretStore)
@define
class MemoryRobotSecretStore:
    """Secrets by did."""

    secrets: dict[str, str] = field(factory=dict, repr=False)

    def load(self) -> Deferred[dict[str, str]]:
        return succeed(dict(self.secrets))

    def save(self, did: str, secret: str) -> Deferred[None]:
        self.secrets[did] = secret
        return succeed(None)

    def remove(self, did: str) -> Deferred[None]:
        self.secrets.pop(did, None)
        return succeed(None)
