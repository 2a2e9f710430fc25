"""Tests for L{bumper_tw.core.xmpp_adoption}: robots that refuse a user (xmpp.md 12)."""

from attrs import evolve
from twisted.logger import LogLevel, capturedLogs

from bumper_tw.core.xmpp_adoption import MOST, MOST_USERS, Adoption, administrator_in
from bumper_tw.dialect import markup
from bumper_tw.values import DeviceId
from bumper_tw.wire.xmpp_jid import Jid, parse_jid
from bumper_tw.wire.xmpp_stanzas import Stanza
from tests.core.xmpp_parties import ANN, DEEBOT, ROBOT, UID, RouterCase, stanza, user_party

ADMIN = "n5q8w2e7r4t1y6u3@ecouser.net"
DENIED = f"permission denied, please contact {ADMIN}"
REFUSAL = f"<ctl id='72107787' ret='fail' errno='103' error='{DENIED}'/>"


class AdoptionCase(RouterCase):
    """A robot that knows nobody here."""

    def setUp(self) -> None:
        super().setUp()
        self.uids = {UID}
        self.adoption = self.adopt()
        self.router.listen(self.said)
        self.begun: list[bool] = []

    def adopt(self, enabled: bool = True) -> Adoption:
        """What repairs it."""
        return Adoption(
            self.clock, self.router.tell_as, lambda uid, did: uid in self.uids, enabled
        )

    def said(self, device: DeviceId, said: Stanza) -> None:
        """What a robot says gets there as it does in the program."""
        query = markup.parse(said.raw).child("query")
        ctl = query.child("ctl") if query else None
        if ctl is None or ctl.get("errno") != "103":
            return
        to = parse_jid(said.attributes["to"])
        words = ctl.get("td"), ctl.get("error"), ctl.get("admin")
        self.begun.append(self.adoption.heard(device, *words, to))

    def refuse(self, ctl: str = REFUSAL, to: str = ANN, kind: str = "set") -> list[str]:
        """The robot refuses somebody; what it is told."""
        self.robot.say(
            f"<iq to='{to}' type='{kind}' id='2'><query xmlns='com:ctl'>{ctl}</query></iq>"
        )
        return self.robot.heard()


