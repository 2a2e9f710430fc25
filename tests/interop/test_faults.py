"""
What keeps robots and apps from getting here, staged for real: both the doctor and the journal name
it, and neither says anything of a house where all is well.
"""

import json
import os
import shutil
import sys
from pathlib import Path
from tempfile import mkdtemp
from time import time
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.asking import ask
from bumper_tw.app.settings import Settings, StorageSettings
from bumper_tw.dialect.hosts import known_hosts
from bumper_tw.front.acquaintances import PATIENCE
from bumper_tw.pki.zones import ZONES
from tests.interop.case import clients_wanted, unavailable
from tests.interop.children import Child, until
from tests.interop.networks import Computer, cable, namespaces_wanted
from tests.interop.server import ACCEPTING, STOP_SECONDS, spare_keys

BOX, DNS, ROBOT = "192.168.77.1", "192.168.77.53", "192.168.77.50"
OTHER_BOX, OTHER_ROBOT = "192.168.88.1", "192.168.88.50"
VENDOR, VENDOR_SIX = "203.0.113.9", "2001:db8::9"

#: What apps ask for, and what robots do.
APPS, ROBOTS = "portal-eu.ecouser.net", "jmq-ngiot-eu.dc.robotww.ecouser.net"

#: Where connections are accepted when nothing else is said.
USUAL = 6

CLIENT = str(Path(__file__).with_name("tls_client.py"))

#: A robot's first question.
LOOKUP = """
import json, sys, urllib.request
asked = json.dumps({"todo": "FindBest", "service": "EcoMsgNew"}).encode()
print(urllib.request.urlopen(sys.argv[1], asked, 20).read().decode())
"""

#: MQTT in clear text, until it is over.
CONNECT = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 20) as plain:
    plain.sendall(b"\\x10\\x10\\x00\\x04MQTT\\x04\\x02\\x00\\x3c\\x00\\x04test")
    while plain.recv(100):
        pass
