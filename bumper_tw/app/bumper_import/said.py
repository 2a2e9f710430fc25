"""What an import tells the owner, of whom it expects no more than that he can read."""

from collections.abc import Iterator, Mapping, Sequence

from bumper_tw.app.bumper_import import authority
from bumper_tw.app.bumper_import.plan import Line, Plan
from bumper_tw.app.bumper_import.work import Outcome
from bumper_tw.app.cli_parts import table
from bumper_tw.app.settings import Settings
from bumper_tw.dialect.bumper_db import Generation, Skipped, Theirs
from bumper_tw.front.contact import clean

#: As many robots, users and reasons are shown one by one.
MOST_LINES = 50

#: The settings of other Bumpers, which are variables of their environment, and ours.
SETTINGS: Mapping[str, str] = {
    "BUMPER_ANNOUNCE_IP": "server.announce",
    "BUMPER_LISTEN": "the addresses in [[listen]]",
    "BUMPER_DATA, DB_FILE": "storage.directory",
    "BUMPER_CERTS": "tls.directory",
    "BUMPER_CA, BUMPER_CERT, BUMPER_KEY": "ca.crt, bumper.crt, bumper.key in tls.directory",
    "DEBUG_BUMPER_LEVEL": "log.level",
    "WEB_SERVER_..._PORT, MQTT_LISTEN_PORT...": "the ports in [[listen]]",
    "XMPP_LISTEN_PORT...": "the ports in [[listen]]",
}


#: What the tables of other Bumpers hold, in words.
TABLES: Mapping[str, str] = {
    "bots": "robot",
    "users": "user",
    "tokens": "login",
    "oauth": "login",
    "logins": "login",
    "clean_logs": "cleaning log",
    "homes of users": "home of a user",
    "robots of users": "robot of a user",
    "owners of robots": "owner of a robot",
}

#: What there is to do after every import.
STEPS = (
    "Stop the other Bumper, and start this one.",
    (
        "Let the robots find this box: give it the address that the other one had, or change "
        'the DNS server of the house; "bumper dns" prints what to tell it.'
    ),
    (
        'See that everything is in its place: "bumper doctor". Each robot is trusted when it '
        "connects for the first time."
    ),
)


def report(outcome: Outcome, settings: Settings, dry: bool) -> Iterator[str]:
    """
    All of it, line by line.

    @param dry: whether nothing was changed.
    """
    yield f"{outcome.places.database} is the database {described(outcome.theirs)}"
    yield ""
    yield from lines(("ROBOT", "CLASS", "SPEAKS", "NAME"), outcome.plan.robot_lines, "robots")
    yield ""
    columns = ("USER", "ACCOUNT", "NEW HOMES", "NEW LOGINS")
    yield from lines(columns, outcome.plan.user_lines, "users")
    yield ""
    yield from counts(outcome.plan, dry)
    yield ""
    yield from of_authority(outcome, settings, dry)
    yield from skipped(outcome.plan.skipped)
    yield ""
    yield from next_steps(outcome, settings, dry)


def described(theirs: Theirs) -> str:
    """Which Bumper a database is of."""
    known = theirs.version if theirs.generation is Generation.NEWEST else ""
    return f"{theirs.generation.value} {known}".rstrip()


def lines(names: tuple[str, ...], found: Sequence[Line], what: str) -> Iterator[str]:
    """Robots or users, one a line."""
    rows = [(*map(clean, line.columns), line.fate) for line in found[:MOST_LINES]]
    yield table((*names, "WHAT"), rows, f"there are no {what} in it")
    if len(found) > MOST_LINES:
        yield f"... and {len(found) - MOST_LINES} {what} more"


def counts(plan: Plan, dry: bool) -> Iterator[str]:
    """How much comes, and how much is here already."""
    rows = [
        (name, str(new), str(plan.known.get(name, 0)))
        for name, new in plan.counts.items()
        if new or plan.known.get(name)
    ]
    title = "WOULD COME" if dry else "CAME"
    yield table(("WHAT", title, "HERE ALREADY"), rows, "nothing is in it that could come")


def of_authority(outcome: Outcome, settings: Settings, dry: bool) -> Iterator[str]:
    """What becomes of the authority."""
    ca = outcome.authority
    if ca is None:
        yield "AUTHORITY: left where it is, as --without-ca says; phones have to trust ours"
    elif ca.found is None:
        yield f"AUTHORITY: cannot be taken over: {ca.why}"
    else:
        verb = "would be" if dry else "is now"
        where = settings.tls.directory
        fate = f"is the one in {where} already" if ca.is_ours else f"{verb} the one in {where}"
        yield f"AUTHORITY: {ca.found.path} {fate}"
        yield from (
            f"  {clean(line)}" for line in authority.described(ca.found.authority.certificate)
        )
    yield from (f"  {line}" for line in outcome.said)


def skipped(found: Sequence[Skipped]) -> Iterator[str]:
    """What does not come, and why."""
    if not found:
        return
    yield ""
    rows = [
        (str(each.count), TABLES[each.what], clean(each.first) or "-", clean(each.why))
        for each in found[:MOST_LINES]
    ]
    yield table(("LEFT OUT", "WHAT", "SUCH AS", "BECAUSE"), rows, "")
    if len(found) > MOST_LINES:
        yield f"... and for {len(found) - MOST_LINES} reasons more"


def next_steps(outcome: Outcome, settings: Settings, dry: bool) -> Iterator[str]:
    """What the owner does now."""
    if dry:
        yield f"Nothing was changed. To import it: {how(outcome)}."
        return
    steps = (*STEPS, *_logins(outcome), *_passwords(outcome), *_strict(settings, outcome.plan))
    yield "What to do now:"
    yield from (f"{number}. {step}" for number, step in enumerate(steps, 1))
    yield ""
    yield "Where the settings of the other Bumper are here; take its variables away, for those"
    yield "whose names begin with BUMPER_ are taken for ours:"
    yield table(("THERE", "HERE"), SETTINGS.items(), "")


def how(outcome: Outcome) -> str:
    """What to type after it was only told what would come."""
    ready = outcome.authority is None or outcome.authority.found is not None
    same = "the same without --dry-run"
    return same if ready else f"{same}, and either with its authority or with --without-ca"


def _logins(outcome: Outcome) -> Iterator[str]:
    if outcome.authority is None:
        yield (
            "Tell phones, and robots that check it, to trust our authority: the page /ca of this "
            "box says how."
        )


def _passwords(outcome: Outcome) -> Iterator[str]:
    if outcome.places.passwords is not None:
        yield (
            f"Accounts of local MQTT clients are in {outcome.places.passwords}: copy it beside "
            "your settings, and name it there as mqtt.passwords."
        )


def _strict(settings: Settings, plan: Plan) -> Iterator[str]:
    if settings.identity.policy == "strict" and plan.users:
        yield (
            'Nobody logs in without a password: "bumper user add ACCOUNT", with the account as '
            "it is typed in the app; whoever had robots and homes with it has them again."
        )
