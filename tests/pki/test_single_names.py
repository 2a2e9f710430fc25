"""Which names may have a certificate of their own."""

import os

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.pki.leaves import LONGEST, single_name


class NameTests(SynchronousTestCase):
    """What may be the only name of a certificate, and of a file."""

    def test_tidied(self) -> None:
        """Case and the final dot do not matter."""
        self.assertEqual(single_name("Portal-WW.ecouser.NET."), "portal-ww.ecouser.net")

    def test_refused(self) -> None:
        """Paths, patterns, blanks and what is too long are no names."""
        long = f"{'a.' * 125}net"
        for odd in (
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "*.ecouser.net",
            "a b",
            "a\0b",
            ".x",
            long,
            "\xe9",
        ):
            self.assertEqual(single_name(odd), "", odd)

    @given(st.text(max_size=300))
    def test_anything(self, asked: str) -> None:
        """Whatever is asked for, what comes back is harmless as a file, and itself."""
        name = single_name(asked)
        self.assertLessEqual(len(name), LONGEST)
        self.assertEqual(name, os.path.basename(name))
        self.assertFalse(name.startswith("."))
        self.assertEqual(single_name(name), name)
