"""Every recorded conversation, in all the ways its bytes may arrive (xmpp.md 15)."""

from hypothesis import given
from hypothesis import strategies as st

from bumper_tw.xmpp.factory import StreamLimits
from tests.xmpp import conversations
from tests.xmpp.household import lenient_world
from tests.xmpp.replay import AdoptingWorld, Cut, ReplayCase, bytewise, cut_at, whole
from tests.xmpp.streams import World
from tests.xmpp.transcripts import Way, joined, turns


class RobotAloneTests(ReplayCase):
    """
    A robot whose people sleep (xmpp.md 6.1).

    The other cases are the same for other conversations: what is heard never depends on how
    what is said is cut.
    """

    conversation = conversations.ROBOT_ALONE

    def lenient_world(self) -> World:
        """A server that lets users come as they like."""
        return lenient_world()

    def separately(self, cut: Cut, way: Way = Way.CLEAR) -> None:
        """Everybody waits for his answers."""
        spoken = turns(self.conversation, way)
        self.replay(self.lenient_world(), spoken, cut, way is not Way.CLEAR)

    def at_once(self, cut: Cut, way: Way = Way.CLEAR) -> None:
        """Nobody does, until somebody else has to speak."""
        spoken = joined(turns(self.conversation, way))
        self.replay(self.lenient_world(), spoken, cut, way is not Way.CLEAR)

    def test_whole(self) -> None:
        """One segment for each step."""
        self.separately(whole)

    def test_byte_by_byte(self) -> None:
        """One for each byte."""
        self.separately(bytewise)
        self.at_once(bytewise)

    def test_cut_in_two(self) -> None:
        """Two for each step, the cut anywhere: inside of tags, and of letters."""
        longest = max(len(turn.said) for turn in turns(self.conversation, Way.CLEAR))
        for place in range(1, longest):
            self.separately(cut_at(place))

    def test_at_once(self) -> None:
        """All that a party has to say in one segment, new streams included."""
        self.at_once(whole)

    def test_starttls(self) -> None:
        """The same inside of TLS, begun on the way."""
        for cut in (whole, bytewise, cut_at(20)):
            self.separately(cut, Way.STARTTLS)
            self.at_once(cut, Way.STARTTLS)

    def test_direct_tls(self) -> None:
        """And inside of TLS from the start."""
        for cut in (whole, bytewise, cut_at(20)):
            self.separately(cut, Way.DIRECT)
            self.at_once(cut, Way.DIRECT)


class AppsTests(RobotAloneTests):
    """Two telephones at one robot (xmpp.md 6.2, 8.3, 13.1)."""

    conversation = conversations.APPS


class SucksAloneTests(RobotAloneTests):
    """A program whose robot is off (xmpp.md 6.3, 9)."""

    conversation = conversations.SUCKS_ALONE


class SucksTests(RobotAloneTests):
    """The same when it is on, addressed in lower case (xmpp.md 2, 6.3)."""

    conversation = conversations.SUCKS


class JsTests(RobotAloneTests):
    """A program with a ping of its own (xmpp.md 6.4)."""

    conversation = conversations.JS


class JavaTests(RobotAloneTests):
    """A program that compares addresses (xmpp.md 6.5)."""

    conversation = conversations.JAVA


class RequestsTests(RobotAloneTests):
    """What nobody here answers (xmpp.md 10)."""

    conversation = conversations.REQUESTS


class ServicesTests(RobotAloneTests):
    """Relations and alerts (xmpp.md 11)."""

    conversation = conversations.SERVICES


class AdoptionTests(RobotAloneTests):
    """A robot that obeys somebody else is adopted, once (xmpp.md 12)."""

    conversation = conversations.ADOPTION

    def lenient_world(self) -> World:
        return AdoptingWorld(StreamLimits(tls_users=False))


class FragmentationTests(ReplayCase):
    """All of them, cut at random."""

    @given(st.sampled_from(conversations.ALL), st.lists(st.integers(1, 5_000), max_size=12))
    def test_any(self, conversation: str, places: list[int]) -> None:
        """Several steps in a segment, several segments in a step."""
        world = lenient_world()
        self.replay(world, joined(turns(conversation, Way.CLEAR)), cut_at(*places), False)
