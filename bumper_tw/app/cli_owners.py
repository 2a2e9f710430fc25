"""What stands behind C{bumper robot give}, C{share} and C{unshare}."""

import argparse
from collections.abc import Collection, Sequence
from secrets import token_hex

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from bumper_tw.app.cli_parts import RELOAD_ROBOTS
from bumper_tw.app.leftovers import drop_left
from bumper_tw.core.household import Household
from bumper_tw.core.ownership import ACCEPTED, Ownership
from bumper_tw.errors import BadRequest
from bumper_tw.interfaces import IDatabase
from bumper_tw.storage.accounts import AccountStore
from bumper_tw.storage.cleaning import CleaningLogStore
from bumper_tw.storage.devices import DeviceStore
from bumper_tw.storage.files import Files
from bumper_tw.storage.records import RecordStore
from bumper_tw.values import User


def give_arguments(parser: argparse.ArgumentParser) -> None:
    """C{DID ACCOUNT}, or C{--all ACCOUNT}."""
    parser.add_argument("--all", action="store_true", help="every robot that is nobody's")
    parser.add_argument("names", nargs="+", metavar="[DID] ACCOUNT", help="which robot, and whose")


def share_arguments(parser: argparse.ArgumentParser) -> None:
    """C{DID ACCOUNT}."""
    parser.add_argument("did", help="the id of the robot, as in the list")
    parser.add_argument("account", help="whom it is shared with")


class Deeds:
    """What is done on disk, whether a server runs or not."""

    def __init__(
        self,
        clock: IReactorTime,
        database: IDatabase,
        files: Files | None = None,
        apart: bool = False,
    ) -> None:
        """
        @param files: what robots have left in the data directory.
        @param apart: whether robots are their owners', so that what one tells of a home is not
            for the next owner.
        """
        self._clock, self._files, self._apart = clock, files, apart
        self._logs = CleaningLogStore(database)
        self._devices, self._accounts = DeviceStore(database), AccountStore(database)
        self._records = RecordStore(database)

    def give(self, options: argparse.Namespace) -> Deferred[str]:
        """Make robots somebody's."""
        return Deferred.fromCoroutine(self._give(options.names, options.all))

    async def _give(self, names: Sequence[str], every: bool) -> str:
        if len(names) != (1 if every else 2):
            raise BadRequest('expected "give DID ACCOUNT" or "give --all ACCOUNT"')
        user, ownership = await self._user(names[-1]), await self._ownership()
        dids = await self._nobodys(ownership) if every else [await self._known(names[0])]
        for did in dids:
            if ownership.owner(did) not in {"", user.uid}:
                await self._left(did)
            await ownership.give(did, user.uid)
        return f"{', '.join(dids) or 'no robot'} now belongs to {user.account}; {RELOAD_ROBOTS}"

    async def _nobodys(self, ownership: Ownership) -> Sequence[str]:
        return ownership.orphans(device.id.did for device in await self._devices.load())

    def share(self, options: argparse.Namespace) -> Deferred[str]:
        """Let somebody use a robot, without asking anybody."""
        return Deferred.fromCoroutine(self._share(options.did, options.account))

    async def _share(self, did: str, account: str) -> str:
        user, ownership = await self._user(account), await self._ownership()
        known = await self._known(did)
        await ownership.invite(known, ownership.owner(known), user.uid, ACCEPTED)
        return f"{user.account} may use {known}; {RELOAD_ROBOTS}"

    def unshare(self, options: argparse.Namespace) -> Deferred[str]:
        """Do not let somebody use a robot any more."""
        return Deferred.fromCoroutine(self._unshare(options.did, options.account))

    async def _unshare(self, did: str, account: str) -> str:
        user, ownership = await self._user(account), await self._ownership()
        if ownership.share(did, user.uid) is None:
            raise BadRequest(f"{did} is not shared with {user.account}")
        await ownership.end(did, user.uid)
        return f"{user.account} may not use {did} any more; {RELOAD_ROBOTS}"

    def owners(self) -> Deferred[dict[str, str]]:
        """The account of the owner of each robot that has one, by did."""
        return Deferred.fromCoroutine(self._owners())

    async def _owners(self) -> dict[str, str]:
        ownership, users = await self._ownership(), (await self._accounts.load())[0]
        accounts = {user.uid: user.account for user in users}
        owners = {d.id.did: ownership.owner(d.id.did) for d in await self._devices.load()}
        return {did: accounts.get(uid, uid) for did, uid in owners.items() if uid}

    def forget_robot(self, did: str) -> Deferred[None]:
        """A robot that is removed is nobody's, and leaves nothing."""
        return Deferred.fromCoroutine(self._forget_robot(did))

    async def _forget_robot(self, did: str) -> None:
        await drop_left(self._records, lambda named: did in named.dids)
        await self._emptied(did)

    def forget_users(self, uids: Collection[str]) -> Deferred[None]:
        """Users who are removed have nothing."""
        return Deferred.fromCoroutine(self._forget_users(uids))

    async def _forget_users(self, uids: Collection[str]) -> None:
        ownership = await self._ownership()
        for device in await self._devices.load():
            if ownership.owner(device.id.did) in uids:
                await self._left(device.id.did)
        await drop_left(self._records, lambda named: named.uids & set(uids))

    async def _left(self, did: str) -> None:
        """A robot has its owner no more."""
        if self._apart:
            await drop_left(self._records, lambda named: did in named.dids, ["messages"])
            await self._emptied(did)

    async def _emptied(self, did: str) -> None:
        await self._logs.forget(did)
        if self._files is not None:
            await self._files.forget(did)

    async def _ownership(self) -> Ownership:
        ownership = Ownership(self._clock, self._records, token_hex)
        await ownership.load(self._records)
        return ownership

    async def _known(self, did: str) -> str:
        if did not in {device.id.did for device in await self._devices.load()}:
            raise BadRequest(f"there is no robot {did}")
        return did

    async def _user(self, account: str) -> User:
        users, _, homes = await self._accounts.load()
        household = Household(self._clock, self._accounts, token_hex)
        household.load(users, homes)
        user = household.find(account)
        if user is None:
            raise BadRequest(f"there is no account {account}")
        return user
