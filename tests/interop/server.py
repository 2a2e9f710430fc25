"""The server and robots, each a process of its own, as their owner would start them."""

import os
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from signal import SIGTERM

from attrs import astuple, frozen

from bumper_tw.pki import files, pem
from bumper_tw.pki.authority import new_key
from bumper_tw.simulator.identity import Identity, Kind, identities, xmpp_identities
from tests.interop.children import Child

HOST = "127.0.0.1"

#: The folder with our packages and with the drop-in of twistd.
ROOT = Path(__file__).parents[2]

#: One listener of each sort, on whatever port is free.
LISTENERS = ("web", "web:tls", "mqtt", "mqtt:tls", "xmpp")

#: Seconds the server may take to stop.
STOP_SECONDS = 5.0

#: Beginnings of variables that no process gets from us.
FOREIGN = ("BUMPER_", "PYTHON", "NODE_")

ACCEPTING = r"accepting connections at \S+:(\d+)"


@frozen
class Ports:
    """Where the listeners are."""

    web: int
    web_tls: int
    mqtt: int
    mqtt_tls: int
    xmpp: int

    def again(self) -> dict[str, int]:
        """The same for another start."""
        return dict(zip(LISTENERS, astuple(self), strict=True))


def environment(**more: str) -> dict[str, str]:
    """Our own environment without what would change the server, or the clients' imports."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return {**kept, "PYTHONUNBUFFERED": "1", **more}


def own_environment() -> dict[str, str]:
    """The same for what is written by us: it runs from this tree."""
    return environment(PYTHONPATH=str(ROOT))


def listen_option(ports: Mapping[str, int]) -> str:
    """
    What C{--listen} gets.

    @param ports: by the name of the listener; any free one for those that are missing.
    """
    return ",".join(
        f"{serve}:tcp:{ports.get(name, 0)}:interface={HOST}{':tls' if tls else ''}"
        for name in LISTENERS
        for serve, _, tls in [name.partition(":")]
    )


def listen_file(folder: Path) -> Path:
    """A settings file with the same listeners, and one that lets anybody in behind them."""
    tables = [
        f'[[listen]]\nserve = "{serve}"\nat = "tcp:0:interface={HOST}"\n{more}\n'
        for name in LISTENERS
        for serve, _, tls in [name.partition(":")]
        for more in ["tls = true" if tls else ""]
    ]
    file = folder / "bumper.toml"
    file.write_text("\n".join([*tables, tables[2] + "anonymous = true\n"]))
    return file


@cache
def keys() -> Mapping[str, bytes]:
    """Keys that servers would make for themselves, which takes longer than all else at a start."""
    return {name: pem.key_text(new_key()) for name in ("bumper.key", "config.key")}


def spare_keys(certs: Path) -> None:
    """Let a server begin with these; its authority is its own all the same."""
    if not certs.exists():
        for name, held in keys().items():
            files.write(certs / name, held, files.PRIVATE)


class Server:
    """
    C{twistd bumper}, in the foreground.

    @ivar folder: where it runs; its data and certificates are below.
    @ivar child: its process.
    """

    def __init__(
        self,
        folder: Path,
        *options: str,
        ports: Mapping[str, int] | None = None,
        daemon: tuple[str, ...] = (),
        anonymous: bool = False,
    ) -> None:
        """
        @param options: for the server, besides where everything is.
        @param daemon: options of twistd itself.
        @param anonymous: whether there is a listener for clients without an account; then all
            are on free ports.
        """
        listeners = ["--listen", listen_option(ports or {})]
        if anonymous:
            listeners = ["--config", str(listen_file(folder))]
        self.folder, self.data, self.certs = folder, folder / "data", folder / "certs"
        spare_keys(self.certs)
        self.child = Child(
            [
                sys.executable,
                "-c",
                "from twisted.scripts.twistd import run; run()",
                *("-n", "--pidfile=", *daemon),
                "bumper",
                *(*listeners, "--announce", HOST),
                *("--data", str(self.data), "--certs", str(self.certs)),
                *options,
            ],
            folder,
            own_environment(),
        )

    @property
    def ca(self) -> Path:
        """The certificate that everybody has to trust."""
        return self.certs / "ca.crt"

    def ports(self) -> Ports:
        """
        Wait until it accepts connections.

        @raise AssertionError: it does not start.
        """
        bound = self.child.wait_for(ACCEPTING, len(LISTENERS))
        return Ports(*(int(match[1]) for match in bound[: len(LISTENERS)]))

    def anonymous(self) -> int:
        """The port of the listener for clients without an account."""
        return int(self.child.wait_for(ACCEPTING, len(LISTENERS) + 1)[-1][1])

    def stop(self) -> int:
        """
        End it politely.

        @return: its exit status.
        @raise AssertionError: it takes too long.
        """
        if self.child.running:
            os.kill(self.child.pid, SIGTERM)
        return self.child.finish(STOP_SECONDS)


@frozen
class Fleet:
    """Simulated robots in one process."""

    child: Child
    json: tuple[Identity, ...]
    xml: tuple[Identity, ...]
    xmpp: tuple[Identity, ...]

    def ready(self) -> None:
        """Wait until each has its subscription, or its session."""
        self.child.wait_for("is ready", len(self.json) + len(self.xml) + len(self.xmpp))

    def stop(self) -> None:
        """Take them away; the server sees their connections end."""
        if self.child.running:
            self.child.terminate()
        self.child.finish()


def fleet(
    folder: Path,
    port: int,
    json: int = 1,
    xml: int = 1,
    speed: float = 4,
    tls: bool = False,
    xmpp: int = 0,
) -> Fleet:
    """
    Start robots.

    @param port: the listener for MQTT, or that for XMPP if these are XMPP robots.
    @param speed: how many times faster than the real ones they work.
    """
    counts = ["--json", str(json), "--xml", str(xml), "--xmpp", str(xmpp), "--speed", str(speed)]
    where = ["--host", HOST, "--port", str(port), "--xmpp-port", str(port)]
    argv = [sys.executable, "-m", "bumper_tw.simulator", *where, *counts]
    child = Child([*argv, "--tls" if tls else "--plain"], folder, own_environment())
    robots = identities(json, Kind.JSON), identities(xml, Kind.XML), xmpp_identities(xmpp)
    return Fleet(child, *map(tuple, robots))
