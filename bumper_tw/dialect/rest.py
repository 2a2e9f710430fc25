"""
Three spellings of a command over HTTP, and of its answer (http-devices.md 3).

v1 is C{devmanager.do}, v2 C{endpoint/control}, and p2p the C{RobotControl} of C{app.do}.
The address in a parsed command is what the client said, as far as it said anything; whoever
sends it on takes class and resource from the registry.
"""

import re
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from bumper_tw.dialect import refusals, translation
from bumper_tw.dialect.envelopes import command_failed, parse_json, to_json
from bumper_tw.errors import (
    AnswerGarbled,
    BadRequest,
    CommandFailed,
    CommandTimedOut,
    DeviceOffline,
    DeviceUnknown,
)
from bumper_tw.values import Command, DeviceId, PayloadKind, Reply

#: A command becomes a level of a topic; the longest one known has 27 letters.
NAME = re.compile(r"[A-Za-z0-9_.:-]{1,64}")

#: What the home screen of the app calls the steps of a job, and what robots call them.
ACTS = {"s": "start", "p": "pause", "r": "resume", "t": "stop"}

#: The functions of C{devmanager.do} that ask us and not a robot (http-devices.md 3.6).
FUNCTIONS: dict[str, dict[str, Any]] = {
    "PollSCResult": {"ret": "ok"},
    "PreWifiConfig": {"ret": "ok"},
    "HasUnreadMsg": {"ret": "ok", "unRead": False},
    "ReceiveShareDevice": {"ret": "ok"},
}

#: What clients understand of a failure; every other one is 500 with its own text.
FAILURES: dict[type[CommandFailed], tuple[int, str]] = {
    DeviceOffline: (4200, "endpoint offline"),
    DeviceUnknown: (500, "requested bot is not supported"),
    CommandTimedOut: (500, "wait for response timed out"),
}


def text_of(values: Mapping[str, Any], name: str) -> str:
    """A text, or nothing at all."""
    value = values.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRequest(f"{name} is not a text")
    return value


def command_name(name: str) -> str:
    """
    The name of a command.

    @raise BadRequest: a robot could not even be asked that.
    """
    if NAME.fullmatch(name) is None:
        raise BadRequest("that is no name of a command")
    return name


def payload_kind(text: str) -> PayloadKind:
    """
    How the payload is written; JSON unless said otherwise.

    @raise BadRequest: in no way a client can.
    """
    if text not in {"", "j", "x"}:
        raise BadRequest("payloads are written as j or x")
    return PayloadKind(text or "j")


def command_v1(body: Mapping[str, Any]) -> Command | None:
    """
    The command in the body of C{devmanager.do}.

    @return: C{None} when it names no robot, and asks us (L{FUNCTIONS}).
    @raise BadRequest: it is none.
    """
    did = text_of(body, "toId")
    if not did:
        return None
    kind = payload_kind(text_of(body, "payloadType"))
    device = DeviceId(did, text_of(body, "toType"), text_of(body, "toRes"))
    name = command_name(text_of(body, "cmdName"))
    return Command(device, name, payload(body.get("payload"), kind), kind)


def payload(value: object, kind: PayloadKind) -> bytes:
    """
    A payload as it goes to the robot.

    @raise BadRequest: it is not of its kind, or not there.
    """
    if value is None:
        raise BadRequest("payload is missing")
    if isinstance(value, str):
        return value.encode("utf-8", "replace") if kind is PayloadKind.XML else json_text(value)
    if kind is PayloadKind.XML:
        raise BadRequest("payload is not a text")
    try:
        return to_json(value)
    except RecursionError as deep:
        raise BadRequest("payload is nested too deeply") from deep


def json_text(text: str) -> bytes:
    """
    The payload that a form carries as text (http.md 1.4).

    @raise BadRequest: the text is no JSON.
    """
    raw = text.encode("utf-8", "replace")
    try:
        parse_json(raw)
    except ValueError as wrong:
        raise BadRequest("payload is not JSON") from wrong
    return raw


def command_v2(query: Mapping[str, str], raw: bytes) -> Command:
    """
    The command in a request to C{endpoint/control}.

    @param query: C{eid} did, C{et} class, C{er} resource, C{apn} name, C{fmt} kind.
    @param raw: the body, which is the payload; for XML, a JSON string.
    @raise BadRequest: it is none.
    """
    if not query["eid"]:
        raise BadRequest("eid is missing")
    kind = payload_kind(query["fmt"])
    try:
        value = parse_json(raw)
    except ValueError as wrong:
        raise BadRequest("the body is not JSON") from wrong
    body = payload(value, kind) if kind is PayloadKind.XML else raw
    device = DeviceId(query["eid"], query["et"], query["er"])
    return Command(device, command_name(query["apn"]), body, kind)


