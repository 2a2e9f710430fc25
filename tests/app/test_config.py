"""Settings: where they come from, which wins, and how a wrong one is named."""

from collections.abc import Mapping
from pathlib import Path

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.config import FILE_LIMIT, describe, load
from bumper_tw.app.settings import LISTEN, NO_FILE, Listen, Settings
from bumper_tw.app.tap import settings_help
from bumper_tw.errors import StartError

#: What a wrong value of each setting may look like, in TOML.
WRONG = {
    "server.announce": ("5", '"robots"', '"0.0.0.0"', '"224.0.0.1"', '"fe80::1%eth0"'),
    "server.name": ("5", '["a b"]', '["192.168.1.2"]', "[5]", '["-a"]'),
    "tls.directory": ("5", '""', '"a\\u0000b"'),
    "identity.policy": ("5", '"open"', "true"),
    "identity.token_days": ("0", "3651", "1.5", '"30"', "true"),
    "commands.timeout": ("0.05", "55.1", "nan", "inf", '"5"', "true", "[]"),
    "commands.outstanding": ("0", "65"),
    "mqtt.passwords": ("5", '"."', '"/"', '"lists/.."', '"a\\u0000b"', "true"),
    "mqtt.access": ("5", '"./"', '["rules"]'),
    "mqtt.max_packet": ("1023", "268435456", "0x" + "f" * 9999),
    "storage.history_reports": ("999", "2024-01-01"),
    "log.level": ('"loud"', "{}"),
    "log.levels": ('"debug"', '{mqtt = "loud"}', "{mqtt = 1}"),
    "listen": ("5", "[]", "[5]"),
}

#: Listening places that cannot be, and what the error says of them.
WRONG_LISTEN = {
    'serve = "web"\n': "listen.serve and listen.at",
    'serve = "imap"\nat = "tcp:1"\n': "'imap', expected one of all, web, mqtt, xmpp",
    'serve = "web"\nat = "tcp:65536"\n': "listen.at = 'tcp:65536'",
    'serve = "web"\nat = "ssl:443"\n': "tls = true",
    'serve = "web"\nat = "443"\n': "listen.at = '443'",
    'serve = "web"\nat = "tcp:443"\ntsl = true\n': "did you mean listen.tls?",
    'serve = "web"\nat = "tcp:443"\ntls = "yes"\n': "listen.tls = 'yes', expected true or false",
    'serve = "web"\nat = "tcp:443"\nlegacy_tls = true\n': "needs tls = true",
    'serve = "web"\nat = "tcp:443"\nanonymous = true\n': 'needs serve = "mqtt"',
}


class ConfigCase(SynchronousTestCase):
    """Loads settings from a file of its own."""

    def setUp(self) -> None:
        """Start in a folder without a file."""
        self.path = Path(self.mktemp()).absolute() / "bumper.toml"
        self.path.parent.mkdir()

    def from_file(self, text: str) -> Settings:
        """What a file with C{text} means on its own."""
        self.path.write_text(text)
        return load(self.path, {}, {})

    def refusal(self, text: str) -> str:
        """The sentence with which a file is refused."""
        return str(self.assertRaises(StartError, self.from_file, text))

    def refused(self, environ: Mapping[str, str], options: Mapping[str, str]) -> str:
        """The sentence with which variables or options are refused."""
        return str(self.assertRaises(StartError, load, None, environ, options))


class DefaultTests(ConfigCase):
    """Without a word from the owner."""

    def test_nothing_given(self) -> None:
        """No file, no variable and no option are the defaults, in the working directory."""
        settings = load(None, {}, {})
        here = Path.cwd()
        expected = Settings()
        expected = evolve(
            expected,
            tls=evolve(expected.tls, directory=here / "certs"),
            storage=evolve(expected.storage, directory=here / "data"),
        )
        self.assertEqual(settings, expected)

    def test_ports(self) -> None:
        """By default everything is served with and without TLS; XMPP finds out by itself."""
        served = [(at.serve, at.at, at.tls) for at in load(None, {}, {}).listen]
        self.assertEqual(
            served,
            [
                ("all", "tcp:443", True),
                ("web", "tcp:80", False),
                ("web", "tcp:8007", False),
                ("mqtt", "tcp:8883", True),
                ("mqtt", "tcp:1883:interface=127.0.0.1", False),
                ("xmpp", "tcp:5223", False),
            ],
        )

    def test_empty_file(self) -> None:
        """An empty file changes nothing but the folder that relative paths start at."""
        settings = self.from_file("")
        self.assertEqual(settings.storage.directory, self.path.parent / "data")
        self.assertEqual(settings.listen, LISTEN)

    def test_defaults_fit(self) -> None:
        """Every default is a value that the owner could have given."""
        for setting in describe():
            if setting.env and setting.key not in {"listen", "log.levels", "server.name"}:
                default = setting.default
                text = str(default) if isinstance(default, Path) else default
                given = "" if default in {NO_FILE, ()} else text
                self.assertEqual(setting.take(given), default, setting.key)


