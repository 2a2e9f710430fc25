"""What comes from an older Bumper: decided here, written elsewhere."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import Factory, define, evolve, frozen

from bumper_tw.app.bumper_import.ours import Ours
from bumper_tw.core.household import HOME_NAME, MAX_HOMES, MAX_USERS
from bumper_tw.core.ownership import Owned
from bumper_tw.core.policies import DEFAULT_ACCOUNT, uid_of
from bumper_tw.core.sessions import PER_USER
from bumper_tw.core.tokens import digest
from bumper_tw.dialect.bumper_db import Skipped, Tally, Theirs
from bumper_tw.dialect.bumper_records import TheirToken, TheirUser
from bumper_tw.errors import BadRequest
from bumper_tw.storage.cleaning import merged
from bumper_tw.values import CleaningLog, Device, DeviceId, Home, Token, User

#: What the parts of an import are called, in a table of counts.
ROBOTS, USERS, HOMES, LOGINS, JOBS, OWNERS = (
    "robots",
    "users",
    "homes",
    "logins",
    "cleaning logs",
    "owners",
)


@frozen
class Wishes:
    """
    What the owner, and his settings, say to it.

    @ivar account: whose the robots are; empty for whomever they were.
    @ivar now: seconds since the epoch.
    @ivar random_hex: so many unpredictable bytes in hexadecimal.
    @ivar owners: whether robots have owners.
    @ivar strict: whether somebody needs a password here.
    @ivar robots: how many there may be.
    @ivar jobs: how many are kept of one robot.
    @ivar seconds: how long somebody stays logged in.
    """

    account: str
    now: float
    random_hex: Callable[[int], str]
    owners: bool = False
    strict: bool = False
    robots: int = 500
    jobs: int = 1000
    seconds: float = 30 * 86_400.0


@frozen
class Line:
    """What becomes of one robot or user, as it is shown."""

    columns: tuple[str, ...]
    fate: str


@frozen
class Plan:
    """
    What is to be written, and what there is to say.

    @ivar known: how much of it is here already, by what it is.
    """

    robots: tuple[Device, ...]
    users: tuple[User, ...]
    homes: tuple[Home, ...]
    tokens: tuple[Token, ...]
    jobs: tuple[CleaningLog, ...]
    owners: tuple[Owned, ...]
    robot_lines: tuple[Line, ...]
    user_lines: tuple[Line, ...]
    known: Mapping[str, int]
    skipped: tuple[Skipped, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How much is new, by what it is."""
        parts = (self.robots, self.users, self.homes, self.tokens, self.jobs, self.owners)
        names = (ROBOTS, USERS, HOMES, LOGINS, JOBS, OWNERS)
        return dict(zip(names, map(len, parts), strict=True))


def job_ids(theirs: Theirs, devices: Mapping[str, Device]) -> Iterator[str]:
    """
    What the jobs of theirs are called here.

    @param devices: the robots that are known here, theirs included.
    """
    for job in theirs.jobs:
        device = devices.get(job.device.did)
        if device is not None:
            yield placed(job, device).id


def placed(job: CleaningLog, device: Device) -> CleaningLog:
    """A job with the whole address of its robot."""
    resource = job.device.resource or device.id.resource
    return evolve(job, device=DeviceId(device.id.did, device.id.model, resource))


def plan(theirs: Theirs, ours: Ours, wishes: Wishes) -> Plan:
    """
    Decide what comes: what is here already wins, and what it leaves open is filled in.

    @raise BadRequest: there is no such account to give robots to.
    """
    return Planning(theirs, ours, wishes).made()


