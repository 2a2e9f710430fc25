"""Tests for L{bumper_tw.app.doctor.seen}."""

from pathlib import Path

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.doctor.checks import AFTER, BEFORE
from bumper_tw.app.doctor.evidence import A_DAY
from bumper_tw.app.doctor.finding import Verdict
from bumper_tw.app.doctor.seen import SIGHTS
from bumper_tw.app.doctor.snapshot import ContactSeen
from bumper_tw.front.diagnosis import KINDS
from tests.app.doctor.cases import PHONE, ROBOT, contact, seen, well

CHECKS = {**BEFORE, **AFTER}


class SightTests(SynchronousTestCase):
    """Failed contacts count until something better comes from the same address."""

    def setUp(self) -> None:
        self.house = well(Path(self.mktemp()))

    def look(self, check: str, *contacts: ContactSeen) -> Verdict:
        """What a check says of contacts."""
        return CHECKS[check](seen(self.house, contacts=contacts, robots=()))

    def test_each(self) -> None:
        """Every diagnosis that a check is about makes it fail, in the words of the diagnosis."""
        for check, sight in SIGHTS.items():
            self.assertIs(self.look(check).sound, True)
            for diagnosis in sight.diagnoses:
                verdict = self.look(check, contact(1, diagnosis))
                self.assertIs(verdict.sound, False, check)
                self.assertEqual(verdict.sentence, f"{ROBOT}: {diagnosis}")
                self.assertEqual(verdict.remedy, f"mend {diagnosis}")

    def test_part_of_other_checks(self) -> None:
        """Pins of robots are told by the one about firmware, clocks of clients by the clock's."""
        self.assertIs(self.look("firmware", contact(1, "robot-pins")).sound, False)
        self.assertIs(self.look("clock", contact(1, "clock")).sound, False)

    def test_known_diagnoses(self) -> None:
        """Every name is one that the journal gives."""
        known = {kind.name for kind in KINDS}
        looked_for = {name for sight in SIGHTS.values() for name in sight.diagnoses}
        self.assertEqual(looked_for - known, set())

    def test_old(self) -> None:
        """What was more than a day ago does not count."""
        old = evolve(contact(1, "old-tls"), began=self.house.now - A_DAY - 1)
        self.assertIs(self.look("tls-versions", old).sound, True)

    def test_others(self) -> None:
        """The newest is told, with the addresses of the others."""
        verdict = self.look("ciphers", contact(1, "no-cipher"), contact(2, "no-cipher", PHONE))
        self.assertTrue(verdict.sentence.startswith(PHONE))
        self.assertIn(f"also {ROBOT}", verdict.sentence)

    def test_settled(self) -> None:
        """TLS that works makes up for TLS that did not, from the same address only."""
        failed = contact(1, "old-tls")
        well = contact(2, "ok", outcome="accepted", tls="TLSv1.2")
        self.assertIs(self.look("tls-versions", failed, well).sound, True)
        other = contact(2, "ok", PHONE, outcome="accepted", tls="TLSv1.2")
        self.assertIs(self.look("tls-versions", failed, other).sound, False)
        clear = contact(2, "ok", outcome="accepted", speech="HTTP")
        self.assertIs(self.look("tls-versions", failed, clear).sound, False)
        self.assertIs(self.look("tls-versions", well, contact(3, "old-tls")).sound, False)

    def test_trust(self) -> None:
        """A phone that proves that it trusts us has got over it."""
        failed = contact(1, "untrusted-ca", PHONE, server_name="portal-ww.ecouser.net")
        proof = contact(2, "ok", PHONE, outcome="accepted", tls="TLSv1.3", trusts=True)
        self.assertIs(self.look("untrusted-ca", failed, proof).sound, True)
        page = evolve(proof, trusts=False)
        self.assertIs(self.look("untrusted-ca", failed, page).sound, False)

    def test_pins(self) -> None:
        """A browser beside the app does not make up for what the app refuses."""
        failed = contact(1, "app-pins", PHONE, server_name="portal-ww.ecouser.net")
        browser = contact(2, "ok", PHONE, outcome="accepted", tls="TLSv1.3", trusts=True)
        self.assertIs(self.look("app-pins", failed, browser).sound, False)
        app = evolve(browser, server_name="portal-ww.ecouser.net")
        self.assertIs(self.look("app-pins", failed, app).sound, True)

    def test_session(self) -> None:
        """Who was sent away, or spoke MQTT to the web, has to log in somewhere."""
        for check, diagnosis in (("sent-away", "sent-away"), ("mqtt-on-web", "mqtt-on-web")):
            failed = contact(1, diagnosis)
            http = contact(2, "ok", outcome="accepted", speech="HTTP")
            self.assertIs(self.look(check, failed, http).sound, False)
            mqtt = contact(2, "ok", outcome="accepted", speech="MQTT")
            self.assertIs(self.look(check, failed, mqtt).sound, True)

    def test_no_server(self) -> None:
        """Without one there are no contacts to look at."""
        for check in SIGHTS:
            self.assertIsNone(CHECKS[check](evolve(self.house, snapshot=None)).sound)