class FileTests(ConfigCase):
    """The TOML file."""

    def test_values(self) -> None:
        """Every type of value arrives in its section."""
        settings = self.from_file(
            '[server]\nannounce = "192.168.1.5"\nname = ["box.lan", "*.box.lan"]\n'
            '[commands]\ntimeout = 5\n[log]\nlevel = "warn"\nlevels = {mqtt = "debug"}\n'
            '[storage]\nhistory_days = 7\n[tls]\ndirectory = "/srv/certs"\n'
        )
        self.assertEqual(settings.server.announce, "192.168.1.5")
        self.assertEqual(settings.server.name, ("box.lan", "*.box.lan"))
        self.assertEqual(settings.commands.timeout, 5.0)
        self.assertIsInstance(settings.commands.timeout, float)
        self.assertEqual((settings.log.level, settings.log.levels), ("warn", {"mqtt": "debug"}))
        self.assertEqual(settings.storage.history_days, 7)
        self.assertEqual(settings.tls.directory, Path("/srv/certs"))

    def test_relative_folder(self) -> None:
        """A relative path starts where the file is, wherever the server was started."""
        settings = self.from_file('[storage]\ndirectory = "../state"\n')
        self.assertEqual(settings.storage.directory, self.path.parent / "../state")

    def test_files(self) -> None:
        """A file is found from the settings file on; nothing and "" are no file."""
        mqtt = self.from_file('[mqtt]\npasswords = "lists/people"\naccess = "/etc/rules"\n').mqtt
        self.assertEqual(mqtt.passwords, self.path.parent / "lists/people")
        self.assertEqual(mqtt.access, Path("/etc/rules"))
        for text in ("", '[mqtt]\npasswords = ""\naccess = ""\n'):
            mqtt = self.from_file(text).mqtt
            self.assertEqual((mqtt.passwords, mqtt.access), (NO_FILE, NO_FILE))

    def test_listeners(self) -> None:
        """The tables [[listen]] replace the default ones."""
        settings = self.from_file(
            '[[listen]]\nserve = "web"\nat = "tcp:8443:interface=10.0.0.1"\ntls = true\n'
            '[[listen]]\nserve = "mqtt"\nat = "systemd:domain=INET:index=0"\n'
            '[[listen]]\nserve = "mqtt"\nat = "tcp:port=8883"\ntls = true\nlegacy_tls = true\n'
        )
        self.assertEqual(
            settings.listen,
            (
                Listen("web", "tcp:8443:interface=10.0.0.1", tls=True),
                Listen("mqtt", "systemd:domain=INET:index=0"),
                Listen("mqtt", "tcp:port=8883", tls=True, legacy_tls=True),
            ),
        )

    def test_wrong_listeners(self) -> None:
        """A wrong place to listen is refused naming file and key."""
        for text, expected in WRONG_LISTEN.items():
            refusal = self.refusal(f"[[listen]]\n{text}")
            self.assertIn(expected, refusal)
            self.assertTrue(refusal.startswith(f"{self.path}: "), refusal)

    def test_wrong_values(self) -> None:
        """A wrong value is refused in one line naming file, key and what was expected."""
        for key, values in WRONG.items():
            section, _, name = key.rpartition(".")
            for value in values:
                head = f"[{section}]\n" if section else ""
                refusal = self.refusal(f"{head}{name} = {value}\n")
                self.assertTrue(refusal.startswith(f"{self.path}: {key}"), refusal)
                self.assertIn(", expected ", refusal)
                self.assertNotIn("\n", refusal)

    def test_unknown_names(self) -> None:
        """An unknown section, key or part is refused naming the nearest there is."""
        for text, expected in (
            ("[comands]\ntimeout = 5\n", "comands is unknown; did you mean commands?"),
            (
                "[commands]\ntimout = 5\n",
                "commands.timout is unknown; did you mean commands.timeout?",
            ),
            (
                '[log.levels]\nmqqt = "info"\n',
                "log.levels.mqqt is unknown; did you mean log.levels.mqtt?",
            ),
            ('["\\u001b[31m"]\n', "[31m is unknown"),
        ):
            self.assertEqual(self.refusal(text), f"{self.path}: {expected}")

    def test_section_that_is_none(self) -> None:
        """A section given as a plain value is named as such."""
        self.assertIn("expected a table [mqtt]", self.refusal("mqtt = 5\n"))

    def test_not_toml(self) -> None:
        """A file that is not TOML is refused, with the place where it stops being that."""
        self.assertIn(f"{self.path}: is not TOML: ", self.refusal("[server\n"))
        self.assertIn("line 2", self.refusal("[server]\nname\n"))

    def test_hostile_files(self) -> None:
        """Deep nesting, numbers without end and stray bytes are errors like any other."""
        for text in (b"a = " + b"[" * 100_000, b"a = " + b"9" * 9999, b"\xff\xfe", b"a\0"):
            self.path.write_bytes(text)
            error = self.assertRaises(StartError, load, self.path, {}, {})
            self.assertIn("is not TOML", str(error))

    def test_large_file(self) -> None:
        """A file that is too large for settings is not parsed at all."""
        self.assertIn("is larger than", self.refusal("#" * (FILE_LIMIT + 1)))

    def test_missing_file(self) -> None:
        """A file that was named has to be there."""
        error = self.assertRaises(StartError, load, self.path, {}, {})
        self.assertEqual(str(error), f"{self.path}: cannot be read: No such file or directory")

    @given(st.text(max_size=60))
    def test_any_text(self, text: str) -> None:
        """Whatever stands in the file, it means settings or is refused naming the file."""
        self.path.write_text(text, "utf-8", "replace")
        try:
            settings = load(self.path, {}, {})
        except StartError as error:
            self.assertTrue(str(error).startswith(f"{self.path}: "))
        else:
            self.assertIsInstance(settings, Settings)


