"""Robots' secrets on disk."""

from sqlite3 import Cursor

from attrs import frozen
from twisted.internet.defer import Deferred
from zope.interface import implementer

from bumper_tw.interfaces import IDatabase, IRobotSecretStore

#: A robot that is known keeps its place in the order.
SAVE = """
    INSERT INTO robot_secrets (did, secret) VALUES (:did, :secret)
    ON CONFLICT (did) DO UPDATE SET secret = excluded.secret
"""

LOAD = "SELECT did, secret FROM robot_secrets ORDER BY place"


@implementer(IRobotSecretStore)
@frozen
class RobotSecretStore:
    """Robots' secrets in a database."""

    database: IDatabase

    def load(self) -> Deferred[dict[str, str]]:
        return self.database.interact(load)

    def save(self, did: str, secret: str) -> Deferred[None]:
        return self.database.interact(save, did, secret)

    def remove(self, did: str) -> Deferred[None]:
        return self.database.interact(remove, did)


def load(cursor: Cursor) -> dict[str, str]:
    """Every robot's, the first known first."""
    return dict(cursor.execute(LOAD).fetchall())


def save(cursor: Cursor, did: str, secret: str) -> None:
    """Add or replace one."""
    cursor.execute(SAVE, {"did": did, "secret": secret})


def remove(cursor: Cursor, did: str) -> None:
    """Drop one."""
    cursor.execute("DELETE FROM robot_secrets WHERE did = :did", {"did": did})
