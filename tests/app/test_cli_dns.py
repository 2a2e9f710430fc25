"""C{bumper dns}."""

import os
import sys
from io import StringIO
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.addresses import InterfaceAddress
from bumper_tw.app.cli_dns import parser, run
from bumper_tw.app.dns_snippets import SNIPPETS
from bumper_tw.pki.zones import ZONES

FOUR, SIX = "192.168.1.5", "fd00::5"

OWN: tuple[InterfaceAddress, ...] = (
    InterfaceAddress("lo", "127.0.0.1"),
    InterfaceAddress("eth0", FOUR),
    InterfaceAddress("eth1", "10.0.0.5"),
    InterfaceAddress("docker0", "172.17.0.1"),
    InterfaceAddress("eth0", SIX),
    InterfaceAddress("eth0", "fe80::5"),
)


class CliDnsTests(SynchronousTestCase):
    """What is printed."""

    def setUp(self) -> None:
        self.own = OWN
        self.source: str | None = FOUR
        self.config = Path(self.mktemp())
        self.config.write_text("")
        own = {name: text for name, text in os.environ.items() if name[:7] != "BUMPER_"}
        self.patch(os, "environ", own)

    def say(self, *arguments: str, status: int = 0) -> str:
        out, err = StringIO(), StringIO()
        self.patch(sys, "stdout", out)
        self.patch(sys, "stderr", err)
        options = parser().parse_args([*arguments, "--config", str(self.config)])
        got = run(options, lambda: self.own, lambda: self.source)
        self.assertEqual(got, status, err.getvalue())
        return err.getvalue() if status else out.getvalue()

    def test_overview(self) -> None:
        """Without a program, which there are, and the zones."""
        said = self.say()
        for word in (*SNIPPETS, *ZONES):
            self.assertIn(word, said)

    def test_every_program(self) -> None:
        """Each snippet names every zone with our address, says how to test it, and no other."""
        for program in SNIPPETS:
            said = self.say("--for", program)
            for zone in ZONES:
                self.assertIn(zone, said, program)
            self.assertIn(FOUR, said)
            self.assertIn("dig +short", said)
            self.assertNotIn("172.17.0.1", said)
            self.assertNotIn("127.0.0.1", said)

    def test_several_addresses(self) -> None:
        """The one of the default route is taken, and the others are named."""
        said = self.say("--for", "dnsmasq")
        self.assertIn("# 192.168.1.5 is where the default route leaves", said)
        self.assertIn("# 10.0.0.5; choose with --address.", said)
        self.assertNotIn("address=/ecouser.net/10.0.0.5", said)

    def test_no_six(self) -> None:
        """As shipped nothing listens on IPv6, so none is told, and the owner is told why."""
        said = self.say("--for", "unbound")
        self.assertNotIn(SIX, said)
        self.assertIn("tcp6:", said)

    def test_six(self) -> None:
        """When everything listens on IPv6 its address is told, too."""
        tables = '[[listen]]\nserve = "all"\nat = "{}:443"\ntls = true\n'
        self.config.write_text(tables.format("tcp") + tables.format("tcp6"))
        said = self.say("--for", "unbound")
        self.assertIn(f'local-data: "ecouser.net. 60 IN AAAA {SIX}"', said)
        self.assertIn(f'local-data: "ecouser.net. 60 IN A {FOUR}"', said)

    def test_settings(self) -> None:
        """What the settings tell robots is told here, too."""
        self.config.write_text('[server]\nannounce = "192.168.7.7"\n')
        said = self.say("--for", "dnsmasq")
        self.assertIn("address=/ecouser.net/192.168.7.7", said)
        self.assertIn("from the settings", said)

    def test_given(self) -> None:
        """The owner may name addresses, each once, in any spelling."""
        given = ("--address", "192.168.7.7", "--address", "FD00::0007", "--address", "fd00::7")
        said = self.say("--for", "adguard", *given)
        self.assertIn("||ecovacs.cn^$dnsrewrite=NOERROR;A;192.168.7.7\n", said)
        self.assertEqual(said.count("||ecovacs.cn^$dnsrewrite=NOERROR;AAAA;fd00::7\n"), 1)
        self.assertNotIn("dnstype=AAAA", said)

    def test_doubts(self) -> None:
        """An address of somebody else, one nobody reaches, IPv6 without a listener: a comment."""
        for address, doubt in (
            ("192.168.7.7", "no address of this box"),
            ("fd09::9", "no address of this box"),
            ("127.0.0.1", "cannot reach"),
            ("172.17.0.1", "cannot reach"),
            (SIX, "tcp6:"),
        ):
            said = self.say("--for", "adguard", "--address", FOUR, "--address", address)
            [line] = [line for line in said.splitlines() if "right?" in line and doubt in line]
            self.assertTrue(line.startswith(f"! Is {address} right?"), line)
            self.assertIn(address, said.replace(line, ""))
        self.assertNotIn("right?", self.say("--for", "adguard", "--address", FOUR))

    def test_no_doubts(self) -> None:
        """Where everything listens on IPv6, such an address is as good."""
        tables = '[[listen]]\nserve = "all"\nat = "{}:443"\ntls = true\n'
        self.config.write_text(tables.format("tcp") + tables.format("tcp6"))
        self.assertNotIn("right?", self.say("--for", "bind", "--address", SIX))

    def test_adguard_without_six(self) -> None:
        """Where there is no IPv6 address, such questions get an empty answer."""
        said = self.say("--for", "adguard")
        self.assertIn("||ecouser.net^$dnstype=AAAA,dnsrewrite=NOERROR;;\n", said)
        self.assertNotIn("$dnstype=A,", said)

    def test_pihole(self) -> None:
        """Pi-hole 6 gets everything as one setting."""
        said = self.say("--for", "pihole")
        [line] = [line for line in said.splitlines() if line.startswith("pihole-FTL")]
        self.assertTrue(line.startswith("pihole-FTL --config misc.dnsmasq_lines '[ \"local=/"))
        self.assertEqual(line.count("address=/"), len(ZONES))
        self.assertEqual(line.count("local=/"), len(ZONES))

    def test_openwrt(self) -> None:
        """On OpenWrt it can be run again without having everything twice."""
        lines = self.say("--for", "openwrt").splitlines()
        for number, line in enumerate(lines):
            if line.startswith("uci add_list"):
                self.assertEqual(lines[number - 1], line.replace("uci add", "uci -q del"))
        self.assertIn("uci commit dhcp", lines)

    def test_wrong_address(self) -> None:
        """What is no address is refused."""
        for wrong in ("x", "0.0.0.0", "192.168.1.0/24", "fe80::1%eth0"):
            said = self.say("--for", "bind", "--address", wrong, status=1)
            self.assertIn("is no IP address", said)

    def test_no_network(self) -> None:
        """A box that nobody can reach has nothing to say."""
        self.own, self.source = OWN[:1], None
        self.assertIn("--address", self.say("--for", "bind", status=1))

    def test_comments(self) -> None:
        """Whatever is no comment means something to the program."""
        for program, snippet in SNIPPETS.items():
            said = self.say("--for", program).splitlines()
            text = [line for line in said if not line.startswith(snippet.remark)]
            self.assertEqual(text, list(snippet.text(ZONES, (FOUR,))))
