"""Tests for L{bumper_tw.core.api_tokens}: tokens of the owner's scripts."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.api_tokens import DAY, LONGEST_NAME, MOST, PREFIX, Scope, name_of
from bumper_tw.errors import BadRequest, LoginRefused, StorageError
from tests.core.owners import NOW, Box


class TokenTests(SynchronousTestCase):
    """A box whose owner has scripts."""

    def setUp(self) -> None:
        self.box = Box()

    def test_made(self) -> None:
        """It is found by its text, also after a start; only its digest is kept."""
        made = self.successResultOf(self.box.access.tokens.make(" my\n hub ", ["read"]))
        self.assertTrue(made.text.startswith(PREFIX))
        self.assertNotIn(made.text[len(PREFIX) :], repr(self.box.store.shelves))
        self.box.start()
        found = self.box.access.tokens.find(made.text)
        self.assertEqual((found.name, found.scopes, found.created), ("my hub", ("read",), NOW))

    def test_scopes(self) -> None:
        """Who may command may see; who may do everything may do both."""
        for words, allowed in (
            (["read"], {Scope.READ}),
            (["control"], {Scope.READ, Scope.CONTROL}),
            (["house"], set(Scope)),
            (["control", "read", "read"], {Scope.READ, Scope.CONTROL}),
        ):
            token = self.successResultOf(self.box.access.tokens.make("x", words)).token
            self.assertEqual({scope for scope in Scope if token.allows(scope)}, allowed, words)

    def test_unknown_scope_on_disk(self) -> None:
        """What a newer version has written allows nothing here."""
        made = self.successResultOf(self.box.access.tokens.make("x", ["read"]))
        shelf = self.box.store.shelves["api tokens"]
        shelf[made.token.id] = shelf[made.token.id].replace('"read"', '"admin"')
        self.box.start()
        found = self.box.access.tokens.find(made.text)
        self.assertFalse(any(found.allows(scope) for scope in Scope))

    def test_expired(self) -> None:
        """After its days it opens nothing."""
        made = self.successResultOf(self.box.access.tokens.make("x", ["read"], 2))
        self.box.clock.advance(2 * DAY - 1)
        self.box.access.tokens.find(made.text)
        self.box.clock.advance(1)
        self.assertRaises(LoginRefused, self.box.access.tokens.find, made.text)

    def test_used(self) -> None:
        """When it was used is known roughly, and written no more often."""
        made = self.successResultOf(self.box.access.tokens.make("x", ["read"]))
        self.box.clock.advance(5000)
        self.box.access.tokens.find(made.text)
        self.box.clock.advance(10)
        self.assertEqual(self.box.access.tokens.find(made.text).used, NOW + 5000)

    def test_wrong(self) -> None:
        """What cannot be like that is refused with its reason."""
        tokens = self.box.access.tokens
        for name, scopes, days in (
            ("", ["read"], 0),
            ("\n\0", ["read"], 0),
            ("x" * (LONGEST_NAME + 1), ["read"], 0),
            ("x", [], 0),
            ("x", ["admin"], 0),
            ("x", ["read"], -1),
            ("x", ["read"], 100_000),
        ):
            self.failureResultOf(tokens.make(name, scopes, days), BadRequest)
        self.assertEqual(tokens.listed(), [])

    def test_unknown(self) -> None:
        """What was never made opens nothing; nor does what is on disk."""
        made = self.successResultOf(self.box.access.tokens.make("x", ["house"]))
        for text in ("", PREFIX, "x" * 100_000, "\ud800", made.token.id, made.text.upper()):
            self.assertRaises(LoginRefused, self.box.access.tokens.find, text)

    def test_removed(self) -> None:
        """It opens nothing any more; both are in the log, by name."""
        tokens = self.box.access.tokens
        with capturedLogs() as lines:
            made = self.successResultOf(tokens.make("hub", ["control"]))
            self.successResultOf(tokens.remove(made.token.id))
            self.successResultOf(tokens.remove(made.token.id))
        self.assertRaises(LoginRefused, tokens.find, made.text)
        written = [formatEvent(line) for line in lines]
        self.assertEqual(["hub" in line for line in written], [True, True])
        self.assertNotIn(made.text, "".join(written))

    def test_full_disk(self) -> None:
        """What cannot be stored is not there."""
        self.box.store.full = True
        self.failureResultOf(self.box.access.tokens.make("x", ["read"]), StorageError)
        self.assertEqual(self.box.access.tokens.listed(), [])

    def test_many(self) -> None:
        """There are not more than a hundred."""
        for _ in range(MOST):
            self.successResultOf(self.box.access.tokens.make("x", ["read"]))
        self.failureResultOf(self.box.access.tokens.make("x", ["read"]), BadRequest)

    @given(st.text())
    def test_names(self, text: str) -> None:
        """A name is one line that a terminal can bear, or refused."""
        try:
            name = name_of(text)
        except BadRequest:
            return
        self.assertTrue(name.isprintable() and 0 < len(name) <= LONGEST_NAME)
