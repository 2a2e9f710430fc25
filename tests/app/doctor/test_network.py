"""Tests for L{bumper_tw.app.doctor.network}."""

import errno
import socket
from contextlib import closing
from ipaddress import IPv4Network
from pathlib import Path

from attrs import evolve
from twisted.internet.error import CannotListenError
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.addresses import InterfaceAddress
from bumper_tw.app.doctor import network
from bumper_tw.app.doctor.evidence import Evidence
from bumper_tw.app.doctor.finding import Verdict
from bumper_tw.app.doctor.gathering import REMEDIES
from bumper_tw.app.doctor.snapshot import ListenerSeen
from bumper_tw.app.ports import PRIVILEGES
from bumper_tw.app.settings import Listen
from tests.app.doctor.cases import BOX, BRIDGE, LISTENERS, OTHER, announcing, seen, well
from tests.app.doctor.test_sockets import holds
from tests.app.test_ports import socket_line


class NetworkCase(SynchronousTestCase):
    """A house in a folder of its own."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir(parents=True)
        self.house = well(self.folder)

    def wrong(self, verdict: Verdict, *words: str) -> None:
        """Something is wrong, the sentence has some words, and there is a remedy."""
        self.assertIs(verdict.sound, False, verdict)
        for word in words:
            self.assertIn(word, verdict.sentence)
        self.assertNotEqual(verdict.remedy, "")

    def fine(self, verdict: Verdict) -> None:
        """Nothing is wrong."""
        self.assertIs(verdict.sound, True, verdict)
        self.assertEqual(verdict.remedy, "")

    def stopped(self, *listen: Listen) -> Evidence:
        """The house without a server."""
        settings = evolve(self.house.settings, listen=listen)
        return evolve(self.house, settings=settings, snapshot=None, uid=1000)


class PortTests(NetworkCase):
    """L{network.ports}."""

    def test_held_by_the_server(self) -> None:
        """Ports that the running server has are fine."""
        self.fine(network.ports(self.house))

    def test_not_bound(self) -> None:
        """One that it could not have is not, for the reason that it gives."""
        closed = ListenerSeen(
            "web", "tcp:80", False, 0, bound=False, why="80 is held by X; stop it", optional=True
        )
        verdict = network.ports(seen(self.house, listeners=(*LISTENERS, closed)))
        self.wrong(verdict, "80 is held by X")
        self.assertEqual(verdict.remedy, f"stop it{network.GIVE_UP}")
        needed = evolve(closed, at="tcp:8007", why="8007 is held by Y; move it", optional=False)
        verdict = network.ports(seen(self.house, listeners=(*LISTENERS, closed, needed)))
        self.assertEqual([each.remedy for each in verdict.more], ["move it"])

    def test_systemds(self) -> None:
        """Without a server nobody claims that ports are well which systemd has to open."""
        inherited = Listen("web", "systemd:domain=INET6:name=http")
        verdict = network.ports(self.stopped(inherited))
        self.assertIs(verdict.sound, None)
        self.assertIn("systemctl status 'bumper-*.socket'", verdict.sentence)
        with closing(socket.create_server(("127.0.0.1", 0))) as lent:
            port = lent.getsockname()[1]
        own = Listen("mqtt", f"tcp:{port}:interface=127.0.0.1")
        self.assertIn(
            f"ports {port} are free; ", network.ports(self.stopped(own, inherited)).sentence
        )

    def test_ways_out(self) -> None:
        """Whatever the server says of a port, there is something to do."""
        for why, sentence, remedy in (
            (f"tcp port 80 {PRIVILEGES}", "tcp port 80 needs privileges", "start as root"),
            ("tcp port 80 cannot be opened: no", "tcp port 80 cannot be opened: no", "choose"),
        ):
            closed = ListenerSeen("web", "tcp:80", False, 0, bound=False, why=why, optional=True)
            verdict = network.ports(seen(self.house, listeners=(closed,)))
            self.assertEqual(verdict.sentence, sentence)
            self.assertTrue(verdict.remedy.startswith(remedy), verdict.remedy)

    def test_free(self) -> None:
        """Without a server they have to be free."""
        self.fine(network.ports(self.stopped(Listen("web", "tcp:0:interface=127.0.0.1"))))

    def test_taken(self) -> None:
        """One that somebody listens on is not."""
        with closing(socket.create_server(("127.0.0.1", 0))) as taken:
            port = taken.getsockname()[1]
            place = Listen("web", f"tcp:{port}:interface=127.0.0.1")
            self.wrong(network.ports(self.stopped(place)), str(port), "held by")
        self.fine(network.ports(self.stopped(place)))

    def test_without_privileges(self) -> None:
        """The kernel refuses an ordinary user first; that somebody has the port is told so."""
        refused = PermissionError(errno.EACCES, "Permission denied")
        self.assertIsNone(network.reason(self.house, "", 443, refused))
        holds(self.folder / "proc", socket_line("0.0.0.0", 443, 71))
        self.assertIsNone(network.reason(self.house, "", 80, refused))
        found = network.reason(self.house, "", 443, refused)
        assert found is not None
        said = self.house.ports.explain(found, "tcp:443")
        self.assertTrue(said.startswith("tcp port 443 is held by another program; "), said)

    def test_ours_perhaps(self) -> None:
        """What may be this server, somewhere else or of somebody else, is not just stopped."""
        proc = self.folder / "proc"
        holds(proc, socket_line("0.0.0.0", 443, 71))
        error = CannotListenError("", 443, OSError(errno.EADDRINUSE, "in use"))
        ports = evolve(self.house.ports, remedies=REMEDIES)
        self.assertIn("that may be this server", ports.explain(error, "tcp:443"))
        for name, expected in (("twistd", "may be this server"), ("nginx", "; stop it")):
            (proc / "5/fd").mkdir(parents=True, exist_ok=True)
            (proc / "5/comm").write_text(f"{name}\n")
            if name == "twistd":
                (proc / "5/fd/3").symlink_to("socket:[71]")
            self.assertIn(expected, ports.explain(error, "tcp:443"))

    def test_no_address_of_this_box(self) -> None:
        """An interface that this box has not got."""
        place = Listen("web", "tcp:8007:interface=192.0.2.77")
        self.wrong(network.ports(self.stopped(place)), "192.0.2.77", "no address of this box")

    def test_no_tcp(self) -> None:
        """What is no TCP port cannot be looked at, and is not complained about."""
        self.fine(network.ports(self.stopped(Listen("web", "unix:socket"))))


class BindTests(NetworkCase):
    """L{network.bind}."""

    def test_well(self) -> None:
        """Loopback is fine beside other listeners."""
        self.fine(network.bind(self.house))

    def test_loopback(self) -> None:
        """Where Debian's own name leads, no robot gets."""
        only = ListenerSeen("mqtt", "tcp:8883:interface=127.0.1.1", True, 8883)
        web = ListenerSeen("web", "tcp:8007", False, 8007)
        self.wrong(network.bind(seen(self.house, listeners=(only, web))), "127.0.1.1")

    def test_none(self) -> None:
        """MQTT in clear text is of no use to robots."""
        clear = ListenerSeen("mqtt", "tcp:1883", False, 1883)
        verdict = network.bind(seen(self.house, listeners=(clear,)))
        self.wrong(verdict, "nothing listens for MQTT over TLS")
        self.assertIn('serve = "mqtt" and tls = true', verdict.remedy)
        self.assertIn("all listeners", verdict.remedy)

    def test_some_missing(self) -> None:
        """One port for everything is not enough: robots ask for the way in clear text."""
        self.wrong(network.bind(seen(self.house, listeners=LISTENERS[:1])), "HTTP in clear text")
        self.fine(network.bind(seen(self.house, listeners=LISTENERS[:2])))
        alone = (*LISTENERS[1:3],)
        self.wrong(network.bind(seen(self.house, listeners=alone)), "nothing listens for XMPP")

    def test_simulated(self) -> None:
        """When robots are on this box, loopback is right."""
        only = (ListenerSeen("all", "tcp:443:interface=127.0.0.1", True, 443),)
        self.fine(network.bind(announcing("127.0.0.1", seen(self.house, listeners=only))))


