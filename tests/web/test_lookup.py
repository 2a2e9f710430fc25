"""Where things are."""

from typing import Any

from bumper_tw.web.lookup import HOSTS, MAX_KEYS, LookupRoutes
from bumper_tw.web.request import Limits
from bumper_tw.web.site import build_site
from tests.web.browser import Browser, Connection, Page, pages
from tests.web.world import NOW, WorldCase

COMMON = "/v1/private/us/EN/client/global_e/1.6.3/google_play/1/common"
NOW_MS = int(NOW * 1000)


#: The answer to whoever looks for the message server.
FOUND = b'{"ip":"192.168.7.2","port":5223,"result":"ok"}'
#: The same question in other words (robots.md 3.1), and in what small programs make of it.
ASKED = (
    b"todo=FindBest&service=EcoMsgNew",
    b"service=EcoMsgNew&todo=FindBest&sn=E0001&fw=0.16.1",
    b"todo=FindBest&service=EcoMsgNew\r\n",
    b"todo=%46indBest&service=EcoMsg%4eew",
    b'{"todo":"FindBest","service":"EcoMsgNew"}',
    b'{"service": "EcoMsgNew",\r\n "todo": "FindBest", "did": null, "more": [1]}\r\n',
)
#: What stands in front of it, if anything.
KINDS = (
    "",
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=UTF-8",
    "application/json",
    "text/plain",
    "text/html;charset=utf-8",
    "nonsense",
)
FORM = b"todo=FindBest&service=EcoMsgNew"


