"""A robot and people who are logged in, and what they say to one another."""

from collections.abc import Iterable

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.xmpp.factory import StreamLimits
from tests.xmpp.streams import ROBOT, Client, World

#: How programs that fold addresses spell it (xmpp.md 2).
FOLDED = ROBOT.lower()

PING = "<ping xmlns='urn:xmpp:ping'/>"
BATTERY = "<query xmlns='com:ctl'><ctl td='BatteryInfo'><battery power='087'/></ctl></query>"
ANSWER = "<query xmlns='com:ctl'><ctl id='72107787' ret='ok'/></query>"
QUESTION = "<query xmlns='com:ctl'><ctl id='72107787' td='GetCleanState'/></query>"


def iq(kind: str, number: str, inner: str = "", **addresses: str) -> str:
    """
    A stanza with C{to} first, as robots write it.

    @param addresses: C{to}, and C{sender} for what comes behind C{from}.
    """
    to = f"to='{addresses['to']}' " if "to" in addresses else ""
    sender = f" from='{addresses['sender']}'" if "sender" in addresses else ""
    end = f">{inner}</iq>" if inner else "/>"
    return f"<iq {to}type='{kind}' id='{number}'{sender}{end}"


def gone(to: str, sender: str, number: str) -> str:
    """The answer in place of a robot that is not there (xmpp.md 9)."""
    return (
        f"<iq type='error' to='{to}' from='{sender}' id='{number}'><error type='wait' code='404'>"
        "<recipient-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )


def unknown(number: str) -> str:
    """The answer to what we do not do (xmpp.md 10)."""
    return (
        f"<iq type='error' id='{number}'><error type='cancel' code='501'><feature-not-implemented"
        " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )


def lenient_world() -> World:
    """A server where users may log in without TLS, to be read more easily."""
    return World(StreamLimits(tls_users=False))


class HouseholdCase(SynchronousTestCase):
    """
    A test with a server.

    @ivar world: the server.
    """

    def setUp(self) -> None:
        self.world = self.lenient_world()

    def lenient_world(self) -> World:
        """The server."""
        return lenient_world()

    def robot(self, name: str = "", model: str = "126") -> Client:
        """A robot that is here."""
        client = Client(self.world)
        client.log_in_robot(*((name, model) if name else ()))
        return client

    def user(self, uid: str, resource: str = "GLB1") -> Client:
        """A session of somebody."""
        client = Client(self.world)
        client.log_in_user(uid, resource)
        return client

    def assert_silent(self, clients: Iterable[Client]) -> None:
        """Nobody of these has heard anything."""
        self.assertEqual("".join(client.heard() for client in clients), "")
