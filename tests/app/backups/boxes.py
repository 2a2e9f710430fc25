"""A box as a server has left it, for tests of backups."""

import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from bumper_tw.pki import pem
from bumper_tw.pki.vault import Vault
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.devices import DeviceStore
from bumper_tw.storage.migrations import DATABASE, migrate
from bumper_tw.values import Device, DeviceId
from tests.app.test_cli import Case
from tests.pki.samples import ec_key, new_authority, put, rsa_key

PICTURE = "files/dusty/1700000000000-picture-0123456789abcdef"

#: What a backup does not have, or a restore does not touch.
LEAVES, JOURNAL = "certs/leaves/portal.ecouser.net.crt", "data/journal.jsonl"


def write(path: Path, held: bytes | str, mode: int = 0o600) -> None:
    """A file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(held.encode() if isinstance(held, str) else held)
    path.chmod(mode)


def furnish(box: Path, robot: str, config: bool = True) -> None:
    """
    All that a server has.

    @param robot: the one that it knows; other boxes have others.
    """
    data, certs, now = box / "data", box / "certs", datetime.now(UTC)
    migrate(data / DATABASE)
    with closing(InlineDatabase(data / DATABASE)) as database:
        DeviceStore(database).save(Device(DeviceId(robot, "yna5xi", "x")))
    root = new_authority(ec_key(), now)
    put(certs, "ca.crt", pem.text(root.certificate))
    put(certs, "ca.key", pem.key_text(root.key))
    put(certs, "bumper.key", pem.key_text(ec_key()))
    put(certs, "config.key", pem.key_text(rsa_key(1)))
    vault = Vault(certs, [], [], lambda: now)
    vault.ensure()
    vault.signing_secret()
    write(box / LEAVES, f"of {robot}")
    write(box / JOURNAL, f"of {robot}")
    write(data / "answers" / "own.json", f'{{"of": "{robot}"}}')
    write(data / "answers" / ("deep" * 40) / ("\u00e4" * 30), robot)
    write(data / "firmware" / "yna5xi" / "latest.json", "{}")
    write(data / PICTURE, f"picture of {robot}")
    write(data / "files" / "dusty" / "x.part", "half")
    if config:
        settings = '[storage]\ndirectory = "data"\n[tls]\ndirectory = "certs"\n'
        write(
            box / "bumper.toml", f'{settings}[mqtt]\npasswords = "passwords"\n# {robot}\n', 0o640
        )
        write(box / "passwords", f"{robot}:hash\n", 0o640)


def state(box: Path) -> dict[str, bytes]:
    """Every file of a box, but what restores leave; a link is where it leads."""
    return {
        name: str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        for path in sorted(box.rglob("*"))
        for name in [path.relative_to(box).as_posix()]
        if not path.is_dir() or path.is_symlink()
        if "before-restore" not in name
    }


def restorable(box: Path) -> dict[str, bytes]:
    """Of these, what a restore replaces."""
    known = state(box)
    for name in (JOURNAL, LEAVES, "data/files/dusty/x.part"):
        known.pop(name, None)
    return known


class BoxCase(Case):
    """Types C{bumper backup} and C{bumper restore} on two boxes."""

    def setUp(self) -> None:
        super().setUp()
        self.here, self.there = self.folder / "here", self.folder / "there"
        furnish(self.here, "dusty")
        self.file = self.folder / "out.tar"

    def on(self, box: Path, *words: str, answer: str = "") -> tuple[object, str, str]:
        """One command, with the settings of a box."""
        return self.typed(*words, "--config", str(box / "bumper.toml"), answer=answer)

    def well(self, box: Path, *words: str, answer: str = "") -> str:
        """What one says that goes well."""
        status, out, err = self.on(box, *words, answer=answer)
        self.assertEqual((status, err), (0, ""))
        return out

    def badly(self, box: Path, *words: str, answer: str = "") -> str:
        """What one says that does not; it is one line, and nothing has changed."""
        before = state(self.folder)
        status, out, err = self.on(box, *words, answer=answer)
        self.assertEqual((status, out), (1, ""))
        self.assertEqual(err.count("\n"), 1, err)
        self.assertEqual(state(self.folder), before)
        return err

    def backup(self, *words: str) -> bytes:
        """A backup of the first box."""
        self.well(self.here, "backup", str(self.file), *words)
        return self.file.read_bytes()

    def restore(self, *words: str, answer: str = "") -> str:
        """Restore it on the second one."""
        self.there.mkdir(exist_ok=True)
        return self.well(self.there, "restore", str(self.file), *words, answer=answer)

    def link(self, target: Path, place: Path) -> None:
        """A link where something else was expected."""
        place.parent.mkdir(parents=True, exist_ok=True)
        os.symlink(target, place)
