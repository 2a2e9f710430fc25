"""Users, passwords, tokens and homes on disk."""

from collections.abc import Sequence
from sqlite3 import Cursor
from typing import Any

from attrs import asdict, frozen
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from bumper_tw.interfaces import IAccountStore, IDatabase
from bumper_tw.values import Home, Token, User

USERS = "SELECT uid, account, created_at FROM users ORDER BY place"
TOKENS = "SELECT digest, uid, purpose, expires_at, client FROM tokens ORDER BY digest"
PASSWORDS = "SELECT uid, password FROM users WHERE password IS NOT NULL"
HOMES = "SELECT id, uid, name, created_at FROM homes ORDER BY place"

SAVE_USER = """
    INSERT INTO users (uid, account, created_at) VALUES (:uid, :account, :created_at)
    ON CONFLICT (uid) DO UPDATE SET
        account = excluded.account, created_at = excluded.created_at
"""

SET_PASSWORD = """
    INSERT INTO users (uid, account, created_at, password)
    VALUES (:uid, :account, :created_at, :password)
    ON CONFLICT (uid) DO UPDATE SET password = excluded.password
"""  # noqa: S105 - a statement, not a secret

SAVE_TOKEN = """
    INSERT INTO tokens (digest, uid, purpose, expires_at, client)
    VALUES (:digest, :uid, :purpose, :expires_at, :client)
    ON CONFLICT (digest) DO UPDATE SET
        uid = excluded.uid, purpose = excluded.purpose,
        expires_at = excluded.expires_at, client = excluded.client
"""  # noqa: S105 - as above

SAVE_HOME = """
    INSERT INTO homes (id, uid, name, created_at) VALUES (:id, :uid, :name, :created_at)
    ON CONFLICT (id) DO UPDATE SET
        uid = excluded.uid, name = excluded.name, created_at = excluded.created_at
"""

#: What goes with a user.
REMOVE_USER = (
    "DELETE FROM tokens WHERE uid = :uid",
    "DELETE FROM homes WHERE uid = :uid",
    "DELETE FROM users WHERE uid = :uid",
)


@implementer(IAccountStore)
@frozen
class AccountStore:
    """Accounts in a database."""

    database: IDatabase

    def load(self) -> Deferred[tuple[list[User], list[Token], list[Home]]]:
        return self.database.interact(load)

    def save_user(self, user: User) -> Deferred[None]:
        return self.database.interact(execute, SAVE_USER, asdict(user))

    def remove_user(self, uid: str) -> Deferred[None]:
        return self.database.interact(remove_user, uid)

    def save_token(self, token: Token, surplus: Sequence[str] = ()) -> Deferred[None]:
        return self.database.interact(save_token, asdict(token), tuple(surplus))

    def remove_tokens(self, digests: Sequence[str]) -> Deferred[None]:
        if not digests:
            return succeed(None)
        return self.database.interact(remove_tokens, tuple(digests))

    def save_home(self, home: Home) -> Deferred[None]:
        return self.database.interact(execute, SAVE_HOME, asdict(home))

    def remove_home(self, home_id: str) -> Deferred[None]:
        return self.database.interact(execute, "DELETE FROM homes WHERE id = :id", {"id": home_id})

    def password(self, uid: str) -> Deferred[str | None]:
        return self.database.interact(password, uid)

    def passwords(self) -> Deferred[dict[str, str]]:
        return self.database.interact(passwords)

    def set_password(self, user: User, hashed: str) -> Deferred[None]:
        return self.database.interact(execute, SET_PASSWORD, {**asdict(user), "password": hashed})


def execute(cursor: Cursor, statement: str, values: dict[str, Any]) -> None:
    """Run one statement that has no result."""
    cursor.execute(statement, values)


def save_token(cursor: Cursor, row: dict[str, Any], surplus: Sequence[str]) -> None:
    """Add or replace one, and drop others."""
    cursor.execute(SAVE_TOKEN, row)
    remove_tokens(cursor, surplus)


def load(cursor: Cursor) -> tuple[list[User], list[Token], list[Home]]:
    """Everything but the passwords."""
    users = [User(*row) for row in cursor.execute(USERS)]
    tokens = [Token(*row) for row in cursor.execute(TOKENS)]
    homes = [Home(*row) for row in cursor.execute(HOMES)]
    return users, tokens, homes


def remove_user(cursor: Cursor, uid: str) -> None:
    """Drop a user with all that is theirs."""
    for statement in REMOVE_USER:
        cursor.execute(statement, {"uid": uid})


def remove_tokens(cursor: Cursor, digests: Sequence[str]) -> None:
    """Drop tokens."""
    rows = [{"digest": digest} for digest in digests]
    cursor.executemany("DELETE FROM tokens WHERE digest = :digest", rows)


def passwords(cursor: Cursor) -> dict[str, str]:
    """The password hashes of all who have one."""
    return dict(cursor.execute(PASSWORDS).fetchall())


def password(cursor: Cursor, uid: str) -> str | None:
    """The password hash of a user."""
    row = cursor.execute("SELECT password FROM users WHERE uid = :uid", {"uid": uid}).fetchone()
    return None if row is None else row[0]
