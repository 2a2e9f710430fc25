"""
One action, written for other programs: a shell, an MQTT client, Home Assistant.

Every text may be pasted: what came from a robot or a person is quoted for the shell, for JSON, for
YAML and for the templates of Home Assistant.
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from attrs import frozen

from bumper_tw.core.acting import payload
from bumper_tw.dialect import topics, translation
from bumper_tw.dialect.actions import Order
from bumper_tw.dialect.phrases import Situation
from bumper_tw.dialect.plain import Shape, short_topic
from bumper_tw.errors import BadRequest
from bumper_tw.values import Command, Company, Device, PayloadKind, RequestId
from bumper_tw.web.dashboard.quoting import inert, yaml_data, yaml_text

#: Stands for the id of a question, which its sender chooses.
ANY_ID = RequestId("a1b2")

#: What Home Assistant calls some actions of a vacuum.
SERVICES = {
    "clean": "vacuum.start",
    "resume": "vacuum.start",
    "pause": "vacuum.pause",
    "stop": "vacuum.stop",
    "dock": "vacuum.return_to_base",
    "locate": "vacuum.locate",
}
#: How its integration for these robots spells suction.
FAN_SPEEDS = {1000: "quiet", 0: "normal", 1: "max", 2: "max_plus"}


@frozen
class Place:
    """
    Where it is shown.

    @ivar base_url: this box, as the browser calls it.
    @ivar now: seconds since the epoch.
    """

    base_url: str
    now: float


@frozen
class Wish:
    """
    What is to be done.

    @ivar called: what people call the robot.
    @ivar action: its name, and C{label} what people call it.
    @ivar chosen: the arguments.
    @ivar orders: the commands, the one to be tried first in front.
    """

    device: Device
    called: str
    action: str
    label: str
    chosen: Mapping[str, Any]
    orders: Sequence[Order]

    @property
    def slug(self) -> str:
        """The robot in the ids of Home Assistant."""
        found = re.sub(r"[^a-z0-9]+", "_", self.called.lower())[:40].strip("_")
        return found or "robot"


@frozen
class Way:
    """
    One way to write it.

    @ivar name: for programs.
    @ivar text: to be copied.
    @ivar note: what to know about it; empty for nothing.
    """

    name: str
    title: str
    text: str
    note: str = ""


def shown_as(place: Place, wish: Wish) -> tuple[Way, ...]:
    """All ways."""
    return (curl(place, wish), *over_mqtt(place, wish), *home_assistant(place, wish))


def curl(place: Place, wish: Wish) -> Way:
    """A line for a shell."""
    lines = (
        "curl -X POST",
        '-H "Authorization: Bearer $TOKEN"',
        "-H 'Content-Type: application/json'",
        f"-d {shlex.quote(body(wish))}",
        shlex.quote(url(place, wish)),
    )
    note = "$TOKEN is an API token: make one under People. Over https, curl has to trust this box."
    return Way("curl", "curl", " \\\n  ".join(lines), note)


def url(place: Place, wish: Wish) -> str:
    """Where the API takes it."""
    return (
        f"{place.base_url}/api/robots/{quote(wish.device.id.did, safe='')}/actions/{wish.action}"
    )


def body(wish: Wish) -> str:
    """What the API takes."""
    return inert({"arguments": dict(wish.chosen)} if wish.chosen else {})


def over_mqtt(place: Place, wish: Wish) -> Iterator[Way]:
    """As plain MQTT clients say it; then as the robot hears it."""
    try:
        topic = short_topic(Shape.COMMAND, wish.device.id.did)
    except BadRequest:
        return
    text = "\n\n".join(message(topic, said) for said in short_bodies(place, wish))
    note = f"The answer comes under rsp/{wish.device.id.did}, with the same id."
    yield Way("mqtt", "MQTT", text, note)
    long = "\n\n".join(message(*each) for each in long_messages(place, wish))
    if long:
        yield Way("mqtt_long", "MQTT, as the robot hears it", long, LONG)


LONG = (
    "This is what the box itself sends; a1b2 is the id of the question. Other programs use the "
    "short form, which is allowed to them."
)


def message(topic: str, said: str) -> str:
    """A message, to be read and copied."""
    return f"Topic: {topic}\nPayload: {said}"


def short_bodies(place: Place, wish: Wish) -> Iterator[str]:
    """One message for each order that is needed."""
    for order in needed(wish):
        whole = json.loads(payload(order.data, place.now))
        yield inert({"id": str(ANY_ID), "cmd": order.name, "payload": whole})


def needed(wish: Wish) -> Sequence[Order]:
    """The orders that are given when all goes well."""
    return wish.orders if wish.action == "refresh" else wish.orders[:1]


def long_messages(place: Place, wish: Wish) -> Iterator[tuple[str, str]]:
    """Topics and payloads for a robot behind MQTT, in the language it speaks."""
    device = wish.device
    if device.company is not Company.MQTT:
        return
    for order in needed(wish):
        for name, said, kind in wired(order, device, place.now):
            command = Command(device.id, name, said, kind)
            try:
                yield topics.request_topic(command, ANY_ID), said.decode()
            except BadRequest:
                return


def wired(order: Order, device: Device, now: float) -> Iterator[tuple[str, bytes, PayloadKind]]:
    """What a robot is asked for one order: name, payload and how that is written."""
    said = payload(order.data, now)
    if device.kind is not PayloadKind.XML:
        yield order.name, said, PayloadKind.JSON
        return
    try:
        asked = translation.translate(order.name, said, Situation(device.id.model, now))
    except BadRequest:
        return
    for question in asked.questions:
        yield question.name, question.body, PayloadKind.XML


def home_assistant(place: Place, wish: Wish) -> Iterator[Way]:
    """As actions of Home Assistant: by our API, as its vacuum, by MQTT."""
    yield Way("home_assistant", "Home Assistant", "\n".join(rest_command(place, wish)), REST)
    vacuum = vacuum_action(wish)
    if vacuum:
        yield Way("home_assistant_vacuum", "Home Assistant, as a vacuum", vacuum, VACUUM)
    published = "\n\n".join(publishing(place, wish))
    if published:
        yield Way("home_assistant_mqtt", "Home Assistant, by MQTT", published)


REST = (
    "For configuration.yaml; bumper_token in secrets.yaml is the word Bearer, a blank, and an API "
    "token."
)
VACUUM = "For an automation; put the name of your own entity there."


def rest_command(place: Place, wish: Wish) -> Iterator[str]:
    """A command over HTTP, and a script that gives it."""
    name = f"bumper_{wish.slug}_{wish.action}"
    yield from (
        "rest_command:",
        f"  {name}:",
        f"    url: {yaml_text(url(place, wish))}",
        "    method: post",
        "    headers:",
        "      authorization: !secret bumper_token",
        '    content_type: "application/json"',
        f"    payload: {yaml_text(body(wish))}",
        "script:",
        f"  {name}:",
        f"    alias: {yaml_text(f'{wish.called}: {wish.label}')}",
        "    sequence:",
        f"      - action: rest_command.{name}",
    )


def vacuum_action(wish: Wish) -> str:
    """What the entity of a vacuum can do itself; empty when it cannot."""
    service, data = SERVICES.get(wish.action, ""), {}
    if wish.action == "suction":
        service, data = "vacuum.set_fan_speed", {"fan_speed": fan_speed(wish)}
    elif wish.action in {"rooms", "zone"}:
        service, data = "vacuum.send_command", place_data(wish)
    if not service:
        return ""
    lines = [f"- action: {service}", "  target:", f"    entity_id: vacuum.{wish.slug}"]
    return "\n".join([*lines, *yaml_data(data, "  ")])


def fan_speed(wish: Wish) -> str:
    """Suction in the words of Home Assistant, where XML robots have their own."""
    level = wish.chosen["level"]
    if wish.device.kind is PayloadKind.XML:
        return "strong" if level else "standard"
    return FAN_SPEEDS[level]


def place_data(wish: Wish) -> dict[str, Any]:
    """A job in rooms or in a rectangle."""
    count = wish.chosen["count"]
    if wish.action == "rooms":
        rooms = ",".join(wish.chosen["rooms"])
        return {"command": "spot_area", "params": {"rooms": rooms, "cleanings": count}}
    zones = ";".join(",".join(map(str, zone)) for zone in wish.chosen["zones"])
    return {"command": "custom_area", "params": {"coordinates": zones, "cleanings": count}}


def publishing(place: Place, wish: Wish) -> Iterator[str]:
    """Messages under short topics, as actions."""
    try:
        topic = short_topic(Shape.COMMAND, wish.device.id.did)
    except BadRequest:
        return
    for said in short_bodies(place, wish):
        data = {"topic": topic, "payload": said}
        yield "\n".join(["- action: mqtt.publish", *yaml_data(data, "  ")])
