"""Tests for L{bumper_tw.web.recording}: what the owner is told of requests."""

from bumper_tw.errors import LoginRefused
from bumper_tw.front.contact import Contact, Outcome, Speech
from bumper_tw.front.entrance import Entrance
from bumper_tw.web.call import Answer, Call
from bumper_tw.web.failures import portal_failure
from bumper_tw.web.recording import UNKNOWN
from bumper_tw.web.routes import GET, POST, Route, private
from bumper_tw.web.site import build_site
from tests.front.entrances import EntranceCase
from tests.lines import Line
from tests.web.browser import request


def refuse(_: Call) -> Answer:
    """Nobody may."""
    raise LoginRefused("a token is needed")


def fine(_: Call) -> Answer:
    """Everybody may."""
    return Answer(b"{}")


class RecordingTests(EntranceCase):
    """A site behind an entrance."""

    def setUp(self) -> None:
        super().setUp()
        routes = [
            Route("/fine", GET, fine, portal_failure),
            Route("/told", POST, fine, portal_failure),
            Route("/secret", GET, refuse, portal_failure),
            Route("/user/login", GET, refuse, portal_failure),
            Route(private("v1", "/x"), GET, fine, portal_failure),
        ]
        site = build_site(routes, self.clock)
        inside = {Speech.HTTP: site}
        self.door = Entrance(self.reception, "web", False, None, inside)

    def ask(self, *paths: str, agent: str = "curl/8") -> Contact:
        """Requests on one connection, which is left open."""
        line: Line = self.connect(self.door)
        for path in paths:
            line.receive(request("GET", path, b"", (("User-Agent", agent),)))
            self.settle()
        contact = next(iter(self.journal.contacts()))
        self.drop(line)
        return contact

    def test_answered(self) -> None:
        """How many, and the last path by its pattern; nothing of the query."""
        contact = self.ask("/fine?token=us_0f1e2d3c", "/fine")
        self.assertEqual((contact.requests, contact.asked), (2, "/fine"))
        self.assertEqual((contact.outcome, contact.claims), (Outcome.ACCEPTED, ("curl/8",)))

    def test_private(self) -> None:
        """What a path of the private API says of its app counts; of its phone, nothing is kept."""
        path = "/v1/private/us/en/did_of_a_phone/global_e/2.4.1/c_googleplay/1/x"
        contact = self.ask(path)
        self.assertEqual(contact.claims, ("curl/8", "app global_e 2.4.1"))
        self.assertNotIn("did_of_a_phone", repr(contact))

    def test_wrong(self) -> None:
        """A path that is not there, or not for this method, has been answered all the same."""
        for path, asked in (("/nowhere/us_0f1e2d3c", UNKNOWN), ("/told", "/told")):
            contact = self.ask(path)
            self.assertEqual((contact.requests, contact.asked), (1, asked))
            self.assertEqual(contact.outcome, Outcome.ACCEPTED)

    def test_refused(self) -> None:
        """The last answer counts: one that is refused, and one that is let in after that."""
        contact = self.ask("/fine", "/user/login")
        self.assertEqual(
            (contact.outcome, contact.verdict), (Outcome.REFUSED, "a token is needed")
        )
        self.assertEqual(self.ask("/user/login", "/fine").outcome, Outcome.ACCEPTED)

    def test_token(self) -> None:
        """Who comes without a token is answered, and no case for the doctor."""
        self.assertEqual(self.ask("/secret").outcome, Outcome.ACCEPTED)
