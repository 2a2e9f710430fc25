"""What becomes of our questions when a robot comes back, goes, or cannot make sense of them."""

import re

from twisted.internet.defer import CancelledError

from bumper_tw.core.xmpp_adoption import DENIED as REFUSAL
from bumper_tw.errors import AnswerGarbled, CommandTimedOut, DeviceOffline
from bumper_tw.readings import Battery
from bumper_tw.xmpp.dialogue import PATIENCE
from bumper_tw.xmpp.gateway import COPIES
from tests.core.xmpp_parties import ANN, BATTERY, OZMO, robot_party
from tests.samples import RecordingLink
from tests.xmpp.test_gateway import ADMINISTRATOR, DENIED, HELPER, ITSELF, GatewayCase

#: What a robot says that knows nothing of C{com:ctl}.
NOT_HERE = (
    "<error type='cancel' code='501'><feature-not-implemented "
    "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
)


class EarlyTests(GatewayCase):
    """What waits until a robot is ready."""

    def setUp(self) -> None:
        super().setUp()
        self.presence = self.gateway.robot_connected(ITSELF)

    def test_comes_anew(self) -> None:
        """A robot that comes once more before it was ready hears it, an order too, and once."""
        asked = self.ask(), self.ask("Clean", "<ctl><clean type='auto'/></ctl>")
        old, self.presence = self.presence, self.gateway.robot_connected(ITSELF)
        old.gone()
        self.assertEqual(self.robot.heard(), [])
        self.presence.listening()
        found = self.questions()
        self.assertEqual(
            [re.findall(r"td='(\w+)'", ctl) for _, ctl in found], [["GetBatteryInfo"], ["Clean"]]
        )
        for number, _ in found:
            self.say(f"<ctl id='{number}' ret='ok'/>")
        for each in asked:
            self.successResultOf(each)
        self.gateway.robot_connected(ITSELF).listening()
        self.assertEqual(self.robot.heard(), [])

    def test_given_up(self) -> None:
        """What nobody wants any more is not asked on another stream either."""
        asked = self.ask("Charge")
        self.presence = self.gateway.robot_connected(ITSELF)
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.presence.listening()
        self.assertEqual(self.robot.heard(), [])

    def test_goes(self) -> None:
        """What waits fails when the robot goes, and is not asked when it comes back."""
        asked = self.ask("Charge")
        self.presence.gone()
        self.failureResultOf(asked, DeviceOffline)
        self.gateway.robot_connected(ITSELF).listening()
        self.assertEqual(self.robot.heard(), [])


class AgainTests(GatewayCase):
    """What may have been lost with a stream that was half dead."""

    def come_back(self) -> None:
        """The robot has a new stream, and is ready there."""
        old, self.presence = self.presence, self.gateway.robot_connected(ITSELF)
        self.presence.listening()
        old.gone()

    def test_question(self) -> None:
        """A question is asked once more; the answer to either counts."""
        for which in range(2):
            asked = self.ask("GetLifeSpan", "<ctl type='Brush'/>")
            first, _ = self.question()
            self.come_back()
            second, ctl = self.question()
            self.assertEqual(ctl, f"<ctl td='GetLifeSpan' id='{second}' type='Brush'/>")
            self.assertNotEqual(first, second)
            answered, other = (first, second) if which == 0 else (second, first)
            self.say(f"<ctl id='{answered}' ret='ok' type='Brush' left='1' total='9'/>")
            self.assertIn(b"left='1'", self.successResultOf(asked).body)
            self.say(f"<ctl id='{other}' ret='ok' type='Brush' left='2' total='9'/>")
            self.assertEqual(self.commands.counts["late"], 0)

    def test_order(self) -> None:
        """No order is given twice, but its answer still counts."""
        asked = self.ask("Clean", "<ctl><clean type='auto'/></ctl>")
        number, _ = self.question()
        self.come_back()
        self.assertEqual(self.robot.heard(), [])
        self.say(f"<ctl id='{number}' ret='ok'/>")
        self.successResultOf(asked)

    def test_often(self) -> None:
        """Each time once, however often the robot comes back; then it is given up."""
        asked = self.ask()
        for _ in range(4):
            self.question()
            self.come_back()
        self.clock.advance(10)
        self.failureResultOf(asked, CommandTimedOut)
        self.question()
        self.come_back()
        self.assertEqual(self.robot.heard(), [])

    def test_unready(self) -> None:
        """A question that was refused is not asked again before the robot is ready."""
        self.assertTrue(DENIED.split("error='")[1].startswith(REFUSAL))
        asked = self.ask()
        number, _ = self.question()
        self.say(f"<ctl id='{number}' {DENIED}/>")
        self.assertIn(ADMINISTRATOR, self.robot.heard()[0])
        self.presence = self.gateway.robot_connected(ITSELF)
        self.clock.advance(PATIENCE)
        self.assertEqual(self.robot.heard(), [])
        self.presence.listening()
        number, _ = self.question()
        self.say(f"<ctl id='{number}' ret='ok'/>")
        self.successResultOf(asked)


