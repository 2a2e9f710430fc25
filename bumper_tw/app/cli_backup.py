"""C{bumper backup} and C{bumper restore}: all that must not be lost, in one file."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from stat import S_ISREG
from time import time
from types import FrameType
from typing import BinaryIO, NoReturn

from attrs import frozen

from bumper_tw.app import config
from bumper_tw.app.backups import backing_up, restoring
from bumper_tw.app.backups.archive import Archive
from bumper_tw.app.backups.backing_up import Made, Order
from bumper_tw.app.backups.bare import Bare
from bumper_tw.app.backups.incoming import Incoming, is_database, named, sent
from bumper_tw.app.backups.manifest import SETTINGS, Refused
from bumper_tw.app.backups.output import must_be_new, new_file
from bumper_tw.app.backups.passphrases import named_passphrase, passphrase, passphrase_of
from bumper_tw.app.backups.restoring import (
    Restored,
    Verified,
    alone,
    put_back,
    show,
    tried,
    verified,
)
from bumper_tw.app.backups.sealing import Opener, is_sealed
from bumper_tw.app.backups.sources import Sources
from bumper_tw.app.backups.swap import told
from bumper_tw.app.backups.targets import Wishes, folders_of
from bumper_tw.app.backups.ways import settled
from bumper_tw.app.cli_parts import ended, with_places
from bumper_tw.errors import BadRequest, StorageError

#: What stands for the standard output, or the standard input.
STANDARD = "-"

#: Signals that end a command, which then tidies up.
ENDING = (signal.SIGTERM, signal.SIGHUP)


def backup(arguments: Sequence[str]) -> int:
    """
    Make a backup.

    @return: the exit status.
    """
    options = backup_parser().parse_args(arguments)
    with tidy():
        return ended(lambda: plainly(lambda: back_up(options)))


def restore(arguments: Sequence[str]) -> int:
    """
    Put back what a backup holds.

    @return: the exit status.
    """
    options = restore_parser().parse_args(arguments)
    if (options.file is None) != options.put_back:
        restore_parser().error("name a backup, or --put-back")
    with tidy():
        return ended(lambda: plainly(lambda: deed_of(options)(options)))


def plainly(work: Callable[[], int]) -> int:
    """@raise StorageError: the disk refuses something, such as a look into somebody's folder."""
    try:
        return work()
    except OSError as error:
        raise StorageError(f"{told(error)}; nothing was changed") from error


def deed_of(options: argparse.Namespace) -> Callable[[argparse.Namespace], int]:
    """What is to be done."""
    if options.put_back:
        return undo
    return put if options.show is None else shown


def backup_parser() -> argparse.ArgumentParser:
    """What can stand behind C{bumper backup}."""
    parser = argparse.ArgumentParser(
        prog="bumper backup",
        description="Write all that must not be lost to one file: the database, the authority "
        "with its keys, settings, and your own answers and firmware.  The server may be running.",
    )
    parser.add_argument("file", type=Path, help=f"to be written; {STANDARD} for standard output")
    parser.add_argument("--force", action="store_true", help="write over a file that is there")
    parser.add_argument(
        "--without-files", action="store_true", help="leave out what robots and apps have left"
    )
    return with_places(with_passphrase(parser))


def restore_parser() -> argparse.ArgumentParser:
    """What can stand behind C{bumper restore}."""
    parser = argparse.ArgumentParser(
        prog="bumper restore",
        description="Put back what a backup holds.  All of it is checked before anything is "
        "changed, and what was there stays aside.  The server must not be running.",
    )
    parser.add_argument(
        "file",
        type=Path,
        nargs="?",
        help="a backup, or a copy of the database (bumper.db.v1.bak); "
        f"{STANDARD} for a backup from standard input",
    )
    parser.add_argument(
        "--show",
        metavar="NAME",
        help="check it, and write one file of it to standard output, such as config/bumper.toml",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="check it, say what would be done, and do nothing"
    )
    parser.add_argument(
        "--force", action="store_true", help="replace a database or authority that is there"
    )
    parser.add_argument(
        "--config-too",
        action="store_true",
        help="replace the settings file and those it names, too, not only where there is none",
    )
    parser.add_argument(
        "--put-back",
        action="store_true",
        help="undo a restore that was cut short; without a file",
    )
    return with_places(with_passphrase(parser))