class EnvironmentTests(ConfigCase):
    """Variables."""

    def test_every_type(self) -> None:
        """Text becomes what the setting needs."""
        settings = load(
            None,
            {
                "BUMPER_COMMANDS_TIMEOUT": "2.5",
                "BUMPER_MQTT_CONNECTIONS": "7",
                "BUMPER_SERVER_NAME": "box.lan, other.lan",
                "BUMPER_LOG_LEVELS": "mqtt=debug,web=warn",
                "BUMPER_STORAGE_DIRECTORY": "/srv/data",
                "BUMPER_IDENTITY_POLICY": "strict",
                "PATH": "/bin",
            },
            {},
        )
        self.assertEqual(settings.commands.timeout, 2.5)
        self.assertEqual(settings.mqtt.connections, 7)
        self.assertEqual(settings.server.name, ("box.lan", "other.lan"))
        self.assertEqual(settings.log.levels, {"mqtt": "debug", "web": "warn"})
        self.assertEqual(settings.storage.directory, Path("/srv/data"))
        self.assertEqual(settings.identity.policy, "strict")

    def test_listeners(self) -> None:
        """BUMPER_LISTEN replaces the whole list; endpoints keep their colons."""
        text = "web:tcp:443:tls, mqtt:tcp:1883:interface=127.0.0.1,mqtt:tcp:8883:legacy_tls"
        settings = load(None, {"BUMPER_LISTEN": text}, {})
        self.assertEqual(
            settings.listen,
            (
                Listen("web", "tcp:443", tls=True),
                Listen("mqtt", "tcp:1883:interface=127.0.0.1"),
                Listen("mqtt", "tcp:8883", tls=True, legacy_tls=True),
            ),
        )

    def test_file_named(self) -> None:
        """BUMPER_CONFIG names the file, unless the caller does."""
        self.path.write_text("[commands]\ntimeout = 3\n")
        other = self.path.with_name("other.toml")
        other.write_text("[commands]\ntimeout = 4\n")
        named = {"BUMPER_CONFIG": str(self.path)}
        self.assertEqual(load(None, named, {}).commands.timeout, 3)
        self.assertEqual(load(other, named, {}).commands.timeout, 4)

    def test_empty(self) -> None:
        """An empty variable counts as not set."""
        environ = {"BUMPER_COMMANDS_TIMEOUT": "", "BUMPER_CONFIG": "", "BUMPER_LISTEN": ""}
        self.assertEqual(load(None, environ, {}), load(None, {}, {}))

    def test_unknown(self) -> None:
        """An unknown variable is refused naming the nearest one."""
        self.assertEqual(
            self.refused({"BUMPER_COMANDS_TIMEOUT": "5"}, {}),
            "environment: BUMPER_COMANDS_TIMEOUT is unknown; "
            "did you mean BUMPER_COMMANDS_TIMEOUT?",
        )

    def test_wrong(self) -> None:
        """A wrong value is refused naming the variable."""
        self.assertEqual(
            self.refused({"BUMPER_COMMANDS_TIMEOUT": "soon"}, {}),
            "environment: BUMPER_COMMANDS_TIMEOUT = 'soon', "
            "expected a number of seconds from 0.1 to 55",
        )
        for name, text in (("LOG_LEVELS", "mqtt"), ("LISTEN", "192.168.1.2"), ("LISTEN", ",")):
            refusal = self.refused({f"BUMPER_{name}": text}, {})
            self.assertTrue(refusal.startswith("environment: "), refusal)

    def test_service_links(self) -> None:
        """What container platforms say about a service of our name is not taken for ours."""
        environ = {
            "BUMPER_SERVICE_HOST": "10.0.0.1",
            "BUMPER_SERVICE_PORT_HTTPS": "443",
            "BUMPER_PORT": "tcp://10.0.0.1:443",
            "BUMPER_PORT_443_TCP_ADDR": "10.0.0.1",
        }
        self.assertEqual(load(None, environ, {}), load(None, {}, {}))

    @given(st.sampled_from([s.env for s in describe() if s.env]), st.text(max_size=30))
    def test_any_text(self, name: str, text: str) -> None:
        """Whatever a variable holds, it means settings or is refused naming its origin."""
        try:
            settings = load(None, {name: text}, {})
        except StartError as error:
            self.assertTrue(str(error).startswith("environment: "))
        else:
            self.assertIsInstance(settings, Settings)


