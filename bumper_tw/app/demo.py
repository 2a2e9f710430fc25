"""C{--demo}: simulated robots, and what to try with them."""

import sys
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.app.config import Settings
from bumper_tw.simulator.endpoints import connect_endpoint
from bumper_tw.simulator.identity import Kind, identities
from bumper_tw.simulator.robot import SimulatedRobot

#: How fast time goes for the robots: a job of twelve minutes takes one.
SPEED = 12.0

HINTS = """
The demo is running: a server on this machine alone, a JSON robot and an XML robot.

    curl -s http://127.0.0.1:8007/discover
    TOKEN=$(curl -s http://127.0.0.1:8007/api/login -d '{{"account":"me","password":"any"}}' \\
            | python3 -c 'import json,sys; print(json.load(sys.stdin)["token"])')
    curl -s -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8007/api/robots
    curl -s -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8007/api/command \\
         -d '{{"did":"{did}","name":"clean","data":{{"act":"start","type":"auto"}}}}'
    curl -s -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8007/api/robots/{did}/status

Home Assistant, Ecovacs integration, self-hosted: REST http://127.0.0.1:8007, MQTT
mqtt://127.0.0.1:1883, any account and password.  Ctrl-C ends the demo.
"""


class Demo(Service):
    """The robots of the demo."""

    name = "demo"
    _log = Logger()

    def __init__(self, reactor: Any, settings: Settings) -> None:
        [secure] = [at for at in settings.listen if at.serve == "mqtt" and at.tls]
        port = int(secure.at.split(":")[1])
        endpoint = connect_endpoint(reactor, "127.0.0.1", port, True, None)
        self._robots = [
            SimulatedRobot(reactor, endpoint, who, kind, speed=SPEED)
            for kind in (Kind.JSON, Kind.XML)
            for who in identities(1, kind)
        ]

    def startService(self) -> None:
        super().startService()
        ready = gatherResults([robot.start() for robot in self._robots], consumeErrors=True)
        ready.addCallbacks(self._say_what_to_try, self._broken)

    def _say_what_to_try(self, _: object) -> None:
        """On the terminal, as it is no log line."""
        if sys.__stdout__ is not None:
            sys.__stdout__.write(HINTS.format(did=self._robots[0].identity.did))
            sys.__stdout__.flush()

    def _broken(self, failure: Failure) -> None:
        self._log.failure("the simulated robots did not start", failure)

    def stopService(self) -> Deferred[Any]:
        super().stopService()
        return gatherResults([robot.stop() for robot in self._robots])
