"""The units for systemd, and the settings that belong to them."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from bumper_tw.app.config import load
from bumper_tw.app.inherited import name_of
from bumper_tw.app.settings import LISTEN, Listen

HERE = Path(__file__).parents[2] / "packaging" / "systemd"

#: The settings that go with the units.
OWNERS = HERE.with_name("debian") / "bumper.toml"

#: How much of the system the service may be exposed to, in tenths (systemd-analyze(1)).
EXPOSURE = 20

#: What systemd complains about where the program is not installed.
NOT_INSTALLED = "is not executable"


def settings(unit: str) -> Iterator[tuple[str, str]]:
    """What a unit says, in its order; a name may be there several times."""
    for line in (HERE / unit).read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            yield name, value


def sockets() -> dict[str, dict[str, str]]:
    """What the units of sockets say, by the names of the sockets."""
    found = [dict(settings(path.name)) for path in sorted(HERE.glob("*.socket"))]
    return {each["FileDescriptorName"]: each for each in found}


class SocketTests(SynchronousTestCase):
    """A unit for each port, a listener for each unit."""

    def listeners(self) -> tuple[Listen, ...]:
        """Those of the settings that go with the units."""
        return load(OWNERS, {}, {}).listen

    def test_same_as_without(self) -> None:
        """With systemd the same is spoken at the same ports as without it."""
        units = sockets()
        at = {name: each["ListenStream"].rpartition(":")[2] for name, each in units.items()}
        found = [
            (each.serve, at[name_of(each.at)], each.tls, each.optional)
            for each in self.listeners()
        ]
        wanted = [(e.serve, e.at.split(":")[1], e.tls, e.optional) for e in LISTEN]
        self.assertEqual(found, wanted)
        self.assertEqual(len(units), len(LISTEN))

    def test_families(self) -> None:
        """A socket is for both families unless it has an address, and its listener knows that."""
        domains = {name_of(each.at): each.at.split(":")[1] for each in self.listeners()}
        for name, unit in sockets().items():
            everywhere = unit["ListenStream"].isdecimal()
            self.assertEqual(unit.get("BindIPv6Only"), "both" if everywhere else None, name)
            self.assertEqual(domains[name], "domain=INET6" if everywhere else "domain=INET", name)

    def test_only_here(self) -> None:
        """What is not encrypted and wants an account is for this box alone."""
        self.assertEqual(sockets()["mqtt"]["ListenStream"], "127.0.0.1:1883")

    def test_names(self) -> None:
        """A unit is called after its socket: messages tell the owner to look at it."""
        for name in sockets():
            self.assertTrue((HERE / f"bumper-{name}.socket").exists(), name)

    def test_together(self) -> None:
        """They are enabled, started and stopped with the server."""
        also = " ".join(value for name, value in settings("bumper.service") if name == "Also")
        self.assertEqual(set(also.split()), {f"bumper-{name}.socket" for name in sockets()})
        for name, unit in sockets().items():
            self.assertEqual(unit["Service"], "bumper.service", name)
            self.assertEqual(unit["PartOf"], "bumper.service", name)
            self.assertIn("bumper.service", unit["WantedBy"], name)
            self.assertNotIn("Accept", unit, name)


class ServiceTests(SynchronousTestCase):
    """The service."""

    def setUp(self) -> None:
        self.said = dict(settings("bumper.service"))

    def test_folders(self) -> None:
        """What it writes is in the one folder that it may write to."""
        self.assertEqual(self.said["StateDirectory"], "bumper")
        own = load(OWNERS, {}, {})
        self.assertEqual(own.storage.directory, Path("/var/lib/bumper"))
        self.assertEqual(own.tls.directory.parent, own.storage.directory)
        self.assertEqual(self.said["WorkingDirectory"], str(own.storage.directory))
        self.assertEqual((self.said["UMask"], self.said["StateDirectoryMode"]), ("0077", "0700"))

    def test_lifecycle(self) -> None:
        """It says when it is ready, and is ended when it hangs."""
        self.assertEqual((self.said["Type"], self.said["NotifyAccess"]), ("notify", "main"))
        self.assertIn("WatchdogSec", self.said)
        self.assertIn("-HUP", self.said["ExecReload"])
        self.assertEqual(self.said["Restart"], "on-failure")

    def test_comments_are_whole_lines(self) -> None:
        """systemd takes what stands behind a value for a part of it."""
        for path in sorted(HERE.glob("bumper*")):
            if path.suffix != ".toml":
                lines = path.read_text().splitlines()
                found = [line for line in lines if "#" in line and not line.startswith("#")]
                self.assertEqual(found, [], path.name)


class AnalyzeTests(SynchronousTestCase):
    """What systemd itself says of them."""

    def run_tool(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Ask systemd-analyze, which needs no systemd that runs."""
        tool = shutil.which("systemd-analyze")
        if tool is None:
            raise SkipTest("NOT TESTED: systemd-analyze is not installed")
        argv = [tool, *arguments]
        return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)

    def test_exposure(self) -> None:
        """Somebody who takes over the server cannot do much with the box."""
        unit = str(HERE / "bumper.service")
        asked = ["security", "--no-pager", "--offline=true", f"--threshold={EXPOSURE}", unit]
        done = self.run_tool(*asked)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("Overall exposure level for bumper.service", done.stdout)

    def test_verify(self) -> None:
        """There is nothing in them that systemd does not know."""
        units = [
            str(path) for path in sorted(HERE.glob("*.service")) + sorted(HERE.glob("*.soc*"))
        ]
        done = self.run_tool("verify", "--man=no", "--recursive-errors=no", *units)
        said = [line for line in done.stderr.splitlines() if str(HERE) in line or "bumper" in line]
        self.assertEqual([line for line in said if NOT_INSTALLED not in line], [])
