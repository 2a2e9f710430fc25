"""Which addresses are told for the vendor's names."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.addresses import FRESH, InterfaceAddress
from bumper_tw.app.dns_told import Told, listens_on_six
from bumper_tw.app.settings import LISTEN, DnsSettings, Listen, ServerSettings, Settings

OWN: tuple[InterfaceAddress, ...] = (
    InterfaceAddress("lo", "127.0.0.1"),
    InterfaceAddress("docker0", "172.17.0.1"),
    InterfaceAddress("eth0", "192.168.1.5"),
    InterfaceAddress("eth1", "10.0.0.5"),
    InterfaceAddress("lo", "::1"),
    InterfaceAddress("eth0", "fe80::5"),
    InterfaceAddress("eth0", "fd00::5"),
)

#: Everything on IPv6, too.
BOTH = (Listen("all", "tcp:443", tls=True), Listen("all", "tcp6:443", tls=True))


class ToldTests(SynchronousTestCase):
    """What somebody hears who asked at an address of ours."""

    def setUp(self) -> None:
        self.clock, self.own = Clock(), OWN
        self.source: str | None = "192.168.1.5"
        self.settings = Settings(listen=BOTH)

    def told(self, local: str) -> tuple[str, ...]:
        return Told(self.settings, lambda: self.own, lambda: self.source, self.clock)(local)

    def test_where_it_came_in(self) -> None:
        """The address itself, and that of the other kind on the same interface."""
        self.assertEqual(self.told("192.168.1.5"), ("192.168.1.5", "fd00::5"))
        self.assertEqual(self.told("fd00::5"), ("192.168.1.5", "fd00::5"))
        self.assertEqual(self.told("10.0.0.5"), ("10.0.0.5",))

    def test_container(self) -> None:
        """One that asks on its bridge may be the DNS server of the house, and asks for all."""
        self.assertEqual(self.told("172.17.0.1"), ("192.168.1.5", "fd00::5"))

    def test_container_alone(self) -> None:
        """Where nothing else can be reached, it is told where it asked."""
        self.source, self.own = None, OWN[:2]
        self.assertEqual(self.told("172.17.0.1"), ("172.17.0.1",))

    def test_this_box(self) -> None:
        """Programs here hear what others hear."""
        for local in ("127.0.0.1", "::1", "127.0.0.2"):
            self.assertEqual(self.told(local), ("192.168.1.5", "fd00::5"), local)

    def test_no_route(self) -> None:
        """Without a default route, any address that others can reach; no bridge."""
        self.source = None
        self.assertEqual(self.told("127.0.0.1"), ("192.168.1.5", "fd00::5"))

    def test_nothing_else(self) -> None:
        """A box without a network has itself."""
        self.source, self.own = None, OWN[:1]
        self.assertEqual(self.told("127.0.0.1"), ("127.0.0.1",))
        self.assertEqual(self.told("::1"), ("127.0.0.1",))

    def test_only_six(self) -> None:
        """A box with nothing but IPv6, where nothing listens on that, has nothing to tell."""
        self.source, self.own = None, (OWN[0], *OWN[4:])
        for local in ("fd00::5", "127.0.0.1"):
            self.assertEqual(self.told(local), ("fd00::5",))
        self.settings = Settings()
        self.assertEqual(self.told("fd00::5"), ())

    def test_nobody_listens(self) -> None:
        """Where nothing listens on IPv6, no such address is told."""
        self.settings = Settings()
        self.assertEqual(self.told("192.168.1.5"), ("192.168.1.5",))
        self.assertEqual(self.told("fd00::5"), ("192.168.1.5",))

    def test_announced(self) -> None:
        """What robots are told elsewhere counts here, too."""
        self.settings = Settings(server=ServerSettings(announce="203.0.113.5"), listen=BOTH)
        self.assertEqual(self.told("192.168.1.5"), ("203.0.113.5",))

    def test_owners_choice(self) -> None:
        """What the owner says for DNS counts more than anything."""
        dns = DnsSettings(answer=("192.168.9.9", "fd09::9"))
        self.settings = Settings(server=ServerSettings(announce="203.0.113.5"), dns=dns)
        self.assertEqual(self.told("192.168.1.5"), ("192.168.9.9", "fd09::9"))

    def test_believed_for_a_while(self) -> None:
        """The kernel is not asked for each question, and not too seldom."""
        readings: list[None] = []

        def own() -> tuple[InterfaceAddress, ...]:
            readings.append(None)
            return OWN

        told = Told(self.settings, own, lambda: None, self.clock)
        for _ in range(3):
            told("192.168.1.5")
        self.assertEqual(len(readings), 1)
        self.clock.advance(FRESH)
        told("192.168.1.5")
        self.assertEqual(len(readings), 2)


class ListensTests(SynchronousTestCase):
    """Whether there is anything on IPv6."""

    def test_as_shipped(self) -> None:
        """The listeners that nobody changed are on IPv4."""
        self.assertFalse(listens_on_six(LISTEN))

    def test_all_ports(self) -> None:
        """Every port has to be there, but not those for this box, and none that is optional."""
        here = Listen("mqtt", "tcp:1883:interface=127.0.0.1")
        maybe = Listen("web", "tcp:80", optional=True)
        self.assertTrue(listens_on_six((*BOTH, here, maybe)))
        self.assertFalse(listens_on_six((*BOTH, Listen("web", "tcp:8007"))))

    def test_spellings(self) -> None:
        """An address of IPv6 after C{tcp:}, and loopback."""
        self.assertTrue(listens_on_six((Listen("web", r"tcp:80:interface=\:\:"),)))
        self.assertFalse(
            listens_on_six((Listen("web", "tcp:80"), Listen("web", r"tcp:80:interface=\:\:1")))
        )

    def test_from_systemd(self) -> None:
        """Sockets that come from elsewhere are trusted."""
        self.assertTrue(listens_on_six((Listen("web", "systemd:domain=INET6:name=web"),)))
