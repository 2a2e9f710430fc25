"""What procd, dnsmasq and LuCI's web server are told on OpenWrt, under busybox's shell."""

import re
import shutil
import subprocess

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from bumper_tw.app.dns_snippets import openwrt_lines
from bumper_tw.app.settings import Listen
from bumper_tw.pki.zones import ZONES
from tests.packaging.openwrt_fakes.box import DHCP, FILES, UHTTPD, busybox
from tests.packaging.openwrt_fakes.case import (
    MAIN,
    OpenWrtCase,
    all_settings,
    kind_of,
    named,
)

#: The scripts, all of which busybox's shell runs.
SCRIPTS = (
    "settings.sh", "names.sh", "luci.sh", "bumper.init", "bumper.defaults", "bumper.sh",
)  # fmt: skip


class ServiceTests(OpenWrtCase):
    """What procd is told."""

    def test_start(self) -> None:
        """One instance, as its own user, with bounds, whose words go to the log."""
        done = self.box.init("start")
        (command,) = done.params("command")
        settings = str(self.box.top / "var/etc/bumper.toml")
        words = ["serve", "--nodaemon", "--pidfile=", "--umask=077"]
        self.assertTrue(set(words) < set(command), command)
        self.assertEqual([done.params("user"), done.params("group")], [[("bumper",)]] * 2)
        self.assertEqual(command[-3:], ("bumper", "--config", settings))
        self.assertEqual(done.params("respawn"), [("3600", "10", "0")])
        self.assertEqual(done.params("file"), [("/etc/config/bumper",)])
        self.assertEqual([done.params("stdout"), done.params("stderr")], [[("1",)], [("1",)]])
        self.assertEqual(done.params("no_new_privs"), [("1",)])
        self.assertIn("nofile=4096 4096", done.params("limits")[0])
        self.assertEqual(done.calls("procd_add_reload_trigger"), [("bumper", "network")])
        self.assertEqual(self.mode("var/etc/bumper.toml"), 0o640)
        self.assertEqual(
            [self.mode(f"etc/bumper{name}") for name in ("", "/data", "/certs")],
            [0o755, 0o700, 0o700],
        )
        folder = self.box.top / "etc/bumper"
        self.assertEqual(
            self.box.read("owned").splitlines(),
            [
                f"root:bumper {settings}",
                f"-h bumper:bumper {folder}/data",
                f"-h bumper:bumper {folder}/certs",
            ],
        )

    def test_off(self) -> None:
        """Nothing starts when it is off, which is no mistake, or when that is neither 0 nor 1."""
        self.box.config("bumper", "config bumper 'main'\n\toption enabled '0'\n")
        done = self.box.init("start")
        self.assertEqual((done.status, done.params("command")), (0, []))
        self.box.config("bumper", "config bumper 'main'\n\toption enabled 'perhaps'\n")
        done = self.box.init("start")
        self.assertEqual(done.params("command"), [])
        self.assertIn("are 0 or 1", done.log)

    def test_validation(self) -> None:
        """procd gets the kind of every option of every section."""
        told = {}
        for _, section, *types in self.box.init("start").calls("uci_validate_section"):
            told[section] = dict(one.split(":")[:2] for one in types)
        for setting in all_settings():
            section, _, name = setting.key.partition(".")
            kind = {"FLAGS": "bool", "NUMBERS": "ufloat", "TEXTS": "string"}
            self.assertEqual(told[section][name], kind.get(kind_of(setting), "list(string)"))
        self.assertEqual(set(told["bumper"]), {"enabled", "dns", "luci_moved"})

    def test_reload(self) -> None:
        """What the server reads again is read again, by SIGHUP; connections go on."""
        self.running()
        self.box.uci("set", "bumper.log.level=debug")
        self.box.config(
            "bumper", self.box.read("etc/config/bumper") + "config identity\n\toption closed '1'\n"
        )
        done = self.box.init("reload")
        self.assertEqual(done.record, (("procd_send_signal", "bumper", "*", "HUP"),))
        self.assertEqual(
            (self.settings().log.level, self.settings().identity.closed), ("debug", True)
        )

    def test_reload_same(self) -> None:
        """Files that settings name may be new when no setting is."""
        self.running()
        self.assertEqual(
            self.box.init("reload").calls("procd_send_signal"), [("bumper", "*", "HUP")]
        )

    def test_restart(self) -> None:
        """What cannot change while it runs begins again, with the new settings."""
        self.running()
        self.box.uci("set", "bumper.server.announce=10.1.2.3")
        done = self.box.init("reload")
        self.assertEqual([call[0] for call in done.record[:2]], ["stop", "start"])
        self.assertEqual(done.calls("procd_send_signal"), [])
        self.assertEqual(self.settings().server.announce, "10.1.2.3")

    def test_reload_wrong(self) -> None:
        """Settings that the server would not start with leave the one that runs as it is."""
        self.running()
        before = self.box.read("var/etc/bumper.toml")
        self.box.uci("set", "bumper.server.announce=somewhere")
        done = self.box.init("reload")
        self.assertEqual(done.record, ())
        self.assertIn("server.announce = 'somewhere', expected an IP address", done.out)
        self.assertIn("goes on with the settings it has", done.log)
        self.assertEqual(self.box.read("var/etc/bumper.toml"), before)
        self.assertEqual(
            sorted(p.name for p in (self.box.top / "var/etc").iterdir()), ["bumper.toml"]
        )

    def test_reload_off(self) -> None:
        """Turning it off and reloading stops it."""
        self.running()
        self.box.uci("set", "bumper.main.enabled=0")
        done = self.box.init("reload")
        self.assertEqual(
            ([c[0] for c in done.record[:2]], done.params("command")), (["stop", "start"], [])
        )

    def running(self) -> None:
        """Start it."""
        self.box.init("start")
        (self.box.top / "running").touch()


