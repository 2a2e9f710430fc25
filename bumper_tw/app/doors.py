"""Every place where connections are accepted, and what is behind it."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from twisted.internet.interfaces import IProtocolFactory

from bumper_tw.app.brokerage import Brokerage
from bumper_tw.app.exchange import Exchange
from bumper_tw.app.lifecycle import Listener
from bumper_tw.app.settings import FrontSettings, Listen, Settings
from bumper_tw.front.contact import Speech
from bumper_tw.front.entrance import Entrance, EntranceLimits, Reception
from bumper_tw.front.gate import Gate
from bumper_tw.front.journal import Journal
from bumper_tw.front.tls import TlsLayer
from bumper_tw.pki.contexts import ServerContexts

#: Nothing is ever started anew by itself.
NO_GATES: Mapping[str, Gate] = MappingProxyType({})


def reception(reactor: Any, journal: Journal, chosen: FrontSettings) -> Reception:
    """What all entrances share."""
    limits = EntranceLimits(chosen.seconds, chosen.undecided, chosen.undecided_per_peer)
    return Reception(reactor, journal, limits)


def doors(
    reactor: Any,
    settings: Settings,
    shared: Reception,
    site: IProtocolFactory,
    mqtt: Brokerage,
    xmpp: Exchange,
    contexts: ServerContexts,
    gates: Mapping[str, Gate] = NO_GATES,
) -> Iterator[tuple[Listen, Listener]]:
    """
    A listener for each C{[[listen]]}.

    @param gates: stand before the services, by their names.
    """
    for at in settings.listen:
        behind = inside(at, site, mqtt, xmpp, contexts, gates)
        made = Entrance(shared, at.serve, at.tls, layer(reactor, at, contexts), behind)
        yield at, Listener(reactor, at.serve, at.at, made, at.optional)


def layer(reactor: Any, at: Listen, contexts: ServerContexts) -> TlsLayer | None:
    """TLS for a listener; where only XMPP is spoken, a stream turns to it by itself."""
    if at.serve == "xmpp":
        return None
    return TlsLayer(reactor, contexts.chooser(at.legacy_tls), direct=False)


def inside(
    at: Listen,
    site: IProtocolFactory,
    mqtt: Brokerage,
    xmpp: Exchange,
    contexts: ServerContexts,
    gates: Mapping[str, Gate] = NO_GATES,
) -> Mapping[Speech, IProtocolFactory]:
    """What takes the connections of a listener, by what they speak; C{gates} as in L{doors}."""
    chooser = contexts.chooser(at.legacy_tls)
    every: dict[str, tuple[Speech, IProtocolFactory]] = {
        "web": (Speech.HTTP, site),
        "mqtt": (Speech.MQTT, mqtt.factory.door(at.anonymous)),
        "xmpp": (Speech.XMPP, xmpp.factory.door(chooser, clear=not at.tls)),
    }
    names = every if at.serve == "all" else [at.serve]
    return {every[name][0]: gated(gates.get(name), every[name][1]) for name in names}


def gated(gate: Gate | None, inside: IProtocolFactory) -> IProtocolFactory:
    """A factory, behind a gate if there is one."""
    return inside if gate is None else gate.before(inside)
