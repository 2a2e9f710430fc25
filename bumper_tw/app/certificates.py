"""Which names and addresses the certificate of this box has, now and when it has moved."""

from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address

from twisted.internet.interfaces import IReactorTime

from bumper_tw.app.addresses import announceable, host_names, own_addresses, plain
from bumper_tw.app.settings import Settings
from bumper_tw.core.allowance import Shares
from bumper_tw.pki.certificates import Address
from bumper_tw.pki.contexts import ServerContexts, SingleContexts
from bumper_tw.pki.vault import Vault

#: What part of the certificates that are made within a minute one address may cause.
SHARE = 3

A_MINUTE = 60.0


def open_vault(settings: Settings) -> Vault:
    """The certificates; whatever is missing is made now, as making keys takes time."""
    names, addresses = own_names(settings)
    tls = settings.tls
    vault = Vault(tls.directory, names, addresses, utc_now, tls.leaves, tls.constrain)
    vault.ensure()
    vault.config_key()
    vault.signing_secret()
    return vault


def open_contexts(clock: IReactorTime, settings: Settings, vault: Vault) -> ServerContexts:
    """What listeners show: a certificate for each name, as long as not too many are made."""
    most = settings.tls.new_leaves_per_minute
    made = Shares(clock, max(1, most // SHARE), most, A_MINUTE)
    singles = SingleContexts(vault, made.take, utc_now, settings.tls.contexts)
    return ServerContexts(vault.credentials, singles)


def utc_now() -> datetime:
    """The time, aware of its zone."""
    return datetime.now(UTC)


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
    if vault.renew_if_due(utc_now()):
        contexts.reload()
