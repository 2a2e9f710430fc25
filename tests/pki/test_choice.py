"""Which certificate a client gets to see, in real handshakes in memory."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from OpenSSL import SSL
from service_identity.pyopenssl import verify_hostname
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.pki import pem
from bumper_tw.pki.certificates import covered, not_after
from bumper_tw.pki.contexts import (
    FALLBACK,
    KEPT,
    OWNERS,
    ServerContexts,
    SingleContexts,
)
from bumper_tw.pki.directory import Credentials
from bumper_tw.pki.leaves import Mint
from bumper_tw.pki.openssl import LEGACY, MODERN
from tests.pki.chosen import HOST, Chosen
from tests.pki.samples import DAY, NOW, foreign_leaf, new_authority, put, rsa_key
from tests.pki.test_contexts import Meeting, careless, strict
from tests.pki.test_leaves import NAME, LeafCase

CURVES = b"ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0"
RSA_ONLY = b"ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA:@SECLEVEL=0"


class ChoiceCase(LeafCase):
    """A box that listens."""

    most = 100

    def setUp(self) -> None:
        super().setUp()
        self.asked: list[str] = []
        self.allowance = 1000
        self.begin()

    def begin(self) -> None:
        """Listen with what the vault has."""
        self.singles = SingleContexts(self.vault, self.may_make, self.now)
        self.contexts = ServerContexts(self.vault.credentials, self.singles)

    def may_make(self, host: str) -> bool:
        """So many, and no more."""
        self.asked.append(host)
        return len(self.asked) <= self.allowance

    def now(self) -> datetime:
        """The clock of the box."""
        return self.box.time

    def shown(self, asked: str) -> str:
        """What the journal calls it."""
        return self.contexts.chooser().choose(asked, HOST).shown

    def meet(self, client: SSL.Context, asked: str = NAME, legacy: bool = False) -> Meeting:
        """Shake hands with what is chosen for a name."""
        chosen = Chosen(self.contexts.chooser(legacy), asked)
        meeting = Meeting(chosen, client)
        meeting.shake(asked.encode())
        return meeting

    def peer(
        self, client: SSL.Context, asked: str = NAME, legacy: bool = False
    ) -> x509.Certificate:
        """The certificate that a client is shown."""
        found = self.meet(client, asked, legacy).client.get_peer_certificate()
        assert found is not None
        return found.to_cryptography()


class KindTests(ChoiceCase):
    """RSA or elliptic curves, as the hello allows."""

    def kinds(self, client: SSL.Context, legacy: bool = False) -> set[type]:
        """What is shown by a name and without one."""
        keys = [self.peer(client, asked, legacy).public_key() for asked in (NAME, "")]
        return {
            known
            for known in (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)
            for key in keys
            if isinstance(key, known)
        }

    def test_curves_only(self) -> None:
        """A client without RSA suites is served."""
        client = careless(SSL.TLS1_2_VERSION, CURVES)
        self.assertEqual(self.kinds(client), {ec.EllipticCurvePublicKey})

    def test_rsa_only(self) -> None:
        """A client without curves is served."""
        client = careless(SSL.TLS1_2_VERSION, RSA_ONLY)
        self.assertEqual(self.kinds(client), {rsa.RSAPublicKey})
        plain = careless(SSL.TLS1_2_VERSION, b"AES128-SHA:@SECLEVEL=0")
        self.assertEqual(self.kinds(plain), {rsa.RSAPublicKey})

    def test_either(self) -> None:
        """Who can do both gets curves, which cost us less, in TLS 1.2 and 1.3."""
        for version in (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION):
            self.assertEqual(self.kinds(careless(version)), {ec.EllipticCurvePublicKey})

    def test_signatures(self) -> None:
        """In TLS 1.3 the signatures that the client can verify decide."""
        for algorithms, kind in (
            ("rsa_pss_rsae_sha256", rsa.RSAPublicKey),
            ("ecdsa_secp256r1_sha256:rsa_pkcs1_sha256", ec.EllipticCurvePublicKey),
        ):
            client = careless(SSL.TLS1_3_VERSION)
            set_signatures(self, client, algorithms)
            self.assertEqual(self.kinds(client), {kind})

    def test_oldest(self) -> None:
        """A robot with TLS 1.0 and RSA gets in at a legacy listener."""
        client = careless(SSL.TLS1_VERSION, b"AES128-SHA:@SECLEVEL=0")
        self.assertEqual(self.kinds(client, legacy=True), {rsa.RSAPublicKey})

    def test_both_chains(self) -> None:
        """Both come with the authority, and satisfy a strict client."""
        for ciphers in (CURVES, RSA_ONLY):
            client = strict(self.root)
            client.set_cipher_list(ciphers)
            client.set_max_proto_version(SSL.TLS1_2_VERSION)
            meeting = self.meet(client)
            chain = meeting.client.get_peer_cert_chain()
            assert chain is not None
            self.assertEqual(len(chain), 2)
            verify_hostname(meeting.client, NAME)


def set_signatures(case: SynchronousTestCase, client: SSL.Context, algorithms: str) -> None:
    """What pyOpenSSL has no word for, where the library below can be asked."""
    library: Any = getattr(SSL, "_lib", None)
    context: Any = getattr(client, "_context", None)
    if not hasattr(library, "SSL_CTX_set1_sigalgs_list"):
        case.skipTest("this cryptography has no word for signature algorithms")
    case.assertEqual(library.SSL_CTX_set1_sigalgs_list(context, algorithms.encode()), 1)


class ChoiceTests(ChoiceCase):
    """By the name that is asked for."""

    def test_by_name(self) -> None:
        """A name of ours gets its own, any other the one for all."""
        self.assertEqual(self.shown(NAME), NAME)
        self.assertEqual(self.shown("Dusty.LAN."), "dusty.lan")
        for odd in (
            "",
            "example.org",
            "192.168.7.2",
            "a" * 300,
            "..",
            "\0",
            "\u20ac",
            "*.ecouser.net",
        ):
            self.assertEqual(self.shown(odd), FALLBACK, odd)
        self.assertEqual(covered(self.peer(strict(self.root))).names, {NAME})
        self.assertIn("*.ecouser.net", covered(self.peer(strict(self.root), "")).names)

    def test_long(self) -> None:
        """A name too long for a subject gets its own, which strict clients take all the same."""
        long = f"{'x' * 60}.{'y' * 60}.ww.ecouser.net"
        self.assertEqual(self.shown(long), long)
        for ciphers in (CURVES, RSA_ONLY):
            client = strict(self.root)
            client.set_cipher_list(ciphers)
            client.set_max_proto_version(SSL.TLS1_2_VERSION)
            meeting = self.meet(client, long)
            verify_hostname(meeting.client, long)
        self.assertEqual(len(self.asked), 1)

    def test_owners(self) -> None:
        """An owner's own is called so, and stands for what it covers."""
        leaf, key = foreign_leaf(NOW, new_authority())
        put(self.directory, "bumper.crt", pem.text(leaf))
        put(self.directory, "bumper.key", pem.key_text(key))
        self.assertTrue(self.vault.renew_if_due(NOW))
        for asked in ("", "portal-ww.ecouser.net", "example.org"):
            self.assertEqual(self.shown(asked), OWNERS)
            self.assertEqual(self.peer(careless(SSL.TLS1_2_VERSION), asked), leaf)
        self.assertEqual(self.shown(NAME), NAME)

    def test_kept(self) -> None:
        """The same name gets the same context; each strictness has its own."""
        chooser = self.contexts.chooser()
        first = chooser.choose(NAME, HOST)
        self.assertIs(chooser.choose(NAME.upper(), HOST), first)
        self.assertIsNot(self.contexts.chooser(legacy=True).choose(NAME, HOST), first)
        self.assertIs(chooser.choose("", HOST), chooser.choose("example.org", HOST))
        self.assertEqual(self.asked, [HOST])

    def test_bounded(self) -> None:
        """So many contexts are kept, those in use among them."""
        chooser = self.contexts.chooser()
        first = chooser.choose(NAME, HOST)
        for number in range(KEPT + 10):
            chooser.choose(f"x{number}.ecouser.net", HOST)
            self.assertIs(chooser.choose(NAME, HOST), first)
        self.assertEqual(len(self.singles), KEPT)

    def test_few(self) -> None:
        """A small box keeps fewer; the least recently used one goes first."""
        singles = SingleContexts(self.vault, self.may_make, self.now, 2)
        chooser = ServerContexts(self.vault.credentials, singles).chooser()
        first, second = (chooser.choose(f"{name}.ecouser.net", HOST) for name in "ab")
        self.assertIs(chooser.choose("a.ecouser.net", HOST), first)
        chooser.choose("c.ecouser.net", HOST)
        self.assertEqual(len(singles), 2)
        self.assertIs(chooser.choose("a.ecouser.net", HOST), first)
        self.assertIsNot(chooser.choose("b.ecouser.net", HOST), second)

    def test_tickets(self) -> None:
        """A client that comes back to a name resumes its session."""
        context = careless(SSL.TLS1_2_VERSION)
        first = self.meet(context).client
        session = first.get_session()
        assert session is not None
        chosen = Chosen(self.contexts.chooser(), NAME)
        again = Meeting(chosen, context)
        again.client.set_session(session)
        again.shake(NAME.encode())
        self.assertEqual(again.client.master_key(), first.master_key())


