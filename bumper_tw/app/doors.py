"""Every place where connections are accepted, and what is behind it."""

from collections.abc import Iterator, Mapping
from typing import Any

from twisted.internet.interfaces import IProtocolFactory

from bumper_tw.app.brokerage import Brokerage
from bumper_tw.app.exchange import Exchange
from bumper_tw.app.lifecycle import Listener
from bumper_tw.app.settings import FrontSettings, Listen, Settings
from bumper_tw.front.contact import Speech
from bumper_tw.front.entrance import Entrance, EntranceLimits, Reception
from bumper_tw.front.journal import Journal
from bumper_tw.front.tls import TlsLayer
from bumper_tw.pki.contexts import ServerContexts


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
) -> Iterator[tuple[Listen, Listener]]:
    """A listener for each C{[[listen]]}."""
    for at in settings.listen:
        behind = inside(at, site, mqtt, xmpp, contexts)
        made = Entrance(shared, at.serve, at.tls, layer(reactor, at, contexts), behind)
        yield at, Listener(reactor, at.serve, at.at, made, at.optional)


def layer(reactor: Any, at: Listen, contexts: ServerContexts) -> TlsLayer | None:
    """TLS for a listener; where only XMPP is spoken, a stream turns to it by itself."""
    if at.serve == "xmpp":
        return None
    return TlsLayer(reactor, contexts.chooser(at.legacy_tls), direct=False)


def inside(
    at: Listen, site: IProtocolFactory, mqtt: Brokerage, xmpp: Exchange, contexts: ServerContexts
) -> Mapping[Speech, IProtocolFactory]:
    """What takes the connections of a listener, by what they speak."""
    chooser = contexts.chooser(at.legacy_tls)
    every: dict[str, tuple[Speech, IProtocolFactory]] = {
        "web": (Speech.HTTP, site),
        "mqtt": (Speech.MQTT, mqtt.factory.door(at.anonymous)),
        "xmpp": (Speech.XMPP, xmpp.factory.door(chooser, clear=not at.tls)),
    }
    return dict(every.values() if at.serve == "all" else [every[at.serve]])
