"""What users and robots that are gone have left on disk: found by the names in the records."""

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from attrs import frozen
from twisted.internet.defer import Deferred

from bumper_tw.core.shelf import BETWEEN
from bumper_tw.interfaces import IRecordStore
from bumper_tw.storage.files import FOLDER
from bumper_tw.values import OWNER


@frozen
class Names:
    """Whom a record is about; nobody in particular is not among them."""

    uids: frozenset[str] = frozenset()
    dids: frozenset[str] = frozenset()


#: Tells whom a record is about, by its key and what is in it.
About = Callable[[str, Mapping[str, Any]], Names]


def names(uids: Collection[Any] = (), dids: Collection[Any] = ()) -> Names:
    """Those that are names."""
    # The owner of the box is no user who could be gone.
    nobody = {"", OWNER}
    texts = (
        (each for each in part if isinstance(each, str) and each not in nobody)
        for part in (uids, dids)
    )
    return Names(*map(frozenset, texts))


def by_user(key: str, _: Mapping[str, Any]) -> Names:
    """A record of one user."""
    return names([key.split(BETWEEN, maxsplit=1)[0]])


def by_robot(key: str, _: Mapping[str, Any]) -> Names:
    """A record of one robot."""
    return names(dids=[key])


def by_fields(_: str, value: Mapping[str, Any]) -> Names:
    """A record that says whom it is about."""
    return names([value.get(field) for field in ("uid", "by", "to")], [value.get("did")])


#: How it is told, by the name of the shelf.
SHELVES: Mapping[str, About] = {
    "owners": by_fields,
    "shares": by_fields,
    "messages": by_fields,
    "message_marks": by_user,
    "message_switches": by_user,
    "profiles": by_user,
    "settings": by_user,
    "agreements": by_user,
    "user_data": by_user,
    "update attempts": by_fields,
    "updates allowed": by_robot,
}


def drop_left(
    store: IRecordStore,
    unwanted: Callable[[Names], object],
    shelves: Collection[str] = tuple(SHELVES),
) -> Deferred[None]:
    """
    Drop records.

    @param unwanted: whether those go that are about these names.
    """
    return Deferred.fromCoroutine(_drop_left(store, unwanted, shelves))


async def _drop_left(
    store: IRecordStore, unwanted: Callable[[Names], object], shelves: Collection[str]
) -> None:
    for shelf in shelves:
        about, records = SHELVES[shelf], await store.load(shelf)
        gone = [
            key
            for key, value in records.items()
            if unwanted(about(key, value if isinstance(value, dict) else {}))
        ]
        if gone:
            await store.remove(shelf, gone)


def drop_strays(
    store: IRecordStore, uids: Collection[str], dids: Collection[str]
) -> Deferred[None]:
    """
    Drop what is about users and robots that there are not: whoever gets such a name next must
    not find it.

    @param uids: of all users.
    @param dids: of all robots.
    """
    return drop_left(
        store, lambda named: not (named.uids <= set(uids) and named.dids <= set(dids))
    )


def robots_with_files(data: Path) -> Iterator[str]:
    """Who has a folder for files below the data directory."""
    for path in (data / FOLDER).glob("*"):
        yield unquote(path.name)
