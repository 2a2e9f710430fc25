"""
What the init script of OpenWrt asks procd for, done: the server runs as that says, never as
root, has a robot, and reads its settings again.
"""

import os
import shutil
import subprocess
import sys
from functools import cache
from gzip import decompress
from pathlib import Path
from pwd import getpwnam
from signal import SIGHUP, SIGTERM
from stat import S_ISSOCK
from tempfile import mkdtemp
from time import monotonic, sleep

from twisted.trial.unittest import SkipTest

from tests.interop.case import InteropCase, ask, clients_wanted, log_in, unavailable
from tests.interop.children import GLANCE, PATIENCE, Child
from tests.interop.networks import Computer, namespaces_wanted
from tests.interop.openwrt_sources import downloaded
from tests.interop.server import ACCEPTING, HOST, ROOT, environment
from tests.packaging.openwrt_fakes.box import FREE_PORTS, Box, Done, brought
from tests.packaging.openwrt_fakes.sdk import Sdk

#: A user and a group of that name are on every machine, and run nothing there.
OWNER = "daemon"

#: What nobody but root may read.
SECRET = "root:secret-of-root:0"

#: What may be made beside a file.
ENDS = ("-wal", "-shm", "-journal", ".new", ".tmp")

#: What root may ask for; a backup stands for SAVED.
COMMANDS = (
    ("user", "list"), ("user", "add", "a@example.org"), ("robot", "list"), ("unknown",),
    ("firmware",), ("certs", "show"), ("certs", "renew"), ("journal",), ("doctor",),
    ("backup", "-"), ("backup", "saved.tar"), ("restore", "SAVED", "--dry-run"),
    ("restore", "SAVED", "--force"), ("restore", "--put-back"), ("support-bundle", "-"),
    ("metrics",), ("log",),
)  # fmt: skip

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


@cache
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
        return brought()

    def environ(self) -> dict[str, str]:
        """For whatever runs on the router."""
        return environment(PYTHONPATH=os.pathsep.join(self.paths()))

    def asked_for(self) -> list[str]:
        """What procd is told to run, as it runs it."""
        done = self.box.init("start")
        self.assertEqual(done.status, 0, done.out + done.log)
        ((user,),), ((group,),), (command,) = map(done.params, ("user", "group", "command"))
        return [*as_user(user, group), *command]

    def started(self) -> tuple[Child, list[int]]:
        """
        Do what procd is told to do.

        @return: the process and its ports.
        """
        child = Child(self.asked_for(), Path("/"), self.environ())
        self.addCleanup(self._stopped, child)
        bound = child.wait_for(ACCEPTING, 2)
        (self.box.top / "running").touch()
        return child, [int(match[1]) for match in bound]

    def command_words(self, *words: str) -> list[str]:
        """What root's C{bumper} runs."""
        start = str(self.box.top / "usr/lib/bumper/bumper_start.pyc")
        return [python_for_all(), "-s", "-B", start, "command", *words]

    def command(self, *words: str) -> "subprocess.CompletedProcess[bytes]":
        """What root does in a shell, in his own folder."""
        home = self.box.top / "root"
        home.mkdir(mode=0o700, exist_ok=True)
        return subprocess.run(
            self.command_words(*words),
            input=b"a good password\na good password\n",
            cwd=home,
            env=self.environ(),
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )

    def assert_owner(self, pid: int) -> None:
        """Neither this process is root in any way, nor can it be."""
        status = dict(
            line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        )
        who = getpwnam(OWNER)
        self.assertEqual(status["Uid"].split(), [str(who.pw_uid)] * 4)
        self.assertEqual(status["Gid"].split(), [str(who.pw_gid)] * 4)
        for held in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(status[held], 16), 0, held)
        self.assertNotIn("0", status["Groups"].split())

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


def as_user(user: str, group: str) -> list[str]:
    """What to put in front of a command to run it as procd does."""
    return ["setpriv", "--reuid", user, "--regid", group, "--init-groups", "--"]