"""

#: Somebody who is in the way.
SQUATTER = """
import socket, sys
taken = socket.create_server(("", int(sys.argv[1])))
print("ready", flush=True)
sys.stdin.read()
"""


class FaultCase(SynchronousTestCase):
    """A box and a robot in a network of their own, with a DNS server."""

    def setUp(self) -> None:
        clients_wanted()
        namespaces_wanted()
        if shutil.which("dnsmasq") is None:
            unavailable("a DNS server: there is no dnsmasq")
        # Paths of sockets are short, those of trial are not.
        self.folder = Path(mkdtemp(prefix="bumper-faults-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.settings = Settings(storage=StorageSettings(directory=self.folder / "data"))
        self.box, self.robot = self.computer(), self.computer()
        cable(self.box, "eth0", self.robot)
        self.box.address("eth0", f"{BOX}/24", f"{DNS}/24")
        self.robot.address("eth0", f"{ROBOT}/24")

    def computer(self) -> Computer:
        """One more, until the test is over."""
        made = Computer(self.folder)
        self.addCleanup(made.off)
        return made

    def child(self, where: Computer, *argv: str) -> Child:
        """A process there, until the test is over."""
        made = where.start(*argv)
        self.addCleanup(self.ended, made)
        return made

    @staticmethod
    def ended(child: Child) -> None:
        """See to it that a process is over."""
        if child.running:
            child.terminate()
        child.finish()

    def names(self, *options: str) -> None:
        """The DNS server of the house."""
        fixed = ("-k", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--user=root")
        place = ("--pid-file=", "--bind-interfaces", f"--listen-address={DNS}", "--log-facility=-")
        child = self.child(self.box, "dnsmasq", *fixed, *place, *options)
        until(lambda: any("started" in line for line in child.err), "dnsmasq starts")

    def all_names(self, *more: str) -> None:
        """The same when it does what it should, or a little else."""
        self.names(*more, *(f"--address=/{zone}/{BOX}" for zone in ZONES))

    def write(self, server: str = "") -> Path:
        """The settings; listeners are the usual ones."""
        file = self.folder / "bumper.toml"
        file.write_text(
            f'[server]\n{server}\n[dns]\ncheck = ["{DNS}"]\n'
            f'[storage]\ndirectory = "{self.folder / "data"}"\n'
            f'[tls]\ndirectory = "{self.folder / "certs"}"\n'
        )
        return file

    def serve(self, server: str = "", listeners: int = USUAL) -> Child:
        """
        Start the server.

        @param server: a line of its settings.
        @param listeners: how many places it gets.
        """
        run = "from twisted.scripts.twistd import run; run()"
        words = (sys.executable, "-c", run, "-n", "--pidfile=", "bumper")
        spare_keys(self.folder / "certs")
        child = self.box.start(*words, "--config", str(self.write(server)))
        self.addCleanup(self.stopped_well, child)
        child.wait_for(ACCEPTING, listeners)
        until((self.folder / "data/control").exists, "the control socket is there")
        return child

    def stopped_well(self, child: Child) -> None:
        """It ends as it should, and nothing broke."""
        if child.running:
            child.terminate()
        status = child.finish(STOP_SECONDS * 2)
        self.assertEqual(status, 0, child.story())
        self.assertNotIn("Traceback", "\n".join([*child.out, *child.err]))

    def client(self, where: Computer | None = None, *before: str, **spec: Any) -> dict[str, str]:
        """One client over TLS; see C{tls_client.py}."""
        told = {"host": BOX, "port": 443, **spec}
        computer = where or self.robot
        done = computer.run(*before, sys.executable, CLIENT, json.dumps(told))
        self.assertEqual(done.returncode, 0, done.stderr)
        found: dict[str, str] = json.loads(done.stdout)
        return found

    def fleet(self) -> Child:
        """A robot that works."""
        words = ("--host", BOX, "--json", "1", "--speed", "4")
        child = self.child(self.robot, sys.executable, "-m", "bumper_tw.simulator", *words)
        child.wait_for("is ready")
        return child

    def doctor(self, *before: str) -> dict[str, Any]:
        """What C{bumper doctor} says; its exit status is the number of failures."""
        words = (*before, sys.executable, "-m", "bumper_tw.app.cli", "doctor", "--json")
        done = self.box.run(*words, "--config", str(self.folder / "bumper.toml"))
        self.assertNotEqual(done.stdout, "", done.stderr)
        found: dict[str, Any] = json.loads(done.stdout)
        self.assertEqual(done.returncode, found["failures"])
        return found

    def failed(self, *before: str) -> dict[str, str]:
        """The sentence of each check that fails; everyone has a remedy."""
        findings = self.doctor(*before)["findings"]
        wrong = [each for each in findings if each["sound"] is False]
        self.assertTrue(all(each["remedy"] for each in wrong), wrong)
        return {each["check"]: each["sentence"] for each in wrong}

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """What the journal has of one kind, the doctor in the server having had a look."""
        told = ask(self.settings, "/api/doctor", 60)
        self.assertIs(told["running"], True)
        found = ask(self.settings, "/api/journal?limit=300", 10)["entries"]
        return [each for each in found if each["kind"] == kind]

    def remarked(self) -> dict[str, str]:
        """What the doctor in the server has noted, by the check."""
        remarks = [each["diagnosis"] for each in self.entries("remark")]
        return {each["name"]: each["sentence"] for each in remarks if not each["sound"]}

    def missed(self, check: str, seconds: float = 60) -> None:
        """Sooner or later the journal says so, and then the doctor does, and nothing else."""
        # A look at the journal is cheap; a doctor is a process, and there are many looks.
        until(lambda: check in self.remarked(), "the journal misses it", seconds, 0.5)
        self.assertEqual(set(self.failed()), {check})

    def contacts(self, host: str = ROBOT) -> list[str]:
        """How the contacts of an address are called that came to nothing."""
        found = [each for each in self.entries("contact") if each["host"] == host]
        return [e["diagnosis"]["name"] for e in found if not e["diagnosis"]["sound"]]


class HouseTests(FaultCase):
    """Nothing is wrong."""

    def test_well(self) -> None:
        """A robot, an app and a browser are well, and nothing fails anywhere."""
        self.all_names()
        self.serve()
        self.fleet()
        said = self.client(name=BOX, ca=str(self.folder / "certs/ca.crt"), path="/healthz")
        self.assertEqual(said, {"said": "HTTP/1.1 200 OK", "error": ""})
        self.assertEqual(self.failed(), {})
        self.assertEqual(self.remarked(), {})
        self.assertEqual(self.contacts(), [])
        findings = self.doctor()["findings"]
        [strings] = [each["lines"] for each in findings if each["check"] == "home-assistant"]
        self.assertIn(f"http://{BOX}:8007", "\n".join(strings))


class NameTests(FaultCase):
    """DNS leads past us."""

    def same(self, check: str, *words: str) -> None:
        """The doctor and the journal say the same of that, and nothing else."""
        self.serve()
        for found in (self.failed(), self.remarked()):
            self.assertEqual(set(found), {check})
            for word in words:
                self.assertIn(word, found[check])

    def test_unset(self) -> None:
        """Nobody has set up anything."""
        self.names(f"--address=/#/{VENDOR}")
        self.same("names", "none of", VENDOR, DNS)

    def test_half(self) -> None:
        """One of the zones is forgotten."""
        self.names(*(f"--address=/{zone}/{BOX}" for zone in ZONES if zone != "ecouser.net"))
        forgotten = sum(name.endswith("ecouser.net") for name in known_hosts())
        self.same("names", f"{forgotten} of {len(known_hosts())} names", DNS)

    def test_leak(self) -> None:
        """IPv4 leads here, IPv6 does not."""
        self.all_names(f"--address=/{APPS}/{BOX}", f"--address=/{APPS}/{VENDOR_SIX}")
        self.same("names-ipv6", APPS, VENDOR_SIX)


class BoxTests(FaultCase):
    """Something is wrong with this box."""

    def test_wrong_announce(self) -> None:
        """Robots are told an address that nobody has."""
        self.all_names(*(f"--address=/{zone}/192.168.77.99" for zone in ZONES))
        self.serve('announce = "192.168.77.99"')
        for found in (self.failed(), self.remarked()):
            self.assertIn("192.168.77.99", found["announce"])
        remedies = {e["check"]: e["remedy"] for e in self.doctor()["findings"]}
        self.assertIn(BOX, remedies["announce"])

    def test_port_busy(self) -> None:
        """Somebody else has port 80, without which the server starts."""
        self.all_names()
        squatter = self.child(self.box, sys.executable, "-c", SQUATTER, "80")
        squatter.wait_for("ready")
        self.serve(listeners=USUAL - 1)
        for found in (self.failed(), self.remarked()):
            self.assertEqual(set(found), {"ports"})
            self.assertIn("80", found["ports"])
            self.assertIn("pid", found["ports"])

    def test_port_busy_before_the_start(self) -> None:
        """The doctor sees it without a server, and for ports that it cannot do without."""
        self.all_names()
        squatter = self.child(self.box, sys.executable, "-c", SQUATTER, "8883")
        squatter.wait_for("ready")
        self.write()
        found = self.doctor()
        self.assertIs(found["running"], False)
        [wrong] = [each for each in found["findings"] if each["sound"] is False]
        self.assertEqual(wrong["check"], "ports")
        self.assertIn("8883 is held by", wrong["sentence"])
        self.assertIn("stop it", wrong["remedy"])

    def test_other_folder(self) -> None:
        """Who asks elsewhere is told that what has the ports may be the server."""
        self.all_names()
        self.serve()
        elsewhere = str(self.folder / "elsewhere")
        words = (sys.executable, "-m", "bumper_tw.app.cli", "doctor", "--data", elsewhere)
        done = self.box.run(*words, "--config", str(self.folder / "bumper.toml"))
        ports = [line for line in done.stdout.splitlines() if line.startswith("FAIL ports")]
        self.assertEqual(len(ports), USUAL, done.stdout)
        self.assertEqual(done.stdout.count("that may be this server"), USUAL)

    def test_clock(self) -> None:
        """The clock is behind what was written already, with a server and without one."""
        if shutil.which("faketime") is None:
            unavailable("another time: there is no faketime")
        self.all_names()
        server = self.serve()
        tomorrow = time() + 86_400
        os.utime(self.folder / "certs/ca.crt", (tomorrow, tomorrow))
        for found in (self.failed(), self.remarked()):
            self.assertEqual(set(found), {"clock"})
        self.ended(server)
        self.assertEqual(set(self.failed("faketime", "-f", "-400d")), {"clock"})


class ClientTests(FaultCase):
    """Somebody comes, and it comes to nothing."""

    def setUp(self) -> None:
        super().setUp()
        self.all_names()
        self.serve()
        self.ca = str(self.folder / "certs/ca.crt")

    def same(self, check: str, diagnosis: str) -> None:
        """The doctor and the journal name it, and nothing else."""
        self.assertEqual(set(self.contacts()), {diagnosis})
        self.assertEqual(set(self.failed()), {check})
        self.assertEqual(set(self.remarked()), {check})

    def test_untrusted(self) -> None:
        """A phone that knows nothing of our authority; then it does, its app last."""
        self.assertIn("verify failed", self.client(name=APPS)["error"])
        self.same("untrusted-ca", "untrusted-ca")
        self.assertIn(ROBOT, self.failed()["untrusted-ca"])
        proof = self.client(name=BOX, ca=self.ca, path="/ca/proof")
        self.assertEqual(proof["said"], "HTTP/1.1 200 OK")
        self.assertEqual(set(self.failed()), {"untrusted-ca"})
        well = self.client(name=APPS, ca=self.ca, path="/ca/proof")
        self.assertEqual(well["said"], "HTTP/1.1 200 OK")
        self.assertEqual(self.failed(), {})

    def test_app_pins(self) -> None:
        """The browser of a phone trusts us, and an app there does not."""
        proof = self.client(name=BOX, ca=self.ca, path="/ca/proof")
        self.assertEqual(proof["said"], "HTTP/1.1 200 OK")
        self.assertIn("verify failed", self.client(name=APPS)["error"])
        self.same("app-pins", "app-pins")

    def test_firmware_pins(self) -> None:
        """A robot that accepts the vendor's certificates only."""
        self.assertIn("verify failed", self.client(name=ROBOTS)["error"])
        self.same("firmware", "robot-pins")

    def test_old_tls(self) -> None:
        """A robot of a time when there was nothing but TLS 1.0."""
        error = self.client(name=ROBOTS, version="TLSv1", ciphers="ALL:@SECLEVEL=0")["error"]
        self.assertNotEqual(error, "")
        self.same("tls-versions", "old-tls")

    def test_no_cipher(self) -> None:
        """A client that wants nothing of what we offer."""
        wanted = "NULL-SHA256:@SECLEVEL=0"
        error = self.client(name=APPS, version="TLSv1_2", ciphers=wanted)["error"]
        self.assertNotEqual(error, "")
        self.same("ciphers", "no-cipher")

    def test_mqtt_on_web(self) -> None:
        """A robot speaks MQTT to a port where only HTTP is answered."""
        self.robot.run(sys.executable, "-c", CONNECT, BOX, "8007")
        self.same("mqtt-on-web", "mqtt-on-web")

    def test_clock_of_a_client(self) -> None:
        """A robot that thinks that our certificate has run out."""
        if shutil.which("faketime") is None:
            unavailable("another time: there is no faketime")
        error = self.client(None, "faketime", "-f", "+9y", name=APPS, ca=self.ca)["error"]
        self.assertIn("expired", error)
        self.same("clock", "clock")

    def test_offline(self) -> None:
        """A robot that was here is switched off."""
        robot = self.fleet()
        self.assertEqual(self.failed(), {})
        robot.kill()
        robot.finish()
        self.missed("offline")


class OtherNetworkTests(FaultCase):
    """A robot is in another network than the address that it is told."""

    def test_sent_away(self) -> None:
        """It asks where to go, is told, and does not get there."""
        self.all_names()
        away = self.computer()
        cable(self.box, "eth1", away)
        self.box.address("eth1", f"{OTHER_BOX}/24")
        away.address("eth0", f"{OTHER_ROBOT}/24")
        self.serve(f'announce = "{BOX}"')
        asked = away.run(sys.executable, "-c", LOOKUP, f"http://{OTHER_BOX}:8007/lookup.do")
        self.assertIn(BOX, asked.stdout, asked.stderr)
        # It tries, and there is no way.
        there = json.dumps({"host": BOX, "port": 443, "name": ROBOTS})
        refused = away.run(sys.executable, CLIENT, there)
        self.assertIn("unreachable", refused.stderr)
        self.missed("sent-away", PATIENCE + 30)
        self.assertEqual(set(self.contacts(OTHER_ROBOT)), {"sent-away"})
