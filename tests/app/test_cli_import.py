"""Tests for L{bumper_tw.app.cli_import}: what owners type to move from another Bumper."""

import os
import shutil
import socket
import stat
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import mkdtemp

from twisted.trial.unittest import SkipTest

from bumper_tw.app.certificates import open_vault
from bumper_tw.app.control import NAME
from bumper_tw.app.settings import Settings, TlsSettings
from bumper_tw.core.ownership import Owned
from bumper_tw.core.policies import uid_of
from bumper_tw.pki import pem
from bumper_tw.pki.authority import Authority
from bumper_tw.pki.handout import fingerprint
from bumper_tw.storage.accounts import AccountStore
from bumper_tw.storage.cleaning import CleaningLogStore
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.devices import DeviceStore
from bumper_tw.storage.migrations import DATABASE, known, migrate
from bumper_tw.storage.records import RecordStore
from bumper_tw.values import Device, Home, Token, User
from tests.app.test_cli import Case
from tests.pki.samples import ec_key, foreign_leaf, new_authority, put
from tests.samples import DUSTY, RUSTY

SAVED = Path(__file__).parents[1] / "data"
EVERYBODY = "faf9838ac653b1fe66cd"
OLDIE = "E0009876500123450001"


class ImportCase(Case):
    """The folder of another Bumper, and one for us."""

    def setUp(self) -> None:
        super().setUp()
        self.root = self.folder
        self.theirs, self.folder = self.root / "theirs", self.root / "data"
        self.certs = self.root / "our-certs"
        os.environ["BUMPER_TLS_DIRECTORY"] = str(self.certs)
        self.now = datetime.now(UTC)
        self.saved("bumper_mv/bumper.db")

    def saved(self, name: str) -> Path:
        """One of the databases takes its place."""
        path = self.theirs / "data" / "bumper.db"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SAVED / name, path)
        return path

    def authority(self, folder: str = "certs", key: str = "ca.key") -> Authority:
        """They have made one."""
        made = new_authority(ec_key(), self.now - timedelta(days=400))
        put(self.theirs / folder, "ca.crt", pem.text(made.certificate))
        if key:
            put(self.theirs / folder, key, pem.key_text(made.key))
        return made

    def imports(self, *words: str) -> str:
        """What an import says that goes well."""
        return self.said("import", str(self.theirs), *words)

    def refuses(self, *words: str) -> str:
        """What one says that does not."""
        return self.complaint("import", str(self.theirs), *words)

    def database(self) -> InlineDatabase:
        """Ours."""
        migrate(self.folder / DATABASE)
        return InlineDatabase(self.folder / DATABASE)

    def robots(self) -> dict[str, Device]:
        """Those we know."""
        with closing(self.database()) as database:
            return {d.id.did: d for d in self.successResultOf(DeviceStore(database).load())}

    def accounts(self) -> tuple[list[User], list[Token], list[Home]]:
        """Whom we know."""
        with closing(self.database()) as database:
            return self.successResultOf(AccountStore(database).load())

    def held(self) -> dict[str, tuple[bytes, int]]:
        """Every file here, with what is in it and when it was changed."""
        return self.held_in(self.root)

    def held_in(self, folder: Path) -> dict[str, tuple[bytes, int]]:
        """The same of one folder."""
        found = filter(Path.is_file, folder.rglob("*"))
        return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


