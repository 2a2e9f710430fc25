"""Asking a robot for its map: what, and in what words."""

from typing import Any

from bumper_tw.core.surveying import PAUSE
from bumper_tw.core.surveys import AT_ONCE
from bumper_tw.dialect.maps_rooms import Room
from bumper_tw.readings import Battery, Report, Stats
from bumper_tw.simulator.floorplan import pack
from tests.core.atlas import snake, traced
from tests.core.survey_case import OLDIE, Says, SurveyCase, always


class PieceTests(SurveyCase):
    """Pieces."""

    def test_all(self) -> None:
        """Each piece that has something in it is asked for, once."""
        self.assertTrue(self.survey())
        found = self.book.of(self.did).pieces
        self.assertEqual(found, {index: self.plan.piece(index) for index in self.plan.seen})
        self.assertEqual(self.count("getMinorMap"), len(self.plan.seen))

    def test_changed(self) -> None:
        """The next time only what has changed."""
        self.survey()
        self.plan.rooms.pop("7")
        self.plan.redraw()
        self.clock.advance(PAUSE)
        before = self.count("getMinorMap")
        self.survey()
        self.assertLess(self.count("getMinorMap") - before, before)
        self.assertEqual(
            self.book.of(self.did).pieces,
            {index: cells for index in range(64) if any(cells := self.plan.piece(index))},
        )

    def test_room_for_people(self) -> None:
        """Never more than four questions wait for an answer."""
        self.robot.is_slow = True
        asked = self.surveyor.survey(self.did)
        while self.robot.waiting:
            self.robot.answer()
        self.assertTrue(self.successResultOf(asked))
        self.assertEqual(self.robot.most, AT_ONCE)

    def test_wrong_pieces(self) -> None:
        """Pieces that make no sense are left out, and do not stop the rest."""
        good = self.minor

        def minor(data: Any) -> Any:
            values = (pack(bytes(77)), "!", None, 3, good(data)["pieceValue"])
            return {"pieceValue": values[data["pieceIndex"] % 5]}

        self.robot.says["getMinorMap"] = minor
        self.survey()
        kept = {index for index in self.plan.seen if index % 5 == 4}
        self.assertEqual(set(self.book.of(self.did).pieces), kept)


class RoomTests(SurveyCase):
    """Rooms, walls and zones."""

    def test_old(self) -> None:
        """One question for the list, and one for each room."""
        self.robot.says["getMapSet"] = lambda data: {
            "msid": "8", "subsets": [{"mssid": "3"}] if data["type"] == "ar" else []
        }  # fmt: skip
        self.robot.says["getMapSubSet"] = lambda data: {
            **data, "name": "<script>", "value": "0,0;0,900;900,900"
        }  # fmt: skip
        self.survey()
        outline = ((0, 0), (0, 900), (900, 900))
        self.assertEqual(self.book.of(self.did).rooms, (Room("3", "<script>", outline),))
        self.assertEqual(self.count("getMapSet_V2"), 0)

    def test_new(self) -> None:
        """The newer list is asked for where the older is not known, and first from then on."""
        empty = pack(b"[]")
        walls = pack(b'[["0","1","2","3","4"]]')
        lists = {"ar": self.plan.packed_rooms(), "vw": walls, "mw": empty}
        self.robot.says["getMapSet_V2"] = lambda data: {
            "msid": "8", "type": data["type"], "subsets": lists[data["type"]]
        }  # fmt: skip
        self.survey()
        found = self.book.of(self.did)
        self.assertEqual(
            [room.name for room in found.rooms], ["Kitchen", "Living room", "Bedroom"]
        )
        self.assertEqual(found.walls, {"0": ((1, 2), (3, 4))})
        self.assertEqual(self.count("getMapSet"), 1)

    def test_outline_kept(self) -> None:
        """What a robot does not say this time stays as it was."""
        self.test_old()
        del self.robot.says["getMapSubSet"]
        self.clock.advance(PAUSE)
        self.survey()
        self.assertEqual(len(self.book.of(self.did).rooms[0].outline), 3)

    def test_gone(self) -> None:
        """Rooms that are no more go."""
        self.test_old()
        self.robot.says["getMapSet"] = lambda _: {"msid": "8", "subsets": []}
        self.clock.advance(PAUSE)
        self.survey()
        self.assertEqual(self.book.of(self.did).rooms, ())

    def test_nonsense(self) -> None:
        """Answers of any shape do not break anything."""
        answers: tuple[Any, ...] = (
            [],
            "x",
            3,
            {"subsets": "zz"},
            {"subsets": [None]},
            {"info": {}},
            {},
        )
        for said in answers:
            names = ("getCachedMapInfo", "getMajorMap", "getMapSet", "getMapSet_V2", "getMapTrace")
            self.robot.says = dict.fromkeys(names, always(said))
            self.assertTrue(self.survey(), said)
            self.clock.advance(PAUSE)