class JunkTests(ChoiceCase):
    """Names that nobody needs."""

    def test_not_allowed(self) -> None:
        """Beyond what may be made, the one for all is shown; whoever has one keeps it."""
        self.allowance = 3
        for number in range(100):
            self.shown(f"x{number}.ww.ecouser.net")
        self.assertEqual(self.shown("x2.ww.ecouser.net"), "x2.ww.ecouser.net")
        self.assertEqual(self.shown("x3.ww.ecouser.net"), FALLBACK)
        self.assertEqual(len(self.box.singles()), 3)

    def test_who_pays(self) -> None:
        """It is asked for the address of the client, and only for names of ours."""
        self.shown("example.org")
        self.assertEqual(self.asked, [])
        self.shown(NAME)
        self.assertEqual(self.asked, [HOST])


class FreshTests(ChoiceCase):
    """What is shown holds, whatever happens."""

    def test_renewed(self) -> None:
        """After three years without a reload, both are fresh."""
        first = self.peer(careless(SSL.TLS1_2_VERSION))
        self.box.time = NOW + 1100 * DAY
        client = strict(self.root, self.box.time)
        for asked in (NAME, ""):
            self.assertGreater(not_after(self.peer(client, asked)), self.box.time)
        self.assertNotEqual(self.peer(client), first)
        self.assertIs(*[self.contexts.chooser().choose(NAME, HOST) for _ in range(2)])

    def test_other_authority(self) -> None:
        """Once an exchanged authority is taken up, all is shown under that."""
        self.meet(strict(self.root))
        other = new_authority(rsa_key(2))
        self.put_authority(other)
        self.vault.renew_if_due(NOW)
        self.contexts.reload()
        for asked in (NAME, "", "dusty"):
            for legacy in (False, True):
                self.meet(strict(other), asked, legacy)

    def test_end_of_the_authority(self) -> None:
        """Close to it, contexts are still kept."""
        end = not_after(self.root.certificate)
        self.box.time = end - 10 * DAY
        chooser = self.contexts.chooser()
        chooser.choose(NAME, HOST)
        self.box.time = end - DAY
        self.assertIs(chooser.choose(NAME, HOST), chooser.choose(NAME, HOST))

    def test_refused_by_openssl(self) -> None:
        """What OpenSSL does not take is not shown, and nobody fails for that."""
        mint = Mint(self.root, (rsa_key(1),))
        good = mint.make(NAME, NOW)
        wrong = Misfits(Credentials(good.chain, rsa_key(2)))
        singles = SingleContexts(wrong, self.may_make, self.now)
        shown = [good]
        chooser = ServerContexts(lambda: shown[0], singles).chooser()
        self.assertEqual(chooser.choose(NAME, HOST).shown, FALLBACK)
        before = chooser.choose("", HOST)
        shown[0] = wrong.found
        self.assertIs(chooser.choose("", HOST), before)


