"""The parts of the Debian package fit each other, and the server."""

import os
import re
import runpy
import subprocess
from pathlib import Path
from shutil import which
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from bumper_tw.app import config
from bumper_tw.app.settings import Settings
from tests.interop.server import ROOT

DEBIAN = ROOT / "packaging" / "debian"
SYSTEMD = ROOT / "packaging" / "systemd"

#: As root would have them, and as a container leaves them.
ALL_CAPS, NO_CAPS = (1 << 41) - 1, 0


def shipped(name: str = "bumper.toml") -> str:
    """A file of the package."""
    return (DEBIAN / name).read_text("utf-8")


def normal(name: str) -> str:
    """The name of a Python package, as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


class GuideTests(SynchronousTestCase):
    """What stands in F{/usr/share/doc/bumper}."""

    def test_pictures(self) -> None:
        """Pictures of the guides are where the guides look for them."""
        folders = {Path(line).name for line in shipped("bumper.docs").split()}
        for guide in (ROOT / "docs").glob("*.rst"):
            for name in re.findall(r"^\.\. (?:image|figure):: (\S+)$", guide.read_text(), re.M):
                self.assertIn(name.partition("/")[0], folders, guide.name)
                self.assertTrue((guide.parent / name).is_file(), name)


class ConffileTests(SynchronousTestCase):
    """F{/etc/bumper/bumper.toml}."""

    def test_settings(self) -> None:
        """It holds settings that there are, and the folders of the package."""
        settings = config.load(DEBIAN / "bumper.toml", {}, {})
        self.assertEqual(settings.storage.directory, Path("/var/lib/bumper"))
        self.assertEqual(settings.tls.directory, Path("/var/lib/bumper/certs"))

    def test_defaults(self) -> None:
        """What is only shown there is what holds anyway, or an address to be replaced."""
        shown = re.sub(r'^#(\w+ = (?!.*"192\.168\.).*)$', r"\1", shipped(), flags=re.M)
        self.assertGreater(shown.count("\n"), 40)
        file = Path(self.mktemp())
        file.write_text(shown)
        told, plain = config.load(file, {}, {}), config.load(DEBIAN / "bumper.toml", {}, {})
        self.assertEqual(told, plain)
        self.assertNotEqual(shown, shipped())

    def test_addresses(self) -> None:
        """The examples with addresses are right as well."""
        shown = re.sub(r"^#(\w+ = )", r"\1", shipped(), flags=re.M)
        file = Path(self.mktemp())
        file.write_text(shown)
        told = config.load(file, {}, {})
        self.assertEqual(told.server.announce, "192.168.1.2")
        self.assertEqual(told.dns.upstream, ("192.168.1.1",))

    def test_sockets(self) -> None:
        """Each listener stands for one socket unit, and each socket unit has a listener."""
        settings = config.load(DEBIAN / "bumper.toml", {}, {})
        listeners = {
            found[2]: found[1]
            for listen in settings.listen
            for found in [re.fullmatch(r"systemd:domain=(INET6?):name=(\w+)", listen.at)]
            if found
        }
        self.assertEqual(len(listeners), len(settings.listen))
        sockets = {}
        for unit in SYSTEMD.glob("*.socket"):
            text = unit.read_text()
            name = re.findall(r"^FileDescriptorName=(.*)$", text, re.M)
            stream = re.findall(r"^ListenStream=(.*)$", text, re.M)
            sockets[name[0]] = "INET" if "127.0.0.1" in stream[0] else "INET6"
        self.assertEqual(listeners, sockets)

    def test_same_doors(self) -> None:
        """What is spoken where is the same as without the package."""
        settings = config.load(DEBIAN / "bumper.toml", {}, {})
        spoken = [(x.serve, x.tls, x.legacy_tls, x.optional) for x in settings.listen]
        default = [(x.serve, x.tls, x.legacy_tls, x.optional) for x in Settings().listen]
        self.assertEqual(spoken, default)


class VendoredTests(SynchronousTestCase):
    """What the package brings along, and what it leaves to Debian."""

    def vendored(self) -> dict[str, str]:
        """Versions by name."""
        found = re.findall(r"^([A-Za-z][\w.-]*)==(\S+) --hash=sha256:[0-9a-f]{64}$", shipped(
            "vendored.txt"), re.M)  # fmt: skip
        return {normal(name): version for name, version in found}

    def depends(self) -> dict[str, str]:
        """Versions of Debian's packages, by the name of what they hold."""
        text = shipped("control").partition("\nDepends:")[2].partition("\nSuggests:")[0]
        renamed = {"attr": "attrs", "jwt": "pyjwt", "openssl": "pyopenssl"}
        found = re.findall(r"^ python3-([a-z0-9.-]+)(?: \(>= ([\d.]+)\))?,$", text, re.M)
        return {normal(renamed.get(name, name)): version for name, version in found}

    def test_pinned(self) -> None:
        """Every line is a version with a hash."""
        lines = [x for x in shipped("vendored.txt").splitlines() if x and not x.startswith("#")]
        self.assertEqual(len(lines), len(self.vendored()))

    def test_complete(self) -> None:
        """All that setup.py needs is in one of the two places, and in one only."""
        setup = (ROOT / "setup.py").read_text()
        listed = re.search(r"install_requires=\[(.*?)\n    \]", setup, re.S)
        assert listed is not None
        needs = {
            normal(name): least
            for name, least in re.findall(r'"([\w.-]+)(?:\[\w+\])?>=([\d.]+)"', listed[1])
        }
        self.assertIn("klein", needs)
        vendored, depends = self.vendored(), self.depends()
        self.assertEqual(set(vendored) & set(depends), set())
        self.assertEqual(set(needs) - set(vendored) - set(depends), set())
        for name, least in needs.items():
            given = vendored.get(name) or depends[name]
            numbers = [[int(n) for n in text.split(".")] for text in (given, least)]
            self.assertGreaterEqual(numbers[0], numbers[1], name)

    def test_licences(self) -> None:
        """Each has its paragraph among the licences."""
        names = re.findall(r"^Files: usr/lib/bumper/(\w+)/", shipped("copyright"), re.M)
        self.assertEqual(set(names), set(self.vendored()))


