"""Short topics say the same as the long ones."""

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect import plain, reports
from bumper_tw.dialect.envelopes import to_json
from bumper_tw.dialect.plain import PlainMessage, Shape
from bumper_tw.errors import BadRequest
from bumper_tw.readings import Battery
from bumper_tw.values import PayloadKind, RequestId

DID = "7c1f0a52-93be-4d0e-8a44-1b6de2f09c35"

words = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
utf8 = st.text(st.characters(codec="utf-8"))
scalars = st.none() | st.booleans() | st.integers() | utf8
objects = st.dictionaries(utf8, scalars, max_size=4)
bodies = st.one_of(
    objects.map(lambda value: (to_json(value), PayloadKind.JSON)),
    st.just((b"<ctl type='Brush'/>", PayloadKind.XML)),
)


class DecodeTests(SynchronousTestCase):
    """What plain robots and scripts send."""

    def test_command(self) -> None:
        """A command has an id, a name and arguments."""
        body = b'{"id":"a1","cmd":"clean","payload":{"body":{"data":{"act":"start"}}}}'
        expected = PlainMessage(
            Shape.COMMAND, DID, "clean", RequestId("a1"), b'{"body":{"data":{"act":"start"}}}'
        )
        self.assertEqual(plain.decode(f"p2p/{DID}", body), expected)

    def test_command_without_arguments(self) -> None:
        """A command may leave its payload out; an id may be a number."""
        read = plain.decode(f"p2p/{DID}", b'{"id":7,"cmd":"getBattery"}')
        self.assertEqual((read.request, read.body), ("7", b"{}"))

    def test_reply(self) -> None:
        """A reply need not repeat the name of the command."""
        read = plain.decode(f"rsp/{DID}", b'{"id":"a1","payload":"<ctl ret=\'ok\'/>"}')
        self.assertEqual((read.shape, read.name, read.request), (Shape.REPLY, "", "a1"))
        self.assertEqual((read.body, read.kind), (b"<ctl ret='ok'/>", PayloadKind.XML))

    def test_report(self) -> None:
        """A report can be read like one under a long topic, with the envelope or without."""
        for payload in (b'{"body":{"data":{"value":87}}}', b'{"value":87}'):
            read = plain.decode(f"attr/{DID}", b'{"event":"onBattery","payload":%s}' % payload)
            self.assertEqual(reports.decode(read.name, read.body, read.kind, 0.0), [Battery(87)])

    def test_garbage(self) -> None:
        """What has not the shape is refused with a sentence."""
        wrong = [
            (f"p2p/{DID}", b""),
            (f"p2p/{DID}", b"[]"),
            (f"p2p/{DID}", b'{"cmd":"clean"}'),
            (f"p2p/{DID}", b'{"id":"a1"}'),
            (f"p2p/{DID}", b'{"id":"a/1","cmd":"clean"}'),
            (f"p2p/{DID}", b'{"id":"a1","cmd":"cl#an"}'),
            (f"p2p/{DID}", b'{"id":"a1","cmd":"clean","payload":[]}'),
            (f"rsp/{DID}", b'{"id":"a1"}'),
            (f"rsp/{DID}", b'{"payload":{}}'),
            (f"attr/{DID}", b'{"payload":{}}'),
            (f"attr/{DID}", b'{"event":"onBattery","payload":""}'),
            (f"attr/{DID}", b"[" * 100_000),
            ("attr/", b'{"event":"onBattery","payload":{}}'),
            ("attr/+", b'{"event":"onBattery","payload":{}}'),
            (f"iot/{DID}", b'{"event":"onBattery","payload":{}}'),
        ]
        for topic, body in wrong:
            self.assertRaises(BadRequest, plain.decode, topic, body)

    @given(st.sampled_from(["p2p", "rsp", "attr"]), st.binary() | objects.map(to_json))
    def test_any_body(self, shape: str, body: bytes) -> None:
        """Any body is a message of that shape or a L{BadRequest}."""
        try:
            read = plain.decode(f"{shape}/{DID}", body)
        except BadRequest as refused:
            self.assertTrue(str(refused).endswith("."))
        else:
            self.assertEqual((read.shape.value, read.did), (shape, DID))


class EncodeTests(SynchronousTestCase):
    """What we send."""

    def test_literal(self) -> None:
        """A command is written as documented."""
        message = PlainMessage(Shape.COMMAND, DID, "getBattery", RequestId("a1"), b"{}")
        body = b'{"id":"a1","cmd":"getBattery","payload":{}}'
        self.assertEqual(plain.encode(message), (f"p2p/{DID}", body))

    @given(st.sampled_from(Shape), words, words.map(RequestId), bodies)
    def test_round_trip(
        self, shape: Shape, name: str, request: RequestId, payload: tuple[bytes, PayloadKind]
    ) -> None:
        """What is written can be read, and is the same."""
        asked = RequestId("") if shape is Shape.REPORT else request
        message = PlainMessage(shape, DID, name, asked, *payload)
        self.assertEqual(plain.decode(*plain.encode(message)), message)

    def test_garbage(self) -> None:
        """Nothing is sent that could not be read."""
        good = PlainMessage(Shape.COMMAND, DID, "clean", RequestId("a1"), b"{}")
        wrong = [
            evolve(good, did="+"),
            evolve(good, name=""),
            evolve(good, name="a/b"),
            evolve(good, request=RequestId("")),
            evolve(good, body=b"[]"),
            evolve(good, body=b"no JSON"),
            evolve(good, body=b"", kind=PayloadKind.XML),
            evolve(good, body=b"\xff", kind=PayloadKind.XML),
        ]
        for message in wrong:
            self.assertRaises(BadRequest, plain.encode, message)


class FilterTests(SynchronousTestCase):
    """Who may use which short topic."""

    def test_robot(self) -> None:
        """A robot hears commands and says the rest; a user hears all of it."""
        hears, speaks = plain.robot_may_subscribe(DID), plain.robot_may_publish(DID)
        self.assertEqual(hears, (f"p2p/{DID}",))
        self.assertEqual(speaks, (f"rsp/{DID}", f"attr/{DID}"))
        self.assertEqual(plain.user_may_subscribe(DID), hears + speaks)

    def test_no_wider_than_asked(self) -> None:
        """A device id with a wildcard in it makes no filter."""
        for did in ("+", "#", "", "a/b"):
            self.assertRaises(BadRequest, plain.robot_may_publish, did)
