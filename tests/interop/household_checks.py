"""What a household expects of its broker, whoever wrote the clients."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.interop.case import InteropCase, add_account
from tests.interop.installs import mqtt_python, node_modules
from tests.interop.mqtt_checks import CREDENTIALS, LEVEL, REFUSED
from tests.interop.mqtt_talk import Client, Heard, Login, Session, Where, Will
from tests.interop.server import Server, environment
from tests.interop.shared import ACCOUNT, PASSWORD, shared

HERE = Path(__file__).parent

#: A payload that no buffer takes as a whole.
LARGE = 256 * 1024

#: As many messages wait for a client that is away.
WAITING = 30


def by_quality(messages: Iterable[Heard]) -> list[Heard]:
    """
    The same, those with QoS 0 first.

    Libraries hand a message with QoS 2 over when it is released, so that one with QoS 1 may
    overtake it; within a QoS the order is promised (MQTT 3.1.1, 4.6).
    """
    return sorted(messages, key=lambda message: message.qos)


def python_program(script: str) -> tuple[list[str], Mapping[str, str]]:
    """A session made with a library for Python."""
    # -P: our neighbours in this folder are not for its imports.
    return [str(mqtt_python()), "-P", str(HERE / script)], environment()


def node_program(script: str) -> tuple[list[str], Mapping[str, str]]:
    """A session made with a library for Node.js."""
    return ["node", str(HERE / script)], environment(NODE_PATH=str(node_modules()))


class HouseholdCase(InteropCase):
    """
    A server with an account for services, and processes with clients.

    @ivar home: the first level of topics of this test.
    @ivar door: a topic below, for most of what is said; C{alarm} is another.
    @ivar everything: a filter for all below.
    @ivar mark: the topic of the last message; nothing else came before it.
    @cvar script: what runs in such a process.
    @cvar tls: whether its clients use the listener with TLS.
    @cvar versions: the levels of the protocol that the library can be told to speak.
    """

    script: str
    tls = False
    versions: tuple[int, ...] = (4,)

    def setUp(self) -> None:
        super().setUp()
        make = python_program if self.script.endswith(".py") else node_program
        self.program = make(self.script)
        self.common = shared()
        number = self.common.number()
        self.name, self.home = str(number), f"home{number}"
        self.door, self.alarm = f"{self.home}/door", f"{self.home}/alarm"
        self.everything, self.mark = f"{self.home}/#", f"{self.home}/mark"
        self.server = self.begun()
        self.where = Where.of(self.server, self.tls)
        self.talk = self.clients()

    def begun(self) -> Server:
        """The server: that of other tests, too."""
        self.addCleanup(self.common.check)
        return self.common.server

    def clients(self) -> Session:
        """One more process with clients."""
        return Session(self.session(*self.program), self.where)

    def login(self, name: str, **more: Any) -> Login:
        """How a client of the service connects."""
        return Login(name + self.name, ACCOUNT, PASSWORD, **more)

    def client(self, name: str, **more: Any) -> Client:
        """A client of the service that is let in."""
        return self.talk.client(name, self.login(name, **more))

    def subscriber(self, *filters: str, qos: int = 0) -> Client:
        """A client that is granted what it wants, and the mark behind it."""
        made = self.client("subscriber")
        granted = made.subscribe(*filters, self.mark, qos=qos)
        self.assertEqual(granted, [qos] * (len(filters) + 1))
        return made

    def heard_until_mark(self, hearer: Client, speaker: Client, qos: int = 1) -> list[Heard]:
        """
        Everything that C{hearer} has heard by now.

        @param qos: how the mark is said; it overtakes nothing that was said before in the
            same way.
        """
        speaker.say(self.mark, "", qos)
        heard = []
        while (message := hearer.receive()).topic != self.mark:
            heard.append(message)
        return heard


class TransportChecks(HouseholdCase):
    """What has to hold over TCP and over TLS."""

    def test_qualities(self) -> None:
        """All that is said with QoS 0, 1 and 2 is heard so, once, and in order."""
        hearer, speaker = self.subscriber(f"{self.home}/+", qos=2), self.client("speaker")
        said = [Heard(self.door, f"{n}", n % 3) for n in range(12)]
        for each in said:
            speaker.say(each.topic, each.payload, each.qos)
        self.assertEqual(by_quality(self.heard_until_mark(hearer, speaker, 2)), by_quality(said))

    def test_large(self) -> None:
        """A quarter of a mebibyte goes through, with every QoS."""
        wall = f"{self.home}/picture"
        hearer, speaker = self.subscriber(wall, qos=2), self.client("speaker")
        picture = "".join(chr(33 + number % 94) for number in range(LARGE))
        for qos in (0, 1, 2):
            speaker.say(wall, picture, qos)
            self.assertEqual(hearer.receive(), Heard(wall, picture, qos))


class DeliveryChecks(TransportChecks):
    """Who hears what, and how."""

    def test_lower_quality(self) -> None:
        """Nobody hears with a higher QoS than was granted (MQTT 3.1.1, 3.8.4)."""
        speaker = self.client("speaker")
        for granted in (0, 1):
            hearer = self.client(f"hearer{granted}")
            self.assertEqual(hearer.subscribe(f"{self.home}/+", qos=granted), [granted])
            for said in (0, 1, 2):
                speaker.say(self.door, f"{said}", said)
                heard = Heard(self.door, f"{said}", min(said, granted))
                self.assertEqual(hearer.receive(), heard)

    def test_retained(self) -> None:
        """The last word is heard by who comes later, marked as such; by others as it is said."""
        early, speaker = self.subscriber(self.everything, qos=1), self.client("speaker")
        for word in ("open", "shut"):
            speaker.say(self.door, word, 1, retain=True)
            self.assertEqual(early.receive(), Heard(self.door, word, 1))
        speaker.say(self.door, "passing", 1)
        self.assertEqual(early.receive(), Heard(self.door, "passing", 1))
        late = self.client("late")
        self.assertEqual(late.subscribe(f"{self.home}/+", qos=1), [1])
        self.assertEqual(late.receive(), Heard(self.door, "shut", 1, retain=True))

    def test_retained_cleared(self) -> None:
        """An empty payload takes the last word back, and is itself not kept."""
        early, speaker = self.subscriber(self.everything), self.client("speaker")
        speaker.say(self.door, "open", 1, retain=True)
        speaker.say(self.door, "", 1, retain=True)
        self.assertEqual([early.receive().payload for _ in range(2)], ["open", ""])
        late = self.client("late")
        self.assertEqual(late.subscribe(self.everything, self.mark), [0, 0])
        self.assertEqual(self.heard_until_mark(late, speaker), [])

    def test_overlap(self) -> None:
        """What several filters match is heard once, with the highest QoS of these."""
        hearer, speaker = self.client("hearer"), self.client("speaker")
        hall = f"{self.home}/hall/door"
        for qos, wanted in enumerate((self.everything, f"{self.home}/+/door", hall)):
            self.assertEqual(hearer.subscribe(wanted, qos=qos), [qos])
        self.assertEqual(hearer.subscribe(self.mark, qos=2), [2])
        speaker.say(hall, "open", 2)
        heard = self.heard_until_mark(hearer, speaker, 2)
        self.assertEqual(heard, [Heard(hall, "open", 2)])

    def test_wildcards(self) -> None:
        """One level, all levels and none (MQTT 3.1.1, 4.7.1)."""
        hearer, speaker = self.subscriber("a/+/c", "x/#", "+/y", qos=1), self.client("speaker")
        matched = ("a/b/c", "a//c", "x", "x/1", "x/1/2", "/y")
        for topic in (*matched, "a/c", "a/b/c/d", "A/b/c", "y", "xx/1", "z//y"):
            speaker.say(topic, "", 1)
        heard = self.heard_until_mark(hearer, speaker)
        self.assertEqual([each.topic for each in heard], list(matched))

    def test_no_more(self) -> None:
        """After UNSUBSCRIBE nothing comes any more."""
        window = f"{self.home}/window"
        hearer, speaker = self.subscriber(self.door, window), self.client("speaker")
        hearer.unsubscribe(self.door)
        speaker.say(self.door, "open", 1)
        speaker.say(window, "open", 1)
        heard = self.heard_until_mark(hearer, speaker)
        self.assertEqual([each.topic for each in heard], [window])

    def test_refused_filter(self) -> None:
        """What a service must not hear is refused at its place, the rest is granted."""
        hearer = self.client("hearer")
        wanted = (self.everything, "iot/p2p/#", "iot/atr/#")
        self.assertEqual(hearer.subscribe(*wanted, qos=1), [1, REFUSED, 1])


class SessionChecks(HouseholdCase):
    """Who is let in, and what is left of those who go."""

    def test_password(self) -> None:
        """A wrong password, or none, is told as such."""
        wrong = Login("wrong", ACCOUNT, "battery staple")
        self.assertEqual(self.talk.refused("wrong", wrong), CREDENTIALS)
        stranger = Login("stranger", "stranger", PASSWORD)
        self.assertEqual(self.talk.refused("stranger", stranger), CREDENTIALS)
        self.client("right")

    def test_versions(self) -> None:
        """MQTT 3.1.1 and 3.1 are spoken; a client with another version is told so."""
        for level in self.versions:
            made = Login(f"v{level}", ACCOUNT, PASSWORD, level=level)
            if level > 4:
                self.assertEqual(self.talk.refused("new", made), LEVEL)
            else:
                spoken = self.talk.client(f"v{level}", made)
                self.assertEqual(spoken.subscribe(f"{self.home}/+", qos=2), [2])
                spoken.say(self.door, f"{level}", 2)
                self.assertEqual(spoken.receive(), Heard(self.door, f"{level}", 2))

    def test_waiting(self) -> None:
        """What is said while a client is away waits for it, in order, if it wants that."""
        away, speaker = self.client("away", clean=False), self.client("speaker")
        self.assertFalse(away.present())
        self.assertEqual(away.subscribe(self.everything, qos=2), [2])
        away.disconnect()
        said = [Heard(self.door, f"{n}", 1 + n % 2) for n in range(WAITING)]
        for each in said:
            speaker.say(each.topic, each.payload, each.qos)
        back = self.client("away", clean=False)
        self.assertTrue(back.present())
        self.assertEqual(by_quality(self.heard_until_mark(back, speaker, 2)), by_quality(said))

    def test_clean(self) -> None:
        """Who wants nothing kept gets nothing, and what was kept before is gone."""
        away, speaker = self.client("away", clean=False), self.client("speaker")
        away.subscribe(self.everything, qos=1)
        away.disconnect()
        speaker.say(self.door, "open", 1)
        clean = self.client("away")
        self.assertFalse(clean.present())
        clean.disconnect()
        again = self.client("away", clean=False)
        self.assertFalse(again.present())
        again.subscribe(self.mark)
        self.assertEqual(self.heard_until_mark(again, speaker), [])

    def test_killed(self) -> None:
        """A client that vanishes has its will said, and it is kept if it says so."""
        hearer = self.subscriber(self.everything, qos=2)
        child = self.session(*self.program)
        will = Will(self.alarm, "gone", 2, retain=True)
        Session(child, self.where).client("killed", self.login("killed", will=will))
        child.kill()
        self.assertEqual(hearer.receive(), Heard(self.alarm, "gone", 2))
        late = self.client("late")
        late.subscribe(self.alarm, qos=1)
        self.assertEqual(late.receive(), Heard(self.alarm, "gone", 1, retain=True))

    def test_goodbye(self) -> None:
        """A client that leaves in good order has no will any more."""
        hearer, speaker = self.subscriber(self.everything, qos=1), self.client("speaker")
        leaving = self.client("leaving", will=Will(self.alarm, "gone", 1))
        leaving.disconnect()
        # By the second time the server has long since read the goodbye, which came before.
        for _ in range(2):
            self.assertEqual(self.heard_until_mark(hearer, speaker), [])

    def test_taken_over(self) -> None:
        """The same client id again ends the older connection, and goes on with its session."""
        older, speaker = self.client("twice", clean=False), self.client("speaker")
        older.subscribe(self.everything, qos=1)
        newer = self.talk.client("newer", self.login("twice", clean=False))
        older.ended()
        self.assertTrue(newer.present())
        speaker.say(self.door, "open", 1)
        self.assertEqual(newer.receive(), Heard(self.door, "open", 1))


class OwnCase(HouseholdCase):
    """The same with a server that no other test has."""

    def options(self) -> tuple[str, ...]:
        """Settings of the server."""
        return ()

    def begun(self) -> Server:
        """The server."""
        made = self.serve(*self.options())
        add_account(made, ACCOUNT, PASSWORD)
        return made


class RestartChecks(OwnCase):
    """What is left when the server goes."""

    def test_restart(self) -> None:
        """What waits, what was subscribed and what was retained is there after a restart."""
        away, speaker = self.client("away", clean=False), self.client("speaker")
        away.subscribe(self.everything, qos=2)
        away.disconnect()
        said = [Heard(self.door, f"{n}", 1 + n % 2) for n in range(WAITING)]
        for each in said:
            speaker.say(each.topic, each.payload, each.qos)
        speaker.say("last/word", "kept", 1, retain=True)
        self.assertEqual(self.server.stop(), 0)
        again = Server(self.folder, ports=self.server.ports().again())
        self.addCleanup(self._stopped_well, again)
        again.ports()
        back, speaker = self.client("away", clean=False), self.client("speaker")
        self.assertTrue(back.present())
        self.assertEqual(by_quality(self.heard_until_mark(back, speaker, 2)), by_quality(said))
        late = self.client("late")
        late.subscribe("last/+", qos=1)
        self.assertEqual(late.receive(), Heard("last/word", "kept", 1, retain=True))


class NamelessChecks(HouseholdCase):
    """Clients of libraries that leave the choice of an id to the server."""

    def test_no_id(self) -> None:
        """Several clients without an id are several clients."""
        hearers = [
            self.talk.client(f"nameless{n}", Login("", ACCOUNT, PASSWORD)) for n in range(3)
        ]
        for hearer in hearers:
            self.assertEqual(hearer.subscribe(self.everything, qos=1), [1])
        hearers[0].say(self.door, "open", 1)
        for hearer in hearers:
            self.assertEqual(hearer.receive(), Heard(self.door, "open", 1))


class FiguresChecks(OwnCase):
    """The server's own figures."""

    def options(self) -> tuple[str, ...]:
        """Settings of the server."""
        rules = self.folder / "access"
        rules.write_text(f"user {ACCOUNT}\ntopic readwrite #\ntopic read $SYS/#\n")
        return "--set", f"mqtt.access={rules}", "--set", "mqtt.figures_seconds=1"

    def test_hidden(self) -> None:
        """Who hears everything does not hear them; who asks for them and may, does."""
        everything, figures = self.client("everything"), self.client("figures")
        self.assertEqual(everything.subscribe("#", "+/#"), [0, 0])
        self.assertEqual(figures.subscribe("$SYS/#"), [0])
        self.assertTrue(figures.receive().topic.startswith("$SYS/"))
        self.assertEqual(self.heard_until_mark(everything, figures), [])
