"""Maps over our own API, of simulated robots before the whole server."""

import json
from typing import Any
from urllib.parse import quote

from twisted.web.template import flattenString

from bumper_tw.dialect.maps_rooms import Room
from bumper_tw.readings import Activity, Clean
from bumper_tw.simulator.floorplan import known_floor
from bumper_tw.simulator.identity import Identity
from bumper_tw.values import CleaningLog, DeviceId
from bumper_tw.web.dashboard.map_drawing import covered_area
from bumper_tw.web.dashboard.map_routes import render_map, render_picture
from tests.core.atlas import Threads
from tests.web.browser import Page
from tests.web.dashboard.map_house import BEARER, KINDS, MapCase

KEYS = {
    "did", "known", "revision", "mid", "pixel", "picture", "view", "rooms", "walls", "zones",
    "trace", "robot", "docks", "words",
}  # fmt: skip


class RouteCase(MapCase):
    """Somebody with a script."""

    def map(self, who: Identity) -> Any:
        """The map of a robot."""
        return self.get(f"{who.did}/map").json

    def ask(self, did: str) -> Page:
        """Have a robot asked."""
        page = self.browser.ask("POST", f"/api/robots/{did}/map/survey", b"{}", [BEARER])
        self.run_for(12)
        return page

    def failed(self, page: Page, status: int) -> None:
        """A failure has a status and a sentence."""
        self.assertEqual(page.status, status)
        self.assertTrue(page.json["error"])


class MapTests(RouteCase):
    """C{GET /api/robots/<did>/map} and what belongs to it."""

    def test_rooms(self) -> None:
        """Every kind of robot tells its rooms, its walls, and where it is."""
        for kind in KINDS:
            with self.subTest(kind):
                self.setUp()
                _, who = self.robot(kind)
                self.assertEqual(self.ask(who.did).json, {"did": who.did, "asked": True})
                found = self.map(who)
                self.assertEqual((found.keys(), found["known"]), (KEYS, True))
                ids = {room["id"]: room["centre"] for room in found["rooms"]}
                plan = known_floor().rooms
                self.assertEqual(ids, {n: list(room.centre()) for n, room in plan.items()})
                self.assertEqual(len(found["rooms"][0]["outline"]), 4)
                self.assertEqual(found["walls"][0]["points"], [[-2500, -500], [-1200, -500]])
                self.assertEqual(found["robot"], {"x": 0, "y": 0, "angle": 0})

    def test_words(self) -> None:
        """What is seen is also said."""
        _, who = self.robot()
        self.ask(who.did)
        words = self.map(who)["words"]
        self.assertEqual(words.partition(". ")[0], "3 rooms: Kitchen, Living room and Bedroom")
        self.assertTrue(words.endswith("The robot is in the room “Living room”, at its dock."))

    def test_nothing(self) -> None:
        """A robot that was never asked has no map, and no picture."""
        _, who = self.robot()
        found = self.map(who)
        self.assertEqual((found["known"], found["picture"], found["rooms"]), (False, None, []))
        self.failed(self.get(f"{who.did}/map.png"), 404)

    def test_picture_once(self) -> None:
        """A browser that has the picture does not get it again until it is another."""
        robot, who = self.robot()
        self.ask(who.did)
        page = self.get(f"{who.did}/map.png")
        etag = ("If-None-Match", page.headers["etag"])
        again = self.get(f"{who.did}/map.png", headers=[etag])
        self.assertEqual((page.status, again.status, again.body), (200, 304, b""))
        robot.machine.plan.rooms.pop("7")
        robot.machine.plan.redraw()
        self.ask(who.did)
        self.assertEqual(self.get(f"{who.did}/map.png", headers=[etag]).status, 200)

    def test_meanwhile(self) -> None:
        """A map that changes while it is drawn: the picture is called what it is."""
        _, who = self.robot()
        self.ask(who.did)
        threads = Threads()
        self.sight._drawings._in_thread = threads
        found = self.maps.book.of(who.did)
        before = found.drawn
        device = self.house.facts.registry.device(who.did)
        seen = self.sight.seen(device)
        self.maps.book.touch(who.did, drawn=True)
        threads.work()
        shown = self.successResultOf(seen)
        answer = render_picture(shown, "")
        self.assertGreater(found.drawn, before)
        self.assertIn(("ETag", f'"{before}"'), answer.headers)
        url = json.loads(render_map(shown).body)["picture"]["url"]
        self.assertTrue(url.endswith(f"?revision={before}"))

    def test_told(self) -> None:
        """Whoever has the page open is told that the map is another, and where the robot goes."""
        robot, who = self.robot()
        self.ask(who.did)
        robot.machine.start()
        self.run_for(60)
        [*_, told] = self.feed.values("map")
        self.assertEqual(told, {"did": who.did, "revision": self.map(who)["revision"]})
        [*_, trace] = self.feed.values("trace")
        self.assertEqual(self.map(who)["trace"]["total"], trace["start"] + len(trace["points"]))
        self.assertEqual(self.map(who)["trace"]["points"][-1], trace["points"][-1])

    def test_restart(self) -> None:
        """The map is there after a restart, although the robot is away."""
        robot, who = self.robot()
        self.ask(who.did)
        before = self.map(who)
        self.close()
        gone = robot.stop()
        self.run_for(20)
        self.successResultOf(gone)
        self.open()
        after = self.map(who)
        for part in ("mid", "rooms", "walls", "view", "known"):
            self.assertEqual(after[part], before[part], part)
        self.assertEqual(self.get(f"{who.did}/map.png").status, 200)
        self.failed(self.ask(who.did), 503)

    def test_forgotten(self) -> None:
        """Nothing is left of a robot that is removed."""
        _, who = self.robot()
        self.ask(who.did)
        self.close()
        self.successResultOf(self.maps.forget(who.did))
        self.assertEqual(self.folder.files, {})

    def test_strangers(self) -> None:
        """Nobody sees a map who may not; and nobody sees the map of a robot that is not here."""
        _, who = self.robot()
        for path in ("map", "map.png", "cleanings/1/path"):
            self.assertEqual(self.browser.get(f"/api/robots/{who.did}/{path}").status, 401)
            for did in ("nobody", "..", "<script>", "a\0b", "x" * 5000):
                self.assertEqual(self.get(f"{quote(did, safe='')}/{path}").status, 404)
        page = self.browser.ask("POST", f"/api/robots/{who.did}/map/survey", b"{}")
        self.failed(page, 401)
        self.failed(self.ask("nobody"), 404)

    def test_documented(self) -> None:
        """No answer has a number in it that JSON does not know."""
        _, who = self.robot()
        self.ask(who.did)
        body = self.get(f"{who.did}/map").body
        json.loads(body, parse_constant=self.fail)


