"""What the app can pair."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect import models, pairing
from bumper_tw.dialect.pairing import ANY_VERSION, MAX_CODE, TABLE, Code


class TableTests(SynchronousTestCase):
    """The table of robots."""

    def test_size(self) -> None:
        """It is all there (http-endpoints.md 5.2 and 5.3)."""
        table = pairing.table()
        robots = [each for family in table.families for each in family.robots]
        self.assertEqual((len(table.families), len(robots), len(table.flat)), (47, 172, 205))

    def test_no_foreign_hosts(self) -> None:
        """No name of a machine of the vendor's is in the file."""
        text = TABLE.read_text("utf-8")
        for word in ("ecouser", "ecovacs", "://"):
            self.assertNotIn(word, text)

    def test_robot(self) -> None:
        """One robot with all that is known of it."""
        robot = pairing.robot("5xu9h3")
        assert robot is not None
        self.assertEqual(
            (robot.name, robot.category, robot.smart_type, robot.icon_id),
            ("GOAT G1", "GOATBOT", "BLAP", "637ad33637c2e70227d480f1"),
        )
        self.assertEqual((robot.android, robot.harmony), ("2.0.0", "1.0.0"))
        self.assertEqual((robot.apps, robot.smart_types), (("ecoglobal",), ("BLAP",)))
        self.assertEqual(robot.series_id, "621c1dab45f43cc2239e8c39")

    def test_silent(self) -> None:
        """Where the vendor names no version, any will do."""
        robot = pairing.robot("2ap5uq")
        assert robot is not None
        self.assertEqual(robot.harmony, ANY_VERSION)

    def test_first_counts(self) -> None:
        """A class that is in two families is found in the first."""
        robot, first = pairing.robot("780627"), pairing.table().families
        twice = [family.id for family in first for each in family.robots if each is robot]
        both = [f.id for f in first for each in f.robots if each.class_id == "780627"]
        self.assertEqual((twice, len(both)), (both[:1], 2))

    def test_unknown(self) -> None:
        """A class that cannot be paired."""
        self.assertIsNone(pairing.robot("nothing"))

    def test_categories_agree(self) -> None:
        """A class has the same category here and in the catalogue (http-devices.md 1.1)."""
        for class_id, robot in pairing.table().classes.items():
            model = models.model(class_id)
            assert model is not None
            self.assertEqual(model.category, robot.category, class_id)

    def test_named(self) -> None:
        """The flat list has no classes; what robots are is told by their names."""
        found = {each.name: each.category for each in pairing.table().flat}
        self.assertEqual(found["GOAT G1"], "GOATBOT")
        self.assertEqual(found["DEEBOT X1 OMNI"], "DEEBOT")
        self.assertNotIn("", found.values())


class TreeTests(SynchronousTestCase):
    """What there is help for."""

    def test_roots(self) -> None:
        """Four roots, all of them with something on it (http-endpoints.md 5.5)."""
        tree = pairing.tree()
        self.assertEqual([each.name for each in tree], ["DEEBOT", "WINBOT", "GOAT", "MORE"])
        self.assertEqual(sum(len(root.children) for root in tree), 47)
        self.assertTrue(all(family.children for root in tree for family in root.children))

    def test_ids(self) -> None:
        """Every id looks like one, and no name stands twice in a family."""
        for root in pairing.tree():
            self.assertRegex(root.id, r"\A[0-9a-f]{24}\Z")
            for family in root.children:
                names = [leaf.name for leaf in family.children]
                self.assertEqual(len(names), len(set(names)))
                self.assertTrue(all(len(leaf.id) == 24 for leaf in family.children))


class CodeTests(SynchronousTestCase):
    """The code on a robot."""

    def test_both(self) -> None:
        """A link with both parts."""
        code = pairing.read_code("https://qr.example/app?sn=E0001&mid=yna5xi&x=1")
        self.assertEqual(code, Code("E0001", "yna5xi"))

    def test_one(self) -> None:
        """A link with either part; the other is empty."""
        self.assertEqual(pairing.read_code("http://a/?sn=E1"), Code("E1", ""))
        self.assertEqual(pairing.read_code("http://a/?mid=abc123"), Code("", "abc123"))

    def test_none(self) -> None:
        """Other codes."""
        many = "&".join(f"a{number}=1" for number in range(100))
        for text in ("", "hello", "http://a/?x=1", "http://[", f"http://a/?sn=1&{many}"):
            self.assertIsNone(pairing.read_code(text), text)

    def test_long(self) -> None:
        """What is too long is not read at all."""
        self.assertIsNone(pairing.read_code("http://a/?sn=" + "1" * MAX_CODE))

    @given(st.text())
    def test_anything(self, text: str) -> None:
        """No text does harm."""
        code = pairing.read_code("http://a/?" + text)
        self.assertTrue(code is None or code.serial or code.class_id)
