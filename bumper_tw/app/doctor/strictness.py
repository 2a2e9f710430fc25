"""What clients have against a chain of certificates, and whose fault that is."""

from datetime import datetime

from attrs import frozen
from cryptography import x509
from OpenSSL import crypto


@frozen
class Fault:
    """
    Something that is wrong with a chain.

    @ivar said: in OpenSSL's words.
    @ivar of_authority: whether it is the authority's own, so that no new leaf mends it.
    """

    said: str
    of_authority: bool


def fault(
    chain: tuple[x509.Certificate, ...],
    authority: x509.Certificate,
    now: datetime,
    strict: bool = True,
) -> Fault | None:
    """
    What clients have against a chain; C{None} for nothing.

    @param chain: the leaf first; our authority may be missing in it.
    @param strict: they follow RFC 5280 to the letter, as those in Python do from 3.13 on.
    """
    store = crypto.X509Store()
    store.add_cert(crypto.X509.from_cryptography(authority))
    if strict:
        store.set_flags(crypto.X509StoreFlags.X509_STRICT)
    store.set_time(now)
    between = [crypto.X509.from_cryptography(each) for each in chain[1:]]
    leaf = crypto.X509.from_cryptography(chain[0])
    try:
        crypto.X509StoreContext(store, leaf, between).verify_certificate()
    except crypto.X509StoreContextError as error:
        return Fault(str(error), error.certificate.to_cryptography() == authority)
    return None
