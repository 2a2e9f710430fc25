"""Tests for L{bumper_tw.app.support.bundle}, gathering and C{bumper support-bundle}."""

import base64
import json
import os
import sqlite3
import sys
from contextlib import closing
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any
from urllib.parse import quote

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app import cli_support
from bumper_tw.app.asking import NotAsked, NotRunning
from bumper_tw.app.journal_pages import Pages
from bumper_tw.app.logs import USUAL
from bumper_tw.app.opening import open_plain
from bumper_tw.app.settings import Settings
from bumper_tw.app.support import bundle, gathering
from bumper_tw.app.support.bundle import House, made, packed, write
from bumper_tw.app.support.gathering import Gathered, Sources, gather
from bumper_tw.errors import BadRequest
from bumper_tw.front.journal_file import NAME
from bumper_tw.storage.migrations import DATABASE, migrate
from tests.app.support.plants import PLANTS, found_in, unpacked
from tests.app.test_cli import Case

P = PLANTS

#: What nobody knows who sees it alone: only the names of fields, or what is around it, tell.
NOT_KNOWN = frozenset({"ssid", "phone"})


#: What the log says, on top of each plant in each spelling.
LOG = f"""\
2026-11-23T18:50:00+0000 [bumper_tw.mqtt#info] robot {P["did"]} connected from {P["address"]}
2026-11-23T18:50:01+0000 [bumper_tw.web#info] refused POST /v1/{P["uid"]}/x: {P["jwt"]}
Traceback (most recent call last):
  File "/home/{P["folder"]}/bumper_tw/app/root.py", line 7, in work
the app EcovacsHome/2.1.0 ({P["phone"]})
"""


def fill(path: Path) -> None:
    """A database with somebody in it."""
    migrate(path)
    rows: dict[str, dict[str, object]] = {
        "devices": {
            "did": P["did"], "model": "yna5xi", "resource": P["resource"], "name": P["serial"],
            "company": "eco-ng", "kind": "j", "nick": P["nick"], "firmware": "1.14.3",
            "bound_at": 0.0, "home": P["home id"],
        },
        "users": {
            "uid": P["uid"], "account": P["account"], "created_at": 0.0, "password": P["hash"],
        },
        "homes": {
            "id": P["home id"], "uid": P["uid"], "name": P["home"], "created_at": 0.0,
        },
        "tokens": {
            "digest": "d", "uid": P["uid"], "purpose": "access", "expires_at": 0.0,
            "client": P["client"],
        },
        "robot_secrets": {"did": P["did"], "secret": P["password"]},
        "records": {
            "shelf": "profiles", "key": P["uid"], "value": json.dumps({"nickname": P["nickname"]}),
        },
    }  # fmt: skip
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, row in rows.items():
            marks = ", ".join("?" * len(row))
            query = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"
            connection.execute(query, tuple(row.values()))
        unknown = {"method": "GET", "path": "/v1/{P}/newThing", "count": 7, "first": 0.0}
        connection.execute(
            "INSERT INTO records (shelf, key, value) VALUES ('unknown paths', 'k', ?)",
            (json.dumps(unknown),),
        )


def story() -> str:
    """What the journal tells."""
    return (
        f"18:50 {P['address']} ({P['nick']}) came to port 443.\n         It asked for "
        f"{P['domain']}, sent client id {P['client']}, user {P['account']}\n"
        f"         => the app EcovacsHome/2.1.0 ({P['phone']}; {P['mac']})"
    )


#: What the running server says.
ANSWERS: dict[str, Any] = {
    "/api/doctor": {
        "findings": [
            {
                "check": "robots",
                "sound": False,
                "sentence": f"{P['nick']} ({P['did']}) is silent since it came from {P['public']}",
                "remedy": f"see http://{P['box']}:8007/ or {P['six']}",
                "hosts": [P["address"]],
                "lines": [f"ssid: {P['ssid']}", f"serial {P['serial']}"],
            }
        ],
        "failures": 1,
        "running": True,
    },
    "/api/doctor/snapshot": {
        "version": "1.0",
        "uid": 1000,
        "pid": 7,
        "data": f"/home/{P['folder']}/data",
        "listeners": [{"serve": "all", "at": "tcp:443", "bound": True, "port": 443}],
        "robots": [{"did": P["did"], "name": P["nick"], "model": "yna5xi", "online": True}],
        "contacts": [{"host": P["address"], "claim": P["client"]}],
    },
    "/api/log": {"level": "info", "levels": {}, "file": ""},
    "/api/journal": {
        "started": 1.0,
        "revision": 2,
        "entries": [
            {
                "revision": 1,
                "kind": "contact",
                "host": P["address"],
                "outcome": "tls_failed",
                "robot": P["did"],
                "robot_name": P["nick"],
                "claims": [f"client id {P['client']}, user {P['uid']}"],
                "name": f"service {P['service']}",
                "hello": {"server_name": P["domain"], "ciphers": ["TLS_AES_128_GCM_SHA256"]},
                "story": story(),
            }
        ],
    },
}


