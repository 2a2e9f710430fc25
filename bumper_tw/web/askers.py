"""Which robot asks, where requests say so in one of many ways, and prove nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from bumper_tw.errors import DeviceUnknown
from bumper_tw.interfaces import IDeviceRegistry
from bumper_tw.values import Device
from bumper_tw.web.call import Call
from bumper_tw.web.guard import fields_of

#: Where requests have the id of a robot, and its serial number (robots.md 3.2).
IDS = ("did", "auth.did", "deviceId", "device_id")
SERIALS = ("sn", "auth.name", "SN")
#: A longer body is not parsed only to know who it is from.
READ = 1 << 16


@frozen
class Askers:
    """Finds the robot that a request names."""

    registry: IDeviceRegistry

    def robot(self, call: Call, inside: bool = True) -> Device | None:
        """
        The robot, if it is a known one.

        @param inside: whether the body may tell, too.
        @raise BadRequest: there are more query parameters than anybody sends.
        """
        body = fields_of(call) if inside and len(call.raw) <= READ else {}
        found = (self._by_id(text) for text in said(call, body, IDS))
        known = next((device for device in found if device is not None), None)
        return known or self._by_serial(frozenset(said(call, body, SERIALS)))

    def _by_id(self, did: str) -> Device | None:
        try:
            return self.registry.device(did)
        except DeviceUnknown:
            return None

    def _by_serial(self, names: frozenset[str]) -> Device | None:
        if not names:
            return None
        return next((each for each in self.registry.devices() if each.name in names), None)


def said(call: Call, body: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[str]:
    """The texts under these names in the query, and in the body."""
    for name in names:
        for text in (call.query(name), body.get(name)):
            if text and isinstance(text, str):
                yield text