class ProcedureTests(AdoptionCase):
    """The three requests."""

    def test_requests(self) -> None:
        """Three requests in the name of the administrator; the refusal goes on to the asker."""
        allowed = "".join(f"<ac name='{n}' allow='1'/>" for n in ("userman", "setting", "clean"))
        requests = (
            f"<ctl td='AddUser' id='0000' jid='{UID}@ecouser.net'/>",
            f"<ctl td='SetAC' id='1111' jid='{UID}@ecouser.net'><acs>{allowed}</acs></ctl>",
            "<ctl td='GetUserInfo' id='4444'/><UserInfos/>",
        )
        told = self.refuse()
        for number, (request, heard) in enumerate(zip(requests, told, strict=True), 1):
            start = f"<iq type='set' id='adopt{number}' from='{ADMIN}' to='{ROBOT}'>"
            self.assertEqual(heard, f"{start}<query xmlns='com:ctl'>{request}</query></iq>")
        self.assertEqual(self.begun, [True])
        self.assertReaches(self.ann)

    def test_warning(self) -> None:
        """The owner reads that we changed what a robot permits."""
        with capturedLogs() as lines:
            self.refuse()
        told = [line for line in lines if line["log_level"] is LogLevel.warn]
        words = [str(told[0][name]) for name in ("did", "user", "administrator")]
        self.assertEqual((words, len(told)), ([DEEBOT.did, f"{UID}@ecouser.net", ADMIN], 1))

    def test_in_a_result(self) -> None:
        """A refusal within the result starts it too, and reaches the asker."""
        self.assertEqual(len(self.refuse(kind="result")), 3)
        self.assertReaches(self.ann)

    def test_admin_attribute(self) -> None:
        """Some robots name the administrator in another attribute, or in both."""
        for ctl in (
            f"<ctl id='1' ret='fail' errno='103' admin='{ADMIN}'/>",
            f"<ctl id='1' ret='fail' errno='103' error='permission denied' admin='{ADMIN}'/>",
            REFUSAL.replace("/>", f" admin='{ADMIN}'/>"),
            REFUSAL.replace("contact ", "contact  ").replace("@", " @ "),
        ):
            self.adoption = self.adopt()
            [first, *_] = self.refuse(ctl)
            self.assertEqual(stanza(first).attributes["from"], ADMIN)

    def test_our_own_questions(self) -> None:
        """A robot that refuses what we ask on our own is repaired as well."""
        [first, *_] = self.refuse(to="helperbot@ecouser.net/bumper")
        self.assertIn("jid='helperbot@ecouser.net'", first)

    def test_answers_are_swallowed(self) -> None:
        """What the robot answers the administrator goes nowhere, even if he is here."""
        admin, _, _ = ADMIN.partition("@")
        here = user_party(self.router, admin)
        self.refuse()
        self.ann.heard()
        for number in ("0000", "1111", "4444"):
            ctl = f"<ctl id='{number}' ret='ok'/>"
            for to in (ADMIN, here.address):
                self.assertEqual(self.refuse(ctl, to), [])
        self.robot.say(f"<iq to='{ADMIN}' type='result' id='adopt1'/>")
        self.assertSilent(here, self.ann, self.robot)
        # What else he is told is his.
        self.refuse("<ctl id='72107787' ret='ok'/>", here.address)
        self.assertReaches(here)
        self.clock.advance(61)
        self.refuse("<ctl id='4444' ret='ok'/>", here.address)
        self.assertReaches(here)

    def test_foreign_administrator(self) -> None:
        """The answers to an administrator elsewhere are not refused either."""
        self.assertEqual(len(self.refuse(REFUSAL.replace(ADMIN, "boss@example.org"))), 3)
        self.refuse("<ctl id='0000' ret='ok'/>", "boss@example.org")
        self.assertSilent(self.robot)

    def test_many_administrators(self) -> None:
        """A robot cannot make us remember administrators without end."""
        for number in range(40):
            self.uids.add(f"user{number}")
            refusal = REFUSAL.replace(ADMIN, f"boss{number}@example.org")
            self.assertEqual(len(self.refuse(refusal, f"user{number}@ecouser.net/a")), 3)
        self.refuse("<ctl id='0000' ret='ok'/>", "boss39@example.org")
        self.assertSilent(self.robot)
        self.refuse("<ctl id='0000' ret='ok'/>", "boss0@example.org")
        self.assertIn("remote-server-not-found", self.robot.take()[0])


