"""
One session of C{deebot-client}, set up as a self-hosted Home Assistant sets it up.

Run by the Python the library is installed in, with one argument: a JSON object with
C{rest} and C{mqtt} (URLs), C{account}, C{password}, and, for TLS, C{ca} (a path).
Prints one JSON object on each line: C{step} is what was done, C{saw} what the library's own
objects and events said then.  After the step C{leave} it waits for a line, while somebody
takes the robots away.
"""

import asyncio
import hashlib
import json
import ssl
import sys
import time
from collections.abc import Callable
from enum import Enum
from typing import Any

from aiohttp import ClientSession, TCPConnector
from deebot_client.api_client import ApiClient, Devices
from deebot_client.authentication import Authenticator, create_rest_config
from deebot_client.device import Device
from deebot_client.events import (
    AvailabilityEvent,
    BatteryEvent,
    CachedMapInfoEvent,
    CleanLogEvent,
    ErrorEvent,
    FanSpeedEvent,
    FanSpeedLevel,
    FirmwareEvent,
    LifeSpan,
    LifeSpanEvent,
    NetworkInfoEvent,
    PositionsEvent,
    RoomsEvent,
    StateEvent,
    StatsEvent,
    TotalStatsEvent,
    VolumeEvent,
    water_info,
)
from deebot_client.exceptions import InvalidAuthenticationError
from deebot_client.models import CleanAction, State
from deebot_client.mqtt_client import MqttClient, MqttConfiguration, create_mqtt_config

DEVICE_ID = "HA-home"
COUNTRY = "DE"

#: Seconds an event may take.
PATIENCE = 30.0

KINDS: tuple[type[Any], ...] = (
    AvailabilityEvent,
    BatteryEvent,
    CachedMapInfoEvent,
    CleanLogEvent,
    ErrorEvent,
    FanSpeedEvent,
    FirmwareEvent,
    LifeSpanEvent,
    NetworkInfoEvent,
    PositionsEvent,
    RoomsEvent,
    StateEvent,
    StatsEvent,
    TotalStatsEvent,
    VolumeEvent,
    water_info.WaterAmountEvent,
)


def plain(value: object) -> Any:
    """What JSON has no word for: enumerations by their names, records by their fields."""
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value if isinstance(value, str | int | float | dict | None) else str(value)


def tell(step: str, saw: object = None) -> None:
    """Report a step."""
    sys.stdout.write(json.dumps({"step": step, "saw": plain(saw)}) + "\n")
    sys.stdout.flush()


def anything(_: object) -> bool:
    """Any event will do."""
    return True


class Diary:
    """Every event of one device; being subscribed is also what makes the library ask."""

    def __init__(self, device: Device) -> None:
        self._events: dict[type[Any], list[Any]] = {kind: [] for kind in KINDS}
        self._news = asyncio.Condition()
        for kind in KINDS:
            device.events.subscribe(kind, self._keep)

    async def _keep(self, event: object) -> None:
        async with self._news:
            self._events[type(event)].append(event)
            self._news.notify_all()

    def all(self, kind: type[Any]) -> list[Any]:
        """Every event of a kind."""
        return self._events[kind]

    def mark(self, kind: type[Any]) -> int:
        """Where the events of a kind begin that come from now on."""
        return len(self._events[kind])

    async def until(
        self, kind: type[Any], wanted: Callable[[Any], bool] = anything, since: int = 0
    ) -> Any:
        """The first event that is wanted."""

        def found() -> list[Any]:
            return [event for event in self._events[kind][since:] if wanted(event)]

        try:
            async with asyncio.timeout(PATIENCE), self._news:
                await self._news.wait_for(found)
        except TimeoutError:
            raise TimeoutError(f"no {kind.__name__}: {self._events[kind]}") from None
        return found()[0]


async def in_state(diary: Diary, state: State, action: Any) -> StateEvent:
    """Do something, and wait for the robot to be in a state after that."""
    since = diary.mark(StateEvent)
    await action
    event: StateEvent = await diary.until(StateEvent, lambda e: e.state is state, since)
    return event


