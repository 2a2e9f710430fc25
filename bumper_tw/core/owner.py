"""What the owner of the box does with accounts and robots; works on the stores, server or not."""

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from bumper_tw.core.passwords import Passwords, md5_hex
from bumper_tw.core.policies import MAX_ACCOUNT, uid_of
from bumper_tw.core.robot_secrets import SecretKind, kind_of
from bumper_tw.errors import BadRequest
from bumper_tw.interfaces import IAccountStore, IDeviceStore, IRobotSecretStore, ITelemetryStore
from bumper_tw.values import Device, User


class Owner:
    """Adds, changes and removes accounts that have a password."""

    def __init__(self, clock: IReactorTime, store: IAccountStore, passwords: Passwords) -> None:
        self._clock, self._store, self._passwords = clock, store, passwords

    def users(self) -> Deferred[list[User]]:
        """Every user, those who made themselves at home included."""
        return self._store.load().addCallback(lambda loaded: loaded[0])

    def set_password(self, account: str, password: str) -> Deferred[User]:
        """
        Add an account, or change its password; whoever is logged in to it is not any more.

        @param password: as a person types it.
        @return: fails with L{BadRequest} when account or password is empty or unfit.
        """
        return Deferred.fromCoroutine(self._set_password(account, password))

    async def _set_password(self, account: str, password: str) -> User:
        if not account or len(account) > MAX_ACCOUNT or not account.isprintable():
            raise BadRequest("an account has between 1 and 254 printable characters")
        if not password:
            raise BadRequest("the password is empty")
        user = await self._known(account) or User(uid_of(account), account, self._clock.seconds())
        hashed = await self._passwords.hashed(md5_hex(password))
        await self._store.set_password(user, hashed)
        await self._log_out(user.uid)
        return user

    def remove(self, account: str) -> Deferred[bool]:
        """Remove a user with all that belongs to it; whether there was one."""
        return Deferred.fromCoroutine(self._remove(account))

    async def _remove(self, account: str) -> bool:
        user = await self._known(account)
        if user is not None:
            await self._store.remove_user(user.uid)
        return user is not None

    async def _known(self, account: str) -> User | None:
        users = await self.users()
        return next((user for user in users if user.uid == uid_of(account)), None)

    async def _log_out(self, uid: str) -> None:
        _, tokens, _ = await self._store.load()
        await self._store.remove_tokens([token.digest for token in tokens if token.uid == uid])


@frozen
class Resident:
    """
    A robot as its owner sees it.

    @ivar name: what the owner calls it, or its serial number.
    @ivar secret: what it brought when it came first; C{None} when it comes next.
    @ivar heard_at: its newest report, in seconds since the epoch; 0 for none.
    """

    did: str
    model: str = ""
    name: str = ""
    secret: SecretKind | None = None
    heard_at: float = 0.0


class RobotOwner:
    """Lists robots, trusts them anew, and removes them."""

    def __init__(
        self, devices: IDeviceStore, secrets: IRobotSecretStore, reports: ITelemetryStore
    ) -> None:
        self._devices, self._secrets, self._reports = devices, secrets, reports

    def robots(self) -> Deferred[list[Resident]]:
        """Every robot, the first known first."""
        return Deferred.fromCoroutine(self._robots())

    async def _robots(self) -> list[Resident]:
        devices, secrets = await self._devices.load(), await self._secrets.load()
        heard: dict[str, float] = {}
        for report in await self._reports.latest():
            heard[report.did] = max(report.at, heard.get(report.did, 0.0))
        return list(_residents(devices, secrets, heard))

    def trust(self, did: str) -> Deferred[None]:
        """
        Trust whatever a robot brings when it connects next.

        @return: fails with L{BadRequest} when nothing is known of it.
        """
        return Deferred.fromCoroutine(self._trust(did))

    async def _trust(self, did: str) -> None:
        await self._check_known(did)
        await self._secrets.remove(did)

    def remove(self, did: str) -> Deferred[None]:
        """
        Forget a robot, its secret and its reports; it is new when it connects next.

        @return: fails with L{BadRequest} when nothing is known of it.
        """
        return Deferred.fromCoroutine(self._remove(did))

    async def _remove(self, did: str) -> None:
        await self._check_known(did)
        await self._devices.remove(did)
        await self._secrets.remove(did)
        await self._reports.forget(did)

    async def _check_known(self, did: str) -> None:
        if did not in {robot.did for robot in await self._robots()}:
            raise BadRequest(f"there is no robot {did}")


def _residents(
    devices: Sequence[Device], secrets: Mapping[str, str], heard: Mapping[str, float]
) -> Iterator[Resident]:
    """The robots that were kept, and behind them those that only ever logged in."""
    known = {device.id.did: device for device in devices}
    for did in (*known, *(did for did in secrets if did not in known)):
        secret = kind_of(secrets[did]) if did in secrets else None
        if did not in known:
            yield Resident(did, secret=secret)
            continue
        device = known[did]
        name = device.nick or device.name
        yield Resident(did, device.id.model, name, secret, heard.get(did, 0.0))
