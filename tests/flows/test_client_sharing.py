"""Two accounts share a robot: as the vendor's app does, and over our own API."""

from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.ownership import ACCEPTED, INVITED
from bumper_tw.core.pairing import PATIENCE
from bumper_tw.web.sharing import WITHDRAWALS, masked
from tests.flows.house import NOW
from tests.flows.owners import ANNA, BEN, ROBOTS, OwnersCase, Person
from tests.samples import DUSTY, RUSTY

DID = DUSTY.did
FINE = {"ret": "ok", "code": 0, "todo": "result"}


class SharingCase(OwnersCase):
    """Anna's robots, and Ben."""

    def offer(self, did: str = DID, username: str = BEN, by: Person | None = None) -> Any:
        """Anna shares a robot."""
        more = {"accountType": "EMAIL", "country": "de", "resource": "x"}
        return self.todo(by or self.anna, "ShareDevice", did=did, username=username, **more)

    def receive(self, **which: object) -> Any:
        """Ben takes what he is offered."""
        body = {"td": "ReceiveShareDevice", **which}
        return self.portal(self.ben, "/api/dim/devmanager.do", body)

    def shares(self, person: Person) -> list[dict[str, Any]]:
        """What somebody's app lists."""
        answer = self.todo(person, "GetShareDeviceList")
        devices: list[dict[str, Any]] = answer.pop("devices")
        self.assertEqual(answer, FINE)
        return devices

    def states(self) -> list[tuple[str, str]]:
        """What there is of shares of Dusty."""
        return [(share.uid, share.state) for share in self.ownership.shares(DID)]


class OfferTests(SharingCase):
    """C{ShareDevice} and C{ReceiveShareDevice}."""

    def test_life(self) -> None:
        """Invited, accepted, used, and left."""
        self.assertEqual(self.offer(), FINE)
        self.assertEqual(self.states(), [(self.ben.uid, INVITED)])
        self.assertEqual(self.listed(self.ben), {})
        self.assertEqual(self.receive(did=DID), {"ret": "ok"})
        self.assertEqual(self.states(), [(self.ben.uid, ACCEPTED)])
        [(did, found)] = self.listed(self.ben).items()
        self.assertEqual((did, found["sharedDevice"]), (DID, True))
        self.assertIs(self.listed(self.anna)[DID]["sharedDevice"], False)
        asked = {"did": DID, "name": "getBattery"}
        self.assertIs(self.api(self.ben, "POST", "/api/command", asked)["ok"], True)
        self.user_do(self.ben, "DeleteOneDevice", did=DID)
        self.assertEqual((self.states(), self.listed(self.ben)), ([], {}))
        self.assertEqual(set(self.listed(self.anna)), set(ROBOTS))

    def test_guest(self) -> None:
        """A guest neither names nor shares what is not his, nor removes what it remembers."""
        self.offer()
        self.receive()
        self.user_do(self.ben, "SetDeviceNick", did=DID, nick="Mine")
        self.assertEqual(self.offer(username=ANNA, by=self.ben)["ret"], "fail")
        self.assertEqual(self.listed(self.anna)[DID]["nick"], "")

    def test_by_id(self) -> None:
        """An offer is taken by its id, too; one that is not there changes nothing."""
        self.offer()
        self.offer(RUSTY.did)
        [share] = self.ownership.shares(RUSTY.did)
        self.receive(msgId="unheard of")
        self.assertEqual(self.listed(self.ben), {})
        self.receive(shareId=share.id)
        self.assertEqual(list(self.listed(self.ben)), [RUSTY.did])
        self.receive()
        self.assertEqual(set(self.listed(self.ben)), {DUSTY.did, RUSTY.did})

    def test_not_for_me(self) -> None:
        """Nobody takes what somebody else is offered."""
        self.receive(did=DID)
        self.assertEqual((self.states(), self.listed(self.ben)), ([], {}))

    def test_wrong(self) -> None:
        """An account nobody has, and robots nobody has: two failures, both the vendor's."""
        nobody = {"todo": "result", "code": -3, "errno": -3, "ret": "fail"}
        self.assertEqual(self.offer(username="nobody@example.org"), nobody)
        for did, by in (("none", self.anna), (DID, self.ben), ("none", self.ben)):
            self.assertEqual(self.offer(did, ANNA, by)["errno"], 2004)
        self.assertEqual(self.offer(username=ANNA)["errno"], 2004)

    def test_spelling(self) -> None:
        """Case does not matter in what somebody types."""
        self.assertEqual(self.offer(username=f" {BEN.upper()} "), FINE)
        self.assertEqual(self.states(), [(self.ben.uid, INVITED)])

    def test_refused(self) -> None:
        """Whoever does not want it deletes it, by whatever name he knows."""
        for todo in ("DeleteOneDevice", "UnShareDevice"):
            for name in (DID, ""):
                self.offer()
                [share] = self.ownership.shares(DID)
                call = self.user_do if todo == "DeleteOneDevice" else self.todo
                call(self.ben, todo, did=name or share.id)
                self.assertEqual(self.states(), [])
        self.assertEqual(set(self.listed(self.anna)), set(ROBOTS))

    def test_little_known(self) -> None:
        """Before he has accepted he is told the share and the model, and not which robot."""
        self.user_do(self.anna, "SetDeviceNick", did=DID, nick="Sparkling")
        self.offer()
        [share] = self.ownership.shares(DID)
        for accepted in (False, True):
            asked = self.portal(self.ben, "/api/neng/message/getShareMsgs", {})
            [message], [listed] = asked["data"]["msgs"], self.shares(self.ben)
            for found in (message, listed):
                self.assertEqual(found["did"], DID if accepted else share.id)
                self.assertEqual(found["resource"], DUSTY.resource if accepted else "")
                self.assertEqual(found["mid"], DUSTY.model)
                self.assertIs(DID in str(found), accepted)
            self.assertIs("Sparkling" in str(message), accepted)
            self.receive(did=message["did"])


