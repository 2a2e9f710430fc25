"""Which robots will not get here, as far as the settings tell; said once, at the start."""

from collections.abc import Iterator
from ipaddress import ip_address

from attrs import frozen
from twisted.application.service import Service
from twisted.logger import Logger

from bumper_tw.app.ports import host_of
from bumper_tw.app.settings import Listen, Settings


@frozen
class Way:
    """
    How one kind of robot gets here.

    @ivar tls: whether listeners without TLS are of no use to it.
    @ivar title: what it speaks.
    @ivar missing: what to say when there is no listener for it.
    """

    serve: str
    tls: bool
    title: str
    missing: str


WAYS = (
    Way(
        "mqtt",
        True,
        "MQTT with TLS",
        "nothing listens for MQTT with TLS, without which newer robots cannot connect; add a "
        '[[listen]] with serve = "mqtt", at = "tcp:8883" and tls = true',
    ),
    Way(
        "xmpp",
        False,
        "XMPP",
        "nothing listens for XMPP, without which robots of the first generation and apps cannot "
        'connect; add a [[listen]] with serve = "xmpp" and at = "tcp:5223"',
    ),
)


class Reach(Service):
    """Tells the owner, when the server starts, who will not get here."""

    _log = Logger()

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def startService(self) -> None:
        super().startService()
        for caution in cautions(self._settings):
            self._log.warn("{caution}", caution=caution)


def cautions(settings: Settings) -> Iterator[str]:
    """A line for each kind of robot that cannot connect, with the setting to change."""
    for way in WAYS:
        places = [each for each in settings.listen if is_on(way, each)]
        if not places:
            yield way.missing
        elif all(is_inward(host_of(each.at)) for each in places):
            yield from confined(way, host_of(places[0].at), settings.server.announce)


def confined(way: Way, host: str | None, announced: str) -> Iterator[str]:
    """The same for listeners that only this box reaches, unless robots are told to go there."""
    if not is_inward(announced):
        there = announced or "the address of this box in the network"
        yield (
            f"{way.title} is bound to {host} only, but robots connect to {there}; leave "
            f'interface= out of at = in the [[listen]] with serve = "{way.serve}"'
        )


def is_on(way: Way, listen: Listen) -> bool:
    """Whether a robot can come in at this listener, if it gets there."""
    # Where everything is spoken, what is not TLS is turned away if TLS is wanted.
    shared = listen.serve == "all" and listen.tls == way.tls
    return shared or (listen.serve == way.serve and (listen.tls or not way.tls))


def is_inward(host: str | None) -> bool:
    """Whether only programs on this box reach an address; not so where nobody named one."""
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False
