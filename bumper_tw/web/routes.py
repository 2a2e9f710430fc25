"""What a route is: a path, a question, and how its family of clients hears of a failure."""

from collections.abc import Callable, Iterator
from enum import IntEnum

from attrs import frozen
from twisted.internet.defer import Deferred

from bumper_tw.web.call import Answer, Call

#: The front of every path of the private API (http.md 1.6).
PRIVATE = "/<version>/private/<country>/<lang>/<device>/<app>/<appversion>/<channel>/<kind>"

GET = ("GET",)
POST = ("POST",)
#: Where the reference takes any method, clients use these two (http-endpoints.md 1).
ANY = ("GET", "POST")

Ask = Callable[[Call], Answer | Deferred[Answer]]
Excuse = Callable[[Call, Exception], Answer]


class Layer(IntEnum):
    """Where a route comes from; when two are for one path, the first of these answers."""

    #: The owner's data, where he insists.
    INSTEAD = 0
    #: The program.
    CODE = 1
    #: The owner's data.
    OWNERS = 2
    #: The data that comes with the program.
    SHIPPED = 3


@frozen
class Route:
    """
    One endpoint.

    @ivar path: C{<name>} stands for any segment, which becomes one of L{Call.segments}.
    @ivar answer: asks the question.  What it raises, or its Deferred fails with, goes to
        C{failure} when it is ours; anything else is a bug, logged, and a 500 there.
    @ivar failure: makes the error body of this family of clients.
    @ivar layer: where it comes from.
    @ivar room: bytes that a body may be long; 0 for as many as everywhere.
    @ivar origin: where it stands, if it comes from data.
    @ivar here: for a page of ours: whether it is there for whoever calls this box by that name;
        for everybody else another route of the same path answers, or none.
    """

    path: str
    methods: tuple[str, ...]
    answer: Ask
    failure: Excuse
    layer: Layer = Layer.CODE
    room: int = 0
    origin: str = ""
    here: Callable[[Call], bool] | None = None


def guarded(guard: Callable[[Call], object], answer: Ask) -> Ask:
    """
    The same question for those only who may ask it.

    @param guard: raises L{LoginRefused<bumper_tw.errors.LoginRefused>} for anybody else.
    """

    def ask(call: Call) -> Answer | Deferred[Answer]:
        guard(call)
        return answer(call)

    return ask


def private(version: str, rest: str) -> str:
    """
    A path of the private API.

    @param version: C{"v1"}, C{"v2"} or C{"v3"}.
    @param rest: what follows the seven segments, from the slash on.
    """
    return PRIVATE.replace("<version>", version) + rest


def both(
    first: str, *more: str, methods: tuple[str, ...], answer: Ask, failure: Excuse
) -> Iterator[Route]:
    """The same endpoint under several paths."""
    for path in (first, *more):
        yield Route(path, methods, answer, failure)
