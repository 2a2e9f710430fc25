"""The table in the documentation is complete, and says what the tests say."""

import re

from twisted.trial.unittest import SynchronousTestCase

from tests.mqtt.conformance.document import DOCUMENT, chapters, document, missing, proofs


class DocumentTests(SynchronousTestCase):
    """The numbers, the tests and the document."""

    def test_nothing_is_missing(self) -> None:
        """Every statement has a test, or a reason why there is none."""
        self.assertEqual(missing(proofs()), [])

    def test_nothing_is_invented(self) -> None:
        """No test claims a number that does not exist, or that cannot be proved."""
        provable = {s.number for c in chapters() for s in c.statements if not s.why}
        self.assertEqual(set(proofs()) - provable, set())

    def test_every_statement_is_there(self) -> None:
        """The numbers of a section have no gaps, and there are as many as in the standard."""
        numbers = [s.number for c in chapters() for s in c.statements]
        sections: dict[str, list[int]] = {}
        for number in numbers:
            section, _, last = number.partition("-")
            sections.setdefault(section, []).append(int(last))
        for section, found in sections.items():
            self.assertEqual((section, found), (section, [*range(1, len(found) + 1)]))
        counts = [len(chapter.statements) for chapter in chapters()]
        self.assertEqual(counts, [3, 9, 95, 26, 4, 4])

    def test_it_is_on_somebody(self) -> None:
        """Each demand is on the server, on clients or on both."""
        whose = {s.who for c in chapters() for s in c.statements}
        self.assertEqual(whose, {"server", "client", "both"})

    def test_the_document(self) -> None:
        """What is in docs is what the tests say; otherwise write it anew."""
        self.assertEqual(DOCUMENT.read_text(encoding="utf-8"), document())

    def test_claims_come_first(self) -> None:
        """Numbers stand at the start of a docstring, where they are looked for."""
        for path in sorted(DOCUMENT.parents[1].glob("tests/mqtt/conformance/test_*.py")):
            text = path.read_text(encoding="utf-8")
            for line in text.splitlines():
                if re.search(r"\[MQTT-[0-9]", line) and path.stem != "test_document":
                    self.assertRegex(line, r'^ +"""\[MQTT-')
