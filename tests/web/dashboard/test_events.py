"""Tests for L{bumper_tw.web.dashboard.events}: what an open page hears, over the wire."""

from bumper_tw.readings import Activity, Battery, Clean, Position
from bumper_tw.readings import Point as Spot
from bumper_tw.values import OWNER
from bumper_tw.web.dashboard.event_flow import BACKLOG
from bumper_tw.web.dashboard.events import BEAT, MOST, MOST_PER_PEER, OF_OWNER
from tests.samples import DUSTY, RecordingLink
from tests.web.dashboard.event_case import LATER, OTHERS, EventCase, Source
from tests.web.dashboard.fleet_world import EPOCH


class StreamTests(EventCase):
    """From a page to what changes."""

    def test_head(self) -> None:
        """It is a stream of events, which nobody keeps or collects on the way."""
        source = self.open()
        head = source.transport.value().partition(b"\r\n\r\n")[0].decode()
        self.assertIn("HTTP/1.1 200 OK\r\n", head)
        self.assertIn("\r\nContent-Type: text/event-stream", head)
        self.assertIn("\r\nCache-Control: no-store", head)
        self.assertIn("\r\nX-Accel-Buffering: no", head)
        source.take()
        self.assertEqual(source.retry, 2000)

    def test_live(self) -> None:
        """A change is on the wire before anything else happens, in the order of changes."""
        source = self.open(self.feed.position)
        self.assertEqual(source.take(), [])
        self.say(Clean(Activity.CLEANING))
        [heard] = source.take()
        self.assertEqual((heard.kind, heard.value), ("robot", self.card()))
        self.assertEqual(heard.id, self.feed.position)

    def test_snapshot_then_stream(self) -> None:
        """What has changed between the page and the stream comes first; nothing twice."""
        position = self.browser.get("/api/cards").json["position"]
        self.say(Battery(50))
        self.clock.advance(LATER)
        self.say(Battery(51))
        source = self.open(position)
        self.clock.advance(LATER)
        self.say(Battery(52))
        self.assertEqual([each.value["battery"] for each in source.take()], [51, 52])

    def test_comes_back(self) -> None:
        """Where a browser says what it has heard last, that counts, whatever the page was."""
        self.say(Battery(50))
        position = self.feed.position
        self.clock.advance(LATER)
        self.say(Battery(51))
        source = self.open(f"{EPOCH}-0", Last_Event_ID=position)
        self.assertEqual([each.value["battery"] for each in source.take()], [51])
        self.assertEqual(self.open(f"{EPOCH}-0", Last_Event_ID=self.feed.position).take(), [])

    def test_reset(self) -> None:
        """Who has heard nothing, or of another run, gets all there is, and goes on from there."""
        self.say(Battery(50))
        for position in ("", "other-5", f"{EPOCH}-999", "<script>", "%00"):
            source = self.open(position)
            [reset] = source.take()
            self.assertEqual((reset.kind, reset.value), ("reset", {"cards": [self.card()]}))
            self.assertEqual(reset.id, self.feed.position)
            source.protocol.connectionLost(None)

    def test_hostile(self) -> None:
        """No name of a robot makes another event, or breaks one."""
        source = self.open(self.feed.position)
        self.rename('\n\ndata: {"x":1}\n\nevent: reset\r\r<script>\u2028\x00')
        [heard] = source.take()
        self.assertEqual((heard.kind, heard.value["did"]), ("robot", DUSTY.did))
        self.feed.put("journal 1", "journal", {"who": "a\n\nb\r\nevent: x\u2028"})
        [heard] = source.take()
        self.assertEqual(heard.value, {"who": "a\n\nb\r\nevent: x\u2028"})

    def test_beat(self) -> None:
        """Now and then a sign of life, which also says from where to go on."""
        source = self.open(self.feed.position)
        self.clock.pump([BEAT] * 8)
        source.take()
        self.assertEqual((source.beats, source.events), (8, []))
        self.assertEqual(source.last_id, self.feed.position)
        source.protocol.connectionLost(None)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_looked_at(self) -> None:
        """Of what pages show somebody is told, when they open and now and then."""
        self.clock.advance(BEAT)
        self.assertEqual(self.looked, [])
        sources = [self.open(), self.open()]
        self.assertEqual(self.looked, [DUSTY.did] * 2)
        self.clock.advance(BEAT)
        self.assertEqual(self.looked, [DUSTY.did] * 3)
        for source in sources:
            source.protocol.connectionLost(None)
        self.clock.advance(BEAT)
        self.assertEqual(len(self.looked), 3)

    def test_two_pages(self) -> None:
        """Each hears the same."""
        sources = [self.open(self.feed.position) for _ in range(3)]
        self.say(Battery(50))
        first, second, third = (source.take() for source in sources)
        self.assertEqual(first, second)
        self.assertEqual(first, third)
        self.assertEqual(len(first), 1)

    def test_stop(self) -> None:
        """When the server stops every stream ends."""
        sources = [self.open() for _ in range(3)]
        self.events.stop()
        self.assertEqual(len(self.events), 0)
        for source in sources:
            self.assertFalse(source.transport.connected)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class WhoTests(EventCase):
    """Who hears what."""

    def kinds(self, source: Source) -> set[str]:
        return {each.kind for each in source.take()}

    def put_all(self) -> None:
        """One change of every kind."""
        for kind in ("robot", "gone", "place", "trace", "map", "command"):
            self.feed.put(f"{kind} x", kind, {"did": DUSTY.did})
        for kind in ("journal", "setup", "health", "service"):
            self.feed.put(f"{kind} x", kind, {})

    def test_stranger(self) -> None:
        """Nobody listens who is not let in."""
        self.out = True
        for path in ("/api/events", "/api/cards", f"/api/robots/{DUSTY.did}/card"):
            self.assertEqual(self.browser.get(path).status, 401)

    def test_owner(self) -> None:
        """The owner hears everything, live and afterwards."""
        source = self.open(self.feed.position)
        self.put_all()
        self.assertEqual(len(self.kinds(source)), 10)
        self.assertEqual(len(self.kinds(self.open(f"{EPOCH}-1"))), 10)

    def test_robots_only(self) -> None:
        """Who may see robots only hears of nothing else; nor when he comes back."""
        self.is_house = False
        source = self.open(self.feed.position)
        self.put_all()
        robots = {"robot", "gone", "place", "trace", "map", "command"}
        self.assertEqual(self.kinds(source), robots)
        self.assertEqual(self.kinds(self.open(f"{EPOCH}-1")), robots)

    def test_own_robots_only(self) -> None:
        """A member of the house hears of no robot that is not his to use, nor sees it."""
        self.registry.attach(OTHERS, RecordingLink())
        self.uid, self.is_house = "bob", False
        source = self.open()
        [reset] = source.take()
        self.assertEqual([card["did"] for card in reset.value["cards"]], [DUSTY.did])
        self.clock.advance(LATER)
        self.say(Battery(7), Position(Spot(1, 1)), did=OTHERS.id.did)
        self.registry.forget(OTHERS.id.did)
        self.assertEqual(source.take(), [])
        self.say(Battery(8))
        self.permits.bob = frozenset()
        self.registry.forget(DUSTY.did)
        self.assertEqual([each.kind for each in source.take()], ["robot", "gone"])

    def test_session_ends(self) -> None:
        """Who is logged out hears nothing more, within some seconds or at once."""
        source = self.open(self.feed.position)
        self.clock.advance(BEAT)
        self.assertTrue(source.transport.connected)
        self.out = True
        self.clock.advance(BEAT)
        self.assertFalse(source.transport.connected)
        self.out = False
        source = self.open(self.feed.position)
        self.out = True
        self.events.look_again()
        self.assertFalse(source.transport.connected)

    def test_less(self) -> None:
        """Who may hear less than when he came hears no more of the rest, at the latest soon."""
        for look in (self.events.look_again, lambda: self.clock.advance(BEAT)):
            self.is_house = True
            source = self.open(self.feed.position)
            self.is_house = False
            look()
            self.assertFalse(source.transport.connected)
            self.put_all()
            self.assertEqual(source.take(), [])
            again = self.open(source.last_id or self.feed.position)
            look()
            self.assertTrue(again.transport.connected)


