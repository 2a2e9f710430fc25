"""
One session of C{sucks} with a robot, and with one that is away.

Run by the Python the library is installed in, which is an old one: nothing here may be newer.
Gets one argument, a JSON object: account, password, web and xmpp (ports), robot (its C{did}),
absent (of one that is in no list); "only": "login" ends after that.  Prints one JSON object on
each line: "step" is what was done, "saw" what the library's own events said then.

The library asks for the vendor's names, in ports of its own: L{redirect} does for one process
what the DNS of a home, and one more listener, do for all of it.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import time
import traceback
from collections.abc import Callable
from queue import Empty, Queue
from typing import Any

OPTIONS: dict[str, Any] = json.loads(sys.argv[1])

#: Seconds anything may take.
PATIENCE = 30

HERE = "127.0.0.1"
VENDOR = re.compile(r"(^|\.)(ecouser|ecovacs)\.(net|com)$")

#: The library's ports, and ours.
PORTS = {443: OPTIONS["web"], 8000: OPTIONS["web"], 5223: OPTIONS["xmpp"]}


def tell(step: str, saw: object = None) -> None:
    """Print one line."""
    sys.stdout.write(json.dumps({"step": step, "saw": saw}) + "\n")
    sys.stdout.flush()


def redirect() -> None:
    """All names of the vendor are ours; to everybody else there is no way."""
    system: Any = socket
    look_up, connect = system.getaddrinfo, system.socket.connect

    def here(host: str, port: object, family: int = 0, *rest: Any, **named: Any) -> Any:
        if not VENDOR.search(host) or family == socket.AF_INET6:
            raise socket.gaierror(socket.EAI_NONAME, f"{host} is none of the vendor's")
        return look_up(HERE, port, family, *rest, **named)

    def ours(self: Any, address: tuple[str, int]) -> None:
        if address[0] != HERE or address[1] not in PORTS:
            raise OSError(f"{address} is none of the vendor's")
        connect(self, (HERE, PORTS[address[1]]))

    system.getaddrinfo, system.socket.connect = here, ours


redirect()

import sucks  # noqa: E402 it finds the vendor's names redirected already
from sleekxmppfs.exceptions import IqError, IqTimeout  # noqa: E402


class Bot:
    """A robot, and what it told."""

    def __init__(self, api: Any, device: dict[str, Any]) -> None:
        who = api.uid, api.REALM, api.resource, api.user_access_token, device, "na"
        self.bot = sucks.VacBot(*who)
        self.heard: Queue[tuple[str, Any]] = Queue()
        for name in ("status", "battery", "lifespan", "error"):
            getattr(self.bot, name + "Events").subscribe(self.listener(name))

    def listener(self, name: str) -> Callable[[object], None]:
        """What puts an event to the others."""
        return lambda said: self.heard.put((name, said))

    def after(self, name: str, action: object = None, wanted: object = None) -> Any:
        """Do something, and wait for such an event; which, if it is not any."""
        if action is not None:
            self.bot.run(action)
        deadline = time.monotonic() + PATIENCE
        seen: list[tuple[str, Any]] = []
        while True:
            try:
                event = self.heard.get(timeout=max(0.01, deadline - time.monotonic()))
            except Empty:
                raise AssertionError(f"no {name} {wanted}, but {seen}") from None
            seen.append(event)
            if event[0] == name and wanted in (None, event[1]):
                return event[1]

    def until(self, condition: Callable[[Any], bool]) -> bool:
        """Look until something is so; whether it came to that."""
        deadline = time.monotonic() + PATIENCE
        while not condition(self.bot) and time.monotonic() < deadline:
            time.sleep(0.05)
        return condition(self.bot)


def lives(robot: Bot) -> dict[str, float]:
    """How much is left of each part; the library makes parts of one out of per cent."""
    parts = ("main_brush", "side_brush", "filter")
    said = [robot.after("lifespan", sucks.GetLifeSpan(part)) for part in parts]
    return {each["type"]: each["lifespan"] for each in said}


def journey(robot: Bot) -> None:
    """A robot that cleans, and comes back."""
    tell("battery", robot.after("battery", sucks.GetBatteryState()))
    tell("charging", robot.after("status", sucks.GetChargeState()))
    tell("lives", lives(robot))
    tell("cleaning", robot.after("status", sucks.Clean(), "auto"))
    tell("is cleaning", [robot.bot.is_cleaning, robot.bot.fan_speed])
    # Until then it would refuse to return; the library makes no event of it.
    tell("undocked", robot.until(lambda bot: bot.charge_status == "idle"))
    tell("stopped", robot.after("status", sucks.Stop()))
    tell("fast", robot.after("status", sucks.Clean("spot", "high"), "spot"))
    tell("fan speed", robot.bot.fan_speed)
    tell("stopped again", robot.after("status", sucks.Stop()))
    tell("returning", robot.after("status", sucks.Charge(), "returning"))
    tell("back", robot.after("status", None, "charging"))
    robot.bot.run(sucks.PlaySound())
    robot.bot.run(sucks.SetTime("1767225600", "+1"))
    tell("clean state", robot.after("status", sucks.GetCleanState()))


def away(robot: Bot) -> None:
    """What a robot that is away does not keep anybody from doing."""
    began = time.monotonic()
    try:
        robot.bot.run(sucks.GetBatteryState())
    except IqTimeout:
        tell("absent", "no answer")
    except IqError as error:
        tell("absent", [error.condition, error.etype, error.iq["error"]["code"]])
    for _ in range(4):
        robot.bot.send_ping()
    tell("absent status", robot.bot.vacuum_status)
    tell("absent soon", time.monotonic() - began < 2)


def login() -> Any:
    """The account; C{None} when it is not accepted."""
    password = sucks.EcoVacsAPI.md5(OPTIONS["password"])
    try:
        return sucks.EcoVacsAPI("ab12cd34" * 4, OPTIONS["account"], password, "us", "na")
    except (ValueError, RuntimeError) as refused:
        tell("refused", str(refused))
        return None


def converse(api: Any) -> None:
    """Everything that needs a robot."""
    devices = {each["did"]: each for each in api.devices()}
    device = devices[OPTIONS["robot"]]
    tell("device", {name: device.get(name) for name in ("class", "resource", "company", "name")})
    robot = Bot(api, device)
    robot.bot.connect_and_wait_until_ready()
    tell("ready", str(robot.bot.xmpp.boundjid))
    began = time.monotonic()
    robot.bot.send_ping()
    tell("ping soon", time.monotonic() - began < 2)
    journey(robot)
    # The same session with another robot in mind: its user is one session, not two.
    robot.bot.vacuum = {"did": OPTIONS["absent"], "class": device["class"]}
    away(robot)
    robot.bot.vacuum = device
    robot.bot.send_ping()
    tell("status again", robot.bot.vacuum_status)
    robot.bot.disconnect()


def main() -> None:
    """Everything, one after the other."""
    api = login()
    if api is None:
        return
    tell("login", api.uid)
    if OPTIONS.get("only") != "login":
        converse(api)
    tell("done")


def fail(*failure: Any) -> None:
    """End at once: the library's threads would go on."""
    traceback.print_exception(*failure)
    os._exit(1)


sys.excepthook = fail
main()
