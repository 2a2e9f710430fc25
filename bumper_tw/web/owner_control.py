"""
What whoever owns the data folder may do about the owner's password: on the control socket, which
asks nobody for anything.
"""

from attrs import frozen
from twisted.internet.defer import Deferred

from bumper_tw.core.owner_access import OwnerAccess
from bumper_tw.core.owner_code import GOOD_FOR
from bumper_tw.errors import BadRequest
from bumper_tw.web.api import failure
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.routes import GET, POST, Route

STATE_PATH, CODE_PATH, RESET_PATH = "/api/owner", "/api/owner/code", "/api/owner/reset"

IS_SET = "there is a password already; bumper owner reset removes it"


@frozen
class OwnerControl:
    """The routes on the control socket."""

    access: OwnerAccess

    def routes(self) -> tuple[Route, ...]:
        """C{/api/owner} and what is below it."""
        return (
            Route(STATE_PATH, GET, self.state, failure),
            Route(CODE_PATH, POST, self.code, failure),
            Route(RESET_PATH, POST, self.reset, failure),
        )

    def state(self, _: Call) -> Answer:
        """Whether there is an owner, and who is logged in."""
        return json_answer(state_of(self.access))

    def code(self, _: Call) -> Answer:
        """A new code for the first visit."""
        if self.access.is_set:
            raise BadRequest(IS_SET)
        return json_answer({"code": self.access.code.fresh(), "minutes": round(GOOD_FOR / 60)})

    def reset(self, _: Call) -> Deferred[Answer]:
        """No password any more, and nobody who is logged in."""
        return self.access.reset().addCallback(lambda _: json_answer(state_of(self.access)))


def state_of(access: OwnerAccess) -> dict[str, object]:
    """What is told of the owner."""
    return {
        "set": access.is_set,
        "since": access.set_at or None,
        "browsers": len(access.browsers()),
        "tokens": len(access.tokens.listed()),
    }
