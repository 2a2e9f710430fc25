"""Tests for L{bumper_tw.dialect.actions} and what there is to choose."""

from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect import models, translation
from bumper_tw.dialect.action_arguments import Traits
from bumper_tw.dialect.actions import ACTIONS, BY_NAME, Order, has_station, named, possible
from bumper_tw.dialect.envelopes import to_json
from bumper_tw.dialect.phrases import Situation
from bumper_tw.errors import BadRequest
from bumper_tw.values import Company, PayloadKind

DEEBOT = Traits(
    model="yna5xi", category="DEEBOT", seen=frozenset({"water", "volume"}), station=True
)
XML = evolve(DEEBOT, model="ls1ok3", kind=PayloadKind.XML)
XMPP = evolve(XML, model="126", company=Company.XMPP)
PAUSING = evolve(XMPP, model="115")
MOWER = Traits(model="5xu9h3", category="GOATBOT")

#: Something to choose for everything that wants it.
CHOSEN: dict[str, Any] = {
    "rooms": {"rooms": ["3", "5"], "count": 2},
    "zone": {"zones": [[1, 2, 3, 4], [-5, -6, 7, 8]]},
    "suction": {"level": 1},
    "water": {"level": 3},
    "volume": {"level": 7},
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
)


def orders(action: str, traits: Traits = DEEBOT, **given: Any) -> tuple[Order, ...]:
    """The commands of an action."""
    return named(action, traits).orders(given or CHOSEN.get(action), traits)


def names(traits: Traits) -> set[str]:
    """What a robot can do."""
    return {action.name for action in possible(traits)}


class OrderTests(SynchronousTestCase):
    """What robots are told (mqtt.md 7.4)."""

    def test_jobs(self) -> None:
        """Both spellings, the newer one first."""
        new, old = orders("clean")
        self.assertEqual(new, Order("clean_V2", {"act": "start", "content": {"type": "auto"}}))
        self.assertEqual(old, Order("clean", {"act": "start", "type": "auto"}))
        new, old = orders("pause")
        self.assertEqual(new, Order("clean_V2", {"act": "pause", "content": {"type": ""}}))
        self.assertEqual(old, Order("clean", {"act": "pause"}))
        self.assertEqual(orders("resume")[0], Order("clean_V2", {"act": "resume", "content": {}}))

    def test_places(self) -> None:
        """Rooms and rectangles, and how often."""
        new, old = orders("rooms")
        content = {"type": "spotArea", "value": "3,5", "count": 2}
        self.assertEqual(new.data, {"act": "start", "content": content})
        expected = {"act": "start", "type": "spotArea", "content": "3,5", "count": 2}
        self.assertEqual(old.data, expected)
        new, old = orders("zone")
        self.assertEqual(new.data["content"]["value"], "1,2,3,4;-5,-6,7,8")
        self.assertEqual((old.data["type"], old.data["count"]), ("customArea", 1))

    def test_mower(self) -> None:
        """Mowers know the newer arguments by the older name (http-devices.md 3.5)."""
        [order] = orders("clean", MOWER)
        self.assertEqual(order, Order("clean", {"act": "start", "content": {"type": "auto"}}))

    def test_settings(self) -> None:
        """One number each."""
        self.assertEqual(orders("suction"), (Order("setSpeed", {"speed": 1}),))
        self.assertEqual(orders("water"), (Order("setWaterInfo", {"amount": 3}),))
        self.assertEqual(orders("volume"), (Order("setVolume", {"volume": 7}),))

    def test_rest(self) -> None:
        """Home, sound, bin."""
        self.assertEqual(orders("dock"), (Order("charge", {"act": "go"}),))
        self.assertEqual(orders("locate"), (Order("playSound", {"sid": 30, "count": 1}),))
        newer, older = orders("empty")
        self.assertEqual(newer, Order("stationAction", {"act": 1, "type": 1}))
        self.assertEqual(older, Order("setAutoEmpty", {"act": "start"}))

    def test_translated(self) -> None:
        """Whatever an XML robot is offered has words in XML."""
        for traits in (XML, XMPP, PAUSING):
            situation = Situation(traits.model, company=traits.company)
            for action in possible(traits):
                for order in orders(action.name, traits):
                    body = to_json({"body": {"data": order.data}} if order.data else {})
                    asked = translation.translate(order.name, body, situation)
                    self.assertTrue(asked.questions, action.name)


