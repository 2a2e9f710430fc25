"""Client ids, user names, passwords: what the parties say who they are."""

import base64
import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect.logins import (
    IDENTITY,
    MAX_KEYS,
    RESOURCE,
    ClientId,
    IdKind,
    MqttCredentials,
    PasswordCredentials,
    TokenCredentials,
    UserName,
    is_md5,
    is_opaque,
    keys_of,
    parse_client_id,
    parse_username,
    serial,
)

ROBOT = "7c1f0a52-93be-4d0e-8a44-1b6de2f09c35"
SN = "E0009876500123450001"
VERSIONS = "eyJmdiI6IjEuNC4yIiwid3YiOiJ2Mi4zLjAifQ=="
SESSION = "eyJhcHAiOiJ1c2VyIiwic3QiOjEwfQ=="

#: Client ids and what they are (mqtt.md 2.1, 2.2).
CLIENT_IDS = {
    f"{ROBOT}@yna5xi/qX7d": IdKind.ROBOT,
    "1234567890@123/a": IdKind.ROBOT,
    "fuid_a1b2c3@ecouser/GLBa91f03c2d": IdKind.USER,
    "fuid_a1b2c3@ecouser.net/x": IdKind.USER,
    "fuid_a1b2c3@USER/HA-home": IdKind.USER,
    "fuid_a1b2c3@user/x": IdKind.USER,
    "helperbot@bumper/helperbot": IdKind.HELPER,
    "helperbot@bumper/other": IdKind.RESERVED,
    "anybody@BUMPER/x": IdKind.RESERVED,
    "HelperMQClientId-x-sts-ngiot-mqsjmq-1@ecosys/1234": IdKind.RESERVED,
    "dashboard": IdKind.UNSTRUCTURED,
    "a@b": IdKind.UNSTRUCTURED,
    "a/b": IdKind.UNSTRUCTURED,
    "@yna5xi/qX7d": IdKind.UNSTRUCTURED,
    "did@/qX7d": IdKind.UNSTRUCTURED,
    "did@yna5xi/": IdKind.UNSTRUCTURED,
    "": IdKind.MALFORMED,
    "x" * 257: IdKind.MALFORMED,
    "a\nb": IdKind.MALFORMED,
    "did@Yna5xi/qX7d": IdKind.MALFORMED,
    "did@y/qX7d": IdKind.MALFORMED,
    "did@abcdefghijklm/qX7d": IdKind.MALFORMED,
    "did@yna5xi/qX7d/more": IdKind.MALFORMED,
    "+@yna5xi/qX7d": IdKind.MALFORMED,
    "did@yna5xi/#": IdKind.MALFORMED,
    "did@did@yna5xi/q": IdKind.MALFORMED,
    "fuid_a1b2c3@ecouser/a+b": IdKind.MALFORMED,
    "did@yna5xi/qX7d\n": IdKind.MALFORMED,
    f"{'d' * 129}@yna5xi/qX7d": IdKind.MALFORMED,
    f"did@yna5xi/{'r' * 65}": IdKind.MALFORMED,
    "d\u00efd@yna5xi/qX7d": IdKind.MALFORMED,
}


def username(*blocks: str) -> str:
    """A user name of a robot with metadata."""
    return "`".join([SN, *blocks])


class ClientIdTests(SynchronousTestCase):
    """Every client id is of one kind."""

    def test_kinds(self) -> None:
        """The ordered rule of mqtt.md 2.2 sorts each example."""
        found = {text: parse_client_id(text).kind for text in CLIENT_IDS}
        self.assertEqual(found, CLIENT_IDS)

    def test_parts(self) -> None:
        """A structured id comes apart at its first at-sign and slash, spelt as it was."""
        self.assertEqual(
            parse_client_id("fuid_a@USER/HA-home"),
            ClientId(IdKind.USER, "fuid_a", "USER", "HA-home"),
        )

    def test_no_parts(self) -> None:
        """Nothing of an id that cannot be trusted gets any further."""
        for text in ("did@yna5xi/#", "dashboard"):
            found = parse_client_id(text)
            self.assertEqual((found.identity, found.domain, found.resource), ("", "", ""))

    @given(st.text(max_size=300))
    def test_any_text(self, text: str) -> None:
        """Any text has a kind, and what may become a topic level is fit for one."""
        found = parse_client_id(text)
        if found.kind in {IdKind.ROBOT, IdKind.USER}:
            self.assertIsNotNone(IDENTITY.fullmatch(found.identity))
            self.assertIsNotNone(RESOURCE.fullmatch(found.resource))
            self.assertEqual(f"{found.identity}@{found.domain}/{found.resource}", text)


