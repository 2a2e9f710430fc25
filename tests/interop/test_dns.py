"""
DNS: what C{bumper dns} prints, loaded into the real servers, and our own one as it is started.

The packages dnsmasq-base, unbound, bind9 and bind9-dnsutils of the distribution.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from twisted.names import dns

from bumper_tw.dialect.hosts import known_hosts
from tests.dns.samples import addresses, query, read
from tests.interop.case import InteropCase, clients_wanted, unavailable
from tests.interop.children import Child, until
from tests.interop.server import HOST, Server, own_environment

#: What everybody has elsewhere, so that whatever leaks through is seen.
ELSEWHERE, ELSEWHERE_SIX = "203.0.113.9", "2001:db8::9"

FOUR, SIX = "192.168.7.7", "fd00::7"

#: Where our own server finds others: its settings have no ports for these.
#: Where a server is that only tests of this process ask; port 53 cannot be another one.
UPSTREAM = f"127.53.{os.getpid() >> 8 & 255}.{os.getpid() & 255 or 1}"

#: Questions at random, and how much memory they may cost in the end.
QUESTIONS, MORE_BYTES = 10_000, 12 << 20


def program(name: str) -> str:
    """Where a program is; what system administrators run is not on everybody's path."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    return found or unavailable(f"{name} is not installed")


def free_port() -> int:
    """A port that is free for UDP and TCP, now at least."""
    while True:
        with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket() as other:
            one.bind((HOST, 0))
            port = int(one.getsockname()[1])
            try:
                other.bind((HOST, port))
            except OSError:
                continue
            return port


def ask(host: str, port: int, data: bytes, seconds: float = 5.0) -> bytes:
    """One question over UDP, and its answer."""
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.settimeout(seconds)
        sender.connect((host, port))
        sender.send(data)
        return sender.recv(4096)


def answers(host: str, port: int) -> bool:
    """Whether anybody answers there by now."""
    try:
        ask(host, port, query("localhost.test"), 0.5)
    except OSError:
        return False
    return True


def snippet(name: str, *addresses: str) -> str:
    """What the owner is told to write."""
    given = [word for address in addresses for word in ("--address", address)]
    argv = [sys.executable, "-m", "bumper_tw.app.cli", "dns", "--for", name, *given]
    environ = own_environment()
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Case(InteropCase):
    """Servers of other people."""

    def setUp(self) -> None:
        super().setUp()
        clients_wanted()
        self.elsewhere = free_port()

    def start(self, argv: list[str], host: str, port: int) -> Child:
        child = self.session(argv, {"PATH": os.environ.get("PATH", "")})
        until(lambda: not child.running or answers(host, port), f"{argv[0]} answers")
        self.assertTrue(child.running, child.story())
        return child

    def dnsmasq(self, port: int, *options: str, host: str = HOST) -> Child:
        """A dnsmasq with nothing but these options."""
        fixed = ["--keep-in-foreground", "--no-hosts", "--no-resolv", "--user=", "--pid-file"]
        where = [f"--port={port}", f"--listen-address={host}", "--bind-interfaces"]
        conf = () if any(o.startswith("--conf-file") for o in options) else ("-C", "/dev/null")
        return self.start([program("dnsmasq"), *fixed, *where, *conf, *options], host, port)

    def rest_of_the_world(self) -> None:
        """A server for which every name is elsewhere, by both kinds of addresses."""
        every = (f"--address=/#/{ELSEWHERE}", f"--address=/#/{ELSEWHERE_SIX}")
        self.dnsmasq(self.elsewhere, *every, "--local-ttl=60")

    def look(self, port: int, name: str, kind: int) -> list[str]:
        message = ask(HOST, port, query(name, kind))
        self.assertEqual(read(message).rCode, dns.OK, f"{name} {kind}")
        return addresses(message)

    def assert_redirected(self, port: int, four: list[str], six: list[str]) -> None:
        """Every name that is known leads here, some that nobody knows too, and no other."""
        for name in (*known_hosts(), "never.seen.dc-eu.ww.ecouser.net", "x.ecovacs.cn"):
            self.assertEqual(self.look(port, name, dns.A), four, name)
            self.assertEqual(self.look(port, name, dns.AAAA), six, name)
        for name in ("example.org", "notecouser.net"):
            self.assertEqual(self.look(port, name, dns.A), [ELSEWHERE], name)
            self.assertEqual(self.look(port, name, dns.AAAA), [ELSEWHERE_SIX], name)


