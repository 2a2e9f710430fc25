"""The list of jobs that an XML robot keeps itself."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect.job_lists import MAX_JOBS, jobs, question
from bumper_tw.values import CleaningLog, DeviceId, PayloadKind
from tests.samples import RUSTY

LETTERS = {"s": 1, "a": 2, "i": 2, "b": 2, "w": 3, "r": None, "f": None, "": None}
#: Whatever might stand in an attribute.
WORDS = st.text("0123456789-.abcxyz", max_size=8)


class QuestionTests(SynchronousTestCase):
    """What a robot is asked."""

    def test_names(self) -> None:
        """The N79 line has another name for it than everybody else."""
        for model, name in (
            ("ls1ok3", "GetCleanLogs"),
            ("115", "GetCleanLogs"),
            ("101", "GetCleanLogs"),
            ("126", "GetLogs"),
            ("155", "GetLogs"),
            ("165", "GetLogs"),
        ):
            command = question(DeviceId("E0001", model, "atom"))
            self.assertEqual((command.name, command.kind), (name, PayloadKind.XML), model)


class JobTests(SynchronousTestCase):
    """What an entry says (mqtt.md 8.3)."""

    def job(self, attributes: str) -> CleaningLog:
        """The one job in a list of one entry."""
        [found] = jobs(
            RUSTY, f"<ctl ret='ok'><CleanSt s='1767225600' {attributes}/></ctl>".encode()
        )
        return found

    def test_entry(self) -> None:
        """Start, area and duration."""
        found = self.job("a='14' l='1260' t='a' f='s'")
        self.assertEqual(found, CleaningLog(RUSTY, "", 1767225600, None, 1260, 14, 1))

    def test_ends(self) -> None:
        """Each letter has its reason; the others have none."""
        for letter, reason in LETTERS.items():
            self.assertEqual(self.job(f"f='{letter}'").stop_reason, reason, letter)

    def test_types(self) -> None:
        """Some robots write the type where others write who began."""
        for text, kind in (("t='s'", None), ("t='auto'", "auto"), ("t='a' type='spot'", "spot")):
            self.assertEqual(self.job(text).type, kind, text)

    def test_length(self) -> None:
        """A list has an end."""
        body = b"<ctl>" + b"<CleanSt s='1'/>" * (MAX_JOBS + 50) + b"</ctl>"
        self.assertEqual(len(jobs(RUSTY, body)), MAX_JOBS)

    @given(st.lists(st.tuples(WORDS, WORDS, WORDS, WORDS), max_size=5))
    def test_any_words(self, entries: list[tuple[str, ...]]) -> None:
        """No attribute breaks the list; each job in it has a start."""
        lines = [f"<CleanSt s='{s}' a='{a}' l='{time}' f='{f}'/>" for s, a, time, f in entries]
        found = jobs(RUSTY, f"<ctl>{''.join(lines)}</ctl>".encode())
        self.assertLessEqual(len(found), len(entries))
        self.assertEqual([job for job in found if job.started_at <= 0], [])

    @given(st.binary(max_size=100))
    def test_any_bytes(self, body: bytes) -> None:
        """Noise is a list without jobs, or no list."""
        try:
            self.assertEqual(jobs(RUSTY, body), [])
        except ValueError:
            self.assertNotEqual(body, b"<ctl/>")
