"""The image, made step by step in a Debian of our own, and what it starts."""

import re
import shutil

from tests.interop.built import DOCKERFILE, take
from tests.interop.case import InteropCase, clients_wanted
from tests.interop.chroots import Chroot, needed, sources, tree
from tests.interop.dockerfile import Build, read

#: What compose.yaml allows, as the kernel has it.
FREE_PORTS = "/proc/sys/net/ipv4/ip_unprivileged_port_start"

#: Says who a process is, what it may do, and which files it holds that it may write to.
STATUS = r"^(?:Uid|CapEff|NoNewPrivs):\t(\S+)"


class ContainerTests(InteropCase):
    """The image and its process."""

    def setUp(self) -> None:
        super().setUp()
        clients_wanted()
        _, self.image = read(DOCKERFILE)

    def made(self) -> Build:
        """Do what the Dockerfile says; what apt would fetch is there already."""
        fetched = [*needed(), *self.image.install()]
        debian = Chroot(self.folder / "second", tree(fetched=fetched))
        self.addCleanup(debian.off)
        context = sources(self.folder / "context")
        build = Build(debian, context, {"build": take}, self.folder)
        build.make(self.image)
        shutil.rmtree(context)
        return build

    def test_image(self) -> None:
        """Its process is not root, has no privilege, serves at the known ports, is healthy."""
        build = self.made()
        debian = build.debian
        self.assertFalse(build.healthy(self.image))
        build.given["BUMPER_SERVER_ANNOUNCE"] = "192.168.1.2"
        # As with the network of the box: the ports are not free, and it says so.
        refused = build.start(self.image)
        self.assertEqual(refused.finish(), 1, refused.story())
        self.assertIn("tcp port 443 needs privileges", refused.story())
        debian.do("sh", "-c", f"echo 0 > {FREE_PORTS}")
        server = build.start(self.image)
        self.addCleanup(server.finish)
        self.addCleanup(server.kill)
        server.wait_for(r"accepting connections", 6)
        self.assertTrue(build.healthy(self.image))
        status = debian.do("cat", f"/proc/{server.pid}/status")
        user = debian.do("id", "-u", "bumper").strip()
        self.assertEqual(re.findall(STATUS, status, re.M), [user, "0" * 16, "1"])
        self.assertNotEqual(user, "0")
        # The root of the file system is read-only in compose.yaml.
        written = debian.do("find", "/", "-xdev", "-user", "bumper", "-not", "-path", "/proc/*")
        for path in written.splitlines():
            self.assertTrue(path.startswith("/var/lib/bumper"), path)
        # Root inside, as with "docker compose exec -u root", leaves the data what it is.
        debian.do("/usr/bin/bumper", "user", "add", "owner@example.org", said="hunter2\n")
        owners = debian.do("find", "/var/lib/bumper", "-printf", "%u\n")
        self.assertEqual(set(owners.split()), {"bumper"})
        server.terminate()
        self.assertEqual(server.finish(), 0, server.story())
        self.assertNotIn("Traceback", server.story())
