"""Tests for L{bumper_tw.web.dashboard.history}: what a robot has done, for people and programs."""

import csv
from datetime import UTC, datetime
from io import StringIO
from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.template import Tag

from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.fleet import Fleet
from bumper_tw.core.ownership import Ownership
from bumper_tw.core.permits import Everybody
from bumper_tw.core.telemetry import Telemetry
from bumper_tw.errors import LoginRefused
from bumper_tw.readings import Battery, Report, Totals
from bumper_tw.storage.memory import (
    MemoryCleaningLogStore,
    MemoryDeviceStore,
    MemoryTelemetryStore,
)
from bumper_tw.storage.memory_records import MemoryRecordStore
from bumper_tw.values import OWNER, CleaningLog, Device, DeviceId, Principal, Role
from bumper_tw.web.call import Call
from bumper_tw.web.dashboard.frame import Visit
from bumper_tw.web.dashboard.history import HistoryRoutes
from bumper_tw.web.dashboard.history_page import LAST, MOST
from bumper_tw.web.dashboard.history_words import COLUMNS, FORMULAS, harmless
from bumper_tw.web.dashboard.robot_traits import name_of
from bumper_tw.web.site import build_site
from tests.samples import DUSTY, DUSTY_DEVICE, RecordingLink
from tests.web.browser import Browser, Page
from tests.web.trust_case import Outline

NOW = 1_795_000_000.0
HOSTILE = '<script>alert("x")</script>\u202e\x00' + "<b>" * 3000
OTHERS = DeviceId("other", "yna5xi", "res2")


def log(n: int = 0, **values: Any) -> CleaningLog:
    """The job before as many others."""
    plain = CleaningLog(DUSTY, str(n), int(NOW) - 3600 - 40_000 * n, "auto", 1800, 25, 1)
    return evolve(plain, **values)


