"""CONNECT: what a well-formed one is, and what becomes of others (MQTT 3.1.1, 3.1)."""

from twisted.python.failure import Failure

from bumper_tw.core.identity import IDENTIFIER_REJECTED, Refused
from bumper_tw.dialect.logins import IdKind, parse_client_id
from bumper_tw.errors import LoginRefused
from bumper_tw.wire.mqtt_packets import (
    ConnAck,
    Connect,
    ConnectCode,
    Publish,
    Subscribe,
    Will,
)
from tests.mqtt.conformance.case import (
    DISCONNECT,
    MQTT_4,
    PINGREQ,
    ConformanceCase,
    connect,
    packet,
    somebody,
)

ACCEPTED, REJECTED_ID = b"\x20\x02\x00\x00", b"\x20\x02\x00\x02"

#: Connect flags.
CLEAN, WILL, WILL_RETAIN, PASSWORD, USER = 0x02, 0x04, 0x20, 0x40, 0x80

LOGIN = (b"house", b"s")


class FirstPacketTests(ConformanceCase):
    """What a connection starts with."""

    def test_nothing_comes_before_connect(self) -> None:
        """[MQTT-3.1.0-1] Whatever else comes first ends the connection, unanswered."""
        others = [
            publish := b"\x30\x06\x00\x03a/bx",
            b"\x40\x02\x00\x01",
            b"\x62\x02\x00\x01",
            b"\x82\x08\x00\x01\x00\x03a/b\x00",
            b"\xa2\x07\x00\x01\x00\x03a/b",
            PINGREQ,
            DISCONNECT,
            b"\x00\x00",
            b"\xf0\x00",
            ACCEPTED,
        ]
        for first in others:
            self.refused(self.dial(), first)
        hearer = self.hearer("#")
        self.refused(self.dial(), publish)
        self.assertEqual(hearer.messages(), [])

    def test_connect_comes_once(self) -> None:
        """[MQTT-3.1.0-2] [MQTT-4.8.0-1] A second CONNECT ends the connection."""
        peer = self.join("c1")
        self.refused(peer, connect(USER | PASSWORD | CLEAN, b"c1", *LOGIN))

    def test_the_name_of_another_protocol(self) -> None:
        """[MQTT-3.1.2-1] Nobody comes in with another protocol name."""
        for head in (b"\x00\x04MQTX\x04", b"\x00\x04mqtt\x04", b"\x00\x00\x04"):
            peer = self.dial()
            peer.send(connect(USER | PASSWORD | CLEAN, b"c1", *LOGIN, head=head))
            self.assertTrue(peer.closed)
            self.assertNotEqual(peer.raw(), ACCEPTED)

    def test_a_level_that_nobody_speaks(self) -> None:
        """[MQTT-3.1.2-2] [MQTT-3.2.2-5] Another level gets return code 1, and is closed."""
        for level in (0, 1, 2, 3, 6, 127, 0x84, 255):
            peer = self.dial()
            head = MQTT_4[:-1] + bytes((level,))
            peer.send(connect(USER | PASSWORD | CLEAN, b"c1", *LOGIN, head=head))
            self.assertEqual((level, peer.raw()), (level, b"\x20\x02\x00\x01"))
            self.assertTrue(peer.closed)

    def test_a_client_of_mqtt_5(self) -> None:
        """Level 5 is refused in the words of MQTT 5, which its clients understand."""
        peer = self.dial()
        peer.send(packet(0x10, b"\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x02c1"))
        self.assertEqual(peer.raw(), b"\x20\x03\x00\x84\x00")
        self.assertTrue(peer.closed)

    def test_a_client_of_mqtt_31(self) -> None:
        """MQIsdp with level 3 is MQTT 3.1, which is spoken too."""
        peer = self.dial()
        head = b"\x00\x06MQIsdp\x03"
        peer.send(connect(USER | PASSWORD | CLEAN, b"c1", *LOGIN, head=head))
        self.assertEqual(peer.raw(), ACCEPTED)
        self.alive(peer)

    def test_a_client_of_mqtt_31_comes_back(self) -> None:
        """CONNACK of MQTT 3.1 has no session present bit, even where there is a session."""
        for _ in range(2):
            peer = self.dial()
            head = b"\x00\x06MQIsdp\x03"
            peer.send(connect(USER | PASSWORD, b"c1", *LOGIN, head=head))
            self.assertEqual(peer.raw(), ACCEPTED)
            peer.leave()


