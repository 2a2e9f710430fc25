"""
The seams around the XMPP router: its streams above, our own code beside.

As everywhere, what returns a L{Deferred} never raises, and the rest never blocks.
"""

from collections.abc import Callable

from zope.interface import Attribute, Interface

from bumper_tw.values import DeviceId, Principal
from bumper_tw.wire.xmpp_jid import Jid
from bumper_tw.wire.xmpp_stanzas import Stanza


class IXmppOutlet(Interface):
    """Where the router writes to: one bound stream."""

    def write(stanza: bytes) -> None:
        """Send one serialised stanza; never blocks, a slow reader's stanzas wait."""

    def answer(stanza: bytes) -> None:
        """
        The same for what the peer itself has asked for.

        @raise ProtocolViolation: it asks on and on, and does not read.
        """

    def backlog() -> int:
        """How many bytes wait in front of a slow reader."""

    def conflict() -> None:
        """Another stream has taken the address: end with C{conflict} (xmpp.md 5.1)."""


class IXmppBinding(Interface):
    """One party at the router: a robot, or a session of a user."""

    who = Attribute("The L{Principal} that is bound.")
    jid = Attribute("Its full L{Jid}.")

    def enter() -> None:
        """
        Be found from now on.  Another stream under the same address ends: the newest wins; and
        of too many sessions of a user the oldest.
        """

    def route(stanza: Stanza) -> None:
        """
        Act on one stanza that the party has sent (xmpp.md 8.2): answer it, deliver it with its
        C{from} stamped, refuse it, or drop it.

        @raise ProtocolViolation: it asks on and on, and does not read.
        """

    def ping() -> None:
        """Ask whether it is alive; its answer is consumed by L{route} (xmpp.md 7)."""

    def close() -> None:
        """The stream has ended; nothing is delivered to it any more.  Twice is as good as once."""


#: Hears each C{com:ctl} and C{com:sf} stanza of a robot, whoever it is for, and its errors.
RobotSaid = Callable[[DeviceId, Stanza], None]


class IXmppRouter(Interface):
    """Brings stanzas to the one they are for, by exact address."""

    def bind(who: Principal, jid: Jid, outlet: object) -> IXmppBinding:
        """
        Make a place for a party.  Nothing reaches it before it has entered.

        @param outlet: an L{IXmppOutlet}.
        @raise LoginRefused: the address changes hands too often.
        """

    def listen(said: RobotSaid) -> Callable[[], None]:
        """
        Hear what robots say, for telemetry and for answers to our own questions.

        @return: takes it back.
        """

    def tell(device: DeviceId, stanza: bytes) -> None:
        """
        Send a stanza of our own to a robot.

        @raise DeviceOffline: it is not bound here.
        """
