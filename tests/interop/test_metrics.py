"""Prometheus, unmodified: it reads our figures, and finds nothing wrong with them or the rules."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

from prometheus_client.parser import text_string_to_metric_families

from tests.interop.case import InteropCase, ask, clients_wanted, log_in, unavailable
from tests.interop.children import PATIENCE, Child
from tests.interop.server import HOST, ROOT, Server, environment, own_environment

GRAFANA = ROOT / "packaging" / "grafana"
TOKEN = "k7Qp2xZ9-scraper-of-the-house"

#: Seconds between two looks of Prometheus at us, and of us at Prometheus.
SCRAPE, GLANCE = "1s", 0.2

#: For each alert what makes it fire, and what does not; both as Prometheus' own tests write it.
ALERTS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "BumperGone": ({'up{job="bumper"}': "0x200"}, {'up{job="bumper"}': "1x200"}),
    "BumperRobotMissing": (
        {"bumper_robots_missing": "1x200"},
        # It comes back each half an hour.
        {"bumper_robots_missing": " ".join(["1x29 0"] * 7)},
    ),
    "BumperCertificateEnds": (
        {'bumper_certificate_expiry_timestamp_seconds{certificate="server"}': "1200000x200"},
        {
            'bumper_certificate_expiry_timestamp_seconds{certificate="server"}': "9900000x200",
            'bumper_certificate_expiry_timestamp_seconds{certificate="single_name"}': "90000x200",
        },
    ),
    "BumperCommandsFail": (
        {
            'bumper_command_duration_seconds_count{outcome="timeout"}': "0+2x200",
            'bumper_command_duration_seconds_count{outcome="answered"}': "0+1x200",
        },
        {
            'bumper_command_duration_seconds_count{outcome="timeout"}': "0+1x200",
            'bumper_command_duration_seconds_count{outcome="answered"}': "0+2x200",
        },
    ),
    "BumperDatabaseBacklog": (
        {"bumper_database_waiting": "500x200"},
        {"bumper_database_waiting": "9x200"},
    ),
    "BumperDatabaseFails": (
        {'bumper_database_transactions_total{result="failed"}': "0+1x200"},
        {'bumper_database_transactions_total{result="committed"}': "0+1x200"},
    ),
    "BumperLate": (
        {
            'bumper_reactor_lag_seconds_bucket{le="0.5"}': "0+1x200",
            'bumper_reactor_lag_seconds_bucket{le="1.0"}': "0+60x200",
            'bumper_reactor_lag_seconds_bucket{le="+Inf"}': "0+60x200",
        },
        {
            'bumper_reactor_lag_seconds_bucket{le="0.5"}': "0+60x200",
            'bumper_reactor_lag_seconds_bucket{le="+Inf"}': "0+60x200",
        },
    ),
    "BumperDoctor": (
        {'bumper_doctor_failing{check="disk"}': "1x200"},
        {'bumper_doctor_failing{check="disk"}': "0x200"},
    ),
    "BumperNotTrusted": (
        {'bumper_tls_failures_total{reason="untrusted"}': "0+1x200"},
        {'bumper_tls_failures_total{reason="gone"}': "0+1x200"},
    ),
}


def program(name: str) -> str:
    """
    One of the programs of Prometheus, which a distribution's package brings.

    @raise SkipTest: it is not installed.
    """
    clients_wanted()
    return shutil.which(name) or unavailable(f"{name} is not installed")


def rule_test(series: dict[str, str], alert: str, fires: bool) -> dict[str, object]:
    """One of Prometheus' tests: whether an alert fires in the end."""
    expected = [{"labels": "{}", "value": 1}] if fires else []
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": text} for name, text in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})',
                "eval_time": "190m",
                "exp_samples": expected,
            }
        ],
    }


