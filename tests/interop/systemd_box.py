"""A small machine of its own with systemd as its first process, in which our units run."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import attr

from tests.interop.case import clients_wanted, unavailable
from tests.interop.children import Child, until
from tests.interop.chroots import tree
from tests.interop.server import ROOT

#: The folder of a Debian with these packages, where there is one already; it is not changed.
CHROOT = "BUMPER_CHROOT"
PACKAGES = ("procps", "python3", "systemd", "systemd-sysv")

UNITS = ROOT / "packaging" / "systemd"

#: The settings that the package installs.
OWNERS = ROOT / "packaging" / "debian" / "bumper.toml"

#: Where units of whoever looks after a box are.
PLACE = "/etc/systemd/system"

#: Seconds until its first process is up.
BOOT_SECONDS = 30.0

STARTER = """#!/usr/bin/python3
import sys
sys.path[:0] = ["/opt/bumper", "/opt/packages"]
from bumper_tw.app.cli import main
main()
"""

#: Of what is run in it by us.
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SYSTEMD_PAGER": "", "LANG": "C.UTF-8"}

USER = 'u bumper - "Bumper" /var/lib/bumper\n'


def chroot() -> Path:
    """
    Where the system of the box is.

    @raise SkipTest: there is none, and it cannot be made, or nobody may boot it.
    """
    clients_wanted()
    if os.getuid() != 0 or shutil.which("systemd-nspawn") is None:
        unavailable("a box with systemd needs root, and systemd-nspawn (systemd-container)")
    named = os.environ.get(CHROOT, "")
    folder = Path(named) if named else tree(PACKAGES)
    if not (folder / "lib/systemd/systemd").exists():
        unavailable(f"there is no systemd in {folder}")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if not (folder / "usr/bin" / version).exists():
        unavailable(f"the Debian in {folder} has no {version}, whose packages we have")
    return folder


class Box:
    """
    The machine.  Its disk is the folder, and what is written is forgotten.

    @ivar own: files of the test, by where they are in the box.
    """

    def __init__(self, folder: Path, own: dict[str, str]) -> None:
        self._folder, system = folder, chroot()
        self._started: list[Child] = []
        given = [f"--bind-ro={UNITS / unit}:{PLACE}/{unit}" for unit in units()]
        given += [f"--bind-ro={ROOT}:/opt/bumper"]
        given += [f"--bind-ro={Path(attr.__file__).parents[1]}:/opt/packages"]
        own = {"/usr/bin/bumper": STARTER, "/etc/sysusers.d/bumper.conf": USER, **own}
        given += [f"--bind-ro={self._file(text)}:{place}" for place, text in own.items()]
        self.child = Child(
            [
                "systemd-nspawn",
                *("--directory", str(system), "--volatile=overlay", "--machine=bumper-test"),
                *("--register=no", "--keep-unit", "--private-network", "--link-journal=no"),
                *("--quiet", *given, "--boot", "systemd.show_status=false"),
            ],
            folder,
            {"PATH": os.environ["PATH"]},
        )
        until(lambda: self._first() != 0, "the box has a first process", BOOT_SECONDS)
        self._pid = self._first()
        until(self._is_up, f"the box is up\n{self.child.story()}", BOOT_SECONDS)

    def _file(self, text: str) -> Path:
        made = self._folder / f"file-{len(list(self._folder.iterdir()))}"
        made.write_text(text)
        made.chmod(0o755)
        return made

    def _first(self) -> int:
        """The number of its first process, out here."""
        for child in children(self.child.pid):
            if _name(child) == "systemd":
                return child
        return 0

    def _is_up(self) -> bool:
        return self.run("systemctl", "is-system-running").strip() in {"running", "degraded"}

    def run(self, *argv: str, seconds: float = 30.0) -> str:
        """What a program in the box prints, whatever it thinks of it."""
        done = subprocess.run(
            self._inside(argv),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            env=ENVIRONMENT,
        )
        return done.stdout + done.stderr

    def start(self, *argv: str) -> Child:
        """A program in the box that goes on, at the most until the box ends."""
        child = Child(self._inside(argv), self._folder, ENVIRONMENT)
        self._started.append(child)
        return child

    def _inside(self, argv: Sequence[str]) -> list[str]:
        return ["nsenter", "--all", "--target", str(self._pid), "--", *argv]

    def show(self, unit: str, *names: str) -> list[str]:
        """Properties of a unit."""
        wanted = [f"--property={name}" for name in names]
        lines = self.run("systemctl", "show", unit, *wanted).splitlines()
        values = dict(line.split("=", 1) for line in lines if "=" in line)
        return [values.get(name, "") for name in names]

    def journal(self, unit: str) -> str:
        """What a unit has said."""
        return self.run("journalctl", "--no-pager", "--output=cat", f"--unit={unit}")

    def close(self) -> None:
        """Pull the plug."""
        if self.child.running:
            os.kill(self._first() or self.child.pid, 9)
        # What killed their parents has not ended them; their first process has.
        for child in (*self._started, self.child):
            child.finish()


def units() -> list[str]:
    """The names of our units."""
    return sorted(each.name for each in UNITS.iterdir() if each.suffix in {".service", ".socket"})


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in listed.split()]


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