class OptionTests(ConfigCase):
    """Options, and who wins."""

    def test_rising_order(self) -> None:
        """Variables win over the file and options over both; the rest stays."""
        self.path.write_text("[mqtt]\nmax_topic = 100\ninflight = 10\nconnections = 10\n")
        environ = {"BUMPER_MQTT_INFLIGHT": "11", "BUMPER_MQTT_CONNECTIONS": "11"}
        mqtt = load(self.path, environ, {"mqtt.connections": "12"}).mqtt
        self.assertEqual((mqtt.max_topic, mqtt.inflight, mqtt.connections), (100, 11, 12))

    def test_listen(self) -> None:
        """The option listen has the spelling of BUMPER_LISTEN."""
        self.assertEqual(
            load(None, {}, {"listen": "web:tcp:8443:tls"}).listen,
            (Listen("web", "tcp:8443", tls=True),),
        )

    def test_wrong(self) -> None:
        """An unknown option and a wrong value are refused naming the option."""
        self.assertEqual(
            self.refused({}, {"commands.timout": "5"}),
            "options: commands.timout is unknown; did you mean commands.timeout?",
        )
        self.assertIn("options: mqtt.inflight = '0'", self.refused({}, {"mqtt.inflight": "0"}))

    def test_no_file(self) -> None:
        """An option takes back a file that was named; a variable names one from here on."""
        self.path.write_text('[mqtt]\npasswords = "people"\n')
        self.assertEqual(load(self.path, {}, {"mqtt.passwords": ""}).mqtt.passwords, NO_FILE)
        named = {"BUMPER_MQTT_ACCESS": "rules"}
        self.assertEqual(load(None, named, {}).mqtt.access, Path.cwd() / "rules")

    def test_overridden_is_checked_too(self) -> None:
        """A mistake in the file is named although an option would have hidden it."""
        self.path.write_text("[commands]\ntimeout = 99\n")
        self.assertRaises(StartError, load, self.path, {}, {"commands.timeout": "5"})


class DescribeTests(SynchronousTestCase):
    """What help and manual are made of."""

    def test_complete(self) -> None:
        """Every setting has a meaning, a type in words, and an unambiguous name."""
        settings = list(describe())
        keys = [s.key for s in settings]
        variables = [s.env for s in settings if s.env]
        self.assertEqual(len(set(keys)), len(keys))
        self.assertEqual(len(set(variables)), len(variables))
        self.assertEqual([s.key for s in settings if not (s.doc and s.kind.expected)], [])

    def test_no_file(self) -> None:
        """A file that need not be there is described as the owner would write that."""
        text = " ".join(" ".join(settings_help()).split())
        for key in ("passwords", "access"):
            _, _, rest = text.partition(f"mqtt.{key} (BUMPER_MQTT_{key.upper()}): ")
            self.assertIn('the path of a file, or ""; default: "" ', rest[:120])

    def test_spelling(self) -> None:
        """The variable follows from section and key."""
        env = {s.key: s.env for s in describe()}
        self.assertEqual(env["commands.timeout"], "BUMPER_COMMANDS_TIMEOUT")
        self.assertEqual(env["listen"], "BUMPER_LISTEN")
        self.assertEqual(env["listen.tls"], "")
