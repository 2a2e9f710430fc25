"""Each figure of what goes on moves when that happens."""

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.settings import CommandSettings, MqttSettings, Settings, XmppSettings
from bumper_tw.errors import CommandFailed
from bumper_tw.front.contact import Contact, Outcome, Speech
from bumper_tw.values import Command, DeviceId
from tests.flows.clients import rusty, veteran
from tests.front.fixed import fixed
from tests.integrations.measured import Measured, Told
from tests.robots import JsonRobot, MqttPeer, ok
from tests.samples import DUSTY, GET_BATTERY
from tests.web.browser import Connection
from tests.xmpp_peers import XmppPeer, event, robot, user

VETERAN = "E0009876500123450001"
PHONE = "192.168.7.31"
NOBODY = Command(DeviceId("nobody", "yna5xi", "x"), "getBattery", b"{}")
PING = "<query xmlns='urn:xmpp:ping'/>"


class MeasuredCase(SynchronousTestCase):
    """A house whose figures are told."""

    settings = Settings()

    def setUp(self) -> None:
        self.measured = Measured(self.settings)
        self.house = self.measured.house

    def told(self) -> Told:
        """The figures as they are now."""
        return self.measured.told()

    def value(self, name: str, **labels: str) -> float:
        """One of them."""
        return self.told().value(name, **labels)


class RobotTests(MeasuredCase):
    """Robots."""

    def test_online(self) -> None:
        """They come with what they speak, and go; who went is missing."""
        self.assertEqual(self.value("bumper_robots_known"), 0)
        robot = self.house.robot()
        rusty(self.house)
        old = veteran(self.house)
        told = self.told()
        self.assertEqual(told.value("bumper_robots_known"), 3)
        self.assertEqual(told.value("bumper_robots_missing"), 0)
        for protocol, payload in (("mqtt", "json"), ("mqtt", "xml"), ("xmpp", "xml")):
            online = told.value("bumper_robots_online", protocol=protocol, payload=payload)
            self.assertEqual(online, 1, (protocol, payload))
        robot.vanish()
        old.leave()
        told = self.told()
        self.assertEqual(told.value("bumper_robots_known"), 3)
        self.assertEqual(told.value("bumper_robots_missing"), 2)
        online = told.value("bumper_robots_online", protocol="mqtt", payload="json")
        self.assertEqual(online, 0)

    def test_forgotten(self) -> None:
        """A robot that was removed is not missing."""
        self.house.robot().vanish()
        self.successResultOf(self.house.facts.registry.forget(DUSTY.did))
        self.assertEqual(self.value("bumper_robots_missing"), 0)
        self.assertEqual(self.value("bumper_robots_known"), 0)


class ContactTests(MeasuredCase):
    """Connections, whatever they were for."""

    def begin(self) -> Contact:
        """Somebody comes."""
        return self.house.facts.journal.begin(PHONE, 1, "192.168.7.2", 443, "all", True)

    def test_ended(self) -> None:
        """They are open until they end; that counts once, with what became of them."""
        contact = self.begin()
        self.assertEqual(self.value("bumper_contacts_open"), 1)
        contact.speaks(Speech.MQTT)
        contact.let_in("somebody")
        contact.closed(1.0, "it left")
        told = self.told()
        self.assertEqual(told.value("bumper_contacts_open"), 0)
        result = {"protocol": "mqtt", "result": "accepted"}
        self.assertEqual(told.value("bumper_contacts_total", **result), 1)
        # What is found out later.
        contact.refused("after all")
        self.assertEqual(self.value("bumper_contacts_total", **result), 1)

    def failed(self, alert: str) -> None:
        """TLS failed."""
        contact = self.begin()
        contact.failed(Outcome.TLS_FAILED, alert)
        contact.closed(1.0, "TLS failed")

    def test_tls(self) -> None:
        """Failed handshakes count by the alert, and by what is behind it."""
        self.failed("tlsv1 alert unknown ca")
        self.failed("SSLV3_ALERT_CERTIFICATE_UNKNOWN")
        self.failed("no shared cipher")
        self.failed("tls alert of which nobody has ever heard")
        told = self.told()
        contacts = told.value("bumper_contacts_total", protocol="none", result="tls_failed")
        self.assertEqual(contacts, 4)
        for alert in ("unknown_ca", "certificate_unknown", "none", "other"):
            self.assertEqual(told.value("bumper_tls_alerts_total", alert=alert), 1, alert)
        for reason, count in (("untrusted", 2), ("cipher", 1), ("other", 1), ("clock", 0)):
            failures = told.value("bumper_tls_failures_total", reason=reason)
            self.assertEqual(failures, count, reason)

    def test_doctor(self) -> None:
        """A check fails until it is well again; what else is noted is no check."""
        journal = self.house.facts.journal
        before = self.value("bumper_journal_changes_total")
        journal.note("disk", False, "there is no room", "make some")
        journal.note("journal-file", False, "lost")
        told = self.told()
        self.assertEqual(told.value("bumper_doctor_failing", check="disk"), 1)
        self.assertEqual(told.value("bumper_doctor_failing", check="clock"), 0)
        self.assertEqual(told.value("bumper_journal_changes_total"), before + 2)
        self.assertNotIn("journal-file", told.text)
        journal.note("disk", True, "there is room")
        self.assertEqual(self.value("bumper_doctor_failing", check="disk"), 0)


