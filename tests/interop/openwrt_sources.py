"""What the package for OpenWrt is made of besides ours, from where everybody has it."""

import shutil
import sys
import tarfile
from hashlib import sha256
from pathlib import Path

from tests.interop.installs import COMPLETE, alone, cache, complete, install
from tests.packaging.openwrt_fakes.sdk import Sdk, Vendored


def downloaded(sdk: Sdk) -> None:
    """The real sources, each with the hash that the Makefile wants."""
    folder, kept = sdk.out / "dl", kept_sources(sdk.vendored())
    folder.mkdir(parents=True)
    for one in sdk.vendored():
        path = folder / f"{one.sources}.tar.gz"
        shutil.copy(kept / path.name, path)
        assert sha256(path.read_bytes()).hexdigest() == one.hash, one.name
        with tarfile.open(path) as tar:
            assert f"{one.sources}/{one.folder}/__init__.py" in tar.getnames(), one.name


def kept_sources(vendored: list[Vendored]) -> Path:
    """
    The same as they come, kept from one test to the next.

    @raise SkipTest: they cannot be had.
    """
    folder, names = cache() / "openwrt-sources", ",".join(one.name for one in vendored)
    wanted = "\n".join(f"{one.name}=={one.version}" for one in vendored)
    with alone(folder):
        if not complete(folder, wanted):
            shutil.rmtree(folder, ignore_errors=True)
            # Only these as sources: what builds them, as pip does to read their names, is not.
            get = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary"]
            install([*get, names, "-d", str(folder), *wanted.split()])
            (folder / COMPLETE).write_text(wanted)
    return folder
