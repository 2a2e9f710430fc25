"""
From where a request comes: which page of which site sent it, and from which network.

Browsers say the former in headers that no page can change (Fetch, 3.2; Fetch Metadata, 2);
other programs do not send them, and nobody can make them do so against their owner's will.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from bumper_tw.web.call import Call, is_address, parse_authority
from bumper_tw.web.own_names import is_vendors

FOREIGN = "this was sent by a page of another site"

#: What changes nothing (RFC 9110, 9.2.1).
SAFE = frozenset({"GET", "HEAD"})

#: The ports that are left out.
USUAL = {"http": "80", "https": "443"}

#: What is behind the same door: this box itself, private addresses (RFC 1918, RFC 4193), those of
#: a cable without a router (RFC 3927, RFC 4291), and shared ones (RFC 6598).  The last are a
#: provider's, too, but whoever has his own box there has a router before it; and they are what
#: private networks over the internet give to the owner's phone.
PRIVATE = tuple(
    map(
        ip_network,
        (
            "127.0.0.0/8",
            "::1/128",
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "fc00::/7",
            "169.254.0.0/16",
            "fe80::/10",
            "100.64.0.0/10",
        ),
    )
)

#: How long the part of an IPv6 address is that all have on the same cable (RFC 4291, 2.5.1).
CABLE_BITS = 64

#: Where proxies write down for whom they ask.
FORWARDED = "x-forwarded-for"

#: As many proxies in a row are believed to be that.
MOST_PROXIES = 10


def normal_origin(text: str) -> tuple[str, str, str] | None:
    """
    Scheme, host and port of an origin.

    @return: C{None} for C{null}, and for what is none.
    """
    scheme, _, authority = text.lower().partition("://")
    found = parse_authority(authority)
    if found is None or scheme not in USUAL:
        return None
    return scheme, found[0], found[1] or USUAL[scheme]


def is_same_origin(call: Call) -> bool:
    """Whether a page of ours sent it, or none, as far as its sender says."""
    said = call.header("origin")
    ours = normal_origin(call.base_url)
    return not said or (ours is not None and normal_origin(said) == ours)


def is_cross_site(call: Call) -> bool:
    """Whether the browser says that a page of another site sent it."""
    return call.header("sec-fetch-site").strip().lower() == "cross-site"


def is_foreign(call: Call) -> bool:
    """Whether a page of somebody else's sent it, as far as its sender says."""
    return is_cross_site(call) or not is_same_origin(call)


def is_of_app(call: Call) -> bool:
    """
    Whether a page of the vendor's app sent it: one of his, or one that comes with the app.  No
    page that is loaded from elsewhere has a file for its origin; but C{null} anybody can have.
    """
    said = call.header("origin").lower()
    origin = normal_origin(said)
    return said == "file://" or (origin is not None and is_vendors(origin[1]))


def is_from_page(call: Call) -> bool:
    """Whether a browser says that a page sent it, whichever that is."""
    return bool(call.header("origin") or call.header("sec-fetch-site"))


def is_safe(call: Call) -> bool:
    """Whether it changes nothing."""
    return call.method in SAFE


def is_near(call: Call) -> bool:
    """
    Whether it comes from the same house: from a private address, or over the same cable.  Who asks
    through a proxy of the house has to be near himself; what he says of that is believed only if
    it is against him.
    """
    hosts = [each.strip() for each in call.header(FORWARDED).split(",") if each.strip()]
    return near(call.peer, call.local) and all(
        is_address(bare(host)) and near(bare(host), "") for host in hosts[-MOST_PROXIES:]
    )


def bare(host: str) -> str:
    """An address as some proxies write it: with brackets, or with a port behind it."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0] if host.count(":") == 1 else host


def near(peer: str, local: str) -> bool:
    """
    Whether one address is in the house.

    @param peer: empty for somebody on this box who has no address.
    @param local: the address of ours that he has connected to.  Computers at home have public
        addresses of IPv6, the front half of which is the same; of IPv4 they hardly ever have.
    """
    if not peer:
        return True
    address = address_of(peer)
    if address is None:
        return False
    return any(address in network for network in PRIVATE) or is_beside(address, local)


def is_beside(address: IPv4Address | IPv6Address, local: str) -> bool:
    """Whether two addresses of IPv6 are on the same cable."""
    ours = address_of(local)
    if not isinstance(address, IPv6Address) or not isinstance(ours, IPv6Address):
        return False
    return address in ip_network(f"{ours}/{CABLE_BITS}", strict=False)


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """An address without a scope, and without the disguise of IPv4 as IPv6."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
