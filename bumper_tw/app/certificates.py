"""Which names and addresses the certificate of this box has, now and when it has moved."""

from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address

from bumper_tw.app.addresses import announceable, host_names, own_addresses, plain
from bumper_tw.app.settings import Settings
from bumper_tw.pki.certificates import Address
from bumper_tw.pki.contexts import ServerContexts
from bumper_tw.pki.vault import Vault


def open_vault(settings: Settings) -> Vault:
    """The certificates; whatever is missing is made now, as making keys takes time."""
    names, addresses = own_names(settings)
    vault = Vault(settings.tls.directory, names, addresses, lambda: datetime.now(UTC))
    vault.ensure()
    vault.config_key()
    vault.signing_secret()
    return vault


def own_names(settings: Settings) -> tuple[list[str], list[Address]]:
    """What the certificate calls this box."""
    addresses = [ip_address(text) for text in sorted(set(reachable(settings)))]
    return [*host_names(), *settings.server.name], addresses


def reachable(settings: Settings) -> Iterator[str]:
    """The addresses of this box that a certificate has to cover."""
    if settings.server.announce:
        yield settings.server.announce
    for own in own_addresses():
        address = plain(own.address)
        if announceable(address):
            yield address


def renew(settings: Settings, vault: Vault, contexts: ServerContexts) -> None:
    """
    Look after the certificates, also when the box has moved; new connections get new ones.

    @raise StartError: they cannot be read or made; the old ones stay in use.
    """
    vault.speak_for(*own_names(settings))
    if vault.renew_if_due(datetime.now(UTC)):
        contexts.reload()
