"""How a robot connects, stays connected and leaves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.simulator.identity import Kind, Profile, UserName, identities
from bumper_tw.simulator.link import SubscriptionRefused
from bumper_tw.simulator.mqtt import packet, text
from tests.simulator.rig import Rig, published, said


class ConnectTests(SynchronousTestCase):
    """The first packets of a connection."""

    def test_connect_bytes(self) -> None:
        """CONNECT is level 4, clean session, keep-alive 120, with the robot's identity."""
        rig = Rig().start()
        who = rig.identity
        body = b"\0\4MQTT\4\xc2\0\x78" + text(f"{who.did}@{who.cls}/{who.resource}")
        body += text(who.sn) + text(who.secret)
        self.assertEqual(rig.transport.value(), packet(0x10, body))

    def test_back_quoted_user_name(self) -> None:
        """The meta profile breaks its base64 after 20 characters."""
        rig = Rig(profile=Profile(user_name=UserName.META)).start()
        name = f"{rig.identity.sn}`eyJmdiI6IjEuMTQuMyIs\n".encode()
        self.assertIn(name, rig.transport.value())

    def test_user_name_with_class(self) -> None:
        """The at profile appends the class."""
        rig = Rig(profile=Profile(user_name=UserName.AT)).start()
        self.assertIn(text(f"{rig.identity.sn}@yna5xi"), rig.transport.value())

    def test_json_filters(self) -> None:
        """A JSON robot subscribes to four filters, one packet each, in order."""
        rig = Rig().start()
        said(rig.transport)
        rig.hear(b"\x20\x02\x00\x00")
        did, cls, res = rig.own.split("/")
        wanted = [
            f"iot/p2p/+/+/+/+/{rig.own}/q/+/+",
            f"iot/cfg/{rig.own}/+/+",
            f"iot/dtcfg/{cls}/222/+/+",
            f"iot/dtgcfg/{cls}/{did}/{res}/+/+",
        ]
        expected = [
            (0x82, number.to_bytes(2, "big") + text(name) + b"\0")
            for number, name in enumerate(wanted, 1)
        ]
        self.assertEqual(said(rig.transport), expected)

    def test_xml_filter(self) -> None:
        """An XML robot subscribes to its requests only."""
        rig = Rig(Kind.XML).start()
        said(rig.transport)
        rig.hear(b"\x20\x02\x00\x00")
        [(_, body)] = said(rig.transport)
        self.assertEqual(body[4:-1].decode(), f"iot/p2p/+/+/+/+/{rig.own}/q/+/+")

    def test_wide_filter(self) -> None:
        """The wide profile subscribes to replies too, and ignores them silently."""
        rig = Rig(Kind.XML, Profile(wide=True)).greeted()
        rig.request("GetBatteryInfo", b"<ctl/>", direction="p")
        self.assertEqual((said(rig.transport), list(rig.robot.violations)), ([], []))

    def test_ready_at_first_grant(self) -> None:
        """C{start} fires when the filter of requests is granted, not before."""
        rig = Rig().start()
        rig.hear(b"\x20\x02\x00\x00")
        self.assertNoResult(rig.ready)
        rig.hear(b"\x90\x03\x00\x01\x00")
        self.successResultOf(rig.ready)

    def test_fragments(self) -> None:
        """Bytes that arrive one by one mean the same."""
        rig = Rig().start()
        for byte in b"\x20\x02\x00\x00\x90\x03\x00\x01\x00":
            rig.hear(bytes([byte]))
        self.successResultOf(rig.ready)


class RefusalTests(SynchronousTestCase):
    """What a server may not do while a robot connects."""

    def test_requests_refused(self) -> None:
        """Refusing the first filter fails the start and is a violation."""
        rig = Rig().start()
        rig.hear(b"\x20\x02\x00\x00\x90\x03\x00\x01\x80")
        self.failureResultOf(rig.ready, SubscriptionRefused)
        [violation] = rig.robot.violations
        self.assertIn("SUBACK 128", violation)

    def test_login_refused(self) -> None:
        """A refused login is recorded, and tried again after 1, 2 and 5 seconds."""
        rig = Rig().start()
        for wait in (1, 2, 5):
            rig.hear(b"\x20\x02\x00\x05")
            before = rig.endpoint.attempts
            rig.clock.advance(wait - 0.1)
            self.assertEqual(rig.endpoint.attempts, before)
            rig.clock.advance(0.1)
            self.assertEqual(rig.endpoint.attempts, before + 1)
        self.assertEqual(list(rig.robot.violations), ["CONNACK 5"] * 3)
        self.successResultOf(rig.robot.stop())
        self.failureResultOf(rig.ready, CancelledError)

    def test_back_off(self) -> None:
        """A server that is not there is tried after 1, 2, 5, 10, 30, 60 and 60 seconds."""
        rig = Rig()
        rig.endpoint.refusals = 7
        rig.start()
        for attempts, wait in enumerate((1, 2, 5, 10, 30, 60, 60), 1):
            self.assertEqual(rig.endpoint.attempts, attempts)
            rig.clock.advance(wait)
        rig.accept()
        self.successResultOf(rig.ready)

    def test_slow_welcome(self) -> None:
        """No CONNACK within two seconds is a violation; after 30 the robot tries again."""
        rig = Rig().start()
        rig.clock.advance(2)
        self.assertEqual(list(rig.robot.violations), ["no CONNACK within 2 s"])
        rig.clock.advance(28)
        rig.clock.advance(1)
        self.assertEqual(len(rig.endpoint.transports), 2)

    def test_malformed_packet(self) -> None:
        """A packet no server sends ends the connection."""
        rig = Rig().greeted()
        rig.hear(b"\x10\x00")
        self.assertFalse(rig.transport.connected)
        self.assertEqual(list(rig.robot.violations), ["malformed packet: type 1"])

    def test_suback_out_of_order(self) -> None:
        """An answer to another SUBSCRIBE than the oldest is a violation."""
        rig = Rig().start()
        rig.hear(b"\x20\x02\x00\x00\x90\x03\x00\x02\x00")
        self.assertEqual(list(rig.robot.violations), ["unexpected SUBACK 2"])


