"""The API by which pages and scripts have robots do something, and hear what became of it."""

from collections.abc import Callable
from typing import Any

from attrs import asdict
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from bumper_tw.core.acting import Acting, Done
from bumper_tw.core.command_log import CommandLog
from bumper_tw.core.fleet import Fleet
from bumper_tw.dialect import actions
from bumper_tw.dialect.action_arguments import Argument, Traits, rooms_of
from bumper_tw.dialect.actions import Action
from bumper_tw.dialect.envelopes import parse_json
from bumper_tw.errors import BadRequest, BumperError
from bumper_tw.values import Device, Principal
from bumper_tw.web.api import REFUSED, failure
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.dashboard.robot_traits import RobotTraits, name_of
from bumper_tw.web.dashboard.shown_as import Place, Wish, shown_as
from bumper_tw.web.routes import GET, POST, Route

#: Why a robot cannot be told anything just now.
AWAY = "It is not connected."

#: Who asks, in the list of commands: a page brings what only ours know.
PAGE, SCRIPT, HOME_ASSISTANT = "page", "script", "Home Assistant"


class ActionRoutes:
    """
    Actions and the list of commands.

    @param guard: tells who asks, or raises L{LoginRefused<bumper_tw.errors.LoginRefused>}.
    """

    def __init__(
        self,
        fleet: Fleet,
        traits: RobotTraits,
        acting: Acting,
        log: CommandLog,
        guard: Callable[[Call], Principal],
    ) -> None:
        self._fleet, self._traits, self._acting = fleet, traits, acting
        self._log, self._guard = log, guard

    def routes(self) -> tuple[Route, ...]:
        """All below one robot."""
        robot = "/api/robots/<did>/"
        action = robot + "actions/<action>"
        return (
            Route(robot + "actions", GET, self.possible, failure),
            Route(action, POST, self.act, failure),
            Route(action + "/as", GET, self.shown_as, failure),
            Route(robot + "commands", GET, self.commands, failure),
        )

    def _robot(self, call: Call) -> Device:
        """
        The robot that the path names.

        @raise DeviceUnknown: there is none, or it is none of the user's.
        """
        return self._fleet.robot(self._guard(call).name, call.segments["did"])

    def offered(self, device: Device) -> dict[str, Any]:
        """What a robot can be told now, with what there is to choose."""
        traits, online = self._traits.of(device), self._fleet.registry.online(device.id.did)
        return {
            "did": device.id.did,
            "online": online,
            "why": "" if online else AWAY,
            "actions": [action_values(each, traits) for each in actions.possible(traits)],
        }

    def called(self, device: Device) -> str:
        """What people call a robot."""
        return name_of(device, self._fleet.registry.devices())

    def possible(self, call: Call) -> Answer:
        """The same, for scripts."""
        return json_answer(self.offered(self._robot(call)))

    def act(self, call: Call) -> Deferred[Answer]:
        """Have a robot do something."""
        device = self._robot(call)
        given = call.body().get("arguments") if call.raw.strip() else None
        traits = self._traits.of(device)
        action = actions.named(call.segments["action"], traits)
        orders = action.orders(given, traits)
        done = self._acting.act(device, orders, asked_by(call), action.all_of_them)
        return done.addCallbacks(render, spoken, (device, action), errbackArgs=(device,))

    def shown_as(self, call: Call) -> Answer:
        """How scripts, MQTT clients and Home Assistant have the same done."""
        device = self._robot(call)
        traits = self._traits.of(device)
        action = actions.named(call.segments["action"], traits)
        given = given_in(call.query("arguments"))
        orders = self._acting.preferred(device, action.orders(given, traits))
        chosen = action.checked(given, traits)
        place = Place(call.base_url, self._acting.now())
        wish = Wish(
            device, self.called(device), action.name, action.called(traits), chosen, orders
        )
        return json_answer({"ways": [asdict(way) for way in shown_as(place, wish)]})

    def commands(self, call: Call) -> Answer:
        """What a robot was last told, the newest first."""
        entries = self._log.of(self._robot(call).id.did)
        return json_answer({"commands": [entry.values() for entry in entries]})


def asked_by(call: Call) -> str:
    """Who asks, in a word."""
    if call.header("x-csrf-token"):
        return PAGE
    return HOME_ASSISTANT if call.header("user-agent").startswith("HomeAssistant") else SCRIPT


def given_in(text: str) -> object:
    """
    Arguments in a query.

    @raise BadRequest: they are not JSON.
    """
    try:
        return parse_json(text.encode()) if text else None
    except ValueError as wrong:
        raise BadRequest("arguments is not JSON") from wrong


def render(done: Done, device: Device, action: Action) -> Answer:
    """What became of it, in the form of C{/api/command}."""
    answer = {
        "did": device.id.did,
        "action": action.name,
        "ok": not done.refusal,
        "reply": done.reply,
        "seconds": round(done.seconds, 3),
    }
    refused = {"error": done.refusal, "reason": REFUSED} if done.refusal else {}
    return json_answer(answer | refused)


def spoken(why: Failure, device: Device) -> Failure:
    """A failure without the name that only machines have for a robot."""
    if not isinstance(why.value, BumperError):
        return why
    return Failure(type(why.value)(str(why.value).replace(device.id.did, "it")))


def action_values(action: Action, traits: Traits) -> dict[str, Any]:
    """One action."""
    arguments = [argument_values(each, traits) for each in action.arguments]
    return {"name": action.name, "label": action.called(traits), "arguments": arguments}


def argument_values(argument: Argument, traits: Traits) -> dict[str, Any]:
    """
    What there is to choose: C{choices} of numbers or rooms, or from C{least} to C{most}; the
    latter are how many, of rooms and zones.
    """
    within = argument.range(traits)
    least, most = (None, None) if within is None else within
    return {
        "name": argument.name,
        "label": argument.label,
        "kind": argument.kind,
        "value": argument.current(traits),
        "least": least,
        "most": most,
        "choices": choices(argument, traits),
    }


def choices(argument: Argument, traits: Traits) -> list[dict[str, Any]]:
    """Values with their words."""
    if argument.kind == "rooms":
        named = rooms_of(traits).items()
        return [{"value": room, "label": name or f"Room {room}"} for room, name in named]
    return [asdict(each) for each in argument.choices(traits)]
