"""
Which robot asks, where requests say so in one of many ways, and prove nothing.

So it has to be connected, by MQTT or XMPP, from the address that the request is from.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
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
    """
    Finds the robot that a request is from.

    @ivar is_at: whether a robot, by did, is connected from an address.
    """

    registry: IDeviceRegistry
    is_at: Callable[[str, str], bool]

    def robot(self, call: Call, inside: bool = True) -> Device | None:
        """
        The robot that the request names, if it is a known one, and can be the one that asks.

        @param inside: whether the body may tell, too.
        @raise BadRequest: there are more query parameters than anybody sends.
        """
        body = fields_of(call) if inside and len(call.raw) <= READ else {}
        named = (self._by_id(text) for text in said(call, body, IDS))
        serials = frozenset(said(call, body, SERIALS))
        found = (device for device in chain(named, self._by_serial(serials)) if device)
        return next((each for each in found if self.is_at(each.id.did, call.peer)), None)

    def _by_id(self, did: str) -> Device | None:
        try:
            return self.registry.device(did)
        except DeviceUnknown:
            return None

    def _by_serial(self, names: frozenset[str]) -> Iterator[Device]:
        if names:
            yield from (each for each in self.registry.devices() if each.name in names)


def said(call: Call, body: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[str]:
    """The texts under these names in the query, and in the body."""
    for name in names:
        for text in (call.query(name), body.get(name)):
            if text and isinstance(text, str):
                yield text
