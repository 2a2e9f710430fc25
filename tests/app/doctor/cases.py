"""A house in which all is well, for tests that make one thing worse."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred, fail, succeed

from bumper_tw.app.addresses import InterfaceAddress
from bumper_tw.app.doctor.evidence import Evidence, Server
from bumper_tw.app.doctor.snapshot import ContactSeen, ListenerSeen, RobotSeen, Snapshot
from bumper_tw.app.ports import Ports
from bumper_tw.app.settings import ServerSettings, Settings
from bumper_tw.dns.wires import NoAnswer

#: Seconds since 1970; some day in 2026.
NOW = 1_790_000_000.0

BOX, BRIDGE, PHONE, ROBOT = "192.168.7.2", "172.17.0.1", "192.168.7.33", "192.168.7.44"

#: What the box may have besides.
OTHER = "192.168.7.3"

OWN = (
    InterfaceAddress("lo", "127.0.0.1"),
    InterfaceAddress("eth0", BOX),
    InterfaceAddress("docker0", BRIDGE),
    InterfaceAddress("lo", "::1"),
    InterfaceAddress("eth0", "fe80::1"),
)

HOSTS = ("lbo.ecovacs.net", "mq-ww.ecouser.net", "portal-ww.ecouser.net")

LISTENERS = (
    ListenerSeen("all", "tcp:443", True, 443),
    ListenerSeen("web", "tcp:8007", False, 8007),
    ListenerSeen("mqtt", "tcp:8883", True, 8883),
    ListenerSeen("mqtt", "tcp:1883:interface=127.0.0.1", False, 1883),
    ListenerSeen("xmpp", "tcp:5223", False, 5223),
)

DUSTY = RobotSeen("E0000001", "Dusty", "yna5xi", "1.2.3", "mqtt", True, NOW - 3000, NOW - 30)

#: What one server answers, by name and kind; or what it fails with.
Zone = Mapping[tuple[str, str], tuple[str, ...] | Exception]


def lookup(zones: Mapping[Server | None, Zone]) -> Callable[..., Deferred[tuple[str, ...]]]:
    """A way to resolve names from tables, one for each server."""

    def look(
        name: str, kind: str, server: Server | None, seconds: float
    ) -> Deferred[tuple[str, ...]]:
        assert seconds > 0
        found = zones[server].get((name, kind), ())
        return fail(found) if isinstance(found, Exception) else succeed(found)

    return look


def everywhere(four: str, hosts: tuple[str, ...] = HOSTS) -> dict[tuple[str, str], Any]:
    """A zone in which all names have one address."""
    return {(name, "A"): (four,) for name in hosts}


def at_once(work: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
    """Instead of a thread."""
    return succeed(work(*arguments))


def well(folder: Path, **changed: Any) -> Evidence:
    """
    A server with one robot, where all names lead.

    @param folder: the kernel's, the data and the certificates; empty folders count as new.
    """
    found = Evidence(
        settings=Settings(),
        now=NOW,
        own=OWN,
        source=BOX,
        ports=Ports(folder / "proc", 1),
        lookup=lookup({None: everywhere(BOX)}),
        hosts=HOSTS,
        snapshot=Snapshot(
            "1",
            NOW - 7200,
            uid=1000,
            certs=str(folder / "certs"),
            data=str(folder / "data"),
            listeners=LISTENERS,
            robots=(DUSTY,),
        ),
        uid=os.geteuid(),
    )
    return evolve(found, **changed)


def seen(evidence: Evidence, **changed: Any) -> Evidence:
    """The same house with something else in the snapshot."""
    assert evidence.snapshot is not None
    return evolve(evidence, snapshot=evolve(evidence.snapshot, **changed))


def announcing(address: str, evidence: Evidence) -> Evidence:
    """The same house, robots being told an address."""
    settings = evolve(evidence.settings, server=ServerSettings(announce=address))
    return evolve(seen(evidence, announce=address), settings=settings)


def contact(number: int, diagnosis: str, host: str = ROBOT, **more: Any) -> ContactSeen:
    """A contact some minutes ago, the higher the number the later."""
    return ContactSeen(
        number,
        NOW - 1000 + number,
        host,
        diagnosis=diagnosis,
        sentence=f"{host}: {diagnosis}",
        remedy="" if diagnosis == "ok" else f"mend {diagnosis}",
        **more,
    )


def nobody(name: str) -> NoAnswer:
    """A server that does not know a name."""
    return NoAnswer(name)
