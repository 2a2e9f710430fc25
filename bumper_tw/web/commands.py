"""Commands to robots over the vendor's API (http-devices.md 3)."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from twisted.internet.defer import Deferred

from bumper_tw.core.fleet import Fleet
from bumper_tw.dialect import rest
from bumper_tw.dialect.envelopes import app_failed, iot_failed, todo_ok
from bumper_tw.errors import BadRequest, CommandFailed, LoginRefused
from bumper_tw.interfaces import ICommandCorrelator
from bumper_tw.values import Command, Reply, RequestId
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.routes import POST, Route

#: One of the functions of the server behind C{devmanager.do}, by C{td}.
Function = Callable[[Call, Mapping[str, Any]], Answer | Deferred[Answer]]

#: What the app checks before it reads the body (http-devices.md 3.3).
NGIOT = (("x-ngiot-fmt", "b"), ("x-ngiot-ret", "ok"))
BYTES = "application/octet-stream; charset=utf-8"

#: C{errno} when the token does not open anything (http.md 2.3).
NO_SESSION = 3

#: Lawn mowers know only the older name, where C{devmanager.do} is asked (http-devices.md 3.5);
#: vacuums mean something else by it.
MOWER = "GOATBOT"
RENAMED = {"clean_V2": "clean"}

#: Who asks, in the owner's list of commands.
APP = "app"


class CommandRoutes:
    """
    Puts the questions of apps to robots.

    @param ids: what failures are known by; answers carry the id the robot was asked under.
    @param category: the product category of a class of robots (http-devices.md 1.1).
    @param guard: lets those through who may use the portal, and says who it is.
    @param functions: what the server does itself; of what is not among them it says that all
        is well, if it is known at all (L{rest.FUNCTIONS}).
    """

    def __init__(
        self,
        fleet: Fleet,
        commands: ICommandCorrelator,
        ids: Iterator[RequestId],
        category: Callable[[str], str],
        guard: Callable[[Call], str],
        functions: Mapping[str, Function] = MappingProxyType({}),
    ) -> None:
        self._fleet, self._commands, self._functions = fleet, commands, functions
        self._ids, self._category, self._guard = ids, category, guard

    def routes(self) -> tuple[Route, ...]:
        """DV02, DV03 and DV04."""
        return (
            Route("/api/iot/devmanager.do", POST, self.control, self.failure),
            Route("/api/dim/devmanager.do", POST, self.control, self.failure),
            Route("/api/iot/endpoint/control", POST, self.endpoint, self.failure),
        )

    def control(self, call: Call) -> Answer | Deferred[Answer]:
        """A command, or a function of the server when no robot is named."""
        uid, body = self._guard(call), call.body()
        command = rest.command_v1(body)
        if command is None:
            return self._function(call, body)
        return self.send(uid, command, RENAMED).addCallback(answer_v1)

    def _function(self, call: Call, body: Mapping[str, Any]) -> Answer | Deferred[Answer]:
        td = rest.text_of(body, "td") or call.query("td")
        real = self._functions.get(td)
        return json_answer(function(td)) if real is None else real(call, body)

    def endpoint(self, call: Call) -> Deferred[Answer]:
        """A command whose answer comes without a wrapping."""
        uid = self._guard(call)
        query = {name: call.query(name) for name in ("eid", "et", "er", "apn", "fmt")}
        return self.send(uid, rest.command_v2(query, call.raw)).addCallback(answer_v2)

    def robot_control(self, call: Call, body: Mapping[str, Any]) -> Deferred[Answer]:
        """A tile of the app's home screen: a C{todo} of C{app.do}."""
        tile = rest.command_p2p(body)
        return self.send(self._guard(call), tile.command).addCallback(answer_p2p, tile)

    def send(
        self, uid: str, command: Command, renamed: Mapping[str, str] = MappingProxyType({})
    ) -> Deferred[Reply]:
        """
        Ask a robot, at the address we know: a list in an app may be older than the robot's
        last change of its resource.

        @param uid: who asks.
        @param renamed: what lawn mowers are told instead.
        @raise DeviceUnknown: there is no such robot, or none of his.
        """
        device, name = self._fleet.robot(uid, command.device.did), command.name
        if name in renamed and self._category(device.id.model) == MOWER:
            name = renamed[name]
        # "evolve" would cost as much as all the rest here.
        asked = Command(device.id, name, command.body, command.kind)
        return self._commands.send(asked, None, APP)

    def failure(self, _: Call, why: Exception) -> Answer:
        """E8 for a command, E7 for what is none."""
        if isinstance(why, CommandFailed):
            return json_answer(rest.failure(next(self._ids), why))
        errno = NO_SESSION if isinstance(why, LoginRefused) else 1
        return json_answer(iot_failed(str(why), errno))

    def todo_failure(self, call: Call, why: Exception) -> Answer:
        """The same for C{app.do}: E8 or E5."""
        if isinstance(why, CommandFailed):
            return self.failure(call, why)
        return json_answer(app_failed())


def function(td: str) -> dict[str, Any]:
    """
    What a function of the server answers (http-devices.md 3.6).

    @raise BadRequest: there is none of that name.
    """
    try:
        return rest.FUNCTIONS[td]
    except KeyError:
        raise BadRequest("neither toId nor a known td") from None


def answer_v1(reply: Reply) -> Answer:
    """S5."""
    return Answer(rest.success_v1(reply))


def answer_v2(reply: Reply) -> Answer:
    """What the robot said, and nothing around it."""
    return Answer(rest.resp(reply), content_type=BYTES, headers=NGIOT)


def answer_p2p(reply: Reply, tile: rest.Tile) -> Answer:
    """S2 around what the tile shows."""
    return json_answer(todo_ok(rest.success_p2p(tile, reply)))