class MqttTests(MeasuredCase):
    """The broker."""

    settings = Settings(mqtt=MqttSettings(connections_per_peer=3))

    def peer(self) -> MqttPeer:
        """A client."""
        return MqttPeer(self.house.mqtt)

    def test_connections(self) -> None:
        """Connections and logins, let in or not; and those that are too many."""
        robot = self.house.robot()
        self.peer().connect("nobody at all", "nobody", b"wrong")
        for _ in range(3):
            self.house.mqtt.door(False).buildProtocol(None)
        told = self.told()
        self.assertEqual(told.value("bumper_mqtt_connections_total"), 5)
        self.assertEqual(told.value("bumper_mqtt_logins_total", result="accepted"), 1)
        self.assertEqual(told.value("bumper_mqtt_logins_total", result="refused"), 1)
        self.house.mqtt.door(False).buildProtocol(None)
        self.assertEqual(self.value("bumper_mqtt_connections_refused_total"), 1)
        self.assertEqual(self.value("bumper_mqtt_clients", state="connected"), 1)
        robot.vanish()
        self.assertEqual(self.value("bumper_mqtt_clients", state="connected"), 0)

    def test_violation(self) -> None:
        """Somebody breaks the rules."""
        self.house.robot().send(b"\xff\xff\xff\xff\xff")
        self.assertEqual(self.value("bumper_mqtt_violations_total"), 1)

    def test_messages(self) -> None:
        """Messages come in and go out; who may not publish does not."""
        robot = self.house.robot()
        listener = self.house.home_assistant(f"iot/atr/+/{DUSTY}/+")
        before = self.told()
        robot.report("onBattery", {"value": 80, "isLow": 0})
        listener.publish(f"iot/atr/onBattery/{DUSTY}/j", b"{}")
        told = self.told()
        for name in ("bumper_mqtt_messages_received_total", "bumper_mqtt_messages_sent_total"):
            self.assertGreater(told.value(name), before.value(name), name)
        self.assertEqual(told.value("bumper_mqtt_denied_total", action="publish"), 1)
        self.assertGreater(told.value("bumper_mqtt_subscriptions"), 1)

    def test_state(self) -> None:
        """What the broker keeps, and what it has dropped."""
        router = self.house.brokerage.router
        router.counts.update({"dropped for slow readers": 3, "not kept": 2, "not retained": 1})
        router.clients.owed = 70
        told = self.told()
        for reason, count in (("slow_reader", 3), ("session_not_kept", 2), ("not_retained", 1)):
            dropped = told.value("bumper_mqtt_messages_dropped_total", reason=reason)
            self.assertEqual(dropped, count)
        self.assertEqual(told.value("bumper_mqtt_owed_bytes"), 70)
        self.house.brokerage.figures.publish()
        told = self.told()
        self.assertGreater(told.value("bumper_mqtt_retained_messages"), 10)
        self.assertGreater(told.value("bumper_mqtt_retained_bytes"), 100)