@define
class Planning:
    """One plan in the making."""

    theirs: Theirs
    ours: Ours
    wishes: Wishes
    _known: Counter[str] = Factory(Counter)
    _tally: Tally = Factory(Tally)
    _lines: dict[str, list[Line]] = Factory(lambda: {ROBOTS: [], USERS: []})

    def made(self) -> Plan:
        """All of it, one part after the other."""
        owner = self._owner()
        robots = list(self._robots())
        users = list(self._users())
        devices = {**self.ours.devices, **{device.id.did: device for device in robots}}
        uids = self.ours.users.keys() | {user.uid for user in users}
        homes, tokens = list(self._homes(uids)), list(self._tokens(uids))
        self._show_users(users, homes, tokens)
        return Plan(
            tuple(robots),
            tuple(users),
            tuple(homes),
            tuple(tokens),
            tuple(self._jobs(devices)),
            tuple(self._owned(owner, devices, uids)) if self.wishes.owners else (),
            tuple(self._lines[ROBOTS]),
            tuple(self._lines[USERS]),
            dict(self._known),
            (*self.theirs.skipped, *self._tally.all()),
        )

    def _owner(self) -> str:
        """The uid of the account that was named; empty if none was."""
        name = self.wishes.account.strip()
        alike = [u for u in self.ours.users.values() if u.account.casefold() == name.casefold()]
        exact = [user for user in alike if user.account == name] or alike
        if not name or len(exact) == 1:
            return exact[0].uid if name else ""
        if any(user.uid == uid_of(name) for user in self.theirs.users):
            return uid_of(name)
        raise BadRequest(
            f'there is no account {name}, neither here nor there; add it first: "bumper user add"'
        )

    def _robots(self) -> Iterator[Device]:
        room = self.wishes.robots - len(self.ours.devices)
        for device in self.theirs.robots:
            known = self.ours.devices.get(device.id.did)
            if known is None and room <= 0:
                why = "there are too many robots already; raise identity.robots"
                self._tally.add("bots", device.id.did, why)
                continue
            room -= int(known is None)
            yield from self._robot(device, known)

    def _robot(self, device: Device, known: Device | None) -> Iterator[Device]:
        fate, result = "new", evolve(device, bound_at=self.wishes.now)
        if known is not None:
            result = completed(known, device)
            fate = "known here" if result == known else "known here, gets what we did not know"
            self._known[ROBOTS] += int(result == known)
        columns = (result.id.did, result.id.model, result.company.name, result.nick or "-")
        self._lines[ROBOTS].append(Line(columns, fate))
        if result != known:
            yield result

    def _users(self) -> Iterator[User]:
        room = MAX_USERS - len(self.ours.users)
        for user in self.theirs.users:
            if user.uid in self.ours.users:
                self._known[USERS] += 1
            elif room <= 0:
                self._tally.add("users", user.uid, "there are too many users already")
            else:
                room -= 1
                yield User(user.uid, account_of(user, self.wishes.account), self.wishes.now)

    def _show_users(
        self, users: Sequence[User], homes: Sequence[Home], tokens: Sequence[Token]
    ) -> None:
        new = {user.uid: user for user in users}
        count_homes = Counter(home.uid for home in homes)
        count_tokens = Counter(token.uid for token in tokens)
        for each in self.theirs.users:
            user = new.get(each.uid) or self.ours.users.get(each.uid)
            if user is not None:
                numbers = (count_homes[user.uid], count_tokens[user.uid])
                columns = (user.uid, user.account, *map(str, numbers))
                fate = "new" if user.uid in new else "known here"
                self._lines[USERS].append(Line(columns, fate))

    def _homes(self, uids: frozenset[str] | set[str]) -> Iterator[Home]:
        taken = {home.id: home.uid for home in self.ours.homes.values()}
        counts = Counter(taken.values())
        for user in self.theirs.users:
            if user.uid in uids:
                yield from self._homes_of(user, taken, counts[user.uid])

    def _homes_of(self, user: TheirUser, taken: dict[str, str], count: int) -> Iterator[Home]:
        for each in user.homes:
            if taken.setdefault(each, user.uid) != user.uid:
                why = "somebody else has it already, and a home is one user's"
                self._tally.add("homes of users", each, why)
            elif each in self.ours.homes:
                self._known[HOMES] += 1
            elif count < MAX_HOMES:
                count += 1
                yield self._home(each, user.uid, count)
        if not count:
            # As with everybody who is new here.
            yield self._home(self.wishes.random_hex(12), user.uid, 1)

    def _home(self, home_id: str, uid: str, number: int) -> Home:
        name = HOME_NAME if number == 1 else f"{HOME_NAME} {number}"
        return Home(home_id, uid, name, self.wishes.now)

    def _tokens(self, uids: frozenset[str] | set[str]) -> Iterator[Token]:
        full = Counter(token.uid for token in self.ours.tokens.values())
        found: dict[str, None] = {}
        for token in sorted(self.theirs.tokens, key=lambda each: -each.expires_at):
            key = digest(token.text)
            if key in self.ours.tokens or key in found:
                self._known[LOGINS] += 1
                continue
            why = self._dead(token, uids, full)
            if why:
                self._tally.add("logins", token.uid, why)
                continue
            found[key], full[token.uid] = None, full[token.uid] + 1
            until = min(token.expires_at, self.wishes.now + self.wishes.seconds)
            yield Token(key, token.uid, token.purpose.value, until)

    def _dead(self, token: TheirToken, uids: frozenset[str] | set[str], full: Counter[str]) -> str:
        """Why a login does not count here; empty if it does."""
        if token.expires_at <= self.wishes.now:
            return "it has expired; the app logs in again by itself"
        if self.wishes.strict:
            return 'identity.policy is "strict": everybody has to show a password first'
        if token.uid not in uids:
            return "there is no such user"
        if token.uid in self.ours.guarded:
            return "the user has a password here, and has to show it first"
        return "the user has enough of them" if full[token.uid] >= PER_USER else ""

    def _jobs(self, devices: Mapping[str, Device]) -> Iterator[CleaningLog]:
        kept: Counter[str] = Counter()
        for job in sorted(self._placed(devices), key=lambda each: -each.started_at):
            kept[job.device.did] += 1
            if kept[job.device.did] > self.wishes.jobs:
                why = "there are newer ones enough; raise storage.cleaning_logs"
                self._tally.add("clean_logs", job.device.did, why)
                continue
            known = self.ours.jobs.get(job.id)
            result = job if known is None else merged(job, known)
            if result == known:
                self._known[JOBS] += 1
            else:
                yield result

    def _placed(self, devices: Mapping[str, Device]) -> Sequence[CleaningLog]:
        """Each job once, with the address of its robot."""
        found: dict[str, CleaningLog] = {}
        for job in self.theirs.jobs:
            device = devices.get(job.device.did)
            if device is None:
                self._tally.add("clean_logs", job.device.did, "there is no such robot")
                continue
            whole = placed(job, device)
            found[whole.id] = merged(found[whole.id], whole) if whole.id in found else whole
        return list(found.values())

    def _owned(
        self, owner: str, devices: Mapping[str, Device], uids: frozenset[str] | set[str]
    ) -> Iterator[Owned]:
        lists: dict[str, list[str]] = {}
        for user in self.theirs.users:
            for did in user.robots:
                lists.setdefault(did, []).append(user.uid)
        for did in dict.fromkeys(device.id.did for device in self.theirs.robots):
            if self.ours.owners.get(did):
                self._known[OWNERS] += 1
            elif did in devices:
                whose = [owner] if owner else lists.get(did, [])
                yield from self._whose(did, [uid for uid in whose if uid in uids])

    def _whose(self, did: str, whose: Sequence[str]) -> Iterator[Owned]:
        if len(whose) == 1:
            yield Owned(did, whose[0], self.wishes.now)
        else:
            # The newest generation gives every robot to whoever logs in.
            why = "it is in the list of several users" if whose else "it is in nobody's list"
            self._tally.add("owners of robots", did, f'{why}: "bumper robot give", or --account')


def completed(known: Device, told: Device) -> Device:
    """A robot of ours, with what we did not know."""
    return evolve(
        known,
        name=known.name or told.name,
        nick=known.nick or told.nick,
        firmware=known.firmware or told.firmware,
    )


def account_of(user: TheirUser, wished: str) -> str:
    """
    How a user is called here: by the account that his id is made from, if that can be told, and
    by his id until he logs in.
    """
    likely = (wished.strip(), user.name, DEFAULT_ACCOUNT)
    return next((name for name in likely if name and uid_of(name) == user.uid), user.uid)