class ScriptTests(SynchronousTestCase):
    """The shell scripts."""

    SCRIPTS = ("build", "fill", "bumper.postinst", "bumper.postrm")

    def test_syntax(self) -> None:
        """A POSIX shell reads them."""
        for name in self.SCRIPTS:
            done = subprocess.run(["sh", "-n", str(DEBIAN / name)], check=False)
            self.assertEqual(done.returncode, 0, name)

    def test_shellcheck(self) -> None:
        """shellcheck finds nothing."""
        if which("shellcheck") is None:
            raise SkipTest("NOT TESTED: there is no shellcheck")
        paths = [str(DEBIAN / name) for name in self.SCRIPTS]
        done = subprocess.run(["shellcheck", *paths], capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout, "")

    def test_stops(self) -> None:
        """Each ends where something goes wrong, and those of dpkg leave room for debhelper's."""
        for name in self.SCRIPTS:
            self.assertRegex(shipped(name), r"(?m)^set -eu?$")
        for name in ("bumper.postinst", "bumper.postrm"):
            self.assertIn("\n#DEBHELPER#\n", shipped(name))

    def test_user(self) -> None:
        """The user of the unit is the one that is made, and owns what the unit writes to."""
        service = (SYSTEMD / "bumper.service").read_text()
        user = re.findall(r"^User=(.*)$", service, re.M)
        self.assertEqual(user, ["bumper"])
        self.assertRegex(shipped("bumper.postinst"), r"adduser --system --group(.|\n)* bumper\n")
        self.assertIn("StateDirectory=bumper\n", service)


