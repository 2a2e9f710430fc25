"""C{--demo}: simulated robots, and what to try with them."""

import sys
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.app.lifecycle import Doors
from bumper_tw.app.places import Place, first, places
from bumper_tw.simulator.endpoints import connect_endpoint
from bumper_tw.simulator.identity import Kind, identities, xmpp_identities
from bumper_tw.simulator.robot import SimulatedRobot
from bumper_tw.simulator.xmpp_profile import Search
from bumper_tw.simulator.xmpp_robot import XmppRobot

#: How fast time goes for the robots: a job of twelve minutes takes one.
SPEED = 12.0

#: Where the demo keeps its data, as long as nobody says otherwise.
DATA = "demo/data"

HEAD = """
The demo is running: a server on this machine, and simulated robots:
{robots}
"""

PAGE = """
Open {web}/ in a browser to see and run them.
The first visit needs a code, which this tells:

    bumper owner code --data {data}

The log tells it, too, once the page is open: look for "first visit".
"""

COMMANDS = """
The same from a terminal:

    curl {flags} {web}/discover
    TOKEN=$(curl {flags} {web}/api/login -d '{{"account":"me","password":"any"}}' \\
            | python3 -c 'import json,sys; print(json.load(sys.stdin)["token"])')
    curl {flags} -H "Authorization: Bearer $TOKEN" {web}/api/robots
    curl {flags} -H "Authorization: Bearer $TOKEN" {web}/api/command \\
         -d '{{"did":"{did}","name":"clean","data":{{"act":"start","type":"auto"}}}}'
    curl {flags} -H "Authorization: Bearer $TOKEN" {web}/api/robots/{did}/status

The others take the same commands; put their names in the place of the first.
"""

HOME_ASSISTANT = """
Home Assistant, Ecovacs integration, self-hosted: REST {web}, MQTT
{mqtt}, any account and password.
"""

TAIL = """
Ctrl-C ends the demo.
"""

Robot = SimulatedRobot | XmppRobot


class Demo(Service):
    """
    The robots of the demo.

    They are made at the start, as only then all ports are known.
    """

    name = "demo"
    _log = Logger()

    def __init__(self, reactor: Any, doors: Doors) -> None:
        self._reactor, self._doors = reactor, doors
        self._places: list[Place] = []
        self._robots: list[Robot] = []

    def startService(self) -> None:
        super().startService()
        self._places = list(places(self._doors))
        mqtt, xmpp = (make(self._reactor, self._places) for make in (mqtt_robots, xmpp_robots))
        self._robots = [*mqtt, *xmpp]
        ready = gatherResults([robot.start() for robot in self._robots], consumeErrors=True)
        ready.addCallbacks(self._say_what_to_try, self._broken)

    def _say_what_to_try(self, _: object) -> None:
        """On the terminal, as it is no log line."""
        if sys.__stdout__ is not None:
            sys.__stdout__.write(hints(self._robots, self._places))
            sys.__stdout__.flush()

    def _broken(self, failure: Failure) -> None:
        # Whoever ends the demo early need not hear that it did not start.
        if self.running:
            self._log.failure("the simulated robots did not start", failure)

    def stopService(self) -> Deferred[Any]:
        super().stopService()
        return gatherResults([robot.stop() for robot in self._robots])


def row(robot: Robot) -> str:
    """What a robot is called, and what it speaks."""
    kind = "XMPP" if isinstance(robot, XmppRobot) else robot.kind.name
    return f"    {robot.identity.did}  {kind}"


def hints(robots: list[Robot], places: list[Place]) -> str:
    """What can be tried with these robots at these places."""
    web, mqtt = first(places, "web"), first(places, "mqtt")
    said = {"robots": "\n".join(map(row, robots)), "flags": "-s"}
    parts = [HEAD]
    if web is not None:
        # The certificate is one of our own.
        said |= {"web": web.url("http"), "flags": "-sk" if web.tls else "-s", "data": DATA}
        parts.append(PAGE)
    if robots and web is not None:
        said["did"] = robots[0].identity.did
        parts.append(COMMANDS)
        if mqtt is not None:
            said["mqtt"] = mqtt.url("mqtt")
            parts.append(HOME_ASSISTANT)
    return "".join([*parts, TAIL]).format(**said)


def mqtt_robots(reactor: Any, places: Iterable[Place]) -> Iterator[SimulatedRobot]:
    """A JSON robot and an XML robot, if MQTT is served with TLS."""
    secure = [at for at in places if at.speaks("mqtt") and at.tls]
    for place in secure[:1]:
        endpoint = connect_endpoint(reactor, place.host, place.port, True, None)
        for kind in (Kind.JSON, Kind.XML):
            for who in identities(1, kind):
                yield SimulatedRobot(reactor, endpoint, who, kind, speed=SPEED)


def xmpp_robots(reactor: Any, places: Iterable[Place]) -> Iterator[XmppRobot]:
    """A robot of the first generation, if XMPP is served; it begins without TLS."""
    clear = [at for at in places if at.speaks("xmpp") and not at.tls]
    dial = partial(connect_endpoint, reactor, tls=False)
    for place in clear[:1]:
        search = Search(place.host, place.port)
        for who in xmpp_identities(1):
            yield XmppRobot(reactor, dial, search, who, speed=SPEED)
