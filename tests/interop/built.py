"""The Debian package, as the first stage of the image makes it: once for all who want it."""

import shutil
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.interop.chroots import Chroot, sources, tree, wheels
from tests.interop.dockerfile import Build, read
from tests.interop.installs import COMPLETE, alone, cache, complete
from tests.interop.server import ROOT

DOCKERFILE = ROOT / "packaging" / "container" / "Dockerfile"

#: Where the first stage puts what it has made.
OUT = "/out"


def built() -> Path:
    """
    The folder with the package of the tree as it is now.

    @raise SkipTest: it cannot be made here.
    """
    folder = cache() / "debian-package"
    with TemporaryDirectory(prefix="bumper") as name, alone(folder):
        context = sources(Path(name) / "context")
        wanted = digest(context)
        if not complete(folder, wanted):
            shutil.rmtree(folder, ignore_errors=True)
            make(context, Path(name), folder)
            (folder / COMPLETE).write_text(wanted)
    return folder


def package() -> Path:
    """The package itself."""
    [made] = built().glob("*.deb")
    return made


def take(source: str, target: Path) -> None:
    """Copy out of that stage, of which nothing else is left."""
    assert source.rstrip("/") == OUT, source
    shutil.copytree(built(), target, ignore=shutil.ignore_patterns(COMPLETE))


def make(context: Path, place: Path, folder: Path) -> None:
    """Do what the Dockerfile says; what apt and pip would fetch is there already."""
    stage, _ = read(DOCKERFILE)
    debian = Chroot(place / "first", tree(packages=stage.install()))
    try:
        debian.put(wheels(), "/wheels")
        offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}
        Build(debian, context, {}, place, offline).make(stage)
        debian.take(OUT, folder)
    finally:
        debian.off()


def digest(folder: Path) -> str:
    """Something that is different for other files."""
    found = sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        mode = path.stat().st_mode
        found.update(f"{path.relative_to(folder)} {mode:o} {path.stat().st_size}\n".encode())
        found.update(path.read_bytes())
    return found.hexdigest()
