"""The authority as it is handed out."""

import hashlib
import plistlib
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID, ObjectIdentifier
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.pki import handout
from tests.pki.samples import DAY, NOW, ec_key, new_authority


def called(
    name: str, what: ObjectIdentifier = NameOID.COMMON_NAME, *more: x509.ExtensionType
) -> x509.Certificate:
    """
    An authority that its owner has made.

    @param what: the kind of its name.
    @param more: what else is in it.
    """
    key, subject = ec_key(), x509.Name([x509.NameAttribute(what, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW)
        .not_valid_after(NOW + DAY)
    )
    for each in more:
        made = made.add_extension(each, critical=True)
    return made.sign(key, SHA256())


class HandoutTests(SynchronousTestCase):
    """Each form is the same certificate."""

    def setUp(self) -> None:
        self.ca = new_authority().certificate

    def test_der(self) -> None:
        """The binary form can be read again."""
        self.assertEqual(x509.load_der_x509_certificate(handout.der(self.ca)), self.ca)

    def test_name(self) -> None:
        """It is called as systems call it; without a common name by all its subject."""
        self.assertRegex(handout.name(self.ca), r"\Abumper_tw CA [0-9a-f]{8}\Z")
        self.assertEqual(handout.name(called("Somebody", NameOID.ORGANIZATION_NAME)), "O=Somebody")

    def test_control_characters(self) -> None:
        """An owner's own authority with a name that XML cannot have is handed out all the same."""
        odd = called("Dusty\x00\x1b\nCA")
        self.assertEqual(handout.name(odd), "Dusty???CA")
        profile = plistlib.loads(handout.mobileconfig(odd, "box\x07"))
        self.assertIn("box?", profile["PayloadDescription"])

    def test_fingerprint(self) -> None:
        """It is the SHA-256 of the binary form: eight groups of four bytes."""
        found = handout.fingerprint(self.ca)
        self.assertRegex(
            found, r"\A([0-9A-F]{2}(:[0-9A-F]{2}){3})( [0-9A-F]{2}(:[0-9A-F]{2}){3}){7}\Z"
        )
        digits = found.replace(" ", "").replace(":", "").lower()
        self.assertEqual(digits, hashlib.sha256(handout.der(self.ca)).hexdigest())

    def test_profile(self) -> None:
        """A profile has one payload: a root, which is the certificate."""
        profile = plistlib.loads(handout.mobileconfig(self.ca, "box.lan"))
        self.assertEqual((profile["PayloadType"], profile["PayloadVersion"]), ("Configuration", 1))
        self.assertIn("box.lan", profile["PayloadDescription"])
        [root] = profile["PayloadContent"]
        self.assertEqual(
            (root["PayloadType"], root["PayloadVersion"]), ("com.apple.security.root", 1)
        )
        self.assertEqual(root["PayloadContent"], handout.der(self.ca))
        self.assertNotEqual(profile["PayloadUUID"], root["PayloadUUID"])
        for payload in (profile, root):
            self.assertEqual(str(UUID(payload["PayloadUUID"])).upper(), payload["PayloadUUID"])

    def test_replaced(self) -> None:
        """
        The same authority replaces its profile, from whatever address it was loaded; another one
        does not.
        """
        first, again = (self.known_by(self.ca, host) for host in ("box.lan", "192.168.7.2"))
        self.assertEqual(first, again)
        other = self.known_by(new_authority().certificate, "box.lan")
        self.assertEqual(set(first) & set(other), set())

    def known_by(self, ca: x509.Certificate, host: str) -> list[str]:
        """What a phone tells its profiles and their payloads by."""
        profile = plistlib.loads(handout.mobileconfig(ca, host))
        payloads = (profile, *profile["PayloadContent"])
        return [payload[f"Payload{key}"] for payload in payloads for key in ("Identifier", "UUID")]

    def test_text(self) -> None:
        """What the box is called stays text."""
        hostile = '</string><key>PayloadType</key>&amp;"'
        profile = plistlib.loads(handout.mobileconfig(self.ca, hostile))
        self.assertIn(hostile, profile["PayloadDescription"])
        self.assertEqual(profile["PayloadType"], "Configuration")