class ListTests(SharingCase):
    """C{GetShareDeviceList}."""

    def test_both_sides(self) -> None:
        """Who shares and who is offered something see it, each from his side."""
        self.assertEqual((self.shares(self.anna), self.shares(self.ben)), ([], []))
        self.offer()
        anna = {"nickname": ANNA, "user": masked(self.anna.uid)}
        ben = {"nickname": BEN, "user": masked(self.ben.uid), "status": "sharing"}
        [found] = self.shares(self.anna)
        self.assertEqual(
            found,
            {
                "deviceName": "DEEBOT OZMO 950 Series",
                "did": DID,
                "icon": found["icon"],
                "mid": DUSTY.model,
                "resource": DUSTY.resource,
                "share": True,
                "ownUsers": {"isMe": True, **anna},
                "shareUsers": [{"isMe": False, **ben}],
            },
        )
        self.assertTrue(found["icon"].startswith("http://box.lan:8007/"))
        self.receive()
        [found] = self.shares(self.ben)
        self.assertEqual(found["ownUsers"], {"isMe": False, **anna})
        self.assertEqual(found["shareUsers"], [{"isMe": True, **ben, "status": "shared"}])

    def test_other_guests(self) -> None:
        """A guest does not hear of other guests."""
        carl = self.person("carl@example.org")
        self.offer()
        self.offer(username=carl.account)
        self.assertEqual(len(self.shares(self.anna)[0]["shareUsers"]), 2)
        for guest in (self.ben, carl):
            [only] = self.shares(guest)[0]["shareUsers"]
            self.assertIs(only["isMe"], True)


