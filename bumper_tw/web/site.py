"""
The web site: every route under one roof for failures.

The vendor's paths, and all without variables, are found in a table of our own: that spares the
busiest routes the walk through werkzeug's map, and the start the making of it.  The rest of our
own API is on a Klein application.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from typing import TypeVar, cast

from attrs import evolve
from klein import Klein
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from twisted.web.http import datetimeToString
from twisted.web.iweb import IRequest
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from bumper_tw.errors import (
    BadRequest,
    BumperError,
    CommandFailed,
    Forbidden,
    LoginRefused,
    StorageError,
)
from bumper_tw.front.crowd import Headcount
from bumper_tw.web.call import Answer, Call
from bumper_tw.web.channel import LeanChannel
from bumper_tw.web.connections import Connected
from bumper_tw.web.engine.answers import Answers
from bumper_tw.web.engine.complaints import Complaints, words_of
from bumper_tw.web.engine.paths import Found
from bumper_tw.web.engine.table import check, room, table
from bumper_tw.web.engine.wrapping import family, is_own
from bumper_tw.web.origins import FOREIGN, is_foreign, is_of_app, is_safe
from bumper_tw.web.own_pages import OwnPages, is_hidden
from bumper_tw.web.plain import NOBODYS, not_found, plain_failure
from bumper_tw.web.recording import UNKNOWN, note, note_refusal
from bumper_tw.web.request import LeanRequest, Limits, origin_form
from bumper_tw.web.routes import Route

T = TypeVar("T")

#: The failures a route's own family of clients hears of.
OURS = (BadRequest, LoginRefused, CommandFailed)
SEE_OTHER = 303
UNSTORED = "cannot be stored now"
TWO_HOSTS = "there is more than one Host header"
BROKEN = "something went wrong here; the log says more"
#: As many uploads, whose bodies may be longer than others', are taken at the same time, each
#: from another address.
LARGE = 4


class WebSite(Connected):
    """
    Answers requests by routes.

    @ivar counts: how often what went wrong: C{unknown}, C{method}, C{refused}, C{broken},
        C{unstored}, C{large}, C{slow}, C{crowded}; and C{requests} in all.
    @ivar large: how many requests with a body longer than usual are on their way.
    @ivar unknown: answers what there is no route for; its C{None} is a 404.
    """

    def __init__(
        self,
        routes: Iterable[Route],
        clock: IReactorTime,
        limits: Limits,
        answers: Answers | None = None,
    ) -> None:
        """
        @param answers: those that are data.
        """
        self.app = Klein()
        super().__init__(self.app.resource(), clock, limits)
        self._complaints = Complaints(clock)
        self.counts = self._complaints.counts
        self.unknown: Callable[[Call, Container[str]], Answer | None] = lambda _call, _words: None
        self._answers = answers
        self._code: list[Route] = []
        self._date = (-1, b"")
        self._routes: dict[str, Route] = {}
        self.large = Headcount(LARGE, 1)
        # The private API has a path with two slashes in a row (http.md 3), which is not a
        # slip to be redirected.
        self.app.url_map.merge_slashes = False
        self._mount_failures()
        self._pages = OwnPages()
        for route in routes:
            if route.here is not None:
                self._mount(route)
                self._pages.add(route, route.here)
            elif "<" in route.path and family(route.path) is None:
                self._mount(route)
            else:
                self._code.append(route)
        check(self._code)
        self._use(self._data())

    @property
    def routes(self) -> list[Route]:
        """Every route there is, each with those behind it that never answer."""
        return [*self._routes.values(), *self._code, *self._data()]

    def _use(self, data: Iterable[Route]) -> None:
        routes = [*self._code, *data]
        self._paths = table(routes)
        self._complaints.words = words_of([*self._routes.values(), *routes])

    def find(self, path: bytes) -> Found[Route] | None:
        """The routes of a path, by method, as long as they are not Klein's."""
        return self._paths.find(path)

    def _data(self) -> Iterable[Route]:
        return self._answers.routes() if self._answers is not None else ()

    def reload(self) -> None:
        """
        Read the answers that are data anew.

        @raise StartError: something is wrong with them; they stay as they were.
        """
        if self._answers is not None:
            self._answers.load(self._use)

    def _mount(self, route: Route) -> None:
        def endpoint(request: LeanRequest, **segments: str) -> Deferred[None] | None:
            if is_hidden(route, Call(request, segments)):
                request.reply(self._nowhere(request))
                return None
            return self._answer(route, request, segments)

        name = f"{' '.join(route.methods)} {route.path}"
        if name in self._routes:
            raise ValueError(f"two routes are called {name}")
        self._routes[name] = route
        self.app.route(route.path, methods=route.methods, endpoint=name)(endpoint)

    def _mount_failures(self) -> None:
        def unrouted(request: IRequest, failure: Failure) -> None:
            self._unrouted(cast("LeanRequest", request), failure)

        self.app.handle_errors(HTTPException)(unrouted)

    def startFactory(self) -> None:
        """Twisted would begin an access log here."""

    def stopFactory(self) -> None:
        """See L{startFactory}."""

    def log(self, request: object) -> None:
        """Answers are counted, not logged."""

    def acceptableProtocols(self) -> list[bytes]:
        """L{LeanRequest} writes HTTP/1.1, whatever else Twisted could speak."""
        return [b"http/1.1"]

    def slow(self, channel: LeanChannel) -> None:
        """A request took too long to arrive."""
        self._complaints.slow(self.channels[channel], self.limits.request)

    def date(self) -> bytes:
        """The time as HTTP spells it, made once a second."""
        now = int(self.reactor.seconds())
        if now != self._date[0]:
            self._date = (now, datetimeToString(now))
        return self._date[1]

    def serve(self, request: LeanRequest) -> bool:
        """
        Answer a request whose path alone says what to do.

        @return: whether that was so.
        """
        self.counts["requests"] += 1
        if len(request.requestHeaders.getRawHeaders(b"host", ())) > 1:
            # RFC 9112, 3.2: somebody may look at the one, and somebody else at the other.
            request.reply(self._nothing_clear(Call(request, {})))
            return True
        if self._pages.has(request.path, Call(request, {})):
            return False
        try:
            found = self._paths.find(request.path)
        except ValueError:
            return self._unreadable(request)
        if found is None:
            return self._elsewhere(request)
        route = found.methods.get(request.method)
        if route is None:
            request.reply(self._wrong_method(Call(request, found.segments), found.methods))
            return True
        done = self._answer(route, request, found.segments)
        if done is not None:
            request.notifyFinish().addErrback(lambda _: done.cancel())
            done.addErrback(self._hung_up, request)
        return True

    def _nothing_clear(self, call: Call) -> Answer:
        note(call, UNKNOWN)
        return self._refuse(call, "unknown", plain_failure(400, TWO_HOSTS), TWO_HOSTS)

    def _elsewhere(self, request: LeanRequest) -> bool:
        """
        A path that the table does not have.

        @return: whether Klein cannot have it either, and it is answered.
        """
        path = Call(request, {}).path
        if not path.startswith("/") or "\ufffd" in path:
            # Klein would log a traceback for what is not UTF-8.
            return self._unreadable(request)
        if family(path) is None:
            return False
        request.reply(self._nowhere(request))
        return True

    def _answer(
        self, route: Route, request: LeanRequest, segments: dict[str, str]
    ) -> Deferred[None] | None:
        """
        Ask the route and send what it says.

        @return: when that has to wait, something to wait for, or to cancel.
        """
        call = Call(request, segments)
        note(call, route.path)
        result = self._ask(route, call)
        if isinstance(result, Answer):
            request.reply(result)
            return None
        return result.addCallback(request.reply)

    def _unreadable(self, request: LeanRequest) -> bool:
        call, reason = Call(request, {}), "the path is not readable"
        note(call, UNKNOWN)
        request.reply(self._refuse(call, "unknown", not_found(call), reason))
        return True

    def _nowhere(self, request: LeanRequest) -> Answer:
        """There is no such path; somebody may have an answer all the same."""
        call = Call(request, {})
        note(call, UNKNOWN)
        try:
            answer = self.unknown(call, self._complaints.words)
        except Exception as wrong:  # noqa: BLE001 - the top of the web tree
            return self._excuse(NOBODYS, call, wrong)
        if answer is not None:
            self.counts["unknown"] += 1
            return answer
        return self._refuse(call, "unknown", not_found(call), "there is no such path")

    def _hung_up(self, failure: Failure, request: LeanRequest) -> None:
        """Nobody waits for what was cancelled."""
        if failure.check(CancelledError) is None or not request._disconnected:  # noqa: SLF001
            self.broke(request, failure)

    def _ask(self, route: Route, call: Call) -> Answer | Deferred[Answer]:
        if is_slipped_in(route, call):
            answer = self._failure_body(route, call, Forbidden(FOREIGN))
            return self._refuse(call, "refused", evolve(answer, status=403), FOREIGN, route)
        try:
            result = route.answer(call)
        except Exception as wrong:  # noqa: BLE001 - the top of the web tree
            return self._excuse(route, call, wrong)
        if isinstance(result, Answer):
            return result
        return result.addErrback(self._excuse_late, route, call)

    def _excuse_late(self, failure: Failure, route: Route, call: Call) -> Answer:
        wrong = failure.value
        if not isinstance(wrong, Exception) or isinstance(wrong, CancelledError):
            failure.raiseException()
        return self._excuse(route, call, wrong)

    def _excuse(self, route: Route, call: Call, wrong: Exception) -> Answer:
        """The failure as the client of this route understands it."""
        if isinstance(wrong, LoginRefused):
            note_refusal(call, route.path, str(wrong))
        if isinstance(wrong, OURS):
            answer = self._failure_body(route, call, wrong)
            if answer.status == SEE_OTHER:
                # Somebody is shown where to log in: that is no news.
                return answer
            return self._refuse(call, "refused", answer, str(wrong), route)
        if isinstance(wrong, StorageError):
            self._complaints.unstored(call, wrong, route)
            answer = self._failure_body(route, call, BumperError(UNSTORED))
            return evolve(answer, status=503) if is_own(call.path) else answer
        self._complaints.broke(call, Failure(wrong), route)
        return evolve(self._failure_body(route, call, BumperError(BROKEN)), status=500)

    def _failure_body(self, route: Route, call: Call, wrong: Exception) -> Answer:
        try:
            return route.failure(call, wrong)
        except BadRequest as worse:
            # Its body names the question, and the question cannot be read.
            return plain_failure(400, str(worse))

    def _refuse(
        self, call: Call, kind: str, answer: Answer, reason: str, route: Route = NOBODYS
    ) -> Answer:
        self._complaints.refused(call, kind, reason, route)
        return answer

    def _unrouted(self, request: LeanRequest, failure: Failure) -> None:
        """Klein found no route, or none for this method."""
        wrong, call = failure.value, Call(request, {})
        methods = wrong.valid_methods if isinstance(wrong, MethodNotAllowed) else None
        others = self._others(call, methods or ())
        if others:
            request.reply(self._wrong_method(call, others))
        else:
            request.reply(self._nowhere(request))

    def _others(self, call: Call, methods: Iterable[str]) -> dict[bytes, Route]:
        """What Klein would answer on the same path, by method."""
        paths = self.app.url_map.bind("localhost")
        names = {method: paths.match(call.path, method)[0] for method in methods}
        found = {method.encode("ascii"): self._routes[name] for method, name in names.items()}
        return {method: route for method, route in found.items() if not is_hidden(route, call)}

    def _wrong_method(self, call: Call, others: Mapping[bytes, Route]) -> Answer:
        """There is such a path, for other methods."""
        note(call, UNKNOWN if not others else next(iter(others.values())).path)
        allowed = sorted(method.decode("ascii") for method in others)
        text = f"the method is not {' or '.join(allowed)}"
        route = others[allowed[0].encode("ascii")]
        answer = self._failure_body(route, call, BadRequest(text))
        allow = (*answer.headers, ("Allow", ", ".join(allowed)))
        answer = evolve(answer, status=405, headers=allow)
        return self._refuse(call, "method", answer, text, route)

    def room(self, target: bytes) -> int:
        """
        How long a body may be.

        @param target: of its request.
        """
        path = origin_form(target).partition(b"?")[0]
        return room(self._paths, path) or self.limits.max_body

    def too_large(self, request: LeanRequest, room: int) -> Answer:
        """The answer to a body beyond its L{room}."""
        text, call = f"the body is longer than {room} bytes", Call(request, {})
        note(call, UNKNOWN)
        return self._refuse(call, "large", plain_failure(413, text), text)

    def broke(self, request: LeanRequest, failure: Failure) -> None:
        """Log a bug outside of any route, and answer something."""
        self._complaints.broke(Call(request, {}), failure)
        if not request.finished:
            request.reply(plain_failure(500, BROKEN))


def is_slipped_in(route: Route, call: Call) -> bool:
    """
    Whether a page of another site has a browser change something here.  Pages of our own look at
    that themselves, and show what is wrong; the app's pages ask the vendor's paths.
    """
    if route.here is not None or is_safe(call) or not is_foreign(call):
        return False
    return is_own(route.path) or not is_of_app(call)


def build_site(
    routes: Iterable[Route],
    clock: IReactorTime,
    limits: Limits | None = None,
    answers: Answers | None = None,
) -> WebSite:
    """
    The site that answers by these routes.

    @param answers: those that are data.
    """
    return WebSite(routes, clock, limits or Limits(), answers)
