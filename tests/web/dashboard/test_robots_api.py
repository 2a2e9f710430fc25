"""What the owner changes about a robot, and what he is told of commands."""

from bumper_tw.dialect.actions import BY_NAME
from tests.web.dashboard.robots_case import RobotsCase

CSRF = (("X-CSRF-Token", "x"),)


class RobotCase(RobotsCase):
    """A server with a robot."""

    def setUp(self) -> None:
        super().setUp()
        self.robot = self.new_robot()


class NameTests(RobotCase):
    """Names, and what needs one."""

    def rename(self, nick: object) -> int:
        """Name the robot."""
        return self.ask("PUT", self.path("/name"), {"nick": nick}).status

    def test_rename(self) -> None:
        """The registry knows the name; what cannot be shown is left out."""
        page = self.ask("PUT", self.path("/name"), {"nick": " Dusty\u202e\0\n "})
        self.assertEqual(page.json, {"did": self.did, "nick": "Dusty"})
        self.assertEqual(self.facts.registry.device(self.did).nick, "Dusty")

    def test_no_name(self) -> None:
        """A name that is none is refused; an empty one takes it back."""
        self.assertEqual(self.rename(7), 400)
        self.assertEqual(self.rename("Dusty"), 200)
        self.assertEqual(self.rename(""), 200)
        self.assertEqual(self.facts.registry.device(self.did).nick, "")

    def test_remove(self) -> None:
        """A robot goes when its name is given again, with what it was told; it may come back."""
        self.rename("Dusty")
        self.act("clean")
        did = self.did
        for path in (self.path(), self.path("?name=Rusty")):
            page = self.ask("DELETE", path)
            self.assertEqual((page.status, page.json["reason"]), (400, "bad_request"))
            self.assertIn("Dusty", page.json["error"])
        page = self.ask("DELETE", self.path("?name=Dusty"))
        self.assertEqual(page.json, {"did": did, "removed": True})
        self.assertEqual((self.known(), self.feed.kept), (set(), {}))
        self.assertEqual(self.ask("GET", self.path("/commands", did)).status, 404)
        self.robot.half_open()
        self.run_for(10)
        self.assertEqual(self.known(), {did})

    def test_hostile_name(self) -> None:
        """A robot with a strange name is removed by what is shown of it."""
        self.rename('<b onclick="x">&amp; "Dusty"')
        page = self.ask(
            "DELETE", self.path("?name=%3Cb%20onclick=%22x%22%3E%26amp;%20%22Dusty%22")
        )
        self.assertEqual(page.status, 200, page.body)

    def test_stranger(self) -> None:
        """A robot that nobody knows has nothing of all this."""
        for method, rest in (
            ("PUT", "/name"),
            ("DELETE", ""),
            ("POST", "/trust"),
            ("POST", "/firmware/allow"),
            ("DELETE", "/firmware/allow"),
            ("GET", "/actions"),
            ("POST", "/actions/clean"),
            ("GET", "/actions/clean/as"),
            ("GET", "/commands"),
        ):
            page = self.ask(method, self.path(rest, "nobody"), {"nick": "x"})
            self.assertEqual((page.status, page.json["reason"]), (404, "unknown_robot"), rest)


class TrustTests(RobotCase):
    """Secrets and firmware."""

    def test_trust(self) -> None:
        """What a robot brought first does not count any more."""
        self.assertEqual(self.ask("POST", self.path("/trust")).status, 200)
        self.assertEqual(self.secrets.forgotten, [self.did])

    def test_firmware(self) -> None:
        """There has to be something to let through; it can be taken back."""
        updates = self.facts.belongings.updates
        page = self.ask("POST", self.path("/firmware/allow"))
        self.assertEqual(page.status, 400)
        self.assertIn("latest.json", page.json["error"])
        self.firmware.add(self.robot.identity.cls)
        page = self.ask("POST", self.path("/firmware/allow"))
        self.assertEqual(page.json, {"did": self.did, "allowed": True})
        self.assertTrue(updates.allowed(self.did))
        page = self.ask("DELETE", self.path("/firmware/allow"))
        self.assertEqual(page.json, {"did": self.did, "allowed": False})
        self.assertFalse(updates.allowed(self.did))