class Misfits:
    """Certificates without the right key."""

    def __init__(self, found: Credentials) -> None:
        self.found = found

    def era(self) -> object:
        """Always the same."""
        return self

    def single(self, asked: str, may_make: object) -> Credentials | None:
        """What does not fit."""
        del asked, may_make
        return self.found

    def used(self, name: str) -> None:
        """Nobody does."""


class AlpnTests(ChoiceCase):
    """What may be spoken inside."""

    def agreed(self, offered: Sequence[bytes], asked: str = NAME) -> bytes:
        """What a client hears; nothing if it goes on without."""
        client = careless(SSL.TLS1_2_VERSION)
        client.set_alpn_protos(list(offered))
        meeting = self.meet(client, asked)
        self.assertEqual(meeting.echo(b"hello"), b"hello")
        return meeting.client.get_alpn_proto_negotiated()

    def test_ours(self) -> None:
        """Each of ours is confirmed, the first that the client names."""
        for protocol in (b"http/1.1", b"mqtt", b"xmpp-client"):
            for asked in (NAME, ""):
                self.assertEqual(self.agreed([b"h2", protocol], asked), protocol)
        self.assertEqual(self.agreed([b"mqtt", b"http/1.1"]), b"mqtt")

    def test_others(self) -> None:
        """Who offers only others gets in all the same, and so does who offers nothing."""
        self.assertEqual(self.agreed([b"h2", b"x-amzn-mqtt-ca"]), b"")
        self.assertEqual(self.meet(careless(SSL.TLS1_3_VERSION)).echo(b"hello"), b"hello")


class StrictnessTests(SynchronousTestCase):
    """Two kinds of listener."""

    def test_hashable(self) -> None:
        """Contexts are kept by it."""
        self.assertEqual(len({MODERN, LEGACY}), 2)
