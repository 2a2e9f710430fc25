"""The passwords of newer robots."""

import base64
import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect.robot_tokens import names_another, read

DID = "7c1f0a52-93be-4d0e-8a44-1b6de2f09c35"
OTHER = "00000000-93be-4d0e-8a44-1b6de2f09c35"
HEADER = {"alg": "ES256", "typ": "JWT"}


def part(value: object) -> bytes:
    """One part of a JWT."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


def token(claims: object, header: object = HEADER, signature: bytes = b"c2lnbmVk") -> bytes:
    """A JWT that nobody has signed."""
    return b".".join([part(header), part(claims), signature])


class ReadTests(SynchronousTestCase):
    """What is a JWT."""

    def test_claims(self) -> None:
        """A JWT has claims."""
        self.assertEqual(read(token({"did": DID, "t": "a"})), {"did": DID, "t": "a"})

    def test_any_length(self) -> None:
        """Parts come without padding, whatever their length."""
        for length in range(8):
            self.assertEqual(read(token({"x": "y" * length})), {"x": "y" * length})

    def test_unreadable_claims(self) -> None:
        """One whose claims cannot be read changes like any other."""
        odd: list[object] = [[], "x", 1, None]
        for claims in odd:
            self.assertEqual(read(token(claims)), {})
        self.assertEqual(read(part(HEADER) + b".x.y"), {})

    def test_no_token(self) -> None:
        """Opaque secrets, with or without dots, are none; neither is what is too long."""
        for secret in (
            b"",
            b"a1b2c3d4",
            b"ab.cd.ef",
            b"..",
            part(HEADER) + b"." + part({}),
            token({}) + b".more",
            token({}) + b"\n",
            token({}, header=[]),
            token({}, signature=b""),
            token({}, signature=b"+/"),
            token({"x": "y" * 9000}),
            b"\xff.\xff.\xff",
        ):
            self.assertIsNone(read(secret), secret[:40])

    def test_nested(self) -> None:
        """Claims nested without end are not read."""
        deep = base64.urlsafe_b64encode(b"[" * 5000).rstrip(b"=")
        self.assertEqual(read(part(HEADER) + b"." + deep + b".x"), {})

    @given(st.binary(max_size=100))
    def test_garbage(self, secret: bytes) -> None:
        """Anything is a token or not."""
        self.assertIn(type(read(secret)), {dict, type(None)})


class NamesTests(SynchronousTestCase):
    """Whose a JWT is."""

    def test_own(self) -> None:
        """A robot is named by its id, alone or in front of class and resource."""
        own = [{"did": DID}, {"sub": DID}, {"did": f"{DID}@yna5xi/qX7d", "u": DID}]
        for claims in own:
            self.assertFalse(names_another(claims, DID), claims)

    def test_another(self) -> None:
        """One claim of another robot is enough."""
        for name in ("did", "deviceId", "sub", "u", "c", "client_id"):
            self.assertTrue(names_another({"did": DID, name: OTHER}, DID), name)
        self.assertTrue(names_another({"sub": f"{OTHER}@yna5xi/qX7d"}, DID))
        self.assertTrue(names_another({"sub": OTHER.upper()}, DID))

    def test_odd_id(self) -> None:
        """Where nothing but a robot can be meant, its id may look like anything."""
        self.assertTrue(names_another({"did": "E0009876500123450001"}, DID))
        self.assertFalse(names_another({"did": "odd"}, "odd"))

    def test_nobody(self) -> None:
        """Users, serial numbers, and what is no text say nothing about robots."""
        silent: list[dict[str, object]] = [
            {},
            {"u": "fuid_a1b2c3", "sub": "E0009876500123450001"},
            {"did": "", "sub": None, "u": 7, "c": [OTHER]},
            {"jti": OTHER},
        ]
        for claims in silent:
            self.assertFalse(names_another(claims, DID), claims)
