"""Tests for L{bumper_tw.core.xmpp_parties}: who hears what robots say (xmpp.md 8.3)."""

from bumper_tw.core.xmpp_switchboard import RouterLimits
from bumper_tw.values import DeviceId
from bumper_tw.wire.xmpp_stanzas import Stanza
from tests.core.xmpp_parties import (
    ANN,
    BATTERY,
    COMMAND,
    DEEBOT,
    DONE,
    OZMO,
    PING,
    SN,
    UID,
    RouterCase,
    robot_party,
    user_party,
)


class DeliveryTests(RouterCase):
    """Row 9: what robots say to users (xmpp.md 8.3)."""

    def setUp(self) -> None:
        super().setUp()
        self.phone = user_party(self.router, resource="sk7d1f02")
        self.joann = user_party(self.router, f"jo{UID}")

    def test_result(self) -> None:
        """A result is for the session it is addressed to, alone."""
        for kind in ("result", "error"):
            self.tell(ANN, kind)
            self.assertReaches(self.ann)
        self.assertSilent(self.phone, self.joann)

    def test_result_to_whoever_asked(self) -> None:
        """One without a session, or for one that has gone, is for whoever asked that."""
        for to in (f"{UID}@ecouser.net", f"{UID}@ecouser.net/gone"):
            self.phone.say(COMMAND)
            self.tell(to, "result", "", 7)
            self.assertReaches(self.phone)
            # It has its answer now.
            self.tell(to, "result", "", 7)
        self.assertSilent(self.ann, self.phone, self.joann)

    def test_reply(self) -> None:
        """The reply to a command is for one session alone."""
        self.tell(ANN, inner=DONE)
        self.assertReaches(self.ann)
        self.assertSilent(self.phone, self.joann)

    def test_event(self) -> None:
        """All sessions of a user hear an event that is for one of them."""
        self.tell(ANN)
        self.assertReaches(self.ann, self.phone)
        self.assertSilent(self.joann)

    def test_session_gone(self) -> None:
        """What is for a session that has gone is for the others of that user."""
        for inner in (BATTERY, DONE):
            self.tell(f"{UID}@ecouser.net/gone", inner=inner)
            self.assertReaches(self.ann, self.phone)
        self.assertSilent(self.joann)

    def test_bare(self) -> None:
        """What is for a user is for all of his sessions, however he is spelt."""
        for to in (f"{UID}@ecouser.net", f"{UID.upper()}@Ecouser.net"):
            self.tell(to)
            self.assertReaches(self.ann, self.phone)
        self.assertSilent(self.joann)

    def test_nobody(self) -> None:
        """What is for users who are not here vanishes; no part of a name will do."""
        users = (UID[:-1], UID[1:], f"{UID}x", "a", "helperbot", "nobody")
        for user in users:
            for kind in ("set", "get", "result"):
                self.tell(f"{user}@ecouser.net/GLBa91f03c2d", kind)
                self.tell(f"{user}@ecouser.net", kind)
        self.assertSilent(self.ann, self.phone, self.joann, self.robot)

    def test_question(self) -> None:
        """A robot may ask one of its users whether he is alive; one session answers."""
        self.tell(ANN, "get", PING)
        self.assertReaches(self.ann)
        self.tell(f"{UID}@ecouser.net", "get", PING)
        self.assertReaches(self.phone)
        self.tell(f"{UID}@ecouser.net/gone", "get", PING)
        self.assertSilent(self.ann, self.phone, self.robot)

    def test_resource_is_exact(self) -> None:
        """The case of a resource matters."""
        self.tell(ANN.replace("GLBa", "GLBA"), "result")
        self.assertSilent(self.ann, self.phone)

    def test_not_his(self) -> None:
        """A robot reaches only those who have to do with it."""
        self.denied.add((UID, SN))
        for to in (ANN, f"{UID}@ecouser.net", "de.ecorobot.net"):
            for kind in ("set", "result"):
                self.tell(to, kind)
        self.assertSilent(self.ann, self.phone)
        self.assertReaches(self.joann)