class XmppTests(MeasuredCase):
    """The XMPP side."""

    settings = Settings(xmpp=XmppSettings(require_tls_users=False))

    def setUp(self) -> None:
        super().setUp()
        self.door = self.house.xmpp.door(fixed())

    def app(self) -> XmppPeer:
        """An app that is logged in."""
        made = user(self.house.clock, self.door.buildProtocol, "fuid_me", "GLB1", "a token")
        made.log_in()
        made.take()
        return made

    def test_stanzas(self) -> None:
        """Sessions, and stanzas that come in, are passed on, or cannot be."""
        app = self.app()
        old = robot(self.house.clock, self.door.buildProtocol, VETERAN)
        old.log_in()
        told = self.told()
        self.assertEqual(told.value("bumper_xmpp_connections_total"), 2)
        self.assertEqual(told.value("bumper_xmpp_logins_total", result="accepted"), 2)
        self.assertEqual(told.value("bumper_xmpp_sessions", role="robot"), 1)
        self.assertEqual(told.value("bumper_xmpp_sessions", role="user"), 1)
        received = told.value("bumper_xmpp_stanzas_received_total")
        relayed = told.value("bumper_xmpp_stanzas_relayed_total")
        old.say(event(app.jid, "<ctl td='BatteryInfo'><battery power='087'/></ctl>"))
        app.say(f"<iq type='get' id='1' to='gone@126.ecorobot.net/atom'>{PING}</iq>")
        app.say(f"<iq type='odd' id='2' from='someone@ecouser.net'>{PING}</iq>")
        told = self.told()
        self.assertGreater(told.value("bumper_xmpp_stanzas_received_total"), received + 2)
        self.assertEqual(told.value("bumper_xmpp_stanzas_relayed_total"), relayed + 1)
        for reason in ("robot_offline", "not_understood"):
            dropped = told.value("bumper_xmpp_stanzas_dropped_total", reason=reason)
            self.assertEqual(dropped, 1, reason)
        self.assertEqual(told.value("bumper_xmpp_senders_corrected_total"), 1)

    def test_refused(self) -> None:
        """Logins that fail, and rules that are broken."""
        app = user(self.house.clock, self.door.buildProtocol, "fuid_me", "GLB1", "a token")
        app.connect()
        app.open()
        app.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ODD'>eA==</auth>")
        app.say("<message/>")
        self.assertEqual(self.value("bumper_xmpp_logins_total", result="refused"), 1)
        self.assertEqual(self.value("bumper_xmpp_violations_total"), 1)


class HttpTests(MeasuredCase):
    """The web."""

    def test_requests(self) -> None:
        """Requests, those that come to nothing by the reason, and connections."""
        browser = self.house.browser()
        browser.get("/healthz")
        browser.get("/api/robots")
        browser.get("/api/pim/neverHeardOf")
        connection: Connection = browser.connect()
        told = self.told()
        self.assertEqual(told.value("bumper_http_requests_total"), 3)
        self.assertEqual(told.value("bumper_http_failures_total", reason="refused"), 1)
        self.assertEqual(told.value("bumper_http_failures_total", reason="unknown"), 1)
        self.assertEqual(told.value("bumper_http_failures_total", reason="broken"), 0)
        self.assertEqual(told.value("bumper_unknown_paths"), 1)
        self.assertEqual(told.value("bumper_http_connections"), 1)
        connection.hang_up()
        self.assertEqual(self.value("bumper_http_connections"), 0)


