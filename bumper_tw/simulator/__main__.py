"""C{python -m bumper_tw.simulator}: robots for a server that runs already."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.task import react
from twisted.logger import Logger, globalLogBeginner, textFileLogObserver

from bumper_tw.simulator.access_point import AccessPoint, site
from bumper_tw.simulator.endpoints import connect_endpoint
from bumper_tw.simulator.identity import (
    Identity,
    Kind,
    Profile,
    UserName,
    identities,
    xmpp_identities,
)
from bumper_tw.simulator.robot import SimulatedRobot
from bumper_tw.simulator.xmpp_profile import Search
from bumper_tw.simulator.xmpp_robot import XmppRobot

LOOKUP_PORT = 8007

Robot = SimulatedRobot | XmppRobot


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    made = argparse.ArgumentParser(prog="python -m bumper_tw.simulator")
    made.add_argument("--host", default="localhost")
    made.add_argument("--port", type=int, default=8883)
    wire = made.add_mutually_exclusive_group()
    wire.add_argument("--tls", dest="tls", action="store_true", default=True)
    wire.add_argument("--plain", dest="tls", action="store_false")
    made.add_argument("--ca", type=Path, help="verify the server against this PEM file")
    made.add_argument("--json", type=int, default=1, metavar="N")
    made.add_argument("--xml", type=int, default=0, metavar="N")
    made.add_argument("--xmpp", type=int, default=0, metavar="N")
    made.add_argument("--xmpp-port", type=int, default=5223, metavar="PORT")
    made.add_argument(
        "--lookup",
        type=lookup,
        metavar="URL",
        help="XMPP robots ask there for their server; a URL, or host:port",
    )
    made.add_argument(
        "--access-point",
        type=int,
        metavar="PORT",
        help="one more JSON robot, which waits there for an app to tell it about the network",
    )
    made.add_argument("--speed", type=float, default=1.0)
    made.add_argument("--seed", type=int, default=0)
    return made


def robots(
    reactor: Any, endpoint: IStreamClientEndpoint, options: argparse.Namespace
) -> list[SimulatedRobot]:
    """Make the robots the command line asks for."""
    wanted = ((Kind.JSON, options.json), (Kind.XML, options.xml))
    return [
        SimulatedRobot(reactor, endpoint, who, kind, speed=options.speed, seed=options.seed)
        for kind, count in wanted
        for who in identities(count, kind, options.seed)
    ]


def lookup(text: str) -> Search:
    """
    Read where the lookup is.

    @raise ValueError: neither a URL nor C{host:port}
    """
    place = urlsplit(text if "://" in text else f"http://{text}")
    if place.scheme != "http" or not place.hostname:
        raise ValueError(text)
    return Search(place.hostname, place.port or LOOKUP_PORT, lookup=True)


def xmpp_robots(reactor: Any, options: argparse.Namespace) -> list[XmppRobot]:
    """Make the XMPP robots the command line asks for."""
    search = options.lookup or Search(options.host, options.xmpp_port)
    dial = partial(connect_endpoint, reactor, tls=False)
    return [
        XmppRobot(reactor, dial, search, who, speed=options.speed, seed=options.seed)
        for who in xmpp_identities(options.xmpp, options.seed)
    ]


def out_of_its_box(
    reactor: Any,
    options: argparse.Namespace,
    ca: bytes | None,
    begin: Callable[[SimulatedRobot], None],
) -> AccessPoint:
    """
    Make a robot that goes where an app sends it.

    @param begin: called with it once it knows
    """
    who = identities(options.json + 1, Kind.JSON, options.seed)[-1]

    def leave(told: Identity, server: str) -> None:
        endpoint = connect_endpoint(reactor, server, options.port, options.tls, ca)
        shows = Profile(user_name=UserName.META)
        begin(SimulatedRobot(reactor, endpoint, told, Kind.JSON, shows, options.speed))

    return AccessPoint(who, leave)


def main(reactor: Any, *arguments: str) -> Deferred[None]:
    """Run robots until the reactor stops."""
    options = parser().parse_args(arguments)
    log = Logger()
    ca = None if options.ca is None else options.ca.read_bytes()
    endpoint = connect_endpoint(reactor, options.host, options.port, options.tls, ca)
    fleet: list[Robot] = []

    def begin(robot: Robot) -> None:
        fleet.append(robot)
        name = f"{robot.identity.did}@{robot.identity.cls}/{robot.identity.resource}"
        robot.start().addCallbacks(_announcer(log, name), _complainer(log, name))

    for mqtt in robots(reactor, endpoint, options):
        begin(mqtt)
    for xmpp in xmpp_robots(reactor, options):
        begin(xmpp)
    if options.access_point is not None:
        point = out_of_its_box(reactor, options, ca, begin)
        reactor.listenTCP(options.access_point, site(point), interface="127.0.0.1")
    reactor.addSystemEventTrigger("before", "shutdown", _stop, fleet)
    return Deferred()


def _announcer(log: Logger, name: str) -> Any:
    return lambda _: log.info("{name} is ready", name=name)


def _complainer(log: Logger, name: str) -> Any:
    return lambda failure: log.warn("{name}: {why}", name=name, why=failure.getErrorMessage())


def _stop(fleet: Sequence[Robot]) -> Deferred[Any]:
    return gatherResults([robot.stop() for robot in fleet])


if __name__ == "__main__":
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stdout)])
    react(main, sys.argv[1:])