async def read_back(device: Device, capability: Any, *values: Any) -> Any:
    """Set something, ask the robot for it, and return what it says now."""
    await device.execute_command(capability.set(*values))
    for query in capability.get:
        await device.execute_command(query)
    return device.events.get_last_event(capability.event)


async def first_answers(diary: Diary) -> None:
    """What the library asks on its own when somebody wants to know."""
    tell("battery", await diary.until(BatteryEvent))
    tell("docked", await diary.until(StateEvent, lambda e: e.state is State.DOCKED))
    tell("network", await diary.until(NetworkInfoEvent))
    tell("error", await diary.until(ErrorEvent))
    tell("total stats", await diary.until(TotalStatsEvent))
    tell("firmware", await diary.until(FirmwareEvent))
    tell("available", await diary.until(AvailabilityEvent))


async def more_answers(diary: Diary) -> None:
    """The same for what robots that speak XML do not have."""
    tell("stats", await diary.until(StatsEvent))
    tell("fan speed", await diary.until(FanSpeedEvent))
    tell("volume", await diary.until(VolumeEvent))
    tell("water", await diary.until(water_info.WaterAmountEvent))
    tell("rooms", await diary.until(RoomsEvent))
    tell("map", await diary.until(CachedMapInfoEvent))


async def life_spans(diary: Diary) -> None:
    """One event for each part that wears."""
    for part in (LifeSpan.BRUSH, LifeSpan.FILTER, LifeSpan.SIDE_BRUSH):
        tell(f"life span {part.name}", await diary.until(LifeSpanEvent, is_about(part)))


def is_about(part: LifeSpan) -> Callable[[Any], bool]:
    """Whether an event is about a part."""
    return lambda event: bool(event.type is part)


async def settings(device: Device) -> None:
    """What can be set, and read back."""
    own = device.capabilities
    tell("set fan speed", await read_back(device, own.fan_speed, FanSpeedLevel.MAX))
    tell("set volume", await read_back(device, own.settings.volume, 7))
    tell("set water", await read_back(device, own.water.amount, water_info.WaterAmount.HIGH))


async def journey(device: Device, diary: Diary) -> None:
    """A short cleaning; its telemetry comes over MQTT without being asked for."""
    own, start = device.capabilities, diary.mark(PositionsEvent)

    def clean(action: CleanAction) -> Any:
        return device.execute_command(own.clean.action.command(action))

    tell("cleaning", await in_state(diary, State.CLEANING, clean(CleanAction.START)))
    for _ in range(3):
        last = await diary.until(PositionsEvent, anything, start)
        start = diary.mark(PositionsEvent)
        tell("position", last)
    tell("pushed positions", len({repr(event) for event in diary.all(PositionsEvent)}))
    tell("paused", await in_state(diary, State.PAUSED, clean(CleanAction.PAUSE)))
    tell("resumed", await in_state(diary, State.CLEANING, clean(CleanAction.RESUME)))
    tell("stopped", await in_state(diary, State.IDLE, clean(CleanAction.STOP)))
    charge = device.execute_command(own.charge.execute())
    tell("returning", await in_state(diary, State.RETURNING, charge))
    tell("back", await diary.until(StateEvent, lambda e: e.state is State.DOCKED, 2))


async def json_robot(device: Device) -> Diary:
    """Everything a robot that speaks JSON is asked here."""
    diary = Diary(device)
    await first_answers(diary)
    await more_answers(diary)
    await life_spans(diary)
    await settings(device)
    tell("play sound", await device.execute_command(device.capabilities.play_sound.execute()))
    await journey(device, diary)
    tell("clean logs", await diary.until(CleanLogEvent, lambda event: bool(event.logs)))
    tell("more total stats", await diary.until(TotalStatsEvent, lambda e: e.cleanings > 188))
    return diary


async def xml_robot(device: Device) -> None:
    """What one that speaks XML is asked."""
    diary = Diary(device)
    tell("xml battery", await diary.until(BatteryEvent))
    tell("xml docked", await diary.until(StateEvent, lambda e: e.state is State.DOCKED))
    tell("xml total stats", await diary.until(TotalStatsEvent))
    clean = device.capabilities.clean.action.command
    start = device.execute_command(clean(CleanAction.START))
    tell("xml cleaning", await in_state(diary, State.CLEANING, start))
    stop = device.execute_command(clean(CleanAction.STOP))
    tell("xml stopped", await in_state(diary, State.IDLE, stop))


