"""Mosquitto's command line tools, its files, and the broker itself as a bridge."""

import os
import pwd
import socket
from contextlib import closing
from signal import SIGHUP

from tests.interop.children import until
from tests.interop.installs import mosquitto
from tests.interop.mosquitto_tools import (
    ACCOUNT,
    AS_DASH,
    PASSWORD,
    ToolCase,
    bridge_file,
    messages,
)
from tests.interop.server import HOST, environment
from tests.interop.shared import shared

#: A payload that no buffer takes as a whole.
LARGE = 256 * 1024

#: What the tools end with when the server refuses them: the code of CONNACK.
CREDENTIALS = 4

NOBODY: tuple[str, ...] = ()


class ToolTests(ToolCase):
    """
    The tools with an account.

    @ivar home: the first level of topics of this test, whose server others have, too.
    """

    def setUp(self) -> None:
        super().setUp()
        common = shared()
        self.addCleanup(common.check)
        self.name = str(common.number())
        self.home = f"tools{self.name}"
        self.server = common.server
        self.port = self.server.ports().mqtt

    def test_qualities(self) -> None:
        """What is said with QoS 0, 1 and 2 is heard with it."""
        heard = self.listener("-q", "2", "-t", f"{self.home}/+")
        for qos in "012":
            self.told(f"{self.home}/door", f"with {qos}", "-q", qos)
        expected = [f"{self.home}/door {qos} 0 with {qos}" for qos in "012"]
        self.assertEqual(heard.heard(3), expected)

    def test_large(self) -> None:
        """A quarter of a mebibyte goes through."""
        picture = "".join(chr(33 + number % 94) for number in range(LARGE))
        (self.folder / "picture").write_text(picture)
        heard = self.listener("-q", "2", "-t", f"{self.home}/picture")
        done = self.run_tool(
            "mosquitto_pub",
            *self.where(),
            *AS_DASH,
            "-t",
            f"{self.home}/picture",
            "-q",
            "2",
            "-f",
            "picture",
        )
        self.assertEqual((done.status, done.err), (0, ""))
        self.assertEqual(heard.heard(1), [f"{self.home}/picture 2 0 {picture}"])

    def test_many_lines(self) -> None:
        """A tool that publishes each line of its input, as fast as it can, loses none."""
        heard = self.listener("-q", "1", "-t", f"{self.home}/line")
        options = (
            "-h",
            HOST,
            "-p",
            str(self.port),
            *AS_DASH,
            "-t",
            f"{self.home}/line",
            "-q",
            "1",
            "-l",
        )
        child = self.session([mosquitto("mosquitto_pub"), *options], environment())
        for number in range(200):
            child.say(f"{number}")
        self.assertEqual(
            heard.heard(200), [f"{self.home}/line 1 0 {number}" for number in range(200)]
        )

    def test_retained(self) -> None:
        """The last word is kept, replaced and taken back."""
        heard = self.listener("-q", "1", "-t", f"{self.home}/+")
        self.told(f"{self.home}/door", "open", "-r", "-q", "1")
        self.told(f"{self.home}/door", "shut", "-r", "-q", "1")
        late = self.hear("-q", "1", "-t", f"{self.home}/#", "-C", "1")
        self.assertEqual(messages(late.out), [f"{self.home}/door 1 1 shut"])
        self.told(f"{self.home}/door", "", "-r", "-q", "1")
        self.told(f"{self.home}/window", "open", "-r", "-q", "1")
        late = self.hear("-q", "1", "-t", f"{self.home}/#", "-C", "1")
        self.assertEqual(messages(late.out), [f"{self.home}/window 1 1 open"])
        spoken = [f"{self.home}/door 1 0 {word}" for word in ("open", "shut", "")]
        self.assertEqual(heard.heard(4), [*spoken, f"{self.home}/window 1 0 open"])

    def test_remove_retained(self) -> None:
        """The tool that clears retained messages clears them."""
        for number in range(5):
            self.told(f"{self.home}/{number}", "kept", "-r", "-q", "1")
        clearing = self.listener("-t", f"{self.home}/#", "--remove-retained")
        clearing.child.wait_for("received PUBACK", 5)
        self.told(f"{self.home}/last", "kept", "-r", "-q", "1")
        late = self.hear("-t", f"{self.home}/#", "-C", "1")
        self.assertEqual(messages(late.out), [f"{self.home}/last 0 1 kept"])

    def test_will(self) -> None:
        """Who is killed has its will said; who stops in good order has none."""
        heard = self.listener("-t", f"{self.home}/will/+")
        for name in ("polite", "killed"):
            will = ("--will-topic", f"{self.home}/will/{name}", "--will-payload", "gone")
            leaving = self.listener("-t", f"{self.home}/door", *will).child
            # The tool says goodbye when it is told to end.
            leaving.terminate() if name == "polite" else leaving.kill()
            leaving.finish()
        self.assertEqual(heard.heard(1), [f"{self.home}/will/killed 0 0 gone"])

    def test_waiting(self) -> None:
        """What is said while a client is away waits for it."""
        own = ("-c", "-i", f"away{self.name}", "-q", "2", "-t", f"{self.home}/+")
        self.assertEqual(self.hear(*own, "-E").status, 0)
        for number in range(10):
            self.told(f"{self.home}/door", f"{number}", "-q", "2")
        self.told(f"{self.home}/door", "not kept for long", "-q", "0")
        back = self.hear(*own, "-C", "10")
        self.assertEqual(
            messages(back.out), [f"{self.home}/door 2 0 {number}" for number in range(10)]
        )

    def test_versions(self) -> None:
        """MQTT 3.1 and 3.1.1 are spoken; a tool that wants 5 is told that it is not."""
        heard = self.listener("-V", "mqttv31", "-t", f"{self.home}/+")
        self.told(f"{self.home}/door", "old", "-V", "mqttv31", "-q", "2")
        self.told(f"{self.home}/door", "usual", "-V", "mqttv311")
        self.assertEqual(
            heard.heard(2), [f"{self.home}/door 0 0 old", f"{self.home}/door 0 0 usual"]
        )
        new = self.tell(f"{self.home}/door", "new", "-V", "mqttv5")
        self.assertNotEqual(new.status, 0)
        self.assertIn("Unsupported Protocol Version", new.err)

    def test_passwords(self) -> None:
        """A wrong password and none are refused, and the tool understands why."""
        wrong = self.tell(f"{self.home}/door", "open", who=("-u", ACCOUNT, "-P", "battery staple"))
        self.assertEqual(wrong.status, CREDENTIALS)
        self.assertIn("bad user name or password", wrong.err)
        self.assertNotEqual(self.tell(f"{self.home}/door", "open", who=NOBODY).status, 0)

    def test_refused_filter(self) -> None:
        """What a service must not hear is refused; the tool says so."""
        refused = self.hear("-t", "iot/p2p/#", "-d")
        self.assertIn("denied", refused.out + refused.err)

    def test_tls(self) -> None:
        """Over TLS, with our certificate and name verified."""
        self.port = self.server.ports().mqtt_tls
        heard = self.listener("--cafile", str(self.server.ca), "-t", f"{self.home}/+")
        self.told(f"{self.home}/door", "open", "--cafile", str(self.server.ca), "-q", "1")
        self.assertEqual(heard.heard(1), [f"{self.home}/door 0 0 open"])


