"""Tests for what is taken out of a support bundle: L{bumper_tw.app.support.redaction}."""

import base64
import json
import time
from urllib.parse import quote

from hypothesis import assume, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.support.pseudonyms import SHORT, Known, Pseudonyms, fold
from bumper_tw.app.support.redaction import DEEPEST, Redactor, learn_from
from bumper_tw.app.support.words import COMMON
from tests.samples import DUSTY, RUSTY

#: What people call things.
NAMES = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=6, max_size=60
)

#: JSON, with fields that mean something.
FIELDS = st.sampled_from(["ssid", "did", "token", "name", "host", "uid", "key", "sn", "why", "n"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=12,
)


class PatternTests(SynchronousTestCase):
    """What looks like a name or a secret, although nobody knows it."""

    def setUp(self) -> None:
        self.redactor = Redactor()

    def test_taken_out(self) -> None:
        """It is gone, and what stands around it is not."""
        for text, wanted in (
            ("ssid=My%20Net&x=1", "ssid=<hidden>&x=1"),
            ('{"ssid": "My \U0001f600 Net", "x": 1}', '{"ssid": "<hidden>", "x": 1}'),
            (r'"{\"ssid\": \"My Net\"}"', r'"{\"ssid\": \"<hidden>\"}"'),
            ("%22password%22%3A%22hunter2%22", "%22password%22%3A<hidden>"),
            ("Authorization: Bearer abc.def-ghi", "Authorization: <hidden> <hidden>"),
            ("Bearer abc.def-ghi", "Bearer <hidden>"),
            ("x eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.c2ln y", "x <token> y"),
            ("mqtt://bob:pw@box/", "mqtt://<hidden>@box/"),
            ("mail bob.b+x@example.org!", "mail user-1!"),
            ("mail bob.b+x%40example.org!", "mail user-1!"),
            ("from 192.168.1.5:4711 to 127.0.0.1", "from lan-1:4711 to 127.0.0.1"),
            ("::ffff:192.168.1.5", "::ffff:lan-1"),
            ("8.8.8.8 at 12:34:56", "public-1 at 12:34:56"),
            ("fe80::1%eth0 and ::1", "link-local-1 and ::1"),
            ("aa:bb:CC:dd:ee:0f", "mac-1"),
            ("AA-BB-CC-DD-EE-0F", "mac-1"),
            ("aa%3Abb%3Acc%3Add%3Aee%3A0f", "mac-1"),
            ("aabbccddee0f", "mac-1"),
            ("abcdefabcdef or ABCDEF-ABCDEF", "mac-2 or mac-2"),
            ("sent by E0A1B2C3D4E5F6G7H8I9", "sent by serial-1"),
            (f"who is {DUSTY.did}", "who is id-1"),
            (f"who is {DUSTY.did.upper()}", "who is id-1"),
            ("/home/bob/bumper", "/home/user-2/bumper"),
            ("C:\\Users\\bob\\x", "C:\\Users\\user-2\\x"),
            ("app okhttp/4.9.1 (Bob's phone; 12)", "app okhttp/4.9.1 (...)"),
            ("'bob-phone' refused: no", "'client-1' refused: no"),
            ("robot XYZ connected from here", "robot robot-1 connected from here"),
            ("It called itself client id bob2", "It called itself client id client-2"),
            ("client id bob-phone, user bobby", "client id client-1, user client-3"),
            ("k Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA== k", "k id-2 k"),
            ("k 0123456789abcdef0123456789abcdef k", "k id-3 k"),
            ("q@126.ecorobot.net/atom", "account-1@126.ecorobot.net/atom"),
        ):
            self.assertEqual(self.redactor.text(text), wanted, text)

    def test_gone(self) -> None:
        """Of nothing that tells of anybody anything is left, and each sentence still is one."""
        for text in (
            "host planta.fritz.box asked for portal.ecouser.net",
            "asked planta.local, PLANTA.Lan, planta_pc.home and http://planta.myds.me:5000/x",
            "at ip-192-168-178-44.planta.example and 192-168-178-44",
            "4.3.3.7.0.7.3.0.e.2.a.8.0.0.0.0.0.0.0.0.3.a.5.8.8.b.d.0.1.0.0.2.ip6.arpa",
            "certificate CN=planta, valid",
            "asks for 'plantadomain.local', which is not here",
            "asks for 'planta', which is not here",
            "robot x1 may not subscribe to 'planta/alarm'",
            "robot x1 may not subscribe to 'iot/planta'",
            "pass=planta, password planta7, the passwd is planta.",
            '{"apName":"planta","wifi_name":"planta","wifiName":"planta"}',
            r'{"ssid":"Fam\"planta","x":1}',
            r'"{\"ssid\":\"Fam\\\"planta\",\"x\":1}"',
            '<ctl td="NetInfo" s="planta" wi="192.168.178.44" st="-planta"/>',
            "<ctl ret='ok' wi='192.168.178.44' s='planta'/>",
            '{"ret":"ok","wi":"192.168.178.44","s":"planta","st":"-58"}',
            "ssid is Familie planta",
            'WiFi "Familie planta" joined',
            "lat 52.520008 lon 13.404954",
            "iot/p2p/clean/planta/ecouser/planta1/planta2/yna5xi/Planta/q/ab12/j",
            "a subscriber failed on homeassistant/planta/state",
            "iot/atr/onBattery/planta7/yna5xi/planta/j",
            "can't open /srv/planta/x or /media/planta/planta",
            "the app Planta-Phone does not accept this",
            "User-Agent: Planta's phone",
            "robot planta7, class yna5xi",
        ):
            found = self.redactor.text(text)
            for plant in ("planta", "192-168", "52.52", "4.3.3.7", "fam", "familie"):
                self.assertNotIn(plant, found.lower(), text)
            self.assertGreater(len(found.split()), len(text.split()) // 2, text)

    def test_letters(self) -> None:
        """Letters may be made of several."""
        self.redactor.learn("name", "Anna M\u00fcller")
        found = self.redactor.text("Anna Mu\u0308ller, Anna%20Mu%CC%88ller")
        self.assertEqual(found, "name-1, name-1")

    def test_left(self) -> None:
        """What helps stays as it is."""
        for text in (
            "2026-11-23T18:50:00+0000 [bumper_tw.mqtt.protocol.MqttProtocol#info] reloading",
            '  File "/usr/lib/python3/dist-packages/twisted/internet/defer.py", line 1075, in x',
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 ecdsa_secp256r1_sha256",
            "6.18.0-13-amd64 x86_64-linux-gnu OpenSSL 3.0.17 1 Jul 2025 Python 3.11.2",
            "yna5xi 1vxt52 firmware 1.14.3 OZMO 950",
            "web:tcp:443:tls, mqtt:tcp:1883:interface=127.0.0.1, 0.0.0.0 and ::",
            "/api/iot/devmanager.do /v1/private/{P}/user/getUserMenuInfo",
            "portal-ww.ecouser.net mq-ww.ecouser.net lb-eu.ecovacs.com",
            "no client id; the server says 1795000000123",
            "set front.undecided_per_peer, or metrics.token_file in /etc/bumper/bumper.toml",
            "twisted.internet.error.ConnectionDone: builtins.KeyError: 'did'",
            "'NoneType' object has no attribute 'transport'",
            "    return self._router.publish(topic)  # mqtt.py",
            "may not subscribe to 'iot/p2p', nor to '$SYS/#'",
            "the password is wrong, and the app does not say why",
            'stop it with "systemctl stop bumper", see docs/appliance.rst',
            "python-requests/2.31.0, com.eco.global.app 2.1.0, bumper.service",
            "the app okhttp/4.9.1 came; the program curl/7.88.1 has asked",
            "/etc/bind/named.conf.local and twistd.log",
            '<ctl td="CleanReport"><clean type="auto" st="s"/></ctl>',
            "iot/atr/onBattery/+/yna5xi/+/j",
        ):
            self.assertEqual(self.redactor.text(text), text)

    def test_own_addresses(self) -> None:
        """This box is known from its neighbours."""
        self.redactor.names.is_own("192.168.1.2")
        self.redactor.names.is_own("127.0.0.1")
        self.assertEqual(self.redactor.text("192.168.1.2 192.168.1.20"), "this-box-1 lan-1")

    def test_quick(self) -> None:
        """Texts that are made to be slow are not."""
        for piece in (
            "eyJ",
            "a@",
            "'",
            "1.",
            "::",
            "aa:",
            "/home/",
            "x/1 (",
            "ssid=\\",
            "E0",
            "+",
            "a.",
            "the app ",
            "<ctl wi=",
            "iot/x/",
            "password ",
            "lat ",
            "CN=",
            'ssid="',
            "pass_",
            "topic a/",
            'x "',
            "' ",
            "'a\\",
            "/media/",
            "a-",
        ):
            began = time.process_time()
            self.redactor.text(piece * (300_000 // len(piece)))
            self.assertLess(time.process_time() - began, 5, piece)


class KnownTests(SynchronousTestCase):
    """Names that are known."""

    def test_everywhere(self) -> None:
        """A robot is the same one everywhere; what is common stays."""
        redactor = Redactor()
        other = redactor.learn("robot", DUSTY.did)
        redactor.learn_of(f"{other}-name", "Dusty \u00fc")
        redactor.learn_of(f"{other}-resource", DUSTY.resource)
        redactor.learn("robot", RUSTY.did)
        redactor.learn("name", "mqtt")
        text = f"mqtt {DUSTY}, {RUSTY}: dUSTY \u00dc"
        self.assertEqual(
            redactor.text(text),
            f"mqtt robot-1/yna5xi/robot-1-resource, robot-2/ls1ok3/{RUSTY.resource}: robot-1-name",
        )

    def test_short(self) -> None:
        """A short name is no part of other words, but it is behind an escape."""
        known = Known()
        known.add("Bob", "name-1")
        known.add("x", "name-2")
        text = r'bobsled kebob Bob "bob" %22Bob%22 \nBob x'
        self.assertEqual(
            known.replaced(text), r'bobsled kebob name-1 "name-1" %22name-1%22 \nname-1 x'
        )

    @given(NAMES, st.sampled_from([0, 1, 2, 3]), st.text("ab= ", max_size=9))
    def test_found(self, name: str, before: int, around: str) -> None:
        """A name is found as it is, in other letters, in URLs, in JSON, in hex, in base64."""
        assume(fold(name) not in {fold(word) for word in COMMON})
        assume(len(name.strip()) > SHORT + 1)
        known = Known()
        known.add(name, "<>")
        data = b"\0" * before + name.encode() + b"\0\0"
        for spelled in (
            name,
            name.upper() if fold(name.upper()) == fold(name) else name,
            quote(name, safe=""),
            json.dumps(name)[1:-1],
            json.dumps(name, ensure_ascii=False)[1:-1],
            name.encode().hex(),
            base64.b64encode(data).decode(),
            base64.urlsafe_b64encode(data).decode(),
        ):
            found = known.replaced(around + spelled + around)
            self.assertIn("<>", found, spelled)

    @given(st.lists(st.text(min_size=1), max_size=5), st.text(max_size=200))
    def test_anything(self, names: list[str], text: str) -> None:
        """Whatever things are called, all of those names that are longer are gone."""
        redactor = Redactor()
        for name in names:
            redactor.learn("name", name)
        found = fold(redactor.text(text + "".join(names)))
        for name in map(str.strip, names):
            if len(name) > SHORT and fold(name) not in redactor.known.common:
                self.assertNotIn(fold(name), found.replace("name-", ""))

    def test_many(self) -> None:
        """Many names in a long text take a moment."""
        known = Known()
        for number in range(2000):
            known.add(f"robot number {number}", f"robot-{number}")
        began = time.process_time()
        known.replaced("the robot number 1999 is at home " * 30_000)
        self.assertLess(time.process_time() - began, 20)


class DocumentTests(SynchronousTestCase):
    """Documents."""

    def setUp(self) -> None:
        self.redactor = Redactor()

    def read(self, value: object) -> object:
        """What is left of a document, which still is one."""
        found: object = json.loads(self.redactor.document(value))
        return found

    def test_fields(self) -> None:
        """Fields count by their names, whatever they hold."""
        found = self.read(
            {
                "ssid": "ok",
                "did": "x",
                "token": 17,
                "uid": None,
                "robots": [{"did": "x", "host": "192.168.1.9", "n": 1.23456}],
                "key": ["a", {"password": True}],
                "server_name": "nas.example.org",
            }
        )
        self.assertEqual(
            found,
            {
                "ssid": "<hidden>",
                "did": "robot-1",
                "token": "<hidden>",
                "uid": "",
                "robots": [{"did": "robot-1", "host": "lan-1", "n": 1.235}],
                "key": ["<hidden>", {"password": "<hidden>"}],
                "server_name": "name-1",
            },
        )

    def test_lessons(self) -> None:
        """What fields tell is known in all texts."""
        claims = ["client id bobs-phone-7, user bobby77"]
        document = {"claims": claims, "server_name": "nas.smith.example", "name": "user carol"}
        learn_from(self.redactor, document)
        found = self.redactor.text("bobs-phone-7 of bobby77, or carol, asked nas.smith.example")
        self.assertEqual(found, "client-1 of user-1, or user-2, asked name-1")

    def test_agents(self) -> None:
        """Of what a program calls itself stays what many are called."""
        story = "It called itself Annaphone-PLANT, Home/2.1 PLANT (PLANT; 12).\n the app Annaphone"
        claims = ["Annaphone-PLANT", "Home/2.1 PLANT (PLANT; 12)", "x at plantdomain.local"]
        document = {"claims": claims, "story": story, "verdict": "asks for 'plantdomain.local'"}
        learn_from(self.redactor, document)
        found = self.redactor.document(document)
        self.assertNotIn("plant", found.lower())
        self.assertNotIn("annaphone", found.lower())
        self.assertIn("Home/2.1 (...)", found)
        self.assertIn("asks for 'name-1'", found)

    def test_deep(self) -> None:
        """What is nested too deeply is cut off."""
        value: object = "x"
        for _ in range(DEEPEST * 100):
            value = [value]
        self.assertLess(len(self.redactor.document(value)), 3000)

    @given(DOCUMENTS, st.lists(st.text(min_size=1, max_size=20), max_size=3))
    def test_anything(self, document: object, names: list[str]) -> None:
        """A document still is one, of the same shape, whatever things are called."""
        redactor = Redactor()
        for name in names:
            redactor.learn("name", name)
        found = json.loads(redactor.document(document))
        self.assertEqual(isinstance(found, dict | list), isinstance(document, dict | list))


class PseudonymTests(SynchronousTestCase):
    """Other names."""

    def test_same(self) -> None:
        """The same for the same, of whatever case; bounded."""
        names = Pseudonyms()
        self.assertEqual(names.name("robot", "A"), names.name("robot", "a"))
        for number in range(6000):
            names.name("id", str(number))
        self.assertEqual(names.name("id", "another"), "id-more")
        self.assertEqual(names.name("id", "3"), "id-4")
