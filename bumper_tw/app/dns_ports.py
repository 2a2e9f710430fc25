"""What to do when DNS cannot be answered at an address, as somebody else does that there."""

from pathlib import Path

from bumper_tw.app.ports import Ports, Remedies

#: Programs that answer DNS, by the names of their processes, and what C{bumper dns --for} calls
#: them.
RESOLVERS = {
    "dnsmasq": "dnsmasq",
    "pihole-FTL": "pihole",
    "unbound": "unbound",
    "AdGuardHome": "adguard",
    "named": "bind",
}

#: The kernel cuts the names of processes after 15 letters.
STUB = {"systemd-resolve": "set DNSStubListener=no in /etc/systemd/resolved.conf"}

MOVE = "choose another port with dns.port, or one address with dns.interface"

REMEDIES = Remedies(
    setting="dns.interface",
    privileges=f"needs privileges: grant CAP_NET_BIND_SERVICE, or {MOVE}",
    move=MOVE,
    apart=MOVE,
    known=STUB
    | {
        process: f"let it answer with dns.serve = false and bumper dns --for {name}, or stop it"
        for process, name in RESOLVERS.items()
    },
)


def question_ports(proc: Path, own_pid: int, transport: str) -> Ports:
    """Who answers questions where; see L{Ports}."""
    return Ports(proc, own_pid, transport, REMEDIES)
