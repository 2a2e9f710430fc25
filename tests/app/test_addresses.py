"""Which of our addresses robots and apps may be told."""

import struct
from ipaddress import ip_address
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.addresses import (
    FRESH,
    Announcer,
    InterfaceAddress,
    announceable,
    default_source,
    host_names,
    is_host_name,
    is_target,
    own_addresses,
    plain,
)

FIB_TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 192.168.1.0/24 2 0 2
        |-- 192.168.1.5
           /32 link BROADCAST
           /32 host LOCAL
        |-- 192.168.1.255
           /32 link BROADCAST
Local:
  +-- 127.0.0.0/8 2 0 2
     |-- 127.0.0.0
        /8 host LOCAL
     |-- 127.0.0.1
        /32 host LOCAL
  |-- 172.17.0.1
     /32 host LOCAL
  |-- 10.9.9.9
     /32 host LOCAL
  |-- 192.168.1.5
     /32 host LOCAL
"""

IF_INET6 = """\
00000000000000000000000000000001 01 80 10 80       lo
fd000000000000000000000000000002 04 40 00 82     eth0
"""

LAN = InterfaceAddress("eth0", "192.168.1.5")
LOOPBACK = InterfaceAddress("lo", "127.0.0.1")
DOCKER = InterfaceAddress("docker0", "172.17.0.1")
LAN6 = InterfaceAddress("eth0", "fd00::2")


def route(interface: str, network: str, gateway: str, mask: str) -> str:
    """A line of C{/proc/net/route} as this machine's kernel would print it."""
    words = [f"{struct.unpack('=I', ip_address(a).packed)[0]:08X}" for a in (network, gateway)]
    (bits,) = struct.unpack("=I", ip_address(mask).packed)
    return f"{interface}\t{words[0]}\t{words[1]}\t0001\t0\t0\t0\t{bits:08X}\t0\t0\t0   \n"


class AddressTests(SynchronousTestCase):
    """What an address is good for."""

    def test_announceable(self) -> None:
        """Addresses that others can reach may be announced."""
        for local in ("192.168.1.5", "10.0.0.1", "fd00::2", "::ffff:192.168.1.5", "8.8.8.8"):
            self.assertTrue(announceable(local), local)

    def test_not_announceable(self) -> None:
        """Loopback, wildcards, link-local, multicast and what is no address may not."""
        for local in (
            "127.0.0.1",
            "127.0.1.1",
            "::1",
            "0.0.0.0",
            "::",
            "169.254.1.1",
            "fe80::1",
            "fe80::1%eth0",
            "::ffff:127.0.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "",
            "box.lan",
        ):
            self.assertFalse(announceable(local), local)

    def test_plain(self) -> None:
        """IPv4 in IPv6 clothes is IPv4, whichever way it is spelled."""
        self.assertEqual(plain("::ffff:192.168.1.5"), "192.168.1.5")
        self.assertEqual(plain("::FFFF:C0A8:0105"), "192.168.1.5")
        self.assertEqual(plain("fe80::1%eth0"), "fe80::1")
        self.assertEqual(plain("box.lan"), "box.lan")

    def test_target(self) -> None:
        """The owner may announce any one address, even loopback, and nothing else."""
        for text in ("192.168.1.5", "127.0.0.1", "fd00::2"):
            self.assertTrue(is_target(text), text)
        for text in ("", "box.lan", "0.0.0.0", "::", "224.0.0.1", "fe80::1%eth0", "1.2.3.4/24"):
            self.assertFalse(is_target(text), text)

    @given(st.text(max_size=40))
    def test_any_text(self, text: str) -> None:
        """Whatever an address is spelled like, it gets an answer; C{plain} settles at once."""
        self.assertEqual(plain(plain(text)), plain(text))
        self.assertIn(announceable(text), (True, False))


class HostNameTests(SynchronousTestCase):
    """Names for the certificate."""

    def test_spellings(self) -> None:
        """Host names are labels with dots between, and no addresses."""
        for text in ("box", "box.lan", "*.box.lan", "a-1.b2", "3com.com"):
            self.assertTrue(is_host_name(text), text)
        for text in ("", "-a", "a-", "a..b", "192.168.1.5", "a b", "Box", "a.*", "a" * 64, "é"):
            self.assertFalse(is_host_name(text), text)
        self.assertFalse(is_host_name(".".join(["a" * 60] * 5)))

    def test_of_this_box(self) -> None:
        """The host name counts in lower case, and again as multicast DNS knows it."""
        self.assertEqual(host_names(lambda: "Box"), ("box", "box.local"))
        self.assertEqual(host_names(lambda: "box.example."), ("box.example", "box.local"))
        self.assertEqual(host_names(lambda: "my_box"), ())
        self.assertEqual(host_names(lambda: "box.local"), ("box.local",))


