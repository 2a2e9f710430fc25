"""Which paths are pages of our own, and for whom they are there."""

from collections.abc import Callable

from bumper_tw.web.call import Call
from bumper_tw.web.routes import Route


class OwnPages:
    """By the first part of a path, so that no other request costs more than a look."""

    def __init__(self) -> None:
        self._here: dict[tuple[bytes, str], Callable[[Call], bool]] = {}

    def add(self, route: Route, here: Callable[[Call], bool]) -> None:
        """
        There is a page.

        @param here: whether it is for whoever calls.
        """
        part = first_part(route.path.encode())
        for method in {*route.methods, *(("HEAD",) if "GET" in route.methods else ())}:
            self._here[part, method] = here

    def has(self, path: bytes, call: Call) -> bool:
        """
        Whether a path is one of a page, and who calls is to see it.  What pages are not asked by,
        the vendor's may be: there is one at C{/}, too.
        """
        here = self._here.get((first_part(path), call.method))
        return here is not None and here(call)


def is_hidden(route: Route, call: Call) -> bool:
    """Whether it is one of our pages, and who calls is not to see it."""
    return route.here is not None and not route.here(call)


def first_part(path: bytes) -> bytes:
    """What stands between the first two slashes of a path."""
    return path[1:].partition(b"/")[0]