class FlagsTests(ConformanceCase):
    """The connect flags and the payload fit together, or the connection ends without CONNACK."""

    def test_the_reserved_flag(self) -> None:
        """[MQTT-3.1.2-3] [MQTT-2.2.2-1] The lowest bit of the connect flags is 0."""
        self.refused(self.dial(), connect(USER | PASSWORD | CLEAN | 1, b"c1", *LOGIN))

    def test_no_will_and_will_bits(self) -> None:
        """[MQTT-3.1.2-11] [MQTT-3.1.2-13] [MQTT-3.1.2-15] No will has neither QoS nor RETAIN."""
        for bits in (0x08, 0x10, 0x18, WILL_RETAIN):
            flags = USER | PASSWORD | CLEAN | bits
            self.refused(self.dial(), connect(flags, b"c1", *LOGIN))

    def test_no_will_and_will_fields(self) -> None:
        """[MQTT-3.1.2-11] Will fields without the flag end the connection."""
        self.refused(self.dial(), connect(CLEAN, b"c1", b"home/will", b"gone"))

    def test_a_will_without_fields(self) -> None:
        """[MQTT-3.1.2-9] [MQTT-3.1.4-1] A will has a topic and a message."""
        flags = CLEAN | WILL
        self.refused(self.dial(), connect(flags, b"c1"))
        self.refused(self.dial(), connect(flags, b"c1", b"home/will"))

    def test_a_will_with_qos_3(self) -> None:
        """[MQTT-3.1.2-14] There is no QoS 3."""
        fields = (b"c1", b"home/will", b"gone", *LOGIN)
        self.refused(self.dial(), connect(USER | PASSWORD | CLEAN | WILL | 0x18, *fields))

    def test_a_name_that_is_not_announced(self) -> None:
        """[MQTT-3.1.2-18] [MQTT-3.1.2-20] More fields than flags end the connection."""
        self.refused(self.dial(), connect(CLEAN, b"c1", b"house"))
        self.refused(self.dial(), connect(CLEAN | USER, b"c1", *LOGIN))

    def test_a_name_that_is_missing(self) -> None:
        """[MQTT-3.1.2-19] [MQTT-3.1.2-21] Fewer fields than flags end the connection."""
        self.refused(self.dial(), connect(CLEAN | USER, b"c1"))
        self.refused(self.dial(), connect(CLEAN | USER | PASSWORD, b"c1", b"house"))

    def test_a_password_without_a_name(self) -> None:
        """[MQTT-3.1.2-22] Nobody has a password and no user name."""
        self.refused(self.dial(), connect(CLEAN | PASSWORD, b"c1", b"s"))

    def test_the_flags_of_the_header(self) -> None:
        """[MQTT-3.1.4-1] [MQTT-2.2.2-2] The flags of CONNECT itself are 0."""
        good = connect(USER | PASSWORD | CLEAN, b"c1", *LOGIN)
        for first in range(0x11, 0x20):
            self.refused(self.dial(), bytes((first,)) + good[1:])

    def test_cut_anywhere(self) -> None:
        """[MQTT-3.1.4-1] A CONNECT that ends before its fields do gets no CONNACK."""
        whole = connect(USER | PASSWORD | CLEAN | WILL, b"c1", b"home/will", b"gone", *LOGIN)
        for size in range(len(whole) - 2):
            self.refused(self.dial(), packet(0x10, whole[2 : 2 + size]))

    def test_more_than_its_fields(self) -> None:
        """[MQTT-3.1.4-1] Nor does one that goes on behind them."""
        self.refused(self.dial(), connect(USER | PASSWORD | CLEAN, b"c1", *LOGIN, b""))

    def test_no_password(self) -> None:
        """A user name may come without a password."""
        peer = self.dial()
        peer.send(connect(CLEAN | USER, b"c1", b"house"))
        self.assertEqual(peer.raw(), ACCEPTED)


