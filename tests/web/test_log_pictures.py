"""Tests for L{bumper_tw.web.log_pictures}: pictures of jobs that robots have left here."""

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from bumper_tw.core.cleaning import cleaning_log
from bumper_tw.dialect.reports_json import readings
from bumper_tw.errors import BadRequest
from bumper_tw.people_interfaces import IFiles, KeptFile
from bumper_tw.readings import Stats
from bumper_tw.values import CleaningLog
from bumper_tw.web.log_pictures import LogPictures
from bumper_tw.web.site import build_site
from tests.samples import DUSTY, RUSTY
from tests.web.browser import Browser

PNG, JPEG = b"\x89PNG\r\n\x1a\n...", b"\xff\xd8\xff..."


@implementer(IFiles)
class FewFiles:
    """Files in memory, all of Dusty."""

    def __init__(self, *files: tuple[str, str, bytes]) -> None:
        self.bodies = {key: body for key, _, body in files}
        self.known = [KeptFile(key, DUSTY.did, what, len(body), 0.0) for key, what, body in files]

    def keep(self, owner: str, what: str, body: bytes) -> Deferred[str]:
        return fail(BadRequest("there is no room"))

    def of(self, owner: str) -> Sequence[KeptFile]:
        return [file for file in self.known if file.owner == owner]

    def find(self, key: str) -> KeptFile | None:
        return next((file for file in self.known if file.key == key), None)

    def read(self, key: str) -> Deferred[bytes]:
        if key not in self.bodies:
            return fail(BadRequest("there is no such file"))
        return succeed(self.bodies[key])

    def forget(self, owner: str) -> Deferred[None]:
        return succeed(None)


def log(image: object) -> CleaningLog:
    """The log of a job of which Dusty has said that it has a picture."""
    data = {"cid": "7", "start": "1767225600", "stop": 1, "imageUrl": image}
    [stats] = readings("reportStats", {"body": {"data": data}})
    assert isinstance(stats, Stats)
    return cleaning_log(DUSTY, stats)


class PictureTests(SynchronousTestCase):
    """Two pictures and something else."""

    def setUp(self) -> None:
        files = FewFiles(
            ("k1", "mappng", PNG),
            ("k2", "mappng", JPEG),
            ("k3", "log", b"<script>"),
            ("k4", "x", PNG),
        )
        self.pictures = LogPictures(files)
        self.browser = Browser(build_site(self.pictures.routes(), Clock()))

    def test_name(self) -> None:
        """Of the address that a robot names only the last part counts; no other field has it."""
        for said in ("map.png", "https://far.example/a/map.png?x=1", "/map.png"):
            self.assertEqual(log(said).image_url, "map.png")
        wrongs: tuple[Any, ...] = ("", None, "https://a.example/", "a b", "..", ".x", {}, [])
        for wrong in (*wrongs, "x" * 200):
            self.assertIsNone(log(wrong).image_url, wrong)
        self.assertEqual(log("map.png").extras, {})

    def test_path(self) -> None:
        """The newest file of that name, or of that key, of the same robot."""
        self.assertEqual(self.pictures.path(log("https://far.example/Map.png")), "/api/files/k2")
        self.assertEqual(self.pictures.path(log("k1")), "/api/files/k1")
        self.assertIsNone(self.pictures.path(log("other.png")))
        self.assertIsNone(self.pictures.path(log(None)))
        other = CleaningLog(RUSTY, "7", 1767225600, image_url="map.png")
        self.assertIsNone(self.pictures.path(other))

    def test_show(self) -> None:
        """A picture is shown as what it is; whatever else there is, is not."""
        for key, kind in (("k1", "image/png"), ("k2", "image/jpeg")):
            page = self.browser.get(f"/api/files/{key}")
            self.assertEqual((page.status, page.headers["content-type"]), (200, kind))
        for key in ("k3", "none", "..", "%2e%2e%2fetc"):
            page = self.browser.get(f"/api/files/{key}")
            self.assertEqual(page.status, 404, key)
            self.assertNotIn(b"script", page.body)
