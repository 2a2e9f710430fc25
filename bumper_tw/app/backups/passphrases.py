"""The passphrase of a backup: typed, from a pipe, or from a file."""

import argparse
import os
import sys
from pathlib import Path

from bumper_tw.app.cli_parts import LONGEST_SECRET, secret
from bumper_tw.errors import BadRequest, StartError

#: What is asked for.
PROMPT = "Passphrase"


def named_passphrase(options: argparse.Namespace) -> bool:
    """Whether a passphrase was mentioned."""
    return bool(options.passphrase) or options.passphrase_file is not None


def passphrase_of(options: argparse.Namespace, taken: bool) -> str:
    """
    The passphrase of a sealed backup.

    @param taken: whether the standard input is for the backup itself.
    @raise BadRequest: there is none, and nobody to be asked.
    """
    if options.passphrase_file is not None:
        return passphrase(options, twice=False)
    if (taken or not options.passphrase) and not is_there_a_terminal(taken):
        raise BadRequest(f"{options.file} is sealed; it needs --passphrase-file, or --passphrase")
    return proper(secret(PROMPT, piped=not taken))


def is_there_a_terminal(taken: bool) -> bool:
    """
    Whether somebody can be asked.

    @param taken: whether the standard input is for something else.
    """
    if not taken:
        return sys.stdin.isatty()
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def passphrase(options: argparse.Namespace, twice: bool) -> str:
    """
    The passphrase; empty if none is wanted.

    @param twice: whether nobody could tell if it is mistyped.
    @raise BadRequest: it is empty, too long, or not the same the second time.
    @raise StartError: its file cannot be read.
    """
    if options.passphrase_file is not None:
        return proper(first_line(options.passphrase_file))
    return proper(secret(PROMPT, twice)) if options.passphrase else ""


def first_line(path: Path) -> str:
    """@raise StartError: it cannot be read."""
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
            return stream.readline(LONGEST_SECRET + 2).rstrip("\r\n")
    except PermissionError as error:
        raise StartError(
            f"{path} cannot be read: {error.strerror}; send it instead: --passphrase < {path}"
        ) from error
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror}") from error


def proper(word: str) -> str:
    """@raise BadRequest: nobody can mean that."""
    if not word:
        raise BadRequest("the passphrase is empty")
    if len(word.encode("utf-8", "surrogateescape")) > LONGEST_SECRET:
        raise BadRequest(f"the passphrase is longer than {LONGEST_SECRET} bytes")
    return word