class RestraintTests(AdoptionCase):
    """When nothing is done."""

    def test_wheel(self) -> None:
        """103 is also the number of an error of the driving wheel."""
        for ctl in (
            "<ctl td='error' error='WheelAbnormal' errno='103'/>",
            f"<ctl td='error' errno='103' admin='{ADMIN}'/>",
            "<ctl ret='fail' errno='103' error='WheelAbnormal'/>",
            "<ctl ret='fail' errno='103'/>",
        ):
            self.assertEqual(self.refuse(ctl), [])
            self.assertReaches(self.ann)

    def test_other_numbers(self) -> None:
        """Other failures are none of this."""
        self.assertEqual(self.refuse(REFUSAL.replace("103", "5")), [])
        self.assertEqual(self.begun, [])

    def test_administrators(self) -> None:
        """Nobody speaks for those who cannot be administrators."""
        for name in (
            "fuid_x@ecouser.net",
            "FUID_x@ecouser.net",
            "fusername_x@ecouser.net",
            "WheelAbnormal",
            "@ecouser.net",
            "x@ecouser.net/phone",
            "x@",
            "a@b@c",
            "",
            ANN,
        ):
            for ctl in (
                REFUSAL.replace(ADMIN, name),
                f"<ctl ret='fail' errno='103' admin='{name}'/>",
            ):
                self.assertEqual(self.refuse(ctl), [], ctl)

    def test_once_in_ten_minutes(self) -> None:
        """A robot that goes on refusing is left alone for a while, as to that user."""
        self.uids.add("bob")
        self.assertEqual(len(self.refuse()), 3)
        self.assertEqual(self.refuse(to=ANN.upper()), [])
        self.assertEqual(len(self.refuse(to="bob@ecouser.net/x")), 3)
        self.clock.advance(599)
        self.assertEqual(self.refuse(), [])
        self.clock.advance(1)
        self.assertEqual(len(self.refuse()), 3)
        self.assertEqual(self.begun, [True, False, True, False, True])

    def test_users(self) -> None:
        """Only those who may command the robot are made known to it."""
        for to in ("stranger@ecouser.net/x", "x@example.org", "ecouser.net", ROBOT):
            self.assertEqual(self.refuse(to=to), [])
        self.assertEqual(
            self.adoption.heard(DEEBOT, "", DENIED, "", Jid("", "ecouser.net")), False
        )

    def test_oneself(self) -> None:
        """Nobody is made known to a robot by himself."""
        admin, _, _ = ADMIN.partition("@")
        self.uids.add(admin)
        self.assertEqual(self.refuse(to=f"{ADMIN.upper()}/x"), [])

    def test_disabled(self) -> None:
        """The owner may not want it."""
        self.adoption = self.adopt(enabled=False)
        self.assertEqual(self.refuse(), [])

    def test_gone(self) -> None:
        """A robot that has gone is tried again when it comes back."""
        self.robot.binding.close()
        self.assertFalse(self.adoption.heard(DEEBOT, "", DENIED, "", parse_jid(ANN)))
        self.robot = type(self.robot)(self.router, self.robot.who)
        self.assertEqual(len(self.refuse()), 3)

    def test_room(self) -> None:
        """Only so many robots are remembered, and old ones make room."""
        to = parse_jid(ANN)
        tell_all = Adoption(self.clock, lambda *_: None, lambda *_: True)
        devices = [evolve(DEEBOT, did=f"SN{n}") for n in range(MOST + 1)]
        begun = [tell_all.heard(device, "", DENIED, "", to) for device in devices]
        self.assertEqual(begun.count(True), MOST + 1)
        self.assertFalse(tell_all.heard(devices[-1], "", DENIED, "", to))
        self.assertTrue(tell_all.heard(devices[0], "", DENIED, "", to))

    def test_greedy_robot(self) -> None:
        """A robot that makes up people to refuse does not keep others from being adopted."""
        tell_all = Adoption(self.clock, lambda *_: None, lambda *_: True)
        people = [parse_jid(f"uid{n}@ecouser.net/a") for n in range(MOST * 2)]
        begun = [tell_all.heard(DEEBOT, "", DENIED, "", to) for to in people]
        self.assertEqual((begun.count(True), begun[-1]), (MOST_USERS, False))
        other = evolve(DEEBOT, did="SN2")
        self.assertTrue(tell_all.heard(other, "", DENIED, "", people[-1]))
        self.clock.advance(600)
        self.assertTrue(tell_all.heard(DEEBOT, "", DENIED, "", people[-1]))


class AdministratorTests(AdoptionCase):
    """Who a robot says it obeys."""

    def test_words(self) -> None:
        """The address behind the fixed words, whatever blanks there are."""
        for error in (DENIED, DENIED.replace(", please", ",please"), DENIED + " "):
            self.assertEqual(administrator_in(error, ""), parse_jid(ADMIN))
        self.assertIsNone(administrator_in(ADMIN, ""))
        self.assertEqual(administrator_in("", ADMIN), parse_jid(ADMIN))
