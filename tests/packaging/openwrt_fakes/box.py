"""A router in a folder: our files where the package puts them, and fakes of what is around."""

import os
import py_compile
import re
import shutil
import subprocess
import sys
from pathlib import Path

from attrs import frozen
from twisted.trial.unittest import SkipTest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PACKAGE = ROOT / "packaging" / "openwrt" / "bumper"
FILES = PACKAGE / "files"

#: What OpenWrt's busybox does for our scripts.
APPLETS = (
    "awk", "cat", "chmod", "grep", "ls", "mkdir", "mv", "rm", "sed", "sh", "sort", "touch", "tr",
)  # fmt: skip

#: Folders of a router that our scripts name.
PLACES = (
    "/usr/lib/bumper", "/usr/bin/bumper", "/var/etc", "/etc/bumper", "/etc/init.d",
    "/proc/sys/net/ipv4",
)  # fmt: skip

#: Where the kernel says from which port on everybody may listen.
FREE_PORTS = "proc/sys/net/ipv4/ip_unprivileged_port_start"

#: Seconds for one call.
PATIENCE = 60.0

DHCP = "config dnsmasq\n\toption domainneeded '1'\n\tlist server '/corp.example/10.0.0.53'\n"
NETWORK = "config interface 'lan'\n\toption proto 'static'\n\toption ipaddr '192.168.1.1/24'\n"
UHTTPD = """config uhttpd main
\tlist listen_http\t0.0.0.0:80
\tlist listen_http\t[::]:80
\tlist listen_https\t0.0.0.0:443
\tlist listen_https\t[::]:443
\toption home\t\t/www
"""


@frozen
class Done:
    """How a call ended."""

    status: int
    out: str
    log: str
    record: tuple[tuple[str, ...], ...]

    def params(self, name: str) -> list[tuple[str, ...]]:
        """What C{procd_set_param} was called with under this name."""
        return [call[2:] for call in self.record if call[:2] == ("procd_set_param", name)]

    def calls(self, name: str) -> list[tuple[str, ...]]:
        """What a function of procd was called with."""
        return [call[1:] for call in self.record if call[0] == name]


def busybox() -> str:
    """
    Where it is.

    @raise SkipTest: nowhere.
    """
    path = shutil.which("busybox")
    if path is None:
        raise SkipTest("NOT TESTED: busybox is not installed")
    return path


def brought() -> list[str]:
    """Where Python finds us and what is not its own; another one may run what is on the router."""
    return [str(ROOT), *(path for path in sys.path if "site-packages" in path)]


class Box:
    """
    One router.

    @ivar top: the folder that stands for its root.
    """

    def __init__(self, top: Path, owner: str = "", python: str = sys.executable) -> None:
        """
        @param owner: a user of this machine, who then really owns what is the server's.
        @param python: what he can run.
        """
        self.top, self._busybox = top, busybox()
        self._owner, self._python = owner, python
        for folder in ("bin", "etc/config", "etc/init.d", "etc/uci-defaults", "usr/lib/bumper"):
            (top / folder).mkdir(parents=True)
        (top / FREE_PORTS).parent.mkdir(parents=True)
        (top / FREE_PORTS).write_text("1024\n")
        for applet in APPLETS:
            (top / "bin" / applet).symlink_to(self._busybox)
        # Imported, so that it is compiled once.
        code = f"import sys; sys.path.append('{HERE}'); import uci; uci.run()"
        self._fake("uci", f'exec "{sys.executable}" -I -S -c "{code}" "$@"')
        self._fake("logger", f'printf "%s\\n" "$*" >>"{top}/log"')
        really = f'; exec "{shutil.which("chown")}" "$@"' if owner else ""
        self._fake("chown", f'printf "%s\\n" "$*" >>"{top}/owned"{really}')
        for service in ("dnsmasq", "uhttpd"):
            path = top / "etc" / "init.d" / service
            path.write_text(f'#!/bin/sh\necho "{service} $1" >>"{top}/services"\n')
            path.chmod(0o755)
        self.config("dhcp", DHCP)
        self.config("network", NETWORK)
        self.config("uhttpd", UHTTPD)
        for name, place in (
            ("bumper.config", "etc/config/bumper"),
            ("settings.sh", "usr/lib/bumper/settings.sh"),
            ("names.sh", "usr/lib/bumper/names.sh"),
            ("luci.sh", "usr/lib/bumper/luci.sh"),
            ("bumper.init", "etc/init.d/bumper"),
            ("bumper.defaults", "etc/uci-defaults/50-bumper"),
        ):
            (top / place).write_text(self.moved((FILES / name).read_text()))
        self._fake("python3", f'printf "%s\\n" "$*" >>"{top}/python"')
        self._start_file()

    def _fake(self, name: str, body: str) -> None:
        path = self.top / "bin" / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def _start_file(self) -> None:
        # The source does as well as what is compiled of it.
        text = (FILES / "bumper_start.py").read_text()
        if not self._owner:
            # Whoever is root stays that, where there is no user of ours.
            text = text.replace('OWNER = "bumper"', 'OWNER = "root"')
        path = self.top / "usr" / "lib" / "bumper" / "bumper_start.pyc"
        source = self.top / "bumper_start.py"
        source.write_text(self.moved(text))
        py_compile.compile(str(source), str(path), doraise=True)

    def moved(self, text: str) -> str:
        """A script of ours that finds its folders below L{top}."""
        text = re.sub("|".join(PLACES), lambda place: f"{self.top}{place[0]}", text)
        if self._owner:
            text = text.replace("OWNER=bumper", f"OWNER={self._owner}")
            text = text.replace('OWNER = "bumper"', f'OWNER = "{self._owner}"')
        return text.replace("/usr/bin/python3", self._python)

    def config(self, name: str, text: str) -> None:
        """Write one of the files in /etc/config."""
        (self.top / "etc" / "config" / name).write_text(text)

    def uci(self, *words: str) -> str:
        """What the owner does by hand."""
        return self.shell('uci "$@"', *words).out

    def read(self, path: str) -> str:
        """A file, which may not be there."""
        file = self.top / path
        return file.read_text() if file.exists() else ""

    def init(self, action: str) -> Done:
        """Call our init script."""
        return self.shell('. "$FAKES/rc.common"', str(self.top / "etc/init.d/bumper"), action)

    def defaults(self) -> Done:
        """What happens once, after the installation; C{python} says what Python is asked for."""
        path = self.top / "etc/uci-defaults/50-bumper"
        path.write_text(path.read_text().replace(self._python, f"{self.top}/bin/python3"))
        return self.shell(f'( . "{path}" )')

    def shell(self, script: str, *words: str) -> Done:
        """Run something with busybox's shell."""
        (self.top / "record").write_text("")
        (self.top / "log").write_text("")
        done = subprocess.run(
            [self._busybox, "ash", "-c", script, "ash", *words],
            cwd=self.top,
            env={
                "PATH": str(self.top / "bin"),
                "FAKES": str(HERE),
                "UCI_FOLDER": str(self.top / "etc" / "config"),
                "RECORD": str(self.top / "record"),
                "BOX": str(self.top),
                "PYTHONPATH": os.pathsep.join(brought()),
            },
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        out = (done.stdout + done.stderr).decode("utf-8", "replace")
        record = (self.top / "record").read_bytes().decode("utf-8", "surrogateescape")
        calls = [tuple(call.split("\x1f")[:-1]) for call in record.split("\x1e")[:-1]]
        return Done(done.returncode, out, self.read("log"), tuple(calls))
