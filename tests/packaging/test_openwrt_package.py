"""The Makefile of the package for OpenWrt, and what would be installed by it."""

import ast
import marshal
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw import __version__
from tests.packaging.openwrt_fakes.box import FILES, ROOT
from tests.packaging.openwrt_fakes.case import OpenWrtCase
from tests.packaging.openwrt_fakes.sdk import Sdk, pretended

#: Parts of Python's own library that are packages of their own on OpenWrt, by what is imported.
PARTS = {
    "asyncio": "asyncio", "cgi": "cgi", "ctypes": "ctypes", "dbm": "dbm", "decimal": "decimal",
    "email": "email", "logging": "logging", "lzma": "lzma", "multiprocessing": "multiprocessing",
    "curses": "ncurses", "ssl": "openssl", "pydoc": "pydoc", "readline": "readline",
    "sqlite3": "sqlite3", "unittest": "unittest", "urllib": "urllib", "uuid": "uuid",
    "xml": "xml", "xmlrpc": "xml", "unicodedata": "codecs",
}  # fmt: skip


def required() -> dict[str, str]:
    """What setup.py needs at run time: names as OpenWrt spells them, and the least versions."""
    tree = ast.parse((ROOT / "setup.py").read_text())
    (found,) = (
        keyword.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "install_requires"
    )
    words = (
        re.match(r"([\w.-]+)(?:\[\w+\])?>=([\d.]+)", text) for text in ast.literal_eval(found)
    )
    return {plain(word[1]): word[2] for word in words if word is not None}


def plain(name: str) -> str:
    """One spelling of a project's name."""
    return re.sub(r"[._]", "-", name).lower()


def numbers(version: str) -> list[int]:
    """A version that can be compared."""
    return [int(number) for number in version.split(".")]


def imported(tree: Path) -> Iterator[str]:
    """What the modules in a folder import, by the first part of its name."""
    for path in tree.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


class MakefileTests(SynchronousTestCase):
    """What the Makefile says of the package."""

    def setUp(self) -> None:
        self.sdk = Sdk(Path(self.mktemp()).absolute())
        self.told = self.sdk.told()
        (depends,) = self.told["depends"]
        self.depends = {word.removeprefix("+python3-") for word in depends.split()}

    def test_itself(self) -> None:
        """It is our version, made of this tree, run by a user of its own."""
        self.assertEqual(self.told["version"], [__version__])
        self.assertEqual(self.told["tree"], [str(ROOT)])
        self.assertEqual(self.told["user"], ["bumper:bumper"])
        self.assertEqual(self.told["conffiles"], ["/etc/config/bumper"])

    def test_required(self) -> None:
        """Whatever setup.py needs is a dependency, or becomes part of it, new enough."""
        brought = {plain(one.name): one.version for one in self.sdk.vendored()}
        self.assertGreater(len(required()), 5)
        for name, least in required().items():
            if name in brought:
                self.assertGreaterEqual(numbers(brought[name]), numbers(least), name)
            else:
                self.assertIn(name, self.depends)
        self.assertEqual(self.depends & set(brought), set())

    def test_twisted(self) -> None:
        """What Twisted needs, too: with TLS, without what only its other parts want."""
        brought = {plain(one.name) for one in self.sdk.vendored()}
        needs = {"attrs", "automat", "constantly", "hyperlink", "incremental", "zope-interface"}
        needs |= {"typing-extensions", "pyopenssl", "service-identity", "idna"}
        needs |= {"tubes", "werkzeug"}
        self.assertEqual(needs - brought - self.depends, set())

    def test_parts(self) -> None:
        """So are the parts of Python that we import, which OpenWrt packages apart."""
        ours = {PARTS[name] for name in imported(ROOT / "bumper_tw") if name in PARTS}
        self.assertIn("sqlite3", ours)
        self.assertEqual(ours - self.depends, set())
        self.assertIn("light", self.depends)

    def test_hashes(self) -> None:
        """All sources have an address that ends in their name, and a hash."""
        sources = [line.split("|") for line in self.told["source"]]
        for (url, digest), one in zip(sources, self.sdk.vendored(), strict=True):
            letter = one.name[0]
            self.assertTrue(url.endswith(f"/{letter}/{one.name}/{one.sources}.tar.gz"), url)
            self.assertEqual(digest, one.hash)
            self.assertTrue(re.fullmatch(r"[0-9a-f]{64}", digest), one.name)


@cache
def built(out: Path) -> Sdk:
    """The package; once for all tests, as compiling it takes seconds."""
    sdk = Sdk(out)
    pretended(sdk)
    sdk.build()
    return sdk