class NamesTests(OpenWrtCase):
    """The vendor's names lead to the router, when the owner wants that."""

    def setUp(self) -> None:
        super().setUp()
        self.box.uci("set", "bumper.main.dns=1")

    def test_zones(self) -> None:
        """The script has the zones that the server has."""
        self.assertEqual(named((FILES / "names.sh").read_text(), "ZONES"), list(ZONES))

    def test_same(self) -> None:
        """The same is set as by the lines that "bumper dns --for openwrt" prints."""
        lines = list(openwrt_lines(ZONES, ["192.168.1.1"]))
        script = "\n".join(line for line in lines if line.startswith("uci"))
        self.box.shell(script)
        by_hand = self.box.read("etc/config/dhcp")
        self.assertEqual(len(by_hand.splitlines()), len(DHCP.splitlines()) + 2 * len(ZONES) + 1)
        self.box.config("dhcp", DHCP)
        self.box.defaults()
        ours = self.box.read("etc/config/dhcp").splitlines()
        self.assertEqual([line for line in ours if "rebind" not in line], by_hand.splitlines())
        self.assertEqual(
            [line.split("'")[1] for line in ours if "rebind_domain" in line], list(ZONES)
        )

    def test_again(self) -> None:
        """Once is enough: the second time nothing is written, and nothing starts again."""
        self.box.defaults()
        self.assertRegex(self.box.read("python"), r"^-s -B \S+bumper_start.pyc plugins\n$")
        first = self.box.read("etc/config/dhcp")
        self.assertEqual(self.box.read("etc/commits"), "dhcp\n")
        self.assertEqual(self.box.read("services"), "dnsmasq running\ndnsmasq restart\n")
        self.box.defaults()
        self.box.init("start")
        self.assertEqual(self.box.read("etc/config/dhcp"), first)
        self.assertEqual(self.box.read("etc/commits").count("dhcp"), 1)

    def test_unwanted(self) -> None:
        """Not without C{dns}."""
        self.box.uci("set", "bumper.main.dns=0")
        before = self.box.read("etc/config/dhcp")
        self.box.defaults()
        self.box.init("start")
        self.assertEqual(self.box.read("etc/config/dhcp"), before)
        self.assertEqual(self.box.read("services"), "")

    def test_moved(self) -> None:
        """Another address of the router takes the place of the old one, however alike."""
        self.box.defaults()
        self.box.uci("set", "network.lan.ipaddr=192.168.1.10 192.168.9.1/24")
        self.box.init("start")
        lists = self.box.read("etc/config/dhcp")
        self.assertEqual(lists.count("/192.168.1.10'"), len(ZONES))
        self.assertNotIn("/192.168.1.1'", lists)
        self.assertEqual(lists.count("list server '/ecouser.net/'"), 1)

    def test_taken_back(self) -> None:
        """Turned off, or removed, it leaves what was there: also of the owner's own lines."""
        self.box.uci("add_list", "dhcp.@dnsmasq[0].server=/ecovacs.cn/")
        before = self.box.read("etc/config/dhcp")
        self.box.init("start")
        self.assertIn("192.168.1.1", self.box.read("etc/config/dhcp"))
        self.box.uci("set", "bumper.main.dns=0")
        self.box.init("start")
        self.assertEqual(self.box.read("etc/config/dhcp"), before)
        self.assertFalse((self.box.top / "etc/bumper.dnsmasq").exists())

    def test_no_address(self) -> None:
        """A router that is told its address by another one says that it cannot do it."""
        self.box.config("network", "config interface 'lan'\n\toption proto 'dhcp'\n")
        self.assertIn("network.lan.ipaddr is not set", self.box.init("start").log)
        self.assertEqual(self.box.read("etc/config/dhcp"), DHCP)