def with_passphrase(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Where the passphrase comes from, if there is one."""
    either = parser.add_mutually_exclusive_group()
    either.add_argument(
        "--passphrase", action="store_true", help="ask for it, or read a line from a pipe"
    )
    either.add_argument(
        "--passphrase-file", type=Path, metavar="F", help="a file whose first line it is"
    )
    return parser


def wishes_of(options: argparse.Namespace) -> Wishes:
    """What was typed, as far as it says where everything is."""
    places = {"storage.directory": options.data, "tls.directory": options.certs}
    given = {key: str(path) for key, path in places.items() if path is not None}
    return Wishes(options.config, os.environ, given, getattr(options, "config_too", False))


def back_up(options: argparse.Namespace) -> int:
    """Make a backup, and say what is in it."""
    wishes, file = wishes_of(options), options.file
    settings = config.load(wishes.settings_file, wishes.environ, wishes.given)
    standard = str(file) == STANDARD
    if standard:
        must_be_private(sealed=named_passphrase(options))
    else:
        must_be_new(file, options.force)
    sources = Sources(settings, wishes.settings_file, not options.without_files)
    scratch = file.parent
    if standard:
        scratch = Path(os.environ.get("TMPDIR") or settings.storage.directory)
    order = Order(sources, scratch, passphrase(options, twice=True), time)
    target = standard_output() if standard else new_file(file, options.force)
    made = order.carry_out(target, Path("standard output") if standard else file)
    (sys.stderr if standard else sys.stdout).write(report(options, made, sources))
    return 0


def must_be_private(sealed: bool) -> None:
    """
    Nobody else may read what goes to standard output: not even who looks over our shoulder.

    @param sealed: whether that does not matter.
    @raise BadRequest: it is a screen, or a file of somebody else that others may read.
    """
    if sys.stdout.isatty():
        raise BadRequest("this is nothing for a screen; send it to a file: > FILE")
    try:
        handle = sys.stdout.buffer.fileno()
    except OSError:
        return
    found = os.fstat(handle)
    if sealed or not S_ISREG(found.st_mode) or not found.st_mode & 0o077:
        return
    try:
        os.fchmod(handle, found.st_mode & 0o700)
    except OSError:
        raise BadRequest(
            "others may read the file that this is sent to, and it holds keys; remove it, type "
            '"umask 077", and try again'
        ) from None


@contextmanager
def standard_output() -> Iterator[BinaryIO]:
    """It is not closed, and what does not arrive there is lost."""
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


def report(options: argparse.Namespace, made: Made, sources: Sources) -> str:
    """What there is to say about a backup."""
    sealed = named_passphrase(options)
    where = "the backup" if str(options.file) == STANDARD else str(options.file)
    lines = [f"{where} holds {backing_up.told(made)}"]
    lines += [f"not in it: {path}, which is no plain file" for path in sources.passed_over[:20]]
    if made.manifest.find(SETTINGS) is None:
        lines.append("there is no settings file in it; name it with --config if there is one")
    lines.append(
        "without its passphrase nobody can open it: keep that, too"
        if sealed
        else "whoever reads it has the keys of the authority: keep it to yourself"
    )
    return "".join(f"{line}\n" for line in lines)


def put(options: argparse.Namespace) -> int:
    """Put back a backup, or only say what would come."""
    with incoming(options) as source, blaming(options):
        return put_from(archive_of(source, options), options)


@contextmanager
def incoming(options: argparse.Namespace) -> Iterator[Incoming]:
    """What was named, or is sent."""
    with sent(sys.stdin.buffer) if str(options.file) == STANDARD else named(options.file) as found:
        yield found


@contextmanager
def blaming(options: argparse.Namespace) -> Iterator[None]:
    """What is wrong is said of the file."""
    name = "what was sent" if str(options.file) == STANDARD else options.file
    try:
        yield
    except Refused as why:
        raise Refused(f"{name} is not restored, and nothing was touched: {why}") from why


def shown(options: argparse.Namespace) -> int:
    """Write one file of a backup to the standard output."""
    must_be_private(sealed=False)
    with incoming(options) as source, blaming(options), standard_output() as target:
        show(archive_of(source, options), options.show, Open(target))
    return 0


@frozen
class Open:
    """Stays open when others think that it is over."""

    target: BinaryIO

    def write(self, data: bytes) -> None:
        """Write more."""
        self.target.write(data)

    def close(self) -> None:
        """Do nothing."""


def put_from(archive: Archive | Bare, options: argparse.Namespace) -> int:
    """Put back what can be read."""
    found = verified(archive, wishes_of(options))
    if options.dry_run:
        said = trial(found)
    else:
        said = result(found, restoring.restore(found, options.force, datetime.now()))
    sys.stdout.write("".join(f"{line}\n" for line in said))
    return 0


def trial(found: Verified) -> Iterator[str]:
    """What would be done."""
    figures, where = tried(found), found.targets
    yield f"a whole backup of {found.manifest.made}, with {figures.told()}"
    for move in where.moves(found.manifest):
        if move.draft:
            yield f"{'would replace' if move.had else 'would make'} {move.place}"
        else:
            yield f"would put aside {move.place}"
    yield from where.kept
    yield "nothing was changed"


def result(found: Verified, restored: Restored) -> Iterator[str]:
    """What was done."""
    where = found.targets
    yield from restored.said
    yield f"restored: {restored.figures.told()}, as of {found.manifest.made}, in {where.data}"
    if not where.bare:
        yield f"restored: the authority, in {where.certs}"
    yield from (f"restored: {path}" for path in where.files.values())
    yield from where.kept
    yield from (f"what was there is in {path}" for path in restored.plan.kept())
    yield "start the server again; once all is well, remove what was put aside"


def undo(options: argparse.Namespace) -> int:
    """Put back what was there before a restore that was cut short."""
    wishes, data, folders = wishes_of(options), options.data, None
    file = wishes.settings_file
    if data is None or (file is not None and file.exists()):
        settings = config.load(file, wishes.environ, wishes.given)
        data, folders = settings.storage.directory, folders_of(settings, file)
    folder = settled(data, data)
    with alone(folder):
        said = put_back(folder, folders)
    sys.stdout.write("".join(f"{line}\n" for line in said or ["no restore was cut short"]))
    return 0


def archive_of(source: Incoming, options: argparse.Namespace) -> Archive | Bare:
    """
    What was named.

    @raise BadRequest: it cannot be read, or there is no passphrase for it.
    """
    if is_database(source.head):
        return source.bare()
    if not is_sealed(source.head):
        return Archive(source.opener, source.size)
    word = passphrase_of(options, taken=str(options.file) == STANDARD)
    return Archive(lambda: Opener(source.opener(), word), source.size)


@contextmanager
def tidy() -> Iterator[None]:
    """Whoever ends this leaves nothing half done behind."""

    def leave(number: int, _: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    with ExitStack() as stack:
        for number in ENDING:
            # Who is started with nohup goes on.
            if signal.getsignal(number) is signal.SIG_DFL:
                stack.callback(signal.signal, number, signal.signal(number, leave))
        mask = os.umask(0o077)
        stack.callback(os.umask, mask)
        try:
            yield
        except KeyboardInterrupt:
            raise SystemExit(128 + signal.SIGINT) from None
