"""Tests for L{bumper_tw.app.tap}."""

import sys
from io import StringIO
from pathlib import Path

from twisted.application.service import IServiceMaker
from twisted.plugin import getPlugins
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw import __version__
from bumper_tw.app.cli import COMMANDS
from bumper_tw.app.config import load
from bumper_tw.app.settings import Listen
from bumper_tw.app.tap import Options, complain, read_settings, settings_help
from bumper_tw.errors import StartError


def parsed(*arguments: str) -> Options:
    """Options as twistd makes them."""
    options = Options()
    options.parseOptions(list(arguments))
    return options


class PluginTests(SynchronousTestCase):
    """twistd finds us."""

    def test_plugin(self) -> None:
        """There is one service maker called bumper, and it names the module of the options."""
        [maker] = [found for found in getPlugins(IServiceMaker) if found.tapname == "bumper"]
        self.assertIs(maker.options, Options)


class OptionTests(SynchronousTestCase):
    """The command line wins over variables and the file."""

    def test_nothing(self) -> None:
        """No option and no file: the defaults."""
        self.assertEqual(read_settings(parsed(), {}), load(None, {}, {}))

    def test_set(self) -> None:
        """Any setting can be given, several times, and wins over the environment."""
        options = parsed("--set", "commands.timeout=5", "--set", "log.level=debug")
        settings = read_settings(options, {"BUMPER_COMMANDS_TIMEOUT": "7"})
        self.assertEqual((settings.commands.timeout, settings.log.level), (5.0, "debug"))

    def test_set_without_a_value(self) -> None:
        """What is no pair is refused, with the right form in the text."""
        error = self.assertRaises(UsageError, parsed, "--set", "commands.timeout")
        self.assertIn("section.key=value", str(error))

    def test_short_ways(self) -> None:
        """The common settings have options of their own."""
        options = parsed("-a", "192.0.2.7", "-l", "web:tcp:80", "-d", "/d", "--certs", "/c")
        settings = read_settings(options, {})
        self.assertEqual(settings.server.announce, "192.0.2.7")
        self.assertEqual(settings.listen, (Listen("web", "tcp:80"),))
        self.assertEqual(settings.storage.directory, Path("/d"))
        self.assertEqual(settings.tls.directory, Path("/c"))

    def test_demo(self) -> None:
        """The demo needs no privileges, keeps to this machine and to its own folder."""
        settings = read_settings(parsed("--demo"), {})
        self.assertEqual(
            [(listen.serve, listen.at, listen.tls) for listen in settings.listen],
            [
                ("all", "tcp:8443:interface=127.0.0.1", True),
                ("web", "tcp:8007:interface=127.0.0.1", False),
                ("mqtt", "tcp:8883:interface=127.0.0.1", True),
                ("mqtt", "tcp:1883:interface=127.0.0.1", False),
                ("xmpp", "tcp:5223:interface=127.0.0.1", False),
            ],
        )
        self.assertEqual(settings.server.announce, "127.0.0.1")
        self.assertEqual(settings.storage.directory, Path.cwd() / "demo" / "data")
        self.assertEqual(settings.tls.directory, Path.cwd() / "demo" / "certs")

    def test_demo_with_choices(self) -> None:
        """What the owner says besides wins over what the demo sets."""
        settings = read_settings(parsed("--demo", "--data", "/d"), {})
        self.assertEqual(settings.storage.directory, Path("/d"))
        self.assertEqual(settings.tls.directory, Path.cwd() / "demo" / "certs")


class OutputTests(SynchronousTestCase):
    """What is written for people."""

    def setUp(self) -> None:
        self.out, self.err = StringIO(), StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "__stderr__", self.err)

    def test_version(self) -> None:
        """--version is ours, not Twisted's."""
        self.assertRaises(SystemExit, parsed, "--version")
        self.assertEqual(self.out.getvalue(), f"bumper_tw {__version__}\n")

    def test_help(self) -> None:
        """--help tells of both ways to start, and of the other commands."""
        text = str(Options())
        self.assertIn("Usage: bumper [options]", text)
        *_, commands = " ".join(text.split()).partition("Other commands, each with --help")
        for name in COMMANDS:
            self.assertIn(f" {name} (", commands)

    def test_settings(self) -> None:
        """--settings lists every setting once, with its variable and default."""
        self.assertRaises(SystemExit, parsed, "--settings")
        text = self.out.getvalue()
        self.assertIn("commands.timeout (BUMPER_COMMANDS_TIMEOUT): ", text)
        self.assertIn("default: 10.0", text)
        self.assertEqual(len(settings_help()), len({line.split()[0] for line in settings_help()}))

    def test_start_error(self) -> None:
        """What stops the start is one line, without a traceback."""
        complain(StartError, StartError("port 443 is taken"), None)
        self.assertEqual(self.err.getvalue(), "bumper: port 443 is taken\n")

    def test_bug(self) -> None:
        """A bug keeps its traceback."""
        seen: list[type[BaseException]] = []
        self.patch(sys, "__excepthook__", lambda kind, *_: seen.append(kind))
        complain(ZeroDivisionError, ZeroDivisionError(), None)
        self.assertEqual((seen, self.err.getvalue()), ([ZeroDivisionError], ""))
