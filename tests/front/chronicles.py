"""A journal with everything that reads it, and contacts as they may come."""

from collections.abc import Callable
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.front.acquaintances import Acquaintances
from bumper_tw.front.chronicle import Chronicle
from bumper_tw.front.contact import Contact, Outcome, Speech
from bumper_tw.front.diagnosis import Diagnosis
from bumper_tw.front.journal import Journal
from bumper_tw.wire.client_hello import ClientHello

NOW = 1_795_000_000.0
BOX = "192.168.7.2"
PHONE, ROBOT = "192.168.7.33", "192.168.7.40"
DUSTY, NICK = "did-of-dusty", "Dusty"
PORTAL, BROKER = "portal-eu.ecouser.net", "jmq-ngiot-eu.dc.robotww.ecouser.net"
UNKNOWN_CA = "tlsv1 alert unknown ca"


class ChronicleCase(SynchronousTestCase):
    """A journal, and what is made of it."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.journal = Journal(self.clock, 50)
        names = {DUSTY: NICK}
        self.acquaintances = Acquaintances(
            self.clock, self.journal, lambda did: names.get(did, "")
        )
        self.chronicle = Chronicle(self.clock, self.journal, self.acquaintances)
        self.addCleanup(self.acquaintances.stop)

    def come(
        self, host: str = PHONE, port: int = 443, serves: str = "all", tls: bool = True
    ) -> Contact:
        """Somebody comes."""
        return self.journal.begin(host, 50_000, BOX, port, serves, tls)

    def shake(self, name: str = PORTAL, host: str = PHONE, **hello: Any) -> Contact:
        """Somebody begins with TLS."""
        contact = self.come(host)
        contact.greeted(ClientHello(name, **hello))
        contact.shows(name)
        return contact

    def rejected(self, name: str = PORTAL, host: str = PHONE, alert: str = UNKNOWN_CA) -> Contact:
        """Somebody ends the handshake with an alert."""
        contact = self.shake(name, host)
        contact.failed(Outcome.TLS_FAILED, alert)
        return self.end(contact)

    def secured(self, name: str = PORTAL, host: str = PHONE) -> Contact:
        """Somebody has shaken hands."""
        contact = self.shake(name, host)
        contact.secured("TLSv1.3 TLS_AES_256_GCM_SHA384")
        return contact

    def asks(self, agent: str, host: str = PHONE, path: str = "/discover") -> Contact:
        """Somebody asks something over HTTP."""
        contact = self.come(host, 8007, "web", False)
        contact.speaks(Speech.HTTP)
        contact.requested(path)
        contact.claims_to_be(agent)
        return contact

    def robot(self, host: str = ROBOT) -> Contact:
        """Dusty logs in."""
        contact = self.secured(BROKER, host)
        contact.speaks(Speech.MQTT)
        contact.claims_to_be("client id dusty")
        contact.let_in(f"robot {DUSTY}", DUSTY)
        return contact

    def again(self, leave: Callable[[], Contact], times: int = 3) -> Contact:
        """Somebody does that again and again, minutes apart; the last time."""
        for _ in range(times):
            self.clock.advance(90)
            contact = leave()
        return contact

    def end(self, contact: Contact, why: str = "the other side closed it") -> Contact:
        """It ends."""
        contact.closed(self.clock.seconds(), why)
        return contact

    def diagnosis(self, contact: Contact) -> Diagnosis:
        """What it comes to."""
        return self.chronicle.diagnosis(contact)

    def assertKind(self, contact: Contact, name: str, *inside: str) -> Diagnosis:
        """It comes to that; what is said has all of these in it."""
        found = self.diagnosis(contact)
        self.assertEqual(found.name, name, found.sentence)
        for text in inside:
            self.assertIn(text, f"{found.sentence} {found.remedy}")
        return found
