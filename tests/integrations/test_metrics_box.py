"""Each figure of what this box keeps moves when that changes."""

import time
from pathlib import Path

from attrs import evolve
from cryptography import x509
from prometheus_client import REGISTRY, generate_latest
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.settings import Settings
from bumper_tw.integrations.metrics_shapes import Buckets
from bumper_tw.integrations.metrics_watch import LOOK, Lag, alert_of
from bumper_tw.pki.certificates import not_after
from bumper_tw.storage.database import InlineDatabase, Settled
from tests.flows.house import authority_text
from tests.integrations.measured import SERVER_ENDS, SINGLE_ENDS, Measured
from tests.integrations.test_metrics_traffic import MeasuredCase
from tests.samples import DUSTY


class StorageTests(MeasuredCase):
    """The database."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        storage = evolve(Settings().storage, directory=self.folder)
        self.settings = Settings(storage=storage)
        super().setUp()

    def test_transactions(self) -> None:
        """Transactions, what was done in them, and how long they took."""
        before = self.told()
        self.house.robot()
        told = self.told()
        for name in (
            "bumper_database_requests_total",
            "bumper_database_transaction_seconds_count",
            "bumper_database_transaction_seconds_sum",
        ):
            self.assertGreater(told.value(name), before.value(name), name)
        committed = told.value("bumper_database_transactions_total", result="committed")
        self.assertEqual(committed, told.value("bumper_database_requests_total"))
        self.assertEqual(told.value("bumper_database_transactions_total", result="failed"), 0)
        self.assertEqual(told.value("bumper_database_waiting"), 0)

    def test_failed(self) -> None:
        """A transaction that the disk refuses."""
        before = self.told()
        self.house.database.enter(Settled((), (), committed=False, seconds=0.2))
        told = self.told()
        self.assertEqual(told.value("bumper_database_transactions_total", result="failed"), 1)
        name = "bumper_database_transaction_seconds_bucket"
        for bound, more in (("0.1", 0), ("0.25", 1), ("+Inf", 1)):
            self.assertEqual(told.value(name, le=bound) - before.value(name, le=bound), more)

    def test_size(self) -> None:
        """The files of the database; without one, nothing."""
        name = "bumper_database_size_bytes"
        self.assertEqual(self.value(name, file="main"), 0)
        path = self.folder / "bumper.db"
        database = InlineDatabase(path)
        self.addCleanup(database.close)
        measured = Measured(database=database)
        self.assertEqual(measured.told().value(name, file="main"), path.stat().st_size)
        log = path.with_name("bumper.db-wal")
        log.unlink(missing_ok=True)
        self.assertEqual(measured.told().value(name, file="wal"), 0)
        log.write_bytes(b"x" * 7)
        self.assertEqual(measured.told().value(name, file="wal"), 7)

    def test_reports(self) -> None:
        """Reports wait until they are written; some are lost."""
        self.house.robot().report("onBattery", {"value": 80, "isLow": 0})
        self.assertGreater(self.value("bumper_reports_waiting"), 0)
        self.house.clock.advance(60)
        self.assertEqual(self.value("bumper_reports_waiting"), 0)
        self.house.facts.writer.dropped += 3
        self.assertEqual(self.value("bumper_reports_dropped_total"), 3)

    def test_uploads(self) -> None:
        """Files that robots left."""
        kept = self.house.facts.belongings.files.keep(DUSTY.did, "log", b"x" * 70)
        self.successResultOf(kept)
        self.assertEqual(self.value("bumper_uploads_bytes"), 70)
        self.assertEqual(self.value("bumper_uploads_files"), 1)


class BoxTests(MeasuredCase):
    """The rest."""

    def test_certificates(self) -> None:
        """When each of them ends."""
        name = "bumper_certificate_expiry_timestamp_seconds"
        self.assertEqual(self.value(name, certificate="server"), SERVER_ENDS)
        self.assertEqual(self.value(name, certificate="single_name"), SINGLE_ENDS)
        self.assertGreater(self.value(name, certificate="authority"), time.time())

    def test_updates(self) -> None:
        """Requests for newer software, however often one makes the same."""
        updates = self.house.facts.belongings.updates
        for _ in range(3):
            updates.note("firmware", "192.168.7.33", DUSTY.did, DUSTY.model, "fw0", "1.0")
        updates.note("app", "192.168.7.31")
        told = self.told()
        self.assertEqual(told.value("bumper_updates_blocked_total", kind="firmware"), 3)
        self.assertEqual(told.value("bumper_updates_blocked_total", kind="app"), 1)

    def test_process(self) -> None:
        """What the system says of us."""
        told = self.told()
        for name in ("resident_memory_bytes", "cpu_seconds_total", "open_fds"):
            self.assertGreater(told.value(f"bumper_process_{name}"), 0, name)
        started = told.value("bumper_process_start_time_seconds")
        self.assertLess(abs(time.time() - started), 86_400)

    def test_build(self) -> None:
        """What runs here."""
        [labels] = [labels for name, labels in self.told().values() if name == "bumper_build_info"]
        self.assertEqual({name for name, _ in labels}, {"version", "python", "twisted"})

    def test_lag(self) -> None:
        """A reactor that is late; what is stopped looks no more."""
        [lag] = self.measured.side.services()
        lag.startService()
        self.house.clock.advance(LOOK)
        told = self.told()
        self.assertEqual(told.value("bumper_reactor_lag_seconds_count"), 1)
        self.assertEqual(told.value("bumper_reactor_lag_seconds_sum"), 0)
        self.house.clock.advance(LOOK + 0.3)
        told = self.told()
        self.assertEqual(told.value("bumper_reactor_lag_seconds_bucket", le="0.25"), 1)
        self.assertEqual(told.value("bumper_reactor_lag_seconds_bucket", le="0.5"), 2)
        self.assertAlmostEqual(told.value("bumper_reactor_lag_seconds_sum"), 0.3, 3)
        lag.stopService()
        self.house.clock.advance(10 * LOOK)
        self.assertEqual(self.value("bumper_reactor_lag_seconds_count"), 2)

    def test_nobody_global(self) -> None:
        """The registry that the library shares with everybody has nothing of ours."""
        self.assertNotIn(b"bumper_", generate_latest(REGISTRY))


class WatchTests(SynchronousTestCase):
    """The pieces."""

    def test_alerts(self) -> None:
        """Alerts by their names, in any spelling of OpenSSL's."""
        for words, name in (
            ("sslv3 alert certificate unknown", "certificate_unknown"),
            ("tlsv1 alert unknown ca", "unknown_ca"),
            ("TLSV1_ALERT_PROTOCOL_VERSION", "protocol_version"),
            ("tls alert handshake failure", "handshake_failure"),
            ("no shared cipher", "none"),
            ("", "none"),
            ("alert of nobody knows what", "other"),
        ):
            self.assertEqual(alert_of(words), name, words)

    def test_buckets(self) -> None:
        """A value counts in its own bucket, at the end of which it may be, and all above."""
        buckets = Buckets((1.0, 2.0))
        for value in (0.5, 1.0, 1.5, 9.0):
            buckets.observe(value)
        self.assertEqual(buckets.told(), [("1.0", 2), ("2.0", 3), ("+Inf", 4)])
        self.assertEqual(buckets.total, 12.0)

    def test_clock_set(self) -> None:
        """A timer that runs backwards is no lag."""
        times = iter((10.0, 5.0, 5.0))
        clock = Clock()
        lag = Lag(clock, lambda: next(times))
        lag.startService()
        clock.advance(LOOK)
        self.assertEqual(lag.buckets.total, 0)
        lag.stopService()
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_authority(self) -> None:
        """The end of the authority is that of its certificate."""
        end = not_after(x509.load_pem_x509_certificate(authority_text()))
        name = "bumper_certificate_expiry_timestamp_seconds"
        found = Measured().told().value(name, certificate="authority")
        self.assertEqual(found, end.timestamp())
