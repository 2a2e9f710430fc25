"""QR codes: drawing one takes five milliseconds, so nobody makes us draw many."""

from collections import OrderedDict
from collections.abc import Callable
from io import BytesIO

import segno

#: As many are kept: addresses of this box are few, unless somebody wants to see us work.
KEPT = 32

#: As many are drawn at once for addresses that are new, and then one in so many seconds.
AT_ONCE, EVERY = 8, 2.0


class Codes:
    """Those that were drawn, as far as they were asked for lately."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        """
        @param seconds: what time it is, from whenever on.
        """
        self._seconds, self._drawn = seconds, OrderedDict[str, bytes]()
        # Until then those that were drawn count.
        self._busy_until = 0.0

    def of(self, address: str, usual: str) -> bytes:
        """
        A code, as an SVG image.

        @param address: what it is to say.
        @param usual: what it says instead when too many different ones are asked for: one of few.
        """
        return self._code(address if address in self._drawn or self._may_draw() else usual)

    def _may_draw(self) -> bool:
        now = self._seconds()
        if self._busy_until > now + (AT_ONCE - 1) * EVERY:
            return False
        self._busy_until = max(self._busy_until, now) + EVERY
        return True

    def _code(self, address: str) -> bytes:
        if address not in self._drawn:
            self._drawn[address] = drawn(address)
            if len(self._drawn) > KEPT:
                self._drawn.popitem(last=False)
        self._drawn.move_to_end(address)
        return self._drawn[address]


def drawn(address: str) -> bytes:
    """A QR code, dark on light with a margin, which cameras need, whatever is around it."""
    made = BytesIO()
    segno.make_qr(address, error="m").save(
        made, kind="svg", border=4, light="#fff", dark="#000", omitsize=True, svgclass=None,
        lineclass=None,
    )  # fmt: skip
    return made.getvalue()