class OwnAddressesTests(SynchronousTestCase):
    """Reading the kernel's tables."""

    def setUp(self) -> None:
        """Start with a box that has nothing to say."""
        self.proc = Path(self.mktemp())
        (self.proc / "net").mkdir(parents=True)

    def test_all(self) -> None:
        """Addresses come with the interface whose network they are in, as far as known."""
        net = self.proc / "net"
        (net / "fib_trie").write_text(FIB_TRIE)
        (net / "if_inet6").write_text(IF_INET6)
        (net / "route").write_text(
            "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
            + route("eth0", "0.0.0.0", "192.168.1.1", "0.0.0.0")
            + route("tun0", "10.9.0.0", "192.168.1.1", "255.255.0.0")
            + route("wide", "172.16.0.0", "0.0.0.0", "255.240.0.0")
            + route("docker0", "172.17.0.0", "0.0.0.0", "255.255.0.0")
            + route("eth0", "192.168.1.0", "0.0.0.0", "255.255.255.0")
        )
        self.assertEqual(
            own_addresses(self.proc),
            (
                LAN,
                LOOPBACK,
                DOCKER,
                InterfaceAddress("", "10.9.9.9"),
                InterfaceAddress("lo", "::1"),
                LAN6,
            ),
        )

    def test_nothing_there(self) -> None:
        """Where the kernel has no such tables, there are no addresses."""
        self.assertEqual(own_addresses(self.proc), ())

    def test_this_machine(self) -> None:
        """The machine this runs on gives addresses, and its default source is none of odd kind."""
        self.assertEqual([a for a in own_addresses() if plain(a.address) != a.address], [])
        source = default_source() or ""
        self.assertEqual(plain(source), source)


class AnnouncerTests(SynchronousTestCase):
    """What one peer is told."""

    def setUp(self) -> None:
        """Start on a LAN, beside containers."""
        self.clock = Clock()
        self.own: list[InterfaceAddress] = [LOOPBACK, DOCKER, LAN6, LAN]
        self.source: str | None = LAN.address
        self.readings = 0

    def read(self) -> list[InterfaceAddress]:
        """The addresses of this box, counting who asks."""
        self.readings += 1
        return self.own

    def announcer(self, explicit: str = "") -> Announcer:
        """One over this box."""
        return Announcer(explicit, self.read, lambda: self.source, self.clock)

    def test_explicit(self) -> None:
        """The owner's choice wins, and nothing is read."""
        self.assertEqual(self.announcer("10.1.1.1").for_connection("192.168.1.5"), "10.1.1.1")
        self.assertEqual(self.readings, 0)

    def test_where_it_arrived(self) -> None:
        """The address the peer reached is told, even if it is not the default one."""
        self.own.append(InterfaceAddress("wlan0", "10.0.0.7"))
        announcer = self.announcer()
        self.assertEqual(announcer.for_connection("10.0.0.7"), "10.0.0.7")
        self.assertEqual(announcer.for_connection("::ffff:192.168.1.5"), "192.168.1.5")
        self.assertEqual(announcer.for_connection("fd00::2"), "fd00::2")

    def test_unknown_address(self) -> None:
        """An address the kernel's tables do not show is told when it is fit."""
        self.assertEqual(self.announcer().for_connection("203.0.113.9"), "203.0.113.9")

    def test_useless_arrival(self) -> None:
        """Over loopback, a container bridge or link-local the default source is told."""
        announcer = self.announcer()
        for local in ("127.0.0.1", "::1", "172.17.0.1", "::ffff:172.17.0.1", "fe80::1%eth0", ""):
            self.assertEqual(announcer.for_connection(local), "192.168.1.5", local)

    def test_bridges(self) -> None:
        """Every kind of container bridge is recognised; interfaces of the LAN are not."""
        for name, told in (
            ("docker0", "192.168.1.5"),
            ("docker_gwbridge", "192.168.1.5"),
            ("br-0123456789ab", "192.168.1.5"),
            ("cni0", "192.168.1.5"),
            ("podman1", "192.168.1.5"),
            ("virbr0", "192.168.1.5"),
            ("lxcbr0", "192.168.1.5"),
            ("veth12ab", "192.168.1.5"),
            ("br-lan", "10.5.0.1"),
            ("br0", "10.5.0.1"),
        ):
            self.own = [InterfaceAddress(name, "10.5.0.1"), LAN]
            self.assertEqual(self.announcer().for_connection("10.5.0.1"), told, name)

    def test_no_default_route(self) -> None:
        """Without a usable default source any other fit address is told, IPv4 first."""
        for source in (None, "127.0.0.1", "172.17.0.1"):
            self.source = source
            self.assertEqual(self.announcer().for_connection("127.0.0.1"), "192.168.1.5")
        self.own.remove(LAN)
        self.assertEqual(self.announcer().for_connection("127.0.0.1"), "fd00::2")

    def test_nothing_fit(self) -> None:
        """A box that nobody reaches has nothing to tell."""
        self.own, self.source = [LOOPBACK, DOCKER], None
        self.assertIsNone(self.announcer().for_connection("127.0.0.1"))

    def test_remembered(self) -> None:
        """A crowd of peers costs one reading; a new address is noticed soon."""
        announcer = self.announcer()
        for _ in range(100):
            announcer.for_connection("127.0.0.1")
        self.assertEqual(self.readings, 1)
        self.source = "192.168.1.77"
        self.clock.advance(FRESH - 1)
        self.assertEqual(announcer.for_connection("127.0.0.1"), "192.168.1.5")
        self.clock.advance(1)
        self.assertEqual(announcer.for_connection("127.0.0.1"), "192.168.1.77")
        self.assertEqual(self.readings, 2)
