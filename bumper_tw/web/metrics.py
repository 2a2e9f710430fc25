"""
The route of figures: for whoever has an account, and for programs that have a token for nothing
else.
"""

from collections.abc import Callable
from hmac import compare_digest

from bumper_tw.core.throttle import Throttle
from bumper_tw.errors import LoginRefused
from bumper_tw.web.api import failure
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.routes import GET, Route

#: The path, and how those who are wrong are told from others who are.
PATH, ACCOUNT = "/metrics", "metrics"

#: The path on the control socket.
CONTROL_PATH = "/api/metrics"

#: An answer that has to be asked for again.
NOT_KEPT = (("Cache-Control", "no-store"),)

#: Gives all figures in one of the formats that somebody understands, and the name of that.
Render = Callable[[str], tuple[bytes, str]]


class MetricsRoutes:
    """
    The route.

    @ivar refused: how often somebody had a wrong token.
    """

    def __init__(
        self,
        render: Render,
        guard: Callable[[Call], object],
        token: Callable[[], bytes],
        throttle: Throttle,
    ) -> None:
        """
        @param guard: raises L{LoginRefused} for whoever has no account that may see this.
        @param token: what opens it besides; nothing when nobody chose one.
        @param throttle: limits wrong tokens; who brings C{token} is let in all the same.
        """
        self._render, self._guard = render, guard
        self._token, self._throttle = token, throttle
        self.refused = 0

    def routes(self) -> tuple[Route, ...]:
        """C{/metrics}."""
        return (Route(PATH, GET, self.show, failure),)

    def control_routes(self) -> tuple[Route, ...]:
        """For the control socket only: nobody has to say who he is."""
        return (Route(CONTROL_PATH, GET, self.told, failure),)

    def show(self, call: Call) -> Answer:
        """All figures, as they are now."""
        self._admit(call)
        body, kind = self._render(call.header("accept"))
        return Answer(body, content_type=kind, headers=NOT_KEPT)

    def told(self, _: Call) -> Answer:
        """The same within JSON, as commands ask for it."""
        body, _kind = self._render("")
        return json_answer({"text": body.decode()})

    def _admit(self, call: Call) -> None:
        """
        @raise LoginRefused: somebody who may not see this.
        """
        bearer = call.bearer()
        if not bearer:
            raise LoginRefused(
                "a token is needed: the one in the file of metrics.token_file, or an account's"
            )
        try:
            self._look(call, bearer.encode())
        except LoginRefused:
            self.refused += 1
            raise

    def _look(self, call: Call, bearer: bytes) -> None:
        # It is too long to be guessed.  Others behind the same address, wrong as they may be, must
        # not keep out who has it.
        token = self._token()
        if token and compare_digest(bearer, token):
            return
        guess = self._throttle.guess(call.peer, ACCOUNT)
        try:
            self._guard(call)
        except LoginRefused:
            guess.wrong()
            raise
