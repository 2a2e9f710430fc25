"""Tests for L{bumper_tw.dialect.firmware}."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect.firmware import PARTS, Trust, lines, numbers, trust
from bumper_tw.dialect.models import all_models


class TrustTests(SynchronousTestCase):
    """What is known of robots' software (users.md 5.1)."""

    def test_by_version(self) -> None:
        """The same robot before and after it began to check."""
        for version, expected in (
            ("1.7.2", Trust.ANY),
            ("1.7.5", Trust.PINS),
            ("1.10.0", Trust.PINS),
            ("", Trust.ANY),
        ):
            self.assertIs(trust("DEEBOT T10 PLUS", version), expected, version)

    def test_by_name(self) -> None:
        """Whole words count: a T90 is no T9, and of most nothing is known."""
        self.assertIs(trust("DEEBOT T9 AIVI", "2.5.5"), Trust.ANY)
        self.assertIs(trust("DEEBOT T90 OMNI", "2.5.5"), Trust.UNKNOWN)
        self.assertIs(trust("GOAT O500 Panorama", "1.0.0"), Trust.PINS)
        self.assertIs(trust("", "1.0.0"), Trust.UNKNOWN)

    def test_every_line(self) -> None:
        """Each is about some robot of the catalogue."""
        names = {model.name.upper() for model in all_models()}
        for line in lines():
            found = [name for name in names if f"{name} ".startswith(f"{line.name} ")]
            self.assertNotEqual(found, [], line.name)

    @given(st.text())
    def test_any_version(self, version: str) -> None:
        """Whatever a robot says of its version, it is some numbers, and not many."""
        self.assertLessEqual(len(numbers(version)), PARTS)
        self.assertIsInstance(trust("DEEBOT T10 PLUS", version), Trust)