class AnnounceTests(NetworkCase):
    """L{network.announce}."""

    def test_left_open(self) -> None:
        """Then it is the address where somebody came in."""
        verdict = network.announce(self.house)
        self.fine(verdict)
        self.assertIn(BOX, verdict.sentence)

    def test_own(self) -> None:
        """An address of this box."""
        self.fine(network.announce(announcing(BOX, self.house)))

    def test_loopback(self) -> None:
        """That leads robots to themselves, unless everything is on this box."""
        self.wrong(network.announce(announcing("127.0.0.1", self.house)), "127.0.0.1")
        inward = (ListenerSeen("all", "tcp:443:interface=127.0.0.1", True, 443),)
        self.fine(network.announce(announcing("127.0.0.1", seen(self.house, listeners=inward))))

    def test_not_there(self) -> None:
        """An address of this box, whose port is somebody else's."""
        one = (ListenerSeen("all", f"tcp:443:interface={BOX}", True, 443), *LISTENERS[2:])
        own = (*self.house.own, InterfaceAddress("eth0", OTHER))
        house = evolve(seen(self.house, listeners=one), own=own)
        verdict = network.announce(announcing(OTHER, house))
        self.wrong(verdict, OTHER, "port 443 is not ours")
        self.assertIn(f"robots reach {BOX}", verdict.remedy)
        self.fine(network.announce(announcing(BOX, house)))

    def test_bridge(self) -> None:
        """Only containers get there."""
        self.wrong(network.announce(announcing(BRIDGE, self.house)), BRIDGE, "docker0")

    def test_foreign(self) -> None:
        """That of a robot, or of a box that was here before; in a container nobody can tell."""
        house = announcing("192.168.7.44", self.house)
        verdict = network.announce(house)
        self.wrong(verdict, "no address of this box")
        self.assertIn(BOX, verdict.remedy)
        contained = evolve(house, contained=True)
        self.assertIsNone(network.announce(contained).sound)
        neighbours = (IPv4Network("192.168.7.0/24"),)
        self.wrong(network.announce(evolve(contained, networks=neighbours)), "192.168.7.44")

    def test_inside_a_container(self) -> None:
        """What it has for an address leads nowhere, unless it shares those of its host."""
        inner = (InterfaceAddress("lo", "127.0.0.1"), InterfaceAddress("eth0", "172.18.0.2"))
        house = evolve(self.house, contained=True, source="172.18.0.2", own=inner)
        verdict = network.announce(house)
        self.wrong(verdict, "an address inside this container", "172.18.0.2")
        self.assertIn("announce", verdict.remedy)
        self.fine(network.announce(evolve(house, contained=False)))
        self.fine(network.announce(evolve(house, source=BOX)))
        shared = (*inner, InterfaceAddress("docker0", BRIDGE))
        self.fine(network.announce(evolve(house, own=shared)))
        self.assertIsNone(network.announce(announcing("192.168.7.9", house)).sound)

    def test_no_network(self) -> None:
        """There is nothing to tell."""
        alone = evolve(self.house, source=None, own=self.house.own[:1])
        self.wrong(network.announce(alone), "no address")


