"""Cleaning logs of XML robots: what is stored, and what they remember (http-devices.md 5.2)."""

import json
from typing import Any

from tests.flows.clients import ClientCase, Ear, rusty
from tests.flows.house import Question
from tests.samples import RUSTY

#: What a robot answers: the letters C{f} how it ended, C{t} who began it (mqtt.md 8.3).
LIST = (
    b"<ctl ret='ok'>"
    b"<CleanSt s='1767225600' a='14' l='1260' t='a' f='s'/>"
    b"<CleanSt s='1767312000' a='3' l='200' t='SpotArea' f='b'/>"
    b"<CleanSt s='1767139200' a='0' l='7' t='s' f='r'/>"
    b"</ctl>"
)
ASK = {"td": "GetCleanLogs", "did": RUSTY.did, "resource": RUSTY.resource}
LOG_DO = "/api/lg/log.do"


class LogCase(ClientCase):
    """Rusty, who remembers, or does not."""

    def logs(self) -> Any:
        """What C{log.do} says."""
        answer = self.post(LOG_DO, ASK)
        self.assertEqual(answer["ret"], "ok")
        return answer["logs"]


class RememberedTests(LogCase):
    """What the robot answers."""

    def test_list(self) -> None:
        """The newest first, with the keys, types and reasons that clients know."""
        rusty(self.house, GetCleanLogs=lambda _: LIST)
        logs = self.logs()
        self.assertEqual([log["ts"] for log in logs], [1767312000, 1767225600, 1767139200])
        self.assertEqual([log["stopReason"] for log in logs], [2, 1, -2])
        self.assertEqual([log["type"] for log in logs], ["SpotArea", None, None])
        self.assertEqual((logs[1]["area"], logs[1]["last"]), (14, 1260))
        self.assertEqual(logs[1]["id"], f"{RUSTY.did}@1767225600@{RUSTY.resource}")
        self.assertIsNone(logs[1]["imageUrl"])

    def test_question(self) -> None:
        """It is asked once, in XML, for as many as apps ask for."""
        ear = Ear(LIST)
        robot = rusty(self.house, GetCleanLogs=ear)
        self.logs()
        self.assertEqual(ear.heard, [b'<ctl count="30"/>'])
        self.assertTrue(robot.topics()[0].endswith("/x"))

    def test_newer_path(self) -> None:
        """The path of newer apps has the same."""
        rusty(self.house, GetCleanLogs=lambda _: LIST)
        path = "/app/dln/api/log/clean_result/list"
        data = self.get(path, did=RUSTY.did, logType="clean")["data"]
        self.assertEqual(data, [{**log, "did": RUSTY.did} for log in self.logs()])

    def test_both(self) -> None:
        """A job that was reported and is remembered is there once, with what was reported."""
        robot = rusty(self.house, GetCleanLogs=lambda _: LIST)
        said = (
            b"<ctl ts='1' td='CleanReportServer' act='h' type='auto' sts='1767225600' "
            b"cs='1102934417' area='15' last='1261' mapCount='12'/>"
        )
        robot.publish(f"iot/atr/CleanReportServer/{RUSTY}/x", said)
        logs = self.logs()
        self.assertEqual([log["ts"] for log in logs], [1767312000, 1767225600, 1767139200])
        self.assertEqual((logs[1]["type"], logs[1]["area"]), ("auto", 15))

    def test_no_list(self) -> None:
        """What is no list is none; entries that are none are left out."""
        robot = rusty(self.house)
        for said in (
            b"",
            b"<ctl",
            b"\xff\xfe",
            b"[1]",
            b"<ctl ret='fail' errno='1'/>",
            b"<ctl ret='ok'><CleanSt/><CleanSt s='x'/><CleanSt s='0'/><Other s='9'/></ctl>",
            b"<ctl ret='ok'>" + b"<CleanSt s='-5'/>" * 1900 + b"</ctl>",
        ):
            robot.texts = {"GetCleanLogs": Ear(said)}
            self.assertEqual(self.logs(), [], said[:40])

    def test_long_list(self) -> None:
        """A list has an end, at the oldest."""
        every = b"".join(b"<CleanSt s='%d' a='1' l='1'/>" % start for start in range(2000, 1, -1))
        rusty(self.house, GetCleanLogs=lambda _: b"<ctl ret='ok'>" + every[:60_000] + b"</ctl>")
        logs = self.logs()
        self.assertLessEqual(len(logs), 30)
        stamps = [log["ts"] for log in logs]
        self.assertEqual(stamps, sorted(stamps, reverse=True))


class SilentTests(LogCase):
    """A robot that does not answer."""

    def ask_silent(self) -> Question:
        """The question, whose answer is still on its way."""
        return self.house.post(LOG_DO, ASK)

    def test_offline(self) -> None:
        """At once, what is stored."""
        rusty(self.house, GetCleanLogs=lambda _: LIST).vanish()
        self.assertEqual(self.logs(), [])

    def test_silent(self) -> None:
        """After the time-out, what is stored; no error."""
        rusty(self.house)
        question = self.ask_silent()
        self.assertEqual(question.answers, [])
        self.house.clock.advance(self.house.settings.commands.timeout)
        self.assertEqual(question.answers, [{"ret": "ok", "logs": []}])

    def test_hang_up(self) -> None:
        """When the client goes, nobody waits any more."""
        rusty(self.house)
        question = self.ask_silent()
        self.assertEqual(self.house.facts.commands.waiting, 1)
        question.hang_up()
        self.assertEqual(self.house.facts.commands.waiting, 0)

    def test_json_robot(self) -> None:
        """A JSON robot is not asked: it reports its jobs."""
        heard = len(self.robot.heard)
        page = self.ask("POST", LOG_DO, json.dumps({**ASK, "did": self.robot.device.did}).encode())
        self.assertEqual(self.json(page)["logs"], [])
        self.assertEqual(len(self.robot.heard), heard)