class FewerCopiesTests(RouterCase):
    """Events without copies."""

    limits = RouterLimits(fanout=False)

    def test_event(self) -> None:
        """Only the session it is for hears an event; what is for the user, all do."""
        phone = user_party(self.router, resource="sk7d1f02")
        self.tell(ANN)
        self.assertReaches(self.ann)
        self.assertSilent(phone)
        self.tell(f"{UID}@ecouser.net")
        self.assertReaches(self.ann, phone)


class HouseholdTests(RouterCase):
    """Rows 6 and 7: what is for whoever has to do with a robot."""

    def test_events_service(self) -> None:
        """What a robot tells the event service reaches sessions of users, and no robot."""
        others = [user_party(self.router, "bob"), user_party(self.router, resource="b")]
        ozmo = robot_party(self.router, OZMO)
        for to in ("de.ecorobot.net", None):
            self.tell(to)
            self.assertReaches(self.ann, *others)
        self.assertSilent(ozmo, self.robot)

    def test_for_the_server(self) -> None:
        """What it tells the server is not repeated, and not acknowledged."""
        for to in ("ecouser.net", "126.ecorobot.net", "ECOUSER.NET"):
            self.tell(to)
        self.assertSilent(self.ann, self.robot)

    def test_device_info(self) -> None:
        """What it says when it was asked who it is concerns nobody else (xmpp.md 5.3)."""
        inner = "<query xmlns='com:ctl'><ctl td='DeviceInfo' key='x'/></query>"
        self.tell(None, "set", inner)
        self.tell("ecouser.net", "result", inner, 14)
        self.tell(None, "result", inner, 14)
        self.assertSilent(self.ann, self.robot)


class ListenTests(RouterCase):
    """What we ourselves hear of robots."""

    def setUp(self) -> None:
        super().setUp()
        self.said: list[tuple[DeviceId, bytes]] = []
        self.undo = self.router.listen(lambda device, said: self.said.append((device, said.raw)))

    def test_everything(self) -> None:
        """Each command, event and alert of a robot is heard, whoever it is for."""
        places = (ANN, "nobody@ecouser.net", "ecouser.net", None, "helperbot@ecouser.net/bumper")
        for to in (*places, "rl.ecorobot.net", "de.ecorobot.net", "x@example.org"):
            for kind in ("set", "result"):
                self.tell(to, kind)
        self.tell("rl.ecorobot.net", inner="<query xmlns='com:sf'><sf k='DeviceAlert'/></query>")
        self.assertEqual(len(self.said), 17)
        self.assertEqual({device for device, _ in self.said}, {DEEBOT})

    def test_before_delivery(self) -> None:
        """We know first."""
        heard: list[int] = []
        self.router.listen(lambda device, said: heard.append(len(self.ann.outlet.heard)))
        self.tell(ANN)
        self.assertEqual((heard, len(self.ann.heard())), ([0], 1))

    def test_lost_namespace(self) -> None:
        """A query that has lost its name is one if there is a command in it (xmpp.md 3, 14)."""
        self.tell(ANN, inner="<query><ctl td='BatteryInfo'/></query>")
        self.tell(ANN, inner="<query><other/></query>")
        self.assertEqual(len(self.said), 1)

    def test_errors(self) -> None:
        """Nor does what a robot cannot do escape us."""
        self.tell("ecouser.net", "error", "")
        self.tell(ANN, "error")
        self.assertEqual(len(self.said), 2)

    def test_nothing_else(self) -> None:
        """Pings, bare acknowledgements and what users say are not heard."""
        self.tell(ANN, "get", PING)
        self.tell(ANN, "result", "")
        self.ann.say(COMMAND)
        self.assertEqual(self.said, [])

    def test_broken_listener(self) -> None:
        """A listener that breaks keeps nothing from anybody."""

        def broken(device: DeviceId, said: Stanza) -> None:
            raise ZeroDivisionError

        self.undo()
        self.router.listen(broken)
        self.router.listen(lambda device, said: self.said.append((device, said.raw)))
        self.tell(ANN)
        self.assertEqual((len(self.said), len(self.ann.heard())), (1, 1))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_undo(self) -> None:
        """Who has had enough hears no more, even if he says so while he hears."""
        undo = self.router.listen(lambda device, said: undo())
        self.tell(ANN)
        self.undo()
        self.tell(ANN)
        self.assertEqual(len(self.said), 1)
