"""What root does on OpenWrt before the server starts, which is never root."""

from bumper_tw.app.ports import port_of
from bumper_tw.app.settings import LISTEN
from tests.packaging.openwrt_fakes.box import FREE_PORTS
from tests.packaging.openwrt_fakes.case import MAIN, OpenWrtCase, uci


def listening(at: str) -> str:
    """A section of UCI with one listener."""
    return f"config listen\n\toption serve 'web'\n\toption at {uci(at)}\n"


class FolderTests(OpenWrtCase):
    """The two folders of the server's, in one of root's."""

    def test_folders_again(self) -> None:
        """Folders that were there keep their modes, and what is in them its owner."""
        (self.box.top / "etc/bumper/data").mkdir(parents=True)
        (self.box.top / "etc/bumper").chmod(0o755)
        (self.box.top / "etc/bumper/data").chmod(0o750)
        (self.box.top / "etc/bumper/data/bumper.db").touch()
        self.assertEqual(self.box.init("start").status, 0)
        self.assertEqual(self.mode("etc/bumper/data"), 0o750)
        self.assertNotIn("bumper.db", self.box.read("owned"))

    def test_link(self) -> None:
        """A link in the place of a folder of the server's starts nothing, and is not followed."""
        (self.box.top / "etc/bumper").mkdir()
        (self.box.top / "etc/bumper").chmod(0o755)
        for name in ("data", "certs"):
            path = self.box.top / "etc/bumper" / name
            for place in ("etc/config", "nowhere"):
                path.symlink_to(self.box.top / place)
                done = self.box.init("start")
                self.assertIn(f"{path} has to be a folder of the user bumper", done.log)
                self.assertEqual(done.params("command"), [])
                self.assertNotIn(str(path), self.box.read("owned"))
                path.unlink()
        self.assertFalse((self.box.top / "nowhere").exists())

    def test_others_folder(self) -> None:
        """Where others may write beside the two folders, nothing is made, and nothing starts."""
        folder = self.box.top / "etc/bumper"
        folder.mkdir()
        for mode in (0o775, 0o757, 0o777, 0o1777, 0o700):
            folder.chmod(mode)
            done = self.box.init("start")
            self.assertIn(f"chown root:root {folder}; chmod 755 {folder}", done.log)
            self.assertEqual(done.params("command"), [], oct(mode))
            self.assertEqual(list(folder.iterdir()), [])


class PortTests(OpenWrtCase):
    """Ports that are root's on other computers."""

    def test_ports(self) -> None:
        """Ports below 1024 are freed as far as needed: the server is nobody who may have them."""
        for lines, wanted in (
            (listening("tcp:8007"), 1024),
            (listening("tcp:1023"), 1023),
            (listening("tcp:443:interface=10.1.2.3") + listening("tcp:8007"), 443),
            (f"{listening('tcp:8007')}config dns\n\toption serve '1'\n", 53),
            # Never given back, as long as the router runs.
            (listening("tcp:80"), 53),
        ):
            self.box.config("bumper", MAIN + lines)
            self.assertEqual(self.box.init("start").status, 0)
            self.assertEqual(self.box.read(FREE_PORTS), f"{wanted}\n", lines)

    def test_no_such_ports(self) -> None:
        """A kernel without that says why a port cannot be had, by the server."""
        (self.box.top / FREE_PORTS).unlink()
        (self.box.top / FREE_PORTS).parent.rmdir()
        done = self.box.init("start")
        self.assertEqual((done.status, len(done.params("command"))), (0, 1))

    def test_lowest_port(self) -> None:
        """The script reads from endpoints what the server reads from them."""
        for at in (
            "tcp:443", "tcp:port=443", "tcp:interface=10.1.2.3:port=80", "tcp6:990", "tcp:0",
            r"tcp:443:interface=fd00\:\:53", r"tcp:interface=fd00\:\:1\:22:port=81", "unix:/run/x",
            "systemd:domain=INET6:name=https", "tcp:interface=10.1.2.3", "", "tcp", "80", ":80 ",
        ):  # fmt: skip
            self.box.config("bumper", MAIN + listening(at))
            self.box.init("start")
            script = f'. "{self.box.top}/usr/lib/bumper/settings.sh"; bumper_lowest_port "$1"'
            said = self.box.shell(script, str(self.box.top / "var/etc/bumper.toml")).out
            self.assertEqual(int(said), port_of(at) or 65536, at)

    def test_default_ports(self) -> None:
        """Whoever says nothing of listeners gets the server's own ones, and the ports of those."""
        self.box.config("bumper", MAIN)
        self.box.init("start")
        lowest = min(port_of(listen.at) or 0 for listen in LISTEN)
        self.assertEqual(self.box.read(FREE_PORTS), f"{lowest}\n")
        self.box.config("bumper", f"{MAIN}config dns\n\toption serve '1'\n\toption port '7'\n")
        self.box.init("start")
        self.assertEqual(self.box.read(FREE_PORTS), "7\n")