class CommandTests(RobotCase):
    """What became of commands, and what is not a command at all."""

    def test_list(self) -> None:
        """The newest first, with who asked; the feed hears it at once."""
        self.act("clean")
        path = self.path("/actions/pause")
        self.ask("POST", path, {}, CSRF)
        self.ask("POST", path, {}, (("User-Agent", "HomeAssistant/2026.1 aiohttp"),))
        commands = self.ask("GET", self.path("/commands")).json["commands"]
        mine = [each for each in commands if each["name"] == "clean_V2"]
        self.assertEqual([each["by"] for each in mine], ["Home Assistant", "page", "script"])
        self.assertEqual([each["outcome"] for each in mine], ["answered"] * 3)
        kinds = {kind for kind, _ in self.feed.kept.values()}
        self.assertEqual(kinds, {"command"})

    def test_refused(self) -> None:
        """A robot that does not want to has been reached."""
        self.robot.state.errors.append(110)
        self.robot.state.activity = type(self.robot.state.activity)("error")
        page = self.act("clean")
        self.assertEqual((page.status, page.json["ok"]), (200, False))
        self.assertEqual(page.json["reason"], "refused")
        commands = self.ask("GET", self.path("/commands")).json["commands"]
        self.assertEqual(commands[0]["outcome"], "refused")

    def test_silent(self) -> None:
        """Of a robot that says nothing people hear without the name that only machines have."""
        self.robot.half_open()
        page = self.act("locate")
        self.assertEqual((page.status, page.json["reason"]), (504, "timeout"))
        self.assertEqual(page.json["error"], "it did not answer within 10 s")

    def test_refresh(self) -> None:
        """However much a robot is asked at once, it is one line."""
        self.act("refresh")
        commands = self.ask("GET", self.path("/commands")).json["commands"]
        self.assertEqual([each["name"] for each in commands], ["getBattery"])

    def test_offline(self) -> None:
        """A robot that is away still has its actions; none of them goes."""
        self.robot.stop()
        self.run_for(3)
        offered = self.ask("GET", self.path("/actions")).json
        self.assertEqual((offered["online"], offered["why"]), (False, "It is not connected."))
        self.assertIn("clean", [each["name"] for each in offered["actions"]])
        page = self.act("clean")
        self.assertEqual((page.status, page.json["reason"]), (503, "offline"))
        commands = self.ask("GET", self.path("/commands")).json["commands"]
        self.assertEqual(commands[0]["words"], "not connected")

    def test_bad_requests(self) -> None:
        """What cannot be done ends in a sentence, and reaches no robot."""
        table: tuple[tuple[str, object], ...] = (
            ("dance", {}),
            ("clean", {"arguments": []}),
            ("clean", {"arguments": {"speed": 1}}),
            ("rooms", {}),
            ("rooms", {"arguments": {"rooms": ["99"]}}),
            ("rooms", {"arguments": {"rooms": ["3"] * 51}}),
            ("rooms", {"arguments": {"rooms": [["3"]]}}),
            ("zone", {"arguments": {"zones": [[0, 0, 0, 5]]}}),
            ("zone", {"arguments": {"zones": [[0, 0, 1e300, 5]]}}),
            ("zone", {"arguments": {"zones": [[0, 0, 10**400, 5]]}}),
            ("zone", {"arguments": {"zones": [[1, 2, 3, 4]] * 6}}),
            ("suction", {}),
            ("suction", {"arguments": {"level": True}}),
            ("suction", {"arguments": {"level": 7}}),
        )
        before = len(self.log.of(self.did))
        for action, body in table:
            page = self.ask("POST", self.path(f"/actions/{action}"), body)
            self.assertEqual((page.status, page.json["reason"]), (400, "bad_request"), action)
        self.assertEqual(len(self.log.of(self.did)), before)

    def test_names(self) -> None:
        """The sentence says what there is."""
        page = self.act("dance")
        for name in BY_NAME:
            self.assertIn(name, page.json["error"])