class SnippetTests(Case):
    """Each server with the text for it: with both kinds of addresses, and with one."""

    def both(self, load: Callable[[str], int], name: str) -> None:
        self.rest_of_the_world()
        self.assert_redirected(load(snippet(name, FOUR, SIX)), [FOUR], [SIX])
        self.assert_redirected(load(snippet(name, FOUR)), [FOUR], [])

    def masq(self, lines: str) -> int:
        port, conf = free_port(), self.folder / "dnsmasq.conf"
        conf.write_text(lines)
        self.dnsmasq(port, f"--conf-file={conf}", f"--server={HOST}#{self.elsewhere}")
        return port

    def test_dnsmasq(self) -> None:
        """dnsmasq reads the lines as they are."""
        self.both(self.masq, "dnsmasq")

    def test_pihole(self) -> None:
        """Pi-hole's resolver is dnsmasq: what its setting gets are lines that this one reads."""

        def load(text: str) -> int:
            found = re.search(r"misc\.dnsmasq_lines '(.*)'$", text, re.MULTILINE)
            assert found is not None, text
            return self.masq("\n".join(json.loads(found[1])))

        self.both(load, "pihole")

    def test_openwrt(self) -> None:
        """OpenWrt's lists are options of dnsmasq, by the same names."""

        def load(text: str) -> int:
            pattern = r"^uci add_list dhcp\.@dnsmasq\[0\]\.(server|address)='(.*)'$"
            pairs = re.findall(pattern, text, re.MULTILINE)
            return self.masq("\n".join(f"{name}={value}" for name, value in pairs))

        self.both(load, "openwrt")

    def unbound(self, text: str) -> int:
        port, main = free_port(), self.folder / "unbound.conf"
        (self.folder / "bumper.conf").write_text(text)
        main.write_text(
            f'include: "{self.folder}/bumper.conf"\n'
            'server:\n do-daemonize: no\n username: ""\n chroot: ""\n pidfile: ""\n'
            f' use-syslog: no\n directory: "{self.folder}"\n interface: {HOST}\n port: {port}\n'
            ' module-config: "iterator"\n do-not-query-localhost: no\n'
            f'forward-zone:\n name: "."\n forward-addr: {HOST}@{self.elsewhere}\n'
        )
        self.start([program("unbound"), "-d", "-c", str(main)], HOST, port)
        return port

    def test_unbound(self) -> None:
        """Unbound includes the file."""
        self.both(self.unbound, "unbound")

    def test_opnsense(self) -> None:
        """OPNsense's resolver is Unbound, and includes the same."""
        self.both(self.unbound, "opnsense")

    def bind(self, text: str) -> int:
        port, etc = free_port(), self.folder / f"bind{free_port()}"
        etc.mkdir()
        script = text.replace("/etc/bind", str(etc))
        done = subprocess.run(["/bin/sh", "-e"], input=script, text=True, check=False)
        self.assertEqual(done.returncode, 0)
        main = etc / "named.conf"
        main.write_text(
            f'options {{ directory "{etc}"; listen-on port {port} {{ {HOST}; }};'
            " listen-on-v6 { none; }; pid-file none; recursion yes; dnssec-validation no;"
            f' session-keyfile "{etc}/key"; forward only;'
            f" forwarders {{ {HOST} port {self.elsewhere}; }}; }};\n"
            f'controls {{ }};\ninclude "{etc}/named.conf.bumper";\n'
        )
        child = self.start([program("named"), "-g", "-c", str(main)], HOST, port)
        # It answers before that, for zones that it has not read yet with SERVFAIL.
        until(lambda: any("all zones loaded" in line for line in child.err), "named has its zones")
        return port

    def test_bind(self) -> None:
        """named includes the zones that the lines make."""
        self.both(self.bind, "bind")