class RoomTests(EventCase):
    """What streams may cost."""

    def test_one_address(self) -> None:
        """One address has so many streams; then it is told, and the others have theirs."""
        sources = [self.open() for _ in range(MOST_PER_PEER)]
        refused = self.refusal(self.open())
        self.assertEqual((refused.status, refused.json["reason"]), (429, "crowded"))
        self.assertIn("close some", refused.json["error"])
        self.assertEqual(len(self.open(host="192.168.7.34").take()), 1)
        sources[0].protocol.connectionLost(None)
        self.assertEqual(len(self.open().take()), 1)

    def test_all_addresses(self) -> None:
        """All together have so many."""
        for number in range(MOST):
            self.open(host=f"192.168.7.{number % 8}")
        self.assertEqual(len(self.events), MOST)
        self.assertEqual(self.refusal(self.open(host="192.168.8.1")).status, 503)

    def test_for_the_owner(self) -> None:
        """However many streams members of the house have, there are some for the owner."""
        self.uid = "bob"
        for number in range(MOST - OF_OWNER):
            self.open(host=f"192.168.7.{number % 8}")
        self.assertEqual(self.refusal(self.open(host="192.168.8.1")).status, 429)
        self.uid = OWNER
        for number in range(OF_OWNER):
            self.assertEqual(len(self.open(host=f"192.168.7.{number % 8}").take()), 1)
        self.assertEqual(self.refusal(self.open()).status, 503)

    def test_head_costs_nothing(self) -> None:
        """HEAD takes no place."""
        self.assertEqual(self.browser.ask("HEAD", "/api/events").status, 200)
        self.assertEqual(len(self.events), 0)

    def test_slow_browser(self) -> None:
        """Who does not take what comes gets, when he does, the newest of each thing only."""
        source = self.open(self.feed.position)
        source.transport.room = 0
        self.feed.put("journal 0", "journal", {"n": -1})
        for number in range(5000):
            self.feed.put(f"journal {number % 3}", "journal", {"n": number})
        size = len(source.transport.value())
        self.assertLess(size, 1000)
        self.assertEqual([each.value["n"] for each in source.take()], [-1])
        self.assertEqual([each.value["n"] for each in source.take()], [4997, 4998, 4999])
        ids = [int(each.id.rpartition("-")[2]) for each in source.events]
        self.assertEqual(ids, sorted(set(ids)))

    def test_too_slow(self) -> None:
        """If that would be too much, he begins anew."""
        source = self.open(self.feed.position)
        source.transport.room = 0
        self.feed.put("first", "journal", {})
        for number in range(100):
            self.feed.put(f"journal {number}", "journal", {"x": "y" * (BACKLOG // 50)})
        source.take()
        [reset] = source.take()
        self.assertEqual((reset.kind, reset.id), ("reset", self.feed.position))
        source.transport.room = 1 << 16
        source.take()
        self.feed.put("last", "journal", {"n": 1})
        self.assertEqual([each.value for each in source.take()], [{"n": 1}])

    def test_comes_back_late(self) -> None:
        """What a browser has missed is no more than that, either."""
        position = self.feed.position
        for number in range(100):
            self.feed.put(f"journal {number}", "journal", {"x": "y" * (BACKLOG // 50)})
        self.assertEqual([each.kind for each in self.open(position).take()], ["reset"])

    def test_stuck_browser(self) -> None:
        """Who takes nothing at all is cut off; beats are not written on top."""
        source = self.open(self.feed.position)
        source.transport.room = 0
        self.feed.put("first", "journal", {})
        size = len(source.transport.value())
        self.clock.pump([1.0] * 61)
        self.assertTrue(source.transport.aborted)
        self.assertEqual(len(source.transport.value()), size)
        self.assertEqual(len(self.events), 0)


class CardTests(EventCase):
    """The cards, asked for."""

    def test_all(self) -> None:
        """Every robot, and from where to listen."""
        self.say(Battery(50))
        found = self.browser.get("/api/cards").json
        self.assertEqual(found, {"position": self.feed.position, "cards": [self.card()]})

    def test_one(self) -> None:
        """One robot; a stranger's does not exist."""
        self.assertEqual(self.browser.get(f"/api/robots/{DUSTY.did}/card").json, self.card())
        self.registry.attach(OTHERS, RecordingLink())
        self.uid = "bob"
        for did in (OTHERS.id.did, "nobody"):
            page = self.browser.get(f"/api/robots/{did}/card")
            self.assertEqual((page.status, page.json["reason"]), (404, "unknown_robot"))
