"""Where this box listens, and what address it tells."""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import closing
from ipaddress import ip_address
from pathlib import Path

from twisted.internet.error import CannotListenError

from bumper_tw.app.addresses import BRIDGES, plain
from bumper_tw.app.doctor.evidence import Evidence, is_inward, is_loopback, speaks
from bumper_tw.app.doctor.finding import Verdict, fine, listed, together, told, wrong
from bumper_tw.app.doctor.snapshot import ListenerSeen
from bumper_tw.app.doctor.sockets import is_held
from bumper_tw.app.inherited import is_inherited
from bumper_tw.app.ports import MOVE, PRIVILEGES, WHOLE, host_of

#: Below this one a port needs privileges, where the kernel does not say.
UNPRIVILEGED = 1024

#: CAP_NET_BIND_SERVICE in the mask of a process (capabilities(7)).
MAY_BIND = 1 << 10

#: What kinds of clients need: the protocol, whether within TLS (C{None} for either), and how the
#: owner knows it.
NEEDED = (
    ("mqtt", True, "MQTT over TLS"),
    ("web", False, "HTTP in clear text"),
    ("xmpp", None, "XMPP"),
)


#: How the reason begins for which a colon stands before the way out.
LACKING = "needs privileges: "

#: What is said of ports of which we know nothing but that they are not ours to open.
SOCKETS = (
    "systemd opens the ports before the server starts; systemctl status 'bumper-*.socket' tells "
    "whether it could, and ss -ltnp what else has one"
)

#: Whoever does without a port for good need not hear of it any more.
GIVE_UP = "; or do without: take its [[listen]] out of the settings"

ANNOUNCE = "correct announce = in [server], or leave it out"


def ports(evidence: Evidence) -> Verdict:
    """Every port is ours, or could be."""
    taken = list(_not_ours(evidence))
    if taken:
        return together(taken)
    if evidence.snapshot is None:
        return _free(evidence)
    names = [str(each.port or each.at) for each in evidence.listeners]
    return fine(f"the server accepts connections on {listed(names, 9)}")


def _free(evidence: Evidence) -> Verdict:
    """What the server will have; which ports systemd opens for it, only systemd knows."""
    names = [str(each.port or each.at) for each in evidence.listeners if not is_inherited(each.at)]
    free = f"ports {listed(names, 9)} are free"
    if not any(is_inherited(each.at) for each in evidence.listeners):
        return fine(free)
    return told(f"{free}; {SOCKETS}" if names else SOCKETS)


def _not_ours(evidence: Evidence) -> Iterator[Verdict]:
    """Why some ports cannot be had; those that only lack privileges have a check of their own."""
    for each in evidence.listeners:
        if evidence.snapshot is not None:
            if not each.bound:
                why, remedy = _split(each.why or f"{each.at} is not open; restart the server")
                yield wrong(why, remedy + GIVE_UP if each.optional else remedy)
        elif each.port and (error := _refused(evidence, each)) is not None:
            yield wrong(*_split(evidence.ports.explain(error, each.at)))


def _refused(evidence: Evidence, listener: ListenerSeen) -> CannotListenError | None:
    """Why a port cannot be bound; the moment for which it is bound is short."""
    host = host_of(listener.at)
    if host is None:
        return None
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, listener.port))
            # Two sockets may be bound to one port; only one of them may listen.
            probe.listen(1)
        except OSError as error:
            return reason(evidence, host, listener.port, error)
    return None


def reason(evidence: Evidence, host: str, port: int, error: OSError) -> CannotListenError | None:
    """
    Why a port cannot be bound, C{None} if only privileges are missing: for want of them the
    kernel does not even look whether it is free.
    """
    if error.errno in {errno.EACCES, errno.EPERM}:
        if not is_held(evidence.ports.proc, host, port):
            return None
        error = OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    return CannotListenError(host, port, error)


def _split(line: str) -> tuple[str, str]:
    """A line that ends with the way out, as the two parts of it."""
    sentence, _, remedy = line.partition(": " if LACKING in line else "; ")
    return sentence, remedy or MOVE