@frozen
class Tile:
    """
    What a tile of the app's home screen asks for.

    @ivar label: the name the app used, under which it expects the answer.
    """

    label: str
    command: Command


def command_p2p(body: Mapping[str, Any]) -> Tile:
    """
    The command in C{RobotControl}: the first of C{data.ctl} (http-devices.md 3.4).

    @raise BadRequest: it is none.
    """
    asked = next(iter(inner(inner(body, "data"), "ctl").values()), None)
    if not isinstance(asked, dict):
        raise BadRequest("ctl names no command")
    label = command_name(text_of(asked, "cmd"))
    name = robots_name(label)
    data = asked.get("data")
    if name == "clean" and isinstance(data, dict) and isinstance(data.get("act"), str):
        data = {**data, "act": ACTS.get(data["act"], data["act"])}
    device = DeviceId(text_of(asked, "did"), text_of(asked, "mid"), text_of(asked, "res"))
    return Tile(label, Command(device, name, payload({"body": {"data": data}}, PayloadKind.JSON)))


def inner(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """
    An object in an object.

    @raise BadRequest: it is something else, or not there.
    """
    found = values.get(name)
    if not isinstance(found, dict):
        raise BadRequest(f"{name} is not an object")
    return found


def robots_name(label: str) -> str:
    """The robot's own name for what the app calls C{label}."""
    if label[:3].lower() == "get":
        label = label[0].lower() + label[1:]
    return "getBattery" if label == "getBatteryInfo" else label


def checked_reply(reply: Reply) -> Any:
    """
    The JSON value that a robot answered.

    @raise AnswerGarbled: it is not JSON.
    """
    try:
        return parse_json(reply.body)
    except ValueError as wrong:
        did = reply.command.device.did
        raise AnswerGarbled(f"{did} answered {reply.command.name} with no JSON") from wrong


def resp(reply: Reply) -> bytes:
    """
    What a robot answered, as a JSON value.  Objects stay byte for byte what they were; what
    is no object becomes a text (http-devices.md 2).

    @raise AnswerGarbled: it should be JSON, and is not.
    """
    is_json = reply.command.kind is PayloadKind.JSON
    if is_json and isinstance(checked_reply(reply), dict):
        return reply.body
    return to_json(reply.body.decode("utf-8", "replace"))


def success_v1(reply: Reply) -> bytes:
    """S5."""
    kind = reply.command.kind.value.encode("ascii")
    request = reply.request.encode("ascii", "replace")
    return b'{"id":"%b","ret":"ok","resp":%b,"payloadType":"%b"}' % (request, resp(reply), kind)


def success_p2p(tile: Tile, reply: Reply) -> dict[str, Any]:
    """
    The C{data} of an answer to C{RobotControl}.

    @raise AnswerGarbled: the robot's answer is no object.
    """
    value = checked_reply(reply)
    if not isinstance(value, dict):
        raise AnswerGarbled(f"{tile.command.device.did} answered with no object")
    body = value.get("body")
    render = TILES.get(tile.command.name, tile_done)
    if render is not tile_clean and refusals.in_json(value):
        render = tile_refused
    label, fields = render(tile, body if isinstance(body, dict) else {})
    return {label: {"did": tile.command.device.did, **fields}}


def data_of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The data of a robot's answer; empty when it sent none."""
    data = body.get("data")
    return data if isinstance(data, dict) else {}


def tile_battery(tile: Tile, body: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Charge in percent."""
    return tile.label, {"ret": "ok", "power": data_of(body).get("value")}


def tile_charge(tile: Tile, body: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Whether it charges."""
    charging = data_of(body).get("isCharging") == 1
    return tile.label, {"ret": "ok", "type": "SlotCharging" if charging else "SlotIdle"}


def tile_clean(_: Tile, body: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """How the robot took an order; the app looks for it under C{clean}."""
    return "clean", {"ret": body.get("msg") or "error"}


def tile_done(tile: Tile, _: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """That it answered."""
    return tile.label, {"ret": "ok"}


def tile_refused(tile: Tile, _: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """That there is nothing to show; an order to clean or charge says so in its own way."""
    return tile.label, {"ret": translation.FAIL}


#: How the answers to some tiles are rendered.
TILES = {
    "getBattery": tile_battery,
    "getChargeState": tile_charge,
    "charge": tile_clean,
    "clean": tile_clean,
}


def failure(request: str, why: CommandFailed) -> dict[str, Any]:
    """
    E8, the same for every spelling.

    @param request: anything the client may know the request by.
    """
    errno, text = FAILURES.get(type(why), (500, str(why)))
    return command_failed(request, errno, text)