class FieldsTests(ConformanceCase):
    """Who the payload says somebody is."""

    def test_the_order_of_the_fields(self) -> None:
        """[MQTT-3.1.3-1] Each field is read from its place."""
        hearer = self.hearer("home/will")
        peer = self.dial()
        fields = (b"c1", b"home/will", b"gone", b"name", b"secret")
        peer.send(connect(USER | PASSWORD | CLEAN | WILL, *fields))
        [asked] = [each for each in self.world.door.asked if each.client_id == "c1"]
        self.assertEqual((asked.username, asked.password), ("name", b"secret"))
        peer.vanish()
        self.assertEqual(hearer.messages(), [Publish("home/will", b"gone")])

    def test_the_client_id_is_always_there(self) -> None:
        """[MQTT-3.1.3-3] A payload without a client identifier ends the connection."""
        self.refused(self.dial(), connect(CLEAN))

    def test_text_that_is_none(self) -> None:
        """[MQTT-3.1.3-4] [MQTT-3.1.3-10] [MQTT-3.1.3-11] [MQTT-1.5.3-1] Bad UTF-8 is no text."""
        flags = USER | PASSWORD | CLEAN | WILL
        for bad in (b"\xff", b"c\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80"):
            self.refused(self.dial(), connect(flags, bad, b"t", b"m", *LOGIN))
            self.refused(self.dial(), connect(flags, b"c1", bad, b"m", *LOGIN))
            self.refused(self.dial(), connect(flags, b"c1", b"t", b"m", bad, b"s"))

    def test_nul(self) -> None:
        """[MQTT-1.5.3-2] U+0000 in any text ends the connection; in a password it may be."""
        flags = USER | PASSWORD | CLEAN | WILL
        self.refused(self.dial(), connect(flags, b"c\0", b"t", b"m", *LOGIN))
        self.refused(self.dial(), connect(flags, b"c1", b"t\0", b"m", *LOGIN))
        self.refused(self.dial(), connect(flags, b"c1", b"t", b"m", b"h\0", b"s"))
        peer = self.dial()
        peer.send(connect(flags, b"c1", b"t", b"\0\xff", b"house", b"\0\xff"))
        self.assertEqual(peer.raw(), ACCEPTED)

    def test_names_everybody_may_have(self) -> None:
        """[MQTT-3.1.3-5] 1 to 23 letters and digits are a client identifier."""
        letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
        for name in ("0", "Z", letters[:23], letters[23:46], letters[-23:]):
            self.assertIs(parse_client_id(name).kind, IdKind.UNSTRUCTURED)
            self.join(name).leave()

    def test_no_name(self) -> None:
        """[MQTT-3.1.3-6] Who has no name gets one of its own, so that none ousts another."""
        peers = []
        for _ in range(3):
            peer = self.stranger()
            peer.send(connect(USER | PASSWORD | CLEAN, b"", *LOGIN))
            for given, verdict in dict(self.world.door.undecided).items():
                verdict.callback(somebody(given))
                del self.world.door.undecided[given]
            self.assertEqual(peer.raw(), ACCEPTED)
            peers.append(peer)
        for peer in peers:
            self.alive(peer)

    def test_no_name_for_a_session(self) -> None:
        """[MQTT-3.1.3-7] [MQTT-3.1.3-8] Without clean session a name is needed."""
        peer = self.stranger()
        peer.send(connect(USER | PASSWORD, b"", *LOGIN))
        self.assertEqual(peer.raw(), REJECTED_ID)
        self.assertTrue(peer.closed)

    def test_a_name_that_is_refused(self) -> None:
        """[MQTT-3.1.3-9] A name that nobody may have gets return code 2, and is closed."""
        peer = self.stranger()
        peer.send(connect(USER | PASSWORD | CLEAN, b"x@y/+", *LOGIN))
        self.world.door.undecided["x@y/+"].errback(Failure(Refused(IDENTIFIER_REJECTED, "no")))
        self.assertEqual(peer.raw(), REJECTED_ID)
        self.assertTrue(peer.closed)

    def test_the_name_is_the_session(self) -> None:
        """[MQTT-3.1.3-2] Clients of one account with two names have two sessions."""
        first = self.hearer("home/a", qos=1, name="c1", clean=False)
        second = self.hearer("home/b", qos=1, name="c2", clean=False)
        first.leave()
        second.leave()
        self.announce("home/a", b"for c1", 1)
        self.announce("home/b", b"for c2", 1)
        self.assertEqual(self.join("c2", clean=False).payloads(), [b"for c2"])
        self.assertEqual(self.join("c1", clean=False).payloads(), [b"for c1"])


