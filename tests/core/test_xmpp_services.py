"""Tests for L{bumper_tw.core.xmpp_services}: what the server itself answers."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.xmpp_services import Kind, ctl_id, place
from bumper_tw.values import DeviceId
from tests.core.xmpp_parties import (
    ANN,
    BATTERY,
    COMMAND,
    DEEBOT,
    PING,
    ROBOT,
    SN,
    UID,
    Party,
    RouterCase,
    error,
    robot_party,
    user_party,
)

ALERT = (
    "<iq to='rl.ecorobot.net' type='set' id='1234'><query xmlns='com:sf'>"
    "<sf td='pub' t='log' ts='1767225600000' tp='p' k='DeviceAlert' v='DorpError' "
    f"f='{SN}@126.ecorobot.net' g='{UID}@ecouser.net'/></query></iq>"
)


class ServerTests(RouterCase):
    """Rows 1 to 4 and 12 of xmpp.md 8.2."""

    def answered(self, party: Party, text: str, *answers: str) -> None:
        """The server says this, and nobody else hears anything."""
        party.say(text)
        self.assertEqual(party.take(), list(answers))
        self.assertSilent(self.ann, self.robot)

    def test_ping(self) -> None:
        """The server answers pings under the name it was called by (xmpp.md 7)."""
        self.answered(
            self.robot,
            f"<iq to='126.ecorobot.net' from='{ROBOT}' type='get' id='2542'>{PING}</iq>",
            "<iq type='result' id='2542' from='126.ecorobot.net'/>",
        )
        for to in ("ecouser.net", "Ecouser.net", "rl.ecorobot.net"):
            self.answered(
                self.ann,
                f"<iq to='{to}' type='get' id='a'><query xmlns='urn:xmpp:ping'/></iq>",
                f"<iq type='result' id='a' from='{to}'/>",
            )
        self.answered(self.ann, f"<iq type='get' id='a'>{PING}</iq>", "<iq type='result' id='a'/>")

    def test_ping_of_the_own_account(self) -> None:
        """Whoever pings all of his sessions together is answered by the server."""
        self.answered(
            self.ann,
            f"<iq to='{UID}@ecouser.net' type='get' id='a'>{PING}</iq>",
            f"<iq type='result' id='a' from='{UID}@ecouser.net' to='{ANN}'/>",
        )

    def test_roster_and_the_like(self) -> None:
        """What we do not have is said not to be there, by what is asked, not by words in it."""
        says = error("cancel", "feature-not-implemented", 501)
        disco = "http://jabber.org/protocol/disco#"
        names = ("jabber:iq:roster", f"{disco}items", f"{disco}info", "vcard-temp", "com:sf")
        for name in names:
            inner = f'<query xmlns="{name}" ></query>'
            self.answered(
                self.ann,
                f'<iq id="EE0XQ-2" type="get">{inner}</iq>',
                f"<iq type='error' id='EE0XQ-2'>{says}",
            )
            self.answered(
                self.ann,
                f'<iq id="1" to="ecouser.net" type="get">{inner}</iq>',
                f"<iq type='error' from='ecouser.net' id='1'>{says}",
            )

    def test_room_called_roster(self) -> None:
        """A command is relayed whatever words are in it."""
        self.ann.say(COMMAND.replace("'Clean'", "'RenameM' name='jabber:iq:roster'"))
        self.assertEqual(len(self.robot.heard()), 1)

    def test_requests_without_meaning(self) -> None:
        """Everybody is told that the server knows nothing of the kind, robots too."""
        for party in (self.ann, self.robot):
            for text in (
                "<iq id='1' type='set'/>",
                "<iq id='1' to='ecouser.net' type='set'><x xmlns='y'/></iq>",
                f"<iq id='1' to='126.ecorobot.net' type='get'>{BATTERY}</iq>",
                f"<iq id='1' to='rl.ecorobot.net' type='set'>{BATTERY}</iq>",
                f"<iq id='1' to='de.ecorobot.net' type='get'>{BATTERY}</iq>",
            ):
                party.say(text)
                [answer] = party.take()
                self.assertIn("feature-not-implemented", answer)
        self.ann.say(f"<iq id='1' to='de.ecorobot.net' type='set'>{BATTERY}</iq>")
        self.assertIn("feature-not-implemented", self.ann.take()[0])

    def test_bind_again(self) -> None:
        """One stream has one address (xmpp.md 5.1)."""
        bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
        says = "<iq type='error' id='bind'>" + error("cancel", "not-allowed", 405)
        for party in (self.ann, self.robot):
            self.answered(party, f"<iq type='set' id='bind'>{bind}</iq>", says)

    def test_session(self) -> None:
        """A session is there already, wherever it is asked for (xmpp.md 5.2)."""
        session = "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>"
        for party in (self.ann, self.robot):
            for to in ("", " to='ecouser.net'"):
                self.answered(
                    party,
                    f"<iq type='set'{to} id='sess'>{session}</iq>",
                    "<iq type='result' id='sess'/>",
                )

    def test_our_pings(self) -> None:
        """The answers to our own pings go nowhere, in time or late, result or error."""
        for number in (1, 2):
            self.ann.binding.ping()
            self.assertEqual(len(self.ann.take()), 1)
            self.robot.binding.ping()
            expected = f"<iq from='ecouser.net' to='{ROBOT}' id='s2c{number}' type='get'>"
            self.assertEqual(self.robot.take(), [f"{expected}{PING}</iq>"])
        for party in (self.robot, self.ann):
            for kind in ("result", "error"):
                for to in (" to='ecouser.net'", "", " to='126.ecorobot.net'"):
                    self.answered(party, f"<iq type='{kind}'{to} id='s2c1'/>")
                self.answered(party, f"<iq type='{kind}' to='{party.address}' id='s2c2'/>")

    def test_ping_for_a_slow_reader(self) -> None:
        """Pings do not pile up in front of somebody who does not read."""
        self.ann.outlet.waiting = 300_000
        self.ann.binding.ping()
        self.assertSilent(self.ann)


class PresenceTests(RouterCase):
    """What presence does (xmpp.md 5.3)."""

    def test_users(self) -> None:
        """Presence of an app is answered, in either spelling."""
        for text in (
            "<presence/>",
            '<presence type="available"/>',
            "<presence to='ecouser.net'/>",
        ):
            self.ann.say(text)
            self.assertEqual(self.ann.take(), [f"<presence to='{ANN}'> dummy </presence>"])

    def test_robots(self) -> None:
        """A robot is asked about itself besides, once in a stream, and we are told of it."""
        present: list[DeviceId] = []
        undo = self.router.when_present(present.append)
        ask = f"<iq type='set' id='14' to='{ROBOT}' from='ecouser.net'><query xmlns='com:ctl'>"
        question = f"{ask}<ctl td='GetDeviceInfo'/></query></iq>"
        for more in ([question], []):
            self.robot.say("<presence><status>hello world</status></presence>")
            says = f"<presence to='{ROBOT}'> dummy </presence>"
            self.assertEqual(self.robot.take(), [says, *more])
        self.assertEqual(present, [DEEBOT])
        robot_party(self.router).say("<presence/>")
        undo()
        robot_party(self.router).say("<presence/>")
        self.assertEqual(present, [DEEBOT, DEEBOT])

    def test_broken_listener(self) -> None:
        """Who breaks when a robot comes disturbs nobody."""
        present: list[DeviceId] = []
        self.router.when_present(present.remove)
        self.router.when_present(present.append)
        self.robot.say("<presence/>")
        self.assertEqual(present, [DEEBOT])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_ignored(self) -> None:
        """What is for others, and what is no news, is left alone."""
        present: list[DeviceId] = []
        self.router.when_present(present.append)
        for text in (
            "<presence type='unavailable'><status>Logged out</status></presence>",
            "<presence type='subscribe' to='x@ecouser.net'/>",
            "<presence type='probe'/>",
            f"<presence to='{ANN}'/>",
            f"<presence to='{ROBOT}'/>",
        ):
            self.robot.say(text)
            self.ann.say(text)
        self.assertSilent(self.ann, self.robot)
        self.assertEqual(present, [])


class RelationTests(RouterCase):
    """Row 5: the relation service (xmpp.md 11)."""

    def test_app(self) -> None:
        """An app is told that all is well, and that is all."""
        self.ann.say(
            '<iq id="9" type="set" to="rl.ecorobot.net"><query xmlns="com:sf"><x/></query></iq>'
        )
        says = f"<iq id='9' to='{ANN}' from='rl.ecorobot.net' type='result'/>"
        self.assertEqual(self.ann.take(), [says])
        self.assertSilent(self.robot)

    def test_alert(self) -> None:
        """An alert is acknowledged, and reaches the user it names, word for word."""
        others = [user_party(self.router, resource="b"), user_party(self.router, "bob")]
        self.robot.say(ALERT)
        says = f"<iq type='result' id='1234' from='rl.ecorobot.net' to='{ROBOT}'/>"
        self.assertEqual(self.robot.take(), [says])
        inner = ALERT[ALERT.index("<query") :]
        for party in (self.ann, others[0]):
            [heard] = party.take()
            self.assertTrue(heard.endswith(f">{inner}"))
            self.assertIn(f"to='{party.address}'", heard)
            self.assertIn(f"from='{ROBOT}'", heard)
        self.assertSilent(others[1])

    def test_alert_for_nobody(self) -> None:
        """One that names nobody who may hear it is acknowledged."""
        for user in ("x@ecouser.net", "", "@", ROBOT, "x@example.org", "ecouser.net"):
            self.robot.say(ALERT.replace(f"{UID}@ecouser.net", user))
            self.assertIn("type='result'", self.robot.take()[0])
        self.robot.say(
            "<iq to='rl.ecorobot.net' type='set' id='1'><x:query xmlns:x='com:sf'>text"
            "<y/></x:query></iq>"
        )
        self.assertIn("type='result'", self.robot.take()[0])
        self.denied.add((UID, SN))
        self.robot.say(ALERT)
        self.assertIn("type='result'", self.robot.take()[0])
        self.assertSilent(self.ann)


class PlaceTests(SynchronousTestCase):
    """Where addresses lead to."""

    def test_kinds(self) -> None:
        """Each address leads to one kind of place."""
        for text, kind in {
            None: Kind.NOWHERE,
            ANN: Kind.USER,
            "x@ECOUSER.net": Kind.USER,
            ROBOT: Kind.ROBOT,
            ROBOT.lower(): Kind.ROBOT,
            "ecouser.net": Kind.SERVER,
            "126.ecorobot.net": Kind.SERVER,
            "ecouser.net/x": Kind.SERVER,
            "rl.ecorobot.net": Kind.RELATIONS,
            "x@rl.ecorobot.net": Kind.RELATIONS,
            "de.ecorobot.net": Kind.EVENTS,
            "helperbot@ecouser.net/bumper": Kind.OURSELVES,
            "HelperBot@ecouser.net": Kind.OURSELVES,
            "ecorobot.net": Kind.FOREIGN,
            "126.ecorobot.net.example.org": Kind.FOREIGN,
            "x@y.126.ecorobot.net": Kind.FOREIGN,
            "": Kind.MALFORMED,
            "x@": Kind.MALFORMED,
        }.items():
            self.assertIs(place(text).kind, kind, text)

    @given(st.text(max_size=40))
    def test_any_text(self, text: str) -> None:
        """Any text leads somewhere, and the same place however often it is read."""
        self.assertEqual(place(text), place(text))

    def test_long_ones_are_not_kept(self) -> None:
        """Two readings of a long address are two readings."""
        text = f"{'x' * 500}@ecouser.net"
        self.assertEqual(place(text), place(text))
        self.assertIsNot(place(text), place(text))
        self.assertIs(place(ANN), place(ANN))


class ControlIdTests(SynchronousTestCase):
    """What tells answers from events."""

    def test_ids(self) -> None:
        """The id of the command counts, not that of anything else."""
        for inner, expected in {
            "<ctl id='72107787' ret='ok'/>": b"72107787",
            '<ctl td="x" id = "1"/>': b"1",
            "<x:ctl td='x'\n\tid='1'><a/></x:ctl>": b"1",
            "<ctl td='a > b' id=''/>": b"",
            "<ctl td='x'/>": None,
            "<ctl td=\" id='1'\"/>": None,
            "<ctl sid='1' x:id='2'/>": None,
            "<ctl td='x'><area id='1'/></ctl>": None,
            "<ctls id='1'/>": None,
            "<ctl td='Sched2'><ctl id='9'/></ctl>": None,
            "": None,
        }.items():
            raw = f"<iq id='9' type='set'><query xmlns='com:ctl'>{inner}</query></iq>"
            self.assertEqual(ctl_id(raw.encode()), expected, inner)

    def test_cost(self) -> None:
        """The cost of looking is that of reading, whatever there is to look at."""
        for piece in (b"<ctl ", b"<ctl a='", b"<x:", b"<ctl a='1' ", b"<ctl " + b" " * 99):
            raw = piece * (65_536 // len(piece))
            self.assertIsNone(ctl_id(raw))
