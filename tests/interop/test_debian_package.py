"""The Debian package, in a Debian: installed, used, upgraded, removed and purged."""

import re
from functools import partial
from pathlib import Path

from bumper_tw import __version__
from tests.interop.built import package
from tests.interop.case import InteropCase, clients_wanted
from tests.interop.children import Child, until
from tests.interop.chroots import Chroot, needed, tree
from tests.interop.server import ROOT

#: What an owner calls.
BUMPER = "/usr/bin/bumper"
CONFIG = "/etc/bumper/bumper.toml"
DATA = "/var/lib/bumper"

#: A version above that of the package.
NEWER = f"{__version__}.1"

AS_SYSTEMD = (Path(__file__).parent / "as_systemd.py").read_text()

#: Asks the running server whether it lives.
ALIVE = (
    "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:8007/healthz').read())"
)

#: Says for every distribution that is found, and for ours, what is missing of what it needs.
MISSING = """
import sys
sys.path[:] = ["/usr/lib/bumper", *sys.path, "/usr/lib/python3/dist-packages"]
from importlib.metadata import distributions, version
from packaging.requirements import Requirement
ours = [text for text in {needs!r}]
brought = [d for d in distributions(path=["/usr/lib/bumper"])]
for text in [*ours, *(t for d in brought for t in d.requires or ())]:
    need = Requirement(text)
    if need.marker is None or need.marker.evaluate({{"extra": ""}}) or (
        "twisted" in text and need.marker.evaluate({{"extra": "tls"}})
    ):
        if version(need.name) not in need.specifier:
            print(text, "but there is", version(need.name))
print(len(brought), "looked at")
"""


#: A process of the server as it is, and with the privilege to open ports.
AS_BUMPER = ("setpriv", "--reuid", "bumper", "--regid", "bumper", "--init-groups", "--")
AS_SERVER = (
    *AS_BUMPER[:-1],
    *("--inh-caps", "-all,+net_bind_service", "--ambient-caps", "-all,+net_bind_service", "--"),
)

#: Takes hold of another process (PTRACE_ATTACH), and says with which error.
TRACE = (
    "import ctypes, sys; call = ctypes.CDLL(None, use_errno=True).ptrace; "
    "print(ctypes.get_errno() if call(16, int(sys.argv[1]), 0, 0) else 0)"
)

RESTORE = "restore --force - < /root/kept.tar"

#: A restore that was never begun.
PLAN = (
    '{"stamp": "1", "moves": [{"folder": "/var/lib/bumper", "entry": "evil", '
    '"draft": "../../../../etc/profile.d/evil.sh", "had": false}]}'
)


def owner_of(child: Child) -> list[str]:
    """The numbers of the user that a process is of."""
    lines = Path(f"/proc/{child.pid}/status").read_text().splitlines()
    return next(line.split()[1:] for line in lines if line.startswith("Uid:"))


def newer(debian: Chroot, package: str, version: str) -> str:
    """A package with a higher version, other settings and another file, from one that is there."""
    made = f"/root/bumper_{version}_all.deb"
    debian.do(
        "sh",
        "-ec",
        f"""
        dpkg-deb -R {package} /root/newer
        sed -i 's/^Version: .*/Version: {version}/' /root/newer/DEBIAN/control
        echo '# This came with the newer one.' >> /root/newer/etc/bumper/bumper.toml
        echo '__version__ = "{version}"' > /root/newer/usr/lib/bumper/bumper_tw/__init__.py
        dpkg-deb --root-owner-group -b /root/newer {made}
        """,
    )
    return made