class CommandTests(MeasuredCase):
    """Commands to robots."""

    settings = Settings(commands=CommandSettings(outstanding=1, queued=1))

    def ended(self, outcome: str) -> float:
        """How many ended so."""
        return self.value("bumper_command_duration_seconds_count", outcome=outcome)

    def fails(self, command: Command) -> None:
        """A command that fails at once."""
        failed = self.house.facts.commands.send(command)
        self.failureResultOf(failed, CommandFailed)

    def test_answered(self) -> None:
        """The robot answers, after a while."""
        robot = self.house.robot()
        asked = self.house.facts.commands.send(GET_BATTERY)
        self.assertEqual(self.value("bumper_commands_waiting"), 1)
        self.house.clock.advance(0.3)
        robot.script["getBattery"] = lambda _: ok({"value": 1})
        self.house.settle()
        self.successResultOf(asked)
        told = self.told()
        self.assertEqual(self.ended("answered"), 1)
        self.assertEqual(told.value("bumper_commands_waiting"), 0)
        total = told.value("bumper_command_duration_seconds_sum", outcome="answered")
        self.assertAlmostEqual(total, 0.3, 3)
        for bound, count in (("0.25", 0), ("0.5", 1), ("+Inf", 1)):
            bucket = {"outcome": "answered", "le": bound}
            found = told.value("bumper_command_duration_seconds_bucket", **bucket)
            self.assertEqual(found, count, bound)

    def test_failures(self) -> None:
        """It is silent, has too much to do, is gone, or was never there; somebody gives up."""
        robot = self.house.robot()
        self.fails(NOBODY)
        self.assertEqual(self.ended("unknown_robot"), 1)
        silent = self.house.facts.commands.send(GET_BATTERY)
        given_up = self.house.facts.commands.send(GET_BATTERY)
        self.fails(GET_BATTERY)
        self.assertEqual(self.ended("busy"), 1)
        given_up.addErrback(lambda _: None)
        given_up.cancel()
        self.assertEqual(self.ended("given_up"), 1)
        self.house.clock.advance(10)
        self.failureResultOf(silent, CommandFailed)
        self.assertEqual(self.ended("timeout"), 1)
        robot.vanish()
        self.fails(GET_BATTERY)
        self.assertEqual(self.ended("offline"), 1)
        self.house.facts.commands.stop()
        self.fails(GET_BATTERY)
        self.assertEqual(self.ended("stopping"), 1)

    def test_late(self) -> None:
        """Answers that nobody waits for."""
        robot = self.house.robot()
        asked = self.house.facts.commands.send(GET_BATTERY)
        self.house.clock.advance(10)
        self.failureResultOf(asked, CommandFailed)
        robot.script["getBattery"] = lambda _: ok()
        self.house.settle()
        self.assertEqual(self.value("bumper_command_replies_ignored_total", reason="late"), 1)

    def test_unwatched(self) -> None:
        """Whoever has heard enough is told no more."""
        heard: list[tuple[str, float]] = []
        unwatch = self.house.facts.commands.watch(
            lambda ending: heard.append((ending.outcome, ending.seconds))
        )
        self.fails(NOBODY)
        unwatch()
        self.fails(NOBODY)
        self.assertEqual(heard, [("DeviceUnknown", 0.0)])


class FloodTests(MeasuredCase):
    """Whatever strangers do, there are no more series."""

    def test_series(self) -> None:
        """Robots, clients, paths and refusals in numbers; none of their names is told."""
        before = self.told()
        for number in range(60):
            device = DeviceId(f"flood{number}", f"flood{number}"[:6], "x")
            JsonRobot(self.house.mqtt, device=device).boot()
            MqttPeer(self.house.mqtt).connect(f"flood-{number}", f"flood{number}", b"wrong")
            self.house.browser().get(f"/flood{number}/a/b.do?flood={number}")
            self.house.browser().get("/api/flood", headers=[("User-Agent", f"flood{number}")])
            contact = self.house.facts.journal.begin(PHONE, number, "192.168.7.2", 1, "all", True)
            contact.failed(Outcome.TLS_FAILED, f"alert flood{number}")
            contact.closed(1.0, f"flood{number}")
            self.house.facts.journal.note(f"flood{number}", False, "flood")
            self.house.facts.belongings.updates.note(f"flood{number}", PHONE, module="flood")
        told = self.told()
        self.assertGreaterEqual(told.value("bumper_robots_known"), 30)
        self.assertEqual(set(told.values()), set(before.values()))
        self.assertNotIn("flood", told.text)
        self.assertLess(len(told.values()), 400)
