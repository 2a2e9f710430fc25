"""
What a phone has to be told before it trusts us: the authority, in all its forms, with the steps
for each system; and a proof that it worked.

All of it is for everybody and over plain HTTP, because that is before there is trust.
"""

import re
from collections import OrderedDict
from collections.abc import Callable
from html import escape
from ipaddress import ip_address
from pathlib import Path
from time import monotonic
from typing import Protocol

from attrs import evolve, frozen
from cryptography import x509
from twisted.internet.defer import Deferred

from bumper_tw.pki import handout
from bumper_tw.pki.certificates import extension, not_after
from bumper_tw.web.call import Answer, Call, in_brackets, is_address, parse_authority
from bumper_tw.web.codes import Codes
from bumper_tw.web.failures import portal_failure
from bumper_tw.web.routes import GET, Route
from bumper_tw.web.trust_page import (
    SYSTEMS,
    Authority,
    ProofPage,
    TrustPage,
    Visit,
    loader,
    systems,
    written,
)

DATA = Path(__file__).with_name("data") / "trust"

#: The port at the end of an address, behind a host or a bracket.
PORT = re.compile(r":(\d+)\Z")

HTML = "text/html; charset=utf-8"
#: What may be installed, by the end of its path, and what systems know it by.
DER = "application/x-x509-ca-cert"
PEM = "application/x-pem-file"
PROFILE = "application/x-apple-aspen-config"

#: In how many ways the page is kept that has been made, 15 kB each: there are hardly more, as it
#: has L{PAGE} and L{PROOF} for the addresses that depend on how somebody calls this box.
MAX_KEPT = 128

#: What stands for an address; nobody can make it part of a host name.
PAGE, PROOF = "\ue000page\ue000", "\ue000proof\ue000"

#: Nobody's box has a longer name; the code for one takes long to draw, and no camera reads it.
LONGEST = 64

#: Asked for again each time: the authority may be another one by now.
FRESH = ("Cache-Control", "no-cache")
#: A proof that comes out of a cache proves nothing.
NEVER_KEPT = ("Cache-Control", "no-store")

#: What a page of ours may load; the first is followed by where the script may ask.
SCRIPTED = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "img-src 'self'; style-src 'self'; script-src 'self'; connect-src "
)
UNSCRIPTED = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "img-src 'self'; style-src 'self'"
)


class Certificates(Protocol):
    """What the page needs of our keys."""

    def ca_pem(self) -> bytes:
        """The authority that phones are to trust."""


@frozen
class Places:
    """
    Where we can be reached.

    @ivar https: a port that speaks HTTPS; C{None} for none.
    @ivar http: a port that speaks plain HTTP; C{None} for none, or when nobody knows.
    @ivar announce: the address that others can reach, given the one a connection arrived on;
        C{None} when there is none.
    """

    https: Callable[[], int | None]
    http: Callable[[], int | None] = lambda: None
    announce: Callable[[str], str | None] = lambda _: None


