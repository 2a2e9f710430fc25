"""What somebody puts into SASL PLAIN."""

import base64

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect.logins import IDENTITY, RESOURCE, XmppCredentials
from bumper_tw.dialect.sasl import MAX_MESSAGE, SaslFailure, plain_credentials

SN = "E0009876500123450001"
ROBOTS = "126.ecorobot.net"
USERS = "ecouser.net"
UID = "fuid_a1b2c3"
PEER = "192.0.2.7"

#: The examples of xmpp.md 4: domain, what is on the wire, who that is.
VECTORS = {
    "robot": (
        ROBOTS,
        "AEUwMDA5ODc2NTAwMTIzNDUwMDAxAGs3UXAyeFo5",
        XmppCredentials(ROBOTS, SN, "k7Qp2xZ9", "", PEER),
    ),
    "app": (
        USERS,
        "AGZ1aWRfYTFiMmMzADAvR0xCYTkxZjAzYzJkL3VzXzBmMWUyZDNjNGI1YTY5Nzg4Nzk2YTViNGMzZDJlMWYw",
        XmppCredentials(USERS, UID, "us_0f1e2d3c4b5a69788796a5b4c3d2e1f0", "GLBa91f03c2d", PEER),
    ),
    "sucks": (
        USERS,
        "ZnVpZF9hMWIyYzMAZnVpZF9hMWIyYzMAMC9zazdkMWYwMi85YWI4YzdkNg==",
        XmppCredentials(USERS, UID, "9ab8c7d6", "sk7d1f02", PEER),
    ),
    "ecovacs-deebot.js": (
        USERS,
        "ZnVpZF9hMWIyYzNAZWNvdXNlci5uZXQAZnVpZF9hMWIyYzMAMC9lajQ0YWEwMS85YWI4YzdkNg==",
        XmppCredentials(USERS, UID, "9ab8c7d6", "ej44aa01", PEER),
    ),
    "openHAB": (
        USERS,
        "AGZ1aWRfYTFiMmMzADAvanYxOWMwZGUvOWFiOGM3ZDY=",
        XmppCredentials(USERS, UID, "9ab8c7d6", "jv19c0de", PEER),
    ),
}


def message(*parts: str) -> str:
    """Parts on their way."""
    return base64.b64encode("\0".join(parts).encode()).decode()


class Case(SynchronousTestCase):
    """Reads credentials, or does not."""

    def read(self, *parts: str, domain: str = USERS) -> XmppCredentials:
        """Can be read."""
        return plain_credentials(message(*parts), domain, PEER)

    def condition(self, text: str, domain: str = USERS) -> str:
        """Cannot; what that is called."""
        wrong = self.assertRaises(SaslFailure, plain_credentials, text, domain, PEER)
        assert isinstance(wrong, SaslFailure)
        return wrong.condition


class WireTests(Case):
    """What known clients send."""

    def test_vectors(self) -> None:
        """Every example of the reference is read as it says."""
        for name, (domain, text, credentials) in VECTORS.items():
            self.assertEqual(plain_credentials(text, domain, PEER), credentials, name)

    def test_secret(self) -> None:
        """Neither password nor token is printed."""
        for _, (domain, text, credentials) in VECTORS.items():
            self.assertNotIn(credentials.password, repr(plain_credentials(text, domain, PEER)))

    def test_without_domain(self) -> None:
        """Who named no domain is a user; case does not matter in one that was named."""
        self.assertEqual(self.read("", UID, "0/r/t", domain="").password, "t")
        self.assertEqual(self.read("", UID, "0/r/t", domain="EcoUser.NET").password, "t")
        robot = self.read("", SN, "0/r/t", domain="126.ECOROBOT.net")
        self.assertEqual(robot.password, "0/r/t")

    def test_services_are_no_robots(self) -> None:
        """The domains of services and look-alikes make nobody a robot."""
        for domain in (
            "rl.ecorobot.net",
            "de.ecorobot.net",
            "126.ecorobot.net.org",
            "ecorobot.net",
        ):
            self.assertEqual(self.read("", UID, "0/r/t", domain=domain).resource, "r", domain)