class PathTests(SurveyCase):
    """Where the robot was."""

    def path(self, count: int, tid: str = "1") -> Says:
        """What a robot says that made so many steps."""
        way = snake(count)

        def says(data: Any) -> Any:
            start = data["traceStart"]
            some = way[start : start + data["pointCount"]]
            return traced(some, start, tid, count) if some else None

        return says

    def test_whole(self) -> None:
        """All of it, two hundred points at a time."""
        self.robot.says["getMapTrace"] = self.path(450)
        self.survey()
        self.assertEqual(self.book.of(self.did).trace.points, snake(450))
        self.assertEqual(self.count("getMapTrace"), 3)

    def test_rest(self) -> None:
        """The next time only what has come since."""
        self.robot.says["getMapTrace"] = self.path(450)
        self.survey()
        self.robot.says["getMapTrace"] = self.path(500)
        self.clock.advance(PAUSE)
        self.survey()
        self.assertEqual(self.book.of(self.did).trace.points, snake(500))
        self.assertEqual(self.count("getMapTrace"), 4)

    def test_another(self) -> None:
        """A path of another name is asked for from its beginning."""
        self.robot.says["getMapTrace"] = self.path(100)
        self.survey()
        self.robot.says["getMapTrace"] = self.path(150, "2")
        self.clock.advance(PAUSE)
        self.survey()
        found = self.book.of(self.did).trace
        self.assertEqual((found.tid, found.points), ("2", snake(150)))

    def test_endless(self) -> None:
        """A robot that always has more is not asked for ever."""
        self.robot.says["getMapTrace"] = lambda data: traced(
            snake(200), data["traceStart"], "1", 10**7
        )
        self.survey()
        self.assertLessEqual(self.count("getMapTrace"), 101)

    def test_job_ends(self) -> None:
        """The path of a job that is over is asked for, and then it is told of."""
        told: list[tuple[str, int, int]] = []
        self.surveyor.ended = lambda did, job: told.append(
            (did, job.started_at, len(self.book.of(did).trace.points))
        )
        self.robot.says["getMapTrace"] = self.path(30)
        self.surveyor.heard(Report(self.did, Stats("1", 500, stopped=True), 0))
        self.assertEqual((told, self.robot.names), ([(self.did, 500, 30)], ["getMapTrace"]))

    def test_job_ends_offline(self) -> None:
        """What is known of a job counts, also when the robot has gone."""
        told: list[int] = []
        self.surveyor.ended = lambda _, job: told.append(job.started_at)
        self.detach()
        self.surveyor.heard(Report(self.did, Stats("1", 500, stopped=True), 0))
        self.surveyor.heard(Report(self.did, Stats("0", 0, stopped=True), 0))
        self.surveyor.heard(Report(self.did, Battery(5), 0))
        self.assertEqual(told, [500])

    def test_json_job_begins(self) -> None:
        """A JSON robot tells its path by itself."""
        self.surveyor.heard(Report(self.did, Stats("1", 500), 0))
        self.assertEqual(self.robot.heard, [])


class XmlPathTests(SurveyCase):
    """Robots that tell their path only when they are asked."""

    device = OLDIE

    def test_job_begins(self) -> None:
        """They are asked when a job begins, and not with each report of it."""
        value = traced(snake(5))["traceValue"]
        text = f"<ctl ret='ok' trid='9' tf='0' tt='4' tr='{value}'/>".encode()
        self.robot.says["GetTrM"] = lambda _: text
        self.surveyor.heard(Report(self.did, Stats("1", 500), 0))
        self.surveyor.heard(Report(self.did, Stats("1", 500, duration=60), 0))
        self.assertEqual(self.robot.names, ["GetTrM"])
        self.assertEqual(self.book.of(self.did).trace.points, snake(5))

    def test_unknown(self) -> None:
        """One that does not know of paths is fine, too."""
        self.surveyor.heard(Report(self.did, Stats("1", 500), 0))
        self.assertEqual(self.book.of(self.did).trace.points, [])
