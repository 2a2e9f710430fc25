"""
Our own API, for people's scripts and for home automation.

All of it answers JSON; a failure is C{{"error": <sentence>, "reason": <code>}} with a fitting
HTTP status.  When a robot was reached, and refuses, the status is 200, and its answer comes with
C{"ok": false} and these two.  Everything but C{/discover} needs a token:
C{Authorization: Bearer ...}.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from bumper_tw.core.fleet import Fleet
from bumper_tw.core.throttle import TooManyAttempts
from bumper_tw.dialect import refusals
from bumper_tw.dialect.envelopes import to_json
from bumper_tw.dialect.rest import checked_reply, command_name
from bumper_tw.dialect.translation import is_json
from bumper_tw.errors import (
    AnswerGarbled,
    BadRequest,
    CommandTimedOut,
    DeviceOffline,
    DeviceUnknown,
    Forbidden,
    LoginRefused,
    RobotBusy,
    ShuttingDown,
)
from bumper_tw.interfaces import ICommandCorrelator, ITelemetry, ITelemetryStore
from bumper_tw.readings import KINDS, Report, to_values
from bumper_tw.values import Command, Company, Device, PayloadKind, Principal, Reply
from bumper_tw.web.call import Answer, Call, checked, json_answer
from bumper_tw.web.routes import GET, POST, Ask, Route, guarded

#: Status and reason of every failure.
FAILURES: dict[type[Exception], tuple[int, str]] = {
    BadRequest: (400, "bad_request"),
    Forbidden: (403, "forbidden"),
    TooManyAttempts: (429, "busy"),
    LoginRefused: (401, "unauthorized"),
    DeviceUnknown: (404, "unknown_robot"),
    RobotBusy: (429, "busy"),
    AnswerGarbled: (502, "garbled"),
    DeviceOffline: (503, "offline"),
    ShuttingDown: (503, "stopping"),
    CommandTimedOut: (504, "timeout"),
}

#: Reason when it is the robot itself that does not want to.
REFUSED = "refused"

#: How robots of both generations are reached.
PROTOCOLS = {Company.MQTT: "mqtt", Company.XMPP: "xmpp"}

#: Seconds that somebody may wait for a robot.
MAX_TIMEOUT = 60.0
#: Reports in one answer, and when nobody says how many.
MAX_HISTORY, SOME_HISTORY = 1000, 100


class ApiRoutes:
    """
    The API.

    @param guard: tells who asks, or raises L{LoginRefused}.
    @param about: what anybody may know of this box: name, version, addresses, listeners.
    """

    def __init__(
        self,
        clock: IReactorTime,
        fleet: Fleet,
        commands: ICommandCorrelator,
        telemetry: ITelemetry,
        store: ITelemetryStore,
        guard: Callable[[Call], Principal],
        about: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._clock, self._fleet, self._commands = clock, fleet, commands
        self._telemetry, self._store = telemetry, store
        self._guard, self._about = guard, about

    def routes(self) -> tuple[Route, ...]:
        """Everything below C{/api} that is ours, and C{/discover}."""
        robot = "/api/robots/<did>/"
        return (
            Route("/discover", GET, self.discover, failure),
            Route("/api/command", POST, self._guarded(self.command), failure),
            Route("/api/robots", GET, self._guarded(self.robots), failure),
            Route(robot + "status", GET, self._guarded(self.status), failure),
            Route(robot + "history", GET, self._guarded(self.history), failure),
        )

    def _guarded(self, answer: Ask) -> Ask:
        return guarded(self._guard, answer)

    def discover(self, _: Call) -> Answer:
        """What this box is."""
        return json_answer(dict(self._about()))

    def robots(self, call: Call) -> Answer:
        """Every robot that the asker may use, the first known first."""
        seen = self._fleet.seen_by(self._guard(call).name)
        return json_answer({"robots": [self._robot(device) for device in seen]})

    def _asked(self, call: Call, did: str) -> Device:
        """The robot that a question is about."""
        return self._fleet.robot(self._guard(call).name, did)

    def _robot(self, device: Device) -> dict[str, Any]:
        return {
            "did": device.id.did,
            "class": device.id.model,
            "resource": device.id.resource,
            "name": device.name,
            "nick": device.nick,
            "firmware": device.firmware,
            "payload": device.kind.value,
            "protocol": PROTOCOLS[device.company],
            "online": self._fleet.registry.online(device.id.did),
        }

    def status(self, call: Call) -> Answer:
        """What a robot last said of each thing; it is not asked."""
        device = self._asked(call, call.segments["did"])
        now = self._clock.seconds()
        reports = self._telemetry.latest(device.id.did)
        kinds = {
            report.kind: {"age": round(max(0.0, now - report.at), 3), **to_values(report.reading)}
            for report in reports
        }
        return json_answer({**self._robot(device), "status": kinds})

    def history(self, call: Call) -> Deferred[Answer]:
        """What a robot has said, the newest first."""
        did = self._asked(call, call.segments["did"]).id.did
        kind = call.query("kind")
        if kind and kind not in KINDS:
            raise BadRequest(f"kind is none of {', '.join(sorted(KINDS))}")
        since = number(call.query("since", "0"), "since")
        limit = int(number(call.query("limit", str(SOME_HISTORY)), "limit"))
        found = self._store.history(did, kind, since, max(1, min(limit, MAX_HISTORY)))
        return found.addCallback(render_history)

    def command(self, call: Call) -> Deferred[Answer]:
        """Ask a robot something: in JSON by its name there, which any robot is asked by."""
        device = self._asked(call, call.field("did", str))
        name = command_name(call.field("name", str))
        kind = PayloadKind.JSON if is_json(name) else device.kind
        body = own_payload(kind, arguments(call.body()), self._clock.seconds())
        command = Command(device.id, name, body, kind)
        asked = self._clock.seconds()
        patience = timeout(call.body().get("timeout"))
        replied = self._commands.send(command, patience, "script")
        return replied.addCallback(self._render_reply, asked)

    def _render_reply(self, reply: Reply, asked: float) -> Answer:
        is_json = reply.command.kind is PayloadKind.JSON
        said = checked_reply(reply) if is_json else reply.body.decode("utf-8", "replace")
        refusal = refusals.in_json(said) if is_json else refusals.in_xml(reply.body)
        answer = {
            "did": reply.command.device.did,
            "name": reply.command.name,
            "ok": not refusal,
            "reply": said,
            "seconds": round(self._clock.seconds() - asked, 3),
        }
        return json_answer(answer | ({"error": refusal, "reason": REFUSED} if refusal else {}))


def arguments(body: Mapping[str, Any]) -> Any:
    """
    What a command says besides its name: its C{data}.  It may also be called C{payload}, as
    under short topics, where it may be whole: with a header, and a body around the data.
    """
    if "data" in body:
        return body["data"]
    payload = body.get("payload")
    if isinstance(payload, dict) and payload.keys() & {"header", "body"}:
        inner = payload.get("body")
        return inner.get("data") if isinstance(inner, dict) else None
    return payload


def render_history(reports: Iterable[Report]) -> Answer:
    """Reports with their times, in seconds since the epoch."""
    rows = [{"kind": r.kind, "at": r.at, **to_values(r.reading)} for r in reports]
    return json_answer({"reports": rows})


def timeout(value: object) -> float | None:
    """
    How long to wait; C{None} for as long as usual.

    @raise BadRequest: that is no time, or too long.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest("timeout is not a number")
    if not 0 < value <= MAX_TIMEOUT:
        raise BadRequest(f"timeout is not between 0 and {MAX_TIMEOUT:g} seconds")
    return float(value)