class EncodingTests(Case):
    """Base64, UTF-8, and three parts."""

    def test_blanks(self) -> None:
        """Base64 may be broken into lines, and indented."""
        for domain, text, credentials in VECTORS.values():
            broken = "\r\n\t ".join(("", text[:7], text[7:30], text[30:], ""))
            self.assertEqual(plain_credentials(broken, domain, PEER), credentials)

    def test_bad_base64(self) -> None:
        """What is no Base64 is said to be that."""
        for text in (
            "!",
            "AGE",
            "AGEA=",
            "AG-_",
            "==",
            "===",
            "=AGE",
            "AGEAYg==AGEA",
            "\u00e4",
            "a",
        ):
            self.assertEqual(self.condition(text), "incorrect-encoding", text)

    def test_empty(self) -> None:
        """An equals sign is an empty message, which has no name in it; so is nothing."""
        for text in ("=", " =\n", "", "  "):
            self.assertEqual(self.condition(text), "malformed-request", text)

    def test_bad_utf8(self) -> None:
        """What is no UTF-8 is malformed, wherever that is."""
        for raw in (b"\0a\0\xff", b"\xc3\0a\0b", b"\0a\0\xed\xa0\x80"):
            text = base64.b64encode(raw).decode()
            self.assertEqual(self.condition(text), "malformed-request", text)

    def test_parts(self) -> None:
        """There are three parts, whatever the domain."""
        for parts in ((UID,), (UID, "t"), ("", UID, "0/r/t", ""), ("", UID, "a", "b", "c")):
            for domain in (USERS, ROBOTS, ""):
                self.assertEqual(self.condition(message(*parts), domain), "malformed-request")

    def test_without_name(self) -> None:
        """One of them is the name."""
        self.assertEqual(self.condition(message("", "", "0/r/t")), "malformed-request")
        self.assertEqual(self.condition(message(UID, "", "0/r/t")), "malformed-request")
        self.assertEqual(self.condition(message("", "", "x"), ROBOTS), "malformed-request")

    def test_length(self) -> None:
        """A message may be long, not longer, and stays cheap."""
        longest = "t" * (MAX_MESSAGE - len(UID) - 2)
        self.assertEqual(self.read("", UID, longest).password, longest)
        self.assertEqual(self.condition(message("", UID, longest + "t")), "malformed-request")
        self.assertEqual(self.condition(message("", "x" * 9_000_000)), "malformed-request")

    @given(st.text(max_size=200))
    def test_any_text(self, text: str) -> None:
        """Whatever is sent is somebody, or a failure with a condition."""
        try:
            plain_credentials(text, USERS, PEER)
        except SaslFailure as wrong:
            self.assertIn(wrong.condition, {"incorrect-encoding", "malformed-request"})

    @given(st.binary(max_size=200), st.sampled_from([USERS, ROBOTS, ""]))
    def test_any_message(self, raw: bytes, domain: str) -> None:
        """The same for any message; a name that is read is fit for an address."""
        text = base64.b64encode(raw).decode()
        try:
            who = plain_credentials(text, domain, PEER)
        except SaslFailure as wrong:
            self.assertIn(
                wrong.condition, {"malformed-request", "invalid-authzid", "not-authorized"}
            )
        else:
            self.assertRegex(who.name, IDENTITY)


