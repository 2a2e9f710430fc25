"""
A robot out of its box: it opens a network of its own, and waits for the app to tell it about
another (robots.md 3.3).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import IO

from attrs import evolve, frozen
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from bumper_tw.simulator.identity import Identity

#: Where an app finds it there.
PORT, PATH = 8888, b"rcp.do"
#: Bytes of a request; the longest network name and password take a tenth of it.
LONGEST = 4096


class Unfit(Exception):
    """What the app said is of no use to a robot."""


@frozen
class Told:
    """
    What a robot needs to get into the network.

    @ivar ssid: the name of the network.
    @ivar key: what the server is asked for the robot by.
    @ivar server: the host of its server.
    """

    ssid: str
    key: str
    server: str


def read(body: bytes) -> Told:
    """
    Read C{SetApConfig}.

    @raise Unfit: it is something else, or not complete
    """
    try:
        asked = json.loads(body[:LONGEST])
    except (ValueError, RecursionError) as wrong:
        raise Unfit("no JSON") from wrong
    if not isinstance(asked, dict) or asked.get("td") != "SetApConfig":
        raise Unfit("not SetApConfig")
    return Told(word(asked, "s"), word(asked, "sc"), word(asked, "lb"))


def word(asked: Mapping[str, object], name: str) -> str:
    """
    A text that must be there.

    @raise Unfit: it is not
    """
    value = asked.get(name)
    if not isinstance(value, str) or not value:
        raise Unfit(f"{name} is needed")
    return value


class AccessPoint:
    """
    One robot that was never in a network.

    @ivar identity: who it is; once it was told, with the key and the network.
    """

    def __init__(self, identity: Identity, leave: Callable[[Identity, str], None]) -> None:
        """
        @param leave: called once it knows where to go: with the robot as it is then, and the
            host of its server
        """
        self.identity, self._leave = identity, leave
        self._left = False

    def asked(self, body: bytes) -> bytes:
        """
        Do what the app says.

        @return: what it is told
        """
        try:
            told = self._fit(body)
        except Unfit as why:
            return json.dumps({"ret": "fail", "error": str(why)}).encode()
        self._left = True
        self.identity = evolve(self.identity, ssid=told.ssid, key=told.key)
        self._leave(self.identity, told.server)
        robot = {"ret": "ok", "did": self.identity.did, "mid": self.identity.cls}
        return json.dumps(robot).encode()

    def _fit(self, body: bytes) -> Told:
        if self._left:
            raise Unfit("it is on its way already")
        return read(body)


class _Page(Resource):
    """What an app can ask for by HTTP."""

    def __init__(self, point: AccessPoint) -> None:
        super().__init__()
        self._point = point

    def render_POST(self, request: Request) -> bytes:
        request.setHeader("Content-Type", "application/json")
        content: IO[bytes] = request.content or BytesIO()
        return self._point.asked(content.read(LONGEST + 1))


def site(point: AccessPoint) -> Site:
    """What listens on L{PORT} of a robot."""
    root = Resource()
    root.putChild(PATH, _Page(point))
    return Site(root)
