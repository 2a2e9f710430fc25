"""Tests for L{bumper_tw.app.backups.archive}: what is read is what was written, to the byte."""

import io
import json
import tarfile
import tracemalloc
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from random import Random

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.backups import archive, tar
from bumper_tw.app.backups.archive import Archive, Changed, Memory, checksum
from bumper_tw.app.backups.manifest import (
    ENTRIES,
    FORMAT,
    MOST,
    Manifest,
    Member,
    Refused,
    is_proper,
    parsed,
)
from bumper_tw.app.backups.sources import Source
from bumper_tw.errors import StorageError

LONG = "data/answers/" + "d" * 120 + "/" + "\u00e4" * 90 + ".json"

#: What is in the archive of these tests.
HELD = {
    "config/bumper.toml": b"[log]\n",
    "certs/ca.crt": b"c" * 513,
    "certs/ca.key": b"",
    LONG: b"x" * 512,
    "data/bumper.db": bytes(range(256)) * 3,
}


def manifest_of(held: dict[str, bytes]) -> Manifest:
    """What an archive of these says."""
    members = tuple(
        Member(name, len(text), sha256(text).hexdigest(), 0o640) for name, text in held.items()
    )
    return Manifest(FORMAT, "1.2", 1_700_000_000, 4, True, members)


def raw(manifest: Manifest, held: dict[str, bytes]) -> bytes:
    """An archive by another hand than that of the program."""
    text = manifest.text()
    first = {"manifest.json": text, "manifest.json.sha256": checksum(text)}
    modes = {member.name: member.mode for member in manifest.members}
    return (
        b"".join(
            tar.heading(name, len(body), modes.get(name, 0o600), manifest.time)
            + body
            + tar.padding(len(body))
            for name, body in {**first, **held}.items()
        )
        + tar.END
    )


def read(held: bytes) -> dict[str, bytes]:
    """What is in an archive."""
    memory = Memory(lambda _: True)
    Archive(lambda: io.BytesIO(held), len(held)).read(memory)
    return {name: bytes(text) for name, text in memory.held.items()}


class ReadingTests(SynchronousTestCase):
    """Archives that come from anywhere."""

    def setUp(self) -> None:
        self.whole = raw(manifest_of(HELD), HELD)

    def refused(self, held: bytes) -> str:
        """It is noticed that this is not what was written."""
        return str(self.assertRaises(Refused, read, held))

    def test_whole(self) -> None:
        """One that is right is read."""
        self.assertEqual(read(self.whole), HELD)

    def test_every_byte(self) -> None:
        """One byte that is another, anywhere, is noticed."""
        random = Random(1)
        for at in range(len(self.whole)):
            wrong = bytearray(self.whole)
            wrong[at] ^= random.randrange(1, 256)
            self.refused(bytes(wrong))

    def test_every_end(self) -> None:
        """So is an end that is missing, wherever, or that goes on."""
        for end in range(len(self.whole)):
            self.refused(self.whole[:end])
        for more in (b"\0", bytes(10240), self.whole):
            self.refused(self.whole + more)

    @given(st.binary(max_size=3000))
    def test_rubbish(self, rubbish: bytes) -> None:
        """Anything else is refused, too."""
        self.refused(rubbish)
        self.refused(self.whole[:1536] + rubbish)

    def test_other_files(self) -> None:
        """A file more, less or instead of another is noticed, and so is another order."""
        manifest = manifest_of(HELD)
        fewer = {name: text for name, text in HELD.items() if name != "certs/ca.key"}
        for held in (fewer, {**HELD, "data/agreements.json": b"{}"}, dict(reversed(HELD.items()))):
            self.refused(raw(manifest, held))

    def test_not_plain(self) -> None:
        """Links, devices and folders are no files of ours, even with a proper list of them."""
        manifest = manifest_of({"data/bumper.db": b""})
        text = manifest.text()
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE, b"L"):
            packed = io.BytesIO()
            with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as made:
                odd = tarfile.TarInfo("data/bumper.db")
                odd.type, odd.linkname, odd.mtime = kind, "/etc/passwd", manifest.time
                made.addfile(odd)
            begun = raw(manifest, {})[: -len(tar.END)]
            self.assertIn("damaged", self.refused(begun + packed.getvalue()))
            self.assertIn(text, begun)

    def test_names(self) -> None:
        """Names lead nowhere but to where files of their kind belong."""
        for name in (
            "/etc/passwd",
            "data/../certs/ca.key",
            "data/answers/../../x",
            "data/answers//x",
            "data/answers/./x",
            "data/answers/",
            "data/answers",
            "data/answers/a\nb",
            "data/answers/\ud800",
            f"data/answers/{'x' * 256}",
            "data/answers/" + "d/" * 20 + "x",
            "data/other",
            "data/control",
            "data/journal.jsonl",
            "data/bumper.db/x",
            "data/bumper.db-wal",
            "certs/leaves/x.crt",
            "config/x",
            "x",
            "",
            "manifest.json",
        ):
            self.assertFalse(is_proper(name), name)
            manifest = manifest_of({"data/bumper.db": b""})
            text = manifest.text().replace(b'"data/bumper.db"', repr_of(name))
            self.assertRaises(Refused, parsed, text)

    @given(st.text(alphabet="./\\ad\n\0", max_size=30))
    def test_any_name(self, name: str) -> None:
        """Whatever it is made of, a name that is proper stays below its part."""
        for part, entries in ENTRIES.items():
            for entry in entries:
                whole = f"{part}/{entry}{name}"
                if is_proper(whole):
                    place = Path("/box", whole)
                    self.assertEqual(place, Path(*[p for p in place.parts if p != ".."]))
                    self.assertTrue(place.is_relative_to(f"/box/{part}/{entry}"))

    def test_doubled(self) -> None:
        """A name is there once, and is not a file and a folder."""
        one = manifest_of(HELD).members[0]
        for name in ("data/answers/a", "data/answers/a/b"):
            members = (one, evolve(one, name="data/answers/a"), evolve(one, name=name))
            manifest = evolve(manifest_of(HELD), members=members)
            self.assertRaises(Refused, parsed, manifest.text())

    def test_newer(self) -> None:
        """An archive of a newer program says so."""
        text = manifest_of(HELD).text().replace(b'"format": 1', b'"format": 2')
        self.assertIn("newer", str(self.assertRaises(Refused, parsed, text)))

    def test_bombs(self) -> None:
        """What claims to be huge is refused before anything is taken."""
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        for held in bombs():
            self.refused(held)
        self.assertLess(tracemalloc.get_traced_memory()[1], 8 << 20)

    def test_tar(self) -> None:
        """Other programs can read it, long names and all."""
        with tarfile.open(fileobj=io.BytesIO(self.whole)) as found:
            members = {each.name: each for each in found.getmembers()}
            self.assertEqual([*members][2:], [*HELD])
            self.assertEqual(next(iter(members)), "manifest.json")
            for name, text in HELD.items():
                stream = found.extractfile(members[name])
                assert stream is not None
                self.assertEqual(stream.read(), text)
                self.assertEqual((members[name].mode, members[name].mtime), (0o640, 1_700_000_000))


