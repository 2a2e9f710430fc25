"""The files for a container fit each other, and the server."""

import json
import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app import config
from bumper_tw.app.ports import host_of, port_of
from bumper_tw.app.settings import Settings
from tests.interop.chroots import build_packages, needed
from tests.interop.dockerfile import read
from tests.interop.server import ROOT

CONTAINER = ROOT / "packaging" / "container"

#: What a listener's port means to everybody in the network.
EVERYWHERE = ""


def compose() -> str:
    """The compose file, without what is only said."""
    text = (CONTAINER / "compose.yaml").read_text("utf-8")
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def block(name: str) -> list[str]:
    """The lines under one key of the service."""
    found = re.search(rf"^    {name}:\n((?:      .*\n)+)", compose() + "\n", re.M)
    assert found is not None, name
    return [line.strip() for line in found[1].splitlines()]


class SettingsTests(SynchronousTestCase):
    """What is set, in all the files."""

    def settings(self) -> Settings:
        """The file of the image."""
        return config.load(CONTAINER / "bumper.toml", {}, {})

    def test_loads(self) -> None:
        """The file holds settings that there are; the data is where the volume is."""
        settings = self.settings()
        folder = Path("/var/lib/bumper")
        self.assertEqual(settings.storage.directory, folder)
        self.assertTrue(settings.tls.directory.is_relative_to(folder))

    def test_same_doors(self) -> None:
        """The listeners are those that there are without a file."""
        self.assertEqual(self.settings().listen, Settings().listen)

    def test_names(self) -> None:
        """Every variable that any file here names is one that the server knows."""
        known = {setting.env for setting in config.describe()} | {"BUMPER_CONFIG"}
        found = set()
        for path in CONTAINER.iterdir():
            found |= set(re.findall(r"\bBUMPER_[A-Z0-9_]+\b", path.read_text("utf-8")))
        self.assertIn("BUMPER_SERVER_ANNOUNCE", found)
        self.assertEqual(found - known - {"BUMPER_"}, set())

    def test_environment(self) -> None:
        """What compose.yaml sets, the server takes."""
        given = dict(line.split(": ", 1) for line in block("environment"))
        self.assertEqual(list(given), ["BUMPER_SERVER_ANNOUNCE"])
        self.assertIn(":?", given["BUMPER_SERVER_ANNOUNCE"])
        taken = config.load(CONTAINER / "bumper.toml", {"BUMPER_SERVER_ANNOUNCE": "192.0.2.1"}, {})
        self.assertEqual(taken.server.announce, "192.0.2.1")


class DockerfileTests(SynchronousTestCase):
    """The image."""

    def setUp(self) -> None:
        self.first, self.image = read(CONTAINER / "Dockerfile")

    def test_bases(self) -> None:
        """Both stages begin with a Debian that has all processors."""
        self.assertEqual({self.first.base, self.image.base}, {"debian:bookworm-slim"})

    def test_user(self) -> None:
        """The process is not root; the numbers are those of the user that is made."""
        user, _, group = self.image.last("USER").text.partition(":")
        made = next(step.text for step in self.image.steps if "useradd" in step.text)
        self.assertNotIn("0", {user, group})
        self.assertIn(f"--uid {user} --gid {group} ", made)
        self.assertIn(f"groupadd --system --gid {group} bumper", made)

    def test_volume(self) -> None:
        """What is kept is what the settings name."""
        self.assertEqual(self.image.last("VOLUME").words, ["/var/lib/bumper"])
        self.assertIn("data:/var/lib/bumper", " ".join(block("volumes")))

    def test_ports(self) -> None:
        """All listeners that others reach are exposed, and published under their own numbers."""
        listeners = config.load(CONTAINER / "bumper.toml", {}, {}).listen
        ports = {port_of(each.at) for each in listeners if host_of(each.at) == EVERYWHERE}
        exposed = {int(word.removesuffix("/tcp")) for word in self.image.last("EXPOSE").words}
        self.assertEqual(exposed, ports)
        published = {line.removeprefix("- ") for line in block("ports")}
        self.assertEqual(published, {f'"{port}:{port}"' for port in ports})

    def test_health(self) -> None:
        """The question goes to a listener without TLS, and needs no program but Python."""
        told = self.image.last("HEALTHCHECK").text.partition("CMD ")[2]
        argv = json.loads(told)
        self.assertEqual(argv[:2], ["/usr/bin/python3", "-IS"])
        port = int(re.findall(r"127\.0\.0\.1:(\d+)/healthz", argv[-1])[0])
        listeners = config.load(CONTAINER / "bumper.toml", {}, {}).listen
        plain = [each for each in listeners if port_of(each.at) == port]
        self.assertEqual([(each.serve, each.tls) for each in plain], [("web", False)])
        compile(argv[-1], "healthcheck", "exec")

    def test_build(self) -> None:
        """What control wants for a build is installed in the stage that builds."""
        control = (ROOT / "packaging" / "debian" / "control").read_text()
        wanted = control.partition("Build-Depends:")[2].partition("\n\n")[0]
        names = set(re.findall(r"^ ([a-z][a-z0-9.+-]+)", wanted, re.M))
        names = {name.replace("debhelper-compat", "debhelper") for name in names} - {"python3"}
        self.assertGreater(len(names), 5)
        self.assertLessEqual(names, set(build_packages()))
        self.assertEqual(self.first.install(), build_packages())
        self.assertIn("python3-cryptography", needed())

    def test_context(self) -> None:
        """The engine is given all that the build reads, and nothing that is made."""
        ignore = (CONTAINER / "Dockerfile.dockerignore").read_text().split("\n")
        build = (ROOT / "packaging" / "debian" / "build").read_text()
        parts = re.findall(r'^parts="(.*)"$', build, re.M)[0].split()
        self.assertEqual({line[1:] for line in ignore if line.startswith("!")}, set(parts))
        for part in parts:
            self.assertTrue((ROOT / part).exists(), part)
        self.assertLess(ignore.index("*"), ignore.index(f"!{parts[0]}"))


class ComposeTests(SynchronousTestCase):
    """What it runs as."""

    def test_privileges(self) -> None:
        """It gets none, and may write to its volume only."""
        self.assertEqual(block("cap_drop"), ["- ALL"])
        self.assertEqual(block("security_opt"), ["- no-new-privileges:true"])
        self.assertEqual(block("sysctls"), ["net.ipv4.ip_unprivileged_port_start: 0"])
        self.assertIn("    read_only: true\n", compose())
        self.assertNotIn("privileged: true", compose())

    def test_one(self) -> None:
        """There is one service."""
        services = compose().partition("\nservices:\n")[2].partition("\nvolumes:")[0]
        self.assertEqual(re.findall(r"^  (\w+):$", services, re.M), ["bumper"])

    def test_build(self) -> None:
        """The paths in it lead where they should."""
        lines = dict(line.split(": ", 1) for line in block("build"))
        context = (CONTAINER / lines["context"]).resolve()
        self.assertEqual(context, ROOT.resolve())
        self.assertTrue((context / lines["dockerfile"]).is_file())
