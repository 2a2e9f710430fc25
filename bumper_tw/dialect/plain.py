"""
Short topics for plain robots and scripts, which know a robot only by its device id.

Bodies are JSON objects::

    p2p/<did>   we to the robot   {"id": "a1", "cmd": "getBattery", "payload": ...}
    rsp/<did>   the robot to us   {"id": "a1", "cmd": "getBattery", "payload": ...}
    attr/<did>  the robot to us   {"event": "onBattery", "payload": ...}

C{payload} is what a robot of that kind has in its own payload (mqtt.md 7.1, 8.1): an object,
or a string of XML.  A command without arguments may leave it out, and so may an answer its
C{cmd}.  A command may also call it C{data}, as over HTTP.  C{id} is the sender's choice, up to
64 letters, digits, dashes and underscores, or a number; the answer carries it back.
"""

import re
from enum import Enum
from typing import Any

from attrs import frozen

from bumper_tw.dialect import lenient
from bumper_tw.dialect.envelopes import to_json
from bumper_tw.errors import BadRequest
from bumper_tw.values import PayloadKind, RequestId

A_WORD = re.compile(r"[A-Za-z0-9_-]{1,64}").fullmatch
A_TOPIC = re.compile(r"(p2p|rsp|attr)/([A-Za-z0-9_.-]{1,128})").fullmatch


class Shape(Enum):
    """What a message is: the first level of its topic."""

    COMMAND = "p2p"
    REPLY = "rsp"
    REPORT = "attr"


@frozen
class PlainMessage:
    """
    One message under a short topic.

    @ivar name: the command or the event; empty for an answer that does not repeat it.
    @ivar request: empty for an event.
    @ivar body: the payload as it is under a long topic.
    """

    shape: Shape
    did: str
    name: str
    request: RequestId
    body: bytes
    kind: PayloadKind = PayloadKind.JSON


#: The only short topics there are, as filters for our side.
REPLIES = "rsp/+"
REPORTS = "attr/+"
COMMANDS = "p2p/+"


def short_topic(shape: Shape, did: str) -> str:
    """
    A short topic.

    @raise BadRequest: the device id cannot be a level of one.
    """
    name = f"{shape.value}/{did}"
    if not A_TOPIC(name):
        raise BadRequest(
            "A device id has up to 128 letters, digits, dashes, dots and underscores."
        )
    return name


def robot_may_publish(did: str) -> tuple[str, ...]:
    """Where a robot may speak in short."""
    return (short_topic(Shape.REPLY, did), short_topic(Shape.REPORT, did))


def robot_may_subscribe(did: str) -> tuple[str, ...]:
    """What a robot may hear in short."""
    return (short_topic(Shape.COMMAND, did),)


def user_may_subscribe(did: str) -> tuple[str, ...]:
    """What a user may hear in short of one robot of the household."""
    return tuple(short_topic(shape, did) for shape in Shape)


def decode(topic: str, payload: bytes) -> PlainMessage:
    """
    Read a message.

    @raise BadRequest: the topic is not a short one, or the body has not its shape.
    """
    found = A_TOPIC(topic)
    if found is None:
        raise BadRequest("This is no topic of a plain robot.")
    shape, did = Shape(found[1]), found[2]
    try:
        values = lenient.load(payload)
    except ValueError as wrong:
        raise BadRequest(f"The message cannot be read: {wrong}.") from wrong
    if not isinstance(values, dict):
        raise BadRequest("The message is not a JSON object.")
    return message(shape, did, values)


def message(shape: Shape, did: str, values: dict[str, Any]) -> PlainMessage:
    """The message in a JSON object."""
    if shape is Shape.REPORT:
        name, request = word(values, "event"), ""
    else:
        name = word(values, "cmd", needed=shape is Shape.COMMAND)
        request = word(values, "id")
    is_command = shape is Shape.COMMAND
    given = values.get("payload", values.get("data") if is_command else None)
    body, kind = content(given, needed=not is_command)
    return PlainMessage(shape, did, name, RequestId(request), body, kind)


def word(values: dict[str, Any], key: str, needed: bool = True) -> str:
    """A name or an id from a message."""
    value = lenient.text(values.get(key), limit=65)
    if (value or needed) and not A_WORD(value):
        raise BadRequest(f"The message has no proper {key}.")
    return value


def content(payload: object, needed: bool) -> tuple[bytes, PayloadKind]:
    """A payload as bytes, and how it is written."""
    if isinstance(payload, str) and payload:
        return payload.encode(), PayloadKind.XML
    if isinstance(payload, dict):
        return to_json(payload), PayloadKind.JSON
    if payload is None and not needed:
        return b"{}", PayloadKind.JSON
    raise BadRequest("The payload is neither an object nor a string of XML.")


def encode(message: PlainMessage) -> tuple[str, bytes]:
    """
    The topic and the body of a message.

    @raise BadRequest: the body is not what its kind says, or a name does not fit.
    """
    values: dict[str, object] = {}
    if message.shape is not Shape.REPORT:
        values["id"] = str(message.request)
    if message.name or message.shape is Shape.COMMAND:
        values["event" if message.shape is Shape.REPORT else "cmd"] = message.name
    values["payload"] = payload_of(message)
    # What we would not accept we do not send.
    body = to_json(values)
    name = short_topic(message.shape, message.did)
    decode(name, body)
    return name, body


def payload_of(message: PlainMessage) -> object:
    """The payload of a message as a JSON value."""
    try:
        if message.kind is PayloadKind.XML:
            return message.body.decode()
        return lenient.load(message.body or b"{}")
    except ValueError as wrong:
        raise BadRequest(f"The payload cannot be read: {wrong}.") from wrong
