"""Tests for L{bumper_tw.core.owner_sessions}: browsers in which the owner is logged in."""

from bumper_tw.errors import StorageError
from tests.core.owners import PHONE, SOFA, WEEK, OwnerCase


class SessionTests(OwnerCase):
    """Browsers that are logged in."""

    def setUp(self) -> None:
        super().setUp()
        self.first = self.claimed()

    def test_never_the_same(self) -> None:
        """Each login has a text of its own, whatever the browser brought."""
        tokens = {self.successResultOf(self.login()).token for _ in range(3)}
        self.assertEqual(len(tokens | {self.first.token}), 4)

    def test_unknown(self) -> None:
        """Texts that nobody was given open nothing; nor does what is on disk."""
        for text in ("", "x", "x" * 100_000, "\ud800", self.first.session.id):
            self.assertIsNone(self.box.access.session(text, secure=False))

    def test_where_given(self) -> None:
        """A text that went in clear is worth nothing over TLS, and the other way round."""
        phone = self.successResultOf(self.login(arrival=PHONE))
        self.assertIsNone(self.box.access.session(self.first.token, secure=True))
        self.assertIsNone(self.box.access.session(phone.token, secure=False))

    def test_idle(self) -> None:
        """Whoever comes again in time stays; who does not has to log in again."""
        for _ in range(3):
            self.box.clock.advance(WEEK - 1)
            self.assertTrue(self.known(self.first))
        self.box.start()
        self.box.clock.advance(WEEK + 1)
        self.assertFalse(self.known(self.first))
        self.assertEqual(self.box.access.browsers(), [])

    def test_clock_set_back(self) -> None:
        """A box that has lost its time keeps its owner, and does not keep him for ever."""
        self.box.clock.rightNow -= 1_000_000.0
        self.assertTrue(self.known(self.first))
        self.box.clock.advance(WEEK + 1)
        self.assertFalse(self.known(self.first))

    def test_ended(self) -> None:
        """One is ended, at once and for good; an unknown one is fine."""
        phone = self.successResultOf(self.login(arrival=PHONE))
        self.successResultOf(self.box.access.sessions.end(phone.session.id))
        self.successResultOf(self.box.access.sessions.end("nonsense"))
        self.box.start()
        self.assertEqual((self.known(self.first), self.known(phone)), (True, False))

    def test_end_refused(self) -> None:
        """When the disk refuses, it has ended here, and who tries again is not told: done."""
        self.box.store.full = True
        for _ in range(2):
            ended = self.box.access.sessions.end(self.first.session.id)
            self.failureResultOf(ended, StorageError)
            self.assertFalse(self.known(self.first))
        self.box.store.full = False
        self.successResultOf(self.box.access.sessions.end(self.first.session.id))
        self.box.start()
        self.assertFalse(self.known(self.first))

    def test_many(self) -> None:
        """Of more than fifty the one goes that was away longest."""
        sessions = self.box.access.sessions
        opened = [sessions.open(SOFA, self.box.access.epoch) for _ in range(49)]
        self.box.clock.advance(3600)
        self.assertTrue(self.known(self.first))
        sessions.open(PHONE, self.box.access.epoch)
        self.assertEqual(len(self.box.access.browsers()), 50)
        self.assertEqual([self.known(self.first), self.known(opened[0])], [True, False])
