"""Where the clients of other people are installed: once, in a folder that is kept."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.interop.case import clients_wanted, unavailable
from tests.interop.server import ROOT

HERE = Path(__file__).parent

#: The Pythons deebot-client runs with, the newest first.
PYTHONS = ("3.14", "3.13", "3.12")

#: Those that sucks runs with: what it needs of others knows no newer one.
OLD_PYTHONS = ("3.9", "3.8")

#: These, and C{slixmpp}, are the same as in the extra C{interop} of setup.py.
MQTT_CLIENTS = ("paho-mqtt>=2", "amqtt>=0.11.4", "gmqtt>=0.7")

#: The release that everybody has.
SUCKS = "sucks==0.9.6"

#: It brings an environment of its own with all that it needs.
SCHEMATHESIS = "schemathesis>=4.1,<5"

#: Says that an installation came to its end, and what was wanted of it.
COMPLETE = "complete"

#: Seconds for a download.
INSTALL_SECONDS = 600

#: C{ecovacs-deebot} needs none of the optional packages and none of the install scripts.
NPM_OPTIONS = ("--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund")


def cache() -> Path:
    """The folder that is kept."""
    chosen = os.environ.get("BUMPER_INTEROP_CACHE")
    return Path(chosen) if chosen else ROOT / ".tox" / "interop-clients"


def deebot_python() -> Path:
    """
    An interpreter that can import C{deebot_client}.

    @raise SkipTest: there is none, nor can there be.
    """
    clients_wanted()
    return environment("deebot-client", lambda: interpreter("deebot-client"), "deebot-client")


def mqtt_python() -> Path:
    """
    An interpreter that can import C{paho}, C{amqtt} and C{gmqtt}.

    @raise SkipTest: they cannot be had.
    """
    clients_wanted()
    return environment("mqtt-clients", lambda: Path(sys.executable), *MQTT_CLIENTS)


def slixmpp_python() -> Path:
    """
    An interpreter that can import C{slixmpp}.

    @raise SkipTest: it cannot be had.
    """
    clients_wanted()
    return environment("slixmpp", lambda: Path(sys.executable), "slixmpp>=1.8")


def sucks_python() -> Path:
    """
    An interpreter that can import C{sucks}.

    @raise SkipTest: there is none, nor can there be.
    """
    clients_wanted()
    return environment("sucks", lambda: interpreter("sucks", OLD_PYTHONS), SUCKS)


def schemathesis() -> Path:
    """
    The program that asks whatever an OpenAPI document describes.

    @raise SkipTest: it cannot be had.
    """
    clients_wanted()
    python = environment("schemathesis", lambda: Path(sys.executable), SCHEMATHESIS)
    return python.with_name("schemathesis")


def environment(name: str, base: Callable[[], Path], *packages: str) -> Path:
    """
    The Python of an environment that has some packages; made if there is none.

    @param base: gives the interpreter to make it with; only asked then.
    @raise SkipTest: it cannot be made.
    """
    folder, wanted = cache() / name, "\n".join(packages)
    python = folder / "bin" / "python"
    with alone(folder):
        if not complete(folder, wanted):
            install([str(base()), "-m", "venv", "--clear", str(folder)])
            install([str(python), "-m", "pip", "install", "--quiet", *packages])
            (folder / COMPLETE).write_text(wanted)
    return python


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Several processes run tests; one of them fills a folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def complete(folder: Path, wanted: str) -> bool:
    """Whether a folder has been filled, and with what is wanted today."""
    mark = folder / COMPLETE
    return mark.exists() and mark.read_text() == wanted


def interpreter(client: str, versions: tuple[str, ...] = PYTHONS) -> Path:
    """
    A Python that a client can run with.

    @raise SkipTest: there is none.
    """
    for candidate in candidates(versions):
        if works(candidate):
            return candidate
    return unavailable(f"{client} needs one of Python {', '.join(versions)}: none found")


def candidates(versions: tuple[str, ...]) -> Iterator[Path]:
    """Pythons by their names on the path, and those that pyenv has built."""
    for version in versions:
        found = shutil.which(f"python{version}")
        if found:
            yield Path(found)
        built = Path.home() / ".pyenv" / "versions"
        names = sorted(built.glob(f"{version}.*/bin/python"), key=numbers, reverse=True)
        yield from names


def numbers(path: Path) -> list[int]:
    """For sorting: 3.13.10 comes after 3.13.9."""
    return [int(number) for number in re.findall(r"\d+", path.parts[-3])]


def works(python: Path) -> bool:
    """Whether it is more than a name: shims of pyenv stand for versions that are not chosen."""
    asked = [str(python), "-c", "import ensurepip, ssl, venv"]
    return subprocess.run(asked, capture_output=True, check=False, env=own()).returncode == 0


def own() -> dict[str, str]:
    """
    The environment of other interpreters.

    A test that runs beside others is told by C{PYTHONPATH} where its packages are, which are not
    for them.
    """
    return {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}


def node_modules() -> Path:
    """
    The folder with C{ecovacs-deebot} and C{mqtt}, and what they need.

    @raise SkipTest: it cannot be had.
    """
    clients_wanted()
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            unavailable(f"ecovacs-deebot and MQTT.js need {program}: not found")
    folder, wanted = cache() / "ecovacs-deebot", (HERE / "package.json").read_text()
    with alone(folder):
        if not complete(folder, wanted):
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(HERE / "package.json", folder)
            install(["npm", "install", "--prefix", str(folder), *NPM_OPTIONS])
            (folder / COMPLETE).write_text(wanted)
    return folder / "node_modules"


def mosquitto(program: str) -> str:
    """
    One of the programs of mosquitto, which a distribution's packages bring.

    @raise SkipTest: it is not installed.
    """
    clients_wanted()
    # Daemons are not on everybody's path.
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    return found or unavailable(f"{program} is not installed")


def install(argv: list[str]) -> None:
    """
    Run one step of an installation.

    @raise SkipTest: it fails, as it does without a network.
    """
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False, env=own()
        )
    except subprocess.TimeoutExpired:
        unavailable(f"{' '.join(argv)} took more than {INSTALL_SECONDS} s")
    if done.returncode:
        unavailable(f"{' '.join(argv)} failed: {done.stderr[-500:]}")