class LauncherTests(SynchronousTestCase):
    """F{/usr/bin/bumper}."""

    def setUp(self) -> None:
        self.launcher: dict[str, Any] = runpy.run_path(str(DEBIAN / "launcher.py"))
        self.config = Path(self.mktemp())
        self.config.write_text('[storage]\ndirectory = "kept"\n')
        # Its functions look for this name among their own.
        self.launcher["settle"].__globals__["CONFIG"] = str(self.config)

    def test_shebang(self) -> None:
        """Neither variables nor folders of a user change what is imported."""
        self.assertTrue(shipped("launcher.py").startswith("#!/usr/bin/python3 -IS\n"))

    def settled(self, *words: str, **environ: str) -> str:
        """The settings that a command gets by the environment."""
        self.launcher["settle"](words, environ)
        return environ.get("BUMPER_CONFIG", "")

    def test_config(self) -> None:
        """The settings of the package are those that hold unless others are named."""
        self.assertEqual(self.settled("doctor"), str(self.config))
        self.assertEqual(self.settled(), str(self.config))
        self.assertEqual(self.settled("doctor", BUMPER_CONFIG="/other"), "/other")
        for words in (["--config", "x"], ["user", "list", "-c", "x"], ["doctor", "--config=x"]):
            self.assertEqual(self.settled(*words), "")
        for word in ("--demo", "--version", "--help", "--settings"):
            self.assertEqual(self.settled(word), "")

    def is_his(self, *words: str, **environ: str) -> bool:
        """Whether a command works on what is ours."""
        return bool(self.launcher["is_his"](words, environ, os.getuid()))

    def test_whose(self) -> None:
        """Words count more than variables, and these more than the settings."""
        elsewhere = '[storage]\ndirectory = "/a"\n[tls]\ndirectory = "/b"\n'
        self.config.write_text(elsewhere)
        settings = {"BUMPER_CONFIG": str(self.config)}
        ours = self.config.absolute().parent / "kept"
        # Its functions look for this one among their own, too.
        self.launcher["is_his"].__globals__["is_in_reach"] = lambda folder, _: folder == ours
        self.assertFalse(self.is_his("doctor", **settings))
        self.assertFalse(self.is_his("doctor"))
        self.assertTrue(self.is_his("doctor", BUMPER_STORAGE_DIRECTORY=str(ours), **settings))
        self.assertTrue(self.is_his("doctor", BUMPER_TLS_DIRECTORY=str(ours), **settings))
        self.assertTrue(self.is_his("user", "list", "-d", str(ours), **settings))
        self.config.write_text(elsewhere.replace("/a", "kept"))
        self.assertTrue(self.is_his("doctor", **settings))
        self.assertTrue(self.is_his("doctor", "--config", str(self.config)))

    def test_broken(self) -> None:
        """Settings that are wrong are left to who can say so, without privileges."""
        for text in ("[storage", "storage = 1\n", '[storage]\ndirectory = ["x"]\n'):
            self.config.write_text(text)
            self.assertTrue(self.is_his("doctor", BUMPER_CONFIG=str(self.config)), text)
        self.assertTrue(self.is_his("doctor", BUMPER_CONFIG="/does/not/exist"))

    @given(st.lists(st.text(max_size=8), max_size=6))
    def test_words(self, words: list[str]) -> None:
        """Whatever the words are, they are left to the command."""
        self.launcher["said"](words)

    def test_reach(self) -> None:
        """
        Whoever owns a folder above can put a link to root's in its place, and who owns what a
        link of root's leads to has it all the same.
        """
        if os.getuid() != 0:
            raise SkipTest("only root can give folders away")
        home = Path(self.mktemp()).absolute()
        (home / "his").mkdir(parents=True)
        os.chown(home / "his", 4711, 4711)
        (home / "his" / "data").symlink_to("/etc")
        (home / "link").symlink_to(home / "his")
        reach = self.launcher["is_in_reach"]
        for name in ("his", "his/not/yet", "his/data", "link", "link/certs"):
            self.assertTrue(reach(home / name, 4711), name)
        for name in ("", "other", "not/yet"):
            self.assertFalse(reach(home / name, 4711), name)

    def caps(self, held: int, *words: str) -> set[str]:
        """The privileges that a command of root's keeps."""
        argv = self.launcher["descent"](list(words), held)
        self.assertEqual(argv[: argv.index("--init-groups")][1:], ["--reuid", "bumper", "--regid",
            "bumper"])  # fmt: skip
        self.assertEqual(argv[argv.index("--") + 2 :], list(words))
        if "--ambient-caps" not in argv:
            return set()
        self.assertIn("--inh-caps", argv)
        return set(argv[argv.index("--ambient-caps") + 1].split(",")) - {"-all"}

    def test_privileges(self) -> None:
        """Nobody keeps what passes over permissions; commands have one that no server has."""
        server = {"+net_bind_service"}
        self.assertEqual(self.caps(ALL_CAPS), server)
        self.assertEqual(self.caps(ALL_CAPS, "--data", "x"), server)
        for command in ("backup", "restore", "doctor", "support-bundle", "user", "metrics"):
            self.assertEqual(self.caps(ALL_CAPS, command, "x"), server | {"+wake_alarm"}, command)
        self.assertEqual(self.caps(NO_CAPS, "backup", "x"), set())
        self.assertEqual(self.caps(1 << 10, "backup", "x"), server)
        self.assertNotIn("WAKE_ALARM", (SYSTEMD / "bumper.service").read_text())

    def test_status(self) -> None:
        """The privileges there are stand in the kernel's own words."""
        self.assertEqual(self.launcher["effective"]("Name:\tx\nCapEff:\t000001ff\n"), 0x1FF)
        self.assertEqual(self.launcher["effective"](""), 0)
