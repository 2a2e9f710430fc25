"""The dashboard and the rules for alerts: what they ask for is there."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.integrations.measured import Measured

FOLDER = Path(__file__).parents[2] / "packaging" / "grafana"

NAME = re.compile(r"\bbumper_[a-z_]+")
#: A name with what stands in the braces behind it.
SELECTOR = re.compile(r"(\bbumper_[a-z_]+|\bup)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'([a-z_]+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')
GROUPED = re.compile(r"\bby \(([^)]*)\)")
SHOWN = re.compile(r"\{\{\s*(?:\$labels\.)?([a-z_]+)\s*\}\}")
EXPRESSION = re.compile(r"^\s*expr: (.*)$", re.MULTILINE)

#: What Prometheus adds to everything.
ADDED = frozenset({"instance", "job"})

#: What each panel of figures has.
NEEDED = ("title", "description", "datasource", "targets", "gridPos")


class Known:
    """What a server tells."""

    def __init__(self) -> None:
        told = Measured().told()
        self.labels, self.values = told.labels(), told.values()

    def has(self, name: str, label: str, text: str) -> bool:
        """Whether a series has a label that such a text fits."""
        return any(
            key == name and any(own == label and re.fullmatch(text, found) for own, found in given)
            for key, given in self.values
        )

    def wrong(self, expression: str) -> Iterator[str]:
        """What an expression asks for that there is not."""
        names = NAME.findall(expression)
        for name in names:
            if name not in self.labels:
                yield name
        for name, matchers in SELECTOR.findall(expression):
            for label, text in MATCHER.findall(matchers):
                if label not in ADDED and not self.has(name, label, text):
                    yield f"{name}: {label}={text}"
        usable = ADDED.union(*(self.labels.get(name, ()) for name in names))
        for grouped in GROUPED.findall(expression):
            yield from (each for each in re.split(", *", grouped) if each not in usable)


def shown(expression: str) -> set[str]:
    """The labels that the result of an expression has for sure."""
    found = GROUPED.findall(expression)
    return {label for each in found for label in re.split(", *", each)}


def panels() -> list[dict[str, Any]]:
    """All panels but the rows."""
    dashboard = json.loads((FOLDER / "bumper.json").read_text("utf-8"))
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def expressions() -> list[str]:
    """All expressions of the dashboard."""
    return [target["expr"] for panel in panels() for target in panel["targets"]]


class DashboardTests(SynchronousTestCase):
    """C{bumper.json}."""

    def setUp(self) -> None:
        self.dashboard = json.loads((FOLDER / "bumper.json").read_text("utf-8"))

    def test_named(self) -> None:
        """It takes the place of an older one, and fits into any Grafana."""
        self.assertEqual(self.dashboard["uid"], "bumper-tw")
        self.assertNotIn("id", self.dashboard)
        self.assertGreaterEqual(self.dashboard["schemaVersion"], 38)
        variables = {each["name"]: each for each in self.dashboard["templating"]["list"]}
        self.assertEqual(variables["datasource"]["query"], "prometheus")
        self.assertEqual(set(variables), {"datasource", "instance"})

    def test_panels(self) -> None:
        """Each says what it shows, in which unit, from the data source that was chosen."""
        for panel in panels():
            for name in NEEDED:
                self.assertTrue(panel[name], (panel["id"], name))
            self.assertTrue(panel["fieldConfig"]["defaults"]["unit"], panel["title"])
            for each in (panel, *panel["targets"]):
                self.assertEqual(each["datasource"]["uid"], "${datasource}")
            letters = [target["refId"] for target in panel["targets"]]
            self.assertEqual(len(letters), len(set(letters)))
        numbers = [panel["id"] for panel in self.dashboard["panels"]]
        self.assertEqual(len(numbers), len(set(numbers)))

    def test_places(self) -> None:
        """No panel lies on another, and none stands out."""
        taken: set[tuple[int, int]] = set()
        for panel in self.dashboard["panels"]:
            at = panel["gridPos"]
            self.assertLessEqual(at["x"] + at["w"], 24)
            cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
            self.assertEqual(taken & cells, set(), panel["title"])
            taken |= cells

    def test_expressions(self) -> None:
        """Each asks for what there is, of the servers that were chosen."""
        known = Known()
        for expression in expressions():
            self.assertEqual(list(known.wrong(expression)), [], expression)
            for name, matchers in SELECTOR.findall(expression):
                self.assertIn('instance=~"$instance"', matchers, name)

    def test_legends(self) -> None:
        """Each legend has only labels that are left."""
        for panel in panels():
            for target in panel["targets"]:
                wanted = set(SHOWN.findall(target["legendFormat"]))
                self.assertLessEqual(wanted, shown(target["expr"]), panel["title"])

    def test_complete(self) -> None:
        """There is no figure that it does not show, but some of the process."""
        asked = {re.sub("_(bucket|sum|count)$", "", n) for n in NAME.findall(str(expressions()))}
        told = {re.sub("_(bucket|sum|count)$", "", n) for n in Known().labels}
        self.assertEqual(told - asked, {"bumper_process_virtual_memory_bytes"})

    def test_wrong_found(self) -> None:
        """The tests above would find what is wrong."""
        known = Known()
        for expression in (
            "bumper_robot_online",
            'bumper_robots_online{protocol="zigbee"}',
            'bumper_robots_online{colour=~".+"}',
            "sum by (colour) (bumper_robots_online)",
        ):
            self.assertEqual(len(list(known.wrong(expression))), 1, expression)


class AlertTests(SynchronousTestCase):
    """C{alerts.yaml}."""

    def test_expressions(self) -> None:
        """Each rule asks for what there is, and says what to do."""
        text, known = (FOLDER / "alerts.yaml").read_text("utf-8"), Known()
        found = EXPRESSION.findall(text)
        self.assertEqual(len(found), text.count("- alert: Bumper"))
        for expression in found:
            self.assertEqual(list(known.wrong(expression)), [], expression)
        for name in ("summary:", "description:", "severity:"):
            self.assertEqual(text.count(f"          {name}"), len(found), name)

    def test_labels(self) -> None:
        """What is told of an alert has only labels that its expression leaves."""
        rules = (FOLDER / "alerts.yaml").read_text("utf-8").split("- alert:")[1:]
        for rule in rules:
            [expression] = EXPRESSION.findall(rule)
            wanted = set(re.findall(r"\$labels\.([a-z_]+)", rule))
            self.assertLessEqual(wanted, shown(expression), rule)

    def test_job(self) -> None:
        """The job has the name that the example gives it."""
        example = (FOLDER / "prometheus.yml").read_text("utf-8")
        self.assertIn("job_name: bumper\n", example)
        self.assertIn("- alerts.yaml", example)
