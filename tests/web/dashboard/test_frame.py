"""What all pages have in common."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.template import tags

from bumper_tw.errors import BadRequest, DeviceUnknown, Forbidden, LoginRefused
from bumper_tw.web.call import Call
from bumper_tw.web.dashboard.frame import (
    PLACES,
    POLICY,
    ROOMS,
    Visit,
    page_failure,
    robot_path,
    sentence,
    shown,
)
from bumper_tw.web.routes import GET, Ask, Route
from tests.web.browser import Page
from tests.web.dashboard.reading import HOSTILE, Node, browser, faults, here, read


class FrameCase(SynchronousTestCase):
    """Pages with nothing in them."""

    def asked(self, answer: Ask, path: str = "/x") -> Page:
        """What comes of an answer."""
        return browser(Route(path, GET, answer, page_failure, here=here)).get(path)

    def framed(self, path: str, csrf: str = "token", title: str = "Title") -> Node:
        """The page of that path; nothing is ever wrong with it."""
        result = self.successResultOf(shown(Visit(csrf, "e-7", path), title, tags.p("Text")))
        page = read(result.body)
        self.assertEqual(faults(page), [])
        return page


class FrameTests(FrameCase):
    """The frame."""

    def test_stranger(self) -> None:
        """Who is not logged in has no navigation, cannot log out, and runs nothing."""
        page = self.framed("/login", csrf="")
        self.assertEqual(page.all("nav", "form", "noscript", "script"), [])

    def test_owner(self) -> None:
        """The owner has all of it, with the token that changes need, for scripts and forms."""
        page = self.framed("/")
        self.assertEqual(page.one("meta", name="csrf")["content"], "token")
        self.assertEqual(page.one("meta", name="position")["content"], "e-7")
        self.assertEqual(page.one("form").one("input")["value"], "token")
        self.assertEqual([each["src"] for each in page.all("script")], ["/page/live.js"])

    def test_places(self) -> None:
        """The navigation says where one is: on a page of it, or below one."""
        for path, current in (
            ("/", ("/", "page")),
            ("/robots/d1", ("/", "true")),
            ("/setup", ("/setup", "page")),
            ("/house", ("/house", "page")),
            ("/house/journal", ("/house", "true")),
        ):
            places = self.framed(path).one("nav", class_="places").all("a")
            self.assertEqual([place["href"] for place in places], [href for href, _ in PLACES])
            marked = [(a["href"], a["aria-current"]) for a in places if a.get("aria-current")]
            self.assertEqual(marked, [current], path)

    def test_rooms(self) -> None:
        """Pages of the house lead to each other; others do not lead there."""
        for path, _ in ROOMS:
            rooms = self.framed(path).one("nav", class_="within")
            self.assertEqual([a["href"] for a in rooms.all("a")], [href for href, _ in ROOMS])
            [current] = rooms.all("a", aria_current="page")
            self.assertEqual(current["href"], path)
        for path in ("/", "/setup", "/robots/house", "/houseboat"):
            self.assertEqual(self.framed(path).all("nav", class_="within"), [], path)

    def test_back(self) -> None:
        """Pages of a robot lead back; those of no robot have nothing to go back to."""
        for path, href in (("/robots/d1", "/"), ("/robots/a b/history", "/robots/a%20b")):
            self.assertEqual(self.framed(path).one(class_="crumbs").one("a")["href"], href)
        self.assertEqual(self.framed("/house/people").all(class_="crumbs"), [])

    def test_landmarks(self) -> None:
        """One gets to the content at once, and it is told what was done and what is lost."""
        page = self.framed("/house")
        self.assertEqual(page.all("a")[0]["href"], "#main")
        main = page.one("main")
        self.assertEqual((main["id"], main["tabindex"]), ("main", "-1"))
        for place in (main.one(id="said"), page.one("footer").one(id="link")):
            self.assertEqual((place["role"], place["aria-live"]), ("status", "polite"))
        self.assertTrue(all(nav["aria-label"] for nav in page.all("nav")))
        self.assertEqual(page.one("html")["lang"], "en-GB")

    def test_hostile(self) -> None:
        """A title stays text, whatever it says; so do halves of letters."""
        for text in (*HOSTILE, "half \ud800"):
            page = self.framed("/", title=text)
            clean = text.replace("\ud800", "?")
            known = {clean, clean.strip(), clean.replace("\x00", "\ufffd")}
            self.assertIn(page.one("h1").text, known)
            self.assertIn(page.one("title").text.removesuffix(" · bumper_tw"), known)

    def test_headers(self) -> None:
        """A page may run and load nothing but what this box sends, and is in no frame."""
        answer = self.asked(lambda _: shown(Visit(), "Title", ""))
        self.assertEqual(answer.headers["content-security-policy"], POLICY)
        self.assertNotIn("unsafe", POLICY)
        self.assertEqual(answer.headers["x-frame-options"], "DENY")
        self.assertEqual(answer.headers["cache-control"], "no-store")


class FailureTests(FrameCase):
    """How pages fail."""

    def failed(self, why: Exception, path: str = "/x") -> Page:
        """What is answered when a page fails that way."""

        def fail(_: Call) -> None:
            raise why

        return self.asked(fail, path)  # type: ignore[arg-type]  # it never answers

    def test_stranger(self) -> None:
        """Who is not logged in is sent to where one does that, and finds back."""
        answer = self.failed(LoginRefused("who are you"), "/house/journal")
        self.assertEqual(answer.status, 303)
        self.assertEqual(answer.headers["location"], "/login?next=/house/journal")

    def test_told(self) -> None:
        """Everybody else is shown a page that says why, and leads home."""
        for why, status, title in (
            (DeviceUnknown("no robot x is known here"), 404, "Not found"),
            (Forbidden("not from there"), 403, "Not allowed"),
            (BadRequest("host is no address"), 400, "That did not work"),
        ):
            answer = self.failed(why)
            self.assertEqual(answer.status, status)
            self.assertEqual(answer.headers["content-security-policy"], POLICY)
            page = read(answer.body)
            self.assertEqual(faults(page), [])
            self.assertEqual(page.one("h1").text, title)
            self.assertIn(sentence(str(why)), page.one("main").text)
            self.assertEqual(page.one("main").one("a")["href"], "/")

    def test_broken(self) -> None:
        """Of a bug nobody is told more than that there was one."""
        answer = self.failed(ValueError("secret"))
        [_] = self.flushLoggedErrors(ValueError)
        self.assertEqual(answer.status, 500)
        self.assertEqual(read(answer.body).one("h1").text, "Something went wrong")
        self.assertNotIn(b"secret", answer.body)

    def test_method(self) -> None:
        """So is somebody who asks for it in a way that there is not."""
        route = Route("/x", GET, lambda _: shown(Visit(), "Title", ""), page_failure, here=here)
        answer = browser(route).post("/x", {})
        self.assertEqual((answer.status, answer.headers["allow"]), (405, "GET, HEAD"))
        self.assertEqual(faults(read(answer.body)), [])

    def test_hostile(self) -> None:
        """Why it failed stays text, whatever somebody has asked for."""
        for text in HOSTILE:
            page = read(self.failed(DeviceUnknown(text)).body)
            self.assertEqual((faults(page), page.all("script", "b")), ([], []))


class WordTests(SynchronousTestCase):
    """Sentences and paths."""

    def test_sentence(self) -> None:
        """A sentence begins large and ends with a full stop, however it came."""
        self.assertEqual(sentence(" the disk is full\n"), "The disk is full.")
        self.assertEqual(sentence("Is it on?"), "Is it on?")
        self.assertEqual(sentence(" "), "")

    @given(st.text(st.characters(exclude_categories=())))
    def test_path(self, did: str) -> None:
        """The path of a robot is one below C{/robots}, whatever it is called."""
        self.assertRegex(robot_path(did), r"\A/robots/[A-Za-z0-9_.~%-]*\Z")
