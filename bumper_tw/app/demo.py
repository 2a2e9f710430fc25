"""C{--demo}: simulated robots, and what to try with them."""

import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.app.config import Listen, Settings
from bumper_tw.simulator.endpoints import connect_endpoint
from bumper_tw.simulator.identity import Kind, identities, xmpp_identities
from bumper_tw.simulator.robot import SimulatedRobot
from bumper_tw.simulator.xmpp_profile import Search
from bumper_tw.simulator.xmpp_robot import XmppRobot

#: How fast time goes for the robots: a job of twelve minutes takes one.
SPEED = 12.0

HINTS = """
The demo is running: a server on this machine alone, and simulated robots:
{robots}

    curl -s http://127.0.0.1:8007/discover
    TOKEN=$(curl -s http://127.0.0.1:8007/api/login -d '{{"account":"me","password":"any"}}' \\
            | python3 -c 'import json,sys; print(json.load(sys.stdin)["token"])')
    curl -s -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8007/api/robots
    curl -s -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8007/api/command \\
         -d '{{"did":"{did}","name":"clean","data":{{"act":"start","type":"auto"}}}}'
    curl -s -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8007/api/robots/{did}/status

The others take the same commands; put their names in the place of the first.

Home Assistant, Ecovacs integration, self-hosted: REST http://127.0.0.1:8007, MQTT
mqtt://127.0.0.1:1883, any account and password.  Ctrl-C ends the demo.
"""


Robot = SimulatedRobot | XmppRobot


class Demo(Service):
    """The robots of the demo."""

    name = "demo"
    _log = Logger()

    def __init__(self, reactor: Any, settings: Settings) -> None:
        mqtt, xmpp = mqtt_robots(reactor, settings), xmpp_robots(reactor, settings)
        self._robots: list[Robot] = [*mqtt, *xmpp]

    def startService(self) -> None:
        super().startService()
        ready = gatherResults([robot.start() for robot in self._robots], consumeErrors=True)
        ready.addCallbacks(self._say_what_to_try, self._broken)

    def _say_what_to_try(self, _: object) -> None:
        """On the terminal, as it is no log line."""
        if sys.__stdout__ is not None:
            did, rows = self._robots[0].identity.did, "\n".join(map(row, self._robots))
            sys.__stdout__.write(HINTS.format(did=did, robots=rows))
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


def mqtt_robots(reactor: Any, settings: Settings) -> Iterator[SimulatedRobot]:
    """A JSON robot and an XML robot."""
    [secure] = [at for at in settings.listen if at.serve == "mqtt" and at.tls]
    endpoint = connect_endpoint(reactor, "127.0.0.1", port_of(secure), True, None)
    for kind in (Kind.JSON, Kind.XML):
        for who in identities(1, kind):
            yield SimulatedRobot(reactor, endpoint, who, kind, speed=SPEED)


def xmpp_robots(reactor: Any, settings: Settings) -> Iterator[XmppRobot]:
    """A robot of the first generation, if XMPP is served."""
    places = [at for at in settings.listen if at.serve == "xmpp"]
    dial = partial(connect_endpoint, reactor, tls=False)
    for place in places[:1]:
        search = Search("127.0.0.1", port_of(place))
        for who in xmpp_identities(1):
            yield XmppRobot(reactor, dial, search, who, speed=SPEED)


def port_of(place: Listen) -> int:
    """The TCP port of a listener."""
    return int(place.at.split(":")[1])
