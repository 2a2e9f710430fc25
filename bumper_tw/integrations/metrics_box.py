"""Figures of this box: what it keeps, its certificates, what it found out, and what it is."""

import platform
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol

from attrs import frozen
from cryptography import x509
from prometheus_client.metrics_core import Metric

import twisted
from bumper_tw import __version__
from bumper_tw.core.unknown import UnknownPaths
from bumper_tw.core.updates import Updates
from bumper_tw.front.journal import Journal
from bumper_tw.integrations.metrics_shapes import (
    Buckets,
    Labels,
    counter,
    counters,
    gauge,
    gauges,
    histogram,
)
from bumper_tw.integrations.metrics_watch import Contacts
from bumper_tw.pki.certificates import not_after
from bumper_tw.storage.database import Books
from bumper_tw.storage.files import Files
from bumper_tw.storage.telemetry import ReportWriter

#: What somebody may want to have newer; see L{bumper_tw.core.updates.Attempt}.
KINDS = ("firmware", "address", "bundle", "app")

#: The files of a database, by the end of their names.
FILES = {"main": "", "wal": "-wal"}


class Certificates(Protocol):
    """What is looked at of our certificates."""

    def ca_pem(self) -> bytes:
        """The authority."""

    def expires(self) -> datetime:
        """When the certificate for all ceases to hold."""

    def singles_expire(self) -> datetime | None:
        """When the first of those for single names does."""


@frozen
class Storage:
    """
    The database.

    @ivar commits: how long transactions take.
    """

    books: Books
    writer: ReportWriter
    commits: Buckets

    def read(self) -> Iterator[Metric]:
        """Its figures."""
        books = self.books
        yield gauge("bumper_database_waiting", "Requests that wait for the disk.", books.waiting)
        yield counter(
            "bumper_database_requests",
            "What was asked of the database, and is on disk; a transaction holds several.",
            books.works,
        )
        yield counters(
            "bumper_database_transactions",
            "Transactions, by how they ended.",
            ("result",),
            {("committed",): books.commits, ("failed",): books.batches - books.commits},
        )
        yield histogram(
            "bumper_database_transaction_seconds", "Seconds of a transaction.", self.commits
        )
        yield gauges(
            "bumper_database_size_bytes",
            "Size of the database, by file.",
            ("file",),
            {(name,): size(self.books.path, end) for name, end in FILES.items()},
        )
        yield gauge(
            "bumper_reports_waiting", "Reports that wait to be written.", self.writer.waiting
        )
        yield counter(
            "bumper_reports_dropped",
            "Reports that were lost because the disk did not take them.",
            self.writer.dropped,
        )


def size(path: Path, end: str) -> int:
    """The size of a file, if there is one."""
    try:
        return path.with_name(path.name + end).stat().st_size
    except OSError:
        return 0


def certificates(held: Certificates) -> Iterator[Metric]:
    """Until when certificates hold."""
    authority = x509.load_pem_x509_certificate(held.ca_pem())
    ends: dict[Labels, datetime] = {
        ("authority",): not_after(authority),
        ("server",): held.expires(),
    }
    single = held.singles_expire()
    if single is not None:
        ends["single_name",] = single
    yield gauges(
        "bumper_certificate_expiry_timestamp_seconds",
        "When a certificate ceases to hold, in seconds since 1970; of those for single names the "
        "first of those in use.",
        ("certificate",),
        {key: end.timestamp() for key, end in ends.items()},
    )


@frozen
class Requests:
    """What was asked for, and is not given."""

    updates: Updates
    unknown: UnknownPaths

    def read(self) -> Iterator[Metric]:
        """Its figures."""
        yield counters(
            "bumper_updates_blocked",
            "Requests for newer software, which were not passed on.",
            ("kind",),
            {(kind,): self.updates.counts[kind] for kind in KINDS},
        )
        yield gauge(
            "bumper_unknown_paths",
            "Paths that somebody asked for and nobody answers; bumper unknown lists them.",
            len(self.unknown.report()),
        )


def uploads(files: Files) -> Iterator[Metric]:
    """Figures of what robots and apps left here."""
    yield gauge("bumper_uploads_files", "Files that robots and apps left here.", files.count)
    yield gauge("bumper_uploads_bytes", "Bytes of the files that were left here.", files.size)


def findings(seen: Contacts, journal: Journal) -> Iterator[Metric]:
    """What the doctor found, and how much the journal was told."""
    yield gauges(
        "bumper_doctor_failing",
        "1 when something was wrong as the doctor looked last, by check.",
        ("check",),
        {(check,): float(failing) for check, failing in seen.failing.items()},
    )
    yield counter("bumper_journal_changes", "Changes in the journal.", journal.revision)


def lag(buckets: Buckets) -> Iterator[Metric]:
    """How late the reactor is."""
    yield histogram(
        "bumper_reactor_lag_seconds",
        "Seconds that the server was late for what it wanted to do at a time, once a second.",
        buckets,
    )


def refusals(refused: int) -> Iterator[Metric]:
    """How often somebody wanted to see this who may not."""
    yield counter(
        "bumper_metrics_refused", "Requests for these figures with a wrong token.", refused
    )


def build() -> Iterator[Metric]:
    """What runs here."""
    about = (__version__, platform.python_version(), twisted.__version__)
    yield gauges(
        "bumper_build_info",
        "What runs here; always 1.",
        ("version", "python", "twisted"),
        {about: 1.0},
    )