class CleaningTests(RouteCase):
    """Where robots were in their jobs."""

    def clean(self, kind: str) -> tuple[Identity, Any]:
        """A robot cleans for two minutes, and is stopped."""
        robot, who = self.robot(kind)
        self.ask(who.did)
        robot.machine.start()
        self.run_for(120)
        robot.machine.stop()
        self.run_for(12)
        return who, robot.machine.state.last_job

    def test_path(self) -> None:
        """The path of a job is there when it is over, for every kind of robot."""
        for kind in KINDS:
            with self.subTest(kind):
                self.setUp()
                who, job = self.clean(kind)
                pages = [
                    self.get(f"{who.did}/cleanings/{name}/path") for name in (job.start, job.cid)
                ]
                [first, second] = [page.json["points"] for page in pages]
                self.assertEqual(first, second)
                self.assertGreater(len(first), 10)
                inside = [(x, y) for x, y, _ in first if -3000 < x < 0 and -2000 < y < 1500]
                self.assertEqual(len(inside), len(first))

    def test_unknown(self) -> None:
        """Of a job that nobody knows there is no path."""
        who, _ = self.clean("new")
        for job in ("1", "x", "%0A", "%00", "..", "9" * 5000):
            self.failed(self.get(f"{who.did}/cleanings/{job}/path"), 404)

    def test_area(self) -> None:
        """The history has it drawn; of other jobs it has nothing."""
        who, job = self.clean("new")
        device = DeviceId(who.did, who.cls, who.resource)
        area = covered_area(self.maps.coverage)
        drawn = area(who.did, CleaningLog(device, job.cid, job.start))
        assert drawn is not None
        self.assertEqual(drawn.tagName, "svg")
        home = covered_area(self.maps.coverage, lambda _: [Room("3", "Kitchen", centre=(1, 2))])
        drawn = home(who.did, CleaningLog(device, job.cid, job.start))
        assert drawn is not None
        text = flattenString(None, drawn)
        self.assertIn(b"Kitchen", self.successResultOf(text))
        self.assertIsNone(area(who.did, CleaningLog(device, job.cid, job.start + 1)))

    def test_rooms(self) -> None:
        """Rooms are known by their names once the robot was asked."""
        _, who = self.robot()
        self.assertIsNone(self.maps.rooms(who.did))
        self.ask(who.did)
        names = {"3": "Kitchen", "5": "Living room", "7": "Bedroom"}
        self.assertEqual(self.maps.rooms(who.did), names)
        self.close()
        self.open()
        self.successResultOf(self.maps.wake([who.did, "nobody"]))
        self.assertEqual(self.maps.rooms(who.did), names)

    def test_doing(self) -> None:
        """A robot of which nothing else is known may clean without harm."""
        self.maps.book._doing("did9", Clean(Activity.CLEANING).activity)
        self.assertTrue(self.maps.book.of("did9").cleaning)
