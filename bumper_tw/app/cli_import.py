"""C{bumper import}: what an older Bumper knows, taken over."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

from bumper_tw.app.bumper_import.said import report
from bumper_tw.app.bumper_import.work import Wanted, carry_out
from bumper_tw.app.cli_certs import own_settings
from bumper_tw.app.cli_parts import spoken, with_places


def main(arguments: Sequence[str]) -> int:
    """
    Import, or tell what would come.

    @return: the exit status.
    """
    options = parser().parse_args(arguments)
    return spoken(lambda: imported(options))


def parser() -> argparse.ArgumentParser:
    """What can stand behind C{bumper import}."""
    made = argparse.ArgumentParser(
        prog="bumper import",
        description="Takes over what an older Bumper knows: robots with their names, users, "
        "homes, logins, cleaning logs, and the authority that phones and robots trust.  What is "
        "here already stays as it is; nothing of the other Bumper is changed.",
    )
    made.add_argument("folder", type=Path, help="of the other Bumper, or its data folder")
    made.add_argument("--dry-run", action="store_true", help="tell what would come, no more")
    made.add_argument(
        "--certs-from", type=Path, metavar="FOLDER", help="where its ca.crt and ca.key are"
    )
    made.add_argument("--without-ca", action="store_true", help="keep our own authority")
    made.add_argument(
        "--account", default="", help="whose the robots are, where robots have owners"
    )
    return with_places(made)


def imported(options: argparse.Namespace) -> str:
    """
    Do it.

    @return: what came, what did not, and what to do now.
    """
    settings = own_settings(options)
    wanted = Wanted(
        options.folder,
        options.certs_from,
        options.account,
        not options.without_ca,
        options.dry_run,
    )
    outcome = carry_out(settings, wanted, datetime.now(UTC), token_hex)
    return "\n".join(report(outcome, settings, options.dry_run))
