"""What is said of requests of which nobody knows whose they are: to clients, and in the log."""

from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.routes import Route


def printable(text: str, limit: int = 200) -> str:
    """C{text} for one line of a log: ASCII without control characters, and not too long."""
    return ascii(text[:limit])[1:-1]


def plain_failure(status: int, text: str) -> Answer:
    """What a client hears whose family is unknown."""
    return json_answer({"code": status, "msg": text, "message": text}, status)


def describe(call: Call, path: str) -> str:
    """
    Who wants what, for the log.  The query stays out: it holds tokens.

    @param path: the one that was asked for, without what is somebody's.
    """
    return f"{call.peer} {printable(call.method, 20)} {printable(path)}"


def not_found(_: Call) -> Answer:
    """What there is no route for."""
    return plain_failure(404, "not found")


#: Stands for the route of a path that has none.
NOBODYS = Route("", (), not_found, lambda _, why: plain_failure(400, str(why)))
