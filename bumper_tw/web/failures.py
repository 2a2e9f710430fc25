"""How clients of the portal hear of a failure (http.md 2.2), whatever route they used."""

from bumper_tw.dialect.envelopes import portal_failed
from bumper_tw.errors import LoginRefused
from bumper_tw.web.account_bodies import NO_SESSION
from bumper_tw.web.call import Answer, Call, json_answer


def portal_failure(_: Call, why: Exception) -> Answer:
    """The opposite of S3."""
    return json_answer(portal_failed(str(why)))


def session_failure(_: Call, why: Exception) -> Answer:
    """The same, with a code that sends whoever has no session back to the log-in."""
    code = NO_SESSION if isinstance(why, LoginRefused) else 1
    return json_answer(portal_failed(str(why), code))
