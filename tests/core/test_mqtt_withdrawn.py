"""What waits for a client that may not hear it any more."""

from bumper_tw.core.mqtt_journal import Journal
from bumper_tw.core.mqtt_router import MqttBroker
from bumper_tw.core.mqtt_rules import MqttRules
from bumper_tw.core.ownership import ACCEPTED
from bumper_tw.core.policies import uid_of
from bumper_tw.values import Principal, Role
from tests.core.brokers import Party
from tests.core.fleets import fleet_of
from tests.core.keeping import LIMITS, KeepingCase
from tests.samples import DUSTY, DUSTY_ITSELF

#: A guest with an app, and a script that logs in with his account.
BEN = Principal(Role.USER, uid_of("ben"), "ecouser", "GLB1")
SCRIPT = Principal(Role.SERVICE, "ben")
REPORT = f"iot/atr/onBattery/{DUSTY}/j"


class WithdrawnTests(KeepingCase):
    """Dusty is Anna's, and Ben was let use it."""

    def setUp(self) -> None:
        super().setUp()
        self.fleet = fleet_of(self.registry, self.clock, owners=True)
        self.fleet.ownership.give(DUSTY.did, "anna")
        self.let()
        self.broker = self.started()

    def started(self) -> MqttBroker:
        """A broker that minds owners."""
        rules = MqttRules(self.registry, None, self.fleet.permits)
        return MqttBroker(self.clock, rules, Journal(self.clock, self.disk), LIMITS)

    def restart(self) -> None:
        """The server is killed, and starts again."""
        self.clock.advance(1)
        self.broker = self.started()
        self.broker.restore(self.successResultOf(self.disk.load()))

    def let(self, lets: bool = True) -> None:
        """Anna lets Ben use Dusty, or does not any more."""
        ownership = self.fleet.ownership
        if lets:
            ownership.invite(DUSTY.did, "anna", uid_of("ben"), ACCEPTED)
        else:
            ownership.end(DUSTY.did, uid_of("ben"))

    def party(self, who: Principal, clean: bool = False) -> Party:
        """Ben, or his script, connects."""
        return Party(self.broker, who, who.name, clean)

    def subscribed(self, who: Principal) -> Party:
        """The same, and hears of Dusty."""
        party = self.party(who)
        self.assertEqual(party.subscribe((f"iot/atr/+/{DUSTY}/+", 2)), [2])
        return party

    def say(self, *bodies: bytes) -> None:
        """Dusty says something, over and over."""
        dusty = Party(self.broker, DUSTY_ITSELF, "dusty")
        for body in bodies:
            dusty.say(REPORT, body, 1)
        dusty.drop(farewell=True)

    def test_away(self) -> None:
        """What came while he was away is not told to who may not hear it when he is back."""
        for who in (BEN, SCRIPT):
            for restarts in (0, 1):
                self.let()
                self.subscribed(who).drop()
                self.say(b"1", b"2", b"3")
                self.let(False)
                for _ in range(restarts):
                    self.restart()
                back = self.party(who)
                self.assertEqual(back.bodies(), [])
                back.drop()
                self.let()
                self.restart()
                again = self.party(who)
                self.assertEqual(again.bodies(), [], "settled on disk as well")
                again.drop()
                self.party(who, clean=True).drop()

    def test_still(self) -> None:
        """Who may still hear it does, whatever else has changed."""
        self.subscribed(BEN).drop()
        self.say(b"1")
        self.let(False)
        self.let()
        self.assertEqual(self.party(BEN).bodies(), [b"1"])

    def test_sent(self) -> None:
        """What was sent and not acknowledged is not sent again; the rest is in order."""
        ben = self.subscribed(SCRIPT)
        ben.subscribe(("home/#", 1))
        self.say(b"1")
        self.assertEqual(ben.bodies(), [b"1"])
        ben.drop()
        self.let(False)
        back = self.party(SCRIPT)
        back.say("home/lamp", b"on", 1)
        [heard] = back.heard()
        self.assertEqual((heard.payload, heard.dup), (b"on", False))
        back.acknowledge(heard)
        self.assertEqual(back.heard(), [])

    def test_behind(self) -> None:
        """What waits behind the window of a client that is here does not go out any more."""
        ben = self.subscribed(BEN)
        size = LIMITS.session.inflight
        self.say(*(b"%d" % number for number in range(size + 2)))
        heard = ben.heard()
        self.assertEqual(len(heard), size)
        self.let(False)
        ben.acknowledge(*heard)
        self.assertEqual(ben.bodies(), [])
