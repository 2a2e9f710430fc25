"""What the owner changes about a robot itself: name, trust, firmware, and that it is here."""

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred

from bumper_tw.core.fleet import Fleet
from bumper_tw.core.permits import stranger_to
from bumper_tw.core.updates import Updates
from bumper_tw.errors import BadRequest
from bumper_tw.values import Device, Principal
from bumper_tw.web.api import failure
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.dashboard.robot_traits import name_of
from bumper_tw.web.dashboard.words import readable
from bumper_tw.web.devices import tidy
from bumper_tw.web.routes import POST, Route

PUT, DELETE = ("PUT",), ("DELETE",)


class Secrets(Protocol):
    """What robots brought when they came first."""

    def forget(self, did: str) -> Deferred[None]: ...


class RobotsApi:
    """
    The routes.

    @param has_firmware: whether the owner has put firmware for a class of robots into the data
        directory.
    @param guard: tells who asks, or raises L{LoginRefused<bumper_tw.errors.LoginRefused>}; and
    @param house: the same, for what concerns the whole house.
    """

    def __init__(
        self,
        fleet: Fleet,
        secrets: Secrets,
        updates: Updates,
        has_firmware: Callable[[str], bool],
        guard: Callable[[Call], Principal],
        house: Callable[[Call], Principal],
    ) -> None:
        self._fleet, self._secrets, self._updates = fleet, secrets, updates
        self._has_firmware, self._guard, self._house = has_firmware, guard, house

    def routes(self) -> tuple[Route, ...]:
        """All below one robot."""
        robot = "/api/robots/<did>"
        allow = f"{robot}/firmware/allow"
        return (
            Route(robot, DELETE, self.remove, failure),
            Route(f"{robot}/name", PUT, self.rename, failure),
            Route(f"{robot}/trust", POST, self.trust, failure),
            Route(allow, POST, self.allow, failure),
            Route(allow, DELETE, self.disallow, failure),
        )

    def _kept(self, who: Principal, call: Call) -> Device:
        """
        The robot that the path names.

        @raise DeviceUnknown: there is none, or whoever asks may not keep it.
        """
        did = call.segments["did"]
        device = self._fleet.kept(who.name, did)
        if device is None:
            raise stranger_to(did)
        return device

    def rename(self, call: Call) -> Deferred[Answer]:
        """Call a robot something; with no name at all it is called by its number again."""
        who = self._guard(call)
        did, nick = self._kept(who, call).id.did, tidy(call.field("nick", str))
        named = self._fleet.name(who.name, did, nick)
        return named.addCallback(lambda _: json_answer({"did": did, "nick": nick}))

    def remove(self, call: Call) -> Deferred[Answer]:
        """
        Forget a robot with all that it has left here; it is new when it connects next.

        @raise BadRequest: its name was not given, so it was not asked twice.
        """
        device = self._kept(self._house(call), call)
        given, name = call.query("name"), name_of(device, self._fleet.registry.devices())
        if given.strip() != name:
            raise BadRequest(f'to remove this robot, give its name: "{name}"')
        gone = self._fleet.registry.forget(device.id.did)
        return gone.addCallback(lambda _: json_answer({"did": device.id.did, "removed": True}))

    def trust(self, call: Call) -> Deferred[Answer]:
        """Forget the secret of a robot, after a factory reset: the one it brings next counts."""
        did = self._kept(self._house(call), call).id.did
        forgotten = self._secrets.forget(did)
        return forgotten.addCallback(lambda _: json_answer({"did": did, "trusted": True}))

    def allow(self, call: Call) -> Deferred[Answer]:
        """
        Let one update through to a robot, within a day.

        @raise BadRequest: there is none for it.
        """
        device = self._kept(self._house(call), call)
        model = device.id.model
        if not self._has_firmware(model):
            raise BadRequest(
                f"there is nothing to let through: put firmware/{readable(model)}/latest.json "
                "into the data folder first"
            )
        allowed = self._updates.allow(device.id.did)
        return allowed.addCallback(lambda _: self._told(device.id.did))

    def disallow(self, call: Call) -> Deferred[Answer]:
        """Let nothing through after all."""
        did = self._kept(self._house(call), call).id.did
        return self._updates.disallow(did).addCallback(lambda _: self._told(did))

    def _told(self, did: str) -> Answer:
        return json_answer({"did": did, "allowed": self._updates.allowed(did)})
