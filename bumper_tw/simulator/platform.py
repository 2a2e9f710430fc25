"""Commands without an envelope, which the cloud sends to robots of both kinds (mqtt.md 7.5)."""

from __future__ import annotations

import json
from collections.abc import Callable

from bumper_tw.simulator.dialect import Unfit
from bumper_tw.simulator.identity import Identity
from bumper_tw.simulator.machine import Machine

LATEST = 1 << 33
"""Seconds since the epoch no robot will live to see."""


def encode(value: object) -> bytes:
    """Write compact JSON, as the robots do."""
    return json.dumps(value, separators=(",", ":")).encode()


def decode(payload: bytes) -> dict[str, object]:
    """
    Read a request payload.

    @raise Unfit: not JSON text with an object at the top (robots.md 9, 4)
    """
    try:
        request = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Unfit("payload is no JSON") from error
    if not isinstance(request, dict):
        raise Unfit("payload is no JSON object")
    return request


def network(_machine: Machine, identity: Identity, _request: object) -> object:
    """Answer C{GetNetInfo} in its old form."""
    return {
        "ret": "ok",
        "wi": identity.ip,
        "s": identity.ssid,
        "st": "-58",
        "wm": identity.mac,
    }


def _kit_version(_machine: Machine, _identity: Identity, _request: object) -> object:
    return {"ret": "ok", "ver": "0.13.5"}


def _set_time(machine: Machine, _identity: Identity, request: object) -> object:
    seconds = request.get("tsInSec") if isinstance(request, dict) else None
    if type(seconds) is not int or not 0 <= seconds < LATEST:
        return {"ret": "fail"}
    machine.set_clock(seconds)
    return {"ret": "ok"}


PLATFORM: dict[str, Callable[[Machine, Identity, object], object]] = {
    "GetNetInfo": network,
    "GetWKVer": _kit_version,
    "getWKVer": _kit_version,
    "SetTime": _set_time,
}
"""Answers without an envelope (mqtt.md 7.5)."""