class ComingTests(ImportCase):
    """What comes."""

    def test_everything(self) -> None:
        """Robots, users, homes, logins, jobs and the authority."""
        made = self.authority()
        said = self.imports()
        self.assertIn("the newest Bumper 0.3.0", said)
        self.assertEqual(set(self.robots()), {DUSTY.did, RUSTY.did, OLDIE})
        users, tokens, homes = self.accounts()
        self.assertIn((EVERYBODY, "bumper"), [(user.uid, user.account) for user in users])
        self.assertEqual((len(users), len(tokens), len(homes)), (3, 2, 3))
        with closing(self.database()) as database:
            jobs = self.successResultOf(CleaningLogStore(database).logs(DUSTY.did, 9))
        self.assertEqual(
            [(j.started_at, j.duration) for j in jobs], [(1699399999, 1800), (1699299999, 1900)]
        )
        self.assertEqual(pem.read(self.certs / "ca.crt"), (made.certificate,))
        self.assertIn(fingerprint(made.certificate), said)
        for word in ("bumper dns", "bumper doctor", "BUMPER_ANNOUNCE_IP"):
            self.assertIn(word, said)

    def test_serves(self) -> None:
        """The authority that came signs for this server."""
        made = self.authority()
        self.imports()
        settings = Settings(tls=TlsSettings(directory=self.certs))
        vault = open_vault(settings)
        vault.ensure()
        self.assertEqual(vault.ca_pem(), pem.text(made.certificate))

    def test_again(self) -> None:
        """The second time everything is here, and nothing changes."""
        self.authority()
        self.assertRegex(self.imports(), r"robots +3 +0\n")
        tables, certificates = self.dump(), self.held_in(self.certs)
        said = self.imports()
        self.assertRegex(said, r"robots +0 +3\n")
        self.assertRegex(said, r"cleaning logs +0 +3\n")
        self.assertIn(f"is the one in {self.certs} already", said)
        self.assertEqual((self.dump(), self.held_in(self.certs)), (tables, certificates))

    def dump(self) -> list[str]:
        """All that is in our database."""
        with closing(self.database()) as database:
            return self.successResultOf(
                database.interact(lambda cursor: list(cursor.connection.iterdump()))
            )

    def test_generations(self) -> None:
        """All of them, into one house."""
        self.authority()
        for name in ("bumper_bm/bumper.db", "bumper_ed/bumper.db", "bumper_mv/bumper-0.2.2.db"):
            self.saved(name)
            self.imports()
        users, tokens, _ = self.accounts()
        self.assertEqual(
            [user.uid for user in users], ["fuid_tmpuser", "fuid_second", "d648b243a3e817eaa330"]
        )
        self.assertEqual(len(tokens), 7)
        self.assertEqual(self.robots()[DUSTY.did].nick, "Dusty")

    def test_our_own_stays(self) -> None:
        """A name that was given here is not taken back."""
        ours = Device(DUSTY, nick="Staubi", bound_at=5)
        with closing(self.database()) as database:
            self.successResultOf(DeviceStore(database).save(ours))
        self.imports("--without-ca")
        self.assertEqual(
            self.robots()[DUSTY.did], Device(DUSTY, "E0001", nick="Staubi", bound_at=5)
        )

    def test_owners(self) -> None:
        """Where robots have owners, they are given to whoever is named."""
        os.environ["BUMPER_IDENTITY_POLICY"] = "strict"
        os.environ["BUMPER_IDENTITY_ROBOTS_OF"] = "owners"
        self.said("user", "add", "anna", answer="secret\n")
        said = self.imports("--without-ca", "--account", "anna")
        self.assertIn("bumper user add", said)
        with closing(self.database()) as database:
            owners = self.successResultOf(RecordStore(database).load("owners"))
        self.assertEqual(
            {did: Owned(**o).uid for did, o in owners.items()},
            dict.fromkeys(self.robots(), uid_of("anna")),
        )
        self.assertIn("anna", self.said("robot", "list"))

    def test_secrets_not_told(self) -> None:
        """No login is shown, nor what keys there are."""
        self.authority()
        said = self.imports()
        for secret in ("1010", "3030", "PRIVATE"):
            self.assertNotIn(secret, said)
        mode = stat.S_IMODE((self.folder / DATABASE).stat().st_mode)
        self.assertEqual(mode, 0o600)
        self.assertEqual(stat.S_IMODE((self.certs / "ca.key").stat().st_mode), 0o600)

    def test_root(self) -> None:
        """What root makes before the first start belongs to the user of the folder above."""
        if os.getuid():
            raise SkipTest("NOT TESTED: only root can give files away")
        made = self.authority()
        above = self.root / "lib"
        above.mkdir()
        os.chown(above, 12345, 54321)
        self.folder, certs = above / "bumper", above / "bumper" / "certs"
        os.environ["BUMPER_TLS_DIRECTORY"] = str(certs)
        self.imports()
        self.assertEqual(pem.read(certs / "ca.crt"), (made.certificate,))
        for path in above.rglob("*"):
            there = path.stat()
            self.assertEqual((there.st_uid, there.st_gid), (12345, 54321), path)

    def test_places(self) -> None:
        """The folder, its data folder, or the database itself; certificates are found by it."""
        self.authority()
        for given in (self.theirs, self.theirs / "data", self.theirs / "data" / "bumper.db"):
            said = self.said("import", str(given), "--dry-run")
            self.assertIn("would be the one in", said)

    def test_passwords(self) -> None:
        """The accounts of local clients are named, for they come by a setting."""
        put(self.theirs / "data", "passwd", b"user:$6$x$y\n")
        self.assertIn("mqtt.passwords", self.imports("--without-ca"))


