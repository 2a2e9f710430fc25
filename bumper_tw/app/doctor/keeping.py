"""What this box keeps: its certificates, its database, its clock."""

import ctypes
import shutil
import stat
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509

from bumper_tw.app.addresses import plain
from bumper_tw.app.doctor.evidence import Evidence
from bumper_tw.app.doctor.finding import Verdict, fine, told, wrong
from bumper_tw.app.doctor.strictness import fault
from bumper_tw.errors import StartError, StorageError
from bumper_tw.pki import pem
from bumper_tw.pki.certificates import covered, not_after, not_before, signed_by
from bumper_tw.pki.directory import CA, CA_KEY, LEAF, PLAUSIBLE
from bumper_tw.storage import snapshots
from bumper_tw.storage.migrations import CHECKED, DATABASE, OURS, known

#: Days that a certificate has to be good for.
ENOUGH_DAYS = 14.0

#: Bytes that have to be free.
ENOUGH_ROOM = 50 << 20

#: Seconds that a file may be younger than the clock says it is.
TOLERANCE = 120.0

#: What adjtimex(2) returns when nobody keeps the clock right.
UNSYNCHRONISED = 5

A_DAY = 86_400.0

#: A check.
Look = Callable[[Evidence], Verdict]

RENEW = (
    "remove bumper.crt and bumper.key there and start the server again; it makes new ones as "
    "long as ca.crt and ca.key are there"
)
REPLACE = (
    "move ca.crt, ca.key, bumper.crt and bumper.key away from there and start the server again; "
    "it makes a new authority, which every device that trusts this one has to get from /ca"
)
SET_CLOCK = "set the clock, and have it kept right: timedatectl set-ntp true"


def _not_ours(evidence: Evidence, folder: Path) -> Verdict | None:
    """What to say of a folder that whoever asks may not look into; C{None} when he may."""
    try:
        owner = folder.stat().st_uid
    except FileNotFoundError:
        return None
    except OSError as error:
        return told(f"{folder} cannot be looked at: {error.strerror}")
    inside = evidence.snapshot is not None and evidence.snapshot.pid == evidence.ports.own_pid
    if inside or evidence.uid in {0, owner}:
        return None
    return told(f"{folder} belongs to user {owner}; ask as that user, or as root")


def looking_into(which: str) -> Callable[[Look], Look]:
    """
    Decorates a check: it is made only by those who may look into a folder.

    @param which: the name of the folder among the evidence.
    """

    def decorate(look: Look) -> Look:
        @wraps(look)
        def careful(evidence: Evidence) -> Verdict:
            return _not_ours(evidence, getattr(evidence, which)) or look(evidence)

        return careful

    return decorate


@looking_into("certs")
def certificate(evidence: Evidence) -> Verdict:
    """The server certificate is good, for strict clients, too."""
    place = evidence.certs / LEAF
    if not place.exists():
        return told(f"{place} is made when the server starts")
    try:
        chain = pem.certificates(place, place.read_bytes())
        authority = pem.certificates(place, (evidence.certs / CA).read_bytes())
    except StartError as error:
        return wrong(str(error), RENEW)
    except OSError as error:
        return wrong(f"{error.filename} cannot be read: {error.strerror}", _rights(evidence))
    return _judged(evidence, place, chain, authority[0])


def _judged(
    evidence: Evidence,
    place: Path,
    chain: tuple[x509.Certificate, ...],
    authority: x509.Certificate,
) -> Verdict:
    now = datetime.fromtimestamp(evidence.now, UTC)
    if not_before(chain[0]) > now or not_before(authority) > now:
        return told(f"{place} is not valid yet, by the clock of this box")
    days = days_left(chain[0], evidence.now)
    left = days_left(authority, evidence.now)
    if left < ENOUGH_DAYS:
        which = place.with_name(CA)
        return wrong(f"{which} is good for {max(0, int(left))} days only", REPLACE)
    if days < ENOUGH_DAYS:
        return wrong(f"{place} is good for {max(0, int(days))} days only", RENEW)
    if not signed_by(chain[0], authority):
        return told(f"{place} is not of our authority; it is good for {int(days)} days")
    return _looked_at_strictly(evidence, place, chain, authority)


def _looked_at_strictly(
    evidence: Evidence,
    place: Path,
    chain: tuple[x509.Certificate, ...],
    authority: x509.Certificate,
) -> Verdict:
    now = datetime.fromtimestamp(evidence.now, UTC)
    found = fault(chain, authority, now)
    if found is not None and not found.of_authority:
        return wrong(f"{place} does not pass a strict look: {found.said}", RENEW)
    if found is not None and (worse := fault(chain, authority, now, strict=False)):
        return wrong(f"nobody accepts {place.with_name(CA)}: {worse.said}", REPLACE)
    missing = _uncovered(evidence, chain[0])
    if missing:
        return wrong(f"{place} does not say {missing}, which is where robots find us", RENEW)
    days = int(days_left(chain[0], evidence.now))
    if found is not None:
        return told(_of_the_old_kind(place.with_name(CA), found.said, days))
    return fine(f"the certificate is good for {days} days, for strict clients, too")


