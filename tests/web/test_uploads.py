"""Tests for uploads and telemetry sinks, over the whole server."""

import gzip
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent

from bumper_tw.errors import StorageError
from bumper_tw.mqtt.gateway import MqttLink
from bumper_tw.values import CleaningLog
from bumper_tw.web.log_pictures import LogPictures
from bumper_tw.web.uploads import HOUR, OTHERS, Inflow, Rate
from tests.flows.house import House
from tests.samples import DUSTY
from tests.web.browser import Connection, request
from tests.web.houses import DATA, ELSEWHERE, GENERAL, WUKONG, HouseCase


class UploadTests(HouseCase):
    """Files that robots send."""

    def test_kept(self) -> None:
        """A robot's file is kept under the robot, listed, and handed out to be saved only."""
        body = b"<script>alert(1)</script>"
        answer = self.send(f"{DATA}/photo?auth.did={DUSTY.did}", body, Content_Type="text/html")
        self.assertEqual((answer.status, answer.json), (200, None))
        [file] = self.get(f"/api/robots/{DUSTY.did}/files").json["files"]
        self.assertEqual((file["what"], file["size"]), ("photo", len(body)))
        page = self.get(f"/api/robots/{DUSTY.did}/files/{file['key']}")
        self.assertEqual((page.status, page.body), (200, body))
        self.assertEqual(page.headers["content-type"], "application/octet-stream")
        self.assertTrue(page.headers["content-disposition"].startswith("attachment;"))
        self.assertEqual(page.headers["x-content-type-options"], "nosniff")
        [path] = self.data.glob("files/*/*")
        self.assertEqual(path.read_bytes(), body)

    def test_token(self) -> None:
        """Nobody reads them without one, and no other robot has them."""
        self.send(f"{DATA}/photo?auth.did={DUSTY.did}", b"x")
        [file] = self.get(f"/api/robots/{DUSTY.did}/files").json["files"]
        for path in ("", f"/{file['key']}"):
            self.assertEqual(self.get(f"/api/robots/{DUSTY.did}/files{path}", "no").status, 401)
        for path in (
            f"/api/robots/other/files/{file['key']}",
            "/api/robots/other/files",
            f"/api/robots/{DUSTY.did}/files/other",
            f"/api/robots/{DUSTY.did}/files/..%2F..%2Fbumper.db",
        ):
            self.assertEqual(self.get(path).status, 404, path)

    def test_stranger(self) -> None:
        """What nobody knows the robot of is kept as well, where no robot's files are."""
        self.send(f"{DATA}/log?auth.did=somebody", b"x")
        self.assertEqual(self.get(f"/api/robots/{DUSTY.did}/files").json["files"], [])
        [path] = self.data.glob("files/*/*")
        self.assertEqual(path.parent.name, "strangers")

    def test_named_by_others(self) -> None:
        """Who names a robot from elsewhere is a stranger, whatever he says."""
        self.send(f"{DATA}/photo?auth.did={DUSTY.did}", b"x")
        [device] = self.house.facts.registry.devices()
        self.house.facts.registry.update(evolve(device, name="E0001234567890"))
        for said in (f"did={DUSTY.did}", "sn=E0001234567890", f"deviceId={DUSTY.did}"):
            answer = self.elsewhere().ask("POST", f"{DATA}/forged?{said}", b"forged")
            self.assertEqual((answer.status, answer.json), (200, None))
        files = self.house.facts.belongings.files
        self.assertEqual([file.what for file in files.of(DUSTY.did)], ["photo"])
        self.assertEqual(len(files.of("strangers")), 3)

    def test_named_while_away(self) -> None:
        """A robot that is not connected leaves nothing here, wherever it is."""
        self.house.peers[0].vanish()
        self.send(f"{DATA}/photo?auth.did={DUSTY.did}", b"x")
        files = self.house.facts.belongings.files
        self.assertEqual((len(files.of(DUSTY.did)), len(files.of("strangers"))), (0, 1))

    def test_called_stranger(self) -> None:
        """A robot that is called like the strangers' folder has nothing of theirs."""
        registry = self.house.facts.registry
        [device] = registry.devices()
        impostor = evolve(device, id=evolve(device.id, did="strangers"))
        registry.attach(impostor, MqttLink(self.house.brokerage.router))
        self.send(f"{DATA}/log?auth.did=somebody", b"x")
        page = self.get("/api/robots/strangers/files")
        self.assertEqual((page.status, page.json), (200, {"files": []}))
        log = CleaningLog(impostor.id, "7", 1767225600, image_url="log")
        self.assertIsNone(LogPictures(self.house.facts.belongings.files).path(log))

    def test_too_many(self) -> None:
        """Beyond so many an hour they are dropped, which the sender does not hear of."""
        stranger, files = self.elsewhere(), self.house.facts.belongings.files
        with capturedLogs() as said:
            for number in range(OTHERS.number + 5):
                answer = stranger.ask("POST", f"{DATA}/log", b"%d" % number)
                self.assertEqual((answer.status, answer.json), (200, None))
        self.assertEqual(len(files.of("strangers")), OTHERS.number)
        lines = [str(formatEvent(event)) for event in said]
        dropped = [line for line in lines if "dropped" in line]
        self.assertEqual(
            dropped, [f"too many uploads within an hour, one from {ELSEWHERE} is dropped"]
        )
        self.send(f"{DATA}/photo?auth.did={DUSTY.did}", b"x")
        self.assertEqual(len(files.of(DUSTY.did)), 1)
        self.house.clock.advance(HOUR)
        stranger.ask("POST", f"{DATA}/log", b"x")
        self.assertEqual(len(files.of("strangers")), OTHERS.number + 1)

    def test_inflow(self) -> None:
        """There is so much, by size and by number, for each address and for all."""
        clock = Clock()
        inflow = Inflow(clock, Rate(size=4, size_all=6, number=3, number_all=100))
        self.assertTrue(inflow.take("a", 4000))
        self.assertFalse(inflow.take("a", 1))
        self.assertFalse(inflow.take("b", 4000))
        self.assertEqual([inflow.take("b", 1) for _ in range(3)], [True, True, False])
        clock.advance(HOUR)
        self.assertEqual([inflow.take("c", 1) for _ in range(4)], [True, True, True, False])

    def test_quota(self) -> None:
        """However much a robot sends, there is only so much of it."""
        self.house = self.start(uploads_robot_bytes=1000, upload_bytes=400)
        self.house.robot()
        for number in range(10):
            self.house.clock.advance(1)
            self.send(f"{DATA}/log?auth.did={DUSTY.did}", b"%d" % number * 300)
        kept = sorted(path.read_bytes()[:1] for path in self.data.glob("files/*/*"))
        self.assertEqual(kept, [b"7", b"8", b"9"])
        refused = self.send(f"{DATA}/log?auth.did={DUSTY.did}", b"x" * 401)
        self.assertIn("at most 400 bytes", refused.body.decode())

    def test_more_than_elsewhere(self) -> None:
        """An upload may be larger than any other request, and has its own end."""
        size = self.house.settings.web.max_body + 1
        self.assertEqual(self.send(f"{DATA}/map?auth.did={DUSTY.did}", b"x" * size).status, 200)
        self.assertEqual(self.send("/api/robots", b"x" * size).status, 413)
        head = f"POST {DATA}/map HTTP/1.1\r\nHost: box.lan\r\nContent-Length: {9 << 20}\r\n\r\n"
        connection = self.house.browser().connect()
        connection.send(head.encode())
        [answer] = connection.received()
        self.assertEqual(answer.status, 413)

    def test_at_once(self) -> None:
        """Only so many large bodies are on their way at a time; small ones always have room."""
        head = request("POST", f"{DATA}/map", b"").replace(b"\r\n\r\n", b"\r\n")
        large = head + b"Content-Length: 4194304\r\n\r\n"
        waiting = [self.elsewhere(f"192.168.8.{number}").connect() for number in range(4)]
        for connection in waiting:
            connection.send(large)
            self.assertEqual(connection.received(), [])
        fifth = self.house.browser().connect()
        fifth.send(large)
        [answer] = fifth.received()
        self.assertEqual(answer.status, 413)
        self.assertEqual(self.send(f"{DATA}/map", b"small").status, 200)
        waiting.pop().hang_up()
        sixth = self.house.browser().connect()
        sixth.send(large)
        self.assertEqual(sixth.received(), [])
        seventh = self.house.browser().connect()
        waiting.pop().hang_up()
        seventh.send(large)
        [answer] = seventh.received()
        self.assertEqual(answer.status, 413, "one from each address")

    def chunked(self, number: int) -> Connection:
        """A body of unknown length that somebody begins to send."""
        made = self.elsewhere(f"192.168.8.{number}").connect()
        made.send(f"POST {DATA}/map HTTP/1.1\r\nHost: a\r\n".encode())
        made.send(b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        return made

    def test_trickled(self) -> None:
        """Bodies that might become large shut nobody out before they are."""
        trickled = [self.chunked(number) for number in range(10)]
        size = self.house.settings.web.max_body + 1
        self.assertEqual(self.send(f"{DATA}/map", b"x" * size).status, 200)
        self.assertEqual(len(self.house.site.large), 0)
        piece = b"%x\r\n%b\r\n" % (size, b"x" * size)
        for connection in trickled[:5]:
            connection.send(piece)
        self.assertEqual(len(self.house.site.large), 4)
        self.assertEqual([page.status for page in trickled[4].received()], [413])
        trickled[0].send(b"0\r\n\r\n")
        self.assertEqual([page.status for page in trickled[0].received()], [200])
        trickled[1].hang_up()
        self.assertEqual(len(self.house.site.large), 2)

    def test_disk_full(self) -> None:
        """The robot hears what it always hears, the owner hears of the disk."""

        def full(*_: object) -> Deferred[str]:
            return fail(StorageError("no space left"))

        self.house.facts.belongings.files.keep = full  # type: ignore[method-assign, assignment]  # a full disk
        with capturedLogs() as said:
            answer = self.send(f"{DATA}/log?auth.did={DUSTY.did}", b"x")
        self.assertEqual((answer.status, answer.json), (200, None))
        lines = [formatEvent(event) for event in said]
        self.assertIn("an upload is lost: no space left", lines)


class SinkTests(HouseCase):
    """Telemetry of apps and robots."""

    def test_dropped(self) -> None:
        """It is answered, counted, and not kept, whichever way it comes."""
        bomb = gzip.compress(b"0" * (64 << 20))
        self.assertLess(len(bomb), 1 << 17)
        for path in ("/sa?project=production", GENERAL, "/Global_APP_BuryPoint/api", "/log"):
            for headers in ({}, {"Content_Encoding": "gzip"}):
                self.assertEqual(self.send(path, bomb, **headers).status, 200, path)
        self.assertEqual(self.house.browser().get(GENERAL).json, None)
        self.assertEqual(list(self.data.glob("files/*/*")), [])

    def test_too_large(self) -> None:
        """What is longer than any request may be is refused before it is there."""
        head = "POST /sa HTTP/1.1\r\nHost: box.lan\r\nContent-Length: 99999999\r\n\r\n"
        connection = self.house.browser().connect()
        connection.send(head.encode())
        [answer] = connection.received()
        self.assertEqual(answer.status, 413)


class ForgottenTests(HouseCase):
    """A robot that is removed."""

    def test_gone(self) -> None:
        """Its files and its attempts go with it."""
        self.send(f"{DATA}/photo?auth.did={DUSTY.did}", b"x")
        self.house.browser().get(f"{WUKONG}?ver=1&did={DUSTY.did}")
        own = self.house.facts.belongings
        self.assertEqual((len(own.files.of(DUSTY.did)), len(own.updates.of(DUSTY.did))), (1, 1))
        self.successResultOf(self.house.facts.registry.forget(DUSTY.did))
        self.assertEqual((own.files.of(DUSTY.did), own.updates.of(DUSTY.did)), ([], []))
        self.assertEqual(list(self.data.glob("files/*/*")), [])


class OwnersTests(HouseCase):
    """Where robots have owners."""

    def start(self, **web: Any) -> House:
        """Everybody sees only his own."""
        house = super().start(**web)
        settings = house.settings
        identity = evolve(settings.identity, robots_of="owners")
        return House(evolve(settings, identity=identity))

    def test_nobodys(self) -> None:
        """Robots without owner have the room of one, whoever they are; others have their own."""
        self.house = self.start(uploads_robot_bytes=500)
        own = self.house.facts.belongings
        for did in ("a", "b", "c", "strangers"):
            self.successResultOf(own.files.keep(did, "log", b"x" * 200))
        left = [len(own.files.of(did)) for did in ("a", "b", "c", "strangers")]
        self.assertEqual(left, [0, 1, 1, 1])
        self.successResultOf(own.ownership.give("d", "anna"))
        self.successResultOf(own.files.keep("d", "log", b"x" * 400))
        self.assertEqual([len(own.files.of(did)) for did in ("b", "c", "d")], [1, 1, 1])

    def test_stranger(self) -> None:
        """To whoever may not use a robot it does not exist, nor anything of it."""
        self.send(f"{DATA}/photo?auth.did={DUSTY.did}", b"x")
        [file] = self.house.facts.belongings.files.of(DUSTY.did)
        for path in ("firmware", "files", f"files/{file.key}"):
            page = self.get(f"/api/robots/{DUSTY.did}/{path}")
            self.assertEqual((page.status, page.json["reason"]), (404, "unknown_robot"), path)
        uid = self.house.facts.accounts.user_of(self.token)
        self.house.facts.belongings.ownership.give(DUSTY.did, uid)
        for path in ("firmware", "files", f"files/{file.key}"):
            self.assertEqual(self.get(f"/api/robots/{DUSTY.did}/{path}").status, 200, path)
