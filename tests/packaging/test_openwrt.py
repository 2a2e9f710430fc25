"""
From /etc/config/bumper to the settings of the server, under busybox's shell.

The other tests of the package for OpenWrt are beside this; their fakes are in
L{tests.packaging.openwrt_fakes}.
"""

from pathlib import Path

from bumper_tw.app import kinds
from bumper_tw.app.settings import LISTEN, Setting
from tests.packaging.openwrt_fakes.box import FILES
from tests.packaging.openwrt_fakes.case import (
    MAIN,
    OpenWrtCase,
    all_settings,
    kind_of,
    named,
    uci,
)

#: Values that a shell, or TOML, would take for something else.
HOSTILE = (
    "", " ", "  two  blanks  ", "a'b", 'a"b', "a\\b", "a\\", "\\n", "$HOME", "${HOME}",
    "$(touch pwned)", "`touch pwned`", "; touch pwned", "&& touch pwned", "| touch pwned",
    "a\nb", "\n", 'x"\n[web]\nmax_body = 1', '"""', "'''", '\\"', "#", "a # b", "*", "~",
    "-n", "-e", "--", "%s%d", "\t", "\x01", "\x1f", "\x7f", "]", "}", "a = 1", "a, b", "ü",
    "日本", "\u2028", "x" * 5000, "true", "0", "\\u0041", "!!", "''", "'; touch pwned; '",
)  # fmt: skip


class MappingTests(OpenWrtCase):
    """From /etc/config/bumper to the settings of the server."""

    def test_names(self) -> None:
        """The script knows every setting, and what each is; there are no others in it."""
        text = (FILES / "settings.sh").read_text()
        for name in ("FLAGS", "NUMBERS", "LISTS", "TABLES", "TEXTS"):
            wanted = [setting.key for setting in all_settings() if kind_of(setting) == name]
            self.assertEqual(sorted(named(text, name)), sorted(wanted), f"BUMPER_{name}")

    def test_shipped(self) -> None:
        """The file of the package is good settings: small, on the flash, and beside LuCI."""
        self.assertEqual(self.box.init("start").status, 0)
        settings = self.settings()
        self.assertEqual(settings.server.profile, "small")
        self.assertEqual(settings.storage.directory, self.box.top / "etc/bumper/data")
        self.assertEqual(settings.tls.directory, self.box.top / "etc/bumper/certs")
        self.assertFalse(settings.dns.serve)
        taken = {"tcp:443", "tcp:80"}
        self.assertEqual({listen.at for listen in settings.listen if listen.optional}, taken)
        self.assertEqual([(one.serve, one.at, one.tls) for one in settings.listen],
                         [(one.serve, one.at, one.tls) for one in LISTEN])  # fmt: skip

    def test_all(self) -> None:
        """Every setting can be said, and arrives as it was said."""
        wanted = {setting.key: other(setting) for setting in all_settings()}
        self.box.config("bumper", MAIN + "\n".join(sections(wanted)))
        done = self.box.init("start")
        self.assertEqual(done.status, 0, done.out)
        settings = self.settings()
        for key, (_, value) in wanted.items():
            section, _, name = key.partition(".")
            held = settings.listen[0] if section == "listen" else getattr(settings, section)
            self.assertEqual(getattr(held, name), value, key)

    def test_differ(self) -> None:
        """The test above has for each setting a value that is not the default."""
        for setting in all_settings():
            self.assertNotEqual(other(setting)[1], setting.default, setting.key)

    def test_hostile(self) -> None:
        """A value is a value, whatever is in it; nothing of it is run, and nothing gets lost."""
        lines = [MAIN, "config server\n", *(f"\tlist name {uci(value)}\n" for value in HOSTILE)]
        lines += ["config web\n", *(f"\toption o{n} {uci(v)}\n" for n, v in enumerate(HOSTILE))]
        self.box.config("bumper", "".join(lines))
        self.assertEqual(self.box.init("start").status, 0)
        told = self.toml()
        self.assertEqual(told["server"]["name"], list(HOSTILE))
        self.assertEqual(list(told["web"].values()), list(HOSTILE))
        self.assertEqual(set(told), {"server", "web", "storage", "tls"})
        self.assertEqual(list(self.box.top.rglob("pwned")), [])

    def test_hostile_levels(self) -> None:
        """The same in a table: both what is in front of the first = and what is behind."""
        values = [value for value in HOSTILE if value and "=" not in value]
        items = "".join(f"\tlist levels {uci(f'{value}={value}=')}\n" for value in values)
        self.box.config("bumper", f"{MAIN}config log\n{items}")
        self.assertEqual(self.box.init("start").status, 0)
        self.assertEqual(self.toml()["log"]["levels"], {value: f"{value}=" for value in values})

    def test_hostile_folder(self) -> None:
        """The folder of everything is one of the values, too."""
        folder = f"{self.box.top}/a \"b\" $(touch pwned) 'c'"
        text = f"{MAIN}\toption data_dir {uci(folder)}\nconfig storage\nconfig log\n"
        self.box.config("bumper", text)
        self.assertEqual(self.box.init("start").status, 0)
        self.assertEqual(self.toml()["storage"]["directory"], f"{folder}/data")
        self.assertEqual(self.toml()["tls"]["directory"], f"{folder}/certs")
        self.assertTrue(Path(folder).is_dir())
        self.assertEqual(list(self.box.top.rglob("pwned")), [])

    def test_flags(self) -> None:
        """Whatever UCI takes for true or false is that; what it does not is told as it is."""
        words = ["1", "on", "true", "yes", "enabled", "0", "off", "false", "no", "disabled", "2"]
        lines = [f"config listen\n\toption tls '{word}'\n" for word in words]
        self.box.config("bumper", MAIN + "".join(lines))
        self.box.init("start")
        told = [listen["tls"] for listen in self.toml()["listen"]]
        self.assertEqual(told, [True] * 5 + [False] * 5 + ["2"])

    def test_levels_option(self) -> None:
        """Levels of parts can stand in one option, too."""
        self.box.config("bumper", f"{MAIN}config log\n\toption levels 'mqtt=debug,web=warn'\n")
        self.box.init("start")
        self.assertEqual(dict(self.settings().log.levels), {"mqtt": "debug", "web": "warn"})

    def test_numbers(self) -> None:
        """What TOML takes for no number is told as text, which the server refuses by name."""
        for text, wrong in (("0500", "'0500'"), ("many", "'many'"), ("5.5", "5.5"), ("", "''")):
            self.box.config("bumper", f"{MAIN}config mqtt\n\toption queued '{text}'\n")
            done = self.box.init("check")
            self.assertEqual(done.status, 1)
            self.assertIn(f"mqtt.queued = {wrong}, expected a whole number", done.out)

    def test_unknown(self) -> None:
        """The server names what it does not know, and what is nearest."""
        self.box.config("bumper", f"{MAIN}config mqtt 'mqtt'\n\toption queud '5'\n")
        self.assertIn(
            "mqtt.queud is unknown; did you mean mqtt.queued?", self.box.init("check").out
        )
        self.box.config("bumper", f"{MAIN}config mqqt\n\toption queued '5'\n")
        self.assertIn("mqqt is unknown; did you mean mqtt?", self.box.init("check").out)
        self.box.config("bumper", MAIN)
        self.assertEqual((self.box.init("check").status, self.box.init("check").out), (0, ""))

    def test_unknown_of_ours(self) -> None:
        """Options that are OpenWrt's own are checked here; nothing starts with a wrong one."""
        for line in ("option announce '1.2.3.4'", "list dns '1'"):
            self.box.config("bumper", f"{MAIN}\t{line}\n")
            done = self.box.init("start")
            self.assertNotEqual(done.status, 0)
            self.assertIn('is unknown in "config bumper"', done.log)
            self.assertEqual(done.params("command"), [])

    def test_twice(self) -> None:
        """Two sections of one kind are refused; only one of them would hold."""
        self.box.config("bumper", f"{MAIN}config mqtt\nconfig web\nconfig mqtt\n")
        done = self.box.init("start")
        self.assertIn('there are two sections "config mqtt"', done.log)
        self.assertEqual(done.params("command"), [])

    def test_broken(self) -> None:
        """A file that is none of UCI starts nothing, and is said to be wrong."""
        self.box.config("bumper", "config bumper 'main'\n\toption enabled '1\n")
        done = self.box.init("start")
        self.assertIn("cannot be read", done.log)
        self.assertEqual(done.params("command"), [])


