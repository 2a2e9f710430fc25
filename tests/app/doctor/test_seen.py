"""Tests for L{bumper_tw.app.doctor.seen}."""

from pathlib import Path

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.doctor.checks import AFTER, BEFORE
from bumper_tw.app.doctor.evidence import A_DAY
from bumper_tw.app.doctor.finding import Verdict, moment, named
from bumper_tw.app.doctor.seen import AN_HOUR, MOST, SIGHTS
from bumper_tw.app.doctor.snapshot import ContactSeen
from bumper_tw.front.diagnosis import KINDS
from tests.app.doctor.cases import NOW, PHONE, ROBOT, contact, seen, well

#: Where everything comes from that goes through Docker.
INSIDE = "172.17.0.1"

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
                when = moment(contact(1, diagnosis).began, self.house.now)
                self.assertEqual(verdict.sentence, f"{ROBOT}: {diagnosis} ({ROBOT}, {when})")
                self.assertEqual(verdict.hosts, (ROBOT,))
                self.assertEqual(verdict.remedy, f"mend {diagnosis}")
                self.assertEqual(verdict.more, ())

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
        self.assertEqual((verdict.hosts, verdict.more), ((PHONE, ROBOT), ()))

    def test_different(self) -> None:
        """What is mended in another way is told for itself."""
        names = ("clear-on-tls", "tls-on-clear", "not-spoken", "wrong-protocol")
        verdict = self.look("wrong-port", *(contact(n, name) for n, name in enumerate(names)))
        found = list(named("wrong-port", verdict))
        self.assertEqual([each.remedy for each in found], [f"mend {n}" for n in reversed(names)])
        self.assertEqual({each.check for each in found}, {"wrong-port"})
        self.assertTrue(all(each.failed for each in found))

    def test_most(self) -> None:
        """However many ways there are to fail, few are told."""
        many = (evolve(contact(n, "refused", claim=f"c{n}"), remedy=f"{n}") for n in range(99))
        self.assertEqual(len(list(named("logins", self.look("logins", *many)))), MOST)

    def test_topic(self) -> None:
        """That it happens again is no news; that it happens to another one is."""
        first, again = contact(1, "old-tls"), contact(200, "old-tls")
        other = contact(201, "old-tls", PHONE)
        topics = [
            next(named("x", self.look("tls-versions", *found))).topic
            for found in ((first,), (first, again), (first, again, other))
        ]
        self.assertEqual(topics[0], topics[1])
        self.assertNotEqual(topics[1], topics[2])

    def test_strangers(self) -> None:
        """A probe counts for an hour, and what was let in, or asks for the vendor, for a day."""
        probe = evolve(contact(1, "clear-on-tls"), began=NOW - AN_HOUR - 1)
        self.assertIs(self.look("wrong-port", probe).sound, True)
        self.assertIs(self.look("wrong-port", evolve(probe, began=NOW - 60)).sound, False)
        vendors = evolve(probe, server_name="portal-ww.ecouser.net")
        self.assertIs(self.look("wrong-port", vendors).sound, False)
        page = contact(2, "ok", outcome="accepted", speech="HTTP")
        self.assertIs(self.look("wrong-port", evolve(page, number=0), probe).sound, True)
        known = evolve(page, number=0, speech="MQTT", robot="E1")
        self.assertIs(self.look("wrong-port", known, probe).sound, False)

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
        failed = contact(1, "untrusted-ca", PHONE)
        proof = contact(2, "ok", PHONE, outcome="accepted", tls="TLSv1.3", trusts=True)
        self.assertIs(self.look("untrusted-ca", failed, proof).sound, True)
        page = evolve(proof, trusts=False)
        other = evolve(page, server_name="portal-ww.ecouser.net")
        self.assertIs(self.look("untrusted-ca", failed, other).sound, False)

    def test_trust_of_another_program(self) -> None:
        """A browser says nothing of an app, and no program of what is in another container."""
        app = contact(1, "untrusted-ca", PHONE, server_name="portal-ww.ecouser.net")
        proof = contact(2, "ok", PHONE, outcome="accepted", tls="TLSv1.3", trusts=True)
        self.assertIs(self.look("untrusted-ca", app, proof).sound, False)
        same = (evolve(app, agent="App/1"), evolve(proof, agent="App/1"))
        self.assertIs(self.look("untrusted-ca", *same).sound, True)
        well = evolve(proof, trusts=False, server_name="portal-ww.ecouser.net")
        self.assertIs(self.look("untrusted-ca", app, well).sound, True)
        nameless = evolve(app, server_name="", host=INSIDE)
        self.assertIs(self.look("untrusted-ca", nameless, evolve(proof, host=INSIDE)).sound, False)

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

    def test_neighbours(self) -> None:
        """Of several devices behind one address, one makes up for itself only."""
        failed = contact(1, "old-tls", INSIDE, server_name="mq-ww.ecouser.net")
        other = contact(2, "ok", INSIDE, outcome="accepted", speech="HTTP", tls="TLSv1.3")
        self.assertIs(self.look("tls-versions", failed, other).sound, False)
        itself = evolve(other, server_name="mq-ww.ecouser.net")
        self.assertIs(self.look("tls-versions", failed, itself).sound, True)
        lost = contact(3, "mqtt-on-web", INSIDE, speech="MQTT")
        robot = contact(4, "ok", INSIDE, outcome="accepted", speech="MQTT", robot="E2")
        self.assertIs(self.look("mqtt-on-web", lost, robot).sound, False)
        alone = (evolve(lost, host=ROBOT), evolve(robot, host=ROBOT))
        self.assertIs(self.look("mqtt-on-web", *alone).sound, True)
        second = evolve(alone[1], number=0, robot="E1")
        self.assertIs(self.look("mqtt-on-web", second, *alone).sound, False)

    def test_logins(self) -> None:
        """A login over HTTP says nothing of one over MQTT; whoever says he is it, is it."""
        failed = contact(1, "refused", INSIDE, speech="MQTT", claim="client id E1")
        web = contact(2, "ok", INSIDE, outcome="accepted", speech="HTTP")
        self.assertIs(self.look("logins", failed, web).sound, False)
        other = evolve(web, speech="MQTT", claim="client id E2")
        self.assertIs(self.look("logins", failed, other).sound, False)
        itself = evolve(other, claim="client id E1")
        self.assertIs(self.look("logins", failed, itself).sound, True)
        both = (evolve(failed, host=ROBOT), evolve(web, host=ROBOT))
        self.assertIs(self.look("logins", *both).sound, False)

    def test_no_server(self) -> None:
        """Without one there are no contacts to look at."""
        for check in SIGHTS:
            self.assertIsNone(CHECKS[check](evolve(self.house, snapshot=None)).sound)
