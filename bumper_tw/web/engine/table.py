"""The table of routes: which goes before which where two have the same path."""

from collections.abc import Iterable

from bumper_tw.errors import StartError
from bumper_tw.web.engine.paths import Paths
from bumper_tw.web.routes import Layer, Route


def check(code: Iterable[Route]) -> None:
    """
    Each route of the program has its path for itself.

    @raise ValueError: two are for the same.
    """
    paths: Paths[Route] = Paths()
    for route in code:
        paths.add(route.path, route.methods, route)


def table(routes: Iterable[Route]) -> Paths[Route]:
    """
    Every route under its path, in the order of their layers.

    @raise StartError: one of the owner's is for a path of the program's, or of another of his.
    """
    paths: Paths[Route] = Paths()
    for route in sorted(routes, key=lambda route: route.layer):
        put(paths, route)
    return paths


def put(paths: Paths[Route], route: Route) -> None:
    """
    Put a route into a table, behind those of its path that are there already.

    @raise StartError: it is the owner's, and there is one.
    """
    yielding = route.layer in {Layer.CODE, Layer.SHIPPED}
    try:
        paths.add(route.path, route.methods, route, yielding)
    except ValueError as taken:
        hint = "" if route.layer is Layer.INSTEAD else ' by this program; say "instead": true'
        raise StartError(f"{route.origin}: {taken}{hint}") from taken


def room(paths: Paths[Route], path: bytes) -> int:
    """How long the body of a request may be, if one of the routes of its path says so; or 0."""
    try:
        found = paths.find(path)
    except ValueError:
        return 0
    return max((route.room for route in found.methods.values()), default=0) if found else 0