def other(setting: Setting) -> tuple[list[str], object]:
    """A value that is not the default: what stands behind its name in UCI, and what it is."""
    special: dict[str, tuple[list[str], object]] = {
        "server.announce": (["10.1.2.3"], "10.1.2.3"),
        "server.profile": (["small"], "small"),
        "listen.serve": (["mqtt"], "mqtt"),
        "listen.at": (["tcp:4433:interface=10.1.2.3"], "tcp:4433:interface=10.1.2.3"),
        "dns.interface": (["10.1.2.3"], "10.1.2.3"),
        "identity.policy": (["strict"], "strict"),
        "identity.robots_of": (["owners"], "owners"),
        "web.unknown": (["not_found"], "not_found"),
        "log.format": (["json"], "json"),
        "log.level": (["warn"], "warn"),
        "server.name": (["a.lan", "b.lan"], ("a.lan", "b.lan")),
        "log.levels": (["mqtt=debug", "web=warn"], {"mqtt": "debug", "web": "warn"}),
    }
    if setting.key in special:
        return special[setting.key]
    if setting.kind in {kinds.FOLDER, kinds.FILE}:
        return ['/mnt/a "b" $c/d'], Path('/mnt/a "b" $c/d')
    if setting.kind is kinds.ADDRESSES:
        return ["10.1.2.3", "10.1.2.4"], ("10.1.2.3", "10.1.2.4")
    if setting.kind is kinds.FLAG:
        return ["0" if setting.default else "1"], not setting.default
    if float in setting.kind.native:
        return ["2.5"], 2.5
    return [str(number := near(setting))], number


def near(setting: Setting) -> int:
    """The next number that is allowed."""
    assert isinstance(setting.default, int), setting
    number = setting.default + 1
    return number if setting.kind.fit(number) else setting.default - 1


def sections(wanted: dict[str, tuple[list[str], object]]) -> list[str]:
    """A file of UCI with all of these."""
    grouped: dict[str, list[str]] = {}
    for key, (words, _) in wanted.items():
        section, _, name = key.partition(".")
        # The one listener is for MQTT, for all that it can be told.
        word = "option" if len(words) == 1 else "list"
        grouped.setdefault(section, []).extend(f"\t{word} {name} {uci(w)}" for w in words)
    return [f"config {section} '{section}'\n" + "\n".join(o) for section, o in grouped.items()]