def _of_the_old_kind(place: Path, said: str, days: int) -> str:
    """
    What to say of an authority that is good enough for those who trust it by hand: phones and
    robots take it for their own as it is.  Only a new one would be better, which all of them
    would have to get, so nobody is told to make one.
    """
    return (
        f"the certificate is good for {days} days, but not for strict clients that verify it, "
        f"such as programs with Python 3.13 and newer: {said}, in {place}; phones and robots "
        "do not mind, and would all have to trust a new authority, so it is better left as it is"
    )


def days_left(found: x509.Certificate, now: float) -> float:
    """
    How long a certificate is good.

    @param now: seconds since 1970.
    """
    return (not_after(found).timestamp() - now) / A_DAY


def _uncovered(evidence: Evidence, leaf: x509.Certificate) -> str:
    """The address that robots are told, if the certificate lacks it."""
    address = plain(evidence.address)
    try:
        wanted = ip_address(address)
    except ValueError:
        return ""
    return "" if wanted.is_loopback or wanted in covered(leaf).addresses else address


def _rights(evidence: Evidence) -> str:
    return f"ask as the user that runs the server, or as root; {evidence.certs} is his"


@looking_into("certs")
def ca_key(evidence: Evidence) -> Verdict:
    """Nobody else can read what our authority signs with."""
    place = evidence.certs / CA_KEY
    try:
        found = place.stat()
        folder = evidence.certs.stat()
    except FileNotFoundError:
        return told(f"{place} is not there; without it nothing is renewed")
    except OSError as error:
        return told(f"{place} cannot be looked at: {error.strerror}")
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        return wrong(f"others may use {place}: its mode is {mode:04o}", f"chmod 600 {place}")
    if found.st_uid != folder.st_uid:
        return wrong(
            f"{place} belongs to user {found.st_uid}, its folder to user {folder.st_uid}",
            f"chown {folder.st_uid} {place}",
        )
    return fine("only its owner can read the key of the authority")


def clock(evidence: Evidence) -> Verdict:
    """The clock is not before what has happened already."""
    now = datetime.fromtimestamp(evidence.now, UTC)
    if now < PLAUSIBLE:
        return wrong(f"the clock says {now:%Y-%m-%d}, which is long ago", SET_CLOCK)
    for place in (evidence.certs / CA, evidence.certs / LEAF, evidence.data / DATABASE):
        then = max(_written(place), _valid_from(place))
        if then > evidence.now + TOLERANCE:
            when = datetime.fromtimestamp(then, UTC)
            return wrong(
                f"the clock says {now:%Y-%m-%d %H:%M}, but {place} is of {when:%Y-%m-%d %H:%M}",
                f"{SET_CLOCK}; if it is right now, remove {place.name} when it is a certificate",
            )
    return _kept_right()


def _written(place: Path) -> float:
    try:
        return place.stat().st_mtime
    except OSError:
        return 0.0


def _valid_from(place: Path) -> float:
    """When a certificate began to hold; 0 for other files."""
    if place.suffix != ".crt":
        return 0.0
    try:
        return not_before(pem.certificates(place, place.read_bytes())[0]).timestamp()
    except (OSError, StartError):
        return 0.0


def _kept_right() -> Verdict:
    if _synchronised() is False:
        return told("the clock is plausible; nothing here sets the clock (NTP)")
    return fine("the clock is plausible")


def _synchronised() -> bool | None:
    """Whether the kernel thinks that somebody keeps the clock right; C{None} if it cannot say."""
    # struct timex has 208 bytes on 64 bit; with "modes" 0 it is only filled in.
    room = ctypes.create_string_buffer(512)
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    state = -1 if adjtimex is None else int(adjtimex(room))
    return None if state < 0 else state != UNSYNCHRONISED


@looking_into("data")
def disk(evidence: Evidence) -> Verdict:
    """There is room, and it can be written to."""
    place = evidence.data
    if not place.exists():
        return told(f"{place} is made when the server starts")
    try:
        with tempfile.TemporaryFile(dir=place) as probe:
            probe.write(bytes(4096))
            probe.flush()
        free = shutil.disk_usage(place).free
    except OSError as error:
        return wrong(
            f"{place} cannot be written: {error.strerror}",
            f"make room, or give the server its folder: chown -R <its user> {place}",
        )
    megabytes = free >> 20
    if free < ENOUGH_ROOM:
        return wrong(f"{megabytes} MB are free in {place}", "free some space on that disk")
    return fine(f"{place} can be written, and {megabytes} MB are free")


@looking_into("data")
def database(evidence: Evidence) -> Verdict:
    """The database opens, is of this version, and is whole."""
    place = evidence.data / DATABASE
    if not place.exists():
        return told(f"{place} is made when the server starts")
    if evidence.snapshot is not None and not evidence.snapshot.database:
        return wrong("the server cannot write to its database", "see the log, and the check disk")
    try:
        return _looked_through(place)
    except StorageError as error:
        sentence, _, remedy = str(error).partition("; ")
        return wrong(sentence, remedy or "put a backup in its place")


def _looked_through(place: Path) -> Verdict:
    state = snapshots.state(place, largest=CHECKED)
    if state.owner != OURS:
        return wrong(
            f"{place} is the database of another program",
            "choose another directory = in [storage]",
        )
    if state.schema > known()[-1].version:
        return wrong(
            f"{place} was written by a newer version", "install that one again, or a backup"
        )
    if state.damage:
        return wrong(f"{place} is damaged: {state.damage}", "put a backup in its place")
    return fine("the database is whole")
