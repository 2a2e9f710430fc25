"""Small Debians in which a test may do what it likes, each with a network of its own."""

import hashlib
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.interop.case import unavailable
from tests.interop.children import Child
from tests.interop.installs import COMPLETE, alone, cache, complete, install
from tests.interop.networks import namespaces_wanted
from tests.interop.server import ROOT

#: The release that the package is for.
SUITE = "bookworm"

#: The variables that a program in there begins with.
CLEAN = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}

#: How the two forms of a list of sources name one of Debian's.
MIRROR = re.compile(r"(?:^deb (?:\[[^]]*\] )?|^URIs: )(\S+/debian/?)(?:\s|$)", re.M)

#: Seconds for the longest step, on a machine that has other work to do.
PATIENCE = 600

#: Mounts what a Debian needs, keeps it, and is gone with it.  The words behind it: the folder, and
#: the tree that is not to be changed.
HOLD = """
set -e
parts="lowerdir=$2,upperdir=$1/upper,workdir=$1/work"
if ! mount -t overlay overlay -o "$parts" "$1/root" 2> /dev/null; then
    cp -a --reflink=auto "$2/." "$1/root"
fi
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
ip link set lo up
echo ready
exec cat
"""


class Chroot:
    """A Debian made from a tree, which stays as it is."""

    def __init__(self, folder: Path, tree: Path) -> None:
        for part in ("root", "upper", "work"):
            (folder / part).mkdir(parents=True)
        self._root = folder / "root"
        argv = ["unshare", "--mount", "--propagation", "private", "--net", "sh", "-c", HOLD, "sh"]
        self._holder = Child([*argv, str(folder), str(tree)], folder)
        self._holder.wait_for("ready")

    def off(self) -> None:
        """Take everything of it away that is mounted."""
        if self._holder.running:
            self._holder.terminate()
        self._holder.finish()

    def words(self, argv: Sequence[str], environ: Mapping[str, str]) -> list[str]:
        """What to run so that it runs there, as root."""
        given = [f"{name}={text}" for name, text in {**CLEAN, **environ}.items()]
        pid = str(self._holder.pid)
        inside = ["nsenter", "--target", pid, "--mount", "--net", "chroot", str(self._root)]
        return [*inside, "env", "-i", *given, *argv]

    def run(
        self, *argv: str, said: str = "", environ: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run something until it ends."""
        return subprocess.run(
            self.words(argv, environ or {}),
            cwd="/",
            input=said,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def do(self, *argv: str, said: str = "", environ: Mapping[str, str] | None = None) -> str:
        """
        Run something that has to go well.

        @return: what it wrote.
        """
        done = self.run(*argv, said=said, environ=environ)
        assert done.returncode == 0, (argv, done.stdout[-3000:], done.stderr[-3000:])
        return done.stdout

    def start(self, *argv: str, environ: Mapping[str, str] | None = None) -> Child:
        """Run something that goes on."""
        return Child(self.words(argv, environ or {}), Path("/"))

    def put(self, source: Path, target: str) -> None:
        """Copy a file, or a folder, into it."""
        place = f"/proc/{self._holder.pid}/root{self._root}{target}"
        inside = ["nsenter", "--target", str(self._holder.pid), "--mount"]
        must([*inside, "mkdir", "-p", f"{self._root}{Path(target).parent}"])
        # By way of the holder's root this is the mounted tree, and not what is below it.
        if source.is_dir():
            shutil.copytree(source, place, dirs_exist_ok=True, symlinks=True)
        else:
            shutil.copy2(source, place)

    def take(self, source: str, target: Path) -> None:
        """Copy a folder out of it."""
        shutil.copytree(f"/proc/{self._holder.pid}/root{self._root}{source}", target)


def must(argv: Sequence[str]) -> None:
    """Run something of this machine that has to go well."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, (argv, done.stderr[-2000:])


def chroots_wanted() -> None:
    """
    Trees are made by a program that only root may run.

    @raise SkipTest: something of that is missing.
    """
    namespaces_wanted()
    for program in ("debootstrap", "nsenter", "ip"):
        if shutil.which(program, path=CLEAN["PATH"]) is None:
            unavailable(f"a Debian in a folder: there is no {program}")


def mirror() -> str:
    """
    Where this machine has its own packages from.

    @raise SkipTest: it does not say.
    """
    apt = Path("/etc/apt")
    for file in (apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))):
        text = file.read_text("utf-8", "replace") if file.is_file() else ""
        for found in re.finditer(
            r"(?:^deb (?:\[.*?\] )?|^URIs: )(\S+/debian/?)(?:\s|$)", text, re.M
        ):
            return found[1]
    return unavailable("a Debian in a folder: /etc/apt names no mirror of Debian")