class LifeTests(SynchronousTestCase):
    """Staying and leaving."""

    def test_ping(self) -> None:
        """96 seconds of silence are followed by a PINGREQ; traffic puts it off."""
        rig = Rig(Kind.XML).greeted()
        rig.robot.machine.halt()
        rig.clock.advance(90)
        rig.robot.report("BatteryInfo")
        said(rig.transport)
        rig.clock.advance(95)
        self.assertEqual(said(rig.transport), [])
        rig.clock.advance(1)
        self.assertEqual(
            [first for first, _ in said(rig.transport) if first == 0xC0],
            [0xC0],
        )

    def test_reconnect(self) -> None:
        """A lost connection is made again after a second, with all filters."""
        rig = Rig().greeted()
        rig.transport.loseConnection()
        self.assertFalse(rig.robot.connected)
        rig.clock.advance(1)
        rig.accept()
        self.assertTrue(rig.robot.connected)

    def test_nothing_scheduled_after_stop(self) -> None:
        """Stopping says DISCONNECT, closes, and leaves no timer, also in the middle of a job."""
        rig = Rig(latency=(0.08, 0.3)).greeted()
        rig.robot.machine.start()
        rig.robot.flood(5)
        rig.request("getBattery")
        rig.run(3)
        stopped = rig.robot.stop()
        self.successResultOf(stopped)
        self.assertEqual(said(rig.transport)[-1], (0xE0, b""))
        self.assertEqual(rig.clock.getDelayedCalls(), [])

    def test_stop_without_connection(self) -> None:
        """A robot between two attempts stops at once."""
        rig = Rig()
        rig.endpoint.refusals = 1
        rig.start()
        self.successResultOf(rig.robot.stop())
        self.failureResultOf(rig.ready, CancelledError)
        self.assertEqual(rig.clock.getDelayedCalls(), [])

    def test_half_open(self) -> None:
        """A half-open robot is silent on the old connection and lives on a new one."""
        rig = Rig().greeted()
        rig.robot.half_open()
        old, new = rig.endpoint.transports
        rig.accept()
        rig.robot.report("onBattery")
        self.assertEqual((old.value(), old.connected, old.producerState), (b"", True, "paused"))
        self.assertEqual(len(published(said(new))), 1)
        self.successResultOf(rig.robot.stop())
        self.assertEqual((old.connected, rig.clock.getDelayedCalls()), (False, []))

    def test_qos1_is_acknowledged(self) -> None:
        """A QoS 1 request is answered with PUBACK and obeyed."""
        rig = Rig().greeted()
        topic = f"iot/p2p/getBattery/helperbot/bumper/helperbot/{rig.own}/q/AbCd/j"
        rig.hear(packet(0x32, text(topic) + b"\0\7{}"))
        puback, reply = said(rig.transport)
        self.assertEqual((puback, reply[0]), ((0x40, b"\0\7"), 0x30))


class GarbageTests(SynchronousTestCase):
    """Servers that send anything."""

    @given(st.lists(st.binary(max_size=30), max_size=5))
    def test_any_bytes(self, chunks: list[bytes]) -> None:
        """Any bytes leave the robot connected, or end the connection with a violation."""
        rig = Rig().greeted()
        for chunk in chunks:
            if rig.transport.connected:
                rig.hear(chunk)
        self.assertTrue(rig.transport.connected or len(rig.robot.violations) > 0)

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.binary(max_size=40))
    def test_any_message(self, topic: str, payload: bytes) -> None:
        """A message on any topic is no reason to fail, nor to answer."""
        rig = Rig().greeted()
        rig.hear(packet(0x30, text(topic) + payload))
        self.assertEqual((rig.transport.connected, said(rig.transport)), (True, []))

    @given(st.sampled_from(["SetTime", "getBattery", "GetVersion", "clean"]), st.binary())
    def test_any_payload(self, command: str, payload: bytes) -> None:
        """A request with any payload is answered, ignored or noticed."""
        rig = Rig().greeted()
        rig.request(command, payload)
        self.assertTrue(rig.transport.connected)
        self.assertLessEqual(len(published(said(rig.transport))), 1)


class IdentityTests(SynchronousTestCase):
    """Reproducible robots."""

    def test_same_seed_same_robots(self) -> None:
        """A longer list begins with the shorter one, and all identities differ."""
        ten = identities(10, Kind.JSON, 7)
        self.assertEqual(identities(3, Kind.JSON, 7), ten[:3])
        self.assertEqual(len({who.did for who in ten + identities(10, Kind.XML, 7)}), 20)

    def test_secret_is_not_printed(self) -> None:
        """The secret stays out of the text form."""
        [who] = identities(1, Kind.JSON)
        self.assertNotIn(who.secret, repr(who))
