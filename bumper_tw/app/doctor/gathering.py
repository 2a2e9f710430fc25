"""From a box, and from a server in it, to evidence."""

import os
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

from attrs import evolve, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater, react
from twisted.internet.threads import deferToThreadPool

from bumper_tw import __version__
from bumper_tw.app.addresses import default_source, networks, own_addresses, plain
from bumper_tw.app.doctor.evidence import IN_CONTAINER, Evidence, Server
from bumper_tw.app.doctor.snapshot import ContactSeen, ListenerSeen, RobotSeen, Snapshot
from bumper_tw.app.lifecycle import Doors
from bumper_tw.app.ports import LISTENERS, Ports
from bumper_tw.app.settings import DnsSettings, Settings
from bumper_tw.dialect.hosts import known_hosts
from bumper_tw.dns.asking import Asking
from bumper_tw.front.contact import Contact, Speech
from bumper_tw.front.journal import Journal
from bumper_tw.interfaces import IDeviceRegistry, ITelemetry
from bumper_tw.values import Company, Device

T = TypeVar("T")

#: Contacts that one snapshot tells of.
MOST_CONTACTS = 500

#: Contacts that are judged in one turn of the reactor; each takes a tenth of a millisecond.
AT_ONCE = 20

#: Seconds between those turns, for all else.
PAUSE = 0.001

#: How processes are called that may be this server, started elsewhere or by somebody else.  Of
#: those without a name nobody but root knows more.
MAYBE_OURS = (
    *("", "twistd", "twistd3", "bumper", "python", "python3"),
    *(f"python3.{minor}" for minor in range(11, 20)),
)

OURS = (
    "that may be this server: run this in its folder, or with its --config, as its user or root; "
    "if it is not, stop it"
)

#: What to do about ports that somebody else holds.
REMEDIES = evolve(LISTENERS, known=dict.fromkeys(MAYBE_OURS, OURS))

#: How the protocols are called.
PROTOCOLS = {Company.MQTT: "mqtt", Company.XMPP: "xmpp"}

A_DAY = 86_400.0


def evidence(
    reactor: Any,
    settings: Settings,
    snapshot: Snapshot | None,
    servers: tuple[Server, ...] = (),
) -> Evidence:
    """
    What there is to be looked at.

    @param servers: whom to ask for names, instead of those in the settings.
    """
    return Evidence(
        settings=settings,
        now=reactor.seconds(),
        own=own_addresses(),
        source=default_source(),
        ports=Ports(Path("/proc"), os.getpid(), remedies=REMEDIES),
        lookup=Asking(reactor).lookup,
        hosts=known_hosts(),
        servers=servers or asked(settings.dns, default_source()),
        snapshot=snapshot,
        uid=os.geteuid(),
        networks=networks(),
        contained=any(Path(place).exists() for place in IN_CONTAINER),
    )


def asked(dns: DnsSettings, source: str | None) -> tuple[Server, ...]:
    """
    Who is asked for names: those that robots ask, or else ourselves if we answer.

    @param source: the address of this box.
    @return: nobody for the system's way.
    """
    if dns.check:
        return tuple((address, 53) for address in dns.check)
    own = dns.interface or source
    return ((own, dns.port),) if dns.serve and own else ()


