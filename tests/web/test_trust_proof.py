"""Whether it worked: the button on the page at C{/ca}, and the proof that it asks for."""

import re

from bumper_tw.front.contact import contact_of
from bumper_tw.web.trust_page import WORDS
from tests.web.browser import request
from tests.web.trust_case import Outline, TrustCase


class ProofTests(TrustCase):
    """Whether it worked."""

    def asks(self, host: str = "box.lan:8007") -> str:
        """Where the button asks."""
        [proof] = [each for each in self.outline(host=host).all() if each.get("id") == "proof"]
        return proof["data-url"]

    def test_where(self) -> None:
        """The proof is asked for under the name that the page was, where HTTPS is."""
        self.assertEqual(self.asks(), "https://box.lan/ca/proof")
        self.assertEqual(self.asks("localhost"), "https://localhost/ca/proof")
        self.https = 8443
        self.assertEqual(self.asks(), "https://box.lan:8443/ca/proof")
        self.assertEqual(self.asks("[fd00::2]"), "https://[fd00::2]:8443/ca/proof")

    def test_moved(self) -> None:
        """Where the usual port leads to another one of ours, that of HTTPS is taken to do so."""
        self.https = 8443
        for host, local_port, proof in (
            ("box.lan", 8007, "https://box.lan/ca/proof"),
            ("box.lan:8007", 8007, "https://box.lan:8443/ca/proof"),
            ("box.lan", 80, "https://box.lan:8443/ca/proof"),
        ):
            connection = self.browser.connect()
            contact_of(connection.protocol).local_port = local_port
            connection.send(request("GET", "/ca", host=host))
            [page] = connection.received()
            self.assertIn(f'data-url="{proof}"'.encode(), page.body)

    def test_address_in_policy(self) -> None:
        """An IPv6 address cannot stand in a policy; then the scheme has to do."""
        page = self.browser.get("/ca", host="[fd00::2]")
        self.assertTrue(page.headers["content-security-policy"].endswith("connect-src https:"))

    def test_nowhere(self) -> None:
        """Without HTTPS there is no button, and the page says why."""
        self.https = None
        page = self.browser.get("/ca")
        self.assertEqual(Outline(page.body).all("button"), [])
        self.assertIn(b"does not listen for HTTPS", page.body)
        self.assertTrue(page.headers["content-security-policy"].endswith("connect-src 'none'"))

    def test_words(self) -> None:
        """What the button says stands in the page, and the script knows no other kinds."""
        [proof] = [each for each in self.outline().all() if each.get("id") == "proof"]
        said = {name.removeprefix("data-"): text for name, text in proof.items()}
        self.assertEqual({kind: said[kind] for kind in WORDS}, WORDS)
        script = self.browser.get("/ca/page.js").body.decode()
        kinds = set(re.findall(r'"(wait|yes|no|late)"', script))
        self.assertEqual(kinds, set(WORDS))

    def test_encrypted_page(self) -> None:
        """A page that came encrypted has no button: a warning may have been clicked away."""
        page = self.over_tls("/ca")
        self.assertEqual(Outline(page.body).all("button"), [])
        self.assertIn(b"opened this page encrypted", page.body)

    def test_proved(self) -> None:
        """Who gets the proof encrypted is told so, and noted."""
        page = self.over_tls("/ca/proof?at=7")
        [section] = Outline(page.body).all("section")
        self.assertEqual(section["data-proof"], "yes")
        self.assertIn(b"It works", page.body)
        self.assertIn(b"box.lan", page.body)
        self.assertTrue(self.contact.trusts)

    def test_only_the_proof(self) -> None:
        """Any other page that goes out encrypted is no proof."""
        self.over_tls("/ca")
        self.assertFalse(self.contact.trusts)

    def test_unproved(self) -> None:
        """Who gets it in clear text is told that this proves nothing, and is not noted."""
        connection = self.browser.connect()
        connection.send(request("GET", "/ca/proof"))
        [page] = connection.received()
        [section] = Outline(page.body).all("section")
        self.assertEqual(section["data-proof"], "no")
        self.assertIn(b"This proves nothing", page.body)
        self.assertFalse(contact_of(connection.protocol).trusts)

    def test_who_may_read(self) -> None:
        """The script of our own page may read the proof, whatever its port; no other may."""
        named = "access-control-allow-origin"
        for origin, may in {
            "http://box.lan": True,
            "http://box.lan:8007": True,
            "https://BOX.lan": True,
            "http://example.org": False,
            "http://box.lan.example.org": False,
            "http://box.lan@example.org": False,
            "ftp://box.lan": False,
            "null": False,
            "": False,
        }.items():
            headers = self.over_tls("/ca/proof", headers=(("Origin", origin),)).headers
            self.assertEqual(headers.get(named), origin if may else None, origin)
            self.assertEqual(headers["vary"], "Origin")
        plain = self.browser.get("/ca/proof", headers=(("Origin", "http://box.lan"),))
        self.assertNotIn(named, plain.headers)

    def test_called_by_address(self) -> None:
        """It works for a box without a name."""
        origin = (("Origin", "http://[fd00::2]:8007"),)
        page = self.over_tls("/ca/proof", "[fd00::2]", origin)
        self.assertEqual(page.headers["access-control-allow-origin"], "http://[fd00::2]:8007")
