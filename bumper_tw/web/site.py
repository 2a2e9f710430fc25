"""
The web site: every route under one roof for failures.

Paths with variables are on one Klein application.  A path without any is found in a
dictionary: that spares the busiest routes the walk through werkzeug's map, and the start the
making of it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast
from urllib.parse import unquote_to_bytes

from attrs import evolve
from klein import Klein
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import datetimeToString
from twisted.web.iweb import IRequest
from twisted.web.server import Site
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from bumper_tw.core.repeats import Repeats, again
from bumper_tw.errors import BadRequest, BumperError, CommandFailed, LoginRefused
from bumper_tw.front.crowd import Headcount, Unwelcome
from bumper_tw.web.call import Answer, Call, json_answer, plain_address
from bumper_tw.web.channel import LeanChannel
from bumper_tw.web.request import LeanRequest, Limits
from bumper_tw.web.routes import Route

T = TypeVar("T")

#: The failures a route's own family of clients hears of.
OURS = (BadRequest, LoginRefused, CommandFailed)
BROKEN = "something went wrong here; the log says more"
#: How many seconds clients have to close when the server stops; an answer that is in the
#: making then has to be there by the end of them.
FAREWELL = 1.0
#: As many lines about refusals of one client within a minute, of those there are.
LINES = 20


def printable(text: str, limit: int = 200) -> str:
    """C{text} for one line of a log: ASCII without control characters, and not too long."""
    return ascii(text[:limit])[1:-1]


def plain_failure(status: int, text: str) -> Answer:
    """What a client hears whose family is unknown."""
    return json_answer({"code": status, "msg": text, "message": text}, status)


class WebSite(Site):
    """
    Answers requests by routes.

    @ivar counts: how often what went wrong: C{unknown}, C{method}, C{refused}, C{broken},
        C{large}, C{slow}, C{crowded}; and C{requests} in all.
    @ivar channels: the connections there are, and the address each is from.
    @ivar everybody: how many that are.
    """

    _log = Logger()
    # Twisted's own would first negotiate HTTP/2.
    protocol = LeanChannel  # type: ignore[assignment]  # declared more narrowly than needed

    def __init__(self, routes: Iterable[Route], clock: IReactorTime, limits: Limits) -> None:
        self.app = Klein()
        super().__init__(self.app.resource(), LeanRequest, reactor=clock)
        # Twisted's is reset by every byte; L{LeanChannel} has its own.
        self.timeOut = None
        self.limits = limits
        self.counts: Counter[str] = Counter()
        self._exact: dict[bytes, dict[bytes, Route]] = {}
        self._date = (-1, b"")
        self._routes: dict[str, Route] = {}
        self.channels: dict[LeanChannel, str] = {}
        self.everybody = Headcount(limits.connections, limits.per_peer)
        self._waiting: list[Deferred[None]] = []
        self._said = Repeats(clock, share=LINES)
        # The private API has a path with two slashes in a row (http.md 3), which is not a
        # slip to be redirected.
        self.app.url_map.merge_slashes = False
        self._mount_failures()
        for route in routes:
            self._mount(route)

    def _mount(self, route: Route) -> None:
        def endpoint(request: LeanRequest, **segments: str) -> Deferred[None] | None:
            return self._answer(route, request, segments)

        name = f"{' '.join(route.methods)} {route.path}"
        if name in self._routes:
            raise ValueError(f"two routes are called {name}")
        self._routes[name] = route
        if "<" in route.path:
            self.app.route(route.path, methods=route.methods, endpoint=name)(endpoint)
        else:
            self._mount_path(route)

    def _mount_failures(self) -> None:
        def unrouted(request: IRequest, failure: Failure) -> None:
            self._unrouted(cast("LeanRequest", request), failure)

        self.app.handle_errors(HTTPException)(unrouted)

    def _mount_path(self, route: Route) -> None:
        methods = self._exact.setdefault(route.path.encode("utf-8"), {})
        methods.update({method.encode("ascii"): route for method in route.methods})
        if b"GET" in methods:
            methods.setdefault(b"HEAD", methods[b"GET"])

    def startFactory(self) -> None:
        """Twisted would begin an access log here."""

    def stopFactory(self) -> None:
        """See L{startFactory}."""

    def log(self, request: object) -> None:
        """Answers are counted, not logged."""

    def acceptableProtocols(self) -> list[bytes]:
        """L{LeanRequest} writes HTTP/1.1, whatever else Twisted could speak."""
        return [b"http/1.1"]

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """A connection, unless there are too many."""
        if self.everybody.full(plain_address(addr)):
            self.counts["crowded"] += 1
            return Unwelcome()
        return super().buildProtocol(addr)

    def opened(self, channel: LeanChannel) -> None:
        """A connection begins."""
        host = self.channels[channel] = plain_address(channel.getPeer())
        self.everybody.enter(host)

    def closed(self, channel: LeanChannel) -> None:
        """A connection has ended."""
        host = self.channels.pop(channel, None)
        if host is None:
            return
        self.everybody.leave(host)
        while self._waiting and not self.channels:
            self._waiting.pop().callback(None)

    def slow(self, channel: LeanChannel) -> None:
        """A request took too long to arrive."""
        self.counts["slow"] += 1
        patience, peer = f"{self.limits.request:g}", self.channels[channel]
        more = self._said.say(f"{peer} slow", peer)
        if more is not None:
            self._log.info(
                "closing {peer}: no whole request in {patience} s{more}",
                peer=peer,
                patience=patience,
                more=again(more),
            )

    def farewell(self) -> Deferred[None]:
        """
        Close every connection, once it has its answer; those that take longer than
        L{FAREWELL}, without.

        @return: fires when the last is gone.
        """
        for channel in list(self.channels):
            channel.finish()
        if not self.channels:
            return succeed(None)
        gone: Deferred[None] = Deferred()
        self._waiting.append(gone)
        patience = self.reactor.callLater(FAREWELL, self._abort_all)
        return gone.addBoth(self._no_more, patience)

    def _abort_all(self) -> None:
        for channel in list(self.channels):
            channel.abort()

    @staticmethod
    def _no_more(result: T, patience: IDelayedCall) -> T:
        if patience.active():
            patience.cancel()
        return result

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
        methods = self._exact.get(request.path) or self._exact.get(unquote_to_bytes(request.path))
        if methods is None:
            return self._unreadable(request)
        route = methods.get(request.method)
        if route is None:
            request.reply(self._wrong_method(Call(request, {}), methods))
            return True
        done = self._answer(route, request, {})
        if done is not None:
            request.notifyFinish().addErrback(lambda _: done.cancel())
            done.addErrback(self._hung_up, request)
        return True

    def _answer(
        self, route: Route, request: LeanRequest, segments: dict[str, str]
    ) -> Deferred[None] | None:
        """
        Ask the route and send what it says.

        @return: when that has to wait, something to wait for, or to cancel.
        """
        result = self._ask(route, Call(request, segments))
        if isinstance(result, Answer):
            request.reply(result)
            return None
        return result.addCallback(request.reply)

    def _unreadable(self, request: LeanRequest) -> bool:
        """Refuse what Klein would log a traceback for: a path that is not UTF-8."""
        call = Call(request, {})
        path = call.path
        if path.startswith("/") and "\ufffd" not in path:
            return False
        answer = plain_failure(404, "not found")
        request.reply(self._refuse(call, "unknown", answer, "the path is not readable"))
        return True

    def _hung_up(self, failure: Failure, request: LeanRequest) -> None:
        """Nobody waits for what was cancelled."""
        if failure.check(CancelledError) is None or not request._disconnected:  # noqa: SLF001
            self.broke(request, failure)

    def _ask(self, route: Route, call: Call) -> Answer | Deferred[Answer]:
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
        if isinstance(wrong, OURS):
            answer = self._failure_body(route, call, wrong)
            return self._refuse(call, "refused", answer, str(wrong))
        self.counts["broken"] += 1
        self._log.failure("{call} broke", Failure(wrong), call=describe(call))
        return evolve(self._failure_body(route, call, BumperError(BROKEN)), status=500)

    def _failure_body(self, route: Route, call: Call, wrong: Exception) -> Answer:
        try:
            return route.failure(call, wrong)
        except BadRequest as worse:
            # Its body names the question, and the question cannot be read.
            return plain_failure(400, str(worse))

    def _refuse(self, call: Call, kind: str, answer: Answer, reason: str) -> Answer:
        self.counts[kind] += 1
        more = self._said.say(f"{call.peer} {kind} {call.path[:64]}", call.peer)
        if more is not None:
            self._log.info(
                "refused {call}: {reason}{more}",
                call=describe(call),
                reason=printable(reason),
                more=again(more),
            )
        return answer

    def _unrouted(self, request: LeanRequest, failure: Failure) -> None:
        """Klein found no route, or none for this method."""
        wrong, call = failure.value, Call(request, {})
        if isinstance(wrong, MethodNotAllowed) and wrong.valid_methods:
            request.reply(self._wrong_method(call, self._others(call, wrong.valid_methods)))
        else:
            answer = plain_failure(404, "not found")
            request.reply(self._refuse(call, "unknown", answer, "there is no such path"))

    def _others(self, call: Call, methods: Iterable[str]) -> dict[bytes, Route]:
        """What Klein would answer on the same path, by method."""
        paths = self.app.url_map.bind("localhost")
        names = {method: paths.match(call.path, method)[0] for method in methods}
        return {method.encode("ascii"): self._routes[name] for method, name in names.items()}

    def _wrong_method(self, call: Call, others: Mapping[bytes, Route]) -> Answer:
        """There is such a path, for other methods."""
        allowed = sorted(method.decode("ascii") for method in others)
        text = f"the method is not {' or '.join(allowed)}"
        route = others[allowed[0].encode("ascii")]
        answer = self._failure_body(route, call, BadRequest(text))
        allow = (*answer.headers, ("Allow", ", ".join(allowed)))
        return self._refuse(call, "method", evolve(answer, status=405, headers=allow), text)

    def too_large(self, request: LeanRequest) -> Answer:
        """The answer to a body beyond L{Limits.max_body}."""
        text = f"the body is longer than {self.limits.max_body} bytes"
        return self._refuse(Call(request, {}), "large", plain_failure(413, text), text)

    def broke(self, request: LeanRequest, failure: Failure) -> None:
        """Log a bug outside of any route, and answer something."""
        self.counts["broken"] += 1
        self._log.failure("{call} broke", failure, call=describe(Call(request, {})))
        if not request.finished:
            request.reply(plain_failure(500, BROKEN))


def describe(call: Call) -> str:
    """Who wants what, for the log.  The query stays out: it holds tokens."""
    return f"{call.peer} {printable(call.method, 20)} {printable(call.path)}"


def build_site(
    routes: Iterable[Route], clock: IReactorTime, limits: Limits | None = None
) -> WebSite:
    """The site that answers by these routes."""
    return WebSite(routes, clock, limits or Limits())
