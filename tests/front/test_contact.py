"""Tests for L{bumper_tw.front.contact}: what is kept of one connection."""

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.front.contact import (
    CLAIMS,
    LONGEST,
    Contact,
    Outcome,
    Speech,
    contact_of,
    nobody,
)
from bumper_tw.wire.client_hello import ClientHello


class Wired:
    """A transport that knows its record."""

    def __init__(self, contact: object) -> None:
        self.contact = contact


class ContactTests(SynchronousTestCase):
    """One record."""

    def setUp(self) -> None:
        self.heard: list[Outcome] = []
        self.contact = Contact(1, 10.0, "h", 1, "l", 443, "all", True, self.hear)

    def hear(self, contact: Contact) -> None:
        """It changed."""
        self.heard.append(contact.outcome)

    def test_life(self) -> None:
        """Each step is told, with what has become of it by then."""
        self.assertTrue(self.contact.lasts)
        self.contact.greeted(ClientHello("name"))
        self.contact.secured("TLSv1.3")
        self.contact.speaks(Speech.MQTT)
        self.contact.let_in("robot dusty", "dusty")
        self.contact.closed(20.0, "gone")
        self.assertEqual(
            self.heard,
            [
                Outcome.HANDSHAKE,
                Outcome.SECURED,
                Outcome.CHOSEN,
                Outcome.ACCEPTED,
                Outcome.ACCEPTED,
            ],
        )
        self.assertEqual((self.contact.lasts, self.contact.reason), (False, "gone"))

    def test_requests(self) -> None:
        """Only the first request is news; all are counted."""
        for path in ("/a", "/b", "/c"):
            self.contact.requested(path)
        self.assertEqual((self.contact.requests, self.contact.asked), (3, "/c"))
        self.assertEqual(self.heard, [Outcome.ACCEPTED])

    def test_claims(self) -> None:
        """Each claim once, cut and clean, and not for ever."""
        for text in ("a\x1b[2J", "a\x1b[2J", "", "b" * 1000):
            self.contact.claims_to_be(text)
        self.assertEqual(self.contact.claims, ("a?[2J", "b" * LONGEST))
        for number in range(50):
            self.contact.claims_to_be(str(number))
        self.assertEqual(len(self.contact.claims), CLAIMS)
        self.assertEqual(len(self.heard), CLAIMS)

    def test_reasons(self) -> None:
        """What we said first of the end counts; then it was for us to end it."""
        self.contact.closing("too slow")
        self.contact.closing("really")
        self.contact.closed(20.0, "it broke")
        self.assertEqual((self.contact.reason, self.contact.by_us), ("too slow", True))

    def test_failures(self) -> None:
        """TLS fails by an alert, everything else by a verdict."""
        self.contact.failed(Outcome.TLS_FAILED, "alert")
        self.contact.failed(Outcome.TOO_SLOW, "late")
        self.assertEqual((self.contact.alert, self.contact.verdict), ("alert", "late"))

    def test_found(self) -> None:
        """It is found from a transport; where there is none, a blank one takes the notes."""
        self.assertIs(contact_of(Wired(self.contact)), self.contact)
        for transport in (None, object(), Wired("something")):
            blank = contact_of(transport)
            blank.refused("nobody hears")
            self.assertEqual(blank.number, nobody().number)
        self.assertEqual(self.heard, [])