class InstallTests(OpenWrtCase):
    """What is installed, of sources that are not there really."""

    def setUp(self) -> None:
        super().setUp()
        self.sdk = built(Path("openwrt-sdk").absolute())

    def mode(self, path: str) -> int:
        """The permissions of a file."""
        return (self.sdk.root / path).stat().st_mode & 0o777

    def test_files(self) -> None:
        """Everything is where a router looks for it, and the settings are the owner's alone."""
        for path in ("etc/init.d/bumper", "etc/uci-defaults/50-bumper", "usr/bin/bumper"):
            self.assertEqual(self.mode(path), 0o755, path)
        self.assertEqual(self.mode("etc/config/bumper"), 0o600)
        kept = (self.sdk.root / "lib/upgrade/keep.d/bumper").read_text().split()
        self.assertEqual(kept, ["/etc/bumper/", "/etc/bumper.dnsmasq"])
        library = self.sdk.root / "usr/lib/bumper"
        wanted = {"settings.sh", "names.sh", "luci.sh", "bumper_start.pyc", "bumper_tw"}
        wanted |= {Path(one.folder).name for one in self.sdk.vendored()}
        self.assertEqual({path.name for path in library.iterdir()}, wanted)

    def test_compiled(self) -> None:
        """No source is there, and of what is compiled no docstring or column; data is."""
        library = self.sdk.root / "usr/lib/bumper"
        self.assertEqual(list(library.rglob("*.py")), [])
        sources = {p.relative_to(ROOT) for p in (ROOT / "bumper_tw").rglob("*.py")}
        compiled = {p.relative_to(library) for p in (library / "bumper_tw").rglob("*.pyc")}
        self.assertEqual(compiled, {path.with_suffix(".pyc") for path in sources})
        self.assertNotIn(b"What this is.", (library / "klein/__init__.pyc").read_bytes())
        self.assertIn(b"What this is.", (library / "twisted/python/modules.pyc").read_bytes())
        for path in ("klein/__init__.pyc", "bumper_tw/errors.pyc", "twisted/python/modules.pyc"):
            code = marshal.loads((library / path).read_bytes()[16:])
            self.assertEqual({column for *_, column, _ in code.co_positions()}, {None}, path)
        self.assertTrue((library / "bumper_tw/storage/sql").is_dir())
        self.assertFalse((library / "klein/test").exists())

    def test_plugins(self) -> None:
        """twistd finds ours, and none that needs what is left out."""
        plugins = self.sdk.root / "usr/lib/bumper/twisted/plugins"
        found = {path.stem for path in plugins.iterdir()}
        self.assertEqual(found, {"__init__", "twisted_core", "bumper_tw_dropin"})
        self.assertFalse((plugins.parent / "conch").exists())

    def test_removed(self) -> None:
        """When it goes, not when it is renewed, what it changed elsewhere is taken back."""
        # Written once, so that blank lines are where they will be.
        self.box.uci("add_list", "dhcp.@dnsmasq[0].server=/own.example/")
        before = [self.box.read(f"etc/config/{name}") for name in ("dhcp", "uhttpd")]
        self.box.uci("set", "bumper.main.dns=1")
        self.box.init("start")
        self.box.init("move_luci")
        plugins = self.box.top / "usr/lib/bumper/twisted/plugins/dropin.cache"
        plugins.parent.mkdir(parents=True)
        plugins.touch()
        script = self.box.moved((self.sdk.out / "prerm").read_text())
        call = f'. "$FAKES/rc.common" {self.box.top}/etc/init.d/bumper luci_back'
        script = script.replace(f"{self.box.top}/etc/init.d/bumper luci_back", f"({call})")
        self.box.shell(f"PKG_UPGRADE=1\n{script}")
        self.assertIn("192.168.1.1", self.box.read("etc/config/dhcp"))
        self.assertIn(":8443", self.box.read("etc/config/uhttpd"))
        self.assertTrue(plugins.exists())
        done = self.box.shell(script)
        self.assertEqual(done.status, 0, done.out)
        after = [self.box.read(f"etc/config/{name}") for name in ("dhcp", "uhttpd")]
        self.assertFalse(plugins.exists())
        self.assertEqual(after[0], before[0])
        self.assertEqual(sorted(re.findall(r"\S+:\d+", after[1].replace("'", ""))),
                         sorted(re.findall(r"\S+:\d+", before[1])))  # fmt: skip


def start_module() -> ModuleType:
    """Our C{bumper_start.py}, as a module."""
    spec = spec_from_file_location("bumper_start", FILES / "bumper_start.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class StartTests(SynchronousTestCase):
    """C{bumper_start}, which everything begins with."""

    def test_unknown_word(self) -> None:
        """It says what it can do."""
        module = start_module()
        # Root stays that here: there is no user of ours.
        module.__dict__["OWNER"] = "root"
        for words in ([], ["start"], ["check"], ["plugins", "all"]):
            with self.assertRaises(SystemExit) as caught:
                module.main(words)
            self.assertIn("serve, check, command or plugins", str(caught.exception))
