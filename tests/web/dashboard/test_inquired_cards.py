"""What cards say of simulated robots of every generation, once they were asked how they are."""

from bumper_tw.core.inquiries import Inquiries
from bumper_tw.simulator.identity import Kind
from bumper_tw.web.dashboard.cards import Card, Cards, Refusals
from tests.web.dashboard.fleet_world import ERRORS
from tests.web.dashboard.robots_case import RobotsCase


class InquiredTests(RobotsCase):
    """Somebody opens the page."""

    def card(self) -> Card:
        """The card of the one robot there is, a minute later."""
        facts, updates = self.facts, self.facts.belongings.updates
        inquiries = Inquiries(self.house.clock, facts.registry, facts.translated, facts.telemetry)
        self.addCleanup(inquiries.stop)
        inquiries.want(self.did)
        self.run_for(60)
        made = Cards(facts.registry, facts.telemetry, ERRORS, Refusals(updates), updates.allowed)
        return made.card(self.did)

    def check(self, *also: str) -> None:
        """Everything that matters is known, and in words."""
        card = self.card()
        self.assertIn(card["state"], {"docked", "charging", "idle"})
        self.assertIsNotNone(card["battery"])
        for name in also:
            self.assertTrue(card[name], name)
        for part in card["parts"]:
            self.assertIsNotNone(part["percent"])

    def test_json(self) -> None:
        """One that speaks JSON."""
        self.mqtt_robot()
        self.check("suction_text", "water_text", "parts", "network_text", "totals_text", "volume")

    def test_new(self) -> None:
        """One of the newer ones."""
        self.new_robot()
        self.check("suction_text", "parts", "network_text", "totals_text")

    def test_xml(self) -> None:
        """One that speaks XML over MQTT."""
        self.mqtt_robot(Kind.XML)
        self.check("parts")

    def test_xmpp(self) -> None:
        """One of the first generation."""
        self.xmpp_robot()
        self.check("parts")