class MetricsCase(InteropCase):
    """A started server with a token for figures."""

    def setUp(self) -> None:
        super().setUp()
        self.token = self.folder / "metrics.token"
        self.token.write_text(TOKEN + "\n")
        self.token.chmod(0o600)

    def server(self, *options: str) -> tuple[Server, int]:
        """It, and where it speaks HTTP."""
        server = self.serve("--set", f"metrics.token_file={self.token}", *options)
        return server, server.ports().web

    def typed(self, server: Server, *words: str) -> tuple[int, str, str]:
        """What C{bumper metrics} says."""
        argv = [sys.executable, "-m", "bumper_tw.app.cli", "metrics", "--data", str(server.data)]
        done = subprocess.run(
            [*argv, *words],
            cwd=server.folder,
            env=own_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr


class OwnTests(MetricsCase):
    """Without other people's programs."""

    def test_told(self) -> None:
        """Over HTTP to whoever has a token, and on the control socket the same."""
        server, web = self.server()
        self.robots(server.ports().mqtt, json=1, xml=1)
        self.assertEqual(ask(web, "GET", "/metrics").status, 401)
        for token in (TOKEN, log_in(web)):
            answer = ask(web, "GET", "/metrics", token=token)
            self.assertEqual(answer.status, 200)
            self.assertIn(
                'bumper_robots_online{payload="xml",protocol="mqtt"} 1.0', answer.body.decode()
            )
        status, out, err = self.typed(server)
        self.assertEqual((status, err), (0, ""))
        named = [family.name for family in text_string_to_metric_families(out)]
        over_http = text_string_to_metric_families(answer.body.decode())
        self.assertEqual(named, [family.name for family in over_http])
        output = self.folder / "bumper.prom"
        self.assertEqual(self.typed(server, "-o", str(output)), (0, "", ""))
        self.assertIn("\nbumper_robots_known 2.0\n", output.read_text())

    def test_reload(self) -> None:
        """SIGHUP takes up another token."""
        server, web = self.server()
        self.token.write_text(TOKEN[::-1])
        os.kill(server.child.pid, signal.SIGHUP)
        server.child.wait_for("reloading")
        deadline = time.monotonic() + PATIENCE
        while ask(web, "GET", "/metrics", token=TOKEN[::-1]).status != 200:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(GLANCE)
        self.assertEqual(ask(web, "GET", "/metrics", token=TOKEN).status, 401)

    def test_off(self) -> None:
        """Where the owner wants no figures there is no such path."""
        server, web = self.server("--set", "metrics.serve=false")
        found = [ask(web, "GET", path, token=TOKEN) for path in ("/metrics", "/nowhere")]
        self.assertEqual([answer.status for answer in found], [404, 404])
        self.assertEqual(found[0].body, found[1].body)
        status, _, err = self.typed(server)
        self.assertEqual(status, 1)
        self.assertEqual(len(err.splitlines()), 1)


class PromtoolTests(MetricsCase):
    """C{promtool} is strict about names, help and rules."""

    def tool(self, *words: str, said: bytes = b"") -> None:
        """It has nothing to complain about."""
        done = subprocess.run(
            [program("promtool"), *words], input=said, capture_output=True, check=False
        )
        self.assertEqual(done.returncode, 0, (done.stdout + done.stderr).decode())
        self.assertNotIn(b"help text", done.stderr + done.stdout)

    def test_metrics(self) -> None:
        """The figures of a server with robots."""
        program("promtool")
        server, web = self.server()
        self.robots(server.ports().mqtt, json=1, xml=1)
        self.tool("check", "metrics", said=ask(web, "GET", "/metrics", token=TOKEN).body)

    def test_rules(self) -> None:
        """The rules for alerts, and the example that names them."""
        self.tool("check", "rules", str(GRAFANA / "alerts.yaml"))
        self.tool("check", "config", "--syntax-only", str(GRAFANA / "prometheus.yml"))

    def test_alerts(self) -> None:
        """Each alert fires when it should, and not when all is well."""
        tests = [
            rule_test(series, alert, fires)
            for alert, (wrong, well) in ALERTS.items()
            for series, fires in ((wrong, True), (well, False))
        ]
        named = re.findall(r"- alert: (\w+)", (GRAFANA / "alerts.yaml").read_text("utf-8"))
        self.assertEqual(named, list(ALERTS))
        file = self.folder / "alerts_test.json"
        rules = [str(GRAFANA / "alerts.yaml")]
        file.write_text(
            json.dumps({"rule_files": rules, "evaluation_interval": "1m", "tests": tests})
        )
        self.tool("test", "rules", str(file))

    def test_dashboard(self) -> None:
        """Each expression of the dashboard is one."""
        dashboard = json.loads((GRAFANA / "bumper.json").read_text("utf-8"))
        asked = [
            target["expr"].replace("$instance", ".+").replace("$__rate_interval", "5m")
            for panel in dashboard["panels"]
            for target in panel.get("targets", ())
        ]
        rules = [{"record": f"r:{number}", "expr": text} for number, text in enumerate(asked)]
        file = self.folder / "dashboard.json"
        file.write_text(json.dumps({"groups": [{"name": "all", "rules": rules}]}))
        self.tool("check", "rules", str(file))


class PrometheusTests(MetricsCase):
    """The real program asks a started server."""

    def prometheus(self, web: int, token: Path) -> int:
        """Start it by our example; where it answers."""
        text = (GRAFANA / "prometheus.yml").read_text("utf-8")
        for ours, here in (
            ("127.0.0.1:8007", f"{HOST}:{web}"),
            ("/etc/bumper/metrics.token", str(token)),
            ("- alerts.yaml", f"- {GRAFANA / 'alerts.yaml'}"),
            ("scrape_interval: 30s", f"scrape_interval: {SCRAPE}"),
            ("scrape_configs:", f"global: {{evaluation_interval: {SCRAPE}}}\nscrape_configs:"),
        ):
            self.assertEqual(text.count(ours), 2 if ours.endswith("token") else 1, ours)
            text = text.replace(ours, here)
        config = self.folder / "prometheus.yml"
        config.write_text(text)
        words = (
            program("prometheus"),
            f"--config.file={config}",
            f"--storage.tsdb.path={self.folder / 'tsdb'}",
            f"--web.listen-address={HOST}:0",
        )
        # It speaks on standard error.
        child = Child(["sh", "-c", 'exec "$@" 2>&1', "sh", *words], self.folder, environment())
        self.addCleanup(self._ended, child)
        [found] = child.wait_for(rf"Listening on.*address={HOST}:(\d+)")[:1]
        return int(found[1])

    def value(self, port: int, expression: str) -> float | None:
        """What it knows of that; C{None} as long as it knows nothing."""
        answer = ask(port, "GET", f"/api/v1/query?query={quote(expression)}")
        if answer.status != 200:
            return None
        result = answer.json["data"]["result"]
        return float(result[0]["value"][1]) if result else None

    def until(self, port: int, expression: str, wanted: float) -> None:
        """Wait until it knows that."""
        deadline = time.monotonic() + PATIENCE
        while self.value(port, expression) != wanted:
            self.assertLess(time.monotonic(), deadline, self.value(port, expression))
            time.sleep(GLANCE)

    def test_scraped(self) -> None:
        """It finds us up, knows the robots, and keeps what the dashboard asks for."""
        program("prometheus")
        server, web = self.server()
        robots = self.robots(server.ports().mqtt, json=1, xml=1)
        port = self.prometheus(web, self.token)
        self.until(port, 'up{job="bumper"}', 1)
        self.until(port, "sum(bumper_robots_online)", 2)
        self.assertEqual(self.value(port, "count(bumper_build_info)"), 1)
        robots.stop()
        self.until(port, "bumper_robots_missing", 2)
        self.until(port, 'ALERTS{alertname="BumperRobotMissing",alertstate="pending"}', 1)

    def test_wrong_token(self) -> None:
        """With another token we are down to it, and tell of that."""
        program("prometheus")
        _, web = self.server()
        wrong = self.folder / "wrong.token"
        wrong.write_text("of some other program")
        port = self.prometheus(web, wrong)
        self.until(port, 'up{job="bumper"}', 0)
        told = ask(web, "GET", "/metrics", token=log_in(web)).body.decode()
        self.assertRegex(told, r"bumper_metrics_refused_total [1-9]")