class PrivilegeTests(NetworkCase):
    """L{network.privileges}."""

    def test_running(self) -> None:
        """A running server has what it needs; root is only told of."""
        self.fine(network.privileges(self.house))
        self.assertIsNone(network.privileges(seen(self.house, uid=0)).sound)

    def test_low_port(self) -> None:
        """Not everybody may open port 443."""
        self.wrong(network.privileges(self.stopped(Listen("all", "tcp:443"))), "443", "privileges")
        self.fine(network.privileges(self.stopped(Listen("all", "tcp:1443"))))

    def test_optional(self) -> None:
        """Of several ports the one is named that the server cannot do without."""
        house = evolve(self.house, snapshot=None, uid=1000)
        self.assertIn(80, [each.port for each in house.listeners])
        self.wrong(network.privileges(house), "port 443 needs")

    def test_capability(self) -> None:
        """Whoever has the capability may."""
        status = self.folder / "proc/self/status"
        status.parent.mkdir(parents=True)
        status.write_text("Name:\tpython\nCapEff:\t0000000000000400\n")
        self.fine(network.privileges(self.stopped(Listen("all", "tcp:443"))))
        status.write_text("Name:\tpython\nCapEff:\t0000000000000300\n")
        self.wrong(network.privileges(self.stopped(Listen("all", "tcp:443"))))

    def test_kernel_allows(self) -> None:
        """Some kernels let everybody open it."""
        file = self.folder / "proc/sys/net/ipv4/ip_unprivileged_port_start"
        file.parent.mkdir(parents=True)
        file.write_text("80\n")
        self.fine(network.privileges(self.stopped(Listen("all", "tcp:443"))))
