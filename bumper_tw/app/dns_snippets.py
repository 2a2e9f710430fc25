"""What to tell other DNS servers, so that the vendor's names lead to this box."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from types import MappingProxyType

from attrs import frozen

from bumper_tw.pki.zones import ZONES

#: Seconds that the answers hold, as those of our own responder do.
LIFE = 60

#: A name to try it with, which is there in no zone file of ours by itself.
SAMPLE = "portal-ww.ecouser.net"


@frozen
class Snippet:
    """
    What one program has to be told.

    @ivar title: what people call the program.
    @ivar where: lines that say where the text goes, and what to do then.
    @ivar text: makes its lines from the zones and our addresses.
    @ivar remark: what begins a comment there.
    """

    title: str
    where: tuple[str, ...]
    text: Callable[[Sequence[str], Sequence[str]], Iterator[str]]
    remark: str = "#"

    def lines(self, addresses: Sequence[str], notes: Sequence[str] = ()) -> Iterator[str]:
        """
        The whole.

        @param addresses: of this box, IPv4 and IPv6.
        @param notes: what else the owner should know.
        """
        for line in (f"{self.title}: the vendor's names lead to this box.", *notes, *self.where):
            yield f"{self.remark} {line}"
        yield from self.text(ZONES, addresses)
        for line in trial_lines(addresses):
            yield f"{self.remark} {line}"


def is_six(address: str) -> bool:
    """Whether an address is one of IPv6."""
    return ip_address(address).version == 6


def kind_of(address: str) -> str:
    """The type of the record that holds an address."""
    return "AAAA" if is_six(address) else "A"


def trial_lines(addresses: Sequence[str]) -> Iterator[str]:
    """How to see whether it works."""
    yield "To test it, from another computer or phone (RESOLVER is the address of that server):"
    for kind in ("A", "AAAA"):
        told = " ".join(a for a in addresses if kind_of(a) == kind) or "nothing at all"
        yield f"  dig +short {kind} {SAMPLE} @RESOLVER    answers {told}"
    yield "bumper doctor tries all names.  A device may remember an old answer until it restarts."


def dnsmasq_lines(zones: Sequence[str], addresses: Sequence[str]) -> Iterator[str]:
    """
    C{address=} answers for a name and all below it; C{local=} keeps everything else about them
    from being asked elsewhere, such as an IPv6 address where we have none.
    """
    for zone in zones:
        yield f"local=/{zone}/"
        yield from (f"address=/{zone}/{address}" for address in addresses)


def pihole_lines(zones: Sequence[str], addresses: Sequence[str]) -> Iterator[str]:
    """The lines for dnsmasq as one setting: Pi-hole 6 does not read /etc/dnsmasq.d any more."""
    lines = ", ".join(f'"{line}"' for line in dnsmasq_lines(zones, addresses))
    yield f"pihole-FTL --config misc.dnsmasq_lines '[ {lines} ]'"


def openwrt_lines(zones: Sequence[str], addresses: Sequence[str]) -> Iterator[str]:
    """What dnsmasq is told, for OpenWrt, where C{server} without an address means C{local}."""
    for zone in zones:
        # Whoever runs it again must not have everything twice.
        yield f"uci -q del_list dhcp.@dnsmasq[0].server='/{zone}/'"
        yield f"uci add_list dhcp.@dnsmasq[0].server='/{zone}/'"
        for address in addresses:
            yield f"uci -q del_list dhcp.@dnsmasq[0].address='/{zone}/{address}'"
            yield f"uci add_list dhcp.@dnsmasq[0].address='/{zone}/{address}'"
    yield "uci commit dhcp"
    yield "/etc/init.d/dnsmasq restart"


def unbound_lines(zones: Sequence[str], addresses: Sequence[str]) -> Iterator[str]:
    """A zone that redirects answers for all names in it with what the zone itself has."""
    yield "server:"
    for zone in zones:
        yield f'    local-zone: "{zone}." redirect'
        for address in addresses:
            yield f'    local-data: "{zone}. {LIFE} IN {kind_of(address)} {address}"'


def adguard_lines(zones: Sequence[str], addresses: Sequence[str]) -> Iterator[str]:
    """Rules for names and all below them; one without a value makes an answer empty."""
    kinds = {kind_of(address) for address in addresses}
    for zone in zones:
        for address in addresses:
            yield f"||{zone}^$dnsrewrite=NOERROR;{kind_of(address)};{address}"
        for kind in ("A", "AAAA"):
            if kind not in kinds:
                yield f"||{zone}^$dnstype={kind},dnsrewrite=NOERROR;;"


def bind_lines(zones: Sequence[str], addresses: Sequence[str]) -> Iterator[str]:
    """
    One file with the records of every zone.  The zone itself is its own name server: any name
    besides would keep the wildcard from names below that.
    """
    yield "cat > /etc/bind/db.bumper <<'END'"
    yield f"$TTL {LIFE}"
    yield f"@ IN SOA @ hostmaster ( 1 3600 600 86400 {LIFE} )"
    yield "@ IN NS @"
    for name in ("@", "*"):
        yield from (f"{name} IN {kind_of(address)} {address}" for address in addresses)
    yield "END"
    yield "cat > /etc/bind/named.conf.bumper <<'END'"
    for zone in zones:
        yield f'zone "{zone}" {{ type master; file "/etc/bind/db.bumper"; }};'
    yield "END"


#: Every program we have something for, by what stands behind C{--for}.
SNIPPETS: Mapping[str, Snippet] = MappingProxyType(
    {
        "dnsmasq": Snippet(
            "dnsmasq",
            (
                "Write this to /etc/dnsmasq.d/bumper.conf, then: systemctl restart dnsmasq",
                "(a reload does not read it).",
            ),
            dnsmasq_lines,
        ),
        "pihole": Snippet(
            "Pi-hole 6",
            (
                "Run this on the Pi-hole as root; it restarts by itself.  It replaces what the",
                "setting holds: see that first with   pihole-FTL --config misc.dnsmasq_lines",
                "In Docker: FTLCONF_misc_dnsmasq_lines, the lines with ; between them.",
                "For Pi-hole 5: bumper dns --for dnsmasq, then pihole restartdns",
            ),
            pihole_lines,
        ),
        "unbound": Snippet(
            "Unbound",
            (
                "Write this to /etc/unbound/unbound.conf.d/bumper.conf, then:",
                "unbound-checkconf && systemctl reload unbound",
            ),
            unbound_lines,
        ),
        "adguard": Snippet(
            "AdGuard Home, 0.107.3 or newer",
            (
                "Paste this under Filters, Custom filtering rules, and press Apply.  Protection",
                "has to be on, also for the clients that robots and phones are.",
            ),
            adguard_lines,
            "!",
        ),
        "openwrt": Snippet(
            "OpenWrt with its dnsmasq",
            ("Run this on the router, as root, over SSH.",),
            openwrt_lines,
        ),
        "opnsense": Snippet(
            "OPNsense with Unbound",
            (
                "Write this to /usr/local/etc/unbound.opnsense.d/bumper.conf there, then:",
                "configctl unbound check && configctl unbound restart",
                "A host override in its pages answers for one kind of address only, and lets the",
                "other kind through.",
            ),
            unbound_lines,
        ),
        "bind": Snippet(
            "BIND 9",
            (
                "Run this as root.  Once only, add this line to /etc/bind/named.conf.local:",
                '  include "/etc/bind/named.conf.bumper";',
                "then: named-checkconf -z && rndc reload",
            ),
            bind_lines,
        ),
    }
)