def number(text: str, name: str) -> float:
    """
    A number from a query, not negative and not beyond what a file can hold.

    @raise BadRequest: it is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < 2**53:
        raise BadRequest(f"{name} is not a number")
    return value


def own_payload(kind: PayloadKind, data: object, now: float) -> bytes:
    """
    A payload, written in one of the ways.

    @param data: for JSON anything, or C{None} for no arguments; for XML the element as text,
        or its attributes.
    @param now: seconds since the epoch.
    @raise BadRequest: it cannot be written that way.
    """
    if kind is PayloadKind.XML:
        return own_xml(data)
    value: dict[str, Any] = {
        "header": {"pri": "1", "ts": int(now * 1000), "tzm": 480, "ver": "0.0.50"}
    }
    if data is not None:
        value["body"] = {"data": data}
    try:
        return to_json(value)
    except RecursionError as deep:
        raise BadRequest("data is nested too deeply") from deep


def own_xml(data: object) -> bytes:
    """
    A C{<ctl/>} element.

    @raise BadRequest: it is neither one nor a set of attributes.
    """
    if isinstance(data, str):
        if not data.lstrip().startswith("<ctl"):
            raise BadRequest("data is no <ctl/> element")
        return data.encode("utf-8", "replace")
    attributes = checked({} if data is None else data, "data", dict)
    written = "".join(f" {attribute(name, value)}" for name, value in attributes.items())
    return f"<ctl{written}/>".encode("utf-8", "replace")


def attribute(name: str, value: object) -> str:
    """
    One attribute of an element.

    @raise BadRequest: the name is none in XML, or the value not flat.
    """
    if not (name.isascii() and name.isidentifier()):
        raise BadRequest("data has a name that is no attribute")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadRequest(f"{name} is neither a text nor a number")
    text = "".join(letter for letter in str(value) if letter >= " " or letter in "\t\n\r")
    return f"{name}={quoteattr(text)}"


def failure(_: Call, why: Exception) -> Answer:
    """The sentence and the code of a failure; a stranger is told how to log in."""
    known = (found for cls, found in FAILURES.items() if isinstance(why, cls))
    status, reason = next(known, (500, "failed"))
    challenge = (("WWW-Authenticate", "Bearer"),) if status == 401 else ()
    body = to_json({"error": str(why), "reason": reason})
    return Answer(body, status, headers=challenge)
