"""The build system of OpenWrt, reduced to what our Makefile asks of it (the folder sdk)."""

import subprocess
import sys
import tarfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from shutil import which

from attrs import frozen
from twisted.trial.unittest import SkipTest

from tests.packaging.openwrt_fakes.box import HERE, PACKAGE

#: Seconds for compiling all.
PATIENCE = 300.0


@frozen
class Vendored:
    """What becomes part of the package: where it is in its sources, and the hash of those."""

    name: str
    version: str
    folder: str
    hash: str

    @property
    def sources(self) -> str:
        """The name of its archive, and of the folder in that, with the version."""
        return f"{self.name}-{self.version}"


@frozen
class Sdk:
    """
    One build.

    @ivar out: the folder of all that comes of it.
    """

    out: Path

    def make(self, target: str) -> str:
        """
        Run C{make}.

        @return: what it printed.
        @raise SkipTest: there is no GNU make.
        """
        if which("make") is None:
            raise SkipTest("NOT TESTED: make is not installed")
        self.out.mkdir(parents=True, exist_ok=True)
        variables = {
            "TOPDIR": HERE / "sdk",
            "OUT": self.out,
            "DESTDIR": self.root,
            "HOST_PYTHON3_BIN": sys.executable,
        }
        done = subprocess.run(
            ["make", "-s", *(f"{name}={value}" for name, value in variables.items()), target],
            cwd=PACKAGE,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def root(self) -> Path:
        """What the package would put on a router."""
        return self.out / "root"

    def told(self) -> dict[str, list[str]]:
        """What the Makefile says, by its first word."""
        told: dict[str, list[str]] = {}
        for line in self.make("show").splitlines():
            word, _, rest = line.partition(" ")
            told.setdefault(word, []).append(rest)
        return told

    def vendored(self) -> list[Vendored]:
        """All of other people's that becomes part of the package; Twisted is the first."""
        told = self.told()
        url, _, digest = told["source"][0].partition("|")
        version = url.rpartition("/")[2].removeprefix("twisted-").removesuffix(".tar.gz")
        twisted = Vendored("twisted", version, "src/twisted", digest)
        return [twisted, *(Vendored(*line.split("|")) for line in told["vendored"])]

    def build(self) -> None:
        """All that the build system does, once the sources are there."""
        self.make("prepare")
        self.make("install")


def pretended(sdk: Sdk) -> None:
    """Sources with the folders that are wanted, and nothing much in them."""
    folder = sdk.out / "dl"
    folder.mkdir(parents=True)
    for one in sdk.vendored():
        files = ["__init__.py", "test/__init__.py", "data.txt"]
        if one.name == "twisted":
            files += ["conch/__init__.py", "python/modules.py"]
            files += [f"plugins/{name}.py" for name in ("__init__", "twisted_core", "cred_unix")]
        archive(folder / f"{one.sources}.tar.gz", f"{one.sources}/{one.folder}", files)


def archive(path: Path, folder: str, files: Iterable[str]) -> None:
    """Write one archive."""
    with tarfile.open(path, "w:gz") as tar:
        for name in files:
            entry = tarfile.TarInfo(f"{folder}/{name}")
            text = b'"""What this is."""\n'
            entry.size, entry.mode = len(text), 0o644
            tar.addfile(entry, BytesIO(text))