def bind(evidence: Evidence) -> Verdict:
    """Robots reach the listeners that they need."""
    if evidence.simulated:
        return fine("robots are told a loopback address, and so are simulated ones on this box")
    for serve, tls, title in NEEDED:
        fit = (e for e in evidence.listeners if tls is None or e.tls is tls)
        places = [each for each in fit if speaks(each, serve)]
        if not places:
            return wrong(f"nothing listens for {title}", _added(serve, tls))
        if all(map(is_inward, places)):
            return wrong(
                f"{title} is bound to {host_of(places[0].at)}, which only this box itself reaches",
                f"leave interface= out of {places[0].at} in [[listen]]; {WHOLE}",
            )
    return fine("listeners can be reached from the network")


def _added(serve: str, tls: bool | None) -> str:
    """How to get a listener."""
    return f'{WHOLE}; one with serve = "{serve}"{" and tls = true" if tls else ""} is missing'


def announce(evidence: Evidence) -> Verdict:
    """What robots are told leads here."""
    address = evidence.announce
    if not address:
        return _announced_by_itself(evidence)
    if is_loopback(address):
        return _loopback(evidence, address)
    bridge = next((e for e in evidence.own if plain(e.address) == plain(address)), None)
    if bridge is not None and BRIDGES.fullmatch(bridge.interface):
        return wrong(
            f"robots are told {address}, which only containers on this box reach "
            f"({bridge.interface})",
            f"{ANNOUNCE}; robots reach {_instead(evidence)}",
        )
    if bridge is not None and (closed := evidence.lacking(address)):
        return wrong(
            f"robots are told {address}, where port {closed[0]} is not ours",
            f"{ANNOUNCE}; robots reach {_instead(evidence)}",
        )
    if bridge is not None:
        return fine(f"robots are told {address}, which is an address of this box")
    return _foreign(evidence, address)


def _announced_by_itself(evidence: Evidence) -> Verdict:
    if evidence.inside:
        return wrong(
            f"robots are told an address inside this container, {evidence.inside}",
            "say announce = in [server], with the address of the box that the container runs on",
        )
    if evidence.reachable:
        return fine(f"robots are told where they came in, usually {evidence.reachable[0]}")
    return wrong(
        "this box has no address that others reach",
        "connect it to the network, or say announce = in [server] if something forwards to it",
    )


def _loopback(evidence: Evidence, address: str) -> Verdict:
    if all(map(is_inward, evidence.listeners)):
        return fine(f"robots are told {address}: everything is on this box")
    return wrong(
        f"robots are told {address}, where each of them finds itself",
        f"{ANNOUNCE}; robots reach {_instead(evidence)}",
    )


def _foreign(evidence: Evidence, address: str) -> Verdict:
    # What forwards to a container is in another network; a neighbour of ours is somebody else.
    if evidence.contained and not any(ip_address(address) in net for net in evidence.networks):
        return told(f"robots are told {address}; whether that leads here, a container cannot see")
    return wrong(
        f"robots are told {address}, which is no address of this box",
        f"{ANNOUNCE}; robots reach {_instead(evidence)}",
    )


def _instead(evidence: Evidence) -> str:
    return listed(evidence.reachable) or "no address of it yet"


def privileges(evidence: Evidence) -> Verdict:
    """The server may open its ports, and not more."""
    if evidence.snapshot is not None:
        if evidence.snapshot.uid == 0:
            return told("the server runs as root, which it does not need: --uid lets go of that")
        return fine(f"the server runs as user {evidence.snapshot.uid}")
    lowest = _unprivileged(evidence.ports.proc)
    # The server starts without optional ones, so that they matter less.
    low = sorted((e.optional, e.port) for e in evidence.listeners if 0 < e.port < lowest)
    if not low or evidence.uid == 0 or _may_bind(evidence.ports.proc):
        return fine("the ports can be opened by who asks")
    return wrong(*_split(f"port {low[0][1]} {PRIVILEGES}"))


def _unprivileged(proc: Path) -> int:
    try:
        text = (proc / "sys/net/ipv4/ip_unprivileged_port_start").read_text("ascii")
        return int(text)
    except (OSError, ValueError):
        return UNPRIVILEGED


def _may_bind(proc: Path) -> bool:
    try:
        lines = (proc / "self/status").read_text("ascii", "replace").splitlines()
    except OSError:
        return False
    masks = (line.split()[1] for line in lines if line.startswith("CapEff:"))
    return any(int(mask, 16) & MAY_BIND for mask in masks)
