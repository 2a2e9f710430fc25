"""The page with all robots."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.web.dashboard.assets import PAGE
from bumper_tw.web.dashboard.home import FIRST, HomePage, by_name, counted
from bumper_tw.web.pictures import PICTURES
from tests.web.dashboard.reading import (
    HOSTILE,
    Node,
    admitted,
    browser,
    card,
    faults,
    here,
    read,
)

#: All that a browser loads for the page with ten robots, in bytes; 120,000 are allowed.
LIGHT = 72_000

#: Halves of letters, too, which JSON can say.
ANY_TEXT = st.text(st.characters(exclude_categories=()))


class HomeCase(SynchronousTestCase):
    """The page, with robots that each test brings."""

    def body(
        self, *cards: Mapping[str, Any], findings: tuple[str, ...] = (), path: str = "/"
    ) -> bytes:
        """The page as it is sent."""
        page = HomePage(admitted, here, lambda: cards, lambda: findings)
        answer = browser(*page.routes()).get(path)
        self.assertEqual((answer.status, answer.headers["cache-control"]), (200, "no-store"))
        return answer.body

    def page(
        self, *cards: Mapping[str, Any], findings: tuple[str, ...] = (), path: str = "/"
    ) -> Node:
        """The page as it is read; nothing is ever wrong with it."""
        page = read(self.body(*cards, findings=findings, path=path))
        self.assertEqual(faults(page), [])
        return page

    @staticmethod
    def faces(page: Node) -> list[Node]:
        """The cards that are shown."""
        return page.one(id="cards").all(class_="card")


class HomeTests(HomeCase):
    """What is seen."""

    def test_card(self) -> None:
        """A card says how a robot is, in words and by its marks, and leads to its page."""
        [face] = self.faces(self.page(card(error_text="It is stuck.")))
        self.assertEqual(
            [face[f"data-{name}"] for name in ("did", "state", "online")],
            ["d1", "cleaning", "true"],
        )
        said = {node["data-field"]: node.text for node in face.all() if node.get("data-field")}
        self.assertEqual(said["state_text"], "Cleaning")
        self.assertEqual(said["error_text"], "It is stuck.")
        self.assertEqual(said["online_text"], "Connected")
        self.assertEqual(face.one("a")["href"], "/robots/d1")
        self.assertEqual(face.one("img")["src"], "/page/robot-vacuum.svg")
        self.assertEqual(face.one("meter")["value"], "76")
        self.assertEqual(face.one("time")["datetime"], "2023-11-14T22:13:20Z")

    def test_nothing_known(self) -> None:
        """What a robot has not told is not shown, and leaves no label behind."""
        unknown = card(battery=None, battery_text="", seen_at=None, error_text="")
        [face] = self.faces(self.page(unknown))
        for part in ("battery_text", "seen_at"):
            self.assertIn("hidden", face.one(data_part=part).attributes)
        self.assertIn("hidden", face.one(data_field="error_text").attributes)

    def test_buttons(self) -> None:
        """The three buttons of each robot can be told apart, and are there with scripts only."""
        page = self.page(card("d1", name="Dusty"), card("d2", name="Robbie"))
        names = [button.text for face in self.faces(page) for button in face.all("button")]
        expected = [
            f"{word}{name}" for name in ("Dusty", "Robbie") for word in ("Clean", "Pause", "Dock")
        ]
        self.assertEqual(names, expected)
        for face in self.faces(page):
            [row] = {button.parent for button in face.all("button")}
            assert row is not None
            self.assertIn("scripted", row["class"].split())

    def test_order(self) -> None:
        """Robots stand in the order of their names, whatever the case."""
        names = ["robbie", "Dusty", "dusty", "Ägidius", "Zoe"]
        page = self.page(*(card(f"d{number}", name=name) for number, name in enumerate(names)))
        shown = [face.one("h2").text for face in self.faces(page)]
        self.assertEqual(shown, ["Dusty", "dusty", "robbie", "Zoe", "Ägidius"])

    def test_many(self) -> None:
        """Of very many robots some are shown, connected ones first; the rest is a link away."""
        cards = [card(f"d{n}", name=f"Robot {n:03}", online=n >= 100) for n in range(110)]
        page = self.page(*cards)
        names = [face.one("h2").text for face in self.faces(page)]
        early, late = range(FIRST - 10), range(100, 110)
        self.assertEqual(names, [f"Robot {n:03}" for n in (*early, *late)])
        self.assertEqual(page.one(id="counts").text, "110 robots, 10 connected")
        more = page.one(id="rest").one("a")["href"]
        self.assertEqual(len(self.faces(self.page(*cards, path=more))), 110)
        self.assertEqual(self.page(*cards, path=more).all(id="rest"), [])
        self.assertEqual(self.page(*cards[:FIRST]).all(id="rest"), [])

    def test_counts(self) -> None:
        """The page tells how many robots there are, and how many are connected."""
        away = card("d2", online=False, state="offline")
        page = self.page(card(), away)
        self.assertEqual(page.one(id="counts").text, "2 robots, 1 connected")
        self.assertEqual(counted([away]), "1 robot, 0 connected")
        self.assertEqual(counted([]), "")

    def test_empty(self) -> None:
        """Without robots the page leads to where one is set up; with some it does not."""
        empty = self.page().one(id="empty")
        self.assertNotIn("hidden", empty.attributes)
        self.assertEqual(empty.one("a")["href"], "/setup")
        self.assertIn("hidden", self.page(card()).one(id="empty").attributes)

    def test_findings(self) -> None:
        """What is wrong with the box is told here, the worst of it, and leads to the remedies."""
        self.assertEqual(self.page().all(id="findings"), [])
        page = self.page(findings=tuple(f"<b>finding {number}" for number in range(9)))
        [section] = page.all("section", aria_labelledby="findings")
        self.assertEqual([each.text for each in section.all("li")][:1], ["<b>finding 0."])
        self.assertEqual(len(section.all("li")), 3)
        self.assertEqual(section.one("a")["href"], "/house")

    def test_template(self) -> None:
        """Scripts find a card without a robot, to make others of."""
        [blank] = self.page().one("template", id="card").all(class_="card")
        self.assertEqual(blank["data-did"], "")
        self.assertNotIn("src", blank.one("img").attributes)

    def test_hostile(self) -> None:
        """Whatever robots are called, the page says it, and does nothing of it."""
        for text in HOSTILE:
            fields = dict.fromkeys(("name", "model", "error_text", "state_text", "did"), text)
            page = self.page(card(**fields))
            [face] = self.faces(page)
            shown = text.replace("\x00", "\ufffd")
            self.assertIn(face.one("h2").text, {text, text.strip(), shown})
            self.assertEqual(len(page.all("script")), 2)
            self.assertTrue(face.one("a")["href"].startswith("/robots/"))
            self.assertNotRegex(face.one("a")["href"].removeprefix("/robots/"), "[/?#<\"' ]")

    @given(ANY_TEXT, ANY_TEXT, st.none() | st.floats() | st.integers())
    def test_any(self, name: str, text: str, number: float | None) -> None:
        """No name, text or number breaks the page."""
        hostile = card(name=name, state_text=text, battery=number, seen_at=number)
        self.assertEqual(len(self.faces(read(self.body(hostile)))), 1)

    def test_weight(self) -> None:
        """Ten robots, of every kind, weigh little with all that the page loads."""
        kinds = sorted(file.stem for file in PICTURES.glob("*.svg"))[:10]
        cards = [card(kind, name="N" * 40, image=f"/page/robot-{kind}.svg") for kind in kinds]
        files = [PAGE / name for name in ("page.css", "live.js", "home.js", "icon.svg")]
        files += [PICTURES / f"{kind}.svg" for kind in kinds]
        weight = len(self.body(*cards)) + sum(file.stat().st_size for file in files)
        self.assertLess(weight, LIGHT)


class OrderTests(SynchronousTestCase):
    """The order of names."""

    @given(st.lists(st.text(), unique=True))
    def test_whole(self, names: list[str]) -> None:
        """It is one order, whatever robots are called."""
        cards = [card(str(number), name=name) for number, name in enumerate(names)]
        back = cards[::-1]
        self.assertEqual(sorted(cards, key=by_name), sorted(back, key=by_name))
