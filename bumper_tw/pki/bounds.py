"""
What an authority vouches for, and what it does not (RFC 5280, 4.2.1.10).

An authority that phones trust for everything is a danger when its key is stolen; one with
constraints can stand for our names and nobody's bank.
"""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

from attrs import frozen
from cryptography import x509

from bumper_tw.pki.certificates import Address, Cover, extension
from bumper_tw.pki.zones import ZONES

#: Names that are nobody's in public: RFC 6762, 3; RFC 8375; what routers call their network.
HOME = ("localhost", "local", "lan", "home.arpa")

#: Addresses that are nobody's in public (RFC 1918, 3927, 4193, 4291), with those that providers
#: give to whole streets (RFC 6598).
PRIVATE = (
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
)

Network = IPv4Network | IPv6Network


def constraints(names: Iterable[str], addresses: Iterable[Address]) -> x509.NameConstraints:
    """
    The vendor's zones, what is private, and this box.

    A name of the box stands for itself and what is below, not for its domain: whose that is,
    nobody can tell from a name such as C{box.duckdns.org}.
    """
    zones = dict.fromkeys([*ZONES, *HOME, *sorted(names)])
    networks = dict.fromkeys(
        [*map(ip_network, PRIVATE), *map(ip_network, sorted_by_kind(addresses))]
    )
    return x509.NameConstraints([*map(x509.DNSName, zones), *map(x509.IPAddress, networks)], None)


def sorted_by_kind(addresses: Iterable[Address]) -> list[Address]:
    """Addresses in an order of their own, as those of two kinds cannot be compared."""
    return sorted(addresses, key=lambda address: (address.version, address.packed))


@frozen
class Bounds:
    """
    The constraints of one authority; without any, it vouches for everything.

    @ivar permitted: if one of a kind is given, all others of that kind are not permitted.
    """

    permitted: tuple[x509.GeneralName, ...] = ()
    excluded: tuple[x509.GeneralName, ...] = ()

    @classmethod
    def of(cls, ca: x509.Certificate) -> "Bounds":
        """The constraints of an authority, whoever made it."""
        found = extension(ca, x509.NameConstraints)
        if found is None:
            return cls()
        return cls(tuple(found.permitted_subtrees or ()), tuple(found.excluded_subtrees or ()))

    def within(self, what: Cover) -> Cover:
        """What of this the authority vouches for; one name too many spoils a certificate."""
        return Cover(
            frozenset(name for name in what.names if self.allow_name(name)),
            frozenset(address for address in what.addresses if self.allow_address(address)),
        )

    def allow_name(self, name: str) -> bool:
        """Does it vouch for a name, in lower case, maybe a wildcard?"""
        permitted, excluded = _names(self.permitted), _names(self.excluded)
        return _allow([_below(name, zone) for zone in permitted]) and not any(
            _below(name, zone) for zone in excluded
        )

    def allow_address(self, address: Address) -> bool:
        """Does it vouch for an address?"""
        permitted, excluded = _networks(self.permitted), _networks(self.excluded)
        return _allow([address in network for network in permitted]) and not any(
            address in network for network in excluded
        )


def _allow(matches: list[bool]) -> bool:
    return not matches or any(matches)


def _names(subtrees: Iterable[x509.GeneralName]) -> list[str]:
    return [tree.value.lower() for tree in subtrees if isinstance(tree, x509.DNSName)]


def _networks(subtrees: Iterable[x509.GeneralName]) -> list[Network]:
    values = [tree.value for tree in subtrees if isinstance(tree, x509.IPAddress)]
    return [value for value in values if isinstance(value, IPv4Network | IPv6Network)]


def _below(name: str, zone: str) -> bool:
    # OpenSSL and others take a dot in front of a zone for "and not the zone itself".
    bare = zone.removeprefix(".")
    return not bare or name == zone or name.endswith(f".{bare}")