def answer(settings: Settings, path: str, seconds: float) -> Any:
    """A server that answers."""
    return ANSWERS[path.partition("?")[0]]


def nobody(settings: Settings, path: str, seconds: float) -> Any:
    """No server."""
    raise NotRunning(f"no server is running with the data folder of {P['folder']}")


class Pipe(BytesIO):
    """Nobody knows how much there will be."""

    def seekable(self) -> bool:
        return False


class BundleCase(SynchronousTestCase):
    """A house full of things that must not go out."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        settings = Settings()
        fill(self.folder / DATABASE)
        self.log = self.folder / "server.log"
        spelled = [
            text
            for kind, plant in PLANTS.items()
            if kind not in NOT_KNOWN
            for text in (plant, quote(plant, safe=""), base64.b64encode(plant.encode()).decode())
        ]
        context = [f"{kind}={plant}" for kind, plant in PLANTS.items()]
        self.log.write_text("\n".join([LOG, *spelled, *context]), "utf-8")
        passwords = self.folder / "passwords"
        passwords.write_text(f"{P['service']}:$7$101${P['hash']}\n")
        self.settings = evolve(
            settings,
            server=evolve(settings.server, name=(f"{P['box']}.{P['domain']}",)),
            storage=evolve(settings.storage, directory=self.folder),
            tls=evolve(settings.tls, directory=self.folder / "certs"),
            mqtt=evolve(settings.mqtt, passwords=passwords),
        )
        self.house = House(self.settings, (P["box"],), (P["folder"],), ("192.168.178.2",))

    def gathered(self, ask: Any = answer) -> Gathered:
        """What there is."""
        return gather(
            Sources(
                self.settings, lambda: ANSWERS["/api/doctor"], lambda: open_plain(self.log), ask
            )
        )

    def files(self, ask: Any = answer) -> dict[str, str]:
        """What goes out."""
        return made(self.gathered(ask), self.house)


class ContentTests(BundleCase):
    """What is in a bundle, and what is not."""

    def test_nothing_of_ours(self) -> None:
        """None of the plants can be found, in any file and in any spelling."""
        files = self.files()
        self.assertIn("log.txt", files)
        for name, text in files.items():
            self.assertEqual(found_in(text.encode(), P.values()), [], name)

    def test_without_server(self) -> None:
        """The same when no server runs; the doctor looks then, and says so."""
        files = self.files(nobody)
        for name, text in files.items():
            self.assertEqual(found_in(text.encode(), P.values()), [], name)
        self.assertIn("looked at without it", files["doctor.json"])
        self.assertIn("journal.json", files["README.txt"])

    def test_what_helps(self) -> None:
        """Findings, versions, outcomes and figures are there, and who is who."""
        files = self.files()
        doctor = json.loads(files["doctor.json"])
        [finding] = doctor["findings"]
        self.assertEqual(finding["check"], "robots")
        self.assertEqual(
            finding["sentence"], "robot-1-name (robot-1) is silent since it came from public-1"
        )
        [entry] = json.loads(files["journal.json"])
        self.assertEqual(entry["outcome"], "tls_failed")
        self.assertEqual((entry["robot"], entry["host"]), ("robot-1", finding["hosts"][0]))
        self.assertIn("EcovacsHome/2.1.0 (...)", entry["story"])
        self.assertIn("TLS_AES_128_GCM_SHA256", entry["hello"]["ciphers"])
        versions = json.loads(files["versions.json"])
        self.assertTrue(versions["packages"]["Twisted"])
        rows = json.loads(files["database.json"])
        self.assertEqual((rows["rows"]["devices"], rows["there"]), (1, True))
        [unknown] = json.loads(files["unknown paths.json"])
        self.assertEqual((unknown["path"], unknown["count"]), ("/v1/{P}/newThing", 7))
        server = json.loads(files["server.json"])
        self.assertEqual(server["robots"][0]["model"], "yna5xi")
        self.assertNotIn("contacts", server)
        self.assertIn("robot robot-1 connected from", files["log.txt"])
        self.assertIn("bumper_tw/app/root.py", files["log.txt"])
        chosen = {each["setting"]: each for each in json.loads(files["settings.json"])}
        self.assertEqual(chosen["mqtt.passwords"]["value"], "there is one")
        self.assertTrue(chosen["commands.timeout"]["default"])

    def test_learnt_from_one_another(self) -> None:
        """Who is named in one file, or in the database, has another name in all of them."""
        with closing(sqlite3.connect(self.folder / DATABASE)) as connection, connection:
            connection.execute(
                "UPDATE users SET account = 'Zebulonski' WHERE uid = ?", (P["uid"],)
            )
        entry = {"kind": "contact", "claims": ["client id gustavs-uhr, user gustavsson"]}
        texts = {"log.txt": "what gustavs-uhr, gustavsson and Zebulonski do"}
        found = made(Gathered({"journal.json": [entry]}, texts, {}), self.house)
        self.assertRegex(found["log.txt"], r"^what client-\d, user-\d and user-\d-account do$")

    def test_readme(self) -> None:
        """It says what there is, what there is not, and what to do first."""
        text = self.files()["README.txt"]
        self.assertIn("Look through it before you send it", text)
        self.assertIn("doctor.json", text)
        self.assertIn("certificates.json: ", text)

    def test_unknown_names(self) -> None:
        """As long as the database tells no names, nothing goes out that may have some."""
        (self.folder / DATABASE).write_bytes(b"no database" * 1000)
        files = self.files()
        for name in bundle.FREE:
            self.assertNotIn(name, files)
        self.assertIn("versions.json", files)
        self.assertIn("which names to hide", files["README.txt"])

    def test_log_elsewhere(self) -> None:
        """Without a file it says where to look."""
        self.log.unlink()
        files = self.files()
        self.assertNotIn("log.txt", files)
        self.assertIn("journalctl -u bumper", files["README.txt"])

    def found(self, told: Path | str) -> str:
        """The log, when the server says where it is."""
        return gathering.log_text(Sources(self.settings, dict), {"file": str(told)})

    def test_log_of_the_server(self) -> None:
        """The server knows where in its folder its log is."""
        self.assertIn(P["did"], self.found(self.log))

    def test_log_taken_over(self) -> None:
        """A server that somebody has taken over does not get what only we can read."""
        secret = self.folder.parent / f"{self.folder.name}.secret"
        secret.write_text("root:$6$")
        for told in (secret, self.folder / ".." / secret.name, self.folder / "x" / secret.name):
            wrong = self.assertRaises(BadRequest, self.found, told)
            self.assertIn("writes to", str(wrong))
        (self.folder / USUAL).symlink_to(secret)
        self.assertRaises(OSError, self.found, "")
        self.assertRaises(OSError, self.found, self.folder / USUAL)
        (self.folder / USUAL).unlink()
        os.link(secret, self.folder / USUAL)
        self.assertRaises(OSError, self.found, "")
        (self.folder / USUAL).unlink()
        os.mkfifo(self.folder / USUAL)
        self.assertRaises(OSError, self.found, "")

    def test_journal_taken_over(self) -> None:
        """Nor does it by what stands where its journal should be."""
        secret = self.folder / "secret"
        secret.write_text('{"kind": "contact", "story": "secret"}')
        (self.folder / NAME).symlink_to(secret)
        files = self.files(nobody)
        self.assertNotIn("journal.json", files)
        self.assertIn("cannot be read", files["README.txt"])

    def test_database_is_left_alone(self) -> None:
        """Making a bundle changes nothing."""
        path = self.folder / DATABASE
        before = path.read_bytes()
        self.files()
        self.assertEqual(path.read_bytes(), before)


class BoundTests(BundleCase):
    """Bundles have an end."""

    def test_log(self) -> None:
        """Of a long log the last lines count."""
        whole = "".join(f"line {n} {'x' * 5000}\n" for n in range(1000)).encode()
        for stream in (BytesIO(whole), Pipe(whole)):
            text = gathering.last_lines(stream)
            self.assertLessEqual(len(text), gathering.LOG_BYTES)
            self.assertIn("line 999 ", text)
            self.assertTrue(text.startswith("line "))

    def test_journal(self) -> None:
        """Of a long journal the last entries count, page by page."""
        asked: list[str] = []

        def ask(settings: Settings, path: str, seconds: float) -> Any:
            asked.append(path)
            first = 10_000 - 300 * len(asked)
            entries = [{"revision": first + n, "x": "y" * 5000} for n in range(300)]
            return {"entries": entries, "revision": 9999, "started": 1.0}

        entries = Pages(self.settings, asker=ask).last(gathering.ENTRIES)
        self.assertEqual(len(entries), 1200)
        self.assertEqual(len(asked), 4)
        self.assertIn("before=9700", asked[1])
        kept = gathering.fitted(entries)
        self.assertLess(len(json.dumps(kept)), gathering.LARGEST)
        self.assertEqual(kept[-1], entries[-1])

    def test_file(self) -> None:
        """What is too long all the same is left out."""
        huge = Gathered({"server.json": ["some words " * 10] * 100_000}, {}, {})
        files = made(huge, self.house)
        self.assertEqual(list(files), ["README.txt"])
        self.assertIn("longer than", files["README.txt"])


class ArchiveTests(SynchronousTestCase):
    """The file."""

    def test_packed(self) -> None:
        """It holds the files, each for its owner only, and nothing about who made it."""
        path = Path(self.mktemp())
        write(path, packed({"a.txt": "\u00fc", "b.txt": ""}, "folder", 1_795_000_000.0))
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        files = unpacked(path)
        self.assertEqual((files["a.txt"], files["b.txt"]), ("\u00fc".encode(), b""))
        self.assertNotIn(path.name.encode(), files[""])
        self.assertNotIn(b"root", files[""])

    def test_there(self) -> None:
        """A file that is there stays as it is, and so does what a link points to."""
        path, link = Path(self.mktemp()), Path(self.mktemp())
        path.write_text("mine")
        link.symlink_to(path.absolute())
        for each in (path, link):
            wrong = self.assertRaises(BadRequest, write, each, b"x")
            self.assertIn("there already", str(wrong))
        self.assertEqual(path.read_text(), "mine")

    def test_nowhere(self) -> None:
        """A folder that is not there is one sentence."""
        wrong = self.assertRaises(BadRequest, write, Path(self.mktemp()) / "x", b"x")
        self.assertIn("cannot be written", str(wrong))


class CommandTests(Case):
    """C{bumper support-bundle}."""

    def setUp(self) -> None:
        super().setUp()
        self.out, self.err = StringIO(), StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "stderr", self.err)
        self.patch(cli_support, "looked_at", lambda settings: {"findings": []})
        self.data = Path(self.mktemp())
        self.file = Path(self.mktemp()).absolute()

    def test_written(self) -> None:
        """It is written, and never over anything."""
        words = [str(self.file), "--data", str(self.data)]
        self.assertEqual(cli_support.main(words), 0, self.err.getvalue())
        self.assertIn(f"{self.file} is written", self.out.getvalue())
        before = self.file.read_bytes()
        self.assertIn("README.txt", unpacked(self.file))
        self.assertEqual(cli_support.main(words), 1)
        self.assertIn("there already", self.err.getvalue())
        self.assertEqual(self.file.read_bytes(), before)
        self.assertFalse(self.data.exists())

    def test_standard(self) -> None:
        """The shell may open both files, so that they stay the owner's."""
        data = BytesIO()
        self.patch(sys, "stdout", TextIOWrapper(data))
        self.patch(sys, "stdin", TextIOWrapper(BytesIO(b"the log of E0A1B2C3D4E5F6G7H8J9")))
        self.assertEqual(cli_support.main(["-", "--log", "-", "--data", str(self.data)]), 0)
        self.assertIn("the bundle is written", self.err.getvalue())
        self.file.write_bytes(data.getvalue())
        self.assertEqual(unpacked(self.file)["log.txt"], b"the log of serial-1")

    def test_screen(self) -> None:
        """An archive does not go to a terminal."""
        self.patch(self.out, "isatty", lambda: True)
        self.assertEqual(cli_support.main(["-", "--data", str(self.data)]), 1)
        self.assertIn("nothing for a screen", self.err.getvalue())
        self.assertEqual(self.out.getvalue(), "")

    def test_refused(self) -> None:
        """A server that does not answer is no reason to write nothing."""

        def refuse(settings: Settings, path: str, seconds: float) -> Any:
            raise NotAsked("you may not")

        self.patch(
            cli_support, "Sources", lambda *given: Sources(given[0], given[1], given[2], refuse)
        )
        self.assertEqual(cli_support.main([str(self.file), "--data", str(self.data)]), 0)
        self.assertIn(b"you may not", unpacked(self.file)["README.txt"])

    def test_name(self) -> None:
        """Without a name it has the date."""
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        self.addCleanup(os.chdir, Path.cwd())
        os.chdir(folder)
        self.assertEqual(cli_support.main(["--data", str(folder / "data")]), 0)
        [file] = folder.iterdir()
        self.assertRegex(file.name, r"^bumper-support-\d{4}-\d\d-\d\d\.tar\.gz$")