class NameTests(Case):
    """Who it is, and for whom he wants to act."""

    def test_unfit_names(self) -> None:
        """A name that would be something else in an address, a topic or a log is nobody's."""
        for name in ("a b", "a@b", "a/b", "+", "#", "a\nb", "\u202ea", "\u00e4", "x" * 129, "<a>"):
            for domain in (USERS, ROBOTS):
                self.assertEqual(self.condition(message("", name, "x"), domain), "not-authorized")

    def test_for_himself(self) -> None:
        """To act for oneself is fine however one is spelt."""
        for authzid in ("", UID, UID.upper(), f"{UID}@ecouser.net", f"{UID}@EcoUser.net".upper()):
            for domain in (USERS, ""):
                self.assertEqual(self.read(authzid, UID, "0/r/t", domain=domain).name, UID)

    def test_robot_for_itself(self) -> None:
        """A robot may say its address, too."""
        for authzid in ("", SN, SN.lower(), f"{SN}@{ROBOTS}", f"{SN}@{ROBOTS}".lower()):
            self.assertEqual(self.read(authzid, SN, "x", domain=ROBOTS).name, SN)

    def test_for_another(self) -> None:
        """Nobody acts for another, not for one whose name is longer or shorter either."""
        for authzid in ("x", f"{UID}4", UID[:-1], f"{UID}@ecouser.org", f"{UID}@ecouser.net/r",
                        f"{UID}@{ROBOTS}", "@ecouser.net", "ecouser.net", f" {UID}"):  # fmt: skip
            self.assertEqual(self.condition(message(authzid, UID, "0/r/t")), "invalid-authzid")

    def test_robot_for_another(self) -> None:
        """A robot is in its own class."""
        for authzid in (f"{SN}@ecouser.net", f"{SN}@155.ecorobot.net", f"{SN}@{ROBOTS}/atom", UID):
            text = message(authzid, SN, "x")
            self.assertEqual(self.condition(text, ROBOTS), "invalid-authzid", authzid)


class PasswordTests(Case):
    """What stands in front of a token."""

    def test_slashes_in_a_token(self) -> None:
        """A token keeps its slashes."""
        who = self.read("", UID, "0/sk7d1f02/9a/b8//c7/")
        self.assertEqual((who.resource, who.password), ("sk7d1f02", "9a/b8//c7/"))

    def test_any_digit(self) -> None:
        """The kind of client is any digit, and one."""
        for kind in "0123456789":
            self.assertEqual(self.read("", UID, f"{kind}/r/t").password, "t")
        for kind in ("", "00", "a", "\u0663", "-1"):
            who = self.read("", UID, f"{kind}/r/t")
            self.assertEqual((who.resource, who.password), ("", f"{kind}/r/t"))

    def test_token_alone(self) -> None:
        """Without all three parts, everything is the token."""
        for token in ("9ab8c7d6", "", "0", "0/", "0/9ab8c7d6", "r/9ab8c7d6", "/"):
            who = self.read("", UID, token)
            self.assertEqual((who.resource, who.password), ("", token))

    def test_lines_in_a_token(self) -> None:
        """A token is taken as it is, with line feeds and all."""
        self.assertEqual(self.read("", UID, "0/r/a\nb\n").password, "a\nb\n")

    def test_unfit_resource(self) -> None:
        """A resource that is unfit to be one counts as none; the token counts."""
        for resource in ("", "a b", "a\nb", "\x1b[2J", "r\n", "x" * 65, "<r>", "\u202e"):
            who = self.read("", UID, f"0/{resource}/t")
            self.assertEqual((who.resource, who.password), ("", "t"), resource)

    def test_robot(self) -> None:
        """A robot's secret is opaque."""
        for secret in ("0/atom/x", "k7Qp2xZ9", "", "a/b", "\u00fc \n"):
            who = self.read("", SN, secret, domain=ROBOTS)
            self.assertEqual((who.resource, who.password), ("", secret))

    @given(
        st.from_regex(RESOURCE, fullmatch=True), st.text().filter(lambda text: "\0" not in text)
    )
    def test_any_token(self, resource: str, token: str) -> None:
        """Whatever the token, it is read back."""
        if len(token.encode()) > 3000:
            token = token[:500]
        who = self.read("", UID, f"0/{resource}/{token}")
        self.assertEqual((who.resource, who.password), (resource, token))
