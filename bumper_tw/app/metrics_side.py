"""
The figures, put together: read from every part of the server, told to whoever may know.

To be loaded only where they are wanted, as the library that makes them is not small.
"""

import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from attrs import frozen
from twisted.application.service import IService
from twisted.logger import Logger

from bumper_tw.app.belongings import Belongings
from bumper_tw.app.brokerage import Brokerage
from bumper_tw.app.doctor.checks import NAMES
from bumper_tw.app.exchange import Exchange
from bumper_tw.app.settings import Settings
from bumper_tw.core.commands import CommandCorrelator
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.throttle import Throttle
from bumper_tw.errors import StartError
from bumper_tw.front.journal import Journal
from bumper_tw.integrations import metrics_box as box
from bumper_tw.integrations import metrics_traffic as traffic
from bumper_tw.integrations.metrics import Metrics, Read, Rendering
from bumper_tw.integrations.metrics_shapes import Buckets
from bumper_tw.integrations.metrics_watch import (
    COMMIT_SECONDS,
    Contacts,
    Lag,
    Latencies,
    Roll,
)
from bumper_tw.storage.database import Books
from bumper_tw.storage.telemetry import ReportWriter
from bumper_tw.values import Principal
from bumper_tw.web.call import Call
from bumper_tw.web.metrics import MetricsRoutes
from bumper_tw.web.routes import Route

#: As short may a token be: what is shorter is guessed, or chosen by a person.
SHORTEST = 16

#: As much of its file is read.
LARGEST = 4096

#: What a token is made of (RFC 6750, 2.1): something else does not get through a header.
TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]+=*")


#: How it is said that there is none.
UNREADABLE = "metrics.token_file names no file that can be read"


class Facts(Protocol):
    """What is looked at of the middle of the server."""

    @property
    def registry(self) -> DeviceRegistry: ...
    @property
    def commands(self) -> CommandCorrelator: ...
    @property
    def writer(self) -> ReportWriter: ...
    @property
    def belongings(self) -> Belongings: ...
    @property
    def journal(self) -> Journal: ...


@frozen
class Sources:
    """
    What the figures are of.

    @ivar database: keeps books of its transactions.
    @ivar certificates: of this box.
    """

    facts: Facts
    mqtt: Brokerage
    xmpp: Exchange
    database: Books
    certificates: box.Certificates


class TokenFile:
    """
    The token that reads figures and nothing else.

    @ivar token: as the file has it; nothing when there is none.
    """

    _log = Logger()
    token = b""

    def load(self, path: Path) -> None:
        """
        Read it.

        @param path: without a name when there is to be none.
        @raise StartError: it cannot be read, or is no good token; the one before stays.
        """
        if not path.name:
            self.token = b""
            return
        held, mode = read(path)
        self.token = checked(held.strip(), path)
        if mode & stat.S_IROTH:
            self._log.warn("{path} can be read by everybody: chmod o-r", path=str(path))


def at_once(path: str, flags: int) -> int:
    """Open a file; a pipe to which nobody writes does not make the server wait."""
    return os.open(path, flags | os.O_NONBLOCK)


def read(path: Path) -> tuple[bytes, int]:
    """
    What a file holds, and what kind of file it is.

    @raise StartError: there is no such file; the path is not told, as somebody may have put the
        token itself in its place.
    """
    try:
        with open(path, "rb", opener=at_once) as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise StartError(f"{UNREADABLE}: it is something else")
            return file.read(LARGEST), mode
    except OSError as why:
        raise StartError(f"{UNREADABLE}: {why.strerror}") from why


def checked(token: bytes, path: Path) -> bytes:
    """
    A token, if it is a good one.

    @param path: where it stands.
    @raise StartError: it is not.
    """
    if len(token) < SHORTEST:
        raise StartError(
            f"metrics.token_file: {path} must hold {SHORTEST} characters at least; "
            f"openssl rand -hex 32 > {path} makes a good one"
        )
    if TOKEN.fullmatch(token) is None:
        raise StartError(
            f"metrics.token_file: {path} may hold one line only, of letters, digits and "
            "- . _ ~ + /"
        )
    return token


class MetricsSide:
    """
    The figures.

    @ivar metrics: all of them.
    """

    def __init__(
        self,
        reactor: Any,
        settings: Settings,
        sources: Sources,
        guard: Callable[[Call], Principal],
        site: Callable[[], traffic.Website],
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        @param guard: raises L{LoginRefused<bumper_tw.errors.LoginRefused>} for whoever may not
            see everything here.
        @param site: gives the site, which has the routes of this and figures of its own.
        @param timer: seconds that nobody sets.
        @raise StartError: the token cannot be used.
        """
        self._token = TokenFile()
        self.follow(settings)
        self._lag, self._site = Lag(reactor, timer), site
        self.metrics = Metrics([*of_traffic(sources), *of_the_box(sources), *self._own()])
        self._routes = MetricsRoutes(
            Rendering(self.metrics, reactor).render,
            guard,
            lambda: self._token.token,
            Throttle(reactor),
        )

    def _own(self) -> Iterator[Read]:
        yield lambda: traffic.http(self._site())
        yield lambda: box.lag(self._lag.buckets)
        yield lambda: box.refusals(self._routes.refused)
        yield box.build

    def routes(self) -> tuple[Route, ...]:
        """For the site."""
        return self._routes.routes()

    def control_routes(self) -> tuple[Route, ...]:
        """For the control socket."""
        return self._routes.control_routes()

    def services(self) -> tuple[IService, ...]:
        """What runs for it."""
        return (self._lag,)

    def follow(self, settings: Settings) -> None:
        """
        Read the token, from where the settings have it now.

        @raise StartError: it cannot be used; the one before stays.
        """
        self._token.load(settings.metrics.token_file)


def of_traffic(sources: Sources) -> Iterator[Read]:
    """Of what goes on."""
    facts, mqtt, xmpp = sources.facts, sources.mqtt, sources.xmpp
    latencies, seen = Latencies(), Contacts(facts.journal, NAMES)
    facts.commands.watch(latencies.heard)
    yield traffic.Robots(facts.registry, Roll(facts.registry)).read
    yield lambda: traffic.contacts(seen)
    yield traffic.Mqtt(mqtt.router, mqtt.factory.counts).read
    yield traffic.Xmpp(xmpp.router, xmpp.factory.counts).read
    yield traffic.Commands(facts.commands, latencies).read
    yield lambda: box.findings(seen, facts.journal)


def of_the_box(sources: Sources) -> Iterator[Read]:
    """Of what this box keeps."""
    facts, commits = sources.facts, Buckets(COMMIT_SECONDS)
    sources.database.watch(commits.observe)
    own = facts.belongings
    yield box.Storage(sources.database, facts.writer, commits).read
    yield lambda: box.certificates(sources.certificates)
    yield box.Requests(own.updates, own.unknown).read
    yield lambda: box.uploads(own.files)