class DebianPackageTests(InteropCase):
    """One package, through its life."""

    def setUp(self) -> None:
        super().setUp()
        clients_wanted()
        self.debian = Chroot(self.folder / "debian", tree(fetched=needed()))
        self.addCleanup(self.debian.off)
        self.debian.put(package(), "/root/bumper.deb")

    def test_life(self) -> None:
        """
        It is installed with what Debian has, serves as its unit says, obeys root without spoiling
        anything, keeps what is the owner's when it is upgraded, and is gone when it is purged.
        """
        self.before = self.everything()
        self.apt("install", "/root/bumper.deb")
        self.check_files()
        self.check_needs()
        self.check_root_first()
        self.check_served()
        self.check_taken_over()
        self.check_traced()
        self.check_upgraded()
        self.check_removed()
        self.check_purged()

    def apt(self, *words: str) -> str:
        """One step with the package system; there is no network."""
        quiet = ["--yes", "--quiet", "--no-install-recommends"]
        return self.debian.do("apt-get", words[0], *quiet, *words[1:])

    def everything(self) -> set[str]:
        """All files outside the places of programs that are running."""
        found = self.debian.do(
            "find", "/etc", "/lib", "/usr", "/var/lib", "/home", "/opt", "/srv", "-xdev"
        )
        return set(found.splitlines())

    def modes(self, *paths: str) -> list[str]:
        """Owner, group and mode of some files."""
        return self.debian.do("stat", "-c", "%U:%G %a", *paths).splitlines()

    def owners(self) -> set[str]:
        """Everybody who owns something of the data."""
        return set(self.debian.do("find", DATA, "-printf", "%u:%g\n").splitlines())

    def check_files(self) -> None:
        """What it consists of belongs to whom it should, and is compiled."""
        self.assertEqual(
            self.modes(CONFIG, DATA, BUMPER, "/etc/bumper", "/usr/lib/bumper/bumper_tw"),
            ["root:bumper 640", "bumper:bumper 700", "root:root 755", *["root:root 755"] * 2],
        )
        user = self.debian.do("getent", "passwd", "bumper").strip().split(":")
        self.assertEqual(user[5:], [DATA, "/usr/sbin/nologin"])
        self.assertIn(":!", self.debian.do("getent", "shadow", "bumper"))
        owned = set(self.debian.do("dpkg", "-L", "bumper").splitlines())
        units = {f"/lib/systemd/system/{p.name}" for p in (ROOT / "packaging/systemd").iterdir()}
        units = {unit for unit in units if unit.endswith((".service", ".socket"))}
        self.assertLessEqual(
            {
                CONFIG,
                BUMPER,
                *units,
                "/usr/share/man/man1/bumper.1.gz",
                "/usr/share/doc/bumper/copyright",
                "/usr/share/doc/bumper/licences/twisted",
                "/usr/lib/bumper/twisted/plugins/dropin.cache",
            },
            owned,
        )
        compiled = self.debian.do("find", "/usr/lib/bumper", "-name", "cli.cpython-*.pyc")
        self.assertTrue(compiled.strip())
        self.assertEqual(self.debian.do("dpkg", "--verify", "bumper"), "")
        self.assertNotIn("python3-twisted", self.debian.do("dpkg", "--get-selections"))

    def check_needs(self) -> None:
        """What our setup.py and the parts that are brought along ask for is there, as new."""
        setup = (ROOT / "setup.py").read_text()
        listed = re.search(r"install_requires=\[(.*?)\n    \]", setup, re.S)
        assert listed is not None
        needs = re.findall(r'^ *"([^"]+)",', listed[1], re.M)
        self.assertIn("klein>=24.8", needs)
        said = self.debian.do("/usr/bin/python3", "-c", MISSING.format(needs=needs))
        self.assertEqual(said, "5 looked at\n")

    def check_root_first(self) -> None:
        """What root does before the first start is the server's all the same."""
        self.debian.do(BUMPER, "user", "add", "owner@example.org", said="hunter2\n")
        self.assertEqual(self.owners(), {"bumper:bumper"})
        self.assertIn("owner@example.org", self.debian.do(BUMPER, "user", "list"))
        for words in (["--version"], ["--help"]):
            self.assertIn("bumper", self.debian.do(BUMPER, *words))
        stranger = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
        refused = self.debian.run(*stranger, BUMPER, "user", "list")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("put sudo in front", refused.stderr)
        help_of_twistd = self.debian.do("/usr/lib/bumper/twistd", "--help")
        self.assertRegex(help_of_twistd, r"\n +bumper +A home")

    def served(self) -> Child:
        """Start the server as systemd would."""
        server = self.debian.start("/usr/bin/python3", "-c", AS_SYSTEMD)
        self.addCleanup(self.ended, server)
        server.wait_for(r"accepting connections", 6)
        return server

    def ended(self, server: Child) -> None:
        """See a server off."""
        if server.running:
            server.kill()
        server.finish()

    def stop(self, server: Child) -> None:
        """End a server as systemd does."""
        # What stands before its words only becomes it.
        server.terminate()
        self.assertEqual(server.finish(), 0, server.story())
        self.assertNotIn("Traceback", server.story())
        self.assertNotIn("plugin cache", server.story())

    def check_served(self) -> None:
        """The server answers at every door; root's commands beside it leave its files alone."""
        server = self.served()
        self.assertIn("ok", self.debian.do("/usr/bin/python3", "-c", ALIVE))
        self.debian.do(BUMPER, "user", "add", "other@example.org", said="hunter2\n")
        doctor = self.debian.run(BUMPER, "doctor")
        self.assertIn("ok  ", doctor.stdout)
        self.assertNotIn("Traceback", doctor.stderr)
        self.assertIn("other@example.org", self.debian.do(BUMPER, "user", "list"))
        self.assertEqual(self.owners(), {"bumper:bumper"})
        self.assertEqual(self.modes(f"{DATA}/bumper.db"), ["bumper:bumper 600"])
        # What only root may write, root's shell opens.
        refused = self.debian.run(BUMPER, "backup", "/root/kept.tar")
        self.assertEqual((refused.returncode, refused.stderr.count("\n")), (1, 1), refused.stderr)
        self.assertIn("(umask 077; bumper backup - > /root/kept.tar)", refused.stderr)
        open_to_all = self.debian.run("sh", "-c", f"umask 022; {BUMPER} backup - > /root/open.tar")
        self.assertIn("others may read", open_to_all.stderr)
        self.debian.do("sh", "-ec", f"umask 077; {BUMPER} backup - > /root/kept.tar")
        self.assertEqual(self.modes("/root/kept.tar"), ["root:root 600"])
        self.stop(server)

    def check_taken_over(self) -> None:
        """Whoever is the server leads root's commands nowhere by what he puts into its folder."""
        before = self.everything()
        self.debian.do("sh", "-ec", "umask 077; echo hidden > /etc/hidden")
        for planted, command in (
            (f"mv {DATA}/bumper.db {DATA}/x; ln -s /etc/profile.d/zz.sh {DATA}/bumper.db",
             "user list"),
            (f"mv {DATA}/certs {DATA}/x; ln -s /etc/profile.d {DATA}/certs", RESTORE),
            (f"mv {DATA}/certs/bumper.crt {DATA}/x; ln -s /etc/hidden {DATA}/certs/bumper.crt",
             "backup - | grep -ac hidden"),
            (f"ln -s /etc/hidden {DATA}/twistd.log",
             "support-bundle - | gzip -dc | grep -ac ^hidden"),
            (f"echo id > {DATA}/evil; echo '{PLAN}' > {DATA}/restore-under-way.json",
             "restore --put-back"),
        ):  # fmt: skip
            self.debian.do(*AS_BUMPER, "cp", "-a", DATA, "/tmp/spare")
            self.debian.do(*AS_BUMPER, "sh", "-ec", planted)
            done = self.debian.run("sh", "-c", f"umask 077; {BUMPER} {command}")
            self.assertNotEqual(done.returncode, 0, (command, done.stdout))
            self.assertNotIn("Traceback", done.stderr)
            self.debian.do(*AS_BUMPER, "sh", "-ec", f"rm -rf {DATA}/*; cp -a /tmp/spare/. {DATA}")
            self.debian.do("rm", "-rf", "/tmp/spare")
        self.debian.do("rm", "/etc/hidden")
        grown = {path for path in self.everything() - before if not path.startswith(DATA)}
        self.assertEqual(grown, set())
        restored = self.debian.do("sh", "-c", f"umask 077; {BUMPER} {RESTORE}")
        self.assertIn("restored: the authority", restored)
        self.assertEqual(self.owners(), {"bumper:bumper"})

    def is_of(self, child: Child, user: str) -> bool:
        """Whether a process is of a user already."""
        return user in owner_of(child)

    def check_traced(self) -> None:
        """Nor does he get hold of a command, and of root's terminal with it."""
        self.debian.do("mkfifo", "/root/never")
        plain = self.debian.start(*AS_BUMPER, "sleep", "600")
        command = self.debian.start("sh", "-c", f"exec {BUMPER} user add x <> /root/never")
        for child in (plain, command):
            self.addCleanup(self.ended, child)
        of_bumper = self.debian.do("id", "-u", "bumper").strip()
        for child, said in ((plain, "0\n"), (command, "1\n")):
            until(partial(self.is_of, child, of_bumper), "it goes on as bumper")
            traced = self.debian.do(*AS_SERVER, "python3", "-c", TRACE, str(child.pid))
            self.assertEqual(traced, said)
            child.kill()
        self.debian.do("rm", "/root/never")

    def check_upgraded(self) -> None:
        """A changed conffile and the data stay, and the newer server goes on with them."""
        self.debian.do("sed", "-i", 's/^#policy.*/policy = "strict"/', CONFIG)
        digest = self.debian.do("sha256sum", CONFIG, f"{DATA}/certs/ca.crt")
        with_old = ["-o", "Dpkg::Options::=--force-confold"]
        self.apt("install", *with_old, newer(self.debian, "/root/bumper.deb", NEWER))
        self.assertEqual(self.debian.do("sha256sum", CONFIG, f"{DATA}/certs/ca.crt"), digest)
        self.assertEqual(self.modes(CONFIG, DATA), ["root:bumper 640", "bumper:bumper 700"])
        self.assertIn(NEWER, self.debian.do(BUMPER, "--version"))
        self.assertIn("owner@example.org", self.debian.do(BUMPER, "user", "list"))
        server = self.served()
        self.assertIn("ok", self.debian.do("/usr/bin/python3", "-c", ALIVE))
        self.stop(server)

    def check_removed(self) -> None:
        """The program goes; settings and data stay."""
        self.apt("remove", "bumper")
        left = self.debian.do("ls", DATA, "/etc/bumper")
        self.assertIn("bumper.db", left)
        self.assertIn("bumper.toml", left)
        gone = self.debian.run("ls", "/usr/lib/bumper")
        self.assertIn("No such file", gone.stderr)

    def check_purged(self) -> None:
        """
        Nothing stays but what was needed, what the owner has put there, and a user who can do
        nothing.
        """
        self.debian.do("sh", "-ec", "umask 077; echo word > /etc/bumper/metrics.token")
        self.apt("purge", "bumper")
        self.assertEqual(self.debian.do("ls", "/etc/bumper"), "metrics.token\n")
        self.debian.do("rm", "-r", "/etc/bumper")
        self.apt("autoremove", "--purge")
        left = {path for path in self.everything() - self.before if "bumper" in path}
        self.assertEqual(left, set())
        self.assertIn(":!", self.debian.do("getent", "shadow", "bumper"))
