"""What the tests of the package for OpenWrt share: a router, and what there is to set."""

import re
import tomllib
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app import config, kinds
from bumper_tw.app.settings import Setting, Settings
from tests.packaging.openwrt_fakes.box import Box

#: The section that everything needs.
MAIN = "config bumper 'main'\n\toption enabled '1'\n"


def uci(value: str) -> str:
    """A value as it stands in a file of UCI."""
    return "'" + value.replace("'", "'\\''") + "'"


def kind_of(setting: Setting) -> str:
    """What the mapping has to know of a setting: in which of its lists the name stands."""
    if setting.kind is kinds.FLAG:
        return "FLAGS"
    if setting.kind is kinds.PART_LEVELS:
        return "TABLES"
    if list in setting.kind.native:
        return "LISTS"
    return "TEXTS" if str in setting.kind.native else "NUMBERS"


def all_settings() -> list[Setting]:
    """Every one but C{listen}, which stands for those with C{listen.} in front."""
    return [setting for setting in config.describe() if setting.key != "listen"]


def named(text: str, name: str) -> list[str]:
    """The words in a variable of a script."""
    found = re.search(rf'^BUMPER_{name}="([^"]*)"', text, re.MULTILINE)
    assert found is not None, name
    return found[1].split()


class OpenWrtCase(SynchronousTestCase):
    """Has a router."""

    def setUp(self) -> None:
        top = Path(self.mktemp()).absolute()
        top.mkdir(parents=True)
        self.box = Box(top)

    def settings(self) -> Settings:
        """What the server reads."""
        return config.load(self.box.top / "var/etc/bumper.toml", {}, {})

    def toml(self) -> dict[str, Any]:
        """What is in the file that the server reads."""
        return tomllib.loads(self.box.read("var/etc/bumper.toml"))

    def mode(self, path: str) -> int:
        """The permissions of a file or a folder."""
        return (self.box.top / path).stat().st_mode & 0o777