def raw_question(version: str, *headers: str, body: bytes = FORM) -> bytes:
    """A robot's request, as its program spells it."""
    lines = (f"POST /lookup.do HTTP/{version}", *headers, f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


class FirstQuestionTests(WorldCase):
    """A robot's C{lookup.do}."""

    def ask(self, **body: object) -> Page:
        """The answer to a robot."""
        return self.browser.post("/lookup.do", body)

    def test_byte_for_byte(self) -> None:
        """Robots were seen to reject a blank, so every byte counts."""
        page = self.ask(todo="FindBest", service="EcoMsgNew", more=[1])
        self.assertEqual(page.body, FOUND)
        self.assertEqual(page.headers["content-type"], "application/json; charset=utf-8")
        self.assertEqual(page.headers["content-length"], str(len(FOUND)))
        self.assertNotIn("transfer-encoding", page.headers)

    def test_any_words(self) -> None:
        """A form or JSON, whatever the robot says it is, or does not."""
        for kind in KINDS:
            headers = [("Content-Type", kind)] if kind else []
            for body in ASKED:
                page = self.browser.ask("POST", "/lookup.do", body, headers)
                self.assertEqual((page.status, page.body), (200, FOUND), (kind, body))

    def test_update(self) -> None:
        """The update server is this box, too."""
        page = self.ask(todo="FindBest", service="EcoUpdate")
        self.assertEqual(page.body, b'{"ip":"192.168.7.2","port":8005,"result":"ok"}')

    def test_other_port(self) -> None:
        """Where our XMPP is, is where robots are sent."""
        world = self.world
        lookup = LookupRoutes(world.clock, lambda _: "10.0.0.9", lambda: "", 15223)
        browser = Browser(build_site(lookup.routes(), world.clock))
        page = browser.ask("POST", "/lookup.do", FORM)
        self.assertEqual(page.body, b'{"ip":"10.0.0.9","port":15223,"result":"ok"}')
        hosts = browser.get("/api/appsvr/service/list?area=de").json["data"]
        self.assertEqual(hosts["msgcloud"], "box.lan:15223")

    def test_nothing_found(self) -> None:
        """Other services, other questions, and garbage find nothing."""
        strange: list[dict[str, object]] = [
            {},
            {"todo": "FindBest"},
            {"todo": "Find", "service": "EcoMsgNew"},
            {"todo": []},
            {"todo": "FindBest", "service": ["EcoMsgNew"]},
            {"todo": "FindBest", "service": None},
        ]
        for body in strange:
            self.assertEqual(self.ask(**body).body, b"{}")
        for raw in (b"", b"\x00", b"{", b"[]", b"&" * 5000, b"todo=FindBest&service=\xff"):
            page = self.browser.ask("POST", "/lookup.do", raw)
            self.assertEqual((page.status, page.body), (200, b"{}"), raw[:20])

    def test_wrong_method(self) -> None:
        """Nobody asks with GET."""
        page = self.browser.get("/lookup.do?todo=FindBest&service=EcoMsgNew")
        self.assertEqual((page.status, page.body), (405, b"{}"))

    def test_no_address(self) -> None:
        """Without an address to announce there is nothing to say, except in the log."""
        self.world.announced = None
        self.assertEqual(self.ask(todo="FindBest", service="EcoMsgNew").body, b"{}")
        self.assertEqual(len(self.ear.lines()), 1)

    def test_user_do(self) -> None:
        """The same question elsewhere; there E6 means no."""
        ask = {"todo": "FindBest", "service": "EcoMsgNew"}
        self.assertEqual(self.browser.post("/user.do", ask).body, FOUND)
        strange: list[object] = ["x", None, ["EcoMsgNew"], {}]
        for service in strange:
            page = self.browser.post("/user.do", {**ask, "service": service})
            self.assertEqual((page.json["errno"], page.json["debug"]), (1, "FindBest"))


class WireTests(WorldCase):
    """What a small program writes to the port, and what it has to read."""

    def answers(self, *sent: bytes, piece: int = 0) -> tuple[list[Page], Connection]:
        """What comes back on one connection."""
        connection = self.browser.connect()
        for data in sent:
            connection.send(data, piece)
        return pages(connection.transport.value()), connection

    def test_versions(self) -> None:
        """It speaks the older HTTP or the newer, with and without the name of the host."""
        for question, left in (
            (raw_question("1.0"), False),
            (raw_question("1.0", "Host: lbo.ecovacs.net:8007"), False),
            (raw_question("1.1", "Host: lbo.ecovacs.net:8007"), True),
            (raw_question("1.1", "host:lbo.ecovacs.net:8007", "CONNECTION: close"), False),
            (raw_question("1.1"), True),
        ):
            [page], connection = self.answers(question)
            self.assertEqual((page.status, page.body), (200, FOUND), question)
            self.assertIs(connection.transport.connected, left, question)
            self.assertEqual("connection" in page.headers, not left, question)
            connection.hang_up()

    def test_pieces(self) -> None:
        """However its radio cuts it."""
        for piece in (1, 3, 100):
            [page], _ = self.answers(raw_question("1.1", "Host: x"), piece=piece)
            self.assertEqual(page.body, FOUND)

    def test_kept_alive(self) -> None:
        """Both questions on one connection, one after the other or in one write."""
        updates = raw_question("1.1", "Host: x", body=b"todo=FindBest&service=EcoUpdate")
        both = raw_question("1.1", "Host: x"), updates
        for sent in (both, (b"".join(both),)):
            (first, second), _ = self.answers(*sent)
            self.assertEqual((first.body, second.json["port"]), (FOUND, 8005))

    def test_naive_reader(self) -> None:
        """A search for two words finds both answers, wherever it begins to read."""
        connection = self.browser.connect()
        connection.send(raw_question("1.0"))
        text = connection.transport.value()
        address = text.partition(b'"ip":"')[2].partition(b'"')[0]
        port = text.partition(b'"port":')[2].partition(b",")[0]
        self.assertEqual((address, port), (b"192.168.7.2", b"5223"))
        body = text.partition(b"\r\n\r\n")[2]
        self.assertEqual(body.translate(None, b" \t\r\n"), body)

    def test_crowd(self) -> None:
        """After a power cut they all ask at once; each is answered."""
        robots = [self.browser.connect() for _ in range(Limits().per_peer)]
        for robot in robots:
            robot.send(raw_question("1.1", "Host: x")[:-5])
        for robot in robots:
            robot.send(FORM[-5:])
        bodies = [page.body for robot in robots for page in robot.received()]
        self.assertEqual(bodies, [FOUND] * len(robots))


class HostTests(WorldCase):
    """The host list of the newer apps."""

    def hosts(self, query: str = "", **options: Any) -> dict[str, Any]:
        """The data of the list."""
        page = self.browser.get(f"/api/appsvr/service/list{query}", **options)
        data: dict[str, Any] = page.json["data"]
        return data

    def test_all_here(self) -> None:
        """Every host is the name that the app itself used."""
        data = self.hosts("?area=DE")
        self.assertEqual({data[name] for name in HOSTS}, {"box.lan"})
        self.assertEqual((data["msgcloud"], data["dc"]), ("box.lan:5223", "eu"))
        self.assertEqual(data["setApConfig"], {"a": "de", "r": "ecouser.net", "v": "ww"})

    def test_address(self) -> None:
        """An IPv6 address needs brackets where a port follows."""
        data = self.hosts(host="[fd00::7]:8007")
        self.assertEqual((data["jmq"], data["msgcloud"]), ("fd00::7", "[fd00::7]:5223"))

    def test_unknown_area(self) -> None:
        """It is echoed, and belongs to America."""
        data = self.hosts("?area=xx")
        self.assertEqual((data["dc"], data["setApConfig"]["a"]), ("na", "xx"))

    def test_data_centre(self) -> None:
        """Known areas have one, unknown ones E10 with the known ones."""
        page = self.browser.get("/api/basis/dc/get-by-area?area=de")
        self.assertEqual(page.json, {"code": 0, "data": {"dc": "eu"}})
        page = self.browser.get("/api/basis/dc/get-by-area?area=xx")
        self.assertEqual(page.json["code"], 4000)
        self.assertIn('"cn"', page.json["msg"])


class ConfigTests(WorldCase):
    """C{common/...}."""

    def test_keys(self) -> None:
        """The keys in their order; every value is a text, whatever is in it."""
        page = self.browser.get(
            f"{COMMON}/getConfig?keys=X,PUBLIC.KEY.CONFIG,USER.DATA.COLLECTION"
        )
        self.assertEqual(
            page.json,
            {
                "code": "0000",
                "data": [
                    {"key": "X", "value": "Y"},
                    {"key": "PUBLIC.KEY.CONFIG", "value": '{"publicKey":"KEY+/="}'},
                    {"key": "USER.DATA.COLLECTION", "value": "N"},
                ],
                "msg": "success",
                "success": True,
                "time": NOW_MS,
            },
        )

    def test_no_keys(self) -> None:
        """E9."""
        page = self.browser.get(f"{COMMON}/getConfig")
        self.assertEqual((page.json["code"], page.json["success"]), ("0001", False))

    def test_many_keys(self) -> None:
        """There is an end to it."""
        page = self.browser.get(f"{COMMON}/getConfig?keys={','.join('a' * 1000)}")
        self.assertEqual(len(page.json["data"]), MAX_KEYS)

    def test_areas(self) -> None:
        """The region picker, in the vendor's order."""
        data = self.browser.get(f"{COMMON}/getAreas").json["data"]
        self.assertEqual((data["currentVersion"], len(data["areaList"])), (231, 229))
        self.assertEqual(
            data["areaList"][0],
            {"areaKey": "JP", "chsName": "日本", "enName": "Japan", "pyFirst": "R"},
        )

    def test_time(self) -> None:
        """One moment, in both places."""
        page = self.browser.get(f"{COMMON}/getTimestamp")
        self.assertEqual((page.json["data"]["timestamp"], page.json["time"]), (NOW_MS, NOW_MS))
