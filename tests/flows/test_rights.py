"""Who may do what at our own API: every route that changes something, asked by everybody."""

from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.owner_sessions import Arrival
from bumper_tw.web.engine.wrapping import is_own
from bumper_tw.web.routes import Route
from tests.flows.house import House
from tests.samples import DUSTY
from tests.web.browser import Page

PASSWORD = "correct horse battery"

SAFE = {"GET", "HEAD"}

#: Anybody may try to log in there; what he brings is looked at elsewhere.
DOORS = {"/api/login", "/api/logout", "/api/session", "/api/owner", "/api/owner/password"}

#: What a member of the house may do with robots, and so may a token for that; all else is for
#: the owner of the box.
OF_ROBOTS = {
    ("POST", "/api/command"),
    ("POST", "/api/robots/<did>/actions/<action>"),
    ("POST", "/api/robots/<did>/map/survey"),
    ("PUT", "/api/robots/<did>/name"),
    ("PUT", "/api/robots/<did>/owner"),
    ("PUT", "/api/robots/<did>/shares/<account>"),
    ("DELETE", "/api/robots/<did>/shares/<account>"),
}

#: About the account that asks; the owner of the box has none.
OF_MEMBERS = {("PUT", "/api/me")}


class RightsTests(SynchronousTestCase):
    """One house."""

    def setUp(self) -> None:
        self.house = House()
        self.house.robot()
        said = {"account": "anna", "password": "any"}
        self.member = self.house.browser().post("/api/login", said).json["token"]

    def claim(self) -> None:
        """There is an owner now."""
        access = self.house.facts.owner.access
        self.successResultOf(access.claim(access.code.current(), PASSWORD, Arrival("127.0.0.1")))

    def token(self, *scopes: str) -> str:
        """A token of the owner's."""
        made = self.house.facts.owner.access.tokens.make("a script", scopes, 0)
        return self.successResultOf(made).text

    def changes(self) -> Iterator[tuple[str, Route]]:
        """Everything of our own API that changes something."""
        for route in self.house.site.routes:
            if is_own(route.path) and route.path not in DOORS:
                yield from ((method, route) for method in route.methods if method not in SAFE)

    def ask(self, method: str, route: Route, token: str) -> Page:
        """One request, with nothing in it."""
        path = route.path.replace("<did>", DUSTY.did).replace("<", "").replace(">", "")
        bearer = (("Authorization", f"Bearer {token}"),) if token else ()
        return self.house.browser().ask(method, path, b"{}", bearer)

    def refused(self, token: str) -> set[tuple[str, str]]:
        """What somebody may not do."""
        return {
            (method, route.path)
            for method, route in self.changes()
            if self.ask(method, route, token).status in {401, 403}
        }

    def all(self) -> set[tuple[str, str]]:
        """Everything."""
        return {(method, route.path) for method, route in self.changes()}

    def test_there(self) -> None:
        """The tables name what there is."""
        self.assertLessEqual(OF_ROBOTS | OF_MEMBERS, self.all())
        self.assertGreater(len(self.all()), 20)

    def test_nobody(self) -> None:
        """Without a token nothing is changed."""
        self.assertEqual(self.refused(""), self.all())

    def test_reader(self) -> None:
        """A token for reading changes nothing."""
        self.claim()
        self.assertEqual(self.refused(self.token("read")), self.all())

    def test_controller(self) -> None:
        """A token for robots changes robots, and nothing of the house."""
        self.claim()
        self.assertEqual(self.refused(self.token("control")), self.all() - OF_ROBOTS)

    def test_member_first(self) -> None:
        """A member changes nothing of the house, not even while it has no owner."""
        self.assertEqual(self.refused(self.member), self.all() - OF_ROBOTS - OF_MEMBERS)

    def test_member_later(self) -> None:
        """Nor when it has one."""
        self.claim()
        self.assertEqual(self.refused(self.member), self.all() - OF_ROBOTS - OF_MEMBERS)
