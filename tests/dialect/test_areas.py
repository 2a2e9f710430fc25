"""Countries and regions."""

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect import areas


class AreaTests(SynchronousTestCase):
    """What discovery and the region picker answer."""

    def test_data_centres(self) -> None:
        """A continent has one centre; whatever has none is served from America."""
        expected = {
            "de": "eu",
            "PL": "eu",
            "uk": "eu",
            "gb": "eu",
            "jp": "ap",
            "Tr": "ap",
            "us": "na",
            "au": "na",
            "00": "na",
        }
        found = {area: areas.data_centre(area) for area in expected}
        self.assertEqual(found, expected)

    def test_unknown(self) -> None:
        """A code that nobody uses has no centre."""
        for area in ("", "xx", "deu", "d"):
            self.assertIsNone(areas.data_centre(area))

    def test_codes(self) -> None:
        """The error text starts with the vendor's own first codes (http-discovery.md 3)."""
        codes = areas.codes()
        self.assertEqual(codes[:2], ("00", "cn"))
        self.assertEqual(len(codes), len(set(codes)))
        self.assertEqual(len(codes), 230)

    def test_every_code_has_a_centre(self) -> None:
        """No code that we name as possible is refused."""
        centres = {areas.data_centre(code) for code in areas.codes()}
        self.assertEqual(centres, {"eu", "ap", "na"})

    def test_areas(self) -> None:
        """The region picker shows all that have a place, in its order (http-discovery.md 4)."""
        shown = areas.areas()
        self.assertEqual(len(shown), 229)
        self.assertEqual([area.list_place for area in shown], list(range(1, 230)))
        japan = next(area for area in shown if area.code == "JP")
        self.assertEqual(
            (japan.chinese, japan.english, japan.index_letter), ("日本", "Japan", "R")
        )
        self.assertTrue({"UK", "IC"} <= {area.code for area in shown})
        self.assertNotIn("GB", {area.code for area in shown})