async def offline(device: Device, diary: Diary) -> None:
    """Ask for the availability once somebody has taken the robots away."""
    tell("leave")
    await asyncio.to_thread(sys.stdin.readline)
    since, began = diary.mark(AvailabilityEvent), time.monotonic()
    for command in device.capabilities.get_refresh_commands(AvailabilityEvent):
        await device.execute_command(command)
    tell("offline", await diary.until(AvailabilityEvent, lambda e: not e.available, since))
    tell("seconds until offline", time.monotonic() - began)


async def log_in(authenticator: Authenticator) -> None:
    """The login, and how long it lasts."""
    credentials = await authenticator.authenticate()
    tell("login", {"user": credentials.user_id})
    tell("days", (credentials.expires_at - time.time()) / 86_400)


def listed(devices: Devices) -> dict[str, list[str]]:
    """The robots by what the library thinks of them."""
    return {
        "mqtt": [info.api["did"] for info in devices.mqtt],
        "xmpp": [api["did"] for api in devices.xmpp],
        "not supported": [api["did"] for api in devices.not_supported],
    }


async def heard(client: MqttClient, device: Device) -> None:
    """
    Wait until the telemetry of a robot arrives; subscribing goes on in the background.

    A robot reports a volume that is set, even if it is the one it has.
    """
    async with asyncio.timeout(PATIENCE):
        while client.last_message_received_at is None:
            await device.execute_command(device.capabilities.settings.volume.set(4))
    tell("mqtt heard")


async def visit(robots: dict[str, Device], client: MqttClient) -> None:
    """Everything that is done with robots."""
    # What is subscribed last is heard last: then the other is heard as well.
    for kind in ("XML", "JSON"):
        await robots[kind].initialize(client)
    await heard(client, robots["JSON"])
    await xml_robot(robots["XML"])
    diary = await json_robot(robots["JSON"])
    await offline(robots["JSON"], diary)


async def converse(authenticator: Authenticator, mqtt: MqttConfiguration) -> None:
    """The session after the configuration, in the order of Home Assistant."""
    await log_in(authenticator)
    api = ApiClient(authenticator)
    tell("products", len(await api.get_product_iot_map()))
    devices = await api.get_devices()
    tell("devices", listed(devices))
    client = MqttClient(mqtt, authenticator)
    await client.verify_config()
    robots = {info.static.data_type.name: Device(info, authenticator) for info in devices.mqtt}
    try:
        await visit(robots, client)
    finally:
        for robot in robots.values():
            await robot.teardown()
        await client.disconnect()
    tell("done")


async def run(options: dict[str, str], session: ClientSession, secured: dict[str, Any]) -> None:
    """
    Configure the library for a server of one's own.

    @param secured: how MQTT is verified, if it is.
    """
    rest = create_rest_config(
        session,
        device_id=DEVICE_ID,
        alpha_2_country=COUNTRY,
        override_rest_url=options["rest"],
    )
    password = hashlib.md5(options["password"].encode()).hexdigest()
    authenticator = Authenticator(rest, options["account"], password)
    mqtt = create_mqtt_config(
        device_id=DEVICE_ID, country=COUNTRY, override_mqtt_url=options["mqtt"], **secured
    )
    try:
        if options.get("only") == "login":
            await log_in(authenticator)
        else:
            await converse(authenticator, mqtt)
    except InvalidAuthenticationError as refused:
        tell("refused", type(refused).__name__)
    finally:
        await authenticator.teardown()


async def main(options: dict[str, str]) -> None:
    """Open what the library does not open itself."""
    if "ca" not in options:
        async with ClientSession() as session:
            await run(options, session, {})
        return
    context = ssl.create_default_context(cafile=options["ca"])
    async with ClientSession(connector=TCPConnector(ssl=context)) as session:
        await run(options, session, {"ssl_context": context})


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