class PossibleTests(SynchronousTestCase):
    """What is offered for which robot."""

    def test_everything(self) -> None:
        """A vacuum that has told of all it has can do all there is."""
        self.assertEqual(names(DEEBOT), set(BY_NAME))

    def test_unseen(self) -> None:
        """What a robot has never told of it may not have."""
        bare = names(evolve(DEEBOT, seen=frozenset(), station=False))
        self.assertEqual(set(BY_NAME) - bare, {"water", "volume", "empty"})

    def test_xml(self) -> None:
        """XML robots have no volume and no station; the oldest know no places, and no pause."""
        self.assertEqual(set(BY_NAME) - names(XML), {"volume", "empty"})
        self.assertEqual(names(XML) - names(XMPP), {"rooms", "zone", "pause", "resume"})
        self.assertTrue(named("pause", XMPP).orders(None, XMPP))
        self.assertEqual(names(PAUSING), names(XML))

    def test_others(self) -> None:
        """What is no vacuum does not suck; what does not move can only be asked."""
        self.assertFalse(names(MOWER) & {"suction", "spot", "rooms", "empty"})
        self.assertEqual(names(Traits(category="Air-Quality-Monitor")), {"refresh"})

    def test_catalogue(self) -> None:
        """Every class of the catalogue has something to be told."""
        for model in models.all_models():
            traits = Traits(model.class_id, model.category, model.company, model.kind)
            self.assertIn("refresh", names(traits))

    def test_stations(self) -> None:
        """Shops write it on them."""
        self.assertTrue(has_station("DEEBOT X1 OMNI"))
        self.assertTrue(has_station("DEEBOT T9+"))
        self.assertFalse(has_station("DEEBOT N79"))

    def test_not_for_it(self) -> None:
        """What is not offered cannot be done."""
        self.assertRaises(BadRequest, named, "suction", MOWER)
        self.assertRaises(BadRequest, named, "dance", DEEBOT)


class ArgumentTests(SynchronousTestCase):
    """What can be chosen."""

    def refused(self, action: str, **given: Any) -> None:
        """Something cannot be."""
        self.assertRaises(BadRequest, orders, action, DEEBOT, **given)

    def test_rooms(self) -> None:
        """Ids, as text or as numbers, each once; of the map if it is known."""
        self.assertEqual(orders("rooms", rooms=[3, "3", "a-1"])[1].data["content"], "3,a-1")
        known = evolve(DEEBOT, rooms={"3": "Kitchen"})
        self.assertTrue(orders("rooms", known, rooms=["3"]))
        self.assertRaises(BadRequest, orders, "rooms", known, rooms=["4"])
        for wrong in ([], "3", ["3,5"], ["3 5"], [None], [True], ["x" * 33], ["1"] * 51, {"3": 1}):
            self.refused("rooms", rooms=wrong)

    def test_zones(self) -> None:
        """Four numbers in millimetres, with an area, not beyond any home."""
        self.assertTrue(orders("zone", zones=[["1", 2.0, 3, 4]]))
        for wrong in (
            [],
            [[1, 2, 3]],
            [[1, 2, 1, 4]],
            [[1, 2, 3, 100_001]],
            [[1, 2, 3, 4]] * 6,
            [[1.5, 2, 3, 4]],
            [[float("nan"), 2, 3, 4]],
            [[float("inf"), 2, 3, 4]],
            [[10**400, 2, 3, 4]],
            ["1,2,3,4"],
        ):
            self.refused("zone", zones=wrong)

    def test_levels(self) -> None:
        """Each generation has levels of its own."""
        self.assertTrue(orders("suction", level=1000))
        self.assertTrue(orders("suction", level="2"))
        self.assertRaises(BadRequest, orders, "suction", XML, level=2)
        for wrong in (None, True, 3, "strong", [1], 1.5):
            self.refused("suction", level=wrong)
        for wrong in (0, 5, -1):
            self.refused("water", level=wrong)
        self.refused("volume", level=11)
        self.assertTrue(orders("volume", evolve(DEEBOT, loudest=11), level=11))

    def test_current(self) -> None:
        """What a robot is set to, in the numbers of either generation."""
        [level] = BY_NAME["suction"].arguments
        for said, found in (
            ("1000", 1000),
            ("strong", 1),
            ("", None),
            ("x", None),
            ("9" * 99, None),
        ):
            self.assertEqual(level.current(evolve(DEEBOT, suction=said)), found)

    def test_unknown(self) -> None:
        """An argument that there is not is a mistake, and is told."""
        for wrong in ({"speed": 1}, {"level": 1, "x": 2}):
            self.refused("suction", **wrong)
        self.assertRaises(BadRequest, BY_NAME["clean"].orders, [], DEEBOT)

    @given(JSON)
    def test_anything(self, given: object) -> None:
        """Whatever is sent, it becomes orders or a named error."""
        for action in ACTIONS:
            for value in (given, {each.name: given for each in action.arguments}):
                try:
                    action.orders(value, DEEBOT)
                except BadRequest:
                    continue