class TrustRoutes:
    """The page, what it loads, and what is installed from it."""

    def __init__(
        self,
        certificates: Certificates,
        places: Places,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        """
        @param seconds: what time it is, from whenever on.
        """
        self._certificates, self._places = certificates, places
        self._style, self._script = (
            (DATA / name).read_bytes() for name in ("page.css", "page.js")
        )
        self._pages: OrderedDict[Visit, bytes] = OrderedDict()
        self._codes = Codes(seconds)
        self._known: tuple[bytes, x509.Certificate] | None = None

    def routes(self) -> tuple[Route, ...]:
        """Everything below C{/ca}."""
        answers = {
            "/ca": self.page,
            # People type it.
            "/ca/": self.page,
            "/ca/proof": self.proof,
            "/ca/bumper.crt": self.der,
            "/ca/bumper.pem": self.pem,
            "/ca/bumper.mobileconfig": self.mobileconfig,
            "/ca/qr.svg": self.qr,
            "/ca/page.css": self.style,
            "/ca/page.js": self.script,
        }
        return tuple(Route(path, GET, ask, portal_failure) for path, ask in answers.items())

    def page(self, call: Call) -> Answer | Deferred[Answer]:
        """
        The steps for each system, with those for the asker's open; or for the one asked for.

        @raise BadRequest: it has more parameters than anybody sends.
        """
        visit = self._visit(call)
        policy = ("Content-Security-Policy", SCRIPTED + script_may_ask(visit.proof))
        headers = (FRESH, policy, ("Vary", "User-Agent"))
        addresses = {PAGE: visit.page, PROOF: visit.proof}
        shape = evolve(visit, page=PAGE, proof=visit.proof and PROOF)
        held = self._pages.get(shape)
        if held is not None:
            self._pages.move_to_end(shape)
            return Answer(filled(held, addresses), content_type=HTML, headers=headers)

        def made(body: bytes) -> Answer:
            self._pages[shape] = body
            if len(self._pages) > MAX_KEPT:
                self._pages.popitem(last=False)
            return Answer(filled(body, addresses), content_type=HTML, headers=headers)

        return written(TrustPage(loader(DATA / "page.xml"), shape)).addCallback(made)

    def proof(self, call: Call) -> Deferred[Answer]:
        """
        A page that says that it worked, if it comes encrypted; its asker is noted as one who
        trusts us.
        """
        headers = [NEVER_KEPT, ("Content-Security-Policy", UNSCRIPTED), ("Vary", "Origin")]
        if call.secure:
            call.contact.proved()
            headers += allowed(call)
        page = ProofPage(
            loader(DATA / "proof.xml"), call.secure, call.host, self._page_address(call)
        )
        return written(page).addCallback(Answer, content_type=HTML, headers=tuple(headers))

    def der(self, _: Call) -> Answer:
        """For most systems; without a file name, because Firefox would save it instead."""
        return Answer(handout.der(self._ca()), content_type=DER, headers=(FRESH,))

    def pem(self, _: Call) -> Answer:
        """For those that want text."""
        named = ("Content-Disposition", 'attachment; filename="bumper.pem"')
        return Answer(self._certificates.ca_pem(), content_type=PEM, headers=(FRESH, named))

    def mobileconfig(self, call: Call) -> Answer:
        """For Apple's."""
        profile = handout.mobileconfig(self._ca(), self._host(call))
        return Answer(profile, content_type=PROFILE, headers=(FRESH,))

    def qr(self, call: Call) -> Answer:
        """
        The address of the page, for the camera of a phone: under the name by which somebody calls
        this box, unless too many are thought of; then where he has arrived.
        """
        code = self._codes.of(self._page_address(call), self._arrived(call))
        policy = ("Content-Security-Policy", "default-src 'none'")
        return Answer(code, content_type="image/svg+xml", headers=(FRESH, policy))

    def style(self, _: Call) -> Answer:
        """How the page looks."""
        return Answer(self._style, content_type="text/css; charset=utf-8", headers=(FRESH,))

    def script(self, _: Call) -> Answer:
        """What its button does."""
        kind = "text/javascript; charset=utf-8"
        return Answer(self._script, content_type=kind, headers=(FRESH,))

    def _visit(self, call: Call) -> Visit:
        asked = call.query("system")
        shown = frozenset({asked}) if asked in SYSTEMS else systems(call.header("user-agent"))
        return Visit(
            authority=described(self._ca()),
            page=self._page_address(call),
            alone=only_here(self._host(call)),
            proof=self._proof_address(call),
            secure=call.secure,
            shown=shown,
        )

    def _ca(self) -> x509.Certificate:
        text = self._certificates.ca_pem()
        if self._known is None or self._known[0] != text:
            self._known = (text, x509.load_pem_x509_certificate(text))
        return self._known[1]

    def _host(self, call: Call) -> str:
        """
        The box as a phone has to call it: as the asker does, unless he sits at it.
        """
        if only_here(call.host):
            return self._places.announce(call.local) or call.host
        return call.host if len(call.host) <= LONGEST else call.local or "localhost"

    def _page_address(self, call: Call) -> str:
        """
        Where a phone finds the page: without encryption, if that is offered anywhere, since there
        is no trust yet.
        """
        return self._page_at(call, self._host(call), port_of(call.base_url))

    def _arrived(self, call: Call) -> str:
        """The page where this connection has arrived, by what nobody else can choose."""
        host = self._places.announce(call.local) or call.local or "localhost"
        return self._page_at(call, host, str(call.contact.local_port or ""))

    def _page_at(self, call: Call, host: str, port: str) -> str:
        plain = self._places.http()
        if call.secure and plain is None:
            return f"https://{at_port(host, port, '443')}/ca"
        return f"http://{at_port(host, str(plain) if call.secure else port, '80')}/ca"

    def _proof_address(self, call: Call) -> str:
        """Where the proof is, for whoever asks; empty when nobody listens for HTTPS."""
        if call.secure:
            return f"{call.base_url}/ca/proof"
        port = self._places.https()
        if port is None:
            return ""
        return f"https://{at_port(call.host, '443' if moved(call) else str(port), '443')}/ca/proof"


def described(ca: x509.Certificate) -> Authority:
    """What people want to know of a certificate."""
    return Authority(
        name=handout.name(ca),
        fingerprint=handout.fingerprint(ca),
        expires=not_after(ca).date().isoformat(),
        limited=extension(ca, x509.NameConstraints) is not None,
    )


def filled(body: bytes, addresses: dict[str, str]) -> bytes:
    """A page with the addresses in it, for what stands in their places."""
    for place, address in addresses.items():
        body = body.replace(place.encode(), escape(address).encode())
    return body


def port_of(base_url: str) -> str:
    """The port in such an address, as it was said; empty when there is none."""
    found = PORT.search(base_url)
    return found[1] if found else ""


def moved(call: Call) -> bool:
    """
    Whether something in front of us, a container's or a router's, takes the usual port of HTTP to
    another one; then it most likely does the same for HTTPS.
    """
    return not port_of(call.base_url) and call.contact.local_port not in {0, 80}


def at_port(host: str, port: str, usual: str) -> str:
    """A host and a port as they stand in a URL."""
    return in_brackets(host) + ("" if port in {"", usual} else f":{port}")


def only_here(host: str) -> bool:
    """Whether a name or an address leads back to whoever uses it."""
    if is_address(host):
        return ip_address(host).is_loopback
    return host.lower() == "localhost" or host.lower().endswith(".localhost")


def script_may_ask(proof: str) -> str:
    """
    Where the script of the page may ask, as a source of a Content-Security-Policy.

    @param proof: the address that it asks.
    """
    if not proof:
        return "'none'"
    # CSP 3, 2.3.1: a host source cannot be an IPv6 address.
    return "https:" if "[" in proof else proof.removesuffix("/ca/proof")


def allowed(call: Call) -> list[tuple[str, str]]:
    """
    The header that lets a script read the answer (Fetch Standard, 3.2), if its page is ours: other
    pages need not learn that this box is here.
    """
    scheme, _, where = call.header("origin").partition("://")
    authority = parse_authority(where)
    if scheme not in {"http", "https"} or authority is None:
        return []
    if authority[0].lower() != call.host.lower():
        return []
    return [("Access-Control-Allow-Origin", call.header("origin"))]
