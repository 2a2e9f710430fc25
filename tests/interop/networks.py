"""Networks of their own, made of the kernel's namespaces: nothing of them leaves this machine."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.interop.case import unavailable
from tests.interop.children import Child
from tests.interop.server import own_environment


def namespaces_wanted() -> None:
    """
    Namespaces need root and two programs.

    @raise SkipTest: something of that is missing.
    """
    for program in ("unshare", "nsenter", "ip"):
        if shutil.which(program) is None:
            unavailable(f"networks of our own: there is no {program}")
    if os.geteuid() != 0:
        unavailable("networks of our own: only root makes them")
    made = subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False)
    if made.returncode != 0:
        unavailable("networks of our own: the kernel does not allow them here")


class Computer:
    """A computer as far as its network goes; it shares the disk with this one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        up = "ip link set lo up && echo ready && exec cat"
        self._holder = Child(["unshare", "-n", "sh", "-c", up], folder)
        self._holder.wait_for("ready")

    def off(self) -> None:
        """Switch it off; nothing of its network is left."""
        if self._holder.running:
            self._holder.terminate()
        self._holder.finish()

    @property
    def pid(self) -> int:
        """The process that its network belongs to."""
        return self._holder.pid

    def words(self, *argv: str) -> list[str]:
        """What to run so that it runs there."""
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", *argv]

    def start(self, *argv: str, environ: Mapping[str, str] | None = None) -> Child:
        """Run something there that goes on."""
        return Child(self.words(*argv), self._folder, environ or own_environment())

    def run(self, *argv: str) -> "subprocess.CompletedProcess[str]":
        """Run something there until it ends."""
        return subprocess.run(
            self.words(*argv),
            cwd=self._folder,
            env=own_environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def address(self, interface: str, *addresses: str) -> None:
        """Give an interface addresses, with the lengths of their networks."""
        for each in addresses:
            _must(self.words("ip", "address", "add", each, "dev", interface))
        _must(self.words("ip", "link", "set", interface, "up"))


def cable(one: Computer, interface: str, other: Computer, there: str = "eth0") -> None:
    """Connect two computers."""
    ends = ["netns", str(one.pid), "type", "veth", "peer", "name", there, "netns", str(other.pid)]
    _must(["ip", "link", "add", interface, *ends])


def _must(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (argv, done.stderr)