class DryTests(ImportCase):
    """C{--dry-run}."""

    def test_nothing_here(self) -> None:
        """Before the first start nothing is made."""
        self.authority()
        before = self.held()
        said = self.imports("--dry-run")
        self.assertIn("WOULD COME", said)
        self.assertIn("Nothing was changed", said)
        self.assertEqual(self.held(), before)
        self.assertFalse(self.folder.exists() or self.certs.exists())

    def test_same_table(self) -> None:
        """It says what the import then says."""
        self.authority()
        dry, real = (
            " ".join(self.imports(*words).partition("AUTHORITY")[0].split())
            for words in (["--dry-run"], [])
        )
        self.assertEqual(dry.replace("WOULD COME", "CAME"), real)

    def test_beside_ours(self) -> None:
        """Nothing of ours is touched, not even the time of a file."""
        self.authority()
        with closing(self.database()):
            pass
        before = self.held()
        self.assertRegex(self.imports("--dry-run"), r"robots +3 +0")
        self.assertEqual(self.held(), before)

    def test_not_closed(self) -> None:
        """A server that was killed has left a log; what is in it counts."""
        database = self.database()
        self.successResultOf(DeviceStore(database).save(Device(DUSTY, nick="Staubi")))
        copy = self.root / "killed"
        shutil.copytree(self.folder, copy)
        database.close()
        self.folder = copy
        self.assertTrue((copy / f"{DATABASE}-wal").stat().st_size)
        before = self.held()
        self.assertIn("Staubi", self.imports("--dry-run"))
        self.assertEqual(self.held(), before)

    def test_older(self) -> None:
        """A database that the next start brings up to date stays as it is."""
        self.folder.mkdir()
        shutil.copy(self.old_database(), self.folder / DATABASE)
        before = self.held()
        self.assertRegex(self.imports("--dry-run"), r"robots +3 +0")
        self.assertEqual(self.held(), before)

    def old_database(self) -> Path:
        """One of the first schema."""
        path = self.root / "old.db"
        migrate(path, known()[:1])
        return path

    def test_no_authority(self) -> None:
        """What the import would refuse is said, with what to do."""
        said = self.imports("--dry-run")
        self.assertIn("cannot be taken over", said)
        self.assertIn("--without-ca", said)