def in_thread(reactor: Any) -> Callable[..., Deferred[Any]]:
    """Where the disk may take its time."""

    def run(work: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        return deferToThreadPool(reactor, reactor.getThreadPool(), work, *arguments)

    return run


def in_reactor(work: Callable[[Any], Awaitable[T]]) -> T | None:
    """
    Do something in a reactor of our own; a process has only one.

    @return: what came of it; C{None} when it has failed, which it has told by then.
    """
    found: list[T] = []

    async def kept(reactor: Any) -> None:
        found.append(await work(reactor))

    # That is how it ends, in any case.
    with suppress(SystemExit):
        react(lambda reactor: Deferred.fromCoroutine(kept(reactor)))
    return found[0] if found else None


class Diagnosis(Protocol):
    """What was made of a contact."""

    @property
    def name(self) -> str: ...
    @property
    def sentence(self) -> str: ...
    @property
    def remedy(self) -> str: ...


class Comings:
    """When robots came and went; see L{IDeviceRegistry.watch}."""

    def __init__(self, clock: IReactorTime, registry: IDeviceRegistry) -> None:
        self._clock = clock
        self._since: dict[str, tuple[bool, float]] = {}
        self.stop = registry.watch(self._changed)

    def _changed(self, device: Device, online: bool) -> None:
        before = self._since.get(device.id.did)
        if before is None or before[0] != online:
            self._since[device.id.did] = (online, self._clock.seconds())

    def since(self, did: str) -> float:
        """When it came or went, in seconds since 1970; 0 for before the start."""
        return self._since.get(did, (False, 0.0))[1]

    def forget(self, did: str) -> None:
        """A robot is no longer ours."""
        self._since.pop(did, None)


@frozen
class Household:
    """
    The parts of a running server that it can be judged by.

    @ivar certs: the folder of the certificates, and
    @ivar data: that of the database, wherever the process goes.
    @ivar doors: gives its listeners.
    @ivar arrivals: contacts that went well, and may be older than the journal reaches.
    @ivar diagnose: says what a contact means.
    @ivar expires: when the server certificate ceases to hold.
    """

    clock: IReactorTime
    settings: Settings
    certs: Path
    data: Path
    started: float
    doors: Callable[[], Doors]
    registry: IDeviceRegistry
    telemetry: ITelemetry
    journal: Journal
    comings: Comings
    arrivals: Iterable[Contact]
    diagnose: Callable[[Contact], Diagnosis]
    expires: Callable[[], datetime]

    def snapshot(self, contacts: tuple[ContactSeen, ...] = (), database: bool = True) -> Snapshot:
        """
        This moment.

        @param contacts: see L{contacts}.
        @param database: whether it can be written.
        """
        return Snapshot(
            version=__version__,
            started=self.started,
            uid=os.geteuid(),
            pid=os.getpid(),
            announce=self.settings.server.announce,
            certs=str(self.certs),
            data=str(self.data),
            listeners=listeners(self.doors()),
            robots=tuple(map(self._robot, self.registry.devices())),
            contacts=contacts,
            certificate_days=self.certificate_days(),
            database=database,
        )

    def certificate_days(self) -> float:
        """How long the server certificate holds."""
        return (self.expires().timestamp() - self.clock.seconds()) / A_DAY

    def _robot(self, device: Device) -> RobotSeen:
        did = device.id.did
        return RobotSeen(
            did=did,
            name=device.nick,
            model=device.id.model,
            firmware=device.firmware,
            protocol=PROTOCOLS[device.company],
            online=self.registry.online(did),
            since=self.comings.since(did),
            heard=max((each.at for each in self.telemetry.latest(did)), default=0.0),
        )

    def contacts(self) -> Deferred[tuple[ContactSeen, ...]]:
        """
        The newest contacts of the last day, and older ones that explain what is; with what they
        mean.  It takes some turns.
        """
        return Deferred.fromCoroutine(self._contacts())

    async def _contacts(self) -> tuple[ContactSeen, ...]:
        recent = self.clock.seconds() - A_DAY
        newest = list(islice(self.journal.contacts(), MOST_CONTACTS))
        wanted = [each for each in self._all_of(newest) if each.began > recent]
        found: list[ContactSeen] = []
        for begin in range(0, len(wanted), AT_ONCE):
            await deferLater(self.clock, PAUSE)
            found.extend(map(self._contact, wanted[begin : begin + AT_ONCE]))
        return tuple(found)

    def _all_of(self, newest: list[Contact]) -> list[Contact]:
        """With the older ones that explain what is, the oldest first."""
        found = {each.number: each for each in (*newest, *self.journal.failures(), *self.arrivals)}
        return [found[number] for number in sorted(found)]

    def _contact(self, contact: Contact) -> ContactSeen:
        diagnosis = self.diagnose(contact)
        claim = contact.claims[-1] if contact.claims else ""
        is_web = contact.speech is Speech.HTTP
        return ContactSeen(
            number=contact.number,
            began=contact.began,
            host=plain(contact.host),
            local=plain(contact.local),
            local_port=contact.local_port,
            server_name=contact.hello.server_name if contact.hello else "",
            outcome=contact.outcome.value,
            speech=contact.speech.value,
            tls=contact.tls,
            robot=contact.robot,
            agent=claim if is_web else "",
            claim="" if is_web else claim,
            told=contact.told,
            trusts=contact.trusts,
            lasts=contact.lasts,
            diagnosis=diagnosis.name,
            sentence=diagnosis.sentence,
            remedy=diagnosis.remedy,
        )


def listeners(doors: Doors) -> tuple[ListenerSeen, ...]:
    """Where connections are accepted, or are not."""
    return tuple(_listeners(doors))


def _listeners(doors: Doors) -> Iterable[ListenerSeen]:
    for chosen, listener in doors:
        yield ListenerSeen(
            chosen.serve,
            chosen.at,
            chosen.tls,
            port=listener.tcp_port or 0,
            bound=listener.port is not None,
            why=listener.why,
            optional=chosen.optional,
        )
