"""C{mosquitto_pub}, C{mosquitto_sub} and C{mosquitto_passwd}, as people use them in scripts."""

import re
import subprocess
from pathlib import Path

from attrs import frozen

from tests.interop.case import ANSWER_SECONDS, InteropCase
from tests.interop.children import Child
from tests.interop.installs import mosquitto
from tests.interop.server import HOST, environment

#: An account in the password file.
ACCOUNT, PASSWORD = "dash", "correct horse"

AS_DASH = ("-u", ACCOUNT, "-P", PASSWORD)

#: How a message is told: topic, QoS, whether it was retained, payload.
FORMAT = "heard %t %q %r %p"


@frozen
class Ended:
    """What a program has left."""

    status: int
    out: str
    err: str


@frozen
class Listener:
    """A C{mosquitto_sub} that goes on."""

    child: Child

    def heard(self, count: int) -> list[str]:
        """Its first messages, once there were so many."""
        return [match[1] for match in self.child.wait_for("^heard (.*)", count)]


class ToolCase(InteropCase):
    """
    The tools, and accounts in a password file made with them.

    @ivar port: where they go.
    @ivar accounts: the password file.
    """

    port: int

    def setUp(self) -> None:
        super().setUp()
        for program in ("mosquitto_pub", "mosquitto_sub", "mosquitto_passwd"):
            mosquitto(program)
        self.accounts = self.folder / "accounts"
        self.accounts.touch(0o600)
        self.account(ACCOUNT, PASSWORD)

    def account(self, name: str, password: str, *how: str) -> None:
        """Add somebody to the password file, or give somebody a new password."""
        done = self.run_tool("mosquitto_passwd", *how, "-b", str(self.accounts), name, password)
        self.assertEqual(done.status, 0, done.err)

    def options(self) -> tuple[str, ...]:
        """What a server needs to know of the accounts."""
        return "--set", f"mqtt.passwords={self.accounts}"

    def run_tool(self, program: str, *options: str) -> Ended:
        """Run a tool to its end."""
        done = subprocess.run(
            [mosquitto(program), *options],
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=ANSWER_SECONDS,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def where(self) -> tuple[str, ...]:
        """Options that say where the server is."""
        return "-h", HOST, "-p", str(self.port)

    def tell(self, topic: str, text: str, *options: str, who: tuple[str, ...] = AS_DASH) -> Ended:
        """Publish something; an empty text is no payload."""
        message = ("-m", text) if text else ("-n",)
        return self.run_tool("mosquitto_pub", *self.where(), *who, "-t", topic, *message, *options)

    def told(self, topic: str, text: str, *options: str, who: tuple[str, ...] = AS_DASH) -> None:
        """Publish something, which has to work."""
        done = self.tell(topic, text, *options, who=who)
        self.assertEqual((done.status, done.err), (0, ""))

    def hear(self, *options: str, who: tuple[str, ...] = AS_DASH) -> Ended:
        """Listen until the tool ends by itself."""
        form = ("-F", FORMAT)
        return self.run_tool("mosquitto_sub", *self.where(), *who, *form, *options)

    def listener(self, *options: str, who: tuple[str, ...] = AS_DASH) -> Listener:
        """Listen, once the subscriptions are granted."""
        form = ("-d", "-F", FORMAT)
        # Into a pipe the tool writes page by page, unless told otherwise.
        tool = ["stdbuf", "-oL", mosquitto("mosquitto_sub")]
        argv = [*tool, *self.where(), *who, *form, *options]
        child = self.session(argv, environment())
        child.wait_for(r"^Subscribed \(mid")
        return Listener(child)


def messages(text: str) -> list[str]:
    """The messages in what C{mosquitto_sub} has printed."""
    return re.findall("^heard (.*)", text, re.MULTILINE)


def bridge_file(folder: Path, port: int, remote: int, user: str) -> Path:
    """Settings of a mosquitto that is a bridge between its own clients and a server."""
    file = folder / "bridge.conf"
    file.write_text(f"""
user {user}
listener {port} {HOST}
allow_anonymous true
persistence false
connection household
address {HOST}:{remote}
remote_username {ACCOUNT}
remote_password {PASSWORD}
restart_timeout 1
topic up/# out 2
topic down/# in 2
""")
    return file
