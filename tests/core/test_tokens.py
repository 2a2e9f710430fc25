"""Signed tokens, tickets, and the limit on being wrong."""

import base64
import json
from typing import Any

import jwt
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.tickets import LIFE, LIMIT, Tickets
from bumper_tw.core.tokens import Claims, JwtKind, Signer, digest
from bumper_tw.errors import LoginRefused
from tests.core.lodging import NOW, SECRET, countings

CLAIMS = Claims("uid", "session", "resource", "code")


def part(value: object) -> str:
    """One part of a JWT."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


class SignerTests(SynchronousTestCase):
    """JWTs of one algorithm."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.signer = Signer(SECRET, self.clock)

    def good(self) -> dict[str, Any]:
        """The claims of a good access token."""
        exp = int(NOW) + 10
        return {"t": "a", "iat": int(NOW), "exp": exp, "u": "u", "s": "s", "r": "r", "ac": "c"}

    def test_claims(self) -> None:
        """A token has the claims of http-auth.md 2.7, a real expiry, and no null."""
        text = self.signer.issue(JwtKind.ACCESS, CLAIMS, 1800)
        payload = text.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(payload + "=="))
        expected = {
            "t": "a",
            "iat": int(NOW),
            "exp": int(NOW) + 1800,
            "c": "uid",
            "u": "uid",
            "r": "resource",
            "ac": "code",
            "s": "session",
        }
        self.assertEqual(found, expected)

    def test_round_trip(self) -> None:
        """What was signed is read back, until it expires."""
        text = self.signer.issue(JwtKind.REFRESH, CLAIMS, 1800)
        self.assertEqual(self.signer.read(JwtKind.REFRESH, text), CLAIMS)
        self.clock.advance(1800)
        self.assertRaises(LoginRefused, self.signer.read, JwtKind.REFRESH, text)

    def test_kind(self) -> None:
        """A token of one kind does not open what another one opens."""
        text = self.signer.issue(JwtKind.REFRESH, CLAIMS, 1800)
        self.assertRaises(LoginRefused, self.signer.read, JwtKind.ACCESS, text)

    def test_control(self) -> None:
        """A control ticket carries what was asked for (http-auth.md 2.8)."""
        acl = [{"svc": "dim"}]
        text = self.signer.control(acl, "uid", "a session", 600)
        claims = self.signer.verify(JwtKind.CONTROL, text.removeprefix("SST."))
        self.assertEqual([claims["acl"], claims["sub"], claims["grant"]], [acl, "uid", "uid"])

    def test_forged(self) -> None:
        """No other key, no other algorithm, and none at all."""
        good = self.good()
        none = f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(good)}."
        other = jwt.encode(good, b"t" * 32, "HS256")
        stronger = jwt.encode(good, SECRET * 2, "HS512")
        own_hs384 = jwt.encode(good, SECRET * 2, "HS384")
        self.assertEqual(self.signer.verify(JwtKind.ACCESS, jwt.encode(good, SECRET))["u"], "u")
        for text in (none, other, stronger, own_hs384, other.rpartition(".")[0] + "."):
            self.assertRaises(LoginRefused, self.signer.verify, JwtKind.ACCESS, text)

    def test_incomplete(self) -> None:
        """Every claim is there and of its type, or nothing is believed."""
        odd: list[Any] = [None, [], {}, 1.5]
        for name in ("t", "exp", "u", "s", "r", "ac"):
            for value in odd:
                text = jwt.encode({**self.good(), name: value}, SECRET)
                self.assertRaises(LoginRefused, self.signer.read, JwtKind.ACCESS, text)
        for name in self.good():
            rest = {key: value for key, value in self.good().items() if key != name}
            text = jwt.encode(rest, SECRET)
            self.assertRaises(LoginRefused, self.signer.read, JwtKind.ACCESS, text)

    def test_secret(self) -> None:
        """A secret of another size is a mistake of whoever starts us."""
        for size in (0, 16, 33):
            self.assertRaises(ValueError, Signer, bytes(size), self.clock)

    def test_garbage(self) -> None:
        """Anything else is refused, whatever it is."""
        for text in ("", "..", "a.b.c", "\ud800.x.y", "x" * 40_000, ".".join(["A" * 9000] * 3)):
            self.assertRaises(LoginRefused, self.signer.read, JwtKind.ACCESS, text)

    @given(st.text(), st.text(), st.text())
    def test_any_text(self, head: str, payload: str, signature: str) -> None:
        """No text of three parts causes anything but a refusal."""
        signer, text = Signer(SECRET, Clock()), f"{head}.{payload}.{signature}"
        self.assertRaises(LoginRefused, signer.read, JwtKind.ACCESS, text)

    def test_digest(self) -> None:
        """Only the SHA-256 of a token is kept; any text has one."""
        self.assertEqual(digest("")[:16], "e3b0c44298fc1c14")
        self.assertEqual(len(digest("\ud800")), 64)


class TicketTests(SynchronousTestCase):
    """Tickets that are good for an hour."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.tickets = Tickets(self.clock, countings(), "T_")

    def test_read(self) -> None:
        """A ticket stands for what it was issued for, more than once."""
        text = self.tickets.issue("uid", "session")
        self.assertEqual(text, "T_" + "1".zfill(32))
        for _ in range(2):
            self.assertEqual(self.tickets.read(text).session, "session")

    def test_expiry(self) -> None:
        """After an hour it stands for nothing, and is dropped in time."""
        text = self.tickets.issue("uid", "session")
        self.clock.advance(LIFE)
        self.assertRaises(LoginRefused, self.tickets.read, text)
        self.tickets.issue("uid", "session")
        self.assertEqual(len(self.tickets), 1)

    def test_bounded(self) -> None:
        """The oldest makes room for the newest."""
        texts = [self.tickets.issue("uid", str(n)) for n in range(LIMIT + 1)]
        self.assertEqual(len(self.tickets), LIMIT)
        self.assertRaises(LoginRefused, self.tickets.read, texts[0])
        self.assertEqual(self.tickets.read(texts[-1]).session, str(LIMIT))