class VerdictTests(ConformanceCase):
    """What follows a CONNECT."""

    def test_welcome(self) -> None:
        """[MQTT-3.1.4-4] [MQTT-3.2.0-1] CONNACK with return code 0, once, before anything else."""
        peer = self.dial()
        peer.send(
            connect(USER | PASSWORD | CLEAN, b"c1", *LOGIN),
            b"\x82\x08\x00\x01\x00\x03a/b\x00",
            PINGREQ,
        )
        self.assertEqual(peer.raw(), ACCEPTED + b"\x90\x03\x00\x01\x00" + b"\xd0\x00")

    def test_refusal(self) -> None:
        """[MQTT-3.2.2-4] [MQTT-3.2.2-5] A refusal has a code of the table, and ends."""
        peer = self.stranger()
        peer.send(connect(USER | PASSWORD, b"c1", *LOGIN))
        self.assertEqual(peer.raw(), b"")
        self.world.door.undecided["c1"].errback(Failure(LoginRefused("no")))
        kind, size, present, code = peer.raw()
        self.assertEqual((kind, size, present), (0x20, 2, 0))
        self.assertIn(code, {2, 3, 4, 5})
        self.assertTrue(peer.closed)

    def test_speech_behind_a_refusal(self) -> None:
        """[MQTT-3.1.4-5] What was said behind a refused CONNECT has no effect."""
        hearer = self.hearer("#")
        peer = self.stranger()
        peer.send(connect(USER | PASSWORD | CLEAN | WILL, b"c1", b"home/w", b"m", *LOGIN))
        peer.say(Publish("home/a", b"secretly", 1, retain=True, packet_id=1))
        peer.say(Subscribe(2, (("#", 1),)))
        self.world.door.undecided["c1"].errback(Failure(LoginRefused("no")))
        peer.say(Publish("home/a", b"still", 1, packet_id=3))
        self.assertEqual([type(heard) for heard in peer.hear()], [ConnAck])
        peer.vanish()
        self.assertEqual(hearer.messages(), [])
        self.assertEqual(self.retained("home/a"), [])

    def test_no_code_fits(self) -> None:
        """[MQTT-3.2.2-6] No code is invented for what the table does not have."""
        peer = self.stranger()
        peer.send(connect(USER | PASSWORD | CLEAN, b"c1", *LOGIN))
        self.world.door.undecided["c1"].errback(Failure(RuntimeError("a mistake")))
        self.assertIn(peer.raw(), (b"", *(b"\x20\x02\x00" + bytes((n,)) for n in range(1, 6))))
        self.assertTrue(peer.closed)
        self.flushLoggedErrors(RuntimeError)

    def test_takeover(self) -> None:
        """[MQTT-3.1.4-2] The newer connection of one name closes the older one."""
        older = self.join("c1")
        newer = self.join("c1")
        self.assertTrue(older.closed)
        self.alive(newer)

    def test_takeover_of_a_session(self) -> None:
        """[MQTT-3.1.4-2] [MQTT-3.1.4-3] It goes on in the session of the older one."""
        older = self.hearer("home/a", qos=1, name="c1", clean=False)
        self.announce("home/a", b"one", 1)
        newer = self.join("c1", clean=False)
        self.assertTrue(newer.present)
        [again] = newer.messages()
        self.assertEqual((again.payload, again.dup), (b"one", True))
        self.assertEqual(older.payloads(), [b"one"])
        self.announce("home/a", b"two", 1)
        self.assertEqual((older.payloads(), newer.payloads()), ([], [b"two"]))

    def test_words_of_the_ousted(self) -> None:
        """[MQTT-3.1.4-2] What the older one says from then on is not heard."""
        hearer = self.hearer("#")
        older = self.join("c1")
        self.join("c1")
        older.say(Publish("home/a", b"late"))
        self.assertEqual(hearer.messages(), [])

    def test_clean_processing(self) -> None:
        """[MQTT-3.1.4-3] What clean session asks for is done when CONNECT is accepted only."""
        self.hearer("home/a", qos=1, name="c1", clean=False).leave()
        self.announce("home/a", b"one", 1)
        del self.world.door.known["c1"]
        refused = self.stranger("c1")
        refused.say(Connect(clean=True, client_id="c1", username="house", password=b"bad"))
        self.world.door.undecided["c1"].errback(Failure(LoginRefused("no")))
        self.assertNotEqual(refused.only(ConnAck).code, ConnectCode.ACCEPTED)
        kept = self.join("c1", clean=False)
        self.assertEqual((kept.present, kept.payloads()), (True, [b"one"]))

    def test_a_will_of_the_refused(self) -> None:
        """[MQTT-3.1.2-8] The will of somebody who was not let in is not published."""
        hearer = self.hearer("#")
        peer = self.stranger("c1")
        will = Will("home/will", b"gone")
        peer.say(Connect(client_id="c1", username="house", password=b"bad", will=will))
        self.world.door.undecided["c1"].errback(Failure(LoginRefused("no")))
        peer.vanish()
        self.assertEqual(hearer.messages(), [])
