"""
What the init script of OpenWrt asks procd for, done: the server runs as that says, becomes its
own user, has a robot, and reads its settings again.
"""

import os
import shutil
import subprocess
import sys
import tarfile
from hashlib import sha256
from pathlib import Path
from signal import SIGHUP, SIGTERM
from stat import S_ISSOCK
from tempfile import mkdtemp

from twisted.trial.unittest import SkipTest

from tests.interop.case import InteropCase, ask, clients_wanted, log_in, unavailable
from tests.interop.children import Child
from tests.interop.installs import INSTALL_SECONDS
from tests.interop.server import ACCEPTING, HOST, ROOT, environment
from tests.packaging.openwrt_fakes.box import Box, Done
from tests.packaging.openwrt_fakes.sdk import Sdk

#: A user and a group of that name are on every machine, and run nothing there.
OWNER = "daemon"

CONFIG = f"""
config bumper 'main'
\toption enabled '1'
\toption data_dir '%s'
config server 'server'
\toption profile 'small'
\toption announce '{HOST}'
config log 'log'
\toption level 'info'
config listen
\toption serve 'web'
\toption at 'tcp:0:interface={HOST}'
config listen
\toption serve 'mqtt'
\toption at 'tcp:0:interface={HOST}'
"""


def python_for_all() -> str:
    """
    A Python of our version that any user may read: some are built in somebody's home.

    @raise SkipTest: there is none.
    """
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for path in (sys.executable, f"/usr/bin/{name}", f"/usr/local/bin/{name}"):
        code = f"import os; os.setuid({os.stat('/').st_uid + 1}); import zipapp"
        if Path(path).exists():
            done = subprocess.run([path, "-c", code], capture_output=True, check=False)
            if done.returncode == 0:
                return path
    return unavailable(f"no {name} here that other users can read")


class OpenWrtCase(InteropCase):
    """Starts a server as procd would."""

    def setUp(self) -> None:
        super().setUp()
        if os.getuid() != 0:
            raise SkipTest("NOT TESTED: only root becomes somebody else")
        # Trial's own folders are closed to others, and too deep for the path of a socket.
        top = Path(mkdtemp(prefix="openwrt-"))
        self.addCleanup(shutil.rmtree, top)
        top.chmod(0o755)
        self.box = Box(top / "box", OWNER, python_for_all())
        self.data = top / "flash" / "bumper"
        self.box.config("bumper", CONFIG % self.data)

    def paths(self) -> list[str]:
        """Where Python finds what is not part of the package."""
        return [str(ROOT), *(path for path in sys.path if "site-packages" in path)]

    def environ(self) -> dict[str, str]:
        """For whatever runs on the router."""
        return environment(PYTHONPATH=os.pathsep.join(self.paths()))

    def started(self) -> tuple[Child, list[int]]:
        """
        Do what procd is told to do.

        @return: the process and its ports.
        """
        done = self.box.init("start")
        self.assertEqual(done.status, 0, done.out + done.log)
        (command,) = done.params("command")
        child = Child(list(command), Path("/"), self.environ())
        self.addCleanup(self._stopped, child)
        bound = child.wait_for(ACCEPTING, 2)
        (self.box.top / "running").touch()
        return child, [int(match[1]) for match in bound]

    def _stopped(self, child: Child) -> None:
        if child.running:
            os.kill(child.pid, SIGTERM)
        self.assertEqual(child.finish(), 0, child.story())
        self.assertNotIn("Traceback", child.story())

    def reloaded(self, child: Child) -> Done:
        """Do what procd is told to do at a reload."""
        done = self.box.init("reload")
        for _, _, signal in done.calls("procd_send_signal"):
            self.assertEqual(signal, "HUP")
            os.kill(child.pid, SIGHUP)
        return done

    def owners(self) -> set[str]:
        """Who owns what the server has made."""
        return {path.owner() for path in self.data.rglob("*")}


class ServerTests(OpenWrtCase):
    """The server of this tree."""

    def test_robot(self) -> None:
        """A robot comes, stays while settings are read again, and all files are the server's."""
        child, (web, mqtt) = self.started()
        self.robots(mqtt, xml=0)
        status = Path(f"/proc/{child.pid}/status").read_text()
        uid = int(next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1])
        self.assertNotEqual(uid, 0)
        token = log_in(web)
        self.box.uci("set", "bumper.log.level=debug")
        done = self.reloaded(child)
        self.assertEqual(done.calls("procd_send_signal"), [("bumper", "*", "HUP")])
        child.wait_for("reloading")
        (robot,) = ask(web, "GET", "/api/robots", token=token).json["robots"]
        self.assertTrue(robot["online"], robot)
        self.assertEqual(self.owners(), {OWNER})
        self.assertIn("certs", {path.name for path in self.data.iterdir()})

    def test_commands(self) -> None:
        """What root does beside the server leaves all files to it, and finds its settings."""
        child, (web, _) = self.started()
        for words, said in (
            (("user", "add", "a@example.org"), "can log in"),
            (("user", "list"), "a@example.org"),
            (("robot", "list"), "there are no robots"),
        ):
            start = str(self.box.top / "usr/lib/bumper/bumper_start.pyc")
            done = subprocess.run(
                [python_for_all(), "-s", "-B", start, "command", *words],
                input="a good password\n",
                env=self.environ(),
                capture_output=True,
                text=True,
                check=False,
            )
            self.assertIn(said, done.stdout, done.stderr)
        self.assertEqual(self.owners(), {OWNER})
        sockets = [path for path in self.data.rglob("*") if S_ISSOCK(path.stat().st_mode)]
        self.assertEqual([path.name for path in sockets], ["control"])
        self.assertTrue(child.running)
        self.assertEqual(ask(web, "GET", "/healthz").status // 100, 2)


class PackageTests(OpenWrtCase):
    """The package as it would be on a router: compiled, with what it brings."""

    def setUp(self) -> None:
        clients_wanted()
        super().setUp()
        self.sdk = Sdk(self.folder / "sdk")
        downloaded(self.sdk)
        self.sdk.build()
        library = self.box.top / "usr/lib/bumper"
        start = (library / "bumper_start.pyc").read_bytes()
        shutil.copytree(self.sdk.root / "usr/lib/bumper", library, dirs_exist_ok=True)
        # These three know where things are here.
        (library / "bumper_start.pyc").write_bytes(start)
        for name in ("settings.sh", "names.sh", "luci.sh"):
            (library / name).write_text(self.box.moved((library / name).read_text()))

    def paths(self) -> list[str]:
        return [path for path in super().paths() if path != str(ROOT)]

    def test_package(self) -> None:
        """It starts with what is in it and in OpenWrt's packages, and a robot comes."""
        child, (_, mqtt) = self.started()
        self.robots(mqtt, xml=0)
        version = self.sdk.vendored()[0].version
        child.wait_for(f"twistd {version.replace('.', '[.]')} ")
        self.assertEqual(self.owners(), {OWNER})


def downloaded(sdk: Sdk) -> None:
    """The real sources, each with the hash that the Makefile wants."""
    folder = sdk.out / "dl"
    folder.mkdir(parents=True)
    for one in sdk.vendored():
        argv = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
        subprocess.run(
            [*argv, "-d", str(folder), f"{one.name}=={one.version}"],
            check=True,
            capture_output=True,
            timeout=INSTALL_SECONDS,
        )
        path = folder / f"{one.sources}.tar.gz"
        assert sha256(path.read_bytes()).hexdigest() == one.hash, one.name
        with tarfile.open(path) as tar:
            assert f"{one.sources}/{one.folder}/__init__.py" in tar.getnames(), one.name