class RefusalTests(ImportCase):
    """What cannot be done changes nothing, and is one sentence."""

    def refused(self, *words: str) -> str:
        """What is said; nothing may change."""
        before = self.held()
        said = self.refuses(*words)
        self.assertEqual(self.held(), before)
        self.assertEqual(said.count("\n"), 1)
        return said

    def test_no_key(self) -> None:
        """An authority without its key signs nothing; what to do is said."""
        self.authority(key="")
        said = self.refused()
        for word in ("no key", "mkcert", "--without-ca"):
            self.assertIn(word, said)
        self.assertNotIn("bumper.key", said)

    def test_leaf_goes_on(self) -> None:
        """Their server certificate may be shown until it ends."""
        made = self.authority(key="")
        leaf, key = foreign_leaf(self.now, made)
        put(self.theirs / "certs", "bumper.crt", pem.text(leaf))
        put(self.theirs / "certs", "bumper.key", pem.key_text(key))
        said = self.refused()
        self.assertIn("bumper.crt and bumper.key", said)
        for name in ("ca.crt", "bumper.crt", "bumper.key"):
            put(self.certs, name, (self.theirs / "certs" / name).read_bytes())
        vault = open_vault(Settings(tls=TlsSettings(directory=self.certs)))
        vault.ensure()
        self.assertEqual(vault.ca_pem(), pem.text(made.certificate))

    def test_leaf_alone(self) -> None:
        """Of mkcert's only the leaf is there."""
        leaf, key = foreign_leaf(self.now, new_authority(ec_key(), self.now))
        put(self.theirs / "certs", "bumper.crt", pem.text(leaf))
        put(self.theirs / "certs", "bumper.key", pem.key_text(key))
        self.assertIn("no certificate of an authority", self.refused())

    def test_garbled_key(self) -> None:
        """A key that is none."""
        self.authority(key="")
        put(self.theirs / "certs", "ca.key", b"-----BEGIN PRIVATE KEY-----\nx\n-----END")
        self.assertIn("readable private key", self.refused())

    def test_elsewhere(self) -> None:
        """Certificates may be anywhere."""
        self.assertIn("--certs-from", self.refused())
        self.authority("../elsewhere")
        self.imports("--certs-from", str(self.root / "elsewhere"))
        self.assertTrue((self.certs / "ca.key").exists())

    def test_damaged(self) -> None:
        """File and place are named."""
        path = self.theirs / "data" / "bumper.db"
        path.write_text('{"bots": {"1": \n{]}}')
        self.assertIn(f"{path} is damaged at line 2, column 2", self.refused("--without-ca"))

    def test_nothing_there(self) -> None:
        """Another folder, or ours."""
        said = self.complaint("import", str(self.root / "nowhere"))
        self.assertIn("no bumper.db", said)
        with closing(self.database()):
            pass
        self.assertIn("our own", self.complaint("import", str(self.folder)))
        shutil.copy(self.folder / DATABASE, self.theirs / "data" / "bumper.db")
        self.assertIn("of this program", self.refused("--without-ca"))

    def test_running(self) -> None:
        """A running server would not notice, and write over it; a dry run is fine."""
        # The path of a socket is short.
        near = Path(mkdtemp(prefix="bumper"))
        self.addCleanup(shutil.rmtree, near)
        self.folder = near / "data"
        self.folder.mkdir()
        with closing(self.database()) as database, socket.socket(socket.AF_UNIX) as listening:
            self.successResultOf(DeviceStore(database).save(Device(DUSTY, nick="Staubi")))
            listening.bind(str(self.folder / NAME))
            listening.listen()
            self.assertIn("stop it", self.refuses("--without-ca"))
            self.assertIn("Staubi", self.imports("--without-ca", "--dry-run"))
        self.assertEqual(set(self.robots()), {DUSTY.did})

    def test_in_use(self) -> None:
        """One without a control socket has the database open."""
        with closing(self.database()):
            pass
        program = (
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
            "c.execute('SELECT count(*) FROM devices').fetchall(); print(flush=True); input()"
        )
        with Popen(
            [sys.executable, "-c", program, str(self.folder / DATABASE)], stdin=PIPE, stdout=PIPE
        ) as other:
            assert other.stdout is not None
            other.stdout.readline()
            self.assertIn("stop it", self.refuses("--without-ca"))
            other.communicate(b"\n")
        self.assertEqual(self.robots(), {})

    def test_password_here(self) -> None:
        """A login of theirs opens no account that has a password here."""
        self.said("user", "add", "bumper", answer="secret\n")
        [user] = self.accounts()[0]
        self.assertIn("password here", self.imports("--without-ca"))
        self.assertNotIn(user.uid, [token.uid for token in self.accounts()[1]])

    def test_no_account(self) -> None:
        """A slip of the pen leaves an empty house."""
        self.assertIn("no account zoe", self.refuses("--without-ca", "--account", "zoe"))
        self.assertEqual(self.robots(), {})

    def test_authority_not_written(self) -> None:
        """That is said, and what is here by then is here; another import brings the rest."""
        made = self.authority()
        obstacle = self.certs / ".ca.key.new"
        obstacle.mkdir(parents=True)
        said = self.refuses()
        self.assertIn("the authority is not", said)
        self.assertEqual((len(self.robots()), (self.certs / "ca.crt").exists()), (3, False))
        obstacle.rmdir()
        self.imports()
        self.assertEqual(pem.read(self.certs / "ca.crt"), (made.certificate,))