class WithdrawalTests(SharingCase):
    """Taking it back, however that may be called."""

    def test_names(self) -> None:
        """Every name, and every way to say whom."""
        known = self.ben.uid
        for todo in WITHDRAWALS:
            for who in (
                {"username": BEN},
                {"account": BEN},
                {"uid": known},
                {"user": masked(known)},
                {},
            ):
                self.offer()
                self.receive()
                self.assertEqual(self.todo(self.anna, todo, did=DID, **who), FINE)
                self.assertEqual((self.states(), self.listed(self.ben)), ([], {}))

    def test_by_guest(self) -> None:
        """A guest takes himself off, and nobody else."""
        carl = self.person("carl@example.org")
        for username in (BEN, carl.account):
            self.offer(username=username)
        self.receive()
        self.todo(self.ben, "UnShareDevice", did=DID, username=carl.account)
        self.assertEqual(self.states(), [(carl.uid, INVITED)])

    def test_wrong(self) -> None:
        """Of somebody who has nothing, nothing is taken; strangers take nothing."""
        self.offer()
        answer = self.todo(self.anna, "UnShareDevice", did=DID, username="x@example.org")
        self.assertEqual(answer["code"], -3)
        carl = self.person("carl@example.org")
        self.assertEqual(self.todo(carl, "UnShareDevice", did=DID, username=BEN)["ret"], "fail")
        self.assertEqual(self.states(), [(self.ben.uid, INVITED)])


class LetterTests(SharingCase):
    """C{ShareUnRegisterDevice}: what to write to somebody who has no account."""

    def test_letter(self) -> None:
        """It names the robot, leads here, and is no HTML of the robot's name."""
        self.user_do(self.anna, "SetDeviceNick", did=DID, nick="<b>Dusty")
        asked = {"did": DID, "account": "new@example.org", "lang": "EN", "mid": DUSTY.model}
        answer = self.todo(self.anna, "ShareUnRegisterDevice", **asked)
        data = answer.pop("data")
        self.assertEqual(answer, FINE)
        self.assertIn("&lt;b&gt;Dusty", data["mailContent"])
        self.assertNotIn("<b>", data["mailContent"])
        self.assertIn('href="http://box.lan:8007/"', data["mailContent"])
        self.assertIn("Dusty", data["mailTitle"])
        self.assertEqual(self.todo(self.ben, "ShareUnRegisterDevice", **asked)["ret"], "fail")


class ApiTests(SharingCase):
    """C{/api/robots/<did>/shares} and C{owner}."""

    def share(self, account: str = BEN) -> str:
        """Where a share is."""
        return f"/api/robots/{DID}/shares/{account}"

    def test_life(self) -> None:
        """Offered by its owner, taken by the guest, ended by either."""
        for ends in (self.anna, self.ben):
            self.api(self.ben, "GET", self.share(), status=404)
            offered = self.api(self.anna, "PUT", self.share())
            self.assertEqual(
                offered,
                {
                    "did": DID,
                    "account": BEN,
                    "state": "invited",
                    "at": self.house.clock.seconds(),
                },
            )
            self.assertEqual(self.api(self.ben, "GET", self.share()), offered)
            self.assertEqual(self.api(self.ben, "PUT", self.share())["state"], "accepted")
            listed = self.api(self.anna, "GET", f"/api/robots/{DID}/shares")["shares"]
            self.assertEqual([each["state"] for each in listed], ["accepted"])
            self.assertEqual(len(self.api(self.ben, "GET", "/api/robots")["robots"]), 1)
            ended = self.api(ends, "DELETE", self.share())
            self.assertEqual(ended, {"did": DID, "account": BEN, "state": "none"})
            self.assertEqual(self.api(self.ben, "GET", "/api/robots")["robots"], [])

    def test_guest(self) -> None:
        """A guest neither offers the robot to others, nor hears of them, nor gives it away."""
        carl = self.person("carl@example.org")
        self.api(self.anna, "PUT", self.share())
        self.api(self.anna, "PUT", self.share(carl.account))
        self.api(self.ben, "PUT", self.share())
        for method in ("GET", "PUT", "DELETE"):
            self.api(self.ben, method, self.share(carl.account), status=404)
        listed = self.api(self.ben, "GET", f"/api/robots/{DID}/shares")["shares"]
        self.assertEqual([each["account"] for each in listed], [BEN])
        owner = f"/api/robots/{DID}/owner"
        self.assertEqual(self.api(self.ben, "GET", owner)["owner"], ANNA)
        self.api(self.ben, "PUT", owner, {"account": BEN}, 404)

    def test_stranger(self) -> None:
        """A stranger hears of somebody else's robot what he hears of none."""
        said = []
        for did in (DID, "none"):
            for method, path, body in (
                ("GET", "owner", None),
                ("PUT", "owner", {"account": BEN}),
                ("PUT", "owner", {"account": "nobody"}),
                ("GET", "shares", None),
                *((method, f"shares/{BEN}", None) for method in ("GET", "PUT", "DELETE")),
                *((method, "shares/nobody", None) for method in ("GET", "PUT", "DELETE")),
            ):
                answer = self.api(self.ben, method, f"/api/robots/{did}/{path}", body, 404)
                said.append((method, path, str(answer).replace(did, "it")))
        half = len(said) // 2
        self.assertEqual(said[:half], said[half:])

    def test_give(self) -> None:
        """A robot changes hands; what is nobody's may be taken, and no more than that."""
        owner = f"/api/robots/{DID}/owner"
        self.api(self.anna, "PUT", owner, {"account": "nobody"}, 400)
        self.api(self.anna, "PUT", owner, {}, 400)
        self.assertEqual(self.api(self.anna, "PUT", owner, {"account": BEN})["owner"], BEN)
        self.assertEqual(list(self.listed(self.ben)), [DID])
        self.ownership.forgotten(DID)
        self.api(self.ben, "PUT", owner, {"account": ANNA}, 404)
        # It has been here for long, until it comes anew.
        registry, known = self.house.facts.registry, self.house.facts.registry.device(DID)
        self.successResultOf(registry.update(evolve(known, bound_at=NOW - PATIENCE)))
        self.api(self.ben, "PUT", owner, {"account": BEN}, 404)
        self.user_do(self.ben, "AddOneDevice", did=DID)
        self.assertEqual(self.ownership.owner(DID), "")
        self.successResultOf(registry.update(known))
        self.assertEqual(self.api(self.ben, "PUT", owner, {"account": BEN})["owner"], BEN)

    def test_wrong(self) -> None:
        """Whom nobody knows, and oneself."""
        for account in ("nobody", ANNA):
            self.api(self.anna, "PUT", self.share(account), status=400)