class OwnTests(Case):
    """Our own DNS, in a server that was started."""

    def setUp(self) -> None:
        super().setUp()
        if os.geteuid():
            unavailable("only root may open port 53 for a server to ask")
        self.dig_program = program("dig")
        self.dnsmasq(
            53,
            "--address=/known.example/192.0.2.80",
            "--local=/example/",
            "--local-ttl=60",
            f"--txt-record=long.known.example,{','.join(['x' * 200] * 12)}",
            host=UPSTREAM,
        )
        self.port = free_port()
        self.server = self.serve("--config", str(self.settings()))
        self.server.ports()

    def settings(self) -> Path:
        file = self.folder / "dns.toml"
        file.write_text(
            f'[dns]\nserve = true\nport = {self.port}\ninterface = "{HOST}"\n'
            f'upstream = ["{UPSTREAM}"]\nanswer = ["{FOUR}", "{SIX}"]\n'
        )
        return file

    def dig(self, *words: str) -> str:
        argv = [self.dig_program, f"@{HOST}", "-p", str(self.port), "+tries=1", "+timeout=5"]
        done = subprocess.run([*argv, *words], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def short(self, *words: str) -> list[str]:
        return self.dig("+short", *words).split()

    def test_names(self) -> None:
        """All our names, over UDP and TCP, with the asker's spelling; others as they are."""
        for way in ("+notcp", "+tcp"):
            batch = self.folder / "names"
            batch.write_text("".join(f"{name} {way} +short A\n" for name in known_hosts()))
            self.assertEqual(self.short("-f", str(batch)), [FOUR] * len(known_hosts()))
            self.assertEqual(self.short(way, "AAAA", "portal-ww.ecouser.net"), [SIX])
            self.assertEqual(self.short(way, "MX", "ecouser.net"), [])
            self.assertEqual(self.short(way, "A", "known.example"), ["192.0.2.80"])
            self.assertEqual(self.short(way, "A", "known.example"), ["192.0.2.80"])
            self.assertIn("NXDOMAIN", self.dig(way, "A", "unknown.example"))
        self.assertIn("\nPortal-WW.ecouser.NET.\t", self.dig("A", "Portal-WW.ecouser.NET"))
        self.assertIn("SOA", self.dig("MX", "ecouser.net"))

    def test_long(self) -> None:
        """What is too long for UDP is cut there, and fetched over TCP."""
        self.assertIn("flags: qr tc", self.dig("+ignore", "TXT", "long.known.example"))
        self.assertEqual(len(self.short("TXT", "long.known.example")), 12)

    def test_memory(self) -> None:
        """Ten thousand questions at random, and rubbish, cost a bounded amount of memory."""
        random = Random(1)
        self.questions(random, 2500)
        before = self.resident()
        self.questions(random, QUESTIONS)
        grown = self.resident() - before
        self.assertLess(grown, MORE_BYTES)
        self.assertEqual(self.short("A", "known.example"), ["192.0.2.80"])

    def questions(self, random: Random, count: int) -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            sender.settimeout(5.0)
            sender.connect((HOST, self.port))
            for data in self.at_random(random, count):
                sender.send(data)
                if data[2] & 0xF8 == 0:
                    sender.recv(4096)

    def at_random(self, random: Random, count: int) -> Iterator[bytes]:
        """Names that are known below, ours, unknown ones, and bytes."""
        for number in range(count):
            name = f"{random.getrandbits(60):x}"
            if number % 4 == 0:
                yield b"xx\xff" + random.randbytes(random.randrange(1, 200))
            else:
                zone = ("ecouser.net", "known.example", "example")[number % 4 - 1]
                yield query(f"{name}.{zone}", random.choice((1, 28, 15, 255)))

    def resident(self) -> int:
        status = Path(f"/proc/{self.server.child.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) << 10


class TakenTests(Case):
    """Somebody else answers DNS here already."""

    def test_who(self) -> None:
        """The server says who it is, and what to do, and does not start."""
        port = free_port()
        other = self.dnsmasq(port)
        file = self.folder / "dns.toml"
        file.write_text(f'[dns]\nserve = true\nport = {port}\ninterface = "{HOST}"\n')
        server = Server(self.folder, "--config", str(file))
        self.addCleanup(self._ended, server.child)
        self.assertNotEqual(server.child.finish(), 0)
        said = "\n".join([*server.child.out, *server.child.err])
        self.assertIn(f"udp port {port} at {HOST} is held by dnsmasq (pid {other.pid})", said)
        self.assertIn("bumper dns --for dnsmasq", said)