class ServerTests(OpenWrtCase):
    """The server of this tree."""

    def test_robot(self) -> None:
        """A robot comes, stays while settings are read again, and all files are the server's."""
        child, (web, mqtt) = self.started()
        self.robots(mqtt, xml=0)
        self.assert_owner(child.pid)
        token = log_in(web)
        self.box.uci("set", "bumper.log.level=debug")
        done = self.reloaded(child)
        self.assertEqual(done.calls("procd_send_signal"), [("bumper", "*", "HUP")], done.out)
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
            done = self.command(*words)
            self.assertIn(said.encode(), done.stdout)
        self.assertEqual(self.owners(), {OWNER})
        sockets = [path for path in self.data.rglob("*") if S_ISSOCK(path.stat().st_mode)]
        self.assertEqual([path.name for path in sockets], ["control"])
        self.assertTrue(child.running)
        self.assertEqual(ask(web, "GET", "/healthz").status // 100, 2)

    def test_backup(self) -> None:
        """What root's shell opens stays root's; what was saved comes back, and is the server's."""
        child, _ = self.started()
        saved = self.command("backup", "-")
        self.assertEqual(saved.returncode, 0, saved.stderr)
        self._stopped(child)
        archive = self.box.top / "saved.tar"
        archive.write_bytes(saved.stdout)
        archive.chmod(0o644)
        shutil.rmtree(self.data / "certs")
        self.asked_for()
        done = self.command("restore", "--force", str(archive))
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertTrue(list((self.data / "certs").glob("*.key")))
        self.assertEqual(self.owners(), {OWNER})
        self.assertEqual(self.data.owner(), "root")

    def test_port(self) -> None:
        """A port below 1024 is had by nobody's privileges."""
        namespaces_wanted()
        computer = Computer(self.box.top)
        self.addCleanup(computer.off)
        self.box.config("bumper", (CONFIG % self.data).replace("tcp:0:", "tcp:443:", 1))
        words = self.asked_for()
        said = self.box.read(FREE_PORTS).strip()
        done = computer.run("sh", "-c", f"echo {said} >/{FREE_PORTS}")
        self.assertEqual((said, done.returncode), ("443", 0), done.stderr)
        child = computer.start(*words, environ=self.environ())
        self.addCleanup(self._stopped, child)
        self.assertIn("443", [match[1] for match in child.wait_for(ACCEPTING, 2)])
        self.assert_owner(child.pid)


class TakenOverTests(OpenWrtCase):
    """Somebody has become the user of the server, and waits for root to do something."""

    def setUp(self) -> None:
        super().setUp()
        child, _ = self.started()
        self._stopped(child)
        self.roots = self.box.top / "roots"
        self.roots.mkdir()

    def attack(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """What he does."""
        argv = [*as_user(OWNER, OWNER), *words]
        return subprocess.run(argv, capture_output=True, text=True, cwd="/", check=False)

    def test_folders(self) -> None:
        """He cannot put links in the place of his folders; with one there, nothing starts."""
        for words in (["mv", "certs", "x"], ["rm", "-r", "data"], ["ln", "-s", "/etc", "x"]):
            tried = self.attack("sh", "-c", f'cd "{self.data}" && {" ".join(words)}')
            self.assertIn("denied", tried.stderr)
        shutil.rmtree(self.data / "certs")
        (self.data / "certs").symlink_to(self.roots)
        done = self.box.init("start")
        self.assertEqual(done.params("command"), [])
        self.assertIn("has to be a folder", done.log)
        self.assertEqual((self.roots.owner(), list(self.roots.iterdir())), ("root", []))

    def test_links_to_new(self) -> None:
        """Nothing comes into being where his links point, whatever root does."""
        files = [path for path in self.data.rglob("*") if path.is_file()]
        self.assertLessEqual({"bumper.db", "ca.crt", "ca.key"}, {path.name for path in files})
        saved = self.box.top / "saved.tar"
        saved.write_bytes(self.command("backup", "-").stdout)
        saved.chmod(0o644)
        names = [*files, *(path.with_name(f"{path.name}{end}") for path in files for end in ENDS)]
        for number, path in enumerate(names):
            path.unlink(missing_ok=True)
            self.attack("ln", "-s", str(self.roots / str(number)), str(path))
        self.assertTrue((self.data / "data/bumper.db").is_symlink())
        self.roots_day(saved)
        self.assertEqual(list(self.roots.iterdir()), [])

    def test_links_to_there(self) -> None:
        """Nothing that is root's is changed, given away, or read to him."""
        # With a database that is one, root's commands get further.
        files = [path for path in self.data.rglob("*") if path.suffix in {".key", ".crt", ".pem"}]
        self.assertIn("ca.key", {path.name for path in files})
        saved = self.box.top / "saved.tar"
        saved.write_bytes(self.command("backup", "-").stdout)
        saved.chmod(0o644)
        secret = self.roots / "shadow"
        secret.write_text(SECRET)
        secret.chmod(0o600)
        before = secret.stat()
        for path in [*files, self.data / "data/twistd.log"]:
            path.unlink(missing_ok=True)
            self.attack("ln", "-s", str(secret), str(path))
        for said in self.roots_day(saved):
            self.assertNotIn(SECRET.encode(), said)
        self.assertEqual(secret.read_text(), SECRET)
        after = secret.stat()
        self.assertEqual((after.st_uid, after.st_mode), (before.st_uid, before.st_mode))
        for path in self.data.rglob("*"):
            if path.is_file() and not path.is_symlink():
                self.assertNotIn(SECRET.encode(), path.read_bytes(), path)

    def roots_day(self, saved: Path) -> list[bytes]:
        """
        Everything that root can ask for.

        @param saved: a backup.
        @return: what was said and shown, unpacked.
        """
        server = subprocess.run(
            self.asked_for(),
            env=self.environ(),
            cwd="/",
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        self.assertNotEqual(server.returncode, 0)
        said = [server.stdout, server.stderr]
        for words in COMMANDS:
            done = self.command(*(str(saved) if word == "SAVED" else word for word in words))
            said += [done.stdout, done.stderr]
            if done.stdout[:2] == b"\x1f\x8b":
                said.append(decompress(done.stdout))
        return said

    def test_looked_at(self) -> None:
        """He cannot look into a command of root's, nor do something in its name."""
        child = Child(
            self.command_words("user", "add", "a@example.org"), Path("/"), self.environ()
        )
        self.addCleanup(child.finish)
        self.addCleanup(child.kill)
        self.wait_until_owner(child.pid)
        self.assert_owner(child.pid)
        for path in ("environ", "mem", "fd"):
            done = self.attack("ls" if path == "fd" else "head", f"/proc/{child.pid}/{path}")
            self.assertIn("denied", done.stderr, path)
        attach = f"import ctypes; print(ctypes.CDLL(None).ptrace(16, {child.pid}, 0, 0))"
        done = self.attack(python_for_all(), "-S", "-c", attach)
        self.assertEqual(done.stdout, "-1\n", done.stderr)

    def wait_until_owner(self, pid: int) -> None:
        """Until a process belongs to the user of the server."""
        uid, end = str(getpwnam(OWNER).pw_uid), monotonic() + PATIENCE
        while f"Uid:\t{uid}\t" not in Path(f"/proc/{pid}/status").read_text():
            self.assertLess(monotonic(), end)
            sleep(GLANCE)


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
        start = str(self.box.top / "usr/lib/bumper/bumper_start.pyc")
        argv = [python_for_all(), "-s", "-B", start, "plugins"]
        subprocess.run(argv, env=self.environ(), cwd="/", check=True)
        child, (_, mqtt) = self.started()
        self.assertNotIn("plugin cache", child.story())
        self.robots(mqtt, xml=0)
        version = self.sdk.vendored()[0].version
        child.wait_for(f"twistd {version.replace('.', '[.]')} ")
        self.assertEqual(self.owners(), {OWNER})
