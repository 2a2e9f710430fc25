"""Cleaning logs over the vendor's API."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.values import CleaningLog
from bumper_tw.web.cleaning import MAX_REMOVED, NEAR, USUAL, merged
from tests.web.world import DUSTY, WorldCase

LIST = "/app/dln/api/log/clean_result/list"
ASK = {"td": "GetCleanLogs", "did": "did1", "resource": "res1", "auth": {}}


class CleaningTests(WorldCase):
    """Two jobs of one robot."""

    def setUp(self) -> None:
        super().setUp()
        extras: dict[str, object] = {"avoidCount": 5, "powerMopType": 2}
        for log in (
            CleaningLog(DUSTY.id, "c1", 1699297517),
            CleaningLog(DUSTY.id, "c2", 1699299999, "auto", 1800, 25, 1, extras=extras),
        ):
            self.successResultOf(self.world.logs.record(log))

    def test_logs(self) -> None:
        """The newest first, with every key that some client needs."""
        page = self.browser.post("/api/lg/log.do", ASK)
        self.assertEqual(page.json["ret"], "ok")
        newest, oldest = page.json["logs"]
        self.assertEqual(
            newest,
            {
                "id": "did1@1699299999@res1",
                "ts": 1699299999,
                "last": 1800,
                "area": 25,
                "type": "auto",
                "stopReason": 1,
                "imageUrl": None,
                "aiavoid": 0,
                "aitypes": [],
                "avoidCount": 5,
                "enablePowerMop": None,
                "powerMopType": 2,
                "aiopen": None,
            },
        )
        self.assertEqual((oldest["ts"], oldest["stopReason"]), (1699297517, -2))

    def test_no_logs(self) -> None:
        """Another robot, another question."""
        for body in ({**ASK, "did": "ghost"}, {**ASK, "td": "x"}, {"td": "GetCleanLogs"}, {}):
            page = self.browser.post("/api/lg/log.do", body)
            self.assertEqual(page.json, {"ret": "ok", "logs": []})

    def test_results(self) -> None:
        """The same for newer apps, each entry with its robot."""
        page = self.browser.get(f"{LIST}?did=did1&logType=clean&size=20")
        self.assertEqual([log["did"] for log in page.json["data"]], ["did1", "did1"])
        for size, number in (("1", 1), ("0", 2), ("-1", 2), ("99999999999", 2), ("x", 2)):
            page = self.browser.get(f"{LIST}?did=did1&logType=clean&size={size}")
            self.assertEqual(len(page.json["data"]), number, size)
        for query in ("", "did=did1", "logType=clean", "did=did1&logType=x"):
            self.assertEqual(self.browser.get(f"{LIST}?{query}").json["data"], [])

    def test_many(self) -> None:
        """So many of them, if nobody says how many; whoever wants more gets more."""
        for number in range(USUAL + 5):
            log = evolve(STORED, started_at=STORED.started_at + 1000 * number)
            self.successResultOf(self.world.logs.record(log))
        page = self.browser.get(f"{LIST}?did=did1&logType=clean")
        self.assertEqual(len(page.json["data"]), USUAL)
        page = self.browser.get(f"{LIST}?did=did1&logType=clean&size=99")
        self.assertGreaterEqual(len(page.json["data"]), USUAL + 5)

    def test_remove(self) -> None:
        """By their ids."""
        path = LIST.replace("list", "del")
        page = self.browser.post(path, {"logIds": ["did1@1699297517@res1", "ghost"]})
        self.assertEqual(page.json, {"code": 0, "message": "success", "ret": "ok"})
        self.assertEqual(len(self.world.logs.jobs), 1)

    def test_remove_nonsense(self) -> None:
        """No list, no texts in it, or far too many."""
        path = LIST.replace("list", "del")
        for ids in (None, "x", [1], ["x"] * (MAX_REMOVED + 1)):
            self.assertEqual(self.browser.post(path, {"logIds": ids}).json["ret"], "fail")
        self.assertEqual(len(self.world.logs.jobs), 2)


#: A job as it was reported.
STORED = CleaningLog(DUSTY.id, "c1", 1699297517, duration=683, area=11)


class MergedTests(SynchronousTestCase):
    """What is stored, and what the robot remembers."""

    def test_same(self) -> None:
        """A job that both know is one, by either clock; each adds what only it knows."""
        for late in (-NEAR, 0, NEAR):
            told = CleaningLog(DUSTY.id, "", 1699297517 + late, "auto", 720, 12, 1)
            self.assertEqual(
                merged([STORED], [told]),
                [evolve(STORED, type="auto", duration=720, area=12, stop_reason=1)],
            )

    def test_less(self) -> None:
        """What was reported stays when the robot remembers less."""
        known = evolve(STORED, type="spot", stop_reason=2)
        told = CleaningLog(DUSTY.id, "", 1699297517, "auto", 100, None, 1)
        self.assertEqual(merged([known], [told]), [known])

    def test_others(self) -> None:
        """Every other job is one of its own, the newest first."""
        told = [evolve(STORED, job="", started_at=1699297517 + late) for late in (-61, 61, 999)]
        found = merged([STORED], told)
        self.assertEqual([log.started_at - 1699297517 for log in found], [999, 61, 0, -61])

    def test_close(self) -> None:
        """Two jobs within a minute stay two."""
        stored = [STORED, evolve(STORED, started_at=1699297537)]
        told = [evolve(log, started_at=log.started_at + 9) for log in stored]
        self.assertEqual(merged(stored, told), stored[::-1])
