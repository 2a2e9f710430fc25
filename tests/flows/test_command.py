"""Flow (a): a command over HTTP, to an MQTT robot, and back."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.flows.house import House
from tests.robots import JsonRobot, ok
from tests.samples import DUSTY


def battery(_: Any) -> Any:
    """What Dusty says when asked for its battery."""
    return ok({"value": 87, "isLow": 0})


class CommandTests(SynchronousTestCase):
    """An app asks, a robot answers."""

    def setUp(self) -> None:
        self.house = House()

    def test_answer(self) -> None:
        """The robot's answer comes back as it is, in the vendor's envelope."""
        self.house.robot(getBattery=battery)
        [answer] = self.house.ask("getBattery").answers
        self.assertEqual((answer["ret"], answer["payloadType"]), ("ok", "j"))
        self.assertEqual(answer["resp"], battery(None))
        self.assertRegex(answer["id"], "^[A-Za-z]{4}$")

    def test_byte_by_byte(self) -> None:
        """The same when the robot's bytes come one at a time."""
        robot = JsonRobot(self.house.mqtt, piece=1, device=DUSTY, script={"getBattery": battery})
        self.house.peers.append(robot)
        robot.boot()
        [answer] = self.house.ask("getBattery").answers
        self.assertEqual(answer["resp"]["body"]["data"]["value"], 87)

    def test_payload(self) -> None:
        """The robot gets the payload that the app sent, from the helper's address."""
        seen: list[Any] = []

        def clean(payload: Any) -> Any:
            seen.append(payload)
            return ok()

        robot = self.house.robot(clean=clean)
        self.house.ask("clean", {"act": "start", "type": "auto"})
        self.assertEqual(seen[0]["body"]["data"], {"act": "start", "type": "auto"})
        [topic] = robot.topics()
        self.assertRegex(
            topic, f"^iot/p2p/clean/helperbot/bumper/helperbot/{DUSTY}/q/[A-Za-z]{{4}}/j$"
        )

    def test_observer(self) -> None:
        """Home Assistant sees the question, then the answer (mqtt.md 4.3)."""
        self.house.robot(getBattery=battery)
        observer = self.house.home_assistant(
            f"iot/p2p/+/+/+/+/{DUSTY}/q/+/j", f"iot/p2p/+/{DUSTY}/+/+/+/p/+/j"
        )
        self.house.ask("getBattery")
        self.assertEqual([topic.split("/")[-3] for topic in observer.topics()], ["q", "p"])

    def test_answers_become_state(self) -> None:
        """An answer also says how the robot is."""
        self.house.robot(getBattery=battery)
        self.house.ask("getBattery")
        kinds = {
            report.kind: report.reading for report in self.house.facts.telemetry.latest(DUSTY.did)
        }
        self.assertEqual(kinds["battery"].percent, 87)  # type: ignore[attr-defined]  # a Battery

    def test_unknown_robot(self) -> None:
        """A robot nobody has seen is an error at once."""
        [answer] = self.house.ask("getBattery").answers
        self.assertEqual((answer["ret"], answer["errno"]), ("fail", 500))

    def test_offline_robot(self) -> None:
        """A robot that has gone is the vendor's offline error, at once."""
        self.house.robot().vanish()
        [answer] = self.house.ask("getBattery").answers
        self.assertEqual((answer["ret"], answer["errno"]), ("fail", 4200))
        self.assertEqual(answer["error"], "endpoint offline")

    def test_silent_robot(self) -> None:
        """A silent robot is an error after the time-out, which is under the client's own."""
        self.house.robot()
        question = self.house.ask("getBattery")
        self.assertEqual(question.answers, [])
        self.house.clock.advance(10)
        [answer] = question.answers
        self.assertEqual(
            (answer["ret"], answer["errno"], answer["debug"]),
            ("fail", 500, "wait for response timed out"),
        )

    def test_garbled_answer(self) -> None:
        """An answer that is no JSON is a failure, and the next question gets its answer."""
        robot = self.house.robot()
        question = self.house.ask("getBattery")
        request = robot.topics()[0].split("/")[10]
        topic = f"iot/p2p/getBattery/{DUSTY}/helperbot/bumper/helperbot/p/{request}/j"
        robot.publish(topic, b"\xff{")
        [answer] = question.answers
        self.assertEqual((answer["ret"], answer["errno"]), ("fail", 500))
        robot.script["getBattery"] = battery
        again = self.house.ask("getBattery")
        self.assertEqual(again.answers[0]["ret"], "ok")

    def test_hang_up(self) -> None:
        """When the app hangs up the wait is dropped, and a late answer disturbs nobody."""
        robot = self.house.robot()
        question = self.house.ask("getBattery")
        question.hang_up()
        self.assertEqual(self.house.facts.commands.waiting, 0)
        request = robot.topics()[0].split("/")[10]
        robot.publish(
            f"iot/p2p/getBattery/{DUSTY}/helperbot/bumper/helperbot/p/{request}/j", b"{}"
        )
        self.assertEqual(self.house.facts.commands.counts["late"], 1)

    def test_robot_leaves(self) -> None:
        """When the robot goes, what it was asked is an offline error."""
        robot = self.house.robot()
        question = self.house.ask("getBattery")
        robot.vanish()
        [answer] = question.answers
        self.assertEqual(answer["errno"], 4200)

    def test_before_it_listens(self) -> None:
        """A command between CONNECT and SUBSCRIBE waits for the robot to listen."""
        robot = JsonRobot(self.house.mqtt, device=DUSTY, script={"getBattery": battery})
        robot.connect(f"{DUSTY.did}@{DUSTY.model}/{DUSTY.resource}", "E0001", b"secret12")
        question = self.house.ask("getBattery")
        self.assertEqual(question.answers, [])
        robot.subscribe(f"iot/p2p/+/+/+/+/{DUSTY}/q/+/+")
        self.assertEqual(question.answers[0]["ret"], "ok")

    def test_our_own_api(self) -> None:
        """A script logs in, asks, and reads the state without asking the robot."""
        robot = self.house.robot(getBattery=battery)
        browser = self.house.browser()
        token = browser.post("/api/login", {"account": "me", "password": "any"}).json["token"]
        proof = ("Authorization", f"Bearer {token}")
        question = {"did": DUSTY.did, "name": "getBattery"}
        [answer] = self.house.post("/api/command", question, proof).answers
        self.assertEqual(answer["reply"]["body"]["data"]["value"], 87)
        heard = len(robot.heard)
        status = browser.get(f"/api/robots/{DUSTY.did}/status", headers=(proof,)).json
        self.assertEqual(status["status"]["battery"]["percent"], 87)
        self.house.settle()
        self.assertEqual(len(robot.heard), heard)

    def test_stranger(self) -> None:
        """Our own API wants a token."""
        for path in ("/api/robots", f"/api/robots/{DUSTY.did}/status"):
            self.assertEqual(self.house.browser().get(path).status, 401)
        self.assertEqual(self.house.browser().post("/api/command", {}).status, 401)