class PasswordFileTests(ToolCase):
    """The file that mosquitto_passwd writes."""

    def test_hashes(self) -> None:
        """Both kinds of hashes of the tool are understood."""
        self.account("older", "battery staple", "-H", "sha512")
        self.assertIn("older:$6$", self.accounts.read_text())
        self.port = self.serve(*self.options()).ports().mqtt
        self.told("home/door", "open", who=("-u", "older", "-P", "battery staple"))
        self.told("home/door", "open")
        wrong = self.tell("home/door", "open", who=("-u", "older", "-P", PASSWORD))
        self.assertEqual(wrong.status, CREDENTIALS)

    def test_reload(self) -> None:
        """After SIGHUP the file as it is now decides."""
        server = self.serve(*self.options())
        self.port = server.ports().mqtt
        self.told("home/door", "open")
        self.account(ACCOUNT, "changed")
        self.account("new", "battery staple")
        os.kill(server.child.pid, SIGHUP)
        changed = ("-u", ACCOUNT, "-P", "changed")
        until(lambda: self.tell("home/door", "open", who=changed).status == 0, "the new password")
        self.told("home/door", "open", who=("-u", "new", "-P", "battery staple"))
        self.assertEqual(self.tell("home/door", "open").status, CREDENTIALS)


class AccessFileTests(ToolCase):
    """Rules as mosquitto's acl_file has them."""

    RULES = f"""
# what everybody may hear
topic read weather/#

user {ACCOUNT}
topic readwrite home/#
topic deny home/secret
topic write weather/#
topic read $SYS/#

pattern readwrite clients/%c/%u
"""

    def setUp(self) -> None:
        super().setUp()
        self.account("guest", "battery staple")
        (self.folder / "access").write_text(self.RULES)

    def options(self) -> tuple[str, ...]:
        more = (
            "--set",
            f"mqtt.access={self.folder / 'access'}",
            "--set",
            "mqtt.figures_seconds=1",
        )
        return *super().options(), *more

    def test_rules(self) -> None:
        """Each hears and says what the rules let it."""
        self.port = self.serve(*self.options()).ports().mqtt
        heard = self.listener("-i", "phone", "-t", "home/#", "-t", "clients/phone/dash", "-t", "#")
        for topic in ("home/secret", "garden/door", "clients/other/dash", "clients/phone/guest"):
            self.told(topic, "never", "-i", "other", "-q", "1")
        self.told("clients/phone/dash", "own", "-i", "phone2", "-q", "1")
        self.told("clients/other/dash", "own of another", "-i", "other", "-q", "1")
        self.told("home/door", "open", "-q", "1")
        self.assertEqual(heard.heard(1)[0], "home/door 0 0 open")

    def test_others(self) -> None:
        """Who is not named hears what everybody may, and says nothing."""
        server = self.serve(*self.options(), anonymous=True)
        self.port = server.anonymous()
        anybody = self.listener("-q", "1", "-t", "weather/#", who=NOBODY)
        denied = self.hear("-d", "-t", "home/#", who=NOBODY)
        self.assertIn("denied", denied.out + denied.err)
        self.told("weather/rain", "forged", "-q", "1", who=NOBODY)
        self.port = server.ports().mqtt
        self.told("weather/rain", "a little", "-q", "1")
        self.assertEqual(anybody.heard(1), ["weather/rain 1 0 a little"])

    def test_figures(self) -> None:
        """Who may hear the server's figures does."""
        self.port = self.serve(*self.options()).ports().mqtt
        [figure] = messages(self.hear("-t", "$SYS/#", "-C", "1").out)
        self.assertTrue(figure.startswith("$SYS/"), figure)