def repr_of(name: str) -> bytes:
    """A name as JSON has it."""
    return json.dumps(name).encode()


def bombs() -> Iterator[bytes]:
    """Archives that are much larger when one believes them."""
    huge = (8 << 30) - 1
    yield tar.heading("manifest.json", huge, 0o600, 0)
    yield tar.heading("manifest.json", 16 << 20, 0o600, 0) + bytes(1000)
    member = Member("data/bumper.db", huge, "0" * 64)
    yield raw(evolve(manifest_of({}), members=(member,)), {}) + bytes(5000)
    yield raw(evolve(manifest_of({}), members=(member,) * 100), {})
    yield tar.heading("manifest.json", 6, 0o600, 0) + b"[[[[[[" + bytes(506)


class WritingTests(SynchronousTestCase):
    """Archives of files that may change."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.sources = []
        for number, (name, text) in enumerate(HELD.items()):
            (self.folder / str(number)).write_bytes(text)
            self.sources.append(Source(name, self.folder / str(number)))

    def written(self) -> bytes:
        """An archive of them."""
        target = io.BytesIO()
        archive.write(self.manifest, self.sources, target)
        return target.getvalue()

    def test_read(self) -> None:
        """It can be read."""
        self.manifest = archive.listed(self.sources, 1_700_000_000, 4, True)
        self.assertEqual(read(self.written()), HELD)

    def test_changed(self) -> None:
        """A file that changes after it was listed is noticed: longer, shorter, other, gone."""
        for change in (b"c" * 514, b"c" * 512, b"d" * 513, None):
            (self.folder / "1").write_bytes(HELD["certs/ca.crt"])
            self.manifest = archive.listed(self.sources, 1_700_000_000, 4, True)
            if change is None:
                (self.folder / "1").unlink()
            else:
                (self.folder / "1").write_bytes(change)
            self.assertRaises(Changed, self.written)

    def test_link(self) -> None:
        """A link that comes into the place of a file is not followed, unless it is the owner's."""
        place = self.folder / "link"
        place.symlink_to("1")
        self.assertRaises(StorageError, archive.opened, Source("certs/ca.crt", place))
        with archive.opened(Source("certs/ca.crt", place, follow=True)) as stream:
            self.assertEqual(stream.read(), HELD["certs/ca.crt"])

    def test_many(self) -> None:
        """As many files as there may be fit into the manifest."""
        longest = "data/answers/" + "x" * 250
        members = tuple(Member(f"{longest}{n}"[-260:], 0, "0" * 64) for n in range(MOST))
        self.assertLess(len(evolve(manifest_of({}), members=members).text()), 16 << 20)