def tree(packages: Sequence[str] = (), fetched: Sequence[str] = ()) -> Path:
    """
    A Debian that is kept from one test to the next; nobody may change it.

    @param packages: are installed in it;
    @param fetched: are there to be installed without a network, with what they need.
    @raise SkipTest: it cannot be made.
    """
    chroots_wanted()
    wanted = "\n".join([SUITE, *sorted(packages), "", *sorted(fetched)])
    if not packages and not fetched:
        return bare()
    folder = cache() / f"debian-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    lower = bare()
    with alone(folder):
        if not complete(folder, wanted):
            shutil.rmtree(folder, ignore_errors=True)
            must(["cp", "-a", "--reflink=auto", str(lower), str(folder)])
            shutil.copy("/etc/resolv.conf", folder / "etc" / "resolv.conf")
            get = ["env", "-i", *(f"{name}={text}" for name, text in CLEAN.items()), "apt-get"]
            get += ["install", "--yes", "--quiet", "--no-install-recommends"]
            if packages:
                install(["chroot", str(folder), *get, *packages])
            if fetched:
                install(["chroot", str(folder), *get, "--download-only", *fetched])
            (folder / COMPLETE).write_text(wanted)
    return folder


def bare() -> Path:
    """
    The smallest Debian there is, which is that of the image.

    @raise SkipTest: it cannot be made.
    """
    folder = cache() / f"debian-{SUITE}"
    with alone(folder):
        if not complete(folder, SUITE):
            shutil.rmtree(folder, ignore_errors=True)
            install(["debootstrap", "--variant=minbase", SUITE, str(folder), mirror()])
            (folder / COMPLETE).write_text(SUITE)
    return folder


def wheels() -> Path:
    """
    What the package brings along, so that it can be built without a network.

    @raise SkipTest: it cannot be had.
    """
    listed = ROOT / "packaging" / "debian" / "vendored.txt"
    folder, wanted = cache() / "debian-wheels", listed.read_text()
    with alone(folder):
        if not complete(folder, wanted):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            get = ["python3", "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
            install([*get, "--only-binary", ":all:", "-d", str(folder), "-r", str(listed)])
            (folder / COMPLETE).write_text(wanted)
    return folder


def build_packages() -> list[str]:
    """What a build of the package needs, as the image installs it."""
    text = (ROOT / "packaging" / "container" / "Dockerfile").read_text().replace("\\\n", " ")
    found = re.search(r"apt-get install -y --no-install-recommends (.*?) &&", text)
    assert found is not None
    return found[1].split()


def needed() -> list[str]:
    """What Debian brings to an installed package."""
    control = (ROOT / "packaging" / "debian" / "control").read_text()
    depends = control.partition("\nDepends:")[2].partition("\nSuggests")[0]
    return re.findall(r"^ ([a-z][a-z0-9.+-]*)", depends, re.M)


def sources(folder: Path) -> Path:
    """What the build reads, as a clean tree."""
    parts = ("bumper_tw", "twisted", "packaging", "docs", "setup.py", "README.rst", "NEWS.rst")
    dirt = shutil.ignore_patterns("__pycache__", "dropin.cache", "*.pyc")
    folder.mkdir()
    for part in (*parts, "LICENSE"):
        place = ROOT / part
        if place.is_dir():
            shutil.copytree(place, folder / part, ignore=dirt)
        else:
            shutil.copy2(place, folder / part)
    return folder