class ErrorTests(GatewayCase):
    """A robot answers a question of ours with an error of XMPP."""

    def refuse(self, number: str, inside: str = NOT_HERE, to: str | None = HELPER) -> None:
        """It does so."""
        target = "" if to is None else f" to='{to}'"
        self.robot.say(f"<iq type='error'{target} id='{number}'>{inside}</iq>")

    def test_fails(self) -> None:
        """The command fails at once, and tells why."""
        asked = self.ask()
        number, _ = self.question()
        self.refuse(number)
        why = self.failureResultOf(asked, AnswerGarbled).getErrorMessage()
        self.assertTrue(
            why.endswith("answered GetBatteryInfo with an error: feature not implemented"), why
        )
        self.assertEqual((self.commands.waiting, self.clock.getDelayedCalls()), (0, []))
        self.refuse(number)
        self.say(f"<ctl id='{number}' ret='ok'/>")
        self.assertEqual((self.commands.counts["late"], self.readings()), (0, []))

    def test_sparse(self) -> None:
        """It may say neither whom nor why."""
        asked = self.ask()
        number, _ = self.question()
        self.refuse(number, "", to=None)
        self.assertIn(
            "no reason given", self.failureResultOf(asked, AnswerGarbled).getErrorMessage()
        )

    def test_others(self) -> None:
        """An error for somebody else, about something else or of another robot is not ours."""
        asked = self.ask()
        number, _ = self.question()
        other = robot_party(self.router, OZMO)
        self.refuse(number, to=ANN)
        self.refuse("12345678")
        self.refuse("")
        other.say(f"<iq type='error' to='{HELPER}' id='{number}'>{NOT_HERE}</iq>")
        self.assertNoResult(asked)
        self.say(f"<ctl id='{number}' ret='ok'/>")
        self.successResultOf(asked)

    def test_no_report(self) -> None:
        """What an error repeats is no report."""
        self.refuse("7", BATTERY + NOT_HERE, to="ecouser.net")
        self.assertEqual((self.readings(), self.overheard), ([], []))


class EndTests(GatewayCase):
    """What stays behind of a robot that has gone."""

    def test_another_wire(self) -> None:
        """Nothing, though a robot behind MQTT has the name by now."""
        self.robot.say(f"<iq to='{ANN}' type='set' id='2'>{BATTERY}</iq>")
        asked = self.ask()
        detach = self.registry.attach(self.registry.device(ITSELF.name), RecordingLink())
        self.presence.gone()
        self.assertEqual((self.gateway._links, self.gateway._told), ({}, {}))
        self.assertTrue(self.registry.online(ITSELF.name))
        self.assertNoResult(asked)
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.assertTrue(detach())

    def test_newer(self) -> None:
        """An old stream that ends takes nothing from the new one, nor lets it be read twice."""
        self.robot.say(f"<iq to='{ANN}' type='set' id='2'>{BATTERY}</iq>")
        self.clock.advance(COPIES / 2)
        old, self.presence = self.presence, self.gateway.robot_connected(ITSELF)
        old.gone()
        self.robot.say(f"<iq to='{ANN}' type='set' id='3'>{BATTERY}</iq>")
        self.assertEqual(self.readings(), [Battery(87)])
        self.assertEqual(set(self.gateway._links), {ITSELF.name})