class UserNameTests(SynchronousTestCase):
    """User names with and without metadata (mqtt.md 3.2)."""

    def test_worked_example(self) -> None:
        """The example of the reference comes apart as it says."""
        expected = UserName(SN, "1.4.2", "v2.3.0", {"app": "user", "st": 10})
        self.assertEqual(parse_username(username(VERSIONS, SESSION)), expected)

    def test_plain(self) -> None:
        """Without metadata there is a name only, up to its at-sign."""
        self.assertEqual(parse_username(SN), UserName(SN))
        self.assertEqual(parse_username("fuid_a@ecouser"), UserName("fuid_a"))
        self.assertEqual(parse_username(f"{SN}`{VERSIONS}"), UserName(SN))

    def test_realm_and_metadata(self) -> None:
        """The at-sign is looked for in front of the metadata only."""
        self.assertEqual(parse_username(f"{SN}@x`{VERSIONS}`{SESSION}`more").firmware, "1.4.2")

    def test_line_feeds(self) -> None:
        """Line feeds in the Base64 do not matter, nor does missing padding."""
        broken = VERSIONS[:10] + "\r\n" + VERSIONS[10:].rstrip("=")
        self.assertEqual(parse_username(username(broken, SESSION)).firmware, "1.4.2")

    def test_unreadable_metadata(self) -> None:
        """Metadata that cannot be read is left out, and the name stays."""
        deep = base64.b64encode(b"[" * 700).decode()
        wrong = ["", "!", "\u00e4", "/w==", base64.b64encode(b"[1]").decode(), deep, "A" * 5000]
        for block in wrong:
            self.assertEqual(parse_username(username(block, block)), UserName(SN))

    def test_odd_versions(self) -> None:
        """A version is a short printable text or nothing."""
        for odd in (7, None, ["1"], "a\nb"):
            block = base64.b64encode(json.dumps({"fv": odd}).encode()).decode()
            self.assertEqual(parse_username(username(block, SESSION)).firmware, "")

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """Any text is a user name."""
        self.assertNotIn("`", parse_username(text).name)

    def test_serial(self) -> None:
        """What is no serial number is none: it would be shown and stored."""
        self.assertEqual(serial(username(VERSIONS, SESSION)), SN)
        self.assertEqual(serial(f"{SN}@somewhere"), SN)
        for text in (None, "", "@", "a b", "<b>", "x" * 65, f"{SN}\n"):
            self.assertEqual(serial(text), "")


class KeyTests(SynchronousTestCase):
    """What a robot may show the key it was paired with in."""

    def keys(self, session: object, password: bytes | None = b"secret12") -> tuple[str, ...]:
        """What may be one."""
        block = base64.b64encode(json.dumps(session).encode()).decode()
        return keys_of(f"{SN}`e30=`{block}", password)

    def test_block(self) -> None:
        """The texts of the second block are; but not what is known to be something else."""
        session = {"app": "user", "st": 10, "sc": "8f3a61c2", "x": {"y": "z"}, "n": 7}
        self.assertEqual(self.keys(session), ("8f3a61c2", "secret12"))

    def test_password(self) -> None:
        """The password may be it; of bytes that are no text nothing is left."""
        self.assertEqual(keys_of(SN, b"secret12"), ("secret12",))
        self.assertEqual(keys_of(None, None), ("",))
        self.assertEqual(keys_of(SN, b"\xff"), ("\ufffd",))

    def test_many(self) -> None:
        """However many there are, few are looked at."""
        session = {f"k{number}": "text" for number in range(50)}
        self.assertEqual(len(self.keys(session)), MAX_KEYS + 1)


class CredentialTests(SynchronousTestCase):
    """Credentials are records that keep their secrets."""

    def test_secrets_are_not_shown(self) -> None:
        """No secret is in the text of a record: it may be logged."""
        for record in (
            MqttCredentials("id", "name", b"hush"),
            TokenCredentials("hush"),
            PasswordCredentials("anna", "hush", "", "hush"),
        ):
            self.assertNotIn("hush", repr(record))

    def test_opaque_accounts(self) -> None:
        """One RSA block of 1024 bits is no account, even with its plus signs gone."""
        block = base64.b64encode(b"\xfb" * 128).decode()
        self.assertTrue(is_opaque(block))
        self.assertTrue(is_opaque(block.replace("+", " ")))
        others = ["", "anna@example.org", "bumper", base64.b64encode(bytes(127)).decode()]
        self.assertFalse(any(map(is_opaque, others)))

    def test_md5(self) -> None:
        """A password has 32 hexadecimal digits in lower case."""
        self.assertTrue(is_md5("0" * 32))
        self.assertFalse(any(map(is_md5, ["", "0" * 31, "0" * 33, "G" * 32, "0" * 32 + "\n"])))
