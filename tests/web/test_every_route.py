"""What holds for every route there is."""

import json
import re
from collections.abc import Iterator

from bumper_tw.readings import Battery, Report
from bumper_tw.web.routes import Route
from tests.web.browser import Page
from tests.web.test_api import BEARER
from tests.web.world import NOW, WorldCase

#: Bodies that nobody should send.
NONSENSE = (
    b"",
    b"\x00\xff\xfe",
    b"{",
    b"null",
    b"[]",
    b"7",
    b'"text"',
    b"{}",
    b'{"todo":[],"td":{},"did":7,"toId":[],"data":[],"logIds":{},"service":1,"name":null}',
    b'{"todo":"RobotControl","data":{"ctl":{"a":{"cmd":[],"did":{}}}}}',
    b'{"todo":"SetDeviceNick","did":[],"nick":{}}',
    b'{"toId":"did1","cmdName":"a/b/#","payload":[[[]]]}',
    b'{"did":"did1","name":{},"data":[]}',
    b'{"a":' * 5000,
    b"todo=SetDeviceNick&did=&did=",
)
QUERY = (
    "?area=de&keys=A,PUBLIC.KEY.CONFIG&did=did1&logType=clean&props=onBattery&code=time_zone_list"
)
ZONE = "ecouser.net"
#: Whatever looks like a host of the vendor or of somebody he works with.
FOREIGN = re.compile(
    rb"(?i)[a-z0-9.-]*(?:eco(?:vacs|user)|aliyun|amazonaws|yeedi|zendesk|google)[a-z0-9.-]*\.[a-z]+"
)
ADDRESS = re.compile(rb"(?<![0-9.])(?:\d{1,3}\.){3}\d{1,3}(?![0-9.])")


class EveryRouteTests(WorldCase):
    """Each of them with the same things."""

    def setUp(self) -> None:
        super().setUp()
        self.world.robot(getBattery=b'{"body":{}}')
        self.world.telemetry.record(Report("did1", Battery(1), NOW))
        self.ear.heard.clear()

    def pages(self, *bodies: bytes, query: str = "") -> Iterator[tuple[Route, bytes, Page]]:
        """The answer of each route to each body, with a token."""
        for route in self.world.routes:
            path = re.sub("<[a-z_]+>", "did1", route.path) + query
            for body in bodies:
                sent = body if route.methods[-1] == "POST" else b""
                page = self.browser.ask(route.methods[-1], path, sent, [BEARER])
                yield route, body, page

    def test_nonsense(self) -> None:
        """It ends in an answer of the right family, never in a 500, and in at most one line."""
        for route, body, page in self.pages(*NONSENSE):
            self.assertNotIn(page.status, {413, 500}, (route.path, body))
            self.assertLessEqual(len(self.ear.heard), 1, (route.path, body))
            self.ear.heard.clear()
            if page.headers["content-type"].startswith("application/json"):
                json.loads(page.body)
        self.assertEqual(self.world.site.counts["broken"], 0)

    def test_nonsense_in_forms(self) -> None:
        """The same as a form."""
        kind = ("Content-Type", "application/x-www-form-urlencoded")
        for route in self.world.routes:
            if "POST" in route.methods:
                path = re.sub("<[a-z_]+>", "x", route.path)
                for body in (b"todo=RobotControl&data=x", b"&&=&%ff=%00", b"toId=did1&payload=x"):
                    page = self.browser.ask("POST", path, body, [kind, BEARER])
                    self.assertNotEqual(page.status, 500, route.path)
        self.assertEqual(self.world.site.counts["broken"], 0)

    def test_broken_queries(self) -> None:
        """Nor does a query break anything."""
        for query in ("?%ff=%00&did=%ff&keys=%ff&area=%00", "?" + "a=1&" * 400, "?=&&=", "?did"):
            for route, _, page in self.pages(b"{}", query=query):
                self.assertNotEqual(page.status, 500, (route.path, query))

    def test_wrong_method(self) -> None:
        """405 with the methods that would have been right, and one line."""
        for route in self.world.routes:
            path = re.sub("<[a-z_]+>", "did1", route.path)
            self.world.clock.advance(60)
            page = self.browser.ask("DELETE", path)
            self.assertEqual(page.status, 405, route.path)
            self.assertLessEqual(set(route.methods), set(page.headers["allow"].split(", ")))
            self.assertEqual(len(self.ear.heard), 1, route.path)
            self.ear.heard.clear()

    def test_too_large(self) -> None:
        """413 in JSON, and one line."""
        for route, _, page in self.pages(b"x" * (1 << 17)):
            self.world.clock.advance(60)
            if "POST" in route.methods and not route.room:
                self.assertEqual((page.status, page.json["code"]), (413, 413), route.path)
                self.assertEqual(len(self.ear.heard), 1, route.path)
            self.ear.heard.clear()

    def test_only_this_box(self) -> None:
        """
        No answer names a host but this one, by the name that the client used, and no
        address but the announced one.  The one zone allowed is the one our DNS answers for.
        """
        asked = (
            b"{}",
            b'{"todo":"FindBest","service":"EcoMsgNew"}',
            b'{"todo":"FindBest","service":"EcoUpdate"}',
            b'{"todo":"GetGlobalDeviceList"}',
            b'{"todo":"GetDeviceList"}',
            b'{"todo":"GetAppVideoUrl","keys":["t9_promotional_video"]}',
            b'{"todo":"GetDeviceProtocolV2"}',
            b'{"todo":"GetCodepush"}',
            b'{"toId":"did1","cmdName":"getBattery","payload":{}}',
            b'{"did":"did1","name":"getBattery"}',
            b'{"td":"GetCleanLogs","did":"did1"}',
        )
        for route, _, page in self.pages(*asked, query=QUERY):
            told = page.body + repr(page.headers).encode()
            self.assertLessEqual(set(FOREIGN.findall(told)), {ZONE.encode()}, route.path)
            self.assertLessEqual(set(ADDRESS.findall(told)), {b"192.168.7.2"}, route.path)
            for host in re.findall(rb"https?://([^/\"]+)", told):
                self.assertEqual(host, b"box.lan:8007", route.path)

    def test_zone_only_for_robots(self) -> None:
        """The zone stands where a robot being paired reads it, and nowhere else."""
        with_zone = {
            route.path
            for route, _, page in self.pages(b"{}", query=QUERY)
            if ZONE in repr(page.body)
        }
        self.assertEqual(with_zone, {"/api/appsvr/service/list"})