class AnonymousTests(ToolCase):
    """A listener for clients without an account."""

    def setUp(self) -> None:
        super().setUp()
        self.server = self.serve(*self.options(), anonymous=True)
        self.port = self.server.anonymous()

    def test_household(self) -> None:
        """They hear and say what is the household's, and nothing of robots."""
        heard = self.listener("-q", "1", "-t", "#", who=NOBODY)
        for topic in ("iot/atr/onBattery/a/b/c/j", "p2p/a", "attr/a", "rsp/a", "$SYS/a"):
            self.told(topic, "forged", "-q", "1", who=NOBODY)
        self.told("home/door", "open", "-q", "1", who=NOBODY)
        self.assertEqual(heard.heard(1), ["home/door 1 0 open"])
        denied = self.hear("-d", "-t", "iot/atr/#", who=NOBODY)
        self.assertIn("denied", denied.out + denied.err)

    def test_wrong_password(self) -> None:
        """Who gives a password has to give the right one (mqtt.md 3.5)."""
        wrong = self.tell("home/door", "open", who=("-u", ACCOUNT, "-P", "battery staple"))
        self.assertEqual(wrong.status, CREDENTIALS)
        self.told("home/door", "open")

    def test_other_listeners(self) -> None:
        """At the other listeners an account is needed all the same."""
        self.port = self.server.ports().mqtt
        self.assertNotEqual(self.tell("home/door", "open", who=NOBODY).status, 0)


class BridgeTests(ToolCase):
    """A mosquitto that passes on what its own clients say, and what we say."""

    def test_both_ways(self) -> None:
        """Messages go up and down, those that wait as well."""
        server = self.serve(*self.options())
        self.port = server.ports().mqtt
        self.told("down/before", "kept", "-r", "-q", "1")
        up = self.listener("-q", "2", "-t", "up/#")
        own = self.bridge()
        self.port = own
        down = self.listener("-q", "2", "-t", "down/#", who=NOBODY)
        self.assertEqual([line.split()[0] for line in down.heard(1)], ["down/before"])
        for qos in "012":
            self.told("up/door", f"with {qos}", "-q", qos, who=NOBODY)
        self.assertEqual(up.heard(3), [f"up/door {qos} 0 with {qos}" for qos in "012"])
        self.port = server.ports().mqtt
        for qos in "012":
            self.told("down/door", f"with {qos}", "-q", qos)
        self.assertEqual(down.heard(4)[1:], [f"down/door {qos} 0 with {qos}" for qos in "012"])

    def bridge(self) -> int:
        """Start it; the port for its own clients."""
        with closing(socket.create_server((HOST, 0))) as free:
            port = int(free.getsockname()[1])
        user = pwd.getpwuid(os.getuid()).pw_name
        file = bridge_file(self.folder, port, self.port, user)
        # It writes to standard error, and we wait for lines of the other.
        argv = ["sh", "-c", f"exec {mosquitto('mosquitto')} -c {file} 2>&1"]
        self.session(argv, environment()).wait_for("running")
        return port
