"""What every store of the broker does, in dictionaries and in SQL alike."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from attrs import asdict, evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from bumper_tw.broker_interfaces import IMqttStore
from bumper_tw.core.mqtt_batch import condensed
from bumper_tw.kept import (
    Change,
    Ended,
    Forgotten,
    Kept,
    KeptMessage,
    KeptSession,
    Left,
    Opened,
    Queued,
    Received,
    Released,
    Retained,
    Settled,
    Subscribed,
    Unsubscribed,
)
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.memory import MemoryMqttStore
from bumper_tw.storage.mqtt import SqlMqttStore
from bumper_tw.values import Message, Principal, Role
from tests.samples import ALICE, DASHBOARD, DUSTY_ITSELF

if TYPE_CHECKING:
    Contract = SynchronousTestCase
else:
    Contract = object

NOBODY = Principal(Role.ANONYMOUS, "")

#: Two sessions, and a message with everything in it.
ALICE_IS_HERE = Opened("a", ALICE, "app")
BOARD_IS_HERE = Opened("d", DASHBOARD, "board \N{BROOM}")
NEWS = Message("news/\N{BROOM}", b"\x00\xff", 1, origin=ALICE)

parties = st.sampled_from([ALICE, DASHBOARD, NOBODY, evolve(DUSTY_ITSELF, label="", firmware="")])
keys = st.sampled_from("abc")
packet_ids = st.integers(1, 4)
filters = st.sampled_from(["a/#", "+", "b"])
times = st.floats(0, 1e10)


def body(number: int) -> Message:
    """What was published under a number: always the same."""
    origin = [None, ALICE, NOBODY][number % 3]
    return Message(f"t/{number}", bytes([number]) * number, 1, origin=origin)


@st.composite
def queued(draw: st.DrawFn) -> Queued:
    """Any message for anybody."""
    number = draw(st.integers(1, 9))
    qos, retain = draw(st.integers(1, 2)), draw(st.booleans())
    message = evolve(body(number), qos=qos, retain=retain)
    return Queued(draw(keys), number, draw(packet_ids), message)


messages = st.builds(
    Message,
    topic=st.sampled_from("xyz"),
    payload=st.binary(max_size=3),
    qos=st.integers(0, 2),
    retain=st.just(True),
    origin=st.none() | parties,
)

changes: st.SearchStrategy[Change] = st.one_of(
    st.builds(Opened, keys, parties, st.text(st.characters(exclude_categories=["Cs"]))),
    queued(),
    queued(),
    queued(),
    st.builds(Left, keys, times, st.integers(0, 9)),
    st.builds(Subscribed, keys, filters, st.integers(0, 2)),
    st.builds(Unsubscribed, keys, filters),
    st.builds(Released, keys, packet_ids),
    st.builds(Settled, keys, packet_ids),
    st.builds(Received, keys, packet_ids),
    st.builds(Forgotten, keys, packet_ids),
    st.builds(Ended, keys),
    st.builds(Retained, messages, times),
)


class MqttStoreContract(Contract):
    """What any L{IMqttStore} does."""

    def make(self) -> IMqttStore:
        """A fresh provider."""
        raise NotImplementedError

    def setUp(self) -> None:
        self.store = self.make()

    def apply(self, *made: Change) -> None:
        """Make changes."""
        self.assertIsNone(self.successResultOf(self.store.apply(made)))

    def load(self) -> Kept:
        """What is in the store."""
        return self.successResultOf(self.store.load())

    def session(self) -> KeptSession:
        """The only session."""
        (session,) = self.load().sessions
        return session

    def test_provides(self) -> None:
        """It keeps the signatures of the promise."""
        self.assertTrue(verifyObject(IMqttStore, self.store))

    def test_empty(self) -> None:
        """A fresh store has nothing, and takes nothing for a change."""
        self.apply()
        self.assertEqual(self.load(), Kept((), (), 0))

    def test_whole(self) -> None:
        """Everything in a session comes back."""
        self.apply(
            ALICE_IS_HERE,
            Subscribed("a", "z/+", 2),
            Subscribed("a", "b/#", 0),
            Queued("a", 8, 1, evolve(NEWS, qos=2)),
            Queued("a", 7, 2, evolve(NEWS, topic="old", retain=True)),
            Released("a", 1),
            Received("a", 5),
            Received("a", 65535),
            Left("a", 12.5, 7),
        )
        whole = KeptSession(
            key="a",
            who=ALICE,
            client_id="app",
            left_at=12.5,
            sent=7,
            subscriptions=(("z/+", 2), ("b/#", 0)),
            queue=(
                KeptMessage(7, 2, evolve(NEWS, topic="old", retain=True)),
                KeptMessage(8, 1, evolve(NEWS, qos=2), released=True),
            ),
            received=frozenset({5, 65535}),
        )
        self.assertEqual(self.load(), Kept((whole,), (), 8))

    def test_principals(self) -> None:
        """Of every party stays what its rights depend on, and who never had a name is fine."""
        self.apply(
            Opened("r", DUSTY_ITSELF, "robot"),
            Opened("n", NOBODY, ""),
            Queued("n", 1, 1, evolve(NEWS, origin=DUSTY_ITSELF)),
            Queued("n", 2, 2, evolve(NEWS, origin=None)),
        )
        robot, nobody = self.load().sessions
        self.assertEqual(robot.who, evolve(DUSTY_ITSELF, label=""))
        self.assertEqual(nobody.who, NOBODY)
        origins = [owed.message.origin for owed in nobody.queue]
        self.assertEqual(origins, [robot.who, None])

    def test_opened_again(self) -> None:
        """A client that is back finds all that was there; its session is not left any more."""
        self.apply(
            ALICE_IS_HERE,
            BOARD_IS_HERE,
            Subscribed("a", "b/#", 1),
            Queued("a", 3, 1, NEWS),
            Received("a", 9),
            Left("a", 12.5, 3),
            Opened("a", NOBODY, "other"),
        )
        alice, board = self.load().sessions
        self.assertEqual((alice.who, alice.client_id), (NOBODY, "other"))
        self.assertEqual((alice.left_at, alice.sent), (None, 0))
        self.assertEqual(alice.subscriptions, (("b/#", 1),))
        self.assertEqual([owed.number for owed in alice.queue], [3])
        self.assertEqual(alice.received, {9})
        self.assertEqual(board, KeptSession("d", DASHBOARD, "board \N{BROOM}"))

    def test_ended(self) -> None:
        """With a session goes all that is in it, and nothing of another."""
        for key in (ALICE_IS_HERE, BOARD_IS_HERE):
            self.apply(
                key, Subscribed(key.key, "b", 1), Queued(key.key, 3, 1, NEWS), Received(key.key, 1)
            )
        _, board = self.load().sessions
        self.apply(Ended("a"))
        self.assertEqual(self.load().sessions, (board,))
        self.apply(ALICE_IS_HERE)
        self.assertEqual(self.load().sessions, (board, KeptSession("a", ALICE, "app")))

    def test_subscriptions(self) -> None:
        """A filter that is granted anew keeps its place; one that was taken back is gone."""
        self.apply(ALICE_IS_HERE, *(Subscribed("a", name, 0) for name in "xyz"))
        self.apply(Subscribed("a", "x", 2), Unsubscribed("a", "y"), Unsubscribed("a", "nobody's"))
        self.assertEqual(self.session().subscriptions, (("x", 2), ("z", 0)))

    def test_unknown_session(self) -> None:
        """Changes of a session that is not there do nothing, and leave nothing behind."""
        self.apply(
            Left("a", 1, 1),
            Subscribed("a", "b", 1),
            Unsubscribed("a", "b"),
            Queued("a", 3, 1, NEWS),
            Released("a", 1),
            Settled("a", 1),
            Received("a", 1),
            Forgotten("a", 1),
            Ended("a"),
        )
        self.assertEqual(self.load(), Kept((), (), 0))
        self.apply(ALICE_IS_HERE)
        self.assertEqual(self.session(), KeptSession("a", ALICE, "app"))

    def test_shared(self) -> None:
        """A publication for many is settled by each of them."""
        self.apply(ALICE_IS_HERE, BOARD_IS_HERE)
        self.apply(Queued("a", 3, 1, evolve(NEWS, qos=2)), Queued("d", 3, 9, NEWS))
        self.apply(Settled("a", 1))
        alice, board = self.load().sessions
        self.assertEqual((alice.queue, board.queue), ((), (KeptMessage(3, 9, NEWS),)))
        self.assertEqual(self.load().number, 3)
        self.apply(Settled("d", 9))
        self.assertEqual(self.load().number, 0)

    def test_number_again(self) -> None:
        """A number that nobody is owed any more may mean another publication."""
        self.apply(ALICE_IS_HERE, Queued("a", 3, 1, NEWS), Settled("a", 1))
        other = evolve(NEWS, topic="other")
        self.apply(Queued("a", 3, 1, other))
        self.assertEqual(self.session().queue, (KeptMessage(3, 1, other),))

    def test_packet_id_again(self) -> None:
        """An identifier that is used again means the new message alone."""
        other = evolve(NEWS, topic="other")
        self.apply(
            ALICE_IS_HERE, Queued("a", 3, 1, NEWS), Released("a", 1), Queued("a", 2, 1, other)
        )
        self.assertEqual(self.session().queue, (KeptMessage(2, 1, other),))
        self.assertEqual(self.load().number, 2)

    def test_back_and_forth(self) -> None:
        """A body that gave way and is owed again, by the same changes, is there."""
        self.apply(ALICE_IS_HERE, BOARD_IS_HERE)
        other = evolve(NEWS, topic="other")
        self.apply(Queued("a", 1, 1, NEWS), Queued("a", 2, 1, other), Queued("d", 1, 1, NEWS))
        alice, board = self.load().sessions
        self.assertEqual(alice.queue, (KeptMessage(2, 1, other),))
        self.assertEqual(board.queue, (KeptMessage(1, 1, NEWS),))

    def test_settled_unknown(self) -> None:
        """What nobody is owed can be released and settled without harm."""
        self.apply(ALICE_IS_HERE, Queued("a", 3, 1, NEWS), Released("a", 2), Settled("a", 2))
        self.assertEqual(self.session().queue, (KeptMessage(3, 1, NEWS),))

    def test_received(self) -> None:
        """Identifiers are taken once, and free when they are released."""
        self.apply(ALICE_IS_HERE, Received("a", 1), Received("a", 1), Received("a", 2))
        self.apply(Forgotten("a", 1), Forgotten("a", 7))
        self.assertEqual(self.session().received, {2})

    def test_retained(self) -> None:
        """The last word stands, with who said it and when."""
        word = Message("x", b"on", 2, retain=True, origin=DASHBOARD)
        own = Message("y", b"1", retain=True)
        self.apply(Retained(evolve(word, payload=b"off", qos=0, origin=ALICE), 1.5))
        self.apply(Retained(own, 2.5), Retained(word, 3.5))
        self.assertEqual(self.load(), Kept((), ((word, 3.5), (own, 2.5)), 0))

    def test_retained_taken_back(self) -> None:
        """An empty payload takes the last word back, whether there was one or not."""
        for topic in "xy":
            self.apply(Retained(Message(topic, b"on", retain=True), 1.5))
        self.apply(*(Retained(Message(topic, b"", retain=True), 2.5) for topic in "xz"))
        self.assertEqual([word.topic for word, _ in self.load().retained], ["y"])

    def test_in_order(self) -> None:
        """Changes of one call follow one another."""
        self.apply(
            ALICE_IS_HERE,
            Queued("a", 3, 1, NEWS),
            Ended("a"),
            ALICE_IS_HERE,
            Subscribed("a", "b", 1),
        )
        whole = KeptSession("a", ALICE, "app", subscriptions=(("b", 1),))
        self.assertEqual(self.load(), Kept((whole,), (), 0))


class MemoryMqttStoreTests(MqttStoreContract, SynchronousTestCase):
    """Sessions in dictionaries."""

    def make(self) -> IMqttStore:
        return MemoryMqttStore()


class SqlMqttStoreTests(MqttStoreContract, SynchronousTestCase):
    """Sessions in SQL."""

    def make(self) -> IMqttStore:
        return SqlMqttStore(InlineDatabase())


class MqttStoreAgreementTests(SynchronousTestCase):
    """Both keep the same."""

    @given(st.lists(st.lists(changes, max_size=8), max_size=8))
    def test_same(self, batches: Sequence[Sequence[Change]]) -> None:
        """Whatever changes, in whatever portions, it comes to the same; so does all at once."""
        database = InlineDatabase()
        stores: list[IMqttStore] = [MemoryMqttStore(), SqlMqttStore(database)]
        for store in stores:
            for batch in batches:
                self.successResultOf(store.apply(batch))
        stores.append(SqlMqttStore(InlineDatabase()))
        self.successResultOf(stores[-1].apply([each for batch in batches for each in batch]))
        first, *others = [self.successResultOf(store.load()) for store in stores]
        self.assertEqual(others, [first, first])
        self.successResultOf(database.close())

    @given(st.lists(changes, max_size=30), st.integers(0, 30))
    def test_repeated(self, made: Sequence[Change], cut: int) -> None:
        """What a broker changed can be changed again from the start, and comes to the same."""
        possible = [*(Opened(key, ALICE, key) for key in "abc"), *plausible(made)]
        once, twice = MemoryMqttStore(), MemoryMqttStore()
        for store, portions in ((once, [possible]), (twice, [possible[: 3 + cut], possible[3:]])):
            for portion in portions:
                self.successResultOf(store.apply(portion))
        self.assertEqual(unordered(twice), unordered(once))

    @given(st.lists(changes, max_size=20), st.lists(changes, max_size=40))
    def test_condensed(self, before: Sequence[Change], made: Sequence[Change]) -> None:
        """Leaving out what others have overtaken makes no difference, whatever was there."""
        whole, short = MemoryMqttStore(), MemoryMqttStore()
        for store, changes in ((whole, made), (short, condensed(made))):
            self.successResultOf(store.apply(before))
            self.successResultOf(store.apply(changes))
        self.assertEqual(unordered(short), unordered(whole))


def plausible(made: Sequence[Change]) -> Iterator[Change]:
    """Those of the changes that make sense to three sessions: nothing in one that has ended."""
    here = set("abc")
    for change in made:
        if isinstance(change, Opened):
            here.add(change.key)
        if isinstance(change, Retained) or change.key in here:
            yield change
        if isinstance(change, Ended):
            here.discard(change.key)


def unordered(store: MemoryMqttStore) -> object:
    """What is kept, but for the order in which it was first known."""
    sessions = {key: asdict(session) for key, session in store.sessions.items()}
    return sessions, store.retained