class HistoryCase(SynchronousTestCase):
    """A site with the history alone, and whoever is let in."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        registry = DeviceRegistry(self.clock, MemoryDeviceStore())
        self.registry = registry
        registry.attach(evolve(DUSTY_DEVICE, nick="Dusty"), RecordingLink())
        ownership = Ownership(self.clock, MemoryRecordStore(), lambda n: "0" * 2 * n)
        self.logs, self.reports = MemoryCleaningLogStore(), MemoryTelemetryStore()
        self.telemetry, self.is_in = Telemetry(), True
        self.pictures: dict[str, str] = {}
        self.routes = HistoryRoutes(
            self.clock,
            Fleet(registry, Everybody(), ownership, self.clock),
            self.logs,
            self.reports,
            self.telemetry,
            self.guard,
            self.admit,
            lambda _: True,
            lambda each: self.pictures.get(each.job),
            self.covered,
            lambda _: {each.started_at for each in self.logs.jobs.values() if each.job == "drawn"},
            lambda at: datetime.fromtimestamp(at, UTC),
        )
        self.browser = Browser(build_site(self.routes.routes(), self.clock))

    def covered(self, did: str, each: CleaningLog) -> Tag | None:
        """Drawn for one job only."""
        return Tag("svg")(f"{did} {each.job}") if each.job == "drawn" else None

    def guard(self, _: Call) -> Principal:
        """Whoever asks the API."""
        if not self.is_in:
            raise LoginRefused("a token is needed")
        return Principal(Role.OWNER, OWNER)

    def admit(self, call: Call) -> Visit:
        """Whoever visits."""
        self.guard(call)
        return Visit("a-token", "run-7", call.path)

    def keep(self, *logs: CleaningLog) -> None:
        """The robot has done that."""
        for each in logs:
            self.successResultOf(self.logs.record(each))

    def page(self, did: str = DUSTY.did) -> Page:
        """The page."""
        return self.browser.get(f"/robots/{did}/history")

    def api(self, query: str = "") -> list[dict[str, Any]]:
        """What the API says."""
        page = self.browser.get(f"/api/robots/{DUSTY.did}/cleanings{query}")
        self.assertEqual(page.status, 200)
        found: list[dict[str, Any]] = page.json["cleanings"]
        return found

    def sheet(self) -> list[list[str]]:
        """The rows of the download."""
        page = self.browser.get(f"/api/robots/{DUSTY.did}/cleanings.csv")
        self.assertEqual(page.headers["content-type"], "text/csv; charset=utf-8")
        self.assertTrue(page.headers["content-disposition"].startswith("attachment"))
        return list(csv.reader(StringIO(page.body.decode("utf-8-sig"))))


class PageTests(HistoryCase):
    """What people see."""

    def test_empty(self) -> None:
        """A robot without a past has a page, which says so."""
        page = self.page()
        self.assertEqual(page.status, 200)
        for words in (b"No cleaning in the last", b"No cleaning is known", b"not told its charge"):
            self.assertIn(words, page.body)
        Outline(page.body)

    def test_named(self) -> None:
        """A robot without a name of its own is called what it is called on its page."""
        device = evolve(self.registry.device(DUSTY.did), nick="")
        self.successResultOf(self.registry.update(device))
        name = name_of(device).encode()
        self.assertTrue(name.startswith(b"DEEBOT"), name)
        self.assertIn(name + b": history", self.page().body)

    def test_full(self) -> None:
        """Charts and the last jobs, by the names that people use."""
        self.keep(*(log(n) for n in range(LAST + 10)))
        self.successResultOf(
            self.reports.append(
                [Report(DUSTY.did, Battery(80 - n), NOW - 600 * n) for n in range(9)]
            )
        )
        self.telemetry.record(Report(DUSTY.did, Totals(12_345, 7200, 400), NOW))
        page = self.page()
        outline = Outline(page.body)
        self.assertEqual(len(outline.all("svg")), 5)
        self.assertEqual(len(outline.all("polyline")), 1)
        self.assertEqual(page.body.count(b"<td>Everywhere</td><td>Finished</td>"), LAST)
        for words in ("12345 m²", "60 cleanings", "Dusty: history", "30 min"):
            self.assertIn(words.encode(), page.body)

    def test_stranger(self) -> None:
        """Who is not logged in is sent where one does that."""
        self.is_in = False
        page = self.page()
        self.assertEqual(page.status, 303)
        self.assertTrue(page.headers["location"].startswith("/login"))

    def test_unknown(self) -> None:
        """There is no page of a robot that nobody knows."""
        self.assertEqual(self.page("nobody").status, 404)

    def job(self, each: CleaningLog) -> Page:
        """The page of one job."""
        return self.browser.get(f"/robots/{each.device.did}/history/{each.started_at}")

    def test_looked_at(self) -> None:
        """There is a link to those jobs of which there is anything to be seen."""
        self.pictures["0"] = "/api/files/0123"
        self.keep(log(), log(1), log(2, job="drawn"))
        links = [each["href"] for each in Outline(self.page().body).all("a")]
        jobs = [each for each in links if "/history/" in each]
        start = f"/robots/{DUSTY.did}/history/"
        self.assertEqual(jobs, [f"{start}{log(n).started_at}" for n in (0, 2)])

    def test_job(self) -> None:
        """A job has its picture, or where the robot was, or nobody knows."""
        self.pictures["0"] = "/api/files/0123"
        self.keep(log(), log(1), log(2, job="drawn"))
        pictured, plain, drawn = (self.job(log(n)) for n in range(3))
        self.assertEqual([pictured.status, plain.status, drawn.status], [200] * 3)
        self.assertIn("/api/files/0123", {e["src"] for e in Outline(pictured.body).all("img")})
        self.assertIn(b"Nobody knows", plain.body)
        self.assertIn(f"<svg>{DUSTY.did} drawn</svg>".encode(), drawn.body)
        self.assertIn(b"<dd>25 m\xc2\xb2</dd>", drawn.body)

    def test_no_such_job(self) -> None:
        """A robot that has not begun any then has no page of it; neither has a stranger."""
        self.keep(log())
        for start in ("7", "-1", "x", "%3Cscript%3E", "9" * 400):
            page = self.browser.get(f"/robots/{DUSTY.did}/history/{start}")
            self.assertEqual(page.status, 404)
        self.is_in = False
        self.assertEqual(self.job(log()).status, 303)

    def test_hostile_job(self) -> None:
        """What a robot says of a job stays text there, too."""
        device = DeviceId("evil", "yna5xi", "res1")
        self.registry.attach(Device(device, nick=HOSTILE), RecordingLink())
        self.keep(log(device=device, type=HOSTILE, duration=-(2**62), area=2**62))
        page = self.job(log(device=device))
        self.assertEqual(Outline(page.body).all("b"), [])
        self.assertLess(len(page.body), 5000)

    def test_policy(self) -> None:
        """Nothing in it needs more than the policy of all pages allows."""
        self.keep(log())
        page = self.page()
        self.assertIn("script-src 'self'", page.headers["content-security-policy"])
        for attributes in Outline(page.body).all():
            names = [name for name in attributes if name == "style" or name.startswith("on")]
            self.assertEqual(names, [])

    def test_size(self) -> None:
        """The page of a robot with a long past is no larger than browsers on phones like."""
        self.keep(*(log(n, started_at=int(NOW) - 30_000 * n) for n in range(1000)))
        reports = [Report(DUSTY.did, Battery(n % 100), NOW - 120 * n) for n in range(5000)]
        self.successResultOf(self.reports.append(reports))
        self.assertLess(len(self.page().body), 75_000)

    def test_hostile(self) -> None:
        """What a robot is called, and what it says, stays text, and short."""
        device = DeviceId('a"><script>b', "yna5xi", "res1")
        self.registry.attach(Device(device, nick=HOSTILE), RecordingLink())
        self.keep(log(device=device, type=HOSTILE, stop_reason=2**62, duration=-1, area=2**62))
        self.keep(log(1, device=device, started_at=2**62, type="=1+1"))
        page = self.page("a%22%3E%3Cscript%3Eb")
        self.assertEqual(page.status, 200)
        outline = Outline(page.body)
        self.assertEqual([each["src"] for each in outline.all("script")], ["/page/live.js"])
        self.assertEqual(outline.all("b"), [])
        for letters in ("\u202e", "\x00"):
            self.assertNotIn(letters.encode(), page.body)
        self.assertLess(len(page.body), 60_000)

    @given(
        st.lists(
            st.builds(
                CleaningLog,
                st.just(DUSTY),
                st.text(max_size=5),
                st.integers(-(2**63), 2**63 - 1),
                st.none() | st.text(max_size=20),
                st.none() | st.integers(-(2**63), 2**63 - 1),
                st.none() | st.integers(-(2**63), 2**63 - 1),
                st.none() | st.integers(-(2**63), 2**63 - 1),
            ),
            max_size=5,
        )
    )
    def test_anything(self, logs: list[CleaningLog]) -> None:
        """Whatever a robot has told of its jobs, there are a page and a table."""
        self.logs.jobs.clear()
        self.keep(*logs)
        Outline(self.page().body)
        self.assertEqual(len(self.sheet()), len(self.logs.jobs) + 1)


class ApiTests(HistoryCase):
    """What programs get."""

    def test_jobs(self) -> None:
        """Jobs with numbers, and with words."""
        self.keep(log(type="spotArea", stop_reason=3))
        [found] = self.api()
        self.assertEqual((found["kind"], found["ended"]), ("Rooms", "Stopped, with a warning"))
        self.assertEqual((found["seconds"], found["area"], found["picture"]), (1800, 25, None))

    def test_paging(self) -> None:
        """The newest first, as many as wanted, and those before."""
        self.keep(*(log(n) for n in range(60)))
        self.assertEqual(len(self.api()), 50)
        first = self.api("?limit=2")
        then = self.api(f"?limit=2&before={first[-1]['start']}")
        starts = [each["start"] for each in (*first, *then)]
        self.assertEqual(starts, [log(n).started_at for n in range(4)])

    def test_limits(self) -> None:
        """Nobody gets more than that, or what is no number."""
        for query in ("limit=0", f"limit={MOST + 1}", "limit=x", "before=x", "before=-1"):
            page = self.browser.get(f"/api/robots/{DUSTY.did}/cleanings?{query}")
            self.assertEqual((page.status, page.json["reason"]), (400, "bad_request"), query)

    def test_stranger(self) -> None:
        """Neither is for strangers."""
        self.is_in = False
        for end in ("", ".csv"):
            page = self.browser.get(f"/api/robots/{DUSTY.did}/cleanings{end}")
            self.assertEqual(page.status, 401)

    def test_unknown(self) -> None:
        """Neither is there for a robot that nobody knows."""
        for end in ("", ".csv"):
            self.assertEqual(self.browser.get(f"/api/robots/x/cleanings{end}").status, 404)

    def test_sheet(self) -> None:
        """A table with a head, and a row for each job."""
        self.keep(log(type="customArea"), log(1, duration=None, area=None, type=None))
        head, first, second = self.sheet()
        self.assertEqual(tuple(head), COLUMNS)
        self.assertEqual(first[1:6], ["30", "25", "Zones", "Finished", "customArea"])
        self.assertEqual(first[0], datetime.fromtimestamp(NOW - 3600, UTC).isoformat())
        self.assertEqual(second[1:3], ["", ""])

    @given(st.text(max_size=20))
    def test_formulas(self, word: str) -> None:
        """No cell that a robot has a say in is taken for a formula."""
        self.logs.jobs.clear()
        self.keep(log(type=word), log(1, type=f"={word}"), log(2, type=f" @{word}"))
        for row in self.sheet()[1:]:
            for cell in (row[3], row[5]):
                self.assertFalse(cell.lstrip().startswith(FORMULAS), cell)

    def test_numbers(self) -> None:
        """Numbers stay numbers, also those below nothing."""
        self.assertEqual([harmless("-5"), harmless("-5+1"), harmless("7")], ["-5", "'-5+1", "7"])
