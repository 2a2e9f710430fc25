"""
A restore that is cut short at any moment, by a process that is gone at once.

Whatever is on the disk then is all of the old or all of the new, or the server refuses to start
and one command brings back the old.
"""

import os
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from bumper_tw.app.backups.archive import Archive
from bumper_tw.app.backups.restoring import put_back, restore, verified
from bumper_tw.app.backups.targets import Wishes
from bumper_tw.errors import StartError
from bumper_tw.storage.migrations import DATABASE, RESTORING, migrate
from tests.app.backups.boxes import BoxCase, furnish, restorable, state

WHEN = datetime(2026, 1, 2, 3, 4, 5)

#: More steps than there are.
ENDLESS = 10_000


def cut(work: Callable[[Callable[[str], None]], object], after: int) -> bool:
    """
    Do something in a process that is gone after so many changes to the disk.

    @return: whether it came to its end before.
    """
    child = os.fork()
    if not child:
        left = [after]

        def step(_: str) -> None:
            if not left[0]:
                os._exit(9)
            left[0] -= 1

        try:
            work(step)
        except BaseException:  # noqa: BLE001 - whatever it is must not run the other tests
            os._exit(8)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in {0, 9}, status
    return status == 0


class CutTests(BoxCase):
    """Power cuts."""

    def setUp(self) -> None:
        super().setUp()
        held = self.backup()
        furnish(self.there, "sandy")
        self.wishes = Wishes(self.there / "bumper.toml", {}, {}, config_too=True)
        self.archive = Archive(lambda: self.file.open("rb"), len(held))
        self.data = self.there / "data"
        self.before = restorable(self.there)
        self.spare = self.folder / "spare"
        shutil.copytree(self.there, self.spare)

    def again(self) -> None:
        """The second box is as it was."""
        shutil.rmtree(self.there)
        shutil.copytree(self.spare, self.there)

    def restore_with(self, step: Callable[[str], None]) -> None:
        """Restore on the second box."""
        restore(verified(self.archive, self.wishes), True, WHEN, step)

    def whole(self) -> dict[str, bytes]:
        """What the second box has, but drafts, which nobody looks at."""
        return {k: v for k, v in restorable(self.there).items() if ".restore-new" not in k}

    def after(self) -> dict[str, bytes]:
        """What it has when nothing cuts the restore short."""
        self.restore_with(lambda _: None)
        found = self.whole()
        self.assertNotEqual(found, self.before)
        self.again()
        return found

    def test_folder_named(self) -> None:
        """With the folder named as the server names it, no settings are needed for undoing."""
        self.assertFalse(cut(self.restore_with, self.half_done()))
        said = str(self.assertRaises(StartError, migrate, self.data / DATABASE))
        self.assertIn(f"bumper restore --put-back --data {self.data}", said)
        (self.there / "bumper.toml").unlink()
        status, out, _ = self.typed("restore", "--put-back", "--data", str(self.data))
        self.assertEqual(status, 0)
        self.assertIn("undone", out)

    def test_everywhere(self) -> None:
        """Each prefix of the changes is the old state, the new one, or can be undone."""
        new, ends, half = self.after(), 0, 0
        for after in range(ENDLESS):
            self.again()
            ended = cut(self.restore_with, after)
            if (self.data / RESTORING).exists():
                half += 1
                self.assertRaises(StartError, migrate, self.data / DATABASE)
                self.undone()
            elif self.whole() != self.before:
                ends += 1
                self.assertEqual(self.whole(), new)
            if ended:
                break
        self.assertGreater(half, 20)
        self.assertGreater(ends, 0)
        self.assertLess(after, ENDLESS - 1)

    def undone(self) -> None:
        """One command brings back what was there."""
        said = self.well(self.there, "restore", "--put-back")
        self.assertIn("undone", said)
        self.assertEqual(self.whole(), self.before)
        self.assertFalse((self.data / RESTORING).exists())
        self.assertEqual([*self.there.rglob("before-restore-*")], [])
        self.assertEqual([*self.there.rglob(".restore-new")], [])

    def half_done(self) -> int:
        """How many changes it takes until most is moved."""
        total: list[str] = []
        self.restore_with(total.append)
        self.again()
        moves = [at for at, step in enumerate(total) if step.startswith("rename")]
        return moves[-2]

    def test_undoing(self) -> None:
        """What undoes it may be cut short as well, anywhere, and again."""
        after = self.half_done()
        for second in range(ENDLESS):
            self.again()
            self.assertFalse(cut(self.restore_with, after))
            ended = cut(lambda step: put_back(self.data, None, step), second)
            if (self.data / RESTORING).exists():
                cut(lambda step: put_back(self.data, None, step), second // 2)
            if (self.data / RESTORING).exists():
                self.undone()
            self.assertEqual(self.whole(), self.before)
            if ended:
                break
        self.assertGreater(second, 10)

    def test_once_more(self) -> None:
        """The same restore once more begins with undoing, and ends well."""
        new, after = self.after(), self.half_done()
        self.assertFalse(cut(self.restore_with, after))
        said = self.well(self.there, "restore", str(self.file), "--force", "--config-too")
        self.assertIn("a restore that was cut short is undone", said)
        self.assertEqual(self.whole(), new)

    def test_rubbish_left(self) -> None:
        """A cut while it was only unpacking stops neither a server nor the next restore."""
        steps: list[str] = []
        self.restore_with(steps.append)
        new = self.whole()
        self.again()
        after = next(at for at, step in enumerate(steps) if step.startswith("write"))
        self.assertFalse(cut(self.restore_with, after))
        self.assertTrue((self.data / ".restore-new").exists())
        migrate(self.data / DATABASE)
        self.assertEqual(self.whole(), self.before)
        self.well(self.there, "restore", str(self.file), "--force", "--config-too")
        self.assertEqual(self.whole(), new)

    def test_nothing_cut(self) -> None:
        """Without a restore that was cut short there is nothing to undo."""
        self.assertIn("no restore", self.well(self.there, "restore", "--put-back"))

    def test_foreign_plan(self) -> None:
        """Somebody else's plan, or rubbish, is not carried out."""
        marker = self.data / RESTORING
        for text in ("{}", "x", '{"stamp": "1", "moves": [{"folder": "x"}]}', "[" * 5000):
            marker.write_text(text)
            self.badly(self.there, "restore", "--put-back")
        marker.unlink()
        self.link(Path("/etc/passwd"), marker)
        self.badly(self.there, "restore", "--put-back")
        marker.unlink()
        marker.write_text('{"stamp": "1", "moves": []}')
        if os.geteuid() == 0:
            os.chown(marker, 4711, 4711)
            self.assertIn("another user", self.badly(self.there, "restore", "--put-back"))
        self.assertEqual(
            state(self.there).keys() - state(self.spare).keys(), {f"data/{RESTORING}"}
        )