class LuciTests(OpenWrtCase):
    """LuCI has ports that robots ask for."""

    def test_left_alone(self) -> None:
        """A start takes nothing from LuCI, and says what it has."""
        done = self.box.init("start")
        self.assertIn("LuCI has the ports 443 80", done.log)
        self.assertEqual(self.box.read("etc/config/uhttpd"), UHTTPD)
        self.assertEqual(self.box.read("services"), "")

    def test_moved(self) -> None:
        """On demand it moves, all else stays, and there is nothing to say any more."""
        done = self.box.init("move_luci")
        self.assertEqual(done.status, 0)
        told = self.box.read("etc/config/uhttpd")
        self.assertEqual(re.findall(r"list \w+ '(.*)'", told),
                         ["0.0.0.0:8080", "[::]:8080", "0.0.0.0:8443", "[::]:8443"])  # fmt: skip
        self.assertIn("option home '/www'", told)
        self.assertEqual(self.box.read("services"), "uhttpd restart\n")
        self.assertEqual(self.box.init("start").log, "")
        self.assertIn("nothing is changed", self.box.init("move_luci").out)

    def test_back(self) -> None:
        """It goes back, once, and only when it was moved from here."""
        self.assertEqual(self.box.init("luci_back").out, "")
        self.assertEqual(self.box.read("etc/config/uhttpd"), UHTTPD)
        self.box.init("move_luci")
        self.assertIn("80 and 443 again", self.box.init("luci_back").out)
        self.assertEqual(re.findall(r"list \w+ '(.*)'", self.box.read("etc/config/uhttpd")),
                         ["0.0.0.0:80", "[::]:80", "0.0.0.0:443", "[::]:443"])  # fmt: skip
        self.assertEqual(self.box.init("luci_back").out, "")

    def test_own_ports(self) -> None:
        """Whose listeners are elsewhere hears nothing of it."""
        self.box.config(
            "bumper", f"{MAIN}config listen\n\toption serve 'web'\n\toption at 'tcp:4430'\n"
        )
        self.assertEqual(self.box.init("start").log, "")


class ScriptTests(SynchronousTestCase):
    """The scripts as such."""

    def test_shell(self) -> None:
        """Busybox's shell can read them."""
        for script in SCRIPTS:
            done = subprocess.run([busybox(), "ash", "-n", str(FILES / script)], check=False)
            self.assertEqual(done.returncode, 0, script)

    def test_shellcheck(self) -> None:
        """So can shellcheck, which finds nothing; nor in the fakes that pretend to be OpenWrt."""
        if shutil.which("shellcheck") is None:
            raise SkipTest("NOT TESTED: shellcheck is not installed")
        for script in SCRIPTS:
            done = subprocess.run(
                ["shellcheck", "-s", "dash", str(FILES / script)],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            self.assertEqual(done.stdout, "", script)

    def test_listen(self) -> None:
        """What of a listener can be said in UCI is what there is to say."""
        self.assertEqual(
            sorted(f"listen.{name}" for name in Listen.__annotations__),
            sorted(s.key for s in all_settings() if s.key.startswith("listen.")),
        )
