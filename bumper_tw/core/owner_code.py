"""
The code that proves, once, that somebody is the owner of the box: who can read its log, or give
it commands, may choose the password.
"""

import hmac
from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from bumper_tw.errors import LoginRefused

#: Crockford's letters: none of them is taken for another, so that a code can be read aloud.
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

#: What people type for them.
MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None})

#: 40 bits, which are eight letters of five.
CODE_BYTES, CODE_LETTERS = 5, 8

#: Seconds for which a code is good.
GOOD_FOR = 15 * 60.0

#: As much of what is typed is looked at.
LONGEST = 40


class OwnerCode:
    """One code at a time, in memory only."""

    def __init__(self, clock: IReactorTime, random_hex: Callable[[int], str]) -> None:
        """
        @param random_hex: so many random bytes, in hexadecimal.
        """
        self._clock, self._random_hex = clock, random_hex
        self._code, self._until = "", 0.0

    def current(self) -> str:
        """The code that is good now; a new one if there is none."""
        return self._code if self._is_good() else self.fresh()

    def fresh(self) -> str:
        """A new code; the one before is good no more."""
        number = int(self._random_hex(CODE_BYTES), 16)
        shifts = range(5 * (CODE_LETTERS - 1), -1, -5)
        self._code = "".join(LETTERS[number >> shift & 31] for shift in shifts)
        self._until = self._clock.seconds() + GOOD_FOR
        return self._code

    def check(self, said: str) -> None:
        """
        Look at what somebody says the code is; a right one stays good until L{burn}.  Wrong ones
        shut out whoever guesses, not the code: else anybody could keep the owner from ever
        getting in.

        @raise LoginRefused: it is not, or there is none.
        """
        typed = said[:LONGEST].upper().translate(MISREAD).encode("utf-8", "replace")
        if not self._is_good():
            raise LoginRefused("this code is too old; open the page again for a new one")
        if not hmac.compare_digest(typed, self._code.encode()):
            raise LoginRefused("that is not the code")

    def burn(self) -> None:
        """It has served."""
        self._code = ""

    def _is_good(self) -> bool:
        # A clock that was set back must not make it good for longer than anybody expects.
        left = self._until - self._clock.seconds()
        return bool(self._code) and 0 < left <= GOOD_FOR