class BindTests(SharingCase):
    """Whoever has paired a robot has it."""

    def test_add(self) -> None:
        """A robot that is nobody's becomes the asker's; one that is somebody's stays so."""
        self.ownership.forgotten(DID)
        self.assertEqual(set(self.listed(self.anna)), set(ROBOTS) - {DID})
        for did in (DID, RUSTY.did, "none"):
            answer = self.user_do(self.ben, "AddOneDevice", did=did, nick="Ours")
            self.assertEqual(answer["result"], "ok")
        self.assertEqual([r["nick"] for r in self.listed(self.ben).values()], ["Ours"])
        self.assertEqual(self.listed(self.anna)[RUSTY.did]["nick"], "")

    def test_removed(self) -> None:
        """A robot that its owner has removed is nobody's when it comes back."""
        self.user_do(self.anna, "DeleteOneDevice", did=DID)
        self.dusty.boot()
        self.assertNotIn(DID, self.listed(self.anna))
        self.assertEqual(self.ownership.owner(DID), "")


class HouseholdTests(SharingCase):
    """Where every robot is everybody's, sharing is kept for later, and changes nothing."""

    robots_of = "household"

    def test_share(self) -> None:
        """Who is offered a robot sees all of them, before and after."""
        self.assertEqual(set(self.listed(self.ben)), set(ROBOTS))
        self.offer()
        self.assertEqual(self.shares(self.ben)[0]["did"], DID)
        self.receive()
        self.assertEqual(self.states(), [(self.ben.uid, ACCEPTED)])
        self.user_do(self.ben, "DeleteOneDevice", did=DID)
        self.assertEqual(self.states(), [])
        for person in (self.anna, self.ben):
            self.assertEqual(set(self.listed(person)), set(ROBOTS))
        self.user_do(self.ben, "DeleteOneDevice", did=DID)
        self.assertEqual(set(self.listed(self.anna)), set(ROBOTS) - {DID})


class MaskTests(SynchronousTestCase):
    """Names that are shown to others."""

    def test_masked(self) -> None:
        """A few characters are enough to tell two apart."""
        self.assertEqual(masked("a3bf86238a1c59bd2f0a"), "a3bf****0a")
        self.assertEqual(masked(""), "")
